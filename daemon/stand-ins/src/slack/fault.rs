//! Faults on order: which call misbehaves, and how.

use std::fmt;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::methods::Method;

/// One way to misbehave. Names tell whether the call was applied before things went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The call is reset, and for this long the port refuses connections: a client surely has not delivered.
    Refuse {
        /// How long, in milliseconds of real time.
        millis: u64,
    },
    /// The connection is reset after the request was read; nothing is applied.
    ResetBefore,
    /// Applied, then the connection is reset.
    ApplyThenReset,
    /// Applied, then no answer until the client gives up.
    ApplyThenHang,
    /// Not applied, and no answer until the client gives up.
    Hang,
    /// Applied, then this HTTP status with a page of HTML.
    ApplyThenStatus {
        /// For example 500.
        status: u16,
    },
    /// Not applied: this HTTP status with a page of HTML.
    Status {
        /// For example 503.
        status: u16,
    },
    /// Not applied: HTTP 200 with HTML, as a captive portal answers.
    CaptivePortal,
    /// Applied: HTTP 200 whose JSON ends in the middle.
    TruncatedJson,
    /// Applied: HTTP 200, then a reset in the middle of the body.
    CutBody,
    /// Applied at once, answered after this delay.
    Slow {
        /// In milliseconds of real time.
        millis: u64,
    },
    /// Not applied: HTTP 429.
    RateLimit {
        /// The header's text as it shall stand, also nonsense; `None`: no header.
        retry_after: Option<String>,
        /// What the body looks like.
        body: RateLimitBody,
    },
    /// Not applied: `ok: false` with this code.
    Error {
        /// Any of Slack's codes, or an unknown one.
        code: String,
    },
    /// Applied, then `ok: false` with this code, as `internal_error` may come.
    ErrorApplied {
        /// Usually `internal_error` or `fatal_error`.
        code: String,
    },
    /// `conversations.history` and `.replies` do not show the newest messages yet.
    StaleHistory {
        /// How far behind, in seconds of the stand-in's clock.
        lag_seconds: u32,
    },
    /// `interactive`: the envelope is delivered twice.
    DuplicateEnvelope,
    /// `interactive`: the acknowledgement is not taken; the envelope comes again on the next connection.
    LoseAck,
    /// `interactive` over HTTP: the signature does not fit.
    BadSignature,
    /// `interactive` over HTTP: rightly signed for a time this far from now.
    SkewTimestamp {
        /// Seconds; negative is the past.
        seconds: i64,
    },
    /// `interactive`: every socket is dropped without a close frame instead of delivering; the envelope waits for the next connection.
    DropSocket,
    /// `interactive`: a `disconnect` with this reason instead of delivering; the envelope waits for the next connection.
    Disconnect {
        /// Why Slack hangs up.
        reason: DisconnectReason,
    },
}

impl FaultKind {
    /// Whether it is about the delivery of clicks, and not about API calls.
    pub(super) fn is_interactive(&self) -> bool {
        match self {
            Self::DuplicateEnvelope
            | Self::LoseAck
            | Self::BadSignature
            | Self::SkewTimestamp { .. }
            | Self::DropSocket
            | Self::Disconnect { .. } => true,
            Self::Refuse { .. }
            | Self::ResetBefore
            | Self::ApplyThenReset
            | Self::ApplyThenHang
            | Self::Hang
            | Self::ApplyThenStatus { .. }
            | Self::Status { .. }
            | Self::CaptivePortal
            | Self::TruncatedJson
            | Self::CutBody
            | Self::Slow { .. }
            | Self::RateLimit { .. }
            | Self::Error { .. }
            | Self::ErrorApplied { .. }
            | Self::StaleHistory { .. } => false,
        }
    }
}

