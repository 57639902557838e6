//! The conformance suite over SQLite, and what only a file can suffer.

use std::path::{Path, PathBuf};

use burnward_core::{
    incident::{MessageKind, What},
    ledger::{Compaction, Segment, SegmentKey},
};
use tempfile::TempDir;

use super::{
    SqliteStore,
    open::{MIGRATIONS, migrator_of},
};
use crate::store::{
    Behind, Commit, Round, StoreError,
    conformance::{self, at, empty, event, message, opening, tenant},
};

macro_rules! conformance {
    ($($subject:ident { $($name:ident),+ $(,)? })+) => {
        $($(#[tokio::test]
        async fn $name() {
            let (_dir, store) = fresh().await;
            conformance::$subject::$name(&store).await;
            store.close().await;
        })+)+
    };
}

conformance! {
    commits {
        an_empty_store_holds_nothing,
        a_commit_comes_back_as_it_went_in,
        a_commit_that_is_tried_again_is_there_once,
        an_event_out_of_place_refuses_the_whole_commit,
        an_alert_of_another_tenant_is_refused,
        a_tenant_sees_its_own_rows_only,
        a_request_has_its_effect_once,
        a_commit_can_be_large,
    }
    ledger {
        rounds_are_compacted_into_segments,
        images_are_replaced_and_go_with_the_rounds_that_they_lack,
        what_a_second_reading_begins_with_is_replaced_and_what_it_found_stays,
    }
    incidents {
        alert_changes_are_kept_in_order,
        resolved_incidents_leave_the_live_ones,
        incidents_are_listed_newest_first,
        what_a_shadow_would_have_told_is_kept_apart,
    }
    outbox {
        pages_come_before_informs_and_the_longest_due_first,
        a_report_that_fires_is_owed_once_and_apart_from_pages,
        an_attempt_ends_as_its_outcome_says,
        a_dropped_page_is_listed_as_given_up,
        delivery_events_end_their_messages,
        a_page_that_was_delivered_is_not_owed_again,
        an_edit_is_owed_again_whenever_it_is_newer,
        an_edit_can_move_the_root,
        an_edit_in_flight_takes_what_is_newer_and_due,
        posts_keep_their_words_and_which_state_they_show,
        a_needless_page_is_not_listed_and_what_waits_goes_oldest_first,
    }
    definitions {
        definitions_are_replaced_and_their_versions_stay,
        the_version_that_ran_at_a_moment_is_known,
        a_renamed_slo_keeps_what_was_written_of_it,
        a_rename_is_carried_out_again,
    }
    records {
        corrections_are_a_record,
        facts_of_the_deployment_are_kept,
        old_rows_are_pruned_and_what_is_needed_stays,
        what_is_older_than_the_ledger_goes,
    }
}

async fn fresh() -> (TempDir, SqliteStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).await.unwrap();
    (dir, store)
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("burnward.db")
}

/// Opens what must be refused; answers the sentence for the operator.
async fn refused(dir: &Path) -> String {
    match SqliteStore::open(dir).await {
        Ok(_) => panic!("{} was opened", dir.display()),
        Err(error) => error.to_string(),
    }
}

async fn sql(store: &SqliteStore, statement: &'static str) {
    let writer = store.inner.writer.as_ref().unwrap();
    sqlx::query(statement).execute(writer).await.unwrap();
}

/// Versions before 3.51.3 can lose commits when a write races a checkpoint (sqlite.org/wal.html#walresetbug).
#[tokio::test]
async fn sqlite_is_new_enough_and_syncs_every_commit() {
    let (_dir, store) = fresh().await;
    store.commit(&empty(&tenant("main"), at(7))).await.unwrap();
    let health = store.health().await.unwrap();
    let version: Vec<u32> = health.sqlite_version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version >= vec![3, 51, 3], "{}", health.sqlite_version);
    assert_eq!((health.synchronous, health.last_commit_at), ("FULL", Some(at(7))));
    assert!(health.file_bytes + health.wal_bytes > 0, "{health:?}");
    for (pragma, expected) in [("PRAGMA application_id", "1112887886"), ("PRAGMA journal_mode", "wal"), ("PRAGMA foreign_keys", "1")] {
        let found: String =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT cast(p.{0} AS TEXT) FROM pragma_{0} AS p", &pragma[7..])))
                .fetch_one(store.inner.writer.as_ref().unwrap())
                .await
                .unwrap();
        assert_eq!(found, expected, "{pragma}");
    }
}

