//! SLIs that are expressions of PromQL: `window` and `query`.

use std::{ops::Range, time::Duration};

use burnward_core::{
    sli::{Comparison, Counted, Expression, Selector, Sli},
    slo::Objective,
    time::{hours, minutes},
};

use super::{
    super::{
        codes, duration, matchers,
        promql::{self, Checked, Finding, Use},
        reader::{Fields, Keys, Reader, shortened, suggest},
        yaml::{Entry, Node, Value},
    },
    counted_entry, no_part,
    selectors::{query_text, within},
    turned,
};

const WINDOW: Keys = Keys { of: "an SLI of slices", known: &["expr", "is", "threshold", "slice", "promql-check"], later: &[] };
const QUERY: Keys = Keys { of: "an SLI of queries", known: &["bad", "good", "total", "step", "promql-check"], later: &[] };
/// The step where none is given.
const STEP: Duration = minutes(1);
const SHORTEST: Duration = Duration::from_secs(10);
const LONGEST: Duration = hours(1);

/// Whether a tenant's source evaluates PromQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promql {
    /// It does, or it is not known which source it is.
    Spoken,
    /// It does, and every selector must name a label that its operator sets (`enforced-label`).
    Confined,
    /// It only holds samples: targets that are scraped by burnward itself.
    Absent,
}

/// Refuses an SLI of expressions where the source has no language for them.
pub(super) fn spoken(reader: &mut Reader, kind: &Entry, promql: Promql) -> Option<()> {
    if promql != Promql::Absent {
        return Some(());
    }
    let message = format!("`{}` needs a source that evaluates PromQL, and this tenant's source is scraped targets", kind.key);
    let diagnostic = reader.diagnostic(&codes::NO_PROMQL, kind.key_range.clone(), message);
    reader.report(diagnostic.help("count counters with `events` or `latency`, or give the tenant a Prometheus as its source"));
    None
}

/// Reads `window: { expr, is, threshold, slice }` of an SLO that is split by these labels; `None` where they cannot be read.
pub(super) fn read_window(reader: &mut Reader, node: &Node, per: Option<&[String]>, promql: Promql) -> Option<Sli> {
    let fields = reader.map(node, &WINDOW)?;
    let is = reader.required(&fields, "is", "'<='").and_then(|node| read_comparison(reader, node));
    let threshold = reader.required(&fields, "threshold", "0.5").and_then(|node| read_threshold(reader, node));
    let slice = read_step(reader, &fields, "slice");
    let sent = Sent { checked: is_checked(reader, &fields), promql, per };
    let used = Use::Window { is: is.zip(threshold) };
    let expr = reader.required(&fields, "expr", "'max(queue_age_seconds)'");
    let expression = expr.and_then(|node| read_expression(reader, node, sent, used)).map(|checked| checked.expression);
    Some(Sli::Window { expression: expression?, is: is?, threshold: threshold?, slice: slice? })
}

/// Reads `query: { bad or good, total, step }` of an SLO that is split by these labels; `None` where they cannot be read.
pub(super) fn read_query(reader: &mut Reader, node: &Node, per: Option<&[String]>, promql: Promql) -> Option<Sli> {
    let fields = reader.map(node, &QUERY)?;
    let step = read_step(reader, &fields, "step");
    let sent = Sent { checked: is_checked(reader, &fields), promql, per };
    let total = reader.required(&fields, "total", "'sum(increase(http_requests_total[1m]))'");
    let total = total.and_then(|node| read_expression(reader, node, sent, Use::Events { step, beside: false }));
    let side = counted_entry(reader, &fields);
    let counted = side.and_then(|side| {
        let node = reader.optional(&fields, &side.key)?;
        let checked = read_expression(reader, node, sent, Use::Events { step, beside: true })?;
        differs(reader, side, &checked.expression, total.as_ref().map(|total| &total.expression))?;
        if let Some(total) = &total {
            advise_on_same(reader, side, &checked, total);
            advise_on_part(reader, side, &checked.summed, &total.summed);
            advise_on_percentage(reader, side, &checked, total);
        }
        Some(if side.key == "bad" { Counted::Bad(checked.expression) } else { Counted::Good(checked.expression) })
    });
    Some(Sli::Query { counted: counted?, total: total?.expression, step: step? })
}

