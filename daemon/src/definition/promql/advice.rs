//! Advice about expressions that load: what would hide missing data, judge nothing, or count something else than was meant.

use std::time::Duration;

use burnward_core::sli::Comparison;
use promql_parser::parser::{BinaryExpr, Call, Expr, VectorSelector};

use super::{By, Finding, Scanned, Span, Split, Use, bare, bounds, split::adds_up_quantiles, tree::visit};
use crate::definition::{codes, matchers, selector};

/// All advice about an expression.
pub(super) fn of(expr: &Expr, scanned: &Scanned<'_>, used: Use) -> Vec<Finding> {
    let mut advice: Vec<Finding> = hidden_gaps(expr, scanned).into_iter().collect();
    advice.extend(doubts(expr, scanned));
    advice.extend(without_value(expr, scanned));
    advice.extend(added_quantiles(expr, scanned));
    match used {
        Use::Window { is } => {
            advice.extend(filters(expr, "`is` and `threshold`"));
            advice.extend(absence(expr, scanned));
            advice.extend(quantile(expr, scanned));
            let alike = is.and_then(|(is, threshold)| alike(expr, is, threshold, Written::Key));
            advice.extend(alike.map(|Alike { message, help, .. }| Finding::new(&codes::PROMQL_CONSTANT, message, help)));
        }
        Use::Events { step, beside } => {
            advice.extend(filters(expr, "functions").filter(|_| !beside));
            advice.extend(step.and_then(|step| other_range(expr, scanned, step)));
            advice.extend(bare_counter(expr).map(|counter| as_it_is(counter, scanned, step)));
        }
    }
    advice
}

/// Matchers that take something else than was meant.
fn doubts(expr: &Expr, scanned: &Scanned<'_>) -> Vec<Finding> {
    let mut doubts = Vec::new();
    visit(expr, &mut |node| {
        let series = match node {
            Expr::VectorSelector(series) => Some(series),
            Expr::MatrixSelector(matrix) => Some(&matrix.vs),
            _ => None,
        };
        doubts.extend(series.and_then(selector::of_expression).iter().flat_map(matchers::doubts));
    });
    let placed = |doubt: matchers::Doubt| {
        let written = doubt.matcher.to_string();
        let at = scanned.text.find(&written).map(|at| at..at + written.len());
        Finding::new(doubt.code, doubt.message, doubt.help).at(at)
    };
    doubts.into_iter().map(placed).collect()
}

/// A quantile of which there is never one: of another number than a share, or of buckets that were added up.
fn without_value(expr: &Expr, scanned: &Scanned<'_>) -> Option<Finding> {
    let mut found = None;
    visit(expr, &mut |node| {
        if let Expr::Call(call) = node
            && call.func.name == "histogram_quantile"
            && found.is_none()
        {
            found = no_quantile(call);
        }
    });
    found.map(|(message, help)| Finding::new(&codes::PROMQL_NEVER, message, help).at(scanned.word("histogram_quantile")))
}

/// A sum, or a mean, of quantiles.
fn added_quantiles(expr: &Expr, scanned: &Scanned<'_>) -> Option<Finding> {
    let (op, help) = adds_up_quantiles(expr)?;
    let what = if op == "sum" { "sum" } else { "mean" };
    let message = format!("`{op}` makes a {what} of quantiles, which is no quantile of anything: it can be far from that of all requests");
    Some(Finding::new(&codes::PROMQL_QUANTILE, message, help).at(scanned.word(&op)))
}

