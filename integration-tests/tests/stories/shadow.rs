//! SLOs that decide and tell nobody, until one word is changed; and SLOs that are suspended for a while.

use burnward::{definition::Removals, web::api::wire::instant};
use burnward_core::{
    incident::Command,
    time::{Timestamp, hours, minutes},
};
use burnward_integration_tests::world::{World, availability};
use serde_json::{Value, json};

use super::{beginning, checkout};

/// Availability of checkout with pages alone, whose rows clear within hours.
fn with_status(status: &str) -> String {
    availability("checkout")
        .replace("name: availability", &format!("name: availability\n    status: {status}"))
        .replace("target: 99.9%", "target: 99.9%\n        alerting: page")
}

/// Checkout fails for twenty minutes, an hour after the beginning, and is looked at from then on.
async fn world(documents: &[(&str, &str)]) -> anyhow::Result<World> {
    let from = beginning();
    let history = checkout(from).tenant("acme", 20).failing(fault()..fault().plus(minutes(20)), 300);
    World::open(&[history], fault(), documents).await
}

fn fault() -> Timestamp {
    beginning().plus(hours(1))
}

async fn redefine(world: &World, text: &str) -> anyhow::Result<()> {
    world.define("checkout.yaml", Some(text))?;
    world.handle().reload(Removals::Guarded).await?;
    Ok(())
}

/// What was posted to people and channels so far.
fn posts(world: &World) -> usize {
    world.slack.journal().iter().filter(|entry| entry.method == "chat.postMessage").count()
}

/// What the SLO would have told.
async fn shadow(world: &World, slo: &str) -> anyhow::Result<Value> {
    let list = world.get(&format!("/api/v1/shadow?slo=checkout/{slo}&last=6h")).await?;
    Ok(list["slos"][0].clone())
}

#[tokio::test]
async fn an_slo_in_shadow_tells_nobody_until_one_word_is_changed() -> anyhow::Result<()> {
    let mut world = world(&[("checkout.yaml", &with_status("shadow"))]).await?;
    world.fast_forward(minutes(5)).await;
    assert_eq!(world.states("checkout").await?, ["SHADOW"]);
    let would = shadow(&world, "availability").await?;
    let alert = &would["alerts"][0];
    assert_eq!((&would["status"], &would["pages"], would["alerts"].as_array().map(Vec::len)), (&json!("shadow"), &json!(1), Some(1)));
    assert_eq!((&alert["what"], &alert["row"], &alert["ended"]), (&json!("page"), &json!("14.4x 1h/5m"), &Value::Null), "{alert}");
    assert_eq!(alert["would_call"], json!(["#payments-oncall", "ada"]));
    assert!(alert["burn"][0].as_f64().is_some_and(|burn| burn > 14.4), "{alert}");

    world.restart().await?;
    world.fast_forward(minutes(2)).await;
    assert_eq!(shadow(&world, "availability").await?["alerts"], would["alerts"], "a restart loses nothing and doubles nothing");
    assert_eq!((world.incidents().await?, posts(&world)), (Vec::new(), 0), "nobody heard of it");

    let before = world.counted("checkout", "availability", "acme", beginning(), world.now()).await;
    redefine(&world, &with_status("active")).await?;
    assert_eq!(world.counted("checkout", "availability", "acme", beginning(), world.now()).await, before, "the budget goes on");
    world.restart().await?;
    world.fast_forward(minutes(1)).await;
    assert_eq!(world.states("checkout").await?, ["BURNING"]);
    assert_eq!(world.incidents().await?, ["checkout-burn-1"], "what holds in the moment of the promotion pages");
    let pages = world.pages("checkout-burn-1").await?;
    assert_eq!(pages.len(), 2, "to the channel and to ada");
    let began = world.incident("checkout-burn-1").await?.began;
    assert!(began >= fault() && began < fault().plus(minutes(1)), "it says since when it fails: {}", instant(began));
    let would = shadow(&world, "availability").await?;
    assert_eq!((&would["status"], would["alerts"].as_array().map(Vec::len)), (&json!("active"), Some(1)));
    assert!(would["alerts"][0]["ended"].is_string(), "in shadow it is over: {would}");
    assert_eq!(would["score"]["incidents"], json!([]), "the incident that it opened itself proves nothing of it");

    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open(), "it ends as every incident does");
    assert_eq!(world.incidents().await?, ["checkout-burn-1"]);
    Ok(())
}

