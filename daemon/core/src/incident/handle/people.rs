//! What people ask for: to take it, to get help, to write something down, to end it. A late or doubled request is answered, not refused.

use std::time::Duration;

use crate::{
    escalation::{self, Place},
    oncall::Team,
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::super::{Actor, EscalationReason, Incident, Phase, Resolution, What};
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
        Phase::Open => Answer::Events(vec![What::Acknowledged]),
        Phase::Acknowledged { .. } | Phase::Resolved { .. } => already(&incident.phase),
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
