//! A checked SLO: what a definition says after it was parsed, checked and completed with defaults. Nobody re-checks these values.

use std::time::Duration;

use crate::{
    exclusion::ExcludedTime,
    id::{ObjectiveName, SloId, SloName, SourceName, TeamName},
    ledger::Counts,
    sli::Sli,
    status::Status,
    units::{Factor, GoodShare, Target},
    window::Window,
};

/// One SLO: an SLI, its objectives, and who is paged.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// Its identity.
    pub id: SloId,
    /// What it was called before, in the same service; what was counted and decided by that name is its own.
    pub was: Option<SloName>,
    /// What it promises, in words for people.
    pub title: String,
    /// Who is paged.
    pub team: TeamName,
    /// File name of the runbook within the tenant's runbooks directory.
    pub runbook: Option<String>,
    /// Where its samples come from.
    pub source: SourceName,
    /// What counts as good and bad.
    pub sli: Sli,
    /// The labels that split it into groups, one budget each; empty: one budget.
    pub per: Vec<String>,
    /// At least one.
    pub objectives: Vec<Objective>,
    /// What happens when no data comes.
    pub no_data: NoData,
    /// What happens when data comes and nothing is in it.
    pub no_traffic: NoTraffic,
    /// What the first value of a counter is taken for.
    pub new_series: NewSeries,
    /// Whether few events wake somebody.
    pub low_traffic: LowTraffic,
    /// What becomes of the time that people take out of its budgets.
    pub excluded_time: ExcludedTime,
    /// Whether what is decided of it tells somebody.
    pub status: Status,
    /// Where it is written.
    pub origin: Origin,
}

impl Slo {
    /// The identity that it had before it got another name.
    pub fn former(&self) -> Option<SloId> {
        self.was.clone().map(|name| SloId { name, ..self.id.clone() })
    }

    /// The name of one of its objectives, where another one has the same target over the same window: told by these alone, the two read the same.
    pub fn told_by_name<'a>(&self, objective: &'a ObjectiveName) -> Option<&'a ObjectiveName> {
        let this = self.objectives.iter().find(|one| one.name == *objective)?;
        let reads_the_same =
            |other: &Objective| other.name != this.name && other.target.allowed() == this.target.allowed() && other.window == this.window;
        self.objectives.iter().any(reads_the_same).then_some(objective)
    }
}

/// A target over a window, with the alerts that guard it.
#[derive(Debug, Clone, PartialEq)]
pub struct Objective {
    /// Its name within the SLO.
    pub name: ObjectiveName,
    /// The share that must be good.
    pub target: Target,
    /// What its budget is over.
    pub window: Window,
    /// What its budget is counted in.
    pub counted_in: CountedIn,
    /// The alert rows; empty where `alerting: none`.
    pub rows: Vec<AlertRow>,
}

/// What the budget of an objective is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CountedIn {
    /// Good and bad events, each of the same weight.
    Events,
    /// Good and bad slices of time: minutes of downtime, whatever the traffic.
    Slices(SliceRule),
}

impl CountedIn {
    /// How long a slice is; `None` for events.
    pub const fn length(self) -> Option<Duration> {
        match self {
            Self::Events => None,
            Self::Slices(rule) => Some(rule.length),
        }
    }
}

/// How a slice of time is judged by the events in it. A slice without events is good; one of which nobody saw anything is neither good nor bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SliceRule {
    /// How long a slice is: whole minutes that divide an hour.
    pub length: Duration,
    /// It is good where at least this share of its events is.
    pub good_from: GoodShare,
}

/// Whether an alert wakes somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// One post in the team's channel, no mention, no escalation.
    Ticket,
    /// Somebody is woken.
    Page,
}

/// A multi-window burn-rate condition (SRE Workbook, chapter 5, table 5-8): it holds while the burn rate over both lookbacks is strictly above the factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertRow {
    /// What it leads to.
    pub urgency: Urgency,
    /// The threshold, in multiples of the allowed rate.
    pub factor: Factor,
    /// The lookback that makes it significant.
    pub long: Duration,
    /// The lookback that makes it end soon; shorter than `long`.
    pub short: Duration,
}

/// What the first value of a counter that nobody saw before is taken for: events that happened since, or where counting starts. A counter is born with
/// its first event, and starts anew on another target: taken for a start, first failures are lost; taken for events, a lifetime may count at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewSeries {
    /// Events where its target was seen one scrape before without it, or has started since.
    #[default]
    Auto,
    /// Events wherever the source was scraped just before.
    CountFirst,
    /// Where counting starts.
    Baseline,
}

impl NewSeries {
    /// As documents write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::CountFirst => "count-first",
            Self::Baseline => "baseline",
        }
    }
}

/// When an SLO that its source answers for, but without data, is told of, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoData {
    /// How long data must be missing.
    pub after: Duration,
    /// What is done then.
    pub then: NoDataThen,
}

/// What is done when data has been missing long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDataThen {
    /// A ticket to the owning team.
    TellOwner,
    /// A page to the owning team.
    Page,
    /// A ticket to the owning team; and in its budgets, what may have happened while nobody saw counts as bad. Alert rows are decided on measured events
    /// all the same.
    CountAsBad,
}

impl NoDataThen {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::TellOwner, Self::Page, Self::CountAsBad];

    /// As documents write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TellOwner => "tell-owner",
            Self::Page => "page",
            Self::CountAsBad => "count-as-bad",
        }
    }

    /// How loudly the owning team is told.
    pub const fn urgency(self) -> Urgency {
        match self {
            Self::TellOwner | Self::CountAsBad => Urgency::Ticket,
            Self::Page => Urgency::Page,
        }
    }

    /// A window's counts where so many events may have happened unseen.
    #[must_use]
    pub fn apply(self, measured: Counts, hidden: i64) -> Counts {
        match self {
            Self::TellOwner | Self::Page => measured,
            Self::CountAsBad => Counts { bad: measured.bad.saturating_add(hidden), ..measured },
        }
    }
}

/// What is done where the source answers and nothing happens: no request, no observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoTraffic {
    /// Nothing failed, and nobody is told.
    #[default]
    Fine,
    /// A ticket to the owning team once none of the SLO's groups had an event for so long.
    TellOwner {
        /// How long.
        after: Duration,
    },
}

impl NoTraffic {
    /// As documents write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::TellOwner { .. } => "tell-owner",
        }
    }

    /// For how long there must have been no event for its owner to be told; `None` where nobody is.
    pub const fn told_after(self) -> Option<Duration> {
        match self {
            Self::Fine => None,
            Self::TellOwner { after } => Some(after),
        }
    }
}

/// Whether page rows are held back while so few events may fail by chance (see [`chance`](crate::chance)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LowTraffic {
    /// They are, by the exact test.
    #[default]
    Exact,
    /// They are not: the burn rates alone decide.
    Off,
}

/// Where a definition stands and which version it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Path as the operator's configuration leads to it.
    pub file: String,
    /// Line of the SLO's name, from 1.
    pub line: u32,
    /// First 12 hex digits of the SHA-256 of the file's text.
    pub version: String,
}
