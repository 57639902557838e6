//! What is owed to people, and what became of it.

use burnward_core::{
    id::{IncidentId, PageId, TeamName, TenantId},
    incident::{Message, MessageKind, MessageRef, What},
    oncall::Recipient,
    time::Timestamp,
};

use super::{at, empty, event, fault, message, only_owed, opening, stands, tenant};
use crate::store::{AttemptOutcome, Commit, DueReport, NOT_SENT, OutboxStats, OwedReport, Post, PostWords, ReportTimer, Store};

async fn owe(store: &Store, tenant: &TenantId, messages: Vec<Message>, now: Timestamp) {
    store.commit(&Commit { messages, ..empty(tenant, now) }).await.unwrap();
}

async fn due_ids(store: &Store, now: Timestamp) -> Vec<String> {
    store.due_messages(now, 100).await.unwrap().iter().map(|owed| owed.message.id.to_string()).collect()
}

pub(in crate::store) async fn pages_come_before_informs_and_the_longest_due_first(store: &Store) {
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

pub(in crate::store) async fn a_report_that_fires_is_owed_once_and_apart_from_pages(store: &Store) {
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

pub(in crate::store) async fn an_attempt_ends_as_its_outcome_says(store: &Store) {
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

pub(in crate::store) async fn a_dropped_page_is_listed_as_given_up(store: &Store) {
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
pub(in crate::store) async fn delivery_events_end_their_messages(store: &Store) {
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

pub(in crate::store) async fn a_page_that_was_delivered_is_not_owed_again(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text("P-1");
    for kind in [MessageKind::Direct, MessageKind::Direct] {
        owe(store, &main, vec![message("P-1", kind, at(0))], at(0)).await;
        store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands("1.1")), at(1)).await.unwrap();
    }
    owe(store, &main, vec![message("P-1", MessageKind::Direct, at(2))], at(2)).await;
    assert_eq!(store.next_due().await.unwrap(), None);
}

pub(in crate::store) async fn an_edit_is_owed_again_whenever_it_is_newer(store: &Store) {
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

/// What changes while an edit is in flight is shown by it where it is due, and afterwards where it is not; the earliest of several counts.
pub(in crate::store) async fn an_edit_in_flight_takes_what_is_newer_and_due(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text("P-edit");
    let edit = |due| vec![message("P-edit", MessageKind::Edit, due)];
    owe(store, &main, edit(at(0)), at(0)).await;
    assert!(!store.take_renewal(&main, &page, at(9)).await.unwrap(), "it is not in flight");
    store.begin_attempt(&main, &page, at(1)).await.unwrap();
    assert!(!store.take_renewal(&main, &page, at(9)).await.unwrap(), "nothing is newer");
    owe(store, &main, edit(at(62)), at(2)).await;
    assert!(!store.take_renewal(&main, &page, at(3)).await.unwrap(), "figures wait for their minute");
    owe(store, &main, edit(at(4)), at(4)).await;
    owe(store, &main, edit(at(65)), at(5)).await;
    assert!(store.take_renewal(&main, &page, at(5)).await.unwrap(), "what was due at once stays so");
    assert!(!store.take_renewal(&main, &page, at(5)).await.unwrap(), "it is taken once");
    owe(store, &main, edit(at(66)), at(6)).await;
    store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands("1.1")), at(7)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(66)));
}

/// Where the root was deleted and an edit posted it anew, the thread goes on there.
pub(in crate::store) async fn an_edit_can_move_the_root(store: &Store) {
    let main = tenant("main");
    let incident = fault().incident(1);
    owe(store, &main, vec![message("P-root", MessageKind::Root, at(0)), message("P-edit", MessageKind::Edit, at(0))], at(0)).await;
    assert_eq!(store.root_message(&main, &incident).await.unwrap(), None);
    for (page, ts) in [("P-edit", "2.2"), ("P-root", "1.1")] {
        store.finish_attempt(&main, &PageId::from_text(page), AttemptOutcome::Delivered(stands(ts)), at(1)).await.unwrap();
    }
    assert_eq!(store.root_message(&main, &incident).await.unwrap(), Some(stands("2.2")));
    owe(store, &main, vec![message("P-edit", MessageKind::Edit, at(2))], at(2)).await;
    store.begin_attempt(&main, &PageId::from_text("P-edit"), at(2)).await.unwrap();
    store.edit_stands(&main, &PageId::from_text("P-edit"), &stands("3.3")).await.unwrap();
    assert_eq!(store.root_message(&main, &incident).await.unwrap(), Some(stands("3.3")), "before the edit has ended");
    assert_eq!(store.root_message(&main, &IncidentId::from_text("other")).await.unwrap(), None);
}

/// What a post keeps of its words is there for as long as the message is, and the newest post comes first.
pub(in crate::store) async fn posts_keep_their_words_and_which_state_they_show(store: &Store) {
    let main = tenant("main");
    let incident = fault().incident(1);
    let of = |text: &str| PostWords { words: format!("{{\"headline\":\"{text}\"}}"), shows: "waits".to_owned() };
    owe(store, &main, vec![message("P-root", MessageKind::Root, at(0)), message("P-one", MessageKind::Direct, at(0))], at(0)).await;
    owe(store, &main, vec![message("P-two", MessageKind::Again, at(5))], at(5)).await;
    for (page, ts) in [("P-one", "1.1"), ("P-two", "2.2")] {
        let page = PageId::from_text(page);
        assert!(store.begin_post(&main, &page, of(ts), at(6)).await.unwrap());
        assert!(!store.begin_post(&main, &page, of("never"), at(6)).await.unwrap(), "it is in flight already");
        assert_eq!(store.posts(&main, &incident).await.unwrap().iter().filter(|post| post.page == page).count(), 0, "not yet there");
        store.finish_attempt(&main, &page, AttemptOutcome::Delivered(stands(ts)), at(7)).await.unwrap();
    }
    store.finish_attempt(&main, &PageId::from_text("P-root"), AttemptOutcome::Delivered(stands("0.0")), at(7)).await.unwrap();
    store.post_shows(&main, &PageId::from_text("P-one"), "over 7".to_owned()).await.unwrap();
    let post = |page: &str, ts: &str, shows: &str| Post {
        page: PageId::from_text(page),
        at: stands(ts),
        words: Some(of(ts).words),
        shows: Some(shows.to_owned()),
    };
    assert_eq!(store.posts(&main, &incident).await.unwrap(), [post("P-two", "2.2", "waits"), post("P-one", "1.1", "over 7")]);
    assert_eq!(store.posts(&tenant("other"), &incident).await.unwrap(), []);
}

/// What nobody needs any more is no page that somebody must be told of; what waits goes, once it may, in the order in which it was decided.
pub(in crate::store) async fn a_needless_page_is_not_listed_and_what_waits_goes_oldest_first(store: &Store) {
    let main = tenant("main");
    let page = PageId::from_text;
    owe(store, &main, vec![message("P-old", MessageKind::Direct, at(0)), message("P-needless", MessageKind::Direct, at(0))], at(0)).await;
    owe(store, &main, vec![message("P-new", MessageKind::Direct, at(5))], at(5)).await;
    for (id, until) in [("P-old", 60), ("P-new", 30)] {
        assert!(store.begin_attempt(&main, &page(id), at(6)).await.unwrap());
        store.finish_attempt(&main, &page(id), AttemptOutcome::Retry { at: at(until), reason: "refused".to_owned() }, at(6)).await.unwrap();
    }
    let reason = format!("{NOT_SENT}somebody acknowledged before it could be delivered");
    store.finish_attempt(&main, &page("P-needless"), AttemptOutcome::Dropped { reason }, at(6)).await.unwrap();
    let listed: Vec<String> = store.undelivered(&main, at(6), 10).await.unwrap().iter().map(|page| page.page.to_string()).collect();
    assert_eq!(listed, ["P-new", "P-old"]);
    assert_eq!(store.outbox_stats().await.unwrap().pages_undeliverable, 0);
    assert_eq!(due_ids(store, at(7)).await, [""; 0]);
    let waiting: Vec<PageId> = store.backing_off(9).await.unwrap().into_iter().map(|owed| owed.message.id).collect();
    assert_eq!(waiting, ["P-old", "P-new"].map(page));
    for id in waiting.iter().rev() {
        store.due_again(&main, id).await.unwrap();
    }
    assert_eq!(due_ids(store, at(7)).await, ["P-old", "P-new"]);
}
