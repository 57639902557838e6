//! PromQL text to an expression that may be sent, or what to write instead.
//!
//! The text is scanned before it is parsed: its size, depth and number of operators are bounded there, because both the parser here and the source's own
//! take time that grows faster than the text. The parser says what is wrong but not where; `grammar` finds the place. What is sent is printed from the
//! tree and must read back as it. An expression that the parser does not know, as a newer source may have it, is sent as written, with advice.

mod advice;
mod bounds;
mod confine;
mod grammar;
mod parts;
mod scan;
mod split;
mod tree;

use std::{fmt, ops::Range, time::Duration};

use burnward_core::sli::{Comparison, Expression, Selector};
use promql_parser::parser::{self, Expr};

use super::{
    codes::{self, Code},
    reader::shortened,
};
pub(crate) use confine::confine;
pub(crate) use parts::Parts;
use scan::Scanned;
pub(crate) use split::{By, Split};
pub(crate) use tree::visit;

/// Something to say about an expression: a mistake or advice, by its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) code: &'static Code,
    pub(super) message: String,
    /// Bytes of the text; `None`: all of it.
    pub(super) at: Option<Range<usize>>,
    pub(super) help: String,
}

impl Finding {
    fn new(code: &'static Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), at: None, help: help.into() }
    }

    fn at(mut self, range: impl Into<Option<Range<usize>>>) -> Self {
        self.at = range.into();
        self
    }
}

/// What the values of an expression are taken for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Use {
    /// Compared with a threshold.
    Window {
        /// How; `None` where that is at fault.
        is: Option<(Comparison, f64)>,
    },
    /// Events of one step.
    Events {
        /// The step; `None` where that is at fault.
        step: Option<Duration>,
        /// True for the side that is asked for beside the total: where it is missing it is zero.
        beside: bool,
    },
}

/// An expression that may be sent, with advice.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checked {
    pub(super) expression: Expression,
    pub(super) advice: Vec<Finding>,
    /// By which labels its values are told apart.
    pub(super) split: Split,
    /// What it adds up, where it is made of sums and increases alone.
    pub(super) summed: Vec<Selector>,
    /// Whether it is multiplied by a hundred, as a percentage is.
    pub(super) percentage: bool,
    /// The only number that it has.
    pub(super) fixed: Option<f64>,
}

/// Reads an expression.
pub(super) fn read(text: &str, used: Use) -> Result<Checked, Finding> {
    let scanned = scan::scan(text)?;
    scanned.in_dialect()?;
    if let Some(advice) = scanned.metricsql() {
        return Ok(Checked { advice: vec![advice], ..as_written(&scanned) });
    }
    match parser::parse(&scanned.plain) {
        Ok(expr) => {
            tree::check(&expr, &scanned)?;
            let sent = tree::faithful(&expr)?;
            let (split, summed) = (Split::of(&expr), bounds::summed(&expr));
            let (percentage, fixed) = (bounds::is_percentage(&expr), bounds::fixed(&expr));
            Ok(Checked { expression: Expression::new(&sent), advice: advice::of(&expr, &scanned, used), split, summed, percentage, fixed })
        }
        Err(error) => match unknown(&scanned, &error) {
            Some(advice) => Ok(Checked { advice: vec![advice], ..as_written(&scanned) }),
            None => Err(mistake(&scanned, &error)),
        },
    }
}

/// Takes an expression as it is written: only what would harm a source is refused.
pub(super) fn unchecked(text: &str) -> Result<Checked, Finding> {
    let scanned = scan::scan(text)?;
    Ok(as_written(&scanned))
}

fn as_written(scanned: &Scanned<'_>) -> Checked {
    Checked {
        expression: Expression::new(&scanned.plain),
        advice: Vec::new(),
        split: Split::unknown(),
        summed: Vec::new(),
        percentage: false,
        fixed: None,
    }
}

/// The expression with `label="value"` in each of its selectors, so that it sees nothing else; or why that cannot be.
pub(crate) fn confined(text: &str, label: &str, value: &str) -> Result<String, &'static str> {
    confine::confined(text, label, value)
}

/// The tree of an expression of another tool, within the same limits; `None` where it cannot be read.
pub(crate) fn tree_of(text: &str) -> Option<Expr> {
    let expr = parser::parse(&scan::scan(text).ok()?.plain).ok()?;
    tree::is_small(&expr).then_some(expr)
}

/// Whether an expression, as it is written, is sent as `sent`.
pub(crate) fn is_sent_as(text: &str, sent: &str) -> bool {
    text.trim() == sent.trim() || tree_of(text).is_some_and(|expr| expr.to_string() == sent)
}

