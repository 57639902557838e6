//! When an alert row holds. One rule, in exact integers and without a figure: decisions are taken by it, and explanations tell what it said.
//!
//! A row holds where the failed share is above `factor x (1 - target)` over both lookbacks. It is held back while that may be the youth of what is counted, or
//! chance.

use std::time::Duration;

use crate::{
    burn_rate::Limit,
    chance,
    ledger::Counts,
    slo::{AlertRow, LowTraffic, Urgency},
    units::{EventUnit, Target},
};

/// A row with all that its rule takes, ready to be judged again and again.
#[derive(Debug, Clone, Copy)]
pub struct Condition {
    pub(crate) row: AlertRow,
    pub(crate) target: Target,
    /// What the counts are numbers of.
    pub(crate) unit: EventUnit,
    limit: Limit,
    /// Whether failures that may be chance hold it back.
    guarded: bool,
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// One of its lookbacks is not above the factor.
    Quiet,
    /// It holds.
    Holds,
    /// Both are above, and had the time of the long one that is not counted no failure, that would not be.
    Young,
    /// Both are above, and so few events may fail by chance.
    Chance,
}

impl Condition {
    /// Of a row whose counts are numbers of this unit. Page rows are held back while their failures may be chance. The seconds of a slice are one
    /// verdict and no independent events: nothing is held back there.
    pub fn of(row: AlertRow, target: Target, low_traffic: LowTraffic, unit: EventUnit) -> Self {
        let independent = match unit {
            EventUnit::Event | EventUnit::Millionth => true,
            EventUnit::Second => false,
        };
        let guarded = independent && row.urgency == Urgency::Page && low_traffic == LowTraffic::Exact;
        Self { row, target, unit, limit: Limit::of(row.factor, target), guarded }
    }

    /// By the burn rates alone.
    pub fn by_rates(row: AlertRow, target: Target) -> Self {
        Self::of(row, target, LowTraffic::Off, EventUnit::Event)
    }

    /// What the row says of its lookbacks, of which so much time is counted. The long one is asked for where the short one leaves the question open.
    pub fn judge(&self, short: &Counts, long: impl FnOnce() -> Counts, counted: Duration) -> Says {
        if !self.limit.is_exceeded(short) {
            return Says::Quiet;
        }
        let long = &long();
        if !self.limit.is_exceeded(long) {
            Says::Quiet
        } else if counted < self.row.long && !self.limit.of_part(counted, self.row.long).is_exceeded(long) {
            Says::Young
        } else if self.guarded && chance::may_be(*long, self.unit, self.target) {
            Says::Chance
        } else {
            Says::Holds
        }
    }
}
