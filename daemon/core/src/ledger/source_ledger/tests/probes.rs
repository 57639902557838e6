//! Probes: every raw sample is an event.

use super::*;

/// Samples of a probe every 15 s, good but in `down`.
fn probed(source: &mut Source, instance: &str, from: i64, to: i64, down: std::ops::Range<i64>) {
    for second in (from..to).step_by(15) {
        source.up(instance, at(second), 1.0);
        let value = if down.contains(&second) { 0.0 } else { 1.0 };
        source.put(&[("__name__", "p"), ("job", "x"), ("instance", instance)], at(second), value);
    }
}

#[test]
fn each_sample_is_an_event_and_counts_once() {
    let mut source = Source::default();
    probed(&mut source, "a", 0, 600, 300..360);
    let mut daemon = Daemon::start(vec![fixture::probe("a", &["p"], &[])], at(0));
    daemon.tick_every(&source, 10, 0, 590);
    assert_eq!(daemon.ledger.between(0, at(-60), at(590)), events(36, 4));
    assert_eq!(daemon.over(minutes(5), at(590)), events(16, 4));
}

#[test]
fn the_first_sample_counts_like_any_other() {
    let mut source = Source::default();
    probed(&mut source, "a", -600, 600, 0..0);
    probed(&mut source, "b", 300, 600, 300..316);
    let mut daemon = Daemon::start(vec![fixture::probe("a", &["p"], &["instance"])], at(0));
    daemon.tick_every(&source, 10, 0, 590);
    assert_eq!(daemon.ledger.between(daemon.index("a", "b"), at(-60), at(590)), events(18, 2));
}

#[test]
fn gauges_of_a_list_are_summed() {
    let mut source = Source::default();
    probed(&mut source, "a", 0, 600, 300..360);
    let mut daemon = Daemon::start(vec![fixture::probe("a", &["p", "up"], &[])], at(0));
    daemon.tick_every(&source, 10, 0, 590);
    assert_eq!(daemon.ledger.between(0, at(-60), at(590)), events(76, 4));
}

#[test]
fn a_failed_scrape_hides_other_probes_and_is_what_a_probe_of_up_counts() {
    let mut source = Source::default();
    probed(&mut source, "a", 0, 300, 0..0);
    source.up("a", at(300), 0.0);
    source.up("a", at(315), 0.0);
    probed(&mut source, "a", 330, 600, 0..0);
    let slos = vec![fixture::probe("a", &["p"], &[]), fixture::probe("b", &["up"], &[])];
    let mut daemon = Daemon::start(slos, at(0));
    daemon.tick_every(&source, 10, 0, 590);
    let counted = |slo| daemon.ledger.between(daemon.index(slo, ""), at(-60), at(590));
    assert_eq!(counted("a"), Counts { unseen_millis: 30_000, ..events(38, 0) });
    assert_eq!(counted("b"), events(38, 2));
}

#[test]
fn a_probe_of_up_asks_nothing_beside_what_tells_of_targets() {
    let plan = Plan::new(&[fixture::probe("a", &["up"], &[])]);
    let printed: Vec<_> = plan.queries().iter().map(ToString::to_string).collect();
    assert_eq!(printed, ["up", "process_start_time_seconds"]);
}

#[test]
fn what_is_no_number_is_told_and_not_counted() {
    for (value, reason) in [(f64::NAN, Reason::Nan), (f64::INFINITY, Reason::Infinite)] {
        let mut source = Source::default();
        probed(&mut source, "a", 0, 300, 0..0);
        source.put(&[("__name__", "p"), ("job", "x"), ("instance", "a")], at(300), value);
        let mut daemon = Daemon::start(vec![fixture::probe("a", &["p"], &[])], at(0));
        daemon.tick_every(&source, 10, 0, 310);
        assert_eq!(daemon.reason(at(310)), Some(reason));
        assert_eq!(daemon.ledger.between(0, at(-60), at(310)), events(20, 0));
    }
}

#[test]
fn history_weighs_as_much_as_what_is_live() {
    let mut source = Source::default();
    probed(&mut source, "a", -86_400, 600, -43_200..-39_600);
    let mut daemon = Daemon::start(vec![fixture::probe("a", &["p"], &[])], at(0));
    daemon.tick_every(&source, 10, 0, 590);
    daemon.backfill(&source, at(590));
    // An hour of 24 h was down: 240 of the 5,760 samples, of which most were asked for at five minutes' steps.
    let counted = daemon.ledger.between(0, at(-86_400), at(0));
    assert_eq!((counted.bad, counted.total()), (240, 5760));
}
