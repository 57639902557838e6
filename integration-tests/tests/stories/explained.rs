//! Why a budget stands as it does, asked of the program: what people took out, what began, what nobody saw, and all of that of a moment that has passed.

use std::{fmt::Write as _, time::Duration};

use burnward::{definition::Removals, web::api::wire::instant};
use burnward_core::time::{Timestamp, minutes};
use burnward_integration_tests::{binary::burnward, history::SCRAPE, world::World};

use super::{beginning, checkout};

const CHECKOUT: &str = r#"version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events:
        bad: 'checkout_http_requests_total{job="checkout", code=~"5.."}'
        total: 'checkout_http_requests_total{job="checkout"}'
    objectives: [{ target: 99.9%, window: 30d }]
    no-data: { after: 10m, then: count-as-bad }
    no-traffic: { after: 30m, then: tell-owner }
"#;

/// Few mails: ten an hour.
const MAIL: &str = r#"version: burnward/v1
service: mail
team: payments
slos:
  - name: delivered
    sli:
      events:
        bad: 'mails_total{job="mail", code="500"}'
        total: 'mails_total{job="mail"}'
    objectives: [{ target: 99.9%, window: 30d }]
    no-traffic: { after: 30m, then: tell-owner }
"#;

fn scrapes(from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(Some(from), |at| Some(at.plus(SCRAPE))).take_while(move |at| *at <= to)
}

/// What the program prints, on a machine whose clock shows UTC.
async fn explain(world: &World, args: &[&str]) -> anyhow::Result<String> {
    printed(world, "explain", args).await
}

/// What a command prints that asks the daemon of this world.
pub(crate) async fn printed(world: &World, command: &str, args: &[&str]) -> anyhow::Result<String> {
    let mut asking = std::process::Command::new(burnward()?);
    asking.env("TZ", "UTC").arg(command).args(args).args(["--server", &world.web()]);
    // The daemon of this world answers on the test's own thread.
    let output = tokio::task::spawn_blocking(move || asking.output()).await??;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The lines of the row with this long lookback, without its place.
fn row<'t>(printed: &'t str, long: &str) -> Vec<&'t str> {
    let of_row = |line: &&str| line.starts_with("           ");
    let mut lines = printed.lines().skip_while(|line| !line.starts_with("  rule ") || !line.contains(&format!(" when {long} ")));
    lines.next();
    lines.take_while(of_row).map(str::trim_start).collect()
}

#[track_caller]
fn tells(printed: &str, line: &str) {
    assert!(printed.lines().any(|printed| printed == line), "`{line}` in\n{printed}");
}

/// The counter of failures by 503, which begins at 40.
const BEGAN: &str = "1 counter of it began within 1h: `new-series: auto` took 1 first value for 40 events (40 bad): the target was seen one scrape before without \
                     the counter";

