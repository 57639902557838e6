//! Tidying: images of the ledger are kept, rounds become segments, fine slices are rolled up, and rows that nobody needs any more go. No sum changes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use burnward_core::{
    id::{SourceName, TenantId},
    ledger::{Compaction, Damaged, Edges, segment},
    time::Timestamp,
};
use tracing::{debug, error};

use crate::{
    app::Handle,
    store::{Store, StoreError},
};

/// An image is kept anew when it is so old: a start reads the rounds behind it.
const IMAGE_AGE: Duration = Duration::from_hours(1);

/// Tidies every tenant's ledger and the store.
pub async fn tick(handle: &Handle, now: Timestamp) {
    for (tenant, config) in &handle.config.tenants {
        if let Err(error) = tidy_ledger(handle, tenant, &config.source, now).await {
            error!(%tenant, %error, "the ledger could not be tidied; it is tried again later");
        }
    }
    loop {
        match handle.store.prune(now).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                error!(%error, "old rows could not be dropped; it is tried again later");
                return;
            }
        }
    }
}

/// Images first, so that a start need not read what is compacted. Rounds are compacted an hour at a time, when their slices are rolled up: until then they
/// are the ledger's finest level as they are. A ledger whose edges are not told, because the daemon is stopping, is left for the next time.
async fn tidy_ledger(handle: &Handle, tenant: &TenantId, source: &SourceName, now: Timestamp) -> Result<(), StoreError> {
    let kept = handle.store.rounds_kept(tenant, source).await?;
    let sizes: Vec<(Timestamp, usize)> = kept.iter().map(|(_, settled, bytes)| (*settled, *bytes)).collect();
    let last = segment::due(&sizes, now).checked_sub(1).map(|last| kept[last].0);
    keep_images(handle, tenant, source, last, now).await?;
    let Some((last, edges)) = last.zip(handle.edges(tenant).await) else { return Ok(()) };
    compact(&handle.store, tenant, source, edges, last, now).await
}

/// Keeps anew the images that are old, or that lack a round which is about to be compacted.
async fn keep_images(
    handle: &Handle,
    tenant: &TenantId,
    source: &SourceName,
    compacted: Option<i64>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kept = handle.store.images_kept(tenant, source).await?;
    let is_fresh = |through: i64, at: Timestamp| now.since(at) < IMAGE_AGE && at <= now && compacted.is_none_or(|last| through >= last);
    let mut fresh: BTreeSet<u32> = kept.into_iter().filter(|(_, through, at)| is_fresh(*through, *at)).map(|(part, ..)| part).collect();
    while let Some(image) = handle.image(tenant, &fresh).await {
        fresh.insert(image.part);
        handle.store.save_image(tenant, source, image, now).await?;
    }
    Ok(())
}

/// Compacts the rounds up to `last` into segments that cross no edge.
pub async fn compact(
    store: &Store,
    tenant: &TenantId,
    source: &SourceName,
    edges: Edges,
    last: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (rounds, edges) = (Arc::new(store.rounds_through(tenant, source, last).await?), Arc::new(edges));
    let stored = store.segment_keys(tenant, source).await?;
    let damaged = |error: Damaged| StoreError::Damaged { what: "round", reason: error.to_string() };
    let mut compaction = Compaction { drop_rounds_through: Some(last), ..Compaction::default() };
    for part in segment::parts(&rounds, &stored, &edges, now).map_err(damaged)? {
        let segments = store.segments(tenant, source, &part.segments).await?;
        let (rounds, edges) = (Arc::clone(&rounds), Arc::clone(&edges));
        let compacting = move || segment::compact_streams(&rounds, &part.streams, &segments, &edges, now);
        let Ok(compacted) = tokio::task::spawn_blocking(compacting).await else { return Err(StoreError::Stopping) };
        compaction = compaction.and(compacted.map_err(damaged)?);
    }
    debug!(%tenant, rounds = rounds.len(), segments = compaction.segments.len(), "compacted the ledger");
    store.compact(tenant, source, &compaction).await
}
