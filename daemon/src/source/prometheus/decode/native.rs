//! The native histograms of one series: `[1700000000, {"count": "3", "sum": "0.9", "buckets": [[0, "0.25", "0.5", "3"]]}]`. The first number of a bucket
//! tells which of its ends belong to it. It is not needed: buckets above zero hold their upper end, and thresholds lie above zero.

use std::{collections::BTreeMap, sync::Arc};

use burnward_core::{
    ledger::{Histogram, Sample, Unknown},
    time::Timestamp,
};
use serde::Deserialize;

use super::{instant, row::not_the_api};

#[derive(Deserialize)]
struct Point<'a>(f64, #[serde(borrow)] Observed<'a>);

#[derive(Deserialize)]
struct Observed<'a> {
    count: &'a str,
    #[serde(borrow, default)]
    buckets: Option<Vec<(u8, &'a str, &'a str, &'a str)>>,
}

/// The counts as samples, and the histograms of whole numbers by their moment.
pub(super) type Histograms = (Vec<Sample>, BTreeMap<Timestamp, Arc<Histogram>>);

/// Reads them. One whose numbers are not whole, or contradict each other, is left with its count alone: the core says so where it counts.
pub(super) fn histograms(text: &str) -> Result<Histograms, Unknown> {
    let points: Vec<Point<'_>> = serde_json::from_str(text).map_err(|error| not_the_api(&error))?;
    let mut samples = Vec::with_capacity(points.len());
    let mut histograms = BTreeMap::new();
    for Point(seconds, observed) in points {
        let at = instant(seconds).ok_or_else(|| super::bad_json(format!("{seconds} is no instant")))?;
        let value = observed.count.parse().map_err(|_| super::bad_json(format!("`{}` is no number", observed.count)))?;
        samples.push(Sample { at, value });
        histograms.extend(observed.histogram().map(|histogram| (at, Arc::new(histogram))));
    }
    Ok((samples, histograms))
}

impl Observed<'_> {
    fn histogram(&self) -> Option<Histogram> {
        let bucket =
            |(_, lower, upper, held): &(u8, &str, &str, &str)| Some((lower.parse().ok()?, upper.parse().ok()?, held.parse().ok()?));
        let buckets: Option<Vec<(f64, f64, u64)>> = self.buckets.iter().flatten().map(bucket).collect();
        Histogram::new(self.count.parse().ok()?, buckets?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_in_any_order_and_none_at_all_are_read() {
        let text = r#"[[1700000000.5,{"count":"7","sum":"3.5","buckets":[[0,"0.5","1","3"],[3,"-1e-128","1e-128","1"],[0,"0.25","0.5","3"]]}],[1700000015,{"count":"0","sum":"0"}]]"#;
        let (samples, found) = histograms(text).expect("as Prometheus writes it");
        let moments = [Timestamp::from_millis(1_700_000_000_500), Timestamp::from_millis(1_700_000_015_000)];
        assert_eq!(samples, [Sample { at: moments[0], value: 7.0 }, Sample { at: moments[1], value: 0.0 }]);
        let expected = Histogram::new(7, [(-1e-128, 1e-128, 1), (0.25, 0.5, 3), (0.5, 1.0, 3)]);
        assert_eq!(found.get(&moments[0]).map(AsRef::as_ref), expected.as_ref());
        assert_eq!(found.get(&moments[1]).map(AsRef::as_ref), Histogram::new(0, []).as_ref());
    }

    #[test]
    fn a_histogram_of_fractions_is_left_with_its_count() {
        for text in [
            r#"[[1,{"count":"1.5","sum":"1","buckets":[[0,"0.5","1","1.5"]]}]]"#,
            r#"[[1,{"count":"1","sum":"1","buckets":[[0,"0.5","1","2"]]}]]"#,
        ] {
            let (samples, found) = histograms(text).expect("JSON of the API");
            assert_eq!((samples.len(), found.len()), (1, 0), "{text}");
        }
        assert!(histograms(r#"[[1,{"sum":"1"}]]"#).is_err());
        assert!(histograms(r#"[[1,"5"]]"#).is_err());
    }
}
