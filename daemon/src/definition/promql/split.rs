//! By which labels the values of an expression are told apart, as far as its form tells, and whether an SLO is split by the same.

use std::collections::BTreeSet;

use promql_parser::{
    label::MatchOp,
    parser::{AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, VectorMatchCardinality, VectorSelector, value::ValueType},
};

use super::{Finding, bare, tree::visit};
use crate::definition::codes;

type Names = BTreeSet<String>;

/// By which labels values are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum By {
    /// By these at most.
    These(Names),
    /// By all that the series have, but these.
    AllBut {
        /// Which.
        labels: Names,
        /// Whether anything was added up: `without`.
        aggregated: bool,
    },
    /// It is not known here.
    Unknown,
}

/// How the values of an expression are split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) by: By,
    /// Labels of which every selector asks for one value: they tell nothing apart.
    pinned: Names,
    /// The first quantile of buckets within it.
    quantile: Option<Quantile>,
}

/// A quantile of a histogram: which, of what, and whether that is told apart by `le`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Quantile {
    share: String,
    buckets: String,
    classic: bool,
}

impl Quantile {
    fn within(expr: &Expr) -> Option<Self> {
        let mut found = None;
        visit(expr, &mut |node| {
            if let Expr::Call(call) = node
                && call.func.name == "histogram_quantile"
                && let [share, buckets] = call.args.args.as_slice()
                && found.is_none()
            {
                found = Some((share.clone(), buckets.clone()));
            }
        });
        let (share, buckets) = found?;
        let inner = match bare(&buckets) {
            Expr::Aggregate(sum) if sum.op.to_string() == "sum" => bare(&sum.expr),
            inner => inner,
        };
        let text = inner.to_string();
        Some(Self { share: share.to_string(), classic: text.contains("_bucket"), buckets: text })
    }

    /// The same of buckets that are added up by these labels.
    fn by(&self, per: &[String]) -> String {
        let le = self.classic.then_some("le");
        let labels: Vec<&str> = le.into_iter().chain(per.iter().map(String::as_str)).collect();
        let by = if labels.is_empty() { String::new() } else { format!(" by ({})", labels.join(", ")) };
        format!("`histogram_quantile({}, sum{by} ({}))`", self.share, self.buckets)
    }
}

impl Split {
    /// Of an expression that is not looked into.
    pub(super) const fn unknown() -> Self {
        Self { by: By::Unknown, pinned: Names::new(), quantile: None }
    }

    /// How the values of an expression are split.
    pub(crate) fn of(expr: &Expr) -> Self {
        Self { by: by(expr), pinned: pinned(expr), quantile: Quantile::within(expr) }
    }

    /// Why these values are not those of an SLO that is split by `per`.
    pub(in crate::definition) fn misfits(&self, per: &[String]) -> Vec<Finding> {
        let wanted: Names = per.iter().cloned().collect();
        let told = |(message, help): (String, String)| Finding::new(&codes::PROMQL_SPLIT, message, help);
        match &self.by {
            By::These(labels) => {
                let more: Vec<&String> = labels.iter().filter(|label| !wanted.contains(*label) && !self.pinned.contains(*label)).collect();
                let fewer: Vec<&String> = wanted.difference(labels).collect();
                more_than_wanted(&more, per, &self.aggregation(per))
                    .into_iter()
                    .chain(fewer_than_wanted(&fewer, &self.aggregation(per)))
                    .map(told)
                    .collect()
            }
            By::AllBut { labels, aggregated: true } => {
                let message = format!(
                    "`without ({})` leaves whatever other labels the series have, and the SLO is {}: where two values come for one group, nothing is counted",
                    named(&labels.iter().collect::<Vec<_>>()),
                    split_by(per)
                );
                vec![told((message, format!("name what remains: {}", self.aggregation(per))))]
            }
            By::AllBut { aggregated: false, .. } if ["instance", "pod"].iter().any(|label| self.pinned.contains(*label)) => Vec::new(),
            By::AllBut { aggregated: false, .. } => {
                let message = format!(
                    "each series has a value of its own, and the SLO is {}: where two come for one group, as while a process is replaced, nothing is counted",
                    split_by(per)
                );
                vec![told((message, format!("aggregate them: {}", self.aggregation(per))))]
            }
            By::Unknown => Vec::new(),
        }
    }

