//! Packed forms of the ledger for the store: rounds, segments, state.

use thiserror::Error;

use crate::time::Timestamp;

/// Which stretch of which stream a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey {
    /// Index of the stream within its source's ledger.
    pub stream: u32,
    /// Length of its slices, in seconds.
    pub level_seconds: u32,
    /// Start of the day (UTC) that it covers.
    pub day: Timestamp,
}

/// A packed stretch of one stream at one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Which stretch.
    pub key: SegmentKey,
    /// The packed slices.
    pub blob: Vec<u8>,
}

/// What a source's ledger is rebuilt from.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// The watermark of the last round.
    pub settled: Option<Timestamp>,
    /// The packed state of the last round that had one.
    pub state: Option<Vec<u8>>,
    /// All segments.
    pub segments: Vec<Segment>,
    /// Rounds that are not yet compacted, oldest first: id and blob.
    pub rounds: Vec<(i64, Vec<u8>)>,
}

/// What a compaction writes and drops; to be done in one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Segments to insert, or to replace where the key exists.
    pub segments: Vec<Segment>,
    /// Rounds with an id up to this one are held by the segments now.
    pub drop_rounds_through: Option<i64>,
    /// Segments that were rolled up or are too old.
    pub drop_segments: Vec<SegmentKey>,
}

/// A blob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("damaged {what}: {why}")]
pub struct Damaged {
    /// What kind of blob.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Moves rounds into segments and rolls old slices up, without changing any sum.
pub fn compact(_rounds: &[(i64, Vec<u8>)], _segments: &[Segment], _now: Timestamp) -> Result<Compaction, Damaged> {
    unimplemented!()
}
