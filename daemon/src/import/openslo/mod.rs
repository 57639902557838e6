//! OpenSLO: `openslo/v1` and `openslo/v1alpha`.
//!
//! An SLO may hold its indicator and its alert policies, or name objects that stand elsewhere; [`Library`] knows those of all files that are read together.
//! Traps of the format are found: a window of `1m`, which is a minute, an alert that fires while the burn rate is low, a counter that is none.

mod alerts;
mod sli;
mod window;

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use burnward_core::units::Target;

use super::{
    Converted, Kept, STAND_IN_TARGET, Settings, moved,
    rows::{self, Rows},
    sloth::ROUTING,
    tree::{Fields, Told, name, pass_over, peek, peek_text, read_for_others, read_key, tell},
};
use crate::definition::{
    Source,
    build::{list, map, quoted, word},
    codes,
    reader::{Reader, name_proposal, shortened},
    yaml::{Node, Value},
};
use alerts::Alerts;
use sli::Metric;
use window::Window;

/// The objects of all files by kind and name.
#[derive(Debug, Clone, Default)]
pub(super) struct Library(BTreeMap<(String, String), (Arc<Source>, Node)>);

impl Library {
    pub(super) fn of<'a>(files: impl Iterator<Item = (&'a Arc<Source>, &'a [Node])>) -> Self {
        let mut objects = BTreeMap::new();
        for (source, roots) in files {
            for root in roots {
                let name = peek(root, "metadata").and_then(|metadata| peek_text(metadata, "name"));
                if let (Some(kind), Some(name)) = (peek_text(root, "kind"), name) {
                    objects.insert((kind.to_owned(), name.to_owned()), (source.clone(), root.clone()));
                }
            }
        }
        Self(objects)
    }

    /// The object of this name, at the place of the reference where it stands in another file.
    fn get(&self, reader: &Reader, kind: &str, name: &str, reference: &Range<usize>) -> Option<Node> {
        let (source, node) = self.0.get(&(kind.to_owned(), name.to_owned()))?;
        Some(if source == reader.source() { node.clone() } else { moved(node, reference) })
    }

    /// The same; an object that is missing is told of.
    fn find(&self, reader: &mut Reader, kind: &str, reference: &Node) -> Option<Node> {
        let name = reader.text(reference, "a reference")?;
        let found = self.get(reader, kind, name, &reference.range);
        if found.is_none() {
            let message = format!("there is no {kind} `{}` in what is read", shortened(name));
            let help = "put it into the same file, or give `burnward import` both files";
            tell(reader, &codes::REFERENCE, &reference.range, message, help);
        }
        found
    }
}

