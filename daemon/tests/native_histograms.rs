//! Native histograms of a real Prometheus, which takes them in by remote write: thresholds on an edge and within a bucket, a reset, a change of
//! resolution. `prometheus` must be on the path.

mod counted;

use std::sync::Arc;

use burnward::definition::{Source, document};
use burnward_core::{
    ledger::Counts,
    slo::Slo,
    time::{Timestamp, hours},
};
use burnward_stand_ins::prometheus::{Real, Value, Written};
use counted::{Counted, client, context};

/// A whole number of hours since the epoch: what is compared begins here.
const BEGIN: i64 = 1_699_999_200;
const FIRST: i64 = -80;
const LAST: i64 = 240;
/// Of the scrapes that are compared, the first after the reset of one target and the change of resolution of the other.
const CHANGE: i64 = 60;
const COMPARED: i64 = 120;

/// What each target observes between two scrapes, in seconds.
const OBSERVED: [f64; 5] = [0.1, 0.28, 0.31, 0.34, 5.0];

const SLOS: &str = r"version: burnward/v1
service: shop
team: operators
slos:
  - name: on-an-edge
    sli: { latency: { histogram: 'request_seconds', within: 250ms, buckets: native } }
    objectives: &o [{ target: 99%, window: 30d, alerting: none }]
  - name: within-a-bucket
    sli: { latency: { histogram: 'request_seconds', within: 300ms, buckets: native } }
    per: [instance]
    objectives: *o
";

fn slos() -> Vec<Arc<Slo>> {
    let (slos, _) = document::read(&Source::new("slo.yaml", SLOS), "0", &context()).expect("they load");
    slos
}

/// The histogram after so many times what is observed between two scrapes.
fn histogram(schema: i32, times: u64) -> Value {
    let mut buckets: Vec<(i32, u64)> = Vec::new();
    for seconds in OBSERVED {
        let bounds = (-40..40).map(|index| (index, 2_f64.powf(f64::from(index) / f64::from(schema).exp2())));
        let (index, _) = bounds.into_iter().find(|(_, bound)| seconds <= *bound).expect("within the bounds");
        match buckets.last_mut() {
            Some((last, held)) if *last == index => *held += times,
            Some(_) | None => buckets.push((index, times)),
        }
    }
    Value::Histogram { schema, buckets }
}

fn series(name: &str, instance: &str, value: impl Fn(i64) -> Value) -> Written {
    let labels = [("__name__", name), ("job", "shop"), ("instance", instance)];
    Written {
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        samples: (FIRST..LAST).map(|n| ((BEGIN + 5 + n * 15) * 1000, value(n))).collect(),
    }
}

fn times(n: i64, since: i64) -> u64 {
    u64::try_from(n - since + 1).expect("not before")
}

const fn each(scrapes: i64, [good, tolerated, bad]: [i64; 3]) -> Counts {
    Counts { good: good * scrapes, tolerated: tolerated * scrapes, bad: bad * scrapes, unseen_millis: 0 }
}

#[tokio::test]
async fn observations_of_a_real_prometheus_are_counted_through_a_reset_and_a_change_of_resolution() {
    let dir = tempfile::tempdir().expect("a directory");
    let real = Real::start_for_histograms(dir.path()).await.expect("it starts");
    let restarted = |n| if n < CHANGE { histogram(3, times(n, FIRST)) } else { histogram(3, times(n, CHANGE)) };
    let coarser = |n| histogram(if n < CHANGE { 3 } else { 2 }, times(n, FIRST));
    let up = |_| Value::Number(1.0);
    let written =
        [series("request_seconds", "a", restarted), series("request_seconds", "b", coarser), series("up", "a", up), series("up", "b", up)];
    real.take(&written).await.expect("it takes them");
    let now = Timestamp::from_seconds(BEGIN).plus(hours(1));
    let counted = Counted::from(&client(&real.url()), &slos(), now).await;
    let (from, to) = (Timestamp::from_seconds(BEGIN), Timestamp::from_seconds(BEGIN + COMPARED * 15));
    let of = |slo, group| counted.of(slo, group, from, to);
    assert_eq!(of("on-an-edge", ""), each(COMPARED, [2, 0, 8]), "0.25 is an edge of every resolution");
    assert_eq!(of("within-a-bucket", "a"), each(COMPARED, [2, 1, 2]), "0.31 lies in the bucket that holds 0.3");
    let (fine, coarse) = (each(CHANGE, [2, 1, 2]), each(COMPARED - CHANGE, [2, 2, 1]));
    assert_eq!(of("within-a-bucket", "b"), fine + coarse, "0.34, too, once buckets are wider");
}
