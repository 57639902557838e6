//! What every store engine must do, as functions over a store that is empty.

pub(super) mod commits;
pub(super) mod definitions;
pub(super) mod incidents;
pub(super) mod ledger;
pub(super) mod outbox;
pub(super) mod records;

use std::time::Duration;

use burnward_core::{
    budget::BudgetLeft,
    burn_rate::{RowBurn, Verdict},
    exclusion::{Correction, Entry, ExclusionId, Owner, Recurrence, Scope, When},
    id::{BudgetId, Group, ObjectiveName, PageId, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    incident::{
        Actor, AlertKey, BurnFacts, Facts, FaultKey, IncidentEvent, Kind, Message, MessageKind, MessageRef, Subject, Symptom, Via, What,
    },
    ledger::Counts,
    oncall::Recipient,
    slo::{AlertRow, Urgency},
    time::{Timestamp, days, minutes},
    units::{Factor, Target},
    window::{Interval, Window},
};

use super::{AuditEntry, Behind, Commit, NewEvent, Owed, Round, Store};

/// An instant of the tests, in seconds from an arbitrary start.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_700_000_000 + seconds)
}

pub(super) fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).unwrap()
}

pub(super) fn source() -> SourceName {
    SourceName::parse("prom").unwrap()
}

fn budget(tenant: &TenantId, group: Group) -> BudgetId {
    let slo =
        SloId { tenant: tenant.clone(), service: ServiceName::parse("checkout").unwrap(), name: SloName::parse("availability").unwrap() };
    BudgetId { slo, objective: ObjectiveName::parse("month").unwrap(), group }
}

pub(super) fn fault() -> FaultKey {
    FaultKey { subject: Subject::Service(ServiceName::parse("checkout").unwrap()), kind: Kind::Burn, urgency: Urgency::Page }
}

fn facts() -> Facts {
    let row = AlertRow { urgency: Urgency::Page, factor: Factor::parse("14.4").unwrap(), long: minutes(60), short: minutes(5) };
    let counts = Counts { good: 90, tolerated: 0, bad: 10, unseen_millis: 0 };
    let burn = BurnFacts {
        title: "Customers can pay".to_owned(),
        symptom: Symptom::Failing,
        target: Target::percent("99.9%").unwrap(),
        window: Window::Rolling(days(30)),
        fired: RowBurn { row, long: counts, short: counts, long_burn: 100.0, short_burn: 0.1 + 0.2, verdict: Verdict::Holds },
        began: at(-60),
        left: BudgetLeft { ratio: 0.875, seconds: 2268.0, whole: Duration::from_secs(2592) },
        coverage: Some(1.0),
        runs_out: Some(minutes(400)),
        as_of: at(0),
        members: Vec::new(),
    };
    Facts::Burn(Box::new(burn))
}

/// A commit of nothing.
pub(super) fn empty(tenant: &TenantId, at: Timestamp) -> Commit {
    Commit::empty(tenant.clone(), at)
}

/// The `seq`-th event of the `ordinal`-th incident, at second `seq`.
pub(super) fn event(ordinal: u64, seq: u32, what: What, phase: &'static str) -> NewEvent {
    let by = Actor::Person { name: "Ada \0 <!channel> ü".to_owned(), via: Via::Slack };
    let event = IncidentEvent { seq, at: at(i64::from(seq)), by, what };
    NewEvent { incident: fault().incident(ordinal), fault: fault(), ordinal, event, phase }
}

/// The opening of the `ordinal`-th incident of the test's fault.
pub(super) fn opening(tenant: &TenantId, ordinal: u64) -> NewEvent {
    let alert = AlertKey::Budget(budget(tenant, Group::new(vec![("tenant".to_owned(), "a \"b\"\0\u{1F600}".to_owned())])));
    event(ordinal, 1, What::Opened { fault: fault(), team: TeamName::parse("payments").unwrap(), alert, facts: facts() }, "open")
}

fn noted(ordinal: u64, seq: u32) -> NewEvent {
    event(ordinal, seq, What::Noted { text: "looks like the deploy".to_owned() }, "open")
}

/// A message of the first incident.
pub(super) fn message(id: &str, kind: MessageKind, due: Timestamp) -> Message {
    Message { id: PageId::from_text(id), incident: fault().incident(1), to: Recipient::Channel("#payments".to_owned()), kind, due }
}

pub(super) fn audit(detail: &str) -> AuditEntry {
    AuditEntry { actor: "burnward".to_owned(), action: "alert.fire".to_owned(), subject: "checkout".to_owned(), detail: detail.to_owned() }
}

fn stands(ts: &str) -> MessageRef {
    MessageRef { channel: "C1".to_owned(), ts: ts.to_owned() }
}

async fn only_owed(store: &Store, now: Timestamp) -> Owed {
    let mut due = store.due_messages(now, 100).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due.pop().unwrap()
}

fn exclusion(id: u64) -> Correction {
    let recurrence = Recurrence {
        rule: "0 2 * * SUN".to_owned(),
        zone: "Europe/Berlin".to_owned(),
        lasts: minutes(90),
        from: at(0),
        until: Some(at(9)),
    };
    Correction::Excluded(Box::new(Entry {
        id: ExclusionId(id),
        scope: Scope { of: Owner::Service(ServiceName::parse("checkout").unwrap()), group: Group::new(vec![("a".into(), "\0\"'".into())]) },
        when: if id.is_multiple_of(2) { When::Recurring(recurrence) } else { When::Once(Interval { from: at(1), to: at(2) }) },
        reason: "data base upgrade \0 <b>".to_owned(),
        author: "ana".to_owned(),
        approver: "sam".to_owned(),
        incident: (id == 1).then(|| fault().incident(1)),
    }))
}

fn round_at(n: i64) -> Round {
    Round { source: source(), settled: at(n), blob: None, state: None, behind: Behind::default(), late: None }
}
