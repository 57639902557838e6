//! `new-series`: what the first value of a counter is taken for.

use super::*;
use crate::slo::NewSeries;

/// What is counted of a counter that is first seen at 7, at 600 s, with each policy: auto, count-first, baseline.
#[track_caller]
fn check(source: &Source, expected: [i64; 3]) {
    let counted = [NewSeries::Auto, NewSeries::CountFirst, NewSeries::Baseline].map(|policy| {
        let mut slo = (*availability()[0]).clone();
        slo.new_series = policy;
        let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
        daemon.tick_every(source, 10, 0, 890);
        let bad = daemon.ledger.between(0, at(-3600), at(890)).bad;
        let remembered = taken(&daemon, at(-7_200), at(890)).taken;
        assert_eq!(remembered.iter().map(|taken| taken.counts.bad).sum::<i64>(), bad, "{policy:?}: {remembered:?}");
        bad
    });
    assert_eq!(counted, expected);
}

/// How the first values within a stretch were taken.
fn taken(daemon: &Daemon, from: Timestamp, to: Timestamp) -> FirstValuesWithin {
    let stream = &daemon.ledger.streams[0].stream;
    daemon.ledger.first_values(&stream.slo, &stream.group, from, to).expect("it is counted")
}

/// By which rules a policy takes the first values of this source, and those of how many counters each, from the moment on that they are read and ever after.
#[track_caller]
fn check_rules(policy: NewSeries, source: &Source, expected: &[(FirstValueRule, usize, i64)]) {
    let mut slo = (*availability()[0]).clone();
    slo.new_series = policy;
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    daemon.tick_every(source, 10, 0, 590);
    assert_eq!(taken(&daemon, at(0), at(590)), FirstValuesWithin { taken: vec![], known_since: None }, "{policy:?} before");
    for now in [610, 650, 670, 700, 890] {
        daemon.tick(source, at(now));
        let rules: Vec<_> =
            taken(&daemon, at(0), at(now)).taken.iter().map(|taken| (taken.rule, taken.counters, taken.counts.bad)).collect();
        assert_eq!(rules, expected, "{policy:?} at {now}");
    }
}

#[test]
fn by_which_rule_first_values_were_taken_is_remembered() {
    use FirstValueRule::{NotSeen, Policy, SourceSeen, TargetSeen, TargetStarted};
    let mut seen = Source::default();
    well(&mut seen, "a", -600, 600);
    fails(&mut seen, "a");
    check_rules(NewSeries::Auto, &seen, &[(TargetSeen, 1, 7)]);
    check_rules(NewSeries::CountFirst, &seen, &[(TargetSeen, 1, 7)]);
    check_rules(NewSeries::Baseline, &seen, &[(Policy, 1, 0)]);
    let mut new = Source::default();
    well(&mut new, "a", -600, 900);
    fails(&mut new, "b");
    check_rules(NewSeries::Auto, &new, &[(NotSeen, 2, 0)]);
    check_rules(NewSeries::CountFirst, &new, &[(SourceSeen, 2, 7)]);
    new.started("b", at(600), at(590));
    check_rules(NewSeries::Auto, &new, &[(TargetStarted, 2, 7)]);
}

#[test]
fn what_was_taken_before_a_restart_is_told_as_not_known() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 600);
    fails(&mut source, "a");
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 800);
    assert_eq!(taken(&daemon, at(0), at(800)).taken.len(), 1);
    daemon.restart(at(810));
    daemon.tick_every(&source, 10, 810, 890);
    let settled = daemon.ledger.first_values.since;
    assert!(settled.is_some_and(|at_restart| at_restart >= at(730) && at_restart <= at(800)), "{settled:?}");
    assert_eq!(taken(&daemon, at(0), at(890)), FirstValuesWithin { taken: vec![], known_since: settled });
}

#[test]
fn what_is_beyond_the_bound_is_not_known_any_more() {
    let key = |series: u128| SeriesKey(series);
    let value = |second| FirstValue { at: at(second), rule: FirstValueRule::Policy, counts: Counts::default(), is_settled: true };
    let mut first_values = FirstValues::default();
    for second in 0..10_000 {
        first_values.take(BTreeMap::from([((0, at(second), key(1)), value(second)), ((0, at(second), key(2)), value(second))]), |_| true);
    }
    assert_eq!(first_values.since, Some(at(10_000 - 8_192 - 1)));
}

/// Fails seven times, and is scraped so from 600 s on.
fn fails(source: &mut Source, instance: &str) {
    for second in (600..900).step_by(15) {
        source.up(instance, at(second), 1.0);
        source.requests(instance, at(second), &[("200", 100), ("500", 7)]);
    }
}

fn well(source: &mut Source, instance: &str, from: i64, to: i64) {
    for second in (from..to).step_by(15) {
        source.up(instance, at(second), 1.0);
        source.requests(instance, at(second), &[("200", 100)]);
    }
}

