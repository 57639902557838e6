//! What an alert compares: shares of bad events with a multiple of a budget.

use std::time::Duration;

use burnward_core::sli::{MatchOp, Matcher, Selector};
use promql_parser::parser::Expr;

use super::{Rule, Rules};
use crate::{
    definition::{promql::bare, selector},
    import::expression::{self, Side},
};

/// Deepest chain of recording rules that is looked up.
const DEPTH: usize = 4;

/// A comparison of a share with a number.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// The share, with recording rules filled in.
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

/// What an alert holds for: any of these, each of which is one comparison, or two over different lookbacks.
pub(super) fn conditions(expr: &Expr, rules: &Rules) -> Vec<Vec<Comparison>> {
    let mut alternatives = Vec::new();
    split(expr, "or", &mut alternatives);
    alternatives.into_iter().filter_map(|alternative| all_of(alternative, rules)).collect()
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
    let share = looked_up(&binary.lhs, rules, &mut through, 0)?;
    let ratio = expression::parts(&share, side).is_some() || expression::averaged(&share, side).is_some();
    let lookback = expression::range(&share)?;
    let (threshold, product) = match side {
        Side::Bad => (number, product(&binary.rhs)),
        Side::Good => (1.0 - number, None),
    };
    let possible = threshold > 0.0 && (threshold < 1.0 || product.is_some());
    (ratio && possible).then_some(Comparison { share, side, lookback, threshold, product, through })
}

/// The expression with the recording rule in its place that it names.
fn looked_up(expr: &Expr, rules: &Rules, through: &mut Vec<usize>, depth: usize) -> Option<Expr> {
    let Expr::VectorSelector(vector) = bare(expr) else { return Some(bare(expr).clone()) };
    let wanted = selector::of_expression(vector)?;
    let (at, rule) = rules.recording(&wanted)?;
    through.push(at);
    let inner = rule.expr.as_ref()?;
    if depth >= DEPTH { None } else { looked_up(inner, rules, through, depth + 1) }
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

/// The value of an expression of numbers alone.
pub(super) fn number(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::NumberLiteral(literal) => Some(literal.val),
        Expr::Unary(unary) => number(&unary.expr).map(|value| -value),
        Expr::Call(call) if call.func.name == "vector" => call.args.args.first().and_then(|arg| number(arg)),
        Expr::Binary(binary) => {
            let (left, right) = (number(&binary.lhs)?, number(&binary.rhs)?);
            match binary.op.to_string().as_str() {
                "+" => Some(left + right),
                "-" => Some(left - right),
                "*" => Some(left * right),
                "/" => Some(left / right),
                _ => None,
            }
        }
        _ => None,
    }
    .filter(|value| value.is_finite())
}

/// A burn rate and a budget whose product an expression is.
fn product(expr: &Expr) -> Option<(f64, f64)> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    let (left, right) = (number(&binary.lhs)?, number(&binary.rhs)?);
    let (factor, budget) = if left >= 1.0 { (left, right) } else { (right, left) };
    (binary.op.to_string() == "*" && factor >= 1.0 && budget > 0.0 && budget < 1.0).then_some((factor, budget))
}
