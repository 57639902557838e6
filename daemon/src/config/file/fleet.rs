//! What the operator makes of templates for tenants: `tenant-classes:` and the keys of tenants that go with them.

use std::collections::BTreeMap;

use super::File;
use crate::definition::{
    codes,
    reader::{Fields, Keys, shortened, suggest},
    template::{Instance, Layer, Scope, read_from, version_of_name},
    yaml::{Entry, Node},
};

const CLASS: Keys = Keys { of: "a class of tenants", known: &["templates"], later: &[] };
const MADE: Keys = Keys { of: "what is made of a template", known: &["from", "service", "team", "with", "overrides"], later: &[] };
/// Keys of a tenant that say what is otherwise in what its class and itself make of templates.
const OTHERWISE: [&str; 3] = ["with", "overrides", "pinned"];

/// What each class makes of templates, by the name of the class.
pub(super) type Classes = BTreeMap<String, Vec<Instance>>;

/// Reads `tenant-classes:`.
pub(super) fn read_classes(file: &mut File, fields: &Fields<'_>) -> Classes {
    let Some(node) = file.reader.optional(fields, "tenant-classes") else { return Classes::new() };
    let Some(classes) = file.reader.any_map(node, "`tenant-classes`") else { return Classes::new() };
    let mut read = Classes::new();
    for entry in classes.entries() {
        let name = file.reader.name_at(&entry.key, entry.key_range.clone(), "the name of a class", burnward_core::id::TenantId::parse);
        let made = file.map(&entry.value, &CLASS).and_then(|fields| {
            let node = file.reader.required(&fields, "templates", "[{ from: http-service, service: checkout }]")?;
            Some(read_made(file, node))
        });
        if let (Some(name), Some(made)) = (name, made) {
            read.insert(name.to_string(), made);
        }
    }
    read
}

/// Reads a list of what is made of templates.
fn read_made(file: &mut File, node: &Node) -> Vec<Instance> {
    let Some(items) = file.reader.list(node, "`templates`") else { return Vec::new() };
    items.iter().filter_map(|item| read_one(file, item)).collect()
}

fn read_one(file: &mut File, node: &Node) -> Option<Instance> {
    let fields = file.map(node, &MADE)?;
    let from = file.reader.required(&fields, "from", "http-service")?;
    let mut layer = Layer::nothing(file.reader.source(), Scope::Document);
    [layer.service, layer.team, layer.with, layer.overrides] =
        ["service", "team", "with", "overrides"].map(|key| file.reader.optional(&fields, key).cloned());
    let (template, version) = read_from(&mut file.reader, from)?;
    Some(Instance { template, version, at: file.reader.place(from.range.clone()), layers: vec![layer] })
}

/// What a tenant's class and the tenant itself make of templates, each by a name of its own.
pub(super) fn read_of_tenant(file: &mut File, fields: &Fields<'_>, classes: &Classes) -> Vec<(String, Instance)> {
    let mut made = file.reader.optional(fields, "class").map(|node| of_class(file, node, classes)).unwrap_or_default();
    made.extend(file.reader.optional(fields, "templates").map(|node| read_made(file, node)).unwrap_or_default());
    for entry in OTHERWISE.iter().filter_map(|key| fields.entry(key)).filter(|_| made.is_empty()) {
        let message = format!("`{}` says what is otherwise in what is made of templates, and nothing is made of any here", entry.key);
        let diagnostic = file.reader.diagnostic(&codes::OVERRIDE, entry.key_range.clone(), message);
        file.reader.report(diagnostic.help("give the tenant a `class:` or `templates:`, or remove it"));
    }
    let mut layer = Layer::nothing(file.reader.source(), Scope::Tenant);
    [layer.with, layer.overrides] = ["with", "overrides"].map(|key| file.reader.optional(fields, key).cloned());
    let said = layer.with.is_some() || layer.overrides.is_some();
    for instance in made.iter_mut().filter(|_| said) {
        instance.layers.push(layer.clone());
    }
    if let Some(node) = file.reader.optional(fields, "pinned") {
        pin(file, node, &mut made);
    }
    named(file, made)
}

fn of_class(file: &mut File, node: &Node, classes: &Classes) -> Vec<Instance> {
    let Some(name) = file.reader.text(node, "`class`") else { return Vec::new() };
    if let Some(made) = classes.get(name) {
        return made.clone();
    }
    let diagnostic = file.reader.diagnostic(&codes::UNKNOWN_CLASS, node.range.clone(), format!("there is no class `{}`", shortened(name)));
    let known: Vec<&str> = classes.keys().map(String::as_str).collect();
    file.reader.report(suggest(diagnostic, name, &known).help("declare it under `tenant-classes:`"));
    Vec::new()
}

/// Reads `pinned: { http-service: 2 }`.
fn pin(file: &mut File, node: &Node, made: &mut [Instance]) {
    let Some(fields) = file.reader.any_map(node, "`pinned`") else { return };
    for Entry { key, key_range, value } in fields.entries() {
        let Some(text) = file.reader.text(value, "a version").map(ToOwned::to_owned) else { continue };
        let from = format!("{key}@{text}");
        let version = version_of_name(&from);
        let Some(version) = version else {
            let diagnostic =
                file.reader.diagnostic(&codes::TEMPLATE, value.range.clone(), format!("`{}` is not a version", shortened(&text)));
            file.reader.report(diagnostic.help("write the whole number behind the @ of the template's name"));
            continue;
        };
        let place = file.reader.place(value.range.clone());
        let mut found = false;
        for instance in made.iter_mut().filter(|instance| instance.template == *key) {
            (instance.version, instance.at, found) = (Some(version), place.clone(), true);
        }
        if !found {
            let message = format!("nothing is made of a template `{}` for this tenant", shortened(key));
            let diagnostic = file.reader.diagnostic(&codes::OVERRIDE, key_range.clone(), message);
            let known: Vec<&str> = made.iter().map(|instance| instance.template.as_str()).collect();
            file.reader.report(suggest(diagnostic.label("pins nothing"), key, &known));
        }
    }
}

/// Gives each the name by which it goes in the place of a file: it must not change while the SLOs stay.
fn named(file: &mut File, made: Vec<Instance>) -> Vec<(String, Instance)> {
    let mut named: Vec<(String, Instance)> = Vec::new();
    for instance in made {
        let service = instance.service().map(|service| format!("/{service}")).unwrap_or_default();
        let name = format!("{}#{}{service}", file.reader.source().name(), instance.template);
        if let Some((_, first)) = named.iter().find(|(have, _)| *have == name) {
            let message = format!("{} is made twice for one service of a tenant", instance.template);
            let range = instance.at.range.clone().unwrap_or_default();
            let diagnostic = file.reader.diagnostic(&codes::DUPLICATE_NAME, range, message).related(first.at.clone(), "the first time");
            file.reader.report(diagnostic.help("give one of them another `service:`, or remove it"));
            continue;
        }
        named.push((name, instance));
    }
    named
}

/// Whether a tenant's SLOs may come of templates alone.
pub(super) fn makes(fields: &Fields<'_>) -> bool {
    fields.get("class").is_some() || fields.get("templates").is_some()
}
