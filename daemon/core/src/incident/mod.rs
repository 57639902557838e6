//! Incidents: the work caused by one fault, over one or many alerts. An incident is the fold of its events; commands go through the one
//! door `handle`, which answers with new events or says who did it already.

mod back;
mod called;
mod event;
mod facts;
mod fault;
mod fold;
mod handle;
mod harm;
mod members;
mod messages;
mod one_line;
mod state;
#[cfg(test)]
pub(crate) mod story;

pub use event::{Actor, EscalationReason, IncidentEvent, JoinReason, MessageRef, PageReason, ReopenReason, Resolution, Via, What};
pub use facts::{BlindFacts, BurnFacts, Facts, MemberShare, Symptom, TestFacts};
pub use fault::{AlertKey, FaultKey, Kind, Subject};
pub use handle::{Answer, Command, GRACE, RECHECK, Scope, handle, is_over, next_due, record};
pub use harm::Harm;
pub use members::{Back, Member, Members};
pub use messages::{Message, MessageKind, Wanted, is_outdated, messages, refresh, still_wanted};
pub use state::{Escalation, Incident, LastTold, Note, PageOutcome, PageState, Phase, Spell, Standing};
