//! Rate limits, on the stand-in's clock.

use std::time::Duration;

use burnward_stand_ins::slack::Options;
use serde_json::json;

use crate::client::Slack;

#[tokio::test]
async fn a_channel_takes_one_post_a_second_where_limits_hold() {
    let slack = Slack::with(Options { rate_limits: true, ..Options::default() }).await;
    let other = slack.server.add_channel("other");
    let post = |channel: String| slack.try_post("chat.postMessage", json!({ "channel": channel, "text": "x" }));
    assert_eq!(post(slack.channel.clone()).await.unwrap().status().as_u16(), 200);
    let limited = post(slack.channel.clone()).await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    assert_eq!(post(other).await.unwrap().status().as_u16(), 200);
    slack.server.advance_clock(Duration::from_secs(1));
    assert_eq!(post(slack.channel.clone()).await.unwrap().status().as_u16(), 200);
    assert_eq!(slack.applied("chat.postMessage").len(), 3);
}

#[tokio::test]
async fn without_limits_a_burst_is_taken() {
    let slack = Slack::start().await;
    for _ in 0..5 {
        slack.say("x").await;
    }
    assert_eq!(slack.applied("chat.postMessage").len(), 5);
}
