//! The `sli:` of an SLO, made of the queries of another tool: `events`, `latency` or `probe` where the counters are found in them, else `query`.

mod plain;

use std::{ops::Range, time::Duration};

use burnward_core::{sli::Selector, time::minutes};
use promql_parser::parser::Expr;

use super::{
    expression::{self, Counted, Fitted, Found, Parts, Per, Side, Stepped, Unread, Values},
    factor::{same, scaled},
    tree::{mistake_in, tell},
};
use crate::definition::{
    build::{list, map, quoted, word},
    codes, duration,
    reader::Reader,
    yaml::Node,
};

/// An indicator with the labels that split it.
#[derive(Debug, Clone)]
pub(super) struct Indicator {
    pub(super) sli: Node,
    pub(super) per: Option<Node>,
}

/// A query that was read, with its place.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) expr: Expr,
    pub(super) place: Range<usize>,
}

pub(super) use plain::Plain;
use plain::Taken;

/// How long a step of a query is.
const STEP: Duration = minutes(1);

/// Reads a query; a mistake is collected.
pub(super) fn query(reader: &mut Reader, node: &Node, of: &str) -> Option<Query> {
    let text = reader.text(node, of)?;
    match expression::read(text) {
        Ok(expr) => Some(Query { expr, place: node.range.clone() }),
        Err(Unread::Template(name)) => {
            let message = format!("the template `{{{{{}}}}}` cannot be filled in here", crate::definition::reader::shortened(&name));
            tell(reader, &codes::FOREIGN_SLI, &node.range, message, "only `{{.window}}` is known: write the value out");
            None
        }
        Err(Unread::NotPromql) => {
            if let Some((why, place)) = mistake_in(reader, node, text) {
                let help = "the other tool does not take such a query, either; write the SLO by hand where it is another language";
                tell(reader, &codes::FOREIGN_SLI, &place, format!("{of} cannot be read as PromQL: {why}"), help);
            } else {
                let help = "check that it is PromQL of at most 8 KiB; write the SLO by hand where it is another language";
                tell(reader, &codes::FOREIGN_SLI, &node.range, format!("{of} cannot be read as PromQL"), help);
            }
            None
        }
    }
}

/// The indicator of bad (or good) and all events.
pub(super) fn of_parts(reader: &mut Reader, side: Side, part: &Query, total: &Query, plain: Plain) -> Indicator {
    let parts = Parts { side, part: &part.expr, total: &total.expr };
    if let Some((of_part, of_total)) = expression::is_rate_beside_increase(&part.expr, &total.expr) {
        let message = format!(
            "the {} events are {}, and all events {}, so that their ratio is no share: both are taken as events",
            side.word(),
            of_part.words(),
            of_total.words()
        );
        let help = "write `rate` on both sides, or `increase` on both: with each of them the other tool sees another ratio";
        tell(reader, &codes::CHANGED, &part.place, message, help);
    }
    if let Some((of_part, of_total)) = expression::different_ranges(&part.expr, &total.expr) {
        let message = format!(
            "the {} events are of {}, and all events of {}, so that their ratio is of no one stretch of time: both are counted over the same one",
            side.word(),
            duration::format(of_part),
            duration::format(of_total)
        );
        tell(
            reader,
            &codes::CHANGED,
            &part.place,
            message,
            "write the same range on both sides: with these the other tool sees another ratio",
        );
    }
    if expression::is_of_two_samples(&part.expr) || expression::is_of_two_samples(&total.expr) {
        let message = "`irate` is of the two newest samples alone, and all events of a lookback are counted here";
        tell(
            reader,
            &codes::CHANGED,
            &part.place,
            message,
            "write `rate`: an alert on `irate` hangs on the moment at which it is asked for",
        );
    }
    let taken = plain::decide(reader, plain, part, total);
    let fitted = if counted_as(parts, taken).is_none() { expression::fitted(parts) } else { None };
    let Some(Fitted { part: of_part, total: of_total, by, part_was, total_was }) = fitted else {
        return of_fitting(reader, side, part, total, taken);
    };
    let now = if by.is_empty() { "all together".to_owned() } else { format!("by `{}`", by.join(", ")) };
    let message = format!("the {} events are split {part_was}, and all events {total_was}: both are added up {now}", side.word());
    let help = "a budget is of one group, told apart by the same labels on both sides: name them in `per` and in `by (...)`, where more are to have one";
    tell(reader, &codes::CHANGED, &part.place, message, help);
    let query = |expr: Expr, of: &Query| Query { expr, place: of.place.clone() };
    of_fitting(reader, side, &query(of_part, part), &query(of_total, total), taken)
}

