//! The page on which people read the workspace and click. Rendered by the server; forms work without JavaScript, which only saves reloads.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Form, Router,
    extract::{Path, Query as AxumQuery, State},
    http::StatusCode,
    response::{
        IntoResponse as _, Redirect, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Deserialize;
use serde_json::Value;

use super::{
    acts::{self, ChannelChange, Saying},
    interact::{self, Click},
    office::Shared,
    ts::Ts,
    world::{ConversationKind, Message},
};
use crate::html::{Page, asset};

mod blocks;
mod layout;
mod mrkdwn;
mod panel;
mod view;

use view::{Query, View};

/// How long the button `Refuse` keeps the port shut.
const REFUSAL: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/", get(index))
        .route("/style.css", get(|| async { asset("text/css; charset=utf-8", include_str!("style.css")) }))
        .route("/page.js", get(|| async { asset("text/javascript; charset=utf-8", include_str!("page.js")) }))
        .route("/news", get(news))
        .route("/archives/{channel}/{message}", get(archives))
        .route("/click", post(click))
        .route("/say", post(say))
        .route("/fault", post(fault))
        .route("/clear", post(clear))
        .route("/refuse", post(refuse))
        .route("/sockets", post(sockets))
        .route("/people", post(people))
        .route("/channels", post(channels))
        .route("/channel", post(channel))
}

async fn index(State(shared): State<Arc<Shared>>, AxumQuery(query): AxumQuery<Query>) -> Page {
    shared.look(|office| layout::page(office, &shared, &query))
}

/// One event for each change, without content: the page reads itself again.
async fn news(State(shared): State<Arc<Shared>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(shared.news(), |mut news| async move {
        news.changed().await.ok()?;
        let version = *news.borrow_and_update();
        Some((Ok(Event::default().data(version.to_string())), news))
    });
    Sse::new(changes.take_until(shared.stop.clone().cancelled_owned())).keep_alive(KeepAlive::default())
}

/// Where a permalink leads.
async fn archives(State(shared): State<Arc<Shared>>, Path((channel, message)): Path<(String, String)>) -> Response {
    let found = Ts::from_permalink(&message).and_then(|ts| Some((ts, shared.look(|office| View::at(office, &channel, ts))?)));
    let Some((ts, view)) = found else { return (StatusCode::NOT_FOUND, "no such message").into_response() };
    Redirect::to(&view.href_at(view.spot(), ts)).into_response()
}

/// The place that a form came from.
#[derive(Debug, Deserialize)]
struct Back {
    channel: String,
    #[serde(rename = "as")]
    acting: String,
    thread: Option<String>,
    before: Option<String>,
}

impl Back {
    fn view(&self) -> View {
        let ts = |text: &Option<String>| text.as_deref().and_then(Ts::parse);
        View { channel: self.channel.clone(), acting: self.acting.clone(), thread: ts(&self.thread), before: ts(&self.before) }
    }

    fn redirect(&self) -> Response {
        Redirect::to(&self.view().href()).into_response()
    }
}

#[derive(Debug, Deserialize)]
struct ClickForm {
    #[serde(flatten)]
    back: Back,
    message_channel: String,
    ts: String,
    action_id: String,
    option: Option<String>,
    /// Present where the element has a confirm dialog that was not answered yet.
    ask: Option<String>,
}

async fn click(State(shared): State<Arc<Shared>>, Form(form): Form<ClickForm>) -> Response {
    if form.ask.is_some() {
        return Redirect::to(&question(&form)).into_response();
    }
    let click = Click {
        channel: form.message_channel,
        ts: form.ts.clone(),
        action_id: form.action_id,
        user: form.back.acting.clone(),
        option: form.option,
    };
    // What came of it is on the page: the message's change, or the banner.
    if let Err(error) = interact::click(&shared, click.clone()).await {
        shared.change(|office, now| office.interactions.miss(&click, error.to_string(), now));
    }
    let view = form.back.view();
    let place = Ts::parse(&form.ts).map_or_else(|| view.href(), |ts| view.href_at(view.spot(), ts));
    Redirect::to(&place).into_response()
}

