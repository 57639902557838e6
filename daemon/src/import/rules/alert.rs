//! What an alert compares: shares of bad events with a multiple of a budget.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::sli::{CompiledSelector, Dialect, Labels, Selector};
use promql_parser::{
    label::Matcher,
    parser::{AggregateExpr, BinaryExpr, Expr, LabelModifier, ParenExpr, VectorSelector},
};

use super::{Rule, Rules};
use crate::{
    definition::{
        promql::{By, Split, always_alike, bare, confine},
        reader::shortened,
        selector,
    },
    import::{
        expression::{self, Side},
        factor::{number, same, scaled},
    },
};

/// Deepest chain of recording rules that is looked up.
const DEPTH: usize = 4;

/// Over how long values without a range are taken together: they are asked for once a minute.
const OF_VALUES: Duration = Duration::from_mins(1);

/// A comparison of a share with a number.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    /// The share, with recording rules filled in and without constant factors.
    pub(super) share: Expr,
    /// Which side it is the share of.
    pub(super) side: Side,
    /// How far it looks back.
    pub(super) lookback: Duration,
    /// The share of bad events above which the alert holds.
    pub(super) threshold: f64,
    /// The same as it is written, where it is a burn rate times a budget.
    pub(super) product: Option<(f64, f64)>,
    /// The rules that were looked up for it.
    pub(super) through: Vec<usize>,
    /// Labels that tell the shares apart, and that the alert aggregates over once they are compared.
    pub(super) merged: BTreeSet<String>,
}

/// One of what an alert holds for.
pub(super) struct Alternative<'e> {
    pub(super) expr: &'e Expr,
    /// One comparison, or two over different lookbacks; `None` where it is neither.
    pub(super) condition: Option<Vec<Comparison>>,
}

/// What an alert holds for: any of these. One that always or never holds is left out.
pub(super) fn alternatives<'e>(expr: &'e Expr, rules: &Rules) -> Vec<Alternative<'e>> {
    let mut alternatives = Vec::new();
    split(expr, "or", &mut alternatives);
    let decide = alternatives.into_iter().filter(|alternative| always_alike(alternative).is_none());
    decide.map(|expr| Alternative { expr, condition: all_of(expr, rules) }).collect()
}

fn all_of(expr: &Expr, rules: &Rules) -> Option<Vec<Comparison>> {
    let mut parts = Vec::new();
    split(expr, "and", &mut parts);
    parts.into_iter().map(|part| comparison(part, rules)).collect()
}

/// The operands of a chain of one operator.
fn split<'e>(expr: &'e Expr, op: &str, into: &mut Vec<&'e Expr>) {
    match bare(expr) {
        Expr::Binary(binary) if binary.op.to_string() == op => {
            split(&binary.lhs, op, into);
            split(&binary.rhs, op, into);
        }
        other => into.push(other),
    }
}

fn comparison(expr: &Expr, rules: &Rules) -> Option<Comparison> {
    if let Expr::Aggregate(aggregate) = bare(expr) {
        return aggregated(aggregate, rules);
    }
    let Expr::Binary(binary) = bare(expr) else { return None };
    if binary.return_bool() {
        return None;
    }
    let side = match binary.op.to_string().as_str() {
        ">" | ">=" => Side::Bad,
        "<" | "<=" => Side::Good,
        _ => return None,
    };
    let number = number(&binary.rhs)?;
    let mut through = Vec::new();
    let (scale, share) = looked_up(&binary.lhs, rules, &mut through, 0)?;
    let ratio = expression::parts(&share, side).is_some() || expression::averaged(&share, side).is_some();
    let (threshold, product) = match side {
        Side::Bad => (number / scale, product(&binary.rhs, scale)),
        Side::Good => (1.0 - number / scale, None),
    };
    let possible = threshold > 0.0 && (threshold < 1.0 || product.is_some());
    // A share of values, such as `count(up == 0) / count(up)`, looks back over nothing: that is no burn of a budget.
    let lookback = expression::range(&share).or_else(|| product.is_none().then_some(OF_VALUES))?;
    (ratio && possible).then_some(Comparison { share, side, lookback, threshold, product, through, merged: BTreeSet::new() })
}

/// What is left of a comparison is aggregated, as Sloth writes it: there is something of it exactly where one of the shares is beyond the number.
fn aggregated(aggregate: &AggregateExpr, rules: &Rules) -> Option<Comparison> {
    let known = matches!(aggregate.op.to_string().as_str(), "max" | "min" | "sum" | "avg" | "group" | "count");
    let comparison = known.then(|| comparison(&aggregate.expr, rules)).flatten()?;
    let merged = match &Split::of(&comparison.share).by {
        By::These(labels) => labels.iter().filter(|label| !keeps(aggregate.modifier.as_ref(), label)).cloned().collect(),
        By::AllBut { .. } | By::Unknown => BTreeSet::new(),
    };
    Some(Comparison { merged: comparison.merged.union(&merged).cloned().collect(), ..comparison })
}

