//! Budgets as they stand, at moments and over sums that are written here.

use super::*;
use crate::{
    alert_rows::default_rows,
    burn_rate::{HeldBack, Verdict},
    id::{Group, ObjectiveName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    sli::Sli,
    slo::{LowTraffic, NewSeries, NoData, NoDataThen, NoTraffic, Origin, Urgency},
    status::Suspension,
    time::{days, hours, minutes},
    window::{Grain, Period, Zone},
};

const NOW: Timestamp = Timestamp::from_seconds(10_000_000);
const SEEN: Timestamp = Timestamp::from_seconds(9_999_998);
const EARLIER: Timestamp = Timestamp::from_seconds(9_990_000);
const CALM: AlertState = AlertState { page: None, ticket: None };
const PAGED: AlertState = AlertState { page: Some(EARLIER), ticket: None };

/// Counts per lookback; the longest that is named stands for all longer ones.
struct Table(Vec<(Duration, Counts)>);

impl Sums for Table {
    fn over(&self, lookback: Duration) -> Counts {
        self.0.iter().find(|(of, _)| *of >= lookback).or(self.0.last()).map_or_else(Counts::default, |(_, counts)| *counts)
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.over(NOW.since(from))
    }
}

fn counts(total: i64, bad: i64) -> Counts {
    Counts { good: total - bad, bad, ..Counts::default() }
}

fn slo() -> Slo {
    let target = Target::percent("99.9%").expect("a target");
    let objective = Objective {
        name: ObjectiveName::parse("30d").expect("a name"),
        target,
        window: Window::Rolling(days(30)),
        counted_in: CountedIn::Events,
        rows: default_rows(target, days(30)).rows,
    };
    Slo {
        id: SloId {
            tenant: TenantId::parse("main").expect("a name"),
            service: ServiceName::parse("checkout").expect("a name"),
            name: SloName::parse("availability").expect("a name"),
        },
        was: None,
        title: "Customers can pay".into(),
        team: TeamName::parse("payments").expect("a name"),
        runbook: None,
        source: SourceName::parse("prom-eu").expect("a name"),
        sli: Sli::Events { counted: crate::sli::Counted::Bad(vec![]), total: vec![] },
        per: vec![],
        objectives: vec![objective],
        no_data: NoData { after: minutes(5), then: NoDataThen::TellOwner },
        no_traffic: NoTraffic::Fine,
        new_series: NewSeries::Auto,
        low_traffic: LowTraffic::Exact,
        excluded_time: ExcludedTime::Removed,
        status: Status::Active,
        origin: Origin { file: "checkout.yaml".into(), line: 1, version: "0".into() },
    }
}

fn input(sums: Result<&dyn Sums, Unknown>) -> Input<'_> {
    Input {
        sums,
        held: None,
        over: Interval::ending(NOW, days(30)),
        newest_sample: Some(SEEN),
        counted_from: Some(NOW.minus(days(40))),
        unjudged: Duration::ZERO,
        excluded: Excluded::default(),
        began: None,
        catching_up: false,
        to_fill: Duration::ZERO,
        members: Vec::new(),
    }
}

fn run(input: &Input<'_>, before: AlertState) -> Evaluation {
    let slo = slo();
    let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
    evaluate(&slo, &slo.objectives[0], budget, input, before, NOW)
}

fn burning() -> Table {
    Table(vec![
        (minutes(5), counts(1_091_100, 165_847)),
        (hours(1), counts(13_093_200, 191_160)),
        (days(3), counts(900_000_000, 191_160)),
        (days(30), counts(9_427_104_000, 2_733_860)),
    ])
}

/// The state of what the table says, after one step from `before`.
fn check(table: &Table, before: AlertState, state: State) -> Evaluation {
    let evaluation = run(&input(Ok(table)), before);
    assert_eq!(evaluation.status.state, state);
    evaluation
}

