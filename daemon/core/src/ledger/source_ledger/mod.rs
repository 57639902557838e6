//! The ledger of one source: what to read, what was counted, sums over any lookback.
//!
//! A round is `reads`, then the source's answers, then `count` (which changes nothing), then the store's commit, then `apply`. Rounds follow one
//! another; a `Counted` is applied before the next one is counted.
//!
//! Each SLO has a watermark of its own and advances only when all answers that it needs are there. So a missing answer holds back nobody else, and a
//! source that was away and comes back leaves the same ledger as one that never was. An SLO further behind than one read reaches catches up in
//! steps beside the live reads: an hour each, or less where there are so many series that the answer would fill the memory.

mod ask;
mod blind;
mod composed;
mod correct;
mod few;
mod first_values;
mod image;
mod judged;
mod own;
mod parts;
mod past;
mod replace;
mod restore;
mod round;
mod second;
mod series;
mod stored;
mod view;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
    time::Duration,
};

pub(in crate::ledger) use parts::{BucketSeen, MAX_THRESHOLDS, Split};

pub use composed::MemberVerdicts;
pub use first_values::{FirstValueRule, FirstValuesTaken, FirstValuesWithin};
pub use own::OwnPart;
pub use parts::{Fill, Stream};
pub use past::{Late, PastSums};
pub use second::SecondReading;
pub use view::{Slice, StreamSums};

