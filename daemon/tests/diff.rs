//! `burnward diff` of files and git revisions, as a person calls it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const DOCUMENT: &str = "version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events: { bad: 'e{code=\"500\"}', total: 'e' }
    objectives: [{ target: 99.5%, window: 30d, alerting: ticket }]
";

fn run(directory: &Path, program: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    // Neither the machine's git configuration nor a repository around the directory has a say.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CEILING_DIRECTORIES", std::env::temp_dir());
    command.current_dir(directory).args(args).output().expect("it runs")
}

fn diff(directory: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = run(directory, env!("CARGO_BIN_EXE_burnward"), &[&["diff"], args].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn git(directory: &Path, args: &[&str]) {
    let output = run(directory, "git", &[&["-c", "user.name=Ada", "-c", "user.email=ada@example.com"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a path below the directory")).expect("a directory");
    fs::write(path, text).expect("a file");
}

#[test]
fn what_a_branch_changes_is_told_against_a_git_revision() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path();
    git(directory, &["init", "-q", "-b", "main"]);
    write(directory, "slo-definitions/checkout.yaml", DOCUMENT);
    write(directory, "slo-definitions/old.yaml", &DOCUMENT.replace("checkout", "old"));
    write(directory, "slo-definitions/.hidden.yaml", "not: [yaml");
    write(directory, "slo-definitions/README.md", "# not a definition");
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "first"]);
    assert_eq!(diff(directory, &["--against", "main"]), (Some(0), "No SLO differs.\n".to_owned(), String::new()));

    write(directory, "slo-definitions/checkout.yaml", &DOCUMENT.replace("99.5%", "99.9%"));
    fs::remove_file(directory.join("slo-definitions/old.yaml")).unwrap();
    let (code, told, talk) = diff(directory, &["--against", "HEAD"]);
    assert_eq!((code, talk.as_str()), (Some(1), ""));
    let expected = "~ checkout/availability   slo-definitions/checkout.yaml:5
    objectives.30d.target   99.5% -> 99.9%
- old/availability   slo-definitions/old.yaml:5
    tickets   team payments -> nobody
2 SLOs: 1 changed, 0 added, 1 removed.
";
    assert_eq!(told, expected);
    let (_, of_one_file, _) = diff(directory, &["slo-definitions/checkout.yaml", "--against", "main"]);
    assert!(of_one_file.ends_with("1 SLO: 1 changed, 0 added, 0 removed.\n"), "{of_one_file}");
    let (_, from_below, _) = diff(&directory.join("slo-definitions"), &[".", "--against", "main"]);
    assert!(from_below.contains("~ checkout/availability   ./checkout.yaml:5\n"), "{from_below}");

    // A revision that does not load by the rules of today is a note, and not a refusal.
    write(directory, "slo-definitions/bad.yaml", &DOCUMENT.replace("checkout", "bad").replace("99.5%", "100%"));
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "second"]);
    fs::remove_file(directory.join("slo-definitions/bad.yaml")).unwrap();
    let (code, _, talk) = diff(directory, &["--against", "main"]);
    assert_eq!(code, Some(0), "{talk}");
    assert!(talk.contains("does not load, and counts as new"), "{talk}");
}

