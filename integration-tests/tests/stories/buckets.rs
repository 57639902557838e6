//! A latency SLO whose threshold has no bucket cannot be seen, wherever it is asked for; a bucket that comes later is no burn and no gift.

use std::fmt::Write as _;

use burnward_core::time::{Timestamp, hours, minutes};
use burnward_integration_tests::{history::SCRAPE, world::World};
use serde_json::Value;

use super::beginning;

const SLO: &str = r"version: burnward/v1
service: shop
team: payments
slos:
  - name: fast
    title: Answers come soon
    sli: { latency: { histogram: took_seconds, within: 300ms } }
    objectives: [ { target: 99%, window: 7d } ]
";

/// Ten requests a second, all within 0.25 s, by a histogram that has the bucket of 0.3 s only from a moment on, without a restart.
fn history(from: Timestamp, bucket_from: Timestamp, to: Timestamp) -> String {
    let mut text = String::new();
    for le in ["0.25", "0.3", "0.5", "+Inf"] {
        if le == "0.25" {
            text.push_str("# TYPE took_seconds histogram\n");
        }
        let mut at = if le == "0.3" { bucket_from } else { from };
        while at <= to {
            let count = 1_000_000 + at.since(from).as_secs() * 10;
            writeln!(text, "took_seconds_bucket{{job=\"shop\",instance=\"a:80\",le=\"{le}\"}} {count} {}", at.seconds()).expect("a String");
            at = at.plus(SCRAPE);
        }
    }
    text.push_str("# TYPE up gauge\n");
    let mut at = from;
    while at <= to {
        writeln!(text, "up{{job=\"shop\",instance=\"a:80\"}} 1 {}", at.seconds()).expect("a String");
        at = at.plus(SCRAPE);
    }
    text + "# EOF\n"
}

/// The one budget, as it is now or was at a moment.
async fn budget(world: &World, query: &str) -> anyhow::Result<Value> {
    Ok(world.get(&format!("/api/v1/status{query}")).await?["budgets"][0].clone())
}

#[tokio::test]
async fn a_threshold_without_a_bucket_is_seen_nowhere_and_its_bucket_brings_no_past_when_it_comes() -> anyhow::Result<()> {
    let from = beginning();
    let (start, bucket_from) = (from.plus(hours(2)), from.plus(hours(2)).plus(minutes(30)));
    let mut world = World::open_text(&history(from, bucket_from, from.plus(hours(6))), start, SCRAPE, &[("shop.yaml", SLO)]).await?;
    world.fast_forward(minutes(20)).await;
    assert_eq!(world.states("shop").await?, ["CANNOT SEE"]);
    let printed = crate::explained::printed(&world, "status", &[]).await?;
    let why: Vec<&str> = printed.lines().filter(|line| line.starts_with("? CANNOT SEE shop/")).collect();
    assert!(why.len() == 1 && why[0].ends_with(" (no_bucket)"), "{printed}");
    let then = jiff::Timestamp::from_millisecond(world.now().minus(minutes(5)).millis())?;
    for query in [String::new(), format!("?at={then}")] {
        let budget = budget(&world, &query).await?;
        assert_eq!(budget["coverage_ratio"].as_f64().unwrap_or(0.0).to_bits(), 0.0_f64.to_bits(), "{query}: {budget:#}");
        assert_ne!(budget["state"], "no traffic", "{query}: {budget:#}");
    }
    // An SLO that was never counted is in no report, or says there that nothing of it was seen.
    let report = world.get("/api/v1/reports/week").await?;
    let unseen = |row: &Value| row["coverage_ratio"].as_f64().is_some_and(|coverage| coverage <= 0.0);
    assert!(report["budgets"].as_array().is_some_and(|rows| rows.iter().all(unseen)), "{report:#}");

    world.fast_forward(minutes(30)).await;
    world.restart().await?;
    world.fast_forward(minutes(10)).await;
    let now = budget(&world, "").await?;
    assert_eq!(world.states("shop").await?, ["OK"], "{now:#}");
    assert_eq!((&now["bad"], &now["left_ratio"]), (&serde_json::json!(0), &serde_json::json!(1.0)), "{now:#}");
    let counted = now["good"].as_u64().unwrap_or_default();
    assert!((17_000..=18_000).contains(&counted), "half an hour of ten a second, and nothing of what the bucket held: {now:#}");
    assert!(world.stored_incidents().await?.iter().all(|stored| !stored.incident.id.as_str().contains("burn")), "nothing burnt");
    Ok(())
}
