//! Service level indicators: which counters hold the good and the bad events of an SLO.

pub mod dialect;
mod labels;
pub mod selector;

pub use dialect::Dialect;
pub use labels::Labels;
pub use selector::{CompiledSelector, MatchOp, Matcher, Selector};

/// What counts as good and bad.
#[derive(Debug, Clone, PartialEq)]
pub enum Sli {
    /// Counters of bad (or good) and of all events. The selectors of a side are summed.
    Events {
        /// Which side is counted beside the total.
        counted: Counted,
        /// All events.
        total: Vec<Selector>,
    },
    /// A classic histogram: an observation is good if it is at most `within`, which must be a bucket boundary.
    Latency {
        /// The `_bucket` series, without a matcher on `le`.
        buckets: Selector,
        /// The boundary, in the histogram's unit (seconds by convention).
        within: f64,
    },
}

/// The side of the events that is counted directly; the other is the rest of the total.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    /// Bad events.
    Bad(Vec<Selector>),
    /// Good events.
    Good(Vec<Selector>),
}

impl Sli {
    /// Every selector that it reads.
    pub fn selectors(&self) -> Vec<&Selector> {
        match self {
            Self::Events { counted: Counted::Bad(side) | Counted::Good(side), total } => side.iter().chain(total).collect(),
            Self::Latency { buckets, .. } => vec![buckets],
        }
    }
}
