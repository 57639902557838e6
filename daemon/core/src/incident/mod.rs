//! Incidents: the work caused by one fault, over one or many alerts. An incident is the fold of its events; commands go through the one
//! door `handle`, which answers with new events or says who did it already.

mod fold;
mod handle;
mod harm;
mod messages;

use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    budget::BudgetLeft,
    burn_rate::RowBurn,
    id::{BudgetId, IncidentId, PageId, ServiceName, SloId, SourceName, TeamName, TenantId},
    ledger::Unknown,
    oncall::Recipient,
    sli::Sli,
    slo::Urgency,
    time::Timestamp,
    units::Target,
};

pub use handle::{Answer, Command, GRACE, RECHECK, Scope, handle, next_due, record};
pub use harm::Harm;
pub use messages::{Message, MessageKind, Wanted, messages, refresh, still_wanted};

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
}

impl FaultKey {
    /// The middle of the incident's identity: `checkout-burn-3`, `checkout-ticket-1`, `prom-eu-cannot-see-1`, `checkout-no-data-2`.
    pub const fn kind_word(&self) -> &'static str {
        match (self.kind, self.urgency) {
            (Kind::Burn, Urgency::Page) => "burn",
            (Kind::Burn, Urgency::Ticket) => "ticket",
            (Kind::CannotSee, Urgency::Page) => "cannot-see",
            (Kind::CannotSee, Urgency::Ticket) => "no-data",
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
}

impl fmt::Display for AlertKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget(id) => write!(f, "{id}"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::Slo(id) => write!(f, "{id}"),
        }
    }
}

/// What was known when an alert fired: the inputs of the decision, kept with it.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// Of a burning budget.
    Burn(Box<BurnFacts>),
    /// Of a blind source or SLO.
    Blind(BlindFacts),
}

impl Facts {
    /// When the burn or blindness began, as far as it is known.
    pub fn began(&self) -> Timestamp {
        match self {
            Self::Burn(burn) => burn.began,
            Self::Blind(blind) => blind.since,
        }
    }
}

/// What a bad event is, in a word for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Symptom {
    /// It failed.
    Failing,
    /// It took longer than promised.
    TooSlow,
}

impl Symptom {
    /// The symptom that an SLI's bad events are.
    pub const fn of(sli: &Sli) -> Self {
        match sli {
            Sli::Events { .. } => Self::Failing,
            Sli::Latency { .. } => Self::TooSlow,
        }
    }
}

/// The inputs of the decision that a budget burns.
#[derive(Debug, Clone, PartialEq)]
pub struct BurnFacts {
    /// What the SLO promises, in words.
    pub title: String,
    /// What its bad events are.
    pub symptom: Symptom,
    /// The objective's target.
    pub target: Target,
    /// The objective's window.
    pub window: Duration,
    /// The row that fired, with its arithmetic.
    pub fired: RowBurn,
    /// When the burn began, as far as the slices show it.
    pub began: Timestamp,
    /// The budget at that moment.
    pub left: BudgetLeft,
    /// How long the rest lasts at the rate of the fired row's short lookback; `None` when spent or not burning.
    pub runs_out: Option<Duration>,
    /// Timestamp of the newest sample that the decision saw.
    pub as_of: Timestamp,
}

/// The inputs of the decision that we cannot see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindFacts {
    /// Why.
    pub unknown: Unknown,
    /// Since when.
    pub since: Timestamp,
    /// The SLOs that are hidden by it.
    pub hides: Vec<SloId>,
}

/// Who or what acted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// burnward itself.
    Daemon,
    /// A person, with the way they acted.
    Person {
        /// The name of the token, of the Slack user, or of the local user.
        name: String,
        /// Where they acted.
        via: Via,
    },
}

/// Where a person acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Via {
    /// A button or message in Slack.
    Slack,
    /// A page of our own.
    Web,
    /// The HTTP API or the command line.
    Api,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daemon => f.write_str("burnward"),
            Self::Person { name, .. } => f.write_str(name),
        }
    }
}

/// A fact of an incident, in order. `seq` counts from 1 without gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct IncidentEvent {
    /// Position within the incident.
    pub seq: u32,
    /// When it happened.
    pub at: Timestamp,
    /// Who did it.
    pub by: Actor,
    /// What happened.
    pub what: What,
}

/// What can happen to an incident.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// It began with its first alert.
    Opened {
        /// The fault.
        fault: FaultKey,
        /// Who is responsible.
        team: TeamName,
        /// The first alert.
        alert: AlertKey,
        /// Its inputs.
        facts: Facts,
    },
    /// Another alert of the same fault joined, or one that had recovered fires again.
    Joined {
        /// The alert.
        alert: AlertKey,
        /// Its inputs.
        facts: Facts,
        /// Why it needs a new post; `None`: an edit is enough.
        notify: Option<JoinReason>,
    },
    /// An alert of it is over; others may hold it open.
    Recovered {
        /// The alert.
        alert: AlertKey,
    },
    /// A message that must reach somebody is owed.
    PageOwed {
        /// Its identity.
        page: PageId,
        /// To whom.
        to: Recipient,
        /// Escalation step, from 0.
        step: u32,
        /// Escalation round, from 0.
        round: u32,
        /// Why now.
        why: PageReason,
    },
    /// A message reached its recipient's service.
    Delivered {
        /// Which.
        page: PageId,
        /// Where it stands: channel and timestamp as the service named them.
        at: MessageRef,
        /// True where it may be a repeat, and says so.
        maybe_repeat: bool,
    },
    /// A message cannot reach its recipient.
    Undeliverable {
        /// Which.
        page: PageId,
        /// Why, in a sentence.
        reason: String,
    },
    /// Somebody took it.
    Acknowledged,
    /// The next step was paged.
    Escalated {
        /// The step now reached, from 0.
        step: u32,
        /// The round now reached, from 0.
        round: u32,
        /// Why.
        why: EscalationReason,
    },
    /// A timer was set: unless somebody acknowledges, the next step is paged then.
    EscalationDue {
        /// When.
        at: Timestamp,
    },
    /// Every step was paged as often as the policy allows and nobody acknowledged.
    EscalationEnded,
    /// A person's words.
    Noted {
        /// The words; untrusted text.
        text: String,
    },
    /// It is over.
    Resolved {
        /// How.
        how: Resolution,
    },
    /// It is open again.
    Reopened {
        /// Why.
        why: ReopenReason,
    },
}

