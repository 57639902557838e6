//! A backtest of what the ledger keeps tells of the page that was sent, when no source has the samples any more.

use burnward::report::words::utc;
use burnward_core::time::{hours, minutes};
use burnward_integration_tests::{
    history::History,
    world::{World, availability},
};

use crate::{
    told::{assert_same, lists, run, sent},
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
    assert!(sent.iter().any(|told| told.calls), "somebody was paged: {sent:#?}");

    let (from, to) = (utc(begins.minus(hours(1))), utc(world.now()));
    let of_ledger = lists(&world.config_file(), &["--from", &from, "--to", &to, "--ledger"]).await?;
    assert_same(&of_ledger, &sent, minutes(2), "the ledger, which is told by the minute");

    let nothing = run(&world.config_file(), &["checkout/unknown", "--ledger"]).await;
    assert!(nothing.is_err_and(|error| error.to_string().contains("there is no SLO checkout/unknown")));
    Ok(())
}
