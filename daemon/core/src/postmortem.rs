//! The postmortem draft: what can be computed from an incident's events; everything else is marked unknown, never invented.

use std::time::Duration;

use crate::{
    id::{BudgetId, IncidentId},
    incident::{Incident, IncidentEvent},
    ledger::Counts,
    time::Timestamp,
    timeline::Entry,
};

/// The facts of a postmortem draft.
#[derive(Debug, Clone, PartialEq)]
pub struct PostmortemDraft {
    /// Of which incident.
    pub incident: IncidentId,
    /// Title in user words.
    pub title: String,
    /// Milestones, in order; unknown ones are `None`.
    pub milestones: Milestones,
    /// What each budget lost.
    pub impact: Vec<BudgetImpact>,
    /// How many pages were sent, and to whom.
    pub pages: Vec<PageSent>,
    /// The timeline.
    pub timeline: Vec<Entry>,
}

/// When what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milestones {
    /// First bad slice.
    pub began: Timestamp,
    /// The alert fired.
    pub detected: Timestamp,
    /// The first page was delivered.
    pub paged: Option<Timestamp>,
    /// Somebody acknowledged for the first time.
    pub acknowledged: Option<Timestamp>,
    /// It was resolved for the last time.
    pub resolved: Option<Timestamp>,
}

impl Milestones {
    /// Time to detect: detected - began.
    pub fn to_detect(&self) -> Duration {
        self.detected.since(self.began)
    }

    /// Time to acknowledge: acknowledged - paged.
    pub fn to_acknowledge(&self) -> Option<Duration> {
        Some(self.acknowledged?.since(self.paged?))
    }

    /// Time to resolve: resolved - began.
    pub fn to_resolve(&self) -> Option<Duration> {
        Some(self.resolved?.since(self.began))
    }
}

/// What one budget lost in an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetImpact {
    /// Which budget.
    pub budget: BudgetId,
    /// What was counted from `began` to `resolved` (or until now).
    pub counts: Counts,
    /// Share of the window's budget that the bad events of that time are; `None` without traffic.
    pub spent: Option<f64>,
}

/// A page that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSent {
    /// To whom.
    pub to: String,
    /// When it was decided.
    pub decided: Timestamp,
    /// When it arrived; `None`: it did not.
    pub delivered: Option<Timestamp>,
}

/// The draft from an incident, its events and the ledger's counts per budget.
pub fn draft(_incident: &Incident, _events: &[IncidentEvent], _impact: Vec<BudgetImpact>) -> PostmortemDraft {
    unimplemented!()
}