#[tokio::test]
async fn an_slo_that_goes_into_shadow_while_it_burns_stays_told_until_it_ends() -> anyhow::Result<()> {
    let mut world = world(&[("checkout.yaml", &with_status("active"))]).await?;
    world.fast_forward(minutes(5)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open());
    redefine(&world, &with_status("shadow")).await?;
    world.fast_forward(minutes(2)).await;
    world.restart().await?;
    world.fast_forward(minutes(1)).await;
    assert_eq!(world.states("checkout").await?, ["BURNING"], "no edit silences an alert that fires");
    assert_eq!(world.get("/api/v1/status").await?["held"][0]["then"], "changed", "and it says so");
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open());
    assert_eq!(world.states("checkout").await?, ["SHADOW"], "then it is in shadow");
    assert_eq!(shadow(&world, "availability").await?["alerts"], json!([]));
    Ok(())
}

/// A change of rows counts at once in shadow: nobody waits for an alert of which nobody was told.
#[tokio::test]
async fn what_an_slo_in_shadow_would_have_told_is_scored_against_what_happened() -> anyhow::Result<()> {
    let strict = with_status("shadow").replace("name: availability", "name: strict").split_once("slos:\n").expect("SLOs").1.to_owned();
    let both = with_status("active") + &strict;
    let world = world(&[("checkout.yaml", &both)]).await?;
    world.fast_forward(minutes(10)).await;
    let found = shadow(&world, "strict").await?;
    assert_eq!(found["score"]["incidents"][0]["incident"], "checkout-burn-1");
    assert_eq!(found["alerts"][0]["incident"], "checkout-burn-1");
    assert_eq!((&found["score"]["precision_ratio"], &found["score"]["recall_ratio"]), (&json!(1.0), &json!(1.0)), "{found}");
    let status = world.get("/api/v1/status").await?;
    let states: Vec<_> = status["budgets"].as_array().into_iter().flatten().map(|budget| budget["state"].clone()).collect();
    assert_eq!(states, [json!("BURNING"), json!("SHADOW")], "what tells nobody stands behind all others");
    assert_eq!(status["budgets"][1]["tells_nobody"]["state_if_active"], "BURNING");

    let silent = strict.replace("alerting: page", "alerting: none");
    redefine(&world, &(with_status("active") + &silent)).await?;
    world.fast_forward(minutes(1)).await;
    assert!(shadow(&world, "strict").await?["alerts"][0]["ended"].is_string(), "its rows are gone, and so is its alert");
    assert_eq!(world.incidents().await?, ["checkout-burn-1"]);
    Ok(())
}

#[tokio::test]
async fn a_suspended_slo_counts_and_decides_nothing_until_its_day() -> anyhow::Result<()> {
    let until = fault().plus(minutes(10));
    let suspended = with_status(&format!("{{ suspended: {{ reason: the exporter is rebuilt, until: '{}' }} }}", instant(until)));
    let mut world = world(&[("checkout.yaml", &suspended)]).await?;
    world.fast_forward(minutes(5)).await;
    assert_eq!(world.states("checkout").await?, ["SUSPENDED"]);
    let why = world.get("/api/v1/status").await?["budgets"][0]["tells_nobody"].clone();
    assert_eq!(why["reason"], "the exporter is rebuilt");
    assert_eq!(why["until"], json!(instant(until)));
    assert!(world.counted("checkout", "availability", "acme", beginning(), world.now()).await.bad > 0, "it is counted");
    assert_eq!((world.incidents().await?, posts(&world)), (Vec::new(), 0));
    assert_eq!(shadow(&world, "availability").await?["alerts"], json!([]), "nothing is decided");

    world.restart().await?;
    world.fast_forward(minutes(6)).await;
    assert_eq!(world.states("checkout").await?, ["BURNING"], "past its end it is active by itself");
    assert_eq!(world.incidents().await?, ["checkout-burn-1"]);
    let policies = world.get("/api/v1/slos/checkout/availability").await?["policies"].clone();
    assert_eq!(policies[0]["meaning"], "that moment has passed: it is active again, and the key can go");
    Ok(())
}

/// Neither missing data of an SLO in shadow nor a blind source that only such SLOs read is told.
#[tokio::test]
async fn blindness_of_an_slo_in_shadow_is_recorded_and_told_to_nobody() -> anyhow::Result<()> {
    let from = beginning();
    let gap = fault()..fault().plus(minutes(30));
    let history = checkout(from).tenant("acme", 20).not_scraped(gap);
    let world = World::open(&[history], fault(), &[("checkout.yaml", &with_status("shadow"))]).await?;
    world.proxy.cut(true);
    world.fast_forward(minutes(10)).await;
    assert_eq!((world.incidents().await?, posts(&world)), (Vec::new(), 0), "the source hides nothing that somebody would be told of");
    redefine(&world, &with_status("active")).await?;
    world.fast_forward(minutes(3)).await;
    assert_eq!(world.incidents().await?, ["prom-cannot-see-1"], "now it does");
    Ok(())
}
