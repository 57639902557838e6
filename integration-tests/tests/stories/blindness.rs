//! When the source cannot be asked, burnward says that it cannot see; afterwards the ledger is as if nothing had happened.

use std::time::Duration;

use burnward::web::api::wire::instant;
use burnward_core::{
    ledger::Counts,
    time::{Timestamp, hours, minutes},
};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};

use super::{beginning, checkout};

const CUT: u64 = 5;

/// A world that lives through an hour; in the middle its source's API is cut for five minutes where `cut` is set.
async fn an_hour(cut: bool, scraped: bool) -> anyhow::Result<(World, Timestamp, Timestamp)> {
    let from = beginning();
    let (start, gap) = (from.plus(hours(1)), from.plus(hours(1)).plus(minutes(20)));
    let mut history = checkout(from).tenant("acme", 20).failing(from.plus(minutes(30))..from.plus(hours(6)), 1).tenant("globex", 7);
    if !scraped {
        history = history.not_scraped(gap..gap.plus(minutes(CUT)));
    }
    let world = World::open(&[history], start, &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(20)).await;
    world.proxy.cut(cut);
    world.fast_forward(minutes(CUT)).await;
    if cut {
        assert!(world.incident("prom-cannot-see-1").await?.is_open(), "a blind source is a page of its own kind");
        let states = world.states("checkout").await?;
        assert!(states.iter().all(|state| *state == "CANNOT SEE"), "{states:?}");
    }
    world.proxy.cut(false);
    world.fast_forward(minutes(35)).await;
    Ok((world, from, start.plus(hours(1))))
}

#[tokio::test]
async fn an_api_that_was_cut_for_five_minutes_leaves_no_trace_in_the_ledger() -> anyhow::Result<()> {
    let (cut, from, to) = an_hour(true, true).await?;
    let (whole, _, _) = an_hour(false, true).await?;

    assert_eq!(cut.incidents().await?, ["prom-cannot-see-1"], "one page for the source, none for its SLOs");
    assert!(!cut.incident("prom-cannot-see-1").await?.is_open(), "and it ends when the source answers");
    assert_eq!(whole.incidents().await?, Vec::<String>::new());
    let settled = to.minus(minutes(5));
    for tenant in ["acme", "globex"] {
        let slices = |slices: Vec<(Timestamp, Counts)>| slices.into_iter().filter(|(_, counts)| !counts.is_zero()).collect::<Vec<_>>();
        let with = slices(cut.slices("checkout", "availability", tenant, from, settled).await);
        let without = slices(whole.slices("checkout", "availability", tenant, from, settled).await);
        assert!(with.len() > 100, "only {} slices", with.len());
        assert_eq!(with, without, "{tenant}");
    }
    Ok(())
}

