//! What unseen time may hide: how many events may have happened while nobody saw. For showing; no alert is decided by it.
//!
//! Slices with unseen time are taken in runs. While unseen, a run is taken to have had the larger rate of the slices on either side of it that were wholly
//! seen; where neither side has one, the rate of what was seen of the run itself, and where nothing was, no event can be told of.

/// One slice of many of the same length, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glimpse {
    /// How much of it has passed.
    pub passed_millis: i64,
    /// Its events, good or bad.
    pub total: i64,
    /// How much of it was not seen.
    pub unseen_millis: i64,
}

/// How many events the unseen time of slices of this length may hold, rounded up.
pub(super) fn events(step_millis: i64, slices: impl Iterator<Item = Glimpse>) -> i64 {
    let mut before = None;
    let mut run = Run::default();
    let mut events = 0;
    for slice in slices {
        if slice.unseen_millis > 0 {
            run.take(slice);
        } else if slice.passed_millis == step_millis {
            events += run.events(step_millis, before.max(Some(slice.total)));
            before = Some(slice.total);
            run = Run::default();
        }
    }
    events + run.events(step_millis, before)
}

/// Slices with unseen time, one after the other.
#[derive(Default)]
struct Run {
    passed_millis: i64,
    total: i64,
    unseen_millis: i64,
}

impl Run {
    fn take(&mut self, slice: Glimpse) {
        self.passed_millis += slice.passed_millis;
        self.total += slice.total;
        self.unseen_millis += slice.unseen_millis.min(slice.passed_millis);
    }

    fn events(&self, step_millis: i64, beside: Option<i64>) -> i64 {
        match (beside, self.passed_millis - self.unseen_millis) {
            (Some(total), _) => share(self.unseen_millis, total, step_millis),
            (None, seen) if seen > 0 => share(self.unseen_millis, self.total, seen),
            (None, _) => 0,
        }
    }
}

/// `unseen x total / of`, rounded up; nothing where the counts are negative.
pub(super) fn share(unseen: i64, total: i64, of: i64) -> i64 {
    let product = i128::from(unseen) * i128::from(total.max(0));
    i64::try_from((product + i128::from(of) - 1) / i128::from(of)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Slices of an hour by their events and unseen minutes, all of them passed.
    fn check(slices: &[(i64, i64)], hidden: i64) {
        let glimpse = |(total, minutes): &(i64, i64)| Glimpse { passed_millis: HOUR, total: *total, unseen_millis: minutes * 60_000 };
        assert_eq!(events(HOUR, slices.iter().map(glimpse)), hidden, "{slices:?}");
    }

    #[test]
    fn unseen_time_is_taken_to_have_had_the_larger_rate_beside_it() {
        check(&[(600, 0), (300, 30), (900, 0)], 450);
        check(&[(900, 0), (300, 30), (600, 0)], 450);
        check(&[(600, 0), (0, 60), (0, 60), (300, 0)], 1200);
        check(&[(600, 0), (500, 10), (60, 0), (30, 30), (60, 0)], 100 + 30);
    }

    #[test]
    fn at_an_end_the_rate_of_the_other_side_counts() {
        check(&[(100, 30), (600, 0)], 300);
        check(&[(600, 0), (0, 60)], 600);
    }

    #[test]
    fn where_no_slice_was_wholly_seen_the_rate_of_what_was_seen_counts() {
        check(&[(450, 15), (450, 15)], 300);
        check(&[(0, 60), (0, 60)], 0);
        check(&[], 0);
    }

    #[test]
    fn a_slice_that_has_not_passed_is_no_measure_for_others() {
        let slices = [(HOUR, 0, 60), (HOUR / 6, 5, 0)];
        let glimpses = slices.map(|(passed_millis, total, minutes)| Glimpse { passed_millis, total, unseen_millis: minutes * 60_000 });
        assert_eq!(events(HOUR, glimpses.into_iter()), 0);
        let begun = Glimpse { passed_millis: HOUR / 2, total: 100, unseen_millis: HOUR / 4 };
        assert_eq!(events(HOUR, std::iter::once(begun)), 100, "half of what passed was seen");
    }

    #[test]
    fn parts_of_events_are_rounded_up_and_negative_counts_hide_nothing() {
        check(&[(1, 0), (0, 1)], 1);
        check(&[(-5, 0), (0, 60)], 0);
        let large = Glimpse { passed_millis: HOUR, total: i64::MAX, unseen_millis: 0 };
        assert_eq!(events(HOUR, [large, Glimpse { total: 0, unseen_millis: HOUR, ..large }].into_iter()), i64::MAX);
    }
}