    /// The aggregation that fits: the outermost one, or that of the buckets of a quantile, which cannot be aggregated itself.
    fn aggregation(&self, per: &[String]) -> String {
        self.quantile.as_ref().map_or_else(|| aggregation(per), |quantile| quantile.by(per))
    }
}

/// What adds up quantiles, or takes their mean, with the quantile of all that it would be.
pub(super) fn adds_up_quantiles(expr: &Expr) -> Option<(String, String)> {
    let mut found = None;
    visit(expr, &mut |node| {
        let Expr::Aggregate(aggregate) = node else { return };
        let op = aggregate.op.to_string();
        if found.is_none() && matches!(op.as_str(), "sum" | "avg") && is_quantile(&aggregate.expr) {
            let labels = match (&aggregate.modifier, by(expr)) {
                (Some(LabelModifier::Include(labels)), _) => labels.labels.clone(),
                (_, By::These(labels)) => labels.into_iter().collect(),
                _ => Vec::new(),
            };
            found = Some((op, Quantile::within(&aggregate.expr).map(|quantile| quantile.by(&labels))));
        }
    });
    let (op, instead) = found?;
    let help = instead.map_or_else(
        || "take the worst one, `max (...)`, or count the requests themselves with a histogram".to_owned(),
        |instead| format!("add up the buckets within it: write {instead}; or take the worst one, `max (...)`"),
    );
    Some((op, help))
}

/// A quantile as it is, or times a number.
fn is_quantile(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Call(call) => call.func.name == "histogram_quantile",
        Expr::VectorSelector(series) => equalities(series).contains("quantile"),
        Expr::Binary(binary) if matches!(binary.op.to_string().as_str(), "*" | "/") => {
            let (left, right) = (&binary.lhs, &binary.rhs);
            let scalar = |side: &Expr| side.value_type() == ValueType::Scalar;
            (scalar(right) && is_quantile(left)) || (scalar(left) && is_quantile(right))
        }
        _ => false,
    }
}

fn more_than_wanted(more: &[&String], per: &[String], aggregation: &str) -> Option<(String, String)> {
    let all: Vec<&String> = per.iter().chain(more.iter().copied()).collect();
    let message = format!(
        "the values are split by `{}`, and the SLO is {}: where two come for one group, nothing is counted",
        named(more),
        split_by(per)
    );
    (!more.is_empty()).then(|| (message, format!("aggregate over it: {aggregation}; or write `per: [{}]`", named(&all))))
}

fn fewer_than_wanted(fewer: &[&String], aggregation: &str) -> Option<(String, String)> {
    let message = format!("the SLO is split by `{}`, and the values are not: there would be one group, without a name", named(fewer));
    (!fewer.is_empty()).then(|| (message, format!("keep it: {aggregation}; or take it out of `per`")))
}

fn split_by(per: &[String]) -> String {
    if per.is_empty() { "not split".to_owned() } else { format!("split by `{}`", per.join(", ")) }
}

/// The outermost aggregation that fits.
fn aggregation(per: &[String]) -> String {
    if per.is_empty() { "`sum (...)`, or `max (...)`".to_owned() } else { format!("`by ({})`", per.join(", ")) }
}

fn named(labels: &[&String]) -> String {
    labels.iter().map(|label| label.as_str()).collect::<Vec<_>>().join(", ")
}

fn pinned(expr: &Expr) -> Names {
    let mut of_all: Option<Names> = None;
    visit(expr, &mut |node| {
        let (Expr::VectorSelector(selector) | Expr::MatrixSelector(promql_parser::parser::MatrixSelector { vs: selector, .. })) = node
        else {
            return;
        };
        let own = equalities(selector);
        of_all = Some(of_all.take().map_or_else(|| own.clone(), |all| all.intersection(&own).cloned().collect()));
    });
    of_all.unwrap_or_default()
}

