//! The HTTP API of Prometheus, or what speaks it.
//!
//! Counters are read as they were scraped: a range selector as an instant query with an explicit `time`. Nothing is retried here: the
//! next tick asks again, and asks for what this one missed. An answer is whole or it is `Unknown`; nothing is clamped, skipped or guessed.

mod access;
mod api;
pub mod decode;
mod names;
mod probe;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use burnward_core::{
    ledger::{Reason, Series, Unknown},
    sli::{Labels, MatchOp, Matcher, Selector},
    time::Timestamp,
};

pub use self::probe::MetricKind;
use self::{
    api::Api,
    decode::{Bounds, Points, Range, Seen},
};
use super::{Answer, Probe, http::unknown};
use crate::config::{EnforcedLabel, PrometheusConfig};

/// Prometheus refuses `query_range` beyond 11,000 points for a series.
const MAX_POINTS: u32 = 11_000;
/// A range selector is asked this much wider on the left, so that no dialect's idea of the left end loses a sample; what lies at or before
/// the asked start is then dropped.
const MARGIN: Duration = Duration::from_millis(1);

/// A question that was not asked for so long is forgotten: a tick asks the same, what catches up asks something else each time.
const KEPT: Duration = Duration::from_mins(1);

/// A client of one Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    api: Api,
    max_series: usize,
    /// Of one replica of a Thanos: its label, which series are read by and then go without.
    only: Option<Matcher>,
    /// What every question is confined to.
    enforced: Option<Box<EnforcedLabel>>,
    /// Of each expression that was asked of late, what is sent for it.
    confined: Mutex<BTreeMap<String, (Instant, Arc<str>)>>,
    /// Of each question that was asked of late, the label sets of its last answer.
    seen: Mutex<BTreeMap<String, (Instant, Arc<Seen>)>>,
}

impl Prometheus {
    /// A client as configured. Asks nothing yet. A rustls provider must be installed.
    ///
    /// # Errors
    /// A URL that is not http(s), or that holds a user, a password, a query or a fragment; a timeout of zero.
    pub fn new(config: &PrometheusConfig) -> anyhow::Result<Self> {
        let only = config.replica_label.as_ref().and_then(|label| {
            let value = label.values.first()?.clone();
            Some(Matcher { label: label.name.clone(), op: MatchOp::Equal, value })
        });
        Ok(Self {
            api: Api::new(config)?,
            max_series: config.max_series,
            only,
            enforced: config.enforced_label.clone(),
            confined: Mutex::default(),
            seen: Mutex::default(),
        })
    }

    /// Where it is, without anything secret.
    pub fn place(&self) -> String {
        let place = self.api.place();
        let matchers: Vec<String> = self.matchers().map(|matcher| matcher.to_string()).collect();
        if matchers.is_empty() { place } else { format!("{place} {{{}}}", matchers.join(",")) }
    }

    /// What each selector is narrowed by.
    fn matchers(&self) -> impl Iterator<Item = Matcher> {
        self.enforced.iter().map(|label| label.matcher()).chain(self.only.clone())
    }

    /// The selector of the series that may be seen, those of the replica alone.
    fn narrowed(&self, selector: &Selector) -> Selector {
        self.matchers().fold(selector.clone(), |selector, matcher| selector.with(matcher))
    }

    /// The expression as it is sent, so that it sees nothing else than what may be seen.
    fn confined(&self, expression: &str) -> Result<Arc<str>, Unknown> {
        let Some(label) = &self.enforced else { return Ok(expression.into()) };
        let now = Instant::now();
        let mut confined = self.confined.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = match confined.get(expression) {
            Some((_, sent)) => Arc::clone(sent),
            None => label.confine(expression).map_err(|why| self.api.at(&not_confined(label, why)))?.into(),
        };
        confined.insert(expression.to_owned(), (now, Arc::clone(&sent)));
        confined.retain(|_, (used, _)| now.duration_since(*used) < KEPT);
        Ok(sent)
    }

