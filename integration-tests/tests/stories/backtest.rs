//! A backtest of a week lists the pages that were sent in it: from the source, from a recorded file, and as the documentation shows it.

use burnward_core::time::days;
use burnward_integration_tests::{
    shop_week::{INCIDENTS, MONDAY, openmetrics},
    world::World,
};

use crate::told::{TICK, assert_received, assert_same, lists, run, sent, without_escalation};

const DOCUMENTATION: &str = include_str!("../../../docs/backtest.md");

/// The shop's SLOs as they are shipped, told to the team of the stories.
fn definitions() -> String {
    let shipped = include_str!("../../../slo-definitions/shop/shop.yaml");
    let document = shipped.split("\ntests:").next().expect("a document");
    let lines = document.lines().filter(|line| !line.trim_start().starts_with("runbook:"));
    lines.map(|line| line.replace("team: shop", "team: payments") + "\n").collect()
}

const WEEK: [&str; 4] = ["--from", "2025-11-03T00:00:00Z", "--to", "2025-11-10T00:00:00Z"];

#[tokio::test]
async fn a_backtest_of_a_week_lists_exactly_the_pages_that_were_sent() -> anyhow::Result<()> {
    let text = openmetrics();
    let mut world = World::open_text(&text, MONDAY, TICK, &[("shop.yaml", &definitions())]).await?;
    without_escalation(&mut world).await?;
    let mut received = Vec::new();
    world.listen(days(7), &mut received).await;
    let sent = sent(&world).await?;
    assert!(sent.iter().filter(|told| told.calls).count() >= 6, "a week with pages: {sent:#?}");

    let config = world.config_file();
    let beside = |name: &str, text: &str| -> anyhow::Result<String> {
        let file = config.with_file_name(name);
        std::fs::write(&file, text)?;
        Ok(file.display().to_string())
    };
    let (file, marked) = (beside("week.om", &text)?, beside("incidents.yaml", INCIDENTS)?);
    let of_file = [&WEEK[..], &["--recorded", &file]].concat();
    let shown = [&of_file[..], &["--incidents", &marked, "--what-if", "target=99.5,99.95"]].concat();
    let (of_source, of_file, shown) = tokio::try_join!(lists(&config, &WEEK), lists(&config, &of_file), run(&config, &shown))?;

    assert_same(&of_source, &sent, TICK, "source");
    assert_received(&of_source, &received, TICK, "source");
    assert_same(&of_file, &sent, TICK, "recorded file");
    let documented = DOCUMENTATION.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap_or_default();
    assert_eq!(shown.trim_end(), documented, "docs/backtest.md shows the week; it is\n{shown}");
    Ok(())
}
