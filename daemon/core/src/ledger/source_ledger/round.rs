//! One round: the answers of a source against what the ledger remembers. Pure: the ledger is read, and what changes is collected in `Counted`.
//!
//! The steps for a set of SLOs that read the same stretch: who has all answers; the timeline of targets; sight every series (who takes it, new
//! groups); follow every counter through the settled and then through the newer samples; unseen time; move the watermarks on.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Cohort, Counted, MARGIN, SourceLedger,
    parts::{Fill, Lane, Meta, Provisional, Route, Stream, Tracked, Trouble},
};
use crate::{
    id::Group,
    ledger::{
        Reason, Sample, Series, Unknown,
        count::{Counter, Rule, SeriesKey, TargetKey, whole},
        coverage::{Beat, Failures, Stretch, Timeline, one_per_moment, open_silence, silences},
        plan::{LanePlan, Plan, Side},
        slice::{Entry, Span},
    },
    sli::Labels,
    time::{Timestamp, days, minutes},
};

/// Samples may lie this much beyond the end of what was asked before the clocks are called skewed.
const SKEW: Duration = Duration::from_secs(30);

/// Without `up`, a target was seen one scrape before if any of its series has a sample this shortly before.
const COMPANION: Duration = Duration::from_secs(150);

/// The label values of the group that holds all groups beyond the cap.
const OTHER: &str = "(other)";

/// At most this many series in trouble are named per stream.
const MAX_TROUBLE: usize = 4;

/// Answers by query.
pub(super) type Answers<'s> = BTreeMap<usize, Result<&'s [Series], &'s Unknown>>;

/// A round while it is counted.
pub(super) struct Round<'a> {
    ledger: &'a SourceLedger,
    plan: &'a Plan,
    rule: Rule,
    source: Memory,
    pub(super) counted: Counted,
    /// New streams of this round by their group.
    groups: BTreeMap<(usize, Group), u32>,
}

/// What a stretch is counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Memory {
    /// The series that the ledger remembers.
    Ledger,
    /// Nothing: history from before is counted for itself.
    Nothing,
}

/// One series of an answer, its samples sorted and without repeats.
struct Sight<'s> {
    query: usize,
    key: SeriesKey,
    labels: &'s Labels,
    samples: Cow<'s, [Sample]>,
    /// Moments with two different values.
    conflicts: Vec<Timestamp>,
    /// The whole series contradicts itself.
    spoilt: Option<Unknown>,
    /// The lanes and sides that take it, where the ledger did not know them.
    fresh: Vec<(usize, usize)>,
}

/// What all SLOs of a cohort have in common.
struct Stage<'s> {
    cohort: &'s Cohort,
    timeline: Timeline,
    beats: Vec<Beat>,
    failures: Failures,
    going: BTreeSet<usize>,
    /// When the scraper stood still after each lane's watermark, newest read included.
    silences: BTreeMap<usize, Vec<Stretch>>,
    /// When any series of a target was sampled; for targets that `up` does not know. Filled when it is first needed.
    companions: Option<BTreeMap<TargetKey, Vec<Timestamp>>>,
    /// Samples of the total of streams without `up`.
    heard: BTreeMap<u32, Vec<Beat>>,
}

/// When nothing was seen: stretches that a sample ended, and the one that goes on.
struct Silence {
    closed: Vec<Stretch>,
    open: Option<Stretch>,
}

impl<'a> Round<'a> {
    pub(super) fn new(ledger: &'a SourceLedger, rule: Rule, source: Memory) -> Self {
        Self { ledger, plan: &ledger.plan, rule, source, counted: Counted::unchanged(ledger), groups: BTreeMap::new() }
    }

    /// Counts the answers to what a set of SLOs asked.
    pub(super) fn count(&mut self, cohort: &Cohort, answers: &Answers<'_>) {
        let mut going = self.answered(cohort, answers);
        let mut sights = self.sights(&going, answers);
        self.drop_spoilt(&mut going, &sights, cohort);
        if going.is_empty() {
            return;
        }
        sights.retain(|sight| !sight.samples.is_empty());
        let mut stage = self.stage(cohort, going, answers);
        self.open_streams(&stage, &sights);
        for at in 0..sights.len() {
            self.follow_series(&mut stage, &sights, at);
        }
        self.cover(&mut stage);
        self.advance(stage);
    }

