//! Alerts: the condition of one budget, per urgency, and the step from one state to the next.

use crate::{incident::Facts, slo::Urgency, time::Timestamp};

/// The alert states of one budget. A page and a ticket are separate: ticket rows never hold a page open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertState {
    /// Since when a page holds.
    pub page: Option<Timestamp>,
    /// Since when a ticket holds.
    pub ticket: Option<Timestamp>,
}

/// A change of one alert, with its reason and the inputs it was decided from.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertChange {
    /// Page or ticket.
    pub urgency: Urgency,
    /// What changed.
    pub change: Change,
    /// The arithmetic in one line, for `explain` and the audit.
    pub why: String,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It fires.
    Fired(Facts),
    /// It is over.
    Cleared,
}
