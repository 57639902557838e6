//! `tests:` of a document: traffic that is written down, and what burnward is to make of it. Here they are read; `replay` runs them.
//!
//! Times are counted from the test's beginning. Traffic is written in events, good and bad, whatever the SLI is made of: the samples of its series
//! follow from the SLI.

mod check;
mod expect;
mod rate;
mod read;
mod series;
mod size;
mod traffic;

use std::{collections::BTreeMap, ops::Range, time::Duration};

use burnward_core::{
    id::{ServiceName, SloName},
    slo::Urgency,
    time::Timestamp,
    units::Factor,
    window::Zone,
};

use super::diagnostic::Place;

pub use check::{Doubtful, Ready, Slos};
pub use rate::Rate;
pub(super) use read::{NamedBy, read};
pub use series::Recipe;

/// A test of one SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// What it shows, in words.
    pub name: String,
    /// Which SLO.
    pub slo: SloRef,
    /// Where that is named; where the test does not name it, its own place.
    pub slo_place: Place,
    /// When it begins.
    pub begins: Timestamp,
    /// The zone of its times of day.
    pub zone: Zone,
    /// How long it lasts.
    pub lasts: Duration,
    /// How often targets are scraped; whole seconds.
    pub scraped: Duration,
    /// What happens in the service.
    pub traffic: Vec<Traffic>,
    /// What happens to it and to what watches it.
    pub happens: Vec<Happening>,
    /// What burnward is to make of it.
    pub expect: Vec<Expectation>,
    /// Where it stands.
    pub place: Place,
    /// Whether all of it could be read.
    pub form: Form,
}

/// Whether a test could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It can be run.
    Whole,
    /// It has mistakes, which were told. What is left of it is looked at beside its SLO, and it is not run.
    Broken,
}

/// An SLO by its name within a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SloRef {
    /// The service.
    pub service: ServiceName,
    /// The SLO.
    pub name: SloName,
}

/// Traffic of one group of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// Of which SLO: the test's own, or a member of that.
    pub slo: SloRef,
    /// Labels of its series, those of `per` among them.
    pub labels: BTreeMap<String, String>,
    /// How much there is; `None` for an SLI that has one event a sample or slice.
    pub shape: Option<Shape>,
    /// When how much of it fails.
    pub failing: Vec<Failing>,
    /// When its series appear.
    pub born: Duration,
    /// When the series of its bad events appear.
    pub bad_series: BadSeries,
    /// Where it stands.
    pub place: Place,
}

/// How many events there are when.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Always as many.
    Constant(Rate),
    /// Single events at irregular moments, always the same ones.
    Trickle(Rate),
    /// A wave with the length of a day.
    Diurnal {
        /// Twelve hours from its height.
        low: Rate,
        /// At its height.
        high: Rate,
        /// When that is, from midnight by the clocks of the zone.
        high_at: Duration,
    },
    /// More for a while.
    Burst {
        /// Before and after.
        usual: Rate,
        /// In it.
        peak: Rate,
        /// When it is.
        when: Span,
    },
}

/// A stretch of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// From then on.
    pub from: Duration,
    /// Until then.
    pub to: Duration,
}

/// A part of the traffic that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// How much of it, in millionths.
    pub share: u32,
    /// When.
    pub when: Span,
}

/// When the series of bad events appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadSeries {
    /// With the others, at zero.
    #[default]
    FromTheStart,
    /// With their first event, as counters do that nobody prepares.
    WithTheFirst,
}

impl BadSeries {
    /// How it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::FromTheStart => "from-the-start",
            Self::WithTheFirst => "with-the-first",
        }
    }
}

/// What happens beside the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The targets start anew, and their counters with them.
    Deploy {
        /// When they stop.
        at: Duration,
        /// How long they are away.
        takes: Duration,
    },
    /// Nothing is scraped.
    ScrapeGap(Span),
    /// The targets do not answer the scraper.
    Down(Span),
    /// The source does not answer burnward.
    SourceAway(Span),
}

/// What is expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// What.
    pub what: Expected,
    /// Where it stands.
    pub place: Place,
}

/// What can be expected.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// It begins within this time.
    Begins {
        /// What.
        told: Told,
        /// When.
        within: Span,
        /// Of which groups; labels that are not named may be any.
        group: BTreeMap<String, String>,
        /// By the row with this burn rate; `None`: by any.
        row: Option<Factor>,
    },
    /// It ends within this time.
    Ends {
        /// What.
        told: Told,
        /// When.
        within: Span,
        /// Of which groups.
        group: BTreeMap<String, String>,
    },
    /// It does not happen at all.
    Never(Told),
    /// How much of the budget is left, of the objective that is named, or of all.
    Budget {
        /// When.
        at: Duration,
        /// More than this share, in millionths of the whole.
        above: Option<i64>,
        /// Less than this share.
        below: Option<i64>,
        /// Of which groups.
        group: BTreeMap<String, String>,
        /// Of which objective.
        objective: Option<String>,
    },
}

impl Expected {
    /// What is to begin by it.
    pub const fn begins(&self) -> Option<Told> {
        match self {
            Self::Begins { told, .. } => Some(*told),
            Self::Ends { .. } | Self::Never(_) | Self::Budget { .. } => None,
        }
    }
}

/// What somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// A budget burns: somebody is woken.
    Page,
    /// A budget burns slowly.
    Ticket,
    /// The SLO or its source cannot be seen.
    Blind,
}

impl Told {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Page, Self::Ticket, Self::Blind];

    /// How it is written.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
            Self::Blind => "blind",
        }
    }

    /// What a burning budget tells.
    pub const fn of(urgency: Urgency) -> Self {
        match urgency {
            Urgency::Page => Self::Page,
            Urgency::Ticket => Self::Ticket,
        }
    }
}

impl Span {
    /// Whether a moment lies in it, both ends included.
    pub fn holds(self, moment: Duration) -> bool {
        self.from <= moment && moment <= self.to
    }

    /// Whether it covers the time right after a moment.
    pub fn covers(self, moment: Duration) -> bool {
        self.from <= moment && moment < self.to
    }
}

/// A place in the text, as far as a test needs it.
type At = Range<usize>;
