//! Packed forms of the ledger for the store: rounds, segments and state. The first byte of each is its version; a damaged one is an error.
//!
//! A round holds what one round settled, of all streams. Rounds are the finest level themselves for 3 h (`due`); then `compact` moves them into segments
//! (one stream, one level, one day) and rolls old slices up: 1 min is kept for 8 days, 5 min for 35 days, 1 h for 25 months; where a calendar window of
//! the stream can begin between two hours, the last are of 30 or 15 min. Each event is held once, so no sum changes.
//!
//! No roll-up crosses an edge: what lies before an edge within a coarser slice becomes a slice of its own that ends at the edge, at the level `PIECES`.

pub(super) mod behind;
mod names;
mod slices;
pub(super) mod state;
mod stream;
pub(super) mod varint;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    time::Duration,
};

use thiserror::Error;

pub use names::{renamed_seal, renamed_state, slos_of_state};
pub(super) use slices::{RoundSlices, unpack_segment};
pub use stream::{StoredStream, StoredSums};

use super::{
    Counts, Edges,
    slice::{FIVE_MINUTES, HOUR, MINUTE, SECOND, Span, TEN_SECONDS},
};
use crate::time::{Timestamp, days, hours};

/// Which stretch of which stream a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey {
    /// Index of the stream within its source's ledger.
    pub stream: u32,
    /// Length of its slices, in seconds; 0 for those that end at edges.
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
    /// The packed seal that a second reading begins at, of the last round that had one.
    pub seal: Option<Vec<u8>>,
    /// The packed log of what was booked before where it was sampled, of the last round that had one.
    pub log: Option<Vec<u8>>,
    /// All segments, in any order; none where the ledger is rebuilt from images.
    pub segments: Vec<Segment>,
    /// Rounds that are not yet compacted, oldest first: id and blob. Beside images those are enough that the oldest image does not hold.
    pub rounds: Vec<(i64, Vec<u8>)>,
    /// Images, in any order; none where the ledger is rebuilt from segments.
    pub images: Vec<Image>,
}

/// What the memory held of some streams: a cache of segments and rounds, so that a start need not read them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Which streams: `SourceLedger::image_parts`.
    pub part: u32,
    /// It holds all rounds of its source up to this one, and none behind.
    pub through: i64,
    /// The packed slices.
    pub blob: Vec<u8>,
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

/// How long the store keeps slices of the finest level.
const KEEP_FINEST: Duration = hours(3);
/// How long it keeps those of a minute.
const KEEP_MINUTES: Duration = days(8);
/// How long it keeps those of five minutes.
const KEEP_FIVE_MINUTES: Duration = days(35);
/// How long it keeps the coarsest: 25 months.
const KEEP_COARSEST: Duration = days(762);

/// Rounds take at most so much of the store, in bytes: with 10,000 budgets three hours are some 70 MB.
const MOST_IN_ROUNDS: usize = 96 << 20;

/// So many streams are compacted at once.
const STREAMS_OF_A_PART: u32 = 1000;

/// The level of slices that end at edges. It is never rolled up.
const PIECES: Duration = Duration::ZERO;

/// The length of the slices that an instant of this age is stored at: where an edge must lie that is made now. An hour is left for a compaction that is
/// under way.
pub fn grid(age: Duration) -> Duration {
    let sure = |keep: Duration| age < keep.saturating_sub(HOUR);
    if sure(KEEP_FINEST) {
        TEN_SECONDS
    } else if sure(KEEP_MINUTES) {
        MINUTE
    } else if sure(KEEP_FIVE_MINUTES) {
        FIVE_MINUTES
    } else {
        HOUR
    }
}

/// How many of these rounds, oldest first, are to be compacted now: those whose slices are not kept at the finest level any more, and more where all
/// together are large, as those that fill in history are. Each is given with up to where it settled and its size in bytes.
pub fn due(rounds: &[(Timestamp, usize)], now: Timestamp) -> usize {
    let finest = Cuts::at(now).finest;
    let old = rounds.partition_point(|(settled, _)| *settled <= finest);
    let mut bytes: usize = rounds[old..].iter().map(|(_, bytes)| bytes).sum();
    let too_much = |(_, size): &&(Timestamp, usize)| {
        let over = bytes > MOST_IN_ROUNDS;
        bytes -= size;
        over
    };
    old + rounds[old..].iter().take_while(too_much).count()
}

