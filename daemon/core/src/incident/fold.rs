//! The fold: events in, state out. It is total: every event folds in any order, because what is stored must always load again.

use std::time::Duration;

use crate::{
    id::{PageId, TenantId},
    time::{Timestamp, minutes},
};

use super::{
    AlertKey, Escalation, EscalationReason, Facts, Incident, IncidentEvent, JoinReason, LastTold, Member, Note, PageOutcome, PageState,
    Phase, What,
};

/// How long a post counts as new: groups that join in this time are shown by an edit of it and need no post of their own, so that a failure that
/// reaches ten tenants within two minutes pages once.
pub(super) const GATHER: Duration = minutes(2);

impl Incident {
    /// The incident that an `Opened` event begins; `None` for any other event.
    pub fn opened(tenant: &TenantId, ordinal: u64, event: &IncidentEvent) -> Option<Self> {
        let What::Opened { fault, team, alert, facts } = &event.what else { return None };
        let member = Member { joined_at: event.at, facts: facts.clone(), recovered_at: None };
        Some(Self {
            tenant: tenant.clone(),
            id: fault.incident(ordinal),
            ordinal,
            fault: fault.clone(),
            team: team.clone(),
            opened_at: event.at,
            began: facts.began().min(event.at),
            phase: Phase::Open,
            waiting_since: event.at,
            members: [(alert.clone(), member)].into(),
            escalation: Escalation { step: 0, round: 0, calls: 0, due: None },
            pages: [].into(),
            root: None,
            last_told: LastTold { at: event.at, groups: 1 },
            last_acknowledged: None,
            last_help: None,
            last_note: None,
            last_seq: event.seq,
        })
    }

    /// The state after all of `events`; `None` where they do not begin with an `Opened` event.
    pub fn replay(tenant: &TenantId, ordinal: u64, events: &[IncidentEvent]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let mut incident = Self::opened(tenant, ordinal, first)?;
        for event in rest {
            incident.apply(event);
        }
        Some(incident)
    }

    /// The state after one more event.
    pub fn apply(&mut self, event: &IncidentEvent) {
        let at = event.at;
        self.last_seq = self.last_seq.max(event.seq);
        match &event.what {
            What::Opened { alert, facts, .. } => self.join(alert, facts, None, at),
            What::Joined { alert, facts, notify } => self.join(alert, facts, *notify, at),
            What::Recovered { alert } => self.recover(alert, at),
            What::PageOwed { page, to, step, round: _, why } => {
                let state = PageState { to: to.clone(), decided_at: at, step: *step, why: *why, outcome: PageOutcome::Owed };
                self.owe(page, state);
            }
            What::Delivered { page, at: message, .. } => {
                self.set_outcome(page, PageOutcome::Delivered { at, message: message.clone() });
            }
            What::Undeliverable { page, reason } => self.set_outcome(page, PageOutcome::Undeliverable { at, reason: reason.clone() }),
            What::Acknowledged => self.acknowledge(event),
            What::Escalated { step, round, why } => self.escalate(*step, *round, *why, event),
            What::EscalationDue { at } => self.set_due(*at),
            What::EscalationEnded => self.escalation.due = None,
            What::Noted { text } => self.last_note = Some(Note { at, by: event.by.clone(), text: text.clone() }),
            What::Resolved { how } => {
                self.phase = Phase::Resolved { at, by: event.by.clone(), how: *how };
                self.escalation.due = None;
            }
            What::Reopened { .. } => self.call_anew(at),
        }
    }

    fn join(&mut self, alert: &AlertKey, facts: &Facts, notify: Option<JoinReason>, at: Timestamp) {
        self.began = self.began.min(facts.began());
        self.members.insert(alert.clone(), Member { joined_at: at, facts: facts.clone(), recovered_at: None });
        match notify {
            None if at.since(self.last_told.at) <= GATHER => self.last_told.groups = self.last_told.groups.max(self.groups_hit().len()),
            None => {}
            Some(JoinReason::NewSlo | JoinReason::Doubled) => self.escalation.calls += 1,
            Some(JoinReason::OldAcknowledgement) => self.call_anew(at),
        }
    }

    fn recover(&mut self, alert: &AlertKey, at: Timestamp) {
        if let Some(member) = self.members.get_mut(alert) {
            member.recovered_at.get_or_insert(at);
        }
    }

    fn owe(&mut self, page: &PageId, state: PageState) {
        self.last_told = LastTold { at: state.decided_at, groups: self.groups_hit().len().max(1) };
        self.root.get_or_insert_with(|| page.clone());
        self.pages.entry(page.clone()).or_insert(state);
    }

    fn set_outcome(&mut self, page: &PageId, outcome: PageOutcome) {
        if let Some(state) = self.pages.get_mut(page)
            && !matches!(state.outcome, PageOutcome::Delivered { .. })
        {
            state.outcome = outcome;
        }
    }

    fn acknowledge(&mut self, event: &IncidentEvent) {
        self.last_acknowledged = Some((event.at, event.by.clone()));
        self.escalation.due = None;
        match self.phase {
            Phase::Open | Phase::Acknowledged { .. } => self.phase = Phase::Acknowledged { at: event.at, by: event.by.clone() },
            Phase::Resolved { .. } => {}
        }
    }

    fn escalate(&mut self, step: u32, round: u32, why: EscalationReason, event: &IncidentEvent) {
        self.escalation = Escalation { step, round, due: None, ..self.escalation };
        match why {
            EscalationReason::HelpAsked => self.last_help = Some((event.at, event.by.clone())),
            EscalationReason::NotAcknowledged | EscalationReason::Unreachable => {}
        }
    }

    fn set_due(&mut self, due: Timestamp) {
        match self.phase {
            Phase::Open => self.escalation.due = Some(due),
            Phase::Acknowledged { .. } | Phase::Resolved { .. } => {}
        }
    }

    /// It waits for somebody from here on, beginning with the first step.
    fn call_anew(&mut self, at: Timestamp) {
        self.phase = Phase::Open;
        self.waiting_since = at;
        self.escalation = Escalation { step: 0, round: 0, calls: self.escalation.calls + 1, due: None };
    }
}
