//! Tidying: rounds become segments, fine slices are rolled up, and rows that nobody needs any more go. No sum changes.

use std::sync::Arc;

use burnward_core::{
    id::{SourceName, TenantId},
    ledger::{Compaction, Damaged, segment},
    time::Timestamp,
};
use tracing::{debug, error};

use crate::{app::Handle, store::StoreError};

/// Tidies every tenant's ledger and the store.
pub async fn tick(handle: &Handle, now: Timestamp) {
    for (tenant, config) in &handle.config.tenants {
        if let Err(error) = compact(handle, tenant, &config.source, now).await {
            error!(%tenant, %error, "the ledger could not be compacted; it is tried again later");
        }
    }
    if let Err(error) = handle.store.prune(now).await {
        error!(%error, "old rows could not be dropped; it is tried again later");
    }
}

/// Rounds are compacted an hour at a time, when their slices are rolled up: until then they are the ledger's finest level as they are. A ledger whose edges
/// are not told, because the daemon is stopping, is left for the next time: a roll-up must not cross them.
async fn compact(handle: &Handle, tenant: &TenantId, source: &SourceName, now: Timestamp) -> Result<(), StoreError> {
    let kept = handle.store.rounds_kept(tenant, source).await?;
    let sizes: Vec<(Timestamp, usize)> = kept.iter().map(|(_, settled, bytes)| (*settled, *bytes)).collect();
    let Some((last, _, _)) = segment::due(&sizes, now).checked_sub(1).map(|last| kept[last]) else { return Ok(()) };
    let Some(edges) = handle.edges(tenant).await else { return Ok(()) };
    let (rounds, edges) = (Arc::new(handle.store.rounds_through(tenant, source, last).await?), Arc::new(edges));
    let stored = handle.store.segment_keys(tenant, source).await?;
    let damaged = |error: Damaged| StoreError::Damaged { what: "round", reason: error.to_string() };
    let mut compaction = Compaction { drop_rounds_through: Some(last), ..Compaction::default() };
    for part in segment::parts(&rounds, &stored, &edges, now).map_err(damaged)? {
        let segments = handle.store.segments(tenant, source, &part.segments).await?;
        let (rounds, edges) = (Arc::clone(&rounds), Arc::clone(&edges));
        let compacting = move || segment::compact_streams(&rounds, &part.streams, &segments, &edges, now);
        let Ok(compacted) = tokio::task::spawn_blocking(compacting).await else { return Err(StoreError::Stopping) };
        compaction = compaction.and(compacted.map_err(damaged)?);
    }
    debug!(%tenant, rounds = rounds.len(), segments = compaction.segments.len(), "compacted the ledger");
    handle.store.compact(tenant, source, &compaction).await
}
