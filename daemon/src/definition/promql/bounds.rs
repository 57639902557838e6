//! Between which numbers the values of an expression must lie, as far as its form tells.

use std::collections::BTreeSet;

use burnward_core::sli::Selector;
use promql_parser::{
    label::MatchOp,
    parser::{AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorSelector},
};

use super::{By, Split, bare, tree::visit};
use crate::definition::{matchers, selector};

/// Least and most; both may be reached.
pub(super) type Bounds = (f64, f64);

/// What an expression is, where its form tells: the reason for its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Something divided by itself.
    Same,
    /// A part divided by the whole.
    Ratio,
    /// The whole divided by its part.
    Swapped,
    /// Anything else.
    Other,
}

/// What an expression is; a number that it is multiplied by makes it no other, nor does what stands in for it where it has no value.
pub(super) fn form(expr: &Expr) -> Form {
    match quotient(expr) {
        Some(quotient) if quotient.is_same() => Form::Same,
        Some(quotient) if quotient.factor.to_bits() == 1.0_f64.to_bits() && quotient.is_part() => Form::Ratio,
        Some(quotient) if quotient.is_swapped() => Form::Swapped,
        Some(_) | None => Form::Other,
    }
}

/// What is divided by what, without what chooses among its values or stands in for them.
fn quotient(expr: &Expr) -> Option<Quotient<'_>> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    match binary.op.to_string().as_str() {
        "or" if literal(&binary.rhs).is_some() || is_always_there(&binary.rhs) => quotient(&binary.lhs),
        _ => chosen_from(expr).map_or_else(|| Quotient::of(binary), quotient),
    }
}

/// The bounds of an expression; `None` where its form does not tell.
pub(super) fn of(expr: &Expr) -> Option<Bounds> {
    match bare(expr) {
        Expr::NumberLiteral(number) => Some((number.val, number.val)),
        Expr::VectorSelector(selector) => of_selector(selector),
        Expr::Binary(binary) => of_binary(binary),
        Expr::Call(call) => of_call(call),
        Expr::Aggregate(aggregate) => match aggregate.op.to_string().as_str() {
            "min" | "max" | "avg" | "quantile" | "topk" | "bottomk" => of(&aggregate.expr),
            "sum" => of(&aggregate.expr).filter(|(least, _)| *least >= 0.0).map(|(least, _)| (least, f64::INFINITY)),
            // Of no series there is no count.
            "count" => Some((1.0, f64::INFINITY)),
            "group" => Some((1.0, 1.0)),
            _ => None,
        },
        Expr::Unary(_) | Expr::Paren(_) | Expr::Subquery(_) | Expr::StringLiteral(_) | Expr::MatrixSelector(_) | Expr::Extension(_) => None,
    }
}

fn of_selector(selector: &VectorSelector) -> Option<Bounds> {
    matches!(selector.name.as_deref(), Some("up" | "probe_success")).then_some((0.0, 1.0))
}

fn of_call(call: &Call) -> Option<Bounds> {
    match call.func.name {
        "absent" | "absent_over_time" | "present_over_time" => Some((1.0, 1.0)),
        "histogram_fraction" => Some((0.0, 1.0)),
        "rate" | "increase" | "irate" | "resets" | "changes" => Some((0.0, f64::INFINITY)),
        "count_over_time" => Some((1.0, f64::INFINITY)),
        "vector" | "label_replace" | "label_join" | "sort" | "sort_desc" => of(call.args.args.first()?),
        "clamp" | "clamp_min" | "clamp_max" => of_clamped(call),
        "avg_over_time" | "min_over_time" | "max_over_time" | "last_over_time" | "first_over_time" => match call.args.args.last()?.as_ref()
        {
            Expr::MatrixSelector(matrix) => of_selector(&matrix.vs),
            Expr::Subquery(subquery) => of(&subquery.expr),
            _ => None,
        },
        _ => None,
    }
}

/// A clamp holds its values within its own bounds, whatever they are.
fn of_clamped(call: &Call) -> Option<Bounds> {
    let (value, arguments) = call.args.args.split_first()?;
    let numbers: Vec<f64> = arguments.iter().map(|argument| literal(argument).filter(|number| !number.is_nan())).collect::<Option<_>>()?;
    let (least, most) = match (call.func.name, numbers.as_slice()) {
        ("clamp_min", [least]) => (*least, f64::INFINITY),
        ("clamp_max", [most]) => (f64::NEG_INFINITY, *most),
        ("clamp", [least, most]) if least <= most => (*least, *most),
        _ => return None,
    };
    let inner = of(value).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    tells((inner.0.clamp(least, most), inner.1.clamp(least, most)))
}

