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
        daemon.ledger.between(0, at(-3600), at(890)).bad
    });
    assert_eq!(counted, expected);
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
