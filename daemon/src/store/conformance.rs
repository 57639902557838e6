//! What every store engine must do, as functions over a store that is empty.

use std::{collections::BTreeSet, time::Duration};

use burnward_core::{
    alert::AlertState,
    budget::BudgetLeft,
    burn_rate::{RowBurn, Verdict},
    exclusion::{Correction, Entry, ExclusionId, Owner, Recorded, Recurrence, Scope, When},
    id::{BudgetId, Group, IncidentId, ObjectiveName, PageId, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    incident::{
        Actor, AlertKey, BurnFacts, Facts, FaultKey, IncidentEvent, Kind, Message, MessageKind, MessageRef, Phase, Resolution, Subject,
        Symptom, Via, What,
    },
    ledger::{Compaction, Counts, Image, Late, Segment, SegmentKey},
    oncall::Recipient,
    rename::{Rename, Renames},
    slo::{AlertRow, Urgency},
    time::{Timestamp, days, minutes},
    units::{Factor, Target},
    window::{Interval, Window},
};

use super::{
    AttemptOutcome, AuditEntry, AuditRow, Behind, Commit, DefinitionChanges, DueReport, NewEvent, OutboxStats, Owed, OwedReport, Release,
    ReportTimer, Round, Store, StoreError, StoredAlert, StoredDefinition,
};

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

async fn owe(store: &Store, tenant: &TenantId, messages: Vec<Message>, now: Timestamp) {
    store.commit(&Commit { messages, ..empty(tenant, now) }).await.unwrap();
}

async fn due_ids(store: &Store, now: Timestamp) -> Vec<String> {
    store.due_messages(now, 100).await.unwrap().iter().map(|owed| owed.message.id.to_string()).collect()
}

async fn only_owed(store: &Store, now: Timestamp) -> Owed {
    let mut due = store.due_messages(now, 100).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");
    due.pop().unwrap()
}

pub(super) async fn an_empty_store_holds_nothing(store: &Store) {
    let main = tenant("main");
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((ledger.settled, ledger.state, ledger.segments.len(), ledger.rounds.len()), (None, None, 0, 0));
    assert_eq!(store.alerts(&main).await.unwrap(), []);
    assert_eq!(store.live_incidents(&main, Timestamp::EPOCH).await.unwrap(), []);
    assert_eq!(store.incident(&main, &IncidentId::from_text("nobody-burn-1")).await.unwrap(), None);
    assert!(store.last_ordinals(&main).await.unwrap().is_empty());
    assert_eq!((store.next_due().await.unwrap(), store.outbox_stats().await.unwrap()), (None, OutboxStats::default()));
    assert_eq!(store.definitions(&main).await.unwrap(), []);
    assert_eq!(store.audit(&main, 10).await.unwrap(), []);
    assert_eq!(store.prune(at(0)).await.unwrap(), 0);
}

pub(super) async fn a_commit_comes_back_as_it_went_in(store: &Store) {
    let main = tenant("main");
    let group = Group::new(vec![("tenant".to_owned(), "a \"b\"\0\u{1F600}'; --".to_owned())]);
    let state = AlertState { page: Some(at(1)), ticket: None };
    let alert = StoredAlert { budget: budget(&main, group), state, why: "100 > 14.4\0".to_owned() };
    let events = vec![opening(&main, 1), noted(1, 2)];
    let commit = Commit {
        round: Some(Round {
            source: source(),
            settled: at(-60),
            blob: Some(vec![0, 1, 255]),
            state: Some(vec![7]),
            behind: Behind::default(),
            late: None,
        }),
        alerts: vec![alert.clone()],
        events: events.clone(),
        messages: vec![message("P-1", MessageKind::Root, at(1))],
        audit: vec![audit("because \0 <b>")],
        ..empty(&main, at(1))
    };
    store.commit(&commit).await.unwrap();

    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((ledger.settled, ledger.state), (Some(at(-60)), Some(vec![7])));
    assert_eq!(ledger.rounds.into_iter().map(|(_, blob)| blob).collect::<Vec<_>>(), [[0, 1, 255]]);
    assert_eq!(store.alerts(&main).await.unwrap(), [alert]);
    let incident = store.incident(&main, &fault().incident(1)).await.unwrap().unwrap();
    assert_eq!(incident.events, events.into_iter().map(|new| new.event).collect::<Vec<_>>());
    assert_eq!((incident.incident.id.clone(), incident.incident.phase.clone()), (fault().incident(1), Phase::Open));
    assert_eq!(store.live_incidents(&main, at(0)).await.unwrap(), [incident]);
    assert_eq!(store.last_ordinals(&main).await.unwrap(), [(fault(), 1)].into());
    assert_eq!(only_owed(store, at(1)).await.message, commit.messages[0]);
    assert_eq!(store.audit(&main, 10).await.unwrap(), [AuditRow { at: at(1), entry: audit("because \0 <b>") }]);
}

/// A commit with an event whose position is taken, or does not follow, leaves no trace of anything else in it.
pub(super) async fn an_event_out_of_place_refuses_the_whole_commit(store: &Store) {
    let main = tenant("main");
    store.commit(&Commit { events: vec![opening(&main, 1), noted(1, 2)], ..empty(&main, at(0)) }).await.unwrap();
    for wrong in
        [vec![noted(1, 2)], vec![noted(1, 4)], vec![opening(&main, 1)], vec![noted(1, 3), noted(1, 3)], vec![noted(1, 3), noted(1, 5)]]
    {
        check_refused(store, &main, wrong).await;
    }
    // An incident that does not exist, and one that does not begin at 1.
    check_refused(store, &main, vec![noted(9, 2)]).await;
    // A second incident under an ordinal that is taken.
    let double = NewEvent { incident: IncidentId::from_text("another-name"), ..opening(&main, 1) };
    check_refused(store, &main, vec![double]).await;
}

async fn check_refused(store: &Store, main: &TenantId, events: Vec<NewEvent>) {
    let shown = format!("{events:?}");
    let commit = Commit {
        round: Some(Round {
            source: source(),
            settled: at(5),
            blob: Some(vec![1]),
            state: Some(vec![2]),
            behind: Behind::default(),
            late: None,
        }),
        alerts: vec![StoredAlert { budget: budget(main, Group::whole()), state: AlertState::default(), why: String::new() }],
        events,
        messages: vec![message("P-9", MessageKind::Root, at(0))],
        audit: vec![audit("refused")],
        ..empty(main, at(5))
    };
    let refused = store.commit(&commit).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?} for {shown}");
    let ledger = store.ledger(main, &source()).await.unwrap();
    assert_eq!((ledger.settled, ledger.state, ledger.rounds.len()), (None, None, 0), "{shown}");
    assert_eq!(store.alerts(main).await.unwrap(), [], "{shown}");
    assert_eq!(store.incident(main, &fault().incident(1)).await.unwrap().unwrap().events.len(), 2, "{shown}");
    assert_eq!(store.incidents(main, 10, None).await.unwrap().len(), 1, "{shown}");
    assert_eq!(store.next_due().await.unwrap(), None, "{shown}");
    assert_eq!(store.audit(main, 10).await.unwrap(), [], "{shown}");
}

