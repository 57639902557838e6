//! Clicks: from a person's tap on a button to the app, and the app's answer through `response_url`
//! (docs.slack.dev, interactivity/handling-user-interaction).

use std::{collections::VecDeque, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::sync::oneshot;

use super::{
    answer::fields,
    blocks,
    entities::{BareLinks, normalise},
    fault::{CallSite, FaultKind, INTERACTIVE},
    journal::Entry,
    methods::entry,
    office::{Office, Settings, Shared},
    sign::signature,
    socket::Delivery,
    ts::Ts,
    world::{Audience, Conversation, Draft, Message, MetadataView, Place},
};

/// How often a `response_url` works.
const RESPONSES: u32 = 5;
/// How long a `response_url` works.
const RESPONSE_LIFE: SignedDuration = SignedDuration::from_mins(30);
/// Clicks and response URLs that are remembered.
const REMEMBERED: usize = 500;

/// A tap on an element of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Click {
    /// The conversation's id.
    pub channel: String,
    /// The message's `ts`.
    pub ts: String,
    /// Which element.
    pub action_id: String,
    /// Who taps: the id or the name of a person who sees the message.
    pub user: String,
    /// The chosen option's `value`, of a menu.
    #[serde(default)]
    pub option: Option<String>,
}

/// How the app took a click.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clicked {
    /// It was acknowledged in time.
    Acknowledged,
    /// The person sees an error; the reason, in a sentence.
    Missed(String),
}

/// Why a click could not be made at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClickError {
    /// No such message, or this person does not see it.
    #[error("{user} sees no message {ts} in {channel}")]
    NoMessage {
        /// The conversation.
        channel: String,
        /// The message.
        ts: String,
        /// The person.
        user: String,
    },
    /// The message has no such element.
    #[error("the message has no element {action_id} with that option")]
    NoElement {
        /// The element.
        action_id: String,
    },
    /// Nobody has this id.
    #[error("nobody has the id {0}")]
    NoUser(String),
}

/// A click that the app has not acknowledged in time, for the banner on the page.
#[derive(Debug, Clone)]
pub(super) struct MissedClick {
    pub(super) user: String,
    pub(super) channel: String,
    pub(super) action_id: String,
    pub(super) reason: String,
    pub(super) at: Timestamp,
}

/// What is remembered of clicks.
#[derive(Debug, Default)]
pub(super) struct Interactions {
    pub(super) missed: VecDeque<MissedClick>,
    responses: VecDeque<ResponseUrl>,
    last: u64,
}

#[derive(Debug, Clone)]
struct ResponseUrl {
    secret: String,
    channel: String,
    ts: Ts,
    user: String,
    issued: Timestamp,
    uses: u32,
}

impl Interactions {
    fn issue_response_url(&mut self, click: &Target, now: Timestamp) -> String {
        let secret = format!("{:032x}", rand::random::<u128>());
        let url = ResponseUrl {
            secret: secret.clone(),
            channel: click.channel.clone(),
            ts: click.message.ts,
            user: click.user.clone(),
            issued: now,
            uses: 0,
        };
        remember(&mut self.responses, url);
        secret
    }

    /// Remembers a click that came to nothing.
    pub(super) fn miss(&mut self, click: &Click, reason: String, at: Timestamp) {
        let missed =
            MissedClick { user: click.user.clone(), channel: click.channel.clone(), action_id: click.action_id.clone(), reason, at };
        remember(&mut self.missed, missed);
    }

    pub(super) fn clear(&mut self) {
        self.missed.clear();
        self.responses.clear();
    }
}

fn remember<T>(list: &mut VecDeque<T>, item: T) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(item);
}

/// What was tapped, found.
struct Target {
    channel: String,
    user: String,
    message: Message,
    /// The block that holds the element, and the attachment (from 1) that holds the block.
    block_id: String,
    attachment: Option<usize>,
    element: Value,
    choice: Choice,
}

/// What was chosen of an element.
enum Choice {
    /// It has nothing to choose from.
    None,
    Option(Value),
}

/// The way of a click to the app.
enum Route {
    Socket(oneshot::Receiver<()>),
    Http { url: String, request: SignedForm },
    Nobody,
}

