//! Pages that are owed, and the timers behind them.

use crate::{
    escalation::{self, Place},
    id::{IncidentId, PageId},
    oncall::Recipient,
    slo::Urgency,
    time::Timestamp,
};

use super::super::{EscalationReason, Incident, PageReason, Phase, ReopenReason, What};
use super::{Scope, alerts::reopen, next_due};

pub(super) fn escalate(incident: &Incident, to: Place, why: EscalationReason, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let escalated = What::Escalated { step: to.step, round: to.round, why };
    let wave = Wave { id: &incident.id, calls: incident.escalation.calls, place: to, why: page_reason(why) };
    let told = match (&incident.phase, incident.fault.urgency) {
        (Phase::Open, Urgency::Page) => wave.pages_and_timer(scope, now),
        (Phase::Open, Urgency::Ticket) | (Phase::Acknowledged { .. } | Phase::Resolved { .. }, _) => wave.pages(scope),
    };
    [escalated].into_iter().chain(told).collect()
}

const fn page_reason(why: EscalationReason) -> PageReason {
    match why {
        EscalationReason::NotAcknowledged => PageReason::NotAcknowledged,
        EscalationReason::HelpAsked => PageReason::HelpAsked,
        EscalationReason::Unreachable => PageReason::Unreachable,
    }
}

pub(super) fn tick(incident: &Incident, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    match &incident.phase {
        Phase::Open if escalation::due(&incident.escalation, now) => match escalation::next_by_timer(scope.team, place(incident)) {
            Some(next) => escalate(incident, next, EscalationReason::NotAcknowledged, scope, now),
            None => vec![What::EscalationEnded],
        },
        Phase::Resolved { .. } if next_due(incident).is_some_and(|due| due <= now) => {
            reopen(incident, ReopenReason::StillHolds, None, scope, now)
        }
        Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. } => Vec::new(),
    }
}

/// Where every escalation begins.
pub(super) const FIRST: Place = Place { step: 0, round: 0 };

pub(super) const fn place(incident: &Incident) -> Place {
    Place { step: incident.escalation.step, round: incident.escalation.round }
}

/// Pages that are owed together: one step, one reason.
pub(super) struct Wave<'a> {
    pub(super) id: &'a IncidentId,
    pub(super) calls: u32,
    pub(super) place: Place,
    pub(super) why: PageReason,
}

impl Wave<'_> {
    pub(super) fn pages(&self, scope: &Scope<'_>) -> Vec<What> {
        escalation::recipients(scope.team, self.place.step).into_iter().map(|to| self.page(to, scope)).collect()
    }

    pub(super) fn pages_and_timer(&self, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
        let timer = escalation::wait(scope.team, self.place.step).map(|wait| What::EscalationDue { at: now.plus(wait) });
        self.pages(scope).into_iter().chain(timer).collect()
    }

    /// A page with its identity: a hash of what it is for, never of an attempt.
    pub(super) fn page(&self, to: Recipient, scope: &Scope<'_>) -> What {
        let Place { step, round } = self.place;
        let numbers = [step, round, self.calls].map(|number| number.to_string());
        let [step_text, round_text, calls_text] = &numbers;
        let page = PageId::of(&[scope.tenant.as_str(), self.id.as_str(), "page", step_text, round_text, &to.to_string(), calls_text]);
        What::PageOwed { page, to, step, round, why: self.why }
    }
}
