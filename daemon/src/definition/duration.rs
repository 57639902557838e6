//! Durations as Prometheus writes them: `30d`, `5m`, `300ms`, `1h30m`.

use std::time::Duration;

use thiserror::Error;

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DurationError {
    /// A number alone.
    #[error("a duration needs a unit, such as 5m or 30d")]
    NoUnit,
    /// `1M`: month or minute?
    #[error("`M` is ambiguous")]
    Ambiguous,
    /// A minus sign.
    #[error("a duration cannot be negative")]
    Negative,
    /// Nothing but zeros.
    #[error("a duration cannot be zero")]
    Zero,
    /// More than ten years.
    #[error("the duration is longer than ten years")]
    TooLong,
    /// A fraction of a unit that is a whole number of milliseconds, which these are.
    #[error("a duration is made of whole numbers: write {}", written(*.0))]
    Fraction(u64),
    /// Anything else.
    #[error("not a duration such as 5m, 300ms or 1h30m")]
    Malformed,
}

/// Units with their milliseconds, longest first; months and years are left out, since their lengths differ.
const UNITS: [(&str, u64); 6] = [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const TEN_YEARS_MILLIS: u64 = 3653 * 86_400_000;

/// Reads a duration of whole numbers with units, longest unit first.
///
/// # Errors
/// What is wrong with the text.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    if let Some(millis) = fraction(text) {
        return Err(DurationError::Fraction(millis));
    }
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last_unit = usize::MAX;
    while !rest.is_empty() {
        let (number, unit, tail) = part(rest)?;
        if last_unit != usize::MAX && unit <= last_unit {
            return Err(DurationError::Malformed);
        }
        total = number.checked_mul(UNITS[unit].1).and_then(|millis| total.checked_add(millis)).ok_or(DurationError::TooLong)?;
        (last_unit, rest) = (unit, tail);
    }
    match total {
        0 if text.is_empty() => Err(DurationError::Malformed),
        0 => Err(DurationError::Zero),
        1..=TEN_YEARS_MILLIS => Ok(Duration::from_millis(total)),
        _ => Err(DurationError::TooLong),
    }
}

/// The milliseconds of a decimal number with a unit, such as `2.5s`, where these are whole.
fn fraction(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (decimals, unit) = rest.split_at(digits);
    let (_, of_unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let (number, scale) = (format!("{whole}{decimals}").parse::<u64>().ok()?, 10_u64.checked_pow(u32::try_from(digits).ok()?)?);
    let scaled = number.checked_mul(*of_unit)?;
    (digits > 0 && scaled.is_multiple_of(scale) && (1..=TEN_YEARS_MILLIS).contains(&(scaled / scale))).then_some(scaled / scale)
}

fn written(millis: u64) -> String {
    if (1000..60_000).contains(&millis) && !millis.is_multiple_of(1000) {
        format!("{millis}ms")
    } else {
        format(Duration::from_millis(millis))
    }
}

/// The first number with the index of its unit, and what follows.
fn part(text: &str) -> Result<(u64, usize, &str), DurationError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (unit, tail) = rest.split_at(letters);
    if number.is_empty() {
        return Err(DurationError::Malformed);
    }
    match (unit, UNITS.iter().position(|(name, _)| *name == unit)) {
        ("", _) if tail.is_empty() => Err(DurationError::NoUnit),
        ("M" | "mo" | "Mo" | "month" | "months", _) => Err(DurationError::Ambiguous),
        (_, None) => Err(DurationError::Malformed),
        (_, Some(index)) => Ok((number.parse().map_err(|_| DurationError::TooLong)?, index, tail)),
    }
}

/// The duration in its shortest exact form that a person would write: `30d`, `1h30m`; weeks are written as days.
pub fn format(span: Duration) -> String {
    let mut rest = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut out = String::new();
    for (name, millis) in &UNITS[1..] {
        if rest >= *millis {
            out += &(rest / millis).to_string();
            out += name;
            rest %= millis;
        }
    }
    if out.is_empty() { "0s".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_told_as_whole_numbers() {
        for (text, instead) in
            [("2.5s", "2500ms"), (".5s", "500ms"), ("0.3s", "300ms"), ("1.5h", "1h30m"), ("0.5d", "12h"), ("1.25m", "1m15s")]
        {
            let error = parse(text).expect_err(text);
            assert_eq!(error.to_string(), format!("a duration is made of whole numbers: write {instead}"));
            let read = parse(instead).expect(instead);
            assert_eq!(error, DurationError::Fraction(u64::try_from(read.as_millis()).expect("short")), "{text}");
        }
        for text in ["2.5", "0.0001s", "1.s", "1.5y", "1.2.3s", "99999999999999999999.5s"] {
            assert!(!matches!(parse(text), Err(DurationError::Fraction(_)) | Ok(_)), "{text}");
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        for (text, millis, written) in [
            ("30d", 2_592_000_000, "30d"),
            ("4w", 2_419_200_000, "28d"),
            ("5m", 300_000, "5m"),
            ("300ms", 300, "300ms"),
            ("1h30m", 5_400_000, "1h30m"),
            ("90s", 90_000, "1m30s"),
        ] {
            let span = parse(text).expect(text);
            assert_eq!((span.as_millis(), format(span).as_str()), (millis, written), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_with_its_reason() {
        for (text, error) in [
            ("5", DurationError::NoUnit),
            ("1M", DurationError::Ambiguous),
            ("0s", DurationError::Zero),
            ("-5m", DurationError::Negative),
            ("9999999d", DurationError::TooLong),
            ("99999999999999999999d", DurationError::TooLong),
            ("", DurationError::Malformed),
            ("m", DurationError::Malformed),
            ("5 m", DurationError::Malformed),
            ("30m1h", DurationError::Malformed),
            ("1y", DurationError::Malformed),
            ("1.5h", DurationError::Fraction(5_400_000)),
            ("calendar month", DurationError::Malformed),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }
}
