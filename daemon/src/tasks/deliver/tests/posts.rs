//! What posts and their threads say as an incident goes on.

use super::*;

#[tokio::test]
async fn an_acknowledgement_edits_root_and_direct_message_and_stands_in_the_thread() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    world.does(Command::Acknowledge).await;
    world.ticks(3).await;
    let edits = world.entries("chat.update");
    assert_eq!(edits.len(), 2, "{edits:#?}");
    let thread: Vec<Entry> = world.posts().into_iter().filter(|post| post.thread_ts.is_some()).collect();
    assert_eq!(thread.len(), 1, "{thread:#?}");
    assert!(thread[0].text.contains("cknowledged"), "{thread:#?}");
}

/// The last words of each post that is no entry of the thread.
fn last_words(world: &World) -> Vec<String> {
    let mut last: BTreeMap<(String, String), String> = BTreeMap::new();
    for entry in world.slack.journal() {
        let at = (entry.channel.clone(), entry.ts.clone());
        match entry.method.as_str() {
            "chat.postMessage" if entry.text.contains("checkout") => drop(last.insert(at, entry.text)),
            "chat.update" if last.contains_key(&at) => drop(last.insert(at, entry.text)),
            _ => {}
        }
    }
    last.into_values().collect()
}

#[tokio::test]
async fn posts_that_called_again_follow_the_state_and_are_edited_once_for_each() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    world.clock.advance(minutes(6));
    world.does(Command::Tick).await;
    world.ticks(2).await;
    assert_eq!(last_words(&world).len(), 4, "the root, a person, the post that calls again, the leads");
    world.clock.advance(minutes(6));
    world.does(Command::Tick).await;
    world.ticks(2).await;
    let posts = last_words(&world).len();
    let slow = FaultKind::RateLimit { retry_after: Some("1".into()), body: RateLimitBody::Json };
    world.slack.fault(Fault { nth: 2, ..Fault::next("chat.update", slow) }).unwrap();
    world.does(Command::Acknowledge).await;
    world.ticks(5).await;
    let taken = |world: &World| last_words(world).iter().filter(|text| text.contains("Acknowledged by ana")).count();
    assert_eq!(taken(&world), posts - 1, "all but the root: {:#?}", last_words(&world));
    let edits = world.entries("chat.update").len();
    world.does(Command::Note { text: "rolling back".to_owned() }).await;
    world.ticks(70).await;
    assert_eq!(world.entries("chat.update").len(), edits + 1, "numbers are shown by the root alone");
    world.does(Command::Resolve).await;
    world.ticks(2).await;
    let on = |text: &&String| text.contains("STILL FAILING, resolved by ana");
    assert_eq!(last_words(&world).iter().filter(on).count(), posts, "{:#?}", last_words(&world));
}

/// The calls of Slack since the last time, as `method: text`.
fn calls_since(world: &World, seen: &mut usize) -> Vec<String> {
    let journal = world.slack.journal();
    let new = journal.iter().skip(*seen).filter(|entry| entry.method == "chat.postMessage" || entry.method == "chat.update");
    let calls = new.map(|entry| format!("{}: {}", entry.method.trim_start_matches("chat."), entry.text)).collect();
    *seen = journal.len();
    calls
}

/// How many of the calls post a line or a page, edit a post, and edit the root.
fn counted(calls: &[String]) -> (usize, usize, usize) {
    let count = |wanted: &dyn Fn(&str) -> bool| calls.iter().filter(|call| wanted(call)).count();
    let of_post = |call: &str| call.starts_with("update") && (call.contains(" · ◆ ") || call.contains(" · ▲ ") || call.contains(" · ● "));
    let edits = count(&|call| call.starts_with("update"));
    (count(&|call| call.starts_with("postMessage")), count(&of_post), edits - count(&of_post))
}

