//! `ts`: Slack's message time, which is also the message's id within its channel.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// Microseconds since 1970, written as Slack writes them: `1531420618.000200`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(super) struct Ts(i64);

impl Ts {
    pub(super) fn at(time: Timestamp) -> Self {
        Self(time.as_microsecond())
    }

    /// The next free `ts` at `now`: unique, and greater than the last one of its channel.
    pub(super) fn next_after(self, now: Timestamp) -> Self {
        Self(now.as_microsecond().max(self.0.saturating_add(1)))
    }

    /// Reads `seconds` or `seconds.fraction` (at most six digits of fraction).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if seconds.is_empty() || !digits(seconds) || !digits(fraction) || fraction.len() > 6 {
            return None;
        }
        let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
        seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros).map(Self)
    }

    pub(super) fn time(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn micros(self) -> i64 {
        self.0
    }

    pub(super) fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Reads it out of a permalink: `p` and sixteen digits.
    pub(super) fn from_permalink(text: &str) -> Option<Self> {
        text.strip_prefix('p')?.parse().ok().filter(|micros| *micros >= 0).map(Self)
    }

    /// Without the point, as permalinks have it.
    pub(super) fn in_permalink(self) -> String {
        format!("p{}", self.0)
    }
}

impl fmt::Display for Ts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:06}", self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000))
    }
}

impl Serialize for Ts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Ts;

    fn check(text: &str, written: Option<&str>) {
        assert_eq!(Ts::parse(text).map(|ts| ts.to_string()).as_deref(), written, "{text}");
    }

    #[test]
    fn what_is_read_is_written_in_full() {
        for (text, written) in [
            ("1531420618.000200", Some("1531420618.000200")),
            ("1531420618", Some("1531420618.000000")),
            ("0", Some("0.000000")),
            ("12.5", Some("12.500000")),
            ("", None),
            ("-1", None),
            ("1.1234567", None),
            ("abc", None),
            ("99999999999999999999", None),
        ] {
            check(text, written);
        }
    }
}