    /// The SLOs with all answers; the others keep why not.
    fn answered(&mut self, cohort: &Cohort, answers: &Answers<'_>) -> BTreeSet<usize> {
        let mut going = BTreeSet::new();
        for lane in &cohort.lanes {
            self.counted.lanes[*lane].tried = cohort.asked_at;
            let failed = self.plan.lanes()[*lane].queries.iter().find_map(|query| answers.get(query).and_then(|answer| answer.err()));
            match failed {
                Some(unknown) => self.counted.lanes[*lane].unknown = Some(unknown.clone()),
                None => {
                    going.insert(*lane);
                }
            }
        }
        going
    }

    /// All series that some SLO counts, with who takes them.
    fn sights<'s>(&self, going: &BTreeSet<usize>, answers: &Answers<'s>) -> Vec<Sight<'s>> {
        let queries: BTreeSet<usize> = going.iter().flat_map(|lane| self.plan.lanes()[*lane].sides.iter().map(|side| side.query)).collect();
        let mut sights = Vec::new();
        for query in queries {
            let Some(Ok(series)) = answers.get(&query) else { continue };
            for mut sight in sight_all(query, series) {
                if !self.is_matched(&sight) {
                    sight.fresh = self.plan.takers(query, sight.labels);
                }
                sights.push(sight);
            }
        }
        sights
    }

    fn is_matched(&self, sight: &Sight<'_>) -> bool {
        let query = u32::try_from(sight.query).unwrap_or(u32::MAX);
        self.source == Memory::Ledger && self.ledger.series.get(&sight.key).is_some_and(|tracked| tracked.matched.contains(&query))
    }

    /// Series that contradict themselves, or lie in the future, stop the SLOs that take them.
    fn drop_spoilt(&mut self, going: &mut BTreeSet<usize>, sights: &[Sight<'_>], cohort: &Cohort) {
        let limit = cohort.to.plus(SKEW);
        for sight in sights {
            let late = sight.samples.last().filter(|sample| sample.at > limit);
            let skewed = late.map(|sample| skew(sight.labels, sample.at, cohort.to));
            let Some(unknown) = skewed.or_else(|| sight.spoilt.clone()) else { continue };
            for lane in self.takers(sight) {
                if going.remove(&lane) {
                    self.counted.lanes[lane].unknown = Some(unknown.clone());
                }
            }
        }
    }

    fn takers(&self, sight: &Sight<'_>) -> Vec<usize> {
        let known = self.ledger.series.get(&sight.key).filter(|_| self.source == Memory::Ledger);
        let known = known.into_iter().flat_map(|tracked| &tracked.routes).map(|route| route.lane as usize);
        known.chain(sight.fresh.iter().map(|(lane, _)| *lane)).collect()
    }

    fn stage<'s>(&mut self, cohort: &'s Cohort, going: BTreeSet<usize>, answers: &Answers<'_>) -> Stage<'s> {
        let first = going.iter().map(|lane| self.counted.lanes[*lane].watermark).min().unwrap_or(cohort.to);
        let timeline = self.timeline(cohort, answers);
        let beats = timeline.beats(first, cohort.to, &self.rule);
        let failures = timeline.failures(first, cohort.to, &self.rule);
        let mut stage =
            Stage { cohort, timeline, beats, failures, going, silences: BTreeMap::new(), companions: None, heard: BTreeMap::new() };
        self.find_silences(&mut stage);
        stage
    }

    fn timeline(&self, cohort: &Cohort, answers: &Answers<'_>) -> Timeline {
        let mut timeline = if cohort.live { self.ledger.timeline.clone() } else { Timeline::default() };
        let answer = |query| answers.get(&query).and_then(|answer| answer.ok()).unwrap_or_default();
        if let Some(targets) = self.plan.targets() {
            timeline.replace(cohort.targets_from, answer(targets.up), answer(targets.starts));
        }
        timeline
    }

    /// When the scraper stood still; equal for lanes that stand at the same point.
    fn find_silences(&mut self, stage: &mut Stage<'_>) {
        let mut last: Option<((Timestamp, Option<Beat>), Vec<Stretch>)> = None;
        for lane in &stage.going {
            let state = &mut self.counted.lanes[*lane];
            let point = (state.watermark, last_beat(&stage.beats, state.watermark).or(state.beat));
            let found = match &last {
                Some((known, found)) if *known == point => found.clone(),
                Some(_) | None => {
                    let newer = &stage.beats[stage.beats.partition_point(|(at, _)| *at <= point.0)..];
                    silences(point.1, newer)
                }
            };
            if !found.is_empty() {
                state.stood_still.extend(found.iter().copied());
                stage.silences.insert(*lane, found.clone());
            }
            last = Some((point, found));
        }
    }

    /// Routes for series that are new here, and streams for groups that are new, in the order of their first sample.
    fn open_streams(&mut self, stage: &Stage<'_>, sights: &[Sight<'_>]) {
        let mut fresh: Vec<(Timestamp, usize, Group)> = Vec::new();
        for sight in sights {
            for (lane, _) in sight.fresh.iter().filter(|(lane, _)| stage.going.contains(lane)) {
                fresh.push((sight.samples[0].at, *lane, group_of(&self.plan.lanes()[*lane], sight.labels)));
            }
        }
        fresh.sort();
        for (_, lane, group) in fresh {
            self.stream_for(lane, group);
        }
        for sight in sights.iter().filter(|sight| !sight.fresh.is_empty()) {
            self.route(stage, sight);
        }
    }

    /// The stream of a group; beyond the cap the one that holds all others.
    fn stream_for(&mut self, lane: usize, group: Group) -> u32 {
        if let Some(known) = self.stream_of(lane, &group) {
            return known;
        }
        let plan = &self.plan.lanes()[lane];
        let opened = self.groups.keys().filter(|(of, _)| *of == lane).count();
        let full = self.ledger.groups_of(lane) + opened >= self.ledger.settings.max_groups_per_slo;
        if full && !group.is_whole() {
            let other = Group::new(plan.slo.per.iter().map(|label| (label.clone(), OTHER.to_owned())).collect());
            return self.stream_of(lane, &other).unwrap_or_else(|| self.open(lane, other));
        }
        self.open(lane, group)
    }

    fn stream_of(&self, lane: usize, group: &Group) -> Option<u32> {
        self.ledger.stream_of(lane, group).or_else(|| self.groups.get(&(lane, group.clone())).copied())
    }

    fn open(&mut self, lane: usize, group: Group) -> u32 {
        let index = u32::try_from(self.ledger.streams.len() + self.counted.opened.len()).expect("fewer streams than 2^32");
        let slo = Arc::clone(&self.ledger.lane_ids[lane]);
        self.groups.insert((lane, group.clone()), index);
        let stream = Stream { index, slo, group, newest_sample: None, counted_from: None, catching_up: true };
        self.counted.opened.push((lane, stream));
        self.counted.metas.insert(index, Meta::default());
        index
    }

    /// Enters a new series with those who take it. It is looked at again while one of them does not read this stretch.
    fn route(&mut self, stage: &Stage<'_>, sight: &Sight<'_>) {
        let mut tracked = self.tracked(sight.key);
        for (lane, side) in &sight.fresh {
            let (lane_index, side_index) = (index(*lane), index(*side));
            let known = tracked.routes.iter().any(|route| (route.lane, route.side) == (lane_index, side_index));
            if known || !stage.going.contains(lane) {
                continue;
            }
            let stream = self.stream_for(*lane, group_of(&self.plan.lanes()[*lane], sight.labels));
            tracked.routes.push(Route { lane: lane_index, side: side_index, stream, counter: None });
            self.meet(stage, sight, *lane, *side, stream);
        }
        if sight.fresh.iter().all(|(lane, _)| stage.going.contains(lane)) {
            tracked.matched.push(index(sight.query));
        }
        self.counted.series.insert(sight.key, tracked);
    }

    /// What a new series tells of its stream.
    fn meet(&mut self, stage: &Stage<'_>, sight: &Sight<'_>, lane: usize, side: usize, stream: u32) {
        let (from, watermark) = (sight.samples[0].at, self.counted.lanes[lane].watermark);
        let side = &self.plan.lanes()[lane].sides[side];
        let target = TargetKey::of(sight.labels);
        let meta = self.meta(stream);
        if side.boundary.is_some_and(f64::is_finite) {
            meta.bucket_from = Some(meta.bucket_from.map_or(from, |first| first.min(from)));
        }
        if side.role.is_total() {
            let from = from.max(watermark);
            meta.counted_from = Some(meta.counted_from.map_or(from, |first| first.min(from)));
            if let Some(target) = target {
                meta.has_up |= stage.timeline.knows(target);
                if let Err(at) = meta.targets.binary_search(&target) {
                    meta.targets.insert(at, target);
                }
            }
        }
    }

    /// Follows one series for everybody who takes it.
    fn follow_series(&mut self, stage: &mut Stage<'_>, sights: &[Sight<'_>], at: usize) {
        let sight = &sights[at];
        let mut tracked = self.tracked(sight.key);
        for route in &mut tracked.routes {
            let lane = route.lane as usize;
            let side = &self.plan.lanes()[lane].sides[route.side as usize];
            if side.query == sight.query && stage.going.contains(&lane) {
                self.follow(stage, sights, sight, side, route);
            }
        }
        self.counted.series.insert(sight.key, tracked);
    }

    /// Follows one series for one side of one SLO: first the settled samples, then, without remembering them, the newer ones.
    fn follow(&mut self, stage: &mut Stage<'_>, sights: &[Sight<'_>], sight: &Sight<'_>, side: &Side, route: &mut Route) {
        let lane = route.lane as usize;
        let (watermark, settled) = (self.counted.lanes[lane].watermark, stage.cohort.settled_for(&self.counted.lanes[lane]));
        let count_after = if route.counter.is_some() { Timestamp::from_millis(i64::MIN) } else { watermark };
        let counts_from = self.counts_from(lane, side, route.stream);
        let seen = route.counter.map_or(0, |counter| sight.samples.partition_point(|sample| sample.at <= counter.at));
        let mut counter = route.counter;
        let mut fault = None;
        for sample in &sight.samples[seen..] {
            let value = match sight.value(sample) {
                Ok(value) => value,
                Err(unknown) => {
                    fault = Some((sample.at, unknown));
                    continue;
                }
            };
            fault = None;
            let has_up = self.meta(route.stream).has_up;
            let known = counter.filter(|known| !self.counted.lanes[lane].forgets(has_up, known.at, sample.at));
            let (events, booked, next) = match known {
                Some(mut known) => {
                    let increment = known.next(sample.at, value, &self.rule);
                    (increment.events, increment.booked, known)
                }
                None if sample.at > count_after && self.is_new(stage, sights, sight, sample.at) => {
                    (value, sample.at, Counter::first(sample.at, value))
                }
                None => (0, sample.at, Counter::first(sample.at, value)),
            };
            counter = Some(next);
            if sample.at <= settled {
                route.counter = counter;
            }
            if sample.at > count_after && events > 0 && counts_from.is_some_and(|from| sample.at >= from) {
                let end = booked.ceil(self.finest(lane));
                let entry = Entry { stream: route.stream, end, counts: side.role.book(events) };
                self.book(entry, sample.at <= settled);
            }
            self.hear(stage, side, route.stream, (sample.at, next.usual(&self.rule)));
        }
        self.note_fault(route.stream, sight.key, counter, fault);
    }

    /// From when on events of a side count: a total cannot be judged before its threshold's bucket is there.
    fn counts_from(&mut self, lane: usize, side: &Side, stream: u32) -> Option<Timestamp> {
        let judged_by_bucket = side.role.is_total() && self.plan.lanes()[lane].is_latency();
        if judged_by_bucket { self.meta(stream).bucket_from } else { Some(Timestamp::from_millis(i64::MIN)) }
    }

    /// Whether the first value of a series happened since its target was last seen.
    fn is_new(&self, stage: &mut Stage<'_>, sights: &[Sight<'_>], sight: &Sight<'_>, at: Timestamp) -> bool {
        let Some(target) = TargetKey::of(sight.labels) else { return false };
        if stage.timeline.first_value_is_new(target, at, &self.rule) {
            return true;
        }
        if stage.timeline.knows(target) {
            return false;
        }
        let companions = stage.companions.get_or_insert_with(|| self.companions(sights));
        let times = companions.get(&target).map_or(&[][..], Vec::as_slice);
        let before = times.partition_point(|time| *time < at);
        before.checked_sub(1).is_some_and(|last| at.since(times[last]) <= COMPANION)
    }

    fn companions(&self, sights: &[Sight<'_>]) -> BTreeMap<TargetKey, Vec<Timestamp>> {
        let mut times: BTreeMap<TargetKey, Vec<Timestamp>> = BTreeMap::new();
        for sight in sights {
            let Some(target) = TargetKey::of(sight.labels) else { continue };
            let counters = self.ledger.series.get(&sight.key).filter(|_| self.source == Memory::Ledger);
            let remembered =
                counters.into_iter().flat_map(|tracked| &tracked.routes).filter_map(|route| route.counter.map(|counter| counter.at));
            times.entry(target).or_default().extend(remembered.chain(sight.samples.iter().map(|sample| sample.at)));
        }
        for moments in times.values_mut() {
            moments.sort_unstable();
            moments.dedup();
        }
        times
    }

    fn book(&mut self, entry: Entry, settled: bool) {
        if settled {
            self.counted.slices.entries.push(entry);
        } else {
            self.counted.provisional.entry(entry.stream).or_default().entries.push(entry);
        }
    }

    /// Notes that a sample was seen.
    fn hear(&mut self, stage: &mut Stage<'_>, side: &Side, stream: u32, beat: Beat) {
        let meta = self.meta(stream);
        if !side.role.is_total() {
            meta.beside = meta.beside.max(Some(beat.0));
            return;
        }
        meta.newest = meta.newest.max(Some(beat));
        if !meta.has_up {
            stage.heard.entry(stream).or_default().push(beat);
        }
    }

    /// Keeps or clears why a series' newest sample cannot be counted.
    fn note_fault(&mut self, stream: u32, key: SeriesKey, counter: Option<Counter>, fault: Option<(Timestamp, Unknown)>) {
        let meta = self.meta(stream);
        match fault {
            Some((at, unknown)) => {
                meta.trouble.retain(|trouble| trouble.key != key);
                if meta.trouble.len() < MAX_TROUBLE {
                    meta.trouble.push(Trouble { key, at, unknown });
                }
            }
            None => meta.trouble.retain(|trouble| trouble.key != key || counter.is_none_or(|counter| counter.at < trouble.at)),
        }
    }

    /// Books unseen time.
    fn cover(&mut self, stage: &mut Stage<'_>) {
        for lane in stage.going.clone() {
            let settled = stage.cohort.settled_for(&self.counted.lanes[lane]);
            let last = last_beat(&stage.beats, stage.cohort.to).or(self.counted.lanes[lane].beat);
            let closed = stage.silences.get(&lane).cloned().unwrap_or_default();
            let standstill = Silence { closed, open: open_silence(last, stage.cohort.to) };
            for stream in self.streams_of(lane) {
                if self.meta(stream).has_up {
                    self.book_failures(stage, lane, stream);
                    self.book_silence(lane, stream, &standstill, settled);
                } else {
                    let silence = self.silence_of(stage, stream, settled);
                    self.book_silence(lane, stream, &silence, settled);
                }
            }
        }
    }

    /// A silence is settled when the sample that ends it is; until then it is provisional.
    fn book_silence(&mut self, lane: usize, stream: u32, silence: &Silence, settled: Timestamp) {
        let Some(counted_from) = self.meta(stream).counted_from else { return };
        let watermark = self.counted.lanes[lane].watermark;
        let span = |(from, to): &Stretch| Span { stream, from: counted_from.max(*from), to: *to };
        let closed = silence.closed.iter().filter(|(_, to)| *to > watermark).map(span).filter(|span| span.from < span.to);
        let (settled, mut newer): (Vec<Span>, Vec<Span>) = closed.partition(|span| span.to <= settled);
        newer.extend(silence.open.iter().map(span).filter(|span| span.from < span.to));
        self.counted.slices.spans.extend(settled);
        if !newer.is_empty() {
            self.counted.provisional.entry(stream).or_default().spans.extend(newer);
        }
    }

    /// Without `up`: when all series of the total were silent.
    fn silence_of(&mut self, stage: &mut Stage<'_>, stream: u32, settled: Timestamp) -> Silence {
        let mut heard = stage.heard.remove(&stream).unwrap_or_default();
        one_per_moment(&mut heard);
        let meta = self.meta(stream);
        let before = meta.beat;
        meta.beat = last_beat(&heard, settled).max(before);
        let open = open_silence(heard.last().copied().max(before), stage.cohort.to);
        Silence { closed: silences(before, &heard), open }
    }

    /// Failed scrapes of the stream's targets, weighted by how many of them are still there at the end of the slice.
    fn book_failures(&mut self, stage: &Stage<'_>, lane: usize, stream: u32) {
        if stage.failures.is_empty() {
            return;
        }
        let (watermark, settled) = (self.counted.lanes[lane].watermark, stage.cohort.settled_for(&self.counted.lanes[lane]));
        let finest = self.finest(lane);
        let targets = self.meta(stream).targets.clone();
        let mut hidden: BTreeMap<Timestamp, Duration> = BTreeMap::new();
        for failure in targets.iter().filter_map(|target| stage.failures.get(target)).flatten().filter(|failure| failure.at > watermark) {
            *hidden.entry(failure.at.ceil(finest)).or_default() += failure.unseen;
        }
        for (end, unseen) in hidden {
            let there = targets.iter().filter(|target| stage.timeline.present(**target, end.min(stage.cohort.to), &self.rule)).count();
            let share = unseen.as_millis() / u128::try_from(there.max(1)).unwrap_or(1);
            let unseen_millis = i64::try_from(share).unwrap_or(i64::MAX);
            let counts = crate::ledger::Counts { unseen_millis, ..Default::default() };
            self.book(Entry { stream, end, counts }, end <= settled);
        }
    }

    /// Moves the watermarks on.
    fn advance(&mut self, stage: Stage<'_>) {
        for lane in &stage.going {
            for stream in self.streams_of(*lane) {
                self.counted.provisional.entry(stream).or_default();
            }
            let state = &mut self.counted.lanes[*lane];
            let settled = stage.cohort.settled_for(state);
            state.beat = last_beat(&stage.beats, settled).or(state.beat);
            state.stood_still.retain(|(_, to)| *to <= settled && *to > settled.minus(days(7)));
            state.watermark = settled;
            state.primed = true;
            state.unknown = None;
            state.catching_up = !stage.cohort.live;
        }
        if stage.cohort.live {
            self.counted.timeline = Some(stage.timeline);
        }
    }

    /// What was filled in of a stretch of history: only that, and from when on events are held now.
    pub(super) fn finish_fill(&mut self, cohort: &Cohort, from: Timestamp, step: Duration) {
        for lane in &cohort.lanes {
            let before = self.ledger.lanes[*lane].clone();
            let filled = self.counted.lanes[*lane].watermark > from;
            self.counted.lanes[*lane] = before;
            if filled {
                self.counted.lanes[*lane].fill(Fill { from, to: cohort.to, step });
            }
        }
        for (stream, meta) in &mut self.counted.metas {
            let mut kept = self.ledger.streams.get(*stream as usize).map(|held| held.meta.clone()).unwrap_or_default();
            kept.counted_from = earlier(kept.counted_from, meta.counted_from);
            kept.bucket_from = earlier(kept.bucket_from, meta.bucket_from);
            *meta = kept;
        }
        self.counted.series.clear();
        self.counted.provisional.clear();
        self.counted.timeline = None;
    }

    fn tracked(&self, key: SeriesKey) -> Tracked {
        let remembered = || self.ledger.series.get(&key).filter(|_| self.source == Memory::Ledger);
        self.counted.series.get(&key).or_else(remembered).cloned().unwrap_or_default()
    }

    fn meta(&mut self, stream: u32) -> &mut Meta {
        let ledger = self.ledger;
        self.counted
            .metas
            .entry(stream)
            .or_insert_with(|| ledger.streams.get(stream as usize).map(|held| held.meta.clone()).unwrap_or_default())
    }

    fn streams_of(&self, lane: usize) -> Vec<u32> {
        let opened = self.counted.opened.iter().filter(|(of, _)| *of == lane).map(|(_, stream)| stream.index);
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
}

impl Sight<'_> {
    fn value(&self, sample: &Sample) -> Result<u64, Unknown> {
        if self.conflicts.binary_search(&sample.at).is_ok() {
            let detail = format!("two different values at {} s in {}", sample.at.seconds(), shown(self.labels));
            return Err(Unknown::new(Reason::Duplicate, detail));
        }
        whole(sample.value).map_err(|reason| Unknown::new(reason, format!("the counter {} is {}", shown(self.labels), sample.value)))
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a plan has fewer than 2^32 of anything")
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    a.into_iter().chain(b).min()
}

/// The newest of these beats that is not after `at`.
fn last_beat(beats: &[Beat], at: Timestamp) -> Option<Beat> {
    beats.partition_point(|(beat, _)| *beat <= at).checked_sub(1).map(|last| beats[last])
}

fn group_of(lane: &LanePlan, labels: &Labels) -> Group {
    Group::new(lane.slo.per.iter().map(|label| (label.clone(), labels.get(label).to_owned())).collect())
}

fn skew(labels: &Labels, at: Timestamp, to: Timestamp) -> Unknown {
    let ahead = at.since(to).as_secs();
    Unknown::new(Reason::ClockSkew, format!("a sample lies {ahead} s in the future, in {}", shown(labels)))
}

/// Labels as a person reads them.
fn shown(labels: &Labels) -> String {
    let pairs: Vec<String> =
        labels.pairs().iter().filter(|(name, _)| name != "__name__").map(|(name, value)| format!("{name}={value:?}")).collect();
    format!("{}{{{}}}", labels.get("__name__"), pairs.join(","))
}

/// The series of an answer by their identity. Spellings of one bucket boundary are one series; equal labels are a contradiction.
fn sight_all(query: usize, series: &[Series]) -> Vec<Sight<'_>> {
    let mut keyed: Vec<(SeriesKey, &Series)> = series.iter().map(|series| (SeriesKey::of(&series.labels), series)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.labels.cmp(&b.1.labels)));
    keyed.chunk_by(|a, b| a.0 == b.0).map(|same| sight(query, same)).collect()
}

