//! One message, one attempt: look back where an earlier one may have arrived, ask whether it is still wanted, send, and record what came of it.

use std::time::Duration;

use burnward_core::{
    incident::{Actor, Answer, Command, Incident, Message, MessageKind, MessageRef, PageOutcome, Wanted, is_outdated, still_wanted},
    oncall::Recipient,
    time::{Timestamp, hours},
};
use tracing::{error, info, warn};

use super::{Inner, MAX_REMEMBERED, destination_of};
use crate::{
    app::RequestError,
    metrics::PageResult,
    notify::{
        PermanentClass, Sent,
        slack::{Body, LookedBack, Place, Slack, Thread},
    },
    store::{AttemptOutcome, NOT_SENT, Owed, PostWords, StoreError, StoredIncident},
};

/// How long a destination waits where the store could not say or keep something.
pub(super) const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait between two attempts.
const MAX_BACKOFF: Duration = Duration::from_mins(1);
/// How long after an attempt of unknown outcome, and after the first look, Slack is asked.
pub(super) const LOOK_AFTER: Duration = Duration::from_millis(1_500);
/// How long a message waits for the root of its thread.
const ROOT_PAUSE: Duration = Duration::from_secs(5);
/// After how long what only informs is no longer worth sending.
const INFORM_FOR: Duration = hours(6);

/// What the worker does after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The next message.
    Go,
    /// Nothing more to this destination until then, so that order holds.
    Hold {
        /// When.
        until: Timestamp,
    },
}

/// Where a message goes, and into which thread.
pub(super) struct Way {
    place: Place,
    thread: Option<Thread>,
    /// For an edit: the message.
    pub(super) edits: Option<MessageRef>,
}

/// What is known of the way.
enum Route {
    Open(Box<Way>),
    /// There is no way, and will be none; what came of it instead.
    Closed(Sent),
    /// The root of the thread has not arrived yet.
    NoRoot,
    /// The root of the thread will never arrive.
    RootLost,
}

/// What a look-back says.
enum Looked {
    Arrived(MessageRef),
    Again,
    Resend,
}

impl Inner {
    /// Handles one message that is due.
    pub(super) async fn attempt(&self, owed: &Owed) -> Result<Next, StoreError> {
        let Some(slack) = &self.slack else { return Ok(Next::Go) };
        let Some(stored) = self.handle.store.incident(&owed.tenant, &owed.message.incident).await? else {
            return self.end(owed, "its incident is not in the store").await;
        };
        if let MessageKind::Thread { seq, .. } = owed.message.kind
            && is_outdated(&stored.events, seq)
        {
            return self.end(owed, "it says that something is over which has come back since").await;
        }
        let way = match self.route(slack, owed, &stored.incident).await? {
            Route::Open(way) => way,
            Route::Closed(sent) => return self.closed(owed, sent).await,
            Route::NoRoot => return self.wait(owed, ROOT_PAUSE, "the root of its thread has not arrived yet").await,
            Route::RootLost => return self.end(owed, "the root of its thread cannot arrive").await,
        };
        let mark = match self.looked(slack, owed, &way).await {
            None => Mark::None,
            Some(Looked::Resend) => Mark::Repeat,
            Some(Looked::Again) => return self.unknown(owed, "it was not found at the first look").await,
            Some(Looked::Arrived(at)) => return self.settle(owed, Sent::Delivered(at), Mark::None).await,
        };
        if mark == Mark::Repeat && !owed.message.kind.is_page() {
            return self.end(owed, "it may have arrived, and informs only").await;
        }
        match still_wanted(&stored.incident, &owed.message, self.handle.clock.now()) {
            Wanted::Yes | Wanted::AsDigest => self.send(slack, owed, &stored, *way, mark).await,
            Wanted::No { reason } => self.undeliverable(owed, format!("{NOT_SENT}{reason}")).await,
        }
    }

    /// Where the way to somebody could not be asked for counts as an attempt, so that the next one waits longer.
    async fn closed(&self, owed: &Owed, sent: Sent) -> Result<Next, StoreError> {
        if self.handle.store.begin_attempt(&owed.tenant, &owed.message.id, self.handle.clock.now()).await? {
            self.settle(owed, sent, Mark::None).await
        } else {
            Ok(Next::Go)
        }
    }