#[tokio::test]
async fn a_second_daemon_is_refused_at_once_and_told_who_holds_the_store() {
    let (dir, store) = fresh().await;
    let sentence = refused(dir.path()).await;
    assert!(sentence.contains(&format!("process {} on ", std::process::id())), "{sentence}");
    store.close().await;
    SqliteStore::open(dir.path()).await.unwrap();
}

#[tokio::test]
async fn reading_beside_a_daemon_works_and_writing_is_refused() {
    let (dir, store) = fresh().await;
    let main = tenant("main");
    store.commit(&Commit { events: vec![opening(&main, 1)], ..empty(&main, at(0)) }).await.unwrap();
    let reader = SqliteStore::open_read_only(dir.path()).await.unwrap();
    assert_eq!(reader.incidents(&main, 9, None).await.unwrap().len(), 1);
    assert!(matches!(reader.commit(&empty(&main, at(1))).await, Err(StoreError::ReadOnly)));
    assert!(matches!(reader.meta_set("a", "b").await, Err(StoreError::ReadOnly)));
    let empty_dir = tempfile::tempdir().unwrap();
    let nothing = SqliteStore::open_read_only(empty_dir.path()).await.unwrap_err().to_string();
    assert!(nothing.contains("there is no store here"), "{nothing}");
}

#[tokio::test]
async fn what_was_in_flight_when_the_daemon_stopped_is_ambiguous() {
    let (dir, store) = fresh().await;
    let main = tenant("main");
    let messages = vec![message("P-1", MessageKind::Root, at(0)), message("P-2", MessageKind::Direct, at(0))];
    store.commit(&Commit { messages: messages.clone(), ..empty(&main, at(0)) }).await.unwrap();
    store.begin_attempt(&main, &messages[0].id, at(1)).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(dir.path()).await.unwrap();
    let due = store.due_messages(at(1), 9).await.unwrap();
    assert_eq!(due.iter().map(|owed| (owed.ambiguous, owed.attempts)).collect::<Vec<_>>(), [(true, 1), (false, 0)]);
}

#[tokio::test]
async fn another_applications_database_is_refused_and_left_alone() {
    for mark in ["PRAGMA application_id = 77", "PRAGMA application_id = 0"] {
        let (dir, store) = fresh().await;
        sql(&store, "PRAGMA wal_checkpoint(TRUNCATE)").await;
        sql(&store, mark).await;
        store.close().await;
        let before = std::fs::read(file(&dir)).unwrap();
        let sentence = refused(dir.path()).await;
        assert!(sentence.contains("another application") && sentence.contains("--storage.path"), "{sentence}");
        assert_eq!(std::fs::read(file(&dir)).unwrap(), before, "the file is as it was");
    }
}

