//! The store in SQLite: one file, one writer, a few readers. WAL with `synchronous=FULL`, so that what was answered survives a power cut;
//! every write begins with `BEGIN IMMEDIATE`, because a deferred transaction that turns into a writer fails at once when another wrote
//! meanwhile, whatever the busy timeout. The writer is a pool of one, which is also the queue of the writes.
//!
//! Every write runs in a task of its own: a caller that stops waiting cancels its wait, never an open transaction. Rows that can be many go
//! in as one JSON parameter through `json_each`, one fixed statement each.

mod alerts;
mod ballast;
mod commit;
mod corrections;
mod definitions;
mod incidents;
mod ledger;
mod lock;
mod open;
mod outbox;
mod posts;
mod renames;
mod reports;
mod shadow;
#[cfg(test)]
mod tests;
mod upkeep;
mod versions;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use burnward_core::time::Timestamp;
use futures_util::future::BoxFuture;
use sqlx::{Row, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use tokio_util::task::TaskTracker;

use self::{ballast::Ballast, lock::Lock};
use super::StoreError;

/// The store in one SQLite file. Clones share it.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: PathBuf,
    /// `None` where it was opened for reading only.
    writer: Option<SqlitePool>,
    readers: SqlitePool,
    writes: TaskTracker,
    /// The newest commit of this process, in milliseconds; `i64::MIN` before the first.
    last_commit: AtomicI64,
    /// The last number that a commit was given.
    last_number: AtomicI64,
    /// The last write found the disk full.
    full: AtomicBool,
    ballast: Ballast,
    lock: Mutex<Option<Lock>>,
}

/// A write's future, as [`SqliteStore::write`] takes it.
type Writing<'c, T> = BoxFuture<'c, Result<T, StoreError>>;

impl SqliteStore {
    /// Waits for the writes that run, closes the file and gives the lock back. The store answers nothing after that.
    pub async fn close(&self) {
        self.inner.writes.close();
        self.inner.writes.wait().await;
        self.inner.readers.close().await;
        if let Some(writer) = &self.inner.writer {
            writer.close().await;
        }
        self.inner.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Runs `work` in one transaction, to its end even where the caller stops waiting: all of it is committed, or nothing. Where the disk is full the
    /// ballast is given up, so that the next try finds room.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Writing<'c, T> + Send + 'static,
    {
        let writer = self.inner.writer.clone().ok_or(StoreError::ReadOnly)?;
        let transaction = async move {
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            let outcome = work(&mut tx).await?;
            tx.commit().await?;
            Ok(outcome)
        };
        let inner = Arc::clone(&self.inner);
        let noted = async move { transaction.await.inspect(|_| inner.has_room()).inspect_err(|error| inner.note(error)) };
        match self.inner.writes.spawn(noted).await {
            Ok(outcome) => outcome,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(StoreError::Stopping),
        }
    }

    fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }

    fn committed(&self, at: Timestamp) {
        self.inner.last_commit.fetch_max(at.millis(), Ordering::Relaxed);
    }
}

impl Inner {
    fn has_room(&self) {
        self.full.store(false, Ordering::Relaxed);
    }

    fn note(&self, error: &StoreError) {
        if matches!(error, StoreError::Full) {
            self.full.store(true, Ordering::Relaxed);
            self.ballast.give_up();
        }
    }
}

/// A time column.
fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    row.try_get(column).map(Timestamp::from_millis)
}

/// A time column that may be empty.
fn maybe_time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(column).map(|at| at.map(Timestamp::from_millis))
}

/// As many rows as a caller asked for, as SQLite counts them.
fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// SQLite's primary result code of an error, where it has one.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
