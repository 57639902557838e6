//! `conversations.history`, `.replies`, `.open`, `.info`, `.list`.

use serde_json::{Value, json};

use crate::client::{Slack, verdict};

fn texts(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}

async fn numbered(slack: &Slack, count: usize) -> Vec<String> {
    let mut stamps = Vec::new();
    for number in 1..=count {
        stamps.push(slack.say(&number.to_string()).await);
    }
    stamps
}

#[tokio::test]
async fn history_comes_newest_first_in_pages() {
    let slack = Slack::start().await;
    numbered(&slack, 5).await;
    let first = slack.get("conversations.history", &[("channel", &slack.channel), ("limit", "2")]).await;
    assert_eq!((texts(&first), &first["has_more"]), (vec!["5", "4"], &json!(true)));
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();
    let second = slack.get("conversations.history", &[("channel", &slack.channel), ("limit", "3"), ("cursor", cursor)]).await;
    assert_eq!((texts(&second), &second["has_more"]), (vec!["3", "2", "1"], &json!(false)));
}

#[tokio::test]
async fn oldest_and_latest_are_exclusive_unless_inclusive() {
    let slack = Slack::start().await;
    let stamps = numbered(&slack, 4).await;
    for (inclusive, expected) in [("false", vec!["3"]), ("true", vec!["4", "3", "2"])] {
        let arguments = [("channel", slack.channel.as_str()), ("oldest", &stamps[1]), ("latest", &stamps[3]), ("inclusive", inclusive)];
        assert_eq!(texts(&slack.get("conversations.history", &arguments).await), expected);
    }
}

#[tokio::test]
async fn arguments_that_make_no_sense_have_their_codes() {
    let slack = Slack::start().await;
    for (name, value, expected) in [
        ("limit", "0", "invalid_limit"),
        ("limit", "1000", "invalid_limit"),
        ("cursor", "nonsense", "invalid_cursor"),
        ("oldest", "yesterday", "invalid_ts_oldest"),
        ("latest", "-1", "invalid_ts_latest"),
        ("channel", "C99", "channel_not_found"),
    ] {
        let mut arguments = vec![(name, value)];
        if name != "channel" {
            arguments.push(("channel", &slack.channel));
        }
        assert_eq!(verdict(&slack.get("conversations.history", &arguments).await), expected, "{name}={value}");
    }
}

#[tokio::test]
async fn history_leaves_replies_to_their_thread_unless_they_were_broadcast() {
    let slack = Slack::start().await;
    let root = slack.say("root").await;
    for (text, broadcast) in [("quiet", false), ("loud", true)] {
        let body = json!({ "channel": slack.channel, "text": text, "thread_ts": root, "reply_broadcast": broadcast });
        slack.post("chat.postMessage", body).await;
    }
    let history = slack.get("conversations.history", &[("channel", &slack.channel)]).await;
    assert_eq!(texts(&history), ["loud", "root"]);
    assert_eq!((&history["messages"][1]["reply_count"], &history["messages"][0]["subtype"]), (&json!(2), &json!("thread_broadcast")));
    let thread = slack.get("conversations.replies", &[("channel", &slack.channel), ("ts", &root)]).await;
    assert_eq!(texts(&thread), ["root", "quiet", "loud"]);
    assert_eq!(thread["messages"][1]["thread_ts"], root);
    let nothing = slack.get("conversations.replies", &[("channel", &slack.channel), ("ts", "1.0")]).await;
    assert_eq!(verdict(&nothing), "thread_not_found");
}

#[tokio::test]
async fn a_thread_is_paged_from_its_root() {
    let slack = Slack::start().await;
    let root = slack.say("root").await;
    for text in ["a", "b"] {
        slack.post("chat.postMessage", json!({ "channel": slack.channel, "text": text, "thread_ts": root })).await;
    }
    let first = slack.get("conversations.replies", &[("channel", &slack.channel), ("ts", &root), ("limit", "2")]).await;
    assert_eq!(texts(&first), ["root", "a"]);
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();
    let rest = slack.get("conversations.replies", &[("channel", &slack.channel), ("ts", &root), ("cursor", cursor)]).await;
    assert_eq!(texts(&rest), ["b"]);
}

#[tokio::test]
async fn the_payload_of_metadata_is_shown_only_where_it_is_asked_for() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    for (asked, expected) in [
        ("true", json!({ "event_type": "burnward_page", "event_payload": { "page_id": "P-1" } })),
        ("false", json!({ "event_type": "burnward_page" })),
    ] {
        let history = slack.get("conversations.history", &[("channel", &slack.channel), ("include_all_metadata", asked)]).await;
        assert_eq!(history["messages"][0]["metadata"], expected);
        let thread = [("channel", slack.channel.as_str()), ("ts", &ts), ("include_all_metadata", asked)];
        assert_eq!(slack.get("conversations.replies", &thread).await["messages"][0]["metadata"], expected);
    }
}

#[tokio::test]
async fn a_direct_conversation_opens_once() {
    let slack = Slack::start().await;
    let first = slack.post("conversations.open", json!({ "users": slack.ada, "return_im": true })).await;
    assert_eq!((&first["already_open"], &first["channel"]["user"]), (&json!(false), &json!(slack.ada)));
    let id = first["channel"]["id"].as_str().unwrap();
    let again = slack.post("conversations.open", json!({ "users": slack.ada })).await;
    assert_eq!((&again["no_op"], &again["channel"]["id"]), (&json!(true), &json!(id)));
    assert_eq!(slack.get("conversations.history", &[("channel", id)]).await["ok"], true);
    assert_eq!(verdict(&slack.post("conversations.open", json!({ "users": "U99" })).await), "user_not_found");
    let group = slack.post("conversations.open", json!({ "users": format!("{},U99", slack.ada) })).await;
    assert_eq!(group["needed"], "mpim:write");
}

#[tokio::test]
async fn channels_are_described_and_listed() {
    let slack = Slack::start().await;
    let old = slack.server.add_channel("old");
    slack.server.archive(&old);
    slack.server.add_private_channel("secret");
    let info = slack.get("conversations.info", &[("channel", &slack.channel)]).await;
    assert_eq!((&info["channel"]["name"], &info["channel"]["is_member"]), (&json!("payments-oncall"), &json!(true)));
    let names = |answer: &Value| answer["channels"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect::<Vec<_>>();
    let all = slack.get("conversations.list", &[("types", "public_channel,private_channel")]).await;
    assert_eq!(names(&all), ["payments-oncall", "old"]);
    let first = slack.get("conversations.list", &[("limit", "1")]).await;
    let cursor = first["response_metadata"]["next_cursor"].as_str().unwrap();
    assert_eq!(names(&slack.get("conversations.list", &[("cursor", cursor)]).await), ["old"]);
    assert_eq!(names(&slack.get("conversations.list", &[("exclude_archived", "true")]).await), ["payments-oncall"]);
    assert_eq!(verdict(&slack.get("conversations.list", &[("types", "im")]).await), "missing_scope");
}
