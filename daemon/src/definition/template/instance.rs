//! What is made of a template: who asks for it, with which values and overrides, and the effective document that comes of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{
    Filling, Kind, Template,
    effective::{Content, Effective, Field, Piece},
    merge,
    parameter::Given,
    parse_name, part,
};
use crate::definition::{
    build, codes,
    diagnostic::{Diagnostic, Place, Source},
    document,
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{Entry, Node, Value},
};

const INSTANCE: Keys = Keys {
    of: "a document that is made of a template",
    known: &["version", "from", "service", "team", "with", "overrides", "tests"],
    later: &[],
};

/// Of what a layer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of one document: overrides are by SLO.
    Document,
    /// Of all that is made for a tenant: values are for those templates that have the parameter, overrides are by service and SLO.
    Tenant,
}

/// What somebody says of an instance: a document itself, or a part of burnward.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Of what it speaks.
    pub scope: Scope,
    /// The file.
    pub source: Arc<Source>,
    /// Whose SLOs it makes.
    pub service: Option<Node>,
    /// Who is told.
    pub team: Option<Node>,
    /// Values of parameters.
    pub with: Option<Node>,
    /// What is otherwise than in the template, by SLO.
    pub overrides: Option<Node>,
    /// Tests beside those of the template.
    pub tests: Option<Node>,
}

impl Layer {
    /// Nothing is said.
    pub fn nothing(source: &Arc<Source>, scope: Scope) -> Self {
        Self { scope, source: source.clone(), service: None, team: None, with: None, overrides: None, tests: None }
    }
}

/// An instance: which template, and what is said of it. Of two layers the later one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The name of the template.
    pub template: String,
    /// The version that it stays at; `None`: the newest.
    pub version: Option<u32>,
    /// Where the template is named.
    pub at: Place,
    /// What is said of it.
    pub layers: Vec<Layer>,
}

impl Instance {
    /// Reads a document with `from:`.
    ///
    /// # Errors
    /// All mistakes that can be seen without the template.
    pub(in crate::definition) fn read(source: &Arc<Source>, root: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::new(source);
        let instance = read_root(&mut reader, root);
        match instance {
            Some(instance) if !reader.failed() => Ok(instance),
            Some(_) | None => Err(reader.finish()),
        }
    }

    /// The effective document, named as what asks for it.
    ///
    /// # Errors
    /// Everything that keeps the template from being made into one here.
    pub(in crate::definition) fn effective(&self, template: &Template, name: &str) -> Result<Effective, Vec<Diagnostic>> {
        let (values, faults) = self.values(template);
        let made = self.made(template, &values, name);
        if faults.is_empty() { made } else { Err(faults.into_iter().chain(made.err().into_iter().flatten()).collect()) }
    }

