//! The definitions that ran last, and every version that ever ran.

use burnward_core::{id::TenantId, time::Timestamp};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, time, upkeep};
use crate::store::{AuditEntry, StoreError, StoredDefinition, rows};

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

    /// Makes `loaded` the last good versions of their files, and takes the files `removed` out of what runs, with the audit of it. Versions that ran
    /// before stay in the history.
    pub async fn save_definitions(
        &self,
        tenant: &TenantId,
        loaded: &[StoredDefinition],
        removed: &[String],
        at: Timestamp,
        audit: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let tenant = tenant.to_string();
        let loaded = Value::Array(loaded.iter().map(definition_row).collect::<Result<_, _>>()?).to_string();
        let removed = json!(removed).to_string();
        let audit = Value::Array(audit.iter().map(|entry| upkeep::audit_row(entry, at)).collect()).to_string();
        self.write(move |tx| {
            async move {
                for (statement, rows) in
                    [(SAVE_VERSIONS, &loaded), (SAVE_CURRENT, &loaded), (REMOVE_CURRENT, &removed), (upkeep::SAVE_AUDIT, &audit)]
                {
                    sqlx::query(statement).bind(&tenant).bind(rows).execute(&mut *tx).await?;
                }
                Ok(())
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

fn definition(row: &SqliteRow) -> Result<StoredDefinition, StoreError> {
    Ok(StoredDefinition {
        path: row.try_get("path")?,
        text: row.try_get("text")?,
        version: row.try_get("version")?,
        slos: rows::slos_from(row.try_get("slos")?)?,
        loaded_at: time(row, "loaded_at")?,
    })
}
