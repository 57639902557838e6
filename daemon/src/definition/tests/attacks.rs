//! Hostile and careless input: each line of the table is refused with its code, or fine, and quickly.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use super::{GOOD, codes, diagnostics, read};

/// Checks a change of the good document: `expected` are the codes, none where it loads.
fn check(from: &str, to: &str, expected: &[&str]) {
    let text = GOOD.replace(from, to);
    let start = Instant::now();
    assert_eq!(codes(&text), expected, "{from} -> {}", to.chars().take(60).collect::<String>());
    assert!(start.elapsed() < Duration::from_secs(5), "slow: {from} -> {}", to.chars().take(60).collect::<String>());
    assert_eq!(read(&text).is_ok(), !expected.iter().any(|code| code.starts_with('E')));
}

#[test]
fn targets() {
    check("99.9%", "99.95%", &[]);
    check("99.9%", "'99.9 %'", &[]);
    check("99.9%", "\"99.9%\"", &[]);
    for (target, code) in [
        (".nan", "E1040"),
        (".inf", "E1040"),
        ("-0.0", "E1040"),
        ("100", "E1040"),
        ("0", "E1040"),
        ("5e-324", "E1040"),
        ("99.9", "E1040"),
        ("\"99.9\"", "E1040"),
        ("1:30", "E1040"),
        ("0x63", "E1040"),
        (".nan%", "E1041"),
        ("-1%", "E1041"),
        ("99,9%", "E1041"),
        ("1e2%", "E1041"),
        ("100%", "E1042"),
        ("100.00%", "E1042"),
        ("0%", "E1043"),
        ("100.0001%", "E1043"),
        ("99.99999999%", "E1044"),
        ("[99.9%]", "E1007"),
        ("~", "E1007"),
    ] {
        check("99.9%", target, &[code]);
    }
}

#[test]
fn windows() {
    for window in ["30d", "28d", "4w", "1h", "1h30m"] {
        check("30d", window, &[]);
    }
    for window in ["1M", "0s", "-5m", "99999d", "5", "1y", "1s", "'30 d'"] {
        check("30d", window, &["E1045"]);
    }
    for window in ["calendar week", "calendar month", "calendar quarter"] {
        check("30d", &format!("{window}\n        timezone: Europe/Berlin"), &[]);
    }
    for window in ["calendar", "calendar year", "calendar 30d", "calendar Month"] {
        check("30d", &format!("{window}\n        timezone: UTC"), &["E1045"]);
    }
    check("30d", "calendar month", &["E1008"]);
    check("30d", "30d\n        timezone: UTC", &["E1047"]);
}

#[test]
fn slices() {
    for (slices, share, codes) in [
        ("1m", "99%", &[][..]),
        ("1h", "100%", &[]),
        ("15m", "99.95 %", &[]),
        ("30m", "99%", &["E1048"]),
        ("7m", "99%", &["E1048"]),
        ("90s", "99%", &["E1048"]),
        ("10s", "99%", &["E1048"]),
        ("2h", "99%", &["E1048"]),
        ("0m", "99%", &["E1046"]),
        ("1m", "99", &["E1048"]),
        ("1m", "0%", &["E1048"]),
        ("1m", "101%", &["E1048"]),
    ] {
        let zone = if slices == "30m" || slices == "15m" { "Asia/Kathmandu" } else { "UTC" };
        let counted = format!(
            "calendar month\n        timezone: {zone}\n        counted-in: {{ slices: {slices}, good-if-at-least: {share} }}\n        alerting: none"
        );
        check("30d", &counted, codes);
    }
    check("30d", "30d\n        counted-in: { slices: 5m }", &["E1008"]);
    check("30d", "30d\n        counted-in: slices", &["E1007"]);
}

#[test]
fn time_zones() {
    for (zone, codes) in [
        ("Asia/Kathmandu", &[][..]),
        ("UTC", &[]),
        ("EST", &["W2014"]),
        ("utc", &["W2014"]),
        ("Asia/Calcutta", &["W2014"]),
        ("Mars/X", &["E1047"]),
        ("US/Pacific-New", &["E1047"]),
        ("+02:00", &["E1047"]),
        ("../../etc/passwd", &["E1047"]),
        ("\"Europe/\\u0000Berlin\"", &["E1003"]),
        ("[UTC]", &["E1007"]),
    ] {
        check("30d", &format!("calendar month\n        timezone: {zone}"), codes);
    }
}

