//! What good and bad events are in the series of an SLI: which counters they raise, which value an expression has.
//!
//! Labels are chosen so that the SLI's selectors take the series for what it stands for, and tried against them: of an equality its value, of a regular
//! expression a text that it matches, of what must not match one that it does not.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    sli::{Comparison, CompiledSelector, Counted, Dialect, HistogramKind, Labels, MatchOp, Matcher, Selector, Sli},
    slo::Slo,
};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::definition::matchers;

/// How the events of an SLI show.
#[derive(Debug, Clone, PartialEq)]
pub enum Recipe {
    /// In counters.
    Counters {
        /// Those that a good event raises by one.
        good: Vec<Labels>,
        /// Those that a bad event raises by one.
        bad: Vec<Labels>,
    },
    /// In a gauge: every sample is an event, 1 good and 0 bad.
    Gauge(Labels),
    /// In a series that is there or not.
    Presence(Labels),
    /// In the value of an expression at every step.
    Value {
        /// Its text.
        expression: String,
        /// The labels of its value.
        labels: Labels,
        /// The spacing.
        step: Duration,
        /// What is good.
        good: f64,
        /// What is bad.
        bad: f64,
    },
    /// In the numbers that two expressions have at every step.
    Numbers {
        /// Of all events.
        total: String,
        /// Of one side.
        counted: Counted<String>,
        /// The labels of their values.
        labels: Labels,
        /// The spacing.
        step: Duration,
    },
}

/// Labels that every series has which says nothing else: those of its target.
const TARGET: [(&str, &str); 2] = [("job", "test"), ("instance", "test:80")];

/// Codes that are tried first where a label holds those of HTTP, so that series look like real ones.
const CODES: [&str; 6] = ["200", "500", "503", "404", "429", "302"];

/// Values that are tried where nothing must be matched.
const ANY: [&str; 8] = ["200", "ok", "OK", "GET", "0", "a", "other", ""];

/// Combinations of values that are tried at most.
const MOST_TRIED: usize = 20_000;

impl Recipe {
    /// How events of a group show, whose series have these labels.
    ///
    /// # Errors
    /// Why no series can be thought of, in a sentence.
    pub fn of(slo: &Slo, labels: &BTreeMap<String, String>) -> Result<Self, String> {
        if let Some(missing) = slo.per.iter().find(|label| !labels.contains_key(*label)) {
            return Err(format!("`{}` is split by `{missing}`, and the traffic does not say of which one it is", slo.id.name));
        }
        match &slo.sli {
            Sli::Events { counted, total } => events(counted, total, labels),
            Sli::Latency { kind: HistogramKind::Native, .. } => {
                Err("a native histogram cannot be written as traffic; test the SLO with `buckets: classic`".to_owned())
            }
            Sli::Latency { buckets, kind: HistogramKind::Classic, within, tolerated } => latency(buckets, *within, *tolerated, labels),
            Sli::Probe { probes } => {
                let found = probes.iter().find_map(|probe| solve(&[probe], &[], labels));
                found.map(Self::Gauge).ok_or_else(|| none_is("a probe"))
            }
            Sli::Presence { series, .. } => solve(&[series], &[], labels).map(Self::Presence).ok_or_else(|| none_is("present")),
            Sli::Window { expression, is, threshold, slice } => {
                let (good, bad) = values(*is, *threshold);
                Ok(Self::Value { expression: expression.as_str().to_owned(), labels: plain(labels), step: *slice, good, bad })
            }
            Sli::Query { counted, total, step } => Ok(Self::Numbers {
                total: total.as_str().to_owned(),
                counted: match counted {
                    Counted::Bad(side) => Counted::Bad(side.as_str().to_owned()),
                    Counted::Good(side) => Counted::Good(side.as_str().to_owned()),
                },
                labels: plain(labels),
                step: *step,
            }),
            Sli::Composite(_) => Err("a journey has no traffic of its own; give that of its members, each with its `slo:`".to_owned()),
        }
    }

    /// Whether there are as many events as somebody says, or one for each sample or slice.
    pub const fn has_a_rate(&self) -> bool {
        match self {
            Self::Counters { .. } | Self::Numbers { .. } => true,
            Self::Gauge(_) | Self::Presence(_) | Self::Value { .. } => false,
        }
    }

