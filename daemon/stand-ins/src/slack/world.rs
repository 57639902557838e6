//! The workspace: people, conversations, messages. It knows how Slack keeps things; what is allowed is the methods' affair.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    answer::fields,
    blocks,
    entities::{BareLinks, normalise},
    ts::Ts,
};

/// Messages kept in a conversation; older ones go.
const KEPT_MESSAGES: usize = 5_000;

/// Who the workspace and the app are.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) team_id: String,
    pub(super) team: String,
    pub(super) domain: String,
    pub(super) app_id: String,
    pub(super) bot_id: String,
    pub(super) bot_user: String,
    pub(super) bot_name: String,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            team_id: "T00000001".to_owned(),
            team: "Stand-in".to_owned(),
            domain: "stand-in".to_owned(),
            app_id: "A00000001".to_owned(),
            bot_id: "B00000001".to_owned(),
            bot_user: "U00000000".to_owned(),
            bot_name: "burnward".to_owned(),
        }
    }
}

/// A person, or the app's bot.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) is_bot: bool,
}

/// What sort of conversation it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ConversationKind {
    Public,
    Private,
    /// Between the bot and one person.
    Direct {
        user: String,
    },
}

/// A channel or a direct conversation.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    pub(super) id: String,
    /// Without `#`; of a direct conversation the person's name.
    pub(super) name: String,
    pub(super) kind: ConversationKind,
    pub(super) archived: bool,
    pub(super) bot_is_member: bool,
    pub(super) created: Timestamp,
    pub(super) messages: Vec<Message>,
    last_ts: Ts,
}

/// Who sees a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Audience {
    Everyone,
    /// An ephemeral message.
    Only(String),
}

/// Where a message stands in its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Reply { parent: Ts, broadcast: bool },
}

/// A message as Slack keeps it.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) ts: Ts,
    pub(super) author: String,
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) attachments: Vec<Value>,
    pub(super) metadata: Option<Value>,
    pub(super) place: Place,
    pub(super) audience: Audience,
    pub(super) edited: Option<Ts>,
    /// Whether it was ever changed, with or without the word "edited".
    pub(super) changes: u32,
}

/// A message to be.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) author: String,
    pub(super) text: String,
    pub(super) bare_links: BareLinks,
    pub(super) blocks: Vec<Value>,
    pub(super) attachments: Vec<Value>,
    pub(super) metadata: Option<Value>,
    pub(super) place: Place,
    pub(super) audience: Audience,
}

/// How much of the metadata an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MetadataView {
    EventTypeOnly,
    All,
}

impl Message {
    /// `page_id` of the metadata.
    pub(super) fn page_id(&self) -> Option<String> {
        self.metadata.as_ref()?.pointer("/event_payload/page_id")?.as_str().map(str::to_owned)
    }

    pub(super) fn parent(&self) -> Option<Ts> {
        match self.place {
            Place::Root => None,
            Place::Reply { parent, .. } => Some(parent),
        }
    }

    /// Whether the conversation itself shows it, and not only its thread.
    pub(super) fn in_main_view(&self) -> bool {
        match self.place {
            Place::Root => true,
            Place::Reply { broadcast, .. } => broadcast,
        }
    }

    pub(super) fn visible_to(&self, user: &str) -> bool {
        match &self.audience {
            Audience::Everyone => true,
            Audience::Only(one) => one == user,
        }
    }
}

impl Conversation {
    pub(super) fn message(&self, ts: Ts) -> Option<&Message> {
        let index = self.messages.binary_search_by_key(&ts, |message| message.ts).ok()?;
        self.messages.get(index)
    }

    pub(super) fn message_mut(&mut self, ts: Ts) -> Option<&mut Message> {
        let index = self.messages.binary_search_by_key(&ts, |message| message.ts).ok()?;
        self.messages.get_mut(index)
    }

    /// The replies of a thread, oldest first.
    pub(super) fn replies(&self, parent: Ts) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(move |message| message.parent() == Some(parent) && message.audience == Audience::Everyone)
    }

    fn take_ts(&mut self, now: Timestamp) -> Ts {
        self.last_ts = self.last_ts.next_after(now);
        self.last_ts
    }
}

