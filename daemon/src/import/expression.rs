//! What an expression of another tool counts: the counters within `sum(rate(x[5m]))`, the parts of a ratio, the gauge of a probe.
//!
//! Only forms whose meaning is that of an SLI here are found; anything else stays an expression, rewritten so that it yields the events of one step.

mod holds;
mod of_step;
mod stepped;

use std::time::Duration;

use burnward_core::sli::{MatchOp, Matcher, Selector};
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier, VectorSelector};

use super::factor::{has_factor, number};
use crate::definition::{
    promql::{By, Split, bare, tree_of},
    selector,
};

pub(super) use holds::{
    Per, absence, different_ranges, fixed_range, has_numbers, is_of_range, is_of_two_samples, is_rate_beside_increase, of_one_of_many, per,
    range, without_guard,
};
pub(super) use of_step::{increases_of_step, of_one_step, over_one_step};
pub(super) use stepped::{Stepped, stepped};

/// What stands for a window that a template would fill in: a prime number of milliseconds that nobody writes.
pub(super) const TEMPLATE: Duration = Duration::from_millis(86_028_157);
const TEMPLATE_TEXT: &str = "86028157ms";

/// Why an expression cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// It holds a template other than that of the window.
    Template(String),
    /// It is no PromQL, or too large.
    NotPromql,
}

/// Reads an expression, in which `{{.window}}` may stand for a range.
pub(super) fn read(text: &str) -> Result<Expr, Unread> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").ok_or_else(|| Unread::Template(after.trim().to_owned()))?;
        if name.trim() != ".window" {
            return Err(Unread::Template(name.trim().to_owned()));
        }
        plain += before;
        plain += TEMPLATE_TEXT;
        rest = behind;
    }
    tree_of(&(plain + rest)).ok_or(Unread::NotPromql)
}

/// The text with a span of the same length in the place of each `{{.window}}`, so that places in it are those of the text.
pub(super) fn filled_alike(text: &str) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled += before;
        filled.extend(std::iter::repeat_n('0', name.len() + 2));
        filled += "1m";
        rest = behind;
    }
    filled + rest
}

/// Which side of a ratio is counted beside the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Bad,
    Good,
}

impl Side {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Bad => Self::Good,
            Self::Good => Self::Bad,
        }
    }
}

/// A ratio in its parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'e> {
    pub(super) side: Side,
    pub(super) part: &'e Expr,
    pub(super) total: &'e Expr,
}

/// The parts of a ratio of bad (or good) events: `a / b`, or one less such a ratio of the other ones.
pub(super) fn parts(ratio: &Expr, side: Side) -> Option<Parts<'_>> {
    let Expr::Binary(binary) = bare(ratio) else { return None };
    match binary.op.to_string().as_str() {
        // A multiple of a part is no part: it would be counted so many times. Nor is a number.
        "/" if number(&binary.rhs).is_none() && !has_factor(&binary.lhs) && !has_factor(&binary.rhs) => {
            Some(Parts { side, part: &binary.lhs, total: &binary.rhs })
        }
        "-" if is_number(&binary.lhs, 1.0) => parts(&binary.rhs, side.other()),
        _ => None,
    }
}

/// The gauge of 0 and 1 whose average over time is the share of good samples, where the ratio is one of them.
pub(super) fn averaged(ratio: &Expr, side: Side) -> Option<Selector> {
    match (bare(ratio), side) {
        (Expr::Binary(binary), _) if binary.op.to_string() == "-" && is_number(&binary.lhs, 1.0) => averaged(&binary.rhs, side.other()),
        (Expr::Aggregate(aggregate), _) if aggregate.op.to_string() == "avg" && aggregate.modifier.is_none() => {
            averaged(&aggregate.expr, side)
        }
        (Expr::Call(call), Side::Good) if call.func.name == "avg_over_time" => ranged(&call.args.args).filter(is_of_zero_and_one),
        _ => None,
    }
}

/// Whether a gauge is called like one of 0 and 1. Of a fraction the average is another thing than the share of samples above one half.
fn is_of_zero_and_one(gauge: &Selector) -> bool {
    let metric = gauge.metric();
    matches!(metric, "up" | "probe_success") || metric.ends_with("_up") || metric.ends_with("_success")
}

/// What is found in both parts of a ratio.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Events { side: Side, part: Vec<Selector>, total: Vec<Selector> },
    Latency { histogram: Selector, within: Duration },
    Probe { probes: Vec<Selector> },
}

