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
    Converted, Kept, Settings,
    expression::{self, Side},
    indicator::{self, Indicator, Plain, Query},
    rows::{self, Rows},
    tree::{Fields, labels_left, name, pass_over, peek_text, tell},
};
use crate::definition::{
    build::{list, map, word},
    codes, duration,
    reader::{Reader, shortened},
    yaml::Node,
};

/// The period of SLOs, with the rows that guard them; `AlertWindows` of Sloth.
#[derive(Debug, Clone)]
pub(super) struct Windows {
    period: Duration,
    rows: Vec<AlertRow>,
}

/// The SLOs of a file, or of the `spec:` of a Kubernetes object.
pub(super) fn read(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(file) = Fields::of(reader, root, "a file of Sloth") else { return Vec::new() };
    file.pass_over(reader, &["version"]);
    let converted = of_spec(reader, &file, None, settings);
    file.finish(reader);
    converted
}

/// The SLOs of a `PrometheusServiceLevel`.
pub(super) fn read_object(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let Some(object) = Fields::of_object(reader, root, "an object of Kubernetes") else { return Vec::new() };
    let metadata = object.metadata(reader);
    let labels = metadata.as_ref().and_then(|metadata| metadata.get(reader, "labels"));
    if let Some(metadata) = metadata {
        metadata.finish(reader);
    }
    let spec = object.required(reader, "spec").and_then(|spec| Fields::of(reader, spec, "`spec`"));
    object.finish(reader);
    let Some(spec) = spec else { return Vec::new() };
    let converted = of_spec(reader, &spec, labels, settings);
    spec.finish(reader);
    converted
}

/// `of_object` are the labels of the Kubernetes object: one of them may name the team, as those of the service do.
fn of_spec(reader: &mut Reader, spec: &Fields<'_>, of_object: Option<&Node>, settings: &Settings<'_>) -> Vec<Converted> {
    let service = spec.required(reader, "service").and_then(|node| {
        let text = reader.text(node, "`service`")?;
        name(reader, text, &node.range, "a service's name")
    });
    let labels = [spec.get(reader, "labels"), of_object];
    for labels in labels {
        labels_left(reader, labels, &super::TEAMS, ROUTING);
    }
    plugins(reader, spec);
    let slos = spec.required(reader, "slos").and_then(|node| reader.list(node, "`slos`")).unwrap_or_default();
    let read = |node: &Node| read_slo(reader, node, &labels, service.as_ref(), settings);
    slos.iter().filter_map(read).collect()
}

fn read_slo(
    reader: &mut Reader,
    node: &Node,
    labels: &[Option<&Node>],
    service: Option<&Node>,
    settings: &Settings<'_>,
) -> Option<Converted> {
    let slo = Fields::of(reader, node, "an SLO of Sloth")?;
    let name_text = slo.required(reader, "name").and_then(|node| Some((node, reader.text(node, "`name`")?)));
    let slo_name = name_text.and_then(|(node, text)| name(reader, text, &node.range, "an SLO's name"));
    let objective = slo.required(reader, "objective").and_then(|node| {
        let text = reader.text(node, "`objective`")?;
        Some((node.range.clone(), super::percent(reader, "objective", "Sloth", (node, text))?))
    });
    let title = slo.text(reader, "description").and_then(|(node, text)| super::title(reader, text, &node.range));
    let own_labels = slo.get(reader, "labels");
    labels_left(reader, own_labels, &super::TEAMS, ROUTING);
    let team = super::team(reader, &[&[own_labels], labels].concat(), &node.range, settings);
    plugins(reader, &slo);
    let sli = slo.required(reader, "sli").and_then(|node| read_sli(reader, node));
    let alerts = read_alerting(reader, &slo);
    let whole = Kept::of(&[objective.is_some(), sli.is_some()]);
    let (target_place, target) = objective.unwrap_or_else(|| (slo.place(), super::STAND_IN_TARGET.to_owned()));
    let objective = objective_of(reader, &target_place, target, alerts, settings);
    let Indicator { sli, per } = sli.unwrap_or_else(|| super::stand_in(&target_place));
    let objectives = list(&target_place, vec![objective]);
    slo.finish(reader);
    let slo =
        map(&node.range, [("name", Some(slo_name?)), ("title", title), ("sli", Some(sli)), ("per", per), ("objectives", Some(objectives))]);
    Some(Converted { service: service?.clone(), team, slo, kept: whole })
}

