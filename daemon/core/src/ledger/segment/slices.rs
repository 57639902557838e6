//! The packed forms of slices: a round (all streams, in the order of streams and time) and a segment (one stream, one level, one day).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use super::{
    Damaged,
    varint::{Reader, Writer},
};
use crate::{
    ledger::{
        Counts,
        slice::{Entry, MINUTE, Span},
    },
    time::Timestamp,
};

const VERSION: u8 = 1;

/// Of rounds: since the second, entries lie in chunks behind a list of them, so that one stream of many is found without reading all.
const ROUND_VERSIONS: [u8; 2] = [1, 2];

/// Entries of a chunk.
const CHUNK: usize = 64;

/// What one round settled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::ledger) struct RoundSlices {
    /// Slices, sorted by stream and end.
    pub entries: Vec<Entry>,
    /// Unseen stretches, sorted.
    pub spans: Vec<Span>,
    /// Those of the streams with spans whose finest slices are of a second.
    pub fine: BTreeSet<u32>,
}

impl RoundSlices {
    /// The entries alone, of each minute one.
    pub(in crate::ledger) fn by_the_minute(&self) -> Self {
        let mut minutes: BTreeMap<(u32, Timestamp), Counts> = BTreeMap::new();
        for entry in &self.entries {
            *minutes.entry((entry.stream, entry.end.ceil(MINUTE))).or_default() += entry.counts;
        }
        let entries = minutes.into_iter().filter(|(_, counts)| !counts.is_zero());
        let entries = entries.map(|((stream, end), counts)| Entry { stream, end, counts }).collect();
        Self { entries, ..Self::default() }
    }

    pub(in crate::ledger) fn pack(&self) -> Option<Vec<u8>> {
        if self.entries.is_empty() && self.spans.is_empty() {
            return None;
        }
        let mut out = Writer::default();
        out.byte(ROUND_VERSIONS[1]);
        let chunks: Vec<(u32, Vec<u8>)> = self.entries.chunks(CHUNK).map(|chunk| (chunk[0].stream, pack_chunk(chunk))).collect();
        let mut before = 0;
        out.list(chunks.iter(), |out, (first, packed)| {
            out.unsigned(u64::from(first - before));
            out.len(packed.len());
            before = *first;
        });
        for (_, packed) in &chunks {
            out.0.extend_from_slice(packed);
        }
        let (mut stream, mut from) = (0, 0);
        out.list(self.spans.iter(), |out, span| {
            out.unsigned(u64::from(span.stream - stream));
            out.signed(span.from.millis() - from);
            out.unsigned(millis(span.to.since(span.from)));
            (stream, from) = (span.stream, span.from.millis());
        });
        out.list(self.fine.iter(), |out, stream| out.unsigned(u64::from(*stream)));
        Some(out.0)
    }

    pub(in crate::ledger) fn unpack(blob: &[u8]) -> Result<Self, Damaged> {
        Self::unpack_some(blob, &(0..=u32::MAX))
    }

    /// What it holds of some streams.
    pub(super) fn unpack_some(blob: &[u8], streams: &RangeInclusive<u32>) -> Result<Self, Damaged> {
        let (mut reader, version) = Reader::of_versions(blob, "round", &ROUND_VERSIONS)?;
        let mut entries = Vec::new();
        if version == ROUND_VERSIONS[0] {
            unpack_entries(&mut reader, 0, streams, &mut entries)?;
        } else {
            unpack_chunks(&mut reader, streams, &mut entries)?;
        }
        let (mut stream, mut from) = (0_u32, 0_i64);
        let mut spans = reader.list(|reader| {
            stream = next_stream(reader, stream)?;
            from = plus(reader, from)?;
            let start = Timestamp::from_millis(from);
            Ok(Span { stream, from: start, to: start.plus(Duration::from_millis(reader.unsigned()?)) })
        })?;
        spans.retain(|span| streams.contains(&span.stream));
        let fine = reader.list(Reader::index)?.into_iter().collect();
        reader.end()?;
        Ok(Self { entries, spans, fine })
    }
}

fn pack_chunk(entries: &[Entry]) -> Vec<u8> {
    let mut out = Writer::default();
    let (mut stream, mut end) = (entries[0].stream, 0);
    out.list(entries.iter(), |out, entry| {
        out.unsigned(u64::from(entry.stream - stream));
        let seconds = entry.end.millis().div_euclid(1000);
        out.signed(seconds - end);
        pack_counts(out, &entry.counts, 0);
        (stream, end) = (entry.stream, seconds);
    });
    out.0
}