pub(super) async fn an_alert_of_another_tenant_is_refused(store: &Store) {
    let alert = StoredAlert { budget: budget(&tenant("other"), Group::whole()), state: AlertState::default(), why: String::new() };
    let refused = store.commit(&Commit { alerts: vec![alert], ..empty(&tenant("main"), at(0)) }).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
}

/// Everything of one tenant, asked for as another: nothing comes.
pub(super) async fn a_tenant_sees_its_own_rows_only(store: &Store) {
    let (main, other) = (tenant("main"), tenant("other"));
    let alerts = vec![StoredAlert { budget: budget(&main, Group::whole()), state: AlertState::default(), why: String::new() }];
    let commit = Commit {
        round: Some(Round {
            source: source(),
            settled: at(0),
            blob: Some(vec![1]),
            state: Some(vec![1]),
            behind: Behind::default(),
            late: None,
        }),
        alerts,
        events: vec![opening(&main, 1)],
        messages: vec![message("P-1", MessageKind::Root, at(0))],
        audit: vec![audit("mine")],
        ..empty(&main, at(0))
    };
    store.commit(&commit).await.unwrap();
    let incident = fault().incident(1);
    let page = PageId::from_text("P-1");

    let ledger = store.ledger(&other, &source()).await.unwrap();
    assert_eq!((ledger.settled, ledger.state, ledger.rounds.len()), (None, None, 0));
    assert_eq!(store.alerts(&other).await.unwrap(), []);
    assert_eq!(store.alert_changes(&other, None, at(-9), at(9), 9).await.unwrap(), []);
    assert_eq!(store.incident(&other, &incident).await.unwrap(), None);
    assert_eq!(store.incidents(&other, 9, None).await.unwrap(), []);
    assert_eq!(store.live_incidents(&other, at(-9)).await.unwrap(), []);
    assert!(store.last_ordinals(&other).await.unwrap().is_empty());
    assert_eq!(store.undelivered(&other, at(9_999), 9).await.unwrap(), []);
    assert_eq!(store.audit(&other, 9).await.unwrap(), []);
    assert!(!store.begin_attempt(&other, &page, at(1)).await.unwrap());
    store.finish_attempt(&other, &page, AttemptOutcome::Delivered(stands("1.1")), at(1)).await.unwrap();
    assert_eq!(store.delivered_ref(&main, &page).await.unwrap(), None);
    // The same incident and page of another tenant are others.
    store.commit(&Commit { events: vec![opening(&other, 1)], messages: commit.messages, ..empty(&other, at(0)) }).await.unwrap();
    assert_eq!(store.due_messages(at(1), 9).await.unwrap().len(), 2);
}

pub(super) async fn rounds_are_compacted_into_segments(store: &Store) {
    let main = tenant("main");
    for n in 0..4_u8 {
        let state = (n == 1).then(|| vec![9]);
        let blob = (n != 2).then(|| vec![n; 3]);
        let round = Round { source: source(), settled: at(i64::from(n)), blob, state, behind: Behind::default(), late: None };
        store.commit(&Commit { round: Some(round), ..empty(&main, at(i64::from(n))) }).await.unwrap();
    }
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((ledger.settled, ledger.state.as_deref()), (Some(at(3)), Some(&[9][..])), "a round without a state leaves it alone");
    assert_eq!(ledger.rounds.iter().map(|(_, blob)| blob[0]).collect::<Vec<_>>(), [0, 1, 3]);

    let segment =
        |stream, level_seconds, day, blob: &[u8]| Segment { key: SegmentKey { stream, level_seconds, day: at(day) }, blob: blob.to_vec() };
    let first = [segment(0, 10, 0, b"a"), segment(0, 60, 0, b""), segment(1, 10, 0, b"ccc"), segment(0, 10, 86_400, b"dd\0")];
    let through = Some(ledger.rounds[1].0);
    let kept = store.rounds_kept(&main, &source()).await.unwrap();
    assert_eq!(kept.iter().map(|(_, settled, bytes)| (*settled, *bytes)).collect::<Vec<_>>(), [(at(0), 3), (at(1), 3), (at(3), 3)]);
    assert_eq!(store.rounds_through(&main, &source(), kept[1].0).await.unwrap(), ledger.rounds[..2]);
    let compaction = Compaction { segments: first.to_vec(), drop_rounds_through: through, drop_segments: Vec::new() };
    store.compact(&main, &source(), &compaction).await.unwrap();
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!(ledger.rounds.iter().map(|(_, blob)| blob[0]).collect::<Vec<_>>(), [3]);
    assert_eq!(ledger.segments, [&first[0], &first[2], &first[1], &first[3]].map(Clone::clone), "oldest first, then by level and stream");
    assert_eq!(store.segment_keys(&main, &source()).await.unwrap().len(), 4);
    let some = store.segments(&main, &source(), &[first[3].key, first[1].key]).await.unwrap();
    assert_eq!(some.iter().map(|segment| segment.blob.as_slice()).collect::<Vec<_>>(), [&b"dd\0"[..], b""]);
    let days = store.ledger_days(&main, &source(), &[(0, at(0)), (1, at(86_400)), (7, at(0))]).await.unwrap();
    assert_eq!(days.segments, [first[0].clone(), first[1].clone()], "of both levels; the others are of another day or stream");
    assert_eq!(days.rounds, ledger.rounds);

    let second = vec![segment(0, 10, 86_400, b"new")];
    let dropped = vec![first[0].key, first[2].key, first[3].key];
    let compaction = Compaction { segments: second.clone(), drop_rounds_through: None, drop_segments: dropped };
    store.compact(&main, &source(), &compaction).await.unwrap();
    let left = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((left.segments, left.rounds.len()), (vec![first[1].clone(), second[0].clone()], 1));
}

