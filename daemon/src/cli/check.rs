//! `burnward check`: SLO documents and burnward.yaml, with diagnostics like a compiler's, and on request what a source shows of them. Exit code 0 fine,
//! 1 findings, 2 could not do it.

mod changed;
mod cost;
mod effective;
mod github;
mod junit;
mod pages;
mod sarif;
mod shown;
mod slack;
mod source;
mod tree;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use burnward_core::{
    id::{SourceName, TenantId},
    slo::Slo,
};
use clap::{Args, ValueEnum};

use changed::Changed;
use cost::Costs;
use effective::InForce;
use shown::NextReport;

use super::{documents, print};
use crate::{
    clock::Clock,
    config::{self, Config, ConfigError, PrometheusConfig, SourceConfig, TenantConfig, secrets::redacted},
    definition::{
        self, Colour, Context, Diagnostic, Loaded, Severity, Source, discover,
        document::Runbooks,
        links::{self, Page},
    },
};

/// What `--source` alone stands for.
const CONFIGURED: &str = "configured";

/// What to check, and how to say it.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and directories; without any, those of burnward.yaml, else ./slo-definitions.
    paths: Vec<PathBuf>,

    #[command(flatten)]
    asked: AskedArgs,

    /// How findings are written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,

    /// Exit with 1 for warnings, too.
    #[arg(long)]
    strict: bool,

    /// Findings in lines that this git revision does not have come first; in a GitHub workflow of a pull request, without it: its base.
    #[arg(long, value_name = "REVISION")]
    changed_since: Option<String>,

    /// Check again whenever a document, a runbook or burnward.yaml is saved, until it is interrupted; the exit code is that of the last check.
    #[arg(long)]
    watch: bool,

    #[command(flatten)]
    shown: ShownArgs,

    /// The configuration that says which teams, sources and runbooks there are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// What to show in the place of findings.
#[derive(Debug, Default, Args)]
struct ShownArgs {
    /// Print the documents as they are in force, with what was made of templates; findings go to stderr.
    #[arg(long)]
    effective: bool,

    /// Behind each line of what was made of a template: the file and line that it comes from.
    #[arg(long, requires = "effective")]
    origins: bool,

    /// Only the documents of this tenant of burnward.yaml.
    #[arg(long, value_name = "NAME", conflicts_with = "paths")]
    tenant: Option<String>,
}

/// Whom to ask beside the files.
#[derive(Debug, Args)]
struct AskedArgs {
    /// Ask the sources of the tenants, too, or the Prometheus at this URL: what matches nothing or too much, thresholds between real buckets, young metrics.
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = CONFIGURED)]
    source: Option<String>,

    /// Measure what one tick asks of the source, SLO by SLO.
    #[arg(long, requires = "source")]
    cost: bool,

    /// Ask for the pages of the web that runbooks link to, too. Files and headings that they name are always looked up.
    #[arg(long)]
    links: bool,

    /// Ask Slack whether it has the channels and people of burnward.yaml.
    #[arg(long)]
    slack: bool,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[value(alias = "table")]
    Text,
    /// For programs.
    Json,
    /// As annotations of a GitHub workflow: ten errors and ten warnings, all of them in the job's summary.
    Github,
    /// As SARIF 2.1.0, which code hosts and editors read.
    Sarif,
    /// As a `JUnit` report, a test case for each file and each finding.
    Junit,
}

/// Checks, prints, and says by the exit code what was found.
pub async fn run(args: CheckArgs) -> anyhow::Result<ExitCode> {
    if args.watch { watch::until_interrupted(&args).await } else { once(&args).await }
}

