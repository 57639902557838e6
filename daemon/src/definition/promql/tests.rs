use std::fmt::Write as _;

use super::*;

const WINDOW: Use = Use::Window { is: None };

fn events(step: u64) -> Use {
    Use::Events { step: Some(Duration::from_mins(step)), beside: false }
}

/// What is sent, or the code with what it points at.
fn outcome(text: &str) -> String {
    match read(text, WINDOW) {
        Ok(checked) => checked.expression.to_string(),
        Err(finding) => pointed(text, &finding),
    }
}

fn pointed(text: &str, finding: &Finding) -> String {
    let at = finding.at.clone().map_or(String::new(), |at| format!(" at {}..{} `{}`", at.start, at.end, &text[at.clone()]));
    format!("{}{at}: {}", finding.code.id, finding.message)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(outcome(text), expected, "{}", shortened(text));
}

/// The codes of the advice about an expression.
fn advice(text: &str, used: Use) -> Vec<&'static str> {
    let checked = read(text, used).unwrap_or_else(|finding| panic!("{}", pointed(text, &finding)));
    checked.advice.iter().map(|finding| finding.code.id).collect()
}

#[test]
fn expressions_are_sent_as_they_print() {
    for (text, sent) in [
        ("up", "up"),
        (
            " sum by(tenant)( increase( http_requests_total{ code=~\"5..\" }[1m] ) ) # bad",
            r#"sum by (tenant) (increase(http_requests_total{code=~"5.."}[1m]))"#,
        ),
        ("max(queue:age_seconds) or on() vector(0)", "max(queue:age_seconds) or on () vector(0)"),
        ("x{job=\"a\", code=~\"5..\", z!=\"\", code!=\"503\"}", r#"x{code!="503",code=~"5..",job="a",z!=""}"#),
        (r"up{path=~`a\d+`}", r#"up{path=~"a\\d+"}"#),
        ("-up + 2 ^ 3", "-up + 2 ^ 3"),
        ("max_over_time(rate(x[1m])[10m:1m] offset 1h)", "max_over_time(rate(x[1m])[10m:1m] offset 1h)"),
        ("a / on(x) group_left(y) b", "a / on (x) group_left (y) b"),
        ("sum(x) without (pod)", "sum without (pod) (x)"),
        ("time() - process_start_time_seconds", "time() - process_start_time_seconds"),
    ] {
        check(text, sent);
        check(sent, sent);
    }
}

#[test]
fn the_place_of_a_mistake_is_found() {
    let mut found = String::new();
    for text in [
        "",
        "# only a comment",
        "sum(rate(x[5m])",
        "sum(x))",
        "sum(x]",
        "up up",
        "up +",
        "* up",
        "sum(a, )",
        "a / / b",
        "x[5m] [5m]",
        "x{a=\"b\"} {c=\"d\"}",
        "up = 1",
        "up =~ \"x\"",
        "rate(x)",
        "sum(x[5m])",
        "x[5m",
        "x[abc]",
        "up{job=\"x}",
        "sum(x) by tenant",
        "up{a=~\"(\"}",
        "x[5m]",
        "\"text\"",
        "(a + b",
        "()",
        "a == bool",
    ] {
        writeln!(found, "{text:24} {}", outcome(text)).expect("a string grows");
    }
    insta::assert_snapshot!(found);
}

#[test]
fn what_looks_to_another_time_is_refused_at_its_place() {
    check("up offset -5m", "E1084 at 3..9 `offset`: a negative offset looks into the future");
    check("up @ 1700000000", "E1084 at 3..4 `@`: `@` fixes an instant");
    check("up @ end()", "E1084 at 3..4 `@`: `@` fixes an instant");
    check("rate(x[100000y])", "E1084: a range of 36500000d is longer than a year");
    check("rate(x[400d])", "E1084 at 7..11 `400d`: a range of 400d is longer than a year");
    check("up offset 1000d", "E1084 at 10..15 `1000d`: an offset of 1000d is longer than a year");
    check("max_over_time(x[5m:1ms])", "E1084: the subquery computes 300000 values for every instant; at most 11000 are allowed");
}

#[test]
fn other_languages_are_refused_by_name() {
    check("rate(x[$__rate_interval])", "E1085 at 7..8 `$`: `$` begins a variable of Grafana");
    check("{{.Env}}", "E1085 at 0..1 `{`: `{{` is a template, which nobody fills here");
    check("count_over_time({app=\"x\"} |= \"error\" [1m])", "E1085 at 26..27 `|`: `|` is LogQL, the language of Loki");
    check("up ; up", "E1085 at 3..4 `;`: `;` is no character of PromQL");
    check("sum by (mode, default) (x)", "sum by (mode, default) (x)");
    check("mode", "mode");
}

#[test]
fn what_would_not_be_sent_as_it_was_written_is_refused() {
    check(r#"up{a="\xff"}"#, "E1083 at 6..8 `\\x`: a byte escape above \\x7f is not a character");
    check("up{a=\"\0\"}", "E1083 at 6..7 `\0`: a quoted text holds a control character");
    check(r#"{job="x"}"#, "E1036: a selector does not name a metric");
}

#[test]
fn what_is_too_large_is_refused_before_it_is_parsed() {
    for (part, code) in
        [("(", "E1081"), ("abs(", "E1081"), ("-", "E1081"), ("1+", "E1081"), ("{", "E1081"), ("[", "E1081"), ("a or ", "E1081")]
    {
        for times in [100_000, 1600] {
            let finding = read(&part.repeat(times), WINDOW).expect_err(part);
            assert_eq!(finding.code.id, code, "{part}");
        }
    }
    let branches = format!("up{{a=~\"{}\"}}", (0..1600).map(|n| n.to_string()).collect::<Vec<_>>().join("|"));
    assert!(read(&branches, WINDOW).is_ok());
    let sum = |terms: usize| vec!["a"; terms].join(" + ");
    assert!(read(&sum(60), WINDOW).is_ok());
    assert_eq!(read(&sum(100), WINDOW).expect_err("too deep").code.id, "E1081");
    assert!(read(&format!("{}up{}", "(".repeat(60), ")".repeat(60)), WINDOW).is_ok());
}

#[test]
fn what_the_parser_does_not_know_is_sent_with_advice() {
    for (text, word) in [
        ("frobnicate_over_time(x[5m])", "frobnicate_over_time"),
        ("sum(frobnicate(x))", "frobnicate"),
        ("holt_winters(x[5m], 0.5, 0.5)", "holt_winters"),
        ("median_over_time(x[5m])", "median_over_time"),
        ("sum(x) default 0", "default"),
        ("rollup(x[5m])", "rollup"),
        ("abs(x) keep_metric_names", "keep_metric_names"),
        ("WITH (x = q) x", "WITH"),
        ("with (f(a) = rate(a[5m])) f(q)", "with"),
        ("Median(x)", "Median"),
        ("sum(q) by (a) limit 1", "limit"),
        ("sum by (a) (q) LIMIT 1", "LIMIT"),
        ("last_over_time(q[])", "["),
        ("up{job=\"x\" or tenant=\"B\"}", "or"),
        ("sum(rate(q{a=\"b\", c!=\"d\" or c=~\"e\"}[5m]))", "or"),
    ] {
        let checked = read(text, WINDOW).expect("it loads");
        assert_eq!(checked.expression.as_str(), text);
        let [finding] = &checked.advice[..] else { panic!("{:?}", checked.advice) };
        assert_eq!(finding.code.id, "W2080");
        assert_eq!(finding.at.clone().map(|at| &text[at]), Some(word));
    }
    assert_eq!(unchecked(&"(".repeat(100)).expect_err("too deep").code.id, "E1081");
}

#[test]
fn what_another_grammar_may_have_is_refused_with_the_way_past_the_check() {
    assert_eq!(read("up{job=\"x\" or tenant=\"B\"}", WINDOW).expect("it is sent").expression.as_str(), "up{job=\"x\" or tenant=\"B\"}");
    for text in ["sum(q) by (a) frob 1", "up up", "sum(q) frob(a)", "rate(q)", "rate(q[5m]) offset 1h frob", "x[abc]", "(a) {b=\"c\"}"] {
        let finding = read(text, WINDOW).expect_err(text);
        assert!(finding.help.contains("`promql-check: off`"), "{text}: {}: {}", finding.message, finding.help);
    }
}

/// As of Prometheus 3.8, experimental ones included.
#[test]
fn the_newest_functions_and_the_newest_grammar_load_checked_or_with_advice() {
    for text in [
        "mad_over_time(x[5m])",
        "first_over_time(x[5m])",
        "last_over_time(x[5m])",
        "present_over_time(x[5m])",
        "ts_of_max_over_time(x[5m])",
        "ts_of_min_over_time(x[5m])",
        "ts_of_first_over_time(x[5m])",
        "ts_of_last_over_time(x[5m])",
        "double_exponential_smoothing(x[5m], 0.5, 0.5)",
        "histogram_avg(rate(x[5m]))",
        "histogram_count(increase(x[5m]))",
        "histogram_fraction(0, 0.3, rate(x[5m]))",
        "histogram_stddev(x)",
        "histogram_quantiles(x, \"q\", 0.5, 0.9)",
        "info(x)",
        "sum(limitk(2, x))",
        "sum(limit_ratio(0.5, x))",
        "max(sort_by_label(x, \"a\"))",
        "increase(x[5m] anchored)",
        "rate(x[5m] smoothed)",
        "start_timestamp(x)",
        "a + fill (0) b",
        "sum by (\"utf.8\") (x)",
        "rate({\"http.requests\", job=\"x\"}[5m])",
        "x{\"service.name\"=\"y\"}",
    ] {
        let checked = read(text, WINDOW).unwrap_or_else(|finding| panic!("{text}: {finding:?}"));
        assert!(checked.advice.iter().all(|finding| finding.code.id == "W2080"), "{text}: {:?}", checked.advice);
        assert!(unchecked(text).is_ok(), "{text}");
    }
    for text in ["rate(x[5m * 2])", "rate(x[5m+1m])", "rate(x[(5m)])", "x offset (5m + 1m)", "x > 1_000", "max(x[step() + 1m])"] {
        let checked = read(text, WINDOW).unwrap_or_else(|finding| panic!("{text}: {finding:?}"));
        let codes: Vec<_> = checked.advice.iter().map(|finding| finding.code.id).collect();
        assert_eq!((checked.expression.as_str(), codes), (text, vec!["W2080"]));
    }
    // An operator that looks like two passes unchecked.
    assert_eq!(unchecked("x </ 5").expect("it is sent").expression.as_str(), "x </ 5");
}

#[test]
fn missing_data_that_is_made_to_look_like_a_value_is_told() {
    for text in [
        "sum(x) or vector(0)",
        "max(x or on() vector(0))",
        "sum(x) or (vector(0))",
        "sum(x) or 0 * max(y)",
        "sum(x) or on() (0 * sum(up))",
        "x or up * 0",
        "vector(0) or sum(x)",
        "sum(x) or vector(0) * 100",
    ] {
        assert_eq!(advice(text, WINDOW), ["W2081"], "{text}");
        assert_eq!(advice(text, events(1)), ["W2081"], "{text}");
    }
    for text in ["a or b", "sum(a) or sum(b) * 2", "max(x) or absent(x)"] {
        assert!(advice(text, WINDOW).is_empty(), "{text}");
    }
}

#[test]
fn a_filter_at_the_top_leaves_slices_unseen() {
    for text in ["redis_up < 1", "(up == 1)", "absent(up)", "min(x) > 3"] {
        assert_eq!(advice(text, WINDOW), ["W2082"], "{text}");
    }
    for text in ["redis_up < bool 1", "x / (y > 0)", "up"] {
        assert!(advice(text, WINDOW).is_empty(), "{text}");
    }
    assert_eq!(advice("x > 0", events(1)), ["W2082"]);
    assert!(advice("x > 0", Use::Events { step: None, beside: true }).is_empty());
}

#[test]
fn a_query_yields_the_events_of_its_step() {
    for (text, step, expected) in [
        ("sum(increase(x[1m]))", 1, vec![]),
        ("sum(increase(x[5m]))", 5, vec![]),
        ("sum(increase(x[60s]))", 1, vec![]),
        ("sum(increase(x[5m]))", 1, vec!["W2083"]),
        ("sum(rate(x[1m]))", 1, vec!["W2083"]),
        ("sum_over_time(x[5m])", 1, vec!["W2083"]),
        ("sum(job:requests:increase1m)", 1, vec![]),
        ("max_over_time(x[5m])", 1, vec![]),
    ] {
        assert_eq!(advice(text, events(step)), expected, "{text}");
    }
}

#[test]
fn a_counter_that_is_added_up_as_it_is_is_told() {
    for (text, expected) in [
        ("sum(x_total)", vec!["W2083"]),
        ("sum by (a) (x_bucket{le=\"1\"}) * 2", vec!["W2083"]),
        ("sum(x_total) - sum(x_total offset 1m)", vec![]),
        ("sum(increase((x_total)[1m:15s]))", vec![]),
        ("sum(increase(x_total[1m]) and on (a) y_total)", vec![]),
        ("sum(stackdriver_x_transaction_count)", vec![]),
        ("sum(job:x_total:increase1m)", vec![]),
        ("sum(queued)", vec![]),
        ("count(x_total)", vec![]),
        ("max(x_total)", vec!["W2083"]),
    ] {
        assert_eq!(advice(text, events(1)), expected, "{text}");
        assert!(advice(text, WINDOW).is_empty(), "{text}");
    }
    assert_eq!(advice("sum(increase(x_total[1m])) or sum(y_total) * 0", events(1)), ["W2081"]);
}

#[test]
fn a_percentage_is_known_by_its_factor() {
    for (text, expected) in [
        ("sum(a) * 100", true),
        ("100 * sum(increase(a[1m]))", true),
        ("sum by (x) (100 * a)", true),
        ("100 * sum(a) / sum(b)", true),
        ("sum(a) / sum(b) * 100 or vector(0)", true),
        ("sum(a) * 100 / 100", false),
        ("sum(a) / 100", false),
        ("sum(a) * 60", false),
        ("sum(a)", false),
    ] {
        assert_eq!(read(text, WINDOW).map(|checked| checked.percentage), Ok(expected), "{text}");
    }
}

#[test]
fn a_quantile_that_never_has_a_value_is_told() {
    for (text, expected) in [
        ("histogram_quantile(99, sum by (le) (rate(x_bucket[5m])))", vec!["W2087", "W2085"]),
        ("histogram_quantile(0.99, sum by (a) (rate(x_bucket[5m])))", vec!["W2087", "W2085"]),
        ("histogram_quantile(0.99, rate(x_bucket[5m]))", vec!["W2085"]),
        ("histogram_quantile(0.99, sum(rate(x[5m])))", vec!["W2085"]),
        ("sum(histogram_quantile(0.99, rate(x_bucket[5m])))", vec!["W2085", "W2085"]),
        ("avg by (a) (histogram_quantile(0.99, sum by (a, le) (rate(x_bucket[5m]))) * 1000)", vec!["W2085", "W2085"]),
        ("avg(x{quantile=\"0.99\"})", vec!["W2085"]),
        ("max(histogram_quantile(0.99, rate(x_bucket[5m])))", vec!["W2085"]),
        ("max(x{quantile=\"0.99\"})", vec![]),
    ] {
        assert_eq!(advice(text, WINDOW), expected, "{text}");
    }
}

#[test]
fn matchers_of_an_expression_are_read_as_those_of_a_selector() {
    assert_eq!(advice("sum(increase(x{code=\"5..\"}[1m])) + sum(y{a=\"1\",a=\"2\"})", WINDOW), ["W2022", "W2023"]);
}

#[test]
fn a_comparison_that_always_comes_out_the_same_is_told() {
    let part = "sum(increase(r{status=\"error\"}[5m]))";
    let whole = "sum(increase(r[5m]))";
    for (text, is, threshold, expected) in [
        (format!("{part} / {whole}"), "<", 2.0, "always"),
        (format!("{part} / {whole}"), "<", 0.02, ""),
        (format!("{part} / {whole} * 100"), "<", 2.0, ""),
        (format!("({part}) / ({whole}) * 100"), "<=", 100.0, "always"),
        (format!("{part} / {part}"), "<", 1.0, "never"),
        (format!("1 - {part} / {whole}"), ">=", 0.0, "always"),
        ("avg(up)".to_owned(), ">", 1.0, "never"),
        ("avg(up)".to_owned(), ">=", 1.0, ""),
        ("sum(up) / count(up)".to_owned(), ">=", 50.0, "never"),
        ("sum(up) / count(up) * 100".to_owned(), ">=", 50.0, ""),
        ("sum(x) / count(x)".to_owned(), "<", 2.0, ""),
        ("min_over_time(probe_success[5m])".to_owned(), "==", 1.0, ""),
        ("probe_success".to_owned(), "==", 2.0, "never"),
        ("sum(a_seconds_sum) / sum(a_seconds_count)".to_owned(), "<", 2.0, ""),
        ("max(queue_age)".to_owned(), "<", 3600.0, ""),
        ("count(up)".to_owned(), ">", 0.0, "always"),
        ("count(up == 1)".to_owned(), ">=", 3.0, ""),
        ("sum(rate(a[5m]))".to_owned(), "<", 0.0, "never"),
        ("sum(rate(a[5m]))".to_owned(), "<", 100.0, ""),
        ("vector(0) or max(x)".to_owned(), "<=", 5.0, "always"),
        ("vector(0) or max by (a) (x)".to_owned(), "<=", 5.0, ""),
        ("max(x) or vector(0)".to_owned(), "<=", 5.0, ""),
        ("1 - sum(rate(a[5m])) / sum(rate(b[5m]))".to_owned(), ">", 99.0, "never"),
        ("1 - sum(rate(a[5m])) / sum(rate(b[5m]))".to_owned(), ">", 0.99, ""),
        ("sum(rate(err_total[5m])) / sum(rate(req_total[5m]))".to_owned(), "<", 5.0, "always"),
        ("sum(rate(err_total[5m])) / sum(rate(req_total[5m]))".to_owned(), "<", 0.05, ""),
        ("sum(rate(err_total[5m])) / sum(rate(req_total[5m])) * 100".to_owned(), "<", 5.0, ""),
        ("100 * sum(rate(err_total[5m])) / sum(rate(req_total[5m]))".to_owned(), "<", 5.0, ""),
        ("(sum(rate(a_errors[5m])) + sum(rate(b_errors[5m]))) / sum(rate(a[5m]))".to_owned(), "<", 2.0, "always"),
        ("(sum(rate(x_failed_total[5m])) or vector(0)) / sum(rate(y_total[5m]))".to_owned(), "<=", 2.0, "always"),
        ("sum(rate(ok{code=~\"5..\"}[5m])) / sum(rate(y_total[5m]))".to_owned(), ">", 2.0, "never"),
        ("sum(rate(db_queries_total[5m])) / sum(rate(http_requests_total[5m]))".to_owned(), "<", 20.0, ""),
        ("sum(rate(retries_failed_total[5m])) / sum(rate(http_requests_total[5m]))".to_owned(), "<", 2.0, ""),
        // The commonest spelling of a percentage is read from the left: (100 * a) / b.
        (format!("100 * {part} / {part}"), "<=", 5.0, "never"),
        (format!("{part} * 100 / {part}"), "<=", 5.0, "never"),
        (format!("100 * ({part} / {part})"), "<=", 5.0, "never"),
        (format!("{part} / ({part} / 100)"), "<=", 5.0, "never"),
        (format!("100 * {part} / ({part} > 0)"), "<=", 5.0, "never"),
        (format!("100 * ({part} or vector(0)) / {part}"), "<=", 5.0, "never"),
        (format!("100 * {part} / {whole}"), "<=", 200.0, "always"),
        (format!("100 * {part} / {whole}"), "<=", 5.0, ""),
        (format!("{part} / {whole} / 0.01"), "<=", 200.0, "always"),
        (format!("{part} / 0.01 / {whole}"), "<=", 2.0, ""),
        (format!("100 * {part} / clamp_min({part}, 1)"), "<=", 100.0, "always"),
        (format!("{whole} / {part}"), "<", 0.5, "never"),
        (format!("100 * {whole} / ({part} > 0)"), "<=", 5.0, "never"),
        (format!("{whole} / {part}"), "<", 20.0, ""),
        (format!("{whole} / clamp_min({part}, 1)"), "<", 0.5, ""),
        // What guards a division makes no other number of it.
        (format!("{part} / ({whole} > 0)"), "<=", 2.0, "always"),
        (format!("{part} / (0 < {whole})"), "<=", 2.0, "always"),
        (format!("{part} / ({whole} != 0)"), ">", 2.0, "never"),
        (format!("{part} / ({whole} > bool 0)"), "<=", 2.0, ""),
        (format!("{part} / clamp_min({whole}, 1)"), "<=", 5.0, "always"),
        (format!("{part} / clamp_max({whole}, 1)"), "<=", 5.0, ""),
        (format!("{part} / ({whole} or vector(1))"), "<=", 5.0, "always"),
        (format!("{part} / ({whole} + 1)"), "<=", 5.0, "always"),
        (format!("({part} or 0 * {whole}) / {whole}"), "<=", 5.0, "always"),
        (format!("({part} / ({whole} > 0)) or vector(0)"), "<=", 5.0, "always"),
        (format!("({part} / ({whole} > 0)) or vector(9)"), "<=", 5.0, ""),
        (format!("({part} / {whole}) and {whole} > 10"), "<=", 5.0, "always"),
        (format!("{part} / (sum(increase(ok[5m])) + {part})"), "<=", 5.0, "always"),
        (format!("{part} / ({part} + sum(increase(ok[5m])))"), "<=", 5.0, "always"),
        (format!("{part} / (sum(increase(ok[5m])) - {part})"), "<=", 5.0, ""),
        (format!("{part} / (sum(increase(ok[5m])) + sum(increase(other[5m])))"), "<=", 5.0, ""),
        (format!("({part} + {part}) / {whole}"), "<=", 1.0, ""),
        (format!("({part} + sum(increase(r{{status=\"lost\"}}[5m]))) / {whole}"), "<=", 1.0, "always"),
        ("sum(rate(err_total[5m])) / (sum(rate(req_total[5m])) > 0)".to_owned(), "<", 5.0, "always"),
        ("sum(rate(err_total[5m])) / clamp_min(sum(rate(req_total[5m])), 1) or vector(0)".to_owned(), "<", 5.0, "always"),
        ("100 * sum(rate(err_total[5m])) / (sum(rate(req_total[5m])) > 0)".to_owned(), "<", 5.0, ""),
        ("sum(rate(err_total[5m])) / (sum(rate(db_total[5m])) > 0)".to_owned(), "<", 0.5, ""),
        ("clamp_max(a / b, 1)".to_owned(), "<=", 5.0, "always"),
        ("clamp(a / b, 0, 1)".to_owned(), "<=", 0.5, ""),
        ("clamp_min(max(x), 2)".to_owned(), "<=", 1.0, "never"),
        ("0 < max(x)".to_owned(), "<", 5.0, ""),
        ("clamp_min(max(x), NaN)".to_owned(), "<", 5.0, ""),
    ] {
        let used = Use::Window { is: Comparison::parse(is).map(|is| (is, threshold)) };
        let checked = read(&text, used).expect("it loads");
        let told = checked
            .advice
            .iter()
            .find(|finding| finding.code.id == "W2084")
            .map_or("", |finding| if finding.message.contains("always") { "always" } else { "never" });
        assert_eq!(told, expected, "{text} {is} {threshold}");
    }
}

#[test]
fn a_quantile_is_advised_to_be_a_share_of_requests() {
    let text = "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))";
    assert_eq!(advice(text, WINDOW), ["W2085"]);
}

proptest::proptest! {
    #[test]
    fn no_text_panics_and_what_is_sent_is_a_fixed_point(
        text in "\\PC{0,80}",
        promql in "((sum|rate|up|x|by|on|or|and|offset|vector|5m|1|2.5|\\(|\\)|\\[|\\]|\\{|\\}|,|/|\\*|-|\\+|=|==|@|\"a\"|a=\"b\") ?){0,24}",
    ) {
        for text in [&text, &promql] {
            if let Ok(checked) = read(text, WINDOW) {
                let sent = checked.expression.to_string();
                if checked.advice.iter().all(|finding| finding.code.id != "W2080") {
                    proptest::prop_assert_eq!(read(&sent, WINDOW).map(|again| again.expression.to_string()), Ok(sent));
                }
            }
        }
    }
}

#[test]
fn a_long_chain_is_read_in_no_time_whatever_its_operators() {
    // What looks at a side twice at each level would never end.
    for op in ["*", "/", "+", "-", "or", "and", "unless", "<"] {
        let chain = vec!["up"; 50].join(&format!(" {op} "));
        assert!(read(&chain, WINDOW).is_ok(), "{op}");
    }
    for op in ["*", "/", "+", "-", "or", "and", "unless", "<", "+ 2 *", "/ 2 /", "/ 2 *"] {
        let nested = format!("{}up{}", format!("up {op} (").repeat(20), ")".repeat(20));
        assert!(read(&nested, Use::Window { is: Some((Comparison::Less, 5.0)) }).is_ok(), "{op}");
    }
}
