//! Finds the files of a directory and reads them, without ever hanging on what is not a file.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    codes,
    diagnostic::{Diagnostic, Place, Source},
    yaml::MAX_BYTES,
};
use crate::config::secrets;

/// Deepest nesting of directories.
const MAX_DEPTH: usize = 32;
/// Most files of a tenant.
const MAX_FILES: usize = 50_000;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Files of documents, in order, each once.
    pub files: Vec<PathBuf>,
    /// Files that hold tests alone.
    pub tests: Vec<PathBuf>,
    /// Paths that could not be looked into, with why.
    pub faults: Vec<(PathBuf, Diagnostic)>,
}

/// The `*.yaml` and `*.yml` files of directories, recursively, hidden ones skipped. A path that is a file is taken whatever its name.
///
/// Links are followed, so that a volume whose files lead through a hidden `..data` link is read; a file that several names lead to is read once.
pub fn discover(paths: &[PathBuf]) -> Found {
    let mut walk = Walk::default();
    for path in paths {
        match path.metadata() {
            Ok(about) if about.is_dir() => walk.directory(path, 0),
            Ok(_) => walk.file(path.clone()),
            Err(error) => walk.fault(path, refused(path, "", &error)),
        }
    }
    walk.found
}

#[derive(Default)]
struct Walk {
    found: Found,
    seen: BTreeSet<PathBuf>,
}

impl Walk {
    fn directory(&mut self, path: &Path, depth: usize) {
        if !self.first_time(path) {
            return;
        }
        if depth >= MAX_DEPTH {
            return self.fault(path, unreadable(path, format!("directories are nested more than {MAX_DEPTH} deep")));
        }
        let entries = match fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => return self.fault(path, refused(path, "the directory ", &error)),
        };
        let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| !is_hidden(path)) {
            self.entry(path, depth);
        }
    }

    fn entry(&mut self, path: PathBuf, depth: usize) {
        match path.metadata() {
            Ok(about) if about.is_dir() => self.directory(&path, depth + 1),
            Ok(_) if is_yaml(&path) => self.file(path),
            Err(error) if is_yaml(&path) => self.fault(&path, refused(&path, "", &error)),
            Ok(_) | Err(_) => {}
        }
    }

    fn file(&mut self, path: PathBuf) {
        if self.found.files.len() + self.found.tests.len() >= MAX_FILES {
            return self.fault(&path, unreadable(&path, format!("more than {MAX_FILES} files")));
        }
        if self.first_time(&path) {
            if is_of_tests(&path) { self.found.tests.push(path) } else { self.found.files.push(path) }
        }
    }

    fn first_time(&mut self, path: &Path) -> bool {
        self.seen.insert(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }

    fn fault(&mut self, path: &Path, fault: Diagnostic) {
        self.found.faults.push((path.to_owned(), fault));
    }
}

/// Whether a directory that holds this path, relative to it, is read for it: a `*.yaml` or `*.yml` no part of which is hidden.
pub fn is_definition(relative: &Path) -> bool {
    is_yaml(relative) && !relative.iter().any(|part| is_hidden(Path::new(part)))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// `checkout.slotest.yaml`
pub fn is_of_tests(path: &Path) -> bool {
    is_yaml(path) && path.file_stem().is_some_and(|stem| Path::new(stem).extension().is_some_and(|kind| kind == "slotest"))
}

const NOT_YAML: &str = "name a text file; in a directory, move it away or give it a name that does not end in .yaml or .yml";

/// A fault of a file as a whole.
pub fn unreadable(path: &Path, message: String) -> Diagnostic {
    let place = Place::file(&Source::new(&path.display().to_string(), ""));
    Diagnostic { code: &codes::UNREADABLE, message, place, related: Vec::new(), help: Vec::new() }
}

/// What the system says of a path that it does not open, with what helps.
fn refused(path: &Path, what: &str, error: &io::Error) -> Diagnostic {
    let fault = unreadable(path, format!("{what}cannot be read: {error}"));
    match error.kind() {
        io::ErrorKind::PermissionDenied => fault.help("let the user that runs burnward read it"),
        _ if path.is_symlink() => fault.help("the link leads nowhere: mend it, or remove it"),
        io::ErrorKind::NotFound => fault.help("create it, or correct the path; is a volume not mounted?"),
        _ => fault,
    }
}

/// A file's text, of which diagnostics show no secret: whoever puts one into a file where none belongs does not want it in a log of CI.
pub fn source(name: &str, text: &str) -> Arc<Source> {
    Source::masked(name, text, secrets::mask)
}

/// The text of a regular file of at most 1 MiB.
///
/// # Errors
/// Why it was not read: a pipe, a device, too large, not UTF-8.
pub fn read(path: &Path) -> Result<String, Box<Diagnostic>> {
    read_regular(path).map_err(Box::new)
}

#[expect(clippy::result_large_err, reason = "boxed by its only caller")]
fn read_regular(path: &Path) -> Result<String, Diagnostic> {
    let about = path.metadata().map_err(|error| refused(path, "", &error))?;
    if !about.is_file() {
        return Err(unreadable(path, "not a regular file".into()).help(NOT_YAML));
    }
    let too_large = || unreadable(path, format!("larger than {MAX_BYTES} bytes (1 MiB)")).help("split it into several files");
    if about.len() > MAX_BYTES as u64 {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| refused(path, "", &error))?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large());
    }
    String::from_utf8(bytes).map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))
}

/// The first byte that is not UTF-8, with its line. Secrets are masked, since the file may be burnward.yaml.
fn not_utf8(path: &Path, bytes: &[u8], at: usize) -> Diagnostic {
    let text = String::from_utf8_lossy(bytes);
    let source = source(&path.display().to_string(), &text);
    let place = Place::new(&source, at..at + char::REPLACEMENT_CHARACTER.len_utf8());
    let (message, help) = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        ("the file is UTF-16 and not UTF-8", "save it as UTF-8")
    } else if bytes.contains(&0) {
        ("the file is not text", NOT_YAML)
    } else {
        ("this byte is not UTF-8", "save the file as UTF-8")
    };
    Diagnostic { code: &codes::NOT_UTF8, message: message.to_owned(), place, related: Vec::new(), help: vec![help.to_owned()] }
}
