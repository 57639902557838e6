//! `burnward init`: first SLOs from a metrics endpoint or a Prometheus; without either, a first configuration. Exit code 0 something was written, 2 it
//! could not be.

mod shown;
mod source;
mod start;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use burnward_core::{
    id::{ServiceName, TeamName},
    sli::{MatchOp, Matcher, Selector},
    words,
};
use clap::Args;

use self::shown::Proposal;
use super::{documents::Written, fmt, import, print};
use crate::{
    config::{self, Config, ConfigError, Credentials},
    definition::{self, Colour, Diagnostic, selector},
    proposal::{
        Candidate, Indicator,
        candidate::{self, Found, Wanted},
        document::{self, Draft, Proposed, one_line},
        endpoint::{self, Exposition},
        reason,
    },
    regular,
    source::scrape::{self, exposition::Format as Exposed},
};

/// From what SLOs are proposed, and how they are written.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where a first configuration is laid out, where SLOs are not proposed from metrics.
    #[arg(value_name = "DIRECTORY", conflicts_with = "proposed")]
    directory: Option<PathBuf>,

    /// A metrics endpoint, or a file with its text; `-` reads it from standard input.
    #[arg(long, value_name = "URL|FILE", group = "proposed")]
    metrics: Option<String>,

    #[command(flatten)]
    shown: ShownArgs,

    /// A Prometheus, by its URL or its name in burnward.yaml: targets follow from its last weeks.
    #[arg(long, value_name = "URL|NAME", group = "proposed")]
    source: Option<String>,

    /// The `job` that Prometheus gives the service: SLOs count nothing else. Of a source it may be left out where there is one job.
    #[arg(long, value_name = "NAME", value_parser = job, requires = "proposed")]
    job: Option<String>,

    /// Only what this selector matches, such as `http_requests_total` or `{env="prod"}`; SLOs count nothing else.
    #[arg(long = "match", value_name = "SELECTOR", value_parser = selector::parse_any, requires = "proposed")]
    matching: Option<Selector>,

    /// How far back a source is looked at; 30 days without it.
    #[arg(long, value_name = "DURATION", requires = "source")]
    last: Option<String>,

    /// Up to this moment, such as 2026-11-01T00:00:00Z; up to now without it.
    #[arg(long, value_name = "TIME", requires = "source")]
    to: Option<String>,

    #[command(flatten)]
    named: NamedArgs,

    #[command(flatten)]
    written: WrittenArgs,

    /// The configuration that says which teams there are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

impl InitArgs {
    /// The metric that `--match` names; empty where it names none.
    fn metric(&self) -> &str {
        self.matching.as_ref().map_or("", Selector::metric)
    }
}

/// Who we are to a metrics endpoint. Only files are named: what stands on a command line is seen by everybody on the machine.
#[derive(Debug, Args)]
struct ShownArgs {
    /// A file with the bearer token that the endpoint asks for.
    #[arg(long, value_name = "FILE", requires = "metrics", conflicts_with_all = ["user", "password_file"])]
    bearer_token_file: Option<PathBuf>,

    /// The user that the endpoint asks for (basic authentication).
    #[arg(long, value_name = "NAME", requires_all = ["metrics", "password_file"])]
    user: Option<String>,

    /// A file with the password of the user.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
}

impl ShownArgs {
    fn credentials(&self) -> Credentials {
        match (&self.bearer_token_file, self.user.as_ref().zip(self.password_file.as_ref())) {
            (Some(token), _) => Credentials::Bearer(token.clone()),
            (None, Some((user, password_file))) => Credentials::Basic { user: user.clone(), password_file: password_file.clone() },
            (None, None) => Credentials::None,
        }
    }
}

/// What only a person knows.
#[derive(Debug, Args)]
struct NamedArgs {
    /// What the service is called; without it as its job.
    #[arg(long, value_name = "NAME", value_parser = service, requires = "proposed")]
    service: Option<ServiceName>,

    /// The team that is told; without it the only one of burnward.yaml.
    #[arg(long, value_name = "NAME", value_parser = team)]
    team: Option<TeamName>,

    /// The runbook of the SLOs: a file of the directory of runbooks.
    #[arg(long, value_name = "FILE", requires = "proposed")]
    runbook: Option<String>,
}

