//! Documents of the newer side that do not load: an SLO whose file does not load is neither gone nor changed. What is wrong with them, and what stays in
//! force in their place.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use burnward_core::{slo::Slo, words};

use super::{
    Form,
    sides::{Against, is_same_file},
};
use crate::{
    cli::check::colour,
    definition::{Colour, Diagnostic, Loaded, Severity},
};

/// Names that are listed of what stays in force.
const LISTED: usize = 5;

/// What does not load, of all tenants.
#[derive(Default)]
pub(super) struct Refused {
    files: Vec<String>,
    faults: Vec<Diagnostic>,
    in_force: Vec<(String, BTreeSet<String>)>,
}

impl Refused {
    /// Takes in what a tenant's documents lack, beside the older set.
    pub(super) fn take(&mut self, read: &Loaded, older: &[Arc<Slo>], against: &Against<'_>) {
        let faulty: BTreeSet<&Path> = read.faulty.iter().map(AsRef::as_ref).collect();
        for path in faulty {
            let in_place = |slo: &&Arc<Slo>| match against {
                Against::Files(_) => Path::new(&slo.origin.file).file_name() == path.file_name(),
                Against::Running | Against::Revision { .. } => is_same_file(path, slo),
            };
            let names = older.iter().filter(in_place).map(|slo| format!("{}/{}", slo.id.service, slo.id.name)).collect();
            self.files.push(path.display().to_string());
            self.in_force.push((path.display().to_string(), names));
        }
        if !read.faulty.is_empty() {
            self.faults.extend(read.diagnostics().filter(|fault| fault.severity() == Severity::Error).cloned());
        }
    }

    pub(super) const fn is_nothing(&self) -> bool {
        self.files.is_empty()
    }

    /// For people, on their way to mend it.
    pub(super) fn text(&self, against: &Against<'_>) -> String {
        let faults = self.faults.iter().map(|fault| fault.render(colour()) + "\n");
        faults.chain(self.sentences(against)).collect::<Vec<_>>().join("\n")
    }

    /// The same where it is read by others: in a comment or by a program; `None` for a terminal.
    pub(super) fn written(&self, form: Form, against: &Against<'_>) -> Option<String> {
        match form {
            Form::Table => None,
            Form::Md => {
                let faults: Vec<String> = self.faults.iter().map(|fault| fault.render(Colour::Never)).collect();
                // No fence of a snippet closes this one.
                let (fence, sentences) = ("`````", self.sentences(against).join(" "));
                Some(format!("### SLO documents that do not load\n\n{fence}text\n{}\n{fence}\n\n{sentences}\n", faults.join("\n\n")))
            }
            Form::Json => {
                let fault = |fault: &Diagnostic| serde_json::json!({ "code": fault.code.id, "message": fault.redacted().message, "text": fault.render(Colour::Never) });
                let file = |(file, slos): &(String, BTreeSet<String>)| serde_json::json!({ "file": file, "slos_in_force": slos });
                let all = serde_json::json!({
                    "schema": "burnward/v1/diff",
                    "does_not_load": self.in_force.iter().map(file).collect::<Vec<_>>(),
                    "mistakes": self.faults.iter().map(fault).collect::<Vec<_>>(),
                });
                Some(format!("{all:#}\n"))
            }
        }
    }

    fn sentences(&self, against: &Against<'_>) -> Vec<String> {
        let of = |(file, slos): &(String, BTreeSet<String>)| {
            let names = words::list(&slos.iter().cloned().collect::<Vec<_>>(), LISTED);
            match (against, slos.is_empty()) {
                (Against::Running, true) => format!("Of {file} nothing runs, and nothing will before it loads."),
                (Against::Running, false) => format!("Of {file} the version before runs on: {names}."),
                (Against::Files(_) | Against::Revision { .. }, true) => {
                    format!("Of {file} nothing was there before, and nothing of it will run before it loads.")
                }
                (Against::Files(_) | Against::Revision { .. }, false) => {
                    format!("Of {file} what loaded before stays in force where it runs: {names}.")
                }
            }
        };
        self.in_force.iter().map(of).collect()
    }

    /// That nothing is compared, and where to look.
    pub(super) fn sentence(&self) -> String {
        let does = if self.files.len() == 1 { "does" } else { "do" };
        let first = self.files.first().map(String::as_str).unwrap_or_default();
        format!("{} {does} not load: see `burnward check {first}`", self.files.join(", "))
    }
}