#[tokio::test]
async fn a_prometheus_that_stood_still_for_five_minutes_loses_no_event() -> anyhow::Result<()> {
    let (stopped, from, to) = an_hour(true, false).await?;
    let (whole, _, _) = an_hour(false, true).await?;

    let settled = to.minus(minutes(5));
    for tenant in ["acme", "globex"] {
        let with = stopped.counted("checkout", "availability", tenant, from, settled).await;
        let without = whole.counted("checkout", "availability", tenant, from, settled).await;
        assert_eq!((with.good, with.bad), (without.good, without.bad), "{tenant}");
        assert!(with.total() > 0 && with.unseen_millis > 0, "the gap is counted and said to be unseen: {with:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_source_that_hides_two_hundred_slos_is_one_page_that_names_ten_and_leads_to_all() -> anyhow::Result<()> {
    let from = beginning();
    let start = from.plus(hours(1));
    let one = |at: usize| {
        let objectives = "[{ target: 99.9%, window: 30d }, { name: week, target: 99%, window: 7d }]";
        let sli = "{ events: { bad: 'checkout_http_requests_total{code=\"500\"}', total: 'checkout_http_requests_total' } }";
        format!("  - name: slo-{at:03}\n    sli: {sli}\n    objectives: {objectives}\n")
    };
    let slos: String = (0..200).map(one).collect();
    let document = format!("version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n{slos}");
    let world = World::open(&[checkout(from).tenant("acme", 20)], start, &[("checkout.yaml", &document)]).await?;
    world.fast_forward(minutes(1)).await;
    world.proxy.cut(true);
    world.fast_forward(minutes(7)).await;

    assert_eq!(world.incidents().await?, ["prom-cannot-see-1"], "one page for the source, none for its SLOs");
    let posts: Vec<String> = world.pages("prom-cannot-see-1").await?.into_iter().map(|page| page.text).collect();
    assert!(posts.iter().all(|post| post.contains("hides 200 SLOs")), "{posts:?}");
    let page = reqwest::get(format!("{}/incidents/prom-cannot-see-1", world.web())).await?.text().await?;
    assert!(
        page.contains("checkout/slo-000")
            && page.contains("It hides 200 SLOs with 400 objectives")
            && page.contains("and 190 more")
            && page.contains("checkout/slo-199"),
        "{page}"
    );
    assert!(page.contains("state=cannot-see"), "it leads to all of them: {page}");
    Ok(())
}

/// Two services; all targets of the checkout are out of service discovery for ten minutes where `gone` is set, in which nobody scrapes them and they go on.
async fn beside_another(gone: bool) -> anyhow::Result<(World, std::ops::Range<Timestamp>)> {
    let from = beginning();
    let (start, away) = (from.plus(hours(1)), from.plus(hours(1)).plus(minutes(20)));
    let away = away..away.plus(minutes(10));
    let mut checkout = checkout(from).tenant("acme", 20).failing(away.start.plus(minutes(2))..away.start.plus(minutes(3)), 10);
    if gone {
        checkout = checkout.not_scraped(away.clone());
    }
    let billing = History::of("billing", from, from.plus(hours(6))).tenant("acme", 7);
    let slos = ["checkout", "billing"].map(|service| (format!("{service}.yaml"), availability(service)));
    let slos = slos.each_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    Ok((World::open(&[checkout, billing], start, &slos).await?, away))
}

#[tokio::test]
async fn a_service_whose_every_target_is_gone_cannot_be_seen_then_and_later_and_what_lives_beside_it_can() -> anyhow::Result<()> {
    let (mut world, away) = beside_another(true).await?;
    let (calm, _) = beside_another(false).await?;
    world.fast_forward(minutes(28)).await;
    assert_eq!((world.states("checkout").await?, world.states("billing").await?), (vec!["CANNOT SEE"], vec!["OK"]));
    assert_eq!(world.incidents().await?, ["checkout-cannot-see-1"], "the source answers, so it is the service's own page");
    let then = world.counted("checkout", "availability", "acme", away.start, away.start.plus(minutes(8))).await;
    assert_eq!((then.good, then.bad), (0, 0), "nothing is invented");
    assert!(then.unseen_millis > 470_000, "{then:?}");

    world.restart().await?;
    for world in [&world, &calm] {
        let left = away.end.plus(minutes(30)).since(world.now());
        world.fast_forward(left).await;
    }
    assert_eq!((world.states("checkout").await?, world.states("billing").await?), (vec!["OK"], vec!["OK"]));
    assert!(!world.incident("checkout-cannot-see-1").await?.is_open(), "it ends when a target is back");
    let settled = away.end.plus(minutes(20));
    for (service, unseen) in [("checkout", true), ("billing", false)] {
        let counts = world.counted(service, "availability", "acme", away.start.minus(minutes(10)), settled).await;
        let expected = calm.counted(service, "availability", "acme", away.start.minus(minutes(10)), settled).await;
        assert_eq!((counts.good, counts.bad), (expected.good, expected.bad), "{service}: the counters tell what happened");
        assert_eq!(counts.unseen_millis > 590_000, unseen, "{service}: {counts:?}");
        assert_eq!(expected.unseen_millis, 0, "{service}");
    }
    let at = jiff::Timestamp::from_millisecond(away.start.plus(minutes(8)).millis())?;
    let explained = world.get(&format!("/api/v1/slos/checkout/availability/explain?at={at}")).await?;
    assert!(explained["budgets"][0]["figures"]["coverage_ratio"].as_f64().is_some_and(|coverage| coverage < 1.0), "{explained}");
    Ok(())
}

/// An alert burns, and the Prometheus stops in the middle of it as a machine does that swaps: it takes requests, and answers none. Nobody scrapes meanwhile.
#[tokio::test]
async fn a_prometheus_that_is_frozen_while_an_alert_burns_is_told_at_once_and_nothing_is_lost() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(minutes(100));
    let frozen = fault.start.plus(minutes(6))..fault.start.plus(minutes(12));
    let history = || checkout(from).tenant("acme", 20).failing(fault.clone(), 300).tenant("globex", 7);
    let slos = [("checkout.yaml", availability("checkout"))];
    let slos = slos.each_ref().map(|(name, text)| (*name, text.as_str()));
    let calm = World::open(&[history()], fault.start, &slos).await?;
    let mut world = World::open(&[history().not_scraped(frozen.clone())], fault.start, &slos).await?;
    world.reconfigure("prom: { prometheus: { ", "prom: { prometheus: { timeout: 1s, ").await?;

    world.fast_forward(minutes(6)).await;
    let paged = world.incident("checkout-burn-1").await?;
    assert!(paged.is_open());
    world.freeze(true)?;
    world.fast_forward(Duration::from_secs(15)).await;
    let budgets = world.get("/api/v1/status").await?["budgets"].as_array().cloned().unwrap_or_default();
    assert!(
        budgets.len() == 2 && budgets.iter().all(|budget| !budget["unknown"].is_null()),
        "the first round without an answer says so: {budgets:#?}"
    );
    assert_eq!(world.states("checkout").await?, ["BURNING", "CANNOT SEE"], "and what burns is not taken for well");
    world.fast_forward(minutes(5)).await;
    let told = world.incident("prom-cannot-see-1").await?;
    assert!(told.is_open() && told.opened_at.since(frozen.start) <= minutes(3), "the operators are paged after the SLO's two minutes");
    let posts: Vec<String> = world.pages("prom-cannot-see-1").await?.into_iter().map(|page| page.text).collect();
    assert!(!posts.is_empty() && posts.iter().all(|post| post.contains("hides 1 SLO")), "{posts:?}");
    let burning = world.incident("checkout-burn-1").await?;
    assert!(burning.is_open() && burning.open_members().count() == 1, "what burnt is not taken for over: {:?}", burning.phase);
    assert!(burning.pages.values().any(|page| page.to.to_string() == "sam"), "nobody acknowledged, so the next person is paged");

    world.freeze(false)?;
    for world in [&world, &calm] {
        let left = fault.start.plus(minutes(30)).since(world.now());
        world.fast_forward(left).await;
    }
    assert!(!world.incident("prom-cannot-see-1").await?.is_open(), "it ends when the source answers");
    assert_eq!(world.incidents().await?.iter().filter(|id| id.contains("burn")).count(), 1);
    assert!(world.incident("checkout-burn-1").await?.is_open(), "it fails all the time");
    for tenant in ["acme", "globex"] {
        let counted =
            async |world: &World| world.counted("checkout", "availability", tenant, fault.start, fault.start.plus(minutes(25))).await;
        let (with, without) = (counted(&world).await, counted(&calm).await);
        assert_eq!((with.good, with.bad), (without.good, without.bad), "{tenant}: the counters tell what happened");
        assert!(with.unseen_millis >= 360_000 && without.unseen_millis == 0, "{tenant}: {with:?}");
    }
    Ok(())
}

const EVERY_KIND: &str = "version: burnward/v1
service: shop
team: payments
slos:
  - name: answered
    sli: { events: { bad: 'checkout_http_requests_total{code=\"500\"}', total: checkout_http_requests_total } }
    objectives: [{ target: 99.9%, window: 7d }, { name: minutes, target: 99%, window: 7d, counted-in: { slices: 1m, good-if-at-least: 99% } }]
  - name: pessimist
    sli: { events: { bad: 'checkout_http_requests_total{code=\"500\"}', total: checkout_http_requests_total } }
    objectives: [{ target: 99.9%, window: 7d }]
    no-data: { then: count-as-bad }
  - name: there
    sli: { presence: { series: checkout_http_requests_total, slice: 1m } }
    objectives: [{ target: 99%, window: 7d }]
  - name: probed
    sli: { probe: 'up{job=\"checkout\"}' }
    objectives: [{ target: 99%, window: 7d }]
  - name: calm
    sli: { window: { expr: 'sum(rate(checkout_http_requests_total[5m]))', is: '<', threshold: 1000, slice: 1m } }
    objectives: [{ target: 99%, window: 7d }]
  - name: journey
    sli: { composite: { all-of: [{ slo: shop/answered, good-if-at-least: 99% }, { slo: shop/pessimist, good-if-at-least: 99% }] } }
    objectives: [{ target: 99%, window: 7d }]
";

/// The name of a budget, the share that was seen of its window, and what is left of it, in percent.
type Figures = (String, f64, f64);

/// Of every budget, by name.
async fn figures(world: &World, path: &str) -> anyhow::Result<Vec<Figures>> {
    let status = world.get(path).await?;
    let budgets = status["budgets"].as_array().ok_or_else(|| anyhow::anyhow!("no budgets: {status}"))?;
    let of = |budget: &serde_json::Value| {
        let name = format!("{}#{}", budget["slo"].as_str().unwrap_or_default(), budget["objective"].as_str().unwrap_or_default());
        Some((name, budget["coverage_ratio"].as_f64()? * 100.0, budget["left_ratio"].as_f64()? * 100.0))
    };
    let mut figures: Vec<Figures> =
        budgets.iter().map(|budget| of(budget).ok_or_else(|| anyhow::anyhow!("no figure in {budget}"))).collect::<anyhow::Result<_>>()?;
    figures.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(figures)
}

#[tokio::test]
async fn a_restart_while_the_source_is_away_takes_nothing_for_unseen_that_was_seen() -> anyhow::Result<()> {
    let from = beginning();
    let history = checkout(from).tenant("acme", 20).failing(from.plus(minutes(30))..from.plus(hours(6)), 1);
    let mut world = World::open(&[history], from.plus(hours(1)), &[("shop.yaml", EVERY_KIND)]).await?;
    world.fast_forward(minutes(20)).await;
    let past = format!("/api/v1/status?at={}", instant(from.plus(minutes(75))));
    world.proxy.cut(true);
    world.fast_forward(minutes(5)).await;
    let (seen, then) = (figures(&world, "/api/v1/status").await?, figures(&world, &past).await?);
    assert_eq!(seen.len(), 7);

    world.restart().await?;
    world.fast_forward(Duration::from_secs(10)).await;
    assert!(world.states("shop").await?.iter().all(|state| *state == "CANNOT SEE"));
    let again = figures(&world, "/api/v1/status").await?;
    let near = |(name, seen, left): &Figures, (other, seen_again, left_again): &Figures| {
        name == other && (seen - seen_again).abs() < 0.02 && (left - left_again).abs() < 3.0
    };
    assert!(seen.iter().zip(&again).all(|(one, other)| near(one, other)), "{seen:#?} after the restart: {again:#?}");
    assert_eq!(figures(&world, &past).await?, then);
    Ok(())
}