#[tokio::test]
async fn a_newer_versions_file_is_refused() {
    let (dir, store) = fresh().await;
    sql(
        &store,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         SELECT max(version) + 1, 'later', 1, x'00', 0 FROM _sqlx_migrations",
    )
    .await;
    store.close().await;
    for sentence in [refused(dir.path()).await, SqliteStore::open_read_only(dir.path()).await.unwrap_err().to_string()] {
        assert!(sentence.contains("newer burnward") && sentence.contains("backup"), "{sentence}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_with_what_to_do() {
    for (from, to, noise) in [(0, 100, 0_u8), (100, 4096, 0xff), (4096, 40_960, 0xa5)] {
        let (dir, store) = fresh().await;
        let main = tenant("main");
        store.commit(&Commit { events: vec![opening(&main, 1)], ..empty(&main, at(0)) }).await.unwrap();
        store.close().await;
        let mut bytes = std::fs::read(file(&dir)).unwrap();
        bytes[from..to].fill(noise);
        std::fs::write(file(&dir), bytes).unwrap();
        let sentence = refused(dir.path()).await;
        assert!(sentence.contains("restore the last backup"), "bytes {from} to {to}: {sentence}");
    }
}

/// The slices are nearly all of the file: the start does not wait for their check, which tells their damage all the same.
#[tokio::test]
async fn damage_among_the_slices_is_told_by_the_check_of_the_whole_file() {
    let (dir, store) = fresh().await;
    let (main, source) = (tenant("main"), conformance::source());
    let segment = |stream| Segment { key: SegmentKey { stream, level_seconds: 60, day: at(0) }, blob: vec![0xAB; 900] };
    let compaction = Compaction { segments: (0..2_000).map(segment).collect(), ..Compaction::default() };
    store.compact(&main, &source, &compaction).await.unwrap();
    store.check().await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(file(&dir)).unwrap();
    let page = bytes.chunks(4096).rposition(|page| page.starts_with(&[0x0D]) && page.windows(64).any(|part| part == [0xAB; 64])).unwrap();
    bytes[page * 4096..page * 4096 + 64].fill(0xFF);
    std::fs::write(file(&dir), bytes).unwrap();

    let store = SqliteStore::open(dir.path()).await.unwrap();
    let sentence = store.check().await.unwrap_err().to_string();
    assert!(sentence.contains("restore the last backup"), "{sentence}");
    store.close().await;
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let (dir, store) = fresh().await;
    store.close().await;
    let bytes = std::fs::read(file(&dir)).unwrap();
    std::fs::write(file(&dir), &bytes[..bytes.len() / 2]).unwrap();
    let sentence = refused(dir.path()).await;
    assert!(sentence.contains("restore the last backup"), "{sentence}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_refused_with_advice() {
    let dir = tempfile::tempdir().unwrap();
    let plain = dir.path().join("plain");
    std::fs::write(&plain, "text").unwrap();
    for path in [plain.clone(), plain.join("store"), PathBuf::from("/proc/burnward")] {
        let sentence = refused(&path).await;
        assert!(sentence.contains("be writable"), "{sentence}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_the_commit_and_keeps_what_was_there() {
    let (_dir, store) = fresh().await;
    let main = tenant("main");
    store.commit(&Commit { events: vec![opening(&main, 1)], ..empty(&main, at(0)) }).await.unwrap();
    sql(&store, "PRAGMA max_page_count = 1").await;
    let large = event(1, 2, What::Noted { text: "x".repeat(1 << 20) }, "open");
    let messages = vec![message("P-1", MessageKind::Root, at(0))];
    let full = store.commit(&Commit { events: vec![large.clone()], messages, ..empty(&main, at(1)) }).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    assert_eq!(store.incident(&main, &large.incident).await.unwrap().unwrap().events.len(), 1);
    assert_eq!(store.next_due().await.unwrap(), None);
    let health = store.health().await.unwrap();
    assert_eq!((health.full, health.ballast), (true, false), "the ballast was given up");
    sql(&store, "PRAGMA max_page_count = 4294967294").await;
    store.commit(&Commit { events: vec![large], ..empty(&main, at(2)) }).await.unwrap();
    store.prune(at(2)).await.unwrap();
    let health = store.health().await.unwrap();
    assert_eq!((health.full, health.ballast), (false, true), "there is room again");
}

/// Kills a child that commits in a loop, again and again in the same store: every commit that it told of is there, and no part of another.
#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_and_nothing_is_half_there() {
    let dir = tempfile::tempdir().unwrap();
    for acknowledgements in [1, 2, 3, 5, 8, 13, 21, 34] {
        let told = kill_after(dir.path(), acknowledgements);
        let store = SqliteStore::open(dir.path()).await.unwrap();
        let (main, incident) = (tenant("main"), opening(&tenant("main"), 1).incident);
        let events = store.incident(&main, &incident).await.unwrap().unwrap().events.len();
        assert!(events >= told, "{told} commits were acknowledged, {events} are there");
        let rounds = store.ledger(&main, &conformance::source()).await.unwrap().rounds.len();
        let (messages, audit) = (store.due_messages(at(0), 9999).await.unwrap().len(), store.audit(&main, 9999).await.unwrap().len());
        assert_eq!((rounds, messages, audit), (events, events, events));
        store.close().await;
    }
}

/// Runs the child until it told of so many commits, kills it, and answers the number of its last commit that it told of.
fn kill_after(dir: &Path, acknowledgements: usize) -> usize {
    use std::{
        io::{BufRead, BufReader},
        process::{Command, Stdio},
    };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::sqlite::tests::a_child_commits_until_it_is_killed", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .filter_map(|line| line.unwrap().rsplit_once("committed ").map(|(_, number)| number.parse::<usize>().unwrap()));
    let last = told.by_ref().take(acknowledgements).last();
    child.kill().unwrap();
    child.wait().unwrap();
    told.last().or(last).expect("the child commits")
}

const CHILD_DIR: &str = "BURNWARD_TEST_CHILD_COMMITS_IN";

/// The child of the test before; by itself it does nothing.
#[tokio::test]
async fn a_child_commits_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let store = SqliteStore::open(Path::new(&dir)).await.unwrap();
    let main = tenant("main");
    let last = store.live_incidents(&main, at(0)).await.unwrap().pop().map_or(0, |stored| stored.incident.last_seq);
    for seq in last + 1.. {
        let event = if seq == 1 { opening(&main, 1) } else { event(1, seq, What::Noted { text: "x".repeat(3000) }, "open") };
        let round = Round {
            source: conformance::source(),
            settled: at(0),
            blob: Some(vec![7; 5000]),
            state: Some(vec![7; 5000]),
            behind: Behind::default(),
            late: None,
        };
        let messages = vec![message(&format!("P-{seq}"), MessageKind::Root, at(0))];
        let audit = vec![conformance::audit("kill me")];
        let commit = Commit { round: Some(round), events: vec![event], messages, audit, ..empty(&main, at(0)) };
        store.commit(&commit).await.unwrap();
        println!("committed {seq}");
    }
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_transaction_open() {
    let (_dir, store) = fresh().await;
    let main = tenant("main");
    for ordinal in 1..=50 {
        let commit = Commit { events: vec![opening(&main, ordinal)], ..empty(&main, at(0)) };
        let wait = std::time::Duration::from_micros(ordinal * 20);
        let _ = tokio::time::timeout(wait, store.commit(&commit)).await;
    }
    let last = Commit { events: vec![opening(&main, 51)], ..empty(&main, at(0)) };
    store.commit(&last).await.unwrap();
    assert!(store.incident(&main, &last.events[0].incident).await.unwrap().is_some());
}

#[tokio::test]
async fn the_audit_and_the_events_can_only_grow() {
    let (_dir, store) = fresh().await;
    let main = tenant("main");
    let audit = vec![crate::store::AuditEntry { actor: "a".into(), action: "b".into(), subject: "c".into(), detail: "d".into() }];
    store.commit(&Commit { events: vec![opening(&main, 1)], audit, ..empty(&main, at(0)) }).await.unwrap();
    let writer = store.inner.writer.as_ref().unwrap();
    for statement in
        ["UPDATE audit SET actor = 'x'", "DELETE FROM audit", "UPDATE incident_events SET at = 0", "DELETE FROM incident_events"]
    {
        assert!(sqlx::query(statement).execute(writer).await.is_err(), "{statement}");
    }
}

#[tokio::test]
async fn what_was_owed_before_reports_is_owed_after() {
    let dir = tempfile::tempdir().unwrap();
    let old = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(file(&dir)).create_if_missing(true))
        .await
        .unwrap();
    let [(_, _, start), _, (_, _, reports), ..] = MIGRATIONS;
    let insert = "INSERT INTO outbox (tenant, page, incident, recipient, kind, seq, broadcast, is_page, due, decided_at)
                  VALUES ('main', 'P-1', 'checkout-burn-1', '{\"channel\":\"#x\"}', 'thread', 3, 1, 0, 5, 4)";
    for text in [start, insert, reports] {
        sqlx::raw_sql(text).execute(&old).await.unwrap();
    }
    let row: (i64, String, i64, String) = sqlx::query_as("SELECT id, page, seq, state FROM outbox").fetch_one(&old).await.unwrap();
    assert_eq!(row, (1, "P-1".to_owned(), 3, "owed".to_owned()));
}

/// A store as the release before left it is carried over, whatever the number of its last migration.
#[tokio::test]
async fn what_was_counted_before_a_migration_is_there_after_it() {
    for applied in 1..MIGRATIONS.len() {
        let dir = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file(&dir)).create_if_missing(true);
        let old = sqlx::SqlitePool::connect_with(options).await.unwrap();
        sqlx::query("PRAGMA application_id = 1112887886").execute(&old).await.unwrap();
        migrator_of(&MIGRATIONS[..applied]).run(&old).await.unwrap();
        sqlx::raw_sql(COUNTED_BEFORE).execute(&old).await.unwrap();
        old.close().await;

        let store = SqliteStore::open(dir.path()).await.unwrap();
        let (main, source) = (tenant("main"), conformance::source());
        let ledger = store.ledger(&main, &source).await.unwrap();
        assert_eq!((ledger.settled, ledger.state), (Some(at(0)), Some(vec![1])), "{applied} applied");
        assert_eq!((ledger.rounds, ledger.segments.len()), (vec![(7, vec![3])], 1), "{applied} applied");
        assert_eq!(store.ledger_images(&main, &source).await.unwrap().images, [], "none yet: all is read");
        assert_eq!(store.last_round().await.unwrap(), 7);
        store.close().await;
    }
}

const COUNTED_BEFORE: &str = "
    INSERT INTO watermarks VALUES ('main', 'prom', 1700000000000, 1700000000000);
    INSERT INTO ledger_states VALUES ('main', 'prom', x'01');
    INSERT INTO segments VALUES ('main', 'prom', 0, 60, 5, x'02');
    INSERT INTO rounds (id, tenant, source, at, settled, blob) VALUES (7, 'main', 'prom', 1700000000000, 1700000000000, x'03');";

#[test]
fn every_migration_file_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite/migrations");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, MIGRATIONS.len());
}
