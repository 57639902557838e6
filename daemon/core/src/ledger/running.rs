//! Sums of lookbacks that are kept ready: each moves on with the slices that leave its lookback, instead of adding hundreds of slices up at every tick.
//! What the unseen time of the longest may hide is kept as well, until that or a slice beside it changes.

use std::time::Duration;

use super::{Counts, cache::Level};
use crate::time::Timestamp;

/// The sums that are ready, of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningSums {
    sums: Vec<RunningSum>,
    /// The moment that they were made ready for, while each still begins where its lookback does then.
    now: Option<Timestamp>,
}

/// A sum that is ready.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    /// Which of the stream's levels it is of.
    pub level: usize,
    /// The index of the last slice before it.
    pub after: i64,
    /// The sum.
    pub sum: Counts,
}

/// The sum of all slices of a level that end after an edge.
#[derive(Debug, Clone)]
struct RunningSum {
    lookback: Duration,
    /// Which of the stream's levels.
    level: usize,
    /// The index of the last slice before it.
    after: i64,
    sum: Counts,
    hidden: Option<Hidden>,
}

/// What the unseen time of a sum may hide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hidden {
    /// What it was found from.
    of: HiddenOf,
    events: i64,
}

/// The last slice before a lookback, the newest that has passed, and how much of the sum was not seen: as long as no slice that has passed is added to,
/// unseen time hides the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HiddenOf {
    after: i64,
    passed: i64,
    unseen_millis: i64,
}

impl RunningSums {
    /// Has the sums of these lookbacks ready for `now`, each from its level.
    pub(super) fn ready(&mut self, lookbacks: impl Iterator<Item = (Duration, usize)> + Clone, levels: &[Level], now: Timestamp) {
        if !self.sums.iter().map(|one| (one.lookback, one.level)).eq(lookbacks.clone()) {
            self.sums = lookbacks.map(|(lookback, level)| RunningSum::new(lookback, level, levels, now)).collect();
        }
        for one in &mut self.sums {
            one.move_to(&levels[one.level], now);
        }
        self.now = Some(now);
        if let Some(longest) = self.sums.iter_mut().max_by_key(|one| one.lookback) {
            longest.find_hidden(&levels[longest.level], now);
        }
    }

    /// The sum of a lookback that ends at `now`; `None` where it is not ready, or for another time.
    pub(super) fn at(&self, lookback: Duration, now: Timestamp) -> Option<Ready> {
        let ready = self.sums.iter().find(|one| one.lookback == lookback).filter(|_| self.now == Some(now));
        ready.map(|one| Ready { level: one.level, after: one.after, sum: one.sum })
    }

    /// The sum of a lookback that begins behind a slice, whenever it ends; `None` where it is not ready.
    pub(super) fn sum(&self, lookback: Duration, level: usize, after: i64) -> Option<Counts> {
        self.sums.iter().find(|one| (one.lookback, one.level, one.after) == (lookback, level, after)).map(|one| one.sum)
    }

    /// What the unseen time of a lookback may hide when slices up to `passed` have passed; `None` where that is not ready.
    pub(super) fn hidden(&self, lookback: Duration, level: usize, after: i64, passed: i64) -> Option<i64> {
        let one = self.sums.iter().find(|one| (one.lookback, one.level) == (lookback, level))?;
        let of = HiddenOf { after, passed, unseen_millis: one.sum.unseen_millis };
        one.hidden.filter(|hidden| hidden.of == of).map(|hidden| hidden.events)
    }

    /// A slice was added to.
    pub(super) fn added(&mut self, level: usize, index: i64, counts: Counts) {
        for one in self.sums.iter_mut().filter(|one| one.level == level && index > one.after) {
            one.sum += counts;
        }
        for one in self.sums.iter_mut().filter(|one| one.level == level) {
            one.hidden = one.hidden.filter(|hidden| index > hidden.of.passed);
        }
    }

    /// A level is about to move on to `index`, and to drop what it has then no room for.
    pub(super) fn moving(&mut self, level: usize, ring: &Level, index: i64) {
        let oldest = index - ring.slots();
        for one in self.sums.iter_mut().filter(|one| one.level == level && oldest > one.after) {
            one.sum = one.sum - ring.sum_of(one.after + 1, oldest);
            one.after = oldest;
            self.now = None;
        }
    }

    /// Nothing is ready any more.
    pub(super) fn clear(&mut self) {
        self.sums.clear();
    }
}

impl RunningSum {
    fn new(lookback: Duration, level: usize, levels: &[Level], now: Timestamp) -> Self {
        let after = levels[level].before(lookback, now);
        Self { lookback, level, after, sum: levels[level].sum_of(after + 1, i64::MAX), hidden: None }
    }

    fn move_to(&mut self, ring: &Level, now: Timestamp) {
        let after = ring.before(self.lookback, now);
        if after == self.after {
            return;
        }
        self.sum = self.sum - ring.sum_of(self.after + 1, after) + ring.sum_of(after + 1, self.after);
        self.after = after;
    }

    fn find_hidden(&mut self, ring: &Level, now: Timestamp) {
        let of = HiddenOf { after: self.after, passed: ring.passed(now), unseen_millis: self.sum.unseen_millis };
        if self.hidden.is_none_or(|hidden| hidden.of != of) {
            self.hidden = Some(Hidden { of, events: ring.hidden(self.after, now) });
        }
    }
}
