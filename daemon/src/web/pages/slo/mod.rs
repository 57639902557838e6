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
    figures::{Figures, IncidentFigures, RowFigures},
    frame::{self, Frame, Links, Place},
    page,
    when::Stamp,
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
            explain::{Figures as FiguresAsked, When, at_moment, explanation, find, moment, not_to_come, statuses},
            problem::Problem,
            wire::{
                Budget, Downtime, ExplainedBudget, ExplainedRow, FiguresReach, Policy, Query as WireQuery, SloDetail, SloExplanation,
                VersionRan, budget_key,
            },
        },
    },
};

mod chart;
mod downtime;
mod excluded;
mod members;
mod period;

use chart::Chart;
use downtime::DowntimeFigures;
use excluded::ExcludedRow;
use members::MemberFigures;
use period::PeriodFigures;

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
    /// Which rule decided its state.
    because: String,
    allowed: String,
    clears: Vec<String>,
    rows: Vec<(RowFigures, ExplainedRow)>,
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

/// What was asked, and what came.
struct Asking {
    asked: String,
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
    let key = asked.key(handle, &slo).await?;
    let explained = explanation(handle, &slo, when, key.as_deref().or(Some(""))).await?;
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
    Ok(page(&slo_page(frame, &name, &slo, key, explained, drawn, frame::now(handle))))
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
    async fn key(&self, handle: &Handle, slo: &Slo) -> Result<Option<String>, Problem> {
        let key = self.budget.as_deref().filter(|key| !key.is_empty());
        let found = statuses(handle, slo, key).await?.first().map(|status| budget_key(&status.budget));
        match (found, key) {
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
    let Some(status) = statuses(handle, slo, Some(key)).await?.into_iter().next() else { return Ok(Drawn::default()) };
    let status = at_moment(handle, slo, status, when).await?;
    let chart = burn_down::of(handle, &status, when).await?.map(|drawn| Chart::of(&drawn, &explained.incidents));
    Ok(Drawn { chart, downtime: downtime_of(handle, slo, &status, when).await? })
}

fn slo_page(frame: Frame, name: &str, slo: &Slo, budget_key: String, explained: SloExplanation, drawn: Drawn, now: Instant) -> SloPage {
    let SloExplanation { at, replayed, figures, slo: detail, exclusions, budgets, incidents, ran_then } = explained;
    let links = frame.links.clone();
    let path = format!("/slos/{name}");
    let listed = if detail.budgets.len() > 1 { detail.budgets.as_slice() } else { &[] };
    SloPage {
        title: visible(&detail.title),
        team: detail.team.clone(),
        source: slo.source.to_string(),
        written: format!("{}:{}, version {}", visible(&detail.file), detail.line, detail.version),
        held: detail.held.as_ref().map(|held| visible(&held.sentence())),
        runbook: detail.runbook.as_ref().map(|file| links.to(&format!("/runbooks/{file}"))),
        past: replayed.then(|| past(at, &figures, ran_then.as_ref(), &path, &budget_key, &links)),
        at: if replayed { at.strftime("%Y-%m-%dT%H:%M:%S").to_string() } else { String::new() },
        exclusions: exclusions.iter().map(|state| ExcludedRow::of(state, &links)).collect(),
        budgets: listed.iter().take(BUDGETS).map(|budget| listed_budget(budget, &budget_key, &links, now)).collect(),
        more_budgets: listed.len().saturating_sub(BUDGETS),
        chosen: budgets.into_iter().next().map(|budget| chosen(budget, drawn, &path, &links, now)),
        queries: asking(&detail),
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
    let ExplainedBudget { figures, period, budget, excluded, seen, allowed, rows, decided, clears, changes, reach, .. } = explained;
    let as_of = figures.as_of;
    let rows = figures.rows.iter().map(RowFigures::of).zip(rows).collect();
    Chosen {
        period: period.map(|period| PeriodFigures::of(&period, path, &figures.key, links)),
        downtime: downtime.map(|downtime| DowntimeFigures::of(&downtime, &figures, path, links)),
        members: figures.members.iter().map(|member| MemberFigures::of(member, links)).collect(),
        events: events(&figures),
        figures: Figures::of(&figures, links, if as_of < now { as_of } else { now }),
        budget,
        seen,
        reach: reach.as_ref().map(FiguresReach::sentences).unwrap_or_default(),
        excluded,
        because: because(&figures, &decided),
        allowed,
        clears,
        rows,
        chart,
        changes: changes.into_iter().rev().map(|change| (Stamp::of(change.at), change.why)).collect(),
    }
}

/// The rule that decided, or why nothing is decided.
fn because(figures: &Budget, decided: &str) -> String {
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
    Asking { asked: visible(&query.asked), span: (Stamp::of(query.from), Stamp::of(query.to)), answer }
}
