//! Which version of each SLO ran from when on.

use std::collections::BTreeMap;

use burnward_core::{
    id::{ServiceName, SloId, TenantId},
    time::Timestamp,
};
use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection};

use super::{SqliteStore, alerts::slo_id, definitions::definition, time};
use crate::store::{RunVersion, StoreError, StoredDefinition};

impl SqliteStore {
    /// The version of each SLO that ran at a moment, by its name of today; of one service or of all.
    pub async fn versions_at(
        &self,
        tenant: &TenantId,
        service: Option<&ServiceName>,
        at: Timestamp,
    ) -> Result<BTreeMap<SloId, RunVersion>, StoreError> {
        let asked = match service {
            Some(service) => sqlx::query(VERSIONS_OF_SERVICE_AT).bind(tenant.as_str()).bind(at.millis()).bind(service.as_str()),
            None => sqlx::query(VERSIONS_AT).bind(tenant.as_str()).bind(at.millis()),
        };
        let rows = asked.fetch_all(self.readers()).await?;
        let renames = self.renames(tenant).await?;
        let mut versions = BTreeMap::new();
        for row in &rows {
            let (called, since) = (slo_id(tenant, row)?, time(row, "at")?);
            let mut id = called.clone();
            renames.slo(&mut id, since);
            // A later name of the same SLO comes later.
            versions.insert(id, RunVersion { called, path: row.try_get("path")?, version: row.try_get("version")?, since });
        }
        Ok(versions)
    }

    /// The first version of each SLO that is known to have run, by its name of today; of one service or of all.
    pub async fn first_versions(
        &self,
        tenant: &TenantId,
        service: Option<&ServiceName>,
    ) -> Result<BTreeMap<SloId, RunVersion>, StoreError> {
        let asked = sqlx::query(FIRST_VERSIONS).bind(tenant.as_str()).bind(service.map(ServiceName::as_str));
        let rows = asked.fetch_all(self.readers()).await?;
        let renames = self.renames(tenant).await?;
        let mut versions = BTreeMap::new();
        for row in &rows {
            let (called, since) = (slo_id(tenant, row)?, time(row, "at")?);
            let mut id = called.clone();
            renames.slo(&mut id, since);
            // An earlier name of the same SLO comes earlier.
            versions.entry(id).or_insert(RunVersion { called, path: row.try_get("path")?, version: row.try_get("version")?, since });
        }
        Ok(versions)
    }

    /// The versions of an SLO that ran up to a moment, newest first, by any name that it had.
    pub async fn versions_of(&self, slo: &SloId, until: Timestamp) -> Result<Vec<RunVersion>, StoreError> {
        let tenant = &slo.tenant;
        let renames = self.renames(tenant).await?;
        let names = Value::Array(renames.names_of(slo).iter().map(|name| json!(name.as_str())).collect()).to_string();
        let asked = sqlx::query(VERSIONS_OF).bind(tenant.as_str()).bind(slo.service.as_str()).bind(names).bind(until.millis());
        let mut versions = Vec::new();
        for row in &asked.fetch_all(self.readers()).await? {
            let (called, since) = (slo_id(tenant, row)?, time(row, "at")?);
            let mut id = called.clone();
            renames.slo(&mut id, since);
            // Another SLO may have taken a name that this one had.
            if id == *slo {
                versions.push(RunVersion { called, path: row.try_get("path")?, version: row.try_get("version")?, since });
            }
        }
        Ok(versions)
    }

    /// The text of a version that ran.
    pub async fn definition_version(&self, tenant: &TenantId, run: &RunVersion) -> Result<Option<StoredDefinition>, StoreError> {
        let row = sqlx::query(
            "SELECT path, version, text, slos, loaded_at FROM definition_versions WHERE tenant = ?1 AND path = ?2 AND version = ?3",
        )
        .bind(tenant.as_str())
        .bind(&run.path)
        .bind(&run.version)
        .fetch_optional(self.readers())
        .await?;
        row.as_ref().map(definition).transpose()
    }
}

/// Notes the versions that run from now on, where another ran before.
pub(super) async fn note(
    tx: &mut SqliteConnection,
    tenant: &str,
    runs: &[(SloId, String, String)],
    at: Timestamp,
) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let rows = Value::Array(runs.iter().map(row).collect()).to_string();
    sqlx::query(NOTE).bind(tenant).bind(&rows).bind(at.millis()).execute(tx).await?;
    Ok(())
}

/// The last of each name; SQLite takes the other columns from the row of the maximum, as it does from that of a minimum.
const VERSIONS_AT: &str = "
    SELECT max(id) AS id, at, service, slo, path, version FROM slo_versions
    WHERE tenant = ?1 AND at <= ?2
    GROUP BY service, slo ORDER BY id";

const VERSIONS_OF_SERVICE_AT: &str = "
    SELECT max(id) AS id, at, service, slo, path, version FROM slo_versions
    WHERE tenant = ?1 AND service = ?3 AND at <= ?2
    GROUP BY service, slo ORDER BY id";

/// Of a name that another SLO took over, one for each that had it.
const FIRST_VERSIONS: &str = "
    SELECT min(id) AS id, at, service, slo, path, version FROM slo_versions
    WHERE tenant = ?1 AND service = coalesce(?2, service)
    GROUP BY service, slo, (
        SELECT count(*) FROM renames
        WHERE tenant = slo_versions.tenant AND service = slo_versions.service AND was = slo_versions.slo AND at < slo_versions.at)
    ORDER BY id";

const VERSIONS_OF: &str = "
    SELECT id, at, service, slo, path, version FROM slo_versions
    WHERE tenant = ?1 AND service = ?2 AND slo IN (SELECT value FROM json_each(?3)) AND at <= ?4
    ORDER BY id DESC";

const NOTE: &str = "
    INSERT INTO slo_versions (tenant, at, service, slo, path, version)
    SELECT ?1, ?3, value ->> 'service', value ->> 'slo', value ->> 'path', value ->> 'version' FROM json_each(?2)
    WHERE (value ->> 'path', value ->> 'version') IS NOT (
        SELECT path, version FROM slo_versions
        WHERE tenant = ?1 AND service = value ->> 'service' AND slo = value ->> 'slo'
        ORDER BY id DESC LIMIT 1)";

fn row((id, path, version): &(SloId, String, String)) -> Value {
    json!({ "service": id.service.as_str(), "slo": id.name.as_str(), "path": path, "version": version })
}
