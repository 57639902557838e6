//! The slices of one stream in memory: several levels, each a ring that keeps what its lookbacks need. The store holds the same; what is here can
//! be rebuilt from it.
//!
//! A column (good, tolerated, bad, unseen) takes no memory while all of it is zero, 8 bytes for each slice that is not while those are few, and 4 bytes a
//! slice while its numbers are small: about 20 kB for a stream with a window of 30 days. The sums that alerts are decided by are kept ready beside the slices (`running`).

mod packed;

use std::{ops::Range, time::Duration};

use super::{
    Counts,
    marks::Marks,
    running::{Ready, RunningSums},
    slice::{LevelSpec, MINUTE, Span},
};
use crate::{
    time::{Timestamp, millis},
    window::Interval,
};

/// All levels of one stream, finest first, and the marks between their edges.
#[derive(Debug, Clone)]
pub(super) struct Slices {
    levels: Vec<Level>,
    marks: Marks,
    running: RunningSums,
}

impl Slices {
    pub(super) fn new(specs: &[LevelSpec]) -> Self {
        Self { levels: specs.iter().map(|spec| Level::new(*spec)).collect(), marks: Marks::default(), running: RunningSums::default() }
    }

    /// Sets the marks. What they hold is counted by whoever makes them.
    pub(super) fn set_marks(&mut self, marks: Marks) {
        self.marks = marks;
    }

    /// The marks between the edges of slices.
    pub(super) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Books at every level.
    pub(super) fn add(&mut self, end: Timestamp, counts: Counts) {
        for (at, level) in self.levels.iter_mut().enumerate() {
            let index = level.index(end);
            self.running.moving(at, level, index);
            if level.add(index, counts) {
                self.running.added(at, index, counts);
            }
        }
        self.marks.add(end, counts);
    }

    /// Books unseen time at every level.
    pub(super) fn add_span(&mut self, span: &Span) {
        self.running.clear();
        for level in &mut self.levels {
            level.add_span(span);
        }
        self.marks.add_span(span);
    }

    /// Where a lookback starts, at an edge of the finest level that covers it, and the sum from there on.
    pub(super) fn over(&self, lookback: Duration, now: Timestamp) -> (Timestamp, Counts) {
        if let Some(Ready { level, after, sum }) = self.running.at(lookback, now) {
            return (Timestamp::from_millis(after.saturating_mul(self.levels[level].step())), sum);
        }
        let at = covering(&self.levels, lookback);
        let level = &self.levels[at];
        let after = level.before(lookback, now);
        let sum = self.running.sum(lookback, at, after).unwrap_or_else(|| level.sum_of(after + 1, i64::MAX));
        (Timestamp::from_millis(after.saturating_mul(level.step())), sum)
    }

    /// Where a lookback starts: at an edge of the finest level that covers it.
    pub(super) fn start_of(&self, lookback: Duration, now: Timestamp) -> Timestamp {
        now.minus(lookback).floor(self.levels[covering(&self.levels, lookback)].spec.step)
    }

    /// Has the sums of these lookbacks ready for `now`.
    pub(super) fn make_ready(&mut self, lookbacks: &[Duration], now: Timestamp) {
        self.running.ready(lookbacks.iter().map(|lookback| (*lookback, covering(&self.levels, *lookback))), &self.levels, now);
    }

    /// The length of the slices that serve a lookback.
    pub(super) fn step_covering(&self, lookback: Duration) -> Duration {
        self.levels[covering(&self.levels, lookback)].spec.step
    }

