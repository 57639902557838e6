//! `/reports/week`: the week of every budget, worst first; what ate it; what it cost people.

use std::{collections::BTreeSet, time::Duration};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use burnward_core::{report::Verdict, words};
use jiff::{Timestamp as Instant, ToSpan as _, tz::TimeZone};
use serde::Deserialize;

use super::{
    figures::{Mark, bar, budget_of, group_values, share_left, shown, time_left},
    frame::{Choice, Frame, Place},
    page,
    when::Stamp,
};
use crate::{
    render::visible,
    report::words as told,
    web::{
        Site,
        access::Tenant,
        api::{
            problem::Problem,
            reports::{WeekQuery, weekly},
            wire::{
                BlindStretch, ReportedBudget, ReportedBurn, ReportedFalsePositive, ReportedMember, ReportedTeam, ReportedTimes, WeekReport,
            },
        },
    },
};

/// Budgets on one page.
const ROWS: usize = 200;

/// Where the page begins.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paged {
    /// How many rows are skipped.
    skip: Option<String>,
}

#[derive(Template)]
#[template(path = "report/week.html")]
struct WeekPage {
    frame: Frame,
    whose: String,
    title: String,
    goes_on: bool,
    knowledge: Knowledge,
    tiles: Vec<Tile>,
    choose: Choose,
    count: String,
    rows: Vec<RowFigures>,
    more: Option<String>,
    burns: Vec<BurnFigures>,
    journeys: Vec<MemberFigures>,
    corrected: Vec<CorrectedFigures>,
    blind: Vec<BlindFigures>,
    false_positives: Vec<FalsePositiveFigures>,
    teams: Vec<TeamFigures>,
    /// The same as other forms.
    csv: String,
    markdown: String,
}

/// How many budgets have a verdict.
struct Tile {
    mark: Mark,
    number: usize,
    name: &'static str,
}

/// What can be chosen.
struct Choose {
    tenant: Option<String>,
    teams: Vec<Choice>,
    week: String,
    timezone: String,
    earlier: String,
    later: Option<String>,
}

struct RowFigures {
    mark: Mark,
    because: String,
    href: String,
    name: String,
    group: String,
    title: String,
    left: String,
    left_time: Option<String>,
    bar: Option<u32>,
    change: String,
    spent: String,
    /// Incidents that spent it, with their part.
    ate: Vec<(String, String, String)>,
    outside: Option<String>,
    seen: String,
    objective: String,
    team: String,
}

struct BurnFigures {
    incident: Option<(String, String)>,
    subject: String,
    href: String,
    failed: String,
    spent: String,
}

/// A member of a journey, with what it did to it in the week.
struct MemberFigures {
    journey: String,
    group: String,
    objective: String,
    href: String,
    member: String,
    member_href: String,
    costs: String,
    unseen: String,
}

/// A budget whose figures were corrected.
struct CorrectedFigures {
    name: String,
    group: String,
    href: String,
    objective: String,
    excluded: String,
    late: String,
}

struct BlindFigures {
    incident: String,
    href: String,
    subject: String,
    from: Stamp,
    lasted: String,
    hid: String,
}

/// What the report holds where that is not all, and the way to the same week with other knowledge.
struct Knowledge {
    note: Option<String>,
    other: &'static str,
    href: String,
}

struct FalsePositiveFigures {
    incident: String,
    href: String,
    reason: String,
    by: String,
}

struct TeamFigures {
    team: String,
    load: String,
    people: Vec<String>,
    acknowledged: String,
    resolved: String,
    open: String,
}

/// `GET /reports/week`.
pub(super) async fn get(
    State(site): State<Site>,
    Tenant(tenant): Tenant,
    Query(query): Query<WeekQuery>,
    Query(paged): Query<Paged>,
) -> Result<Response, Problem> {
    let skip = super::skip(paged.skip.as_deref())?;
    let report = WeekReport::of(&weekly(&site.handle, &tenant, &query).await?);
    let parameters = query.parameters();
    let title = format!("Error budgets of {}, {}", report.whose, report.week);
    let frame = Frame::new(&site.handle, &tenant, Place::Reports, &title).json("/reports/week.json", &parameters);
    let shown: Vec<&ReportedBudget> = report.budgets.iter().skip(skip).take(ROWS).collect();
    let next = (skip + ROWS).to_string();
    let more = (skip + ROWS < report.budgets.len()).then(|| {
        let parameters: Vec<(&str, &str)> = parameters.iter().copied().chain([("skip", next.as_str())]).collect();
        frame.links.with("/reports/week", &parameters)
    });
    let teams: BTreeSet<&str> = site.handle.config.teams.keys().map(burnward_core::id::TeamName::as_str).collect();
    let corrected = shown.iter().filter_map(|budget| CorrectedFigures::of(budget, &report, &frame)).collect();
    let journeys = shown.iter().flat_map(|budget| MemberFigures::of(budget, &report, &frame)).collect();
    Ok(page(&WeekPage {
        whose: report.whose.clone(),
        title: report.title.clone(),
        goes_on: !report.whole,
        knowledge: Knowledge::of(&report, &query, &frame),
        tiles: tiles(&report),
        choose: Choose::of(&report, &query, &teams, &frame),
        count: count(shown.len(), skip, report.budgets.len()),
        rows: shown.into_iter().map(|budget| RowFigures::of(budget, &report, &frame)).collect(),
        more,
        burns: report.burns.iter().map(|burn| BurnFigures::of(burn, &report, &frame)).collect(),
        journeys,
        corrected,
        blind: report.blind.iter().map(|blind| BlindFigures::of(blind, &frame)).collect(),
        false_positives: report.false_positives.iter().map(|marked| FalsePositiveFigures::of(marked, &frame)).collect(),
        teams: report.teams.iter().map(TeamFigures::from).collect(),
        csv: frame.links.with("/reports/week.csv", &parameters),
        markdown: frame.links.with("/reports/week.md", &parameters),
        frame,
    }))
}

