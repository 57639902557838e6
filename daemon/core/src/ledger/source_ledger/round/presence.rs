//! Presence: which slices of time had a sample of what must exist.
//!
//! A slice is good if, at its end, the last sample is younger than the slice is long (or than 2.5 scrapes of its target, where they take longer: one missed
//! scrape is no absence). It is bad if there is no such sample while the source was seen: its targets' scrapes, any of them, left no hole in the slice. Else
//! it is unseen. All of this is known from what lies before the end, so that a slice counts once, when its end is settled.

use std::time::Duration;

use super::{Memory, Round, Stage};
use crate::{
    ledger::{
        Counts,
        coverage::{Beat, one_per_moment},
        slice::{Entry, FIVE_MINUTES, Span},
    },
    time::Timestamp,
};

/// What a slice is judged by.
struct Judge<'s> {
    slice: Duration,
    /// Samples of the stream.
    heard: Vec<Beat>,
    /// Scrapes of any target.
    scrapes: &'s [Beat],
}

/// How a slice was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Present,
    Absent,
    Unseen,
}

impl Judge<'_> {
    fn verdict(&self, end: Timestamp) -> Verdict {
        if self.is_present(end) {
            Verdict::Present
        } else if self.was_seen(end) {
            Verdict::Absent
        } else {
            Verdict::Unseen
        }
    }

    /// A longer spacing than this is an absence.
    fn longest_spacing(&self, usual: Duration) -> Duration {
        self.slice.max(usual * 5 / 2)
    }

    /// Until when a sample shows that its series is there.
    fn expiry(&self, (at, usual): Beat) -> Timestamp {
        at.plus(self.longest_spacing(usual))
    }

    /// The last sample up to `end`.
    fn last(&self, end: Timestamp) -> Option<Timestamp> {
        self.heard.partition_point(|(at, _)| *at <= end).checked_sub(1).map(|last| self.heard[last].0)
    }

    fn is_present(&self, end: Timestamp) -> bool {
        let known = &self.heard[..self.heard.partition_point(|(at, _)| *at <= end)];
        known.iter().any(|beat| end < self.expiry(*beat))
    }

    /// Whether scrapes follow each other without a hole from before the slice to its end. What is a hole is judged by the fastest targets, since a scraper
    /// that stands still is first missed there.
    fn was_seen(&self, end: Timestamp) -> bool {
        let start = end.minus(self.slice);
        let until = self.scrapes.partition_point(|(at, _)| *at <= end);
        let known = &self.scrapes[..until];
        let recent = &known[known.partition_point(|(at, _)| *at <= end.minus(FIVE_MINUTES))..];
        let Some(usual) = recent.iter().map(|(_, usual)| *usual).min() else { return false };
        let longest = (self.slice / 2).max(usual * 5 / 2);
        let Some(before) = known.partition_point(|(at, _)| *at <= start).checked_sub(1) else { return false };
        let moments: Vec<Timestamp> = known[before..].iter().map(|(at, _)| *at).chain([end]).collect();
        moments.len() > 2 && moments.windows(2).all(|pair| pair[1].since(pair[0]) <= longest)
    }
}

impl Verdict {
    /// What so many slices add.
    fn of(self, slices: i64, slice: Duration) -> Counts {
        let millis = i64::try_from(slice.as_millis()).unwrap_or(i64::MAX);
        match self {
            Self::Present => Counts { good: slices, ..Counts::default() },
            Self::Absent => Counts { bad: slices, ..Counts::default() },
            Self::Unseen => Counts { unseen_millis: slices.saturating_mul(millis), ..Counts::default() },
        }
    }
}

impl Round<'_> {
    /// Judges the slices of an SLO of presence that end in this read.
    pub(super) fn judge_presence(&mut self, stage: &mut Stage<'_>, lane: usize, slice: Duration) {
        let scrapes = stage.scrapes(&self.rule);
        if self.memory == Memory::Ledger {
            self.await_expected(lane, &scrapes);
        }
        for stream in self.streams_of(lane) {
            let mut heard = stage.heard.remove(&stream).unwrap_or_default();
            match self.memory {
                Memory::Ledger => {
                    heard.extend(self.meta(stream).beat);
                    one_per_moment(&mut heard);
                    let judge = Judge { slice, heard, scrapes: &scrapes };
                    self.judge_slices(stage, lane, stream, &judge);
                }
                Memory::Nothing => self.judge_steps(stage, lane, stream, slice, &heard),
            }
        }
    }

    /// What is expected is awaited from the first scrape of any target on: before that the source shows nothing, so that nothing is missing in it.
    fn await_expected(&mut self, lane: usize, scrapes: &[Beat]) {
        let Some((first, _)) = scrapes.first().filter(|_| !self.plan.lanes()[lane].expected().is_empty()) else { return };
        let from = self.counted.lanes[lane].watermark.max(*first);
        for stream in self.streams_of(lane) {
            let meta = self.meta(stream);
            meta.counted_from = Some(meta.counted_from.map_or(from, |known| known.min(from)));
        }
    }

    fn judge_slices(&mut self, stage: &Stage<'_>, lane: usize, stream: u32, judge: &Judge<'_>) {
        let state = &self.counted.lanes[lane];
        let (watermark, settled) = (state.watermark, stage.cohort.settled_for(state));
        self.meta(stream).beat = judge.heard.iter().copied().filter(|(at, _)| *at <= settled).max_by_key(|beat| judge.expiry(*beat));
        let Some(counted_from) = self.meta(stream).counted_from else { return };
        let gone_after = self.plan.lanes()[lane].longest_window();
        let ends = (1..).map(|nth| watermark.floor(judge.slice).plus(judge.slice * nth)).take_while(|end| *end <= stage.cohort.to);
        for end in ends.filter(|end| *end > counted_from.max(watermark)) {
            if end.since(judge.last(end).unwrap_or(counted_from)) > gone_after {
                break;
            }
            let verdict = judge.verdict(end);
            if verdict != Verdict::Unseen {
                let meta = self.meta(stream);
                meta.newest = meta.newest.max(Some((end, judge.slice)));
            }
            self.book(Entry { stream, end, counts: verdict.of(1, judge.slice) }, end <= settled);
        }
    }

    /// History holds a value at each edge of a step: it stands for the slices of the step that ends there.
    fn judge_steps(&mut self, stage: &Stage<'_>, lane: usize, stream: u32, slice: Duration, heard: &[Beat]) {
        let (step, watermark, to) = (self.rule.default_spacing, self.counted.lanes[lane].watermark, stage.cohort.to);
        let slices = i64::try_from(step.as_millis() / slice.as_millis().max(1)).unwrap_or(i64::MAX);
        let Some(counted_from) = self.meta(stream).counted_from.filter(|from| *from < to) else { return };
        let known = |beats: &[Beat], end| beats.iter().any(|(at, _)| *at == end);
        for end in (1..).map(|nth| watermark.plus(step * nth)).take_while(|end| *end <= to).filter(|end| *end > counted_from) {
            let verdict = match (known(heard, end), known(&stage.beats, end)) {
                (true, _) => Verdict::Present,
                (false, true) => Verdict::Absent,
                (false, false) => Verdict::Unseen,
            };
            self.book(Entry { stream, end, counts: verdict.of(slices, slice) }, true);
        }
        // Between here and where it was seen first until now nobody looked for it.
        let newer = self.ledger.streams.get(stream as usize).and_then(|held| held.meta.counted_from).filter(|from| *from > to);
        self.counted.slices.spans.extend(newer.map(|newer| Span { stream, from: to, to: newer }));
    }
}