/// What is found, by which labels it is split, and what was left away for it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Counted {
    pub(super) found: Found,
    pub(super) per: Vec<String>,
    /// `or vector(0)` at the total, which hides that it is missing.
    pub(super) hidden: bool,
    /// The same at the part.
    pub(super) part_hidden: bool,
    /// False where series are compared one by one, without a sum.
    pub(super) summed: bool,
    /// What the values of the expressions were: plain where one of them was.
    pub(super) values: Values,
}

/// What the value of a sum is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Values {
    /// Of the series themselves.
    Plain,
    /// Of their increases or rates.
    Increases,
    /// Of their samples: `sum_over_time`.
    Samples,
    /// Of how many samples they have: `count_over_time`.
    Numbers,
}

/// What the parts of a ratio count; `None` where they are no sums of counters.
pub(super) fn counted(parts: Parts<'_>) -> Option<Counted> {
    let total = sum(parts.total)?;
    let (side, part) = match difference(parts.part) {
        Some((whole, rest)) if sum(whole).is_some_and(|whole| whole.same_events(&total)) => (parts.side.other(), sum(rest)?),
        Some(_) | None => (parts.side, sum(parts.part)?),
    };
    if part.by != total.by || part.summed != total.summed {
        return None;
    }
    let (per, summed, values) = (total.by.clone(), total.summed, part.values.min(total.values));
    let (hidden, part_hidden) = (total.hidden, part.hidden);
    let found = match (part.values, total.values, side) {
        (Values::Samples, Values::Numbers, Side::Good)
            if part.selectors == total.selectors && part.selectors.iter().all(is_of_zero_and_one) =>
        {
            Found::Probe { probes: part.selectors }
        }
        (Values::Plain | Values::Increases, Values::Plain | Values::Increases, _) => match latency(&part, &total, side) {
            Some((histogram, within)) => Found::Latency { histogram, within },
            None => Found::Events { side, part: part.selectors, total: total.selectors },
        },
        _ => return None,
    };
    Some(Counted { found, per, hidden, part_hidden, summed, values })
}

/// Both sides as they are split by the same labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    pub(super) part: Expr,
    pub(super) total: Expr,
    /// The labels, and how each side was split before, in words.
    pub(super) by: Vec<String>,
    pub(super) part_was: String,
    pub(super) total_was: String,
}

/// Sides that are split by different labels, or by labels that are not named, added up by those that both name; `None` where they fit, or it is not known.
pub(super) fn fitted(parts: Parts<'_>) -> Option<Fitted> {
    let (part, total) = (Split::of(without_default(parts.part)).by, Split::of(without_default(parts.total)).by);
    let by: Vec<String> = match (&part, &total) {
        (By::Unknown, _) | (_, By::Unknown) => return None,
        (By::These(part), By::These(total)) if part == total => return None,
        (By::These(part), By::These(total)) => part.intersection(total).cloned().collect(),
        (By::AllBut { .. }, By::These(_) | By::AllBut { .. }) | (By::These(_), By::AllBut { .. }) => Vec::new(),
    };
    let (part_was, total_was) = (split_in_words(&part), split_in_words(&total));
    Some(Fitted { part: summed_by(parts.part, &by)?, total: summed_by(parts.total, &by)?, by, part_was, total_was })
}