fn equalities(selector: &VectorSelector) -> Names {
    let equal = selector.matchers.matchers.iter().filter(|matcher| matches!(matcher.op, MatchOp::Equal));
    equal.map(|matcher| matcher.name.clone()).filter(|name| name != "__name__").collect()
}

fn these<const N: usize>(labels: [&str; N]) -> By {
    By::These(labels.into_iter().map(ToOwned::to_owned).collect())
}

fn by(expr: &Expr) -> By {
    match bare(expr) {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => these([]),
        Expr::VectorSelector(selector) => of_series(selector),
        Expr::MatrixSelector(matrix) => of_series(&matrix.vs),
        Expr::Subquery(subquery) => by(&subquery.expr),
        Expr::Unary(unary) => by(&unary.expr),
        Expr::Aggregate(aggregate) => of_aggregate(aggregate),
        Expr::Call(call) => of_call(call),
        Expr::Binary(binary) => of_binary(binary),
        Expr::Paren(_) | Expr::Extension(_) => By::Unknown,
    }
}

/// What a recording rule yields is named with colons, and was aggregated there.
fn of_series(selector: &VectorSelector) -> By {
    match &selector.name {
        Some(name) if !name.contains(':') => By::AllBut { labels: Names::new(), aggregated: false },
        Some(_) | None => By::Unknown,
    }
}

fn of_aggregate(aggregate: &AggregateExpr) -> By {
    let inner = by(&aggregate.expr);
    let op = aggregate.op.to_string();
    if matches!(op.as_str(), "topk" | "bottomk" | "limitk" | "limit_ratio") {
        return inner;
    }
    let split = match &aggregate.modifier {
        None => these([]),
        Some(LabelModifier::Include(labels)) => kept(&inner, &labels.labels.iter().cloned().collect()),
        Some(LabelModifier::Exclude(labels)) => match dropped(inner, &labels.labels) {
            By::These(labels) => By::These(labels),
            By::AllBut { labels, .. } => By::AllBut { labels, aggregated: true },
            By::Unknown => By::AllBut { labels: labels.labels.iter().cloned().collect(), aggregated: true },
        },
    };
    match (op.as_str(), aggregate.param.as_deref()) {
        ("count_values", Some(Expr::StringLiteral(label))) => with(split, &label.val),
        _ => split,
    }
}

/// The labels that remain of those that are kept.
fn kept(inner: &By, keep: &Names) -> By {
    match inner {
        By::These(labels) => By::These(labels.intersection(keep).cloned().collect()),
        By::AllBut { labels, .. } => By::These(keep.difference(labels).cloned().collect()),
        By::Unknown => By::These(keep.clone()),
    }
}

fn dropped(inner: By, drop: &[String]) -> By {
    match inner {
        By::These(mut labels) => {
            labels.retain(|label| !drop.contains(label));
            By::These(labels)
        }
        By::AllBut { mut labels, aggregated } => {
            labels.extend(drop.iter().cloned());
            By::AllBut { labels, aggregated }
        }
        By::Unknown => By::Unknown,
    }
}

fn with(split: By, label: &str) -> By {
    match split {
        By::These(mut labels) => {
            labels.insert(label.to_owned());
            By::These(labels)
        }
        By::AllBut { mut labels, aggregated } => {
            labels.remove(label);
            By::AllBut { labels, aggregated }
        }
        By::Unknown => By::Unknown,
    }
}

fn of_call(call: &Call) -> By {
    let args = &call.args.args;
    let of_series =
        || args.iter().find(|arg| matches!(arg.value_type(), ValueType::Vector | ValueType::Matrix)).map_or(these([]), |arg| by(arg));
    match call.func.name {
        "absent" | "absent_over_time" => args.first().map_or(By::Unknown, |arg| By::These(pinned(arg))),
        "scalar" | "vector" => these([]),
        "label_replace" | "label_join" => match args.get(1).map(|arg| bare(arg)) {
            Some(Expr::StringLiteral(label)) => with(of_series(), &label.val),
            Some(_) | None => By::Unknown,
        },
        "info" => By::Unknown,
        name if name.starts_with("histogram_") => dropped(of_series(), &["le".to_owned()]),
        _ => of_series(),
    }
}

