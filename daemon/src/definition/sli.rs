//! The `sli:` of an SLO: `events` or `latency`, and the labels that split it.

use std::ops::Range;

use burnward_core::sli::{Counted, Selector, Sli};

use super::{
    codes,
    reader::{Fields, Keys, Reader, shortened},
    selector::{self, Fault, is_label_name},
    yaml::{Node, Value},
};

const KINDS: &str = "supported are `events` (bad or good, and total) and `latency` (histogram and within)";
const SLI: Keys = Keys {
    of: "an SLI",
    known: &["events", "latency"],
    later: &[("window", KINDS), ("probe", KINDS), ("presence", KINDS), ("query", KINDS)],
};
const EVENTS: Keys =
    Keys { of: "an SLI of events", known: &["bad", "good", "total"], later: &[("tolerated", "supported are bad or good, and total")] };
const LATENCY: Keys =
    Keys { of: "an SLI of latency", known: &["histogram", "within"], later: &[("tolerated", "supported are histogram and within")] };
/// Most selectors that are summed.
const MAX_SELECTORS: usize = 32;
/// Most labels that split an SLO.
const MAX_PER: usize = 8;

/// Reads `sli:`.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Sli> {
    let fields = reader.map(node, &SLI)?;
    match (fields.get("events"), fields.get("latency")) {
        (Some(events), None) => read_events(reader, events),
        (None, Some(latency)) => read_latency(reader, latency),
        (Some(_), Some(_)) => {
            reader.error(&codes::SLI, fields.place(), "an SLI is either `events` or `latency`, not both");
            None
        }
        // Whatever stands there instead was collected as an unknown key.
        (None, None) if !fields.entries().is_empty() => None,
        (None, None) => {
            let diagnostic = reader.diagnostic(&codes::SLI, fields.place(), "the SLI says neither `events` nor `latency`");
            reader.report(diagnostic.help(KINDS));
            None
        }
    }
}

fn read_events(reader: &mut Reader, node: &Node) -> Option<Sli> {
    let fields = reader.map(node, &EVENTS)?;
    let total = reader.required(&fields, "total", "'http_requests_total{job=\"checkout\"}'").and_then(|total| selectors(reader, total));
    let counted = counted(reader, &fields);
    Some(Sli::Events { counted: counted?, total: total? })
}

fn counted(reader: &mut Reader, fields: &Fields<'_>) -> Option<Counted> {
    match (fields.entry("bad"), fields.entry("good")) {
        (Some(bad), Some(good)) => {
            let message = "give either `bad` or `good`, not both: the other follows from the total";
            let diagnostic = reader.diagnostic(&codes::SLI, good.key_range.clone(), message);
            let related = reader.place(bad.key_range.clone());
            reader.report(diagnostic.related(related, "the other one").help("remove one of them"));
            None
        }
        (None, None) if fields.misspelt("bad") || fields.misspelt("good") => None,
        (None, None) => {
            let diagnostic = reader.diagnostic(&codes::SLI, fields.place(), "neither `bad` nor `good` is given");
            reader.report(diagnostic.help("name the counter of bad events as `bad:`, or that of good events as `good:`"));
            None
        }
        (Some(_), None) => reader.optional(fields, "bad").and_then(|node| selectors(reader, node)).map(Counted::Bad),
        (None, Some(_)) => reader.optional(fields, "good").and_then(|node| selectors(reader, node)).map(Counted::Good),
    }
}

fn read_latency(reader: &mut Reader, node: &Node) -> Option<Sli> {
    let fields = reader.map(node, &LATENCY)?;
    let histogram = reader.required(&fields, "histogram", "'http_request_duration_seconds{job=\"checkout\"}'");
    let buckets = histogram.and_then(|node| read_histogram(reader, node));
    let within = reader.required(&fields, "within", "300ms").and_then(|node| read_within(reader, node));
    Some(Sli::Latency { buckets: buckets?, within: within? })
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
fn read_within(reader: &mut Reader, node: &Node) -> Option<f64> {
    let text = reader.text(node, "`within`")?;
    match super::duration::parse(text) {
        Ok(span) => Some(span.as_secs_f64()),
        Err(error) => {
            let diagnostic = reader.diagnostic(&codes::WITHIN, node.range.clone(), format!("`within`: {error}"));
            reader.report(diagnostic.help("write a duration that is a bucket boundary of the histogram, such as 300ms"));
            None
        }
    }
}

/// One selector, or a list that is summed.
fn selectors(reader: &mut Reader, node: &Node) -> Option<Vec<Selector>> {
    let Value::List(items) = &node.value else {
        return read_selector(reader, node).map(|selector| vec![selector]);
    };
    if items.is_empty() || items.len() > MAX_SELECTORS {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("a list of selectors has 1 to {MAX_SELECTORS} entries"));
        return None;
    }
    let read: Vec<Option<Selector>> = items.iter().map(|item| read_selector(reader, item)).collect();
    let all: Vec<Selector> = read.into_iter().collect::<Option<_>>()?;
    for (at, selector) in all.iter().enumerate() {
        if all[..at].contains(selector) {
            let message = "this selector is in the list twice, and would be counted twice";
            let diagnostic = reader.diagnostic(&codes::SELECTOR, items[at].range.clone(), message);
            reader.report(diagnostic.help("remove it"));
            return None;
        }
    }
    Some(all)
}

