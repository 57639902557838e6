//! SLOs from a Prometheus, with targets from its last weeks.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use burnward_core::{
    id::{SourceName, TeamName},
    ledger::Unknown,
    sli::{MatchOp, Matcher, Selector},
    slo::Slo,
    time::{days, hours},
    window::Interval,
    words,
};
use tokio::time::{Instant, timeout_at};

use super::{Asked, InitArgs, PROPOSAL, Proposal, nothing_found, said, usual_alerting, usual_target};
use crate::{
    cli::{backtest::moment, bar::Bar, import},
    clock::Clock,
    config::{Config, PrometheusConfig, SourceConfig},
    definition::{self, duration},
    metrics::Metrics,
    proposal::{
        Candidate, Family, Indicator,
        candidate::{self, Found, Wanted},
        catalogue::{Catalogue, Listed},
        document::{self, Draft, Proposed, one_line},
        family::MOST_VALUES,
        measure::{Measure, TICK},
        reason::{self, Reasoned},
    },
    report::words::utc,
    source::{Source, prometheus::Prometheus, replicas::Replicas},
};

/// What is looked at without `--last`.
const USUAL: Duration = days(30);
/// All questions together take no longer.
const WITHIN: Duration = Duration::from_mins(4);
/// Jobs that are shown where one is to be chosen.
const JOBS_SHOWN: usize = 20;

/// A Prometheus that is asked.
struct Asking<'a> {
    /// As the configuration calls it, or its place.
    name: String,
    settings: PrometheusConfig,
    prometheus: Prometheus,
    span: Interval,
    deadline: Instant,
    args: &'a InitArgs,
}

/// Proposes SLOs of what a source has.
pub(super) async fn propose(named: &str, args: &InitArgs, config: Option<&Config>) -> anyhow::Result<Proposal> {
    let last = args.last.as_deref().map(|text| duration::parse(text).with_context(|| format!("--last={text}"))).transpose()?;
    let settings = settings_of(named, config)?;
    let prometheus = Prometheus::new(&settings)?;
    let name = if named.contains("://") { prometheus.place() } else { named.to_owned() };
    let to = args.to.as_deref().map_or_else(|| Ok(Clock::Wall.now()), moment)?.floor(Duration::from_secs(1));
    let span = Interval { from: to.minus(last.unwrap_or(USUAL)), to };
    Asking { name, settings, prometheus, span, deadline: Instant::now() + WITHIN, args }.propose(config).await
}

/// A Prometheus at a URL, or one of the configuration.
fn settings_of(named: &str, config: Option<&Config>) -> anyhow::Result<PrometheusConfig> {
    if named.contains("://") {
        return Ok(PrometheusConfig::at(named));
    }
    let default = Config::default();
    let sources = &config.unwrap_or(&default).sources;
    let source = SourceName::parse(named).ok().and_then(|name| sources.get(&name));
    match source {
        Some(SourceConfig::Prometheus(settings)) => Ok(settings.clone()),
        Some(SourceConfig::Scrape(_)) => {
            bail!("source {named} is targets that burnward scrapes itself, which keep no history: name one of them as --metrics=URL")
        }
        None => {
            let known: Vec<String> = sources.keys().map(ToString::to_string).collect();
            let known = if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", known.join(", ")) };
            bail!("`{}` is neither a URL with http:// nor a source of burnward.yaml: {known}", one_line(&words::cut(named, 80)))
        }
    }
}

