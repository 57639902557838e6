//! Delivery against the Slack stand-in: what its journal holds, whatever the client was told, is what people saw.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use burnward_core::{
    id::{PersonName, TeamName},
    incident::{
        Actor, AlertKey, Answer, Command, Facts, FaultKey, Incident, Kind, PageOutcome, Phase, Scope, Subject, handle, messages, record,
    },
    oncall::{Recipient, Step, Team},
    slo::Urgency,
    time::{Timestamp, minutes},
};
use burnward_stand_ins::slack::{Entry, Fault, FaultKind, Options, RateLimitBody, SlackStandIn};
use tokio::sync::{mpsc, watch};

use super::*;
use crate::{
    app::{Request, RequestError},
    clock::Clock,
    config::{Config, Person, SlackConfig},
    metrics::Metrics,
    notify::slack::{Limits, act},
    render::{
        Faults,
        tests::{DECIDED, budget_id, burn_facts, config as base_config, tenant},
    },
    store::{Commit, DueReport, NewEvent, ReportTimer, Store},
    view::View,
};

/// Short bounds, because a stand-in has no limits and a test has no time.
const LIMITS: Limits = Limits { channel: Duration::ZERO, edit: Duration::ZERO, call: Duration::from_millis(400) };

struct World {
    slack: SlackStandIn,
    channel: String,
    config: Arc<Config>,
    clock: Clock,
    directory: tempfile::TempDir,
    daemon: Option<Daemon>,
}

/// What a restart ends and begins.
struct Daemon {
    handle: Handle,
    client: Slack,
    deliver: Deliver,
    decider: tokio::task::JoinHandle<()>,
}

fn fault_key() -> FaultKey {
    FaultKey {
        subject: Subject::Service(burnward_core::id::ServiceName::parse("checkout").unwrap()),
        kind: Kind::Burn,
        urgency: Urgency::Page,
    }
}

impl World {
    async fn new() -> Self {
        let slack = SlackStandIn::start(Options::default()).await.unwrap();
        let channel = slack.add_channel("#payments-oncall");
        slack.add_channel("#payments-leads");
        slack.add_user("Ana", "ana@example.com");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("bot"), slack.bot_token()).unwrap();
        std::fs::write(directory.path().join("app"), slack.app_token()).unwrap();
        let config = Arc::new(config(&slack, directory.path()));
        let mut world = Self { slack, channel, config, clock: Clock::by_hand(DECIDED), directory, daemon: None };
        world.restart().await;
        world
    }

    /// Ends the daemon as a crash would, and starts another on the same store.
    async fn restart(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.deliver.idle().await;
            daemon.handle.store.close().await;
            drop((daemon.handle, daemon.deliver));
            daemon.decider.abort();
        }
        let store = Store::open(&self.directory.path().join("store")).await.unwrap();
        let (requests, mailbox) = mpsc::channel(16);
        let decider = tokio::spawn(decide(store.clone(), self.clock.clone(), self.config.clone(), mailbox));
        let (_, view) = watch::channel(Arc::new(View::default()));
        let handle = Handle {
            view,
            store,
            clock: self.clock.clone(),
            config: self.config.clone(),
            metrics: Metrics::default(),
            requests,
            wake_delivery: Arc::default(),
        };
        let client = Slack::connect_with(self.config.slack.as_ref().unwrap(), LIMITS).unwrap();
        let deliver =
            Deliver::new(handle.clone(), Renderer::load(self.config.templates.as_deref(), Faults::default()), Some(client.clone()));
        self.daemon = Some(Daemon { handle, client, deliver, decider });
    }

    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    /// The SLO of a group burns: decided and committed, not delivered.
    async fn burns(&self, group: &str) {
        let facts = Facts::Burn(Box::new(burn_facts(Urgency::Page, 165_847)));
        let alert = AlertKey::Budget(budget_id("availability", group));
        let command = Command::Fire { fault: fault_key(), alert, facts };
        decided(&self.daemon().handle.store, &self.config, command, &Actor::Daemon, self.clock.now()).await.unwrap();
    }

    /// The SLO of a group burns no more.
    async fn recovers(&self, group: &str) {
        let command = Command::Clear { alert: AlertKey::Budget(budget_id("availability", group)) };
        decided(&self.daemon().handle.store, &self.config, command, &Actor::Daemon, self.clock.now()).await.unwrap();
    }

    async fn does(&self, command: Command) -> Answer {
        let by = Actor::Person { name: "ana".into(), via: burnward_core::incident::Via::Web };
        self.daemon().handle.command(&tenant(), &fault_key().incident(1), command, by).await.unwrap()
    }

    async fn ticks(&self, seconds: u64) {
        for _ in 0..seconds {
            self.daemon().deliver.tick(self.clock.now()).await;
            self.clock.advance(Duration::from_secs(1));
            self.slack.advance_clock(Duration::from_secs(1));
        }
    }

    async fn incident(&self) -> Incident {
        self.daemon().handle.store.incident(&tenant(), &fault_key().incident(1)).await.unwrap().unwrap().incident
    }

    /// What was posted into the team's channel.
    fn posts(&self) -> Vec<Entry> {
        self.entries("chat.postMessage").into_iter().filter(|entry| entry.channel == self.channel).collect()
    }

    fn entries(&self, method: &str) -> Vec<Entry> {
        self.slack.journal().into_iter().filter(|entry| entry.method == method).collect()
    }

    async fn root_outcome(&self) -> PageOutcome {
        self.incident().await.root_page().unwrap().1.outcome.clone()
    }
}

