//! How long the store takes at 10,000 budgets: `cargo bench -p burnward --bench store`. Prints figures and asserts none.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use burnward::store::{AuditEntry, Behind, Commit, NewEvent, Round, Store, StoredAlert};
use burnward_core::{
    alert::AlertState,
    id::{BudgetId, Group, ObjectiveName, PageId, ServiceName, SloId, SloName, SourceName, TenantId},
    incident::{Actor, AlertKey, BlindFacts, Facts, FaultKey, IncidentEvent, Kind, Message, MessageKind, Subject, What},
    ledger::{Compaction, Reason, Segment, SegmentKey, Unknown},
    oncall::Recipient,
    slo::Urgency,
    time::Timestamp,
};

/// The daemon's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BUDGETS: u32 = 10_000;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory for the store");
    let store = Store::open(dir.path()).await.expect("a new store");
    rounds(&store).await;
    everything_burns(&store).await;
    ledger(&store).await;
    store.close().await;
    reopen(dir.path()).await;
}

/// One quiet tick: a blob with an entry of six bytes per budget.
async fn rounds(store: &Store) {
    let blob: Vec<u8> = (0..BUDGETS).flat_map(|n| [1, n.to_le_bytes()[0], n.to_le_bytes()[1], 90, 3, 0]).collect();
    let mut took = Vec::new();
    for tick in 0..500 {
        let round =
            Round { source: source(), settled: at(tick), blob: Some(blob.clone()), state: None, behind: Behind::default(), late: None };
        let commit = Commit { round: Some(round), ..empty(at(tick)) };
        took.push(timed(store.commit(&commit)).await);
    }
    took.sort();
    println!(
        "commit of a round with {BUDGETS} entries ({} kB): p50 {:.2?}, p99 {:.2?}, max {:.2?}",
        blob.len() / 1000,
        took[250],
        took[495],
        took[499]
    );
}

/// The worst tick: every budget begins to burn, joins the incident, and is told of.
async fn everything_burns(store: &Store) {
    let commit = Commit {
        alerts: (0..BUDGETS).map(|n| StoredAlert { budget: budget(n), state: burning(), why: "100 > 14.4".to_owned() }).collect(),
        events: (1..=BUDGETS).map(event).collect(),
        messages: (0..BUDGETS).map(message).collect(),
        audit: (0..BUDGETS).map(|_| audit()).collect(),
        ..empty(at(0))
    };
    let took = timed(store.commit(&commit)).await;
    println!("commit of {BUDGETS} alert changes, events, messages and audit rows: {took:.2?}");
    let tenant = tenant();
    println!("live incidents, {BUDGETS} events: {:.2?}", timed(store.live_incidents(&tenant, at(0))).await);
    println!("due messages, 100 of {BUDGETS}: {:.2?}", timed(store.due_messages(at(1), 100)).await);
}

/// 35 days of slices of 5 minutes for a third of the budgets.
async fn ledger(store: &Store) {
    let (tenant, source) = (tenant(), source());
    for day in 0..35 {
        let segment = |stream| Segment { key: SegmentKey { stream, level_seconds: 300, day: at(day * 86_400) }, blob: vec![5; 900] };
        let compaction = Compaction {
            segments: (0..BUDGETS / 3).map(segment).collect(),
            drop_rounds_through: Some(i64::MAX),
            drop_segments: Vec::new(),
        };
        let took = timed(store.compact(&tenant, &source, &compaction)).await;
        if day == 34 {
            println!("compaction into {} segments (3 MB): {took:.2?}", BUDGETS / 3);
        }
    }
    let start = Instant::now();
    let stored = store.ledger(&tenant, &source).await.expect("the ledger");
    println!("ledger of {} segments (105 MB): {:.2?}", stored.segments.len(), start.elapsed());
}

async fn reopen(dir: &Path) {
    let start = Instant::now();
    let store = Store::open(dir).await.expect("the same store");
    let took = start.elapsed();
    let health = store.health().await.expect("its health");
    println!("open of {} MB with its check: {took:.2?}", health.file_bytes / 1_000_000);
    store.close().await;
}

async fn timed<T, E: std::fmt::Debug>(work: impl Future<Output = Result<T, E>>) -> Duration {
    let start = Instant::now();
    work.await.expect("the store works");
    start.elapsed()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_006_400 + seconds)
}

fn tenant() -> TenantId {
    TenantId::parse("main").expect("a name")
}

fn source() -> SourceName {
    SourceName::parse("prom").expect("a name")
}

fn fault() -> FaultKey {
    let service = ServiceName::parse("checkout").expect("a name");
    FaultKey { subject: Subject::Service(service), kind: Kind::Burn, urgency: Urgency::Page }
}

fn budget(n: u32) -> BudgetId {
    let (service, name) = (ServiceName::parse("checkout").expect("a name"), SloName::parse("availability").expect("a name"));
    let group = Group::new(vec![("tenant".to_owned(), format!("tenant-{n}"))]);
    BudgetId { slo: SloId { tenant: tenant(), service, name }, objective: ObjectiveName::parse("month").expect("a name"), group }
}

fn burning() -> AlertState {
    AlertState { page: Some(at(0)), ticket: None }
}

fn event(seq: u32) -> NewEvent {
    let unknown = Unknown { reason: Reason::Stale, detail: "the newest sample is 400 s old".to_owned() };
    let facts = Facts::Blind(BlindFacts { unknown, since: at(0), hides: Vec::new() });
    let alert = AlertKey::Budget(budget(seq));
    let team = burnward_core::id::TeamName::parse("payments").expect("a name");
    let what = match seq {
        1 => What::Opened { fault: fault(), team, alert, facts },
        _ => What::Joined { alert, facts, notify: None },
    };
    let event = IncidentEvent { seq, at: at(0), by: Actor::Daemon, what };
    NewEvent { incident: fault().incident(1), fault: fault(), ordinal: 1, event, phase: "open" }
}

fn message(n: u32) -> Message {
    let kind = MessageKind::Thread { seq: n + 1, broadcast: false };
    let to = Recipient::Channel("#payments".to_owned());
    Message { id: PageId::of(&["bench", &n.to_string()]), incident: fault().incident(1), to, kind, due: at(0) }
}

fn audit() -> AuditEntry {
    AuditEntry {
        actor: "burnward".to_owned(),
        action: "alert.fire".to_owned(),
        subject: "checkout".to_owned(),
        detail: "100 > 14.4".to_owned(),
    }
}

fn empty(at: Timestamp) -> Commit {
    Commit::empty(tenant(), at)
}
