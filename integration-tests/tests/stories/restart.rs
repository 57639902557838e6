//! A restart in the middle pages once, and goes on where it was.

use burnward_core::{
    incident::Command,
    time::{hours, minutes},
};
use burnward_integration_tests::world::{World, availability};

use super::{beginning, checkout};

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