fn config(slack: &SlackStandIn, directory: &std::path::Path) -> Config {
    let person = |name: &str| Recipient::Person(PersonName::parse(name).unwrap());
    let step = |to: Recipient| Step { page: vec![to], acknowledge_within: minutes(5) };
    let name = TeamName::parse("payments").unwrap();
    let escalation = vec![step(person("ana")), step(Recipient::Channel("#payments-leads".into()))];
    let team = Team { name: name.clone(), channel: "#payments-oncall".into(), escalation };
    Config {
        teams: BTreeMap::from([(name, team)]),
        people: BTreeMap::from([(PersonName::parse("ana").unwrap(), Person { email: Some("ana@example.com".into()), slack: None })]),
        slack: Some(SlackConfig {
            api_url: Some(slack.api_url()),
            bot_token_file: directory.join("bot"),
            app_token_file: Some(directory.join("app")),
            signing_secret_file: None,
        }),
        ..base_config()
    }
}

/// A command to the one fault of these tests: handled by the core, committed with its messages.
async fn decided(store: &Store, config: &Config, command: Command, by: &Actor, now: Timestamp) -> Result<Answer, RequestError> {
    let fault = fault_key();
    let before = store.incident(&tenant(), &fault.incident(1)).await.unwrap().map(|stored| stored.incident);
    let tenant = tenant();
    let scope = Scope { tenant: &tenant, team: config.teams.values().next().unwrap(), ordinal: 1 };
    let answer = handle(before.as_ref(), &command, by, &scope, now);
    if let Answer::Events(facts) = &answer
        && let Some((incident, events)) = record(before, facts.clone(), by, &scope, now)
    {
        let messages = messages(&incident, &events);
        let new = |event| NewEvent { incident: incident.id.clone(), fault: fault.clone(), ordinal: 1, event, phase: phase(&incident) };
        let events = events.into_iter().map(new).collect();
        let commit = Commit { events, messages, ..Commit::empty(tenant.clone(), now) };
        store.commit(&commit).await.map_err(|error| RequestError::Store(error.to_string()))?;
    }
    Ok(answer)
}

fn phase(incident: &Incident) -> &'static str {
    match incident.phase {
        Phase::Open => "open",
        Phase::Acknowledged { .. } => "acknowledged",
        Phase::Resolved { .. } => "resolved",
    }
}

/// The deciding task of these tests.
async fn decide(store: Store, clock: Clock, config: Arc<Config>, mut mailbox: mpsc::Receiver<Request>) {
    while let Some(request) = mailbox.recv().await {
        if let Request::Incident { command, by, reply, .. } = request {
            let _ = reply.send(decided(&store, &config, command, &by, clock.now()).await);
        }
    }
}

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

fn error(code: &str) -> FaultKind {
    FaultKind::Error { code: code.into() }
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
