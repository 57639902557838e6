//! What stays of the ledger when the SLOs change.

use super::*;

#[test]
fn a_new_plan_keeps_what_stays() {
    let mut source = Source::default();
    steady(&mut source, -3600, 3000, 300);
    let mut whole = Daemon::start(availability(), at(0));
    whole.tick_every(&source, 10, 0, 2000);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1000);
    let wider = fixture::availability("b", "m", &[("code", MatchOp::Equal, "500")]);
    for (now, slos) in [(1000, vec![wider.clone(), availability()[0].clone()]), (1200, vec![wider]), (1500, availability())] {
        daemon.replace_slos(slos, at(now));
        daemon.tick_every(&source, 10, now + 10, now + 200);
    }
    daemon.tick_every(&source, 10, 1710, 2000);
    assert_eq!(daemon.over(days(30), at(2000)), whole.over(days(30), at(2000)));
    assert_eq!(daemon.over(minutes(5), at(2000)), whole.over(minutes(5), at(2000)));
}

#[test]
fn an_slo_that_returns_goes_on_with_counters_that_had_gone_quiet() {
    let mut source = Source::default();
    scraped_at(&mut source, (-3600..=300).step_by(15).chain((1200..2000).step_by(15)));
    let mut whole = Daemon::start(two_slos(), at(0));
    whole.tick_every(&source, 10, 0, 1990);
    for restart in [false, true] {
        let mut daemon = Daemon::start(two_slos(), at(0));
        daemon.tick_every(&source, 10, 0, 1000);
        daemon.replace_slos(availability(), at(1000));
        daemon.tick_every(&source, 10, 1010, 1100);
        if restart {
            daemon.restart(at(1100));
            daemon.tick(&source, at(1110));
        }
        daemon.replace_slos(two_slos(), at(1120));
        assert!(daemon.ledger.unknown(&fixture::slo_id("b")).is_some_and(|unknown| unknown.reason == Reason::NotYet));
        daemon.tick_every(&source, 10, 1130, 1990);
        assert_agree(&daemon, &whole, at(1990));
    }
}

#[test]
fn an_slo_that_counts_something_else_keeps_its_history_and_counts_nothing_twice() {
    let mut source = Source::default();
    steady(&mut source, -3600, 3000, 0);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1500);
    let before = daemon.ledger.between(0, at(-3600), at(1440));
    daemon.replace_slos(vec![fixture::availability("a", r#"m{job="x"}"#, &[("code", MatchOp::Equal, "none")])], at(1500));
    assert_eq!(daemon.reason(at(1500)), Some(Reason::NotYet));
    daemon.tick_every(&source, 10, 1510, 2990);
    assert_eq!(daemon.ledger.between(0, at(-3600), at(1440)), before);
    assert_eq!(daemon.ledger.between(0, at(1440), at(2990)), events(2985 - 1440, 0));
}

#[test]
fn an_slo_of_which_nothing_was_seen_before_it_was_mended_is_filled_in_as_a_new_one() {
    let mut source = Source::default();
    steady(&mut source, -36_000, 3000, 300);
    let misspelt = fixture::availability("a", r#"m{job="y"}"#, &[("code", MatchOp::Regex, "5..")]);
    for restarts in [false, true] {
        let mut daemon = Daemon::start(vec![misspelt.clone()], at(0));
        daemon.tick(&source, at(0));
        daemon.backfill(&source, at(0));
        daemon.tick_every(&source, 10, 10, 1500);
        if restarts {
            daemon.compact(at(1500));
            daemon.restart(at(1505));
        }
        daemon.replace_slos(availability(), at(1510));
        daemon.tick_every(&source, 10, 1520, 2000);
        daemon.backfill(&source, at(2000));
        let mut new = Daemon::start(availability(), at(1510));
        new.tick_every(&source, 10, 1510, 2000);
        new.backfill(&source, at(2000));
        assert_eq!(daemon.over(days(30), at(2000)), new.over(days(30), at(2000)), "{restarts}");
        assert_eq!(daemon.ledger.between(0, at(-3600), at(1940)), new.ledger.between(0, at(-3600), at(1940)));
        assert!(new.over(days(30), at(2000)).total() > 30_000);
    }
}

#[test]
fn a_new_slo_reads_the_hours_before_it_beside_the_live_ones() {
    let mut source = Source::default();
    steady(&mut source, -36_000, 3000, 300);
    let mut daemon = Daemon::start(vec![], at(0));
    assert_eq!(daemon.ledger.reads(at(0)).reads, []);
    daemon.replace_slos(availability(), at(2000));
    daemon.tick(&source, at(2000));
    assert_eq!(daemon.ledger.between(0, at(-3600), at(1995)), events(3600 + 300, 1995 - 300));
}

#[test]
fn an_answer_to_a_question_of_another_plan_counts_nothing() {
    let mut source = Source::default();
    steady(&mut source, -3600, 3000, 300);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1000);
    let reads = daemon.ledger.reads(at(1300));
    let answers: Vec<_> =
        reads.reads.iter().map(|read| Ok(source.ask(&daemon.ledger.plan().queries()[read.query], read.from, read.to))).collect();
    daemon.replace_slos(two_slos(), at(1300));
    let counted = daemon.ledger.count(&reads, &answers);
    assert_eq!(counted.blob(), None);
    daemon.commit(counted);
    assert_eq!(daemon.ledger.settled(&fixture::slo_id("a")), Some(at(940)));
}

#[test]
fn history_that_was_asked_for_by_another_plan_counts_nothing_and_forgets_no_counter() {
    let mut source = Source::default();
    steady(&mut source, -86_400, 3000, 300);
    let mut daemon = Daemon::start(availability(), at(0));
    daemon.tick_every(&source, 10, 0, 1000);
    let step = daemon.ledger.backfill(at(1000)).expect("older history is missing");
    daemon.tick(&source, at(1010));
    let counted = daemon.ledger.count_backfill(&step, &[]);
    assert_eq!(counted.blob(), None);
    daemon.commit(counted);
    daemon.tick_every(&source, 10, 1020, 2000);
    assert_eq!(daemon.ledger.between(0, at(-3600), at(1995)), events(3600 + 300, 1995 - 300));
}
