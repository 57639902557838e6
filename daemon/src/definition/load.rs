//! Loads the SLO documents of a tenant. One bad file never blocks the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use burnward_core::{
    id::{SloId, TenantId},
    slo::Slo,
};

use super::{
    case::{Case, SloRef, Slos},
    codes,
    diagnostic::{Colour, Diagnostic, Place, Severity, Source},
    discover::{self, Found},
    document::{self, Context, Document, Runbooks, Teams, Templates, version_of},
    journeys::ReadAs,
    lines::Lines,
    making::Making,
    template::{self, Library, Role},
    yaml,
};
use crate::{
    config::{Config, TenantConfig, is_configuration_tree},
    store::StoredDefinition,
    view::{DefinitionFault, InPlace},
};

/// What a tenant's directories hold.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// The SLOs of the good files, by identity.
    pub slos: Vec<Arc<Slo>>,
    /// The tests of the good files, and of files that hold tests alone.
    pub tests: Vec<Arc<Case>>,
    /// The good files, in order.
    pub files: Vec<FileVersion>,
    /// Paths that did not load, files and directories: what loaded there before is not thereby removed.
    pub faulty: Vec<PathBuf>,
    /// Mistakes and advice by path, in order.
    pub faults: BTreeMap<PathBuf, Vec<Diagnostic>>,
    /// What is wrong with tests, where they are written; it is told where tests matter.
    pub(super) of_tests: Vec<(PathBuf, Diagnostic)>,
    /// What was made of templates.
    pub(super) made: Making,
    /// Where SLOs stand, once somebody asked.
    pub(super) lines: Lines,
}

/// A file that loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// Its path as the configuration leads to it.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// First 12 hex digits of the text's SHA-256.
    pub version: String,
    /// Its SLOs.
    pub slos: Vec<SloId>,
}

impl Loaded {
    /// How many errors and warnings there are.
    pub fn count(&self) -> (usize, usize) {
        let errors = self.diagnostics().filter(|fault| fault.severity() == Severity::Error).count();
        (errors, self.diagnostics().count() - errors)
    }

