//! Somebody changes the labels of a running target in the configuration of a real Prometheus and has it reload that: what counters count goes on.

use std::{
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
    id::{BudgetId, Group, ObjectiveName, ServiceName, SloId, SloName, TenantId},
    ledger::Counts,
    time::minutes,
};
use burnward_integration_tests::lone::{Lone, PAYMENTS, at};
use burnward_stand_ins::prometheus::Real;

/// A service of a long life, in which it failed often. It is called once with each scrape, and fails each time or never.
async fn service(fails: bool) -> anyhow::Result<String> {
    let calls = Arc::new(AtomicU64::new(0));
    let page = move || async move {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        let (good, bad) = if fails { (1_000_000, 50_000 + call) } else { (1_000_000 + call, 50_000) };
        format!("# TYPE hits_total counter\nhits_total{{code=\"200\"}} {good}\nhits_total{{code=\"500\"}} {bad}\n")
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/metrics", get(page))).await });
    Ok(address)
}

/// What Prometheus is told, with such labels for the target and for its series alone.
fn scrapes(target: &str, relabelled: &str, series: &str) -> String {
    let added = |labels: &str| {
        labels
            .split_whitespace()
            .filter_map(|label| label.split_once('='))
            .fold(String::new(), |text, (name, value)| text + &format!("{{ target_label: {name}, replacement: {value} }}, "))
    };
    format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n  - job_name: shop\n    static_configs: [{{ targets: [\"{target}\"] }}]\n    relabel_configs: [{}]\n    metric_relabel_configs: [{}]\n",
        added(relabelled),
        added(series)
    )
}

async fn counted(daemon: &Daemon) -> Counts {
    let slo = SloId {
        tenant: TenantId::parse("main").expect("a name"),
        service: ServiceName::parse("shop").expect("a name"),
        name: SloName::parse("pay").expect("a name"),
    };
    let budget = BudgetId { slo, objective: ObjectiveName::parse("events").expect("a name"), group: Group::whole() };
    let now = daemon.handle.clock.now();
    daemon.handle.between(&budget, now.minus(minutes(30)), now).await.map(|(counts, _)| counts).unwrap_or_default()
}

/// Waits until so many more events are counted.
async fn counts_on(daemon: &Daemon, more: i64) -> anyhow::Result<()> {
    let until = counted(daemon).await.total() + more;
    let mut view = daemon.handle.view.clone();
    let waited = tokio::time::timeout(Duration::from_mins(1), async {
        while counted(daemon).await.total() < until {
            view.changed().await?;
        }
        anyhow::Ok(())
    });
    waited.await.map_err(|_| anyhow::anyhow!("no {until} events are counted"))?
}

/// What is counted in the end, the status, and the incidents that there are.
async fn lived_through(root: &Path, fails: bool) -> anyhow::Result<(Counts, serde_json::Value, serde_json::Value)> {
    let target = service(fails).await?;
    let real = Real::start(&root.join("prometheus"), &scrapes(&target, "", "")).await?;
    let (sources, documents) = ([("prom", at(&real.url()))], [("shop.yaml", PAYMENTS)]);
    let lone = Lone { tick: "1s", sources: &sources, tenants: &[("main", "prom")], documents: &documents };
    let daemon = lone.start(root, Options::default()).await?;
    counts_on(&daemon, 4).await?;
    for (of_target, of_series) in [("env=test", ""), ("env=prod", ""), ("env=prod", "cluster=eu"), ("", "")] {
        real.reconfigure(&scrapes(&target, of_target, of_series)).await?;
        counts_on(&daemon, 4).await?;
    }
    let counts = counted(&daemon).await;
    let get = async |path: &str| anyhow::Ok(reqwest::get(format!("http://{}{path}", daemon.address)).await?.json().await?);
    let (status, incidents) = (get("/api/v1/status").await?, get("/api/v1/incidents").await?);
    daemon.stop().await;
    Ok((counts, status, incidents))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_service_whose_labels_are_changed_pages_nobody_and_keeps_its_budget() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let (counts, status, incidents) = lived_through(root.path(), false).await?;
    assert!(counts.bad == 0 && (20..1_000).contains(&counts.good), "{counts:?}");
    assert_eq!(status["budgets"][0]["bad"], 0, "{status:#}");
    assert_eq!(incidents, serde_json::json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_keeps_its_exact_count() -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    let (counts, ..) = lived_through(root.path(), true).await?;
    assert!(counts.good == 0 && (20..1_000).contains(&counts.bad), "{counts:?}");
    Ok(())
}