fn read_selector(reader: &mut Reader, node: &Node) -> Option<Selector> {
    let text = query_text(reader, node)?;
    match selector::parse(text) {
        Ok(selector) => Some(selector),
        Err(fault) => {
            report(reader, node, text, &fault);
            None
        }
    }
}

/// The text of a query, as far as YAML left it whole.
fn query_text<'n>(reader: &mut Reader, node: &'n Node) -> Option<&'n str> {
    const QUOTES: &str = "put the query into single quotes";
    let Value::Scalar { text, quoted } = &node.value else {
        let message = "YAML read the query as a mapping or a list, because it starts with { or [";
        let ate = reader.source().text()[node.range.start..].starts_with(['{', '[']);
        if ate {
            let diagnostic = reader.diagnostic(&codes::YAML_ATE_QUERY, node.range.clone(), message);
            reader.report(diagnostic.help(QUOTES));
            return None;
        }
        return reader.text(node, "a selector");
    };
    if *quoted || !cut_by_comment(reader, node, text) {
        return reader.text(node, "a selector");
    }
    let diagnostic = reader.diagnostic(&codes::YAML_ATE_QUERY, node.range.clone(), "YAML cut the query at ` #`");
    reader.report(diagnostic.label("this is all that is left of it").help(QUOTES));
    None
}

/// True where braces and double quotes come in pairs.
fn balanced(text: &str) -> bool {
    text.matches('{').count() == text.matches('}').count() && text.matches('"').count().is_multiple_of(2)
}

/// True where a comment follows that is more likely the rest of the query: what stands before it is half a query, or it looks like matchers itself.
fn cut_by_comment(reader: &Reader, node: &Node, text: &str) -> bool {
    let rest = reader.source().text()[node.range.end..].lines().next().unwrap_or_default();
    let matchers = ["{", "=\"", "=~", "!~", "!="];
    rest.trim_start().strip_prefix('#').is_some_and(|comment| !balanced(text) || matchers.iter().any(|part| comment.contains(part)))
}

fn report(reader: &mut Reader, node: &Node, text: &str, fault: &Fault) {
    let range = fault.at.clone().and_then(|at| within(reader, node, text, &at)).unwrap_or_else(|| node.range.clone());
    let diagnostic = reader.diagnostic(fault.code, range, fault.message.clone());
    reader.report(diagnostic.help(fault.help));
}

/// The place of a stretch of a query in the file, where the file holds the query letter by letter.
fn within(reader: &Reader, node: &Node, text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let written = reader.source().text().get(node.range.clone())?;
    let offset = written.find(text).filter(|offset| *offset <= 1)?;
    let start = node.range.start + offset;
    Some(start + at.start..start + at.end)
}

const LABELS: &str = "use a label of the counters: a-z, A-Z, 0-9 and _, neither `le` nor a name that starts with __";

/// Reads `per:`: the labels that split an SLO.
pub(super) fn read_per(reader: &mut Reader, node: &Node) -> Option<Vec<String>> {
    let items = reader.list(node, "`per`")?;
    if items.len() > MAX_PER {
        reader.error(&codes::LABEL, node.range.clone(), format!("an SLO is split by at most {MAX_PER} labels"));
        return None;
    }
    let mut labels: Vec<String> = Vec::new();
    for item in items {
        let Some(label) = reader.text(item, "a label") else { continue };
        let legal = is_label_name(label) && !label.starts_with("__") && label != "le";
        if !legal || labels.iter().any(|have| have == label) {
            let (why, help) = if legal { ("is given twice", "remove it") } else { ("is not the name of a label to split by", LABELS) };
            let diagnostic = reader.diagnostic(&codes::LABEL, item.range.clone(), format!("`{}` {why}", shortened(label)));
            reader.report(diagnostic.help(help));
            continue;
        }
        labels.push(label.to_owned());
    }
    Some(labels)
}
