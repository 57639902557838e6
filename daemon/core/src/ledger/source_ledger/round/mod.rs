//! One round: the answers of a source against what the ledger remembers. Pure: the ledger is read, and what changes is collected in `Counted`.
//!
//! The steps for a set of SLOs that read the same stretch: who has all answers; the timeline of targets; sight every series (who takes it, new
//! groups); follow every counter through the settled and then through the newer samples; unseen time; move the watermarks on.

mod cover;
mod follow;
mod origin;
mod paired;
mod presence;
mod relatives;
mod run;
mod sight;
mod stepped;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use super::{
    Cohort, Counted, Look, MARGIN, SourceLedger,
    parts::{Fill, Lane, Meta, REMEMBERED, Trouble},
    series::SeriesTable,
};
use crate::{
    id::Group,
    ledger::{
        Reason, Series, Unknown,
        count::{Pace, Rule, SeriesKey, TargetKey, is_gap},
        coverage::{Beat, Failures, Stretch, Timeline},
        plan::{Plan, boundaries_of},
        segment::behind::{Hidden, Log},
        slice::{Entry, Span},
    },
    time::{Timestamp, days, minutes},
    words,
};
use cover::newest_beat;
use follow::Companions;
pub(super) use follow::OTHER;
use paired::Unjudged;
use relatives::Relatives;
use sight::{Sight, Sights, sight_all};

/// One SLO counts at most this many series; what has more is affordable only as a sum that the source makes.
const MAX_SERIES_PER_SLO: usize = 10_000;

/// A series without a sample for so long at the end of a read has ended.
const RECENT: Duration = minutes(5);

/// Answers by query.
pub(in crate::ledger) type Answers<'s> = BTreeMap<usize, Result<&'s [Series], &'s Unknown>>;

/// A round while it is counted.
pub(super) struct Round<'a> {
    ledger: &'a SourceLedger,
    plan: &'a Plan,
    rule: Rule,
    pace: Pace,
    pub(super) counted: Counted,
    /// Settled slices by stream, each stream's sorted.
    settled: Vec<Vec<Entry>>,
    /// New streams of this round, by lane and group.
    groups: BTreeMap<usize, BTreeMap<Group, u32>>,
    /// Where the series that are new in this round stand in `Counted::found`.
    found: BTreeMap<SeriesKey, usize>,
    /// What is remembered of series.
    series: &'a SeriesTable,
    memory: Memory,
}

/// What a stretch is counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// What the ledger remembers.
    Ledger,
    /// Nothing: history from before is counted for itself.
    Nothing,
}

/// What all SLOs of a cohort have in common.
struct Stage<'s> {
    cohort: &'s Cohort,
    timeline: Timeline,
    holds: Stretch,
    beats: Vec<Beat>,
    failures: Failures,
    going: Lanes,
    /// By lane.
    courses: Vec<Course>,
    /// The targets that were scraped without a gap over all of what is read.
    steady: BTreeSet<TargetKey>,
    /// When any series of an SLO's target was sampled; for targets that `up` does not know. Filled when it is first needed.
    companions: Option<Companions>,
    /// The series of a side of an SLO and a target, of those that were asked for.
    relatives: Relatives,
    /// Samples of the total of streams without `up`, and of what must exist.
    heard: BTreeMap<u32, Vec<Beat>>,
    /// Samples of histograms without the buckets that judge them.
    unjudged: Unjudged,
    /// Where each series stands among the sights, by query. Filled when it is first needed.
    places: Option<BTreeMap<(usize, SeriesKey), usize>>,
    /// When targets showed those, by stream.
    missed: BTreeMap<u32, BTreeSet<(TargetKey, Timestamp)>>,
    /// The scrapes of any target, as far back as they are held. Filled when it is first needed.
    scrapes: Option<Rc<[Beat]>>,
}

/// What all counters of an SLO have in common in a read.
#[derive(Debug, Clone, Copy)]
struct Course {
    watermark: Timestamp,
    /// Up to here samples are settled by this read.
    settled: Timestamp,
    /// The length of the finest slices.
    finest: Duration,
    /// True where no other replica was read lately.
    one_replica: bool,
    /// True where events count from the first sample of some buckets on.
    has_thresholds: bool,
}

