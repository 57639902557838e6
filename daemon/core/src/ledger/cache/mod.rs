//! The slices of one stream in memory: several levels, each a ring that keeps what its lookbacks need. The store holds the same; what is here can
//! be rebuilt from it.
//!
//! A column (good, tolerated, bad, unseen) takes no memory while all of it is zero, 8 bytes for each slice that is not while those are few, and 4 bytes a
//! slice while its numbers are small: about 20 kB for a stream with a window of 30 days. The sums that alerts are decided by are kept ready beside the slices (`running`).

mod column;
mod level;
mod packed;
mod running;

use std::{sync::Arc, time::Duration};

use super::{
    Counts,
    marks::{Marks, NO_MARKS},
    slice::{LevelSpec, MINUTE, Span},
};
use crate::{time::Timestamp, window::Interval};
use level::Level;
use running::RunningSums;

/// All levels of one stream, finest first, and the marks between their edges.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    levels: Vec<Level>,
    /// None where there are no edges.
    marks: Option<Box<Marks>>,
    running: RunningSums,
}

impl Slices {
    pub(super) fn new(specs: &[LevelSpec]) -> Self {
        Self { levels: specs.iter().map(|spec| Level::new(*spec)).collect(), marks: None, running: RunningSums::default() }
    }

    /// Sets the marks. What they hold is counted by whoever makes them.
    pub(super) fn set_marks(&mut self, marks: Marks) {
        self.marks = (!marks.is_empty()).then(|| Box::new(marks));
    }

    /// The marks between the edges of slices.
    pub(super) fn marks(&self) -> &Marks {
        self.marks.as_deref().unwrap_or(&NO_MARKS)
    }

    /// Books at every level.
    pub(super) fn add(&mut self, end: Timestamp, counts: Counts) {
        if counts.is_zero() {
            return;
        }
        self.running.booked(counts);
        for (at, level) in self.levels.iter_mut().enumerate() {
            let index = level.index(end);
            if level.is_ahead(index) {
                self.running.moving(at, level, index);
            }
            let is_kept = level.add(index, counts);
            self.running.booked_in(at, index, is_kept, counts);
        }
        if let Some(marks) = &mut self.marks {
            marks.add(end, counts);
        }
    }

    /// Books unseen time at every level.
    pub(super) fn add_span(&mut self, span: &Span) {
        self.running.clear();
        for level in &mut self.levels {
            level.add_span(span);
        }
        if let Some(marks) = &mut self.marks {
            marks.add_span(span);
        }
    }

    /// Where a lookback starts, at an edge of the finest level that covers it, and the sum from there on.
    pub(super) fn over(&self, lookback: Duration, now: Timestamp) -> (Timestamp, Counts) {
        if let Some(ready) = self.running.at(lookback, now) {
            return ready;
        }
        let at = covering(&self.levels, lookback);
        let level = &self.levels[at];
        let after = level.before(lookback, now);
        let sum = self.running.sum(lookback, at, after).unwrap_or_else(|| level.sum_of(after + 1, i64::MAX));
        (Timestamp::from_millis(after.saturating_mul(level.step())), sum)
    }

    /// The sums of these lookbacks, shortest first, with what is newer than all slices; false where one of them is not ready, or begins behind `newer_from`.
    pub(super) fn at_hand(
        &self,
        lookbacks: &[Duration],
        (now, newer_from): (Timestamp, Timestamp),
        newer: Counts,
        into: &mut [Counts],
    ) -> bool {
        self.running.all_at(lookbacks, (now, newer_from), newer, into)
    }

    /// Where a lookback starts: at an edge of the finest level that covers it.
    pub(super) fn start_of(&self, lookback: Duration, now: Timestamp) -> Timestamp {
        now.minus(lookback).floor(self.levels[covering(&self.levels, lookback)].spec.step)
    }

    /// Has the sums of these lookbacks ready for `now`.
    pub(super) fn make_ready(&mut self, lookbacks: &Arc<[Duration]>, now: Timestamp) {
        self.running.ready(lookbacks, &self.levels, now);
    }

    /// The length of the slices that serve a lookback.
    pub(super) fn step_covering(&self, lookback: Duration) -> Duration {
        self.levels[covering(&self.levels, lookback)].spec.step
    }

