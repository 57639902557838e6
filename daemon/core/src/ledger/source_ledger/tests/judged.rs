//! Verdicts on slices of time.

use super::*;
use crate::{
    exclusion::{ExcludedTime, Exclusion, ExclusionId, Exclusions, Owner, Scope},
    id::ObjectiveName,
    ledger::slice::Span,
    slo::{CountedIn, Objective, SliceRule},
    units::GoodShare,
    window::Interval,
};

pub(super) fn rule(length_minutes: u64) -> SliceRule {
    SliceRule { length: minutes(length_minutes), good_from: GoodShare::percent("99%").expect("a share") }
}

/// The same objective, counted in slices of so many minutes.
pub(super) fn in_slices(objective: &Objective, length_minutes: u64) -> Objective {
    let name = ObjectiveName::parse("slices").expect("a name");
    Objective { name, counted_in: CountedIn::Slices(rule(length_minutes)), ..objective.clone() }
}

fn by_the_minute() -> Vec<Arc<Slo>> {
    let mut slo = (*availability()[0]).clone();
    slo.objectives.push(in_slices(&slo.objectives[0], 1));
    vec![Arc::new(slo)]
}

/// Good and bad seconds, and seconds that nobody saw, from `from` to `to`.
fn verdicts(daemon: &Daemon, from: i64, to: i64) -> (i64, i64, i64) {
    let stream = daemon.ledger.judged(0, rule(1)).expect("something was judged");
    let counts = daemon.ledger.between(stream, at(from), at(to));
    (counts.good, counts.bad, counts.unseen_millis / 1000)
}

/// Takes nine minutes and a half out, from half past the thirtieth on.
fn take_out(daemon: &mut Daemon, now: i64) -> Vec<Interval> {
    let stretches = vec![Interval { from: at(1_830), to: at(2_400) }];
    let scope = Scope { of: Owner::Tenant, group: Group::whole() };
    let exclusion = Exclusion { id: ExclusionId(1), scope, recorded_at: at(3_600), withdrawn_at: None, stretches: stretches.clone() };
    let stored = daemon.stored();
    daemon.ledger.set_exclusions(Arc::new(Exclusions::new(vec![exclusion])), Some(&stored), at(now)).expect("own blobs");
    stretches
}

/// Slices that lie wholly within what is excluded count neither as good nor as bad, or as good, as the SLO says; one that an edge cuts keeps its verdict.
#[test]
fn excluded_slices_leave_the_window_or_count_as_good() {
    for now in [3_720, 3 * 86_400] {
        let mut source = Source::default();
        steady(&mut source, -3600, now + 60, 1_800);
        let mut daemon = Daemon::start(by_the_minute(), at(0));
        daemon.tick_every(&source, 10, 0, 3_720);
        daemon.tick_every(&source, 600, 3_720, now);
        for restarted in [false, true] {
            if restarted {
                daemon.compact(at(now));
                daemon.restart(at(now));
            }
            let stretches = take_out(&mut daemon, now);
            let stream = daemon.ledger.judged(0, rule(1)).expect("judged");
            let past = daemon.ledger.past(stream, at(3_600));
            let (all, excluded) = (past.since(at(0)), past.excluded(at(0), &stretches));
            assert_eq!((all.good, all.bad), (1_800, 1_800), "{now}");
            assert_eq!((excluded.counts.bad, excluded.counts.good, excluded.time.as_secs()), (540, 0, 540), "{now} {restarted}");
            let removed = ExcludedTime::Removed.apply(all, excluded.counts);
            let as_good = ExcludedTime::CountsAsGood.apply(all, excluded.counts);
            assert_eq!((removed.good, removed.bad), (1_800, 1_260));
            assert_eq!((as_good.good, as_good.bad), (2_340, 1_260));
        }
    }
}

#[test]
fn minutes_with_too_many_failures_are_down() {
    let mut source = Source::default();
    steady(&mut source, -3600, 7200, 1800);
    let mut daemon = Daemon::start(by_the_minute(), at(0));
    daemon.tick_every(&source, 10, 0, 3600);
    // Half an hour of which every request failed, judged up to the newest sample.
    assert_eq!(verdicts(&daemon, 0, 1800), (1800, 0, 0));
    assert_eq!(verdicts(&daemon, 1800, 3600), (0, 1800, 0));
    let stream = daemon.ledger.judged(0, rule(1)).expect("judged");
    let sums = daemon.ledger.sums(stream, at(3600)).expect("seen");
    assert_eq!(sums.over(minutes(30)).bad, 1800);
    assert_eq!(sums.since(at(1800)).bad, 1800);
    daemon.tick(&source, at(3610));
    assert_eq!(verdicts(&daemon, 1800, 3660), (0, 1800, 0), "a minute that is not over has no verdict");
}

#[test]
fn history_is_counted_and_not_judged_and_says_so() {
    let mut source = Source::default();
    steady(&mut source, -2 * 86_400, 7200, NEVER);
    let mut daemon = Daemon::start(by_the_minute(), at(0));
    daemon.tick_every(&source, 10, 0, 3600);
    daemon.backfill(&source, at(3600));
    for restarted in [false, true] {
        if restarted {
            daemon.compact(at(3600));
            daemon.restart(at(3600));
        }
        let stream = daemon.ledger.judged(0, rule(1)).expect("judged");
        let raw = at(-6 * 3600);
        assert!(daemon.ledger.counted_from(0).expect("counted") < at(-86_400));
        assert_eq!(daemon.ledger.counted_from(stream), Some(raw));
        let day = Interval { from: at(-86_400), to: at(3600) };
        assert_eq!(daemon.ledger.unjudged(stream, day), Some(Interval { to: raw, ..day }));
        assert_eq!(daemon.ledger.unjudged(stream, Interval { from: raw, ..day }), None);
        assert_eq!(daemon.ledger.unjudged(0, day), None, "events are counted there");
        assert_eq!(daemon.ledger.held_from(stream), Some(raw));
    }
}

