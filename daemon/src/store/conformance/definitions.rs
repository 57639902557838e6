//! Definitions, their versions and their names.

use std::collections::BTreeSet;

use burnward_core::{
    alert::AlertState,
    exclusion::{Correction, Entry, Owner, Scope},
    id::{BudgetId, Group, SloId, SloName},
    incident::{AlertKey, What},
    rename::{Rename, Renames},
};

use super::{at, audit, budget, empty, event, exclusion, facts, fault, opening, tenant};
use crate::store::{Commit, DefinitionChanges, Release, Store, StoredAlert, StoredDefinition};

pub(in crate::store) async fn definitions_are_replaced_and_their_versions_stay(store: &Store) {
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
    store.save_definitions(store.number(), &main, &load(&[&b1, &a1], &[]), at(0), &[audit("load")]).await.unwrap();
    assert_eq!(store.definitions(&main).await.unwrap(), [a1.clone(), b1.clone()]);
    let held = vec![(slo.clone(), "b.yaml".to_owned(), "b1".to_owned())];
    let release = Release { slos: vec![slo.clone()], ..Release::default() };
    let changes = DefinitionChanges { held, ..load(&[&a2], &["b.yaml"]) };
    store.save_definitions(store.number(), &main, &changes, at(1), &[]).await.unwrap();
    assert_eq!(store.definitions(&main).await.unwrap(), [a2]);
    assert_eq!(store.held_definitions(&main).await.unwrap(), [(slo.clone(), b1)], "a version that is held stays although its file is gone");
    assert_eq!(store.held_definitions(&tenant("other")).await.unwrap(), []);
    store.release_held(store.number(), &tenant("other"), &release, at(1), &[]).await.unwrap();
    assert_eq!(store.held_definitions(&main).await.unwrap().len(), 1);
    store.release_held(store.number(), &main, &release, at(1), &[]).await.unwrap();
    assert_eq!(store.held_definitions(&main).await.unwrap(), []);
    let back = definition("a.yaml", "a1", at(2));
    store.save_definitions(store.number(), &main, &load(&[&back], &[]), at(2), &[]).await.unwrap();
    assert_eq!(store.definitions(&main).await.unwrap(), [a1], "a version that comes back was loaded first when it was loaded first");
    assert_eq!(store.definitions(&tenant("other")).await.unwrap(), []);
    assert_eq!(store.audit(&main, 9).await.unwrap().len(), 1);
}

