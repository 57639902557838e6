//! Incidents: their events are what is stored, their state is the core's fold of them.

use std::collections::BTreeMap;

use burnward_core::{
    id::{IncidentId, TenantId},
    incident::{FaultKey, Incident, IncidentEvent},
    rename::Renames,
    time::Timestamp,
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, row_limit, time};
use crate::store::{StoreError, StoredIncident, rows};

impl SqliteStore {
    /// The incidents that are not resolved, and those that were resolved after `resolved_after`; oldest first.
    pub async fn live_incidents(&self, tenant: &TenantId, resolved_after: Timestamp) -> Result<Vec<StoredIncident>, StoreError> {
        let rows = sqlx::query(
            "SELECT i.id, i.ordinal, e.seq, e.at, e.data
             FROM incidents i JOIN incident_events e ON e.tenant = i.tenant AND e.incident = i.id
             WHERE i.tenant = ?1 AND (i.phase <> 'resolved' OR i.resolved_at > ?2)
             ORDER BY i.opened_at, i.id, e.seq",
        )
        .bind(tenant.as_str())
        .bind(resolved_after.millis())
        .fetch_all(self.readers())
        .await?;
        self.folded(tenant, &rows).await
    }

    /// The incidents that were opened before an instant and were not resolved by another; oldest first.
    pub async fn incidents_between(
        &self,
        tenant: &TenantId,
        resolved_after: Timestamp,
        opened_before: Timestamp,
    ) -> Result<Vec<StoredIncident>, StoreError> {
        let rows = sqlx::query(
            "SELECT i.id, i.ordinal, e.seq, e.at, e.data
             FROM incidents i JOIN incident_events e ON e.tenant = i.tenant AND e.incident = i.id
             WHERE i.tenant = ?1 AND (i.phase <> 'resolved' OR i.resolved_at > ?2) AND i.opened_at < ?3
             ORDER BY i.opened_at, i.id, e.seq",
        )
        .bind(tenant.as_str())
        .bind(resolved_after.millis())
        .bind(opened_before.millis())
        .fetch_all(self.readers())
        .await?;
        self.folded(tenant, &rows).await
    }

    /// One incident.
    pub async fn incident(&self, tenant: &TenantId, id: &IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        let rows = sqlx::query(
            "SELECT i.id, i.ordinal, e.seq, e.at, e.data
             FROM incidents i JOIN incident_events e ON e.tenant = i.tenant AND e.incident = i.id
             WHERE i.tenant = ?1 AND i.id = ?2 ORDER BY e.seq",
        )
        .bind(tenant.as_str())
        .bind(id.as_str())
        .fetch_all(self.readers())
        .await?;
        Ok(self.folded(tenant, &rows).await?.pop())
    }

    /// The newest incidents, newest first; `before`: opened before that, for the next page of a list.
    pub async fn incidents(&self, tenant: &TenantId, limit: usize, before: Option<Timestamp>) -> Result<Vec<StoredIncident>, StoreError> {
        let rows = sqlx::query(
            "WITH listed AS (
                 SELECT id, ordinal, opened_at FROM incidents WHERE tenant = ?1 AND opened_at < ?2
                 ORDER BY opened_at DESC, id DESC LIMIT ?3)
             SELECT i.id, i.ordinal, e.seq, e.at, e.data
             FROM listed i JOIN incident_events e ON e.tenant = ?1 AND e.incident = i.id
             ORDER BY i.opened_at DESC, i.id DESC, e.seq",
        )
        .bind(tenant.as_str())
        .bind(before.map_or(i64::MAX, Timestamp::millis))
        .bind(row_limit(limit))
        .fetch_all(self.readers())
        .await?;
        self.folded(tenant, &rows).await
    }

    /// The last ordinal of every fault that ever had an incident.
    pub async fn last_ordinals(&self, tenant: &TenantId) -> Result<BTreeMap<FaultKey, u64>, StoreError> {
        let rows = sqlx::query("SELECT fault, max(ordinal) AS last FROM incidents WHERE tenant = ?1 GROUP BY fault")
            .bind(tenant.as_str())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((rows::fault_from(row.try_get("fault")?)?, ordinal(row, "last")?))).collect()
    }

    /// Folds rows that are sorted by incident and position.
    async fn folded(&self, tenant: &TenantId, rows: &[SqliteRow]) -> Result<Vec<StoredIncident>, StoreError> {
        let renames = self.renames(tenant).await?;
        let mut incidents = Vec::new();
        let mut rest = rows;
        while let Some(first) = rest.first() {
            let id: &str = first.try_get("id")?;
            let length = rest.iter().take_while(|row| row.try_get("id").is_ok_and(|other: &str| other == id)).count();
            let (own, others) = rest.split_at(length);
            incidents.push(fold(tenant, id, ordinal(first, "ordinal")?, own, &renames)?);
            rest = others;
        }
        Ok(incidents)
    }
}

/// Folds rows of one incident that are sorted by position; SLOs are called by their names of today.
fn fold(tenant: &TenantId, id: &str, ordinal: u64, rows: &[SqliteRow], renames: &Renames) -> Result<StoredIncident, StoreError> {
    let events = rows.iter().map(|row| Ok(renames.event(event(row)?))).collect::<Result<Vec<_>, StoreError>>()?;
    let incident = Incident::replay(tenant, ordinal, &events)
        .ok_or_else(|| StoreError::Damaged { what: "incident", reason: format!("{id} does not begin with its opening") })?;
    Ok(StoredIncident { incident, events })
}

fn event(row: &SqliteRow) -> Result<IncidentEvent, StoreError> {
    rows::event_from(row.try_get("seq")?, time(row, "at")?, row.try_get("data")?)
}

fn ordinal(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let stored: i64 = row.try_get(column)?;
    u64::try_from(stored).map_err(|_| StoreError::Damaged { what: "incident", reason: format!("its ordinal is {stored}") })
}
