//! The shapes on disk of what is kept as JSON: incident events with all their facts, faults, recipients, groups and SLO names. They are defined
//! here and not in the core, so that a change of a core type is a compile error in this folder and a decision about stored rows.
//!
//! Reading is tolerant: unknown fields are skipped and optional ones may be missing, so that a shape can grow. Ratios are whole numbers, floats come
//! back bit for bit, names are checked again.

mod correction;
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
mod event;
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
mod facts;
mod report;
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
mod values;

use burnward_core::{
    exclusion::{Correction, ExclusionId},
    id::{Group, PageId, SloId},
    incident::{FaultKey, IncidentEvent},
    oncall::Recipient,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{DueReport, StoreError};

/// An event's actor and what happened, as JSON; position and time have columns of their own.
pub(super) fn event(event: &IncidentEvent) -> Result<String, StoreError> {
    written("incident event", &event::EventRow::of(event))
}

/// The event that [`event()`] wrote.
pub(super) fn event_from(seq: u32, at: Timestamp, data: &str) -> Result<IncidentEvent, StoreError> {
    let row: event::EventRow = read("incident event", data)?;
    row.into_event(seq, at).map_err(|reason| StoreError::Damaged { what: "incident event", reason })
}

/// A fault as JSON; the same fault is always the same text.
pub(super) fn fault(fault: &FaultKey) -> Result<String, StoreError> {
    written("fault", &values::Fault(fault.clone()))
}

/// The fault that [`fault`] wrote.
pub(super) fn fault_from(data: &str) -> Result<FaultKey, StoreError> {
    read("fault", data).map(|values::Fault(fault)| fault)
}

/// A recipient as JSON.
pub(super) fn recipient(to: &Recipient) -> Result<String, StoreError> {
    written("recipient", &values::To(to.clone()))
}

/// The recipient that [`recipient`] wrote.
pub(super) fn recipient_from(data: &str) -> Result<Recipient, StoreError> {
    read("recipient", data).map(|values::To(to)| to)
}

/// A report that is owed, as JSON, without its identity and recipient.
pub(super) fn report(report: &DueReport) -> Result<String, StoreError> {
    written("report", &report::ReportRow::from(report))
}

/// The report that [`report()`] wrote.
pub(super) fn report_from(page: PageId, to: Recipient, data: &str) -> Result<DueReport, StoreError> {
    let row: report::ReportRow = read("report", data)?;
    row.into_report(page, to).map_err(|reason| StoreError::Damaged { what: "report", reason })
}

/// A group's labels as JSON, sorted; the same group is always the same text.
pub(super) fn labels(group: &Group) -> String {
    serde_json::json!(group.labels()).to_string()
}

/// The group that [`labels`] wrote.
pub(super) fn group(data: &str) -> Result<Group, StoreError> {
    read("group", data).map(Group::new)
}

/// SLO identities as JSON.
pub(super) fn slos(ids: &[SloId]) -> Result<String, StoreError> {
    written("list of SLOs", &values::Slos(ids.to_vec()))
}

/// The identities that [`slos`] wrote.
pub(super) fn slos_from(data: &str) -> Result<Vec<SloId>, StoreError> {
    read("list of SLOs", data).map(|values::Slos(ids)| ids)
}

/// A correction as JSON; its time and the exclusion have columns of their own.
pub(super) fn correction(correction: &Correction) -> Result<String, StoreError> {
    written("correction", &correction::CorrectionRow::of(correction))
}

/// The correction that [`correction()`] wrote.
pub(super) fn correction_from(id: ExclusionId, data: &str) -> Result<Correction, StoreError> {
    let row: correction::CorrectionRow = read("correction", data)?;
    row.into_correction(id).map_err(|reason| StoreError::Damaged { what: "correction", reason })
}

fn written<T: Serialize>(what: &'static str, row: &T) -> Result<String, StoreError> {
    serde_json::to_string(row).map_err(|error| StoreError::Refused { reason: format!("a {what} cannot be written: {error}") })
}

fn read<'a, T: Deserialize<'a>>(what: &'static str, data: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(data).map_err(|error| StoreError::Damaged { what, reason: error.to_string() })
}

#[cfg(test)]
mod tests;
