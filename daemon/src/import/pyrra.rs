//! Pyrra's `ServiceLevelObjective`.
//!
//! Its indicators are selectors already. Its alerts are a table of its own, scaled to the window: 14x over 1 h, 7x over 6 h, 2x over 1 d and 1x over 4 d of
//! four weeks; it is carried over as it is, without the times that Pyrra waits before it fires.

use std::{ops::Range, time::Duration};

use burnward_core::{
    sli::Selector,
    slo::{AlertRow, Urgency},
    units::{Factor, Target},
};

use super::{
    Converted, Kept, Settings, expression,
    expression::Side,
    indicator::{self, Indicator},
    rows::{self, Rows},
    sloth::WORDS,
    tree::{Fields, Told, labels_left, name, read_key, tell},
};
use crate::definition::{
    build::{list, map, word},
    codes, duration,
    reader::Reader,
    yaml::{Node, Value},
};

/// The SLO of an object.
pub(super) fn read(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Option<Converted> {
    let object = Fields::of_object(reader, root, "an object of Kubernetes")?;
    let metadata = object.required(reader, "metadata").and_then(|_| object.metadata(reader));
    let spec = object.required(reader, "spec").and_then(|node| Fields::of(reader, node, "`spec`"));
    object.finish(reader);
    let (metadata, spec) = (metadata?, spec?);
    let slo_name = named(reader, &metadata, "name", "an SLO's name");
    let labels = metadata.get(reader, "labels");
    let service = read_service(reader, &metadata, labels);
    let team = super::team(reader, &[labels], &metadata.place(), settings);
    tell_of_labels(reader, labels);
    metadata.finish(reader);
    let title = spec.text(reader, "description").and_then(|(node, text)| super::title(reader, text, &node.range));
    let target = spec.required(reader, "target").and_then(|node| {
        let text = reader.text(node, "`target`")?;
        Some((node.range.clone(), super::percent(reader, "target", "Pyrra", (node, text))?))
    });
    let window = spec.required(reader, "window").and_then(|node| Some((node, reader.duration(node, "`window`")?)));
    let indicator = spec.required(reader, "indicator").and_then(|node| read_indicator(reader, node));
    let alerting = spec.get(reader, "alerting").map(|node| read_alerting(reader, node));
    let place = spec.place();
    spec.finish(reader);
    let alerting = alerting.unwrap_or(Some(Alerting { burnrates: true, absent: true }));
    let kept = Kept::of(&[target.is_some(), window.is_some(), indicator.is_some(), alerting.is_some()]);
    let (target_place, percent) = target.unwrap_or_else(|| (place.clone(), super::STAND_IN_TARGET.to_owned()));
    let (window_place, window) = window.map_or_else(|| (place.clone(), settings.window), |(node, window)| (node.range.clone(), window));
    let alerting = alerting.unwrap_or(Alerting { burnrates: true, absent: true });
    let burn = Target::percent(&percent).ok().filter(|_| kept == Kept::Whole).map(|target| {
        let rows = if alerting.burnrates { table(window) } else { Vec::new() };
        Rows { all: rows, target, window }
    });
    let rows = burn.and_then(|rows| rows::alerting(reader, &target_place, rows));
    let objective = map(
        &target_place,
        [
            ("target", Some(word(&target_place, percent))),
            ("window", Some(word(&window_place, duration::format(window)))),
            ("alerting", rows),
        ],
    );
    let Indicator { sli, per } = indicator.unwrap_or_else(|| super::stand_in(&place));
    let slo = map(
        &place,
        [
            ("name", Some(slo_name?)),
            ("title", title),
            ("sli", Some(sli)),
            ("per", per),
            ("objectives", Some(list(&target_place, vec![objective]))),
            ("no-data", alerting.absent.then(|| absent(&place))),
        ],
    );
    Some(Converted { service: service?, team, slo, kept })
}

/// Pyrra pages where the metric is gone; how long it waits follows from a formula of its own.
fn absent(place: &Range<usize>) -> Node {
    map(place, [("after", Some(word(place, "10m"))), ("then", Some(word(place, "page")))])
}

fn named(reader: &mut Reader, metadata: &Fields<'_>, key: &str, of: &str) -> Option<Node> {
    let node = metadata.required(reader, key)?;
    let text = reader.text(node, &format!("`{key}`"))?;
    name(reader, text, &node.range, of)
}

/// Labels that name the service, best first.
const SERVICES: [&str; 3] = ["pyrra.dev/service", "app.kubernetes.io/name", "service"];

fn read_service(reader: &mut Reader, metadata: &Fields<'_>, labels: Option<&Node>) -> Option<Node> {
    let labelled = SERVICES.iter().find_map(|key| labels.and_then(|labels| read_key(reader, labels, key)));
    if let Some(node) = labelled {
        let text = reader.text(node, "a label")?;
        return name(reader, text, &node.range, "a service's name");
    }
    let key = if metadata.get(reader, "namespace").is_some() { "namespace" } else { "name" };
    let service = named(reader, metadata, key, "a service's name")?;
    let message = format!("no service is named, so the {key} is taken for it");
    tell(reader, &codes::CHANGED, &service.range, message, "label the object with `pyrra.dev/service:`");
    Some(service)
}

/// Labels of Pyrra's own prefix are put on alerts, by which they are routed.
fn tell_of_labels(reader: &mut Reader, labels: Option<&Node>) {
    let Some(Value::Map(entries)) = labels.map(|labels| &labels.value) else { return };
    let others = entries.iter().map(|label| label.key.as_str()).filter(|key| !key.starts_with("pyrra.dev/"));
    let but: Vec<&str> = others.chain(["pyrra.dev/team", "pyrra.dev/service"]).collect();
    labels_left(reader, labels, &but, super::sloth::ROUTING);
}

struct Alerting {
    burnrates: bool,
    absent: bool,
}

fn read_alerting(reader: &mut Reader, node: &Node) -> Option<Alerting> {
    let alerting = Fields::of(reader, node, "`alerting`")?;
    for key in ["name", "absentName", "annotations"] {
        alerting.left(reader, key, WORDS);
    }
    let disabled = alerting.flag(reader, "disabled").unwrap_or(false);
    let burnrates = alerting.flag(reader, "burnrates").unwrap_or(true);
    let absent = alerting.flag(reader, "absent").unwrap_or(true);
    if let Some((node, _)) = alerting.text(reader, "burnRateType").filter(|(_, kind)| *kind != "static") {
        let message = "burn rates that move with the traffic are not carried over; the table of fixed ones is taken";
        tell(
            reader,
            &codes::CHANGED,
            &node.range,
            message,
            "`low-traffic: exact`, the default, holds back pages that few events cause by chance",
        );
    }
    alerting.finish(reader);
    Some(Alerting { burnrates: burnrates && !disabled, absent: absent && !disabled })
}

/// Pyrra's rows: factor, and of how many parts of the window the lookbacks are.
const TABLE: [(Urgency, &str, u32, u32); 4] = [
    (Urgency::Page, "14", 28 * 24, 28 * 24 * 12),
    (Urgency::Page, "7", 28 * 4, 28 * 48),
    (Urgency::Ticket, "2", 28, 28 * 12),
    (Urgency::Ticket, "1", 7, 28 * 4),
];

fn table(window: Duration) -> Vec<AlertRow> {
    let row = |(urgency, factor, long, short): &(Urgency, &str, u32, u32)| {
        let factor = Factor::parse(factor).ok()?;
        Some(AlertRow { urgency: *urgency, factor, long: whole_minutes(window / *long), short: whole_minutes(window / *short) })
    };
    TABLE.iter().filter_map(row).collect()
}

fn whole_minutes(span: Duration) -> Duration {
    Duration::from_secs((span.as_secs() + 30) / 60 * 60)
}

fn read_indicator(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let indicator = Fields::of(reader, node, "`indicator`")?;
    let (ratio, latency) = (indicator.get(reader, "ratio"), indicator.get(reader, "latency"));
    let (native, gauge) = (indicator.get(reader, "latencyNative"), indicator.get(reader, "bool_gauge"));
    indicator.finish(reader);
    match (ratio, latency, native, gauge) {
        (Some(ratio), _, _, _) => read_ratio(reader, ratio),
        (None, Some(latency), _, _) => read_latency(reader, latency),
        (None, None, Some(native), _) => read_native(reader, native),
        (None, None, None, Some(gauge)) => read_gauge(reader, gauge),
        (None, None, None, None) => {
            let message = "the indicator is none of ratio, latency, latencyNative and bool_gauge";
            tell(reader, &codes::FOREIGN_SLI, &node.range, message, "name the errors and the total as `ratio:`");
            None
        }
    }
}

fn read_ratio(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let ratio = Fields::of(reader, node, "`ratio`")?;
    let (bad, total) = (metric(reader, &ratio, "errors"), metric(reader, &ratio, "total"));
    let per = grouping(reader, &ratio);
    ratio.finish(reader);
    let ((bad_place, bad), (total_place, total)) = (bad?, total?);
    let sli = indicator::events_sli(Side::Bad, (&bad_place, &[bad]), (&total_place, &[total]));
    Some(Indicator { sli, per: per.ok()? })
}

fn read_latency(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let latency = Fields::of(reader, node, "`latency`")?;
    let (good, total) = (metric(reader, &latency, "success"), metric(reader, &latency, "total"));
    let per = grouping(reader, &latency);
    latency.finish(reader);
    let ((good_place, good), (total_place, total)) = (good?, total?);
    let sli = match expression::bucket_of(&good, &total) {
        Some((histogram, within)) => indicator::latency_sli(&good_place, &histogram, (&good_place, within), false),
        None => indicator::events_sli(Side::Good, (&good_place, &[good]), (&total_place, &[total])),
    };
    Some(Indicator { sli, per: per.ok()? })
}

fn read_native(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let native = Fields::of(reader, node, "`latencyNative`")?;
    let total = metric(reader, &native, "total");
    let within = native.required(reader, "latency").and_then(|node| Some((node, reader.duration(node, "`latency`")?)));
    let per = grouping(reader, &native);
    native.finish(reader);
    let ((place, histogram), (node, within)) = (total?, within?);
    Some(Indicator { sli: indicator::latency_sli(&place, &histogram, (&node.range, within), true), per: per.ok()? })
}

fn read_gauge(reader: &mut Reader, node: &Node) -> Option<Indicator> {
    let gauge = Fields::of(reader, node, "`bool_gauge`")?;
    let probe = gauge.required(reader, "metric").and_then(|node| selector(reader, node));
    let per = grouping(reader, &gauge);
    gauge.finish(reader);
    let (place, probe) = probe?;
    Some(Indicator { sli: indicator::probe_sli(&place, &[probe]), per: per.ok()? })
}

/// `errors: { metric: ... }`
fn metric(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Option<(Range<usize>, Selector)> {
    let node = fields.required(reader, key)?;
    let inner = Fields::of(reader, node, &format!("`{key}`"))?;
    let metric = inner.required(reader, "metric");
    inner.finish(reader);
    selector(reader, metric?)
}

fn selector(reader: &mut Reader, node: &Node) -> Option<(Range<usize>, Selector)> {
    let query = indicator::query(reader, node, "the metric")?;
    if let Some(selector) = expression::only_selector(&query.expr) {
        return Some((query.place, selector));
    }
    let Some(selector) = expression::without_offset(&query.expr) else {
        tell(
            reader,
            &codes::FOREIGN_SLI,
            &query.place,
            "the metric is not a plain selector",
            "write for example http_requests_total{job=\"checkout\"}",
        );
        return None;
    };
    let message = "the offset is not carried over";
    let help = "samples that come late are waited for by `settle:` of the source in burnward.yaml, and found later where they come later";
    tell(reader, &codes::NOT_CARRIED, &query.place, message, help);
    Some((query.place, selector))
}

/// `grouping:` as `per:`.
fn grouping(reader: &mut Reader, fields: &Fields<'_>) -> Result<Option<Node>, Told> {
    let Some(node) = fields.get(reader, "grouping") else { return Ok(None) };
    let items = reader.list(node, "`grouping`").ok_or(Told)?;
    let labels: Vec<String> = items.iter().filter_map(|item| reader.text(item, "a label").map(ToOwned::to_owned)).collect();
    Ok(indicator::per(&node.range, &labels))
}
