//! An acknowledgement stops the escalation; without one the next person is paged when the time is up.

use burnward_core::{
    incident::{Command, Incident, Phase},
    oncall::Recipient,
    time::{hours, minutes},
};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};

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

#[tokio::test]
async fn a_fault_that_comes_back_pages_while_another_holds_the_acknowledged_incident_open() -> anyhow::Result<()> {
    let from = beginning();
    let at = |n: u32| from.plus(hours(7)).plus(minutes(n.into()));
    let history = History::of("checkout", from, from.plus(hours(9)))
        .tenant("acme", 20)
        .failing(at(0)..at(20), 300)
        .failing(at(40)..at(60), 300)
        .tenant("globex", 20)
        .failing(at(0)..at(90), 300);
    let fast = availability("checkout").replace(
        "        window: 30d\n",
        "        window: 30d\n        alerting:\n          rows:\n            - { urgency: page, burn-rate: 14.4, long: 10m, short: 2m }\n",
    );
    let world = World::open(&[history], at(0), &[("checkout.yaml", &fast)]).await?;
    world.fast_forward(minutes(22)).await;
    world.person("sam", "checkout-burn-1", Command::Acknowledge).await?;
    world.fast_forward(minutes(13)).await;
    let recovered = world.incident("checkout-burn-1").await?;
    assert_eq!((recovered.open_members().count(), recovered.members.len()), (1, 2), "acme is well, globex holds it open");
    let before = world.pages("checkout-burn-1").await?.len();

    world.fast_forward(minutes(15)).await;
    let incident = world.incident("checkout-burn-1").await?;
    assert!(matches!(&incident.phase, Phase::Acknowledged { .. }), "{:?}", incident.phase);
    let pages = world.pages("checkout-burn-1").await?.split_off(before);
    let texts: Vec<&str> = pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(pages.len(), 2, "one post in the thread, one to ada: {texts:?}");
    let post = pages.iter().find(|page| !page.channel.starts_with('D')).expect("a post in the channel");
    assert_eq!(post.text.matches("<@").count(), 2, "ada is on call, sam has it: {}", post.text);
    assert!(texts.iter().all(|text| text.contains("checkout · acme: ")), "of what came back, though globex burns on: {texts:?}");
    Ok(())
}
