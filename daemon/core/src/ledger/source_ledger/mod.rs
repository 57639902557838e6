//! The ledger of one source: what to read, what was counted, sums over any lookback.
//!
//! A round is `reads`, then the source's answers, then `count` (which changes nothing), then the store's commit, then `apply`. Rounds follow one
//! another; a `Counted` is applied before the next one is counted.
//!
//! Each SLO has a watermark of its own and advances only when all answers that it needs are there. So a missing answer holds back nobody else, and a
//! source that was away and comes back leaves the same ledger as one that never was. An SLO more than an hour behind catches up in steps of an hour,
//! beside the live reads.

mod parts;
mod restore;
mod round;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
    time::Duration,
};

pub use parts::{Fill, Stream};
pub use view::StreamSums;

use super::{
    Plan, Reason, Series, Unknown,
    cache::Slices,
    count::{Rule, SeriesKey},
    coverage::Timeline,
    segment::RoundSlices,
    slice::{FIVE_MINUTES, HOUR, LevelSpec, TEN_SECONDS, levels, standard_levels},
};
use crate::{
    id::{Group, SloId},
    time::{Timestamp, days, hours},
};
use parts::{Lane, MARGIN, Meta, Provisional, Tracked};
use round::{Answers, FILL_MARGIN_STEPS, Memory, Round, margin_before};

/// How far raw samples are read back on the first start.
const RAW_HISTORY: Duration = hours(6);
/// The most that one read covers.
const MAX_STEP: Duration = HOUR;
/// History is filled in at five minutes up to this age, at an hour beyond.
const FINE_HISTORY: Duration = days(7);
/// How much history one question asks for at five minutes.
const FINE_CHUNK: Duration = days(1);
/// The same at an hour.
const COARSE_CHUNK: Duration = days(7);

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After this long a sample is expected to have arrived; 60 s by default.
    pub settle: Duration,
    /// More groups than these are counted as `(other)`.
    pub max_groups_per_slo: usize,
    /// Whether the source holds history from before we looked.
    pub history: bool,
}

/// One question to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Index into `Plan::queries`.
    pub query: usize,
    /// Samples after this.
    pub from: Timestamp,
    /// Samples up to this.
    pub to: Timestamp,
}

/// The questions of one round, live ones first. Answers are given back in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The questions.
    pub reads: Vec<Read>,
    /// True where some SLO's samples are not yet read up to now: ask the next round at once.
    pub catching_up: bool,
    cohorts: Vec<Cohort>,
    generation: u64,
}

/// SLOs that read the same stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cohort {
    lanes: Vec<usize>,
    /// Their questions among `Reads::reads`.
    reads: Range<usize>,
    to: Timestamp,
    settled: Timestamp,
    /// True where the read reaches up to now.
    live: bool,
    asked_at: Timestamp,
    /// The targets' samples are read after this.
    targets_from: Timestamp,
}

/// One step of filling in history from before the first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// The resolution to ask for.
    pub step: Duration,
    /// The questions; each is asked at every `step` with `from < t <= to`.
    pub reads: Vec<Read>,
    cohort: Cohort,
    from: Timestamp,
    generation: u64,
}

/// What a round counted; nothing is changed until it is applied.
#[derive(Debug, Clone)]
pub struct Counted {
    generation: u64,
    settled: Timestamp,
    lanes: Vec<Lane>,
    opened: Vec<(usize, Stream)>,
    metas: BTreeMap<u32, Meta>,
    series: BTreeMap<SeriesKey, Tracked>,
    forgotten: Vec<SeriesKey>,
    slices: RoundSlices,
    provisional: BTreeMap<u32, Provisional>,
    timeline: Option<Timeline>,
    state: Option<Vec<u8>>,
}

impl Counted {
    /// Up to where samples are settled after this round: what the store keeps as the watermark.
    pub fn settled(&self) -> Timestamp {
        self.settled
    }

    /// The settled slices, packed; `None` where there are none.
    pub fn blob(&self) -> Option<Vec<u8>> {
        self.slices.pack()
    }

    /// The packed state that a restart needs beside the slices; `None` where it did not change.
    pub fn state_blob(&self) -> Option<Vec<u8>> {
        self.state.clone()
    }

