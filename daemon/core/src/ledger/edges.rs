//! Edges: instants that no roll-up crosses, because somebody sums up to them: where an exclusion begins or ends.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// The edges of each stream, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edges(BTreeMap<u32, Vec<Timestamp>>);

impl Edges {
    /// The edges of these streams, in any order.
    pub fn new(streams: impl IntoIterator<Item = (u32, Vec<Timestamp>)>) -> Self {
        let sorted = |(stream, mut edges): (u32, Vec<Timestamp>)| {
            edges.sort_unstable();
            edges.dedup();
            (stream, edges)
        };
        Self(streams.into_iter().map(sorted).filter(|(_, edges)| !edges.is_empty()).collect())
    }

    /// The edges of a stream.
    pub fn of(&self, stream: u32) -> &[Timestamp] {
        self.0.get(&stream).map_or(&[], Vec::as_slice)
    }

    /// The first edge of a stream at `end` or later, before `limit`.
    pub(super) fn between(&self, stream: u32, end: Timestamp, limit: Timestamp) -> Option<Timestamp> {
        let edges = self.of(stream);
        edges.get(edges.partition_point(|edge| *edge < end)).copied().filter(|edge| *edge < limit)
    }
}
