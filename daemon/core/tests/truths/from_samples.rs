//! The same pitfalls from raw samples through the source's ledger: what is counted from what Prometheus holds.

use std::{sync::Arc, time::Duration};

use burnward_core::{
    burn_rate::FailedShare,
    exclusion::ExcludedTime,
    id::{ObjectiveName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    ledger::{Counts, Plan, Query, Reason, Sample, Series, Settings, SourceLedger, Sums, Unknown},
    sli::{CompiledSelector, Counted, Dialect, HistogramKind, Labels, MatchOp, Matcher, Selector, Sli},
    slo::{CountedIn, LowTraffic, NewSeries, NoData, NoDataThen, NoTraffic, Objective, Origin, Slo},
    status::Status,
    time::{Timestamp, days, hours, minutes},
    window::Window,
};

use crate::slices::target;

/// When the recorded day begins.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_700_006_400);

fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// A series with a value at each minute of the day that `value` gives one for.
pub(crate) fn series(pairs: &[(&str, &str)], value: impl Fn(i64) -> Option<i64>) -> Series {
    let at = |minute: i64| START.plus(minutes(u64::try_from(minute).expect("not before the start")));
    let samples = (0..=1440).filter_map(|minute| Some(Sample { at: at(minute), value: value(minute)? as f64 })).collect();
    Series::new(labels(pairs), samples)
}

pub(crate) const TOTAL: &[(&str, &str)] = &[("__name__", "requests_total"), ("job", "shop"), ("instance", "a")];
pub(crate) const BAD: &[(&str, &str)] = &[("__name__", "failures_total"), ("job", "shop"), ("instance", "a")];

fn equal(label: &str, value: &str) -> Matcher {
    Matcher { label: label.into(), op: MatchOp::Equal, value: value.into() }
}

pub(crate) fn availability() -> Sli {
    let selector = |metric| vec![Selector::new(metric, vec![equal("job", "shop")])];
    Sli::Events { counted: Counted::Bad(selector("failures_total")), total: selector("requests_total") }
}

fn latency(within: f64) -> Sli {
    Sli::Latency {
        buckets: Selector::new("seconds_bucket", vec![equal("job", "shop")]),
        kind: HistogramKind::Classic,
        within,
        tolerated: None,
    }
}

pub(crate) fn slo(sli: Sli) -> Slo {
    Slo {
        id: SloId {
            tenant: TenantId::parse("main").expect("a name"),
            service: ServiceName::parse("checkout").expect("a name"),
            name: SloName::parse("availability").expect("a name"),
        },
        was: None,
        title: "Customers can pay".into(),
        team: TeamName::parse("payments").expect("a name"),
        runbook: None,
        source: SourceName::parse("prom").expect("a name"),
        sli,
        per: vec![],
        objectives: vec![Objective {
            name: ObjectiveName::parse("day").expect("a name"),
            target: target("99.9%"),
            window: Window::Rolling(days(1)),
            counted_in: CountedIn::Events,
            rows: vec![],
        }],
        no_data: NoData { after: minutes(5), then: NoDataThen::TellOwner },
        no_traffic: NoTraffic::Fine,
        new_series: NewSeries::Auto,
        low_traffic: LowTraffic::Exact,
        excluded_time: ExcludedTime::Removed,
        status: Status::Active,
        origin: Origin { file: "checkout.yaml".into(), line: 1, version: "0".into() },
    }
}

/// The ledger of a source with these series, read at every minute of the day.
pub(crate) struct Day {
    pub(crate) ledger: SourceLedger,
    pub(crate) slo: Arc<Slo>,
}

impl Day {
    pub(crate) fn of(sli: Sli, held: &[Series]) -> Self {
        Self::of_slo(slo(sli), held)
    }

    pub(crate) fn of_slo(slo: Slo, held: &[Series]) -> Self {
        let slo = Arc::new(slo);
        let settings = Settings { settle: minutes(1), max_groups_per_slo: 1000, history: true };
        let mut ledger = SourceLedger::new(Plan::new(&[Arc::clone(&slo)]), settings, START);
        for minute in 0..=1440 {
            round(&mut ledger, held, START.plus(minutes(minute)));
        }
        Self { ledger, slo }
    }

    /// What was counted over a lookback from the end of the day.
    pub(crate) fn over(&self, lookback: Duration) -> Counts {
        let stream = self.ledger.streams().next().expect("a stream").index;
        self.ledger.sums(stream, START.plus(days(1))).expect("it is seen").over(lookback)
    }

    fn failed(&self) -> f64 {
        FailedShare::of(self.over(days(1))).expect("traffic").as_f64()
    }

    /// Why the one stream has no sums at the end of the day.
    pub(crate) fn unknown(&self) -> Option<Unknown> {
        let stream = self.ledger.streams().find(|stream| *stream.slo == self.slo.id).expect("a stream").index;
        self.ledger.sums(stream, START.plus(days(1))).err()
    }
}

/// Reads until nothing more is to be caught up.
fn round(ledger: &mut SourceLedger, held: &[Series], now: Timestamp) {
    for _ in 0..100 {
        let reads = ledger.reads(now);
        let answers: Vec<_> =
            reads.reads.iter().map(|read| Ok(answer(&ledger.plan().queries()[read.query], held, read.from, read.to))).collect();
        let counted = ledger.count(&reads, &answers);
        ledger.apply(counted);
        if !reads.catching_up {
            return;
        }
    }
    panic!("the ledger never catches up");
}

fn answer(query: &Query, held: &[Series], from: Timestamp, to: Timestamp) -> Vec<Series> {
    let Query::Raw(selector) = query else { panic!("{query} is no plain selector") };
    let query = CompiledSelector::new(selector, Dialect::default());
    let within = |series: &Series| {
        let samples = series.samples.iter().filter(|sample| from < sample.at && sample.at <= to).copied().collect();
        Series::new(series.labels.clone(), samples)
    };
    held.iter().filter(|series| query.matches(&series.labels)).map(within).filter(|series| !series.samples.is_empty()).collect()
}

#[test]
fn an_outage_at_night_is_600_of_727_200_events() {
    let total = series(TOTAL, |minute| Some(1000 * minute.min(720) + 10 * (minute - 720).max(0)));
    let bad = series(BAD, |minute| Some(10 * (minute - 1380).max(0)));
    let day = Day::of(availability(), &[total, bad]);
    assert_eq!((day.over(days(1)).bad, day.over(days(1)).total()), (600, 727_200));
    assert!((day.failed() - 8.2508e-4).abs() < 1e-8, "{}", day.failed());
}

#[test]
fn ten_minutes_without_traffic_leave_a_perfect_day_perfect() {
    let total = series(TOTAL, |minute| Some(100 * (minute - (minute - 700).clamp(0, 21))));
    let bad = series(BAD, |_| Some(0));
    let day = Day::of(availability(), &[total, bad]);
    assert_eq!(day.failed().to_bits(), 0.0_f64.to_bits());
    assert_eq!(day.over(days(1)).total(), 141_900);
}

#[test]
fn a_failure_series_born_in_the_last_hour_is_a_share_of_the_whole_day() {
    let total = series(TOTAL, |minute| Some(100 * minute));
    let bad = series(BAD, |minute| (minute >= 1380).then(|| 10 * (minute - 1380)));
    let day = Day::of(availability(), &[total, bad]);
    assert!((day.failed() - 600.0 / 144_000.0).abs() < 1e-12, "{}", day.failed());
}

#[test]
fn the_first_failures_of_a_new_series_of_a_known_target_count() {
    let total = series(TOTAL, |minute| Some(100 * minute));
    let bad = series(BAD, |minute| (minute >= 1000).then_some(7));
    assert_eq!(Day::of(availability(), &[total, bad]).over(days(1)).bad, 7);
}

#[test]
fn the_first_value_of_an_unknown_target_is_where_counting_starts() {
    let total = series(TOTAL, |minute| Some(100 * minute));
    let other = [("__name__", "failures_total"), ("job", "shop"), ("instance", "b")];
    let bad = series(&other, |minute| (minute >= 1000).then(|| 7 + i64::from(minute >= 1200)));
    assert_eq!(Day::of(availability(), &[total, bad]).over(days(1)).bad, 1);
}

#[test]
fn counts_are_whole_and_exact_over_every_lookback() {
    let total = series(TOTAL, |minute| Some(3 * minute));
    let bad = series(BAD, Some);
    let day = Day::of(availability(), &[total, bad]);
    for lookback in [minutes(5), minutes(30), hours(1), hours(6)] {
        let minutes = i64::try_from(lookback.as_secs() / 60).expect("short");
        assert_eq!((day.over(lookback).bad, day.over(lookback).total()), (minutes, 3 * minutes), "{lookback:?}");
    }
}

#[test]
fn a_reset_counts_from_zero() {
    let total = series(TOTAL, |minute| Some(100 * minute));
    let bad = series(BAD, |minute| Some(if minute < 700 { 50 } else { 3 }));
    assert_eq!(Day::of(availability(), &[total, bad]).over(days(1)).bad, 3);
}

fn bucket<'a>(instance: &'a str, le: &'a str) -> [(&'a str, &'a str); 4] {
    [("__name__", "seconds_bucket"), ("job", "shop"), ("instance", instance), ("le", le)]
}

/// Of 100 observations a minute 90 are within a second.
fn histogram(instance: &str, second: &str) -> [Series; 2] {
    [series(&bucket(instance, second), |minute| Some(90 * minute)), series(&bucket(instance, "+Inf"), |minute| Some(100 * minute))]
}

#[test]
fn every_spelling_of_a_bucket_boundary_is_the_same_boundary() {
    let held = [histogram("a", "1"), histogram("b", "1.0"), histogram("c", "1e0")].concat();
    let day = Day::of(latency(1.0), &held);
    assert_eq!((day.over(hours(1)).bad, day.over(hours(1)).total()), (3 * 600, 3 * 6000));
}

#[test]
fn a_threshold_that_is_no_boundary_is_unknown_and_never_all_bad() {
    let day = Day::of(latency(0.5), &histogram("a", "1"));
    assert_eq!(day.unknown().map(|unknown| unknown.reason), Some(Reason::NoBucket));
    let stream = day.ledger.streams().next().expect("a stream").index;
    assert_eq!(day.ledger.between(stream, START, START.plus(days(1))), Counts::default());
}
