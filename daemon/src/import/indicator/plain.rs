//! What the values of queries are that look back over no range: counters, or numbers that rise and fall.

use promql_parser::parser::Expr;

use super::{
    super::{expression, tree::tell},
    Query,
};
use crate::definition::{
    codes,
    promql::visit,
    reader::{Reader, shortened},
};

/// What the foreign document says of such values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Plain {
    /// Counters, which only rise.
    Counters,
    /// Numbers of events of an interval.
    Intervals,
    /// Nothing, although it could.
    Unsaid,
    /// Nothing: the other tool divides the values as they are.
    Divided,
}

/// What they are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Counters,
    /// Numbers of events of an interval, as the document says.
    Intervals,
    /// The value of each minute, for want of anything else; that was told.
    AsTheyAre,
}

/// How values without a range are taken; what the document does not say, or says wrongly, is told.
pub(super) fn decide(reader: &mut Reader, plain: Plain, part: &Query, total: &Query) -> Taken {
    let sides = [part, total];
    let Some(first) = sides.into_iter().find(|query| expression::range(&query.expr).is_none()) else { return Taken::Counters };
    let all = || sides.into_iter().filter(|query| expression::range(&query.expr).is_none());
    let number = all().find(|query| is_number_of_series(&query.expr));
    let told = |reader: &mut Reader, of: &Query, message: String, help: &str| tell(reader, &codes::CHANGED, &of.place, message, help);
    match (plain, number) {
        (Plain::Counters, None) => Taken::Counters,
        (Plain::Counters, Some(number)) => {
            let message = format!(
                "`{}` is said to be a counter, and how many series there are rises and falls: its value of each minute is taken as it is",
                shortened(&number.expr.to_string())
            );
            told(reader, number, message, "write `counter: false`; name counters with `sum(...)` where events are meant");
            Taken::AsTheyAre
        }
        (Plain::Intervals, _) => {
            if let Some(metric) = all().filter(|query| !is_number_of_series(&query.expr)).find_map(|query| counters(&query.expr).pop()) {
                let message = format!("`{metric}` is called like a counter, and its values are said to be events of an interval");
                let help = "write `counter: true` where it only rises: its values are added up each minute otherwise";
                told(reader, total, message, help);
            }
            Taken::Intervals
        }
        (Plain::Unsaid | Plain::Divided, None) if all().all(|query| is_of_counters(&query.expr)) => {
            if plain == Plain::Divided {
                let message = "the counters are read without a range, so what the other tool divides are all events since they began: the events of each minute are counted here";
                told(reader, first, message.to_owned(), "write `sum(rate(...[{{.window}}]))` on both sides, as is meant");
            }
            Taken::Counters
        }
        (Plain::Unsaid | Plain::Divided, _) => {
            let message = format!(
                "`{}` looks back over no range and is no counter by its name: its value of each minute is taken as that minute's events",
                shortened(&first.expr.to_string())
            );
            let help = match plain {
                Plain::Unsaid => "write `counter: true` where it only rises, and `counter: false` where it is as meant",
                Plain::Counters | Plain::Intervals | Plain::Divided => {
                    "write `increase(...)` over a range where it is a counter; a gauge of 0 and 1 is exact as `probe`"
                }
            };
            told(reader, first, message, help);
            Taken::AsTheyAre
        }
    }
}

/// Whether the value is how many series there are, which no counter is.
fn is_number_of_series(expr: &Expr) -> bool {
    let mut found = false;
    visit(expr, &mut |node| {
        if let Expr::Aggregate(aggregate) = node {
            found |= matches!(aggregate.op.to_string().as_str(), "count" | "count_values" | "group");
        }
    });
    found
}

/// Whether every metric has the name of a counter, and there is one.
fn is_of_counters(expr: &Expr) -> bool {
    let mut metrics = 0;
    visit(expr, &mut |node| metrics += usize::from(matches!(node, Expr::VectorSelector(_))));
    metrics > 0 && counters(expr).len() == metrics
}

/// The metrics that are called as counters are.
fn counters(expr: &Expr) -> Vec<String> {
    let mut found = Vec::new();
    visit(expr, &mut |node| {
        if let Expr::VectorSelector(vector) = node
            && let Some(name) =
                vector.name.as_ref().filter(|name| ["_total", "_count", "_bucket", "_sum"].iter().any(|suffix| name.ends_with(suffix)))
        {
            found.push(name.clone());
        }
    });
    found
}
