//! Service level indicators: which counters hold the good and the bad events of an SLO, or which expressions yield them.

use std::time::Duration;

use crate::{id::Group, units::EventUnit};
use composite::Members;

pub mod composite;
pub mod dialect;
pub mod expression;
mod labels;
pub mod selector;

pub use composite::{Composite, Weight};
pub use dialect::Dialect;
pub use expression::{Comparison, Expression};
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
    /// A histogram: an observation is good if it is at most `within`, and half good if it is at most `tolerated`. Of a classic one both must be bucket
    /// boundaries; of a native one what lies in the bucket that holds `within` is taken for half good.
    Latency {
        /// The series: of a classic histogram its `_bucket`, without a matcher on `le`; of a native one itself.
        buckets: Selector,
        /// How it keeps its observations.
        kind: HistogramKind,
        /// The boundary of good, in the histogram's unit (seconds by convention).
        within: f64,
        /// The boundary of what counts half, above `within`; of a native histogram none.
        tolerated: Option<f64>,
    },
    /// Gauges of 0 and 1: every sample is an event, good above one half. The selectors are summed.
    Probe {
        /// The gauges.
        probes: Vec<Selector>,
    },
    /// Slices of time: one is good if a series of the selector has a sample in it, bad if none has while the source was seen. Each slice is an event.
    Presence {
        /// What must exist.
        series: Selector,
        /// Length of a slice: 10 s to 5 min, whole multiples of 10 s.
        slice: Duration,
        /// The groups that must exist, from the start and no others; empty: each is awaited from when it is first seen.
        expected: Vec<Group>,
    },
    /// Slices of time: one is good if the value at its end compares as promised. Each slice is an event.
    Window {
        /// What is compared: one value for each group.
        expression: Expression,
        /// How the value must stand to the threshold.
        is: Comparison,
        /// What it is compared with; finite.
        threshold: f64,
        /// Length of a slice; divides an hour.
        slice: Duration,
    },
    /// Events of each step as expressions yield them, in millionths of an event.
    Query {
        /// Which side is asked for beside the total.
        counted: Counted<Expression>,
        /// All events of one step.
        total: Expression,
        /// The step; divides an hour.
        step: Duration,
    },
    /// A journey that other SLOs make up: each slice of time is an event, of weighted members in millionths.
    Composite(Composite),
}

/// How a histogram keeps its observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistogramKind {
    /// As a series for each bucket boundary.
    Classic,
    /// As one series, whose samples hold all buckets.
    Native,
}

/// The side of the events that is counted directly; the other is the rest of the total.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted<T = Vec<Selector>> {
    /// Bad events.
    Bad(T),
    /// Good events.
    Good(T),
}

impl Sli {
    /// Every selector that it reads; expressions hold their own.
    pub fn selectors(&self) -> Vec<&Selector> {
        match self {
            Self::Events { counted: Counted::Bad(side) | Counted::Good(side), total } => side.iter().chain(total).collect(),
            Self::Latency { buckets, .. } => vec![buckets],
            Self::Probe { probes } => probes.iter().collect(),
            Self::Presence { series, .. } => vec![series],
            Self::Window { .. } | Self::Query { .. } | Self::Composite(_) => Vec::new(),
        }
    }

    /// Every expression that it asks for.
    pub fn expressions(&self) -> Vec<&Expression> {
        match self {
            Self::Events { .. } | Self::Latency { .. } | Self::Probe { .. } | Self::Presence { .. } | Self::Composite(_) => Vec::new(),
            Self::Window { expression, .. } => vec![expression],
            Self::Query { counted: Counted::Bad(side) | Counted::Good(side), total, .. } => vec![side, total],
        }
    }

    /// Whether there can be nothing to count although all is well: of probes and slices of time there is always the next.
    pub const fn can_be_silent(&self) -> bool {
        match self {
            Self::Events { .. } | Self::Latency { .. } | Self::Query { .. } => true,
            Self::Probe { .. } | Self::Presence { .. } | Self::Window { .. } | Self::Composite(_) => false,
        }
    }

    /// Whether it is counted from counters, which have a first value.
    pub const fn counts_counters(&self) -> bool {
        match self {
            Self::Events { .. } | Self::Latency { .. } => true,
            Self::Probe { .. } | Self::Presence { .. } | Self::Window { .. } | Self::Query { .. } | Self::Composite(_) => false,
        }
    }

    /// The threshold that the observations of a native histogram are judged by; `None` for any other kind.
    pub const fn native_threshold(&self) -> Option<f64> {
        match self {
            Self::Latency { kind: HistogramKind::Native, within, .. } => Some(*within),
            Self::Latency { kind: HistogramKind::Classic, .. }
            | Self::Events { .. }
            | Self::Probe { .. }
            | Self::Presence { .. }
            | Self::Window { .. }
            | Self::Query { .. }
            | Self::Composite(_) => None,
        }
    }

    /// What the ledger's numbers of it are.
    pub const fn unit(&self) -> EventUnit {
        match self {
            Self::Events { .. } | Self::Latency { .. } | Self::Probe { .. } | Self::Presence { .. } | Self::Window { .. } => {
                EventUnit::Event
            }
            Self::Composite(Composite { members: Members::AllOf(_), .. }) => EventUnit::Event,
            Self::Query { .. } | Self::Composite(Composite { members: Members::Weighted(_), .. }) => EventUnit::Millionth,
        }
    }

    /// The spacing of the instants at which its expressions are asked for; `None` where raw samples are read.
    pub const fn step(&self) -> Option<Duration> {
        match self {
            Self::Events { .. } | Self::Latency { .. } | Self::Probe { .. } | Self::Presence { .. } | Self::Composite(_) => None,
            Self::Window { slice: step, .. } | Self::Query { step, .. } => Some(*step),
        }
    }

    /// What it is made of, where it is made of other SLOs.
    pub const fn composite(&self) -> Option<&Composite> {
        match self {
            Self::Composite(composite) => Some(composite),
            Self::Events { .. }
            | Self::Latency { .. }
            | Self::Probe { .. }
            | Self::Presence { .. }
            | Self::Window { .. }
            | Self::Query { .. } => None,
        }
    }

    /// How long the slices of time are that are its events; `None` where events are counted as they happen.
    pub const fn slice(&self) -> Option<Duration> {
        match self {
            Self::Presence { slice, .. } | Self::Window { slice, .. } | Self::Composite(Composite { slice, .. }) => Some(*slice),
            Self::Events { .. } | Self::Latency { .. } | Self::Probe { .. } | Self::Query { .. } => None,
        }
    }
}