/// Where SLOs are written, and how.
#[derive(Debug, Args)]
struct WrittenArgs {
    /// Write the document into this file, which must not be there yet.
    #[arg(long, value_name = "FILE", requires = "proposed")]
    out: Option<PathBuf>,

    /// Replace the file if it is there.
    #[arg(long, requires = "out")]
    force: bool,

    /// How SLOs are written.
    #[arg(short, long, value_enum, default_value_t = Written::Yaml)]
    output: Written,
}

fn job(text: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("a job has at least one character, and none that ends a line".to_owned());
    }
    Ok(text.to_owned())
}

fn service(text: &str) -> Result<ServiceName, String> {
    ServiceName::parse(text).map_err(|error| error.to_string())
}

fn team(text: &str) -> Result<TeamName, String> {
    TeamName::parse(text).map_err(|error| error.to_string())
}

/// An endpoint has so long to answer.
const PATIENCE: Duration = Duration::from_secs(15);
/// A text from a file is read up to so many bytes, as one from an endpoint is.
const LONGEST_TEXT: u64 = 16 << 20;

/// Runs the command.
pub(super) async fn run(args: InitArgs) -> anyhow::Result<ExitCode> {
    let config = match config::discover(args.config_file.as_deref()) {
        Some(_) => Some(config::read(args.config_file.as_deref()).map_err(|ConfigError(faults)| said(&faults, CONFIGURATION))?),
        None => None,
    };
    if args.metrics.is_none() && args.source.is_none() {
        return start::lay_out(args.directory.as_deref().unwrap_or(Path::new("")), args.named.team.as_ref());
    }
    if let Some(out) = &args.written.out {
        ensure!(args.written.force || !out.exists(), "{} is there already: nothing is written; --force replaces it", out.display());
    }
    let proposal = match (&args.metrics, &args.source) {
        (Some(metrics), _) => from_endpoint(metrics, &args, config.as_ref()).await?,
        (None, named) => source::propose(named.as_deref().unwrap_or_default(), &args, config.as_ref()).await?,
    };
    write(&proposal, &args.written)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what is wrong with a text, and says that it is.
fn said(faults: &[Diagnostic], what: &'static str) -> anyhow::Error {
    for fault in faults {
        print::talk(fault.render(Colour::Never));
    }
    anyhow::anyhow!(what)
}

const CONFIGURATION: &str = "the configuration does not load; `burnward check` says what is wrong with all of it";
/// As where the names of a service are too long for a selector.
const PROPOSAL: &str = "what would be proposed does not load as it is: name other metrics with --match, or write the SLO by hand";

/// What is known before any metric is looked at.
struct Asked<'a> {
    args: &'a InitArgs,
    service: Option<ServiceName>,
    team: Option<TeamName>,
    matchers: Vec<Matcher>,
}

impl<'a> Asked<'a> {
    fn new(args: &'a InitArgs, job: Option<&str>, config: Option<&Config>) -> Self {
        let of_job = || job.and_then(candidate::service_name).and_then(|name| ServiceName::parse(&name).ok());
        let of_match = args.matching.iter().flat_map(|selector| selector.matchers().to_vec());
        let job = job.map(|job| Matcher { label: "job".to_owned(), op: MatchOp::Equal, value: job.to_owned() });
        Self {
            args,
            service: args.named.service.clone().or_else(of_job),
            team: args.named.team.clone().or_else(|| config.and_then(only_team)),
            matchers: of_match.chain(job).collect(),
        }
    }

    fn wanted<'w>(&'w self, native: &'w BTreeSet<String>) -> Wanted<'w> {
        Wanted { service: self.called(), matchers: &self.matchers, metric: self.args.metric(), native }
    }

    fn called(&self) -> &str {
        self.service.as_ref().map_or("the service", ServiceName::as_str)
    }

    fn names_a_metric(&self) -> bool {
        !self.args.metric().is_empty()
    }

    /// The document of these SLOs, which loads once somebody filled in what only a person knows.
    fn document(&self, about: &[String], slos: &[Proposed]) -> anyhow::Result<String> {
        let schema = schema_seen_from(self.args.written.out.as_deref());
        let runbook = self.args.named.runbook.as_deref();
        let draft = Draft { schema: &schema, about, service: self.service.as_ref(), team: self.team.as_ref(), runbook, slos };
        self.check_loads(&draft)?;
        document::text(&draft).map_err(|faults| said(&faults, PROPOSAL))
    }