fn split_in_words(by: &By) -> String {
    match by {
        By::These(labels) if labels.is_empty() => "not at all".to_owned(),
        By::These(labels) => format!("by `{}`", labels.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        By::AllBut { labels, aggregated: true } => {
            format!("by whatever labels remain without `{}`", labels.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        By::AllBut { aggregated: false, .. } => "by all labels of the series".to_owned(),
        By::Unknown => "by labels that are not known".to_owned(),
    }
}

/// The same events, added up by these labels alone; a default stays beside them.
pub(super) fn summed_by(expr: &Expr, by: &[String]) -> Option<Expr> {
    let inner = without_default(expr);
    let inner = match bare(inner) {
        Expr::Aggregate(sum) if sum.op.to_string() == "sum" && of_all_labels(&sum.expr, by) => sum.expr.as_ref(),
        _ => inner,
    };
    let split = if by.is_empty() { String::new() } else { format!(" by ({})", by.join(", ")) };
    let default = if has_default(expr) { " or vector(0)" } else { "" };
    tree_of(&format!("sum{split} ({inner}){default}"))
}

/// Whether the labels can be told apart in what is added up, so that one sum does.
fn of_all_labels(expr: &Expr, by: &[String]) -> bool {
    match Split::of(expr).by {
        By::These(labels) => by.iter().all(|label| labels.contains(label)),
        By::AllBut { labels, .. } => !by.iter().any(|label| labels.contains(label)),
        By::Unknown => false,
    }
}

/// The labels by which the values of an expression are told apart; `None` where its form does not name them.
pub(super) fn labels_of(expr: &Expr) -> Option<Vec<String>> {
    match Split::of(without_default(expr)).by {
        By::These(labels) => Some(labels.into_iter().collect()),
        By::AllBut { .. } | By::Unknown => None,
    }
}

/// Whether several series may come out of which the labels are not named.
pub(super) fn is_of_many(expr: &Expr) -> bool {
    matches!(Split::of(without_default(expr)).by, By::AllBut { .. })
}

/// A sum of counters.
#[derive(Debug, Clone, PartialEq)]
struct Sum {
    values: Values,
    selectors: Vec<Selector>,
    by: Vec<String>,
    summed: bool,
    hidden: bool,
}

impl Sum {
    fn of(values: Values, selector: Selector) -> Self {
        Self { values, selectors: vec![selector], by: Vec::new(), summed: false, hidden: false }
    }

    fn same_events(&self, other: &Self) -> bool {
        self.values == other.values && self.selectors == other.selectors && self.by == other.by
    }

    fn and(mut self, other: Self) -> Option<Self> {
        let fit = self.values == other.values && self.by == other.by && self.summed == other.summed;
        let doubled = other.selectors.iter().any(|selector| self.selectors.contains(selector));
        if !fit || doubled {
            return None;
        }
        self.selectors.extend(other.selectors);
        self.hidden |= other.hidden;
        Some(self)
    }
}

fn sum(expr: &Expr) -> Option<Sum> {
    match bare(expr) {
        Expr::Aggregate(aggregate) if aggregate.op.to_string() == "sum" => {
            let by = match &aggregate.modifier {
                None => Vec::new(),
                Some(LabelModifier::Include(labels)) => sorted(&labels.labels),
                Some(LabelModifier::Exclude(_)) => return None,
            };
            series(&aggregate.expr).map(|sum| Sum { by, summed: true, ..sum })
        }
        Expr::Binary(binary) => match binary.op.to_string().as_str() {
            "+" => sum(&binary.lhs)?.and(sum(&binary.rhs)?),
            "or" if is_constant(&binary.rhs) => Some(Sum { hidden: true, ..sum(&binary.lhs)? }),
            "or" if is_zero(&binary.rhs) => sum(&binary.lhs),
            // Without events there is no ratio.
            ">" if is_number(&binary.rhs, 0.0) && !binary.return_bool() => sum(&binary.lhs),
            _ => None,
        },
        other => series(other),
    }
}

fn sorted(labels: &[String]) -> Vec<String> {
    let mut labels = labels.to_vec();
    labels.sort();
    labels.dedup();
    labels
}

/// The series of one selector, or what a function makes of each.
fn series(expr: &Expr) -> Option<Sum> {
    match bare(expr) {
        Expr::VectorSelector(vector) => selector::of_expression(vector).map(|selector| Sum::of(Values::Plain, selector)),
        Expr::Call(call) => {
            let values = match call.func.name {
                "rate" | "irate" | "increase" => Values::Increases,
                "sum_over_time" => Values::Samples,
                "count_over_time" => Values::Numbers,
                _ => return None,
            };
            ranged(&call.args.args).map(|selector| Sum::of(values, selector))
        }
        _ => None,
    }
}

/// The selector of the one argument, which has a range.
fn ranged(args: &[Box<Expr>]) -> Option<Selector> {
    match args {
        [only] => match bare(only) {
            Expr::MatrixSelector(matrix) => selector::of_expression(&matrix.vs),
            _ => None,
        },
        _ => None,
    }
}

/// `a - b`
fn difference(expr: &Expr) -> Option<(&Expr, &Expr)> {
    match bare(expr) {
        Expr::Binary(binary) if binary.op.to_string() == "-" => Some((&binary.lhs, &binary.rhs)),
        _ => None,
    }
}

fn is_number(expr: &Expr, number: f64) -> bool {
    matches!(bare(expr), Expr::NumberLiteral(literal) if literal.val.to_bits() == number.to_bits())
}

/// Something times nothing: zero wherever it has a value.
fn is_zero(expr: &Expr) -> bool {
    matches!(bare(expr), Expr::Binary(binary) if binary.op.to_string() == "*" && is_number(&binary.rhs, 0.0))
}

fn is_constant(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::NumberLiteral(_) => true,
        Expr::Call(call) => call.func.name == "vector",
        _ => false,
    }
}

/// A bucket over all observations of the same histogram, as its `_count` or its last bucket.
fn latency(part: &Sum, total: &Sum, side: Side) -> Option<(Selector, Duration)> {
    let ([bucket], [all], Side::Good) = (part.selectors.as_slice(), total.selectors.as_slice(), side) else { return None };
    bucket_of(bucket, all)
}

/// The histogram without `le` and the boundary that chooses one of its buckets, where `all` are all of its observations.
pub(super) fn bucket_of(bucket: &Selector, all: &Selector) -> Option<(Selector, Duration)> {
    let stem = bucket.metric().strip_suffix("_bucket")?;
    let (boundaries, others): (Vec<Matcher>, Vec<Matcher>) = bucket.matchers().iter().cloned().partition(|matcher| matcher.label == "le");
    let [boundary] = boundaries.as_slice() else { return None };
    let histogram = Selector::new(bucket.metric(), others.clone());
    let infinite = Matcher { label: "le".to_owned(), op: MatchOp::Equal, value: "+Inf".to_owned() };
    let whole = *all == Selector::new(&format!("{stem}_count"), others) || *all == histogram.with(infinite);
    whole.then(|| boundary_of(boundary)).flatten().map(|within| (histogram, within))
}

/// The boundary in whole milliseconds: `le="0.3"`, or a pattern of its spellings such as `le=~"1(\\.0)?"`.
fn boundary_of(matcher: &Matcher) -> Option<Duration> {
    let spellings: Vec<String> = match matcher.op {
        MatchOp::Equal => vec![matcher.value.clone()],
        MatchOp::Regex => matcher.value.replace("(\\.0)?", "").replace('\\', "").split('|').map(ToOwned::to_owned).collect(),
        MatchOp::NotEqual | MatchOp::NotRegex => return None,
    };
    let seconds: Vec<f64> = spellings.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
    let (first, rest) = seconds.split_first()?;
    let within = Duration::try_from_secs_f64(*first).ok()?;
    let millis = Duration::from_millis(u64::try_from(within.as_micros().checked_add(500)? / 1000).ok()?);
    let exact = millis.as_secs_f64().to_bits() == first.to_bits() && rest.iter().all(|other| other.to_bits() == first.to_bits());
    (exact && !millis.is_zero()).then_some(millis)
}

/// Whether the value is one that is better the lower it is: a quantile from the median up, or what is called a latency.
pub(super) fn is_better_low(expr: &Expr) -> bool {
    let high = |number: Option<f64>| number.is_some_and(|quantile| (0.5..=1.0).contains(&quantile));
    match expr {
        Expr::Paren(paren) => is_better_low(&paren.expr),
        Expr::Aggregate(aggregate) => {
            let quantile = aggregate.op.to_string() == "quantile" && high(aggregate.param.as_deref().and_then(number));
            quantile || is_better_low(&aggregate.expr)
        }
        Expr::Call(call) => {
            let args = &call.args.args;
            let quantile =
                matches!(call.func.name, "histogram_quantile" | "quantile_over_time") && high(args.first().and_then(|arg| number(arg)));
            quantile
                || matches!(call.func.name, "max_over_time" | "min_over_time" | "avg_over_time")
                    && args.iter().any(|arg| is_better_low(arg))
        }
        Expr::Binary(binary) if matches!(binary.op.to_string().as_str(), "*" | "/") && number(&binary.rhs).is_some() => {
            is_better_low(&binary.lhs)
        }
        Expr::MatrixSelector(matrix) => selector::of_expression(&matrix.vs).is_some_and(|selector| is_latency(&selector)),
        Expr::VectorSelector(vector) => selector::of_expression(vector).is_some_and(|selector| is_latency(&selector)),
        Expr::Subquery(subquery) => is_better_low(&subquery.expr),
        Expr::Binary(_) | Expr::Unary(_) | Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => false,
    }
}

/// A summary's quantile, or a name that says so.
fn is_latency(selector: &Selector) -> bool {
    let quantile = |matcher: &Matcher| {
        let high = matcher.value.parse().is_ok_and(|quantile: f64| (0.5..=1.0).contains(&quantile));
        matcher.label == "quantile" && matcher.op == MatchOp::Equal && high
    };
    selector.metric().contains("latency") || selector.matchers().iter().any(quantile)
}

/// What is beside `or vector(0)`.
pub(super) fn without_default(expr: &Expr) -> &Expr {
    match bare(expr) {
        Expr::Binary(binary) if is_default(binary) => without_default(&binary.lhs),
        Expr::Binary(_) => expr,
        other => other,
    }
}

/// Whether `or vector(0)` stands at its top.
pub(super) fn has_default(expr: &Expr) -> bool {
    matches!(bare(expr), Expr::Binary(binary) if is_default(binary))
}

fn is_default(binary: &BinaryExpr) -> bool {
    binary.op.to_string() == "or" && is_constant(&binary.rhs)
}

/// The one selector that an expression is; `None` where it is anything else.
pub(super) fn only_selector(expr: &Expr) -> Option<Selector> {
    match bare(expr) {
        Expr::VectorSelector(vector) => selector::of_expression(vector),
        _ => None,
    }
}

/// The same without its offset.
pub(super) fn without_offset(expr: &Expr) -> Option<Selector> {
    match bare(expr) {
        Expr::VectorSelector(vector) => selector::of_expression(&VectorSelector { offset: None, ..vector.clone() }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bad: &str, total: &str) -> Option<String> {
        let (bad, total) = (read(bad).expect("PromQL"), read(total).expect("PromQL"));
        let Counted { found, per, hidden, part_hidden, summed, values: _ } = counted(Parts { side: Side::Bad, part: &bad, total: &total })?;
        let list = |selectors: &[Selector]| selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ");
        let what = match found {
            Found::Events { side, part, total } => format!("{} {} of {}", side.word(), list(&part), list(&total)),
            Found::Latency { histogram, within } => format!("{histogram} within {within:?}"),
            Found::Probe { probes } => format!("probe {}", list(&probes)),
        };
        let marks = [(part_hidden, " part hidden"), (hidden, " hidden"), (!summed, " not summed"), (!per.is_empty(), " per ")];
        Some(marks.iter().filter(|(on, _)| *on).fold(what, |what, (_, mark)| what + mark) + &per.join(","))
    }

    #[test]
    fn counters_are_found_in_the_usual_forms() {
        for (bad, total, expected) in [
            ("sum(rate(e{a=\"1\"}[{{.window}}]))", "sum(rate(t[{{ .window }}]))", "bad e{a=\"1\"} of t"),
            ("sum(irate(e[5m]))", "sum(rate(t[10m]))", "bad e of t"),
            ("sum(increase(e[5m])) or vector(0)", "(sum(increase(t[5m])))", "bad e of t part hidden"),
            ("sum(rate(e[5m]))", "sum(rate(t[5m])) or on() vector(1)", "bad e of t hidden"),
            ("sum(rate(a[5m])) + sum(rate(b[5m]))", "sum(rate(t[5m]))", "bad a + b of t"),
            ("sum(rate(a[5m])) or sum(rate(t[5m])) * 0", "sum(rate(t[5m])) > 0", "bad a of t"),
            ("sum(rate(t[5m])) - sum(rate(g[5m]))", "sum(rate(t[5m]))", "good g of t"),
            ("sum by (z, y) (rate(e[5m]))", "sum(rate(t[5m])) by (y, z)", "bad e of t per y,z"),
            ("e", "t", "bad e of t not summed"),
            ("sum(h_count) - sum(h_bucket{le=\"0.25\", a=\"1\"})", "sum(h_count)", "good h_bucket{a=\"1\",le=\"0.25\"} of h_count"),
            ("sum(h_count{a=\"1\"}) - sum(h_bucket{le=\"0.25\", a=\"1\"})", "sum(h_count{a=\"1\"})", "h_bucket{a=\"1\"} within 250ms"),
            ("sum(h_bucket{le=\"+Inf\"}) - sum(h_bucket{le=~\"1|1\\\\.0\"})", "sum(h_bucket{le=\"+Inf\"})", "h_bucket within 1s"),
        ] {
            assert_eq!(found(bad, total).as_deref(), Some(expected), "{bad} / {total}");
        }
    }

    #[test]
    fn what_is_no_sum_of_counters_stays_an_expression() {
        for (bad, total) in [
            ("sum(rate(e[5m]))", "sum by (a) (rate(t[5m]))"),
            ("sum(rate(e[5m]))", "sum(sum_over_time(t[5m]))"),
            ("sum without (a) (rate(e[5m]))", "sum without (a) (rate(t[5m]))"),
            ("max(rate(e[5m]))", "max(rate(t[5m]))"),
            ("sum(rate(e[5m] offset 1h))", "sum(rate(t[5m] offset 1h))"),
            ("sum(rate(e[5m])) * 2", "sum(rate(t[5m]))"),
            ("sum(rate({a=\"1\"}[5m]))", "sum(rate(t[5m]))"),
            ("sum(rate(e[5m])) + sum(rate(e[5m]))", "sum(rate(t[5m]))"),
        ] {
            assert_eq!(found(bad, total), None, "{bad} / {total}");
        }
    }

    #[test]
    fn sides_that_are_split_otherwise_are_added_up_by_what_both_name() {
        for (part, total, expected) in [
            ("sum by (a, b) (rate(e[5m]))", "sum by (a) (rate(t[5m]))", "sum by (a) (rate(e[5m])) / sum by (a) (rate(t[5m]))"),
            ("sum by (a) (rate(e[5m]))", "sum(rate(t[5m])) or vector(1)", "sum(rate(e[5m])) / sum(rate(t[5m])) or vector(0)"),
            ("sum without (i) (rate(e[5m]))", "sum without (i) (rate(t[5m]))", "sum(rate(e[5m])) / sum(rate(t[5m]))"),
            ("max by (a, b) (e)", "max by (a) (t)", "sum by (a) (max by (a, b) (e)) / sum by (a) (max by (a) (t))"),
            ("increase(e[5m]) * 2", "increase(t[5m])", "sum(increase(e[5m]) * 2) / sum(increase(t[5m]))"),
        ] {
            let (part, total) = (read(part).expect("PromQL"), read(total).expect("PromQL"));
            let fitted = fitted(Parts { side: Side::Bad, part: &part, total: &total }).expect("they do not fit");
            assert_eq!(format!("{} / {}", fitted.part, fitted.total), expected);
        }
        for (part, total) in [("sum by (a) (e)", "max by (a) (t)"), ("job:e:rate5m", "sum(t)")] {
            let (part, total) = (read(part).expect("PromQL"), read(total).expect("PromQL"));
            assert_eq!(fitted(Parts { side: Side::Bad, part: &part, total: &total }), None);
        }
    }

    #[test]
    fn ratios_are_taken_apart() {
        let side = |ratio: &str| parts(&read(ratio).expect("PromQL"), Side::Bad).map(|parts| (parts.side, parts.part.to_string()));
        assert_eq!(side("a / b"), Some((Side::Bad, "a".into())));
        assert_eq!(side("1 - (a / b)"), Some((Side::Good, "a".into())));
        assert_eq!(side("1 - (1 - a / b)"), Some((Side::Bad, "a".into())));
        assert_eq!(side("a * b"), None);
        let probe = |ratio: &str| averaged(&read(ratio).expect("PromQL"), Side::Bad).map(|probe| probe.to_string());
        assert_eq!(probe("1 - avg_over_time(up{a=\"1\"}[{{.window}}])"), Some("up{a=\"1\"}".into()));
        assert_eq!(probe("1 - avg(avg_over_time(up[5m]))"), Some("up".into()));
        assert_eq!(probe("avg_over_time(up[5m])"), None);
        assert_eq!(probe("1 - avg_over_time(satisfaction_ratio[5m])"), None, "a fraction is no probe");
    }

    #[test]
    fn rates_over_the_window_become_increases_of_a_step() {
        let text = "max(rate(a[{{.window}}])) + max(irate(d[{{.window}}])) + sum_over_time((count(b))[{{.window}}:]) + max_over_time(c[1h]) or vector(0)";
        let step = of_one_step(&read(text).expect("PromQL"), TEMPLATE, Duration::from_mins(1)).to_string();
        assert_eq!(step, "max(increase(a[1m])) + max(increase(d[1m])) + sum_over_time((count(b))[1m:]) + max_over_time(c[1h])");
    }

    #[test]
    fn a_window_that_is_filled_in_moves_nothing() {
        let text = "sum(rate(a[{{.window}}]) + b[{{ .window }}]";
        let filled = filled_alike(text);
        assert_eq!(filled, "sum(rate(a[0000000001m]) + b[000000000001m]");
        assert_eq!(filled.len(), text.len());
        assert!(read(&filled_alike("rate(a[{{.window}}])")).is_ok());
    }

    #[test]
    fn other_templates_are_named() {
        assert_eq!(read("rate(a[{{.step}}])"), Err(Unread::Template(".step".into())));
        assert_eq!(read("rate(a[{{"), Err(Unread::Template(String::new())));
        assert_eq!(read("rate(a["), Err(Unread::NotPromql));
    }
}