fn of_binary(binary: &BinaryExpr) -> By {
    if binary.lhs.value_type() == ValueType::Scalar {
        return by(&binary.rhs);
    }
    if binary.rhs.value_type() == ValueType::Scalar {
        return by(&binary.lhs);
    }
    let (left, right) = (by(&binary.lhs), by(&binary.rhs));
    match binary.op.to_string().as_str() {
        "and" | "unless" => return left,
        "or" => return if left == right { left } else { By::Unknown },
        _ => {}
    }
    let Some(modifier) = &binary.modifier else { return of_equal_labels(left, right) };
    match (&modifier.card, &modifier.matching) {
        (VectorMatchCardinality::ManyToOne(more), _) => more.labels.iter().fold(left, |split, label| with(split, label)),
        (VectorMatchCardinality::OneToMany(more), _) => more.labels.iter().fold(right, |split, label| with(split, label)),
        (VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany, Some(LabelModifier::Include(labels))) => {
            kept(&left, &labels.labels.iter().cloned().collect())
        }
        (VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany, Some(LabelModifier::Exclude(labels))) => {
            of_equal_labels(dropped(left, &labels.labels), dropped(right, &labels.labels))
        }
        (VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany, None) => of_equal_labels(left, right),
    }
}

/// Two values meet where all their labels are equal: what one of them lacks is empty.
fn of_equal_labels(left: By, right: By) -> By {
    match (left, right) {
        (By::These(left), By::These(right)) => By::These(left.intersection(&right).cloned().collect()),
        (By::These(labels), By::AllBut { .. } | By::Unknown) | (By::AllBut { .. } | By::Unknown, By::These(labels)) => By::These(labels),
        (By::Unknown, _) | (_, By::Unknown) => By::Unknown,
        (left @ By::AllBut { .. }, By::AllBut { .. }) => left,
    }
}

#[cfg(test)]
mod tests {
    use promql_parser::parser;

    use super::*;

