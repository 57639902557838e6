//! One round: the answers of a source against what the ledger remembers. Pure: the ledger is read, and what changes is collected in `Counted`.
//!
//! The steps for a set of SLOs that read the same stretch: who has all answers; the timeline of targets; sight every series (who takes it, new
//! groups); follow every counter through the settled and then through the newer samples; unseen time; move the watermarks on.

mod cover;
mod follow;
mod sight;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Cohort, Counted, MARGIN, SourceLedger,
    parts::{Fill, Lane, Meta, Provisional, Tracked},
};
use crate::{
    id::Group,
    ledger::{
        Series, Unknown,
        count::{Rule, SeriesKey},
        coverage::{Beat, Failures, Stretch, Timeline},
        plan::Plan,
        slice::Entry,
    },
    time::{Timestamp, days, minutes},
};
use cover::newest_beat;
use follow::Companions;
use sight::{Sight, sight_all};

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

/// What all SLOs of a cohort have in common.
struct Stage<'s> {
    cohort: &'s Cohort,
    timeline: Timeline,
    holds: Stretch,
    beats: Vec<Beat>,
    failures: Failures,
    going: BTreeSet<usize>,
    /// When the scraper stood still after each lane's watermark, newest read included.
    silences: BTreeMap<usize, Vec<Stretch>>,
    /// When any series of an SLO's target was sampled; for targets that `up` does not know. Filled when it is first needed.
    companions: Option<Companions>,
    /// Samples of the total of streams without `up`.
    heard: BTreeMap<u32, Vec<Beat>>,
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
        for sight in sights {
            let Some(unknown) = sight.skewed(cohort.to).or_else(|| sight.spoilt.clone()) else { continue };
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
        let (timeline, holds) = self.timeline(cohort, answers);
        let beats = timeline.beats(first, cohort.to, &self.rule);
        let failures = timeline.failures(first, cohort.to, &self.rule);
        let mut stage =
            Stage { cohort, timeline, holds, beats, failures, going, silences: BTreeMap::new(), companions: None, heard: BTreeMap::new() };
        self.find_silences(&mut stage);
        stage
    }

    /// The targets' samples, and the stretch of which it holds all: what is remembered, where this read continues it without a hole.
    fn timeline(&self, cohort: &Cohort, answers: &Answers<'_>) -> (Timeline, Stretch) {
        let remembered = self.ledger.timeline_holds.filter(|_| cohort.live && self.ledger.remembers_targets_at(cohort.targets_from));
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
        for lane in &stage.going {
            for stream in self.streams_of(*lane) {
                self.counted.provisional.entry(stream).or_default();
            }
            let state = &mut self.counted.lanes[*lane];
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
