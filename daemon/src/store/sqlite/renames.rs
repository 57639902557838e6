//! SLOs that got another name. States and keys take the new one; what is only ever added to, incidents and exclusions, stays as it was written and is
//! read by the name of today.

use std::collections::BTreeSet;

use burnward_core::{
    id::{SloId, TenantId},
    ledger::{
        Damaged,
        segment::{renamed_seal, renamed_state, slos_of_state},
    },
    rename::{Rename, Renames},
};
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, alerts::slo_id, time};
use crate::store::StoreError;

impl SqliteStore {
    /// The SLOs of which anything was counted, those that run no more too, by the names of today.
    pub async fn counted_slos(&self, tenant: &TenantId) -> Result<BTreeSet<SloId>, StoreError> {
        let states: Vec<Vec<u8>> =
            sqlx::query_scalar("SELECT blob FROM ledger_states WHERE tenant = ?1").bind(tenant.as_str()).fetch_all(self.readers()).await?;
        let slos = states.iter().map(|state| slos_of_state(state).map_err(|error| damaged(&error))).collect::<Result<Vec<_>, _>>()?;
        Ok(slos.into_iter().flatten().collect())
    }

    /// All renames of a tenant.
    pub async fn renames(&self, tenant: &TenantId) -> Result<Renames, StoreError> {
        let rows = sqlx::query("SELECT at, service, was, slo FROM renames WHERE tenant = ?1 ORDER BY id")
            .bind(tenant.as_str())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| rename(tenant, row)).collect::<Result<_, _>>().map(Renames::new)
    }
}

fn rename(tenant: &TenantId, row: &SqliteRow) -> Result<Rename, StoreError> {
    let SloId { service, name: to, .. } = slo_id(tenant, row)?;
    let from = burnward_core::id::SloName::parse(row.try_get("was")?)
        .map_err(|error| StoreError::Damaged { what: "name", reason: error.to_string() })?;
    Ok(Rename { at: time(row, "at")?, service, from, to })
}

/// Gives SLOs their new names, within a transaction.
pub(super) async fn carry_out(tx: &mut SqliteConnection, tenant: &str, renames: &[Rename]) -> Result<(), StoreError> {
    if renames.is_empty() {
        return Ok(());
    }
    let rows = Value::Array(renames.iter().map(row).collect()).to_string();
    for statement in [SAVE, RENAME_ALERTS, RENAME_CHANGES] {
        sqlx::query(statement).bind(tenant).bind(&rows).execute(&mut *tx).await?;
    }
    let states: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT source, blob FROM ledger_states WHERE tenant = ?1").bind(tenant).fetch_all(&mut *tx).await?;
    for (source, state) in states {
        if let Some(renamed) = renamed_state(&state, renames).map_err(|error| damaged(&error))? {
            let update = sqlx::query("UPDATE ledger_states SET blob = ?3 WHERE tenant = ?1 AND source = ?2");
            update.bind(tenant).bind(&source).bind(renamed).execute(&mut *tx).await?;
        }
    }
    let seals: Vec<(String, Vec<u8>)> =
        sqlx::query_as("SELECT source, seal FROM seals WHERE tenant = ?1 AND seal IS NOT NULL").bind(tenant).fetch_all(&mut *tx).await?;
    for (source, seal) in seals {
        if let Some(renamed) = renamed_seal(&seal, renames).map_err(|error| damaged(&error))? {
            let update = sqlx::query("UPDATE seals SET seal = ?3 WHERE tenant = ?1 AND source = ?2");
            update.bind(tenant).bind(&source).bind(renamed).execute(&mut *tx).await?;
        }
    }
    Ok(())
}

const SAVE: &str = "
    INSERT INTO renames (tenant, at, service, was, slo)
    SELECT ?1, value ->> 'at', value ->> 'service', value ->> 'was', value ->> 'slo' FROM json_each(?2) ORDER BY key";

/// What stands by the new name is of an SLO that was gone, or of a rename that was carried out without our knowing, and older.
const RENAME_ALERTS: &str = "
    UPDATE OR REPLACE alerts SET slo = new.value ->> 'slo' FROM json_each(?2) AS new
    WHERE tenant = ?1 AND alerts.service = new.value ->> 'service' AND alerts.slo = new.value ->> 'was'";

const RENAME_CHANGES: &str = "
    UPDATE alert_changes SET slo = new.value ->> 'slo' FROM json_each(?2) AS new
    WHERE tenant = ?1 AND alert_changes.service = new.value ->> 'service' AND alert_changes.slo = new.value ->> 'was'";

fn row(rename: &Rename) -> Value {
    let Rename { at, service, from, to } = rename;
    json!({ "at": at.millis(), "service": service.as_str(), "was": from.as_str(), "slo": to.as_str() })
}

fn damaged(error: &Damaged) -> StoreError {
    StoreError::Damaged { what: "ledger", reason: error.to_string() }
}
