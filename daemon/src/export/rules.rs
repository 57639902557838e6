//! Recording and alerting rules of Prometheus.
//!
//! For each lookback of an alert row the share of bad events is recorded, for each row an alert compares two of them with the burn rate times the budget, as
//! one exact number. The share over the whole window gives what is left of the budget.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use burnward_core::{
    sli::Sli,
    slo::{AlertRow, LowTraffic, NoDataThen, NoTraffic, Objective, Slo, Urgency},
    status::Status,
    units::Ratio,
    window::Window,
    words,
};

use super::{Exported, Loss, counts_events, decimal, list, map, quoted, ratio, rolling, share, word};
use crate::{
    definition::{duration, print, row_words, yaml::Node},
    import::{CALENDAR, SHADOW},
};

/// Names of the series; lookbacks follow the first.
pub(super) const BAD: &str = "burnward:bad:ratio_rate";
pub(super) const LEFT: &str = "burnward:budget:left";
const TARGET: &str = "burnward:target:ratio";
const WINDOW: &str = "burnward:window:days";

pub(super) fn export(slos: &[Arc<Slo>]) -> Exported {
    let mut losses = vec![
        Loss::of_all("time that is taken out of budgets (exclusions) is unknown to rules: they judge everything that was measured"),
        Loss::of_all("rate() estimates: events of a new series before its second sample are missed, and what comes late is not corrected"),
    ];
    let (mut groups, mut written) = (Vec::new(), 0);
    for slo in slos {
        losses.extend(lost(slo));
        match of_slo(slo) {
            Ok(of_slo) => {
                groups.extend(of_slo);
                written += 1;
            }
            Err(why) => losses.push(Loss::of(slo, format!("no rules: {why}"))),
        }
    }
    let text = print::text(&map([("groups", Some(list(groups)))]));
    Exported { text: format!("# Written by `burnward export --format prometheus-rules`.\n{text}"), slos: written, losses }
}

/// What rules cannot say of an SLO that they can say something of.
fn lost(slo: &Slo) -> Vec<Loss> {
    let mut lost = Vec::new();
    let mut tell = |what: String| lost.push(Loss::of(slo, what));
    let counted = slo.objectives.iter().filter(|objective| counts_events(objective));
    let pages = counted.flat_map(|objective| &objective.rows).any(|row| row.urgency == Urgency::Page);
    if pages && slo.low_traffic == LowTraffic::Exact && slo.sli.composite().is_none() {
        tell("`low-traffic: exact` is not in the rules: with few events a single failure pages".to_owned());
    }
    for objective in &slo.objectives {
        if !counts_events(objective) {
            tell(format!("objective {}: slices of time are not judged by rules, so it has none", objective.name));
        } else if matches!(objective.window, Window::Calendar { .. }) {
            tell(format!("objective {}: a calendar window has no range, so what is left of its budget is not recorded", objective.name));
        }
    }
    match slo.no_data.then {
        NoDataThen::CountAsBad => tell("`no-data: count-as-bad`: what was not seen spends nothing in the rules".to_owned()),
        NoDataThen::TellOwner | NoDataThen::Page => {}
    }
    match slo.no_traffic {
        NoTraffic::TellOwner { .. } => tell("`no-traffic: tell-owner` is not in the rules".to_owned()),
        NoTraffic::Fine => {}
    }
    match &slo.status {
        Status::Active => {}
        Status::Shadow | Status::Suspended(_) => {
            tell(format!("`status: {}`: its series are recorded, and no alert is written, for that would tell somebody", slo.status));
            if slo.status == Status::Shadow && slo.objectives.iter().any(|objective| !objective.rows.is_empty()) {
                tell(format!("what is imported again is in shadow, by the label `{SHADOW}`, with the default alert rows"));
            }
        }
    }
    if matches!(slo.sli, Sli::Presence { .. }) && slo.per.is_empty() {
        tell("`presence`: in rules, time in which the scraper stood still counts as absence".to_owned());
    }
    lost
}

