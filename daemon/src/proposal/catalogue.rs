//! Metrics from a Prometheus: their names, labels and values by its index, and how durations are spread over buckets. All questions are small and
//! bounded in number, whatever the source holds.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    ledger::{Blinds, Unknown},
    sli::{MatchOp, Matcher, Selector},
    time::{hours, minutes},
    window::Interval,
};
use futures_util::{StreamExt as _, stream};

use super::{candidate, convention, family::Family, measure::is_too_heavy, pair};
use crate::source::prometheus::Prometheus;

/// Metrics whose labels are looked at; what tells most of people comes first.
const MOST_LOOKED_AT: usize = 300;
/// Metrics that are tried for native histograms.
const MOST_NATIVE: usize = 20;
/// Questions that are asked at once; the source's own bound of requests holds beside it.
const AT_ONCE: usize = 8;
/// The spread over buckets is looked at in so many stretches of an hour.
const LOOKS: u32 = 100;

/// What is asked, and over which time.
#[derive(Debug, Clone, Copy)]
pub struct Catalogue<'a> {
    /// The source.
    pub source: &'a Prometheus,
    /// The time in which series count as being there.
    pub span: Interval,
    /// Only what this matches, whose metric may be left empty.
    pub only: &'a Selector,
}

/// What a source holds.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Metrics that may tell good events from bad.
    pub families: Vec<Family>,
    /// Which of them are native histograms.
    pub native: BTreeSet<String>,
    /// How many metrics there are.
    pub metrics: usize,
    /// Of those that may tell something, how many were not looked at.
    pub left_out: usize,
}

impl Catalogue<'_> {
    /// The metrics that may be good for an SLO, with their labels.
    ///
    /// # Errors
    /// Why the source cannot be asked.
    pub async fn list(&self) -> Result<Listed, Unknown> {
        let Interval { from, to } = self.span;
        let any = Selector::new("", self.only.matchers().to_vec());
        let names = match self.only.metric() {
            "" => self.source.label_values("__name__", &any, from, to).await?,
            metric => self.source.label_values("__name__", &one_of(metric, self.only.matchers()), from, to).await?,
        };
        let named = !self.only.metric().is_empty();
        let mut telling: Vec<&String> = names.iter().filter(|name| candidate::may_tell(name, named)).collect();
        telling.sort_by_key(|name| (candidate::worth_of_name(name), (*name).clone()));
        let left_out = telling.len().saturating_sub(MOST_LOOKED_AT);
        let asked: Vec<_> = telling.into_iter().take(MOST_LOOKED_AT).map(|name| self.family(name)).collect();
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        let (mut families, mut left_out) = (Vec::new(), left_out);
        while let Some(family) = answers.next().await {
            match family {
                Ok(family) => families.push(family),
                // What is wrong with one metric keeps no other from being looked at.
                Err(unknown) if is_too_heavy(&unknown) => left_out += 1,
                Err(unknown) => return Err(unknown),
            }
        }
        drop(answers);
        let native = self.native(&names, named).await?;
        for name in &native {
            families.push(self.family(name).await?);
        }
        Ok(Listed { families, native, metrics: names.len(), left_out })
    }

    async fn family(&self, name: &str) -> Result<Family, Unknown> {
        let Interval { from, to } = self.span;
        let selector = Selector::new(name, self.only.matchers().to_vec());
        let mut family = Family::named(name);
        for label in self.source.label_names(&selector, from, to).await? {
            if label == "__name__" || (label == "le" && name.ends_with("_bucket")) {
                continue;
            }
            family.labels.entry(label.clone()).or_default();
            if label == "job" || convention::is_telling(&label) || candidate::tells_customers(&label) {
                for value in self.source.label_values(&label, &selector, from, to).await? {
                    family.add(&label, &value);
                }
            }
        }
        if name.ends_with("_bucket") {
            for text in self.source.label_values("le", &selector, from, to).await? {
                if let Ok(seconds) = text.parse::<f64>() {
                    family.observe(seconds, 0.0);
                }
            }
        }
        Ok(family)
    }

    /// Which of these are native histograms: what has numbers has no count of observations within.
    async fn native(&self, names: &BTreeSet<String>, named: bool) -> Result<BTreeSet<String>, Unknown> {
        let likely = |name: &&String| {
            name.ends_with("_seconds") && !names.contains(&format!("{name}_bucket")) && (named || candidate::may_answer(name))
        };
        let mut native = BTreeSet::new();
        for name in names.iter().filter(likely).take(MOST_NATIVE) {
            let asked = format!("count(histogram_count({}))", Selector::new(name, self.only.matchers().to_vec()));
            match self.source.read_steps(&asked, self.span.to.minus(minutes(1)), self.span.to, Duration::from_secs(10)).await {
                Ok(answer) if !answer.series.is_empty() => drop(native.insert(name.clone())),
                Ok(_) => {}
                // A source of before native histograms knows no such function.
                Err(unknown) if unknown.reason.blinds() == Blinds::Slo => {}
                Err(unknown) => return Err(unknown),
            }
        }
        Ok(native)
    }

    /// How the durations of a histogram were spread over its buckets, as looked at for an hour again and again: enough to choose a threshold by.
    ///
    /// # Errors
    /// Why the source cannot be asked; a question that is too heavy for it leaves the histogram as it is.
    pub async fn spread(&self, family: &mut Family) -> Result<(), Unknown> {
        let step = (self.span.length() / LOOKS).max(hours(1));
        let asked = format!("sum by (le) (increase({}[1h]))", Selector::new(&family.name, self.only.matchers().to_vec()));
        let step = Duration::from_secs(step.as_secs());
        match self.source.read_steps(&asked, self.span.from, self.span.to, step).await {
            Ok(answer) => {
                for series in &answer.series {
                    let observed = series.samples.iter().map(|sample| sample.value).filter(|value| value.is_finite()).sum();
                    if let Ok(seconds) = series.labels.get("le").parse::<f64>() {
                        family.observe(seconds, observed);
                    }
                }
                Ok(())
            }
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => Ok(()),
            Err(unknown) => Err(unknown),
        }
    }
}

/// A metric that is asked for by name, with what may belong to it.
fn one_of(metric: &str, matchers: &[Matcher]) -> Selector {
    let names: Vec<String> = pair::beside(metric).iter().map(|name| regex_syntax::escape(name)).collect();
    let name = Matcher { label: "__name__".to_owned(), op: MatchOp::Regex, value: names.join("|") };
    Selector::new("", matchers.iter().cloned().chain([name]).collect())
}
