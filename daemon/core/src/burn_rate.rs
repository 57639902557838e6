//! Burn rates: how many times the allowed rate of failures a lookback shows. Decided in integers, shown as floats.
//!
//! Burn rate = failed share / (1 - target); a row holds while it is strictly above its factor over both lookbacks (SRE Workbook, chapter 5).
//! Sums of events are divided once, at the end: quiet and busy hours weigh as the events they had. At 99.9 %, 10 % of failures are a burn of 100:
//! ```
//! use burnward_core::{burn_rate::FailedShare, ledger::Counts, units::Target};
//! let target = Target::percent("99.9%").unwrap();
//! let share = FailedShare::of(Counts { good: 9, bad: 1, ..Counts::default() }).unwrap();
//! assert!((share.burn(target) - 100.0).abs() < 1e-9);
//! ```

use std::{cmp::Ordering, time::Duration};

use crate::{
    chance,
    condition::{Condition, Says},
    ledger::{Counts, Sums},
    slo::AlertRow,
    units::{Factor, Ratio, Target},
};

/// An alert row with what it was decided from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowBurn {
    /// The row.
    pub row: AlertRow,
    /// What was counted over its long lookback.
    pub long: Counts,
    /// What was counted over its short lookback.
    pub short: Counts,
    /// Burn rate over the long lookback; 0 without traffic.
    pub long_burn: f64,
    /// Burn rate over the short lookback; 0 without traffic.
    pub short_burn: f64,
    /// What follows from it.
    pub verdict: Verdict,
}

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It holds: both lookbacks are strictly above the factor.
    Holds,
    /// One of them is not.
    Quiet,
    /// Both are, and yet it does not hold.
    HeldBack(HeldBack),
}

/// Why a row does not hold although both lookbacks are above its factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HeldBack {
    /// Of its long lookback only this much is counted, and were the rest without a failure, it would not be above the factor.
    Young {
        /// Since counting began.
        counted: Duration,
    },
    /// So few events may fail by chance while the objective is met.
    Chance {
        /// How likely at least so many failures are then; at least [`chance::LIMIT`].
        probability: f64,
    },
}

impl RowBurn {
    /// What the sums say about a row by its burn rates alone.
    pub fn of(row: AlertRow, target: Target, sums: &dyn Sums) -> Self {
        Self::judged(&Condition::by_rates(row, target), sums, row.long)
    }

    /// What the sums say about a row where so much time is counted.
    pub fn judged(condition: &Condition, sums: &dyn Sums, counted: Duration) -> Self {
        let Condition { row, target, unit, .. } = *condition;
        let (long, short) = (sums.over(row.long), sums.over(row.short));
        let verdict = match condition.judge(&short, || long, counted) {
            Says::Quiet => Verdict::Quiet,
            Says::Holds => Verdict::Holds,
            Says::Young => Verdict::HeldBack(HeldBack::Young { counted }),
            Says::Chance => Verdict::HeldBack(HeldBack::Chance { probability: chance::probability(long, unit, target) }),
        };
        Self { row, long, short, long_burn: burn(long, target), short_burn: burn(short, target), verdict }
    }

    /// True where it holds.
    pub const fn holds(&self) -> bool {
        matches!(self.verdict, Verdict::Holds)
    }

    /// True where it does not hold although both lookbacks are above its factor.
    pub const fn is_held_back(&self) -> bool {
        matches!(self.verdict, Verdict::HeldBack(_))
    }
}

/// The burn rate that counts show; 0 without traffic. For showing, never for deciding.
pub fn burn(counts: Counts, target: Target) -> f64 {
    FailedShare::of(counts).map_or(0.0, |share| share.burn(target))
}

/// How the burn rate that counts show compares with a factor, exactly. Without traffic it is below any factor.
pub fn compare(counts: Counts, factor: Factor, target: Target) -> Ordering {
    FailedShare::of(counts).map_or(Ordering::Less, |share| share.compare(factor, target))
}

/// Whether the good events exceed all events by more than the budget allows of failures. A few too many are two exporters read at different moments;
/// so many say nothing about the budget, and a recovery that they show is not to be believed.
pub fn contradicts(counts: Counts, target: Target) -> bool {
    let total = counts.total();
    let excess = counts.good.saturating_sub(total);
    let as_failures = Counts { good: total.saturating_sub(excess), bad: excess, ..Counts::default() };
    excess > 0 && compare(as_failures, Factor::ONE, target).is_gt()
}

