//! What is asked of the source and when: the first start, outages, restarts, history.

use super::*;

#[test]
fn history_is_read_for_six_hours_in_steps_of_an_hour_once_it_is_known_how_many_series_there_are() {
    let mut source = Source::default();
    steady(&mut source, -7 * 3600, 0, NEVER);
    let mut daemon = Daemon::start(availability(), at(0));
    let reads = daemon.ledger.reads(at(0));
    assert!(reads.catching_up);
    assert!(reads.reads.iter().all(|read| (read.from, read.to) == (at(-6 * 3600 - 600), at(-6 * 3600 + 300))));
    assert_eq!(daemon.reason(at(0)), Some(Reason::NotYet));
    assert!(daemon.round_without(&source, at(0), |_| false));
    assert!(daemon.ledger.reads(at(0)).reads.iter().all(|read| read.to == at(-5 * 3600 + 300)));
}

#[test]
fn the_more_series_the_shorter_is_what_is_read_at_once() {
    let slo = availability();
    let mut source = Source::default();
    for instance in 0..3_000 {
        for (second, count) in [(-21_595, 1), (-21_400, 2)] {
            source.scrape_of(&format!("i{instance:04}"), at(second), &[("200", count), ("404", 1), ("500", 1)]);
        }
    }
    let mut daemon = Daemon::start(slo, at(0));
    assert!(daemon.round_without(&source, at(0), |_| false));
    let reads = daemon.ledger.reads(at(0));
    let begun = -6 * 3600 + 300;
    assert!(reads.reads.iter().all(|read| read.to == at(begun + 16 * 60)), "9,000 series are taken 12,000 times: {reads:?}");
    assert!(daemon.ledger.reads(at(begun + 17 * 60 + 1)).catching_up, "what is further away than one read is caught up with");
    assert!(!daemon.ledger.reads(at(begun + 17 * 60)).catching_up);
}

#[test]
fn an_answered_read_asks_for_what_is_not_settled() {
    let mut source = Source::default();
    steady(&mut source, -3600, 600, NEVER);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(300));
    daemon.tick(&source, at(305));
    let reads = daemon.ledger.reads(at(310));
    assert!(!reads.catching_up);
    assert!(reads.reads.iter().all(|read| (read.from, read.to) == (at(240), at(310))), "{reads:?}");
}

#[test]
fn an_outage_of_the_api_leaves_no_trace() {
    let mut source = Source::default();
    steady(&mut source, -3600, 3600, 1000);
    let mut whole = Daemon::start(availability(), at(0));
    whole.tick_every(&source, 10, 0, 3600);
    let mut cut = Daemon::start(availability(), at(0));
    cut.tick_every(&source, 10, 0, 900);
    for now in (910..1210).step_by(10) {
        cut.round_without(&source, at(now), |_| true);
        assert_eq!(cut.reason(at(now)), Some(Reason::Timeout));
    }
    cut.tick_every(&source, 10, 1210, 3600);
    assert_eq!(cut.decoded(), whole.decoded());
    for lookback in [minutes(5), hours(1), hours(6), days(30)] {
        assert_eq!(cut.over(lookback, at(3600)), whole.over(lookback, at(3600)), "{lookback:?}");
    }
}

#[test]
fn a_missing_answer_holds_back_only_the_slos_that_need_it() {
    let mut source = Source::default();
    steady(&mut source, -3600, 9000, NEVER);
    for second in (-3600..9000).step_by(15) {
        source.put(&[("__name__", "n"), ("job", "x"), ("instance", "a")], at(second), f64::from(i32::try_from(second).unwrap() + 3600));
    }
    let slos = two_slos();
    let mut daemon = Daemon::start(slos.clone(), at(0));
    daemon.tick(&source, at(0));
    for now in (10..8000).step_by(10) {
        daemon.round_without(&source, at(now), |query| query.to_string().starts_with("n{"));
    }
    let (a, b) = (daemon.index("a", ""), daemon.index("b", "a"));
    assert!(daemon.ledger.sums(a, at(7990)).is_ok_and(|sums| sums.over(hours(1)).good > 3500));
    assert_eq!(daemon.ledger.sums(b, at(7990)).err().map(|unknown| unknown.reason), Some(Reason::Timeout));
    assert_eq!(daemon.ledger.settled(&fixture::slo_id("b")), Some(at(-60)));
    daemon.tick_every(&source, 10, 8000, 8990);
    let mut whole = Daemon::start(slos, at(0));
    whole.tick_every(&source, 10, 0, 8990);
    assert_eq!(daemon.decoded(), whole.decoded());
}

