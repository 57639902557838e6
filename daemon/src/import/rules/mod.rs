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

use burnward_core::words::plural;
use promql_parser::parser::Expr;

use super::{
    Converted, Settings, expression,
    sloth::{ROUTING, WORDS},
    tree::{Fields, labels_left, mistake_in, pass_over, peek, tell},
};
use crate::definition::{
    codes,
    promql::always_alike,
    reader::{Reader, shortened},
    yaml::{Node, Value},
};
use found::Slos;

/// The label by which `burnward export` says of what it records that the SLO is in shadow.
pub(crate) const SHADOW: &str = "burnward_status";
/// The labels by which it says of a target over which window of the calendar that is, and in which time zone.
pub(crate) const CALENDAR: [&str; 2] = ["burnward_window", "burnward_timezone"];

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
    /// Why that cannot be read, and where.
    unread: Option<(String, Range<usize>)>,
}

impl Rule {
    /// The SLO that `burnward export` wrote it of, as `service/name`.
    fn exported_of(&self) -> Option<String> {
        let (service, slo) = self.labels.get("burnward_service").zip(self.labels.get("burnward_slo"))?;
        Some(format!("{service}/{slo}"))
    }
}

/// All rules of a file.
#[derive(Debug, Default)]
struct Rules {
    all: Vec<Rule>,
    /// Where each of them is written.
    nodes: Vec<Node>,
    /// Which of them belong to an SLO.
    used: BTreeSet<usize>,
    /// Alerts of what another alert stands for already.
    covered: BTreeMap<usize, Covered>,
}

/// An SLO that another alert stands for already.
#[derive(Debug)]
struct Covered {
    name: String,
    /// Where that one stands.
    place: Range<usize>,
}

/// The SLOs of a rule file.
pub(super) fn read(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(file) = Fields::of(reader, root, "a rule file") else { return Vec::new() };
    let converted = of_groups(reader, &file, None, settings);
    file.finish(reader);
    converted
}

/// The SLOs of a `PrometheusRule`.
pub(super) fn read_object(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(object) = Fields::of_object(reader, root, "an object of Kubernetes") else { return Vec::new() };
    let metadata = object.metadata(reader);
    let labels = metadata.as_ref().and_then(|metadata| metadata.get(reader, "labels"));
    labels_left(reader, labels, &super::TEAMS, ROUTING);
    if let Some(metadata) = metadata {
        metadata.finish(reader);
    }
    let spec = object.required(reader, "spec").and_then(|node| Fields::of(reader, node, "`spec`"));
    object.finish(reader);
    let Some(spec) = spec else { return Vec::new() };
    let converted = of_groups(reader, &spec, labels, settings);
    spec.finish(reader);
    converted
}

/// `of_object` are the labels of the Kubernetes object: one of them may name the team.
fn of_groups(reader: &mut Reader, file: &Fields<'_>, of_object: Option<&Node>, settings: &Settings<'_>) -> Vec<Converted> {
    let mut rules = Rules::default();
    let groups = file.required(reader, "groups").and_then(|node| reader.list(node, "`groups`")).unwrap_or_default();
    for group in groups {
        read_group(reader, group, &mut rules);
    }
    let slos = Slos::of(reader, &mut rules);
    let converted = slos.converted(reader, of_object, settings);
    for (at, (rule, node)) in rules.all.iter().zip(&rules.nodes).enumerate() {
        if rules.used.contains(&at) {
            tell_of_the_rest(reader, rule, node);
            continue;
        }
        pass_over(reader, node);
        if rule.exported_of().is_none() || rule.unread.is_some() {
            left_out(reader, rule, rules.covered.get(&at), &rules);
        }
    }
    tell_of_exported(reader, &rules);
    converted
}

