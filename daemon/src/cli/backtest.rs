//! `burnward backtest`: what would have been paged over a span of history. Exit code 0 it was lived through, 2 it could not be.

mod shown;

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use burnward_core::{
    exclusion::Correction,
    id::{IncidentId, SloId, SourceName, TenantId},
    incident::Kind,
    ledger::Unknown,
    sli::Composite,
    slo::{Slo, Urgency},
    time::{Timestamp, days},
    units::{Factor, Target},
    window::Interval,
    words,
};
use clap::{Args, ValueEnum};

use self::shown::Tested;
use super::{bar::Bar, documents, print};
use crate::{
    clock::Clock,
    config::{self, Config, ConfigError, PrometheusConfig, SourceConfig, TenantConfig},
    definition::{self, Colour, Diagnostic, Severity, duration, marked, marked::Marked},
    metrics::Metrics,
    replay::{Backtest, Change, Fetched, OfText, Past, Seen, as_sentence, bounded, kept, mark, recorded},
    report::words::utc,
    source::{Source, prometheus::Prometheus, replicas::Replicas},
    store::Store,
    tasks::decide::ledger_settings,
};

/// What is lived through, and what it is compared with.
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// Only these SLOs, as service/name; a service alone is all of its SLOs. A journey brings its members.
    slos: Vec<String>,

    /// Documents instead of those of burnward.yaml: files and directories.
    #[arg(long, value_name = "PATH")]
    definitions: Vec<PathBuf>,

    /// The Prometheus at this URL instead of the tenants' sources.
    #[arg(long, value_name = "URL", conflicts_with = "recorded")]
    source: Option<String>,

    /// Samples of a file of OpenMetrics text with timestamps instead of a source.
    #[arg(long, value_name = "FILE")]
    recorded: Option<PathBuf>,

    /// What the daemon's own ledger keeps instead of a source: events by the minute of the last eight days.
    #[arg(long, conflicts_with_all = ["recorded", "source"])]
    ledger: bool,

    /// Where the daemon's store is, instead of where burnward.yaml says.
    #[arg(long = "storage.path", value_name = "DIRECTORY")]
    storage: Option<PathBuf>,

    /// Only of this tenant.
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// From this moment on, such as 2026-11-01T00:00:00Z; of a file, without it, from its first sample.
    #[arg(long, value_name = "TIME", conflicts_with = "last")]
    from: Option<String>,

    /// Up to this moment; without it up to now, of a file up to its last sample.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,

    /// So long, up to the end; without it and without `--from` 30 days of a source.
    #[arg(long, value_name = "DURATION")]
    last: Option<String>,

    /// Incidents that people marked: a file, or `store` for those that the daemon had.
    #[arg(long, value_name = "FILE")]
    incidents: Option<String>,

    /// A page later than this after an incident's beginning is late.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    late_after: String,

    /// What else to try, side by side: `target=99.5,99.9`, or `14.4=10,12` for the rows with a burn rate of 14.4.
    #[arg(long, value_name = "CHANGE")]
    what_if: Vec<String>,

    /// How it is written.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    output: Format,

    /// The configuration that says where documents and sources are; ./burnward.yaml, else /etc/burnward/burnward.yaml.
    #[arg(long = "config.file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    #[value(alias = "text")]
    Table,
    /// For programs.
    Json,
    /// For a pull request.
    Md,
}

/// What a source is asked without a span.
const USUAL: Duration = days(30);

