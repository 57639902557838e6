//! A source in trouble is a matter of its own tenant: nobody else waits for it, and it is not loaded with what it cannot answer.

use std::{path::Path, time::Duration};

use burnward::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
};
use burnward_core::{
    id::{SourceName, TenantId},
    time::{Timestamp, minutes},
};
use burnward_integration_tests::world::install_tls;
use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault};

const SLO: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: pay
    title: Customers can pay
    sli: { events: { bad: 'hits_total{code="500"}', total: 'hits_total' } }
    objectives: [ { target: 99%, window: 1d } ]
"#;

fn configuration(root: &Path, good: &str, bad: &str) -> String {
    let (slos, store) = (root.join("slos"), root.join("store"));
    std::fs::create_dir_all(&slos).expect("a directory");
    std::fs::write(slos.join("shop.yaml"), SLO).expect("a file");
    let (slos, store) = (slos.display(), store.display());
    format!(
        "version: burnward/v1\nlisten: 127.0.0.1:0\ntick: 1s\nstorage: {{ path: \"{store}\" }}\nsources:\n  good: {{ prometheus: {{ url: \"{good}\" }} }}\n  \
         bad: {{ prometheus: {{ url: \"{bad}\" }} }}\ntenants:\n  acme: {{ slo-definitions: [\"{slos}\"], source: good }}\n  \
         globex: {{ slo-definitions: [\"{slos}\"], source: bad }}\n"
    )
}

async fn daemon(root: &Path, good: &FakePrometheus, bad: &FakePrometheus, options: Options) -> anyhow::Result<Daemon> {
    install_tls();
    let text = configuration(root, good.url(), bad.url());
    let config = config::parse(&root.join("burnward.yaml"), &text).map_err(|error| anyhow::anyhow!("{error}"))?;
    Daemon::start(config, options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_never_answers_delays_no_other() -> anyhow::Result<()> {
    let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
    bad.fail(Class::Query, Fault::Hang).await;
    let daemon = daemon(root.path(), &good, &bad, Options::default()).await?;
    let mut view = daemon.handle.view.clone();
    let source = (TenantId::parse("acme")?, SourceName::parse("good")?);
    let mut read: Vec<Timestamp> = Vec::new();
    // The other source's first question alone takes 15 s until it is given up.
    tokio::time::timeout(Duration::from_secs(12), async {
        while read.len() < 2 || read[read.len() - 1].since(read[0]) < Duration::from_secs(4) {
            view.changed().await?;
            read.extend(view.borrow_and_update().sources.get(&source).and_then(|source| source.last_good));
            read.dedup();
        }
        anyhow::Ok(())
    })
    .await??;
    let longest = read.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default();
    // A tick is a second; a second tick more is a busy machine's.
    assert!(longest < Duration::from_secs(3), "{longest:?} between two rounds");
    daemon.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_source_that_stays_blind_is_asked_one_question_a_tick_until_it_answers() -> anyhow::Result<()> {
    let (good, bad, root) = (FakePrometheus::start().await?, FakePrometheus::start().await?, tempfile::tempdir()?);
    let clock = Clock::by_hand(Timestamp::from_seconds(1_700_000_000));
    let daemon = daemon(root.path(), &good, &bad, Options { clock, pace: Pace::ByHand, ..Options::default() }).await?;
    daemon.fast_forward(minutes(1)).await;
    bad.fail(Class::Query, Fault::Refuse).await;
    daemon.fast_forward(minutes(1)).await;
    bad.heal().await;
    bad.fail(Class::Query, Fault::Html).await;
    let before = bad.asked().len();
    daemon.fast_forward(Duration::from_secs(10)).await;
    assert_eq!(bad.asked().len() - before, 10);

    bad.heal().await;
    let (before, healthy) = (bad.asked().len(), good.asked().len());
    daemon.fast_forward(Duration::from_secs(10)).await;
    assert_eq!(bad.asked().len() - before, good.asked().len() - healthy, "all questions again");
    Ok(())
}
