//! For which time nobody could see.

use super::*;
use crate::{
    assumed::{self, Stretch},
    slo::CountedIn,
};

#[test]
fn when_the_scraper_stood_still_sums_are_equal_and_the_time_is_unseen() {
    let mut source = Source::default();
    steady(&mut source, -3600, 1000, NEVER);
    let (before, after) = (990, 4005);
    for second in (after..6000).step_by(15) {
        source.scrape(at(second), &[("200", u64::try_from(second + 3600).unwrap() + 1000)]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 5990);
    assert_eq!(daemon.over(days(30), at(5990)), Counts { unseen_millis: (after - before) * 1000, ..events(3600 + 5985, 0) });
    // A lookback that starts inside the gap does not hold what happened in it.
    assert_eq!(daemon.over(hours(1), at(5990)).good, 5985 - after);
    assert_eq!(daemon.over(minutes(30), at(5990)), Counts { unseen_millis: 0, ..events(1800, 0) });
}

#[test]
fn a_scraper_that_stood_still_for_days_forgets_no_counter() {
    for hours_long in [1, 2, 50] {
        let after = 1000 + hours_long * 3600;
        let mut source = Source::default();
        steady(&mut source, -3600, 1000, NEVER);
        for second in (after..after + 600).step_by(15) {
            source.scrape(at(second), &[("200", u64::try_from(second + 3600).unwrap() + 1000)]);
        }
        let mut daemon = Daemon::start(availability(), at(0));
        daemon.tick_every(&source, 10, 0, 1500);
        daemon.tick_every(&source, 300, 1500, after + 590);
        daemon.tick(&source, at(after + 590));
        assert_eq!(daemon.over(days(30), at(after + 590)).good, 3600 + after + 585, "{hours_long} h");
    }
}

#[test]
fn a_failed_scrape_is_unseen_by_its_share() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        let value = u64::try_from(second + 3600).unwrap();
        source.scrape_of("b", at(second + 5), &[("200", value)]);
        if (300..600).contains(&second) {
            source.up("a", at(second), 0.0);
        } else {
            source.scrape_of("a", at(second), &[("200", value)]);
        }
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    let counts = daemon.over(hours(1), at(1190));
    assert_eq!(counts.unseen_millis, 300_000 / 2);
    // What happened meanwhile is counted when it is seen.
    assert_eq!(daemon.ledger.between(0, at(0), at(1190)).good, 1185 + 1200);
}

#[test]
fn a_target_that_is_gone_is_removed_and_not_unseen() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        let value = u64::try_from(second + 3600).unwrap();
        source.scrape_of("b", at(second + 5), &[("200", value)]);
        if second < 300 {
            source.scrape_of("a", at(second), &[("200", value)]);
        }
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    assert_eq!(daemon.over(hours(1), at(1190)).unseen_millis, 0);
}

