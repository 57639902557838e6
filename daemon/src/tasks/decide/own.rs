//! What of a source's answers is counted for one budget.

use burnward_core::{
    id::{Group, SloId},
    ledger::{OwnPart, SourceLedger},
    time::Timestamp,
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
