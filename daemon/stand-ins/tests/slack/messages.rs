//! `chat.postMessage`, `chat.update`, `chat.getPermalink`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Slack, verdict};

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

#[tokio::test]
async fn a_ts_is_unique_and_grows_within_its_channel() {
    let slack = Slack::start().await;
    let mut stamps = Vec::new();
    for _ in 0..20 {
        stamps.push(slack.say("x").await);
    }
    assert!(stamps.is_sorted());
    assert_eq!(stamps.iter().collect::<BTreeSet<_>>().len(), stamps.len());
}

#[tokio::test]
async fn a_post_goes_to_a_channel_by_id_or_name_and_to_a_person_in_their_direct_conversation() {
    let slack = Slack::start().await;
    for (asked, expected) in [(slack.channel.as_str(), "C"), ("#payments-oncall", "C"), ("payments-oncall", "C"), (&slack.ada, "D")] {
        let posted = slack.post("chat.postMessage", json!({ "channel": asked, "text": "x" })).await;
        assert!(posted["channel"].as_str().unwrap().starts_with(expected), "{asked}");
    }
    let opened = slack.post("conversations.open", json!({ "users": slack.ada })).await;
    assert_eq!(opened["already_open"], true);
}

#[tokio::test]
async fn a_post_that_cannot_arrive_says_why() {
    let slack = Slack::start().await;
    let archived = slack.server.add_channel("old");
    slack.server.archive(&archived);
    let secret = slack.server.add_private_channel("secret");
    for (body, expected) in [
        (json!({ "channel": "C99", "text": "x" }), "channel_not_found"),
        (json!({ "channel": archived, "text": "x" }), "is_archived"),
        (json!({ "channel": secret, "text": "x" }), "channel_not_found"),
        (json!({ "channel": slack.channel }), "no_text"),
        (json!({ "channel": slack.channel, "text": "" }), "no_text"),
        (json!({ "channel": slack.channel, "blocks": [] }), "no_text"),
        (json!({ "text": "x" }), "invalid_arguments"),
        (json!({ "channel": slack.channel, "text": "x", "thread_ts": "1.000000" }), "thread_not_found"),
        (json!({ "channel": slack.channel, "text": "x", "blocks": "{" }), "invalid_blocks_format"),
        (json!({ "channel": slack.channel, "text": "x", "blocks": [section("")] }), "invalid_blocks"),
        (json!({ "channel": slack.channel, "text": "x", "blocks": vec![section(&"y".repeat(2_900)); 5] }), "msg_blocks_too_long"),
        (json!({ "channel": slack.channel, "text": "x", "attachments": vec![json!({ "text": "y" }); 101] }), "too_many_attachments"),
        (json!({ "channel": slack.channel, "text": "x", "metadata": [] }), "invalid_metadata_format"),
        (json!({ "channel": slack.channel, "text": "x", "metadata": { "event_type": "e" } }), "invalid_metadata_schema"),
    ] {
        assert_eq!(verdict(&slack.post("chat.postMessage", body.clone()).await), expected, "{body}");
    }
    assert_eq!(slack.server.journal().len(), 0);
}

#[tokio::test]
async fn invalid_blocks_point_at_their_faults() {
    let slack = Slack::start().await;
    let attachments = json!([{ "color": "#a30200", "blocks": [section("fine"), { "type": "marquee" }] }]);
    let answer = slack.post("chat.postMessage", json!({ "channel": slack.channel, "text": "x", "attachments": attachments })).await;
    assert_eq!(answer["errors"], json!(["unsupported type: marquee [json-pointer:/attachments/0/blocks/1/type]"]));
    let message = "[ERROR] unsupported type: marquee [json-pointer:/attachments/0/blocks/1/type]";
    assert_eq!(answer["response_metadata"]["messages"], json!([message]));
}