/// The same where both sides are split by the same labels.
fn of_fitting(reader: &mut Reader, side: Side, part: &Query, total: &Query, taken: Taken) -> Indicator {
    match counted_as(Parts { side, part: &part.expr, total: &total.expr }, taken) {
        Some(counted) => of_counted(reader, &counted, &part.place, &total.place),
        None => of_expressions(reader, side, part, total, taken),
    }
}

/// What the parts count, where that is counters.
fn counted_as(parts: Parts<'_>, taken: Taken) -> Option<Counted> {
    expression::counted(parts).filter(|counted| counted.values != Values::Plain || taken == Taken::Counters)
}

/// The indicator of a ratio of bad (or good) events that was divided already.
pub(super) fn of_ratio(reader: &mut Reader, side: Side, ratio: &Query) -> Indicator {
    let (factor, whole) = scaled(&ratio.expr);
    if !same(factor, 1.0) && expression::parts(&whole, side).is_some() {
        let message = format!("the ratio is {factor} times a share of events, and a share is from 0 to 1: the factor is left out");
        tell(reader, &codes::CHANGED, &ratio.place, message, "see that what it was compared with was meant as a share");
        return of_ratio(reader, side, &Query { expr: whole, place: ratio.place.clone() });
    }
    if let Some(guarded) = expression::without_guard(&ratio.expr) {
        let message = match side {
            Side::Bad => "`> 0` at the ratio is not carried over: a minute in which nothing failed is a good one",
            Side::Good => "`> 0` at the ratio is not carried over: a minute in which all failed is a bad one",
        };
        tell(
            reader,
            &codes::NOT_CARRIED,
            &ratio.place,
            message,
            "nothing is lost where it guards against a division by zero: without events there is no ratio",
        );
        return of_ratio(reader, side, &Query { expr: guarded.clone(), place: ratio.place.clone() });
    }
    if expression::has_default(&ratio.expr) {
        let message = "`or vector(...)` at the ratio is not carried over: it hides that there is no ratio";
        tell(reader, &codes::NOT_CARRIED, &ratio.place, message, "missing data is told by `no-data`, and is never a number");
        return of_ratio(reader, side, &Query { expr: expression::without_default(&ratio.expr).clone(), place: ratio.place.clone() });
    }
    if let Some(parts) = expression::parts(&ratio.expr, side) {
        let query = |expr: &Expr| Query { expr: expr.clone(), place: ratio.place.clone() };
        return of_parts(reader, parts.side, &query(parts.part), &query(parts.total), Plain::Divided);
    }
    if let Some(probe) = expression::averaged(&ratio.expr, side) {
        if expression::is_of_many(&ratio.expr) {
            tell_of_one_budget(reader, &ratio.place);
        }
        return Indicator { sli: probe_sli(&ratio.place, &[probe]), per: None };
    }
    if let Some(series) = expression::absence(&ratio.expr).filter(|_| side == Side::Bad) {
        let message = "`absent(...)` is 1 or nothing, and never a ratio: it is taken for `presence`, a minute without a sample is bad";
        tell(
            reader,
            &codes::CHANGED,
            &ratio.place,
            message,
            "see that the other series of the source are scraped by the same server: it says when nothing was seen",
        );
        return Indicator { sli: presence_sli(&ratio.place, &series), per: None };
    }
    // Rates stay: their ratio is the same, and numbers that are compared with them are meant per second.
    let own = expression::range(&ratio.expr).unwrap_or(expression::TEMPLATE);
    let expr = expression::over_one_step(&ratio.expr, own, STEP).to_string();
    let message = "a ratio that cannot be taken apart weighs every minute alike, however much traffic it had";
    let help = "name the counters as `events: { bad or good, total }` where there are any";
    tell(reader, &codes::WEIGHED, &ratio.place, message, help);
    let expr = if expression::is_of_many(&ratio.expr) { worst(reader, side, ratio, &expr) } else { expr };
    let total = format!("({expr}) * 0 + 1");
    let sli = query_sli(side, &ratio.place, (quoted(&ratio.place, expr), quoted(&ratio.place, total)), STEP);
    Indicator { sli, per: grouped(&ratio.expr, &ratio.place) }
}

