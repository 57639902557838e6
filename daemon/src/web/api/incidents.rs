//! `/api/v1/incidents`: incidents, their timelines, what people do with them, and the postmortem draft.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::Known,
    id::{BudgetId, IncidentId, TenantId},
    incident::{AlertKey, Answer, Command, Incident, Via, What},
    ledger::Counts,
    postmortem::{self, BudgetImpact, PostmortemDraft},
    time::Timestamp,
    timeline, words,
};
use serde::Deserialize;

use super::{
    exclusions::reason_and_approver,
    explain::moment,
    problem::Problem,
    wire::{
        CommandOutcome, FalsePositiveBody, IncidentDetail, IncidentNow, IncidentState, NoteBody, PageDelivery, Postmortem,
        ReportedFalsePositive, TimelineEntry, instant,
    },
};
use crate::{
    app::{Handle, RequestError},
    render::{PageContext, PageInput},
    report::Marked,
    store::StoredIncident,
    tasks::decide::{FalsePositive, Groups, Moment, PastAsked},
    web::{
        Site,
        access::{Caller, Tenant},
    },
};

/// How many incidents a list holds at most.
const LIST: usize = 200;

/// Parameters of the list.
#[derive(Debug, Deserialize)]
pub struct ListQuery {
    /// How many at most, 1 to 200; without it 50.
    limit: Option<usize>,
    /// RFC 3339: only incidents that were opened before it, for the next page of the list.
    before: Option<String>,
}

impl ListQuery {
    /// The same with a limit of our own.
    #[must_use]
    pub fn at_most(self, limit: usize) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

/// `GET /api/v1/incidents`: newest first.
pub async fn list(State(site): State<Site>, tenant: Tenant, Query(query): Query<ListQuery>) -> Result<Json<Vec<IncidentState>>, Problem> {
    listed(&site.handle, &tenant.0, &query).await.map(Json)
}

/// The incidents that a list asks for, newest first.
pub async fn listed(handle: &Handle, tenant: &TenantId, query: &ListQuery) -> Result<Vec<IncidentState>, Problem> {
    let limit = query.limit.unwrap_or(50);
    if !(1..=LIST).contains(&limit) {
        return Err(Problem::bad_request(&format!("limit lies between 1 and {LIST}")));
    }
    let before = query.before.as_deref().map(moment).transpose()?;
    let stored = handle.store.incidents(tenant, limit, before).await?;
    Ok(stored.iter().map(|stored| state(handle, tenant, &stored.incident)).collect())
}

/// An incident, short, with what of it was marked as a false positive, and its alerts with their objectives, where their SLOs have several.
fn state(handle: &Handle, tenant: &TenantId, incident: &Incident) -> IncidentState {
    let marked = marked(handle, tenant, incident).map(|marked| marked.what());
    let mut state = IncidentState { marked, ..IncidentState::from(incident) };
    state.name_objectives(incident, &handle.view.borrow().slos);
    state
}

/// That somebody said of an incident that it was a false positive.
fn marked(handle: &Handle, tenant: &TenantId, incident: &Incident) -> Option<ReportedFalsePositive> {
    let record = handle.view.borrow().exclusions.get(tenant).cloned()?;
    Marked::of(&record, incident, Known::Now).as_ref().map(ReportedFalsePositive::from)
}

/// `GET /api/v1/incidents/{id}`.
pub async fn get(State(site): State<Site>, tenant: Tenant, Path(id): Path<String>) -> Result<Json<IncidentDetail>, Problem> {
    live_detail(&site.handle, &tenant.0, &id).await.map(Json)
}

/// An incident as it stands now, with its timeline.
pub async fn live_detail(handle: &Handle, tenant: &TenantId, id: &str) -> Result<IncidentDetail, Problem> {
    let stored = stored(handle, tenant, id).await?;
    let false_positive = marked(handle, tenant, &stored.incident);
    let incident = state(handle, tenant, &stored.incident);
    let no_way = no_way(handle);
    Ok(IncidentDetail { incident, now: Some(now(handle, &stored).await), false_positive, ..detail(&stored, no_way) })
}

/// The figures of the page that would be sent now.
async fn now(handle: &Handle, stored: &StoredIncident) -> IncidentNow {
    let incident = &stored.incident;
    let guide = handle.guide(incident).unwrap_or_default();
    let impacts = impact(handle, stored).await;
    let budgets = handle.budgets_in(incident).await;
    let view = handle.view.borrow().clone();
    let page = PageContext::new(&PageInput {
        incident,
        message: None,
        decided_at: incident.opened_at,
        view: &view,
        budgets: &budgets,
        config: &handle.config,
        impacts: &impacts,
        steps: &guide.steps,
        now: handle.clock.now(),
    });
    IncidentNow::of(page, guide.runbook)
}

/// Why no page can arrive, where no way to anybody is configured.
pub(super) fn no_way(handle: &Handle) -> Option<&'static str> {
    handle.config.slack.is_none().then_some("no Slack is configured: nobody is told; `slack:` in burnward.yaml, then it is sent")
}