#[test]
fn two_directories_are_compared_and_written_for_programs_and_pull_requests() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "a/checkout.yaml", DOCUMENT);
    write(root.path(), "b/renamed.yaml", &DOCUMENT.replace("99.5%", "99.9%"));
    let (code, json, _) = diff(root.path(), &["b", "--against", "a", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((code, told["changes"][0]["facts"][0]["after"].as_str()), (Some(1), Some("99.9%")), "{told}");
    let (code, markdown, _) = diff(root.path(), &["b", "--against", "a", "-o", "md"]);
    assert!(code == Some(1) && markdown.contains("| objectives.30d.target | 99.5% -> 99.9% |"), "{markdown}");
}

#[test]
fn what_cannot_be_compared_is_said_with_what_to_do_and_exit_code_2() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path();
    write(directory, "slo-definitions/checkout.yaml", DOCUMENT);
    let cases: [(&[&str], &str); 5] = [
        (&["nowhere.yaml", "--against", "slo-definitions"], "there is no nowhere.yaml"),
        (&["--against", "v1.2"], "`v1.2` is neither `running`, nor a path, nor a revision of the git repository of slo-definitions"),
        (&["--against=--upload-pack=x"], "`--upload-pack=x` is neither"),
        (&["--server", "http://127.0.0.1:9"], "is `burnward run` running there?"),
        (&["--tenant", "acme", "--against", "slo-definitions"], "the configuration has no tenant acme"),
    ];
    for (args, expected) in cases {
        let (code, told, talk) = diff(directory, args);
        assert!(code == Some(2) && told.is_empty() && talk.contains(expected), "{args:?}: {code:?} {told}{talk}");
    }
    write(directory, "slo-definitions/broken.yaml", "version: burnward/v1\n");
    let (code, told, talk) = diff(directory, &["--against", "slo-definitions/checkout.yaml"]);
    assert!(code == Some(2) && told.is_empty(), "{told}");
    assert!(talk.contains("slo-definitions/broken.yaml does not load: see `burnward check slo-definitions/broken.yaml`"), "{talk}");
}

