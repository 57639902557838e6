//! Whether an expression has values, one for each group, and whether the source has something of each selector in it.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    ledger::{Blinds, Unknown},
    sli::Selector,
    slo::Slo,
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    nothing::Told,
    questions::Matching,
    refused,
    selectors::{Wanted, labels_of, no_label, too_many_groups},
};
use crate::definition::{
    codes::{self, Code},
    promql::{self, Parts},
};

/// An expression to ask for.
#[derive(Clone, Copy)]
pub(super) struct Expressed<'a> {
    pub(super) text: &'a str,
    pub(super) step: Duration,
    pub(super) what: What,
}

/// What the values of an expression are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// All events, or what is compared.
    All,
    /// The good ones.
    Good,
    /// The bad ones, of which there may be none.
    Bad,
}

impl What {
    /// What it is where there is no value.
    const fn missing(self) -> &'static Code {
        match self {
            Self::All => &codes::SOURCE_NOTHING,
            Self::Good | Self::Bad => &codes::SOURCE_SIDE,
        }
    }
}

/// Of which selectors it was told that something of them is missing, and of which that they are gauges: the two expressions of an SLO say each once.
#[derive(Debug, Default)]
pub(super) struct ToldOf {
    missing: BTreeSet<Selector>,
    gauges: BTreeSet<Selector>,
}

impl Asked<'_> {
    /// An expression at its last two steps: it is understood, has a value, and one for each group. What is `known` to be told of a selector is not told again.
    pub(super) async fn expression(&self, slo: &Slo, expressed: Expressed<'_>, known: &mut ToldOf) -> Result<Vec<Finding>, Unknown> {
        let Expressed { text, step, .. } = expressed;
        let about = || About::Expression(text.to_owned());
        let series = match self.source.read_steps(text, self.now.minus(step * 2), self.now, step).await {
            Ok(answer) => answer.series,
            Err(unknown) if unknown.reason.blinds() == Blinds::Slo => return Ok(vec![refused(&unknown, about())]),
            Err(unknown) => return Err(unknown),
        };
        if series.is_empty() {
            return self.without_value(slo, expressed, known).await;
        }
        let groups: BTreeSet<Vec<&str>> =
            series.iter().map(|series| slo.per.iter().map(|label| series.labels.get(label)).collect()).collect();
        let shown = words::cut(text, 80);
        let mut findings = self.parts(slo, expressed, known).await?;
        findings.extend(self.no_counters(text, &mut known.gauges).await?);
        if groups.len() < series.len() {
            let message = format!("{shown} has {} values for {}", series.len(), words::plural(groups.len(), "group"));
            let help = "add them up with sum(), or name the labels that tell them apart in `per`".to_owned();
            findings.push(Finding { code: &codes::SOURCE_REFUSES, message, help, about: about() });
        } else {
            let has = |label: &String| series.iter().any(|series| !series.labels.get(label).is_empty());
            findings.extend(slo.per.iter().filter(|label| !has(label)).map(|label| no_label(&shown, label, &labels_of(&series))));
            findings.extend(too_many_groups(groups.len()));
        }
        Ok(findings)
    }

    /// Why there is no value: the selectors that take nothing. Bad events are silent, and that is well, where all that they are read from was there within the window.
    async fn without_value(&self, slo: &Slo, expressed: Expressed<'_>, known: &mut ToldOf) -> Result<Vec<Finding>, Unknown> {
        let Expressed { text, what, .. } = expressed;
        let code = what.missing();
        let without = format!("{} has no value now", words::cut(text, 80));
        let (mut findings, mut is_silent, mut is_told) = (Vec::new(), false, false);
        for selector in promql::parts(text).selectors {
            let (why, no_metric) = match self.matching(&selector, self.in_source(slo)).await? {
                Matching::Now(_) => continue,
                Matching::Until(last) if what == What::Bad && self.ended(&selector, last, true).await?.is_none() => {
                    is_silent = true;
                    continue;
                }
                Matching::Until(last) => (self.nothing_since(&selector, last), "was the metric renamed, or its target removed?"),
                Matching::Never => {
                    (self.never_within(slo, &selector), "is the metric's name right, and is its target scraped by this source?")
                }
            };
            is_told |= known.missing.contains(&selector);
            if known.missing.insert(selector.clone()) {
                let about = About::Part(text.to_owned(), selector.clone());
                let told = Told { code, message: format!("{without}: {why}"), about, no_metric, means: "" };
                findings.push(self.nothing(&Wanted::as_written(&selector), told).await?);
            }
        }
        if findings.is_empty() && !is_silent && !is_told {
            let help = "a slice without a value is unseen; a side without one is no events".to_owned();
            findings.push(Finding { code, message: without, help, about: About::Expression(text.to_owned()) });
        }
        Ok(findings)
    }

    /// The selectors of an expression that has a value: those that the source never had anything of, or whose metric it has no longer, or has not had for long.
    async fn parts(&self, slo: &Slo, expressed: Expressed<'_>, known: &mut ToldOf) -> Result<Vec<Finding>, Unknown> {
        let mut findings = Vec::new();
        let Parts { selectors, has_other_ways } = promql::parts(expressed.text);
        let is_widest = |selector: &Selector| selectors.iter().all(|other| other == selector || !other.covers(selector));
        for selector in &selectors {
            let about = About::Part(expressed.text.to_owned(), selector.clone());
            let finding = match self.matching(selector, self.in_source(slo)).await? {
                // Before, there was no value at all.
                Matching::Now(_) if expressed.what == What::All && !has_other_ways && is_widest(selector) => {
                    self.young(slo, &Wanted::as_written(selector)).await?.map(|finding| Finding { about, ..finding })
                }
                Matching::Now(_) => None,
                Matching::Until(last) => self.ended(selector, last, true).await?.map(|finding| Finding { about, ..finding }),
                Matching::Never => {
                    let told = Told {
                        code: &codes::SOURCE_PART,
                        message: format!("{}; the expression has a value without it", self.never_within(slo, selector)),
                        about,
                        no_metric: "is the metric's name right, and is its target scraped by this source?",
                        means: if has_other_ways { ". Right where nothing of the kind ever happened" } else { "" },
                    };
                    Some(self.nothing(&Wanted::as_written(selector), told).await?)
                }
            };
            findings.extend(finding.filter(|_| known.missing.insert(selector.clone())));
        }
        Ok(findings)
    }
}