/// Some streams, and which of their stored segments a compaction must be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The streams.
    pub streams: RangeInclusive<u32>,
    /// The segments that grow, are rolled up or dropped; others may be among them.
    pub segments: Vec<SegmentKey>,
}

/// The parts in which these rounds are compacted into what is stored, so that little is unpacked at once. Nothing changes in other streams.
pub fn parts(rounds: &[(i64, Vec<u8>)], stored: &[SegmentKey], edges: &Edges, now: Timestamp) -> Result<Vec<Part>, Damaged> {
    let cuts = Cuts::at(now);
    let (mut grown, mut parts) = (BTreeSet::new(), BTreeMap::new());
    for (_, blob) in rounds {
        let round = RoundSlices::unpack(blob)?;
        grown.extend(round.entries.iter().map(|entry| day_of(entry.end)));
        grown.extend(round.spans.iter().flat_map(|span| days_of(span, cuts)));
        let streams = round.entries.iter().map(|entry| entry.stream).chain(round.spans.iter().map(|span| span.stream));
        parts.extend(streams.map(|stream| (stream / STREAMS_OF_A_PART, Vec::new())));
    }
    let rolled: BTreeSet<(u32, Timestamp)> = stored.iter().filter(|key| cuts.ages(key, edges)).map(|key| (key.stream, key.day)).collect();
    for key in stored.iter().filter(|key| grown.contains(&key.day) || rolled.contains(&(key.stream, key.day))) {
        parts.entry(key.stream / STREAMS_OF_A_PART).or_default().push(*key);
    }
    let streams = |part: u32| part * STREAMS_OF_A_PART..=(part * STREAMS_OF_A_PART).saturating_add(STREAMS_OF_A_PART - 1);
    Ok(parts.into_iter().map(|(part, segments)| Part { streams: streams(part), segments }).collect())
}

/// Moves rounds into segments and rolls old slices up, without changing any sum. `segments` must hold at least those that `parts` names.
pub fn compact(rounds: &[(i64, Vec<u8>)], segments: &[Segment], edges: &Edges, now: Timestamp) -> Result<Compaction, Damaged> {
    compact_streams(rounds, &(0..=u32::MAX), segments, edges, now)
}

/// The same for some of the streams, so that what is unpacked stays small; a round may be dropped when it was done for all.
pub fn compact_streams(
    rounds: &[(i64, Vec<u8>)],
    streams: &RangeInclusive<u32>,
    segments: &[Segment],
    edges: &Edges,
    now: Timestamp,
) -> Result<Compaction, Damaged> {
    let cuts = Cuts::at(now);
    let mut after = gathered(rounds, streams, edges, cuts)?;
    let own = segments.iter().filter(|segment| streams.contains(&segment.key.stream));
    let before: BTreeMap<SegmentKey, &Vec<u8>> = own.map(|segment| (segment.key, &segment.blob)).collect();
    let mut drained = BTreeSet::new();
    for (key, blob) in before.iter().filter(|(key, _)| cuts.ages(key, edges)) {
        drained.insert(*key);
        for (end, counts) in unpack_segment(key.step(), blob)? {
            if let Some(level) = cuts.level_of(key.level(), edges.grain(key.stream), end) {
                book(&mut after, edges, key.stream, level, (end, counts));
            }
        }
    }
    for (key, slices) in &mut after {
        if let Some(blob) = before.get(key).filter(|_| !drained.contains(key)) {
            for (end, counts) in unpack_segment(key.step(), blob)? {
                *slices.entry(end).or_default() += counts;
            }
        }
    }
    let changed = packed(&after).filter(|segment| before.get(&segment.key) != Some(&&segment.blob)).collect();
    let drop_segments = drained.into_iter().filter(|key| !after.contains_key(key)).collect();
    Ok(Compaction { segments: changed, drop_rounds_through: rounds.iter().map(|(id, _)| *id).max(), drop_segments })
}