struct SignedForm {
    timestamp: i64,
    signature: String,
    body: String,
}

/// Makes a click and waits until the app acknowledges it or the time for that is over.
pub(super) async fn click(shared: &Arc<Shared>, mut click: Click) -> Result<Clicked, ClickError> {
    click.user = shared.look(|office| person(office, &click.user)).ok_or(ClickError::NoUser(click.user))?;
    let route = shared.change(|office, now| route(office, &shared.settings, &click, now))?;
    let outcome = match tokio::time::timeout(shared.settings.ack_within, follow(shared, route)).await {
        Ok(outcome) => outcome,
        Err(_) => Clicked::Missed("the app did not acknowledge in time".to_owned()),
    };
    shared.change(|office, now| note(office, &click, &outcome, now));
    Ok(outcome)
}

/// The id of a person by id or name.
fn person(office: &Office, asked: &str) -> Option<String> {
    let mut people = office.world.users.iter().filter(|user| !user.is_bot);
    people.find(|user| user.id == asked || user.name == asked).map(|user| user.id.clone())
}

async fn follow(shared: &Shared, route: Route) -> Clicked {
    match route {
        Route::Nobody => Clicked::Missed("no app is connected: no socket is open and no interactions URL is set".to_owned()),
        Route::Socket(acknowledged) => match acknowledged.await {
            Ok(()) => Clicked::Acknowledged,
            Err(_) => Clicked::Missed("the envelope was given up".to_owned()),
        },
        Route::Http { url, request } => post_form(shared, &url, request).await,
    }
}

async fn post_form(shared: &Shared, url: &str, request: SignedForm) -> Clicked {
    let sent = shared.client.post(url);
    let sent = sent.header("content-type", "application/x-www-form-urlencoded").header("user-agent", "Slackbot 1.0 (stand-in)");
    let sent = sent.header("x-slack-request-timestamp", request.timestamp).header("x-slack-signature", request.signature);
    match sent.body(request.body).send().await {
        Ok(answer) if answer.status().is_success() => Clicked::Acknowledged,
        Ok(answer) => Clicked::Missed(format!("the app answered with status {}", answer.status().as_u16())),
        Err(error) => Clicked::Missed(format!("the app could not be reached: {}", error.without_url())),
    }
}

fn note(office: &mut Office, click: &Click, outcome: &Clicked, now: Timestamp) {
    match outcome {
        Clicked::Acknowledged => office.journal.record(click_entry("ack", click, now)),
        Clicked::Missed(reason) => {
            office.journal.record(click_entry("missed_ack", click, now));
            office.interactions.miss(click, reason.clone(), now);
        }
    }
}

fn click_entry(method: &str, click: &Click, at: Timestamp) -> Entry {
    Entry {
        seq: 0,
        at,
        method: method.to_owned(),
        channel: click.channel.clone(),
        ts: click.ts.clone(),
        thread_ts: None,
        page_id: None,
        user: Some(click.user.clone()),
        text: click.action_id.clone(),
    }
}

fn route(office: &mut Office, settings: &Settings, click: &Click, now: Timestamp) -> Result<Route, ClickError> {
    let target = find(office, click)?;
    let payload = payload(office, settings, &target, now);
    office.journal.record(click_entry("click", click, now));
    let fault = office.faults.draw(&CallSite { method: INTERACTIVE, channels: [Some(&click.channel), None] });
    if let Some(acknowledged) = office.sockets.deliver(&payload, delivery(fault.as_ref())) {
        return Ok(Route::Socket(acknowledged));
    }
    let Some(url) = settings.interactions_url.clone() else { return Ok(Route::Nobody) };
    Ok(Route::Http { url, request: signed(settings, &payload, fault.as_ref(), now) })
}

fn delivery(fault: Option<&FaultKind>) -> Delivery {
    match fault {
        Some(FaultKind::DuplicateEnvelope) => Delivery::Twice,
        Some(FaultKind::LoseAck) => Delivery::AckLost,
        Some(FaultKind::DropSocket) => Delivery::Dropped,
        Some(FaultKind::Disconnect { reason }) => Delivery::Disconnected(*reason),
        Some(_) | None => Delivery::Once,
    }
}