/// A side that is no part of the total, where both are sums of counters.
fn advise_on_part(reader: &mut Reader, side: &Entry, summed: &[Selector], total: &[Selector]) {
    if let Some((message, help)) = no_part(&side.key, summed, total) {
        let diagnostic = reader.diagnostic(&codes::NO_PART, side.value.range.clone(), message);
        reader.report(diagnostic.help(help));
    } else if let Some((message, help)) = turned(&side.key, summed) {
        let diagnostic = reader.diagnostic(&codes::TURNED, side.value.range.clone(), message);
        reader.report(diagnostic.help(help));
    }
}

/// A side that differs from the total in matchers alone that take everything.
fn advise_on_same(reader: &mut Reader, side: &Entry, checked: &Checked, total: &Checked) {
    let plain = |one: &Checked| {
        let as_needed = |text: String, selector: &Selector| text.replace(&selector.to_string(), &matchers::needed(selector).to_string());
        one.summed.iter().fold(one.expression.to_string(), as_needed)
    };
    if !checked.summed.is_empty() && plain(checked) == plain(total) {
        let message = format!("`{0}` and `total` are the same: every event is {0}", side.key);
        let diagnostic = reader.diagnostic(&codes::SAME_SIDES, side.value.range.clone(), message);
        reader.report(diagnostic.help(format!("narrow `{}` to what makes an event one, such as code=~\"5..\"", side.key)));
    }
}

/// A side in percent beside a total that is not.
fn advise_on_percentage(reader: &mut Reader, side: &Entry, checked: &Checked, total: &Checked) {
    let (of_side, of_total) = (checked.percentage, total.percentage || total.fixed.is_some_and(|number| number >= 100.0));
    if of_side != of_total && (of_side || total.percentage) {
        let (more, less) = if of_side { (side.key.as_str(), "total") } else { ("total", side.key.as_str()) };
        let message = format!("`{more}` is multiplied by 100 and `{less}` is not: the share of `{}` is wrong by that", side.key);
        let diagnostic = reader.diagnostic(&codes::NO_PART, side.value.range.clone(), message);
        reader.report(
            diagnostic.help("both are numbers of events: leave the factor out; where the total is `vector(1)`, give the ratio itself"),
        );
    }
}

/// A side that is the total says nothing.
fn differs(reader: &mut Reader, side: &Entry, expression: &Expression, total: Option<&Expression>) -> Option<()> {
    if total != Some(expression) {
        return Some(());
    }
    let message = format!("`{}` is the same expression as `total`", side.key);
    let diagnostic = reader.diagnostic(&codes::SAME_QUERY, side.value.range.clone(), message);
    reader.report(diagnostic.help("name the events that are bad (or good) alone, such as those with code=~\"5..\""));
    None
}

fn read_comparison(reader: &mut Reader, node: &Node) -> Option<Comparison> {
    let text = reader.text(node, "`is`")?;
    let comparison = Comparison::parse(text.trim());
    if comparison.is_none() {
        let signs: Vec<&str> = Comparison::ALL.iter().map(|comparison| comparison.sign()).collect();
        let diagnostic = reader.diagnostic(&codes::COMPARISON, node.range.clone(), format!("`{}` is not a comparison", shortened(text)));
        reader.report(diagnostic.help(format!("one of {}, in quotes: how a good value stands to the threshold", signs.join(" "))));
    }
    comparison
}

fn read_threshold(reader: &mut Reader, node: &Node) -> Option<f64> {
    let text = reader.text(node, "`threshold`")?;
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    let number = text.parse::<f64>().ok().filter(|number| plain && number.is_finite());
    if number.is_none() {
        let diagnostic = reader.diagnostic(&codes::COMPARISON, node.range.clone(), format!("`{}` is not a number", shortened(text)));
        reader.report(diagnostic.help("write it in the unit of the expression, such as 0.5 for 500 ms in seconds or for 50 %"));
    }
    number
}

