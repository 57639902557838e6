//! What a walk found that is not booked, or is booked and should not be.

use std::time::Duration;

use super::{Outcome, READ_ONCE_MORE, SETTLING, log::Logs, walk::Walk};
use crate::{
    ledger::{
        Counts,
        count::longest_without_gap,
        coverage::open_silence,
        plan::Role,
        slice::{Entry, LevelSpec, MINUTE},
        source_ledger::{Slices, SourceLedger},
    },
    time::{Timestamp, minutes},
};

impl SourceLedger {
    /// What a walk came to for an SLO.
    pub(super) fn outcome(&self, walk: &Walk, lane: usize, logs: &(Logs, Logs)) -> Outcome {
        let since = walk.since[lane];
        let once_more =
            || walk.known[lane] && self.lanes[lane].watermark.since(since) < READ_ONCE_MORE && self.cells(lane, since).is_some();
        let or_once_more = |otherwise: Outcome| if once_more() { Outcome::OnceMore } else { otherwise };
        let Some(late) = self.late(walk, lane, logs) else { return or_once_more(Outcome::Anew) };
        match self.loss(walk, lane, logs) {
            Loss::None => Outcome::Arrived(late),
            Loss::Looks => or_once_more(Outcome::Lost),
            Loss::Is => Outcome::Lost,
        }
    }

    /// What a walk found of an SLO that is not booked, or is booked and should not be; `None` where it cannot be compared.
    fn late(&self, walk: &Walk, lane: usize, (logged, logged_again): &(Logs, Logs)) -> Option<Vec<Entry>> {
        let (memory, since) = (&walk.memory, walk.since[lane]);
        let arrived = walk.is_followed(lane) && memory.lanes[lane].watermark == self.lanes[lane].watermark;
        // A walk that was held up has no slices as coarse as are left here of what it began with.
        let holds = |step: Duration| memory.level_specs[lane].iter().any(|level| level.step == step);
        let cells = self.cells(lane, since).filter(|cells| arrived && cells.iter().all(|(step, _, _)| holds(*step)))?;
        let mut late = Vec::new();
        for stream in memory.streams_of(lane) {
            let nothing = Slices::new(&self.level_specs[lane]);
            let booked = self.streams.get(stream as usize).map_or(&nothing, |held| &held.slices);
            let again = &memory.streams[stream as usize].slices;
            let differ =
                |(step, from, to): &(Duration, Timestamp, Timestamp)| (*to, again.sum(*step, *from, *to) - booked.sum(*step, *from, *to));
            let mut before = logged_again.get(&stream).map(|log| log.before(since)).unwrap_or_default();
            for (end, counts) in logged.get(&stream).map(|log| log.before(since)).unwrap_or_default() {
                let known = before.entry(end).or_default();
                *known = *known - counts;
            }
            let differing: Vec<_> = before.into_iter().chain(cells.iter().map(differ)).filter(|(_, counts)| !counts.is_zero()).collect();
            // What cannot be read now takes nothing back that could be read then.
            if walk.unreadable[lane] && differing.iter().map(|(_, counts)| counts.total()).sum::<i64>() < 0 {
                return None;
            }
            late.extend(differing.into_iter().map(|(end, counts)| Entry { stream, end, counts }));
        }
        Some(late)
    }