#[test]
fn names() {
    for name in ["../../etc/x", "CON", ".", "a b", "ä", "a/b", "-a", &"x".repeat(300)] {
        check("availability", name, &["E1020"]);
    }
    for name in ["con", "metrics"] {
        check("availability", name, &["E1020"]);
    }
    check("availability", "\"a\\0b\"", &["E1003"]);
    check("availability", "\"a\\u202eb\"", &["E1003"]);
    check("checkout", "api", &[]);
    check("availability", "no", &[]);
    check("availability", "123", &[]);
}

#[test]
fn characters() {
    assert_eq!(codes(&format!("\u{feff}{GOOD}")), [""; 0]);
    assert_eq!(codes(&GOOD.replace('\n', "\r\n")), [""; 0]);
    check("service: ", "service:\t", &["E1003"]);
    check("checkout", "check\0out", &["E1003"; 3]);
    check("payments", "pay\u{202e}ments", &["E1003"]);
    check("team", "# \u{200b}\nteam", &["E1003"]);
    check("99.9%", "99.9%\r ", &["E1003"]);
    assert_eq!(codes(&GOOD.replace('\n', "\r")), ["E1003"], "told once, not for every line");
}

#[test]
fn keys() {
    check("target: 99.9%", "target: 99.9%\n        target: 99%", &["E1004"]);
    check("target:", "targt:", &["E1006"]);
    check("bad:", "bda:", &["E1006"]);
    check("window: 30d", "span: 30d", &["E1008", "E1006"]);
    check("slos:", "? [a]\n: b\nslos:", &["E1001"]);
    check("service:", "<<: { a: b }\nservice:", &["E1009"]);
    check("window: 30d\n", "window: 30d\n---\na: 1\n", &["E1005"]);
    check("window: 30d\n", "window: 30d\n...\n", &[]);
}

#[test]
fn sizes() {
    let nested = |open: &str| format!("version: {}", open.repeat(100_000));
    assert_eq!(codes(&nested("[")), ["E1002"]);
    assert_eq!(codes(&nested("{a: ")), ["E1002"]);
    assert_eq!(codes(&"- ".repeat(100_000)), ["E1002"]);
    assert_eq!(codes(&format!("a: {}", "x".repeat(1 << 20))), ["E1002"]);
    assert_eq!(codes(&"- 1\n".repeat(60_000)), ["E1002"]);
    assert_eq!(codes(&format!("{GOOD}x: [{}]", "&a 1, *a, ".repeat(200))), ["E1002"]);
    check("'http_requests_total{job=\"checkout\"}'", &format!("'{}'", "a".repeat(9000)), &["E1034"]);
    for text in ["", "# comment\n", "---\n", "~"] {
        assert_eq!(codes(text), ["E1010"], "{text:?}");
    }
}

/// Texts that are made to cost more than they are long.
fn hostile() -> Vec<String> {
    let many = |open: &str, times: usize| open.repeat(times);
    let of = |value: &str| GOOD.replace("'http_requests_total{job=\"checkout\"}'", value);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=9 {
        writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 10].join(", ")).expect("a string");
    }
    vec![
        format!("version: {}", many("[", 100_000)),
        format!("version: {}", many("{a: ", 100_000)),
        many("- ", 100_000),
        many("? ", 100_000),
        many("- - ", 20) + &many("[", 50),
        (0..2000).fold(String::new(), |text, level| text + &" ".repeat(level % 200) + "a:\n"),
        bomb,
        many("&a ", 1000),
        format!("a: {}", many("!!str ", 1000)),
        format!("a: |\n{}", many("  x\n", 50_000)),
        format!("a: \"{}\"", many("\\u0041", 20_000)),
        format!("a: '{}", many("''", 100_000)),
        many("# \u{e4}\n", 50_000),
        many("a: 1\n", 20_000),
        (0..10_000).fold(String::new(), |text, key| text + "k" + &key.to_string() + ": 1\n"),
        format!("{{{}}}", (0..10_000).fold(String::new(), |text, key| text + "k" + &key.to_string() + ": 1, ")),
        format!(
            "{}  - {{ {} }}",
            &GOOD[..GOOD.find("  - name").expect("an SLO")],
            (0..10_000).fold(String::new(), |text, key| text + "k" + &key.to_string() + ": 1, ")
        ),
        format!("version: burnward/v1\nservice: a\nteam: payments\nslos: [{}]", many("x, ", 40_000)),
        format!(
            "version: burnward/v1\nservice: a\nteam: payments\nslos: [{}]",
            many("{ name: a, sli: { probe: up }, objectives: [] }, ", 6000)
        ),
        format!("{} {}: 1\n", GOOD.trim_end(), many("k", 100_000)),
        many("---\n", 100_000),
        format!("{GOOD}{}", many("\n", 1 << 17)),
        of(&format!("'{}'", many("(", 8000))),
        of(&format!("'x{{{}}}'", many("a=\"b\",", 1300))),
        of(&format!("'x{{a=~\"{}\"}}'", many("(a{1,999}){1,999}", 100))),
        of(&format!("'x{{a=~\"{}\"}}'", many("(", 4000))),
        super::kinds::document(&format!("{{ window: {{ expr: '{}', is: '<', threshold: 1 }} }}", many("abs(", 2000))),
        super::kinds::document(&format!("{{ window: {{ expr: '1{}', is: '<', threshold: 1 }} }}", many("+1", 4000))),
        super::kinds::document(&format!("{{ window: {{ expr: '{}1', is: '<', threshold: 1 }} }}", many("-", 8000))),
    ]
}

