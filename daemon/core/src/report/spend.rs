//! Which incident spent how much of a budget.
//!
//! A burn lasts from when it began to when its incident was resolved. Each slice of the week goes to one incident: a page before a ticket, an earlier one
//! before a later one. Objectives of one SLO share their events, so that an incident of one of them explains the failures of all. So nothing is counted twice, and what no incident explains is what remains. A slice that an incident touches is its own as a whole:
//! of a week that is over, slices are hours.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    evaluate::BudgetStatus,
    id::{Group, IncidentId, SloId},
    incident::{AlertKey, Incident, Kind},
    ledger::Counts,
    slo::Urgency,
    time::Timestamp,
    window::Interval,
};

use super::failed;

/// What one incident spent of one budget.
#[derive(Debug, Clone, PartialEq)]
pub struct Spend {
    /// The incident.
    pub incident: IncidentId,
    /// Failed events; a tolerated one is half failed.
    pub failed: f64,
    /// Share of the budget; `None` without traffic.
    pub share: Option<f64>,
}

/// The incidents of a week by the groups of SLOs that burned in them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans(BTreeMap<(SloId, Group), Vec<Span>>);

/// When it burned in an incident.
#[derive(Debug, Clone, PartialEq)]
struct Span {
    incident: IncidentId,
    urgency: Urgency,
    opened_at: Timestamp,
    over: Interval,
}

impl Spans {
    /// The burns of a week. One that is not over lasts to the end of the week.
    pub fn of<'a>(incidents: impl IntoIterator<Item = &'a Incident>, week: Interval) -> Self {
        let mut spans: BTreeMap<(SloId, Group), Vec<Span>> = BTreeMap::new();
        for incident in incidents {
            let Some(span) = span(incident, week) else { continue };
            let burned: BTreeSet<(SloId, Group)> = incident.members.keys().filter_map(burned).collect();
            for one in burned {
                spans.entry(one).or_default().push(span.clone());
            }
        }
        for of_budget in spans.values_mut() {
            of_budget
                .sort_by(|a, b| b.urgency.cmp(&a.urgency).then(a.opened_at.cmp(&b.opened_at)).then_with(|| a.incident.cmp(&b.incident)));
        }
        Self(spans)
    }

    /// What the incidents spent of a budget, the largest part first. `slices` lie one behind another.
    pub fn attribute(&self, then: &BudgetStatus, slices: &[(Interval, Counts)]) -> Vec<Spend> {
        let budget = &then.budget;
        let Some(spans) = self.0.get(&(budget.slo.clone(), budget.group.clone())) else { return Vec::new() };
        let mut spent: BTreeMap<&IncidentId, f64> = BTreeMap::new();
        for (slice, counts) in slices {
            if let Some(span) = spans.iter().find(|span| span.over.from < slice.to && slice.from < span.over.to) {
                *spent.entry(&span.incident).or_default() += failed(*counts, then.unit);
            }
        }
        let spends = spent.into_iter().filter(|(_, failed)| *failed > 0.0);
        let mut spends: Vec<Spend> =
            spends.map(|(incident, failed)| Spend { incident: incident.clone(), failed, share: share(then, failed) }).collect();
        spends.sort_by(|a, b| b.failed.total_cmp(&a.failed));
        spends
    }
}

/// Slices that are known by their ends, as stretches: each begins where the one before ends, the first at `from`.
pub fn stretches(from: Timestamp, slices: &[(Timestamp, Counts)]) -> Vec<(Interval, Counts)> {
    let begins = std::iter::once(from).chain(slices.iter().map(|(end, _)| *end));
    slices.iter().zip(begins).map(|((end, counts), begin)| (Interval { from: begin, to: *end }, *counts)).collect()
}

/// Which share of a budget so many failed events are; `None` without traffic.
pub fn share(then: &BudgetStatus, failed: f64) -> Option<f64> {
    let total = window_events(then);
    (total > 0.0).then(|| failed / (total * then.target.allowed().as_f64()))
}

/// The events that make up the window.
pub(super) fn window_events(then: &BudgetStatus) -> f64 {
    then.window_total / then.unit.per_event() as f64
}

fn span(incident: &Incident, week: Interval) -> Option<Span> {
    if incident.fault.kind != Kind::Burn {
        return None;
    }
    let end = incident.ended().unwrap_or(week.to);
    let over = Interval { from: incident.began.min(incident.opened_at).max(week.from), to: end.min(week.to) };
    let (id, urgency, opened_at) = (incident.id.clone(), incident.fault.urgency, incident.opened_at);
    (over.from < over.to).then_some(Span { incident: id, urgency, opened_at, over })
}

fn burned(alert: &AlertKey) -> Option<(SloId, Group)> {
    match alert {
        AlertKey::Budget(budget) => Some((budget.slo.clone(), budget.group.clone())),
        AlertKey::Source(_) | AlertKey::Slo(_) | AlertKey::Test => None,
    }
}
