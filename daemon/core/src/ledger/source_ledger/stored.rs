//! The state that the store keeps of a ledger beside its slices, and whether a round changes it: most do not, and packing all of it only to compare would
//! take longer than to count.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Counted, SourceLedger, TEN_SECONDS,
    parts::{BucketSeen, Lane, Meta, QUIET_AFTER, Route, Split},
};
use crate::{
    ledger::{
        count::{Counter, SeriesKey},
        coverage::{Beat, open_silence},
        segment::state::{Quiet, State, StoredLane, StoredStream},
    },
    time::Timestamp,
};

/// Which last samples a packed state holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those that a wider read would not find.
    Quiet,
    /// All.
    All,
}

impl Keep {
    fn holds(self, last: Timestamp, watermark: Timestamp) -> bool {
        match self {
            Self::Quiet => SourceLedger::is_quiet(last, watermark),
            Self::All => true,
        }
    }
}

/// What becomes of a counter at a restart.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// The wider read finds it.
    Found,
    /// The state holds it.
    Stored(Counter),
    /// It is not remembered any more.
    Forgotten,
}

impl Fate {
    fn of(counter: Option<Counter>, lane: &Lane, has_up: bool, keep: Keep) -> Self {
        match counter {
            Some(counter) if !keep.holds(counter.at, lane.watermark) => Self::Found,
            Some(counter) if !lane.forgets_by_now(has_up, counter.at) => Self::Stored(counter),
            Some(_) => Self::Forgotten,
            None => Self::Found,
        }
    }
}

/// What the state holds of an SLO that moves with every round: its watermark, where it is not where most are, and its last beat, where it is kept.
fn moving_of(lane: &Lane, grid: Duration, settled: Timestamp, keep: Keep) -> (Option<Timestamp>, Option<Beat>) {
    let watermark = (lane.watermark != settled.floor(grid)).then_some(lane.watermark);
    let goes_on = open_silence(lane.beat, lane.watermark).is_some();
    (watermark, lane.beat.filter(|(at, _)| goes_on || keep.holds(*at, lane.watermark)))
}

impl SourceLedger {
    /// The packed state after a round, where it is another one than before, and the series that are forgotten by then.
    pub(super) fn packed_after(&self, counted: &Counted) -> (Option<Vec<u8>>, Vec<SeriesKey>) {
        let unchanged = self.forgotten_where_unchanged(counted);
        if let Some(forgotten) = &unchanged {
            debug_assert_eq!((None, forgotten.clone()), self.packed_anew(counted), "what is compared is all that is packed");
        }
        unchanged.map_or_else(|| self.packed_anew(counted), |forgotten| (None, forgotten))
    }

    fn packed_anew(&self, counted: &Counted) -> (Option<Vec<u8>>, Vec<SeriesKey>) {
        let (state, forgotten) = self.state_after(counted, Keep::Quiet);
        let packed = state.pack();
        ((packed != self.state).then_some(packed), forgotten)
    }

    /// The series that are forgotten after a round that changes nothing of the state; `None` where it does, or may.
    fn forgotten_where_unchanged(&self, counted: &Counted) -> Option<Vec<SeriesKey>> {
        let Counted { opened, targets, found, judged, .. } = counted;
        let same = self.state_of == self.generation
            && (opened.is_empty() && targets.is_empty() && found.is_empty() && judged.is_empty())
            && self.lanes_stay(counted)
            && self.streams_stay(counted);
        if same { self.forgotten_where_quiet_stay(counted) } else { None }
    }

    fn lanes_stay(&self, counted: &Counted) -> bool {
        let (before, after) = (self.common_watermark(&self.lanes), counted.settled);
        let stays = |grid: Duration, lane: &Lane, moved: &Lane| {
            moving_of(lane, grid, before, Keep::Quiet) == moving_of(moved, grid, after, Keep::Quiet)
                && (lane.begin, lane.filled_to, lane.other_until) == (moved.begin, moved.filled_to, moved.other_until)
                && (&lane.fills, &lane.stood_still) == (&moved.fills, &moved.stood_still)
        };
        let mut planned = self.plan.lanes().iter().zip(&self.lanes).zip(&counted.lanes);
        planned.all(|((plan, lane), moved)| stays(plan.grid(), lane, moved))
            && self.retired.values().all(|retired| stays(TEN_SECONDS, &retired.lane, &retired.lane))
    }

