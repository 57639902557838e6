//! Our own limiter, because the library's counts all channels as one: a message a second per channel, and edits of all messages together within
//! what a workspace allows (docs.slack.dev, apis/web-api/rate-limits).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How long apart calls are, and how long one may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Between two messages in one channel.
    pub channel: Duration,
    /// Between two edits in the workspace; `chat.update` allows 50 a minute.
    pub edit: Duration,
    /// Bound of a whole call.
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { channel: Duration::from_secs(1), edit: Duration::from_millis(1_200), call: Duration::from_secs(10) }
    }
}

/// Most places whose turn is remembered.
const MAX_PLACES: usize = 10_000;

/// Whose turn it is.
#[derive(Debug, Clone)]
pub(super) struct Turns {
    limits: Limits,
    next: Arc<Mutex<HashMap<String, Instant>>>,
}

impl Turns {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, next: Arc::default() }
    }

    /// Waits until a message may go to `channel`.
    pub(super) async fn message(&self, channel: &str) {
        tokio::time::sleep_until(self.take(channel, self.limits.channel)).await;
    }

    /// Waits until an edit may be made.
    pub(super) async fn edit(&self) {
        tokio::time::sleep_until(self.take("", self.limits.edit)).await;
    }

    /// Takes the next turn at a place, and says when it is.
    fn take(&self, place: &str, apart: Duration) -> Instant {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.len() >= MAX_PLACES {
            next.retain(|_, at| *at > now);
        }
        let turn = next.get(place).map_or(now, |at| (*at).max(now));
        next.insert(place.to_owned(), turn + apart);
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_channel_waits_its_second_and_others_do_not() {
        let turns = Turns::new(Limits::default());
        let first = turns.take("C1", turns.limits.channel);
        assert!(turns.take("C2", turns.limits.channel) < first + Duration::from_secs(1));
        assert_eq!(turns.take("C1", turns.limits.channel), first + Duration::from_secs(1));
        assert_eq!(turns.take("C1", turns.limits.channel), first + Duration::from_secs(2));
    }
}
