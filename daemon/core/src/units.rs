//! Quantities with their units as types: exact ratios, targets, burn-rate factors. Percent exists only where text is parsed or shown.
//!
//! A target of 99.9 % allows 1 bad event in 1,000; a burn rate of 14.4 held for 1 h spends 2 % of a budget of 30 days:
//! ```
//! use burnward_core::units::{Factor, Target};
//! let target = Target::percent("99.9%").unwrap();
//! assert_eq!((target.allowed().num(), target.allowed().den()), (1, 1000));
//! let factor = Factor::parse("14.4").unwrap();
//! assert!((factor.as_f64() * 1.0 / (30.0 * 24.0) - 0.02).abs() < 1e-12);
//! ```

use std::{cmp::Ordering, fmt};

use thiserror::Error;

use crate::words;

/// An exact, reduced, non-negative fraction. The denominator is never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    num: u64,
    den: u64,
}

impl Ratio {
    /// `num / den`, reduced. `None` when `den` is zero.
    pub fn new(num: u64, den: u64) -> Option<Self> {
        if den == 0 {
            return None;
        }
        let divisor = gcd(num, den).max(1);
        Some(Self { num: num / divisor, den: den / divisor })
    }

    /// The numerator of the reduced fraction.
    pub const fn num(self) -> u64 {
        self.num
    }

    /// The denominator of the reduced fraction; at least 1.
    pub const fn den(self) -> u64 {
        self.den
    }

    /// The nearest float; for showing, never for deciding.
    pub fn as_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        (u128::from(self.num) * u128::from(other.den)).cmp(&(u128::from(other.num) * u128::from(self.den)))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The share of events (or of time) that must be good, strictly between 0 and 1, with at most nine significant digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Target {
    allowed: Ratio,
    decimals: u8,
}

/// Why a text is not a target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// No `%` at the end.
    #[error("a target is written with a percent sign, such as 99.9%")]
    NoPercent,
    /// Not a plain decimal number before the `%`.
    #[error("`{0}` is not a decimal number such as 99.9")]
    NotDecimal(String),
    /// More than nine significant digits.
    #[error("a target has at most nine significant digits")]
    TooPrecise,
    /// 0 or less, or above 100.
    #[error("a target lies above 0 % and below 100 %")]
    OutOfRange,
    /// Exactly 100 %.
    #[error("a target of 100 % leaves no error budget")]
    Hundred,
}

impl Target {
    /// Reads `99.9%`.
    pub fn percent(text: &str) -> Result<Self, TargetError> {
        let number = text.trim().strip_suffix('%').ok_or(TargetError::NoPercent)?.trim_end();
        let (num, scale, decimals) = decimal(number).ok_or_else(|| TargetError::NotDecimal(number.to_owned()))?;
        if significant_digits(number) > 9 {
            return Err(TargetError::TooPrecise);
        }
        let hundred = scale * 100;
        match num {
            0 => Err(TargetError::OutOfRange),
            n if n == hundred => Err(TargetError::Hundred),
            n if n > hundred => Err(TargetError::OutOfRange),
            n => Ok(Self { allowed: Ratio::new(hundred - n, hundred).ok_or(TargetError::OutOfRange)?, decimals }),
        }
    }

    /// The target that allows this share to be bad, shown with so many decimals, as a store gives it back; `None` unless the share lies strictly
    /// between 0 and 1.
    pub fn from_allowed(allowed: Ratio, decimals: u8) -> Option<Self> {
        (allowed.num() > 0 && allowed.num() < allowed.den()).then_some(Self { allowed, decimals })
    }

    /// With how many decimals its percentage was written.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// The share that may be bad, `1 - target`, exact.
    pub const fn allowed(self) -> Ratio {
        self.allowed
    }

    /// The target in percent as it was written, without the sign: `99.9`.
    pub fn as_percent(self) -> String {
        let percent = 100.0 - self.allowed.as_f64() * 100.0;
        format!("{percent:.*}", usize::from(self.decimals))
    }
}

/// The share of a slice's events that must be good for the slice to be good: above 0 and up to all of them, with at most nine significant digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoodShare {
    failing: Ratio,
    decimals: u8,
}

/// Why a text is not such a share.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a share above 0 % and up to 100 %, with a percent sign, such as 99%")]
pub struct GoodShareError(pub String);

