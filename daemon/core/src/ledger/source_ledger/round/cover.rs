//! Unseen time of a read: when the scraper stood still, failed scrapes, silent streams.

use std::{collections::BTreeMap, time::Duration};

use super::{Round, Stage};
use crate::{
    ledger::{
        Counts,
        coverage::{Beat, Stretch, one_per_moment, open_silence, silences},
        slice::{Entry, Span},
    },
    time::Timestamp,
};

/// When nothing was seen: stretches that a sample ended, and the one that goes on.
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
            if !found.is_empty() {
                state.stood_still.extend(found.iter().copied());
                stage.silences.insert(lane, found.clone());
            }
            last = Some((point, found));
        }
    }

    /// Books unseen time.
    pub(super) fn cover(&mut self, stage: &mut Stage<'_>) {
        for lane in stage.going.iter().collect::<Vec<_>>() {
            if let Some(slice) = self.plan.lanes()[lane].presence() {
                self.judge_presence(stage, lane, slice);
                continue;
            }
            let settled = stage.cohort.settled_for(&self.counted.lanes[lane]);
            let last = newest_beat(self.counted.lanes[lane].beat, &stage.beats, stage.cohort.to);
            let closed = stage.silences.get(&lane).cloned().unwrap_or_default();
            let standstill = Silence { closed, open: open_silence(last, stage.cohort.to) };
            for stream in self.streams_of(lane) {
                if self.is_scraped(stage, stream, settled) {
                    if !self.plan.lanes()[lane].counts_scrapes() {
                        self.book_failures(stage, lane, stream);
                    }
                    self.book_silence(lane, stream, &standstill, settled);
                } else {
                    let silence = self.silence_of(stage, stream, settled);
                    self.book_silence(lane, stream, &silence, settled);
                }
            }
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
        if stage.failures.is_empty() {
            return;
        }
        let (watermark, settled) = (self.counted.lanes[lane].watermark, stage.cohort.settled_for(&self.counted.lanes[lane]));
        let finest = self.finest(lane);
        let targets = self.targets_of(stream).to_vec();
        let mut hidden: BTreeMap<Timestamp, Duration> = BTreeMap::new();
        for failure in targets.iter().filter_map(|target| stage.failures.get(target)).flatten().filter(|failure| failure.at > watermark) {
            *hidden.entry(failure.at.ceil(finest)).or_default() += failure.unseen;
        }
        for (end, unseen) in hidden {
            let there = targets.iter().filter(|target| stage.timeline.present(**target, end.min(stage.cohort.to), &self.rule)).count();
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
