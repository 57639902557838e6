//! A backtest of a week lists the pages that were sent in it: from the source, from a recorded file, and as the documentation shows it.

use std::{path::Path, process::Command, time::Duration};

use burnward::replay::{Alarm, Alarms, Calls};
use burnward::store::NewEvent;
use burnward_core::{
    incident::Facts,
    time::{Timestamp, days, minutes},
};
use burnward_integration_tests::{
    binary::burnward,
    shop_week::{INCIDENTS, MONDAY, openmetrics},
    world::World,
};
use serde_json::Value;

/// The tick of the week's daemon: a week has ten thousand of them.
const TICK: Duration = minutes(1);

const DOCUMENTATION: &str = include_str!("../../../docs/backtest.md");

/// The shop's SLOs as they are shipped, told to the team of the stories.
fn definitions() -> String {
    let shipped = include_str!("../../../slo-definitions/shop/shop.yaml");
    let document = shipped.split("\ntests:").next().expect("a document");
    let lines = document.lines().filter(|line| !line.trim_start().starts_with("runbook:"));
    lines.map(|line| line.replace("team: shop", "team: payments") + "\n").collect()
}

/// What is the same of a page, whoever tells of it: the alert, its row, its incident, whether somebody was called; and when it fired.
pub(crate) type Page = (String, Option<String>, String, bool, Timestamp);

fn page(alarm: &Alarm) -> Page {
    let row = match &alarm.facts {
        Facts::Burn(burn) => Some(burn.fired.row.factor.as_f64().to_string()),
        Facts::Blind(_) | Facts::Test(_) => None,
    };
    let calls = matches!(alarm.calls, Calls::People { .. });
    (alarm.alert.to_string(), row, alarm.incident.to_string(), calls, alarm.at)
}

/// The pages and tickets that the daemon sent, by the events in its store.
pub(crate) async fn sent(world: &World) -> anyhow::Result<Vec<Page>> {
    let mut alarms = Alarms::new();
    for stored in world.stored_incidents().await? {
        let incident = stored.incident;
        let events: Vec<NewEvent> = stored
            .events
            .into_iter()
            .map(|event| NewEvent {
                incident: incident.id.clone(),
                fault: incident.fault.clone(),
                ordinal: incident.ordinal,
                event,
                phase: "",
            })
            .collect();
        alarms.take(&events);
    }
    Ok(sorted(alarms.all().iter().map(page).collect()))
}

fn sorted(mut pages: Vec<Page>) -> Vec<Page> {
    pages.sort_by(|a, b| (a.4, &a.0, &a.2).cmp(&(b.4, &b.0, &b.2)));
    pages
}

pub(crate) fn listed(backtest: &Value) -> anyhow::Result<Vec<Page>> {
    let alerts = backtest["tenants"][0]["runs"][0]["alerts"].as_array().expect("a list");
    let page = |alert: &Value| {
        let text = |key: &str| alert[key].as_str().map(ToOwned::to_owned);
        let at: jiff::Timestamp = alert["at"].as_str().unwrap_or_default().parse()?;
        let row = alert["burn_rate"].as_f64().map(|row| row.to_string());
        let calls = alert["calls_people"].as_bool().unwrap_or_default();
        let (alert, incident) = (text("alert").unwrap_or_default(), text("incident").unwrap_or_default());
        Ok((alert, row, incident, calls, Timestamp::from_millis(at.as_millisecond())))
    };
    Ok(sorted(alerts.iter().map(page).collect::<anyhow::Result<_>>()?))
}

/// The same alerts, rows, incidents and calls, each within one tick.
fn assert_same(listed: &[Page], sent: &[Page], from: &str) {
    let what = |pages: &[Page]| {
        pages.iter().map(|(alert, row, incident, calls, _)| (alert.clone(), row.clone(), incident.clone(), *calls)).collect::<Vec<_>>()
    };
    assert_eq!(what(listed), what(sent), "{from}");
    for (listed, sent) in listed.iter().zip(sent) {
        let apart = listed.4.since(sent.4).max(sent.4.since(listed.4));
        assert!(apart <= TICK, "{from}: {} at {:?}, and it was sent at {:?}", listed.0, listed.4, sent.4);
    }
}

async fn backtest(config: &Path, more: &[&str]) -> anyhow::Result<String> {
    run(config, &[&["--from", "2025-11-03T00:00:00Z", "--to", "2025-11-10T00:00:00Z"], more].concat()).await
}

/// What `burnward backtest` prints.
pub(crate) async fn run(config: &Path, args: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(burnward()?);
    command.args(["backtest", "--config.file"]).arg(config).args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test]
async fn a_backtest_of_a_week_lists_exactly_the_pages_that_were_sent() -> anyhow::Result<()> {
    let text = openmetrics();
    let world = World::open_text(&text, MONDAY, TICK, &[("shop.yaml", &definitions())]).await?;
    world.fast_forward(days(7)).await;
    let sent = sent(&world).await?;
    assert!(sent.iter().filter(|page| page.3).count() >= 6, "a week with pages: {sent:#?}");

    let config = world.config_file();
    let of_source: Value = serde_json::from_str(&backtest(&config, &["-o", "json"]).await?)?;
    assert_same(&listed(&of_source)?, &sent, "source");

    let recorded = config.with_file_name("week.om");
    std::fs::write(&recorded, &text)?;
    let file = recorded.display().to_string();
    let of_file: Value = serde_json::from_str(&backtest(&config, &["-o", "json", "--recorded", &file]).await?)?;
    assert_same(&listed(&of_file)?, &sent, "recorded file");

    let marked = config.with_file_name("incidents.yaml");
    std::fs::write(&marked, INCIDENTS)?;
    let marked = marked.display().to_string();
    let shown = backtest(&config, &["--recorded", &file, "--incidents", &marked, "--what-if", "target=99.5,99.95"]).await?;
    let documented = DOCUMENTATION.split("```text\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap_or_default();
    assert_eq!(shown.trim_end(), documented, "docs/backtest.md shows the week; it is\n{shown}");
    Ok(())
}