    /// The series that stand for a bad event, or for samples of a gauge or a presence, each as a selector of it alone.
    pub fn bad_series(&self) -> Vec<Selector> {
        let series = match self {
            Self::Counters { bad, .. } => bad.iter().collect(),
            Self::Gauge(_) | Self::Presence(_) | Self::Value { .. } | Self::Numbers { .. } => self.series(),
        };
        series.into_iter().map(alone).collect()
    }

    /// The series, where there are any.
    pub fn series(&self) -> Vec<&Labels> {
        match self {
            Self::Counters { good, bad } => good.iter().chain(bad).collect(),
            Self::Gauge(series) | Self::Presence(series) => vec![series],
            Self::Value { .. } | Self::Numbers { .. } => Vec::new(),
        }
    }
}

/// The selector of one series.
fn alone(labels: &Labels) -> Selector {
    let matcher = |(label, value): (&str, &str)| Matcher { label: label.to_owned(), op: MatchOp::Equal, value: value.to_owned() };
    let shown = |(label, value): &(&str, &str)| *label != "__name__" && !TARGET.contains(&(*label, *value));
    Selector::new(labels.get("__name__"), labels.pairs().filter(shown).map(matcher).collect())
}

fn none_is(what: &str) -> String {
    format!("no series can be thought of that is {what}; name the labels that make it one, as `labels:`")
}

