//! An expression that sees one value of a label alone: each selector in it names that value. What cannot be confined for certain is not sent.

use promql_parser::{
    label::{MatchOp, Matcher, Matchers},
    parser::{self, Expr, VectorSelector},
};

use super::{scan, tree};

/// Functions that read series which no selector of theirs names.
const READS_MORE: [&str; 1] = ["info"];

/// The expression with `label="value"` in each of its selectors, or why that cannot be.
pub(super) fn confined(text: &str, label: &str, value: &str) -> Result<String, &'static str> {
    let scanned = scan::scan(text).map_err(|_| "it is too large or no PromQL")?;
    let mut expr = parser::parse(&scanned.plain).map_err(|_| "it is not known here, so nobody can say which series it reads")?;
    if !tree::is_small(&expr) {
        return Err("it is too large");
    }
    confine(&mut expr, &Matcher::new(MatchOp::Equal, label, value))?;
    let sent = tree::faithful(&expr).map_err(|_| "it does not read back as it was written")?;
    Ok(sent)
}

/// Adds a matcher to each selector in an expression.
///
/// # Errors
/// Why that cannot be, in a sentence.
pub(crate) fn confine(expr: &mut Expr, matcher: &Matcher) -> Result<(), &'static str> {
    match expr {
        Expr::Aggregate(aggregate) => {
            confine(&mut aggregate.expr, matcher)?;
            aggregate.param.iter_mut().try_for_each(|param| confine(param, matcher))
        }
        Expr::Unary(unary) => confine(&mut unary.expr, matcher),
        Expr::Binary(binary) => {
            confine(&mut binary.lhs, matcher)?;
            confine(&mut binary.rhs, matcher)
        }
        Expr::Paren(paren) => confine(&mut paren.expr, matcher),
        Expr::Subquery(subquery) => confine(&mut subquery.expr, matcher),
        Expr::Call(call) if READS_MORE.contains(&call.func.name) => Err("`info` reads series that it does not name"),
        Expr::Call(call) => call.args.args.iter_mut().try_for_each(|arg| confine(arg, matcher)),
        Expr::VectorSelector(selector) => confine_selector(selector, matcher),
        Expr::MatrixSelector(matrix) => confine_selector(&mut matrix.vs, matcher),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => Ok(()),
        Expr::Extension(_) => Err("it is not known here, so nobody can say which series it reads"),
    }
}

fn confine_selector(selector: &mut VectorSelector, matcher: &Matcher) -> Result<(), &'static str> {
    if !selector.matchers.or_matchers.is_empty() {
        return Err("a selector has alternatives");
    }
    let is_plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    if !selector.name.iter().all(is_plain) {
        return Err("a selector's metric has a name of other characters than letters, digits, `_` and `:`");
    }
    let before = std::mem::take(&mut selector.matchers.matchers);
    selector.matchers = Matchers::new(before.into_iter().filter(|own| own != matcher).chain([matcher.clone()]).collect());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, &str>) {
        assert_eq!(confined(text, "tenant", "acme").as_deref(), expected.as_deref(), "{text}");
    }

    #[test]
    fn each_selector_names_the_value() {
        for (text, expected) in [
            ("up", r#"up{tenant="acme"}"#),
            (r#"sum(rate(m{code="500"}[5m]))"#, r#"sum(rate(m{code="500",tenant="acme"}[5m]))"#),
            (r#"m{tenant="acme"}"#, r#"m{tenant="acme"}"#),
            (r#"{__name__="m"}"#, r#"{__name__="m",tenant="acme"}"#),
            (r#"{"m or secret"}"#, r#"{__name__="m or secret",tenant="acme"}"#),
            ("m offset 5m / n", r#"m{tenant="acme"} offset 5m / n{tenant="acme"}"#),
            ("topk(scalar(n), m)", r#"topk(scalar(n{tenant="acme"}), m{tenant="acme"})"#),
            ("max_over_time(rate(m[1m])[10m:1m])", r#"max_over_time(rate(m{tenant="acme"}[1m])[10m:1m])"#),
            ("absent(m)", r#"absent(m{tenant="acme"})"#),
            ("vector(1) or -m", r#"vector(1) or -m{tenant="acme"}"#),
            (r#"label_replace(m, "tenant", "other", "", "")"#, r#"label_replace(m{tenant="acme"}, "tenant", "other", "", "")"#),
            (
                "m and on (a) n unless ignoring (b) o",
                r#"m{tenant="acme"} and on (a) n{tenant="acme"} unless ignoring (b) o{tenant="acme"}"#,
            ),
        ] {
            check(text, Ok(expected));
        }
    }

    /// Who asks for somebody else's gets what is both, which is nothing.
    #[test]
    fn a_selector_of_another_value_is_narrowed_to_nothing_and_not_widened() {
        for text in [r#"m{tenant="other"}"#, r#"m{tenant=~".*"}"#, r#"m{tenant!="acme"}"#, r#"m{tenant=~"acme|other"}"#, r#"m{tenant=""}"#]
        {
            let sent = confined(text, "tenant", "acme").expect("it is confined");
            let Ok(Expr::VectorSelector(selector)) = parser::parse(&sent) else { panic!("{sent}") };
            let of_label = selector.matchers.find_matchers("tenant");
            assert_eq!(of_label.len(), 2, "{sent}");
            assert!(of_label.contains(&Matcher::new(MatchOp::Equal, "tenant", "acme")), "{sent}");
        }
    }

    #[test]
    fn what_hides_a_selector_from_us_is_not_sent() {
        for text in [
            r#"m{a="1" or b="2"}"#,
            r#"{"m or secret"}"#,
            r#"{"m\"} or secret{a=\""}"#,
            "info(m)",
            r#"info(m, {tenant="other"})"#,
            "unheard_of(m)",
            "m anchored",
            "m{",
            "",
            "m # } or secret",
        ] {
            let sent = confined(text, "tenant", "acme");
            let tells_all =
                |sent: &String| parser::parse(sent).is_ok_and(|expr| selectors(&expr).iter().all(|one| one.contains(r#"tenant="acme""#)));
            assert!(sent.as_ref().map_or(true, tells_all), "{text}: {sent:?}");
        }
        for text in [r#"m{a="1" or b="2"}"#, "info(m)", "unheard_of(m)"] {
            assert!(confined(text, "tenant", "acme").is_err(), "{text}");
        }
    }

    /// A value or a text with quotes and backslashes stays the one text that it is.
    #[test]
    fn quotes_and_backslashes_open_nothing() {
        for value in [r#"a"} or secret{a=""#, r"a\", "a\nb", "`", "é", "'"] {
            let sent = confined(r#"label_join(m{a='x"} or secret{'}, "b", "\"", "c")"#, "tenant", value).expect("it is confined");
            let expr = parser::parse(&sent).expect("it is read back");
            let mut found = Vec::new();
            tree::visit(&expr, &mut |node| {
                if let Expr::VectorSelector(selector) = node {
                    found.extend(selector.matchers.find_matchers("tenant"));
                }
            });
            assert_eq!(found, [Matcher::new(MatchOp::Equal, "tenant", value)], "{sent}");
            assert_eq!(selectors(&expr).len(), 1, "{sent}");
        }
    }

    fn selectors(expr: &Expr) -> Vec<String> {
        let mut found = Vec::new();
        tree::visit(expr, &mut |node| match node {
            Expr::VectorSelector(selector) => found.push(selector.to_string()),
            Expr::MatrixSelector(matrix) => found.push(matrix.vs.to_string()),
            _ => {}
        });
        found
    }
}
