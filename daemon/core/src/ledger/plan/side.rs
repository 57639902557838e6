//! The sides of an SLI: which series they are, and what an event of each means for good and bad.

use super::boundary::bucket_boundary;
use crate::{
    ledger::Counts,
    sli::{CompiledSelector, Counted, Dialect, HistogramKind, Labels, Selector, Sli},
};

/// One selector of an SLO.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Side {
    /// What its events are.
    pub role: Role,
    /// The selector as the SLO has it.
    pub selector: Selector,
    /// The bucket boundary, for the sides of a latency SLO; infinite for all observations.
    pub boundary: Option<f64>,
    /// The query whose answer holds its series.
    pub query: usize,
    pub(super) compiled: CompiledSelector,
}

/// What an increment of a counter means for good, tolerated and bad. `good = total - bad`, or `bad = total - good`; with two thresholds
/// `tolerated = up to the second - up to the first` and `bad = total - up to the second`. Sums are additive, so each side is booked for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Role {
    /// Bad events.
    Bad,
    /// All events, where the bad are counted beside them.
    TotalBesideBad,
    /// Good events.
    Good,
    /// Observations up to the first of two thresholds.
    Within,
    /// Observations up to the second of two thresholds.
    Tolerated,
    /// All events, where the good are counted beside them.
    TotalBesideGood,
    /// A native histogram, whose observations are judged by where they lie.
    Observed,
    /// Not a counter: each sample is an event, good or bad by its value.
    Probe,
    /// Not a counter: that there is a sample is what counts.
    Present,
}

impl Role {
    /// True for a plain counter, of which events are the increments.
    pub(in crate::ledger) const fn is_counter(self) -> bool {
        match self {
            Self::Bad | Self::TotalBesideBad | Self::Good | Self::Within | Self::Tolerated | Self::TotalBesideGood => true,
            Self::Observed | Self::Probe | Self::Present => false,
        }
    }

    /// What `events` of this role add; those of what is no plain counter are good ones.
    pub(in crate::ledger) fn book(self, events: u64) -> Counts {
        let n = i64::try_from(events).unwrap_or(i64::MAX);
        match self {
            Self::Bad => Counts { bad: n, good: -n, ..Counts::default() },
            Self::TotalBesideBad | Self::Observed | Self::Probe | Self::Present => Counts { good: n, ..Counts::default() },
            Self::Good => Counts { good: n, bad: -n, ..Counts::default() },
            Self::Within => Counts { good: n, tolerated: -n, ..Counts::default() },
            Self::Tolerated => Counts { tolerated: n, bad: -n, ..Counts::default() },
            Self::TotalBesideGood => Counts { bad: n, ..Counts::default() },
        }
    }

    /// True for the side without which nothing is known.
    pub(in crate::ledger) const fn is_total(self) -> bool {
        match self {
            Self::TotalBesideBad | Self::TotalBesideGood | Self::Observed | Self::Probe | Self::Present => true,
            Self::Bad | Self::Good | Self::Within | Self::Tolerated => false,
        }
    }
}

impl Side {
    /// True where it counts up to a threshold, which must be a bucket.
    pub(in crate::ledger) fn is_threshold(&self) -> bool {
        self.boundary.is_some_and(f64::is_finite)
    }

    /// Whether a series of the query's answer belongs to this side.
    pub(super) fn takes(&self, labels: &Labels) -> bool {
        self.compiled.matches(labels) && self.boundary.is_none_or(|boundary| bucket_boundary(labels) == Some(boundary))
    }
}

/// The sides of an SLI; which query serves each is settled later.
pub(super) fn sides_of(sli: &Sli, dialect: Dialect) -> Vec<Side> {
    let side = |role, selector: &Selector, boundary| Side {
        role,
        selector: selector.clone(),
        boundary,
        query: 0,
        compiled: CompiledSelector::new(selector, dialect),
    };
    match sli {
        Sli::Events { counted: Counted::Bad(bad), total } => {
            let bad = bad.iter().map(|selector| side(Role::Bad, selector, None));
            bad.chain(total.iter().map(|selector| side(Role::TotalBesideBad, selector, None))).collect()
        }
        Sli::Events { counted: Counted::Good(good), total } => {
            let good = good.iter().map(|selector| side(Role::Good, selector, None));
            good.chain(total.iter().map(|selector| side(Role::TotalBesideGood, selector, None))).collect()
        }
        Sli::Latency { buckets, kind: HistogramKind::Native, .. } => vec![side(Role::Observed, buckets, None)],
        Sli::Latency { buckets, kind: HistogramKind::Classic, within, tolerated } => {
            let within = side(if tolerated.is_some() { Role::Within } else { Role::Good }, buckets, Some(*within));
            let tolerated = tolerated.map(|boundary| side(Role::Tolerated, buckets, Some(boundary)));
            let total = side(Role::TotalBesideGood, buckets, Some(f64::INFINITY));
            [within].into_iter().chain(tolerated).chain([total]).collect()
        }
        Sli::Presence { series, .. } => vec![side(Role::Present, series, None)],
        Sli::Probe { probes } => probes.iter().map(|selector| side(Role::Probe, selector, None)).collect(),
        Sli::Window { .. } | Sli::Query { .. } | Sli::Composite(_) => Vec::new(),
    }
}
