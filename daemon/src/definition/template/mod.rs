//! Templates: SLOs that are written once, with parameters, and made into documents by those who name them.
//!
//! A template is a document with `template: NAME@VERSION`; an instance is one with `from: NAME`, or an entry of burnward.yaml. What the two say together is
//! the *effective document*, a plain one: its text is what is read, checked, kept as last good and evaluated, so that an instance means exactly what its
//! effective document does. Its mistakes are told where their author wrote them. Nothing here reads a file or knows which tenant it is for: which templates
//! an instance can see is decided by whoever loads it.

mod effective;
mod fill;
mod instance;
pub(super) mod library;
mod merge;
mod parameter;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use burnward_core::id::SloName;

use super::{
    build, codes,
    diagnostic::{Diagnostic, Place, Source},
    document::{self, Context},
    reader::{Fields, Keys, Reader, shortened, suggest},
    yaml::{Node, Value},
};
pub use effective::Effective;
use effective::{Content, Field, Piece};
use fill::{Filled, Kind, fill};
pub(super) use instance::OfTenant;
pub(crate) use instance::read_from;
pub use instance::{Instance, Layer, Scope};
pub use library::Library;
use parameter::{Given, Parameter};

const TEMPLATE: Keys = Keys {
    of: "a template",
    known: &["version", "template", "parameters", "service", "team", "slos", "tests"],
    later: &[("from", "a template is made of no other one: write its SLOs out, or make two documents, one from each")],
};

/// What a document says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// `template:`
    Template,
    /// `from:`
    Instance,
    /// Neither.
    Plain,
}

/// What a document says that it is.
pub(crate) fn role(root: &Node) -> Role {
    let Value::Map(entries) = &root.value else { return Role::Plain };
    let has = |key: &str| entries.iter().any(|entry| entry.key == key);
    if has("template") {
        Role::Template
    } else if has("from") && !has("slos") {
        Role::Instance
    } else {
        Role::Plain
    }
}

/// The name and the version of a template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateName {
    /// The name.
    pub name: String,
    /// The version, from 1.
    pub version: u32,
}

impl std::fmt::Display for TemplateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// Highest version.
const HIGHEST: u32 = 999_999;

/// `NAME` or `NAME@VERSION`.
fn parse_name(text: &str) -> Option<(String, Option<u32>)> {
    let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
    let name = SloName::parse(name).ok()?.to_string();
    let legal = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match version {
        None => Some((name, None)),
        Some(version) => version.parse().ok().filter(|number| legal(version) && *number <= HIGHEST).map(|number| (name, Some(number))),
    }
}

/// The version of `NAME@VERSION`.
pub(crate) fn version_of_name(text: &str) -> Option<u32> {
    parse_name(text)?.1
}

