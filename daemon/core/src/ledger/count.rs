//! Counters: exact differences between two samples of one series. Nothing is extrapolated; resets count from zero, as Prometheus does.
//!
//! A counter that falls and keeps more than half of its value was hardly restarted: rather another replica or process answered, and counted from zero
//! its value would be events that never happened. Such a fall is not counted unless the process says that it started anew.
//!
//! An increment is booked where its later sample lies. Over a gap (a spacing of more than 2.5 times the usual one) nobody knows when the events
//! happened: they are booked right behind the earlier sample, so that a lookback that starts inside the gap does not hold them; after a reset
//! only those since the restart are known, and they are booked at the later sample.
//!
//! The usual spacing is the median of the last three, as far as they lie within a short memory: so a restart that reads that much again arrives
//! at the same state. A spacing longer than that memory is a gap whatever was usual before it, because a restart could not tell.

use std::time::Duration;

use super::Reason;
use crate::{
    hash::Hash,
    sli::Labels,
    time::{Timestamp, millis, minutes},
};

/// How the rhythm of samples is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    /// Spacings that begin longer ago than this are forgotten.
    pub memory: Duration,
    /// The usual spacing where none is remembered.
    pub default_spacing: Duration,
}

impl Rule {
    /// For raw samples.
    pub(super) const RAW: Self = Self { memory: minutes(5), default_spacing: minutes(1) };

    /// For values at every `step`.
    pub(super) const fn stepped(step: Duration) -> Self {
        Self { memory: Duration::from_secs(step.as_secs() * 4), default_spacing: step }
    }

    /// With a usual spacing of so many milliseconds, a gap is what is longer than the memory.
    fn longest_usual(&self) -> i64 {
        millis(self.memory) * 2 / 5
    }
}

/// How soon samples come that go on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    rule: Rule,
    /// In milliseconds: no spacing up to this is a gap where the last three were the same.
    in_rhythm: u32,
    /// In milliseconds: behind a longer spacing a counter may be forgotten.
    remembered: u32,
}

impl Pace {
    /// For counters that are remembered for so long at least.
    pub(super) fn new(rule: Rule, remembered: Duration) -> Self {
        let millis = |millis: i64| u32::try_from(millis).unwrap_or(u32::MAX);
        let remembered = millis(crate::time::millis(remembered));
        Self { rule, in_rhythm: millis(rule.longest_usual()).min(remembered), remembered }
    }

    /// True where samples are missing in a spacing behind these, or their counter may be forgotten.
    #[inline(never)]
    fn is_late(&self, spacing: u32, before: Spacings) -> bool {
        let usual = before.usual(&self.rule).unwrap_or(self.rule.default_spacing);
        spacing > self.remembered || is_gap(Duration::from_millis(spacing.into()), usual)
    }
}

/// True where a spacing is so long that samples are missing: more than 2.5 times the usual one.
pub(super) fn is_gap(spacing: Duration, usual: Duration) -> bool {
    spacing > longest_without_gap(usual)
}

/// The longest spacing in which no sample is missing.
pub(super) fn longest_without_gap(usual: Duration) -> Duration {
    usual.saturating_mul(5) / 2
}

/// The last spacings of a series in milliseconds, newest first; zero where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Spacings(pub(super) [u32; 3]);

impl Spacings {
    /// Remembers one more.
    pub(super) fn push(&mut self, spacing: Duration) {
        let millis = u32::try_from(spacing.as_millis()).unwrap_or(u32::MAX);
        self.0 = [millis, self.0[0], self.0[1]];
    }

    /// The usual spacing, at most `Rule::longest_usual`; `None` where none is remembered.
    pub(super) fn usual(&self, rule: &Rule) -> Option<Duration> {
        let [newest, second, third] = self.0;
        let memory = millis(rule.memory);
        let is_known = |spacing: u32, back: i64| spacing != 0 && back <= memory;
        let back_to_second = i64::from(newest) + i64::from(second);
        let usual = if !is_known(newest, newest.into()) {
            return None;
        } else if !is_known(second, back_to_second) {
            newest
        } else if !is_known(third, back_to_second + i64::from(third)) {
            newest.max(second)
        } else {
            newest.min(second).max(newest.max(second).min(third))
        };
        let usual = i64::from(usual).min(rule.longest_usual());
        Some(Duration::from_millis(u64::try_from(usual).unwrap_or(0)))
    }
}

/// What is remembered of one series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counter {
    /// Its last sample.
    pub at: Timestamp,
    /// The value there.
    pub value: u64,
    /// The spacings up to there.
    pub spacings: Spacings,
}

/// Events between two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Increment {
    /// How many.
    pub events: u64,
    /// The instant within the slice that they are booked in.
    pub booked: Timestamp,
}

impl Counter {
    /// A counter that was first seen here.
    pub(super) fn first(at: Timestamp, value: u64) -> Self {
        Self { at, value, spacings: Spacings::default() }
    }

    /// A counter of a histogram at a sample without the buckets that judge it: what is counted begins behind the next sample that has them.
    pub(super) fn unjudged(at: Timestamp) -> Self {
        Self::first(at, UNJUDGED)
    }

