//! What is being looked at: a conversation, by a person, perhaps with a thread open. It lives in the URL alone.

use serde::Deserialize;

use super::super::{
    office::Office,
    ts::Ts,
    world::{Conversation, ConversationKind, World},
};
use crate::html::{Html, hidden};

/// The query of the page, as it comes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub(super) channel: Option<String>,
    #[serde(rename = "as")]
    pub(super) acting: Option<String>,
    pub(super) thread: Option<String>,
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
        Self { channel, acting, thread }
    }

    pub(super) fn href(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::from("/?"));
        query.append_pair("channel", &self.channel).append_pair("as", &self.acting);
        if let Some(thread) = self.thread {
            query.append_pair("thread", &thread.to_string());
        }
        query.finish()
    }

    /// The same place with a message in sight.
    pub(super) fn href_at(&self, ts: Ts) -> String {
        format!("{}#{}", self.href(), anchor(ts))
    }

    pub(super) fn in_channel(&self, channel: &str) -> Self {
        Self { channel: channel.to_owned(), acting: self.acting.clone(), thread: None }
    }

    pub(super) fn with_thread(&self, thread: Option<Ts>) -> Self {
        Self { thread, ..self.clone() }
    }

    /// The hidden fields that bring a form back here.
    pub(super) fn fields(&self) -> Html {
        let thread = self.thread.map(|thread| hidden("thread", &thread.to_string()));
        [hidden("channel", &self.channel), hidden("as", &self.acting), thread.into()].into()
    }
}

/// The id of a message's element.
pub(super) fn anchor(ts: Ts) -> String {
    format!("m-{}", ts.micros())
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