/// Whether values are still told apart by a label once they are aggregated.
fn keeps(modifier: Option<&LabelModifier>, label: &str) -> bool {
    match modifier {
        None => false,
        Some(LabelModifier::Include(labels)) => labels.labels.iter().any(|kept| kept == label),
        Some(LabelModifier::Exclude(labels)) => !labels.labels.iter().any(|left| left == label),
    }
}

/// The constant that an expression is multiplied by, such as 100 of a percentage, and the rest of it, with the recording rule in its place that it names.
fn looked_up(expr: &Expr, rules: &Rules, through: &mut Vec<usize>, depth: usize) -> Option<(f64, Expr)> {
    let (scale, rest) = scaled(expr);
    if let Some(aggregate) = of_ratio(&rest) {
        let (of_ratio, share) = looked_up(&aggregate.expr, rules, through, depth)?;
        return one_by_one(aggregate, &share, rules).then_some((scale * of_ratio, share));
    }
    let vector = match bare(&rest) {
        Expr::VectorSelector(vector) => vector,
        Expr::Binary(ratio) => return Some((scale, Expr::Binary(filled_in(ratio, rules, through, depth)?))),
        other => return Some((scale, other.clone())),
    };
    let wanted = selector::of_expression(vector)?;
    let (at, rule) = rules.recording(&wanted)?;
    through.push(at);
    let inner = rule.expr.as_ref()?;
    if depth >= DEPTH {
        return None;
    }
    let (of_rule, share) = looked_up(inner, rules, through, depth + 1)?;
    Some((scale * of_rule, only_of(share, vector, rule)?))
}

/// A ratio with the recording rules in their places that its sides name.
fn filled_in(ratio: &BinaryExpr, rules: &Rules, through: &mut Vec<usize>, depth: usize) -> Option<BinaryExpr> {
    let mut side = |side: &Expr| {
        let filled = match bare(side) {
            Expr::VectorSelector(vector) if rules.recordings(&selector::of_expression(vector)?).next().is_some() => {
                let (scale, recorded) = looked_up(side, rules, through, depth)?;
                same(scale, 1.0).then_some(recorded)?
            }
            Expr::Binary(inner) => Expr::Binary(filled_in(inner, rules, through, depth)?),
            Expr::Aggregate(sum) => match recorded_sum(sum, rules, through, depth) {
                Some(filled) => filled,
                None => return Some(side.clone()),
            },
            _ => return Some(side.clone()),
        };
        Some(Expr::Paren(ParenExpr { expr: Box::new(filled) }))
    };
    Some(BinaryExpr { lhs: Box::new(side(&ratio.lhs)?), rhs: Box::new(side(&ratio.rhs)?), ..ratio.clone() })
}

/// A sum of what a rule records, by labels that it records: `sum(job:errors:rate5m)`.
fn recorded_sum(sum: &AggregateExpr, rules: &Rules, through: &mut Vec<usize>, depth: usize) -> Option<Expr> {
    let Expr::VectorSelector(vector) = bare(&sum.expr) else { return None };
    let by: Vec<String> = match &sum.modifier {
        None => Vec::new(),
        Some(LabelModifier::Include(labels)) => labels.labels.clone(),
        Some(LabelModifier::Exclude(_)) => return None,
    };
    rules.recordings(&selector::of_expression(vector)?).next().filter(|_| sum.op.to_string() == "sum")?;
    let (scale, recorded) = looked_up(&sum.expr, rules, through, depth)?;
    let adds_up = matches!(bare(&recorded), Expr::Aggregate(inner) if inner.op.to_string() == "sum") && same(scale, 1.0);
    adds_up.then(|| expression::summed_by(&recorded, &by)).flatten()
}

/// What a rule records, of those of its series alone that a selector takes: the counters are of these, too. `None` where the rule records no such label,
/// or that cannot be said of the counters.
fn only_of(mut share: Expr, vector: &VectorSelector, rule: &Rule) -> Option<Expr> {
    let by = Split::of(&share).by;
    for matcher in of_series(vector, rule) {
        if is_recorded(&by, &matcher.name) {
            confine(&mut share, matcher).ok()?;
        } else if !matcher.is_match("") {
            return None;
        }
    }
    Some(share)
}

/// The matchers of labels that a rule does not set.
fn of_series<'e>(vector: &'e VectorSelector, rule: &'e Rule) -> impl Iterator<Item = &'e Matcher> {
    vector.matchers.matchers.iter().filter(|matcher| matcher.name != "__name__" && !rule.labels.contains_key(&matcher.name))
}

