//! Tokens, scopes, bodies: what a request must look like.

use burnward_stand_ins::slack::{Options, SCOPES};
use serde_json::{Value, json};

use crate::client::{Slack, verdict};

async fn sent(slack: &Slack, method: &str, token: Option<&str>, kind: &str, body: &str) -> Value {
    let mut request = slack.http.post(slack.url(method)).body(body.to_owned());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if !kind.is_empty() {
        request = request.header("content-type", kind);
    }
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_token_must_be_there_known_and_of_the_right_kind() {
    let slack = Slack::start().await;
    let (bot, app) = (slack.server.bot_token(), slack.server.app_token());
    for (method, token, expected) in [
        ("auth.test", None, "not_authed"),
        ("auth.test", Some("xoxb-other"), "invalid_auth"),
        ("auth.test", Some(bot), "ok"),
        ("chat.postMessage", Some(app), "not_allowed_token_type"),
        ("apps.connections.open", Some(bot), "not_allowed_token_type"),
        ("apps.connections.open", Some(app), "ok"),
        ("api.test", None, "ok"),
        ("chat.scheduleMessage", Some(bot), "unknown_method"),
    ] {
        let answer = sent(&slack, method, token, "", "").await;
        assert_eq!(verdict(&answer), expected, "{method} with {token:?}");
    }
}

#[tokio::test]
async fn a_form_may_carry_the_token_itself() {
    let slack = Slack::start().await;
    let body = format!("token={}&channel={}&text=hello", slack.server.bot_token(), slack.channel);
    assert_eq!(sent(&slack, "chat.postMessage", None, "application/x-www-form-urlencoded", &body).await["ok"], true);
}

#[tokio::test]
async fn a_missing_scope_is_named_beside_those_that_are_there() {
    let scopes = SCOPES.into_iter().filter(|scope| *scope != "channels:history" && *scope != "im:write").map(str::to_owned).collect();
    let slack = Slack::with(Options { scopes, ..Options::default() }).await;
    let history = slack.get("conversations.history", &[("channel", &slack.channel)]).await;
    assert_eq!((verdict(&history), &history["needed"]), ("missing_scope", &json!("channels:history")));
    assert!(history["provided"].as_str().unwrap().starts_with("chat:write,chat:write.public,"));
    let open = slack.post("conversations.open", json!({ "users": slack.ada })).await;
    assert_eq!((verdict(&open), &open["needed"]), ("missing_scope", &json!("im:write")));
    assert_eq!(slack.server.journal().len(), 0);
}

#[tokio::test]
async fn writes_take_json_and_forms_and_reads_ignore_json() {
    let slack = Slack::start().await;
    let bot = Some(slack.server.bot_token());
    let json = json!({ "channel": slack.channel, "text": "as JSON" }).to_string();
    let form = format!("channel={}&text=as+form&blocks=%5B%7B%22type%22%3A%22divider%22%7D%5D", slack.channel);
    assert_eq!(sent(&slack, "chat.postMessage", bot, "application/json; charset=utf-8", &json).await["ok"], true);
    let posted = sent(&slack, "chat.postMessage", bot, "application/x-www-form-urlencoded", &form).await;
    assert_eq!(posted["message"]["blocks"][0]["type"], "divider");
    let read = sent(&slack, "conversations.history", bot, "application/json; charset=utf-8", &json).await;
    assert_eq!(verdict(&read), "invalid_arguments");
    assert_eq!(read["response_metadata"]["messages"][0], "[ERROR] missing required field: channel");
    let read = sent(&slack, "conversations.history", bot, "application/x-www-form-urlencoded", &form).await;
    assert_eq!(read["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_refused_by_their_own_codes() {
    let slack = Slack::start().await;
    for (kind, body, expected) in [
        ("application/json; charset=utf-8", "{", "invalid_json"),
        ("application/json; charset=utf-8", "[]", "json_not_object"),
        ("application/json; charset=latin1", "{}", "invalid_charset"),
        ("text/csv", "a,b", "invalid_post_type"),
        ("", "text=x", "missing_post_type"),
        ("application/x-www-form-urlencoded", "text=x", "invalid_arguments"),
    ] {
        let answer = sent(&slack, "chat.postMessage", Some(slack.server.bot_token()), kind, body).await;
        assert_eq!(verdict(&answer), expected, "{kind} {body}");
    }
}

#[tokio::test]
async fn json_without_its_charset_is_taken_with_a_warning() {
    let slack = Slack::start().await;
    let json = json!({ "channel": slack.channel, "text": "hello" }).to_string();
    let answer = sent(&slack, "chat.postMessage", Some(slack.server.bot_token()), "application/json", &json).await;
    assert_eq!((&answer["ok"], &answer["warning"]), (&json!(true), &json!("missing_charset")));
    assert_eq!(answer["response_metadata"]["warnings"], json!(["missing_charset"]));
}

#[tokio::test]
async fn people_are_found_by_id_and_by_address() {
    let slack = Slack::start().await;
    let found = slack.get("users.lookupByEmail", &[("email", "ADA@example.com")]).await;
    assert_eq!(found["user"]["id"], slack.ada);
    let known = slack.get("users.info", &[("user", &slack.ada)]).await;
    assert_eq!(known["user"]["profile"]["email"], "ada@example.com");
    assert_eq!(verdict(&slack.get("users.lookupByEmail", &[("email", "eve@example.com")]).await), "users_not_found");
    assert_eq!(verdict(&slack.get("users.info", &[("user", "U99")]).await), "user_not_found");
}

#[tokio::test]
async fn an_address_shows_only_with_its_scope() {
    let scopes = vec!["users:read".to_owned()];
    let slack = Slack::with(Options { scopes, ..Options::default() }).await;
    assert!(slack.get("users.info", &[("user", &slack.ada)]).await["user"]["profile"]["email"].is_null());
}

#[tokio::test]
async fn a_form_from_a_page_of_another_origin_is_refused() {
    let slack = Slack::start().await;
    let reset = format!("{}_control/reset", slack.server.web_url());
    for (origin, status) in [("https://evil.example", 403), ("null", 403)] {
        assert_eq!(slack.http.post(&reset).header("origin", origin).send().await.unwrap().status().as_u16(), status);
    }
    let own = slack.server.web_url().trim_end_matches('/').to_owned();
    assert_eq!(slack.http.post(&reset).header("origin", own).send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn every_method_names_the_argument_that_it_misses() {
    let slack = Slack::start().await;
    for (method, argument) in [
        ("chat.postMessage", "channel"),
        ("chat.update", "channel"),
        ("chat.getPermalink", "channel"),
        ("conversations.history", "channel"),
        ("conversations.replies", "ts"),
        ("conversations.open", "users"),
        ("conversations.info", "channel"),
        ("conversations.join", "channel"),
        ("users.info", "user"),
        ("users.lookupByEmail", "email"),
    ] {
        let answer = slack.post(method, json!({})).await;
        assert_eq!(verdict(&answer), "invalid_arguments", "{method}");
        let message = format!("[ERROR] missing required field: {argument}");
        assert_eq!(answer["response_metadata"]["messages"][0], message, "{method}");
    }
}

#[tokio::test]
async fn a_conversation_that_the_app_may_not_know_is_not_found_by_any_method() {
    let slack = Slack::start().await;
    let secret = slack.server.add_private_channel("secret");
    for channel in ["C99", &secret] {
        for (method, more) in [
            ("chat.getPermalink", ("message_ts", "1.0")),
            ("conversations.history", ("limit", "1")),
            ("conversations.replies", ("ts", "1.0")),
            ("conversations.info", ("include_num_members", "false")),
        ] {
            assert_eq!(verdict(&slack.get(method, &[("channel", channel), more]).await), "channel_not_found", "{method}");
        }
        for method in ["chat.postMessage", "chat.update", "conversations.join", "conversations.open"] {
            let answer = slack.post(method, json!({ "channel": channel, "ts": "1.0", "text": "x" })).await;
            assert_eq!(verdict(&answer), "channel_not_found", "{method}");
        }
    }
}

#[tokio::test]
async fn the_app_learns_who_it_is_and_a_test_call_echoes() {
    let slack = Slack::start().await;
    let identity = slack.post("auth.test", json!({})).await;
    assert_eq!(
        (&identity["user"], &identity["user_id"], &identity["bot_id"]),
        (&json!("burnward"), &json!("U00000000"), &json!("B00000001"))
    );
    let echo = slack.post("api.test", json!({ "error": "my_error", "x": 1 })).await;
    assert_eq!((verdict(&echo), &echo["args"]["x"]), ("my_error", &json!(1)));
}