    /// The same with these values.
    pub(super) fn made(&self, template: &Template, values: &BTreeMap<&str, Given>, name: &str) -> Result<Effective, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut filling = Filling { source: &template.source, values, used: BTreeSet::new(), faults: Vec::new() };
        let mut said = |node: &Node| filling.piece(node, Kind::Words, false);
        let mut slos = said(&template.slos);
        let service = self.last(|layer| layer.service.as_ref()).or_else(|| template.service.as_ref().map(&mut said));
        let team = self.last(|layer| layer.team.as_ref()).or_else(|| template.team.as_ref().map(&mut said));
        let tests = self.tests(template.tests.as_ref().map(&mut said));
        for layer in &self.layers {
            faults.extend(merge::apply(&mut slos, layer, template, service.as_ref().and_then(Piece::text)));
        }
        for (key, piece) in [("service", &service), ("team", &team)] {
            if piece.is_none() {
                faults.push(self.lacks(key, template));
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let field = |key: &str, value: Piece| Field { key: key.to_owned(), key_at: value.at.clone(), value };
        let version = Piece::of(&self.at.source, &build::word(&self.at.range.clone().unwrap_or_default(), document::VERSION));
        let parts = [("version", Some(version)), ("service", service), ("team", team), ("slos", Some(slos)), ("tests", tests)];
        let fields = parts.into_iter().filter_map(|(key, value)| Some(field(key, value?))).collect();
        Effective::of(&Piece { at: self.at.clone(), content: Content::Map(fields) }, name)
    }

    /// The value of each parameter, and what is wrong with them.
    fn values<'t>(&self, template: &'t Template) -> (BTreeMap<&'t str, Given>, Vec<Diagnostic>) {
        let defaults = template.parameters.iter().filter_map(|parameter| Some((parameter.name.as_str(), parameter.default.clone()?)));
        let mut values: BTreeMap<&str, Given> = defaults.collect();
        let (mut faults, mut tried) = (Vec::new(), BTreeSet::new());
        for layer in &self.layers {
            let mut reader = Reader::new(&layer.source);
            let fields = layer.with.as_ref().and_then(|node| reader.any_map(node, "`with`"));
            for entry in fields.iter().flat_map(Fields::entries) {
                let parameter = template.parameter(&entry.key);
                if parameter.is_none() && layer.scope == Scope::Tenant {
                    // Another template's; whether of any is told where all are known.
                    continue;
                }
                let Some(parameter) = parameter else {
                    let message = format!("{} has no parameter `{}`", template.name, shortened(&entry.key));
                    let diagnostic = reader.diagnostic(&codes::UNKNOWN_PARAMETER, entry.key_range.clone(), message);
                    let names: Vec<&str> = template.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                    reader.report(suggest(diagnostic.related(template.place(), "the template"), &entry.key, &names));
                    continue;
                };
                tried.insert(parameter.name.as_str());
                let before = reader.collected();
                values.extend(parameter.read(&mut reader, entry).map(|given| (parameter.name.as_str(), given)));
                let declared = Place::new(&template.source, parameter.at.clone()).labelled("declared here");
                reader.relate_since(before, &declared);
            }
            faults.extend(reader.finish());
        }
        for parameter in template.parameters.iter().filter(|parameter| !values.contains_key(parameter.name.as_str())) {
            if tried.contains(parameter.name.as_str()) {
                continue;
            }
            let message = format!("the parameter `{}` of {} has no value", parameter.name, template.name);
            let declared = Place::new(&template.source, parameter.at.clone());
            let fault = self.fault(&codes::MISSING_VALUE, message).related(declared, "declared here, without a default");
            faults.push(fault.help(format!("add `with: {{ {}: {} }}`; {}", parameter.name, parameter.kind.example(), parameter.about())));
        }
        (values, faults)
    }

    /// What the last layer says that says anything.
    fn last(&self, of: impl Fn(&Layer) -> Option<&Node>) -> Option<Piece> {
        self.layers.iter().rev().find_map(|layer| of(layer).map(|node| Piece::of(&layer.source, node)))
    }

    /// The tests of the template and of each layer.
    fn tests(&self, of_template: Option<Piece>) -> Option<Piece> {
        let own = self.layers.iter().filter_map(|layer| layer.tests.as_ref().map(|node| Piece::of(&layer.source, node)));
        of_template.into_iter().chain(own).reduce(|all, more| match (all.content, more.content) {
            (Content::List(items), Content::List(others)) => {
                Piece { at: more.at, content: Content::List(items.into_iter().chain(others).collect()) }
            }
            // What is no list is told as that.
            (_, content) => Piece { at: more.at, content },
        })
    }

    fn lacks(&self, key: &str, template: &Template) -> Diagnostic {
        let message = format!("neither this document nor {} says the {key}", template.name);
        let fault = self.fault(&codes::MISSING_KEY, message).related(template.place(), "the template");
        fault.help(format!("add `{key}: NAME` here, or to the template where it is the same in all documents"))
    }

