//! What people and the deployment put on record, and how long anything is kept.

use burnward_core::{
    alert::AlertState,
    exclusion::{Correction, ExclusionId, Recorded},
    id::{Group, PageId, TenantId},
    incident::{Message, MessageKind, Resolution, What},
    ledger::{Compaction, Segment, SegmentKey},
    time::{days, minutes},
};

use super::{at, audit, budget, empty, event, exclusion, fault, message, opening, round_at, source, stands, tenant};
use crate::store::{AttemptOutcome, Commit, Round, Store, StoreError, StoredAlert};

pub(in crate::store) async fn corrections_are_a_record(store: &Store) {
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

pub(in crate::store) async fn facts_of_the_deployment_are_kept(store: &Store) {
    assert_eq!(store.meta_get("channel:#payments").await.unwrap(), None);
    for id in ["C1", "C2"] {
        store.meta_set("channel:#payments", id).await.unwrap();
        assert_eq!(store.meta_get("channel:#payments").await.unwrap().as_deref(), Some(id));
    }
}

pub(in crate::store) async fn old_rows_are_pruned_and_what_is_needed_stays(store: &Store) {
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
pub(in crate::store) async fn what_is_older_than_the_ledger_goes(store: &Store) {
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
