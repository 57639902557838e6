//! Samples of the past that answer as a Prometheus would have answered then: a range without its left end and with its right one, history at steps,
//! and nothing that was not there yet.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    ledger::{Query, Reason, Sample, Series, Unknown},
    sli::{CompiledSelector, Dialect, Labels, Selector},
    time::{Timestamp, minutes},
    window::Interval,
};

use super::{
    Asked,
    beginning::{JUST_BEFORE, Sought},
};

/// How long a sample stands for the present at a step of history, as Prometheus takes it.
const STALENESS: Duration = minutes(5);

/// Samples, and what was known of expressions.
#[derive(Debug, Default)]
pub struct Samples {
    /// Each in the order of time.
    series: BTreeMap<Labels, Vec<Sample>>,
    /// Values of expressions, by their text.
    values: BTreeMap<String, BTreeMap<Labels, Vec<Sample>>>,
    /// Which series a selector matches; forgotten when a series is new.
    matching: BTreeMap<Selector, Vec<Labels>>,
    /// When there was no answer.
    away: Vec<Interval>,
}

impl Samples {
    /// Adds a sample of a series, behind those that it has. One that is not newer is left out.
    pub fn push(&mut self, labels: &Labels, sample: Sample) {
        if let Some(samples) = self.series.get_mut(labels) {
            push(samples, sample);
            return;
        }
        self.matching.clear();
        self.series.insert(labels.clone(), vec![sample]);
    }

    /// These series, with samples in any order of time.
    ///
    /// # Errors
    /// A series with two values at one moment.
    pub fn of(mut series: BTreeMap<Labels, Vec<Sample>>) -> anyhow::Result<Self> {
        for (labels, samples) in &mut series {
            samples.sort_by_key(|sample| sample.at);
            if let Some(pair) = samples.windows(2).find(|pair| pair[0].at == pair[1].at) {
                anyhow::bail!("{} has two values at {}", labels.get("__name__"), crate::report::words::utc(pair[0].at));
            }
        }
        Ok(Self { series, ..Self::default() })
    }

    /// How many samples there are.
    pub fn count(&self) -> usize {
        self.series.values().map(Vec::len).sum()
    }

    /// Adds the value of an expression at an instant.
    pub fn push_value(&mut self, expression: &str, labels: &Labels, sample: Sample) {
        let series = self.values.entry(expression.to_owned()).or_default();
        push(series.entry(labels.clone()).or_default(), sample);
    }

    /// In this time nothing is answered.
    pub fn go_away(&mut self, when: Interval) {
        self.away.push(when);
    }

    /// From the first sample to the last; `None` where there is none.
    pub fn reach(&self) -> Option<Interval> {
        let all = || self.series.values().chain(self.values.values().flat_map(BTreeMap::values));
        let from = all().filter_map(|samples| samples.first()).map(|sample| sample.at).min()?;
        let to = all().filter_map(|samples| samples.last()).map(|sample| sample.at).max()?;
        Some(Interval { from, to })
    }

    /// The first sample of a span of what is looked for; the span's beginning where there is one before.
    pub(super) fn first(&self, sought: &Sought, span: Interval) -> Option<Timestamp> {
        let of_span = |samples: &Vec<Sample>| {
            let before = samples.partition_point(|sample| sample.at <= span.from.minus(JUST_BEFORE));
            let first = samples.get(before).filter(|first| first.at <= span.to)?;
            Some(first.at.minus(Duration::from_millis(1)).floor(Duration::from_secs(1)).max(span.from))
        };
        match sought {
            Sought::Series(selector) => {
                let compiled = CompiledSelector::new(selector, Dialect::default());
                self.series.iter().filter(|(labels, _)| compiled.matches(labels)).filter_map(|(_, samples)| of_span(samples)).min()
            }
            Sought::Value(expression, _) => self.values.get(expression.as_str())?.values().filter_map(of_span).min(),
        }
    }

    /// What a source that holds them would have answered.
    pub fn answer(&mut self, asked: &Asked<'_>) -> Result<Vec<Series>, Unknown> {
        if self.away.iter().any(|away| away.from <= asked.now && asked.now < away.to) {
            return Err(Unknown::new(Reason::Unreachable, "the source does not answer in this part of the history"));
        }
        // Nobody knows the future, whatever range is asked for.
        let to = asked.to.min(asked.now);
        match (asked.query, asked.step) {
            (Query::Raw(selector), None) => Ok(self.read(selector, |samples| within(samples, asked.from, to))),
            (Query::Raw(selector), Some(step)) => Ok(self.read(selector, |samples| at_steps(samples, asked.from, to, step))),
            (Query::Histograms(_), _) => Err(Unknown::new(Reason::NoRaw, "native histograms are not in samples of text")),
            (Query::Stepped { expression, step }, _) => self.evaluate(expression.as_str(), asked.from, to, *step),
        }
    }

    fn read(&mut self, selector: &Selector, cut: impl Fn(&[Sample]) -> Vec<Sample>) -> Vec<Series> {
        if !self.matching.contains_key(selector) {
            let compiled = CompiledSelector::new(selector, Dialect::default());
            let matching = self.series.keys().filter(|labels| compiled.matches(labels)).cloned().collect();
            self.matching.insert(selector.clone(), matching);
        }
        let held = self.matching[selector].iter().map(|labels| Series::new(labels.clone(), cut(&self.series[labels])));
        held.filter(|series| !series.samples.is_empty()).collect()
    }

    fn evaluate(&self, expression: &str, from: Timestamp, to: Timestamp, step: Duration) -> Result<Vec<Series>, Unknown> {
        let Some(series) = self.values.get(expression) else {
            let detail = format!("expressions need a Prometheus that evaluates them, and there are samples only; asked was {expression}");
            return Err(Unknown::new(Reason::BadQuery, detail));
        };
        let of_steps = |samples: &Vec<Sample>| {
            let mut cut = within(samples, from, to);
            cut.retain(|sample| sample.at.floor(step) == sample.at);
            cut
        };
        let series = series.iter().map(|(labels, samples)| Series::new(labels.clone(), of_steps(samples)));
        Ok(series.filter(|series| !series.samples.is_empty()).collect())
    }
}

fn push(samples: &mut Vec<Sample>, sample: Sample) {
    if samples.last().is_none_or(|last| last.at < sample.at) {
        samples.push(sample);
    }
}

/// The samples with `from < at <= to`.
fn within(samples: &[Sample], from: Timestamp, to: Timestamp) -> Vec<Sample> {
    let first = samples.partition_point(|sample| sample.at <= from);
    let end = samples.partition_point(|sample| sample.at <= to);
    samples.get(first..end).unwrap_or_default().to_vec()
}

/// At every multiple of the step with `from < at <= to` the newest sample that still stands for the present.
fn at_steps(samples: &[Sample], from: Timestamp, to: Timestamp, step: Duration) -> Vec<Sample> {
    let first = from.floor(step).plus(step);
    let steps = std::iter::successors(Some(first), |at| Some(at.plus(step))).take_while(|at| *at <= to);
    let newest = |at: Timestamp| {
        let end = samples.partition_point(|sample| sample.at <= at);
        let newest = samples.get(..end)?.last()?;
        (at.since(newest.at) < STALENESS).then_some(Sample { at, value: newest.value })
    };
    steps.filter_map(newest).collect()
}
