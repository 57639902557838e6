//! `burnward check --source`: SLOs against what a source really holds. Selectors that match nothing or too much, sides and parts of expressions that the rest
//! goes on without, thresholds between real buckets, metrics that are younger than the window or scraped too rarely for an alert row, a source that keeps
//! less than the window or cannot serve a kind. The questions are small (counts of series, a few instants) and bounded in time: some for each selector, more
//! only where something is wrong already. What could not be asked is said, and is no finding.

mod conditions;
mod expressions;
mod finding;
mod histograms;
mod names;
mod nothing;
mod questions;
mod selectors;
mod sides;
mod values;

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use burnward_core::{
    ledger::{Blinds, Unknown},
    sli::{Counted, HistogramKind, Sli},
    slo::Slo,
    time::Timestamp,
    window::Window,
    words,
};
use futures_util::{StreamExt as _, stream};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use self::{
    conditions::Condition,
    expressions::{Expressed, ToldOf, What},
    finding::{About, Finding, is_nothing},
    selectors::Wanted,
};
use super::cost::{Costs, Pace};
use crate::{
    config::PrometheusConfig,
    definition::{Diagnostic, Loaded, codes, duration, places::Values},
    source::{Probe, prometheus::Prometheus},
};

/// All questions to one source take no longer.
const WITHIN: Duration = Duration::from_mins(1);
/// SLOs that are asked for at once; the source's own bound of requests holds beside it.
const AT_ONCE: usize = 8;

/// What a source said of SLOs.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What it shows to be wrong with them.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What it is: product, retention.
    pub(super) notes: Vec<String>,
    /// Why SLOs could not be checked against it.
    pub(super) failures: Vec<String>,
    /// What a tick asks of it, where that was asked for.
    pub(super) costs: Option<Costs>,
}

/// Asks a source about SLOs; with a `tick`, also what one of that length costs.
pub(super) async fn ask(name: &str, config: &PrometheusConfig, loaded: &Loaded, tick: Option<Duration>, now: Timestamp) -> Said {
    let mut said = Said::default();
    let unchecked = |left: usize| format!("{} not checked against it", words::plural(left, "SLO"));
    let deadline = Instant::now() + WITHIN;
    let source = match Prometheus::new(config) {
        Ok(source) => source,
        Err(error) => {
            said.failures.push(format!("source {name}: {error:#}; {}", unchecked(loaded.slos.len())));
            return said;
        }
    };
    let probe = match timeout_at(deadline, source.probe(now)).await {
        Ok(Ok(probe)) => probe,
        Ok(Err(unknown)) => {
            said.failures.push(format!("source {name} cannot be asked: {unknown}; {}", unchecked(loaded.slos.len())));
            return said;
        }
        Err(_) => {
            said.failures.push(format!("source {name} did not answer within {}", duration::format(WITHIN)));
            return said;
        }
    };
    let mut values = Values::of(loaded);
    said.notes.push(format!("source {name}: {}", described(&probe)));
    said.diagnostics.extend(keeps_less(&probe, &mut values));
    let asked = Asked { source: &source, probe: &probe, now, counted: Mutex::default(), names: OnceCell::new() };
    let questions: Vec<_> = loaded.slos.iter().map(|slo| timeout_at(deadline, asked.about(slo))).collect();
    let mut answers = stream::iter(questions).buffered(AT_ONCE);
    for (slo, done) in loaded.slos.iter().zip(0..) {
        match answers.next().await {
            Some(Ok(Ok(findings))) => {
                // A label that neither side has is missing once.
                let mut missing = Vec::new();
                for finding in findings {
                    if finding.is_silenced(&mut values, slo) {
                        continue;
                    }
                    let told = finding.at(&mut values, slo);
                    let is_label = told.code == &codes::SOURCE_LABEL;
                    if is_label && missing.contains(&told.place) {
                        continue;
                    }
                    if is_label {
                        missing.push(told.place.clone());
                    }
                    said.diagnostics.push(told);
                }
            }
            Some(Ok(Err(unknown))) if unknown.reason.blinds() == Blinds::Source => {
                said.failures.push(format!("source {name} stopped answering: {unknown}; {}", unchecked(loaded.slos.len() - done)));
                return said;
            }
            Some(Ok(Err(unknown))) => said.diagnostics.push(refused(&unknown, About::Slo).at(&mut values, slo)),
            Some(Err(_)) | None => {
                let within = duration::format(WITHIN);
                said.failures
                    .push(format!("source {name} did not answer everything within {within}; {}", unchecked(loaded.slos.len() - done)));
                return said;
            }
        }
    }
    drop(answers);
    let place = |fault: &Diagnostic| (fault.place.source.name().to_owned(), fault.place.range.as_ref().map_or(0, |range| range.start));
    said.diagnostics.sort_by_cached_key(place);
    if let Some(tick) = tick {
        said.costs = Some(Costs::of(name, &source, &loaded.slos, Pace { tick, settle: config.settle }, now).await);
    }
    said
}

fn described(probe: &Probe) -> String {
    let keeps = probe.retention.as_ref().map(|retention| format!(", keeps {retention}")).unwrap_or_default();
    let first = format!("{}{keeps}", probe.product);
    [first].into_iter().chain(probe.warnings.iter().cloned()).collect::<Vec<_>>().join("; ")
}

