//! Socket Mode (docs.slack.dev, apis/events-api/using-socket-mode): `hello`, envelopes, acknowledgements, `disconnect`.
//!
//! An envelope that was not acknowledged comes again on the next connection. One that found nobody connected is not kept for later: Slack
//! promises no redelivery then.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{
        Query, State, WebSocketUpgrade,
        ws::{Message as Frame, WebSocket},
    },
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{fault::DisconnectReason, office::Shared};

/// Connections that an app may hold open.
const MOST_CONNECTIONS: usize = 10;
/// Frames that may wait for one connection.
const QUEUE: usize = 64;
/// Envelopes that wait for an acknowledgement; the oldest go first.
const MOST_UNACKED: usize = 100;
const TICKET_LIFE: SignedDuration = SignedDuration::from_secs(30);
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long a connection lives after the reason `warning`.
const AFTER_WARNING: Duration = Duration::from_secs(10);

/// What a connection is told to do.
#[derive(Debug, Clone)]
enum Order {
    Send(String),
    Disconnect(DisconnectReason),
    /// Go without a close frame.
    Drop,
}

#[derive(Debug)]
struct Unacked {
    frame: String,
    taken: Option<oneshot::Sender<()>>,
    acks_to_lose: u32,
}

/// Open connections and what they owe.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    tickets: HashMap<String, Timestamp>,
    connections: BTreeMap<u64, mpsc::Sender<Order>>,
    unacked: BTreeMap<u64, Unacked>,
    last: u64,
}

/// How an envelope is to go wrong, if at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Once,
    Twice,
    AckLost,
    /// Every connection is dropped instead.
    Dropped,
    /// Every connection hears this instead.
    Disconnected(DisconnectReason),
}

impl Sockets {
    /// A ticket for one connection; `None` where too many are open.
    pub(super) fn issue_ticket(&mut self, now: Timestamp) -> Option<String> {
        self.tickets.retain(|_, issued| now.duration_since(*issued) < TICKET_LIFE);
        if self.connections.len() >= MOST_CONNECTIONS {
            return None;
        }
        let ticket = format!("{:032x}", rand::random::<u128>());
        self.tickets.insert(ticket.clone(), now);
        Some(ticket)
    }

    fn redeem(&mut self, ticket: &str, now: Timestamp) -> bool {
        self.tickets.remove(ticket).is_some_and(|issued| now.duration_since(issued) < TICKET_LIFE)
    }

    pub(super) fn open_connections(&self) -> usize {
        self.connections.len()
    }

    /// Joins a connection; envelopes that were not acknowledged are queued for it.
    fn join(&mut self) -> (u64, mpsc::Receiver<Order>) {
        let (sender, receiver) = mpsc::channel(QUEUE + MOST_UNACKED);
        for unacked in self.unacked.values() {
            let queued = sender.try_send(Order::Send(unacked.frame.clone()));
            debug_assert!(queued.is_ok(), "a new queue holds every unacknowledged envelope");
        }
        self.last += 1;
        self.connections.insert(self.last, sender);
        (self.last, receiver)
    }

    fn leave(&mut self, id: u64) {
        self.connections.remove(&id);
    }

    /// Sends an interactive envelope to one of the connections; the receiver hears of its acknowledgement. `None` where nobody is connected.
    pub(super) fn deliver(&mut self, payload: &Value, delivery: Delivery) -> Option<oneshot::Receiver<()>> {
        if self.connections.is_empty() {
            return None;
        }
        self.last += 1;
        let envelope = self.last;
        let frame = envelope_frame(envelope, payload);
        match delivery {
            Delivery::Once | Delivery::AckLost => self.send(&frame, envelope, 1),
            Delivery::Twice => self.send(&frame, envelope, 2),
            Delivery::Dropped => self.tell_all(&Order::Drop),
            Delivery::Disconnected(reason) => self.tell_all(&Order::Disconnect(reason)),
        }
        let (taken, heard) = oneshot::channel();
        let acks_to_lose = u32::from(delivery == Delivery::AckLost);
        if self.unacked.len() >= MOST_UNACKED {
            self.unacked.pop_first();
        }
        self.unacked.insert(envelope, Unacked { frame, taken: Some(taken), acks_to_lose });
        Some(heard)
    }

    /// Takes turns over the connections.
    fn send(&self, frame: &str, turn: u64, times: usize) {
        let connections: Vec<_> = self.connections.values().collect();
        let start = usize::try_from(turn).unwrap_or(0) % connections.len();
        for _ in 0..times {
            let mut round = (0..connections.len()).map(|step| connections[(start + step) % connections.len()]);
            let sent = round.any(|connection| connection.try_send(Order::Send(frame.to_owned())).is_ok());
            if !sent {
                tracing::warn!("no socket takes the envelope: every queue is full");
            }
        }
    }

    fn tell_all(&self, order: &Order) {
        for connection in self.connections.values() {
            if connection.try_send(order.clone()).is_err() {
                tracing::warn!("a socket's queue is full");
            }
        }
    }