/// Tells once of what `burnward export` wrote: of each SLO rules hold less than its document, and some are not found in them.
fn tell_of_exported(reader: &mut Reader, rules: &Rules) {
    let exported = || rules.all.iter().enumerate().filter_map(|(at, rule)| Some((at, rule, rule.exported_of()?)));
    let Some((_, first, _)) = exported().next() else { return };
    let found: BTreeSet<String> = exported().filter(|(at, _, _)| rules.used.contains(at)).map(|(_, _, slo)| slo).collect();
    let left: Vec<String> = exported().map(|(_, _, slo)| slo).filter(|slo| !found.contains(slo)).collect();
    let lost: BTreeSet<&String> = left.iter().collect();
    let names: Vec<String> = lost.iter().take(MOST_NAMED).map(|slo| format!("`{}`", shortened(slo))).collect();
    let more = lost.len().saturating_sub(MOST_NAMED);
    let whole = (!found.is_empty()).then(|| format!("title, runbook and policies of {} are not in them", plural(found.len(), "SLO")));
    let lost = (!lost.is_empty()).then(|| {
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!(
            "{} of {}{more} do not tell what is counted, so nothing is carried over of that",
            plural(left.len(), "rule"),
            names.join(", ")
        )
    });
    let what: Vec<String> = whole.into_iter().chain(lost).collect();
    let message =
        format!("`burnward export` wrote these rules, which hold less than the documents that they come from: {}", what.join("; "));
    tell(reader, &codes::NOT_CARRIED, &first.place, message, "take those documents themselves where they are at hand");
}

/// Most SLOs that one message names.
const MOST_NAMED: usize = 5;

/// Tells once of a file that is loaded directly, and whose rules are no SLO: each of them is told of by `burnward import`.
pub(super) fn without_slo(reader: &mut Reader, roots: &[Node]) {
    let of_key = |node: &Node, key: &str| peek(node, key).cloned();
    let items = |node: Option<Node>| match node.map(|node| node.value) {
        Some(Value::List(items)) => items,
        Some(Value::Scalar { .. } | Value::Map(_)) | None => Vec::new(),
    };
    let groups = roots.iter().flat_map(|root| items(of_key(root, "groups").or_else(|| of_key(&of_key(root, "spec")?, "groups"))));
    let rules: Vec<Node> = groups.flat_map(|group| items(of_key(&group, "rules"))).collect();
    let alerts = rules.iter().filter(|rule| peek(rule, "alert").is_some()).count();
    let Some(first) = roots.first() else { return };
    let key = |key: &str| first_key(first, key);
    let place = key("groups").or_else(|| key("kind")).unwrap_or_else(|| first.range.clone());
    let parts = [(alerts, "alert"), (rules.len() - alerts, "recording rule")];
    let parts: Vec<String> = parts.into_iter().filter(|(many, _)| *many > 0).map(|(many, what)| plural(many, what)).collect();
    let message = format!(
        "these are rules of Prometheus ({}), and none of them stands for an SLO, as a share of bad events that is compared with a budget does: nothing of the file is loaded",
        if parts.is_empty() { "none".to_owned() } else { parts.join(" and ") },
    );
    let import = format!("`burnward import {}` says of each rule why it is no SLO", reader.source().name());
    let diagnostic = reader.diagnostic(&codes::NOT_CARRIED, place, message).help(import);
    reader.report(diagnostic.help(
        "what users should notice is an SLO of its own: `burnward init` proposes some; leave the rules to Prometheus, in another directory",
    ));
}

fn first_key(node: &Node, key: &str) -> Option<Range<usize>> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_range.clone()),
        Value::Scalar { .. } | Value::List(_) => None,
    }
}

/// Tells of a rule that is no part of an SLO, and why, where it looks like one.
fn left_out(reader: &mut Reader, rule: &Rule, covered: Option<&Covered>, rules: &Rules) {
    let name = rule.alert.as_ref().or(rule.record.as_ref()).map(|name| shortened(name)).unwrap_or_default();
    if let Some((why, place)) = &rule.unread {
        let message = format!("the rule `{name}` is not carried over: {why}");
        tell(reader, &codes::NOT_CARRIED, place, message, "Prometheus does not load such a rule, either: correct it there first");
        return;
    }
    if let Some(Covered { name: slo, place }) = covered {
        let slo = shortened(slo);
        let message = format!(
            "the alert `{name}` is not carried over: what it counts is the SLI of the SLO `{slo}`, whose alert rows take its place"
        );
        let related = reader.place(place.clone());
        let diagnostic = reader.diagnostic(&codes::NOT_CARRIED, rule.place.clone(), message).related(related, "that SLO comes from here");
        let help = "a share of bad events over one lookback says nothing of a budget; where its threshold is a promise of its own, add an objective by hand";
        reader.report(diagnostic.help(help));
        return;
    }
    let alert = rule.expr.as_ref().filter(|_| rule.alert.is_some());
    if let Some((why, help)) = alert.and_then(always_alike) {
        let message = format!("the alert `{name}` is not carried over: {why}");
        tell(reader, &codes::PROMQL_CONSTANT, &rule.expr_place, message, &help);
        return;
    }
    let (message, help) = if let Some((why, help)) = alert.and_then(|expr| alert::why_not(expr, rules)) {
        (format!("the alert `{name}` is not carried over: {why}"), help)
    } else {
        (
            format!("the rule `{name}` is not carried over: no SLO is found in it"),
            "leave it where it is; an SLO is found where a share of bad events, `bad / total`, stands left of a comparison with a number",
        )
    };
    tell(reader, &codes::NOT_CARRIED, &rule.place, message, help);
}