impl GoodShare {
    /// Reads `99%`; `100%` is one, too: a single failure spoils the slice then.
    pub fn percent(text: &str) -> Result<Self, GoodShareError> {
        match Target::percent(text) {
            Ok(target) => Ok(Self { failing: target.allowed, decimals: target.decimals }),
            Err(TargetError::Hundred) => Ok(Self { failing: Ratio { num: 0, den: 1 }, decimals: 0 }),
            Err(TargetError::NoPercent | TargetError::NotDecimal(_) | TargetError::TooPrecise | TargetError::OutOfRange) => {
                Err(GoodShareError(text.to_owned()))
            }
        }
    }

    /// The share that lets so many fail, shown with so many decimals, as a store gives it back; `None` where all may fail.
    pub fn from_failing(failing: Ratio, decimals: u8) -> Option<Self> {
        (failing.num() < failing.den()).then_some(Self { failing, decimals })
    }

    /// The share that may fail, exact.
    pub const fn failing(self) -> Ratio {
        self.failing
    }

    /// With how many decimals its percentage was written.
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// The share in percent as it was written, without the sign: `99`.
    pub fn as_percent(self) -> String {
        let percent = 100.0 - self.failing.as_f64() * 100.0;
        format!("{percent:.*}", usize::from(self.decimals))
    }
}

/// How many times the allowed rate: the threshold of an alert row, such as 14.4. Exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Factor(Ratio);

/// Why a text is not a burn-rate factor.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not a positive decimal number of at most nine significant digits, such as 14.4")]
pub struct FactorError(String);

impl Factor {
    /// The allowed rate itself: held for the whole window, it spends the whole budget.
    pub const ONE: Self = Self(Ratio { num: 1, den: 1 });

    /// Reads `14.4`.
    pub fn parse(text: &str) -> Result<Self, FactorError> {
        decimal(text)
            .filter(|(num, _, _)| *num > 0 && significant_digits(text) <= 9)
            .and_then(|(num, scale, _)| Ratio::new(num, scale))
            .map(Self)
            .ok_or_else(|| FactorError(text.to_owned()))
    }

    /// A factor from an exact fraction; `None` for zero.
    pub fn from_ratio(ratio: Ratio) -> Option<Self> {
        (ratio.num() > 0).then_some(Self(ratio))
    }

    /// The exact value.
    pub const fn ratio(self) -> Ratio {
        self.0
    }

    /// The nearest float; for showing, never for deciding.
    pub fn as_f64(self) -> f64 {
        self.0.as_f64()
    }
}

/// As a person writes it, with at most four decimals: `14.4`.
impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = format!("{:.4}", self.as_f64());
        f.write_str(rounded.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// `12.34` as (1234, 100, 2): digits, power of ten, decimals. Plain digits with at most one point; at most 15 digits in all.
fn decimal(text: &str) -> Option<(u64, u64, u8)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let well_formed = !whole.is_empty() && digits(whole) && digits(fraction) && !text.ends_with('.');
    if !well_formed || whole.len() + fraction.len() > 15 {
        return None;
    }
    let decimals = u8::try_from(fraction.len()).ok()?;
    Some((format!("{whole}{fraction}").parse().ok()?, 10_u64.pow(u32::from(decimals)), decimals))
}

fn significant_digits(text: &str) -> usize {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.trim_start_matches('0').len()
}

/// What the ledger's whole numbers of an SLO are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum EventUnit {
    /// Events, counted one by one.
    #[default]
    Event,
    /// Millionths of events, which an expression computed: see [`crate::sli::Sli::Query`].
    Millionth,
    /// Seconds of slices of time, each good or bad as a whole: see [`crate::slo::CountedIn::Slices`].
    Second,
}

impl EventUnit {
    /// How many of them are one event.
    pub const fn per_event(self) -> i64 {
        match self {
            Self::Event | Self::Second => 1,
            Self::Millionth => 1_000_000,
        }
    }

    /// So many of them, as events.
    pub const fn count(self, number: i64) -> EventCount {
        EventCount { number, unit: self }
    }
}

/// A number of events as it is shown: whole where they were counted, with decimals where an expression computed them.
/// ```
/// use burnward_core::units::EventUnit;
/// assert_eq!(EventUnit::Event.count(13_093_200).to_string(), "13,093,200");
/// assert_eq!(EventUnit::Millionth.count(12_250_000).to_string(), "12.25");
/// assert_eq!(EventUnit::Second.count(180).to_string(), "3 min");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventCount {
    number: i64,
    unit: EventUnit,
}

