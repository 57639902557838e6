//! Versions of a definition live side by side: a changed target is computed anew from the same ledger, and what was known by an earlier version stays to be
//! asked for.

use burnward::{definition::Removals, web::api::wire::instant};
use burnward_core::time::{Timestamp, hours, minutes};
use burnward_integration_tests::{
    binary::burnward,
    world::{World, availability},
};
use serde_json::{Value, json};

use super::{beginning, checkout};

/// An hour in which one request in two hundred fails, too few for a page.
async fn world(definition: &str) -> anyhow::Result<World> {
    let from = beginning();
    let history = checkout(from).tenant("acme", 20).failing(from.plus(hours(1))..from.plus(hours(2)), 5);
    let world = World::open(&[history], from.plus(hours(1)), &[("checkout.yaml", definition)]).await?;
    world.fast_forward(minutes(90)).await;
    Ok(world)
}

/// One budget, without alerts.
fn with(target: &str, bad: &str) -> String {
    let quiet = format!("target: {target}\n        alerting: none");
    availability("checkout").replace("target: 99.9%", &quiet).replace("5..", bad)
}

async fn reload(world: &World, definition: &str) -> anyhow::Result<()> {
    world.define("checkout.yaml", Some(definition))?;
    world.handle().reload(Removals::Guarded).await?;
    world.fast_forward(minutes(1)).await;
    Ok(())
}

/// The figures of the budget at a moment, without what names the moment.
async fn figures(world: &World, at: Timestamp, known: &str) -> anyhow::Result<Value> {
    let explained = world.get(&format!("/api/v1/slos/checkout/availability/explain?at={}&figures={known}", instant(at))).await?;
    let figures = &explained["budgets"][0]["figures"];
    let told = ["target_percent", "good", "bad", "sli_ratio", "left_ratio", "left_seconds", "budget_seconds", "coverage_ratio"];
    Ok(told.into_iter().map(|key| (key.to_owned(), figures[key].clone())).collect::<serde_json::Map<_, _>>().into())
}

#[tokio::test]
async fn a_changed_target_is_computed_from_the_same_ledger_as_if_it_had_always_been() -> anyhow::Result<()> {
    let (mut changed, always) = (world(&with("99.9%", "5..")).await?, world(&with("99%", "5..")).await?);
    let moment = changed.now().minus(minutes(1));
    let before = figures(&changed, moment, "as-corrected").await?;
    assert_ne!(before["left_ratio"], figures(&always, moment, "as-corrected").await?["left_ratio"]);
    reload(&changed, &with("99%", "5..")).await?;
    always.fast_forward(minutes(1)).await;
    for restarted in [false, true] {
        for at in [moment, changed.now(), moment.minus(minutes(20))] {
            let (this, that) = (figures(&changed, at, "as-corrected").await?, figures(&always, at, "as-corrected").await?);
            assert_eq!(this, that, "after a restart: {restarted}");
        }
        // What was known then was judged by the version of then.
        assert_eq!(figures(&changed, moment, "as-known-then").await?, before, "after a restart: {restarted}");
        let told = changed.get(&format!("/api/v1/slos/checkout/availability/explain?at={}", instant(moment))).await?;
        assert!(told["ran_then"]["version"].is_string() && told["ran_then"]["version"] != told["slo"]["version"], "{}", told["ran_then"]);
        let status = changed.get(&format!("/api/v1/status?at={}", instant(moment))).await?;
        assert_eq!(status["budgets"][0]["target_percent"], json!("99.9"));
        changed.restart().await?;
        changed.fast_forward(minutes(1)).await;
        always.fast_forward(minutes(1)).await;
    }
    Ok(())
}

#[tokio::test]
async fn a_changed_expression_counts_anew_and_leaves_what_was_counted_before() -> anyhow::Result<()> {
    let mut world = world(&with("99.9%", "5..")).await?;
    let moment = world.now().minus(minutes(5));
    let before = figures(&world, moment, "as-corrected").await?;
    assert!(before["bad"].as_f64() > Some(0.0), "{before}");
    // By the new one nothing fails.
    reload(&world, &with("99.9%", "4..")).await?;
    let changed_at = world.now();
    world.fast_forward(minutes(30)).await;
    for restarted in [false, true] {
        for known in ["as-corrected", "as-known-then"] {
            assert_eq!(figures(&world, moment, known).await?, before, "{known} after a restart: {restarted}");
        }
        let since = world.counted("checkout", "availability", "acme", changed_at.plus(minutes(1)), changed_at.plus(minutes(25))).await;
        assert!(since.good > 0 && since.bad == 0, "{since:?}");
        world.restart().await?;
        world.fast_forward(minutes(1)).await;
    }
    Ok(())
}

