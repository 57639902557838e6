//! What to ask the source: live reads, one bounded step of catching up beside them, and steps of filling in history.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Backfill, Cohort, FIVE_MINUTES, HOUR, Lane, Read, Reads, SourceLedger, TEN_SECONDS,
    round::{FILL_MARGIN_STEPS, margin_before},
};
use crate::{
    ledger::count::Rule,
    time::{Timestamp, days, minutes},
};

/// The most that one read covers.
const MAX_STEP: Duration = HOUR;
/// What a read of catching up covers at least.
const MIN_STEP: Duration = minutes(3);
/// The same of series of which nothing is known yet.
const FIRST_STEP: Duration = minutes(5);
/// So many samples at most are asked for at once, as far as can be known before, so that an answer does not fill the memory.
const MOST_SAMPLES: u32 = 800_000;
/// The same at the coarse steps in which history is filled in.
const MOST_VALUES: u32 = 3_000_000;
/// How often a series is usually scraped.
const USUAL_SCRAPE: Duration = Duration::from_secs(15);
/// History is filled in at five minutes up to this age, at an hour beyond.
const FINE_HISTORY: Duration = days(7);
/// How much history one question asks for at five minutes.
const FINE_CHUNK: Duration = days(1);
/// How many instants of expressions one question asks for.
const STEPS_IN_CHUNK: u32 = 1440;
/// The most history that one question asks for.
const COARSE_CHUNK: Duration = days(7);

/// How long what a look at a histogram found is believed.
const LOOK_AGAIN_AFTER: Duration = minutes(10);

/// SLOs that stand at the same place.
#[derive(Debug, Default)]
struct Crowd {
    series: u32,
    grid: Duration,
    /// True where some are read as raw samples.
    raw: bool,
}

impl Crowd {
    /// How much one read of them covers, in whole minutes.
    fn stride(&self) -> Duration {
        let stride = match (self.series, self.raw) {
            (0, true) => FIRST_STEP,
            (0, false) => MAX_STEP,
            (series, _) => (USUAL_SCRAPE * (MOST_SAMPLES / series)).clamp(MIN_STEP, MAX_STEP),
        };
        Duration::from_mins(stride.as_secs() / 60).max(self.grid)
    }
}

impl Reads {
    /// Adds questions to those of the last cohort.
    fn add_to_last(&mut self, more: Vec<Read>) {
        self.reads.extend(more);
        if let Some(last) = self.cohorts.last_mut() {
            last.reads.end = self.reads.len();
        }
    }
}

impl SourceLedger {
    /// What to ask the source in this round.
    pub fn reads(&self, now: Timestamp) -> Reads {
        let strides = self.strides(now);
        let stride = |lane: &usize| strides.get(&self.lanes[*lane].watermark).copied().unwrap_or(MAX_STEP);
        let is_live = |lane: &usize| now.since(self.lanes[*lane].watermark) <= self.settings.settle + stride(lane);
        let (live, behind): (Vec<usize>, Vec<usize>) = self.read_lanes().partition(is_live);
        let targets = self.plan.targets().map(|targets| targets.up);
        let (catching_up, generation) = (!behind.is_empty(), self.generation);
        let mut reads = Reads { reads: Vec::new(), catching_up, cohorts: Vec::new(), targets, generation };
        if !live.is_empty() {
            let (from, looks) = (self.targets_from(&live), self.looks_due(&live, now));
            self.ask(&mut reads, live, from, now, now);
            reads.add_to_last(looks);
        }
        if let Some(first) = behind.iter().min_by_key(|lane| (self.lanes[**lane].tried, self.lanes[**lane].watermark)) {
            let (watermark, stride) = (self.lanes[*first].watermark, stride(first));
            let same: Vec<usize> = behind.into_iter().filter(|lane| self.lanes[*lane].watermark == watermark).collect();
            let from = self.targets_needed_from(&same);
            self.ask(&mut reads, same, from, watermark.plus(stride), now);
        }
        reads
    }

