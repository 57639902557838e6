//! An SLO spelled out: every key of its document with what stands there, defaults included. Two SLOs with the same facts decide the same.

use std::time::Duration;

use burnward_core::{
    sli::{
        Composite, Counted, Expression, HistogramKind, Selector, Sli,
        composite::{Member, Members},
    },
    slo::{AlertRow, CountedIn, LowTraffic, NoTraffic, Objective, Slo},
    status::{Status, Suspension},
    window::Window,
    words,
};

use crate::{
    definition::{duration, row_words},
    report::words::utc,
};

/// One key of a document, and what stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The key, as a path: `sli.events.total`.
    pub key: String,
    /// As a document would write it.
    pub value: String,
}

impl Fact {
    fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

/// Every fact of an SLO, in the order of a document.
pub fn facts(slo: &Slo) -> Vec<Fact> {
    let Slo {
        id: _,
        was: _,
        origin: _,
        title,
        team,
        runbook,
        source,
        sli,
        per,
        objectives,
        no_data,
        no_traffic,
        new_series,
        low_traffic,
        excluded_time,
        status,
    } = slo;
    let mut facts = vec![Fact::new("title", title.as_str()), Fact::new("team", team.as_str()), Fact::new("source", source.as_str())];
    facts.extend(runbook.iter().map(|file| Fact::new("runbook", file.as_str())));
    facts.extend(of_sli(sli).into_iter().map(|fact| Fact { key: format!("sli.{}", fact.key), ..fact }));
    if !per.is_empty() {
        facts.push(Fact::new("per", per.join(", ")));
    }
    facts.extend(objectives.iter().flat_map(of_objective));
    facts.push(Fact::new("no-data", format!("{} after {}", no_data.then.word(), duration::format(no_data.after))));
    if sli.can_be_silent() {
        let told = match no_traffic {
            NoTraffic::Fine => no_traffic.word().to_owned(),
            NoTraffic::TellOwner { after } => format!("{} after {}", no_traffic.word(), duration::format(*after)),
        };
        facts.push(Fact::new("no-traffic", told));
    }
    if sli.counts_counters() {
        facts.push(Fact::new("new-series", new_series.word()));
    }
    let low_traffic = match low_traffic {
        LowTraffic::Exact => "exact",
        LowTraffic::Off => "off",
    };
    facts.push(Fact::new("low-traffic", low_traffic));
    facts.push(Fact::new("excluded-time", excluded_time.word()));
    facts.push(Fact::new("status", of_status(status)));
    facts
}

fn of_status(status: &Status) -> String {
    match status {
        Status::Active | Status::Shadow => status.word().to_owned(),
        Status::Suspended(Suspension { reason, until }) => format!("{} until {}: {reason}", status.word(), utc(*until)),
    }
}

fn of_objective(objective: &Objective) -> Vec<Fact> {
    let Objective { name, target, window, counted_in, rows } = objective;
    let key = |key: &str| format!("objectives.{name}.{key}");
    let mut facts = vec![Fact::new(key("target"), percent(&target.as_percent())), Fact::new(key("window"), words::window(window))];
    if let Window::Calendar { zone, .. } = window {
        facts.push(Fact::new(key("timezone"), zone.as_str()));
    }
    if let CountedIn::Slices(rule) = counted_in {
        let rule = format!("slices of {}, good from {}", duration::format(rule.length), percent(&rule.good_from.as_percent()));
        facts.push(Fact::new(key("counted-in"), rule));
    }
    let rows: Vec<String> = rows.iter().map(|row: &AlertRow| row_words(row)).collect();
    facts.push(Fact::new(key("alerting"), if rows.is_empty() { "none".to_owned() } else { rows.join(", ") }));
    facts
}

/// A boundary as a document writes it, which is in whole milliseconds; any other as the number that it is.
fn threshold(seconds: f64) -> String {
    let span = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let rounded = Duration::from_millis(u64::try_from((span + Duration::from_micros(500)).as_millis()).unwrap_or_default());
    let is_whole = !rounded.is_zero() && rounded.as_secs_f64().to_bits() == seconds.to_bits();
    if is_whole { duration::format(rounded) } else { seconds.to_string() }
}

/// A share with its sign: 99.0 and 99 are one target.
fn percent(share: &str) -> String {
    let trimmed = if share.contains('.') { share.trim_end_matches('0').trim_end_matches('.') } else { share };
    format!("{trimmed}%")
}

fn of_sli(sli: &Sli) -> Vec<Fact> {
    match sli {
        Sli::Events { counted, total } => {
            vec![side("events", counted, |selectors| sum(selectors)), Fact::new("events.total", sum(total))]
        }
        Sli::Latency { buckets, kind, within, tolerated } => {
            let key = match kind {
                HistogramKind::Classic => "classic",
                HistogramKind::Native => "native",
            };
            let mut facts = vec![
                Fact::new("latency.histogram", buckets.to_string()),
                Fact::new("latency.buckets", key),
                Fact::new("latency.within", threshold(*within)),
            ];
            facts.extend(tolerated.map(|tolerated| Fact::new("latency.tolerated", threshold(tolerated))));
            facts
        }
        Sli::Probe { probes } => vec![Fact::new("probe", sum(probes))],
        Sli::Presence { series, slice, expected } => {
            let mut facts = vec![Fact::new("presence.series", series.to_string()), Fact::new("presence.slice", duration::format(*slice))];
            if !expected.is_empty() {
                let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
                facts.push(Fact::new("presence.expected", expected.join(", ")));
            }
            facts
        }
        Sli::Window { expression, is, threshold, slice } => vec![
            Fact::new("window.expr", expression.to_string()),
            Fact::new("window.is", is.sign()),
            Fact::new("window.threshold", threshold.to_string()),
            Fact::new("window.slice", duration::format(*slice)),
        ],
        Sli::Query { counted, total, step } => vec![
            side("query", counted, Expression::to_string),
            Fact::new("query.total", total.to_string()),
            Fact::new("query.step", duration::format(*step)),
        ],
        Sli::Composite(composite) => of_composite(composite),
    }
}

fn side<T>(kind: &str, counted: &Counted<T>, words: impl Fn(&T) -> String) -> Fact {
    let (name, side) = match counted {
        Counted::Bad(side) => ("bad", side),
        Counted::Good(side) => ("good", side),
    };
    Fact::new(format!("{kind}.{name}"), words(side))
}

fn sum(selectors: &[Selector]) -> String {
    selectors.iter().map(ToString::to_string).collect::<Vec<_>>().join(" + ")
}

fn of_composite(composite: &Composite) -> Vec<Fact> {
    let member = |kind: &str, Member { slo, good_from, unseen }: &Member, weight: String| {
        let value = format!("{weight}good from {}, no data: {}", percent(&good_from.as_percent()), unseen.word());
        Fact::new(format!("composite.{kind}.{}/{}", slo.service, slo.name), value)
    };
    let mut facts: Vec<Fact> = match &composite.members {
        Members::AllOf(members) => members.iter().map(|each| member("all-of", each, String::new())).collect(),
        Members::Weighted(members) => {
            members.iter().map(|(each, weight)| member("weighted", each, format!("weight {}, ", weight.words()))).collect()
        }
    };
    facts.push(Fact::new("composite.slice", duration::format(composite.slice)));
    facts
}
