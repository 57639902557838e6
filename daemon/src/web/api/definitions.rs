//! `GET /api/v1/definitions`: the documents that run, as they were loaded.

use axum::{Json, extract::State};

use super::{
    problem::Problem,
    wire::{HeldVersion, RunningDefinition, RunningDefinitions, RunningTeam},
};
use crate::web::{Site, access::Tenant};

/// The last good text of every file of a tenant.
pub async fn get(State(site): State<Site>, tenant: Tenant) -> Result<Json<RunningDefinitions>, Problem> {
    let stored = site.handle.store.definitions(&tenant.0).await?;
    let view = site.handle.view.borrow().clone();
    Ok(Json(RunningDefinitions {
        schema: "burnward/v1/definitions".to_owned(),
        files: stored.iter().map(RunningDefinition::of).collect(),
        held: HeldVersion::all(&view, &tenant.0),
        teams: site.handle.config.teams.values().map(RunningTeam::of).collect(),
    }))
}