#[test]
fn a_fast_burn_pages_with_its_facts_and_its_arithmetic() {
    let evaluation = check(&burning(), CALM, State::Burning);
    let [change] = evaluation.changes.as_slice() else { panic!("one change: {:?}", evaluation.changes) };
    assert_eq!(
        change.why,
        "1h: bad 191,160 of 13,093,200 = 1.460 %, burn 14.6x > 14.4x and 5m: bad 165,847 of 1,091,100 = 15.200 %, burn 152.0x > 14.4x -> page"
    );
    let Change::Fired(Facts::Burn(facts)) = &change.change else { panic!("it fires: {change:?}") };
    assert_eq!((facts.began, facts.as_of), (NOW.minus(minutes(5)), SEEN));
    assert_eq!(facts.fired.row.factor.to_string(), "14.4");
    assert_eq!(facts.runs_out.map(words::duration).as_deref(), Some("3 h 22 m"));
    assert_eq!(evaluation.status.alerts, AlertState { page: Some(NOW), ticket: None });
    assert_eq!(evaluation.status.since, Some(NOW));
}

#[test]
fn a_status_changes_who_is_told_and_not_what_is_decided() {
    let until = NOW.plus(minutes(1));
    let suspended = Status::Suspended(Suspension { reason: "the exporter is rebuilt".into(), until });
    let evaluated = |status: &Status, now: Timestamp| {
        let slo = Slo { status: status.clone(), ..slo() };
        let table = burning();
        let budget = check(&table, CALM, State::Burning).status.budget;
        let decided = Rules::of(&slo, &slo.objectives[0]).decide(&input(Ok(&table)), CALM, now);
        let evaluation = evaluate(&slo, &slo.objectives[0], budget, &input(Ok(&table)), CALM, now);
        assert_eq!((decided.alerts, decided.changes), (evaluation.status.alerts, !evaluation.changes.is_empty()), "{status}");
        evaluation
    };
    let active = evaluated(&Status::Active, NOW);
    let shadow = evaluated(&Status::Shadow, NOW);
    assert_eq!(shadow.changes, active.changes, "it is decided by the same code");
    assert_eq!((shadow.status.state, shadow.status.word(), shadow.status.icon()), (State::Burning, "SHADOW", "○"));
    let asleep = evaluated(&suspended, NOW);
    assert_eq!((asleep.changes.len(), asleep.status.alerts), (0, CALM), "nothing is decided");
    assert_eq!((asleep.status.word(), asleep.status.icon()), ("SUSPENDED", "·"));
    assert_eq!(asleep.status.counts, active.status.counts, "and all is counted");
    let awake = evaluated(&suspended, until);
    assert_eq!((awake.changes.len(), awake.status.word()), (1, "BURNING"), "active again by itself");
    assert!(shadow.status.tells_nobody() && asleep.status.tells_nobody() && !awake.status.tells_nobody());
}

#[test]
fn one_failure_of_ten_is_held_back_and_two_page() {
    let quiet_days = (days(30), counts(7200, 3));
    let few = |bad| Table(vec![(minutes(5), counts(1, 1)), (hours(1), counts(10, bad)), (hours(6), counts(60, bad)), quiet_days]);
    let held = check(&few(1), CALM, State::Ok);
    assert_eq!(held.changes, []);
    assert!(
        matches!(held.status.rows[0].verdict, Verdict::HeldBack(HeldBack::Chance { probability }) if (probability - 0.009_955).abs() < 1e-6),
        "{:?}",
        held.status.rows[0]
    );
    let why = explain::why_held_back(&held.status, &[0]);
    assert_eq!(explain::rows_held_back(&held.status), [0, 1]);
    assert_eq!(
        why.as_deref(),
        Some(
            "1h: bad 1 of 10 = 10.000 %, burn 100.0x > 14.4x and 5m: bad 1 of 1 = 100.000 %, burn 1000.0x > 14.4x -> page held back: \
             1 failure of 10 in 1h may be chance: 1.00 % of such lookbacks have as many at 99.9 %, and 0.010 % is the limit; 2 of 10 page"
        )
    );
    check(&few(2), CALM, State::Burning);
}

