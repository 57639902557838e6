//! `burnward check --source`: what a source shows of SLO documents, from the stand-in, from a real Prometheus, and from nobody. `prometheus` must be on the path.

mod conditions;
mod cost;
mod rises;
mod selectors;

use std::{fs, path::Path, process::Command};

use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault, Real, Value, Written};

const SLOS: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: fine
    sli: { events: { bad: 'requests_total{code="500"}', total: 'requests_total' } }
    per: [tenant]
    objectives: &o [{ target: 99.9%, window: 1d, alerting: ticket }]
  - name: misspelt
    sli:
      events:
        bad: 'requests_total{code="500"}'
        total: 'requests_total{tennant="a"}'
    objectives: *o
  - name: never-failed
    sli: { events: { bad: 'requests_total{code="503"}', total: 'requests_total' } }
    objectives: *o
  - name: between
    sli: { latency: { histogram: 'request_seconds', within: 300ms } }
    objectives: *o
  - name: no-counter
    sli: { events: { bad: 'requests_total{code="500"}', total: 'temperature' } }
    objectives: *o
  - name: young
    sli: { probe: 'probe_success' }
    objectives: [{ target: 99%, window: 30d, alerting: ticket }]
"#;

/// The exit code, and what was written, as one text.
fn check(slos: &str, args: &[&str]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("shop.yaml"), slos).expect("a file");
    let command = Command::new(env!("CARGO_BIN_EXE_burnward")).arg("check").args(args).arg("shop.yaml").current_dir(dir.path()).output();
    let output = command.expect("it runs");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("text")).concat();
    (output.status.code(), text)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A sample every four minutes of so many hours up to now.
fn push(fake: &FakePrometheus, labels: &[(&str, &str)], hours: i64, value: f64) {
    for step in 0..=hours * 15 {
        fake.push(labels, now() - 1000 - step * 240_000, value);
    }
}

