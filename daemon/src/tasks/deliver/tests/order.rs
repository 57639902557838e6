//! What waits for what, and what people click.

use super::*;

#[tokio::test]
async fn once_slack_answers_again_nothing_waits_on_and_an_acknowledgement_takes_back_what_would_wake_somebody() {
    let world = World::new().await;
    world.slack.fault(Fault::from_now_on("chat.postMessage", error("ratelimited"))).unwrap();
    world.burns("acme").await;
    world.ticks(100).await;
    world.slack.clear_faults();
    let arrived = || world.slack.journal().iter().filter(|entry| entry.method == "chat.postMessage" && !entry.ts.is_empty()).count();
    world.ticks(5).await;
    assert_eq!(arrived(), 0, "each waits for up to a minute");
    world.does(Command::Escalate).await;
    world.ticks(3).await;
    assert_eq!(arrived(), 4, "what is new arrives, and nothing waits on: {:#?}", world.entries("chat.postMessage"));

    world.slack.fault(Fault::from_now_on("chat.postMessage", error("ratelimited"))).unwrap();
    world.recovers("acme").await;
    world.clock.advance(minutes(15));
    world.burns("acme").await;
    world.ticks(20).await;
    world.does(Command::Acknowledge).await;
    world.slack.clear_faults();
    let direct = || world.entries("chat.postMessage").into_iter().filter(|entry| entry.channel.starts_with('D')).count();
    let before = direct();
    world.ticks(70).await;
    assert_eq!(direct(), before, "somebody has it");
    let undelivered = world.daemon().handle.store.undelivered(&tenant(), world.clock.now(), 10).await.unwrap();
    assert_eq!(undelivered, [], "nobody has to be told of it");
}

/// The same where the daemon is killed during the outage: what waited is known and waits on for nothing, each comes once, and an acknowledgement counts.
#[tokio::test]
async fn what_waited_for_slack_through_a_restart_arrives_at_once_and_once() {
    let mut world = World::new().await;
    world.slack.fault(Fault::from_now_on("chat.postMessage", error("ratelimited"))).unwrap();
    world.burns("acme").await;
    world.ticks(100).await;
    world.restart().await;
    world.ticks(20).await;
    world.does(Command::Escalate).await;
    world.restart().await;
    let arrived = |world: &World| -> Vec<Entry> {
        let posted = world.slack.journal().into_iter().filter(|entry| entry.method == "chat.postMessage" && !entry.ts.is_empty());
        posted.filter(|entry| entry.page_id.is_some()).collect()
    };
    assert_eq!(arrived(&world), [], "it refuses all that comes");
    world.slack.clear_faults();
    world.ticks(3).await;
    let posted = arrived(&world);
    let pages: std::collections::BTreeSet<Option<String>> = posted.iter().map(|entry| entry.page_id.clone()).collect();
    assert_eq!((posted.len(), pages.len()), (4, 4), "what is new arrives, nothing waits on, each once: {posted:#?}");
    let old: Vec<&str> = posted[2..].iter().map(|entry| entry.channel.as_str()).collect();
    assert_ne!(old[0], old[1], "what waited is the post and the message of the first step");

    world.slack.fault(Fault::from_now_on("chat.postMessage", error("ratelimited"))).unwrap();
    world.recovers("acme").await;
    world.clock.advance(minutes(15));
    world.burns("acme").await;
    world.ticks(20).await;
    world.restart().await;
    world.does(Command::Acknowledge).await;
    world.restart().await;
    world.slack.clear_faults();
    let direct = |world: &World| world.entries("chat.postMessage").into_iter().filter(|entry| entry.channel.starts_with('D')).count();
    let before = direct(&world);
    world.ticks(70).await;
    assert_eq!(direct(&world), before, "somebody has it");
    let undelivered = world.daemon().handle.store.undelivered(&tenant(), world.clock.now(), 10).await.unwrap();
    assert_eq!(undelivered, [], "nobody has to be told of it");
}

