//! One stream as the store holds it: every settled slice, each event once, as far back as anything is kept. For periods that the memory no longer holds.

use std::{collections::BTreeMap, time::Duration};

use super::{Damaged, RoundSlices, Stored, unpack_segment};
use crate::{
    exclusion::Excluded,
    ledger::{Counts, Late, Sums, slice::Span},
    time::Timestamp,
    window::Interval,
};

/// The settled slices of one stream, whatever their lengths, by their ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredStream {
    slices: BTreeMap<Timestamp, Counts>,
    /// Unseen stretches of rounds that are not yet compacted.
    spans: Vec<Span>,
}

impl StoredStream {
    /// The slices of a stream among what is stored.
    ///
    /// # Errors
    /// A segment or round that cannot be read.
    pub fn of(stored: &Stored, stream: u32) -> Result<Self, Damaged> {
        let mut found = Self::default();
        for segment in stored.segments.iter().filter(|segment| segment.key.stream == stream) {
            for (end, counts) in unpack_segment(segment.key.step(), &segment.blob)? {
                found.add(end, counts);
            }
        }
        for (_, blob) in &stored.rounds {
            let round = RoundSlices::unpack_some(blob, &(stream..=stream))?;
            for entry in &round.entries {
                found.add(entry.end, entry.counts);
            }
            found.spans.extend(round.spans);
        }
        Ok(found)
    }

    /// The same stream without what came late and was not known yet.
    #[must_use]
    pub fn without(&self, stream: u32, unknown: &[&Late]) -> Self {
        let mut known = self.clone();
        for (end, counts) in unknown.iter().flat_map(|late| late.of(stream)) {
            known.add(end, Counts::default() - counts);
        }
        known
    }

    fn add(&mut self, end: Timestamp, counts: Counts) {
        let slice = self.slices.entry(end).or_default();
        *slice += counts;
    }

    /// What the slices that end in `(from, to]` hold; exact where no slice crosses an end, as none does at the edges of calendar periods and exclusions.
    pub fn between(&self, over: Interval) -> Counts {
        let slices = self.slices(over).map(|(_, counts)| counts);
        slices.chain(self.spans.iter().map(|span| span.within(over.from, over.to))).sum()
    }

    /// The slices that end in `(from, to]`, oldest first.
    pub fn slices(&self, over: Interval) -> impl Iterator<Item = (Timestamp, Counts)> + '_ {
        let ends = (std::ops::Bound::Excluded(over.from), std::ops::Bound::Included(over.to.max(over.from)));
        let some = over.from < over.to;
        some.then(|| self.slices.range(ends)).into_iter().flatten().map(|(end, counts)| (*end, *counts))
    }

    /// Sums over lookbacks that end at a moment.
    pub const fn until(&self, at: Timestamp) -> StoredSums<'_> {
        StoredSums { stream: self, at }
    }
}

/// Sums of a stored stream over lookbacks that end at a moment of the past.
#[derive(Debug, Clone, Copy)]
pub struct StoredSums<'a> {
    stream: &'a StoredStream,
    at: Timestamp,
}

impl StoredSums<'_> {
    /// What of the sum since `from` lies in these stretches of exclusions, which neither overlap nor touch; of verdicts, in whole slices of their length.
    pub fn excluded(&self, from: Timestamp, stretches: &[Interval], length: Option<Duration>) -> Excluded {
        let mut excluded = Excluded::default();
        for stretch in stretches.iter().filter(|stretch| stretch.to > from && stretch.from < self.at) {
            let whole = length.map_or(*stretch, |length| Interval { from: stretch.from.ceil(length), to: stretch.to.floor(length) });
            let within = Interval { from: whole.from.max(from), to: whole.to.min(self.at) };
            excluded.counts += self.stream.between(within);
            excluded.time += within.to.since(within.from);
        }
        excluded
    }
}

impl Sums for StoredSums<'_> {
    fn over(&self, lookback: Duration) -> Counts {
        self.since(self.at.minus(lookback))
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.stream.between(Interval { from, to: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::{Edges, segment::compact, slice::Entry},
        time::{days, hours, minutes},
    };

    const START: Timestamp = Timestamp::from_seconds(1_761_955_200);

    /// Two streams, of which one fails for three minutes on each of forty days.
    fn stored() -> Stored {
        let bad = |day: u32, minute: u32| {
            let end = START.plus(days(1) * day).plus(hours(3)).plus(minutes(1) * minute);
            [5, 6].map(|stream| Entry { stream, end, counts: Counts { bad: 60, ..Counts::default() } })
        };
        let mut rounds: Vec<(i64, Vec<u8>)> = Vec::new();
        for day in 0..40 {
            let mut entries: Vec<Entry> = (1..=3).flat_map(|minute| bad(day, minute)).collect();
            entries.sort_by_key(|entry| (entry.stream, entry.end));
            let round = RoundSlices { entries, ..RoundSlices::default() };
            rounds.push((i64::from(day), round.pack().expect("slices")));
        }
        Stored { rounds, ..Stored::default() }
    }

    #[test]
    fn a_stored_stream_is_the_same_before_and_after_a_compaction() {
        let rounds = stored();
        let compaction = compact(&rounds.rounds, &[], &Edges::default(), START.plus(days(41))).expect("sound");
        let segments = Stored { segments: compaction.segments, ..Stored::default() };
        let over = Interval { from: START.plus(days(10)), to: START.plus(days(20)) };
        for stored in [&rounds, &segments] {
            let stream = StoredStream::of(stored, 5).expect("sound");
            assert_eq!(stream.between(over).bad, 10 * 3 * 60);
            assert_eq!(stream.until(over.to).since(over.from), stream.between(over));
            assert_eq!(stream.until(over.to).over(days(10)), stream.between(over));
            assert_eq!(stream.slices(Interval { from: over.to, to: over.from }).count(), 0);
        }
        assert_eq!(StoredStream::of(&rounds, 9).expect("sound"), StoredStream::default());
    }

    #[test]
    fn unseen_stretches_of_rounds_count_as_far_as_they_reach_in() {
        let spans = vec![Span { stream: 5, from: START, to: START.plus(minutes(10)) }];
        let round = RoundSlices { spans, ..RoundSlices::default() };
        let stored = Stored { rounds: vec![(1, round.pack().expect("a span"))], ..Stored::default() };
        let stream = StoredStream::of(&stored, 5).expect("sound");
        assert_eq!(stream.between(Interval { from: START.plus(minutes(4)), to: START.plus(hours(1)) }).unseen_millis, 360_000);
    }
}