/// The page with the confirm dialog open.
fn question(form: &ClickForm) -> String {
    let mut query = url::form_urlencoded::Serializer::new(form.back.view().href());
    query.append_pair("confirm_ts", &form.ts).append_pair("confirm_action", &form.action_id);
    if let Some(option) = &form.option {
        query.append_pair("confirm_option", option);
    }
    query.finish()
}

/// The element of a message that asks before it acts.
fn element_with_confirm<'a>(message: &'a Message, action_id: &str) -> Option<&'a Value> {
    let attached = message.attachments.iter().filter_map(|attachment| attachment.get("blocks")?.as_array()).flatten();
    let blocks = message.blocks.iter().chain(attached);
    let mut elements = blocks.flat_map(interact::elements);
    elements.find(|element| element["action_id"] == action_id && element.get("confirm").is_some())
}

#[derive(Debug, Deserialize)]
struct SayForm {
    #[serde(flatten)]
    back: Back,
    text: String,
    thread_ts: Option<String>,
}

async fn say(State(shared): State<Arc<Shared>>, Form(form): Form<SayForm>) -> Response {
    let SayForm { back, text, thread_ts } = form;
    let saying = Saying { channel: back.channel.clone(), user: back.acting.clone(), text, thread_ts };
    shared.change(|office, now| acts::say(office, saying, now));
    back.redirect()
}

#[derive(Debug, Deserialize)]
struct FaultForm {
    #[serde(flatten)]
    back: Back,
    method: String,
    kind: String,
    times: String,
}

async fn fault(State(shared): State<Arc<Shared>>, Form(form): Form<FaultForm>) -> Response {
    if let Some(fault) = panel::ordered(&form.method, &form.kind, &form.times)
        && let Err(error) = shared.change(|office, _| office.faults.order(fault))
    {
        tracing::info!(%error, "a fault was not ordered");
    }
    form.back.redirect()
}

async fn clear(State(shared): State<Arc<Shared>>, Form(back): Form<Back>) -> Response {
    acts::clear_faults(&shared);
    back.redirect()
}

async fn refuse(State(shared): State<Arc<Shared>>, Form(back): Form<Back>) -> Response {
    acts::refuse_soon(&shared, REFUSAL);
    back.redirect()
}

#[derive(Debug, Deserialize)]
struct ActForm {
    #[serde(flatten)]
    back: Back,
    act: String,
}

async fn sockets(State(shared): State<Arc<Shared>>, Form(form): Form<ActForm>) -> Response {
    shared.quietly(|office, _| match panel::disconnect_reason(&form.act) {
        Some(reason) => office.sockets.disconnect_all(reason),
        None => office.sockets.drop_all(),
    });
    form.back.redirect()
}

#[derive(Debug, Deserialize)]
struct PersonForm {
    #[serde(flatten)]
    back: Back,
    new_person: String,
    new_email: String,
}

async fn people(State(shared): State<Arc<Shared>>, Form(form): Form<PersonForm>) -> Response {
    let view = form.back.view();
    let acting = shared.change(|office, _| acts::add_person(office, &form.new_person, &form.new_email));
    Redirect::to(&View { acting: acting.unwrap_or_else(|| view.acting.clone()), ..view }.href()).into_response()
}

#[derive(Debug, Deserialize)]
struct NewChannelForm {
    #[serde(flatten)]
    back: Back,
    new_channel: String,
}

async fn channels(State(shared): State<Arc<Shared>>, Form(form): Form<NewChannelForm>) -> Response {
    let id = shared.change(|office, now| acts::add_channel(office, &form.new_channel, ConversationKind::Public, now));
    let view = form.back.view();
    Redirect::to(&id.map_or_else(|| view.href(), |id| view.in_channel(&id).href())).into_response()
}

async fn channel(State(shared): State<Arc<Shared>>, Form(form): Form<ActForm>) -> Response {
    let change = match form.act.as_str() {
        "archive" => Some(ChannelChange::Archived(true)),
        "unarchive" => Some(ChannelChange::Archived(false)),
        "invite" => Some(ChannelChange::BotIsMember(true)),
        "remove" => Some(ChannelChange::BotIsMember(false)),
        _ => None,
    };
    if let Some(change) = change {
        shared.change(|office, _| acts::change_channel(office, &form.back.channel, change));
    }
    form.back.redirect()
}
