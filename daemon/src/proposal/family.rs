//! What is known of a metric before anything is counted: its labels with their values, and the buckets of a histogram.

use std::collections::{BTreeMap, BTreeSet};

/// Values of one label that are kept: enough to tell what it means.
pub const MOST_VALUES: usize = 200;

/// A metric, with what its series are told apart by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// Labels beside the name, each with at most `MOST_VALUES` of its values.
    pub labels: BTreeMap<String, BTreeSet<String>>,
    /// Of a `_bucket`, the boundaries in their order; empty for any other.
    pub boundaries: Vec<Boundary>,
}

/// A boundary of a classic histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Boundary {
    /// In seconds; the last one is infinite.
    pub seconds: f64,
    /// How many observations are at most that, as far as anybody counted.
    pub observed: f64,
}

impl Family {
    /// A metric of which nothing more is known.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Takes a value of a label in.
    pub fn add(&mut self, label: &str, value: &str) {
        let values = self.labels.entry(label.to_owned()).or_default();
        if values.len() < MOST_VALUES && !values.contains(value) {
            values.insert(value.to_owned());
        }
    }

    /// Takes observations of a bucket in.
    pub fn observe(&mut self, seconds: f64, observed: f64) {
        let place = self.boundaries.partition_point(|boundary| boundary.seconds < seconds);
        match self.boundaries.get_mut(place).filter(|boundary| boundary.seconds.total_cmp(&seconds).is_eq()) {
            Some(boundary) => boundary.observed += observed,
            None => self.boundaries.insert(place, Boundary { seconds, observed }),
        }
    }

    /// The words of its name.
    pub fn words(&self) -> Vec<&str> {
        self.name.split(['_', ':']).filter(|word| !word.is_empty()).collect()
    }
}
