//! The counted slices: rounds as they were committed, and the segments that they are compacted into.

use burnward_core::{
    id::{SourceName, TenantId},
    time::Timestamp,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, time};
use crate::store::{ExpiredSegments, StoreError, StoredLedger, StoredSegment};

/// Segments whose bytes go into one statement together, in bytes.
const STATEMENT_BYTES: usize = 8 << 20;

impl SqliteStore {
    /// What the ledger of a source is rebuilt from.
    pub async fn ledger(&self, tenant: &TenantId, source: &SourceName) -> Result<StoredLedger, StoreError> {
        // One transaction, so that a compaction between two statements neither hides nor doubles a slice.
        let mut tx = self.readers().begin().await?;
        let settled: Option<i64> = sqlx::query_scalar("SELECT settled FROM watermarks WHERE tenant = ?1 AND source = ?2")
            .bind(tenant.as_str())
            .bind(source.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let state = sqlx::query_scalar("SELECT blob FROM ledger_states WHERE tenant = ?1 AND source = ?2")
            .bind(tenant.as_str())
            .bind(source.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        let segments = sqlx::query(
            "SELECT stream, level_seconds, day, blob FROM segments WHERE tenant = ?1 AND source = ?2
             ORDER BY day, level_seconds, stream",
        )
        .bind(tenant.as_str())
        .bind(source.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let rounds = sqlx::query_as("SELECT id, blob FROM rounds WHERE tenant = ?1 AND source = ?2 ORDER BY id")
            .bind(tenant.as_str())
            .bind(source.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let segments = segments.iter().map(segment).collect::<Result<_, _>>()?;
        Ok(StoredLedger { settled: settled.map(Timestamp::from_millis), state, segments, rounds })
    }

    /// Replaces rounds by segments, in one transaction: writes `segments` (one of the same stream, level and day is replaced), deletes the rounds up to
    /// and with the id `drop_rounds_through`, and the segments that have `expired`.
    pub async fn compact(
        &self,
        tenant: &TenantId,
        source: &SourceName,
        segments: &[StoredSegment],
        drop_rounds_through: i64,
        expired: &[ExpiredSegments],
    ) -> Result<(), StoreError> {
        let (tenant, source) = (tenant.to_string(), source.to_string());
        let packed = packed(segments);
        let expired = expired.iter().map(|e| json!({ "level": e.level_seconds, "before": e.before.millis() })).collect();
        let expired = Value::Array(expired).to_string();
        self.write(move |tx| {
            async move {
                for (index, bytes) in &packed {
                    save_segments(tx, &tenant, &source, index, bytes).await?;
                }
                sqlx::query("DELETE FROM rounds WHERE tenant = ?1 AND source = ?2 AND id <= ?3")
                    .bind(&tenant)
                    .bind(&source)
                    .bind(drop_rounds_through)
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(
                    "DELETE FROM segments WHERE tenant = ?1 AND source = ?2 AND EXISTS (
                         SELECT 1 FROM json_each(?3) WHERE value ->> 'level' = level_seconds AND day < value ->> 'before')",
                )
                .bind(&tenant)
                .bind(&source)
                .bind(&expired)
                .execute(&mut *tx)
                .await?;
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

fn segment(row: &SqliteRow) -> Result<StoredSegment, sqlx::Error> {
    Ok(StoredSegment {
        stream: row.try_get("stream")?,
        level_seconds: row.try_get("level_seconds")?,
        day: time(row, "day")?,
        blob: row.try_get("blob")?,
    })
}

/// Segments as few statements take them: an index for `json_each`, and the bytes that it points into, from 1 as `substr` counts.
fn packed(segments: &[StoredSegment]) -> Vec<(String, Vec<u8>)> {
    let (mut statements, mut index, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        index.push(json!({
            "stream": segment.stream,
            "level": segment.level_seconds,
            "day": segment.day.millis(),
            "start": bytes.len() + 1,
            "length": segment.blob.len(),
        }));
        bytes.extend_from_slice(&segment.blob);
        if bytes.len() >= STATEMENT_BYTES {
            statements.push((Value::Array(std::mem::take(&mut index)).to_string(), std::mem::take(&mut bytes)));
        }
    }
    if !index.is_empty() {
        statements.push((Value::Array(index).to_string(), bytes));
    }
    statements
}

async fn save_segments(tx: &mut SqliteConnection, tenant: &str, source: &str, index: &str, bytes: &[u8]) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO segments (tenant, source, day, level_seconds, stream, blob)
         SELECT ?1, ?2, value ->> 'day', value ->> 'level', value ->> 'stream', substr(?4, value ->> 'start', value ->> 'length')
         FROM json_each(?3) WHERE true
         ON CONFLICT (tenant, source, day, level_seconds, stream) DO UPDATE SET blob = excluded.blob",
    )
    .bind(tenant)
    .bind(source)
    .bind(index)
    .bind(bytes)
    .execute(tx)
    .await?;
    Ok(())
}
