//! What others see of a ledger: streams, sums, slices, and why there are none.

use std::time::Duration;

use super::{
    Fill, Held, SourceLedger, Stream,
    judged::Judged,
    parts::{Lane, Newer, Split},
    past::Late,
};
use crate::{
    exclusion::Excluded,
    id::{Group, SloId},
    ledger::{
        Counts, Reason, Sums, Unknown,
        cache::Slices,
        count::{Rule, is_gap},
        plan::{LanePlan, Side, beside},
    },
    time::Timestamp,
    window::Interval,
};

/// Sums of one stream over lookbacks that end now. What is newer than the watermark is provisional, and part of them.
#[derive(Debug, Clone, Copy)]
pub struct StreamSums<'a> {
    kept: Kept<'a>,
    now: Timestamp,
    /// All that is provisional, and from when on.
    newer: Counts,
    newer_from: Timestamp,
}

impl<'a> StreamSums<'a> {
    fn new(kept: Kept<'a>, now: Timestamp) -> Self {
        Self { kept, now, newer: kept.newer.all(), newer_from: kept.newer.from().unwrap_or(now) }
    }
}

impl Sums for StreamSums<'_> {
    /// The start moves back to an edge of the finest slices that cover the lookback, at most a thirtieth of its length.
    fn over(&self, lookback: Duration) -> Counts {
        let (start, settled) = self.kept.slices.over(lookback, self.now);
        let whole = start <= self.newer_from;
        settled + if whole { self.newer } else { self.kept.provisional_within(start, Timestamp::from_millis(i64::MAX)) }
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.over(self.now.since(from))
    }

    fn at_hand(&self, lookbacks: &[Duration], into: &mut [Counts]) -> bool {
        self.kept.slices.at_hand(lookbacks, (self.now, self.newer_from), self.newer, into)
    }
}

impl StreamSums<'_> {
    /// What of the sum since `from` lies in these stretches of exclusions, which neither overlap nor touch.
    pub fn excluded(&self, from: Timestamp, stretches: &[Interval]) -> Excluded {
        let lookback = self.now.since(from);
        let (step, start) = (self.kept.slices.step_covering(lookback), self.kept.slices.start_of(lookback, self.now));
        let mut excluded = Excluded::default();
        for stretch in stretches.iter().filter(|stretch| stretch.to > start) {
            let stretch = self.kept.whole(Interval { from: stretch.from.max(start), to: stretch.to });
            excluded.counts += self.kept.between_edges(step, stretch);
            excluded.time += stretch.passed(self.now);
        }
        excluded
    }
}

/// What is kept of a stream, of events or of verdicts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) slices: &'a Slices,
    pub(super) newer: &'a Newer,
    /// How long the slices are that were judged as wholes; nothing for events.
    pub(super) judged: Option<Duration>,
}

impl Held {
    pub(super) fn kept(&self) -> Kept<'_> {
        Kept { slices: &self.slices, newer: &self.newer, judged: None }
    }
}

impl Judged {
    pub(super) fn kept(&self) -> Kept<'_> {
        Kept { slices: &self.slices, newer: &self.newer, judged: Some(self.rule.length) }
    }
}

impl Kept<'_> {
    /// The part of a stretch that holds whole verdicts.
    pub(super) fn whole(&self, stretch: Interval) -> Interval {
        match self.judged {
            None => stretch,
            Some(length) => Interval { from: stretch.from.ceil(length), to: stretch.to.floor(length) },
        }
    }

    fn provisional_within(&self, from: Timestamp, to: Timestamp) -> Counts {
        let entries = self.newer.entries.iter().filter(|entry| entry.end > from && entry.end <= to).map(|entry| entry.counts);
        entries.chain(self.newer.spans.iter().map(|span| span.within(from, to))).sum()
    }

    /// The ends are edges of `step`, or of exclusions.
    pub(super) fn between_edges(&self, step: Duration, stretch: Interval) -> Counts {
        self.slices.sum_between(step, stretch) + self.provisional_within(stretch.from, stretch.to)
    }

    /// A slice of what is shown up to a moment, less what was not known then. Of the one that the moment cuts, what is after it is left out.
    fn slice(
        &self,
        level: Duration,
        over: Interval,
        until: Timestamp,
        stretches: &[Interval],
        unknown: impl Fn(Interval) -> Counts,
    ) -> Slice {
        let mut excluded = Excluded::default();
        for stretch in stretches {
            let part = self.whole(Interval { from: stretch.from.max(over.from), to: stretch.to.min(over.to) });
            if part.from < part.to.min(until) {
                excluded.counts += self.up_to(level, part, until) - unknown(Interval { to: part.to.min(until), ..part });
                excluded.time += part.passed(until);
            }
        }
        let counts = self.up_to(level, over, until) - unknown(Interval { to: over.to.min(until), ..over });
        Slice { end: over.to, counts, excluded }
    }

    /// Both on edges of `step`.
    pub(super) fn within(&self, step: Duration, from: Timestamp, to: Timestamp) -> Counts {
        self.slices.sum(step, from, to) + self.provisional_within(from, to)
    }
}

