//! What a real Prometheus does to whoever reads it: it gives only so many samples at once, is started again, stands beside a second one that scraped the
//! same at other moments, or holds two processes under the labels of one series.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use burnward::app::{Daemon, Options};
use burnward_core::{
    id::{BudgetId, Group, ObjectiveName, ServiceName, SloId, SloName, SourceName, TenantId},
    ledger::{Counts, Reason},
    time::{Timestamp, hours, minutes},
};
use burnward_integration_tests::lone::{Lone, PAYMENTS, at, by_hand};
use burnward_stand_ins::prometheus::{Real, backfill};

use super::beginning;

/// Calls a second, and one failure a minute.
const RATE: u64 = 10;

/// Five hours of payments, scraped every 15 s: the scrapes come `phase` seconds after the whole ones, and the counters began `behind` later.
fn payments(from: Timestamp, phase: u64, behind: u64) -> String {
    let mut text = "# TYPE hits counter\n".to_owned();
    for code in ["200", "500"] {
        series(&mut text, &format!("hits_total{{job=\"shop\",instance=\"a:1\",code=\"{code}\"}}"), from, phase, |second| match code {
            "500" => (second + 6000) / 60,
            _ => (second + 10_000) * RATE - behind,
        });
    }
    text.push_str("# TYPE up gauge\n");
    series(&mut text, "up{job=\"shop\",instance=\"a:1\"}", from, phase, |_| 1);
    text + "# EOF\n"
}

fn series(text: &mut String, labels: &str, from: Timestamp, phase: u64, value: impl Fn(u64) -> u64) {
    for second in (phase..5 * 3600).step_by(15) {
        let at = from.millis() / 1000 + i64::try_from(second).expect("small");
        writeln!(text, "{labels} {} {at}", value(second)).expect("a string");
    }
}

async fn counted(daemon: &Daemon, slo: &str, from: Timestamp) -> Counts {
    let slo = SloId {
        tenant: TenantId::parse("main").expect("a name"),
        service: ServiceName::parse("shop").expect("a name"),
        name: SloName::parse(slo).expect("a name"),
    };
    let objective = ObjectiveName::parse("events").expect("a name");
    let budget = BudgetId { slo, objective, group: Group::whole() };
    daemon.handle.between(&budget, from, daemon.handle.clock.now()).await.expect("it is counted").0
}

/// Why SLOs cannot be seen.
async fn unseen(daemon: &Daemon) -> Vec<Reason> {
    let budgets = daemon.handle.budgets(&TenantId::parse("main").expect("a name")).await.expect("it runs");
    budgets.iter().filter_map(|status| Some(status.unknown.as_ref()?.reason)).collect()
}

