//! Other labels in `per`: the past stays as it was told, the new groups have the whole window at once, and an alert that holds is not silenced.

use burnward::{definition::Removals, web::api::wire::instant};
use burnward_core::{
    incident::Command,
    time::{Timestamp, days, hours, minutes},
};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};
use serde_json::{Value, json};

use super::{beginning, checkout, weekly_report::monday};

const PER_TENANT: &str = "per: [tenant]";
const WHOLE: &str = "per: []";

/// One budget, or one for each tenant, without alerts.
fn with(per: &str) -> String {
    availability("checkout").replace(PER_TENANT, per).replace("target: 99.9%", "target: 99%\n        alerting: none")
}

async fn reload(world: &World, definition: &str) -> anyhow::Result<()> {
    world.define("checkout.yaml", Some(definition))?;
    world.handle().reload(Removals::Guarded).await?;
    world.fast_forward(minutes(20)).await;
    Ok(())
}

/// All that is told of a moment and of the week before it: what does not name who runs now.
async fn told(world: &World, at: Timestamp) -> anyhow::Result<Vec<Value>> {
    let mut told = Vec::new();
    for known in ["as-known-then", "as-corrected"] {
        let (moment, slo) = (format!("at={}&figures={known}", instant(at)), "/api/v1/slos/checkout/availability");
        let explained = world.get(&format!("{slo}/explain?{moment}")).await?;
        told.extend(explained["budgets"].as_array().into_iter().flatten().map(|budget| budget["figures"].clone()));
        let status = world.get(&format!("/api/v1/status?{moment}")).await?;
        told.push(status["budgets"].clone());
        told.push(world.get(&format!("{slo}/burn-down?{moment}")).await?["points"].clone());
        told.push(world.get(&format!("/reports/week.json?figures={known}")).await?["budgets"].clone());
    }
    Ok(told)
}

/// The budgets of now: group, failures of the window, how much of it was seen.
async fn now(world: &World) -> anyhow::Result<Vec<(String, i64, bool)>> {
    let status = world.get("/api/v1/status").await?;
    let budget = |budget: &Value| {
        let group = budget["group"].as_array().into_iter().flatten().filter_map(|pair| pair[1].as_str()).collect();
        (group, budget["bad"].as_i64().unwrap_or_default(), budget["state"] == json!("OK"))
    };
    let mut budgets: Vec<_> = status["budgets"].as_array().into_iter().flatten().map(budget).collect();
    budgets.sort();
    Ok(budgets)
}

#[tokio::test]
async fn another_split_leaves_the_past_alone_and_has_its_own() -> anyhow::Result<()> {
    let monday = monday();
    let start = monday.plus(days(7) + hours(8));
    let fault = monday.plus(days(4))..monday.plus(days(4) + hours(1));
    let history = History::of("checkout", monday.plus(days(3)), start.plus(hours(6)));
    let history = history.tenant("acme", 20).failing(fault.clone(), 20).tenant("globex", 10).failing(fault, 50);
    let (of_acme, of_globex) = (20 * 3600 / 50, 10 * 3600 / 20);
    let mut world = World::open(&[history], start, &[("checkout.yaml", &with(WHOLE))]).await?;
    world.fast_forward(minutes(30)).await;
    let moment = world.now().minus(minutes(5));
    let (whole, split) = (
        vec![(String::new(), of_acme + of_globex, true)],
        vec![("acme".to_owned(), of_acme, true), ("globex".to_owned(), of_globex, true)],
    );
    assert_eq!(now(&world).await?, whole);
    let as_whole = told(&world, moment).await?;
    assert!(as_whole.iter().all(|told| !told.is_null() && told != &json!([])), "{as_whole:?}");

    reload(&world, &with(PER_TENANT)).await?;
    assert_eq!(told(&world, moment).await?, as_whole);
    assert_eq!(now(&world).await?, split, "what was before the edit is filled in, and the whole is not told any more");
    let second = world.now().minus(minutes(5));
    let as_split = told(&world, second).await?;
    world.restart().await?;
    world.fast_forward(minutes(5)).await;
    assert_eq!((now(&world).await?, told(&world, moment).await?), (split.clone(), as_whole.clone()));

    reload(&world, &with(WHOLE)).await?;
    for restarted in [false, true] {
        assert_eq!(now(&world).await?, whole, "after a restart: {restarted}");
        assert_eq!(told(&world, moment).await?[..3], as_whole[..3], "after a restart: {restarted}");
        assert_eq!(told(&world, second).await?[..2], as_split[..2], "after a restart: {restarted}");
        world.restart().await?;
        world.fast_forward(minutes(5)).await;
    }
    Ok(())
}

#[tokio::test]
async fn an_alert_of_a_group_holds_until_it_clears_and_then_its_slo_is_split_otherwise() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(minutes(80));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300).tenant("globex", 20);
    let paging = availability("checkout").replace("target: 99.9%", "target: 99.9%\n        alerting: page");
    let mut world = World::open(&[history], fault.start, &[("checkout.yaml", &paging)]).await?;
    world.fast_forward(minutes(5)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open());
    world.define("checkout.yaml", Some(&paging.replace(PER_TENANT, WHOLE)))?;
    world.restart().await?;
    world.fast_forward(minutes(5)).await;
    let groups = |now: Vec<(String, i64, bool)>| now.into_iter().map(|(group, ..)| group).collect::<Vec<_>>();
    assert!(world.incident("checkout-burn-1").await?.is_open());
    assert_eq!(groups(now(&world).await?), ["acme", "globex"], "the version that paged decides");
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open(), "it cleared by the version that paged");
    assert_eq!(groups(now(&world).await?), [""], "and then the new one runs");
    let postmortem = world.get("/api/v1/incidents/checkout-burn-1/postmortem").await?;
    assert!(postmortem["impact"][0]["bad"].as_i64() > Some(0), "what it cost its group is told still: {postmortem}");
    Ok(())
}