impl Knowledge {
    fn of(report: &WeekReport, query: &WeekQuery, frame: &Frame) -> Self {
        let (figures, other) = if report.is_known_then() { ("as-corrected", "As corrected") } else { ("as-known-then", "As known then") };
        let kept = query.parameters().into_iter().filter(|(name, _)| *name != "figures");
        let parameters: Vec<(&str, &str)> = kept.chain([("figures", figures)]).collect();
        Self { note: report.note.clone(), other, href: frame.links.with("/reports/week", &parameters) }
    }
}

fn count(shown: usize, skip: usize, all: usize) -> String {
    let of = words::plural(all, "budget");
    if shown == all { of } else { format!("{} to {} of {of}", skip + 1, skip + shown) }
}

fn tiles(report: &WeekReport) -> Vec<Tile> {
    let counts = told::count_verdicts(report.budgets.iter().map(|budget| budget.verdict.as_str()));
    counts
        .into_iter()
        .map(|(verdict, number)| Tile {
            mark: mark(verdict.icon(), verdict.word()),
            number,
            name: match verdict {
                Verdict::Freeze => "budget spent",
                Verdict::CannotSay => "too little seen",
                Verdict::Careful => "little left, or going fast",
                Verdict::Ship => "budget for risk",
            },
        })
        .collect()
}

/// A verdict in the colour of the state that it is most like.
fn mark(icon: &str, word: &str) -> Mark {
    let like = match word {
        "FREEZE" => "state-burning",
        "CANNOT SAY" => "state-cannot-see",
        "CAREFUL" => "state-spent",
        _ => "state-ok",
    };
    Mark { class: like.to_owned(), icon: icon.to_owned(), word: word.to_owned() }
}

impl Choose {
    fn of(report: &WeekReport, query: &WeekQuery, teams: &BTreeSet<&str>, frame: &Frame) -> Self {
        let zone = TimeZone::get(&report.timezone).unwrap_or(TimeZone::UTC);
        let monday = report.from.to_zoned(zone).date();
        let shifted = |days: i64| {
            let week = monday.saturating_add(days.days()).iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        };
        let link = |week: &str| {
            let kept = query.parameters().into_iter().filter(|(name, _)| !["week", "until"].contains(name));
            let parameters: Vec<(&str, &str)> = kept.chain([("week", week)]).collect();
            frame.links.with("/reports/week", &parameters)
        };
        let chosen = |team: &&&str| report.team.as_deref() == Some(**team);
        Self {
            tenant: frame.links.tenant().map(str::to_owned),
            teams: teams.iter().map(|team| Choice { value: (*team).to_owned(), text: (*team).to_owned(), chosen: chosen(&team) }).collect(),
            week: shifted(0),
            timezone: report.timezone.clone(),
            earlier: link(&shifted(-7)),
            later: report.whole.then(|| link(&shifted(7))),
        }
    }
}

impl RowFigures {
    fn of(budget: &ReportedBudget, report: &WeekReport, frame: &Frame) -> Self {
        let left = budget_of(budget.left_ratio, budget.left_seconds, budget.budget_seconds);
        let ate = budget
            .burns
            .iter()
            .map(|burn| (frame.links.to(&format!("/incidents/{}", burn.incident)), burn.incident.clone(), told::share(burn.spent_ratio)));
        let outside = budget.spent_ratio.filter(|_| budget.unattributed > 0.0 && budget.failed_in_week > 0.0);
        Self {
            mark: mark(&budget.icon, &budget.verdict),
            because: visible(&budget.because),
            href: slo_link(&format!("{}/{}", budget.service, budget.slo), &budget.key, report, frame),
            name: budget.named(),
            group: group_values(&budget.group),
            title: budget.title.clone(),
            left: left.map(|left| share_left(&left)).or_else(|| budget.no_left.clone()).unwrap_or_default(),
            left_time: left.map(|left| time_left(&left)),
            bar: left.map(|left| bar(left.ratio)),
            change: match (budget.change_ratio, budget.change_seconds) {
                (Some(ratio), Some(seconds)) => told::change(ratio, seconds),
                (_, _) => budget.no_change.clone().unwrap_or_default(),
            },
            spent: told::spent(budget.spent_ratio, budget.no_spent.as_deref()),
            ate: ate.collect(),
            outside: outside.map(|spent| words::percent(spent * budget.unattributed / budget.failed_in_week)),
            seen: told::seen(budget.seen_ratio, budget.coverage_ratio, budget.left_between().as_deref()),
            objective: objective(budget),
            team: budget.team.clone(),
        }
    }
}

