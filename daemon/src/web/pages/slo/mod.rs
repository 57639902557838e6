//! `/slos/{service}/{name}`: one budget of an SLO: how it was spent, what its alert rows say and why, what was asked and what came.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use burnward_core::{slo::Slo, time::Timestamp};
use jiff::Timestamp as Instant;
use serde::Deserialize;

use super::{
    figures::{Figures, IncidentFigures, Mark, RowFigures},
    frame::{self, Frame, Links, Place},
    page,
    when::{Stamp, spelt},
};
use crate::{
    app::Handle,
    render::visible,
    web::{
        Site,
        access::Tenant,
        api::{
            burn_down,
            downtime::of as downtime_of,
            explain::{Figures as FiguresAsked, Names, When, at_moment, explanation, find, moment, not_to_come, statuses},
            problem::Problem,
            shadow::of_late,
            wire::{
                Budget, Downtime, ExplainedBudget, ExplainedRow, FiguresReach, Policy, Query as WireQuery, ReadPart, Reading, SloDetail,
                SloExplanation, Told, VersionRan, budget_key,
            },
        },
    },
};

mod chart;
mod downtime;
mod excluded;
mod members;
mod period;
mod shadow;

use chart::Chart;
use downtime::DowntimeFigures;
use excluded::ExcludedRow;
use members::MemberFigures;
use period::PeriodFigures;
use shadow::ShadowFigures;

/// Budgets of the SLO that are listed.
const BUDGETS: usize = 50;

/// What the address asks for besides the SLO.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// The `key` of a budget; without it the worst.
    budget: Option<String>,
    /// A moment of the past; without it now.
    at: Option<String>,
    /// As corrected, or as it was known then.
    figures: Option<String>,
    /// Whether the source is asked for the names of series.
    series: Option<String>,
}

#[derive(Template)]
#[template(path = "slo/slo.html")]
struct SloPage {
    frame: Frame,
    name: String,
    path: String,
    tenant: Option<String>,
    title: String,
    team: String,
    source: String,
    written: String,
    /// Which version, since when, and what it changed.
    definition: Vec<String>,
    /// Of a moment of the past: what is still known of it, and what is not.
    kept: Vec<String>,
    /// That it runs on in an earlier version.
    held: Option<String>,
    runbook: Option<String>,
    /// The moment of the past that is shown.
    past: Option<Past>,
    /// As the field for a moment holds it.
    at: String,
    budget_key: String,
    budgets: Vec<(Figures, bool)>,
    more_budgets: usize,
    chosen: Option<Chosen>,
    exclusions: Vec<ExcludedRow>,
    queries: Vec<Asking>,
    /// Made of other SLOs: nothing is asked for itself.
    is_journey: bool,
    /// Of an SLO that is or was in shadow.
    shadow: Option<ShadowFigures>,
    incidents: Vec<IncidentFigures>,
    policies: Vec<Policy>,
}

/// A moment of the past, and the ways from it.
struct Past {
    at: Stamp,
    as_known_then: bool,
    /// The version that ran then, and since when, where the figures are judged by another.
    ran_then: Option<(String, Stamp)>,
    /// The same moment with the other knowledge.
    other: String,
    now: String,
}

/// The budget that is shown.
struct Chosen {
    figures: Figures,
    budget: String,
    /// How much of the window was seen, and what the rest may hide.
    seen: String,
    /// How far the figures of a moment of the past reach.
    reach: Vec<String>,
    /// What people took out of it.
    excluded: Option<String>,
    /// By which exclusions.
    excluded_by: Vec<String>,
    /// Which rule decided its state.
    because: String,
    allowed: String,
    clears: Vec<String>,
    rows: Vec<ChosenRow>,
    /// What became of each alert that is open.
    told: Vec<ToldAlert>,
    /// What is read for it.
    reading: Option<ChosenReading>,
    /// Where its objective is written.
    place: Option<String>,
    /// Where its rows come from.
    rows_from: String,
    /// Of a calendar window: which period it is, and the ways to others.
    period: Option<PeriodFigures>,
    /// Of an objective that is counted in slices of time.
    downtime: Option<DowntimeFigures>,
    /// Of a journey.
    members: Vec<MemberFigures>,
    chart: Option<Chart>,
    changes: Vec<(Stamp, String)>,
    events: String,
}