#[test]
fn a_group_that_is_judged_later_than_those_behind_it_is_kept_in_order() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        let requests = u64::try_from(second + 3600).expect("positive");
        source.scrape_of("b", at(second), &[("200", requests)]);
        if second >= -15 {
            source.scrape_of("a", at(second), &[("200", requests)]);
        }
    }
    let mut slo = (*fixture::availability_per("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")], &["instance"])).clone();
    slo.objectives.push(in_slices(&slo.objectives[0], 1));
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    daemon.tick_every(&source, 10, 0, 900);
    daemon.restart(at(900));
    daemon.tick(&source, at(900));
    let good = |stream| daemon.ledger.between(daemon.ledger.judged(stream, rule(1)).expect("judged"), at(120), at(840)).good;
    assert_eq!((good(0), good(1)), (720, 720));
}

#[test]
fn minutes_without_requests_are_up_and_those_that_nobody_saw_are_neither() {
    let mut source = Source::default();
    for second in (-600..4000).step_by(15).filter(|second| !(1800..2400).contains(second)) {
        source.scrape(at(second), &[("200", 7)]);
    }
    let mut daemon = Daemon::start(by_the_minute(), at(0));
    daemon.tick_every(&source, 10, 0, 2100);
    let stream = daemon.ledger.judged(0, rule(1)).expect("judged");
    let provisional = daemon.ledger.judged_at(stream).expect("known").newer.clone();
    assert_eq!(provisional.spans, [Span { stream, from: at(1800), to: at(2100) }], "a silence that goes on is unseen, provisionally");
    daemon.tick_every(&source, 10, 2110, 3600);
    assert_eq!(verdicts(&daemon, 0, 1800), (1800, 0, 0));
    assert_eq!(verdicts(&daemon, 1800, 2400), (0, 0, 600));
    assert_eq!(verdicts(&daemon, 2400, 3540), (1140, 0, 0));
}

#[test]
fn failures_of_a_slice_that_come_late_change_its_verdict() {
    // Two instances: one is away for half an hour and comes back with failures that happened since, nobody knows when.
    let mut source = Source::default();
    for second in (-600..7200).step_by(15) {
        let requests = u64::try_from(second + 600).expect("positive");
        source.scrape_of("a", at(second), &[("200", requests), ("500", 0)]);
        if !(1800..3600).contains(&second) {
            source.scrape_of("b", at(second), &[("200", requests), ("500", if second < 1800 { 0 } else { 500 })]);
        }
    }
    let mut daemon = Daemon::start(by_the_minute(), at(0));
    daemon.tick_every(&source, 10, 0, 3600);
    assert_eq!(verdicts(&daemon, 0, 3000), (3000, 0, 0));
    daemon.tick_every(&source, 10, 3610, 5400);
    // They are booked right behind the last sample before.
    assert_eq!(verdicts(&daemon, 1740, 1800), (0, 60, 0));
    assert_eq!(verdicts(&daemon, 0, 3000), (2940, 60, 0));
}

#[test]
fn slices_are_judged_alike_after_a_restart_and_from_the_store_alone() {
    let mut source = Source::default();
    steady(&mut source, -3600, 90_000, 86_400);
    let mut daemon = Daemon::start(by_the_minute(), at(0));
    daemon.tick_every(&source, 30, 0, 3600);
    daemon.compact(at(3600));
    daemon.restart(at(3600));
    daemon.tick_every(&source, 600, 3630, 89_000);
    daemon.compact(at(89_000));
    let before = verdicts(&daemon, 0, 88_800);
    daemon.restart(at(89_000));
    daemon.tick(&source, at(89_000));
    assert_eq!((before, verdicts(&daemon, 0, 88_800)), ((86_400, 2_400, 0), (86_400, 2_400, 0)));
}

#[test]
fn history_that_was_filled_in_is_not_judged() {
    let mut source = Source::default();
    steady(&mut source, -3 * 86_400, 3600, -86_400);
    let mut daemon = Daemon::start(by_the_minute(), at(0));
    daemon.tick(&source, at(0));
    daemon.backfill(&source, at(0));
    daemon.tick_every(&source, 10, 10, 1200);
    let stream = daemon.ledger.judged(0, rule(1)).expect("judged");
    let judged = daemon.ledger.between(stream, at(-2 * 86_400), at(1200));
    assert_eq!(judged.total(), 6 * 3600 + 1200, "six hours of raw samples, and what came since");
}

#[test]
fn a_rule_that_is_new_judges_what_minutes_are_held_of() {
    let mut source = Source::default();
    steady(&mut source, -3600, 40_000, 36_000);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 60, 0, 36_600);
    daemon.replace_slos(by_the_minute(), at(36_600));
    assert!(daemon.ledger.lacks_history(), "the store has more minutes than the memory");
    daemon.restart(at(36_600));
    daemon.tick(&source, at(36_600));
    let (good, bad, _) = verdicts(&daemon, -3600, 36_600);
    assert_eq!((good, bad), (39_600, 600));
}
