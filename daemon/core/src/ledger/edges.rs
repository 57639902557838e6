//! Edges: instants that no roll-up crosses, because somebody sums up to them: where an exclusion begins or ends, and where calendar windows do.

use std::{collections::BTreeMap, time::Duration};

use super::slice::HOUR;
use crate::time::Timestamp;

/// The edges of each stream: single ones, and the length of the coarsest slices that it is rolled up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edges {
    /// Sorted.
    single: BTreeMap<u32, Vec<Timestamp>>,
    /// Where it is not an hour.
    grains: BTreeMap<u32, Duration>,
}

impl Edges {
    /// The edges of these streams, in any order.
    pub fn new(streams: impl IntoIterator<Item = (u32, Vec<Timestamp>)>) -> Self {
        let sorted = |(stream, mut edges): (u32, Vec<Timestamp>)| {
            edges.sort_unstable();
            edges.dedup();
            (stream, edges)
        };
        let single = streams.into_iter().map(sorted).filter(|(_, edges)| !edges.is_empty()).collect();
        Self { single, grains: BTreeMap::new() }
    }

    /// The same for streams that are rolled up to slices of these lengths; others to an hour.
    #[must_use]
    pub fn with_grains(self, grains: impl IntoIterator<Item = (u32, Duration)>) -> Self {
        Self { grains: grains.into_iter().filter(|(_, grain)| *grain != HOUR).collect(), ..self }
    }

    /// The length of the coarsest slices that a stream is rolled up to.
    pub(super) fn grain(&self, stream: u32) -> Duration {
        self.grains.get(&stream).copied().unwrap_or(HOUR)
    }

    /// The edges of a stream.
    pub fn of(&self, stream: u32) -> &[Timestamp] {
        self.single.get(&stream).map_or(&[], Vec::as_slice)
    }

    /// The first edge of a stream at `end` or later, before `limit`.
    pub(super) fn between(&self, stream: u32, end: Timestamp, limit: Timestamp) -> Option<Timestamp> {
        let edges = self.of(stream);
        edges.get(edges.partition_point(|edge| *edge < end)).copied().filter(|edge| *edge < limit)
    }
}
