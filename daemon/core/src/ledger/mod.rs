//! The ledger: counted events per slice of time, the truth that everything else is computed from.
//!
//! `count` turns raw samples into exact differences per series; `SourceLedger` books them per budget and answers sums over any lookback;
//! `segment` packs them for the store. Nothing is extrapolated and absent data is never zero.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use crate::{id::Group, sli::Labels, time::Timestamp};

mod cache;
mod compose;
mod count;
mod coverage;
mod edges;
#[cfg(test)]
pub(crate) mod fixture;
mod histogram;
mod marks;
pub mod plan;
mod query;
mod replica;
pub mod segment;
mod slice;
pub mod source_ledger;
mod steps;
mod verdict;

pub use compose::{compose, known_bad};
pub use edges::Edges;
pub use histogram::Histogram;
pub use plan::Plan;
pub use query::Query;
pub use replica::Replica;
pub use segment::{Compaction, Damaged, Image, Segment, SegmentKey, Stored, StoredStream, StoredSums};
pub use source_ledger::{
    Backfill, Counted, Fill, FirstValueRule, FirstValuesTaken, FirstValuesWithin, Late, MemberVerdicts, OwnPart, PastSums, Read, Reads,
    SecondReading, Settings, Slice, SourceLedger, Stream, StreamSums,
};

/// What happened in a stretch of time. `good` and `bad` may be negative in a single slice where two exporters report the same event in
/// different slices; over a lookback they are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Counts {
    /// Good events.
    pub good: i64,
    /// Tolerated events, which weigh half.
    pub tolerated: i64,
    /// Bad events.
    pub bad: i64,
    /// Time in which nobody could see, in milliseconds, weighted by the share of targets that were not seen.
    pub unseen_millis: i64,
}

impl Counts {
    /// All events.
    pub const fn total(self) -> i64 {
        self.good + self.tolerated + self.bad
    }

    /// So many times as much, as far as it can be counted.
    fn times(self, n: u64) -> Self {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let Self { good, tolerated, bad, unseen_millis } = self;
        Self { good: good * n, tolerated: tolerated * n, bad: bad * n, unseen_millis: unseen_millis * n }
    }

    /// True where nothing is counted and nothing was unseen.
    pub const fn is_zero(self) -> bool {
        self.good == 0 && self.tolerated == 0 && self.bad == 0 && self.unseen_millis == 0
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            good: self.good + other.good,
            tolerated: self.tolerated + other.tolerated,
            bad: self.bad + other.bad,
            unseen_millis: self.unseen_millis + other.unseen_millis,
        }
    }
}

impl std::ops::Sub for Counts {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            good: self.good - other.good,
            tolerated: self.tolerated - other.tolerated,
            bad: self.bad - other.bad,
            unseen_millis: self.unseen_millis - other.unseen_millis,
        }
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::default(), |sum, counts| sum + counts)
    }
}

/// Sums over lookbacks that end now: what budgets and alerts are decided from.
pub trait Sums {
    /// What was counted over `(now - lookback, now]`, the start moved back to a slice edge.
    fn over(&self, lookback: Duration) -> Counts;

    /// What was counted after `from`, the start moved back to a slice edge.
    fn since(&self, from: Timestamp) -> Counts;

    /// The same as [`over`](Self::over) of each of these lookbacks, shortest first, where all of that is at hand; false where it is not, and then `into` means
    /// nothing.
    fn at_hand(&self, lookbacks: &[Duration], into: &mut [Counts]) -> bool {
        let _ = (lookbacks, into);
        false
    }
}

/// One observation of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The source's own timestamp.
    pub at: Timestamp,
    /// The value as sent; checked when it is counted.
    pub value: f64,
}

/// A series as a source sent it, samples in any order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// All labels with `__name__`.
    pub labels: Labels,
    /// Its samples within the range asked for; of native histograms their counts.
    pub samples: Vec<Sample>,
    /// Its native histograms by moment: those that were asked for, of whole numbers.
    pub histograms: BTreeMap<Timestamp, Arc<Histogram>>,
}

impl Series {
    /// A series of plain numbers.
    pub const fn new(labels: Labels, samples: Vec<Sample>) -> Self {
        Self { labels, samples, histograms: BTreeMap::new() }
    }
}