/// Which alerts are generated.
#[derive(Debug, Clone, Copy)]
struct Alerts {
    page: bool,
    ticket: bool,
}

fn objective_of(reader: &mut Reader, place: &Range<usize>, target: String, alerts: Alerts, settings: &Settings<'_>) -> Node {
    let (period, own) = match &settings.sloth {
        Some(windows) => (windows.period, Some(windows.rows.clone())),
        None => (settings.window, None),
    };
    let rows = Target::percent(&target).ok().map(|target| {
        let all = own.unwrap_or_else(|| default_rows(target, period).rows);
        let wanted = |row: &AlertRow| match row.urgency {
            Urgency::Page => alerts.page,
            Urgency::Ticket => alerts.ticket,
        };
        (target, all.into_iter().filter(wanted).collect::<Vec<_>>())
    });
    let alerting = rows.and_then(|(target, rows)| rows::alerting(reader, place, Rows { all: rows, target, window: period }));
    map(place, [("target", Some(word(place, target))), ("window", Some(word(place, duration::format(period)))), ("alerting", alerting)])
}

fn read_sli(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let sli = Fields::of(reader, node, "`sli`")?;
    let (events, raw, plugin) = (sli.get(reader, "events"), sli.get(reader, "raw"), sli.get(reader, "plugin"));
    sli.finish(reader);
    match (events, raw, plugin) {
        (Some(events), _, _) => {
            let events = Fields::of(reader, events, "`events`")?;
            let (bad, total) = (events.either(reader, "error_query", "errorQuery"), events.either(reader, "total_query", "totalQuery"));
            let place = events.place();
            events.finish(reader);
            let (Some(bad), Some(total)) = (bad, total) else {
                tell(reader, &codes::FOREIGN_SLI, &place, "an SLI of events has an error_query and a total_query", "name both");
                return None;
            };
            let (bad, total) = (indicator::query(reader, bad, "the error query"), indicator::query(reader, total, "the total query"));
            tell_of_fixed_ranges(reader, bad.iter().chain(&total));
            Some(indicator::of_parts(reader, Side::Bad, &bad?, &total?, Plain::Divided))
        }
        (None, Some(raw), _) => {
            let raw = Fields::of(reader, raw, "`raw`")?;
            let (ratio, place) = (raw.either(reader, "error_ratio_query", "errorRatioQuery"), raw.place());
            raw.finish(reader);
            let Some(ratio) = ratio else {
                tell(reader, &codes::FOREIGN_SLI, &place, "a raw SLI has an error_ratio_query", "name it");
                return None;
            };
            let ratio = indicator::query(reader, ratio, "the error ratio query")?;
            tell_of_fixed_ranges(reader, [&ratio]);
            Some(indicator::of_ratio(reader, Side::Bad, &ratio))
        }
        (None, None, Some(plugin)) => {
            pass_over(reader, plugin);
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

/// A range that is written out is the same for each alert of Sloth, whatever its lookback is. One that two queries share is told of once.
fn tell_of_fixed_ranges<'q>(reader: &mut Reader, queries: impl IntoIterator<Item = &'q Query>) {
    let mut told = None;
    for query in queries {
        let Some(range) = expression::fixed_range(&query.expr).filter(|range| told != Some(*range)) else { continue };
        told = Some(range);
        let range = duration::format(range);
        let message = format!(
            "the query looks back over `[{range}]` whatever the lookback of an alert is, and that is not carried over: each alert counts the events of its own lookback, as with `[{{{{.window}}}}]`"
        );
        tell(reader, &codes::CHANGED, &query.place, message, "write `{{.window}}` in the place of the range, where that is meant");
    }
}

fn read_alerting(reader: &mut Reader, slo: &Fields<'_>) -> Alerts {
    let mut alerts = Alerts { page: true, ticket: true };
    let Some(alerting) = slo.get(reader, "alerting").and_then(|node| Fields::of(reader, node, "`alerting`")) else { return alerts };
    alerting.left(reader, "name", WORDS);
    alerting.left(reader, "labels", ROUTING);
    alerting.left(reader, "annotations", WORDS);
    for (snake, camel, on) in [("page_alert", "pageAlert", &mut alerts.page), ("ticket_alert", "ticketAlert", &mut alerts.ticket)] {
        let Some(alert) = alerting.either(reader, snake, camel).and_then(|node| Fields::of(reader, node, "an alert")) else { continue };
        *on = !alert.flag(reader, "disable").unwrap_or(false);
        if *on {
            alert.left(reader, "labels", ROUTING);
            alert.left(reader, "annotations", WORDS);
        } else {
            alert.pass_over(reader, &["labels", "annotations"]);
        }
        alert.finish(reader);
    }
    alerting.finish(reader);
    alerts
}

pub(super) const ROUTING: &str = "who is told follows from `team:` and its escalation in burnward.yaml";
pub(super) const WORDS: &str = "what a page says follows from the SLO's title, its runbook and the templates";

fn plugins(reader: &mut Reader, fields: &Fields<'_>) {
    for key in ["slo_plugins", "sloPlugins", "plugins"] {
        fields.left(reader, key, "plugins change the rules that Sloth generates; there are none here");
    }
}

/// Reads `AlertWindows`.
pub(super) fn read_windows(reader: &mut Reader, root: &Node) -> Option<Windows> {
    let object = Fields::of_object(reader, root, "an object of Kubernetes")?;
    if let Some(metadata) = object.metadata(reader) {
        metadata.finish(reader);
    }
    let spec = object.required(reader, "spec").and_then(|node| Fields::of(reader, node, "`spec`"));
    object.finish(reader);
    let spec = spec?;
    let period = span(reader, &spec, "sloPeriod");
    let groups = [(Urgency::Page, spec.get(reader, "page")), (Urgency::Ticket, spec.get(reader, "ticket"))];
    spec.finish(reader);
    let mut rows = Some(Vec::new());
    for (urgency, node) in groups {
        let Some(group) = node.and_then(|node| Fields::of(reader, node, "the windows of an alert")) else { continue };
        let lines = ["quick", "slow"].map(|speed| group.get(reader, speed));
        group.finish(reader);
        for line in lines.into_iter().flatten() {
            let row = read_window(reader, line, period, urgency);
            rows = rows.zip(row).map(|(rows, row): (Vec<AlertRow>, AlertRow)| [rows, vec![row]].concat());
        }
    }
    Some(Windows { period: period?, rows: rows? })
}

fn read_window(reader: &mut Reader, node: &Node, period: Option<Duration>, urgency: Urgency) -> Option<AlertRow> {
    let line = Fields::of(reader, node, "a window of an alert")?;
    let (long, short) = (span(reader, &line, "longWindow"), span(reader, &line, "shortWindow"));
    let percent = line.text(reader, "errorBudgetPercent").map(|(_, percent)| percent);
    line.finish(reader);
    let (long, short, period) = (long?, short?, period?);
    let factor = percent.and_then(|percent| factor_of(percent, period, long));
    if factor.is_none() {
        let message = "`errorBudgetPercent` is a decimal number: the share of the budget that is spent when the alert fires";
        tell(reader, &codes::WRONG_TYPE, &node.range, message, "write for example 2");
    }
    Some(AlertRow { urgency, factor: factor?, long, short })
}

fn span(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Option<Duration> {
    let value = fields.required(reader, key)?;
    reader.duration(value, &format!("`{key}`"))
}

/// The burn rate that spends this share of a period's budget over `long`.
fn factor_of(percent: &str, period: Duration, long: Duration) -> Option<Factor> {
    let percent = Factor::parse(percent.trim()).ok()?.ratio();
    let millis = |span: Duration| u64::try_from(span.as_millis()).ok();
    let num = percent.num().checked_mul(millis(period)?)?;
    let den = percent.den().checked_mul(100)?.checked_mul(millis(long)?)?;
    Factor::from_ratio(Ratio::new(num, den)?)
}
