//! An expression rewritten so that it yields what happens in one step.

use std::time::Duration;

use promql_parser::parser::{self, Call, Expr, Function, FunctionArgs, MatrixSelector};

use super::{TEMPLATE, without_default};
use crate::definition::promql::bare;

/// The expression with another range in place of its own, and with increases in place of rates over it: what it yields of one step.
pub(in crate::import) fn of_one_step(expr: &Expr, own: Duration, step: Duration) -> Expr {
    let mut rewritten = without_default(expr).clone();
    rewrite(&mut rewritten, own, step, increase().as_ref());
    rewritten
}

/// The increases of its counters over a step, in the place of the counters themselves.
pub(in crate::import) fn increases_of_step(expr: &Expr, step: Duration) -> Option<Expr> {
    let mut rewritten = without_default(expr).clone();
    risen(&mut rewritten, step, &increase()?)?;
    Some(rewritten)
}

fn risen(expr: &mut Expr, step: Duration, increase: &Function) -> Option<()> {
    match expr {
        Expr::VectorSelector(vector) => {
            let range = Expr::MatrixSelector(MatrixSelector { vs: vector.clone(), range: step });
            *expr = Expr::Call(Call { func: increase.clone(), args: FunctionArgs { args: vec![Box::new(range)] } });
            Some(())
        }
        Expr::Aggregate(aggregate) => risen(&mut aggregate.expr, step, increase),
        Expr::Unary(unary) => risen(&mut unary.expr, step, increase),
        Expr::Paren(paren) => risen(&mut paren.expr, step, increase),
        Expr::Binary(binary) => {
            risen(&mut binary.lhs, step, increase)?;
            risen(&mut binary.rhs, step, increase)
        }
        Expr::Call(call) => call.args.args.iter_mut().try_for_each(|arg| risen(arg, step, increase)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Some(()),
        Expr::MatrixSelector(_) | Expr::Subquery(_) | Expr::Extension(_) => None,
    }
}

/// The same with its functions as they are: beside values without a range, whose unit is that of its own.
pub(in crate::import) fn over_one_step(expr: &Expr, own: Duration, step: Duration) -> Expr {
    let mut rewritten = without_default(expr).clone();
    rewrite(&mut rewritten, own, step, None);
    rewritten
}

fn increase() -> Option<Function> {
    match parser::parse("increase(x[1s])") {
        Ok(Expr::Call(call)) => Some(call.func),
        Ok(_) | Err(_) => None,
    }
}

fn rewrite(expr: &mut Expr, own: Duration, step: Duration, increase: Option<&Function>) {
    let below = |expr: &mut Expr| rewrite(expr, own, step, increase);
    match expr {
        Expr::MatrixSelector(matrix) if matrix.range == own => matrix.range = step,
        Expr::Subquery(subquery) => {
            let is_own = subquery.range == own;
            if is_own {
                subquery.range = step;
            }
            // What has a window around it is of another range, whatever its length is.
            if !is_own || own == TEMPLATE {
                below(&mut subquery.expr);
            }
        }
        Expr::Aggregate(aggregate) => {
            below(&mut aggregate.expr);
            aggregate.param.iter_mut().for_each(|param| below(param));
        }
        Expr::Unary(unary) => below(&mut unary.expr),
        Expr::Paren(paren) => below(&mut paren.expr),
        Expr::Binary(binary) => {
            below(&mut binary.lhs);
            below(&mut binary.rhs);
        }
        Expr::Call(call) => {
            // The newest or the greatest value of a range that is written out is looked for in all of it.
            if own != TEMPLATE && matches!(call.func.name, "last_over_time" | "max_over_time" | "min_over_time" | "quantile_over_time") {
                return;
            }
            let over_own = call.args.args.iter().any(|arg| matches!(bare(arg), Expr::MatrixSelector(matrix) if matrix.range == own));
            if let Some(increase) = increase.filter(|_| over_own && matches!(call.func.name, "rate" | "irate")) {
                call.func = increase.clone();
            }
            call.args.args.iter_mut().for_each(|arg| below(arg));
        }
        Expr::MatrixSelector(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::VectorSelector(_) | Expr::Extension(_) => {}
    }
}
