//! `latency`: a histogram, classic or native, with its thresholds.

use burnward_core::sli::{HistogramKind, Selector, Sli};

use super::{Promql, selectors::read_selector};
use crate::definition::{
    codes, duration,
    reader::{Keys, Reader, shortened},
    yaml::Node,
};

const LATENCY: Keys = Keys { of: "an SLI of latency", known: &["histogram", "within", "tolerated", "buckets"], later: &[] };

pub(super) fn read(reader: &mut Reader, node: &Node, promql: Promql) -> Option<Sli> {
    let fields = reader.map(node, &LATENCY)?;
    let kind = match fields.entry("buckets") {
        None => HistogramKind::Classic,
        Some(_) => reader.optional(&fields, "buckets").and_then(|node| read_kind(reader, node, promql))?,
    };
    let histogram = reader.required(&fields, "histogram", "'http_request_duration_seconds{job=\"checkout\"}'");
    let buckets = histogram.and_then(|node| read_histogram(reader, node, kind));
    let within = reader.required(&fields, "within", "300ms").and_then(|node| read_threshold(reader, node, "within"));
    let tolerated = match fields.get("tolerated") {
        None => None,
        Some(node) => Some(read_tolerated(reader, node, within, kind)?),
    };
    Some(Sli::Latency { buckets: buckets?, kind, within: within?, tolerated })
}

/// Reads `buckets: classic` or `native`.
fn read_kind(reader: &mut Reader, node: &Node, promql: Promql) -> Option<HistogramKind> {
    match (reader.text(node, "`buckets`")?, promql) {
        ("classic", _) => Some(HistogramKind::Classic),
        ("native", Promql::Spoken | Promql::Confined) => Some(HistogramKind::Native),
        ("native", Promql::Absent) => {
            let message = "the text that burnward scrapes has no native histograms, and this tenant's source is scraped targets";
            let diagnostic = reader.diagnostic(&codes::NO_PROMQL, node.range.clone(), message);
            reader.report(diagnostic.help("remove `buckets`, or give the tenant a Prometheus as its source"));
            None
        }
        (other, _) => {
            let message = format!("`buckets: {}` is neither classic nor native", shortened(other));
            let diagnostic = reader.diagnostic(&codes::SLI, node.range.clone(), message);
            reader.report(diagnostic.help("write native where the histogram is one series without `le`, else remove the key"));
            None
        }
    }
}

/// The second threshold, which lies above the first.
fn read_tolerated(reader: &mut Reader, node: &Node, within: Option<f64>, kind: HistogramKind) -> Option<f64> {
    if kind == HistogramKind::Native {
        let message = "`tolerated` is for classic histograms: of a native one the bucket that holds `within` counts half";
        let diagnostic = reader.diagnostic(&codes::WITHIN, node.range.clone(), message);
        reader.report(diagnostic.help("remove it, or make a second SLO with the longer threshold"));
        return None;
    }
    let tolerated = read_threshold(reader, node, "tolerated")?;
    if within.is_some_and(|within| tolerated <= within) {
        let diagnostic = reader.diagnostic(&codes::WITHIN, node.range.clone(), "`tolerated` is not above `within`");
        reader
            .report(diagnostic.help("up to `within` an observation is good, from there up to `tolerated` it counts half, above it is bad"));
        return None;
    }
    Some(tolerated)
}

/// The series of a histogram that is named with or without `_bucket`, which those of a classic one have.
fn read_histogram(reader: &mut Reader, node: &Node, kind: HistogramKind) -> Option<Selector> {
    let selector = read_selector(reader, node)?;
    if selector.matchers().iter().any(|matcher| matcher.label == "le") {
        let diagnostic = reader.diagnostic(&codes::SELECTOR_LE, node.range.clone(), "a matcher on `le` is not allowed here");
        reader.report(diagnostic.help("remove it; `within:` chooses the bucket"));
        return None;
    }
    let stem = selector.metric().strip_suffix("_bucket").unwrap_or(selector.metric());
    for suffix in ["_count", "_sum"] {
        if let Some(histogram) = stem.strip_suffix(suffix) {
            let message = format!("`{}` is one series of a histogram", shortened(stem));
            let diagnostic = reader.diagnostic(&codes::SLI, node.range.clone(), message);
            reader.report(diagnostic.help(format!("name the histogram: {}", shortened(histogram))));
            return None;
        }
    }
    let metric = match kind {
        HistogramKind::Classic => format!("{stem}_bucket"),
        HistogramKind::Native => stem.to_owned(),
    };
    Some(Selector::new(&metric, selector.matchers().to_vec()))
}

/// The boundary in seconds.
fn read_threshold(reader: &mut Reader, node: &Node, key: &str) -> Option<f64> {
    let text = reader.text(node, &format!("`{key}`"))?;
    match duration::parse(text) {
        Ok(span) => Some(span.as_secs_f64()),
        Err(error) => {
            let diagnostic = reader.diagnostic(&codes::WITHIN, node.range.clone(), format!("`{key}`: {error}"));
            reader.report(diagnostic.help("write a duration that is a bucket boundary of the histogram, such as 300ms"));
            None
        }
    }
}
