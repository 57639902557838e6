//! Around the decisions: the audit, small facts of the deployment, requests seen before, health, and what is thrown away when it is old.

use std::{path::Path, sync::atomic::Ordering, time::Duration};

use burnward_core::{
    id::TenantId,
    time::{Timestamp, days},
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::Row;

use super::{SqliteStore, row_limit, time};
use crate::store::{AuditEntry, AuditRow, StoreError, StoreHealth};

/// Writes audit rows.
pub(super) const SAVE_AUDIT: &str = "
    INSERT INTO audit (tenant, at, actor, action, subject, detail)
    SELECT ?1, value ->> 'at', value ->> 'actor', value ->> 'action', value ->> 'subject', value ->> 'detail'
    FROM json_each(?2) ORDER BY key";

/// An audit entry for [`SAVE_AUDIT`].
pub(super) fn audit_row(entry: &AuditEntry, at: Timestamp) -> Value {
    let AuditEntry { actor, action, subject, detail } = entry;
    json!({ "at": at.millis(), "actor": actor, "action": action, "subject": subject, "detail": detail })
}

/// Rows that one call of [`SqliteStore::prune`] deletes of each kind, so that it holds the writer for milliseconds.
const PRUNE_AT_ONCE: i64 = 1000;

/// How long posts and edits that ended are kept.
const KEEP_INFORMS: Duration = days(30);

/// How long alert changes are kept, and what came late: as long as the ledger's coarsest slices, 25 months.
const KEEP_AS_THE_LEDGER: Duration = days(762);

/// What a compaction drops of a source that is read, this drops of others: a day later, so that it never comes before.
const KEEP_UNREAD: Duration = days(764);

impl SqliteStore {
    /// The newest rows of a tenant's audit, newest first.
    pub async fn audit(&self, tenant: &TenantId, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let rows = sqlx::query("SELECT at, actor, action, subject, detail FROM audit WHERE tenant = ?1 ORDER BY id DESC LIMIT ?2")
            .bind(tenant.as_str())
            .bind(row_limit(limit))
            .fetch_all(self.readers())
            .await?;
        let entry = |row| -> Result<AuditRow, StoreError> {
            let row: &sqlx::sqlite::SqliteRow = row;
            let entry = AuditEntry {
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                subject: row.try_get("subject")?,
                detail: row.try_get("detail")?,
            };
            Ok(AuditRow { at: time(row, "at")?, entry })
        };
        rows.iter().map(entry).collect()
    }

    /// A fact of the deployment that was kept under `key`, such as the identity that a service gave to a channel's name.
    pub async fn meta_get(&self, key: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT value FROM meta WHERE key = ?1").bind(key).fetch_optional(self.readers()).await?)
    }

    /// Keeps a fact of the deployment.
    pub async fn meta_set(&self, key: &str, value: &str) -> Result<(), StoreError> {
        let statement = sqlx::query("INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .bind(key.to_owned())
            .bind(value.to_owned());
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    /// True the first time that `key` is seen within `keep`: how a request that is delivered twice, or replayed, has its effect once.
    pub async fn seen(&self, key: &str, now: Timestamp, keep: Duration) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "INSERT INTO seen (key, expires_at) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE expires_at <= ?3",
        )
        .bind(key.to_owned())
        .bind(now.plus(keep).millis())
        .bind(now.millis());
        self.write(move |tx| async move { Ok(statement.execute(tx).await?.rows_affected() == 1) }.boxed()).await
    }

    /// How the store is, for `doctor` and the readiness check. Fails where the file cannot be read.
    pub async fn health(&self) -> Result<StoreHealth, StoreError> {
        let file = self.inner.file.clone();
        let pool = self.inner.writer.as_ref().unwrap_or(&self.inner.readers);
        let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(pool).await?;
        let row = sqlx::query(
            "SELECT sqlite_version() AS version, (SELECT max(committed_at) FROM watermarks) AS round,
                    (SELECT at FROM audit ORDER BY id DESC LIMIT 1) AS audited",
        )
        .fetch_one(self.readers())
        .await?;
        let here = Some(self.inner.last_commit.load(Ordering::Relaxed)).filter(|at| *at > i64::MIN);
        let last = [here, row.try_get("round")?, row.try_get("audited")?].into_iter().flatten().max();
        Ok(StoreHealth {
            file_bytes: bytes_of(&file),
            wal_bytes: bytes_of(&file.with_extension("db-wal")),
            file,
            sqlite_version: row.try_get("version")?,
            synchronous: synchronous_word(synchronous),
            last_commit_at: last.map(Timestamp::from_millis),
            full: self.inner.full.load(Ordering::Relaxed),
            ballast: self.inner.ballast.is_there(),
        })
    }

    /// Takes up the space that is given up when the disk is full. A disk without room for it is said, and no reason not to run.
    pub(super) async fn put_ballast(&self) {
        let ballast = self.inner.ballast.clone();
        match tokio::task::spawn_blocking(move || ballast.put()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the store's disk has no room for the ballast of 16 MiB; free some space"),
            Err(stopping) => tracing::debug!(%stopping, "the ballast was not looked at"),
        }
    }

    /// Deletes what is old, a bounded piece per call, and puts a ballast back that was given up; answers how many rows went, so that a caller goes on
    /// while there were some.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        let of_each = [
            (PRUNE_SEEN, now.millis()),
            (PRUNE_INFORMS, now.minus(KEEP_INFORMS).millis()),
            (PRUNE_ALERT_CHANGES, now.minus(KEEP_AS_THE_LEDGER).millis()),
            (PRUNE_LATE, now.minus(KEEP_AS_THE_LEDGER).millis()),
            (PRUNE_SEGMENTS, now.minus(KEEP_UNREAD).millis()),
            (PRUNE_ROUNDS, now.minus(KEEP_UNREAD).millis()),
        ];
        let gone = self
            .write(move |tx| {
                async move {
                    let mut gone = 0;
                    for (statement, before) in of_each {
                        gone += sqlx::query(statement).bind(before).bind(PRUNE_AT_ONCE).execute(&mut *tx).await?.rows_affected();
                    }
                    Ok(gone)
                }
                .boxed()
            })
            .await?;
        self.put_ballast().await;
        Ok(gone)
    }
}

