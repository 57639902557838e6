//! A Slack to develop, demonstrate and test against: one workspace with one app, on loopback, as strict as Slack's documents say.
//!
//! It has the Web API's methods that burnward uses (anything else is `unknown_method`), Socket Mode, signed interactions over HTTP, a
//! `response_url` for each click, a page for people (`/`), faults on order, a control API (`/_control/…`) and a journal of what was really
//! applied. It recognises no repeat as a repeat. docs/slack-stand-in.md lists each rule with its source and its test.
//!
//! ```no_run
//! # async fn shown() -> anyhow::Result<()> {
//! use burnward_stand_ins::slack::{Fault, FaultKind, Options, SlackStandIn};
//!
//! let slack = SlackStandIn::start(Options::default()).await?;
//! let ada = slack.add_user("Ada", "ada@example.com");
//! let channel = slack.add_channel("#payments-oncall");
//! slack.fault(Fault::next("chat.postMessage", FaultKind::ApplyThenReset))?;
//! println!("{} with {}", slack.api_url(), slack.bot_token());
//! # let _ = (ada, channel);
//! # Ok(())
//! # }
//! ```

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router, middleware,
    routing::{any, get, post},
};
use tokio::task::JoinHandle;

mod acts;
mod answer;
mod args;
mod blocks;
mod clock;
mod control;
mod entities;
mod fault;
mod http;
mod interact;
mod journal;
mod limits;
mod methods;
mod office;
mod page;
mod sign;
mod socket;
mod ts;
mod wire;
mod world;

pub use fault::{DisconnectReason, Fault, FaultError, FaultKind, RateLimitBody};
pub use interact::{Click, ClickError, Clicked};
pub use journal::Entry;
pub use sign::signature;

use acts::{ChannelChange, Saying};
use office::{Office, Settings, Shared};
use ts::Ts;
use wire::{Door, Gate, Scissors};
use world::{ConversationKind, MetadataView, World};

/// The bot scopes of the app's manifest.
pub const SCOPES: [&str; 12] = [
    "chat:write",
    "chat:write.public",
    "commands",
    "channels:history",
    "groups:history",
    "im:history",
    "channels:join",
    "channels:read",
    "groups:read",
    "users:read",
    "users:read.email",
    "im:write",
];

/// How the stand-in is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The scopes that the bot's token has.
    pub scopes: Vec<String>,
    /// Where clicks go, signed, while no socket is open: the app's interactions URL.
    pub interactions_url: Option<String>,
    /// Whether Slack's rate limits hold: one post a second per channel, and the tiers.
    pub rate_limits: bool,
    /// A file to which the journal is appended as JSON lines.
    pub journal_file: Option<PathBuf>,
    /// What faults with a probability are drawn from.
    pub seed: u64,
    /// How long an app may take to acknowledge a click; Slack says three seconds.
    pub ack_within: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            interactions_url: None,
            rate_limits: false,
            journal_file: None,
            seed: 1,
            ack_within: Duration::from_secs(3),
        }
    }
}

/// A running stand-in; it ends when dropped.
#[derive(Debug)]
pub struct SlackStandIn {
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl SlackStandIn {
    /// Starts it. Fails where the port is taken or the journal's file cannot be opened.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let gate = Gate::new();
        let door = Door::bind(options.listen, &gate).with_context(|| format!("the Slack stand-in cannot listen on {}", options.listen))?;
        let office = Office {
            world: World::new(),
            journal: journal::Journal::open(options.journal_file.as_deref()).await?,
            faults: fault::FaultBook::new(options.seed),
            limits: limits::Limits::default(),
            sockets: socket::Sockets::default(),
            interactions: interact::Interactions::default(),
        };
        let shared = Arc::new(Shared::new(office, settings(&door, options), gate, client()?));
        let server = tokio::spawn(serve(door, Arc::clone(&shared)));
        Ok(Self { shared, server })
    }

