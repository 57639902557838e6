//! Which messages an incident's new events lead to. Edits inform, posts notify.

use crate::{
    id::{IncidentId, PageId},
    oncall::Recipient,
    time::Timestamp,
};

use super::{Incident, IncidentEvent};

/// A message to be delivered, decided together with the events that lead to it. What it says is rendered at delivery from the stored incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its identity; a message with the same identity is the same message.
    pub id: PageId,
    /// Of which incident.
    pub incident: IncidentId,
    /// To whom.
    pub to: Recipient,
    /// What kind.
    pub kind: MessageKind,
    /// When it is due.
    pub due: Timestamp,
}

/// The kinds of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageKind {
    /// The incident's first post in its team's channel, the root of its thread; a page.
    Root,
    /// A new post in the thread that also shows in the channel, with a mention: escalation, a member that joined, re-opening; a page.
    Again,
    /// A direct message to a person, or a post to a channel that is not the team's; a page.
    Direct,
    /// A timeline entry in the thread: the event with this position. Informs.
    Thread {
        /// Position of the event.
        seq: u32,
    },
    /// The root is rendered anew. Informs; several wait as one.
    Edit,
}

impl MessageKind {
    /// True for what must reach somebody: it is retried until it does.
    pub const fn is_page(&self) -> bool {
        match self {
            Self::Root | Self::Again | Self::Direct => true,
            Self::Thread { .. } | Self::Edit => false,
        }
    }
}

/// The messages that `events` lead to; `incident` is the state after them.
pub fn messages(_incident: &Incident, _channel: &str, _events: &[IncidentEvent]) -> Vec<Message> {
    unimplemented!()
}
