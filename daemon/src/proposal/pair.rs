//! Metrics that belong together by their names: a counter of failures beside one of everything, and the parts of a histogram.

use std::collections::{BTreeMap, BTreeSet};

use super::family::Family;

/// Words by which a counter of failures is told from one of everything.
pub(super) const FAILURES: [&str; 8] = ["failed", "failures", "failure", "errors", "error", "errs", "exceptions", "err"];
/// Words that a counter of everything may have in that place.
const EVERYTHING: [&str; 14] = [
    "requests",
    "attempted",
    "attempts",
    "sent",
    "operations",
    "calls",
    "processed",
    "started",
    "executions",
    "runs",
    "jobs",
    "messages",
    "handled",
    "all",
];
/// What the parts of a classic histogram end in.
const PARTS: [&str; 2] = ["_bucket", "_count"];

/// The counter of everything that a counter of failures belongs to, with the same labels.
pub(super) fn whole_of<'a>(failures: &Family, all: &BTreeMap<&str, &'a Family>) -> Option<&'a Family> {
    let whole = wholes_of(&failures.name).iter().find_map(|name| all.get(name.as_str()).copied())?;
    failures.labels.keys().eq(whole.labels.keys()).then_some(whole)
}

/// What to look for where one metric is asked for: it, its parts, and what may stand beside it as the other counter of a pair.
pub(super) fn beside(metric: &str) -> BTreeSet<String> {
    let parts = PARTS.iter().map(|part| format!("{metric}{part}"));
    [metric.to_owned()].into_iter().chain(parts).chain(wholes_of(metric)).chain(failures_of(metric)).collect()
}

/// The histogram of which a metric is a part, else the metric itself.
pub(super) fn histogram_of(metric: &str) -> &str {
    PARTS.iter().find_map(|part| metric.strip_suffix(part)).unwrap_or(metric)
}

/// How the counter of everything may be called, most likely first; none where the name is not one of failures.
fn wholes_of(failures: &str) -> Vec<String> {
    let Some(mut words) = words_of(failures) else { return Vec::new() };
    let Some(place) = words.iter().position(|word| FAILURES.contains(word)) else { return Vec::new() };
    words.remove(place);
    let rest = words.join("_");
    let at_the_place = |word: &&str| with(&words, place, word);
    let names = [rest.clone(), format!("{rest}s")].into_iter().chain(EVERYTHING.iter().map(at_the_place));
    names.filter(|_| !rest.is_empty()).map(|name| format!("{name}_total")).collect()
}

/// The counters of failures that may stand beside one of everything.
fn failures_of(whole: &str) -> Vec<String> {
    let Some(words) = words_of(whole) else { return Vec::new() };
    let one = words.last().and_then(|last| last.strip_suffix('s')).map(|last| [&words[..words.len() - 1], &[last]].concat());
    let without = |(place, word): (usize, &&str)| EVERYTHING.contains(word).then(|| [&words[..place], &words[place + 1..]].concat());
    let stems: Vec<Vec<&str>> = words.iter().enumerate().filter_map(without).chain(one).chain([words.clone()]).collect();
    let of_stem = |stem: &Vec<&str>| -> Vec<String> {
        let places = 0..=stem.len();
        places.flat_map(|place| FAILURES.iter().map(move |word| format!("{}_total", with(stem, place, word)))).collect()
    };
    stems.iter().flat_map(of_stem).filter(|failures| wholes_of(failures).iter().any(|name| name == whole)).collect()
}

fn words_of(counter: &str) -> Option<Vec<&str>> {
    Some(counter.strip_suffix("_total")?.split('_').collect())
}

fn with(words: &[&str], place: usize, word: &str) -> String {
    let mut words = words.to_vec();
    words.insert(place, word);
    words.join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_found_from_either_side() {
        for (failures, whole) in [
            ("exports_failed_total", "exports_total"),
            ("job_failures_total", "jobs_total"),
            ("http_request_errors_total", "http_requests_total"),
            ("notifications_errors_total", "notifications_sent_total"),
            ("failed_logins_total", "logins_total"),
        ] {
            assert!(beside(failures).contains(whole), "{failures}");
            assert!(beside(whole).contains(failures), "{whole}");
        }
        assert!(!beside("jobs_total").contains("errors_total"), "of a name without anything else nothing is known");
        assert_eq!(beside("up"), ["up", "up_bucket", "up_count"].map(ToOwned::to_owned).into());
    }
}
