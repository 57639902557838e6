//! Reads a test, with a diagnostic for every mistake.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    id::{ServiceName, SloName},
    time::{Timestamp, days, hours, minutes},
    window::{Grain, Zone},
};

use super::{At, Case, Form, Happening, SloRef, Span, expect, traffic};
use crate::definition::{
    codes,
    duration::{self, DurationError},
    reader::{Fields, Keys, Reader, shortened},
    yaml::{Entry, Node, Value},
    zone,
};

const TEST: Keys =
    Keys { of: "a test", known: &["name", "slo", "begins", "timezone", "lasts", "scraped", "traffic", "happens", "expect"], later: &[] };
const HAPPENS: Keys = Keys { of: "what happens", known: &["deploy", "scrape-gap", "down", "source-away"], later: &[] };
const DEPLOY: Keys = Keys { of: "a deploy", known: &["at", "takes"], later: &[] };
const SPAN: Keys = Keys { of: "a stretch of time", known: &["from", "to"], later: &[] };

const LONGEST_NAME: usize = 160;
const MAX_TESTS: usize = 1_000;
/// Most entries of a list of a test.
pub(super) const MAX_ENTRIES: usize = 100;
/// A month and a day, so that a window of 30 days can run full.
const LONGEST: Duration = days(32);
const SHORTEST: Duration = minutes(1);
const SCRAPES: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=hours(1);
const SCRAPED: Duration = Duration::from_secs(15);
/// A Monday, at midnight.
const BEGINS: &str = "2026-01-05T00:00:00Z";

/// How tests name the SLO that they are of.
#[derive(Debug)]
pub(in crate::definition) enum NamedBy<'a> {
    /// By its name in this document, which may be left out where there is one.
    Document {
        /// The document's service.
        service: Option<&'a ServiceName>,
        /// Its SLOs.
        slos: &'a [SloName],
    },
    /// By service and name.
    Service,
}

/// What every part of a test is read with.
pub(super) struct Scene<'a> {
    pub(super) named_by: &'a NamedBy<'a>,
    pub(super) lasts: Duration,
}

/// Reads a list of tests; of those with mistakes what is right of them.
pub(in crate::definition) fn read(reader: &mut Reader, node: &Node, named_by: &NamedBy<'_>) -> Vec<Arc<Case>> {
    let Some(items) = reader.list(node, "`tests`") else { return Vec::new() };
    if items.len() > MAX_TESTS {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("a file holds at most {MAX_TESTS} tests"));
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut cases = Vec::new();
    for item in items {
        let before = reader.errors();
        if let Some(mut case) = read_one(reader, item, named_by) {
            if !case.name.is_empty() && !names.insert((case.slo.clone(), case.name.clone())) {
                let message = format!("two tests of `{}` are called `{}`", case.slo.name, shortened(&case.name));
                reader.error(&codes::DUPLICATE_NAME, item.range.clone(), message);
            }
            if reader.errors() > before {
                case.form = Form::Broken;
            }
            cases.push(Arc::new(case));
        }
    }
    cases
}

/// `None` where not even its SLO is known. What has a mistake is taken as it is where nothing is said.
fn read_one(reader: &mut Reader, node: &Node, named_by: &NamedBy<'_>) -> Option<Case> {
    let fields = reader.map(node, &TEST)?;
    let name_node = reader.required(&fields, "name", "a bad deploy pages within five minutes");
    let name = name_node.and_then(|node| reader.line(node, "a test's name", LONGEST_NAME)).map(ToOwned::to_owned);
    let slo_node = reader.optional(&fields, "slo");
    let slo = match slo_node {
        Some(node) => read_slo(reader, node, named_by),
        None if fields.entry("slo").is_some() => None,
        None => the_only_one(reader, &fields, named_by),
    };
    let zone = match reader.optional(&fields, "timezone") {
        Some(node) => zone::read(reader, node),
        None => Zone::parse("UTC", Grain::Hour).ok(),
    };
    let begins = match reader.optional(&fields, "begins") {
        Some(node) => read_moment(reader, node),
        None => moment(BEGINS),
    };
    let lasts = reader.required(&fields, "lasts", "3h").and_then(|node| reader.duration_within(node, "`lasts`", SHORTEST..=LONGEST));
    let scraped = match reader.optional(&fields, "scraped") {
        Some(node) => reader.duration_within(node, "`scraped`", SCRAPES).and_then(|span| whole_seconds(reader, node, span)),
        None => Some(SCRAPED),
    };
    let scene = Scene { named_by, lasts: lasts.unwrap_or(LONGEST) };
    let traffic_node = reader.required(&fields, "traffic", "[{ constant: 20/s }]");
    let traffic = traffic_node.map(|node| traffic::read(reader, node, slo.as_ref(), &scene));
    let happens = reader.optional(&fields, "happens").map_or_else(Vec::new, |node| read_happens(reader, node, &scene));
    let expect_node = reader.required(&fields, "expect", "[{ page: none }]");
    let expect = expect_node.map(|node| expect::read(reader, node, &scene));
    let slo_place = slo_node.map(|node| reader.place(node.range.clone()));
    let place = reader.place(name_node.map_or_else(|| fields.place(), |node| node.range.clone()));
    Some(Case {
        name: name.unwrap_or_default(),
        slo: slo?,
        begins: begins.or_else(|| moment(BEGINS))?,
        zone: zone.or_else(|| Zone::parse("UTC", Grain::Hour).ok())?,
        lasts: scene.lasts,
        scraped: scraped.unwrap_or(SCRAPED),
        traffic: traffic.unwrap_or_default(),
        happens,
        expect: expect.unwrap_or_default(),
        slo_place: slo_place.unwrap_or_else(|| place.clone()),
        place,
        form: Form::Whole,
    })
}