const CONFIG: &str = "version: burnward/v1
operators: { channel: \"#ops\", escalation: [{ page: [\"#ops\"] }] }
tick: 1m
sources: { prom: { prometheus: { url: \"http://127.0.0.1:9\" } } }
tenants: { main: { slo-definitions: [slo-definitions], source: prom } }
people: { ada: { email: ada@example.com } }
teams: { payments: { channel: \"#pay\", escalation: [{ page: [ada], acknowledge-within: 5m }] } }
";

/// Ten requests a second over nine hours from 2025-11-04T00:00:00Z on; a fifth of them fails for ten minutes from each of these minutes on.
fn recorded(failures: &[u32]) -> String {
    const START: u32 = 1_762_214_400;
    let mut lines = vec!["# TYPE e counter".to_owned()];
    let (mut good, mut bad) = (0, 0);
    for second in (0..=9 * 3600).step_by(15) {
        lines.push(format!("e_total{{job=\"shop\",instance=\"a\",code=\"200\"}} {good} {}", START + second));
        lines.push(format!("e_total{{job=\"shop\",instance=\"a\",code=\"500\"}} {bad} {}", START + second));
        let fails = failures.iter().any(|minute| (minute * 60..minute * 60 + 600).contains(&second));
        let failed = if fails { 30 } else { 0 };
        (good, bad) = (good + 150 - failed, bad + failed);
    }
    lines.push("# TYPE up gauge".to_owned());
    lines.extend((0..=9 * 3600).step_by(15).map(|second| format!("up{{job=\"shop\",instance=\"a\"}} 1 {}", START + second)));
    lines.push("# EOF\n".to_owned());
    lines.join("\n")
}

/// A repository whose working tree pages where its `main` opens tickets, with a history beside it.
fn changed() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let directory = root.path();
    git(directory, &["init", "-q", "-b", "main"]);
    let document = DOCUMENT.replace("'e{", "'e_total{").replace("'e'", "e_total");
    write(directory, "slo-definitions/checkout.yaml", &document);
    write(directory, "slo-definitions/basket.yaml", &document.replace("checkout", "basket"));
    write(directory, "burnward.yaml", CONFIG);
    write(directory, "history.om", &recorded(&[60, 240, 480]));
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "first"]);
    write(directory, "slo-definitions/checkout.yaml", &document.replace("99.5%, window: 30d, alerting: ticket", "99.9%, window: 30d"));
    root
}

#[test]
fn what_a_change_would_have_paged_is_told_over_a_recorded_history() {
    let root = changed();
    let directory = root.path();
    let report = "reports: [{ error-budget: week, team: payments, cron: \"0 9 * * MON\", timezone: Europe/Berlin, to: \"#pay\" }]\n";
    write(directory, "burnward.yaml", &format!("{CONFIG}{report}"));
    let asked = ["--against", "main", "--backtest", "30d", "--recorded", "history.om"];
    let (code, told, talk) = diff(directory, &asked);
    assert_eq!(code, Some(1), "{talk}");
    insta::assert_snapshot!("effect_text", told);
    assert!(include_str!("../../docs/backtest.md").contains(&told), "docs/backtest.md shows it");
    let (code, told, _) = diff(directory, &[&asked[..], &["-o", "md"]].concat());
    assert_eq!(code, Some(1));
    insta::assert_snapshot!("effect_markdown", told);
    let (_, told, _) = diff(directory, &[&asked[..], &["-o", "json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let effect = &told["changes"][0]["effect"];
    assert_eq!((&effect["before"]["pages"], &effect["after"]["pages"], &effect["after"]["at_night"]), (&0.into(), &3.into(), &2.into()));
    assert_eq!(effect["after"]["people"], serde_json::json!([{ "person": "ada", "pages": 3 }]));
    assert_eq!(told["backtest"]["sum"]["after"]["pages"], 3);
    assert_eq!(told["backtest"]["night_timezones"], serde_json::json!(["Europe/Berlin"]));
}

/// An SLO that is new, and one whose new rows hold: both decide from their history as soon as they are there.
#[test]
fn a_change_that_would_page_at_once_is_told() {
    let root = changed();
    let directory = root.path();
    write(directory, "history.om", &recorded(&[60, 533]));
    let document = fs::read_to_string(directory.join("slo-definitions/checkout.yaml")).expect("a document");
    write(directory, "slo-definitions/cart.yaml", &document.replace("checkout", "cart"));
    let asked = ["--against", "main", "--backtest", "30d", "--recorded", "history.om"];
    let (_, told, talk) = diff(directory, &asked);
    let at_once: Vec<&str> = told.lines().filter_map(|line| line.trim().strip_prefix("at once ")).map(str::trim).collect();
    assert_eq!(at_once, ["page 14.4x 1h/5m holds at the end: applied then, it would page at once"; 2], "{told}{talk}");
    let (_, told, _) = diff(directory, &[&asked[..], &["-o", "md"]].concat());
    assert_eq!(told.matches("| at once | page 14.4x 1h/5m holds at the end").count(), 2, "{told}");
    // One that pages already goes on.
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "both page"]);
    write(directory, "slo-definitions/checkout.yaml", &document.replace("99.9%, window: 30d", "99.8%, window: 30d"));
    let (code, told, _) = diff(directory, &asked);
    assert!(code == Some(1) && told.contains("99.8%") && !told.contains("at once"), "{told}");
}

/// Timestamps in milliseconds, and two samples with a generation between them.
#[test]
fn a_recorded_history_that_would_never_end_is_refused() {
    let root = changed();
    let directory = root.path();
    let file = |text: &str| write(directory, "odd.om", &format!("# TYPE e counter\n{text}# EOF\n"));
    let backtest = |args: &[&str]| {
        let output = run(directory, env!("CARGO_BIN_EXE_burnward"), &[&["backtest", "checkout", "--recorded", "odd.om"], args].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    file("e_total 1 1762214400000\n");
    let (code, said) = backtest(&[]);
    assert!(
        code == Some(2) && said.contains("odd.om: line 2: the timestamp 1762214400000 is not between 2000-01-01T00:00:00Z and "),
        "{said}"
    );
    let (code, _, said) = diff(directory, &["--against", "main", "--backtest", "30d", "--recorded", "odd.om"]);
    assert!(code == Some(2) && said.contains("write seconds since 1970"), "{said}");
    file("e_total 1 1762214400\n");
    let (code, said) = backtest(&[]);
    let why = "burnward: all samples of the file are of 2025-11-04T00:00:00Z, and a span needs a beginning and an end\n";
    assert_eq!((code, said.as_str()), (Some(2), why));
    file("e_total 1 1762214400\ne_total 2 1762218000\n");
    let (code, said) = backtest(&["--from", "2025-12-01T00:00:00Z"]);
    let why = "burnward: the file holds samples from 2025-11-04T00:00:00Z to 2025-11-04T01:00:00Z, and none after 2025-12-01T00:00:00Z\n";
    assert_eq!((code, said.as_str()), (Some(2), why));
    file("e_total 1 1000000000\ne_total 2 1762214400\n");
    let (code, said) = backtest(&[]);
    let why = "burnward: 2001-09-09T01:46:40Z to 2025-11-04T00:00:00Z is 8821 days, and at most 10,000,000 ticks of 1m are lived through: choose a part of it by --last, or by --from and --to\n";
    assert_eq!((code, said.as_str()), (Some(2), why));
    assert_eq!(backtest(&["--last", "1h"]).0, Some(0));
    let (_, said) = backtest(&["--last", "1h", "--what-if", "900=10", "--what-if", "target=99"]);
    assert!(
        said.starts_with("note: --what-if, row 900x at 10x: no row has this burn rate, so nothing is changed; there are ")
            && said.lines().count() == 1,
        "{said}"
    );
}

/// A recorded file holds series, and no values of expressions: those SLOs stay out of what is lived through, and nothing is blind for them.
#[test]
fn expressions_stay_out_of_a_recorded_history_with_a_word() {
    let root = changed();
    let directory = root.path();
    let alone = run(directory, env!("CARGO_BIN_EXE_burnward"), &["backtest", "checkout", "--recorded", "history.om"]);
    let sum = "version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n  - name: sum\n    sli: { query: { bad: 'sum(increase(a[1m]))', total: 'sum(increase(b[1m]))' } }\n    objectives: [{ target: 99%, window: 30d }]\n";
    write(directory, "slo-definitions/sum.yaml", sum);
    let beside = run(directory, env!("CARGO_BIN_EXE_burnward"), &["backtest", "checkout", "--recorded", "history.om"]);
    let left_out = "Left out, because samples of text do not show it: checkout/sum (expressions need a source that evaluates them).\n";
    let without = String::from_utf8_lossy(&beside.stdout).replacen(left_out, "", 1);
    assert_eq!(without, String::from_utf8_lossy(&alone.stdout), "but for that line all is the same");
    assert_ne!(beside.stdout, alone.stdout);
    let json = run(directory, env!("CARGO_BIN_EXE_burnward"), &["backtest", "checkout", "--recorded", "history.om", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(told["tenants"][0]["slos_left_out"][0]["slo"], "checkout/sum", "{told}");
    let note = "note: left out, because samples of text do not show it: checkout/sum (expressions need a source that evaluates them)";
    let only = run(directory, env!("CARGO_BIN_EXE_burnward"), &["backtest", "checkout/sum", "--recorded", "history.om"]);
    assert!(String::from_utf8_lossy(&only.stderr).contains("no SLO is left that the file can show"));
    let (code, told, talk) = diff(directory, &["--against", "main", "--backtest", "30d", "--recorded", "history.om"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(talk.contains(note), "{talk}");
    assert!(told.contains("pages 0 -> 3") && !told.contains("cannot see"), "{told}");
    assert!(told.contains("   not lived through: expressions need a source that evaluates them\n"), "{told}");
    // A comment on a pull request says it, too.
    let asked = ["--against", "main", "--backtest", "30d", "--recorded", "history.om"];
    let (_, told, _) = diff(directory, &[&asked[..], &["-o", "md"]].concat());
    assert!(told.contains("| backtest | not lived through: expressions need a source that evaluates them |"), "{told}");
    assert!(told.contains("Left out, because samples of text do not show it: checkout/sum (expressions "), "{told}");
    let (_, told, _) = diff(directory, &[&asked[..], &["-o", "json"]].concat());
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let sum = &told["changes"][1];
    assert_eq!((&sum["slo"], &sum["effect"]), (&"main:checkout/sum".into(), &serde_json::Value::Null), "{told}");
    assert_eq!(sum["not_lived_through"], "expressions need a source that evaluates them");
}

/// An SLO whose new version a file does not show is left out of the old side, too: otherwise its pages would seem to go.
#[test]
fn what_one_side_alone_could_live_through_is_left_out_of_both() {
    let root = changed();
    let directory = root.path();
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "pages"]);
    let document = fs::read_to_string(directory.join("slo-definitions/checkout.yaml")).expect("a document");
    let events = "events: { bad: 'e_total{code=\"500\"}', total: e_total }";
    assert!(document.contains(events), "{document}");
    let query = "query: { bad: 'sum(increase(e_total{code=\"500\"}[1m]))', total: 'sum(increase(e_total[1m]))' }";
    write(directory, "slo-definitions/checkout.yaml", &document.replace(events, query));
    let asked = ["--against", "main", "--backtest", "30d", "--recorded", "history.om"];
    let (code, told, talk) = diff(directory, &asked);
    assert_eq!(code, Some(1), "{talk}");
    assert!(told.contains("not lived through: expressions need a source that evaluates them\n"), "{told}");
    assert!(!told.contains("pages 3 -> 0"), "{told}");
    // Of a version of which there is no sample nobody knows either, whatever the other one would have told.
    write(directory, "slo-definitions/checkout.yaml", &document.replace("e_total", "renamed_total"));
    let (code, told, talk) = diff(directory, &asked);
    assert_eq!(code, Some(1), "{talk}");
    assert!(told.contains("   not lived through: there is no sample of one of its versions in history.om\n"), "{told}");
    assert!(!told.contains("pages 3 -> 0"), "{told}");
}

/// A new service, before it has run anywhere: the difference is told, and that nobody knows what it does.
#[test]
fn a_service_without_a_sample_is_told_without_an_effect() {
    let root = changed();
    let directory = root.path();
    git(directory, &["checkout", "-q", "slo-definitions"]);
    write(
        directory,
        "slo-definitions/new.yaml",
        &DOCUMENT.replace("checkout", "new").replace("'e", "'new_total").replace("total: 'e'", "total: new_total"),
    );
    let asked = ["--against", "main", "--backtest", "30d", "--recorded", "history.om"];
    let (code, told, talk) = diff(directory, &asked);
    assert_eq!(code, Some(1), "{talk}");
    assert!(talk.contains("note: Left out, because there is no sample of it in history.om in this time: new/availability.\n"), "{talk}");
    assert!(told.contains("   not lived through: there is no sample of it in history.om\n"), "{told}");
    assert!(told.ends_with("1 SLO: 0 changed, 1 added, 0 removed.\n"), "{told}");
}

/// What nobody could have been paged for is not missed, and a name that nothing has is a mistake as it is in a document.
#[test]
fn marked_incidents_are_of_slos_that_there_are_and_missed_only_where_they_could_be_found() {
    let root = changed();
    let directory = root.path();
    let ask = |incidents: &str, args: &[&str]| {
        write(directory, "incidents.yaml", &format!("version: burnward/v1\nincidents:\n{incidents}"));
        let fixed = ["backtest", "--recorded", "history.om", "--incidents", "incidents.yaml"];
        let output = run(directory, env!("CARGO_BIN_EXE_burnward"), &[&fixed[..], args].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let incident = |name: &str, of: &str, day: u32| {
        format!("  - {{ name: {name}, {of}, from: 2025-11-{day:02}T01:00:00Z, to: 2025-11-{day:02}T01:10:00Z }}\n")
    };
    let three =
        incident("a", "slo: checkout/availability", 4) + &incident("b", "service: basket", 4) + &incident("c", "service: checkout", 5);
    let (code, told, talk) = ask(&three, &["checkout"]);
    assert_eq!(code, Some(0), "{talk}");
    let expected = "Of 1 marked incident: 1 found in time, 0 late, 0 missed; 2 pages for none of them. Precision 33 %, recall 100 %.
  a at 2025-11-04T01:00:00Z: paged after 5 min
1 more marked incident of another time, and not counted here.
1 more marked incident of SLOs that were not lived through, and not counted here.
";
    assert!(told.contains(expected), "{told}");
    let (_, told, _) = ask(&three, &["checkout", "-o", "md"]);
    assert!(told.contains("- 1 more marked incident of SLOs that were not lived through, and not counted here.\n"), "{told}");
    let (_, told, _) = ask(&three, &["checkout", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    let score = &told["tenants"][0]["runs"][0]["score"];
    assert_eq!(
        (&score["incidents_of_another_time"], &score["incidents_of_other_slos"], &score["missed"]),
        (&1.into(), &1.into(), &0.into())
    );

    let (code, _, talk) = ask(&(incident("a", "slo: checkout/availabilty", 4) + &incident("b", "service: chekout", 4)), &[]);
    assert_eq!(code, Some(2), "{talk}");
    assert!(talk.contains("there is no SLO `checkout/availabilty`") && talk.contains("did you mean `checkout/availability`?"), "{talk}");
    assert!(talk.contains("no SLO is of a service `chekout`") && talk.contains("did you mean `checkout`?"), "{talk}");
    // Documents that are named beside those of burnward.yaml make no other SLO unknown.
    assert_eq!(ask(&three, &["--definitions", "slo-definitions/checkout.yaml"]).0, Some(0));
    let (code, _, talk) = ask(&three, &["checkout/availability", "nosuch"]);
    assert_eq!((code, talk.as_str()), (Some(2), "burnward: there is no SLO nosuch; `burnward check` tells what loads\n"));
    let (code, _, talk) = ask(&three, &["--tenant", "acmee"]);
    assert_eq!((code, talk.as_str()), (Some(2), "burnward: the configuration has no tenant acmee\n"));
}

/// All is seen, and nothing happens: the daemon calls that by its name, and so does what is replayed.
#[test]
fn a_ticket_of_no_traffic_is_called_that_in_a_backtest() {
    let root = changed();
    let directory = root.path();
    let rare = "version: burnward/v1\nservice: infra\nteam: payments\nslos:\n  - name: rare\n    sli: { events: { bad: 'rare_total{code=\"500\"}', total: rare_total } }\n    objectives: [{ target: 99%, window: 30d, alerting: ticket }]\n    no-traffic: { then: tell-owner, after: 2h }\n";
    write(directory, "slo-definitions/rare.yaml", rare);
    let quiet = recorded(&[60, 240, 480]).replace("e_total{", "rare_total{").replace("# TYPE e ", "# TYPE rare ");
    let quiet: Vec<String> = quiet.lines().map(|line| if line.starts_with("rare_total") { still(line) } else { line.to_owned() }).collect();
    write(directory, "quiet.om", &(quiet.join("\n") + "\n"));
    let told = run(directory, env!("CARGO_BIN_EXE_burnward"), &["backtest", "infra", "--recorded", "quiet.om"]);
    let (told, talk) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.contains("ticket: no traffic") && told.contains("; 1 message that there is no traffic."), "{told}{talk}");
    assert!(!told.contains("cannot"), "{told}");
    // The effect of a change calls a ticket what the backtest calls one.
    let (code, told, talk) = diff(directory, &["--against", "main", "--backtest", "30d", "--recorded", "quiet.om"]);
    assert_eq!(code, Some(1), "{talk}");
    let effect = "   pages 0 -> 0; tickets 0 -> 0; messages of missing data or traffic 0 -> 1\n";
    assert!(told.contains(effect), "{told}");
    assert!(told.contains("   not lived through: there is no sample of it in quiet.om\n"), "{told}");
}

/// The same sample with a value that never changes.
fn still(line: &str) -> String {
    let fields: Vec<&str> = line.split(' ').collect();
    format!("{} 7 {}", fields[0], fields[2])
}

#[test]
fn without_a_zone_night_is_that_of_utc_and_without_a_difference_nothing_is_lived_through() {
    let root = changed();
    let directory = root.path();
    let asked = ["--against", "main", "--backtest", "4h", "--recorded", "history.om"];
    let (code, told, talk) = diff(directory, &asked);
    assert_eq!(code, Some(1), "{talk}");
    assert!(told.contains("backtest                  pages 0 -> 1, for ada; "), "the last four hours hold one burn by day: {told}");
    let night = "Night is 22:00 to 07:00 UTC for payments, whose time zone no report in burnward.yaml says.\n";
    assert!(told.contains(night), "{told}");
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "second"]);
    assert_eq!(diff(directory, &asked), (Some(0), "No SLO differs.\n".to_owned(), String::new()));
    let (code, _, talk) = diff(directory, &["--against", "HEAD~1", "--backtest", "30d"]);
    assert_eq!(code, Some(2), "{talk}");
    assert!(talk.contains("the history could not be read to the end"), "{talk}");
    let (code, _, talk) = diff(directory, &["--against", "main", "--backtest", "soon"]);
    assert_eq!((code, talk.contains("--backtest=soon")), (Some(2), true), "{talk}");
}

/// A comment on a pull request must not promise a page that nobody will get.
#[test]
fn a_document_that_does_not_load_is_told_with_its_mistake_and_what_stays_in_force() {
    let root = changed();
    let directory = root.path();
    let document = fs::read_to_string(directory.join("slo-definitions/checkout.yaml")).expect("a document");
    write(directory, "slo-definitions/checkout.yaml", &document.replace("team: payments", "team: paymnts"));
    write(directory, "slo-definitions/new.yaml", &document.replace("service: checkout", "service: new").replace("payments", "nobody"));
    let (code, told, talk) = diff(directory, &["--against", "main"]);
    assert!(code == Some(2) && told.is_empty(), "{told}");
    insta::assert_snapshot!("does_not_load", talk);
    let (code, told, _) = diff(directory, &["--against", "main", "-o", "md"]);
    assert_eq!(code, Some(2));
    assert!(told.starts_with("### SLO documents that do not load\n\n`````text\nerror[E1023]: there is no team `paymnts`\n"), "{told}");
    assert!(told.contains("\n`````\n\nOf slo-definitions/checkout.yaml what loaded before stays in force"), "{told}");
    let (code, told, _) = diff(directory, &["--against", "main", "-o", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["mistakes"][0]["code"]), (Some(2), &"E1023".into()));
    let expected = serde_json::json!([
        { "file": "slo-definitions/checkout.yaml", "slos_in_force": ["checkout/availability"] },
        { "file": "slo-definitions/new.yaml", "slos_in_force": [] },
    ]);
    assert_eq!(told["does_not_load"], expected);
    // Of other files likewise, and of one file alone.
    write(directory, "before/checkout.yaml", &document);
    let (code, told, talk) = diff(directory, &["slo-definitions/checkout.yaml", "--against", "before"]);
    assert!(code == Some(2) && told.is_empty(), "{told}");
    assert!(talk.contains("error[E1023]") && talk.contains("stays in force where it runs: checkout/availability."), "{talk}");
}

/// Who is paged stands in burnward.yaml, and that of the revision is the one that was in force there.
#[test]
fn a_revision_is_read_by_its_own_configuration() {
    let root = changed();
    let directory = root.path();
    let later = CONFIG
        .replace(
            "people: { ada: { email: ada@example.com } }",
            "people: { ada: { email: ada@example.com }, ben: { email: ben@example.com } }",
        )
        .replace("{ page: [ada], acknowledge-within: 5m }", "{ page: [ben], acknowledge-within: 5m }, { page: [ada] }");
    write(directory, "burnward.yaml", &later);
    let (code, told, talk) = diff(directory, &["--against", "main"]);
    assert_eq!((code, talk.as_str()), (Some(1), ""), "{told}");
    let team = "~ team payments\n    escalation   ada within 5 min -> ben within 5 min, then ada within 5 min\n";
    assert!(told.contains(team) && told.contains("\nPaged that were not before: ben.\n"), "{told}");
    assert!(told.contains("    pages                     nobody -> ben\n"), "{told}");
    assert!(told.ends_with("1 SLO: 1 changed, 0 added, 0 removed; 1 team differs.\n"), "{told}");

    // Each side calls whom it called then.
    git(directory, &["checkout", "-q", "slo-definitions"]);
    let pages = fs::read_to_string(directory.join("slo-definitions/checkout.yaml"))
        .expect("a document")
        .replace("99.5%, window: 30d, alerting: ticket", "99.9%, window: 30d");
    write(directory, "slo-definitions/checkout.yaml", &pages);
    git(directory, &["add", "slo-definitions"]);
    git(directory, &["commit", "-q", "-m", "pages"]);
    let asked = ["--against", "main", "--backtest", "30d", "--recorded", "history.om", "-o", "json"];
    let (code, told, talk) = diff(directory, &asked);
    let told: serde_json::Value = serde_json::from_str(&told).expect(&talk);
    let (before, after) = (&told["backtest"]["sum"]["before"]["people"], &told["backtest"]["sum"]["after"]["people"]);
    assert_eq!((code, &told["changes"]), (Some(1), &serde_json::json!([])), "no SLO says anything else");
    assert_eq!((&before[0]["person"], &after[0]["person"]), (&"ada".into(), &"ben".into()), "{told}");

    // A tenant, its directory and its templates as they were there.
    let moved = later.replace("slo-definitions: [slo-definitions]", "slo-definitions: [elsewhere]");
    write(directory, "burnward.yaml", &moved);
    fs::rename(directory.join("slo-definitions"), directory.join("elsewhere")).expect("it moves");
    let (_, told, _) = diff(directory, &["--against", "main"]);
    assert!(told.ends_with("No SLO differs; 1 team differs.\n"), "{told}");
    // One that does not load by the rules of today is told of, and today's is taken.
    write(directory, "burnward.yaml", "version: burnward/v1\ntick: never\n");
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "broken"]);
    write(directory, "burnward.yaml", &moved);
    let (code, told, talk) = diff(directory, &["--against", "main"]);
    assert_eq!((code, told.as_str()), (Some(0), "No SLO differs.\n"), "{talk}");
    assert!(talk.contains("note: of main today's burnward.yaml is taken, because there the configuration does not load"), "{talk}");
}

#[test]
fn an_edit_of_a_template_is_told_of_each_slo_that_is_made_of_it_also_for_one_file() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path();
    git(directory, &["init", "-q", "-b", "main"]);
    let template = DOCUMENT
        .replace("service: checkout", "template: web@1\nparameters: { job: { type: label-value } }")
        .replace("'e{code", "'e{job=\"$(job)\", code")
        .replace("total: 'e'", "total: 'e{job=\"$(job)\"}'");
    let instance = |service: &str| format!("version: burnward/v1\nfrom: web\nservice: {service}\nwith: {{ job: {service} }}\n");
    write(directory, "slo-definitions/web.yaml", &template);
    write(directory, "slo-definitions/a.yaml", &instance("a"));
    write(
        directory,
        "slo-definitions/b.yaml",
        &(instance("b") + "overrides: { availability: { objectives: { 30d: { target: 98% } } } }\n"),
    );
    git(directory, &["add", "-A"]);
    git(directory, &["commit", "-q", "-m", "first"]);
    assert_eq!(diff(directory, &["--against", "main"]), (Some(0), "No SLO differs.\n".to_owned(), String::new()));

    write(directory, "slo-definitions/web.yaml", &template.replace("99.5%", "99.9%"));
    let (code, told, talk) = diff(directory, &["--against", "main"]);
    assert_eq!((code, talk.as_str()), (Some(1), ""), "{told}");
    assert!(told.contains("~ a/availability") && told.contains("99.5%") && !told.contains("b/availability"), "{told}");
    let (code, one, _) = diff(directory, &["--against", "main", "slo-definitions/a.yaml"]);
    assert_eq!((code, one.contains("~ a/availability")), (Some(1), true), "a file alone finds its template then and now: {one}");
}