/// The SLOs of one object.
pub(super) fn read(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Vec<Converted> {
    let (api, kind) = (peek_text(root, "apiVersion").unwrap_or_default(), peek_text(root, "kind").unwrap_or_default());
    let place = peek(root, "kind").unwrap_or(root).range.clone();
    match (api, kind) {
        ("openslo/v1" | "openslo/v1alpha", "SLO") => read_slo(reader, root, settings).unwrap_or_default(),
        // What they say is carried over where they are named.
        ("openslo/v1" | "openslo/v1alpha", "SLI") => {
            read_for_others(reader, |aside| drop(sli::read_indicator(aside, root, settings.library)));
            Vec::new()
        }
        ("openslo/v1" | "openslo/v1alpha", "AlertPolicy" | "AlertCondition") => {
            read_for_others(reader, |aside| alerts::read_object(aside, root, settings.library));
            Vec::new()
        }
        ("openslo/v1" | "openslo/v1alpha", "Service") => {
            read_service(reader, root);
            Vec::new()
        }
        ("openslo/v1" | "openslo/v1alpha", "DataSource") => {
            let help = "name the source under `sources:` in burnward.yaml; credentials stand in files there";
            tell(reader, &codes::NOT_CARRIED, &place, "a data source is not carried over", help);
            pass_over(reader, root);
            Vec::new()
        }
        ("openslo/v1" | "openslo/v1alpha", "AlertNotificationTarget") => {
            tell(reader, &codes::NOT_CARRIED, &place, "a notification target is not carried over", ROUTING);
            pass_over(reader, root);
            Vec::new()
        }
        ("openslo/v1" | "openslo/v1alpha", other) => {
            let message = format!("`{}` is not a kind of OpenSLO that is known here", shortened(other));
            tell(reader, &codes::FOREIGN, &place, message, "known are SLO, SLI, AlertPolicy, AlertCondition, DataSource and Service");
            pass_over(reader, root);
            Vec::new()
        }
        (other, _) => {
            let place = peek(root, "apiVersion").unwrap_or(root).range.clone();
            let message = format!("`{}` is not a version of OpenSLO that is known here", shortened(other));
            tell(reader, &codes::FOREIGN, &place, message, "known are openslo/v1 and openslo/v1alpha");
            pass_over(reader, root);
            Vec::new()
        }
    }
}

/// A service is its name here: what else is said of it is not carried over.
fn read_service(reader: &mut Reader, root: &Node) {
    let Some(object) = Fields::of_object(reader, root, "an object of OpenSLO") else { return };
    if let Some(metadata) = object.metadata(reader) {
        metadata.finish(reader);
    }
    if let Some(spec) = object.get(reader, "spec").and_then(|node| Fields::of(reader, node, "`spec`")) {
        spec.finish(reader);
    }
    object.finish(reader);
}

/// What all SLOs that come of one object share.
struct Shared {
    service: Node,
    team: Node,
    name: Node,
    title: Option<Node>,
    runbook: Option<Node>,
    status: Option<Node>,
    window: Window,
    alerts: Alerts,
    kept: Kept,
}

/// How a budget is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Occurrences,
    Timeslices,
    RatioTimeslices,
}

fn read_slo(reader: &mut Reader, root: &Node, settings: &Settings<'_>) -> Option<Vec<Converted>> {
    let object = Fields::of_object(reader, root, "an object of OpenSLO")?;
    let metadata = object.required(reader, "metadata").and_then(|_| object.metadata(reader));
    let spec = object.required(reader, "spec").and_then(|node| Fields::of(reader, node, "`spec`"));
    object.finish(reader);
    let (metadata, spec) = (metadata?, spec?);
    let slo_name = metadata.required(reader, "name").and_then(|node| {
        let text = reader.text(node, "`name`")?;
        name(reader, text, &node.range, "an SLO's name")
    });
    let title = metadata.text(reader, "displayName").or_else(|| spec.text(reader, "description"));
    let title = title.and_then(|(node, text)| super::title(reader, text, &node.range));
    let (labels, annotations) = (metadata.get(reader, "labels"), metadata.get(reader, "annotations"));
    let runbook = annotations.and_then(|node| read_key(reader, node, RUNBOOK)).map(|node| word(&node.range, super::text(node)));
    let status = annotations.and_then(|node| read_status(reader, node));
    let team = super::team(reader, &[labels, annotations], &metadata.place(), settings);
    metadata.finish(reader);
    let service = spec.required(reader, "service").and_then(|node| {
        let text = reader.text(node, "`service`")?;
        name(reader, text, &node.range, "a service's name")
    });
    let window = window::read(reader, &spec, settings);
    let method = read_method(reader, &spec);
    let alerts = alerts::read(reader, &spec, settings.library);
    let indicator = sli::of_slo(reader, &spec, settings.library);
    let items = spec.required(reader, "objectives").and_then(|node| reader.list(node, "`objectives`"));
    spec.finish(reader);
    // Read whatever else is wrong: each shows its own mistakes.
    let objectives: Option<Vec<Objective<'_>>> =
        items.map(|items| items.iter().filter_map(|item| read_objective(reader, item, method, settings)).collect());
    let kept = Kept::of(&[window.is_some(), method.is_some(), alerts.is_some(), indicator.is_ok()]);
    let (service, name) = (service?, slo_name?);
    let window = window.unwrap_or_else(|| Window::stand_in(&name.range, settings.window));
    let alerts = alerts.unwrap_or_default();
    let shared = Shared { service, team, name, title, runbook, status, window, alerts, kept };
    Some(of_objectives(reader, &objectives?, &indicator, &shared))
}

