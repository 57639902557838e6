//! How files lie on disk: what changes when somebody saves one, without opening any. They are looked at again and again: a message of the system that
//! one changed does not come from network and container file systems, nor for the target of a link that is swapped.

use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::discover::discover;
use crate::config::Config;

/// What changes when somebody saves a file: its size, the time of its last change in nanoseconds, and which file it is.
type Look = (u64, i128, u64);

/// How files lie on disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Looks {
    files: BTreeMap<PathBuf, Look>,
}

impl Looks {
    /// Of these files; one that is not there is left out.
    pub fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { files: files.into_iter().filter_map(|file| file.metadata().ok().map(|about| (file, look(&about)))).collect() }
    }

    /// Of all that a load of the definitions reads: documents, templates of SLOs, and the runbooks that they name.
    pub fn of_definitions(config: &Config) -> Self {
        let documents = config.tenants.values().flat_map(|tenant| &tenant.slo_definitions);
        let places: Vec<PathBuf> = documents.chain(&config.slo_templates).cloned().collect();
        let found = discover(&places);
        Self::of(found.files.into_iter().chain(found.tests).chain(runbooks(config)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// The files that look otherwise, are new, or are gone.
    pub fn differences(&self, before: &Self) -> Vec<String> {
        let changed = self.files.iter().filter(|(file, look)| before.files.get(*file) != Some(look)).map(|(file, _)| file);
        let gone = before.files.keys().filter(|file| !self.files.contains_key(*file));
        changed.chain(gone).map(|file| file.display().to_string()).collect()
    }
}

/// What lies in the tenants' directories of runbooks.
pub fn runbooks(config: &Config) -> impl Iterator<Item = PathBuf> {
    config.tenants.values().filter_map(|tenant| tenant.runbooks.as_ref()).flat_map(|directory| entries(directory))
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn look(about: &Metadata) -> Look {
    (about.len(), i128::from(about.mtime()) * 1_000_000_000 + i128::from(about.mtime_nsec()), about.ino())
}
