//! A commit: whole or not at all, of its tenant alone, and once.

use burnward_core::{
    alert::AlertState,
    id::{Group, IncidentId, PageId, TenantId},
    incident::{MessageKind, Phase},
    time::{Timestamp, minutes},
};

use super::{at, audit, budget, empty, fault, message, noted, only_owed, opening, source, stands, tenant};
use crate::store::{AttemptOutcome, AuditRow, Behind, Commit, NewEvent, OutboxStats, Round, Store, StoreError, StoredAlert};

pub(in crate::store) async fn an_empty_store_holds_nothing(store: &Store) {
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

pub(in crate::store) async fn a_commit_comes_back_as_it_went_in(store: &Store) {
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

/// Under the number of the last commit, whole or in part, nothing is committed again.
pub(in crate::store) async fn a_commit_that_is_tried_again_is_there_once(store: &Store) {
    let main = tenant("main");
    let entry = |detail: &str| Commit { audit: vec![audit(detail)], ..empty(&main, at(0)) };
    let part = |place| std::num::NonZeroU32::new(place).unwrap();
    let (first, second) = (store.number(), store.number());
    for number in [first, first, first.part(part(1))] {
        store.commit_as(number, &entry("first")).await.unwrap();
    }
    for place in [1, 1, 2, 2] {
        store.commit_as(second.part(part(place)), &entry(&format!("part {place}"))).await.unwrap();
    }
    let found: Vec<String> = store.audit(&main, 9).await.unwrap().into_iter().map(|row| row.entry.detail).collect();
    assert_eq!(found, ["part 2", "part 1", "first"]);
    for (number, there) in [(first, false), (second, false), (second.part(part(1)), false), (second.part(part(2)), true)] {
        assert_eq!(store.has(&main, number).await.unwrap(), there, "{number:?}");
    }
    store.commit_as(second.part(part(2)), &Commit { audit: vec![audit("of another")], ..empty(&tenant("other"), at(0)) }).await.unwrap();
    assert_eq!(store.audit(&tenant("other"), 9).await.unwrap().len(), 1, "numbers are compared within a tenant");
}

/// A commit with an event whose position is taken, or does not follow, leaves no trace of anything else in it.
pub(in crate::store) async fn an_event_out_of_place_refuses_the_whole_commit(store: &Store) {
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

pub(in crate::store) async fn an_alert_of_another_tenant_is_refused(store: &Store) {
    let alert = StoredAlert { budget: budget(&tenant("other"), Group::whole()), state: AlertState::default(), why: String::new() };
    let refused = store.commit(&Commit { alerts: vec![alert], ..empty(&tenant("main"), at(0)) }).await;
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
}

/// Everything of one tenant, asked for as another: nothing comes.
pub(in crate::store) async fn a_tenant_sees_its_own_rows_only(store: &Store) {
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

pub(in crate::store) async fn a_request_has_its_effect_once(store: &Store) {
    for (now, first) in [(0, true), (1, false), (599, false), (600, true), (601, false)] {
        assert_eq!(store.seen("envelope-1", at(now), minutes(10)).await.unwrap(), first, "at second {now}");
    }
    assert!(store.seen("envelope-2", at(1), minutes(10)).await.unwrap());
}

/// Tens of thousands of rows in one commit, which a statement with a parameter per value could not hold.
pub(in crate::store) async fn a_commit_can_be_large(store: &Store) {
    let main = tenant("main");
    let alert = |n: i32| {
        let group = Group::new(vec![("tenant".to_owned(), format!("tenant-{n}"))]);
        StoredAlert { budget: budget(&main, group), state: AlertState { page: Some(at(0)), ticket: None }, why: "burns".to_owned() }
    };
    let alerts: Vec<StoredAlert> = (0..20_000).map(alert).collect();
    store.commit(&Commit { alerts, ..empty(&main, at(0)) }).await.unwrap();
    assert_eq!(store.alerts(&main).await.unwrap().len(), 20_000);
}
