//! The one door: a command, the incident's state and `now` lead to events, or to the answer that it was done already.

use std::time::Duration;

use crate::{
    escalation::{self, Place},
    id::{IncidentId, PageId, TenantId},
    oncall::{Recipient, Team},
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::{
    Actor, AlertKey, EscalationReason, Facts, FaultKey, Incident, IncidentEvent, JoinReason, MessageRef, PageOutcome, PageReason, Phase,
    ReopenReason, Resolution, What, fold::GATHER,
};

/// An alert that fires again this soon after the end re-opens the incident; later it begins a new one.
pub const GRACE: Duration = minutes(30);

/// How long after a person's Resolve it is checked whether an alert still holds.
pub const RECHECK: Duration = minutes(10);

/// An acknowledgement counts as old after this time: an alert that joins then is told to somebody anew.
const OLD_ACKNOWLEDGEMENT: Duration = minutes(30);

/// Two requests for help within this time are one: a double click, a payload sent again, two people at once.
const ONE_REQUEST: Duration = Duration::from_secs(30);

/// The same words of the same person within this time are one note: a form sent twice.
const ONE_NOTE: Duration = minutes(1);

/// The longest note, in characters; what is longer is cut.
const NOTE_CHARACTERS: usize = 4_000;

/// What can be asked of an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// An alert fires.
    Fire {
        /// The fault it belongs to.
        fault: FaultKey,
        /// The alert.
        alert: AlertKey,
        /// Its inputs.
        facts: Facts,
    },
    /// An alert cleared.
    Clear {
        /// The alert.
        alert: AlertKey,
    },
    /// A person takes it.
    Acknowledge,
    /// A person asks for the next step now.
    Escalate,
    /// A person writes something down.
    Note {
        /// The words.
        text: String,
    },
    /// A person ends it.
    Resolve,
    /// A message arrived.
    Delivered {
        /// Which.
        page: PageId,
        /// Where.
        at: MessageRef,
        /// It may be a repeat, and says so.
        maybe_repeat: bool,
    },
    /// A message cannot arrive, or was dropped because nobody needs it any more.
    Undeliverable {
        /// Which.
        page: PageId,
        /// Why.
        reason: String,
    },
    /// Time passed: timers that are due.
    Tick,
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// New facts, in order; empty where nothing changes. Where the first is `Opened`, they are those of a new incident.
    Events(Vec<What>),
    /// An ordinary answer to a late or doubled command: who did it already, and when.
    Already {
        /// What is already so, as a word: `acknowledged`, `escalated`, `resolved`.
        what: &'static str,
        /// Who did it.
        by: Actor,
        /// When.
        at: Timestamp,
    },
}

/// Whose incident it is and who answers for it, as the configuration says now.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// The team that is paged.
    pub team: &'a Team,
    /// The number that a new incident of the fault would get, from 1.
    pub ordinal: u64,
}

/// Handles a command. `incident` is the newest one of the fault, resolved or not; `None` where there was none.
pub fn handle(incident: Option<&Incident>, command: &Command, by: &Actor, scope: &Scope<'_>, now: Timestamp) -> Answer {
    let Some(incident) = incident.filter(|incident| !left_behind(incident, command, now)) else {
        return Answer::Events(without_incident(command, scope, now));
    };
    match command {
        Command::Fire { alert, facts, .. } => Answer::Events(fire(incident, alert, facts, scope, now)),
        Command::Clear { alert } => Answer::Events(clear(incident, alert)),
        Command::Acknowledge => acknowledge(incident),
        Command::Escalate => help(incident, scope, now),
        Command::Note { text } => Answer::Events(note(incident, text, by, now)),
        Command::Resolve => resolve(incident),
        Command::Delivered { page, at, maybe_repeat } => Answer::Events(delivered(incident, page, at, *maybe_repeat)),
        Command::Undeliverable { page, reason } => Answer::Events(undeliverable(incident, page, reason, scope, now)),
        Command::Tick => Answer::Events(tick(incident, scope, now)),
    }
}

/// Numbers new facts and folds them: the incident after them, and its new events. `None` where there are none, or none that an incident could begin with.
pub fn record(
    incident: Option<&Incident>,
    facts: Vec<What>,
    by: &Actor,
    scope: &Scope<'_>,
    now: Timestamp,
) -> Option<(Incident, Vec<IncidentEvent>)> {
    let begins = matches!(facts.first()?, What::Opened { .. });
    let before = incident.filter(|_| !begins);
    let first = before.map_or(1, |incident| incident.last_seq + 1);
    let events: Vec<IncidentEvent> = (first..).zip(facts).map(|(seq, what)| IncidentEvent { seq, at: now, by: by.clone(), what }).collect();
    let after = match before {
        Some(incident) => {
            let mut after = incident.clone();
            for event in &events {
                after.apply(event);
            }
            after
        }
        None => Incident::replay(scope.tenant, scope.ordinal, &events)?,
    };
    Some((after, events))
}

