//! Directories: discovery, one bad file among good ones, doubled SLOs, and what a start or a reload may change.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use burnward_core::{
    id::{SourceName, TeamName, TenantId},
    time::Timestamp,
};

use super::{GOOD, context};
use crate::{
    config::{Config, Operators, TenantConfig},
    definition::{Acceptance, Loaded, Removals, accept, load, load_stored, read_paths},
    store::StoredDefinition,
};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
    fs::write(path, text).expect("a file");
}

fn document(service: &str) -> String {
    GOOD.replace("service: checkout", &format!("service: {service}"))
}

fn load_directory(directory: &Path) -> Loaded {
    read_paths(&[directory.to_owned()], &context())
}

fn services(loaded: &Loaded) -> Vec<&str> {
    loaded.slos.iter().map(|slo| slo.id.service.as_str()).collect()
}

fn error_codes(loaded: &Loaded) -> Vec<&str> {
    loaded.diagnostics().map(|fault| fault.code.id).filter(|id| id.starts_with('E')).collect()
}

pub(super) fn tenant() -> TenantId {
    TenantId::parse("main").expect("a name")
}

pub(super) fn place(directory: &Path) -> TenantConfig {
    TenantConfig {
        slo_definitions: vec![directory.to_owned()],
        runbooks: None,
        source: SourceName::parse("prom").expect("a name"),
        made: Vec::new(),
    }
}

/// What the store would hold of what loaded.
pub(super) fn stored(loaded: &Loaded, at: i64) -> Vec<StoredDefinition> {
    let row = |file: &crate::definition::FileVersion| StoredDefinition {
        path: file.path.clone(),
        text: file.text.clone(),
        version: file.version.clone(),
        slos: file.slos.clone(),
        loaded_at: Timestamp::from_seconds(at),
    };
    loaded.files.iter().map(row).collect()
}

#[test]
fn yaml_files_are_found_at_any_depth_and_hidden_ones_are_not() {
    let dir = directory();
    for name in ["a.yaml", "team/b.yml", "team/deep/c.yaml"] {
        write(dir.path(), name, &document(Path::new(name).file_stem().and_then(|s| s.to_str()).expect("a stem")));
    }
    for name in [".hidden.yaml", ".git/x.yaml", "notes.txt", "d.yaml.bak"] {
        write(dir.path(), name, "not: [yaml");
    }
    let loaded = load_directory(dir.path());
    assert_eq!((services(&loaded), error_codes(&loaded)), (vec!["a", "b", "c"], vec![]));
}

#[test]
fn a_volume_of_linked_files_is_read_once_and_again_after_its_swap() {
    let dir = directory();
    write(dir.path(), "..2026_11_24/slo.yaml", &document("old"));
    write(dir.path(), "..2026_11_25/slo.yaml", &document("new"));
    symlink("..2026_11_24", dir.path().join("..data")).expect("a link");
    symlink("..data/slo.yaml", dir.path().join("slo.yaml")).expect("a link");
    assert_eq!(services(&load_directory(dir.path())), ["old"]);
    symlink("..2026_11_25", dir.path().join("..data_tmp")).expect("a link");
    fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).expect("the swap");
    assert_eq!(services(&load_directory(dir.path())), ["new"]);
}

