//! Rates of events: `20/s`, `600/m`, `10/h`, `100/d`.

/// Events a day, in millionths of an event: a whole number for every rate that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    micro_events_a_day: i64,
}

const UNITS: [(&str, i64); 4] = [("s", 86_400), ("m", 1_440), ("h", 24), ("d", 1)];

/// The most that a test writes: a million events a second.
const MOST_MICROS: i64 = 1_000_000 * 1_000_000 * 86_400;

impl Rate {
    /// Reads a number with at most three decimals and a unit; `None` for anything else, and beyond a million a second.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_once('/')?;
        let (_, a_day) = UNITS.into_iter().find(|(name, _)| *name == unit.trim())?;
        let (whole, decimals) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
        let digits = |text: &str| !text.is_empty() && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || decimals.len() > 3 || (number.contains('.') && !digits(decimals)) {
            return None;
        }
        let thousandths: i64 = format!("{whole}{decimals:0<3}").parse().ok()?;
        let micro_events_a_day = thousandths.checked_mul(1_000)?.checked_mul(a_day)?;
        (micro_events_a_day <= MOST_MICROS).then_some(Self { micro_events_a_day })
    }

    /// Events a second, in millionths.
    pub fn micros_a_second(self) -> f64 {
        self.micro_events_a_day as f64 / 86_400.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_by_their_unit() {
        for (text, micros) in [("20/s", 20e6), ("600/m", 10e6), ("0.5/s", 5e5), ("9/h", 2_500.0), ("0/s", 0.0), ("864/d", 10_000.0)] {
            assert_eq!(Rate::parse(text).map(Rate::micros_a_second), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["20", "20/week", "/s", "-1/s", "1e3/s", "1.2345/s", ".5/s", "5./s", "1000001/s", "99999999999999/s", ""] {
            assert_eq!(Rate::parse(text), None, "{text}");
        }
    }
}
