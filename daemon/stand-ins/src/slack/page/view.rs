//! What is being looked at: a conversation, by a person, perhaps with a thread open. It lives in the URL alone.

use serde::Deserialize;

use super::super::{
    office::Office,
    ts::Ts,
    world::{Conversation, ConversationKind, World},
};
use crate::html::{Html, hidden};

/// Messages of a channel that the page shows at a time.
pub(super) const SHOWN: usize = 100;

/// The query of the page, as it comes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub(super) channel: Option<String>,
    #[serde(rename = "as")]
    pub(super) acting: Option<String>,
    pub(super) thread: Option<String>,
    /// Only what is older than this `ts`.
    pub(super) before: Option<String>,
    /// The question that is open: `ts`, `action_id` and the option.
    pub(super) confirm_ts: Option<String>,
    pub(super) confirm_action: Option<String>,
    pub(super) confirm_option: Option<String>,
}

/// A place that exists; empty ids where the workspace is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) channel: String,
    pub(super) acting: String,
    pub(super) thread: Option<Ts>,
    /// The channel's messages end before this one.
    pub(super) before: Option<Ts>,
}

impl View {
    /// The asked place, or the nearest that exists.
    pub(super) fn of(office: &Office, query: &Query) -> Self {
        let world = &office.world;
        let mut people = world.users.iter().filter(|user| !user.is_bot);
        let asked = query.acting.as_deref();
        let acting = people.clone().find(|user| Some(user.id.as_str()) == asked).or_else(|| people.next());
        let acting = acting.map(|user| user.id.clone()).unwrap_or_default();
        let visible: Vec<&Conversation> = world.conversations.iter().filter(|it| is_visible(it, &acting)).collect();
        let asked = visible.iter().find(|it| Some(it.id.as_str()) == query.channel.as_deref());
        let channel = asked.or_else(|| visible.first()).map(|it| it.id.clone()).unwrap_or_default();
        let thread = query.thread.as_deref().and_then(Ts::parse).filter(|ts| has_message(world, &channel, *ts));
        let before = query.before.as_deref().and_then(Ts::parse);
        Self { channel, acting, thread, before }
    }

    /// Where a message is: in its conversation or its thread, seen by a person who may see it.
    pub(super) fn at(office: &Office, channel: &str, ts: Ts) -> Option<Self> {
        let conversation = office.world.conversation(channel)?;
        let acting = match &conversation.kind {
            ConversationKind::Public | ConversationKind::Private => String::new(),
            ConversationKind::Direct { user } => user.clone(),
        };
        let thread = conversation.message(ts)?.parent();
        let newer: Vec<Ts> = conversation.messages.iter().filter(|it| it.ts > ts && it.in_main_view()).map(|it| it.ts).collect();
        let before = if newer.len() < SHOWN { None } else { newer.get(SHOWN / 2).copied() };
        Some(Self { channel: channel.to_owned(), acting, thread, before })
    }

    pub(super) fn href(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::for_suffix(String::from("/?"), 2);
        query.append_pair("channel", &self.channel).append_pair("as", &self.acting);
        for (name, ts) in [("thread", self.thread), ("before", self.before)] {
            if let Some(ts) = ts {
                query.append_pair(name, &ts.to_string());
            }
        }
        query.finish()
    }

    /// The same place with a message in sight.
    pub(super) fn href_at(&self, spot: Spot, ts: Ts) -> String {
        format!("{}#{}", self.href(), anchor(spot, ts))
    }

    /// Another conversation, at its end.
    pub(super) fn in_channel(&self, channel: &str) -> Self {
        Self { channel: channel.to_owned(), acting: self.acting.clone(), thread: None, before: None }
    }

    /// The same conversation up to a message; `None`: up to its end.
    pub(super) fn up_to(&self, before: Option<Ts>) -> Self {
        Self { before, ..self.clone() }
    }

    /// Where the open thread is, or else the conversation.
    pub(super) fn spot(&self) -> Spot {
        if self.thread.is_some() { Spot::Thread } else { Spot::Main }
    }

    pub(super) fn with_thread(&self, thread: Option<Ts>) -> Self {
        Self { thread, ..self.clone() }
    }

    /// The hidden fields that bring a form back here.
    pub(super) fn fields(&self) -> Html {
        let place = |name, ts: Option<Ts>| Html::from(ts.map(|ts| hidden(name, &ts.to_string())));
        let fields = [hidden("channel", &self.channel), hidden("as", &self.acting)];
        [fields.into(), place("thread", self.thread), place("before", self.before)].into()
    }
}

/// Where a message is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Main,
    Thread,
}

/// The id of a message's element.
pub(super) fn anchor(spot: Spot, ts: Ts) -> String {
    match spot {
        Spot::Main => format!("m-{}", ts.micros()),
        Spot::Thread => format!("t-{}", ts.micros()),
    }
}

/// Direct conversations are their person's.
pub(super) fn is_visible(conversation: &Conversation, acting: &str) -> bool {
    match &conversation.kind {
        ConversationKind::Public | ConversationKind::Private => true,
        ConversationKind::Direct { user } => user == acting,
    }
}

fn has_message(world: &World, channel: &str, ts: Ts) -> bool {
    world.conversation(channel).is_some_and(|conversation| conversation.message(ts).is_some())
}
