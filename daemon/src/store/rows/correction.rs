//! What people took out of budgets, and took back.

use std::time::Duration;

use burnward_core::{
    exclusion::{Correction, Entry, ExclusionId, Owner, Recurrence, Scope, When},
    id::{Group, IncidentId},
    time::Timestamp,
    window::Interval,
};
use serde::{Deserialize, Serialize};

/// A correction without its time and the exclusion that it is about.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CorrectionRow {
    Excluded(Box<ExcludedRow>),
    Withdrawn { reason: String, author: String },
}

#[derive(Serialize, Deserialize)]
pub(super) struct ExcludedRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objective: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    group: Vec<(String, String)>,
    when: WhenRow,
    reason: String,
    author: String,
    approver: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WhenRow {
    Once { from: i64, to: i64 },
    Recurring { rule: String, zone: String, lasts_millis: u64, from: i64, until: Option<i64> },
}

impl CorrectionRow {
    pub(super) fn of(correction: &Correction) -> Self {
        match correction {
            Correction::Excluded(entry) => Self::Excluded(Box::new(ExcludedRow::of(entry))),
            Correction::Withdrawn { id: _, reason, author } => Self::Withdrawn { reason: reason.clone(), author: author.clone() },
        }
    }

    /// The correction of an exclusion; a sentence where a name is none.
    pub(super) fn into_correction(self, id: ExclusionId) -> Result<Correction, String> {
        match self {
            Self::Excluded(row) => row.into_entry(id).map(|entry| Correction::Excluded(Box::new(entry))),
            Self::Withdrawn { reason, author } => Ok(Correction::Withdrawn { id, reason, author }),
        }
    }
}

impl ExcludedRow {
    fn of(entry: &Entry) -> Self {
        let (service, slo, objective) = entry.scope.of.parts();
        Self {
            service: service.map(ToString::to_string),
            slo: slo.map(ToString::to_string),
            objective: objective.map(ToString::to_string),
            group: entry.scope.group.labels().to_vec(),
            when: WhenRow::of(&entry.when),
            reason: entry.reason.clone(),
            author: entry.author.clone(),
            approver: entry.approver.clone(),
            incident: entry.incident.as_ref().map(ToString::to_string),
        }
    }

    fn into_entry(self, id: ExclusionId) -> Result<Entry, String> {
        let of = Owner::parse((self.service.as_deref(), self.slo.as_deref(), self.objective.as_deref()));
        let of = of.map_err(|error| error.to_string())?.ok_or("a part of what it is about is missing")?;
        Ok(Entry {
            id,
            scope: Scope { of, group: Group::new(self.group) },
            when: self.when.into_when(),
            reason: self.reason,
            author: self.author,
            approver: self.approver,
            incident: self.incident.as_deref().map(IncidentId::from_text),
        })
    }
}

impl WhenRow {
    fn of(when: &When) -> Self {
        match when {
            When::Once(Interval { from, to }) => Self::Once { from: from.millis(), to: to.millis() },
            When::Recurring(Recurrence { rule, zone, lasts, from, until }) => Self::Recurring {
                rule: rule.clone(),
                zone: zone.clone(),
                lasts_millis: u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX),
                from: from.millis(),
                until: until.map(Timestamp::millis),
            },
        }
    }

    fn into_when(self) -> When {
        let at = Timestamp::from_millis;
        match self {
            Self::Once { from, to } => When::Once(Interval { from: at(from), to: at(to) }),
            Self::Recurring { rule, zone, lasts_millis, from, until } => {
                When::Recurring(Recurrence { rule, zone, lasts: Duration::from_millis(lasts_millis), from: at(from), until: until.map(at) })
            }
        }
    }
}
