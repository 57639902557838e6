//! The shapes of the API: what goes over the wire, read back by the command line. Times are RFC 3339 in UTC, ratios between 0 and 1, spans in seconds; the
//! unit ends the name where a number could be misread.

mod budget;
mod definitions;
mod detection;
mod downtime;
mod events;
mod exclusion;
mod explained;
mod incident;
mod incident_now;
mod member;
mod postmortem;
mod report;
mod shadow;
mod slo;
mod status;

use burnward_core::{slo::Urgency, time::Timestamp};
use jiff::Timestamp as Instant;

pub use budget::{Budget, Budgets, Row, TellsNobody, UnseenShare, Why, budget_key};
pub use definitions::{RunningDefinition, RunningDefinitions, RunningStep, RunningTeam};
pub use detection::{
    DetectionBand, DetectionPoint, FailuresThatPage, LowTraffic, ObjectiveDetection, RowTable, RowThatWaits, SeenBy, SloDetection,
};
pub use downtime::{Downtime, DowntimeSpell};
pub use events::Events;
pub use exclusion::{Asked, ExcludedShare, ExclusionBody, ExclusionState, Stretch, WithdrawalBody, Withdrawn};
pub use explained::{Definition, DefinitionBefore, DefinitionChange, ReadPart, Reading, SourcePlace, TakenOut, Told};
pub use incident::{
    Alert, CommandOutcome, FalsePositiveBody, IncidentDetail, IncidentState, NoteBody, PageDelivery, TestPageBody, TimelineEntry,
};
pub use incident_now::{BurnNow, IncidentNow};
pub use member::JourneyMember;
pub use postmortem::{Impact, Postmortem};
pub use report::{
    BlindStretch, IncidentSpend, ReportedBudget, ReportedBurn, ReportedCorrections, ReportedFalsePositive, ReportedMember, ReportedPerson,
    ReportedTeam, ReportedTimes, WeekReport,
};
pub use shadow::{ShadowAlert, ShadowIncident, ShadowList, ShadowScore, ShadowSlo, ShadowSpan};
pub use slo::{
    AlertChange, BurnDown, BurnDownPeriod, BurnDownPoint, CalendarPeriod, ExplainedBudget, ExplainedRow, FiguresReach, FirstValuesTaken,
    HeldVersion, Policy, SloDetail, SloExplanation, VersionRan, no_data_words,
};
pub use status::{Fault, Outbox, Query, SourceState, Status, Undelivered};

/// A core instant as text: RFC 3339 in UTC with milliseconds.
pub fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.millis()).unwrap_or(Instant::UNIX_EPOCH)
}

/// The urgency as a stable word.
pub const fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    }
}