impl EventCount {
    /// The nearest millionth; for a number that was shown before.
    pub fn of(events: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and what is shown was a count")]
        let rounded = |number: f64| number.round() as i64;
        if events.fract() == 0.0 { EventUnit::Event.count(rounded(events)) } else { EventUnit::Millionth.count(rounded(events * 1e6)) }
    }

    /// The number where it is whole.
    pub const fn whole(self) -> Option<i64> {
        let per_event = self.unit.per_event();
        if self.number % per_event == 0 { Some(self.number / per_event) } else { None }
    }

    /// The nearest float; for showing.
    pub fn as_f64(self) -> f64 {
        self.number as f64 / self.unit.per_event() as f64
    }

    /// The nearest whole number.
    pub const fn rounded(self) -> i64 {
        let per_event = self.unit.per_event();
        (self.number + self.number.signum() * per_event / 2) / per_event
    }
}

impl fmt::Display for EventCount {
    /// Seconds as a span; else thousands apart, of fractions two decimals below a hundred, and as many as it takes to see something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unit == EventUnit::Second {
            return f.write_str(&words::seconds(self.number));
        }
        let events = self.as_f64();
        if self.whole().is_some() || events.abs() >= 100.0 {
            return f.write_str(&words::grouped(self.rounded()));
        }
        let decimals = if events.abs() < 0.01 { 6 } else { 2 };
        let text = format!("{events:.decimals$}");
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_exact_and_come_back_as_written() {
        for (text, allowed, shown) in
            [("99.9%", (1, 1000), "99.9"), ("99.95%", (1, 2000), "99.95"), ("99.99 %", (1, 10_000), "99.99"), ("50%", (1, 2), "50")]
        {
            let target = Target::percent(text).expect(text);
            assert_eq!((target.allowed().num(), target.allowed().den()), allowed, "{text}");
            assert_eq!(target.as_percent(), shown);
        }
    }

    #[test]
    fn what_is_not_a_target_is_refused_with_its_reason() {
        for (text, error) in [
            ("100%", TargetError::Hundred),
            ("100.0%", TargetError::Hundred),
            ("0%", TargetError::OutOfRange),
            ("100.0001%", TargetError::OutOfRange),
            ("99.9", TargetError::NoPercent),
            ("99,9%", TargetError::NotDecimal("99,9".into())),
            ("-1%", TargetError::NotDecimal("-1".into())),
            (".nan%", TargetError::NotDecimal(".nan".into())),
            ("99.99999999%", TargetError::TooPrecise),
        ] {
            assert_eq!(Target::percent(text), Err(error), "{text}");
        }
    }

    #[test]
    fn factors_are_ordered_and_shown_as_people_write_them() {
        for (text, shown) in [("14.4", "14.4"), ("6", "6"), ("1.0", "1"), ("100", "100"), ("13.44", "13.44")] {
            assert_eq!(Factor::parse(text).expect(text).to_string(), shown);
        }
        assert!(Factor::parse("14.4").expect("a factor") > Factor::parse("6").expect("a factor"));
        assert_eq!(Factor::ONE, Factor::parse("1.000").expect("a factor"));
    }

    #[test]
    fn factors_are_exact() {
        assert_eq!(Factor::parse("14.4").map(Factor::ratio), Ok(Ratio { num: 72, den: 5 }));
        for text in ["0", "-1", "1e3", "", ".5", "5."] {
            assert!(Factor::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn events_are_shown_as_events_whatever_they_were_counted_in() {
        for (unit, number, shown) in [
            (EventUnit::Event, 13_093_200, "13,093,200"),
            (EventUnit::Event, -3, "-3"),
            (EventUnit::Millionth, 0, "0"),
            (EventUnit::Millionth, 5_000_000, "5"),
            (EventUnit::Millionth, 12_250_000, "12.25"),
            (EventUnit::Millionth, 500_000, "0.5"),
            (EventUnit::Millionth, 1_234_567_891, "1,235"),
            (EventUnit::Millionth, 99_999_999, "100"),
            (EventUnit::Millionth, 9_000, "0.009"),
            (EventUnit::Millionth, 1, "0.000001"),
            (EventUnit::Millionth, -2_500_000, "-2.5"),
        ] {
            assert_eq!(unit.count(number).to_string(), shown, "{number} {unit:?}");
        }
        for number in [0, 1, 12_250_000, -2_500_000, 5_000_000] {
            let count = EventUnit::Millionth.count(number);
            assert_eq!(EventCount::of(count.as_f64()).to_string(), count.to_string());
        }
    }
}
