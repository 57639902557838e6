//! Unseen time of a read: when the scraper stood still, or the targets of a stream were gone; failed scrapes; silent streams.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Round, Stage};
use crate::{
    ledger::{
        Counts,
        count::TargetKey,
        coverage::{Beat, Stretch, one_per_moment, open_silence, silences},
        slice::{Entry, HOUR, Span},
    },
    time::Timestamp,
};

/// When nothing was seen: stretches that a sample ended, and the one that goes on.
#[derive(Default)]
struct Silence {
    closed: Vec<Stretch>,
    open: Option<Stretch>,
}

/// Where a lane stands: its watermark, and the last beat up to there.
type Standing = (Timestamp, Option<Beat>);

impl Round<'_> {
    /// When the scraper stood still; equal for lanes that stand at the same point.
    pub(super) fn find_silences(&mut self, stage: &mut Stage<'_>) {
        let mut last: Option<(Standing, Vec<Stretch>)> = None;
        for lane in stage.going.iter() {
            let state = &mut self.counted.lanes[lane];
            let point = (state.watermark, newest_beat(state.beat, &stage.beats, state.watermark));
            let found = match &last {
                Some((known, found)) if *known == point => found.clone(),
                Some(_) | None => {
                    let newer = &stage.beats[stage.beats.partition_point(|(at, _)| *at <= point.0)..];
                    silences(point.1, newer)
                }
            };
            state.stood_still.extend(found.iter().copied());
            last = Some((point, found));
        }
    }

    /// Books unseen time.
    pub(super) fn cover(&mut self, stage: &mut Stage<'_>) {
        for lane in stage.going.iter().collect::<Vec<_>>() {
            let settled = stage.cohort.settled_for(&self.counted.lanes[lane]);
            if let Some(slice) = self.plan.lanes()[lane].presence() {
                self.judge_presence(stage, lane, slice);
                self.settle_targets(lane, settled);
                continue;
            }
            for stream in self.streams_of(lane) {
                let silence = if self.is_scraped(stage, stream, settled) {
                    if !self.plan.lanes()[lane].counts_scrapes() {
                        self.book_failures(stage, lane, stream);
                    }
                    self.silence_of_targets(stage, lane, stream, settled)
                } else {
                    self.silence_of(stage, stream, settled)
                };
                self.book_silence(lane, stream, &silence, settled);
            }
            self.settle_targets(lane, settled);
        }
    }

    /// When no target of the stream was scraped, not even in vain: nobody can say what happened there. Each tells of it from the first sample on that it
    /// brings to the total.
    fn silence_of_targets(&mut self, stage: &Stage<'_>, lane: usize, stream: u32, settled: Timestamp) -> Silence {
        if self.targets_of(stream).iter().any(|target| stage.steady.contains(target)) {
            // The last scrape is found again a little before the watermark.
            self.meta(stream).beat = None;
            return Silence::default();
        }
        let watermark = self.counted.lanes[lane].watermark;
        let known = self.targets_of(stream).iter().map(|target| (*target, None));
        let newer = self.newer_targets_of(stream).iter().map(|(target, from)| (*target, Some(*from)));
        let targets: Vec<_> = known.chain(newer).collect();
        let remembered = self.meta(stream).beat.filter(|(at, _)| *at <= watermark);
        let beats = stage.timeline.beats_of(&targets, remembered, (watermark, stage.cohort.to), &self.rule);
        // Where the last scrape is not found again, the source has lost it; then the last of any target stands for it.
        let before = newest_beat(None, &beats, watermark).or(self.counted.lanes[lane].beat);
        self.meta(stream).beat = newest_beat(before, &beats, settled);
        let closed = silences(before, &beats[beats.partition_point(|(at, _)| *at <= watermark)..]);
        Silence { closed, open: open_silence(newest_beat(before, &beats, stage.cohort.to), stage.cohort.to) }
    }

    /// Targets whose first sample is settled tell of the stream from here on.
    fn settle_targets(&mut self, lane: usize, settled: Timestamp) {
        for stream in self.streams_of(lane) {
            let (known, newer): (Vec<_>, Vec<_>) = self.newer_targets_of(stream).iter().partition(|(_, from)| *from <= settled);
            if known.is_empty() {
                continue;
            }
            let mut targets = self.targets_of(stream).to_vec();
            targets.extend(known.into_iter().map(|(target, _)| target));
            targets.sort_unstable();
            self.counted.targets.insert(stream, targets);
            self.counted.newer_targets.insert(stream, newer);
        }
    }

    /// Once an hour, forgets the targets of streams that are not scraped any more and of which no series is remembered.
    pub(super) fn forget_targets(&mut self, stage: &Stage<'_>) {
        let passes_an_hour = |lane: &usize| stage.courses[*lane].watermark.floor(HOUR) < stage.courses[*lane].settled.floor(HOUR);
        let lanes = stage.going.iter().filter(|lane| stage.cohort.live && passes_an_hour(lane));
        let is_gone = |target: &TargetKey| !stage.timeline.knows(*target);
        let mut gone: BTreeSet<(u32, TargetKey)> = lanes
            .flat_map(|lane| self.streams_of(lane))
            .flat_map(|stream| self.targets_of(stream).iter().filter(|target| is_gone(target)).map(move |target| (stream, *target)))
            .collect();
        if gone.is_empty() {
            return;
        }
        let mut unmet: BTreeSet<u32> = BTreeSet::new();
        for tracked in self.series.iter().chain(&self.counted.found) {
            for route in tracked.routes.iter() {
                match tracked.target {
                    Some(target) => drop(gone.remove(&(route.stream, target))),
                    // A restart remembers the counter, and not whose it is.
                    None => drop(unmet.insert(route.stream)),
                }
            }
        }
        let streams: BTreeSet<u32> = gone.iter().map(|(stream, _)| *stream).filter(|stream| !unmet.contains(stream)).collect();
        for stream in streams {
            let stay = self.targets_of(stream).iter().filter(|target| !gone.contains(&(stream, **target))).copied().collect();
            self.counted.targets.insert(stream, stay);
        }
    }

    /// Whether `up` knows a target of the stream, now or ever before.
    fn is_scraped(&mut self, stage: &Stage<'_>, stream: u32, settled: Timestamp) -> bool {
        let known = || self.targets_of(stream).iter().any(|target| stage.timeline.knows_by(*target, settled));
        let has_up = self.counted.metas[stream as usize].has_up || known();
        self.meta(stream).has_up = has_up;
        has_up
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
            self.counted.provisional[stream as usize].get_or_insert_default().spans.extend(newer);
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
        let missed = stage.missed.get(&stream);
        if stage.failures.is_empty() && missed.is_none() {
            return;
        }
        let (watermark, settled) = (self.counted.lanes[lane].watermark, stage.cohort.settled_for(&self.counted.lanes[lane]));
        let (finest, counted_from) = (self.finest(lane), self.meta(stream).counted_from);
        let known = self.targets_of(stream).iter().map(|target| (*target, watermark));
        let targets: Vec<(TargetKey, Timestamp)> = known.chain(self.newer_targets_of(stream).iter().copied()).collect();
        let mut hidden: BTreeMap<Timestamp, Duration> = BTreeMap::new();
        for (target, from) in &targets {
            let failures = stage.failures.get(target).into_iter().flatten().copied();
            let is_counted = |at| counted_from.is_some_and(|from| from < at);
            let of_target = (*target, Timestamp::from_millis(i64::MIN))..=(*target, Timestamp::from_millis(i64::MAX));
            let without_buckets = missed.into_iter().flat_map(|missed| missed.range(of_target.clone())).filter(|(_, at)| is_counted(*at));
            let without_buckets = without_buckets.filter_map(|(_, at)| stage.timeline.hidden_by(*target, *at, &self.rule));
            for failure in failures.chain(without_buckets).filter(|failure| failure.at > watermark && failure.at >= *from) {
                *hidden.entry(failure.at.ceil(finest)).or_default() += failure.unseen;
            }
        }
        for (end, unseen) in hidden {
            let is_there = |target| stage.timeline.present(target, end.min(stage.cohort.to), &self.rule);
            let there = targets.iter().filter(|(target, from)| *from <= end && is_there(*target)).count();
            let share = unseen.as_millis() / u128::try_from(there.max(1)).unwrap_or(1);
            let unseen_millis = i64::try_from(share).unwrap_or(i64::MAX);
            let counts = Counts { unseen_millis, ..Counts::default() };
            self.book(Entry { stream, end, counts }, end <= settled);
        }
    }
}

/// The newest of these beats that is not after `at`.
fn last_beat(beats: &[Beat], at: Timestamp) -> Option<Beat> {
    beats.partition_point(|(beat, _)| *beat <= at).checked_sub(1).map(|last| beats[last])
}

/// The newest beat up to `at`; of the one that is remembered and the same one read again the remembered, which knows what was usual before it.
pub(super) fn newest_beat(remembered: Option<Beat>, beats: &[Beat], at: Timestamp) -> Option<Beat> {
    last_beat(beats, at).into_iter().chain(remembered).max_by_key(|(moment, _)| *moment)
}
