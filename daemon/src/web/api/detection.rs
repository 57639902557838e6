//! `/api/v1/slos/{service}/{name}/detection`: what the alert rows of an SLO see of a steady burn, and what they do not.

use axum::{
    Json,
    extract::{Path, State},
};

use super::{explain::find, problem::Problem, wire::SloDetection};
use crate::{
    calendar,
    web::{Site, access::Tenant},
};

/// `GET /api/v1/slos/{service}/{name}/detection`.
pub async fn get(
    State(site): State<Site>,
    tenant: Tenant,
    Path((service, name)): Path<(String, String)>,
) -> Result<Json<SloDetection>, Problem> {
    let slo = find(&site.handle, &tenant.0, &service, &name)?;
    let now = site.handle.clock.now();
    let lengths: Vec<_> = slo.objectives.iter().map(|objective| calendar::interval(&objective.window, now).length()).collect();
    Ok(Json(SloDetection::of(&slo, &lengths)))
}
