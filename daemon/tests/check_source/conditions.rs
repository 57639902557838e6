//! Windows and probes, by the values that a source has: conditions that are never met, thresholds in another unit, names that are misspelt.

use std::path::Path;

use burnward_stand_ins::prometheus::{Real, Value, Written};

use super::{Lived, check, now, real, shop, told};

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
