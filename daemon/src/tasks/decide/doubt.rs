//! A store that does not say what it has: what nobody can be sure of is read back from it, and counted once.

use burnward_core::{
    id::{BudgetId, Group, ObjectiveName, ServiceName, SloId, SloName, TenantId},
    ledger::Counts,
    time::{Timestamp, minutes},
};
use burnward_stand_ins::prometheus::FakePrometheus;
use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
};

const START: Timestamp = Timestamp::from_seconds(1_699_999_200);
const SCRAPE: i64 = 15;

/// A hundred calls between two scrapes, of which one fails.
fn push(fake: &FakePrometheus) {
    for scrape in -240..240 {
        let at = START.millis() + scrape * SCRAPE * 1000;
        for (code, value) in [("200", 99.0), ("500", 1.0)] {
            let labels = [("__name__", "hits_total"), ("job", "shop"), ("instance", "a:1"), ("code", code)];
            fake.push(&labels, at, (scrape + 1000) as f64 * value);
        }
        fake.push(&[("__name__", "up"), ("job", "shop"), ("instance", "a:1")], at, 1.0);
    }
}

const SLO: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: pay
    title: Customers can pay
    sli: { events: { bad: 'hits_total{code="500"}', total: 'hits_total' } }
    objectives: [ { target: 99.9%, window: 1d } ]
"#;

async fn start(root: &std::path::Path, fake: &FakePrometheus, now: Timestamp) -> Daemon {
    drop(rustls::crypto::ring::default_provider().install_default());
    std::fs::create_dir_all(root.join("slos")).unwrap();
    std::fs::write(root.join("slos/shop.yaml"), SLO).unwrap();
    let text = format!(
        "version: burnward/v1\nlisten: 127.0.0.1:0\ntick: 15s\nstorage: {{ path: \"{store}\" }}\nsources:\n  prom: {{ prometheus: {{ url: \"{url}\" \
         }} }}\ntenants:\n  main: {{ slo-definitions: [\"{slos}\"], source: prom }}\n",
        store = root.join("store").display(),
        url = fake.url(),
        slos = root.join("slos").display()
    );
    let config = config::parse(&root.join("burnward.yaml"), &text).expect("a configuration");
    Daemon::start(config, Options { clock: Clock::by_hand(now), pace: Pace::ByHand, ..Options::default() }).await.expect("started")
}

async fn counted(daemon: &Daemon) -> Counts {
    let name = "a name";
    let slo = SloId {
        tenant: TenantId::parse("main").expect(name),
        service: ServiceName::parse("shop").expect(name),
        name: SloName::parse("pay").expect(name),
    };
    let budget = BudgetId { slo, objective: ObjectiveName::parse("events").expect(name), group: Group::whole() };
    daemon.handle.between(&budget, START, daemon.handle.clock.now()).await.expect("it is counted").0
}

#[track_caller]
fn check(counts: Counts, passed: std::time::Duration) {
    let scrapes = i64::try_from(passed.as_secs()).expect("little") / SCRAPE;
    assert_eq!((counts.good, counts.bad, counts.unseen_millis), (scrapes * 99, scrapes, 0));
}

/// Without the table of numbers no commit is taken, and nobody can say whether one was.
async fn rename(sql: &mut SqliteConnection, from: &str, to: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("ALTER TABLE {from} RENAME TO {to}"))).execute(sql).await.expect("renamed");
}

#[tokio::test]
async fn what_the_store_does_not_answer_for_is_read_back_and_counted_once() {
    let (root, fake) = (tempfile::tempdir().unwrap(), FakePrometheus::start().await.unwrap());
    push(&fake);
    let daemon = start(root.path(), &fake, START).await;
    daemon.fast_forward(minutes(5)).await;
    check(counted(&daemon).await, minutes(5));

    let mut sql = SqliteConnectOptions::new().filename(root.path().join("store/burnward.db")).connect().await.unwrap();
    rename(&mut sql, "last_commits", "hidden").await;
    daemon.fast_forward(minutes(3)).await;
    rename(&mut sql, "hidden", "last_commits").await;
    daemon.fast_forward(minutes(2)).await;
    check(counted(&daemon).await, minutes(10));
    let open = daemon.handle.store.incidents(&TenantId::parse("main").unwrap(), 9, None).await.unwrap();
    assert!(!open.is_empty() && open.iter().all(|stored| stored.incident.ordinal == 1), "each is opened once: {open:?}");

    let now = daemon.handle.clock.now();
    daemon.stop().await;
    let daemon = start(root.path(), &fake, now).await;
    daemon.fast_forward(minutes(5)).await;
    check(counted(&daemon).await, minutes(15));
    daemon.stop().await;
}
