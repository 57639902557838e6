//! The slices of one length, in a ring.
//!
//! What is booked in the newest slice stays beside the ring until a newer one comes: of five levels four mostly book in the same slice again, and nothing of
//! their rings has to be fetched for it.

use std::{ops::Range, time::Duration};

use super::column::Column;
use crate::{
    ledger::{
        Counts,
        slice::{LevelSpec, Span},
    },
    time::{Timestamp, millis},
};

/// Slices of one length.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) spec: LevelSpec,
    /// The length of a slice in milliseconds.
    step: i64,
    /// How many slices it keeps.
    pub(super) slots: usize,
    /// Index (end / step) of the newest slice that the ring has room for; `None` while it is empty.
    pub(super) newest: Option<i64>,
    /// The slot of the newest slice.
    head: usize,
    /// What was booked in the newest slice. Its slot is zero.
    pub(super) open: Counts,
    /// Good, tolerated, bad, unseen.
    pub(super) columns: [Column; 4],
}

/// The numbers of the columns.
const fn numbers(counts: Counts) -> [i64; 4] {
    [counts.good, counts.tolerated, counts.bad, counts.unseen_millis]
}

const fn counts([good, tolerated, bad, unseen_millis]: [i64; 4]) -> Counts {
    Counts { good, tolerated, bad, unseen_millis }
}

impl Level {
    pub(super) fn new(spec: LevelSpec) -> Self {
        let slots = usize::try_from(spec.keep.as_millis() / spec.step.as_millis()).unwrap_or(usize::MAX).saturating_add(2);
        let columns = [const { Column::ZERO }; 4];
        Self { spec, step: millis(spec.step), slots, newest: None, head: 0, open: Counts::default(), columns }
    }

    pub(super) const fn step(&self) -> i64 {
        self.step
    }

    /// How many slices it keeps.
    pub(super) fn slots(&self) -> i64 {
        i64::try_from(self.slots).unwrap_or(i64::MAX)
    }

    /// The slice that an instant lies in, which mostly is the newest or the one behind it.
    pub(super) fn index(&self, at: Timestamp) -> i64 {
        if let Some(newest) = self.newest {
            let past = at.millis().saturating_sub(newest * self.step);
            if past > -self.step && past <= self.step {
                return newest + i64::from(past > 0);
            }
        }
        at.ceil(self.spec.step).millis().div_euclid(self.step)
    }

    /// From where on it keeps slices.
    pub(super) fn begin(&self) -> Timestamp {
        self.newest.map_or(Timestamp::from_millis(i64::MAX), |newest| Timestamp::from_millis((newest - self.slots()) * self.step))
    }

    pub(super) fn reaches(&self, from: Timestamp) -> bool {
        self.newest.is_none_or(|newest| from.millis().div_euclid(self.step) >= newest - self.slots())
    }

    /// The index of the last slice before a lookback that ends at `now`.
    pub(super) fn before(&self, lookback: Duration, now: Timestamp) -> i64 {
        now.minus(lookback).millis().div_euclid(self.step)
    }

    /// Where a slice ends.
    pub(super) const fn end_of(&self, index: i64) -> Timestamp {
        Timestamp::from_millis(index.saturating_mul(self.step))
    }

    /// The end of the newest slice that is not zero.
    pub(super) fn newest_end(&self) -> Option<Timestamp> {
        let newest = self.newest?;
        let held = (newest - self.slots() + 1..=newest).rev().find(|index| !self.slice(*index).is_zero());
        held.map(|index| Timestamp::from_millis(index * self.step))
    }

    /// True where a slice with this index is newer than all.
    pub(super) fn is_ahead(&self, index: i64) -> bool {
        self.newest.is_none_or(|newest| index > newest)
    }

    /// Adds to a slice; false where it is too old to be kept.
    pub(super) fn add(&mut self, index: i64, counts: Counts) -> bool {
        let is_kept = self.make_room(index);
        if is_kept {
            self.add_at(index, counts);
        }
        is_kept
    }

