//! `burnward check`: SLO documents and burnward.yaml, with diagnostics like a compiler's, and on request what a source shows of them. Exit code 0 fine,
//! 1 findings, 2 could not do it.

mod changed;
mod github;
mod junit;
mod sarif;
mod source;

use std::{
    collections::BTreeMap,
    env,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use burnward_core::{
    id::{SourceName, TeamName, TenantId},
    sli::composite::{Member, Members},
    slo::Slo,
    time::Timestamp,
};
use clap::{Args, ValueEnum};

use changed::Changed;

use super::print;
use crate::{
    clock::Clock,
    config::{self, Config, ConfigError, PrometheusConfig, ReportConfig, SourceConfig, TenantConfig},
    definition::{
        self, Colour, Context, Diagnostic, Loaded, Promql, Severity, Source, discover,
        document::{Runbooks, Teams},
    },
};

/// What `--source` alone stands for.
const CONFIGURED: &str = "configured";

/// What to check, and how to say it.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Files and directories; without any, those of burnward.yaml, else ./slo-definitions.
    paths: Vec<PathBuf>,

    /// Ask the sources of the tenants, too, or the Prometheus at this URL: what matches nothing or too much, thresholds between real buckets, young metrics.
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = CONFIGURED)]
    source: Option<String>,

    /// How findings are written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,

    /// Exit with 1 for warnings, too.
    #[arg(long)]
    strict: bool,

    /// Findings in lines that this git revision does not have come first; in a GitHub workflow of a pull request, without it: its base.
    #[arg(long, value_name = "REVISION")]
    changed_since: Option<String>,

    /// The configuration that says which teams, sources and runbooks there are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
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
    let start = Instant::now();
    if let Some(missing) = args.paths.iter().chain(&args.config_file).find(|path| !path.exists()) {
        print::talk(format_args!("burnward: there is no {}", missing.display()));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    let mut report = check(&args.paths, args.config_file.as_deref());
    if report.checked.is_empty() && report.count().0 == 0 {
        print::talk(format_args!("burnward: nothing to check: no *.yaml or *.yml file in {}", report.places.join(", ")));
        return Ok(ExitCode::from(super::EXIT_CANNOT));
    }
    if let Some(named) = &args.source {
        report.ask_sources(Some(named.as_str()).filter(|named| *named != CONFIGURED), args.config_file.as_deref()).await;
    }
    for note in &report.notes {
        print::talk(format_args!("note: {note}"));
    }
    for failure in &report.failures {
        print::talk(format_args!("burnward: {failure}"));
    }
    report.rank(changed(&args).as_ref());
    if args.output == Format::Github
        && let Some(file) = env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty())
        && let Err(error) = report.summarize(Path::new(&file))
    {
        print::talk(format_args!("note: {error}"));
    }
    let fails_from = if args.strict { Severity::Warning } else { Severity::Error };
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
        .inspect_err(|error| eprintln!("note: {error}; findings in changed lines do not come first"))
        .ok()
}

fn colour() -> Colour {
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
}

/// A report, and when it is sent next.
#[derive(Debug)]
struct NextReport {
    report: ReportConfig,
    next: Vec<Timestamp>,
}

/// Firings of a report that are shown.
const FIRINGS: usize = 3;

impl NextReport {
    fn of(report: &ReportConfig, now: Timestamp) -> Self {
        Self { next: report.schedule.upcoming(now).take(FIRINGS).collect(), report: report.clone() }
    }

    /// The civil times with their distance from UTC.
    fn times(&self) -> Vec<String> {
        let civil = |at: &Timestamp| jiff::Timestamp::from_millisecond(at.millis()).ok();
        let zoned = self.next.iter().filter_map(civil).map(|at| at.to_zoned(self.report.schedule.zone().clone()));
        zoned.map(|at| at.strftime("%a %-d %b %Y %H:%M %:z").to_string()).collect()
    }

    fn as_text(&self) -> String {
        format!("Report of the {}.\n  Next: {}\n", self.report.name(), self.times().join(", "))
    }

    fn as_json(&self) -> serde_json::Value {
        let ReportConfig { tenant, team, schedule, zone, to } = &self.report;
        let next: Vec<String> = self.next.iter().map(|at| crate::report::words::utc(*at)).collect();
        serde_json::json!({
            "tenant": tenant.as_str(),
            "team": team.as_ref().map(TeamName::as_str),
            "cron": schedule.line(),
            "timezone": zone.as_str(),
            "to": to,
            "next": next,
        })
    }
}