/// The share of the events that failed, between 0 and 1, exact. A tolerated event is half failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedShare {
    failed_halves: u128,
    all_halves: u128,
}

impl FailedShare {
    /// The share in these counts; `None` without traffic. Counts that contradict themselves (see [`Doubt`]) give a share within 0 and 1: more failed
    /// events than events are all failed, so that an alert is never missed.
    pub fn of(counts: Counts) -> Option<Self> {
        let (failed, all) = failed_halves(counts);
        match failed.cmp(&all) {
            Ordering::Less => Some(Self { failed_halves: failed, all_halves: all }),
            Ordering::Equal if all == 0 => None,
            Ordering::Equal | Ordering::Greater => Some(Self { failed_halves: 1, all_halves: 1 }),
        }
    }

    /// The nearest float; for showing.
    pub fn as_f64(self) -> f64 {
        float(self.failed_halves) / float(self.all_halves)
    }

    /// The burn rate as the nearest float; for showing.
    pub fn burn(self, target: Target) -> f64 {
        let (failed, allowed) = self.over_common_denominator(target);
        float(failed) / float(allowed)
    }

    /// Which share of a budget is left when this share of its window's events failed; negative when overspent. For showing.
    pub fn leaves(self, target: Target) -> f64 {
        let (failed, allowed) = self.over_common_denominator(target);
        let size = float(allowed.abs_diff(failed)) / float(allowed);
        if failed > allowed { -size } else { size }
    }

    /// Whether at most this share failed, exactly.
    pub fn is_at_most(self, share: Ratio) -> bool {
        compare_fractions((self.failed_halves, self.all_halves), (u128::from(share.num()), u128::from(share.den()))).is_le()
    }

    /// How the burn rate compares with `factor`, exactly.
    pub fn compare(self, factor: Factor, target: Target) -> Ordering {
        self.against(Limit::of(factor, target))
    }

    /// How it compares with a limit, exactly.
    fn against(self, limit: Limit) -> Ordering {
        compare_fractions((self.failed_halves, self.all_halves), limit.share)
    }

    /// Failed and allowed events on one scale. Counts are below 2^66 halves and a target's parts below 2^54: no product overflows.
    fn over_common_denominator(self, target: Target) -> (u128, u128) {
        let allowed = target.allowed();
        (self.failed_halves * u128::from(allowed.den()), self.all_halves * u128::from(allowed.num()))
    }
}

/// The failed share at which a burn rate is at its factor, exact: `factor x (1 - target)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    share: Fraction,
    /// The same, where it fits.
    small: Option<(u64, u64)>,
}

impl Limit {
    pub(crate) fn of(factor: Factor, target: Target) -> Self {
        let (factor, allowed) = (factor.ratio(), target.allowed());
        Self::at((u128::from(factor.num()) * u128::from(allowed.num()), u128::from(factor.den()) * u128::from(allowed.den())))
    }

    fn at(share: Fraction) -> Self {
        let small = u64::try_from(share.0).ok().zip(u64::try_from(share.1).ok());
        Self { share, small }
    }

    /// The same of what is counted, where that is only the last `counted` of `whole` and the rest is taken to have had the same traffic and no failure.
    pub(crate) fn of_part(self, counted: Duration, whole: Duration) -> Self {
        let (above, below) = self.share;
        Self::at((above * whole.as_millis(), below * counted.as_millis().max(1)))
    }

    /// Whether the failed share of these counts is above it; without traffic it is not.
    #[inline]
    pub(crate) fn is_exceeded(&self, counts: &Counts) -> bool {
        match (self.small, small_halves(*counts)) {
            (Some((above, below)), Some((failed, all))) => {
                let (failed, all) = if failed < all { (failed, all) } else { (failed.min(1), 1) };
                u128::from(failed) * u128::from(below) > u128::from(all) * u128::from(above)
            }
            (Some(_) | None, Some(_) | None) => FailedShare::of(*counts).is_some_and(|share| share.against(*self).is_gt()),
        }
    }
}

/// Failures and events, in halves of one, for a tolerated event is half a failure; nothing where the sum is negative.
pub(crate) fn failed_halves(counts: Counts) -> (u128, u128) {
    let (good, tolerated, bad) = (i128::from(counts.good), i128::from(counts.tolerated), i128::from(counts.bad));
    let halves = |sum: i128| u128::try_from(sum).unwrap_or(0);
    (halves(2 * bad + tolerated), halves(2 * (good + tolerated + bad)))
}