    async fn route(&self, slack: &Slack, owed: &Owed, incident: &Incident) -> Result<Route, StoreError> {
        let message = &owed.message;
        match &message.kind {
            MessageKind::Root | MessageKind::Direct => Ok(match self.place(slack, message).await {
                Ok(place) => Route::Open(Box::new(Way { place, thread: None, edits: None })),
                Err(sent) => Route::Closed(sent),
            }),
            MessageKind::Again => self.route_again(slack, owed).await,
            MessageKind::Thread { broadcast, .. } => self.route_below_root(owed, incident, Below::Thread { broadcast: *broadcast }).await,
            MessageKind::Edit => self.route_below_root(owed, incident, Below::Edit).await,
        }
    }

    async fn place(&self, slack: &Slack, message: &Message) -> Result<Place, Sent> {
        match &message.to {
            Recipient::Channel(name) => Ok(slack.channel(name).await),
            Recipient::Person(name) => slack.direct(name, &self.handle.config).await,
        }
    }

    /// A page goes into the thread where there is one, and does not wait for it.
    async fn route_again(&self, slack: &Slack, owed: &Owed) -> Result<Route, StoreError> {
        let root = self.handle.store.root_message(&owed.tenant, &owed.message.incident).await?;
        Ok(match root {
            Some(root) => Route::Open(Box::new(in_thread(root, true))),
            None => match self.place(slack, &owed.message).await {
                Ok(place) => Route::Open(Box::new(Way { place, thread: None, edits: None })),
                Err(sent) => Route::Closed(sent),
            },
        })
    }

    async fn route_below_root(&self, owed: &Owed, incident: &Incident, below: Below) -> Result<Route, StoreError> {
        let root = self.handle.store.root_message(&owed.tenant, &owed.message.incident).await?;
        Ok(match (root, below) {
            (Some(root), Below::Thread { broadcast }) => Route::Open(Box::new(in_thread(root, broadcast))),
            (Some(root), Below::Edit) => {
                let place = Place { channel: root.channel.clone(), identified: true };
                Route::Open(Box::new(Way { place, thread: None, edits: Some(root) }))
            }
            (None, Below::Thread { .. } | Below::Edit) if root_is_lost(incident) => Route::RootLost,
            (None, Below::Thread { .. } | Below::Edit) => Route::NoRoot,
        })
    }

    /// Looks for a message that may have arrived; `None` where none can have. An edit is the same however often it is made.
    async fn looked(&self, slack: &Slack, owed: &Owed, way: &Way) -> Option<Looked> {
        if !owed.ambiguous || way.edits.is_some() {
            return None;
        }
        let page = &owed.message.id;
        match slack.look_back(&way.place, way.thread.as_ref(), page).await {
            LookedBack::Found(at) => Some(Looked::Arrived(at)),
            LookedBack::NotFound => {
                let mut state = self.state();
                if state.looked.len() >= MAX_REMEMBERED {
                    state.looked.clear();
                }
                let first = state.looked.insert(page.clone());
                Some(if first { Looked::Again } else { Looked::Resend })
            }
            LookedBack::Impossible(reason) => {
                warn!(%page, reason, "whether a message arrived cannot be looked up");
                Some(Looked::Resend)
            }
        }
    }

    /// Sends it: committed as begun before anything leaves.
    async fn send(&self, slack: &Slack, owed: &Owed, stored: &StoredIncident, way: Way, mark: Mark) -> Result<Next, StoreError> {
        if way.edits.is_some() {
            return self.follow(slack, owed, way).await;
        }
        let (body, words) = self.body(slack, owed, stored, mark).await?;
        slack.turn(&way.place).await;
        if !self.begin(owed, words).await? {
            return Ok(Next::Go);
        }
        let sent = self.made(slack, owed, &way, &body).await;
        self.settle(owed, sent, mark).await
    }

    pub(super) async fn begin(&self, owed: &Owed, words: Option<PostWords>) -> Result<bool, StoreError> {
        let (store, now) = (&self.handle.store, self.handle.clock.now());
        match words {
            Some(words) => store.begin_post(&owed.tenant, &owed.message.id, words, now).await,
            None => store.begin_attempt(&owed.tenant, &owed.message.id, now).await,
        }
    }

    /// One call, and another in plain text or beside what is gone where Slack refuses it.
    pub(super) async fn made(&self, slack: &Slack, owed: &Owed, way: &Way, body: &Body) -> Sent {
        let mut sent = once(slack, way, body).await;
        if is_class(&sent, PermanentClass::Content) && !body.blocks.is_empty() {
            error!(page = %owed.message.id, reason = reason(&sent), "Slack refuses a message as we built it, plain text is sent");
            sent = once(slack, way, &body.plain()).await;
        }
        if is_class(&sent, PermanentClass::MessageGone) {
            sent = self.beside_what_is_gone(slack, owed, way, body, sent).await;
        }
        sent
    }