#[test]
fn whatever_is_hostile_is_told_within_bounds_on_a_small_stack_and_laid_out_or_left() {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        for text in hostile() {
            let begin: String = text.chars().take(60).collect();
            let start = Instant::now();
            let faults = diagnostics(&text);
            let shown: usize = faults.iter().map(|fault| fault.render(crate::definition::Colour::Never).len()).sum();
            drop(crate::definition::format::format(&crate::definition::discover::source("slo.yaml", &text), None));
            assert!(shown < 1 << 20, "{shown} bytes of diagnostics: {begin}");
            assert!(start.elapsed() < Duration::from_secs(20), "slow: {begin}");
        }
    });
    assert!(thread.expect("a thread").join().is_ok());
}

#[test]
fn no_secret_in_a_file_is_shown() {
    for (from, to) in [
        ("version:", "bot-token: xoxb-1-hush\nversion:"),
        ("payments", "xoxb-1-hush"),
        ("99.9%", "xoxb-1-hush"),
        ("'http_requests_total{job=\"checkout\"}'", "xoxb-1-hush"),
        ("version:", "password: |\n  hush\n  hush\nversion:"),
        ("version:", "url: https://ada:hush@example.com\nversion:"),
        ("version:", "api-key: [hush\nversion:"),
        ("version:", "headers: { Authorization: 'Bearer hush', Cookie: hush }\nversion:"),
        ("version:", "url: http://h/x?token=hush\nversion:"),
        ("payments", "ghp_hush"),
    ] {
        let text = GOOD.replace(from, to);
        let source = crate::definition::discover::source("slo.yaml", &text);
        let faults = crate::definition::document::read(&source, "version", &super::context()).expect_err(to);
        let laid_out = crate::definition::format::format(&source, None).err().unwrap_or_default();
        for fault in faults.iter().chain(&laid_out) {
            let shown = [fault.render(crate::definition::Colour::Never), fault.to_json().to_string(), fault.to_github("a.yaml")].concat();
            assert!(!shown.contains("hush"), "{shown}");
        }
    }
}

#[test]
fn an_alias_bomb_of_nine_levels_is_refused_at_once_and_names_the_limit() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..=9 {
        let before = level - 1;
        writeln!(text, "a{level}: &a{level} [{}]", vec![format!("*a{before}"); 10].join(", ")).expect("a string");
    }
    let start = Instant::now();
    let faults = diagnostics(&text);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(faults[0].message, "more than 50000 values, those that aliases repeat included");
}

#[test]
fn anchors_and_aliases_work_within_the_limits() {
    let text = GOOD.replace("30d", "&w 30d\n      - { name: strict, target: 99.99%, window: *w }");
    let (slos, _) = read(&text).expect("it loads");
    assert_eq!(slos[0].objectives[1].window, slos[0].objectives[0].window);
    check("30d", "&w [*w]", &["E1001"]);
    check("30d", "*nowhere", &["E1001"]);
}

