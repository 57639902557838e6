//! One series of a matrix, in any form that JSON allows.

use std::{collections::BTreeMap, fmt};

use burnward_core::{
    ledger::{Reason, Sample, Series, Unknown},
    sli::Labels,
};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    Bounds, Points, Range, bad_json, instant,
    native::{self, Histograms},
    seen::Walk,
    usual,
};
use crate::source::http::unknown;

/// A series as it stands in a matrix.
#[derive(Deserialize)]
pub(super) struct Row<'a> {
    /// Its labels, not yet read.
    #[serde(borrow)]
    pub(super) metric: &'a RawValue,
    #[serde(borrow, default)]
    values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    histograms: Option<&'a RawValue>,
}

impl Row<'_> {
    pub(super) fn series(&self, walk: &mut Walk<'_>, bounds: Bounds) -> Result<Series, Unknown> {
        let labels = walk.labels(self.metric.get())?;
        let (samples, histograms) = match bounds.points {
            Points::Numbers => (self.numbers(&labels)?, BTreeMap::new()),
            Points::Histograms => self.observations(&labels)?,
        };
        Ok(Series { histograms, ..series_of(samples, labels, bounds.range)? })
    }

    fn numbers(&self, labels: &Labels) -> Result<Vec<Sample>, Unknown> {
        if self.histograms.is_some() {
            let advice = "which count with `latency: { buckets: native }`";
            return Err(unknown(Reason::Partial, format!("{} holds native histograms, {advice}", named(labels))));
        }
        let text = self.values.ok_or_else(|| bad_json(format!("{} has no values", named(labels))))?.get();
        match usual::samples(text.as_bytes()) {
            Some((samples, [])) => Ok(samples),
            Some(_) | None => general(text),
        }
    }

    /// Native histograms, and the numbers that may stand beside them where a metric changed from one to the other.
    fn observations(&self, labels: &Labels) -> Result<Histograms, Unknown> {
        let (mut samples, found) = match (self.histograms, self.values) {
            (Some(text), _) => native::histograms(text.get())?,
            (None, Some(_)) => Histograms::default(),
            (None, None) => return Err(bad_json(format!("{} has neither histograms nor values", named(labels)))),
        };
        if let Some(values) = self.values {
            samples.extend(general(values.get())?);
        }
        Ok((samples, found))
    }
}

/// A series of these samples, without those that were not asked for.
pub(super) fn series_of(samples: Vec<Sample>, labels: Labels, range: Range) -> Result<Series, Unknown> {
    let mut samples = settled(samples, &labels)?;
    within(&samples, &labels, range)?;
    drop(samples.drain(..samples.partition_point(|sample| sample.at <= range.after)));
    Ok(Series::new(labels, samples))
}

/// The labels of a series as a matrix writes them.
pub(super) fn labels(text: &str) -> Result<Labels, Unknown> {
    serde_json::from_str(text).map(|Metric(labels)| labels).map_err(|error| not_the_api(&error))
}

pub(super) fn general(text: &str) -> Result<Vec<Sample>, Unknown> {
    let points: Vec<Point> = serde_json::from_str(text).map_err(|error| not_the_api(&error))?;
    Ok(points.into_iter().map(|Point(sample)| sample).collect())
}

pub(super) fn not_the_api(error: &serde_json::Error) -> Unknown {
    bad_json(format!("not the JSON of the API: {error}"))
}

/// How a series is called in a sentence.
pub(super) fn named(labels: &Labels) -> String {
    format!("the series {}", labels.get("__name__"))
}

/// Sorted by time, exact repeats merged.
fn settled(mut samples: Vec<Sample>, labels: &Labels) -> Result<Vec<Sample>, Unknown> {
    if samples.is_sorted_by(|earlier, later| earlier.at < later.at) {
        return Ok(samples);
    }
    samples.sort_by_key(|sample| sample.at);
    samples.dedup_by(|later, earlier| later.at == earlier.at && later.value.to_bits() == earlier.value.to_bits());
    match samples.windows(2).find(|pair| pair[0].at == pair[1].at) {
        None => Ok(samples),
        Some(pair) => {
            let (at, one, other) = (pair[0].at.seconds(), pair[0].value, pair[1].value);
            Err(unknown(Reason::Duplicate, format!("{} is both {one} and {other} at {at}", named(labels))))
        }
    }
}

fn within(samples: &[Sample], labels: &Labels, range: Range) -> Result<(), Unknown> {
    let (Some(first), Some(last)) = (samples.first(), samples.last()) else { return Ok(()) };
    let outside = match (first.at < range.earliest, last.at > range.to) {
        (false, false) => return Ok(()),
        (true, _) => format!("{} s before the range asked for", range.earliest.since(first.at).as_secs_f64()),
        (false, true) => format!("{} s after the instant asked for", last.at.since(range.to).as_secs_f64()),
    };
    Err(unknown(Reason::ClockSkew, format!("{} has a sample {outside}", named(labels))))
}

/// The labels of a series; a label that is there twice is an error.
struct Metric(Labels);

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricVisitor)
    }
}

struct MetricVisitor;

impl<'de> Visitor<'de> for MetricVisitor {
    type Value = Metric;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of labels")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        if !pairs.is_sorted_by(|one, next| one.0 < next.0) {
            pairs.sort();
            if pairs.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return Err(A::Error::custom("a label is there twice"));
            }
        }
        Ok(Metric(Labels::new(pairs)))
    }
}

/// `[seconds, "value"]`.
struct Point(Sample);

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, text) = <(f64, &str)>::deserialize(deserializer)?;
        let at = instant(seconds).ok_or_else(|| D::Error::custom(format_args!("{seconds} is no instant")))?;
        let value = text.parse().map_err(|_| D::Error::custom(format_args!("`{text}` is no number")))?;
        Ok(Self(Sample { at, value }))
    }
}