#[tokio::test]
async fn each_change_of_state_edits_each_post_once_in_its_own_words_and_figures_are_of_the_root_alone() {
    let world = World::new().await;
    let mut seen = 0;
    world.burns("acme").await;
    world.ticks(2).await;
    world.clock.advance(minutes(6));
    world.does(Command::Tick).await;
    world.ticks(2).await;
    let posted = calls_since(&world, &mut seen);
    assert_eq!(counted(&posted), (4, 0, 1), "root and a person; the thread and the leads: {posted:#?}");

    world.clock.advance(minutes(1));
    world.does(Command::Acknowledge).await;
    world.ticks(2).await;
    let taken = calls_since(&world, &mut seen);
    assert_eq!(counted(&taken), (1, 3, 1), "{taken:#?}");
    let own = ["for 5 min", "for 11 min"].map(|words| taken.iter().filter(|call| call.contains(words) && call.contains("◆")).count());
    assert_eq!(own, [1, 2], "each says what it was posted for: {taken:#?}");

    world.does(Command::Note { text: "rolling back".to_owned() }).await;
    world.ticks(70).await;
    let numbers = calls_since(&world, &mut seen);
    assert_eq!(counted(&numbers), (1, 0, 1), "{numbers:#?}");

    world.recovers("acme").await;
    world.ticks(2).await;
    let over = calls_since(&world, &mut seen);
    assert_eq!(counted(&over), (1, 3, 1), "{over:#?}");

    world.clock.advance(minutes(15));
    world.burns("acme").await;
    world.ticks(2).await;
    let again = calls_since(&world, &mut seen);
    assert_eq!(counted(&again), (2, 0, 1), "what is over stays as it was: {again:#?}");

    world.does(Command::Acknowledge).await;
    world.ticks(2).await;
    let taken = calls_since(&world, &mut seen);
    assert_eq!(counted(&taken), (1, 2, 1), "only what is about this burn: {taken:#?}");
}

#[tokio::test]
async fn the_first_message_names_whom_it_hits_now() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    world.does(Command::Acknowledge).await;
    world.clock.advance(minutes(5));
    world.burns("globex").await;
    world.ticks(2).await;
    let root = world.posts()[0].ts.clone();
    let says = || world.entries("chat.update").into_iter().rfind(|edit| edit.ts == root).map(|edit| edit.text).unwrap_or_default();
    assert!(says().starts_with("▲ checkout · acme, globex: 15.2 % failing"), "{}", says());
    world.recovers("acme").await;
    world.ticks(62).await;
    assert!(says().starts_with("▲ checkout · globex: 15.2 % of requests failing"), "{}", says());
    world.recovers("globex").await;
    world.ticks(2).await;
    assert!(says().ends_with(" · checkout · acme, globex: 11 min"), "{}", says());
}

#[tokio::test]
async fn the_line_of_an_acknowledgement_waits_for_no_edit() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    let edits = world.entries("chat.update").len();
    world.slack.fault(Fault::from_now_on("chat.update", FaultKind::Hang)).unwrap();
    world.does(Command::Acknowledge).await;
    world.daemon().deliver.start(world.clock.now()).await;
    let line = world.slack.wait_for(Duration::from_millis(350), |entry| entry.text.contains("Acknowledged by ana")).await;
    assert!(line.is_some_and(|entry| entry.method == "chat.postMessage"));
    assert_eq!(world.entries("chat.update").len(), edits, "the edit hangs");
    world.daemon().deliver.idle().await;
}

/// acme burns, and somebody asked for help again and again: twelve posts beside the first message.
async fn twelve_posts() -> World {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    while last_words(&world).len() <= 12 {
        world.clock.advance(minutes(1));
        world.does(Command::Escalate).await;
        world.ticks(2).await;
    }
    world
}

/// The `ts` of what was edited since the first `seen` entries of the journal, in order.
fn edited_since(world: &World, seen: usize) -> Vec<String> {
    let edits = world.slack.journal().into_iter().skip(seen).filter(|entry| entry.method == "chat.update");
    edits.map(|edit| edit.ts).collect()
}

