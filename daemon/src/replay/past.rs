//! What answers in a replay: samples that are at hand, or a source that is read piece by piece.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    ledger::{Blinds, Query, Reason, Sample, Series, Unknown},
    sli::Labels,
    time::{Timestamp, hours},
};

use super::{Asked, Samples};
use crate::source::{Answer, Source};

/// What is asked of a source at once.
const PIECE: Duration = hours(2);
/// The shortest piece that is asked for where longer ones are too much for one answer.
const SHORTEST_PIECE: Duration = Duration::from_mins(5);
/// How often a piece is asked for that could not be read.
const TRIES: usize = 3;
/// What older samples are needed for: readings of what came late go back so far at most.
const KEPT: Duration = hours(4);

/// What answers.
#[derive(Debug)]
pub enum Past {
    /// Samples that are at hand.
    Samples(Samples),
    /// A source.
    Source(Box<Fetched>),
}

impl Past {
    /// What a source would have answered then.
    pub async fn answer(&mut self, asked: &Asked<'_>) -> Result<Vec<Series>, Unknown> {
        match self {
            Self::Samples(samples) => samples.answer(asked),
            Self::Source(fetched) => fetched.answer(asked).await,
        }
    }

    /// Why the source could not be read to the end: a history with holes that the reading made is not what happened.
    pub fn broken(&self) -> Option<&Unknown> {
        match self {
            Self::Samples(_) => None,
            Self::Source(fetched) => fetched.broken.as_ref(),
        }
    }
}

/// A source's history, of which the part around the present of the replay is held.
#[derive(Debug)]
pub struct Fetched {
    source: Source,
    /// Nothing after this is asked for.
    end: Timestamp,
    /// Of each question the stretch that is held, and its samples.
    held: BTreeMap<Query, Held>,
    /// Why it cannot be read any more.
    broken: Option<Unknown>,
}

#[derive(Debug, Default)]
struct Held {
    from: Timestamp,
    to: Timestamp,
    piece: Duration,
    series: BTreeMap<Labels, Series>,
    /// Why there is no answer up to a moment: it is not asked for again at every tick.
    refused: Option<(Timestamp, Unknown)>,
}

impl Fetched {
    /// Of this source, up to `end`.
    pub const fn new(source: Source, end: Timestamp) -> Self {
        Self { source, end, held: BTreeMap::new(), broken: None }
    }

    /// What is read.
    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    async fn answer(&mut self, asked: &Asked<'_>) -> Result<Vec<Series>, Unknown> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        let answer = self.read(asked).await;
        self.broken = answer.as_ref().err().filter(|unknown| unknown.reason.blinds() == Blinds::Source).cloned();
        answer
    }

    async fn read(&mut self, asked: &Asked<'_>) -> Result<Vec<Series>, Unknown> {
        let to = asked.to.min(asked.now);
        if let (Some(step), Query::Raw(selector)) = (asked.step, asked.query) {
            return self.source.read_history(selector, asked.from, to, step).await.map(|answer| answer.series);
        }
        if let (Some(step), Query::Histograms(selector)) = (asked.step, asked.query) {
            return self.source.read_histogram_steps(selector, asked.from, to, step).await.map(|answer| answer.series);
        }
        self.hold(asked.query, asked.from, to).await?;
        let held = &self.held[asked.query];
        let series = held.series.values().map(|series| within(series, asked.from, to));
        Ok(series.filter(|series| !series.samples.is_empty()).collect())
    }

    /// Has the samples of a stretch at hand.
    async fn hold(&mut self, query: &Query, from: Timestamp, to: Timestamp) -> Result<(), Unknown> {
        let held = self.held.entry(query.clone()).or_default();
        if held.piece.is_zero() || from < held.from {
            *held = Held { from, to: from, piece: PIECE, ..Held::default() };
        }
        while held.to < to {
            let next = held.to.plus(held.piece).min(self.end.max(to));
            if let Some((until, unknown)) = &held.refused {
                if to <= *until {
                    return Err(unknown.clone());
                }
                *held = Held { from: *until, to: *until, piece: held.piece, ..Held::default() };
                continue;
            }
            match ask(&self.source, query, held.to, next).await {
                Ok(answer) => held.take(answer, next),
                Err(Unknown { reason: Reason::TooBig, .. }) if held.piece > SHORTEST_PIECE => held.piece /= 2,
                Err(unknown) if unknown.reason.blinds() == Blinds::Source => return Err(unknown),
                Err(unknown) => held.refused = Some((next, unknown)),
            }
            held.forget_before(to.minus(KEPT));
        }
        Ok(())
    }
}

/// Asks for a piece, and again where the source did not answer.
async fn ask(source: &Source, query: &Query, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
    let mut answer = ask_once(source, query, from, to).await;
    for _ in 1..TRIES {
        match &answer {
            Err(unknown) if unknown.reason.blinds() == Blinds::Source => answer = ask_once(source, query, from, to).await,
            Ok(_) | Err(_) => break,
        }
    }
    answer
}

async fn ask_once(source: &Source, query: &Query, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
    match query {
        Query::Raw(selector) => source.read(selector, from, to).await,
        Query::Histograms(selector) => source.read_histograms(selector, from, to).await,
        Query::Stepped { expression, step } => source.read_steps(expression.as_str(), from, to, *step).await,
    }
}

impl Held {
    fn take(&mut self, answer: Answer, to: Timestamp) {
        self.to = to;
        for Series { labels, samples, histograms } in answer.series {
            let held = self.series.entry(labels.clone()).or_insert_with(|| Series::new(labels, Vec::new()));
            held.samples.extend(samples);
            held.histograms.extend(histograms);
        }
    }

    fn forget_before(&mut self, oldest: Timestamp) {
        if self.from >= oldest {
            return;
        }
        self.from = oldest;
        for series in self.series.values_mut() {
            let first = series.samples.partition_point(|sample| sample.at <= oldest);
            series.samples.drain(..first);
            series.histograms.retain(|at, _| *at > oldest);
        }
        self.series.retain(|_, series| !series.samples.is_empty());
    }
}

/// The samples of a series with `from < at <= to`.
fn within(series: &Series, from: Timestamp, to: Timestamp) -> Series {
    let first = series.samples.partition_point(|sample| sample.at <= from);
    let end = series.samples.partition_point(|sample| sample.at <= to);
    let samples: Vec<Sample> = series.samples.get(first..end).unwrap_or_default().to_vec();
    let after = (std::ops::Bound::Excluded(from), std::ops::Bound::Included(to));
    let of_span = || series.histograms.range(after).map(|(at, histogram)| (*at, histogram.clone())).collect();
    let histograms = if series.histograms.is_empty() || from >= to { BTreeMap::new() } else { of_span() };
    Series { labels: series.labels.clone(), samples, histograms }
}