    /// The base of the Web API, without a trailing slash.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.shared.settings.base_url)
    }

    /// The page for people.
    pub fn web_url(&self) -> String {
        format!("{}/", self.shared.settings.base_url)
    }

    /// The bot's token, `xoxb-…`.
    pub fn bot_token(&self) -> &str {
        &self.shared.settings.bot_token
    }

    /// The app-level token for Socket Mode, `xapp-…`.
    pub fn app_token(&self) -> &str {
        &self.shared.settings.app_token
    }

    /// The secret that signs interactions over HTTP.
    pub fn signing_secret(&self) -> &str {
        &self.shared.settings.signing_secret
    }

    /// Adds a person and gives their id, `U…`; an e-mail address that is known keeps its person.
    pub fn add_user(&self, name: &str, email: &str) -> String {
        self.shared.change(|office, _| office.world.add_user(name, email))
    }

    /// Adds a public channel and gives its id, `C…`; a name that is known keeps its channel. The bot is no member until it joins: it may
    /// post there (`chat:write.public`), but not read.
    pub fn add_channel(&self, name: &str) -> String {
        self.shared.change(|office, now| office.world.add_channel(name, ConversationKind::Public, now))
    }

    /// Adds a private channel, which the bot does not see until it is invited.
    pub fn add_private_channel(&self, name: &str) -> String {
        self.shared.change(|office, now| office.world.add_channel(name, ConversationKind::Private, now))
    }

    /// Makes the bot a member of a channel.
    pub fn invite_bot(&self, channel: &str) {
        self.shared.change(|office, _| acts::change_channel(office, channel, ChannelChange::BotIsMember(true)));
    }

    /// Removes the bot from a channel.
    pub fn remove_bot(&self, channel: &str) {
        self.shared.change(|office, _| acts::change_channel(office, channel, ChannelChange::BotIsMember(false)));
    }

    /// Archives a channel.
    pub fn archive(&self, channel: &str) {
        self.shared.change(|office, _| acts::change_channel(office, channel, ChannelChange::Archived(true)));
    }

    /// Un-archives a channel.
    pub fn unarchive(&self, channel: &str) {
        self.shared.change(|office, _| acts::change_channel(office, channel, ChannelChange::Archived(false)));
    }

    /// A person writes into a channel; gives the message's `ts`, `None` where channel, person or thread does not exist.
    pub fn say(&self, channel: &str, user: &str, text: &str, thread_ts: Option<&str>) -> Option<String> {
        let saying =
            Saying { channel: channel.to_owned(), user: user.to_owned(), text: text.to_owned(), thread_ts: thread_ts.map(str::to_owned) };
        self.shared.change(|office, now| acts::say(office, saying, now)).map(|ts| ts.to_string())
    }

    /// A person deletes a message; whether there was one.
    pub fn delete_message(&self, channel: &str, ts: &str) -> bool {
        self.shared.change(|office, _| acts::delete(office, channel, ts))
    }

    /// A person (id or name) taps a button, and the app acknowledges it. The error says why it did not in `ack_within`, or what is missing.
    pub async fn click(&self, channel: &str, ts: &str, action_id: &str, user: &str) -> anyhow::Result<()> {
        let click =
            Click { channel: channel.to_owned(), ts: ts.to_owned(), action_id: action_id.to_owned(), user: user.to_owned(), option: None };
        match self.choose(click).await? {
            Clicked::Acknowledged => Ok(()),
            Clicked::Missed(reason) => anyhow::bail!("the click on {action_id} was not acknowledged: {reason}"),
        }
    }

    /// A person taps an element or chooses from a menu; ends when the app has acknowledged, or after `ack_within`.
    pub async fn choose(&self, click: Click) -> Result<Clicked, ClickError> {
        interact::click(&self.shared, click).await
    }

    /// What was applied so far, oldest first (the newest 100,000 entries).
    pub fn journal(&self) -> Vec<Entry> {
        self.shared.look(|office| office.journal.since(0).cloned().collect())
    }

    /// The same behind an entry, by its number.
    pub fn journal_after(&self, seq: u64) -> Vec<Entry> {
        self.shared.look(|office| office.journal.since(seq).cloned().collect())
    }

    /// The name of a conversation: `#payments-oncall`, or `@ada` of the one with a person; `None` where there is none.
    pub fn conversation(&self, channel: &str) -> Option<String> {
        self.shared.look(|office| {
            let conversation = office.world.conversation(channel)?;
            Some(format!("{}{}", if conversation.is_channel() { '#' } else { '@' }, conversation.name))
        })
    }

    /// A message as it stands now, as the Web API tells it with its metadata; `None` where there is none.
    pub fn message(&self, channel: &str, ts: &str) -> Option<serde_json::Value> {
        self.shared.look(|office| {
            let conversation = office.world.conversation(channel)?;
            let message = conversation.message(Ts::parse(ts)?)?;
            Some(office.world.message_json(conversation, message, MetadataView::All))
        })
    }

    /// The first entry that `wanted` takes: at once where it is there, else as soon as it comes; `None` after `within` of real time.
    pub async fn wait_for(&self, within: Duration, wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let mut news = self.shared.news();
        let found = async {
            loop {
                news.mark_unchanged();
                if let Some(entry) = self.shared.look(|office| office.journal.since(0).find(|entry| wanted(entry)).cloned()) {
                    return Some(entry);
                }
                news.changed().await.ok()?;
            }
        };
        tokio::time::timeout(within, found).await.ok().flatten()
    }

    /// Waits until this many sockets are open; whether it came so within `within` of real time.
    pub async fn wait_for_sockets(&self, count: usize, within: Duration) -> bool {
        let mut news = self.shared.news();
        let open = async {
            loop {
                news.mark_unchanged();
                if self.shared.look(|office| office.sockets.open_connections()) >= count || news.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(within, open).await.is_ok()
    }

    /// Orders a fault.
    pub fn fault(&self, fault: Fault) -> Result<(), FaultError> {
        self.shared.change(|office, _| office.faults.order(fault))
    }

    /// Withdraws every fault and takes connections again.
    pub fn clear_faults(&self) {
        acts::clear_faults(&self.shared);
    }

    /// From now on and for `span` of real time: open connections are reset, new ones refused.
    pub fn refuse_for(&self, span: Duration) {
        self.shared.gate.refuse_for(span);
    }

    /// Drops every socket without a close frame.
    pub fn drop_sockets(&self) {
        self.shared.quietly(|office, _| office.sockets.drop_all());
    }

    /// Says `disconnect` to every socket.
    pub fn disconnect_sockets(&self, reason: DisconnectReason) {
        self.shared.quietly(|office, _| office.sockets.disconnect_all(reason));
    }

    /// Moves Slack's clock ahead: `ts`, rate limits and the life of `response_url`s follow it.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.clock.advance(by);
    }

    /// Forgets messages, journal, faults and clicks; people and channels stay.
    pub fn reset(&self) {
        self.shared.change(|office, _| acts::reset(office));
        self.shared.gate.open();
    }

    /// Ends it: every connection is closed when this returns.
    pub async fn shutdown(mut self) {
        self.shared.stop.cancel();
        self.shared.gate.cut_everyone();
        if let Err(error) = (&mut self.server).await {
            tracing::warn!(%error, "the Slack stand-in did not end well");
        }
    }
}

