//! Which minutes were down stands by name on the SLO's page and in the API, for the present week and for one that has ended, before and after the
//! ledger was compacted.

use burnward::report::words::utc;
use burnward_core::{
    time::{Timestamp, days, hours, minutes},
    words,
};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};
use serde_json::Value;

use crate::weekly_report::monday;

/// The SLO of stories with an objective in minutes of a week beside it.
fn with_minutes() -> String {
    let counted = "counted-in: { slices: 1m, good-if-at-least: 99% }";
    let minutes = format!("      - {{ name: sla, target: 99.5%, window: calendar week, timezone: UTC, {counted}, alerting: none }}\n");
    availability("checkout").replace("        window: 30d\n", &format!("        window: 30d\n{minutes}"))
}

async fn json(world: &World, path: &str) -> anyhow::Result<Value> {
    Ok(reqwest::get(format!("{}{path}", world.web())).await?.error_for_status()?.json().await?)
}

/// The budget in minutes of a group.
async fn key(world: &World, group: &str) -> anyhow::Result<String> {
    let status = json(world, "/api/v1/status").await?;
    let of = |budget: &&Value| budget["objective"] == "sla" && budget["group"][0][1] == group;
    let key = status["budgets"].as_array().and_then(|all| all.iter().find(of)).and_then(|budget| budget["key"].as_str());
    Ok(key.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn the_minutes_that_were_down_are_named_also_in_a_week_that_has_ended() -> anyhow::Result<()> {
    let monday = monday();
    let fault = monday.plus(hours(3 * 24 + 3))..monday.plus(hours(3 * 24 + 3)).plus(minutes(20));
    let end = monday.plus(hours(7 * 24 + 8));
    let history = History::of("checkout", monday.minus(days(1)), end.plus(hours(2)))
        .tenant("acme", 20)
        .failing(fault.clone(), 200)
        .tenant("globex", 20);
    let world = World::open(&[history], fault.start.minus(minutes(10)), &[("checkout.yaml", &with_minutes())]).await?;
    world.fast_forward(minutes(40)).await;
    let (acme, globex) = (key(&world, "acme").await?, key(&world, "globex").await?);
    let path = "/api/v1/slos/checkout/availability";
    the_fault_stands_there(&json(&world, &format!("{path}/downtime?budget={acme}")).await?, fault.start);

    world.pass(end.since(world.now())).await?;
    let present = json(&world, &format!("{path}/downtime?budget={acme}")).await?;
    assert_eq!(present["spells"].as_array().map(Vec::len), Some(0), "{present}");
    let explained = json(&world, &format!("{path}/explain?budget={acme}")).await?;
    let period = &explained["budgets"][0]["period"];
    let earlier = period["earlier"].as_str().expect("an instant");
    assert_eq!((period["ended"].as_bool(), earlier), (Some(false), utc(monday.plus(days(7))).as_str()), "{period}");
    let report = json(&world, "/api/v1/reports/week").await?;
    let week = report["week"].as_str().expect("a name");

    for compacted in [false, true] {
        if compacted {
            burnward::tasks::tidy::tick(world.handle(), world.now()).await;
        }
        let ended = json(&world, &format!("{path}/downtime?budget={acme}&at={earlier}")).await?;
        the_fault_stands_there(&ended, fault.start);
        let explained = json(&world, &format!("{path}/explain?budget={acme}&at={earlier}")).await?;
        let budget = &explained["budgets"][0];
        assert_eq!(ended["bad_seconds"].as_f64(), budget["figures"]["bad"].as_f64(), "the spells are the budget's downtime: {budget}");
        assert_eq!((budget["period"]["ended"].as_bool(), &budget["period"]["later"]), (Some(true), &Value::Null));
        let calm = json(&world, &format!("{path}/downtime?budget={globex}&at={earlier}")).await?;
        assert!(calm["spells"].as_array().is_some_and(|spells| spells.iter().all(|spell| spell["verdict"] == "unseen")), "{calm}");

        let page = reqwest::get(format!("{}/slos/checkout/availability?budget={acme}&at={earlier}", world.web())).await?.text().await?;
        let down = words::duration(std::time::Duration::from_secs_f64(ended["bad_seconds"].as_f64().unwrap_or_default()));
        for told in
            ["Earlier period", "Later period", &format!("{down} of downtime in 1 spell"), &format!("<strong>{week}, UTC</strong> (ended)")]
        {
            assert!(page.contains(told), "{told}: {page}");
        }
    }
    Ok(())
}

/// One spell of twenty minutes, from the minute in which the fault began.
fn the_fault_stands_there(downtime: &Value, began: Timestamp) {
    let bad: Vec<&Value> = downtime["spells"].as_array().expect("a list").iter().filter(|spell| spell["verdict"] == "bad").collect();
    let [spell] = bad.as_slice() else { panic!("{downtime}") };
    assert!([began, began.plus(minutes(1))].iter().any(|from| spell["from"] == utc(*from)), "{spell}");
    let slices = spell["slices"].as_f64().expect("a number");
    assert!((20.0..=21.0).contains(&slices) && spell["seconds"].as_f64() == Some(slices * 60.0), "{spell}");
}
