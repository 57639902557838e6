//! One question for many selectors: those that differ in the value of one label alone are asked for together, by an alternation of their values, and the
//! answer is dealt out by that label. A thousand services cost a source a few requests a tick instead of a thousand.

use std::collections::{BTreeMap, HashMap};

use burnward_core::{
    ledger::{Reason, Series, Unknown},
    sli::{MatchOp, Matcher, Selector},
};

use super::http::unknown;

/// Selectors that are asked for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// What is asked.
    pub selector: Selector,
    /// The places of the selectors that it stands for.
    pub parts: Vec<usize>,
    /// The label that tells them apart, with the value of each; `None` where it is one selector alone.
    told_by: Option<(String, Vec<String>)>,
}

/// What selectors have in common that are asked for together: metric, the label that tells them apart, all other matchers.
type Alike<'s> = (&'s str, &'s str, Vec<&'s Matcher>);

/// Puts selectors together, each given with its place, at most `at_most` in one.
pub fn merge(selectors: &[(usize, &Selector)], at_most: usize) -> Vec<Merged> {
    let mut alike: BTreeMap<Alike<'_>, usize> = BTreeMap::new();
    for (_, selector) in selectors {
        for (value, rest) in splits(selector) {
            *alike.entry((selector.metric(), &value.label, rest)).or_default() += 1;
        }
    }
    let mut together: BTreeMap<Alike<'_>, Vec<(usize, &str)>> = BTreeMap::new();
    let mut merged = Vec::new();
    for (place, selector) in selectors {
        let keys = splits(selector).map(|(value, rest)| ((selector.metric(), value.label.as_str(), rest), value.value.as_str()));
        match keys.max_by_key(|(key, _)| alike[key]).filter(|(key, _)| alike[key] > 1) {
            Some((key, value)) => together.entry(key).or_default().push((*place, value)),
            None => merged.push(Merged::alone(*place, selector)),
        }
    }
    for ((metric, label, rest), parts) in together {
        merged.extend(parts.chunks(at_most.max(1)).map(|parts| joined(metric, label, &rest, parts)));
    }
    merged
}

/// A selector's equal matchers of plain values, each with the matchers beside it.
fn splits(selector: &Selector) -> impl Iterator<Item = (&Matcher, Vec<&Matcher>)> {
    let plain = |value: &str| !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || "_-:/.".contains(c));
    let equal = selector.matchers().iter().filter(move |matcher| matcher.op == MatchOp::Equal && plain(&matcher.value));
    equal.map(|matcher| (matcher, selector.matchers().iter().filter(|other| *other != matcher).collect()))
}

fn joined(metric: &str, label: &str, rest: &[&Matcher], parts: &[(usize, &str)]) -> Merged {
    let (op, value) = match parts {
        [(_, value)] => (MatchOp::Equal, (*value).to_owned()),
        many => (MatchOp::Regex, many.iter().map(|(_, value)| value.replace('.', "\\.")).collect::<Vec<_>>().join("|")),
    };
    let matcher = Matcher { label: label.to_owned(), op, value };
    let selector = Selector::new(metric, rest.iter().map(|matcher| (*matcher).clone()).chain([matcher]).collect());
    let told_by = (parts.len() > 1).then(|| (label.to_owned(), parts.iter().map(|(_, value)| (*value).to_owned()).collect()));
    Merged { selector, parts: parts.iter().map(|(at, _)| *at).collect(), told_by }
}

impl Merged {
    /// One selector by itself.
    pub fn alone(place: usize, selector: &Selector) -> Self {
        Self { selector: selector.clone(), parts: vec![place], told_by: None }
    }

    /// The answer for each part, in their order.
    pub fn deal(&self, series: Vec<Series>) -> Result<Vec<Vec<Series>>, Unknown> {
        let Some((label, values)) = &self.told_by else { return Ok(vec![series]) };
        let places: HashMap<&str, usize> = values.iter().zip(0..).map(|(value, place)| (value.as_str(), place)).collect();
        let share = series.len() / values.len() + 1;
        let mut dealt: Vec<Vec<Series>> = values.iter().map(|_| Vec::with_capacity(share)).collect();
        for one in series {
            match places.get(one.labels.get(label)) {
                Some(place) => dealt[*place].push(one),
                None => {
                    return Err(unknown(Reason::Foreign, format!("the answer holds a series of another {label} than was asked for")));
                }
            }
        }
        Ok(dealt)
    }

