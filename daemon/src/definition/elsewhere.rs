//! Words of other tools, and of what one would guess, where a document has another one: what they are called here, or where they stand.

/// A word that is no key of a mapping.
struct Word {
    /// What the mapping is, as its keys say.
    of: &'static str,
    words: &'static [&'static str],
    /// The key that is meant, of the same mapping.
    key: Option<&'static str>,
    help: &'static str,
}

const fn word(of: &'static str, words: &'static [&'static str], key: Option<&'static str>, help: &'static str) -> Word {
    Word { of, words, key, help }
}

const DOCUMENT: &str = "an SLO document";
const SLO: &str = "an SLO";
const SLI: &str = "an SLI";
const EVENTS: &str = "an SLI of events";
const LATENCY: &str = "an SLI of latency";
const OBJECTIVE: &str = "an objective";

const IN_OBJECTIVE: &str = "it stands in an objective of the SLO: `objectives: [{ target: 99.9%, window: 30d }]`";
const NO_LABELS: &str = "there is nothing like it here: `team` says who is told, and `per` by which labels of the metrics an SLO is split; a note is a comment, after `#`";

const WORDS: &[Word] = &[
    word(
        DOCUMENT,
        &["description", "title", "summary"],
        None,
        "each SLO has a `title:`; what is said of the whole file is a comment, after `#`",
    ),
    word(
        DOCUMENT,
        &["objective", "objectives", "target", "goal", "window", "alerting", "error_budget", "error-budget"],
        None,
        "it stands in an SLO, below `slos:`: `objectives: [{ target: 99.9%, window: 30d }]`",
    ),
    word(
        DOCUMENT,
        &["name", "sli", "indicator", "events", "latency", "runbook", "per", "status"],
        None,
        "it stands in an SLO, below `slos:`: `- { name: ..., sli: ..., objectives: [...] }`",
    ),
    word(DOCUMENT, &["owner", "group"], Some("team"), "did you mean `team`?"),
    word(DOCUMENT, &["labels", "annotations", "tags", "metadata"], None, NO_LABELS),
    word(
        SLO,
        &["description", "display_name", "display-name", "displayName", "summary"],
        Some("title"),
        "did you mean `title`, which is one line?",
    ),
    word(SLO, &["objective", "goal"], Some("objectives"), "did you mean `objectives: [{ target: 99.9%, window: 30d }]`?"),
    word(SLO, &["target", "window", "timeWindow", "alerting", "counted-in", "timezone"], Some("objectives"), IN_OBJECTIVE),
    word(
        SLO,
        &["alerts", "alert", "severity", "urgency"],
        None,
        "who is told stands in an objective, as `alerting:`: left out, `ticket`, `none`, or rows",
    ),
    word(SLO, &["team", "owner", "service"], None, "it stands once at the top of the file, and holds for all its SLOs"),
    word(SLO, &["indicator", "metric"], Some("sli"), "did you mean `sli`?"),
    word(SLO, &["events", "latency", "probe", "presence", "query", "composite"], Some("sli"), "it stands within `sli:`"),
    word(SLO, &["labels", "annotations", "tags"], None, NO_LABELS),
    word(
        SLI,
        &["ratio", "ratioMetric", "availability", "errors", "bad", "good", "total"],
        None,
        "counters of bad (or good) and of all events are `events: { bad: ..., total: ... }`",
    ),
    word(
        SLI,
        &["raw", "thresholdMetric", "threshold", "gauge"],
        None,
        "a value that is compared with a threshold is `window: { expr: ..., is: '<', threshold: ... }`",
    ),
    word(SLI, &["plugin"], None, "write out what it computes: the counters as `events`, or an expression as `query` or `window`"),
    word(
        EVENTS,
        &["error_query", "errorQuery", "bad_query"],
        Some("bad"),
        "did you mean `bad`, a plain counter selector? Expressions with rate() are `query:`, in the place of `events:`",
    ),
    word(
        EVENTS,
        &["total_query", "totalQuery"],
        Some("total"),
        "did you mean `total`, a plain counter selector? Expressions with rate() are `query:`, in the place of `events:`",
    ),
    word(EVENTS, &["errors", "error", "failures", "failed", "invalid"], Some("bad"), "did you mean `bad`?"),
    word(EVENTS, &["success", "successes", "successful", "valid"], Some("good"), "did you mean `good`?"),
    word(EVENTS, &["all", "requests", "count"], Some("total"), "did you mean `total`?"),
    word(LATENCY, &["threshold", "below", "max", "le"], Some("within"), "did you mean `within`, such as `within: 300ms`?"),
    word(LATENCY, &["metric", "total"], Some("histogram"), "did you mean `histogram`, the metric's name without _bucket?"),
    word(OBJECTIVE, &["objective", "goal", "slo"], Some("target"), "did you mean `target`, such as `target: 99.9%`?"),
    word(OBJECTIVE, &["period", "range", "timeWindow"], Some("window"), "did you mean `window`, such as `window: 30d`?"),
];

fn find(of: &str, key: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.of == of && word.words.contains(&key))
}

/// What to write instead of a key of another tool.
pub(super) fn help(of: &str, key: &str) -> Option<&'static str> {
    find(of, key).map(|word| word.help)
}

/// The key that is meant.
pub(super) fn meant(of: &str, key: &str) -> Option<&'static str> {
    find(of, key).and_then(|word| word.key)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_word_is_told_of_once() {
        let mut seen = BTreeSet::new();
        for Word { of, words, help, .. } in WORDS {
            assert!(!help.is_empty());
            assert!(words.iter().all(|word| seen.insert((*of, *word))), "{of}: {words:?}");
        }
    }
}
