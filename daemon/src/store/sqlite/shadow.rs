//! What SLOs in shadow would have told: the events of incidents that nobody heard of.

use std::collections::BTreeMap;

use burnward_core::{
    id::{IncidentId, TenantId},
    incident::{FaultKey, Incident},
    rename::Renames,
    time::Timestamp,
};
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, time};
use crate::store::{NewEvent, StoreError, rows};

pub(super) const SAVE_SHADOW: &str = "
    INSERT OR IGNORE INTO shadow_events (tenant, incident, seq, at, fault, ordinal, phase, data)
    SELECT ?1, value ->> 'incident', value ->> 'seq', value ->> 'at', value ->> 'fault', value ->> 'ordinal', value ->> 'phase', value ->> 'data'
    FROM json_each(?2) ORDER BY key";

impl SqliteStore {
    /// The incidents in shadow that are not over, and those of which something happened after an instant.
    pub async fn live_shadow_incidents(&self, tenant: &TenantId, after: Timestamp) -> Result<Vec<Incident>, StoreError> {
        let events = self.shadow_events(tenant, after).await?;
        let mut incidents: BTreeMap<&IncidentId, Vec<&NewEvent>> = BTreeMap::new();
        for event in &events {
            incidents.entry(&event.incident).or_default().push(event);
        }
        let folded = incidents.into_values().filter_map(|events| {
            let own: Vec<_> = events.iter().map(|new| new.event.clone()).collect();
            Incident::replay(tenant, events.first()?.ordinal, &own)
        });
        Ok(folded.collect())
    }

    /// All events of the incidents in shadow that are not over, or of which something happened after an instant; in the order of their times.
    pub async fn shadow_events(&self, tenant: &TenantId, after: Timestamp) -> Result<Vec<NewEvent>, StoreError> {
        // Of a bare column beside max() SQLite takes the value of the row that has the maximum (sqlite.org/lang_select.html#bareagg).
        let rows = sqlx::query(
            "WITH last AS (SELECT incident, phase, max(seq), at FROM shadow_events WHERE tenant = ?1 GROUP BY incident)
             SELECT incident, seq, at, fault, ordinal, phase, data FROM shadow_events
             WHERE tenant = ?1 AND incident IN (SELECT incident FROM last WHERE phase <> 'resolved' OR at > ?2)
             ORDER BY at, incident, seq",
        )
        .bind(tenant.as_str())
        .bind(after.millis())
        .fetch_all(self.readers())
        .await?;
        let renames = self.renames(tenant).await?;
        rows.iter().map(|row| event(row, &renames)).collect()
    }

    /// The last ordinal of every fault that ever had an incident in shadow.
    pub async fn last_shadow_ordinals(&self, tenant: &TenantId) -> Result<BTreeMap<FaultKey, u64>, StoreError> {
        let rows = sqlx::query("SELECT fault, max(ordinal) AS last FROM shadow_events WHERE tenant = ?1 GROUP BY fault")
            .bind(tenant.as_str())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok((rows::fault_from(row.try_get("fault")?)?, ordinal(row, "last")?))).collect()
    }
}

/// A row for [`SAVE_SHADOW`].
pub(super) fn shadow_row(new: &NewEvent) -> Result<Value, StoreError> {
    Ok(json!({
        "incident": new.incident.as_str(),
        "seq": new.event.seq,
        "at": new.event.at.millis(),
        "fault": rows::fault(&new.fault)?,
        "ordinal": new.ordinal,
        "phase": new.phase,
        "data": rows::event(&new.event)?,
    }))
}

/// An event as it was committed; SLOs are called by their names of today.
fn event(row: &SqliteRow, renames: &Renames) -> Result<NewEvent, StoreError> {
    let event = rows::event_from(row.try_get("seq")?, time(row, "at")?, row.try_get("data")?)?;
    Ok(NewEvent {
        incident: IncidentId::from_text(row.try_get("incident")?),
        fault: rows::fault_from(row.try_get("fault")?)?,
        ordinal: ordinal(row, "ordinal")?,
        event: renames.event(event),
        phase: phase(row.try_get("phase")?),
    })
}

fn ordinal(row: &SqliteRow, column: &str) -> Result<u64, StoreError> {
    let stored: i64 = row.try_get(column)?;
    u64::try_from(stored).map_err(|_| StoreError::Damaged { what: "incident in shadow", reason: format!("its ordinal is {stored}") })
}

/// Nobody acknowledges what nobody hears of.
fn phase(word: &str) -> &'static str {
    if word == "resolved" { "resolved" } else { "open" }
}
