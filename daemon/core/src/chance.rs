//! Chance: how likely at least so many failures are while an objective is just met. What may well be chance wakes nobody.
//!
//! With `n` events of which each fails by itself with probability `B = 1 - target`, the failures are binomial; the tail `P(X >= k)` is compared with
//! [`LIMIT`]. At 99.9 % one failure of 10 requests is nothing to wake anybody for (1 % of such hours have one), two of 10 are:
//! ```
//! use burnward_core::{chance::{failures_beyond, may_be}, ledger::Counts, units::{EventUnit, Target}};
//! let target = Target::percent("99.9%").unwrap();
//! let failed = |bad| Counts { good: 10 - bad, bad, ..Counts::default() };
//! assert!(may_be(failed(1), EventUnit::Event, target) && !may_be(failed(2), EventUnit::Event, target));
//! assert_eq!(failures_beyond(10, target), Some(2));
//! ```
//! That failures are independent is assumed: where they come in bursts, chance makes more of them than this says.
//!
//! The decision is the same on every machine. Only additions, multiplications, divisions and square roots of 64-bit floats take part, which IEEE 754
//! defines to the last bit; the logarithm is our own, for those of systems differ. The tail is enclosed between the convergents of a continued fraction
//! with positive terms until it lies on one side of the limit (`A. R. DiDonato`, `A. H. Morris`, ACM TOMS 18 (1992), 360); its first factor is computed
//! from exact integers as `C. Loader` showed (2000). What lies within a billionth of the limit counts as chance.

use crate::{
    burn_rate::{failed_halves, small_halves},
    ledger::Counts,
    units::{EventUnit, Factor, Ratio, Target},
};

/// So many events, and failures, are looked at for showing.
const MOST_EVENTS: u64 = 1 << 53;
const MOST_FAILURES: u64 = 2_000;

/// Failures that are at least so likely while the objective is met may be chance.
pub const LIMIT: f64 = 1e-4;

/// The natural logarithm of [`LIMIT`].
const LN_LIMIT: f64 = -9.210_340_371_976_182;

/// What is nearer to the limit than this part of it is at the limit: far more than the arithmetic is wrong by.
const AT_LIMIT: f64 = 1e-9;

/// Whether so many failures may be chance while the target is met. A tolerated event is half a failure; halves of a failure are dropped, so that no
/// event weighs more here than in the budget. Counts that contradict themselves are taken as in [`FailedShare`](crate::burn_rate::FailedShare).
#[inline]
pub fn may_be(counts: Counts, unit: EventUnit, target: Target) -> bool {
    let (failed, events) = whole_failures(counts, unit);
    !Binomial::new(events, target).is_rarer_than_limit(failed)
}

/// How likely at least so many failures are while the target is met. For showing, never for deciding.
pub fn probability(counts: Counts, unit: EventUnit, target: Target) -> f64 {
    let (failed, events) = whole_failures(counts, unit);
    Binomial::new(events, target).tail(failed)
}

/// The fewest failures of so many events that are not chance; `None` where even all of them may be.
pub fn failures_beyond(events: u64, target: Target) -> Option<u64> {
    let binomial = Binomial::new(events, target);
    let (mut chance, mut beyond) = (0, events);
    if !binomial.is_rarer_than_limit(beyond) {
        return None;
    }
    while beyond - chance > 1 {
        let middle = chance + (beyond - chance) / 2;
        if binomial.is_rarer_than_limit(middle) { beyond = middle } else { chance = middle }
    }
    Some(beyond)
}

/// The most events, of `from` on, of which as few failures are not chance as of `from`: `failures` is what [`failures_beyond`] says of `from`.
pub(crate) fn most_events_within(failures: Option<u64>, from: u64, target: Target) -> u64 {
    // More events never make fewer failures rarer; while none is enough, each further event lets one more of them fail.
    let same = |events: u64| failures_beyond(events, target) == failures;
    let mut beyond = from.saturating_mul(2);
    while same(beyond) && beyond < MOST_EVENTS {
        beyond = beyond.saturating_mul(2);
    }
    let mut within = from;
    while beyond - within > 1 {
        let middle = within + (beyond - within) / 2;
        if same(middle) { within = middle } else { beyond = middle }
    }
    within
}

