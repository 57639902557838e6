//! Overrides: what an instance says otherwise than its template.
//!
//! A key of an override takes the place of the template's whole value, and is added where the template leaves it out; nothing is mixed. Only `objectives:`
//! goes one step deeper, by the name of the objective: its keys take the place of the template's. What identifies or counts an SLO is the template's alone.

use super::{
    Layer, Scope, Template,
    effective::{Content, Field, Piece},
};
use crate::definition::{
    codes,
    diagnostic::Diagnostic,
    duration,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{Entry, Node, Value},
};

const OF_SLO: Keys = Keys {
    of: "an override",
    known: &["title", "runbook", "objectives", "no-data", "no-traffic", "low-traffic", "new-series", "excluded-time", "status"],
    later: &[],
};
const OF_OBJECTIVE: Keys =
    Keys { of: "an override of an objective", known: &["target", "window", "timezone", "counted-in", "alerting"], later: &[] };
/// What the template alone says.
const FIXED: [&str; 4] = ["name", "was", "sli", "per"];

fn is_fixed(key: &str) -> bool {
    FIXED.contains(&key)
}

/// Puts a layer's overrides into the SLOs of a template; what is wrong with them.
pub(super) fn apply(slos: &mut Piece, layer: &Layer, template: &Template, service: Option<&str>) -> Vec<Diagnostic> {
    let mut reader = Reader::new(&layer.source);
    let fields = layer.overrides.as_ref().and_then(|node| reader.any_map(node, "`overrides`"));
    let fields = match layer.scope {
        Scope::Document => fields,
        Scope::Tenant => {
            let of_service = fields.and_then(|fields| fields.get(service.unwrap_or_default()));
            of_service.and_then(|node| reader.any_map(node, "the overrides of a service"))
        }
    };
    for entry in fields.iter().flat_map(Fields::entries) {
        let names: Vec<String> = slos.items_mut().iter().filter_map(|slo| slo.get("name")?.text().map(ToOwned::to_owned)).collect();
        match slos.items_mut().iter_mut().find(|slo| slo.get("name").and_then(Piece::text) == Some(&entry.key)) {
            Some(slo) => over_slo(&mut reader, slo, entry),
            None => nothing_to_override(&mut reader, entry, "an SLO", &names, template),
        }
    }
    reader.finish()
}

/// What an override names is not there (any more).
fn nothing_to_override(reader: &mut Reader, entry: &Entry, what: &str, names: &[String], template: &Template) {
    let message = format!("{} has no {} `{}`", template.name, what.trim_start_matches("an "), shortened(&entry.key));
    let diagnostic = reader.diagnostic(&codes::OVERRIDE, entry.key_range.clone(), message).related(template.place(), "the template");
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    reader.report(suggest(diagnostic.label("overrides nothing"), &entry.key, &names));
}

fn over_slo(reader: &mut Reader, slo: &mut Piece, entry: &Entry) {
    let Some(fields) = reader.map_beside(&entry.value, &OF_SLO, is_fixed) else { return };
    for field in fields.entries() {
        match field.key.as_str() {
            key if is_fixed(key) => {
                refuse(reader, field, "it makes the SLO what it is: make it a parameter of the template, or write another template");
            }
            "objectives" => over_objectives(reader, slo, &field.value),
            key if OF_SLO.known.contains(&key) => replace(reader, slo, field),
            // Told as unknown.
            _ => {}
        }
    }
}

fn over_objectives(reader: &mut Reader, slo: &mut Piece, node: &Node) {
    if let Value::List(_) = node.value {
        let diagnostic = reader.diagnostic(&codes::OVERRIDE, node.range.clone(), "objectives are overridden one by one, by their names");
        reader.report(
            diagnostic.help("write `objectives: { 30d: { target: 99.5% } }`; without a `name:` an objective is called as its window"),
        );
        return;
    }
    let Some(fields) = reader.any_map(node, "`objectives`") else { return };
    let slo_name = slo.get("name").and_then(Piece::text).unwrap_or_default().to_owned();
    let Content::Map(of_slo) = &mut slo.content else { return };
    let Some(objectives) = of_slo.iter_mut().find(|field| field.key == "objectives") else { return };
    // By the names that they have in the template: an override of the window must not hide an objective from the next one.
    let names: Vec<String> = objectives.value.items_mut().iter().map(name_of_objective).collect();
    let at = objectives.value.at.clone();
    for entry in fields.entries() {
        let found = names.iter().position(|name| *name == entry.key);
        let Some(objective) = found.and_then(|at| objectives.value.items_mut().get_mut(at)) else {
            let message = format!("{slo_name} has no objective `{}`", shortened(&entry.key));
            let diagnostic = reader.diagnostic(&codes::OVERRIDE, entry.key_range.clone(), message).related(at.clone(), "its objectives");
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            reader.report(suggest(diagnostic.label("overrides nothing"), &entry.key, &names));
            continue;
        };
        over_objective(reader, objective, entry);
    }
}

fn over_objective(reader: &mut Reader, objective: &mut Piece, entry: &Entry) {
    let Some(fields) = reader.map_beside(&entry.value, &OF_OBJECTIVE, is_fixed) else { return };
    for field in fields.entries() {
        match field.key.as_str() {
            key if is_fixed(key) => refuse(reader, field, "its history hangs on it: name it in the template"),
            "window" => {
                // A window and its time zone are one thing.
                if fields.get("timezone").is_none() {
                    remove(objective, "timezone");
                }
                replace(reader, objective, field);
            }
            key if OF_OBJECTIVE.known.contains(&key) => replace(reader, objective, field),
            // Told as unknown.
            _ => {}
        }
    }
}

fn refuse(reader: &mut Reader, entry: &Entry, help: &str) {
    let message = format!("`{}` cannot be overridden", entry.key);
    let diagnostic = reader.diagnostic(&codes::OVERRIDE, entry.key_range.clone(), message);
    reader.report(diagnostic.label("what the template alone says").help(help));
}

/// Puts a value in the place of the one that a mapping has, or behind the others.
fn replace(reader: &Reader, piece: &mut Piece, entry: &Entry) {
    let Content::Map(fields) = &mut piece.content else { return };
    let new = Field::of(reader.source(), entry);
    match fields.iter_mut().find(|field| field.key == entry.key) {
        Some(field) => *field = new,
        None => fields.push(new),
    }
}

fn remove(piece: &mut Piece, key: &str) {
    if let Content::Map(fields) = &mut piece.content {
        fields.retain(|field| field.key != key);
    }
}

/// What an objective is called: by its name, else as its window.
fn name_of_objective(objective: &Piece) -> String {
    let text = |key: &str| objective.get(key).and_then(Piece::text);
    let window = || text("window").map(|window| duration::parse(window).map_or_else(|_| window.replace(' ', "-"), duration::format));
    text("name").map(ToOwned::to_owned).or_else(window).unwrap_or_default()
}