/// The groups of rules of an SLO.
fn of_slo(slo: &Slo) -> Result<Vec<Node>, &'static str> {
    let objectives: Vec<&Objective> = slo.objectives.iter().filter(|objective| counts_events(objective)).collect();
    let rows = || objectives.iter().flat_map(|objective| &objective.rows);
    let lookbacks: BTreeSet<Duration> = rows().flat_map(|row| [row.long, row.short]).collect();
    let windows: BTreeSet<Duration> = objectives.iter().filter_map(|objective| rolling(objective)).collect();
    let mut fast = Vec::new();
    for lookback in &lookbacks {
        fast.push(recording(&name(*lookback), &ratio::bad(&slo.sli, &slo.per, *lookback)?, &labels(slo, None)));
    }
    if slo.status == Status::Active {
        for objective in &objectives {
            fast.extend(objective.rows.iter().map(|row| alert(slo, objective, row)));
        }
        fast.extend(absence(slo));
    }
    let mut slow = Vec::new();
    for window in windows.difference(&lookbacks) {
        slow.push(recording(&name(*window), &ratio::bad(&slo.sli, &slo.per, *window)?, &labels(slo, None)));
    }
    for objective in &objectives {
        slow.extend(figures(slo, objective));
    }
    if lookbacks.is_empty() && windows.is_empty() {
        return Err(if objectives.is_empty() {
            "no objective is counted in events"
        } else {
            "no objective has an alert or a window of fixed length"
        });
    }
    let group = |suffix: &str, interval: &str, rules: Vec<Node>| {
        // Neither `/` nor `:` can be in a name: no two SLOs of a tenant share a group.
        let name = format!("burnward-{}/{}{suffix}", slo.id.service, slo.id.name);
        (!rules.is_empty()).then(|| map([("name", Some(word(name))), ("interval", Some(word(interval))), ("rules", Some(list(rules)))]))
    };
    Ok([group("", "30s", fast), group(":window", "5m", slow)].into_iter().flatten().collect())
}

/// `burnward:bad:ratio_rate5m`
pub(super) fn name(lookback: Duration) -> String {
    format!("{BAD}{}", duration::format(lookback))
}

/// The labels that tell an SLO, and one of its objectives, from others.
fn labels(slo: &Slo, objective: Option<&Objective>) -> Node {
    labels_with(slo, objective, [None, None])
}

/// The same with the window of the calendar and its time zone.
fn labels_with(slo: &Slo, objective: Option<&Objective>, calendar: [Option<String>; 2]) -> Node {
    let [window, zone] = calendar.map(|said| said.map(quoted));
    map([
        ("burnward_service", Some(word(slo.id.service.as_str()))),
        ("burnward_slo", Some(word(slo.id.name.as_str()))),
        ("burnward_objective", objective.map(|objective| quoted(objective.name.as_str()))),
        (CALENDAR[0], window),
        (CALENDAR[1], zone),
        (SHADOW, (slo.status == Status::Shadow).then(|| word("shadow"))),
        ("team", Some(word(slo.team.as_str()))),
    ])
}

/// The series of an SLO: `{burnward_service="a",burnward_slo="b"}`.
pub(super) fn matching(slo: &Slo) -> String {
    format!("{{burnward_service=\"{}\",burnward_slo=\"{}\"}}", slo.id.service, slo.id.name)
}

fn recording(name: &str, expr: &str, labels: &Node) -> Node {
    map([("record", Some(word(name))), ("expr", Some(quoted(expr))), ("labels", Some(labels.clone()))])
}

