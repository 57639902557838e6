//! What an alert compares: shares of bad events with a multiple of a budget.

use std::time::Duration;

use burnward_core::sli::{MatchOp, Matcher, Selector};
use promql_parser::parser::Expr;

use super::{Rule, Rules};
use crate::{
    definition::{
        promql::{always_alike, bare},
        selector,
    },
    import::{
        expression::{self, Side},
        factor::{number, same, scaled},
    },
};

/// Deepest chain of recording rules that is looked up.
const DEPTH: usize = 4;

/// A comparison of a share with a number.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// The share, with recording rules filled in and without constant factors.
    pub(super) share: Expr,
    /// Which side it is the share of.
    pub(super) side: Side,
    /// How far it looks back.
    pub(super) lookback: Duration,
    /// The share of bad events above which the alert holds.
    pub(super) threshold: f64,
    /// The same as it is written, where it is a burn rate times a budget.
    pub(super) product: Option<(f64, f64)>,
    /// The rules that were looked up for it.
    pub(super) through: Vec<usize>,
}

/// What an alert holds for: any of these, each of which is one comparison, or two over different lookbacks. One that always or never holds is left out.
pub(super) fn conditions(expr: &Expr, rules: &Rules) -> Vec<Vec<Comparison>> {
    let mut alternatives = Vec::new();
    split(expr, "or", &mut alternatives);
    let decide = alternatives.into_iter().filter(|alternative| always_alike(alternative).is_none());
    decide.filter_map(|alternative| all_of(alternative, rules)).collect()
}

fn all_of(expr: &Expr, rules: &Rules) -> Option<Vec<Comparison>> {
    let mut parts = Vec::new();
    split(expr, "and", &mut parts);
    parts.into_iter().map(|part| comparison(part, rules)).collect()
}

/// The operands of a chain of one operator.
fn split<'e>(expr: &'e Expr, op: &str, into: &mut Vec<&'e Expr>) {
    match bare(expr) {
        Expr::Binary(binary) if binary.op.to_string() == op => {
            split(&binary.lhs, op, into);
            split(&binary.rhs, op, into);
        }
        other => into.push(other),
    }
}

fn comparison(expr: &Expr, rules: &Rules) -> Option<Comparison> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    let side = match binary.op.to_string().as_str() {
        ">" | ">=" => Side::Bad,
        "<" | "<=" => Side::Good,
        _ => return None,
    };
    let number = number(&binary.rhs)?;
    let mut through = Vec::new();
    let (scale, share) = looked_up(&binary.lhs, rules, &mut through, 0)?;
    let ratio = expression::parts(&share, side).is_some() || expression::averaged(&share, side).is_some();
    let lookback = expression::range(&share)?;
    let (threshold, product) = match side {
        Side::Bad => (number / scale, product(&binary.rhs, scale)),
        Side::Good => (1.0 - number / scale, None),
    };
    let possible = threshold > 0.0 && (threshold < 1.0 || product.is_some());
    (ratio && possible).then_some(Comparison { share, side, lookback, threshold, product, through })
}

/// The constant that an expression is multiplied by, such as 100 of a percentage, and the rest of it, with the recording rule in its place that it names.
fn looked_up(expr: &Expr, rules: &Rules, through: &mut Vec<usize>, depth: usize) -> Option<(f64, Expr)> {
    let (scale, rest) = scaled(expr);
    let Expr::VectorSelector(vector) = bare(&rest) else { return Some((scale, bare(&rest).clone())) };
    let wanted = selector::of_expression(vector)?;
    let (at, rule) = rules.recording(&wanted)?;
    through.push(at);
    let inner = rule.expr.as_ref()?;
    if depth >= DEPTH {
        return None;
    }
    let (of_rule, share) = looked_up(inner, rules, through, depth + 1)?;
    Some((scale * of_rule, share))
}

impl Rules {
    /// The recording rule that a selector reads: by its name, and by labels that it sets.
    pub(super) fn recording(&self, wanted: &Selector) -> Option<(usize, &Rule)> {
        let named = |rule: &Rule| rule.record.as_deref() == Some(wanted.metric());
        self.all.iter().enumerate().find(|(_, rule)| named(rule) && wanted.matchers().iter().all(|matcher| fits(matcher, rule)))
    }
}

/// Whether the labels that a rule sets do not contradict a matcher.
fn fits(matcher: &Matcher, rule: &Rule) -> bool {
    match (matcher.op, rule.labels.get(&matcher.label)) {
        (MatchOp::Equal, Some(value)) => *value == matcher.value,
        (MatchOp::NotEqual, Some(value)) => *value != matcher.value,
        (MatchOp::Regex | MatchOp::NotRegex, _) | (_, None) => true,
    }
}

/// A burn rate and a budget whose product an expression is, beside what is multiplied by `scale`: `14.4 * 0.1` and `100 * 14.4 * 0.001` beside a
/// percentage, whose scale is 100.
fn product(expr: &Expr, scale: f64) -> Option<(f64, f64)> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    if binary.op.to_string() != "*" {
        return None;
    }
    let mut factors = Vec::new();
    split(expr, "*", &mut factors);
    let mut factors = factors.into_iter().map(number).collect::<Option<Vec<f64>>>()?;
    let written = factors.iter().position(|factor| same(*factor, scale)).filter(|_| !same(scale, 1.0));
    let (left, right, scale) = match written.map(|at| factors.remove(at)) {
        Some(_) => {
            let [left, right] = factors.as_slice() else { return None };
            (*left, *right, 1.0)
        }
        None => (number(&binary.lhs)?, number(&binary.rhs)?, scale),
    };
    let (factor, budget) = if left >= 1.0 { (left, right / scale) } else { (right, left / scale) };
    (factor >= 1.0 && budget > 0.0 && budget < 1.0).then_some((factor, budget))
}
