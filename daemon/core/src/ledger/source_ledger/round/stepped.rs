//! Counting the values of expressions: what each instant tells of each group, and which slices were not seen.
//!
//! An instant counts once: when it is behind `settled`; what is newer is counted anew by every read. A slice without a value is unseen. That is booked
//! when the next value is settled, from the last value before; until then it is provisional.

use std::collections::BTreeMap;

use super::{Answers, Cohort, Memory, Round};
use crate::{
    id::Group,
    ledger::{
        count::SeriesKey,
        coverage::Stretch,
        slice::{Entry, Span},
        source_ledger::parts::Trouble,
        steps::{Outcome, Readings, Steps},
    },
    time::Timestamp,
};

/// A stream of expressions has one trouble at most.
const TROUBLE: SeriesKey = SeriesKey(0);

/// One SLO of expressions in one read.
struct Course<'p> {
    lane: usize,
    steps: &'p Steps,
    watermark: Timestamp,
    settled: Timestamp,
    /// The newest instant that was asked for.
    newest: Timestamp,
}

impl Course<'_> {
    /// From the end of the slice of one value to the start of the slice of the next; `None` where nothing lies between.
    fn missed(&self, last: Timestamp, next: Timestamp) -> Option<Stretch> {
        let to = next.minus(self.steps.step);
        (last < to).then_some((last, to))
    }
}

impl Round<'_> {
    /// Counts what was answered for one SLO of expressions.
    pub(super) fn count_steps(&mut self, cohort: &Cohort, lane: usize, answers: &Answers<'_>) {
        let plan = &self.plan.lanes()[lane];
        let Some(steps) = &plan.steps else { return };
        let readings = match steps.readings(&plan.slo.per, answers, cohort.to) {
            Ok(readings) => readings,
            Err(unknown) => {
                self.counted.lanes[lane].unknown = Some(unknown);
                return;
            }
        };
        let state = &self.counted.lanes[lane];
        let (watermark, settled) = (state.watermark, cohort.settled_on(steps.step, state));
        let course = Course { lane, steps, watermark, settled, newest: cohort.to.floor(steps.step) };
        self.open_groups(lane, &readings);
        self.count_streams(&course, readings);
        let state = &mut self.counted.lanes[lane];
        (state.watermark, state.primed, state.unknown, state.catching_up) = (settled, true, None, !cohort.live);
    }

    /// Streams for groups that are new, in the order of their first value.
    fn open_groups(&mut self, lane: usize, readings: &Readings) {
        let mut first: Vec<(&Timestamp, &Group)> =
            readings.iter().filter_map(|(group, outcomes)| Some((outcomes.keys().next()?, group))).collect();
        first.sort();
        for (_, group) in first {
            self.stream_for(lane, group.clone());
        }
    }

    /// Groups beyond the cap come together in one stream.
    fn count_streams(&mut self, course: &Course<'_>, readings: Readings) {
        let mut outcomes: BTreeMap<u32, Vec<(Timestamp, Outcome)>> =
            self.streams_of(course.lane).into_iter().map(|stream| (stream, Vec::new())).collect();
        for (group, of_group) in readings {
            outcomes.entry(self.stream_for(course.lane, group)).or_default().extend(of_group);
        }
        for (stream, mut outcomes) in outcomes {
            outcomes.sort_by_key(|(at, _)| *at);
            self.counted.provisional[stream as usize].get_or_insert_default();
            let heard = self.count_stream(course, stream, outcomes);
            self.book_missed(course, stream, &heard);
        }
    }

    /// Books the values of one stream; gives back when there were some.
    fn count_stream(&mut self, course: &Course<'_>, stream: u32, outcomes: Vec<(Timestamp, Outcome)>) -> Vec<Timestamp> {
        let mut heard = Vec::new();
        for (at, outcome) in outcomes {
            match outcome {
                Outcome::Counted(counts) => {
                    heard.push(at);
                    self.note_step_fault(stream, None);
                    if at > course.watermark {
                        let end = at.ceil(self.finest(course.lane));
                        self.book(Entry { stream, end, counts }, at <= course.settled);
                    }
                }
                Outcome::Fault(unknown) => self.note_step_fault(stream, Some(Trouble { key: TROUBLE, at, unknown })),
            }
        }
        heard.dedup();
        if let (Some(first), Some(last)) = (heard.first(), heard.last()) {
            let from = first.minus(course.steps.step).max(course.watermark);
            let meta = self.meta(stream);
            meta.newest = meta.newest.max(Some((*last, course.steps.step)));
            meta.counted_from = Some(meta.counted_from.map_or(from, |known| known.min(from)));
        }
        heard
    }

    fn note_step_fault(&mut self, stream: u32, trouble: Option<Trouble>) {
        if trouble.is_some() || !self.troubles_of(stream).is_empty() {
            self.counted.troubles.insert(stream, trouble.into_iter().collect());
        }
    }

    /// Books the slices between values as unseen. Of history the newest ones reach up to what is counted already.
    fn book_missed(&mut self, course: &Course<'_>, stream: u32, heard: &[Timestamp]) {
        let known = self.ledger.streams.get(stream as usize).and_then(|held| held.meta.counted_from);
        let live = self.memory == Memory::Ledger;
        let meta = self.meta(stream);
        let Some(counted_from) = meta.counted_from else { return };
        let before = meta.beat.filter(|_| live).map(|(at, _)| at);
        let mut last = if live { before.or(Some(course.watermark)) } else { None };
        for at in heard.iter().copied().filter(|at| Some(*at) > before) {
            if at > course.watermark {
                self.book_unseen(stream, counted_from, last.and_then(|last| course.missed(last, at)), at <= course.settled);
            }
            last = Some(at);
        }
        let end = if live { Some(course.newest) } else { known };
        let open = last.zip(end).filter(|(last, end)| last < end);
        self.book_unseen(stream, counted_from, open, !live);
        let settled_beat = heard.iter().rfind(|at| **at <= course.settled).map(|at| (*at, course.steps.step));
        let meta = self.meta(stream);
        meta.beat = meta.beat.max(settled_beat);
    }

    fn book_unseen(&mut self, stream: u32, counted_from: Timestamp, stretch: Option<Stretch>, settled: bool) {
        let span = stretch.map(|(from, to)| Span { stream, from: from.max(counted_from), to });
        let Some(span) = span.filter(|span| span.from < span.to) else { return };
        if settled {
            self.counted.slices.spans.push(span);
        } else {
            self.counted.provisional[stream as usize].get_or_insert_default().spans.push(span);
        }
    }
}