/// One advice for all SLOs whose window is longer than what the source keeps, at the first of them.
fn keeps_less<'l>(probe: &Probe, values: &mut Values<'l>) -> Option<Diagnostic> {
    let loaded: &'l Loaded = values.loaded();
    let (text, keeps) = (probe.retention.as_deref()?, kept(probe)?);
    let longer: Vec<_> = loaded.slos.iter().filter(|slo| longest_window(slo) > keeps).collect();
    let longest = longer.iter().flat_map(|slo| &slo.objectives).map(|objective| &objective.window).max_by_key(|window| window.longest())?;
    let message = format!("the source keeps {text}, and {} longer windows, up to {}", have(longer.len()), words::window(longest));
    let help =
        "burnward fills in what there is, and keeps the rest of the window itself from now on; until then that time shows as not seen";
    Some(Finding { code: &codes::SOURCE_RETENTION, message, help: help.to_owned(), about: About::Slo }.at(values, longer[0]))
}

/// How long a source keeps samples, where it says so as a duration: `15d`, or `15d or 1GiB`.
fn kept(probe: &Probe) -> Option<Duration> {
    duration::parse(probe.retention.as_deref()?.split_whitespace().next()?).ok()
}

fn have(slos: usize) -> String {
    if slos == 1 { "1 SLO has".to_owned() } else { format!("{slos} SLOs have") }
}

/// The longest window of an SLO within a sentence: `30d`, `a calendar month`.
fn longest_in_words(slo: &Slo) -> String {
    let longest = slo.objectives.iter().map(|objective| &objective.window).max_by_key(|window| window.longest());
    match longest {
        Some(Window::Calendar { period, .. }) => format!("a calendar {}", period.word()),
        Some(Window::Rolling(length)) => words::lookback(*length),
        None => words::lookback(Duration::ZERO),
    }
}

fn longest_window(slo: &Slo) -> Duration {
    slo.objectives.iter().map(|objective| objective.window.longest()).max().unwrap_or_default()
}

fn refused(unknown: &Unknown, about: About) -> Finding {
    let help = "burnward would stand at CANNOT SEE with these words".to_owned();
    Finding { code: &codes::SOURCE_REFUSES, message: unknown.to_string(), help, about }
}

/// A source that answers.
struct Asked<'a> {
    source: &'a Prometheus,
    probe: &'a Probe,
    now: Timestamp,
    /// What was counted so far.
    counted: Mutex<questions::Counted>,
    /// The names of its metrics, once somebody asked for them.
    names: OnceCell<BTreeSet<String>>,
}

impl Asked<'_> {
    async fn about(&self, slo: &Slo) -> Result<Vec<Finding>, Unknown> {
        if let (Some(limited), true) = (&self.probe.limited, slo.sli.step().is_none() && slo.sli.composite().is_none()) {
            let help = "count with `query` or `window`, or read from a source that gives raw samples".to_owned();
            return Ok(vec![Finding { code: &codes::SOURCE_KIND, message: limited.detail.clone(), help, about: About::Slo }]);
        }
        match &slo.sli {
            Sli::Events { counted, total } => {
                let (Counted::Bad(side) | Counted::Good(side)) = counted;
                let mut findings = self.totals(slo, &total.iter().map(Wanted::as_written).collect::<Vec<_>>()).await?;
                findings.extend(if findings.iter().any(is_nothing) {
                    self.side_without_total(slo, counted, total).await?
                } else {
                    self.side(slo, counted, total).await?
                });
                if findings.iter().all(|finding| finding.code != &codes::SOURCE_TOO_MUCH) {
                    findings.extend(self.together(slo).await?);
                }
                findings.extend(self.values(side.iter().chain(total)).await?);
                Ok(findings)
            }
            Sli::Latency { buckets, kind: HistogramKind::Classic, within, tolerated } => {
                let thresholds: Vec<f64> = [Some(*within), *tolerated].into_iter().flatten().collect();
                self.classic(slo, buckets, &thresholds).await
            }
            Sli::Latency { buckets, kind: HistogramKind::Native, .. } => self.native(slo, buckets).await,
            Sli::Probe { probes } => {
                let probes: Vec<Wanted> = probes.iter().map(Wanted::as_written).collect();
                let mut findings = self.totals(slo, &probes).await?;
                for probe in &probes {
                    findings.extend(self.no_probe(&probe.asked).await?);
                    findings.extend(self.never_good(slo, &probe.asked).await?);
                }
                Ok(findings)
            }
            Sli::Presence { series, .. } => self.totals(slo, &[Wanted::as_written(series)]).await,
            Sli::Window { expression, is, threshold, slice } => {
                let (text, slice) = (expression.as_str(), *slice);
                let expressed = Expressed { text, step: slice, what: What::All };
                let mut findings = self.expression(slo, expressed, &mut ToldOf::default()).await?;
                findings.extend(self.condition(slo, Condition { text, is: *is, threshold: *threshold, slice }).await?);
                Ok(findings)
            }
            Sli::Query { counted, total, step } => {
                let (what, side) = match counted {
                    Counted::Good(side) => (What::Good, side),
                    Counted::Bad(side) => (What::Bad, side),
                };
                let mut said = ToldOf::default();
                let total = Expressed { text: total.as_str(), step: *step, what: What::All };
                let mut findings = self.expression(slo, total, &mut said).await?;
                findings.extend(self.expression(slo, Expressed { text: side.as_str(), step: *step, what }, &mut said).await?);
                Ok(findings)
            }
            // Its members are asked about themselves.
            Sli::Composite(_) => Ok(Vec::new()),
        }
    }
}
