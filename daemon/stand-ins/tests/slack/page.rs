//! The page: what a person reads on it, and that its plain forms do what the control API does.

use burnward_stand_ins::slack::Clicked;
use reqwest::header::{HeaderMap, LOCATION};
use serde_json::{Value, json};

use crate::client::{Slack, Socket};

/// The page's text at a path below the web address.
async fn read(slack: &Slack, path: &str) -> String {
    let answer = slack.http.get(format!("{}{path}", slack.server.web_url())).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn channel(slack: &Slack) -> String {
    read(slack, &format!("?channel={}&as={}", slack.channel, slack.ada)).await
}

/// Sends a form as a browser without JavaScript does, from our own page, and reads where it leads.
async fn send(slack: &Slack, action: &str, fields: &[(&str, &str)]) -> String {
    let own = slack.server.web_url().trim_end_matches('/').to_owned();
    let back = [("channel", slack.channel.as_str()), ("as", &slack.ada)];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(back).extend_pairs(fields).finish();
    let request = slack.http.post(format!("{own}/{action}")).header("origin", &own);
    let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{action}");
    answer.text().await.unwrap()
}

async fn state(slack: &Slack) -> Value {
    serde_json::from_str(&read(slack, "_control/state").await).unwrap()
}

/// Where a link of the page leads.
async fn location(slack: &Slack, path: &str) -> String {
    let still = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = still.get(format!("{}{path}", slack.server.web_url())).send().await.unwrap();
    answer.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn anchor(ts: &str) -> String {
    ts.replace('.', "")
}

/// The articles of the page whose element has this kind of id: `m` in the conversation, `t` in the thread.
fn articles<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("<article id=\"{kind}-");
    page.split(start.as_str()).skip(1).map(|rest| rest.split("</article>").next().unwrap()).collect()
}

#[tokio::test]
async fn a_page_shows_its_blocks_buttons_and_notification() {
    let slack = Slack::start().await;
    let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": format!("*15 %* failing <@{}>", slack.ada) } });
    let button =
        json!({ "type": "button", "action_id": "ack", "text": { "type": "plain_text", "text": "Acknowledge" }, "style": "primary" });
    let blocks = json!([section, { "type": "actions", "elements": [button] }]);
    let body = json!({ "channel": slack.channel, "text": format!("checkout: 15 % failing <@{}>", slack.ada), "blocks": blocks });
    slack.post("chat.postMessage", body).await;
    let page = channel(&slack).await;
    assert!(page.contains("<strong>15 %</strong> failing <span class=\"mention me\">@Ada Lovelace</span>"));
    assert!(page.contains("<button class=\"button primary\">Acknowledge</button>"));
    assert!(page.contains("<p class=\"lock-text\">checkout: 15 % failing @Ada Lovelace</p>"));
}

#[tokio::test]
async fn hostile_texts_stay_text() {
    let slack = Slack::start().await;
    let evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>";
    let plain = json!({ "type": "plain_text", "text": evil });
    let button = json!({ "type": "button", "action_id": "\"><script>", "text": plain, "value": evil, "confirm": { "title": plain,
        "text": plain, "confirm": { "type": "plain_text", "text": "<b>" }, "deny": { "type": "plain_text", "text": "<i>" } } });
    let blocks = json!([
        { "type": "header", "text": plain },
        { "type": "section", "text": { "type": "mrkdwn", "text": "<javascript:alert(1)|x> &lt;script&gt;" }, "fields": [plain] },
        { "type": "actions", "block_id": "<script>", "elements": [button] },
        { "type": "rich_text", "elements": [{ "type": "<script>" }] },
    ]);
    let posted = slack.post("chat.postMessage", json!({ "channel": slack.channel, "text": evil, "blocks": blocks })).await;
    let ts = posted["ts"].as_str().unwrap();
    slack.server.add_user(evil, "eve@example.com");
    slack.server.add_channel("<script>");
    slack.server.say(&slack.channel, &slack.ada, evil, Some(ts));
    let place = format!("?channel={}&as={}&thread={ts}&confirm_ts={ts}", slack.channel, slack.ada);
    let page = read(&slack, &format!("{place}&confirm_action=%22%3E%3Cscript%3E&confirm_option=%3Cscript%3E")).await;
    assert!(page.contains("<dialog"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert_eq!(page.matches("<script").count(), 1, "the page's own");
    for tag in ["<img", "<b>", "<i>", "href=\"javascript"] {
        assert!(!page.contains(tag), "{tag}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_sends_its_origin_with_forms() {
    let slack = Slack::start().await;
    let headers: HeaderMap = slack.http.get(slack.server.web_url()).send().await.unwrap().headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self';"), "{policy}");
    assert_eq!(headers["referrer-policy"], "same-origin");
    for path in ["style.css", "page.js"] {
        assert!(!read(&slack, path).await.contains("://"), "{path}");
    }
}

#[tokio::test]
async fn a_thread_stands_beside_its_channel_and_only_broadcasts_stand_in_both() {
    let slack = Slack::start().await;
    let root = slack.say("root").await;
    for (text, broadcast) in [("hushed", false), ("aloud", true)] {
        let body = json!({ "channel": slack.channel, "text": text, "thread_ts": root, "reply_broadcast": broadcast });
        slack.post("chat.postMessage", body).await;
    }
    let page = channel(&slack).await;
    assert_eq!((articles(&page, "m").len(), articles(&page, "t").len()), (2, 0));
    assert!(page.contains("2 replies"));
    let page = read(&slack, &format!("?channel={}&as={}&thread={root}", slack.channel, slack.ada)).await;
    let thread = articles(&page, "t");
    assert_eq!(
        ["root", "hushed", "aloud"].map(|text| thread.iter().position(|article| article.contains(text))),
        [Some(0), Some(1), Some(2)]
    );
}

#[tokio::test]
async fn a_text_edit_is_marked_and_a_change_of_blocks_is_not() {
    let slack = Slack::start().await;
    let ts = slack.say("one").await;
    slack.post("chat.update", json!({ "channel": slack.channel, "ts": ts, "text": "two" })).await;
    let page = channel(&slack).await;
    assert!(page.contains("two") && page.contains("(edited)") && !page.contains(">one<"));
    let blocks = json!([{ "type": "divider" }]);
    let quiet = slack.page().await;
    slack.post("chat.update", json!({ "channel": slack.channel, "ts": quiet, "text": "three", "blocks": blocks })).await;
    let page = channel(&slack).await;
    assert_eq!(page.matches("(edited)").count(), 1);
    assert!(page.contains("data-version=\"1.0."), "the script sees the change");
}

#[tokio::test]
async fn a_direct_message_is_read_by_its_person_and_named_to_everybody_else() {
    let slack = Slack::start().await;
    let sam = slack.server.add_user("Sam", "sam@example.com");
    let posted = slack.post("chat.postMessage", json!({ "channel": sam, "text": "for Sam alone" })).await;
    let direct = posted["channel"].as_str().unwrap();
    let adas = read(&slack, &format!("?channel={direct}&as={}", slack.ada)).await;
    assert!(!adas.contains("for Sam alone"));
    let link = format!("<a href=\"/?channel={direct}&amp;as={sam}\">");
    assert!(adas.contains(&link) && adas.contains("to Sam"));
    assert!(read(&slack, &format!("?channel={direct}&as={sam}")).await.contains("for Sam alone"));
}

#[tokio::test]
async fn the_lock_screen_shows_what_concerns_the_person_wherever_it_came() {
    let slack = Slack::start().await;
    let sam = slack.server.add_user("Sam", "sam@example.com");
    slack.say("of no concern").await;
    let lock = |page: String| page.split("<p class=\"lock-text\">").nth(1).map(|rest| rest.split('<').next().unwrap().to_owned());
    assert_eq!(lock(channel(&slack).await), None);
    slack.post("chat.postMessage", json!({ "channel": slack.ada, "text": "for Ada directly" })).await;
    slack.post("chat.postMessage", json!({ "channel": sam, "text": "for Sam directly" })).await;
    assert_eq!(lock(channel(&slack).await).as_deref(), Some("for Ada directly"));
    slack.say("<!here> come").await;
    assert_eq!(lock(channel(&slack).await).as_deref(), Some("@here come"));
}

#[tokio::test]
async fn an_ephemeral_answer_is_seen_by_the_one_who_clicked() {
    let slack = Slack::start().await;
    let sam = slack.server.add_user("Sam", "sam@example.com");
    let ts = slack.page().await;
    let mut socket = slack.socket().await;
    let (_, envelope) = tokio::join!(clicked(&slack, &ts, "ack", None), acknowledged(&mut socket));
    let url = envelope["payload"]["response_url"].as_str().unwrap();
    slack.http.post(url).json(&json!({ "text": "it was resolved already" })).send().await.unwrap();
    assert!(channel(&slack).await.contains("it was resolved already"));
    assert!(!read(&slack, &format!("?channel={}&as={sam}", slack.channel)).await.contains("it was resolved already"));
}

async fn acknowledged(socket: &mut Socket) -> Value {
    let envelope = socket.read().await.unwrap();
    socket.acknowledge(&envelope).await;
    envelope
}

async fn clicked(slack: &Slack, ts: &str, action_id: &str, option: Option<&str>) -> String {
    let mut fields = vec![("message_channel", slack.channel.as_str()), ("ts", ts), ("action_id", action_id)];
    fields.extend(option.map(|option| ("option", option)));
    send(slack, "click", &fields).await
}

/// A payload without what differs from click to click.
fn lasting(envelope: &Value) -> Value {
    let mut payload = envelope["payload"].clone();
    for name in ["trigger_id", "response_url"] {
        assert!(payload[name].take().is_string(), "{name}");
    }
    assert!(payload["actions"][0]["action_ts"].take().is_string());
    payload
}

#[tokio::test]
async fn a_click_on_the_page_is_the_same_as_one_by_the_control_api() {
    let slack = Slack::start().await;
    let ts = slack.page().await;
    let mut socket = slack.socket().await;
    for (action_id, option) in [("ack", None), ("more", Some("silence"))] {
        let (_, by_form) = tokio::join!(clicked(&slack, &ts, action_id, option), acknowledged(&mut socket));
        let order = json!({ "channel": slack.channel, "ts": ts, "action_id": action_id, "user": "Ada Lovelace", "option": option });
        let control = slack.http.post(format!("{}_control/click", slack.server.web_url())).json(&order).send();
        let (answer, by_control) = tokio::join!(control, acknowledged(&mut socket));
        assert_eq!(answer.unwrap().json::<Clicked>().await.unwrap(), Clicked::Acknowledged);
        assert_eq!(lasting(&by_form), lasting(&by_control), "{action_id}");
    }
    assert_eq!(slack.applied("ack").len(), 4);
}

#[tokio::test]
async fn an_element_with_a_dialog_asks_before_it_clicks() {
    let slack = Slack::start().await;
    let plain = |text: &str| json!({ "type": "plain_text", "text": text });
    let confirm = json!({ "title": plain("Resolve it?"), "text": plain("It opens again."),
        "confirm": plain("Resolve"), "deny": plain("Leave it open") });
    let menu = json!({ "type": "overflow", "action_id": "more", "options": [{ "text": plain("Resolve"), "value": "resolve" }], "confirm": confirm });
    let blocks = json!([{ "type": "actions", "elements": [menu] }]);
    let posted = slack.post("chat.postMessage", json!({ "channel": slack.channel, "text": "x", "blocks": blocks })).await;
    let ts = posted["ts"].as_str().unwrap();
    assert!(!channel(&slack).await.contains("<dialog"));
    let tapped = [("message_channel", slack.channel.as_str()), ("ts", ts), ("action_id", "more"), ("option", "resolve"), ("ask", "1")];
    let asked = send(&slack, "click", &tapped).await;
    for part in ["Resolve it?", "It opens again.", "Leave it open", "name=\"option\" value=\"resolve\""] {
        assert!(asked.split("<dialog").nth(1).unwrap().contains(part), "{part}");
    }
    assert_eq!(slack.applied("click").len(), 0);
    let mut socket = slack.socket().await;
    let (_, envelope) = tokio::join!(send(&slack, "click", &tapped[..4]), acknowledged(&mut socket));
    assert_eq!(envelope["payload"]["actions"][0]["selected_option"]["value"], "resolve");
}

#[tokio::test]
async fn a_click_that_comes_to_nothing_is_told_on_the_page_of_the_clicker() {
    let slack = Slack::start().await;
    let sam = slack.server.add_user("Sam", "sam@example.com");
    let ts = slack.page().await;
    let page = clicked(&slack, &ts, "ack", None).await;
    assert!(page.contains("Your click on ack came to nothing: no app is connected"));
    assert!(!read(&slack, &format!("?channel={}&as={sam}", slack.channel)).await.contains("came to nothing"));
    assert!(clicked(&slack, &ts, "gone", None).await.contains("Your click on gone came to nothing: the message has no element gone"));
}

#[tokio::test]
async fn what_is_written_on_the_page_stands_in_the_channel_or_the_thread() {
    let slack = Slack::start().await;
    let root = slack.say("root").await;
    assert!(send(&slack, "say", &[("text", "hello")]).await.contains("hello"));
    send(&slack, "say", &[("text", "ack"), ("thread_ts", &root), ("thread", &root)]).await;
    send(&slack, "say", &[("text", "   ")]).await;
    let said: Vec<_> = slack.server.journal().into_iter().filter(|entry| entry.method == "message").collect();
    assert_eq!(
        said.iter().map(|entry| (entry.text.as_str(), entry.thread_ts.as_deref())).collect::<Vec<_>>(),
        [("hello", None), ("ack", Some(root.as_str()))]
    );
}

#[tokio::test]
async fn faults_are_ordered_listed_and_cleared_on_the_page() {
    let slack = Slack::start().await;
    let page = send(&slack, "fault", &[("method", "chat.update"), ("kind", "apply_then_500"), ("times", "3")]).await;
    assert!(page.contains("chat.update: {&quot;apply_then_status&quot;:{&quot;status&quot;:500}}, 0 of 3 hit"));
    let page = send(&slack, "fault", &[("method", "*"), ("kind", "lose_ack"), ("times", "always")]).await;
    assert!(page.contains("interactive: &quot;lose_ack&quot;, from now on, 0 hit"));
    assert_eq!(state(&slack).await["faults"].as_array().unwrap().len(), 2);
    assert!(send(&slack, "clear", &[]).await.contains("No fault is ordered."));
    assert_eq!(state(&slack).await["faults"], json!([]));
}

#[tokio::test]
async fn sockets_are_counted_and_disconnected_on_the_page() {
    let slack = Slack::start().await;
    assert!(channel(&slack).await.contains("No socket is open."));
    let mut socket = slack.socket().await;
    assert!(channel(&slack).await.contains("1 socket is open."));
    send(&slack, "sockets", &[("act", "refresh_requested")]).await;
    assert_eq!(socket.read().await.unwrap()["reason"], "refresh_requested");
}

#[tokio::test]
async fn people_and_channels_are_added_and_changed_on_the_page() {
    let slack = Slack::start().await;
    let page = send(&slack, "people", &[("new_person", "Sam"), ("new_email", "sam@example.com")]).await;
    assert!(page.contains("selected=\"\">Sam</option>"));
    assert!(send(&slack, "channels", &[("new_channel", "#search")]).await.contains("<h2>#search</h2>"));
    send(&slack, "people", &[("new_person", " "), ("new_email", "")]).await;
    send(&slack, "channels", &[("new_channel", " # ")]).await;
    let after = state(&slack).await;
    assert_eq!((after["users"].as_array().unwrap().len(), after["conversations"].as_array().unwrap().len()), (3, 2));
    assert!(send(&slack, "channel", &[("act", "archive")]).await.contains("archived"));
    assert!(send(&slack, "channel", &[("act", "unarchive")]).await.contains("Write as Ada Lovelace"));
    assert!(send(&slack, "channel", &[("act", "remove")]).await.contains("the app is not a member"));
    assert!(!send(&slack, "channel", &[("act", "invite")]).await.contains("the app is not a member"));
}

#[tokio::test]
async fn a_permalink_leads_to_the_message_where_a_person_sees_it() {
    let slack = Slack::start().await;
    let sam = slack.server.add_user("Sam", "sam@example.com");
    let root = slack.say("root").await;
    let body = json!({ "channel": slack.channel, "text": "reply", "thread_ts": root });
    let reply = slack.post("chat.postMessage", body).await["ts"].as_str().unwrap().to_owned();
    let direct = slack.post("chat.postMessage", json!({ "channel": sam, "text": "x" })).await;
    let (direct, note) = (direct["channel"].as_str().unwrap(), direct["ts"].as_str().unwrap());
    for (channel, ts, expected) in [
        (slack.channel.as_str(), root.as_str(), format!("/?channel={}&as=#m-{}", slack.channel, anchor(&root))),
        (&slack.channel, &reply, format!("/?channel={}&as=&thread={root}#t-{}", slack.channel, anchor(&reply))),
        (direct, note, format!("/?channel={direct}&as={sam}#m-{}", anchor(note))),
    ] {
        let answer = slack.get("chat.getPermalink", &[("channel", channel), ("message_ts", ts)]).await;
        let link = answer["permalink"].as_str().unwrap().strip_prefix(&slack.server.web_url()).unwrap().to_owned();
        let target = location(&slack, &link).await;
        assert_eq!(target, expected);
        let (page, id) = target.split_once('#').unwrap();
        assert!(read(&slack, page.trim_start_matches('/')).await.contains(&format!("<article id=\"{id}\"")));
    }
    let missing = slack.http.get(format!("{}archives/{}/p1", slack.server.web_url(), slack.channel)).send().await.unwrap();
    assert_eq!(missing.status().as_u16(), 404);
}

#[tokio::test]
async fn a_long_channel_is_read_in_parts() {
    let slack = Slack::start().await;
    let mut stamps = Vec::new();
    for number in 0..230 {
        stamps.push(slack.server.say(&slack.channel, &slack.ada, &format!("number {number}."), None).unwrap());
    }
    let newest = channel(&slack).await;
    assert_eq!(articles(&newest, "m").len(), 100);
    assert!(newest.contains("number 229.") && !newest.contains("number 129."));
    let older = format!("?channel={}&as={}&before={}", slack.channel, slack.ada, stamps[130]);
    assert!(newest.contains(&format!("href=\"/{}\">Older messages", older.replace('&', "&amp;"))));
    let middle = read(&slack, &older).await;
    assert!(middle.contains("number 30.") && middle.contains("number 129.") && middle.contains("To the newest messages"));
    let target = location(&slack, &format!("archives/{}/p{}", slack.channel, anchor(&stamps[3]))).await;
    let (page, id) = target.split_once('#').unwrap();
    let page = read(&slack, page.trim_start_matches('/')).await;
    assert!(page.contains(&format!("id=\"{id}\"")) && !page.contains("Older messages"));
}

#[tokio::test]
async fn a_page_of_another_origin_can_send_no_form() {
    let slack = Slack::start().await;
    for path in ["click", "say", "fault", "clear", "refuse", "sockets", "people", "channels", "channel", "_control/reset", "api/auth.test"]
    {
        let request = slack.http.post(format!("{}{path}", slack.server.web_url())).header("origin", "https://evil.example");
        assert_eq!(request.send().await.unwrap().status().as_u16(), 403, "{path}");
    }
}

#[tokio::test]
async fn the_news_tell_of_a_change() {
    let slack = Slack::start().await;
    let mut news = slack.http.get(format!("{}news", slack.server.web_url())).send().await.unwrap();
    assert_eq!(news.headers()["content-type"], "text/event-stream");
    slack.say("x").await;
    assert!(news.chunk().await.unwrap().unwrap().starts_with(b"data: "));
}