    /// What a question for raw series is sent with: a Thanos gives them as they were scraped, not mixed of several replicas.
    fn as_scraped<'a>(&self, mut form: Vec<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
        if self.only.is_some() {
            form.push(("dedup", "false"));
        }
        form
    }

    /// A series is the same one in every replica.
    fn without_replica(&self, mut series: Vec<Series>) -> Vec<Series> {
        if let Some(only) = &self.only {
            for one in &mut series {
                one.labels = Labels::new(one.labels.pairs().filter(|(name, _)| *name != only.label));
            }
        }
        series
    }

    /// Raw samples with `from < timestamp <= to`, series sorted by labels and samples by time. An empty span has no samples.
    ///
    /// Prometheus 2 includes the left end of a range, Prometheus 3 does not; the answer is the same from both.
    pub async fn read(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        self.read_points(selector, from, to, Points::Numbers).await
    }

    /// The same of native histograms.
    pub async fn read_histograms(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        self.read_points(selector, from, to, Points::Histograms).await
    }

    async fn read_points(&self, selector: &Selector, from: Timestamp, to: Timestamp, points: Points) -> Result<Answer, Unknown> {
        let started = Instant::now();
        if to <= from {
            return Ok(Answer { series: Vec::new(), bytes: 0, took: started.elapsed() });
        }
        let selector = self.narrowed(selector);
        let (query, time) = (format!("{selector}[{}]", duration_text(to.since(from) + MARGIN)), time_text(to)?);
        let body = self.api.post("query", &self.as_scraped(vec![("query", &query), ("time", &time)])).await?;
        let bytes = body.len();
        let bounds = Bounds { range: Range { earliest: from.minus(MARGIN), after: from, to }, max_series: self.max_series, points };
        let series = self.without_replica(self.decode(body, bounds, &selector.to_string(), Some(&selector)).await?);
        Ok(Answer { series, bytes, took: started.elapsed() })
    }

    /// Values of a query at every multiple of `step` with `from < timestamp <= to`; those of a selector are the newest samples up to then that are at
    /// most the server's lookback (5 min by default) old. Asked in pieces under the server's limit of points; the caps hold for the whole.
    pub async fn read_steps(&self, query: &str, from: Timestamp, to: Timestamp, step: Duration) -> Result<Answer, Unknown> {
        let query = self.confined(query)?;
        self.steps(vec![("query", &query)], None, (from, to, step), Points::Numbers).await
    }

    /// The same of a selector.
    pub async fn read_history(&self, selector: &Selector, from: Timestamp, to: Timestamp, step: Duration) -> Result<Answer, Unknown> {
        self.history(selector, from, to, step, Points::Numbers).await
    }

    /// The same of the native histograms of a selector.
    pub async fn read_histogram_steps(
        &self,
        selector: &Selector,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Answer, Unknown> {
        self.history(selector, from, to, step, Points::Histograms).await
    }

    async fn history(
        &self,
        selector: &Selector,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
        points: Points,
    ) -> Result<Answer, Unknown> {
        let selector = self.narrowed(selector);
        let query = selector.to_string();
        let answer = self.steps(self.as_scraped(vec![("query", &query)]), Some(&selector), (from, to, step), points).await?;
        Ok(Answer { series: self.without_replica(answer.series), ..answer })
    }

    /// `asked` begins with the query, which is this selector or an expression.
    async fn steps(
        &self,
        asked: Vec<(&str, &str)>,
        selector: Option<&Selector>,
        (from, to, step): (Timestamp, Timestamp, Duration),
        points: Points,
    ) -> Result<Answer, Unknown> {
        let started = Instant::now();
        let (query, step_asked) = (asked[0].1, duration_text(step));
        let mut gathered = Gathered::default();
        for piece in pieces(from, to, step)? {
            let (start, end) = (time_text(piece.earliest)?, time_text(piece.to)?);
            let span = [("start", start.as_str()), ("end", &end), ("step", &step_asked)];
            let form: Vec<(&str, &str)> = asked.iter().copied().chain(span).collect();
            let body = self.api.post("query_range", &form).await?;
            gathered.bytes += body.len();
            if gathered.bytes > self.api.max_bytes() {
                return Err(self.api.at(&unknown(
                    Reason::TooBig,
                    "the pieces of history together are above the cap: ask for a shorter time or a wider step",
                )));
            }
            let bounds = Bounds { range: piece, max_series: self.max_series, points };
            let series = self.decode(body, bounds, query, selector).await?;
            gathered.add(series, self.max_series).map_err(|what| self.api.at(&what))?;
        }
        Ok(Answer { bytes: gathered.bytes, series: gathered.into_series(), took: started.elapsed() })
    }

    /// True above half of a cap.
    pub fn is_near_a_cap(&self, answer: &Answer) -> bool {
        answer.bytes > self.api.max_bytes() / 2 || answer.series.len() > self.max_series / 2
    }

    /// Asks what it is like: product, clock, oldest sample, ends of ranges. Three to six cheap requests. What cannot be known is `None`
    /// with a warning.
    ///
    /// # Errors
    /// Raw samples of `up` cannot be read at all.
    pub async fn probe(&self, now: Timestamp) -> Result<Probe, Unknown> {
        probe::probe(self, now).await
    }

    /// What the targets of a metric say that it is; `None` where they say nothing, or not the same.
    ///
    /// # Errors
    /// The source does not answer, or keeps no such metadata.
    pub async fn kind_of_metric(&self, metric: &str) -> Result<Option<MetricKind>, Unknown> {
        probe::kind_of_metric(self, metric).await
    }

    /// Decodes on a thread where waiting is allowed: a large answer takes some hundredths of a second of CPU.
    /// Series that a selector did not ask for make the whole answer none.
    async fn decode(&self, body: Vec<u8>, bounds: Bounds, asked: &str, selector: Option<&Selector>) -> Result<Vec<Series>, Unknown> {
        let seen_before = self.seen_before(asked);
        let before = Arc::clone(&seen_before);
        let decoded = tokio::task::spawn_blocking(move || (decode::matrix(&body, bounds, &before), body)).await;
        let (decoded, body) = decoded.unwrap_or_else(|error| {
            let stopped = unknown(Reason::SourceError, format!("the decoder stopped: {error}"));
            (Err(stopped), Vec::new())
        });
        self.api.give_back(body);
        let (series, seen) = decoded.map_err(|what| self.api.at(&what))?;
        // The same label sets as before were looked at then.
        if let Some(selector) = selector.filter(|_| !Arc::ptr_eq(&seen_before, &seen)) {
            holds_only(selector, &series).map_err(|what| self.api.at(&what))?;
        }
        self.keep_seen(asked, seen);
        Ok(series)
    }

    fn seen_before(&self, asked: &str) -> Arc<Seen> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(asked).map(|(_, seen)| Arc::clone(seen)).unwrap_or_default()
    }

    fn keep_seen(&self, asked: &str, fresh: Arc<Seen>) {
        let now = Instant::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(asked.to_owned(), (now, fresh));
        seen.retain(|_, (used, _)| now.duration_since(*used) < KEPT);
    }
}

