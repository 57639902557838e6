//! Windows: the stretch of time that a budget is over. A rolling window ends now; a calendar window is the present week, month or quarter of a time zone.
//!
//! Which interval a calendar window is at a moment is civil time, which is not known here: whoever evaluates hands it in.

use std::{fmt, sync::Arc, time::Duration};

use thiserror::Error;

use crate::time::{Timestamp, days, hours};

/// The window of an objective.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Window {
    /// The last so long, always ending now.
    Rolling(Duration),
    /// The present period of the calendar, which ends in the future.
    Calendar {
        /// Which period.
        period: Period,
        /// In which time zone it begins and ends.
        zone: Zone,
    },
}

/// A period of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// From Monday to Monday.
    Week,
    /// From the first of a month to the first of the next.
    Month,
    /// From the first of January, April, July or October.
    Quarter,
}

impl Period {
    /// The period as definitions write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }
}

/// The name of a time zone, as the IANA database spells it: `Europe/Berlin`. Whether such a zone exists is not known here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone(Arc<str>);

/// Why a text cannot be the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not the name of a time zone such as Europe/Berlin")]
pub struct ZoneError(pub String);

impl Zone {
    /// Reads a name of 1 to 64 characters of `A-Z a-z 0-9 _ + - /`.
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-' | b'/');
        if (1..=64).contains(&text.len()) && text.bytes().all(legal) { Ok(Self(text.into())) } else { Err(ZoneError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stretch of time: after `from`, up to and with `to`, as slices are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// Its start, not part of it.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

impl Interval {
    /// The last `length` before `end`.
    pub fn ending(end: Timestamp, length: Duration) -> Self {
        Self { from: end.minus(length), to: end }
    }

    /// How long it is.
    pub fn length(self) -> Duration {
        self.to.since(self.from)
    }

    /// How much of it has passed at `now`.
    pub fn passed(self, now: Timestamp) -> Duration {
        self.to.min(now).since(self.from)
    }
}

/// The period that the factors of alert rows are scaled to where the window is a calendar's: the month that the SRE Workbook speaks of.
const CALENDAR_PACE: Duration = days(30);

impl Window {
    /// The longest that it can be. A period holds an hour more where its clocks are set back.
    pub const fn longest(&self) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar { period: Period::Week, .. } => hours(7 * 24 + 1),
            Self::Calendar { period: Period::Month, .. } => hours(31 * 24 + 1),
            Self::Calendar { period: Period::Quarter, .. } => hours(92 * 24 + 1),
        }
    }

    /// The period that the factors of its alert rows are scaled to: its length where it rolls, 30 days of any calendar window.
    pub const fn pace(&self) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar { .. } => CALENDAR_PACE,
        }
    }
}
