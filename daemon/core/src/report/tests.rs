use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    alert::AlertState,
    budget::{BudgetLeft, Unseen},
    evaluate::{Input, standing},
    exclusion::Excluded,
    incident::story::{START, Story, alert, story, ticket_story},
    incident::{Actor, AlertKey, BlindFacts, Command, FaultKey, Member, Subject, TestFacts},
    ledger::{Reason, Sums, Unknown, fixture},
    sli::{Counted, Expression, Sli},
    slo::Urgency,
    time::{days, hours, minutes},
    window::{Grain, Period, Zone},
};

const WEEK: Interval =
    Interval { from: Timestamp::from_seconds(1_000_000 - 3 * 86_400), to: Timestamp::from_seconds(1_000_000 + 4 * 86_400) };

/// The same counts over every lookback.
struct Same(Counts);

impl Sums for Same {
    fn over(&self, _: Duration) -> Counts {
        self.0
    }

    fn since(&self, _: Timestamp) -> Counts {
        self.0
    }
}

fn counts(total: i64, bad: i64) -> Counts {
    Counts { good: total - bad, bad, ..Counts::default() }
}

fn slo(name: &str, team: &str) -> Slo {
    Slo {
        id: crate::incident::story::slo(name),
        team: TeamName::parse(team).expect("a name"),
        ..(*fixture::availability("a", "m", &[])).clone()
    }
}

/// A week of which all was seen, of a window of which most was not.
#[test]
fn a_window_that_was_hardly_seen_says_nothing() {
    let slo = slo("a", "payments");
    let then = status(&slo, Ok(counts(1_000_000, 0)), WEEK.to, Some(WEEK.from));
    let unseen = |time| Unseen {
        time,
        events: 1,
        least: BudgetLeft { ratio: -9.0, ..then.left.expect("events") },
        most: then.left.expect("events"),
    };
    for (time, word) in [(days(16), "CANNOT SAY"), (days(14), "SHIP")] {
        let then = BudgetStatus { coverage: 0.23, unseen: Some(unseen(time)), ..then.clone() };
        let judged = verdict::judge(&then, Some(0.0), 1.0);
        assert_eq!(judged.verdict.word(), word, "{}", judged.because);
    }
}

fn status(slo: &Slo, sums: Result<Counts, Unknown>, at: Timestamp, counted_from: Option<Timestamp>) -> BudgetStatus {
    let AlertKey::Budget(budget) = alert("acme") else { unreachable!() };
    let objective = &slo.objectives[0];
    let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), ..budget };
    let same = sums.map(Same);
    let sums = same.as_ref().map(|same| same as &dyn Sums).map_err(Clone::clone);
    let over = match &objective.window {
        Window::Rolling(length) => Interval::ending(at, *length),
        Window::Calendar { .. } => Interval { from: at.minus(days(1)), to: at.plus(days(29)) },
    };
    let input = Input {
        sums,
        held: None,
        over,
        newest_sample: Some(at),
        counted_from,
        unjudged: Duration::ZERO,
        excluded: Excluded::default(),
        began: None,
        catching_up: false,
        to_fill: Duration::ZERO,
        members: Vec::new(),
    };
    standing(slo, objective, budget, &input, AlertState::default(), at)
}

/// The week of a budget: what its window counted before and then, what the week counted, whether its incidents are known.
struct Lived<'a> {
    slo: &'a Slo,
    before: Result<Counts, Unknown>,
    then: Result<Counts, Unknown>,
    week: Counts,
}

impl Lived<'_> {
    fn row(self, slices: &[(Interval, Counts)], spans: &Spans) -> Row {
        let held_from = Some(WEEK.from.minus(days(60)));
        let budget = BudgetWeek {
            then: status(self.slo, self.then, WEEK.to, held_from),
            before: status(self.slo, self.before, WEEK.from, held_from),
            slo: self.slo,
            held_from,
            counted: self.week,
            slices,
            members: Vec::new(),
            corrections: Corrections::default(),
        };
        Row::of(budget, WEEK, spans)
    }
}

fn row(name: &str, then: Counts, week: Counts) -> Row {
    let slo = slo(name, "payments");
    Lived { slo: &slo, before: Ok(counts(1_000_000, 0)), then: Ok(then), week }.row(&[], &Spans::default())
}