impl Stage<'_> {
    fn scrapes(&mut self, rule: &Rule) -> Rc<[Beat]> {
        Rc::clone(self.scrapes.get_or_insert_with(|| self.timeline.beats(self.holds.0, self.cohort.to, rule).into()))
    }
}

/// A set of SLOs.
struct Lanes(Vec<bool>);

impl Lanes {
    fn contains(&self, lane: usize) -> bool {
        self.0[lane]
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().filter(|(_, has)| **has).map(|(lane, _)| lane)
    }

    /// Takes those out that are chosen.
    fn take(&mut self, chosen: impl Fn(usize) -> bool) -> Vec<usize> {
        let taken: Vec<usize> = self.iter().filter(|lane| chosen(*lane)).collect();
        for lane in &taken {
            self.0[*lane] = false;
        }
        taken
    }
}

impl<'a> Round<'a> {
    /// A round against `series`: those that the ledger remembers, or none, where history from before is counted for itself.
    pub(super) fn new(ledger: &'a SourceLedger, rule: Rule, series: &'a SeriesTable, memory: Memory) -> Self {
        let counted = Counted::before(ledger, series);
        let settled = vec![Vec::new(); ledger.streams.len()];
        let pace = Pace::new(rule, REMEMBERED);
        Self { ledger, plan: &ledger.plan, rule, pace, counted, settled, groups: BTreeMap::new(), found: BTreeMap::new(), series, memory }
    }

    /// Counts the answers to what a set of SLOs asked.
    pub(super) fn count(&mut self, cohort: &Cohort, answers: &Answers<'_>) {
        self.counted.asked_at = Some(cohort.asked_at);
        self.look(cohort, answers);
        let mut going = self.answered(cohort, answers);
        for lane in going.take(|lane| !self.plan.lanes()[lane].is_raw()) {
            self.count_steps(cohort, lane, answers);
        }
        let sights = self.sights(&going, answers, cohort);
        self.drop_spoilt(&mut going, &sights);
        self.drop_crowded(&mut going, &sights.all, answers, cohort);
        if going.iter().next().is_none() {
            return;
        }
        let unjudged = self.unjudged(&going, &sights);
        let mut stage = self.stage(cohort, going, answers, unjudged);
        self.open_streams(&stage, &sights);
        for sight in &sights.all {
            self.follow_series(&mut stage, &sights.all, sight);
        }
        self.cover(&mut stage);
        self.forget_targets(&stage);
        self.advance(stage);
    }

    /// Notes which boundaries the histograms have that were looked at. One that cannot be looked at has none: that hides no reason.
    fn look(&mut self, cohort: &Cohort, answers: &Answers<'_>) {
        for (query, look) in self.plan.looks() {
            let Some(answer) = answers.get(&look) else { continue };
            let boundaries = boundaries_of(answer.unwrap_or_default());
            self.counted.looks.insert(query, Look { at: cohort.asked_at, boundaries });
        }
    }

    /// The SLOs with all answers; the others keep why not.
    fn answered(&mut self, cohort: &Cohort, answers: &Answers<'_>) -> Lanes {
        let mut going = Lanes(vec![false; self.plan.lanes().len()]);
        for lane in &cohort.lanes {
            self.counted.lanes[*lane].tried = cohort.asked_at;
            let failed = self.plan.lanes()[*lane].queries.iter().find_map(|query| answers.get(query).and_then(|answer| answer.err()));
            match failed {
                Some(unknown) => self.counted.lanes[*lane].unknown = Some(unknown.clone()),
                None => going.0[*lane] = true,
            }
        }
        going
    }

