//! The counted slices: rounds as they were committed, and the segments that they are compacted into.

use burnward_core::{
    id::{SourceName, TenantId},
    ledger::{Compaction, Damaged, Image, Late, Segment, SegmentKey, Stored},
    time::{Timestamp, days},
    window::Interval,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, time};
use crate::store::StoreError;

/// Segments whose bytes go into one statement together, in bytes.
const STATEMENT_BYTES: usize = 8 << 20;

type OptionalBlob = Option<Vec<u8>>;

impl SqliteStore {
    /// All that is stored of the ledger of a source, of which it can be rebuilt.
    pub async fn ledger(&self, tenant: &TenantId, source: &SourceName) -> Result<Stored, StoreError> {
        // One transaction, so that a compaction between two statements neither hides nor doubles a slice.
        let mut tx = self.readers().begin().await?;
        let basis = basis(&mut tx, tenant, source).await?;
        let segments = sqlx::query(
            "SELECT stream, level_seconds, day, blob FROM segments WHERE tenant = ?1 AND source = ?2
             ORDER BY day, level_seconds, stream",
        )
        .bind(tenant.as_str())
        .bind(source.as_str())
        .fetch_all(&mut *tx)
        .await?;
        let rounds = rounds(&mut tx, tenant, source, FIRST).await?;
        let segments = segments.iter().map(segment).collect::<Result<_, _>>()?;
        Ok(Stored { segments, rounds, ..basis })
    }

    /// The images of the ledger of a source, and the rounds that the oldest of them does not hold: a fraction of what is stored.
    pub async fn ledger_images(&self, tenant: &TenantId, source: &SourceName) -> Result<Stored, StoreError> {
        let mut tx = self.readers().begin().await?;
        let basis = basis(&mut tx, tenant, source).await?;
        let images = sqlx::query("SELECT part, through, blob FROM images WHERE tenant = ?1 AND source = ?2 ORDER BY part")
            .bind(tenant.as_str())
            .bind(source.as_str())
            .fetch_all(&mut *tx)
            .await?;
        let images: Vec<Image> = images.iter().map(image).collect::<Result<_, _>>()?;
        let rounds = match images.iter().map(|image| image.through).min() {
            Some(oldest) => rounds(&mut tx, tenant, source, oldest).await?,
            None => Vec::new(),
        };
        Ok(Stored { images, rounds, ..basis })
    }

    /// The segments of some streams and days, and all rounds.
    pub async fn ledger_days(&self, tenant: &TenantId, source: &SourceName, days: &[(u32, Timestamp)]) -> Result<Stored, StoreError> {
        let asked = days.iter().map(|(stream, day)| json!({ "stream": stream, "day": day.millis() })).collect();
        let mut tx = self.readers().begin().await?;
        let segments = sqlx::query(SEGMENTS_OF_DAYS)
            .bind(tenant.as_str())
            .bind(source.as_str())
            .bind(Value::Array(asked).to_string())
            .fetch_all(&mut *tx)
            .await?;
        let rounds = rounds(&mut tx, tenant, source, FIRST).await?;
        let segments = segments.iter().map(segment).collect::<Result<_, _>>()?;
        Ok(Stored { segments, rounds, ..Stored::default() })
    }

    /// Keeps an image in place of the last one of its part.
    pub async fn save_image(&self, tenant: &TenantId, source: &SourceName, image: Image, now: Timestamp) -> Result<(), StoreError> {
        let statement = sqlx::query(SAVE_IMAGE)
            .bind(tenant.to_string())
            .bind(source.to_string())
            .bind(image.part)
            .bind(image.through)
            .bind(now.millis())
            .bind(image.blob);
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    /// Which parts have an image, up to which round and of when.
    pub async fn images_kept(&self, tenant: &TenantId, source: &SourceName) -> Result<Vec<(u32, i64, Timestamp)>, StoreError> {
        let kept = sqlx::query("SELECT part, through, at FROM images WHERE tenant = ?1 AND source = ?2 ORDER BY part")
            .bind(tenant.as_str())
            .bind(source.as_str())
            .fetch_all(self.readers())
            .await?;
        let one = |row: &SqliteRow| Ok((row.try_get("part")?, row.try_get("through")?, time(row, "at")?));
        Ok(kept.iter().map(one).collect::<Result<_, sqlx::Error>>()?)
    }

    /// The number of the last round of any source.
    pub async fn last_round(&self) -> Result<i64, StoreError> {
        let last: Option<i64> =
            sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'rounds'").fetch_optional(self.readers()).await?;
        Ok(last.unwrap_or(FIRST))
    }

    /// What was found late after `since`, oldest first.
    pub async fn late(&self, tenant: &TenantId, source: &SourceName, since: Timestamp) -> Result<Vec<Late>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT at, blob FROM late WHERE tenant = ?1 AND source = ?2 AND at > ?3 ORDER BY at, id")
                .bind(tenant.as_str())
                .bind(source.as_str())
                .bind(since.millis())
                .fetch_all(self.readers())
                .await?;
        let damaged = |error: Damaged| StoreError::Damaged { what: "late", reason: error.to_string() };
        rows.iter().map(|(at, blob)| Late::unpack(Timestamp::from_millis(*at), blob).map_err(damaged)).collect()
    }

