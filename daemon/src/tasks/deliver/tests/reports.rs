//! Reports to a channel.

use super::*;

/// A report of all teams that fired now, to a channel of its own.
async fn report_fires(world: &World) -> PageId {
    let now = world.clock.now();
    let page = PageId::of(&["report", &now.millis().to_string()]);
    let to = Recipient::Channel("#payments-leads".into());
    let report = DueReport { page: page.clone(), team: None, timezone: "Europe/Berlin".into(), fired_at: now, missed: 0, to };
    let timer = ReportTimer { tenant: tenant(), report: "weekly".into(), due: now.plus(minutes(10_080)) };
    world.daemon().handle.store.fire_report(&timer, &report, now).await.unwrap();
    page
}

/// The posts of a report, whatever their channel.
fn posts_of(world: &World, page: &PageId) -> Vec<Entry> {
    world.entries("chat.postMessage").into_iter().filter(|entry| entry.page_id.as_deref() == Some(page.as_str())).collect()
}

/// How often a report stands in its channel under a fault, and how many of these say that they may be a repeat.
async fn check_report(fault: FaultKind, stands: usize, marked: usize) {
    let world = World::new().await;
    let shown = format!("{fault:?}");
    world.slack.fault(Fault::next("chat.postMessage", fault)).unwrap();
    let page = report_fires(&world).await;
    world.ticks(70).await;
    let posts = posts_of(&world, &page);
    let repeats = posts.iter().filter(|post| post.text.starts_with("(possible repeat of ")).count();
    assert_eq!((posts.len(), repeats), (stands, marked), "{shown}: {posts:#?}");
    assert!(posts.iter().all(|post| post.text.contains("Error budgets of all teams, ")), "{shown}: {posts:#?}");
}

#[tokio::test]
async fn a_report_stands_once_whatever_slack_does() {
    for fault in [
        FaultKind::RateLimit { retry_after: Some("30".into()), body: RateLimitBody::Json },
        FaultKind::ApplyThenReset,
        FaultKind::ApplyThenStatus { status: 500 },
        error("invalid_blocks"),
    ] {
        check_report(fault, 1, 0).await;
    }
    check_report(FaultKind::ResetBefore, 1, 1).await;
}

#[tokio::test]
async fn a_report_that_was_in_flight_when_burnward_stopped_is_looked_for() {
    let mut world = World::new().await;
    let page = report_fires(&world).await;
    world.ticks(1).await;
    assert_eq!(posts_of(&world, &page).len(), 1);
    let store = &world.daemon().handle.store;
    let again = report_fires(&world).await;
    assert!(store.begin_attempt(&tenant(), &again, world.clock.now()).await.unwrap());
    world.restart().await;
    world.ticks(10).await;
    assert_eq!((posts_of(&world, &page).len(), posts_of(&world, &again).len()), (1, 1));
}

#[tokio::test]
async fn the_operators_are_told_of_a_report_whose_channel_is_gone() {
    let world = World::new().await;
    let operators = world.slack.add_channel("#burnward");
    let leads = world.slack.add_channel("#payments-leads");
    world.slack.fault(Fault { channel: Some(leads), ..Fault::from_now_on("chat.postMessage", error("is_archived")) }).unwrap();
    let page = report_fires(&world).await;
    world.ticks(5).await;
    let posts = posts_of(&world, &page);
    assert_eq!(posts.len(), 1, "{posts:#?}");
    assert_eq!(posts[0].channel, operators);
    assert!(posts[0].text.contains("weekly report of all teams could not be posted to #payments-leads"), "{posts:#?}");
}

#[tokio::test]
async fn a_report_that_hangs_keeps_no_page_waiting() {
    let world = World::new().await;
    let leads = world.slack.add_channel("#payments-leads");
    world.slack.fault(Fault { channel: Some(leads), ..Fault::from_now_on("chat.postMessage", FaultKind::Hang) }).unwrap();
    report_fires(&world).await;
    let deliver = &world.daemon().deliver;
    assert_eq!(deliver.start(world.clock.now()).await, 0, "the report alone");
    world.burns("acme").await;
    assert_eq!(deliver.start(world.clock.now()).await, 2);
    let page = world.slack.wait_for(Duration::from_millis(350), |entry| entry.method == "chat.postMessage").await;
    assert!(page.is_some_and(|entry| entry.text.starts_with("▲ checkout")), "the page waits for no report");
    deliver.idle().await;
}