    /// Where the root is gone a new one is posted; a page whose thread is gone goes to the channel; what only informs ends.
    async fn beside_what_is_gone(&self, slack: &Slack, owed: &Owed, way: &Way, body: &Body, sent: Sent) -> Sent {
        match &owed.message.kind {
            MessageKind::Edit | MessageKind::Again => {
                warn!(page = %owed.message.id, incident = %owed.message.incident, "the root is gone from Slack, the incident is posted anew");
                slack.turn(&way.place).await;
                slack.post(&way.place, None, body).await
            }
            MessageKind::Root | MessageKind::Direct | MessageKind::Thread { .. } => sent,
        }
    }

    /// Records what came of an attempt.
    pub(super) async fn settle(&self, owed: &Owed, sent: Sent, mark: Mark) -> Result<Next, StoreError> {
        match sent {
            Sent::Delivered(at) => self.delivered(owed, at, mark).await,
            Sent::Retry { after, reason } => self.retry(owed, after, &reason).await,
            Sent::Ambiguous { reason } => self.unknown(owed, &reason).await,
            Sent::Permanent { reason, class: PermanentClass::App } => self.retry(owed, Some(MAX_BACKOFF), &reason).await,
            Sent::Permanent { reason, class: PermanentClass::Destination | PermanentClass::Content | PermanentClass::MessageGone } => {
                self.undeliverable(owed, reason).await
            }
        }
    }

    async fn delivered(&self, owed: &Owed, at: MessageRef, mark: Mark) -> Result<Next, StoreError> {
        self.state().looked.remove(&owed.message.id);
        if owed.message.kind.is_page() {
            let command = Command::Delivered { page: owed.message.id.clone(), at: at.clone(), maybe_repeat: mark == Mark::Repeat };
            if let Some(next) = self.tell(owed, command).await? {
                return Ok(next);
            }
            info!(page = %owed.message.id, incident = %owed.message.incident, to = %owed.message.to, "page delivered");
            self.handle.metrics.page_delivered(owed.decided_at, self.handle.clock.now());
        }
        self.finish(owed, AttemptOutcome::Delivered(at)).await?;
        self.end_of_backing_off().await?;
        Ok(Next::Go)
    }

    /// Slack answers: what waits because it did not is tried at once, the oldest first.
    async fn end_of_backing_off(&self) -> Result<(), StoreError> {
        let mut waiting = std::mem::take(&mut self.state().backing_off);
        if !std::mem::replace(&mut self.state().recalled, true) {
            let before = self.handle.store.backing_off(MAX_REMEMBERED).await?;
            waiting.extend(before.into_iter().map(|owed| (owed.message.id.clone(), (owed.tenant.clone(), destination_of(&owed)))));
        }
        for (page, (tenant, destination)) in waiting {
            self.handle.store.due_again(&tenant, &page).await?;
            self.state().held.remove(&destination);
        }
        Ok(())
    }

    async fn undeliverable(&self, owed: &Owed, reason: String) -> Result<Next, StoreError> {
        self.count(owed, PageResult::undeliverable);
        if owed.message.kind.is_page() {
            warn!(page = %owed.message.id, incident = %owed.message.incident, to = %owed.message.to, reason, "page not delivered");
            let command = Command::Undeliverable { page: owed.message.id.clone(), reason: reason.clone() };
            if let Some(next) = self.tell(owed, command).await? {
                return Ok(next);
            }
        }
        self.end(owed, &reason).await
    }

    /// Sends the outcome to the incident, which commits it with the outbox; `Some` where that has to wait.
    async fn tell(&self, owed: &Owed, command: Command) -> Result<Option<Next>, StoreError> {
        match self.handle.command(&owed.tenant, &owed.message.incident, command, Actor::Daemon).await {
            Ok(Answer::Events(_) | Answer::Already { .. }) | Err(RequestError::NotFound(_)) => Ok(None),
            Err(error @ (RequestError::Store(_) | RequestError::Refused(_) | RequestError::NoExclusion(_) | RequestError::Stopping)) => {
                let until = self.handle.clock.now().plus(STORE_PAUSE);
                let reason = format!("what came of it could not be committed: {error}");
                self.finish(owed, AttemptOutcome::Ambiguous { at: until, reason }).await?;
                Ok(Some(Next::Hold { until }))
            }
        }
    }

