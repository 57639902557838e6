//! Delivery against the Slack stand-in: what its journal holds, whatever the client was told, is what people saw.

mod faults;
mod order;
mod posts;
mod reports;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

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

fn error(code: &str) -> FaultKind {
    FaultKind::Error { code: code.into() }
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
            on_disk: None,
            metrics: Metrics::default(),
            requests,
            wake_delivery: Arc::default(),
            sources: Arc::default(),
            loaded: Arc::default(),
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
