//! Sources: where samples come from. Every source answers the same three questions; an answer is either whole or `Unknown`.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    ledger::{Replica, Series, Unknown},
    sli::{Labels, Selector},
    time::Timestamp,
};

use self::replicas::{Looked, Standing};
use crate::view::ReplicaView;

mod http;
pub mod merge;
pub mod prometheus;
pub mod replicas;
pub mod scrape;

/// A source of samples.
#[derive(Debug)]
pub enum Source {
    /// The HTTP API of Prometheus, or what speaks it.
    Prometheus(replicas::Replicas),
    /// Targets that we read ourselves.
    Scrape(scrape::Scrape),
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The series that match, samples with their own timestamps.
    pub series: Vec<Series>,
    /// Decoded size in bytes.
    pub bytes: usize,
    /// How long it took.
    pub took: Duration,
}

impl Answer {
    /// Nothing, asked of nobody.
    const fn none() -> Self {
        Self { series: Vec::new(), bytes: 0, took: Duration::ZERO }
    }

    /// Both as one, where `later` was asked for the time after this.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        let mut series: BTreeMap<Labels, Series> = self.series.into_iter().map(|one| (one.labels.clone(), one)).collect();
        for Series { labels, samples, histograms } in later.series {
            let one = series.entry(labels.clone()).or_insert_with(|| Series::new(labels, Vec::new()));
            one.samples.extend(samples);
            one.histograms.extend(histograms);
        }
        Self { series: series.into_values().collect(), bytes: self.bytes + later.bytes, took: self.took + later.took }
    }
}

/// What a source turned out to be like at the start.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Name and version as the source gives them, such as `prometheus 2.42.0`.
    pub product: String,
    /// The source's clock minus ours, in milliseconds; `None` where it cannot be known.
    pub skew_millis: Option<i64>,
    /// The oldest sample that it holds, where it says so.
    pub oldest: Option<Timestamp>,
    /// How long it keeps samples, in its own words; `None` where it does not say.
    pub retention: Option<String>,
    /// Whether a range selector includes its left end.
    pub left_closed: Option<bool>,
    /// Why it gives no raw samples, where it gives none: then it serves `window` and `query` alone.
    pub limited: Option<Unknown>,
    /// What an operator should know, one sentence each.
    pub warnings: Vec<String>,
}

impl Source {
    /// The replica that is read, where there are several.
    pub fn replica(&self) -> Option<Replica> {
        match self {
            Self::Prometheus(source) => source.replica(),
            Self::Scrape(_) => None,
        }
    }

    /// The same for people.
    pub fn replica_view(&self) -> Option<ReplicaView> {
        match self {
            Self::Prometheus(source) => source.view(),
            Self::Scrape(_) => None,
        }
    }

    /// Goes on with another replica where one stands better than the one that is read, which stands like this.
    pub async fn look_around(&self, standing: Standing, why: &str, now: Timestamp) -> Looked {
        match self {
            Self::Prometheus(source) => source.look_around(standing, why, now).await,
            Self::Scrape(_) => Looked::Stays(None),
        }
    }

    /// Raw samples of a selector with `from < timestamp <= to`.
    pub async fn read(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        match self {
            Self::Prometheus(source) => source.read(selector, from, to).await,
            Self::Scrape(source) => source.read(selector, from, to),
        }
    }

    /// Values of a selector at every multiple of `step` with `from < timestamp <= to`, for history. A source without one answers with nothing.
    pub async fn read_history(&self, selector: &Selector, from: Timestamp, to: Timestamp, step: Duration) -> Result<Answer, Unknown> {
        match self {
            Self::Prometheus(source) => source.read_history(selector, from, to, step).await,
            Self::Scrape(_) => Ok(Answer::none()),
        }
    }

    /// Native histograms of a selector with `from < timestamp <= to`. Targets that we read ourselves have none; they are refused when they are loaded.
    pub async fn read_histograms(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        match self {
            Self::Prometheus(source) => source.read_histograms(selector, from, to).await,
            Self::Scrape(_) => Ok(Answer::none()),
        }
    }

    /// The same at every multiple of `step`, for history.
    pub async fn read_histogram_steps(
        &self,
        selector: &Selector,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Answer, Unknown> {
        match self {
            Self::Prometheus(source) => source.read_histogram_steps(selector, from, to, step).await,
            Self::Scrape(_) => Ok(Answer::none()),
        }
    }

    /// Values of an expression at every multiple of `step` with `from < timestamp <= to`.
    /// A source without a query language answers with nothing; expressions are refused for it when they are loaded.
    pub async fn read_steps(&self, query: &str, from: Timestamp, to: Timestamp, step: Duration) -> Result<Answer, Unknown> {
        match self {
            Self::Prometheus(source) => source.read_steps(query, from, to, step).await,
            Self::Scrape(_) => Ok(Answer::none()),
        }
    }

    /// True where an answer came near to a cap: as much again would be refused.
    pub fn is_near_a_cap(&self, answer: &Answer) -> bool {
        match self {
            Self::Prometheus(source) => source.is_near_a_cap(answer),
            Self::Scrape(_) => false,
        }
    }

    /// Asks what the source is like.
    pub async fn probe(&self, now: Timestamp) -> Result<Probe, Unknown> {
        match self {
            Self::Prometheus(source) => source.probe(now).await,
            Self::Scrape(source) => source.probe(now),
        }
    }

    /// True where the source holds history from before we looked.
    pub const fn has_history(&self) -> bool {
        match self {
            Self::Prometheus(_) => true,
            Self::Scrape(_) => false,
        }
    }
}