fn signed(settings: &Settings, payload: &Value, fault: Option<&FaultKind>, now: Timestamp) -> SignedForm {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    let timestamp = match fault {
        Some(FaultKind::SkewTimestamp { seconds }) => now.as_second().saturating_add(*seconds),
        Some(_) | None => now.as_second(),
    };
    let secret = if fault == Some(&FaultKind::BadSignature) { "not-the-secret" } else { &settings.signing_secret };
    SignedForm { timestamp, signature: signature(secret, timestamp, &body), body }
}

fn find(office: &Office, click: &Click) -> Result<Target, ClickError> {
    let conversation = office.world.conversation(&click.channel);
    let message = Ts::parse(&click.ts).and_then(|ts| conversation?.message(ts)).filter(|message| message.visible_to(&click.user));
    let no_message = || ClickError::NoMessage { channel: click.channel.clone(), ts: click.ts.clone(), user: click.user.clone() };
    let message = message.ok_or_else(no_message)?;
    element(message, click).ok_or_else(|| ClickError::NoElement { action_id: click.action_id.clone() })
}

fn element(message: &Message, click: &Click) -> Option<Target> {
    let own = message.blocks.iter().map(|block| (None, block));
    let attached = message.attachments.iter().enumerate().flat_map(|(index, attachment)| {
        let blocks = attachment.get("blocks").and_then(Value::as_array).into_iter().flatten();
        blocks.map(move |block| (Some(index + 1), block))
    });
    let mut places = own.chain(attached).flat_map(|(attachment, block)| elements(block).map(move |element| (attachment, block, element)));
    let (attachment, block, element) = places.find(|(_, _, element)| element["action_id"] == click.action_id.as_str())?;
    Some(Target {
        channel: click.channel.clone(),
        user: click.user.clone(),
        message: message.clone(),
        block_id: block["block_id"].as_str().unwrap_or_default().to_owned(),
        attachment,
        element: element.clone(),
        choice: Choice::of(element, click.option.as_deref())?,
    })
}

/// The interactive elements of a block.
pub(super) fn elements(block: &Value) -> impl Iterator<Item = &Value> {
    block.get("elements").and_then(Value::as_array).into_iter().flatten().chain(block.get("accessory"))
}

impl Choice {
    /// `None` where the choice does not fit the element.
    fn of(element: &Value, chosen: Option<&str>) -> Option<Self> {
        match (element.get("options").and_then(Value::as_array), chosen) {
            (None, _) => Some(Self::None),
            (Some(_), None) => None,
            (Some(options), Some(chosen)) => options.iter().find(|option| option["value"] == chosen).cloned().map(Self::Option),
        }
    }
}

fn payload(office: &mut Office, settings: &Settings, target: &Target, now: Timestamp) -> Value {
    office.interactions.last += 1;
    let trigger = office.interactions.last;
    let secret = office.interactions.issue_response_url(target, now);
    let world = &office.world;
    let identity = &world.identity;
    let conversation = world.conversation(&target.channel);
    let name = world.user_name(&target.user);
    json!({
        "type": "block_actions",
        "user": { "id": target.user, "username": name, "name": name, "team_id": identity.team_id },
        "api_app_id": identity.app_id,
        "token": "stand-in-verification-token",
        "container": container(target),
        "trigger_id": format!("{trigger}.{}.stand-in", now.as_millisecond()),
        "team": { "id": identity.team_id, "domain": identity.domain },
        "enterprise": null,
        "is_enterprise_install": false,
        "channel": { "id": target.channel, "name": conversation.map_or("", channel_name) },
        "message": conversation.map(|it| world.message_json(it, &target.message, MetadataView::All)),
        "state": { "values": {} },
        "response_url": format!("{}/actions/{}/{trigger}/{secret}", settings.base_url, identity.team_id),
        "actions": [action(target, now)],
    })
}

fn channel_name(conversation: &Conversation) -> &str {
    if conversation.is_channel() { &conversation.name } else { "directmessage" }
}

