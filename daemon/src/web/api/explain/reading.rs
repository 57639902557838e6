//! What is read for a budget: which series of which answers are its own, which of them began within a lookback, and up to where they are settled.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use burnward_core::{
    evaluate::BudgetStatus,
    ledger::{OwnPart, Query, Series, Unknown},
    sli::{Labels, MatchOp, Matcher, Selector},
    slo::Slo,
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

/// Of each lookback that holds the beginning of some series of a budget, of how many.
pub(super) type Begun = BTreeMap<Duration, usize>;

/// What is read for a budget now, and what began within its rows; `None` where nothing is: others make it up.
pub(super) async fn of(handle: &Handle, slo: &Slo, status: &BudgetStatus, names: Names) -> Option<(Reading, Begun)> {
    let own = handle.own(&status.budget.slo, &status.budget.group).await.filter(|own| !own.parts.is_empty())?;
    let mut parts = Vec::with_capacity(own.parts.len());
    let mut begun: BTreeMap<Duration, BTreeSet<Labels>> = BTreeMap::new();
    for part in &own.parts {
        let (named, not_named) = match names {
            Names::Asked => match seen(handle, status, part).await {
                Ok(series) => {
                    if slo.sli.counts_counters() {
                        since_lookbacks(handle, status, part, &series, &mut begun).await;
                    }
                    (some_names(&series), None)
                }
                Err(why) => (Vec::new(), Some(why)),
            },
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
    let reading = Reading {
        parts,
        newest_sample: status.newest_sample.map(instant),
        newest_age_seconds: status.newest_sample.map(age),
        settled_to: own.settled.map(instant),
        provisional_seconds: own.settled.map(age),
    };
    Some((reading, begun.into_iter().map(|(lookback, series)| (lookback, series.len())).collect()))
}

/// The part's series as the source shows them now; or why they cannot be named.
async fn seen(handle: &Handle, status: &BudgetStatus, part: &OwnPart) -> Result<Vec<Series>, String> {
    let (Some(own), Some(source)) = (&part.own, handle.sources.get(&status.budget.slo.tenant)) else { return Ok(Vec::new()) };
    match tokio::time::timeout(PATIENCE, ask(source, own, handle.clock.now())).await {
        Ok(Ok(answer)) => Ok(answer.series),
        Ok(Err(unknown)) => Err(format!("they cannot be named: {unknown}")),
        Err(_) => Err(format!("they cannot be named: the source did not answer within {} s", PATIENCE.as_secs())),
    }
}

fn some_names(series: &[Series]) -> Vec<String> {
    let mut names: Vec<String> = series.iter().map(|series| written(&series.labels)).collect();
    names.sort_unstable();
    names.truncate(NAMED);
    names
}

/// Notes by lookback of the rows which series were not there where it begins, while others were: of a source that was not there itself nothing is known.
async fn since_lookbacks(
    handle: &Handle,
    status: &BudgetStatus,
    part: &OwnPart,
    now: &[Series],
    begun: &mut BTreeMap<Duration, BTreeSet<Labels>>,
) {
    let (Some(own), Some(source)) = (&part.own, handle.sources.get(&status.budget.slo.tenant)) else { return };
    let lookbacks: BTreeSet<Duration> = status.rows.iter().map(|burn| burn.row.long).collect();
    for lookback in lookbacks {
        let asked = tokio::time::timeout(PATIENCE, ask_at(source, own, status.as_of.minus(lookback))).await;
        let Ok(Ok(before)) = asked else { return };
        let before: BTreeSet<&Labels> = before.series.iter().map(|series| &series.labels).collect();
        let new = now.iter().map(|series| &series.labels).filter(|labels| !before.is_empty() && !before.contains(labels));
        begun.entry(lookback).or_default().extend(new.cloned());
    }
}

/// Which series are there at a moment.
async fn ask_at(source: &Source, own: &Query, at: Timestamp) -> Result<Answer, Unknown> {
    const SECOND: Duration = Duration::from_secs(1);
    let at = at.floor(SECOND);
    match own {
        Query::Raw(selector) => source.read_history(selector, at.minus(SECOND), at, SECOND).await,
        Query::Histograms(selector) => source.read_histogram_steps(selector, at.minus(SECOND), at, SECOND).await,
        Query::Stepped { expression, step: _ } => source.read_steps(expression.as_str(), at.minus(SECOND), at, SECOND).await,
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