#[test]
fn a_young_history_opens_what_an_old_and_clean_one_would() {
    let seen_for = |counted: Duration, bad: i64| {
        let table = Table(vec![(days(30), counts(100_000, bad))]);
        let evaluation = run(&Input { counted_from: Some(NOW.minus(counted)), ..input(Ok(&table)) }, CALM);
        (evaluation.changes.iter().map(|change| change.urgency).collect::<Vec<_>>(), evaluation.status)
    };
    // 20x for 10 min is 3.3x over an hour, and 0.14x over a day.
    let (opened, status) = seen_for(minutes(10), 2000);
    assert_eq!(opened, []);
    assert_eq!(status.rows[0].verdict, Verdict::HeldBack(HeldBack::Young { counted: minutes(10) }));
    assert_eq!(
        explain::why_held_back(&status, &[0]).as_deref(),
        Some(
            "1h: bad 2,000 of 100,000 = 2.000 %, burn 20.0x > 14.4x and 5m: bad 2,000 of 100,000 = 2.000 %, burn 20.0x > 14.4x -> page held back: \
             10 min of 1h are counted; had the rest no failure, the burn would be 3.3x"
        )
    );
    // A total outage pages as soon as ever: 14.4 / 1000 of an hour is 52 s.
    assert_eq!(seen_for(Duration::from_secs(51), 100_000).0, []);
    assert_eq!(seen_for(Duration::from_secs(52), 100_000).0, [Urgency::Page]);
    assert_eq!(seen_for(hours(1), 2000).0, [Urgency::Page], "an hour is enough for the row of an hour");
    assert_eq!(seen_for(days(3), 300).0, [Urgency::Ticket]);
}

#[test]
fn off_lets_the_burn_rates_alone_decide_and_tickets_are_never_held_back() {
    let one = Table(vec![(minutes(5), counts(1, 1)), (days(30), counts(10, 1))]);
    let mut slo = slo();
    let opened = |slo: &Slo| {
        let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
        let changes = evaluate(slo, &slo.objectives[0], budget, &input(Ok(&one)), CALM, NOW).changes;
        changes.into_iter().map(|change| change.urgency).collect::<Vec<_>>()
    };
    assert_eq!(opened(&slo), [Urgency::Ticket]);
    slo.low_traffic = LowTraffic::Off;
    assert_eq!(opened(&slo), [Urgency::Page, Urgency::Ticket]);
}

#[test]
fn the_beginning_of_the_burn_is_the_ledgers_where_it_knows() {
    let table = burning();
    let evaluation = run(&Input { began: Some(EARLIER), ..input(Ok(&table)) }, CALM);
    let Change::Fired(Facts::Burn(facts)) = &evaluation.changes[0].change else { panic!("it fires") };
    assert_eq!(facts.began, EARLIER);
}

#[test]
fn recovery_clears_the_page_and_says_why() {
    let table = Table(vec![(minutes(5), counts(1_091_100, 0)), (days(30), counts(9_427_104_000, 2_733_860))]);
    let evaluation = check(&table, PAGED, State::Ok);
    let [change] = evaluation.changes.as_slice() else { panic!("one change") };
    assert_eq!((change.urgency, &change.change), (Urgency::Page, &Change::Cleared));
    assert_eq!(change.why, "no page row holds; 5m: bad 0 of 1,091,100 = 0.000 %, burn 0.0x < 6x -> page clears");
}

#[test]
fn unknown_sums_keep_every_alert_and_give_their_reason() {
    let unknown = Unknown { reason: Reason::Timeout, detail: "no answer within 15 s".into() };
    for (before, state, since) in [(CALM, State::CannotSee, SEEN), (PAGED, State::Burning, EARLIER)] {
        let Evaluation { status, changes } = run(&input(Err(unknown.clone())), before);
        assert_eq!((status.state, status.alerts, status.since), (state, before, Some(since)));
        assert_eq!((status.unknown, status.sli, status.left), (Some(unknown.clone()), None, None));
        assert_eq!(changes, []);
    }
}

