//! `chat.postMessage`, `chat.update`, `chat.getPermalink`.
//!
//! No repeat is recognised as one: Slack documents no idempotency for posts.

use serde_json::{Value, json};

use super::{
    super::{
        answer::{Answer, ApiError, fields},
        args::Args,
        blocks,
        entities::{BareLinks, normalise},
        ts::Ts,
        world::{Audience, Conversation, ConversationKind, Draft, Message, MetadataView, Place},
    },
    Desk, Method, permalink,
};

/// A post's text is cut here (docs.slack.dev, reference/methods/chat.postMessage).
const MOST_POSTED: usize = 40_000;
/// An update's text is refused above this (reference/methods/chat.update).
const MOST_UPDATED: usize = 4_000;
/// Attachments of one message.
const MOST_ATTACHMENTS: usize = 100;
/// Bytes of metadata. Slack does not document its limit; this one is ours.
const MOST_METADATA: usize = 8_192;

/// What a call says of the metadata.
enum MetadataPart {
    /// Nothing: as it is.
    Keep,
    /// `{}`.
    Remove,
    Set(Value),
}

/// The parts of a message that a call carries.
struct Parts {
    text: Option<String>,
    blocks: Option<Vec<Value>>,
    attachments: Option<Vec<Value>>,
    metadata: MetadataPart,
    bare_links: BareLinks,
}

impl MetadataPart {
    fn onto(self, old: Option<Value>) -> Option<Value> {
        match self {
            Self::Keep => old,
            Self::Remove => None,
            Self::Set(new) => Some(new),
        }
    }
}

impl Parts {
    fn read(args: &Args) -> Result<Self, ApiError> {
        let blocks = args.structure("blocks", "invalid_blocks_format")?;
        let attachments = args.structure("attachments", "invalid_attachments")?;
        let parts = Self {
            text: args.text("text"),
            bare_links: if args.text("parse").as_deref() == Some("none") { BareLinks::Leave } else { BareLinks::Link },
            metadata: args.structure("metadata", "invalid_metadata_format")?.map_or(Ok(MetadataPart::Keep), check_metadata)?,
            attachments: attachments.as_ref().map(check_attachments).transpose()?,
            blocks: blocks.as_ref().map(check_blocks).transpose()?,
        };
        parts.check_length()?;
        if parts.is_empty() { Err(ApiError::new("no_text")) } else { Ok(parts) }
    }

    fn is_empty(&self) -> bool {
        let none = |list: &Option<Vec<Value>>| list.as_ref().is_none_or(Vec::is_empty);
        self.text.is_none() && none(&self.blocks) && none(&self.attachments)
    }

    fn check_length(&self) -> Result<(), ApiError> {
        let own = self.blocks.iter().cloned().map(Value::Array);
        let attached = self.attachments.iter().flatten().filter_map(|attachment| attachment.get("blocks").cloned());
        let lists: Vec<Value> = own.chain(attached).collect();
        blocks::check_length(&lists)
    }
}

fn check_blocks(blocks: &Value) -> Result<Vec<Value>, ApiError> {
    blocks::check(blocks, "/blocks")?;
    Ok(blocks.as_array().cloned().unwrap_or_default())
}

fn check_attachments(attachments: &Value) -> Result<Vec<Value>, ApiError> {
    let Some(list) = attachments.as_array().filter(|list| list.iter().all(Value::is_object)) else {
        return Err(ApiError::new("invalid_attachments"));
    };
    if list.len() > MOST_ATTACHMENTS {
        return Err(ApiError::new("too_many_attachments"));
    }
    for (index, blocks) in list.iter().enumerate().filter_map(|(index, attachment)| Some((index, attachment.get("blocks")?))) {
        blocks::check(blocks, &format!("/attachments/{index}/blocks"))?;
    }
    Ok(list.clone())
}

fn check_metadata(metadata: Value) -> Result<MetadataPart, ApiError> {
    let Some(found) = metadata.as_object() else { return Err(ApiError::new("invalid_metadata_format")) };
    if found.is_empty() {
        return Ok(MetadataPart::Remove);
    }
    let named = found.get("event_type").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if !named || !found.get("event_payload").is_some_and(Value::is_object) {
        return Err(ApiError::new("invalid_metadata_schema"));
    }
    if metadata.to_string().len() > MOST_METADATA {
        return Err(ApiError::new("metadata_too_large"));
    }
    Ok(MetadataPart::Set(metadata))
}

pub(super) fn post_message(desk: &mut Desk<'_>, args: &Args) -> Answer {
    let channel = destination(desk, &args.required("channel")?)?;
    let parts = Parts::read(args)?;
    let place = place(desk.conversation(&channel)?, args)?;
    let draft = Draft {
        author: desk.office.world.identity.bot_user.clone(),
        text: parts.text.unwrap_or_default().chars().take(MOST_POSTED).collect(),
        bare_links: parts.bare_links,
        blocks: parts.blocks.unwrap_or_default(),
        attachments: parts.attachments.unwrap_or_default(),
        metadata: parts.metadata.onto(None),
        place,
        audience: Audience::Everyone,
    };
    let posted = desk.office.world.post(&channel, draft, desk.now).ok_or_else(|| ApiError::new("channel_not_found"))?;
    desk.journal(Method::ChatPostMessage, &channel, &posted);
    let shown = message_json(desk, &channel, &posted)?;
    Ok(fields(json!({ "channel": channel, "ts": posted.ts, "message": shown })))
}