/// Whether values that are split like this have a label of their series.
fn is_recorded(by: &By, label: &str) -> bool {
    match by {
        By::These(labels) => labels.iter().any(|own| own == label),
        By::AllBut { labels, .. } => !labels.iter().any(|left| left == label),
        By::Unknown => false,
    }
}

/// An aggregation of ratios or of recorded values, which yields its one value again where it has one.
fn of_ratio(expr: &Expr) -> Option<&AggregateExpr> {
    let Expr::Aggregate(aggregate) = bare(expr) else { return None };
    let known = matches!(aggregate.op.to_string().as_str(), "sum" | "avg" | "max" | "min");
    let inner = match bare(&aggregate.expr) {
        Expr::VectorSelector(_) => true,
        Expr::Aggregate(_) => of_ratio(&aggregate.expr).is_some(),
        inner => [Side::Bad, Side::Good].iter().any(|side| expression::parts(inner, *side).is_some()),
    };
    (known && inner).then_some(aggregate)
}

/// Whether each value of an aggregation is one of the shares: it keeps all labels that tell those apart, and one rule at most records them.
fn one_by_one(aggregate: &AggregateExpr, share: &Expr, rules: &Rules) -> bool {
    let kept = match &Split::of(share).by {
        By::These(labels) => labels.iter().all(|label| keeps(aggregate.modifier.as_ref(), label)),
        By::AllBut { labels, .. } => match &aggregate.modifier {
            Some(LabelModifier::Exclude(left)) => left.labels.iter().all(|label| labels.contains(label)),
            Some(LabelModifier::Include(_)) | None => false,
        },
        By::Unknown => false,
    };
    let recorded = match bare(&aggregate.expr) {
        Expr::VectorSelector(vector) => selector::of_expression(vector).map_or(0, |wanted| rules.recordings(&wanted).count()),
        _ => 1,
    };
    kept && recorded == 1
}

/// Why an alert is no condition of an SLO that looks like one, and what to do about that.
pub(super) fn why_not(expr: &Expr, rules: &Rules) -> Option<(String, &'static str)> {
    let mut alternatives = Vec::new();
    split(expr, "or", &mut alternatives);
    alternatives.into_iter().find_map(|alternative| {
        if let Some(lookbacks) = all_of(alternative, rules).filter(|lookbacks| lookbacks.len() > 1) {
            return Some(no_row(&lookbacks));
        }
        let mut parts = Vec::new();
        split(alternative, "and", &mut parts);
        let merged = parts.iter().find_map(|part| adds_up_shares(part, rules).or_else(|| takes_no_one_share(part, rules)));
        let (shares, others): (Vec<&Expr>, Vec<&Expr>) = parts.into_iter().partition(|part| comparison(part, rules).is_some());
        merged.or_else(|| others.first().filter(|_| !shares.is_empty()).map(|other| beside_shares(other)))
    })
}

/// Several comparisons that make no row.
fn no_row(lookbacks: &[Comparison]) -> (String, &'static str) {
    let [one, other] = lookbacks else {
        let why = format!("it compares shares over {} lookbacks at once, and a row has a long and a short one", lookbacks.len());
        return (why, "write rows by hand below `alerting:` of the SLO");
    };
    let [of_one, of_other] =
        [one, other].map(|comparison| expression::of_one_step(&comparison.share, comparison.lookback, OF_VALUES).to_string());
    if of_one != of_other {
        let why = format!(
            "its lookbacks are of different shares, `{}` and `{}`, and the lookbacks of a row are of the same one",
            shortened(&of_one),
            shortened(&of_other)
        );
        return (why, "see that both count the same, in the rules that record them, too");
    }
    let why = "its lookbacks are compared with a number of which neither a burn rate nor a budget can be read";
    (why.to_owned(), "write the product, such as `> (14.4 * 0.001)`, or add the label `burn_rate`, such as `burn_rate: \"14.4\"`")
}

/// An aggregation of several shares, which is none itself.
fn adds_up_shares(part: &Expr, rules: &Rules) -> Option<(String, &'static str)> {
    let inner = match bare(part) {
        Expr::Aggregate(aggregate) => bare(&aggregate.expr),
        inner => inner,
    };
    let Expr::Binary(binary) = inner else { return None };
    let (_, rest) = scaled(&binary.lhs);
    let aggregate = of_ratio(&rest)?;
    let several = if let Expr::VectorSelector(vector) = bare(&aggregate.expr) {
        rules.distinct(&selector::of_expression(vector)?).len() > 1
    } else {
        false
    };
    let adds_up = several || {
        let (_, share) = looked_up(&aggregate.expr, rules, &mut Vec::new(), 0)?;
        let ratio = [Side::Bad, Side::Good].iter().any(|side| expression::parts(&share, *side).is_some());
        ratio && !one_by_one(aggregate, &share, rules)
    };
    adds_up.then(|| {
        let why = format!("`{}` is of several shares at once, and the {0} of shares is not the share of all events", aggregate.op);
        (why, "compare each share by itself, or divide the sum of the bad events by the sum of all")
    })
}

