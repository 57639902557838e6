//! The first message of an incident is the only one that stands in the channel: it says who has it within seconds, however many posts there are.

use std::time::Duration;

use burnward_core::{
    id::{IncidentId, TenantId},
    incident::{Actor, Command, Via},
    time::{hours, minutes},
};
use burnward_integration_tests::world::{World, availability};
use serde_json::Value;

use super::{beginning, checkout};

/// How soon whoever reads the channel knows that somebody has it.
const SOON: Duration = Duration::from_secs(3);

/// How long the rest may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many posts beside the first message, at least.
const POSTS: usize = 12;

/// A checkout that burns, and somebody who asks for help again and again.
async fn many_posts() -> anyhow::Result<World> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(3));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300);
    let world = World::open(&[history], fault.start, &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(5)).await;
    while world.pages("checkout-burn-1").await?.len() <= POSTS {
        world.fast_forward(minutes(1)).await;
        world.person("sam", "checkout-burn-1", Command::Escalate).await?;
    }
    Ok(world)
}

/// The blocks of a message as they stand in its channel.
async fn blocks(world: &World, channel: &str, ts: &str) -> anyhow::Result<String> {
    let asked = reqwest::Client::new().get(format!("{}/conversations.history", world.slack.api_url()));
    let history: Value = asked.query(&[("channel", channel)]).bearer_auth(world.slack.bot_token()).send().await?.json().await?;
    let found = history["messages"].as_array().into_iter().flatten().find(|message| message["ts"] == ts);
    Ok(found.map(|message| message["blocks"].to_string()).unwrap_or_default())
}

#[tokio::test]
async fn the_first_message_says_acknowledged_within_three_seconds_whatever_else_has_to_be_edited() -> anyhow::Result<()> {
    let mut world = many_posts().await?;
    world.restart_at_its_own_pace().await?;
    let pages = world.pages("checkout-burn-1").await?;
    let root = pages.iter().find(|page| page.thread_ts.is_none() && !page.channel.starts_with('D')).expect("a first message");
    let seen = world.slack.journal().last().map_or(0, |entry| entry.seq);
    let edits = || {
        let new = world.slack.journal().into_iter().filter(|entry| entry.seq > seen && entry.method == "chat.update");
        new.collect::<Vec<_>>()
    };
    let by = Actor::Person { name: "ada".to_owned(), via: Via::Api };
    world.handle().command(&TenantId::parse("main")?, &IncidentId::from_text("checkout-burn-1"), Command::Acknowledge, by).await?;

    let first = world.slack.wait_for(SOON, |entry| entry.seq > seen && entry.method == "chat.update").await;
    assert!(first.as_ref().is_some_and(|edit| edit.ts == root.ts), "{first:#?}");
    let shown = blocks(&world, &root.channel, &root.ts).await?;
    assert!(shown.contains("Acknowledged by ada"), "{shown}");
    let line = world.slack.wait_for(SOON, |entry| entry.seq > seen && entry.text.contains("Acknowledged by ada")).await;
    assert!(line.is_some_and(|line| line.method == "chat.postMessage"), "the line of the thread waits for no edit of a post");

    let mut last = seen;
    for _ in 0..3 {
        let next = world.slack.wait_for(PATIENCE, |entry| entry.seq > last && entry.method == "chat.update").await;
        last = next.expect("the posts follow").seq;
    }
    let apart = edits().windows(2).map(|two| two[1].at.duration_since(two[0].at).as_millis()).min();
    assert!(apart >= Some(1_000), "Slack takes fifty edits a minute: {apart:?} ms");
    Ok(())
}