/// An incident with its timeline, from the store alone; `no_way` is why none of what is owed can arrive, where that is known.
pub fn detail(stored: &StoredIncident, no_way: Option<&str>) -> IncidentDetail {
    let entries = timeline::entries(&stored.incident, &stored.events);
    let milestones = postmortem::milestones(&stored.incident, &stored.events);
    IncidentDetail {
        incident: IncidentState::from(&stored.incident),
        false_positive: None,
        delivered_at: milestones.paged.map(instant),
        acknowledged_at: milestones.acknowledged.map(instant),
        now: None,
        pages: PageDelivery::of(&stored.incident, no_way),
        timeline: entries.iter().map(TimelineEntry::from).collect(),
    }
}

/// An incident of a tenant, or 404.
pub async fn stored(handle: &Handle, tenant: &TenantId, id: &str) -> Result<StoredIncident, Problem> {
    let found = handle.store.incident(tenant, &IncidentId::from_text(id)).await?;
    found.ok_or_else(|| RequestError::NotFound(id.to_owned()).into())
}

/// `POST /api/v1/incidents/{id}/acknowledge`.
pub async fn acknowledge(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CommandOutcome>, Problem> {
    api_command(&site, &tenant.0, &caller, &id, Command::Acknowledge).await
}

/// `POST /api/v1/incidents/{id}/escalate`.
pub async fn escalate(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CommandOutcome>, Problem> {
    api_command(&site, &tenant.0, &caller, &id, Command::Escalate).await
}

/// `POST /api/v1/incidents/{id}/resolve`.
pub async fn resolve(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<CommandOutcome>, Problem> {
    api_command(&site, &tenant.0, &caller, &id, Command::Resolve).await
}

/// `POST /api/v1/incidents/{id}/note`.
pub async fn note(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<NoteBody>,
) -> Result<Json<CommandOutcome>, Problem> {
    if body.text.trim().is_empty() {
        return Err(Problem::bad_request("a note needs words"));
    }
    api_command(&site, &tenant.0, &caller, &id, Command::Note { text: body.text }).await
}

/// `POST /api/v1/incidents/{id}/false-positive`.
pub async fn false_positive(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
    Json(body): Json<FalsePositiveBody>,
) -> Result<Json<CommandOutcome>, Problem> {
    mark_false_positive(&site.handle, &tenant.0, &caller, Via::Api, &id, &body).await.map(Json)
}

/// Marks an incident as a false positive and tells what came of it.
pub async fn mark_false_positive(
    handle: &Handle,
    tenant: &TenantId,
    caller: &Caller,
    via: Via,
    id: &str,
    body: &FalsePositiveBody,
) -> Result<CommandOutcome, Problem> {
    let (reason, approver) = reason_and_approver(&body.reason, &body.approver)?;
    let asked = FalsePositive { incident: IncidentId::from_text(id), reason, approver };
    let exclusions = handle.false_positive(tenant, asked, caller.actor(via)).await?;
    let incident = IncidentState::from(&stored(handle, tenant, id).await?.incident);
    let taken_out: Vec<String> = exclusions.iter().map(ToString::to_string).collect();
    let sentence = match taken_out.as_slice() {
        [] => format!("{id} is a false positive; no budget was spent by it"),
        ids => format!("{id} is a false positive; its time is taken out of its budgets by {}", ids.join(", ")),
    };
    Ok(CommandOutcome { outcome: "done".to_owned(), sentence, incident })
}

async fn api_command(site: &Site, tenant: &TenantId, caller: &Caller, id: &str, command: Command) -> Result<Json<CommandOutcome>, Problem> {
    command_outcome(&site.handle, tenant, caller, Via::Api, id, command).await.map(Json)
}

/// Sends a person's command and tells what came of it.
pub async fn command_outcome(
    handle: &Handle,
    tenant: &TenantId,
    caller: &Caller,
    via: Via,
    id: &str,
    command: Command,
) -> Result<CommandOutcome, Problem> {
    let noted = matches!(command, Command::Note { .. });
    let answer = handle.command(tenant, &IncidentId::from_text(id), command, caller.actor(via)).await?;
    let incident = IncidentState::from(&stored(handle, tenant, id).await?.incident);
    let (outcome, sentence) = match answer {
        Answer::Already { what, by, at } => ("already", format!("{id} was already {what} by {by} at {}", instant(at))),
        Answer::Events(events) if events.is_empty() => ("already", format!("{id} is {}; nothing changed", incident.phase)),
        Answer::Events(_) if noted => ("done", format!("noted in the timeline of {id}, which is {}", incident.phase)),
        Answer::Events(events) => ("done", done(id, &incident, &events)),
    };
    Ok(CommandOutcome { outcome: outcome.to_owned(), sentence, incident })
}

/// How an incident stands after a command, and who is paged by it.
fn done(id: &str, incident: &IncidentState, events: &[What]) -> String {
    let phase = &incident.phase;
    if let Some(goes_on) = &incident.goes_on {
        return format!("{id} is {phase}, {}; it is open again at {} unless it clears", goes_on.what_for_whom(), goes_on.opens_again_at);
    }
    let to = |event: &What| if let What::PageOwed { to, .. } = event { Some(to.to_string()) } else { None };
    let paged: Vec<String> = events.iter().filter_map(to).collect();
    let are = if paged.len() == 1 { "is" } else { "are" };
    if paged.is_empty() { format!("{id} is {phase}") } else { format!("{id} is {phase}; {} {are} paged now", words::list(&paged, 5)) }
}

/// `GET /api/v1/incidents/{id}/postmortem`.
pub async fn postmortem(State(site): State<Site>, tenant: Tenant, Path(id): Path<String>) -> Result<Json<Postmortem>, Problem> {
    let (draft, markdown) = draft(&site, &tenant.0, &id).await?;
    Ok(Json(Postmortem::of(&draft, markdown)))
}

/// `GET /api/v1/incidents/{id}/postmortem.md`.
pub async fn postmortem_markdown(State(site): State<Site>, tenant: Tenant, Path(id): Path<String>) -> Result<Response, Problem> {
    let (_, markdown) = draft(&site, &tenant.0, &id).await?;
    Ok(([(header::CONTENT_TYPE, "text/markdown; charset=utf-8")], markdown).into_response())
}

/// The postmortem draft of an incident, as facts and as Markdown.
pub async fn draft(site: &Site, tenant: &TenantId, id: &str) -> Result<(PostmortemDraft, String), Problem> {
    let stored = stored(&site.handle, tenant, id).await?;
    let impact = impact(&site.handle, &stored).await;
    let draft = postmortem::draft(&stored.incident, &stored.events, impact);
    let markdown = site.renderer.postmortem(&draft);
    Ok((draft, markdown))
}

/// What each budget of an incident lost between its beginning and its end, or until now.
async fn impact(handle: &Handle, stored: &StoredIncident) -> Vec<BudgetImpact> {
    let incident = &stored.incident;
    let ended = incident.ended();
    let until = ended.unwrap_or_else(|| handle.clock.now());
    let standing = standing(handle, incident, ended).await;
    let mut impact = Vec::new();
    for key in incident.members.keys() {
        let AlertKey::Budget(budget) = key else { continue };
        let Some((counts, hidden)) = handle.between(budget, incident.began, until).await else { continue };
        let failed = Counts { bad: counts.bad.saturating_add(hidden), ..counts };
        let status = standing.get(budget);
        impact.push(BudgetImpact {
            budget: budget.clone(),
            counts,
            unit: status.map(|status| status.unit).unwrap_or_default(),
            spent: status.and_then(|status| spent(status, counts)),
            at_most: status.and_then(|status| spent(status, failed)),
        });
    }
    impact
}

/// How the budgets of an incident's SLOs stood at its end, so that what it spent does not change with the window that goes on; of one that is not over, how
/// they stand now.
async fn standing(handle: &Handle, incident: &Incident, ended: Option<Timestamp>) -> Arc<BTreeMap<BudgetId, BudgetStatus>> {
    let Some(at) = ended else { return handle.budgets_in(incident).await };
    let moment = Moment { at, known: Known::Now, alerts: Arc::default() };
    let asked = PastAsked { groups: Groups::Every, moments: vec![moment], ..PastAsked::of(incident.slos().iter().cloned().collect()) };
    match handle.past(&incident.tenant, asked).await {
        Ok(past) => Arc::new(past.into_iter().flat_map(|past| past.standing).map(|status| (status.budget.clone(), status)).collect()),
        Err(error) => {
            tracing::warn!(incident = %incident.id, %error, "the budgets at the end of an incident cannot be read; what it spent is not shown");
            Arc::default()
        }
    }
}

/// The share of the window's budget that these bad events are, measured by what the window's events allow.
fn spent(status: &BudgetStatus, counts: Counts) -> Option<f64> {
    let allowed = status.target.allowed().as_f64() * status.window_total.max(counts.total() as f64);
    let bad = counts.bad as f64 + counts.tolerated as f64 / 2.0;
    (allowed > 0.0).then(|| bad / allowed)
}
