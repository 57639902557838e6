//! The one door: a command, the incident's state and `now` lead to events, or to the answer that it was done already.

use crate::{id::PageId, oncall::Team, time::Timestamp};

use super::{Actor, AlertKey, Facts, FaultKey, Incident, MessageRef, What};

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
    /// A message cannot arrive.
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
    /// New facts, in order; empty where nothing changes.
    Events(Vec<What>),
    /// An ordinary answer to a late or doubled command: who did it already, and when.
    Already {
        /// What is already so, as a word: `acknowledged`, `resolved`.
        what: &'static str,
        /// Who did it.
        by: Actor,
        /// When.
        at: Timestamp,
    },
}

/// Handles a command. `incident` is `None` where the fault has no incident that is open or within its grace time; `ordinal` is the number that a new
/// incident of this fault would get.
pub fn handle(_incident: Option<&Incident>, _command: &Command, _by: &Actor, _team: &Team, _ordinal: u64, _now: Timestamp) -> Answer {
    unimplemented!()
}
