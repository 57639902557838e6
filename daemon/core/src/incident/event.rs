//! The facts of an incident: who did what, when, and why.

use std::fmt;

use crate::{
    id::{PageId, TeamName},
    oncall::Recipient,
    time::Timestamp,
};

use super::{AlertKey, Facts, FaultKey};

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
    /// Another alert of the same fault joined, or one that had recovered fires again; of one that holds: its return, kept quiet so far, is told.
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
    /// It had recovered and fires again, or all of its SLO had.
    CameBack,
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