impl SourceLedger {
    /// The streams of the plan's SLOs. An SLO that is split has none before its first series.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.streams.iter().filter(|held| held.lane.is_some()).map(|held| &held.stream)
    }

    /// The streams of one SLO of the plan, by group.
    pub fn streams_of_slo(&self, slo: &SloId) -> impl Iterator<Item = &Stream> {
        self.place_of(slo).into_iter().flat_map(|lane| self.streams_of(lane)).map(|index| &self.streams[index as usize].stream)
    }

    /// The stream of one group of an SLO of the plan.
    pub fn stream(&self, slo: &SloId, group: &Group) -> Option<&Stream> {
        let index = self.stream_of(self.place_of(slo)?, group)?;
        Some(&self.streams[index as usize].stream)
    }

    /// The streams of one SLO of the plan as it is or was split by these labels, by group.
    pub fn streams_split_by(&self, slo: &SloId, per: &[String]) -> impl Iterator<Item = &Stream> {
        let mut labels = per.to_vec();
        labels.sort();
        self.every_stream(slo).filter(move |stream| stream.group.has_labels(&labels))
    }

    /// All streams of one SLO of the plan, those included that have ended since it is split otherwise.
    pub fn every_stream(&self, slo: &SloId) -> impl Iterator<Item = &Stream> {
        let places = self.place_of(slo).into_iter();
        let streams = places.flat_map(|place| self.lane_streams[place].values().chain(self.ended_streams[place].values()));
        streams.map(|index| &self.streams[*index as usize].stream)
    }

    /// The stream of one group of an SLO of the plan, also of one that has ended.
    pub fn any_stream(&self, slo: &SloId, group: &Group) -> Option<&Stream> {
        let index = self.any_stream_of(self.place_of(slo)?, group)?;
        Some(&self.streams[index as usize].stream)
    }

    /// Why an SLO as a whole cannot be seen: an unanswered question, or no series at all.
    pub fn unknown(&self, slo: &SloId) -> Option<Unknown> {
        let lane = self.place_of(slo)?;
        let no_streams = self.lane_streams[lane].is_empty();
        self.lanes[lane].unknown.clone().or_else(|| no_streams.then(|| no_series(&self.plan.lanes()[lane])))
    }

    /// What was filled in of an SLO's history, newest first.
    pub fn fills(&self, slo: &SloId) -> &[Fill] {
        self.place_of(slo).map_or(&[], |lane| &self.lanes[lane].fills)
    }

    /// Over how long at once events of a stretch are held: the slices that reach back to it, or the spacing of the values that its history was counted from.
    pub fn grain_within(&self, slo: &SloId, stream: u32, Interval { from, to }: Interval) -> Duration {
        let of_slices = self.kept(stream).map_or(Duration::ZERO, |kept| kept.slices.step_reaching(from));
        let filled = self.fills(slo).iter().filter(|fill| fill.from < to && fill.to > from).map(|fill| fill.step);
        filled.chain([of_slices]).max().unwrap_or(of_slices)
    }

    /// From where on an SLO's raw samples are counted.
    pub fn raw_from(&self, slo: &SloId) -> Option<Timestamp> {
        self.place_of(slo).map(|lane| self.lanes[lane].begin)
    }

    /// Up to where an SLO's samples are settled.
    pub fn settled(&self, slo: &SloId) -> Option<Timestamp> {
        self.place_of(slo).map(|lane| self.lanes[lane].watermark)
    }

    /// Up to where the samples of a stream are settled; of one that has ended, where it did.
    pub fn settled_of(&self, stream: u32) -> Option<Timestamp> {
        let held = self.streams.get(self.events_of(stream) as usize)?;
        match held.lane {
            Some(lane) => Some(self.lanes[lane].watermark),
            None => self.retired.get(&Split::of(&held.stream)).map(|retired| retired.lane.watermark),
        }
    }

    fn place_of(&self, slo: &SloId) -> Option<usize> {
        self.lane_places.get(slo).copied()
    }

    /// Sums of a stream that end now, or why there are none.
    pub fn sums(&self, stream: u32, now: Timestamp) -> Result<StreamSums<'_>, Unknown> {
        let not_yet = || Unknown::new(Reason::NotYet, "nothing of it was counted yet");
        let kept = self.kept(stream).ok_or_else(not_yet)?;
        let held = &self.streams[self.events_of(stream) as usize];
        let lane = held.lane.ok_or_else(not_yet)?;
        let (state, plan) = (&self.lanes[lane], &self.plan.lanes()[lane]);
        if let Some(composed) = self.composed_at(lane) {
            let why_not = state.unknown.clone().or_else(|| self.composite_unknown(composed, stream, now));
            return why_not.map_or_else(|| Ok(StreamSums::new(kept, now)), Err);
        }
        let why_not = state
            .unknown
            .clone()
            .or_else(|| held.in_trouble(plan, now))
            .or_else(|| held.missing_bucket(plan).map(|side| self.no_bucket(side)))
            .or_else(|| held.out_of_date(state, plan, now));
        why_not.map_or_else(|| Ok(StreamSums::new(kept, now)), Err)
    }

    /// What is kept of a stream, of events or of verdicts.
    pub(super) fn kept(&self, stream: u32) -> Option<Kept<'_>> {
        match self.judged_at(stream) {
            Some(judged) => Some(judged.kept()),
            None => self.streams.get(stream as usize).map(|held| Kept { judged: self.composite_slice(held.place), ..held.kept() }),
        }
    }

    /// The stream of events that a stream of verdicts judges; of a stream of events itself.
    pub(super) fn events_of(&self, stream: u32) -> u32 {
        self.judged_at(stream).map_or(stream, |judged| judged.of)
    }

    /// At most `at_most` slices that cover `(from, to]`, each with its end, oldest first.
    pub fn slices(&self, stream: u32, from: Timestamp, to: Timestamp, at_most: usize) -> Vec<(Timestamp, Counts)> {
        self.slices_and_excluded(stream, Interval { from, to }, at_most, &[]).into_iter().map(|slice| (slice.end, slice.counts)).collect()
    }

    /// The same, each with what of it lies in these stretches of exclusions, which neither overlap nor touch.
    pub fn slices_and_excluded(&self, stream: u32, over: Interval, at_most: usize, stretches: &[Interval]) -> Vec<Slice> {
        self.slices_as_known(stream, over, at_most, stretches, &[])
    }

    /// The same without what came late and was not known yet.
    pub fn slices_as_known(&self, stream: u32, over: Interval, at_most: usize, stretches: &[Interval], unknown: &[&Late]) -> Vec<Slice> {
        let Interval { from, to } = over;
        let unknown = |part: Interval| unknown.iter().map(|late| late.within(stream, part.from, part.to)).sum::<Counts>();
        let Some(kept) = self.kept(stream).filter(|_| from < to && at_most > 0) else { return Vec::new() };
        let finest = kept.slices.step_reaching(from);
        let steps: Vec<Duration> = kept.slices.steps().filter(|step| *step >= finest).collect();
        let fits = |step: &&Duration| slices_between(from, to, **step) <= at_most as u64;
        let (level, step) = match (steps.iter().find(fits), steps.last()) {
            (Some(step), _) => (*step, *step),
            (None, Some(coarsest)) => (*coarsest, joined(from, to, *coarsest, at_most)),
            (None, None) => return Vec::new(),
        };
        // They begin where the sum of the stretch does, wherever the longer slices that are shown would begin.
        let first = from.floor(level);
        let count = u32::try_from(slices_after(first, to, step)).unwrap_or(u32::MAX);
        let starts = (0..count).map(|at| first.plus(step * at));
        starts.map(|start| kept.slice(level, Interval { from: start, to: start.plus(step) }, to, stretches, unknown)).collect()
    }

    /// What was counted over `(from, to]`, both moved outwards to slice edges: each to the edges that are kept there, so that an old beginning does
    /// not blur a recent end.
    pub fn between(&self, stream: u32, from: Timestamp, to: Timestamp) -> Counts {
        let Some(kept) = self.kept(stream).filter(|_| from < to) else { return Counts::default() };
        let coarse = kept.slices.step_reaching(from);
        let (start, last_edge) = (from.floor(coarse), to.floor(coarse));
        if last_edge <= start {
            return kept.within(coarse, start, to.ceil(coarse));
        }
        let fine = kept.slices.step_reaching(last_edge);
        let tail = if last_edge < to { kept.within(fine, last_edge, to.ceil(fine)) } else { Counts::default() };
        [kept.within(coarse, start, last_edge), tail].into_iter().sum()
    }
}

