//! The `expect:` of a test.

use std::collections::BTreeMap;

use burnward_core::units::Factor;

use super::{
    Expectation, Expected, Told,
    read::{Scene, list, only_entry, read_labels, read_span, read_time},
    traffic::read_percent,
};
use crate::definition::{
    codes,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{Entry, Node, Value},
};

const EXPECT: Keys = Keys { of: "an expectation", known: &["page", "ticket", "blind", "clear", "budget"], later: &[] };
const BEGINS: Keys = Keys { of: "what begins", known: &["from", "to", "burn-rate", "group"], later: &[] };
const BLIND: Keys = Keys { of: "`blind`", known: &["from", "to"], later: &[] };
const CLEAR: Keys = Keys { of: "`clear`", known: &["of", "from", "to", "group"], later: &[] };
const BUDGET: Keys = Keys { of: "`budget`", known: &["at", "above", "below", "group", "objective"], later: &[] };

/// Reads what a test expects.
pub(super) fn read(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Vec<Expectation> {
    let Some(items) = list(reader, node, "`expect`") else { return Vec::new() };
    let mut expected = Vec::new();
    for item in items {
        let Some(entry) = only_entry(reader, item, &EXPECT, &codes::TEST_EXPECT) else { continue };
        if let Some(what) = read_one(reader, entry, scene) {
            expected.push(Expectation { what, place: reader.place(item.range.clone()) });
        }
    }
    expected
}

fn read_one(reader: &mut Reader, entry: &Entry, scene: &Scene<'_>) -> Option<Expected> {
    match (entry.key.as_str(), Told::ALL.into_iter().find(|told| told.word() == entry.key)) {
        (_, Some(told)) => read_told(reader, &entry.value, told, scene),
        ("clear", None) => read_clear(reader, &entry.value, scene),
        (_, None) => read_budget(reader, &entry.value, scene),
    }
}

/// `none`, or a stretch of time in which it begins.
fn read_told(reader: &mut Reader, node: &Node, told: Told, scene: &Scene<'_>) -> Option<Expected> {
    if let Value::Scalar { text, .. } = &node.value {
        if text == "none" {
            return Some(Expected::Never(told));
        }
        let message = format!("`{}` does not say when", shortened(text));
        let diagnostic = reader.diagnostic(&codes::TEST_EXPECT, node.range.clone(), message);
        reader.report(diagnostic.help(format!("write `{}: none`, or `{}: {{ from: 1h, to: 1h5m }}`", told.word(), told.word())));
        return None;
    }
    let fields = reader.map(node, if told == Told::Blind { &BLIND } else { &BEGINS })?;
    let within = read_span(reader, &fields, scene);
    let group = read_group(reader, &fields);
    let row = match reader.optional(&fields, "burn-rate") {
        Some(node) => read_row(reader, node).map(Some),
        None => Some(None),
    };
    Some(Expected::Begins { told, within: within?, group: group?, row: row? })
}

fn read_row(reader: &mut Reader, node: &Node) -> Option<Factor> {
    let text = reader.text(node, "`burn-rate`")?;
    let factor = Factor::parse(text).ok();
    if factor.is_none() {
        reader.error(&codes::FACTOR, node.range.clone(), format!("`{}` is not a burn rate", shortened(text)));
    }
    factor
}

fn read_group(reader: &mut Reader, fields: &Fields<'_>) -> Option<BTreeMap<String, String>> {
    reader.optional(fields, "group").map_or(Some(BTreeMap::new()), |node| read_labels(reader, node, "`group`"))
}

fn read_clear(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Option<Expected> {
    let fields = reader.map(node, &CLEAR)?;
    let told = match reader.optional(&fields, "of") {
        Some(node) => read_cleared(reader, node),
        None => Some(Told::Page),
    };
    let within = read_span(reader, &fields, scene);
    let group = read_group(reader, &fields);
    Some(Expected::Ends { told: told?, within: within?, group: group? })
}

fn read_cleared(reader: &mut Reader, node: &Node) -> Option<Told> {
    let word = reader.text(node, "`of`")?;
    let known = Told::ALL.into_iter().find(|told| told.word() == word);
    if known.is_none() {
        let message = format!("`{}` is not what clears", shortened(word));
        let diagnostic = reader.diagnostic(&codes::TEST_EXPECT, node.range.clone(), message);
        reader.report(suggest(diagnostic, word, &Told::ALL.map(Told::word)));
    }
    known
}

fn read_budget(reader: &mut Reader, node: &Node, scene: &Scene<'_>) -> Option<Expected> {
    let fields = reader.map(node, &BUDGET)?;
    let at = match reader.optional(&fields, "at") {
        Some(node) => read_time(reader, node, "`at`", scene),
        None => Some(scene.lasts),
    };
    let bound = |reader: &mut Reader, key: &str| match reader.optional(&fields, key) {
        Some(node) => read_percent(reader, node, &format!("`{key}`")).map(Some),
        None => Some(None),
    };
    let (above, below) = (bound(reader, "above"), bound(reader, "below"));
    let group = read_group(reader, &fields);
    let objective = match reader.optional(&fields, "objective") {
        Some(node) => reader.text(node, "`objective`").map(|name| Some(name.to_owned())),
        None => Some(None),
    };
    if above == Some(None) && below == Some(None) {
        let diagnostic = reader.diagnostic(&codes::TEST_EXPECT, node.range.clone(), "`budget` does not say how much is left");
        reader.report(diagnostic.help("write `above: 90%`, `below: 95%`, or both"));
        return None;
    }
    Some(Expected::Budget { at: at?, above: above?, below: below?, group: group?, objective: objective? })
}