fn no_quantile(call: &Call) -> Option<(String, String)> {
    let [share, buckets] = call.args.args.as_slice() else { return None };
    if let Expr::NumberLiteral(share) = bare(share)
        && !(0.0..=1.0).contains(&share.val)
    {
        let help = if share.val > 1.0 && share.val <= HUNDRED {
            format!("write {}", share.val / HUNDRED)
        } else {
            "write 0.99, for example".to_owned()
        };
        return Some((format!("a quantile is a number between 0 and 1, and {} yields none", share.val), help));
    }
    let By::These(labels) = Split::of(buckets).by else { return None };
    let drops = !labels.contains("le")
        && series_of(buckets).iter().all(|series| series.name.as_ref().is_some_and(|name| name.ends_with("_bucket")));
    drops.then(|| {
        let keep: Vec<&str> = std::iter::once("le").chain(labels.iter().map(String::as_str)).collect();
        let message = "the buckets are added up without their label `le`, so there is never a value";
        (message.to_owned(), format!("write sum by ({}) (...)", keep.join(", ")))
    })
}

fn series_of(expr: &Expr) -> Vec<&VectorSelector> {
    let mut all = Vec::new();
    visit(expr, &mut |node| match node {
        Expr::VectorSelector(series) => all.push(series),
        Expr::MatrixSelector(matrix) => all.push(&matrix.vs),
        _ => {}
    });
    all
}

/// Beginnings of names of exporters whose gauges are called like counters.
const GAUGES: [&str; 4] = ["stackdriver_", "aws_", "azure_", "google_"];

/// A counter that is added up as it is, and not by its increase.
fn bare_counter(expr: &Expr) -> Option<&VectorSelector> {
    match bare(expr) {
        Expr::VectorSelector(series) => Some(series).filter(|series| series.name.as_deref().is_some_and(is_called_counter)),
        // How many series there are is no matter of what they count.
        Expr::Aggregate(aggregate) => match aggregate.op.to_string().as_str() {
            "sum" | "avg" | "max" | "min" | "topk" | "bottomk" => bare_counter(&aggregate.expr),
            _ => None,
        },
        Expr::Unary(unary) => bare_counter(&unary.expr),
        Expr::Binary(binary) => match binary.op.to_string().as_str() {
            "and" | "unless" => bare_counter(&binary.lhs),
            // The difference to an earlier moment is an increase.
            "-" if series_of(expr).iter().any(|series| series.offset.is_some()) => None,
            "*" if [&binary.lhs, &binary.rhs].iter().any(|side| is_zero(side)) => None,
            "+" | "-" | "*" | "/" | "or" => bare_counter(&binary.lhs).or_else(|| bare_counter(&binary.rhs)),
            _ => None,
        },
        // Most functions make something else of a counter; a subquery within them has a range.
        Expr::Call(_)
        | Expr::Paren(_)
        | Expr::Subquery(_)
        | Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::MatrixSelector(_)
        | Expr::Extension(_) => None,
    }
}

fn is_zero(expr: &Expr) -> bool {
    matches!(bare(expr), Expr::NumberLiteral(number) if number.val == 0.0)
}

fn is_called_counter(metric: &str) -> bool {
    let gauge = metric.contains(':') || GAUGES.iter().any(|exporter| metric.starts_with(exporter));
    !gauge && ["_total", "_count", "_sum", "_bucket"].iter().any(|suffix| metric.ends_with(suffix))
}

fn as_it_is(counter: &VectorSelector, scanned: &Scanned<'_>, step: Option<Duration>) -> Finding {
    let metric = counter.name.as_deref().unwrap_or_default();
    let message =
        format!("`{metric}` is called like a counter: its value is everything since its process began, and is added up anew at every step");
    let own = step.map_or_else(|| "1m".to_owned(), |step| Span(step).to_string());
    Finding::new(&codes::PROMQL_RANGE, message, format!("write increase({metric}[{own}])")).at(scanned.word(metric))
}

/// `x or vector(0)`: with it nobody sees that `x` is gone.
pub(super) fn hidden_gaps(expr: &Expr, scanned: &Scanned<'_>) -> Option<Finding> {
    let mut found = None;
    visit(expr, &mut |node| {
        if let Expr::Binary(binary) = node
            && binary.op.to_string() == "or"
            && found.is_none()
        {
            found = hides(binary);
        }
    });
    let at = scanned.word("vector").or_else(|| scanned.word("or"));
    found.map(|(message, help)| Finding::new(&codes::PROMQL_HIDES, message, help).at(at))
}