#[tokio::test]
async fn the_first_message_is_edited_first_and_again_first_when_the_state_changes_while_posts_are_edited() {
    let world = twelve_posts().await;
    let (root, seen) = (world.posts()[0].ts.clone(), world.slack.journal().len());
    let posts = last_words(&world).len() - 1;
    assert!(posts >= 12, "{:#?}", last_words(&world));
    world.does(Command::Acknowledge).await;
    world.ticks(1).await;
    let edited = edited_since(&world, seen);
    let others: BTreeSet<&String> = edited[1..].iter().collect();
    assert_eq!((&edited[0], edited.len(), others.len()), (&root, posts + 1, posts), "the first message, then each post once");

    world.slack.fault(Fault::from_now_on("chat.update", FaultKind::Slow { millis: 20 })).unwrap();
    let seen = world.slack.journal().len();
    world.does(Command::Escalate).await;
    world.does(Command::Resolve).await;
    world.daemon().deliver.start(world.clock.now()).await;
    while edited_since(&world, seen).len() < 4 {
        tokio::task::yield_now().await;
    }
    let at = edited_since(&world, seen).len();
    world.recovers("acme").await;
    world.daemon().deliver.idle().await;
    let edited = edited_since(&world, seen);
    assert_eq!(edited[0], root);
    assert!(edited[at..at + 2].contains(&root), "one that was on its way, then the first message: {edited:?}");
    let late = |text: &&String| !["Over", "● Recovered", "Resolved by ana, "].iter().any(|word| text.contains(word));
    assert_eq!(last_words(&world).iter().find(late), None, "all show the end, but for the line of the thread");
}

/// What a kill leaves is what a call leaves whose outcome nobody knows: the edit is owed again.
#[tokio::test]
async fn edits_that_were_cut_short_go_on_after_a_restart_and_each_is_made_once() {
    let mut world = twelve_posts().await;
    let (root, seen) = (world.posts()[0].ts.clone(), world.slack.journal().len());
    let posted = world.entries("chat.postMessage").len();
    world.slack.fault(Fault { nth: 5, ..Fault::next("chat.update", FaultKind::Hang) }).unwrap();
    world.does(Command::Acknowledge).await;
    world.daemon().deliver.start(world.clock.now()).await;
    world.daemon().deliver.idle().await;
    let before = edited_since(&world, seen);
    assert_eq!((before.len(), &before[0]), (4, &root), "the first message and three posts; the fifth call hangs");
    world.restart().await;
    world.ticks(4).await;
    let after = edited_since(&world, seen).split_off(before.len());
    assert_eq!(after[0], root, "the first message is edited once more, which is the same");
    let (shown, left): (BTreeSet<&String>, BTreeSet<&String>) = (before[1..4].iter().collect(), after[1..].iter().collect());
    assert!(shown.is_disjoint(&left), "none of the others twice");
    assert!(last_words(&world).iter().filter(|text| !text.contains("Acknowledged by ana")).count() == 1, "{:#?}", last_words(&world));
    assert_eq!(world.entries("chat.postMessage").len(), posted + 1, "the line of the acknowledgement alone is new");
}

#[tokio::test]
async fn the_line_of_an_end_is_not_posted_once_the_fault_is_back() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    world.clock.advance(minutes(3));
    world.recovers("acme").await;
    world.clock.advance(minutes(9));
    world.burns("acme").await;
    world.ticks(3).await;
    let lines: Vec<String> = world.posts().into_iter().filter(|post| post.thread_ts.is_some()).map(|post| post.text).collect();
    assert!(lines.iter().all(|line| !line.contains("Resolved")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("▲ checkout")), "{lines:#?}");
}

#[tokio::test]
async fn a_post_keeps_its_words_and_what_it_shows_through_a_restart() {
    let mut world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    world.does(Command::Acknowledge).await;
    world.ticks(2).await;
    world.restart().await;
    let mut seen = world.slack.journal().len();
    world.clock.advance(minutes(9));
    world.does(Command::Note { text: "rolling back".to_owned() }).await;
    world.ticks(70).await;
    let numbers = calls_since(&world, &mut seen);
    assert_eq!(counted(&numbers), (1, 0, 1), "nothing is edited once more: {numbers:#?}");
    world.recovers("acme").await;
    world.ticks(2).await;
    let over = calls_since(&world, &mut seen);
    let own = over.iter().filter(|call| call.contains("for 5 min · ● Over")).count();
    assert_eq!(own, 1, "{over:#?}");
}

#[tokio::test]
async fn a_root_that_was_deleted_is_posted_anew() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    let root = world.posts()[0].ts.clone();
    assert!(world.slack.delete_message(&world.channel, &root));
    world.does(Command::Acknowledge).await;
    world.ticks(8).await;
    let handle = &world.daemon().handle;
    let stands = handle.store.root_message(&tenant(), &fault_key().incident(1)).await.unwrap().unwrap();
    assert_ne!(stands.ts, root);
    let roots = world.posts().into_iter().filter(|post| post.thread_ts.is_none()).count();
    assert_eq!(roots, 2, "{:#?}", world.posts());
}
