//! What is counted of which samples, and why a stream cannot be seen.

use super::*;

#[test]
fn the_first_errors_of_a_new_series_count() {
    let mut source = Source::default();
    steady(&mut source, -3600, 600, 300);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 595);
    // Scrapes at 0, 15, ..., 585; the lookback holds those after 290 s.
    assert_eq!(daemon.over(minutes(5), at(590)), events(15, 285));
}

#[test]
fn a_series_that_was_there_before_we_looked_is_a_baseline() {
    let mut source = Source::default();
    steady(&mut source, -39_990, 600, NEVER);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(599));
    let from = daemon.ledger.raw_from(&fixture::slo_id("a")).expect("planned");
    assert_eq!(daemon.over(days(30), at(599)).good, at(590).since(from).as_secs().cast_signed() / 15 * 15);
}

#[test]
fn a_restarted_process_counts_from_zero_and_its_new_series_whole() {
    let mut source = Source::default();
    steady(&mut source, -3600, 300, NEVER);
    source.up("a", at(300), 0.0);
    for second in (315..600).step_by(15) {
        source.scrape(at(second), &[("200", u64::try_from(second - 310).unwrap()), ("500", 2)]);
        source.started("a", at(second), at(308));
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 590);
    let counts = daemon.ledger.between(0, at(290), at(590));
    assert_eq!((counts.good, counts.bad), (585 - 310, 2));
}

#[test]
fn a_value_that_cannot_be_counted_is_skipped_and_the_next_one_counts() {
    let mut source = Source::default();
    steady(&mut source, -3600, 900, NEVER);
    source.put(&[("__name__", "m"), ("job", "x"), ("instance", "a"), ("code", "200")], at(600), f64::NAN);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 890);
    assert_eq!(daemon.ledger.between(0, at(500), at(890)).good, 885 - 495);
}

#[test]
fn groups_beyond_the_cap_are_counted_together() {
    let mut source = Source::default();
    for second in (-600..600).step_by(15) {
        for (nth, tenant) in ["p", "q", "r", "s"].iter().enumerate() {
            let value = f64::from(i32::try_from(second + 600).unwrap() * i32::try_from(nth + 1).unwrap());
            source.put(&[("__name__", "m"), ("job", "x"), ("instance", "a"), ("tenant", tenant)], at(second), value);
        }
        source.put(&[("__name__", "up"), ("job", "x"), ("instance", "a")], at(second), 1.0);
    }
    let slos = vec![fixture::availability_per("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")], &["tenant"])];
    let settings = Settings { settle: minutes(1), max_groups_per_slo: 2, history: true };
    let mut daemon = Daemon::start_with(slos, settings, at(0));
    daemon.tick(&source, at(590));
    let sum = |group: &str| daemon.ledger.between(daemon.index("a", group), at(0), at(590)).good;
    assert_eq!((sum("p"), sum("q"), sum("(other)")), (585, 2 * 585, 7 * 585));
    assert_eq!(daemon.ledger.streams().count(), 3);
}