    /// The SLOs that the source is asked for.
    fn read_lanes(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.lanes.len()).filter(|lane| self.plan.lanes()[*lane].is_read())
    }

    /// By watermark: how much one read covers of the SLOs that stand there, the fewer the more series they have. Empty where all stand near to now.
    fn strides(&self, now: Timestamp) -> BTreeMap<Timestamp, Duration> {
        let is_far = |lane: usize| now.since(self.lanes[lane].watermark) > self.settings.settle + MIN_STEP;
        if !self.read_lanes().any(is_far) {
            return BTreeMap::new();
        }
        let series = self.series_by_lane();
        let mut crowds: BTreeMap<Timestamp, Crowd> = BTreeMap::new();
        for lane in self.read_lanes() {
            let (crowd, plan) = (crowds.entry(self.lanes[lane].watermark).or_default(), &self.plan.lanes()[lane]);
            crowd.series += series[lane];
            crowd.grid = crowd.grid.max(plan.grid());
            crowd.raw |= plan.is_raw();
        }
        crowds.into_iter().map(|(watermark, crowd)| (watermark, crowd.stride())).collect()
    }

    /// How often a series is taken by each SLO: once, or twice where it counts on both sides.
    fn series_by_lane(&self) -> Vec<u32> {
        let mut counts = vec![0; self.lanes.len()];
        for route in self.series.iter().flat_map(|tracked| tracked.routes.iter()) {
            counts[route.lane as usize] += 1;
        }
        counts
    }

    /// More than the longest read away from now: what is remembered for live reads is of no use to it.
    pub(super) fn is_behind(&self, lane: usize, now: Timestamp) -> bool {
        now.since(self.lanes[lane].watermark) > self.settings.settle + MAX_STEP
    }

    /// From where on the live read needs the targets' samples, given what is remembered.
    fn targets_from(&self, lanes: &[usize]) -> Timestamp {
        let raw = lanes.iter().filter(|lane| self.plan.lanes()[**lane].is_raw());
        let first = raw.map(|lane| self.lanes[*lane].watermark).min().unwrap_or(self.created);
        if self.remembers_targets_at(first, lanes) { first } else { self.targets_needed_from(lanes) }
    }

    /// Whether a read of these SLOs after `at` continues the timeline without a hole, with all that is needed from before.
    pub(super) fn remembers_targets_at(&self, at: Timestamp, lanes: &[usize]) -> bool {
        self.timeline_holds.is_some_and(|(from, to)| from <= self.targets_needed_from(lanes) && at <= to)
    }

    /// From where on these SLOs need the targets' samples.
    pub(super) fn targets_needed_from(&self, lanes: &[usize]) -> Timestamp {
        let raw = lanes.iter().filter(|lane| self.plan.lanes()[**lane].is_raw());
        raw.map(|lane| self.lanes[*lane].targets_needed_from()).min().unwrap_or(margin_before(self.created))
    }

    /// Adds the questions of a cohort that reads up to `to`.
    pub(super) fn ask(&self, reads: &mut Reads, lanes: Vec<usize>, targets_from: Timestamp, to: Timestamp, now: Timestamp) {
        let mut from: BTreeMap<usize, Timestamp> = BTreeMap::new();
        for lane in &lanes {
            let state = &self.lanes[*lane];
            let start = if state.primed && self.is_acquainted(*lane) { state.watermark } else { self.margin_of(*lane) };
            for query in self.plan.lanes()[*lane].event_queries() {
                from.entry(query).and_modify(|first| *first = start.min(*first)).or_insert(start);
            }
        }
        let raw = lanes.iter().any(|lane| self.plan.lanes()[*lane].is_raw());
        for query in self.plan.targets().into_iter().filter(|_| raw).flat_map(|targets| [targets.up, targets.starts]) {
            from.entry(query).and_modify(|first| *first = targets_from.min(*first)).or_insert(targets_from);
        }
        let first = reads.reads.len();
        let judges_pace = lanes.iter().any(|lane| self.plan.lanes()[*lane].presence().is_some());
        let of_targets = |query: usize| self.plan.targets().is_some_and(|targets| targets.up == query);
        // How often a target is scraped is told by the scrape that follows; who counts `up` itself leaves that out.
        let until = |query| if judges_pace && of_targets(query) { to.plus(self.soon()).min(now) } else { to };
        reads.reads.extend(from.into_iter().map(|(query, from)| Read { query, from, to: until(query) }));
        let settled = now.minus(self.settings.settle).floor(TEN_SECONDS).min(to);
        let cohort = Cohort { lanes, reads: first..reads.reads.len(), to, settled, live: to == now, asked_at: now, targets_from };
        reads.cohorts.push(cohort);
    }

    /// Whether series of an SLO are known for a while, so that one that is not is new. Before that a source may show what it held all the time only now, as
    /// one that had not indexed it: then each read goes a little further back, and the last value that is found there is where counting begins.
    fn is_acquainted(&self, lane: usize) -> bool {
        let since = margin_before(self.lanes[lane].watermark);
        let mut known = self.streams_of(lane).map(|stream| &self.streams[stream as usize].meta).filter(|meta| meta.newest.is_some());
        !self.plan.lanes()[lane].has_first_values() || known.any(|meta| meta.counted_from.is_some_and(|from| from <= since))
    }

    /// A scrape that follows the first one of a target no later than this tells how often it is scraped: it is known before the first one is settled.
    pub(super) fn soon(&self) -> Duration {
        self.settings.settle.min(Rule::RAW.default_spacing)
    }

    /// The whole histograms of which a threshold's bucket is missing: their boundaries are told beside the reason.
    fn looks_due(&self, lanes: &[usize], now: Timestamp) -> Vec<Read> {
        let held = self.streams.iter().filter_map(|held| Some((held, held.lane.filter(|lane| lanes.contains(lane))?)));
        let missing = held.filter_map(|(held, lane)| held.missing_bucket(&self.plan.lanes()[lane]));
        let histograms: BTreeSet<usize> = missing.map(|side| side.query).collect();
        let due = |query: &usize| self.looks.get(query).is_none_or(|look| now.since(look.at) >= LOOK_AGAIN_AFTER);
        let looks = histograms.into_iter().filter(due).filter_map(|query| self.plan.look(query));
        looks.map(|query| Read { query, from: now.minus(FIVE_MINUTES), to: now }).collect()
    }

    /// The next step of filling in history, newest first; `None` when it is filled in, where there is none, or while live data is behind.
    pub fn backfill(&self, now: Timestamp) -> Option<Backfill> {
        let idle = self.lanes.iter().all(|lane| lane.primed && !lane.catching_up);
        if !self.settings.history || !idle {
            return None;
        }
        let open = |lane: &usize| self.lanes[*lane].filled_to > now.minus(self.longest(*lane));
        let next = self.read_lanes().filter(open).max_by_key(|lane| self.lanes[*lane].filled_to)?;
        let (to, own_step) = (self.lanes[next].filled_to, self.own_step(next));
        let alike = |lane: &usize| self.lanes[*lane].filled_to == to && self.own_step(*lane) == own_step;
        let lanes: Vec<usize> = self.read_lanes().filter(open).filter(alike).collect();
        let oldest = lanes.iter().map(|lane| now.minus(self.longest(*lane)).floor(HOUR)).min()?;
        let fine_limit = now.minus(FINE_HISTORY).floor(HOUR);
        let series = self.series_by_lane();
        let values = MOST_VALUES / lanes.iter().map(|lane| series[*lane]).sum::<u32>().max(1);
        let hours =
            |values: u32, step: Duration| HOUR * u32::try_from((step * values).as_secs() / HOUR.as_secs()).unwrap_or(u32::MAX).max(1);
        let (step, from) = match own_step {
            Some(step) => (step, to.minus((step * STEPS_IN_CHUNK).min(COARSE_CHUNK))),
            None if to > fine_limit => (FIVE_MINUTES, to.minus(FINE_CHUNK.min(hours(values, FIVE_MINUTES))).max(fine_limit)),
            None => (HOUR, to.minus(COARSE_CHUNK.min(hours(values, HOUR)))),
        };
        let from = from.max(oldest);
        let start = if own_step.is_some() { from } else { from.minus(step * FILL_MARGIN_STEPS) };
        let queries: BTreeSet<usize> = lanes.iter().flat_map(|lane| self.plan.lanes()[*lane].queries.iter().copied()).collect();
        let reads: Vec<Read> = queries.into_iter().map(|query| Read { query, from: start, to }).collect();
        let cohort = Cohort { lanes, reads: 0..reads.len(), to, settled: to, live: false, asked_at: now, targets_from: start };
        Some(Backfill { step, reads, cohort, from, generation: self.generation })
    }

    /// How much older history is still to be filled in, of the SLO that lacks most.
    pub fn to_fill(&self, now: Timestamp) -> Duration {
        let left = |lane: usize| self.lanes[lane].filled_to.since(now.minus(self.longest(lane)));
        if self.settings.history { (0..self.lanes.len()).map(left).max().unwrap_or_default() } else { Duration::ZERO }
    }

    /// How much of what a stream's SLO needs from this moment on is still to be filled in; of a composite, for the member that lacks most.
    pub fn to_fill_of(&self, stream: u32, from: Timestamp) -> Duration {
        let lane = self.streams.get(stream as usize).and_then(|held| held.lane).filter(|_| self.settings.history);
        let left = |lane: usize| if self.plan.lanes()[lane].is_read() { self.lanes[lane].filled_to.since(from) } else { Duration::ZERO };
        let of = |lane: usize| match self.composed_at(lane) {
            Some(composed) => composed.members.iter().flatten().copied().map(left).max().unwrap_or_default(),
            None => left(lane),
        };
        lane.map_or(Duration::ZERO, of)
    }

    /// From where on a lane reads whose last samples are not known; of expressions so far that the reason not to see the newest value is found again.
    fn margin_of(&self, lane: usize) -> Timestamp {
        let Lane { watermark, margin, .. } = self.lanes[lane];
        let margin = watermark.minus(margin);
        self.own_step(lane).map_or(margin, |step| margin.min(watermark.minus(step * 4)))
    }

    /// The step of an SLO of expressions: its history is asked for at the same instants as what is live.
    fn own_step(&self, lane: usize) -> Option<Duration> {
        self.plan.lanes()[lane].steps.as_ref().map(|steps| steps.step)
    }

    fn longest(&self, lane: usize) -> Duration {
        self.level_specs[lane].last().map(|level| level.keep).unwrap_or_default()
    }
}