fn read_step(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Option<Duration> {
    if fields.entry(key).is_none() {
        return Some(STEP);
    }
    let node = reader.optional(fields, key)?;
    let step = reader.duration_within(node, &format!("`{key}`"), SHORTEST..=LONGEST)?;
    if LONGEST.as_millis().is_multiple_of(step.as_millis()) && step.subsec_millis() == 0 {
        return Some(step);
    }
    let message = format!("an hour is not a whole number of slices of {}", duration::format(step));
    let diagnostic = reader.diagnostic(&codes::STEP, node.range.clone(), message);
    reader.report(diagnostic.help("write one that divides it: 10s, 15s, 20s, 30s, 1m, 2m, 5m, 10m, 15m, 30m or 1h"));
    None
}

/// `promql-check: off` sends an expression that is not known here.
fn is_checked(reader: &mut Reader, fields: &Fields<'_>) -> bool {
    let Some(node) = reader.optional(fields, "promql-check") else { return true };
    match reader.text(node, "`promql-check`") {
        Some("off") => false,
        Some("on") | None => true,
        Some(other) => {
            let diagnostic = reader.diagnostic(&codes::WRONG_TYPE, node.range.clone(), format!("`{}` is not known here", shortened(other)));
            reader.report(suggest(diagnostic, other, &["on", "off"]));
            true
        }
    }
}

/// How an expression is sent.
#[derive(Debug, Clone, Copy)]
struct Sent<'p> {
    /// As it was understood, and not as it was written.
    checked: bool,
    /// To what kind of source.
    promql: Promql,
    /// By which labels its values are to be told apart.
    per: Option<&'p [String]>,
}

fn read_expression(reader: &mut Reader, node: &Node, sent: Sent<'_>, used: Use) -> Option<Checked> {
    let text = query_text(reader, node, "an expression")?;
    let read = if sent.checked { promql::read(text, used) } else { promql::unchecked(text) };
    match read {
        Ok(checked) => {
            if let (Promql::Confined, Err(why)) = (sent.promql, promql::confined(&checked.expression.to_string(), "label", "value")) {
                let message = format!("this tenant's source adds a label to every selector, and cannot to this expression: {why}");
                let diagnostic = reader.diagnostic(&codes::PROMQL_CONFINED, node.range.clone(), message);
                reader.report(diagnostic.help("write it in plain PromQL, each selector with the metric's name before the braces"));
                return None;
            }
            for finding in checked.advice.iter().chain(&sent.per.map(|per| checked.split.misfits(per)).unwrap_or_default()) {
                report(reader, node, text, finding);
            }
            Some(checked)
        }
        Err(finding) => {
            report(reader, node, text, &finding);
            None
        }
    }
}

fn report(reader: &mut Reader, node: &Node, text: &str, finding: &Finding) {
    let range = finding.at.clone().and_then(|at| within(reader, node, text, &at)).unwrap_or_else(|| node.range.clone());
    let diagnostic = reader.diagnostic(finding.code, range, finding.message.clone());
    reader.report(diagnostic.help(finding.help.clone()));
}

/// A row whose short lookback is shorter than a slice would most of the time look at none.
pub(in crate::definition) fn check_lookbacks(reader: &mut Reader, node: &Node, sli: &Sli, objectives: &[Objective]) {
    let Some(step) = sli.slice().or_else(|| sli.step()) else { return };
    let shortest = objectives.iter().flat_map(|objective| &objective.rows).map(|row| row.short).min();
    if let Some(short) = shortest.filter(|short| *short < step) {
        let (step, short) = (duration::format(step), duration::format(short));
        let message = format!("a slice of {step} is longer than the shortest lookback of the alert rows, {short}");
        let diagnostic = reader.diagnostic(&codes::STEP, step_place(node), message);
        reader.report(diagnostic.help(format!("shorten it to {short} at most, or write rows with longer lookbacks below `alerting:`")));
    }
}

/// Where the step of an SLI stands; the SLI where it is left out.
fn step_place(sli: &Node) -> Range<usize> {
    let inner = |node: &Node| match &node.value {
        Value::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
        Value::Scalar { .. } | Value::List(_) => Vec::new(),
    };
    let steps = inner(sli).into_iter().flat_map(|(_, kind)| inner(&kind)).filter(|(key, _)| key == "slice" || key == "step");
    steps.map(|(_, node)| node.range).next().unwrap_or_else(|| sli.range.clone())
}
