//! A first configuration in a directory: burnward.yaml, an SLO of something that every Prometheus has, its runbook, and the schema for editors. Nothing
//! that is there is replaced.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, ensure};
use burnward_core::id::TeamName;

use crate::{
    cli::{fmt::SCHEMA_FILE, print},
    definition::{self, discover},
};

const CONFIGURATION: &str = include_str!("start/burnward.yaml");
const DOCUMENT: &str = include_str!("start/prometheus.yaml");
const RUNBOOK: &str = include_str!("start/prometheus-availability.md");

/// The team of the texts, in whose place another may be named.
const TEAM: &str = "my-team";

/// Writes what is not there yet, and says what comes next.
pub(super) fn lay_out(directory: &Path, team: Option<&TeamName>) -> anyhow::Result<ExitCode> {
    let configuration = directory.join("burnward.yaml");
    ensure!(
        !configuration.exists(),
        "{} is there already, and stays as it is: `burnward init --source=NAME --job=NAME` proposes SLOs",
        configuration.display()
    );
    let documents = directory.join("slo-definitions");
    let has_own = !discover::discover(&[documents]).files.is_empty();
    let named = |text: &str| team.map_or_else(|| text.to_owned(), |team| text.replace(TEAM, team.as_str()));
    let example = [("slo-definitions/prometheus.yaml", named(DOCUMENT)), ("runbooks/prometheus-availability.md", RUNBOOK.to_owned())];
    let always = [("burnward.yaml", named(CONFIGURATION)), (SCHEMA_FILE, definition::SCHEMA.to_owned())];
    for (name, text) in always.into_iter().chain(example.into_iter().filter(|_| !has_own)) {
        let file = directory.join(name);
        if write_new(&file, &text)? {
            print::line(file.display())?;
        } else {
            print::talk(format_args!("{} is there already, and stays as it is", file.display()));
        }
    }
    print::talk(NEXT);
    Ok(ExitCode::SUCCESS)
}

const NEXT: &str = "Next:
  1. Write into burnward.yaml where Prometheus is and who is told; `burnward doctor` says what is still missing.
  2. burnward init --source=prometheus --job=NAME --out=slo-definitions/NAME.yaml proposes SLOs of your own services.
  3. burnward check, then burnward run. Pages are on http://127.0.0.1:9095.";

/// False where the file is there.
fn write_new(file: &Path, text: &str) -> anyhow::Result<bool> {
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    let opened = match OpenOptions::new().write(true).create_new(true).open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        opened => opened,
    };
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}