#[tokio::test]
async fn a_stranger_may_post_to_public_channels_but_not_read_them() {
    let slack = Slack::start().await;
    let other = slack.server.add_channel("other");
    assert_eq!(slack.post("chat.postMessage", json!({ "channel": other, "text": "x" })).await["ok"], true);
    assert_eq!(verdict(&slack.get("conversations.history", &[("channel", &other)]).await), "not_in_channel");
    assert_eq!(slack.post("conversations.join", json!({ "channel": other })).await["channel"]["is_member"], true);
    assert_eq!(slack.get("conversations.history", &[("channel", &other)]).await["ok"], true);
    assert_eq!(slack.post("conversations.join", json!({ "channel": other })).await["warning"], "already_in_channel");
}

#[tokio::test]
async fn without_the_public_scope_a_stranger_may_not_even_post() {
    let options = burnward_stand_ins::slack::Options { scopes: vec!["chat:write".to_owned()], ..Default::default() };
    let slack = Slack::with(options).await;
    let other = slack.server.add_channel("other");
    assert_eq!(verdict(&slack.post("chat.postMessage", json!({ "channel": other, "text": "x" })).await), "not_in_channel");
}

#[tokio::test]
async fn entities_and_ids_are_filled_in() {
    let slack = Slack::start().await;
    let body = json!({ "channel": slack.channel, "text": "a & <b> <!here>", "blocks": [section("a < b")] });
    let message = &slack.post("chat.postMessage", body).await["message"];
    assert_eq!(message["text"], "a &amp; &lt;b&gt; <!here>");
    assert_eq!(message["blocks"][0]["text"]["text"], "a &lt; b");
    assert!(message["blocks"][0]["block_id"].is_string());
}

#[tokio::test]
async fn bare_links_are_linked_unless_parse_is_none() {
    let slack = Slack::start().await;
    for (parse, expected) in [("full", "<https://a.example>"), ("none", "https://a.example")] {
        let body = json!({ "channel": slack.channel, "text": "https://a.example", "parse": parse });
        assert_eq!(slack.post("chat.postMessage", body).await["message"]["text"], expected);
    }
}

#[tokio::test]
async fn a_post_is_cut_at_40_000_characters_and_an_update_refused_above_4_000() {
    let slack = Slack::start().await;
    let body = json!({ "channel": slack.channel, "text": "é".repeat(40_001) });
    let posted = slack.post("chat.postMessage", body).await;
    assert_eq!(posted["message"]["text"].as_str().unwrap().chars().count(), 40_000);
    for (length, expected) in [(4_000, "ok"), (4_001, "msg_too_long")] {
        let body = json!({ "channel": slack.channel, "ts": posted["ts"], "text": "é".repeat(length) });
        assert_eq!(verdict(&slack.post("chat.update", body).await), expected);
    }
}

#[tokio::test]
async fn an_update_without_blocks_removes_them_and_keeps_attachments_and_metadata() {
    let slack = Slack::start().await;
    let metadata = json!({ "event_type": "burnward_page", "event_payload": { "page_id": "P-1" } });
    let body = json!({ "channel": slack.channel, "text": "one", "blocks": [section("one")], "attachments": [{ "text": "a" }], "metadata": metadata });
    let ts = slack.post("chat.postMessage", body).await["ts"].clone();
    let update = |more: Value| {
        let mut body = json!({ "channel": slack.channel, "ts": ts });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        slack.post("chat.update", body)
    };
    let changed = update(json!({ "text": "two" })).await["message"].clone();
    assert!(changed["blocks"].is_null());
    assert!(changed["edited"].is_object());
    assert_eq!(changed["attachments"][0]["text"], "a");
    assert_eq!(changed["metadata"], metadata);
    let emptied = update(json!({ "text": "three", "attachments": [], "metadata": {} })).await["message"].clone();
    assert!(emptied["attachments"].is_null() && emptied["metadata"].is_null());
    assert_eq!(slack.applied("chat.update"), ["two", "three"]);
}

