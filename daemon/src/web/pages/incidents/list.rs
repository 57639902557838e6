//! `/incidents`: newest first.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};

use super::super::{
    figures::IncidentFigures,
    frame::{self, Frame, Place},
    page,
};
use crate::web::{
    Site,
    access::Tenant,
    api::{
        incidents::{ListQuery, listed},
        problem::Problem,
    },
};

/// Incidents on one page.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "incidents/list.html")]
struct ListPage {
    frame: Frame,
    incidents: Vec<IncidentFigures>,
    older: Option<String>,
}

/// `GET /incidents`.
pub(in super::super) async fn get(
    State(site): State<Site>,
    Tenant(tenant): Tenant,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let incidents = listed(&site.handle, &tenant, &query.at_most(ROWS)).await?;
    let frame = Frame::new(&site.handle, &tenant, Place::Incidents, "Incidents").json("/api/v1/incidents", &[]);
    let now = frame::now(&site.handle);
    let last = incidents.last().filter(|_| incidents.len() == ROWS).map(|last| last.opened_at.to_string());
    Ok(page(&ListPage {
        older: last.map(|before| frame.links.with("/incidents", &[("before", &before)])),
        incidents: incidents.iter().map(|incident| IncidentFigures::of(incident, &frame.links, now)).collect(),
        frame,
    }))
}