/// Of ratios of several series the one that alerts first.
fn worst(reader: &mut Reader, side: Side, ratio: &Query, expr: &str) -> String {
    let word = match side {
        Side::Bad => "max",
        Side::Good => "min",
    };
    let message = format!("the ratio is of several series, by labels that it does not name: the worst one counts, `{word}`");
    let help = "name the labels in `by (...)` and in `per`, where each is to have a budget of its own";
    tell(reader, &codes::CHANGED, &ratio.place, message, help);
    format!("{word}({expr})")
}

/// The indicator of series that must exist.
fn presence_sli(place: &Range<usize>, series: &Selector) -> Node {
    let presence = map(place, [("series", Some(quoted(place, series.to_string()))), ("slice", Some(word(place, duration::format(STEP))))]);
    map(place, [("presence", Some(presence))])
}

/// The indicator of a gauge of 0 and 1.
pub(super) fn probe_sli(place: &Range<usize>, probes: &[Selector]) -> Node {
    map(place, [("probe", Some(selectors(place, probes)))])
}

/// The indicator of a histogram's bucket.
pub(super) fn latency_sli(place: &Range<usize>, histogram: &Selector, within: (&Range<usize>, Duration), native: bool) -> Node {
    let histogram = match histogram.metric().strip_suffix("_bucket") {
        Some(stem) if !native => Selector::new(stem, histogram.matchers().to_vec()),
        Some(_) | None => histogram.clone(),
    };
    let latency = map(
        place,
        [
            ("histogram", Some(quoted(place, histogram.to_string()))),
            ("within", Some(word(within.0, duration::format(within.1)))),
            ("buckets", native.then(|| word(place, "native"))),
        ],
    );
    map(place, [("latency", Some(latency))])
}

/// The indicator of counters.
pub(super) fn events_sli(side: Side, part: (&Range<usize>, &[Selector]), total: (&Range<usize>, &[Selector])) -> Node {
    let events = map(part.0, [(side.word(), Some(selectors(part.0, part.1))), ("total", Some(selectors(total.0, total.1)))]);
    map(part.0, [("events", Some(events))])
}

/// `per:` of these labels; none without any.
pub(super) fn per(place: &Range<usize>, labels: &[String]) -> Option<Node> {
    (!labels.is_empty()).then(|| list(place, labels.iter().map(|label| word(place, label.as_str())).collect()))
}

fn of_counted(reader: &mut Reader, counted: &Counted, part: &Range<usize>, total: &Range<usize>) -> Indicator {
    let side = match &counted.found {
        Found::Events { side, .. } => *side,
        Found::Latency { .. } | Found::Probe { .. } => Side::Good,
    };
    tell_of_defaults(reader, side, (part, counted.part_hidden), (total, counted.hidden));
    if !counted.summed && counted.values != Values::Plain {
        tell_of_one_budget(reader, total);
    }
    let sli = match &counted.found {
        Found::Events { side, part: selectors, total: all } => events_sli(*side, (part, selectors), (total, all)),
        Found::Latency { histogram, within } => latency_sli(part, histogram, (part, *within), false),
        Found::Probe { probes } => probe_sli(part, probes),
    };
    Indicator { sli, per: per(total, &counted.per) }
}

/// Series that are compared one by one, and have one budget here.
fn tell_of_one_budget(reader: &mut Reader, place: &Range<usize>) {
    let message = "the series are not summed up in the query, and are here";
    tell(reader, &codes::CHANGED, place, message, "split the SLO with `per: [label]` where each is to have a budget of its own");
}

