//! Presence: slices of time in which something must exist.

use super::*;
use crate::{id::Group, window::Window};

fn exists(source: &mut Source, instance: &str, moments: impl IntoIterator<Item = i64>) {
    for second in moments {
        source.put(&[("__name__", "p"), ("job", "x"), ("instance", instance)], at(second), f64::NAN);
    }
}

fn ups(source: &mut Source, instance: &str, moments: impl IntoIterator<Item = i64>) {
    for second in moments {
        source.up(instance, at(second), 1.0);
    }
}

fn every(step: usize, from: i64, to: i64) -> impl Iterator<Item = i64> {
    (from..to).step_by(step)
}

fn unseen(counts: Counts, seconds: i64) -> Counts {
    Counts { unseen_millis: seconds * 1000, ..counts }
}

#[test]
fn a_slice_is_good_if_a_sample_lies_in_it_and_bad_if_none_does() {
    let mut source = Source::default();
    ups(&mut source, "a", every(15, -300, 900));
    exists(&mut source, "a", every(15, -300, 310).chain(every(15, 610, 900)));
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 890);
    // The last sample before the hole lies at 300 s, the first behind it at 610 s: the slices that end at 420 to 600 s have none, that of 360 s neither.
    assert_eq!(daemon.ledger.between(0, at(0), at(890)), events(9, 5));
    assert_eq!(daemon.reason(at(890)), None);
}

#[test]
fn what_was_never_seen_is_unknown_and_counts_nothing() {
    let mut source = Source::default();
    ups(&mut source, "a", every(15, -300, 900));
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 600);
    assert_eq!(daemon.reason(at(600)), Some(Reason::NoSeries));
    assert!(daemon.ledger.between(0, at(-7200), at(600)).is_zero());
    exists(&mut source, "a", every(15, 610, 700));
    daemon.tick_every(&source, 10, 610, 890);
    assert_eq!(daemon.ledger.between(0, at(-7200), at(890)), events(2, 2));
}

#[test]
fn while_the_scraper_stood_still_slices_are_unseen() {
    let mut source = Source::default();
    let moments = || every(15, -300, 310).chain(every(15, 610, 900));
    ups(&mut source, "a", moments());
    exists(&mut source, "a", moments());
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 540);
    assert_eq!(daemon.reason(at(540)), Some(Reason::Stale));
    daemon.tick_every(&source, 10, 550, 890);
    assert_eq!(daemon.ledger.between(0, at(0), at(890)), unseen(events(9, 0), 300));
    assert_eq!(daemon.reason(at(890)), None);
}

#[test]
fn a_standstill_shorter_than_the_slowest_targets_pace_is_seen_by_the_fastest() {
    let mut source = Source::default();
    ups(&mut source, "slow", every(60, -300, 900));
    let moments = || every(15, -300, 310).chain(every(15, 440, 900));
    ups(&mut source, "a", moments());
    exists(&mut source, "a", moments());
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 890);
    let counted = daemon.ledger.between(0, at(0), at(890));
    assert_eq!((counted.bad, counted.unseen_millis), (0, 120_000), "{counted:?}");
}

#[test]
fn a_target_that_fails_or_is_gone_is_absent_while_others_are_scraped() {
    let mut source = Source::default();
    ups(&mut source, "b", every(15, -300, 1200));
    ups(&mut source, "a", every(15, -300, 310));
    exists(&mut source, "a", every(15, -300, 310));
    for second in every(15, 315, 600) {
        source.up("a", at(second), 0.0);
    }
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    assert_eq!(daemon.ledger.between(0, at(0), at(1190)), events(5, 14));
}

#[test]
fn a_series_as_slow_as_the_slice_is_long_is_not_missed_by_chance() {
    let mut source = Source::default();
    let moments = || every(60, -300, 1800).map(|second| second + (second / 60) % 2 * 2 - 1);
    ups(&mut source, "a", moments());
    exists(&mut source, "a", moments());
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 1790);
    let counted = daemon.ledger.between(0, at(0), at(1790));
    assert_eq!((counted.bad, counted.unseen_millis), (0, 0), "{counted:?}");
}

#[test]
fn the_first_sample_of_a_target_stands_no_longer_than_others() {
    let mut source = Source::default();
    ups(&mut source, "a", every(2, 0, 200));
    exists(&mut source, "a", every(2, 0, 22).chain(every(2, 66, 200)));
    let slos = || vec![fixture::presence("a", Duration::from_secs(10), &[])];
    let mut daemon = Daemon::start(slos(), at(3));
    daemon.tick_every(&source, 1, 3, 190);
    assert_eq!(daemon.ledger.between(0, at(0), at(190)), events(15, 4));
    let mut at_once = Daemon::start(slos(), at(3));
    at_once.tick(&source, at(190));
    assert_agree(&at_once, &daemon, at(190));
}

#[test]
fn without_up_absence_cannot_be_told_from_blindness() {
    let mut source = Source::default();
    exists(&mut source, "a", every(15, -300, 310));
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 890);
    assert_eq!(daemon.ledger.between(0, at(0), at(890)), unseen(events(5, 0), 540));
    assert_eq!(daemon.reason(at(890)), Some(Reason::Stale));
}