/// Why an order for faults is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// A typing mistake would never hit.
    #[error("the stand-in has no method {0}; give a method's name, `interactive` or `*`")]
    UnknownMethod(String),
    /// Faults of calls and faults of clicks are different things.
    #[error("{kind:?} cannot happen to {method}")]
    WrongPlace {
        /// Where it was ordered.
        method: String,
        /// What was ordered.
        kind: FaultKind,
    },
    /// Not between 0 and 1.
    #[error("a probability lies between 0 and 1")]
    Probability,
    /// Too many stand already.
    #[error("{MOST_ORDERS} orders stand already; clear them first")]
    TooMany,
}

/// Bodies that a 429 comes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateLimitBody {
    /// `{"ok":false,"error":"ratelimited"}`.
    Json,
    /// Nothing, and no content type.
    Bare,
    /// Plain text.
    Text,
}

/// Reasons of a Socket Mode `disconnect` (docs.slack.dev, apis/events-api/using-socket-mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisconnectReason {
    /// The connection ends in about ten seconds.
    Warning,
    /// The connection ends now; open another.
    RefreshRequested,
    /// Socket Mode was switched off.
    LinkDisabled,
}

impl DisconnectReason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::LinkDisabled => "link_disabled",
        }
    }
}

/// An order for faults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// An API method, `interactive` for the delivery of a click, or `*` for every API method.
    pub method: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The first matching call that is hit; 1 is the next.
    #[serde(default = "first")]
    pub nth: u64,
    /// How many calls are hit; `None`: from now on.
    #[serde(default)]
    pub count: Option<u64>,
    /// Only calls for this channel (its id, or the name that the call carries).
    #[serde(default)]
    pub channel: Option<String>,
    /// Hit with this probability, drawn from the stand-in's seed; `None`: always.
    #[serde(default)]
    pub probability: Option<f64>,
}

fn first() -> u64 {
    1
}

impl Fault {
    /// The next call of `method` misbehaves, once.
    pub fn next(method: &str, kind: FaultKind) -> Self {
        Self { method: method.to_owned(), kind, nth: 1, count: Some(1), channel: None, probability: None }
    }

    /// Every call of `method` misbehaves from now on.
    pub fn from_now_on(method: &str, kind: FaultKind) -> Self {
        Self { count: None, ..Self::next(method, kind) }
    }

    /// Whether the order can ever be met.
    fn check(&self) -> Result<(), FaultError> {
        let known = self.method == "*" || self.method == INTERACTIVE || Method::named(&self.method).is_some();
        if !known {
            return Err(FaultError::UnknownMethod(self.method.clone()));
        }
        if (self.method == INTERACTIVE) != self.kind.is_interactive() {
            return Err(FaultError::WrongPlace { method: self.method.clone(), kind: self.kind.clone() });
        }
        if self.probability.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err(FaultError::Probability);
        }
        Ok(())
    }

    fn covers(&self, call: &CallSite<'_>) -> bool {
        let method = self.method == call.method || (self.method == "*" && call.method != INTERACTIVE);
        method && self.channel.as_deref().is_none_or(|channel| call.channels.contains(&Some(channel)))
    }
}

/// The name that clicks go by in [`Fault::method`].
pub(super) const INTERACTIVE: &str = "interactive";

/// What a fault is matched against.
pub(super) struct CallSite<'a> {
    pub(super) method: &'a str,
    /// The channel as the call names it, and its id.
    pub(super) channels: [Option<&'a str>; 2],
}

/// The standing orders.
#[derive(Debug)]
pub(super) struct FaultBook {
    orders: Vec<Order>,
    dice: StdRng,
}

/// A fault, how many matching calls it has seen, and how many it has hit.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Order {
    #[serde(flatten)]
    pub(super) fault: Fault,
    seen: u64,
    hit: u64,
}

/// Orders that may stand at a time.
const MOST_ORDERS: usize = 1_000;

impl FaultBook {
    pub(super) fn new(seed: u64) -> Self {
        Self { orders: Vec::new(), dice: StdRng::seed_from_u64(seed) }
    }

    pub(super) fn order(&mut self, fault: Fault) -> Result<(), FaultError> {
        fault.check()?;
        if self.orders.len() >= MOST_ORDERS {
            return Err(FaultError::TooMany);
        }
        self.orders.push(Order { fault, seen: 0, hit: 0 });
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.orders.clear();
    }

