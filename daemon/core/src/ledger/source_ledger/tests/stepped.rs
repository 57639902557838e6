//! SLOs of expressions: what each instant counts, what is unseen, and that neither batches nor restarts nor outages change any of it.

use super::*;
use crate::sli::{Comparison, Expression};

const MINUTE: i64 = 60;

fn expression(name: &str) -> Expression {
    Expression::new(name)
}

/// Good while the value of `v` is at most 2.
fn window(per: &[&str], slice: Duration) -> Arc<Slo> {
    let sli = Sli::Window { expression: expression("v"), is: Comparison::AtMost, threshold: 2.0, slice };
    Arc::new(fixture::slo("a", sli, per))
}

/// Bad events `b` of all events `t`.
fn query(name: &str, per: &[&str], step: Duration) -> Arc<Slo> {
    let sli = Sli::Query { counted: Bad(expression("b")), total: expression("t"), step };
    Arc::new(fixture::slo(name, sli, per))
}

/// The same, of every minute, under this name.
pub(super) fn query_of(name: &str) -> Arc<Slo> {
    query(name, &[], minutes(1))
}

pub(super) fn window_of(name: &str) -> Arc<Slo> {
    Arc::new(Slo { id: fixture::slo_id(name), ..(*window(&[], minutes(1))).clone() })
}

fn query_of_good() -> Arc<Slo> {
    let sli = Sli::Query { counted: crate::sli::Counted::Good(expression("g")), total: expression("t"), step: minutes(1) };
    Arc::new(fixture::slo("a", sli, &[]))
}

/// Values of `name` from the minute `first` on; `None` where there is none.
fn values(source: &mut Source, name: &str, first: i64, values: &[Option<f64>]) {
    for (minute, value) in (first..).zip(values) {
        if let Some(value) = value {
            source.put(&[("__name__", name)], at(minute * MINUTE), *value);
        }
    }
}

fn counted(good: i64, bad: i64, unseen_minutes: i64) -> Counts {
    Counts { good, bad, unseen_millis: unseen_minutes * MINUTE * 1000, ..Counts::default() }
}

/// What a daemon that runs from minute 0 to minute 12 knows of the minutes from 1 to 9, which are settled, and why it cannot see at the end.
#[track_caller]
fn check(slo: Arc<Slo>, source: &Source, expected: Counts) -> Option<Reason> {
    let mut daemon = Daemon::start(vec![slo], at(0));
    daemon.tick_every(source, 10, 0, 12 * MINUTE);
    let stream = daemon.ledger.streams().next().expect("a stream").index;
    assert_eq!(daemon.ledger.between(stream, at(0), at(9 * MINUTE)), expected);
    daemon.ledger.sums(stream, at(12 * MINUTE)).err().map(|unknown| unknown.reason)
}

#[test]
fn a_slice_is_good_where_its_value_compares_and_unseen_where_there_is_none() {
    let mut source = Source::default();
    let inf = f64::INFINITY;
    let minutes = [Some(2.0), Some(2.5), None, Some(f64::NAN), Some(inf), Some(-inf), Some(0.0), Some(1.0), Some(2.0), Some(2.0)];
    values(&mut source, "v", 1, &minutes);
    values(&mut source, "v", 11, &[Some(0.0), Some(0.0)]);
    assert_eq!(check(window(&[], super::minutes(1)), &source, counted(5, 2, 2)), None);
}

#[test]
fn a_value_that_is_not_a_number_is_a_reason_not_to_see_while_it_is_the_newest() {
    let mut source = Source::default();
    values(&mut source, "v", 1, &[Some(1.0); 9]);
    values(&mut source, "v", 10, &[Some(f64::NAN); 3]);
    assert_eq!(check(window(&[], minutes(1)), &source, counted(9, 0, 0)), Some(Reason::Nan));
}