fn whole_seconds(reader: &mut Reader, node: &Node, span: Duration) -> Option<Duration> {
    let whole = span.subsec_nanos() == 0;
    if !whole {
        reader.error(&codes::INTERVAL, node.range.clone(), "`scraped` is whole seconds");
    }
    whole.then_some(span)
}

/// The SLO that a test or its traffic names.
pub(super) fn read_slo(reader: &mut Reader, node: &Node, named_by: &NamedBy<'_>) -> Option<SloRef> {
    let text = reader.text(node, "an SLO's name")?.to_owned();
    match (named_by, text.split_once('/')) {
        (NamedBy::Document { .. } | NamedBy::Service, Some((service, name))) => {
            let service = reader.name_at(service, node.range.clone(), "a service's name", ServiceName::parse)?;
            let name = reader.name_at(name, node.range.clone(), "an SLO's name", SloName::parse)?;
            Some(SloRef { service, name })
        }
        (NamedBy::Document { service, .. }, None) => {
            let name = reader.name_at(&text, node.range.clone(), "an SLO's name", SloName::parse)?;
            Some(SloRef { service: (*service)?.clone(), name })
        }
        (NamedBy::Service, None) => {
            let message = format!("`{}` does not say of which service", shortened(&text));
            let diagnostic = reader.diagnostic(&codes::TEST_SLO, node.range.clone(), message);
            reader.report(diagnostic.help(format!("write `service/{}`", shortened(&text))));
            None
        }
    }
}

