//! Outcomes of deliveries, each recorded once per page.

use crate::{escalation, id::PageId, slo::Urgency, time::Timestamp};

use super::super::{EscalationReason, Incident, MessageRef, PageOutcome, Phase, What};
use super::{
    Scope,
    paging::{escalate, place},
};

pub(super) fn delivered(incident: &Incident, page: &PageId, at: &MessageRef, maybe_repeat: bool) -> Vec<What> {
    match incident.pages.get(page).map(|page| &page.outcome) {
        Some(PageOutcome::Owed | PageOutcome::Undeliverable { .. }) => {
            vec![What::Delivered { page: page.clone(), at: at.clone(), maybe_repeat }]
        }
        Some(PageOutcome::Delivered { .. }) | None => Vec::new(),
    }
}

pub(super) fn undeliverable(incident: &Incident, page: &PageId, reason: &str, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    match incident.pages.get(page).map(|page| &page.outcome) {
        Some(PageOutcome::Owed) => {
            let failed = What::Undeliverable { page: page.clone(), reason: reason.to_owned() };
            [failed].into_iter().chain(instead_of(incident, page, scope, now)).collect()
        }
        Some(PageOutcome::Delivered { .. } | PageOutcome::Undeliverable { .. }) | None => Vec::new(),
    }
}

/// The next step at once, where the incident waits for somebody and the page was the last hope of its step. At the last step the timer decides.
fn instead_of(incident: &Incident, page: &PageId, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    match (&incident.phase, incident.fault.urgency) {
        (Phase::Open, Urgency::Page) if nobody_else_reached(incident, page) => escalation::next_in_round(scope.team, place(incident))
            .map_or_else(Vec::new, |next| escalate(incident, next, EscalationReason::Unreachable, scope, now)),
        (Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. }, Urgency::Page | Urgency::Ticket) => Vec::new(),
    }
}

/// True where `page` belongs to the step that is waited for, and of the pages owed with it or later none arrived or is on its way.
fn nobody_else_reached(incident: &Incident, page: &PageId) -> bool {
    let Some(failed) = incident.pages.get(page) else { return false };
    let others = incident.pages.iter().filter(|(id, other)| *id != page && other.decided_at >= failed.decided_at);
    let mut hopes = others.filter(|(_, other)| !matches!(other.outcome, PageOutcome::Undeliverable { .. }));
    failed.step == incident.escalation.step && hopes.next().is_none()
}