fn report(rows: Vec<Row>) -> ErrorBudgetReport {
    ErrorBudgetReport::of(WEEK, rows, &[], &[], None)
}

fn unknown() -> Unknown {
    Unknown::new(Reason::NoSeries, "the source has no series")
}

#[test]
fn rows_are_ordered_by_violation_and_not_by_name_or_ratio() {
    let blind = slo("a-blind", "payments");
    let rows = vec![
        row("b-fine", counts(1_000_000, 100), counts(250_000, 10)),
        row("c-idle", counts(0, 0), counts(0, 0)),
        row("d-little-left", counts(1_000_000, 900), counts(250_000, 10)),
        row("e-few-requests", counts(10, 5), counts(10, 5)),
        row("f-many-requests", counts(10_000_000, 12_400), counts(2_500_000, 100)),
        Lived { slo: &blind, before: Err(unknown()), then: Err(unknown()), week: counts(0, 0) }.row(&[], &Spans::default()),
    ];
    let report = report(rows);
    let order: Vec<(&str, &str)> = report.rows.iter().map(|row| (row.then.budget.slo.name.as_str(), row.judged.verdict.word())).collect();
    // 2,400 failures beyond what is allowed weigh more than 5, though those overspend 500 times.
    assert_eq!(
        order,
        [
            ("f-many-requests", "FREEZE"),
            ("e-few-requests", "FREEZE"),
            ("a-blind", "CANNOT SAY"),
            ("d-little-left", "CAREFUL"),
            ("b-fine", "SHIP"),
            ("c-idle", "SHIP"),
        ]
    );
}

#[test]
fn the_verdict_names_the_rule_that_says_so() {
    for (then, week, word, because) in [
        (counts(1_000_000, 1_240), counts(250_000, 0), "FREEZE", "the budget is spent"),
        (counts(1_000_000, 1_000), counts(250_000, 0), "FREEZE", "the budget is spent"),
        (counts(1_000_000, 760), counts(250_000, 10), "CAREFUL", "24 % is left, under 25 %"),
        (counts(1_000_000, 600), counts(250_000, 500), "CAREFUL", "another week like this one spends what is left"),
        (counts(1_000_000, 290), counts(250_000, 10), "SHIP", "71 % is left"),
        (counts(0, 0), counts(0, 0), "SHIP", "no traffic in 30d, so nothing failed"),
        (
            counts(1_000_000, 0),
            Counts { unseen_millis: 400_000_000, ..counts(1, 0) },
            "CANNOT SAY",
            "34 % of the week was seen, under 50 %",
        ),
        (counts(1_000_000, 0), Counts { unseen_millis: 603_000_000, ..counts(1, 0) }, "CANNOT SAY", "less than 1 % of the week was seen"),
    ] {
        let judged = row("x", then, week).judged;
        assert_eq!((judged.verdict.word(), judged.because.as_str()), (word, because));
    }
}

/// What is left of a calendar period that has ended can be spent by nobody.
#[test]
fn a_calendar_period_that_ended_is_told_by_how_it_ended() {
    let mut slo = slo("x", "payments");
    slo.objectives[0].window = Window::Calendar { period: Period::Week, zone: Zone::parse("Europe/Berlin", Grain::Hour).expect("a zone") };
    let at_end = status(&slo, Ok(counts(1_000_000, 600)), WEEK.to, None);
    for (ratio, ended, word, because) in [
        (-0.24, true, "CAREFUL", "the period ended with its budget spent; a new one has begun, whole"),
        (0.4, true, "SHIP", "the period ended with 40 % left; a new one has begun, whole"),
        (-0.24, false, "FREEZE", "the budget is spent"),
        (0.4, false, "CAREFUL", "another week like this one spends what is left"),
    ] {
        let over = if ended { WEEK } else { Interval { to: WEEK.to.plus(days(1)), ..WEEK } };
        let left = at_end.left.map(|left| BudgetLeft { ratio, ..left });
        let then = BudgetStatus { over, left, unseen: None, ..at_end.clone() };
        let judged = verdict::judge(&then, Some(0.6), 1.0);
        assert_eq!((judged.verdict.word(), judged.because.as_str()), (word, because));
    }
}

