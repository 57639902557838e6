//! The plan of one source: which queries are asked for a set of SLOs.

use std::sync::Arc;

use crate::{sli::Selector, slo::Slo};

/// What is asked of one source, and which SLO needs which answer.
#[derive(Debug, Clone)]
pub struct Plan {
    queries: Vec<Selector>,
}

impl Plan {
    /// The plan for these SLOs, all of one source.
    pub fn new(_slos: &[Arc<Slo>]) -> Self {
        unimplemented!()
    }

    /// The distinct, widest selectors to ask for; `Read::query` is an index into them.
    pub fn queries(&self) -> &[Selector] {
        &self.queries
    }
}
