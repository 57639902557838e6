//! Slices: stretches of time that events are booked in, left-open and right-closed, keyed by their end. An event at an edge belongs to the slice
//! that ends there.

use std::{collections::BTreeSet, time::Duration};

use super::Counts;
use crate::{
    slo::{CountedIn, Objective, SliceRule, Slo, Urgency},
    time::{Timestamp, hours, minutes},
    window::Window,
};

/// The finest slices of an SLO with a lookback under 5 min.
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// The finest slices of any other SLO.
pub(super) const TEN_SECONDS: Duration = Duration::from_secs(10);
/// The next level.
pub(super) const MINUTE: Duration = minutes(1);
/// The next level.
pub(super) const FIVE_MINUTES: Duration = minutes(5);
/// The coarsest level, but for an SLO with a calendar window of a zone whose days begin between two hours: see [`coarsest`].
pub(super) const HOUR: Duration = hours(1);

/// How long the coarsest slices are kept beyond the longest lookback: budgets are reported as they stood at the ends of the last two whole weeks, the older
/// of which is up to 14 days and an hour of daylight saving ago.
const REPORTED: Duration = hours(14 * 24 + 2);

/// Events of one stream that were booked in a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// The stream.
    pub stream: u32,
    /// The end of the slice.
    pub end: Timestamp,
    /// What was counted.
    pub counts: Counts,
}

/// A stretch in which nobody saw anything of a stream: `(from, to]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// The stream.
    pub stream: u32,
    /// Its start, not part of it.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Span {
    /// How much of it lies in `(from, to]`.
    pub(super) fn within(&self, from: Timestamp, to: Timestamp) -> Counts {
        let unseen = self.to.min(to).since(self.from.max(from));
        Counts { unseen_millis: i64::try_from(unseen.as_millis()).unwrap_or(i64::MAX), ..Counts::default() }
    }
}

/// The length of slices, and how long the memory keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LevelSpec {
    /// Length of a slice.
    pub step: Duration,
    /// The longest lookback that they serve.
    pub keep: Duration,
}

/// The lookbacks that an SLO is decided and shown by.
pub(super) fn lookbacks(slo: &Slo) -> Vec<Duration> {
    let rows = slo.objectives.iter().flat_map(|objective| &objective.rows).flat_map(|row| [row.long, row.short]);
    let windows = slo.objectives.iter().filter_map(|objective| match objective.window {
        Window::Rolling(length) => Some(length),
        Window::Calendar { .. } => None,
    });
    let lookbacks: BTreeSet<Duration> = rows.chain(windows).collect();
    lookbacks.into_iter().collect()
}

/// How long minutes are kept where slices of time are judged: a counter that is not forgotten can still tell of events in a slice of so long ago.
pub(super) const JUDGED_AGAIN: Duration = hours(25);

/// The levels that an SLO's lookbacks need, finest first, where its slices of time are judged by these rules.
pub(super) fn levels(slo: &Slo, rules: &BTreeSet<SliceRule>) -> Vec<LevelSpec> {
    let rows = || slo.objectives.iter().flat_map(|objective| &objective.rows);
    let lookbacks = || rows().flat_map(|row| [row.long, row.short]);
    let mut levels = Vec::with_capacity(5);
    if let Some(brief) = lookbacks().filter(|lookback| *lookback < FIVE_MINUTES).max() {
        let page = rows().filter(|row| row.urgency == Urgency::Page).map(|row| row.long).max().unwrap_or_default();
        levels.push(LevelSpec { step: SECOND, keep: page.min(HOUR).max(brief) });
    }
    levels.extend(standard_levels(longest(slo), coarsest(slo)));
    if !rules.is_empty() || slo.sli.composite().is_some() {
        let minutes = levels.iter_mut().find(|level| level.step == MINUTE).expect("minutes are a level");
        minutes.keep = JUDGED_AGAIN;
    }
    levels
}

/// The longest lookback of an SLO.
fn longest(slo: &Slo) -> Duration {
    let rows = slo.objectives.iter().flat_map(|objective| &objective.rows).map(|row| row.long);
    rows.chain(slo.objectives.iter().map(|objective| objective.window.longest())).max().unwrap_or_default()
}