#[test]
fn the_change_of_a_week_is_what_is_left_now_less_what_was_left() {
    let slo = slo("x", "payments");
    let lived = |before, then| Lived { slo: &slo, before, then, week: counts(250_000, 0) }.row(&[], &Spans::default()).change;
    let Change::By { ratio, seconds } = lived(Ok(counts(1_000_000, 110)), Ok(counts(1_000_000, 290))) else { panic!("comparable") };
    assert!((ratio + 0.18).abs() < 1e-9 && (seconds + 0.18 * 2592.0).abs() < 1e-6, "{ratio} {seconds}");
    assert_eq!(lived(Err(unknown()), Ok(counts(1_000, 0))), Change::None(NoChange::CannotSee));
    assert_eq!(lived(Ok(counts(1_000, 0)), Ok(counts(0, 0))), Change::None(NoChange::NoTraffic));
    assert_eq!(lived(Ok(counts(0, 0)), Ok(counts(1_000, 0))), Change::None(NoChange::NoTraffic));
}

#[test]
fn what_was_not_counted_a_week_before_and_what_began_anew_are_not_compared() {
    let mut slo = slo("x", "payments");
    let held_from = Some(WEEK.from.plus(days(1)));
    let then = status(&slo, Ok(counts(1_000, 0)), WEEK.to, held_from);
    let before = status(&slo, Ok(counts(0, 0)), WEEK.from, held_from);
    assert_eq!(change(&then, &before), Change::None(NoChange::NotCounted));
    slo.objectives[0].window = Window::Calendar { period: Period::Month, zone: Zone::parse("Europe/Berlin", Grain::Hour).expect("a zone") };
    let then = status(&slo, Ok(counts(1_000, 0)), WEEK.to, None);
    let before = status(&slo, Ok(counts(1_000, 0)), WEEK.from, None);
    assert_eq!(change(&then, &before), Change::None(NoChange::NewPeriod));
}

#[test]
fn what_was_not_seen_is_not_told_as_quiet() {
    let slo = slo("x", "payments");
    let unseen = Counts { unseen_millis: 7 * 86_400_000, ..Counts::default() };
    let of = |then: Result<Counts, Unknown>, held_from: Option<Timestamp>, counted: Counts| {
        let before = status(&slo, Err(unknown()), WEEK.from, held_from);
        let then = status(&slo, then, WEEK.to, held_from);
        let row = Row::of(
            BudgetWeek {
                slo: &slo,
                then,
                before,
                held_from,
                counted,
                slices: &[],
                members: Vec::new(),
                corrections: Corrections::default(),
            },
            WEEK,
            &Spans::default(),
        );
        (row.missing_left().map(Missing::words), row.missing_spent().map(Missing::words))
    };
    let long = Some(WEEK.from.minus(days(60)));
    for (then, held_from, counted, expected) in [
        (Err(unknown()), None, Counts::default(), (Some("not seen"), Some("not seen"))),
        (Ok(counts(0, 0)), None, Counts::default(), (Some("not seen"), Some("not seen"))),
        (Ok(counts(0, 0)), Some(WEEK.to.plus(hours(1))), Counts::default(), (Some("not seen"), Some("not seen"))),
        (Err(unknown()), long, counts(100, 5), (Some("cannot see"), Some("cannot see"))),
        (Ok(counts(1_000, 1)), long, unseen, (None, Some("not seen"))),
        (Ok(counts(1_000, 1)), long, counts(100, 0), (None, None)),
        (Ok(counts(0, 0)), long, counts(0, 0), (Some("no traffic"), Some("no traffic"))),
        (Ok(Counts { good: 1_000, bad: -500, ..Counts::default() }), long, counts(10, 0), (Some("counts contradict each other"), None)),
    ] {
        assert_eq!(of(then.clone(), held_from, counted), expected, "{then:?} held from {held_from:?}, {counted:?}");
    }
}

#[test]
fn the_week_is_seen_as_far_as_it_is_held_and_not_unseen() {
    let unseen = |hours: i64| Counts { unseen_millis: hours * 3_600_000, ..counts(1, 0) };
    for (held_from, counted, expected) in [
        (Some(WEEK.from.minus(days(1))), unseen(0), 1.0),
        (Some(WEEK.from.minus(days(1))), unseen(42), 0.75),
        (Some(WEEK.from.plus(hours(84))), unseen(0), 0.5),
        (Some(WEEK.from.plus(hours(84))), unseen(84), 0.0),
        (None, unseen(0), 0.0),
    ] {
        assert!((seen(WEEK, held_from, counted) - expected).abs() < 1e-12, "{held_from:?}");
    }
}

