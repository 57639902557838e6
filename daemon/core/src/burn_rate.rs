//! Burn rates: how many times the allowed rate of failures a lookback shows. Decided in integers, shown as floats.

use crate::{ledger::Counts, slo::AlertRow};

/// An alert row with what it was decided from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowBurn {
    /// The row.
    pub row: AlertRow,
    /// What was counted over its long lookback.
    pub long: Counts,
    /// What was counted over its short lookback.
    pub short: Counts,
    /// Burn rate over the long lookback; 0 without traffic.
    pub long_burn: f64,
    /// Burn rate over the short lookback; 0 without traffic.
    pub short_burn: f64,
    /// Both are strictly above the factor.
    pub holds: bool,
}