    /// All mistakes and advice, by path.
    pub fn diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.faults.values().flatten()
    }

    /// Forgets what is wrong elsewhere than in these files.
    pub fn keep_faults_of(&mut self, files: &[PathBuf]) {
        self.faults.retain(|path, _| files.contains(path));
    }

    /// The mistakes as the view shows them, one entry per file; advice alone is none.
    pub fn view_faults(&self, tenant: &TenantId) -> Vec<DefinitionFault> {
        let fault = |(path, faults): (&PathBuf, &Vec<Diagnostic>)| {
            let errors: Vec<String> =
                faults.iter().filter(|fault| fault.severity() == Severity::Error).map(|fault| fault.render(Colour::Never)).collect();
            let text = errors.join("\n\n");
            (!errors.is_empty()).then(|| DefinitionFault {
                tenant: tenant.clone(),
                file: path.display().to_string(),
                text,
                runs: InPlace::Nothing,
            })
        };
        self.faults.iter().filter_map(fault).collect()
    }

    pub(super) fn fail(&mut self, path: &Path, diagnostics: Vec<Diagnostic>) {
        self.faulty.push(path.to_owned());
        self.faults.entry(path.to_owned()).or_default().extend(diagnostics);
    }

    /// Takes one text in: its SLOs, or its mistakes. What is to be made of a template waits for all texts.
    fn add(&mut self, path: &Path, text: String, context: &Context) {
        let name = path.display().to_string();
        let source = discover::source(&name, &text);
        let parsed = yaml::parse(&source);
        if let Some(root) = parsed.as_ref().ok().filter(|root| template::role(root) != Role::Plain) {
            return self.add_templated(path, &source, root);
        }
        // burnward.yaml may lie among the documents, as where they are all of its directory.
        if parsed.as_ref().is_ok_and(is_configuration_tree) {
            return;
        }
        let version = version_of(&text);
        match document::read_parsed(&source, parsed, &version, context) {
            Ok(document) => {
                self.take_of_tests(path, document.of_tests.clone());
                let advice = self.take(FileVersion { path: name, text, version, slos: Vec::new() }, document);
                if !advice.is_empty() {
                    self.faults.insert(path.to_owned(), advice);
                }
            }
            Err(faults) => self.fail(path, faults),
        }
    }

    /// Takes the SLOs and tests of a file that loads; its advice.
    pub(super) fn take(&mut self, file: FileVersion, document: Document) -> Vec<Diagnostic> {
        let Document { slos, tests, advice, of_tests: _ } = document;
        self.files.push(FileVersion { slos: slos.iter().map(|slo| slo.id.clone()).collect(), ..file });
        self.slos.extend(slos);
        self.tests.extend(tests);
        advice
    }

    pub(super) fn take_of_tests(&mut self, path: &Path, faults: Vec<Diagnostic>) {
        self.of_tests.extend(faults.into_iter().map(|fault| (path.to_owned(), fault)));
    }

    /// Takes a text in that holds tests alone.
    fn add_tests(&mut self, path: &Path, text: &str) {
        match document::read_tests(&discover::source(&path.display().to_string(), text)) {
            Ok(Document { tests, advice, of_tests, slos: _ }) => {
                self.tests.extend(tests);
                self.take_of_tests(path, of_tests);
                if !advice.is_empty() {
                    self.faults.insert(path.to_owned(), advice);
                }
            }
            Err(faults) => drop(self.faults.insert(path.to_owned(), faults)),
        }
    }

    /// Says of tests why they cannot be run. Where single files were read, an SLO may stand in another one.
    fn check_tests(&mut self, read: ReadAs) {
        for (path, fault) in std::mem::take(&mut self.of_tests) {
            self.tell(&path, vec![fault]);
        }
        let slos: Slos = self.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
        let mut faults = Vec::new();
        for case in &self.tests {
            faults.extend(case.ready(&slos).err().into_iter().flatten());
        }
        let may_be_elsewhere = read == ReadAs::Files || !self.faulty.is_empty();
        let elsewhere = |fault: &Diagnostic| fault.code.id == codes::TEST_SLO.id && may_be_elsewhere;
        for fault in faults.into_iter().filter(|fault| !elsewhere(fault)) {
            let path = PathBuf::from(fault.place.source.name());
            self.tell_of(&path, vec![fault]);
        }
        for faults in self.faults.values_mut() {
            *faults = document::in_order(std::mem::take(faults));
        }
    }

    /// Files that define the same SLO are all refused: it cannot be known which one is meant.
    fn refuse_doubles(&mut self) {
        let mut by_id: BTreeMap<&SloId, Vec<&Arc<Slo>>> = BTreeMap::new();
        for slo in &self.slos {
            by_id.entry(&slo.id).or_default().push(slo);
        }
        let doubled: Vec<Vec<Arc<Slo>>> =
            by_id.into_values().filter(|slos| slos.len() > 1).map(|slos| slos.into_iter().cloned().collect()).collect();
        let mut refused: BTreeSet<String> = BTreeSet::new();
        for slos in doubled {
            for slo in &slos {
                let fault = self.doubled(slo, slos.iter().filter(|other| other.origin.file != slo.origin.file));
                let path = PathBuf::from(&slo.origin.file);
                self.faults.entry(path).or_default().push(fault);
                refused.insert(slo.origin.file.clone());
            }
        }
        self.refuse(&refused.iter().map(PathBuf::from).collect());
    }

    /// Takes the SLOs of files back out that do not load after all.
    pub(super) fn refuse(&mut self, refused: &BTreeSet<PathBuf>) {
        self.faulty.extend(refused.iter().cloned());
        self.files.retain(|file| !refused.contains(Path::new(&file.path)));
        self.slos.retain(|slo| !refused.contains(Path::new(&slo.origin.file)));
        self.tests.retain(|case| !refused.contains(Path::new(case.place.source.name())));
    }

    fn doubled<'a>(&self, slo: &Slo, others: impl Iterator<Item = &'a Arc<Slo>>) -> Diagnostic {
        let message = format!("{}/{} is defined in two files", slo.id.service, slo.id.name);
        let diagnostic = Diagnostic {
            code: &codes::DUPLICATE_SLO,
            message,
            place: self.place(slo).labelled("here"),
            related: Vec::new(),
            help: Vec::new(),
        };
        let diagnostic = others.fold(diagnostic, |diagnostic, other| diagnostic.related(self.place(other), "and here"));
        diagnostic.help("keep one of them, or give one another name")
    }

    /// The text of a file that loaded; empty for any other.
    pub(super) fn text_of(&self, file: &str) -> &str {
        self.files.iter().find(|loaded| loaded.path == file).map_or("", |loaded| loaded.text.as_str())
    }

    /// The line of an SLO's name in its file; of one that is made of a template, where that is asked for.
    pub(super) fn place(&self, slo: &Slo) -> Place {
        self.place_of_instance(&slo.origin.file).unwrap_or_else(|| self.read_place(slo))
    }
}