/// The most events among which failures that are above `factor` times what the target allows may yet be chance. 0: they never are; `None`: they may be
/// among any number of events that is looked at, as with factors hardly above 1.
pub(crate) fn waits_up_to(factor: Factor, target: Target) -> Option<u64> {
    let (factor, allowed) = (factor.ratio(), target.allowed());
    let num = u128::from(factor.num()) * u128::from(allowed.num());
    let den = u128::from(factor.den()) * u128::from(allowed.den());
    let (mut waits, mut last) = (0, 0);
    // The probability of `k` failures that are just above the factor falls geometrically with `k`: behind twice the last one that is likely enough, none is.
    for k in 1..=MOST_FAILURES {
        if k > 2 * last + 16 {
            return Some(waits);
        }
        let events = u64::try_from((u128::from(k).saturating_mul(den) - 1) / num).unwrap_or(u64::MAX).min(MOST_EVENTS);
        if events >= k && !Binomial::new(events, target).is_rarer_than_limit(k) {
            (waits, last) = (events, k);
        }
    }
    None
}

/// Whole failures, and the events among which they are. Where an expression computed fractions of them, a part of a failure is none and a part of an
/// event is one: the direction that takes more for chance.
pub(crate) fn whole_failures(counts: Counts, unit: EventUnit) -> (u64, u64) {
    // What is simple is halved many times faster.
    if let (Some((failed_halves, all_halves)), 1) = (small_halves(counts), unit.per_event()) {
        return (failed_halves / 2, all_halves.max(failed_halves).div_ceil(2));
    }
    let (failed_halves, all_halves) = failed_halves(counts);
    let all_halves = all_halves.max(failed_halves);
    let halves_per_event = 2 * unit.per_event().unsigned_abs();
    // What fits in 64 bits is divided many times faster.
    if let (Ok(failed), Ok(all)) = (u64::try_from(failed_halves), u64::try_from(all_halves)) {
        return (failed / halves_per_event, all.div_ceil(halves_per_event));
    }
    let (halves_per_event, whole) = (u128::from(halves_per_event), |events: u128| u64::try_from(events).unwrap_or(u64::MAX));
    (whole(failed_halves / halves_per_event), whole(all_halves.div_ceil(halves_per_event)))
}

/// So many independent events of which each fails with this probability.
struct Binomial {
    events: u64,
    failing: Ratio,
}

/// Both include the value that they are of.
#[derive(Clone, Copy)]
struct Bounds {
    low: f64,
    high: f64,
}

impl Binomial {
    fn new(events: u64, target: Target) -> Self {
        Self { events, failing: target.allowed() }
    }

    /// Whether `P(X >= k)` is below the limit.
    #[inline]
    fn is_rarer_than_limit(&self, k: u64) -> bool {
        self.is_far_above(k) || self.is_rarer_by_its_tail(k)
    }

    fn is_rarer_by_its_tail(&self, k: u64) -> bool {
        if self.excess(k) <= 0.0 {
            return false;
        }
        if -self.deviance(k) < LN_LIMIT - AT_LIMIT {
            return true;
        }
        let rare = |k| self.enclose(k, |ln| ln.high < LN_LIMIT - AT_LIMIT || ln.low > LN_LIMIT).high < LN_LIMIT - AT_LIMIT;
        // Fewer failures are never rarer, and far from the mean the fraction converges soonest.
        let far = self.three_deviations_above();
        if k < far && far <= self.events && !rare(far) { false } else { rare(k) }
    }

    /// `P(X >= k)`.
    fn tail(&self, k: u64) -> f64 {
        if k == 0 {
            return 1.0;
        }
        if self.excess(k) <= 0.0 {
            return 1.0 - self.others().tail(self.events - k + 1);
        }
        let Bounds { low, high } = self.enclose(k, |ln| ln.high - ln.low < 1e-6);
        f64::midpoint(low, high).exp().min(1.0)
    }

