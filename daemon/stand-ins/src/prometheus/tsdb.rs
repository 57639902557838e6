//! Series in memory, and the few queries that the stand-in answers: plain selectors, how many series they match, at an instant or
//! in a range before it, and `time()`.

use std::{collections::BTreeMap, time::Duration};

use promql_parser::{
    label::Matchers,
    parser::{Expr, LabelModifier, VectorSelector, parse},
};

/// How far an instant looks back for a sample, as in Prometheus.
const LOOKBACK_MILLIS: i64 = 300_000;

/// A label set by name.
pub type LabelSet = BTreeMap<String, String>;

/// A query that was understood.
#[derive(Debug)]
pub(super) enum Query {
    /// `name{...}[5m]`
    Range(VectorSelector, i64),
    /// `name{...}`
    Instant(VectorSelector),
    /// `count by (a, b) (name{...})`
    Count(VectorSelector, Vec<String>),
    /// `count(last_over_time(name{...}[1h]))`
    CountOver(VectorSelector, i64),
    /// `time()`
    Time,
}

impl Query {
    /// The query of a text; the error is the API's message.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match parse(text)? {
            Expr::MatrixSelector(matrix) => Ok(Self::Range(plain(matrix.vs)?, millis(matrix.range))),
            Expr::VectorSelector(selector) => plain(selector).map(Self::Instant),
            Expr::Aggregate(aggregate) if aggregate.op.to_string() == "count" => match (*aggregate.expr, aggregate.modifier) {
                (Expr::VectorSelector(selector), None) => Ok(Self::Count(plain(selector)?, Vec::new())),
                (Expr::VectorSelector(selector), Some(LabelModifier::Include(by))) => Ok(Self::Count(plain(selector)?, by.labels)),
                (Expr::Call(call), None) if call.func.name == "last_over_time" => match call.args.args.into_iter().next().map(|arg| *arg) {
                    Some(Expr::MatrixSelector(matrix)) => Ok(Self::CountOver(plain(matrix.vs)?, millis(matrix.range))),
                    _ => Err(format!("the stand-in knows last_over_time of plain selectors, not `{text}`")),
                },
                _ => Err(format!("the stand-in counts the series of plain selectors, not `{text}`")),
            },
            Expr::Call(call) if call.func.name == "time" => Ok(Self::Time),
            _ => Err(format!("the stand-in answers plain selectors, counts of them and time(), not `{text}`")),
        }
    }
}

fn plain(selector: VectorSelector) -> Result<VectorSelector, String> {
    match (&selector.offset, &selector.at, selector.matchers.or_matchers.is_empty()) {
        (None, None, true) => Ok(selector),
        _ => Err("the stand-in knows no offset, no @ and no `or` between matchers".to_owned()),
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A series of an answer: labels, and samples in the order of time.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) labels: LabelSet,
    pub(super) samples: Vec<(i64, f64)>,
}

/// All series.
#[derive(Debug, Default)]
pub(super) struct Tsdb {
    series: BTreeMap<LabelSet, BTreeMap<i64, f64>>,
    /// Whether a range leaves out its left end, as Prometheus 3 does.
    pub(super) left_open: bool,
}

impl Tsdb {
    pub(super) fn push(&mut self, labels: LabelSet, at_millis: i64, value: f64) {
        self.series.entry(labels).or_default().insert(at_millis, value);
    }

    /// Raw samples up to `to`, `range` wide.
    pub(super) fn range(&self, selector: &VectorSelector, range: i64, to: i64) -> Vec<Found> {
        let from = to - range + i64::from(self.left_open);
        let found = self.matching(selector).map(|(labels, samples)| Found {
            labels: labels.clone(),
            samples: if from > to { Vec::new() } else { samples.range(from..=to).map(|(at, value)| (*at, *value)).collect() },
        });
        found.filter(|found| !found.samples.is_empty()).collect()
    }

    /// The newest value at each of `instants`, at most five minutes old, under the instant's own timestamp.
    pub(super) fn at(&self, selector: &VectorSelector, instants: &[i64]) -> Vec<Found> {
        let found = self.matching(selector).map(|(labels, samples)| Found {
            labels: labels.clone(),
            samples: instants.iter().filter_map(|at| newest(samples, *at).map(|value| (*at, value))).collect(),
        });
        found.filter(|found| !found.samples.is_empty()).collect()
    }

    /// How many series have a value at each of `instants`, by these labels.
    pub(super) fn count(&self, selector: &VectorSelector, by: &[String], instants: &[i64]) -> Vec<Found> {
        let mut counts: BTreeMap<LabelSet, BTreeMap<i64, f64>> = BTreeMap::new();
        for Found { labels, samples } in self.at(selector, instants) {
            let group = labels.into_iter().filter(|(name, _)| by.contains(name)).collect();
            let group = counts.entry(group).or_default();
            for (at, _) in samples {
                *group.entry(at).or_default() += 1.0;
            }
        }
        counts.into_iter().map(|(labels, counts)| Found { labels, samples: counts.into_iter().collect() }).collect()
    }

    /// How many series have a sample in the range before each of `instants`.
    pub(super) fn count_over(&self, selector: &VectorSelector, range: i64, instants: &[i64]) -> Vec<Found> {
        let counts: Vec<(i64, usize)> = instants.iter().map(|at| (*at, self.range(selector, range, *at).len())).collect();
        let samples: Vec<(i64, f64)> =
            counts.into_iter().filter(|(_, series)| *series > 0).map(|(at, series)| (at, series as f64)).collect();
        if samples.is_empty() { Vec::new() } else { vec![Found { labels: LabelSet::new(), samples }] }
    }

    fn matching(&self, selector: &VectorSelector) -> impl Iterator<Item = (&LabelSet, &BTreeMap<i64, f64>)> {
        self.series.iter().filter(|(labels, _)| {
            let named = selector.name.as_ref().is_none_or(|name| label(labels, "__name__") == name);
            named && all_match(&selector.matchers, labels)
        })
    }
}

fn newest(samples: &BTreeMap<i64, f64>, at: i64) -> Option<f64> {
    samples.range(at - LOOKBACK_MILLIS..=at).next_back().map(|(_, value)| *value)
}

fn all_match(matchers: &Matchers, labels: &LabelSet) -> bool {
    matchers.matchers.iter().all(|matcher| matcher.is_match(label(labels, &matcher.name)))
}

fn label<'a>(labels: &'a LabelSet, name: &str) -> &'a str {
    labels.get(name).map_or("", String::as_str)
}
