//! The timeline: an incident's events as rows for people, one plain sentence each, with numbers, units and windows. No markup, and no time of day: the
//! row carries its instant, and zones belong to whoever shows it.

use crate::{
    id::PageId,
    incident::{Actor, AlertKey, BlindFacts, BurnFacts, Facts, Incident, IncidentEvent, JoinReason, PageReason, RECHECK, Resolution, What},
    ledger::Reason,
    oncall::Recipient,
    slo::Urgency,
    time::Timestamp,
    words,
};

/// Names in one sentence.
const NAMES: usize = 3;

/// The longest reason of a service in a sentence, in characters.
const REASON_CHARACTERS: usize = 300;

/// One row of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position of the event.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Who wrote it: `people` or `machine`.
    pub source: Source,
    /// One sentence in plain text; labels and notes in it are untrusted.
    pub text: String,
}

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person did it.
    People,
    /// burnward did it.
    Machine,
}

impl Source {
    /// The source as a stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Machine => "machine",
        }
    }

    const fn of(actor: &Actor) -> Self {
        match actor {
            Actor::Person { .. } => Self::People,
            Actor::Daemon => Self::Machine,
        }
    }
}

/// The whole timeline: every event told with the numbers that were true right after it.
pub fn entries(incident: &Incident, events: &[IncidentEvent]) -> Vec<Entry> {
    let mut then: Option<Incident> = None;
    let tell = |event| {
        match &mut then {
            Some(state) => state.apply(event),
            None => then = Incident::opened(&incident.tenant, incident.ordinal, event),
        }
        entry(then.as_ref().unwrap_or(incident), event)
    };
    events.iter().map(tell).collect()
}

/// The entry of one event; `incident` is the state right after it and gives the names and numbers around it.
pub fn entry(incident: &Incident, event: &IncidentEvent) -> Entry {
    Entry { seq: event.seq, at: event.at, by: event.by.to_string(), source: Source::of(&event.by), text: sentence(incident, event) }
}

fn sentence(incident: &Incident, event: &IncidentEvent) -> String {
    match &event.what {
        What::Opened { alert, facts, .. } => format!("Opened. {}", condition(alert, facts, event.at)),
        What::Joined { alert, facts, notify } => joined(incident, alert, facts, *notify, event.at),
        What::Recovered { alert } => recovered(incident, alert, event.at),
        What::PageOwed { to, step, round, why, .. } => paged(incident, to, *step, *round, *why),
        What::Delivered { page, maybe_repeat, .. } => delivered(incident, page, *maybe_repeat, event.at),
        What::Undeliverable { page, reason } => {
            format!("The page for {} was not delivered: {}.", recipient(incident, page), words::cut(reason, REASON_CHARACTERS))
        }
        What::Acknowledged => acknowledged(incident, event),
        What::Escalated { step, round, why } => {
            format!("Escalated to {}: {}.", place(*step, *round), words::escalation_reason(*why))
        }
        What::EscalationDue { at } => {
            format!("Unless somebody acknowledges within {}, the next step is paged.", words::duration(at.since(event.at)))
        }
        What::EscalationEnded => {
            "Every step was paged and nobody acknowledged; nobody else is paged until something new happens.".to_owned()
        }
        What::Noted { text } => text.clone(),
        What::Resolved { how } => resolved(incident, *how, event),
        What::Reopened { why } => format!("Open again: {}.", words::reopen_reason(*why)),
    }
}

fn joined(incident: &Incident, alert: &AlertKey, facts: &Facts, notify: Option<JoinReason>, at: Timestamp) -> String {
    let told = notify.map_or_else(String::new, |reason| format!(" Told anew: {}.", words::join_reason(reason)));
    let member = incident.members.get(alert);
    let word = match member.and_then(|member| member.back) {
        Some(_) if member.is_some_and(|member| member.joined_at < at) => "Still holds after it came back",
        Some(back) if back.itself => "Fires again",
        Some(_) => "Fires, after all of its SLO had recovered",
        None => "Joined",
    };
    format!("{word}: {}{told}", condition(alert, facts, at))
}

/// What an alert says, with the numbers that it was decided from.
fn condition(alert: &AlertKey, facts: &Facts, at: Timestamp) -> String {
    match facts {
        Facts::Burn(burn) => burning(alert, burn),
        Facts::Blind(blind) => cannot_see(alert, blind, at),
        Facts::Test(test) => format!("TEST: {} tries the way of a page. Nothing is at fault.", test.by),
    }
}

fn burning(alert: &AlertKey, burn: &BurnFacts) -> String {
    let row = &burn.fired;
    let share =
        |counts: crate::ledger::Counts| words::percent(if counts.total() > 0 { counts.bad as f64 / counts.total() as f64 } else { 0.0 });
    let seen = burn.coverage.and_then(words::window_seen).map_or_else(String::new, |seen| format!(", {seen}"));
    let runs_out = burn.runs_out.map_or_else(String::new, |span| format!(", gone in {} at this rate", words::duration(span)));
    format!(
        "{}: {} {} over {} and {} over {}, {} and {} the allowed {}. Budget {}{seen}{runs_out}.",
        subject(alert),
        share(row.short),
        words::symptom(burn.symptom),
        words::duration(row.row.short),
        share(row.long),
        words::duration(row.row.long),
        words::times(row.short_burn),
        words::times(row.long_burn),
        words::percent(burn.target.allowed().as_f64()),
        words::budget_left(&burn.left),
    )
}

