//! Notifiers: how a message reaches people. A notifier renders nothing and decides nothing; it sends one attempt and says what came of it.

use std::time::Duration;

use burnward_core::incident::MessageRef;

pub mod slack;

/// What came of one attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It arrived.
    Delivered(MessageRef),
    /// It surely did not arrive; worth another try, not before `after`.
    Retry {
        /// How long to wait at least; `None`: as the backoff says.
        after: Option<Duration>,
        /// Why, in a sentence.
        reason: String,
    },
    /// It cannot arrive there; another way must be found.
    Permanent {
        /// Why, in a sentence.
        reason: String,
        /// What is wrong.
        class: PermanentClass,
    },
    /// It may have arrived.
    Ambiguous {
        /// Why, in a sentence.
        reason: String,
    },
}

/// Classes of permanent failures, SLACK.md 2.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermanentClass {
    /// The channel or person is gone or closed to us.
    Destination,
    /// What we sent is not acceptable: send plain text.
    Content,
    /// The app or its token is dead.
    App,
    /// The message to edit is gone: post anew.
    MessageGone,
}
