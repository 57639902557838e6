//! Alerts and incidents.

use burnward_core::{
    alert::AlertState,
    id::{Group, IncidentId},
    incident::{Incident, Resolution, What},
    time::Timestamp,
};

use super::{at, budget, empty, event, fault, noted, opening, tenant};
use crate::store::{AlertChangeRow, Commit, Store, StoredAlert, StoredIncident};

pub(in crate::store) async fn alert_changes_are_kept_in_order(store: &Store) {
    let main = tenant("main");
    let (whole, eu) = (budget(&main, Group::whole()), budget(&main, Group::new(vec![("region".to_owned(), "eu".to_owned())])));
    for n in 0..4 {
        let state = AlertState { page: (n % 2 == 0).then(|| at(n)), ticket: Some(at(0)) };
        let alerts = [&whole, &eu].map(|budget| StoredAlert { budget: budget.clone(), state, why: format!("change {n}") });
        store.commit(&Commit { alerts: alerts.to_vec(), ..empty(&main, at(n)) }).await.unwrap();
    }
    let whys = |changes: Vec<AlertChangeRow>| changes.into_iter().map(|change| change.why).collect::<Vec<_>>();
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

pub(in crate::store) async fn resolved_incidents_leave_the_live_ones(store: &Store) {
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

pub(in crate::store) async fn incidents_are_listed_newest_first(store: &Store) {
    let main = tenant("main");
    for ordinal in 1..=3_u32 {
        let mut opening = opening(&main, u64::from(ordinal));
        opening.event.at = at(i64::from(ordinal) * 100);
        store.commit(&Commit { events: vec![opening, noted(u64::from(ordinal), 2)], ..empty(&main, at(0)) }).await.unwrap();
    }
    let listed = |stored: Vec<StoredIncident>| stored.into_iter().map(|one| (one.incident.ordinal, one.events.len())).collect::<Vec<_>>();
    assert_eq!(listed(store.incidents(&main, 2, None).await.unwrap()), [(3, 2), (2, 2)]);
    assert_eq!(listed(store.incidents(&main, 9, Some(at(200))).await.unwrap()), [(1, 2)]);
    assert_eq!(listed(store.incidents_between(&main, at(0), at(201)).await.unwrap()), [(1, 2), (2, 2)]);
    let end = event(1, 3, What::Resolved { how: Resolution::Recovered }, "resolved");
    store.commit(&Commit { events: vec![end], ..empty(&main, at(3)) }).await.unwrap();
    assert_eq!(listed(store.incidents_between(&main, at(3), at(201)).await.unwrap()), [(2, 2)]);
    assert_eq!(listed(store.incidents_between(&main, at(2), at(200)).await.unwrap()), [(1, 3)]);
    assert_eq!(listed(store.incidents_between(&tenant("other"), at(0), at(999)).await.unwrap()), []);
}

pub(in crate::store) async fn what_a_shadow_would_have_told_is_kept_apart(store: &Store) {
    let main = tenant("main");
    let resolved = |ordinal| event(ordinal, 2, What::Resolved { how: Resolution::Recovered }, "resolved");
    let shadow = vec![opening(&main, 1), resolved(1), opening(&main, 2)];
    store.commit(&Commit { shadow: shadow.clone(), ..empty(&main, at(0)) }).await.unwrap();
    // What is there already is left alone, and refuses nothing beside it.
    store.commit(&Commit { shadow: shadow.clone(), events: vec![opening(&main, 1)], ..empty(&main, at(0)) }).await.unwrap();
    let ids = |incidents: Vec<Incident>| incidents.into_iter().map(|incident| incident.ordinal).collect::<Vec<_>>();
    assert_eq!(ids(store.live_shadow_incidents(&main, at(1)).await.unwrap()), [1, 2], "the first was over at second 2");
    assert_eq!(ids(store.live_shadow_incidents(&main, at(2)).await.unwrap()), [2], "the second is not over");
    let mut kept = store.shadow_events(&main, at(0)).await.unwrap();
    kept.sort_by_key(|event| (event.ordinal, event.event.seq));
    assert_eq!(kept, shadow);
    assert_eq!(store.last_shadow_ordinals(&main).await.unwrap(), [(fault(), 2)].into());
    assert_eq!(store.last_ordinals(&main).await.unwrap(), [(fault(), 1)].into(), "what was told is another pile");
    assert_eq!(store.shadow_events(&tenant("other"), at(0)).await.unwrap(), []);
}
