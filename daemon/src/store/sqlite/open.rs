//! Opening: the lock, the checks that the file is ours, whole where decisions are taken from, and not from a newer version, the migrations, the pools.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64},
    },
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqlSafeStr, SqliteConnection, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio_util::task::TaskTracker;

use super::{
    Inner, SqliteStore,
    ballast::Ballast,
    lock::{Lock, cannot_write},
    primary_code,
};
use crate::store::StoreError;

/// `BURN` in ASCII: marks the file as ours.
const APPLICATION_ID: i32 = 0x4255_524E;

/// Every migration, oldest first: number, name, text. An applied one is never edited.
pub(super) const MIGRATIONS: [(i64, &str, &str); 11] = [
    (1, "start", include_str!("migrations/0001_start.sql")),
    (2, "corrections", include_str!("migrations/0002_corrections.sql")),
    (3, "reports", include_str!("migrations/0003_reports.sql")),
    (4, "held", include_str!("migrations/0004_held.sql")),
    (5, "late", include_str!("migrations/0005_late.sql")),
    (6, "renames", include_str!("migrations/0006_renames.sql")),
    (7, "slo_versions", include_str!("migrations/0007_slo_versions.sql")),
    (8, "images", include_str!("migrations/0008_images.sql")),
    (9, "commit_numbers", include_str!("migrations/0009_commit_numbers.sql")),
    (10, "posts", include_str!("migrations/0010_posts.sql")),
    (11, "shadow", include_str!("migrations/0011_shadow.sql")),
];

/// Readers at the same time.
const READERS: u32 = 4;

/// How long a statement waits for a lock that another process holds, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The WAL file is cut back to this size after a checkpoint, in bytes.
const JOURNAL_SIZE_LIMIT: &str = "67108864";

impl SqliteStore {
    /// Opens the store in `dir` for the daemon: creates what is missing, takes the lock, checks the file, brings its tables up to date, and marks
    /// messages that were in flight when the last daemon stopped as ambiguous.
    pub async fn open(dir: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|error| StoreError::Open { path: dir.display().to_string(), reason: cannot_write(&error) })?;
        let lock = Lock::take(dir)?;
        let file = file_in(dir);
        let found = inspect(&file).await?;
        let writer = writer(&file).await?;
        match readers_of_prepared(&file, found, &writer).await {
            Ok(readers) => {
                let store = Self::new(file, Some(writer), readers, Some(lock));
                store.recover_outbox().await?;
                store.count_on_from_last_number().await?;
                store.put_ballast().await;
                Ok(store)
            }
            Err(error) => {
                writer.close().await;
                Err(error)
            }
        }
    }

    /// Opens the store in `dir` for reading, also while a daemon runs. Takes no lock and changes nothing; writes answer `ReadOnly`.
    pub async fn open_read_only(dir: &Path) -> Result<Self, StoreError> {
        let file = file_in(dir);
        match inspect(&file).await? {
            Found::Nothing => Err(refusal(&file, "there is no store here; give the daemon's directory with --storage.path")),
            Found::Ours { version } if version < latest_version() => {
                Err(refusal(&file, "it was written by an older burnward; `burnward run` with this version brings it up to date"))
            }
            Found::Ours { .. } => Ok(Self::new(file.clone(), None, readers(&file).await?, None)),
        }
    }

    /// Checks the structure of the whole file, which takes seconds where it is large. Commits go on meanwhile.
    ///
    /// # Errors
    /// The file is damaged: nothing is to be decided by it any more.
    pub async fn check(&self) -> Result<(), StoreError> {
        let file = &self.inner.file;
        let faults: Vec<String> =
            sqlx::query_scalar("PRAGMA quick_check(3)").fetch_all(self.readers()).await.map_err(|error| unopenable(file, &error))?;
        if faults == ["ok"] { Ok(()) } else { Err(damaged(file, &faults)) }
    }

    fn new(file: PathBuf, writer: Option<SqlitePool>, readers: SqlitePool, lock: Option<Lock>) -> Self {
        let last_commit = AtomicI64::new(i64::MIN);
        let ballast = Ballast::of(file.parent().unwrap_or(Path::new(".")));
        let (writes, full, lock) = (TaskTracker::new(), AtomicBool::new(false), Mutex::new(lock));
        let last_number = AtomicI64::new(0);
        Self { inner: Arc::new(Inner { file, writer, readers, writes, last_commit, last_number, full, ballast, lock }) }
    }
}

fn file_in(dir: &Path) -> PathBuf {
    dir.join("burnward.db")
}

fn latest_version() -> i64 {
    MIGRATIONS.iter().map(|(version, _, _)| *version).max().unwrap_or(0)
}

/// What stands at the store's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A store, with the number of its last migration.
    Ours {
        /// 0 before the first.
        version: i64,
    },
}