#[test]
fn while_history_is_filled_in_nothing_is_decided() {
    for (table, before, state) in
        [(burning(), CALM, State::BackFilling), (burning(), PAGED, State::Burning), (Table(vec![]), CALM, State::BackFilling)]
    {
        let evaluation = run(&Input { catching_up: true, ..input(Ok(&table)) }, before);
        assert_eq!((evaluation.status.state, evaluation.status.alerts), (state, before));
        assert_eq!(evaluation.changes, []);
    }
}

#[test]
fn the_state_is_the_most_severe_of_what_is_true() {
    check(&Table(vec![]), CALM, State::NoTraffic);
    check(&Table(vec![(days(30), counts(1000, 0))]), CALM, State::Ok);
    check(&Table(vec![(days(3), counts(1000, 0)), (days(30), counts(10_000, 10))]), CALM, State::Spent);
    check(&Table(vec![(days(30), counts(1000, 500))]), CALM, State::Burning);
    check(&Table(vec![(minutes(5), counts(1000, 500)), (days(30), counts(1000, 500))]), PAGED, State::Burning);
    assert!(State::Burning < State::CannotSee && State::CannotSee < State::Spent && State::Spent < State::BackFilling);
}

#[test]
fn without_traffic_every_figure_is_absent_or_zero() {
    let status = check(&Table(vec![]), CALM, State::NoTraffic).status;
    assert_eq!((status.sli, status.left, status.runs_out), (None, None, None));
    assert!(status.rows.iter().all(|burn| burn.long_burn == 0.0 && !burn.holds()));
}

#[test]
fn what_would_last_longer_than_the_window_does_not_run_out() {
    for (bad, out) in [(1, None), (6, Some("20 d"))] {
        let status = run(&input(Ok(&Table(vec![(days(30), counts(10_000, bad))]))), CALM).status;
        assert_eq!(status.runs_out.map(words::duration).as_deref(), out, "{bad} of 10,000");
    }
}

#[test]
fn coverage_is_the_share_of_the_window_that_was_seen() {
    let day = Counts { unseen_millis: 86_400_000, ..counts(1000, 0) };
    for (unseen, counted_from, coverage) in [
        (counts(1000, 0), Some(NOW.minus(days(40))), 1.0),
        (counts(1000, 0), Some(NOW.minus(days(15))), 0.5),
        (day, Some(NOW.minus(days(40))), 29.0 / 30.0),
        (day, Some(NOW.minus(days(15))), 14.0 / 30.0),
        (counts(1000, 0), Some(NOW.plus(days(1))), 0.0),
        (counts(1000, 0), None, 0.0),
    ] {
        let table = Table(vec![(days(30), unseen)]);
        let status = run(&Input { counted_from, ..input(Ok(&table)) }, CALM).status;
        assert!((status.coverage - coverage).abs() < 1e-12, "{} where {coverage} is right", status.coverage);
    }
}

/// Counts of the whole window, of which the last day was wholly seen.
struct Partly(Counts);

impl Sums for Partly {
    fn over(&self, lookback: Duration) -> Counts {
        if lookback > days(1) { self.0 } else { Counts { unseen_millis: 0, ..self.0 } }
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.over(NOW.since(from))
    }
}

/// A hundredth of the window was not seen. At the rate of the rest it holds 1,000 events.
fn partly() -> Partly {
    Partly(Counts { unseen_millis: 25_920_000, ..counts(99_000, 50) })
}