pub(super) async fn images_are_replaced_and_go_with_the_rounds_that_they_lack(store: &Store) {
    let main = tenant("main");
    assert_eq!(store.last_round().await.unwrap(), 0);
    for n in 0..4_u8 {
        let round = Round { blob: Some(vec![n]), state: Some(vec![9]), ..round_at(i64::from(n)) };
        store.commit(&Commit { round: Some(round), ..empty(&main, at(i64::from(n))) }).await.unwrap();
    }
    let last = store.last_round().await.unwrap();
    let image = |part, before_last, blob| Image { part, through: last - before_last, blob: vec![blob] };
    for (image, when) in [(image(0, 3, 1), 5), (image(2_147_483, 1, 2), 6), (image(0, 2, 3), 7)] {
        store.save_image(&main, &source(), image, at(when)).await.unwrap();
    }
    assert_eq!(store.images_kept(&main, &source()).await.unwrap(), [(0, last - 2, at(7)), (2_147_483, last - 1, at(6))]);
    let stored = store.ledger_images(&main, &source()).await.unwrap();
    assert_eq!(stored.images, [image(0, 2, 3), image(2_147_483, 1, 2)]);
    assert_eq!(stored.rounds.iter().map(|(_, blob)| blob[0]).collect::<Vec<_>>(), [2, 3], "what the oldest image does not hold");
    assert_eq!((stored.settled, stored.state, stored.segments), (Some(at(3)), Some(vec![9]), Vec::new()));
    assert_eq!(store.ledger_images(&tenant("other"), &source()).await.unwrap().images, []);

    for (dropped, left) in [(None, 2), (Some(last - 2), 2), (Some(last - 1), 1)] {
        let compaction = Compaction { drop_rounds_through: dropped, ..Compaction::default() };
        store.compact(&main, &source(), &compaction).await.unwrap();
        assert_eq!(store.images_kept(&main, &source()).await.unwrap().len(), left, "{dropped:?}");
    }
    assert_eq!(store.ledger_images(&main, &source()).await.unwrap().rounds.len(), 1);
    assert_eq!(store.last_round().await.unwrap(), last, "numbers are not given again");
}

fn round_at(n: i64) -> Round {
    Round { source: source(), settled: at(n), blob: None, state: None, behind: Behind::default(), late: None }
}

pub(super) async fn what_a_second_reading_begins_with_is_replaced_and_what_it_found_stays(store: &Store) {
    let main = tenant("main");
    let blob = |byte: u8| Some(vec![byte]);
    let late = || Some(vec![1, 0, 0, 0]); // A packed round without entries.
    let rounds = [(Behind { seal: blob(1), log: None }, None), (Behind { seal: None, log: blob(2) }, late()), (Behind::default(), late())];
    for (n, (behind, late)) in (0..).zip(rounds) {
        let round = Round { source: source(), settled: at(n), blob: None, state: None, behind, late };
        store.commit(&Commit { round: Some(round), ..empty(&main, at(n)) }).await.unwrap();
    }
    let ledger = store.ledger(&main, &source()).await.unwrap();
    assert_eq!((ledger.seal, ledger.log), (blob(1), blob(2)));
    let found = |late: Vec<Late>| late.len();
    assert_eq!(found(store.late(&main, &source(), at(0)).await.unwrap()), 2);
    assert_eq!(found(store.late(&main, &source(), at(1)).await.unwrap()), 1, "what was recorded since");
    assert_eq!(found(store.late(&tenant("other"), &source(), at(0)).await.unwrap()), 0);
}

pub(super) async fn alert_changes_are_kept_in_order(store: &Store) {
    let main = tenant("main");
    let (whole, eu) = (budget(&main, Group::whole()), budget(&main, Group::new(vec![("region".to_owned(), "eu".to_owned())])));
    for n in 0..4 {
        let state = AlertState { page: (n % 2 == 0).then(|| at(n)), ticket: Some(at(0)) };
        let alerts = [&whole, &eu].map(|budget| StoredAlert { budget: budget.clone(), state, why: format!("change {n}") });
        store.commit(&Commit { alerts: alerts.to_vec(), ..empty(&main, at(n)) }).await.unwrap();
    }
    let whys = |changes: Vec<super::AlertChangeRow>| changes.into_iter().map(|change| change.why).collect::<Vec<_>>();
    let of_eu = store.alert_changes(&main, Some(&eu), at(1), at(9), 9).await.unwrap();
    assert!(of_eu.iter().all(|change| change.budget == eu));
    assert_eq!((of_eu[1].at, of_eu[1].state), (at(2), AlertState { page: Some(at(2)), ticket: Some(at(0)) }));
    assert_eq!(whys(of_eu), ["change 1", "change 2", "change 3"]);
    assert_eq!(whys(store.alert_changes(&main, Some(&whole), at(0), at(9), 2).await.unwrap()), ["change 2", "change 3"]);
    assert_eq!(store.alert_changes(&main, None, at(0), at(0), 9).await.unwrap().len(), 2);
    let now = store.alerts(&main).await.unwrap();
    assert_eq!(now.len(), 2);
    assert!(now.iter().all(|alert| alert.why == "change 3" && alert.state.page.is_none()));
    let mut then = store.alerts_at(&main, at(2)).await.unwrap();
    then.sort_by(|a, b| a.0.cmp(&b.0));
    let state = AlertState { page: Some(at(2)), ticket: Some(at(0)) };
    assert_eq!(then, [(whole, state), (eu, state)]);
    assert_eq!(store.alerts_at(&main, at(-1)).await.unwrap(), []);
    assert_eq!(store.alerts_at(&tenant("other"), at(9)).await.unwrap(), []);
}