/// Target and window of an objective, and what is left of its budget.
fn figures(slo: &Slo, objective: &Objective) -> Vec<Node> {
    let labels = labels(slo, Some(objective));
    let calendar = match &objective.window {
        Window::Calendar { period, zone } => [Some(format!("calendar {}", period.word())), Some(zone.to_string())],
        Window::Rolling(_) => [None, None],
    };
    let of_target = labels_with(slo, Some(objective), calendar);
    let target = share(objective.target).map(|share| recording(TARGET, &format!("vector({share})"), &of_target));
    let rolling = rolling(objective).into_iter().flat_map(|window| {
        let days = Ratio::new(u64::try_from(window.as_millis()).unwrap_or(u64::MAX), 86_400_000).map(decimal).unwrap_or_default();
        let left = format!("1 - {}{} / {}", name(window), matching(slo), decimal(objective.target.allowed()));
        [recording(WINDOW, &format!("vector({days})"), &labels), recording(LEFT, &left, &labels)]
    });
    target.into_iter().chain(rolling).collect()
}

/// The share of bad events above which a row holds: its burn rate times the budget, in one number.
pub(super) fn threshold(objective: &Objective, row: &AlertRow) -> String {
    let (factor, allowed) = (row.factor.ratio(), objective.target.allowed());
    let product = factor.num().checked_mul(allowed.num()).zip(factor.den().checked_mul(allowed.den()));
    product.and_then(|(num, den)| Ratio::new(num, den)).map_or_else(|| (row.factor.as_f64() * allowed.as_f64()).to_string(), decimal)
}

fn alert(slo: &Slo, objective: &Objective, row: &AlertRow) -> Node {
    let threshold = threshold(objective, row);
    let side = |lookback: Duration| format!("{}{} > {threshold}", name(lookback), matching(slo));
    let summary = format!(
        "{}: the error budget of {}% over {} burns: {}",
        slo.title.replace("{{", "{ {"),
        objective.target.as_percent(),
        rolling(objective).map_or_else(|| words::window_spoken(&objective.window), duration::format),
        row_words(row)
    );
    map([
        ("alert", Some(word("ErrorBudgetBurn"))),
        ("expr", Some(quoted(format!("{} and {}", side(row.long), side(row.short))))),
        (
            "labels",
            Some(map([
                ("severity", Some(word(severity(row.urgency)))),
                ("burn_rate", Some(quoted(row.factor.to_string()))),
                // Rows may share a burn rate, and two rules with the same labels are one alert.
                ("long_window", Some(word(duration::format(row.long)))),
                ("short_window", Some(word(duration::format(row.short)))),
                ("burnward_service", Some(word(slo.id.service.as_str()))),
                ("burnward_slo", Some(word(slo.id.name.as_str()))),
                ("burnward_objective", Some(quoted(objective.name.as_str()))),
                ("team", Some(word(slo.team.as_str()))),
            ])),
        ),
        ("annotations", Some(annotations(slo, &summary))),
    ])
}

fn severity(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    }
}

fn annotations(slo: &Slo, summary: &str) -> Node {
    map([("summary", Some(quoted(summary))), ("runbook", slo.runbook.as_ref().map(|runbook| quoted(runbook.as_str())))])
}

/// An alert that nothing of an SLO is there any more.
fn absence(slo: &Slo) -> Option<Node> {
    let summary = format!("{}: there is no data", slo.title.replace("{{", "{ {"));
    let labels = map([
        ("severity", Some(word(severity(slo.no_data.then.urgency())))),
        ("burnward_service", Some(word(slo.id.service.as_str()))),
        ("burnward_slo", Some(word(slo.id.name.as_str()))),
        ("team", Some(word(slo.team.as_str()))),
    ]);
    ratio::presence(&slo.sli).map(|there| {
        map([
            ("alert", Some(word("SloWithoutData"))),
            ("expr", Some(quoted(format!("absent({there})")))),
            ("for", Some(word(duration::format(slo.no_data.after)))),
            ("labels", Some(labels)),
            ("annotations", Some(annotations(slo, &summary))),
        ])
    })
}
