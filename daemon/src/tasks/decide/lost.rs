//! That a source has lost samples which were counted: told for a week, and kept in the store, so that a restart tells it too.

use std::{sync::Arc, time::Duration};

use burnward_core::{
    id::{ServiceName, SloId, SloName, SourceName, TenantId},
    time::{Timestamp, days},
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::{
    store::{Store, StoreError},
    view::LostSamples,
};

/// For how long it is told.
const TOLD: Duration = days(7);

/// As it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    noticed_at: i64,
    /// Service and name.
    slos: Vec<(String, String)>,
}

fn key(tenant: &TenantId, source: &SourceName) -> String {
    format!("lost-samples/{tenant}/{source}")
}

/// Notes what was lost. Where the store does not take it, it is told until the next start.
pub(super) async fn note(store: &Store, tenant: &TenantId, source: &SourceName, slos: &[Arc<SloId>], now: Timestamp) -> LostSamples {
    let lost = LostSamples { noticed_at: now, slos: slos.iter().map(|slo| SloId::clone(slo)).collect() };
    let names = lost.slos.iter().map(|slo| (slo.service.to_string(), slo.name.to_string())).collect();
    let kept = serde_json::to_string(&Kept { noticed_at: now.millis(), slos: names }).expect("numbers and text are JSON");
    if let Err(error) = store.meta_set(&key(tenant, source), &kept).await {
        warn!(%tenant, %source, %error, "that the source has lost samples is told until the next start only");
    }
    lost
}

/// What was noted of a source.
pub(super) async fn noted(store: &Store, tenant: &TenantId, source: &SourceName) -> Result<Option<LostSamples>, StoreError> {
    let kept = store.meta_get(&key(tenant, source)).await?;
    Ok(kept.and_then(|text| serde_json::from_str::<Kept>(&text).ok()).map(|kept| of(tenant, &kept)))
}

fn of(tenant: &TenantId, kept: &Kept) -> LostSamples {
    let slo = |(service, name): &(String, String)| {
        Some(SloId { tenant: tenant.clone(), service: ServiceName::parse(service).ok()?, name: SloName::parse(name).ok()? })
    };
    LostSamples { noticed_at: Timestamp::from_millis(kept.noticed_at), slos: kept.slos.iter().filter_map(slo).collect() }
}

/// What is still told.
pub(super) fn recent(lost: Option<LostSamples>, now: Timestamp) -> Option<LostSamples> {
    lost.filter(|lost| now.since(lost.noticed_at) <= TOLD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_lost_is_told_for_a_week_through_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (tenant, source) = (TenantId::parse("main").unwrap(), SourceName::parse("prom").unwrap());
        let slo = Arc::new(SloId {
            tenant: tenant.clone(),
            service: ServiceName::parse("checkout").unwrap(),
            name: SloName::parse("availability").unwrap(),
        });
        let at = Timestamp::from_seconds(1_700_000_000);
        let store = Store::open(dir.path()).await.unwrap();
        assert_eq!(noted(&store, &tenant, &source).await.unwrap(), None);
        let lost = note(&store, &tenant, &source, &[slo], at).await;
        store.close().await;
        let store = Store::open(dir.path()).await.unwrap();
        let again = noted(&store, &tenant, &source).await.unwrap();
        assert_eq!(again, Some(lost));
        assert!(recent(again.clone(), at.plus(days(7))).is_some() && recent(again, at.plus(days(8))).is_none());
        store.close().await;
    }
}
