//! The Web API's methods: which exist, what each needs, and the way of a call through token, scope and limits to its answer.

use jiff::Timestamp;
use serde_json::json;

use super::{
    answer::{Answer, ApiError},
    args::Args,
    journal::Entry,
    limits::Tier,
    office::{Office, Settings},
    ts::Ts,
    world::{Conversation, ConversationKind, Message},
};

mod chat;
mod conversations;
mod session;
mod users;

/// The methods that the stand-in has; every other name is `unknown_method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    ApiTest,
    AuthTest,
    AppsConnectionsOpen,
    ChatPostMessage,
    ChatUpdate,
    ChatGetPermalink,
    ConversationsHistory,
    ConversationsReplies,
    ConversationsOpen,
    ConversationsInfo,
    ConversationsList,
    ConversationsJoin,
    UsersInfo,
    UsersLookupByEmail,
}

/// The kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    None,
    Bot,
    App,
}

/// Whether a method takes JSON bodies (writes) or ignores them (reads; docs.slack.dev, apis/web-api).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

struct Spec {
    name: &'static str,
    token: Token,
    access: Access,
    tier: Tier,
    /// Checked before anything else; scopes that hang on the kind of conversation are checked by the method.
    scope: Option<&'static str>,
}

impl Method {
    pub(super) const ALL: [Self; 14] = [
        Self::ApiTest,
        Self::AuthTest,
        Self::AppsConnectionsOpen,
        Self::ChatPostMessage,
        Self::ChatUpdate,
        Self::ChatGetPermalink,
        Self::ConversationsHistory,
        Self::ConversationsReplies,
        Self::ConversationsOpen,
        Self::ConversationsInfo,
        Self::ConversationsList,
        Self::ConversationsJoin,
        Self::UsersInfo,
        Self::UsersLookupByEmail,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        self.spec().name
    }

    pub(super) fn access(self) -> Access {
        self.spec().access
    }

    pub(super) fn scope(self) -> Option<&'static str> {
        self.spec().scope
    }

    fn spec(self) -> Spec {
        let spec = |name, token, access, tier, scope| Spec { name, token, access, tier, scope };
        match self {
            Self::ApiTest => spec("api.test", Token::None, Access::Write, Tier::Special, None),
            Self::AuthTest => spec("auth.test", Token::Bot, Access::Write, Tier::Special, None),
            Self::AppsConnectionsOpen => spec("apps.connections.open", Token::App, Access::Write, Tier::Three, Some("connections:write")),
            Self::ChatPostMessage => spec("chat.postMessage", Token::Bot, Access::Write, Tier::Posting, Some("chat:write")),
            Self::ChatUpdate => spec("chat.update", Token::Bot, Access::Write, Tier::Three, Some("chat:write")),
            Self::ChatGetPermalink => spec("chat.getPermalink", Token::Bot, Access::Read, Tier::Special, None),
            Self::ConversationsHistory => spec("conversations.history", Token::Bot, Access::Read, Tier::Three, None),
            Self::ConversationsReplies => spec("conversations.replies", Token::Bot, Access::Read, Tier::Three, None),
            Self::ConversationsOpen => spec("conversations.open", Token::Bot, Access::Write, Tier::Three, Some("im:write")),
            Self::ConversationsInfo => spec("conversations.info", Token::Bot, Access::Read, Tier::Three, None),
            Self::ConversationsList => spec("conversations.list", Token::Bot, Access::Read, Tier::Two, None),
            Self::ConversationsJoin => spec("conversations.join", Token::Bot, Access::Write, Tier::Three, Some("channels:join")),
            Self::UsersInfo => spec("users.info", Token::Bot, Access::Read, Tier::Four, Some("users:read")),
            Self::UsersLookupByEmail => spec("users.lookupByEmail", Token::Bot, Access::Read, Tier::Three, Some("users:read.email")),
        }
    }
}

/// One call, read but not yet judged.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) token: Option<String>,
    pub(super) args: Args,
    /// `conversations.history` shows nothing newer than this many seconds ago.
    pub(super) lag_seconds: u32,
}

/// What came of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(Answer),
    /// HTTP 429 with this many seconds of `Retry-After`.
    Limited(u64),
}

/// Judges a call and does what it asks.
pub(super) fn run(office: &mut Office, settings: &Settings, call: &Call, now: Timestamp) -> Outcome {
    let spec = call.method.spec();
    if let Err(error) = authorise(settings, &spec, call.token.as_deref()) {
        return Outcome::Answered(Err(error));
    }
    if settings.rate_limits
        && let Err(seconds) = office.limits.take(spec.name, spec.tier, call.args.text("channel").as_deref(), now)
    {
        return Outcome::Limited(seconds);
    }
    let horizon = Ts::from_micros(Ts::at(now).micros() - i64::from(call.lag_seconds) * 1_000_000);
    let mut desk = Desk { office, settings, now, horizon: (call.lag_seconds > 0).then_some(horizon) };
    Outcome::Answered(desk.serve(call.method, &call.args))
}

