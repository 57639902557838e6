//! A decision under construction: what one round or one command changes, on top of a book that stays as it is until the store has committed.

use std::collections::{BTreeMap, BTreeSet};

use burnward_core::{
    id::IncidentId,
    incident::{Actor, AlertKey, Answer, Command, Facts, FaultKey, Incident, IncidentEvent, Scope, What, handle, messages, record},
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
    live: Pile<'a>,
    shadow: Pile<'a>,
    /// What is about to be committed.
    pub(super) commit: Commit,
}

/// Incidents of which somebody is told, or those that SLOs in shadow would have had.
struct Pile<'a> {
    incidents: &'a BTreeMap<IncidentId, Incident>,
    last_ordinals: &'a BTreeMap<FaultKey, u64>,
    touched: Sheet,
    events: BTreeMap<IncidentId, Vec<IncidentEvent>>,
}

/// Incidents as they will be, with the last ordinals of their faults.
#[derive(Debug, Default)]
struct Sheet {
    incidents: BTreeMap<IncidentId, Incident>,
    ordinals: BTreeMap<FaultKey, u64>,
}

/// Which pile a command goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Live,
    Shadow,
}

/// What a book takes over once the commit is done.
#[derive(Debug, Default)]
pub(super) struct Touched {
    live: Sheet,
    shadow: Sheet,
}

impl<'a> Draft<'a> {
    /// An empty decision at `now`.
    pub(super) fn new(book: &'a Book, config: &'a Config, now: Timestamp) -> Self {
        let pile = |incidents, last_ordinals| Pile { incidents, last_ordinals, touched: Sheet::default(), events: BTreeMap::new() };
        let live = pile(&book.incidents, &book.ordinals);
        let shadow = pile(&book.shadow.incidents, &book.shadow.ordinals);
        Self { book, config, now, live, shadow, commit: Commit::empty(book.tenant.clone(), now) }
    }

    /// When it is decided.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// A command to the incident of a fault, which opens one where there is none.
    pub(super) fn command_to_fault(&mut self, fault: &FaultKey, team: &Team, command: &Command, by: &Actor) -> Answer {
        self.command_in(Side::Live, fault, team, command, by)
    }

    /// The same of what an SLO in shadow would have told: it is recorded, and nobody hears of it.
    pub(super) fn command_in_shadow(&mut self, fault: &FaultKey, team: &Team, command: &Command) {
        self.command_in(Side::Shadow, fault, team, command, &Actor::Daemon);
    }

    /// A command to an incident by its identity; `None` where the book has no such incident.
    pub(super) fn command_to_incident(&mut self, id: &IncidentId, command: &Command, by: &Actor) -> Option<Answer> {
        let incident = self.live.find(id)?;
        let (team, ordinal) = (team_of(self.config, &incident.team), incident.ordinal);
        Some(self.handle(Side::Live, Some(id.clone()), ordinal, &team, command, by))
    }

    /// Whether an alert is open in the incident of a fault that somebody was told of.
    pub(super) fn is_open(&self, fault: &FaultKey, alert: &AlertKey) -> bool {
        self.live.holds(fault, alert)
    }

    /// What an alert fired with that is open in shadow.
    pub(super) fn facts_in_shadow(&self, fault: &FaultKey, alert: &AlertKey) -> Option<Facts> {
        let incident = self.shadow.find(&self.shadow.current(fault)?)?;
        incident.members.get(alert).filter(|_| incident.holds(alert)).map(|member| member.facts.clone())
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
        for (id, events) in &self.live.events {
            self.commit.messages.extend(messages(&self.live.touched.incidents[id], events));
        }
        (self.commit, Touched { live: self.live.touched, shadow: self.shadow.touched })
    }