#[tokio::test]
async fn rows_count_what_was_excluded_and_say_what_began_and_an_earlier_moment_has_its_own_version() -> anyhow::Result<()> {
    let from = beginning();
    let at = |minute| from.plus(minutes(minute));
    let history = checkout(from).tenant("acme", 20).failing(at(120)..at(130), 200);
    let mut text = history.openmetrics();
    for scrape in scrapes(at(132), at(200)) {
        let labels = "job=\"checkout\",instance=\"checkout-1:80\",tenant=\"acme\",code=\"503\"";
        writeln!(text, "checkout_http_requests_total{{{labels}}} 40 {}", scrape.seconds())?;
    }
    writeln!(text, "# TYPE up gauge\n{}# EOF", history.up())?;
    let world = World::open_text(&text, at(115), Duration::from_secs(10), &[("checkout.yaml", CHECKOUT)]).await?;
    world.fast_forward(minutes(30)).await;
    let exclusion = serde_json::json!({
        "service": "checkout", "slo": "availability", "from": instant(at(120)), "to": instant(at(125)), "reason": "a load test", "approver": "sam",
    });
    let client = reqwest::Client::new();
    let recorded = client.post(format!("{}/api/v1/exclusions", world.web())).header("Origin", world.web()).json(&exclusion);
    recorded.send().await?.error_for_status()?;
    let without = explain(&world, &["checkout/availability"]).await?;
    assert!(!without.contains("\n  excluded "), "the figures are those of the round before\n{without}");

    world.fast_forward(minutes(1)).await;
    let now = explain(&world, &["checkout/availability"]).await?;
    tells(&now, "  excluded 5 min: bad 1,200 of 6,000, removed");
    tells(&now, "           5 min by X-1: a load test (approved by sam)");
    // 20 % of ten minutes and the 40 of the new counter, whatever was excluded.
    assert_eq!(
        row(&now, "1h"),
        [
            "1h: bad 2,440 of 72,040 = 3.387 %, burn 33.9x > 14.4x",
            "5m: bad 0 of 6,000 = 0.000 %, burn 0.0x < 14.4x",
            "does not page: over 1h it is above 14.4x, but over 5m the burn is 0.0x: the burn has ebbed away",
            "5 min of 1h are excluded by X-1; alerts count them",
            BEGAN,
        ]
    );

    world.define("checkout.yaml", Some(&format!("# a looser promise\n{}", CHECKOUT.replace("99.9%", "99.5%"))))?;
    world.handle().reload(Removals::Guarded).await?;
    world.fast_forward(minutes(60)).await;
    let now = explain(&world, &["checkout/availability"]).await?;
    assert_eq!(
        row(&now, "1h")[2..],
        ["does not page: over 1h the burn is 0.0x and over 5m 0.0x, neither above 14.4x"],
        "what was excluded and what began lies behind the hour"
    );
    let begun = explain(&world, &["checkout/availability", "--at", &instant(at(140)).to_string()]).await?;
    assert_eq!(row(&begun, "1h").last().copied(), Some(BEGAN), "of a moment of the past");
    let then = instant(at(128)).to_string();
    let corrected = explain(&world, &["checkout/availability", "--at", &then]).await?;
    let runs_now = "which runs now, from the same ledger: --as-known-then shows those of then";
    assert!(corrected.lines().any(|line| line.starts_with("  then     version ") && line.ends_with(runs_now)), "{corrected}");
    assert_eq!(row(&corrected, "1h")[0], "1h: bad 1,920 of 72,000 = 2.667 %, burn 5.3x < 14.4x");
    let known = explain(&world, &["checkout/availability", "--at", &then, "--as-known-then"]).await?;
    assert!(known.contains("slo-definitions/checkout.yaml:5:11, version ") && !known.contains("X-1"), "{known}");
    tells(
        &known,
        "  past     not kept: the questions as they were sent, their answers, and which series these held; samples are counted, and then dropped",
    );
    assert_eq!(
        row(&known, "1h"),
        [
            "1h: bad 1,920 of 72,000 = 2.667 %, burn 26.7x > 14.4x",
            "5m: bad 1,200 of 6,000 = 20.000 %, burn 200.0x > 14.4x",
            "pages: over 1h and over 5m the burn is above 14.4x",
        ]
    );
    let before = explain(&world, &["checkout/availability", "--at", &instant(at(60)).to_string()]).await?;
    tells(
        &before,
        "  past     not known: a version that ran then. None is noted, so nothing was decided and nobody told; what stands here was read later",
    );
    Ok(())
}

