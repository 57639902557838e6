//! Sums of lookbacks that are kept ready: each moves on with the slices that leave its lookback, instead of adding hundreds of slices up at every tick.
//!
//! A sum is what was booked in all, less what was booked before it begins: so booking changes one number, and of the sums only those whose beginning moves.

use std::{sync::Arc, time::Duration};

use super::{covering, level::Level};
use crate::{
    ledger::Counts,
    time::{Timestamp, millis},
};

/// The sums that are ready, of one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningSums {
    /// What was booked since they were made ready first.
    total: Counts,
    /// Whose sums they are; `None` where none are ready.
    lookbacks: Option<Arc<[Duration]>>,
    /// In their order.
    sums: Vec<RunningSum>,
    /// The moment that they were made ready for, while each still begins where its lookback does then.
    now: Option<Timestamp>,
}

/// The sum of all slices of a level that end after an edge.
#[derive(Debug, Clone)]
struct RunningSum {
    /// Which of the stream's levels.
    level: usize,
    /// The index of the last slice before it.
    after: i64,
    /// Where that ends.
    start: Timestamp,
    /// What of the total is not part of it.
    before: Counts,
}

impl RunningSums {
    /// Has the sums of these lookbacks ready for `now`, each from its level.
    pub(super) fn ready(&mut self, lookbacks: &Arc<[Duration]>, levels: &[Level], now: Timestamp) {
        if !self.lookbacks.as_ref().is_some_and(|known| Arc::ptr_eq(known, lookbacks)) {
            self.total = Counts::default();
            self.sums = lookbacks.iter().map(|lookback| RunningSum::new(*lookback, covering(levels, *lookback), levels, now)).collect();
            self.lookbacks = Some(Arc::clone(lookbacks));
        }
        for (one, lookback) in self.sums.iter_mut().zip(&**lookbacks) {
            one.move_to(&levels[one.level], *lookback, now);
        }
        self.now = Some(now);
    }

    /// Where a lookback that ends at `now` starts, and its sum; `None` where it is not ready, or for another time.
    pub(super) fn at(&self, lookback: Duration, now: Timestamp) -> Option<(Timestamp, Counts)> {
        let ready = self.of(lookback).filter(|_| self.now == Some(now));
        ready.map(|one| (one.start, self.total - one.before))
    }

    /// The sums of these lookbacks, in the order in which they were made ready, each with `more`; false where one is not ready for `now`, or starts behind
    /// `at_latest`.
    pub(super) fn all_at(
        &self,
        lookbacks: &[Duration],
        (now, at_latest): (Timestamp, Timestamp),
        more: Counts,
        into: &mut [Counts],
    ) -> bool {
        let Some(known) = self.lookbacks.as_deref().filter(|_| self.now == Some(now)) else { return false };
        let (mut ready, all) = (known.iter().zip(&self.sums), self.total + more);
        lookbacks.iter().zip(into).all(|(lookback, into)| match ready.by_ref().find(|(known, _)| *known == lookback) {
            Some((_, one)) if one.start <= at_latest => {
                *into = all - one.before;
                true
            }
            Some(_) | None => false,
        })
    }

    /// The sum of a lookback that begins behind a slice, whenever it ends; `None` where it is not ready.
    pub(super) fn sum(&self, lookback: Duration, level: usize, after: i64) -> Option<Counts> {
        let ready = self.of(lookback).filter(|one| (one.level, one.after) == (level, after));
        ready.map(|one| self.total - one.before)
    }

    fn of(&self, lookback: Duration) -> Option<&RunningSum> {
        let at = self.lookbacks.as_ref()?.iter().position(|known| *known == lookback)?;
        self.sums.get(at)
    }

    /// So much is booked, at every level.
    pub(super) fn booked(&mut self, counts: Counts) {
        self.total += counts;
    }

    /// It was booked in this slice of a level, which some sums, or the level itself, may not hold.
    pub(super) fn booked_in(&mut self, level: usize, index: i64, is_kept: bool, counts: Counts) {
        for one in self.sums.iter_mut().filter(|one| one.level == level && (index <= one.after || !is_kept)) {
            one.before += counts;
        }
    }

    /// A level is about to move on to `index`, and to drop what it has then no room for.
    pub(super) fn moving(&mut self, level: usize, ring: &Level, index: i64) {
        let oldest = index - ring.slots();
        for one in self.sums.iter_mut().filter(|one| one.level == level && oldest > one.after) {
            one.before += ring.sum_of(one.after + 1, oldest);
            (one.after, one.start) = (oldest, ring.end_of(oldest));
            self.now = None;
        }
    }

    /// Nothing is ready any more.
    pub(super) fn clear(&mut self) {
        self.sums.clear();
        self.lookbacks = None;
    }
}

impl RunningSum {
    fn new(lookback: Duration, level: usize, levels: &[Level], now: Timestamp) -> Self {
        let after = levels[level].before(lookback, now);
        Self { level, after, start: levels[level].end_of(after), before: Counts::default() - levels[level].sum_of(after + 1, i64::MAX) }
    }

    fn move_to(&mut self, ring: &Level, lookback: Duration, now: Timestamp) {
        let past = now.millis().saturating_sub(millis(lookback)).saturating_sub(self.after * ring.step());
        if past >= 0 && past < ring.step() {
            return;
        }
        let after = if past >= 0 && past < 2 * ring.step() { self.after + 1 } else { ring.before(lookback, now) };
        if after > self.after {
            self.before += ring.sum_of(self.after + 1, after);
        } else {
            self.before = self.before - ring.sum_of(after + 1, self.after);
        }
        (self.after, self.start) = (after, ring.end_of(after));
    }
}