/// The rules by which objectives of an SLO have slices of time judged.
pub(super) fn slice_rules(slo: &Slo) -> BTreeSet<SliceRule> {
    let rule = |objective: &Objective| match objective.counted_in {
        CountedIn::Events => None,
        CountedIn::Slices(rule) => Some(rule),
    };
    slo.objectives.iter().filter_map(rule).collect()
}

/// How long verdicts are needed, and how fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    longest: Duration,
    coarsest: Duration,
    /// The slices themselves are kept for so long at least.
    single: Duration,
}

impl Default for Reach {
    fn default() -> Self {
        Self { longest: hours(720), coarsest: HOUR, single: Duration::ZERO }
    }
}

impl Reach {
    /// For the windows of an SLO.
    pub(super) fn of(slo: &Slo) -> Self {
        Self { longest: longest(slo), coarsest: coarsest(slo), single: Duration::ZERO }
    }

    /// The same, and for a composite that takes the verdicts of a slice anew as long as they may change.
    pub(super) fn beside(self, composite: &Slo) -> Self {
        let other = Self::of(composite);
        Self { longest: self.longest.max(other.longest), coarsest: self.coarsest.min(other.coarsest), single: JUDGED_AGAIN }
    }
}

/// The levels of verdicts on slices of this length, finest first: the slices themselves, and those of the standard levels that hold whole ones.
pub(super) fn verdict_levels(reach: Reach, length: Duration) -> Vec<LevelSpec> {
    let standard = standard_levels(reach.longest, reach.coarsest);
    let coarser = standard.into_iter().filter(|level| level.step > length && level.step.as_secs().is_multiple_of(length.as_secs()));
    let coarser: Vec<LevelSpec> = coarser.collect();
    let [_, minutes, five_minutes, hours] = standard;
    let keep = match coarser.as_slice() {
        [] => hours.keep,
        [one] if one.step == hours.step => five_minutes.keep,
        [_, ..] => minutes.keep,
    };
    [LevelSpec { step: length, keep: keep.max(reach.single) }].into_iter().chain(coarser).collect()
}

/// The coarsest slices of an SLO: as long as they can be with an edge wherever one of its calendar windows begins.
fn coarsest(slo: &Slo) -> Duration {
    slo.objectives.iter().map(|objective| objective.window.edges()).min().unwrap_or(HOUR)
}

/// The levels without slices of a second.
pub(super) fn standard_levels(longest: Duration, coarsest: Duration) -> [LevelSpec; 4] {
    [
        LevelSpec { step: TEN_SECONDS, keep: HOUR },
        LevelSpec { step: MINUTE, keep: hours(6) },
        LevelSpec { step: FIVE_MINUTES, keep: hours(72) },
        LevelSpec { step: coarsest, keep: longest.max(hours(72)) + REPORTED },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::fixture, sli::MatchOp};

    #[test]
    fn a_brief_lookback_keeps_slices_of_a_second() {
        let mut slo = (*fixture::availability("a", "m", &[("code", MatchOp::Equal, "500")])).clone();
        assert_eq!(levels(&slo, &BTreeSet::new())[0], LevelSpec { step: TEN_SECONDS, keep: HOUR });
        slo.objectives[0].rows[0].long = minutes(10);
        slo.objectives[0].rows[0].short = minutes(1);
        assert_eq!(levels(&slo, &BTreeSet::new())[0], LevelSpec { step: SECOND, keep: minutes(10) });
    }

    #[test]
    fn every_lookback_starts_on_an_edge_of_at_most_a_thirtieth() {
        let slo = fixture::availability("a", "m", &[]);
        for lookback in [minutes(5), minutes(30), HOUR, hours(2), hours(6), hours(24), hours(72), hours(73), hours(720)] {
            let level = levels(&slo, &BTreeSet::new()).into_iter().find(|level| level.keep >= lookback).expect("some level serves it");
            assert!(level.step * 30 <= lookback, "{lookback:?}");
        }
    }

    #[test]
    fn a_span_is_cut_to_the_stretch() {
        let at = Timestamp::from_seconds;
        let span = Span { stream: 0, from: at(5), to: at(25) };
        for (from, to, unseen) in [(0, 10, 5_000), (10, 20, 10_000), (20, 30, 5_000), (30, 40, 0), (0, 100, 20_000)] {
            assert_eq!(span.within(at(from), at(to)).unseen_millis, unseen);
        }
    }
}
