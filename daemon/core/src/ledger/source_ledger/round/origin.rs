//! Since when the first value of a series counts: since zero, or, where the labels of its target were changed, since what the counter stood at under its
//! former labels.
//!
//! Nothing but its labels tells one counter from another. So a series goes on from the one of the same metric and target that ended in the scrape before,
//! whose labels differ in names alone that one of both lacks, or in the labels in which `up` of the target changed, too. Where several could be that one, or
//! `up` changed and none is, nothing tells since when the value counts.

use std::sync::Arc;

use super::{Memory, Round, Sight, Stage, relatives::Relative};
use crate::{
    ledger::{
        FirstValueRule, Histogram, Sample,
        count::{Counter, TargetKey, is_gap},
        source_ledger::parts::Route,
    },
    time::Timestamp,
};

/// A first value that counts.
pub(super) struct Birth {
    /// The instant within the slice that it is booked in.
    pub booked: Timestamp,
    /// Since when it counts.
    pub origin: Origin,
    /// By which rule it does.
    pub rule: FirstValueRule,
}

/// What a counter stood at before its first value.
pub(super) enum Origin {
    /// It was not there.
    Zero,
    /// It had other labels.
    Last { value: u64, histogram: Option<Arc<Histogram>> },
}

impl Origin {
    /// Its value.
    pub(super) const fn value(&self) -> u64 {
        match self {
            Self::Zero => 0,
            Self::Last { value, .. } => *value,
        }
    }
}

/// What was last seen of a series before a moment.
struct Last {
    at: Timestamp,
    value: u64,
    /// Its first sample that is not before the moment.
    next: Option<Timestamp>,
}

impl Round<'_> {
    /// Since when the first value of a series counts, at `at`; `None` where nothing tells.
    pub(super) fn origin(
        &self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        route: &Route,
        (at, value): (Timestamp, u64),
    ) -> Option<Origin> {
        let Some((target, since)) = self.seen_before(stage, sights, sight, route, at) else { return Some(Origin::Zero) };
        if stage.timeline.started(target, since, at) {
            return Some(Origin::Zero);
        }
        let changed = stage.timeline.relabelled(target, since, at);
        let mut nearest = Vec::new();
        for relatives in self.relatives(stage, sights, target, route).alike(sight.labels, &changed) {
            let others = relatives.into_iter().filter(|relative| relative.key != sight.key);
            nearest.extend(others.filter_map(|relative| {
                let last = self.last_of(relative, sights, at).filter(|last| last.ended(since, at))?;
                Some((relative, last))
            }));
            if !nearest.is_empty() {
                break;
            }
        }
        let other_until = self.counted.lanes[route.lane as usize].other_until;
        if nearest
            .iter()
            .any(|(_, last)| other_until.is_some_and(|until| last.at <= until) || Counter::first(last.at, last.value).is_suspect(value))
        {
            return None;
        }
        let could_be = |(_, last): &&(&Relative, Last)| last.value <= value;
        let mut from = nearest.iter().filter(could_be);
        match (from.next(), from.next()) {
            (Some((relative, last)), None) => {
                Some(Origin::Last { value: last.value, histogram: self.histogram_of(relative, sights, last.at) })
            }
            (Some(_), Some(_)) => None,
            // They fell, as where the process was restarted.
            (None, _) if !nearest.is_empty() => Some(Origin::Zero),
            (None, _) => changed.is_empty().then_some(Origin::Zero),
        }
    }

    /// Whether a series that is behind a gap had other labels meanwhile, under which its counter went on.
    pub(super) fn went_on_elsewhere(
        &self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        route: &Route,
        known: Counter,
        sample: &Sample,
    ) -> bool {
        if known.is_unjudged() || !is_gap(sample.at.since(known.at), known.usual(&self.rule)) {
            return false;
        }
        let Some(value) = sight.exact_value(sample) else { return false };
        let seen = self.seen_before(stage, sights, sight, route, sample.at);
        if seen.is_none_or(|(_, since)| since <= known.at) {
            return false;
        }
        let origin = self.origin(stage, sights, sight, route, (sample.at, value));
        matches!(origin, Some(Origin::Last { value, .. }) if value >= known.value)
    }

    /// The target of a series, and when it was last seen before `at`.
    fn seen_before(
        &self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        route: &Route,
        at: Timestamp,
    ) -> Option<(TargetKey, Timestamp)> {
        let target = TargetKey::of(sight.labels)?;
        if stage.timeline.knows(target) {
            return Some((target, stage.timeline.seen_before(target, at)?));
        }
        let companions = stage.companions.get_or_insert_with(|| self.companions(sights)).get(&(route.lane, target))?;
        let before = companions.partition_point(|moment| *moment < at).checked_sub(1)?;
        Some((target, companions[before]))
    }

    /// Values of history stand for a while behind their sample: there a series that ended still has one beside the first of the next.
    fn last_of(&self, relative: &Relative, sights: &[Sight<'_>], at: Timestamp) -> Option<Last> {
        let sight = relative.sight.map(|place| &sights[place]);
        let samples = sight.map_or(&[][..], |sight| &sight.samples);
        let cut = match self.memory {
            Memory::Ledger => samples.partition_point(|sample| sample.at < at),
            Memory::Nothing => samples.partition_point(|sample| sample.at <= at),
        };
        let next = samples.get(cut).map(|sample| sample.at);
        let of_read = samples[..cut].iter().rev().find_map(|sample| Some((sample.at, sight?.exact_value(sample)?)));
        let before =
            || relative.counter.filter(|counter| counter.at < at && !counter.is_unjudged()).map(|counter| (counter.at, counter.value));
        of_read.or_else(before).map(|(last, value)| Last { at: last, value, next })
    }

    fn histogram_of(&self, relative: &Relative, sights: &[Sight<'_>], at: Timestamp) -> Option<Arc<Histogram>> {
        let of_read = relative.sight.and_then(|place| {
            let sight = &sights[place];
            sight.samples.iter().find(|sample| sample.at == at).and_then(|sample| sight.histogram(sample).ok())
        });
        of_read.or_else(|| self.series.histograms().get(&relative.place)).cloned()
    }
}

impl Last {
    /// Whether the series ended when its target was scraped at `at`, and was last seen at `since`.
    fn ended(&self, since: Timestamp, at: Timestamp) -> bool {
        self.at >= since && self.next.is_none_or(|next| next > at.plus(at.since(since)))
    }
}
