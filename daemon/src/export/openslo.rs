//! Documents of `openslo/v1`: an SLO with its indicator, and an alert policy for each row.

use std::sync::Arc;

use burnward_core::{
    exclusion::ExcludedTime,
    sli::{Comparison, Counted, HistogramKind, Selector, Sli},
    slo::{AlertRow, CountedIn, LowTraffic, NewSeries, NoDataThen, NoTraffic, Objective, Slo, Urgency},
    status::Status,
    window::{Period, Window},
};

use super::{Exported, Loss, decimal, list, map, quoted, ratio, share, word};
use crate::{
    definition::{duration, print, yaml::Node},
    import::{RUNBOOK, STATUS, SUSPENDED},
    report::words::utc,
};

const VERSION: &str = "openslo/v1";

pub(super) fn export(slos: &[Arc<Slo>]) -> Exported {
    let (mut texts, mut losses, mut written) = (Vec::new(), Vec::new(), 0);
    for slo in slos {
        match indicator(slo) {
            Ok(indicator) => {
                losses.extend(lost(slo));
                let documents = documents(slo, &indicator, &mut losses);
                written += usize::from(!documents.is_empty());
                texts.extend(documents.iter().map(print::text));
            }
            Err(why) => losses.push(Loss::of(slo, format!("not written: {why}"))),
        }
    }
    let text = format!("# Written by `burnward export --format openslo`.\n{}", texts.join("---\n"));
    Exported { text, slos: written, losses }
}

/// What an SLO of OpenSLO cannot say.
fn lost(slo: &Slo) -> Vec<Loss> {
    let mut lost = Vec::new();
    let mut tell = |what: &str| lost.push(Loss::of(slo, what));
    match slo.low_traffic {
        LowTraffic::Off => tell("`low-traffic: off` cannot be said"),
        LowTraffic::Exact => {}
    }
    match slo.no_data.then {
        NoDataThen::CountAsBad => tell("`no-data: count-as-bad` cannot be said"),
        NoDataThen::TellOwner | NoDataThen::Page => {}
    }
    match slo.no_traffic {
        NoTraffic::TellOwner { .. } => tell("`no-traffic: tell-owner` cannot be said"),
        NoTraffic::Fine => {}
    }
    match slo.new_series {
        NewSeries::CountFirst | NewSeries::Baseline => tell("`new-series` cannot be said"),
        NewSeries::Auto => {}
    }
    match slo.excluded_time {
        ExcludedTime::CountsAsGood => tell("`excluded-time: counts-as-good` cannot be said"),
        ExcludedTime::Removed => {}
    }
    match &slo.status {
        Status::Active => {}
        Status::Shadow | Status::Suspended(_) => {
            tell("`status` is an annotation that `burnward import` reads: another tool that loads it tells people by its alert policies");
        }
    }
    if let Sli::Latency { tolerated: Some(_), .. } = &slo.sli {
        tell("`tolerated`: what is above `within` is bad there");
    }
    if slo.sli.step().is_some_and(|step| step.as_secs() != 60) {
        tell("how long a step (or slice) is cannot be said: a minute is taken where it is read again");
    }
    if slo.objectives.iter().flat_map(|objective| &objective.rows).any(|row| row.short != row.long / 12) {
        tell("the short lookback of a row cannot be said: a twelfth of the long one is taken where it is read again");
    }
    lost
}

/// `spec:` of the indicator; `Err` with the reason where OpenSLO has none like it.
fn indicator(slo: &Slo) -> Result<Node, &'static str> {
    let by = ratio::by(&slo.per);
    let sum = |selectors: &[Selector]| selectors.iter().map(|selector| format!("sum{by}({selector})")).collect::<Vec<_>>().join(" + ");
    let counters = |side: &str, part: String, total: String| Ok(ratio_metric(true, side, &part, &total));
    match &slo.sli {
        Sli::Events { counted: Counted::Bad(bad), total } => counters("bad", sum(bad), sum(total)),
        Sli::Events { counted: Counted::Good(good), total } => counters("good", sum(good), sum(total)),
        Sli::Latency { buckets, kind: HistogramKind::Classic, within, tolerated: _ } => {
            let bucket = |le| sum(&[buckets.with(le)]);
            counters("good", bucket(ratio::boundary(*within)), bucket(ratio::infinite()))
        }
        Sli::Latency { kind: HistogramKind::Native, .. } => Err("a native histogram has no counters of its own"),
        Sli::Probe { probes } => {
            let of = |function: &str| {
                let sums = probes.iter().map(|probe| format!("sum{by}({function}({probe}[1m]))"));
                sums.collect::<Vec<_>>().join(" + ")
            };
            Ok(ratio_metric(false, "good", &of("sum_over_time"), &of("count_over_time")))
        }
        Sli::Window { expression, is: Comparison::AtMost | Comparison::Less | Comparison::AtLeast | Comparison::Greater, .. } => {
            Ok(map([("thresholdMetric", Some(metric(expression.as_str())))]))
        }
        Sli::Window { is: Comparison::Equal | Comparison::Different, .. } => Err("OpenSLO has no operator for == and !="),
        Sli::Query { counted: Counted::Bad(bad), total, .. } => Ok(ratio_metric(false, "bad", bad.as_str(), total.as_str())),
        Sli::Query { counted: Counted::Good(good), total, .. } => Ok(ratio_metric(false, "good", good.as_str(), total.as_str())),
        Sli::Presence { .. } => Err("that something exists is no ratio and no threshold"),
        Sli::Composite(_) => Err("what joins SLOs is not said by OpenSLO"),
    }
}

