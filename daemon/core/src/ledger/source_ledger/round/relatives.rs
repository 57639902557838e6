//! The series of a target that one side of an SLO takes, found by their labels: a target may have ten thousand, all of which change at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{Round, Sight, Stage};
use crate::{
    ledger::{
        count::{Counter, SeriesKey, TargetKey},
        source_ledger::parts::{Route, Tracked},
    },
    sli::Labels,
};

/// The series that a read is about, found by what they are of.
#[derive(Default)]
pub(super) struct Relatives {
    /// Those of this read, and those that the ledger knows, each by target and place. Filled when they are first needed.
    places: Option<Places>,
    /// Those of a side of an SLO, by target.
    of_side: BTreeMap<(u32, u32, TargetKey), Family>,
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
pub(super) struct Relative {
    pub key: SeriesKey,
    labels: Labels,
    /// Its place among the series of this read.
    pub sight: Option<usize>,
    /// Its last settled sample before this read, and the place of what is remembered there.
    pub counter: Option<Counter>,
    pub place: u32,
}

/// The series of a side, by the names of their labels.
pub(super) struct Family(Vec<Branch>);

/// Those whose labels have the same names.
struct Branch {
    names: BTreeSet<String>,
    members: Vec<Relative>,
    /// By which names they were looked for: the places of those that have the same values there.
    by_values: BTreeMap<Vec<String>, BTreeMap<u128, Vec<usize>>>,
}

impl Family {
    fn new(relatives: impl IntoIterator<Item = Relative>) -> Self {
        let mut branches: BTreeMap<Vec<String>, Vec<Relative>> = BTreeMap::new();
        for relative in relatives {
            let names = relative.labels.pairs().map(|(name, _)| name.to_owned()).collect();
            branches.entry(names).or_default().push(relative);
        }
        let branch =
            |(names, members): (Vec<String>, _)| Branch { names: names.into_iter().collect(), members, by_values: BTreeMap::new() };
        Self(branches.into_iter().map(branch).collect())
    }

    /// Those whose labels are the same as these but for names that one of both lacks, and for the `changed` ones: with the fewest such names first.
    pub(super) fn alike(&mut self, labels: &Labels, changed: &[String]) -> Vec<Vec<&Relative>> {
        let counts = |name: &str| !changed.iter().any(|changed| changed == name);
        let names: BTreeSet<String> = labels.pairs().map(|(name, _)| name).filter(|name| counts(name)).map(str::to_owned).collect();
        let mut by_unlike: BTreeMap<usize, Vec<&Relative>> = BTreeMap::new();
        for branch in &mut self.0 {
            let common: Vec<String> = branch.names.intersection(&names).cloned().collect();
            let unlike = branch.names.symmetric_difference(&names).filter(|name| counts(name)).count();
            let relatives = branch.with_values(&common, labels);
            if !relatives.is_empty() {
                by_unlike.entry(unlike).or_default().extend(relatives);
            }
        }
        by_unlike.into_values().collect()
    }
}

impl Branch {
    /// The members that have the same values of these names as the labels.
    fn with_values(&mut self, names: &[String], labels: &Labels) -> Vec<&Relative> {
        let values =
            |labels: &Labels, names: &[String]| labels.identity_of(|name| names.binary_search_by(|have| have.as_str().cmp(name)).is_ok());
        let wanted = values(labels, names);
        if !self.by_values.contains_key(names) {
            let mut places: BTreeMap<u128, Vec<usize>> = BTreeMap::new();
            for (place, member) in self.members.iter().enumerate() {
                places.entry(values(&member.labels, names)).or_default().push(place);
            }
            self.by_values.insert(names.to_vec(), places);
        }
        let places = self.by_values[names].get(&wanted).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.members[*place]).collect()
    }
}

impl Round<'_> {
    /// The series of a target that the side of a route takes.
    pub(super) fn relatives<'s>(&self, stage: &'s mut Stage<'_>, sights: &[Sight<'_>], target: TargetKey, route: &Route) -> &'s mut Family {
        let places = stage.relatives.places.get_or_insert_with(|| self.places(sights));
        stage.relatives.of_side.entry((route.lane, route.side, target)).or_insert_with(|| {
            let query = self.plan.lanes()[route.lane as usize].sides[route.side as usize].query;
            let mut found: BTreeMap<SeriesKey, Relative> = BTreeMap::new();
            for tracked in Places::of(&places.known, target).map(|place| self.series.at_place(place)) {
                found.extend(self.relative(tracked, route, None).map(|relative| (relative.key, relative)));
            }
            for at in Places::of(&places.sights, target).filter(|at| sights[*at].query == query) {
                let relative = self.known(&sights[at]).and_then(|tracked| self.relative(tracked, route, Some(at)));
                found.extend(relative.map(|relative| (relative.key, relative)));
            }
            Family::new(found.into_values())
        })
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
}