/// Hours from the beginning of a burn.
fn hourly(from: Timestamp, bad: &[i64]) -> Vec<(Interval, Counts)> {
    let ends: Vec<(Timestamp, Counts)> =
        bad.iter().zip(1_u32..).map(|(bad, hour)| (from.plus(hours(1) * hour), counts(1_000.max(*bad), *bad))).collect();
    spend::stretches(from, &ends)
}

/// A page from 6 min before `START` to 20 min after it, and a ticket that lasts 5 h.
fn page_and_ticket() -> (Story, Story) {
    let page = story().fires("acme").after(minutes(20)).clears("acme");
    let ticket = ticket_story().fires("acme").after(hours(5)).clears("acme");
    (page, ticket)
}

/// A budget with the identity that stories use.
fn of_story() -> Slo {
    let mut slo = slo("availability", "payments");
    slo.objectives[0].name = crate::id::ObjectiveName::parse("default").expect("a name");
    slo
}

#[test]
fn each_slice_is_spent_by_one_incident_a_page_before_a_ticket() {
    let (page, ticket) = page_and_ticket();
    let spans = Spans::of([page.state(), ticket.state()], WEEK);
    // The burn began in the third of these hours and ended in the fourth.
    let slices = hourly(START.minus(hours(2)).floor(hours(1)), &[7, 1, 100, 10, 20, 30, 40, 5, 3, 2]);
    let slo = of_story();
    let week = slices.iter().map(|(_, counts)| *counts).sum();
    let row = Lived { slo: &slo, before: Ok(counts(1_000_000, 0)), then: Ok(counts(1_000_000, 218)), week }.row(&slices, &spans);
    let spent: Vec<(&str, f64)> = row.burns.iter().map(|burn| (burn.incident.as_str(), burn.failed)).collect();
    assert_eq!(spent, [("checkout-burn-1", 110.0), ("checkout-ticket-1", 95.0)]);
    assert!((row.unattributed - 13.0).abs() < 1e-9, "what no incident explains is said: {}", row.unattributed);
    assert!((row.burns[0].share.expect("traffic") - 0.11).abs() < 1e-9);
    assert!((row.spent.expect("traffic") - 0.218).abs() < 1e-9);
}

#[test]
fn millionths_of_events_are_reported_as_events() {
    let (page, _) = page_and_ticket();
    let spans = Spans::of([page.state()], WEEK);
    let millionths: fn(Counts) -> Counts = |counts| Counts { good: counts.good * 1_000_000, bad: counts.bad * 1_000_000, ..counts };
    let asked = Expression::new("x");
    let sli = Sli::Query { counted: Counted::Bad(asked.clone()), total: asked, step: minutes(1) };
    let (counted, computed) = (of_story(), Slo { sli, ..of_story() });
    let slices = hourly(START.minus(hours(1)).floor(hours(1)), &[5, 3, 2]);
    let week: Counts = slices.iter().map(|(_, counts)| *counts).sum();
    let row = |slo: &Slo, as_counted: fn(Counts) -> Counts| {
        let slices: Vec<_> = slices.iter().map(|(over, counts)| (*over, as_counted(*counts))).collect();
        let (before, then) = (Ok(as_counted(counts(1_000, 0))), Ok(as_counted(week)));
        Lived { slo, before, then, week: as_counted(week) }.row(&slices, &spans)
    };
    let (one, other) = (row(&counted, |counts| counts), row(&computed, millionths));
    assert_eq!((one.failed(), one.total().as_f64(), one.beyond()), (other.failed(), other.total().as_f64(), other.beyond()));
    assert_eq!((&one.burns, one.unattributed, one.spent), (&other.burns, other.unattributed, other.spent));
    assert!(!one.burns.is_empty() && one.failed() > 0.0);
}