    async fn retry(&self, owed: &Owed, after: Option<Duration>, reason: &str) -> Result<Next, StoreError> {
        if !owed.message.kind.is_page() && self.handle.clock.now().since(owed.decided_at) > INFORM_FOR {
            return self.end(owed, reason).await;
        }
        warn!(page = %owed.message.id, incident = %owed.message.incident, to = %owed.message.to, attempts = owed.attempts + 1, reason, "a message did not arrive, it is tried again");
        self.count(owed, PageResult::retried);
        if after.is_none() && self.state().backing_off.len() < MAX_REMEMBERED {
            self.state().backing_off.insert(owed.message.id.clone(), (owed.tenant.clone(), destination_of(owed)));
        }
        self.wait(owed, pause(after, owed.attempts), reason).await
    }

    fn count(&self, owed: &Owed, result: PageResult) {
        if owed.message.kind.is_page() {
            self.handle.metrics.page_attempt(result);
        }
    }

    async fn wait(&self, owed: &Owed, pause: Duration, reason: &str) -> Result<Next, StoreError> {
        let at = self.handle.clock.now().plus(pause);
        self.finish(owed, AttemptOutcome::Retry { at, reason: reason.to_owned() }).await?;
        Ok(Next::Hold { until: at })
    }

    async fn unknown(&self, owed: &Owed, reason: &str) -> Result<Next, StoreError> {
        warn!(page = %owed.message.id, incident = %owed.message.incident, to = %owed.message.to, reason, "whether a message arrived is not known, Slack is asked");
        self.count(owed, PageResult::ambiguous);
        let at = self.handle.clock.now().plus(LOOK_AFTER);
        self.finish(owed, AttemptOutcome::Ambiguous { at, reason: reason.to_owned() }).await?;
        Ok(Next::Hold { until: at })
    }

    pub(super) async fn end(&self, owed: &Owed, reason: &str) -> Result<Next, StoreError> {
        self.finish(owed, AttemptOutcome::Dropped { reason: reason.to_owned() }).await?;
        Ok(Next::Go)
    }

    async fn finish(&self, owed: &Owed, outcome: AttemptOutcome) -> Result<(), StoreError> {
        self.handle.store.finish_attempt(&owed.tenant, &owed.message.id, outcome, self.handle.clock.now()).await
    }
}

/// What hangs below the root.
#[derive(Clone, Copy)]
enum Below {
    Thread { broadcast: bool },
    Edit,
}

/// Whether a message says that it may be a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    Repeat,
}

async fn once(slack: &Slack, way: &Way, body: &Body) -> Sent {
    match &way.edits {
        Some(message) => slack.edit(message, body).await,
        None => slack.post(&way.place, way.thread.as_ref(), body).await,
    }
}

fn in_thread(root: MessageRef, broadcast: bool) -> Way {
    let place = Place { channel: root.channel, identified: true };
    Way { place, thread: Some(Thread { root: root.ts, broadcast }), edits: None }
}

fn root_is_lost(incident: &Incident) -> bool {
    match incident.root_page().map(|(_, page)| &page.outcome) {
        Some(PageOutcome::Undeliverable { .. }) | None => true,
        Some(PageOutcome::Owed | PageOutcome::Delivered { .. }) => false,
    }
}

pub(super) fn is_class(sent: &Sent, wanted: PermanentClass) -> bool {
    match sent {
        Sent::Permanent { class, .. } => *class == wanted,
        Sent::Delivered(_) | Sent::Retry { .. } | Sent::Ambiguous { .. } => false,
    }
}

pub(super) fn reason(sent: &Sent) -> &str {
    match sent {
        Sent::Permanent { reason, .. } | Sent::Retry { reason, .. } | Sent::Ambiguous { reason } => reason,
        Sent::Delivered(_) => "",
    }
}

/// How long until the next attempt: as Slack asks, else doubling from a second; never longer than a minute.
pub(super) fn pause(after: Option<Duration>, attempts: u32) -> Duration {
    let doubling = Duration::from_secs(1 << attempts.min(6));
    after.unwrap_or(doubling).clamp(Duration::from_secs(1), MAX_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_at_most_a_minute_apart() {
        let seconds = |after: Option<u64>, attempts| pause(after.map(Duration::from_secs), attempts).as_secs();
        assert_eq!([0, 1, 2, 5, 6, 1000].map(|attempts| seconds(None, attempts)), [1, 2, 4, 32, 60, 60]);
        assert_eq!([0, 7, 30, 86_400].map(|after| seconds(Some(after), 9)), [1, 7, 30, 60]);
    }
}
