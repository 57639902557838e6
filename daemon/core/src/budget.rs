//! Error budgets: what an objective allows, what was spent, what is left.
//!
//! Left = 1 - failed share / (1 - target), over the objective's window. Of a calendar window that has not ended, the share counts for the part that has
//! passed: left = 1 - failed share / (1 - target) x passed / length. As time it is that share of `(1 - target) x window`:
//! ```
//! use burnward_core::{budget::{BudgetLeft, Part}, ledger::Counts, time::days, units::Target};
//! let target = Target::percent("99.9%").unwrap();
//! let counts = Counts { good: 99_971, bad: 29, ..Counts::default() };
//! let left = BudgetLeft::of(target, days(30), counts).unwrap();
//! assert!((left.ratio - 0.71).abs() < 1e-12); // 71 % of 43 m 12 s
//! assert_eq!(left.whole.as_secs(), 43 * 60 + 12);
//! assert_eq!(left.seconds.round(), 30.0 * 60.0 + 40.0);
//! // The same failures, two days into a month of thirty: 1.9 % of the month's budget are spent.
//! let begun = BudgetLeft::so_far(target, Part { passed: days(2), length: days(30) }, counts).unwrap();
//! assert!((begun.ratio - (1.0 - 0.29 * 2.0 / 30.0)).abs() < 1e-12);
//! ```

use std::time::Duration;

use crate::{burn_rate::FailedShare, ledger::Counts, units::Target};

/// What is left of a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetLeft {
    /// Share of the budget that is left; 1 untouched, 0 spent, negative overspent.
    pub ratio: f64,
    /// The same as time of total outage within the window, in seconds; negative when overspent. 99.9 % over 30 days: 2,592 s in all.
    pub seconds: f64,
    /// The whole budget as such time.
    pub whole: Duration,
}

impl BudgetLeft {
    /// What these counts leave of the budget of `window`; `None` without traffic, where nothing was promised and nothing spent.
    pub fn of(target: Target, window: Duration, counts: Counts) -> Option<Self> {
        FailedShare::of(counts).map(|share| Self::at(share.leaves(target), target, window))
    }

    /// What these counts of the part of a window that has passed leave of the whole window's budget, where what is to come brings events at the rate of
    /// what has passed; `None` without traffic.
    pub fn so_far(target: Target, part: Part, counts: Counts) -> Option<Self> {
        if part.is_whole() {
            return Self::of(target, part.length, counts);
        }
        FailedShare::of(counts).map(|share| Self::at(1.0 - share.burn(target) * part.share(), target, part.length))
    }

    /// A budget of which nothing is spent.
    pub fn untouched(target: Target, window: Duration) -> Self {
        Self::at(1.0, target, window)
    }

    /// True where nothing is left.
    pub fn is_spent(&self) -> bool {
        self.ratio <= 0.0
    }

    fn at(ratio: f64, target: Target, window: Duration) -> Self {
        let whole = whole(target, window);
        Self { ratio, seconds: ratio * whole.as_secs_f64(), whole }
    }
}

/// What unseen time may hide of a budget, and what is left of it whatever that was. For showing: alerts are decided on measured events alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unseen {
    /// How much of the window nobody saw since counting began.
    pub time: Duration,
    /// How many events may have happened in it: see [`assumed::events`](crate::assumed::events).
    pub events: i64,
    /// What is left if all of them failed.
    pub least: BudgetLeft,
    /// What is left if none did.
    pub most: BudgetLeft,
}

/// How much of a window has passed. A rolling window is always whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What has passed of it.
    pub passed: Duration,
    /// How long it is.
    pub length: Duration,
}

impl Part {
    /// True where nothing is to come.
    pub fn is_whole(self) -> bool {
        self.passed >= self.length
    }

    /// The share that has passed, from 0 to 1.
    pub fn share(self) -> f64 {
        if self.is_whole() { 1.0 } else { self.passed.div_duration_f64(self.length) }
    }

    /// How many events make up the whole window of whose passed part `counted` were counted, if the rest brings events at the same rate.
    pub fn window_total(self, counted: i64) -> f64 {
        if self.passed.is_zero() { counted as f64 } else { counted as f64 / self.share() }
    }
}