/// A template as it was read.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its name and version.
    pub name: TemplateName,
    source: Arc<Source>,
    /// Where its name stands.
    at: Range<usize>,
    parameters: Vec<Parameter>,
    /// The names of all, also of those that could not be read.
    declared: Vec<String>,
    service: Option<Node>,
    team: Option<Node>,
    slos: Node,
    tests: Option<Node>,
    /// Its mistakes: nothing can be made of it while there are any.
    faults: Vec<Diagnostic>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The mistakes of one that cannot even be named.
    pub(super) fn read(source: &Arc<Source>, root: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut reader = Reader::new(source);
        let Some(mut template) = read_root(&mut reader, root) else { return Err(reader.finish()) };
        template.check_uses(&mut reader);
        template.faults = reader.finish();
        Ok(template)
    }

    /// The file that it stands in.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// Where its name stands.
    fn place(&self) -> Place {
        Place::new(&self.source, self.at.clone())
    }

    /// Its mistakes.
    pub(super) fn faults(&self) -> &[Diagnostic] {
        &self.faults
    }

    /// Whether it declares a parameter.
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        self.parameter(name).is_some()
    }

    fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Puts a stand-in where each parameter is named: what cannot stand there, and what is named nowhere, is told.
    fn check_uses(&self, reader: &mut Reader) {
        let values: BTreeMap<&str, Given> =
            self.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.stand_in(self.place()))).collect();
        let mut filling = Filling { source: &self.source, values: &values, used: BTreeSet::new(), faults: Vec::new() };
        for (node, kind) in self.parts() {
            filling.piece(node, kind, false);
        }
        let Filling { used, faults, .. } = filling;
        let names: Vec<&str> = values.keys().copied().collect();
        // What is wrong with a declaration was told there.
        let told = |fault: &fill::Fault| fault.unknown.as_deref().is_some_and(|name| self.declared.iter().any(|declared| declared == name));
        for (fault, range) in faults.into_iter().filter(|(fault, _)| !told(fault)) {
            let declared = fault.parameter.as_deref().and_then(|name| self.parameter(name));
            let mut diagnostic = reader.diagnostic(fault.code, range, fault.message);
            if let Some(parameter) = declared {
                let place = reader.place(parameter.at.clone()).labelled(&format!("a {}", parameter.kind.word()));
                diagnostic.related.push(place);
            }
            diagnostic.help.extend(Some(fault.help).filter(|help| !help.is_empty()));
            reader.report(match &fault.unknown {
                Some(name) => suggest(diagnostic, name, &names),
                None => diagnostic,
            });
        }
        for parameter in self.parameters.iter().filter(|parameter| !used.contains(&parameter.name)) {
            let message = format!("the parameter `{}` is used nowhere", parameter.name);
            let diagnostic = reader.diagnostic(&codes::UNUSED_PARAMETER, parameter.at.clone(), message);
            reader.report(diagnostic.help(format!("write $({}) where its value is to stand, or remove it", parameter.name)));
        }
    }

    /// What there is to say of it where nothing is made of it: with a stand-in for each value, what hangs on none of those.
    pub(super) fn by_itself(&self, context: &Context) -> Vec<Diagnostic> {
        let word = |text: &str| Some(build::word(&self.at, text));
        let mut layer = Layer::nothing(&self.source, Scope::Document);
        layer.service = if self.service.is_none() { word("service") } else { None };
        layer.team = if self.team.is_none() { word("operators") } else { None };
        let instance = Instance { template: self.name.name.clone(), version: None, at: self.place(), layers: vec![layer] };
        let values = self.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.stand_in(self.place()))).collect();
        let teams = if self.team.is_none() { document::Teams::Unchecked } else { context.teams.clone() };
        let context = Context { teams, ..context.clone() };
        let (faults, effective) = match instance.made(self, &values, self.file()) {
            Ok(effective) => match document::read_tree(effective.source(), effective.root(), "", &context) {
                Ok(document) => ([document.advice, document.of_tests].concat(), Some(effective)),
                Err(faults) => (faults, Some(effective)),
            },
            Err(faults) => (faults, None),
        };
        let written = |fault: Diagnostic| if let Some(effective) = &effective { effective.at_origin(fault) } else { fault };
        let stands_in = |place: &Place| *place.source == *self.source && place.range.as_ref() == Some(&self.at);
        let own = |fault: &Diagnostic| !std::iter::once(&fault.place).chain(&fault.related).any(stands_in);
        faults.into_iter().map(written).filter(own).collect()
    }

    /// Its parts that parameters may stand in.
    fn parts(&self) -> impl Iterator<Item = (&Node, Kind)> {
        let words = |node| (node, Kind::Words);
        self.service.iter().chain(&self.team).chain([&self.slos]).chain(&self.tests).map(words)
    }
}

