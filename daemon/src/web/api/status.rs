//! `GET /api/v1/status`: every budget, the sources, what waits for delivery.

use axum::{Json, extract::State};
use burnward_core::{id::TenantId, time::Timestamp};

use super::{
    problem::Problem,
    wire::{Budget, Fault, IncidentState, Outbox, SourceState, Status, Undelivered, instant},
};
use crate::{
    app::Handle,
    store::{StoreError, UndeliveredPage},
    web::{Site, access::Tenant},
};

/// How many undelivered pages are listed.
const UNDELIVERED: usize = 50;

/// Everything about one tenant.
pub async fn get(State(site): State<Site>, tenant: Tenant) -> Result<Json<Status>, Problem> {
    Ok(Json(status(&site.handle, &tenant.0).await?))
}

/// The status of one tenant, as every surface shows it.
pub async fn status(handle: &Handle, tenant: &TenantId) -> Result<Status, StoreError> {
    let view = handle.view.borrow().clone();
    let outbox = outbox(handle, tenant).await?;
    // None is resolved after the end of time: what is left is open.
    let open = handle.store.live_incidents(tenant, Timestamp::from_millis(i64::MAX)).await?;
    Ok(Status {
        schema: "burnward/v1/status".to_owned(),
        as_of: instant(view.as_of),
        budgets: view.budgets_of(tenant).iter().map(|status| Budget::of(&view, status)).collect(),
        sources: view
            .sources
            .iter()
            .filter(|((owner, _), _)| owner == tenant)
            .map(|((owner, name), source)| SourceState::of(owner.as_str(), name.as_str(), source))
            .collect(),
        open_incidents: open.iter().map(|stored| IncidentState::from(&stored.incident)).collect(),
        outbox,
        definition_faults: view.definition_faults.iter().filter(|fault| fault.tenant == *tenant).map(Fault::from).collect(),
        text_faults: view.text_faults.clone(),
    })
}

async fn outbox(handle: &Handle, tenant: &TenantId) -> Result<Outbox, StoreError> {
    let undelivered = handle.store.undelivered(tenant, UNDELIVERED).await?;
    let stats = handle.store.outbox_stats().await?;
    Ok(Outbox {
        pages_owed: stats.pages_owed,
        oldest_page: stats.oldest_page.map(instant),
        pages_undeliverable: stats.pages_undeliverable,
        informs_owed: stats.informs_owed,
        undelivered: undelivered.iter().map(Undelivered::from).collect(),
    })
}

impl From<&UndeliveredPage> for Undelivered {
    fn from(page: &UndeliveredPage) -> Self {
        Self {
            page: page.page.to_string(),
            incident: page.incident.to_string(),
            to: page.to.clone(),
            decided_at: instant(page.decided_at),
            attempts: page.attempts,
            last_error: page.last_error.clone(),
            given_up: page.given_up,
        }
    }
}
