//! The alert states, and every change that they went through.

use burnward_core::{
    alert::AlertState,
    id::{BudgetId, NameError, ObjectiveName, ServiceName, SloId, SloName, TenantId},
    time::Timestamp,
};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, maybe_time, row_limit, time};
use crate::store::{AlertChangeRow, StoreError, StoredAlert, rows};

impl SqliteStore {
    /// The alert states of a tenant, cleared ones too.
    pub async fn alerts(&self, tenant: &TenantId) -> Result<Vec<StoredAlert>, StoreError> {
        let rows = sqlx::query("SELECT service, slo, objective, labels, page, ticket, why FROM alerts WHERE tenant = ?1")
            .bind(tenant.as_str())
            .fetch_all(self.readers())
            .await?;
        rows.iter().map(|row| Ok(StoredAlert { budget: budget(tenant, row)?, state: state(row)?, why: row.try_get("why")? })).collect()
    }

    /// The alert states as they were at a moment, of every budget that had changed by then.
    pub async fn alerts_at(&self, tenant: &TenantId, at: Timestamp) -> Result<Vec<(BudgetId, AlertState)>, StoreError> {
        let rows = sqlx::query(STATES_AT).bind(tenant.as_str()).bind(at.millis()).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((budget(tenant, row)?, state(row)?))).collect()
    }

    /// The newest `limit` alert changes from `from` up to and with `to`, oldest first; of one budget or of all.
    pub async fn alert_changes(
        &self,
        tenant: &TenantId,
        budget: Option<&BudgetId>,
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Vec<AlertChangeRow>, StoreError> {
        let (tenant_name, from, to, limit) = (tenant.as_str(), from.millis(), to.millis(), row_limit(limit));
        let query = match budget {
            None => sqlx::query(CHANGES_OF_TENANT).bind(tenant_name).bind(from).bind(to).bind(limit),
            Some(budget) => sqlx::query(CHANGES_OF_BUDGET)
                .bind(tenant_name)
                .bind(from)
                .bind(to)
                .bind(limit)
                .bind(budget.slo.service.as_str())
                .bind(budget.slo.name.as_str())
                .bind(budget.objective.as_str())
                .bind(rows::labels(&budget.group)),
        };
        let found = query.fetch_all(self.readers()).await?;
        found.iter().rev().map(|row| change(tenant, row)).collect()
    }
}

/// The last change of each budget; SQLite takes the other columns from the row of the maximum.
const STATES_AT: &str = "
    SELECT max(id), service, slo, objective, labels, page, ticket FROM alert_changes
    WHERE tenant = ?1 AND at <= ?2
    GROUP BY service, slo, objective, labels";

const CHANGES_OF_TENANT: &str = "
    SELECT at, service, slo, objective, labels, page, ticket, why FROM alert_changes
    WHERE tenant = ?1 AND at BETWEEN ?2 AND ?3
    ORDER BY at DESC, id DESC LIMIT ?4";

const CHANGES_OF_BUDGET: &str = "
    SELECT at, service, slo, objective, labels, page, ticket, why FROM alert_changes
    WHERE tenant = ?1 AND at BETWEEN ?2 AND ?3 AND service = ?5 AND slo = ?6 AND objective = ?7 AND labels = ?8
    ORDER BY at DESC, id DESC LIMIT ?4";

fn change(tenant: &TenantId, row: &SqliteRow) -> Result<AlertChangeRow, StoreError> {
    Ok(AlertChangeRow { at: time(row, "at")?, budget: budget(tenant, row)?, state: state(row)?, why: row.try_get("why")? })
}

fn state(row: &SqliteRow) -> Result<AlertState, sqlx::Error> {
    Ok(AlertState { page: maybe_time(row, "page")?, ticket: maybe_time(row, "ticket")? })
}

fn budget(tenant: &TenantId, row: &SqliteRow) -> Result<BudgetId, StoreError> {
    Ok(BudgetId {
        slo: slo_id(tenant, row)?,
        objective: ObjectiveName::parse(row.try_get("objective")?).map_err(|error| damaged(&error))?,
        group: rows::group(row.try_get("labels")?)?,
    })
}

/// The SLO that the columns `service` and `slo` name.
pub(super) fn slo_id(tenant: &TenantId, row: &SqliteRow) -> Result<SloId, StoreError> {
    Ok(SloId {
        tenant: tenant.clone(),
        service: ServiceName::parse(row.try_get("service")?).map_err(|error| damaged(&error))?,
        name: SloName::parse(row.try_get("slo")?).map_err(|error| damaged(&error))?,
    })
}

fn damaged(error: &NameError) -> StoreError {
    StoreError::Damaged { what: "name", reason: error.to_string() }
}
