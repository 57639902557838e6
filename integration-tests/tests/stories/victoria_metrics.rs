//! VictoriaMetrics speaks Prometheus's API: the same history gives the same ledger and the same page.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::world::{World, availability};

use super::{beginning, checkout};

#[tokio::test]
async fn victoria_metrics_counts_and_pages_as_prometheus_does() -> anyhow::Result<()> {
    let from = beginning();
    let fault = from.plus(hours(1))..from.plus(hours(1)).plus(minutes(15));
    let history = || checkout(from).tenant("acme", 20).failing(fault.clone(), 300);
    let (start, slos) = (fault.start.minus(minutes(10)), [("checkout.yaml", availability("checkout"))]);
    let slos = slos.each_ref().map(|(name, text)| (*name, text.as_str()));
    let prometheus = World::open(&[history()], start, &slos).await?;
    let victoria = World::open_over_victoria(&[history()], start, &slos).await?;

    for world in [&prometheus, &victoria] {
        world.fast_forward(minutes(40)).await;
    }
    assert_eq!(victoria.incidents().await?, prometheus.incidents().await?);
    let opened = (victoria.incident("checkout-burn-1").await?.opened_at, prometheus.incident("checkout-burn-1").await?.opened_at);
    assert_eq!(opened.0, opened.1);

    let (slice_from, slice_to) = (start.plus(minutes(1)), prometheus.now().minus(minutes(2)));
    let expected = prometheus.slices("checkout", "availability", "acme", slice_from, slice_to).await;
    assert_eq!(victoria.slices("checkout", "availability", "acme", slice_from, slice_to).await, expected);
    let counted = victoria.counted("checkout", "availability", "acme", slice_from, slice_to).await;
    assert_eq!((counted.bad, counted.total()), history().sums(slice_from, slice_to));
    Ok(())
}
