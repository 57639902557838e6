//! Clicks: Socket Mode, signed HTTP, `response_url`.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use burnward_stand_ins::slack::{Click, Clicked, DisconnectReason, Fault, FaultKind, Options, signature};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::client::{Slack, verdict};

fn click(slack: &Slack, ts: &str, action_id: &str, option: Option<&str>) -> Click {
    Click {
        channel: slack.channel.clone(),
        ts: ts.to_owned(),
        action_id: action_id.to_owned(),
        user: slack.ada.clone(),
        option: option.map(str::to_owned),
    }
}

fn missed(clicked: &Clicked) -> bool {
    matches!(clicked, Clicked::Missed(_))
}

#[tokio::test]
async fn a_click_travels_over_the_socket_and_is_acknowledged() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let mut socket = slack.socket().await;
    let answer = async {
        let envelope = socket.read().await.unwrap();
        socket.acknowledge(&envelope).await;
        envelope
    };
    let (clicked, envelope) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), answer);
    assert_eq!(clicked, Ok(Clicked::Acknowledged));
    assert_eq!((&envelope["type"], &envelope["accepts_response_payload"]), (&json!("interactive"), &json!(false)));
    let payload = &envelope["payload"];
    assert_eq!((&payload["type"], &payload["user"]["id"]), (&json!("block_actions"), &json!(slack.ada)));
    assert_eq!(payload["container"], json!({ "type": "message", "message_ts": ts, "channel_id": slack.channel, "is_ephemeral": false }));
    let action = &payload["actions"][0];
    assert_eq!((&action["action_id"], &action["block_id"], &action["value"]), (&json!("ack"), &json!("buttons"), &json!("INC-1")));
    assert_eq!(payload["message"]["metadata"]["event_payload"]["page_id"], "P-1");
    assert_eq!((slack.applied("click"), slack.applied("ack")), (vec!["ack".to_owned()], vec!["ack".to_owned()]));
}

#[tokio::test]
async fn a_menu_sends_the_chosen_option() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let mut socket = slack.socket().await;
    let (_, envelope) = tokio::join!(slack.server.choose(click(&slack, &ts, "more", Some("silence"))), socket.read());
    let action = envelope.unwrap()["payload"]["actions"][0].clone();
    assert_eq!((&action["type"], &action["selected_option"]["value"]), (&json!("overflow"), &json!("silence")));
    assert!(slack.server.choose(click(&slack, &ts, "more", Some("explode"))).await.is_err());
}

#[tokio::test]
async fn a_click_on_what_is_not_there_is_an_error() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    assert!(slack.server.choose(click(&slack, &ts, "nothing", None)).await.is_err());
    assert!(slack.server.choose(click(&slack, "1.0", "ack", None)).await.is_err());
    assert!(slack.server.click(&slack.channel, &ts, "ack", "Nobody").await.is_err());
}

#[tokio::test]
async fn without_an_app_or_an_acknowledgement_the_person_sees_an_error() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    assert!(missed(&slack.server.choose(click(&slack, &ts, "ack", None)).await.unwrap()));
    let _deaf = slack.socket().await;
    assert!(missed(&slack.server.choose(click(&slack, &ts, "ack", None)).await.unwrap()));
    assert_eq!(slack.applied("missed_ack").len(), 2);
}

#[tokio::test]
async fn an_envelope_without_acknowledgement_comes_again_on_the_next_connection() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let mut first = slack.socket().await;
    let (_, envelope) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), first.read());
    drop(first);
    let mut second = slack.socket().await;
    let again = second.read().await.unwrap();
    assert_eq!(again["envelope_id"], envelope.unwrap()["envelope_id"]);
    second.acknowledge(&again).await;
}

#[tokio::test]
async fn an_envelope_can_come_twice_and_its_acknowledgement_can_be_lost() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let mut socket = slack.socket().await;
    slack.server.fault(Fault::next("interactive", FaultKind::DuplicateEnvelope)).unwrap();
    let twice = async {
        let (one, two) = (socket.read().await.unwrap(), socket.read().await.unwrap());
        assert_eq!(one["envelope_id"], two["envelope_id"]);
        socket.acknowledge(&one).await;
        socket.acknowledge(&two).await;
    };
    let (clicked, ()) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), twice);
    assert_eq!(clicked, Ok(Clicked::Acknowledged));
    slack.server.fault(Fault::next("interactive", FaultKind::LoseAck)).unwrap();
    let acknowledged = async {
        let envelope = socket.read().await.unwrap();
        socket.acknowledge(&envelope).await;
        envelope
    };
    let (clicked, lost) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), acknowledged);
    assert!(missed(&clicked.unwrap()));
    let mut next = slack.socket().await;
    assert_eq!(next.read().await.unwrap()["envelope_id"], lost["envelope_id"]);
}