fn sight<'s>(query: usize, same: &[(SeriesKey, &'s Series)]) -> Sight<'s> {
    let (key, first) = same[0];
    let repeated = same.windows(2).any(|pair| pair[0].1.labels == pair[1].1.labels);
    let spoilt = repeated.then(|| Unknown::new(Reason::Duplicate, format!("the answer holds {} twice", shown(&first.labels))));
    let mut sight = Sight {
        query,
        key,
        labels: &first.labels,
        samples: Cow::Borrowed(&first.samples),
        conflicts: Vec::new(),
        spoilt,
        fresh: Vec::new(),
    };
    let sorted = first.samples.windows(2).all(|pair| pair[0].at < pair[1].at);
    if same.len() > 1 || !sorted {
        sight.sort(same);
    }
    sight
}

impl Sight<'_> {
    /// Sorts the samples; exact repeats are one.
    fn sort(&mut self, same: &[(SeriesKey, &Series)]) {
        let mut samples: Vec<Sample> = same.iter().flat_map(|(_, series)| series.samples.iter().copied()).collect();
        samples.sort_by(|a, b| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value)));
        samples.dedup_by(|a, b| {
            let repeat = a.at == b.at;
            if repeat && a.value.to_bits() != b.value.to_bits() && self.conflicts.last() != Some(&a.at) {
                self.conflicts.push(a.at);
            }
            repeat
        });
        self.samples = Cow::Owned(samples);
    }
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

impl Provisional {
    /// Sorts, and joins entries of one slice.
    pub(super) fn tidy(&mut self) {
        join(&mut self.entries);
        self.spans.sort_unstable();
    }
}

/// Sorts entries, joins those of one slice, drops empty ones.
pub(super) fn join(entries: &mut Vec<Entry>) {
    entries.sort_by_key(|entry| (entry.stream, entry.end));
    entries.dedup_by(|next, first| {
        let same = (next.stream, next.end) == (first.stream, first.end);
        if same {
            first.counts += next.counts;
        }
        same
    });
    entries.retain(|entry| !entry.counts.is_zero());
}