/// Everything that the workspace holds.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) identity: Identity,
    pub(super) users: Vec<User>,
    pub(super) conversations: Vec<Conversation>,
    ids: u64,
}

impl World {
    pub(super) fn new() -> Self {
        let mut world = Self::default();
        let identity = &world.identity;
        let bot = User { id: identity.bot_user.clone(), name: identity.bot_name.clone(), email: String::new(), is_bot: true };
        world.users.push(bot);
        world
    }

    pub(super) fn next_id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        format!("{prefix}{:08}", self.ids)
    }

    /// Adds a person; one with the same e-mail address stays who they are.
    pub(super) fn add_user(&mut self, name: &str, email: &str) -> String {
        if let Some(known) = self.users.iter().find(|user| !user.is_bot && user.email.eq_ignore_ascii_case(email)) {
            return known.id.clone();
        }
        let id = self.next_id("U");
        self.users.push(User { id: id.clone(), name: name.to_owned(), email: email.to_owned(), is_bot: false });
        id
    }

    /// Adds a channel; one with the same name stays.
    pub(super) fn add_channel(&mut self, name: &str, kind: ConversationKind, now: Timestamp) -> String {
        let name = name.trim_start_matches('#');
        if let Some(known) = self.conversations.iter().find(|known| known.is_channel() && known.name == name) {
            return known.id.clone();
        }
        let id = self.next_id("C");
        self.push_conversation(id, name.to_owned(), kind, now)
    }

    /// The direct conversation with a person, opened where it is not yet; and whether it was open.
    pub(super) fn open_direct(&mut self, user: &str, now: Timestamp) -> Option<(String, bool)> {
        let person = self.user(user).filter(|person| !person.is_bot)?.clone();
        let kind = ConversationKind::Direct { user: person.id };
        if let Some(open) = self.conversations.iter().find(|open| open.kind == kind) {
            return Some((open.id.clone(), true));
        }
        let id = self.next_id("D");
        let id = self.push_conversation(id, person.name, kind, now);
        if let Some(direct) = self.conversation_mut(&id) {
            direct.bot_is_member = true;
        }
        Some((id, false))
    }

    fn push_conversation(&mut self, id: String, name: String, kind: ConversationKind, created: Timestamp) -> String {
        let new = Conversation {
            id: id.clone(),
            name,
            kind,
            archived: false,
            bot_is_member: false,
            created,
            messages: Vec::new(),
            last_ts: Ts::default(),
        };
        self.conversations.push(new);
        id
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn user_name(&self, id: &str) -> String {
        self.user(id).map_or_else(|| id.to_owned(), |user| user.name.clone())
    }

    pub(super) fn conversation(&self, id: &str) -> Option<&Conversation> {
        self.conversations.iter().find(|conversation| conversation.id == id)
    }

    pub(super) fn conversation_mut(&mut self, id: &str) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|conversation| conversation.id == id)
    }

    /// The id of a channel by its name, with or without `#`.
    pub(super) fn channel_named(&self, name: &str) -> Option<&Conversation> {
        let name = name.trim_start_matches('#');
        self.conversations.iter().find(|conversation| conversation.is_channel() && conversation.name == name)
    }

    /// Keeps a message and says under which `ts`; `None` where the conversation does not exist.
    pub(super) fn post(&mut self, channel: &str, draft: Draft, now: Timestamp) -> Option<Message> {
        let mut message = Message {
            ts: Ts::default(),
            author: draft.author,
            text: normalise(&draft.text, draft.bare_links),
            blocks: draft.blocks,
            attachments: draft.attachments,
            metadata: draft.metadata,
            place: draft.place,
            audience: draft.audience,
            edited: None,
            changes: 0,
        };
        self.complete(&mut message);
        let conversation = self.conversation_mut(channel)?;
        message.ts = conversation.take_ts(now);
        if conversation.messages.len() == KEPT_MESSAGES {
            conversation.messages.remove(0);
        }
        conversation.messages.push(message.clone());
        Some(message)
    }

    /// Fills in the ids and entities of a message's blocks and attachments.
    pub(super) fn complete(&mut self, message: &mut Message) {
        let mut next = || {
            self.ids += 1;
            format!("b{:05}", self.ids)
        };
        blocks::complete(&mut message.blocks, &mut next);
        for (index, attachment) in message.attachments.iter_mut().enumerate() {
            complete_attachment(attachment, index + 1, &mut next);
        }
    }

    pub(super) fn clear_messages(&mut self) {
        self.conversations.iter_mut().for_each(|conversation| conversation.messages.clear());
    }

    /// The message as the API returns it.
    pub(super) fn message_json(&self, conversation: &Conversation, message: &Message, view: MetadataView) -> Value {
        let mut json = fields(json!({
            "type": "message",
            "user": message.author,
            "ts": message.ts,
            "text": message.text,
            "team": self.identity.team_id,
        }));
        self.add_author(&mut json, message);
        add_content(&mut json, message, view);
        add_thread(&mut json, conversation, message);
        Value::Object(json)
    }

    fn add_author(&self, json: &mut Map<String, Value>, message: &Message) {
        let identity = &self.identity;
        if message.author != identity.bot_user {
            return;
        }
        json.insert("bot_id".to_owned(), identity.bot_id.clone().into());
        json.insert("app_id".to_owned(), identity.app_id.clone().into());
        let profile = json!({ "id": identity.bot_id, "app_id": identity.app_id, "user_id": identity.bot_user, "name": identity.bot_name,
            "team_id": identity.team_id, "deleted": false });
        json.insert("bot_profile".to_owned(), profile);
    }
}