impl Drop for SlackStandIn {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.gate.cut_everyone();
    }
}

fn settings(door: &Door, options: Options) -> Settings {
    Settings {
        base_url: format!("http://{}", door.address()),
        bot_token: "xoxb-stand-in-bot".to_owned(),
        app_token: "xapp-stand-in-app".to_owned(),
        signing_secret: "stand-in-signing-secret".to_owned(),
        scopes: options.scopes,
        interactions_url: options.interactions_url,
        rate_limits: options.rate_limits,
        ack_within: options.ack_within,
    }
}

/// For signed interactions. Slack follows no redirect there.
fn client() -> anyhow::Result<reqwest::Client> {
    // One provider for the process; whoever installed one first has done it for us.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(Duration::from_secs(10));
    client.build().context("the client for interactions cannot be built")
}

async fn serve(door: Door, shared: Arc<Shared>) {
    let stop = shared.stop.clone();
    let router = Router::new()
        .route("/api/{method}", any(http::api))
        .route("/link/", get(socket::link))
        .route("/actions/{team}/{trigger}/{secret}", post(http::respond))
        .merge(control::routes())
        .merge(page::routes())
        .layer(middleware::from_fn(crate::origin::only_own))
        .with_state(shared);
    let service = router.into_make_service_with_connect_info::<Scissors>();
    let serving = axum::serve(door, service);
    tokio::select! {
        result = async { serving.await } => {
            if let Err(error) = result {
                tracing::error!(%error, "the Slack stand-in stopped");
            }
        }
        () = stop.cancelled() => {}
    }
}
