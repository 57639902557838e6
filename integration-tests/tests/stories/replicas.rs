//! A source of two replicas that differ: one is read, the other takes over, and no switch invents an event or hides one for long.

use std::time::Duration;

use burnward::{
    app::Daemon,
    view::{ReplicaView, SourceView},
};
use burnward_core::{
    id::{BudgetId, Group, ObjectiveName, ServiceName, SloId, SloName, SourceName, TenantId},
    ledger::{Counts, Reason},
    time::{Timestamp, minutes},
};
use burnward_integration_tests::lone::{Lone, PAYMENTS, by_hand};
use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault};

const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// Both replicas, and a daemon over them whose clock is moved by hand.
struct Pair {
    replicas: [FakePrometheus; 2],
    daemon: Daemon,
    _root: tempfile::TempDir,
}

impl Pair {
    /// Ten good events a second and one bad a minute, from an hour before the start to an hour after it. The second replica scrapes 7 s later, and what
    /// it scrapes began 5,000 events later; its samples end at `second_ends` after the start.
    async fn open() -> anyhow::Result<Self> {
        Self::with(PAYMENTS).await
    }

    async fn with(document: &str) -> anyhow::Result<Self> {
        let replicas = [FakePrometheus::start().await?, FakePrometheus::start().await?];
        for (replica, (phase, behind)) in replicas.iter().zip([(0, 0), (7, 5_000)]) {
            for second in (-3600 + phase..3600).step_by(15) {
                push(replica, second, behind);
            }
        }
        let root = tempfile::tempdir()?;
        let urls = format!("replicas: [\"{}\", \"{}\"]", replicas[0].url(), replicas[1].url());
        let (sources, documents) = ([("prom", urls)], [("shop.yaml", document)]);
        let lone = Lone { tick: "10s", sources: &sources, tenants: &[("main", "prom")], documents: &documents };
        let daemon = lone.start(root.path(), by_hand(START)).await?;
        Ok(Self { replicas, daemon, _root: root })
    }