    fn unchanged(ledger: &SourceLedger) -> Self {
        Self {
            generation: ledger.generation,
            settled: ledger.common_watermark(&ledger.lanes),
            lanes: ledger.lanes.clone(),
            opened: Vec::new(),
            metas: BTreeMap::new(),
            series: BTreeMap::new(),
            forgotten: Vec::new(),
            slices: RoundSlices::default(),
            provisional: BTreeMap::new(),
            timeline: None,
            state: None,
        }
    }
}

/// The ledger of one source.
#[derive(Debug)]
pub struct SourceLedger {
    plan: Plan,
    settings: Settings,
    /// By the plan's SLOs: what each has read, its identity, its levels, its streams.
    lanes: Vec<Lane>,
    lane_ids: Vec<Arc<SloId>>,
    level_specs: Vec<Vec<LevelSpec>>,
    lane_streams: Vec<BTreeMap<Group, u32>>,
    /// SLOs that left the plan; what they read is not read again if they return.
    retired: BTreeMap<Arc<SloId>, (u64, Lane)>,
    streams: Vec<Held>,
    series: BTreeMap<SeriesKey, Tracked>,
    timeline: Timeline,
    /// The timeline holds all samples after this.
    timeline_from: Option<Timestamp>,
    /// Where no SLO has read anything, samples are settled up to here.
    created: Timestamp,
    /// The packed state as the store has it.
    state: Vec<u8>,
    /// Counts the changes, so that an answer to an older question is not taken for one to a newer.
    generation: u64,
}

/// A stream with all that is held of it.
#[derive(Debug, Clone)]
struct Held {
    stream: Stream,
    lane: Option<usize>,
    meta: Meta,
    slices: Slices,
    provisional: Provisional,
}

impl SourceLedger {
    /// A ledger that holds nothing yet and starts to read at `now` (with history: 6 h before).
    pub fn new(plan: Plan, settings: Settings, now: Timestamp) -> Self {
        let mut ledger = Self {
            plan: Plan::new(&[]),
            settings,
            lanes: Vec::new(),
            lane_ids: Vec::new(),
            level_specs: Vec::new(),
            lane_streams: Vec::new(),
            retired: BTreeMap::new(),
            streams: Vec::new(),
            series: BTreeMap::new(),
            timeline: Timeline::default(),
            timeline_from: None,
            created: now.floor(TEN_SECONDS),
            state: Vec::new(),
            generation: 0,
        };
        ledger.replace_plan(plan, now);
        ledger
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Takes a new plan. SLOs that stay keep everything; where one counts something else now, its history stays and its counters start anew at its
    /// watermark.
    pub fn replace_plan(&mut self, plan: Plan, now: Timestamp) {
        self.generation += 1;
        let moved = self.retire_all();
        self.lane_ids = plan.slos().map(|slo| Arc::new(slo.id.clone())).collect();
        self.level_specs = plan.slos().map(|slo| levels(slo)).collect();
        self.plan = plan;
        let (mut stays, mut unchanged) = (BTreeMap::new(), BTreeSet::new());
        for (index, id) in self.lane_ids.iter().enumerate() {
            let meaning = self.plan.lanes()[index].meaning_hash();
            let lane = match self.retired.remove(id) {
                Some((before, lane)) if before == meaning => {
                    unchanged.insert(index);
                    stays.extend(moved.get(id).map(|old| (*old, u32::try_from(index).unwrap_or(u32::MAX))));
                    lane
                }
                Some((_, lane)) => Lane { primed: false, ..lane },
                None => self.new_lane(now),
            };
            self.lanes.push(lane);
        }
        self.move_series(&stays);
        self.attach_streams(&unchanged);
    }

    /// Puts all SLOs aside; gives back where each was.
    fn retire_all(&mut self) -> BTreeMap<Arc<SloId>, u32> {
        let mut moved = BTreeMap::new();
        for (index, (id, lane)) in self.lane_ids.drain(..).zip(self.lanes.drain(..)).enumerate() {
            moved.insert(Arc::clone(&id), u32::try_from(index).unwrap_or(u32::MAX));
            self.retired.insert(id, (self.plan.lanes()[index].meaning_hash(), lane));
        }
        moved
    }

    fn new_lane(&self, now: Timestamp) -> Lane {
        Lane::starting_at(if self.settings.history { now.minus(RAW_HISTORY).floor(HOUR) } else { now.floor(TEN_SECONDS) })
    }

    /// Counters follow their SLO to its new place; those of SLOs that are gone or changed are dropped.
    fn move_series(&mut self, stays: &BTreeMap<u32, u32>) {
        for tracked in self.series.values_mut() {
            tracked.matched.clear();
            tracked.routes.retain_mut(|route| {
                let place = stays.get(&route.lane);
                route.lane = place.copied().unwrap_or(route.lane);
                place.is_some()
            });
        }
        self.series.retain(|_, tracked| !tracked.routes.is_empty());
        // A lane that left and came back without a change between has lost its counters.
        let kept: BTreeSet<u32> = stays.values().copied().collect();
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            lane.primed &= u32::try_from(index).is_ok_and(|index| kept.contains(&index));
        }
    }