#[test]
fn history_is_filled_in_and_joins_the_raw_counts_without_a_seam() {
    let mut source = Source::default();
    let start = -20 * 86_400;
    for second in (start..60).step_by(60) {
        let bad = if second >= start + 86_400 { u64::try_from(second - start).unwrap() / 600 } else { 0 };
        source.scrape(at(second), &[("200", u64::try_from(second - start).unwrap()), ("500", bad)]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(0));
    // The window, what reports look back beside it, less the six hours that are read at once.
    assert_eq!(daemon.ledger.to_fill(at(0)), hours(30 * 24 + (14 * 24 + 2) - 6));
    daemon.backfill(&source, at(0));
    assert_eq!(daemon.ledger.to_fill(at(0)), Duration::ZERO);
    let counts = daemon.over(days(30), at(0));
    let hour = 3600;
    assert_eq!((counts.good, counts.bad), (-start, -start / 600));
    assert_eq!(counts.unseen_millis, 0);
    let fills = daemon.ledger.fills(&fixture::slo_id("a")).to_vec();
    assert_eq!(fills.iter().map(|fill| fill.step).collect::<Vec<_>>(), [minutes(5), hours(1)]);
    assert_eq!(fills[0].to, at(-6 * hour));
    assert!(fills[1].from <= at(-30 * 86_400));
    let grain = |moment: i64| {
        let lookback = crate::window::Interval { from: at(moment - 300), to: at(moment) };
        daemon.ledger.grain_within(&fixture::slo_id("a"), 0, lookback)
    };
    let held = [-600, -2 * 86_400, -8 * 86_400].map(grain);
    assert_eq!(held, [Duration::from_secs(10), minutes(5), hours(1)], "what is filled in is held as it was counted");
    assert!(daemon.ledger.streams().all(|stream| stream.counted_from.is_some_and(|from| from <= at(start + hour))));
    daemon.tick(&source, at(10));
    assert_eq!(daemon.ledger.backfill(at(10)), None);
}

#[test]
fn an_hour_of_history_that_ends_just_behind_a_restart_counts_both_sides_from_the_restart_on() {
    let (begin, hour) = (-9 * 86_400, 3600);
    let restart = begin + 3 * hour - 150;
    let mut source = Source::default();
    for now in (begin..=begin + 5 * hour).step_by(60) {
        let life = if now < restart { now - begin } else { now - restart };
        let (served, failed) = (u64::try_from(life).expect("positive"), u64::try_from(life / 60).expect("positive"));
        source.scrape(at(now), &[("200", served)]);
        // The new process tells of failures from the first one on, ten minutes later; the scrape before did not hold them.
        match now - restart {
            0..60 => source.put(&[("__name__", "m"), ("job", "x"), ("instance", "a"), ("code", "500")], at(now), ENDED),
            60..600 => {}
            _ => source.requests("a", at(now), &[("500", failed)]),
        }
    }
    for now in (-7 * hour..=0).step_by(60) {
        source.scrape(at(now), &[("200", u64::try_from(now - begin).expect("positive"))]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(0));
    daemon.backfill(&source, at(0));
    let of_hour = |n: i64| daemon.ledger.between(0, at(begin + (n - 1) * hour), at(begin + n * hour));
    assert_eq!(of_hour(2), events(3600, 60), "an hour without a restart");
    assert_eq!(of_hour(3), events(150, 0), "what the first process counted in this hour is lost of both sides");
    assert_eq!(of_hour(4), events(3600, 62), "and what the second one counted is whole");
}

#[test]
fn a_source_without_history_starts_now_and_its_restart_is_unseen() {
    let mut source = Source::default();
    steady(&mut source, -600, 3000, NEVER);
    let settings = Settings { settle: minutes(1), max_groups_per_slo: 10, history: false };
    let mut daemon = Daemon::start_with(availability(), settings, at(0));
    daemon.tick_every(&source, 10, 0, 600);
    assert_eq!(daemon.ledger.backfill(at(600)), None);
    let mut fresh = Source::default();
    steady(&mut fresh, 900, 3000, NEVER);
    daemon.restart(at(900));
    daemon.tick_every(&fresh, 10, 900, 1500);
    assert_eq!(daemon.over(hours(1), at(1500)), Counts { unseen_millis: 360_000, ..events(540 + 600, 0) });
}

#[test]
fn an_outage_longer_than_a_read_leaves_no_trace() {
    let mut source = Source::default();
    steady(&mut source, -3600, 9000, 1000);
    // The first scrape that is read live again.
    source.up("a", at(7365), 0.0);
    let mut whole = Daemon::start(availability(), at(0));
    whole.tick_every(&source, 10, 0, 8990);
    let mut cut = Daemon::start(availability(), at(0));
    cut.tick_every(&source, 10, 0, 210);
    cut.tick_every(&source, 10, 8000, 8990);
    assert_eq!(cut.over(days(30), at(8990)).unseen_millis, 15_000);
    assert_agree(&cut, &whole, at(8990));
}

/// A tick takes up to 24 steps (ADR 0022), so this is three ticks.
#[test]
fn three_days_without_answers_are_caught_up_with_in_steps_of_an_hour_and_leave_no_trace() {
    const AWAY: i64 = 3 * 86_400;
    let mut source = Source::default();
    steady(&mut source, -3600, AWAY + 1800, AWAY / 2);
    let mut whole = Daemon::start(availability(), at(0));
    whole.tick_every(&source, 300, 0, AWAY + 600);
    let mut cut = Daemon::start(availability(), at(0));
    cut.tick_every(&source, 10, 0, 600);
    let back = at(AWAY + 600);
    let steps = (1..100).find(|_| !cut.round_without(&source, back, |_| false));
    assert_eq!(steps, Some(72));
    assert_agree(&cut, &whole, back);
    assert_eq!(cut.over(days(30), back).bad, AWAY / 2 + 600);
}

#[test]
fn a_restart_within_a_standstill_judges_it_as_if_it_had_not_been() {
    let mut source = Source::default();
    scraped_at(&mut source, (-3600..=2625).step_by(15).chain([3060, 3315, 3330, 3720]).chain((3735..4200).step_by(15)));
    let mut whole = Daemon::start(availability(), at(0));
    whole.tick_every(&source, 10, 0, 4190);
    let mut cut = Daemon::start(availability(), at(0));
    cut.tick_every(&source, 10, 0, 3720);
    cut.restart(at(3721));
    cut.tick_every(&source, 10, 3730, 4190);
    assert_agree(&cut, &whole, at(4190));
}

#[test]
fn a_restart_with_rounds_and_segments_goes_on_as_if_it_had_not_been() {
    let mut source = Source::default();
    steady(&mut source, -3600, 20_000, 1000);
    let mut whole = Daemon::start(availability(), at(0));
    whole.tick_every(&source, 30, 0, 19_990);
    let mut cut = Daemon::start(availability(), at(0));
    for start in (0..19_990).step_by(3000) {
        cut.tick_every(&source, 30, start, (start + 2970).min(19_990));
        if start % 9000 != 0 {
            cut.compact(at(start + 2975));
        }
        cut.restart(at(start + 2980));
    }
    assert!(!cut.segments.is_empty() && !cut.rounds.is_empty());
    cut.tick(&source, at(19_990));
    whole.tick(&source, at(19_990));
    assert_agree(&cut, &whole, at(19_990));
}

#[test]
fn an_slo_that_caught_up_beside_others_sees_every_failed_scrape() {
    let mut source = Source::default();
    steady(&mut source, -3600, 5000, NEVER);
    source.up("a", at(4215), 0.0);
    let mut whole = Daemon::start(two_slos(), at(0));
    whole.tick_every(&source, 10, 0, 4990);
    let mut cut = Daemon::start(two_slos(), at(0));
    cut.tick_every(&source, 10, 0, 660);
    for now in (670..4900).step_by(10) {
        cut.round_without(&source, at(now), |query| query.to_string().starts_with("n{"));
    }
    cut.restart(at(4900));
    cut.tick_every(&source, 10, 4910, 4990);
    assert_eq!(cut.ledger.between(cut.index("b", "a"), at(4000), at(4990)).unseen_millis, 15_000);
    assert_agree(&cut, &whole, at(4990));
}

#[test]
fn a_step_of_history_without_an_answer_changes_nothing_and_is_asked_again() {
    let mut source = Source::default();
    let start = -2 * 86_400;
    for second in (start..60).step_by(60) {
        source.scrape(at(second), &[("200", u64::try_from(second - start).unwrap())]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(0));
    let step = daemon.ledger.backfill(at(0)).expect("history is missing");
    let before = sums(&daemon, at(0));
    let answers: Vec<_> = step.reads.iter().map(|_| Err(Unknown::new(Reason::Timeout, "no answer"))).collect();
    let counted = daemon.ledger.count_backfill(&step, &answers);
    daemon.commit(counted);
    assert_eq!(sums(&daemon, at(0)), before);
    let again = daemon.ledger.backfill(at(0)).expect("history is missing");
    assert_eq!((again.from, again.reads), (step.from, step.reads));
}

#[test]
fn history_is_filled_in_once_whatever_restarts_between_its_steps() {
    let mut source = Source::default();
    let start = -3 * 86_400;
    for second in (start..60).step_by(60) {
        source.scrape(at(second), &[("200", u64::try_from(second - start).unwrap())]);
    }
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick(&source, at(0));
    for _ in 0..3 {
        let step = daemon.ledger.backfill(at(0)).expect("history is missing");
        let read = |read: &Read| Ok(source.ask_history(&daemon.ledger.plan().queries()[read.query], read.from, read.to, step.step));
        let answers: Vec<_> = step.reads.iter().map(read).collect();
        let counted = daemon.ledger.count_backfill(&step, &answers);
        daemon.commit(counted);
        daemon.restart(at(0));
        daemon.tick(&source, at(0));
    }
    daemon.backfill(&source, at(0));
    assert_eq!(daemon.over(days(30), at(0)), events(-start, 0));
}

#[test]
fn one_question_that_fails_blinds_its_slos_and_several_or_that_of_the_targets_blind_the_source() {
    const EVERYTHING: &[&str] = &["a", "b", "c", "up", "process_start_time_seconds"];
    let slos = ["a", "b", "c"].map(|name| fixture::availability(name, &format!("{name}{{job=\"x\"}}"), &[("code", MatchOp::Equal, "500")]));
    let ledger = SourceLedger::new(Plan::new(&slos), Settings { settle: minutes(1), max_groups_per_slo: 10, history: false }, at(0));
    let reads = ledger.reads(at(0));
    let metric =
        |read: &Read| ledger.plan().queries()[read.query].to_string().split(['{', ' ']).next().map(str::to_owned).unwrap_or_default();
    for (failing, reason, blind) in [
        (&[][..], Reason::Timeout, false),
        (&["b"], Reason::Timeout, false),
        (&["a", "b"], Reason::Timeout, false),
        (&["a", "b", "c"], Reason::Timeout, true),
        (&["a", "b", "c"], Reason::BadQuery, false),
        (&["a", "b", "c"], Reason::Partial, false),
        (&["b"], Reason::Duplicate, false),
        (&["up"], Reason::Timeout, true),
        (&["up"], Reason::TooMany, true),
        (&["up"], Reason::Partial, true),
        (EVERYTHING, Reason::Unreachable, true),
        (EVERYTHING, Reason::Partial, true),
        (EVERYTHING, Reason::ClockSkew, true),
        (EVERYTHING, Reason::Duplicate, true),
        (EVERYTHING, Reason::TooBig, true),
        (EVERYTHING, Reason::BadQuery, true),
        // Not asked, or nothing there to be asked for yet.
        (EVERYTHING, Reason::NoRaw, false),
        (EVERYTHING, Reason::NotYet, false),
    ] {
        let failed = |read: &Read| failing.contains(&metric(read).as_str());
        let answer = |read: &Read| if failed(read) { Err(Unknown::new(reason, "no answer")) } else { Ok(Vec::new()) };
        let answers: Vec<_> = reads.reads.iter().map(answer).collect();
        assert_eq!(reads.source_unknown(&answers).map(|unknown| unknown.reason), blind.then_some(reason), "{failing:?} {reason:?}");
    }
}

/// Expressions need no targets, so that all their answers together tell of the source.
#[test]
fn a_source_of_expressions_alone_is_blind_where_no_answer_can_be_used_and_one_slo_that_is_refused_is_its_owners_matter() {
    let one = [stepped::query_of("a")];
    let two = [stepped::query_of("a"), stepped::window_of("b")];
    let check = |slos: &[Arc<Slo>], answers: &[Option<Reason>], blind: Option<Reason>| {
        let settings = Settings { settle: minutes(1), max_groups_per_slo: 10, history: false };
        let reads = SourceLedger::new(Plan::new(slos), settings, at(0)).reads(at(0));
        assert_eq!((reads.reads.len(), reads.of_targets()), (answers.len(), None));
        let unknown = |reason: &Option<Reason>| reason.map_or(Ok(Vec::new()), |reason| Err(Unknown::new(reason, "of no use")));
        let answers: Vec<_> = answers.iter().map(unknown).collect();
        assert_eq!(reads.source_unknown(&answers).map(|unknown| unknown.reason), blind, "{answers:?}");
    };
    let [partial, refused, late, no_raw] = [Reason::Partial, Reason::BadQuery, Reason::Timeout, Reason::NoRaw].map(Some);
    check(&one, &[partial, partial], partial);
    check(&one, &[partial, None], None);
    check(&one, &[refused, refused], None);
    check(&one, &[refused, partial], refused);
    check(&two, &[refused, refused, refused], refused);
    check(&two, &[partial, partial, refused], partial);
    check(&two, &[partial, refused, None], None);
    check(&two, &[partial, late, refused], late);
    check(&two, &[no_raw, partial, partial], partial);
    check(&two, &[no_raw, no_raw, no_raw], None);
}

/// Of a stretch that is caught up with, targets that are too many samples for one answer are a matter of those that are behind.
#[test]
fn targets_that_cannot_be_used_blind_the_source_where_no_answer_of_them_can() {
    let mut source = Source::default();
    steady(&mut source, -7 * 3600, 600, NEVER);
    let slos = ["a", "b"].map(|name| fixture::availability(name, &format!("{name}{{job=\"x\"}}"), &[("code", MatchOp::Equal, "500")]));
    let mut daemon = Daemon::start(vec![Arc::clone(&slos[0])], at(0));
    daemon.tick_every(&source, 10, 0, 600);
    daemon.ledger.replace_plan(Plan::new(&slos), at(600));
    let reads = daemon.ledger.reads(at(610));
    let ups: Vec<usize> =
        (0..reads.reads.len()).filter(|place| daemon.ledger.plan().queries()[reads.reads[*place].query].to_string() == "up").collect();
    let [live, behind] = ups[..] else { panic!("one is behind: {reads:?}") };
    assert_eq!(reads.of_targets(), Some(live));
    let check = |failing: &[usize], reason: Reason, blind: bool| {
        let answer = |place: usize| if failing.contains(&place) { Err(Unknown::new(reason, "of no use")) } else { Ok(Vec::new()) };
        let answers: Vec<_> = (0..reads.reads.len()).map(answer).collect();
        assert_eq!(reads.source_unknown(&answers).is_some(), blind, "{failing:?} {reason:?}");
    };
    check(&[behind], Reason::TooBig, false);
    check(&[live, behind], Reason::TooBig, true);
    check(&[behind], Reason::Timeout, true);
}

/// History is read a day at a time at first, newest first: at -6 h, -30 h, -54 h and so on one question ends where another began.
#[test]
fn a_hole_in_history_is_unseen_wherever_one_question_ends_and_the_next_begins() {
    const HOUR: i64 = 3600;
    let begin = -10 * 24 * HOUR;
    for (from, to) in [(-40, -35), (-60, -50), (-54, -50), (-60, -54), (-80, -40), (-100, -40), (-200, -160), (-12, -3)] {
        let mut source = Source::default();
        for second in (begin..=0).step_by(60).filter(|second| *second <= from * HOUR || *second >= to * HOUR) {
            source.scrape(at(second), &[("200", u64::try_from(second - begin).expect("positive"))]);
        }
        let mut daemon = Daemon::start(availability(), at(0));
        daemon.tick(&source, at(0));
        daemon.backfill(&source, at(0));
        let counts = daemon.over(days(12), at(0));
        let hole = (to - from) * HOUR;
        let step = if from < -7 * 24 { HOUR } else { 300 };
        assert!((counts.unseen_millis / 1000 - hole).abs() <= 2 * step, "{from} to {to}: {counts:?}");
        // What was counted before and behind it within one question is known to have happened in it.
        assert!((-begin - hole - 2 * step..=-begin).contains(&counts.good), "{from} to {to}: {counts:?}");
    }
}

#[test]
fn what_a_source_did_not_have_yet_when_it_was_asked_is_unseen() {
    let mut source = Source::default();
    for second in (-10 * 86_400..600).step_by(60) {
        source.scrape(at(second), &[("200", u64::try_from(second + 10 * 86_400).expect("positive"))]);
    }
    let mut slo = (*availability()[0]).clone();
    slo.objectives.push(judged::in_slices(&slo.objectives[0], 1));
    let mut daemon = Daemon::start(vec![Arc::new(slo)], at(0));
    // It answers, and knows of nothing: imported samples are not indexed.
    daemon.tick(&Source::default(), at(0));
    daemon.tick_every(&source, 10, 30, 300);
    daemon.backfill(&source, at(300));
    daemon.tick_every(&source, 10, 310, 600);
    let day = daemon.ledger.between(0, at(-86_400), at(600));
    assert!(day.unseen_millis > 5 * 3_600_000 && day.unseen_millis < 7 * 3_600_000, "{day:?}");
    assert!((day.good + day.unseen_millis / 1000 - 87_000).abs() < 600, "a request a second, seen or not: {day:?}");
    let verdicts = daemon.ledger.judged(0, judged::rule(1)).expect("judged");
    let unseen = daemon.ledger.between(verdicts, at(-18_000), at(-60)).unseen_millis;
    assert_eq!(unseen, 17_940_000);
}