    /// Drops every connection without a close frame.
    pub(super) fn drop_all(&self) {
        self.tell_all(&Order::Drop);
    }

    /// Says `disconnect` to every connection.
    pub(super) fn disconnect_all(&self, reason: DisconnectReason) {
        self.tell_all(&Order::Disconnect(reason));
    }

    fn acknowledge(&mut self, envelope_id: &str) {
        let Some(envelope) = envelope_id.strip_prefix(ENVELOPE_PREFIX).and_then(|id| id.parse().ok()) else { return };
        let Some(unacked) = self.unacked.get_mut(&envelope) else { return };
        if unacked.acks_to_lose > 0 {
            unacked.acks_to_lose -= 1;
            return;
        }
        if let Some(taken) = self.unacked.remove(&envelope).and_then(|unacked| unacked.taken) {
            // The person who clicked may have gone; that is nobody's error.
            let _ = taken.send(());
        }
    }

    pub(super) fn clear(&mut self) {
        self.unacked.clear();
    }
}

const ENVELOPE_PREFIX: &str = "5a7c1d2e-0000-4000-8000-";

fn envelope_frame(number: u64, payload: &Value) -> String {
    let id = format!("{ENVELOPE_PREFIX}{number:012}");
    json!({ "type": "interactive", "envelope_id": id, "accepts_response_payload": false, "payload": payload }).to_string()
}

/// The query of a connection's URL.
#[derive(Debug, Deserialize)]
pub(super) struct LinkQuery {
    ticket: String,
}

/// `GET /link/`: the WebSocket end.
pub(super) async fn link(State(shared): State<Arc<Shared>>, Query(query): Query<LinkQuery>, upgrade: WebSocketUpgrade) -> Response {
    if !shared.quietly(|office, now| office.sockets.redeem(&query.ticket, now)) {
        return (StatusCode::FORBIDDEN, "the ticket is unknown, used or old").into_response();
    }
    upgrade.max_message_size(1 << 20).on_upgrade(move |socket| serve(shared, socket))
}

async fn serve(shared: Arc<Shared>, mut socket: WebSocket) {
    let (id, orders) = shared.change(|office, _| office.sockets.join());
    if let Err(error) = talk(&shared, &mut socket, orders).await {
        tracing::debug!(%error, "a socket ended");
    }
    shared.change(|office, _| office.sockets.leave(id));
}

async fn talk(shared: &Arc<Shared>, socket: &mut WebSocket, mut orders: mpsc::Receiver<Order>) -> Result<(), axum::Error> {
    socket.send(text(&hello(shared))).await?;
    let mut pings = tokio::time::interval(PING_EVERY);
    let never = Duration::from_hours(24);
    let end = tokio::time::sleep(never);
    tokio::pin!(end);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(frame)) => socket.send(Frame::Text(frame.into())).await?,
                Some(Order::Disconnect(reason)) => {
                    socket.send(text(&disconnect(reason))).await?;
                    match reason {
                        DisconnectReason::Warning => end.as_mut().reset(tokio::time::Instant::now() + AFTER_WARNING),
                        DisconnectReason::RefreshRequested | DisconnectReason::LinkDisabled => return socket.send(Frame::Close(None)).await,
                    }
                }
                Some(Order::Drop) | None => return Ok(()),
            },
            frame = socket.recv() => match frame {
                Some(Ok(Frame::Text(frame))) => hear(shared, frame.as_str()),
                Some(Ok(Frame::Ping(_) | Frame::Pong(_) | Frame::Binary(_))) => {}
                Some(Ok(Frame::Close(_))) | None => return Ok(()),
                Some(Err(error)) => return Err(error),
            },
            _ = pings.tick() => socket.send(Frame::Ping(Vec::new().into())).await?,
            () = &mut end => return socket.send(Frame::Close(None)).await,
            () = shared.stop.cancelled() => return Ok(()),
        }
    }
}

fn hear(shared: &Shared, frame: &str) {
    let read = serde_json::from_str::<Value>(frame).unwrap_or_default();
    if let Some(envelope_id) = read.get("envelope_id").and_then(Value::as_str) {
        shared.quietly(|office, _| office.sockets.acknowledge(envelope_id));
    }
}

fn text(value: &Value) -> Frame {
    Frame::Text(value.to_string().into())
}

fn debug_info() -> Value {
    json!({ "host": "stand-in", "started": Timestamp::now().to_string(), "build_number": 1, "approximate_connection_time": 18_060 })
}

fn hello(shared: &Shared) -> Value {
    let (connections, app_id) = shared.look(|office| (office.sockets.open_connections(), office.world.identity.app_id.clone()));
    json!({ "type": "hello", "num_connections": connections, "debug_info": debug_info(), "connection_info": { "app_id": app_id } })
}

fn disconnect(reason: DisconnectReason) -> Value {
    json!({ "type": "disconnect", "reason": reason.as_str(), "debug_info": debug_info() })
}