    /// Streams belong to the SLO of their name; an SLO that is not split has its one stream from the start.
    fn attach_streams(&mut self, unchanged: &BTreeSet<usize>) {
        let places: BTreeMap<Arc<SloId>, usize> = self.lane_ids.iter().enumerate().map(|(index, id)| (Arc::clone(id), index)).collect();
        self.lane_streams = vec![BTreeMap::new(); self.lanes.len()];
        for held in &mut self.streams {
            held.lane = places.get(&held.stream.slo).copied();
            let Some(lane) = held.lane else {
                held.provisional = Provisional::default();
                continue;
            };
            if !unchanged.contains(&lane) {
                held.meta = Meta {
                    counted_from: held.meta.counted_from,
                    has_up: held.meta.has_up,
                    targets: std::mem::take(&mut held.meta.targets),
                    ..Meta::default()
                };
                held.provisional = Provisional::default();
            }
            if !held.slices.has_levels(&self.level_specs[lane]) {
                held.slices = held.slices.with_levels(&self.level_specs[lane]);
            }
            self.lane_streams[lane].insert(held.stream.group.clone(), held.stream.index);
        }
        for lane in 0..self.lanes.len() {
            let whole = self.plan.lanes()[lane].slo.per.is_empty();
            if whole && !self.lane_streams[lane].contains_key(&Group::whole()) {
                let index = u32::try_from(self.streams.len()).expect("fewer streams than 2^32");
                let slo = Arc::clone(&self.lane_ids[lane]);
                let stream = Stream { index, slo, group: Group::whole(), newest_sample: None, counted_from: None, catching_up: true };
                self.hold(lane, stream);
            }
        }
    }

    fn hold(&mut self, lane: usize, stream: Stream) {
        self.lane_streams[lane].insert(stream.group.clone(), stream.index);
        let slices = Slices::new(&self.level_specs[lane]);
        self.streams.push(Held { stream, lane: Some(lane), meta: Meta::default(), slices, provisional: Provisional::default() });
    }

    /// What to ask the source in this round.
    pub fn reads(&self, now: Timestamp) -> Reads {
        let (live, behind): (Vec<usize>, Vec<usize>) = (0..self.lanes.len()).partition(|lane| !self.is_behind(*lane, now));
        let mut reads = Reads { reads: Vec::new(), catching_up: !behind.is_empty(), cohorts: Vec::new(), generation: self.generation };
        if !live.is_empty() {
            let from = self.targets_from(&live);
            self.ask(&mut reads, live, from, now, now);
        }
        if let Some(first) = behind.iter().min_by_key(|lane| (self.lanes[**lane].tried, self.lanes[**lane].watermark)) {
            let watermark = self.lanes[*first].watermark;
            let same = behind.into_iter().filter(|lane| self.lanes[*lane].watermark == watermark).collect();
            self.ask(&mut reads, same, margin_before(watermark), watermark.plus(MAX_STEP), now);
        }
        reads
    }

    fn is_behind(&self, lane: usize, now: Timestamp) -> bool {
        now.since(self.lanes[lane].watermark) > self.settings.settle + MAX_STEP
    }

    /// From where on the live read needs the targets' samples, given what is remembered.
    fn targets_from(&self, lanes: &[usize]) -> Timestamp {
        let first = lanes.iter().map(|lane| self.lanes[*lane].watermark).min().unwrap_or(self.created);
        let needed = margin_before(first);
        if self.timeline_from.is_some_and(|from| from <= needed) { first } else { needed }
    }