    /// The labels, with `*` for whatever else the series have, or `?`.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let split = Split::of(&parser::parse(text).expect(text));
        let joined = |labels: &Names| labels.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let shown = match &split.by {
            By::These(labels) => joined(labels),
            By::AllBut { labels, aggregated } => format!("* - {} {aggregated}", joined(labels)),
            By::Unknown => "?".to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn the_outermost_aggregation_says_by_which_labels_values_are_told_apart() {
        for (text, expected) in [
            ("sum(x)", ""),
            ("sum by (a, b) (increase(x[1m]))", "a b"),
            ("sum by (a, b) (sum by (a) (x))", "a"),
            ("sum(x) by (b)", "b"),
            ("sum without (b) (sum by (a, b) (x))", "a"),
            ("sum without (b) (x)", "* - b true"),
            ("topk(3, sum by (a) (x))", "a"),
            ("count_values(\"v\", x)", "v"),
            ("increase(x[1m])", "* -  false"),
            ("max_over_time(sum(x)[5m:1m])", ""),
            ("job:x:rate1m", "?"),
            ("time() - 3", ""),
            ("1 - sum by (a) (x)", "a"),
            ("clamp_max(sum by (a) (x), 1)", "a"),
            ("histogram_quantile(0.9, sum by (le, a) (rate(x_bucket[5m])))", "a"),
            ("label_replace(sum by (a) (x), \"b\", \"$1\", \"a\", \"(.*)\")", "a b"),
            ("absent(x{a=\"1\"})", "a"),
            ("vector(0)", ""),
            ("-sum by (a) (x)", "a"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn an_operator_keeps_the_labels_by_which_both_sides_meet() {
        for (text, expected) in [
            ("sum by (a) (x) / sum by (a) (y)", "a"),
            ("sum by (a, b) (x) / ignoring (b) group_left sum by (a) (y)", "a b"),
            ("sum by (a, b) (x) / ignoring (b) group_left (c) sum by (a, c) (y)", "a b c"),
            ("sum by (a) (x) / on (a) sum by (a, b) (y)", "a"),
            ("sum by (a) (x) / ignoring (b) sum by (a, b) (y)", "a"),
            ("sum by (a) (x) * on (a) group_right sum by (a, b) (y)", "a b"),
            ("sum by (a) (x) * 0 + on () group_left () sum(y)", "a"),
            ("sum by (a) (x) and on (a) y", "a"),
            ("sum by (a) (x) or sum by (a) (y) * 0", "a"),
            ("sum by (a) (x) or vector(0)", "?"),
            ("x / y", "* -  false"),
            ("sum(x) > 0", ""),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn labels_that_an_slo_is_not_split_by_are_told_and_those_of_one_value_are_not() {
        let misfits = |text: &str, per: &[&str]| {
            let per: Vec<String> = per.iter().map(ToString::to_string).collect();
            Split::of(&parser::parse(text).expect(text)).misfits(&per).len()
        };
        for (text, per, found) in [
            ("sum(x)", &[][..], 0),
            ("sum by (a) (x)", &["a"], 0),
            ("sum by (a) (x{a=\"1\"})", &[], 0),
            ("sum by (a) (x{a=\"1\"}) / sum by (a) (y)", &[], 1),
            ("sum by (a) (x)", &[], 1),
            ("sum(x)", &["a"], 1),
            ("sum by (b) (x)", &["a"], 2),
            ("sum without (instance) (x)", &["a"], 1),
            ("x", &[], 1),
            ("x{instance=\"a:1\"}", &[], 0),
            ("job:x", &["a"], 0),
        ] {
            assert_eq!(misfits(text, per), found, "{text} {per:?}");
        }
    }

    /// What is to be written instead.
    #[track_caller]
    fn help(text: &str, per: &[&str]) -> String {
        let per: Vec<String> = per.iter().map(ToString::to_string).collect();
        let findings = Split::of(&parser::parse(text).expect(text)).misfits(&per);
        findings.into_iter().next().expect("it fits").help
    }

    #[test]
    fn of_a_quantile_the_buckets_are_added_up() {
        for (text, per, expected) in [
            (
                "histogram_quantile(0.99, rate(x_bucket[5m]))",
                &[][..],
                "aggregate them: `histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))`",
            ),
            (
                "histogram_quantile(0.99, rate(x_bucket[5m])) * 1000",
                &["a"],
                "aggregate them: `histogram_quantile(0.99, sum by (le, a) (rate(x_bucket[5m])))`",
            ),
            ("histogram_quantile(0.9, rate(x[5m]))", &[], "aggregate them: `histogram_quantile(0.9, sum (rate(x[5m])))`"),
            (
                "histogram_quantile(0.9, sum by (le, a) (rate(x_bucket[5m])))",
                &[],
                "aggregate over it: `histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))`; or write `per: [a]`",
            ),
            ("rate(x[5m])", &[], "aggregate them: `sum (...)`, or `max (...)`"),
        ] {
            assert_eq!(help(text, per), expected, "{text}");
        }
    }

    #[test]
    fn a_sum_of_quantiles_is_told_with_the_quantile_of_the_sum() {
        let told = |text: &str| adds_up_quantiles(&parser::parse(text).expect(text));
        let (op, help) = told("avg by (a) (histogram_quantile(0.9, sum by (le, a, b) (rate(x_bucket[5m]))))").expect("a mean");
        assert_eq!(op, "avg");
        assert_eq!(
            help,
            "add up the buckets within it: write `histogram_quantile(0.9, sum by (le, a) (rate(x_bucket[5m])))`; or take the worst one, `max (...)`"
        );
        assert_eq!(told("max(histogram_quantile(0.9, rate(x_bucket[5m])))"), None);
        assert_eq!(told("sum(rate(x_bucket[5m]))"), None);
    }
}