fn container(target: &Target) -> Value {
    let mut container = fields(json!({
        "type": "message",
        "message_ts": target.message.ts,
        "channel_id": target.channel,
        "is_ephemeral": target.message.audience != Audience::Everyone,
    }));
    if let Some(attachment) = target.attachment {
        container.insert("type".to_owned(), "message_attachment".into());
        container.insert("attachment_id".to_owned(), attachment.into());
        container.insert("is_app_unfurl".to_owned(), false.into());
    }
    if let Some(parent) = target.message.parent() {
        container.insert("thread_ts".to_owned(), json!(parent));
    }
    Value::Object(container)
}

fn action(target: &Target, now: Timestamp) -> Value {
    let mut action = Map::new();
    for name in ["type", "action_id", "text", "value", "style", "url"] {
        if let Some(value) = target.element.get(name) {
            action.insert(name.to_owned(), value.clone());
        }
    }
    action.insert("block_id".to_owned(), target.block_id.clone().into());
    action.insert("action_ts".to_owned(), json!(Ts::at(now)));
    if let Choice::Option(option) = &target.choice {
        action.insert("selected_option".to_owned(), option.clone());
    }
    Value::Object(action)
}

/// What became of a post to a `response_url`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Response {
    Applied,
    /// The error's code.
    Refused(&'static str),
}

/// The body of a post to a `response_url`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ResponseBody {
    text: String,
    blocks: Vec<Value>,
    attachments: Vec<Value>,
    response_type: Option<String>,
    replace_original: bool,
    delete_original: bool,
    thread_ts: Option<String>,
}

/// Takes a post to a `response_url`: five times within half an hour, whatever the bot's membership.
pub(super) fn respond(office: &mut Office, secret: &str, body: ResponseBody, now: Timestamp) -> Response {
    let known = office.interactions.responses.iter_mut().find(|url| url.secret == secret);
    let Some(url) = known.filter(|url| now.duration_since(url.issued) < RESPONSE_LIFE) else { return Response::Refused("expired_url") };
    if url.uses >= RESPONSES {
        return Response::Refused("used_url");
    }
    let checked = blocks::check(&Value::Array(body.blocks.clone()), "/blocks");
    if checked.is_err() {
        return Response::Refused("invalid_blocks");
    }
    url.uses += 1;
    let url = url.clone();
    let applied = if body.delete_original {
        delete_original(office, &url)
    } else if body.replace_original {
        replace_original(office, &url, body, now)
    } else {
        answer_anew(office, &url, body, now)
    };
    applied.map_or(Response::Refused("message_not_found"), |message| {
        office.journal.record(entry("response_url", &url.channel, &message, now));
        Response::Applied
    })
}

fn delete_original(office: &mut Office, url: &ResponseUrl) -> Option<Message> {
    let conversation = office.world.conversation_mut(&url.channel)?;
    let index = conversation.messages.iter().position(|message| message.ts == url.ts)?;
    Some(conversation.messages.remove(index))
}

fn replace_original(office: &mut Office, url: &ResponseUrl, body: ResponseBody, now: Timestamp) -> Option<Message> {
    let mut message = office.world.conversation(&url.channel)?.message(url.ts)?.clone();
    message.text = normalise(&body.text, BareLinks::Link);
    message.edited = if body.blocks.is_empty() { Some(Ts::at(now)) } else { message.edited };
    message.blocks = body.blocks;
    message.attachments = body.attachments;
    message.changes += 1;
    office.world.complete(&mut message);
    *office.world.conversation_mut(&url.channel)?.message_mut(url.ts)? = message.clone();
    Some(message)
}

fn answer_anew(office: &mut Office, url: &ResponseUrl, body: ResponseBody, now: Timestamp) -> Option<Message> {
    let parent = body.thread_ts.as_deref().and_then(Ts::parse);
    let to_all = body.response_type.as_deref() == Some("in_channel");
    let draft = Draft {
        author: office.world.identity.bot_user.clone(),
        text: body.text,
        bare_links: BareLinks::Link,
        blocks: body.blocks,
        attachments: body.attachments,
        metadata: None,
        place: parent.map_or(Place::Root, |parent| Place::Reply { parent, broadcast: false }),
        audience: if to_all { Audience::Everyone } else { Audience::Only(url.user.clone()) },
    };
    office.world.post(&url.channel, draft, now)
}
