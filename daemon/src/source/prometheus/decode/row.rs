//! One series of a matrix. The samples are read by a reader of the form in which Prometheus writes counters, `[1700000000.123,"456"]`; whatever has
//! another form goes to the general one.

use std::{collections::BTreeMap, fmt};

use burnward_core::{
    ledger::{Reason, Sample, Series, Unknown},
    sli::Labels,
    time::Timestamp,
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
        let (labels, range) = (walk.labels(self.metric.get())?, bounds.range);
        let (samples, histograms) = match bounds.points {
            Points::Numbers => (self.numbers(&labels)?, BTreeMap::new()),
            Points::Histograms => self.observations(&labels)?,
        };
        let samples = settled(samples, &labels)?;
        within(&samples, &labels, range)?;
        let first = samples.partition_point(|sample| sample.at <= range.after);
        Ok(Series { samples: if first == 0 { samples } else { samples[first..].to_vec() }, labels, histograms })
    }

    fn numbers(&self, labels: &Labels) -> Result<Vec<Sample>, Unknown> {
        if self.histograms.is_some() {
            let advice = "which count with `latency: { buckets: native }`";
            return Err(unknown(Reason::Partial, format!("{} holds native histograms, {advice}", named(labels))));
        }
        let text = self.values.ok_or_else(|| bad_json(format!("{} has no values", named(labels))))?.get();
        usual(text).map_or_else(|| general(text), Ok)
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

/// The labels of a series as a matrix writes them.
pub(super) fn labels(text: &str) -> Result<Labels, Unknown> {
    serde_json::from_str(text).map(|Metric(labels)| labels).map_err(|error| not_the_api(&error))
}

fn general(text: &str) -> Result<Vec<Sample>, Unknown> {
    let points: Vec<Point> = serde_json::from_str(text).map_err(|error| not_the_api(&error))?;
    Ok(points.into_iter().map(|Point(sample)| sample).collect())
}

pub(super) fn not_the_api(error: &serde_json::Error) -> Unknown {
    bad_json(format!("not the JSON of the API: {error}"))
}

/// Samples of whole, not negative values at instants with at most three decimals, without spaces; `None` for anything else.
fn usual(text: &str) -> Option<Vec<Sample>> {
    let mut rest = text.as_bytes().strip_prefix(b"[")?.strip_suffix(b"]")?;
    let mut samples = Vec::with_capacity(rest.len() / 24 + 1);
    while !rest.is_empty() {
        let (at, after) = millis(rest.strip_prefix(b"[")?)?;
        let (value, after) = digits(after.strip_prefix(b",\"")?, 15)?;
        samples.push(Sample { at: Timestamp::from_millis(at), value: value as f64 });
        rest = after.strip_prefix(b"\"]")?;
        rest = match rest.split_first() {
            Some((b',', more)) if !more.is_empty() => more,
            Some(_) => return None,
            None => rest,
        };
    }
    Some(samples)
}

/// Seconds with up to three decimals, in milliseconds.
fn millis(text: &[u8]) -> Option<(i64, &[u8])> {
    let (seconds, rest) = digits(text, 12).filter(|(_, rest)| text[0] != b'0' || text.len() == rest.len() + 1)?;
    let Some(decimals) = rest.strip_prefix(b".") else { return Some((seconds * 1000, rest)) };
    let (thousandths, rest) = digits(decimals, 3)?;
    let scale = [100, 10, 1][decimals.len() - rest.len() - 1];
    Some((seconds * 1000 + thousandths * scale, rest))
}

/// A number of 1 to `most` (at most 15) digits, as JSON writes it, and what follows.
fn digits(text: &[u8], most: usize) -> Option<(i64, &[u8])> {
    let length = text.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let fits = (1..=most).contains(&length);
    let number = text[..length].iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    fits.then_some((number, &text[length..]))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn general_or_none(text: &str) -> Option<Vec<Sample>> {
        general(text).ok()
    }

    #[test]
    fn only_the_usual_form_is_read_fast() {
        for text in [
            "[[1700000000,\"1\"] ]",
            "[[1700000000,\"1\"],]",
            "[,]",
            "[[1700000000,\"1\"][1,\"2\"]]",
            "[[1700000000,\"\"]]",
            "[[1.2345,\"1\"]]",
            "[[1.,\"1\"]]",
            "[[-1,\"1\"]]",
            "[[1,\"-1\"]]",
            "[[1,\"1.5\"]]",
            "[[1,\"NaN\"]]",
            "[[1,1]]",
            "[[1,\"1\",2]]",
            "[[1e3,\"1\"]]",
            "[[1,\"1234567890123456\"]]",
            "[[1,\"1\"",
            "[",
            "",
            "{}",
            "[[1234567890123,\"1\"]]",
        ] {
            assert_eq!(usual(text), None, "{text}");
        }
        assert_eq!(usual("[]"), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn both_readers_read_the_same(points in prop::collection::vec((0_i64..9_999_999_999, 0_usize..4, 0_i64..999, 0_u64..9_999_999_999), 0..8)) {
            let point = |(seconds, decimals, fraction, value): (i64, usize, i64, u64)| match decimals {
                0 => format!("[{seconds},\"{value}\"]"),
                decimals => format!("[{seconds}.{},\"{value}\"]", &format!("{fraction:03}")[..decimals]),
            };
            let text = format!("[{}]", points.into_iter().map(point).collect::<Vec<_>>().join(","));
            prop_assert_eq!(usual(&text), general_or_none(&text));
        }

        #[test]
        fn what_is_read_fast_is_what_the_general_reader_reads(text in r#"\[(\[[0-9]{1,3}(\.[0-9]{0,4})?,"[0-9.eE+-]{0,17}"\],?){0,3}\]"#) {
            if let Some(samples) = usual(&text) {
                prop_assert_eq!(Some(samples), general_or_none(&text));
            }
        }
    }
}
