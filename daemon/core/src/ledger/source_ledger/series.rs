//! The series that a ledger remembers: each has a place and is found by its identity. Places are given in the order of the answers, so that the next
//! series of an answer mostly has the next place.

use std::{collections::BTreeMap, sync::Arc};

use super::parts::{Route, Tracked};
use crate::ledger::{
    Histogram,
    count::{Counter, SeriesKey},
};

/// All series, and the counters of those who take them.
#[derive(Debug, Default)]
pub(in crate::ledger) struct SeriesTable {
    known: Vec<Tracked>,
    places: BTreeMap<SeriesKey, u32>,
    /// The last settled sample of each route, by `Route::counter`. Apart from the routes, so that a round takes a copy of all and moves its own on.
    counters: Vec<Option<Counter>>,
    /// The last settled native histogram of each route that counts one, by `Route::counter`.
    histograms: BTreeMap<u32, Arc<Histogram>>,
}

impl SeriesTable {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Tracked> {
        self.known.iter()
    }

    /// By its place in `iter`.
    pub(super) fn at_place(&self, place: usize) -> &Tracked {
        &self.known[place]
    }

    pub(super) fn at(&self, place: u32) -> &Tracked {
        &self.known[place as usize]
    }

    pub(super) fn get(&self, key: SeriesKey) -> Option<&Tracked> {
        self.places.get(&key).map(|place| self.at(*place))
    }

    pub(super) fn counters(&self) -> &[Option<Counter>] {
        &self.counters
    }

    pub(super) const fn histograms(&self) -> &BTreeMap<u32, Arc<Histogram>> {
        &self.histograms
    }

    pub(super) fn counter(&self, route: &Route) -> Option<Counter> {
        self.counters[route.counter as usize]
    }

    /// Looks series up one after another.
    pub(super) const fn walk(&self) -> Walk<'_> {
        Walk { table: self, next: 0 }
    }

    /// Takes over what a round found, with all counters and histograms as they are after it.
    pub(super) fn take(&mut self, found: Vec<Tracked>, counters: Vec<Option<Counter>>, histograms: BTreeMap<u32, Arc<Histogram>>) {
        self.counters = counters;
        self.histograms = histograms;
        for tracked in found {
            self.put(tracked);
        }
    }

    fn put(&mut self, tracked: Tracked) {
        let new = index(self.known.len());
        let place = *self.places.entry(tracked.key).or_insert(new);
        if place == new {
            self.known.push(tracked);
        } else {
            self.known[place as usize] = tracked;
        }
    }

    /// Gives a series one more taker.
    pub(super) fn add(&mut self, key: SeriesKey, route: Route, counter: Counter, histogram: Option<Arc<Histogram>>) {
        let mut tracked = self.get(key).cloned().unwrap_or(Tracked::new(key));
        let place = index(self.counters.len());
        tracked.routes.push(Route { counter: place, ..route });
        self.histograms.extend(histogram.map(|histogram| (place, histogram)));
        self.counters.push(Some(counter));
        self.put(tracked);
    }

    /// Takes these SLOs' counters from another table of the same plan: afterwards both know the same series of theirs.
    pub(super) fn adopt(&mut self, other: &Self, lanes: &[bool]) {
        let adopted = |route: &Route| lanes[route.lane as usize];
        let has = |key, route: &Route| other.get(key).is_some_and(|tracked| tracked.routes.iter().any(|known| known.is_of(route)));
        self.retain(|tracked, _, _| {
            let key = tracked.key;
            tracked.routes.retain_mut(|route| !adopted(route) || has(key, route));
        });
        for tracked in other.iter() {
            for route in tracked.routes.iter().filter(|route| adopted(route)) {
                self.set(tracked, route, other.counter(route), other.histograms.get(&route.counter).cloned());
            }
        }
    }

    /// Sets the counter and the histogram of a taker of a series, which may be new here.
    fn set(&mut self, of: &Tracked, route: &Route, counter: Option<Counter>, histogram: Option<Arc<Histogram>>) {
        let known = self.get(of.key).and_then(|tracked| tracked.routes.iter().find(|known| known.is_of(route))).map(|known| known.counter);
        if let Some(known) = known {
            self.counters[known as usize] = counter;
            self.histograms.remove(&known);
            self.histograms.extend(histogram.map(|histogram| (known, histogram)));
            return;
        }
        let mut tracked =
            self.get(of.key).cloned().unwrap_or(Tracked { target: of.target, labels: of.labels.clone(), ..Tracked::new(of.key) });
        let place = index(self.counters.len());
        tracked.routes.push(Route { counter: place, ..*route });
        self.histograms.extend(histogram.map(|histogram| (place, histogram)));
        self.counters.push(counter);
        self.put(tracked);
    }

    /// Forgets these series.
    pub(super) fn forget(&mut self, keys: &[SeriesKey]) {
        for key in keys {
            let Some(place) = self.places.remove(key) else { continue };
            for route in self.known.swap_remove(place as usize).routes.iter() {
                self.counters[route.counter as usize] = None;
            }
            if let Some(moved) = self.known.get(place as usize) {
                self.places.insert(moved.key, place);
            }
        }
        if self.counters.len() > 2 * self.known.iter().map(|tracked| tracked.routes.len()).sum::<usize>() {
            self.retain(|_, _, _| {});
        }
    }

    /// Lets `change` alter the routes of each series, with all counters and histograms at hand, and drops the series that nobody takes any more.
    pub(super) fn retain(&mut self, mut change: impl FnMut(&mut Tracked, &[Option<Counter>], &BTreeMap<u32, Arc<Histogram>>)) {
        let counters = std::mem::take(&mut self.counters);
        let mut histograms = std::mem::take(&mut self.histograms);
        self.known.retain_mut(|tracked| {
            change(tracked, &counters, &histograms);
            !tracked.routes.is_empty()
        });
        for route in self.known.iter_mut().flat_map(|tracked| tracked.routes.iter_mut()) {
            self.counters.push(counters[route.counter as usize]);
            let before = std::mem::replace(&mut route.counter, index(self.counters.len() - 1));
            self.histograms.extend(histograms.remove(&before).map(|histogram| (route.counter, histogram)));
        }
        self.places = self.known.iter().enumerate().map(|(place, tracked)| (tracked.key, index(place))).collect();
    }
}