/// An annotation that names the runbook's file; `burnward export` writes it.
pub(crate) const RUNBOOK: &str = "burnward.dev/runbook";
/// An annotation of an SLO that is not active: `shadow` or `suspended`.
pub(crate) const STATUS: &str = "burnward.dev/status";
/// Until when, and why, it is suspended.
pub(crate) const SUSPENDED: [(&str, &str); 2] = [("until", "burnward.dev/suspended-until"), ("reason", "burnward.dev/suspended-reason")];

/// The status that annotations say; whether it is one, is found with the others of own documents.
fn read_status(reader: &mut Reader, annotations: &Node) -> Option<Node> {
    let status = read_key(reader, annotations, STATUS)?;
    let [until, reason] = SUSPENDED.map(|(key, annotation)| {
        let said = read_key(reader, annotations, annotation).map(|node| quoted(&node.range, super::text(node)));
        (key, said)
    });
    let text = super::text(status);
    if text != "suspended" {
        return Some(word(&status.range, text));
    }
    Some(map(&status.range, [("suspended", Some(map(&status.range, [until, reason])))]))
}

fn read_method(reader: &mut Reader, spec: &Fields<'_>) -> Option<Method> {
    let Some((node, text)) = spec.text(reader, "budgetingMethod") else { return Some(Method::Occurrences) };
    match text {
        "Occurrences" => Some(Method::Occurrences),
        "Timeslices" => Some(Method::Timeslices),
        "RatioTimeslices" => {
            let message = "RatioTimeslices is not carried over: it adds up the ratios of slices, however much traffic each had";
            let help = "events are counted instead; write Timeslices with a timeSliceTarget to count minutes of downtime";
            tell(reader, &codes::CHANGED, &node.range, message, help);
            Some(Method::RatioTimeslices)
        }
        other => {
            let message = format!("`{}` is not a budgeting method", shortened(other));
            tell(reader, &codes::WRONG_TYPE, &node.range, message, "known are Occurrences and Timeslices");
            None
        }
    }
}

/// An objective as it stands there, taken apart.
struct Objective<'n> {
    node: &'n Node,
    display: Option<(&'n Node, &'n str)>,
    /// `target:` and what stands beside it, but for the name.
    target: Node,
    percent: String,
    counted_in: Option<Node>,
    compares: Option<(Node, Node)>,
    metric: Result<Option<Metric>, Told>,
    kept: Kept,
}

impl Objective<'_> {
    /// What it is called, as a name.
    fn own_name(&self) -> Option<String> {
        self.display.map(|(_, text)| name_proposal(text)).filter(|own| !own.is_empty())
    }
}

