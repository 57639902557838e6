//! Which of several replicas of a source samples came from.
//!
//! Two replicas scrape the same targets at other moments and began at other times, so a difference between a sample of one and a sample of the other is
//! no number of events. A switch begins anew at the watermark of each SLO: no difference is counted that begins before it. So nothing is counted twice, and
//! what happened in the two scrape intervals around the watermark, at most, by neither. A series that was known stays known: its next value is no first one.

use crate::hash::Hash;

/// One of several replicas; a source with one address has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica(u64);

impl Replica {
    /// The replica of this name, the same in every run.
    pub fn named(name: &str) -> Self {
        let mut hash = Hash::new();
        hash.text(name);
        Self(hash.finish_short())
    }

    /// As the store keeps it, and back.
    pub(super) const fn number(self) -> u64 {
        self.0
    }

    pub(super) const fn from_number(number: u64) -> Self {
        Self(number)
    }
}
