//! A slow burn opens a ticket and wakes nobody.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::world::{World, availability};

use super::{beginning, checkout};

#[tokio::test]
async fn a_slow_burn_opens_a_ticket_and_no_page() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(6));
    let history = checkout(from).tenant("acme", 200).failing(fault.clone(), 4);
    // The default rows of pages, and a ticket row that a story can wait for.
    let rows = "window: 30d
        alerting:
          rows:
            - { urgency: page, burn-rate: 14.4, long: 1h, short: 5m }
            - { urgency: page, burn-rate: 6, long: 6h, short: 30m }
            - { urgency: ticket, burn-rate: 3, long: 1h, short: 5m }";
    let document = availability("checkout").replace("window: 30d", rows);
    let world = World::open(&[history], fault.start, &[("checkout.yaml", &document)]).await?;

    // 0.4 % failing is a burn of 4: under the page rows, and over the ticket row after 45 min of an hour.
    world.fast_forward(minutes(60)).await;
    assert_eq!(world.incidents().await?, ["checkout-ticket-1"]);
    let posts: Vec<String> = world.pages("checkout-ticket-1").await?.into_iter().map(|page| page.text).collect();
    assert_eq!(posts.len(), 1, "one post in the team's channel: {posts:?}");
    assert!(!posts[0].contains("<@"), "a ticket mentions nobody: {posts:?}");
    Ok(())
}