/// An alert row: its figures where they are known, and why it pages or does not.
struct ChosenRow {
    mark: Mark,
    figures: Option<RowFigures>,
    why: ExplainedRow,
}

/// What became of an alert that is open.
struct ToldAlert {
    /// The page or ticket, and what it is about where that is no burn.
    called: String,
    since: Stamp,
    sentence: String,
    /// Its incident, and the way there.
    incident: Option<(String, String)>,
}

/// What is read for the budget.
struct ChosenReading {
    parts: Vec<(String, Vec<String>)>,
    freshness: String,
    /// Leads to the same page with series by name; `None` where that is this one, and where none can be named.
    name_them: Option<String>,
}

/// What was asked, and what came.
struct Asking {
    asked: String,
    at: Option<Stamp>,
    span: (Stamp, Stamp),
    answer: Result<String, String>,
}

/// `GET /slos/{service}/{name}`.
pub(super) async fn get(
    State(site): State<Site>,
    Tenant(tenant): Tenant,
    Path((service, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let handle = &site.handle;
    let slo = find(handle, &tenant, &service, &name)?;
    let when = When { at: asked.moment(handle)?, figures: FiguresAsked::read(asked.figures.as_deref())? };
    let names = Names::read(asked.series.as_deref())?;
    let key = asked.key(handle, &slo, when).await?;
    let explained = explanation(handle, &slo, when, key.as_deref().or(Some("")), names).await?;
    let drawn = match &key {
        Some(key) => drawn(handle, &slo, key, when, &explained).await?,
        None => Drawn::default(),
    };
    let name = format!("{service}/{name}");
    let frame = Frame::new(handle, &tenant, Place::Elsewhere, &name);
    let key = key.unwrap_or_default();
    let moment = when.at.map(|_| explained.at.to_string());
    let of_then = moment.as_deref().map(|at| [("at", at), ("figures", when.figures.word())]);
    let parameters = [("budget", key.as_str())].into_iter().chain(of_then.into_iter().flatten()).collect::<Vec<_>>();
    let frame = frame.json(&format!("/api/v1/slos/{name}/explain"), &parameters);
    let shadow = match when.at {
        None => of_late(handle, &slo.id, handle.clock.now()).await?,
        Some(_) => None,
    };
    let shadow = shadow.and_then(|shadow| ShadowFigures::of(&shadow, &frame.links, frame::now(handle)));
    Ok(page(&SloPage { shadow, ..slo_page(frame, &name, &slo, key, explained, drawn, frame::now(handle)) }))
}

impl Asked {
    /// The moment, as RFC 3339 or as a browser's field writes it, which is UTC here.
    fn moment(&self, handle: &Handle) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.at.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let at = match text.parse::<jiff::civil::DateTime>() {
            Ok(civil) if !text.ends_with(['Z', 'z']) && !text.contains('+') => moment(&format!("{civil}Z"))?,
            Ok(_) | Err(_) => moment(text)?,
        };
        not_to_come(at, handle.clock.now()).map(Some)
    }

    /// The key of the budget that is asked for, or of the worst; `None` where the SLO has none yet.
    async fn key(&self, handle: &Handle, slo: &Slo, when: When) -> Result<Option<String>, Problem> {
        let key = self.budget.as_deref().filter(|key| !key.is_empty());
        let found = statuses(handle, slo, when, key).await?.first().map(|status| budget_key(&status.budget));
        match (found, key) {
            (None, Some(_)) if when.at.is_some() => {
                Err(Problem::not_found("the SLO had no such budget at that moment; its page without `budget` lists those of then"))
            }
            (None, Some(_)) => Err(Problem::not_found("the SLO has no such budget now; its page without `budget` lists all")),
            (found, _) => Ok(found),
        }
    }
}

/// What is read of a budget's slices.
#[derive(Default)]
struct Drawn {
    chart: Option<Chart>,
    downtime: Option<Downtime>,
}

async fn drawn(handle: &Handle, slo: &Slo, key: &str, when: When, explained: &SloExplanation) -> Result<Drawn, Problem> {
    let Some(status) = statuses(handle, slo, when, Some(key)).await?.into_iter().next() else { return Ok(Drawn::default()) };
    let status = at_moment(handle, slo, status, when).await?;
    let chart = burn_down::of(handle, &status, when).await?.map(|drawn| Chart::of(&drawn, &explained.incidents));
    Ok(Drawn { chart, downtime: downtime_of(handle, slo, &status, when).await? })
}

fn slo_page(frame: Frame, name: &str, slo: &Slo, budget_key: String, explained: SloExplanation, drawn: Drawn, now: Instant) -> SloPage {
    let SloExplanation { at, replayed, figures, slo: detail, exclusions, budgets, incidents, ran_then, definition, kept, told } = explained;
    let links = frame.links.clone();
    let path = format!("/slos/{name}");
    let listed = if detail.budgets.len() > 1 { detail.budgets.as_slice() } else { &[] };
    SloPage {
        title: visible(&detail.title),
        team: detail.team.clone(),
        source: slo.source.to_string(),
        written: format!("{}:{}, version {}", visible(&detail.file), detail.line, detail.version),
        definition: definition.map(|definition| definition.lines(spelt)).unwrap_or_default().iter().map(|line| visible(line)).collect(),
        kept,
        held: detail.held.as_ref().map(|held| visible(&held.sentence())),
        runbook: detail.runbook.as_ref().map(|file| links.to(&format!("/runbooks/{file}"))),
        past: replayed.then(|| past(at, &figures, ran_then.as_ref(), &path, &budget_key, &links)),
        at: if replayed { at.strftime("%Y-%m-%dT%H:%M:%S").to_string() } else { String::new() },
        exclusions: exclusions.iter().map(|state| ExcludedRow::of(state, &links)).collect(),
        budgets: listed.iter().take(BUDGETS).map(|budget| listed_budget(budget, &budget_key, &links, now)).collect(),
        more_budgets: listed.len().saturating_sub(BUDGETS),
        chosen: budgets.into_iter().next().map(|mut budget| {
            budget.told.extend(told);
            chosen(budget, drawn, &path, &links, now)
        }),
        queries: asking(&detail),
        shadow: None,
        is_journey: slo.sli.composite().is_some(),
        incidents: incidents.iter().take(20).map(|incident| IncidentFigures::of(incident, &links, now)).collect(),
        tenant: links.tenant().map(str::to_owned),
        policies: detail.policies,
        name: name.to_owned(),
        path,
        budget_key,
        frame,
    }
}

fn past(at: Instant, figures: &str, ran_then: Option<&VersionRan>, path: &str, budget_key: &str, links: &Links) -> Past {
    let as_known_then = figures == FiguresAsked::AsKnownThen.word();
    let other = if as_known_then { FiguresAsked::AsCorrected } else { FiguresAsked::AsKnownThen };
    let moment = at.to_string();
    Past {
        at: Stamp::of(at),
        as_known_then,
        ran_then: ran_then.map(|ran| (ran.version.clone(), Stamp::of(ran.since))),
        other: links.with(path, &[("budget", budget_key), ("at", &moment), ("figures", other.word())]),
        now: links.with(path, &[("budget", budget_key)]),
    }
}

fn listed_budget(budget: &Budget, chosen: &str, links: &Links, now: Instant) -> (Figures, bool) {
    (Figures::of(budget, links, now), budget.key == chosen)
}

fn chosen(explained: ExplainedBudget, drawn: Drawn, path: &str, links: &Links, now: Instant) -> Chosen {
    let Drawn { chart, downtime } = drawn;
    let ExplainedBudget {
        figures,
        period,
        budget,
        excluded,
        excluded_by,
        seen,
        allowed,
        rows,
        decided,
        clears,
        changes,
        reach,
        told,
        reading,
        place,
        row_table,
        ..
    } = explained;
    let as_of = figures.as_of;
    Chosen {
        rows: chosen_rows(&figures, rows),
        told: told.iter().map(|told| told_alert(told, links)).collect(),
        reading: reading.map(|reading| chosen_reading(&reading, path, &figures.key, links)),
        place: place.map(|place| visible(&place.to_string())),
        rows_from: row_table.from,
        period: period.map(|period| PeriodFigures::of(&period, path, &figures.key, links)),
        downtime: downtime.map(|downtime| DowntimeFigures::of(&downtime, &figures, path, links)),
        members: figures.members.iter().map(|member| MemberFigures::of(member, links)).collect(),
        events: events(&figures),
        figures: Figures::of(&figures, links, if as_of < now { as_of } else { now }),
        budget,
        seen,
        reach: reach.as_ref().map(FiguresReach::sentences).unwrap_or_default(),
        excluded,
        excluded_by: excluded_by.iter().map(|taken_out| visible(&taken_out.sentence())).collect(),
        because: because(&figures, &decided),
        allowed,
        clears,
        chart,
        changes: changes.into_iter().rev().map(|change| (Stamp::of(change.at), change.why)).collect(),
    }
}

fn chosen_rows(figures: &Budget, rows: Vec<ExplainedRow>) -> Vec<ChosenRow> {
    let of_row = |(at, why): (usize, ExplainedRow)| {
        let figures = figures.rows.get(at).map(RowFigures::of);
        let mark = figures.as_ref().map_or_else(|| Mark::of("?", "CANNOT SEE"), |figures| figures.mark.clone());
        ChosenRow { mark, figures, why }
    };
    rows.into_iter().enumerate().map(of_row).collect()
}

fn told_alert(told: &Told, links: &Links) -> ToldAlert {
    let incident = told.incident.as_ref().map(|id| (id.clone(), links.to(&format!("/incidents/{id}"))));
    ToldAlert { called: told.called(), since: Stamp::of(told.since), sentence: visible(&told.sentence), incident }
}

fn chosen_reading(reading: &Reading, path: &str, key: &str, links: &Links) -> ChosenReading {
    let part = |part: &ReadPart| (visible(&part.counted()), part.names().iter().map(|name| visible(name)).collect::<Vec<_>>());
    let parts: Vec<_> = reading.parts.iter().map(part).collect();
    let can_be_named = reading.parts.iter().any(|part| part.own.is_some()) && parts.iter().all(|(_, names)| names.is_empty());
    let name_them = can_be_named.then(|| links.with(path, &[("budget", key), ("series", "named")]));
    ChosenReading { parts, freshness: reading.freshness(spelt), name_them }
}

/// The rule that decided, or why nothing is decided.
fn because(figures: &Budget, decided: &str) -> String {
    let suspended = figures.tells_nobody.as_ref().filter(|why| why.until.is_some());
    if let Some(why) = suspended {
        return visible(&why.sentence(|until| Stamp::of(until).to_string()));
    }
    match &figures.unknown {
        Some(why) if figures.state == "CANNOT SEE" => format!("{} ({})", visible(&why.detail), why.reason),
        Some(_) | None => visible(decided),
    }
}

/// What was counted over the window.
fn events(budget: &Budget) -> String {
    if budget.unknown.is_some() && !budget.good.any() && !budget.bad.any() {
        return "the counts are unknown".to_owned();
    }
    let seconds = if budget.unit == "seconds" { "seconds " } else { "" };
    format!("{} good and {} bad {seconds}{}", budget.good, budget.bad, budget.counted)
}

fn asking(detail: &SloDetail) -> Vec<Asking> {
    detail.queries.iter().map(one_query).collect()
}

fn one_query(query: &WireQuery) -> Asking {
    let series = |count: usize| if count == 1 { "1 series".to_owned() } else { format!("{count} series") };
    let answer = match (&query.unknown, query.series, query.took_millis) {
        (Some(why), _, _) => Err(format!("{} ({})", visible(&why.detail), why.reason)),
        (None, Some(count), Some(took)) => Ok(format!("{} in {took} ms", series(count))),
        (None, _, _) => Ok("nothing yet".to_owned()),
    };
    Asking { asked: visible(&query.asked), at: query.at.map(Stamp::of), span: (Stamp::of(query.from), Stamp::of(query.to)), answer }
}
