//! Selectors, each by itself: sides of events, parts of expressions, buckets.

use std::path::Path;

use super::{Lived, SLOS, check, now, real, shop, told};

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
  - name: both-misspelt
    sli: { events: { bad: 'failurs_total', total: 'requets_total' } }
    objectives: *o
  - name: one-metric-misspelt
    sli: { events: { bad: 'requets_total{code="503"}', total: 'requets_total' } }
    objectives: *o
"#;

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
        "36:51 E1401 requets_total matches nothing, neither now nor within 6h",
        "39:63 E1401 requets_total matches nothing, neither now nor within 6h",
        "8:14 W2090 requests_total{code=~\"41.\",job=\"shop\"} matched nothing within 6h",
        "15:27 W2098 requests_total{kind=\"bad\"} matches nothing now; the last of it was about 1 h 30 m ago",
        "18:27 W2098 failures_total matches nothing now; the last of it was about 1 h 30 m ago",
        "24:28 W2091 fresh_total has existed for about 1 h, and the total for longer: what was counted before counts as bad",
        "30:27 W2091 fresh_total has existed for about 1 h, and the total for longer: nothing before counts as bad, whatever happened",
        "36:27 W2090 failurs_total matched nothing within 6h",
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