#[test]
fn rows() {
    let row = |row: &str| format!("30d\n        alerting: {{ rows: [{row}] }}");
    check("30d", &row("{ urgency: page, burn-rate: 14.4, long: 1h, short: 5m }"), &[]);
    check("30d", &row("{ urgency: page, burn-rate: 14.4, long: 10s, short: 2s }"), &[]);
    check("30d", &row("{ urgency: page, burn-rate: 14.4, long: 5m, short: 1h }"), &["E1051"]);
    check("30d", &row("{ urgency: page, burn-rate: 14.4, long: 31d, short: 1h }"), &["E1051"]);
    check("30d", &row("{ urgency: page, burn-rate: 1000, long: 1h, short: 5m }"), &["E1052"]);
    check("30d", &row("{ urgency: page, burn-rate: 0.9, long: 1h, short: 5m }"), &["E1053"]);
    check("30d", &row("{ urgency: page, burn-rate: .nan, long: 1h, short: 5m }"), &["E1050"]);
    check("30d", &row("{ urgency: wake, burn-rate: 2, long: 1h }"), &["E1008", "E1054"]);
    check("30d", &row(""), &["E1054"]);
    check("99.9%", "80%", &["W2011"]);
    check("99.9%", "1%", &["W2011"]);
    check("99.9%", "50%\n        alerting: page", &["W2012"]);
    check("30d", "1m", &["W2012"]);
}

#[test]
fn a_file_cut_anywhere_never_panics_and_mid_mapping_does_not_load() {
    for end in 0..GOOD.len() {
        drop(read(&GOOD[..end]));
    }
    assert!(read(&GOOD[..GOOD.find("window").expect("window")]).is_err());
}

#[test]
fn a_thread_with_a_small_stack_survives_the_deepest_input() {
    let deep = format!("a: {}", "[".repeat(63) + &"]".repeat(63));
    let thread = std::thread::Builder::new().stack_size(512 << 10).spawn(move || codes(&deep).len());
    assert!(thread.expect("a thread").join().is_ok());
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}|[a-z:\\-\\[\\]{}&*!#|>'\"%@` \n]{0,200}") {
        drop(diagnostics(&text).iter().map(|fault| fault.render(crate::definition::Colour::Never)).collect::<Vec<_>>());
    }

    #[test]
    fn no_change_of_a_good_document_panics(at in 0..GOOD.len(), insert in "[a-z:\\-\\[\\]{}&*!#|>'\"%@` \n\u{202e}\t0-9]{0,12}", cut in 0_usize..20) {
        let end = (at + cut).min(GOOD.len());
        let text = format!("{}{insert}{}", &GOOD[..at], &GOOD[end..]);
        for fault in diagnostics(&text) {
            fault.render(crate::definition::Colour::Always);
            fault.to_github("a.yaml");
            fault.to_json();
        }
    }

    #[test]
    fn no_configuration_panics(at in 0..500_usize, insert in "([a-zä–:\\-\\[\\]{}&*!#|>'\"%@` \n]|–token: |://){0,12}") {
        let good = include_str!("../../../../docs/burnward.example.yaml");
        let text = format!("{}{insert}{}", &good[..at], &good[at..]);
        drop(crate::config::parse(std::path::Path::new("burnward.yaml"), &text).map_err(|error| error.to_string()));
    }
}

#[test]
fn a_file_of_mistakes_alone_shows_the_first_and_counts_the_rest() {
    let text = (0..24_000).fold(String::from(GOOD), |text, key| text + "k" + &key.to_string() + ": 1\n");
    let faults = diagnostics(&text);
    let errors: Vec<_> = faults.iter().filter(|fault| fault.code.id == "E1006").collect();
    assert_eq!((errors.len(), errors[0].message.as_str()), (200, "unknown key `k0`"));
    assert_eq!(errors[199].help.last().expect("help"), "23800 more mistakes of this file are not shown");
}

#[test]
fn a_share_with_the_sign_of_a_percentage_is_told_with_the_one_that_is_meant() {
    let helped = |target: &str| -> Vec<String> {
        let text = super::GOOD.replacen("99.9%", target, 1);
        let told = super::diagnostics(&text);
        told.iter().flat_map(|fault| fault.help.clone()).filter(|help| help.contains("did you mean")).collect()
    };
    for (target, meant) in [("0.999%", "99.9%"), ("0.95%", "95%"), ("0.9%", "90%")] {
        assert_eq!(helped(target), [format!("did you mean `{meant}`? A target is a percentage, not a share of one")]);
    }
    assert_eq!(helped("80%"), Vec::<String>::new());
}
