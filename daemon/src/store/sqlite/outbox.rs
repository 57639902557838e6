//! The outbox: messages that are owed, in which state they are, and where they arrived. Nothing is sent that does not stand here.
//!
//! `owed` becomes `in-flight` when an attempt begins, and that is committed before anything is sent; from there `delivered`, `dropped`, or
//! `owed` again. What is in flight when the daemon stops may have arrived: at the next start it is owed again, and ambiguous.

use burnward_core::{
    id::{IncidentId, PageId, TenantId},
    incident::{Message, MessageKind, MessageRef},
    time::Timestamp,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, maybe_time, row_limit, time};
use crate::store::{AttemptOutcome, NOT_SENT, OutboxStats, Owed, StoreError, UndeliveredPage, rows};

/// Owes messages. One that is known already stays as it is, but: while it waits for its first attempt it is due at the earlier time; and an edit is
/// owed again where it was delivered or dropped, or once more where it is in flight, because what it shows is newer now: at the earliest time of all.
pub(super) const OWE: &str = "
    INSERT INTO outbox (tenant, page, incident, recipient, kind, seq, broadcast, is_page, due, decided_at)
    SELECT ?1, value ->> 'page', value ->> 'incident', value ->> 'recipient', value ->> 'kind', value ->> 'seq',
           value ->> 'broadcast', value ->> 'is_page', value ->> 'due', value ->> 'decided_at'
    FROM json_each(?2) WHERE true ORDER BY key
    ON CONFLICT (tenant, page) DO UPDATE
    SET state            = CASE state WHEN 'in-flight' THEN state ELSE 'owed' END,
        renewed          = state = 'in-flight',
        due              = CASE WHEN state = 'owed' AND attempts > 0 THEN due WHEN state = 'owed' OR renewed THEN min(due, excluded.due) ELSE excluded.due END,
        decided_at       = CASE WHEN state IN ('delivered', 'dropped') THEN excluded.decided_at ELSE decided_at END,
        attempts         = CASE WHEN state IN ('delivered', 'dropped') THEN 0 ELSE attempts END,
        ambiguous        = CASE WHEN state IN ('delivered', 'dropped') THEN 0 ELSE ambiguous END,
        first_attempt_at = CASE WHEN state IN ('delivered', 'dropped') THEN NULL ELSE first_attempt_at END,
        last_error       = CASE WHEN state IN ('delivered', 'dropped') THEN NULL ELSE last_error END,
        ended_at         = CASE WHEN state IN ('delivered', 'dropped') THEN NULL ELSE ended_at END
    WHERE state = 'owed' OR excluded.kind = 'edit'";

/// Ends messages as delivered or dropped; one that was renewed in flight is owed again. What has ended already stays as it is.
pub(super) const END: &str = "
    UPDATE outbox
    SET state            = CASE WHEN renewed THEN 'owed' ELSE new.value ->> 'state' END,
        attempts         = CASE WHEN renewed THEN 0 ELSE attempts END,
        first_attempt_at = CASE WHEN renewed THEN NULL ELSE first_attempt_at END,
        renewed          = 0,
        ambiguous        = 0,
        last_error       = new.value ->> 'error',
        channel          = coalesce(new.value ->> 'channel', channel),
        ts               = coalesce(new.value ->> 'ts', ts),
        ended_at         = new.value ->> 'at'
    FROM json_each(?2) AS new
    WHERE tenant = ?1 AND page = new.value ->> 'page' AND state IN ('owed', 'in-flight')";

/// A message for [`OWE`].
pub(super) fn message_row(message: &Message, decided_at: Timestamp) -> Result<Value, StoreError> {
    let (kind, seq, broadcast) = kind_columns(&message.kind);
    Ok(json!({
        "page": message.id.as_str(),
        "incident": message.incident.as_str(),
        "recipient": rows::recipient(&message.to)?,
        "kind": kind,
        "seq": seq,
        "broadcast": i64::from(broadcast),
        "is_page": i64::from(message.kind.is_page()),
        "due": message.due.millis(),
        "decided_at": decided_at.millis(),
    }))
}

