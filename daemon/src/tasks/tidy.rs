//! Tidying: rounds become segments, fine slices are rolled up, and rows that nobody needs any more go. No sum changes.

use burnward_core::{ledger::segment, time::Timestamp};
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

/// A ledger whose edges are not told, because the daemon is stopping, is left for the next time: a roll-up must not cross them.
async fn compact(
    handle: &Handle,
    tenant: &burnward_core::id::TenantId,
    source: &burnward_core::id::SourceName,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(edges) = handle.edges(tenant).await else { return Ok(()) };
    let stored = handle.store.ledger(tenant, source).await?;
    let compaction = segment::compact(&stored.rounds, &stored.segments, &edges, now)
        .map_err(|error| StoreError::Damaged { what: "round", reason: error.to_string() })?;
    debug!(%tenant, rounds = stored.rounds.len(), segments = compaction.segments.len(), "compacted the ledger");
    handle.store.compact(tenant, source, &compaction).await
}