/// When `Command::Tick` next has something to do; `None`: never, as things stand. An instant that has passed is due now.
pub fn next_due(incident: &Incident) -> Option<Timestamp> {
    match &incident.phase {
        Phase::Open => incident.escalation.due,
        Phase::Resolved { at, how: Resolution::ByPerson, .. } => incident.open_members().next().map(|_| at.plus(RECHECK)),
        Phase::Acknowledged { .. } | Phase::Resolved { how: Resolution::Recovered, .. } => None,
    }
}

/// True where an alert that fires has nothing to do with the incident any more: it is over for longer than the grace time, and nothing of it holds.
fn left_behind(incident: &Incident, command: &Command, now: Timestamp) -> bool {
    match (command, &incident.phase) {
        (Command::Fire { fault, .. }, _) if *fault != incident.fault => true,
        (Command::Fire { .. }, Phase::Resolved { at, .. }) => now.since(*at) > GRACE && incident.open_members().next().is_none(),
        (_, Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. }) => false,
    }
}

fn without_incident(command: &Command, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    match command {
        Command::Fire { fault, alert, facts } => open(fault, alert, facts, scope, now),
        Command::Clear { .. }
        | Command::Acknowledge
        | Command::Escalate
        | Command::Note { .. }
        | Command::Resolve
        | Command::Delivered { .. }
        | Command::Undeliverable { .. }
        | Command::Tick => Vec::new(),
    }
}

fn open(fault: &FaultKey, alert: &AlertKey, facts: &Facts, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let opened = What::Opened { fault: fault.clone(), team: scope.team.name.clone(), alert: alert.clone(), facts: facts.clone() };
    let wave = Wave { id: &fault.incident(scope.ordinal), calls: 0, place: FIRST, why: PageReason::Opened };
    let told = match fault.urgency {
        Urgency::Page => wave.pages_and_timer(scope, now),
        Urgency::Ticket => vec![wave.page(Recipient::Channel(scope.team.channel.clone()), scope)],
    };
    [opened].into_iter().chain(told).collect()
}

fn fire(incident: &Incident, alert: &AlertKey, facts: &Facts, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    if incident.holds(alert) {
        return Vec::new();
    }
    match incident.phase {
        Phase::Open | Phase::Acknowledged { .. } => join(incident, alert, facts, scope, now),
        Phase::Resolved { .. } => {
            let joined = What::Joined { alert: alert.clone(), facts: facts.clone(), notify: None };
            reopen(incident, ReopenReason::FiredAgain, Some(joined), scope, now)
        }
    }
}

fn join(incident: &Incident, alert: &AlertKey, facts: &Facts, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let notify = join_reason(incident, alert, now);
    let joined = What::Joined { alert: alert.clone(), facts: facts.clone(), notify };
    let told = notify.map_or_else(Vec::new, |reason| tell_of_join(incident, reason, scope, now));
    [joined].into_iter().chain(told).collect()
}

/// Why an alert that joins needs a person again; `None`: an edit is enough, as always in a ticket. What joins in the same moment as the last post
/// is told by it.
fn join_reason(incident: &Incident, alert: &AlertKey, now: Timestamp) -> Option<JoinReason> {
    if incident.fault.urgency == Urgency::Ticket || incident.last_told.at == now {
        None
    } else if acknowledged_long_ago(incident, now) {
        Some(JoinReason::OldAcknowledgement)
    } else if alert.slo().is_some_and(|slo| !incident.slos().contains(slo)) {
        Some(JoinReason::NewSlo)
    } else {
        doubles(incident, alert, now).then_some(JoinReason::Doubled)
    }
}

fn acknowledged_long_ago(incident: &Incident, now: Timestamp) -> bool {
    match &incident.phase {
        Phase::Acknowledged { at, .. } => now.since(*at) > OLD_ACKNOWLEDGEMENT,
        Phase::Open | Phase::Resolved { .. } => false,
    }
}

fn doubles(incident: &Incident, alert: &AlertKey, now: Timestamp) -> bool {
    let mut hit = incident.groups_hit();
    hit.extend(alert.group().filter(|group| !group.is_whole()));
    now.since(incident.last_told.at) > GATHER && hit.len() >= 2 * incident.last_told.groups
}

