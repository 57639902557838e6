//! A decision under construction: what one round or one command changes, on top of a book that stays as it is until the store has committed.

use std::collections::{BTreeMap, BTreeSet};

use burnward_core::{
    id::IncidentId,
    incident::{Actor, Answer, Command, FaultKey, Incident, IncidentEvent, Scope, What, handle, messages, record},
    oncall::Team,
    time::Timestamp,
};

use super::book::{Book, team_of};
use crate::{
    config::Config,
    store::{AuditEntry, Commit, NewEvent},
};

/// What is about to be committed, with the incidents as they will be.
pub(super) struct Draft<'a> {
    book: &'a Book,
    config: &'a Config,
    now: Timestamp,
    touched: BTreeMap<IncidentId, Incident>,
    events: BTreeMap<IncidentId, Vec<IncidentEvent>>,
    ordinals: BTreeMap<FaultKey, u64>,
    /// What is about to be committed.
    pub(super) commit: Commit,
}

/// What a book takes over once the commit is done.
#[derive(Debug, Default)]
pub(super) struct Touched {
    incidents: BTreeMap<IncidentId, Incident>,
    ordinals: BTreeMap<FaultKey, u64>,
}

impl<'a> Draft<'a> {
    /// An empty decision at `now`.
    pub(super) fn new(book: &'a Book, config: &'a Config, now: Timestamp) -> Self {
        let commit = Commit::empty(book.tenant.clone(), now);
        Self { book, config, now, touched: BTreeMap::new(), events: BTreeMap::new(), ordinals: BTreeMap::new(), commit }
    }

    /// A command to the incident of a fault, which opens one where there is none.
    pub(super) fn command_to_fault(&mut self, fault: &FaultKey, team: &Team, command: &Command, by: &Actor) -> Answer {
        let current = self.current(fault);
        let ordinal = self.last_ordinal(fault) + 1;
        self.handle(current, ordinal, team, command, by)
    }

    /// A command to an incident by its identity; `None` where the book has no such incident.
    pub(super) fn command_to_incident(&mut self, id: &IncidentId, command: &Command, by: &Actor) -> Option<Answer> {
        let incident = self.touched.get(id).or_else(|| self.book.incidents.get(id))?;
        let (team, ordinal) = (team_of(self.config, &incident.team), incident.ordinal);
        Some(self.handle(Some(id.clone()), ordinal, &team, command, by))
    }

    /// A row of the audit.
    pub(super) fn audit(&mut self, actor: &Actor, action: &str, subject: String, detail: String) {
        self.commit.audit.push(AuditEntry { actor: actor.to_string(), action: action.to_owned(), subject, detail });
    }

    /// True where there is nothing to commit.
    pub(super) fn is_empty(&self) -> bool {
        self.commit.is_empty()
    }

    /// The commit, and what the book takes over after it.
    pub(super) fn finish(mut self) -> (Commit, Touched) {
        for (id, events) in &self.events {
            self.commit.messages.extend(messages(&self.touched[id], events));
        }
        (self.commit, Touched { incidents: self.touched, ordinals: self.ordinals })
    }

    /// The newest incident of a fault.
    fn current(&self, fault: &FaultKey) -> Option<IncidentId> {
        let ordinal = self.last_ordinal(fault);
        if ordinal == 0 {
            return None;
        }
        let newest = fault.incident(ordinal);
        let is_at_hand = self.touched.contains_key(&newest) || self.book.incidents.contains_key(&newest);
        if is_at_hand { Some(newest) } else { self.book.current(fault).map(|incident| incident.id.clone()) }
    }

    fn last_ordinal(&self, fault: &FaultKey) -> u64 {
        self.ordinals.get(fault).or_else(|| self.book.ordinals.get(fault)).copied().unwrap_or(0)
    }

    fn handle(&mut self, id: Option<IncidentId>, ordinal: u64, team: &Team, command: &Command, by: &Actor) -> Answer {
        let scope = Scope { tenant: &self.book.tenant, team, ordinal };
        let known = id.as_ref().and_then(|id| self.touched.get(id).or_else(|| self.book.incidents.get(id)));
        let answer = handle(known, command, by, &scope, self.now);
        if let Answer::Events(facts) = &answer {
            let goes_on = facts.first().is_some_and(|first| !matches!(first, What::Opened { .. }));
            // What was touched is folded in place: an incident of thousands of alerts is not copied for each of them.
            let before = id.filter(|_| goes_on).and_then(|id| self.touched.remove(&id).or_else(|| self.book.incidents.get(&id).cloned()));
            if let Some((incident, events)) = record(before, facts.clone(), by, &scope, self.now) {
                self.take(incident, events, command, by);
            }
        }
        answer
    }

    fn take(&mut self, incident: Incident, events: Vec<IncidentEvent>, command: &Command, by: &Actor) {
        self.audit(by, command_word(command), incident.id.to_string(), format!("{} at event {}", incident.phase_word(), incident.last_seq));
        self.commit.events.extend(events.iter().map(|event| NewEvent {
            incident: incident.id.clone(),
            fault: incident.fault.clone(),
            ordinal: incident.ordinal,
            event: event.clone(),
            phase: incident.phase_word(),
        }));
        self.events.entry(incident.id.clone()).or_default().extend(events);
        let last = self.last_ordinal(&incident.fault).max(incident.ordinal);
        self.ordinals.insert(incident.fault.clone(), last);
        self.touched.insert(incident.id.clone(), incident);
    }
}

impl Touched {
    /// Without the incidents of these services and sources, which the store does not have.
    pub(super) fn without(mut self, lost: &BTreeSet<String>) -> Self {
        self.incidents.retain(|_, incident| !lost.contains(&incident.fault.subject.to_string()));
        self.ordinals.retain(|fault, _| !lost.contains(&fault.subject.to_string()));
        self
    }

    /// Takes the committed incidents into the book.
    pub(super) fn into_book(self, book: &mut Book) {
        book.incidents.extend(self.incidents);
        book.ordinals.extend(self.ordinals);
    }
}

/// The stable word of a command in the audit.
const fn command_word(command: &Command) -> &'static str {
    match command {
        Command::Fire { .. } => "alert.fire",
        Command::Clear { .. } => "alert.clear",
        Command::Acknowledge => "incident.acknowledge",
        Command::Escalate => "incident.escalate",
        Command::Note { .. } => "incident.note",
        Command::Resolve => "incident.resolve",
        Command::Delivered { .. } => "page.delivered",
        Command::Undeliverable { .. } => "page.undeliverable",
        Command::Tick => "incident.timer",
    }
}
