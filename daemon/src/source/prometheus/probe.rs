//! What a Prometheus is like: asked at the start and by `doctor`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use burnward_core::{
    ledger::{Reason, Unknown},
    sli::{MatchOp, Matcher, Selector},
    time::Timestamp,
};
use serde::Deserialize;

use super::{Prometheus, decode};
use crate::source::{Answer, Probe};

/// How far back a target is looked for: a few scrapes of the slowest usual interval.
const RECENT: Duration = Duration::from_mins(5);
/// The step of what is tried where raw samples are refused.
const STEP: Duration = Duration::from_mins(1);
/// The width of the range whose left end is tried.
const TRIED: Duration = Duration::from_secs(1);
/// A skew above this is told.
const TOLD_SKEW_MILLIS: i64 = 5_000;

pub(super) async fn probe(source: &Prometheus, now: Timestamp) -> Result<Probe, Unknown> {
    let mut warnings = Vec::new();
    let (recent, limited) = match source.read(&Selector::new("up", Vec::new()), now.minus(RECENT), now).await {
        Ok(recent) => (Some(recent), None),
        Err(why) => (None, Some(limit(source, why, now).await?)),
    };
    let probe = Probe {
        product: product(source, &mut warnings).await,
        skew_millis: skew(source, now, &mut warnings).await,
        oldest: oldest(source, now).await,
        retention: retention(source).await,
        left_closed: match &recent {
            Some(recent) => left_closed(source, recent, &mut warnings).await,
            None => None,
        },
        limited,
        warnings: Vec::new(),
    };
    if source.api.shows_its_secret() {
        warnings.push("the token or password travels over plain http and can be read on the way: use https".to_owned());
    }
    if let Some(why) = &probe.limited {
        warnings.push(format!("it is limited to `window` and `query`: {}", why.detail));
    }
    Ok(Probe { warnings, ..probe })
}

/// Whether the source evaluates expressions although it gives no raw samples: why SLOs of those cannot be counted.
///
/// # Errors
/// It does not do that either, or the failure is one that passes.
async fn limit(source: &Prometheus, why: Unknown, now: Timestamp) -> Result<Unknown, Unknown> {
    let refuses = matches!(why.reason, Reason::BadQuery | Reason::SourceError | Reason::BadJson | Reason::BadType | Reason::Denied);
    if !refuses || source.read_steps("up", now.minus(RECENT), now, STEP).await.is_err() {
        return Err(why);
    }
    let detail = format!(
        "the source gives no raw samples, which `events`, `latency` and `probe` need ({}); count with `query` or `window`",
        why.detail
    );
    Ok(Unknown::new(Reason::NoRaw, detail))
}

#[derive(Deserialize)]
struct BuildInfo {
    /// Absent in VictoriaMetrics.
    #[serde(default)]
    version: Option<String>,
    /// Mimir's name for itself.
    #[serde(default)]
    application: Option<String>,
}

async fn product(source: &Prometheus, warnings: &mut Vec<String>) -> String {
    let answer = source.api.get("status/buildinfo").await;
    match answer.and_then(|body| decode::plain::<BuildInfo>(&body)) {
        Ok(BuildInfo { version: Some(version), application }) => format!("{} {version}", application.as_deref().unwrap_or("prometheus")),
        Ok(BuildInfo { version: None, application }) => application.unwrap_or_else(|| "something that speaks Prometheus's API".to_owned()),
        Err(why) => {
            warnings.push(format!("product and version are not known ({why})"));
            "unknown".to_owned()
        }
    }
}

/// Its clock minus ours: an answer to a question without a time is stamped with the server's own, to the millisecond by Prometheus, to the second by
/// VictoriaMetrics (whose `time()` itself is 30 s behind that). Half of the way there and back is taken off.
async fn skew(source: &Prometheus, now: Timestamp, warnings: &mut Vec<String>) -> Option<i64> {
    let sent = Instant::now();
    let answer = source.api.post("query", &[("query", "time()")]).await;
    let ours = now.plus(sent.elapsed() / 2);
    match answer.and_then(|body| decode::plain::<Now>(&body)) {
        Ok(Now { result }) => {
            let skew = decode::instant(result.stamp()?)?.millis() - ours.millis();
            if skew.abs() > TOLD_SKEW_MILLIS {
                warnings.push(format!("its clock is {} s {} ours", skew.abs() / 1000, if skew > 0 { "ahead of" } else { "behind" }));
            }
            Some(skew)
        }
        Err(why) => {
            warnings.push(format!("its clock cannot be read ({why})"));
            None
        }
    }
}