/// The step that was paged last hears of it. An old acknowledgement ends with it, and escalation begins anew; otherwise its timer runs on.
fn tell_of_join(incident: &Incident, reason: JoinReason, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let why = PageReason::Joined(reason);
    let calls = incident.escalation.calls + 1;
    match reason {
        JoinReason::OldAcknowledgement => Wave { id: &incident.id, calls, place: FIRST, why }.pages_and_timer(scope, now),
        JoinReason::NewSlo | JoinReason::Doubled => Wave { id: &incident.id, calls, place: place(incident), why }.pages(scope),
    }
}

/// Opens it again and pages the first step, with a new timer. A ticket pages nobody: its thread says that it is back.
fn reopen(incident: &Incident, why: ReopenReason, joined: Option<What>, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let wave = Wave { id: &incident.id, calls: incident.escalation.calls + 1, place: FIRST, why: PageReason::Reopened };
    let told = match incident.fault.urgency {
        Urgency::Page => wave.pages_and_timer(scope, now),
        Urgency::Ticket => Vec::new(),
    };
    [What::Reopened { why }].into_iter().chain(joined).chain(told).collect()
}

fn clear(incident: &Incident, alert: &AlertKey) -> Vec<What> {
    if !incident.holds(alert) {
        return Vec::new();
    }
    let last = incident.open_members().count() == 1;
    let resolved = (last && incident.is_open()).then_some(What::Resolved { how: Resolution::Recovered });
    [What::Recovered { alert: alert.clone() }].into_iter().chain(resolved).collect()
}

fn acknowledge(incident: &Incident) -> Answer {
    match &incident.phase {
        Phase::Open => Answer::Events(vec![What::Acknowledged]),
        Phase::Acknowledged { .. } | Phase::Resolved { .. } => already(&incident.phase),
    }
}

fn resolve(incident: &Incident) -> Answer {
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
fn help(incident: &Incident, scope: &Scope<'_>, now: Timestamp) -> Answer {
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

fn escalate(incident: &Incident, to: Place, why: EscalationReason, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
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

fn note(incident: &Incident, text: &str, by: &Actor, now: Timestamp) -> Vec<What> {
    let text: String = text.trim().chars().take(NOTE_CHARACTERS).collect();
    let again = incident.last_note.as_ref().is_some_and(|last| last.text == text && last.by == *by && now.since(last.at) < ONE_NOTE);
    if text.is_empty() || again { Vec::new() } else { vec![What::Noted { text }] }
}

fn delivered(incident: &Incident, page: &PageId, at: &MessageRef, maybe_repeat: bool) -> Vec<What> {
    match incident.pages.get(page).map(|page| &page.outcome) {
        Some(PageOutcome::Owed | PageOutcome::Undeliverable { .. }) => {
            vec![What::Delivered { page: page.clone(), at: at.clone(), maybe_repeat }]
        }
        Some(PageOutcome::Delivered { .. }) | None => Vec::new(),
    }
}

fn undeliverable(incident: &Incident, page: &PageId, reason: &str, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
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

fn tick(incident: &Incident, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
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
const FIRST: Place = Place { step: 0, round: 0 };

const fn place(incident: &Incident) -> Place {
    Place { step: incident.escalation.step, round: incident.escalation.round }
}

/// Pages that are owed together: one step, one reason.
struct Wave<'a> {
    id: &'a IncidentId,
    calls: u32,
    place: Place,
    why: PageReason,
}

impl Wave<'_> {
    fn pages(&self, scope: &Scope<'_>) -> Vec<What> {
        escalation::recipients(scope.team, self.place.step).into_iter().map(|to| self.page(to, scope)).collect()
    }

    fn pages_and_timer(&self, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
        let timer = escalation::wait(scope.team, self.place.step).map(|wait| What::EscalationDue { at: now.plus(wait) });
        self.pages(scope).into_iter().chain(timer).collect()
    }

    /// A page with its identity: a hash of what it is for, never of an attempt.
    fn page(&self, to: Recipient, scope: &Scope<'_>) -> What {
        let Place { step, round } = self.place;
        let numbers = [step, round, self.calls].map(|number| number.to_string());
        let [step_text, round_text, calls_text] = &numbers;
        let page = PageId::of(&[scope.tenant.as_str(), self.id.as_str(), "page", step_text, round_text, &to.to_string(), calls_text]);
        What::PageOwed { page, to, step, round, why: self.why }
    }
}