#[test]
fn unseen_time_bounds_the_budget_from_both_sides_and_changes_no_decision() {
    let partly = partly();
    let Evaluation { status, changes } = run(&input(Ok(&partly)), CALM);
    let seen = run(&input(Ok(&Partly(counts(99_000, 50)))), CALM);
    assert_eq!(changes, seen.changes);
    assert_eq!((status.left, status.sli, status.state), (seen.status.left, seen.status.sli, seen.status.state));
    let unseen = status.unseen.expect("a hundredth was not seen");
    // 50 of 100,000 at best, 1,050 of 100,000 at worst; 99.9 % allows 100.
    assert!((unseen.most.ratio - 0.5).abs() < 1e-12 && (unseen.least.ratio + 9.5).abs() < 1e-12, "{unseen:?}");
    assert!(unseen.least.ratio <= status.left.expect("traffic").ratio && status.left.expect("traffic").ratio <= unseen.most.ratio);
    assert_eq!((unseen.time, unseen.events), (minutes(432), 1000));
    assert_eq!(seen.status.unseen, None);
}

#[test]
fn count_as_bad_spends_what_may_have_happened_unseen_and_wakes_nobody() {
    let mut slo = slo();
    slo.no_data.then = NoDataThen::CountAsBad;
    let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
    let partly = partly();
    let Evaluation { status, changes } = evaluate(&slo, &slo.objectives[0], budget, &input(Ok(&partly)), CALM, NOW);
    assert_eq!((status.counts.bad, status.counts.total()), (1050, 100_000));
    assert_eq!((status.state, status.left), (State::Spent, status.unseen.map(|unseen| unseen.least)));
    assert_eq!(changes, [], "alert rows are decided on measured events alone");
    assert!(status.rows.iter().all(|row| row.long.bad == 50));
}

#[test]
fn unseen_time_that_people_took_out_hides_nothing() {
    let partly = partly();
    let taken = |unseen_millis| Excluded { counts: Counts { unseen_millis, ..Counts::default() }, ..Excluded::default() };
    let unseen = |excluded| run(&Input { excluded, ..input(Ok(&partly)) }, CALM).status.unseen;
    assert_eq!(unseen(taken(25_920_000)), None);
    assert_eq!(unseen(taken(19_440_000)).map(|unseen| (unseen.time, unseen.events)), Some((minutes(108), 250)));
}

/// Time that is taken out is judged as if it had not been: neither the window nor what has passed of it holds it.
#[test]
fn excluded_time_shortens_the_window_and_what_has_passed_of_it() {
    let mut slo = slo();
    (slo.objectives[0].target, slo.objectives[0].window) = (Target::percent("99%").expect("a target"), Window::Rolling(hours(1)));
    let standing_of = |slo: &Slo, all: Counts, excluded: Excluded, counted_for: Duration, over: Interval| {
        let table = Table(vec![(days(30), all)]);
        let input = Input { excluded, over, counted_from: Some(NOW.minus(counted_for)), ..input(Ok(&table)) };
        let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
        standing(slo, &slo.objectives[0], budget, &input, CALM, NOW)
    };
    // Counted for 185 s of the hour, of which 60 s are out with 563 of the 1,170 failures: 607 of 3,086 in 125 s of 59 min.
    let minute = minutes(1);
    let taken = Excluded { counts: counts(1_763, 563), time: minute, held: minute, ..Excluded::default() };
    let status = standing_of(&slo, counts(4_849, 1_170), taken, Duration::from_secs(185), Interval::ending(NOW, hours(1)));
    let left = status.left.expect("traffic");
    assert!((left.ratio - (1.0 - 607.0 / 3_086.0 / 0.01 * 125.0 / 3_540.0)).abs() < 1e-12, "{left:?}");
    assert_eq!(left.whole, Duration::from_millis(35_400));
    assert!((status.coverage - 125.0 / 3_540.0).abs() < 1e-12);
    // What was taken out before counting began shortens the window alone.
    let before = Excluded { time: minute, ..Excluded::default() };
    let status = standing_of(&slo, counts(3_086, 607), before, Duration::from_secs(185), Interval::ending(NOW, hours(1)));
    assert!((status.coverage - 185.0 / 3_540.0).abs() < 1e-12);
    // Half of a month is out, with half of its failures: what the whole will have left does not wait for its end.
    let (from, gone) = (NOW.minus(days(25)), days(15));
    slo.objectives[0].window = Window::Calendar { period: Period::Month, zone: Zone::parse("UTC", Grain::Hour).expect("a zone") };
    let month = Interval { from, to: from.plus(days(30)) };
    let taken = Excluded { counts: counts(1_296_000, 8_640), time: gone, held: gone, ..Excluded::default() };
    let status = standing_of(&slo, counts(2_160_000, 17_280), taken, days(25), month);
    let left = status.left.expect("traffic");
    assert!((left.ratio - (1.0 - 8_640.0 / 12_960.0)).abs() < 1e-12, "{left:?}");
    // Where it counts as good, the window is as long as it is.
    slo.excluded_time = ExcludedTime::CountsAsGood;
    let status = standing_of(&slo, counts(2_160_000, 17_280), taken, days(25), month);
    let left = status.left.expect("traffic");
    assert!((left.ratio - (1.0 - 8_640.0 / 2_160_000.0 / 0.01 * 25.0 / 30.0)).abs() < 1e-12, "{left:?}");
}