/// Why an `or` hides that something is missing, and what to write instead.
fn hides(or: &BinaryExpr) -> Option<(String, &'static str)> {
    const REMOVE: &str =
        "remove it: where a value is missing, the slice is unseen; a missing bad or good side beside its total is zero anyway";
    if bounds::is_always_there(&or.lhs) {
        let message = "what stands before `or` always has a value, so what stands behind it is not looked at where both have no labels";
        return Some((message.to_owned(), "remove the constant: where a value is missing, the slice is unseen"));
    }
    if bounds::is_always_there(&or.rhs) {
        return Some(("`or vector(...)` makes missing data look like a value".to_owned(), REMOVE));
    }
    // `absent` is there for nothing else, and its value is said on purpose.
    let mut absent = false;
    visit(&or.rhs, &mut |node| absent |= matches!(node, Expr::Call(call) if call.func.name.starts_with("absent")));
    let number = bounds::fixed(&or.rhs).filter(|_| !absent)?;
    Some((format!("what stands behind `or` is always {number}: it makes missing data look like a value"), REMOVE))
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

/// How a comparison comes out, whatever happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comes {
    Always,
    Never,
}

impl Comes {
    fn of(always: bool, never: bool) -> Option<Self> {
        always.then_some(Self::Always).or(never.then_some(Self::Never))
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// Where the number stands that an expression is compared with.
#[derive(Debug, Clone, Copy)]
enum Written {
    /// As a key of a document.
    Key,
    /// In the expression of a rule.
    Rule,
}

impl Written {
    fn number(self, number: f64) -> String {
        match self {
            Self::Key => format!("`threshold: {number}`"),
            Self::Rule => format!("`{number}`"),
        }
    }

    const fn within(self) -> &'static str {
        match self {
            Self::Key => "give a threshold within these bounds",
            Self::Rule => "compare it with a number within these bounds",
        }
    }
}

/// A comparison that comes out the same whatever happens, with the reason and what to do.
struct Alike {
    comes: Comes,
    message: String,
    help: String,
}

/// Why an alerting rule always or never fires, and what to do; `None` where its form does not tell. What always holds beside another condition only lets that
/// decide, and of alternatives each must be alike.
pub(super) fn of_rule(rule: &Expr) -> Option<(String, String)> {
    rule_alike(rule).map(|Alike { message, help, .. }| (message, help))
}

fn rule_alike(rule: &Expr) -> Option<Alike> {
    let Expr::Binary(binary) = bare(rule) else { return None };
    let (lhs, rhs, never) = (&binary.lhs, &binary.rhs, |alike: &Alike| alike.comes == Comes::Never);
    match binary.op.to_string().as_str() {
        "and" => rule_alike(lhs).filter(never).or_else(|| rule_alike(rhs).filter(never)),
        "unless" => rule_alike(lhs).filter(never),
        "or" => rule_alike(lhs).filter(|_| rule_alike(rhs).is_some()),
        op => {
            let is = Comparison::ALL.into_iter().find(|is| is.sign() == op)?;
            let alike = alike(lhs, is, tidy(bounds::fixed(rhs)?), Written::Rule)?;
            let help = too_fast(rhs).filter(|_| alike.comes == Comes::Never).unwrap_or(alike.help);
            Some(Alike { help, ..alike })
        }
    }
}

/// A number without what is left of multiplying floats: 1.8 for 6 times 0.3.
fn tidy(number: f64) -> f64 {
    format!("{number:.12}").parse().unwrap_or(number)
}

/// What to do about a burn rate times a budget that no share of bad events reaches.
fn too_fast(threshold: &Expr) -> Option<String> {
    let (factor, budget) = bounds::product(threshold).filter(|(factor, budget)| factor * budget >= 1.0)?;
    let (fastest, largest) = (1.0 / budget, 100.0 / factor);
    Some(format!(
        "a total outage burns a budget of {} % no faster than {fastest:.2} times: take a burn rate below that, or a budget below {largest:.2} % for {factor} times",
        tidy(budget * 100.0)
    ))
}

/// Whether a comparison comes out the same whatever happens.
fn alike(expr: &Expr, is: Comparison, threshold: f64, written: Written) -> Option<Alike> {
    if let Some(share) = share_without_hundred(expr, is, threshold, written) {
        return Some(share);
    }
    let (least, most) = bounds::of(expr)?;
    let comes = match is {
        Comparison::Less => Comes::of(most < threshold, least >= threshold),
        Comparison::AtMost => Comes::of(most <= threshold, least > threshold),
        Comparison::Greater => Comes::of(least > threshold, most <= threshold),
        Comparison::AtLeast => Comes::of(least >= threshold, most < threshold),
        Comparison::Equal => Comes::of(false, threshold < least || threshold > most),
        Comparison::Different => Comes::of(threshold < least || threshold > most, false),
    }?;
    let (value, help) = match bounds::form(expr) {
        bounds::Form::Same => (
            format!("what is divided is what it is divided by: the value is {least} whatever happens"),
            "divide the bad (or the good) events by all events: name what tells them apart in the numerator, and leave it out of the denominator".to_owned(),
        ),
        bounds::Form::Ratio if threshold > most && threshold <= HUNDRED => {
            (format!("a ratio lies between {least} and {most}"), times_hundred(expr, threshold, written))
        }
        bounds::Form::Swapped => (
            format!("the whole is divided by a part of it: {}", within(least, most)),
            "exchange the two: divide the part by the whole".to_owned(),
        ),
        bounds::Form::Ratio | bounds::Form::Other => {
            (within(least, most), format!("{}; a percentage is the ratio times 100", written.within()))
        }
    };
    let message = format!("{value}, so `{} {threshold}` {} holds", is.sign(), comes.word());
    Some(Alike { comes, message, help })
}

/// Errors divided by requests are compared with a number of percent.
fn share_without_hundred(expr: &Expr, is: Comparison, threshold: f64, written: Written) -> Option<Alike> {
    let comes = match is {
        Comparison::Less | Comparison::AtMost => Comes::Always,
        Comparison::Greater | Comparison::AtLeast | Comparison::Equal => Comes::Never,
        Comparison::Different => return None,
    };
    let percent = threshold > 1.0 && threshold <= HUNDRED && bounds::of(expr) != Some((0.0, 1.0)) && bounds::is_called_share(expr);
    percent.then(|| {
        let (sign, word) = (is.sign(), comes.word());
        let message = format!("by the names of its metrics this is a ratio between 0 and 1, so `{sign} {threshold}` {word} holds");
        Alike { comes, message, help: times_hundred(expr, threshold, written) }
    })
}

fn times_hundred(ratio: &Expr, threshold: f64, written: Written) -> String {
    let divides = matches!(bare(ratio), Expr::Binary(binary) if binary.op.to_string() == "/");
    let behind = if divides { "it" } else { "the division" };
    format!("a percentage is the ratio times 100: write `* 100` behind {behind}, or {}", written.number(threshold / HUNDRED))
}

fn within(least: f64, most: f64) -> String {
    match (least.is_finite(), most.is_finite()) {
        (true, true) if least.to_bits() == most.to_bits() => format!("the value is always {least}"),
        (true, false) => format!("the value is never below {least}"),
        (false, true) => format!("the value is never above {most}"),
        (true, true) | (false, false) => format!("the value lies between {least} and {most}"),
    }
}

const HUNDRED: f64 = 100.0;

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
