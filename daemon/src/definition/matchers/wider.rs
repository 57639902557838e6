//! A side of the events that takes series which `total`, of the same metric, leaves out.
//!
//! Told by a value that a label could have: the side takes it and no selector of the total does. That a label is not there at all is no such value, for `total`
//! may ask for labels that every series has.

use std::collections::BTreeSet;

use burnward_core::sli::{MatchOp, Matcher, Selector};
use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::{MOST_PAIRS, excluding, is_plain, may_hold, needed, without_boundary};

/// Why a side is wider than its total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::definition) struct Wider {
    /// What the side takes and the total does not; `None` where the side does not ask for the label.
    pub(in crate::definition) taken: Option<Matcher>,
    /// The matcher of the total that leaves it out.
    pub(in crate::definition) asked: Matcher,
    /// Whether the side takes all that the total takes.
    pub(in crate::definition) holds_all: bool,
}

/// So many values are tried in all.
const MOST_TRIED: usize = 256;
/// So many values of a label are tried.
const MOST_VALUES: usize = 16;
/// A class of characters is small up to so many.
const FEW: usize = 4;

/// What shows a side to be wider than its total.
pub(in crate::definition) fn wider(side: &[Selector], total: &[Selector]) -> Option<Wider> {
    if side.len() * total.len() > MOST_PAIRS {
        return None;
    }
    let mut search = Search { tries: MOST_TRIED, values: Vec::new() };
    side.iter().filter(|one| excluding(one, one).is_none()).find_map(|one| {
        let one = needed(&without_boundary(one));
        let beside = total.iter().filter(|all| all.metric() == one.metric());
        let beside: Vec<Selector> = beside.map(|all| needed(&without_boundary(all))).collect();
        let (taken, asked) = search.left_out(&one, &beside)?;
        let taken = Some(taken).filter(|taken| asks_for(&one, &taken.label));
        Some(Wider { taken, asked, holds_all: total.iter().all(|all| one.covers(&needed(&without_boundary(all)))) })
    })
}

/// Whether a selector says which values of a label it takes, and not only which it does not.
fn asks_for(selector: &Selector, label: &str) -> bool {
    selector.matchers().iter().any(|matcher| matcher.label == label && matches!(matcher.op, MatchOp::Equal | MatchOp::Regex))
}

struct Search {
    tries: usize,
    /// The labels that have a value already.
    values: Vec<Matcher>,
}

impl Search {
    /// A value that a side takes, with the matcher of the first selector that leaves it out, where the others leave it out as well, be it by another label.
    fn left_out(&mut self, side: &Selector, total: &[Selector]) -> Option<(Matcher, Matcher)> {
        let (all, others) = total.split_first()?;
        for asked in all.matchers() {
            let fixed = self.values.iter().find(|value| value.label == asked.label).cloned();
            let is_new = fixed.is_none();
            for value in fixed.map_or_else(|| values_of(side, asked), |value| vec![value]) {
                self.tries = self.tries.checked_sub(1)?;
                if may_hold(asked, &value.value) {
                    continue;
                }
                let before = self.values.len();
                self.values.extend(is_new.then(|| value.clone()));
                let by_all = others.is_empty() || self.left_out(side, others).is_some();
                self.values.truncate(before);
                if by_all {
                    return Some((value, asked.clone()));
                }
            }
        }
        None
    }
}

/// Values of a matcher's label that a side takes.
fn values_of(side: &Selector, asked: &Matcher) -> Vec<Matcher> {
    let own: Vec<&Matcher> = side.matchers().iter().filter(|matcher| matcher.label == asked.label).collect();
    if own.contains(&asked) {
        return Vec::new();
    }
    let wanted = own.iter().find(|matcher| matches!(matcher.op, MatchOp::Equal | MatchOp::Regex));
    let texts = match wanted {
        Some(matcher) if matcher.op == MatchOp::Equal => vec![matcher.value.clone()],
        Some(matcher) => samples(&matcher.value),
        None => match asked.op {
            MatchOp::Equal | MatchOp::Regex => vec!["other".to_owned(), "0".to_owned()],
            MatchOp::NotEqual => vec![asked.value.clone()],
            MatchOp::NotRegex => samples(&asked.value),
        },
    };
    let taken = texts.into_iter().filter(|text| !text.is_empty() && own.iter().all(|matcher| is_met_by(matcher, text)));
    taken.map(|value| Matcher { label: asked.label.clone(), op: MatchOp::Equal, value }).collect()
}

/// Whether a value surely meets a matcher.
fn is_met_by(matcher: &Matcher, value: &str) -> bool {
    can_be_judged(matcher) && may_hold(matcher, value)
}

fn can_be_judged(matcher: &Matcher) -> bool {
    matches!(matcher.op, MatchOp::Equal | MatchOp::NotEqual) || is_plain(&matcher.value)
}

/// Some texts that match an expression, the shortest that each of its alternatives has; none where it is not plain.
fn samples(pattern: &str) -> Vec<String> {
    let tree = regex_syntax::parse(pattern).ok().filter(|_| is_plain(pattern));
    let all: BTreeSet<String> = tree.iter().flat_map(texts).collect();
    all.into_iter().collect()
}

fn texts(tree: &Hir) -> Vec<String> {
    let mut all = match tree.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).map(str::to_owned).into_iter().collect(),
        HirKind::Class(class) => characters(class),
        HirKind::Repetition(Repetition { min, sub, .. }) if *min > 0 => texts(sub),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => vec![String::new()],
        HirKind::Capture(capture) => texts(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(texts).fold(vec![String::new()], |begun, part| {
            begun.iter().flat_map(|begun| part.iter().map(move |part| format!("{begun}{part}"))).take(MOST_VALUES).collect()
        }),
        HirKind::Alternation(alternatives) => alternatives.iter().flat_map(texts).collect(),
    };
    all.truncate(MOST_VALUES);
    all
}

/// The characters of a small class; of others one or two, digits before letters.
fn characters(class: &Class) -> Vec<String> {
    let holds = |c: &char| match class {
        Class::Unicode(class) => class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c)),
        Class::Bytes(class) => {
            u8::try_from(*c).is_ok_and(|byte| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&byte)))
        }
    };
    let usual = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./ ";
    let held: Vec<char> = usual.chars().filter(holds).collect();
    if held.len() <= FEW {
        return held.iter().map(char::to_string).collect();
    }
    let ends: BTreeSet<&char> = held.first().into_iter().chain(held.iter().take_while(|c| c.is_ascii_digit()).last()).collect();
    ends.into_iter().map(char::to_string).collect()
}