fn of_binary(binary: &BinaryExpr) -> Option<Bounds> {
    let (lhs, rhs) = (bare(&binary.lhs), bare(&binary.rhs));
    match binary.op.to_string().as_str() {
        "==" | "!=" | "<" | "<=" | ">" | ">=" if binary.return_bool() => Some((0.0, 1.0)),
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "unless" => of(chosen_from_binary(binary)?),
        "/" | "*" if let Some(bounds) = Quotient::of(binary).and_then(|quotient| quotient.bounds()) => Some(bounds),
        // Each side is looked at once: a chain of products is as deep as it is long.
        "*" => match [of(lhs), of(rhs)] {
            sides if sides.contains(&Some((0.0, 0.0))) => Some((0.0, 0.0)),
            [one, other] => scaled(one?, other?),
        },
        "/" => divided(of(lhs)?, of(rhs)?),
        "or" if is_always_there(lhs) && Split::of(rhs).by == By::These(BTreeSet::new()) => of(lhs),
        "or" => of(lhs).zip(of(rhs)).map(|(left, right)| (left.0.min(right.0), left.1.max(right.1))),
        "-" => of(lhs).zip(of(rhs)).map(|(left, right)| (left.0 - right.1, left.1 - right.0)),
        "+" => of(lhs).zip(of(rhs)).map(|(left, right)| (left.0 + right.0, left.1 + right.1)),
        _ => None,
    }
}

/// The only number that an expression has.
pub(super) fn fixed(expr: &Expr) -> Option<f64> {
    of(expr).filter(|(least, most)| least.to_bits() == most.to_bits()).map(|(number, _)| number)
}

/// Whether an expression has a value at every instant, and one without labels.
pub(super) fn is_always_there(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::NumberLiteral(_) => true,
        Expr::Call(call) => call.func.name == "vector",
        _ => false,
    }
}

/// A number that is written as one, or as numbers that are multiplied and divided.
fn literal(expr: &Expr) -> Option<f64> {
    match bare(expr) {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Binary(binary) => match binary.op.to_string().as_str() {
            "*" => Some(literal(&binary.lhs)? * literal(&binary.rhs)?),
            "/" => Some(literal(&binary.lhs)? / literal(&binary.rhs)?),
            _ => None,
        },
        _ => None,
    }
}

/// A number of at least one and a share that are multiplied, as a burn rate and a budget are.
pub(super) fn product(expr: &Expr) -> Option<(f64, f64)> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    let (lhs, rhs) = (literal(&binary.lhs)?, literal(&binary.rhs)?);
    let (factor, share) = if lhs >= rhs { (lhs, rhs) } else { (rhs, lhs) };
    (binary.op.to_string() == "*" && factor >= 1.0 && share > 0.0 && share < 1.0).then_some((factor, share))
}

/// The expression of whose values these are some: those that a comparison or another expression leaves.
fn chosen_from(expr: &Expr) -> Option<&Expr> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    chosen_from_binary(binary)
}

fn chosen_from_binary(binary: &BinaryExpr) -> Option<&Expr> {
    match binary.op.to_string().as_str() {
        "==" | "!=" | "<" | "<=" | ">" | ">=" if binary.return_bool() => None,
        // Of a number and series, the series are kept.
        "==" | "!=" | "<" | "<=" | ">" | ">=" if literal(&binary.lhs).is_some() => Some(&binary.rhs),
        "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "unless" => Some(&binary.lhs),
        _ => None,
    }
}

fn scaled(one: Bounds, other: Bounds) -> Option<Bounds> {
    // Nothing times whatever is nothing.
    let times = |left: f64, right: f64| if left == 0.0 || right == 0.0 { 0.0 } else { left * right };
    let products = [times(one.0, other.0), times(one.0, other.1), times(one.1, other.0), times(one.1, other.1)];
    let (least, most) =
        products.into_iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), product| (least.min(product), most.max(product)));
    tells((least, most))
}

