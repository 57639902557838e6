//! Journeys: what the verdicts of their members make of each slice.

use super::*;
use crate::{
    alert::AlertState,
    evaluate::{Input, evaluate},
    exclusion::Excluded,
    id::BudgetId,
    sli::composite::{Composite, Member, Members, Weight, WhenUnseen},
    units::GoodShare,
    window::Interval,
};

/// A journey in minutes: of members with their shares of good events and what is made of unseen slices; weighted where weights are given.
pub(super) fn journey(name: &str, members: &[(&str, &str, WhenUnseen)], weights: Option<[&str; 2]>, per: &[&str]) -> Arc<Slo> {
    let members = members.iter().map(|(name, share, unseen)| Member {
        slo: fixture::slo_id(name),
        good_from: GoodShare::percent(share).expect("a share"),
        unseen: *unseen,
    });
    let members = match weights {
        None => Members::AllOf(members.collect()),
        Some(weights) => Members::Weighted(members.zip(weights.map(|weight| Weight::percent(weight).expect("a weight"))).collect()),
    };
    Arc::new(fixture::slo(name, Sli::Composite(Composite { members, slice: minutes(1) }), per))
}

const UNKNOWN: [WhenUnseen; 2] = [WhenUnseen::Unknown; 2];

/// Availability of `x`, a gauge `p` as a probe, and the journey over both, of all or weighted 60 to 40.
fn shop(unseen: [WhenUnseen; 2], weights: Option<[&str; 2]>) -> Vec<Arc<Slo>> {
    let members = [("a", "99%", unseen[0]), ("p", "100%", unseen[1])];
    vec![availability()[0].clone(), fixture::probe("p", &["p"], &[]), journey("shop", &members, weights, &[])]
}

/// An hour of scrapes every 15 s, of which `bad` are failures of `x`, and in which the probe is down or does not answer within the others.
fn hour(bad: std::ops::Range<i64>, down: std::ops::Range<i64>, silent: std::ops::Range<i64>) -> Source {
    let mut source = Source::default();
    let (mut good, mut failed) = (1000, 0);
    // Left-open and right-closed, as slices are.
    let within = |range: &std::ops::Range<i64>, second: i64| range.start < second && second <= range.end;
    for second in (-600..3600).step_by(15) {
        if within(&bad, second) {
            failed += 10;
        } else {
            good += 10;
        }
        source.scrape(at(second), &[("200", good), ("500", failed)]);
        if !within(&silent, second) {
            source.put(&[("__name__", "p"), ("job", "x"), ("instance", "b")], at(second), f64::from(u8::from(!within(&down, second))));
        }
    }
    source
}

/// Good and bad slices (or millionths), and the seconds that were not seen.
fn journeys(daemon: &Daemon, from: i64, to: i64) -> (i64, i64, i64) {
    let counts = daemon.ledger.between(daemon.index("shop", ""), at(from), at(to));
    (counts.good, counts.bad, counts.unseen_millis / 1000)
}

fn costs(daemon: &Daemon, from: i64, to: i64) -> Vec<(String, i64)> {
    let over = Interval { from: at(from), to: at(to) };
    let members = daemon.ledger.members(daemon.index("shop", ""), over, at(to));
    members.into_iter().map(|member| (member.slo.name.to_string(), member.cost)).collect()
}

#[test]
fn a_journey_is_bad_where_one_member_is_and_says_which() {
    let mut daemon = Daemon::start(shop(UNKNOWN, None), at(0));
    // Five minutes of failures, and five minutes in which the probe is down, three of them at once.
    daemon.tick_every(&hour(600..900, 720..1020, 0..0), 10, 0, 3590);
    assert_eq!(journeys(&daemon, 0, 3000), (43, 7, 0));
    assert_eq!(costs(&daemon, 0, 3000), [("a".to_owned(), 5), ("p".to_owned(), 5)]);
    let sums = daemon.ledger.sums(daemon.index("shop", ""), at(3590)).expect("seen");
    assert_eq!(sums.over(hours(1)).bad, 7);
}

