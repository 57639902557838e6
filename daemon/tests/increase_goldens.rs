//! Counters that are reset, fall, or are not scraped for a while: what Prometheus's `increase` made of them, as Debian's 2.42 answered, beside what the
//! ledger counts of the same samples. The answers stand here, so that the ledger is held against them without a Prometheus, too; another test holds them
//! against the real one. `prometheus` and `promtool` must be on the path for that.

mod counted;

use std::{fmt::Write as _, sync::Arc, time::Duration};

use burnward::definition::{Source, document};
use burnward_core::{
    slo::Slo,
    time::{Timestamp, minutes},
};
use burnward_stand_ins::prometheus::{FakePrometheus, Real, backfill};
use counted::{Counted, client, context};

/// A whole number of minutes since the epoch: the ten minutes that are compared begin here, with a sample.
const BEGIN: i64 = 1_699_999_200;
const SCRAPE: i64 = 15;
/// Scrapes in the ten minutes after the beginning.
const SCRAPES: i64 = 40;

/// A counter, and what became of its ten minutes. A range of Prometheus 2 holds the samples at both of its ends, and there is one at each: nothing is
/// extrapolated.
struct Golden {
    what: &'static str,
    /// Its value at the n-th scrape after the beginning; `None`: it was not scraped.
    value: fn(i64) -> Option<i64>,
    /// `increase(...[10m])` as Prometheus 2.42 answered it.
    increase: i64,
    /// What the ledger counts.
    counted: i64,
}

const fn unless(missed: bool, value: i64) -> Option<i64> {
    if missed { None } else { Some(value) }
}

/// Ten events between two scrapes, on and on.
const GOLDENS: [Golden; 8] = [
    Golden { what: "no reset", value: |n| Some(1000 + 10 * n), increase: 400, counted: 400 },
    Golden { what: "a reset", value: |n| Some(if n < 10 { 1000 + 10 * n } else { 3 + 10 * (n - 10) }), increase: 393, counted: 393 },
    Golden {
        what: "two resets within a minute",
        value: |n| {
            Some(if n < 9 {
                1000 + 10 * n
            } else if n < 11 {
                2 + 10 * (n - 9)
            } else {
                1 + 10 * (n - 11)
            })
        },
        increase: 383,
        counted: 383,
    },
    Golden { what: "a reset to nothing", value: |n| Some(if n < 20 { 1000 + 10 * n } else { 0 }), increase: 190, counted: 190 },
    Golden { what: "a gap, then a jump", value: |n| unless(n > 12 && n < 23, 1000 + 10 * n), increase: 400, counted: 400 },
    Golden {
        what: "a reset in a gap",
        value: |n| unless(n > 12 && n < 23, if n < 13 { 1000 + 10 * n } else { 5 + 10 * (n - 23) }),
        increase: 295,
        counted: 295,
    },
    // Nothing tells that it began anew: both count the difference.
    Golden {
        what: "a reset in a gap that rose beyond",
        value: |n| unless(n > 12 && n < 23, if n < 13 { 1000 + 10 * n } else { 2000 + 10 * (n - 23) }),
        increase: 1170,
        counted: 1170,
    },
    // Prometheus takes it for a reset and invents 1,090 events. Nothing that an exporter does by itself looks like it: it is not seen until it has risen
    // beyond what it was, and then what it rose in all counts.
    Golden { what: "a fall of a little", value: |n| Some(if n < 10 { 1000 + 10 * n } else { 950 + 10 * n }), increase: 1440, counted: 350 },
];

const SLOS: &str = r#"version: burnward/v1
service: golden
team: operators
slos:
  - name: events
    sli: { events: { bad: 'golden_total{code="500"}', total: 'golden_total' } }
    per: [what]
    objectives: [{ target: 99.9%, window: 30d, alerting: none }]
"#;

fn slos() -> Vec<Arc<Slo>> {
    let (slos, _) = document::read(&Source::new("slo.yaml", SLOS), "0", &context()).expect("they load");
    slos
}

impl Golden {
    /// Every sample: ten minutes from before, in which nothing happens, the ten that are compared, and five behind them in which nothing happens either.
    fn samples(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let held = |n: i64| (self.value)(n.clamp(0, SCRAPES));
        (-SCRAPES..SCRAPES + 20).filter_map(move |n| Some((BEGIN + n * SCRAPE, held(n)?)))
    }
}

/// What the ledger counted of what the server there holds, by the names of the goldens.
async fn check_counted(url: &str) {
    let counted = Counted::from(&client(url), &slos(), Timestamp::from_seconds(BEGIN).plus(minutes(14))).await;
    let over = (Timestamp::from_seconds(BEGIN), Timestamp::from_seconds(BEGIN + SCRAPES * SCRAPE));
    for golden in &GOLDENS {
        let counts = counted.of("events", golden.what, over.0, over.1);
        assert_eq!((counts.good, counts.bad), (golden.counted, 0), "{}", golden.what);
        if golden.increase == golden.counted {
            assert_eq!(counts.unseen_millis > 0, golden.what.contains("gap"), "{}: {counts:?}", golden.what);
        }
    }
}

#[tokio::test]
async fn the_ledger_counts_what_prometheus_answered_and_not_what_it_invented() {
    let fake = FakePrometheus::start().await.unwrap();
    for golden in &GOLDENS {
        for (at, value) in golden.samples() {
            let labels = [("__name__", "golden_total"), ("job", "shop"), ("instance", "a:1"), ("what", golden.what)];
            fake.push(&labels, at * 1000, value as f64);
        }
    }
    check_counted(fake.url()).await;
}

#[tokio::test]
async fn the_answers_are_those_of_the_real_prometheus_and_its_samples_count_alike() {
    let mut history = "# TYPE golden counter\n".to_owned();
    for golden in &GOLDENS {
        for (at, value) in golden.samples() {
            writeln!(history, "golden_total{{job=\"shop\",instance=\"a:1\",what=\"{}\"}} {value} {at}", golden.what).unwrap();
        }
    }
    let dir = tempfile::tempdir().unwrap();
    backfill(dir.path(), &(history + "# EOF\n")).await.unwrap();
    let real = Real::start(dir.path(), "global: {}\n").await.unwrap();

    let end = Timestamp::from_seconds(BEGIN + SCRAPES * SCRAPE);
    let step = Duration::from_mins(10);
    let answer = client(&real.url()).read_steps("increase(golden_total[10m])", end.minus(step), end, step).await.unwrap();
    for golden in &GOLDENS {
        let series = answer.series.iter().find(|series| series.labels.get("what") == golden.what).expect(golden.what);
        let answered = series.samples.iter().find(|sample| sample.at == end).expect(golden.what).value;
        assert!((answered - golden.increase as f64).abs() < 1e-9, "{}: {answered}", golden.what);
    }
    check_counted(&real.url()).await;
}