    /// The service, where that is said here and not by the template.
    pub fn service(&self) -> Option<&str> {
        self.layers.iter().rev().find_map(|layer| layer.service.as_ref()).and_then(text)
    }

    /// What it overrides, as `availability: 30d.target`.
    pub fn overridden(&self) -> Vec<String> {
        let of_layer = |layer: &Layer| match layer.scope {
            Scope::Document => layer.overrides.iter().flat_map(overridden).collect::<Vec<_>>(),
            Scope::Tenant => {
                let own = |entry: &&Entry| self.service().is_none_or(|service| entry.key == service);
                layer.overrides.iter().flat_map(entries).filter(own).flat_map(|entry| overridden(&entry.value)).collect()
            }
        };
        self.layers.iter().flat_map(of_layer).collect()
    }

    /// What its layers of a tenant say: the places of values by name, and of services that are overridden.
    pub(in crate::definition) fn of_tenant(&self) -> impl Iterator<Item = (&Arc<Source>, OfTenant<'_>)> {
        let of_tenant = self.layers.iter().filter(|layer| layer.scope == Scope::Tenant);
        of_tenant.flat_map(|layer| {
            let values = layer.with.iter().flat_map(entries).map(OfTenant::Value);
            let services = layer.overrides.iter().flat_map(entries).map(OfTenant::Service);
            values.chain(services).map(|said| (&layer.source, said))
        })
    }

    pub(super) fn fault(&self, code: &'static codes::Code, message: String) -> Diagnostic {
        Diagnostic { code, message, place: self.at.clone(), related: Vec::new(), help: Vec::new() }
    }
}

/// Something that a tenant says of all that is made for it.
pub(in crate::definition) enum OfTenant<'n> {
    /// The value of a parameter.
    Value(&'n Entry),
    /// Overrides of a service.
    Service(&'n Entry),
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        Value::Scalar { .. } | Value::List(_) => &[],
    }
}

fn text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        Value::List(_) | Value::Map(_) => None,
    }
}

/// The keys of overrides by SLO.
fn overridden(overrides: &Node) -> Vec<String> {
    let of_key = |key: &Entry| match key.key.as_str() {
        "objectives" => entries(&key.value)
            .iter()
            .flat_map(|objective| entries(&objective.value).iter().map(|key| format!("{}.{}", objective.key, key.key)))
            .collect(),
        name => vec![name.to_owned()],
    };
    let of_slo = |slo: &Entry| {
        let keys: Vec<String> = entries(&slo.value).iter().flat_map(of_key).collect();
        format!("{}: {}", slo.key, keys.join(" "))
    };
    entries(overrides).iter().map(of_slo).collect()
}

fn read_root(reader: &mut Reader, root: &Node) -> Option<Instance> {
    let fields = reader.map(root, &INSTANCE)?;
    document::read_version(reader, &fields);
    let node = reader.required(&fields, "from", "http-service")?;
    let [service, team, with, overrides, tests] = ["service", "team", "with", "overrides", "tests"].map(|key| part(reader, &fields, key));
    let (template, version) = read_from(reader, node)?;
    let layer = Layer { scope: Scope::Document, source: reader.source().clone(), service, team, with, overrides, tests };
    Some(Instance { template, version, at: reader.place(node.range.clone()), layers: vec![layer] })
}

/// Reads `from: NAME` and `from: NAME@VERSION`.
pub(crate) fn read_from(reader: &mut Reader, node: &Node) -> Option<(String, Option<u32>)> {
    let text = reader.text(node, "`from`")?;
    let read = parse_name(text);
    if read.is_none() {
        let diagnostic =
            reader.diagnostic(&codes::TEMPLATE, node.range.clone(), format!("`{}` is not the name of a template", shortened(text)));
        reader.report(
            diagnostic.help("write its name, such as `http-service`, for the newest version, or `http-service@1` to stay at that one"),
        );
    }
    read
}
