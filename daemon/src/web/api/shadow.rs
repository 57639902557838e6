//! `/api/v1/shadow`: what SLOs in shadow would have told, and how that compares with what happened.

use std::time::Duration;

use axum::{
    Json,
    extract::{Query, State},
};
use burnward_core::{
    id::{SloId, TenantId},
    time::{Timestamp, days, minutes},
    window::Interval,
};
use serde::Deserialize;

use super::{
    explain::find,
    problem::Problem,
    wire::{ShadowList, ShadowSlo, instant},
};
use crate::{
    app::Handle,
    definition::duration,
    shadow::{Asked, records},
    web::{Site, access::Tenant},
};

/// The span that is told of without being asked.
const USUAL: Duration = days(30);

/// How late a page may be without being asked.
const LATE_AFTER: Duration = minutes(10);

/// Parameters of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ShadowQuery {
    /// `service/name`; without it every SLO that is in shadow, or would have told something.
    slo: Option<String>,
    /// So long, up to now; without it 30 days.
    last: Option<String>,
    /// A page later than this after an incident's beginning is late; without it 10 minutes.
    late_after: Option<String>,
}

/// `GET /api/v1/shadow`.
pub async fn get(State(site): State<Site>, tenant: Tenant, Query(query): Query<ShadowQuery>) -> Result<Json<ShadowList>, Problem> {
    let span = |name: &str, text: Option<&str>, usual: Duration| {
        let parsed = text.map_or(Ok(usual), duration::parse);
        parsed.map_err(|error| Problem::bad_request(&format!("`{name}` is a duration such as {}: {error}", duration::format(usual))))
    };
    let (last, late_after) = (span("last", query.last.as_deref(), USUAL)?, span("late-after", query.late_after.as_deref(), LATE_AFTER)?);
    let slo = match query.slo.as_deref() {
        None => None,
        Some(text) => {
            let (service, name) = text.split_once('/').ok_or_else(|| Problem::bad_request("`slo` is an SLO as service/name"))?;
            Some(find(&site.handle, &tenant.0, service, name)?.id.clone())
        }
    };
    let now = site.handle.clock.now();
    let asked = Asked { over: Interval::ending(now, last), late_after };
    list(&site.handle, &tenant.0, slo.as_ref(), asked, now).await.map(Json)
}

/// What one SLO would have told of late.
pub async fn of_late(handle: &Handle, slo: &SloId, now: Timestamp) -> Result<Option<ShadowSlo>, Problem> {
    let asked = Asked { over: Interval::ending(now, USUAL), late_after: LATE_AFTER };
    Ok(list(handle, &slo.tenant, Some(slo), asked, now).await?.slos.into_iter().next())
}

async fn list(handle: &Handle, tenant: &TenantId, slo: Option<&SloId>, asked: Asked, now: Timestamp) -> Result<ShadowList, Problem> {
    let records = records(handle, tenant, slo, asked).await?;
    Ok(ShadowList {
        schema: "burnward/v1/shadow".to_owned(),
        tenant: tenant.to_string(),
        from: instant(asked.over.from),
        to: instant(asked.over.to),
        late_after_seconds: asked.late_after.as_secs_f64(),
        slos: records.iter().map(|record| ShadowSlo::of(record, now)).collect(),
    })
}