#[test]
fn the_biggest_burns_stand_first_and_objectives_of_one_slo_count_them_once() {
    let (page, _) = page_and_ticket();
    let spans = Spans::of([page.state()], WEEK);
    let slices = hourly(START.minus(hours(1)).floor(hours(1)), &[60, 40, 500]);
    let mut tight = of_story();
    tight.objectives[0].target = crate::units::Target::percent("99.99%").expect("a target");
    tight.objectives[0].name = crate::id::ObjectiveName::parse("tight").expect("a name");
    let loose = of_story();
    let lived = |slo| Lived { slo, before: Ok(counts(1_000_000, 0)), then: Ok(counts(1_000_000, 600)), week: counts(3_000, 600) };
    let rows = vec![lived(&loose).row(&slices, &spans), lived(&tight).row(&slices, &spans)];
    // The incident is that of the objective `default`; it explains the same failures of the other.
    let burns = report(rows).burns;
    let told: Vec<(&str, Option<&str>, f64)> =
        burns.iter().map(|burn| (burn.budget.objective.as_str(), burn.incident.as_ref().map(IncidentId::as_str), burn.failed)).collect();
    assert_eq!(told, [("tight", Some("checkout-burn-1"), 540.0), ("tight", None, 60.0)]);
}

#[test]
fn failures_in_events_stand_for_those_in_minutes() {
    let (page, _) = page_and_ticket();
    let spans = Spans::of([page.state()], WEEK);
    let slices = hourly(START.minus(hours(1)).floor(hours(1)), &[60, 40, 500]);
    let lived = |slo| Lived { slo, before: Ok(counts(1_000, 0)), then: Ok(counts(1_000_000, 600)), week: counts(3_000, 600) };
    let events = of_story();
    let mut minutes = of_story();
    minutes.objectives[0].target = crate::units::Target::percent("99.99%").expect("a target");
    let mut in_minutes = lived(&minutes).row(&slices, &spans);
    in_minutes.then.unit = EventUnit::Second;
    let burns = report(vec![in_minutes, lived(&events).row(&slices, &spans)]).burns;
    assert!(!burns.is_empty() && burns.iter().all(|burn| burn.unit == EventUnit::Event), "{burns:?}");
}

fn told(story: &Story) -> Told<'_> {
    Told { incident: story.state(), events: &story.events }
}

#[test]
fn a_team_is_told_its_incidents_pages_and_times() {
    let night = story().fires("acme").after(Duration::from_secs(4)).delivers("ada").after(Duration::from_secs(57)).acknowledged_by("ada");
    let night = night.after(minutes(20)).clears("acme");
    let ignored = story().fires("globex").after(minutes(5)).ticks().after(minutes(10)).fails("sam");
    let ticket = ticket_story().fires("acme");
    let nights = [Interval { from: START.minus(hours(1)), to: START.plus(minutes(1)) }];
    let report = ErrorBudgetReport::of(WEEK, Vec::new(), &[told(&night), told(&ignored), told(&ticket)], &nights, None);
    let [team] = report.teams.as_slice() else { panic!("{:?}", report.teams) };
    assert_eq!((team.team.as_str(), team.incidents, team.tickets, team.open, team.not_acknowledged), ("payments", 2, 1, 2, 1));
    let people: Vec<(&str, usize, usize, usize)> =
        team.people.iter().map(|person| (person.person.as_str(), person.pages, person.at_night, person.undelivered)).collect();
    assert_eq!(people, [("ada", 2, 2, 1), ("sam", 1, 0, 1)]);
    assert_eq!(team.to_acknowledge, Some(Times { median: Duration::from_secs(57), longest: Duration::from_secs(57), count: 1 }));
    assert_eq!(team.to_resolve.map(|times| times.longest), Some(minutes(26) + Duration::from_secs(61)));
}

#[test]
fn what_a_person_resolved_while_it_goes_on_is_open_and_explains_what_fails() {
    let resolved = story().fires("acme").after(minutes(5)).resolved_by("ada");
    let team = |story: &Story| {
        let report = ErrorBudgetReport::of(WEEK, Vec::new(), &[told(story)], &[], None);
        let [team] = report.teams.as_slice() else { panic!("{:?}", report.teams) };
        (team.open, team.goes_on, team.to_resolve.is_some())
    };
    let slices = hourly(START.floor(hours(1)), &[0, 100, 100]);
    let explained = |story: &Story| {
        let (slo, spans) = (of_story(), Spans::of([story.state()], WEEK));
        let week = slices.iter().map(|(_, counts)| *counts).sum();
        let row = Lived { slo: &slo, before: Ok(counts(1_000_000, 0)), then: Ok(counts(1_000_000, 200)), week }.row(&slices, &spans);
        row.burns.iter().map(|burn| burn.failed).sum::<f64>()
    };
    assert_eq!((team(&resolved), explained(&resolved)), ((1, 1, false), 200.0));
    let over = resolved.after(minutes(2)).clears("acme");
    assert_eq!((team(&over), explained(&over)), ((0, 0, true), 0.0));
    let again = story().fires("acme").after(minutes(5)).resolved_by("ada").after(minutes(11)).ticks();
    assert_eq!((team(&again), explained(&again)), ((1, 0, false), 200.0));
}

