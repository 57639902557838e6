//! First SLOs for a service, proposed from the metrics that it has: which of them tell good events from bad (`convention`, `candidate`), which target
//! the last weeks suggest (`measure`, `ladder`, `reason`), and how that is written down (`document`). Metrics come from the text of a metrics endpoint
//! (`endpoint`) or from a Prometheus (`catalogue`).
//!
//! Nothing here is decided for anybody: a proposal is a document that a person reads, changes and keeps.

pub mod candidate;
pub mod catalogue;
mod convention;
mod cross_check;
pub mod document;
pub mod endpoint;
pub mod family;
pub mod ladder;
pub mod measure;
mod pair;
pub mod reason;

pub use candidate::{Candidate, Indicator};
pub use family::{Boundary, Family};

#[cfg(test)]
mod tests;