    /// The events that do not fail.
    fn others(&self) -> Self {
        let Self { events, failing } = *self;
        Self { events, failing: Ratio::new(failing.den() - failing.num(), failing.den()).expect("the denominator of a fraction") }
    }

    /// How many failures `k` is above the mean: from integers, so that a small difference of large numbers is exact.
    fn excess(&self, k: u64) -> f64 {
        let (num, den) = (i128::from(self.failing.num()), i128::from(self.failing.den()));
        (i128::from(k) * den - i128::from(self.events) * num) as f64 / den as f64
    }

    /// Whether `k` is so many and so many times the mean `m` that it is rare without a logarithm: Chernoff's bound is at most `exp(-(k ln(k / m) - k + m))`,
    /// and for 32 failures at 4 times the mean that is `exp(-20)`; more of either is less.
    fn is_far_above(&self, k: u64) -> bool {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        k >= 32 && product(k, self.failing.den()) / 4 >= product(self.events, self.failing.num())
    }

    fn mean(&self) -> f64 {
        self.events as f64 * self.failing.as_f64()
    }

    fn mean_of_others(&self) -> f64 {
        self.events as f64 * self.not_failing()
    }

    fn not_failing(&self) -> f64 {
        (self.failing.den() - self.failing.num()) as f64 / self.failing.den() as f64
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of events: positive, and cut at the largest")]
    fn three_deviations_above(&self) -> u64 {
        (self.mean() + 3.0 * (self.mean() * self.not_failing()).sqrt()).ceil() as u64
    }

    /// `-ln` of Chernoff's bound on the tail above the mean, and the main part of `-ln P(X = k)`; from 0.
    fn deviance(&self, k: u64) -> f64 {
        let excess = self.excess(k);
        deviance(k as f64, self.mean(), excess) + deviance((self.events - k) as f64, self.mean_of_others(), -excess)
    }

    /// `ln P(X = k)` for `k` from 1.
    fn ln_mass(&self, k: u64) -> f64 {
        if k == self.events {
            return -self.deviance(k);
        }
        let (n, k_, rest) = (self.events as f64, k as f64, (self.events - k) as f64);
        let stirling = stirling_correction(self.events) - stirling_correction(k) - stirling_correction(self.events - k);
        stirling - self.deviance(k) + 0.5 * ln(n / k_ / rest / std::f64::consts::TAU)
    }

    /// Encloses `ln P(X >= k)` for `k` above the mean, ever closer until `enough`.
    fn enclose(&self, k: u64, enough: impl Fn(Bounds) -> bool) -> Bounds {
        let first = self.ln_mass(k) + ln(self.not_failing() * k as f64);
        let mut fraction = Fraction::new(self, k);
        let mut ln_bounds = Bounds { low: f64::NEG_INFINITY, high: 0.0 };
        for at in 0..MOST_CONVERGENTS {
            match fraction.next() {
                Some(convergent) if at % 2 == 0 => ln_bounds.high = ln_bounds.high.min(first + ln(convergent)),
                Some(convergent) => ln_bounds.low = ln_bounds.low.max(first + ln(convergent)),
                None => {
                    let end = first + ln(fraction.value());
                    return Bounds { low: end, high: end };
                }
            }
            if enough(ln_bounds) {
                break;
            }
        }
        ln_bounds
    }
}

/// More than ever needed: three deviations above the mean a few dozen decide, whatever the number of events.
const MOST_CONVERGENTS: u32 = 10_000;

/// The continued fraction `P(X >= k) / (k P(X = k) (1 - B))`, by its convergents. All its terms are positive: they lie above and below it in turn.
struct Fraction {
    a: f64,
    b: f64,
    events_and_one: f64,
    x: f64,
    /// `k + 1 - (n + 1) B`.
    over: f64,
    m: f64,
    /// Numerators and denominators of the last two convergents, scaled so that the last denominator is 1.
    before: (f64, f64),
    last: (f64, f64),
}

impl Fraction {
    fn new(binomial: &Binomial, k: u64) -> Self {
        Self {
            a: k as f64,
            b: (binomial.events - k) as f64 + 1.0,
            events_and_one: binomial.events as f64 + 1.0,
            x: binomial.failing.as_f64(),
            over: binomial.excess(k) + binomial.not_failing(),
            m: 0.0,
            before: (1.0, 0.0),
            last: (0.0, 1.0),
        }
    }

