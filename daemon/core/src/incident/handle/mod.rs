//! The one door: a command, the incident's state and `now` lead to events, or to the answer that it was done already.

mod alerts;
mod outcomes;
mod paging;
mod people;

use std::time::Duration;

use crate::{
    id::{PageId, TenantId},
    oncall::Team,
    time::{Timestamp, minutes},
};

use super::{Actor, AlertKey, Facts, FaultKey, Incident, IncidentEvent, Kind, MessageRef, Phase, What};

use alerts::{clear, fire, open};
use outcomes::{delivered, undeliverable};
use paging::tick;
use people::{acknowledge, help, note, resolve};

/// An alert that fires again this soon after the end re-opens the incident; later it begins a new one.
pub const GRACE: Duration = minutes(30);

/// How long after a person's Resolve it is checked whether an alert still holds.
pub const RECHECK: Duration = minutes(10);

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

impl Command {
    /// The command as a stable word, for the log.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Fire { .. } => "fire",
            Self::Clear { .. } => "clear",
            Self::Acknowledge => "acknowledge",
            Self::Escalate => "escalate",
            Self::Note { .. } => "note",
            Self::Resolve => "resolve",
            Self::Delivered { .. } => "delivered",
            Self::Undeliverable { .. } => "undeliverable",
            Self::Tick => "tick",
        }
    }
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
    incident: Option<Incident>,
    facts: Vec<What>,
    by: &Actor,
    scope: &Scope<'_>,
    now: Timestamp,
) -> Option<(Incident, Vec<IncidentEvent>)> {
    let begins = matches!(facts.first()?, What::Opened { .. });
    let before = incident.filter(|_| !begins);
    let first = before.as_ref().map_or(1, |incident| incident.last_seq + 1);
    let events: Vec<IncidentEvent> = (first..).zip(facts).map(|(seq, what)| IncidentEvent { seq, at: now, by: by.clone(), what }).collect();
    let after = match before {
        Some(mut after) => {
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
    let quiet_return = incident.quiet_return().map(|(due, _)| due);
    match &incident.phase {
        Phase::Open => [incident.escalation.due, quiet_return].into_iter().flatten().min(),
        Phase::Acknowledged { .. } => quiet_return,
        Phase::Resolved { .. } => incident.opens_again(),
    }
}

/// True where nothing can come of an incident any more, so that it need not be kept at hand: it is over for longer than the grace time, and no alert of
/// it holds. One that a person resolved while an alert holds is not over: it is checked again, also after a long downtime.
pub fn is_over(incident: &Incident, now: Timestamp) -> bool {
    match incident.phase {
        Phase::Resolved { .. } if incident.fault.kind == Kind::Test => true,
        Phase::Resolved { at, .. } => now.since(at) > GRACE && incident.open_members().next().is_none(),
        Phase::Open | Phase::Acknowledged { .. } => false,
    }
}

/// True where an alert that fires does not belong to the incident: another fault's, or one that is over.
fn left_behind(incident: &Incident, command: &Command, now: Timestamp) -> bool {
    match command {
        Command::Fire { fault, .. } => *fault != incident.fault || is_over(incident, now),
        Command::Clear { .. }
        | Command::Acknowledge
        | Command::Escalate
        | Command::Note { .. }
        | Command::Resolve
        | Command::Delivered { .. }
        | Command::Undeliverable { .. }
        | Command::Tick => false,
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
