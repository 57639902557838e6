//! The HTTP API of Prometheus, or what speaks it.

use std::time::Duration;

use burnward_core::{ledger::Unknown, sli::Selector, time::Timestamp};

use super::{Answer, Probe};
use crate::config::PrometheusConfig;

/// A client of one Prometheus.
#[derive(Debug)]
pub struct Prometheus;

impl Prometheus {
    /// A client as configured. Asks nothing yet.
    pub fn new(_config: &PrometheusConfig) -> anyhow::Result<Self> {
        unimplemented!()
    }

    /// Raw samples with `from < timestamp <= to`.
    pub async fn read(&self, _selector: &Selector, _from: Timestamp, _to: Timestamp) -> Result<Answer, Unknown> {
        unimplemented!()
    }

    /// Values at every `step`.
    pub async fn read_steps(&self, _selector: &Selector, _from: Timestamp, _to: Timestamp, _step: Duration) -> Result<Answer, Unknown> {
        unimplemented!()
    }

    /// Asks what it is like.
    pub async fn probe(&self, _now: Timestamp) -> Result<Probe, Unknown> {
        unimplemented!()
    }
}