#[test]
fn what_happened_in_another_week_or_was_a_test_is_not_told() {
    let earlier = story().after(days(20)).fires("acme");
    let service = crate::id::ServiceName::parse("checkout").expect("a name");
    let fault = FaultKey { subject: Subject::Service(service), kind: Kind::Test, urgency: Urgency::Page };
    let facts = Facts::Test(TestFacts { by: "ada".to_owned(), at: START });
    let test = story().does(&Command::Fire { fault, alert: AlertKey::Test, facts }, &Actor::Daemon);
    let report = ErrorBudgetReport::of(WEEK, Vec::new(), &[told(&earlier), told(&test)], &[], None);
    assert_eq!(report.teams, []);
}

#[test]
fn a_report_of_a_team_holds_that_team_alone() {
    let payments = story().fires("acme");
    let search = TeamName::parse("search").expect("a name");
    let report = ErrorBudgetReport::of(WEEK, Vec::new(), &[told(&payments)], &[], Some(&search));
    let teams: Vec<(&str, usize)> = report.teams.iter().map(|team| (team.team.as_str(), team.incidents)).collect();
    assert_eq!(teams, [("search", 0)], "a quiet week of a team is said, too");
}

#[test]
fn what_could_not_be_seen_is_listed_with_what_it_hid() {
    let blind = story().goes_blind();
    let rows = vec![row("availability", counts(1_000, 0), counts(1_000, 0)), row("other", counts(1_000, 0), counts(1_000, 0))];
    let report = ErrorBudgetReport::of(WEEK, rows, &[told(&blind)], &[], None);
    let [stretch] = report.blind.as_slice() else { panic!("{:?}", report.blind) };
    assert_eq!((stretch.subject.as_str(), stretch.from, stretch.to), ("prom-eu", START.minus(minutes(5)), None));
    assert_eq!(stretch.hid.iter().map(|slo| slo.name.as_str()).collect::<Vec<_>>(), ["availability"]);
}

#[test]
fn a_source_in_which_nothing_happens_is_seen() {
    let mut blind = story().goes_blind();
    let incident = blind.incident.as_mut().expect("it has begun");
    let quiet = |facts: &Facts| match facts {
        Facts::Blind(blind) => Facts::Blind(BlindFacts { unknown: Unknown::new(Reason::NoTraffic, "nothing happened"), ..blind.clone() }),
        Facts::Burn(_) | Facts::Test(_) => facts.clone(),
    };
    let members = incident.members.iter().map(|(alert, member)| (alert.clone(), Member { facts: quiet(&member.facts), ..member.clone() }));
    incident.members = members.collect();
    let rows = vec![row("availability", counts(1_000, 0), counts(1_000, 0))];
    assert_eq!(ErrorBudgetReport::of(WEEK, rows, &[told(&blind)], &[], None).blind, []);
}

#[test]
fn a_tenant_without_slos_has_an_empty_report() {
    let report = report(Vec::new());
    assert!(report.rows.is_empty() && report.burns.is_empty() && report.teams.is_empty() && report.blind.is_empty());
}

proptest! {
    #[test]
    fn the_parts_of_a_week_sum_up_to_what_failed_in_it(bad in prop::collection::vec(0_i64..1_000, 1..168), early in 0_i64..100) {
        let (page, ticket) = page_and_ticket();
        let spans = Spans::of([ticket.state(), page.state()], WEEK);
        let slices = hourly(START.minus(hours(1) * u32::try_from(early).expect("small")).floor(hours(1)), &bad);
        let week: Counts = slices.iter().map(|(_, counts)| *counts).sum();
        let slo = of_story();
        let row = Lived { slo: &slo, before: Ok(counts(1_000, 0)), then: Ok(week), week }.row(&slices, &spans);
        let parts: f64 = row.burns.iter().map(|burn| burn.failed).sum::<f64>() + row.unattributed;
        prop_assert!((parts - failed(week, EventUnit::Event)).abs() < 1e-6, "{parts} of {week:?}");
        prop_assert!(row.burns.len() <= 2);
    }
}