fn ratio_metric(counter: bool, side: &str, part: &str, total: &str) -> Node {
    let counter = Some(word(if counter { "true" } else { "false" }));
    map([("ratioMetric", Some(map([("counter", counter), (side, Some(metric(part))), ("total", Some(metric(total)))])))])
}

fn metric(query: &str) -> Node {
    let spec = map([("query", Some(quoted(query)))]);
    map([("metricSource", Some(map([("type", Some(word("Prometheus"))), ("spec", Some(spec))])))])
}

/// One document for each window and way of counting: an SLO of OpenSLO has one of each, and one set of alerts.
fn documents(slo: &Slo, indicator: &Node, losses: &mut Vec<Loss>) -> Vec<Node> {
    let mut groups: Vec<Vec<&Objective>> = Vec::new();
    for objective in &slo.objectives {
        let fits = |group: &Vec<&Objective>| {
            let first = group[0];
            let same_way = matches!(
                (first.counted_in, objective.counted_in),
                (CountedIn::Events, CountedIn::Events) | (CountedIn::Slices(_), CountedIn::Slices(_))
            );
            first.window == objective.window && first.rows == objective.rows && same_way
        };
        match groups.iter_mut().find(|group| fits(group)) {
            Some(group) => group.push(objective),
            None => groups.push(vec![objective]),
        }
    }
    let alone = groups.len() == 1;
    let document = |group: &Vec<&Objective>| {
        let name = if alone { slo.id.name.to_string() } else { format!("{}-{}", slo.id.name, group[0].name) };
        document(slo, indicator, group, &name)
    };
    if !alone {
        losses.push(Loss::of(slo, "its objectives differ in windows or alerts, so each becomes an SLO of its own"));
    }
    groups.iter().map(document).collect()
}

fn document(slo: &Slo, indicator: &Node, objectives: &[&Objective], name: &str) -> Node {
    let metadata = map([
        ("name", Some(word(name))),
        ("displayName", Some(quoted(slo.title.as_str()))),
        ("labels", Some(map([("team", Some(word(slo.team.as_str())))]))),
        ("annotations", annotations(slo)),
    ]);
    let inner = map([("metadata", Some(map([("name", Some(word(name)))]))), ("spec", Some(indicator.clone()))]);
    let method = match objectives[0].counted_in {
        CountedIn::Events => "Occurrences",
        CountedIn::Slices(_) => "Timeslices",
    };
    let alone = objectives.len() == 1;
    let policies = objectives[0].rows.iter().enumerate().map(|(at, row)| policy(slo, name, at, row)).collect();
    let spec = map([
        ("service", Some(word(slo.id.service.as_str()))),
        ("indicator", Some(inner)),
        ("timeWindow", Some(list(vec![window(&objectives[0].window)]))),
        ("budgetingMethod", Some(word(method))),
        ("objectives", Some(list(objectives.iter().map(|one| objective(slo, one, alone)).collect()))),
        ("alertPolicies", Some(list(policies))),
    ]);
    map([("apiVersion", Some(word(VERSION))), ("kind", Some(word("SLO"))), ("metadata", Some(metadata)), ("spec", Some(spec))])
}

