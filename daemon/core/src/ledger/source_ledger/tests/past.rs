//! Sums that end at a moment of the past.

use super::*;

/// Ten events a second, of which one in a hundred fails, scraped each minute.
fn traffic(from: i64, to: i64) -> Source {
    let mut source = Source::default();
    for second in (from..=to).step_by(60) {
        let all = u64::try_from(second - from).unwrap() * 10;
        source.scrape(at(second), &[("200", all - all / 100), ("500", all / 100)]);
    }
    source
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

#[test]
fn sums_of_a_moment_are_what_the_ledger_held_then() {
    let source = traffic(-40 * DAY, 2 * HOUR);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(0));
    daemon.backfill(&source, at(0));
    let stream = daemon.ledger.streams().next().unwrap().index;
    let live = daemon.over(days(30), at(0));
    daemon.tick_every(&source, 60, 60, 2 * HOUR);
    let past = daemon.ledger.past(stream, at(0));
    assert_eq!(past.over(days(30)), live);
    assert_eq!(past.since(at(-HOUR)), daemon.ledger.between(stream, at(-HOUR), at(0)));
}

#[test]
fn a_week_that_ended_a_week_ago_is_whole() {
    let source = traffic(-60 * DAY, 0);
    let mut daemon = Daemon::start(availability(), at(-50 * DAY));
    daemon.tick(&source, at(-50 * DAY));
    daemon.backfill(&source, at(-50 * DAY));
    daemon.tick_every(&source, 30 * 60, -50 * DAY + 60, 0);
    let stream = daemon.ledger.streams().next().unwrap().index;
    assert!(daemon.ledger.held_from(stream).unwrap() <= at(-44 * DAY), "{:?}", daemon.ledger.held_from(stream));
    for days_ago in [1, 7, 14] {
        let counts = daemon.ledger.past(stream, at(-days_ago * DAY)).over(days(30));
        assert_eq!((counts.total(), counts.unseen_millis), (30 * DAY * 10, 0), "{days_ago} days ago");
    }
}

#[test]
fn a_moment_is_blind_later_as_it_was_then_and_a_slice_that_was_seen_in_part_tells_nothing() {
    let (gone, back) = (HOUR, 3 * HOUR + 1800);
    let mut source = Source::default();
    for second in (-DAY..=40 * DAY).step_by(60).filter(|second| !(gone + 1..back).contains(second)) {
        source.scrape(at(second), &[("200", u64::try_from(second + DAY).unwrap())]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    let moments: Vec<i64> = (30..4 * HOUR).step_by(60).collect();
    let live = moments.iter().map(|now| {
        daemon.tick(&source, at(*now));
        daemon.reason(at(*now)) == Some(Reason::Stale)
    });
    let live: Vec<bool> = live.collect();
    let blind_for = |daemon: &Daemon, now: i64| daemon.ledger.past(0, at(now)).blind_for();
    let later: Vec<bool> = moments.iter().map(|now| blind_for(&daemon, *now).is_some()).collect();
    assert_eq!(later, live);
    assert_eq!(later.iter().filter(|blind| **blind).count(), 146, "two hours and a half, but for the time until the fourth scrape is late");
    assert_eq!(blind_for(&daemon, 2 * HOUR), Some(hours(1)));
    assert_eq!(blind_for(&daemon, gone), None);
    // Of this age slices of an hour are kept: that of two and of three o'clock are unseen, of the one after nobody knows which half.
    daemon.tick_every(&source, 1800, 5 * HOUR, 40 * DAY);
    for (now, is_blind) in [(2 * HOUR, true), (2 * HOUR + 60, true), (3 * HOUR, true), (3 * HOUR + 900, false), (4 * HOUR, false)] {
        assert_eq!(blind_for(&daemon, now), is_blind.then(|| at(now).since(at(gone))), "{now}");
    }
}

#[test]
fn what_nobody_has_read_up_to_the_moment_is_unseen() {
    let source = traffic(-DAY, 0);
    let mut daemon = Daemon::start(availability(), at(-HOUR));
    daemon.tick_every(&source, 60, -HOUR, 0);
    let stream = daemon.ledger.streams().next().unwrap().index;
    assert_eq!(daemon.ledger.past(stream, at(0)).over(hours(1)).unseen_millis, 0);
    assert_eq!(daemon.ledger.past(stream, at(2 * HOUR)).over(hours(1)).unseen_millis, 3_600_000);
    assert_eq!(daemon.ledger.past(stream, at(2 * HOUR)).over(hours(3)).unseen_millis, 7_200_000);
}

/// What was counted stays counted, and a moment of the past is what it was, while the source says nothing after a restart.
#[test]
fn a_restart_while_the_source_is_away_makes_nothing_unseen_that_was_seen() {
    let source = traffic(-2 * DAY, 0);
    for (fills, away) in [(true, 90), (true, HOUR), (false, 90)] {
        let mut daemon = Daemon::start(availability(), at(-HOUR));
        daemon.tick(&source, at(-HOUR));
        if fills {
            daemon.backfill(&source, at(-HOUR));
        }
        daemon.tick_every(&source, 30, -HOUR, 0);
        let stream = daemon.ledger.streams().next().unwrap().index;
        let past = |daemon: &Daemon, now: i64| [hours(1), days(1)].map(|lookback| daemon.ledger.past(stream, at(now)).over(lookback));
        let (before, newest) = (past(&daemon, -600), daemon.ledger.streams().next().unwrap().newest_sample);
        daemon.restart(at(away));
        for now in [away, away + 30] {
            daemon.round_without(&source, at(now), |_| true);
            assert_eq!(past(&daemon, -600), before, "of a moment of the past");
            let held = daemon.ledger.streams().next().unwrap();
            assert!(
                held.newest_sample.is_some_and(|at| at <= newest.unwrap() && newest.unwrap().since(at) <= minutes(2)),
                "{:?}",
                held.newest_sample
            );
            let unseen = past(&daemon, now)[1].unseen_millis - before[1].unseen_millis;
            assert!(unseen > (away - 120) * 1_000 && unseen <= (now + 120) * 1_000, "{unseen} of {now} s");
        }
        assert_eq!(daemon.ledger.past(stream, at(away)).blind_for().is_some(), away > 300, "{away}");
        daemon.tick(&source, at(away + 60));
        assert_eq!(past(&daemon, -600), before, "once it answers");
    }
}