impl Compaction {
    /// Both in one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.segments.extend(other.segments);
        self.drop_segments.extend(other.drop_segments);
        self.drop_rounds_through = self.drop_rounds_through.max(other.drop_rounds_through);
        self
    }
}

type Slices = BTreeMap<SegmentKey, BTreeMap<Timestamp, Counts>>;

impl SegmentKey {
    /// The grid that the ends of its slices lie on: of pieces, whole seconds.
    pub(super) fn step(&self) -> Duration {
        Duration::from_secs(u64::from(self.level_seconds.max(1)))
    }

    /// The level that it holds.
    fn level(&self) -> Duration {
        Duration::from_secs(u64::from(self.level_seconds))
    }

    fn last_end(&self) -> Timestamp {
        self.day.plus(days(1))
    }
}

/// Before these instants the levels are rolled up. They lie on edges of every level.
#[derive(Debug, Clone, Copy)]
struct Cuts {
    finest: Timestamp,
    minutes: Timestamp,
    five_minutes: Timestamp,
    coarsest: Timestamp,
}

impl Cuts {
    fn at(now: Timestamp) -> Self {
        let cut = |keep: Duration| now.minus(keep).floor(HOUR);
        Self {
            finest: cut(KEEP_FINEST),
            minutes: cut(KEEP_MINUTES),
            five_minutes: cut(KEEP_FIVE_MINUTES),
            coarsest: cut(KEEP_COARSEST).floor(days(1)),
        }
    }

    /// The level that a slice is held at which is held at `level` and ends at `end`, of a stream of this grain; `None` where it is too old to be held.
    fn level_of(self, level: Duration, grain: Duration, end: Timestamp) -> Option<Duration> {
        let by_age = if end > self.finest {
            SECOND
        } else if end > self.minutes {
            MINUTE
        } else if end > self.five_minutes {
            FIVE_MINUTES
        } else if end > self.coarsest {
            grain
        } else {
            return None;
        };
        Some(if level == PIECES { PIECES } else { by_age.min(grain).max(level) })
    }

    /// Whether a segment may hold slices that are to be rolled up or dropped. What was kept fine for a zone stays so when it is not declared any more.
    fn ages(self, key: &SegmentKey, edges: &Edges) -> bool {
        let level = key.level();
        if level == PIECES || level > FIVE_MINUTES || level >= edges.grain(key.stream) {
            key.last_end() <= self.coarsest
        } else if level < MINUTE {
            key.day < self.finest
        } else if level < FIVE_MINUTES {
            key.day < self.minutes
        } else {
            key.day < self.five_minutes
        }
    }
}

/// The segment that holds a slice.
fn key_of(stream: u32, step: Duration, end: Timestamp) -> SegmentKey {
    let level_seconds = u32::try_from(step.as_secs()).unwrap_or(u32::MAX);
    SegmentKey { stream, level_seconds, day: day_of(end) }
}

/// The start of the day that a slice with this end lies in.
fn day_of(end: Timestamp) -> Timestamp {
    end.minus(Duration::from_millis(1)).floor(days(1))
}

/// The starts of the days that an unseen stretch lies in.
fn days_of(span: &Span, cuts: Cuts) -> impl Iterator<Item = Timestamp> {
    let (first, to) = (span.from.max(cuts.coarsest).floor(days(1)), span.to);
    std::iter::successors(Some(first), |day| Some(day.plus(days(1)))).take_while(move |day| *day < to)
}

/// Books a slice at a level, or before the edge that lies in the level's slice.
fn book(slices: &mut Slices, edges: &Edges, stream: u32, level: Duration, (end, counts): (Timestamp, Counts)) {
    let (step, end) = match edges.between(stream, end, end.ceil(level)) {
        Some(edge) => (PIECES, edge),
        None => (level, end.ceil(level)),
    };
    *slices.entry(key_of(stream, step, end)).or_default().entry(end).or_default() += counts;
}

