//! `burnward import`: SLOs of other tools as documents of burnward on stdout or in a directory, and what cannot be carried over on stderr.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use burnward_core::{
    id::{SourceName, TeamName, TenantId},
    time::days,
};
use clap::Args;

use super::{documents::Written, print};
use crate::{
    config::{self, Operators},
    definition::{Colour, Context, Diagnostic, Severity, Source, discover, duration},
    import::{self, Document, Imported, Options},
};

pub(super) const EXAMPLES: &str = "Examples:
  burnward import sloth.yaml                              the document on stdout, what is lost on stderr
  burnward import rules/ --to=slo-definitions             a file for each service and team
  burnward import openslo/ --team=payments > shop.yaml    for SLOs that name no team
  burnward import sloth.yaml --window=28d -o json         for programs";

/// What to convert, and how to say it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    /// Files of OpenSLO, Sloth, Pyrra, or rules of Prometheus; those that name each other are given together. Directories are searched for *.yaml and *.yml.
    #[arg(required = true)]
    paths: Vec<PathBuf>,

    /// The team of SLOs that name none.
    #[arg(long, value_name = "NAME", value_parser = team)]
    team: Option<TeamName>,

    /// The window of SLOs whose file says none, as those of Sloth do not; 30d without it.
    #[arg(long, value_name = "SPAN", value_parser = window)]
    window: Option<Duration>,

    /// Write a file for each document into this directory; files that are there already are left alone.
    #[arg(long, value_name = "DIRECTORY")]
    to: Option<PathBuf>,

    /// How documents and findings are written.
    #[arg(short, long, value_enum, default_value_t = Written::Yaml)]
    output: Written,
}

fn team(text: &str) -> Result<TeamName, String> {
    TeamName::parse(text).map_err(|error| error.to_string())
}

