//! `/incidents/{id}/postmortem`: the draft to read, and its Markdown to go on with.

use askama::Template;
use axum::{
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};

use super::super::{
    frame::{Frame, Place},
    markdown::Rendered,
    page,
};
use crate::web::{
    Site,
    access::Tenant,
    api::{incidents::draft, problem::Problem},
};

#[derive(Template)]
#[template(path = "incidents/postmortem.html")]
struct PostmortemPage {
    frame: Frame,
    incident: String,
    id: String,
    download: String,
    document: Rendered,
}

/// `GET /incidents/{id}/postmortem`.
pub(in super::super) async fn get(State(site): State<Site>, Tenant(tenant): Tenant, Path(id): Path<String>) -> Result<Response, Problem> {
    let (draft, markdown) = draft(&site, &tenant, &id).await?;
    let id = draft.incident.to_string();
    let frame = Frame::new(&site.handle, &tenant, Place::Incidents, &format!("Postmortem draft of {id}"));
    let frame = frame.json(&format!("/api/v1/incidents/{id}/postmortem"), &[]);
    Ok(page(&PostmortemPage {
        incident: frame.links.to(&format!("/incidents/{id}")),
        download: frame.links.to(&format!("/incidents/{id}/postmortem.md")),
        document: Rendered::document(&markdown, &frame.links),
        id,
        frame,
    }))
}

/// `GET /incidents/{id}/postmortem.md`.
pub(in super::super) async fn download(
    State(site): State<Site>,
    Tenant(tenant): Tenant,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (draft, markdown) = draft(&site, &tenant, &id).await?;
    let name = format!("attachment; filename=\"postmortem-{}.md\"", draft.incident);
    let headers = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, markdown).into_response())
}
