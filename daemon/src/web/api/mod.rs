//! The JSON API, `/api/v1`: one file per resource.

use axum::{
    Router,
    routing::{get, post},
};

use super::Site;

pub mod burn_down;
pub mod definitions;
pub mod detection;
pub mod downtime;
pub mod exclusions;
pub mod explain;
pub mod incidents;
pub mod page_test;
pub mod problem;
pub mod reports;
pub mod shadow;
pub mod status;
pub mod wire;

/// The routes of the API.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/api/v1/status", get(status::get))
        .route("/api/v1/definitions", get(definitions::get))
        .route("/api/v1/slos/{service}/{name}", get(explain::slo))
        .route("/api/v1/slos/{service}/{name}/explain", get(explain::get))
        .route("/api/v1/slos/{service}/{name}/burn-down", get(explain::burn_down))
        .route("/api/v1/slos/{service}/{name}/downtime", get(downtime::get))
        .route("/api/v1/slos/{service}/{name}/detection", get(detection::get))
        .route("/api/v1/exclusions", get(exclusions::list).post(exclusions::add))
        .route("/api/v1/exclusions/{id}/withdraw", post(exclusions::withdraw))
        .route("/api/v1/incidents", get(incidents::list))
        .route("/api/v1/incidents/{id}", get(incidents::get))
        .route("/api/v1/incidents/{id}/acknowledge", post(incidents::acknowledge))
        .route("/api/v1/incidents/{id}/escalate", post(incidents::escalate))
        .route("/api/v1/incidents/{id}/resolve", post(incidents::resolve))
        .route("/api/v1/incidents/{id}/note", post(incidents::note))
        .route("/api/v1/incidents/{id}/false-positive", post(incidents::false_positive))
        .route("/api/v1/incidents/{id}/postmortem", get(incidents::postmortem))
        .route("/api/v1/incidents/{id}/postmortem.md", get(incidents::postmortem_markdown))
        .route("/api/v1/reports/week", get(reports::week))
        .route("/api/v1/reports/week.csv", get(reports::week_csv))
        .route("/api/v1/reports/week.md", get(reports::week_markdown))
        .route("/api/v1/shadow", get(shadow::get))
        .route("/api/v1/pages/test", post(page_test::post))
}