    /// All series that some SLO counts, with who takes them.
    fn sights<'s>(&self, going: &Lanes, answers: &Answers<'s>, cohort: &Cohort) -> Sights<'s> {
        let queries: BTreeSet<usize> = going.iter().flat_map(|lane| self.plan.lanes()[lane].sides.iter().map(|side| side.query)).collect();
        let asked = || queries.iter().filter_map(|query| Some((*query, answers.get(query)?.ok()?)));
        let mut sights =
            Sights { all: Vec::with_capacity(asked().map(|(_, series)| series.len()).sum()), fresh: Vec::new(), spoilt: Vec::new() };
        for (query, series) in asked() {
            let first = sights.all.len();
            sight_all(query, series, self.series, &mut sights.all);
            self.look_at(&mut sights, first, cohort);
        }
        sights
    }

    /// Who takes those that are new, and which of them stop those who take them; leaves those out that have no samples.
    fn look_at(&self, sights: &mut Sights<'_>, first: usize, cohort: &Cohort) {
        let mut any_empty = false;
        let reads_on = self.plan.targets().map(|targets| targets.up).filter(|_| !cohort.live);
        for (at, sight) in sights.all.iter_mut().enumerate().skip(first) {
            if reads_on == Some(sight.query) {
                sight.end_at(cohort.to); // What follows tells the pace of targets alone.
            }
            if !self.is_matched(sight) {
                sight.fresh = self.plan.takers(sight.query, sight.labels);
                sights.fresh.extend((!sight.fresh.is_empty()).then_some(at));
            }
            if let Some(unknown) = sight.spoilt(cohort.to) {
                sights.spoilt.push((unknown, self.takers(sight)));
            }
            any_empty |= sight.samples.is_empty();
        }
        if any_empty {
            let of_query = sights.all.split_off(first);
            sights.all.extend(of_query.into_iter().filter(|sight| !sight.samples.is_empty()));
            sights.fresh.retain(|at| *at < first);
            let fresh = sights.all.iter().enumerate().skip(first).filter(|(_, sight)| !sight.fresh.is_empty());
            sights.fresh.extend(fresh.map(|(at, _)| at));
        }
    }

    fn is_matched(&self, sight: &Sight<'_>) -> bool {
        let query = index(sight.query);
        sight.place.is_some_and(|place| self.series.at(place).matched.contains(&query))
    }

    /// Series that contradict themselves, or lie in the future, stop the SLOs that take them.
    fn drop_spoilt(&mut self, going: &mut Lanes, sights: &Sights<'_>) {
        for (unknown, takers) in &sights.spoilt {
            for lane in takers {
                if std::mem::replace(&mut going.0[*lane], false) {
                    self.counted.lanes[*lane].unknown = Some(unknown.clone());
                }
            }
        }
    }

    /// An SLO of more series than can be counted for it is stopped, not counted in part. Series that ended within a wide read do not add up with those
    /// that replaced them: catching up over a deploy is not refused.
    fn drop_crowded(&mut self, going: &mut Lanes, sights: &[Sight<'_>], answers: &Answers<'_>, cohort: &Cohort) {
        if !going.iter().any(|lane| self.most_series(lane, answers) > MAX_SERIES_PER_SLO) {
            return;
        }
        let recent = cohort.to.minus(RECENT);
        // A series that is bad and in the total at once is one: by lane, how many there are and after how many sights the last one came.
        let mut taken = vec![(0_usize, 0_usize); going.0.len()];
        let lasting = sights.iter().filter(|sight| sight.samples.last().is_some_and(|last| last.at > recent));
        for (at, sight) in lasting.enumerate() {
            let known = sight.place.map_or(&[][..], |place| &*self.series.at(place).routes);
            for lane in known.iter().map(|route| route.lane as usize).chain(sight.fresh.iter().map(|(lane, _)| *lane)) {
                let (series, last) = &mut taken[lane];
                if std::mem::replace(last, at + 1) <= at {
                    *series += 1;
                }
            }
        }
        for lane in going.take(|lane| taken[lane].0 > MAX_SERIES_PER_SLO) {
            let (have, allowed) = (grouped(taken[lane].0), grouped(MAX_SERIES_PER_SLO));
            let detail = format!("it takes {have} series, and {allowed} are allowed: an SLI of kind `query` lets the source add them up");
            self.counted.lanes[lane].unknown = Some(Unknown::new(Reason::TooMany, detail));
        }
    }

    /// At most so many series an SLO can take of these answers.
    fn most_series(&self, lane: usize, answers: &Answers<'_>) -> usize {
        let queries: BTreeSet<usize> = self.plan.lanes()[lane].sides.iter().map(|side| side.query).collect();
        queries.iter().filter_map(|query| answers.get(query)?.ok()).map(<[Series]>::len).sum()
    }

    fn takers(&self, sight: &Sight<'_>) -> Vec<usize> {
        let known = sight.place.map_or(&[][..], |place| &*self.series.at(place).routes).iter().map(|route| route.lane as usize);
        known.chain(sight.fresh.iter().map(|(lane, _)| *lane)).collect()
    }

    fn stage<'s>(&mut self, cohort: &'s Cohort, going: Lanes, answers: &Answers<'_>, unjudged: Unjudged) -> Stage<'s> {
        let first = going.iter().map(|lane| self.counted.lanes[lane].watermark).min().unwrap_or(cohort.to);
        let (timeline, holds) = self.timeline(cohort, answers);
        let beats = timeline.beats(first, cohort.to, &self.rule);
        let failures = timeline.failures(first, cohort.to, &self.rule);
        let (steady, heard) = (timeline.steady(first, cohort.to, &self.rule), BTreeMap::new());
        let courses = (0..self.counted.lanes.len()).map(|lane| self.course(cohort, lane)).collect();
        let mut stage = Stage {
            cohort,
            timeline,
            holds,
            beats,
            failures,
            going,
            courses,
            steady,
            companions: None,
            relatives: Relatives::default(),
            heard,
            unjudged,
            places: None,
            missed: BTreeMap::new(),
            scrapes: None,
        };
        self.find_silences(&mut stage);
        stage
    }

    fn course(&self, cohort: &Cohort, lane: usize) -> Course {
        let state = &self.counted.lanes[lane];
        Course {
            watermark: state.watermark,
            settled: cohort.settled_for(state),
            finest: self.finest(lane),
            one_replica: state.other_until.is_none(),
            has_thresholds: self.plan.lanes()[lane].has_thresholds(),
        }
    }

    /// The targets' samples, and the stretch of which it holds all: what is remembered, where this read continues it without a hole.
    fn timeline(&self, cohort: &Cohort, answers: &Answers<'_>) -> (Timeline, Stretch) {
        let remembered =
            self.ledger.timeline_holds.filter(|_| cohort.live && self.ledger.remembers_targets_at(cohort.targets_from, &cohort.lanes));
        let mut timeline = remembered.map_or_else(Timeline::default, |_| self.ledger.timeline.clone());
        let answer = |query| answers.get(&query).and_then(|answer| answer.ok()).unwrap_or_default();
        if let Some(targets) = self.plan.targets() {
            timeline.replace(cohort.targets_from, answer(targets.up), answer(targets.starts));
        }
        let from = remembered.map_or(cohort.targets_from, |(from, _)| from);
        (timeline, (from, cohort.to))
    }

    /// Moves the watermarks on.
    fn advance(&mut self, stage: Stage<'_>) {
        for lane in stage.going.iter() {
            for stream in self.streams_of(lane) {
                self.counted.provisional[stream as usize].get_or_insert_default();
            }
            let state = &mut self.counted.lanes[lane];
            let settled = stage.cohort.settled_for(state);
            state.beat = newest_beat(state.beat, &stage.beats, settled);
            state.stood_still.retain(|(_, to)| *to <= settled && *to > settled.minus(days(7)));
            state.watermark = settled;
            state.primed = true;
            state.unknown = None;
            state.catching_up = !stage.cohort.live;
        }
        if stage.cohort.live {
            self.counted.timeline = Some((stage.timeline, stage.holds));
        }
    }

    /// What was filled in of a stretch of history: only that, and from when on events are held now.
    pub(super) fn finish_fill(&mut self, cohort: &Cohort, from: Timestamp, step: Duration) {
        self.book_unread(cohort, step);
        for lane in &cohort.lanes {
            let before = self.ledger.lanes[*lane].clone();
            let filled = self.counted.lanes[*lane].watermark > from;
            self.counted.lanes[*lane] = before;
            if filled {
                self.counted.lanes[*lane].fill(Fill { from, to: cohort.to, step });
            }
        }
        for (stream, meta) in self.counted.metas.iter_mut().enumerate() {
            let mut kept = self.ledger.streams.get(stream).map(|held| held.meta).unwrap_or_default();
            kept.counted_from = earlier(kept.counted_from, meta.counted_from);
            for (side, first) in meta.buckets.iter().enumerate().filter_map(|(side, seen)| Some((side, seen.first?))) {
                kept.see_bucket(side, first);
            }
            *meta = kept;
        }
        self.counted.targets.clear();
        self.counted.newer_targets.clear();
        self.counted.troubles.clear();
        self.counted.found.clear();
        self.counted.counters = self.ledger.series.counters().to_vec();
        self.counted.histograms = self.ledger.series.histograms().clone();
        self.counted.provisional.fill(None);
        self.counted.timeline = None;
    }

    /// The time between this stretch of history and what is held already, where nobody saw it: a silence that goes on at the end of the stretch, and one that
    /// begins there, since what follows showed nothing of the stream until later. What follows is not read again for it.
    fn book_unread(&mut self, cohort: &Cohort, step: Duration) {
        let mut last: BTreeMap<u32, Timestamp> = BTreeMap::new();
        for route in self.counted.found.iter().flat_map(|tracked| tracked.routes.iter()) {
            if let Some(counter) = self.counted.counters[route.counter as usize] {
                last.entry(route.stream).and_modify(|at| *at = counter.at.max(*at)).or_insert(counter.at);
            }
        }
        // One of presence books the time itself.
        for lane in cohort.lanes.iter().filter(|lane| self.plan.lanes()[**lane].presence().is_none()) {
            for stream in self.ledger.streams_of(*lane) {
                let Some(first) = self.ledger.streams[stream as usize].meta.counted_from else { continue };
                let was_there = last.get(&stream).is_some_and(|last| !is_gap(cohort.to.since(*last), step));
                let begins = (was_there && is_gap(first.since(cohort.to), step)).then_some(cohort.to);
                if let Some(from) = self.silent_since(stream, cohort.to).or(begins) {
                    self.counted.slices.spans.push(Span { stream, from, to: first.max(cohort.to) });
                    self.counted.begun_earlier.insert(stream, first);
                }
            }
        }
    }

    /// Since when nobody saw anything of a stream at the end of what was read, where that is so.
    fn silent_since(&self, stream: u32, to: Timestamp) -> Option<Timestamp> {
        let spans = &self.counted.provisional[stream as usize].as_ref()?.spans;
        spans.iter().find(|span| span.to == to).map(|span| span.from)
    }

    /// What the round comes to.
    pub(super) fn finish(self) -> Counted {
        let hidden = self.hidden();
        let mut counted = self.counted;
        match self.memory {
            Memory::Ledger => counted.log.hidden = hidden,
            Memory::Nothing => counted.log = Log::default(),
        }
        counted.slices.entries = self.settled.into_iter().flatten().filter(|entry| !entry.counts.is_zero()).collect();
        for provisional in counted.provisional.iter_mut().flatten() {
            provisional.entries.retain(|entry| !entry.counts.is_zero());
            provisional.spans.sort_unstable();
        }
        counted
    }

    /// The unseen stretches that are settled, each with the sample that ends it.
    fn hidden(&self) -> Vec<Hidden> {
        let lane_of = |stream: u32| match self.ledger.streams.get(stream as usize) {
            Some(held) => held.lane,
            None => self.counted.opened.get(stream as usize - self.ledger.streams.len()).map(|(lane, _)| *lane),
        };
        let steps = |stream: u32| lane_of(stream).and_then(|lane| self.plan.lanes()[lane].steps.as_ref());
        let ended = |span: &Span| steps(span.stream).map_or(span.to, |steps| span.to.plus(steps.step));
        self.counted.slices.spans.iter().map(|span| Hidden { at: ended(span), span: *span }).collect()
    }

    fn meta(&mut self, stream: u32) -> &mut Meta {
        &mut self.counted.metas[stream as usize]
    }

    /// The targets of a stream as they are now.
    fn targets_of(&self, stream: u32) -> &[TargetKey] {
        let before = || self.ledger.streams.get(stream as usize).map_or(&[][..], |held| &held.targets);
        self.counted.targets.get(&stream).map_or_else(before, Vec::as_slice)
    }

    /// Those of its targets whose first sample is not settled, with when that was.
    fn newer_targets_of(&self, stream: u32) -> &[(TargetKey, Timestamp)] {
        let before = || self.ledger.streams.get(stream as usize).map_or(&[][..], |held| &held.newer_targets);
        self.counted.newer_targets.get(&stream).map_or_else(before, Vec::as_slice)
    }

    /// The troubles of a stream as they are now.
    fn troubles_of(&self, stream: u32) -> &[Trouble] {
        let before = || self.ledger.streams.get(stream as usize).map_or(&[][..], |held| &held.troubles);
        self.counted.troubles.get(&stream).map_or_else(before, Vec::as_slice)
    }

    fn streams_of(&self, lane: usize) -> Vec<u32> {
        let opened = self.groups.get(&lane).into_iter().flat_map(|groups| groups.values().copied());
        self.ledger.streams_of(lane).chain(opened).collect()
    }

    fn finest(&self, lane: usize) -> Duration {
        self.ledger.level_specs[lane][0].step
    }
}