    fn value(&self) -> f64 {
        self.last.0
    }
}

impl Iterator for Fraction {
    type Item = f64;

    /// The next convergent; `None` where the last one was the value.
    fn next(&mut self) -> Option<f64> {
        let Self { a, b, events_and_one, x, over, m, before, last } = *self;
        let numerator = if m == 0.0 {
            1.0
        } else {
            let by = a + 2.0 * m - 1.0;
            (a + m - 1.0) / by * ((events_and_one + m - 1.0) / by) * m * (b - m) * x * x
        };
        if numerator <= 0.0 {
            return None;
        }
        let denominator =
            if m == 0.0 { 0.0 } else { m + m * (b - m) * x / (a + 2.0 * m - 1.0) } + (a + m) * (over + m * (2.0 - x)) / (a + 2.0 * m + 1.0);
        let (p, q) = (denominator * last.0 + numerator * before.0, denominator * last.1 + numerator * before.1);
        self.before = (last.0 / q, last.1 / q);
        self.last = (p / q, 1.0);
        self.m = m + 1.0;
        Some(p / q)
    }
}

/// `x ln(x / mean) - (x - mean)`, from 0; near the mean by a series, where the difference would lose all digits.
fn deviance(x: f64, mean: f64, excess: f64) -> f64 {
    if x == 0.0 {
        return mean;
    }
    let v = excess / (x + mean);
    if v.abs() < 0.1 { excess * v + 2.0 * x * v * atanh_rest(v * v) } else { x * ln(x / mean) - excess }
}

/// `atanh(v) / v - 1` for the square of `v`, below 0.12: `v^2 / 3 + v^4 / 5 + ...`.
fn atanh_rest(square: f64) -> f64 {
    (1..20_u32).rev().fold(0.0, |sum, at| square * (1.0 / f64::from(2 * at + 1) + sum))
}

/// What Stirling's formula lacks of `ln n!`, for `n` from 1.
fn stirling_correction(n: u64) -> f64 {
    let exactly = n.max(16);
    let x = 1.0 / exactly as f64;
    let square = x * x;
    let series = x * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    (n..exactly).fold(series, |sum, below| {
        let s = 1.0 / (2 * below + 1) as f64;
        sum + atanh_rest(s * s)
    })
}

/// The natural logarithm of a positive, normal number: `m 2^e` with `m` around 1, and the series of `atanh` for `m`.
fn ln(x: f64) -> f64 {
    const MANTISSA_BITS: u32 = 52;
    const BIAS: i64 = 1023;
    let bits = x.to_bits();
    let mantissa = f64::from_bits((bits & ((1 << MANTISSA_BITS) - 1)) | 1.0_f64.to_bits());
    let exponent = i64::try_from(bits >> MANTISSA_BITS).unwrap_or(BIAS) - BIAS;
    let (m, e) = if mantissa > std::f64::consts::SQRT_2 { (mantissa / 2.0, exponent + 1) } else { (mantissa, exponent) };
    let s = (m - 1.0) / (m + 1.0);
    e as f64 * std::f64::consts::LN_2 + 2.0 * s * (1.0 + atanh_rest(s * s))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(text: &str) -> Target {
        Target::percent(text).expect("a target")
    }

    fn binomial(events: u64, failing: (u64, u64)) -> Binomial {
        Binomial { events, failing: Ratio::new(failing.0, failing.1).expect("a fraction") }
    }

    fn rare(events: u64, k: u64, failing: (u64, u64)) -> bool {
        binomial(events, failing).is_rarer_than_limit(k)
    }

    /// A natural number, its lowest 32 bits first.
    #[derive(Clone)]
    struct Natural(Vec<u32>);

    impl Natural {
        fn times(&self, by: u32) -> Self {
            let mut carry = 0_u64;
            let mut digits: Vec<u32> = Vec::with_capacity(self.0.len() + 1);
            for digit in &self.0 {
                carry += u64::from(*digit) * u64::from(by);
                digits.push(u32::try_from(carry & 0xffff_ffff).expect("masked"));
                carry >>= 32;
            }
            digits.push(u32::try_from(carry).expect("below the factor"));
            Self(digits)
        }

        fn divided_by(&self, by: u32) -> Self {
            let mut rest = 0_u64;
            let mut digits = self.0.clone();
            for digit in digits.iter_mut().rev() {
                rest = (rest << 32) | u64::from(*digit);
                *digit = u32::try_from(rest / u64::from(by)).expect("the rest is below the divisor");
                rest %= u64::from(by);
            }
            assert_eq!(rest, 0, "the division leaves nothing");
            Self(digits)
        }

        fn plus(&self, other: &Self) -> Self {
            let mut carry = 0_u64;
            let digit = |number: &Self, at: usize| u64::from(number.0.get(at).copied().unwrap_or(0));
            let sum = (0..=self.0.len().max(other.0.len())).map(|at| {
                carry += digit(self, at) + digit(other, at);
                let low = u32::try_from(carry & 0xffff_ffff).expect("masked");
                carry >>= 32;
                low
            });
            Self(sum.collect())
        }

        fn is_less_than(&self, other: &Self) -> bool {
            let digit = |number: &Self, at: usize| number.0.get(at).copied().unwrap_or(0);
            let differs = (0..self.0.len().max(other.0.len())).rev().find(|at| digit(self, *at) != digit(other, *at));
            differs.is_some_and(|at| digit(self, at) < digit(other, at))
        }
    }

    /// Whether `P(X >= k) < 1/10,000`, in whole numbers: `sum C(n, i) num^i (den - num)^(n - i) x 10,000 < den^n`.
    fn exactly_rare(n: u32, k: u32, (num, den): (u32, u32)) -> bool {
        let power = |of: u32, times: u32| (0..times).fold(Natural(vec![1]), |product, _| product.times(of));
        let mut term = power(num, n);
        let mut tail = Natural(vec![0]);
        for i in (k..=n).rev() {
            tail = tail.plus(&term);
            // From i failures to i - 1: num^i C(n, i) to num^(i - 1) C(n, i - 1), and once more den - num.
            term = if i == 0 { term } else { term.times(den - num).times(i).divided_by(num).divided_by(n - i + 1) };
        }
        tail.times(10_000).is_less_than(&power(den, n))
    }

    #[test]
    fn the_tail_is_that_of_reference_tables_at_both_ends() {
        let huge = 1_u64 << 53;
        for (events, k, failing, expected) in [
            (10, 1, (1, 1000), 0.009_955_119_790_251_79),
            (10, 2, (1, 1000), 4.476_062_899_304_93e-5),
            (15, 2, (1, 1000), 0.000_104_094_083_012_986),
            (60, 3, (1, 1000), 3.278_936_917_318_4e-5),
            (85, 3, (1, 1000), 9.288_815_360_491_19e-5),
            (7200, 20, (1, 1000), 6.402_905_523_989_47e-5),
            (360_000, 432, (1, 1000), 0.000_124_441_955_898_791),
            (360_000, 433, (1, 1000), 0.000_102_406_639_298_773),
            (1_000_000, 100, (1, 100_000), 5.376_984_525_639_48e-63),
            (1_000_000_000, 2, (1, 1_000_000_000), 0.264_241_117_657_115),
            (100, 99, (9, 10), 0.000_321_688_053_194_115),
            (50, 50, (1, 2), 8.881_784_197_001_25e-16),
            (huge, 9_007_210_414_740, (1, 1000), 9.946_458_021_545_42e-5),
            (huge, 9_007_210_404_740, (1, 1000), 0.000_100_785_739_575_341),
            (huge, 4_503_599_803_370_496, (1, 2), 0.000_104_071_494_446_893),
            (huge, 4_503_599_803_970_496, (1, 2), 9.899_527_084_032_22e-5),
            (10, 0, (1, 1000), 1.0),
            (4, 1, (1, 2), 0.9375),
        ] {
            let tail = binomial(events, failing).tail(k);
            assert!((tail / expected - 1.0).abs() < 2e-6, "{k} of {events}: {tail:e}, and {expected:e} is right");
            if events > 10 {
                assert_eq!(rare(events, k, failing), expected < LIMIT, "{k} of {events}");
            }
        }
    }

    #[test]
    fn a_tail_exactly_at_the_limit_is_chance() {
        for (events, failing) in [(1, (1, 10_000)), (4, (1, 10)), (2, (1, 100))] {
            assert!(!rare(events, events, failing), "{events} events that fail with {failing:?}");
        }
        assert!(rare(1, 1, (1, 10_001)) && rare(4, 4, (999, 10_000)));
    }

    #[test]
    fn around_every_limit_the_decision_is_the_exact_one() {
        for failing in [(1, 10_000), (1, 2000), (1, 1000), (3, 1000), (1, 100), (1, 20), (1, 10), (3, 10), (1, 2), (9, 10), (99, 100)] {
            for events in (1..=60).chain([97, 150, 211]) {
                for k in 0..=events {
                    let decided = rare(u64::from(events), u64::from(k), (u64::from(failing.0), u64::from(failing.1)));
                    assert_eq!(decided, exactly_rare(events, k, failing), "{k} of {events} that fail with {failing:?}");
                    if decided {
                        break;
                    }
                }
            }
        }
    }

    #[test]
    fn how_many_are_beyond_chance() {
        for (events, percent, failed) in [
            (0, "99.9%", None),
            (1, "99.9%", None),
            (2, "99.9%", Some(2)),
            (14, "99.9%", Some(2)),
            (15, "99.9%", Some(3)),
            (87, "99.9%", Some(3)),
            (88, "99.9%", Some(4)),
            (1, "99.99%", None),
            (1, "99.999%", Some(1)),
            (360_000, "99.9%", Some(434)),
            (4, "90%", None),
            (5, "90%", Some(5)),
        ] {
            assert_eq!(failures_beyond(events, target(percent)), failed, "{events} events at {percent}");
        }
    }

    #[test]
    fn from_some_number_of_events_on_nothing_above_the_factor_is_chance() {
        for (percent, factor) in [("99.9%", "14.4"), ("99.9%", "6"), ("99%", "6"), ("99.99%", "3"), ("90%", "6"), ("99.999%", "14.4")] {
            let (target, factor) = (target(percent), Factor::parse(factor).expect("a factor"));
            let up_to = waits_up_to(factor, target).expect("a number");
            // The fewest failures of so many events that are above the factor.
            let above = |events: u64| {
                let (num, den) = (factor.ratio().num() * target.allowed().num(), factor.ratio().den() * target.allowed().den());
                events * num / den + 1
            };
            let waits =
                |events: u64| above(events) <= events && failures_beyond(events, target).is_none_or(|beyond| above(events) < beyond);
            assert!(waits(up_to), "{percent} {up_to}");
            assert!(
                (up_to + 1..up_to * 4 + 100).step_by(1 + usize::try_from(up_to / 2_000).expect("small")).all(|events| !waits(events)),
                "{percent}"
            );
        }
        assert_eq!(waits_up_to(Factor::ONE, target("99.9%")), None);
    }

    #[test]
    fn so_many_events_have_the_same_fewest_failures() {
        for (from, percent, up_to) in [(1, "99.9%", 1), (2, "99.9%", 14), (15, "99.9%", 87), (1, "90%", 4), (1, "99.999%", 10)] {
            let target = target(percent);
            assert_eq!(most_events_within(failures_beyond(from, target), from, target), up_to, "{from} at {percent}");
        }
    }

    #[test]
    fn tolerated_events_weigh_half_and_a_half_failure_is_dropped() {
        let counts = |good, tolerated, bad| Counts { good, tolerated, bad, unseen_millis: 0 };
        for (odd, chance) in [(counts(8, 0, 2), false), (counts(6, 4, 0), false), (counts(7, 3, 0), true), (counts(8, 1, 1), true)] {
            assert_eq!(may_be(odd, EventUnit::Event, target("99.9%")), chance, "{odd:?}");
        }
    }

    #[test]
    fn more_failures_than_events_are_all_of_them() {
        let counts = |good, bad| Counts { good, bad, ..Counts::default() };
        for (odd, chance) in [
            (counts(-5, 5), false),
            (counts(-10, 5), false),
            (counts(-1, 1), true),
            (counts(1, -1), true),
            (counts(i64::MIN, i64::MAX), false),
        ] {
            assert_eq!(may_be(odd, EventUnit::Event, target("99.9%")), chance, "{odd:?}");
            assert!((0.0..=1.0).contains(&probability(odd, EventUnit::Event, target("99.9%"))), "{odd:?}");
        }
    }

    #[test]
    fn fractions_of_events_are_not_taken_for_events() {
        let millionths = |good: f64, bad: f64| {
            #[expect(clippy::cast_possible_truncation, reason = "small")]
            let of = |events: f64| (events * 1e6).round() as i64;
            Counts { good: of(good), bad: of(bad), ..Counts::default() }
        };
        for (counts, chance) in [
            (millionths(9.0, 1.0), true),
            (millionths(8.0, 2.0), false),
            (millionths(8.1, 1.9), true),
            (millionths(12.5, 2.0), true),
            (millionths(12.0, 2.0), false),
        ] {
            assert_eq!(may_be(counts, EventUnit::Millionth, target("99.9%")), chance, "{counts:?}");
        }
    }

    #[test]
    fn our_logarithm_is_one() {
        for x in [f64::MIN_POSITIVE, 1e-300, 1e-9, 0.5, 0.707, 0.999_999, 1.0, 1.000_001, 1.414, 1.415, 2.0, 1000.0, 1e18, 1e300] {
            assert!((ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs(), "{x:e}: {} and {}", ln(x), x.ln());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_far_above_the_mean_is_rare_by_chernoffs_bound_too(events in 32_u64.., k in 32_u64.., failing in (1_u64..1 << 50, 2_u64..1 << 53)) {
            let (k, binomial) = (k.min(events), binomial(events, (failing.0.min(failing.1 - 1), failing.1)));
            for k in [k, (k >> 20).max(32).min(events), 32] {
                prop_assert!(!binomial.is_far_above(k) || (binomial.excess(k) > 0.0 && -binomial.deviance(k) < LN_LIMIT - AT_LIMIT), "{k}");
            }
        }

        #[test]
        fn one_failure_more_is_never_more_likely(bits in 0_u32..53, below in any::<u64>(), permille in 1_u64..1000, near in -200_i64..200) {
            let events = (below >> 11 >> (52 - bits)).max(1);
            let limit = failures_beyond(events, Target::from_allowed(Ratio::new(permille, 1000).expect("a fraction"), 1).expect("a target"));
            let around = i64::try_from(limit.unwrap_or(events)).expect("below 2^53").saturating_add(near);
            let k = u64::try_from(around).unwrap_or(0).min(events);
            prop_assert_eq!(rare(events, k, (permille, 1000)), limit.is_some_and(|limit| k >= limit));
        }

        #[test]
        fn the_fraction_decides_within_a_few_dozen_convergents(bits in 0_u32..53, below in any::<u64>(), num in 1_u64..1_000_000) {
            let events = (below >> 11 >> (52 - bits)).max(1);
            let binomial = binomial(events, (num, 1_000_000));
            let far = binomial.three_deviations_above();
            prop_assume!(far <= events);
            let asked = std::cell::Cell::new(0);
            binomial.enclose(far, |ln| { asked.set(asked.get() + 1); ln.high < LN_LIMIT - AT_LIMIT || ln.low > LN_LIMIT });
            prop_assert!(asked.get() <= 60, "{} convergents for {} of {}", asked.get(), far, events);
        }
    }
}
