//! Templates by name and version: those of the operator's directories, or of a tenant's documents.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Instance, Role, Template, role};
use crate::definition::{
    codes,
    diagnostic::{Diagnostic, Place},
    discover::{self, Found},
    reader::{Reader, suggest},
    yaml,
};

/// Templates that documents may be made of.
#[derive(Debug, Default)]
pub struct Library {
    by_name: BTreeMap<String, BTreeMap<u32, Arc<Template>>>,
    /// Files that hold no template, or one that cannot be named.
    faults: Vec<Diagnostic>,
    /// The files that were read.
    files: Vec<PathBuf>,
}

impl Library {
    /// Reads directories of templates, which hold nothing else.
    pub fn read(directories: &[PathBuf]) -> Self {
        let mut library = Self::default();
        let Found { files, tests, faults } = discover::discover(directories);
        library.faults.extend(faults.into_iter().map(|(_, fault)| fault));
        for path in files.into_iter().chain(tests) {
            match discover::read(&path) {
                Ok(text) => library.add_text(&path, &text),
                Err(fault) => library.faults.push(*fault),
            }
            library.files.push(path);
        }
        library
    }

    /// Takes the templates among documents that stand elsewhere; whatever else they hold is not looked at.
    pub fn of_documents(paths: &[PathBuf]) -> Self {
        let mut library = Self::default();
        let files = discover::discover(paths).files;
        for (path, text) in files.into_iter().filter_map(|path| discover::read(&path).ok().map(|text| (path, text))) {
            let source = discover::source(&path.display().to_string(), &text);
            let root = if text.contains("template") { yaml::parse(&source).ok() } else { None };
            if let Some(Ok(template)) = root.filter(|root| role(root) == Role::Template).map(|root| Template::read(&source, &root)) {
                library.add(template);
            }
        }
        library
    }

    /// The same of texts that hold templates alone.
    pub fn of_texts(texts: impl IntoIterator<Item = (PathBuf, String)>) -> Self {
        let mut library = Self::default();
        texts.into_iter().for_each(|(path, text)| library.add_text(&path, &text));
        library
    }

    fn add_text(&mut self, path: &Path, text: &str) {
        let source = discover::source(&path.display().to_string(), text);
        match yaml::parse(&source) {
            Ok(root) if role(&root) == Role::Template => match Template::read(&source, &root) {
                Ok(template) => self.add(template),
                Err(faults) => self.faults.extend(faults),
            },
            Ok(root) => {
                let fault = Reader::new(&source).diagnostic(&codes::TEMPLATE, root.range, "a directory of templates holds templates alone");
                self.faults.push(fault.help("begin it with `template: NAME@1`, or put it among the documents of a tenant"));
            }
            Err(faults) => self.faults.extend(faults),
        }
    }

    /// Takes a template in; where there is one of the name and version, nothing is made of either.
    pub(in crate::definition) fn add(&mut self, template: Template) {
        let versions = self.by_name.entry(template.name.name.clone()).or_default();
        match versions.get(&template.name.version).cloned() {
            None => drop(versions.insert(template.name.version, Arc::new(template))),
            Some(first) => {
                let fault =
                    twice(&template, &first.place(), "the other one", "give the changed one the next version, or remove one of them");
                let faults = first.faults.iter().chain(&template.faults).cloned().chain([fault]).collect();
                versions.insert(template.name.version, Arc::new(Template { faults, ..template }));
            }
        }
    }

    /// Refuses the templates that have names of another library: what is made of them here would be in doubt.
    pub(in crate::definition) fn refuse_names_of(&mut self, other: &Self) {
        for (name, versions) in &mut self.by_name {
            let Some(theirs) = other.by_name.get(name).and_then(|versions| versions.values().next()) else { continue };
            for template in versions.values_mut().filter(|template| template.source.name() != theirs.source.name()) {
                let fault = twice(template, &theirs.place(), "the operator's", "give it another name");
                Arc::make_mut(template).faults.push(fault);
            }
        }
    }

    /// Its templates.
    pub fn templates(&self) -> impl Iterator<Item = &Arc<Template>> {
        self.by_name.values().flat_map(BTreeMap::values)
    }

    /// The newest version of a template.
    pub fn newest(&self, name: &str) -> Option<&Arc<Template>> {
        self.by_name.get(name)?.last_key_value().map(|(_, template)| template)
    }

    /// The files that were read.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// What is wrong with it: files that hold no template, and mistakes of templates.
    pub fn faults(&self) -> impl Iterator<Item = &Diagnostic> {
        self.faults.iter().chain(self.templates().flat_map(|template| template.faults()))
    }

    fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}

/// The template of an instance, among a tenant's own and those of elsewhere.
pub(in crate::definition) fn find<'l>(
    instance: &Instance,
    own: &'l Library,
    other: &'l Library,
) -> Result<&'l Arc<Template>, Box<Diagnostic>> {
    let library = if own.has(&instance.template) { own } else { other };
    let Some(versions) = library.by_name.get(&instance.template) else {
        let fault = instance.fault(&codes::UNKNOWN_TEMPLATE, format!("there is no template `{}`", instance.template));
        let names: Vec<&str> = own.by_name.keys().chain(other.by_name.keys()).map(String::as_str).collect();
        let help = "a template is a document with `template: NAME@1`, of this tenant or in the operator's `slo-templates:`";
        return Err(Box::new(suggest(fault, &instance.template, &names).help(help)));
    };
    let found = match instance.version {
        Some(version) => versions.get(&version),
        None => versions.values().next_back(),
    };
    found.ok_or_else(|| {
        let version = instance.version.unwrap_or_default();
        let there: Vec<String> = versions.keys().map(ToString::to_string).collect();
        let message = format!("there is no version {version} of {}; there is {}", instance.template, there.join(", "));
        let fault = instance.fault(&codes::UNKNOWN_TEMPLATE, message);
        let newest = versions.values().next_back().map(|template| template.place());
        let fault = newest.into_iter().fold(fault, |fault, place| fault.related(place, "the newest"));
        Box::new(fault.help("name a version that is there, or keep the old version in a file of its own beside the newer one"))
    })
}

fn twice(template: &Template, other: &Place, label: &str, help: &str) -> Diagnostic {
    let message = format!("there are two templates {}", template.name);
    let fault = Diagnostic { code: &codes::DUPLICATE_TEMPLATE, message, place: template.place(), related: Vec::new(), help: Vec::new() };
    fault.related(other.clone(), label).help(help)
}