impl Cohort {
    /// Up to where a lane is settled by this read; never back.
    fn settled_for(&self, lane: &Lane) -> Timestamp {
        self.settled.max(lane.watermark)
    }

    /// The same for a lane whose watermark is a multiple of `grid`.
    fn settled_on(&self, grid: Duration, lane: &Lane) -> Timestamp {
        self.settled.floor(grid).max(lane.watermark)
    }
}

fn grouped(number: usize) -> String {
    words::grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a plan has fewer than 2^32 of anything")
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

impl SourceLedger {
    /// Whether a series that was last seen then would not be found by a restart's wider read.
    pub(super) fn is_quiet(last: Timestamp, watermark: Timestamp) -> bool {
        last <= watermark.minus(super::parts::QUIET_AFTER)
    }
}

/// The stretch before the watermark that a read without remembered counters needs.
pub(super) fn margin_before(watermark: Timestamp) -> Timestamp {
    watermark.minus(MARGIN)
}

/// What fills in history looks back this many steps for each series' last value.
pub(super) const FILL_MARGIN_STEPS: u32 = 4;

/// At most this long are the memories that the margin must hold twice.
const _: () = assert!(MARGIN.as_secs() >= 2 * minutes(5).as_secs());

/// Room for the slices of ten seconds that a read is about in the steady case: those of a minute, and of a tick.
const IN_A_TICK: usize = 8;

/// Adds to the slice that ends with the entry's; `entries` are sorted. Gives back the place behind it.
fn add(entries: &mut Vec<Entry>, entry: Entry) -> usize {
    let at = match entries.last() {
        Some(last) if last.end < entry.end => entries.len(),
        Some(_) | None => entries.partition_point(|known| known.end < entry.end),
    };
    match entries.get_mut(at) {
        Some(known) if known.end == entry.end => known.counts += entry.counts,
        Some(_) | None => {
            if entries.capacity() == 0 {
                entries.reserve(IN_A_TICK);
            }
            entries.insert(at, entry);
        }
    }
    at + 1
}

/// The same where the slice probably stands at `place`.
fn add_near(entries: &mut Vec<Entry>, place: usize, entry: Entry) -> usize {
    match entries.get_mut(place) {
        Some(known) if known.end == entry.end => {
            known.counts += entry.counts;
            place + 1
        }
        Some(_) | None => add(entries, entry),
    }
}