pub(super) async fn resolved_incidents_leave_the_live_ones(store: &Store) {
    let main = tenant("main");
    let resolved = |ordinal, seq| event(ordinal, seq, What::Resolved { how: Resolution::Recovered }, "resolved");
    let late_note = event(1, 4, What::Noted { text: "it was DNS".to_owned() }, "resolved");
    store.commit(&Commit { events: vec![opening(&main, 1), noted(1, 2)], ..empty(&main, at(0)) }).await.unwrap();
    store.commit(&Commit { events: vec![resolved(1, 3), opening(&main, 2)], ..empty(&main, at(0)) }).await.unwrap();
    store.commit(&Commit { events: vec![late_note], ..empty(&main, at(0)) }).await.unwrap();
    check_live(store, at(2), &[1, 2], "resolved at second 3").await;
    check_live(store, at(3), &[2], "a note after the end does not move the end").await;
    let reopened = event(1, 5, What::Reopened { why: burnward_core::incident::ReopenReason::StillHolds }, "open");
    store.commit(&Commit { events: vec![reopened], ..empty(&main, at(0)) }).await.unwrap();
    check_live(store, at(99), &[1, 2], "open again").await;
    assert_eq!(store.last_ordinals(&main).await.unwrap(), [(fault(), 2)].into());
}

async fn check_live(store: &Store, resolved_after: Timestamp, ordinals: &[u64], why: &str) {
    let live = store.live_incidents(&tenant("main"), resolved_after).await.unwrap();
    let ids: Vec<IncidentId> = live.into_iter().map(|stored| stored.incident.id).collect();
    assert_eq!(ids, ordinals.iter().map(|ordinal| fault().incident(*ordinal)).collect::<Vec<_>>(), "{why}");
}

pub(super) async fn incidents_are_listed_newest_first(store: &Store) {
    let main = tenant("main");
    for ordinal in 1..=3_u32 {
        let mut opening = opening(&main, u64::from(ordinal));
        opening.event.at = at(i64::from(ordinal) * 100);
        store.commit(&Commit { events: vec![opening, noted(u64::from(ordinal), 2)], ..empty(&main, at(0)) }).await.unwrap();
    }
    let listed =
        |stored: Vec<super::StoredIncident>| stored.into_iter().map(|one| (one.incident.ordinal, one.events.len())).collect::<Vec<_>>();
    assert_eq!(listed(store.incidents(&main, 2, None).await.unwrap()), [(3, 2), (2, 2)]);
    assert_eq!(listed(store.incidents(&main, 9, Some(at(200))).await.unwrap()), [(1, 2)]);
    assert_eq!(listed(store.incidents_between(&main, at(0), at(201)).await.unwrap()), [(1, 2), (2, 2)]);
    let end = event(1, 3, What::Resolved { how: Resolution::Recovered }, "resolved");
    store.commit(&Commit { events: vec![end], ..empty(&main, at(3)) }).await.unwrap();
    assert_eq!(listed(store.incidents_between(&main, at(3), at(201)).await.unwrap()), [(2, 2)]);
    assert_eq!(listed(store.incidents_between(&main, at(2), at(200)).await.unwrap()), [(1, 3)]);
    assert_eq!(listed(store.incidents_between(&tenant("other"), at(0), at(999)).await.unwrap()), []);
}

pub(super) async fn pages_come_before_informs_and_the_longest_due_first(store: &Store) {
    let main = tenant("main");
    let thread = |seq| MessageKind::Thread { seq, broadcast: seq == 2 };
    let messages = vec![
        message("P-edit", MessageKind::Edit, at(1)),
        message("P-two", MessageKind::Direct, at(3)),
        message("P-one", MessageKind::Again, at(2)),
        message("P-thread-1", thread(1), at(3)),
        message("P-thread-2", thread(2), at(3)),
        message("P-later", MessageKind::Root, at(50)),
    ];
    owe(store, &main, messages.clone(), at(0)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(1)));
    let due = store.due_messages(at(10), 100).await.unwrap();
    let expected = [2, 1, 0, 3, 4].map(|index: usize| messages[index].clone());
    assert_eq!(due.into_iter().map(|owed| owed.message).collect::<Vec<_>>(), expected);
    assert_eq!(store.due_messages(at(10), 2).await.unwrap().len(), 2);
    let stats = OutboxStats { pages_owed: 3, oldest_page: Some(at(0)), pages_undeliverable: 0, informs_owed: 3 };
    assert_eq!(store.outbox_stats().await.unwrap(), stats);
}

