//! Samples that reach the source late: a second reading finds them, corrects the ledger, and leaves what was known then to be asked for.

use burnward_core::time::{hours, minutes};
use burnward_integration_tests::world::{World, availability};

use super::{beginning, checkout};

#[tokio::test]
async fn samples_that_come_late_correct_the_ledger_and_the_figures_of_then_stay() -> anyhow::Result<()> {
    let from = beginning();
    let held_up = from.plus(hours(1)).plus(minutes(5))..from.plus(hours(1)).plus(minutes(15));
    let history = || checkout(from).tenant("acme", 20).failing(held_up.start.plus(minutes(4))..held_up.start.plus(minutes(6)), 500);
    let (start, slos) = (from.plus(hours(1)), [("checkout.yaml", availability("checkout"))]);
    let slos = slos.each_ref().map(|(name, text)| (*name, text.as_str()));
    let calm = World::open_over_victoria(&[history()], start, &slos).await?;
    let mut late = World::open_over_victoria(&[history().not_scraped(held_up.clone())], start, &slos).await?;

    for world in [&calm, &late] {
        world.fast_forward(minutes(20)).await;
    }
    late.arrive_late(&[history()]).await?;
    let (slice_from, slice_to) = (held_up.start.minus(minutes(1)), held_up.end.plus(minutes(1)));
    let expected = calm.slices("checkout", "availability", "acme", slice_from, slice_to).await;
    assert_ne!(late.slices("checkout", "availability", "acme", slice_from, slice_to).await, expected, "not found yet");

    late.restart().await?;
    for world in [&calm, &late] {
        world.fast_forward(minutes(25)).await;
    }
    assert_eq!(late.slices("checkout", "availability", "acme", slice_from, slice_to).await, expected);

    // Three minutes into the hold-up nothing had failed yet; before the samples came, the failures of the gap were booked at its beginning.
    let at = held_up.start.plus(minutes(3));
    let mut bad = Vec::new();
    for figures in ["as-corrected", "as-known-then"] {
        let asked = format!("/api/v1/slos/checkout/availability/explain?at={}&figures={figures}", instant(at));
        bad.push(late.get(&asked).await?["budgets"][0]["figures"]["bad"].clone());
    }
    assert_eq!(bad, [serde_json::json!(0), serde_json::json!(1200)]);
    // What is drawn of that moment adds up to the same, and both say that they stand.
    for (figures, bad) in [("as-corrected", 0), ("as-known-then", 1200)] {
        let asked = format!("at={}&figures={figures}", instant(at));
        let drawn = late.get(&format!("/api/v1/slos/checkout/availability/burn-down?{asked}")).await?;
        let points = drawn["points"].as_array().cloned().unwrap_or_default();
        assert_eq!(points.iter().filter_map(|point| point["bad"].as_i64()).sum::<i64>(), bad, "{figures}: {drawn}");
        let explained = late.get(&format!("/api/v1/slos/checkout/availability/explain?{asked}")).await?;
        assert_eq!(explained["budgets"][0]["reach"]["settled"], true, "{figures}");
    }
    // The report of the week says what they changed in it: the failures were counted before, at another time, and nothing of the gap was seen.
    for (world, told) in [(&calm, None), (&late, Some("unseen -10 m 15 s"))] {
        let week = jiff::Timestamp::from_millisecond(at.millis())?.to_zoned(jiff::tz::TimeZone::UTC).date().iso_week_date();
        let report = world.get(&format!("/api/v1/reports/week?week={:04}-W{:02}", week.year(), week.week())).await?;
        let acme = report["budgets"].as_array().and_then(|budgets| budgets.iter().find(|budget| budget["group"][0][1] == "acme"));
        assert_eq!(acme.and_then(|budget| budget["corrected"]["late_words"].as_str()), told, "{report}");
    }
    let newest = late.get(&format!("/api/v1/slos/checkout/availability/explain?at={}", instant(late.now()))).await?;
    assert_eq!(newest["budgets"][0]["reach"]["settled"], false, "samples of the last minute are still awaited");
    Ok(())
}

fn instant(at: burnward_core::time::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).expect("a time of our days").to_string()
}