fn plain(labels: &BTreeMap<String, String>) -> Labels {
    Labels::new(labels.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn events(counted: &Counted, total: &[Selector], labels: &BTreeMap<String, String>) -> Result<Recipe, String> {
    let (side, counts_bad) = match counted {
        Counted::Bad(side) => (side, true),
        Counted::Good(side) => (side, false),
    };
    let pairs = || side.iter().flat_map(|one| total.iter().map(move |all| (one, all)));
    let of_both = pairs().find_map(|(one, all)| solve(&[one, all], &[], labels));
    let judged = if let Some(both) = of_both {
        let rest = total.iter().find_map(|all| solve(&[all], side, labels));
        rest.map(|rest| (vec![both], vec![rest]))
    } else {
        let one = side.iter().find_map(|one| solve(&[one], &[], labels));
        let all = total.iter().find_map(|all| solve(&[all], &[], labels));
        one.zip(all).map(|(one, all)| (vec![all.clone(), one], vec![all]))
    };
    let (of_side, of_rest) =
        judged.ok_or_else(|| none_is(if counts_bad { "bad, or one that is not" } else { "good, or one that is not" }))?;
    Ok(if counts_bad { Recipe::Counters { good: of_rest, bad: of_side } } else { Recipe::Counters { good: of_side, bad: of_rest } })
}

fn latency(buckets: &Selector, within: f64, tolerated: Option<f64>, labels: &BTreeMap<String, String>) -> Result<Recipe, String> {
    let series = solve(&[buckets], &[], labels).ok_or_else(|| none_is("a bucket"))?;
    let bucket =
        |le: String| Labels::new(series.pairs().map(|(name, value)| (name.to_owned(), value.to_owned())).chain([("le".to_owned(), le)]));
    let infinite = bucket("+Inf".to_owned());
    let finite = [Some(within), tolerated].into_iter().flatten().map(|boundary| bucket(boundary.to_string()));
    Ok(Recipe::Counters { good: finite.chain([infinite.clone()]).collect(), bad: vec![infinite] })
}

/// A value that compares as promised, and one that does not.
fn values(is: Comparison, threshold: f64) -> (f64, f64) {
    let (less, more) = (threshold - threshold.abs().max(1.0), threshold + threshold.abs().max(1.0));
    match is {
        Comparison::AtMost | Comparison::Equal => (threshold, more),
        Comparison::Less => (less, threshold),
        Comparison::AtLeast => (threshold, less),
        Comparison::Greater | Comparison::Different => (more, threshold),
    }
}

/// Labels that all the wanted selectors take, which are of one metric, and none of the unwanted; `None` where none are found.
fn solve(wanted: &[&Selector], unwanted: &[Selector], fixed: &BTreeMap<String, String>) -> Option<Labels> {
    let metric = wanted.first()?.metric();
    let compile = |selector: &Selector| CompiledSelector::new(selector, Dialect::default());
    let takes = |labels: &Labels, selector: &CompiledSelector| selector.local() && selector.matches(labels);
    let all_wanted: Vec<CompiledSelector> = wanted.iter().map(|selector| compile(selector)).collect();
    let none_wanted: Vec<CompiledSelector> = unwanted.iter().map(compile).collect();
    let is_right = |labels: &Labels| all_wanted.iter().all(|one| takes(labels, one)) && !none_wanted.iter().any(|one| takes(labels, one));
    let mut choices: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for label in wanted.iter().copied().chain(unwanted).flat_map(Selector::matchers).map(|matcher| matcher.label.as_str()) {
        choices.entry(label).or_insert_with(|| candidates(label, wanted, unwanted));
    }
    for (label, value) in TARGET {
        choices.entry(label).or_default().insert(0, value.to_owned());
    }
    for (label, value) in fixed {
        choices.insert(label, vec![value.clone()]);
    }
    for (label, values) in &mut choices {
        let of_label =
            |selector: &&&Selector| selector.matchers().iter().filter(|matcher| matcher.label == *label).cloned().collect::<Vec<_>>();
        let asked: Vec<CompiledSelector> = wanted.iter().map(|selector| compile(&Selector::new("", of_label(&selector)))).collect();
        values.retain(|value| asked.iter().all(|one| takes(&Labels::new([(*label, value.as_str())]), one)));
    }
    let combinations = choices.values().map(Vec::len).try_fold(1_usize, usize::checked_mul)?.min(MOST_TRIED);
    (0..combinations).map(|number| chosen(metric, &choices, number)).find(is_right)
}

/// The combination of this number.
fn chosen(metric: &str, choices: &BTreeMap<&str, Vec<String>>, mut number: usize) -> Labels {
    let mut labels = vec![("__name__", metric)];
    for (label, values) in choices {
        labels.push((label, &values[number % values.len()]));
        number /= values.len();
    }
    Labels::new(labels)
}

/// Values of a label that are worth a try, those that are asked for first.
fn candidates(label: &str, wanted: &[&Selector], unwanted: &[Selector]) -> Vec<String> {
    let matchers = wanted.iter().copied().chain(unwanted).flat_map(Selector::matchers).filter(|matcher| matcher.label == label);
    let codes = CODES.into_iter().filter(|_| matchers::is_of_http(label)).map(ToOwned::to_owned);
    let asked = matchers.flat_map(texts_of);
    let mut values: Vec<String> = codes.chain(asked).chain(ANY.map(ToOwned::to_owned)).collect();
    let mut seen = std::collections::BTreeSet::new();
    values.retain(|value| seen.insert(value.clone()));
    values
}

/// Texts that a matcher speaks of.
fn texts_of(matcher: &Matcher) -> Vec<String> {
    match matcher.op {
        MatchOp::Equal | MatchOp::NotEqual => vec![matcher.value.clone()],
        MatchOp::Regex | MatchOp::NotRegex => regex_syntax::parse(&matcher.value).map_or_else(|_| Vec::new(), |tree| texts(&tree)),
    }
}

/// So many texts of one expression at most.
const MOST_TEXTS: usize = 8;
/// The longest of them.
const LONGEST_TEXT: usize = 256;

/// Some short texts that an expression matches.
fn texts(tree: &Hir) -> Vec<String> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => vec![String::from_utf8_lossy(&literal.0).into_owned()],
        HirKind::Class(class) => character(class).into_iter().map(String::from).collect(),
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = usize::try_from(repetition.min).unwrap_or(LONGEST_TEXT).min(LONGEST_TEXT);
            texts(&repetition.sub).into_iter().map(|text| text.repeat(times)).collect()
        }
        HirKind::Alternation(branches) => branches.iter().flat_map(texts).take(MOST_TEXTS).collect(),
        HirKind::Concat(parts) => parts.iter().fold(vec![String::new()], |before, part| {
            let more = texts(part);
            let joined = before.iter().flat_map(|one| more.iter().map(move |other| format!("{one}{other}")));
            joined.filter(|text| text.len() <= LONGEST_TEXT).take(MOST_TEXTS).collect()
        }),
    }
}

