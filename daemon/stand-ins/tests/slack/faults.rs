//! Faults: what was applied, and what the client saw of it.

use std::time::Duration;

use burnward_stand_ins::slack::{Fault, FaultKind, RateLimitBody};
use serde_json::json;

use crate::client::{Slack, verdict};

/// What a client sees of one call.
#[derive(Debug, PartialEq)]
enum Seen {
    Refused,
    Broken,
    TimedOut,
    Status(u16),
    NoJson,
    Answer(String),
}

async fn seen(slack: &Slack) -> Seen {
    let sent = slack.try_post("chat.postMessage", json!({ "channel": slack.channel, "text": "x" })).await;
    match sent {
        Err(error) if error.is_timeout() => Seen::TimedOut,
        Err(error) if error.is_connect() => Seen::Refused,
        Err(_) => Seen::Broken,
        Ok(answer) if answer.status().as_u16() != 200 => Seen::Status(answer.status().as_u16()),
        Ok(answer) => match answer.text().await.map(|text| serde_json::from_str(&text)) {
            Ok(Ok(json)) => Seen::Answer(verdict(&json).to_owned()),
            Ok(Err(_)) => Seen::NoJson,
            Err(_) => Seen::Broken,
        },
    }
}

async fn check(kind: FaultKind, expected: Seen, applied: usize) {
    let slack = Slack::start().await;
    slack.server.fault(Fault::next("chat.postMessage", kind.clone())).unwrap();
    assert_eq!(seen(&slack).await, expected, "{kind:?}");
    assert_eq!(slack.applied("chat.postMessage").len(), applied, "{kind:?}");
    slack.server.clear_faults();
    assert_eq!(seen(&slack).await, Seen::Answer("ok".to_owned()), "after {kind:?}");
    slack.server.shutdown().await;
}

#[tokio::test]
async fn each_fault_looks_as_it_should_and_applies_what_it_says() {
    let code = || "internal_error".to_owned();
    let limit = |body| FaultKind::RateLimit { retry_after: Some("7".to_owned()), body };
    check(FaultKind::ResetBefore, Seen::Broken, 0).await;
    check(FaultKind::ApplyThenReset, Seen::Broken, 1).await;
    check(FaultKind::ApplyThenStatus { status: 500 }, Seen::Status(500), 1).await;
    check(FaultKind::Status { status: 503 }, Seen::Status(503), 0).await;
    check(FaultKind::CaptivePortal, Seen::NoJson, 0).await;
    check(FaultKind::TruncatedJson, Seen::NoJson, 1).await;
    check(FaultKind::CutBody, Seen::Broken, 1).await;
    check(FaultKind::Slow { millis: 10 }, Seen::Answer("ok".to_owned()), 1).await;
    check(limit(RateLimitBody::Json), Seen::Status(429), 0).await;
    check(limit(RateLimitBody::Bare), Seen::Status(429), 0).await;
    check(limit(RateLimitBody::Text), Seen::Status(429), 0).await;
    check(FaultKind::Error { code: code() }, Seen::Answer(code()), 0).await;
    check(FaultKind::ErrorApplied { code: code() }, Seen::Answer(code()), 1).await;
}

#[tokio::test]
async fn a_hang_lasts_until_the_client_gives_up() {
    check(FaultKind::ApplyThenHang, Seen::TimedOut, 1).await;
    check(FaultKind::Hang, Seen::TimedOut, 0).await;
}

#[tokio::test]
async fn a_refusal_is_the_kernels_and_nobody_takes_the_port() {
    let slack = Slack::start().await;
    slack.server.fault(Fault::next("chat.postMessage", FaultKind::Refuse { millis: 60_000 })).unwrap();
    assert_eq!(seen(&slack).await, Seen::Broken);
    for _ in 0..20 {
        assert_eq!(seen(&slack).await, Seen::Refused);
    }
    slack.server.clear_faults();
    let answer = async {
        while seen(&slack).await == Seen::Refused {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), answer).await.expect("the port listens again");
    assert_eq!(seen(&slack).await, Seen::Answer("ok".to_owned()));
}

#[tokio::test]
async fn a_429_carries_the_header_that_was_ordered() {
    let slack = Slack::start().await;
    for retry_after in [None, Some("0"), Some("3600"), Some("-1"), Some("Fri, 31 Dec 1999 23:59:59 GMT")] {
        let kind = FaultKind::RateLimit { retry_after: retry_after.map(str::to_owned), body: RateLimitBody::Bare };
        slack.server.fault(Fault::next("chat.postMessage", kind)).unwrap();
        let answer = slack.try_post("chat.postMessage", json!({ "channel": slack.channel, "text": "x" })).await.unwrap();
        assert_eq!(answer.headers().get("retry-after").map(|value| value.to_str().unwrap()), retry_after);
        assert!(answer.headers().get("content-type").is_none());
    }
}

#[tokio::test]
async fn an_error_from_now_on_stays_until_it_is_cleared() {
    let slack = Slack::start().await;
    slack.server.fault(Fault::from_now_on("*", FaultKind::Error { code: "token_revoked".to_owned() })).unwrap();
    for _ in 0..3 {
        assert_eq!(verdict(&slack.post("auth.test", json!({})).await), "token_revoked");
    }
    slack.server.clear_faults();
    assert_eq!(slack.post("auth.test", json!({})).await["ok"], true);
}

#[tokio::test]
async fn stale_history_shows_a_message_only_after_the_lag() {
    let slack = Slack::start().await;
    slack.server.fault(Fault::from_now_on("conversations.history", FaultKind::StaleHistory { lag_seconds: 5 })).unwrap();
    slack.say("x").await;
    let count = || async { slack.get("conversations.history", &[("channel", &slack.channel)]).await["messages"].as_array().unwrap().len() };
    assert_eq!(count().await, 0);
    slack.server.advance_clock(Duration::from_secs(5));
    assert_eq!(count().await, 1);
}

#[tokio::test]
async fn a_fault_can_be_ordered_over_http() {
    let slack = Slack::start().await;
    let control = |path: &str| format!("{}_control/{path}", slack.server.web_url());
    let order = json!({ "method": "chat.postMessage", "nth": 2, "count": 1, "kind": { "apply_then_status": { "status": 500 } } });
    assert_eq!(slack.http.post(control("fault")).json(&order).send().await.unwrap().status().as_u16(), 200);
    assert_eq!(seen(&slack).await, Seen::Answer("ok".to_owned()));
    assert_eq!(seen(&slack).await, Seen::Status(500));
    let wrong = json!({ "method": "chat.postMesage", "kind": "reset_before" });
    let refused = slack.http.post(control("fault")).json(&wrong).send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 422);
    assert!(refused.text().await.unwrap().contains("chat.postMesage"));
    let journal: serde_json::Value = slack.http.get(control("journal?after=1")).send().await.unwrap().json().await.unwrap();
    assert_eq!(journal.as_array().unwrap().len(), 1);
    let state: serde_json::Value = slack.http.get(control("state")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&state["faults"], &state["conversations"][0]["messages"]), (&json!([]), &json!(2)));
}
