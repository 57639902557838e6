//! Advice about expressions that load: what would hide missing data, judge nothing, or count something else than was meant.

use std::time::Duration;

use burnward_core::sli::Comparison;
use promql_parser::parser::{BinaryExpr, Expr};

use super::{Finding, Scanned, Span, Use, bare, bounds, tree::visit};
use crate::definition::codes;

/// All advice about an expression.
pub(super) fn of(expr: &Expr, scanned: &Scanned<'_>, used: Use) -> Vec<Finding> {
    let mut advice: Vec<Finding> = hidden_gaps(expr, scanned).into_iter().collect();
    match used {
        Use::Window { is } => {
            advice.extend(filters(expr, "`is` and `threshold`"));
            advice.extend(absence(expr, scanned));
            advice.extend(quantile(expr, scanned));
            advice.extend(is.and_then(|(is, threshold)| constant(expr, is, threshold)));
        }
        Use::Events { step, beside } => {
            advice.extend(filters(expr, "functions").filter(|_| !beside));
            advice.extend(step.and_then(|step| other_range(expr, scanned, step)));
        }
    }
    advice
}

/// `x or vector(0)`: with it nobody sees that `x` is gone.
fn hidden_gaps(expr: &Expr, scanned: &Scanned<'_>) -> Option<Finding> {
    let mut found = false;
    visit(expr, &mut |node| {
        if let Expr::Binary(binary) = node
            && binary.op.to_string() == "or"
            && is_constant(&binary.rhs)
        {
            found = true;
        }
    });
    let message = "`or vector(...)` makes missing data look like a value";
    let help = "remove it: where a value is missing, the slice is unseen; a missing bad or good side beside its total is zero anyway";
    found.then(|| Finding::new(&codes::PROMQL_HIDES, message, help).at(scanned.word("vector")))
}

fn is_constant(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::NumberLiteral(_) => true,
        Expr::Call(call) => call.func.name == "vector",
        _ => false,
    }
}

/// A comparison at the top without `bool`: where it does not hold there is no value.
fn filters(expr: &Expr, instead: &str) -> Option<Finding> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    let compares = is_comparison(binary) && !binary.return_bool();
    compares.then(|| {
        let message = format!("where `{}` does not hold, the expression has no value, and the slice is unseen instead of bad", binary.op);
        Finding::new(&codes::PROMQL_FILTERS, message, format!("leave the comparison to {instead}, or write `{} bool`", binary.op))
    })
}

fn is_comparison(binary: &BinaryExpr) -> bool {
    matches!(binary.op.to_string().as_str(), "==" | "!=" | "<" | "<=" | ">" | ">=")
}

fn absence(expr: &Expr, scanned: &Scanned<'_>) -> Option<Finding> {
    let Expr::Call(call) = bare(expr) else { return None };
    matches!(call.func.name, "absent" | "absent_over_time").then(|| {
        let message = format!("`{}` has a value only where the series is missing: every other slice is unseen", call.func.name);
        let help = "compare the series itself; that it is missing is for `no-data` to tell";
        Finding::new(&codes::PROMQL_FILTERS, message, help).at(scanned.word(call.func.name))
    })
}

/// A quantile judges slices, not requests: a night with ten of them weighs like a day with a million.
fn quantile(expr: &Expr, scanned: &Scanned<'_>) -> Option<Finding> {
    let mut found = false;
    visit(expr, &mut |node| found |= matches!(node, Expr::Call(call) if call.func.name == "histogram_quantile"));
    let message = "a quantile judges slices of time, not requests, and is a guess between two buckets";
    let help =
        "`latency: { histogram, within }` counts the requests themselves: their share under the threshold is the same promise, exact";
    found.then(|| Finding::new(&codes::PROMQL_QUANTILE, message, help).at(scanned.word("histogram_quantile")))
}

/// Whatever happens, the comparison comes out the same.
fn constant(expr: &Expr, is: Comparison, threshold: f64) -> Option<Finding> {
    let (least, most) = bounds::of(expr)?;
    let verdict = match is {
        Comparison::Less => always(most < threshold, least >= threshold),
        Comparison::AtMost => always(most <= threshold, least > threshold),
        Comparison::Greater => always(least > threshold, most <= threshold),
        Comparison::AtLeast => always(least >= threshold, most < threshold),
        Comparison::Equal => always(false, threshold < least || threshold > most),
        Comparison::Different => always(threshold < least || threshold > most, false),
    }?;
    let (value, help) = match bounds::form(expr) {
        bounds::Form::Same => (
            format!("what is divided is what it is divided by: the value is {least} whatever happens"),
            "divide the bad (or the good) events by all events: name what tells them apart in the numerator, and leave it out of the denominator".to_owned(),
        ),
        bounds::Form::Ratio if threshold > most && threshold <= HUNDRED => (
            format!("a ratio lies between {least} and {most}"),
            format!("a percentage is the ratio times 100: write `* 100` behind it, or `threshold: {}`", threshold / HUNDRED),
        ),
        bounds::Form::Ratio | bounds::Form::Other => (
            format!("the value lies between {least} and {most}"),
            "give a threshold within these bounds; a percentage is the ratio times 100".to_owned(),
        ),
    };
    let message = format!("{value}, so `{} {threshold}` {verdict} holds", is.sign());
    Some(Finding::new(&codes::PROMQL_CONSTANT, message, help))
}

const HUNDRED: f64 = 100.0;

fn always(always: bool, never: bool) -> Option<&'static str> {
    always.then_some("always").or(never.then_some("never"))
}

/// Increases over another stretch than the step are counted several times or not at all; rates are not numbers of events.
fn other_range(expr: &Expr, scanned: &Scanned<'_>, step: Duration) -> Option<Finding> {
    let mut found = None;
    visit(expr, &mut |node| {
        let Expr::Call(call) = node else { return };
        let Some(range) =
            call.args.args.iter().find_map(|arg| if let Expr::MatrixSelector(matrix) = arg.as_ref() { Some(matrix.range) } else { None })
        else {
            return;
        };
        if found.is_none() {
            found = wrong_range(call.func.name, range, step)
                .map(|(message, help)| Finding::new(&codes::PROMQL_RANGE, message, help).at(scanned.word(call.func.name)));
        }
    });
    found
}

fn wrong_range(function: &str, range: Duration, step: Duration) -> Option<(String, String)> {
    let (range, own) = (Span(range).to_string(), Span(step).to_string());
    match function {
        "rate" | "irate" | "deriv" | "idelta" => {
            Some((format!("`{function}` yields events per second, not the events of a step"), format!("write increase(...[{own}])")))
        }
        "increase" | "delta" | "sum_over_time" | "count_over_time" if range != own => {
            let message = format!("`{function}` looks back {range}, and a step is {own}: events are counted more than once, or not at all");
            Some((message, format!("write [{own}], or give `step: {range}`")))
        }
        _ => None,
    }
}
