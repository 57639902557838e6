//! What is read for a budget: which series of which answers are its own, and up to where they are settled.

use std::time::Duration;

use burnward_core::{
    evaluate::BudgetStatus,
    ledger::{OwnPart, Query, Unknown},
    sli::{Labels, MatchOp, Matcher, Selector},
    time::{Timestamp, minutes},
};

use super::Names;
use crate::{
    app::Handle,
    source::{Answer, Source},
    web::api::wire::{ReadPart, Reading, instant},
};

/// Series of a part that are named.
const NAMED: usize = 5;

/// How far back series are looked for to name them.
const LOOKS_BACK: Duration = minutes(5);

/// Whoever asks for names waits no longer for a source.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is read for a budget now; `None` where nothing is: others make it up.
pub(super) async fn of(handle: &Handle, status: &BudgetStatus, names: Names) -> Option<Reading> {
    let own = handle.own(&status.budget.slo, &status.budget.group).await.filter(|own| !own.parts.is_empty())?;
    let mut parts = Vec::with_capacity(own.parts.len());
    for part in &own.parts {
        let (named, not_named) = match names {
            Names::Asked => named(handle, status, part).await,
            Names::NotAsked => (Vec::new(), None),
        };
        parts.push(ReadPart {
            what: part.what.to_owned(),
            asked: part.asked.to_string(),
            own: part.own.as_ref().map(ToString::to_string),
            series: part.series,
            named,
            not_named,
        });
    }
    let as_of = status.as_of;
    let age = |at: Timestamp| as_of.since(at).as_secs_f64();
    Some(Reading {
        parts,
        newest_sample: status.newest_sample.map(instant),
        newest_age_seconds: status.newest_sample.map(age),
        settled_to: own.settled.map(instant),
        provisional_seconds: own.settled.map(age),
    })
}

/// Some of the part's series by their labels, as the source shows them now; or why not.
async fn named(handle: &Handle, status: &BudgetStatus, part: &OwnPart) -> (Vec<String>, Option<String>) {
    let (Some(own), Some(source)) = (&part.own, handle.sources.get(&status.budget.slo.tenant)) else { return (Vec::new(), None) };
    match tokio::time::timeout(PATIENCE, ask(source, own, handle.clock.now())).await {
        Ok(Ok(answer)) => {
            let mut names: Vec<String> = answer.series.iter().map(|series| written(&series.labels)).collect();
            names.sort_unstable();
            names.truncate(NAMED);
            (names, None)
        }
        Ok(Err(unknown)) => (Vec::new(), Some(format!("they cannot be named: {unknown}"))),
        Err(_) => (Vec::new(), Some(format!("they cannot be named: the source did not answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn ask(source: &Source, own: &Query, now: Timestamp) -> Result<Answer, Unknown> {
    let from = now.minus(LOOKS_BACK);
    match own {
        Query::Raw(selector) => source.read(selector, from, now).await,
        Query::Histograms(selector) => source.read_histograms(selector, from, now).await,
        Query::Stepped { expression, step } => source.read_steps(expression.as_str(), from, now, *step).await,
    }
}

/// Labels as a selector writes them.
fn written(labels: &Labels) -> String {
    let equal = |(label, value): (&str, &str)| Matcher { label: label.to_owned(), op: MatchOp::Equal, value: value.to_owned() };
    let matchers = labels.pairs().filter(|(label, _)| *label != "__name__").map(equal);
    Selector::new(labels.get("__name__"), matchers.collect()).to_string()
}