/// Why an alert that joins is told with a new post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinReason {
    /// An SLO that is not yet in the incident.
    NewSlo,
    /// Twice as many groups as when somebody was last told.
    Doubled,
    /// The last acknowledgement is over 30 minutes old; it no longer counts.
    OldAcknowledgement,
}

/// Why a page is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageReason {
    /// The incident opened.
    Opened,
    /// The step before did not acknowledge.
    NotAcknowledged,
    /// Somebody asked for help.
    HelpAsked,
    /// Nobody of the step before could be reached.
    Unreachable,
    /// An alert joined that needs a person again.
    Joined(JoinReason),
    /// It came back.
    Reopened,
}

/// Why an incident escalated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscalationReason {
    /// Nobody acknowledged in time.
    NotAcknowledged,
    /// Somebody asked for help.
    HelpAsked,
    /// Nobody of the step before could be reached.
    Unreachable,
}

/// How an incident ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// All its alerts cleared.
    Recovered,
    /// A person said so.
    ByPerson,
}

/// Why an incident is open again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReopenReason {
    /// An alert of the same fault fired again within the grace time.
    FiredAgain,
    /// A person resolved it, and ten minutes later a row still holds.
    StillHolds,
}

/// Where a delivered message stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageRef {
    /// The channel's identity as the service returned it.
    pub channel: String,
    /// The message's timestamp there, which is its identity.
    pub ts: String,
}

/// The state of an incident: the fold of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its identity.
    pub id: IncidentId,
    /// Its number among the incidents of its fault, from 1.
    pub ordinal: u64,
    /// The fault.
    pub fault: FaultKey,
    /// Who is responsible.
    pub team: TeamName,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the burn or blindness began, the earliest of its members.
    pub began: Timestamp,
    /// Open, taken or over.
    pub phase: Phase,
    /// Since when it waits, or waited, for somebody to take it: the opening, the last re-opening, or the end of an old acknowledgement.
    pub waiting_since: Timestamp,
    /// Its alerts, recovered ones too.
    pub members: BTreeMap<AlertKey, Member>,
    /// How far escalation has come.
    pub escalation: Escalation,
    /// What became of each message that was owed.
    pub pages: BTreeMap<PageId, PageState>,
    /// The message that became the root of the thread: the first that was owed.
    pub root: Option<PageId>,
    /// When somebody was last told by a new post, and how many groups were hit then.
    pub last_told: LastTold,
    /// The last acknowledgement, kept across re-opening.
    pub last_acknowledged: Option<(Timestamp, Actor)>,
    /// The last time that somebody asked for help.
    pub last_help: Option<(Timestamp, Actor)>,
    /// The last note.
    pub last_note: Option<Note>,
    /// Position of the last event.
    pub last_seq: u32,
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Nobody has taken it.
    Open,
    /// Somebody has.
    Acknowledged {
        /// When.
        at: Timestamp,
        /// Who.
        by: Actor,
    },
    /// It is over.
    Resolved {
        /// When.
        at: Timestamp,
        /// Who.
        by: Actor,
        /// How.
        how: Resolution,
    },
}

/// An alert within an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// When it joined, the last time that it did.
    pub joined_at: Timestamp,
    /// The inputs of the last time it fired.
    pub facts: Facts,
    /// When it cleared; `None` while it holds.
    pub recovered_at: Option<Timestamp>,
}

/// How far escalation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escalation {
    /// The step that was paged last, from 0.
    pub step: u32,
    /// The round, from 0.
    pub round: u32,
    /// How often something new called for people: 0 for the opening, one more for each re-opening and each join that was told.
    pub calls: u32,
    /// When the next step is due; `None` when acknowledged, resolved, ended, or a ticket.
    pub due: Option<Timestamp>,
}

/// A message that is or was owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageState {
    /// To whom.
    pub to: Recipient,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Escalation step, from 0.
    pub step: u32,
    /// Why.
    pub why: PageReason,
    /// What became of it.
    pub outcome: PageOutcome,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageOutcome {
    /// On its way.
    Owed,
    /// It arrived.
    Delivered {
        /// When.
        at: Timestamp,
        /// Where it stands.
        message: MessageRef,
    },
    /// It cannot arrive.
    Undeliverable {
        /// When that was known.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

/// A person's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// The words; untrusted text.
    pub text: String,
}

/// What was true when somebody was last told by a new post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTold {
    /// When.
    pub at: Timestamp,
    /// How many groups were hit then, at least 1; those that join while the post is still new count as told, because it is edited.
    pub groups: usize,
}