/// The whole budget as time of total outage: `(1 - target) x window`, to the nanosecond.
pub fn whole(target: Target, window: Duration) -> Duration {
    let allowed = target.allowed();
    let nanos = window.as_nanos() / u128::from(allowed.den()) * u128::from(allowed.num())
        + window.as_nanos() % u128::from(allowed.den()) * u128::from(allowed.num()) / u128::from(allowed.den());
    Duration::from_nanos_u128(nanos)
}

/// How long what is left lasts at a burn rate: left x window / burn. `None` when nothing is left or nothing burns.
pub fn runs_out(left: BudgetLeft, burn: f64, window: Duration) -> Option<Duration> {
    if left.is_spent() || burn <= 0.0 {
        return None;
    }
    Duration::try_from_secs_f64(left.ratio * window.as_secs_f64() / burn).ok()
}

/// Which share of the window's budget these failures are, when `window_total` events make up the window; `None` without traffic.
/// Negative figures count as none.
pub fn spent(target: Target, failures: Counts, window_total: f64) -> Option<f64> {
    let failed = (failures.bad as f64 + failures.tolerated as f64 / 2.0).max(0.0);
    (window_total > 0.0).then(|| failed / (window_total * target.allowed().as_f64()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::{days, hours, minutes};

    fn target(text: &str) -> Target {
        Target::percent(text).expect("a target")
    }

    fn counts(good: i64, tolerated: i64, bad: i64) -> Counts {
        Counts { good, tolerated, bad, unseen_millis: 0 }
    }

    #[test]
    fn budgets_per_period_are_exact() {
        for (percent, days_30, days_28, days_7) in [
            ("99%", 25_920.0, 24_192.0, 6048.0),
            ("99.5%", 12_960.0, 12_096.0, 3024.0),
            ("99.9%", 2592.0, 2419.2, 604.8),
            ("99.95%", 1296.0, 1209.6, 302.4),
            ("99.99%", 259.2, 241.92, 60.48),
            ("99.999%", 25.92, 24.192, 6.048),
            ("99.9999%", 2.592, 2.4192, 0.6048),
        ] {
            for (window, seconds) in [(days(30), days_30), (days(28), days_28), (days(7), days_7)] {
                assert_eq!(whole(target(percent), window), Duration::from_secs_f64(seconds), "{percent} over {window:?}");
            }
        }
    }

    #[test]
    fn without_traffic_there_is_no_figure() {
        assert_eq!(BudgetLeft::of(target("99.9%"), days(30), Counts::default()), None);
    }

    #[test]
    fn a_total_outage_overspends_by_the_whole_excess() {
        let left = BudgetLeft::of(target("99.9%"), days(30), counts(0, 0, 10)).expect("traffic");
        assert!((left.ratio + 999.0).abs() < 1e-9, "{left:?}");
        assert!(left.is_spent());
    }

    #[test]
    fn time_to_exhaustion_is_the_period_over_the_burn_rate() {
        let whole = BudgetLeft::untouched(target("99.9%"), days(30));
        for (burn, span) in [(1.0, days(30)), (2.0, days(15)), (10.0, days(3)), (1000.0, Duration::from_secs(2592))] {
            assert_eq!(runs_out(whole, burn, days(30)), Some(span), "burn {burn}");
        }
        let at_35 = runs_out(whole, 35.0, days(30)).expect("it burns").as_secs_f64();
        assert!((at_35 / 3600.0 - 20.57).abs() < 0.01, "{at_35}");
    }

    #[test]
    fn what_is_spent_or_does_not_burn_does_not_run_out() {
        let spent = BudgetLeft::of(target("99.9%"), hours(1), counts(0, 0, 1)).expect("traffic");
        assert_eq!(runs_out(spent, 5.0, hours(1)), None);
        let whole = BudgetLeft::untouched(target("99.9%"), hours(1));
        for burn in [0.0, -1.0, f64::NAN] {
            assert_eq!(runs_out(whole, burn, hours(1)), None, "{burn}");
        }
    }

    #[test]
    fn one_failure_of_ten_an_hour_spends_a_seventh_of_the_month() {
        let share = spent(target("99.9%"), counts(0, 0, 1), 7200.0).expect("traffic");
        assert!((share - 0.139).abs() < 0.0005, "{share}");
    }

    #[test]
    fn a_period_that_has_begun_keeps_what_its_rest_allows() {
        let part = |passed| Part { passed, length: days(31) };
        let bad_so_far = counts(990, 0, 10);
        let left = |passed| BudgetLeft::so_far(target("99.5%"), part(passed), bad_so_far).expect("traffic");
        // One percent failed, twice what is allowed: after a minute next to nothing of the month, after all of it twice its budget.
        for (passed, ratio) in [(minutes(1), 1.0 - 2.0 / 44_640.0), (hours(372), 0.0), (days(31), -1.0), (days(40), -1.0)] {
            assert!((left(passed).ratio - ratio).abs() < 1e-12, "{passed:?}: {:?}", left(passed));
            assert_eq!(left(passed).whole, Duration::from_secs(13_392), "223.2 minutes of 31 days");
        }
        assert_eq!(BudgetLeft::so_far(target("99.5%"), part(days(1)), Counts::default()), None);
    }

    #[test]
    fn the_events_of_a_period_are_those_so_far_and_as_many_as_the_rest_is_long() {
        let part = |passed| Part { passed, length: days(30) };
        for (passed, total) in [(days(30), 900.0), (days(10), 2700.0), (days(45), 900.0), (Duration::ZERO, 900.0)] {
            assert!((part(passed).window_total(900) - total).abs() < 1e-9, "{passed:?}");
        }
        // What is left and what was spent are one.
        let left = BudgetLeft::so_far(target("99.9%"), part(days(10)), counts(9_995, 0, 5)).expect("traffic").ratio;
        let spent = spent(target("99.9%"), counts(0, 0, 5), part(days(10)).window_total(10_000)).expect("traffic");
        assert!((left + spent - 1.0).abs() < 1e-12, "{left} and {spent}");
    }

    /// Left of a budget in exact integers: numerator and denominator.
    fn oracle(allowed_per_million: i128, good: i128, tolerated: i128, bad: i128) -> (i128, i128) {
        let all = 2 * (good + tolerated + bad) * allowed_per_million;
        (all - (2 * bad + tolerated) * 1_000_000, all)
    }

    proptest! {
        #[test]
        fn left_equals_the_rational_oracle(
            (percent, per_million) in prop::sample::select(vec![("99%", 10_000), ("99.9%", 1000), ("99.95%", 500), ("99.9999%", 1), ("50%", 500_000)]),
            good in 0_i64..1 << 50, tolerated in 0_i64..1 << 40, bad in 0_i64..1 << 40,
        ) {
            prop_assume!(good + tolerated + bad > 0);
            let left = BudgetLeft::of(target(percent), days(30), counts(good, tolerated, bad)).expect("traffic");
            let (num, den) = oracle(per_million, good.into(), tolerated.into(), bad.into());
            let exact = num as f64 / den as f64;
            prop_assert!((left.ratio - exact).abs() <= 1e-9 * exact.abs().max(1.0), "{} against {exact}", left.ratio);
        }

        #[test]
        fn left_never_rises_when_a_good_event_turns_bad(good in 1_i64..1 << 50, tolerated in 0_i64..1 << 40, bad in 0_i64..1 << 40, turned in 1_i64..1000) {
            let turned = turned.min(good);
            let before = BudgetLeft::of(target("99.9%"), days(30), counts(good, tolerated, bad)).expect("traffic");
            let after = BudgetLeft::of(target("99.9%"), days(30), counts(good - turned, tolerated, bad + turned)).expect("traffic");
            prop_assert!(after.ratio <= before.ratio);
        }

        #[test]
        fn left_never_rises_when_bad_events_are_added(good in 0_i64..1 << 50, bad in 1_i64..1 << 40, more in 0_i64..1 << 40) {
            let before = BudgetLeft::of(target("99.9%"), days(30), counts(good, 0, bad)).expect("traffic");
            let after = BudgetLeft::of(target("99.9%"), days(30), counts(good, 0, bad + more)).expect("traffic");
            prop_assert!(after.ratio <= before.ratio);
        }

        #[test]
        fn every_figure_is_a_number(good in any::<i64>(), tolerated in any::<i64>(), bad in any::<i64>()) {
            if let Some(left) = BudgetLeft::of(target("99.999%"), days(90), counts(good, tolerated, bad)) {
                prop_assert!(left.ratio.is_finite() && left.seconds.is_finite());
            }
        }
    }
}