/// A plain character of a class: a digit or a letter where there is one.
fn character(class: &Class) -> Option<char> {
    let in_class = |c: &char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| range.start() <= *c && *c <= range.end()),
        Class::Bytes(class) => {
            class.ranges().iter().any(|range| u32::from(range.start()) <= u32::from(*c) && u32::from(*c) <= u32::from(range.end()))
        }
    };
    ('0'..='9').chain('a'..='z').chain('A'..='Z').chain(' '..='~').find(in_class)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(metric: &str, matchers: &[(&str, MatchOp, &str)]) -> Selector {
        let matcher = |(label, op, value): &(&str, MatchOp, &str)| Matcher { label: (*label).into(), op: *op, value: (*value).into() };
        Selector::new(metric, matchers.iter().map(matcher).collect())
    }

    fn shown(labels: &[Labels]) -> Vec<String> {
        labels.iter().map(|labels| labels.pairs().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")).collect()
    }

    fn check(counted: &Counted, total: &[Selector], good: &[&str], bad: &[&str]) {
        let Ok(Recipe::Counters { good: of_good, bad: of_bad }) = events(counted, total, &BTreeMap::new()) else { panic!("no series") };
        assert_eq!(
            (shown(&of_good), shown(&of_bad)),
            (good.iter().map(ToString::to_string).collect(), bad.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn bad_events_of_the_same_metric_are_a_series_of_their_own() {
        use MatchOp::{Equal, NotEqual, NotRegex, Regex};
        let job = ("job", Equal, "x");
        let total = [selector("m_total", &[job])];
        let (good, bad) = ("__name__=m_total code=200 instance=test:80 job=x", "__name__=m_total code=500 instance=test:80 job=x");
        check(&Counted::Bad(vec![selector("m_total", &[job, ("code", Regex, "5..")])]), &total, &[good], &[bad]);
        let known = [selector("m_total", &[job, ("code", NotEqual, "")])];
        check(&Counted::Bad(vec![selector("m_total", &[job, ("code", Regex, "5..")])]), &known, &[good], &[bad]);
        let not_bad = Counted::Good(vec![selector("m_total", &[job, ("code", NotRegex, "5..|429")])]);
        check(&not_bad, &total, &[good], &[bad]);
    }

    #[test]
    fn bad_events_of_another_metric_raise_both() {
        let counted = Counted::Bad(vec![selector("errors_total", &[])]);
        let (all, bad) = ("__name__=m_total instance=test:80 job=test", "__name__=errors_total instance=test:80 job=test");
        check(&counted, &[selector("m_total", &[])], &[all], &[all, bad]);
    }

    /// What nobody exposes is made only where nothing else is taken.
    #[test]
    fn codes_of_http_look_like_real_ones_where_any_is_taken() {
        use MatchOp::{Equal, NotEqual, Regex};
        let total = [selector("m_total", &[])];
        let bad_code = |op, value| {
            let Ok(Recipe::Counters { bad, .. }) =
                events(&Counted::Bad(vec![selector("m_total", &[("code", op, value)])]), &total, &BTreeMap::new())
            else {
                panic!("no series")
            };
            bad[0].get("code").to_owned()
        };
        for (op, value, code) in [
            (Regex, "5..", "500"),
            (NotEqual, "200", "500"),
            (Regex, "[45]..", "500"),
            (Regex, "503|504", "503"),
            (Regex, "4.*", "404"),
            (Equal, "5..", "5.."),
        ] {
            assert_eq!(bad_code(op, value), code, "{value}");
        }
    }

    #[test]
    fn expressions_have_texts() {
        for (expression, text) in [("5..", "500"), ("2..|3..", "200"), (".+", "0"), ("[a-f]{3}x?", "aaa"), ("(GET|POST)", "GET"), ("", "")]
        {
            let tree = regex_syntax::parse(expression).expect(expression);
            assert_eq!(texts(&tree).first().map(String::as_str), Some(text), "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let all = selector("m_total", &[]);
        assert!(events(&Counted::Bad(vec![all.clone()]), &[all], &BTreeMap::new()).is_err());
    }
}