fn read_root(reader: &mut Reader, root: &Node) -> Option<Template> {
    let fields = reader.map(root, &TEMPLATE)?;
    document::read_version(reader, &fields);
    let (name, at) =
        reader.required(&fields, "template", "http-service@1").and_then(|node| Some((read_name(reader, node)?, node.range.clone())))?;
    let parameters = reader.optional(&fields, "parameters");
    let declared = match parameters.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|entry| entry.key.clone()).collect(),
        Some(Value::Scalar { .. } | Value::List(_)) | None => Vec::new(),
    };
    let parameters = parameters.map(|node| parameter::read(reader, node)).unwrap_or_default();
    let [service, team, tests] = ["service", "team", "tests"].map(|key| part(reader, &fields, key));
    let slos = reader.required(&fields, "slos", "[{ name: availability, sli: ..., objectives: ... }]");
    let slos = slos.filter(|node| reader.list(node, "`slos`").is_some()).cloned();
    let nothing = Node { range: at.clone(), value: Value::List(Vec::new()) };
    let slos = slos.unwrap_or(nothing);
    Some(Template { name, source: reader.source().clone(), at, parameters, declared, service, team, slos, tests, faults: Vec::new() })
}

fn read_name(reader: &mut Reader, node: &Node) -> Option<TemplateName> {
    let text = reader.text(node, "`template`")?;
    if let Some((name, Some(version))) = parse_name(text) {
        return Some(TemplateName { name, version });
    }
    let message = format!("`{}` is not the name of a template with its version", shortened(text));
    let diagnostic = reader.diagnostic(&codes::TEMPLATE, node.range.clone(), message);
    reader.report(
        diagnostic.help("write a name, an @ and a whole number from 1, such as `http-service@1`; a change of meaning gets the next number"),
    );
    None
}

/// A template's text becoming an instance's.
struct Filling<'t> {
    source: &'t Arc<Source>,
    values: &'t BTreeMap<&'t str, Given>,
    used: BTreeSet<String>,
    faults: Vec<(fill::Fault, Range<usize>)>,
}

impl Filling<'_> {
    fn piece(&mut self, node: &Node, kind: Kind, within_sli: bool) -> Piece {
        let content = match &node.value {
            Value::Scalar { text, quoted } => self.scalar(node, text, *quoted, kind),
            Value::List(items) => Content::List(items.iter().map(|item| self.piece(item, kind, within_sli)).collect()),
            Value::Map(entries) => {
                let field = |entry: &super::yaml::Entry| {
                    let within_sli = within_sli || entry.key == "sli";
                    let value = self.piece(&entry.value, Kind::of(&entry.key, within_sli), within_sli);
                    Field { key: entry.key.clone(), key_at: Place::new(self.source, entry.key_range.clone()), value }
                };
                Content::Map(entries.iter().map(field).collect())
            }
        };
        Piece { at: Place::new(self.source, node.range.clone()), content }
    }

    fn scalar(&mut self, node: &Node, text: &str, quoted: bool, kind: Kind) -> Content {
        let as_it_is = || Content::Scalar { text: text.to_owned(), quoted, filled: Vec::new() };
        if !text.contains("$(") {
            return as_it_is();
        }
        match fill(text, kind, &|name| self.values.get(name)) {
            Ok(Filled { text, values, names }) => {
                self.used.extend(names);
                let plain = matches!(kind, Kind::Whole(_)) && values.iter().all(|given| given.kind != parameter::Type::Text);
                let filled = values.into_iter().map(|given| given.at.clone()).collect();
                Content::Scalar { text, quoted: !plain, filled }
            }
            Err(fault) => {
                self.used.extend(fault.parameter.clone());
                let range = within(self.source, node, text, &fault.at);
                self.faults.push((fault, range));
                as_it_is()
            }
        }
    }
}

/// A stretch of a text in its file, where the file holds it letter by letter; else all of it.
fn within(source: &Source, node: &Node, text: &str, at: &Range<usize>) -> Range<usize> {
    let written = source.text().get(node.range.clone()).unwrap_or_default();
    match written.find(text).filter(|offset| *offset <= 1) {
        Some(offset) => node.range.start + offset + at.start..node.range.start + offset + at.end,
        None => node.range.clone(),
    }
}

/// The value of a key, of the fields that were read.
fn part(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Option<Node> {
    reader.optional(fields, key).cloned()
}