#[test]
fn a_budget_that_is_counted_since_a_moment_has_spent_only_what_failed_since() {
    let table = Table(vec![(days(30), counts(20, 20))]);
    let counted_for = |span| run(&Input { counted_from: Some(NOW.minus(span)), ..input(Ok(&table)) }, CALM).status;
    let left = |span| counted_for(span).left.expect("traffic");
    // A total outage of 20 s is 20 s of the 43 m 12 s, whenever counting began.
    assert!((left(Duration::from_secs(20)).ratio - (1.0 - 20.0 / 2592.0)).abs() < 1e-12, "{:?}", left(Duration::from_secs(20)));
    assert!((left(days(30)).ratio + 999.0).abs() < 1e-9 && (left(days(40)).ratio + 999.0).abs() < 1e-9);
    assert!((counted_for(days(3)).window_total - 200.0).abs() < 1e-9, "ten times as many make up the window");
}

#[test]
fn a_moment_before_counting_began_is_not_a_quiet_one() {
    for counted_from in [None, Some(NOW), Some(NOW.plus(days(1)))] {
        let empty = Table(vec![]);
        let asked = Input { counted_from, ..input(Ok(&empty)) };
        let status = run(&asked, CALM).status;
        assert_eq!((status.state, status.unknown.map(|unknown| unknown.reason)), (State::CannotSee, Some(Reason::NotYet)));
        assert_eq!(run(&Input { catching_up: true, ..asked }, CALM).status.state, State::BackFilling);
    }
}

#[test]
fn while_we_cannot_see_the_budget_shows_what_is_held_and_nothing_is_decided() {
    let unknown = Unknown { reason: Reason::Timeout, detail: "no answer within 15 s".into() };
    let held = Partly(Counts { unseen_millis: 3 * 86_400_000, ..counts(100_000, 200) });
    let blind = Input { held: Some(&held), ..input(Err(unknown.clone())) };
    let Evaluation { status, changes } = run(&blind, PAGED);
    assert_eq!((status.state, status.alerts, changes), (State::Burning, PAGED, vec![]));
    let status = run(&blind, CALM).status;
    assert_eq!((status.state, status.unknown, status.rows), (State::CannotSee, Some(unknown), vec![]));
    assert!(status.left.is_some_and(|left| left.is_spent()) && (status.coverage - 0.9).abs() < 1e-12);
    assert_eq!(status.unseen.map(|unseen| unseen.time), Some(days(3)));
}

