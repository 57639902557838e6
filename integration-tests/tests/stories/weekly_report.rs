//! The report of a week shows a burn, the incident that explains it and what it cost people: on the command line, on the page, as CSV and as Markdown.

use std::process::Command;

use burnward_core::{
    incident,
    time::{Timestamp, days, hours, minutes},
};
use burnward_integration_tests::{
    binary::burnward,
    history::History,
    world::{World, availability},
};
use serde_json::Value;

/// The last whole week before now, from Monday to Monday in UTC; the epoch was a Thursday.
fn monday() -> Timestamp {
    let from_a_monday = days(4);
    burnward::clock::Clock::Wall.now().minus(from_a_monday).floor(days(7)).plus(from_a_monday).minus(days(7))
}

#[tokio::test]
async fn a_burn_of_the_week_is_reported_with_its_incident_and_its_pages() -> anyhow::Result<()> {
    let monday = monday();
    let thursday_night = monday.plus(hours(3 * 24 + 3));
    let fault = thursday_night..thursday_night.plus(minutes(20));
    let history = History::of("checkout", monday.minus(days(1)), monday.plus(hours(7 * 24 + 10)))
        .tenant("acme", 20)
        .failing(fault.clone(), 200)
        .tenant("globex", 20);
    let world = World::open(&[history], fault.start.minus(minutes(10)), &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(20)).await;
    world.person("ada", "checkout-burn-1", incident::Command::Acknowledge).await?;
    world.fast_forward(minutes(50)).await;
    world.pass(monday.plus(hours(7 * 24 + 8)).since(world.now())).await?;

    // 20 % of 20 requests a second for 20 min are 4,800 failures; the window holds 8 days of traffic, of which one in a thousand may fail.
    let report: Value = serde_json::from_str(&report(&world, &["-o", "json"]).await?)?;
    let worst = &report["budgets"][0];
    assert_eq!(worst["group"][0][1], "acme", "worst first: {worst}");
    let allowed = f64::from(8 * 86_400 * 20) / 1_000.0;
    assert!((worst["left_ratio"].as_f64().unwrap_or_default() - (1.0 - 4_800.0 / allowed)).abs() < 1e-3, "{worst}");
    assert_eq!(worst["burns"][0]["incident"], "checkout-burn-1");
    assert_eq!((worst["burns"][0]["failed"].as_f64(), worst["unattributed"].as_f64()), (Some(4_800.0), Some(0.0)));
    assert_eq!(worst["seen_ratio"].as_f64(), Some(1.0));
    let calm = &report["budgets"][1];
    assert_eq!((calm["verdict"].as_str(), calm["failed_in_week"].as_f64()), (Some("SHIP"), Some(0.0)));
    let team = &report["teams"][0];
    assert_eq!((team["team"].as_str(), team["incidents"].as_u64()), (Some("payments"), Some(1)));
    assert_eq!(team["people"][0]["person"], "ada");
    assert_eq!(team["people"][0]["at_night"], team["people"][0]["pages"], "three in the morning is night");

    every_form_shows_the_same(&world, worst).await
}

async fn every_form_shows_the_same(world: &World, worst: &Value) -> anyhow::Result<()> {
    let table = report(world, &[]).await?;
    let markdown = report(world, &["-o", "md"]).await?;
    let page = reqwest::get(format!("{}/reports/week", world.web())).await?.text().await?;
    let end = worst_end(world).await?;
    let slo =
        reqwest::get(format!("{}/slos/checkout/availability?budget={}&at={end}", world.web(), worst["key"].as_str().unwrap_or_default()))
            .await?
            .text()
            .await?;
    let left = worst["left_ratio"].as_f64().unwrap_or_default();
    let share = burnward_core::words::whole_percent(left);
    for (form, text) in [("table", &table), ("Markdown", &markdown), ("page", &page), ("page of the SLO at the week's end", &slo)] {
        assert!(text.contains(&format!("{share} left")), "{form} says {share}: {text}");
    }
    for (form, text) in [("table", &table), ("Markdown", &markdown.replace('\\', "")), ("page", &page)] {
        assert!(text.contains("checkout-burn-1") && text.contains("payments"), "{form}: {text}");
    }
    let csv = report(world, &["-o", "csv"]).await?;
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "a line of names, one per budget, and the end: {csv}");
    assert!(lines[1].contains(&format!("{:.3}", left * 100.0)[..5]), "{csv}");
    Ok(())
}

/// When the reported week ended.
async fn worst_end(world: &World) -> anyhow::Result<String> {
    let report: Value = reqwest::get(format!("{}/reports/week.json", world.web())).await?.json().await?;
    Ok(report["to"].as_str().unwrap_or_default().to_owned())
}

/// What the command line prints.
async fn report(world: &World, args: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(burnward()?);
    command.args(["report", "week", "--server", &world.web()]).args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