    fn streams_stay(&self, counted: &Counted) -> bool {
        let (before, after) = (self.common_watermark(&self.lanes), counted.settled);
        self.streams.iter().zip(&counted.metas).all(|(held, moved)| {
            let lanes = held.lane.map(|lane| (self.lanes[lane].watermark, counted.lanes[lane].watermark));
            let (before, after) = lanes.unwrap_or((before, after));
            self.stored_meta(held.lane, &held.meta, before, Keep::Quiet) == self.stored_meta(held.lane, moved, after, Keep::Quiet)
        })
    }

    /// The series that are forgotten, where the same counters are quiet as before.
    fn forgotten_where_quiet_stay(&self, counted: &Counted) -> Option<Vec<SeriesKey>> {
        let old = |lanes: &[Lane]| lanes.iter().map(|lane| lane.watermark).max().map(|newest| newest.minus(QUIET_AFTER));
        let (before, after) = (old(&self.lanes), old(&counted.lanes));
        let may_be_quiet = |counter: &Option<Counter>, old| counter.is_some_and(|counter| Some(counter.at) <= old);
        let mut counters = self.series.counters().iter().zip(&counted.counters);
        if !counters.any(|(known, moved)| may_be_quiet(known, before) || may_be_quiet(moved, after)) {
            return Some(Vec::new());
        }
        let mut forgotten = Vec::new();
        for tracked in self.series.iter() {
            let mut remembered = false;
            for Route { lane, stream, counter, .. } in tracked.routes.iter() {
                let (lane, stream, counter) = (*lane as usize, *stream as usize, *counter as usize);
                let fate = Fate::of(counted.counters[counter], &counted.lanes[lane], counted.metas[stream].has_up, Keep::Quiet);
                let before = Fate::of(self.series.counters()[counter], &self.lanes[lane], self.streams[stream].meta.has_up, Keep::Quiet);
                if fate != before {
                    return None;
                }
                remembered |= fate != Fate::Forgotten;
            }
            if !remembered {
                forgotten.push(tracked.key);
            }
        }
        Some(forgotten)
    }

    /// The state after a round, and the series that are forgotten by then.
    pub(super) fn state_after(&self, counted: &Counted, keep: Keep) -> (State, Vec<SeriesKey>) {
        let (quiet, forgotten) = self.quiet_after(counted, keep);
        let (lanes, places) = self.lanes_after(counted, keep);
        let streams = self.streams_after(counted, &places, keep);
        let judged = self.judged.iter().map(|judged| (judged.of, judged.rule)).chain(counted.judged.iter().copied()).collect();
        (State { lanes, streams, quiet, judged, replica: self.plan.replica() }, forgotten)
    }

    fn lanes_after(&self, counted: &Counted, keep: Keep) -> (Vec<StoredLane>, BTreeMap<Split, u32>) {
        let planned = self.splits.iter().zip(self.plan.lanes()).zip(&counted.lanes);
        let planned = planned.map(|((split, plan), lane)| (split, plan.meaning_hash(), plan.grid(), lane));
        let retired = self.retired.iter().map(|(split, retired)| (split, retired.meaning, TEN_SECONDS, &retired.lane));
        let mut places = BTreeMap::new();
        let lanes = planned.chain(retired).map(|(split, meaning, grid, lane)| {
            places.insert(split.clone(), u32::try_from(places.len()).unwrap_or(u32::MAX));
            let (watermark, beat) = moving_of(lane, grid, counted.settled, keep);
            StoredLane {
                slo: (*split.slo).clone(),
                per: split.per.to_vec(),
                meaning,
                grid,
                watermark,
                begin: lane.begin,
                filled_to: lane.filled_to,
                fills: lane.fills.clone(),
                beat,
                stood_still: lane.stood_still.clone(),
                other_until: lane.other_until,
            }
        });
        (lanes.collect(), places)
    }

