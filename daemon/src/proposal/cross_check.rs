//! A second opinion about a text: `prometheus-parse` reads it line by line, and what it reads otherwise is told. It is known to lose lines that it does
//! not understand (ADR 0003), so nothing is made of its reading.

use std::collections::BTreeMap;

use prometheus_parse::{Scrape, Value};

use crate::source::scrape::exposition::Exposed;

/// In how many lines the two differ, and the first of them; `None` where they agree.
pub(super) fn differences(text: &str, samples: &[Exposed]) -> Option<String> {
    let lines: Vec<&str> = text.split('\n').collect();
    let differing: Vec<&Exposed> =
        samples.iter().filter(|sample| lines.get(sample.line - 1).is_none_or(|line| !reads_alike(line, sample))).collect();
    let first = differing.first()?;
    Some(format!(
        "prometheus-parse, asked for a second opinion, reads {} of {} samples otherwise, first line {} ({}); it is known to lose labels with commas, braces or `=` in them and names with colons. What is proposed follows the strict reading",
        differing.len(),
        samples.len(),
        first.line,
        burnward_core::words::cut(first.labels.get("__name__"), 60)
    ))
}

fn reads_alike(line: &str, sample: &Exposed) -> bool {
    let read = Scrape::parse(std::iter::once(Ok(line.to_owned())));
    let Some(theirs) = read.ok().and_then(|scrape| scrape.samples.into_iter().next()) else { return false };
    let value = match theirs.value {
        Value::Untyped(value) | Value::Counter(value) | Value::Gauge(value) => value,
        Value::Histogram(_) | Value::Summary(_) => return false,
    };
    let same = value.total_cmp(&sample.value).is_eq() || (value.is_nan() && sample.value.is_nan());
    let own: BTreeMap<&str, &str> = sample.labels.pairs().filter(|(label, _)| *label != "__name__").collect();
    let labels: BTreeMap<&str, &str> =
        theirs.labels.iter().filter(|(_, value)| !value.is_empty()).map(|(label, value)| (label.trim(), value.as_str())).collect();
    same && theirs.metric == sample.labels.get("__name__") && own == labels
}