/// A delivered message for [`END`].
pub(super) fn delivered_row(page: &PageId, stands: &MessageRef, at: Timestamp) -> Value {
    json!({ "page": page.as_str(), "state": "delivered", "channel": stands.channel, "ts": stands.ts, "at": at.millis() })
}

/// A dropped message for [`END`].
pub(super) fn dropped_row(page: &PageId, reason: &str, at: Timestamp) -> Value {
    json!({ "page": page.as_str(), "state": "dropped", "error": reason, "at": at.millis() })
}

impl SqliteStore {
    /// The messages of incidents of all tenants that are due, at most `limit`: pages first, then the longest due.
    pub async fn due_messages(&self, now: Timestamp, limit: usize) -> Result<Vec<Owed>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM outbox WHERE state = 'owed' AND kind <> 'report' AND due <= ?1 ORDER BY is_page DESC, due, id LIMIT ?2",
        )
        .bind(now.millis())
        .bind(row_limit(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(owed).collect()
    }

    /// The messages of incidents of all tenants that wait after an attempt that surely failed, at most `limit`, the oldest first.
    pub async fn backing_off(&self, limit: usize) -> Result<Vec<Owed>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM outbox WHERE state = 'owed' AND kind <> 'report' AND attempts > 0 AND NOT ambiguous ORDER BY decided_at, id LIMIT ?1",
        )
        .bind(row_limit(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(owed).collect()
    }

    /// When the next message is due; `None` where none is owed.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar("SELECT min(due) FROM outbox WHERE state = 'owed'").fetch_one(self.readers()).await?;
        Ok(due.map(Timestamp::from_millis))
    }

    /// Commits that an attempt begins, before anything is sent. False where the message is no longer owed: then nothing may be sent.
    pub async fn begin_attempt(&self, tenant: &TenantId, page: &PageId, now: Timestamp) -> Result<bool, StoreError> {
        let (tenant, page) = (tenant.to_string(), page.to_string());
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'in-flight', attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, ?3)
             WHERE tenant = ?1 AND page = ?2 AND state = 'owed'",
        )
        .bind(tenant)
        .bind(page)
        .bind(now.millis());
        self.write(move |tx| async move { Ok(statement.execute(tx).await?.rows_affected() == 1) }.boxed()).await
    }

    /// Takes what made a message in flight newer into this attempt, which shows it as well; false where nothing did that is due.
    pub async fn take_renewal(&self, tenant: &TenantId, page: &PageId, now: Timestamp) -> Result<bool, StoreError> {
        let renewed: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM outbox WHERE tenant = ?1 AND page = ?2 AND state = 'in-flight' AND renewed AND due <= ?3")
                .bind(tenant.as_str())
                .bind(page.as_str())
                .bind(now.millis())
                .fetch_optional(self.readers())
                .await?;
        if renewed.is_none() {
            return Ok(false);
        }
        let statement =
            sqlx::query("UPDATE outbox SET renewed = 0 WHERE tenant = ?1 AND page = ?2 AND state = 'in-flight' AND renewed AND due <= ?3")
                .bind(tenant.to_string())
                .bind(page.to_string())
                .bind(now.millis());
        self.write(move |tx| async move { Ok(statement.execute(tx).await?.rows_affected() == 1) }.boxed()).await
    }

    /// Commits where an edit in flight has put the root in the place of one that was gone.
    pub async fn edit_stands(&self, tenant: &TenantId, page: &PageId, stands: &MessageRef) -> Result<(), StoreError> {
        let statement = sqlx::query("UPDATE outbox SET channel = ?3, ts = ?4 WHERE tenant = ?1 AND page = ?2")
            .bind(tenant.to_string())
            .bind(page.to_string())
            .bind(stands.channel.clone())
            .bind(stands.ts.clone());
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    /// Commits what came of an attempt, or of a look-back without one. A message that has ended already stays as it is. Once ambiguous, a message stays
    /// so until it ends: a later attempt that surely failed says nothing about the earlier one.
    pub async fn finish_attempt(
        &self,
        tenant: &TenantId,
        page: &PageId,
        outcome: AttemptOutcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        match outcome {
            AttemptOutcome::Delivered(stands) => self.end(tenant, delivered_row(page, &stands, now)).await,
            AttemptOutcome::Dropped { reason } => self.end(tenant, dropped_row(page, &reason, now)).await,
            AttemptOutcome::Retry { at, reason } => self.owe_again(tenant, page, at, reason, false).await,
            AttemptOutcome::Ambiguous { at, reason } => self.owe_again(tenant, page, at, reason, true).await,
        }
    }

    async fn end(&self, tenant: &TenantId, row: Value) -> Result<(), StoreError> {
        let statement = sqlx::query(END).bind(tenant.to_string()).bind(Value::Array(vec![row]).to_string());
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    async fn owe_again(&self, tenant: &TenantId, page: &PageId, at: Timestamp, reason: String, ambiguous: bool) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'owed', renewed = 0, due = ?3, last_error = ?4, ambiguous = ambiguous OR ?5
             WHERE tenant = ?1 AND page = ?2 AND state IN ('owed', 'in-flight')",
        )
        .bind(tenant.to_string())
        .bind(page.to_string())
        .bind(at.millis())
        .bind(reason)
        .bind(ambiguous);
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    /// What waits after an attempt that surely failed is due again at the time it was decided for, so that the oldest goes first.
    pub async fn due_again(&self, tenant: &TenantId, page: &PageId) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE outbox SET due = min(due, decided_at) WHERE tenant = ?1 AND page = ?2 AND state = 'owed' AND attempts > 0 AND NOT ambiguous",
        )
        .bind(tenant.to_string())
        .bind(page.to_string());
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    /// Owes again what was in flight when the last daemon stopped.
    pub(super) async fn recover_outbox(&self) -> Result<(), StoreError> {
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'owed', renewed = 0, ambiguous = 1, last_error = 'burnward stopped while it was being sent'
             WHERE state = 'in-flight'",
        );
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }

    /// How full the outbox is, over all tenants.
    pub async fn outbox_stats(&self) -> Result<OutboxStats, StoreError> {
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE is_page AND state <> 'dropped') AS pages_owed,
                    min(decided_at) FILTER (WHERE is_page AND state <> 'dropped') AS oldest_page,
                    count(*) FILTER (WHERE is_page AND state = 'dropped' AND coalesce(last_error, '') NOT LIKE ?1 || '%') AS pages_undeliverable,
                    count(*) FILTER (WHERE NOT is_page AND state <> 'dropped') AS informs_owed
             FROM outbox WHERE state <> 'delivered'",
        )
        .bind(NOT_SENT)
        .fetch_one(self.readers())
        .await?;
        Ok(OutboxStats {
            pages_owed: count(&row, "pages_owed")?,
            oldest_page: maybe_time(&row, "oldest_page")?,
            pages_undeliverable: count(&row, "pages_undeliverable")?,
            informs_owed: count(&row, "informs_owed")?,
        })
    }

    /// The pages of a tenant that did not arrive: those that were given up but for those that nobody needed any more, those of which an attempt failed,
    /// and those that were decided at `before` or earlier and wait; newest first.
    pub async fn undelivered(&self, tenant: &TenantId, before: Timestamp, limit: usize) -> Result<Vec<UndeliveredPage>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM outbox WHERE tenant = ?1 AND is_page = 1 AND state <> 'delivered'
               AND (state = 'dropped' OR last_error IS NOT NULL OR decided_at <= ?2)
               AND NOT (state = 'dropped' AND coalesce(last_error, '') LIKE ?4 || '%')
             ORDER BY decided_at DESC, id DESC LIMIT ?3",
        )
        .bind(tenant.as_str())
        .bind(before.millis())
        .bind(row_limit(limit))
        .bind(NOT_SENT)
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(undelivered).collect()
    }

    /// Where a message stands, if it arrived.
    pub async fn delivered_ref(&self, tenant: &TenantId, page: &PageId) -> Result<Option<MessageRef>, StoreError> {
        let row = sqlx::query("SELECT channel, ts FROM outbox WHERE tenant = ?1 AND page = ?2 AND ts IS NOT NULL")
            .bind(tenant.as_str())
            .bind(page.as_str())
            .fetch_optional(self.readers())
            .await?;
        Ok(row.as_ref().map(message_ref).transpose()?)
    }

    /// Where the root of an incident's thread stands: its first post, or the one that an edit put in the place of a root that was gone.
    pub async fn root_message(&self, tenant: &TenantId, incident: &IncidentId) -> Result<Option<MessageRef>, StoreError> {
        let row = sqlx::query(
            "SELECT channel, ts FROM outbox
             WHERE tenant = ?1 AND incident = ?2 AND kind IN ('root', 'edit') AND ts IS NOT NULL
             ORDER BY kind = 'edit' DESC, ended_at DESC, id DESC LIMIT 1",
        )
        .bind(tenant.as_str())
        .bind(incident.as_str())
        .fetch_optional(self.readers())
        .await?;
        Ok(row.as_ref().map(message_ref).transpose()?)
    }
}