fn cannot_see(alert: &AlertKey, blind: &BlindFacts, at: Timestamp) -> String {
    let hides = match blind.hides.len() {
        0 => String::new(),
        1 => " 1 SLO is hidden by it.".to_owned(),
        many => format!(" {} are hidden by it.", words::plural(many, "SLO")),
    };
    let span = words::duration(at.since(blind.since));
    if blind.unknown.reason == Reason::NoTraffic {
        return format!("{}: no traffic for {span}. Nothing can be said about its users; this is not proof of an outage.", subject(alert));
    }
    format!("{}: cannot see for {span} ({}).{hides} This is not proof of an outage.", subject(alert), blind.unknown)
}

/// An alert as people name it: `checkout/availability for acme`, `source prom-eu`.
pub fn subject(alert: &AlertKey) -> String {
    match alert {
        AlertKey::Budget(budget) if budget.group.is_whole() => format!("{}/{}", budget.slo.service, budget.slo.name),
        AlertKey::Budget(budget) => {
            format!("{}/{} for {}", budget.slo.service, budget.slo.name, words::list(&[budget.group.values()], 1))
        }
        AlertKey::Slo(slo) => format!("{}/{}", slo.service, slo.name),
        AlertKey::Source(name) => format!("source {name}"),
        AlertKey::Test => "the test".to_owned(),
    }
}

fn recovered(incident: &Incident, alert: &AlertKey, at: Timestamp) -> String {
    let after =
        incident.members.get(alert).map_or_else(String::new, |member| format!(" after {}", words::duration(at.since(member.joined_at))));
    let rest = match incident.members.open_count() {
        0 => "none is left".to_owned(),
        1 => format!("1 of {} still holds", words::plural(incident.members.len(), "alert")),
        left => format!("{left} of {} still hold", words::plural(incident.members.len(), "alert")),
    };
    format!("{} recovered{after}; {rest}.", subject(alert))
}

fn paged(incident: &Incident, to: &Recipient, step: u32, round: u32, why: PageReason) -> String {
    match incident.fault.urgency {
        Urgency::Page => format!("Paging {to}, {}: {}.", place(step, round), words::page_reason(why)),
        Urgency::Ticket => format!("Posting to {to}: {}.", words::page_reason(why)),
    }
}

/// A place in an escalation, counted from 1; the first round goes without saying.
fn place(step: u32, round: u32) -> String {
    match round {
        0 => format!("step {}", step + 1),
        again => format!("step {} of round {}", step + 1, again + 1),
    }
}

fn recipient(incident: &Incident, page: &PageId) -> String {
    incident.pages.get(page).map_or_else(|| page.to_string(), |page| page.to.to_string())
}

fn delivered(incident: &Incident, page: &PageId, maybe_repeat: bool, at: Timestamp) -> String {
    let after = incident
        .pages
        .get(page)
        .map_or_else(String::new, |page| format!(" {} after it was decided", words::duration(at.since(page.decided_at))));
    let repeat = if maybe_repeat { "; it may be a repeat, and says so" } else { "" };
    format!("The page for {} arrived{after}{repeat}.", recipient(incident, page))
}

fn acknowledged(incident: &Incident, event: &IncidentEvent) -> String {
    match incident.first_arrival(event.at) {
        Some(paged) => format!("Acknowledged by {}, {} after the page arrived.", event.by, words::duration(event.at.since(paged))),
        None => format!("Acknowledged by {} before a page arrived.", event.by),
    }
}

fn resolved(incident: &Incident, how: Resolution, event: &IncidentEvent) -> String {
    let span = span(incident, event.at);
    match how {
        Resolution::Recovered => format!("Resolved: every alert cleared, {span}."),
        Resolution::ByPerson => format!("Resolved by {}, {span}.{}", event.by, still_holding(incident)),
    }
}

/// How long after it began, or came back for the last time; the pauses in between are no part of it.
fn span(incident: &Incident, at: Timestamp) -> String {
    match incident.spells.as_slice() {
        [.., _, last] => format!(
            "{} after it came back; {} in all, in {} spells",
            words::duration(at.since(last.from)),
            words::duration(incident.lasted(at)),
            incident.spells.len()
        ),
        [_] | [] => format!("{} after it began", words::duration(at.since(incident.began))),
    }
}

