//! Numbers within expressions: what an expression of numbers alone yields, and by which constant another one is multiplied, as percentages are.

use promql_parser::parser::{AggregateExpr, BinaryExpr, Expr, NumberLiteral, ParenExpr};

use crate::definition::promql::bare;

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

/// The constant above zero by which an expression is multiplied, and what is left without it: 100 and `a / b` of `100 * a / b`, which is read as
/// `(100 * a) / b`, and of `100 - 100 * c / b` 100 and `1 - c / b`. It is 1 where there is none, or none that can be taken out.
pub(super) fn scaled(expr: &Expr) -> (f64, Expr) {
    let (factor, rest) = parted(expr);
    if factor.is_finite() && factor > 0.0 { (factor, rest) } else { (1.0, expr.clone()) }
}

/// The same with any constant.
fn parted(expr: &Expr) -> (f64, Expr) {
    match expr {
        Expr::Paren(paren) => {
            let (factor, inner) = parted(&paren.expr);
            (factor, Expr::Paren(ParenExpr { expr: Box::new(inner) }))
        }
        Expr::Aggregate(aggregate) if matches!(aggregate.op.to_string().as_str(), "sum" | "avg") => {
            let (factor, inner) = parted(&aggregate.expr);
            (factor, Expr::Aggregate(AggregateExpr { expr: Box::new(inner), ..aggregate.clone() }))
        }
        Expr::Binary(binary) => parted_binary(binary),
        other => (1.0, other.clone()),
    }
}

fn parted_binary(binary: &BinaryExpr) -> (f64, Expr) {
    let with = |lhs: Expr, rhs: Expr| Expr::Binary(BinaryExpr { lhs: Box::new(lhs), rhs: Box::new(rhs), ..binary.clone() });
    let ((left, lhs), (right, rhs)) = (parted(&binary.lhs), parted(&binary.rhs));
    match (binary.op.to_string().as_str(), number(&binary.lhs), number(&binary.rhs)) {
        ("*", Some(factor), None) => (factor * right, rhs),
        ("*", None, Some(factor)) => (factor * left, lhs),
        ("/", None, Some(divisor)) => (left / divisor, lhs),
        ("/", None, None) => (left / right, with(lhs, rhs)),
        ("-", Some(whole), None) if same(whole, right) => (right, with(Expr::NumberLiteral(NumberLiteral { val: 1.0 }), rhs)),
        // So many times nothing is nothing.
        ("or", None, Some(default)) if same(default, 0.0) => (left, with(lhs, (*binary.rhs).clone())),
        _ => (1.0, Expr::Binary(binary.clone())),
    }
}

/// Whether an expression is a multiple of another one.
pub(super) fn has_factor(expr: &Expr) -> bool {
    !same(parted(expr).0, 1.0)
}

/// Whether two numbers that were written are the same one.
pub(super) fn same(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::promql::tree_of;

    #[test]
    fn a_constant_factor_is_found_wherever_it_stands_and_what_is_left_means_the_rest() {
        for (text, factor, rest) in [
            ("100 * a / b", 100.0, "a / b"),
            ("a * 100 / b", 100.0, "a / b"),
            ("a / b * 100", 100.0, "a / b"),
            ("(a / b) * 1e2", 100.0, "(a / b)"),
            ("100 * (a + c) / b", 100.0, "(a + c) / b"),
            ("a / (b / 100)", 100.0, "a / (b)"),
            ("a / (4 * b) * 400", 100.0, "a / (b)"),
            ("sum(100 * rate(a[5m])) / sum(rate(b[5m]))", 100.0, "sum(rate(a[5m])) / sum(rate(b[5m]))"),
            ("(100 * a or vector(0)) / b", 100.0, "(a or vector(0)) / b"),
            ("100 - 100 * a / b", 100.0, "1 - a / b"),
            ("(1 - a / b) * 100", 100.0, "(1 - a / b)"),
            ("a / 100", 0.01, "a"),
            // Nothing that can be taken out.
            ("a / b", 1.0, "a / b"),
            ("1 - 100 * a / b", 1.0, "1 - 100 * a / b"),
            ("100 - a / b", 1.0, "100 - a / b"),
            ("-100 * a", 1.0, "-100 * a"),
            ("0 * a", 1.0, "0 * a"),
            ("100 / a", 1.0, "100 / a"),
            ("100 * a + b", 1.0, "100 * a + b"),
            ("a or 100 * b", 1.0, "a or 100 * b"),
            ("100 * 2", 1.0, "100 * 2"),
        ] {
            let expr = tree_of(text).expect(text);
            let (found, left) = scaled(&expr);
            assert_eq!((found, left.to_string()), (factor, tree_of(rest).expect(rest).to_string()), "{text}");
        }
    }
}