#[tokio::test]
async fn a_socket_ends_with_a_reason_or_with_none() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    for (reason, word) in [(DisconnectReason::RefreshRequested, "refresh_requested"), (DisconnectReason::LinkDisabled, "link_disabled")] {
        let mut socket = slack.socket().await;
        slack.server.disconnect_sockets(reason);
        let farewell = socket.read().await.unwrap();
        assert_eq!((&farewell["type"], &farewell["reason"]), (&json!("disconnect"), &json!(word)));
        assert_eq!(socket.read().await, None);
    }
    let mut warned = slack.socket().await;
    slack.server.disconnect_sockets(DisconnectReason::Warning);
    assert_eq!(warned.read().await.unwrap()["reason"], "warning");
    let mut dropped = slack.socket().await;
    slack.server.fault(Fault::next("interactive", FaultKind::DropSocket)).unwrap();
    let (clicked, frame) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), dropped.read());
    assert!(missed(&clicked.unwrap()));
    assert_eq!(frame, None);
    let mut next = slack.socket().await;
    assert_eq!(next.read().await.unwrap()["payload"]["actions"][0]["action_id"], "ack");
}

#[tokio::test]
async fn a_ticket_opens_one_connection_and_ten_are_enough() {
    let slack = Slack::start().await;
    let open = || async {
        let request = slack.http.post(slack.url("apps.connections.open")).bearer_auth(slack.server.app_token());
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let url = open().await["url"].as_str().unwrap().to_owned();
    let _first = tokio_tungstenite::connect_async(&url).await.unwrap();
    assert!(tokio_tungstenite::connect_async(&url).await.is_err());
    let mut sockets = Vec::new();
    for _ in 0..9 {
        sockets.push(slack.socket().await);
    }
    assert_eq!(verdict(&open().await), "too_many_websockets");
    let expired = {
        drop(sockets.pop());
        while slack.http.get(format!("{}_control/state", slack.server.web_url())).send().await.unwrap().json::<Value>().await.unwrap()["open_sockets"]
            == 10
        {
            tokio::task::yield_now().await;
        }
        open().await["url"].as_str().unwrap().to_owned()
    };
    slack.server.advance_clock(Duration::from_secs(30));
    assert!(tokio_tungstenite::connect_async(&expired).await.is_err());
}

/// An app that takes signed interactions and answers with a status.
struct App {
    url: String,
    heard: mpsc::Receiver<(HeaderMap, String)>,
}

type Ear = Arc<(mpsc::Sender<(HeaderMap, String)>, u16)>;

async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: Bytes) -> axum::http::StatusCode {
    ear.0.send((headers, String::from_utf8(body.to_vec()).unwrap())).await.unwrap();
    axum::http::StatusCode::from_u16(ear.1).unwrap()
}