    /// The sum over a stretch at the level of `step`; its ends are edges of that level, or marked. Where one is neither, it moves inwards.
    pub(super) fn sum_between(&self, step: Duration, Interval { from, to }: Interval) -> Counts {
        let (from, before) = self.marks.up_to(step, from).map_or((from.ceil(step), Counts::default()), |counts| (from, counts));
        let (to, after) = self.marks.up_to(step, to).map_or((to.floor(step), Counts::default()), |counts| (to, counts));
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

    /// The end of the newest slice that was booked at the finest level.
    pub(super) fn newest_end(&self) -> Option<Timestamp> {
        let finest = self.levels.first()?;
        finest.newest.map(|newest| Timestamp::from_millis(newest * finest.step()))
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
                    level.add(level.index(end), counts);
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

/// Slices of one length, in a ring.
#[derive(Debug, Clone)]
pub(super) struct Level {
    spec: LevelSpec,
    /// Index (end / step) of the newest slice that the ring has room for; `None` while it is empty.
    newest: Option<i64>,
    good: Column,
    tolerated: Column,
    bad: Column,
    unseen: Column,
}

impl Level {
    fn new(spec: LevelSpec) -> Self {
        let slots = usize::try_from(spec.keep.as_millis() / spec.step.as_millis()).unwrap_or(usize::MAX).saturating_add(2);
        let column = Column { slots, cells: Cells::ZERO };
        Self { spec, newest: None, good: column.clone(), tolerated: column.clone(), bad: column.clone(), unseen: column }
    }

    fn step(&self) -> i64 {
        millis(self.spec.step)
    }

    /// How many slices it keeps.
    pub(super) fn slots(&self) -> i64 {
        i64::try_from(self.good.slots).unwrap_or(i64::MAX)
    }

    fn index(&self, at: Timestamp) -> i64 {
        at.ceil(self.spec.step).millis().div_euclid(self.step())
    }

    /// From where on it keeps slices.
    fn begin(&self) -> Timestamp {
        self.newest.map_or(Timestamp::from_millis(i64::MAX), |newest| Timestamp::from_millis((newest - self.slots()) * self.step()))
    }

    fn reaches(&self, from: Timestamp) -> bool {
        self.newest.is_none_or(|newest| from.millis().div_euclid(self.step()) >= newest - self.slots())
    }

    /// The index of the last slice before a lookback that ends at `now`.
    pub(super) fn before(&self, lookback: Duration, now: Timestamp) -> i64 {
        now.minus(lookback).millis().div_euclid(self.step())
    }

    /// False where nothing was added: there was nothing, or the slice is too old to be kept.
    fn add(&mut self, index: i64, counts: Counts) -> bool {
        let adds = !counts.is_zero() && self.make_room(index);
        if adds {
            self.add_at(index, counts);
        }
        adds
    }

    fn add_span(&mut self, span: &Span) {
        let (first, last) = (self.index(span.from.plus(Duration::from_millis(1))), self.index(span.to));
        if !self.make_room(last) {
            return;
        }
        for index in first.max(last - self.slots() + 1)..=last {
            let end = Timestamp::from_millis(index * self.step());
            let counts = span.within(end.minus(self.spec.step), end);
            if self.make_room(index) && !counts.is_zero() {
                self.add_at(index, counts);
            }
        }
    }

    fn add_at(&mut self, index: i64, counts: Counts) {
        let slot = self.slot(index);
        self.good.add(slot, counts.good);
        self.tolerated.add(slot, counts.tolerated);
        self.bad.add(slot, counts.bad);
        self.unseen.add(slot, counts.unseen_millis);
    }

    fn slot(&self, index: i64) -> usize {
        usize::try_from(index.rem_euclid(self.slots())).expect("a remainder is not negative")
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
        for passed in (newest + 1)..=index.min(newest + self.slots()) {
            let slot = self.slot(passed);
            for column in [&mut self.good, &mut self.tolerated, &mut self.bad, &mut self.unseen] {
                column.clear(slot);
            }
        }
        self.newest = Some(index);
        true
    }

    /// The sum of the slices that end after `from` and not after `to`.
    fn sum(&self, from: Timestamp, to: Timestamp) -> Counts {
        self.sum_of(from.millis().div_euclid(self.step()).saturating_add(1), to.millis().div_euclid(self.step()))
    }

    /// The sum of the slices `first..=last`, as far as they are kept.
    pub(super) fn sum_of(&self, first: i64, last: i64) -> Counts {
        let Some(newest) = self.newest else { return Counts::default() };
        let (first, last) = (first.max(newest - self.slots() + 1), last.min(newest));
        if first > last {
            return Counts::default();
        }
        let [one, other] = self.ranges(first, last);
        let sum = |column: &Column| column.sum(one.clone()) + column.sum(other.clone());
        Counts { good: sum(&self.good), tolerated: sum(&self.tolerated), bad: sum(&self.bad), unseen_millis: sum(&self.unseen) }
    }

    /// The slots of the indices `first..=last`, in two pieces of which the second may be empty.
    fn ranges(&self, first: i64, last: i64) -> [Range<usize>; 2] {
        let (low, high) = (self.slot(first), self.slot(last));
        if low <= high { [low..high + 1, 0..0] } else { [low..self.good.slots, 0..high + 1] }
    }

    /// The slices that are not zero, oldest first.
    fn slices(&self) -> impl Iterator<Item = (Timestamp, Counts)> + '_ {
        let newest = self.newest.unwrap_or(0);
        let indices = (newest - self.slots() + 1)..=newest;
        indices.filter(|_| self.newest.is_some()).filter_map(|index| {
            let slot = self.slot(index);
            let counts = Counts {
                good: self.good.get(slot),
                tolerated: self.tolerated.get(slot),
                bad: self.bad.get(slot),
                unseen_millis: self.unseen.get(slot),
            };
            (!counts.is_zero()).then(|| (Timestamp::from_millis(index * self.step()), counts))
        })
    }
}

/// The finest level that covers a lookback.
fn covering(levels: &[Level], lookback: Duration) -> usize {
    levels.iter().position(|level| level.spec.keep >= lookback).unwrap_or(levels.len() - 1)
}

/// One number of every slice.
#[derive(Debug, Clone)]
struct Column {
    slots: usize,
    cells: Cells,
}

#[derive(Debug, Clone)]
enum Cells {
    /// The slots that are not zero, sorted: none, or few.
    Sparse(Vec<(u32, i32)>),
    Narrow(Box<[i32]>),
    Wide(Box<[i64]>),
}

impl Cells {
    const ZERO: Self = Self::Sparse(Vec::new());
}

/// Of so many slots at most one may be filled while a column is sparse: half of what all of them would take.
const SPARSE: usize = 4;

impl Column {
    fn get(&self, slot: usize) -> i64 {
        match &self.cells {
            Cells::Sparse(cells) => place(cells, slot).map_or(0, |at| i64::from(cells[at].1)),
            Cells::Narrow(cells) => i64::from(cells[slot]),
            Cells::Wide(cells) => cells[slot],
        }
    }

    fn add(&mut self, slot: usize, number: i64) {
        if number != 0 {
            self.set(slot, self.get(slot).saturating_add(number));
        }
    }

    fn set(&mut self, slot: usize, number: i64) {
        let slots = self.slots;
        match (&mut self.cells, i32::try_from(number)) {
            (Cells::Narrow(cells), Ok(narrow)) => cells[slot] = narrow,
            (Cells::Wide(cells), _) => cells[slot] = number,
            (Cells::Sparse(cells), Ok(narrow)) => match place(cells, slot) {
                Ok(at) if narrow == 0 => drop(cells.remove(at)),
                Ok(at) => cells[at].1 = narrow,
                Err(_) if narrow == 0 => {}
                Err(at) if (cells.len() + 1) * SPARSE <= slots => cells.insert(at, (key(slot), narrow)),
                Err(_) => {
                    let mut all: Box<[i32]> = (0..slots).map(|_| 0).collect();
                    for (slot, number) in cells.iter() {
                        all[*slot as usize] = *number;
                    }
                    all[slot] = narrow;
                    self.cells = Cells::Narrow(all);
                }
            },
            (Cells::Sparse(_) | Cells::Narrow(_), Err(_)) => {
                let mut cells: Box<[i64]> = (0..slots).map(|at| self.get(at)).collect();
                cells[slot] = number;
                self.cells = Cells::Wide(cells);
            }
        }
    }

    fn clear(&mut self, slot: usize) {
        match &mut self.cells {
            Cells::Sparse(cells) if cells.is_empty() => {}
            Cells::Sparse(cells) => {
                if let Ok(at) = place(cells, slot) {
                    cells.remove(at);
                }
            }
            Cells::Narrow(cells) => cells[slot] = 0,
            Cells::Wide(cells) => cells[slot] = 0,
        }
    }

    fn sum(&self, slots: Range<usize>) -> i64 {
        match &self.cells {
            Cells::Sparse(cells) => {
                let from = cells.partition_point(|(slot, _)| (*slot as usize) < slots.start);
                cells[from..].iter().take_while(|(slot, _)| (*slot as usize) < slots.end).map(|(_, number)| i64::from(*number)).sum()
            }
            Cells::Narrow(cells) => cells[slots].iter().map(|cell| i64::from(*cell)).sum(),
            Cells::Wide(cells) => cells[slots].iter().sum(),
        }
    }
}

/// Where a slot stands among those that are not zero, or would.
fn place(cells: &[(u32, i32)], slot: usize) -> Result<usize, usize> {
    cells.binary_search_by_key(&key(slot), |(slot, _)| *slot)
}

fn key(slot: usize) -> u32 {
    u32::try_from(slot).expect("a level has fewer than 2^32 slices")
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        ledger::{
            fixture,
            slice::{TEN_SECONDS, levels, standard_levels},
        },
        sli::MatchOp,
        time::{hours, minutes},
    };

    fn specs() -> Vec<LevelSpec> {
        levels(&fixture::availability("a", "m", &[("code", MatchOp::Equal, "500")]), &BTreeSet::new())
    }

    const LOOKBACKS: [Duration; 8] = [minutes(5), minutes(30), hours(1), hours(2), hours(6), hours(24), hours(72), hours(720)];

    fn good(n: i64) -> Counts {
        Counts { good: n, ..Counts::default() }
    }

    #[test]
    fn the_start_of_a_lookback_moves_back_to_an_edge() {
        let mut slices = Slices::new(&specs());
        slices.add(Timestamp::from_seconds(1_000), good(1));
        slices.add(Timestamp::from_seconds(1_010), good(10));
        for (now, expected) in [(1_295, 11), (1_299, 11), (1_300, 10), (1_309, 10), (1_310, 0)] {
            assert_eq!(slices.over(minutes(5), Timestamp::from_seconds(now)).1.good, expected, "at {now}");
        }
    }

    #[test]
    fn a_late_entry_counts_where_it_belongs_or_only_where_it_is_still_kept() {
        let mut slices = Slices::new(&specs());
        slices.add(Timestamp::from_seconds(100_000), good(1));
        slices.add(Timestamp::from_seconds(90_000), good(10));
        let now = Timestamp::from_seconds(100_000);
        assert_eq!(slices.over(hours(1), now).1.good, 1);
        assert_eq!(slices.over(hours(6), now).1.good, 11);
    }

    proptest! {
        #[test]
        fn a_column_holds_its_numbers_whether_few_or_many(
            turns in prop::collection::vec((0_usize..40, prop::sample::select(vec![0, 1, -7, 1 << 20, 1 << 40]), any::<bool>()), 0..80),
            (from, to) in (0_usize..=40, 0_usize..=40),
        ) {
            let mut column = Column { slots: 40, cells: Cells::ZERO };
            let mut plain = [0_i64; 40];
            for (slot, number, clears) in turns {
                if clears {
                    column.clear(slot);
                    plain[slot] = 0;
                } else {
                    column.add(slot, number);
                    plain[slot] += number;
                }
            }
            prop_assert_eq!((0..40).map(|slot| column.get(slot)).collect::<Vec<_>>(), plain);
            let range = from.min(to)..from.max(to);
            prop_assert_eq!(column.sum(range.clone()), plain[range].iter().sum::<i64>());
        }
    }

    #[test]
    fn numbers_that_outgrow_four_bytes_stay_exact() {
        let mut slices = Slices::new(&specs());
        slices.add(Timestamp::from_seconds(10), good(7));
        slices.add(Timestamp::from_seconds(20), good(1 << 40));
        assert_eq!(slices.over(minutes(5), Timestamp::from_seconds(30)).1.good, (1 << 40) + 7);
    }

    proptest! {
        /// However old the start of a period is, and however its events came to other levels.
        #[test]
        fn a_period_equals_the_sum_of_its_entries(
            entries in prop::collection::vec((0_i64..8_000_000, 1_i64..5), 1..60),
            edge in 0_i64..8_888,
            grain in prop::sample::select(vec![900_u64, 1800, 3600]),
            widened: bool,
        ) {
            let grain = Duration::from_secs(grain);
            let of_quarter = standard_levels(hours(93 * 24), grain);
            let mut slices = Slices::new(&if widened { standard_levels(hours(93 * 24), minutes(15)) } else { of_quarter });
            for (at, n) in &entries {
                slices.add(Timestamp::from_seconds(*at).ceil(TEN_SECONDS), good(*n));
            }
            if widened {
                slices = slices.with_levels(&of_quarter);
            }
            let from = Timestamp::from_seconds(edge * 900).floor(grain);
            let now = Timestamp::from_seconds(8_000_000);
            let naive: i64 = entries.iter().filter(|(at, _)| Timestamp::from_seconds(*at) > from).map(|(_, n)| n).sum();
            prop_assert_eq!(slices.over(now.since(from), now).1.good, naive);
        }

        #[test]
        fn levels_that_grow_finer_at_the_coarsest_lose_nothing(entries in prop::collection::vec((0_i64..3_000_000, 1_i64..5), 1..60)) {
            let mut slices = Slices::new(&standard_levels(hours(720), hours(1)));
            for (at, n) in &entries {
                slices.add(Timestamp::from_seconds(*at).ceil(TEN_SECONDS), good(*n));
            }
            let now = Timestamp::from_seconds(3_000_000);
            let kept = slices.over(hours(720), now).1;
            prop_assert_eq!(slices.with_levels(&standard_levels(hours(720), minutes(15))).over(hours(720), now).1, kept);
        }

        #[test]
        fn every_lookback_equals_the_sum_of_its_entries(
            entries in prop::collection::vec((0_i64..400_000, 0_i64..5), 1..60),
            spans in prop::collection::vec((0_i64..400_000, 1_i64..9_000), 0..3),
            lookback in prop::sample::select(vec![300_u64, 1800, 3600, 7200, 21600, 86400, 259_200, 2_592_000]),
        ) {
            let mut slices = Slices::new(&specs());
            let mut by_second: BTreeMap<i64, Counts> = BTreeMap::new();
            for (at, n) in &entries {
                let end = Timestamp::from_seconds(*at).ceil(TEN_SECONDS);
                slices.add(end, good(*n));
                *by_second.entry(end.millis() / 1000).or_default() += good(*n);
            }
            for (from, len) in &spans {
                let span = Span { stream: 0, from: Timestamp::from_seconds(*from), to: Timestamp::from_seconds(from + len) };
                slices.add_span(&span);
                for second in *from..from + len {
                    *by_second.entry(second + 1).or_default() += Counts { unseen_millis: 1000, ..Counts::default() };
                }
            }
            let now = Timestamp::from_seconds(by_second.keys().last().copied().unwrap_or(0)).ceil(TEN_SECONDS);
            let lookback = Duration::from_secs(lookback);
            let (start, sum) = slices.over(lookback, now);
            let naive: Counts = by_second.range(start.millis() / 1000 + 1..).map(|(_, counts)| *counts).sum();
            prop_assert_eq!(sum, naive);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_is_ready_equals_what_is_added_up(
            turns in prop::collection::vec((0_i64..4_000, -300_i64..300, -3_i64..5, any::<bool>(), any::<bool>()), 1..80),
            lookbacks in prop::sample::subsequence(LOOKBACKS.to_vec(), 0..=8),
        ) {
            let (mut slices, mut plain) = (Slices::new(&specs()), Slices::new(&specs()));
            let mut second = 1_000_000;
            for (later, offset, n, blind, moves) in turns {
                second += if moves { later * 40 } else { later };
                let now = Timestamp::from_seconds(second);
                let end = Timestamp::from_seconds(second + offset * 10);
                for slices in [&mut slices, &mut plain] {
                    slices.add(end, good(n));
                    if blind {
                        slices.add_span(&Span { stream: 0, from: end.minus(minutes(3)), to: end });
                    }
                }
                slices.make_ready(&lookbacks, now);
                for lookback in LOOKBACKS {
                    for asked in [now, now.plus(minutes(1)), now.minus(hours(2))] {
                        prop_assert_eq!(slices.over(lookback, asked), plain.over(lookback, asked));
                    }
                }
            }
        }
    }
}
