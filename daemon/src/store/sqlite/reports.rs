//! Reports by schedule: when each fires next, and those that are owed to a channel. A firing and what it owes are committed together, so that each
//! firing leads to one report, whenever the daemon stops.

use burnward_core::{
    id::{PageId, TenantId},
    time::Timestamp,
};
use futures_util::FutureExt;
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, row_limit, time};
use crate::store::{DueReport, OwedReport, ReportTimer, StoreError, rows};

const FORGET_TIMERS: &str = "
    DELETE FROM report_timers
    WHERE NOT EXISTS (SELECT 1 FROM json_each(?1) AS kept WHERE kept.value ->> 'tenant' = tenant AND kept.value ->> 'report' = report)";

const SET_TIMERS: &str = "
    INSERT INTO report_timers (tenant, report, due)
    SELECT value ->> 'tenant', value ->> 'report', value ->> 'due' FROM json_each(?1) WHERE true
    ON CONFLICT (tenant, report) DO UPDATE SET due = excluded.due";

const OWE_REPORT: &str = "
    INSERT INTO outbox (tenant, page, report, recipient, kind, broadcast, is_page, due, decided_at)
    VALUES (?1, ?2, ?3, ?4, 'report', 0, 0, ?5, ?5)
    ON CONFLICT (tenant, page) DO NOTHING";

impl SqliteStore {
    /// When each report fires next.
    pub async fn report_timers(&self) -> Result<Vec<ReportTimer>, StoreError> {
        let rows = sqlx::query("SELECT tenant, report, due FROM report_timers ORDER BY tenant, report").fetch_all(self.readers()).await?;
        rows.iter().map(timer).collect()
    }

    /// Sets when each report fires next, and forgets those that are not named.
    pub async fn set_report_timers(&self, timers: &[ReportTimer]) -> Result<(), StoreError> {
        let all = Value::from(timers.iter().map(timer_row).collect::<Vec<_>>()).to_string();
        let (forget, set) = (sqlx::query(FORGET_TIMERS).bind(all.clone()), sqlx::query(SET_TIMERS).bind(all));
        self.write(move |tx| {
            async move {
                forget.execute(&mut *tx).await?;
                set.execute(&mut *tx).await?;
                Ok(())
            }
            .boxed()
        })
        .await
    }

    /// Commits that a report fired: it is owed, and fires next when its timer says. One that is owed already stays as it is.
    pub async fn fire_report(&self, timer: &ReportTimer, report: &DueReport, now: Timestamp) -> Result<(), StoreError> {
        let set = sqlx::query(SET_TIMERS).bind(Value::from(vec![timer_row(timer)]).to_string());
        let owe = sqlx::query(OWE_REPORT)
            .bind(timer.tenant.to_string())
            .bind(report.page.to_string())
            .bind(rows::report(report)?)
            .bind(rows::recipient(&report.to)?)
            .bind(now.millis());
        self.write(move |tx| {
            async move {
                owe.execute(&mut *tx).await?;
                set.execute(&mut *tx).await?;
                Ok(())
            }
            .boxed()
        })
        .await
    }

    /// The reports of all tenants that are due, at most `limit`, the longest due first.
    pub async fn due_reports(&self, now: Timestamp, limit: usize) -> Result<Vec<OwedReport>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM outbox WHERE state = 'owed' AND is_page = 0 AND kind = 'report' AND due <= ?1 ORDER BY due, id LIMIT ?2",
        )
        .bind(now.millis())
        .bind(row_limit(limit))
        .fetch_all(self.readers())
        .await?;
        rows.iter().map(owed).collect()
    }
}

fn timer_row(timer: &ReportTimer) -> Value {
    json!({ "tenant": timer.tenant.as_str(), "report": timer.report, "due": timer.due.millis() })
}

fn timer(row: &SqliteRow) -> Result<ReportTimer, StoreError> {
    Ok(ReportTimer { tenant: tenant(row)?, report: row.try_get("report")?, due: time(row, "due")? })
}

fn owed(row: &SqliteRow) -> Result<OwedReport, StoreError> {
    let to = rows::recipient_from(row.try_get("recipient")?)?;
    Ok(OwedReport {
        tenant: tenant(row)?,
        report: rows::report_from(PageId::from_text(row.try_get("page")?), to, row.try_get("report")?)?,
        attempts: row.try_get("attempts")?,
        ambiguous: row.try_get("ambiguous")?,
        decided_at: time(row, "decided_at")?,
    })
}

fn tenant(row: &SqliteRow) -> Result<TenantId, StoreError> {
    TenantId::parse(row.try_get("tenant")?).map_err(|error| StoreError::Damaged { what: "report", reason: error.to_string() })
}
