//! The definitions that ran last, those that run on because their alerts hold, and every version that ever ran.

use burnward_core::{
    id::{SloId, TenantId},
    time::Timestamp,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, alerts::slo_id, commit::takes_number, renames, time, upkeep, versions};
use crate::store::{AuditEntry, CommitNumber, DefinitionChanges, Release, StoreError, StoredDefinition, rows};

impl SqliteStore {
    /// The last good definitions of a tenant, by path.
    pub async fn definitions(&self, tenant: &TenantId) -> Result<Vec<StoredDefinition>, StoreError> {
        let rows = sqlx::query(
            "SELECT v.path, v.version, v.text, v.slos, v.loaded_at
             FROM definitions d JOIN definition_versions v ON v.tenant = d.tenant AND v.path = d.path AND v.version = d.version
             WHERE d.tenant = ?1 ORDER BY d.path",
        )
        .bind(tenant.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(definition).collect()
    }

    /// The versions that run on because their alerts hold, by the SLO that each is held for.
    pub async fn held_definitions(&self, tenant: &TenantId) -> Result<Vec<(SloId, StoredDefinition)>, StoreError> {
        let rows = sqlx::query(
            "SELECT h.service, h.slo, v.path, v.version, v.text, v.slos, v.loaded_at
             FROM held_definitions h JOIN definition_versions v ON v.tenant = h.tenant AND v.path = h.path AND v.version = h.version
             WHERE h.tenant = ?1 ORDER BY h.service, h.slo",
        )
        .bind(tenant.as_str())
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(|row| Ok((slo_id(tenant, row)?, definition(row)?))).collect()
    }

    /// Makes the loaded texts the last good versions of their files, takes the removed files out of what runs, and holds exactly the versions that
    /// `changes` names, with the audit of it: all or nothing, under a number, and nothing where the tenant's last commit has that. Versions that ran before stay
    /// in the history.
    pub async fn save_definitions(
        &self,
        number: CommitNumber,
        tenant: &TenantId,
        changes: &DefinitionChanges,
        at: Timestamp,
        audit: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let tenant = tenant.to_string();
        let loaded = Value::Array(changes.loaded.iter().map(definition_row).collect::<Result<_, _>>()?).to_string();
        let removed = json!(changes.removed).to_string();
        let held = Value::Array(changes.held.iter().map(|(id, path, version)| held_row(id, path, version)).collect()).to_string();
        let audit = Value::Array(audit.iter().map(|entry| upkeep::audit_row(entry, at)).collect()).to_string();
        let (renamed, runs) = (changes.renamed.clone(), changes.runs.clone());
        self.write(move |tx| {
            async move {
                if !takes_number(tx, &tenant, number).await? {
                    return Ok(());
                }
                renames::carry_out(tx, &tenant, &renamed).await?;
                sqlx::query("DELETE FROM held_definitions WHERE tenant = ?1").bind(&tenant).execute(&mut *tx).await?;
                for (statement, rows) in [
                    (SAVE_VERSIONS, &loaded),
                    (SAVE_CURRENT, &loaded),
                    (REMOVE_CURRENT, &removed),
                    (SAVE_HELD, &held),
                    (upkeep::SAVE_AUDIT, &audit),
                ] {
                    sqlx::query(statement).bind(&tenant).bind(rows).execute(&mut *tx).await?;
                }
                versions::note(tx, &tenant, &runs, at).await
            }
            .boxed()
        })
        .await?;
        self.committed(at);
        Ok(())
    }

    /// Lets go of the versions that were held for these SLOs: their alerts have cleared. Those that were waiting for another name get it. All or nothing,
    /// under a number like `save_definitions`.
    pub async fn release_held(
        &self,
        number: CommitNumber,
        tenant: &TenantId,
        release: &Release,
        at: Timestamp,
        audit: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let tenant = tenant.to_string();
        let Release { slos, renamed, runs } = release.clone();
        let audit = Value::Array(audit.iter().map(|entry| upkeep::audit_row(entry, at)).collect()).to_string();
        let released = Value::Array(slos.iter().map(|id| held_row(id, "", "")).collect()).to_string();
        self.write(move |tx| {
            async move {
                if !takes_number(tx, &tenant, number).await? {
                    return Ok(());
                }
                renames::carry_out(tx, &tenant, &renamed).await?;
                for (statement, rows) in [(RELEASE_HELD, &released), (upkeep::SAVE_AUDIT, &audit)] {
                    sqlx::query(statement).bind(&tenant).bind(rows).execute(&mut *tx).await?;
                }
                versions::note(tx, &tenant, &runs, at).await
            }
            .boxed()
        })
        .await?;
        self.committed(at);
        Ok(())
    }
}

/// A version that ran before keeps the time when it was loaded first.
const SAVE_VERSIONS: &str = "
    INSERT INTO definition_versions (tenant, path, version, text, slos, loaded_at)
    SELECT ?1, value ->> 'path', value ->> 'version', value ->> 'text', value ->> 'slos', value ->> 'loaded_at'
    FROM json_each(?2) WHERE true
    ON CONFLICT (tenant, path, version) DO UPDATE SET slos = excluded.slos";

const SAVE_CURRENT: &str = "
    INSERT INTO definitions (tenant, path, version)
    SELECT ?1, value ->> 'path', value ->> 'version' FROM json_each(?2) WHERE true
    ON CONFLICT (tenant, path) DO UPDATE SET version = excluded.version";

const SAVE_HELD: &str = "
    INSERT INTO held_definitions (tenant, service, slo, path, version)
    SELECT ?1, value ->> 'service', value ->> 'slo', value ->> 'path', value ->> 'version' FROM json_each(?2)";

const RELEASE_HELD: &str = "
    DELETE FROM held_definitions
    WHERE tenant = ?1 AND (service, slo) IN (SELECT value ->> 'service', value ->> 'slo' FROM json_each(?2))";

const REMOVE_CURRENT: &str = "DELETE FROM definitions WHERE tenant = ?1 AND path IN (SELECT value FROM json_each(?2))";

fn definition_row(definition: &StoredDefinition) -> Result<Value, StoreError> {
    Ok(json!({
        "path": definition.path,
        "version": definition.version,
        "text": definition.text,
        "slos": rows::slos(&definition.slos)?,
        "loaded_at": definition.loaded_at.millis(),
    }))
}

fn held_row(id: &SloId, path: &str, version: &str) -> Value {
    json!({ "service": id.service.as_str(), "slo": id.name.as_str(), "path": path, "version": version })
}

pub(super) fn definition(row: &SqliteRow) -> Result<StoredDefinition, StoreError> {
    Ok(StoredDefinition {
        path: row.try_get("path")?,
        text: row.try_get("text")?,
        version: row.try_get("version")?,
        slos: rows::slos_from(row.try_get("slos")?)?,
        loaded_at: time(row, "loaded_at")?,
    })
}
