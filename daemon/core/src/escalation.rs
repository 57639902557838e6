//! Escalation: who is at step n, what comes after it, and whether that is due. Pure: the timer is stored with the incident as a due time, so that a
//! restart changes nothing.

use std::time::Duration;

use crate::{
    incident::{Escalation, Incident, Phase},
    oncall::{Recipient, Step, Team},
    slo::Urgency,
    time::Timestamp,
};

/// How often timers go through all steps before they give up; a person who asks for help may go on.
pub const ROUNDS: u32 = 3;

/// A place in an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Step, from 0.
    pub step: u32,
    /// Round, from 0.
    pub round: u32,
}

/// True where the stored timer has run out: at its due time or later.
pub fn due(escalation: &Escalation, now: Timestamp) -> bool {
    escalation.due.is_some_and(|due| due <= now)
}

/// The step with this index; `None` where the team has fewer.
pub fn step(team: &Team, index: u32) -> Option<&Step> {
    team.escalation.get(usize::try_from(index).ok()?)
}

/// Who is at a step; nobody where the team has fewer steps.
pub fn people(team: &Team, index: u32) -> &[Recipient] {
    step(team, index).map_or(&[], |step| &step.page)
}

/// Everybody to whom a page is owed when a step is reached, each once: the team's channel first, then who is at the step.
pub fn recipients(team: &Team, index: u32) -> Vec<Recipient> {
    let mut all = vec![Recipient::Channel(team.channel.clone())];
    for recipient in people(team, index) {
        if !all.contains(recipient) {
            all.push(recipient.clone());
        }
    }
    all
}

/// How long a step is waited for; `None` where the team has fewer steps.
pub fn wait(team: &Team, index: u32) -> Option<Duration> {
    step(team, index).map(|step| step.acknowledge_within)
}

/// The step after this one in the same round; `None` at the last.
pub fn next_in_round(team: &Team, at: Place) -> Option<Place> {
    step(team, at.step + 1).map(|_| Place { step: at.step + 1, round: at.round })
}

/// The place after this one: the next step, or the first of the next round.
pub fn next(team: &Team, at: Place) -> Place {
    next_in_round(team, at).unwrap_or(Place { step: 0, round: at.round + 1 })
}

/// The place that a timer leads to; `None` after the last round.
pub fn next_by_timer(team: &Team, at: Place) -> Option<Place> {
    Some(next(team, at)).filter(|place| place.round < ROUNDS)
}

/// What happens if nobody does anything: the data of "goes to Sam at 03:15 if not acknowledged".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Where escalation stands.
    pub at: Place,
    /// Who was paged last.
    pub paged: Vec<Recipient>,
    /// Who is paged next, and when; `None` where nothing happens by itself: acknowledged, resolved, a ticket, or after the last round.
    pub next: Option<Next>,
}

/// The next step of an escalation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// When it is due.
    pub due: Timestamp,
    /// Who is paged then; `None`: nobody, escalation ends.
    pub to: Option<(Place, Vec<Recipient>)>,
}

/// The outlook of an incident under its team's escalation.
pub fn outlook(incident: &Incident, team: &Team) -> Outlook {
    let at = Place { step: incident.escalation.step, round: incident.escalation.round };
    if let Some(due) = incident.told_later() {
        let first = Place { step: 0, round: 0 };
        return Outlook { at, paged: Vec::new(), next: Some(Next { due, to: Some((first, people(team, first.step).to_vec())) }) };
    }
    let paged = match incident.fault.urgency {
        Urgency::Page => people(team, at.step).to_vec(),
        Urgency::Ticket => Vec::new(),
    };
    Outlook { at, paged, next: waiting(incident).map(|due| Next { due, to: after(team, at) }) }
}

fn after(team: &Team, at: Place) -> Option<(Place, Vec<Recipient>)> {
    next_by_timer(team, at).map(|place| (place, people(team, place.step).to_vec()))
}

/// The due time of the next step, while somebody is waited for.
fn waiting(incident: &Incident) -> Option<Timestamp> {
    match incident.phase {
        Phase::Open => incident.escalation.due,
        Phase::Acknowledged { .. } | Phase::Resolved { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        incident::story::{START, recipient, story, ticket_story},
        time::minutes,
    };

    use super::*;

    #[test]
    fn steps_follow_each_other_round_by_round() {
        let team = story().team;
        let place = |round, step| Place { step, round };
        for (at, next_is, by_timer) in [
            (place(0, 0), place(0, 1), Some(place(0, 1))),
            (place(0, 2), place(1, 0), Some(place(1, 0))),
            (place(2, 1), place(2, 2), Some(place(2, 2))),
            (place(2, 2), place(3, 0), None),
            (place(0, 9), place(1, 0), Some(place(1, 0))),
        ] {
            assert_eq!((next(&team, at), next_by_timer(&team, at)), (next_is, by_timer), "after {at:?}");
        }
    }

    #[test]
    fn the_outlook_names_who_is_paged_next_and_when() {
        let open = story().fires("acme");
        let outlook = outlook(open.state(), &open.team);
        assert_eq!(outlook.paged, [recipient("ada")]);
        let next = outlook.next.expect("a next step");
        assert_eq!(next.due, START.plus(minutes(5)));
        assert_eq!(next.to, Some((Place { step: 1, round: 0 }, vec![recipient("sam"), recipient("#leads")])));
    }

    #[test]
    fn of_one_that_is_open_again_quietly_nobody_is_paged_yet() {
        let back = story().fires("acme").after(minutes(1)).clears("acme").after(minutes(1)).fires("acme");
        let quiet = back.after(minutes(1)).clears("acme").after(minutes(1)).fires("acme");
        let outlook = outlook(quiet.state(), &quiet.team);
        assert_eq!(outlook.paged, []);
        let next = outlook.next.expect("a next page");
        assert_eq!((next.due, next.to.expect("somebody").1), (quiet.now.plus(minutes(8)), vec![recipient("ada")]));
    }

    #[test]
    fn nothing_comes_by_itself_after_an_acknowledgement_or_in_a_ticket() {
        let taken = story().fires("acme").acknowledged_by("ana");
        assert_eq!(outlook(taken.state(), &taken.team).next, None);
        let ticket = ticket_story().fires("acme");
        assert_eq!((outlook(ticket.state(), &ticket.team).next, outlook(ticket.state(), &ticket.team).paged), (None, vec![]));
    }

    #[test]
    fn the_primary_is_the_first_of_the_first_step() {
        assert_eq!(story().team.primary(), Some(&recipient("ada")));
    }
}
