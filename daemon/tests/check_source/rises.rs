//! Sides of another metric than the total, compared by how much both rose.

use std::path::Path;

use burnward_stand_ins::prometheus::{Real, Value, Written};

use super::{check, now, push, shop, told};

const MORE: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: attempts
    sli: { events: { bad: 'attempts_failed_total', total: 'calls_total{job="shop"}' } }
    objectives: &o [{ target: 99.9%, window: 6h, alerting: none }]
  - name: other-jobs
    sli:
      events:
        good: ['calls_total{job="edge"}', 'served_total']
        total: 'calls_total{job="shop"}'
    objectives: *o
"#;

const WELL: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: some-fail
    sli: { events: { bad: 'failed_total', total: 'calls_total' } }
    objectives: &o [{ target: 99.9%, window: 6h, alerting: none }]
  - name: all-fail
    sli: { events: { bad: 'all_failed_total', total: 'calls_total{job="shop"}' } }
    objectives: *o
  - name: a-little-more
    sli: { events: { bad: 'all_failed_and_one_total', total: 'calls_total{job="shop"}' } }
    objectives: *o
  - name: together-they-are-enough
    sli: { events: { bad: [attempts_failed_total, never_failed_total], total: ['calls_total{job="shop"}', 'calls_total{job="edge"}'] } }
    objectives: *o
"#;

/// A series of six hours.
struct Rising {
    name: &'static str,
    job: &'static str,
    /// By so much it rises each minute.
    each: i64,
    /// By so much more at the end.
    more: i64,
}

const fn rises(name: &'static str, job: &'static str, each: i64) -> Rising {
    Rising { name, job, each, more: 0 }
}

async fn rising(dir: &Path) -> Real {
    let real = Real::start_for_histograms(dir).await.expect("it starts");
    let value = |series: &Rising, minute: i64| (series.each * minute + if minute == 360 { series.more } else { 0 }) as f64;
    let written = |series: &Rising| Written {
        labels: [("__name__", series.name), ("job", series.job)].map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        samples: (0..=360).map(|minute| (now() - 1000 - (360 - minute) * 60_000, Value::Number(value(series, minute)))).collect(),
    };
    let all: Vec<Written> = SERIES.iter().map(written).collect();
    real.take(&all).await.expect("it takes them");
    real
}

/// A number as people read it: `7,200`.
fn number(text: &str) -> f64 {
    text.replace(',', "").parse().expect("a number")
}

const SERIES: [Rising; 8] = [
    Rising { name: "up", job: "shop", each: 0, more: 1 },
    rises("calls_total", "shop", 10),
    rises("calls_total", "edge", 11),
    rises("attempts_failed_total", "shop", 20),
    rises("served_total", "shop", 1),
    rises("failed_total", "shop", 1),
    rises("all_failed_total", "shop", 10),
    Rising { more: 20, ..rises("all_failed_and_one_total", "shop", 10) },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_rose_by_more_than_the_total_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = rising(dir.path()).await;
    let (code, text) = check(MORE, &[&format!("--source={}", real.url()), "-o", "json"]);
    assert_eq!(code, Some(0), "{text}");
    let (found, helps) = told(&text);
    let more: Vec<&String> = found.iter().filter(|found| found.contains("W2025")).collect();
    let [attempts, jobs] = more.as_slice() else { panic!("{found:#?}") };
    for (found, begins, rose, total) in
        [(attempts, "6:27 W2025 `bad` rose by ", 7_200.0, 3_600.0), (jobs, "11:43 W2025 `good` rose by ", 4_320.0, 3_600.0)]
    {
        let numbers = found.strip_prefix(begins).and_then(|rest| rest.split_once(" within 1d, and `total` by ")).expect(found);
        let (part, all) = (number(numbers.0), number(numbers.1.split_once(':').expect(found).0));
        assert!((part - rose).abs() < rose / 100.0 && (all - total).abs() < total / 100.0, "{found}");
    }
    assert!(attempts.ends_with(": more events are bad than there are"), "{attempts}");
    assert!(helps.contains("does it leave out a job or a route that `bad` takes"), "{helps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_side_that_is_the_total_or_less_is_well() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = rising(dir.path()).await;
    let (_, text) = check(WELL, &[&format!("--source={}", real.url()), "-o", "json"]);
    let (found, _) = told(&text);
    assert!(!found.iter().any(|found| found.contains("W2025")), "{found:#?}");
    // What the source was asked, it could answer: the same sides beside a smaller total are told.
    let (_, text) =
        check(&WELL.replace("'calls_total{job=\"shop\"}'", "'failed_total'"), &[&format!("--source={}", real.url()), "-o", "json"]);
    assert_eq!(told(&text).0.iter().filter(|found| found.contains("W2025")).count(), 3, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_questions_compare_them_and_none_is_asked_of_one_metric() {
    let fake = shop().await;
    for metric in ["calls_total", "failed_total", "dropped_total"] {
        push(&fake, &[("__name__", metric), ("job", "shop")], 26, 7.0);
    }
    let slos = WELL.replace("'failed_total'", "['failed_total', 'dropped_total', 'calls_total{code=\"500\"}']");
    let (one, _) = slos.split_once("  - name: all-fail").expect("the second one");
    let source = format!("--source={}", fake.url());
    let compared = || {
        let asked: Vec<String> = fake.asked().iter().map(|asked| asked.form.get("query").cloned().unwrap_or_default()).collect();
        asked.into_iter().filter(|query| query.contains("increase(")).collect::<Vec<_>>()
    };
    let (code, text) = check(one, &[&source]);
    assert_eq!((code, text.contains("W2025")), (Some(0), false), "a source that does not tell is no finding\n{text}");
    let asked = compared();
    assert_eq!(asked.len(), 1, "what has no answer is not compared\n{asked:#?}");
    assert!(["failed_total[1d]", "dropped_total[1d]"].iter().all(|part| asked[0].contains(part)), "{asked:#?}");
    let of_one_metric = "['failed_total', 'dropped_total', 'calls_total{code=\"500\"}']";
    check(&one.replace(of_one_metric, "'calls_total{code=\"500\"}'"), &[&source]);
    assert_eq!(compared().len(), 1, "{:#?}", compared());
}