fn authorise(settings: &Settings, spec: &Spec, token: Option<&str>) -> Result<(), ApiError> {
    let given = match token {
        _ if spec.token == Token::None => return Ok(()),
        None => return Err(ApiError::new("not_authed")),
        Some(token) if token == settings.bot_token => Token::Bot,
        Some(token) if token == settings.app_token => Token::App,
        Some(_) => return Err(ApiError::new("invalid_auth")),
    };
    match (given, spec.scope) {
        _ if given != spec.token => Err(ApiError::new("not_allowed_token_type")),
        (Token::Bot, Some(scope)) => need_scope(settings, scope),
        (Token::None | Token::Bot | Token::App, _) => Ok(()),
    }
}

fn need_scope(settings: &Settings, scope: &str) -> Result<(), ApiError> {
    if settings.has_scope(scope) {
        return Ok(());
    }
    Err(ApiError::new("missing_scope").with("needed", scope).with("provided", settings.scopes.join(",")))
}

/// The desk at which one call is served.
struct Desk<'a> {
    office: &'a mut Office,
    settings: &'a Settings,
    now: Timestamp,
    horizon: Option<Ts>,
}

/// The families of scopes that hang on the kind of conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    Read,
    History,
}

impl Desk<'_> {
    fn serve(&mut self, method: Method, args: &Args) -> Answer {
        match method {
            Method::ApiTest => session::api_test(args),
            Method::AuthTest => Ok(session::auth_test(self)),
            Method::AppsConnectionsOpen => session::open_connection(self),
            Method::ChatPostMessage => chat::post_message(self, args),
            Method::ChatUpdate => chat::update(self, args),
            Method::ChatGetPermalink => chat::get_permalink(self, args),
            Method::ConversationsHistory => conversations::history(self, args),
            Method::ConversationsReplies => conversations::replies(self, args),
            Method::ConversationsOpen => conversations::open(self, args),
            Method::ConversationsInfo => conversations::info(self, args),
            Method::ConversationsList => conversations::list(self, args),
            Method::ConversationsJoin => conversations::join(self, args),
            Method::UsersInfo => users::info(self, args),
            Method::UsersLookupByEmail => users::lookup_by_email(self, args),
        }
    }

    /// A conversation by its id, where the bot may know that it exists.
    fn conversation(&self, id: &str) -> Result<&Conversation, ApiError> {
        let hidden = |it: &&Conversation| it.kind == ConversationKind::Private && !it.bot_is_member;
        let found = self.office.world.conversation(id).filter(|it| !hidden(it));
        found.ok_or_else(|| ApiError::new("channel_not_found"))
    }

    fn need_right(&self, right: Right, kind: &ConversationKind) -> Result<(), ApiError> {
        let scope = match (right, kind) {
            (Right::Read, ConversationKind::Public) => "channels:read",
            (Right::Read, ConversationKind::Private) => "groups:read",
            (Right::Read, ConversationKind::Direct { .. }) => "im:read",
            (Right::History, ConversationKind::Public) => "channels:history",
            (Right::History, ConversationKind::Private) => "groups:history",
            (Right::History, ConversationKind::Direct { .. }) => "im:history",
        };
        need_scope(self.settings, scope)
    }

    fn journal(&mut self, method: Method, channel: &str, message: &Message) {
        self.office.journal.record(entry(method.name(), channel, message, self.now));
    }
}

/// The journal's entry of a message.
pub(super) fn entry(method: &str, channel: &str, message: &Message, at: Timestamp) -> Entry {
    Entry {
        seq: 0,
        at,
        method: method.to_owned(),
        channel: channel.to_owned(),
        ts: message.ts.to_string(),
        thread_ts: message.parent().map(|parent| parent.to_string()),
        page_id: message.page_id(),
        user: None,
        text: message.text.clone(),
    }
}

/// `https://…/archives/C…/p…`, with the thread for a reply.
pub(super) fn permalink(settings: &Settings, channel: &str, message: &Message) -> String {
    let base = format!("{}/archives/{channel}/{}", settings.base_url, message.ts.in_permalink());
    match message.parent() {
        Some(parent) => format!("{base}?thread_ts={parent}&cid={channel}"),
        None => base,
    }
}

fn next_cursor(cursor: Option<String>) -> serde_json::Value {
    json!({ "next_cursor": cursor.unwrap_or_default() })
}