#[test]
fn a_member_that_is_judged_further_than_the_journey_costs_no_more_than_the_journey_lost() {
    let mut source = Source::default();
    let (mut good, mut failed) = (1000, 0);
    for second in (-600..3600).step_by(15) {
        *(if second > 3300 { &mut failed } else { &mut good }) += 10;
        source.scrape(at(second), &[("200", good), ("500", failed)]);
        if second % 60 == 0 && second <= 3480 {
            source.put(&[("__name__", "p"), ("job", "x"), ("instance", "b")], at(second), 1.0);
        }
    }
    let mut daemon = Daemon::start(shop(UNKNOWN, None), at(0));
    daemon.tick_every(&source, 10, 0, 3590);
    let (_, bad, _) = journeys(&daemon, 0, 3590);
    let members = daemon.ledger.members(daemon.index("shop", ""), Interval { from: at(0), to: at(3590) }, at(3590));
    assert!(members[0].verdicts.bad > bad * 60, "it is judged further: {members:?}, {bad}");
    assert_eq!(costs(&daemon, 0, 3590), [("a".to_owned(), bad), ("p".to_owned(), 0)]);
}

#[test]
fn a_weighted_journey_loses_the_weight_of_who_fails() {
    let mut daemon = Daemon::start(shop(UNKNOWN, Some(["60%", "40%"])), at(0));
    daemon.tick_every(&hour(600..900, 720..1020, 0..0), 10, 0, 3590);
    let bad = 5 * 600_000 + 5 * 400_000;
    assert_eq!(journeys(&daemon, 0, 3000), (50_000_000 - bad, bad, 0));
    assert_eq!(costs(&daemon, 0, 3000), [("a".to_owned(), 3_000_000), ("p".to_owned(), 2_000_000)]);
}

#[test]
fn what_a_blind_member_is_taken_for_is_the_choice_of_the_journey() {
    use WhenUnseen::{CountAsBad, Exclude, Unknown};
    for (rule, weights, expected) in [
        (Unknown, None, (36, 6, 480)),
        (Exclude, None, (44, 6, 0)),
        (CountAsBad, None, (36, 14, 0)),
        (Unknown, Some(["60%", "40%"]), (50_000_000 - 6 * 600_000 - 10 * 400_000, 6 * 600_000, 240)),
        (Exclude, Some(["60%", "40%"]), (50_000_000 - 6 * 600_000 - 10 * 400_000, 6 * 600_000, 0)),
        (CountAsBad, Some(["60%", "40%"]), (50_000_000 - 6 * 600_000 - 10 * 400_000, 6 * 600_000 + 10 * 400_000, 0)),
    ] {
        let mut daemon = Daemon::start(shop([Unknown, rule], weights), at(0));
        // Ten minutes without the probe, of which the last two are bad for `x`, and four more after it.
        daemon.tick_every(&hour(1680..2040, 0..0, 1200..1800), 10, 0, 3590);
        let counted = journeys(&daemon, 0, 3000);
        assert_eq!(counted, expected, "{rule:?} {weights:?}");
    }
}

#[test]
fn while_a_member_is_blind_what_the_others_show_still_counts_and_all_blind_is_blind() {
    let source = hour(2400..3600, 0..0, 1200..3600);
    let mut daemon = Daemon::start(shop(UNKNOWN, None), at(0));
    daemon.tick_every(&source, 10, 0, 3000);
    let (stream, now) = (daemon.index("shop", ""), at(3000));
    let sums = daemon.ledger.sums(stream, now).expect("the other member is seen");
    // The slices from 2400 s on are bad whatever the probe says; those before, back to 1200 s, nobody knows.
    assert_eq!((sums.over(minutes(30)).bad, sums.over(minutes(30)).good, sums.over(minutes(30)).unseen_millis), (10, 0, 20 * 60_000));
    let members = daemon.ledger.members(stream, Interval { from: at(0), to: now }, now);
    let hides: Vec<Option<String>> = members.iter().map(|member| member.hides().map(|unknown| unknown.to_string())).collect();
    assert_eq!(hides, [None, Some("stale: checkout/p: the newest sample is 1800 s old, and they come every 15 s".to_owned())]);
    let mut blind = Daemon::start(shop(UNKNOWN, None), at(0));
    blind.tick_every(&source, 10, 0, 2000);
    blind.tick_every(&source, 10, 3700, 4000);
    assert!(blind.ledger.sums(blind.index("shop", ""), at(4000)).is_err(), "neither is seen");
}