impl App {
    async fn answering(status: u16) -> Self {
        let (sender, heard) = mpsc::channel(8);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/slack/interactions", listener.local_addr().unwrap());
        let router = Router::new().route("/slack/interactions", post(hear)).with_state(Arc::new((sender, status)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, heard }
    }

    fn options(&self) -> Options {
        Options { interactions_url: Some(self.url.clone()), ..Options::default() }
    }
}

#[tokio::test]
async fn without_a_socket_a_click_is_a_signed_form() {
    let mut app = App::answering(200).await;
    let slack = Slack::with(app.options()).await;
    let ts = slack.page().await;
    for (fault, rightly, skew) in
        [(None, true, 0), (Some(FaultKind::BadSignature), false, 0), (Some(FaultKind::SkewTimestamp { seconds: -360 }), true, -360)]
    {
        if let Some(kind) = fault {
            slack.server.fault(Fault::next("interactive", kind)).unwrap();
        }
        assert_eq!(slack.server.choose(click(&slack, &ts, "ack", None)).await, Ok(Clicked::Acknowledged));
        let (headers, body) = app.heard.recv().await.unwrap();
        let timestamp: i64 = headers["x-slack-request-timestamp"].to_str().unwrap().parse().unwrap();
        assert_eq!(headers["x-slack-signature"] == signature(slack.server.signing_secret(), timestamp, &body).as_str(), rightly);
        let now: i64 = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap();
        assert!((timestamp - skew - now).abs() <= 5);
        let payload: Value = serde_json::from_str(&url::form_urlencoded::parse(body.as_bytes()).next().unwrap().1).unwrap();
        assert_eq!(payload["actions"][0]["action_id"], "ack");
    }
}

#[tokio::test]
async fn an_app_that_answers_with_an_error_has_missed_the_click() {
    let app = App::answering(500).await;
    let slack = Slack::with(app.options()).await;
    let ts = slack.page().await;
    let clicked = slack.server.choose(click(&slack, &ts, "ack", None)).await.unwrap();
    assert_eq!(clicked, Clicked::Missed("the app answered with status 500".to_owned()));
}

async fn response_url(slack: &Slack, ts: &str) -> String {
    let mut socket = slack.socket().await;
    let answer = async {
        let envelope = socket.read().await.unwrap();
        socket.acknowledge(&envelope).await;
        envelope["payload"]["response_url"].as_str().unwrap().to_owned()
    };
    tokio::join!(slack.server.choose(click(slack, ts, "ack", None)), answer).1
}

async fn respond(slack: &Slack, url: &str, body: Value) -> String {
    slack.http.post(url).json(&body).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_response_url_works_five_times_within_half_an_hour() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let url = response_url(&slack, &ts).await;
    for _ in 0..5 {
        assert_eq!(respond(&slack, &url, json!({ "text": "noted" })).await, "ok");
    }
    assert!(respond(&slack, &url, json!({ "text": "noted" })).await.contains("used_url"));
    let url = response_url(&slack, &ts).await;
    slack.server.advance_clock(Duration::from_mins(30));
    assert!(respond(&slack, &url, json!({ "text": "noted" })).await.contains("expired_url"));
}

#[tokio::test]
async fn a_response_is_for_the_clicker_unless_it_says_otherwise_and_can_replace_or_delete() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let url = response_url(&slack, &ts).await;
    let texts = || async {
        let history = slack.get("conversations.history", &[("channel", &slack.channel)]).await;
        history["messages"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    respond(&slack, &url, json!({ "text": "only you" })).await;
    assert_eq!(texts().await, ["checkout: 15 % failing"]);
    respond(&slack, &url, json!({ "text": "all of you", "response_type": "in_channel" })).await;
    respond(&slack, &url, json!({ "text": "acknowledged", "replace_original": true })).await;
    assert_eq!(texts().await, ["all of you", "acknowledged"]);
    respond(&slack, &url, json!({ "delete_original": true })).await;
    assert_eq!(texts().await, ["all of you"]);
    assert!(respond(&slack, &url, json!({ "replace_original": true, "text": "x" })).await.contains("message_not_found"));
}

#[tokio::test]
async fn an_app_has_three_seconds_unless_a_test_says_otherwise() {
    assert_eq!(Options::default().ack_within, Duration::from_secs(3));
}

#[tokio::test]
async fn connections_take_turns_and_each_click_goes_to_one_of_them() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let (mut first, mut second) = (slack.socket().await, slack.socket().await);
    let mut heard = Vec::new();
    for _ in 0..4 {
        let either = async {
            tokio::select! {
                envelope = first.read() => (1, envelope.unwrap()),
                envelope = second.read() => (2, envelope.unwrap()),
            }
        };
        let (_, (connection, envelope)) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), either);
        heard.push((connection, envelope["envelope_id"].clone()));
    }
    let turns: Vec<i32> = heard.iter().map(|(connection, _)| *connection).collect();
    assert!(turns == [1, 2, 1, 2] || turns == [2, 1, 2, 1], "{turns:?}");
}

#[tokio::test]
async fn an_acknowledgement_counts_on_whichever_connection_it_comes() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let (mut first, mut second) = (slack.socket().await, slack.socket().await);
    let crossed = async {
        tokio::select! {
            envelope = first.read() => second.acknowledge(&envelope.unwrap()).await,
            envelope = second.read() => first.acknowledge(&envelope.unwrap()).await,
        }
    };
    let (clicked, ()) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), crossed);
    assert_eq!(clicked, Ok(Clicked::Acknowledged));
}

#[tokio::test]
async fn a_warned_connection_serves_on_while_another_is_opened() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let mut old = slack.socket().await;
    slack.server.disconnect_sockets(DisconnectReason::Warning);
    assert_eq!(old.read().await.unwrap()["reason"], "warning");
    let answer = async {
        let envelope = old.read().await.unwrap();
        old.acknowledge(&envelope).await;
    };
    let (clicked, ()) = tokio::join!(slack.server.choose(click(&slack, &ts, "ack", None)), answer);
    assert_eq!(clicked, Ok(Clicked::Acknowledged));
    assert!(slack.server.wait_for_sockets(1, Duration::ZERO).await);
    let _new = slack.socket().await;
    assert!(slack.server.wait_for_sockets(2, Duration::ZERO).await);
}
