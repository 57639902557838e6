//! Decides what a start or a reload may change (invariant 9): a bad file's last good text goes on, and a change that would remove all or more than
//! half of the last good SLOs is refused, because an empty directory is more often a volume that was not mounted than a wish.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

use burnward_core::{id::SloId, slo::Slo, words};

use super::{
    codes,
    diagnostic::{Diagnostic, Place, Source},
    load::{FileVersion, Loaded},
};

/// What the operator says of removals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removals {
    /// Most SLOs must not vanish.
    Guarded,
    /// `--accept-removals`: what is gone is gone.
    Accepted,
}

/// What runs.
#[derive(Debug, Clone, Default)]
pub struct Generation {
    /// The SLOs, by identity.
    pub slos: Vec<Arc<Slo>>,
    /// The texts that they come from: what the store keeps as last good.
    pub files: Vec<FileVersion>,
}

/// The decision.
#[derive(Debug, Clone)]
pub enum Acceptance {
    /// The new texts run, with the last good one for each file that does not load.
    Accepted {
        /// What runs.
        runs: Generation,
        /// SLOs that ran before and no longer do.
        removed: Vec<SloId>,
    },
    /// Too many SLOs would vanish: the last good ones run on, all of them.
    Refused {
        /// What runs.
        runs: Generation,
        /// SLOs that would have been removed.
        would_remove: Vec<SloId>,
    },
}

impl Acceptance {
    /// What runs.
    pub fn runs(&self) -> &Generation {
        match self {
            Self::Accepted { runs, .. } | Self::Refused { runs, .. } => runs,
        }
    }

    /// What the operator is told where the change was refused; on the first of the tenant's directories.
    pub fn fault(&self, directory: &Path) -> Option<Diagnostic> {
        let Self::Refused { runs, would_remove } = self else { return None };
        let (would, all) = (would_remove.len(), runs.slos.len());
        let names: Vec<String> = would_remove.iter().map(|slo| format!("{}/{}", slo.service, slo.name)).collect();
        let message = format!("{would} of {all} SLOs would be removed ({}); the last good definitions run on", words::list(&names, 3));
        let place = Place::file(&Source::new(&directory.display().to_string(), ""));
        let fault = Diagnostic { code: &codes::REMOVALS, message, place, related: Vec::new(), help: Vec::new() };
        Some(fault.help("restore the files (is the volume mounted?), or start once with `burnward run --accept-removals`"))
    }
}

/// Compares what ran last with what is there now.
pub fn accept(last_good: &Loaded, loaded: &Loaded, removals: Removals) -> Acceptance {
    let runs = merged(last_good, loaded);
    let ids: BTreeSet<&SloId> = runs.slos.iter().map(|slo| &slo.id).collect();
    let renamed: BTreeSet<SloId> = runs.slos.iter().filter_map(|slo| slo.former()).collect();
    let gone = |id: &&SloId| !ids.contains(id) && !renamed.contains(*id);
    let removed: Vec<SloId> = last_good.slos.iter().map(|slo| &slo.id).filter(gone).cloned().collect();
    let before = last_good.slos.len();
    let most = !removed.is_empty() && (removed.len() * 2 > before || removed.len() == before);
    match removals {
        Removals::Guarded if most => {
            let runs = Generation { slos: last_good.slos.clone(), files: last_good.files.clone() };
            Acceptance::Refused { runs, would_remove: removed }
        }
        Removals::Guarded | Removals::Accepted => Acceptance::Accepted { runs, removed },
    }
}

/// The good new files, and the last good text of each file that does not load now. Where such a text holds an SLO that a new file defines, as after a
/// move from file to file, the new one counts; so it does where a new file gives that SLO another name.
fn merged(last_good: &Loaded, loaded: &Loaded) -> Generation {
    let new_ids: BTreeSet<SloId> = loaded.slos.iter().flat_map(|slo| std::iter::once(slo.id.clone()).chain(slo.former())).collect();
    let kept: Vec<&FileVersion> = last_good.files.iter().filter(|file| does_not_load(&loaded.faulty, &file.path)).collect();
    let kept_paths: BTreeSet<&str> = kept.iter().map(|file| file.path.as_str()).collect();
    let goes_on = |slo: &&Arc<Slo>| kept_paths.contains(slo.origin.file.as_str()) && !new_ids.contains(&slo.id);
    let mut slos: Vec<Arc<Slo>> = loaded.slos.iter().chain(last_good.slos.iter().filter(goes_on)).cloned().collect();
    let mut files: Vec<FileVersion> = loaded.files.iter().chain(kept).cloned().collect();
    slos.sort_by(|a, b| a.id.cmp(&b.id));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Generation { slos, files }
}

fn does_not_load(faulty: &[PathBuf], path: &str) -> bool {
    faulty.iter().any(|fault| Path::new(path).starts_with(fault))
}
