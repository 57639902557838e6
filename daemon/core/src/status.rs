//! Whether what is decided of an SLO tells somebody. Counting is the same in every status: facts are never lost, and a budget goes on whatever its status
//! becomes.

use std::{fmt, time::Duration};

use crate::time::{Timestamp, days};

/// Whether what is decided of an SLO tells somebody, as its definition says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// It pages and writes tickets.
    #[default]
    Active,
    /// It decides as an active one and tells nobody; what it would have told is recorded.
    Shadow,
    /// Nothing is decided of it until a moment; from then on it is active by itself.
    Suspended(Suspension),
}

/// That an SLO is not decided for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspension {
    /// Why, in the words of whoever wrote it.
    pub reason: String,
    /// When it is active again.
    pub until: Timestamp,
}

impl Suspension {
    /// How long a suspension may last from a moment on: what nobody looks at for a year is removed and not suspended.
    pub const LONGEST: Duration = days(366);
}

impl Status {
    /// Every word, as documents write them.
    pub const WORDS: [&'static str; 3] = ["active", "shadow", "suspended"];

    /// The status that counts at a moment: a suspension ends by itself.
    ///
    /// ```
    /// use burnward_core::{status::{Status, Suspension}, time::Timestamp};
    /// let until = Timestamp::from_seconds(100);
    /// let status = Status::Suspended(Suspension { reason: "new exporter".to_owned(), until });
    /// assert_eq!(status.at(Timestamp::from_seconds(99)), &status);
    /// assert_eq!(status.at(until), &Status::Active);
    /// ```
    pub fn at(&self, now: Timestamp) -> &Self {
        match self {
            Self::Suspended(suspension) if now >= suspension.until => &Self::Active,
            Self::Active | Self::Shadow | Self::Suspended(_) => self,
        }
    }

    /// Where it stands in a list: first those of which somebody is told.
    pub const fn place(&self) -> u8 {
        match self {
            Self::Active => 0,
            Self::Shadow => 1,
            Self::Suspended(_) => 2,
        }
    }

    /// As documents write it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Active => Self::WORDS[0],
            Self::Shadow => Self::WORDS[1],
            Self::Suspended(_) => Self::WORDS[2],
        }
    }

    /// The suspension that the definition speaks of, over or not.
    pub const fn suspension(&self) -> Option<&Suspension> {
        match self {
            Self::Suspended(suspension) => Some(suspension),
            Self::Active | Self::Shadow => None,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
