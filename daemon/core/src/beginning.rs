//! When a burn began, from what was counted in slices of time: first the run of bad slices, then, in ever finer slices, the place within its first one.
//!
//! The run is walked backwards from its newest bad slice. What lies before belongs to it as long as, up to a slice above the allowed rate, it fails above
//! the allowed rate as a whole, and ends where slices of a whole short lookback do not: by then the alert would have cleared. A slice may be so short that
//! it holds a scrape of one of several targets only, so that good and bad ones alternate within one burn.

use std::time::Duration;

use crate::{ledger::Counts, time::Timestamp, units::Target, window::Interval};

/// Slices that cover a stretch, oldest first, each with its end.
pub type Slices = [(Timestamp, Counts)];

/// When a burn began that holds at the end of `over`: the start of the last run of slices above the allowed rate; so much good time, `quiet`, ends a run.
/// `slices_of` gives the slices of a stretch, the shorter the stretch the finer; the first slice of the run is looked at again until none is finer. `None`
/// where no slice is above the rate.
pub fn of_burn(
    over: Interval,
    quiet: Duration,
    target: Target,
    slices_of: impl Fn(Interval) -> Vec<(Timestamp, Counts)>,
) -> Option<Timestamp> {
    let slices = slices_of(over);
    let mut first = slice_at(&slices, over, last_run(&slices, over, quiet, target)?);
    loop {
        let finer = slices_of(first);
        if finer.len() < 2 {
            return Some(first.from);
        }
        first = slice_at(&finer, first, steepest(&finer, target));
    }
}

/// The slice at a place, of slices that cover `over`.
fn slice_at(slices: &Slices, over: Interval, at: usize) -> Interval {
    let from = at.checked_sub(1).map_or(over.from, |before| slices[before].0);
    Interval { from, to: slices[at].0.min(over.to) }
}

/// Where the last run of slices above the allowed rate starts; slices without events neither end it nor begin it.
fn last_run(slices: &Slices, over: Interval, quiet: Duration, target: Target) -> Option<usize> {
    let mut run = None;
    // What lies before the run: how much it fails beyond what is allowed, and how much time it is.
    let (mut before, mut waited) = (0, Duration::ZERO);
    for (at, (_, counts)) in slices.iter().enumerate().rev().filter(|(_, (_, counts))| counts.total() != 0) {
        let beyond = excess(*counts, target);
        before += beyond;
        let joins = run.is_none() || before > 0;
        if beyond > 0 && joins {
            (run, before, waited) = (Some(at), 0, Duration::ZERO);
        } else if run.is_some() {
            let slice = slice_at(slices, over, at);
            waited += slice.to.since(slice.from);
            if waited >= quiet {
                break;
            }
        }
    }
    run
}

/// From where on most fails beyond what is allowed; of several such places the last: no run begins with slices without events.
fn steepest(slices: &Slices, target: Target) -> usize {
    let (mut sum, mut best) = (0, None::<(i128, usize)>);
    for (at, (_, counts)) in slices.iter().enumerate().rev() {
        sum += excess(*counts, target);
        if best.is_none_or(|(most, _)| sum > most) {
            best = Some((sum, at));
        }
    }
    best.map_or(0, |(_, at)| at)
}

/// What fails beyond what is allowed, in parts that are the same for all slices of one target.
fn excess(counts: Counts, target: Target) -> i128 {
    let allowed = target.allowed();
    i128::from(2 * counts.bad + counts.tolerated) * i128::from(allowed.den()) - i128::from(2 * counts.total()) * i128::from(allowed.num())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FROM: Timestamp = Timestamp::from_millis(1_780_272_000_000);

    /// Ten requests a second of which a tenth fails in these stretches of seconds: when the burn began, in seconds, seen in at most twelve slices at a time.
    fn check(failing: &[(u64, u64)], expected: Option<u64>) {
        let at = |second: u64| FROM.plus(Duration::from_secs(second));
        let failing = |second: u64| failing.iter().any(|(from, to)| (*from..*to).contains(&second));
        let seconds = |moment: Timestamp| moment.since(FROM).as_secs();
        let count = |from: u64, to: u64| {
            let bad: i64 = (from..to).map(|second| i64::from(failing(second))).sum();
            Counts { good: i64::try_from(to - from).unwrap() * 10 - bad, bad, ..Counts::default() }
        };
        let slices_of = |over: Interval| {
            let (from, to) = (seconds(over.from), seconds(over.to));
            let step = [10, 60, 300, 3_600].into_iter().find(|step| (to - from).div_ceil(*step) <= 12).unwrap_or(3_600);
            let starts = (0..(to - from).div_ceil(step)).map(|slice| from + slice * step);
            starts.map(|start| (at(start + step), count(start, start + step))).collect()
        };
        let over = Interval { from: FROM, to: at(6 * 3_600) };
        let began = of_burn(over, Duration::from_mins(5), Target::percent("99.9%").unwrap(), slices_of);
        assert_eq!(began.map(seconds), expected);
    }

    #[test]
    fn a_burn_is_dated_within_the_first_coarse_slice() {
        check(&[(20_230, 21_600)], Some(20_230));
        check(&[(18_000, 21_600)], Some(18_000));
    }

    #[test]
    fn a_single_failure_before_it_does_not_begin_it() {
        check(&[(18_010, 18_011), (20_230, 21_600)], Some(20_230));
    }

    /// Slices of a second from two targets that are scraped in turn, the second of which never fails; `bad` of the first begins and ends at these seconds.
    fn check_pods(bad: &[(u64, u64)], expected: u64) {
        let at = |second: u64| FROM.plus(Duration::from_secs(second));
        let fails = |second: u64| bad.iter().any(|(from, to)| (*from..*to).contains(&second));
        let count = |second: u64| match second % 2 {
            0 if fails(second) => Counts { good: 16, bad: 8, ..Counts::default() },
            _ => Counts { good: 16, ..Counts::default() },
        };
        let slices_of = |over: Interval| {
            let (from, to) = (over.from.since(FROM).as_secs(), over.to.since(FROM).as_secs());
            (from..to).map(|second| (at(second + 1), count(second))).collect()
        };
        let over = Interval { from: FROM, to: at(180) };
        let began = of_burn(over, Duration::from_secs(20), Target::percent("99%").unwrap(), slices_of);
        assert_eq!(began.map(|began| began.since(FROM).as_secs()), Some(expected));
    }

    #[test]
    fn a_burn_of_one_of_two_targets_is_dated_through_the_good_slices_of_the_other() {
        check_pods(&[(104, 180)], 104);
        check_pods(&[(104, 130), (140, 180)], 104);
        check_pods(&[(20, 60), (104, 180)], 104);
        check_pods(&[(104, 178)], 104);
    }

    #[test]
    fn an_earlier_burn_is_another_one() {
        check(&[(100, 2_000), (20_230, 21_600)], Some(20_230));
    }

    #[test]
    fn a_burn_that_just_ended_is_dated_too() {
        check(&[(12_340, 13_000)], Some(12_340));
        check(&[], None);
    }
}