fn of_objectives(reader: &mut Reader, read: &[Objective<'_>], indicator: &Result<Option<Metric>, Told>, shared: &Shared) -> Vec<Converted> {
    let composite = read.len() > 1 && read.iter().filter(|objective| !matches!(objective.metric, Ok(None))).count() > 1;
    if composite {
        let message = "the objectives have indicators of their own: each becomes an SLO, and what joins them is not carried over";
        let help = "write an SLO of kind `composite` with these as members: weights and verdicts are said there";
        tell(reader, &codes::NOT_CARRIED, &read[0].node.range, message, help);
    }
    let metric = |objective: &Objective<'_>| match (&objective.metric, indicator) {
        (Ok(Some(own)), _) | (Ok(None), Ok(Some(own))) => Some(own.clone()),
        (Err(Told), _) | (Ok(None), Err(Told)) => Some(Metric::Unread),
        (Ok(None), Ok(None)) => None,
    };
    if read.iter().any(|objective| metric(objective).is_none()) {
        let place = shared.name.range.clone();
        let help = "write `indicator:` with a ratioMetric or a thresholdMetric, or name one as `indicatorRef:`";
        tell(reader, &codes::FOREIGN_SLI, &place, "the SLO has no indicator", help);
        return Vec::new();
    }
    let together = !composite && matches!(read.first().and_then(metric), Some(Metric::Ratio(_) | Metric::Unread));
    let groups: Vec<&[Objective<'_>]> = if together { vec![read] } else { read.chunks(1).collect() };
    let several = groups.len() > 1;
    if let [Objective { display: Some((node, text)), .. }] = read {
        let message = format!("`displayName: {}` is not carried over: the only objective of an SLO needs no name", shortened(text));
        let help = "an SLO's own `displayName` becomes its `title`";
        tell(reader, &codes::NOT_CARRIED, &node.range, message, help);
    }
    let slo = |(at, group): (usize, &&[Objective<'_>])| {
        let first = group.first()?;
        let sli = sli::of_objective(reader, metric(first)?, first.node, first.compares.clone())?;
        let name = if several { numbered(shared, first, at) } else { shared.name.clone() };
        let names = objective_names(group);
        let objectives: Vec<Node> =
            group.iter().zip(names).map(|(objective, name)| objective_node(reader, objective, name, shared)).collect();
        let place = &shared.name.range;
        let slo = map(
            place,
            [
                ("name", Some(name)),
                ("title", shared.title.clone()),
                ("runbook", shared.runbook.clone()),
                ("status", shared.status.clone()),
                ("sli", Some(sli.sli)),
                ("per", sli.per),
                ("objectives", Some(list(&first.node.range, objectives))),
                ("no-data", shared.alerts.no_data.clone()),
            ],
        );
        let kept = Kept::of(&[shared.kept == Kept::Whole, group.iter().all(|objective| objective.kept == Kept::Whole)]);
        Some(Converted { service: shared.service.clone(), team: shared.team.clone(), slo, kept })
    };
    groups.iter().enumerate().filter_map(slo).collect()
}

/// The name of one of several SLOs that come of one.
fn numbered(shared: &Shared, objective: &Objective<'_>, at: usize) -> Node {
    let own = objective.own_name().unwrap_or_else(|| (at + 1).to_string());
    let joined: String = format!("{}-{own}", super::text(&shared.name)).chars().take(63).collect();
    word(&objective.node.range, joined.trim_end_matches('-'))
}

/// Names of objectives of one window, which must differ; one alone needs none.
fn objective_names(objectives: &[Objective<'_>]) -> Vec<Option<String>> {
    let mut names: Vec<Option<String>> = Vec::new();
    for (at, objective) in objectives.iter().enumerate() {
        let own = objective.own_name();
        let fresh = own.filter(|own| !names.contains(&Some(own.clone())));
        names.push((objectives.len() > 1).then(|| fresh.unwrap_or_else(|| format!("objective-{}", at + 1))));
    }
    names
}

fn objective_node(reader: &mut Reader, objective: &Objective<'_>, name: Option<String>, shared: &Shared) -> Node {
    let place = &objective.node.range;
    let whole = shared.kept == Kept::Whole && objective.kept == Kept::Whole;
    let target = Target::percent(&objective.percent).ok().filter(|_| whole);
    let rows = target.map(|target| Rows { all: shared.alerts.rows.clone(), target, window: shared.window.pace });
    let alerting = rows.and_then(|rows| rows::alerting(reader, place, rows));
    map(
        place,
        [
            ("name", name.map(|name| word(place, name))),
            ("target", Some(objective.target.clone())),
            ("window", Some(shared.window.span.clone())),
            ("timezone", shared.window.timezone.clone()),
            ("counted-in", objective.counted_in.clone()),
            ("alerting", alerting),
        ],
    )
}

fn read_objective<'n>(reader: &mut Reader, node: &'n Node, method: Option<Method>, settings: &Settings<'_>) -> Option<Objective<'n>> {
    let fields = Fields::of(reader, node, "an objective")?;
    let display = fields.text(reader, "displayName");
    let target = read_target(reader, &fields);
    let counted_in = read_slices(reader, &fields, method);
    let (op, value) = (fields.text(reader, "op"), fields.text(reader, "value"));
    let compares = op.and_then(|(node, op)| comparison(reader, node, op)).zip(value.map(|(node, value)| word(&node.range, value)));
    let metric = sli::of_own(reader, &fields, settings.library);
    fields.left(reader, "compositeWeight", "weights stand at the members of a `composite`");
    fields.finish(reader);
    let kept = Kept::of(&[target.is_some(), counted_in.is_ok(), metric.is_ok()]);
    let stand_in = || (word(&node.range, STAND_IN_TARGET), STAND_IN_TARGET.to_owned());
    let ((target, percent), counted_in) = (target.unwrap_or_else(stand_in), counted_in.unwrap_or_default());
    Some(Objective { node, display, target, percent, counted_in, compares, metric, kept })
}

fn comparison(reader: &mut Reader, node: &Node, op: &str) -> Option<Node> {
    let sign = match op {
        "lte" => "<=",
        "lt" => "<",
        "gte" => ">=",
        "gt" => ">",
        other => {
            let message = format!("`{}` is not an operator", shortened(other));
            tell(reader, &codes::WRONG_TYPE, &node.range, message, "known are lte, lt, gte and gt");
            return None;
        }
    };
    Some(quoted(&node.range, sign))
}

/// `target: 0.999` or `targetPercent: 99.9`.
fn read_target(reader: &mut Reader, fields: &Fields<'_>) -> Option<(Node, String)> {
    let (share, percent) = (fields.text(reader, "target"), fields.text(reader, "targetPercent"));
    let (node, percent) = match (share, percent) {
        (Some((node, share)), _) => {
            let Some(percent) = percent_of(share) else {
                let message = format!("`target: {}` is not a share of one", shortened(share));
                let help = match share_of(share) {
                    Some(meant) => format!("write `target: {meant}`, or `targetPercent: {}`", share.trim()),
                    None => "write for example `target: 0.999`, or `targetPercent: 99.9`".to_owned(),
                };
                tell(reader, &codes::WRONG_TYPE, &node.range, message, help);
                return None;
            };
            (node, percent)
        }
        (None, Some(target)) => (target.0, crate::import::percent(reader, "targetPercent", "that key", target)?),
        (None, None) => {
            let place = fields.place();
            tell(reader, &codes::MISSING_KEY, &place, "the objective has no target", "write `target: 0.999`");
            return None;
        }
    };
    Some((word(&node.range, percent.clone()), percent))
}

/// `0.9995` as `99.95%`, by moving the point; `None` for what is no decimal number up to one.
pub(super) fn percent_of(share: &str) -> Option<String> {
    let (whole, fraction) = share.trim().split_once('.').unwrap_or((share.trim(), ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) || fraction.len() > 15 {
        return None;
    }
    let padded = format!("{fraction:0<2}");
    let (hundreds, rest) = padded.split_at(2);
    let number = format!("{whole}{hundreds}");
    let number = number.trim_start_matches('0');
    let number = if number.is_empty() { "0" } else { number };
    let rest = rest.trim_end_matches('0');
    let percent = if rest.is_empty() { format!("{number}%") } else { format!("{number}.{rest}%") };
    percent.trim_end_matches('%').parse::<f64>().is_ok_and(|percent| percent <= 100.0).then_some(percent)
}

/// `99.5` as `0.995`, by moving the point: what was meant by a share that is written in percent; `None` for what is none below 100.
fn share_of(percent: &str) -> Option<String> {
    let (whole, fraction) = percent.trim().split_once('.').unwrap_or((percent.trim(), ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !matches!(whole.len(), 1 | 2) || !digits(whole) || !digits(fraction) || fraction.len() > 13 {
        return None;
    }
    let share = format!("0.{whole:0>2}{fraction}").trim_end_matches('0').to_owned();
    (share != "0.").then_some(share)
}

/// `counted-in:` of an objective that is budgeted in slices.
fn read_slices(reader: &mut Reader, fields: &Fields<'_>, method: Option<Method>) -> Result<Option<Node>, Told> {
    let (window, share) = (fields.text(reader, "timeSliceWindow"), fields.text(reader, "timeSliceTarget"));
    match method {
        Some(Method::Timeslices) => {}
        Some(Method::Occurrences) => {
            for (node, _) in window.iter().chain(&share) {
                let message = "slices of time are not budgeted with Occurrences";
                let help = "write `budgetingMethod: Timeslices` where minutes of downtime are meant";
                tell(reader, &codes::NOT_CARRIED, &node.range, message, help);
            }
            return Ok(None);
        }
        Some(Method::RatioTimeslices) => {
            tell_of_ratio_slices(reader, window, share);
            return Ok(None);
        }
        None => return Ok(None),
    }
    let place = fields.place();
    let Some((share_node, share)) = share else {
        let message = "Timeslices need a timeSliceTarget";
        tell(reader, &codes::MISSING_KEY, &place, message, "write for example `timeSliceTarget: 0.99`");
        return Err(Told);
    };
    let (window_node, window) = window.unwrap_or_else(|| {
        // v1alpha has no such key.
        let message = "it is not said how long a slice of time is: a minute is taken";
        tell(reader, &codes::CHANGED, &share_node.range, message, "write `timeSliceWindow: 1m` in openslo/v1");
        (share_node, "1m")
    });
    let slices = if window.bytes().all(|b| b.is_ascii_digit()) { format!("{window}m") } else { window.to_owned() };
    let Some(share) = percent_of(share) else {
        let message = format!("`timeSliceTarget: {}` is not a share of one", shortened(share));
        let meant = share_of(share).unwrap_or_else(|| "0.99".to_owned());
        tell(reader, &codes::WRONG_TYPE, &share_node.range, message, format!("write for example `timeSliceTarget: {meant}`"));
        return Err(Told);
    };
    Ok(Some(map(
        &window_node.range,
        [("slices", Some(word(&window_node.range, slices))), ("good-if-at-least", Some(word(&share_node.range, share)))],
    )))
}

/// Of ratios of slices neither their length nor what a slice must reach is kept.
fn tell_of_ratio_slices(reader: &mut Reader, window: Option<(&Node, &str)>, share: Option<(&Node, &str)>) {
    if let Some((node, window)) = window {
        let message = format!(
            "`timeSliceWindow: {}` is not carried over: events are counted as they are, and the value of a thresholdMetric is judged each minute",
            shortened(window)
        );
        let help = "write `budgetingMethod: Timeslices` where each slice of this length is to be good or bad as a whole";
        tell(reader, &codes::NOT_CARRIED, &node.range, message, help);
    }
    if let Some((node, share)) = share {
        let message = format!(
            "`timeSliceTarget: {}` is not carried over: with RatioTimeslices no slice is good or bad as a whole, so nothing is compared with it",
            shortened(share)
        );
        let help =
            "remove it; or write `budgetingMethod: Timeslices`, for which it says from which share of good events on a slice is good";
        tell(reader, &codes::NOT_CARRIED, &node.range, message, help);
    }
}

/// Whether a node is a mapping.
fn is_map(node: &Node) -> bool {
    matches!(node.value, Value::Map(_))
}