    /// What is kept of one stream over a stretch: the segments of its days, and the rounds that are not yet compacted.
    pub async fn stream(&self, tenant: &TenantId, source: &SourceName, stream: u32, over: Interval) -> Result<Stored, StoreError> {
        let mut tx = self.readers().begin().await?;
        let segments = sqlx::query(
            "SELECT stream, level_seconds, day, blob FROM segments
             WHERE tenant = ?1 AND source = ?2 AND stream = ?3 AND day BETWEEN ?4 AND ?5 ORDER BY day, level_seconds",
        )
        .bind(tenant.as_str())
        .bind(source.as_str())
        .bind(stream)
        .bind(over.from.floor(days(1)).minus(days(1)).millis())
        .bind(over.to.millis())
        .fetch_all(&mut *tx)
        .await?;
        let rounds = rounds(&mut tx, tenant, source, FIRST).await?;
        let segments = segments.iter().map(segment).collect::<Result<_, _>>()?;
        Ok(Stored { segments, rounds, ..Stored::default() })
    }

    /// The rounds that are not compacted yet, oldest first: id, up to where it settled, bytes.
    pub async fn rounds_kept(&self, tenant: &TenantId, source: &SourceName) -> Result<Vec<(i64, Timestamp, usize)>, StoreError> {
        let rows: Vec<(i64, i64, i64)> =
            sqlx::query_as("SELECT id, settled, length(blob) FROM rounds WHERE tenant = ?1 AND source = ?2 ORDER BY id")
                .bind(tenant.as_str())
                .bind(source.as_str())
                .fetch_all(self.readers())
                .await?;
        let kept = |(id, settled, bytes)| (id, Timestamp::from_millis(settled), usize::try_from(bytes).unwrap_or(0));
        Ok(rows.into_iter().map(kept).collect())
    }