#[test]
fn a_bad_slice_that_was_not_settled_stays_while_nothing_is_seen() {
    let source = hour(0..0, 900..1_200, 0..0);
    let mut daemon = Daemon::start(shop(UNKNOWN, None), at(0));
    daemon.tick_every(&source, 10, 0, 1_000);
    let shown = journeys(&daemon, 0, 1_000);
    assert_eq!(shown.1, 1, "{shown:?}");
    for now in (1_010..1_300).step_by(10) {
        daemon.round_without(&source, at(now), |_| true);
        assert_eq!(journeys(&daemon, 0, 1_000), shown, "at {now}");
    }
    daemon.tick_every(&source, 10, 1_300, 1_400);
    assert_eq!(journeys(&daemon, 0, 1_200).1, 5);
}

#[test]
fn a_member_that_was_never_seen_lets_no_journey_begin_unless_it_is_left_out() {
    for (rule, begun) in [(WhenUnseen::Unknown, false), (WhenUnseen::CountAsBad, false), (WhenUnseen::Exclude, true)] {
        let mut daemon = Daemon::start(shop([WhenUnseen::Unknown, rule], None), at(0));
        let source = hour(0..0, 0..0, -601..3600);
        daemon.tick_every(&source, 30, 0, 1800);
        let sums = daemon.ledger.sums(daemon.index("shop", ""), at(1800)).map(|sums| sums.over(minutes(5)).good);
        match sums {
            Ok(good) => assert!(begun && good >= 4, "{rule:?}"),
            Err(unknown) => assert!(!begun && unknown.detail.starts_with("checkout/p: the source has no series"), "{unknown}"),
        }
    }
}

#[test]
fn a_member_that_answers_late_changes_what_was_said_for_it() {
    let source = hour(600..900, 1200..1500, 0..0);
    let mut calm = Daemon::start(shop(UNKNOWN, None), at(0));
    calm.tick_every(&source, 30, 0, 3570);
    let mut late = Daemon::start(shop(UNKNOWN, None), at(0));
    for now in (0..3570).step_by(30) {
        if now < 900 {
            late.tick(&source, at(now));
        } else {
            late.round_without_name(&source, at(now), "p");
        }
        if now == 1800 {
            assert_eq!(journeys(&late, 900, 1500).0, 0, "nothing is called good that a member has not judged");
        }
    }
    late.tick(&source, at(3570));
    assert_agree(&late, &calm, at(3570));
    assert_eq!(journeys(&late, 0, 3000), (40, 10, 0));
}

#[test]
fn exclusions_of_the_journey_take_out_whole_slices_of_it_and_those_of_a_member_do_not() {
    use crate::exclusion::{Exclusion, ExclusionId, Exclusions, Owner, Scope};
    let mut daemon = Daemon::start(shop(UNKNOWN, None), at(0));
    let name = |name: &str| fixture::slo_id(name);
    let exclusion = |id: u64, slo: &str| Exclusion {
        id: ExclusionId(id),
        scope: Scope { of: Owner::Slo(name(slo).service, name(slo).name), group: Group::whole() },
        recorded_at: at(0),
        withdrawn_at: None,
        stretches: vec![Interval { from: at(630), to: at(870) }],
    };
    let exclusions = Exclusions::new(vec![exclusion(1, "a"), exclusion(2, "shop")]);
    daemon.ledger.set_exclusions(Arc::new(exclusions), None, at(0)).expect("no blobs are read");
    daemon.tick_every(&hour(600..900, 0..0, 0..0), 10, 0, 3590);
    let sums = daemon.ledger.sums(daemon.index("shop", ""), at(3590)).expect("seen");
    assert_eq!(sums.over(hours(1)).bad, 5, "what is excluded from a member is no better for the journey");
    let excluded = sums.excluded(at(0), &[Interval { from: at(630), to: at(870) }]);
    assert_eq!((excluded.counts.bad, excluded.time), (3, minutes(3)), "660 to 840 s are the whole slices within");
}

#[test]
fn a_journey_that_means_something_else_now_leaves_its_history_alone() {
    let source = hour(600..900, 1200..1500, 0..0);
    let mut daemon = Daemon::start(shop(UNKNOWN, None), at(0));
    daemon.tick_every(&source, 10, 0, 2400);
    let before = journeys(&daemon, 0, 2000);
    let mut slos = shop(UNKNOWN, None);
    slos[2] = journey("shop", &[("a", "1%", WhenUnseen::Unknown), ("p", "1%", WhenUnseen::Exclude)], None, &[]);
    daemon.replace_slos(slos, at(2400));
    daemon.tick_every(&source, 10, 2410, 3000);
    daemon.compact(at(3000));
    daemon.restart(at(3000));
    daemon.tick_every(&source, 10, 3000, 3590);
    assert_eq!(journeys(&daemon, 0, 2000), before);
    assert_eq!(journeys(&daemon, 2400, 3000), (10, 0, 0));
}

