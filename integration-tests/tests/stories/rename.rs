//! An SLO gets another name: its ledger, budgets, alerts, incidents and exclusions go on.

use burnward::{definition::Removals, web::api::wire::instant};
use burnward_core::{
    incident::Command,
    time::{Timestamp, hours, minutes},
};
use burnward_integration_tests::world::{World, availability};
use serde_json::Value;

use super::{beginning, checkout};

/// Availability of checkout with pages alone, whose rows clear within hours.
fn named(name: &str, was: &str) -> String {
    let was = if was.is_empty() { String::new() } else { format!("\n    was: {was}") };
    let name = format!("name: {name}{was}");
    availability("checkout").replace("name: availability", &name).replace("target: 99.9%", "target: 99.9%\n        alerting: page")
}

/// Checkout fails for twenty minutes, an hour after the beginning.
async fn world() -> anyhow::Result<World> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(minutes(80));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300);
    let world = World::open(&[history], fault.start, &[("checkout.yaml", &named("availability", ""))]).await?;
    world.fast_forward(minutes(5)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open());
    Ok(world)
}

async fn reload(world: &World) -> anyhow::Result<()> {
    world.handle().reload(Removals::Guarded).await?;
    Ok(())
}

/// What the budget of the SLO says of itself, with what was counted since the beginning.
async fn budget(world: &World, name: &str, at: Timestamp) -> anyhow::Result<Value> {
    let explained = world.get(&format!("/api/v1/slos/checkout/{name}/explain?at={}", instant(at))).await?;
    let figures = &explained["budgets"][0]["figures"];
    let incidents = &explained["incidents"][0]["id"];
    Ok(serde_json::json!([figures["left_seconds"], figures["good"], figures["bad"], incidents, explained["budgets"][0]["changes"]]))
}

fn running(world: &World) -> Vec<String> {
    let view = world.handle().view.borrow().clone();
    view.slos.keys().map(|slo| slo.name.to_string()).collect()
}

#[tokio::test]
async fn a_renamed_slo_goes_on_through_a_reload_and_a_restart() -> anyhow::Result<()> {
    let mut world = world().await?;
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open());
    let moment = world.now();
    let before = budget(&world, "availability", moment).await?;
    let counted = world.counted("checkout", "availability", "acme", beginning(), moment).await;
    assert!(counted.bad > 0 && before[3] == "checkout-burn-1", "{before}");

    world.define("checkout.yaml", Some(&named("paid-orders", "availability")))?;
    reload(&world).await?;
    assert_eq!(running(&world), ["paid-orders"]);
    world.fast_forward(minutes(1)).await;
    for restarted in [false, true] {
        assert_eq!(budget(&world, "paid-orders", moment).await?, before, "after a restart: {restarted}");
        assert_eq!(world.counted("checkout", "paid-orders", "acme", beginning(), moment).await, counted, "after a restart: {restarted}");
        assert_eq!(budget(&world, "availability", moment).await?, before, "the old name still leads to it");
        world.restart().await?;
        world.fast_forward(minutes(1)).await;
    }
    // The key may stay, and may go.
    world.define("checkout.yaml", Some(&named("paid-orders", "")))?;
    reload(&world).await?;
    world.fast_forward(minutes(1)).await;
    assert_eq!(budget(&world, "paid-orders", moment).await?, before);
    assert_eq!(world.incidents().await?, ["checkout-burn-1"], "nothing is paged for it");
    Ok(())
}

/// Invariant 9: the name that paged runs on until its alert clears, through a restart too; then the history goes on by the new name.
#[tokio::test]
async fn an_slo_that_is_renamed_while_it_burns_gets_its_name_when_its_alert_clears() -> anyhow::Result<()> {
    let mut world = world().await?;
    world.define("checkout.yaml", Some(&named("paid-orders", "availability")))?;
    reload(&world).await?;
    world.fast_forward(minutes(5)).await;
    assert_eq!(running(&world), ["availability"]);
    world.restart().await?;
    world.fast_forward(minutes(5)).await;
    assert_eq!(running(&world), ["availability"]);
    assert!(world.incident("checkout-burn-1").await?.is_open(), "the fault goes on, and so does the incident");
    assert_eq!(world.get("/api/v1/status").await?["held"][0]["renamed_to"], "paid-orders");

    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    let moment = world.now();
    let counted = world.counted("checkout", "availability", "acme", beginning(), moment).await;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open(), "it ends as every incident does");
    for _ in 0..2 {
        assert_eq!(running(&world), ["paid-orders"]);
        assert_eq!(world.counted("checkout", "paid-orders", "acme", beginning(), moment).await, counted);
        let explained = world.get("/api/v1/slos/checkout/paid-orders/explain").await?;
        assert_eq!(explained["incidents"][0]["id"], "checkout-burn-1");
        world.restart().await?;
        world.fast_forward(minutes(1)).await;
    }
    assert_eq!(world.incidents().await?, ["checkout-burn-1"]);
    Ok(())
}

#[tokio::test]
async fn two_histories_are_not_made_one() -> anyhow::Result<()> {
    let world = world().await?;
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    world.define("checkout.yaml", Some(&named("paid-orders", "")))?;
    world.handle().reload(Removals::Accepted).await?;
    world.fast_forward(minutes(1)).await;
    assert_eq!(running(&world), ["paid-orders"]);

    world.define("checkout.yaml", Some(&named("paid-orders", "availability")))?;
    reload(&world).await?;
    let status = world.get("/api/v1/status").await?;
    let fault = status["definition_faults"][0]["text"].as_str().unwrap_or_default().to_owned();
    assert!(fault.contains("E1025") && fault.contains("availability and paid-orders have each a history of their own"), "{status}");
    assert_eq!(running(&world), ["paid-orders"], "the last good text runs on");
    Ok(())
}