    /// Adds the questions of a cohort that reads up to `to`.
    fn ask(&self, reads: &mut Reads, lanes: Vec<usize>, targets_from: Timestamp, to: Timestamp, now: Timestamp) {
        let mut from: BTreeMap<usize, Timestamp> = BTreeMap::new();
        for lane in &lanes {
            let state = &self.lanes[*lane];
            let start = if state.primed { state.watermark } else { margin_before(state.watermark) };
            for query in self.plan.lanes()[*lane].sides.iter().map(|side| side.query) {
                from.entry(query).and_modify(|first| *first = start.min(*first)).or_insert(start);
            }
        }
        for query in self.plan.targets().into_iter().flat_map(|targets| [targets.up, targets.starts]) {
            from.entry(query).and_modify(|first| *first = targets_from.min(*first)).or_insert(targets_from);
        }
        let first = reads.reads.len();
        reads.reads.extend(from.into_iter().map(|(query, from)| Read { query, from, to }));
        let settled = now.minus(self.settings.settle).floor(TEN_SECONDS).min(to);
        let cohort = Cohort { lanes, reads: first..reads.reads.len(), to, settled, live: to == now, asked_at: now, targets_from };
        reads.cohorts.push(cohort);
    }

    /// Counts the answers, in the order of `reads.reads`. An unanswered question advances nothing of the SLOs that need it.
    pub fn count(&self, reads: &Reads, answers: &[Result<Vec<Series>, Unknown>]) -> Counted {
        let mut round = Round::new(self, Rule::RAW, Memory::Ledger);
        if reads.generation == self.generation {
            for cohort in &reads.cohorts {
                round.count(cohort, &by_query(&reads.reads[cohort.reads.clone()], answers.get(cohort.reads.clone()).unwrap_or_default()));
            }
        }
        self.seal(round.counted)
    }

    /// The next step of filling in history, newest first; `None` when it is filled in, where there is none, or while live data is behind.
    pub fn backfill(&self, now: Timestamp) -> Option<Backfill> {
        let idle = self.lanes.iter().all(|lane| lane.primed && !lane.catching_up);
        if !self.settings.history || !idle {
            return None;
        }
        let open = |lane: &usize| self.lanes[*lane].filled_to > now.minus(self.longest(*lane));
        let to = (0..self.lanes.len()).filter(open).map(|lane| self.lanes[lane].filled_to).max()?;
        let lanes: Vec<usize> = (0..self.lanes.len()).filter(open).filter(|lane| self.lanes[*lane].filled_to == to).collect();
        let oldest = lanes.iter().map(|lane| now.minus(self.longest(*lane)).floor(HOUR)).min()?;
        let fine_limit = now.minus(FINE_HISTORY).floor(HOUR);
        let (step, from) =
            if to > fine_limit { (FIVE_MINUTES, to.minus(FINE_CHUNK).max(fine_limit)) } else { (HOUR, to.minus(COARSE_CHUNK)) };
        let from = from.max(oldest);
        let start = from.minus(step * FILL_MARGIN_STEPS);
        let queries: BTreeSet<usize> = lanes.iter().flat_map(|lane| self.plan.lanes()[*lane].queries.iter().copied()).collect();
        let reads: Vec<Read> = queries.into_iter().map(|query| Read { query, from: start, to }).collect();
        let cohort = Cohort { lanes, reads: 0..reads.len(), to, settled: to, live: false, asked_at: now, targets_from: start };
        Some(Backfill { step, reads, cohort, from, generation: self.generation })
    }

    fn longest(&self, lane: usize) -> Duration {
        self.level_specs[lane].last().map(|level| level.keep).unwrap_or_default()
    }

    /// Counts the answers to a step of history. It never reaches what was counted from raw samples.
    pub fn count_backfill(&self, backfill: &Backfill, answers: &[Result<Vec<Series>, Unknown>]) -> Counted {
        let mut round = Round::new(self, Rule::stepped(backfill.step), Memory::Nothing);
        if backfill.generation == self.generation {
            for lane in &backfill.cohort.lanes {
                round.counted.lanes[*lane] = Lane::starting_at(backfill.from);
            }
            round.count(&backfill.cohort, &by_query(&backfill.reads, answers));
            round.finish_fill(&backfill.cohort, backfill.from, backfill.step);
        }
        self.seal(round.counted)
    }