/// What an expression reads; nothing where it cannot be read here.
pub(crate) fn parts(text: &str) -> Parts {
    tree_of(text).map(|expr| Parts::of(&expr)).unwrap_or_default()
}

/// The selectors of which an expression takes the rise of a counter, with the function; nothing where it cannot be read here.
pub(crate) fn rises(text: &str) -> Vec<(&'static str, Selector)> {
    tree_of(text).map(|expr| parts::rises(&expr)).unwrap_or_default()
}

/// Advice about an `or` in an expression that makes missing data look like a value.
pub(crate) fn hidden_gap(text: &str) -> Option<String> {
    let scanned = scan::scan(text).ok()?;
    let Finding { message, help, .. } = advice::hidden_gaps(&tree_of(text)?, &scanned)?;
    Some(format!("{message}: {help}"))
}

/// What keeps a text from being an expression, and where; `None` where it is one, or is not known here.
pub(crate) fn mistake_of(text: &str) -> Option<(String, Option<Range<usize>>)> {
    let finding = match scan::scan(text) {
        Ok(scanned) => match parser::parse(&scanned.plain) {
            Ok(_) => return None,
            Err(error) if unknown(&scanned, &error).is_some() => return None,
            Err(error) => mistake(&scanned, &error),
        },
        Err(finding) => finding,
    };
    Some((finding.message, finding.at))
}

/// Why the comparison of an alerting rule always comes out the same, and what to do.
pub(crate) fn always_alike(rule: &Expr) -> Option<(String, String)> {
    advice::of_rule(rule)
}

/// What is within any number of parentheses.
pub(crate) fn bare(mut expr: &Expr) -> &Expr {
    while let Expr::Paren(paren) = expr {
        expr = &paren.expr;
    }
    expr
}

const OVERRIDE: &str = "where the source knows it, silence this with `promql-check: off` beside the expression";

const NEWER_SYNTAX: &str = "a syntax that only the source knows passes with `promql-check: off`";

/// Words of a newer grammar than the parser's.
const NEWER: [&str; 2] = ["anchored", "smoothed"];

/// Advice where the parser lacks something that a source may know.
fn unknown(scanned: &Scanned, error: &str) -> Option<Finding> {
    let function = error.strip_prefix("unknown function with name ").map(|name| name.trim_matches('\''));
    let (what, word) = match function {
        Some("holt_winters") => ("`holt_winters` is what Prometheus 2 calls `double_exponential_smoothing`".to_owned(), "holt_winters"),
        Some(name) => (format!("the function `{}` is not known here", shortened(name)), name),
        None => match NEWER.iter().find(|word| scanned.word(word).is_some()) {
            Some(word) => (format!("`{word}` is newer than what is known here"), *word),
            None if is_mistake(error) || grammar::mistake(scanned).is_some() => return None,
            None => (format!("this is not known here ({})", shortened(error)), ""),
        },
    };
    Some(unchecked_advice(&what).at(scanned.word(word)))
}

/// Says that an expression goes out as it is.
fn unchecked_advice(what: &str) -> Finding {
    Finding::new(&codes::PROMQL_UNCHECKED, format!("{what}, so the expression is not checked and is sent as it is written"), OVERRIDE)
}

/// What the parser says of what it does know: of types, ranges and patterns. Anything else can be a newer grammar.
fn is_mistake(error: &str) -> bool {
    ["illegal regex", "expected type", "expected at ", "only allowed for", "must"].iter().any(|known| error.contains(known))
}

fn mistake(scanned: &Scanned, error: &str) -> Finding {
    if error.contains("illegal regex") {
        let help = "use RE2 syntax; there is no look-around, and the size is limited";
        return Finding::new(&codes::REGEX, format!("a regular expression does not compile: {}", shortened(error)), help);
    }
    if let Some(finding) = grammar::mistake(scanned) {
        return Finding { help: format!("{}; {NEWER_SYNTAX}", finding.help), ..finding };
    }
    let called = error.split("in call to function '").nth(1).and_then(|rest| rest.split('\'').next());
    let message = format!("not PromQL: {}", shortened(error));
    let help = if called.is_some() && error.contains("type matrix") {
        format!("it takes samples over a range: add one, such as [5m]; {NEWER_SYNTAX}")
    } else {
        format!("try it in the source's own page; {NEWER_SYNTAX}")
    };
    Finding::new(&codes::PROMQL, message, help).at(called.and_then(|name| scanned.word(name)))
}

/// A stretch of time as PromQL writes it.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::duration::format(self.0))
    }
}

#[cfg(test)]
mod tests;