/// The group that a series belongs to where an SLO is split by these labels.
fn group_of(per: &[String], labels: &Labels) -> Group {
    Group::new(per.iter().map(|label| (label.clone(), labels.get(label).to_owned())).collect())
}

/// Why we cannot see. Absent data is never zero and never healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// The class of the reason.
    pub reason: Reason,
    /// One sentence for a person: what, where, with the numbers. At most 300 characters, no secrets.
    pub detail: String,
}

impl Unknown {
    /// A reason with its sentence, cut to 300 characters.
    pub fn new(reason: Reason, detail: impl AsRef<str>) -> Self {
        Self { reason, detail: detail.as_ref().chars().take(300).collect() }
    }

    /// Whether an SLO that cannot be seen for this is hidden by its source, which as a whole is blind for `blind`.
    pub fn is_of_source(&self, blind: &Self) -> bool {
        self.reason == blind.reason || self.reason.blinds() == Blinds::Source
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.detail)
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $subject:ident;)+) => {
        /// The classes of reasons for not seeing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $variant,)+ }

        impl Reason {
            /// The stable code, as shown in every output.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Whether it tells of the source as a whole or only of what one query asked.
            pub const fn blinds(self) -> Blinds {
                match self { $(Self::$variant => Blinds::$subject,)+ }
            }

            /// The reason with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

/// What a reason takes the sight of where it concerns one answer. What a round lacks as a whole is told by all answers together (`Reads::source_unknown`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blinds {
    /// The source: every SLO that reads from it.
    Source,
    /// Only the SLOs that need this answer.
    Slo,
}

reasons! {
    /// No connection: refused, name not found, TLS.
    Unreachable = "unreachable", Source;
    /// No whole answer in time.
    Timeout = "timeout", Source;
    /// The connection broke or the body ended early.
    Cut = "cut", Source;
    /// The answer is larger than the cap, or of more samples than the source gives at once.
    TooBig = "too_big", Slo;
    /// More series than the cap.
    TooMany = "too_many", Slo;
    /// Not JSON of the API by its content type, or a redirect to somewhere else.
    BadType = "bad_type", Source;
    /// Not the JSON that the API promises.
    BadJson = "bad_json", Source;
    /// The source refuses the query as wrong.
    BadQuery = "bad_query", Slo;
    /// The source refuses us: 401, 403.
    Denied = "denied", Source;
    /// The source asks us to wait: 429, 503.
    Busy = "busy", Source;
    /// Another error of the source.
    SourceError = "source_error", Source;
    /// The answer holds series that were not asked for, such as another tenant's.
    Foreign = "not_asked_for", Source;
    /// The answer says that it is not whole.
    Partial = "partial", Slo;
    /// A value that is not a number.
    Nan = "nan", Slo;
    /// An infinite value.
    Infinite = "inf", Slo;
    /// A negative value in a counter.
    Negative = "negative", Slo;
    /// A value that is not whole, or above 2^53.
    Fractional = "fractional", Slo;
    /// A counter fell, but kept more than half of its value: another replica or process rather than a restart.
    SuspectReset = "suspect_reset", Slo;
    /// More good events than events in all, by more than the budget allows of failures.
    GoodAboveTotal = "good_gt_total", Slo;
    /// Two series or two samples that contradict each other.
    Duplicate = "duplicate", Slo;
    /// A sample from the future or from before the range that was asked.
    ClockSkew = "clock_skew", Slo;
    /// No series at all where there must be one.
    NoSeries = "no_series", Slo;
    /// The newest sample is too old.
    Stale = "stale", Slo;
    /// The latency threshold is not a bucket boundary.
    NoBucket = "no_bucket", Slo;
    /// The source gives no raw samples, which this SLO is counted from.
    NoRaw = "no_raw_samples", Slo;
    /// More events than can be counted.
    TooLarge = "too_large", Slo;
    /// More groups than an SLO may have.
    TooManyGroups = "too_many_groups", Slo;
    /// The store refused the round.
    Store = "store", Slo;
    /// The source answers, and nothing happened for as long as the SLO's owner wants to be told of.
    NoTraffic = "no_traffic", Slo;
    /// Nothing was read yet since the start.
    NotYet = "not_yet", Slo;
}
