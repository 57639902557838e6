//! What the server holds: the workspace, the journal, the standing faults, the sockets. One lock, never held over an await.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    clock::Clock, fault::FaultBook, interact::Interactions, journal::Journal, limits::Limits, socket::Sockets, wire::Gate, world::World,
};

/// Tokens, scopes and switches: fixed at start.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// `http://127.0.0.1:port`.
    pub(super) base_url: String,
    pub(super) bot_token: String,
    pub(super) app_token: String,
    pub(super) signing_secret: String,
    pub(super) scopes: Vec<String>,
    pub(super) interactions_url: Option<String>,
    pub(super) rate_limits: bool,
    pub(super) ack_within: Duration,
}

impl Settings {
    pub(super) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// Everything that changes.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) world: World,
    pub(super) journal: Journal,
    pub(super) faults: FaultBook,
    pub(super) limits: Limits,
    pub(super) sockets: Sockets,
    pub(super) interactions: Interactions,
}

/// The server's shared state.
#[derive(Debug)]
pub(super) struct Shared {
    office: Mutex<Office>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) gate: Gate,
    pub(super) client: reqwest::Client,
    pub(super) stop: CancellationToken,
    version: watch::Sender<u64>,
}

impl Shared {
    pub(super) fn new(office: Office, settings: Settings, gate: Gate, client: reqwest::Client) -> Self {
        Self {
            office: Mutex::new(office),
            settings,
            clock: Clock::default(),
            gate,
            client,
            stop: CancellationToken::new(),
            version: watch::Sender::new(0),
        }
    }

    /// Reads.
    pub(super) fn look<T>(&self, with: impl FnOnce(&Office) -> T) -> T {
        with(&self.office.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something that nobody needs to be told of.
    pub(super) fn quietly<T>(&self, with: impl FnOnce(&mut Office, Timestamp) -> T) -> T {
        let now = self.clock.now();
        with(&mut self.office.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    /// Does something and wakes those who wait for news.
    pub(super) fn change<T>(&self, with: impl FnOnce(&mut Office, Timestamp) -> T) -> T {
        let done = self.quietly(with);
        self.version.send_modify(|version| *version += 1);
        done
    }

    /// A watch on the number of changes.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }
}
