//! Two objectives of one SLO with the same target over the same window are told by their names, on every surface that tells an objective by these two;
//! others are not.

use super::Shop;

const OBJECTIVES: &str = "
      - { target: 99.5%, window: calendar month, timezone: America/New_York, alerting: none }
      - { name: downtime, target: 99.5%, window: calendar month, timezone: America/New_York, alerting: none, counted-in: { slices: 5m, good-if-at-least: 99% } }
      - { name: shorter, target: 99.5%, window: 30d, alerting: none }
";

#[tokio::test(flavor = "multi_thread")]
async fn objectives_that_read_the_same_are_told_by_their_names() {
    let shop = Shop::of(OBJECTIVES, 30, |_| false).await;
    let month = "calendar month, America/New_York";
    for (told, between) in [
        (shop.printed(&["status"]), " "),
        (shop.printed(&["report", "week", "--week", "2025-W48"]), " "),
        (shop.printed(&["report", "week", "--week", "2025-W48", "-o", "md"]).replace('\\', ""), " over "),
        (shop.page("/").await, " over "),
        (shop.page("/slos/shop/availability").await, " over "),
        (shop.page("/reports/week?week=2025-W48").await, " over "),
    ] {
        for name in ["calendar-month", "downtime"] {
            assert!(told.contains(&format!("99.5 %{between}{month} (objective {name})")), "{name} in {told}");
        }
        assert!(told.contains(&format!("99.5 %{between}30d")) && !told.contains("(objective shorter)"), "{told}");
    }
    let status: serde_json::Value = serde_json::from_str(&shop.printed(&["status", "-o", "json"])).expect("JSON");
    let by_name = status["budgets"].as_array().expect("a list").iter().filter(|budget| budget["told_by_name"] == true);
    assert_eq!(by_name.count(), 2, "{status}");
}