async fn shop() -> FakePrometheus {
    let fake = FakePrometheus::start().await.expect("a free port");
    push(&fake, &[("__name__", "up"), ("job", "shop"), ("instance", "a")], 1, 1.0);
    for (code, value) in [("200", 900.0), ("500", 3.0)] {
        push(&fake, &[("__name__", "requests_total"), ("tenant", "a"), ("code", code)], 26, value);
    }
    for (le, value) in [("0.25", 5.0), ("0.5", 8.0), ("+Inf", 9.0)] {
        push(&fake, &[("__name__", "request_seconds_bucket"), ("le", le)], 26, value);
    }
    push(&fake, &[("__name__", "temperature")], 26, 21.5);
    push(&fake, &[("__name__", "probe_success")], 72, 1.0);
    fake
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_is_shown_at_its_line() {
    let fake = shop().await;
    let (code, text) = check(SLOS, &[&format!("--source={}", fake.url())]);
    assert_eq!(code, Some(1), "{text}");
    for expected in [
        "error[E1401]: requests_total{tennant=\"a\"} matches nothing, neither now nor within 1d",
        "shop.yaml:13:",
        "the metric requests_total exists: no series has the label `tennant`: did you mean `tenant`?",
        "warning[W2090]: requests_total{code=\"503\"} matched nothing within 1d",
        "error[E1403]: 0.3 s is no bucket boundary of request_seconds; its neighbours are 0.25 and 0.5",
        "error[E1405]: temperature has the value 21.5, which no counter of events has",
        "warning[W2091]: probe_success has existed for about 3 d, and the window is 30d",
        "warning[W2092]: the source keeps 15d, and 1 SLO has longer windows, up to 30d",
        "warning[W2024]: `bad` takes series that `total` leaves out: `total` asks for tennant=\"a\", and `bad` does not",
        "3 errors, 4 warnings",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_younger_than_a_window_of_the_calendar_is_told() {
    let fake = shop().await;
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let contract = "{ target: 99%, window: calendar month, timezone: Europe/Berlin, alerting: none }";
    let slos = format!("{fine}  - name: contract\n    sli: {{ probe: probe_success }}\n    objectives: [{contract}]\n");
    let (_, text) = check(&slos, &[&format!("--source={}", fake.url())]);
    assert!(text.contains("warning[W2091]: probe_success has existed for about 3 d, and the window is a calendar month"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_whose_first_sample_came_a_moment_ago_is_there() {
    let fake = shop().await;
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let slos = format!("{fine}  - name: new\n    sli: {{ probe: just_begun }}\n    objectives: [{{ target: 99%, window: 7d }}]\n");
    fake.push(&[("__name__", "just_begun")], now() - 500, 1.0);
    let (code, text) = check(&slos, &[&format!("--source={}", fake.url())]);
    assert!(code == Some(0) && !text.contains("E1401"), "{text}");
    assert!(text.contains("W2091") && text.contains("just_begun has existed for"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_all_is_well() {
    let fake = shop().await;
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (code, text) = check(fine, &[&format!("--source={}", fake.url()), "--strict"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("note: source ") && text.contains("keeps 15d"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_cannot_be_asked_is_told_and_hides_no_mistake() {
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (code, text) = check(fine, &["--source=http://127.0.0.1:1"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("cannot be asked: unreachable") && text.contains("1 SLO not checked against it"), "{text}");
    let (code, text) = check(&fine.replace("99.9%", "100%"), &["--source=http://127.0.0.1:1"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("E1042"), "{text}");
    let fake = shop().await;
    fake.fail(Class::QueryRange, Fault::Reset).await;
    let (code, text) = check(fine, &[&format!("--source={}", fake.url())]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("stopped answering"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_series_and_groups_are_told() {
    let fake = shop().await;
    for tenant in 0..10_001 {
        let tenant = format!("t{tenant}");
        fake.push(&[("__name__", "requests_total"), ("tenant", &tenant), ("code", "200")], now() - 15_000, 1.0);
    }
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (code, text) = check(fine, &[&format!("--source={}", fake.url())]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("error[E1402]: requests_total matches 10,003 series"), "{text}");
    assert!(text.contains("warning[W2093]: `per` makes 10002 groups"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_raw_samples_serves_expressions_alone() {
    let fake = shop().await;
    fake.fail(Class::Query, Fault::Status { code: 422, error_type: "execution".into(), message: "no".into(), retry_after: None }).await;
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (code, text) = check(fine, &[&format!("--source={}", fake.url())]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("error[E1404]: the source gives no raw samples"), "{text}");
}

const SLOW: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: quick
    sli: { events: { bad: 'slow_total{code="500"}', total: 'slow_total' } }
    objectives:
      - target: 99%
        window: 1d
        alerting: { rows: [{ urgency: ticket, burn-rate: 14.4, long: 1h, short: 5m }] }
  - name: patient
    sli: { events: { bad: 'slow_total{code="500"}', total: 'slow_total' } }
    objectives:
      - target: 99%
        window: 1d
        alerting: { rows: [{ urgency: ticket, burn-rate: 14.4, long: 1h, short: 10m }] }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_lookback_that_is_shorter_than_two_scrapes_is_told() {
    let fake = shop().await;
    for code in ["200", "500"] {
        push(&fake, &[("__name__", "slow_total"), ("code", code)], 26, 7.0);
    }
    let (code, text) = check(SLOW, &[&format!("--source={}", fake.url()), "--strict"]);
    assert_eq!((code, text.matches("warning[").count()), (Some(1), 1), "{text}");
    let expected = "warning[W2094]: slow_total is scraped about every 4m, and ticket 14.4x 1h/5m looks back 5m";
    assert!(text.contains(expected), "{text}");
}

const REAL: &str = r"version: burnward/v1
service: shop
team: operators
slos:
  - name: native
    sli: { latency: { histogram: 'request_seconds', within: 300ms, buckets: native } }
    objectives: &o [{ target: 99.9%, window: 1h, alerting: none }]
  - name: taken-for-classic
    sli: { latency: { histogram: 'request_seconds', within: 300ms } }
    objectives: *o
  - name: several-values
    sli: { window: { expr: 'up', is: '==', threshold: 1 } }
    objectives: *o
  - name: newer-than-the-source
    sli:
      window: { expr: 'sum(mad_over_time(up[5m]))', is: '<', threshold: 1, promql-check: off }
    objectives: *o
";

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_is_asked_about_histograms_and_expressions() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = Real::start_for_histograms(Path::new(dir.path())).await.expect("it starts");
    let series = |name: &str, instance: &str, value: Value| Written {
        labels: [("__name__", name), ("instance", instance)].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        samples: (0..=240).rev().map(|n| (now() - 1000 - n * 15_000, value.clone())).collect(),
    };
    let histogram = Value::Histogram { schema: 3, buckets: vec![(-13, 4)] };
    let up = |instance| series("up", instance, Value::Number(1.0));
    real.take(&[series("request_seconds", "a", histogram), up("a"), up("b")]).await.expect("it takes them");
    let (code, text) = check(REAL, &[&format!("--source={}", real.url())]);
    assert_eq!(code, Some(1), "{text}");
    for expected in [
        "it is a native histogram: write `buckets: native`",
        "up has 2 values for 1 group",
        "unknown function with name \"mad_over_time\"",
        "3 errors, 1 warning",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

const KINDS: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: z-split
    sli: { events: { bad: 'requests_total{code="500"}', total: 'requests_total' } }
    per: [tennant]
    objectives: &o [{ target: 99.9%, window: 1d, alerting: ticket }]
  - name: counted-probe
    sli: { probe: 'requests_total{code="200"}' }
    objectives: *o
  - name: a-gauge
    sli:
      events: { bad: 'requests_total{code="500"}',
        total: 'queue_length' }
    objectives: *o
  - name: late
    sli: { latency: { histogram: 'request_seconds{x="1"}', within: 300ms } }
    objectives: *o
  - name: gone
    sli: { probe: 'gone' }
    objectives: *o
"#;

/// Where each finding stands, with its code and message.
fn findings(text: &str) -> Vec<(String, String)> {
    let report: serde_json::Value = serde_json::from_str(text.split("\nnote:").next().unwrap_or_default()).expect("JSON");
    let finding = |fault: &serde_json::Value| {
        let start = &fault["place"]["start"];
        (
            format!("{}:{} {}", start["line"], start["column"], fault["code"].as_str().unwrap_or_default()),
            fault["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    report["diagnostics"].as_array().expect("a list").iter().map(finding).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_and_kinds_that_do_not_fit_are_told_at_the_very_value_errors_first() {
    let fake = shop().await;
    for step in 0..40_i64 {
        let value = [20.0, 17.0, 19.0, 14.0][usize::try_from(step % 4).expect("small")];
        fake.push(&[("__name__", "queue_length")], now() - 1000 - step * 30_000, value);
        fake.push(&[("__name__", "gone")], now() - 1_020_000 - step * 180_000, 1.0);
    }
    let (code, text) = check(KINDS, &[&format!("--source={}", fake.url()), "-o", "json"]);
    assert_eq!(code, Some(1), "{text}");
    let found = findings(&text);
    let places: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["18:34 E1401", "21:19 E1401", "7:11 W2095", "10:19 W2096", "15:16 W2091", "15:16 W2097"], "{found:#?}");
    let told = |part: &str| assert!(found.iter().any(|(_, message)| message.contains(part)), "{part}\n{found:#?}");
    told("no series of requests_total has the label `tennant`");
    told("it has the value 900; whatever is above 0 is good");
    told("queue_length is no counter: it fell again and again");
    told("queue_length has existed for about 19 m");
    told("request_seconds{x=\"1\"} matches nothing");
    told("the last of it was about 17 m");
}

/// A series of a real Prometheus: its labels, and a sample a minute from so many minutes ago to so many.
struct Lived(&'static [(&'static str, &'static str)], std::ops::RangeInclusive<i64>);

async fn real(dir: &Path, series: &[Lived]) -> Real {
    let real = Real::start_for_histograms(dir).await.expect("it starts");
    let written = |Lived(labels, minutes): &Lived| Written {
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        samples: minutes.clone().rev().map(|ago| (now() - 1000 - ago * 60_000, Value::Number(1000.0))).collect(),
    };
    let up: &[_] = &[("__name__", "up"), ("job", "shop"), ("instance", "a")];
    let all: Vec<Written> = series.iter().chain([&Lived(up, 0..=60)]).map(written).collect();
    real.take(&all).await.expect("it takes them");
    real
}

/// Each finding as its code, its line and its message, and the helps.
fn told(text: &str) -> (Vec<String>, String) {
    let report: serde_json::Value = serde_json::from_str(text.split("\nnote:").next().unwrap_or_default()).expect("JSON");
    let all = report["diagnostics"].as_array().expect("a list");
    let one = |fault: &serde_json::Value| {
        let text = |key: &str| fault[key].as_str().unwrap_or_default().to_owned();
        let start = &fault["place"]["start"];
        format!("{}:{} {} {}", start["line"], start["column"], text("code"), text("message"))
    };
    let helps: Vec<&str> =
        all.iter().flat_map(|fault| fault["help"].as_array().expect("a list")).filter_map(|help| help.as_str()).collect();
    (all.iter().map(one).collect(), helps.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_series_of_an_slo_count_together() {
    let fake = shop().await;
    for metric in ["requests_total", "errors_total"] {
        for pod in 0..6_000 {
            fake.push(&[("__name__", metric), ("tenant", "a"), ("pod", &format!("p{pod}"))], now() - 15_000, 1.0);
        }
    }
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let source = format!("--source={}", fake.url());
    let (_, text) = check(fine, &[&source]);
    assert!(!text.contains("E1402"), "what is bad is a part of the total\n{text}");
    let (code, text) = check(&fine.replace("requests_total{code=\"500\"}", "errors_total"), &[&source]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("error[E1402]: its selectors take 12,002 series together, and at most 10,000 are read of one SLO"), "{text}");
}
