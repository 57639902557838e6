//! What becomes of pages under the faults of Slack.

use super::*;

#[tokio::test]
async fn a_page_arrives_once_in_channel_and_direct_message() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(3).await;
    let posts = world.entries("chat.postMessage");
    assert_eq!(posts.len(), 2, "{posts:#?}");
    assert!(posts.iter().all(|post| post.text.starts_with("▲ checkout · acme: 15.2 % of requests failing")), "{posts:#?}");
    assert!(posts.iter().any(|post| post.channel.starts_with('D')));
    assert!(world.incident().await.pages.values().all(|page| matches!(page.outcome, PageOutcome::Delivered { .. })));
}

#[tokio::test]
async fn the_operators_are_told_once_that_a_text_of_theirs_is_not_used() {
    let mut world = World::new().await;
    world.slack.add_channel("#burnward");
    std::fs::create_dir_all(world.directory.path().join("templates/notify/slack")).unwrap();
    std::fs::write(world.directory.path().join("templates/notify/slack/headline.hbs"), "{{#if").unwrap();
    world.config = Arc::new(Config { templates: Some(world.directory.path().join("templates")), ..(*world.config).clone() });
    world.restart().await;
    world.ticks(3).await;
    let told: Vec<String> = world.entries("chat.postMessage").into_iter().map(|entry| entry.text).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("templates/notify/slack/headline.hbs") && told[0].contains("the built-in text is used"), "{told:?}");
    world.restart().await;
    world.ticks(3).await;
    assert_eq!(world.entries("chat.postMessage").len(), 1, "it stands there already");
}

/// How often a page stands in the channel, how many of these say that they may be a repeat, and whether it counts as delivered.
async fn check(fault: FaultKind, stands: usize, marked: usize, delivered: bool) {
    let world = World::new().await;
    let fault_shown = format!("{fault:?}");
    world.slack.fault(Fault { channel: Some(world.channel.clone()), ..Fault::next("chat.postMessage", fault) }).unwrap();
    world.burns("acme").await;
    world.ticks(70).await;
    let root = world.incident().await.root.unwrap();
    let posts: Vec<Entry> = world.posts().into_iter().filter(|post| post.page_id.as_deref() == Some(root.as_str())).collect();
    let repeats = posts.iter().filter(|post| post.text.starts_with(&format!("(possible repeat of {root})"))).count();
    assert_eq!((posts.len(), repeats), (stands, marked), "{fault_shown}: {posts:#?}");
    assert_eq!(matches!(world.root_outcome().await, PageOutcome::Delivered { .. }), delivered, "{fault_shown}");
    let directs = world.entries("chat.postMessage").into_iter().filter(|entry| entry.channel.starts_with('D')).count();
    assert_eq!(directs, 1, "{fault_shown}: the other destination is not concerned");
}

#[tokio::test]
async fn what_surely_did_not_arrive_is_sent_again_unmarked() {
    for body in [RateLimitBody::Json, RateLimitBody::Text] {
        for retry_after in [Some("1"), Some("30"), Some("86400"), Some("-1"), Some("soon"), None] {
            check(FaultKind::RateLimit { retry_after: retry_after.map(str::to_owned), body }, 1, 0, true).await;
        }
    }
    check(error("ratelimited"), 1, 0, true).await;
}

#[tokio::test]
async fn what_may_have_arrived_is_looked_for_and_adopted_where_it_stands() {
    for fault in [FaultKind::ApplyThenReset, FaultKind::ApplyThenHang, FaultKind::ApplyThenStatus { status: 500 }, FaultKind::CutBody] {
        check(fault, 1, 0, true).await;
    }
    check(FaultKind::TruncatedJson, 1, 0, true).await;
    check(FaultKind::ErrorApplied { code: "internal_error".into() }, 1, 0, true).await;
}

#[tokio::test]
async fn what_may_have_arrived_and_did_not_is_sent_again_with_a_mark() {
    for fault in [FaultKind::ResetBefore, FaultKind::Hang, FaultKind::Status { status: 503 }, FaultKind::CaptivePortal] {
        check(fault, 1, 1, true).await;
    }
    check(error("fatal_error"), 1, 1, true).await;
    check(FaultKind::RateLimit { retry_after: Some("1".into()), body: RateLimitBody::Bare }, 1, 1, true).await;
}

#[tokio::test]
async fn what_slack_refuses_as_we_built_it_goes_out_as_plain_text() {
    for code in ["invalid_blocks", "msg_blocks_too_long", "a_code_of_next_year"] {
        check(error(code), 1, 0, true).await;
    }
}

#[tokio::test]
async fn a_destination_that_is_gone_goes_back_to_the_incident() {
    for code in ["channel_not_found", "is_archived", "not_in_channel", "restricted_action"] {
        check(error(code), 0, 0, false).await;
    }
}

#[tokio::test]
async fn a_dead_token_is_tried_again_and_a_new_one_is_read() {
    let world = World::new().await;
    std::fs::write(world.directory.path().join("bot"), "xoxb-old").unwrap();
    world.burns("acme").await;
    world.ticks(2).await;
    assert_eq!(world.posts(), []);
    assert!(world.daemon().client.status().trouble.is_some());
    std::fs::write(world.directory.path().join("bot"), world.slack.bot_token()).unwrap();
    world.ticks(70).await;
    assert_eq!(world.posts().len(), 1);
    assert_eq!(world.daemon().client.status().trouble, None);
}

#[tokio::test]
async fn a_look_back_that_is_not_possible_sends_at_once_with_a_mark() {
    let world = World::new().await;
    world
        .slack
        .fault(Fault { channel: Some(world.channel.clone()), ..Fault::next("chat.postMessage", FaultKind::ApplyThenReset) })
        .unwrap();
    world.slack.fault(Fault::from_now_on("conversations.history", error("missing_scope"))).unwrap();
    world.burns("acme").await;
    world.ticks(5).await;
    let posts = world.posts();
    assert_eq!(posts.len(), 2, "{posts:#?}");
    assert!(posts[1].text.starts_with("(possible repeat of P-"), "{posts:#?}");
}

#[tokio::test]
async fn a_crash_while_sending_sends_no_unmarked_repeat() {
    let mut world = World::new().await;
    world.burns("acme").await;
    let due = world.daemon().handle.store.due_messages(world.clock.now(), 10).await.unwrap();
    for owed in &due {
        assert!(world.daemon().handle.store.begin_attempt(&owed.tenant, &owed.message.id, world.clock.now()).await.unwrap());
    }
    world.restart().await;
    world.ticks(6).await;
    let posts = world.entries("chat.postMessage");
    assert_eq!(posts.len(), 2, "{posts:#?}");
    assert!(posts.iter().all(|post| post.text.starts_with("(possible repeat of P-")), "{posts:#?}");
    world.restart().await;
    world.ticks(3).await;
    assert_eq!(world.entries("chat.postMessage").len(), 2);
}