fn still_holding(incident: &Incident) -> String {
    let recheck = words::duration(RECHECK);
    let names: Vec<String> = incident.open_members().map(|(alert, _)| subject(alert)).collect();
    match names.len() {
        0 => String::new(),
        1 => format!(" 1 alert still holds ({}) and opens it again in {recheck} unless it clears.", words::list(&names, NAMES)),
        many => format!(" {many} alerts still hold ({}) and open it again in {recheck} unless they clear.", words::list(&names, NAMES)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        incident::story::{START, Story, story, ticket_story},
        time::minutes,
    };

    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Compares the timeline, written `seconds by: text`.
    fn check(story: &Story, expected: &[&str]) {
        let entries = entries(story.state(), &story.events);
        let written: Vec<String> =
            entries.iter().map(|entry| format!("{} {}: {}", entry.at.since(START).as_secs(), entry.by, entry.text)).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn a_night_is_told_in_plain_sentences() {
        let night = story()
            .fires("acme")
            .after(seconds(2))
            .delivers("ada")
            .fires("globex")
            .after(seconds(298))
            .ticks()
            .after(seconds(57))
            .acknowledged_by("ana")
            .noted_by("ana", "rolling back <v412>")
            .after(minutes(20))
            .clears("acme")
            .after(minutes(2))
            .clears("globex");
        let burns = "15.2 % of requests failing over 5 min and 1.46 % over 1 h, 152x and 14.6x the allowed 0.10 %. Budget 71 % left (30 m 40 s of 43 m 12 s), gone in 3 h 22 m at this rate.";
        check(
            &night,
            &[
                &format!("0 burnward: Opened. checkout/availability for acme: {burns}"),
                "0 burnward: Paging #pay, step 1: the incident opened.",
                "0 burnward: Paging ada, step 1: the incident opened.",
                "0 burnward: Unless somebody acknowledges within 5 min, the next step is paged.",
                "2 burnward: The page for ada arrived 2 s after it was decided.",
                &format!("2 burnward: Joined: checkout/availability for globex: {burns}"),
                "300 burnward: Escalated to step 2: nobody acknowledged in time.",
                "300 burnward: Paging #pay, step 2: nobody acknowledged in time.",
                "300 burnward: Paging sam, step 2: nobody acknowledged in time.",
                "300 burnward: Paging #leads, step 2: nobody acknowledged in time.",
                "300 burnward: Unless somebody acknowledges within 10 min, the next step is paged.",
                "357 ana: Acknowledged by ana, 5 m 55 s after the page arrived.",
                "357 ana: rolling back <v412>",
                "1557 burnward: checkout/availability for acme recovered after 25 m 57 s; 1 of 2 alerts still holds.",
                "1677 burnward: checkout/availability for globex recovered after 27 m 55 s; none is left.",
                "1677 burnward: Resolved: every alert cleared, 33 m 57 s after it began.",
            ],
        );
    }

    /// Compares the sentence of the first event of the last command.
    fn check_last(story: &Story, expected: &str) {
        let first = story.batch.first().expect("an event");
        assert_eq!(entry(story.state(), first).text, expected);
    }

    #[test]
    fn rarer_events_have_their_sentences_too() {
        let open = story().fires("acme");
        check_last(&open.clone().acknowledged_by("ana"), "Acknowledged by ana before a page arrived.");
        check_last(&open.clone().fails("ada"), "The page for ada was not delivered: the account is closed.");
        check_last(
            &open.clone().resolved_by("ana"),
            "Resolved by ana, 6 min after it began. 1 alert still holds (checkout/availability for acme) and opens it again in 10 min unless it clears.",
        );
        check_last(
            &open.clone().resolved_by("ana").after(minutes(10)).ticks(),
            "Open again: 10 min after a person resolved it, an alert still holds.",
        );
        check_last(&open.clone().clears("acme").fires("acme"), "Open again: an alert fired within 30 min of the end.");
        check_last(&open.clone().help_asked_by("ada"), "Escalated to step 2: help was asked for.");
        let round = (0..3).fold(open.clone(), |story, _| story.after(minutes(10)).ticks());
        check_last(&round, "Escalated to step 1 of round 2: nobody acknowledged in time.");
        let posted = ticket_story().fires("export/");
        assert_eq!(entry(posted.state(), &posted.batch[1]).text, "Posting to #pay: the incident opened.");
        check_last(
            &story().goes_blind(),
            "Opened. source prom-eu: cannot see for 5 min (unreachable: connection refused by prom.example:9090). 2 SLOs are hidden by it. This is not proof of an outage.",
        );
    }

    #[test]
    fn pauses_are_no_part_of_how_long_it_lasted() {
        let flap = |story: Story| story.after(minutes(5)).fires("acme").after(minutes(1)).clears("acme");
        let over = flap(flap(story().fires("acme").after(minutes(1)).clears("acme")));
        let last = entries(over.state(), &over.events).pop().expect("it ended").text;
        assert_eq!(last, "Resolved: every alert cleared, 6 min after it came back; 19 min in all, in 3 spells.");
    }

    #[test]
    fn what_people_did_is_marked_as_theirs() {
        let story = story().fires("acme").acknowledged_by("ana");
        let sources: Vec<&str> = entries(story.state(), &story.events).iter().map(|entry| entry.source.word()).collect();
        assert_eq!(sources, ["machine", "machine", "machine", "machine", "people"]);
    }
}
