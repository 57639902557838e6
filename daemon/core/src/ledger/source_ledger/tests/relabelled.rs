//! Labels of a target that are added, removed or changed while it runs.

use super::*;
use crate::slo::NewSeries;

type Pairs = &'static [(&'static str, &'static str)];

/// Labels of the target's own, of which `up` may have others than what it exposes.
#[derive(Debug, Clone, Copy)]
struct Worn {
    up: Pairs,
    metrics: Pairs,
}

const PLAIN: Worn = worn(&[]);
const PROD: Pairs = &[("env", "prod")];
const TEST: Pairs = &[("env", "test")];

/// By `relabel_configs`.
const fn worn(labels: Pairs) -> Worn {
    Worn { up: labels, metrics: labels }
}

/// By `metric_relabel_configs`.
const fn sewn_on(labels: Pairs) -> Worn {
    Worn { up: &[], metrics: labels }
}

/// A service of a long life with many failures behind it.
fn scrape(source: &mut Source, second: i64, Worn { up, metrics }: Worn) {
    let elapsed = u64::try_from(second + 3_600).expect("after the start");
    scrape_of(source, second, up, metrics, 1_000_000 + elapsed, 50_000 + elapsed / 60);
}

fn scrape_of(source: &mut Source, second: i64, up: Pairs, metrics: Pairs, good: u64, bad: u64) {
    let moment = at(second);
    let mut put = |labels: &[(&'static str, &'static str)], more: Pairs, value: u64| {
        source.put(&[&[("job", "x"), ("instance", "a")], labels, more].concat(), moment, value as f64);
    };
    put(&[("__name__", "up")], up, 1);
    put(&[("__name__", "m"), ("code", "200")], metrics, good);
    put(&[("__name__", "m"), ("code", "500")], metrics, bad);
    for (le, count) in [("0.1", good / 2), ("1.0", good), ("+Inf", good + bad)] {
        put(&[("__name__", "h_bucket"), ("le", le)], metrics, count);
    }
    let native = [(0.05, 0.1, good / 2), (0.5, 1.0, good - good / 2)];
    source.observe(&[&[("__name__", "h"), ("job", "x"), ("instance", "a")], metrics].concat(), moment, good, &native);
}

/// Scraped every 15 s, from each of these moments on with these labels.
fn history(worn: &[(i64, Worn)]) -> Source {
    let mut source = Source::default();
    for second in (-900..2_400).step_by(15) {
        let (_, now) = worn.iter().rfind(|(from, _)| *from <= second).expect("from the start on");
        scrape(&mut source, second, *now);
    }
    source
}

fn slos() -> Vec<Arc<Slo>> {
    vec![availability()[0].clone(), fixture::latency("l", 0.1, Some(1.0)), fixture::native_latency("n", 0.07)]
}

/// What a daemon holds in the end that read every so many seconds, and was restarted at these moments.
fn read(source: &Source, step: i64, restarts: &[i64]) -> Daemon {
    let mut daemon = Daemon::start(slos(), at(0));
    for now in (0..=2_370).step_by(usize::try_from(step).expect("positive")) {
        daemon.tick(source, at(now));
        if restarts.iter().any(|restart| (now..now + step).contains(restart)) {
            daemon.compact(at(now));
            daemon.restart(at(now));
        }
    }
    daemon.tick(source, at(2_370));
    daemon
}

/// Nothing is different from a target whose labels were never touched, however it is read.
#[track_caller]
fn check_as_if_untouched(worn: &[(i64, Worn)]) {
    let (source, untouched) = (history(worn), history(&[(-900, PLAIN)]));
    let expected = read(&untouched, 10, &[]);
    for (step, restarts) in
        [(10, vec![]), (10, vec![590, 600, 610, 640, 660, 670]), (30, vec![]), (200, vec![600]), (790, vec![]), (2_370, vec![])]
    {
        let daemon = read(&source, step, &restarts);
        assert_agree(&daemon, &expected, at(2_370));
    }
    let [mut daemon, mut expected] = [read(&source, 2_370, &[]), read(&untouched, 2_370, &[])];
    daemon.backfill(&source, at(2_370));
    expected.backfill(&untouched, at(2_370));
    assert_agree(&daemon, &expected, at(2_370));
}

#[test]
fn a_label_that_is_added_changes_no_count() {
    check_as_if_untouched(&[(-900, PLAIN), (600, worn(PROD))]);
    check_as_if_untouched(&[(-900, PLAIN), (600, sewn_on(PROD))]);
}

#[test]
fn nor_does_one_that_is_removed() {
    check_as_if_untouched(&[(-900, worn(PROD)), (600, PLAIN)]);
    check_as_if_untouched(&[(-900, sewn_on(PROD)), (600, PLAIN)]);
}