/// Where a post goes: a channel by id or name, or a person, whose direct conversation opens.
fn destination(desk: &mut Desk<'_>, asked: &str) -> Result<String, ApiError> {
    let person = desk.office.world.user(asked).map(|user| user.id.clone());
    if let Some(person) = person {
        let opened = desk.office.world.open_direct(&person, desk.now);
        return opened.map(|(id, _)| id).ok_or_else(|| ApiError::new("channel_not_found"));
    }
    let id = desk.office.world.channel_named(asked).map_or(asked, |channel| channel.id.as_str()).to_owned();
    let conversation = desk.conversation(&id)?;
    let open_to_all = conversation.kind == ConversationKind::Public && desk.settings.has_scope("chat:write.public");
    match conversation {
        it if it.archived => Err(ApiError::new("is_archived")),
        it if it.bot_is_member || open_to_all => Ok(id),
        _ => Err(ApiError::new("not_in_channel")),
    }
}

/// `thread_ts` must be a root's: strictly, so that a reply to a reply is found in a test and not in a lost thread.
fn place(conversation: &Conversation, args: &Args) -> Result<Place, ApiError> {
    let Some(thread_ts) = args.text("thread_ts") else { return Ok(Place::Root) };
    let parent = Ts::parse(&thread_ts).and_then(|ts| conversation.message(ts)).ok_or_else(|| ApiError::new("thread_not_found"))?;
    if parent.place != Place::Root || parent.audience != Audience::Everyone {
        return Err(ApiError::new("cannot_reply_to_message"));
    }
    Ok(Place::Reply { parent: parent.ts, broadcast: args.flag("reply_broadcast") })
}

/// Replaces what the call carries: text without blocks removes the blocks; attachments and metadata stay unless emptied.
pub(super) fn update(desk: &mut Desk<'_>, args: &Args) -> Answer {
    let channel = args.required("channel")?;
    let ts = args.required("ts")?;
    let conversation = desk.conversation(&channel)?;
    if conversation.archived {
        return Err(ApiError::new("is_inactive"));
    }
    let old = own_message(desk, conversation, &ts)?.clone();
    if args.text("text").is_some_and(|text| text.chars().count() > MOST_UPDATED) {
        return Err(ApiError::new("msg_too_long"));
    }
    let mut message = changed(old, Parts::read(args)?, Ts::at(desk.now));
    desk.office.world.complete(&mut message);
    if let Some(kept) = desk.office.world.conversation_mut(&channel).and_then(|it| it.message_mut(message.ts)) {
        *kept = message.clone();
    }
    desk.journal(Method::ChatUpdate, &channel, &message);
    let shown = message_json(desk, &channel, &message)?;
    Ok(fields(json!({ "channel": channel, "ts": message.ts, "text": message.text, "message": shown })))
}

fn own_message<'a>(desk: &Desk<'_>, conversation: &'a Conversation, ts: &str) -> Result<&'a Message, ApiError> {
    let found = Ts::parse(ts).and_then(|ts| conversation.message(ts));
    let message = found.filter(|message| message.audience == Audience::Everyone).ok_or_else(|| ApiError::new("message_not_found"))?;
    if message.author == desk.office.world.identity.bot_user { Ok(message) } else { Err(ApiError::new("cant_update_message")) }
}

fn changed(mut message: Message, parts: Parts, now: Ts) -> Message {
    let has_blocks = parts.blocks.as_ref().is_some_and(|blocks| !blocks.is_empty());
    message.text = parts.text.map(|text| normalise(&text, parts.bare_links)).unwrap_or_default();
    message.blocks = parts.blocks.unwrap_or_default();
    if let Some(attachments) = parts.attachments {
        message.attachments = attachments;
    }
    message.metadata = parts.metadata.onto(message.metadata.take());
    message.edited = if has_blocks { message.edited } else { Some(now) };
    message.changes += 1;
    message
}

pub(super) fn get_permalink(desk: &Desk<'_>, args: &Args) -> Answer {
    let channel = args.required("channel")?;
    let ts = args.required("message_ts")?;
    let conversation = desk.conversation(&channel)?;
    let message = Ts::parse(&ts).and_then(|ts| conversation.message(ts)).ok_or_else(|| ApiError::new("message_not_found"))?;
    Ok(fields(json!({ "channel": channel, "permalink": permalink(desk.settings, &channel, message) })))
}

fn message_json(desk: &Desk<'_>, channel: &str, message: &Message) -> Result<Value, ApiError> {
    let conversation = desk.conversation(channel)?;
    Ok(desk.office.world.message_json(conversation, message, MetadataView::All))
}
