//! `GET /api/v1/status`: every budget, the sources, what waits for delivery; with `?at=` the budgets as they stood
//! then, as far as was known then or as corrected since.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use burnward_core::{
    evaluate::BudgetStatus,
    id::{SloId, TenantId},
    incident::GRACE,
    time::Timestamp,
};
use serde::Deserialize;

use super::{
    explain::{Figures, moment},
    problem::Problem,
    wire::{Budget, Budgets, Fault, FiguresReach, HeldVersion, IncidentState, Outbox, SourceState, Status, Undelivered, instant},
};
use crate::{
    app::Handle,
    store::{StoreError, UndeliveredPage},
    tasks::decide::{Groups, Moment, PastAsked},
    then::{all_then, not_run, splits_then},
    web::{Site, access::Tenant},
};

/// How many undelivered pages are listed.
const UNDELIVERED: usize = 50;
/// From when on a page that was never tried counts as undelivered; one whose attempt failed does at once.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// Parameters of the status.
#[derive(Debug, Default, Deserialize)]
pub struct StatusQuery {
    /// RFC 3339; without it: now.
    at: Option<String>,
    /// `as-known-then` (without it) or `as-corrected`.
    figures: Option<String>,
}

/// Everything about one tenant.
pub async fn get(State(site): State<Site>, tenant: Tenant, Query(query): Query<StatusQuery>) -> Result<Response, Problem> {
    match query.at.as_deref().map(moment).transpose()? {
        Some(at) if at > site.handle.clock.now() => Err(Problem::bad_request("that moment lies in the future; leave `at` out for now")),
        Some(at) => {
            let figures = query.figures.as_deref().map_or(Ok(Figures::AsKnownThen), |word| Figures::read(Some(word)))?;
            Ok(Json(status_then(&site.handle, &tenant.0, at, figures).await?).into_response())
        }
        None => Ok(Json(written(&site.handle, &tenant.0).await?).into_response()),
    }
}

/// The budgets of one tenant at a moment of the past. Sources and deliveries are of the present, so they are left out.
async fn status_then(handle: &Handle, tenant: &TenantId, at: Timestamp, figures: Figures) -> Result<Status, StoreError> {
    let view = handle.view.borrow().clone();
    let slos: Vec<SloId> = view.slos.keys().filter(|slo| slo.tenant == *tenant).cloned().collect();
    let alerts = handle.store.alerts_at(tenant, at).await?.into_iter().collect();
    let by = match figures {
        Figures::AsKnownThen => all_then(handle, tenant, at).await?,
        Figures::AsCorrected => BTreeMap::new(),
    };
    let groups = Groups::SplitBy(splits_then(handle, tenant, None, at).await?);
    let moments = vec![Moment { at, known: figures.known(at), alerts: Arc::new(alerts) }];
    let asked = PastAsked { groups, moments, by, ..PastAsked::of(slos) };
    let (mut budgets, mut reaches) = (Vec::new(), BTreeMap::new());
    for past in handle.past(tenant, asked).await? {
        for (status, reach) in past.stood() {
            reaches.extend(reach.map(|reach| (status.budget.clone(), FiguresReach::of(&reach, at))));
            budgets.push(status);
        }
    }
    let left = |status: &BudgetStatus| status.left.map_or(f64::INFINITY, |left| left.ratio);
    budgets.sort_by(|a, b| {
        a.status.place().cmp(&b.status.place()).then(a.state.cmp(&b.state)).then(left(a).total_cmp(&left(b))).then(a.budget.cmp(&b.budget))
    });
    Ok(Status {
        schema: "burnward/v1/status".to_owned(),
        tenant: tenant.to_string(),
        other_tenants: others(handle, tenant),
        as_of: instant(at),
        budgets: budgets.iter().map(|status| Budget { reach: reaches.remove(&status.budget), ..Budget::of(&view, status) }).collect(),
        not_run_then: not_run(handle, tenant, at).await?.iter().map(|slo| format!("{}/{}", slo.service, slo.name)).collect(),
        sources: Vec::new(),
        open_incidents: Vec::new(),
        outbox: Outbox { pages_owed: 0, oldest_page: None, pages_undeliverable: 0, informs_owed: 0, undelivered: Vec::new() },
        held: Vec::new(),
        definition_faults: Vec::new(),
        text_faults: Vec::new(),
    })
}

/// The status of one tenant, as every surface shows it.
pub async fn status(handle: &Handle, tenant: &TenantId) -> Result<Status, Problem> {
    let written = written(handle, tenant).await?;
    Ok(written.map(|budgets| budgets.iter().collect()))
}

/// The same as it is written.
async fn written(handle: &Handle, tenant: &TenantId) -> Result<Status<Budgets>, Problem> {
    let statuses = handle.budgets(tenant).await?;
    let view = handle.view.borrow().clone();
    let outbox = outbox(handle, tenant).await?;
    // What a person resolved while it goes on opens again long before the grace time is over.
    let live = handle.store.live_incidents(tenant, handle.clock.now().minus(GRACE)).await?;
    Ok(Status {
        schema: "burnward/v1/status".to_owned(),
        tenant: tenant.to_string(),
        other_tenants: others(handle, tenant),
        as_of: instant(view.as_of),
        budgets: Budgets { view: Arc::clone(&view), statuses },
        not_run_then: Vec::new(),
        sources: view
            .sources
            .iter()
            .filter(|((owner, _), _)| owner == tenant)
            .map(|((owner, name), source)| SourceState::of(owner.as_str(), name.as_str(), source))
            .collect(),
        open_incidents: live
            .iter()
            .filter(|stored| !stored.incident.is_at_rest())
            .map(|stored| IncidentState::from(&stored.incident))
            .collect(),
        outbox,
        held: HeldVersion::all(&view, tenant),
        definition_faults: view.definition_faults.iter().filter(|fault| fault.tenant == *tenant).map(Fault::from).collect(),
        text_faults: view.text_faults.clone(),
    })
}

fn others(handle: &Handle, tenant: &TenantId) -> Vec<String> {
    handle.config.tenants.keys().filter(|other| *other != tenant).map(ToString::to_string).collect()
}

async fn outbox(handle: &Handle, tenant: &TenantId) -> Result<Outbox, StoreError> {
    let undelivered = handle.store.undelivered(tenant, handle.clock.now().minus(ON_ITS_WAY), UNDELIVERED).await?;
    let stats = handle.store.outbox_stats().await?;
    Ok(Outbox {
        pages_owed: stats.pages_owed,
        oldest_page: stats.oldest_page.map(instant),
        pages_undeliverable: stats.pages_undeliverable,
        informs_owed: stats.informs_owed,
        undelivered: undelivered.iter().map(|page| Undelivered::of(page, super::incidents::no_way(handle))).collect(),
    })
}

impl Undelivered {
    /// A page that reached nobody yet; `no_way` is why none can, where that is known.
    fn of(page: &UndeliveredPage, no_way: Option<&str>) -> Self {
        Self {
            page: page.page.to_string(),
            incident: page.incident.to_string(),
            to: page.to.clone(),
            decided_at: instant(page.decided_at),
            attempts: page.attempts,
            last_error: page.last_error.clone().or_else(|| no_way.map(ToOwned::to_owned)),
            given_up: page.given_up,
        }
    }
}