pub(super) async fn a_report_that_fires_is_owed_once_and_apart_from_pages(store: &Store) {
    let main = tenant("main");
    let timer = |report: &str, due| ReportTimer { tenant: main.clone(), report: report.to_owned(), due };
    store.set_report_timers(&[timer("a", at(10)), timer("b", at(20))]).await.unwrap();
    store.set_report_timers(&[timer("b", at(20)), timer("c", at(30))]).await.unwrap();
    assert_eq!(store.report_timers().await.unwrap(), [timer("b", at(20)), timer("c", at(30))]);

    let page = PageId::from_text("P-report");
    let to = Recipient::Channel("#payments".to_owned());
    let team = Some(TeamName::parse("payments").unwrap());
    let report = DueReport { page: page.clone(), team, timezone: "Europe/Berlin".to_owned(), fired_at: at(20), missed: 2, to };
    for _ in 0..2 {
        store.fire_report(&timer("b", at(40)), &report, at(21)).await.unwrap();
    }
    assert_eq!(store.report_timers().await.unwrap(), [timer("b", at(40)), timer("c", at(30))]);
    owe(store, &main, vec![message("P-1", MessageKind::Root, at(0))], at(0)).await;
    assert_eq!(due_ids(store, at(30)).await, ["P-1"]);
    let owed = OwedReport { tenant: main.clone(), report, attempts: 0, ambiguous: false, decided_at: at(21) };
    assert_eq!(store.due_reports(at(30), 10).await.unwrap(), [owed]);
    assert_eq!(store.due_reports(at(20), 10).await.unwrap(), []);

    assert!(store.begin_attempt(&main, &page, at(31)).await.unwrap());
    let delivered = AttemptOutcome::Delivered(MessageRef { channel: "C1".to_owned(), ts: "1.1".to_owned() });
    store.finish_attempt(&main, &page, delivered, at(32)).await.unwrap();
    assert_eq!(store.due_reports(at(99), 10).await.unwrap(), []);
    assert!(!store.begin_attempt(&main, &page, at(33)).await.unwrap(), "it was sent");
}

pub(super) async fn an_attempt_ends_as_its_outcome_says(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text("P-1");
    owe(store, &main, vec![message("P-1", MessageKind::Root, at(0))], at(0)).await;
    assert!(store.begin_attempt(&main, &page, at(1)).await.unwrap());
    assert!(!store.begin_attempt(&main, &page, at(1)).await.unwrap(), "it is in flight already");
    assert_eq!(due_ids(store, at(1)).await, [""; 0]);

    let retry = AttemptOutcome::Retry { at: at(10), reason: "429".to_owned() };
    store.finish_attempt(&main, &page, retry, at(2)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(10)));
    let owed = only_owed(store, at(10)).await;
    assert_eq!((owed.attempts, owed.ambiguous, owed.first_attempt_at, owed.last_error.as_deref()), (1, false, Some(at(1)), Some("429")));

    assert!(store.begin_attempt(&main, &page, at(11)).await.unwrap());
    let ambiguous = AttemptOutcome::Ambiguous { at: at(12), reason: "cut".to_owned() };
    store.finish_attempt(&main, &page, ambiguous, at(11)).await.unwrap();
    assert!(store.begin_attempt(&main, &page, at(12)).await.unwrap());
    let retry = AttemptOutcome::Retry { at: at(13), reason: "refused".to_owned() };
    store.finish_attempt(&main, &page, retry, at(12)).await.unwrap();
    let owed = only_owed(store, at(13)).await;
    assert_eq!((owed.attempts, owed.ambiguous, owed.decided_at), (3, true, at(0)), "the second attempt may still have arrived");
    let listed = store.undelivered(&main, at(0), 9).await.unwrap();
    assert_eq!((listed.len(), listed[0].given_up, listed[0].to.as_str(), listed[0].attempts), (1, false, "#payments", 3));

    store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands("1.1")), at(14)).await.unwrap();
    let late = AttemptOutcome::Dropped { reason: "too late to matter".to_owned() };
    store.finish_attempt(&main, &page, late, at(15)).await.unwrap();
    assert_eq!(store.delivered_ref(&main, &page).await.unwrap(), Some(stands("1.1")));
    assert_eq!(store.root_message(&main, &fault().incident(1)).await.unwrap(), Some(stands("1.1")));
    assert_eq!((store.next_due().await.unwrap(), store.outbox_stats().await.unwrap()), (None, OutboxStats::default()));
}

