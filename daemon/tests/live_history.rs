//! `burnward backtest` and `burnward diff --backtest` over the history of a real Prometheus that is younger than what is asked for, as a person calls them.
//! `prometheus`, `promtool` and `victoria-metrics` must be on the path.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::{Command, Output},
};

use burnward_core::words;
use burnward_stand_ins::prometheus::{Real, Victoria, backfill};
use jiff::Timestamp;
use serde_json::Value;

/// SLOs of a metric that is as old as the source, of one that came later (by its samples and by an expression), of both together, and of one that there is not.
const DOCUMENT: &str = "version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli: { events: { bad: 'e_total{code=\"500\"}', total: e_total } }
    objectives: [{ target: 99.9%, window: 30d }]
  - name: fresh
    sli: { events: { bad: 'fresh_total{code=\"500\"}', total: fresh_total } }
    objectives: [{ target: 99.9%, window: 30d }]
  - name: sum
    sli: { query: { bad: 'sum(increase(fresh_total{code=\"500\"}[5m]))', total: 'sum(increase(fresh_total[5m]))', step: 1m } }
    objectives: [{ target: 99.9%, window: 30d }]
  - name: journey
    sli:
      composite:
        all-of:
          - { slo: checkout/availability, good-if-at-least: 50% }
          - { slo: checkout/fresh, good-if-at-least: 50% }
    objectives: [{ target: 99.9%, window: 30d }]
  - name: nowhere
    sli: { events: { bad: 'nothing_total{code=\"500\"}', total: nothing_total } }
    objectives: [{ target: 99.9%, window: 30d }]
";

