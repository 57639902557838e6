//! The packed forms of slices: a round (all streams, in the order of streams and time) and a segment (one stream, one level, one day).

use std::{collections::BTreeSet, time::Duration};

use super::{
    Damaged,
    varint::{Reader, Writer},
};
use crate::{
    ledger::{
        Counts,
        slice::{Entry, Span},
    },
    time::Timestamp,
};

const VERSION: u8 = 1;

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
    pub(in crate::ledger) fn pack(&self) -> Option<Vec<u8>> {
        if self.entries.is_empty() && self.spans.is_empty() {
            return None;
        }
        let mut out = Writer::default();
        out.byte(VERSION);
        let (mut stream, mut end) = (0, 0);
        out.list(self.entries.iter(), |out, entry| {
            out.unsigned(u64::from(entry.stream - stream));
            let seconds = entry.end.millis().div_euclid(1000);
            out.signed(seconds - end);
            pack_counts(out, &entry.counts);
            (stream, end) = (entry.stream, seconds);
        });
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
        let mut reader = Reader::new(blob, "round", VERSION)?;
        let (mut stream, mut end) = (0_u32, 0_i64);
        let entries = reader.list(|reader| {
            stream = next_stream(reader, stream)?;
            end = plus(reader, end)?;
            let millis = end.checked_mul(1000).ok_or(reader.damaged("an instant is out of range"))?;
            Ok(Entry { stream, end: Timestamp::from_millis(millis), counts: unpack_counts(reader)? })
        })?;
        let (mut stream, mut from) = (0_u32, 0_i64);
        let spans = reader.list(|reader| {
            stream = next_stream(reader, stream)?;
            from = plus(reader, from)?;
            let start = Timestamp::from_millis(from);
            Ok(Span { stream, from: start, to: start.plus(Duration::from_millis(reader.unsigned()?)) })
        })?;
        let fine = reader.list(Reader::index)?.into_iter().collect();
        reader.end()?;
        Ok(Self { entries, spans, fine })
    }
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

/// A segment's slices: end and counts, sorted.
pub(super) fn pack_segment(step: Duration, slices: &[(Timestamp, Counts)]) -> Vec<u8> {
    let step = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
    let mut out = Writer::default();
    out.byte(VERSION);
    let mut last = 0;
    out.list(slices.iter(), |out, (end, counts)| {
        let index = end.millis().div_euclid(step);
        out.signed(index - last);
        pack_counts(out, counts);
        last = index;
    });
    out.0
}

pub(in crate::ledger) fn unpack_segment(step: Duration, blob: &[u8]) -> Result<Vec<(Timestamp, Counts)>, Damaged> {
    let mut reader = Reader::new(blob, "segment", VERSION)?;
    let step = i64::try_from(step.as_millis()).ok().filter(|step| *step > 0).ok_or(reader.damaged("its level is not one"))?;
    let mut last = 0_i64;
    let slices = reader.list(|reader| {
        last = plus(reader, last)?;
        let end = last.checked_mul(step).ok_or(reader.damaged("an instant is out of range"))?;
        Ok((Timestamp::from_millis(end), unpack_counts(reader)?))
    })?;
    reader.end()?;
    Ok(slices)
}

/// A byte that says which numbers follow, then those that are not zero.
fn pack_counts(out: &mut Writer, counts: &Counts) {
    let numbers = [counts.good, counts.tolerated, counts.bad, counts.unseen_millis];
    let present = numbers.iter().enumerate().filter(|(_, number)| **number != 0).fold(0, |bits, (at, _)| bits | 1 << at);
    out.byte(present);
    for number in numbers.into_iter().filter(|number| *number != 0) {
        out.signed(number);
    }
}

fn unpack_counts(reader: &mut Reader<'_>) -> Result<Counts, Damaged> {
    let present = reader.byte()?;
    if present > 0b1111 {
        return Err(reader.damaged("a slice holds what this release does not know"));
    }
    let mut number = |at: u8| if present >> at & 1 == 1 { reader.signed() } else { Ok(0) };
    Ok(Counts { good: number(0)?, tolerated: number(1)?, bad: number(2)?, unseen_millis: number(3)? })
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
            let packed = round.pack().unwrap_or_else(|| vec![VERSION, 0, 0, 0]);
            prop_assert_eq!(RoundSlices::unpack(&packed), Ok(round));
        }

        #[test]
        fn a_damaged_blob_is_an_error_and_never_a_panic(blob in prop::collection::vec(any::<u8>(), 0..60), version: bool) {
            let mut blob = blob;
            if version && !blob.is_empty() {
                blob[0] = VERSION;
            }
            let _ = RoundSlices::unpack(&blob);
            let _ = unpack_segment(Duration::from_secs(10), &blob);
        }

        #[test]
        fn segments_come_back(slices in prop::collection::vec((0_i64..9_999_999, counts()), 0..20)) {
            let step = MINUTE;
            let slices: Vec<_> = slices.into_iter().map(|(index, counts)| (Timestamp::from_seconds(index * 60), counts)).collect();
            prop_assert_eq!(unpack_segment(step, &pack_segment(step, &slices)), Ok(slices));
        }
    }
}
