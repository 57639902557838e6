//! `conversations.history`, `.replies`, `.open`, `.info`, `.list`, `.join`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    super::{
        answer::{Answer, ApiError, fields},
        args::Args,
        ts::Ts,
        world::{Audience, Conversation, ConversationKind, Message, MetadataView},
    },
    Desk, Right, need_scope, next_cursor,
};

/// Newest first, without the replies that only their thread shows.
pub(super) fn history(desk: &Desk<'_>, args: &Args) -> Answer {
    let conversation = readable(desk, args)?;
    let page = Page::read(args, 100, 999)?;
    let mut shown: Vec<&Message> = conversation.messages.iter().filter(|message| message.in_main_view()).collect();
    shown.retain(|message| page.span.holds(message.ts) && public_by_now(desk, message));
    shown.reverse();
    let from = page.cursor.map_or(0, |cursor| shown.partition_point(|message| message.ts.micros() > cursor));
    let rest = &shown[from..];
    let (messages, left) = rest.split_at(page.limit.min(rest.len()));
    Ok(listing(desk, conversation, messages, left.first().map(|message| message.ts.micros()), args))
}

/// The thread's root, then its replies, oldest first. A reply's own `ts` gives that reply alone.
pub(super) fn replies(desk: &Desk<'_>, args: &Args) -> Answer {
    let ts = args.required("ts")?;
    let conversation = readable(desk, args)?;
    let page = Page::read(args, 1_000, 1_000)?;
    let not_found = || ApiError::new("thread_not_found");
    let root = Ts::parse(&ts).and_then(|ts| conversation.message(ts)).filter(|root| public_by_now(desk, root)).ok_or_else(not_found)?;
    let replies = conversation.replies(root.ts).filter(|reply| page.span.holds(reply.ts) && public_by_now(desk, reply));
    let thread: Vec<&Message> = std::iter::once(root).chain(replies).collect();
    let from = page.cursor.map_or(0, |cursor| thread.partition_point(|message| message.ts.micros() < cursor));
    let rest = &thread[from..];
    let (messages, left) = rest.split_at(page.limit.min(rest.len()));
    Ok(listing(desk, conversation, messages, left.first().map(|message| message.ts.micros()), args))
}

fn readable<'a>(desk: &'a Desk<'_>, args: &Args) -> Result<&'a Conversation, ApiError> {
    let conversation = desk.conversation(&args.required("channel")?)?;
    desk.need_right(Right::History, &conversation.kind)?;
    if conversation.bot_is_member { Ok(conversation) } else { Err(ApiError::new("not_in_channel")) }
}

fn public_by_now(desk: &Desk<'_>, message: &Message) -> bool {
    message.audience == Audience::Everyone && desk.horizon.is_none_or(|horizon| message.ts <= horizon)
}

fn listing(
    desk: &Desk<'_>,
    conversation: &Conversation,
    messages: &[&Message],
    left: Option<i64>,
    args: &Args,
) -> serde_json::Map<String, Value> {
    let view = if args.flag("include_all_metadata") { MetadataView::All } else { MetadataView::EventTypeOnly };
    let world = &desk.office.world;
    let messages: Vec<Value> = messages.iter().map(|message| world.message_json(conversation, message, view)).collect();
    let mut answer = fields(json!({ "messages": messages, "has_more": left.is_some(), "pin_count": 0 }));
    if let Some(left) = left {
        answer.insert("response_metadata".to_owned(), next_cursor(Some(cursor_at(left))));
    }
    answer
}

/// Which part of a list is asked for.
struct Page {
    span: Span,
    limit: usize,
    /// Microseconds of the first message of this page.
    cursor: Option<i64>,
}

/// `oldest` and `latest`, exclusive unless `inclusive`.
struct Span {
    oldest: Option<Ts>,
    latest: Option<Ts>,
    inclusive: bool,
}

impl Span {
    fn holds(&self, ts: Ts) -> bool {
        let over = self.oldest.is_none_or(|oldest| ts > oldest || (self.inclusive && ts == oldest));
        let under = self.latest.is_none_or(|latest| ts < latest || (self.inclusive && ts == latest));
        over && under
    }
}

impl Page {
    fn read(args: &Args, usual: usize, most: usize) -> Result<Self, ApiError> {
        let bound =
            |name: &str, code: &'static str| args.text(name).map(|text| Ts::parse(&text).ok_or_else(|| ApiError::new(code))).transpose();
        let span = Span {
            oldest: bound("oldest", "invalid_ts_oldest")?,
            latest: bound("latest", "invalid_ts_latest")?,
            inclusive: args.flag("inclusive"),
        };
        Ok(Self { span, limit: limit(args, usual, most)?, cursor: args.text("cursor").map(|cursor| read_cursor(&cursor)).transpose()? })
    }
}

fn limit(args: &Args, usual: usize, most: usize) -> Result<usize, ApiError> {
    let Some(text) = args.text("limit") else { return Ok(usual) };
    let asked = text.parse().ok().filter(|limit| (1..=most).contains(limit));
    asked.ok_or_else(|| ApiError::new("invalid_limit"))
}

/// An opaque cursor for a position.
fn cursor_at(position: i64) -> String {
    STANDARD.encode(format!("next_ts:{position}"))
}

