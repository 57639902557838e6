//! What a tree may hold: its size and depth, what it yields, and that every instant's value depends on that instant alone.

use std::time::Duration;

use promql_parser::parser::{self, AtModifier, Expr, Offset, SubqueryExpr, VectorSelector, value::ValueType};

use super::{Finding, Scanned, Span};
use crate::definition::{codes, reader::shortened};

/// Most nodes.
const MAX_NODES: usize = 256;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Longest range or offset.
const LONGEST: Duration = Duration::from_hours(366 * 24);
/// Most values that a subquery computes for one instant.
const MAX_VALUES: u128 = 11_000;

const RULE: &str = "let a recording rule compute parts of it";

/// Refuses what is too large, what yields no number for each group, and what looks to another time than its instant's past.
pub(super) fn check(expr: &Expr, scanned: &Scanned<'_>) -> Result<(), Finding> {
    let mut nodes = 0;
    measure(expr, 1, &mut nodes)?;
    yields_numbers(expr)?;
    let mut found = Ok(());
    visit(expr, &mut |node| {
        if found.is_ok() {
            found = check_node(node, scanned);
        }
    });
    found
}

/// The text to send: printed from the tree, where it reads back as the same tree.
pub(super) fn faithful(expr: &Expr) -> Result<String, Finding> {
    let sent = expr.to_string();
    match parser::parse(&sent) {
        Ok(again) if again.to_string() == sent && in_order(&again) == in_order(expr) => Ok(sent),
        Ok(_) | Err(_) => {
            let message = "the expression does not read back as it was written";
            let help = "write it plainer, or send it as it is with `promql-check: off` beside it";
            Err(Finding::new(&codes::PROMQL_UNFAITHFUL, message, help))
        }
    }
}

/// The same tree with the matchers of each selector in order: the printer sorts them, and their order means nothing.
fn in_order(expr: &Expr) -> Expr {
    let mut ordered = expr.clone();
    order(&mut ordered);
    ordered
}

fn order(expr: &mut Expr) {
    match expr {
        Expr::Aggregate(aggregate) => {
            order(&mut aggregate.expr);
            aggregate.param.iter_mut().for_each(|param| order(param));
        }
        Expr::Unary(unary) => order(&mut unary.expr),
        Expr::Binary(binary) => {
            order(&mut binary.lhs);
            order(&mut binary.rhs);
        }
        Expr::Paren(paren) => order(&mut paren.expr),
        Expr::Subquery(subquery) => order(&mut subquery.expr),
        Expr::Call(call) => call.args.args.iter_mut().for_each(|arg| order(arg)),
        Expr::VectorSelector(selector) => selector.matchers.matchers.sort_by_key(ToString::to_string),
        Expr::MatrixSelector(matrix) => matrix.vs.matchers.matchers.sort_by_key(ToString::to_string),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

/// Calls `seen` for the node and all below it.
pub(crate) fn visit<'e>(expr: &'e Expr, seen: &mut impl FnMut(&'e Expr)) {
    seen(expr);
    for child in children(expr) {
        visit(child, seen);
    }
}

/// What stands right below a node.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(aggregate) => aggregate.param.iter().chain([&aggregate.expr]).map(AsRef::as_ref).collect(),
        Expr::Unary(unary) => vec![&unary.expr],
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Paren(paren) => vec![&paren.expr],
        Expr::Subquery(subquery) => vec![&subquery.expr],
        Expr::Call(call) => call.args.args.iter().map(AsRef::as_ref).collect(),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::VectorSelector(_) | Expr::MatrixSelector(_) | Expr::Extension(_) => {
            Vec::new()
        }
    }
}

/// Within the bounds of size and depth.
pub(super) fn is_small(expr: &Expr) -> bool {
    measure(expr, 1, &mut 0).is_ok()
}

fn measure(expr: &Expr, depth: usize, nodes: &mut usize) -> Result<(), Finding> {
    *nodes += 1;
    if *nodes > MAX_NODES || depth > MAX_DEPTH {
        let message = format!("the expression has more than {MAX_NODES} parts, or they are nested more than {MAX_DEPTH} deep");
        return Err(Finding::new(&codes::PROMQL_SIZE, message, RULE));
    }
    children(expr).into_iter().try_for_each(|child| measure(child, depth + 1, nodes))
}

