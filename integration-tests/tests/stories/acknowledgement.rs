//! An acknowledgement stops the escalation; without one the next person is paged when the time is up.

use burnward_core::{
    incident::{Command, Incident, Phase},
    oncall::Recipient,
    time::{hours, minutes},
};
use burnward_integration_tests::world::{World, availability};

use super::{beginning, checkout};

async fn burning() -> anyhow::Result<World> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(3));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300);
    let world = World::open(&[history], fault.start, &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(5)).await;
    anyhow::ensure!(world.incident("checkout-burn-1").await?.is_open(), "it burns");
    Ok(world)
}

/// The people to whom pages were owed.
fn people(incident: &Incident) -> Vec<String> {
    let mut people: Vec<String> =
        incident.pages.values().filter(|page| matches!(page.to, Recipient::Person(_))).map(|page| page.to.to_string()).collect();
    people.sort();
    people
}

#[tokio::test]
async fn an_acknowledgement_stops_the_escalation() -> anyhow::Result<()> {
    let world = burning().await?;
    world.person("ada", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(minutes(30)).await;

    let incident = world.incident("checkout-burn-1").await?;
    assert!(matches!(&incident.phase, Phase::Acknowledged { by, .. } if by.to_string() == "ada"), "{:?}", incident.phase);
    assert_eq!(people(&incident), ["ada"], "sam sleeps");
    Ok(())
}

#[tokio::test]
async fn a_click_on_the_button_in_slack_acknowledges() -> anyhow::Result<()> {
    let world = burning().await?;
    let root = world.pages("checkout-burn-1").await?.into_iter().next().expect("a page");
    world.slack.click(&root.channel, &root.ts, burnward::notify::slack::ACKNOWLEDGE, "ada").await?;
    world.until(|incident| !matches!(incident.phase, Phase::Open), "checkout-burn-1").await?;

    let incident = world.incident("checkout-burn-1").await?;
    assert!(matches!(&incident.phase, Phase::Acknowledged { by, .. } if by.to_string() == "ada"), "{:?}", incident.phase);
    Ok(())
}

#[tokio::test]
async fn the_page_in_the_channel_shows_the_numbers_of_now() -> anyhow::Result<()> {
    let world = burning().await?;
    // The direct message may have arrived first.
    let pages = world.pages("checkout-burn-1").await?;
    let root = pages.into_iter().find(|page| !page.channel.starts_with('D')).expect("a page in the channel");
    let before = world.slack.journal().len();
    world.fast_forward(minutes(3)).await;

    let journal = world.slack.journal();
    let edits: Vec<_> = journal[before..].iter().filter(|entry| entry.method == "chat.update" && entry.ts == root.ts).collect();
    assert!((2..=3).contains(&edits.len()), "one edit a minute: {edits:#?}");
    assert!(edits.iter().all(|edit| edit.text != root.text), "its numbers move: {edits:#?}");
    Ok(())
}

#[tokio::test]
async fn without_an_acknowledgement_the_next_person_is_paged() -> anyhow::Result<()> {
    let world = burning().await?;
    world.fast_forward(minutes(5)).await;

    let incident = world.incident("checkout-burn-1").await?;
    assert_eq!(people(&incident), ["ada", "sam"]);
    let opened = incident.opened_at;
    let sam = incident.pages.values().find(|page| page.to.to_string() == "sam").expect("sam is paged");
    assert_eq!(sam.decided_at.since(opened), minutes(5), "at the minute the configuration says");
    Ok(())
}