fn read_cursor(cursor: &str) -> Result<i64, ApiError> {
    let text = STANDARD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let position = text.and_then(|text| text.strip_prefix("next_ts:")?.parse().ok());
    position.ok_or_else(|| ApiError::new("invalid_cursor"))
}

/// Opens the direct conversation with one person. Group conversations need a scope that the app does not have.
pub(super) fn open(desk: &mut Desk<'_>, args: &Args) -> Answer {
    if let Some(channel) = args.text("channel") {
        let conversation = desk.conversation(&channel)?;
        return Ok(fields(json!({ "no_op": true, "already_open": true, "channel": { "id": conversation.id } })));
    }
    let users = args.required("users")?;
    if users.contains(',') {
        need_scope(desk.settings, "mpim:write")?;
        return Err(ApiError::new("method_not_supported_for_channel_type"));
    }
    let (id, open) = desk.office.world.open_direct(&users, desk.now).ok_or_else(|| ApiError::new("user_not_found"))?;
    let mut channel = json!({ "id": id });
    if args.flag("return_im") {
        channel = conversation_json(desk.conversation(&id)?);
    }
    Ok(fields(json!({ "no_op": open, "already_open": open, "channel": channel })))
}

pub(super) fn info(desk: &Desk<'_>, args: &Args) -> Answer {
    let conversation = desk.conversation(&args.required("channel")?)?;
    desk.need_right(Right::Read, &conversation.kind)?;
    let mut channel = conversation_json(conversation);
    if args.flag("include_num_members") {
        channel["num_members"] = json!(1 + usize::from(conversation.bot_is_member));
    }
    Ok(fields(json!({ "channel": channel })))
}

pub(super) fn list(desk: &Desk<'_>, args: &Args) -> Answer {
    let types = args.text("types").unwrap_or_else(|| "public_channel".to_owned());
    let kinds: Vec<&str> = types.split(',').map(str::trim).collect();
    check_list_scopes(desk, &kinds)?;
    let limit = limit(args, 100, 1_000)?;
    let from = args.text("cursor").map(|cursor| read_cursor(&cursor)).transpose()?.unwrap_or(0);
    let wanted = |it: &Conversation| {
        kinds.contains(&type_name(&it.kind))
            && (it.kind == ConversationKind::Public || it.bot_is_member)
            && !(it.archived && args.flag("exclude_archived"))
    };
    let mut channels = Vec::new();
    let mut next = None;
    for (index, conversation) in desk.office.world.conversations.iter().enumerate() {
        let position = i64::try_from(index).unwrap_or(i64::MAX);
        if position < from || !wanted(conversation) {
            continue;
        }
        if channels.len() == limit {
            next = Some(cursor_at(position));
            break;
        }
        channels.push(conversation_json(conversation));
    }
    Ok(fields(json!({ "channels": channels, "response_metadata": next_cursor(next) })))
}

fn check_list_scopes(desk: &Desk<'_>, kinds: &[&str]) -> Result<(), ApiError> {
    for kind in kinds {
        match *kind {
            "public_channel" => need_scope(desk.settings, "channels:read")?,
            "private_channel" => need_scope(desk.settings, "groups:read")?,
            "im" => need_scope(desk.settings, "im:read")?,
            "mpim" => need_scope(desk.settings, "mpim:read")?,
            _ => return Err(ApiError::new("invalid_types")),
        }
    }
    Ok(())
}

pub(super) fn join(desk: &mut Desk<'_>, args: &Args) -> Answer {
    let id = args.required("channel")?;
    let known = desk.conversation(&id)?;
    if known.kind != ConversationKind::Public {
        return Err(ApiError::new("method_not_supported_for_channel_type"));
    }
    if known.archived {
        return Err(ApiError::new("is_archived"));
    }
    let already = known.bot_is_member;
    if let Some(conversation) = desk.office.world.conversation_mut(&id) {
        conversation.bot_is_member = true;
    }
    let mut answer = fields(json!({ "channel": conversation_json(desk.conversation(&id)?) }));
    if already {
        answer.insert("warning".to_owned(), json!("already_in_channel"));
        answer.insert("response_metadata".to_owned(), json!({ "warnings": ["already_in_channel"] }));
    }
    Ok(answer)
}

fn type_name(kind: &ConversationKind) -> &'static str {
    match kind {
        ConversationKind::Public => "public_channel",
        ConversationKind::Private => "private_channel",
        ConversationKind::Direct { .. } => "im",
    }
}

fn conversation_json(conversation: &Conversation) -> Value {
    let mut json = json!({
        "id": conversation.id,
        "created": conversation.created.as_second(),
        "is_archived": conversation.archived,
        "is_channel": conversation.is_channel(),
        "is_group": false,
        "is_im": !conversation.is_channel(),
        "is_mpim": false,
        "is_private": conversation.kind != ConversationKind::Public,
    });
    match &conversation.kind {
        ConversationKind::Direct { user } => json["user"] = json!(user),
        ConversationKind::Public | ConversationKind::Private => {
            json["name"] = json!(conversation.name);
            json["name_normalized"] = json!(conversation.name);
            json["is_member"] = json!(conversation.bot_is_member);
        }
    }
    json
}
