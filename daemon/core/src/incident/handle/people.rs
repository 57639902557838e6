//! What people ask for: to take it, to get help, to write something down, to end it. A late or doubled request is answered, not refused.

use std::time::Duration;

use crate::{
    escalation::{self, Place},
    oncall::Team,
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::super::{Actor, EscalationReason, Incident, Kind, Phase, Resolution, What};
use super::{
    Answer, Scope,
    paging::{FIRST, escalate, place},
};

/// Two requests for help within this time are one: a double click, a payload sent again, two people at once.
const ONE_REQUEST: Duration = Duration::from_secs(30);

/// The same words of the same person within this time are one note: a form sent twice.
const ONE_NOTE: Duration = minutes(1);

/// The longest note, in characters; what is longer is cut.
const NOTE_CHARACTERS: usize = 4_000;

pub(super) fn acknowledge(incident: &Incident) -> Answer {
    match &incident.phase {
        Phase::Open => Answer::Events([What::Acknowledged].into_iter().chain(end_of_test(incident)).collect()),
        Phase::Acknowledged { .. } | Phase::Resolved { .. } => already(&incident.phase),
    }
}

/// A test has done its work once somebody acknowledged it, or once its time is over; nothing else ends by that.
pub(super) fn end_of_test(incident: &Incident) -> Vec<What> {
    match incident.fault.kind {
        Kind::Burn | Kind::CannotSee => Vec::new(),
        Kind::Test => {
            let recovered = incident.open_members().map(|(alert, _)| What::Recovered { alert: alert.clone() });
            recovered.chain([What::Resolved { how: Resolution::Recovered }]).collect()
        }
    }
}

pub(super) fn resolve(incident: &Incident) -> Answer {
    match &incident.phase {
        Phase::Open | Phase::Acknowledged { .. } => Answer::Events(vec![What::Resolved { how: Resolution::ByPerson }]),
        Phase::Resolved { .. } => already(&incident.phase),
    }
}

/// Who brought the incident into its phase. An open one was not brought anywhere: nothing changes.
fn already(phase: &Phase) -> Answer {
    match phase {
        Phase::Open => Answer::Events(Vec::new()),
        Phase::Acknowledged { at, by } | Phase::Resolved { at, by, .. } => Answer::Already { what: phase.word(), by: by.clone(), at: *at },
    }
}

/// The next step now. An acknowledgement stays: whoever asks for help has taken it, and nothing escalates by itself.
pub(super) fn help(incident: &Incident, scope: &Scope<'_>, now: Timestamp) -> Answer {
    match (&incident.phase, &incident.last_help) {
        (Phase::Resolved { .. }, _) => already(&incident.phase),
        (Phase::Open | Phase::Acknowledged { .. }, Some((at, by))) if now.since(*at) < ONE_REQUEST => {
            Answer::Already { what: "escalated", by: by.clone(), at: *at }
        }
        (Phase::Open | Phase::Acknowledged { .. }, _) => {
            Answer::Events(escalate(incident, help_place(incident, scope.team), EscalationReason::HelpAsked, scope, now))
        }
    }
}

/// Where help comes from: the place after the last one. A ticket has paged nobody yet, so that its first request goes to the first step.
fn help_place(incident: &Incident, team: &Team) -> Place {
    match (incident.fault.urgency, &incident.last_help) {
        (Urgency::Ticket, None) => FIRST,
        (Urgency::Page, _) | (Urgency::Ticket, Some(_)) => escalation::next(team, place(incident)),
    }
}

pub(super) fn note(incident: &Incident, text: &str, by: &Actor, now: Timestamp) -> Vec<What> {
    let text: String = text.trim().chars().take(NOTE_CHARACTERS).collect();
    let again = incident.last_note.as_ref().is_some_and(|last| last.text == text && last.by == *by && now.since(last.at) < ONE_NOTE);
    if text.is_empty() || again { Vec::new() } else { vec![What::Noted { text }] }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        incident::{
            is_over,
            story::{story, ticket_story},
        },
        time::minutes,
    };

    #[test]
    fn an_acknowledgement_stops_the_escalation() {
        story()
            .fires("acme")
            .after(minutes(4))
            .acknowledged_by("ana")
            .expect_facts(["acknowledged"])
            .expect_due_in(None)
            .after(minutes(600))
            .ticks()
            .expect_nothing();
    }

    #[test]
    fn a_second_acknowledgement_is_answered_with_who_and_when() {
        story().fires("acme").acknowledged_by("ana").after(minutes(1)).acknowledged_by("sam").expect_already("acknowledged", "ana");
    }

    #[test]
    fn an_acknowledgement_after_the_end_is_answered_with_who_ended_it() {
        story().fires("acme").clears("acme").acknowledged_by("ana").expect_already("resolved", "burnward");
        story().fires("acme").resolved_by("sam").acknowledged_by("ana").expect_already("resolved", "sam");
    }

    #[test]
    fn help_pages_the_next_step_now_and_restarts_the_timer() {
        story()
            .fires("acme")
            .after(minutes(1))
            .help_asked_by("ada")
            .expect_facts(["escalated", "page", "page", "page", "timer"])
            .expect_pages(["#pay", "sam", "#leads"])
            .expect_due_in(Some(minutes(10)));
    }

    #[test]
    fn help_after_an_acknowledgement_pages_and_keeps_it() {
        story()
            .fires("acme")
            .acknowledged_by("ada")
            .help_asked_by("ada")
            .expect_facts(["escalated", "page", "page", "page"])
            .expect_phase("acknowledged")
            .expect_due_in(None);
    }

    #[test]
    fn a_doubled_request_for_help_pages_one_step() {
        story()
            .fires("acme")
            .help_asked_by("ada")
            .after(Duration::from_secs(5))
            .help_asked_by("sam")
            .expect_already("escalated", "ada")
            .after(minutes(1))
            .help_asked_by("ada")
            .expect_pages(["#pay", "li"]);
    }

    #[test]
    fn help_at_the_last_step_begins_the_next_round_as_often_as_asked() {
        let asked = (0..12).fold(story().fires("acme"), |story, _| story.after(minutes(1)).help_asked_by("ada"));
        assert_eq!((asked.state().escalation.step, asked.state().escalation.round), (0, 4));
    }

    #[test]
    fn help_for_what_is_over_is_answered() {
        story().fires("acme").resolved_by("sam").help_asked_by("ada").expect_already("resolved", "sam");
    }

    #[test]
    fn help_with_a_ticket_begins_at_the_first_step() {
        ticket_story()
            .fires("acme")
            .help_asked_by("ada")
            .expect_pages(["#pay", "ada"])
            .expect_due_in(None)
            .after(minutes(1))
            .help_asked_by("ada")
            .expect_pages(["#pay", "sam", "#leads"]);
    }

    #[test]
    fn a_resolve_while_an_alert_holds_is_taken_back_after_ten_minutes() {
        story()
            .fires("acme")
            .acknowledged_by("ana")
            .resolved_by("ana")
            .expect_facts(["resolved: by a person"])
            .expect_due_in(Some(minutes(10)))
            .after(minutes(9))
            .ticks()
            .expect_nothing()
            .after(minutes(1))
            .ticks()
            .expect_facts(["open again: still holds", "page", "page", "timer"])
            .expect_phase("open");
    }

    #[test]
    fn what_a_person_resolved_while_an_alert_holds_goes_on_for_its_groups_until_the_alert_clears() {
        let resolved = story().together().fires("acme").fires("globex").alone().clears("globex").resolved_by("ana");
        let hit =
            |story: &super::super::super::story::Story| story.state().groups_hit().iter().map(|group| group.values()).collect::<Vec<_>>();
        assert_eq!(resolved.state().opens_again(), Some(resolved.now.plus(minutes(10))));
        assert_eq!((resolved.state().is_at_rest(), hit(&resolved)), (false, vec!["acme".to_owned()]));
        let cleared = resolved.after(minutes(1)).clears("acme").expect_messages(["thread", "edit"]);
        assert_eq!((cleared.state().opens_again(), cleared.state().is_at_rest()), (None, true));
        assert_eq!(hit(&cleared), ["acme", "globex"]);
    }

    #[test]
    fn a_resolve_that_comes_true_is_only_recorded() {
        story()
            .fires("acme")
            .resolved_by("ana")
            .after(minutes(3))
            .fires("acme")
            .expect_nothing()
            .clears("acme")
            .expect_facts(["recovered"])
            .expect_due_in(None)
            .after(minutes(10))
            .ticks()
            .expect_nothing()
            .resolved_by("sam")
            .expect_already("resolved", "ana");
    }

    #[test]
    fn an_alert_that_joins_what_a_person_resolved_opens_it_again_even_late() {
        story().fires("acme").resolved_by("ana").after(minutes(120)).fires("globex").expect_facts([
            "open again: fired",
            "joined",
            "page",
            "page",
            "timer",
        ]);
    }

    #[test]
    fn what_a_person_resolved_while_an_alert_holds_is_not_over_after_a_long_downtime() {
        let resolved = story().fires("acme").resolved_by("ana").after(minutes(600));
        assert!(!is_over(resolved.state(), resolved.now));
        resolved.clone().ticks().expect_facts(["open again: still holds", "page", "page", "timer"]);
        let cleared = resolved.clears("acme");
        assert!(is_over(cleared.state(), cleared.now));
    }

    #[test]
    fn notes_are_kept_at_any_time_cut_when_long_and_once_when_sent_twice() {
        let noted = story().fires("acme").noted_by("ana", &"ä".repeat(5000)).expect_facts(["noted"]);
        assert_eq!(noted.state().last_note.as_ref().map(|note| note.text.chars().count()), Some(4000));
        noted
            .clears("acme")
            .noted_by("ana", "it was the deploy")
            .expect_facts(["noted"])
            .noted_by("ana", " it was the deploy\n")
            .expect_nothing()
            .noted_by("sam", "it was the deploy")
            .expect_facts(["noted"])
            .noted_by("sam", "  ")
            .expect_nothing();
    }

    #[test]
    fn without_an_incident_people_change_nothing() {
        story().acknowledged_by("ana").expect_nothing().resolved_by("ana").expect_nothing().ticks().expect_nothing();
    }
}
