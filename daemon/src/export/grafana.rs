//! A dashboard of Grafana over the recording rules of [`super::rules`]: for each SLO what is left of its budgets, how fast they burn, and the share of good
//! events.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use burnward_core::slo::{Objective, Slo, Urgency};
use serde_json::{Value, json};

use super::{Exported, Loss, counts_events, decimal, id, ratio, rolling, rules};
use crate::definition::{duration, row_words};

/// The grid is 24 columns wide.
const WIDTH: usize = 24;
const HEIGHT: usize = 8;

pub(super) fn export(slos: &[Arc<Slo>]) -> Exported {
    let mut losses =
        vec![Loss::of_all("the panels show what the rules of `burnward export --format prometheus-rules` record: load those, too")];
    let (mut panels, mut written) = (Vec::new(), 0);
    for slo in slos {
        if let Err(why) = ratio::bad(&slo.sli, &slo.per, Duration::from_mins(5)) {
            losses.push(Loss::of(slo, format!("no panels: {why}")));
            continue;
        }
        let objectives: Vec<&Objective> = slo.objectives.iter().filter(|objective| counts_events(objective)).collect();
        for objective in slo.objectives.iter().filter(|objective| !counts_events(objective)) {
            losses.push(Loss::of(slo, format!("objective {}: slices of time are not judged by rules, so it has no panel", objective.name)));
        }
        if objectives.is_empty() {
            continue;
        }
        written += 1;
        panels.extend(of_slo(slo, &objectives, panels.len()));
    }
    let dashboard = json!({
        "title": "Error budgets",
        "tags": ["burnward"],
        "schemaVersion": 39,
        "editable": true,
        "time": { "from": "now-7d", "to": "now" },
        "refresh": "1m",
        "templating": { "list": [{ "name": "datasource", "label": "Source", "type": "datasource", "query": "prometheus" }] },
        "panels": panels,
    });
    Exported { text: format!("{dashboard:#}\n"), slos: written, losses }
}

/// A heading and the panels below it.
fn of_slo(slo: &Slo, objectives: &[&Objective], before: usize) -> Vec<Value> {
    let row = before / 4;
    let top = row * (HEIGHT + 1);
    let third = WIDTH / 3;
    let place = |column: usize| json!({ "x": column * third, "y": top + 1, "w": third, "h": HEIGHT });
    vec![
        json!({ "type": "row", "id": before + 1, "title": format!("{}: {}", id(slo), slo.title), "collapsed": false, "panels": [],
            "gridPos": { "x": 0, "y": top, "w": WIDTH, "h": 1 } }),
        panel("Left of the budget", before + 2, &place(0), budget(slo, objectives), &Limits::RedBelow(0.0)),
        panel("Burn rate", before + 3, &place(1), burn(slo, objectives), &Limits::RedFrom(factors(objectives))),
        panel("Good events", before + 4, &place(2), good(slo, objectives), &Limits::None),
    ]
}

/// What is drawn as dashed lines, and where red begins.
#[derive(Debug, Clone, PartialEq)]
enum Limits {
    None,
    RedBelow(f64),
    RedFrom(Vec<f64>),
}

impl Limits {
    fn steps(&self) -> Vec<Value> {
        let step = |value: Option<f64>, color: &str| json!({ "value": value, "color": color });
        match self {
            Self::None => vec![step(None, "green")],
            Self::RedBelow(limit) => vec![step(None, "red"), step(Some(*limit), "green")],
            Self::RedFrom(limits) => {
                std::iter::once(step(None, "green")).chain(limits.iter().map(|limit| step(Some(*limit), "red"))).collect()
            }
        }
    }
}

/// A panel of lines.
fn panel(title: &str, number: usize, place: &Value, (unit, targets): (&str, Vec<Value>), limits: &Limits) -> Value {
    let steps = limits.steps();
    let style = if steps.len() == 1 { "off" } else { "dashed" };
    json!({
        "type": "timeseries",
        "id": number,
        "title": title,
        "datasource": { "type": "prometheus", "uid": "${datasource}" },
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "thresholds": { "mode": "absolute", "steps": steps },
                "custom": { "thresholdsStyle": { "mode": style } },
            },
            "overrides": [],
        },
        "options": { "legend": { "displayMode": "list", "placement": "bottom" }, "tooltip": { "mode": "multi" } },
    })
}

fn target(expr: &str, legend: &str, at: usize) -> Value {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    json!({ "refId": format!("{letter}{}", at / 26), "expr": expr, "legendFormat": legend })
}

fn targets(lines: impl Iterator<Item = (String, String)>) -> Vec<Value> {
    lines.enumerate().map(|(at, (expr, legend))| target(&expr, &legend, at)).collect()
}

/// Groups are told apart by their labels.
fn groups(slo: &Slo) -> String {
    slo.per.iter().fold(String::new(), |text, label| text + " {{" + label + "}}")
}

fn budget(slo: &Slo, objectives: &[&Objective]) -> (&'static str, Vec<Value>) {
    let of = |objective: &&Objective| {
        rolling(objective)?;
        let series = rules::matching(slo).replace('}', &format!(",burnward_objective=\"{}\"}}", objective.name));
        Some((format!("{}{series}", rules::LEFT), format!("{}{}", objective.name, groups(slo))))
    };
    ("percentunit", targets(objectives.iter().filter_map(of)))
}

fn burn(slo: &Slo, objectives: &[&Objective]) -> (&'static str, Vec<Value>) {
    let lines = objectives.iter().flat_map(|objective| {
        let lookbacks: BTreeSet<Duration> = objective.rows.iter().map(|row| row.long).collect();
        let line = |lookback: Duration| {
            let expr = format!("{}{} / {}", rules::name(lookback), rules::matching(slo), decimal(objective.target.allowed()));
            (expr, format!("{} over {}{}", objective.name, duration::format(lookback), groups(slo)))
        };
        lookbacks.into_iter().map(line).collect::<Vec<_>>()
    });
    ("none", targets(lines))
}

/// The burn rates that page.
fn factors(objectives: &[&Objective]) -> Vec<f64> {
    let pages = objectives.iter().flat_map(|objective| &objective.rows).filter(|row| row.urgency == Urgency::Page);
    let mut factors: Vec<f64> = pages.map(|row| row.factor.as_f64()).collect();
    factors.sort_by(f64::total_cmp);
    factors.dedup();
    factors
}

fn good(slo: &Slo, objectives: &[&Objective]) -> (&'static str, Vec<Value>) {
    let shortest = objectives.iter().flat_map(|objective| &objective.rows).min_by_key(|row| row.short);
    let line = shortest.map(|row| {
        let legend = format!("over {}{}, of {}", duration::format(row.short), groups(slo), row_words(row));
        (format!("1 - {}{}", rules::name(row.short), rules::matching(slo)), legend)
    });
    let windows: BTreeSet<Duration> = objectives.iter().filter_map(|objective| rolling(objective)).collect();
    let over = windows.into_iter().map(|window| {
        (format!("1 - {}{}", rules::name(window), rules::matching(slo)), format!("over {}{}", duration::format(window), groups(slo)))
    });
    ("percentunit", targets(line.into_iter().chain(over)))
}
