//! A backtest of what the ledger keeps tells of the page that was sent, when no source has the samples any more.

use burnward::report::words::utc;
use burnward_core::time::{hours, minutes};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};
use serde_json::Value;

use crate::{
    backtest::{listed, run, sent},
    weekly_report::monday,
};

#[tokio::test]
async fn what_the_ledger_keeps_pages_as_the_samples_did() -> anyhow::Result<()> {
    let begins = monday().plus(hours(10));
    let fault = begins.plus(minutes(10))..begins.plus(minutes(25));
    let history =
        History::of("checkout", begins.minus(hours(8)), begins.plus(hours(2))).tenant("acme", 20).failing(fault, 200).tenant("globex", 20);
    let world = World::open(&[history], begins, &[("checkout.yaml", &availability("checkout"))]).await?;
    world.fast_forward(minutes(50)).await;
    let sent = sent(&world).await?;
    assert!(sent.iter().any(|page| page.3), "somebody was paged: {sent:#?}");

    let (from, to) = (utc(begins.minus(hours(1))), utc(world.now()));
    let span = ["--from", from.as_str(), "--to", to.as_str()];
    let backtest: Value = serde_json::from_str(&run(&world.config_file(), &[&span[..], &["--ledger", "-o", "json"]].concat()).await?)?;
    let listed = listed(&backtest)?;
    let what = |(alert, row, incident, calls, _): &crate::backtest::Page| (alert.clone(), row.clone(), incident.clone(), *calls);
    assert_eq!(listed.iter().map(what).collect::<Vec<_>>(), sent.iter().map(what).collect::<Vec<_>>(), "{backtest:#}");
    for (listed, sent) in listed.iter().zip(&sent) {
        let apart = listed.4.since(sent.4).max(sent.4.since(listed.4));
        assert!(apart <= minutes(2), "the ledger is told by the minute: {:?} and {:?}", listed.4, sent.4);
    }

    let nothing = run(&world.config_file(), &["checkout/unknown", "--ledger"]).await;
    assert!(nothing.is_err_and(|error| error.to_string().contains("there is no SLO checkout/unknown")));
    Ok(())
}