/// The entries of some streams; chunks that hold none of them are passed over.
fn unpack_chunks(reader: &mut Reader<'_>, streams: &RangeInclusive<u32>, entries: &mut Vec<Entry>) -> Result<(), Damaged> {
    let mut first = 0_u32;
    let chunks = reader.list(|reader| {
        first = next_stream(reader, first)?;
        Ok((first, reader.len()?))
    })?;
    for (at, (first, len)) in chunks.iter().enumerate() {
        let mut chunk = reader.part(*len)?;
        let last = chunks.get(at + 1).map_or(u32::MAX, |(next, _)| *next);
        if first <= streams.end() && last >= *streams.start() {
            unpack_entries(&mut chunk, *first, streams, entries)?;
            chunk.end()?;
        }
    }
    Ok(())
}

/// The entries of some streams among those of these, the first of which is of `stream` or a later one.
fn unpack_entries(reader: &mut Reader<'_>, stream: u32, streams: &RangeInclusive<u32>, entries: &mut Vec<Entry>) -> Result<(), Damaged> {
    let (mut stream, mut end) = (stream, 0_i64);
    for _ in 0..reader.len()? {
        stream = next_stream(reader, stream)?;
        end = plus(reader, end)?;
        let millis = end.checked_mul(1000).ok_or(reader.damaged("an instant is out of range"))?;
        let counts = unpack_single(reader)?;
        if streams.contains(&stream) {
            entries.push(Entry { stream, end: Timestamp::from_millis(millis), counts });
        }
    }
    Ok(())
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn next_stream(reader: &mut Reader<'_>, stream: u32) -> Result<u32, Damaged> {
    let step = reader.index()?;
    stream.checked_add(step).ok_or(reader.damaged("an index is too large"))
}

fn plus(reader: &mut Reader<'_>, number: i64) -> Result<i64, Damaged> {
    let step = reader.signed()?;
    number.checked_add(step).ok_or(reader.damaged("an instant is out of range"))
}

/// A segment's slices: end and counts, sorted. Equal ones at equal distances are written once.
pub(super) fn pack_segment(step: Duration, slices: &[(Timestamp, Counts)]) -> Vec<u8> {
    let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
    let mut out = Writer::default();
    out.byte(VERSION);
    let mut last = 0;
    let mut runs: Vec<(i64, Counts, u64)> = Vec::new();
    for (end, counts) in slices {
        let index = end.millis().div_euclid(step);
        match runs.last_mut() {
            Some((distance, same, repeats)) if *distance == index - last && same == counts => *repeats += 1,
            Some(_) | None => runs.push((index - last, *counts, 0)),
        }
        last = index;
    }
    out.list(runs.iter(), |out, (distance, counts, repeats)| {
        out.signed(*distance);
        pack_counts(out, counts, *repeats);
    });
    out.0
}

pub(in crate::ledger) fn unpack_segment(step: Duration, blob: &[u8]) -> Result<Vec<(Timestamp, Counts)>, Damaged> {
    let mut reader = Reader::new(blob, "segment", VERSION)?;
    let step = i64::try_from(step.as_millis()).ok().filter(|step| *step > 0).ok_or(reader.damaged("its level is not one"))?;
    let mut last = 0_i64;
    let mut slices = Vec::new();
    reader.list(|reader| {
        let distance = reader.signed()?;
        let (counts, repeats) = unpack_counts(reader)?;
        if slices.len() as u64 + repeats >= MOST_OF_A_DAY {
            return Err(reader.damaged("it holds more slices than a day has"));
        }
        for _ in 0..=repeats {
            last = last.checked_add(distance).ok_or(reader.damaged("an instant is out of range"))?;
            let end = last.checked_mul(step).ok_or(reader.damaged("an instant is out of range"))?;
            slices.push((Timestamp::from_millis(end), counts));
        }
        Ok(())
    })?;
    reader.end()?;
    Ok(slices)
}

/// A day has at most so many slices, of a second.
const MOST_OF_A_DAY: u64 = 86_400 + 1;

/// The bit that says that a number of repeats follows.
const REPEATED: u8 = 1 << 4;

/// A byte that says which numbers follow, then those that are not zero, then how many equal slices follow at the same distance, where some do.
fn pack_counts(out: &mut Writer, counts: &Counts, repeats: u64) {
    let numbers = [counts.good, counts.tolerated, counts.bad, counts.unseen_millis];
    let present = numbers.iter().enumerate().filter(|(_, number)| **number != 0).fold(0, |bits, (at, _)| bits | 1 << at);
    out.byte(if repeats > 0 { present | REPEATED } else { present });
    for number in numbers.into_iter().filter(|number| *number != 0) {
        out.signed(number);
    }
    if repeats > 0 {
        out.unsigned(repeats);
    }
}

/// Counts that nothing repeats.
fn unpack_single(reader: &mut Reader<'_>) -> Result<Counts, Damaged> {
    match unpack_counts(reader)? {
        (counts, 0) => Ok(counts),
        (_, _) => Err(reader.damaged("a slice of a round is repeated")),
    }
}

fn unpack_counts(reader: &mut Reader<'_>) -> Result<(Counts, u64), Damaged> {
    let present = reader.byte()?;
    if present > 0b1111 | REPEATED {
        return Err(reader.damaged("a slice holds what this release does not know"));
    }
    let mut number = |at: u8| if present >> at & 1 == 1 { reader.signed() } else { Ok(0) };
    let counts = Counts { good: number(0)?, tolerated: number(1)?, bad: number(2)?, unseen_millis: number(3)? };
    let repeats = if present & REPEATED == 0 { 0 } else { reader.unsigned()? };
    Ok((counts, repeats))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::slice::MINUTE;

    fn counts() -> impl Strategy<Value = Counts> {
        (any::<i64>(), -3_i64..3, any::<i32>(), 0_i64..100_000).prop_map(|(good, tolerated, bad, unseen_millis)| Counts {
            good,
            tolerated,
            bad: i64::from(bad),
            unseen_millis,
        })
    }

    proptest! {
        #[test]
        fn rounds_come_back(
            entries in prop::collection::vec((0_u32..9, -9_999_999_i64..9_999_999_999, counts()), 0..20),
            spans in prop::collection::vec((0_u32..9, 0_i64..9_999_999_999_999, 0_i64..999_999), 0..4),
        ) {
            let mut round = RoundSlices::default();
            round.entries.extend(entries.into_iter().map(|(stream, end, counts)| Entry { stream, end: Timestamp::from_seconds(end), counts }));
            round.entries.sort_by_key(|entry| (entry.stream, entry.end));
            round.spans.extend(spans.into_iter().map(|(stream, from, len)| Span {
                stream,
                from: Timestamp::from_millis(from),
                to: Timestamp::from_millis(from + len),
            }));
            round.spans.sort();
            let packed = round.pack().unwrap_or_else(|| vec![ROUND_VERSIONS[1], 0, 0, 0]);
            prop_assert_eq!(RoundSlices::unpack(&packed), Ok(round));
        }

        #[test]
        fn one_stream_of_a_round_is_what_the_whole_holds_of_it(
            streams in prop::collection::vec((0_u32..40, 0_i64..9_999, counts()), 1..400),
            asked in 0_u32..41,
            more in 0_u32..9,
        ) {
            let mut entries: Vec<Entry> = streams
                .into_iter()
                .map(|(stream, end, counts)| Entry { stream, end: Timestamp::from_seconds(end), counts })
                .collect();
            entries.sort_by_key(|entry| (entry.stream, entry.end));
            let packed = RoundSlices { entries: entries.clone(), ..RoundSlices::default() }.pack().expect("entries");
            let asked = asked..=asked + more;
            entries.retain(|entry| asked.contains(&entry.stream));
            prop_assert_eq!(RoundSlices::unpack_some(&packed, &asked).map(|round| round.entries), Ok(entries));
        }

        #[test]
        fn a_damaged_blob_is_an_error_and_never_a_panic(blob in prop::collection::vec(any::<u8>(), 0..60), version: bool) {
            let mut blob = blob;
            if version && !blob.is_empty() {
                blob[0] = VERSION;
            }
            let _ = RoundSlices::unpack(&blob);
            if version && !blob.is_empty() {
                let chunked: Vec<u8> = std::iter::once(ROUND_VERSIONS[1]).chain(blob[1..].iter().copied()).collect();
                let _ = RoundSlices::unpack(&chunked);
                let _ = RoundSlices::unpack_some(&chunked, &(3..=3));
            }
            let _ = unpack_segment(Duration::from_secs(10), &blob);
        }

        #[test]
        fn segments_come_back(slices in prop::collection::vec((0_i64..9_999_999, counts(), 0_i64..5), 0..20)) {
            let step = MINUTE;
            let repeated = |(index, counts, repeats): (i64, Counts, i64)| (0..=repeats).map(move |at| (index + at, counts));
            let slices: Vec<_> =
                slices.into_iter().flat_map(repeated).map(|(index, counts)| (Timestamp::from_seconds(index * 60), counts)).collect();
            prop_assert_eq!(unpack_segment(step, &pack_segment(step, &slices)), Ok(slices));
        }
    }

    /// Three good events of stream 5 in the slice that ends at 10 s, as the first version wrote them.
    #[test]
    fn a_round_of_the_version_before_is_read() {
        let round = RoundSlices::unpack(&[1, 1, 5, 20, 1, 6, 0, 0]).expect("sound");
        let counts = Counts { good: 3, ..Counts::default() };
        assert_eq!(round.entries, [Entry { stream: 5, end: Timestamp::from_seconds(10), counts }]);
    }
}