#[tokio::test]
async fn a_page_that_is_over_before_it_arrives_wakes_nobody() {
    let world = World::new().await;
    world.slack.refuse_for(Duration::from_millis(300));
    world.burns("acme").await;
    world.ticks(1).await;
    world.does(Command::Resolve).await;
    tokio::time::sleep(Duration::from_millis(350)).await;
    world.ticks(70).await;
    let direct = world.entries("chat.postMessage").into_iter().filter(|entry| entry.channel.starts_with('D')).count();
    assert_eq!(direct, 0, "the person is not woken for what is over");
    assert!(world.posts()[0].text.starts_with("▲ STILL FAILING, resolved by ana"), "{:#?}", world.posts());
}

#[tokio::test]
async fn a_click_acknowledges_once_and_a_second_one_is_told_who_did() {
    let world = World::new().await;
    world.burns("acme").await;
    world.ticks(2).await;
    let root = world.posts()[0].clone();
    let stop = tokio_util::sync::CancellationToken::new();
    let daemon = world.daemon();
    let listening = tokio::spawn(crate::notify::slack::listen(daemon.client.clone(), daemon.handle.clone(), stop.clone()));
    assert!(world.slack.wait_for_sockets(1, Duration::from_secs(5)).await);
    world.slack.click(&world.channel, &root.ts, "burnward_acknowledge", "Ana").await.unwrap();
    world.slack.click(&world.channel, &root.ts, "burnward_acknowledge", "Ana").await.unwrap();
    let told =
        world.slack.wait_for(Duration::from_secs(5), |entry| entry.method == "response_url").await.expect("the second click is answered");
    assert!(told.text.starts_with("Nothing to do: already acknowledged by ana at"), "{told:?}");
    assert!(matches!(world.incident().await.phase, Phase::Acknowledged { .. }));
    stop.cancel();
    listening.await.unwrap();
}

#[tokio::test]
async fn the_same_click_acts_once() {
    let world = World::new().await;
    world.burns("acme").await;
    let daemon = world.daemon();
    let key = daemon.client.key(&daemon.handle.store).await.unwrap();
    let click = |reference: String, action_ts: &str| crate::notify::slack::Interaction {
        user: "U0".into(),
        user_name: "ana".into(),
        message_ts: "1.1".into(),
        action: "burnward_acknowledge".into(),
        action_ts: action_ts.into(),
        choice: None,
        reference,
        response_url: None,
    };
    act(&daemon.client, &daemon.handle, &click("bw1.forged.seal".into(), "0")).await;
    assert_eq!(world.incident().await.phase, Phase::Open);
    let ours = key.seal(&tenant(), &fault_key().incident(1));
    for _ in 0..2 {
        act(&daemon.client, &daemon.handle, &click(ours.clone(), "1")).await;
    }
    let incident = world.incident().await;
    let Phase::Acknowledged { by, .. } = &incident.phase else { panic!("{:?}", incident.phase) };
    assert_eq!(by.to_string(), "ana (U0)");
}

#[tokio::test]
async fn without_slack_pages_stay_owed() {
    let world = World::new().await;
    world.burns("acme").await;
    let deliver = Deliver::new(world.daemon().handle.clone(), Renderer::load(None, Faults::default()), None);
    deliver.tick(world.clock.now()).await;
    assert_eq!(world.daemon().handle.store.outbox_stats().await.unwrap().pages_owed, 2);
}

#[tokio::test]
async fn one_slow_destination_delays_no_other() {
    let world = World::new().await;
    world.slack.fault(Fault { channel: Some(world.channel.clone()), ..Fault::from_now_on("chat.postMessage", FaultKind::Hang) }).unwrap();
    world.burns("acme").await;
    let deliver = &world.daemon().deliver;
    assert_eq!(deliver.start(world.clock.now()).await, 2);
    let direct = world.slack.wait_for(Duration::from_millis(350), |entry| entry.method == "chat.postMessage").await;
    assert!(direct.is_some_and(|entry| entry.channel.starts_with('D')), "the direct message waits for nobody");
    assert_eq!(deliver.start(world.clock.now()).await, 0, "the slow destination has its worker");
    deliver.idle().await;
}
