//! Histograms: which of their samples can be judged. Observations are good or bad by the buckets of the thresholds, so what happened between two scrapes
//! can be told where both show all of these beside the bucket of all observations. A scrape without one of them tells nothing, as a failed one does.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{Lanes, Round, Sight, Sights, Stage};
use crate::{
    ledger::{
        count::{Counter, SeriesKey, TargetKey},
        plan::{LanePlan, Side, bucket_boundary},
        source_ledger::{MAX_THRESHOLDS, parts::Route},
    },
    time::Timestamp,
};

/// When series of a lane were sampled without the other buckets that judge them.
#[derive(Default)]
pub(super) struct Unjudged(BTreeMap<(usize, SeriesKey), Rc<[Timestamp]>>);

impl Unjudged {
    /// Those of one series; none where all can be judged.
    pub(super) fn of(&self, lane: usize, key: SeriesKey) -> Option<Rc<[Timestamp]>> {
        self.0.get(&(lane, key)).cloned()
    }
}

/// The buckets of one histogram in an answer, by their boundary.
type Buckets<'a, 's> = Vec<(f64, &'a Sight<'s>)>;

impl Round<'_> {
    /// Which samples of these cannot be judged.
    pub(super) fn unjudged(&self, going: &Lanes, sights: &Sights<'_>) -> Unjudged {
        let mut unjudged = Unjudged::default();
        let uneven = self.uneven(going, sights);
        let queries: BTreeSet<usize> = uneven.iter().filter_map(|lane| self.histogram_query(*lane)).collect();
        for query in queries {
            let mut histograms: BTreeMap<SeriesKey, Buckets<'_, '_>> = BTreeMap::new();
            for sight in of_query(&sights.all, query) {
                if let Some(boundary) = bucket_boundary(sight.labels) {
                    histograms.entry(all_of(sight)).or_default().push((boundary, sight));
                }
            }
            for lane in uneven.iter().filter(|lane| self.histogram_query(**lane) == Some(query)) {
                for buckets in histograms.values() {
                    unjudged
                        .0
                        .extend(not_judged(&self.plan.lanes()[*lane], buckets).into_iter().map(|(key, moments)| ((*lane, key), moments)));
                }
            }
        }
        unjudged
    }

    /// The SLOs of which one bucket may have been sampled more often than another.
    fn uneven(&self, going: &Lanes, sights: &Sights<'_>) -> BTreeSet<usize> {
        let lanes = self.plan.lanes();
        let (mut sampled, mut uneven) = (vec![[0_usize; MAX_THRESHOLDS + 1]; lanes.len()], BTreeSet::new());
        for sight in self.plan.looks().flat_map(|(query, _)| of_query(&sights.all, query)) {
            uneven.extend(sight.fresh.iter().map(|(lane, _)| *lane));
            for route in sight.place.map_or(&[][..], |place| &*self.series.at(place).routes) {
                if let Some(samples) = sampled[route.lane as usize].get_mut(route.side as usize) {
                    *samples += sight.samples.len();
                }
            }
        }
        let is_uneven = |lane: &usize| {
            let mut sides = sampled[*lane].iter().take(lanes[*lane].sides.len());
            lanes[*lane].has_thresholds() && sides.next().is_some_and(|first| sides.any(|other| other != first))
        };
        uneven.extend(going.iter().filter(is_uneven));
        uneven.retain(|lane| going.contains(*lane));
        uneven
    }

    fn histogram_query(&self, lane: usize) -> Option<usize> {
        self.plan.lanes()[lane].thresholds().next().map(|(_, side)| side.query)
    }

    /// Passes over a sample that cannot be judged. What was counted up to the last one that could be is remembered for as long as any counter; behind that the
    /// next one is a beginning.
    pub(super) fn pass_over(
        &mut self,
        stage: &mut Stage<'_>,
        sight: &Sight<'_>,
        (side, route): (&Side, Route),
        at: Timestamp,
        known: Option<Counter>,
    ) -> Option<Counter> {
        self.hear_unjudged(stage, sight, (side, route), at);
        if !side.role.is_total() {
            return known;
        }
        let has_up = self.meta(route.stream).has_up;
        stage.miss(route.stream, sight, at);
        let lane = &self.counted.lanes[route.lane as usize];
        let remembered = known.filter(|known| !known.is_unjudged() && !lane.forgets(has_up, known.at, at));
        Some(remembered.unwrap_or_else(|| Counter::unjudged(at)))
    }

    /// Notes that there was a sample, which cannot be judged.
    pub(super) fn hear_unjudged(&mut self, stage: &mut Stage<'_>, sight: &Sight<'_>, (side, route): (&Side, Route), at: Timestamp) {
        if !side.role.is_total() {
            self.meta(route.stream).see_bucket(route.side as usize, at);
            return;
        }
        let usual = self.scraped_every(stage, sight, at).unwrap_or(self.rule.default_spacing);
        let meta = self.meta(route.stream);
        meta.newest = meta.newest.max(Some((at, usual)));
    }

    /// Whether the histogram of a bucket was there before, without that bucket: then what the bucket held when it came is no news.
    pub(super) fn had_other_buckets(
        &self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        route: &Route,
        at: Timestamp,
    ) -> bool {
        let all = all_of(sight);
        let read = stage.place_in(sights, sight.query, all).map(|place| &sights[place]);
        let before = read.and_then(|read| read.samples[..read.samples.partition_point(|sample| sample.at < at)].last());
        let routes = self.series.get(all).map_or(&[][..], |tracked| &*tracked.routes);
        let is_total =
            |known: &&Route| known.lane == route.lane && self.plan.lanes()[known.lane as usize].sides[known.side as usize].role.is_total();
        let remembered = routes.iter().find(is_total).and_then(|total| self.series.counter(total));
        let last = before.map(|sample| sample.at).max(remembered.map(|counter| counter.at).filter(|last| *last < at));
        let has_up = self.counted.metas[route.stream as usize].has_up;
        last.is_some_and(|last| !self.counted.lanes[route.lane as usize].forgets(has_up, last, at))
    }
}