#[test]
fn of_a_target_that_was_seen_before_first_failures_count() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 600);
    fails(&mut source, "a");
    check(&source, [7, 7, 0]);
}

#[test]
fn of_a_target_that_is_new_they_count_where_that_is_wished() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 900);
    fails(&mut source, "b");
    check(&source, [0, 7, 0]);
}

#[test]
fn of_a_target_that_just_started_they_count() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 900);
    fails(&mut source, "b");
    source.started("b", at(600), at(590));
    check(&source, [7, 7, 0]);
}

#[test]
fn of_a_target_that_was_there_before_a_standstill_they_are_events_of_it() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 300);
    fails(&mut source, "a");
    check(&source, [7, 7, 0]);
    check_events_of_gap(&source, 285);
}

#[test]
fn of_a_target_that_started_in_a_standstill_they_are_events_of_it() {
    let mut source = Source::default();
    well(&mut source, "a", -3_600, -2_000);
    fails(&mut source, "b");
    source.started("b", at(600), at(-900));
    check(&source, [7, 7, 0]);
    check_events_of_gap(&source, -900);
}

/// Failures are booked in the slice behind a moment, whatever restarts in the standstill.
#[track_caller]
fn check_events_of_gap(source: &Source, moment: i64) {
    for restarts in [vec![], vec![400], vec![330, 400, 590, 610]] {
        let mut daemon = Daemon::start(availability(), at(0));
        for now in (0..=890).step_by(10) {
            daemon.tick(source, at(now));
            if restarts.contains(&now) {
                daemon.compact(at(now));
                daemon.restart(at(now));
            }
        }
        let bad = |from: i64, to: i64| daemon.ledger.between(0, at(from), at(to)).bad;
        assert_eq!((bad(moment - 60, moment + 60), bad(-7_200, 890)), (7, 7));
    }
}

#[test]
fn behind_a_standstill_nothing_counts() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 300);
    fails(&mut source, "b");
    check(&source, [0, 0, 0]);
}

#[test]
fn no_read_reaches_back_before_a_standstill_of_more_than_a_day() {
    let mut source = Source::default();
    well(&mut source, "a", -600, 300);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 890);
    for hour in 1..120 {
        let now = at(hour * 3_600);
        let longest = daemon.ledger.reads(now).reads.iter().map(|read| read.to.since(read.from)).max();
        assert!(longest <= Some(days(1) + hours(2)), "{longest:?} in hour {hour}");
        daemon.tick(&source, now);
    }
}

#[test]
fn where_a_source_begins_nothing_counts() {
    let mut source = Source::default();
    fails(&mut source, "a");
    check(&source, [0, 0, 0]);
}

#[test]
fn where_a_source_begins_no_process_and_no_other_target_brings_what_was_before_it() {
    let mut source = Source::default();
    fails(&mut source, "a");
    source.started("a", at(600), at(560));
    for second in (607..900).step_by(15) {
        source.up("b", at(second), 1.0);
        source.requests("b", at(second), &[("200", 100), ("500", 7)]);
    }
    check(&source, [0, 0, 0]);
}

#[test]
fn of_a_target_that_started_since_the_source_began_they_count() {
    let mut source = Source::default();
    well(&mut source, "a", 500, 900);
    fails(&mut source, "b");
    source.started("b", at(600), at(590));
    check(&source, [7, 7, 0]);
}

/// A source that has not indexed yet what it holds, or is not yet there, answers that there is nothing.
#[test]
fn what_a_source_shows_only_later_is_where_counting_begins() {
    let (nothing, mut source) = (Source::default(), Source::default());
    for second in (-30_000..900).step_by(15) {
        source.up("a", at(second), 1.0);
        source.requests("a", at(second), &[("200", 100 + u64::from(second > 800)), ("500", 7)]);
    }
    for policy in [NewSeries::Auto, NewSeries::CountFirst, NewSeries::Baseline] {
        for hidden in [0, 1, 2, 30, 69, 71, 72, 73, 80, 100] {
            let mut slo = (*availability()[0]).clone();
            slo.new_series = policy;
            let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
            let (mut rounds, mut now) = (0, 0);
            while now < 890 {
                let behind = daemon.round_without(if rounds < hidden { &nothing } else { &source }, at(now), |_| false);
                (rounds, now) = (rounds + 1, if behind { now } else { now + 10 });
            }
            let Counts { good, bad, .. } = daemon.ledger.between(0, at(-30_000), at(890));
            assert_eq!((good, bad), (1, 0), "{policy:?}, after {hidden} rounds");
        }
    }
}

#[test]
fn without_up_the_other_series_of_the_slo_show_that_the_source_was_scraped() {
    let mut source = Source::default();
    for second in (-600..900).step_by(15) {
        source.requests("a", at(second), &[("200", 100)]);
    }
    for second in (600..900).step_by(15) {
        source.requests("b", at(second), &[("500", 7)]);
    }
    check(&source, [0, 7, 0]);
}