fn check(paths: &[PathBuf], config_file: Option<&Path>) -> Report {
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
        report.documents(&documents, &context(config.as_ref(), &documents));
    } else if paths.is_empty() {
        report.all_tenants(config.as_ref());
    }
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

    fn documents(&mut self, paths: &[PathBuf], context: &Context) {
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
        self.checked.extend(loaded.faulty.iter().map(|path| path.display().to_string()));
        self.diagnostics.extend(loaded.diagnostics().cloned());
        self.loaded.push((context.source.clone(), loaded));
    }

    /// Asks the source of each tenant about its SLOs, or for all of them the one at `url`.
    async fn ask_sources(&mut self, url: Option<&str>, config_file: Option<&Path>) {
        let config = config::read(config_file).unwrap_or_default();
        for (name, loaded) in std::mem::take(&mut self.loaded) {
            let said = match (url, config.sources.get(&name)) {
                (Some(url), _) => source::ask(url, &PrometheusConfig::at(url), &loaded, Clock::Wall.now()).await,
                (None, Some(SourceConfig::Prometheus(prometheus))) => {
                    source::ask(name.as_str(), prometheus, &loaded, Clock::Wall.now()).await
                }
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
        }
    }

    fn exit_code(&self, fails_from: Severity) -> u8 {
        match self.count() {
            (1.., _) => 1,
            _ if !self.failures.is_empty() => super::EXIT_CANNOT,
            (0, warnings) => u8::from(fails_from == Severity::Warning && warnings > 0),
        }
    }

    fn all_tenants(&mut self, config: Option<&Config>) {
        let tenants: BTreeMap<TenantId, TenantConfig> = config.map_or_else(|| Config::default().tenants, |config| config.tenants.clone());
        for (tenant, place) in &tenants {
            let default_of_broken_configuration = config.is_none() && self.count().0 > 0;
            if default_of_broken_configuration && !place.slo_definitions.iter().any(|directory| directory.exists()) {
                self.notes.push("SLO documents are not checked: which ones there are stands in the configuration".into());
                continue;
            }
            self.documents(&place.slo_definitions, &context_of(tenant, place, config));
        }
    }

    fn count(&self) -> (usize, usize) {
        let errors = self.diagnostics.iter().filter(|fault| fault.severity() == Severity::Error).count();
        (errors, self.diagnostics.len() - errors)
    }

    fn text(&self, format: Format, fails_from: Severity, elapsed: Duration) -> String {
        match format {
            Format::Text => self.as_text(colour(), elapsed),
            Format::Json => self.as_json(),
            Format::Github => self.as_github(),
            Format::Sarif => self.as_sarif(),
            Format::Junit => self.as_junit(fails_from),
        }
    }

    fn as_text(&self, colour: Colour, elapsed: Duration) -> String {
        let mut lines: Vec<String> = self.diagnostics.iter().map(|fault| fault.render(colour) + "\n").collect();
        lines.extend(self.journeys.iter().filter_map(|slo| journey_as_text(slo)));
        lines.extend(self.reports.iter().map(NextReport::as_text));
        let (errors, warnings) = self.count();
        let findings = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
        let checked =
            format!("Checked {} in {} ({:.2} s)", plural(self.slos, "SLO"), plural(self.checked.len(), "file"), elapsed.as_secs_f64());
        let more = self.worst().map(|fault| format!("   Learn more: burnward explain {}", fault.code.id)).unwrap_or_default();
        lines.push(format!("{checked}: {findings}.{more}"));
        lines.join("\n") + "\n"
    }

    /// The first error, or else the first warning.
    fn worst(&self) -> Option<&Diagnostic> {
        self.diagnostics.iter().min_by_key(|fault| fault.severity())
    }

    fn as_json(&self) -> String {
        let (errors, warnings) = self.count();
        let report = serde_json::json!({
            "schema": "burnward/v1/check",
            "slos": self.slos,
            "files": self.checked.len(),
            "errors": errors,
            "warnings": warnings,
            "reports": self.reports.iter().map(NextReport::as_json).collect::<Vec<_>>(),
            "journeys": self.journeys.iter().filter_map(|slo| journey_as_json(slo)).collect::<Vec<_>>(),
            "not_checked": self.failures,
            "diagnostics": self.diagnostics.iter().map(Diagnostic::to_json).collect::<Vec<_>>(),
        });
        format!("{report:#}\n")
    }
}

