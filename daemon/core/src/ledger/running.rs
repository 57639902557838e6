//! Sums of lookbacks that are kept ready: each moves on with the slices that leave its lookback, instead of adding hundreds of slices up at every tick.

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

    /// A slice was added to.
    pub(super) fn added(&mut self, level: usize, index: i64, counts: Counts) {
        for one in self.sums.iter_mut().filter(|one| one.level == level && index > one.after) {
            one.sum += counts;
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
        Self { lookback, level, after, sum: levels[level].sum_of(after + 1, i64::MAX) }
    }

    fn move_to(&mut self, ring: &Level, now: Timestamp) {
        let after = ring.before(self.lookback, now);
        if after == self.after {
            return;
        }
        self.sum = self.sum - ring.sum_of(self.after + 1, after) + ring.sum_of(after + 1, self.after);
        self.after = after;
    }
}
