//! A journey over two services burns because of one of them: the page names that one, and so do its page, `explain` and the API.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};
use serde_json::Value;

use super::beginning;

const JOURNEY: &str = "version: burnward/v1
service: shop
team: payments
slos:
  - name: buy
    title: Customers can find something and pay
    sli:
      composite:
        all-of:
          - { slo: search/availability, good-if-at-least: 99% }
          - { slo: checkout/availability, good-if-at-least: 99% }
    per: [tenant]
    objectives:
      - target: 99.9%
        window: 30d
        alerting: page
";

/// The member's own SLO, which tells nobody: what is told is the journey's.
fn quiet(service: &str) -> String {
    availability(service).replace("window: 30d\n", "window: 30d\n        alerting: none\n")
}

async fn get(world: &World, path: &str) -> anyhow::Result<String> {
    Ok(reqwest::get(format!("{}{path}", world.web())).await?.error_for_status()?.text().await?)
}

#[tokio::test]
async fn a_broken_step_of_a_journey_pages_by_name() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(2))..from.plus(hours(3));
    let (start, end) = (from, from.plus(hours(5)));
    let search = History::of("search", start, end).tenant("acme", 20);
    let checkout = History::of("checkout", start, end).tenant("acme", 20).failing(fault.clone(), 200);
    let documents = [("search.yaml", &*quiet("search")), ("checkout.yaml", &*quiet("checkout")), ("journey.yaml", JOURNEY)];
    let mut world = World::open(&[search, checkout], fault.start.minus(minutes(30)), &documents).await?;
    world.fast_forward(minutes(29)).await;
    assert_eq!(world.states("shop"), ["OK"]);
    assert!(world.incidents().await?.is_empty());

    world.fast_forward(minutes(6)).await;
    assert_eq!(world.incidents().await?, ["shop-burn-1"]);
    let pages = world.pages("shop-burn-1").await?;
    assert!(pages.iter().all(|page| page.text.contains("broken by checkout/availability")), "{pages:?}");
    assert!(pages.iter().all(|page| !page.text.contains("search/availability")), "{pages:?}");

    world.restart().await?;
    world.fast_forward(minutes(1)).await;
    assert_eq!(world.states("shop"), ["BURNING"]);
    let status: Value = serde_json::from_str(&get(&world, "/api/v1/status").await?)?;
    let budgets = status["budgets"].as_array().expect("a list");
    let journey = budgets.iter().find(|budget| budget["service"] == "shop").expect("the journey");
    let members: Vec<(&str, bool)> = journey["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| (member["slo"].as_str().expect("a name"), member["bad"] == journey["bad"] && member["bad"] != 0))
        .collect();
    assert_eq!(members, [("search/availability", false), ("checkout/availability", true)], "{journey}");
    let page = get(&world, "/slos/shop/buy").await?;
    for told in ["Members of this journey", "checkout/availability", "slices of 1 min", "Nothing is asked for a journey itself"] {
        assert!(page.contains(told), "{told}: {page}");
    }

    // It is over when the member is well again, minute by minute.
    world.fast_forward(minutes(100)).await;
    assert!(!world.incident("shop-burn-1").await?.is_open());
    Ok(())
}
