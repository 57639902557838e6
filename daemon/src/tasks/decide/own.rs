//! What of a source's answers is counted for one budget.

use burnward_core::{
    id::{BudgetId, Group, SloId},
    ledger::{FirstValuesWithin, OwnPart, SourceLedger},
    time::Timestamp,
    window::Interval,
};

/// What is read for a group of an SLO.
#[derive(Debug, Clone)]
pub struct Own {
    /// The parts of its SLI.
    pub parts: Vec<OwnPart>,
    /// Up to where its samples are settled.
    pub settled: Option<Timestamp>,
}

impl Own {
    /// As the ledger knows it.
    pub(super) fn of(ledger: &SourceLedger, slo: &SloId, group: &Group) -> Self {
        Self { parts: ledger.own_parts(slo, group), settled: ledger.settled(slo) }
    }
}

/// How the first values of a budget's counters were taken that came within each of these stretches; none where nothing is counted of it.
pub(super) fn first_values(ledger: &SourceLedger, budget: &BudgetId, stretches: &[Interval]) -> Vec<FirstValuesWithin> {
    let within = |over: &Interval| ledger.first_values(&budget.slo, &budget.group, over.from, over.to);
    stretches.iter().map_while(within).collect()
}