    /// True for one of those.
    pub(super) const fn is_unjudged(&self) -> bool {
        self.value == UNJUDGED
    }

    /// Takes the next sample, later than the last.
    pub(super) fn next(&mut self, at: Timestamp, value: u64, rule: &Rule) -> Increment {
        let spacing = at.since(self.at);
        let gap = is_gap(spacing, self.usual(rule));
        let reset = value < self.value;
        let events = if reset { value } else { value - self.value };
        let booked = if gap && !reset { self.at.plus(Duration::from_millis(1)) } else { at };
        self.spacings.push(spacing);
        (self.at, self.value) = (at, value);
        Increment { events, booked }
    }

    /// Takes the next sample where it goes on as nearly every one does: without a fall, and so soon that none is missing between. Gives back the events since
    /// the last one, which are booked where the sample lies; for any other sample `None`, and nothing is taken.
    pub(super) fn go_on(&mut self, at: Timestamp, value: u64, pace: &Pace) -> Option<u64> {
        let spacing = u32::try_from(at.millis() - self.at.millis()).ok()?;
        let events = value.checked_sub(self.value)?;
        let [newest, second, third] = self.spacings.0;
        let in_rhythm = spacing == newest && newest == second && second == third && spacing <= pace.in_rhythm;
        if !in_rhythm && pace.is_late(spacing, self.spacings) {
            return None;
        }
        *self = Self { at, value, spacings: Spacings([spacing, newest, second]) };
        Some(events)
    }

    /// True where `value` comes next and looks like that of another process or replica, not like a restart: it fell and kept more than half. What is
    /// small can come of a restart.
    pub(super) const fn is_suspect(&self, value: u64) -> bool {
        value < self.value && value >= SMALLEST_SUSPECT && value > self.value / 2
    }

    /// Seen once more, later than the last time; its value is not counted.
    pub(super) fn seen(mut self, at: Timestamp) -> Self {
        self.spacings.push(at.since(self.at));
        Self { at, ..self }
    }

    /// The usual spacing of its samples.
    pub(super) fn usual(&self, rule: &Rule) -> Duration {
        self.spacings.usual(rule).unwrap_or(rule.default_spacing)
    }
}

/// A value that no counter has.
const UNJUDGED: u64 = u64::MAX;

/// A value below this can be what a process counted since it was restarted.
const SMALLEST_SUSPECT: u64 = 100;

/// The largest whole number up to which a float holds every one.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// The value of a counter, which is whole, not negative and exact.
pub(super) fn whole(value: f64) -> Result<u64, Reason> {
    if let Some(whole) = exact(value) {
        Ok(whole)
    } else if value.is_nan() {
        Err(Reason::Nan)
    } else if value.is_infinite() {
        Err(Reason::Infinite)
    } else if value < 0.0 {
        Err(Reason::Negative)
    } else {
        Err(Reason::Fractional)
    }
}

/// The same without a reason why not.
pub(super) fn exact(value: f64) -> Option<u64> {
    let held = (0.0..=MOST_EXACT).contains(&value).then_some(value)?;
    #[expect(clippy::cast_possible_truncation, reason = "at most 2^53")]
    let floor = held as i64;
    (held - floor as f64 <= 0.0).then_some(floor.cast_unsigned())
}

/// The identity of a series: a hash of its labels, in which every spelling of a bucket boundary is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct SeriesKey(pub(super) u128);

impl SeriesKey {
    pub(super) fn of(labels: &Labels) -> Self {
        Self(labels.identity())
    }

    /// Of another bucket of the same histogram.
    pub(super) fn of_bucket(labels: &Labels, boundary: f64) -> Self {
        Self(labels.identity_with(boundary))
    }
}

/// The identity of a target: a hash of `job` and `instance`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TargetKey(pub(super) u64);

impl TargetKey {
    /// The bounds of all targets.
    pub(super) const FIRST: Self = Self(u64::MIN);
    pub(super) const LAST: Self = Self(u64::MAX);

    /// The target of a series; `None` where the series names none.
    pub(super) fn of(labels: &Labels) -> Option<Self> {
        let (job, instance) = (labels.get("job"), labels.get("instance"));
        if job.is_empty() && instance.is_empty() {
            return None;
        }
        let mut hash = Hash::new();
        hash.text(job);
        hash.text(instance);
        Some(Self(hash.finish_short()))
    }
}