#[test]
fn without_any_value_nothing_is_known() {
    let mut daemon = Daemon::start(vec![window(&[], minutes(1))], at(0));
    daemon.tick(&Source::default(), at(MINUTE));
    assert_eq!(daemon.reason(at(MINUTE)), Some(Reason::NoSeries));
    let mut source = Source::default();
    values(&mut source, "v", 0, &[Some(1.0); 3]);
    daemon.tick_every(&source, 10, 2 * MINUTE, 5 * MINUTE);
    assert_eq!(daemon.reason(at(5 * MINUTE)), None);
    daemon.tick(&source, at(6 * MINUTE));
    assert_eq!(daemon.reason(at(6 * MINUTE)), Some(Reason::Stale));
}

#[test]
fn events_are_counted_in_millionths_and_a_missing_side_is_none() {
    let mut source = Source::default();
    let total = [Some(10.0), Some(0.5), Some(0.0), None, Some(7.0)];
    values(&mut source, "t", 1, &total);
    values(&mut source, "t", 6, &[Some(1.0); 7]);
    values(&mut source, "b", 1, &[Some(0.25), None, Some(0.0), Some(3.0), Some(7.0)]);
    assert_eq!(check(query("a", &[], minutes(1)), &source, counted(14_250_000, 7_250_000, 1)), None);
}

#[test]
fn numbers_that_cannot_be_events_are_unseen_with_their_reason() {
    for (side, total, reason) in [
        (1.0, f64::NAN, Reason::Nan),
        (f64::NAN, 1.0, Reason::Nan),
        (0.0, f64::INFINITY, Reason::Infinite),
        (-1.0, 1.0, Reason::Negative),
        (0.0, -0.5, Reason::Negative),
        (0.0, 2e7, Reason::TooLarge),
        (3.0, 2.0, Reason::GoodAboveTotal),
    ] {
        let mut source = Source::default();
        for (name, value) in [("t", total), ("g", side)] {
            values(&mut source, name, 1, &[Some(1.0); 8]);
            values(&mut source, name, 9, &[Some(value); 4]);
        }
        let mut daemon = Daemon::start(vec![query_of_good()], at(0));
        daemon.tick_every(&source, 10, 0, 12 * MINUTE);
        assert_eq!(daemon.reason(at(12 * MINUTE)), Some(reason), "{side} of {total}");
        for name in ["t", "g"] {
            values(&mut source, name, 13, &[Some(1.0); 4]);
        }
        daemon.tick_every(&source, 10, 12 * MINUTE, 16 * MINUTE);
        assert_eq!(daemon.over(hours(1), at(16 * MINUTE)), counted(12_000_000, 0, 4), "{side} of {total}");
    }
}

#[test]
fn noise_of_floating_point_is_no_contradiction_and_more_bad_than_all_is_kept_for_the_alert() {
    let mut source = Source::default();
    values(&mut source, "t", 1, &[Some(0.3); 12]);
    values(&mut source, "g", 1, &[Some(0.1 + 0.2); 12]);
    values(&mut source, "b", 1, &[Some(0.4); 12]);
    assert_eq!(check(query_of_good(), &source, counted(2_700_000, 0, 0)), None);
    assert_eq!(check(query("a", &[], minutes(1)), &source, counted(-900_000, 3_600_000, 0)), None);
}

#[test]
fn several_values_at_once_contradict_each_other_until_they_are_told_apart() {
    let mut source = Source::default();
    for minute in 1..=12 {
        source.put(&[("__name__", "v"), ("pod", "x")], at(minute * MINUTE), 1.0);
        if minute > 8 {
            source.put(&[("__name__", "v"), ("pod", "y")], at(minute * MINUTE), 3.0);
        }
    }
    let mut daemon = Daemon::start(vec![window(&[], minutes(1))], at(0));
    daemon.tick_every(&source, 10, 0, 12 * MINUTE);
    assert_eq!(daemon.reason(at(12 * MINUTE)), Some(Reason::Duplicate));
    let mut daemon = Daemon::start(vec![window(&["pod"], minutes(1))], at(0));
    daemon.tick_every(&source, 10, 0, 12 * MINUTE);
    let over = |pod: &str| daemon.ledger.sums(daemon.index("a", pod), at(12 * MINUTE)).expect("seen").over(hours(1));
    assert_eq!((over("x"), over("y")), (counted(12, 0, 0), counted(0, 4, 0)));
}