#[test]
fn nor_one_that_is_changed() {
    check_as_if_untouched(&[(-900, worn(TEST)), (600, worn(PROD))]);
}

#[test]
fn nor_several_of_both() {
    check_as_if_untouched(&[(-900, worn(&[("env", "test"), ("zone", "a")])), (600, worn(&[("env", "prod"), ("team", "t")]))]);
    check_as_if_untouched(&[(-900, sewn_on(&[("a", "1"), ("b", "2")])), (600, sewn_on(&[("c", "3")]))]);
}

#[test]
fn one_that_comes_and_goes_changes_none_either() {
    for worn in [worn(PROD), sewn_on(PROD)] {
        check_as_if_untouched(&[(-900, PLAIN), (600, worn), (690, PLAIN), (1_500, worn)]);
    }
}

#[test]
fn over_a_standstill_the_counts_go_on() {
    for worn in [worn(PROD), sewn_on(PROD)] {
        let [source, untouched] = [&[(-900, PLAIN), (600, worn)][..], &[(-900, PLAIN)]].map(|worn| {
            let mut source = history(worn);
            for samples in source.series.values_mut() {
                samples.retain(|moment, _| *moment < at(600) || *moment >= at(1_200));
            }
            source
        });
        assert_agree(&read(&source, 10, &[]), &read(&untouched, 10, &[]), at(2_370));
        assert_agree(&read(&source, 10, &[900, 1_190, 1_210]), &read(&untouched, 10, &[]), at(2_370));
    }
}

/// The failures that are counted from 600 s on, where the target is scraped every 15 s and what it exposes changes there.
#[track_caller]
fn check_bad(expected: i64, up: [Pairs; 2], before: &[(Pairs, u64)], after: &[(Pairs, u64)], started: Option<i64>) {
    let mut source = Source::default();
    for second in (-900..900).step_by(15) {
        let late = usize::from(second >= 600);
        source.put(&[&[("__name__", "up"), ("job", "x"), ("instance", "a")], up[late]].concat(), at(second), 1.0);
        source.requests("a", at(second), &[("200", 100)]);
        for (labels, value) in [before, after][late] {
            source.put(&[&[("__name__", "m"), ("job", "x"), ("instance", "a")], *labels].concat(), at(second), *value as f64);
        }
        source.started("a", at(second), at(started.filter(|_| second >= 600).unwrap_or(-50_000)));
    }
    for step in [10, 30, 890] {
        let mut daemon = Daemon::start(availability(), at(0));
        daemon.tick_every(&source, step, 0, 890);
        daemon.tick(&source, at(890));
        assert_eq!(daemon.ledger.between(0, at(-3_600), at(890)).bad, expected, "read every {step} s");
    }
}

#[test]
fn what_failed_meanwhile_counts() {
    check_bad(3, [&[], PROD], &[(&[("code", "500")], 7_000)], &[(&[("code", "500"), ("env", "prod")], 7_003)], None);
    check_bad(3, [&[], &[]], &[(&[("code", "500")], 7_000)], &[(&[("code", "500"), ("env", "prod")], 7_003)], None);
}

#[test]
fn where_the_process_was_restarted_with_it_its_first_value_counts_whole() {
    let (before, after): (Pairs, Pairs) = (&[("code", "500")], &[("code", "500"), ("env", "prod")]);
    for up in [[&[][..], PROD], [&[], &[]]] {
        check_bad(7, up, &[(before, 4)], &[(after, 7)], Some(590));
        // A counter that fell was restarted, whoever tells.
        check_bad(7, up, &[(before, 7_000)], &[(after, 7)], None);
    }
}

#[test]
fn one_of_several_that_it_could_be_counts_nothing() {
    let before: &[(Pairs, u64)] = &[(&[("code", "500"), ("pod", "a")], 7_000), (&[("code", "500"), ("pod", "b")], 5_000)];
    check_bad(0, [&[], &[]], before, &[(&[("code", "500")], 7_000)], None);
    check_bad(0, [&[], PROD], before, &[(&[("code", "500")], 7_000)], None);
}

#[test]
fn the_nearest_is_the_one_that_it_goes_on_from() {
    let before: &[(Pairs, u64)] = &[(&[("code", "500")], 7_000), (&[("code", "500"), ("path", "/")], 5_000)];
    let after: &[(Pairs, u64)] =
        &[(&[("code", "500"), ("env", "prod")], 7_001), (&[("code", "500"), ("env", "prod"), ("path", "/")], 5_002)];
    check_bad(3, [&[], PROD], before, after, None);
    check_bad(3, [&[], &[]], before, after, None);
}