fn yields_numbers(expr: &Expr) -> Result<(), Finding> {
    let (what, help) = match expr.value_type() {
        ValueType::Vector | ValueType::Scalar => return Ok(()),
        ValueType::Matrix => ("samples over a range", "make one number of them with a function such as increase() or max_over_time()"),
        ValueType::String => ("a text", "write an expression that yields numbers"),
    };
    Err(Finding::new(&codes::PROMQL_TYPE, format!("the expression yields {what}, not one number for each group"), help))
}

fn check_node(expr: &Expr, scanned: &Scanned<'_>) -> Result<(), Finding> {
    match expr {
        Expr::VectorSelector(selector) => check_selector(selector, scanned),
        Expr::MatrixSelector(matrix) => {
            not_longer(matrix.range, "a range", scanned)?;
            check_selector(&matrix.vs, scanned)
        }
        Expr::Subquery(subquery) => check_subquery(subquery, scanned),
        Expr::Call(call) if matches!(call.func.name, "start" | "end" | "range") => {
            let message = format!("`{}()` depends on how much is asked for at once", call.func.name);
            Err(Finding::new(&codes::PROMQL_TIME, message, "each slice must have the same value whenever it is asked for")
                .at(scanned.word(call.func.name)))
        }
        Expr::Aggregate(_)
        | Expr::Unary(_)
        | Expr::Binary(_)
        | Expr::Paren(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Call(_)
        | Expr::Extension(_) => Ok(()),
    }
}

fn check_selector(selector: &VectorSelector, scanned: &Scanned<'_>) -> Result<(), Finding> {
    if !selector.matchers.or_matchers.is_empty() {
        let help = "use a regular expression such as code=~\"500|503\", or add two selectors; where the source knows it, `promql-check: off` sends it as it is written";
        return Err(Finding::new(&codes::SELECTOR_OR, "alternatives within braces are not allowed", help).at(scanned.word("or")));
    }
    if selector.name.is_none() && selector.matchers.find_matchers("__name__").is_empty() {
        let help = "put the metric's name before the braces: without one every series of the source is looked at";
        return Err(Finding::new(&codes::SELECTOR_NAME, "a selector does not name a metric", help));
    }
    check_time(selector.offset.as_ref(), selector.at.as_ref(), scanned)
}

fn check_subquery(subquery: &SubqueryExpr, scanned: &Scanned<'_>) -> Result<(), Finding> {
    not_longer(subquery.range, "a range", scanned)?;
    if let Some(step) = subquery.step {
        let values = subquery.range.as_millis() / step.as_millis().max(1);
        if values > MAX_VALUES {
            let message = format!("the subquery computes {values} values for every instant; at most {MAX_VALUES} are allowed");
            return Err(Finding::new(
                &codes::PROMQL_TIME,
                message,
                "give it a longer step, or let a recording rule compute what is within",
            ));
        }
    }
    check_time(subquery.offset.as_ref(), subquery.at.as_ref(), scanned)
}

fn check_time(offset: Option<&Offset>, at: Option<&AtModifier>, scanned: &Scanned<'_>) -> Result<(), Finding> {
    if at.is_some() {
        let at = scanned.tokens.iter().find(|token| scanned.of(token) == "@").map(|token| token.range.clone());
        let help = "remove it: each slice is judged by the value at its end";
        return Err(Finding::new(&codes::PROMQL_TIME, "`@` fixes an instant", help).at(at));
    }
    match offset {
        None => Ok(()),
        Some(Offset::Pos(offset)) => not_longer(*offset, "an offset", scanned),
        Some(Offset::Neg(_)) => {
            let help = "a slice that is counted must not change when more samples come";
            Err(Finding::new(&codes::PROMQL_TIME, "a negative offset looks into the future", help).at(scanned.word("offset")))
        }
    }
}

fn not_longer(span: Duration, what: &str, scanned: &Scanned<'_>) -> Result<(), Finding> {
    if span <= LONGEST {
        return Ok(());
    }
    let text = Span(span).to_string();
    let at = scanned.tokens.iter().find(|token| scanned.of(token) == text).map(|token| token.range.clone());
    let message = format!("{what} of {} is longer than a year", shortened(&text));
    Err(Finding::new(&codes::PROMQL_TIME, message, "at most 366d").at(at))
}
