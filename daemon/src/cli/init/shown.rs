//! What is proposed, as a summary and as JSON.

use std::path::Path;

use burnward_core::{
    id::{ServiceName, TeamName},
    words,
};

use crate::{
    proposal::{Indicator, document::Proposed, ladder::Tried, measure::Evidence},
    report::words::utc,
};

/// Proposed SLOs, ready to be shown.
#[derive(Debug)]
pub(super) struct Proposal {
    pub(super) service: Option<ServiceName>,
    pub(super) team: Option<TeamName>,
    pub(super) slos: Vec<Proposed>,
    /// The document.
    pub(super) text: String,
    /// What a reader should know that stands at no place of the document.
    pub(super) notes: Vec<String>,
    /// Metrics that would do, too.
    pub(super) others: Vec<String>,
}

impl Proposal {
    /// What to do next.
    pub(super) fn summary(&self, out: Option<&Path>) -> String {
        let service = self.service.as_ref().map(|service| format!(" of {service}")).unwrap_or_default();
        let others = match self.others.as_slice() {
            [] => String::new(),
            others => format!(" Others would do, too, named by --match: {}.", words::list(others, 8)),
        };
        let missing: Vec<&str> = [("service", self.service.is_none()), ("team", self.team.is_none())]
            .into_iter()
            .filter_map(|(key, is_missing)| is_missing.then_some(key))
            .collect();
        let fill = if missing.is_empty() { String::new() } else { format!(" Fill in: {}.", missing.join(", ")) };
        let file = out
            .map_or_else(|| "it with --out=FILE, then burnward check FILE".to_owned(), |out| format!("burnward check {}", out.display()));
        let next = if out.is_some() { format!("Next: {file}") } else { format!("Keep {file}") };
        format!("Proposed {}{service}.{others}{fill} {next}", words::plural(self.slos.len(), "SLO"))
    }

    /// All of it for programs.
    pub(super) fn as_json(&self) -> String {
        let report = serde_json::json!({
            "schema": "burnward/v1/init",
            "service": self.service.as_ref().map(ServiceName::as_str),
            "team": self.team.as_ref().map(TeamName::as_str),
            "slos": self.slos.iter().map(of_slo).collect::<Vec<_>>(),
            "others": self.others,
            "notes": self.notes,
            "text": self.text,
        });
        format!("{report:#}\n")
    }
}

fn of_slo(slo: &Proposed) -> serde_json::Value {
    let candidate = &slo.candidate;
    serde_json::json!({
        "name": candidate.name,
        "title": candidate.title,
        "sli": indicator(&candidate.indicator),
        "target_percent": slo.target,
        "remarks": candidate.remarks,
        "why": slo.why,
        "measured": slo.evidence.as_ref().map(measured),
    })
}

fn measured(evidence: &Evidence) -> serde_json::Value {
    let Evidence { span, counted, unseen, measured, tried, cut_for_series: _ } = evidence;
    let of_target = |one: &Tried| {
        serde_json::json!({
            "target_percent": one.target.as_percent(),
            "spent_ratio": measured.spent(one.target),
            "pages": one.pages,
            "tickets": one.tickets,
        })
    };
    serde_json::json!({
        "from": utc(counted.from),
        "to": utc(counted.to),
        "good_ratio": measured.good,
        "events": measured.events,
        "unseen_seconds": unseen.as_secs(),
        "pages_from": utc(span.from),
        "targets": tried.iter().map(of_target).collect::<Vec<_>>(),
    })
}

fn indicator(indicator: &Indicator) -> serde_json::Value {
    match indicator {
        Indicator::Events { bad, total, failed } => {
            serde_json::json!({ "events": { "bad": bad.to_string(), "total": total.to_string() }, "failures_seen": failed })
        }
        Indicator::Latency { histogram, within, native, by_observation: _ } => {
            let buckets = if *native { "native" } else { "classic" };
            serde_json::json!({ "latency": { "histogram": histogram.to_string(), "within_seconds": within.as_secs_f64(), "buckets": buckets } })
        }
        Indicator::Probe { series } => serde_json::json!({ "probe": series.to_string() }),
    }
}