fn of_expressions(reader: &mut Reader, side: Side, part: &Query, total: &Query, taken: Taken) -> Indicator {
    if let Some(Stepped { side, part: of_part, total: of_total, step }) =
        expression::stepped(Parts { side, part: &part.expr, total: &total.expr })
    {
        let (of_part, of_all) = (quoted(&part.place, of_part.to_string()), quoted(&total.place, of_total.to_string()));
        return Indicator { sli: query_sli(side, &part.place, (of_part, of_all), step), per: grouped(&of_total, &total.place) };
    }
    let hidden = |query: &Query| expression::has_default(&query.expr);
    tell_of_defaults(reader, side, (&part.place, hidden(part)), (&total.place, hidden(total)));
    let is_value = |query: &Query| expression::range(&query.expr).is_none();
    if taken == Taken::Counters || !(is_value(part) && is_value(total)) {
        let message = "the counters are not found in this query, so the source computes the events of each minute, by estimates";
        let help = "name the counters as `events: { bad or good, total }` where they can be read: that is exact. A minute must hold two scrapes: where they are 30 s apart or more, write a longer `step` and ranges as long";
        tell(reader, &codes::ESTIMATED, &part.place, message, help);
    }
    if let Some((op, query)) = [part, total].into_iter().find_map(|query| Some((expression::of_one_of_many(&query.expr)?, query))) {
        let message = format!(
            "`{op}` is taken of each minute, and what is added up of the minutes is another number than `{op}` over a whole lookback"
        );
        tell(reader, &codes::CHANGED, &query.place, message, "add up all of them, `sum`, or split the SLO by what tells them apart");
    }
    let numbers = [part, total].into_iter().any(|query| expression::has_numbers(&query.expr));
    if numbers && [part, total].into_iter().any(|query| expression::is_of_range(&query.expr)) {
        let message = "a number stands beside what increases over a range, and a minute is looked at here";
        tell(
            reader,
            &codes::CHANGED,
            &part.place,
            message,
            "scale the number to one minute, or write `rate` with a number for each second",
        );
    }
    // Beside values that are taken as they are, a rate stays one: in another unit the ratio would be another.
    let beside_values = taken != Taken::Counters && is_value(part) != is_value(total);
    let of = |query: &Query| {
        let per_second = numbers && expression::per(&query.expr) == Some(Per::Second) && !beside_values;
        let text = events_of_step(&query.expr, taken, beside_values || per_second);
        // Of a minute: the number is compared with events for each second, as it is meant.
        quoted(&query.place, if per_second { format!("({text}) * {}", STEP.as_secs()) } else { text })
    };
    Indicator { sli: query_sli(side, &part.place, (of(part), of(total)), STEP), per: grouped(&total.expr, &total.place) }
}

/// What stands in for missing series is left away, on whichever sides it is.
fn tell_of_defaults(reader: &mut Reader, side: Side, part: (&Range<usize>, bool), total: (&Range<usize>, bool)) {
    if total.1 {
        let message = "`or vector(...)` at the total is not carried over: it hides that the metric is gone";
        tell(reader, &codes::NOT_CARRIED, total.0, message, "missing data is told by `no-data`, and is never a number");
    }
    if part.1 {
        let message =
            format!("`or vector(...)` at the {} events is not carried over: where they have no series, none are counted", side.word());
        tell(reader, &codes::NOT_CARRIED, part.0, message, "nothing is lost where it stood for 0: leave it away");
    }
}

fn query_sli(side: Side, place: &Range<usize>, (part, total): (Node, Node), step: Duration) -> Node {
    let step = word(place, duration::format(step));
    let query = map(place, [(side.word(), Some(part)), ("total", Some(total)), ("step", Some(step))]);
    map(place, [("query", Some(query))])
}

/// The labels by which the values of an expression are told apart.
fn grouped(expr: &Expr, place: &Range<usize>) -> Option<Node> {
    expression::labels_of(expr).and_then(|labels| per(place, &labels))
}

/// What a query yields of one step.
fn events_of_step(expr: &Expr, taken: Taken, as_rates: bool) -> String {
    let as_it_is = || expression::without_default(expr).to_string();
    match (expression::range(expr), taken) {
        (None, Taken::Counters) => expression::increases_of_step(expr, STEP).map_or_else(as_it_is, |risen| risen.to_string()),
        (None, Taken::Intervals | Taken::AsTheyAre) => as_it_is(),
        (Some(own), _) if as_rates => expression::over_one_step(expr, own, STEP).to_string(),
        (Some(_), _) => one_step(expr),
    }
}

fn one_step(expr: &Expr) -> String {
    let own = expression::range(expr).unwrap_or(expression::TEMPLATE);
    expression::of_one_step(expr, own, STEP).to_string()
}

/// One selector, or a list of them.
fn selectors(place: &Range<usize>, selectors: &[Selector]) -> Node {
    match selectors {
        [only] => quoted(place, only.to_string()),
        several => list(place, several.iter().map(|selector| quoted(place, selector.to_string())).collect()),
    }
}