/// Loads the directories of a tenant.
pub fn load(tenant: &TenantId, place: &TenantConfig, config: &Config, library: &Arc<Library>) -> Loaded {
    let runbooks = place.runbooks.clone().map_or(Runbooks::Missing, Runbooks::Directory);
    let teams = Teams::of(&config.teams);
    let promql = config.promql(&place.source);
    let templates = Templates { library: library.clone(), instances: place.made.clone(), ..Templates::default() };
    let context = Context { tenant: tenant.clone(), source: place.source.clone(), promql, runbooks, teams, templates };
    read_documents(&place.slo_definitions, &context).0
}

/// Loads files and directories, with the tests; templates that nothing is made of are looked at by themselves.
pub fn read_paths(paths: &[PathBuf], context: &Context) -> Loaded {
    let (mut loaded, tests, read) = read_documents(paths, context);
    loaded.look_at_unused_templates(context);
    for path in tests {
        match discover::read(&path) {
            Ok(text) => loaded.add_tests(&path, &text),
            Err(fault) => drop(loaded.faults.insert(path, vec![*fault])),
        }
    }
    loaded.check_tests(read);
    loaded.tell_shared();
    loaded
}

/// Loads documents; beside them the files that hold tests alone.
fn read_documents(paths: &[PathBuf], context: &Context) -> (Loaded, Vec<PathBuf>, ReadAs) {
    let mut loaded = Loaded::default();
    let Found { files, tests, faults } = discover::discover(paths);
    for (path, fault) in faults {
        loaded.fail(&path, vec![fault]);
    }
    let found = || files.iter().chain(&tests);
    for directory in paths.iter().filter(|path| path.is_dir() && !found().any(|file| file.starts_with(path))) {
        loaded.faults.entry(directory.clone()).or_default().push(no_definitions(directory));
    }
    for path in files {
        match discover::read(&path) {
            Ok(text) => loaded.add(&path, text, context),
            Err(fault) => loaded.fail(&path, vec![*fault]),
        }
    }
    loaded.make(context);
    let mut loaded = loaded.finish();
    loaded.refuse_wrong_former_names();
    let read = if paths.iter().any(|path| path.is_file()) { ReadAs::Files } else { ReadAs::Directories };
    loaded.refuse_broken_journeys(read);
    (loaded, tests, read)
}

/// Loads texts that stand elsewhere than in the file system. What they are members of, or were called before, is not looked into.
pub fn read_texts(texts: impl IntoIterator<Item = (PathBuf, String)>, context: &Context) -> Loaded {
    let mut loaded = Loaded::default();
    for (path, text) in texts {
        loaded.add(&path, text, context);
    }
    loaded.make(context);
    loaded.finish()
}

fn no_definitions(directory: &Path) -> Diagnostic {
    let place = Place::file(&Source::new(&directory.display().to_string(), ""));
    let message = "the directory holds no *.yaml or *.yml file".to_owned();
    Diagnostic { code: &codes::NO_DEFINITIONS, message, place, related: Vec::new(), help: vec!["is the path right?".to_owned()] }
}

/// Loads the last good texts that the store kept. They loaded before, so what they refer to is not checked again: a runbook that was deleted since
/// keeps no SLO from running. Where two texts hold one SLO, because it moved while its old file did not load, the one that was loaded last counts.
pub fn load_stored(tenant: &TenantId, place: &TenantConfig, stored: &[StoredDefinition]) -> Loaded {
    let context = Context::unchecked(tenant.clone(), place.source.clone());
    let mut newest_first: Vec<&StoredDefinition> = stored.iter().collect();
    newest_first.sort_by_key(|definition| std::cmp::Reverse(definition.loaded_at));
    let mut loaded = Loaded::default();
    for definition in newest_first {
        loaded.add(Path::new(&definition.path), definition.text.clone(), &context);
    }
    let mut seen = BTreeSet::new();
    loaded.slos.retain(|slo| seen.insert(slo.id.clone()));
    loaded.finish()
}

impl Loaded {
    fn finish(mut self) -> Self {
        self.refuse_doubles();
        self.slos.sort_by(|a, b| a.id.cmp(&b.id));
        self.tell_shared();
        self
    }
}