#[test]
fn groups_beyond_the_cap_are_counted_together() {
    let mut source = Source::default();
    for minute in 1..=6 {
        for (tenant, total) in [("a", 1.0), ("b", 2.0), ("c", 3.0)] {
            source.put(&[("__name__", "t"), ("tenant", tenant)], at(minute * MINUTE), total);
        }
    }
    let settings = Settings { settle: minutes(1), max_groups_per_slo: 1, history: true };
    let mut daemon = Daemon::start_with(vec![query("a", &["tenant"], minutes(1))], settings, at(0));
    daemon.tick_every(&source, 10, 0, 6 * MINUTE);
    let over = |tenant: &str| daemon.ledger.sums(daemon.index("a", tenant), at(6 * MINUTE)).expect("seen").over(hours(1));
    assert_eq!((over("a").good, over("(other)").good), (6_000_000, 30_000_000));
}

#[test]
fn equal_expressions_are_one_query_and_targets_are_asked_for_only_beside_counters() {
    let printed = |slos: &[Arc<Slo>]| Plan::new(slos).queries().iter().map(ToString::to_string).collect::<Vec<_>>();
    let alone = [query("a", &[], minutes(1)), query("b", &["tenant"], minutes(1)), query("c", &[], minutes(5))];
    assert_eq!(printed(&alone), ["b every 1m", "t every 1m", "b every 5m", "t every 5m"]);
    let beside = [window(&[], minutes(1)), availability()[0].clone()];
    assert_eq!(printed(&beside), [r#"m{job="x"}"#, "v every 1m", "up", "process_start_time_seconds"]);
}

#[test]
fn history_is_filled_in_at_the_same_instants_and_joins_what_is_live() {
    let mut source = Source::default();
    let day = 24 * 60;
    for minute in (-40 * day..=0).filter(|minute| minute % 7 != 0) {
        source.put(&[("__name__", "v")], at(minute * MINUTE), if minute % 5 == 0 { 3.0 } else { 1.0 });
    }
    let now = at(MINUTE);
    let mut daemon = Daemon::start(vec![window(&[], minutes(1))], now);
    daemon.tick(&source, now);
    daemon.backfill(&source, now);
    let from = now.minus(days(30)).floor(HOUR);
    let asked = (1..=30 * day + 60).map(|minute| from.plus(super::minutes(minute.unsigned_abs()))).filter(|at| *at <= now);
    let naive: Counts = asked
        .map(|at| match source.series.values().next().expect("one").get(&at) {
            Some(value) if *value <= 2.0 => counted(1, 0, 0),
            Some(_) => counted(0, 1, 0),
            None => counted(0, 0, 1),
        })
        .sum();
    assert_eq!(daemon.over(days(30), now), naive);
    assert_eq!(daemon.ledger.fills(&daemon.slos[0].id).iter().map(|fill| fill.step).collect::<Vec<_>>(), [super::minutes(1)]);
    daemon.restart(now);
    daemon.tick(&source, now);
    assert_eq!(daemon.over(days(30), now), naive);
}

#[test]
fn a_changed_expression_keeps_the_history_and_counts_on_from_there() {
    let mut source = Source::default();
    values(&mut source, "v", 1, &[Some(1.0); 30]);
    let mut daemon = Daemon::start(vec![window(&[], minutes(1))], at(0));
    daemon.tick_every(&source, 10, 0, 10 * MINUTE);
    let sli = Sli::Window { expression: expression("v"), is: Comparison::AtMost, threshold: 0.5, slice: minutes(1) };
    daemon.replace_slos(vec![Arc::new(fixture::slo("a", sli, &[]))], at(10 * MINUTE));
    daemon.tick_every(&source, 10, 10 * MINUTE, 20 * MINUTE);
    assert_eq!(daemon.over(hours(1), at(20 * MINUTE)), counted(9, 11, 0));
}

/// What may come at an instant.
pub(super) fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (0_u32..5).prop_map(|value| Some(f64::from(value) / 2.0)),
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(-1.0)),
    ]
}

