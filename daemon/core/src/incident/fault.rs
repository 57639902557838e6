//! What is at fault, and the conditions that make an incident.

use std::fmt;

use crate::{
    id::{BudgetId, Group, IncidentId, ServiceName, SloId, SourceName},
    slo::Urgency,
};

/// What is at fault: one open incident per tenant and fault key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultKey {
    /// The service or source.
    pub subject: Subject,
    /// The kind of the fault.
    pub kind: Kind,
    /// A ticket never absorbs a page.
    pub urgency: Urgency,
}

/// What a fault is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A service's SLOs.
    Service(ServiceName),
    /// A source of samples.
    Source(SourceName),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(name) => write!(f, "{name}"),
            Self::Source(name) => write!(f, "{name}"),
        }
    }
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A budget burns too fast.
    Burn,
    /// We cannot see.
    CannotSee,
    /// Nothing is at fault: a person tries the way of a page.
    Test,
}

impl FaultKey {
    /// The middle of the incident's identity: `checkout-burn-3`, `checkout-ticket-1`, `prom-eu-cannot-see-1`, `checkout-no-data-2`.
    pub const fn kind_word(&self) -> &'static str {
        match (self.kind, self.urgency) {
            (Kind::Burn, Urgency::Page) => "burn",
            (Kind::Burn, Urgency::Ticket) => "ticket",
            (Kind::CannotSee, Urgency::Page) => "cannot-see",
            (Kind::CannotSee, Urgency::Ticket) => "no-data",
            (Kind::Test, Urgency::Page | Urgency::Ticket) => "test",
        }
    }

    /// The identity of its `ordinal`-th incident, from 1.
    pub fn incident(&self, ordinal: u64) -> IncidentId {
        IncidentId::new(&self.subject.to_string(), self.kind_word(), ordinal)
    }
}

/// A condition that can be a member of an incident.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKey {
    /// A budget burns.
    Budget(BudgetId),
    /// A source is blind.
    Source(SourceName),
    /// An SLO is blind although its source answers.
    Slo(SloId),
    /// A person tries the way of a page.
    Test,
}

impl AlertKey {
    /// The SLO that the alert belongs to; a source has none.
    pub const fn slo(&self) -> Option<&SloId> {
        match self {
            Self::Budget(budget) => Some(&budget.slo),
            Self::Slo(slo) => Some(slo),
            Self::Source(_) | Self::Test => None,
        }
    }

    /// The budget that the alert is about.
    pub const fn budget(&self) -> Option<&BudgetId> {
        match self {
            Self::Budget(budget) => Some(budget),
            Self::Slo(_) | Self::Source(_) | Self::Test => None,
        }
    }

    /// The group that the alert is about; only budgets have one.
    pub const fn group(&self) -> Option<&Group> {
        match self.budget() {
            Some(budget) => Some(&budget.group),
            None => None,
        }
    }
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget(id) => write!(f, "{id}"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::Slo(id) => write!(f, "{id}"),
            Self::Test => f.write_str("test"),
        }
    }
}