/// What is divided by zero is no number that a threshold is compared with.
fn divided(one: Bounds, by: Bounds) -> Option<Bounds> {
    if by.0.to_bits() == by.1.to_bits() && by.0 != 0.0 {
        return scaled(one, (1.0 / by.0, 1.0 / by.0));
    }
    (one.0 >= 0.0 && by.0 >= 0.0).then_some((0.0, f64::INFINITY))
}

/// Bounds of which at least one is a number.
fn tells((least, most): Bounds) -> Option<Bounds> {
    (least.is_finite() || most.is_finite()).then_some((least, most))
}

/// Whether a part is called errors (or successes) and is divided by something that is not: then it is a share, as far as names tell.
pub(super) fn is_called_share(expr: &Expr) -> bool {
    if let Expr::VectorSelector(recorded) = bare(expr) {
        return recorded.name.as_deref().is_some_and(is_called_recorded_share);
    }
    let Some(quotient) = quotient(expr).filter(|quotient| quotient.factor.to_bits() == 1.0_f64.to_bits()) else { return false };
    let (Some(part), Some(whole)) = (events(quotient.part.expr), events(quotient.whole.expr)) else { return false };
    let judged = |one: &&VectorSelector| one.name.as_deref().is_some_and(is_called_judged) || asks_for_errors(one);
    !part.is_empty() && !whole.is_empty() && part.iter().all(judged) && !whole.iter().all(judged)
}

/// The counters whose rates are added up, constants beside them left out; `None` where anything else is computed, or a counter is one of something else
/// than events.
fn events(expr: &Expr) -> Option<Vec<&VectorSelector>> {
    match bare(expr) {
        Expr::Binary(binary) => match binary.op.to_string().as_str() {
            "+" => Some([events(&binary.lhs)?, events(&binary.rhs)?].concat()),
            "or" if fixed(&binary.rhs).is_some() => events(&binary.lhs),
            _ => None,
        },
        Expr::Aggregate(aggregate) if aggregate.op.to_string() == "sum" => events(&aggregate.expr),
        Expr::Call(call) if matches!(call.func.name, "rate" | "increase" | "irate") => match call.args.args.first()?.as_ref() {
            Expr::MatrixSelector(matrix) => Some(vec![&matrix.vs]).filter(|_| matrix.vs.name.as_deref().is_some_and(is_called_events)),
            _ => None,
        },
        _ => None,
    }
}

/// A recorded share of bad (or good) events, such as `job:errors:ratio_rate1h`, by the conventions for names of recording rules.
fn is_called_recorded_share(metric: &str) -> bool {
    let ratio = metric.rsplit_once(':').is_some_and(|(_, operation)| operation.starts_with("ratio"));
    ratio && is_called_judged(metric)
}

fn is_called_events(metric: &str) -> bool {
    !metric.ends_with("_sum")
        && !metric.split('_').any(|part| matches!(part, "seconds" | "bytes" | "milliseconds" | "retries" | "attempts"))
}

/// Words of which one in a metric's name says that its events are the bad (or the good) ones.
const JUDGED: [&str; 21] = [
    "err",
    "error",
    "errors",
    "errored",
    "fail",
    "failed",
    "failure",
    "failures",
    "bad",
    "5xx",
    "dropped",
    "rejected",
    "timeout",
    "timeouts",
    "lost",
    "exceptions",
    "success",
    "successes",
    "successful",
    "succeeded",
    "good",
];

fn is_called_judged(metric: &str) -> bool {
    metric.split(['_', ':']).any(|part| JUDGED.contains(&part))
}

fn asks_for_errors(selector: &VectorSelector) -> bool {
    selector.matchers.matchers.iter().any(|matcher| matchers::is_of_http(&matcher.name) && matcher.value.starts_with('5'))
}

/// Whether what an expression counts is multiplied by a hundred, as a percentage is.
pub(super) fn is_percentage(expr: &Expr) -> bool {
    let is_hundred = |side: &Expr| matches!(bare(side), Expr::NumberLiteral(number) if number.val.to_bits() == 100.0_f64.to_bits());
    match bare(expr) {
        Expr::Binary(binary) => match binary.op.to_string().as_str() {
            "*" => [&binary.lhs, &binary.rhs].into_iter().any(|side| is_hundred(side) || is_percentage(side)),
            "/" => is_percentage(&binary.lhs) && !is_percentage(&binary.rhs) && !is_hundred(&binary.rhs),
            "or" | "and" | "unless" | ">" | ">=" | "<" | "<=" => is_percentage(&binary.lhs),
            _ => false,
        },
        Expr::Aggregate(aggregate) => is_percentage(&aggregate.expr),
        _ => false,
    }
}