/// The same of counts that are not negative and fit, which are most: many times faster.
#[inline]
pub(crate) fn small_halves(Counts { good, tolerated, bad, unseen_millis: _ }: Counts) -> Option<(u64, u64)> {
    const FITS: i64 = 1 << 60;
    let fits = (good | tolerated | bad) & !(FITS - 1) == 0;
    let halves = |sum: i64| sum.cast_unsigned();
    fits.then(|| (halves(2 * bad + tolerated), halves(2 * (good + tolerated + bad))))
}

/// Why counts cannot be true as they stand. Both are shown beside the figures; neither hides an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The bad events exceed all events; decided as all bad.
    MoreBadThanAll,
    /// The good events exceed all events; decided as none bad.
    MoreGoodThanAll,
}

impl Doubt {
    /// The doubt in these counts.
    pub const fn of(counts: Counts) -> Option<Self> {
        match (counts.good < 0, counts.bad < 0 || counts.tolerated < 0) {
            (true, _) => Some(Self::MoreBadThanAll),
            (false, true) => Some(Self::MoreGoodThanAll),
            (false, false) => None,
        }
    }

    /// The doubt as a clause for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::MoreBadThanAll => "more bad events than events in all, taken as all bad",
            Self::MoreGoodThanAll => "more good events than events in all, taken as none bad",
        }
    }
}

/// A numerator over a positive denominator.
type Fraction = (u128, u128);

/// The nearest float. What fits in 64 bits a processor turns by itself, which is many times faster.
fn float(number: u128) -> f64 {
    u64::try_from(number).map_or_else(|_| number as f64, |number| number as f64)
}

/// Compares two fractions exactly, whatever their size.
fn compare_fractions(a: Fraction, b: Fraction) -> Ordering {
    let small = |(above, below): Fraction| Some((u64::try_from(above).ok()?, u64::try_from(below).ok()?));
    if let (Some(a), Some(b)) = (small(a), small(b)) {
        return (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)));
    }
    match (a.0.checked_mul(b.1), b.0.checked_mul(a.1)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(_) | None, Some(_) | None) => compare_by_parts(a, b),
    }
}