    fn source(&self) -> SourceView {
        let name = (TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
        self.daemon.handle.view.borrow().sources[&name].clone()
    }

    fn reads(&self) -> ReplicaView {
        self.source().replica.expect("there are two")
    }

    async fn is_seen(&self) -> bool {
        let tenant = TenantId::parse("main").expect("a name");
        self.daemon.handle.budgets(&tenant).await.expect("it runs").iter().all(|status| status.unknown.is_none())
    }

    /// What was counted since the start.
    async fn counted(&self) -> Counts {
        let slo = SloId {
            tenant: TenantId::parse("main").expect("a name"),
            service: ServiceName::parse("shop").expect("a name"),
            name: SloName::parse("pay").expect("a name"),
        };
        let objective = ObjectiveName::parse("events").expect("a name");
        let budget = BudgetId { slo, objective, group: Group::whole() };
        self.daemon.handle.between(&budget, START, self.daemon.handle.clock.now()).await.expect("it is counted").0
    }
}

/// A scrape.
fn push(replica: &FakePrometheus, second: i64, behind: i64) {
    let at = START.millis() + second * 1000;
    let (good, bad) = ((second + 10_000) * 10 - behind, (second + 10_000) / 60);
    for (code, value) in [("200", good), ("500", bad)] {
        let value = f64::from(i32::try_from(value).expect("small"));
        replica.push(&[("__name__", "hits_total"), ("job", "shop"), ("instance", "a:1"), ("code", code)], at, value);
    }
    replica.push(&[("__name__", "up"), ("job", "shop"), ("instance", "a:1")], at, 1.0);
}

#[tokio::test]
async fn a_replica_that_fails_gives_over_to_the_other_and_no_event_is_invented() -> anyhow::Result<()> {
    let pair = Pair::open().await?;
    pair.daemon.fast_forward(minutes(10)).await;
    let [first, second] = pair.replicas.each_ref().map(|replica| replica.url().to_owned());
    assert_eq!((pair.reads().place, pair.reads().number, pair.reads().switched), (first.clone(), 1, None));
    assert!(pair.replicas[1].asked().is_empty(), "one is read, not both");

    pair.replicas[0].fail(Class::Query, Fault::Refuse).await;
    pair.daemon.fast_forward(Duration::from_secs(10)).await;
    assert!(!pair.is_seen().await, "one round may fail");
    pair.daemon.fast_forward(Duration::from_secs(10)).await;
    assert!(pair.is_seen().await && pair.source().blind.is_none(), "{:?}", pair.source());
    let reads = pair.reads();
    assert_eq!((reads.place, reads.number, reads.of), (second, 2, 2));
    assert!(reads.switched.as_ref().is_some_and(|(_, why)| why.starts_with(&first)), "{:?}", reads.switched);

    // The first one heals, and is left alone: each switch costs up to two scrape intervals of events.
    pair.replicas[0].heal().await;
    let before = pair.replicas[0].asked().len();
    pair.daemon.fast_forward(minutes(20)).await;
    assert_eq!((pair.reads().number, pair.replicas[0].asked().len()), (2, before));
    let counts = pair.counted().await;
    let truth = 10 * (30 * 60 + 20);
    assert!((truth - 2 * 150 - 150..=truth).contains(&counts.good), "{counts:?} of {truth}");
    assert!((28..=30).contains(&counts.bad), "{counts:?}");
    assert!(pair.daemon.handle.store.incidents(&TenantId::parse("main")?, 10, None).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn both_failing_is_blind_with_both_reasons_and_the_first_that_answers_is_read() -> anyhow::Result<()> {
    let pair = Pair::open().await?;
    pair.daemon.fast_forward(minutes(5)).await;
    for replica in &pair.replicas {
        replica.fail(Class::Query, Fault::Html).await;
    }
    pair.daemon.fast_forward(minutes(2)).await;
    let (_, why) = pair.source().blind.expect("blind");
    for replica in &pair.replicas {
        assert!(why.detail.contains(replica.url()), "{why}");
    }
    assert_eq!((pair.reads().number, pair.is_seen().await), (1, false));

    pair.replicas[1].heal().await;
    pair.daemon.fast_forward(Duration::from_secs(20)).await;
    assert_eq!((pair.reads().number, pair.is_seen().await, pair.source().blind), (2, true, None));
    // Now the second one fails for good, and the first is back.
    pair.daemon.fast_forward(minutes(2)).await;
    pair.replicas[0].heal().await;
    pair.replicas[1].fail(Class::Query, Fault::Reset).await;
    pair.daemon.fast_forward(Duration::from_secs(30)).await;
    assert_eq!((pair.reads().number, pair.is_seen().await), (1, true));
    Ok(())
}

#[tokio::test]
async fn a_replica_that_answers_but_is_not_scraped_into_gives_over_to_one_that_is() -> anyhow::Result<()> {
    let pair = Pair::open().await?;
    pair.daemon.fast_forward(minutes(5)).await;
    pair.replicas[0].fail(Class::Query, Fault::NoSeries).await;
    pair.daemon.fast_forward(Duration::from_secs(20)).await;
    assert_eq!((pair.reads().number, pair.is_seen().await), (2, true));
    let why = pair.reads().switched.map(|(_, why)| why);
    assert!(why.as_ref().is_some_and(|why| why.ends_with("nothing is scraped into it")), "{why:?}");

    // Where neither is scraped into, none is better.
    pair.daemon.fast_forward(minutes(2)).await;
    pair.replicas[1].fail(Class::Query, Fault::NoSeries).await;
    pair.daemon.fast_forward(minutes(1)).await;
    assert_eq!(pair.reads().number, 2);
    Ok(())
}

#[tokio::test]
async fn a_replica_whose_every_answer_is_partial_is_left_within_two_rounds_and_no_event_is_invented() -> anyhow::Result<()> {
    let pair = Pair::open().await?;
    pair.daemon.fast_forward(minutes(5)).await;
    pair.replicas[0].fail(Class::Query, Fault::Warning("a store is missing".to_owned())).await;
    pair.daemon.fast_forward(Duration::from_secs(20)).await;
    assert_eq!((pair.reads().number, pair.is_seen().await, pair.source().blind), (2, true, None));
    let why = pair.reads().switched.map(|(_, why)| why);
    assert!(why.as_ref().is_some_and(|why| why.contains("a store is missing")), "{why:?}");

    // Where the other is no better, it stays, and both reasons are told.
    pair.daemon.fast_forward(minutes(2)).await;
    pair.replicas[1].fail(Class::Query, Fault::IsPartial).await;
    pair.daemon.fast_forward(minutes(5)).await;
    let (_, why) = pair.source().blind.expect("blind");
    for replica in &pair.replicas {
        assert!(why.detail.contains(replica.url()), "{why}");
    }
    assert_eq!(pair.reads().number, 2);
    pair.replicas[0].heal().await;
    pair.daemon.fast_forward(Duration::from_secs(20)).await;
    assert_eq!((pair.reads().number, pair.is_seen().await, pair.source().blind), (1, true, None));

    let counts = pair.counted().await;
    let truth = 10 * (12 * 60 + 40);
    assert!((truth - 4 * 150 - 2 * 150..=truth).contains(&counts.good), "{counts:?} of {truth}");
    Ok(())
}

#[tokio::test]
async fn what_each_replica_would_refuse_leaves_none_that_answers_for_its_targets() -> anyhow::Result<()> {
    let slo = |name: &str| {
        format!(
            "  - name: {name}\n    sli: {{ window: {{ expr: 'max({name})', is: '<=', threshold: 1 }} }}\n    objectives: [ {{ target: 99%, window: 1d }} ]\n"
        )
    };
    let document = format!("version: burnward/v1\nservice: shop\nteam: operators\nslos:\n{}{}", slo("lag"), slo("queue"));
    // The stand-ins evaluate no expressions.
    let pair = Pair::with(&document).await?;
    pair.daemon.fast_forward(minutes(10)).await;
    let (_, why) = pair.source().blind.expect("no answer can be used");
    assert_eq!((why.reason, pair.reads().number, pair.reads().switched), (Reason::BadQuery, 1, None), "{why}");
    Ok(())
}