    /// Whether the source has lost samples that were counted: it shows a hole now in which events had been sampled, and of counters up to its end fewer
    /// were than before. A sample that comes late makes no hole, and those of counters only add to what was sampled up to a moment, but for first values,
    /// which may turn out to be no events in a hole that is yet to be filled.
    fn loss(&self, walk: &Walk, lane: usize, (logged, logged_again): &(Logs, Logs)) -> Loss {
        let (since, plan) = (walk.since[lane], &self.plan.lanes()[lane]);
        let Some(cells) = self.cells(lane, since) else { return Loss::None };
        let only_adds = plan.steps.is_none() && !plan.sides.iter().any(|side| matches!(side.role, Role::Probe | Role::Present));
        let settled = self.lanes[lane].watermark.minus(SETTLING);
        let of_stream = |stream: u32| {
            let Some(held) = self.streams.get(stream as usize) else { return Loss::None };
            let again = &walk.memory.streams[stream as usize].slices;
            // An absence was never sampled: whether it is one or nobody looked can depend on scrapes that come late.
            let told = |counts: Counts| if plan.presence().is_some() { counts.good } else { counts.total() };
            // By when they were sampled, not by where they are booked.
            let sampled = |slices: &Slices, logs: &Logs, after: Timestamp, until: Timestamp| {
                let within = cells.iter().filter(|(_, from, to)| *from >= after && *to <= until);
                let booked: i64 = within.map(|(step, from, to)| told(slices.sum(*step, *from, *to))).sum();
                booked + logs.get(&stream).map_or(0, |log| log.moved(after, until))
            };
            let (now, before) =
                (|after, until| sampled(again, logged_again, after, until), |after, until| sampled(&held.slices, logged, after, until));
            let begins_later = walk.begins_later(stream, held.meta.counted_from);
            // What lay before the first sample that is left was counted with that.
            let first_left = begins_later.as_ref().and_then(|hole| cells.iter().map(|(_, _, to)| *to).find(|to| *to > hole.to));
            if only_adds && first_left.is_some_and(|until| now(since, until) < before(since, until)) {
                return Loss::Is;
            }
            let emptied = |from: Timestamp, to: Timestamp| {
                let within = cells.iter().filter(|(_, begin, end)| *begin >= from && *end <= to);
                let whole = within.map(|(_, begin, end)| (*begin, *end)).reduce(|whole, last| (whole.0, last.1));
                whole.is_some_and(|(after, until)| {
                    now(after, until) == 0 && before(after, until) != 0 && (!only_adds || now(since, until) < before(since, until))
                })
            };
            // Samples in it tell that its scrapes are late, and not lost.
            let is_sampled =
                |from: Timestamp, to: Timestamp| walk.memory.met.iter().any(|(of, at)| *of == stream && *at > from && *at <= to);
            let of_hole = |Hole { from, to }: Hole| match emptied(from, to) {
                false => Loss::None,
                true if only_adds && is_sampled(from, to) && !emptied(from, to.min(settled)) => Loss::Looks,
                true => Loss::Is,
            };
            let of_holes = walk.holes(lane, stream).into_iter().map(of_hole).max().unwrap_or(Loss::None);
            if begins_later.is_some_and(|Hole { from, to }| emptied(from, to)) { Loss::Is } else { of_holes }
        };
        walk.memory.streams_of(lane).map(of_stream).max().unwrap_or(Loss::None)
    }

    /// The slices in which what is booked of an SLO from there on is compared, the finest that are kept; `None` where they do not begin there.
    pub(super) fn cells(&self, lane: usize, since: Timestamp) -> Option<Vec<(Duration, Timestamp, Timestamp)>> {
        let to = self.lanes[lane].watermark;
        let levels = self.level_specs[lane].iter().filter(|level| level.step <= MINUTE);
        let kept: Vec<(Duration, Timestamp)> = levels.map(|level| (level.step, reach(level, to))).collect();
        let (mut cells, mut from) = (Vec::new(), since);
        while from < to {
            let (step, _) = *kept.iter().find(|(_, begin)| *begin <= from)?;
            let end = from.plus(step);
            if from.floor(step) != from || end > to {
                return None;
            }
            cells.push((step, from, end));
            from = end;
        }
        Some(cells)
    }
}

/// Whether the source has lost samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    None,
    /// It looks so; late samples may yet show that it is none.
    Looks,
    Is,
}

/// A stretch of which the source has no samples of a stream: slices from there on, and up to there, lie in it.
struct Hole {
    from: Timestamp,
    to: Timestamp,
}

impl Walk {
    /// Where what is held of a stream begins later than it did: what lies between was there.
    fn begins_later(&self, stream: u32, before: Option<Timestamp>) -> Option<Hole> {
        let memory = &self.memory;
        let held = &memory.streams[stream as usize];
        let now = held.meta.counted_from.or_else(|| held.lane.map(|lane| memory.lanes[lane].watermark))?;
        let before = before.filter(|before| *before < now)?;
        // The slice of what was sampled first lies in it.
        Some(Hole { from: before.minus(MINUTE), to: now.minus(Duration::from_millis(1)) })
    }

    /// The holes that a walk met.
    fn holes(&self, lane: usize, stream: u32) -> Vec<Hole> {
        let plan = &self.memory.plan.lanes()[lane];
        let before = |to: Timestamp| to.minus(Duration::from_millis(1));
        if let Some(slice) = plan.presence() {
            let state = &self.memory.lanes[lane];
            let stood_still = state.stood_still.iter().copied().chain(open_silence(state.beat, state.watermark));
            return stood_still.map(|(from, to)| Hole { from: from.plus(stands(slice)), to: before(to) }).collect();
        }
        let closed = self.memory.log.hidden.iter().map(|hidden| &hidden.span).filter(|span| span.stream == stream);
        let spans = closed.chain(&self.memory.streams[stream as usize].newer.spans);
        // Unseen steps end where the next value's step begins, all others with a sample.
        spans.map(|span| Hole { from: span.from, to: if plan.steps.is_some() { span.to } else { before(span.to) } }).collect()
    }
}

/// How long a sample of what must exist stood at most before the walk: until the next one where that follows so soon that none seemed to be missing, by a
/// pace of up to four minutes. Samples that come late may tell of a shorter one, by which some are: that is no loss.
fn stands(slice: Duration) -> Duration {
    slice.max(longest_without_gap(minutes(4)))
}

/// From when on slices of a level are kept, whatever of them were booked up to `to`.
pub(super) fn reach(level: &LevelSpec, to: Timestamp) -> Timestamp {
    to.ceil(level.step).minus(level.keep)
}