#[derive(Deserialize)]
struct Now {
    result: NowResult,
}

/// Prometheus answers with a scalar, VictoriaMetrics with a vector of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum NowResult {
    Scalar((f64, String)),
    Vector(Vec<NowSample>),
}

#[derive(Deserialize)]
struct NowSample {
    value: (f64, String),
}

impl NowResult {
    /// When the server says that it answered, in seconds.
    fn stamp(&self) -> Option<f64> {
        match self {
            Self::Scalar((at, _)) => Some(*at),
            Self::Vector(samples) => samples.first().map(|sample| sample.value.0),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeInfo {
    storage_retention: String,
}

/// The oldest sample, where the source watches itself.
async fn oldest(source: &Prometheus, now: Timestamp) -> Option<Timestamp> {
    let metric = Selector::new("prometheus_tsdb_lowest_timestamp_seconds", Vec::new());
    let answer = source.read(&metric, now.minus(RECENT), now).await.ok()?;
    answer.series.iter().filter_map(|series| series.samples.last()).filter_map(|sample| decode::instant(sample.value)).min()
}

/// What targets say that a metric is; `None` where they say nothing, or not the same.
pub(super) async fn kind_of_metric(source: &Prometheus, metric: &str) -> Result<Option<MetricKind>, Unknown> {
    let body = source.api.get_with("metadata", &[("metric", metric)]).await?;
    let said = decode::plain::<BTreeMap<String, Vec<Metadata>>>(&body).unwrap_or_default();
    let kinds: BTreeSet<MetricKind> = said.into_values().flatten().map(|one| one.kind).collect();
    Ok(kinds.first().copied().filter(|_| kinds.len() == 1))
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "type")]
    kind: MetricKind,
}

/// What a target says that a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// It only rises, but for restarts.
    Counter,
    /// It rises and falls.
    Gauge,
    /// Another kind, or one that is not said.
    #[serde(other)]
    Other,
}

/// How long it keeps samples, in its own words.
async fn retention(source: &Prometheus) -> Option<String> {
    let info = source.api.get("status/runtimeinfo").await.and_then(|body| decode::plain::<RuntimeInfo>(&body));
    info.ok().map(|info| info.storage_retention).filter(|retention| !retention.is_empty())
}

/// Tries it: a range that begins exactly at a known sample either holds it or not.
async fn left_closed(source: &Prometheus, recent: &Answer, warnings: &mut Vec<String>) -> Option<bool> {
    let Some((selector, at)) = known_sample(recent) else {
        warnings.push(
            "no sample of `up` within 5 minutes: the ends of ranges could not be tried, and targets that are down cannot be seen"
                .to_owned(),
        );
        return None;
    };
    match source.holds_its_left_end(&selector, at).await {
        Ok(closed) => Some(closed),
        Err(why) => {
            warnings.push(format!("the ends of ranges could not be tried ({why})"));
            None
        }
    }
}

/// The newest sample of the first series, and a selector of that series alone.
fn known_sample(recent: &Answer) -> Option<(Selector, Timestamp)> {
    let series = recent.series.first()?;
    let at = series.samples.last()?.at;
    let matchers = series.labels.pairs().filter(|(label, _)| *label != "__name__");
    let matchers = matchers.map(|(label, value)| Matcher { label: label.to_owned(), op: MatchOp::Equal, value: value.to_owned() });
    Some((Selector::new("up", matchers.collect()), at))
}

impl Prometheus {
    async fn holds_its_left_end(&self, selector: &Selector, at: Timestamp) -> Result<bool, Unknown> {
        let to = at.plus(TRIED);
        let selector = self.narrowed(selector);
        let (query, time) = (format!("{selector}[{}]", super::duration_text(TRIED)), super::time_text(to)?);
        let body = self.api.post("query", &self.as_scraped(vec![("query", &query), ("time", &time)])).await?;
        let range = decode::Range { earliest: at, after: at.minus(Duration::from_millis(1)), to };
        let bounds = decode::Bounds { range, max_series: self.max_series, points: decode::Points::Numbers };
        let series = self.decode(body, bounds, &query, Some(&selector)).await?;
        Ok(series.iter().flat_map(|series| &series.samples).any(|sample| sample.at == at))
    }
}