/// Why the source cannot be seen.
fn blind(daemon: &Daemon) -> Option<Reason> {
    let name = (TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
    daemon.handle.view.borrow().sources[&name].blind.as_ref().map(|(_, unknown)| unknown.reason)
}

async fn daemon(root: &Path, source: String, slos: &str, options: Options) -> anyhow::Result<Daemon> {
    let (sources, documents) = ([("prom", source)], [("shop.yaml", slos)]);
    Lone { tick: "15s", sources: &sources, tenants: &[("main", "prom")], documents: &documents }.start(root, options).await
}

const SERVICES: usize = 30;

/// Thirty SLOs whose selectors are asked for together, and what they count.
fn many(from: Timestamp) -> (String, String) {
    let (slos, _) = PAYMENTS.split_once("  - name").expect("an SLO");
    let (mut slos, mut history) = (slos.to_owned(), "# TYPE calls counter\n".to_owned());
    for service in 0..SERVICES {
        let selector = format!("calls_total{{service=\"s{service}\"");
        writeln!(
            slos,
            "  - name: s{service}\n    title: Calls\n    sli: {{ events: {{ bad: '{selector},code=\"500\"}}', total: '{selector}}}' }} }}\n    \
             objectives: [ {{ target: 99%, window: 1d }} ]"
        )
        .expect("a string");
        for code in ["200", "500"] {
            let labels = format!("calls_total{{job=\"shop\",instance=\"a:1\",service=\"s{service}\",code=\"{code}\"}}");
            series(&mut history, &labels, from, 0, |second| if code == "500" { second / 60 } else { second * RATE });
        }
    }
    history.push_str("# TYPE up gauge\n");
    series(&mut history, "up{job=\"shop\",instance=\"a:1\"}", from, 0, |_| 1);
    (slos, history + "# EOF\n")
}

#[tokio::test]
async fn a_server_that_loads_few_samples_at_once_is_asked_in_parts_and_every_event_is_counted() -> anyhow::Result<()> {
    let (root, from) = (tempfile::tempdir()?, beginning());
    let (slos, history) = many(from);
    backfill(&root.path().join("prometheus"), &history).await?;
    // A live question for all of them is for 300 samples and more, an hour of one alone for 480.
    let real = Real::start_with(&root.path().join("prometheus"), "global: {}\n", &["--query.max-samples=200"]).await?;
    let start = from.plus(hours(1));
    let daemon = daemon(root.path(), at(&real.url()), &slos, by_hand(start)).await?;
    daemon.fast_forward(minutes(10)).await;
    assert_eq!((unseen(&daemon).await, blind(&daemon)), (vec![], None));

    // It sleeps for two hours, and catches up in steps of an hour.
    daemon.handle.clock.advance(hours(2));
    for _ in 0..20 {
        daemon.step().await;
    }
    daemon.fast_forward(minutes(2)).await;
    assert_eq!((unseen(&daemon).await, blind(&daemon)), (vec![], None));
    let seconds = daemon.handle.clock.now().since(start).as_secs();
    for service in 0..SERVICES {
        let counts = counted(&daemon, &format!("s{service}"), start).await;
        let expected = (i64::try_from(seconds * RATE)?, i64::try_from(seconds / 60)?);
        assert_eq!((counts.good, counts.bad, counts.unseen_millis), (expected.0, expected.1, 0), "s{service}");
    }
    let metrics = reqwest::get(format!("http://{}/metrics", daemon.address)).await?.text().await?;
    let failures = metrics.lines().find_map(|line| line.strip_prefix("burnward_source_failures_total{source=\"prom\"} "));
    assert!(failures.is_some_and(|failures| failures != "0"), "it never refused anything: {failures:?}");
    Ok(())
}

/// Until a day ago the requests were counted under another name: of the window of two days one is there, and nobody takes the other for a good one.
#[tokio::test]
async fn a_metric_that_was_renamed_yesterday_is_half_a_window_and_says_so() -> anyhow::Result<()> {
    let (root, now) = (tempfile::tempdir()?, beginning());
    let mut history = String::new();
    for (metric, from, to) in [("calls", 48, 24), ("hits", 24, 0)] {
        writeln!(history, "# TYPE {metric} counter")?;
        for second in (u64::from(to == 0)..24 * 3600).step_by(60) {
            let at = now.minus(hours(from)).millis() / 1000 + i64::try_from(second)?;
            writeln!(history, "{metric}_total{{job=\"shop\",instance=\"a:1\",code=\"200\"}} {} {at}", second * RATE)?;
            writeln!(history, "{metric}_total{{job=\"shop\",instance=\"a:1\",code=\"500\"}} {} {at}", second / 60)?;
        }
    }
    backfill(&root.path().join("prometheus"), &(history + "# EOF\n")).await?;
    let real = Real::start(&root.path().join("prometheus"), "global: {}\n").await?;
    let slos = PAYMENTS.replace("window: 1d", "window: 2d");
    let daemon = daemon(root.path(), at(&real.url()), &slos, by_hand(now)).await?;
    for _ in 0..60 {
        daemon.step().await;
    }
    let status: serde_json::Value = reqwest::get(format!("http://{}/api/v1/status", daemon.address)).await?.json().await?;
    let budget = &status["budgets"][0];
    let coverage = budget["coverage_ratio"].as_f64().unwrap_or_default();
    assert!((0.48..0.51).contains(&coverage), "{budget:#}");
    // A share of failures that was half seen: the figure is of what was seen, and says between what it lies.
    let failed = budget["bad"].as_i64().unwrap_or_default();
    assert!((1400..=1440).contains(&failed), "{budget:#}");
    // What people read says it in words: the page of now, the SLO's own page and the explanation.
    let share = format!("{:.0} % of the window", coverage * 100.0);
    let page = async |path: &str| reqwest::get(format!("http://{}{path}", daemon.address)).await?.text().await;
    let (now, slo) = (page("/").await?, page("/slos/shop/pay").await?);
    assert!(now.contains(&format!("{share} seen")), "{share}: {now}");
    assert!(slo.contains(&format!("seen: {share}")), "{share}: {slo}");
    let explained: serde_json::Value =
        reqwest::get(format!("http://{}/api/v1/slos/shop/pay/explain", daemon.address)).await?.json().await?;
    assert!(explained["budgets"][0]["seen"].as_str().is_some_and(|seen| seen.starts_with(&share)), "{explained:#}");
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_started_again_under_us_leaves_no_trace() -> anyhow::Result<()> {
    let (root, from) = (tempfile::tempdir()?, beginning());
    backfill(&root.path().join("prometheus"), &payments(from, 0, 0)).await?;
    let mut real = Real::start(&root.path().join("prometheus"), "global: {}\n").await?;
    let start = from.plus(hours(1));
    let daemon = daemon(root.path(), at(&real.url()), PAYMENTS, by_hand(start)).await?;
    daemon.fast_forward(minutes(5)).await;
    // Between two rounds: the connection that was kept open is gone, and nobody notices.
    real.restart().await?;
    daemon.fast_forward(Duration::from_secs(15)).await;
    assert_eq!((unseen(&daemon).await, blind(&daemon)), (vec![], None));

    real.stop().await?;
    daemon.fast_forward(minutes(4)).await;
    assert_eq!((unseen(&daemon).await, blind(&daemon)), (vec![Reason::Unreachable], Some(Reason::Unreachable)));
    real.restart().await?;
    daemon.fast_forward(Duration::from_secs(15)).await;
    assert_eq!((unseen(&daemon).await, blind(&daemon)), (vec![], None));
    let (counts, seconds) = (counted(&daemon, "pay", start).await, daemon.handle.clock.now().since(start).as_secs());
    assert_eq!((counts.good, counts.bad), (i64::try_from(seconds * RATE)?, i64::try_from(seconds / 60)?));
    Ok(())
}

#[tokio::test]
async fn two_real_servers_that_scraped_the_same_at_other_moments_give_over_and_invent_nothing() -> anyhow::Result<()> {
    let (root, from) = (tempfile::tempdir()?, beginning());
    let mut replicas = Vec::new();
    for (name, phase, behind) in [("a", 0, 0), ("b", 7, 5_000)] {
        let dir = root.path().join(name);
        backfill(&dir, &payments(from, phase, behind)).await?;
        // An external label is not shown by a server that is asked itself: a series is the same one in both.
        replicas.push(Real::start(&dir, &format!("global: {{ external_labels: {{ replica: {name} }} }}\n")).await?);
    }
    let start = from.plus(hours(1));
    let urls = format!("replicas: [\"{}\", \"{}\"]", replicas[0].url(), replicas[1].url());
    let daemon = daemon(root.path(), urls, PAYMENTS, by_hand(start)).await?;
    daemon.fast_forward(minutes(10)).await;
    for down in [0, 1] {
        replicas[down].stop().await?;
        daemon.fast_forward(minutes(2)).await;
        assert_eq!((unseen(&daemon).await, blind(&daemon)), (vec![], None), "the other one is read");
        replicas[down].restart().await?;
        daemon.fast_forward(minutes(10)).await;
    }
    let (counts, seconds) = (counted(&daemon, "pay", start).await, daemon.handle.clock.now().since(start).as_secs());
    let (good, bad) = (i64::try_from(seconds * RATE)?, i64::try_from(seconds / 60)?);
    // A switch loses the events of two scrapes at most, and the end is not scraped yet.
    assert!((good - 5 * 150..=good).contains(&counts.good) && (bad - 3..=bad).contains(&counts.bad), "{counts:?} of {good} and {bad}");
    Ok(())
}

/// A process that shows one counter, and says of itself what another one says too.
async fn shows(begins_at: u64) -> anyhow::Result<String> {
    let count = Arc::new(AtomicU64::new(begins_at));
    let page = move || async move {
        let count = count.fetch_add(1, Ordering::Relaxed);
        format!("# TYPE hits_total counter\nhits_total{{job=\"shop\",instance=\"same\",code=\"200\"}} {count}\n")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/metrics", get(page))).await });
    Ok(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_under_the_labels_of_one_series_are_not_seen_and_not_counted_against_each_other() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let targets = [shows(90_000).await?, shows(120_000).await?];
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ job_name: shop, honor_labels: true, static_configs: [{{ targets: {targets:?} }}] }}]\n"
    );
    let real = Real::start(&root.path().join("prometheus"), &config).await?;
    let (sources, documents) = ([("prom", at(&real.url()))], [("shop.yaml", PAYMENTS)]);
    let lone = Lone { tick: "1s", sources: &sources, tenants: &[("main", "prom")], documents: &documents };
    let daemon = lone.start(root.path(), Options::default()).await?;
    let start = daemon.handle.clock.now().minus(minutes(5));
    let mut view = daemon.handle.view.clone();
    let mut told = Vec::new();
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        while told != [Reason::SuspectReset] {
            view.changed().await?;
            told = unseen(&daemon).await;
        }
        anyhow::Ok(())
    });
    waited.await.map_err(|_| anyhow::anyhow!("it is told as {told:?}, the source as {:?}", blind(&daemon)))??;
    let counts = counted(&daemon, "pay", start).await;
    // That it rises from the one to the other may be events, until the first fall says otherwise; it counts once and not at each scrape.
    assert!(counts.good < 30_000 + 1000 && counts.bad == 0, "{counts:?}");
    daemon.stop().await;
    Ok(())
}
