//! How the connection to Slack is.

use std::sync::{Mutex, PoisonError};

use super::classify::CallError;

/// How the connection is, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlackStatus {
    /// What is wrong with calls; `None` where the last one went well, or none was made.
    pub trouble: Option<String>,
    /// How Socket Mode is.
    pub socket: Socket,
}

/// How Socket Mode is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Socket {
    /// Not configured.
    #[default]
    Off,
    /// No connection yet, or not any more; it is being made.
    Connecting {
        /// What went wrong last.
        trouble: Option<String>,
    },
    /// Slack said hello on a connection.
    Connected,
}

/// The shared state behind it.
#[derive(Debug, Default)]
pub(super) struct Status(Mutex<SlackStatus>);

impl Status {
    pub(super) fn now(&self) -> SlackStatus {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A call ended so. What is wrong with one message is not wrong with the connection.
    pub(super) fn called(&self, error: Option<&CallError>) {
        let trouble = error.filter(|error| error.is_token() || !matches!(error, CallError::Refused { .. })).map(ToString::to_string);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).trouble = trouble;
    }

    pub(super) fn socket(&self, socket: Socket) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).socket = socket;
    }
}
