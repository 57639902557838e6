//! `POST /api/v1/pages/test`: a page marked TEST through the whole path.

use axum::{Json, extract::State};
use burnward_core::{id::PersonName, incident::Via};

use super::{
    problem::Problem,
    wire::{IncidentState, TestPageBody},
};
use crate::web::{Site, access::Caller, api::incidents};

/// Sends it; the answer is the incident of the test, whose timeline tells when it was delivered and acknowledged.
pub async fn post(State(site): State<Site>, caller: Caller, Json(body): Json<TestPageBody>) -> Result<Json<IncidentState>, Problem> {
    let person = body.person.as_deref().map(PersonName::parse).transpose().map_err(|error| Problem::bad_request(&error.to_string()))?;
    let (tenant, id) = site.handle.test_page(person, caller.actor(Via::Api)).await?;
    let stored = incidents::stored(&site.handle, &tenant, id.as_str()).await?;
    Ok(Json(IncidentState::from(&stored.incident)))
}
