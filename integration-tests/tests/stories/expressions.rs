//! SLOs of expressions page like any other: slices of a window, and events that the source added up.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::world::World;

use super::{beginning, checkout};

const SLOS: &str = r#"version: burnward/v1
service: checkout
team: payments
slos:
  - name: answered
    title: Customers are answered
    sli:
      query:
        bad: 'sum by (tenant) (increase(checkout_http_requests_total{code=~"5.."}[1m]))'
        total: 'sum by (tenant) (increase(checkout_http_requests_total[1m]))'
    per: [tenant]
    objectives: [{ target: 99.9%, window: 30d }]
  - name: calm
    title: Few requests fail at once
    sli:
      window:
        expr: 'sum by (tenant) (rate(checkout_http_requests_total{code=~"5.."}[1m])) / sum by (tenant) (rate(checkout_http_requests_total[1m]))'
        is: '<='
        threshold: 0.1
    per: [tenant]
    objectives: [{ target: 99%, window: 30d }]
"#;

#[tokio::test]
async fn windows_and_queries_page_the_tenant_that_burns_and_survive_a_restart() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(1)).plus(minutes(30));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300).tenant("globex", 20);
    let mut world = World::open(&[history], fault.start.minus(minutes(10)), &[("checkout.yaml", SLOS)]).await?;

    world.fast_forward(minutes(20)).await;
    assert_eq!(world.incidents().await?, ["checkout-burn-1"]);
    assert_eq!(world.incident("checkout-burn-1").await?.group_names(), ["acme"]);
    world.restart().await?;
    world.fast_forward(minutes(15)).await;

    // The windows of both tenants are judged minute by minute; the fault begins and ends on whole minutes.
    let calm = world.counted("checkout", "calm", "acme", fault.start, fault.start.plus(minutes(20))).await;
    assert_eq!((calm.good, calm.bad, calm.unseen_millis), (0, 20, 0));
    let calm = world.counted("checkout", "calm", "globex", fault.start, fault.start.plus(minutes(20))).await;
    assert_eq!((calm.good, calm.bad), (20, 0));
    let answered = world.counted("checkout", "answered", "acme", fault.start.plus(minutes(1)), fault.start.plus(minutes(20))).await;
    assert_eq!((answered.bad, answered.total()), (19 * 60 * 6 * 1_000_000, 19 * 60 * 20 * 1_000_000));

    // Surfaces show events, and what a slice is.
    let page = reqwest::get(format!("{}/slos/checkout/calm", world.web())).await?.text().await?;
    assert!(page.contains("bad slices of 1 min"), "{page}");
    let explained: serde_json::Value = reqwest::get(format!("{}/api/v1/slos/checkout/answered/explain", world.web())).await?.json().await?;
    let long = explained["budgets"][0]["rows"][0]["long"].as_str().unwrap_or_default();
    assert!(long.starts_with("1h: bad ") && !long.contains(",000,000"), "{explained:#}");

    world.fast_forward(hours(2)).await;
    assert!(!world.incident("checkout-burn-1").await?.is_open(), "it ends with the fault");
    Ok(())
}