impl SourceLedger {
    fn no_bucket(&self, side: &Side) -> Unknown {
        let looked = self.looks.get(&side.query).map_or(&[][..], |look| &look.boundaries);
        no_bucket(side, looked)
    }
}

/// So many slices of this length joined that at most `at_most` of them cover a stretch.
fn joined(from: Timestamp, to: Timestamp, step: Duration, at_most: usize) -> Duration {
    let at_most = (at_most as u64).saturating_sub(1).max(1);
    step * u32::try_from(slices_between(from, to, step).div_ceil(at_most)).unwrap_or(u32::MAX)
}

/// How many slices cover a stretch.
fn slices_between(from: Timestamp, to: Timestamp, step: Duration) -> u64 {
    slices_after(from.floor(step), to, step)
}

/// How many slices from `first` on cover a stretch up to `to`.
fn slices_after(first: Timestamp, to: Timestamp, step: Duration) -> u64 {
    u64::try_from(to.since(first).as_millis().div_ceil(step.as_millis().max(1))).unwrap_or(u64::MAX)
}

/// What was counted over a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slice {
    /// Its end.
    pub end: Timestamp,
    /// What was counted.
    pub counts: Counts,
    /// What of that people took out of the budget.
    pub excluded: Excluded,
}

impl Held {
    /// A latency SLO whose histogram is there but not the bucket of a threshold.
    pub(super) fn missing_bucket<'p>(&self, plan: &'p LanePlan) -> Option<&'p Side> {
        let (newest, usual) = self.meta.newest?;
        let there = |side: usize| self.meta.buckets[side].newest.is_some_and(|seen| !is_gap(newest.since(seen), usual));
        plan.thresholds().find(|(side, _)| !there(*side)).map(|(_, side)| side)
    }

    /// A series whose newest sample cannot be counted, while that sample is recent.
    fn in_trouble(&self, plan: &LanePlan, now: Timestamp) -> Option<Unknown> {
        let recent = self.troubles.iter().filter(|trouble| now.since(trouble.at) <= Rule::RAW.memory.max(late_after(plan.grid())));
        recent.min_by_key(|trouble| trouble.key).map(|trouble| trouble.unknown.clone())
    }

    fn out_of_date(&self, lane: &Lane, plan: &LanePlan, now: Timestamp) -> Option<Unknown> {
        let Some((newest, usual)) = self.meta.newest else { return Some(no_series(plan)) };
        let age = now.since(newest);
        let late = age > late_after(usual) && !lane.catching_up;
        late.then(|| {
            let (age, usual) = (age.as_secs(), usual.as_secs_f64());
            if plan.presence().is_some() {
                return Unknown::new(
                    Reason::Stale,
                    format!("no target of the source was seen for {age} s, so nothing can be called absent"),
                );
            }
            Unknown::new(Reason::Stale, format!("the newest sample is {age} s old, and they come every {usual} s"))
        })
    }
}

/// A newest sample of this age is late where samples come so often.
pub(super) fn late_after(usual: Duration) -> Duration {
    usual * 7 / 2
}

fn no_series(plan: &LanePlan) -> Unknown {
    if plan.slo.sli.composite().is_some() {
        return Unknown::new(Reason::NoSeries, "no group is seen by all of its members yet");
    }
    if let Some(steps) = &plan.steps {
        return Unknown::new(Reason::NoSeries, format!("the source has no value for {}", steps.total()));
    }
    let totals: Vec<String> = plan.sides.iter().filter(|side| side.role.is_total()).map(|side| side.selector.to_string()).collect();
    Unknown::new(Reason::NoSeries, format!("the source has no series for {}", totals.join(" + ")))
}

fn no_bucket(side: &Side, boundaries: &[f64]) -> Unknown {
    let threshold = side.boundary.unwrap_or_default();
    let advice = beside(threshold, boundaries);
    Unknown::new(Reason::NoBucket, format!("{threshold} is no bucket boundary of {}{advice}", side.selector))
}
