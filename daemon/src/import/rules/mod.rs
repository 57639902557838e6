//! Rule files of Prometheus: the SLOs that their alerts and recording rules stand for.
//!
//! Whatever wrote the rules (Sloth, Pyrra, `burnward export`, a person), an SLO is found the same way: an alert compares the share of bad events with a
//! multiple of the budget, over one lookback or two; recording rules in between are looked up. Labels and further recording rules say what it is called,
//! over which window it is, and what its target is. A rule that belongs to no SLO is told of at its line.

mod alert;
mod found;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use promql_parser::parser::Expr;

use super::{
    Converted, Settings, expression,
    tree::{Fields, tell},
};
use crate::definition::{
    codes,
    reader::{Reader, shortened},
    yaml::{Node, Value},
};
use found::Slos;

/// A rule.
#[derive(Debug, Clone)]
struct Rule {
    record: Option<String>,
    alert: Option<String>,
    expr: Option<Expr>,
    labels: BTreeMap<String, String>,
    /// `for:`, as it is written.
    waits: Option<(Range<usize>, String)>,
    group: String,
    place: Range<usize>,
    /// Where its expression stands.
    expr_place: Range<usize>,
}

/// All rules of a file.
#[derive(Debug, Default)]
struct Rules {
    all: Vec<Rule>,
    /// Which of them belong to an SLO.
    used: BTreeSet<usize>,
}

/// The SLOs of a rule file.
pub(super) fn read(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(mut file) = Fields::of(reader, root, "a rule file") else { return Vec::new() };
    let converted = of_groups(reader, &mut file, settings);
    file.finish(reader);
    converted
}

/// The SLOs of a `PrometheusRule`.
pub(super) fn read_object(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(mut object) = Fields::of(reader, root, "an object of Kubernetes") else { return Vec::new() };
    object.without_meaning(&["apiVersion", "kind", "metadata", "status"]);
    let spec = object.required(reader, "spec").and_then(|node| Fields::of(reader, node, "`spec`"));
    object.finish(reader);
    let Some(mut spec) = spec else { return Vec::new() };
    let converted = of_groups(reader, &mut spec, settings);
    spec.finish(reader);
    converted
}

fn of_groups(reader: &mut Reader, file: &mut Fields<'_>, settings: &Settings<'_>) -> Vec<Converted> {
    let mut rules = Rules::default();
    let groups = file.required(reader, "groups").and_then(|node| reader.list(node, "`groups`")).unwrap_or_default();
    for group in groups {
        read_group(reader, group, &mut rules);
    }
    let slos = Slos::of(reader, &mut rules);
    let converted = slos.converted(reader, settings);
    for rule in rules.all.iter().enumerate().filter(|(at, _)| !rules.used.contains(at)).map(|(_, rule)| rule) {
        let name = rule.alert.as_ref().or(rule.record.as_ref()).map(|name| shortened(name)).unwrap_or_default();
        let message = format!("the rule `{name}` is not carried over: it is no part of an SLO");
        tell(
            reader,
            &codes::NOT_CARRIED,
            &rule.place,
            message,
            "leave it where it is; what compares a share of bad events with a budget is an SLO",
        );
    }
    converted
}

fn read_group(reader: &mut Reader, node: &Node, rules: &mut Rules) {
    let Some(mut group) = Fields::of(reader, node, "a group of rules") else { return };
    let name = group.text(reader, "name").map(|(_, name)| name.to_owned()).unwrap_or_default();
    group.without_meaning(&["interval", "limit", "query_offset", "partial_response_strategy"]);
    let items = group.required(reader, "rules").and_then(|node| reader.list(node, "`rules`")).unwrap_or_default();
    group.finish(reader);
    for item in items {
        rules.all.extend(read_rule(reader, item, &name));
    }
}

fn read_rule(reader: &mut Reader, node: &Node, group: &str) -> Option<Rule> {
    let mut rule = Fields::of(reader, node, "a rule")?;
    let record = rule.text(reader, "record");
    let alert = rule.text(reader, "alert");
    let expr = rule.required(reader, "expr").and_then(|node| Some((node, reader.text(node, "`expr`")?)));
    let labels = rule.get("labels").map(labels_of).unwrap_or_default();
    let waits = rule.text(reader, "for").map(|(node, text)| (node.range.clone(), text.to_owned()));
    // What an alert says is for people.
    rule.without_meaning(&["annotations", "keep_firing_for"]);
    let place = record.or(alert).map_or_else(|| rule.place(), |(node, _)| node.range.clone());
    rule.finish(reader);
    let (expr_node, text) = expr?;
    Some(Rule {
        record: record.map(|(_, name)| name.to_owned()),
        alert: alert.map(|(_, name)| name.to_owned()),
        expr: expression::read(text).ok(),
        labels,
        waits,
        group: group.to_owned(),
        place,
        expr_place: expr_node.range.clone(),
    })
}

fn labels_of(node: &Node) -> BTreeMap<String, String> {
    let Value::Map(entries) = &node.value else { return BTreeMap::new() };
    entries.iter().map(|entry| (entry.key.clone(), super::text(&entry.value))).collect()
}
