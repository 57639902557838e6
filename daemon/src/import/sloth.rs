//! Sloth's `prometheus/v1` files and its Kubernetes form, `PrometheusServiceLevel`.
//!
//! Sloth's file does not say over which window an SLO is: 30 days are its default, `AlertWindows` beside it say otherwise. Its alerts are the rows of
//! the SRE Workbook, as here.

use std::{ops::Range, time::Duration};

use burnward_core::{
    alert_rows::default_rows,
    slo::{AlertRow, Urgency},
    units::{Factor, Ratio, Target},
};

use super::{
    Converted, Settings,
    expression::Side,
    indicator::{self, Indicator, Plain},
    rows::{self, Rows},
    tree::{Fields, name, peek, peek_text, tell},
};
use crate::definition::{
    build::{list, map, word},
    codes, duration,
    reader::{Reader, shortened},
    yaml::{Node, Value},
};

/// The period of SLOs, with the rows that guard them; `AlertWindows` of Sloth.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    period: Duration,
    rows: Vec<AlertRow>,
}

/// The SLOs of a file, or of the `spec:` of a Kubernetes object.
pub(super) fn read(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(mut file) = Fields::of(reader, root, "a file of Sloth") else { return Vec::new() };
    file.without_meaning(&["version"]);
    let converted = of_spec(reader, &mut file, settings);
    file.finish(reader);
    converted
}

/// The SLOs of a `PrometheusServiceLevel`.
pub(super) fn read_object(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(mut object) = Fields::of(reader, root, "an object of Kubernetes") else { return Vec::new() };
    object.without_meaning(&["apiVersion", "kind", "metadata", "status"]);
    let spec = object.required(reader, "spec").and_then(|spec| Fields::of(reader, spec, "`spec`"));
    object.finish(reader);
    let Some(mut spec) = spec else { return Vec::new() };
    let converted = of_spec(reader, &mut spec, settings);
    spec.finish(reader);
    converted
}

fn of_spec(reader: &mut Reader, spec: &mut Fields<'_>, settings: &Settings<'_>) -> Vec<Converted> {
    let service = spec.required(reader, "service").and_then(|node| {
        let text = reader.text(node, "`service`")?;
        name(reader, text, &node.range, "a service's name")
    });
    let labels = spec.get("labels");
    tell_of_labels(reader, labels);
    plugins(reader, spec);
    let slos = spec.required(reader, "slos").and_then(|node| reader.list(node, "`slos`")).unwrap_or_default();
    let read = |node: &Node| read_slo(reader, node, labels, service.as_ref(), settings);
    slos.iter().filter_map(read).collect()
}

fn read_slo(reader: &mut Reader, node: &Node, labels: Option<&Node>, service: Option<&Node>, settings: &Settings<'_>) -> Option<Converted> {
    let mut slo = Fields::of(reader, node, "an SLO of Sloth")?;
    let name_text = slo.required(reader, "name").and_then(|node| Some((node, reader.text(node, "`name`")?)));
    let slo_name = name_text.and_then(|(node, text)| name(reader, text, &node.range, "an SLO's name"));
    let objective = slo.required(reader, "objective").and_then(|node| Some((node, reader.text(node, "`objective`")?)));
    let title = slo.text(reader, "description").and_then(|(node, text)| super::title(reader, text, &node.range));
    let own_labels = slo.get("labels");
    tell_of_labels(reader, own_labels);
    let team = super::team(reader, &[own_labels, labels], &node.range, settings);
    plugins(reader, &mut slo);
    let sli = slo.required(reader, "sli").and_then(|node| read_sli(reader, node));
    let kept = read_alerting(reader, &mut slo);
    slo.finish(reader);
    let (target_node, target) = objective?;
    let objective = objective_of(reader, target_node, target, kept, settings);
    let Indicator { sli, per } = sli?;
    let objectives = list(&target_node.range, vec![objective]);
    let slo =
        map(&node.range, [("name", Some(slo_name?)), ("title", title), ("sli", Some(sli)), ("per", per), ("objectives", Some(objectives))]);
    Some(Converted { service: service?.clone(), team, slo })
}

/// Which alerts are generated.
#[derive(Debug, Clone, Copy)]
struct Kept {
    page: bool,
    ticket: bool,
}

fn objective_of(reader: &mut Reader, node: &Node, percent: &str, kept: Kept, settings: &Settings<'_>) -> Node {
    let place = &node.range;
    let target = format!("{}%", percent.trim());
    let (period, own) = match &settings.sloth {
        Some(windows) => (windows.period, Some(windows.rows.clone())),
        None => (settings.window, None),
    };
    let rows = Target::percent(&target).ok().map(|target| {
        let all = own.unwrap_or_else(|| default_rows(target, period).rows);
        let wanted = |row: &AlertRow| match row.urgency {
            Urgency::Page => kept.page,
            Urgency::Ticket => kept.ticket,
        };
        (target, all.into_iter().filter(wanted).collect::<Vec<_>>())
    });
    let alerting = rows.and_then(|(target, rows)| rows::alerting(reader, place, Rows { all: rows, target, window: period }));
    map(place, [("target", Some(word(place, target))), ("window", Some(word(place, duration::format(period)))), ("alerting", alerting)])
}