pub(super) async fn a_dropped_page_is_listed_as_given_up(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text("P-1");
    owe(store, &main, vec![message("P-1", MessageKind::Direct, at(0))], at(0)).await;
    assert_eq!(store.undelivered(&main, at(-1), 9).await.unwrap(), [], "it was only just decided");
    assert_eq!(store.undelivered(&main, at(0), 9).await.unwrap().len(), 1, "it waits");
    store.begin_attempt(&main, &page, at(1)).await.unwrap();
    let dropped = AttemptOutcome::Dropped { reason: "channel_not_found".to_owned() };
    store.finish_attempt(&main, &page, dropped, at(1)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    let listed = store.undelivered(&main, at(0), 9).await.unwrap();
    assert_eq!((listed[0].given_up, listed[0].last_error.as_deref()), (true, Some("channel_not_found")));
    assert_eq!(store.outbox_stats().await.unwrap().pages_undeliverable, 1);
}

/// The events that tell of an outcome and the outbox agree, because they are committed together.
pub(super) async fn delivery_events_end_their_messages(store: &Store) {
    let main = tenant("main");
    let messages = ["P-1", "P-2"].map(|id| message(id, MessageKind::Direct, at(0))).to_vec();
    store.commit(&Commit { events: vec![opening(&main, 1)], messages, ..empty(&main, at(0)) }).await.unwrap();
    for id in ["P-1", "P-2"] {
        assert!(store.begin_attempt(&main, &PageId::from_text(id), at(1)).await.unwrap());
    }
    let delivered = What::Delivered { page: PageId::from_text("P-1"), at: stands("5.5"), maybe_repeat: false };
    let undeliverable = What::Undeliverable { page: PageId::from_text("P-2"), reason: "account_inactive".to_owned() };
    let events = vec![event(1, 2, delivered, "open"), event(1, 3, undeliverable, "open")];
    store.commit(&Commit { events, ..empty(&main, at(3)) }).await.unwrap();
    assert_eq!(store.delivered_ref(&main, &PageId::from_text("P-1")).await.unwrap(), Some(stands("5.5")));
    let listed = store.undelivered(&main, at(0), 9).await.unwrap();
    assert_eq!((listed.len(), listed[0].page.as_str(), listed[0].given_up), (1, "P-2", true));
    assert_eq!(listed[0].last_error.as_deref(), Some("account_inactive"));
}

pub(super) async fn a_page_that_was_delivered_is_not_owed_again(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text("P-1");
    for kind in [MessageKind::Direct, MessageKind::Direct] {
        owe(store, &main, vec![message("P-1", kind, at(0))], at(0)).await;
        store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands("1.1")), at(1)).await.unwrap();
    }
    owe(store, &main, vec![message("P-1", MessageKind::Direct, at(2))], at(2)).await;
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub(super) async fn an_edit_is_owed_again_whenever_it_is_newer(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text("P-edit");
    let edit = |due| vec![message("P-edit", MessageKind::Edit, due)];
    owe(store, &main, edit(at(20)), at(0)).await;
    owe(store, &main, edit(at(10)), at(1)).await;
    owe(store, &main, edit(at(30)), at(2)).await;
    let owed = only_owed(store, at(10)).await;
    assert_eq!((owed.message.due, owed.decided_at), (at(10), at(0)), "several wait as one, for the earliest");

    store.begin_attempt(&main, &page, at(10)).await.unwrap();
    owe(store, &main, edit(at(11)), at(11)).await;
    assert_eq!(due_ids(store, at(99)).await, [""; 0], "it is in flight");
    store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands("1.1")), at(12)).await.unwrap();
    let again = only_owed(store, at(12)).await;
    assert_eq!((again.attempts, again.ambiguous, again.first_attempt_at), (0, false, None), "what it showed was older");

    store.begin_attempt(&main, &page, at(13)).await.unwrap();
    store.finish_attempt(&main, &page, AttemptOutcome::Retry { at: at(60), reason: "429".to_owned() }, at(13)).await.unwrap();
    owe(store, &main, edit(at(14)), at(14)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(at(60)), "who was told to wait waits");

    store.begin_attempt(&main, &page, at(60)).await.unwrap();
    store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands("1.1")), at(61)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), None);
    owe(store, &main, edit(at(70)), at(70)).await;
    let later = only_owed(store, at(70)).await;
    assert_eq!((later.attempts, later.decided_at, later.last_error), (0, at(70), None));
}

/// Where the root was deleted and an edit posted it anew, the thread goes on there.
pub(super) async fn an_edit_can_move_the_root(store: &Store) {
    let main = tenant("main");
    let incident = fault().incident(1);
    owe(store, &main, vec![message("P-root", MessageKind::Root, at(0)), message("P-edit", MessageKind::Edit, at(0))], at(0)).await;
    assert_eq!(store.root_message(&main, &incident).await.unwrap(), None);
    for (page, ts) in [("P-edit", "2.2"), ("P-root", "1.1")] {
        store.finish_attempt(&main, &PageId::from_text(page), AttemptOutcome::Delivered(stands(ts)), at(1)).await.unwrap();
    }
    assert_eq!(store.root_message(&main, &incident).await.unwrap(), Some(stands("2.2")));
    assert_eq!(store.root_message(&main, &IncidentId::from_text("other")).await.unwrap(), None);
}

pub(super) async fn definitions_are_replaced_and_their_versions_stay(store: &Store) {
    let main = tenant("main");
    let slo = budget(&main, Group::whole()).slo;
    let definition = |path: &str, version: &str, loaded| StoredDefinition {
        path: path.to_owned(),
        text: format!("text of {version}\0"),
        version: version.to_owned(),
        slos: vec![slo.clone()],
        loaded_at: loaded,
    };
    let (a1, b1, a2) = (definition("a.yaml", "a1", at(0)), definition("b.yaml", "b1", at(0)), definition("a.yaml", "a2", at(1)));
    let load = |loaded: &[&StoredDefinition], removed: &[&str]| DefinitionChanges {
        loaded: loaded.iter().map(|&definition| definition.clone()).collect(),
        removed: removed.iter().map(|&path| path.to_owned()).collect(),
        ..DefinitionChanges::default()
    };
    store.save_definitions(&main, &load(&[&b1, &a1], &[]), at(0), &[audit("load")]).await.unwrap();
    assert_eq!(store.definitions(&main).await.unwrap(), [a1.clone(), b1.clone()]);
    let held = vec![(slo.clone(), "b.yaml".to_owned(), "b1".to_owned())];
    let release = Release { slos: vec![slo.clone()], ..Release::default() };
    let changes = DefinitionChanges { held, ..load(&[&a2], &["b.yaml"]) };
    store.save_definitions(&main, &changes, at(1), &[]).await.unwrap();
    assert_eq!(store.definitions(&main).await.unwrap(), [a2]);
    assert_eq!(store.held_definitions(&main).await.unwrap(), [(slo.clone(), b1)], "a version that is held stays although its file is gone");
    assert_eq!(store.held_definitions(&tenant("other")).await.unwrap(), []);
    store.release_held(&tenant("other"), &release, at(1), &[]).await.unwrap();
    assert_eq!(store.held_definitions(&main).await.unwrap().len(), 1);
    store.release_held(&main, &release, at(1), &[]).await.unwrap();
    assert_eq!(store.held_definitions(&main).await.unwrap(), []);
    let back = definition("a.yaml", "a1", at(2));
    store.save_definitions(&main, &load(&[&back], &[]), at(2), &[]).await.unwrap();
    assert_eq!(store.definitions(&main).await.unwrap(), [a1], "a version that comes back was loaded first when it was loaded first");
    assert_eq!(store.definitions(&tenant("other")).await.unwrap(), []);
    assert_eq!(store.audit(&main, 9).await.unwrap().len(), 1);
}