impl Conversation {
    pub(super) fn is_channel(&self) -> bool {
        match self.kind {
            ConversationKind::Public | ConversationKind::Private => true,
            ConversationKind::Direct { .. } => false,
        }
    }
}

fn complete_attachment(attachment: &mut Value, id: usize, next: &mut impl FnMut() -> String) {
    if let Some(blocks) = attachment.get_mut("blocks").and_then(Value::as_array_mut) {
        blocks::complete(blocks, next);
    }
    if let Some(fields) = attachment.as_object_mut() {
        fields.insert("id".to_owned(), id.into());
        fields.entry("fallback").or_insert_with(|| "[no preview available]".into());
        for name in ["text", "pretext", "title"] {
            if let Some(Value::String(text)) = fields.get_mut(name) {
                *text = normalise(text, BareLinks::Link);
            }
        }
    }
}

fn add_content(json: &mut Map<String, Value>, message: &Message, view: MetadataView) {
    if !message.blocks.is_empty() {
        json.insert("blocks".to_owned(), message.blocks.clone().into());
    }
    if !message.attachments.is_empty() {
        json.insert("attachments".to_owned(), message.attachments.clone().into());
    }
    if let Some(edited) = message.edited {
        json.insert("edited".to_owned(), json!({ "user": message.author, "ts": edited }));
    }
    if let Some(metadata) = &message.metadata {
        let shown = match view {
            MetadataView::All => metadata.clone(),
            MetadataView::EventTypeOnly => json!({ "event_type": metadata["event_type"] }),
        };
        json.insert("metadata".to_owned(), shown);
    }
}

fn add_thread(json: &mut Map<String, Value>, conversation: &Conversation, message: &Message) {
    match message.place {
        Place::Reply { parent, broadcast } => {
            json.insert("thread_ts".to_owned(), json!(parent));
            if let Some(root) = conversation.message(parent) {
                json.insert("parent_user_id".to_owned(), root.author.clone().into());
            }
            if broadcast {
                json.insert("subtype".to_owned(), "thread_broadcast".into());
            }
        }
        Place::Root => add_reply_counts(json, conversation, message.ts),
    }
}

fn add_reply_counts(json: &mut Map<String, Value>, conversation: &Conversation, parent: Ts) {
    let replies: Vec<&Message> = conversation.replies(parent).collect();
    let Some(latest) = replies.last() else { return };
    let mut authors: Vec<&str> = replies.iter().map(|reply| reply.author.as_str()).collect();
    authors.sort_unstable();
    authors.dedup();
    json.extend(fields(json!({
        "thread_ts": parent,
        "reply_count": replies.len(),
        "reply_users_count": authors.len(),
        "reply_users": authors,
        "latest_reply": latest.ts,
        "subscribed": false,
    })));
}
