//! Whether an expression has values, one for each group.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    ledger::{Blinds, Unknown},
    slo::Slo,
    words,
};

use super::{
    Asked,
    finding::{About, Finding},
    refused,
    selectors::{labels_of, no_label, too_many_groups},
};
use crate::definition::codes::{self, Code};

impl Asked<'_> {
    /// An expression at its last two steps: it is understood, has a value, and one for each group.
    pub(super) async fn expression(&self, slo: &Slo, text: &str, step: Duration, missing: &'static Code) -> Result<Vec<Finding>, Unknown> {
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
}
