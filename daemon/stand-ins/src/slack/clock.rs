//! The stand-in's own clock: the wall clock, moved ahead by hand where a test wants it. Everything that Slack stamps or lets expire reads it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// A wall clock that can be moved ahead.
#[derive(Debug, Default)]
pub(super) struct Clock {
    ahead: Mutex<SignedDuration>,
}

impl Clock {
    pub(super) fn now(&self) -> Timestamp {
        let ahead = *self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::now().checked_add(ahead).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock ahead; time never runs back, because `ts` must grow.
    pub(super) fn advance(&self, by: Duration) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let step = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        *ahead = ahead.checked_add(step).unwrap_or(SignedDuration::MAX);
    }
}

/// A time as RFC 3339 text in JSON.
pub(super) mod text {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in super::super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(time)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
