//! Pages that are owed, and the timers behind them.

use crate::{
    escalation::{self, Place},
    id::{IncidentId, PageId},
    oncall::Recipient,
    slo::Urgency,
    time::Timestamp,
};

use super::super::{EscalationReason, Incident, Kind, PageReason, Phase, ReopenReason, What};
use super::{
    Scope,
    alerts::{reopen, tell_return},
    next_due,
    people::end_of_test,
};

pub(super) fn escalate(incident: &Incident, to: Place, why: EscalationReason, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let escalated = What::Escalated { step: to.step, round: to.round, why };
    let wave = Wave { id: &incident.id, calls: calls(incident, why), place: to, why: page_reason(why) };
    let told = match (&incident.phase, incident.fault.urgency) {
        (Phase::Open, Urgency::Page) => wave.pages_and_timer(scope, now),
        (Phase::Open, Urgency::Ticket) | (Phase::Acknowledged { .. } | Phase::Resolved { .. }, _) => wave.pages(scope),
    };
    [escalated].into_iter().chain(told).collect()
}

/// A request for help is something new; the next step of a timer belongs to what it is about.
const fn calls(incident: &Incident, why: EscalationReason) -> u32 {
    match why {
        EscalationReason::HelpAsked => incident.escalation.calls + 1,
        EscalationReason::NotAcknowledged | EscalationReason::Unreachable => incident.escalation.calls,
    }
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
        Phase::Open if escalation::due(&incident.escalation, now) && incident.fault.kind == Kind::Test => end_of_test(incident),
        Phase::Open if escalation::due(&incident.escalation, now) => match escalation::next_by_timer(scope.team, place(incident)) {
            Some(next) => escalate(incident, next, EscalationReason::NotAcknowledged, scope, now),
            None => vec![What::EscalationEnded],
        },
        Phase::Resolved { .. } if next_due(incident).is_some_and(|due| due <= now) => {
            reopen(incident, ReopenReason::StillHolds, None, scope, now)
        }
        Phase::Open | Phase::Acknowledged { .. } => tell_return(incident, scope, now),
        Phase::Resolved { .. } => Vec::new(),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        incident::story::{recipient, story},
        time::{hours, minutes},
    };

    #[test]
    fn without_an_acknowledgement_the_next_step_is_paged_at_the_due_time_and_not_before() {
        story()
            .fires("acme")
            .after(Duration::from_millis(299_999))
            .ticks()
            .expect_nothing()
            .after(Duration::from_millis(1))
            .ticks()
            .expect_pages(["#pay", "sam", "#leads"])
            .ticks()
            .expect_nothing()
            .expect_due_in(Some(minutes(10)));
    }

    #[test]
    fn after_three_rounds_escalation_ends_and_says_so() {
        let mut story = story().fires("acme");
        let mut steps = vec![(0, 0)];
        while let Some(due) = super::super::next_due(story.state()) {
            let wait = due.since(story.now);
            story = story.after(wait).ticks();
            steps.push((story.state().escalation.round, story.state().escalation.step));
        }
        assert_eq!(steps, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (2, 2)]);
        story.expect_facts(["escalation ended"]).after(hours(9)).ticks().expect_nothing().expect_phase("open");
    }

    #[test]
    fn after_downtime_one_step_is_taken_and_its_timer_starts_anew() {
        story()
            .fires("acme")
            .after(hours(7))
            .ticks()
            .expect_pages(["#pay", "sam", "#leads"])
            .ticks()
            .expect_nothing()
            .expect_due_in(Some(minutes(10)));
    }

    #[test]
    fn a_new_page_after_the_last_round_does_not_start_a_timer_but_a_reopening_does() {
        let ended = (0..20).fold(story().fires("acme"), |story, _| story.after(hours(1)).ticks());
        ended
            .fires("latency/acme")
            .expect_facts(["joined: new SLO", "page", "page"])
            .clears("acme")
            .clears("latency/acme")
            .fires("acme")
            .expect_due_in(Some(minutes(5)));
    }

    #[test]
    fn the_teams_own_channel_is_paged_once_even_where_a_step_lists_it() {
        let mut story = story();
        story.team.escalation[0].page = vec![recipient("#pay"), recipient("ada"), recipient("ada")];
        story.fires("acme").expect_pages(["#pay", "ada"]);
    }

    #[test]
    fn a_team_whose_steps_were_taken_away_still_gets_its_post() {
        let mut story = story().fires("acme");
        story.team.escalation.clear();
        story.after(minutes(5)).ticks().expect_facts(["escalated", "page"]).expect_pages(["#pay"]).expect_due_in(None);
    }
}