/// Runs the command.
pub(super) async fn run(args: BacktestArgs) -> anyhow::Result<ExitCode> {
    let config = match config::discover(args.config_file.as_deref()) {
        Some(_) => Some(config::read(args.config_file.as_deref()).map_err(|ConfigError(faults)| said(&faults))?),
        None => None,
    };
    let changes = args.what_if.iter().map(|text| read_changes(text)).collect::<anyhow::Result<Vec<_>>>()?.concat();
    let late_after = duration::parse(&args.late_after).with_context(|| format!("--late-after={}", args.late_after))?;
    let mut tested = Vec::new();
    let (chosen, known) = chosen(&args, config.as_ref())?;
    for (tenant, source, slos) in chosen {
        let config = Arc::new(config.clone().unwrap_or_default());
        let marked = read_marked(&args, &config, &tenant, &known).await?;
        let History { past, place, span, slos, filled, left_out, note } = history(&args, &config, (&tenant, &source), slos).await?;
        let seen = Seen::of(&past, vec![slos], span).await.map_err(|unknown| not_read(&unknown))?;
        let sentences: Vec<String> =
            note.into_iter().chain(seen.sentences(&place)).chain(filled.iter().map(kept::Filled::sentence)).collect();
        let (span, slos) = (seen.span, seen.sets.concat());
        if slos.is_empty() {
            for sentence in sentences {
                print::talk(format_args!("note: {sentence}"));
            }
            continue;
        }
        let span = bounded(span, config.tick)?;
        tell_of_vain(&changes, &slos.iter().map(|entrant| Arc::clone(&entrant.slo)).collect::<Vec<_>>());
        let backtest = Backtest { tenant, source, slos, changes: changes.clone(), span };
        let bar = Bar::new("backtest", span);
        let lived = backtest.run(past, &config, |passed| bar.passed(passed)).await;
        bar.end();
        let lived = lived.map_err(|unknown| not_read(&unknown))?;
        let history = shown::History { place, seen, sentences, filled, left_out, tick: config.tick };
        tested.push(Tested::of(&backtest, lived, marked.as_deref(), late_after, history));
    }
    if tested.is_empty() {
        bail!("no SLO is left that {} can show", if args.recorded.is_some() { "the file" } else { "this history" });
    }
    print::text(match args.output {
        Format::Table => tested.iter().map(Tested::as_table).collect::<Vec<_>>().join("\n"),
        Format::Json => shown::as_json(&tested),
        Format::Md => tested.iter().map(Tested::as_markdown).collect::<Vec<_>>().join("\n"),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A word of each change that no SLO has anything for, and of one whose rows could not stand in a document.
fn tell_of_vain(changes: &[Change], slos: &[Arc<Slo>]) {
    let rows = slos.iter().flat_map(|slo| &slo.objectives).flat_map(|objective| &objective.rows);
    let rates: Vec<String> = rows.map(|row| format!("{}x", row.factor)).collect::<BTreeSet<_>>().into_iter().collect();
    let there = if rates.is_empty() { "there is no row".to_owned() } else { format!("there are {}", words::list(&rates, 10)) };
    for change in changes.iter().filter(|change| change.is_idle(slos)) {
        print::talk(format_args!("note: --what-if, {}: no row has this burn rate, so nothing is changed; {there}", change.words()));
    }
    for change in changes {
        let faults = change.faults(slos);
        if let Some(first) = faults.first() {
            let more = if faults.len() > 1 { format!(", and {} more", faults.len() - 1) } else { String::new() };
            print::talk(format_args!("note: --what-if, {}: no document may have that; {first}{more}", change.words()));
        }
    }
}

pub(super) fn not_read(unknown: &Unknown) -> anyhow::Error {
    anyhow::anyhow!("the history could not be read to the end: {unknown}")
}

fn tell(faults: &[Diagnostic]) {
    for fault in faults {
        print::talk(fault.render(Colour::Never));
    }
}

/// Shows what is wrong with a file, and says that it is.
fn said(faults: &[Diagnostic]) -> anyhow::Error {
    tell(faults);
    anyhow::anyhow!("a file does not load; `burnward check` says what is wrong with all of them")
}

type Chosen = (TenantId, SourceName, Vec<Arc<Slo>>);

/// The SLOs that are named, of each tenant that has any; and all that there are, of whatever tenant and document.
fn chosen(args: &BacktestArgs, config: Option<&Config>) -> anyhow::Result<(Vec<Chosen>, BTreeSet<SloId>)> {
    let default = Config::default();
    let tenants = &config.unwrap_or(&default).tenants;
    let library = documents::library(config);
    let mut known: BTreeSet<SloId> = BTreeSet::new();
    for (tenant, place) in tenants {
        let context = documents::context_of(tenant, place, config, &library);
        known.extend(definition::read_paths(&place.slo_definitions, &context).slos.iter().map(|slo| slo.id.clone()));
    }
    let mut of_tenant = |(tenant, place): (&TenantId, &TenantConfig)| -> anyhow::Result<Chosen> {
        let (paths, context) = if args.definitions.is_empty() {
            (&place.slo_definitions, documents::context_of(tenant, place, config, &library))
        } else {
            (&args.definitions, documents::context_of_paths(tenant, place, config, &args.definitions))
        };
        let loaded = definition::read_paths(paths, &context);
        let errors: Vec<Diagnostic> = loaded.diagnostics().filter(|fault| fault.severity() == Severity::Error).cloned().collect();
        if loaded.slos.is_empty() && !errors.is_empty() {
            return Err(said(&errors));
        }
        tell(&errors);
        known.extend(loaded.slos.iter().map(|slo| slo.id.clone()));
        Ok((tenant.clone(), place.source.clone(), with_members(&loaded.slos, &args.slos)))
    };
    let wanted = |tenant: &TenantId| args.tenant.as_deref().is_none_or(|named| named == tenant.as_str());
    // Documents that are named by their paths are of one tenant.
    let most = if args.definitions.is_empty() { tenants.len() } else { 1 };
    let all = tenants.iter().filter(|(tenant, _)| wanted(tenant)).take(most).map(&mut of_tenant).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(tenant) = args.tenant.as_deref().filter(|_| all.is_empty()) {
        bail!("the configuration has no tenant {tenant}");
    }
    let unknown = |name: &&String| !all.iter().flat_map(|(_, _, slos)| slos).any(|slo| is_called(&slo.id, name));
    let unknown: Vec<String> = args.slos.iter().filter(unknown).cloned().collect();
    let chosen: Vec<Chosen> = all.into_iter().filter(|(_, _, slos)| !slos.is_empty()).collect();
    if !unknown.is_empty() || chosen.is_empty() {
        let named = if unknown.is_empty() { String::new() } else { format!(" {}", words::list(&unknown, 10)) };
        bail!("there is no SLO{named}; `burnward check` tells what loads");
    }
    Ok((chosen, known))
}

/// Whether this is the name of an SLO, or of its service.
fn is_called(slo: &SloId, name: &str) -> bool {
    name == slo.service.as_str() || name == format!("{}/{}", slo.service, slo.name)
}

/// The SLOs of these names, all where there is none, and the members of journeys among them.
pub(super) fn with_members(slos: &[Arc<Slo>], names: &[String]) -> Vec<Arc<Slo>> {
    let is_named = |slo: &Slo| names.is_empty() || names.iter().any(|name| is_called(&slo.id, name));
    let named: Vec<&Arc<Slo>> = slos.iter().filter(|slo| is_named(slo)).collect();
    let is_member = |slo: &Slo| {
        let composites = named.iter().filter_map(|journey| journey.sli.composite());
        composites.flat_map(Composite::members).any(|member| member.slo == slo.id)
    };
    slos.iter().filter(|slo| is_named(slo) || is_member(slo)).cloned().collect()
}

/// What answers, the span that is lived through, and the SLOs as they are counted from that.
struct History {
    past: Past,
    /// What that is, in a sentence.
    place: String,
    span: Interval,
    slos: Vec<Arc<Slo>>,
    /// What of it was filled in, and is held in long slices.
    filled: Vec<kept::Filled>,
    /// SLOs that it cannot show, and why; the same in a sentence.
    left_out: Vec<(SloId, &'static str)>,
    note: Option<String>,
}

async fn history(
    args: &BacktestArgs,
    config: &Config,
    (tenant, name): (&TenantId, &SourceName),
    slos: Vec<Arc<Slo>>,
) -> anyhow::Result<History> {
    if args.ledger {
        return from_ledger(args, config, (tenant, name), &slos).await;
    }
    if let Some(file) = &args.recorded {
        let samples = recorded::read(file, Clock::Wall.now())?;
        let of_text = OfText::of(slos);
        let note = of_text.note().map(|note| as_sentence(&note));
        let reach = samples.reach().with_context(|| format!("{} holds no sample", file.display()))?;
        let span = span(args, Some(reach), reach.to)?;
        return Ok(History {
            past: Past::Samples(samples),
            place: file.display().to_string(),
            span,
            slos: of_text.shown,
            filled: Vec::new(),
            left_out: of_text.left_out,
            note,
        });
    }
    let span = span(args, None, Clock::Wall.now())?;
    let (past, place) = past_of_source(config, name, args.source.as_deref(), span.to)?;
    Ok(History { past, place, span, slos, filled: Vec::new(), left_out: Vec::new(), note: None })
}

/// The history of a source up to a moment, and what to call it; of the Prometheus at this URL where one is named.
pub(super) fn past_of_source(config: &Config, name: &SourceName, url: Option<&str>, end: Timestamp) -> anyhow::Result<(Past, String)> {
    let prometheus = match (url.map(PrometheusConfig::at), config.sources.get(name)) {
        (Some(at_url), _) => at_url,
        (None, Some(SourceConfig::Prometheus(prometheus))) => prometheus.clone(),
        (None, Some(SourceConfig::Scrape(_))) => bail!(
            "source {name} is targets that burnward scrapes itself, which keep no history: name a Prometheus as --source=URL, a file as --recorded=FILE, or with `burnward backtest` --ledger"
        ),
        (None, None) => bail!("source {name} is not configured: name one as --source=URL"),
    };
    let replicas = Replicas::new(&prometheus, Metrics::default().source(name))?;
    let at_url = url.and_then(|_| replicas.all().first()).map(Prometheus::place);
    let place = at_url.unwrap_or_else(|| format!("source {name}"));
    Ok((Past::Source(Box::new(Fetched::new(Source::Prometheus(replicas), end))), place))
}

async fn from_ledger(
    args: &BacktestArgs,
    config: &Config,
    (tenant, name): (&TenantId, &SourceName),
    slos: &[Arc<Slo>],
) -> anyhow::Result<History> {
    let rows =
        |slo: &Slo| slo.objectives.iter().flat_map(|objective| objective.rows.clone()).any(|row| row.short < kept::SHORTEST_LOOKBACK);
    if let Some(slo) = slos.iter().find(|slo| rows(slo)) {
        bail!(
            "{}/{} has alert rows with lookbacks under 5 minutes, and the ledger keeps minutes: name other SLOs, or take its source",
            slo.id.service,
            slo.id.name
        );
    }
    let stored = store(args, config).await?.ledger(tenant, name).await?;
    let settled = stored.settled.context("the ledger holds nothing yet")?;
    let span = span(args, None, settled)?;
    let kept::Kept { samples, slos, fine, filled } = kept::read(&stored, slos, ledger_settings(config, name), span)?;
    if span.from < fine.from {
        print::talk(format_args!(
            "note: before {} the ledger keeps longer slices than minutes; what was decided then is told less exactly",
            utc(fine.from)
        ));
    }
    Ok(History { past: Past::Samples(samples), place: "the ledger".to_owned(), span, slos, filled, left_out: Vec::new(), note: None })
}

/// The daemon's store, which may be running.
async fn store(args: &BacktestArgs, config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open_read_only(args.storage.as_ref().unwrap_or(&config.storage)).await?)
}

/// The span that is asked for; without one, all of a file, or the usual one.
fn span(args: &BacktestArgs, of_file: Option<Interval>, end: Timestamp) -> anyhow::Result<Interval> {
    let to = args.to.as_deref().map_or(Ok(end), moment)?.floor(Duration::from_secs(1));
    let last = args.last.as_deref().map(|text| duration::parse(text).with_context(|| format!("--last={text}"))).transpose()?;
    let from = match (args.from.as_deref(), last, of_file) {
        (Some(from), _, _) => moment(from)?,
        (None, Some(last), _) => to.minus(last),
        (None, None, Some(file)) => file.from,
        (None, None, None) => to.minus(USUAL),
    };
    let from = from.ceil(Duration::from_secs(1));
    if from >= to {
        match of_file {
            Some(file) if file.from == file.to => {
                bail!("all samples of the file are of {}, and a span needs a beginning and an end", utc(to))
            }
            Some(file) if args.from.is_none() || args.to.is_none() => {
                let missing = if args.to.is_none() { format!("none after {}", utc(from)) } else { format!("none before {}", utc(to)) };
                bail!("the file holds samples from {} to {}, and {missing}", utc(file.from), utc(file.to))
            }
            Some(_) | None => bail!("the span ends before it begins: it is from {} to {}", utc(from), utc(to)),
        }
    }
    Ok(Interval { from, to })
}

pub(super) fn moment(text: &str) -> anyhow::Result<Timestamp> {
    let instant: jiff::Timestamp = text.parse().with_context(|| format!("`{text}` is not a moment such as 2026-11-01T00:00:00Z"))?;
    Ok(Timestamp::from_millis(instant.as_millisecond()))
}

/// `target=99.5,99.9` or `14.4=10,12`.
fn read_changes(text: &str) -> anyhow::Result<Vec<Change>> {
    let (what, values) = text.split_once('=').with_context(|| format!("--what-if={text}: write target=99.5,99.9 or 14.4=10,12"))?;
    let factor = |text: &str| {
        Factor::parse(text.trim().trim_end_matches('x')).map_err(|_| anyhow::anyhow!("--what-if: `{text}` is not a burn rate"))
    };
    let target =
        |text: &str| Target::percent(&format!("{}%", text.trim().trim_end_matches('%'))).with_context(|| format!("--what-if: `{text}`"));
    let one = |value: &str| Ok(if what == "target" { Change::Target(target(value)?) } else { Change::Row(factor(what)?, factor(value)?) });
    values.split(',').map(one).collect()
}

/// Incidents of a file, or those that the daemon had and nobody called a false positive.
async fn read_marked(
    args: &BacktestArgs,
    config: &Config,
    tenant: &TenantId,
    known: &BTreeSet<SloId>,
) -> anyhow::Result<Option<Vec<Marked>>> {
    match args.incidents.as_deref() {
        None => Ok(None),
        Some("store") => of_store(&store(args, config).await?, tenant).await.map(Some),
        Some(file) => marked::read(&PathBuf::from(file), known).map(Some).map_err(|faults| {
            tell(&faults);
            anyhow::anyhow!("{file} does not load; `burnward explain CODE` says more of a code that stands above")
        }),
    }
}

async fn of_store(store: &Store, tenant: &TenantId) -> anyhow::Result<Vec<Marked>> {
    const AT_ONCE: usize = 200;
    let corrections = store.corrections(tenant).await?;
    let false_positives: BTreeSet<IncidentId> = corrections.into_iter().filter_map(|recorded| of_incident(recorded.what)).collect();
    let mut marked = Vec::new();
    let mut before = None;
    loop {
        let stored = store.incidents(tenant, AT_ONCE, before).await?;
        before = stored.last().map(|stored| stored.incident.opened_at);
        let whole = stored.len() == AT_ONCE;
        let burns = stored.iter().map(|stored| &stored.incident).filter(|incident| {
            incident.fault.kind == Kind::Burn && incident.fault.urgency == Urgency::Page && !false_positives.contains(&incident.id)
        });
        marked.extend(burns.filter_map(mark));
        if !whole {
            return Ok(marked);
        }
    }
}

/// The incident that a correction calls a false positive.
fn of_incident(correction: Correction) -> Option<IncidentId> {
    match correction {
        Correction::Excluded(entry) => entry.incident,
        Correction::Withdrawn { .. } => None,
    }
}
