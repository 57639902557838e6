//! Error budgets: what an objective allows, what was spent, what is left.

use std::time::Duration;

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetLeft {
    /// Share of the budget that is left; 1 untouched, 0 spent, negative overspent.
    pub ratio: f64,
    /// The same as time of total outage within the window, in seconds; negative when overspent. 99.9 % over 30 days: 2,592 s in all.
    pub seconds: f64,
    /// The whole budget as such time.
    pub whole: Duration,
}