const PRUNE_SEEN: &str = "DELETE FROM seen WHERE key IN (SELECT key FROM seen WHERE expires_at <= ?1 LIMIT ?2)";

/// The posts and edits of incidents that are over; an incident that is open keeps where its root stands.
const PRUNE_INFORMS: &str = "
    DELETE FROM outbox WHERE id IN (
        SELECT o.id FROM outbox o
        WHERE o.is_page = 0 AND o.state IN ('delivered', 'dropped') AND o.ended_at <= ?1
          AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.tenant = o.tenant AND i.id = o.incident AND i.phase <> 'resolved')
        LIMIT ?2)";

/// The oldest have the lowest numbers: nothing is looked at behind them.
const PRUNE_ALERT_CHANGES: &str = "DELETE FROM alert_changes WHERE at <= ?1 AND id IN (SELECT id FROM alert_changes ORDER BY id LIMIT ?2)";

const PRUNE_LATE: &str = "DELETE FROM late WHERE at <= ?1 AND id IN (SELECT id FROM late ORDER BY id LIMIT ?2)";

/// `CROSS JOIN` keeps the order: each source's segments are found by their key.
const PRUNE_SEGMENTS: &str = "
    DELETE FROM segments WHERE rowid IN (
        SELECT s.rowid FROM watermarks w CROSS JOIN segments s ON s.tenant = w.tenant AND s.source = w.source AND s.day <= ?1 LIMIT ?2)";

const PRUNE_ROUNDS: &str = "DELETE FROM rounds WHERE settled <= ?1 AND id IN (SELECT id FROM rounds ORDER BY id LIMIT ?2)";

/// Size of a file; 0 where there is none.
fn bytes_of(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |found| found.len())
}

/// The word for SQLite's number (sqlite.org/pragma.html#pragma_synchronous).
const fn synchronous_word(number: i64) -> &'static str {
    match number {
        0 => "OFF",
        1 => "NORMAL",
        2 => "FULL",
        3 => "EXTRA",
        _ => "unknown",
    }
}
