//! What people took out of budgets: the whole record of a tenant, in its order.

use burnward_core::{
    exclusion::{Correction, ExclusionId, Recorded},
    id::TenantId,
    rename::Renames,
    time::Timestamp,
};
use serde_json::{Value, json};
use sqlx::{Row, sqlite::SqliteRow};

use super::{SqliteStore, time};
use crate::store::{StoreError, rows};

/// Writes corrections. One that is recorded twice, or withdraws what was never recorded, refuses the whole commit.
pub(super) const SAVE_CORRECTIONS: &str = "
    INSERT INTO corrections (tenant, at, exclusion, kind, data)
    SELECT ?1, value ->> 'at', value ->> 'exclusion', value ->> 'kind', value ->> 'data'
    FROM json_each(?2) ORDER BY key";

impl SqliteStore {
    /// Everything that was recorded of exclusions, oldest first.
    pub async fn corrections(&self, tenant: &TenantId) -> Result<Vec<Recorded>, StoreError> {
        let rows = sqlx::query("SELECT at, exclusion, data FROM corrections WHERE tenant = ?1 ORDER BY id")
            .bind(tenant.as_str())
            .fetch_all(self.readers())
            .await?;
        let renames = self.renames(tenant).await?;
        rows.iter().map(|row| recorded(row, &renames)).collect()
    }
}

fn recorded(row: &SqliteRow, renames: &Renames) -> Result<Recorded, StoreError> {
    let id: i64 = row.try_get("exclusion")?;
    let at = time(row, "at")?;
    let mut what = rows::correction_from(ExclusionId(u64::try_from(id).unwrap_or(0)), row.try_get("data")?)?;
    if let Correction::Excluded(entry) = &mut what {
        renames.scope(&mut entry.scope, at);
    }
    Ok(Recorded { at, what })
}

/// A row for [`SAVE_CORRECTIONS`].
pub(super) fn correction_row(correction: &Correction, at: Timestamp) -> Result<Value, StoreError> {
    let (id, kind) = match correction {
        Correction::Excluded(entry) => (entry.id, "excluded"),
        Correction::Withdrawn { id, .. } => (*id, "withdrawn"),
    };
    Ok(json!({ "at": at.millis(), "exclusion": id.0, "kind": kind, "data": rows::correction(correction)? }))
}
