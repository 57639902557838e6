//! What an SLO says for the cases that its figures alone do not decide: no data, and no traffic.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::world::World;

use super::{beginning, checkout};

/// Two SLOs over the same requests, of which one wants to know of silence and counts what nobody saw as bad.
const SLOS: &str = r#"version: burnward/v1
service: checkout
team: payments
slos:
  - name: plain
    sli: &sli
      events:
        bad: 'checkout_http_requests_total{job="checkout", code=~"5.."}'
        total: 'checkout_http_requests_total{job="checkout"}'
    per: [tenant]
    objectives: [{ target: 99%, window: 30d }]
    no-data: { after: 3h, then: tell-owner }
  - name: strict
    sli: *sli
    per: [tenant]
    objectives: [{ target: 99%, window: 30d }]
    no-data: { after: 10m, then: count-as-bad }
    no-traffic: { after: 30m, then: tell-owner }
"#;

async fn json(world: &World, path: &str) -> anyhow::Result<serde_json::Value> {
    Ok(reqwest::get(format!("{}{path}", world.web())).await?.error_for_status()?.json().await?)
}

/// The one budget of an SLO.
async fn budget(world: &World, slo: &str) -> anyhow::Result<serde_json::Value> {
    Ok(json(world, &format!("/api/v1/slos/checkout/{slo}/explain")).await?["budgets"][0].clone())
}

#[tokio::test]
async fn an_hour_without_a_request_is_a_ticket_where_the_slo_says_so_and_fine_elsewhere() -> anyhow::Result<()> {
    let from = beginning();
    let silence = from.plus(hours(2))..from.plus(hours(3));
    let history = checkout(from).tenant("acme", 20).silent(silence.clone());
    let world = World::open(&[history], silence.start, &[("checkout.yaml", SLOS)]).await?;

    world.fast_forward(minutes(29)).await;
    assert_eq!(world.incidents().await?, Vec::<String>::new(), "not yet half an hour");
    world.fast_forward(minutes(3)).await;
    assert_eq!(world.incidents().await?, ["checkout-no-data-1"]);
    let ticket = world.incident("checkout-no-data-1").await?;
    assert_eq!(ticket.members.len(), 1, "the plain SLO finds it fine: {ticket:?}");
    let posts: Vec<String> = world.pages("checkout-no-data-1").await?.into_iter().map(|page| page.text).collect();
    assert_eq!(posts.len(), 1, "{posts:?}");
    assert!(posts[0].contains("no traffic since") && !posts[0].contains("<@"), "a ticket says so and mentions nobody: {posts:?}");
    assert_eq!(world.states("checkout").await?, ["OK", "OK"], "silence spends no budget");

    world.fast_forward(minutes(40)).await;
    assert!(!world.incident("checkout-no-data-1").await?.is_open(), "it ends when requests come again");
    Ok(())
}

#[tokio::test]
async fn a_silence_is_not_over_because_nobody_saw_a_part_of_it() -> anyhow::Result<()> {
    let from = beginning();
    let minute = |n| from.plus(minutes(n));
    let history = checkout(from).tenant("acme", 20).silent(minute(120)..minute(240)).not_scraped(minute(160)..minute(190));
    let world = World::open(&[history], minute(120), &[("checkout.yaml", SLOS)]).await?;

    world.fast_forward(minutes(32)).await;
    assert_eq!(world.incidents().await?, ["checkout-no-data-1"]);
    world.fast_forward(minutes(70)).await;
    let ticket = world.incident("checkout-no-data-1").await?;
    assert!(ticket.is_open() && ticket.members.values().all(|member| member.back.is_none()), "no event has come: {ticket:?}");
    world.fast_forward(minutes(40)).await;
    assert!(!world.incident("checkout-no-data-1").await?.is_open(), "requests came again");
    Ok(())
}

#[tokio::test]
async fn what_nobody_saw_bounds_a_budget_and_is_bad_only_where_the_slo_counts_it_so() -> anyhow::Result<()> {
    let from = beginning();
    let gap = from.plus(hours(2))..from.plus(hours(2)).plus(minutes(40));
    let history = checkout(from).tenant("acme", 20).not_scraped(gap.clone());
    let world = World::open(&[history], gap.start, &[("checkout.yaml", SLOS)]).await?;

    world.fast_forward(minutes(30)).await;
    assert_eq!(world.states("checkout").await?, ["CANNOT SEE", "CANNOT SEE"]);
    assert_eq!(world.incidents().await?, ["checkout-no-data-1"], "the strict SLO tells its team after ten minutes, nobody is paged");
    world.fast_forward(minutes(90)).await;
    assert!(!world.incident("checkout-no-data-1").await?.is_open());

    let (plain, strict) = (budget(&world, "plain").await?, budget(&world, "strict").await?);
    let ratio = |budget: &serde_json::Value, name: &str| budget["figures"][name].as_f64().unwrap_or_else(|| panic!("{name} in {budget:#}"));
    assert!((ratio(&plain, "left_ratio") - 1.0).abs() < 1e-9, "nothing measured was bad: {plain:#}");
    // 40 minutes of the 7 h 12 m that 1 % of 30 days are, at a rate that the gap's own requests, of which the counters told, make a fifth too high.
    assert!((0.90..0.91).contains(&ratio(&strict, "left_ratio")), "{strict:#}");
    for explained in [&plain, &strict] {
        let unseen = &explained["figures"]["unseen"];
        // All requests of four hours, by the seconds that were seen, for the 40 minutes and the scrape behind them.
        let events = unseen["events"].as_f64().unwrap_or_default();
        assert!((57_500.0..58_500.0).contains(&events), "{unseen:#}");
        assert!(unseen["least_left_ratio"].as_f64() < unseen["most_left_ratio"].as_f64(), "{unseen:#}");
        assert!(ratio(explained, "coverage_ratio") < 0.01, "four hours of thirty days: {explained:#}");
    }
    assert_eq!(strict["figures"]["unseen"]["least_left_ratio"], strict["figures"]["left_ratio"]);
    let seen = strict["seen"].as_str().unwrap_or_default();
    assert!(seen.contains("unseen may hold 58,") && seen.ends_with("counted as bad (`no-data`)"), "{seen}");
    assert_eq!(world.incidents().await?.len(), 1, "a hole is no burn");
    Ok(())
}