/// A hash of a text, stable for ever.
pub(super) fn hash_of(text: &str) -> u64 {
    let mut hash = Hash::new();
    hash.text(text);
    hash.finish_short()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(samples: &[(i64, u64)], expected: &[(u64, i64)]) {
        let mut counter = Counter::first(Timestamp::from_seconds(samples[0].0), samples[0].1);
        let increments = samples[1..].iter().map(|(at, value)| counter.next(Timestamp::from_seconds(*at), *value, &Rule::RAW));
        let got: Vec<_> = increments.map(|increment| (increment.events, increment.booked.millis())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn an_increment_is_exact_and_booked_at_the_later_sample() {
        check(&[(0, 7), (15, 10), (30, 10), (45, 11)], &[(3, 15_000), (0, 30_000), (1, 45_000)]);
    }

    #[test]
    fn after_a_reset_the_new_value_counts_whole() {
        check(&[(0, 100), (15, 4), (30, 6)], &[(4, 15_000), (2, 30_000)]);
    }

    #[test]
    fn a_fall_is_suspect_where_more_than_half_is_kept_and_the_value_is_not_small() {
        for (before, value, suspect) in [
            (1000, 999, true),
            (1000, 501, true),
            (1000, 500, false),
            (1000, 4, false),
            (1000, 1000, false),
            (1000, 1001, false),
            (150, 100, true),
            (150, 99, false),
            (101, 100, true),
        ] {
            assert_eq!(Counter::first(Timestamp::EPOCH, before).is_suspect(value), suspect, "{before} to {value}");
        }
    }

    #[test]
    fn events_of_a_gap_lie_right_behind_the_earlier_sample() {
        check(&[(0, 0), (15, 1), (30, 2), (330, 50), (345, 51)], &[(1, 15_000), (1, 30_000), (48, 30_001), (1, 345_000)]);
    }

    #[test]
    fn a_reset_over_a_gap_counts_at_the_later_sample() {
        check(&[(0, 10), (15, 20), (315, 5)], &[(10, 15_000), (5, 315_000)]);
    }

    #[test]
    fn a_missed_scrape_is_no_gap_and_one_odd_spacing_changes_nothing() {
        check(&[(0, 0), (15, 1), (30, 2), (60, 4), (63, 5), (78, 6)], &[(1, 15_000), (1, 30_000), (2, 60_000), (1, 63_000), (1, 78_000)]);
    }

    #[test]
    fn a_spacing_longer_than_the_memory_is_a_gap_whatever_was_usual() {
        check(&[(0, 0), (140, 1), (280, 2), (580, 3)], &[(1, 140_000), (1, 280_000), (1, 580_000)]);
        check(&[(0, 0), (140, 1), (280, 2), (581, 3)], &[(1, 140_000), (1, 280_000), (1, 280_001)]);
    }

    proptest! {
        /// And it leaves alone what it does not take.
        #[test]
        fn what_goes_on_is_taken_as_any_next_sample_is(
            samples in prop::collection::vec((prop::sample::select(vec![1_i64, 14_999, 15_000, 15_000, 15_000, 90_000, 150_000, 400_000]), 0_u64..5), 1..12),
        ) {
            let pace = Pace::new(Rule::RAW, minutes(60));
            let (mut known, mut at) = (Counter::first(Timestamp::EPOCH, 2), 0);
            for (spacing, value) in samples {
                at += spacing;
                let (mut on, mut next, moment) = (known, known, Timestamp::from_millis(at));
                let increment = next.next(moment, value, &Rule::RAW);
                match on.go_on(moment, value, &pace) {
                    Some(events) => prop_assert_eq!((on, events, moment), (next, increment.events, increment.booked)),
                    None => prop_assert!(on == known && (increment.booked < moment || value < known.value)),
                }
                known = next;
            }
        }

        #[test]
        fn the_usual_spacing_is_the_median_of_those_within_the_memory(
            spacings in prop::array::uniform3(prop::sample::select(vec![0_u32, 1, 14_999, 15_000, 15_001, 60_000, 130_000, 299_999, 300_000, 300_001])),
        ) {
            let mut known: Vec<u32> = Vec::new();
            for spacing in spacings {
                if spacing == 0 || known.iter().sum::<u32>() + spacing > 300_000 {
                    break;
                }
                known.push(spacing);
            }
            known.sort_unstable();
            let median = known.get(known.len() / 2).map(|millis| Duration::from_millis((*millis).into()).min(minutes(2)));
            prop_assert_eq!(Spacings(spacings).usual(&Rule::RAW), median);
        }

        #[test]
        fn a_gap_is_more_than_two_and_a_half_times_the_usual(spacing in 0_u64..1_000_000, usual in 0_u64..400_000) {
            let gap = is_gap(Duration::from_millis(spacing), Duration::from_millis(usual));
            prop_assert_eq!(gap, 2 * spacing > 5 * usual);
        }
    }

    #[test]
    fn only_exact_whole_numbers_are_counted() {
        for (value, expected) in [
            (0.0, Ok(0)),
            (3.0, Ok(3)),
            (9_007_199_254_740_992.0, Ok(1 << 53)),
            (9_007_199_254_740_994.0, Err(Reason::Fractional)),
            (-0.0, Ok(0)),
            (0.5, Err(Reason::Fractional)),
            (4_503_599_627_370_495.5, Err(Reason::Fractional)),
            (f64::MAX, Err(Reason::Fractional)),
            (-1.0, Err(Reason::Negative)),
            (f64::NAN, Err(Reason::Nan)),
            (f64::INFINITY, Err(Reason::Infinite)),
            (f64::NEG_INFINITY, Err(Reason::Infinite)),
        ] {
            assert_eq!(whole(value), expected, "{value}");
        }
    }
}
