//! The words of numbers: percents, spans and instants as every surface shows them.

use std::time::Duration;

use burnward_core::time::Timestamp;

/// A share as percent with its space: `15.2 %`, `1.46 %`, `0.10 %`, `0.005 %`; one digit after the point from 10 on, else two or two significant ones.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    match value.abs() {
        v if v >= 10.0 => format!("{value:.1} %"),
        v if v >= 1.0 || v == 0.0 => format!("{value:.2} %"),
        v => format!("{} %", trimmed(&format!("{value:.*}", digits_below_one(v)))),
    }
}

/// How many digits after the point show two significant ones of a value below 1; at most eight.
fn digits_below_one(value: f64) -> usize {
    (0..8).take_while(|zeros| value * 10_f64.powi(*zeros) < 1.0).count().max(1) + 1
}

/// Without trailing zeros, but with two digits after the point.
fn trimmed(number: &str) -> &str {
    let (whole, _) = number.split_once('.').unwrap_or((number, ""));
    let least = (whole.len() + 3).min(number.len());
    &number[..number.trim_end_matches('0').len().max(least)]
}

/// A share in whole percent, as budgets are shown: `71 %`, `-24 %`; a rest that is not zero is not shown as zero.
pub fn whole_percent(share: f64) -> String {
    let value = share * 100.0;
    match value {
        v if v > 0.0 && v < 1.0 => "under 1 %".to_owned(),
        v => format!("{:.0} %", v + 0.0),
    }
}

/// A span in its two largest units: `40 s`, `30 m 40 s`, `3 h 22 m`, `2 d 4 h`.
pub fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    match (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, 0) => format!("{m} m"),
        (0, 0, m, s) => format!("{m} m {s} s"),
        (0, h, 0, _) => format!("{h} h"),
        (0, h, m, _) => format!("{h} h {m} m"),
        (d, 0, _, _) => format!("{d} d"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// A span as a sentence says it: like `span`, but `6 min` under an hour.
pub fn lasting(lasted: Duration) -> String {
    match lasted.as_secs() {
        s if (60..3600).contains(&s) => format!("{} min", s / 60),
        _ => span(lasted),
    }
}

/// A lookback or window, which is a round number of one unit: `5 m`, `1 h`, `30 d`.
pub fn lookback(length: Duration) -> String {
    match length.as_secs() {
        s if s >= 86_400 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        _ => span(length),
    }
}

/// Seconds of a budget: `30 m 40 s`, `-8 h 38 m`.
pub fn budget_seconds(seconds: f64) -> String {
    let text = span(Duration::from_secs_f64(seconds.abs().min(1e12).round()));
    if seconds <= -0.5 { format!("-{text}") } else { text }
}

/// A burn rate: `14.6x`, `0.2x`, `1,520x`.
pub fn burn(rate: f64) -> String {
    if rate >= 100.0 { format!("{}x", grouped(&format!("{rate:.0}"))) } else { format!("{rate:.1}x") }
}

/// A count with its thousands separated: `1,260,000`.
pub fn count(n: u64) -> String {
    grouped(&n.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 SLO`, `12 SLOs`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// `03:10 UTC`.
pub fn utc_minute(at: Timestamp) -> String {
    strftime(at, "%H:%M UTC")
}

/// `03:10:02 UTC`.
pub fn utc_second(at: Timestamp) -> String {
    strftime(at, "%H:%M:%S UTC")
}

/// `2025-11-24 03:10 UTC`.
pub fn utc_day_minute(at: Timestamp) -> String {
    strftime(at, "%Y-%m-%d %H:%M UTC")
}

/// `2025-11-24 03:10:02 UTC`.
pub fn utc_day_second(at: Timestamp) -> String {
    strftime(at, "%Y-%m-%d %H:%M:%S UTC")
}

fn strftime(at: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(|_| format!("{} ms", at.millis()), |at| at.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_keep_the_digits_that_matter() {
        for (share, shown) in [
            (0.152, "15.2 %"),
            (0.001, "0.10 %"),
            (0.0146, "1.46 %"),
            (0.000_05, "0.005 %"),
            (0.0005, "0.05 %"),
            (0.000_25, "0.025 %"),
            (1.0, "100.0 %"),
            (0.0, "0.00 %"),
        ] {
            assert_eq!(percent(share), shown);
        }
        for (share, shown) in [(0.71, "71 %"), (-0.24, "-24 %"), (0.004, "under 1 %"), (0.0, "0 %"), (1.0, "100 %")] {
            assert_eq!(whole_percent(share), shown);
        }
    }

    #[test]
    fn spans_show_their_two_largest_units() {
        for (seconds, short, sentence) in [
            (40, "40 s", "40 s"),
            (360, "6 m", "6 min"),
            (1840, "30 m 40 s", "30 min"),
            (12_120, "3 h 22 m", "3 h 22 m"),
            (3600, "1 h", "1 h"),
            (187_200, "2 d 4 h", "2 d 4 h"),
        ] {
            assert_eq!((span(Duration::from_secs(seconds)).as_str(), lasting(Duration::from_secs(seconds)).as_str()), (short, sentence));
        }
        assert_eq!(budget_seconds(-31_080.0), "-8 h 38 m");
    }

    #[test]
    fn counts_and_nouns_agree() {
        assert_eq!((counted(1, "SLO", "SLOs").as_str(), counted(1200, "SLO", "SLOs").as_str()), ("1 SLO", "1,200 SLOs"));
        assert_eq!((burn(152.0).as_str(), burn(14.6).as_str(), burn(1520.0).as_str()), ("152x", "14.6x", "1,520x"));
    }
}
