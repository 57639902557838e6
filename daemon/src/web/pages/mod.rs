//! The pages for people: rendered on the server from the same structs that the JSON API answers with, so that page, JSON and command line never differ.
//! They need no JavaScript, load nothing from elsewhere, and change nothing by GET.

mod assets;
mod errors;
mod figures;
mod frame;
mod incidents;
mod markdown;
mod now;
mod report;
mod runbook;
mod slo;
#[cfg(test)]
mod tests;
mod when;

use askama::Template;
use axum::{
    Router,
    http::StatusCode,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};

use super::{
    Site,
    api::{problem::Problem, reports},
};

pub use errors::{as_page, panicked};

/// The routes of the pages.
pub fn routes() -> Router<Site> {
    Router::new()
        .route("/", get(now::get))
        .route("/slos/{service}/{name}", get(slo::get))
        .route("/incidents", get(incidents::list::get))
        .route("/incidents/{id}", get(incidents::page::get))
        .route("/incidents/{id}/acknowledge", post(incidents::actions::acknowledge))
        .route("/incidents/{id}/escalate", post(incidents::actions::escalate))
        .route("/incidents/{id}/resolve", post(incidents::actions::resolve))
        .route("/incidents/{id}/note", post(incidents::actions::note))
        .route("/incidents/{id}/false-positive", post(incidents::actions::false_positive))
        .route("/incidents/{id}/postmortem", get(incidents::postmortem::get))
        .route("/incidents/{id}/postmortem.md", get(incidents::postmortem::download))
        .route("/reports/week", get(report::get))
        .route("/reports/week.json", get(reports::week))
        .route("/reports/week.csv", get(reports::week_csv))
        .route("/reports/week.md", get(reports::week_markdown))
        .route("/runbooks/{file}", get(runbook::get))
}

/// What a browser needs before it may show who it is: style and icon. They hold no data.
pub fn open_routes() -> Router<Site> {
    Router::new().route("/assets/{file}", get(assets::get))
}

/// Nothing is at this address.
pub async fn not_found() -> Problem {
    Problem::not_found("there is nothing at this address")
}

/// How many rows of a table an address leaves out.
fn skip(asked: Option<&str>) -> Result<usize, Problem> {
    match asked {
        None | Some("") => Ok(0),
        Some(text) => text.parse().map_err(|_| Problem::bad_request("`skip` is the number of rows that are left out")),
    }
}

/// A rendered page. A template that fails is a fault of ours.
fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            Problem::of(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be put together; the daemon's log says why").into_response()
        }
    }
}