    pub(super) fn orders(&self) -> &[Order] {
        &self.orders
    }

    /// Counts the call against every order that covers it; the first one due decides.
    pub(super) fn draw(&mut self, call: &CallSite<'_>) -> Option<FaultKind> {
        let mut drawn = None;
        for order in self.orders.iter_mut().filter(|order| order.fault.covers(call)) {
            order.seen += 1;
            if drawn.is_none() && order.due() && self.dice.random_bool(order.probability()) {
                order.hit += 1;
                drawn = Some(order.fault.kind.clone());
            }
        }
        self.orders.retain(|order| order.fault.count.is_none_or(|count| order.hit < count));
        drawn
    }
}

impl fmt::Display for Order {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = if self.fault.method == "*" { "every method" } else { &self.fault.method };
        write!(out, "{method}: {}", serde_json::to_string(&self.fault.kind).unwrap_or_default())?;
        if let Some(channel) = &self.fault.channel {
            write!(out, ", in {channel}")?;
        }
        match self.fault.count {
            Some(count) => write!(out, ", {} of {count} hit", self.hit),
            None => write!(out, ", from now on, {} hit", self.hit),
        }
    }
}

impl Order {
    fn due(&self) -> bool {
        self.seen >= self.fault.nth && self.fault.count.is_none_or(|count| self.hit < count)
    }

    fn probability(&self) -> f64 {
        self.fault.probability.unwrap_or(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CallSite, Fault, FaultBook, FaultKind};

    fn hits(fault: Fault, calls: &[(&str, &str)]) -> Vec<bool> {
        let mut book = FaultBook::new(7);
        book.order(fault).unwrap();
        let draw = |(method, channel): &(&str, &str)| book.draw(&CallSite { method, channels: [Some(channel), None] }).is_some();
        calls.iter().map(draw).collect()
    }

    const POSTS: [(&str, &str); 4] =
        [("chat.postMessage", "C1"), ("chat.update", "C1"), ("chat.postMessage", "C2"), ("chat.postMessage", "C1")];

    #[test]
    fn the_nth_matching_call_is_hit_and_no_other() {
        let fault = Fault { nth: 2, ..Fault::next("chat.postMessage", FaultKind::ResetBefore) };
        assert_eq!(hits(fault, &POSTS), [false, false, true, false]);
    }

    #[test]
    fn an_order_without_count_stands() {
        assert_eq!(hits(Fault::from_now_on("chat.postMessage", FaultKind::ResetBefore), &POSTS), [true, false, true, true]);
    }

    #[test]
    fn an_order_for_a_channel_leaves_the_others_alone() {
        let fault = Fault { channel: Some("C2".to_owned()), ..Fault::from_now_on("*", FaultKind::ResetBefore) };
        assert_eq!(hits(fault, &POSTS), [false, false, true, false]);
    }

    #[test]
    fn an_order_that_can_never_be_met_is_refused() {
        let mut book = FaultBook::new(7);
        for fault in [
            Fault::next("chat.postMesage", FaultKind::ResetBefore),
            Fault::next("interactive", FaultKind::ResetBefore),
            Fault::next("chat.update", FaultKind::LoseAck),
            Fault { probability: Some(f64::NAN), ..Fault::next("*", FaultKind::ResetBefore) },
        ] {
            assert!(book.order(fault.clone()).is_err(), "{fault:?}");
        }
    }

    #[test]
    fn a_probability_is_drawn_from_the_seed() {
        let fault = Fault { probability: Some(0.5), ..Fault::from_now_on("*", FaultKind::ResetBefore) };
        let once = hits(fault.clone(), &[("chat.update", "C1"); 200]);
        assert_eq!(once, hits(fault, &[("chat.update", "C1"); 200]));
        assert!((60..140).contains(&once.iter().filter(|hit| **hit).count()));
    }
}
