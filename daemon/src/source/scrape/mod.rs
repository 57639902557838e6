//! Targets that we read ourselves, for the demo and for small installations without a Prometheus.

use burnward_core::{ledger::Unknown, sli::Selector, time::Timestamp};

use super::{Answer, Probe};
use crate::config::ScrapeConfig;

/// The scraper and its recent samples.
#[derive(Debug)]
pub struct Scrape;

impl Scrape {
    /// A scraper as configured. Reads nothing yet.
    pub fn new(_config: &ScrapeConfig) -> anyhow::Result<Self> {
        unimplemented!()
    }

    /// Scrapes every target once and keeps the samples; called at the configured interval.
    pub async fn scrape(&self, _now: Timestamp) {
        unimplemented!()
    }

    /// Kept samples with `from < timestamp <= to`.
    pub fn read(&self, _selector: &Selector, _from: Timestamp, _to: Timestamp) -> Result<Answer, Unknown> {
        unimplemented!()
    }

    /// What it is like.
    pub fn probe(&self, _now: Timestamp) -> Result<Probe, Unknown> {
        unimplemented!()
    }
}