/// Pods that are replaced every hour, over four days, with a restart each day.
#[test]
fn targets_that_are_gone_are_forgotten_a_day_later_and_known_again_when_they_are_back() {
    const END: i64 = 4 * 86_400;
    let mut source = Source::default();
    for second in (-3_600..END).step_by(60) {
        // The first one is back for the last hours.
        let hour = if second >= END - 10_800 { -1 } else { second.div_euclid(3_600) };
        let pod = format!("pod{hour}");
        source.scrape_of(&pod, at(second), &[("200", u64::try_from(second + 3_600).expect("after the start"))]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    let mut most = 0;
    for now in (0..END).step_by(300) {
        daemon.tick(&source, at(now));
        most = most.max(daemon.ledger.streams[0].targets.len());
        if now % 86_400 == 43_200 {
            daemon.restart(at(now + 60));
        }
    }
    assert!((20..=30).contains(&most), "{most}");
    let counts = daemon.ledger.between(0, at(0), at(END - 600));
    assert_eq!(counts.unseen_millis, 0, "{counts:?}");
    // What happened between the last scrape of a pod and the first of the next belongs to neither.
    assert!(counts.good >= (END - 10_800) * 59 / 60 - 600 && counts.bad == 0, "{counts:?}");
}

/// Another service that is scraped all along, and a target with requests over these moments.
fn beside_another(source: &mut Source, instance: &str, moments: impl IntoIterator<Item = i64>) {
    for second in moments {
        source.scrape_of(instance, at(second), &[("200", u64::try_from(second + 3_600).expect("after the start"))]);
    }
    for second in (-3_600..1_200).step_by(15) {
        source.up("another", at(second + 5), 1.0);
    }
}

#[test]
fn where_all_targets_are_gone_beside_others_nobody_can_say_then_and_later() {
    let mut source = Source::default();
    beside_another(&mut source, "a", (-3_600..300).chain(600..1_200).step_by(15));
    for restarts in [vec![], vec![300, 320, 400], vec![590, 610, 660]] {
        let mut daemon = Daemon::start(availability(), at(0));
        for now in (0..=1_190).step_by(10) {
            daemon.tick(&source, at(now));
            if now == 590 {
                assert_eq!(daemon.reason(at(now)), Some(Reason::Stale));
                assert_eq!(daemon.ledger.past(0, at(now)).over(hours(1)).unseen_millis, 305_000);
            }
            if restarts.contains(&now) {
                daemon.restart(at(now));
            }
        }
        assert_eq!(daemon.over(hours(1), at(1_190)).unseen_millis, 315_000);
        assert_eq!(daemon.ledger.past(0, at(590)).over(hours(1)).unseen_millis, 305_000, "as it was then");
        let mut at_once = Daemon::start(availability(), at(0));
        at_once.tick(&source, at(1_190));
        assert_agree(&at_once, &daemon, at(1_190));
    }
}

/// What is scraped rarely, or of which it is not known yet how often, is awaited for longer than the others, however much is read at once.
#[test]
fn where_one_of_two_targets_is_scraped_rarely_it_is_seen_while_that_one_is() {
    let mut source = Source::default();
    for second in (-3_600..1_200).step_by(15) {
        source.up("another", at(second + 5), 1.0);
    }
    for second in (-3_600..1_200).step_by(60) {
        source.scrape_of("rare", at(second), &[("200", u64::try_from(second + 3_600).expect("after the start"))]);
    }
    for second in (-3_600..231).step_by(15) {
        source.scrape_of("often", at(second + 7), &[("200", u64::try_from(second + 3_600).expect("after the start"))]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1_190);
    assert_eq!(daemon.over(hours(1), at(1_190)).unseen_millis, 0);
    let mut at_once = Daemon::start(availability(), at(0));
    at_once.tick(&source, at(1_190));
    assert_agree(&at_once, &daemon, at(1_190));
}

#[test]
fn a_target_tells_of_a_stream_from_its_first_sample_there() {
    let mut source = Source::default();
    beside_another(&mut source, "a", (-3_600..300).step_by(15));
    beside_another(&mut source, "b", (500..1_200).step_by(15));
    for second in (320..500).step_by(15) {
        source.up("b", at(second), 1.0);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1_190);
    assert_eq!(daemon.over(hours(1), at(1_190)).unseen_millis, (500 - 285) * 1_000);
    let mut at_once = Daemon::start(availability(), at(0));
    at_once.tick(&source, at(1_190));
    assert_agree(&at_once, &daemon, at(1_190));
}

#[test]
fn without_up_a_silent_stream_is_unseen() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15).filter(|second| !(300..600).contains(second)) {
        let value = f64::from(i32::try_from(second + 3600).unwrap());
        source.put(&[("__name__", "m"), ("job", "x"), ("instance", "a"), ("code", "200")], at(second), value);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    assert_eq!(daemon.over(hours(1), at(1190)).unseen_millis, (600 - 285) * 1000);
}

#[test]
fn up_that_comes_later_is_used_from_then_on() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        if second >= 600 {
            source.up("a", at(second), if second == 900 { 0.0 } else { 1.0 });
        }
        if second != 900 {
            source.requests("a", at(second), &[("200", u64::try_from(second + 3600).unwrap())]);
        }
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    assert_eq!(daemon.over(hours(1), at(1190)).unseen_millis, 15_000);
}

#[test]
fn what_is_lost_in_a_gap_with_a_restart_lies_within_what_the_gap_may_hide() {
    let mut source = Source::default();
    steady(&mut source, -7200, 1000, NEVER);
    for second in (4005..9000).step_by(15) {
        source.scrape(at(second), &[("200", u64::try_from(second - 4000).unwrap())]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 8990);
    let now = at(8990);
    let sums = daemon.ledger.sums(0, now).expect("seen");
    let counts = sums.over(days(30));
    assert_eq!(counts, Counts { unseen_millis: 3_015_000, ..events(990 + 7200 + 8985 - 4000, 0) });
    // One request a second before and after: what was lost between 990 and 4000, and 5 s more that the restarted process told.
    let stretch = |sums: &dyn Sums, span| {
        let stretch = Stretch { from: now.minus(span), to: now, counted_from: Some(at(-7200)) };
        assumed::events(&availability()[0], CountedIn::Events, sums.over(span).unseen_millis, sums, stretch)
    };
    assert_eq!(stretch(&sums, days(30)), 3015);
    assert_eq!(stretch(&sums, minutes(30)), 0, "a lookback without unseen time hides nothing");
    assert_eq!(stretch(&daemon.ledger.past(0, now), days(30)), 3015, "the past tells the same");
}

/// A process that is down and still a target: each scrape of it fails.
#[test]
fn while_scrapes_fail_each_second_is_unseen_once() {
    let mut source = Source::default();
    scraped_at(&mut source, (-600..300).chain(600..1_200).step_by(15));
    for second in (300..600).step_by(15) {
        source.up("a", at(second), 0.0);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    for now in (0..=1_190).step_by(10) {
        daemon.tick(&source, at(now));
        if (340..600).contains(&now) {
            assert_eq!(daemon.reason(at(now)), Some(Reason::Stale), "{now}");
            for lookback in [minutes(30), days(30)] {
                let unseen = daemon.ledger.past(0, at(now)).over(lookback).unseen_millis / 1_000;
                assert!((now - 285..=now - 270).contains(&unseen), "{now}: {unseen} s");
            }
        }
    }
    assert_eq!(daemon.over(hours(1), at(1_190)).unseen_millis, 300_000);
}

#[test]
fn what_is_not_seen_now_is_unseen_before_it_ends() {
    let mut source = Source::default();
    scraped_at(&mut source, (-3600..=600).step_by(15));
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 650);
    assert_eq!(daemon.over(minutes(5), at(650)).unseen_millis, 50_000);
    assert!(daemon.history.spans.is_empty());
}
