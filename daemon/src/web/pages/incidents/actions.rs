//! What people do with an incident, by plain forms: the command, then back to the incident's page.

use axum::{
    Form,
    extract::{Path, State},
    response::Redirect,
};
use burnward_core::{
    id::TenantId,
    incident::{Command, Via},
};

use super::super::frame::Links;
use crate::web::{
    Site,
    access::{Caller, Tenant},
    api::{
        incidents::{command_outcome, mark_false_positive},
        problem::Problem,
        wire::{CommandOutcome, FalsePositiveBody, NoteBody},
    },
};

/// `POST /incidents/{id}/acknowledge`.
pub(in super::super) async fn acknowledge(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    act(&site, &tenant.0, &caller, &id, "acknowledge", Command::Acknowledge).await
}

/// `POST /incidents/{id}/escalate`.
pub(in super::super) async fn escalate(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    act(&site, &tenant.0, &caller, &id, "escalate", Command::Escalate).await
}

/// `POST /incidents/{id}/resolve`.
pub(in super::super) async fn resolve(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    act(&site, &tenant.0, &caller, &id, "resolve", Command::Resolve).await
}

/// `POST /incidents/{id}/note`.
pub(in super::super) async fn note(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
    Form(note): Form<NoteBody>,
) -> Result<Redirect, Problem> {
    if note.text.trim().is_empty() {
        return Err(Problem::bad_request("a note needs words"));
    }
    act(&site, &tenant.0, &caller, &id, "note", Command::Note { text: note.text }).await
}

/// `POST /incidents/{id}/false-positive`.
pub(in super::super) async fn false_positive(
    State(site): State<Site>,
    tenant: Tenant,
    caller: Caller,
    Path(id): Path<String>,
    Form(body): Form<FalsePositiveBody>,
) -> Result<Redirect, Problem> {
    let outcome = mark_false_positive(&site.handle, &tenant.0, &caller, Via::Web, &id, &body).await?;
    Ok(back(&site, &tenant.0, &outcome, "false-positive"))
}

/// Sends the command, then leads back to the incident; what came of it is said there.
async fn act(site: &Site, tenant: &TenantId, caller: &Caller, id: &str, action: &str, command: Command) -> Result<Redirect, Problem> {
    let outcome = command_outcome(&site.handle, tenant, caller, Via::Web, id, command).await?;
    Ok(back(site, tenant, &outcome, action))
}

/// Back to the incident, where what came of it is said.
fn back(site: &Site, tenant: &TenantId, outcome: &CommandOutcome, action: &str) -> Redirect {
    let links = Links::of(&site.handle.config, tenant);
    let path = format!("/incidents/{}", outcome.incident.id);
    Redirect::to(&links.with(&path, &[(&outcome.outcome, action)]))
}