fn window(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

/// Converts. Exit code 0 where every SLO came out, 1 where one did not, 2 where a file is not there or documents cannot be written.
pub(super) fn run(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    if let Some(missing) = args.paths.iter().find(|path| !path.exists()) {
        anyhow::bail!("there is no {}", missing.display());
    }
    let found = discover::discover(&args.paths);
    let mut faults: Vec<Diagnostic> = found.faults.into_iter().map(|(_, fault)| fault).collect();
    let mut sources: Vec<Arc<Source>> = Vec::new();
    for path in found.files {
        match discover::read(&path) {
            Ok(text) => sources.push(import::source(&path.display().to_string(), &text)),
            Err(fault) => faults.push(*fault),
        }
    }
    let options = Options { team: args.team.clone(), window: args.window.unwrap_or(days(30)) };
    let mut imported = import::import(&sources, &options, &unchecked()?);
    imported.faults.splice(0..0, faults);
    match (args.output, &args.to) {
        (Written::Json, _) => print::text(as_json(&imported))?,
        (Written::Yaml, to) => {
            for fault in &imported.faults {
                print::talk(format_args!("{}\n", fault.render(colour())));
            }
            match to {
                Some(directory) => write_all(directory, &imported.documents)?,
                None => print::text(as_yaml(&imported.documents))?,
            }
            if let Some(note) = undeclared(&imported.documents) {
                print::talk(note);
            }
            print::talk(summary(&imported, to.is_some()));
        }
    }
    Ok(ExitCode::from(u8::from(count(&imported.faults).0 > 0)))
}

/// The teams that documents name and burnward.yaml does not declare yet.
fn undeclared(documents: &[Document]) -> Option<String> {
    let declared = config::discover(None).and_then(|_| config::read(None).ok()).map(|config| config.teams).unwrap_or_default();
    let operators = Operators::team_name();
    let is_known = |team: &str| team == operators.as_str() || declared.keys().any(|name| name.as_str() == team);
    let teams: BTreeSet<&str> = documents.iter().map(|document| document.team.as_str()).filter(|team| !is_known(team)).collect();
    let (is, example) = (if teams.len() == 1 { "a team is" } else { "teams are" }, teams.first()?);
    let names = teams.iter().copied().collect::<Vec<_>>().join(", ");
    Some(format!(
        "note: {is} to be declared in burnward.yaml: {names}. Add, for example, `teams: {{ {example}: {{ channel: '#{example}' }} }}`"
    ))
}

/// Names of teams and runbooks are not checked against a configuration: the documents may go elsewhere.
pub(super) fn unchecked() -> anyhow::Result<Context> {
    Ok(Context::unchecked(TenantId::parse("main")?, SourceName::parse("main")?))
}

fn colour() -> Colour {
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && env::var_os("TERM").is_none_or(|term| term != "dumb");
    if wanted && io::stderr().is_terminal() { Colour::Always } else { Colour::Never }
}

fn count(faults: &[Diagnostic]) -> (usize, usize) {
    let errors = faults.iter().filter(|fault| fault.severity() == Severity::Error).count();
    (errors, faults.len() - errors)
}

/// All documents; several are separated as YAML does, though a file of burnward holds one.
fn as_yaml(documents: &[Document]) -> String {
    documents.iter().map(|document| document.text.as_str()).collect::<Vec<_>>().join("---\n")
}

fn as_json(imported: &Imported) -> String {
    let document = |document: &Document| serde_json::json!({ "service": document.service, "team": document.team, "slos": document.slos, "text": document.text });
    let (errors, warnings) = count(&imported.faults);
    let report = serde_json::json!({
        "schema": "burnward/v1/import",
        "documents": imported.documents.iter().map(document).collect::<Vec<_>>(),
        "errors": errors,
        "warnings": warnings,
        "diagnostics": imported.faults.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
    });
    format!("{report:#}\n")
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn summary(imported: &Imported, is_written: bool) -> String {
    let slos = imported.documents.iter().map(|document| document.slos).sum();
    let (errors, warnings) = count(&imported.faults);
    let more = match imported.documents.len() {
        _ if is_written => "",
        0 | 1 => "",
        _ => " A file holds one document: `--to DIRECTORY` writes a file for each.",
    };
    format!(
        "Converted {} into {}: {}, {}.{more}",
        plural(slos, "SLO"),
        plural(imported.documents.len(), "document"),
        plural(errors, "error"),
        plural(warnings, "warning")
    )
}

/// The names of the documents' files: that of the service, with the team where the service has several, and a number where that is a name already.
fn file_names(documents: &[Document]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for document in documents {
        let is_alone = documents.iter().all(|other| other.service != document.service || other.team == document.team);
        let stem = if is_alone { document.service.clone() } else { format!("{}-{}", document.service, document.team) };
        let numbered = (2_usize..).map(|number| format!("{stem}-{number}.yaml"));
        names.extend(std::iter::once(format!("{stem}.yaml")).chain(numbered).find(|name| !names.contains(name)));
    }
    names
}

/// Writes all of them, or none where one of the files is there already.
fn write_all(directory: &Path, documents: &[Document]) -> anyhow::Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let files: Vec<(PathBuf, &Document)> = file_names(documents).iter().map(|name| directory.join(name)).zip(documents).collect();
    let there: BTreeSet<String> = files.iter().filter(|(path, _)| path.exists()).map(|(path, _)| path.display().to_string()).collect();
    anyhow::ensure!(there.is_empty(), "nothing is written: there already: {}", there.into_iter().collect::<Vec<_>>().join(", "));
    for (path, document) in files {
        fs::write(&path, &document.text).with_context(|| format!("cannot write {}", path.display()))?;
        print::line(path.display())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_document_has_a_file_of_its_own() {
        let document =
            |(service, team): &(&str, &str)| Document { service: (*service).into(), team: (*team).into(), slos: 1, text: String::new() };
        let names = |of: &[(&str, &str)]| file_names(&of.iter().map(document).collect::<Vec<_>>()).join(" ");
        assert_eq!(names(&[("cart", "shop"), ("shop", "shop")]), "cart.yaml shop.yaml");
        assert_eq!(names(&[("cart", "pay"), ("cart", "shop")]), "cart-pay.yaml cart-shop.yaml");
        assert_eq!(names(&[("cart", "shop"), ("cart", "shop"), ("cart", "shop")]), "cart.yaml cart-2.yaml cart-3.yaml");
        assert_eq!(names(&[("cart", "pay"), ("cart", "shop"), ("cart", "shop")]), "cart-pay.yaml cart-shop.yaml cart-shop-2.yaml");
        assert_eq!(names(&[("cart", "2"), ("cart", "pay"), ("cart-pay", "pay")]), "cart-2.yaml cart-pay.yaml cart-pay-2.yaml");
    }
}