/// `99.9 % over 30d`.
fn objective(budget: &ReportedBudget) -> String {
    budget.promise(&format!("{} % over {}", budget.target_percent, budget.window))
}

/// The SLO's page; of a week that is over, as it stood at its end.
fn slo_link(slo: &str, key: &str, report: &WeekReport, frame: &Frame) -> String {
    let end = report.to.to_string();
    let mut parameters = vec![("budget", key)];
    if report.whole {
        parameters.push(("at", &end));
    }
    frame.links.with(&format!("/slos/{slo}"), &parameters)
}

impl BurnFigures {
    fn of(burn: &ReportedBurn, report: &WeekReport, frame: &Frame) -> Self {
        Self {
            incident: burn.incident.as_ref().map(|id| (frame.links.to(&format!("/incidents/{id}")), id.clone())),
            subject: shown(&burn.subject),
            href: slo_link(&burn.slo, &burn.key, report, frame),
            failed: burn.failed_words.clone(),
            spent: told::share(burn.spent_ratio),
        }
    }
}

impl MemberFigures {
    /// The members of a budget, where it is a journey's.
    fn of(budget: &ReportedBudget, report: &WeekReport, frame: &Frame) -> Vec<Self> {
        let journey = format!("{}/{}", budget.service, budget.slo);
        let of = |member: &ReportedMember| Self {
            href: slo_link(&journey, &budget.key, report, frame),
            journey: journey.clone(),
            group: group_values(&budget.group),
            objective: objective(budget),
            member_href: frame.links.to(&format!("/slos/{}", member.slo)),
            member: member.slo.clone(),
            costs: member.costs(),
            unseen: member.unseen(),
        };
        budget.members.iter().map(of).collect()
    }
}

impl CorrectedFigures {
    fn of(budget: &ReportedBudget, report: &WeekReport, frame: &Frame) -> Option<Self> {
        let corrected = budget.corrected.as_ref()?;
        Some(Self {
            name: budget.named(),
            group: group_values(&budget.group),
            href: slo_link(&format!("{}/{}", budget.service, budget.slo), &budget.key, report, frame),
            objective: objective(budget),
            excluded: corrected.excluded_words.clone(),
            late: corrected.late_words.clone(),
        })
    }
}

impl BlindFigures {
    fn of(blind: &BlindStretch, frame: &Frame) -> Self {
        let seconds = |to: Instant| Duration::from_secs(u64::try_from(to.as_second() - blind.from.as_second()).unwrap_or(0));
        Self {
            incident: blind.incident.clone(),
            href: frame.links.to(&format!("/incidents/{}", blind.incident)),
            subject: blind.subject.clone(),
            from: Stamp::of(blind.from),
            lasted: blind.to.map_or_else(|| "still cannot be seen".to_owned(), |to| format!("for {}", words::duration(seconds(to)))),
            hid: format!("{}: {}", words::plural(blind.hid.len(), "SLO"), words::list(&blind.hid, 3)),
        }
    }
}

impl FalsePositiveFigures {
    fn of(marked: &ReportedFalsePositive, frame: &Frame) -> Self {
        Self {
            incident: marked.incident.clone(),
            href: frame.links.to(&format!("/incidents/{}", marked.incident)),
            reason: visible(&marked.reason_told()),
            by: visible(&format!("{}, approved by {}", marked.author, marked.approver)),
        }
    }
}

impl From<&ReportedTeam> for TeamFigures {
    fn from(team: &ReportedTeam) -> Self {
        let person = |person: &crate::web::api::wire::ReportedPerson| {
            let night = if person.at_night > 0 { format!(", {} at night", person.at_night) } else { String::new() };
            let lost = if person.undelivered > 0 { format!(", {} did not arrive", person.undelivered) } else { String::new() };
            format!("{}: {}{night}{lost}", person.person, words::plural(person.pages, "page"))
        };
        let acknowledged = team.to_acknowledge.map_or_else(|| "none".to_owned(), times);
        let never = if team.not_acknowledged > 0 { format!("; {} never", team.not_acknowledged) } else { String::new() };
        Self {
            team: team.team.clone(),
            load: format!(
                "{}, {}, {}",
                words::plural(team.pages, "page"),
                words::plural(team.incidents, "incident"),
                words::plural(team.tickets, "ticket")
            ),
            people: team.people.iter().map(person).collect(),
            acknowledged: format!("{acknowledged}{never}"),
            resolved: team.to_resolve.map_or_else(|| "none".to_owned(), times),
            open: told::open(team.open, team.goes_on),
        }
    }
}

fn times(times: ReportedTimes) -> String {
    let span = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    told::times(burnward_core::report::Times {
        median: span(times.median_seconds),
        longest: span(times.longest_seconds),
        count: times.count,
    })
}