/// Which version ran when is kept, by the name of today, through a version that comes back.
pub(in crate::store) async fn the_version_that_ran_at_a_moment_is_known(store: &Store) {
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
    store.save_definitions(store.number(), &main, &load(&old, "a1"), at(0), &[]).await.unwrap();
    store.save_definitions(store.number(), &main, &load(&old, "a1"), at(5), &[]).await.unwrap();
    store.save_definitions(store.number(), &main, &load(&old, "a2"), at(10), &[]).await.unwrap();
    let rename = Rename { at: at(20), service: old.service.clone(), from: old.name.clone(), to: new.name.clone() };
    let renamed = DefinitionChanges { renamed: vec![rename], ..load(&new, "a3") };
    store.save_definitions(store.number(), &main, &renamed, at(20), &[]).await.unwrap();
    let release = Release { runs: runs(&new, "a1"), ..Release::default() };
    store.release_held(store.number(), &main, &release, at(30), &[]).await.unwrap();
    for (seconds, version, since) in [(0, "a1", 0), (9, "a1", 0), (10, "a2", 10), (25, "a3", 20), (30, "a1", 30)] {
        let ran = store.versions_at(&main, None, at(seconds)).await.unwrap();
        assert_eq!(ran.keys().collect::<Vec<_>>(), [&new], "{seconds}");
        assert_eq!(store.versions_at(&main, Some(&new.service), at(seconds)).await.unwrap(), ran);
        assert_eq!((ran[&new].version.as_str(), ran[&new].since), (version, at(since)), "{seconds}");
        let text = store.definition_version(&main, &ran[&new]).await.unwrap().map(|definition| definition.text);
        assert_eq!(text, Some(format!("text of {version}")));
    }
    let ran = |until: i64| async move {
        let main = tenant("main");
        let new = SloId { name: SloName::parse("paid-orders").unwrap(), ..budget(&main, Group::whole()).slo };
        let runs = store.versions_of(&new, at(until)).await.unwrap();
        runs.into_iter().map(|run| (run.version, run.called.name.to_string(), run.since)).collect::<Vec<_>>()
    };
    let entry = |version: &str, name: &SloName, since| (version.to_owned(), name.to_string(), at(since));
    let all = [entry("a1", &new.name, 30), entry("a3", &new.name, 20), entry("a2", &old.name, 10), entry("a1", &old.name, 0)];
    assert_eq!(ran(40).await, all, "newest first, by the names of then");
    assert_eq!((ran(19).await, ran(-1).await), (all[2..].to_vec(), Vec::new()));
    let first = store.first_versions(&main, None).await.unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), [&new]);
    assert_eq!((first[&new].version.as_str(), &first[&new].called, first[&new].since), ("a1", &old, at(0)));
    assert_eq!(store.first_versions(&main, Some(&new.service)).await.unwrap(), first);
    // Another SLO takes the name over.
    store.save_definitions(store.number(), &main, &load(&old, "b1"), at(50), &[]).await.unwrap();
    let both = store.first_versions(&main, None).await.unwrap();
    assert_eq!((&both[&new], both[&old].version.as_str(), both[&old].since), (&first[&new], "b1", at(50)));
    assert!(store.first_versions(&tenant("other"), None).await.unwrap().is_empty());
    assert!(store.versions_at(&main, Some(&new.service), at(-1)).await.unwrap().is_empty());
    assert!(store.versions_at(&tenant("other"), None, at(9)).await.unwrap().is_empty());
}

/// States and keys take the new name; what is a record stays as it was written and is read by the name of today.
pub(in crate::store) async fn a_renamed_slo_keeps_what_was_written_of_it(store: &Store) {
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
    store.save_definitions(store.number(), &main, &changes, at(1), &[audit("slo.rename")]).await.unwrap();

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

/// A rename is carried out again where what was written meanwhile has the old name, as after a try of which nobody knew, and where the new name is that of
/// an SLO that was gone: what is older gives way.
pub(in crate::store) async fn a_rename_is_carried_out_again(store: &Store) {
    let main = tenant("main");
    let old = budget(&main, Group::whole());
    let new = BudgetId { slo: SloId { name: SloName::parse("paid-orders").unwrap(), ..old.slo.clone() }, ..old.clone() };
    let alert =
        |budget: &BudgetId, page| StoredAlert { budget: budget.clone(), state: AlertState { page, ticket: None }, why: "burns".to_owned() };
    let rename =
        |seconds| Rename { at: at(seconds), service: old.slo.service.clone(), from: old.slo.name.clone(), to: new.slo.name.clone() };
    store.commit(&Commit { alerts: vec![alert(&new, None)], ..empty(&main, at(0)) }).await.unwrap();
    for seconds in [1, 5] {
        store.commit(&Commit { alerts: vec![alert(&old, Some(at(seconds)))], ..empty(&main, at(seconds)) }).await.unwrap();
        let release = Release { renamed: vec![rename(seconds + 1)], ..Release::default() };
        store.release_held(store.number(), &main, &release, at(seconds + 1), &[]).await.unwrap();
        let alerts = store.alerts(&main).await.unwrap();
        assert_eq!(alerts, [alert(&new, Some(at(seconds)))], "what was decided last stands");
    }
    assert_eq!(store.alert_changes(&main, Some(&new), at(0), at(9), 9).await.unwrap().len(), 3);
}
