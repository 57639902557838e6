//! A backtest of half a day lists what was told of SLOs of every kind: probes, windows, queries, presence, journeys, little traffic, none, groups, a calendar
//! window; and of one that is in shadow what it would have told.

use burnward_core::time::minutes;
use burnward_integration_tests::{
    shop_around::{LONG, definitions, openmetrics},
    shop_week::MONDAY,
    world::World,
};

use crate::told::{TICK, Told, assert_received, assert_same, lists, sent, sorted, without_escalation};

/// What each SLO tells in it, in order; `, joins`: in an incident of which people were told.
const TELLS: [(&str, &[&str]); 10] = [
    (
        "accounts/requests",
        &[
            "page",
            "page, joins",
            "ticket",
            "page",
            "page, joins",
            "page",
            "page, joins",
            "ticket, joins",
            "ticket, joins",
            "ticket: cannot see",
            "page",
        ],
    ),
    ("export/export", &["ticket: no traffic", "ticket: cannot see"]),
    ("front/reachable", &["page", "ticket", "ticket: cannot see", "ticket: cannot see"]),
    ("jobs/janitor", &["page", "ticket", "ticket: cannot see"]),
    ("journey/order", &["page", "page", "ticket", "ticket: cannot see", "ticket: cannot see"]),
    // One mail that is lost of ten in an hour tells nobody; the second within an hour does.
    ("mail/delivery", &["page", "ticket: cannot see"]),
    ("orders/committed", &["page"]),
    ("orders/fresh", &["page"]),
    // A fifth of the journey was away for ten minutes, which is not worth a word.
    ("quality/ordering", &["ticket: cannot see", "ticket: cannot see"]),
    ("trial/reachable", &["page", "ticket: cannot see", "ticket: cannot see"]),
];

/// The one in shadow, which a backtest judges as if it were active.
const SHADOW: &str = "trial/reachable";

/// That a fifth of a journey cannot be seen, of which the ledger keeps a fifth of each minute.
const OF_A_FIFTH: &str = "quality-no-data-2";

const SPAN: [&str; 4] = ["--from", "2025-11-03T00:00:00Z", "--to", "2025-11-03T11:30:00Z"];

/// Told of SLOs that a recorded file shows, which holds no expressions.
fn is_in_file(told: &Told) -> bool {
    !["orders/fresh", "orders/committed", "journey/order"].contains(&told.slo())
}

fn of_active(told: Vec<Told>) -> Vec<Told> {
    told.into_iter().filter(|told| told.slo() != SHADOW).collect()
}

/// What the daemon recorded of the SLO in shadow.
async fn would_have_told(world: &World) -> anyhow::Result<Vec<Told>> {
    let record = world.get("/api/v1/shadow?last=2d").await?;
    let alerts = record["slos"][0]["alerts"].as_array().expect("a list");
    Ok(sorted(alerts.iter().map(Told::in_shadow).collect::<anyhow::Result<_>>()?))
}

#[tokio::test]
async fn a_backtest_of_every_kind_of_slo_lists_exactly_what_was_sent() -> anyhow::Result<()> {
    let (text, definitions) = (openmetrics(), definitions());
    let documents: Vec<(&str, &str)> = definitions.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut world = World::open_text(&text, MONDAY, TICK, &documents).await?;
    without_escalation(&mut world).await?;
    let mut received = Vec::new();
    world.listen(LONG, &mut received).await;
    let sent = sent(&world).await?;
    let config = world.config_file();
    let recorded = config.with_file_name("recorded.om");
    std::fs::write(&recorded, &text)?;
    let recorded = recorded.display().to_string();
    let of_file = [&SPAN[..], &["--recorded", &recorded]].concat();
    let of_ledger = [&SPAN[..], &["--ledger"]].concat();
    let (of_source, of_file, of_ledger) = tokio::try_join!(lists(&config, &SPAN), lists(&config, &of_file), lists(&config, &of_ledger))?;

    for (slo, tells) in TELLS {
        let mut of_slo: Vec<&Told> = of_source.iter().filter(|told| told.slo() == slo).collect();
        of_slo.sort_by_key(|told| told.at);
        assert_eq!(of_slo.iter().map(|told| told.what.as_str()).collect::<Vec<_>>(), tells, "{slo}: {of_slo:#?}");
    }
    let shadow = of_source.iter().filter(|told| told.slo() == SHADOW).map(Told::of_none);
    assert_same(&sorted(shadow.collect()), &would_have_told(&world).await?, TICK, "shadow");
    assert!(!received.iter().any(|post| post.says("trial")), "nobody hears of it");

    let active = of_active(of_source);
    assert_same(&active, &sent, TICK, "source");
    assert_received(&active, &received, TICK, "source");

    let shown: Vec<Told> = sent.iter().filter(|told| is_in_file(told)).cloned().collect();
    assert_same(&of_active(of_file), &shown, TICK, "recorded file");

    let kept: Vec<Told> = sent.iter().filter(|told| told.incident != OF_A_FIFTH).cloned().collect();
    assert_same(&of_active(of_ledger), &kept, minutes(2), "ledger");
    Ok(())
}