/// Compares whole parts, then what is left of each turned upside down (the steps of Euclid's algorithm): no product, so no overflow.
fn compare_by_parts(a: Fraction, b: Fraction) -> Ordering {
    let (rest_a, rest_b) = (a.0 % a.1, b.0 % b.1);
    (a.0 / a.1).cmp(&(b.0 / b.1)).then_with(|| match (rest_a, rest_b) {
        (0, 0) => Ordering::Equal,
        (0, _) => Ordering::Less,
        (_, 0) => Ordering::Greater,
        (_, _) => compare_by_parts((b.1, rest_b), (a.1, rest_a)),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(good: i64, tolerated: i64, bad: i64) -> Counts {
        Counts { good, tolerated, bad, unseen_millis: 0 }
    }

    fn target(text: &str) -> Target {
        Target::percent(text).expect("a target")
    }

    fn factor(text: &str) -> Factor {
        Factor::parse(text).expect("a factor")
    }

    #[test]
    fn a_ratio_exactly_at_the_limit_is_equal_and_one_event_more_is_above() {
        for (percent, at, bad, total) in
            [("99.9%", "14.4", 144, 10_000), ("99.95%", "14.4", 72, 10_000), ("99.99%", "14.4", 144, 100_000), ("99.9%", "1", 1, 1000)]
        {
            let exactly = counts(total - bad, 0, bad);
            let above = counts(total - bad - 1, 0, bad + 1);
            assert_eq!(compare(exactly, factor(at), target(percent)), Ordering::Equal, "{percent} {at}");
            assert_eq!(compare(above, factor(at), target(percent)), Ordering::Greater, "{percent} {at}");
        }
    }

    #[test]
    fn without_traffic_nothing_burns() {
        assert_eq!(FailedShare::of(Counts::default()), None);
        assert_eq!(burn(Counts::default(), target("99.9%")).to_bits(), 0.0_f64.to_bits());
        assert_eq!(compare(Counts::default(), factor("1"), target("99.9%")), Ordering::Less);
    }

    #[test]
    fn more_bad_than_all_counts_as_all_bad_and_is_doubted() {
        for odd in [counts(-5, 0, 10), counts(-10, 0, 5), counts(-1, 0, 1), counts(i64::MIN, 0, i64::MAX)] {
            assert_eq!(FailedShare::of(odd).map(FailedShare::as_f64), Some(1.0), "{odd:?}");
            assert_eq!(Doubt::of(odd), Some(Doubt::MoreBadThanAll), "{odd:?}");
        }
    }

    #[test]
    fn more_good_than_all_counts_as_none_bad_and_is_doubted() {
        let odd = counts(110, 0, -10);
        assert_eq!(FailedShare::of(odd).map(FailedShare::as_f64), Some(0.0));
        assert_eq!(Doubt::of(odd), Some(Doubt::MoreGoodThanAll));
        assert_eq!(Doubt::of(counts(1, 1, 1)), None);
    }

    #[test]
    fn good_events_contradict_all_events_where_the_excess_is_beyond_the_budget() {
        for (total, bad, contradictory) in
            [(1000, 0, false), (1000, -1, false), (1000, -2, true), (0, 0, false), (0, -1, true), (1000, 2000, false)]
        {
            assert_eq!(contradicts(counts(total - bad, 0, bad), target("99.9%")), contradictory, "{bad} of {total}");
        }
    }

    #[test]
    fn a_tolerated_event_is_half_a_failure() {
        assert_eq!(FailedShare::of(counts(90, 10, 0)).map(FailedShare::as_f64), Some(0.05));
        assert_eq!(compare(counts(98, 2, 0), factor("1"), target("99%")), Ordering::Equal);
    }

    #[test]
    fn the_largest_counts_and_the_strictest_targets_do_not_overflow() {
        let (huge, strict) = (counts(i64::MAX, i64::MAX, i64::MAX), target("0.00000000000001%"));
        assert!(burn(huge, strict).is_finite());
        assert_eq!(compare(huge, factor("123456789"), target("99.9999999%")), Ordering::Greater);
        assert_eq!(compare(huge, factor("0.00000000000001"), target("99.9999999%")), Ordering::Greater);
    }

    proptest! {
        #[test]
        fn small_fractions_compare_as_large_ones_do(a_num in any::<u64>(), b_num in any::<u64>(), dens in (1_u64.., 1_u64..), shift in 0_u32..60) {
            let (a, b) = ((u128::from(a_num >> shift), u128::from(dens.0)), (u128::from(b_num >> shift), u128::from(dens.1)));
            prop_assert_eq!(compare_fractions(a, b), compare_by_parts(a, b));
        }

        #[test]
        fn small_counts_exceed_a_limit_as_large_ones_do(
            (good, tolerated, bad) in (any::<i64>(), any::<i64>(), any::<i64>()), shifts in (0_u32..64, 0_u32..64, 0_u32..64),
            (factor, percent) in (prop::sample::select(vec!["14.4", "1", "0.000001", "123456789"]), prop::sample::select(vec!["99.9%", "50%", "99.9999999%"])),
            (counted, whole) in (0_u64..1 << 40, 1_u64..1 << 40),
        ) {
            let counts = counts(good >> shifts.0, tolerated >> shifts.1, bad >> shifts.2);
            let limit = Limit::of(super::tests::factor(factor), target(percent));
            for limit in [limit, limit.of_part(Duration::from_millis(counted), Duration::from_millis(whole))] {
                let exceeded = FailedShare::of(counts).is_some_and(|share| share.against(limit).is_gt());
                prop_assert_eq!(limit.is_exceeded(&counts), exceeded);
                prop_assert_eq!(Limit { small: None, ..limit }.is_exceeded(&counts), exceeded);
            }
        }

        #[test]
        fn the_nearest_float_is_the_same_however_it_is_found(number in any::<u128>(), shift in 0_u32..128) {
            prop_assert_eq!(float(number >> shift).to_bits(), ((number >> shift) as f64).to_bits());
        }

        #[test]
        fn comparing_by_parts_equals_comparing_products(a in 0_u128..1 << 60, b in 1_u128..1 << 60, c in 0_u128..1 << 60, d in 1_u128..1 << 60) {
            prop_assert_eq!(compare_by_parts((a, b), (c, d)), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn scaling_beyond_all_integers_keeps_the_order(a in 0_u128..1 << 30, b in 1_u128..1 << 30, c in 0_u128..1 << 30, d in 1_u128..1 << 30) {
            let far = 1 << 90;
            prop_assert_eq!(compare_fractions((a * far, b * far), (c * far, d * far)), (a * d).cmp(&(c * b)));
        }

        #[test]
        fn burns_are_numbers(good in any::<i64>(), tolerated in any::<i64>(), bad in any::<i64>()) {
            let burn = burn(counts(good, tolerated, bad), target("99.9%"));
            prop_assert!((0.0..=1_000.000_001).contains(&burn));
        }
    }
}