/// What the rounds hold of some streams, at the level of its age. A stream with an entry between two edges of 10 s has slices of a second.
fn gathered(rounds: &[(i64, Vec<u8>)], streams: &RangeInclusive<u32>, edges: &Edges, cuts: Cuts) -> Result<Slices, Damaged> {
    let unpacked = rounds.iter().map(|(_, blob)| RoundSlices::unpack_some(blob, streams));
    let rounds: Vec<RoundSlices> = unpacked.collect::<Result<_, _>>()?;
    let mut slices = Slices::new();
    for entry in rounds.iter().flat_map(|round| &round.entries) {
        let finest = if entry.end.floor(TEN_SECONDS) == entry.end { TEN_SECONDS } else { SECOND };
        if let Some(level) = cuts.level_of(finest, edges.grain(entry.stream), entry.end) {
            book(&mut slices, edges, entry.stream, level, (entry.end, entry.counts));
        }
    }
    for round in &rounds {
        for span in &round.spans {
            let finest = if round.fine.contains(&span.stream) { SECOND } else { TEN_SECONDS };
            book_span(&mut slices, edges, span, finest, cuts);
        }
    }
    Ok(slices)
}

/// Spreads an unseen stretch over slices, each piece at the level of its age.
fn book_span(slices: &mut Slices, edges: &Edges, span: &Span, finest: Duration, cuts: Cuts) {
    let mut from = span.from.max(cuts.coarsest);
    while from < span.to {
        let first = from.plus(Duration::from_millis(1));
        let Some(level) = cuts.level_of(finest, edges.grain(span.stream), first) else { return };
        let end = edges.between(span.stream, first, first.ceil(level)).unwrap_or(first.ceil(level));
        let counts = span.within(from, end);
        if !counts.is_zero() {
            book(slices, edges, span.stream, level, (end, counts));
        }
        from = end;
    }
}