/// Looks series up one after another: fast where they come in the order of their places.
pub(super) struct Walk<'t> {
    table: &'t SeriesTable,
    next: u32,
}

impl Walk<'_> {
    pub(super) fn find(&mut self, key: SeriesKey) -> Option<u32> {
        let follows = self.table.known.get(self.next as usize).is_some_and(|tracked| tracked.key == key);
        let place = if follows { self.next } else { *self.table.places.get(&key)? };
        self.next = place + 1;
        Some(place)
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("fewer than 2^32 series and takers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn counter(value: u64) -> Counter {
        Counter::first(Timestamp::from_seconds(1), value)
    }

    fn table(keys: &[u128]) -> SeriesTable {
        let mut table = SeriesTable::default();
        for (key, value) in keys.iter().zip(0..) {
            table.add(SeriesKey(*key), Route { lane: 0, side: 0, stream: 0, counter: 0 }, counter(value), None);
        }
        table
    }

    fn values(table: &SeriesTable) -> Vec<(u128, u64)> {
        let value = |tracked: &Tracked| table.counter(&tracked.routes[0]).expect("counted").value;
        let mut values: Vec<_> = table.iter().map(|tracked| (tracked.key.0, value(tracked))).collect();
        values.sort_unstable();
        values
    }

    #[test]
    fn every_series_is_found_whatever_the_order() {
        let table = table(&[9, 3, 7]);
        let mut walk = table.walk();
        for (key, place) in [(9, Some(0)), (3, Some(1)), (9, Some(0)), (7, Some(2)), (8, None), (3, Some(1)), (7, Some(2))] {
            assert_eq!(walk.find(SeriesKey(key)), place, "{key}");
        }
    }

    #[test]
    fn what_is_forgotten_leaves_the_others_with_their_counters() {
        let mut table = table(&[9, 3, 7, 5, 1]);
        table.forget(&[SeriesKey(9), SeriesKey(5), SeriesKey(4)]);
        assert_eq!(values(&table), [(1, 4), (3, 1), (7, 2)]);
        table.forget(&[SeriesKey(3)]);
        assert_eq!((values(&table), table.counters().len()), (vec![(1, 4), (7, 2)], 2));
        assert_eq!(table.walk().find(SeriesKey(1)).map(|place| table.at(place).key.0), Some(1));
    }
}