#[test]
fn a_first_failure_counts_where_nothing_says_that_it_has_another_past() {
    // Another code went on, or ended in that scrape, with as many labels.
    check_bad(7, [&[], &[]], &[(&[("code", "500")], 4)], &[(&[("code", "500")], 4), (&[("code", "503")], 7)], None);
    check_bad(7, [&[], &[]], &[(&[("code", "500")], 4)], &[(&[("code", "503")], 7)], None);
    // It has a label that the one that goes on has not.
    check_bad(7, [&[], &[]], &[(&[("code", "500")], 4)], &[(&[("code", "500")], 4), (&[("code", "500"), ("path", "/")], 7)], None);
    // Series get a label with it, and nothing else failed before.
    check_bad(
        7,
        [&[], &[]],
        &[(&[("code", "500")], 4)],
        &[(&[("code", "500"), ("env", "prod")], 4), (&[("code", "503"), ("env", "prod")], 7)],
        None,
    );
}

#[test]
fn where_the_target_itself_was_relabelled_a_series_without_a_past_is_where_counting_begins() {
    check_bad(0, [&[], PROD], &[], &[(&[("code", "500"), ("env", "prod")], 7_000)], None);
}

/// Two scrapers of one target, each with a label of its own, are no change of labels.
#[test]
fn beside_another_scraper_first_failures_count() {
    let mut source = Source::default();
    for (nth, second) in (-900..900).step_by(7).enumerate() {
        let replica: Pairs = [&[("replica", "a")][..], &[("replica", "b")]][nth % 2];
        let mut put = |labels: Pairs, value: u64| {
            source.put(&[&[("job", "x"), ("instance", "a")], labels, replica].concat(), at(second), value as f64);
        };
        put(&[("__name__", "up")], 1);
        put(&[("__name__", "m"), ("code", "200")], 100);
        if second >= 600 {
            put(&[("__name__", "m"), ("code", "500")], 7);
        }
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 890);
    assert_eq!(daemon.ledger.between(0, at(-3_600), at(890)).bad, 14);
}

/// The group that a label tells apart is born with it.
#[test]
fn by_the_new_label_the_difference_is_its_groups() {
    for worn in [worn(PROD), sewn_on(PROD)] {
        let source = history(&[(-900, PLAIN), (600, worn)]);
        let mut slo = (*availability()[0]).clone();
        slo.per = vec!["env".to_owned()];
        let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
        daemon.tick_every(&source, 10, 0, 900);
        let of = |group: &str| daemon.ledger.between(daemon.index("a", group), at(-3_600), at(900));
        let (before, after) = (of(""), of("prod"));
        assert_eq!((before.good, before.bad), (585 + 900, 24));
        assert_eq!((after.good, after.bad), (15 + 300, 6));
    }
}

#[test]
fn where_first_values_never_count_it_is_where_counting_begins() {
    let source = history(&[(-900, PLAIN), (600, worn(PROD))]);
    let mut slo = (*availability()[0]).clone();
    slo.new_series = NewSeries::Baseline;
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    daemon.tick_every(&source, 10, 0, 900);
    assert_eq!(daemon.ledger.between(0, at(590), at(600)).good, 0);
}

/// Without `up` the samples of the target's other series tell when it was last seen.
#[test]
fn without_up_a_label_that_is_added_changes_no_count() {
    let [source, untouched] = [&[(-900, PLAIN), (600, sewn_on(PROD))][..], &[(-900, PLAIN)]].map(|worn| {
        let mut source = history(worn);
        source.series.retain(|labels, _| labels.get("__name__") != "up");
        source
    });
    assert_agree(&read(&source, 10, &[600]), &read(&untouched, 10, &[600]), at(2_370));
}

/// A second reading that finds the change of labels late counts what it would have counted at once.
#[test]
fn what_is_found_late_of_it_goes_on_too() {
    let worn = [(-900, PLAIN), (600, worn(PROD))];
    let source = history(&worn);
    let mut hidden = source.clone();
    for samples in hidden.series.values_mut() {
        samples.retain(|moment, _| !(at(590)..at(700)).contains(moment));
    }
    let mut daemon = Daemon::start(slos(), at(0));
    daemon.tick_every(&hidden, 10, 0, 1_000);
    daemon.tick_every(&source, 10, 1_010, 2_390);
    let mut now = 2_390;
    while now < 3_600 * 3 {
        now += 60;
        daemon.tick(&source, at(now));
        while daemon.read_again(&source, at(now)) {}
    }
    let expected = read(&source, 10, &[]);
    let bad = |daemon: &Daemon| daemon.ledger.between(0, at(-3_600), at(2_370)).bad;
    assert_eq!(bad(&daemon), bad(&expected));
}
