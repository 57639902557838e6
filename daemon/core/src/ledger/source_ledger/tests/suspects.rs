//! Counters that fall without a restart: replicas that answer in turn, and what may follow of it.

use super::*;

/// The code's counter of instance `a`, scraped each 15 s, as `value` has it by second.
fn counting(source: &mut Source, from: i64, to: i64, value: impl Fn(i64) -> u64) {
    for second in (from..to).step_by(15) {
        source.scrape(at(second), &[("200", value(second))]);
    }
}

fn to_whole(second: i64) -> u64 {
    u64::try_from(second + 10_000).expect("positive")
}

#[test]
fn a_counter_that_falls_and_keeps_more_than_half_is_not_seen_and_its_events_are_not_invented() {
    let mut source = Source::default();
    counting(&mut source, -3600, 600, to_whole);
    counting(&mut source, 600, 700, |second| to_whole(second) - 2000);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 610);
    let Err(unknown) = daemon.ledger.sums(0, at(610)) else { panic!("it is taken for seen") };
    assert_eq!(unknown.reason, Reason::SuspectReset);
    assert!(unknown.detail.contains("fell from 10585 to 8600: do replicas answer in turn?"), "{unknown}");
    daemon.tick_every(&source, 10, 620, 690);
    assert_eq!(daemon.ledger.between(0, at(0), at(690)).good, 585);
}

#[test]
fn two_processes_under_one_series_are_not_seen_whichever_was_scraped_last() {
    let mut source = Source::default();
    counting(&mut source, -3600, 900, to_whole);
    for second in (300..600).step_by(15) {
        source.scrape(at(second + 7), &[("200", to_whole(second) - 2000)]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 310);
    for now in 310..600 {
        daemon.tick(&source, at(now));
        assert_eq!(daemon.reason(at(now)), Some(Reason::SuspectReset), "{now}");
    }
    // One of them is gone: seen again as soon as no read holds its samples.
    daemon.tick_every(&source, 10, 600, 700);
    assert_eq!((daemon.reason(at(700)), daemon.ledger.between(0, at(0), at(700)).good), (None, 690));
}

#[test]
fn a_process_that_says_it_started_anew_and_one_that_counts_little_were_restarted() {
    for (kept, start) in [(8600_u64, Some(590)), (90, None), (2000, None)] {
        let mut source = Source::default();
        counting(&mut source, -3600, 600, to_whole);
        counting(&mut source, 600, 700, |second| kept + u64::try_from(second - 600).expect("positive"));
        if let Some(start) = start {
            source.started("a", at(600), at(start));
        }
        let mut daemon = Daemon::start(availability(), at(0));
        daemon.tick_every(&source, 10, 0, 690);
        assert_eq!(daemon.reason(at(690)), None, "{kept}");
        assert_eq!(daemon.ledger.between(0, at(0), at(690)).good, 585 + i64::try_from(kept).expect("small") + 90, "{kept}");
    }
}

#[test]
fn a_fall_that_lasts_is_a_new_beginning_of_which_nothing_before_counts() {
    let mut source = Source::default();
    counting(&mut source, -3600, 600, to_whole);
    counting(&mut source, 600, 9000, |second| to_whole(second) - 9000 / 2);
    let mut daemon = Daemon::start(availability(), at(0));
    let mut restarted = Daemon::start(availability(), at(0));
    for now in (0..8990).step_by(10) {
        daemon.tick(&source, at(now));
        if now % 400 == 0 {
            restarted.restart(at(now));
        }
        restarted.tick(&source, at(now));
    }
    assert_eq!(daemon.reason(at(8980)), None);
    // The last sample before the fall is that of 585 s; the first one more than half an hour later, of 2400 s, begins anew.
    assert_eq!(daemon.ledger.between(0, at(0), at(8980)).good, 585 + 8970 - 2400);
    assert_eq!(daemon.decoded(), restarted.decoded());
}

/// One step of an honest service with a bad event in 1,000 good ones, seen by two replicas that scrape at other seconds and that began at other times.
#[derive(Default)]
struct Pair {
    sources: [Source; 2],
}

impl Pair {
    fn scrape(&mut self, now: i64) {
        for (nth, (phase, behind)) in [(0, 0), (7, 700)].into_iter().enumerate() {
            if (now - phase) % 15 == 0 {
                let good = u64::try_from(now + 40_000).expect("positive") - behind;
                self.sources[nth].scrape(at(now), &[("200", good), ("500", good / 1000 + 1000 - behind / 7)]);
            }
        }
    }
}

#[test]
fn two_replicas_that_differ_and_answer_in_turn_invent_no_failure_in_10_000_steps() {
    let mut pair = Pair::default();
    (-3600..100_000).for_each(|now| pair.scrape(now));
    let mut daemon = Daemon::start(availability(), at(0));
    let mut turn = 1_u64;
    for step in 0..10_000 {
        let now = at(step * 10);
        // Which of them answers is as good as chance, and the same in every run.
        turn = turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        daemon.tick(&pair.sources[usize::from(turn >> 63 == 1)], now);
        if let Ok(sums) = daemon.ledger.sums(daemon.index("a", ""), now) {
            for lookback in [minutes(5), hours(1), hours(6)] {
                let counts = sums.over(lookback);
                assert!(counts.bad * 200 <= counts.total().max(400), "{counts:?} in {lookback:?} at step {step}");
            }
        }
    }
    let counts = daemon.ledger.between(0, at(0), at(99_000));
    assert!((0..=100).contains(&counts.bad) && counts.good <= 99_100, "more than ever happened: {counts:?}");
}