    /// The sum over a stretch at the level of `step`; its ends are edges of that level, or marked. Where one is neither, it moves inwards.
    pub(super) fn sum_between(&self, step: Duration, Interval { from, to }: Interval) -> Counts {
        let (from, before) = self.marks().up_to(step, from).map_or((from.ceil(step), Counts::default()), |counts| (from, counts));
        let (to, after) = self.marks().up_to(step, to).map_or((to.floor(step), Counts::default()), |counts| (to, counts));
        if from < to { self.sum(step, from.floor(step), to.floor(step)) + after - before } else { Counts::default() }
    }

    /// The finest step whose level reaches back to `from`.
    pub(super) fn step_reaching(&self, from: Timestamp) -> Duration {
        self.levels.iter().find(|level| level.reaches(from)).unwrap_or_else(|| self.coarsest()).spec.step
    }

    /// From when on slices are kept at the coarsest level; `None` while there are none.
    pub(super) fn kept_from(&self) -> Option<Timestamp> {
        let level = self.coarsest();
        level.newest.map(|newest| Timestamp::from_millis((newest - level.slots()).saturating_mul(level.step())))
    }

    /// The sum over `(from, to]` at the level of `step`, both on its edges.
    pub(super) fn sum(&self, step: Duration, from: Timestamp, to: Timestamp) -> Counts {
        self.levels.iter().find(|level| level.spec.step == step).map_or_else(Counts::default, |level| level.sum(from, to))
    }

    /// The end of the newest slice that holds something, at the finest level that still has one. What was taken back is as if it had never been booked: the
    /// store does not keep that it was.
    pub(super) fn newest_end(&self) -> Option<Timestamp> {
        self.levels.iter().find_map(Level::newest_end)
    }

    /// From where on the level of `step` keeps slices; `None` while it keeps none.
    pub(super) fn begin_of(&self, step: Duration) -> Option<Timestamp> {
        self.levels.iter().find(|level| level.spec.step == step).filter(|level| level.newest.is_some()).map(Level::begin)
    }

    /// The lengths of its slices, finest first.
    pub(super) fn steps(&self) -> impl Iterator<Item = Duration> {
        self.levels.iter().map(|level| level.spec.step)
    }

    /// The length of the longest of them.
    pub(super) fn coarsest_step(&self) -> Duration {
        self.coarsest().spec.step
    }

    /// Whether all that `specs` ask for and a store can have can be had from these slices: as fine as far back.
    pub(super) fn suffice_for(&self, specs: &[LevelSpec]) -> bool {
        let holds = |wanted: &LevelSpec| self.levels.iter().any(|held| held.spec.keep >= wanted.keep && held.spec.step <= wanted.step);
        specs.iter().filter(|wanted| wanted.step >= MINUTE).all(holds)
    }

    /// The same slices with other levels: each is filled from the coarsest of the old ones that is as fine, and behind what that one keeps from the
    /// coarser ones, whose slices count where they end.
    pub(super) fn with_levels(&self, specs: &[LevelSpec]) -> Self {
        let mut changed = Self { marks: self.marks.clone(), ..Self::new(specs) };
        for level in &mut changed.levels {
            let first = self.levels.iter().rposition(|old| old.spec.step <= level.spec.step).unwrap_or(0);
            let mut until = Timestamp::from_millis(i64::MAX);
            for (at, old) in self.levels.iter().enumerate().skip(first) {
                let coarser = self.levels.get(at + 1);
                let after = coarser.map_or(Timestamp::from_millis(i64::MIN), |coarser| old.begin().ceil(coarser.spec.step));
                for (end, counts) in old.slices().filter(|(end, _)| *end > after && *end <= until) {
                    let _ = level.add(level.index(end), counts);
                }
                until = until.min(after);
            }
        }
        changed
    }

    /// True where nothing was ever booked.
    pub(super) fn is_empty(&self) -> bool {
        self.levels.iter().all(|level| level.newest.is_none())
    }

    /// What its levels are.
    pub(super) fn specs(&self) -> Vec<LevelSpec> {
        self.levels.iter().map(|level| level.spec).collect()
    }

    /// True where the levels are these.
    pub(super) fn has_levels(&self, specs: &[LevelSpec]) -> bool {
        self.levels.iter().map(|level| level.spec).eq(specs.iter().copied())
    }

    fn coarsest(&self) -> &Level {
        self.levels.last().expect("a stream has levels")
    }
}

/// The finest level that covers a lookback.
fn covering(levels: &[Level], lookback: Duration) -> usize {
    levels.iter().position(|level| level.spec.keep >= lookback).unwrap_or(levels.len() - 1)
}

#[cfg(test)]
mod tests;