#[tokio::test]
async fn an_update_with_blocks_is_not_called_edited() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let body = json!({ "channel": slack.channel, "ts": ts, "text": "two", "blocks": [section("two")] });
    assert!(slack.post("chat.update", body).await["message"]["edited"].is_null());
}

#[tokio::test]
async fn an_update_needs_an_own_message_by_the_ids_that_the_post_gave() {
    let slack = Slack::start().await;
    let ts = slack.say("x").await;
    let foreign = slack.server.say(&slack.channel, &slack.ada, "mine", None).unwrap();
    for (channel, ts, expected) in [
        (slack.channel.as_str(), ts.as_str(), "ok"),
        (&slack.channel, "1.000000", "message_not_found"),
        (&slack.channel, &foreign, "cant_update_message"),
        ("#payments-oncall", &ts, "channel_not_found"),
        (&slack.ada, &ts, "channel_not_found"),
    ] {
        let answer = slack.post("chat.update", json!({ "channel": channel, "ts": ts, "text": "y" })).await;
        assert_eq!(verdict(&answer), expected, "{channel} {ts}");
    }
    slack.server.archive(&slack.channel);
    assert_eq!(verdict(&slack.post("chat.update", json!({ "channel": slack.channel, "ts": ts, "text": "z" })).await), "is_inactive");
    slack.server.unarchive(&slack.channel);
    assert!(slack.server.delete_message(&slack.channel, &ts));
    assert_eq!(verdict(&slack.post("chat.update", json!({ "channel": slack.channel, "ts": ts, "text": "z" })).await), "message_not_found");
}

#[tokio::test]
async fn a_repeat_is_a_second_message() {
    let slack = Slack::start().await;
    let body = json!({ "channel": slack.channel, "text": "x", "client_msg_id": "6a1e0a52-0000-5000-8000-000000000001" });
    let first = slack.post("chat.postMessage", body.clone()).await;
    let second = slack.post("chat.postMessage", body).await;
    assert_ne!(first["ts"], second["ts"]);
    assert_eq!(slack.applied("chat.postMessage"), ["x", "x"]);
}

#[tokio::test]
async fn a_reply_answers_a_root_and_nothing_else() {
    let slack = Slack::start().await;
    let root = slack.say("root").await;
    let reply = slack.post("chat.postMessage", json!({ "channel": slack.channel, "text": "reply", "thread_ts": root })).await;
    let deeper = slack.post("chat.postMessage", json!({ "channel": slack.channel, "text": "no", "thread_ts": reply["ts"] })).await;
    assert_eq!(verdict(&deeper), "cannot_reply_to_message");
}

#[tokio::test]
async fn a_permalink_leads_to_the_message() {
    let slack = Slack::start().await;
    let ts = slack.say("x").await;
    let answer = slack.get("chat.getPermalink", &[("channel", &slack.channel), ("message_ts", &ts)]).await;
    let link = answer["permalink"].as_str().unwrap();
    assert!(link.ends_with(&format!("/archives/{}/p{}", slack.channel, ts.replace('.', ""))), "{link}");
    let missing = slack.get("chat.getPermalink", &[("channel", &slack.channel), ("message_ts", "1.0")]).await;
    assert_eq!(verdict(&missing), "message_not_found");
}

#[tokio::test]
async fn the_journal_stands_in_its_file_before_the_client_hears() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("journal.jsonl");
    let options = burnward_stand_ins::slack::Options { journal_file: Some(file.clone()), ..Default::default() };
    let slack = Slack::with(options).await;
    slack.page().await;
    let line = std::fs::read_to_string(&file).unwrap();
    let entry: burnward_stand_ins::slack::Entry = serde_json::from_str(line.trim()).unwrap();
    assert_eq!((entry.page_id.as_deref(), entry.seq), (Some("P-1"), 1));
    assert_eq!(slack.server.journal(), [entry]);
}