/// Looks at the file without changing it, so that another application's file stays as it is.
async fn inspect(file: &Path) -> Result<Found, StoreError> {
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(refusal(file, &cannot_write(&error))),
        Ok(found) if found.len() == 0 => return Ok(Found::Nothing),
        Ok(_) => {}
    }
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
    let mut connection = options.connect().await.map_err(|error| unopenable(file, &error))?;
    let identity = identity(&mut connection).await.map_err(|error| unopenable(file, &error));
    // The outcome of closing a connection that only read does not matter.
    let _ = connection.close().await;
    match identity? {
        (0, 0, _) => Ok(Found::Nothing),
        (APPLICATION_ID, _, version) if version <= latest_version() => Ok(Found::Ours { version }),
        (APPLICATION_ID, _, version) => Err(refusal(
            file,
            &format!(
                "it was written by a newer burnward (tables of version {version}, this one knows {}); run that version, or restore a backup \
                 from before the upgrade",
                latest_version()
            ),
        )),
        (other, _, _) => Err(refusal(
            file,
            &format!("it is the database of another application (id {other:#x}); give burnward a directory of its own with --storage.path"),
        )),
    }
}

/// Application id, number of tables, and number of the last migration.
async fn identity(connection: &mut SqliteConnection) -> Result<(i32, i64, i64), sqlx::Error> {
    let application: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *connection).await?;
    let migrated: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'")
        .fetch_one(&mut *connection)
        .await?;
    let version: i64 = match migrated {
        0 => 0,
        _ => sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").fetch_one(&mut *connection).await?,
    };
    Ok((application, tables, version))
}

async fn writer(file: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("journal_size_limit", JOURNAL_SIZE_LIMIT);
    let pool = SqlitePoolOptions::new().min_connections(1).max_connections(1).idle_timeout(None).max_lifetime(None);
    pool.connect_with(options).await.map_err(|error| unopenable(file, &error))
}

async fn readers(file: &Path) -> Result<SqlitePool, StoreError> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true).busy_timeout(BUSY_TIMEOUT);
    SqlitePoolOptions::new().max_connections(READERS).connect_with(options).await.map_err(|error| unopenable(file, &error))
}

async fn readers_of_prepared(file: &Path, found: Found, writer: &SqlitePool) -> Result<SqlitePool, StoreError> {
    prepare(file, found, writer).await?;
    readers(file).await
}

/// What decisions are taken from is checked before anything is decided; the slices, which are nearly all of the file, are checked behind the first
/// evaluation (`SqliteStore::check`).
const CHECKED_AT_ONCE: &str = "
    SELECT quick_check FROM sqlite_schema AS t CROSS JOIN pragma_quick_check(t.name)
    WHERE t.type = 'table' AND t.name NOT IN ('segments', 'images', 'rounds') AND t.name NOT LIKE 'sqlite|_%' ESCAPE '|'
      AND quick_check <> 'ok'
    LIMIT 3";

/// Checks the structure of what is decided by, marks a new file as ours, and applies what migrations are missing.
async fn prepare(file: &Path, found: Found, writer: &SqlitePool) -> Result<(), StoreError> {
    let faults: Vec<String> = sqlx::query_scalar(CHECKED_AT_ONCE).fetch_all(writer).await.map_err(|error| unopenable(file, &error))?;
    if !faults.is_empty() {
        return Err(damaged(file, &faults));
    }
    if found == Found::Nothing {
        // 0x4255524E, which a test compares: a PRAGMA takes no parameter.
        sqlx::query("PRAGMA application_id = 1112887886").execute(writer).await.map_err(|error| unopenable(file, &error))?;
    }
    migrator().run(writer).await.map_err(|error| refusal(file, &format!("its tables cannot be brought up to date: {error}")))
}

fn migrator() -> Migrator {
    migrator_of(&MIGRATIONS)
}

pub(super) fn migrator_of(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, text): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.iter().copied().map(migration).collect())
}

const DAMAGED: &str =
    "the file is damaged; stop burnward, move the file and its -wal and -shm neighbours aside, and restore the last backup";

fn damaged(file: &Path, faults: &[String]) -> StoreError {
    refusal(file, &format!("{DAMAGED} ({})", faults.join("; ")))
}

fn refusal(file: &Path, reason: &str) -> StoreError {
    StoreError::Open { path: file.display().to_string(), reason: reason.to_owned() }
}

/// Why SQLite cannot open the file, with what to do. The numbers are SQLite's primary result codes (sqlite.org/rescode.html).
fn unopenable(file: &Path, error: &sqlx::Error) -> StoreError {
    let advice = match primary_code(error) {
        Some(5 | 6) => "another process holds it locked; end that process, or wait until its backup is done",
        Some(8) => "it cannot be written; check the permissions of file and directory and whether the file system is mounted read-only",
        Some(10) => "the disk answers with errors; look at the kernel's log",
        Some(11) => DAMAGED,
        Some(13) => "the disk is full; free some space",
        Some(14) => "it cannot be opened; check the permissions of file and directory",
        Some(26) => "it is not a database, or its head is damaged; move it aside and restore the last backup",
        Some(_) | None => "SQLite refuses it",
    };
    refusal(file, &format!("{advice} ({error})"))
}