    fn streams_after(&self, counted: &Counted, places: &BTreeMap<Split, u32>, keep: Keep) -> Vec<StoredStream> {
        let watermark = |lane: Option<usize>| lane.map_or(counted.settled, |lane| counted.lanes[lane].watermark);
        let held = self.streams.iter().map(|held| (&held.stream, held.lane, held.targets.as_slice(), held.grain));
        let opened = counted.opened.iter().map(|(lane, stream)| (stream, Some(*lane), &[][..], self.grain_of(*lane)));
        let stored = held.chain(opened).map(|(stream, lane, targets, grain)| {
            let meta = self.stored_meta(lane, &counted.metas[stream.index as usize], watermark(lane), keep);
            StoredStream {
                lane: lane.map_or_else(|| places.get(&Split::of(stream)).copied(), |lane| u32::try_from(lane).ok()).unwrap_or(0),
                group: stream.group.clone(),
                counted_from: meta.counted_from,
                has_up: meta.has_up,
                newest: meta.newest,
                buckets: meta.buckets,
                beat: meta.beat,
                targets: counted.targets.get(&stream.index).map_or(targets, Vec::as_slice).to_vec(),
                grain,
            }
        });
        stored.collect()
    }

    /// What the state holds of what is known of a stream.
    fn stored_meta(&self, lane: Option<usize>, meta: &Meta, watermark: Timestamp, keep: Keep) -> Meta {
        let held = |at: Timestamp| keep.holds(at, watermark) || lane.is_none();
        Meta {
            newest: meta.newest.filter(|(at, _)| keep == Keep::All || self.keeps_newest(lane, *at, watermark)),
            buckets: meta.buckets.map(|seen| BucketSeen { newest: seen.newest.filter(|at| held(*at)), ..seen }),
            beat: meta.beat.filter(|(at, _)| held(*at)),
            ..*meta
        }
    }

    /// Whether the state holds the newest sample of a stream: outside the plan always; of slices that are judged, where the last one before the watermark
    /// could not be.
    fn keeps_newest(&self, lane: Option<usize>, newest: Timestamp, watermark: Timestamp) -> bool {
        lane.is_none_or(|lane| match self.plan.lanes()[lane].presence() {
            Some(slice) => newest < watermark.floor(slice),
            None => Self::is_quiet(newest, watermark),
        })
    }

    /// Counters that a restart would not find by its wider read, and series of which nothing is remembered any more.
    fn quiet_after(&self, counted: &Counted, keep: Keep) -> (Vec<Quiet>, Vec<SeriesKey>) {
        let (mut quiet, mut forgotten) = (Vec::new(), Vec::new());
        let found: BTreeSet<SeriesKey> = counted.found.iter().map(|tracked| tracked.key).collect();
        let untouched = self.series.iter().filter(|tracked| found.is_empty() || !found.contains(&tracked.key));
        for tracked in untouched.chain(&counted.found) {
            let mut remembered = false;
            for route in tracked.routes.iter() {
                let (lane, meta) = (&counted.lanes[route.lane as usize], &counted.metas[route.stream as usize]);
                let fate = Fate::of(counted.counters[route.counter as usize], lane, meta.has_up, keep);
                remembered |= fate != Fate::Forgotten;
                if let Fate::Stored(counter) = fate {
                    let histogram = counted.histograms.get(&route.counter).cloned();
                    quiet.push(Quiet { key: tracked.key, stream: route.stream, side: route.side, counter, histogram });
                }
            }
            if !remembered {
                forgotten.push(tracked.key);
            }
        }
        quiet.extend(self.retired.values().flat_map(|retired| &retired.quiet).cloned());
        quiet.sort_by_key(|quiet| (quiet.key, quiet.stream, quiet.side));
        (quiet, forgotten)
    }
}
