//! Sides whose expressions were added up step by step, as `burnward export` writes an SLI of expressions.

use std::time::Duration;

use promql_parser::parser::Expr;

use super::{Parts, Side, difference, is_number, is_zero};
use crate::definition::promql::bare;

/// Events of expressions that were added up step by step.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::import) struct Stepped {
    pub(in crate::import) side: Side,
    pub(in crate::import) part: Expr,
    pub(in crate::import) total: Expr,
    pub(in crate::import) step: Duration,
}

/// What both sides add up of each step: `sum_over_time((x)[1h:5m])`, as `burnward export` writes an SLI of expressions.
pub(in crate::import) fn stepped(parts: Parts<'_>) -> Option<Stepped> {
    let (total, step) = added_up(parts.total)?;
    let (side, part) = match difference(parts.part) {
        Some((whole, rest)) if added_up(whole) == Some((total, step)) => (parts.side.other(), rest),
        Some(_) => return None,
        None => (parts.side, parts.part),
    };
    let (part, own) = added_up(part)?;
    (own == step).then(|| Stepped { side, part: bare(part).clone(), total: bare(total).clone(), step })
}

/// The expression that is added up, and how often it is asked for. That there are none where there is no series, and no ratio without events, says nothing.
fn added_up(expr: &Expr) -> Option<(&Expr, Duration)> {
    match bare(expr) {
        Expr::Binary(binary) => {
            let says_nothing = match binary.op.to_string().as_str() {
                "or" => is_zero(&binary.rhs),
                ">" => is_number(&binary.rhs, 0.0) && !binary.return_bool(),
                _ => false,
            };
            says_nothing.then(|| added_up(&binary.lhs)).flatten()
        }
        Expr::Call(call) if call.func.name == "sum_over_time" => {
            let [only] = call.args.args.as_slice() else { return None };
            let Expr::Subquery(subquery) = bare(only) else { return None };
            let is_plain = subquery.offset.is_none() && subquery.at.is_none();
            Some((&subquery.expr, subquery.step.filter(|_| is_plain)?))
        }
        _ => None,
    }
}