#[tokio::test]
async fn what_was_counted_in_minutes_then_is_told_and_drawn_in_minutes() -> anyhow::Result<()> {
    let named = with("99.9%", "5..").replace("window: 30d", "window: 30d\n        name: sla");
    let sliced = named.replace("window: 30d", "window: 30d\n        counted-in: { slices: 1m, good-if-at-least: 99.9% }");
    let world = world(&sliced).await?;
    let moment = world.now().minus(minutes(5));
    let before = figures(&world, moment, "as-corrected").await?;
    assert!(before["bad"].as_i64().is_some_and(|seconds| seconds > 0 && seconds % 60 == 0), "{before}");
    reload(&world, &named).await?;
    assert_eq!(figures(&world, moment, "as-known-then").await?, before);
    assert_ne!(figures(&world, moment, "as-corrected").await?["bad"], before["bad"], "it is counted in events now");
    let drawn = world.get(&format!("/api/v1/slos/checkout/availability/burn-down?at={}&figures=as-known-then", instant(moment))).await?;
    let points = drawn["points"].as_array().cloned().unwrap_or_default();
    assert_eq!(Some(points.iter().filter_map(|point| point["bad"].as_i64()).sum::<i64>()), before["bad"].as_i64(), "{drawn}");
    Ok(())
}

/// What `burnward diff` says of a file against the daemon of this world, with its exit code.
async fn diff(world: &World, text: &str) -> anyhow::Result<(Option<i32>, String)> {
    diff_by(world, text, None).await
}

/// The same by a configuration at hand.
async fn diff_by(world: &World, text: &str, config: Option<&str>) -> anyhow::Result<(Option<i32>, String)> {
    let directory = tempfile::tempdir()?;
    if let Some(config) = config {
        std::fs::write(directory.path().join("burnward.yaml"), config)?;
    }
    std::fs::write(directory.path().join("checkout.yaml"), text)?;
    let mut command = std::process::Command::new(burnward()?);
    command.current_dir(directory.path()).args(["diff", "checkout.yaml", "--server", &world.web()]);
    // The daemon of this world answers on the test's own thread.
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    Ok((output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))))
}

#[tokio::test]
async fn what_a_file_changes_is_told_before_a_reload_and_nothing_after_it() -> anyhow::Result<()> {
    let world = world(&with("99.9%", "5..")).await?;
    let next = with("99%", "500");
    let (code, told) = diff(&world, &next).await?;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("99.9% -> 99%\n"), "{told}");
    assert!(told.contains("code=~\"5..\"") && told.contains("code=~\"500\""), "{told}");
    reload(&world, &next).await?;
    assert_eq!(diff(&world, &next).await?, (Some(0), "No SLO differs.\n".to_owned()));
    Ok(())
}

#[tokio::test]
async fn what_would_not_load_is_told_with_what_runs_on_and_teams_are_compared_with_those_that_run() -> anyhow::Result<()> {
    let world = world(&availability("checkout")).await?;
    let team = |name: &str| {
        format!(
            "version: burnward/v1\npeople: {{ zoe: {{ email: zoe@example.com }} }}\nteams: {{ {name}: {{ channel: \"#pay\", escalation: [{{ page: [zoe] }}] }} }}\n"
        )
    };
    let (code, told) = diff_by(&world, &availability("checkout"), Some(&team("others"))).await?;
    assert_eq!(code, Some(2), "{told}");
    assert!(
        told.contains("error[E1023]") && told.contains("Of checkout.yaml the version before runs on: checkout/availability."),
        "{told}"
    );
    let (code, told) = diff_by(&world, &availability("checkout"), Some(&team("payments"))).await?;
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("~ team payments\n") && told.contains(" -> zoe within 5 min\n"), "{told}");
    assert!(told.contains("Paged that were not before: zoe.\n") && told.ends_with("No SLO differs; 1 team differs.\n"), "{told}");
    Ok(())
}
