//! Latency: thresholds of native histograms.

use super::*;

const H: &[(&str, &str)] = &[("__name__", "h"), ("job", "x"), ("instance", "a")];

/// Ten observations a scrape from `from` to `to`: two up to 0.25, five up to 0.5, three up to 1, counted since `born`.
fn observed(source: &mut Source, from: i64, to: i64, born: i64) {
    for second in (from..to).step_by(15) {
        let n = u64::try_from((second - born) / 15 + 1).expect("born before");
        source.observe(H, at(second), 10 * n, &[(0.125, 0.25, 2 * n), (0.25, 0.5, 5 * n), (0.5, 1.0, 3 * n)]);
        source.up("a", at(second), 1.0);
    }
}

fn counted(source: &Source, within: f64, from: i64, to: i64) -> Counts {
    let mut daemon = Daemon::start(vec![fixture::native_latency("a", within)], at(0));
    daemon.tick_every(source, 10, 0, 1190);
    daemon.ledger.between(daemon.index("a", ""), at(from), at(to))
}

const fn counts(good: i64, tolerated: i64, bad: i64) -> Counts {
    Counts { good, tolerated, bad, unseen_millis: 0 }
}

#[test]
fn a_threshold_on_an_edge_is_counted_exactly() {
    let mut source = Source::default();
    observed(&mut source, -3600, 1200, -7200);
    assert_eq!(counted(&source, 0.5, 0, 900), counts(7 * 60, 0, 3 * 60));
}

#[test]
fn what_lies_in_the_bucket_of_the_threshold_counts_half() {
    let mut source = Source::default();
    observed(&mut source, -3600, 1200, -7200);
    assert_eq!(counted(&source, 0.3, 0, 900), counts(2 * 60, 5 * 60, 3 * 60));
}

#[test]
fn a_restarted_process_counts_from_zero_though_the_whole_grew() {
    let mut source = Source::default();
    observed(&mut source, -3600, 300, -7200);
    for second in (300..1200).step_by(15) {
        let n = u64::try_from((second - 300) / 15 + 1).expect("after");
        source.observe(H, at(second), 9000 * n, &[(2.0, 4.0, 9000 * n)]);
        source.up("a", at(second), 1.0);
    }
    assert_eq!(counted(&source, 0.5, 290, 300), counts(0, 0, 9000), "no good one: buckets that held some are gone");
    assert_eq!(counted(&source, 0.5, 0, 600), counts(7 * 19, 0, 3 * 19 + 9000 * 21));
}

#[test]
fn a_coarser_resolution_costs_no_observation() {
    let mut source = Source::default();
    observed(&mut source, -3600, 300, -7200);
    for second in (300..1200).step_by(15) {
        let n = u64::try_from((second + 7200) / 15 + 1).expect("born before");
        source.observe(H, at(second), 10 * n, &[(0.0625, 0.25, 2 * n), (0.25, 1.0, 8 * n)]);
        source.up("a", at(second), 1.0);
    }
    assert_eq!(counted(&source, 0.25, 0, 900), counts(2 * 60, 0, 8 * 60), "0.25 is an edge of both");
    assert_eq!(counted(&source, 0.5, 0, 900), counts(7 * 19 + 2 * 41, 8 * 41, 3 * 19));
}

#[test]
fn the_first_observations_of_a_new_series_count() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        source.up("a", at(second), 1.0);
    }
    observed(&mut source, 300, 1200, 300);
    assert_eq!(counted(&source, 0.5, 0, 600), counts(7 * 21, 0, 3 * 21));
}

#[test]
fn a_plain_number_is_no_native_histogram() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        source.put(H, at(second), f64::from(i32::try_from(second + 3600).expect("short")));
        source.up("a", at(second), 1.0);
    }
    let mut daemon = Daemon::start(vec![fixture::native_latency("a", 0.5)], at(0));
    daemon.tick(&source, at(60));
    let unknown = daemon.ledger.sums(daemon.index("a", ""), at(60)).expect_err("nothing to judge");
    assert!(unknown.detail.contains("is no native histogram of whole numbers"), "{unknown}");
}

#[test]
fn native_histograms_are_asked_for_alone() {
    let slos = [fixture::native_latency("a", 0.5), fixture::native_latency("b", 0.3), fixture::latency("c", 0.3, None)];
    let plan = Plan::new(&slos);
    let asked: Vec<String> =
        plan.queries().iter().map(|query| format!("{query:?}").split('(').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(asked.iter().filter(|kind| *kind == "Histograms").count(), 1, "{:?}", plan.queries());
}

#[test]
fn down_and_caught_up_is_as_never_down() {
    let mut source = Source::default();
    observed(&mut source, -3600, 600, -7200);
    observed(&mut source, 600, 1200, 600);
    for within in [0.25, 0.3, 0.5] {
        let mut steady = Daemon::start(vec![fixture::native_latency("a", within)], at(0));
        steady.tick_every(&source, 10, 0, 1190);
        let mut away = Daemon::start(vec![fixture::native_latency("a", within)], at(0));
        away.tick_every(&source, 10, 0, 400);
        away.restart(at(900));
        away.tick_every(&source, 10, 900, 1190);
        let sum = |daemon: &Daemon| daemon.ledger.between(daemon.index("a", ""), at(-3600), at(1190));
        assert_eq!(sum(&steady), sum(&away), "within {within}");
    }
}
