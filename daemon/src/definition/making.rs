//! What directories hold of templates: the documents that are made of them, and their mistakes, each told once where its author wrote it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use burnward_core::{slo::Slo, words::plural};

use super::{
    codes,
    diagnostic::{Diagnostic, Place, Severity, Source},
    document::{self, Context, version_of},
    load::{FileVersion, Loaded},
    reader::shortened,
    template::{Effective, Instance, Library, OfTenant, Role, Template, library::find, role},
    yaml::Node,
};

/// Most bytes of all documents that are made of templates for a tenant: a few lines ask for as much as the template holds.
const MAX_MADE_BYTES: usize = 64 << 20;

/// What is being made of templates, and what was.
#[derive(Debug, Clone, Default)]
pub(super) struct Making {
    /// The templates among the documents.
    own: Arc<Library>,
    /// The files that they stand in.
    templates: Vec<PathBuf>,
    /// The templates that are being collected.
    reading: Vec<Template>,
    /// What waits until all templates are known.
    waiting: Vec<(PathBuf, Instance)>,
    /// What was made of which template, by the path that asks for it.
    made: BTreeMap<PathBuf, (Instance, Arc<Template>)>,
    /// What is wrong with templates, each thing once.
    shared: BTreeMap<SharedAt, Shared>,
}

