//! Exclusions: what is asked for, and what is recorded.

use std::time::Duration;

use burnward_core::{
    exclusion::{Case, Excluded, Exclusion, When, whole_slices},
    time::{Timestamp, days},
    units::EventUnit,
    window::Interval,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{Events, instant};
use crate::exclusion::recurrence::Occurrences;

/// How far back the stretches of a recurring exclusion are shown.
const SHOWN: Duration = days(35);

/// Time to be taken out of budgets: `POST /api/v1/exclusions`. Times are RFC 3339, or civil times of `timezone`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExclusionBody {
    /// All SLOs of the tenant; said so that it does not happen by leaving something out.
    #[serde(default)]
    pub all: bool,
    /// Of which service.
    pub service: Option<String>,
    /// Of which of its SLOs; without it all.
    pub slo: Option<String>,
    /// Of which of the SLO's objectives; without it all.
    pub objective: Option<String>,
    /// Labels and values that a budget's group must have.
    #[serde(default)]
    pub group: Vec<(String, String)>,
    /// Where the stretch begins; of a recurring one, from when on. Without it: now.
    pub from: Option<String>,
    /// Where the stretch ends; of a recurring one, no stretch begins after it.
    pub to: Option<String>,
    /// A line of a crontab or an RRULE; without it the stretch comes once.
    pub every: Option<String>,
    /// The zone of the rule and of civil times, such as Europe/Berlin.
    pub timezone: Option<String>,
    /// How long each stretch of a recurring one lasts.
    pub lasts_seconds: Option<u64>,
    /// Why.
    pub reason: String,
    /// Who approved it.
    pub approver: String,
}

/// Why an exclusion is taken back: `POST /api/v1/exclusions/{id}/withdraw`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalBody {
    /// Why.
    pub reason: String,
}

/// An exclusion as it is recorded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExclusionState {
    /// `X-7`.
    pub id: String,
    /// Whose budgets, in words.
    pub scope: String,
    /// Of which service; `None`: of all.
    pub service: Option<String>,
    /// Of which SLO; `None`: of all.
    pub slo: Option<String>,
    /// Of which objective; `None`: of all.
    pub objective: Option<String>,
    /// Labels that a budget's group must have.
    pub group: Vec<(String, String)>,
    /// As it was asked for.
    pub asked: Asked,
    /// The stretches that it takes out: whole slices within what was asked. Of a recurring one those of the last 35 days and of the days ahead.
    pub stretches: Vec<Stretch>,
    /// The stretch of a recurring one that comes next, or is on; absent where none comes any more, and once it is withdrawn.
    #[serde(default)]
    pub next: Option<Stretch>,
    /// Why.
    pub reason: String,
    /// Who recorded it.
    pub author: String,
    /// Who approved it, as the author says.
    pub approver: String,
    /// The incident that was a false positive.
    pub incident: Option<String>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// That it was taken back.
    pub withdrawn: Option<Withdrawn>,
    /// What it leaves as it is although one might think otherwise, in the answer to its recording: journeys of a member, members of a journey.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaves: Vec<String>,
}

/// Which time was asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// From.
    pub from: Instant,
    /// To; of a recurring one, no stretch begins after it.
    pub to: Option<Instant>,
    /// The rule of a recurring one.
    pub every: Option<String>,
    /// Its zone.
    pub timezone: Option<String>,
    /// How long each of its stretches lasts.
    pub lasts_seconds: Option<u64>,
}

/// A stretch of time, after `from` and up to `to`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stretch {
    /// Its start.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
}

/// That an exclusion was taken back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Withdrawn {
    /// When.
    pub at: Instant,
    /// Who did it.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// What of a budget's window is excluded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExcludedShare {
    /// How long it is.
    pub seconds: u64,
    /// Bad events in that time.
    pub bad: Events,
    /// All events in that time.
    pub total: Events,
    /// What becomes of them: `removed` or `counts-as-good`.
    pub treated: String,
}

impl ExcludedShare {
    /// `None` where nothing is excluded.
    pub fn of(excluded: Excluded, unit: EventUnit) -> Option<Self> {
        let Excluded { counts, time, treated, held: _ } = excluded;
        (!time.is_zero()).then(|| Self {
            seconds: time.as_secs(),
            bad: Events(unit.count(counts.bad)),
            total: Events(unit.count(counts.total())),
            treated: treated.word().to_owned(),
        })
    }
}

impl From<&Interval> for Stretch {
    fn from(stretch: &Interval) -> Self {
        Self { from: instant(stretch.from), to: instant(stretch.to) }
    }
}

impl From<&When> for Asked {
    fn from(when: &When) -> Self {
        match when {
            When::Once(stretch) => {
                Self { from: instant(stretch.from), to: Some(instant(stretch.to)), every: None, timezone: None, lasts_seconds: None }
            }
            When::Recurring(recurrence) => Self {
                from: instant(recurrence.from),
                to: recurrence.until.map(instant),
                every: Some(recurrence.rule.clone()),
                timezone: Some(recurrence.zone.clone()),
                lasts_seconds: Some(recurrence.lasts.as_secs()),
            },
        }
    }
}

impl ExclusionState {
    /// True where no whole slice lies within what was asked.
    pub const fn takes_nothing(&self) -> bool {
        self.stretches.is_empty() && self.asked.every.is_none()
    }

    /// A case with the stretches that it takes out.
    pub fn of(case: &Case, exclusion: &Exclusion, now: Timestamp) -> Self {
        let entry = &case.entry;
        let shown = |stretch: &&Interval| match entry.when {
            When::Once(_) => true,
            When::Recurring(_) => stretch.to > now.minus(SHOWN),
        };
        let (service, slo, objective) = entry.scope.of.parts();
        Self {
            id: entry.id.to_string(),
            scope: entry.scope.to_string(),
            service: service.map(ToString::to_string),
            slo: slo.map(ToString::to_string),
            objective: objective.map(ToString::to_string),
            group: entry.scope.group.labels().to_vec(),
            asked: Asked::from(&entry.when),
            next: next(case, now),
            stretches: exclusion.stretches.iter().filter(shown).map(Stretch::from).collect(),
            reason: entry.reason.clone(),
            author: entry.author.clone(),
            approver: entry.approver.clone(),
            incident: entry.incident.as_ref().map(ToString::to_string),
            recorded_at: instant(case.recorded_at),
            withdrawn: case.withdrawal.as_ref().map(|withdrawal| Withdrawn {
                at: instant(withdrawal.at),
                by: withdrawal.author.clone(),
                reason: withdrawal.reason.clone(),
            }),
            leaves: Vec::new(),
        }
    }
}

/// The stretch of a recurring exclusion that comes next, or is on.
fn next(case: &Case, now: Timestamp) -> Option<Stretch> {
    let When::Recurring(recurrence) = &case.entry.when else { return None };
    let occurrences = Occurrences::read(recurrence).ok().filter(|_| case.withdrawal.is_none())?;
    let coming = whole_slices(occurrences.next(now)?, case.recorded_at)?;
    Some(Stretch::from(&coming))
}