    pub(super) fn add_span(&mut self, span: &Span) {
        let (first, last) = (self.index(span.from.plus(Duration::from_millis(1))), self.index(span.to));
        if !self.make_room(last) {
            return;
        }
        for index in first.max(last - self.slots() + 1)..=last {
            let end = Timestamp::from_millis(index * self.step);
            let counts = span.within(end.minus(self.spec.step), end);
            if self.make_room(index) && !counts.is_zero() {
                self.add_at(index, counts);
            }
        }
    }

    fn add_at(&mut self, index: i64, counts: Counts) {
        if self.newest == Some(index) {
            self.open += counts;
            return;
        }
        let slot = self.slot(index);
        for (column, number) in self.columns.iter_mut().zip(numbers(counts)) {
            column.add(slot, number, self.slots);
        }
    }

    /// The slot of a slice that is kept.
    fn slot(&self, index: i64) -> usize {
        let back = self.newest.map_or(0, |newest| usize::try_from(newest - index).expect("the newest is not older"));
        if back <= self.head { self.head - back } else { self.head + self.slots - back }
    }

    /// Moves the ring on where the slice is newer than all; false where it is too old to be kept.
    fn make_room(&mut self, index: i64) -> bool {
        let Some(newest) = self.newest else {
            self.newest = Some(index);
            return true;
        };
        if index <= newest {
            return index > newest - self.slots();
        }
        self.close();
        for _ in newest..index.min(newest + self.slots()) {
            self.head = if self.head + 1 == self.slots { 0 } else { self.head + 1 };
            for column in &mut self.columns {
                column.clear(self.head);
            }
        }
        self.newest = Some(index);
        true
    }

    /// Writes the newest slice into its slot.
    fn close(&mut self) {
        for (column, number) in self.columns.iter_mut().zip(numbers(std::mem::take(&mut self.open))) {
            column.add(self.head, number, self.slots);
        }
    }

    /// The opposite.
    pub(super) fn open_newest(&mut self) {
        let head = self.head;
        self.open = counts(self.columns.each_ref().map(|column| column.get(head)));
        for column in &mut self.columns {
            column.clear(head);
        }
    }

    /// The sum of the slices that end after `from` and not after `to`.
    pub(super) fn sum(&self, from: Timestamp, to: Timestamp) -> Counts {
        self.sum_of(from.millis().div_euclid(self.step).saturating_add(1), to.millis().div_euclid(self.step))
    }

    /// The sum of the slices `first..=last`, as far as they are kept.
    pub(super) fn sum_of(&self, first: i64, last: i64) -> Counts {
        let Some(newest) = self.newest else { return Counts::default() };
        let (first, last) = (first.max(newest - self.slots() + 1), last.min(newest));
        if first > last {
            return Counts::default();
        }
        if first == last {
            return self.slice(first);
        }
        let [one, other] = self.ranges(first, last);
        let closed = counts(self.columns.each_ref().map(|column| column.sum(one.clone()) + column.sum(other.clone())));
        if last == newest { closed + self.open } else { closed }
    }

    /// A slice that is kept.
    fn slice(&self, index: i64) -> Counts {
        if self.newest == Some(index) {
            return self.open;
        }
        let slot = self.slot(index);
        counts(self.columns.each_ref().map(|column| column.get(slot)))
    }

    /// The slots of the indices `first..=last`, in two pieces of which the second may be empty.
    fn ranges(&self, first: i64, last: i64) -> [Range<usize>; 2] {
        let (low, high) = (self.slot(first), self.slot(last));
        if low <= high { [low..high + 1, 0..0] } else { [low..self.slots, 0..high + 1] }
    }

    /// The slots of all slices that are kept, oldest first.
    pub(super) fn slots_oldest_first(&self) -> impl Iterator<Item = usize> + Clone + use<> {
        (self.head + 1..self.slots).chain(0..=self.head)
    }

    /// The slices that are not zero, oldest first.
    pub(super) fn slices(&self) -> impl Iterator<Item = (Timestamp, Counts)> + '_ {
        let newest = self.newest.unwrap_or(0);
        let indices = (newest - self.slots() + 1)..=newest;
        indices.filter(|_| self.newest.is_some()).filter_map(move |index| {
            let counts = self.slice(index);
            (!counts.is_zero()).then(|| (Timestamp::from_millis(index * self.step), counts))
        })
    }
}