#[test]
fn a_group_begins_where_every_member_has_it() {
    let per = ["instance"];
    let split = fixture::availability_per("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")], &per);
    let members = [("a", "99%", WhenUnseen::Unknown), ("p", "100%", WhenUnseen::Unknown)];
    let slos = vec![split, fixture::probe("p", &["p"], &per), journey("shop", &members, None, &per)];
    let mut source = Source::default();
    for second in (-600..3600).step_by(15) {
        let requests = u64::try_from(second + 600).expect("positive");
        source.scrape_of("one", at(second), &[("200", requests), ("500", 0)]);
        source.scrape_of("two", at(second), &[("200", requests), ("500", 0)]);
        source.put(&[("__name__", "p"), ("job", "x"), ("instance", "one")], at(second), 1.0);
        if second > 1200 {
            source.put(&[("__name__", "p"), ("job", "x"), ("instance", "two")], at(second), f64::from(u8::from(second <= 2400)));
        }
    }
    let mut daemon = Daemon::start(slos, at(0));
    daemon.tick_every(&source, 30, 0, 900);
    let groups = |daemon: &Daemon| daemon.ledger.streams().filter(|stream| stream.slo.name.as_str() == "shop").count();
    assert_eq!(groups(&daemon), 1);
    daemon.tick_every(&source, 30, 930, 3570);
    assert_eq!(groups(&daemon), 2);
    let counts = daemon.ledger.between(daemon.index("shop", "two"), at(-600), at(3000));
    assert_eq!((counts.good, counts.bad), (20, 10), "from 1200 s on");
}

/// When the page of the journey opened and when it cleared, ticked every 10 s.
fn paged(source: &Source, until: i64) -> (Option<i64>, Option<i64>) {
    let slos = shop(UNKNOWN, None);
    let (slo, objective) = (slos[2].clone(), slos[2].objectives[0].clone());
    let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: Group::whole() };
    let mut daemon = Daemon::start(slos, at(0));
    let (mut alerts, mut opened, mut cleared) = (AlertState::default(), None, None);
    for now in (0..until).step_by(10) {
        daemon.tick(source, at(now));
        let stream = daemon.index("shop", "");
        let (sums, over) = (daemon.ledger.sums(stream, at(now)), Interval::ending(at(now), days(30)));
        let members = daemon.ledger.members(stream, over, at(now));
        let input = Input {
            sums: sums.as_ref().map(|sums| sums as &dyn Sums).map_err(Clone::clone),
            held: None,
            over,
            newest_sample: None,
            counted_from: daemon.ledger.streams().find(|of| of.index == stream).and_then(|of| of.counted_from),
            unjudged: Duration::ZERO,
            excluded: Excluded::default(),
            began: None,
            catching_up: false,
            to_fill: Duration::ZERO,
            members,
        };
        let status = evaluate(&slo, &objective, budget.clone(), &input, alerts, at(now)).status;
        match (alerts.page, status.alerts.page) {
            (None, Some(_)) => opened = Some(now),
            (Some(_), None) => cleared = Some(now),
            (None, None) | (Some(_), Some(_)) => {}
        }
        alerts = status.alerts;
    }
    (opened, cleared)
}

#[test]
fn an_outage_of_one_member_pages_as_soon_without_the_other_and_does_not_end_unseen() {
    let (outage, never) = (2400..2700, 0..0);
    let (seen, blind) =
        (paged(&hour(outage.clone(), never.clone(), never.clone()), 3590), paged(&hour(outage, never.clone(), 1200..3600), 3590));
    assert_eq!(seen.0, blind.0, "known to be bad is known");
    assert!(seen.0.is_some_and(|opened| (2520..=2640).contains(&opened)), "{seen:?}");
    assert!(seen.1.is_some() && blind.1.is_none(), "{seen:?} {blind:?}");
    // One bad minute of an hour in which the other member was not seen is one of sixty.
    assert_eq!(paged(&hour(2400..2460, never.clone(), 600..3600), 3590).0, paged(&hour(2400..2460, never.clone(), never), 3590).0);
}
