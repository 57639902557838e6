//! Tenants that fail one after another in one incident: each post is about whom it calls for, and the incident is named after whom it hits now.

use std::process::Command as Process;

use burnward_core::{
    incident::Command,
    time::{Timestamp, hours, minutes},
};
use burnward_integration_tests::{
    binary::burnward,
    history::History,
    world::{World, availability},
};

use super::beginning;

/// acme fails from the beginning, globex from the fifth minute, initech from the twentieth; each for a while, so that at first two fail and at last one.
async fn world() -> anyhow::Result<World> {
    let from = beginning();
    let at = |n: u32| from.plus(hours(7)).plus(minutes(n.into()));
    let history = History::of("checkout", from, from.plus(hours(9)))
        .tenant("acme", 20)
        .failing(at(0)..at(10), 200)
        .tenant("globex", 20)
        .failing(at(5)..at(25), 500)
        .tenant("initech", 20)
        .failing(at(20)..at(40), 750);
    let fast = availability("checkout").replace(
        "        window: 30d\n",
        "        window: 30d\n        alerting:\n          rows:\n            - { urgency: page, burn-rate: 14.4, long: 10m, short: 1m }\n",
    );
    World::open(&[history], at(0), &[("checkout.yaml", &fast)]).await
}

/// The line of the one incident, the same wherever people read it.
async fn line(world: &World) -> anyhow::Result<String> {
    let listed = world.get("/api/v1/incidents").await?[0]["title"].as_str().unwrap_or_default().to_owned();
    let shown = world.get("/api/v1/incidents/checkout-burn-1").await?["title"].as_str().unwrap_or_default().to_owned();
    anyhow::ensure!(shown == listed, "{shown} and {listed}");
    for path in ["/incidents", "/incidents/checkout-burn-1"] {
        let page = reqwest::get(format!("{}{path}", world.web())).await?.text().await?;
        anyhow::ensure!(page.contains(&format!("<bdi>{listed}</bdi>")), "{path} says otherwise: {listed}");
    }
    let mut list = Process::new(burnward()?);
    list.args(["incident", "list", "--server", &world.web()]);
    let list = tokio::task::spawn_blocking(move || list.output()).await??;
    let list = String::from_utf8(list.stdout)?;
    anyhow::ensure!(list.contains(&listed), "the command says otherwise: {list}");
    Ok(listed)
}

/// What the first message in the channel says now.
async fn first_message(world: &World) -> anyhow::Result<String> {
    let pages = world.pages("checkout-burn-1").await?;
    let root = pages.into_iter().find(|page| page.thread_ts.is_none() && !page.channel.starts_with('D')).expect("a first message");
    let says = world.slack.journal().into_iter().rfind(|entry| entry.ts == root.ts && entry.channel == root.channel);
    Ok(says.map(|entry| entry.text).unwrap_or_default())
}

async fn until(world: &World, at: Timestamp) {
    world.fast_forward(at.since(world.now())).await;
}

#[tokio::test]
async fn posts_are_about_whom_they_call_for_and_the_incident_is_named_after_whom_it_hits_now() -> anyhow::Result<()> {
    let world = world().await?;
    let began = world.now();
    let at = |n: u32| began.plus(minutes(n.into()));
    until(&world, at(3)).await;
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    let alone = line(&world).await?;
    until(&world, at(7)).await;
    let posts = world.pages("checkout-burn-1").await?.into_iter();
    let mut posts: Vec<String> = posts.map(|page| page.text.split(" <@").next().unwrap_or_default().to_owned()).collect();
    posts.dedup();
    let acme = "▲ checkout · acme: 15.0 % of requests failing (limit 0.10 %) for 31 s";
    let globex = "▲ checkout · globex: 25.0 % of requests failing (limit 0.10 %) for 16 s";
    assert_eq!(posts, [acme, globex], "the channel and ada are told the same, though acme still burns beside globex");

    let mut lines = vec![alone, line(&world).await?];
    let mut messages = Vec::new();
    for minute in [15, 30, 45] {
        until(&world, at(minute)).await;
        lines.push(line(&world).await?);
        messages.push(first_message(&world).await?);
    }
    let expected = [
        "checkout: 15.0 % of requests failing for acme when it fired",
        "checkout: up to 25.0 % of requests failing for globex, acme when they fired",
        "checkout: 25.0 % of requests failing for globex when it fired",
        "checkout: 18.8 % of requests failing for initech when it fired",
        "checkout: burns no more; it was up to 25.0 % of requests failing for globex, initech, acme when they fired",
    ];
    assert_eq!(lines, expected);
    assert!(messages[0].starts_with("▲ checkout · globex: 50.0 % of requests failing"), "{messages:#?}");
    assert!(messages[1].starts_with("▲ checkout · initech: 75.0 % of requests failing"), "{messages:#?}");
    assert!(messages[2].starts_with("● Recovered") && messages[2].contains(" · checkout · initech, globex and 1 more: "), "{messages:#?}");
    let postmortem = world.get("/api/v1/incidents/checkout-burn-1/postmortem").await?;
    assert_eq!(postmortem["title"], expected[0], "as it was when it opened");
    Ok(())
}
