//! `burnward check --source`: SLOs against what a source really holds. Selectors that match nothing or too much, thresholds between real buckets, metrics
//! that are younger than the window or scraped too rarely for an alert row, a source that keeps less than the window or cannot serve a kind. The questions are small (counts of series, a few instants)
//! and bounded in time; what could not be asked is said, and is no finding.

use std::{collections::BTreeSet, ops::RangeInclusive, time::Duration};

use burnward_core::{
    ledger::{Blinds, Reason, Series, Unknown, plan},
    sli::{Counted, HistogramKind, MatchOp, Matcher, Selector, Sli},
    slo::Slo,
    time::{Timestamp, minutes},
    words,
};
use futures_util::{StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use super::cost::Costs;
use crate::{
    config::PrometheusConfig,
    definition::{
        Diagnostic, Loaded,
        codes::{self, Code},
        duration, reader, row_words,
    },
    source::{
        Probe,
        prometheus::{MetricKind, Prometheus},
    },
};

/// All questions to one source take no longer.
const WITHIN: Duration = Duration::from_mins(1);
/// SLOs that are asked for at once; the source's own bound of requests holds beside it.
const AT_ONCE: usize = 8;
/// Counters of more series are read as a sum by the source.
const MOST_SERIES: u64 = 10_000;
/// More groups are counted together.
const MOST_GROUPS: usize = 1_000;
/// Values are looked at one by one up to so many series.
const LOOKED_AT: u64 = 1_000;
/// Instants of the window at which a series is looked for.
const INSTANTS: u32 = 24;
/// The newest samples are looked at within this, for how often a target is scraped.
const SCRAPES_WITHIN: Duration = minutes(15);
/// What is exact now is asked for at a multiple of this.
const NOW: Duration = Duration::from_secs(10);

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

/// One thing that a source shows to be wrong with an SLO.
#[derive(Debug)]
struct Finding {
    code: &'static Code,
    message: String,
    help: String,
    about: About,
}

/// What of an SLO a finding is about.
#[derive(Debug, Clone)]
enum About {
    /// All of it.
    Slo,
    /// A selector, as its author wrote it.
    Selector(Selector),
    /// A threshold, in seconds.
    Threshold(f64),
    /// A label of `per`.
    Label(String),
    /// All labels of `per`.
    Per,
    /// An expression.
    Expression(String),
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
    said.notes.push(format!("source {name}: {}", described(&probe)));
    said.diagnostics.extend(keeps_less(&probe, loaded));
    let asked = Asked { source: &source, probe: &probe, now };
    let questions: Vec<_> = loaded.slos.iter().map(|slo| timeout_at(deadline, asked.about(slo))).collect();
    let mut answers = stream::iter(questions).buffered(AT_ONCE);
    for (slo, done) in loaded.slos.iter().zip(0..) {
        match answers.next().await {
            Some(Ok(Ok(findings))) => {
                // A label that neither side has is missing once.
                let mut missing = Vec::new();
                for told in findings.into_iter().map(|finding| finding.at(loaded, slo)) {
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
            Some(Ok(Err(unknown))) => said.diagnostics.push(refused(&unknown, About::Slo).at(loaded, slo)),
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
        said.costs = Some(Costs::of(name, &source, &loaded.slos, tick, now).await);
    }
    said
}

fn described(probe: &Probe) -> String {
    let keeps = probe.retention.as_ref().map(|retention| format!(", keeps {retention}")).unwrap_or_default();
    let first = format!("{}{keeps}", probe.product);
    [first].into_iter().chain(probe.warnings.iter().cloned()).collect::<Vec<_>>().join("; ")
}

/// One advice for all SLOs whose window is longer than what the source keeps, at the first of them.
fn keeps_less(probe: &Probe, loaded: &Loaded) -> Option<Diagnostic> {
    let (text, keeps) = (probe.retention.as_deref()?, kept(probe)?);
    let longer: Vec<_> = loaded.slos.iter().filter(|slo| longest_window(slo) > keeps).collect();
    let longest = longer.iter().flat_map(|slo| &slo.objectives).map(|objective| &objective.window).max_by_key(|window| window.longest())?;
    let message = format!("the source keeps {text}, and {} longer windows, up to {}", have(longer.len()), words::window(longest));
    let help =
        "burnward fills in what there is, and keeps the rest of the window itself from now on; until then that time shows as not seen";
    Some(Finding { code: &codes::SOURCE_RETENTION, message, help: help.to_owned(), about: About::Slo }.at(loaded, longer[0]))
}

/// How long a source keeps samples, where it says so as a duration: `15d`, or `15d or 1GiB`.
fn kept(probe: &Probe) -> Option<Duration> {
    duration::parse(probe.retention.as_deref()?.split_whitespace().next()?).ok()
}

fn have(slos: usize) -> String {
    if slos == 1 { "1 SLO has".to_owned() } else { format!("{slos} SLOs have") }
}

fn longest_window(slo: &Slo) -> Duration {
    slo.objectives.iter().map(|objective| objective.window.longest()).max().unwrap_or_default()
}

fn refused(unknown: &Unknown, about: About) -> Finding {
    let help = "burnward would stand at CANNOT SEE with these words".to_owned();
    Finding { code: &codes::SOURCE_REFUSES, message: unknown.to_string(), help, about }
}

impl Finding {
    fn at(self, loaded: &Loaded, slo: &Slo) -> Diagnostic {
        let is_in = |keys: &[&str], key: &str| keys.first() == Some(&key);
        let place = match &self.about {
            About::Slo => None,
            About::Selector(selector) => {
                let texts = texts_of(selector);
                loaded
                    .value_of(slo, |keys, text| is_in(keys, "sli") && texts.iter().all(|part| text.contains(part)))
                    .or_else(|| Some(loaded.line_with(slo, &texts)))
            }
            About::Threshold(seconds) => {
                let is_it = |text: &str| duration::parse(text).is_ok_and(|span| span.as_secs_f64().total_cmp(seconds).is_eq());
                loaded.value_of(slo, |keys, text| matches!(keys.last(), Some(&("within" | "tolerated"))) && is_it(text))
            }
            About::Label(label) => loaded.value_of(slo, |keys, text| is_in(keys, "per") && text == label),
            About::Per => loaded.value_of(slo, |keys, _| is_in(keys, "per")),
            About::Expression(written) => loaded.value_of(slo, |keys, text| is_in(keys, "sli") && text.trim() == written),
        };
        let place = place.unwrap_or_else(|| loaded.line_with(slo, &[]));
        Diagnostic { code: self.code, message: self.message, place, related: Vec::new(), help: vec![self.help] }
    }
}

/// What the text of a selector holds, however it is spaced.
fn texts_of(selector: &Selector) -> Vec<&str> {
    let matchers = selector.matchers().iter().flat_map(|matcher| [matcher.label.as_str(), matcher.value.as_str()]);
    [selector.metric()].into_iter().chain(matchers).collect()
}

/// A selector to ask for, and how its author wrote it.
#[derive(Debug, Clone)]
struct Wanted {
    asked: Selector,
    written: Selector,
}

impl Wanted {
    fn as_written(selector: &Selector) -> Self {
        Self { asked: selector.clone(), written: selector.clone() }
    }

    fn about(&self) -> About {
        About::Selector(self.written.clone())
    }
}

/// A source that answers.
struct Asked<'a> {
    source: &'a Prometheus,
    probe: &'a Probe,
    now: Timestamp,
}

/// How many series match.
enum Matching {
    /// So many now.
    Now(u64),
    /// None now; the last ones then.
    Until(Timestamp),
    /// None in the whole window.
    Never,
}

impl Asked<'_> {
    async fn about(&self, slo: &Slo) -> Result<Vec<Finding>, Unknown> {
        if let (Some(limited), true) = (&self.probe.limited, slo.sli.step().is_none() && slo.sli.composite().is_none()) {
            let help = "count with `query` or `window`, or read from a source that gives raw samples".to_owned();
            return Ok(vec![Finding { code: &codes::SOURCE_KIND, message: limited.detail.clone(), help, about: About::Slo }]);
        }
        match &slo.sli {
            Sli::Events { counted: Counted::Bad(side) | Counted::Good(side), total } => {
                let total: Vec<Wanted> = total.iter().map(Wanted::as_written).collect();
                let mut findings = self.totals(slo, &total).await?;
                if findings.iter().all(|finding| finding.code != &codes::SOURCE_NOTHING) {
                    findings.extend(self.side(slo, side).await?);
                }
                findings.extend(self.values(side.iter().chain(total.iter().map(|total| &total.written))).await?);
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
                }
                Ok(findings)
            }
            Sli::Presence { series, .. } => self.totals(slo, &[Wanted::as_written(series)]).await,
            Sli::Window { expression, slice, .. } => self.expression(slo, expression.as_str(), *slice, &codes::SOURCE_NOTHING).await,
            Sli::Query { counted: Counted::Bad(side) | Counted::Good(side), total, step } => {
                let mut findings = self.expression(slo, total.as_str(), *step, &codes::SOURCE_NOTHING).await?;
                findings.extend(self.expression(slo, side.as_str(), *step, &codes::SOURCE_SIDE).await?);
                Ok(findings)
            }
            // Its members are asked about themselves.
            Sli::Composite(_) => Ok(Vec::new()),
        }
    }

    /// The selectors of all events: without any series nothing is known.
    async fn totals(&self, slo: &Slo, selectors: &[Wanted]) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for wanted in selectors {
            match self.matching(&wanted.asked, self.in_source(slo)).await? {
                Matching::Now(many) => {
                    findings.extend(too_many(wanted, many));
                    findings.extend(self.young(slo, wanted).await?);
                    findings.extend(self.scrapes(slo, wanted, many).await?);
                    findings.extend(self.groups(slo, wanted).await?);
                }
                Matching::Until(last) => {
                    let ago = words::duration(self.now.since(last));
                    let message = format!("{} matches nothing now; the last of it was about {ago} ago", wanted.written);
                    let help = "was the metric renamed, or its target removed? burnward would stand at CANNOT SEE".to_owned();
                    findings.push(Finding { code: &codes::SOURCE_NOTHING, message, help, about: wanted.about() });
                }
                Matching::Never => findings.push(self.never(slo, wanted).await?),
            }
        }
        Ok(findings)
    }

    /// A selector of all events without a series; where its metric exists, a matcher is at fault.
    async fn never(&self, slo: &Slo, wanted: &Wanted) -> Result<Finding, Unknown> {
        let selector = &wanted.written;
        let bare = Selector::new(wanted.asked.metric(), Vec::new());
        let exists = !selector.matchers().is_empty() && self.count(&bare.to_string()).await? > 0;
        let window = words::lookback(self.in_source(slo));
        let help = if exists {
            format!("the metric {} exists: look at the matchers", selector.metric())
        } else {
            "is the metric's name right, and is its target scraped by this source?".to_owned()
        };
        let message = format!("{selector} matches nothing, neither now nor within {window}");
        Ok(Finding { code: &codes::SOURCE_NOTHING, message, help, about: wanted.about() })
    }

    /// The side that is counted beside the total: it may be absent where nothing failed yet.
    async fn side(&self, slo: &Slo, selectors: &[Selector]) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for selector in selectors {
            match self.matching(selector, self.in_source(slo)).await? {
                Matching::Now(many) => {
                    let wanted = Wanted::as_written(selector);
                    findings.extend(too_many(&wanted, many));
                    findings.extend(self.groups(slo, &wanted).await?.into_iter().filter(|finding| finding.code == &codes::SOURCE_LABEL));
                }
                Matching::Until(_) => {}
                Matching::Never => {
                    let message = format!("{selector} matched nothing within {}", words::lookback(self.in_source(slo)));
                    let help = "right where no such event ever happened; a misspelt label looks the same".to_owned();
                    findings.push(Finding { code: &codes::SOURCE_SIDE, message, help, about: About::Selector(selector.clone()) });
                }
            }
        }
        Ok(findings)
    }

    /// Counters hold whole numbers, and only rise.
    async fn values(&self, selectors: impl Iterator<Item = &Selector>) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        for selector in selectors {
            let Some(series) = self.newest(selector, &mut findings).await? else { continue };
            let last = series.iter().filter_map(|series| series.samples.last()).map(|sample| sample.value);
            let about = About::Selector(selector.clone());
            if let Some(value) = last.into_iter().find(|value| is_no_count(*value)) {
                let message = format!("{selector} has the value {value}, which no counter of events has");
                let help = "events are whole numbers: use the counter's `_count`, or add up fractions with `query`".to_owned();
                findings.push(Finding { code: &codes::SOURCE_REFUSES, message, help, about });
            } else if let Some(why) = self.gauge(selector, &series).await? {
                let message = format!("{selector} is no counter: {why}");
                let help = "compare its value in a `window`, or count the counter that stands beside it".to_owned();
                findings.push(Finding { code: &codes::SOURCE_GAUGE, message, help, about });
            }
        }
        Ok(findings)
    }

    /// Why a metric is no counter; `None` where nothing says so.
    async fn gauge(&self, selector: &Selector, series: &[Series]) -> Result<Option<&'static str>, Unknown> {
        Ok(match self.kind(selector.metric()).await? {
            Some(MetricKind::Gauge) => Some("its targets say that it is a gauge"),
            Some(MetricKind::Counter | MetricKind::Other) => None,
            None => series.iter().any(falls_like_a_gauge).then_some("it fell again and again in the last 15 minutes, and never to nothing"),
        })
    }

    /// A probe is 0 or 1.
    async fn no_probe(&self, probe: &Selector) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        let Some(series) = self.newest(probe, &mut findings).await? else { return Ok(findings) };
        let odd = series.iter().flat_map(|series| &series.samples).map(|sample| sample.value).find(|value| ![0.0, 1.0].contains(value));
        let why = match (self.kind(probe.metric()).await?, odd) {
            (Some(MetricKind::Counter), _) => Some("its targets say that it is a counter".to_owned()),
            (Some(MetricKind::Gauge | MetricKind::Other) | None, Some(value)) => Some(format!("it has the value {value}")),
            (Some(MetricKind::Gauge | MetricKind::Other) | None, None) => None,
        };
        findings.extend(why.map(|why| {
            let message = format!("{probe} is no probe of 0 and 1: {why}; whatever is above 0 is good");
            let help = "count a counter as `events`, and compare any other value in a `window`".to_owned();
            Finding { code: &codes::SOURCE_PROBE, message, help, about: About::Selector(probe.clone()) }
        }));
        Ok(findings)
    }

    /// What the source knows of the kind of a metric; `None` where it keeps no such thing.
    async fn kind(&self, metric: &str) -> Result<Option<MetricKind>, Unknown> {
        match self.source.kind_of_metric(metric).await {
            Ok(kind) => Ok(kind),
            Err(unknown) if unknown.reason == Reason::Unreachable => Err(unknown),
            Err(_) => Ok(None),
        }
    }

    /// The newest samples, of as many series as are looked at; `None` where there are none or more. A refusal is a finding.
    async fn newest(&self, selector: &Selector, findings: &mut Vec<Finding>) -> Result<Option<Vec<Series>>, Unknown> {
        if !(1..=LOOKED_AT).contains(&self.count(&selector.to_string()).await?) {
            return Ok(None);
        }
        match self.source.read(selector, self.now.minus(SCRAPES_WITHIN), self.now).await {
            Ok(answer) => Ok(Some(answer.series)),
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => {
                findings.push(refused(&unknown, About::Selector(selector.clone())));
                Ok(None)
            }
            Err(unknown) => Err(unknown),
        }
    }

    async fn classic(&self, slo: &Slo, buckets: &Selector, thresholds: &[f64]) -> Result<Vec<Finding>, Unknown> {
        let all = buckets.with(Matcher { label: "le".to_owned(), op: MatchOp::Regex, value: "\\+Inf".to_owned() });
        let stem = buckets.metric().strip_suffix("_bucket").unwrap_or(buckets.metric());
        let written = Selector::new(stem, buckets.matchers().to_vec());
        let mut findings = self.totals(slo, &[Wanted { asked: all, written: written.clone() }]).await?;
        if findings.iter().any(|finding| finding.code == &codes::SOURCE_NOTHING) {
            if self.count(&written.to_string()).await? > 0 {
                return Ok(advised(findings, "it is a native histogram: write `buckets: native`"));
            }
            return Ok(findings);
        }
        let answer = self.at_now(&format!("count by (le) ({buckets})")).await?;
        let boundaries = plan::boundaries_of(&answer);
        for threshold in thresholds.iter().filter(|threshold| !boundaries.contains(threshold)) {
            let beside = plan::beside(*threshold, &boundaries);
            let message = format!("{threshold} s is no bucket boundary of {written}{beside}");
            let help = "choose one of the boundaries, or have the service observe into such a bucket".to_owned();
            findings.push(Finding { code: &codes::SOURCE_BUCKET, message, help, about: About::Threshold(*threshold) });
        }
        Ok(findings)
    }

    async fn native(&self, slo: &Slo, histogram: &Selector) -> Result<Vec<Finding>, Unknown> {
        let findings = self.totals(slo, &[Wanted::as_written(histogram)]).await?;
        let classic = Selector::new(&format!("{}_bucket", histogram.metric()), histogram.matchers().to_vec());
        if findings.iter().any(|finding| finding.code == &codes::SOURCE_NOTHING) && self.count(&classic.to_string()).await? > 0 {
            return Ok(advised(findings, "it is a classic histogram: remove `buckets: native`"));
        }
        Ok(findings)
    }

    /// An expression at its last two steps: it is understood, has a value, and one for each group.
    async fn expression(&self, slo: &Slo, text: &str, step: Duration, missing: &'static Code) -> Result<Vec<Finding>, Unknown> {
        let about = || About::Expression(text.trim().to_owned());
        let finding = |code, message, help: &str| Finding { code, message, help: help.to_owned(), about: about() };
        let series = match self.source.read_steps(text, self.now.minus(step * 2), self.now, step).await {
            Ok(answer) => answer.series,
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => return Ok(vec![refused(&unknown, about())]),
            Err(unknown) => return Err(unknown),
        };
        let groups: BTreeSet<Vec<&str>> =
            series.iter().map(|series| slo.per.iter().map(|label| series.labels.get(label)).collect()).collect();
        let shown = words::cut(text, 80);
        Ok(if series.is_empty() {
            vec![finding(
                missing,
                format!("{shown} has no value now"),
                "a slice without a value is unseen; a side without one is no events",
            )]
        } else if groups.len() < series.len() {
            let message = format!("{shown} has {} values for {}", series.len(), words::plural(groups.len(), "group"));
            vec![finding(&codes::SOURCE_REFUSES, message, "add them up with sum(), or name the labels that tell them apart in `per`")]
        } else {
            let has = |label: &String| series.iter().any(|series| !series.labels.get(label).is_empty());
            let missing = slo.per.iter().filter(|label| !has(label)).map(|label| no_label(&shown, label, &labels_of(&series)));
            missing.chain(too_many_groups(groups.len())).collect()
        })
    }

    /// Whether the labels of `per` are there, and make not too many groups.
    async fn groups(&self, slo: &Slo, wanted: &Wanted) -> Result<Vec<Finding>, Unknown> {
        if slo.per.is_empty() {
            return Ok(Vec::new());
        }
        let groups = self.at_now(&format!("count by ({}) ({})", slo.per.join(", "), wanted.asked)).await?;
        let missing: Vec<&String> = slo.per.iter().filter(|label| groups.iter().all(|group| group.labels.get(label).is_empty())).collect();
        let known = if missing.is_empty() { Vec::new() } else { self.newest(&wanted.asked, &mut Vec::new()).await?.unwrap_or_default() };
        let missing = missing.into_iter().map(|label| no_label(&wanted.written.to_string(), label, &labels_of(&known)));
        Ok(missing.chain(too_many_groups(groups.len())).collect())
    }

    /// Whether it has existed for most of the window.
    async fn young(&self, slo: &Slo, wanted: &Wanted) -> Result<Option<Finding>, Unknown> {
        let asked = self.in_source(slo);
        let seen = self.over(&wanted.asked, asked).await?;
        let first = seen.first().copied().unwrap_or(self.now);
        if self.now.since(first) + step_of(asked) >= asked / 2 {
            return Ok(None);
        }
        let first = self.first_seen(&wanted.asked, first, step_of(asked)).await?;
        let (age, window) = (words::duration(self.now.since(first)), words::lookback(longest_window(slo)));
        let message = format!("{} has existed for about {age}, and the window is {window}", wanted.written);
        let help = "the time before counts as not seen until the window has passed over it".to_owned();
        Ok(Some(Finding { code: &codes::SOURCE_YOUNG, message, help, about: wanted.about() }))
    }

    /// When it was seen first, to some seconds: it was at `seen`, and not a `step` before.
    async fn first_seen(&self, selector: &Selector, mut seen: Timestamp, mut step: Duration) -> Result<Timestamp, Unknown> {
        while step > NOW {
            let (query, finer) = (format!("count({selector})"), step_of(step));
            let answer = self.source.read_steps(&query, seen.minus(step), seen, finer).await?;
            let first = answer.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).min();
            (seen, step) = (first.unwrap_or(seen), finer);
        }
        Ok(seen)
    }

    /// When it was seen last, to some seconds: it was at `seen`, and not a `step` later.
    async fn last_seen(&self, selector: &Selector, mut seen: Timestamp, mut step: Duration) -> Result<Timestamp, Unknown> {
        while step > NOW {
            let (query, finer) = (format!("count({selector})"), step_of(step));
            let answer = self.source.read_steps(&query, seen, seen.plus(step).min(self.now), finer).await?;
            let last = answer.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).max();
            (seen, step) = (last.unwrap_or(seen), finer);
        }
        // A sample counts as there for some minutes more than it is.
        let newest = self.source.read(selector, seen.minus(SCRAPES_WITHIN), seen).await.ok();
        let last = newest.iter().flat_map(|answer| &answer.series).filter_map(|series| series.samples.last()).map(|sample| sample.at).max();
        Ok(last.unwrap_or(seen))
    }

    /// Whether the shortest lookback of its alert rows holds two scrapes: the median distance of the newest samples is told, of as many series as are looked at.
    async fn scrapes(&self, slo: &Slo, wanted: &Wanted, many: u64) -> Result<Option<Finding>, Unknown> {
        let rows = slo.objectives.iter().flat_map(|objective| &objective.rows);
        let Some(row) = rows.min_by_key(|row| row.short).filter(|_| many <= LOOKED_AT) else { return Ok(None) };
        let series = match self.source.read(&wanted.asked, self.now.minus(SCRAPES_WITHIN), self.now).await {
            Ok(answer) => answer.series,
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => return Ok(None),
            Err(unknown) => return Err(unknown),
        };
        Ok(distance(&series).filter(|distance| row.short < *distance * 2).map(|distance| {
            let every = words::lookback(distance);
            let selector = &wanted.written;
            let message =
                format!("{selector} is scraped about every {every}, and {} looks back {}", row_words(row), words::lookback(row.short));
            let help = "a lookback holds at least two scrapes: lengthen `short`, or scrape more often".to_owned();
            Finding { code: &codes::SOURCE_SCRAPES, message, help, about: wanted.about() }
        }))
    }

    /// The longest window of an SLO, as far as the source can hold it.
    fn in_source(&self, slo: &Slo) -> Duration {
        kept(self.probe).map_or(longest_window(slo), |keeps| keeps.min(longest_window(slo)))
    }

    async fn matching(&self, selector: &Selector, window: Duration) -> Result<Matching, Unknown> {
        let now = self.count(&selector.to_string()).await?;
        if now > 0 {
            return Ok(Matching::Now(now));
        }
        let Some(last) = self.over(selector, window).await?.last().copied() else { return Ok(Matching::Never) };
        Ok(Matching::Until(self.last_seen(selector, last, step_of(window)).await?))
    }

    /// The instants of the window at which the selector matched something.
    async fn over(&self, selector: &Selector, window: Duration) -> Result<Vec<Timestamp>, Unknown> {
        let (query, from) = (format!("count({selector})"), self.now.minus(window));
        let answer = self.source.read_steps(&query, from, self.now, step_of(window)).await?;
        Ok(answer.series.iter().flat_map(|series| &series.samples).map(|sample| sample.at).collect())
    }

    async fn count(&self, selector: &str) -> Result<u64, Unknown> {
        let counted = self.at_now(&format!("count({selector})")).await?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, which saturates")]
        Ok(counted.first().and_then(|series| series.samples.last()).map_or(0, |sample| sample.value as u64))
    }

    async fn at_now(&self, query: &str) -> Result<Vec<Series>, Unknown> {
        Ok(self.source.read_steps(query, self.now.minus(NOW), self.now, NOW).await?.series)
    }
}