/// Labels that say which SLO an alert is of, and how it burns; the others route it.
const READ_LABELS: [&str; 20] = [
    "severity",
    "sloth_severity",
    "sloth_service",
    "sloth_slo",
    "sloth_id",
    "burnward_service",
    "burnward_slo",
    "burnward_objective",
    "burn_rate",
    "long_window",
    "short_window",
    "slo",
    "service",
    "job",
    "app",
    "team",
    "owner",
    "exhaustion",
    "long",
    "short",
];

/// What a rule of an SLO says beside that: of a recording rule its labels only name its series.
fn tell_of_the_rest(reader: &mut Reader, rule: &Rule, node: &Node) {
    let Some(fields) = Fields::of(reader, node, "a rule") else { return };
    if rule.alert.is_some() {
        match rule.exported_of() {
            Some(_) => fields.pass_over(reader, &["annotations"]),
            None => fields.left(reader, "annotations", WORDS),
        }
        fields.left(reader, "keep_firing_for", "an alert ends when its short lookback is well again");
    }
    let Some(labels) = fields.get(reader, "labels") else { return };
    if rule.alert.is_some() {
        labels_left(reader, Some(labels), &READ_LABELS, ROUTING);
    }
    pass_over(reader, labels);
}

const NOT_EVALUATED: &str = "rules are not evaluated here: the counters are read and counted";

fn read_group(reader: &mut Reader, node: &Node, rules: &mut Rules) {
    let Some(group) = Fields::of(reader, node, "a group of rules") else { return };
    let name = group.text(reader, "name").map(|(_, name)| name.to_owned()).unwrap_or_default();
    // `burnward export` writes one, and all that its rules say is told of as a whole.
    if name.starts_with("burnward-") {
        group.pass_over(reader, &["interval"]);
    } else {
        group.left(reader, "interval", NOT_EVALUATED);
    }
    for key in ["limit", "query_offset", "partial_response_strategy"] {
        group.left(reader, key, NOT_EVALUATED);
    }
    let items = group.required(reader, "rules").and_then(|node| reader.list(node, "`rules`")).unwrap_or_default();
    group.finish(reader);
    for item in items {
        if let Some(rule) = read_rule(reader, item, &name) {
            rules.all.push(rule);
            rules.nodes.push(item.clone());
        }
    }
}

fn read_rule(reader: &mut Reader, node: &Node, group: &str) -> Option<Rule> {
    let rule = Fields::of(reader, node, "a rule")?;
    let record = rule.text(reader, "record");
    let alert = rule.text(reader, "alert");
    let expr = rule.required(reader, "expr").and_then(|node| Some((node, reader.text(node, "`expr`")?)));
    let labels = rule.get(reader, "labels").map(labels_of).unwrap_or_default();
    let waits = rule.text(reader, "for").map(|(node, text)| (node.range.clone(), text.to_owned()));
    let place = record.or(alert).map_or_else(|| rule.place(), |(node, _)| node.range.clone());
    rule.finish(reader);
    let (expr_node, text) = expr?;
    let read = expression::read(text);
    let unread = match &read {
        Err(expression::Unread::NotPromql) => mistake_in(reader, expr_node, text),
        Ok(_) | Err(_) => None,
    };
    Some(Rule {
        record: record.map(|(_, name)| name.to_owned()),
        alert: alert.map(|(_, name)| name.to_owned()),
        expr: read.ok(),
        labels,
        waits,
        group: group.to_owned(),
        place,
        expr_place: expr_node.range.clone(),
        unread,
    })
}

fn labels_of(node: &Node) -> BTreeMap<String, String> {
    let Value::Map(entries) = &node.value else { return BTreeMap::new() };
    entries.iter().map(|entry| (entry.key.clone(), super::text(&entry.value))).collect()
}