#[test]
fn an_slo_of_too_many_series_is_not_seen_and_told_what_to_write_instead_and_no_other_slo_with_it() {
    let mut source = Source::default();
    steady(&mut source, -600, 600, NEVER);
    for pod in 0..9_999_u32 {
        source.put(&[("__name__", "many"), ("job", "x"), ("pod", &pod.to_string())], at(585), 1.0);
    }
    let many = fixture::availability_per("b", r#"many{job="x"}"#, &[("code", MatchOp::Equal, "500")], &[]);
    let mut daemon = Daemon::start([availability(), vec![many]].concat(), at(0));
    // The last one is bad and in the total at once, and one series all the same.
    source.put(&[("__name__", "many"), ("job", "x"), ("code", "500")], at(585), 1.0);
    daemon.tick(&source, at(590));
    assert_eq!(daemon.ledger.unknown(&fixture::slo_id("b")), None);
    source.put(&[("__name__", "many"), ("job", "x"), ("pod", "one more")], at(585), 1.0);
    daemon.tick(&source, at(595));
    let unknown = daemon.ledger.unknown(&fixture::slo_id("b")).expect("too many");
    assert_eq!(unknown.reason, Reason::TooMany);
    let told = "it takes 10,001 series, and 10,000 are allowed: an SLI of kind `query` lets the source add them up";
    assert_eq!((unknown.detail.as_str(), daemon.reason(at(595))), (told, None));
}

#[test]
fn series_that_replaced_others_within_a_wide_read_do_not_add_up_with_them() {
    let mut source = Source::default();
    steady(&mut source, -600, 3600, NEVER);
    for (pods, from) in [(0..6_000_u32, 0_i64), (6_000..12_000, 1_800)] {
        for pod in pods {
            for second in [from + 900, from + 1_785] {
                source.put(&[("__name__", "many"), ("job", "x"), ("pod", &pod.to_string())], at(second), 1.0);
            }
        }
    }
    let many = fixture::availability_per("b", r#"many{job="x"}"#, &[("code", MatchOp::Equal, "500")], &[]);
    let mut daemon = Daemon::start(vec![many], at(0));
    daemon.tick(&source, at(3595));
    assert_eq!(daemon.ledger.unknown(&fixture::slo_id("b")), None);
}

#[test]
fn slices_for_a_chart_add_up_to_the_whole() {
    let mut source = Source::default();
    steady(&mut source, -3600, 3000, 300);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 2990);
    for (from, to, at_most) in [(0, 2990, 100), (0, 2990, 10), (-3600, 2990, 3), (280, 320, 50), (-86_400, 2990, 7)] {
        let slices = daemon.ledger.slices(0, at(from), at(to), at_most);
        assert!(slices.len() <= at_most && !slices.is_empty(), "{from}..{to}: {}", slices.len());
        assert!(slices.is_sorted_by_key(|(end, _)| *end));
    }
    let sum: Counts = daemon.ledger.slices(0, at(0), at(2990), 10).into_iter().map(|(_, counts)| counts).sum();
    assert_eq!(sum, daemon.ledger.between(0, at(0), at(2990)));
    let first_bad = daemon.ledger.slices(0, at(0), at(2990), 1000).into_iter().find(|(_, counts)| counts.bad > 0);
    assert_eq!(first_bad.map(|(end, _)| end), Some(at(320)));
}

#[test]
fn reasons_for_not_seeing_are_told() {
    let broken = |value: f64| {
        let mut source = Source::default();
        steady(&mut source, -3600, 600, NEVER);
        source.put(&[("__name__", "m"), ("job", "x"), ("instance", "a"), ("code", "200")], at(585), value);
        source
    };
    for (value, reason) in [
        (f64::NAN, Reason::Nan),
        (f64::INFINITY, Reason::Infinite),
        (-3.0, Reason::Negative),
        (7000.5, Reason::Fractional),
        (1e17, Reason::Fractional),
    ] {
        let mut daemon = Daemon::start(availability(), at(0));
        daemon.tick(&broken(value), at(590));
        let unknown = daemon.ledger.sums(0, at(590)).err();
        assert_eq!(unknown.as_ref().map(|unknown| unknown.reason), Some(reason));
        assert!(unknown.is_some_and(|unknown| unknown.detail.contains(r#"code="200""#)));
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&Source::default(), at(590));
    assert_eq!(daemon.reason(at(590)), Some(Reason::NoSeries));
    daemon.tick(&broken(4185.0 + 1000.0), at(600));
    assert_eq!(daemon.reason(at(600)), None);
    assert_eq!(daemon.reason(at(650)), Some(Reason::Stale));
}

#[test]
fn contradicting_answers_stop_the_slo() {
    let answer = |change: &dyn Fn(&mut Vec<Series>)| {
        let mut source = Source::default();
        steady(&mut source, -3600, 600, NEVER);
        let mut daemon = Daemon::start(availability(), at(0));
        daemon.tick(&source, at(500));
        let settled = daemon.ledger.settled(&fixture::slo_id("a"));
        let reads = daemon.ledger.reads(at(590));
        let read = |read: &Read| source.ask(&daemon.ledger.plan().queries()[read.query], read.from, read.to);
        let mut answers: Vec<_> = reads.reads.iter().map(read).collect();
        change(&mut answers[0]);
        let answers: Vec<_> = answers.into_iter().map(Ok).collect();
        let counted = daemon.ledger.count(&reads, &answers);
        daemon.commit(counted);
        (daemon.reason(at(590)), daemon.ledger.settled(&fixture::slo_id("a")) == settled)
    };
    let future = Sample { at: at(590 + 31), value: 1e6 };
    assert_eq!(answer(&|_| {}), (None, false));
    assert_eq!(answer(&|series| series.push(series[0].clone())), (Some(Reason::Duplicate), true));
    assert_eq!(answer(&|series| series[0].samples.push(future)), (Some(Reason::ClockSkew), true));
    assert_eq!(answer(&|series| series[0].samples.reverse()), (None, false));
    let last = |series: &Series| *series.samples.last().expect("samples");
    assert_eq!(
        answer(&|series| {
            let last = last(&series[0]);
            series[0].samples.push(last);
        }),
        (None, false)
    );
    let conflict = |series: &mut Vec<Series>| {
        let last = last(&series[0]);
        series[0].samples.push(Sample { value: last.value + 1.0, ..last });
    };
    assert_eq!(answer(&conflict), (Some(Reason::Duplicate), false));
}

#[test]
fn a_split_slo_without_series_is_unknown_as_a_whole() {
    let slos = vec![fixture::availability_per("a", r#"m{job="x"}"#, &[], &["tenant"])];
    let mut daemon = Daemon::start(slos, at(0));
    assert_eq!(daemon.ledger.unknown(&fixture::slo_id("a")).map(|unknown| unknown.reason), Some(Reason::NotYet));
    daemon.tick(&Source::default(), at(0));
    assert_eq!(daemon.ledger.unknown(&fixture::slo_id("a")).map(|unknown| unknown.reason), Some(Reason::NoSeries));
}

#[test]
fn without_up_the_first_value_counts_beside_another_series_of_its_target() {
    let record = |from_200: i64, until_200: i64| {
        let mut source = Source::default();
        for second in (-3600..1200).step_by(15) {
            if (from_200..until_200).contains(&second) {
                source.requests("a", at(second), &[("200", u64::try_from(second + 3600).unwrap())]);
            }
            if second >= 600 {
                source.requests("a", at(second), &[("500", 7)]);
            }
        }
        source
    };
    for (name, source, expected) in [
        ("seen before", record(-3600, 1200), 7),
        ("the old series ends as the new begins", record(-3600, 600), 7),
        ("nothing was seen before", record(600, 1200), 0),
        ("seen long before", record(-3600, 400), 0),
    ] {
        let mut live = Daemon::start(availability(), at(0));
        live.tick_every(&source, 10, 0, 1190);
        let mut late = Daemon::start(availability(), at(0));
        late.tick(&source, at(1190));
        for daemon in [&live, &late] {
            assert_eq!(daemon.ledger.between(0, at(0), at(1190)).bad, expected, "{name}");
        }
    }
}

#[test]
fn a_series_that_ended_and_returns_counts_the_difference_behind_its_last_sample() {
    let mut source = Source::default();
    for second in (-3600..1200).step_by(15) {
        source.scrape(at(second), &[("200", u64::try_from(second + 3600).unwrap())]);
        if !(300..600).contains(&second) {
            source.scrape(at(second), &[("500", if second < 300 { 4 } else { 9 })]);
        }
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1190);
    let bad: Vec<_> = daemon.ledger.slices(0, at(0), at(1190), 1000).into_iter().filter(|(_, counts)| counts.bad != 0).collect();
    assert_eq!(bad.iter().map(|(end, counts)| (*end, counts.bad)).collect::<Vec<_>>(), [(at(290), 5)]);
}

#[test]
fn a_series_that_its_target_did_without_for_an_hour_begins_anew() {
    let mut source = Source::default();
    for second in (-3600..5400).step_by(15) {
        source.scrape(at(second), &[("200", u64::try_from(second + 3600).unwrap())]);
        if !(300..4500).contains(&second) {
            source.scrape(at(second), &[("500", if second < 300 { 4 } else { 9 })]);
        }
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 5390);
    assert_eq!(daemon.ledger.between(0, at(0), at(5390)).bad, 9);
}

#[test]
fn a_reset_while_the_scraper_stood_still_counts_what_came_since() {
    let mut source = Source::default();
    scraped_at(&mut source, (-3600..1000).step_by(15));
    for second in (2010..3000).step_by(15) {
        source.scrape(at(second), &[("200", u64::try_from(second - 1500).unwrap())]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 2990);
    let booked = |from: i64, to: i64| daemon.ledger.between(0, at(from), at(to));
    assert_eq!(booked(990, 2000), Counts { unseen_millis: 1_010_000, ..events(0, 0) });
    assert_eq!(booked(2000, 2010), Counts { unseen_millis: 10_000, ..events(510, 0) });
    assert_eq!(booked(2010, 2990), events(2985 - 2010, 0));
}

#[test]
fn an_old_beginning_does_not_blur_a_recent_end() {
    let mut source = Source::default();
    steady(&mut source, -7200, 3000, 300);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 2990);
    let end = at(2940);
    let (whole, head) = (daemon.ledger.between(0, at(-6000), end), daemon.ledger.between(0, at(-6000), at(2400)));
    assert_eq!(whole, [head, daemon.ledger.between(0, at(2400), end)].into_iter().sum());
    assert!(daemon.ledger.between(0, at(-6000), at(2950)) != daemon.ledger.between(0, at(-6000), at(2990)));
}
