//! A journey over two services burns because of one of them: the page names that one, and so do its page, `explain` and the API.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::{
    binary::burnward,
    history::History,
    world::{World, availability},
};
use serde_json::Value;

use super::beginning;

const JOURNEY: &str = "version: burnward/v1
service: shop
team: payments
slos:
  - name: buy
    title: Customers can find something and pay
    sli:
      composite:
        all-of:
          - { slo: search/availability, good-if-at-least: 99% }
          - { slo: checkout/availability, good-if-at-least: 99% }
    per: [tenant]
    objectives:
      - target: 99.9%
        window: 30d
        alerting: page
";

/// The member's own SLO, which tells nobody: what is told is the journey's.
fn quiet(service: &str) -> String {
    availability(service).replace("window: 30d\n", "window: 30d\n        alerting: none\n")
}

async fn get(world: &World, path: &str) -> anyhow::Result<String> {
    Ok(reqwest::get(format!("{}{path}", world.web())).await?.error_for_status()?.text().await?)
}

#[tokio::test]
async fn a_broken_step_of_a_journey_pages_by_name() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(2))..from.plus(hours(3));
    let (start, end) = (from, from.plus(hours(5)));
    let search = History::of("search", start, end).tenant("acme", 20);
    let checkout = History::of("checkout", start, end).tenant("acme", 20).failing(fault.clone(), 200);
    let documents = [("search.yaml", &*quiet("search")), ("checkout.yaml", &*quiet("checkout")), ("journey.yaml", JOURNEY)];
    let mut world = World::open(&[search, checkout], fault.start.minus(minutes(30)), &documents).await?;
    world.fast_forward(minutes(29)).await;
    assert_eq!(world.states("shop").await?, ["OK"]);
    assert!(world.incidents().await?.is_empty());

    world.fast_forward(minutes(6)).await;
    assert_eq!(world.incidents().await?, ["shop-burn-1"]);
    let pages = world.pages("shop-burn-1").await?;
    assert!(pages.iter().all(|page| page.text.contains("broken by checkout/availability")), "{pages:?}");
    assert!(pages.iter().all(|page| !page.text.contains("search/availability")), "{pages:?}");

    world.restart().await?;
    world.fast_forward(minutes(1)).await;
    assert_eq!(world.states("shop").await?, ["BURNING"]);
    let status: Value = serde_json::from_str(&get(&world, "/api/v1/status").await?)?;
    let budgets = status["budgets"].as_array().expect("a list");
    let journey = budgets.iter().find(|budget| budget["service"] == "shop").expect("the journey");
    let members: Vec<(&str, bool)> = journey["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| (member["slo"].as_str().expect("a name"), member["bad"] == journey["bad"] && member["bad"] != 0))
        .collect();
    assert_eq!(members, [("search/availability", false), ("checkout/availability", true)], "{journey}");
    let page = get(&world, "/slos/shop/buy").await?;
    for told in ["Members of this journey", "checkout/availability", "slices of 1 min", "Nothing is asked for a journey itself"] {
        assert!(page.contains(told), "{told}: {page}");
    }

    every_form_of_the_week_says_what_broke_it(&world).await?;
    an_exclusion_says_what_it_leaves(&world).await?;

    // It is over when the member is well again, minute by minute.
    world.fast_forward(minutes(100)).await;
    assert!(!world.incident("shop-burn-1").await?.is_open());
    Ok(())
}

async fn every_form_of_the_week_says_what_broke_it(world: &World) -> anyhow::Result<()> {
    let week = jiff::Timestamp::from_millisecond(world.now().millis())?.to_zoned(jiff::tz::TimeZone::UTC).strftime("%G-W%V").to_string();
    let report: Value = serde_json::from_str(&get(world, &format!("/api/v1/reports/week?week={week}")).await?)?;
    let budgets = report["budgets"].as_array().expect("a list");
    let journey = budgets.iter().find(|budget| budget["service"] == "shop").expect("the journey");
    let members = journey["members"].as_array().expect("members");
    let names: Vec<&str> = members.iter().filter_map(|member| member["slo"].as_str()).collect();
    assert_eq!(names, ["checkout/availability", "search/availability"], "what cost most first: {journey}");
    let bad = members[0]["bad"].as_u64().expect("slices");
    assert!(bad > 0 && members[0]["journey_bad"] == members[0]["bad"] && members[1]["bad"] == 0, "{journey}");
    assert!(budgets.iter().filter(|budget| budget["service"] != "shop").all(|budget| budget["members"].is_null()), "{report}");

    let words = format!("{bad} of {bad} bad slice{}", if bad == 1 { "" } else { "s" });
    for form in ["/reports/week", "/reports/week.md", "/reports/week.csv"] {
        let text = get(world, &format!("{form}?week={week}")).await?.replace('\\', "");
        assert!(text.contains(&words) && text.contains("checkout/availability"), "{form} does not say `{words}`: {text}");
    }
    let text = run(world, &["report", "week", "--week", &week]).await?;
    assert!(text.contains("COST IT IN THE WEEK") && text.contains(&words), "{text}");
    Ok(())
}

async fn an_exclusion_says_what_it_leaves(world: &World) -> anyhow::Result<()> {
    let hour = |hours_ahead| anyhow::Ok(jiff::Timestamp::from_millisecond(world.now().plus(hours(hours_ahead)).millis())?.to_string());
    let (from, to) = (hour(47)?, hour(48)?);
    for (slo, says) in [
        ("checkout/availability", "the journey shop/buy stays as it is, for its users felt checkout/availability"),
        ("shop/buy", "the budgets of what shop/buy is made of stay as they are: search/availability, checkout/availability"),
    ] {
        let told = ["exclusion", "add", "--slo", slo, "--from", &from, "--to", &to, "--reason", "a drill", "--approver", "sam"];
        let text = run(world, &told).await?;
        assert!(text.contains(&format!("beside    {says}")), "{text}");
    }
    Ok(())
}

/// What a command says, as a person runs it.
async fn run(world: &World, words: &[&str]) -> anyhow::Result<String> {
    let mut command = tokio::process::Command::new(burnward()?);
    let output = command.args(words).args(["--server", &world.web()]).output().await?;
    anyhow::ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
