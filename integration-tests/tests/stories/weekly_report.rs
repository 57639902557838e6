//! The report of a week shows a burn, the incident that explains it and what it cost people: on the command line, on the page, as CSV and as Markdown.

use std::{collections::BTreeMap, process::Command};

use burnward::report::words as told;
use burnward_core::{
    incident,
    time::{Timestamp, days, hours, minutes},
    words::whole_percent,
};
use burnward_integration_tests::{
    binary::burnward,
    history::History,
    world::{World, availability},
};
use serde_json::Value;

/// The last whole week before now, from Monday to Monday in UTC; the epoch was a Thursday.
pub(crate) fn monday() -> Timestamp {
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

    // 20 % of 20 requests a second for 20 min are 4,800 failures; of 30 days of such traffic one in a thousand may fail.
    let report: Value = serde_json::from_str(&report(&world, &["-o", "json"]).await?)?;
    let worst = &report["budgets"][0];
    assert_eq!(worst["group"][0][1], "acme", "worst first: {worst}");
    let allowed = f64::from(30 * 86_400 * 20) / 1_000.0;
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

    every_form_shows_the_same(&world, &report).await
}

/// The same figures of every budget stand in every form, to the digit that the form shows.
async fn every_form_shows_the_same(world: &World, told: &Value) -> anyhow::Result<()> {
    let table = report(world, &[]).await?;
    let markdown = report(world, &["-o", "md"]).await?.replace('\\', "");
    let csv = report(world, &["-o", "csv"]).await?;
    let page = reqwest::get(format!("{}/reports/week", world.web())).await?.text().await?;
    let of_page: Value = reqwest::get(format!("{}/reports/week.json", world.web())).await?.json().await?;
    assert_eq!(of_page["budgets"], told["budgets"], "the command and the page have one JSON");
    let records = records(&csv);
    assert_eq!(records.len(), told["budgets"].as_array().map_or(0, Vec::len), "{csv}");
    for budget in told["budgets"].as_array().expect("a list") {
        let group = budget["group"][0][1].as_str().expect("a group");
        let record = records.iter().find(|record| record["group"] == group).expect("a line of the CSV");
        same_numbers(record, budget);
        let line = |text: &str, cut: &str, of: &str| text.split(cut).find(|part| part.contains(of)).unwrap_or_default().to_owned();
        for (form, row) in [
            ("table", line(&table, "\n", &format!("availability{{{group}}}"))),
            ("Markdown", line(&markdown, "\n", &format!("| {group} |"))),
            ("page", line(&page, "<tr", &format!("<bdi>{group}</bdi>"))),
        ] {
            for words in words_of(budget) {
                assert!(row.contains(&words), "{form} of {group} does not say `{words}`: {row}");
            }
        }
        let key = budget["key"].as_str().expect("a key");
        let at = told["to"].as_str().expect("an end");
        let slo = reqwest::get(format!("{}/slos/checkout/availability?budget={key}&at={at}", world.web())).await?.text().await?;
        assert!(slo.contains(&words_of(budget)[0]), "the page of {group} at the week's end: {slo}");
    }
    for (form, text) in [("table", &table), ("Markdown", &markdown), ("page", &page)] {
        assert!(text.contains("checkout-burn-1") && text.contains("payments"), "{form}: {text}");
    }
    Ok(())
}

/// What a form for people says of a budget: first what is left.
fn words_of(budget: &Value) -> Vec<String> {
    let number = |key: &str| budget[key].as_f64();
    let change = match (number("change_ratio"), number("change_seconds")) {
        (Some(ratio), Some(seconds)) => told::change(ratio, seconds),
        (_, _) => budget["no_change"].as_str().unwrap_or_default().to_owned(),
    };
    let left = number("left_ratio").expect("a figure");
    vec![
        format!("{} left", whole_percent(left)),
        budget["verdict"].as_str().unwrap_or_default().to_owned(),
        change,
        told::spent(number("spent_ratio"), budget["no_spent"].as_str()),
        told::seen(number("seen_ratio").unwrap_or_default(), number("coverage_ratio").unwrap_or_default(), None),
    ]
}

/// The numbers of a line of the CSV are those of the JSON.
fn same_numbers(record: &BTreeMap<String, String>, budget: &Value) {
    for (column, key, factor) in [
        ("left_percent", "left_ratio", 100.0),
        ("left_minutes", "left_seconds", 1.0 / 60.0),
        ("budget_minutes", "budget_seconds", 1.0 / 60.0),
        ("change_percent", "change_ratio", 100.0),
        ("change_minutes", "change_seconds", 1.0 / 60.0),
        ("failed_in_week", "failed_in_week", 1.0),
        ("total_in_week", "total_in_week", 1.0),
        ("spent_percent", "spent_ratio", 100.0),
        ("seen_percent", "seen_ratio", 100.0),
        ("coverage_percent", "coverage_ratio", 100.0),
    ] {
        let (cell, number) = (record[column].parse::<f64>().ok(), budget[key].as_f64());
        let same = match (cell, number) {
            (Some(cell), Some(number)) => (cell - number * factor).abs() <= 1e-6 * (1.0 + cell.abs()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        assert!(same, "{column} is {cell:?}, {key} {number:?}: {budget}");
    }
    assert_eq!((record["verdict"].as_str(), record["state"].as_str()), (text(budget, "verdict"), text(budget, "state")));
}

fn text<'a>(budget: &'a Value, key: &str) -> &'a str {
    budget[key].as_str().unwrap_or_default()
}

/// The lines of a CSV by the names of its columns.
fn records(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = csv.lines().map(cells);
    let names = lines.next().unwrap_or_default();
    lines.map(|cells| names.iter().cloned().zip(cells).collect()).collect()
}

/// The cells of a line, quotes taken off.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().expect("there is one").push(c),
        }
    }
    cells
}

/// What the command line prints.
async fn report(world: &World, args: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(burnward()?);
    command.args(["report", "week", "--server", &world.web()]).args(args);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
