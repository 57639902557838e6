//! The report of the week arrives in its channel when its crontab line fires: once, through a restart, and after a pause only the newest.

use anyhow::Context as _;
use burnward_core::time::{Timestamp, days, hours, minutes};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};
use burnward_stand_ins::slack::Entry;
use serde_json::Value;

use crate::weekly_report::monday;

/// Where reports are posted, beside the channel that is paged.
const CHANNEL: &str = "#payments";

/// In Tokyo, nine hours ahead of UTC all year, nine in the morning is midnight.
fn reports(days: &str) -> String {
    format!("reports:\n  - {{ error-budget: week, team: payments, cron: \"0 9 * * {days}\", timezone: Asia/Tokyo, to: \"{CHANNEL}\" }}")
}

/// A week with a burn of 20 minutes in the night to Thursday, and a daemon that runs from shortly before it.
async fn world(monday: Timestamp) -> anyhow::Result<World> {
    let thursday_night = monday.plus(hours(3 * 24 + 3));
    let fault = thursday_night..thursday_night.plus(minutes(20));
    let history = History::of("checkout", monday.minus(days(1)), monday.plus(hours(7 * 24 + 10)))
        .tenant("acme", 20)
        .failing(fault.clone(), 200)
        .tenant("globex", 20);
    let world = World::open(&[history], fault.start.minus(minutes(10)), &[("checkout.yaml", &availability("checkout"))]).await?;
    let channel = world.slack.add_channel(CHANNEL);
    world.slack.invite_bot(&channel);
    Ok(world)
}

/// What was posted as reports.
fn posted(world: &World) -> Vec<Entry> {
    let all = world.slack.journal().into_iter().filter(|entry| entry.method == "chat.postMessage");
    all.filter(|entry| entry.text.contains("Error budgets of")).collect()
}

/// The blocks of a post, as Slack shows them to the app.
async fn blocks(world: &World, post: &Entry) -> anyhow::Result<String> {
    let address = format!("{}/conversations.history?channel={}&limit=15", world.slack.api_url(), post.channel);
    let history: Value = reqwest::Client::new().get(address).bearer_auth(world.slack.bot_token()).send().await?.json().await?;
    let message = history["messages"].as_array().and_then(|all| all.iter().find(|message| message["ts"] == post.ts.as_str()));
    Ok(message.with_context(|| format!("{post:?} is not in {history}"))?["blocks"].to_string())
}

#[tokio::test]
async fn the_report_of_the_week_is_posted_when_its_line_fires_and_once() -> anyhow::Result<()> {
    let monday = monday();
    let mut world = world(monday).await?;
    world.configure(&reports("MON")).await?;
    world.fast_forward(minutes(70)).await;
    world.pass(monday.plus(days(7)).minus(minutes(2)).since(world.now())).await?;
    assert_eq!(posted(&world), [], "it is not nine in Tokyo yet");
    world.fast_forward(minutes(3)).await;
    world.restart().await?;
    world.fast_forward(minutes(3)).await;
    let posts = posted(&world);
    assert_eq!(posts.len(), 1, "{posts:#?}");
    assert!(posts[0].text.starts_with("Error budgets of payments, "), "{posts:#?}");

    let blocks = blocks(&world, &posts[0]).await?;
    let report: Value =
        reqwest::get(format!("{}/api/v1/reports/week?team=payments&timezone=Asia/Tokyo", world.web())).await?.json().await?;
    let worst = &report["budgets"][0];
    let left = burnward_core::words::whole_percent(worst["left_ratio"].as_f64().expect("a figure"));
    for told in ["checkout/availability", "acme", "checkout-burn-1", &format!("{left} left"), "1 incident", "Asia/Tokyo"] {
        assert!(blocks.contains(told), "{told}: {blocks}");
    }
    let week = report["week"].as_str().expect("a name");
    for part in ["/reports/week?team=payments", &format!("week={week}"), "timezone=Asia%2FTokyo|Open the report>"] {
        assert!(blocks.contains(part), "{part}: {blocks}");
    }
    assert!(!blocks.contains("late"), "{blocks}");
    // Without a zone of its own the page takes that of the report.
    let own: Value = reqwest::get(format!("{}/api/v1/reports/week?team=payments", world.web())).await?.json().await?;
    assert_eq!((own["timezone"].as_str(), &own["from"]), (Some("Asia/Tokyo"), &report["from"]));
    Ok(())
}

#[tokio::test]
async fn after_a_pause_only_the_newest_report_is_posted_and_says_that_it_is_late() -> anyhow::Result<()> {
    let monday = monday();
    let mut world = world(monday).await?;
    world.configure(&reports("*")).await?;
    world.fast_forward(minutes(5)).await;
    world.restart_after(days(3)).await?;
    world.pass(minutes(1)).await?;
    world.fast_forward(minutes(2)).await;
    let posts = posted(&world);
    assert_eq!(posts.len(), 1, "{posts:#?}");
    let blocks = blocks(&world, &posts[0]).await?;
    assert!(blocks.contains("late, it was due") && blocks.contains("2 earlier reports not sent"), "{blocks}");
    Ok(())
}
