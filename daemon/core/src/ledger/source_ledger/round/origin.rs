//! Since when the first value of a series counts: since zero, or, where the labels of its target were changed, since what the counter stood at under its
//! former labels.
//!
//! Nothing but its labels tells one counter from another. So a series goes on from the one of the same metric and target that ended in the scrape before,
//! whose labels differ in names alone that one of both lacks, or in the labels in which `up` of the target changed, too. Where several could be that one, or
//! `up` changed and none is, nothing tells since when the value counts.

use std::{cmp::Ordering, collections::BTreeMap, rc::Rc, sync::Arc};

use super::{Memory, Round, Sight, Stage};
use crate::{
    ledger::{
        Histogram, Sample,
        count::{Counter, SeriesKey, TargetKey, is_gap},
        source_ledger::parts::{Route, Tracked},
    },
    sli::Labels,
    time::Timestamp,
};

/// A first value that counts.
pub(super) struct Birth {
    /// The instant within the slice that it is booked in.
    pub booked: Timestamp,
    /// Since when it counts.
    pub origin: Origin,
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

/// The series that a read is about, found by what they are of.
#[derive(Default)]
pub(super) struct Relatives {
    /// Those of this read, and those that the ledger knows, each by target and place. Filled when they are first needed.
    places: Option<Places>,
    /// Those of a side of an SLO, by target.
    of_side: BTreeMap<(u32, u32, TargetKey), Rc<[Relative]>>,
}

struct Places {
    sights: Vec<(TargetKey, usize)>,
    known: Vec<(TargetKey, usize)>,
}

impl Places {
    fn of(sorted: &[(TargetKey, usize)], target: TargetKey) -> impl Iterator<Item = usize> + '_ {
        let first = sorted.partition_point(|(of, _)| *of < target);
        sorted[first..].iter().take_while(move |(of, _)| *of == target).map(|(_, place)| *place)
    }
}

/// One series of a side.
struct Relative {
    key: SeriesKey,
    labels: Labels,
    /// Its place among the series of this read.
    sight: Option<usize>,
    /// Its last settled sample before this read, and the place of what is remembered there.
    counter: Option<Counter>,
    place: u32,
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
        let (mut nearest, mut best) = (Vec::new(), usize::MAX);
        let relatives = self.relatives(stage, sights, target, route);
        for relative in relatives.iter().filter(|relative| relative.key != sight.key) {
            let Some(last) = self.last_of(relative, sights, at).filter(|last| last.ended(since, at)) else { continue };
            let Some(unlike) = unlike(&relative.labels, sight.labels, &changed) else { continue };
            match unlike.cmp(&best) {
                Ordering::Less => (nearest, best) = (vec![(relative, last)], unlike),
                Ordering::Equal => nearest.push((relative, last)),
                Ordering::Greater => {}
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

    /// The series of a target that the side of a route takes.
    fn relatives(&self, stage: &mut Stage<'_>, sights: &[Sight<'_>], target: TargetKey, route: &Route) -> Rc<[Relative]> {
        let places = stage.relatives.places.get_or_insert_with(|| self.places(sights));
        let of_side = stage.relatives.of_side.entry((route.lane, route.side, target));
        Rc::clone(of_side.or_insert_with(|| {
            let query = self.plan.lanes()[route.lane as usize].sides[route.side as usize].query;
            let mut found: BTreeMap<SeriesKey, Relative> = BTreeMap::new();
            for tracked in Places::of(&places.known, target).map(|place| self.series.at_place(place)) {
                found.extend(self.relative(tracked, route, None).map(|relative| (relative.key, relative)));
            }
            for at in Places::of(&places.sights, target).filter(|at| sights[*at].query == query) {
                let relative = self.known(&sights[at]).and_then(|tracked| self.relative(tracked, route, Some(at)));
                found.extend(relative.map(|relative| (relative.key, relative)));
            }
            found.into_values().collect()
        }))
    }

    fn relative(&self, tracked: &Tracked, of: &Route, sight: Option<usize>) -> Option<Relative> {
        let route = tracked.routes.iter().find(|route| route.is_of(of))?;
        let counter = self.series.counters().get(route.counter as usize).copied().flatten();
        Some(Relative { key: tracked.key, labels: tracked.labels.clone()?, sight, counter, place: route.counter })
    }

    fn places(&self, sights: &[Sight<'_>]) -> Places {
        let of = |tracked: &Tracked| tracked.target;
        let in_read = sights.iter().enumerate().filter_map(|(at, sight)| Some((self.known(sight).and_then(of)?, at)));
        let known = self.series.iter().enumerate().filter_map(|(at, tracked)| Some((of(tracked)?, at)));
        let sorted = |mut places: Vec<(TargetKey, usize)>| {
            places.sort_unstable();
            places
        };
        Places { sights: sorted(in_read.collect()), known: sorted(known.collect()) }
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

/// In how many label names that one of both lacks the labels of a series differ from those of another, where they are the same in all others but the
/// `changed` ones; `None` where they are not.
fn unlike(one: &Labels, other: &Labels, changed: &[String]) -> Option<usize> {
    let counts = |name: &str| !changed.iter().any(|changed| changed == name);
    let (mut ones, mut others) =
        (one.pairs().filter(|(name, _)| counts(name)).peekable(), other.pairs().filter(|(name, _)| counts(name)).peekable());
    let mut unlike = 0;
    loop {
        match (ones.peek(), others.peek()) {
            (None, None) => return Some(unlike),
            (Some((name, value)), Some((same, is))) if name == same => {
                if *name == "le" && value.parse::<f64>().ok() != is.parse().ok() || *name != "le" && value != is {
                    return None;
                }
                ones.next();
                others.next();
            }
            (Some((name, _)), Some((next, _))) if name < next => unlike += usize::from(ones.next().is_some()),
            (Some(_), None) => unlike += usize::from(ones.next().is_some()),
            (_, Some(_)) => unlike += usize::from(others.next().is_some()),
        }
    }
}
