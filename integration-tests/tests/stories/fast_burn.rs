//! A fast burn pages the person on call, once, whatever the number of tenants; recovery resolves it while slower rows still hold.

use burnward_core::{
    incident::Phase,
    time::{hours, minutes},
};
use burnward_integration_tests::{
    history::{History, SCRAPE},
    world::{World, availability},
};

use super::{beginning, checkout};

#[tokio::test]
async fn a_fast_burn_of_three_tenants_pages_the_person_on_call_once() -> anyhow::Result<()> {
    let from = beginning();
    // Seven hours of history before it: more than the six of the second row's long lookback.
    let fault = from.plus(hours(7))..from.plus(hours(7)).plus(minutes(20));
    let history = History::of("checkout", from, from.plus(hours(8)))
        .tenant("acme", 20)
        .failing(fault.clone(), 200)
        .tenant("globex", 20)
        .failing(fault.clone(), 200)
        .tenant("initech", 20)
        .failing(fault.clone(), 200)
        .tenant("umbrella", 20);
    let world = World::open(&[history], fault.start.minus(minutes(10)), &[("checkout.yaml", &availability("checkout"))]).await?;

    world.fast_forward(minutes(10)).await;
    assert_eq!(world.incidents().await?, Vec::<String>::new(), "nothing fails yet");

    world.fast_forward(minutes(6)).await;
    // The ticket rows stand for 10 % of the budget, which 200x spends in 21 m 36 s, however short the history is.
    assert_eq!(world.incidents().await?, ["checkout-burn-1"]);
    let incident = world.incident("checkout-burn-1").await?;
    assert_eq!(incident.group_names(), ["acme", "globex", "initech"]);
    // 20 % failing is a burn of 200: the row 14.4x over 1 h holds after 14.4 / 200 of an hour, 4 m 19 s, and is seen with the next sample.
    let took = incident.opened_at.since(fault.start);
    assert!(took > minutes(4) && took <= minutes(5), "opened after {took:?}");

    let pages = world.pages("checkout-burn-1").await?;
    let texts: Vec<&str> = pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(pages.len(), 2, "one post in the team's channel, one to ada: {texts:?}");
    assert!(texts.iter().all(|text| text.contains("checkout") && text.contains("acme")), "{texts:?}");
    Ok(())
}

#[tokio::test]
async fn recovery_resolves_the_page_while_the_ticket_still_holds() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(1)).plus(minutes(15));
    let history = checkout(from).tenant("acme", 20).failing(fault.clone(), 300);
    let world = World::open(&[history], fault.start, &[("checkout.yaml", &availability("checkout"))]).await?;

    world.fast_forward(minutes(15)).await;
    assert!(world.incident("checkout-burn-1").await?.is_open());
    // The short lookback of the fastest row, 5 min, must fall under the lowest page factor, and the 6x row's 30 min under its own.
    world.fast_forward(minutes(40)).await;
    let page = world.incident("checkout-burn-1").await?;
    assert!(matches!(page.phase, Phase::Resolved { .. }), "{:?}", page.phase);
    let ticket = world.incident("checkout-ticket-1").await?;
    assert!(ticket.is_open(), "1x over 3 days still holds");
    Ok(())
}

/// A fault of six minutes, which the row over an hour holds for after more than four: it is told since when it fails, and not since when the row holds; and
/// somebody who says that it was none gives back all that it spent, what came before the page too.
#[tokio::test]
async fn a_page_says_since_when_it_fails_and_a_false_positive_gives_back_all_of_it() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(7))..from.plus(hours(7)).plus(minutes(6));
    let history = History::of("checkout", from, from.plus(hours(9))).tenant("acme", 20).failing(fault.clone(), 200);
    let world = World::open(&[history], fault.start.minus(minutes(10)), &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(16)).await;
    let incident = world.incident("checkout-burn-1").await?;
    assert!(incident.began.since(fault.start) <= SCRAPE && fault.start.since(incident.began) <= SCRAPE, "began {:?}", incident.began);
    for page in world.pages("checkout-burn-1").await? {
        assert!(page.text.contains("for 4 min"), "{}", page.text);
    }

    world.fast_forward(hours(1)).await;
    assert!(matches!(world.incident("checkout-burn-1").await?.phase, Phase::Resolved { .. }));
    let budget = async || anyhow::Ok(world.get("/api/v1/status").await?["budgets"][0].clone());
    let spent = i64::try_from(fault.end.since(fault.start).as_secs())? * 4;
    assert_eq!(budget().await?["bad"], spent);
    let marked = reqwest::Client::new()
        .post(format!("{}/api/v1/incidents/checkout-burn-1/false-positive", world.web()))
        .header("origin", world.web())
        .json(&serde_json::json!({ "reason": "a load test", "approver": "sam" }))
        .send()
        .await?;
    let (status, answer) = (marked.status(), marked.text().await?);
    assert!(status.is_success(), "{status}: {answer}");
    // Figures are those of the last round.
    world.fast_forward(SCRAPE).await;
    let after = budget().await?;
    assert_eq!((&after["bad"], &after["left_ratio"]), (&serde_json::json!(0), &serde_json::json!(1.0)), "{after:#}");
    Ok(())
}
