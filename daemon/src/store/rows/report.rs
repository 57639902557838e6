//! A report that is owed.

use burnward_core::{
    id::{PageId, TeamName},
    oncall::Recipient,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::store::DueReport;

/// What the outbox keeps of a report beside its columns.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReportRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<String>,
    timezone: String,
    fired_at: i64,
    #[serde(default)]
    missed: usize,
}

impl From<&DueReport> for ReportRow {
    fn from(report: &DueReport) -> Self {
        let DueReport { page: _, team, timezone, fired_at, missed, to: _ } = report;
        Self { team: team.as_ref().map(ToString::to_string), timezone: timezone.clone(), fired_at: fired_at.millis(), missed: *missed }
    }
}

impl ReportRow {
    /// The report with what stands in columns of its own.
    pub(super) fn into_report(self, page: PageId, to: Recipient) -> Result<DueReport, String> {
        let Self { team, timezone, fired_at, missed } = self;
        let team = team.as_deref().map(TeamName::parse).transpose().map_err(|error| error.to_string())?;
        Ok(DueReport { page, team, timezone, fired_at: Timestamp::from_millis(fired_at), missed, to })
    }
}