/// What a composite is made of, in lines.
fn journey_as_text(slo: &Slo) -> Option<String> {
    let composite = slo.sli.composite()?;
    let (join, weights): (&str, Vec<String>) = match &composite.members {
        Members::AllOf(_) => ("all of", Vec::new()),
        Members::Weighted(members) => ("parts of", members.iter().map(|(_, weight)| format!("{} of it, ", weight.words())).collect()),
    };
    let member = |(at, member): (usize, &Member)| {
        let weight = weights.get(at).map_or("", String::as_str);
        let Member { slo, good_from, unseen } = member;
        format!("  {}/{}: {weight}good from {}%, no data: {}\n", slo.service, slo.name, good_from.as_percent(), unseen.word())
    };
    let members: String = composite.members().enumerate().map(member).collect();
    let slice = definition::duration::format(composite.slice);
    Some(format!("{}/{} is made of {join}, in slices of {slice}:\n{members}", slo.id.service, slo.id.name))
}

fn journey_as_json(slo: &Slo) -> Option<serde_json::Value> {
    let composite = slo.sli.composite()?;
    let members: Vec<String> = composite.members().map(|member| format!("{}/{}", member.slo.service, member.slo.name)).collect();
    Some(serde_json::json!({ "slo": format!("{}/{}", slo.id.service, slo.id.name), "members": members }))
}

/// `1 error`, `2 errors`
fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// The context of named paths: that of the tenant whose directory holds the first of them, else of the first tenant.
fn context(config: Option<&Config>, paths: &[PathBuf]) -> Context {
    let default = Config::default();
    let tenants = &config.unwrap_or(&default).tenants;
    let holds = |place: &TenantConfig| place.slo_definitions.iter().any(|directory| paths.iter().any(|path| is_below(path, directory)));
    let found = tenants.iter().find(|(_, place)| holds(place)).or_else(|| tenants.iter().next());
    let (tenant, place) = found.expect("a configuration has a tenant");
    context_of(tenant, place, config)
}

fn is_below(path: &Path, directory: &Path) -> bool {
    matches!((path.canonicalize(), directory.canonicalize()), (Ok(path), Ok(directory)) if path.starts_with(&directory))
}

fn context_of(tenant: &TenantId, place: &TenantConfig, config: Option<&Config>) -> Context {
    let runbooks = match &place.runbooks {
        Some(directory) if config.is_some() || directory.is_dir() => Runbooks::Directory(directory.clone()),
        Some(_) => Runbooks::Unchecked,
        None => Runbooks::Missing,
    };
    let teams = config.map_or(Teams::Unchecked, |config| Teams::Known(config.teams.keys().cloned().collect()));
    let promql = config.map_or(Promql::Spoken, |config| config.promql(&place.source));
    Context { tenant: tenant.clone(), source: place.source.clone(), promql, runbooks, teams }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        let report = check(&[directory.path().to_owned()], None);
        (directory, report)
    }

    #[test]
    fn good_files_are_counted() {
        let (_directory, report) = report(&[("a.yaml", GOOD), ("b.yml", &GOOD.replace("checkout", "search")), ("c.txt", "not yaml: [")]);
        let text = report.text(Format::Text, Severity::Error, Duration::from_millis(310));
        assert_eq!(text, "Checked 2 SLOs in 2 files (0.31 s): 0 errors, 0 warnings.\n");
    }

    #[test]
    fn the_next_firings_of_each_report_are_shown_in_its_zone() {
        let text = "version: burnward/v1
teams: { shop: { channel: '#shop' } }
reports:
  - { error-budget: week, team: shop, cron: '30 2 * * SUN', timezone: Europe/Berlin, to: '#shop' }
";
        let config = config::parse(Path::new("burnward.yaml"), text).expect("a configuration");
        // The clocks are set forward on 28 March 2027, from two to three.
        let next = NextReport::of(&config.reports[0], Timestamp::from_seconds(1_805_900_000));
        assert_eq!(
            next.as_text(),
            "Report of the error budgets of the week, shop, at 30 2 * * SUN Europe/Berlin, to #shop.
  Next: Sun 28 Mar 2027 03:00 +02:00, Sun 4 Apr 2027 02:30 +02:00, Sun 11 Apr 2027 02:30 +02:00
"
        );
        assert_eq!(next.as_json()["next"][0], "2027-03-28T01:00:00Z");
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