/// A kind as its columns: the word, the event's position, and whether the channel sees it.
const fn kind_columns(kind: &MessageKind) -> (&'static str, Option<u32>, bool) {
    match kind {
        MessageKind::Root => ("root", None, false),
        MessageKind::Again => ("again", None, false),
        MessageKind::Direct => ("direct", None, false),
        MessageKind::Thread { seq, broadcast } => ("thread", Some(*seq), *broadcast),
        MessageKind::Edit => ("edit", None, false),
    }
}

fn kind(row: &SqliteRow) -> Result<MessageKind, StoreError> {
    let (word, seq, broadcast): (&str, _, _) = (row.try_get("kind")?, row.try_get("seq")?, row.try_get("broadcast")?);
    match (word, seq) {
        ("root", None) => Ok(MessageKind::Root),
        ("again", None) => Ok(MessageKind::Again),
        ("direct", None) => Ok(MessageKind::Direct),
        ("thread", Some(seq)) => Ok(MessageKind::Thread { seq, broadcast }),
        ("edit", None) => Ok(MessageKind::Edit),
        _ => Err(StoreError::Damaged { what: "message", reason: format!("its kind is `{word}`") }),
    }
}

fn owed(row: &SqliteRow) -> Result<Owed, StoreError> {
    let tenant = TenantId::parse(row.try_get("tenant")?);
    Ok(Owed {
        tenant: tenant.map_err(|error| StoreError::Damaged { what: "message", reason: error.to_string() })?,
        message: Message {
            id: PageId::from_text(row.try_get("page")?),
            incident: IncidentId::from_text(row.try_get("incident")?),
            to: rows::recipient_from(row.try_get("recipient")?)?,
            kind: kind(row)?,
            due: time(row, "due")?,
        },
        attempts: row.try_get("attempts")?,
        ambiguous: row.try_get("ambiguous")?,
        first_attempt_at: maybe_time(row, "first_attempt_at")?,
        last_error: row.try_get("last_error")?,
        decided_at: time(row, "decided_at")?,
    })
}

fn undelivered(row: &SqliteRow) -> Result<UndeliveredPage, StoreError> {
    let state: &str = row.try_get("state")?;
    Ok(UndeliveredPage {
        page: PageId::from_text(row.try_get("page")?),
        incident: IncidentId::from_text(row.try_get("incident")?),
        to: rows::recipient_from(row.try_get("recipient")?)?.to_string(),
        decided_at: time(row, "decided_at")?,
        attempts: row.try_get("attempts")?,
        last_error: row.try_get("last_error")?,
        given_up: state == "dropped",
    })
}

pub(super) fn message_ref(row: &SqliteRow) -> Result<MessageRef, sqlx::Error> {
    Ok(MessageRef { channel: row.try_get("channel")?, ts: row.try_get("ts")? })
}

fn count(row: &SqliteRow, column: &str) -> Result<u64, sqlx::Error> {
    row.try_get::<i64, _>(column).map(|count| u64::try_from(count).unwrap_or(0))
}