/// A selector of recorded shares that is of several rules, or by a label that they do not record.
fn takes_no_one_share(part: &Expr, rules: &Rules) -> Option<(String, &'static str)> {
    let Expr::Binary(binary) = bare(part) else { return None };
    let (_, rest) = scaled(&binary.lhs);
    let Expr::VectorSelector(vector) = bare(&rest) else { return None };
    let wanted = selector::of_expression(vector)?;
    let written = shortened(&vector.to_string());
    let Some((_, rule)) = rules.recording(&wanted) else {
        let recorded = rules.distinct(&wanted).len();
        let why = format!("`{written}` is recorded by {recorded} rules, and each of them is an SLI of its own");
        return (recorded > 1).then_some((why, "name the labels of one rule in the selector, and write an alert for each"));
    };
    let (_, share) = looked_up(rule.expr.as_ref()?, rules, &mut Vec::new(), 0)?;
    let by = Split::of(&share).by;
    let unknown = of_series(vector, rule).find(|matcher| !is_recorded(&by, &matcher.name) && !matcher.is_match(""))?;
    let why = format!("`{written}` asks for the label `{}`, which the recorded values do not have", unknown.name);
    Some((why, "take the label out of the selector, or record it: `sum by (…)` keeps the labels that it names"))
}

/// A condition of another kind beside those on shares.
fn beside_shares(other: &Expr) -> (String, &'static str) {
    let why = format!(
        "its condition `{}` compares no share of bad events with a number, and an alert row has no other condition",
        shortened(&other.to_string())
    );
    (why, "write the SLO by hand where it should alert without that condition")
}

impl Rules {
    /// The recording rule that a selector reads: by its name, and by the labels that it sets. `None` where several that record something else do.
    pub(super) fn recording<'r>(&'r self, wanted: &'r Selector) -> Option<(usize, &'r Rule)> {
        match self.distinct(wanted).as_slice() {
            [one] => Some(*one),
            [] | [_, _, ..] => None,
        }
    }

    /// The recording rules that a selector reads, without those that record the same once more.
    fn distinct<'r>(&'r self, wanted: &'r Selector) -> Vec<(usize, &'r Rule)> {
        let mut distinct: Vec<(usize, &Rule)> = Vec::new();
        for (at, rule) in self.recordings(wanted) {
            if !distinct.iter().any(|(_, known)| known.expr == rule.expr && known.labels == rule.labels) {
                distinct.push((at, rule));
            }
        }
        distinct
    }

    /// All that it reads.
    fn recordings<'r>(&'r self, wanted: &'r Selector) -> impl Iterator<Item = (usize, &'r Rule)> {
        let named = |rule: &Rule| rule.record.as_deref() == Some(wanted.metric());
        self.all.iter().enumerate().filter(move |(_, rule)| named(rule) && has_labels_of(rule, wanted))
    }
}

/// Whether the labels that a rule sets are those that a selector asks for. Of a label that it does not set its series tell.
fn has_labels_of(rule: &Rule, wanted: &Selector) -> bool {
    let set = wanted.matchers().iter().filter(|matcher| rule.labels.contains_key(&matcher.label)).cloned().collect();
    let labels = Labels::new(rule.labels.iter().map(|(name, value)| (name.clone(), value.clone())));
    CompiledSelector::new(&Selector::new("", set), Dialect::default()).matches(&labels)
}

/// A burn rate and a budget whose product an expression is, beside what is multiplied by `scale`: `14.4 * 0.1` and `100 * 14.4 * 0.001` beside a
/// percentage, whose scale is 100.
fn product(expr: &Expr, scale: f64) -> Option<(f64, f64)> {
    let Expr::Binary(binary) = bare(expr) else { return None };
    if binary.op.to_string() != "*" {
        return None;
    }
    let mut factors = Vec::new();
    split(expr, "*", &mut factors);
    let mut factors = factors.into_iter().map(number).collect::<Option<Vec<f64>>>()?;
    let written = factors.iter().position(|factor| same(*factor, scale)).filter(|_| !same(scale, 1.0));
    let (left, right, scale) = match written.map(|at| factors.remove(at)) {
        Some(_) => {
            let [left, right] = factors.as_slice() else { return None };
            (*left, *right, 1.0)
        }
        None => (number(&binary.lhs)?, number(&binary.rhs)?, scale),
    };
    let (factor, budget) = if left >= 1.0 { (left, right / scale) } else { (right, left / scale) };
    (factor >= 1.0 && budget > 0.0 && budget < 1.0).then_some((factor, budget))
}
