//! How many events may have happened while nobody saw: what unseen time is taken to have held. Bounds of budgets and `count-as-bad` are made from it; no
//! alert is decided by it.
//!
//! Of what is counted in slices of time it is one for each slice that was not seen, never more. Of events it is the unseen time at the rate of the seen
//! time: the events of the window by the time of it that was seen. Where less than half of it was, those of the longest window of the SLO stand for it, so
//! that the events of a gap, which counters tell at its end, are not taken for a rate.

use std::time::Duration;

use crate::{
    ledger::{Counts, Sums},
    slo::{CountedIn, Slo},
    time::Timestamp,
};

/// What is counted slice by slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sliced {
    /// How long a slice is.
    length: Duration,
    /// What one counts, good or bad.
    counts: i64,
}

impl Sliced {
    /// What an objective counts in slices of time; `None` where it counts events.
    pub(crate) fn of(slo: &Slo, counted_in: CountedIn) -> Option<Self> {
        match counted_in {
            CountedIn::Slices(_) => Some(Self { length: Duration::from_secs(1), counts: 1 }),
            CountedIn::Events => slo.sli.slice().map(|length| Self { length, counts: slo.sli.unit().per_event() }),
        }
    }

    /// How much time the slices are that were judged good or bad.
    pub(crate) fn judged(self, counts: Counts) -> Duration {
        let total = u128::try_from(counts.total()).unwrap_or(0);
        Duration::from_nanos_u128(total.saturating_mul(self.length.as_nanos()) / u128::from(self.counts.unsigned_abs().max(1)))
    }

    fn unseen(self, unseen_millis: i64) -> i64 {
        let length = i128::try_from(self.length.as_millis().max(1)).unwrap_or(i128::MAX);
        whole(i128::from(unseen_millis.max(0)) * i128::from(self.counts) / length)
    }
}

/// A stretch of time that ends where its sums do.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Where it begins.
    pub from: Timestamp,
    /// Where it and the sums end.
    pub to: Timestamp,
    /// From when on the sums hold anything.
    pub counted_from: Option<Timestamp>,
}

/// How many events, in the unit of the ledger, may have happened in so much unseen time of a stretch.
pub fn events(slo: &Slo, counted_in: CountedIn, unseen_millis: i64, sums: &dyn Sums, stretch: Stretch) -> i64 {
    match Sliced::of(slo, counted_in) {
        _ if unseen_millis <= 0 => 0,
        Some(sliced) => sliced.unseen(unseen_millis),
        None => Rate::typical(slo, sums, stretch).map_or(0, |rate| rate.over(unseen_millis)),
    }
}

/// So many events in so much seen time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    total: i64,
    seen_millis: i64,
    counted_millis: i64,
}

impl Rate {
    fn typical(slo: &Slo, sums: &dyn Sums, stretch: Stretch) -> Option<Self> {
        let of = |from: Timestamp| Self::of(sums.since(from), stretch.counted_from.map_or(from, |counted| counted.max(from)), stretch.to);
        let own = of(stretch.from);
        let longest = || slo.objectives.iter().map(|objective| objective.window.longest()).max().unwrap_or_default();
        let rate = if own.is_typical() { own } else { of(stretch.to.minus(longest()).min(stretch.from)) };
        (rate.seen_millis > 0).then_some(rate)
    }

    fn of(counts: Counts, from: Timestamp, to: Timestamp) -> Self {
        let counted_millis = i64::try_from(to.since(from).as_millis()).unwrap_or(i64::MAX);
        Self { total: counts.total().max(0), seen_millis: counted_millis - counts.unseen_millis, counted_millis }
    }

    fn is_typical(self) -> bool {
        self.seen_millis > 0 && self.seen_millis >= self.counted_millis / 2
    }

    /// Rounded up.
    fn over(self, unseen_millis: i64) -> i64 {
        let seen = i128::from(self.seen_millis);
        whole((i128::from(unseen_millis) * i128::from(self.total) + seen - 1) / seen)
    }
}

