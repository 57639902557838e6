//! First SLOs for a service, proposed from the metrics that it has: which of them tell good events from bad (`convention`, `candidate`), and how that is
//! written down (`document`). Metrics come from the text of a metrics endpoint (`endpoint`).
//!
//! Nothing here is decided for anybody: a proposal is a document that a person reads, changes and keeps.

pub mod candidate;
mod convention;
mod cross_check;
pub mod document;
pub mod endpoint;
pub mod family;

pub use candidate::{Candidate, Indicator};
pub use family::{Boundary, Family};

#[cfg(test)]
mod tests;