fn read_sli(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let mut sli = Fields::of(reader, node, "`sli`")?;
    let (events, raw, plugin) = (sli.get("events"), sli.get("raw"), sli.get("plugin"));
    sli.finish(reader);
    match (events, raw, plugin) {
        (Some(events), _, _) => {
            let mut events = Fields::of(reader, events, "`events`")?;
            let (bad, total) = (events.either("error_query", "errorQuery"), events.either("total_query", "totalQuery"));
            let place = events.place();
            events.finish(reader);
            let (Some(bad), Some(total)) = (bad, total) else {
                tell(reader, &codes::FOREIGN_SLI, &place, "an SLI of events has an error_query and a total_query", "name both");
                return None;
            };
            let (bad, total) = (indicator::query(reader, bad, "the error query"), indicator::query(reader, total, "the total query"));
            Some(indicator::of_parts(reader, Side::Bad, &bad?, &total?, Plain::Counters))
        }
        (None, Some(raw), _) => {
            let mut raw = Fields::of(reader, raw, "`raw`")?;
            let (ratio, place) = (raw.either("error_ratio_query", "errorRatioQuery"), raw.place());
            raw.finish(reader);
            let Some(ratio) = ratio else {
                tell(reader, &codes::FOREIGN_SLI, &place, "a raw SLI has an error_ratio_query", "name it");
                return None;
            };
            let ratio = indicator::query(reader, ratio, "the error ratio query")?;
            Some(indicator::of_ratio(reader, Side::Bad, &ratio))
        }
        (None, None, Some(plugin)) => {
            let id = peek_text(plugin, "id").map(shortened).unwrap_or_default();
            let message = format!("the plugin `{id}` computes the queries, and is not run here");
            let help = "let Sloth generate the rules, and import those; or write the queries out as `events`";
            tell(reader, &codes::FOREIGN_SLI, &plugin.range, message, help);
            None
        }
        (None, None, None) => {
            tell(reader, &codes::FOREIGN_SLI, &node.range, "the SLI has neither events nor raw", "write `events:` with both queries");
            None
        }
    }
}

fn read_alerting(reader: &mut Reader, slo: &mut Fields<'_>) -> Kept {
    let mut kept = Kept { page: true, ticket: true };
    let Some(mut alerting) = slo.get("alerting").and_then(|node| Fields::of(reader, node, "`alerting`")) else { return kept };
    alerting.without_meaning(&["name"]);
    alerting.left(reader, "labels", ROUTING);
    alerting.left(reader, "annotations", WORDS);
    for (snake, camel, on) in [("page_alert", "pageAlert", &mut kept.page), ("ticket_alert", "ticketAlert", &mut kept.ticket)] {
        let Some(mut alert) = alerting.either(snake, camel).and_then(|node| Fields::of(reader, node, "an alert")) else { continue };
        *on = !alert.flag(reader, "disable").unwrap_or(false);
        if *on {
            alert.left(reader, "labels", ROUTING);
            alert.left(reader, "annotations", WORDS);
        } else {
            alert.without_meaning(&["labels", "annotations"]);
        }
        alert.finish(reader);
    }
    alerting.finish(reader);
    kept
}

/// Labels are put on alerts and series, by which alerts are routed.
fn tell_of_labels(reader: &mut Reader, labels: Option<&Node>) {
    let Some(Value::Map(labels)) = labels.map(|labels| &labels.value) else { return };
    for label in labels.iter().filter(|label| !super::TEAMS.contains(&label.key.as_str())) {
        let message = format!("the label `{}` is not carried over", shortened(&label.key));
        tell(reader, &codes::NOT_CARRIED, &label.key_range, message, ROUTING);
    }
}

pub(super) const ROUTING: &str = "who is told follows from `team:` and its escalation in burnward.yaml";
pub(super) const WORDS: &str = "what a page says follows from the SLO's title, its runbook and the templates";

fn plugins(reader: &mut Reader, fields: &mut Fields<'_>) {
    for key in ["slo_plugins", "sloPlugins", "plugins"] {
        fields.left(reader, key, "plugins change the rules that Sloth generates; there are none here");
    }
}

/// Reads `AlertWindows`.
pub(super) fn read_windows(reader: &mut Reader, root: &Node) -> Option<Windows> {
    let spec = peek(root, "spec")?;
    let period = span(reader, spec, "sloPeriod")?;
    let mut rows = Vec::new();
    for (urgency, group) in [(Urgency::Page, "page"), (Urgency::Ticket, "ticket")] {
        for speed in ["quick", "slow"] {
            let Some(line) = peek(spec, group).and_then(|group| peek(group, speed)) else { continue };
            let (long, short) = (span(reader, line, "longWindow")?, span(reader, line, "shortWindow")?);
            let Some(factor) = peek_text(line, "errorBudgetPercent").and_then(|percent| factor_of(percent, period, long)) else {
                let message = "`errorBudgetPercent` is a decimal number: the share of the budget that is spent when the alert fires";
                tell(reader, &codes::WRONG_TYPE, &line.range, message, "write for example 2");
                return None;
            };
            rows.push(AlertRow { urgency, factor, long, short });
        }
    }
    Some(Windows { period, rows })
}

fn span(reader: &mut Reader, node: &Node, key: &str) -> Option<Duration> {
    let Some(value) = peek(node, key) else {
        missing(reader, &node.range, key);
        return None;
    };
    reader.duration(value, &format!("`{key}`"))
}

fn missing(reader: &mut Reader, place: &Range<usize>, key: &str) {
    reader.error(&codes::MISSING_KEY, place.clone(), format!("the key `{key}` is missing"));
}

/// The burn rate that spends this share of a period's budget over `long`.
fn factor_of(percent: &str, period: Duration, long: Duration) -> Option<Factor> {
    let percent = Factor::parse(percent.trim()).ok()?.ratio();
    let millis = |span: Duration| u64::try_from(span.as_millis()).ok();
    let num = percent.num().checked_mul(millis(period)?)?;
    let den = percent.den().checked_mul(100)?.checked_mul(millis(long)?)?;
    Factor::from_ratio(Ratio::new(num, den)?)
}