    fn check_loads(&self, draft: &Draft<'_>) -> anyhow::Result<()> {
        let (service, team) = (ServiceName::parse("service")?, TeamName::parse("team")?);
        let whole = Draft { service: self.service.as_ref().or(Some(&service)), team: self.team.as_ref().or(Some(&team)), ..*draft };
        let text = document::text(&whole).map_err(|faults| said(&faults, PROPOSAL))?;
        let loaded = definition::read_texts([(PathBuf::from("proposal.yaml"), text)], &import::unchecked()?);
        ensure!(loaded.count().0 == 0, said(&loaded.diagnostics().cloned().collect::<Vec<_>>(), PROPOSAL));
        Ok(())
    }
}

/// The team of a configuration that has one.
fn only_team(config: &Config) -> Option<TeamName> {
    let mut teams = config.teams.keys().filter(|team| **team != config::Operators::team_name());
    teams.next().filter(|_| teams.next().is_none()).cloned()
}

/// Where the schema lies as seen from a document: beside or above it, else beside it, where it is put with a document that is written.
fn schema_seen_from(out: Option<&Path>) -> String {
    let directory = out.and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fmt::schema_from(directory).unwrap_or_else(|| format!("./{}", fmt::SCHEMA_FILE))
}

async fn from_endpoint(metrics: &str, args: &InitArgs, config: Option<&Config>) -> anyhow::Result<Proposal> {
    let asked = Asked::new(args, args.job.as_deref(), config);
    let (text, format, place) = text_of(metrics, &args.shown.credentials()).await?;
    let only = args.matching.clone().unwrap_or_else(|| Selector::new("", Vec::new()));
    let hint = if text.contains("\r\n") {
        "its lines end in CR LF, and the format knows LF alone: `tr -d '\\r'` makes it that"
    } else {
        "is it the text of a metrics endpoint, such as http://host:port/metrics?"
    };
    // Large texts take a second: they are read where waiting is allowed.
    let read = tokio::task::spawn_blocking(move || endpoint::read(&text, format, &only)).await?;
    let Exposition { families, samples, differences } = read.map_err(|error| anyhow::anyhow!("{place}: {error}; {hint}"))?;
    let native = BTreeSet::new();
    let mut found = candidate::find(&families, asked.wanted(&native));
    let looked = format!("{} of {}", words::plural(samples, "sample"), words::plural(families.len(), "metric"));
    if let Some(job) = args.job.as_ref().filter(|_| found.proposed.is_empty() && args.matching.is_none()) {
        found.proposed.push(candidate::reachable(asked.called(), &asked.matchers));
        found
            .unused
            .push(format!("none of the metrics tells good events from bad: what is left is whether targets of {job} can be scraped"));
    }
    let slos: Vec<Proposed> = found.proposed.iter().cloned().map(unmeasured).collect();
    ensure!(!slos.is_empty(), nothing_found(&place, &looked, &found, args));
    let mut about = vec![format!(
        "Proposed by `burnward init` from one scrape of {place}. Read it and change what is wrong; `burnward check` says what is missing."
    )];
    if asked.matchers.iter().all(|matcher| matcher.label != "job") {
        about
            .push("Every target with these metrics is counted: add the `job` that Prometheus gives the service, as --job does.".to_owned());
    }
    let notes = vec![format!(
        "{place}: {looked}. One scrape has no history, so how good the service was is not known: its targets are usual ones. `burnward backtest` tells how often they would have paged"
    )];
    Ok(Proposal {
        text: asked.document(&about, &slos)?,
        service: asked.service.clone(),
        team: asked.team.clone(),
        slos,
        notes: notes.into_iter().chain(differences).chain(found.unused).collect(),
        others: found.others,
    })
}

/// The text of an endpoint, a file or standard input, its format, and where it comes from.
async fn text_of(metrics: &str, credentials: &Credentials) -> anyhow::Result<(String, Exposed, String)> {
    if metrics.contains("://") {
        return scrape::text_of(metrics, credentials, PATIENCE).await;
    }
    ensure!(*credentials == Credentials::None, "{metrics} is no URL: a token or a password is shown to an endpoint alone");
    let (mut text, place) = (String::new(), if metrics == "-" { "standard input" } else { metrics });
    let reader: Box<dyn io::Read> = match metrics {
        "-" => Box::new(io::stdin()),
        file => {
            let why = || {
                format!(
                    "cannot read {file}, which is neither a file nor a URL with http://; what comes through a pipe is read by --metrics=-"
                )
            };
            Box::new(regular::open(Path::new(file)).with_context(why)?)
        }
    };
    reader.take(LONGEST_TEXT + 1).read_to_string(&mut text).with_context(|| format!("cannot read {place}"))?;
    ensure!(text.len() as u64 <= LONGEST_TEXT, "{place} has more than 16 MiB: no metrics endpoint has so much");
    let format = endpoint::format_of(&text);
    Ok((text, format, place.to_owned()))
}