fn packed(slices: &Slices) -> impl Iterator<Item = Segment> + '_ {
    slices.iter().map(|(key, slices)| {
        let slices: Vec<_> = slices.iter().filter(|(_, counts)| !counts.is_zero()).map(|(end, counts)| (*end, *counts)).collect();
        Segment { key: *key, blob: slices::pack_segment(key.step(), &slices) }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ledger::slice::Entry, time::minutes};

    fn good(n: i64) -> Counts {
        Counts { good: n, ..Counts::default() }
    }

    fn apply(stored: &mut BTreeMap<SegmentKey, Segment>, compaction: Compaction) {
        for key in compaction.drop_segments {
            stored.remove(&key);
        }
        for segment in compaction.segments {
            stored.insert(segment.key, segment);
        }
    }

    fn total(stored: &BTreeMap<SegmentKey, Segment>) -> Counts {
        let slices = |segment: &Segment| unpack_segment(segment.key.step(), &segment.blob).expect("own blob");
        stored.values().flat_map(slices).map(|(_, counts)| counts).sum()
    }

    /// What the first two streams hold up to an instant.
    fn up_to(stored: &BTreeMap<SegmentKey, Segment>, at: Timestamp) -> Counts {
        let first_two = stored.values().filter(|segment| segment.key.stream < 2);
        let slices = first_two.flat_map(|segment| unpack_segment(segment.key.step(), &segment.blob).expect("own blob"));
        slices.filter(|(end, _)| *end <= at).map(|(_, counts)| counts).sum()
    }

    proptest! {
        #[test]
        fn rolling_up_changes_no_sum_and_crosses_no_edge(
            batches in prop::collection::vec((prop::collection::vec((0_u32..3, 0_i64..4_000_000, 1_i64..9), 0..12), 1_u64..400_000), 1..8),
            span in (0_i64..3_000_000, 1_i64..9_000),
            edges in prop::collection::vec(0_i64..400_000, 0..40),
            fine: bool,
        ) {
            let grain = if fine { SECOND } else { TEN_SECONDS };
            let (mut stored, mut expected, mut now) = (BTreeMap::new(), Counts::default(), Timestamp::from_seconds(4_000_000));
            let instants: Vec<Timestamp> = edges.iter().map(|edge| Timestamp::from_seconds(edge * 10)).collect();
            let edges = Edges::new([(0, instants.clone()), (1, instants.clone())]);
            let mut entered: Vec<Entry> = Vec::new();
            let hidden = Span { stream: 1, from: Timestamp::from_seconds(span.0), to: Timestamp::from_seconds(span.0 + span.1) };
            for (id, (entries, later)) in (0_i64..).zip(batches) {
                let mut round = RoundSlices::default();
                for (stream, at, n) in entries {
                    round.entries.push(Entry { stream, end: Timestamp::from_seconds(at).ceil(grain), counts: good(n) });
                    expected += good(n);
                }
                if id == 0 {
                    round.spans.push(hidden);
                    round.fine.extend(fine.then_some(1));
                    expected += Counts { unseen_millis: span.1 * 1000, ..Counts::default() };
                }
                round.entries.sort_by_key(|entry| (entry.stream, entry.end));
                entered.extend(&round.entries);
                let rounds: Vec<_> = round.pack().into_iter().map(|blob| (id, blob)).collect();
                let keys: Vec<_> = stored.keys().copied().collect();
                let parts = parts(&rounds, &keys, &edges, now).expect("own blobs");
                let compacted = parts.iter().map(|part| {
                    let given: Vec<Segment> = part.segments.iter().map(|key: &SegmentKey| Segment::clone(&stored[key])).collect();
                    compact_streams(&rounds, &part.streams, &given, &edges, now).expect("own blobs")
                });
                let compaction = compacted.fold(Compaction::default(), Compaction::and);
                apply(&mut stored, compaction);
                prop_assert_eq!(total(&stored), expected);
                for edge in &instants {
                    let before = entered.iter().filter(|entry| entry.stream < 2 && entry.end <= *edge).map(|entry| entry.counts).sum::<Counts>();
                    prop_assert_eq!(up_to(&stored, *edge), before + hidden.within(Timestamp::EPOCH, *edge));
                }
                now = now.plus(Duration::from_secs(later));
            }
        }
    }

    proptest! {
        /// A calendar period of a zone begins on a slice edge of its grain: what lies on either side is never mixed, however old it is.
        #[test]
        fn rolled_up_slices_keep_every_edge_of_their_grain(
            events in prop::collection::vec((0_i64..6_000_000, 1_i64..9), 1..60),
            edge in 0_i64..6_660,
            grain in prop::sample::select(vec![900_u64, 1800, 3600]),
            ages in prop::collection::vec(0_u64..90, 1..4),
        ) {
            let grain = Duration::from_secs(grain);
            let edge = Timestamp::from_seconds(edge * 900).floor(grain);
            let mut round = RoundSlices::default();
            round.entries.extend(events.iter().map(|(at, n)| Entry { stream: 1, end: Timestamp::from_seconds(*at).ceil(TEN_SECONDS), counts: good(*n) }));
            round.entries.sort_by_key(|entry| entry.end);
            let before: i64 = events.iter().filter(|(at, _)| Timestamp::from_seconds(*at) <= edge).map(|(_, n)| n).sum();
            let edges = Edges::default().with_grains([(1, grain)]);
            let mut rounds = vec![(1, round.pack().expect("not empty"))];
            let (mut stored, mut now) = (BTreeMap::new(), Timestamp::from_seconds(6_000_000));
            for age in ages {
                now = now.plus(days(age));
                let segments: Vec<_> = stored.values().cloned().collect();
                apply(&mut stored, compact(&rounds, &segments, &edges, now).expect("own blobs"));
                rounds.clear();
            }
            let slices = stored.values().flat_map(|segment: &Segment| unpack_segment(segment.key.step(), &segment.blob).expect("own blob"));
            prop_assert_eq!(slices.filter(|(end, _)| *end <= edge).map(|(_, counts)| counts.good).sum::<i64>(), before);
        }
    }

    #[test]
    fn slices_that_were_kept_fine_for_a_zone_stay_so_when_it_is_not_declared_any_more() {
        let round = RoundSlices {
            entries: vec![Entry { stream: 0, end: Timestamp::from_seconds(900), counts: good(1) }],
            ..RoundSlices::default()
        };
        let now = Timestamp::from_seconds(900).plus(days(40));
        let fine = compact(&[(1, round.pack().expect("not empty"))], &[], &Edges::default().with_grains([(0, minutes(15))]), now)
            .expect("own blob");
        assert_eq!(fine.segments[0].key.level_seconds, 900);
        let later = compact(&[], &fine.segments, &Edges::default(), now.plus(days(300))).expect("own blob");
        assert_eq!((later.segments.len(), later.drop_segments.len()), (0, 0));
        let gone = compact(&[], &fine.segments, &Edges::default(), now.plus(days(800))).expect("own blob");
        assert_eq!(gone.drop_segments, [fine.segments[0].key]);
    }

    #[test]
    fn slices_move_to_coarser_levels_as_they_age_and_end_after_25_months() {
        let round =
            RoundSlices { entries: vec![Entry { stream: 0, end: Timestamp::from_seconds(10), counts: good(1) }], ..RoundSlices::default() };
        let mut stored = BTreeMap::new();
        let start = Timestamp::from_seconds(60);
        apply(&mut stored, compact(&[(1, round.pack().expect("not empty"))], &[], &Edges::default(), start).expect("own blob"));
        for (age, level) in [(hours(1), Some(10)), (hours(5), Some(60)), (days(9), Some(300)), (days(40), Some(3600)), (days(800), None)] {
            let segments: Vec<_> = stored.values().cloned().collect();
            apply(&mut stored, compact(&[], &segments, &Edges::default(), start.plus(age)).expect("own blobs"));
            assert_eq!(stored.keys().map(|key| key.level_seconds).next(), level, "{age:?}");
            assert_eq!(stored.len(), usize::from(level.is_some()));
        }
    }

    #[test]
    fn rounds_wait_until_their_slices_are_rolled_up_unless_they_are_large() {
        let (now, half) = (Timestamp::from_seconds(100 * 3600), MOST_IN_ROUNDS / 2);
        let settled = |ago: Duration| now.minus(ago);
        let of = |rounds: &[(Duration, usize)]| due(&rounds.iter().map(|(ago, bytes)| (settled(*ago), *bytes)).collect::<Vec<_>>(), now);
        assert_eq!(of(&[(hours(5), 1), (hours(3), 1), (minutes(179), 1), (minutes(1), 1)]), 2);
        assert_eq!(of(&[(minutes(3), half), (minutes(2), half), (minutes(1), half)]), 1);
        assert_eq!(of(&[(minutes(3), half), (minutes(2), half)]), 0);
    }

    #[test]
    fn what_is_compacted_in_parts_is_what_is_compacted_at_once() {
        let entry = |stream, seconds| Entry { stream, end: Timestamp::from_seconds(seconds), counts: good(i64::from(stream) + seconds) };
        let span = |stream| Span { stream, from: Timestamp::from_seconds(80_000), to: Timestamp::from_seconds(90_000) };
        let round = |from: i64| RoundSlices {
            entries: (0..4).flat_map(|stream| (0..9).map(move |at| entry(stream, from + at * 10))).collect(),
            spans: vec![span(1), span(3)],
            fine: BTreeSet::new(),
        };
        let rounds = [(1, round(70_000).pack().expect("not empty")), (2, round(86_370).pack().expect("not empty"))];
        let (edges, now) = (Edges::default(), Timestamp::from_seconds(200_000));
        let part = |streams| compact_streams(&rounds, &streams, &[], &edges, now).expect("own blobs");
        let mut parts = part(0..=1).and(part(2..=u32::MAX));
        parts.segments.sort_by_key(|segment| segment.key);
        assert_eq!(parts, compact(&rounds, &[], &edges, now).expect("own blobs"));
    }

    #[test]
    fn a_compaction_with_nothing_to_do_changes_nothing() {
        let round =
            RoundSlices { entries: vec![Entry { stream: 0, end: Timestamp::from_seconds(10), counts: good(1) }], ..RoundSlices::default() };
        let first =
            compact(&[(1, round.pack().expect("not empty"))], &[], &Edges::default(), Timestamp::from_seconds(60)).expect("own blob");
        let again = compact(&[], &first.segments, &Edges::default(), Timestamp::from_seconds(70)).expect("own blob");
        assert_eq!((again.segments.len(), again.drop_segments.len(), again.drop_rounds_through), (0, 0, None));
    }
}