    const fn pile(&self, side: Side) -> &Pile<'a> {
        match side {
            Side::Live => &self.live,
            Side::Shadow => &self.shadow,
        }
    }

    const fn pile_mut(&mut self, side: Side) -> &mut Pile<'a> {
        match side {
            Side::Live => &mut self.live,
            Side::Shadow => &mut self.shadow,
        }
    }

    fn command_in(&mut self, side: Side, fault: &FaultKey, team: &Team, command: &Command, by: &Actor) -> Answer {
        let pile = self.pile(side);
        let (current, ordinal) = (pile.current(fault), pile.last_ordinal(fault) + 1);
        self.handle(side, current, ordinal, team, command, by)
    }

    fn handle(&mut self, side: Side, id: Option<IncidentId>, ordinal: u64, team: &Team, command: &Command, by: &Actor) -> Answer {
        let scope = Scope { tenant: &self.book.tenant, team, ordinal };
        let known = id.as_ref().and_then(|id| self.pile(side).find(id));
        let answer = handle(known, command, by, &scope, self.now);
        if let Answer::Events(facts) = &answer {
            let goes_on = facts.first().is_some_and(|first| !matches!(first, What::Opened { .. }));
            let before = id.filter(|_| goes_on).and_then(|id| self.pile_mut(side).take(&id));
            if let Some((incident, events)) = record(before, facts.clone(), by, &scope, self.now) {
                self.put(side, incident, events, command, by);
            }
        }
        answer
    }

    fn put(&mut self, side: Side, incident: Incident, events: Vec<IncidentEvent>, command: &Command, by: &Actor) {
        let detail = format!("{} at event {}", incident.phase_word(), incident.last_seq);
        self.audit(by, command_word(side, command), incident.id.to_string(), detail);
        let new = events.iter().map(|event| NewEvent {
            incident: incident.id.clone(),
            fault: incident.fault.clone(),
            ordinal: incident.ordinal,
            event: event.clone(),
            phase: incident.phase_word(),
        });
        match side {
            Side::Live => self.commit.events.extend(new),
            Side::Shadow => self.commit.shadow.extend(new),
        }
        self.pile_mut(side).put(incident, events);
    }
}

impl Pile<'_> {
    fn find(&self, id: &IncidentId) -> Option<&Incident> {
        self.touched.incidents.get(id).or_else(|| self.incidents.get(id))
    }

    fn holds(&self, fault: &FaultKey, alert: &AlertKey) -> bool {
        self.current(fault).and_then(|id| self.find(&id)).is_some_and(|incident| incident.holds(alert))
    }

    /// The newest incident of a fault.
    fn current(&self, fault: &FaultKey) -> Option<IncidentId> {
        let ordinal = self.last_ordinal(fault);
        if ordinal == 0 {
            return None;
        }
        let newest = fault.incident(ordinal);
        if self.find(&newest).is_some() {
            return Some(newest);
        }
        let of_fault = self.incidents.values().filter(|incident| incident.fault == *fault);
        of_fault.max_by_key(|incident| incident.ordinal).map(|incident| incident.id.clone())
    }

    fn last_ordinal(&self, fault: &FaultKey) -> u64 {
        self.touched.ordinals.get(fault).or_else(|| self.last_ordinals.get(fault)).copied().unwrap_or(0)
    }

    /// What was touched is folded in place: an incident of thousands of alerts is not copied for each of them.
    fn take(&mut self, id: &IncidentId) -> Option<Incident> {
        self.touched.incidents.remove(id).or_else(|| self.incidents.get(id).cloned())
    }

    fn put(&mut self, incident: Incident, events: Vec<IncidentEvent>) {
        self.events.entry(incident.id.clone()).or_default().extend(events);
        let last = self.last_ordinal(&incident.fault).max(incident.ordinal);
        self.touched.ordinals.insert(incident.fault.clone(), last);
        self.touched.incidents.insert(incident.id.clone(), incident);
    }
}

impl Sheet {
    /// Without the incidents of these services and sources.
    fn without(mut self, lost: &BTreeSet<String>) -> Self {
        self.incidents.retain(|_, incident| !lost.contains(&incident.fault.subject.to_string()));
        self.ordinals.retain(|fault, _| !lost.contains(&fault.subject.to_string()));
        self
    }
}

impl Touched {
    /// Without the incidents of these services and sources, which the store does not have.
    pub(super) fn without(self, lost: &BTreeSet<String>) -> Self {
        Self { live: self.live.without(lost), shadow: self.shadow.without(lost) }
    }

    /// Takes the committed incidents into the book.
    pub(super) fn into_book(self, book: &mut Book) {
        book.incidents.extend(self.live.incidents);
        book.ordinals.extend(self.live.ordinals);
        book.shadow.incidents.extend(self.shadow.incidents);
        book.shadow.ordinals.extend(self.shadow.ordinals);
    }
}

/// The stable word of a command in the audit.
const fn command_word(side: Side, command: &Command) -> &'static str {
    match command {
        Command::Fire { .. } => match side {
            Side::Live => "alert.fire",
            Side::Shadow => "shadow.fire",
        },
        Command::Clear { .. } => match side {
            Side::Live => "alert.clear",
            Side::Shadow => "shadow.clear",
        },
        Command::Acknowledge => "incident.acknowledge",
        Command::Escalate => "incident.escalate",
        Command::Note { .. } => "incident.note",
        Command::Resolve => "incident.resolve",
        Command::Delivered { .. } => "page.delivered",
        Command::Undeliverable { .. } => "page.undeliverable",
        Command::Tick => "incident.timer",
    }
}
