//! Windows: the stretch of time that a budget is over. A rolling window ends now; a calendar window is the present week, month or quarter of a time zone.
//!
//! Which interval a calendar window is at a moment is civil time, which is not known here: whoever evaluates hands it in.

use std::{fmt, sync::Arc, time::Duration};

use thiserror::Error;

use crate::time::{Timestamp, days, hours, minutes};

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

/// A time zone: its name as the IANA database spells it, `Europe/Berlin`, and where its days can begin. Whether such a zone exists is not known here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zone {
    name: Arc<str>,
    grain: Grain,
}

/// Of what the offsets of a zone from UTC are multiples, and so where its days, weeks and months can begin. No zone has had a finer one since 1972.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// As most zones.
    Hour,
    /// As India and parts of Australia.
    HalfHour,
    /// As Nepal.
    QuarterHour,
}

impl Grain {
    /// The coarsest grain that these offsets from UTC, in seconds, are multiples of; `None` where none is.
    pub fn of(offsets: impl IntoIterator<Item = i32>) -> Option<Self> {
        offsets.into_iter().try_fold(Self::Hour, |coarsest, offset| {
            let grain = [Self::Hour, Self::HalfHour, Self::QuarterHour]
                .into_iter()
                .find(|grain| u64::from(offset.unsigned_abs()).is_multiple_of(grain.step().as_secs()))?;
            Some(coarsest.max(grain))
        })
    }

    /// Its length: slices of this step have edges wherever a day of the zone can begin.
    pub const fn step(self) -> Duration {
        match self {
            Self::Hour => hours(1),
            Self::HalfHour => minutes(30),
            Self::QuarterHour => minutes(15),
        }
    }
}

/// Why a text cannot be the name of a time zone.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not the name of a time zone such as Europe/Berlin")]
pub struct ZoneError(pub String);

impl Zone {
    /// Reads a name of 1 to 64 characters of `A-Z a-z 0-9 _ + - /`.
    pub fn parse(text: &str, grain: Grain) -> Result<Self, ZoneError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-' | b'/');
        let is_name = (1..=64).contains(&text.len()) && text.bytes().all(legal);
        if is_name { Ok(Self { name: text.into(), grain }) } else { Err(ZoneError(text.to_owned())) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Where its days can begin.
    pub const fn grain(&self) -> Grain {
        self.grain
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
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
pub const CALENDAR_PACE: Duration = days(30);

impl Window {
    /// The longest that it can be. A period is longer where clocks are set back in it, by up to a day where a zone changes to the other side of the
    /// date line.
    pub const fn longest(&self) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar { period: Period::Week, .. } => days(7 + 1),
            Self::Calendar { period: Period::Month, .. } => days(31 + 1),
            Self::Calendar { period: Period::Quarter, .. } => days(92 + 1),
        }
    }

    /// The shortest that it is called: 7, 28 and 90 days of a week, a month and a quarter.
    pub const fn shortest(&self) -> Duration {
        match self {
            Self::Rolling(length) => *length,
            Self::Calendar { period: Period::Week, .. } => days(7),
            Self::Calendar { period: Period::Month, .. } => days(28),
            Self::Calendar { period: Period::Quarter, .. } => days(90),
        }
    }

    /// Slices of this step have edges wherever it can begin; a rolling window begins on any slice.
    pub const fn edges(&self) -> Duration {
        match self {
            Self::Rolling(_) => Grain::Hour.step(),
            Self::Calendar { zone, .. } => zone.grain.step(),
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