#[test]
fn time_before_the_first_verdict_is_not_seen_and_bounds_what_is_left() {
    let mut slo = slo();
    let good_from = crate::units::GoodShare::percent("99%").expect("a share");
    slo.objectives[0].counted_in = CountedIn::Slices(crate::slo::SliceRule { length: minutes(1), good_from });
    let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
    // Six hours of thirty days were judged, all of them good; events are held of all.
    let judged = Partly(counts(21_600, 0));
    let before = hours(30 * 24 - 6);
    let of = |unjudged, then| {
        let slo = Slo { no_data: NoData { after: minutes(5), then }, ..slo.clone() };
        let asked = Input { counted_from: Some(NOW.minus(hours(6))), unjudged, ..input(Ok(&judged)) };
        evaluate(&slo, &slo.objectives[0], budget.clone(), &asked, CALM, NOW).status
    };
    let status = of(before, NoDataThen::TellOwner);
    assert!((status.coverage - 6.0 / 720.0).abs() < 1e-12, "{}", status.coverage);
    let unseen = status.unseen.expect("most of it");
    assert_eq!((unseen.time, unseen.events, unseen.least.is_spent()), (before, 2_570_400, true));
    assert!((unseen.most.ratio - 1.0).abs() < 1e-12 && status.left.is_some_and(|left| (left.ratio - 1.0).abs() < 1e-12));
    assert_eq!(of(Duration::ZERO, NoDataThen::TellOwner).unseen, None, "a young SLO has nothing before it");
    assert_eq!(of(before, NoDataThen::CountAsBad).left, status.left, "judging began with the first verdict");
}

/// Counted until a moment, and nothing seen since.
struct Silent(Counts, Timestamp);

impl Sums for Silent {
    fn over(&self, lookback: Duration) -> Counts {
        self.since(NOW.minus(lookback))
    }

    fn since(&self, from: Timestamp) -> Counts {
        let unseen_millis = NOW.millis() - self.1.max(from).millis();
        Counts { unseen_millis, ..if from < self.1 { self.0 } else { Counts::default() } }
    }
}

#[test]
fn while_nothing_is_seen_the_budget_stands_as_it_was_counted() {
    let slo = |then| {
        let mut slo = slo();
        slo.no_data.then = then;
        slo
    };
    // Ten days were counted, at 0.05 % bad; then nothing for a while, of which the minute until the next sample was due is counted time. Of a window that is
    // whole by now the unseen time is not the rest's either.
    for (counted, over) in
        [(days(10), Interval::ending(NOW, days(30))), (days(10), Interval { from: NOW.minus(days(12)), to: NOW.plus(days(19)) })]
    {
        let length = over.length().as_secs_f64();
        let left = 1.0 - 0.5 * (counted + minutes(1)).as_secs_f64() / length;
        for (silence, blind) in [(minutes(1), true), (hours(1), true), (days(1), true), (hours(1), false)] {
            let newest = NOW.minus(silence);
            let held = Silent(counts(100_000, 50), newest);
            let unknown = Unknown { reason: Reason::Timeout, detail: "no answer within 15 s".into() };
            let sums: Result<&dyn Sums, Unknown> = if blind { Err(unknown) } else { Ok(&held) };
            let counted_from = Some(newest.minus(counted));
            let asked = Input { held: Some(&held), over, newest_sample: Some(newest), counted_from, ..input(sums) };
            let of = |slo: &Slo| {
                let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
                evaluate(slo, &slo.objectives[0], budget, &asked, CALM, NOW).status
            };
            let status = of(&slo(NoDataThen::TellOwner));
            let now = status.left.expect("traffic").ratio;
            assert!((now - left).abs() < 1e-12, "{now} where {left} is right, after {silence:?}");
            let unseen = status.unseen.expect("the silence");
            assert!(unseen.least.ratio < now && now <= unseen.most.ratio, "{unseen:?}");
            let strict = of(&slo(NoDataThen::CountAsBad));
            assert_eq!(strict.left, Some(unseen.least));
        }
    }
}

