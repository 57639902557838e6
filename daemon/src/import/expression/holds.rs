//! What an expression holds that tells how its values are made: ranges, rates, numbers, and what is no sum of its parts.

use std::time::Duration;

use burnward_core::sli::Selector;
use promql_parser::parser::Expr;

use super::{TEMPLATE, is_number, only_selector, ranged};
use crate::{
    definition::promql::{bare, visit},
    import::factor::number,
};

/// The range that the expression looks back over; `None` where it does not.
pub(in crate::import) fn range(expr: &Expr) -> Option<Duration> {
    ranges(expr).first().copied()
}

/// The range that is written out where none is that of the window; `None` where there is none at all, too.
pub(in crate::import) fn fixed_range(expr: &Expr) -> Option<Duration> {
    let ranges = ranges(expr);
    ranges.first().copied().filter(|_| !ranges.contains(&TEMPLATE))
}

/// All ranges, from left to right, those of subqueries before what they are of.
fn ranges(expr: &Expr) -> Vec<Duration> {
    let mut found = Vec::new();
    visit(expr, &mut |node| match node {
        Expr::MatrixSelector(matrix) => found.push(matrix.range),
        Expr::Subquery(subquery) => found.push(subquery.range),
        _ => {}
    });
    found
}

/// The ranges of both sides where they are written out and differ: then their ratio is of other events than those of one lookback.
pub(in crate::import) fn different_ranges(part: &Expr, total: &Expr) -> Option<(Duration, Duration)> {
    let one = |expr: &Expr| {
        let ranges = ranges(expr);
        ranges.first().copied().filter(|first| *first != TEMPLATE && ranges.iter().all(|range| range == first))
    };
    let (part, total) = (one(part)?, one(total)?);
    (part != total).then_some((part, total))
}

/// Whether something in it is of the two newest samples alone.
pub(in crate::import) fn is_of_two_samples(expr: &Expr) -> bool {
    holds(expr, |node| matches!(node, Expr::Call(call) if call.func.name == "irate"))
}

/// Whether something in it is the increase of a whole range.
pub(in crate::import) fn is_of_range(expr: &Expr) -> bool {
    holds(expr, |node| matches!(node, Expr::Call(call) if call.func.name == "increase"))
}

/// The aggregation that takes one of many, or a mean of them, of what looks back over a range, or a function that is no sum of its parts: of each minute
/// that is another one.
pub(in crate::import) fn of_one_of_many(expr: &Expr) -> Option<String> {
    const AGGREGATIONS: [&str; 8] = ["max", "min", "avg", "topk", "bottomk", "quantile", "stddev", "stdvar"];
    const FUNCTIONS: [&str; 9] =
        ["changes", "resets", "delta", "idelta", "deriv", "predict_linear", "max_over_time", "min_over_time", "quantile_over_time"];
    let mut found = None;
    visit(expr, &mut |node| {
        let (name, known) = match node {
            Expr::Aggregate(aggregate) if range(&aggregate.expr).is_some() => (aggregate.op.to_string(), &AGGREGATIONS[..]),
            Expr::Call(call) => (call.func.name.to_owned(), &FUNCTIONS[..]),
            _ => return,
        };
        if known.contains(&name.as_str()) {
            found.get_or_insert(name);
        }
    });
    found
}

/// Whether numbers are compared with something in it, added to it, or bound it.
pub(in crate::import) fn has_numbers(expr: &Expr) -> bool {
    let is_one = |expr: &Expr| number(expr).is_some();
    holds(expr, |node| match node {
        Expr::Binary(binary) => {
            let scales = matches!(binary.op.to_string().as_str(), "*" | "/" | "or" | "and" | "unless");
            let guards = binary.op.to_string() == ">" && is_number(&binary.rhs, 0.0);
            !scales && !guards && (is_one(&binary.lhs) != is_one(&binary.rhs))
        }
        Expr::Call(call) => matches!(call.func.name, "clamp" | "clamp_min" | "clamp_max" | "round" | "ceil" | "floor"),
        _ => false,
    })
}

fn holds(expr: &Expr, is: impl Fn(&Expr) -> bool) -> bool {
    let mut found = false;
    visit(expr, &mut |node| found |= is(node));
    found
}

/// A ratio without the guard that it is above zero.
pub(in crate::import) fn without_guard(ratio: &Expr) -> Option<&Expr> {
    match bare(ratio) {
        Expr::Binary(binary) if binary.op.to_string() == ">" && is_number(&binary.rhs, 0.0) && !binary.return_bool() => Some(&binary.lhs),
        _ => None,
    }
}

/// The series that an expression says to be missing: `absent(up)`.
pub(in crate::import) fn absence(expr: &Expr) -> Option<Selector> {
    match bare(expr) {
        Expr::Call(call) => match (call.func.name, call.args.args.as_slice()) {
            ("absent", [only]) => only_selector(only),
            ("absent_over_time", _) => ranged(&call.args.args),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the one side is of events, and the other of events per second: their ratio is a share of neither.
pub(in crate::import) fn is_rate_beside_increase(part: &Expr, total: &Expr) -> Option<(Per, Per)> {
    let (part, total) = (per(part)?, per(total)?);
    (part != total).then_some((part, total))
}

/// What a sum of counters is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Per {
    Second,
    Range,
}

impl Per {
    /// As a message says it.
    pub(in crate::import) const fn words(self) -> &'static str {
        match self {
            Self::Second => "events per second (`rate`)",
            Self::Range => "events of the whole range (`increase`)",
        }
    }
}

/// Of which of both all counters are; `None` where they are of neither, or of both.
pub(in crate::import) fn per(expr: &Expr) -> Option<Per> {
    let mut found = Vec::new();
    visit(expr, &mut |node| {
        if let Expr::Call(call) = node {
            found.extend(match call.func.name {
                "rate" | "irate" => Some(Per::Second),
                "increase" => Some(Per::Range),
                _ => None,
            });
        }
    });
    let (first, others) = found.split_first()?;
    others.iter().all(|other| other == first).then_some(*first)
}
