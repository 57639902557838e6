//! The alerts that fired, told from the events of incidents: the same from a replay as from the store.

use burnward_core::{
    id::{IncidentId, SloId},
    incident::{AlertKey, Facts, FaultKey, Kind, PageReason, What},
    ledger::Reason,
    oncall::Recipient,
    slo::Urgency,
    time::Timestamp,
};

use crate::{definition::duration, store::NewEvent};

/// An alert that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// In which incident.
    pub incident: IncidentId,
    /// Of what fault.
    pub fault: FaultKey,
    /// Which alert.
    pub alert: AlertKey,
    /// What it was decided from.
    pub facts: Facts,
    /// When it fired.
    pub at: Timestamp,
    /// When it cleared; `None`: it held at the end.
    pub cleared: Option<Timestamp>,
    /// Whom it called.
    pub calls: Calls,
}

/// Whom an alert called when it fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calls {
    /// Nobody: its incident was open and people were at it.
    Nobody,
    /// These, at once.
    People {
        /// Why.
        why: PageReason,
        /// Whom, in the order of the step.
        to: Vec<Recipient>,
    },
}

impl Alarm {
    /// When the burn began, as far as the samples show it.
    pub fn began(&self) -> Timestamp {
        self.facts.began().min(self.at)
    }

    /// The SLO that it is of; `None` of a source.
    pub const fn slo(&self) -> Option<&SloId> {
        match &self.alert {
            AlertKey::Budget(budget) => Some(&budget.slo),
            AlertKey::Slo(slo) => Some(slo),
            AlertKey::Source(_) | AlertKey::Test => None,
        }
    }

    /// True where somebody was called by it.
    pub const fn calls_people(&self) -> bool {
        match self.calls {
            Calls::People { .. } => true,
            Calls::Nobody => false,
        }
    }

    /// True where all is seen and nothing happens, which is told like blindness and is none.
    pub fn is_silence(&self) -> bool {
        match &self.facts {
            Facts::Blind(blind) => blind.unknown.reason == Reason::NoTraffic,
            Facts::Burn(_) | Facts::Test(_) => false,
        }
    }

    /// What somebody was told: `page`, `ticket: cannot see`; `page, joins` where people were at it.
    pub fn told(&self) -> String {
        let what = match (self.fault.kind, self.fault.urgency) {
            (Kind::Burn | Kind::Test, Urgency::Page) => "page",
            (Kind::Burn | Kind::Test, Urgency::Ticket) => "ticket",
            (Kind::CannotSee, Urgency::Page) if self.is_silence() => "page: no traffic",
            (Kind::CannotSee, Urgency::Ticket) if self.is_silence() => "ticket: no traffic",
            (Kind::CannotSee, Urgency::Page) => "page: cannot see",
            (Kind::CannotSee, Urgency::Ticket) => "ticket: cannot see",
        };
        match self.calls {
            Calls::People { .. } => what.to_owned(),
            Calls::Nobody => format!("{what}, joins"),
        }
    }

    /// The row that fired: `14.4x 1h/5m`; `None` of what is no burn.
    pub fn row(&self) -> Option<String> {
        match &self.facts {
            Facts::Burn(burn) => {
                let row = burn.fired.row;
                Some(format!("{}x {}/{}", row.factor, duration::format(row.long), duration::format(row.short)))
            }
            Facts::Blind(_) | Facts::Test(_) => None,
        }
    }

    /// The share of the budget that was spent by then.
    pub fn spent(&self) -> Option<f64> {
        match &self.facts {
            Facts::Burn(burn) => Some(1.0 - burn.left.ratio),
            Facts::Blind(_) | Facts::Test(_) => None,
        }
    }

    /// The share of the budget's window that was seen by then; `None` of what is no burn, and of one that was kept without it.
    pub fn coverage(&self) -> Option<f64> {
        match &self.facts {
            Facts::Burn(burn) => burn.coverage,
            Facts::Blind(_) | Facts::Test(_) => None,
        }
    }
}

/// The alerts that fired, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alarms(Vec<Alarm>);

impl Alarms {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// All of them, oldest first.
    pub fn all(&self) -> &[Alarm] {
        &self.0
    }

    /// Takes new events of incidents, in their order.
    pub fn take(&mut self, events: &[NewEvent]) {
        for event in events {
            self.take_one(event);
        }
    }

    fn take_one(&mut self, NewEvent { incident, fault, event, .. }: &NewEvent) {
        match &event.what {
            What::Opened { alert, facts, .. } | What::Joined { alert, facts, .. } => {
                // What holds already and is told now is no other firing.
                if self.open(incident, alert).is_none() {
                    let (incident, fault, alert, facts) = (incident.clone(), fault.clone(), alert.clone(), facts.clone());
                    self.0.push(Alarm { incident, fault, alert, facts, at: event.at, cleared: None, calls: Calls::Nobody });
                }
            }
            What::Recovered { alert } => {
                if let Some(alarm) = self.open(incident, alert) {
                    alarm.cleared = Some(event.at);
                }
            }
            What::PageOwed { to, why: why @ (PageReason::Opened | PageReason::Joined(_) | PageReason::Reopened), .. } => {
                let newest = self.0.iter_mut().rev().find(|alarm| alarm.incident == *incident && alarm.at == event.at);
                match newest.map(|alarm| &mut alarm.calls) {
                    Some(Calls::People { to: called, .. }) => called.push(to.clone()),
                    Some(calls @ Calls::Nobody) => *calls = Calls::People { why: *why, to: vec![to.clone()] },
                    None => {}
                }
            }
            What::PageOwed { why: PageReason::NotAcknowledged | PageReason::HelpAsked | PageReason::Unreachable, .. }
            | What::Delivered { .. }
            | What::Undeliverable { .. }
            | What::Acknowledged
            | What::Escalated { .. }
            | What::EscalationDue { .. }
            | What::EscalationEnded
            | What::Noted { .. }
            | What::Resolved { .. }
            | What::Reopened { .. } => {}
        }
    }

    fn open(&mut self, incident: &IncidentId, alert: &AlertKey) -> Option<&mut Alarm> {
        let holds = |alarm: &&mut Alarm| alarm.incident == *incident && alarm.alert == *alert && alarm.cleared.is_none();
        self.0.iter_mut().rev().find(holds)
    }
}