    /// The same in two halves; `None` where it is one selector alone.
    pub fn halves(&self, selectors: &[&Selector]) -> Option<Vec<Self>> {
        let (first, second) = self.parts.split_at(self.parts.len() / 2);
        let half = |parts: &[usize]| {
            let chosen: Vec<(usize, &Selector)> = parts.iter().map(|place| (*place, selectors[*place])).collect();
            merge(&chosen, chosen.len())
        };
        (!first.is_empty()).then(|| half(first).into_iter().chain(half(second)).collect())
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::sli::Labels;

    use super::*;

    fn selector(metric: &str, pairs: &[(&str, &str)]) -> Selector {
        let matcher = |(label, value): &(&str, &str)| Matcher { label: (*label).into(), op: MatchOp::Equal, value: (*value).into() };
        Selector::new(metric, pairs.iter().map(matcher).collect())
    }

    #[track_caller]
    fn check(selectors: &[Selector], at_most: usize, expected: &[(&str, &[usize])]) {
        let given: Vec<(usize, &Selector)> = selectors.iter().enumerate().collect();
        let merged = merge(&given, at_most);
        let shown: Vec<(String, Vec<usize>)> = merged.iter().map(|merged| (merged.selector.to_string(), merged.parts.clone())).collect();
        let expected: Vec<(String, Vec<usize>)> = expected.iter().map(|(text, parts)| ((*text).to_owned(), parts.to_vec())).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn selectors_that_differ_in_one_value_are_asked_for_together() {
        let services = ["a", "b.c", "d"].map(|service| selector("m", &[("job", "x"), ("service", service)]));
        check(&services, 9, &[(r#"m{job="x",service=~"a|b\\.c|d"}"#, &[0, 1, 2])]);
        check(&services, 2, &[(r#"m{job="x",service=~"a|b\\.c"}"#, &[0, 1]), (r#"m{job="x",service="d"}"#, &[2])]);
    }

    #[test]
    fn what_differs_otherwise_or_could_be_read_as_more_is_asked_for_alone() {
        check(
            &[
                selector("m", &[("a", "1"), ("b", "1")]),
                selector("m", &[("a", "2"), ("b", "2")]),
                selector("n", &[("a", "1"), ("b", "1")]),
                selector("m", &[]),
            ],
            9,
            &[(r#"m{a="1",b="1"}"#, &[0]), (r#"m{a="2",b="2"}"#, &[1]), (r#"n{a="1",b="1"}"#, &[2]), ("m", &[3])],
        );
        check(&[selector("m", &[("a", "x|y")]), selector("m", &[("a", "")])], 9, &[(r#"m{a="x|y"}"#, &[0]), (r#"m{a=""}"#, &[1])]);
    }

    #[test]
    fn an_answer_is_dealt_out_whole_and_a_series_that_nobody_asked_for_refuses_it() {
        let (a, b) = (selector("m", &[("s", "a")]), selector("m", &[("s", "b")]));
        let merged = &merge(&[(0, &a), (1, &b)], 9)[0];
        let series = |value: &str, code: &str| Series::new(Labels::new([("s", value), ("code", code)]), Vec::new());
        let dealt = merged.deal(vec![series("b", "1"), series("a", "1"), series("b", "2")]).unwrap();
        assert_eq!(dealt, [vec![series("a", "1")], vec![series("b", "1"), series("b", "2")]]);
        assert_eq!(merged.deal(vec![series("c", "1")]).map_err(|unknown| unknown.reason), Err(Reason::Foreign));
        let halves = merged.halves(&[&a, &b]).unwrap();
        assert_eq!(
            halves.iter().map(|half| (half.selector.to_string(), half.parts.clone())).collect::<Vec<_>>(),
            [(r#"m{s="a"}"#.to_owned(), vec![0]), (r#"m{s="b"}"#.to_owned(), vec![1])]
        );
        assert_eq!(halves[0].halves(&[&a, &b]), None);
    }
}