    /// The rounds up to this one, oldest first.
    pub async fn rounds_through(&self, tenant: &TenantId, source: &SourceName, id: i64) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
        let rounds = sqlx::query_as("SELECT id, blob FROM rounds WHERE tenant = ?1 AND source = ?2 AND id <= ?3 ORDER BY id");
        Ok(rounds.bind(tenant.as_str()).bind(source.as_str()).bind(id).fetch_all(self.readers()).await?)
    }

    /// Which segments there are.
    pub async fn segment_keys(&self, tenant: &TenantId, source: &SourceName) -> Result<Vec<SegmentKey>, StoreError> {
        let keys = sqlx::query("SELECT stream, level_seconds, day FROM segments WHERE tenant = ?1 AND source = ?2")
            .bind(tenant.as_str())
            .bind(source.as_str())
            .fetch_all(self.readers())
            .await?;
        Ok(keys.iter().map(key).collect::<Result<_, _>>()?)
    }

    /// Some of the segments.
    pub async fn segments(&self, tenant: &TenantId, source: &SourceName, keys: &[SegmentKey]) -> Result<Vec<Segment>, StoreError> {
        let asked = Value::Array(keys.iter().map(key_row).collect()).to_string();
        let segments =
            sqlx::query(SOME_SEGMENTS).bind(tenant.as_str()).bind(source.as_str()).bind(&asked).fetch_all(self.readers()).await?;
        Ok(segments.iter().map(segment).collect::<Result<_, _>>()?)
    }

    /// Carries out a compaction in one transaction: the segments are written, the rounds that they hold now and the segments that were rolled up or
    /// are too old are deleted. A segment that is both written and dropped is written.
    pub async fn compact(&self, tenant: &TenantId, source: &SourceName, compaction: &Compaction) -> Result<(), StoreError> {
        let (tenant, source) = (tenant.to_string(), source.to_string());
        let packed = packed(&compaction.segments);
        let dropped = Value::Array(compaction.drop_segments.iter().map(key_row).collect()).to_string();
        let drop_rounds_through = compaction.drop_rounds_through;
        self.write(move |tx| {
            async move {
                sqlx::query(DROP_SEGMENTS).bind(&tenant).bind(&source).bind(&dropped).execute(&mut *tx).await?;
                for (index, bytes) in &packed {
                    sqlx::query(SAVE_SEGMENTS).bind(&tenant).bind(&source).bind(index).bind(bytes.as_slice()).execute(&mut *tx).await?;
                }
                sqlx::query(DROP_IMAGES).bind(&tenant).bind(&source).bind(drop_rounds_through).execute(&mut *tx).await?;
                sqlx::query(DROP_ROUNDS).bind(&tenant).bind(&source).bind(drop_rounds_through).execute(tx).await?;
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

/// `CROSS JOIN` keeps the order: each is looked up by its key, none besides is read.
const SOME_SEGMENTS: &str = "
    SELECT stream, level_seconds, day, blob FROM json_each(?3)
    CROSS JOIN segments ON tenant = ?1 AND source = ?2
        AND day = value ->> 'day' AND level_seconds = value ->> 'level' AND stream = value ->> 'stream'";

/// Each day is looked up by the key, whatever the levels.
const SEGMENTS_OF_DAYS: &str = "
    SELECT stream, level_seconds, day, blob FROM segments
    WHERE tenant = ?1 AND source = ?2 AND day IN (SELECT value ->> 'day' FROM json_each(?3))
      AND (day, stream) IN (SELECT value ->> 'day', value ->> 'stream' FROM json_each(?3))";

const SAVE_SEGMENTS: &str = "
    INSERT INTO segments (tenant, source, day, level_seconds, stream, blob)
    SELECT ?1, ?2, value ->> 'day', value ->> 'level', value ->> 'stream', substr(?4, value ->> 'start', value ->> 'length')
    FROM json_each(?3) WHERE true
    ON CONFLICT (tenant, source, day, level_seconds, stream) DO UPDATE SET blob = excluded.blob";

const DROP_SEGMENTS: &str = "
    DELETE FROM segments WHERE tenant = ?1 AND source = ?2 AND (day, level_seconds, stream) IN (
        SELECT value ->> 'day', value ->> 'level', value ->> 'stream' FROM json_each(?3))";

const SAVE_IMAGE: &str = "
    INSERT INTO images (tenant, source, part, through, at, blob) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (tenant, source, part) DO UPDATE SET through = excluded.through, at = excluded.at, blob = excluded.blob";

/// An image needs the rounds that it does not hold: without one of them it is no use. Without a number, none.
const DROP_IMAGES: &str = "DELETE FROM images WHERE tenant = ?1 AND source = ?2 AND through < ?3";

/// Without a number, none.
const DROP_ROUNDS: &str = "DELETE FROM rounds WHERE tenant = ?1 AND source = ?2 AND id <= ?3";

/// Before the first round.
const FIRST: i64 = 0;

/// The rounds behind this one that are not compacted yet, oldest first.
async fn rounds(
    tx: &mut SqliteConnection,
    tenant: &TenantId,
    source: &SourceName,
    behind: i64,
) -> Result<Vec<(i64, Vec<u8>)>, sqlx::Error> {
    sqlx::query_as("SELECT id, blob FROM rounds WHERE tenant = ?1 AND source = ?2 AND id > ?3 ORDER BY id")
        .bind(tenant.as_str())
        .bind(source.as_str())
        .bind(behind)
        .fetch_all(tx)
        .await
}

/// What of a ledger is replaced as a whole: all but its slices.
async fn basis(tx: &mut SqliteConnection, tenant: &TenantId, source: &SourceName) -> Result<Stored, sqlx::Error> {
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
    let behind: Option<(OptionalBlob, OptionalBlob)> = sqlx::query_as("SELECT seal, log FROM seals WHERE tenant = ?1 AND source = ?2")
        .bind(tenant.as_str())
        .bind(source.as_str())
        .fetch_optional(&mut *tx)
        .await?;
    let (seal, log) = behind.unwrap_or_default();
    Ok(Stored { settled: settled.map(Timestamp::from_millis), state, seal, log, ..Stored::default() })
}

fn image(row: &SqliteRow) -> Result<Image, sqlx::Error> {
    Ok(Image { part: row.try_get("part")?, through: row.try_get("through")?, blob: row.try_get("blob")? })
}

fn segment(row: &SqliteRow) -> Result<Segment, sqlx::Error> {
    Ok(Segment { key: key(row)?, blob: row.try_get("blob")? })
}

fn key(row: &SqliteRow) -> Result<SegmentKey, sqlx::Error> {
    Ok(SegmentKey { stream: row.try_get("stream")?, level_seconds: row.try_get("level_seconds")?, day: time(row, "day")? })
}

fn key_row(key: &SegmentKey) -> Value {
    json!({ "stream": key.stream, "level": key.level_seconds, "day": key.day.millis() })
}

/// Segments as few statements take them: an index for `json_each`, and the bytes that it points into, from 1 as `substr` counts.
fn packed(segments: &[Segment]) -> Vec<(String, Vec<u8>)> {
    let (mut statements, mut index, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        let mut row = key_row(&segment.key);
        row["start"] = (bytes.len() + 1).into();
        row["length"] = segment.blob.len().into();
        index.push(row);
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