fn the_only_one(reader: &mut Reader, fields: &Fields<'_>, named_by: &NamedBy<'_>) -> Option<SloRef> {
    match named_by {
        NamedBy::Document { service, slos: [only] } => Some(SloRef { service: (*service)?.clone(), name: only.clone() }),
        // That the document has none is told already.
        NamedBy::Document { slos: [], .. } => None,
        NamedBy::Document { slos: names, .. } => {
            let diagnostic = reader.diagnostic(&codes::TEST_SLO, fields.place(), "the test does not say which SLO it is of");
            let names: Vec<&str> = names.iter().map(SloName::as_str).collect();
            reader.report(diagnostic.help(format!("add `slo:` with one of: {}", names.join(", "))));
            None
        }
        NamedBy::Service => {
            let diagnostic = reader.diagnostic(&codes::TEST_SLO, fields.place(), "the test does not say which SLO it is of");
            reader.report(diagnostic.help("add `slo: service/name`"));
            None
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let instant: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(instant.as_millisecond()))
}

fn read_moment(reader: &mut Reader, node: &Node) -> Option<Timestamp> {
    let text = reader.text(node, "`begins`")?;
    let found = moment(text).filter(|at| at.floor(Duration::from_secs(1)) == *at && *at > Timestamp::EPOCH.plus(days(2 * 366)));
    if found.is_none() {
        let message = format!("`{}` is not a moment", shortened(text));
        let diagnostic = reader.diagnostic(&codes::TEST_TIME, node.range.clone(), message);
        reader.report(diagnostic.help("write whole seconds with a distance from UTC, such as 2026-03-29T00:00:00+01:00"));
    }
    found
}

/// A moment of the test, counted from its beginning.
pub(super) fn read_time(reader: &mut Reader, node: &Node, of: &str, scene: &Scene<'_>) -> Option<Duration> {
    let text = reader.text(node, of)?;
    let time = match duration::parse(text) {
        Err(DurationError::Zero) => Duration::ZERO,
        Ok(time) => time,
        Err(DurationError::NoUnit) if text == "0" => Duration::ZERO,
        Err(_) => reader.duration(node, of)?,
    };
    if time > scene.lasts {
        let message = format!("{of} is {}, and the test lasts {}", duration::format(time), duration::format(scene.lasts));
        let diagnostic = reader.diagnostic(&codes::TEST_TIME, node.range.clone(), message);
        reader.report(diagnostic.help("times are counted from the beginning of the test"));
        return None;
    }
    Some(time)
}

/// `from` and `to` of a mapping that was read; without one of them, to the test's own.
pub(super) fn read_span(reader: &mut Reader, fields: &Fields<'_>, scene: &Scene<'_>) -> Option<Span> {
    let from = match reader.optional(fields, "from") {
        Some(node) => read_time(reader, node, "`from`", scene),
        None => Some(Duration::ZERO),
    };
    let to_node = reader.optional(fields, "to");
    let to = match to_node {
        Some(node) => read_time(reader, node, "`to`", scene),
        None => Some(scene.lasts),
    };
    let (from, to) = (from?, to?);
    if to < from || (to == from && to_node.is_none()) {
        let place = to_node.map_or_else(|| fields.place(), |node| node.range.clone());
        reader.error(&codes::TEST_TIME, place, "`to` lies before `from`");
        return None;
    }
    Some(Span { from, to })
}

/// The one entry of a mapping that has one.
pub(super) fn only_entry<'n>(reader: &mut Reader, node: &'n Node, keys: &Keys, code: &'static codes::Code) -> Option<&'n Entry> {
    let fields = reader.map(node, keys)?;
    match fields.entries() {
        [entry] if keys.known.contains(&entry.key.as_str()) => Some(entry),
        [_] => None,
        entries => {
            let place: At = entries.get(1).map_or_else(|| node.range.clone(), |entry| entry.key_range.clone());
            let diagnostic = reader.diagnostic(code, place, format!("each entry has one key, {}", keys.known.join(" or ")));
            reader.report(diagnostic.help("make an entry of its own of each"));
            None
        }
    }
}

/// Labels with their values.
pub(super) fn read_labels(reader: &mut Reader, node: &Node, of: &str) -> Option<BTreeMap<String, String>> {
    let fields = reader.any_map(node, of)?;
    let mut labels = BTreeMap::new();
    for entry in fields.entries() {
        let legal = crate::definition::selector::is_label_name(&entry.key) && !entry.key.starts_with("__") && entry.key != "le";
        if !legal {
            reader.error(&codes::LABEL, entry.key_range.clone(), format!("`{}` is not the name of a label", shortened(&entry.key)));
            continue;
        }
        if let Value::Scalar { text, .. } = &entry.value.value {
            labels.insert(entry.key.clone(), text.clone());
        } else {
            reader.text(&entry.value, "a label's value");
        }
    }
    Some(labels)
}

fn read_happens(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Vec<Happening> {
    let Some(items) = list(reader, node, "`happens`") else { return Vec::new() };
    items.iter().filter_map(|item| read_happening(reader, item, scene)).collect()
}

fn read_happening(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Option<Happening> {
    let entry = only_entry(reader, node, &HAPPENS, &codes::TEST_TRAFFIC)?;
    if entry.key == "deploy" {
        let fields = reader.map(&entry.value, &DEPLOY)?;
        let at = reader.required(&fields, "at", "1h").and_then(|node| read_time(reader, node, "`at`", scene));
        let takes = match reader.optional(&fields, "takes") {
            Some(node) => read_time(reader, node, "`takes`", scene),
            None => Some(Duration::ZERO),
        };
        return Some(Happening::Deploy { at: at?, takes: takes? });
    }
    let fields = reader.map(&entry.value, &SPAN)?;
    let span = read_span(reader, &fields, scene)?;
    Some(match entry.key.as_str() {
        "scrape-gap" => Happening::ScrapeGap(span),
        "down" => Happening::Down(span),
        _ => Happening::SourceAway(span),
    })
}

/// A list of a test, of at least one entry.
pub(super) fn list<'n>(reader: &mut Reader, node: &'n Node, of: &str) -> Option<&'n [Node]> {
    let items = reader.list(node, of)?;
    if items.is_empty() || items.len() > MAX_ENTRIES {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("{of} has 1 to {MAX_ENTRIES} entries"));
        return None;
    }
    Some(items)
}