/// One thing divided by another, with the number that this is multiplied by.
#[derive(Clone, Copy)]
struct Quotient<'e> {
    factor: f64,
    part: Side<'e>,
    whole: Side<'e>,
}

/// A side of a division without what guards it.
#[derive(Clone, Copy)]
struct Side<'e> {
    expr: &'e Expr,
    guard: Guard,
}

/// What guards a side of a division against having no value, or against being zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Guard {
    /// It has the values that it has, or some of them: `x > 0`.
    Exact,
    /// A number stands in where it has none: `x or vector(0)`.
    StandIn,
    /// It is never below a number: `clamp_min(x, 1)`.
    Raised,
}

impl<'e> Quotient<'e> {
    fn of(binary: &'e BinaryExpr) -> Option<Self> {
        let (lhs, rhs) = (bare(&binary.lhs), bare(&binary.rhs));
        let within = |side: &'e Expr| if let Expr::Binary(inner) = side { Self::of(inner) } else { None };
        match (binary.op.to_string().as_str(), literal(lhs), literal(rhs)) {
            ("*", Some(number), None) => within(rhs)?.times(number),
            ("*", None, Some(number)) => within(lhs)?.times(number),
            ("/", None, Some(number)) => within(lhs)?.times(1.0 / number),
            ("/", None, None) => {
                let ((one, part), (other, whole)) = (unscaled(lhs), unscaled(rhs));
                Self { factor: 1.0, part: Side::part(part), whole: Side::whole(whole) }.times(one / other)
            }
            _ => None,
        }
    }

    fn times(self, number: f64) -> Option<Self> {
        let factor = self.factor * number;
        factor.is_finite().then_some(Self { factor, ..self })
    }

    fn is_same(&self) -> bool {
        let guarded = match self.whole.guard {
            Guard::Exact => false,
            Guard::StandIn => self.part.guard != Guard::Exact,
            Guard::Raised => true,
        };
        !guarded && is_same(self.part.expr, self.whole.expr)
    }

    fn is_part(&self) -> bool {
        is_part_of(self.part.expr, self.whole.expr)
    }

    /// The whole divided by its part.
    fn is_swapped(&self) -> bool {
        self.whole.guard != Guard::Raised && is_part_of(self.whole.expr, self.part.expr)
    }

    fn bounds(&self) -> Option<Bounds> {
        let once = if self.is_same() {
            (1.0, 1.0)
        } else if self.is_part() {
            (0.0, 1.0)
        } else if self.is_swapped() {
            (1.0, f64::INFINITY)
        } else {
            averaged(self.part.expr, self.whole.expr).filter(|_| self.whole.guard == Guard::Exact).and_then(of)?
        };
        scaled(once, (self.factor, self.factor))
    }
}

impl<'e> Side<'e> {
    /// Without what leaves some of its values out, and without the zero that stands in for what is missing.
    fn part(expr: &'e Expr) -> Self {
        let mut side = Self { expr: bare(expr), guard: Guard::Exact };
        while let Some((inner, guard)) = chosen_from(side.expr).map(|inner| (inner, Guard::Exact)).or_else(|| stood_in(side.expr, 0.0)) {
            side = Self { expr: bare(inner), guard: side.guard.max(guard) };
        }
        side
    }

    /// Without what only leaves out values or makes them larger: the quotient is no larger for it.
    fn whole(expr: &'e Expr) -> Self {
        let mut side = Self { expr: bare(expr), guard: Guard::Exact };
        let unguarded = |expr: &'e Expr| {
            let chosen = chosen_from(expr).map(|inner| (inner, Guard::Exact));
            chosen.or_else(|| stood_in(expr, f64::INFINITY)).or_else(|| raised(expr))
        };
        while let Some((inner, guard)) = unguarded(side.expr) {
            side = Self { expr: bare(inner), guard: side.guard.max(guard) };
        }
        side
    }
}

