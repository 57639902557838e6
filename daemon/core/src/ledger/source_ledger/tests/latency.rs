//! Latency: thresholds of classic histograms.

use super::*;

/// One observation a second from `from` to `to`, of which this share lies up to each boundary, scraped every 15 s.
fn observed(source: &mut Source, from: i64, to: i64, buckets: &[(&str, f64)]) {
    for second in (from..to).step_by(15) {
        let n = f64::from(i32::try_from(second + 3600).expect("short"));
        for (le, share) in buckets {
            source.put(&[("__name__", "h_bucket"), ("job", "x"), ("instance", "a"), ("le", le)], at(second), (n * share).floor());
        }
        source.up("a", at(second), 1.0);
    }
}

fn no_bucket(daemon: &Daemon, now: i64) -> String {
    let unknown = daemon.ledger.sums(daemon.index("a", ""), at(now)).expect_err("no such bucket");
    assert_eq!(unknown.reason, Reason::NoBucket);
    unknown.detail
}

#[test]
fn a_threshold_counts_whatever_its_spelling() {
    let mut source = Source::default();
    observed(&mut source, -3600, 300, &[("1", 0.8), ("+Inf", 1.0)]);
    observed(&mut source, 300, 1200, &[("1.0", 0.8), ("+Inf", 1.0)]);
    let mut daemon = Daemon::start(vec![fixture::latency("a", 1.0, None)], at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    assert_eq!(daemon.ledger.between(daemon.index("a", ""), at(0), at(1190)), events(948, 237));
}

#[test]
fn observations_between_the_thresholds_are_tolerated() {
    let mut source = Source::default();
    observed(&mut source, -3600, 1200, &[("0.25", 0.8), ("1", 0.96), ("+Inf", 1.0)]);
    let mut daemon = Daemon::start(vec![fixture::latency("a", 0.25, Some(1.0))], at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    let counted = daemon.ledger.between(0, at(-900), at(600));
    assert_eq!(counted, Counts { good: 1200, tolerated: 240, bad: 60, unseen_millis: 0 });
}

#[test]
fn a_threshold_between_buckets_names_its_neighbours_and_counts_nothing() {
    let mut source = Source::default();
    observed(&mut source, -3600, 1200, &[("0.1", 0.7), ("1", 0.96), ("5", 0.99), ("10", 0.99), ("+Inf", 1.0)]);
    for (within, tolerated, advice) in [
        (0.25, None, "0.25 is no bucket boundary of h_bucket{job=\"x\"}; its neighbours are 0.1 and 1"),
        (0.1, Some(2.5), "2.5 is no bucket boundary of h_bucket{job=\"x\"}; its neighbours are 1 and 5"),
        (20.0, None, "20 is no bucket boundary of h_bucket{job=\"x\"}; the highest is 10"),
        (0.01, None, "0.01 is no bucket boundary of h_bucket{job=\"x\"}; the lowest is 0.1"),
    ] {
        let mut daemon = Daemon::start(vec![fixture::latency("a", within, tolerated)], at(0));
        daemon.tick_every(&source, 10, 0, 60);
        assert_eq!(no_bucket(&daemon, 60), advice);
        assert!(daemon.ledger.between(0, at(-3600), at(60)).is_zero(), "{advice}");
    }
}

#[test]
fn all_buckets_are_asked_for_only_where_a_threshold_is_missing_and_seldom() {
    let mut source = Source::default();
    observed(&mut source, -3600, 2400, &[("0.1", 0.7), ("1", 0.96), ("+Inf", 1.0)]);
    // The first look falls into the catching up of the first tick.
    for (within, looks) in [(0.1, 0), (0.25, 3)] {
        let mut daemon = Daemon::start(vec![fixture::latency("a", within, None)], at(0));
        let looking = |daemon: &Daemon, now: i64| {
            let queries = daemon.ledger.plan().queries();
            daemon.ledger.reads(at(now)).reads.iter().filter(|read| queries[read.query].to_string() == r#"h_bucket{job="x"}"#).count()
        };
        let mut asked = 0;
        for now in (0..=1830).step_by(10) {
            asked += looking(&daemon, now);
            daemon.tick(&source, at(now));
        }
        assert_eq!(asked, looks, "within {within}");
    }
}

#[test]
fn a_look_that_fails_changes_nothing() {
    let mut source = Source::default();
    observed(&mut source, -3600, 1200, &[("0.1", 0.7), ("1", 0.96), ("+Inf", 1.0)]);
    let mut daemon = Daemon::start(vec![fixture::latency("a", 0.25, None)], at(0));
    while daemon.round_without(&source, at(0), |selector| selector.to_string() == r#"h_bucket{job="x"}"#) {}
    daemon.tick(&source, at(10));
    assert_eq!(no_bucket(&daemon, 10), "0.25 is no bucket boundary of h_bucket{job=\"x\"}");
}

/// The daemons that lived through it step by step, with restarts, and one that reads it at once.
fn lived(slo: &Arc<Slo>, source: &Source, to: i64, restarts: &[i64]) -> Daemon {
    let mut daemon = Daemon::start(vec![Arc::clone(slo)], at(0));
    for now in (0..=to).step_by(10) {
        daemon.tick(source, at(now));
        if restarts.contains(&now) {
            daemon.restart(at(now));
        }
    }
    let mut at_once = Daemon::start(vec![Arc::clone(slo)], at(0));
    at_once.tick(source, at(to));
    assert_agree(&at_once, &daemon, at(to));
    daemon
}

#[test]
fn a_bucket_that_appears_later_counts_from_there() {
    for (tolerated, others, counted) in [
        (Some(1.0), vec![("0.25", 0.5), ("+Inf", 1.0)], Counts { good: 442, tolerated: 443, bad: 0, unseen_millis: 0 }),
        (None, vec![("+Inf", 1.0)], Counts { good: 442, tolerated: 0, bad: 443, unseen_millis: 0 }),
    ] {
        let mut source = Source::default();
        observed(&mut source, -3600, 300, &others);
        observed(&mut source, 300, 1200, &[("0.25", 0.5), ("1", 1.0), ("+Inf", 1.0)]);
        let slo = fixture::latency("a", 0.25, tolerated);
        for restarts in [vec![], vec![290, 300, 310], vec![330, 600]] {
            let daemon = lived(&slo, &source, 1190, &restarts);
            assert!(daemon.ledger.between(0, at(-3600), at(300)).is_zero());
            assert_eq!(daemon.ledger.between(0, at(-3600), at(1190)), counted, "what the bucket held when it came is no news");
            assert_eq!(daemon.ledger.counted_from(0), Some(at(300)));
        }
    }
}

#[test]
fn where_a_threshold_never_had_a_bucket_nothing_is_counted_at_any_moment() {
    let mut source = Source::default();
    observed(&mut source, -3600, 1200, &[("0.1", 0.7), ("1", 0.96), ("+Inf", 1.0)]);
    let daemon = lived(&fixture::latency("a", 0.25, None), &source, 1190, &[600]);
    assert_eq!(daemon.ledger.counted_from(0), None);
}

#[test]
fn while_a_bucket_is_gone_its_histogram_is_unseen_and_nothing_of_it_is_bad() {
    let (with, without): (&[_], &[_]) = (&[("0.25", 0.5), ("+Inf", 1.0)], &[("+Inf", 1.0)]);
    for (back, counted) in [(615, 7_185), (900, 7_185), (2_400, 7_185), (5_400, 7_185 - 4_815)] {
        let mut source = Source::default();
        observed(&mut source, -3600, 600, with);
        observed(&mut source, 600, back, without);
        observed(&mut source, back, 7_200, with);
        for restarts in [vec![], vec![590, 640, 900], vec![2_000, 5_410], vec![2_430]] {
            let daemon = lived(&fixture::latency("a", 0.25, None), &source, 7_190, &restarts);
            let Counts { good, bad, unseen_millis, .. } = daemon.ledger.between(0, at(0), at(7_190));
            assert_eq!(good + bad, counted, "back at {back}, {restarts:?}");
            assert!((good - bad).abs() <= 2, "half of them are in time: {good}, {bad}");
            assert_eq!(unseen_millis, (7_185 - counted).max(back - 600) * 1_000);
            let part = daemon.ledger.between(0, at(600), at(7_190));
            assert!((part.good - part.bad).abs() <= 2, "what is booked behind the last bucket is booked there of all: {part:?}");
        }
    }
}

#[test]
fn of_two_targets_of_which_one_lacks_the_bucket_the_other_counts() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        let n = f64::from(i32::try_from(second + 3600).expect("short"));
        for instance in ["a", "b"] {
            source.up(instance, at(second), 1.0);
            for (le, share) in [("0.25", 0.5), ("+Inf", 1.0)] {
                if le != "0.25" || instance != "b" || second < 300 {
                    source.put(
                        &[("__name__", "h_bucket"), ("job", "x"), ("instance", instance), ("le", le)],
                        at(second),
                        (n * share).floor(),
                    );
                }
            }
        }
    }
    let daemon = lived(&fixture::latency("a", 0.25, None), &source, 1190, &[300, 310, 900]);
    let counted = daemon.ledger.between(0, at(300), at(1190));
    assert_eq!(counted, Counts { good: 442, tolerated: 0, bad: 443, unseen_millis: 885_000 / 2 }, "half of what there is is not seen");
}
