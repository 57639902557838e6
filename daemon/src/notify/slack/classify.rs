//! What an answer of Slack means for a message: the one table of error codes (docs.slack.dev, the pages of chat.postMessage, chat.update,
//! conversations.open and users.lookupByEmail).

use std::time::Duration;

use super::super::{PermanentClass, Sent};

/// Why a call has no answer that can be used. No text here holds a token or a body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection: refused, no such name, TLS. Surely nothing was applied.
    #[error("Slack cannot be reached: {0}")]
    NotReached(String),
    /// HTTP 429.
    #[error("Slack asks to wait{}", .0.map_or_else(String::new, |after| format!(" {} s", after.as_secs())))]
    RateLimited(Option<Duration>),
    /// `ok: false` with this code.
    #[error("Slack answered {code}{}", if .detail.is_empty() { String::new() } else { format!(" ({detail})") })]
    Refused {
        /// Slack's code.
        code: String,
        /// Its hints, at most 200 characters.
        detail: String,
    },
    /// It may have been applied: no answer in time, a connection that broke, a server error, an answer that is not Slack's.
    #[error("Slack gave no usable answer: {0}")]
    Unclear(String),
    /// The token file cannot be read.
    #[error("the Slack token cannot be read: {0}")]
    NoToken(String),
}

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Later.
    Wait,
    /// It may have been applied, by Slack's own words.
    Unclear,
    /// Never, for this reason.
    Permanent(PermanentClass),
}

/// The class of a code. An unknown one is taken as a refusal of what we sent: plain text is tried once, then another way.
pub fn class(code: &str) -> Class {
    match code {
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => Class::Wait,
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => Class::Unclear,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "is_inactive"
        | "user_not_found"
        | "users_not_found"
        | "user_disabled"
        | "user_not_visible"
        | "cannot_dm_bot"
        | "cant_invite"
        | "ekm_access_denied"
        | "no_permission"
        | "messages_tab_disabled" => Class::Permanent(PermanentClass::Destination),
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "missing_scope"
        | "accesslimited"
        | "access_denied"
        | "not_allowed_token_type"
        | "org_login_required"
        | "team_access_not_granted" => Class::Permanent(PermanentClass::App),
        "message_not_found"
        | "cant_update_message"
        | "edit_window_closed"
        | "thread_not_found"
        | "thread_locked"
        | "cannot_reply_to_message" => Class::Permanent(PermanentClass::MessageGone),
        _ if code.starts_with("restricted_action") => Class::Permanent(PermanentClass::Destination),
        _ => Class::Permanent(PermanentClass::Content),
    }
}

impl CallError {
    /// What the failure means for the message that was to be sent.
    pub fn into_sent(self) -> Sent {
        let reason = self.to_string();
        match self {
            Self::NotReached(_) => Sent::Retry { after: None, reason },
            Self::RateLimited(after) => Sent::Retry { after, reason },
            Self::NoToken(_) => Sent::Permanent { reason, class: PermanentClass::App },
            Self::Unclear(_) => Sent::Ambiguous { reason },
            Self::Refused { code, .. } => match class(&code) {
                Class::Wait => Sent::Retry { after: None, reason },
                Class::Unclear => Sent::Ambiguous { reason },
                Class::Permanent(class) => Sent::Permanent { reason, class },
            },
        }
    }

    /// What the failure of a call that sends nothing means for the message that it prepares: nothing of it can have arrived.
    pub fn into_unsent(self) -> Sent {
        match self.into_sent() {
            Sent::Ambiguous { reason } => Sent::Retry { after: None, reason },
            sent @ (Sent::Delivered(_) | Sent::Retry { .. } | Sent::Permanent { .. }) => sent,
        }
    }

    /// True where the token was not accepted, so that a new one may be.
    pub fn is_token(&self) -> bool {
        match self {
            Self::Refused { code, .. } => class(code) == Class::Permanent(PermanentClass::App) && code != "missing_scope",
            Self::NoToken(_) => true,
            Self::NotReached(_) | Self::RateLimited(_) | Self::Unclear(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codes: &[&str], expected: Class) {
        for code in codes {
            assert_eq!(class(code), expected, "{code}");
        }
    }

    #[test]
    fn every_code_of_the_contract_has_its_class() {
        check(&["ratelimited", "rate_limited", "message_limit_exceeded"], Class::Wait);
        check(&["internal_error", "fatal_error", "service_unavailable", "request_timeout"], Class::Unclear);
        let permanent = |class| Class::Permanent(class);
        check(
            &[
                "channel_not_found",
                "not_in_channel",
                "is_archived",
                "is_inactive",
                "user_not_found",
                "cant_invite",
                "ekm_access_denied",
                "no_permission",
            ],
            permanent(PermanentClass::Destination),
        );
        check(&["restricted_action", "restricted_action_read_only_channel"], permanent(PermanentClass::Destination));
        check(
            &[
                "invalid_blocks",
                "invalid_blocks_format",
                "msg_too_long",
                "msg_blocks_too_long",
                "no_text",
                "invalid_arguments",
                "metadata_too_large",
                "invalid_metadata_format",
            ],
            permanent(PermanentClass::Content),
        );
        check(
            &[
                "invalid_auth",
                "not_authed",
                "account_inactive",
                "token_revoked",
                "token_expired",
                "missing_scope",
                "accesslimited",
                "not_allowed_token_type",
                "org_login_required",
            ],
            permanent(PermanentClass::App),
        );
        check(&["message_not_found", "cant_update_message", "edit_window_closed"], permanent(PermanentClass::MessageGone));
        check(&["a_code_of_next_year"], permanent(PermanentClass::Content));
    }

    #[test]
    fn failures_without_a_code_mean_what_can_have_happened() {
        assert!(matches!(CallError::NotReached("refused".into()).into_sent(), Sent::Retry { after: None, .. }));
        assert!(matches!(CallError::Unclear("timeout".into()).into_sent(), Sent::Ambiguous { .. }));
        assert!(matches!(CallError::Unclear("timeout".into()).into_unsent(), Sent::Retry { .. }));
        let wait = Duration::from_secs(30);
        assert!(matches!(CallError::RateLimited(Some(wait)).into_sent(), Sent::Retry { after: Some(after), .. } if after == wait));
        assert!(matches!(CallError::NoToken("gone".into()).into_sent(), Sent::Permanent { class: PermanentClass::App, .. }));
    }
}