use super::{
    Histogram, Plan, Reason, Series, Unknown,
    cache::Slices,
    count::{Counter, Rule, SeriesKey, TargetKey},
    coverage::{Beat, Stretch, Timeline},
    marks::Marks,
    segment::{
        RoundSlices,
        behind::{Log, Seal},
    },
    slice::{FIVE_MINUTES, HOUR, LevelSpec, TEN_SECONDS, levels, lookbacks, slice_rules, standard_levels},
    verdict::VERDICTS,
};
use crate::{
    exclusion::Exclusions,
    id::{Group, SloId},
    slo::SliceRule,
    time::{Timestamp, days},
};
use composed::Composed;
use first_values::{FirstValue, FirstValues};
use judged::Judged;
use parts::{Lane, MARGIN, Meta, Newer, Provisional, Retired, Tracked, Trouble};
pub(in crate::ledger) use round::Answers;
use round::{Memory, Round, margin_before};
use second::Second;
use series::SeriesTable;

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
    /// The question of targets, which every SLO of raw samples needs.
    targets: Option<usize>,
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
    /// When what was counted was asked for: sums will be asked for that moment.
    asked_at: Option<Timestamp>,
    settled: Timestamp,
    lanes: Vec<Lane>,
    opened: Vec<(usize, Stream)>,
    /// Of all streams, the opened ones last.
    metas: Vec<Meta>,
    /// Of the streams whose targets or troubles changed.
    targets: BTreeMap<u32, Vec<TargetKey>>,
    newer_targets: BTreeMap<u32, Vec<(TargetKey, Timestamp)>>,
    troubles: BTreeMap<u32, Vec<Trouble>>,
    /// Series that are new, or that somebody takes now who did not before.
    found: Vec<Tracked>,
    /// Of all routes, the new ones last.
    counters: Vec<Option<Counter>>,
    /// By route: the last settled native histogram.
    histograms: BTreeMap<u32, Arc<Histogram>>,
    forgotten: Vec<SeriesKey>,
    slices: RoundSlices,
    /// By stream; `None` where it stays as it is.
    provisional: Vec<Option<Provisional>>,
    /// From when on events were held of the streams of which earlier ones came late.
    begun_earlier: BTreeMap<u32, Timestamp>,
    /// Of a second reading: where a series of a stream was met as if it were new.
    met: Vec<(u32, Timestamp)>,
    /// How the first values of counters were taken: by stream, moment and series.
    first_values: BTreeMap<(u32, Timestamp, SeriesKey), FirstValue>,
    /// New streams of verdicts: of which stream, by which rule.
    judged: Vec<(u32, SliceRule)>,
    /// The targets' samples, and the stretch of which it holds all.
    timeline: Option<(Timeline, Stretch)>,
    /// Histograms that were looked at.
    looks: BTreeMap<usize, Look>,
    /// What was booked before where it was sampled.
    log: Log,
    /// True where the slices are of samples that came late.
    late: bool,
    /// SLOs of which the source has lost samples.
    lost: Vec<Arc<SloId>>,
    state: Option<Vec<u8>>,
    /// Where the second reading begins that there was none of.
    first_seal: Option<Seal>,
    packed_seal: Option<Vec<u8>>,
    packed_log: Option<Vec<u8>>,
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

    /// The packed seal that a second reading begins at; `None` where it did not move.
    pub fn seal_blob(&self) -> Option<Vec<u8>> {
        self.packed_seal.clone()
    }

    /// The packed log that a second reading needs; `None` where it did not change.
    pub fn log_blob(&self) -> Option<Vec<u8>> {
        self.packed_log.clone()
    }

    /// Where the slices are of samples that came late: the same, packed by the minute. They correct what was known before.
    pub fn late_blob(&self) -> Option<Vec<u8>> {
        if self.late { self.slices.by_the_minute().pack() } else { None }
    }

    /// The SLOs of which a second reading did not find any more what was counted for them. That stays as it was counted.
    pub fn lost(&self) -> &[Arc<SloId>] {
        &self.lost
    }

    fn unchanged(ledger: &SourceLedger) -> Self {
        Self::before(ledger, &ledger.series)
    }

    /// What a round begins with that remembers these series.
    fn before(ledger: &SourceLedger, series: &SeriesTable) -> Self {
        Self {
            generation: ledger.generation,
            asked_at: None,
            settled: ledger.common_watermark(&ledger.lanes),
            lanes: ledger.lanes.clone(),
            opened: Vec::new(),
            metas: ledger.streams.iter().map(|held| held.meta).collect(),
            targets: BTreeMap::new(),
            newer_targets: BTreeMap::new(),
            troubles: BTreeMap::new(),
            found: Vec::new(),
            counters: series.counters().to_vec(),
            histograms: series.histograms().clone(),
            forgotten: Vec::new(),
            slices: RoundSlices::default(),
            provisional: vec![None; ledger.streams.len()],
            begun_earlier: BTreeMap::new(),
            met: Vec::new(),
            first_values: BTreeMap::new(),
            judged: Vec::new(),
            timeline: None,
            looks: BTreeMap::new(),
            log: Log::default(),
            late: false,
            lost: Vec::new(),
            state: None,
            first_seal: None,
            packed_seal: None,
            packed_log: None,
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
    lane_places: BTreeMap<Arc<SloId>, usize>,
    level_specs: Vec<Vec<LevelSpec>>,
    lookbacks: Vec<Arc<[Duration]>>,
    lane_streams: Vec<BTreeMap<Group, u32>>,
    /// By the plan's SLOs: how each is split, and its streams of when it was split otherwise.
    splits: Vec<Split>,
    ended_streams: Vec<BTreeMap<Group, u32>>,
    /// SLOs that left the plan, or that are split otherwise now; what they read is not read again if they return.
    retired: BTreeMap<Split, Retired>,
    streams: Vec<Held>,
    /// By the plan's SLOs: the rules by which their slices are judged, for themselves or for a composite.
    slice_rules: Vec<BTreeSet<SliceRule>>,
    /// The plan's SLOs that others make up.
    composites: Vec<Composed>,
    /// Streams of verdicts, and which is whose.
    judged: Vec<Judged>,
    judged_of: BTreeMap<(u32, SliceRule), u32>,
    series: SeriesTable,
    timeline: Timeline,
    /// The timeline holds all samples of this stretch, and nothing newer.
    timeline_holds: Option<Stretch>,
    /// What people took out of budgets: its edges are kept between slices.
    exclusions: Arc<Exclusions>,
    /// Edges before this are not kept any more.
    edges_since: Timestamp,
    /// Where no SLO has read anything, samples are settled up to here.
    created: Timestamp,
    /// What was found of histograms that lack the bucket of a threshold, by their query.
    looks: BTreeMap<usize, Look>,
    /// True where a stream may have series whose newest sample cannot be counted.
    troubled: bool,
    /// The packed state as the store has it.
    state: Vec<u8>,
    /// The generation of the ledger whose packed state that is.
    state_of: u64,
    /// What was booked before where it was sampled, lately.
    log: Log,
    /// Where samples that came late are looked for; `None` where the source has no history, and in the memory of a second reading.
    second: Option<Second>,
    /// The same of a second reading: see `Counted::met`.
    met: Vec<(u32, Timestamp)>,
    /// How the first values of counters were taken, lately.
    first_values: FirstValues,
    /// True where an SLO of the plan needs older or finer slices than the memory had; the store may have them.
    lacks_history: bool,
    /// Counts the changes, so that an answer to an older question is not taken for one to a newer.
    generation: u64,
}

/// What a look at a histogram's buckets found.
#[derive(Debug, Clone, PartialEq)]
struct Look {
    at: Timestamp,
    /// Finite ones, in order.
    boundaries: Vec<f64>,
}

/// A stream with all that is held of it.
#[derive(Debug, Clone)]
struct Held {
    stream: Stream,
    /// Its SLO's place in the plan.
    place: Option<usize>,
    /// The same while it is read: not where its SLO is split by other labels now.
    lane: Option<usize>,
    meta: Meta,
    /// Those whose first sample is settled. Sorted.
    targets: Vec<TargetKey>,
    /// The others, with when that sample was.
    newer_targets: Vec<(TargetKey, Timestamp)>,
    /// Series whose newest sample cannot be counted.
    troubles: Vec<Trouble>,
    slices: Slices,
    /// The coarsest slices that the store rolls it up to.
    grain: Duration,
    newer: Newer,
}

impl Held {
    fn new(stream: Stream, lane: Option<usize>, meta: Meta, slices: Slices) -> Self {
        let grain = slices.coarsest_step();
        let place = lane;
        Self {
            stream,
            place,
            lane,
            meta,
            targets: Vec::new(),
            newer_targets: Vec::new(),
            troubles: Vec::new(),
            slices,
            grain,
            newer: Newer::default(),
        }
    }

    /// It is not read any more: what is settled stays, and what its last reading saw beyond that is not held.
    fn end(&mut self, settled: Option<Timestamp>) {
        self.meta.newest = self.meta.newest.map(|(at, usual)| (settled.map_or(at, |settled| settled.min(at)), usual));
        self.newer = Newer::default();
        self.troubles.clear();
        self.newer_targets.clear();
        self.stream.newest_sample = self.meta.newest.map(|(at, _)| at);
        self.stream.counted_from = self.meta.counted_from;
        self.stream.catching_up = false;
    }

    /// The newest sample, with the usual spacing there. A restart does not remember those that were settled shortly before it, nor what was not: until the source
    /// answers, the moment up to which all was settled stands for them.
    fn newest(&self, settled: Option<Timestamp>) -> Option<Beat> {
        self.meta.newest.or_else(|| {
            settled.filter(|at| self.meta.counted_from.is_some_and(|from| from <= *at)).map(|at| (at, Rule::RAW.default_spacing))
        })
    }

    /// Brings what others see of it up to date.
    fn show(&mut self, lane: &Lane) {
        self.stream.newest_sample = self.newest(Some(lane.watermark)).map(|(at, _)| at);
        self.stream.counted_from = self.meta.counted_from;
        self.stream.catching_up = lane.catching_up;
    }
}

impl SourceLedger {
    /// A ledger that holds nothing yet and starts to read at `now` (with history: 6 h before).
    pub fn new(plan: Plan, settings: Settings, now: Timestamp) -> Self {
        let mut ledger = Self {
            plan: Plan::new(&[]),
            settings,
            lanes: Vec::new(),
            lane_ids: Vec::new(),
            lane_places: BTreeMap::new(),
            level_specs: Vec::new(),
            lookbacks: Vec::new(),
            lane_streams: Vec::new(),
            splits: Vec::new(),
            ended_streams: Vec::new(),
            retired: BTreeMap::new(),
            streams: Vec::new(),
            slice_rules: Vec::new(),
            composites: Vec::new(),
            judged: Vec::new(),
            judged_of: BTreeMap::new(),
            series: SeriesTable::default(),
            timeline: Timeline::default(),
            timeline_holds: None,
            exclusions: Arc::default(),
            edges_since: Timestamp::EPOCH,
            looks: BTreeMap::new(),
            created: now.floor(TEN_SECONDS),
            troubled: false,
            state: Vec::new(),
            state_of: u64::MAX,
            log: Log::default(),
            second: settings.history.then(|| Second::new(now)),
            met: Vec::new(),
            first_values: FirstValues::default(),
            lacks_history: false,
            generation: 0,
        };
        ledger.replace_plan(plan, now);
        ledger
    }

    /// True where a changed SLO needs older or finer slices than are in memory: a restored ledger has what the store holds of them.
    pub fn lacks_history(&self) -> bool {
        self.lacks_history
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    fn hold(&mut self, lane: usize, stream: Stream) {
        self.lane_streams[lane].insert(stream.group.clone(), stream.index);
        let mut slices = Slices::new(&self.level_specs[lane]);
        slices.set_marks(Marks::at(&self.edges_of(&stream, Some(lane))));
        let meta = Meta { counted_from: stream.counted_from, ..Meta::default() };
        let grain = self.grain_of(lane);
        self.streams.push(Held { grain, ..Held::new(stream, Some(lane), meta, slices) });
    }

    /// Counts the answers, in the order of `reads.reads`. An unanswered question advances nothing of the SLOs that need it.
    pub fn count(&self, reads: &Reads, answers: &[Result<Vec<Series>, Unknown>]) -> Counted {
        let mut round = Round::new(self, Rule::RAW, &self.series, Memory::Ledger);
        if reads.generation == self.generation {
            for cohort in &reads.cohorts {
                round.count(cohort, &by_query(&reads.reads[cohort.reads.clone()], answers.get(cohort.reads.clone()).unwrap_or_default()));
            }
        }
        self.seal(round.finish())
    }

    /// Counts the answers to a step of history. It never reaches what was counted from raw samples.
    pub fn count_backfill(&self, backfill: &Backfill, answers: &[Result<Vec<Series>, Unknown>]) -> Counted {
        if backfill.generation != self.generation {
            return self.seal(Counted::unchanged(self));
        }
        let nothing = SeriesTable::default();
        let mut round = Round::new(self, Rule::stepped(backfill.step), &nothing, Memory::Nothing);
        for lane in &backfill.cohort.lanes {
            round.counted.lanes[*lane] = Lane::starting_at(backfill.from);
        }
        round.count(&backfill.cohort, &by_query(&backfill.reads, answers));
        round.finish_fill(&backfill.cohort, backfill.from, backfill.step);
        self.seal(round.finish())
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
        self.open_judged(counted.judged);
        self.composed_afresh();
        for (stream, targets) in counted.targets {
            self.streams[stream as usize].targets = targets;
        }
        for (stream, targets) in counted.newer_targets {
            self.streams[stream as usize].newer_targets = targets;
        }
        if !counted.troubles.is_empty() {
            for (stream, troubles) in counted.troubles {
                self.streams[stream as usize].troubles = troubles;
            }
            self.troubled = self.streams.iter().any(|held| !held.troubles.is_empty());
        }
        self.series.take(counted.found, counted.counters, counted.histograms);
        self.series.forget(&counted.forgotten);
        let read: Vec<bool> = counted.provisional.iter().map(Option::is_some).collect();
        self.first_values.take(counted.first_values, |stream| read.get(stream as usize).copied().unwrap_or(false));
        self.book(&counted.slices, counted.metas, counted.provisional, counted.asked_at);
        if let Some((timeline, holds)) = counted.timeline {
            self.keep_timeline(timeline, holds);
        }
        self.looks.extend(counted.looks);
        self.judge_provisionally(&read);
        if let Some(asked_at) = counted.asked_at {
            self.compose_provisionally(asked_at);
        }
        self.state = counted.state.unwrap_or_else(|| std::mem::take(&mut self.state));
        self.state_of = self.generation;
        self.met.extend(counted.met);
        self.take_log(counted.log, counted.packed_seal.is_some(), counted.packed_log.is_some());
        if let Some(asked_at) = counted.asked_at {
            if let Some(seal) = counted.first_seal {
                self.take_first_seal(seal, asked_at);
            }
            self.tend_second(asked_at);
        }
    }

    /// Books what was counted, stream by stream, so that each is fetched once, and has the sums ready that this round is decided by.
    fn book(&mut self, settled: &RoundSlices, metas: Vec<Meta>, provisional: Vec<Option<Provisional>>, asked_at: Option<Timestamp>) {
        let (mut entries, mut spans) = (settled.entries.iter().peekable(), settled.spans.iter().peekable());
        for ((held, meta), provisional) in self.streams.iter_mut().zip(metas).zip(provisional) {
            held.meta = meta;
            if let Some(provisional) = provisional {
                held.newer = provisional.into();
            }
            while let Some(entry) = entries.next_if(|entry| entry.stream == held.stream.index) {
                held.slices.add(entry.end, entry.counts);
            }
            while let Some(span) = spans.next_if(|span| span.stream == held.stream.index) {
                held.slices.add_span(span);
            }
            if let Some(lane) = held.lane {
                held.show(&self.lanes[lane]);
                if let Some(now) = asked_at {
                    held.slices.make_ready(&self.lookbacks[lane], now);
                }
            }
        }
        for entry in entries {
            if let Some(slices) = self.slices_mut(entry.stream) {
                slices.add(entry.end, entry.counts);
            }
            self.note_verdict(entry.stream, entry.end);
        }
        for span in spans {
            self.streams[span.stream as usize].slices.add_span(span);
        }
        if let Some(now) = asked_at {
            self.make_verdicts_ready(now);
        }
    }

    /// The same for streams of verdicts.
    fn make_verdicts_ready(&mut self, now: Timestamp) {
        for judged in self.judged.iter_mut().filter(|judged| judged.asked) {
            if let Some(lane) = self.streams[judged.of as usize].lane {
                judged.slices.make_ready(&self.lookbacks[lane], now);
            }
        }
    }

    /// The slices of a stream, of events or of verdicts.
    fn slices_mut(&mut self, stream: u32) -> Option<&mut Slices> {
        match stream.checked_sub(VERDICTS) {
            None => self.streams.get_mut(stream as usize).map(|held| &mut held.slices),
            Some(index) => self.judged.get_mut(index as usize).map(|judged| &mut judged.slices),
        }
    }

    /// Keeps of the targets' samples what the next live read needs.
    fn keep_timeline(&mut self, timeline: Timeline, (from, to): Stretch) {
        self.timeline = timeline;
        let raw = (0..self.lanes.len()).filter(|lane| self.plan.lanes()[*lane].is_raw());
        let live = raw.filter(|lane| !self.is_behind(*lane, to)).map(|lane| self.lanes[lane].targets_needed_from());
        let needed = live.min().unwrap_or(margin_before(to));
        self.timeline.prune(needed.minus(MARGIN), needed.minus(days(1)));
        self.timeline_holds = Some((needed.max(from), to));
    }

    /// Brings what others see of the streams up to date.
    fn show(&mut self) {
        for held in &mut self.streams {
            if let Some(lane) = held.lane {
                held.show(&self.lanes[lane]);
            }
        }
    }

    /// Orders what was counted, and adds what the store must keep beside it.
    fn seal(&self, mut counted: Counted) -> Counted {
        counted.slices.spans.sort_unstable();
        self.judge(&mut counted);
        self.compose(&mut counted);
        counted.slices.fine = self.fine_streams(&counted);
        counted.settled = self.common_watermark(&counted.lanes);
        let (state, forgotten) = self.packed_after(&counted);
        counted.state = state;
        counted.forgotten = forgotten;
        counted.first_seal = self.first_seal(&counted);
        (counted.packed_seal, counted.packed_log) = self.behind_after(&counted);
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

    /// The length of the slices that the store rolls its streams up to; those of a composite stay as they are.
    fn grain_of(&self, lane: usize) -> Duration {
        let coarsest = || self.level_specs[lane].last().map_or(HOUR, |level| level.step);
        self.composite_slice(Some(lane)).unwrap_or_else(coarsest)
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

    /// The stream of a group, also of one that has ended.
    fn any_stream_of(&self, place: usize, group: &Group) -> Option<u32> {
        self.stream_of(place, group).or_else(|| self.ended_streams[place].get(group).copied())
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