async fn once(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    if let Some(missing) = args.paths.iter().chain(&args.config_file).find(|path| !path.exists()) {
        let name = missing.to_string_lossy();
        let said = if name.contains("://") {
            format!("{} is no file; a source is named as --source=URL, without a space", redacted(&name))
        } else {
            format!("there is no {}", missing.display())
        };
        print::talk(format_args!("burnward: {said}"));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    let mut report = check(&args.paths, args.config_file.as_deref(), &args.shown);
    if report.checked.is_empty() && report.count().0 == 0 {
        print::talk(format_args!("burnward: nothing to check: no *.yaml or *.yml file in {}", report.places.join(", ")));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    if let Some(named) = &args.asked.source {
        report.ask_sources(Some(named.as_str()).filter(|named| *named != CONFIGURED), args).await;
    }
    if args.asked.links {
        report.ask_for_pages().await;
    }
    if args.asked.slack {
        report.ask_slack(args.config_file.as_deref()).await;
    }
    report.rank(changed(args).as_ref());
    report.say_what_was_not_checked();
    if args.output == Format::Github {
        report.add_to_summary();
    }
    let fails_from = if args.strict { Severity::Warning } else { Severity::Error };
    if args.shown.effective {
        print::talk(report.text(Format::Text, fails_from, start.elapsed()).trim_end());
        print::text(if args.output == Format::Json { effective::json(&report.in_force) } else { effective::yaml(&report.in_force) })?;
        return Ok(ExitCode::from(report.exit_code(fails_from)));
    }
    let text = report.text(args.output, fails_from, start.elapsed());
    print::text(&text)?;
    Ok(ExitCode::from(report.exit_code(fails_from)))
}

/// The page of a diagnostic code; `None` where there is no such code.
pub fn explain_code(code: &str) -> Option<String> {
    definition::explain(code)
}

/// Which lines changed, where that was asked or the workflow of a pull request says since when.
fn changed(args: &CheckArgs) -> Option<Changed> {
    let base = || env::var("GITHUB_BASE_REF").ok().filter(|base| args.output == Format::Github && !base.is_empty());
    let revision = args.changed_since.clone().or_else(|| base().map(|base| format!("origin/{base}")))?;
    Changed::since(&revision, Path::new("."))
        .inspect_err(|error| print::talk(format_args!("note: {error}; findings in changed lines do not come first")))
        .ok()
}

pub(super) fn colour() -> Colour {
    let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && env::var_os("TERM").is_none_or(|term| term != "dumb");
    if wanted && io::stdout().is_terminal() { Colour::Always } else { Colour::Never }
}

/// What was checked and found.
#[derive(Debug, Default)]
struct Report {
    slos: usize,
    /// The files, by the names that findings have.
    checked: Vec<String>,
    diagnostics: Vec<Diagnostic>,
    /// Where was looked.
    places: Vec<String>,
    /// What was not checked, and why.
    notes: Vec<String>,
    /// The reports of the configuration, with their next firings.
    reports: Vec<NextReport>,
    /// What should have been checked and could not be.
    failures: Vec<String>,
    /// What loaded, with the source that it reads from.
    loaded: Vec<(SourceName, Loaded)>,
    /// What composites are made of.
    journeys: Vec<Arc<Slo>>,
    /// What runbooks link to on the web.
    pages: Vec<Page>,
    /// What a tick asks of the sources.
    costs: Vec<Costs>,
    /// The mistakes of templates, with the documents that have them.
    of_templates: Vec<(Diagnostic, BTreeSet<String>)>,
    /// The documents as they are in force, where they are asked for.
    in_force: Vec<InForce>,
}

fn check(paths: &[PathBuf], config_file: Option<&Path>, shown: &ShownArgs) -> Report {
    let mut report = Report::default();
    let config = report.configuration(config_file);
    let (configurations, documents) = paths.iter().cloned().partition::<Vec<_>, _>(|path| is_configuration(path));
    for path in configurations {
        // The one in force was checked already.
        if config::discover(config_file).is_none_or(|used| used.canonicalize().ok() != path.canonicalize().ok()) {
            report.configuration(Some(&path));
        }
    }
    if !documents.is_empty() {
        report.documents(&documents, &documents::context(config.as_ref(), &documents), shown);
    } else if paths.is_empty() {
        report.all_tenants(config.as_ref(), shown);
    }
    report.tell_of_templates();
    report
}

fn is_configuration(path: &Path) -> bool {
    path.is_file() && discover::read(path).is_ok_and(|text| config::is_configuration(&Source::new("", &text)))
}

impl Report {
    /// Checks the configuration; `None` where there is none, or one that does not load.
    fn configuration(&mut self, named: Option<&Path>) -> Option<Config> {
        let Some(file) = config::discover(named) else {
            self.notes.push("there is no burnward.yaml: names of teams are not checked".into());
            return None;
        };
        self.checked.push(file.display().to_string());
        match config::read(named) {
            Ok(config) => {
                self.reports.extend(config.reports.iter().map(|report| NextReport::of(report, Clock::Wall.now())));
                Some(config)
            }
            Err(ConfigError(faults)) => {
                self.diagnostics.extend(faults);
                self.notes.push("burnward.yaml does not load: names of teams are not checked".into());
                None
            }
        }
    }

    fn documents(&mut self, paths: &[PathBuf], context: &Context, shown: &ShownArgs) {
        let loaded: Loaded = definition::read_paths(paths, context);
        self.places.extend(paths.iter().map(|path| path.display().to_string()));
        let elsewhere = loaded.members_elsewhere();
        if !elsewhere.is_empty() && loaded.faulty.is_empty() {
            let members = elsewhere.into_iter().collect::<Vec<_>>().join(", ");
            self.notes.push(format!(
                "members of journeys that stand in other files were not checked: {members}; name the whole directory to check them"
            ));
        }
        self.slos += loaded.slos.len();
        self.journeys.extend(loaded.slos.iter().filter(|slo| slo.sli.composite().is_some()).cloned());
        self.checked.extend(loaded.files.iter().map(|file| file.path.clone()));
        self.checked.extend(loaded.faulty.iter().chain(loaded.template_files()).map(|path| path.display().to_string()));
        if shown.effective {
            self.in_force.extend(effective::of(&context.tenant, &loaded, shown.origins));
        }
        self.take_findings(&loaded);
        self.diagnostics.extend(loaded.notes_on_suspensions(Clock::Wall.now()));
        if let Runbooks::Directory(directory) = &context.runbooks {
            self.runbooks(directory, &loaded);
        }
        self.loaded.push((context.source.clone(), loaded));
    }

    /// The findings of a tenant. A mistake in a template is told once for all of them.
    fn take_findings(&mut self, loaded: &Loaded) {
        self.diagnostics.extend(loaded.own_diagnostics().cloned());
        for (fault, documents) in loaded.of_templates() {
            let known = self.of_templates.iter_mut().find(|(known, _)| (known.code, &known.place) == (fault.code, &fault.place));
            match known {
                Some((_, all)) => all.extend(documents.iter().cloned()),
                None => self.of_templates.push((fault.clone(), documents.clone())),
            }
        }
    }

    fn tell_of_templates(&mut self) {
        for (fault, documents) in std::mem::take(&mut self.of_templates) {
            self.diagnostics.retain(|known| (known.code, &known.place) != (fault.code, &fault.place));
            self.diagnostics.push(definition::counted(fault, &documents));
        }
    }

    /// The links of the runbooks that SLOs name.
    fn runbooks(&mut self, directory: &Path, loaded: &Loaded) {
        let named: BTreeSet<&str> = loaded.slos.iter().filter_map(|slo| slo.runbook.as_deref()).collect();
        for links in named.into_iter().map(|name| links::of(directory, name)) {
            self.diagnostics.extend(links.dead);
            self.pages.extend(links.pages);
        }
    }

    async fn ask_for_pages(&mut self) {
        let asked = pages::ask(std::mem::take(&mut self.pages)).await;
        self.diagnostics.extend(asked.diagnostics);
        self.failures.extend(asked.failures);
    }

    /// Asks the source of each tenant about its SLOs, or for all of them the one at `url`.
    async fn ask_sources(&mut self, url: Option<&str>, args: &CheckArgs) {
        let config = config::read(args.config_file.as_deref()).unwrap_or_default();
        let (tick, now) = (args.asked.cost.then_some(config.tick), Clock::Wall.now());
        for (name, loaded) in std::mem::take(&mut self.loaded) {
            let said = match (url, config.sources.get(&name)) {
                (Some(url), _) => source::ask(&redacted(url), &PrometheusConfig::at(url), &loaded, tick, now).await,
                (None, Some(SourceConfig::Prometheus(prometheus))) => source::ask(name.as_str(), prometheus, &loaded, tick, now).await,
                (None, Some(SourceConfig::Scrape(_))) => {
                    self.notes.push(format!("source {name} is targets that burnward scrapes itself: `burnward doctor` tries them"));
                    continue;
                }
                (None, None) => {
                    self.failures.push(format!("source {name} is not configured: name one as --source=URL"));
                    continue;
                }
            };
            self.diagnostics.extend(said.diagnostics);
            self.notes.extend(said.notes);
            self.failures.extend(said.failures);
            self.costs.extend(said.costs);
        }
    }

    async fn ask_slack(&mut self, config_file: Option<&Path>) {
        // Mistakes of the configuration itself are told already.
        let (Some(file), Ok(config)) = (config::discover(config_file), config::read(config_file)) else {
            self.failures.push("there is no burnward.yaml that loads: Slack is not asked".into());
            return;
        };
        let said = slack::ask(&config, &file).await;
        self.diagnostics.extend(said.diagnostics);
        self.failures.extend(said.failures);
    }

    fn say_what_was_not_checked(&self) {
        self.notes.iter().for_each(|note| print::talk(format_args!("note: {note}")));
        self.failures.iter().for_each(|failure| print::talk(format_args!("burnward: {failure}")));
    }

    fn exit_code(&self, fails_from: Severity) -> u8 {
        match self.count() {
            (1.., _) => 1,
            _ if !self.failures.is_empty() => super::EXIT_CANNOT,
            (0, warnings) => u8::from(fails_from == Severity::Warning && warnings > 0),
        }
    }

    fn all_tenants(&mut self, config: Option<&Config>, shown: &ShownArgs) {
        let tenants: BTreeMap<TenantId, TenantConfig> = config.map_or_else(|| Config::default().tenants, |config| config.tenants.clone());
        let library = documents::library(config);
        self.checked.extend(library.files().iter().map(|path| path.display().to_string()));
        self.diagnostics.extend(library.faults().cloned());
        let wanted = |tenant: &TenantId| shown.tenant.as_ref().is_none_or(|named| named == tenant.as_str());
        if let Some(named) = shown.tenant.as_ref().filter(|_| !tenants.keys().any(wanted)) {
            self.failures.push(format!("burnward.yaml has no tenant {named}"));
        }
        for (tenant, place) in tenants.iter().filter(|(tenant, _)| wanted(tenant)) {
            let default_of_broken_configuration = config.is_none() && self.count().0 > 0;
            if default_of_broken_configuration && !place.slo_definitions.iter().any(|directory| directory.exists()) {
                self.notes.push("SLO documents are not checked: which ones there are stands in the configuration".into());
                continue;
            }
            self.documents(&place.slo_definitions, &documents::context_of(tenant, place, config, &library), shown);
        }
    }

    fn count(&self) -> (usize, usize) {
        let errors = self.diagnostics.iter().filter(|fault| fault.severity() == Severity::Error).count();
        (errors, self.diagnostics.len() - errors)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use super::*;

    pub(super) const GOOD: &str = "version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events: { bad: 'e{code=\"500\"}', total: 'e' }
    objectives: [{ target: 99.9%, window: 30d, alerting: ticket }]
";

    pub(super) fn report(files: &[(&str, &str)]) -> (tempfile::TempDir, Report) {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text) in files {
            fs::write(directory.path().join(name), text).expect("a file");
        }
        let report = check(&[directory.path().to_owned()], None, &ShownArgs::default());
        (directory, report)
    }

    #[test]
    fn good_files_are_counted() {
        let (_directory, report) = report(&[("a.yaml", GOOD), ("b.yml", &GOOD.replace("checkout", "search")), ("c.txt", "not yaml: [")]);
        let text = report.text(Format::Text, Severity::Error, Duration::from_millis(310));
        assert_eq!(text, "Checked 2 SLOs in 2 files (0.31 s): 0 errors, 0 warnings.\n");
    }

    #[test]
    fn findings_are_shown_as_a_compiler_shows_them_and_counted() {
        let (directory, report) = report(&[("a.yaml", &GOOD.replace("99.9%", "100%"))]);
        let text = report.text(Format::Text, Severity::Error, Duration::ZERO).replace(&directory.path().display().to_string(), "slos");
        insta::assert_snapshot!("text", text);
    }

    #[test]
    fn json_and_annotations_hold_the_same() {
        let (directory, report) = report(&[("a.yaml", &GOOD.replace("99.9%", "100%"))]);
        let shown = |format| report.text(format, Severity::Error, Duration::ZERO).replace(&directory.path().display().to_string(), "slos");
        insta::assert_snapshot!("json", shown(Format::Json));
        insta::assert_snapshot!("github", shown(Format::Github));
    }
}