fn config(url: &str) -> String {
    format!(
        "version: burnward/v1
operators: {{ channel: \"#ops\", escalation: [{{ page: [\"#ops\"] }}] }}
tick: 1m
sources: {{ prom: {{ prometheus: {{ url: \"{url}\" }} }} }}
tenants: {{ main: {{ slo-definitions: [slo-definitions], source: prom }} }}
people: {{ ada: {{ email: ada@example.com }} }}
teams: {{ payments: {{ channel: \"#pay\", escalation: [{{ page: [ada], acknowledge-within: 5m }}] }} }}
reports: [{{ error-budget: week, team: payments, cron: \"0 9 * * MON\", timezone: UTC, to: \"#pay\" }}]
"
    )
}

/// How long ago that is in whole days, as it is told: `2 d`, and `3 d` in the last half hour of a day.
fn days_since(from: i64) -> String {
    let told = words::seconds(Timestamp::now().as_second() - from);
    told.split_inclusive(" d").next().unwrap_or_default().to_owned()
}

/// Midnight two days ago, in seconds.
fn beginning() -> i64 {
    let now = Timestamp::now().as_second();
    now - now % 86_400 - 2 * 86_400
}

fn moment(second: i64) -> String {
    Timestamp::from_second(second).expect("a year that can be written").to_string()
}

/// Ten requests a second from midnight two days ago up to now, scraped each minute. A fifth of them fails for ten minutes from 01:00, 04:00 and 13:00 of the
/// first day on. At noon a second metric is new. From 20:00 on nothing is scraped for 20 minutes.
fn history(from: i64) -> String {
    let end = Timestamp::now().as_second();
    let scrapes: Vec<i64> = (from..end).step_by(60).filter(|at| !(72_000..73_200).contains(&(at - from))).collect();
    let mut text = String::new();
    for (metric, born) in [("e", 0), ("fresh", 43_200)] {
        writeln!(text, "# TYPE {metric} counter").expect("a String");
        for code in ["200", "500"] {
            for at in scrapes.iter().map(|at| at - from).filter(|at| *at >= born) {
                let failing: i64 = [1, 4, 13].iter().map(|hour| (at - hour * 3600).clamp(0, 600)).sum();
                let failed = if metric == "e" { failing * 2 } else { 0 };
                let count = if code == "500" { failed } else { at * 10 - failed };
                writeln!(text, "{metric}_total{{job=\"shop\",instance=\"a\",code=\"{code}\"}} {count} {}", from + at).expect("a String");
            }
        }
    }
    text += "# TYPE up gauge\n";
    for at in &scrapes {
        writeln!(text, "up{{job=\"shop\",instance=\"a\"}} 1 {at}").expect("a String");
    }
    text + "# EOF\n"
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a path below the directory")).expect("a directory");
    fs::write(path, text).expect("a file");
}

fn run(directory: &Path, program: &str, args: &[&str]) -> Output {
    let mut command = Command::new(program);
    // Neither the machine's git configuration nor a repository around the directory has a say.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CEILING_DIRECTORIES", std::env::temp_dir());
    command.current_dir(directory).args(args).output().expect("it runs")
}

fn told(directory: &Path, args: &[&str], code: i32) -> String {
    let output = run(directory, env!("CARGO_BIN_EXE_burnward"), args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

fn json(directory: &Path, args: &[&str], code: i32) -> Value {
    serde_json::from_str(&told(directory, &[args, &["-o", "json"]].concat(), code)).expect("JSON")
}

/// What was told of the blindness before the first sample: nothing; of the gap behind it: a ticket of each SLO.
fn assert_begins_where_the_source_does(lived: &Value, from: i64) {
    let tenant = &lived["tenants"][0];
    let around = |found: &Value, first: i64| assert!([moment(first - 1), moment(first)].iter().any(|at| found == at.as_str()), "{found}");
    around(&tenant["from"], from);
    assert_eq!(tenant["slos"], 4, "{tenant}");
    let younger = tenant["younger_slos"].as_array().expect("a list");
    let names: Vec<&str> = younger.iter().filter_map(|slo| slo["slo"].as_str()).collect();
    assert_eq!(names, ["checkout/fresh", "checkout/journey", "checkout/sum"]);
    around(&younger[0]["from"], from + 43_200);
    assert_eq!(younger[1]["from"], younger[0]["from"], "a journey begins with the last of its members");
    let of_sum = younger[2]["from"].as_str().expect("a moment").to_owned();
    assert!((moment(from + 43_100)..moment(from + 43_400)).contains(&of_sum), "an expression begins with its first value: {of_sum}");
    assert_eq!(tenant["slos_without_samples"], serde_json::json!(["checkout/nowhere"]));
    for run in tenant["runs"].as_array().expect("a list") {
        let alerts = run["alerts"].as_array().expect("a list");
        let blind: Vec<&Value> = alerts.iter().filter(|alert| alert["what"].as_str().unwrap_or_default().contains("cannot see")).collect();
        let in_gap =
            |alert: &&Value| (moment(from + 72_000)..moment(from + 73_500)).contains(&alert["at"].as_str().unwrap_or_default().to_owned());
        assert!(blind.len() == 4 && blind.iter().all(in_gap), "the gap alone: {blind:#?}");
    }
    let pages: Vec<&str> = tenant["runs"][0]["alerts"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|alert| (alert["what"] == "page").then(|| alert["at"].as_str()).flatten())
        .collect();
    assert_eq!(pages.len(), 3, "{pages:?}");
    assert!(pages[0] > moment(from + 3600).as_str() && pages[0] < moment(from + 4020).as_str(), "{pages:?}");
}

#[tokio::test]
async fn a_backtest_begins_where_its_source_does_and_an_slo_where_its_metric_does() {
    let (root, from) = (tempfile::tempdir().expect("a directory"), beginning());
    let data = root.path().join("prometheus");
    backfill(&data, &history(from)).await.expect("a history");
    let real = Real::start(&data, "global: {}\n").await.expect("prometheus");
    let directory = root.path().join("work");
    write(&directory, "burnward.yaml", &config(&real.url()));
    write(&directory, "slo-definitions/checkout.yaml", DOCUMENT);

    let lived = json(&directory, &["backtest", "--what-if", "target=99.5"], 0);
    assert_begins_where_the_source_does(&lived, from);
    let text = told(&directory, &["backtest"], 0);
    let days = days_since(from);
    let first = format!("There are samples in source prom from {} on: of the 30 d that were asked for, the last {days}", moment(from - 1));
    let fresh = format!("\ncheckout/fresh is looked at from {} on, where its first sample is.\n", moment(from + 43_199));
    let nowhere = "\nLeft out, because there is no sample of it in source prom in this time: checkout/nowhere.\n\n";
    assert!(text.contains(&first) && text.contains(&fresh) && text.contains(nowhere), "{text}");
    assert!(text.starts_with(&format!("main: 4 SLOs over {days}")), "{text}");
    let markdown = told(&directory, &["backtest", "-o", "md"], 0);
    assert!(markdown.contains(&first) && markdown.contains(&fresh), "{markdown}");

    // Nothing is cut off of what the source has whole, and nothing is said.
    let whole = told(&directory, &["backtest", "checkout/availability", "--from", &moment(from + 3_000), "--to", &moment(from + 6_600)], 0);
    assert!(
        whole.starts_with(&format!("main: 1 SLO over 1 h from {} to", moment(from + 3_000))) && !whole.contains("There are samples"),
        "{whole}"
    );
    let before = ["backtest", "--from", &moment(from - 90_000), "--to", &moment(from - 3_600)];
    let nothing = run(&directory, env!("CARGO_BIN_EXE_burnward"), &before);
    let talk = String::from_utf8_lossy(&nothing.stderr).into_owned();
    assert_eq!(nothing.status.code(), Some(2), "{talk}");
    assert!(talk.contains("no SLO is left that this history can show") && talk.contains("Left out, because there is no sample"), "{talk}");
}

fn git(directory: &Path, args: &[&str]) {
    let output = run(directory, "git", &[&["-c", "user.name=Ada", "-c", "user.email=ada@example.com"], args].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// As the guide's example, asked of a source: `main` opens tickets, the branch pages.
#[tokio::test]
async fn what_a_branch_would_have_paged_is_told_from_the_history_of_its_source() {
    let (root, from) = (tempfile::tempdir().expect("a directory"), beginning());
    let data = root.path().join("prometheus");
    backfill(&data, &history(from)).await.expect("a history");
    let real = Real::start(&data, "global: {}\n").await.expect("prometheus");
    let directory = root.path().join("work");
    let document = DOCUMENT.split("  - name: fresh").next().expect("a document");
    write(&directory, "burnward.yaml", &config(&real.url()));
    write(&directory, "slo-definitions/checkout.yaml", &document.replace("99.9%, window: 30d", "99.5%, window: 30d, alerting: ticket"));
    git(&directory, &["init", "-q", "-b", "main"]);
    git(&directory, &["add", "-A"]);
    git(&directory, &["commit", "-q", "-m", "first"]);
    write(&directory, "slo-definitions/checkout.yaml", document);

    let asked = ["diff", "--against", "main", "--backtest", "30d"];
    let told_as_json = json(&directory, &asked, 1);
    let effect = &told_as_json["changes"][0]["effect"];
    assert_eq!((&effect["before"]["pages"], &effect["after"]["pages"], &effect["after"]["at_night"]), (&0.into(), &3.into(), &2.into()));
    assert_eq!(effect["after"]["people"], serde_json::json!([{ "person": "ada", "pages": 3 }]));
    let pages = effect["after"]["each_page"].as_array().expect("a list");
    let hour = |page: &Value| page["at"].as_str().unwrap_or_default().get(11..13).map(ToOwned::to_owned);
    assert_eq!(pages.iter().filter_map(hour).collect::<Vec<_>>(), ["01", "04", "13"]);
    assert!(pages.iter().all(|page| page["to"] == serde_json::json!(["#pay", "ada"])), "{pages:?}");
    let unseen = told_as_json["backtest"]["unseen"][0].as_str().expect("a sentence").to_owned();
    let last = format!("of the 30 d that were asked for, the last {}", days_since(from));
    assert!(unseen.starts_with("There are samples in source prom from ") && unseen.contains(&last), "{unseen}");

    let text = told(&directory, &asked, 1);
    let effect = "    backtest                  pages 0 -> 3, 2 of them at night, all for ada; tickets ";
    assert!(text.contains("    pages                     nobody -> ada\n") && text.contains(effect), "{text}");
    assert!(
        text.contains(&format!("\nPaged that were not before: ada.\nOver {}", days_since(from)))
            && text.contains("\nNight is 22:00 to 07:00 in UTC.\n"),
        "{text}"
    );
    assert!(
        text.contains(" at night, page 14.4x 1h/5m, to #pay, ada\n") && text.contains("\nThere are samples in source prom from "),
        "{text}"
    );
    let markdown = told(&directory, &[&asked[..], &["-o", "md"]].concat(), 1);
    assert!(markdown.contains("| backtest | pages 0 -> 3, 2 of them at night, all for ada; tickets "), "{markdown}");
    assert!(markdown.contains("Night is 22:00 to 07:00 in UTC. There are samples in source prom from "), "{markdown}");
}

#[tokio::test]
async fn victoria_metrics_is_asked_for_its_beginning_likewise() {
    let (root, from) = (tempfile::tempdir().expect("a directory"), beginning());
    let victoria = Victoria::start(&root.path().join("victoria")).await.expect("victoria-metrics");
    victoria.import(&history(from)).await.expect("a history");
    let directory = root.path().join("work");
    write(&directory, "burnward.yaml", &config(&victoria.url()));
    write(&directory, "slo-definitions/checkout.yaml", DOCUMENT);
    assert_begins_where_the_source_does(&json(&directory, &["backtest"], 0), from);
}
