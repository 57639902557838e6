//! Verdicts on slices of time: what an objective that is counted in slices makes of the events in them.
//!
//! A verdict is kept as counts: the seconds of the slice as good or as bad, or its milliseconds as unseen. So it is summed, rolled up and stored as
//! events are; only it keeps its own length for ever, so that every bad slice can be named.

use std::time::Duration;

use super::Counts;
use crate::{burn_rate::FailedShare, slo::SliceRule};

/// The indices of streams of verdicts begin here, apart from those of streams of events.
pub(super) const VERDICTS: u32 = 1 << 31;

/// The verdict on a slice in which this was counted. Without events it is good, unless at least half of it was not seen: then nobody can tell.
pub(super) fn judge(rule: &SliceRule, counts: Counts) -> Counts {
    let seconds = i64::try_from(rule.length.as_secs()).unwrap_or(i64::MAX);
    match FailedShare::of(counts) {
        Some(share) if share.is_at_most(rule.good_from.failing()) => Counts { good: seconds, ..Counts::default() },
        Some(_) => Counts { bad: seconds, ..Counts::default() },
        None if is_blind(rule.length, counts.unseen_millis) => unseen(rule.length),
        None => Counts { good: seconds, ..Counts::default() },
    }
}

/// Time that nobody saw.
pub(super) fn unseen(length: Duration) -> Counts {
    Counts { unseen_millis: i64::try_from(length.as_millis()).unwrap_or(i64::MAX), ..Counts::default() }
}

fn is_blind(length: Duration, unseen_millis: i64) -> bool {
    Duration::from_millis(u64::try_from(unseen_millis).unwrap_or(0)) * 2 >= length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{time::minutes, units::GoodShare};

    #[test]
    fn a_slice_is_good_from_its_share_on_and_without_events_unless_nobody_saw_it() {
        let good = Counts { good: 60, ..Counts::default() };
        let bad = Counts { bad: 60, ..Counts::default() };
        for (share, (good_events, tolerated, bad_events, unseen_millis), verdict) in [
            ("99%", (99, 0, 1, 0), good),
            ("99%", (98, 0, 2, 0), bad),
            ("99%", (98, 2, 0, 0), good),
            ("99%", (989, 0, 11, 0), bad),
            ("100%", (10, 0, 0, 0), good),
            ("100%", (1_000_000, 0, 1, 0), bad),
            ("99%", (0, 0, 0, 0), good),
            ("99%", (0, 0, 0, 29_999), good),
            ("99%", (0, 0, 0, 30_000), unseen(minutes(1))),
            ("99%", (0, 0, 0, 60_000), unseen(minutes(1))),
            ("99%", (1, 0, 0, 60_000), good),
            ("99%", (0, 0, 1, 59_000), bad),
            ("99%", (-5, 0, 10, 0), bad),
            ("99%", (10, 0, -1, 0), good),
        ] {
            let rule = SliceRule { length: minutes(1), good_from: GoodShare::percent(share).expect("a share") };
            let counts = Counts { good: good_events, tolerated, bad: bad_events, unseen_millis };
            assert_eq!(judge(&rule, counts), verdict, "{counts:?} at {share}");
        }
    }
}