fn whole(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::fixture,
        sli::{
            Comparison, Counted, Expression, Sli, Weight,
            composite::{Composite, Member, Members, WhenUnseen},
        },
        slo::SliceRule,
        time::{days, hours, minutes},
        units::GoodShare,
        window::Window,
    };

    const NOW: Timestamp = Timestamp::from_seconds(10_000_000);

    /// Counts of lookbacks, shortest first.
    struct Table(Vec<(Duration, Counts)>);

    impl Sums for Table {
        fn over(&self, lookback: Duration) -> Counts {
            self.0.iter().find(|(of, _)| *of >= lookback).map_or_else(Counts::default, |(_, counts)| *counts)
        }

        fn since(&self, from: Timestamp) -> Counts {
            self.over(NOW.since(from))
        }
    }

    fn of(total: i64, unseen: Duration) -> Counts {
        Counts { good: total, unseen_millis: i64::try_from(unseen.as_millis()).expect("short"), ..Counts::default() }
    }

    fn assumed(slo: &Slo, counted_in: CountedIn, sums: &Table, over: Duration, counted_for: Duration) -> i64 {
        let stretch = Stretch { from: NOW.minus(over), to: NOW, counted_from: Some(NOW.minus(counted_for)) };
        events(slo, counted_in, sums.over(over).unseen_millis, sums, stretch)
    }

    fn expression() -> Expression {
        Expression::new("x")
    }

    fn composite(members: impl FnOnce(Member) -> Members) -> Sli {
        let good_from = GoodShare::percent("99%").expect("a share");
        let member = Member { slo: fixture::slo_id("a"), good_from, unseen: WhenUnseen::Unknown };
        Sli::Composite(Composite { members: members(member), slice: minutes(1) })
    }

    #[test]
    fn what_is_counted_in_slices_has_one_for_each_that_was_not_seen() {
        let window = |slice| Sli::Window { expression: expression(), is: Comparison::AtMost, threshold: 1.0, slice };
        let half = |member: Member| (member, Weight::percent("50%").expect("a weight"));
        let weighted = composite(|member| Members::Weighted(vec![half(member.clone()), half(member)]));
        let presence = (*fixture::presence("a", Duration::from_secs(10), &[])).clone().sli;
        let verdicts = CountedIn::Slices(SliceRule { length: minutes(1), good_from: GoodShare::percent("99%").expect("a share") });
        let counters = (*fixture::availability("a", "m", &[])).clone().sli;
        for (sli, counted_in, unseen, expected) in [
            (presence.clone(), CountedIn::Events, Duration::from_secs(100), 10),
            (presence, CountedIn::Events, Duration::from_secs(99), 9),
            (window(Duration::from_secs(10)), CountedIn::Events, Duration::from_secs(102), 10),
            (window(minutes(5)), CountedIn::Events, hours(1), 12),
            (composite(|member| Members::AllOf(vec![member])), CountedIn::Events, minutes(2), 2),
            // Of one member that was not seen for two minutes, and of both.
            (weighted.clone(), CountedIn::Events, minutes(1), 1_000_000),
            (weighted, CountedIn::Events, minutes(2), 2_000_000),
            // Verdicts are counted in seconds.
            (counters, verdicts, minutes(3), 180),
        ] {
            let slo = fixture::slo("a", sli, &[]);
            let sums = Table(vec![(days(30), of(7, unseen))]);
            assert_eq!(assumed(&slo, counted_in, &sums, hours(1), days(40)), expected, "{:?} {counted_in:?}: {unseen:?}", slo.sli);
        }
    }

    #[test]
    fn unseen_events_come_at_the_rate_of_the_seen_time() {
        let query = Sli::Query { counted: Counted::Bad(expression()), total: expression(), step: minutes(1) };
        for sli in [
            fixture::availability("a", "m", &[]).sli.clone(),
            fixture::latency("a", 0.1, None).sli.clone(),
            fixture::probe("a", &["p"], &[]).sli.clone(),
            query,
        ] {
            let slo = fixture::slo("a", sli, &[]);
            for (total, unseen, over, counted_for, expected) in [
                (5_900, minutes(1), hours(1), days(40), 100),
                (5_900, minutes(1), days(30), hours(1), 100),
                (90_000, minutes(10), hours(1), minutes(100), 18_000),
                (0, minutes(10), hours(1), days(40), 0),
                (-7, minutes(10), hours(1), days(40), 0),
                (1, Duration::from_millis(1), hours(1), days(40), 1),
                (i64::MAX, minutes(30), hours(1), days(40), i64::MAX),
            ] {
                let sums = Table(vec![(days(30), of(total, unseen))]);
                assert_eq!(
                    assumed(&slo, CountedIn::Events, &sums, over, counted_for),
                    expected,
                    "{total} {unseen:?} {over:?} {counted_for:?}"
                );
            }
        }
    }

    #[test]
    fn a_gap_holds_the_same_in_every_window_and_its_own_events_are_no_rate() {
        let mut slo = (*fixture::availability("a", "m", &[])).clone();
        slo.objectives[0].window = Window::Rolling(days(30));
        // 20 a second, of which a gap of 136 s is told at its end; counted for 25 minutes.
        let young = Table(vec![(days(30), of(20 * 1500, Duration::from_secs(136)))]);
        for over in [hours(1), days(7), days(30)] {
            assert_eq!(assumed(&slo, CountedIn::Events, &young, over, minutes(25)), 2992, "{over:?}: 20 a second are 2,720");
        }
        // Half an hour and more of the hour, told at its end: the month knows the rate.
        let gap = minutes(50);
        let old = Table(vec![(hours(1), of(20 * 3600, gap)), (days(30), of(20 * 2_592_000, gap))]);
        let of_hour = assumed(&slo, CountedIn::Events, &old, hours(1), days(40));
        assert_eq!(of_hour, assumed(&slo, CountedIn::Events, &old, days(30), days(40)));
        assert_eq!(of_hour, 60_070, "20 a second are 60,000");
        let nothing = Table(vec![(days(30), of(0, days(30)))]);
        assert_eq!(assumed(&slo, CountedIn::Events, &nothing, days(30), days(40)), 0, "nothing was seen, so nothing can be told of");
    }
}
