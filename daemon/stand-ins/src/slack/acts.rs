//! What people, administrators and tests do in the workspace, wherever they ask for it: the Rust side, the control API or the page.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    entities::BareLinks,
    methods::entry,
    office::{Office, Shared},
    ts::Ts,
    world::{Audience, ConversationKind, Draft, Place},
};

/// A change that an administrator makes to a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChannelChange {
    Archived(bool),
    BotIsMember(bool),
}

/// Whether the channel exists.
pub(super) fn change_channel(office: &mut Office, channel: &str, change: ChannelChange) -> bool {
    let Some(conversation) = office.world.conversation_mut(channel) else { return false };
    match change {
        ChannelChange::Archived(archived) => conversation.archived = archived,
        ChannelChange::BotIsMember(member) => conversation.bot_is_member = member,
    }
    true
}

/// Adds a person and gives their id; `None` for one without a name or an address. An address that is known keeps its person.
pub(super) fn add_person(office: &mut Office, name: &str, email: &str) -> Option<String> {
    let (name, email) = (name.trim(), email.trim());
    (!name.is_empty() && !email.is_empty()).then(|| office.world.add_user(name, email))
}

/// Adds a channel and gives its id; `None` for one without a name. A name that is known keeps its channel.
pub(super) fn add_channel(office: &mut Office, name: &str, kind: ConversationKind, now: Timestamp) -> Option<String> {
    let name = name.trim().trim_start_matches('#');
    (!name.is_empty()).then(|| office.world.add_channel(name, kind, now))
}

/// What a person writes.
#[derive(Debug, Clone)]
pub(super) struct Saying {
    pub(super) channel: String,
    pub(super) user: String,
    pub(super) text: String,
    pub(super) thread_ts: Option<String>,
}

/// Posts a person's message; `None` where the place or the person does not exist, or nothing was said.
pub(super) fn say(office: &mut Office, saying: Saying, now: Timestamp) -> Option<Ts> {
    office.world.user(&saying.user).filter(|user| !user.is_bot)?;
    let conversation = office.world.conversation(&saying.channel)?;
    let place = match saying.thread_ts {
        None => Place::Root,
        Some(thread) => Place::Reply { parent: conversation.message(Ts::parse(&thread)?)?.ts, broadcast: false },
    };
    if saying.text.trim().is_empty() {
        return None;
    }
    let draft = Draft {
        author: saying.user.clone(),
        text: saying.text,
        bare_links: BareLinks::Link,
        blocks: Vec::new(),
        attachments: Vec::new(),
        metadata: None,
        place,
        audience: Audience::Everyone,
    };
    let message = office.world.post(&saying.channel, draft, now)?;
    let mut said = entry("message", &saying.channel, &message, now);
    said.user = Some(saying.user);
    office.journal.record(said);
    Some(message.ts)
}

/// Deletes a message, as its author or an administrator may; whether there was one.
pub(super) fn delete(office: &mut Office, channel: &str, ts: &str) -> bool {
    let Some(ts) = Ts::parse(ts) else { return false };
    let Some(conversation) = office.world.conversation_mut(channel) else { return false };
    let before = conversation.messages.len();
    conversation.messages.retain(|message| message.ts != ts);
    conversation.messages.len() < before
}

/// Withdraws every order for faults and takes connections again.
pub(super) fn clear_faults(shared: &Shared) {
    shared.change(|office, _| office.faults.clear());
    shared.gate.open();
}

/// Refuses connections for `span`, after a moment in which the answer to the one who asked can leave.
pub(super) fn refuse_soon(shared: &Shared, span: Duration) {
    let gate = shared.gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(20)).await;
        gate.refuse_for(span);
    });
}

/// Empties the workspace: messages, journal, faults, clicks. People and channels stay.
pub(super) fn reset(office: &mut Office) {
    office.world.clear_messages();
    office.journal.clear();
    office.faults.clear();
    office.interactions.clear();
    office.sockets.clear();
    office.limits = super::limits::Limits::default();
}