/// Which mistake it is: its code, its file and where in it.
type SharedAt = (PathBuf, usize, usize, &'static str);

/// A mistake of a template.
#[derive(Debug, Clone)]
struct Shared {
    diagnostic: Diagnostic,
    /// What was made of the template with it.
    documents: BTreeSet<String>,
    told: bool,
}

impl Loaded {
    /// Takes a template or a document that is made of one.
    pub(super) fn add_templated(&mut self, path: &Path, source: &Arc<Source>, root: &Node) {
        let read = match role(root) {
            Role::Template => Template::read(source, root).map(|template| {
                self.made.templates.push(path.to_owned());
                self.made.reading.push(template);
            }),
            Role::Instance | Role::Plain => {
                Instance::read(source, root).map(|instance| self.made.waiting.push((path.to_owned(), instance)))
            }
        };
        if let Err(faults) = read {
            self.fail(path, faults);
        }
    }

    /// Makes what was asked for, once all templates are known.
    pub(super) fn make(&mut self, context: &Context) {
        self.make_within(context, MAX_MADE_BYTES);
    }

    fn make_within(&mut self, context: &Context, mut left: usize) {
        let mut own = Library::default();
        for template in std::mem::take(&mut self.made.reading) {
            own.add(template);
        }
        let here: BTreeSet<PathBuf> = self.made.templates.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let is_here = |template: &&Arc<Template>| Path::new(template.file()).canonicalize().is_ok_and(|file| here.contains(&file));
        let beside = context.templates.beside.templates().filter(|template| !is_here(template));
        for template in beside {
            own.add(template.as_ref().clone());
        }
        own.refuse_names_of(&context.templates.library);
        self.made.own = Arc::new(own);
        let own = self.made.own.clone();
        for (path, instance) in std::mem::take(&mut self.made.waiting) {
            self.make_one(&path, &instance, &own, context, &mut left);
        }
        for (name, instance) in &context.templates.instances {
            self.make_one(Path::new(name), instance, &Library::default(), context, &mut left);
        }
        self.tell_of_nothing(context);
        for template in own.templates().filter(|template| self.has_template(template)).cloned().collect::<Vec<_>>() {
            template.faults().iter().for_each(|fault| self.share(Path::new(template.file()), fault.clone(), None));
        }
    }

    fn make_one(&mut self, path: &Path, instance: &Instance, own: &Library, context: &Context, left: &mut usize) {
        let name = path.display().to_string();
        let template = match find(instance, own, &context.templates.library) {
            Ok(template) => template.clone(),
            Err(fault) => return self.fail(path, vec![*fault]),
        };
        self.made.made.insert(path.to_owned(), (instance.clone(), template.clone()));
        if template.faults().iter().any(|fault| fault.severity() == Severity::Error) {
            self.faulty.push(path.to_owned());
            let file = PathBuf::from(template.file());
            return template.faults().iter().for_each(|fault| self.share(&file, fault.clone(), Some(&name)));
        }
        let made = instance.effective(&template, &name);
        let version = made.as_ref().map(|effective| version_of(effective.text())).unwrap_or_default();
        let size = made.as_ref().map(|effective| effective.text().len()).unwrap_or_default();
        let effective = match made {
            Ok(_) if size > *left => {
                *left = 0;
                return self.refuse_too_much(path);
            }
            Ok(effective) => {
                *left -= size;
                effective
            }
            Err(faults) => {
                self.faulty.push(path.to_owned());
                return self.tell(path, faults);
            }
        };
        let at_origin = |faults: Vec<Diagnostic>| faults.into_iter().map(|fault| effective.at_origin(fault)).collect();
        match document::read_tree(effective.source(), effective.root(), &version, context) {
            Ok(document) => {
                self.take_of_tests(path, at_origin(document.of_tests.clone()));
                let text = effective.text().to_owned();
                let advice = self.take(FileVersion { path: name, text, version, slos: Vec::new() }, document);
                self.tell(path, at_origin(advice));
            }
            Err(faults) => {
                self.faulty.push(path.to_owned());
                self.tell(path, at_origin(faults));
            }
        }
    }

    /// Tells of what a tenant says of all that is made for it and that none of it takes up.
    fn tell_of_nothing(&mut self, context: &Context) {
        let made: Vec<&(Instance, Arc<Template>)> =
            context.templates.instances.iter().filter_map(|(name, _)| self.made.made.get(Path::new(name))).collect();
        let services: BTreeSet<&str> = self.slos.iter().map(|slo| slo.id.service.as_str()).collect();
        let Some((name, instance)) = context.templates.instances.first().filter(|_| made.len() == context.templates.instances.len()) else {
            return;
        };
        let mut faults = Vec::new();
        for (source, said) in instance.of_tenant() {
            let (code, entry, message) = match said {
                OfTenant::Value(entry) if !made.iter().any(|(_, template)| template.has_parameter(&entry.key)) => (
                    &codes::UNKNOWN_PARAMETER,
                    entry,
                    format!("no template that the tenant uses has a parameter `{}`", shortened(&entry.key)),
                ),
                OfTenant::Service(entry) if !services.contains(entry.key.as_str()) && self.faulty.is_empty() => {
                    (&codes::OVERRIDE, entry, format!("nothing is made for the tenant of a service `{}`", shortened(&entry.key)))
                }
                OfTenant::Value(_) | OfTenant::Service(_) => continue,
            };
            let place = Place::new(source, entry.key_range.clone());
            faults.push(Diagnostic { code, message, place, related: Vec::new(), help: vec!["correct the name, or remove it".to_owned()] });
        }
        let path = PathBuf::from(name);
        if !faults.is_empty() {
            self.faults.entry(path).or_default().extend(faults);
        }
    }

    fn refuse_too_much(&mut self, path: &Path) {
        let Some(place) = self.place_of_instance(&path.display().to_string()) else { return };
        let message = format!("all that is made of templates for the tenant has more than {} MiB", MAX_MADE_BYTES >> 20);
        let help = vec!["make less of large templates, or divide the documents among tenants".to_owned()];
        self.fail(path, vec![Diagnostic { code: &codes::LIMIT, message, place, related: Vec::new(), help }]);
    }

    /// Tells of mistakes where they are written: those of a template there, with the number of documents that have them.
    pub(super) fn tell(&mut self, path: &Path, faults: Vec<Diagnostic>) {
        let name = path.display().to_string();
        let file = self.made.made.get(path).map(|(_, template)| template.file().to_owned());
        for fault in faults {
            match &file {
                Some(file) if *file == *fault.place.source.name() && *file != name => self.share(Path::new(file), fault, Some(&name)),
                Some(_) | None => self.faults.entry(path.to_owned()).or_default().push(fault),
            }
        }
    }

    /// The same for mistakes of the text that was read.
    pub(super) fn tell_of(&mut self, path: &Path, faults: Vec<Diagnostic>) {
        let faults = faults.into_iter().map(|fault| self.told(fault)).collect();
        self.tell(path, faults);
    }

    fn share(&mut self, file: &Path, diagnostic: Diagnostic, document: Option<&str>) {
        let range = diagnostic.place.range.clone().unwrap_or_default();
        let at = (file.to_owned(), range.start, range.end, diagnostic.code.id);
        let shared = self.made.shared.entry(at).or_insert_with(|| Shared { diagnostic, documents: BTreeSet::new(), told: false });
        shared.documents.extend(document.map(ToOwned::to_owned));
    }

    /// Puts the mistakes of templates among the others.
    pub(super) fn tell_shared(&mut self) {
        for ((file, ..), shared) in &mut self.made.shared {
            if !std::mem::replace(&mut shared.told, true) {
                let told = counted(shared.diagnostic.clone(), &shared.documents);
                self.faults.entry(file.clone()).or_default().push(told);
            }
        }
    }

    /// The mistakes of templates, each with the documents that have it.
    pub fn of_templates(&self) -> impl Iterator<Item = (&Diagnostic, &BTreeSet<String>)> {
        self.made.shared.values().map(|shared| (&shared.diagnostic, &shared.documents))
    }

    /// All other mistakes and advice, by path.
    pub fn own_diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        let shared = |fault: &&Diagnostic| self.of_templates().any(|(known, _)| (known.code, &known.place) == (fault.code, &fault.place));
        self.diagnostics().filter(move |fault| !shared(fault))
    }

    /// Looks at the templates by themselves that nothing is made of here.
    pub(super) fn look_at_unused_templates(&mut self, context: &Context) {
        let used: BTreeSet<&str> = self.made.made.values().map(|(_, template)| template.file()).collect();
        let unused =
            |template: &&Arc<Template>| !used.contains(template.file()) && template.faults().is_empty() && self.has_template(template);
        let faults: Vec<(PathBuf, Vec<Diagnostic>)> = self
            .made
            .own
            .templates()
            .filter(unused)
            .map(|template| (PathBuf::from(template.file()), template.by_itself(context)))
            .collect();
        for (path, faults) in faults.into_iter().filter(|(_, faults)| !faults.is_empty()) {
            self.faults.entry(path).or_default().extend(faults);
        }
    }

    /// Whether a template is among the documents.
    fn has_template(&self, template: &Template) -> bool {
        self.made.templates.iter().any(|path| path == Path::new(template.file()))
    }

    /// The document that was made for a path.
    pub fn effective(&self, path: &Path) -> Option<Effective> {
        let (instance, template) = self.made.made.get(path)?;
        instance.effective(template, &path.display().to_string()).ok()
    }

    /// What was made of templates: by the path that asks for it, what it asks for and what it was made of.
    pub fn made(&self) -> impl Iterator<Item = (&Path, &Instance, &Template)> {
        self.made.made.iter().map(|(path, (instance, template))| (path.as_path(), instance, template.as_ref()))
    }

    /// The files of templates among the documents.
    pub fn template_files(&self) -> &[PathBuf] {
        &self.made.templates
    }

    /// The templates among the documents.
    pub fn own_templates(&self) -> &Library {
        &self.made.own
    }

    /// A diagnostic of a text that was read, where its author wrote what it is about.
    pub fn told(&self, fault: Diagnostic) -> Diagnostic {
        match self.effective(Path::new(fault.place.source.name())) {
            Some(effective) => effective.at_origin(fault),
            None => fault,
        }
    }

    /// Where a place of a text that was read is written: in the file itself, or in a template.
    pub fn written(&self, place: &Place) -> Place {
        self.effective(Path::new(place.source.name())).map_or_else(|| place.clone(), |effective| effective.origin(place).0)
    }

    /// Where a template is asked for, of a path for which something was made.
    pub(super) fn place_of_instance(&self, path: &str) -> Option<Place> {
        self.made.made.get(Path::new(path)).map(|(instance, _)| instance.at.clone())
    }

    /// A place of the text that was read, in the file that an SLO comes from: where that says it itself, or asks for a template that does.
    pub(super) fn own_place(&self, slo: &Slo, place: &Place) -> Place {
        let written = self.written(place);
        let of_template = self.made.made.get(Path::new(&slo.origin.file)).filter(|(_, template)| template.file() == written.source.name());
        of_template.map_or(written, |(instance, _)| instance.at.clone())
    }

    /// Whether something that was made of the template in a file runs on although it does not load now.
    pub fn is_template_of(&self, file: &str, mut path: impl FnMut(&str) -> bool) -> bool {
        self.made.made.iter().any(|(made, (_, template))| template.file() == file && path(&made.display().to_string()))
    }
}

