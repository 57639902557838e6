//! What SLOs in shadow would have told, from the record of the store, beside what really happened to their services meanwhile.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use burnward_core::{
    exclusion::Correction,
    id::{IncidentId, SloId, TenantId},
    incident::{AlertKey, Incident, Kind},
    slo::{Slo, Urgency},
    status::Status,
    window::Interval,
};

use crate::{
    app::Handle,
    definition::marked::Marked,
    replay::{Alarm, Alarms, Score, mark},
    store::StoreError,
    then::slo_of,
};

/// Versions of an SLO that are looked at, the newest ones.
const VERSIONS: usize = 50;

/// What one SLO would have told over a span.
#[derive(Debug, Clone)]
pub struct ShadowRecord {
    /// The SLO as it runs now.
    pub slo: Arc<Slo>,
    /// When it was in shadow, oldest first.
    pub in_shadow: Vec<Interval>,
    /// What it would have told, oldest first.
    pub alarms: Vec<Alarm>,
    /// Incidents of its service in that time that others than itself told of, and that nobody called false positives.
    pub incidents: Vec<Marked>,
    /// What its pages are worth beside them.
    pub score: Score,
}

/// What is asked of the record.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Over which span.
    pub over: Interval,
    /// A page later than this after an incident's beginning is late.
    pub late_after: Duration,
}

/// The records of a tenant's SLOs that are in shadow, or would have told something in the span; or of one SLO whatever it is.
///
/// # Errors
/// The store cannot be read.
pub async fn records(handle: &Handle, tenant: &TenantId, one: Option<&SloId>, asked: Asked) -> Result<Vec<ShadowRecord>, StoreError> {
    let Asked { over, late_after } = asked;
    let view = handle.view.borrow().clone();
    let mut alarms = Alarms::new();
    alarms.take(&handle.store.shadow_events(tenant, over.from).await?);
    let in_span = |alarm: &&Alarm| alarm.at < over.to && alarm.cleared.is_none_or(|cleared| cleared > over.from);
    let alarms: Vec<&Alarm> = alarms.all().iter().filter(in_span).collect();
    let told = |id: &SloId| alarms.iter().any(|alarm| alarm.alert.slo() == Some(id));
    let wanted = |slo: &Slo| match one {
        Some(id) => slo.id == *id,
        None => slo.id.tenant == *tenant && (slo.status == Status::Shadow || told(&slo.id)),
    };
    let incidents = real_incidents(handle, tenant, over).await?;
    let mut records = Vec::new();
    for slo in view.slos.values().filter(|slo| wanted(slo)) {
        let in_shadow = in_shadow(handle, slo, over).await?;
        let alarms: Vec<Alarm> = alarms.iter().filter(|alarm| alarm.alert.slo() == Some(&slo.id)).map(|alarm| (*alarm).clone()).collect();
        let meanwhile = |marked: &Marked| in_shadow.iter().any(|span| span.from <= marked.when.from && marked.when.from < span.to);
        let of_service = incidents.iter().filter(|incident| is_of_others(incident, &slo.id)).filter_map(mark);
        let incidents: Vec<Marked> =
            of_service.filter(|marked| marked.service.as_ref() == Some(&slo.id.service) && meanwhile(marked)).collect();
        let score = Score::of(&alarms, &incidents, late_after);
        records.push(ShadowRecord { slo: Arc::clone(slo), in_shadow, alarms, incidents, score });
    }
    Ok(records)
}

/// Whether another SLO told of an incident: one that a promoted SLO opened itself proves nothing about it.
fn is_of_others(incident: &Incident, slo: &SloId) -> bool {
    incident.members.keys().filter_map(AlertKey::slo).any(|of| of != slo)
}

/// The incidents that woke somebody for a burning budget, without those that people called false positives.
async fn real_incidents(handle: &Handle, tenant: &TenantId, over: Interval) -> Result<Vec<Incident>, StoreError> {
    let of_incident = |correction: Correction| match correction {
        Correction::Excluded(entry) => entry.incident,
        Correction::Withdrawn { .. } => None,
    };
    let corrections = handle.store.corrections(tenant).await?;
    let false_positives: BTreeSet<IncidentId> = corrections.into_iter().filter_map(|recorded| of_incident(recorded.what)).collect();
    let stored = handle.store.incidents_between(tenant, over.from, over.to).await?;
    let counts = |incident: &Incident| {
        let woke = incident.fault.kind == Kind::Burn && incident.fault.urgency == Urgency::Page;
        woke && !false_positives.contains(&incident.id)
    };
    Ok(stored.into_iter().map(|stored| stored.incident).filter(counts).collect())
}

/// When an SLO was in shadow within a span, by the texts of the versions that ran.
async fn in_shadow(handle: &Handle, slo: &Slo, over: Interval) -> Result<Vec<Interval>, StoreError> {
    let versions = handle.store.versions_of(&slo.id, over.to).await?;
    let mut spans: Vec<Interval> = Vec::new();
    let mut to = over.to;
    for run in versions.iter().take(VERSIONS) {
        let stored = handle.store.definition_version(&slo.id.tenant, run).await?;
        let then = stored.and_then(|stored| slo_of(handle, &slo.id, run, stored));
        let was = then.is_some_and(|then| then.status == Status::Shadow);
        let span = Interval { from: run.since.max(over.from), to };
        match spans.last_mut() {
            _ if !was || span.from >= span.to => {}
            Some(newer) if newer.from == span.to => newer.from = span.from,
            Some(_) | None => spans.push(span),
        }
        to = run.since.min(to);
        if to <= over.from {
            break;
        }
    }
    spans.reverse();
    Ok(spans)
}
