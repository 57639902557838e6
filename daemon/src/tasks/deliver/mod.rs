//! Delivery: what is owed goes out, in the order of each destination, pages before what informs, at least once. Everything is read from the outbox
//! anew, so that a restart and an ordinary day are one path; an attempt is committed before it is made.
//!
//! Each destination has a worker of its own for as long as something is due to it, so that one that hangs delays no other.

mod attempt;
mod compose;
mod follow;
mod operators;
mod report;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use burnward_core::{
    id::{IncidentId, PageId, TenantId},
    incident::MessageKind,
    time::Timestamp,
};
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use self::attempt::Next;
use crate::{app::Handle, notify::slack::Slack, render::Renderer, store::Owed};

/// Most messages that are looked at at a time.
const MAX_DUE: usize = 2_000;
/// Most workers at a time.
const MAX_WORKERS: usize = 32;
/// Most rounds of one `tick`; a message that is due again at once must not keep it for ever.
const MAX_ROUNDS: usize = 1_000;
/// Most identities that are remembered for saying a thing once.
const MAX_REMEMBERED: usize = 10_000;

/// The delivery; a handle that is cheap to clone.
#[derive(Debug, Clone)]
pub struct Deliver(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    renderer: Renderer,
    slack: Option<Slack>,
    workers: TaskTracker,
    state: Mutex<State>,
}

/// What stored state rebuilds, or what a restart may forget.
#[derive(Debug, Default)]
struct State {
    /// Destinations that a worker serves now.
    busy: BTreeSet<String>,
    /// Destinations that are left alone until then, so that order holds while one message waits.
    held: BTreeMap<String, Timestamp>,
    /// Messages that wait because an attempt failed, and not because Slack said how long, with their destinations.
    backing_off: BTreeMap<PageId, (TenantId, String)>,
    /// True once those that wait since before the start are among them.
    recalled: bool,
    /// Messages that were looked for once.
    looked: BTreeSet<PageId>,
    /// Messages of which was said that there is no way to deliver them.
    said: BTreeSet<PageId>,
    /// Faults of texts of which the operators were told.
    told: BTreeSet<PageId>,
    /// True while the operators are being told.
    telling: bool,
    /// True while reports are being sent.
    reporting: bool,
}

impl Deliver {
    /// The delivery through Slack; without it everything stays owed.
    pub fn new(handle: Handle, renderer: Renderer, slack: Option<Slack>) -> Self {
        Self(Arc::new(Inner { handle, renderer, slack, workers: TaskTracker::new(), state: Mutex::default() }))
    }

    /// Delivers what is due, and waits for it.
    pub async fn tick(&self, now: Timestamp) {
        for _ in 0..MAX_ROUNDS {
            let started = self.start(now).await;
            self.idle().await;
            if started == 0 {
                return;
            }
        }
    }

    /// Starts a worker for each destination that something is due to and that has none; how many.
    pub async fn start(&self, now: Timestamp) -> usize {
        self.tell_operators();
        self.start_reports(now);
        let free = self.0.state().free(now);
        match self.0.handle.store.due_messages(now, MAX_DUE).await {
            Ok(due) if self.0.slack.is_none() => self.say_undeliverable(&due),
            Ok(due) => self.spawn(by_destination(due), &free),
            Err(error) => {
                error!(%error, "the outbox cannot be read, nothing is delivered");
                0
            }
        }
    }

    /// Waits until no worker runs.
    pub async fn idle(&self) {
        self.0.workers.close();
        self.0.workers.wait().await;
        self.0.workers.reopen();
    }

    /// Starts workers for the destinations that were free before the outbox was read: what a worker had not finished then is not seen twice.
    fn spawn(&self, destinations: Vec<(String, Vec<Owed>)>, free: &Free) -> usize {
        let mut started = 0;
        for (destination, owed) in destinations {
            if self.0.state().take(&destination, free) {
                let inner = self.0.clone();
                self.0.workers.spawn(async move { inner.work(destination, owed).await });
                started += 1;
            }
        }
        started
    }

    /// Without Slack pages stay owed and are shown as undelivered; the log says so once for each.
    fn say_undeliverable(&self, due: &[Owed]) -> usize {
        let mut state = self.0.state();
        for owed in due.iter().filter(|owed| owed.message.kind.is_page()) {
            if state.said.len() < MAX_REMEMBERED && state.said.insert(owed.message.id.clone()) {
                error!(page = %owed.message.id, incident = %owed.message.incident, to = %owed.message.to,
                    "a page cannot be delivered, because no Slack is configured; it stays owed");
            }
        }
        0
    }
}

/// Which destinations may get a worker.
#[derive(Debug)]
struct Free {
    busy: BTreeSet<String>,
    held: BTreeSet<String>,
}

impl State {
    fn free(&mut self, now: Timestamp) -> Free {
        self.held.retain(|_, until| *until > now);
        Free { busy: self.busy.clone(), held: self.held.keys().cloned().collect() }
    }

    fn take(&mut self, destination: &str, free: &Free) -> bool {
        let available = self.busy.len() < MAX_WORKERS && !free.busy.contains(destination) && !free.held.contains(destination);
        available && self.busy.insert(destination.to_owned())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers the pages of a destination in order, then at most one message that informs: after each of those, pages may have come.
    async fn work(&self, destination: String, owed: Vec<Owed>) {
        let (pages, informs): (Vec<Owed>, Vec<Owed>) = owed.into_iter().partition(|owed| owed.message.kind.is_page());
        for owed in pages.iter().chain(informs.first()) {
            match self.attempt(owed).await {
                Ok(Next::Go) => {}
                Ok(Next::Hold { until }) => {
                    self.state().held.insert(destination.clone(), until);
                    break;
                }
                Err(error) => {
                    warn!(page = %owed.message.id, incident = %owed.message.incident, %error, "a message waits, because the store does");
                    let until = self.handle.clock.now().plus(attempt::STORE_PAUSE);
                    self.state().held.insert(destination.clone(), until);
                    break;
                }
            }
        }
        self.state().busy.remove(&destination);
    }
}

/// Where a message goes, as far as order matters: edits of an incident are apart from its posts.
fn destination_of(owed: &Owed) -> String {
    match owed.message.kind {
        MessageKind::Edit => format!("edits of {} {}", owed.tenant, owed.message.incident),
        MessageKind::Root | MessageKind::Again | MessageKind::Direct | MessageKind::Thread { .. } => owed.message.to.to_string(),
    }
}

/// The due messages by destination, each in order, the destination of the most pressing page first. Edits are a destination of their own for each
/// incident, so that no post waits for them; those of an incident whose root is only due itself come after it.
fn by_destination(due: Vec<Owed>) -> Vec<(String, Vec<Owed>)> {
    let rooted = |owed: &Owed| (owed.message.kind == MessageKind::Root).then(|| owed.message.incident.clone());
    let rooted: BTreeSet<IncidentId> = due.iter().filter_map(rooted).collect();
    let mut destinations: Vec<(String, Vec<Owed>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for owed in due {
        if owed.message.kind == MessageKind::Edit && rooted.contains(&owed.message.incident) {
            continue;
        }
        let destination = destination_of(&owed);
        let place = *places.entry(destination.clone()).or_insert(destinations.len());
        match destinations.get_mut(place) {
            Some((_, messages)) => messages.push(owed),
            None => destinations.push((destination, vec![owed])),
        }
    }
    destinations
}

#[cfg(test)]
mod tests;
