//! The selectors that an expression is made of.

use burnward_core::sli::Selector;
use promql_parser::parser::{Expr, VectorSelector};

use super::tree;
use crate::definition::selector;

/// Functions whose value is that there is nothing.
const OF_ABSENCE: [&str; 2] = ["absent", "absent_over_time"];

/// Functions of how much a counter rises.
const OF_RISES: [&str; 3] = ["rate", "irate", "increase"];

/// The selectors of which an expression takes the rise of a counter, each once, with the function.
pub(super) fn rises(expr: &Expr) -> Vec<(&'static str, Selector)> {
    let mut found: Vec<(&'static str, Selector)> = Vec::new();
    tree::visit(expr, &mut |node| {
        let Expr::Call(call) = node else { return };
        let (Some(function), Some(Expr::MatrixSelector(matrix))) =
            (OF_RISES.into_iter().find(|name| *name == call.func.name), call.args.args.first().map(|arg| super::bare(arg)))
        else {
            return;
        };
        let mut selectors = Vec::new();
        add(&matrix.vs, &mut selectors);
        let is_new = |selector: &Selector| found.iter().all(|(_, other)| other != selector);
        let new: Vec<Selector> = selectors.into_iter().filter(is_new).collect();
        found.extend(new.into_iter().map(|selector| (function, selector)));
    });
    found
}

/// What an expression reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Each selector once, whatever moment it looks at; without those that are there to be absent, and those that name no metric.
    pub(crate) selectors: Vec<Selector>,
    /// Whether one may take the place of another, or of nothing.
    pub(crate) has_other_ways: bool,
}

impl Parts {
    pub(super) fn of(expr: &Expr) -> Self {
        let mut parts = Self::default();
        gather(expr, &mut parts);
        parts
    }
}

fn gather(expr: &Expr, parts: &mut Parts) {
    match expr {
        Expr::VectorSelector(vector) => add(vector, &mut parts.selectors),
        Expr::MatrixSelector(matrix) => add(&matrix.vs, &mut parts.selectors),
        Expr::Call(call) if OF_ABSENCE.contains(&call.func.name) => parts.has_other_ways = true,
        // The second is of labels that are added where they are known.
        Expr::Call(call) if call.func.name == "info" => call.args.args.iter().take(1).for_each(|arg| gather(arg, parts)),
        Expr::Binary(binary) if binary.op.to_string() == "unless" => gather(&binary.lhs, parts),
        Expr::Binary(binary) if binary.op.to_string() == "or" => {
            parts.has_other_ways = true;
            gather(&binary.lhs, parts);
            gather(&binary.rhs, parts);
        }
        Expr::Aggregate(_)
        | Expr::Unary(_)
        | Expr::Binary(_)
        | Expr::Paren(_)
        | Expr::Subquery(_)
        | Expr::Call(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::Extension(_) => tree::children(expr).into_iter().for_each(|child| gather(child, parts)),
    }
}

fn add(vector: &VectorSelector, selectors: &mut Vec<Selector>) {
    let now = VectorSelector { offset: None, at: None, ..vector.clone() };
    let found = selector::of_expression(&now);
    selectors.extend(found.filter(|found| !selectors.contains(found)));
}

#[cfg(test)]
mod tests {
    use super::super::{parts, rises};

    #[test]
    fn the_selectors_whose_rise_is_taken_are_told() {
        let shown = |text| rises(text).iter().map(|(function, selector)| format!("{function} {selector}")).collect::<Vec<_>>();
        assert_eq!(
            shown("sum(rate(a{x=\"1\"}[5m])) / sum(increase((b[5m]))) + c + irate(a[1m])"),
            ["rate a{x=\"1\"}", "increase b", "irate a"]
        );
        assert_eq!(shown("rate(a[5m]) + rate(a[1h]) + delta(d[5m]) + max_over_time(e[5m])"), ["rate a"]);
        assert_eq!(shown("not PromQL ("), [""; 0]);
    }

    #[test]
    fn the_selectors_of_an_expression_are_told_apart() {
        for (text, expected, has_other_ways) in [
            ("sum(rate(a{x=\"1\"}[5m])) / sum(rate(a[5m]))", &["a{x=\"1\"}", "a"][..], false),
            ("a + b or c", &["a", "b", "c"], true),
            ("a / (a offset 1w)", &["a"], false),
            ("a unless b", &["a"], false),
            ("absent(a) + absent_over_time(b[5m]) + c", &["c"], true),
            ("histogram_quantile(0.9, sum by (le) (rate(h_bucket[5m])))", &["h_bucket"], false),
            ("max_over_time(a[10m:1m]) > bool scalar(b)", &["a", "b"], false),
            ("{__name__=~\"a|b\"} + c", &["c"], false),
            ("time()", &[], false),
            ("not PromQL (", &[], false),
        ] {
            let parts = parts(text);
            assert_eq!(parts.selectors.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(parts.has_other_ways, has_other_ways, "{text}");
        }
    }
}