/// Which version ran when is kept, by the name of today, through a version that comes back.
pub(super) async fn the_version_that_ran_at_a_moment_is_known(store: &Store) {
    let main = tenant("main");
    let old = budget(&main, Group::whole()).slo;
    let new = SloId { name: SloName::parse("paid-orders").unwrap(), ..old.clone() };
    let definition = |version: &str| StoredDefinition {
        path: "a.yaml".to_owned(),
        text: format!("text of {version}"),
        version: version.to_owned(),
        slos: Vec::new(),
        loaded_at: at(0),
    };
    let runs = |slo: &SloId, version: &str| vec![(slo.clone(), "a.yaml".to_owned(), version.to_owned())];
    let load = |slo: &SloId, version: &str| DefinitionChanges {
        loaded: vec![definition(version)],
        runs: runs(slo, version),
        ..DefinitionChanges::default()
    };
    store.save_definitions(&main, &load(&old, "a1"), at(0), &[]).await.unwrap();
    store.save_definitions(&main, &load(&old, "a1"), at(5), &[]).await.unwrap();
    store.save_definitions(&main, &load(&old, "a2"), at(10), &[]).await.unwrap();
    let rename = Rename { at: at(20), service: old.service.clone(), from: old.name.clone(), to: new.name.clone() };
    let renamed = DefinitionChanges { renamed: vec![rename], ..load(&new, "a3") };
    store.save_definitions(&main, &renamed, at(20), &[]).await.unwrap();
    let release = Release { runs: runs(&new, "a1"), ..Release::default() };
    store.release_held(&main, &release, at(30), &[]).await.unwrap();
    for (seconds, version, since) in [(0, "a1", 0), (9, "a1", 0), (10, "a2", 10), (25, "a3", 20), (30, "a1", 30)] {
        let ran = store.versions_at(&main, None, at(seconds)).await.unwrap();
        assert_eq!(ran.keys().collect::<Vec<_>>(), [&new], "{seconds}");
        assert_eq!(store.versions_at(&main, Some(&new.service), at(seconds)).await.unwrap(), ran);
        assert_eq!((ran[&new].version.as_str(), ran[&new].since), (version, at(since)), "{seconds}");
        let text = store.definition_version(&main, &ran[&new]).await.unwrap().map(|definition| definition.text);
        assert_eq!(text, Some(format!("text of {version}")));
    }
    assert!(store.versions_at(&main, Some(&new.service), at(-1)).await.unwrap().is_empty());
    assert!(store.versions_at(&tenant("other"), None, at(9)).await.unwrap().is_empty());
}