#[test]
fn of_slices_what_was_judged_counts_and_unseen_ones_are_no_share() {
    let mut slo = slo();
    slo.sli = Sli::Presence { series: crate::sli::Selector::new("p", vec![]), slice: Duration::from_secs(10), expected: vec![] };
    let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
    // Five slices were bad, and six hours before were not seen.
    let partly = Partly(Counts { unseen_millis: 6 * 3_600_000, ..counts(43, 5) });
    let asked = Input { counted_from: Some(NOW.minus(hours(7))), ..input(Ok(&partly)) };
    let status = evaluate(&slo, &slo.objectives[0], budget, &asked, CALM, NOW).status;
    assert!((status.left.expect("slices").ratio - (1.0 - 50.0 / 2592.0)).abs() < 1e-12, "50 s of 43 m 12 s: {:?}", status.left);
    assert!((status.window_total - 259_200.0).abs() < 1e-6, "{}", status.window_total);
    assert_eq!(status.unseen.map(|unseen| unseen.events), Some(2160));
}

#[test]
fn a_window_that_nobody_saw_is_not_a_quiet_one() {
    let blind = Counts { unseen_millis: 30 * 86_400_000, ..Counts::default() };
    let status = check(&Table(vec![(days(30), blind)]), CALM, State::CannotSee).status;
    assert_eq!(status.unknown.map(|unknown| unknown.to_string()).as_deref(), Some("stale: none of the last 30 d was seen"));
}

#[test]
fn counts_of_the_month_that_contradict_themselves_hide_no_outage_of_the_hour_and_hold_no_page_open() {
    let month = (days(30), counts(1_000_000, -500_000));
    let outage = Table(vec![(hours(1), counts(1000, 500)), month]);
    let evaluation = check(&outage, CALM, State::Burning);
    assert_eq!(evaluation.changes.len(), 1);
    assert_eq!((evaluation.status.left, evaluation.status.unknown.map(|u| u.reason)), (None, Some(Reason::GoodAboveTotal)));
    let over = Table(vec![(hours(6), counts(1000, 0)), month]);
    assert_eq!(check(&over, PAGED, State::CannotSee).status.alerts, CALM);
}

#[test]
fn more_bad_than_all_pages_and_is_doubted() {
    let evaluation = check(&Table(vec![(days(30), counts(100, 120))]), CALM, State::Burning);
    assert_eq!(evaluation.status.doubt, Some(Doubt::MoreBadThanAll));
    assert!(evaluation.changes[0].why.contains("more bad events than events in all"), "{}", evaluation.changes[0].why);
}

#[test]
fn more_good_than_all_is_doubted_and_beyond_the_budget_unknown() {
    let few = check(&Table(vec![(days(30), counts(1000, -1))]), CALM, State::Ok).status;
    assert_eq!((few.doubt, few.unknown), (Some(Doubt::MoreGoodThanAll), None));
    let evaluation = check(&Table(vec![(days(30), counts(1000, -2))]), PAGED, State::Burning);
    assert_eq!(evaluation.changes, []);
    let reason = evaluation.status.unknown.map(|unknown| unknown.to_string());
    assert_eq!(reason.as_deref(), Some("good_gt_total: 1,002 good events of 1,000 events in all: one of the two counts is wrong"));
}

#[test]
fn while_history_is_filled_in_the_budget_is_not_known_and_alerts_are_decided() {
    let table = burning();
    let filling = |before| run(&Input { to_fill: hours(600), ..input(Ok(&table)) }, before);
    let Evaluation { status, changes } = filling(CALM);
    assert_eq!((status.state, changes.len()), (State::Burning, 1), "a page does not wait");
    let calm = Table(vec![]);
    let status = run(&Input { to_fill: hours(600), ..input(Ok(&calm)) }, CALM).status;
    assert_eq!((status.state, status.to_fill, status.unseen), (State::BackFilling, hours(600), None));
    let both = run(&Input { to_fill: hours(600), catching_up: true, ..input(Ok(&calm)) }, CALM).status;
    assert_eq!((both.state, both.to_fill), (State::BackFilling, Duration::ZERO), "nothing is decided");
}
