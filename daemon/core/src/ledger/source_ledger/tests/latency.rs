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

#[test]
fn a_bucket_that_appears_later_counts_from_there() {
    let mut source = Source::default();
    observed(&mut source, -3600, 300, &[("0.25", 0.5), ("+Inf", 1.0)]);
    observed(&mut source, 300, 1200, &[("0.25", 0.5), ("1", 1.0), ("+Inf", 1.0)]);
    let mut daemon = Daemon::start(vec![fixture::latency("a", 0.25, Some(1.0))], at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    assert!(daemon.ledger.between(0, at(-3600), at(280)).is_zero());
    let counted = daemon.ledger.between(0, at(600), at(900));
    assert_eq!(counted, Counts { good: 150, tolerated: 150, bad: 0, unseen_millis: 0 });
}
