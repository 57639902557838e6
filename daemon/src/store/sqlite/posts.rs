//! Posts beside the root of an incident: which words they keep, and which state of the incident they show.

use burnward_core::{
    id::{IncidentId, PageId, TenantId},
    time::Timestamp,
};
use futures_util::FutureExt;
use sqlx::Row;

use super::{SqliteStore, outbox::message_ref};
use crate::store::{Post, PostWords, StoreError};

impl SqliteStore {
    /// Like `begin_attempt`, of a post that keeps its words.
    pub async fn begin_post(&self, tenant: &TenantId, page: &PageId, words: PostWords, now: Timestamp) -> Result<bool, StoreError> {
        let statement = sqlx::query(
            "UPDATE outbox SET state = 'in-flight', attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, ?3),
                    words = ?4, shows = ?5
             WHERE tenant = ?1 AND page = ?2 AND state = 'owed'",
        )
        .bind(tenant.to_string())
        .bind(page.to_string())
        .bind(now.millis())
        .bind(words.words)
        .bind(words.shows);
        self.write(move |tx| async move { Ok(statement.execute(tx).await?.rows_affected() == 1) }.boxed()).await
    }

    /// The posts of an incident that arrived, but for its root; newest first.
    pub async fn posts(&self, tenant: &TenantId, incident: &IncidentId) -> Result<Vec<Post>, StoreError> {
        let rows = sqlx::query(
            "SELECT page, channel, ts, words, shows FROM outbox
             WHERE tenant = ?1 AND incident = ?2 AND kind IN ('again', 'direct') AND state = 'delivered' AND ts IS NOT NULL
             ORDER BY decided_at DESC, id DESC",
        )
        .bind(tenant.as_str())
        .bind(incident.as_str())
        .fetch_all(self.readers())
        .await?;
        let post = |row| {
            Ok(Post {
                page: PageId::from_text(Row::try_get(row, "page")?),
                at: message_ref(row)?,
                words: Row::try_get(row, "words")?,
                shows: Row::try_get(row, "shows")?,
            })
        };
        rows.iter().map(post).collect()
    }

    /// Keeps which state of its incident a post shows from now on.
    pub async fn post_shows(&self, tenant: &TenantId, page: &PageId, shows: String) -> Result<(), StoreError> {
        let statement = sqlx::query("UPDATE outbox SET shows = ?3 WHERE tenant = ?1 AND page = ?2")
            .bind(tenant.to_string())
            .bind(page.to_string())
            .bind(shows);
        self.write(move |tx| async move { statement.execute(tx).await.map(drop).map_err(StoreError::from) }.boxed()).await
    }
}