/// The same findings with this advice.
fn advised(findings: Vec<Finding>, help: &str) -> Vec<Finding> {
    findings.into_iter().map(|finding| Finding { help: help.to_owned(), ..finding }).collect()
}

/// The median distance of neighbouring samples, in whole seconds; `None` where no series has two.
fn distance(series: &[Series]) -> Option<Duration> {
    let pairs = series.iter().flat_map(|one| one.samples.windows(2));
    let mut distances: Vec<u64> =
        pairs.map(|pair| pair[1].at.since(pair[0].at).as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().map(Duration::from_secs)
}

/// The spacing of the instants at which a series is looked for.
fn step_of(window: Duration) -> Duration {
    Duration::from_secs((window / INSTANTS).as_secs().max(1))
}

fn is_no_count(value: f64) -> bool {
    const COUNTS: RangeInclusive<f64> = 0.0..=9_007_199_254_740_992.0;
    !COUNTS.contains(&value) || value.fract() != 0.0
}

/// Two falls in one series, neither of them to less than half: a counter that starts anew begins near zero.
fn falls_like_a_gauge(series: &Series) -> bool {
    let falls = series.samples.windows(2).filter(|pair| pair[1].value < pair[0].value);
    let (mut many, mut all_stay_high) = (0, true);
    for pair in falls {
        many += 1;
        all_stay_high &= pair[1].value > pair[0].value / 2.0;
    }
    many >= 2 && all_stay_high
}

/// The names of all labels of these series.
fn labels_of(series: &[Series]) -> BTreeSet<String> {
    let names = series.iter().flat_map(|series| series.labels.pairs().map(|(name, _)| name.to_owned()));
    names.filter(|name| name != "__name__" && name != "le").collect()
}

fn no_label(what: &str, label: &str, known: &BTreeSet<String>) -> Finding {
    let message = format!("no series of {what} has the label `{label}`, so there is one group without a name");
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match reader::nearest(label, &known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "write a label that its series have".to_owned(),
        None => format!("its labels are: {}", known.join(", ")),
    };
    Finding { code: &codes::SOURCE_LABEL, message, help, about: About::Label(label.to_owned()) }
}

fn too_many(wanted: &Wanted, many: u64) -> Option<Finding> {
    (many > MOST_SERIES).then(|| {
        let many = words::grouped(i64::try_from(many).unwrap_or(i64::MAX));
        let message = format!("{} matches {many} series, and at most 10,000 are read one by one", wanted.written);
        let help = "add matchers, or let the source add them up with `query`".to_owned();
        Finding { code: &codes::SOURCE_TOO_MUCH, message, help, about: wanted.about() }
    })
}

fn too_many_groups(groups: usize) -> Option<Finding> {
    (groups > MOST_GROUPS).then(|| {
        let message = format!("`per` makes {groups} groups, and at most {MOST_GROUPS} are kept apart");
        let help = "the rest is counted together as (other): split by fewer labels, or narrow the selectors".to_owned();
        Finding { code: &codes::SOURCE_GROUPS, message, help, about: About::Per }
    })
}