    /// Takes over what was counted, after the store committed it.
    pub fn apply(&mut self, counted: Counted) {
        if counted.generation != self.generation {
            return;
        }
        self.generation += 1;
        self.lanes = counted.lanes;
        for (lane, stream) in counted.opened {
            self.hold(lane, stream);
        }
        for (stream, meta) in counted.metas {
            self.streams[stream as usize].meta = meta;
        }
        self.series.extend(counted.series);
        for key in counted.forgotten {
            self.series.remove(&key);
        }
        for (stream, provisional) in counted.provisional {
            self.streams[stream as usize].provisional = provisional;
        }
        for entry in &counted.slices.entries {
            self.streams[entry.stream as usize].slices.add(entry.end, entry.counts);
        }
        for span in &counted.slices.spans {
            self.streams[span.stream as usize].slices.add_span(span);
        }
        if let Some(timeline) = counted.timeline {
            self.keep_timeline(timeline);
        }
        self.state = counted.state.unwrap_or_else(|| std::mem::take(&mut self.state));
        self.show();
    }

    fn keep_timeline(&mut self, timeline: Timeline) {
        self.timeline = timeline;
        let live = self.lanes.iter().filter(|lane| lane.primed && !lane.catching_up).map(|lane| lane.watermark);
        let needed = margin_before(live.min().unwrap_or(self.created));
        self.timeline.prune(needed.minus(MARGIN), needed.minus(days(1)));
        self.timeline_from = Some(needed);
    }

    /// Brings what others see of the streams up to date.
    fn show(&mut self) {
        for held in &mut self.streams {
            let Some(lane) = held.lane else { continue };
            held.stream.newest_sample = held.meta.newest.map(|(at, _)| at);
            held.stream.counted_from = held.meta.counted_from;
            held.stream.catching_up = self.lanes[lane].catching_up;
        }
    }

    /// Orders what was counted, and adds what the store must keep beside it.
    fn seal(&self, mut counted: Counted) -> Counted {
        round::join(&mut counted.slices.entries);
        counted.slices.spans.sort_unstable();
        counted.slices.fine = self.fine_streams(&counted);
        for provisional in counted.provisional.values_mut() {
            provisional.tidy();
        }
        counted.settled = self.common_watermark(&counted.lanes);
        let (state, forgotten) = self.state_after(&counted);
        let packed = state.pack();
        counted.state = (packed != self.state).then_some(packed);
        counted.forgotten = forgotten;
        counted
    }

    /// Those of the streams with unseen stretches that have slices of a second.
    fn fine_streams(&self, counted: &Counted) -> BTreeSet<u32> {
        let lane_of = |stream: u32| match self.streams.get(stream as usize) {
            Some(held) => held.lane,
            None => counted.opened.get(stream as usize - self.streams.len()).map(|(lane, _)| *lane),
        };
        let is_fine = |stream: &u32| lane_of(*stream).is_some_and(|lane| self.level_specs[lane][0].step < TEN_SECONDS);
        counted.slices.spans.iter().map(|span| span.stream).filter(is_fine).collect()
    }

    /// The watermark that most SLOs have; the state names the others.
    fn common_watermark(&self, lanes: &[Lane]) -> Timestamp {
        lanes.iter().map(|lane| lane.watermark).max().unwrap_or(self.created)
    }

    fn stream_of(&self, lane: usize, group: &Group) -> Option<u32> {
        self.lane_streams[lane].get(group).copied()
    }

    fn streams_of(&self, lane: usize) -> impl Iterator<Item = u32> + '_ {
        self.lane_streams[lane].values().copied()
    }

    fn groups_of(&self, lane: usize) -> usize {
        self.lane_streams[lane].len()
    }
}

/// Pairs answers with the queries that were asked; a missing answer is none.
fn by_query<'s>(reads: &[Read], answers: &'s [Result<Vec<Series>, Unknown>]) -> Answers<'s> {
    reads.iter().zip(answers).map(|(read, answer)| (read.query, answer.as_deref())).collect()
}

#[cfg(test)]
mod tests;