/// `x or vector(0)`, of a number up to the given one.
fn stood_in(expr: &Expr, most: f64) -> Option<(&Expr, Guard)> {
    let Expr::Binary(binary) = expr else { return None };
    let number = match bare(&binary.rhs) {
        Expr::Call(call) if call.func.name == "vector" => call.args.args.first().and_then(|number| literal(number)),
        // Nothing of anything.
        Expr::Binary(product) if product.op.to_string() == "*" => {
            [&product.lhs, &product.rhs].into_iter().find_map(|side| literal(side).filter(|number| *number == 0.0))
        }
        _ => None,
    };
    (binary.op.to_string() == "or" && number.is_some_and(|number| (0.0..=most).contains(&number))).then_some((&*binary.lhs, Guard::StandIn))
}

/// `clamp_min(x, 1)`
fn raised(expr: &Expr) -> Option<(&Expr, Guard)> {
    let Expr::Call(call) = expr else { return None };
    let [value, least] = call.args.args.as_slice() else { return None };
    (call.func.name == "clamp_min" && literal(least).is_some_and(|least| least >= 0.0)).then_some((value, Guard::Raised))
}

/// What is multiplied by a number, or divided by one, with that number.
fn unscaled(expr: &Expr) -> (f64, &Expr) {
    let Expr::Binary(binary) = bare(expr) else { return (1.0, expr) };
    let (lhs, rhs) = (&*binary.lhs, &*binary.rhs);
    let (number, inner) = match (binary.op.to_string().as_str(), literal(lhs), literal(rhs)) {
        ("*", Some(number), None) => (number, rhs),
        ("*", None, Some(number)) => (number, lhs),
        ("/", None, Some(number)) => (1.0 / number, lhs),
        _ => return (1.0, expr),
    };
    let (outer, inner) = unscaled(inner);
    (number * outer, inner)
}

/// Whether one counts some of what the other counts, where either may be a sum: each term of the part lies within a term of the whole, and no two of them count
/// the same; what else the whole adds makes it only larger.
fn is_part_of(part: &Expr, whole: &Expr) -> bool {
    let (parts, wholes) = (terms(part), terms(whole));
    let mut taken: Vec<Vec<Sum<'_>>> = wholes.iter().map(|_| Vec::new()).collect();
    let placed = parts.iter().all(|part| {
        let home = wholes.iter().zip(&mut taken).find(|(whole, beside)| is_term_of(part, whole) && lies_beside(part, beside));
        home.and_then(|(_, beside)| Sum::of(part).map(|sum| beside.push(sum))).is_some()
    });
    let counts = |whole: &&Expr| Sum::of(whole).is_some() || literal(whole).is_some_and(|number| number >= 0.0);
    placed && wholes.iter().all(counts)
}

/// What is added up, and the whole where nothing is.
fn terms(expr: &Expr) -> Vec<&Expr> {
    match bare(expr) {
        Expr::Binary(binary) if binary.op.to_string() == "+" => [terms(&binary.lhs), terms(&binary.rhs)].concat(),
        other => vec![Side::part(other).expr],
    }
}

/// Whether no series of a term is one of those beside it.
fn lies_beside(term: &Expr, beside: &[Sum<'_>]) -> bool {
    if beside.is_empty() {
        return true;
    }
    let of = |sum: &Sum<'_>| sum.selectors.iter().map(|one| selector::of_expression(one)).collect::<Option<Vec<_>>>();
    let Some(own) = Sum::of(term).as_ref().and_then(of) else { return false };
    let apart = |others: Vec<Selector>| own.iter().all(|one| others.iter().all(|other| matchers::excluding(one, other).is_some()));
    beside.iter().all(|other| of(other).is_some_and(apart))
}

/// Whether one counts some of what the other counts: the same metrics by the same functions, with at least the same matchers, split at least as finely.
fn is_term_of(part: &Expr, whole: &Expr) -> bool {
    let (Some(part), Some(whole)) = (Sum::of(part), Sum::of(whole)) else { return false };
    let narrower = |part: &&VectorSelector| whole.selectors.iter().any(|whole| narrows(part, whole));
    let steps = part.steps.len() == whole.steps.len()
        && part.steps.iter().zip(&whole.steps).all(|(part, whole)| part.is_at_least_as_fine_as(whole));
    steps && !part.selectors.is_empty() && part.selectors.iter().all(narrower)
}

/// The series that are added up; none where it is more than sums and increases, or one of them is no plain selector.
pub(super) fn summed(expr: &Expr) -> Vec<Selector> {
    let Some(sum) = Sum::of(expr) else { return Vec::new() };
    sum.selectors.into_iter().map(selector::of_expression).collect::<Option<_>>().unwrap_or_default()
}

/// Whether both count the same: equal expressions, or equal but for a split by labels of which every selector asks for one value alone.
fn is_same(one: &Expr, other: &Expr) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (Sum::of(one), Sum::of(other)) else { return false };
    let fixed = |label: &String| one.selectors.iter().all(|selector| asks_for_one_value(selector, label));
    let equal = |(one, other): (&Step, &Step)| match (one, other) {
        (Step::Split { by: one, .. }, Step::Split { by: other, .. }) => one.symmetric_difference(other).all(fixed),
        (one, other) => one == other,
    };
    let same_kind = |(one, other): (&Step, &Step)| one.word() == other.word();
    let pairs = || one.steps.iter().zip(&other.steps);
    one.selectors == other.selectors && one.steps.len() == other.steps.len() && pairs().all(same_kind) && pairs().all(equal)
}