#[test]
fn what_is_not_a_file_is_refused_without_hanging() {
    let dir = directory();
    write(dir.path(), "good.yaml", GOOD);
    symlink("/nonexistent", dir.path().join("dangling.yaml")).expect("a link");
    symlink("/dev/zero", dir.path().join("zero.yaml")).expect("a link");
    symlink(".", dir.path().join("loop")).expect("a link");
    symlink("self.yaml", dir.path().join("self.yaml")).expect("a link");
    assert!(Command::new("mkfifo").arg(dir.path().join("fifo.yaml")).status().expect("mkfifo").success());
    fs::File::create(dir.path().join("giant.yaml")).and_then(|file| file.set_len(5 << 30)).expect("a sparse file");
    fs::write(dir.path().join("latin1.yaml"), b"service: caf\xe9\n").expect("a file");
    let start = Instant::now();
    let loaded = load_directory(dir.path());
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(services(&loaded), ["checkout"]);
    let found: Vec<(String, &str)> = loaded
        .faults
        .iter()
        .filter(|(_, faults)| faults[0].code.id.starts_with('E'))
        .map(|(path, faults)| (path.file_name().expect("a name").to_string_lossy().into_owned(), faults[0].code.id))
        .collect();
    let expected = ["dangling", "fifo", "giant", "latin1", "self", "zero"];
    let expected: Vec<(String, &str)> =
        expected.iter().map(|name| (format!("{name}.yaml"), if *name == "latin1" { "E1014" } else { "E1013" })).collect();
    assert_eq!(found, expected);
}

#[test]
fn one_bad_file_among_many_blocks_no_other() {
    let dir = directory();
    for n in 0..10_000 {
        write(dir.path(), &format!("{n:04}.yaml"), &document(&format!("s{n}")));
    }
    write(dir.path(), "2500.yaml", "service: [");
    let loaded = load_directory(dir.path());
    assert_eq!((loaded.slos.len(), loaded.files.len(), loaded.faulty.len()), (9_999, 9_999, 1));
    let faults = loaded.view_faults(&tenant());
    assert_eq!(faults.len(), 1);
    assert!(faults[0].text.starts_with("error[E1001]") && faults[0].text.contains("2500.yaml:1:"), "{}", faults[0].text);
}

#[test]
fn one_slo_in_two_files_is_refused_and_both_places_are_named() {
    let dir = directory();
    write(dir.path(), "a.yaml", GOOD);
    write(dir.path(), "b.yaml", GOOD);
    write(dir.path(), "c.yaml", &document("search"));
    let loaded = load_directory(dir.path());
    assert_eq!((services(&loaded), error_codes(&loaded)), (vec!["search"], vec!["E1022", "E1022"]));
    let text = loaded.view_faults(&tenant())[0].text.replace(&dir.path().display().to_string(), "slos");
    assert!(text.contains("slos/a.yaml:5:5") && text.contains("slos/b.yaml:5:5"), "{text}");
}

#[test]
fn teams_of_the_configuration_are_known_and_others_are_not() {
    let dir = directory();
    write(dir.path(), "a.yaml", GOOD);
    let operators = Operators::default().team();
    let teams = |name: &str| BTreeMap::from([(TeamName::parse(name).expect("a name"), operators.clone())]);
    let config = |name: &str| Config { teams: teams(name), ..Config::default() };
    assert_eq!(services(&load(&tenant(), &place(dir.path()), &config("payments"), &Arc::default())), ["checkout"]);
    assert_eq!(error_codes(&load(&tenant(), &place(dir.path()), &config("operators"), &Arc::default())), ["E1023"]);
}

/// Loads a directory before and after a change, as a reload does.
fn reload(change: impl FnOnce(&Path), removals: Removals) -> (Acceptance, Loaded) {
    let dir = directory();
    for service in ["a", "b", "c", "d"] {
        write(dir.path(), &format!("{service}/{service}.yaml"), &document(service));
    }
    let before = load_stored(&tenant(), &place(dir.path()), &stored(&load_directory(dir.path()), 1));
    change(dir.path());
    let loaded = load_directory(dir.path());
    (accept(&before, &loaded, removals), loaded)
}

fn runs(acceptance: &Acceptance) -> Vec<&str> {
    acceptance.runs().slos.iter().map(|slo| slo.id.service.as_str()).collect()
}

