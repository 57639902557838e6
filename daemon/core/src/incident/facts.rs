//! The inputs of a decision, kept with it.

use std::time::Duration;

use crate::{budget::BudgetLeft, burn_rate::RowBurn, id::SloId, ledger::Unknown, sli::Sli, time::Timestamp, units::Target, window::Window};

/// What was known when an alert fired: the inputs of the decision, kept with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// Of a burning budget.
    Burn(Box<BurnFacts>),
    /// Of a blind source or SLO.
    Blind(BlindFacts),
    /// Of a test.
    Test(TestFacts),
}

impl Facts {
    /// When the burn or blindness began, as far as it is known.
    pub fn began(&self) -> Timestamp {
        match self {
            Self::Burn(burn) => burn.began,
            Self::Blind(blind) => blind.since,
            Self::Test(test) => test.at,
        }
    }
}

/// What a bad event is, in a word for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symptom {
    /// It failed.
    Failing,
    /// It took longer than promised.
    TooSlow,
    /// A probe that failed.
    Down,
    /// A slice of time in which too many events were bad.
    Downtime,
    /// A slice of time in which nothing was there.
    Missing,
    /// A slice of time in which a value did not compare as promised.
    OutOfBounds,
    /// A slice of time in which a member of a journey failed.
    Broken,
}

impl Symptom {
    /// The symptom that an SLI's bad events are.
    pub const fn of(sli: &Sli) -> Self {
        match sli {
            Sli::Events { .. } | Sli::Query { .. } => Self::Failing,
            Sli::Latency { .. } => Self::TooSlow,
            Sli::Probe { .. } => Self::Down,
            Sli::Presence { .. } => Self::Missing,
            Sli::Window { .. } => Self::OutOfBounds,
            Sli::Composite(_) => Self::Broken,
        }
    }
}

/// The inputs of the decision that a budget burns.
#[derive(Debug, Clone, PartialEq)]
pub struct BurnFacts {
    /// What the SLO promises, in words.
    pub title: String,
    /// What its bad events are.
    pub symptom: Symptom,
    /// The objective's target.
    pub target: Target,
    /// The objective's window.
    pub window: Window,
    /// The row that fired, with its arithmetic.
    pub fired: RowBurn,
    /// When the burn began, as far as the slices show it.
    pub began: Timestamp,
    /// The budget at that moment.
    pub left: BudgetLeft,
    /// Share of the window that was seen by then, 0 to 1; `None` in facts that were kept before they held it.
    pub coverage: Option<f64>,
    /// How long the rest lasts at the rate of the fired row's short lookback; `None` when spent or not burning.
    pub runs_out: Option<Duration>,
    /// Timestamp of the newest sample that the decision saw.
    pub as_of: Timestamp,
    /// The members that made a journey burn over the fired row's long lookback, the worst first; empty for any other SLI.
    pub members: Vec<MemberShare>,
}

/// What a member of a journey did to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberShare {
    /// Which SLO.
    pub slo: SloId,
    /// What it cost the journey, in the unit of the fired row. Where several members of `all-of` are bad at once, it counts for each.
    pub cost: i64,
}

/// The inputs of the decision that we cannot see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindFacts {
    /// Why.
    pub unknown: Unknown,
    /// Since when.
    pub since: Timestamp,
    /// The SLOs that are hidden by it.
    pub hides: Vec<SloId>,
}

/// Who tries the way of a page, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFacts {
    /// Who asked for it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