fn asks_for_one_value(selector: &VectorSelector, label: &str) -> bool {
    selector.matchers.matchers.iter().any(|matcher| matcher.name == label && matches!(matcher.op, MatchOp::Equal))
}

/// The average of something: its sum over its count.
fn averaged<'e>(sum: &'e Expr, count: &Expr) -> Option<&'e Expr> {
    match (sum, count) {
        (Expr::Aggregate(sum), Expr::Aggregate(count)) => {
            let named = sum.op.to_string() == "sum" && count.op.to_string() == "count";
            (named && sum.expr == count.expr && sum.modifier == count.modifier).then_some(&*sum.expr)
        }
        _ => None,
    }
}

fn narrows(part: &VectorSelector, whole: &VectorSelector) -> bool {
    let has: BTreeSet<String> = part.matchers.matchers.iter().map(ToString::to_string).collect();
    part.name == whole.name
        && part.offset == whole.offset
        && whole.matchers.matchers.iter().all(|matcher| has.contains(&matcher.to_string()))
}

/// What is made of sums and increases alone: then fewer series can only make it smaller.
#[derive(Default)]
struct Sum<'e> {
    selectors: Vec<&'e VectorSelector>,
    /// Aggregations, functions and ranges from the outside.
    steps: Vec<Step>,
}

#[derive(Debug, PartialEq)]
enum Step {
    /// `sum by (labels)` or `count by (labels)`; without any, over everything.
    Split { word: String, by: BTreeSet<String> },
    /// Anything that must be equal on both sides.
    Other(String),
}

impl Step {
    fn word(&self) -> &str {
        match self {
            Self::Split { word, .. } | Self::Other(word) => word,
        }
    }

    /// Each group of a finer split lies within one of the coarser one.
    fn is_at_least_as_fine_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Split { word, by }, Self::Split { word: other, by: coarse }) => word == other && by.is_superset(coarse),
            (one, other) => one == other,
        }
    }
}

impl<'e> Sum<'e> {
    fn of(expr: &'e Expr) -> Option<Self> {
        let mut sum = Self::default();
        let mut plain = true;
        visit(expr, &mut |node| plain &= sum.take(node).is_some());
        plain.then_some(sum)
    }

    fn take(&mut self, node: &'e Expr) -> Option<()> {
        match node {
            Expr::Aggregate(aggregate) if matches!(aggregate.op.to_string().as_str(), "sum" | "count") => self.steps.push(split(aggregate)),
            Expr::Call(call) if matches!(call.func.name, "rate" | "increase" | "irate") => {
                self.steps.push(Step::Other(call.func.name.to_owned()));
            }
            Expr::Paren(_) => {}
            Expr::VectorSelector(selector) => self.selectors.push(selector),
            Expr::MatrixSelector(matrix) => {
                self.steps.push(Step::Other(format!("{:?}", matrix.range)));
                self.selectors.push(&matrix.vs);
            }
            _ => return None,
        }
        Some(())
    }
}

fn split(aggregate: &AggregateExpr) -> Step {
    let word = aggregate.op.to_string();
    match &aggregate.modifier {
        None => Step::Split { word, by: BTreeSet::new() },
        Some(LabelModifier::Include(labels)) => Step::Split { word, by: labels.labels.iter().cloned().collect() },
        Some(LabelModifier::Exclude(labels)) => Step::Other(format!("{word} without {:?}", labels.labels)),
    }
}
