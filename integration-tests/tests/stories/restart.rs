//! A restart in the middle pages once, and goes on where it was.

use burnward_core::{
    incident::Command,
    time::{hours, minutes},
    units::Target,
};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};

use super::{beginning, checkout};

/// Checkout burns for twenty minutes, orders are well; both are watched, and checkout has paged.
async fn burning_checkout() -> anyhow::Result<World> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(minutes(80));
    let histories = [
        checkout(from).tenant("acme", 20).failing(fault.clone(), 300),
        History::of("orders", from, from.plus(hours(6))).tenant("acme", 20),
    ];
    let slos = [("checkout.yaml", &*paging("checkout", "99.9%")), ("orders.yaml", &*paging("orders", "99.9%"))];
    let world = World::open(&histories, fault.start, &slos).await?;
    world.fast_forward(minutes(5)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open());
    Ok(world)
}

/// Availability with pages alone, whose rows clear within hours.
fn paging(service: &str, target: &str) -> String {
    let pages = format!("target: {target}\n        alerting: page");
    availability(service).replace("target: 99.9%", &pages)
}

fn runs(world: &World, service: &str) -> Option<Target> {
    let view = world.handle().view.borrow().clone();
    let slo = view.slos.values().find(|slo| slo.id.service.as_str() == service)?;
    Some(slo.objectives[0].target)
}

/// What the status, the explanation and the page of checkout's SLO say of the version that runs.
async fn held(world: &World) -> anyhow::Result<[String; 3]> {
    let status = world.get("/api/v1/status").await?["held"].to_string();
    let explained = world.get("/api/v1/slos/checkout/availability/explain").await?["slo"]["held"].to_string();
    let page = reqwest::get(format!("{}/slos/checkout/availability", world.web())).await?.text().await?;
    Ok([status, explained, page])
}

fn percent(text: &str) -> Option<Target> {
    Target::percent(text).ok()
}

async fn page_ids(world: &World) -> anyhow::Result<Vec<Option<String>>> {
    Ok(world.pages("checkout-burn-1").await?.into_iter().map(|page| page.page_id).collect())
}

#[tokio::test]
async fn a_restart_in_the_middle_of_an_incident_pages_nobody_again() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(3));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300);
    let mut world = World::open(&[history], fault.start, &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(5)).await;
    let before = page_ids(&world).await?;
    assert_eq!(before.len(), 2);

    world.restart().await?;
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(minutes(20)).await;
    world.restart().await?;
    world.fast_forward(minutes(5)).await;

    assert_eq!(page_ids(&world).await?, before, "no page is sent twice, none is new");
    assert_eq!(world.incidents().await?.iter().filter(|id| id.contains("burn")).count(), 1);
    Ok(())
}

/// Invariant 9, through two restarts: no edit silences a firing alert.
#[tokio::test]
async fn an_slo_that_is_removed_while_it_burns_runs_on_until_its_alert_clears() -> anyhow::Result<()> {
    let mut world = burning_checkout().await?;
    let before = page_ids(&world).await?;
    world.define("checkout.yaml", None)?;
    world.restart().await?;
    world.fast_forward(minutes(5)).await;
    world.restart().await?;
    world.fast_forward(minutes(5)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open(), "the fault goes on, and so does the incident");
    assert_eq!(runs(&world, "checkout"), percent("99.9%"));
    assert!(held(&world).await?.iter().all(|told| told.contains("removed")));

    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open(), "it ends as every incident does");
    assert_eq!(&page_ids(&world).await?[..before.len()], before, "what was paged stays as it was");
    assert_eq!(runs(&world, "checkout"), None, "and then it is gone");
    world.restart().await?;
    assert_eq!((runs(&world, "checkout"), runs(&world, "orders")), (None, percent("99.9%")));
    Ok(())
}

#[tokio::test]
async fn an_slo_that_is_edited_while_it_burns_is_judged_as_before_until_its_alert_clears() -> anyhow::Result<()> {
    let mut world = burning_checkout().await?;
    world.define("checkout.yaml", Some(&paging("checkout", "99%")))?;
    world.restart().await?;
    world.fast_forward(minutes(5)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open());
    assert_eq!(runs(&world, "checkout"), percent("99.9%"), "the version that paged decides");
    let [status, explained, page] = held(&world).await?;
    assert!(status.contains(r#""then":"changed""#) && explained.contains(r#""then":"changed""#), "{status} {explained}");
    assert!(page.contains("because its alert holds; its file was changed by now"), "{page}");
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open());
    assert_eq!(runs(&world, "checkout"), percent("99%"), "then the new one");
    assert!(held(&world).await?[..2].iter().all(|told| told == "[]" || told == "null"));
    world.restart().await?;
    assert_eq!(runs(&world, "checkout"), percent("99%"));
    Ok(())
}
