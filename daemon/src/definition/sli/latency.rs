//! `latency`: a classic histogram with its thresholds.

use burnward_core::sli::{Selector, Sli};

use super::selectors::read_selector;
use crate::definition::{
    codes, duration,
    reader::{Keys, Reader, shortened},
    yaml::Node,
};

const LATENCY: Keys = Keys { of: "an SLI of latency", known: &["histogram", "within", "tolerated"], later: &[] };

pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Sli> {
    let fields = reader.map(node, &LATENCY)?;
    let histogram = reader.required(&fields, "histogram", "'http_request_duration_seconds{job=\"checkout\"}'");
    let buckets = histogram.and_then(|node| read_histogram(reader, node));
    let within = reader.required(&fields, "within", "300ms").and_then(|node| read_threshold(reader, node, "within"));
    let tolerated = match fields.get("tolerated") {
        None => None,
        Some(node) => Some(read_tolerated(reader, node, within)?),
    };
    Some(Sli::Latency { buckets: buckets?, within: within?, tolerated })
}

/// The second threshold, which lies above the first.
fn read_tolerated(reader: &mut Reader, node: &Node, within: Option<f64>) -> Option<f64> {
    let tolerated = read_threshold(reader, node, "tolerated")?;
    if within.is_some_and(|within| tolerated <= within) {
        let diagnostic = reader.diagnostic(&codes::WITHIN, node.range.clone(), "`tolerated` is not above `within`");
        reader
            .report(diagnostic.help("up to `within` an observation is good, from there up to `tolerated` it counts half, above it is bad"));
        return None;
    }
    Some(tolerated)
}

/// The `_bucket` series of a histogram that is named with or without that suffix.
fn read_histogram(reader: &mut Reader, node: &Node) -> Option<Selector> {
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
    Some(Selector::new(&format!("{stem}_bucket"), selector.matchers().to_vec()))
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