fn not_confined(label: &EnforcedLabel, why: &str) -> Unknown {
    unknown(Reason::BadQuery, format!("the expression cannot be confined to {} and is not sent: {why}", label.matcher()))
}

/// Refuses series of another metric or another value than was asked for, as when a proxy gives one tenant what is another's.
fn holds_only(selector: &Selector, series: &[Series]) -> Result<(), Unknown> {
    let equal = selector.matchers().iter().filter(|matcher| matcher.op == MatchOp::Equal);
    let name = Some(("__name__", selector.metric())).filter(|(_, metric)| !metric.is_empty());
    let asked: Vec<(&str, &str)> = equal.map(|matcher| (matcher.label.as_str(), matcher.value.as_str())).chain(name).collect();
    let strange = series.iter().find_map(|one| asked.iter().find(|(label, value)| one.labels.get(label) != *value));
    strange.map_or(Ok(()), |(label, value)| {
        let told =
            format!("the answer holds a series that was not asked for: its {label} is not `{value}`; is it meant for somebody else?");
        Err(unknown(Reason::Foreign, told))
    })
}

/// The pieces of a history, each of at most `MAX_POINTS` points, on multiples of `step` so that a repeated read has the same instants.
fn pieces(from: Timestamp, to: Timestamp, step: Duration) -> Result<Vec<Range>, Unknown> {
    if step < Duration::from_millis(1) {
        return Err(unknown(Reason::BadQuery, "a step of history must be at least one millisecond"));
    }
    let last = to.floor(step);
    let mut start = from.floor(step).plus(step);
    let mut pieces = Vec::new();
    while start <= last {
        let end = start.plus(step * (MAX_POINTS - 1)).min(last);
        pieces.push(Range { earliest: start, after: start.minus(Duration::from_millis(1)), to: end });
        start = end.plus(step);
    }
    Ok(pieces)
}

/// Pieces of history, put together by series.
#[derive(Debug, Default)]
struct Gathered {
    series: BTreeMap<Labels, Series>,
    bytes: usize,
}

impl Gathered {
    /// Pieces come in the order of time, so the samples of a series stay sorted.
    fn add(&mut self, piece: Vec<Series>, max_series: usize) -> Result<(), Unknown> {
        for Series { labels, samples, histograms } in piece {
            let series = self.series.entry(labels.clone()).or_insert_with(|| Series::new(labels, Vec::new()));
            series.samples.extend(samples);
            series.histograms.extend(histograms);
        }
        match self.series.len() {
            fine if fine <= max_series => Ok(()),
            many => Err(decode::too_many(many, max_series)),
        }
    }

    fn into_series(self) -> Vec<Series> {
        self.series.into_values().collect()
    }
}

/// A span as PromQL writes it.
fn duration_text(span: Duration) -> String {
    match (span.as_millis(), span.subsec_millis()) {
        (_, 0) => format!("{}s", span.as_secs()),
        (millis, _) => format!("{millis}ms"),
    }
}

/// An instant as the API reads it to the millisecond. Not as decimal seconds: those go through a float in Prometheus, are cut and not
/// rounded, and so land up to a millisecond early.
fn time_text(at: Timestamp) -> Result<String, Unknown> {
    let at = jiff::Timestamp::from_millisecond(at.millis());
    at.map(|at| at.to_string()).map_err(|_| unknown(Reason::BadQuery, "the instant asked for lies outside the years that can be written"))
}