/// States and keys take the new name; what is a record stays as it was written and is read by the name of today.
pub(super) async fn a_renamed_slo_keeps_what_was_written_of_it(store: &Store) {
    let main = tenant("main");
    let of = |name: &str| BudgetId {
        slo: SloId { name: SloName::parse(name).unwrap(), ..budget(&main, Group::whole()).slo },
        ..budget(&main, Group::whole())
    };
    let (old, new) = (budget(&main, Group::whole()), of("paid-orders"));
    let state = AlertState { page: Some(at(0)), ticket: None };
    let alert = StoredAlert { budget: old.clone(), state, why: "burns".to_owned() };
    let scope = Scope { of: Owner::Slo(old.slo.service.clone(), old.slo.name.clone()), group: Group::whole() };
    let Correction::Excluded(entry) = exclusion(1) else { panic!("an exclusion") };
    let excluded = Correction::Excluded(Box::new(Entry { scope, ..*entry }));
    let commit = Commit { alerts: vec![alert], events: vec![opening(&main, 1)], corrections: vec![excluded], ..empty(&main, at(0)) };
    store.commit(&commit).await.unwrap();
    let rename = Rename { at: at(1), service: old.slo.service.clone(), from: old.slo.name.clone(), to: new.slo.name.clone() };
    let changes = DefinitionChanges { renamed: vec![rename.clone()], ..DefinitionChanges::default() };
    store.save_definitions(&main, &changes, at(1), &[audit("slo.rename")]).await.unwrap();

    assert_eq!(store.renames(&main).await.unwrap(), Renames::new(vec![rename]));
    let alerts = store.alerts(&main).await.unwrap();
    assert_eq!(alerts.iter().map(|alert| &alert.budget).collect::<Vec<_>>(), [&new]);
    assert_eq!(store.alert_changes(&main, Some(&new), at(0), at(9), 9).await.unwrap().len(), 1);
    assert_eq!(store.alerts_at(&main, at(0)).await.unwrap(), [(new.clone(), state)]);
    let incident = store.incident(&main, &fault().incident(1)).await.unwrap().unwrap().incident;
    assert_eq!(*incident.slos(), BTreeSet::from([new.slo.clone()]));
    let record = store.corrections(&main).await.unwrap();
    assert!(matches!(&record[0].what, Correction::Excluded(entry) if entry.scope.is_of(&new.slo)), "{record:?}");

    // Another SLO that takes the old name later has nothing of it.
    let joined = event(1, 2, What::Joined { alert: AlertKey::Budget(old.clone()), facts: facts(), notify: None }, "open");
    store.commit(&Commit { events: vec![joined], ..empty(&main, at(2)) }).await.unwrap();
    let incident = store.incident(&main, &fault().incident(1)).await.unwrap().unwrap().incident;
    assert_eq!(*incident.slos(), BTreeSet::from([new.slo.clone(), old.slo.clone()]));
    assert!(store.counted_slos(&main).await.unwrap().is_empty(), "nothing was counted");
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

pub(super) async fn corrections_are_a_record(store: &Store) {
    let (main, other) = (tenant("main"), tenant("other"));
    let withdrawal = |id| Correction::Withdrawn { id: ExclusionId(id), reason: "moved".to_owned(), author: "sam".to_owned() };
    let record = |tenant: &TenantId, seconds, corrections| Commit { corrections, audit: vec![audit("x")], ..empty(tenant, at(seconds)) };
    store.commit(&record(&main, 1, vec![exclusion(1), exclusion(2)])).await.unwrap();
    store.commit(&record(&main, 2, vec![withdrawal(1)])).await.unwrap();
    store.commit(&record(&other, 3, vec![exclusion(1)])).await.unwrap();
    for wrong in [vec![exclusion(2)], vec![withdrawal(1)], vec![exclusion(3), withdrawal(9)]] {
        let error = store.commit(&record(&main, 4, wrong)).await.unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    }
    let expected = [(1, exclusion(1)), (1, exclusion(2)), (2, withdrawal(1))];
    assert_eq!(store.corrections(&main).await.unwrap(), expected.map(|(seconds, what)| Recorded { at: at(seconds), what }));
    assert_eq!(store.corrections(&other).await.unwrap().len(), 1);
    assert_eq!(store.audit(&main, 9).await.unwrap().len(), 2, "what is refused leaves nothing");
}

pub(super) async fn a_request_has_its_effect_once(store: &Store) {
    for (now, first) in [(0, true), (1, false), (599, false), (600, true), (601, false)] {
        assert_eq!(store.seen("envelope-1", at(now), minutes(10)).await.unwrap(), first, "at second {now}");
    }
    assert!(store.seen("envelope-2", at(1), minutes(10)).await.unwrap());
}

pub(super) async fn facts_of_the_deployment_are_kept(store: &Store) {
    assert_eq!(store.meta_get("channel:#payments").await.unwrap(), None);
    for id in ["C1", "C2"] {
        store.meta_set("channel:#payments", id).await.unwrap();
        assert_eq!(store.meta_get("channel:#payments").await.unwrap().as_deref(), Some(id));
    }
}

pub(super) async fn old_rows_are_pruned_and_what_is_needed_stays(store: &Store) {
    let main = tenant("main");
    let messages = vec![message("P-root", MessageKind::Root, at(0)), message("P-edit", MessageKind::Edit, at(0))];
    let thread = MessageKind::Thread { seq: 2, broadcast: false };
    let other = Message { incident: fault().incident(2), ..message("P-thread", thread, at(0)) };
    let resolved = event(2, 2, What::Resolved { how: Resolution::Recovered }, "resolved");
    let events = vec![opening(&main, 1), opening(&main, 2), resolved];
    store.commit(&Commit { events, messages: [messages, vec![other]].concat(), ..empty(&main, at(0)) }).await.unwrap();
    for page in ["P-root", "P-edit", "P-thread"] {
        store.finish_attempt(&main, &PageId::from_text(page), AttemptOutcome::Delivered(stands(page)), at(1)).await.unwrap();
    }
    store.seen("old", at(0), minutes(1)).await.unwrap();
    assert_eq!(store.prune(at(30)).await.unwrap(), 0);
    assert_eq!(store.prune(at(60)).await.unwrap(), 1, "the request");
    assert_eq!(store.prune(at(2).plus(days(30))).await.unwrap(), 1, "the post in the thread of the incident that is over");
    assert_eq!(store.delivered_ref(&main, &PageId::from_text("P-thread")).await.unwrap(), None);
    assert_eq!(store.root_message(&main, &fault().incident(1)).await.unwrap(), Some(stands("P-edit")));
}

/// A store that is years old in content holds what is 25 months old at most, of sources too that nobody reads any more, and what people did for ever.
pub(super) async fn what_is_older_than_the_ledger_goes(store: &Store) {
    let main = tenant("main");
    let day = |n: i64| at(n * 86_400);
    for n in [0, 400, 800, 1_200] {
        let alert = StoredAlert {
            budget: budget(&main, Group::whole()),
            state: AlertState { page: Some(day(n)), ticket: None },
            why: "burns".to_owned(),
        };
        let round = Round { blob: Some(vec![1]), late: Some(vec![1, 0, 0, 0]), ..round_at(n * 86_400) };
        let audit = vec![audit("kept")];
        store.commit(&Commit { round: Some(round), alerts: vec![alert], audit, ..empty(&main, day(n)) }).await.unwrap();
        let key = SegmentKey { stream: 0, level_seconds: 3600, day: day(n) };
        let compaction = Compaction { segments: vec![Segment { key, blob: vec![7] }], ..Compaction::default() };
        store.compact(&main, &source(), &compaction).await.unwrap();
    }
    let held = async || {
        let ledger = store.ledger(&main, &source()).await.unwrap();
        let late = store.late(&main, &source(), day(-1)).await.unwrap().len();
        let changes = store.alert_changes(&main, None, day(-1), day(2_000), 9).await.unwrap().len();
        (ledger.segments.len(), ledger.rounds.len(), late, changes)
    };
    assert_eq!((store.prune(day(700)).await.unwrap(), held().await), (0, (4, 4, 4, 4)));
    assert_eq!((store.prune(day(763)).await.unwrap(), held().await), (2, (4, 4, 3, 3)));
    assert_eq!((store.prune(day(1_164)).await.unwrap(), held().await), (6, (2, 2, 2, 2)));
    assert_eq!(store.prune(day(1_164)).await.unwrap(), 0);
    assert_eq!(store.audit(&main, 9).await.unwrap().len(), 4);
}

/// Tens of thousands of rows in one commit, which a statement with a parameter per value could not hold.
pub(super) async fn a_commit_can_be_large(store: &Store) {
    let main = tenant("main");
    let alert = |n: i32| {
        let group = Group::new(vec![("tenant".to_owned(), format!("tenant-{n}"))]);
        StoredAlert { budget: budget(&main, group), state: AlertState { page: Some(at(0)), ticket: None }, why: "burns".to_owned() }
    };
    let alerts: Vec<StoredAlert> = (0..20_000).map(alert).collect();
    store.commit(&Commit { alerts, ..empty(&main, at(0)) }).await.unwrap();
    assert_eq!(store.alerts(&main).await.unwrap().len(), 20_000);
}