/// What OpenSLO has no keys for, and `burnward import` reads.
fn annotations(slo: &Slo) -> Option<Node> {
    let (status, suspension) = match &slo.status {
        Status::Active => (None, None),
        Status::Shadow => (Some("shadow"), None),
        Status::Suspended(suspension) => (Some("suspended"), Some(suspension)),
    };
    let [(_, until), (_, reason)] = SUSPENDED;
    let is_any = slo.runbook.is_some() || status.is_some();
    is_any.then(|| {
        map([
            (RUNBOOK, slo.runbook.as_ref().map(|runbook| quoted(runbook.as_str()))),
            (STATUS, status.map(word)),
            (until, suspension.map(|suspension| quoted(utc(suspension.until)))),
            (reason, suspension.map(|suspension| quoted(suspension.reason.as_str()))),
        ])
    })
}

fn window(window: &Window) -> Node {
    match window {
        // Weeks and below are what `d` counts; the rest is written in the unit that holds it whole.
        Window::Rolling(length) => {
            let seconds = length.as_secs();
            let text = if seconds.is_multiple_of(86_400) {
                format!("{}d", seconds / 86_400)
            } else if seconds.is_multiple_of(3600) {
                format!("{}h", seconds / 3600)
            } else {
                format!("{}m", seconds / 60)
            };
            map([("duration", Some(word(text))), ("isRolling", Some(word("true")))])
        }
        Window::Calendar { period, zone } => {
            let (text, start) = match period {
                Period::Week => ("1w", "2024-01-01 00:00:00"),
                Period::Month => ("1M", "2024-01-01 00:00:00"),
                Period::Quarter => ("1Q", "2024-01-01 00:00:00"),
            };
            let calendar = map([("startTime", Some(word(start))), ("timeZone", Some(word(zone.as_str())))]);
            map([("duration", Some(word(text))), ("calendar", Some(calendar)), ("isRolling", Some(word("false")))])
        }
    }
}

fn objective(slo: &Slo, objective: &Objective, alone: bool) -> Node {
    let (op, value) = match &slo.sli {
        Sli::Window { is, threshold, .. } => (operator(*is), Some(word(threshold.to_string()))),
        Sli::Events { .. } | Sli::Latency { .. } | Sli::Probe { .. } | Sli::Presence { .. } | Sli::Query { .. } | Sli::Composite(_) => {
            (None, None)
        }
    };
    let slices = match objective.counted_in {
        CountedIn::Events => None,
        CountedIn::Slices(rule) => Some(rule),
    };
    let good_from = slices.map(|rule| {
        let failing = rule.good_from.failing();
        burnward_core::units::Ratio::new(failing.den() - failing.num(), failing.den()).map(decimal).unwrap_or_default()
    });
    map([
        ("displayName", (!alone).then(|| word(objective.name.as_str()))),
        ("op", op.map(word)),
        ("value", value),
        ("target", share(objective.target).map(word)),
        ("timeSliceTarget", good_from.map(word)),
        ("timeSliceWindow", slices.map(|rule| word(format!("{}m", rule.length.as_secs() / 60)))),
    ])
}

fn operator(is: Comparison) -> Option<&'static str> {
    match is {
        Comparison::AtMost => Some("lte"),
        Comparison::Less => Some("lt"),
        Comparison::AtLeast => Some("gte"),
        Comparison::Greater => Some("gt"),
        Comparison::Equal | Comparison::Different => None,
    }
}

fn policy(slo: &Slo, name: &str, at: usize, row: &AlertRow) -> Node {
    let severity = match row.urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    };
    let no_data = row.urgency == Urgency::Page && slo.no_data.then.urgency() == Urgency::Page;
    let condition = map([
        ("kind", Some(word("burnrate"))),
        ("op", Some(word("gt"))),
        ("threshold", Some(word(row.factor.to_string()))),
        ("lookbackWindow", Some(word(duration::format(row.long)))),
        ("alertAfter", Some(word("0m"))),
    ]);
    let condition = map([
        ("kind", Some(word("AlertCondition"))),
        ("metadata", Some(map([("name", Some(word(format!("{name}-burn-{}", at + 1))))]))),
        ("spec", Some(map([("severity", Some(word(severity))), ("condition", Some(condition))]))),
    ]);
    let target = map([("targetRef", Some(word(slo.team.as_str())))]);
    let spec = map([
        ("alertWhenBreaching", Some(word("true"))),
        ("alertWhenResolved", Some(word("true"))),
        ("alertWhenNoData", Some(word(if no_data { "true" } else { "false" }))),
        ("conditions", Some(list(vec![condition]))),
        ("notificationTargets", Some(list(vec![target]))),
    ]);
    map([
        ("kind", Some(word("AlertPolicy"))),
        ("metadata", Some(map([("name", Some(word(format!("{name}-{severity}-{}", at + 1))))]))),
        ("spec", Some(spec)),
    ])
}