#[test]
fn a_group_is_awaited_from_its_first_sample_on() {
    let mut source = Source::default();
    ups(&mut source, "a", every(15, -300, 900));
    exists(&mut source, "a", every(15, -300, 900));
    exists(&mut source, "b", every(15, 310, 610));
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &["instance"])], at(0));
    daemon.tick_every(&source, 10, 0, 890);
    let counted = |group| daemon.ledger.between(daemon.index("a", group), at(0), at(890));
    assert_eq!(counted("a"), events(14, 0));
    assert_eq!(counted("b"), events(5, 4));
}

#[test]
fn a_group_that_is_gone_for_a_whole_window_is_awaited_no_more() {
    let mut source = Source::default();
    ups(&mut source, "b", every(60, -600, 9000));
    exists(&mut source, "a", every(60, -600, 0));
    let mut slo = (*fixture::presence("a", minutes(5), &["instance"])).clone();
    slo.objectives[0].window = Window::Rolling(hours(2));
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    daemon.tick_every(&source, 60, 0, 8990);
    let counted = daemon.ledger.between(daemon.index("a", "a"), at(0), at(8990));
    assert_eq!(counted.bad, 23, "{counted:?}");
}

#[test]
fn expected_groups_are_awaited_from_the_start_and_no_others() {
    let mut source = Source::default();
    ups(&mut source, "a", every(15, -300, 900));
    exists(&mut source, "a", every(15, -300, 900));
    exists(&mut source, "c", every(15, -300, 900));
    let mut slo = (*fixture::presence("a", minutes(1), &["instance"])).clone();
    if let Sli::Presence { expected, .. } = &mut slo.sli {
        *expected = ["a", "b"].map(|instance| Group::new(vec![("instance".into(), instance.into())])).to_vec();
    }
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    daemon.tick_every(&source, 10, 0, 890);
    let counted = |group| daemon.ledger.between(daemon.index("a", group), at(0), at(890));
    assert_eq!((counted("a"), counted("b")), (events(14, 0), events(0, 14)));
    assert_eq!(daemon.ledger.streams().count(), 2);
    assert_eq!(daemon.ledger.sums(daemon.index("a", "b"), at(890)).map(|sums| sums.over(minutes(5))), Ok(events(0, 5)));
}

#[test]
fn expected_groups_are_awaited_from_the_first_scrape_that_the_source_shows() {
    let mut source = Source::default();
    ups(&mut source, "a", every(15, 300, 1500));
    exists(&mut source, "a", every(15, 300, 1500));
    let mut slo = (*fixture::presence("a", minutes(1), &["instance"])).clone();
    if let Sli::Presence { expected, .. } = &mut slo.sli {
        *expected = ["a", "b"].map(|instance| Group::new(vec![("instance".into(), instance.into())])).to_vec();
    }
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    daemon.tick_every(&source, 10, 0, 290);
    assert_eq!(daemon.ledger.streams().filter_map(|stream| stream.counted_from).count(), 0, "the source shows nothing yet");
    daemon.tick_every(&source, 10, 300, 900);
    daemon.restart(at(900));
    daemon.tick_every(&source, 10, 910, 1490);
    let b = daemon.index("a", "b");
    assert_eq!(daemon.ledger.streams().find(|stream| stream.index == b).and_then(|stream| stream.counted_from), Some(at(300)));
    // The slice that ends at the first scrape is no part of it.
    assert_eq!(daemon.ledger.between(b, at(-7 * 3600), at(1490)), events(0, 19));
    assert_eq!(daemon.ledger.between(daemon.index("a", "a"), at(-7 * 3600), at(1490)).good, 19);
}

#[test]
fn history_is_judged_by_its_steps() {
    let mut source = Source::default();
    ups(&mut source, "a", every(60, -86_400, 600));
    exists(&mut source, "a", every(60, -86_400, -43_000).chain(every(60, -39_400, 600)));
    let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
    daemon.tick_every(&source, 10, 0, 590);
    daemon.backfill(&source, at(590));
    let counted = daemon.ledger.between(0, at(-86_400), at(0));
    assert_eq!((counted.bad, counted.total()), (55, 1440));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Against the definition: scrapes every 15 s, slices of a minute, a source that never stands still.
    #[test]
    fn a_slice_is_what_its_samples_say(there in prop::collection::vec(prop::bool::weighted(0.3), 240), ticks in prop::collection::vec(1_i64..200, 1..60)) {
        let mut source = Source::default();
        ups(&mut source, "a", every(15, -600, 3600));
        exists(&mut source, "a", [-5].into_iter().chain((0_i64..).zip(&there).filter(|(_, there)| **there).map(|(nth, _)| nth * 15 + 5)));
        let mut daemon = Daemon::start(vec![fixture::presence("a", minutes(1), &[])], at(0));
        let mut now = 0;
        for later in ticks {
            now = (now + later).min(3590);
            daemon.tick(&source, at(now));
        }
        daemon.tick(&source, at(3590));
        let good = there.chunks(4).take(59).filter(|slice| slice.iter().any(|there| *there)).count();
        let counted = daemon.ledger.between(0, at(0), at(3540));
        prop_assert_eq!(counted, events(i64::try_from(good).expect("few"), 59 - i64::try_from(good).expect("few")));
    }
}
