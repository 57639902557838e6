//! `burnward check --source`: what a source shows of SLO documents, from the stand-in, from a real Prometheus, and from nobody. `prometheus` must be on the path.

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

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tick_costs_is_measured_slo_by_slo() {
    let fake = shop().await;
    // A sample every second, also of the time in which the check will run.
    for (code, second) in ["200", "500"].into_iter().flat_map(|code| (0..600).map(move |second| (code, second))) {
        fake.push(&[("__name__", "requests_total"), ("tenant", "a"), ("code", code)], now() + second * 1000, 1000.0);
    }
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let two = format!(
        "{fine}  - name: pages\n    sli: {{ window: {{ expr: 'count(requests_total)', is: '>', threshold: 1 }} }}\n    objectives: *o\n"
    );
    let source = format!("--source={}", fake.url());
    let (code, text) = check(&two, &[&source, "--cost"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("A tick of 10s asks http://") && text.contains(" 2 questions for 2 SLOs, each about the last 1m10s:"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("shop/fine ") && line.ends_with(" ms")), "{text}");
    let (_, json) = check(&two, &[&source, "--cost", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json[..=json.rfind('}').expect("an object")]).expect("JSON");
    let costs = &json["costs"][0];
    assert_eq!((&costs["questions_together"], &costs["slos"][0]["slo"]), (&2.into(), &"shop/fine".into()), "{costs}");
    assert_eq!((&costs["slos"][0]["questions"], &costs["slos"][0]["series"]), (&1.into(), &2.into()), "{costs}");
    assert!(costs["slos"][0]["samples"].as_u64().is_some_and(|samples| samples >= 2), "{costs}");
    let (code, _) = check(&two, &["--cost"]);
    assert_eq!(code, Some(2), "there is no source to ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_reads_again_what_is_not_settled_so_that_rare_scrapes_are_measured() {
    let fake = FakePrometheus::start().await.expect("a free port");
    for second in (-3600..600).step_by(30) {
        fake.push(&[("__name__", "requests_total"), ("tenant", "a"), ("code", "500")], now() + second * 1000, 1000.0);
    }
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (_, json) = check(fine, &[&format!("--source={}", fake.url()), "--cost", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json[..=json.rfind('}').expect("an object")]).expect("JSON");
    let costs = &json["costs"][0];
    assert_eq!((&costs["tick_seconds"], &costs["read_back_seconds"]), (&10.0.into(), &70.0.into()), "{costs}");
    assert_eq!(&costs["slos"][0]["series"], 1, "{costs}");
    assert!(costs["slos"][0]["samples"].as_u64().is_some_and(|samples| (2..=3).contains(&samples)), "{costs}");
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

const SIDES: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: never-failed
    sli:
      events:
        bad: 'requests_total{job="shop", code=~"41."}'
        total: 'requests_total{job="shop"}'
    objectives: &o [{ target: 99.9%, window: 6h, alerting: none }]
  - name: healthy-since
    sli: { events: { bad: 'requests_total{code="503"}', total: 'requests_total' } }
    objectives: *o
  - name: label-is-gone
    sli: { events: { bad: 'requests_total{kind="bad"}', total: 'requests_total' } }
    objectives: *o
  - name: metric-is-gone
    sli: { events: { bad: 'failures_total', total: 'requests_total' } }
    objectives: *o
  - name: good-is-gone
    sli: { events: { good: 'answers_total{kind="ok"}', total: 'requests_total' } }
    objectives: *o
  - name: good-is-young
    sli: { events: { good: 'fresh_total', total: 'requests_total' } }
    objectives: *o
  - name: born-with-its-first-failure
    sli: { events: { bad: 'requests_total{code="404"}', total: 'requests_total' } }
    objectives: *o
  - name: bad-is-young
    sli: { events: { bad: 'fresh_total', total: 'requests_total' } }
    objectives: *o
  - name: not-together
    sli: { probe: 'requests_total{code="404", job="batch"}' }
    objectives: *o
"#;

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
async fn of_the_side_beside_the_total_is_told_what_silence_does_not_explain() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = real(
        Path::new(dir.path()),
        &[
            Lived(&[("__name__", "requests_total"), ("job", "shop"), ("code", "200")], 0..=360),
            Lived(&[("__name__", "requests_total"), ("job", "shop"), ("code", "404")], 0..=60),
            Lived(&[("__name__", "requests_total"), ("job", "shop"), ("code", "503")], 90..=360),
            Lived(&[("__name__", "requests_total"), ("job", "shop"), ("kind", "bad")], 90..=360),
            Lived(&[("__name__", "requests_total"), ("job", "batch"), ("code", "200")], 0..=360),
            Lived(&[("__name__", "failures_total"), ("job", "shop")], 90..=360),
            Lived(&[("__name__", "answers_total"), ("job", "shop"), ("kind", "ok")], 90..=360),
            Lived(&[("__name__", "answers_total"), ("job", "shop"), ("kind", "good")], 0..=90),
            Lived(&[("__name__", "fresh_total"), ("job", "shop")], 0..=60),
        ],
    )
    .await;
    let (code, text) = check(SIDES, &[&format!("--source={}", real.url()), "-o", "json"]);
    assert_eq!(code, Some(1), "{text}");
    let (found, helps) = told(&text);
    let expected = [
        "21:28 E1406 answers_total{kind=\"ok\"} matches nothing now; the last of it was about 1 h 30 m ago, and the total goes on: what happens since counts as bad",
        "33:19 E1401 requests_total{code=\"404\",job=\"batch\"} matches nothing, neither now nor within 6h",
        "8:14 W2090 requests_total{code=~\"41.\",job=\"shop\"} matched nothing within 6h",
        "15:27 W2098 requests_total{kind=\"bad\"} matches nothing now; the last of it was about 1 h 30 m ago",
        "18:27 W2098 failures_total matches nothing now; the last of it was about 1 h 30 m ago",
        "24:28 W2091 fresh_total has existed for about 1 h, and the total for longer: what was counted before counts as bad",
        "30:27 W2091 fresh_total has existed for about 1 h, and the total for longer: nothing before counts as bad, whatever happened",
    ];
    assert_eq!(found, expected, "{helps}");
    for expected in [
        "the metric requests_total exists: no series of requests_total{job=\"shop\"} has code=~\"41.\"; code has: 404, 200. Right where",
        "no series has kind=\"ok\"; kind has: good. Was the label or its value renamed, or does nothing succeed any more?",
        "no series has code=\"404\" and job=\"batch\" at once",
        "no series of requests_total has the label `kind` any more",
        "the metric failures_total is gone",
    ] {
        assert!(helps.contains(expected), "{expected}\n{helps}");
    }
}

const PARTS: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: between-buckets
    sli:
      window:
        expr: 'sum(rate(wait_seconds_bucket{job="shop", le="0.3"}[5m])) / sum(rate(wait_seconds_count[5m]))'
        is: '>='
        threshold: 0.9
    objectives: &o [{ target: 99.9%, window: 6h, alerting: none }]
  - name: spelt-otherwise
    sli: { events: { good: 'wait_seconds_bucket{le="1"}', total: 'wait_seconds_count' } }
    objectives: *o
  - name: events-between-buckets
    sli: { events: { good: 'wait_seconds_bucket{le="3"}', total: 'wait_seconds_count' } }
    objectives: *o
  - name: goes-on-without
    sli:
      window:
        expr: |
          sum(rate(wait_seconds_count{job="shop"}[5m])) + sum(rate(jobs_total{job="shop"}[5m]))
            or sum(rate(wait_seconds_count[5m]))
        is: '<'
        threshold: 10
    objectives: *o
  - name: no-value
    sli:
      query:
        bad: 'sum(increase(wait_seconds_count{job="shopp"}[5m]))'
        total: 'sum(increase(wait_seconds_count{job="shopp"}[5m])) + sum(increase(wait_seconds_count[5m]))'
        step: 5m
    objectives: *o
  - name: silent
    sli:
      query:
        bad: 'sum(increase(failures_total{code="500"}[5m]))'
        total: 'sum(increase(failures_total[5m]))'
        step: 5m
    objectives: *o
  - name: absence
    sli: { window: { expr: 'absent(nothing) unless other', is: '==', threshold: 1 } }
    objectives: *o
  - name: young
    sli: { window: { expr: 'sum(rate(fresh_total[5m])) / sum(rate(wait_seconds_count[5m]))', is: '<', threshold: 1 } }
    objectives: *o
  - name: half-a-second
    sli: { latency: { histogram: 'wait_seconds', within: 500ms } }
    objectives: *o
  - name: one-second
    sli: { latency: { histogram: 'wait_seconds', within: 1s } }
    objectives: *o
"#;

#[tokio::test(flavor = "multi_thread")]
async fn selectors_within_expressions_and_buckets_that_some_lack_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = real(
        Path::new(dir.path()),
        &[
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "a"), ("le", "0.25")], 0..=360),
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "a"), ("le", "0.5")], 0..=360),
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "a"), ("le", "1.0")], 0..=60),
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "a"), ("le", "+Inf")], 0..=360),
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "b"), ("le", "0.25")], 0..=360),
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "b"), ("le", "1.0")], 0..=60),
            Lived(&[("__name__", "wait_seconds_bucket"), ("job", "shop"), ("instance", "b"), ("le", "+Inf")], 0..=360),
            Lived(&[("__name__", "wait_seconds_count"), ("job", "shop"), ("instance", "a")], 0..=360),
            Lived(&[("__name__", "wait_seconds_count"), ("job", "shop"), ("instance", "b")], 0..=360),
            Lived(&[("__name__", "fresh_total"), ("job", "shop")], 0..=60),
            Lived(&[("__name__", "failures_total"), ("job", "shop"), ("code", "404")], 0..=360),
            Lived(&[("__name__", "failures_total"), ("job", "shop"), ("code", "500")], 90..=360),
        ],
    )
    .await;
    let (code, text) = check(PARTS, &[&format!("--source={}", real.url()), "-o", "json"]);
    assert_eq!(code, Some(1), "{text}");
    let (found, helps) = told(&text);
    let expected = [
        "8:25 E1403 0.3 is no bucket boundary of wait_seconds{job=\"shop\"}; its neighbours are 0.25 and 0.5",
        "13:28 E1403 le=\"1\" takes nothing of wait_seconds: that boundary is spelt `1.0`",
        "16:28 E1403 3 is no bucket boundary of wait_seconds; the highest is 1",
        "31:30 E1401 sum(increase(wait_seconds_count{job=\"shopp\"}[5m])) + sum(increase(wait_seconds_… has no value now: wait_seconds_count{job=\"shopp\"} matches nothing, neither now nor within 6h",
        "22:68 W2098 jobs_total{job=\"shop\"} matches nothing, neither now nor within 6h; the expression has a value without it",
        "45:38 W2091 fresh_total has existed for about 1 h, and the window is 6h",
        "48:58 W2099 1 of 2 series of wait_seconds have no bucket up to 0.5 s: {instance=\"b\",job=\"shop\"}",
        "51:58 W2091 the bucket up to 1 s of wait_seconds has existed for about 1 h, and the histogram for longer",
    ];
    assert_eq!(found, expected, "{helps}");
    for expected in ["write le=\"1.0\"", "the metric wait_seconds_count exists: no series has job=\"shopp\"; job has: shop"] {
        assert!(helps.contains(expected), "{expected}\n{helps}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_well_costs_a_few_small_questions() {
    let fake = shop().await;
    let (fine, _) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (_, text) = check(fine, &[&format!("--source={}", fake.url())]);
    let asked: Vec<String> = fake.asked().iter().map(|asked| asked.form.get("query").cloned().unwrap_or_default()).collect();
    let of_the_slo: Vec<&String> = asked.iter().filter(|query| query.contains("requests_total")).collect();
    assert!((6..=8).contains(&of_the_slo.len()), "{of_the_slo:#?}\n{text}");
    assert!(of_the_slo.iter().all(|query| !query.contains("last_over_time")), "{of_the_slo:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_was_there_between_two_looks_is_none_that_never_was() {
    let fake = shop().await;
    let hour = 3_600_000;
    let half_past = (now() / hour - 10) * hour + hour / 2;
    for second in 0..60 {
        fake.push(&[("__name__", "requests_total"), ("tenant", "a"), ("code", "503")], half_past + second * 1000, 1.0);
    }
    let (before, rest) = SLOS.split_once("  - name: misspelt").expect("the second one");
    let (_, rest) = rest.split_once("  - name: never-failed").expect("the third one");
    let (never_failed, _) = rest.split_once("  - name: between").expect("the fourth one");
    let slos = format!("{before}  - name: never-failed{never_failed}");
    let source = format!("--source={}", fake.url());
    let (code, text) = check(&slos, &[&source, "--strict"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = check(&slos.replace("503", "504"), &[&source, "--strict"]);
    assert_eq!(code, Some(1), "{text}");
    let help = "no series has code=\"504\"; code has: 500, 200";
    assert!(text.contains("W2090") && text.contains(help), "{text}");
}

const OR: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: falls-back
    sli:
      window: { expr: 'sum(rate(requests_total{code="503"}[5m])) or up * 0', is: '<', threshold: 1 }
    objectives: [{ target: 99.9%, window: 6h, alerting: none }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_an_expression_falls_back_from_may_never_have_happened() {
    let dir = tempfile::tempdir().expect("a directory");
    let series = [Lived(&[("__name__", "requests_total"), ("job", "shop"), ("code", "200")], 0..=360)];
    let real = real(Path::new(dir.path()), &series).await;
    let (code, text) = check(OR, &[&format!("--source={}", real.url()), "-o", "json"]);
    assert_eq!(code, Some(0), "{text}");
    let (found, helps) = told(&text);
    let expected = "requests_total{code=\"503\"} matches nothing, neither now nor within 6h; the expression has a value without it";
    assert!(found.iter().any(|found| found == &format!("7:33 W2098 {expected}")), "{found:#?}");
    assert!(helps.contains("code has: 200. Right where nothing of the kind ever happened"), "{helps}");
}

/// A series of a real Prometheus: a sample each minute of the last six hours, whose values repeat.
fn repeated(name: &str, values: &[f64]) -> Written {
    let value = |minute: usize| Value::Number(values[minute % values.len()]);
    Written {
        labels: [("__name__", name), ("job", "shop")].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        samples: (0..=360).rev().map(|ago| (now() - 1000 - i64::try_from(ago).expect("small") * 60_000, value(ago))).collect(),
    }
}

async fn moving(dir: &Path) -> Real {
    let real = Real::start_for_histograms(dir).await.expect("it starts");
    let written = [
        repeated("up", &[1.0]),
        repeated("queue_length", &[20.0, 17.0, 19.0, 14.0]),
        repeated("sync_lag_seconds", &[0.2, 4.1, 1.5]),
        repeated("probe_success", &[0.0]),
        repeated("ping_success", &[0.0, 0.0, 1.0]),
    ];
    real.take(&written).await.expect("it takes them");
    real
}

const WINDOWS: &str = r"version: burnward/v1
service: shop
team: operators
slos:
  - name: rate-of-a-gauge
    sli:
      window:
        expr: 'sum(rate(queue_length[5m]))'
        is: '<'
        threshold: 10
    objectives: &o [{ target: 99.9%, window: 6h, alerting: none }]
  - name: milliseconds
    sli:
      window:
        expr: 'max(sync_lag_seconds)'
        is: '<'
        threshold: 500
    objectives: *o
  - name: turned-round
    sli:
      window:
        expr: 'max(sync_lag_seconds)'
        is: '>'
        threshold: 30
    objectives: *o
  - name: never-this
    sli: { window: { expr: 'min(queue_length)', is: '==', threshold: 18 } }
    objectives: *o
  - name: dead-probe
    sli: { probe: 'probe_success' }
    objectives: *o
  - name: meant
    sli: { window: { expr: 'max(sync_lag_seconds)', is: '<', threshold: 500, promql-check: off } }
    objectives: *o
  - name: as-bad-as-that
    sli: { window: { expr: 'max(sync_lag_seconds)', is: '>', threshold: 30, promql-check: off } }
    objectives: *o
  - name: fine
    sli: { window: { expr: 'max(sync_lag_seconds)', is: '<', threshold: 4 } }
    objectives: *o
  - name: healthy
    sli: { window: { expr: 'max(sync_lag_seconds)', is: '<', threshold: 30 } }
    objectives: *o
  - name: sometimes
    sli: { probe: 'ping_success' }
    objectives: *o
";

#[tokio::test(flavor = "multi_thread")]
async fn conditions_that_were_never_met_and_thresholds_in_another_unit_are_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = moving(Path::new(dir.path())).await;
    let (code, text) = check(WINDOWS, &[&format!("--source={}", real.url()), "-o", "json"]);
    assert_eq!(code, Some(0), "{text}");
    let (found, helps) = told(&text);
    let without_slices: Vec<String> = found.iter().map(|found| found.replace(char::is_numeric, "#")).collect();
    let expected = [
        "#:## W#### rate() is of counters, and queue_length is no counter: it fell again and again in the last ## minutes, and never to nothing",
        "##:## W#### `< ###` held in each of the ## slices looked at within #h, and the largest value was #.#: the threshold is ### times the values",
        "##:## W#### `> ##` held in none of the ## slices looked at within #h: the values lie between #.# and #.#, so every slice is bad",
        "##:## W#### `== ##` held in none of the ## slices looked at within #h: the values lie between ## and ##, so every slice is bad",
        "##:## W#### probe_success was # at each of its samples within #h: no event was good",
    ];
    assert_eq!(without_slices, expected, "{found:#?}");
    let places: Vec<&str> = found.iter().map(|found| &found[..found.find(" W").unwrap_or(0) + 6]).collect();
    assert_eq!(places, ["8:25 W2097", "17:20 W2089", "23:13 W2088", "27:53 W2088", "30:19 W2088"], "{found:#?}");
    for expected in [
        "take delta() or deriv() of it, or name the counter that stands beside it",
        "the metric is in seconds: 500 ms is `threshold: 0.5`",
        "`is` says what holds of a good slice: did you mean `is: '<'`",
        "does the probe reach its target at all",
    ] {
        assert!(helps.contains(expected), "{expected}\n{helps}");
    }
}

const MISSPELT: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: total
    sli: { events: { bad: 'request_total{code="500"}', total: 'request_total' } }
    objectives: &o [{ target: 99.9%, window: 6h, alerting: none }]
  - name: histogram
    sli: { latency: { histogram: 'request_second', within: 300ms } }
    objectives: *o
  - name: part
    sli: { window: { expr: 'max(queue_lenght)', is: '<', threshold: 5 } }
    objectives: *o
  - name: unlike
    sli: { probe: 'something_else' }
    objectives: *o
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_that_is_misspelt_is_told_which_one_is_meant() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = real(
        Path::new(dir.path()),
        &[
            Lived(&[("__name__", "requests_total"), ("job", "shop"), ("code", "200")], 0..=360),
            Lived(&[("__name__", "request_seconds_bucket"), ("job", "shop"), ("le", "+Inf")], 0..=360),
            Lived(&[("__name__", "queue_length"), ("job", "shop")], 0..=360),
        ],
    )
    .await;
    let (_, text) = check(MISSPELT, &[&format!("--source={}", real.url()), "-o", "json"]);
    let (found, helps) = told(&text);
    let helps: Vec<&str> = helps.lines().filter(|help| help.contains("the metric")).collect();
    let scraped = "is the metric's name right, and is its target scraped by this source?";
    let expected = ["Did you mean `requests_total`?", "Did you mean `request_seconds`?", "Did you mean `queue_length`?", ""];
    assert_eq!(helps, expected.map(|meant| format!("{scraped} {meant}").trim_end().to_owned()), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_whose_slices_differ_or_are_well_is_asked_for_once_more() {
    let fake = shop().await;
    let window = |threshold: u32| {
        format!(
            "version: burnward/v1\nservice: shop\nteam: operators\nslos:\n  - name: series\n    sli: {{ window: {{ expr: 'count(requests_total)', is: '>', threshold: {threshold} }} }}\n    objectives: [{{ target: 99.9%, window: 1d, alerting: none }}]\n"
        )
    };
    let mut before = 0;
    for (threshold, most, warns) in [(1, 5, false), (5, 6, true)] {
        let (_, text) = check(&window(threshold), &[&format!("--source={}", fake.url())]);
        let asked = fake.asked();
        let of_the_slo = asked[before..].iter().filter(|asked| asked.form.values().any(|query| query.contains("requests_total")));
        assert!((2..=most).contains(&of_the_slo.clone().count()), "{:#?}", of_the_slo.collect::<Vec<_>>());
        assert_eq!(text.contains("W2088"), warns, "{text}");
        before = asked.len();
    }
}
