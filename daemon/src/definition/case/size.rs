//! How large a test is: what its traffic would leave, told before any of it is written.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    sli::Labels,
    time::{hours, minutes},
    words,
};

use super::{Case, Recipe, Traffic};
use crate::definition::{codes, diagnostic::Diagnostic, duration};

/// Samples that the traffic of a test leaves at most: 80 MB.
const MOST_SAMPLES: u64 = 5_000_000;
/// Seconds of all traffic of a test at most: ten groups over a month.
const MOST_SECONDS: u64 = 30_000_000;
/// Series of each target beside those of its events: `up` and the start of its process.
const OF_A_TARGET: usize = 2;
const LONGEST_SCRAPE: Duration = hours(1);

/// Why a test with this traffic is too large to be run, with what to write instead.
pub(super) fn too_large(case: &Case, traffic: &[(&Traffic, Recipe)]) -> Vec<Diagnostic> {
    [too_many_samples(case, traffic), too_long(case, traffic.len())].into_iter().flatten().collect()
}

fn too_many_samples(case: &Case, traffic: &[(&Traffic, Recipe)]) -> Option<Diagnostic> {
    let (series, values) = (series(traffic), values(case, traffic));
    let scrapes = case.lasts.as_secs() / case.scraped.as_secs().max(1) + 1;
    let samples = scrapes.saturating_mul(series).saturating_add(values);
    if samples <= MOST_SAMPLES {
        return None;
    }
    let of_expressions = if values == 0 { String::new() } else { format!(", and {} values of expressions", grouped(values)) };
    let message = format!(
        "the test would leave {} samples: {} scrapes of {} series{of_expressions}; at most {} are written",
        grouped(samples),
        grouped(scrapes),
        grouped(series),
        grouped(MOST_SAMPLES)
    );
    let less = "shorten `lasts`, or leave groups of `traffic` out";
    let help = scrape_that_fits(case, series, values).map_or_else(|| less.to_owned(), |fits| format!("write `scraped: {fits}`, or {less}"));
    Some(super::check::fault(&codes::TEST_SIZE, &case.place, message).help(help))
}

/// How rarely targets would have to be scraped; `None` where that alone does not help.
fn scrape_that_fits(case: &Case, series: u64, values: u64) -> Option<String> {
    let scrapes = MOST_SAMPLES.checked_sub(values)? / series.max(1);
    let seconds = case.lasts.as_secs().div_ceil(scrapes.checked_sub(1).filter(|scrapes| *scrapes > 0)?);
    let tidy = if seconds <= 60 { seconds.next_multiple_of(5) } else { seconds.next_multiple_of(60) };
    let fits = Duration::from_secs(tidy.max(1));
    (fits <= LONGEST_SCRAPE && fits > case.scraped).then(|| duration::format(fits))
}

fn too_long(case: &Case, entries: usize) -> Option<Diagnostic> {
    let entries = u64::try_from(entries).unwrap_or(u64::MAX);
    let seconds = case.lasts.as_secs().saturating_mul(entries);
    if seconds <= MOST_SECONDS {
        return None;
    }
    let message = format!(
        "the test would live through {} seconds of traffic, {} of each of {entries} entries; at most {} are lived through",
        grouped(seconds),
        grouped(case.lasts.as_secs()),
        grouped(MOST_SECONDS)
    );
    let fits = Duration::from_secs(MOST_SECONDS / entries);
    let fits = if fits > minutes(1) { Duration::from_secs(fits.as_secs() / 60 * 60) } else { fits };
    let fewer = MOST_SECONDS / case.lasts.as_secs().max(1);
    let help = format!("write `lasts: {}` or less, or at most {fewer} entries of `traffic`", duration::format(fits));
    Some(super::check::fault(&codes::TEST_SIZE, &case.place, message).help(help))
}

/// Series that every scrape shows.
fn series(traffic: &[(&Traffic, Recipe)]) -> u64 {
    let all: BTreeSet<&Labels> = traffic.iter().flat_map(|(_, recipe)| recipe.series()).collect();
    let targets: BTreeSet<(&str, &str)> = all.iter().map(|series| (series.get("job"), series.get("instance"))).collect();
    u64::try_from(all.len() + targets.len() * OF_A_TARGET).unwrap_or(u64::MAX)
}

/// Values of expressions, one at each of their steps.
fn values(case: &Case, traffic: &[(&Traffic, Recipe)]) -> u64 {
    let steps = |step: Duration| case.lasts.as_secs() / step.as_secs().max(1);
    let of_one = |recipe: &Recipe| match recipe {
        Recipe::Value { step, .. } => steps(*step),
        Recipe::Numbers { step, .. } => 2 * steps(*step),
        Recipe::Counters { .. } | Recipe::Gauge(_) | Recipe::Presence(_) => 0,
    };
    traffic.iter().map(|(_, recipe)| of_one(recipe)).sum()
}

fn grouped(number: u64) -> String {
    words::grouped(i64::try_from(number).unwrap_or(i64::MAX))
}
