//! `/runbooks/{file}`: a runbook of the tenant.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use burnward_core::{id::TenantId, words};

use super::{
    frame::{Frame, Links, Place},
    markdown::Rendered,
    page,
};
use crate::{
    app::Handle,
    definition::runbook::{self, Runbook},
    render::visible,
    web::{Site, access::Tenant, api::problem::Problem},
};

#[derive(Template)]
#[template(path = "runbook.html")]
struct RunbookPage {
    frame: Frame,
    /// Shown where the document has no heading of its own.
    title: Option<String>,
    owner: Option<String>,
    verified: Option<String>,
    document: Rendered,
    /// The SLOs that name it: name and address.
    slos: Vec<(String, String)>,
}

/// `GET /runbooks/{file}`.
pub(super) async fn get(State(site): State<Site>, Tenant(tenant): Tenant, Path(file): Path<String>) -> Result<Response, Problem> {
    let runbook = read(&site.handle, &tenant, &file)?;
    let title = if runbook.title.is_empty() { file.clone() } else { visible(&runbook.title) };
    let frame = Frame::new(&site.handle, &tenant, Place::Elsewhere, &title);
    Ok(page(&RunbookPage {
        title: runbook.title.is_empty().then_some(title),
        owner: runbook.owner,
        verified: runbook.verified,
        document: Rendered::document(&runbook.markdown, &frame.links),
        slos: used_by(&site.handle, &tenant, &file, &frame.links),
        frame,
    }))
}

fn read(handle: &Handle, tenant: &TenantId, file: &str) -> Result<Runbook, Problem> {
    let missing = || Problem::not_found(&format!("this tenant has no runbook {}", words::cut(&visible(file), 100)));
    if !runbook::is_file_name(file) {
        return Err(missing());
    }
    let directory = handle.config.tenants.get(tenant).and_then(|tenant| tenant.runbooks.as_deref()).ok_or_else(missing)?;
    runbook::read(directory, file).map_err(|error| {
        tracing::warn!(%tenant, file, %error, "a runbook that was asked for cannot be read");
        missing()
    })
}

fn used_by(handle: &Handle, tenant: &TenantId, file: &str, links: &Links) -> Vec<(String, String)> {
    let view = handle.view.borrow();
    let own = view.slos.values().filter(|slo| slo.id.tenant == *tenant && slo.runbook.as_deref() == Some(file));
    own.map(|slo| {
        let name = format!("{}/{}", slo.id.service, slo.id.name);
        let href = links.to(&format!("/slos/{name}"));
        (name, href)
    })
    .collect()
}
