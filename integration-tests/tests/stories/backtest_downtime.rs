//! What a backtest lists, and what was sent by a daemon that was down for a while: its budgets are as if it had never been down; what holds when it is back is
//! told then; what had come and gone by then is told to nobody.

use std::{ops::Range, time::Duration};

use burnward_core::time::{Timestamp, hours, minutes};
use burnward_integration_tests::{
    shop_around::{definitions, openmetrics},
    shop_week::MONDAY,
    world::World,
};
use serde_json::Value;

use crate::told::{TICK, Told, assert_received, assert_same, lists, sent, sorted, without_escalation};

/// The half day of every kind of SLO, from a moment of it on.
async fn world(from: Duration) -> anyhow::Result<World> {
    let definitions = definitions();
    let documents: Vec<(&str, &str)> = definitions.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut world = World::open_text(&openmetrics(), MONDAY.plus(from), TICK, &documents).await?;
    without_escalation(&mut world).await?;
    Ok(world)
}

/// What a backtest lists of the world's source, without the SLO that is in shadow.
async fn lists_of(world: &World, from: &str, to: &str) -> anyhow::Result<Vec<Told>> {
    let all = lists(&world.config_file(), &["--from", from, "--to", to]).await?;
    Ok(all.into_iter().filter(|told| told.slo() != "trial/reachable").collect())
}

/// The figures of every budget and of its rows.
async fn figures(world: &World) -> anyhow::Result<Vec<Value>> {
    let status = world.get("/api/v1/status").await?;
    let mut budgets = status["budgets"].as_array().cloned().unwrap_or_default();
    budgets.sort_by_key(|budget| budget["id"].to_string());
    let keys = ["id", "good", "bad", "left_ratio", "coverage_ratio", "newest_sample", "rows"];
    let figures = |budget: Value| keys.iter().map(|key| budget[key].clone()).collect::<Value>();
    Ok(budgets.into_iter().map(figures).collect())
}

#[tokio::test]
async fn what_falls_due_while_no_daemon_runs_is_told_when_it_is_back_and_the_budgets_are_as_if_it_had_run() -> anyhow::Result<()> {
    let start = hours(1) + minutes(50);
    // A journey has paged, transactions fall due at 02:43 and burn on; accounts fail from 03:40 to 03:52; a janitor is gone from 04:30 on, and due at 04:35.
    let down = [(2, 30), (3, 38), (4, 25)].map(|(hour, minute)| MONDAY.plus(hours(hour) + minutes(minute)));
    let down = down.map(|from| from..from.plus(minutes(20)));
    let end = MONDAY.plus(hours(5));
    let mut stopped = world(start).await?;
    let mut received = Vec::new();
    for Range { start, end } in &down {
        stopped.listen(start.since(stopped.now()), &mut received).await;
        stopped.restart_after(end.since(*start)).await?;
    }
    stopped.listen(end.since(stopped.now()), &mut received).await;

    let whole = world(start).await?;
    whole.fast_forward(end.since(whole.now())).await;
    assert_eq!(figures(&stopped).await?, figures(&whole).await?);

    let lists = lists_of(&stopped, "2025-11-03T01:50:00Z", "2025-11-03T05:00:00Z").await?;
    assert_same(&lists, &sent(&whole).await?, TICK, "a daemon that ran all the time");
    let then = |told: &Told, Range { start, end }: &Range<Timestamp>| (*start < told.at && told.at <= *end).then(|| end.plus(TICK));
    let late: Vec<usize> = down.iter().map(|down| lists.iter().filter(|told| then(told, down).is_some()).count()).collect();
    assert_eq!(late, [1, 3, 1], "what falls due in each time without a daemon: {lists:#?}");
    let told_when_back = |told: Told| match down.iter().find_map(|down| then(&told, down)) {
        // Where the fault is over by then, the row that holds is the one that looks back longer.
        Some(at) if told.slo() == "accounts/requests" && told.what.starts_with("page") => Told { at, row: Some("6".to_owned()), ..told },
        Some(at) => Told { at, ..told },
        None => told,
    };
    let expected = sorted(lists.into_iter().map(told_when_back).collect());
    assert_same(&expected, &sent(&stopped).await?, TICK, "a daemon that was down");
    assert_received(&expected, &received, TICK, "a daemon that was down");
    Ok(())
}

#[tokio::test]
async fn a_page_that_came_and_went_while_no_daemon_ran_is_listed_and_was_sent_to_nobody() -> anyhow::Result<()> {
    let mut world = world(minutes(30)).await?;
    let mut received = Vec::new();
    world.listen(minutes(5), &mut received).await;
    world.restart_after(minutes(50)).await?;
    let back = world.now().plus(TICK);
    world.listen(minutes(15), &mut received).await;

    let lists = lists_of(&world, "2025-11-03T00:30:00Z", "2025-11-03T01:40:00Z").await?;
    let pages = lists.iter().filter(|told| told.what == "page").map(Told::slo);
    assert_eq!(pages.collect::<Vec<_>>(), ["front/reachable", "journey/order"]);
    let holds = lists.into_iter().filter(|told| told.what == "ticket").map(|told| Told { at: back, ..told });
    let holds: Vec<Told> = holds.collect();
    assert_eq!(holds.iter().map(Told::slo).collect::<Vec<_>>(), ["front/reachable"], "a ticket looks back for hours");
    assert_same(&holds, &sent(&world).await?, TICK, "a daemon that was down");
    assert_received(&holds, &received, TICK, "a daemon that was down");
    Ok(())
}
