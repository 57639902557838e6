//! Instants in UTC, as every text shows them that has no reader's zone. All other words of numbers are the core's.

use burnward_core::time::Timestamp;

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
    fn instants_carry_their_zone() {
        let at = Timestamp::from_millis(1_763_953_802_900);
        assert_eq!((utc_minute(at), utc_second(at)), ("03:10 UTC".into(), "03:10:02 UTC".into()));
        assert_eq!((utc_day_minute(at), utc_day_second(at)), ("2025-11-24 03:10 UTC".into(), "2025-11-24 03:10:02 UTC".into()));
        assert_eq!(utc_minute(Timestamp::from_millis(i64::MAX)), "9223372036854775807 ms");
    }
}