impl Asking<'_> {
    async fn propose(&self, config: Option<&Config>) -> anyhow::Result<Proposal> {
        let probe = self.within(self.prometheus.probe(Clock::Wall.now())).await?;
        if let Some(limited) = &probe.limited {
            bail!("{}: {}", self.name, limited.detail);
        }
        let only = self.only(self.args.job.as_deref());
        let listed = self.within(self.catalogue(&only).list()).await?;
        ensure!(listed.metrics > 0, self.nothing_there(&only).await?);
        let job = match &self.args.job {
            Some(job) => Some(job.clone()),
            None => self.only_job(&listed)?,
        };
        let asked = Asked::new(self.args, job.as_deref(), config);
        let found = self.find(listed.clone(), &only, &asked).await?;
        let looked = words::plural(listed.metrics, "metric");
        if !asked.names_a_metric() && found.proposed.iter().all(|candidate| matches!(candidate.indicator, Indicator::Probe { .. })) {
            self.is_alive(&only).await?;
        }
        ensure!(!found.proposed.is_empty(), nothing_found(&self.name, &looked, &found, self.args));
        let mut slos = Vec::new();
        for candidate in found.proposed {
            slos.push(self.measure(candidate, config).await?);
        }
        let about = format!(
            "Proposed by `burnward init` from {}{}, by its samples up to {}. Read it and change what is wrong; `burnward check` says what is missing.",
            self.name,
            job.map(|job| format!(", job {job}")).unwrap_or_default(),
            utc(self.span.to)
        );
        let keeps = probe.retention.map(|retention| format!(", keeps {retention}")).unwrap_or_default();
        let left_out = match listed.left_out {
            0 => String::new(),
            more => format!("; {more} that may tell something were not looked at: narrow with --match"),
        };
        let first = format!("{}: {}{keeps}, {looked}{left_out}", self.name, probe.product);
        Ok(Proposal {
            text: asked.document(&[about], &slos)?,
            service: asked.service.clone(),
            team: asked.team.clone(),
            slos,
            notes: [first].into_iter().chain(probe.warnings).chain(found.unused).collect(),
            others: found.others,
        })
    }

    /// Waits for a question as long as there is time for all of them.
    async fn within<T>(&self, question: impl Future<Output = Result<T, Unknown>>) -> anyhow::Result<T> {
        match timeout_at(self.deadline, question).await {
            Ok(answer) => answer.map_err(|unknown| anyhow::anyhow!("{} cannot be asked: {unknown}", self.name)),
            Err(_) => bail!("{} did not answer everything within {}: narrow with --job or --match", self.name, duration::format(WITHIN)),
        }
    }

    fn catalogue<'c>(&'c self, only: &'c Selector) -> Catalogue<'c> {
        Catalogue { source: &self.prometheus, span: self.span, only }
    }

    /// What is asked for, of this job.
    fn only(&self, job: Option<&str>) -> Selector {
        let matching = self.args.matching.clone().unwrap_or_else(|| Selector::new("", Vec::new()));
        match job {
            Some(job) => matching.with(Matcher { label: "job".to_owned(), op: MatchOp::Equal, value: job.to_owned() }),
            None => matching,
        }
    }

    /// Why nothing was found, with the jobs that there are.
    async fn nothing_there(&self, only: &Selector) -> anyhow::Result<String> {
        let all = Selector::new("", Vec::new());
        let jobs = self.within(self.prometheus.label_values("job", &all, self.span.from, self.span.to)).await?;
        let jobs: Vec<String> = jobs.iter().map(|job| one_line(job)).collect();
        let there = if jobs.is_empty() { String::new() } else { format!("; its jobs are {}", words::list(&jobs, JOBS_SHOWN)) };
        let last = words::lookback(self.span.length());
        Ok(format!("{} has no series that {} matches in the last {last}{there}", self.name, one_line(&only.to_string())))
    }

    /// That a scrape of what is asked for ever worked.
    ///
    /// # Errors
    /// The jobs of which each scrape failed, where that is all that there is.
    async fn is_alive(&self, only: &Selector) -> anyhow::Result<()> {
        let up = Selector::new("up", only.matchers().to_vec());
        let mut best: BTreeMap<String, f64> = BTreeMap::new();
        // What is younger than an hour is not seen at full hours.
        let last_hour = self.span.to.minus(hours(1)).max(self.span.from);
        for (from, step) in [(self.span.from, hours(1)), (last_hour, TICK)] {
            let query = format!("max by (job) ({up})");
            let answer = self.within(self.prometheus.read_steps(&query, from, self.span.to, step)).await?;
            for series in &answer.series {
                let most = series.samples.iter().map(|sample| sample.value).fold(0.0, f64::max);
                let job = best.entry(series.labels.get("job").to_owned()).or_default();
                *job = job.max(most);
            }
        }
        let dead: Vec<String> = best.iter().filter(|(_, most)| **most == 0.0).map(|(job, _)| format!("`{}`", one_line(job))).collect();
        ensure!(
            dead.is_empty() || dead.len() < best.len(),
            "{}: each scrape of {} failed in the last {}, so there are no metrics of it: its page of targets says why",
            self.name,
            words::list(&dead, JOBS_SHOWN),
            words::lookback(self.span.length())
        );
        Ok(())
    }

    /// The job of what can be proposed, where it is one.
    fn only_job(&self, listed: &Listed) -> anyhow::Result<Option<String>> {
        let found =
            candidate::find(&listed.families, Wanted { service: "", matchers: &[], metric: self.args.metric(), native: &listed.native });
        let metrics: BTreeSet<&str> =
            found.proposed.iter().map(|candidate| candidate.indicator.metric()).chain(found.others.iter().map(String::as_str)).collect();
        let mut jobs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for family in &listed.families {
            let metric = family.name.strip_suffix("_bucket").unwrap_or(&family.name);
            for job in family.labels.get("job").into_iter().flatten().filter(|_| metrics.contains(metric)) {
                jobs.entry(job).or_default().insert(metric);
            }
        }
        let mut names = jobs.keys();
        match (names.next(), names.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => Ok(Some((*only).to_owned())),
            (Some(_), Some(_)) => bail!("{}", self.several(&jobs)),
        }
    }

    fn several(&self, jobs: &BTreeMap<&str, BTreeSet<&str>>) -> String {
        let line = |(job, metrics): (&&str, &BTreeSet<&str>)| {
            let metrics: Vec<String> = metrics.iter().map(|metric| one_line(metric)).collect();
            format!("\n  --job='{}'  {}", one_line(&words::cut(job, 60)), words::list(&metrics, 4))
        };
        let shown: String = jobs.iter().take(JOBS_SHOWN).map(line).collect();
        let more = match jobs.len().saturating_sub(JOBS_SHOWN) {
            0 => String::new(),
            more => format!("\n  and {more} more"),
        };
        let many = if jobs.len() >= MOST_VALUES { "at least " } else { "" };
        format!(
            "{} has metrics for SLOs of {many}{} jobs, and a document is of one service: choose one{shown}{more}",
            self.name,
            jobs.len()
        )
    }

    /// What can be proposed, with thresholds by how durations were spread.
    async fn find(&self, mut listed: Listed, only: &Selector, asked: &Asked<'_>) -> anyhow::Result<Found> {
        let find = |families: &[Family], native: &BTreeSet<String>| candidate::find(families, asked.wanted(native));
        let found = find(&listed.families, &listed.native);
        for candidate in &found.proposed {
            if let Indicator::Latency { histogram, native: false, .. } = &candidate.indicator {
                let bucket = format!("{}_bucket", histogram.metric());
                if let Some(family) = listed.families.iter_mut().find(|family| family.name == bucket) {
                    self.within(self.catalogue(only).spread(family)).await?;
                }
            }
        }
        let mut found = find(&listed.families, &listed.native);
        if found.proposed.is_empty() && self.args.matching.is_none() && self.args.job.is_some() {
            found.proposed.push(candidate::reachable(asked.called(), &asked.matchers));
            found
                .unused
                .push("none of its metrics tells good events from bad: what is left is whether its targets can be scraped".to_owned());
        }
        Ok(found)
    }

    /// A candidate with the target that its last weeks suggest.
    async fn measure(&self, candidate: Candidate, config: Option<&Config>) -> anyhow::Result<Proposed> {
        let usual = usual_target(&candidate.indicator);
        let mut proposed = Proposed {
            alerting: usual_alerting(&candidate.indicator),
            candidate,
            target: usual.to_owned(),
            why: Vec::new(),
            evidence: None,
        };
        let slo = slo_of(&proposed)?;
        let tick = config.map_or(TICK, |config| config.tick.max(TICK));
        let config = Arc::new(Config { tick, ..config.cloned().unwrap_or_default() });
        // One that is named by its URL is read as one that the configuration does not know.
        let name = SourceName::parse(&self.name).or_else(|_| SourceName::parse("main"))?;
        let measure = Measure { prometheus: &self.prometheus, name: &name, config: &config, span: self.span };
        let source = Source::Prometheus(Replicas::new(&self.settings, Metrics::default().source(&name))?);
        let total = proposed.candidate.indicator.total();
        let bar = Bar::new(&format!("init: {}", proposed.candidate.name), self.span);
        // What is not lived through is as if it were done.
        let passed = |passed, of| bar.passed(self.span.length().saturating_sub(of) + passed);
        let measured = timeout_at(self.deadline, measure.of(&slo, &total, source, passed)).await;
        bar.end();
        let why_not = match measured {
            Ok(Ok(Ok(evidence))) => {
                let failed = !matches!(proposed.candidate.indicator, Indicator::Events { failed: false, .. });
                let Reasoned { target, why } = reason::of(&evidence, failed, usual);
                (proposed.target, proposed.why, proposed.evidence) = (target, why, Some(evidence));
                return Ok(proposed);
            }
            Ok(Ok(Err(why))) => why,
            Ok(Err(unknown)) => bail!("{} stopped answering: {unknown}", self.name),
            Err(_) => format!("not done within {}: take a shorter time, such as --last=7d", duration::format(WITHIN)),
        };
        proposed.why = vec![format!("A usual target, not measured: {why_not}. {}", reason::allows(usual))];
        Ok(proposed)
    }
}

/// The SLO of a proposal, told to people who are there in every configuration.
fn slo_of(proposed: &Proposed) -> anyhow::Result<Arc<Slo>> {
    let service = burnward_core::id::ServiceName::parse("service")?;
    let team: TeamName = crate::config::Operators::team_name();
    let draft =
        Draft { schema: "", about: &[], service: Some(&service), team: Some(&team), runbook: None, slos: std::slice::from_ref(proposed) };
    let text = document::text(&draft).map_err(|faults| said(&faults, PROPOSAL))?;
    let loaded = definition::read_texts([(std::path::PathBuf::from("proposal.yaml"), text)], &import::unchecked()?);
    let faults: Vec<_> = loaded.diagnostics().cloned().collect();
    loaded.slos.into_iter().next().ok_or_else(|| said(&faults, PROPOSAL))
}