#[tokio::test]
async fn a_time_that_nobody_saw_is_told_as_such_then_and_later_with_who_was_told() -> anyhow::Result<()> {
    let from = beginning();
    let at = |minute| from.plus(minutes(minute));
    let history = checkout(from).tenant("acme", 20).not_scraped(at(120)..at(150));
    let world = World::open(&[history], at(115), &[("checkout.yaml", CHECKOUT)]).await?;
    world.fast_forward(minutes(10)).await;
    let early = explain(&world, &["checkout/availability"]).await?;
    tells(
        &early,
        "           decides nothing, because nobody sees (stale: the newest sample is 315 s old, and they come every 15 s); `no-data: count-as-bad after 10m` \
         says who is told of that: nobody so far",
    );
    world.fast_forward(minutes(15)).await;
    let told = |printed: &str| {
        let told = |line: &&str| {
            line.starts_with("  told     the no-data ticket since ")
                && line.ends_with(" UTC: it opened checkout-no-data-1: a post to #payments-oncall; a ticket wakes nobody (opened)")
        };
        assert!(printed.lines().any(|line| told(&line)), "{printed}");
        assert!(printed.contains("? CANNOT SEE\n"), "{printed}");
    };
    told(&explain(&world, &["checkout/availability"]).await?);

    world.fast_forward(minutes(20)).await;
    assert!(explain(&world, &["checkout/availability"]).await?.contains("● OK\n"), "it is over");
    let then = explain(&world, &["checkout/availability", "--at", &instant(at(140)).to_string()]).await?;
    told(&then);
    assert_eq!(
        then.lines().filter(|line| line.contains("decides nothing")).collect::<Vec<_>>(),
        ["           decides nothing, because nobody sees (stale: nothing had been seen for 20 m 10 s); `no-data: count-as-bad after 10m` says who is told of \
          that: it is told in checkout-no-data-1"; 4]
    );
    let early = explain(&world, &["checkout/availability", "--at", &instant(at(125)).to_string()]).await?;
    assert!(
        early.contains("(stale: nothing had been seen for 5 m 10 s)") && early.contains("says who is told of that: nobody by then\n"),
        "{early}"
    );
    let seen = explain(&world, &["checkout/availability", "--at", &instant(at(119)).to_string()]).await?;
    assert!(seen.contains("● OK\n") && !seen.contains("decides nothing"), "{seen}");
    // The list of all budgets says the same.
    let status = world.get(&format!("/api/v1/status?at={}", instant(at(140)))).await?;
    assert_eq!(status["budgets"][0]["state"], "CANNOT SEE", "{status:#}");
    Ok(())
}

#[tokio::test]
async fn a_row_that_chance_holds_back_says_how_likely_it_is_then_and_later_and_silence_whom_it_told() -> anyhow::Result<()> {
    let from = beginning();
    let at = |minute| from.plus(minutes(minute));
    let mut text = "# TYPE mails counter\n".to_owned();
    for (code, of_all) in [("200", true), ("500", false)] {
        for scrape in scrapes(from, at(240)) {
            let (bad, all) = (u64::from(scrape >= at(125)), scrape.min(at(150)).since(from).as_secs() / 360);
            let value = if of_all { all } else { bad };
            writeln!(text, "mails_total{{job=\"mail\",instance=\"mail-1:80\",code=\"{code}\"}} {value} {}", scrape.seconds())?;
        }
    }
    text.push_str("# TYPE up gauge\n");
    for scrape in scrapes(from, at(240)) {
        writeln!(text, "up{{job=\"mail\",instance=\"mail-1:80\"}} 1 {}", scrape.seconds())?;
    }
    text.push_str("# EOF\n");
    let world = World::open_text(&text, at(115), Duration::from_secs(10), &[("mail.yaml", MAIL)]).await?;
    world.fast_forward(minutes(13)).await;
    let chance = "does not page: `low-traffic: exact` holds it back: 1 failure of 11 in 1h has a chance of 1.09 % while 99.9 % is met, and from 0.010 % on \
                  nobody is woken; 2 of 11 page";
    assert_eq!(row(&explain(&world, &["mail/delivered"]).await?, "1h")[2], chance);

    world.fast_forward(minutes(60)).await;
    let silent = explain(&world, &["mail/delivered"]).await?;
    assert!(silent.contains("\n  told     the no-traffic ticket since ") && silent.contains(": it opened mail-no-data-1"), "{silent}");
    let then = explain(&world, &["mail/delivered", "--at", &instant(at(128)).to_string()]).await?;
    assert_eq!(row(&then, "1h")[2], chance);
    assert!(!then.contains("no-traffic ticket"), "nobody was told of silence by then\n{then}");
    Ok(())
}
