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

#[cfg(test)]
mod tests {
    use crate::{
        id::PageId,
        incident::{
            Actor, Command,
            story::{message_ref, story},
        },
        time::minutes,
    };

    #[test]
    fn an_arrival_is_recorded_once() {
        story().fires("acme").delivers("ada").expect_facts(["delivered"]).delivers("ada").expect_nothing().fails("ada").expect_nothing();
    }

    #[test]
    fn a_page_that_arrives_after_all_is_recorded() {
        story().fires("acme").fails("ada").fails("ada").expect_nothing().delivers("ada").expect_facts(["delivered"]);
    }

    #[test]
    fn an_unknown_page_changes_nothing() {
        let command = Command::Delivered { page: PageId::from_text("P-0"), at: message_ref(), maybe_repeat: true };
        story().fires("acme").does(&command, &Actor::Daemon).expect_nothing();
    }

    #[test]
    fn when_nobody_of_a_step_can_be_reached_the_next_is_paged_at_once() {
        story()
            .fires("acme")
            .fails("#pay")
            .expect_facts(["undeliverable"])
            .fails("ada")
            .expect_facts(["undeliverable", "escalated", "page", "page", "page", "timer"])
            .expect_pages(["#pay", "sam", "#leads"])
            .expect_due_in(Some(minutes(10)));
    }

    #[test]
    fn one_who_can_be_reached_is_enough_to_wait_for() {
        story().fires("acme").delivers("#pay").fails("ada").expect_facts(["undeliverable"]).expect_due_in(Some(minutes(5)));
        story().fires("acme").fails("ada").expect_facts(["undeliverable"]).fails("#pay").expect_pages(["#pay", "sam", "#leads"]);
    }

    #[test]
    fn at_the_last_step_the_timer_decides() {
        let last = story().fires("acme").after(minutes(5)).ticks().after(minutes(10)).ticks().expect_pages(["#pay", "li"]);
        last.fails("#pay").fails("li").expect_facts(["undeliverable"]).expect_due_in(Some(minutes(5)));
    }

    #[test]
    fn an_old_page_that_fails_late_pages_nobody() {
        let story = story().fires("acme");
        let (channel, ada) = (story.page_to("#pay"), story.page_to("ada"));
        let fail = |page: PageId| Command::Undeliverable { page, reason: "gone".to_owned() };
        story
            .after(minutes(5))
            .ticks()
            .does(&fail(channel), &Actor::Daemon)
            .expect_facts(["undeliverable"])
            .does(&fail(ada), &Actor::Daemon)
            .expect_facts(["undeliverable"]);
    }

    #[test]
    fn a_failure_after_the_acknowledgement_is_only_recorded() {
        story().fires("acme").fails("#pay").acknowledged_by("ana").fails("ada").expect_facts(["undeliverable"]);
    }
}
