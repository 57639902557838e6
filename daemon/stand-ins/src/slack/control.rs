//! `/_control/…`: what a test or a person does to the stand-in from outside the process, in JSON.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    acts::{self, ChannelChange},
    fault::{DisconnectReason, Fault},
    interact::{self, Click, MissedClick},
    journal::Entry,
    office::{Office, Shared},
    world::{Conversation, ConversationKind},
};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/_control/state", get(state))
        .route("/_control/journal", get(journal))
        .route("/_control/fault", post(fault))
        .route("/_control/faults/clear", post(clear_faults))
        .route("/_control/click", post(click))
        .route("/_control/clock", post(clock))
        .route("/_control/refuse", post(refuse))
        .route("/_control/socket", post(socket))
        .route("/_control/user", post(user))
        .route("/_control/channel", post(channel))
        .route("/_control/message", post(message))
        .route("/_control/reset", post(reset))
}

fn done(body: &Value) -> Response {
    Json(body).into_response()
}

fn refused(error: impl std::fmt::Display) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": error.to_string() }))).into_response()
}

async fn state(State(shared): State<Arc<Shared>>) -> Response {
    done(&shared.look(|office| state_json(office, &shared)))
}

fn state_json(office: &Office, shared: &Shared) -> Value {
    let users: Vec<Value> =
        office.world.users.iter().map(|user| json!({ "id": user.id, "name": user.name, "email": user.email })).collect();
    let conversations: Vec<Value> = office.world.conversations.iter().map(conversation_json).collect();
    json!({
        "now": shared.clock.now().to_string(),
        "users": users,
        "conversations": conversations,
        "open_sockets": office.sockets.open_connections(),
        "faults": office.faults.orders(),
        "missed_clicks": office.interactions.missed.iter().map(missed_json).collect::<Vec<Value>>(),
    })
}

fn missed_json(missed: &MissedClick) -> Value {
    json!({
        "at": missed.at.to_string(),
        "user": missed.user,
        "channel": missed.channel,
        "action_id": missed.action_id,
        "reason": missed.reason,
    })
}

fn conversation_json(conversation: &Conversation) -> Value {
    let kind = match conversation.kind {
        ConversationKind::Public => "public",
        ConversationKind::Private => "private",
        ConversationKind::Direct { .. } => "direct",
    };
    json!({
        "id": conversation.id,
        "name": conversation.name,
        "kind": kind,
        "archived": conversation.archived,
        "bot_is_member": conversation.bot_is_member,
        "messages": conversation.messages.len(),
    })
}

#[derive(Deserialize)]
struct JournalQuery {
    #[serde(default)]
    after: u64,
}

async fn journal(State(shared): State<Arc<Shared>>, Query(query): Query<JournalQuery>) -> Response {
    Json(shared.look(|office| office.journal.since(query.after).cloned().collect::<Vec<Entry>>())).into_response()
}

async fn fault(State(shared): State<Arc<Shared>>, Json(fault): Json<Fault>) -> Response {
    match shared.change(|office, _| office.faults.order(fault)) {
        Ok(()) => done(&json!({ "ordered": true })),
        Err(error) => refused(error),
    }
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> Response {
    acts::clear_faults(&shared);
    done(&json!({ "cleared": true }))
}

async fn click(State(shared): State<Arc<Shared>>, Json(click): Json<Click>) -> Response {
    match interact::click(&shared, click).await {
        Ok(outcome) => Json(outcome).into_response(),
        Err(error) => refused(error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_ms: u64,
}

async fn clock(State(shared): State<Arc<Shared>>, Json(body): Json<ClockBody>) -> Response {
    shared.clock.advance(Duration::from_millis(body.advance_ms));
    done(&json!({ "now": shared.clock.now().to_string() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefuseBody {
    for_ms: u64,
}

async fn refuse(State(shared): State<Arc<Shared>>, Json(body): Json<RefuseBody>) -> Response {
    acts::refuse_soon(&shared, Duration::from_millis(body.for_ms));
    done(&json!({ "refusing_ms": body.for_ms }))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SocketBody {
    Drop,
    Disconnect(DisconnectReason),
}

async fn socket(State(shared): State<Arc<Shared>>, Json(body): Json<SocketBody>) -> Response {
    shared.quietly(|office, _| match body {
        SocketBody::Drop => office.sockets.drop_all(),
        SocketBody::Disconnect(reason) => office.sockets.disconnect_all(reason),
    });
    done(&json!({ "told": true }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserBody {
    name: String,
    email: String,
}

async fn user(State(shared): State<Arc<Shared>>, Json(body): Json<UserBody>) -> Response {
    match shared.change(|office, _| acts::add_person(office, &body.name, &body.email)) {
        Some(id) => done(&json!({ "id": id })),
        None => refused("a person has a name and an e-mail address"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelBody {
    name: String,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    bot_is_member: Option<bool>,
    #[serde(default)]
    archived: Option<bool>,
}

async fn channel(State(shared): State<Arc<Shared>>, Json(body): Json<ChannelBody>) -> Response {
    let kind = if body.private { ConversationKind::Private } else { ConversationKind::Public };
    let id = shared.change(|office, now| {
        let id = acts::add_channel(office, &body.name, kind, now)?;
        for change in [body.bot_is_member.map(ChannelChange::BotIsMember), body.archived.map(ChannelChange::Archived)].into_iter().flatten()
        {
            acts::change_channel(office, &id, change);
        }
        Some(id)
    });
    match id {
        Some(id) => done(&json!({ "id": id })),
        None => refused("a channel has a name"),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageBody {
    channel: String,
    user: String,
    text: String,
    #[serde(default)]
    thread_ts: Option<String>,
}

async fn message(State(shared): State<Arc<Shared>>, Json(body): Json<MessageBody>) -> Response {
    let MessageBody { channel, user, text, thread_ts } = body;
    match shared.change(|office, now| acts::say(office, acts::Saying { channel, user, text, thread_ts }, now)) {
        Some(ts) => done(&json!({ "ts": ts })),
        None => refused("no such channel, person or thread"),
    }
}

async fn reset(State(shared): State<Arc<Shared>>) -> Response {
    shared.change(|office, _| acts::reset(office));
    shared.gate.open();
    done(&json!({ "reset": true }))
}