fn nothing_found(place: &str, looked: &str, found: &Found, args: &InitArgs) -> String {
    let narrowed = args.matching.as_ref().map(|selector| format!(" that {selector} matches")).unwrap_or_default();
    let others = if found.others.is_empty() { String::new() } else { format!("; these would do: {}", words::list(&found.others, 10)) };
    let unused = if found.unused.is_empty() { String::new() } else { format!("; {}", found.unused.join("; ")) };
    one_line(&format!(
        "{place}: {looked}{narrowed}, and none tells good events from bad: a counter with a code, status or outcome, a counter of failures beside one of everything, or a histogram of seconds is needed{others}{unused}"
    ))
}

/// An SLO about whose past nothing is known, with a target that is usual.
fn unmeasured(candidate: Candidate) -> Proposed {
    let target = usual_target(&candidate.indicator);
    let mut why = vec![format!("A usual target, not measured: one scrape has no history. {}", reason::allows(target))];
    if let Indicator::Latency { by_observation, .. } = &candidate.indicator {
        why.push(if *by_observation {
            "The threshold is the smallest boundary that 99 % of the observations since the process began keep with some room, else the largest.".to_owned()
        } else {
            "Too little was observed to choose a threshold: take the boundary at which people begin to wait.".to_owned()
        });
    }
    let alerting = usual_alerting(&candidate.indicator);
    Proposed { candidate, target: target.to_owned(), why, alerting, evidence: None }
}

/// A target where nothing was measured, in percent.
const fn usual_target(indicator: &Indicator) -> &'static str {
    match indicator {
        Indicator::Events { .. } => "99.9",
        Indicator::Latency { .. } => "99",
        Indicator::Probe { .. } => "99.5",
    }
}

/// A probe tells of processes and not of people: nobody is woken for it before somebody says so.
const fn usual_alerting(indicator: &Indicator) -> Option<&'static str> {
    match indicator {
        Indicator::Events { .. } | Indicator::Latency { .. } => None,
        Indicator::Probe { .. } => Some("ticket"),
    }
}

fn write(proposal: &Proposal, args: &WrittenArgs) -> anyhow::Result<()> {
    if args.output == Written::Yaml {
        for note in &proposal.notes {
            print::talk(format_args!("note: {}", one_line(note)));
        }
    }
    if let Some(out) = &args.out {
        save(out, &proposal.text, args.force)?;
        put_schema_beside(out, args.output)?;
    }
    match (args.output, &args.out) {
        (Written::Json, _) => print::text(proposal.as_json())?,
        (Written::Yaml, Some(out)) => print::line(out.display())?,
        (Written::Yaml, None) => print::text(&proposal.text)?,
    }
    if args.output == Written::Yaml {
        print::talk(proposal.summary(args.out.as_deref()));
    }
    Ok(())
}

/// The document names the schema by which editors help: where there is none, it is put beside it.
fn put_schema_beside(out: &Path, output: Written) -> anyhow::Result<()> {
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if fmt::schema_from(directory).is_none() {
        let schema = directory.join(fmt::SCHEMA_FILE);
        save(&schema, definition::SCHEMA, false)?;
        if output == Written::Yaml {
            print::talk(format_args!("note: {} is for editors, and is new", schema.display()));
        }
    }
    Ok(())
}

/// Writes a file whole: one that is there is replaced only where that was said.
fn save(out: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let mut beside = tempfile::Builder::new().prefix(".burnward-init-").tempfile_in(directory)?;
    beside.write_all(text.as_bytes())?;
    beside.as_file().sync_all()?;
    let written = if force { beside.persist(out) } else { beside.persist_noclobber(out) };
    if let Err(error) = written {
        bail!("cannot write {}: {}", out.display(), error.error);
    }
    Ok(())
}
