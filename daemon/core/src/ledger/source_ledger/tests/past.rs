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
fn what_nobody_has_read_up_to_the_moment_is_unseen() {
    let source = traffic(-DAY, 0);
    let mut daemon = Daemon::start(availability(), at(-HOUR));
    daemon.tick_every(&source, 60, -HOUR, 0);
    let stream = daemon.ledger.streams().next().unwrap().index;
    assert_eq!(daemon.ledger.past(stream, at(0)).over(hours(1)).unseen_millis, 0);
    assert_eq!(daemon.ledger.past(stream, at(2 * HOUR)).over(hours(1)).unseen_millis, 3_600_000);
    assert_eq!(daemon.ledger.past(stream, at(2 * HOUR)).over(hours(3)).unseen_millis, 7_200_000);
}
