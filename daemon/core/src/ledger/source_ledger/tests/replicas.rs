//! Two replicas of a source that differ, read one after the other.

use super::*;
use crate::ledger::Replica;

/// A service with an event each second and a bad one each 100 s, seen by two replicas: the second one scrapes 7 s later, and began 700 events later.
#[derive(Default)]
struct Pair {
    sources: [Source; 2],
}

impl Pair {
    fn scraped(seconds: std::ops::Range<i64>) -> Self {
        let mut pair = Self::default();
        for now in seconds {
            for (nth, (phase, behind)) in [(0, 0), (7, 700)].into_iter().enumerate() {
                if (now - phase) % 15 == 0 {
                    let happened = u64::try_from(now + 40_000).expect("positive");
                    pair.sources[nth].scrape(at(now), &[("200", happened - behind), ("500", happened / 100 - behind / 7)]);
                }
            }
        }
        pair
    }
}

fn replica(nth: usize) -> Replica {
    Replica::named(["http://a", "http://b"][nth])
}

/// A tick in which this one of the pair is read.
fn tick(daemon: &mut Daemon, pair: &Pair, nth: usize, now: Timestamp) {
    daemon.ledger.read_from(Some(replica(nth)));
    daemon.tick(&pair.sources[nth], now);
}

#[test]
fn a_switch_counts_nothing_across_it_and_nothing_twice() {
    let pair = Pair::scraped(-3600..3600);
    let mut daemon = Daemon::start(availability(), at(0));
    (0..=600).step_by(10).for_each(|now| tick(&mut daemon, &pair, 0, at(now)));
    assert_eq!(daemon.over(minutes(5), at(600)).good, 300);
    for now in (610..=3590).step_by(10) {
        tick(&mut daemon, &pair, 1, at(now));
        assert_eq!(daemon.reason(at(now)), None, "{now}");
        let five_minutes = daemon.over(minutes(5), at(now));
        assert!((270..=300).contains(&five_minutes.good) && five_minutes.bad <= 4, "{now}: {five_minutes:?}");
    }
    // The first one is counted up to 540 s; of the second the difference from 532 s to 547 s is not.
    assert_eq!(daemon.ledger.between(0, at(0), at(3590)).good, 540 + (3577 - 547));
}

#[test]
fn a_replica_that_stood_still_before_the_switch_brings_none_of_its_gap() {
    let mut pair = Pair::scraped(-3600..3600);
    pair.sources[1] = Source::default();
    for now in (-3593..300).chain(900..3600).filter(|now| (now - 7) % 15 == 0) {
        let happened = u64::try_from(now + 40_000).expect("positive");
        pair.sources[1].scrape(at(now), &[("200", happened), ("500", happened / 100)]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    (0..=800).step_by(10).for_each(|now| tick(&mut daemon, &pair, 0, at(now)));
    (810..=3590).step_by(10).for_each(|now| tick(&mut daemon, &pair, 1, at(now)));
    // Up to 735 s by the first one, from 907 s on by the second.
    let counts = daemon.ledger.between(0, at(0), at(3590));
    assert_eq!((counts.good, counts.bad), (735 + (3577 - 907), 7 + (35 - 9)));
    assert!(counts.unseen_millis > 100_000, "what nobody counted is unseen: {counts:?}");
}

#[test]
fn now_and_then_the_other_one_and_nothing_is_counted_that_did_not_happen() {
    let pair = Pair::scraped(-3600..100_000);
    let mut daemon = Daemon::start(availability(), at(0));
    let (mut turn, mut now_reads, mut switches) = (1_u64, 0, 0);
    for step in 0..10_000_i64 {
        let now = at(step * 10);
        // Chance, and the same in every run: about each hundredth step another one is read.
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if (turn >> 33).is_multiple_of(100) {
            (now_reads, switches) = (1 - now_reads, switches + 1);
        }
        tick(&mut daemon, &pair, now_reads, now);
        assert_eq!(daemon.reason(now), None, "step {step}");
        let hour = daemon.over(hours(1), now);
        assert!(hour.good <= 3600 + 120 && hour.bad <= 37, "step {step}: {hour:?}");
    }
    let counts = daemon.ledger.between(0, at(0), at(99_000));
    assert!(switches > 50, "{switches}");
    assert!((99_000 - 30 * switches..=99_000).contains(&counts.good), "{counts:?} in {switches} switches");
}

#[test]
fn a_series_that_returns_after_a_switch_and_a_restart_counts_nothing_across() {
    let mut pair = Pair::scraped(-3600..3600);
    // Both know it; it ended, and returns: the second replica has another count of it.
    let returning = [("__name__", "m"), ("job", "x"), ("instance", "a"), ("code", "503")];
    for (nth, value, back) in [(0, 5.0, 1200), (1, 90.0, 1207)] {
        pair.sources[nth].put(&returning, at(-300), value);
        pair.sources[nth].put(&returning, at(back), value + 1.0);
        pair.sources[nth].put(&returning, at(back + 15), value + 3.0);
    }
    for (nth, bad) in [(0, 15 + 3), (1, 15 + 2)] {
        for restarts_at in [None, Some(600), Some(900)] {
            let mut daemon = Daemon::start(availability(), at(0));
            for now in (0..=1290).step_by(10) {
                let reads = if now > 600 { nth } else { 0 };
                tick(&mut daemon, &pair, reads, at(now));
                if restarts_at == Some(now) {
                    let plan = Plan::new(&daemon.slos).read_from(Some(replica(nth)));
                    daemon.ledger = SourceLedger::restore(plan, daemon.settings, &daemon.stored(), at(now)).expect("own blobs");
                }
            }
            assert_eq!(daemon.ledger.between(0, at(-300), at(1290)).bad, bad, "replica {nth}, restarts at {restarts_at:?}");
        }
    }
}