/// A mistake of a template with the number of documents that have it.
pub fn counted(diagnostic: Diagnostic, documents: &BTreeSet<String>) -> Diagnostic {
    let Some(first) = documents.first() else { return diagnostic };
    let all = match documents.len() {
        1 => format!("in what is made of it: {first}"),
        many => format!("in {} that are made of it, such as {first}", plural(many, "document")),
    };
    diagnostic.help(all)
}

#[cfg(test)]
mod tests {
    use burnward_core::id::{SourceName, TenantId};

    use super::*;
    use crate::definition::yaml;

    #[test]
    fn all_that_is_made_for_a_tenant_is_bounded() {
        let mut loaded = Loaded::default();
        let mut add = |name: &str, text: &str| {
            let source = Source::new(name, text);
            loaded.add_templated(Path::new(name), &source, &yaml::parse(&source).expect("it is YAML"));
        };
        let slo = "{ name: a, sli: { events: { bad: 'e{code=\"500\"}', total: 'e' } }, objectives: [{ target: 99%, window: 30d, alerting: none }] }";
        add("t.yaml", &format!("version: burnward/v1\ntemplate: t@1\nteam: payments\nslos: [{slo}]\n"));
        for service in ["a", "b", "c"] {
            add(&format!("{service}.yaml"), &format!("version: burnward/v1\nfrom: t\nservice: {service}\n"));
        }
        let context = Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("main").expect("a name"));
        loaded.make_within(&context, 600);
        let refused: Vec<&str> = loaded.own_diagnostics().map(|fault| fault.code.id).collect();
        assert_eq!((loaded.slos.len(), refused.as_slice()), (2, ["E1002"].as_slice()));
        assert_eq!(loaded.faulty, [PathBuf::from("c.yaml")]);
    }
}