/// A window, events of expressions at another step, and counters beside them.
fn mixed() -> Vec<Arc<Slo>> {
    let counters = Arc::new(Slo { id: fixture::slo_id("c"), ..(*availability()[0]).clone() });
    vec![window(&["tenant"], minutes(1)), query("b", &[], minutes(5)), counters]
}

/// A window and a query of these names, each over expressions.
pub(super) fn expressions(of_window: &str, of_query: &str) -> Vec<Arc<Slo>> {
    let window = Slo { id: fixture::slo_id(of_window), ..(*window(&["tenant"], minutes(1))).clone() };
    vec![Arc::new(window), query(of_query, &[], minutes(5))]
}

fn recorded(tenants: &[Vec<Option<f64>>]) -> Source {
    let mut source = Source::default();
    record(&mut source, -90, tenants);
    steady(&mut source, -900, 3600, NEVER);
    source
}

/// The values of the expressions of up to three tenants from the minute `first` on.
pub(super) fn record(source: &mut Source, first: i64, tenants: &[Vec<Option<f64>>]) {
    for (tenant, column) in ["x", "y", "z"].into_iter().zip(tenants) {
        for (minute, value) in (first..).zip(column) {
            let Some(value) = value else { continue };
            source.put(&[("__name__", "v"), ("tenant", tenant)], at(minute * MINUTE), *value);
            if tenant == "x" {
                source.put(&[("__name__", "t")], at(minute * MINUTE), *value);
                source.put(&[("__name__", "b")], at(minute * MINUTE), value / 2.0);
            }
        }
    }
}

/// Good, bad and unseen slices of one tenant from its first value on, by looking at each instant.
fn naive(source: &Source, tenant: &str, end: Timestamp) -> Counts {
    let labels = fixture::labels(&[("__name__", "v"), ("tenant", tenant)]);
    let Some(samples) = source.series.get(&labels) else { return Counts::default() };
    let seen = |at: Timestamp| samples.get(&at).filter(|value| !value.is_nan());
    let first = samples.keys().find(|at| seen(**at).is_some());
    let instants = first.into_iter().flat_map(|first| (0..).map(|n| first.plus(minutes(n))).take_while(|at| *at <= end));
    let slice = |at: Timestamp| match seen(at) {
        Some(value) if *value <= 2.0 => counted(1, 0, 0),
        Some(_) => counted(0, 1, 0),
        None => counted(0, 0, 1),
    };
    instants.map(slice).sum()
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn down_and_caught_up_equals_never_down(
        tenants in prop::collection::vec(prop::collection::vec(value(), 1..220), 1..4),
        events in prop::collection::vec((1_i64..700, event(&["v", "t", "b", "m"])), 1..30),
    ) {
        let source = recorded(&tenants);
        let end = 7200;
        let mut calm = Daemon::start(mixed(), at(0));
        calm.tick_every(&source, 10, 0, end);
        let fleet = Fleet { all: mixed(), kept: mixed()[2..].to_vec(), split: split_otherwise(&mixed()) };
        let mut rough = Daemon::start(mixed(), at(0));
        let mut now = 0;
        for (later, event) in &events {
            now = (now + later).min(end - 1);
            rough.undergo(*event, &source, &fleet, at(now));
        }
        rough.replace_slos(mixed(), at(end));
        rough.tick(&source, at(end));
        prop_assert_eq!(rough.decoded(), calm.decoded());
        prop_assert_eq!(sums(&rough, at(end)), sums(&calm, at(end)));
        for (tenant, _) in ["x", "y", "z"].into_iter().zip(&tenants) {
            let stream = calm.ledger.streams().find(|stream| stream.slo.name.as_str() == "a" && stream.group.values() == tenant);
            let known = stream.map(|stream| calm.ledger.between(stream.index, at(-7200), at(end))).unwrap_or_default();
            prop_assert_eq!(known, naive(&source, tenant, at(end)));
        }
        rough.compact(at(end));
        rough.restart(at(end));
        rough.tick(&source, at(end));
        prop_assert_eq!(sums(&rough, at(end)), sums(&calm, at(end)));
    }
}
