//! Which version of an SLO ran at a moment: what was known then is judged by it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use burnward_core::{
    id::{ServiceName, SloId, TenantId},
    slo::Slo,
    time::Timestamp,
};

use crate::{
    app::Handle,
    definition,
    store::{RunVersion, StoreError, StoredDefinition},
};

/// A version that ran at a moment and runs no more.
#[derive(Debug, Clone)]
pub struct RanThen {
    /// Which.
    pub run: RunVersion,
    /// The SLO as it was then, by its name of today; `None` where its text cannot be read any more.
    pub slo: Option<Arc<Slo>>,
}

/// The version of an SLO that ran at a moment of the past, where it said something else of it than the one that runs now.
pub async fn ran_then(handle: &Handle, slo: &Slo, at: Timestamp) -> Result<Option<RanThen>, StoreError> {
    let (tenant, service) = (&slo.id.tenant, Some(&slo.id.service));
    let ran = handle.store.versions_at(tenant, service, at).await?;
    Ok(others(handle, tenant, ran, &BTreeMap::from([(&slo.id, slo)])).await?.remove(&slo.id))
}

/// The SLOs of a tenant as they were at a moment, where they were otherwise than now.
pub async fn all_then(handle: &Handle, tenant: &TenantId, at: Timestamp) -> Result<BTreeMap<SloId, Arc<Slo>>, StoreError> {
    let view = handle.view.borrow().clone();
    let runs = view.slos.iter().filter(|(id, _)| id.tenant == *tenant).map(|(id, slo)| (id, &**slo)).collect();
    let others = others(handle, tenant, handle.store.versions_at(tenant, None, at).await?, &runs).await?;
    Ok(others.into_iter().filter_map(|(id, then)| Some((id, then.slo?))).collect())
}

/// The SLOs of a tenant that run now and no daemon ran at a moment: what is shown of them was read later.
///
/// # Errors
/// The store cannot be read.
pub async fn not_run(handle: &Handle, tenant: &TenantId, at: Timestamp) -> Result<Vec<SloId>, StoreError> {
    let ran = handle.store.versions_at(tenant, None, at).await?;
    let view = handle.view.borrow().clone();
    Ok(view.slos.keys().filter(|slo| slo.tenant == *tenant && !ran.contains_key(slo)).cloned().collect())
}

/// The labels that SLOs of a tenant, of one service or of all, were split by at a moment, where these were others than now. Before the first version that is
/// known of an SLO it counts as split by that one: what was filled in was filled in for it.
///
/// # Errors
/// The store cannot be read.
pub async fn splits_then(
    handle: &Handle,
    tenant: &TenantId,
    service: Option<&ServiceName>,
    at: Timestamp,
) -> Result<BTreeMap<SloId, Vec<String>>, StoreError> {
    let view = handle.view.borrow().clone();
    let runs: BTreeMap<&SloId, &Slo> = view.slos.iter().filter(|(id, _)| id.tenant == *tenant).map(|(id, slo)| (id, &**slo)).collect();
    let mut ran = handle.store.first_versions(tenant, service).await?;
    ran.extend(handle.store.versions_at(tenant, service, at).await?);
    let then = others(handle, tenant, ran, &runs).await?;
    let split = |(id, then): (SloId, RanThen)| Some((id, then.slo?.per.clone()));
    Ok(then.into_iter().filter_map(split).filter(|(id, per)| !alike(per, &runs[id].per)).collect())
}

/// Whether an SLO is split into the same groups by both.
fn alike(one: &[String], other: &[String]) -> bool {
    let labels = |per: &[String]| per.iter().cloned().collect::<BTreeSet<_>>();
    labels(one) == labels(other)
}

async fn others(
    handle: &Handle,
    tenant: &TenantId,
    ran: BTreeMap<SloId, RunVersion>,
    runs: &BTreeMap<&SloId, &Slo>,
) -> Result<BTreeMap<SloId, RanThen>, StoreError> {
    let other = |(id, run): &(SloId, RunVersion)| {
        runs.get(id).is_some_and(|slo| (&slo.origin.file, &slo.origin.version) != (&run.path, &run.version))
    };
    let mut found = BTreeMap::new();
    let mut read: BTreeMap<(String, String), Vec<Arc<Slo>>> = BTreeMap::new();
    for (id, run) in ran.into_iter().filter(other) {
        let text = (run.path.clone(), run.version.clone());
        if !read.contains_key(&text) {
            read.insert(text.clone(), texts(handle, tenant, &run).await?);
        }
        let slo = read[&text].iter().find(|slo| slo.id == run.called);
        let slo = slo.map(|slo| Slo { id: id.clone(), ..(**slo).clone() });
        // Another version of the file may say the same of this SLO.
        let same =
            |slo: &Slo| runs.get(&id).is_some_and(|now| Slo { origin: now.origin.clone(), was: now.was.clone(), ..slo.clone() } == **now);
        if !slo.as_ref().is_some_and(same) {
            found.insert(id, RanThen { run, slo: slo.map(Arc::new) });
        }
    }
    Ok(found)
}

/// An SLO as a version of its file says it, by its name of today; `None` where the text cannot be read any more.
pub fn slo_of(handle: &Handle, id: &SloId, run: &RunVersion, stored: StoredDefinition) -> Option<Slo> {
    let place = handle.config.tenants.get(&id.tenant)?;
    let slos = definition::load_stored(&id.tenant, place, &[stored]).slos;
    slos.iter().find(|slo| slo.id == run.called).map(|slo| Slo { id: id.clone(), ..(**slo).clone() })
}

/// The SLOs of a text that ran.
async fn texts(handle: &Handle, tenant: &TenantId, run: &RunVersion) -> Result<Vec<Arc<Slo>>, StoreError> {
    let (Some(stored), Some(place)) = (handle.store.definition_version(tenant, run).await?, handle.config.tenants.get(tenant)) else {
        return Ok(Vec::new());
    };
    Ok(definition::load_stored(tenant, place, &[stored]).slos)
}