impl Stage<'_> {
    /// Where a series stands in the answer to a query.
    fn place_in(&mut self, sights: &[Sight<'_>], query: usize, key: SeriesKey) -> Option<usize> {
        let places =
            self.places.get_or_insert_with(|| sights.iter().enumerate().map(|(at, sight)| ((sight.query, sight.key), at)).collect());
        places.get(&(query, key)).copied()
    }

    /// Notes a scrape behind which nothing of a histogram is counted.
    pub(super) fn miss(&mut self, stream: u32, sight: &Sight<'_>, at: Timestamp) {
        if let Some(target) = TargetKey::of(sight.labels) {
            self.missed.entry(stream).or_default().insert((target, at));
        }
    }
}

/// The sights of one query: they come in the order of queries.
fn of_query<'a, 's>(sights: &'a [Sight<'s>], query: usize) -> &'a [Sight<'s>] {
    &sights[sights.partition_point(|sight| sight.query < query)..sights.partition_point(|sight| sight.query <= query)]
}

/// The bucket of all observations of a bucket's histogram.
fn all_of(sight: &Sight<'_>) -> SeriesKey {
    SeriesKey::of_bucket(sight.labels, f64::INFINITY)
}

/// Of one histogram: each bucket that the SLO takes, with when it was sampled without another of these.
fn not_judged(plan: &LanePlan, buckets: &[(f64, &Sight<'_>)]) -> Vec<(SeriesKey, Rc<[Timestamp]>)> {
    let taken: Vec<Option<&Sight<'_>>> =
        plan.sides.iter().map(|side| buckets.iter().find(|(le, _)| Some(*le) == side.boundary).map(|(_, sight)| *sight)).collect();
    let moments = |sight: &Sight<'_>| -> BTreeSet<Timestamp> { sight.samples.iter().map(|sample| sample.at).collect() };
    let judged = taken.iter().map(|sight| sight.map(moments).unwrap_or_default()).reduce(|all, own| &all & &own).unwrap_or_default();
    let others = |sight: &&Sight<'_>| -> Rc<[Timestamp]> {
        sight.samples.iter().map(|sample| sample.at).filter(|at| !judged.contains(at)).collect()
    };
    taken.iter().flatten().map(|sight| (sight.key, others(sight))).filter(|(_, moments)| !moments.is_empty()).collect()
}