#[test]
fn a_bad_file_goes_on_with_its_last_good_text_while_others_change() {
    let change = |dir: &Path| {
        write(dir, "a/a.yaml", "service: [");
        write(dir, "b/b.yaml", &document("b").replace("99.9%", "99%"));
        write(dir, "e.yaml", &document("e"));
    };
    let (acceptance, _) = reload(change, Removals::Guarded);
    assert!(matches!(&acceptance, Acceptance::Accepted { removed, .. } if removed.is_empty()));
    assert_eq!(runs(&acceptance), ["a", "b", "c", "d", "e"]);
    assert_eq!(acceptance.runs().slos[1].objectives[0].target.as_percent(), "99");
    assert_eq!(acceptance.runs().files.len(), 5);
}

#[test]
fn an_empty_directory_removes_nothing_unless_the_operator_says_so() {
    let empty = |dir: &Path| {
        for service in ["a", "b", "c", "d"] {
            fs::remove_dir_all(dir.join(service)).expect("a directory");
        }
    };
    let (refused, loaded) = reload(empty, Removals::Guarded);
    assert!(matches!(&refused, Acceptance::Refused { would_remove, .. } if would_remove.len() == 4));
    assert_eq!(runs(&refused), ["a", "b", "c", "d"]);
    assert_eq!(loaded.diagnostics().map(|fault| fault.code.id).collect::<Vec<_>>(), ["W2013"]);
    let fault = refused.fault(Path::new("slos")).expect("a fault");
    assert_eq!(
        fault.message,
        "4 of 4 SLOs would be removed (a/availability, b/availability, c/availability and 1 more); the last good definitions run on"
    );
    let (accepted, _) = reload(empty, Removals::Accepted);
    assert!(matches!(&accepted, Acceptance::Accepted { removed, .. } if removed.len() == 4));
    assert_eq!(runs(&accepted), [""; 0]);
}

#[test]
fn half_of_the_slos_may_go_and_more_may_not() {
    let remove = |names: &'static [&'static str]| {
        move |dir: &Path| names.iter().for_each(|name| fs::remove_dir_all(dir.join(name)).expect("a directory"))
    };
    assert_eq!(runs(&reload(remove(&["a", "b"]), Removals::Guarded).0), ["c", "d"]);
    assert!(matches!(reload(remove(&["a", "b", "c"]), Removals::Guarded).0, Acceptance::Refused { .. }));
}

#[test]
fn a_directory_that_cannot_be_read_removes_nothing() {
    let gone = |dir: &Path| {
        fs::remove_dir_all(dir.join("a")).expect("a directory");
        symlink("/nonexistent", dir.join("a")).expect("a link");
        fs::rename(dir.join("b"), dir.join("b.yaml")).expect("a move");
    };
    let (acceptance, _) = reload(gone, Removals::Guarded);
    assert!(runs(&acceptance).contains(&"b"));
    let missing = read_paths(&[PathBuf::from("/nonexistent")], &context());
    assert_eq!((error_codes(&missing), missing.faulty.clone()), (vec!["E1013"], vec![PathBuf::from("/nonexistent")]));
}

#[test]
fn an_slo_that_moved_while_its_old_file_is_bad_runs_once_also_from_the_store() {
    let change = |dir: &Path| {
        write(dir, "a/a.yaml", "service: [");
        write(dir, "new.yaml", &document("a").replace("99.9%", "99%"));
    };
    let (acceptance, _) = reload(change, Removals::Guarded);
    assert_eq!(runs(&acceptance), ["a", "b", "c", "d"]);
    assert_eq!(acceptance.runs().slos[0].objectives[0].target.as_percent(), "99");
    let kept = Loaded { files: acceptance.runs().files.clone(), ..Loaded::default() };
    let mut rows = stored(&kept, 1);
    rows.iter_mut().filter(|row| row.path.ends_with("new.yaml")).for_each(|row| row.loaded_at = Timestamp::from_seconds(2));
    let again = load_stored(&tenant(), &place(Path::new("x")), &rows);
    assert_eq!(services(&again), ["a", "b", "c", "d"]);
    assert_eq!(again.slos[0].objectives[0].target.as_percent(), "99");
}
