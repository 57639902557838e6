//! The error budget report of a week: what every budget has left, what ate it, and what the week cost the people who were paged. Worst first.
//!
//! | figure | formula |
//! |---|---|
//! | left | of the window that ends where the week ends, as every surface shows it for that moment |
//! | change | left at the week's end - left at its beginning; what leaves a rolling window gives budget back |
//! | spent | failures of the week / (events of the window x (1 - target)) |
//! | seen | share of the week that the ledger holds and that was not unseen |
//! | beyond | failures of the window - events of the window x (1 - target): how many more failed than were allowed |
//!
//! The events of a calendar window that has not ended are those so far and as many more as its rest is long.
//!
//! Failures are attributed to incidents slice by slice, each slice to one incident, so that the parts sum up to the week: see [`spend`]. What cannot be
//! seen is said and never counts as fine: a budget of which too little was seen has the verdict "cannot say".

mod people;
pub mod spend;
#[cfg(test)]
mod tests;
mod verdict;

use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use crate::{
    evaluate::BudgetStatus,
    exclusion::ExclusionId,
    id::{BudgetId, Group, IncidentId, ObjectiveName, SloId, TeamName},
    incident::{Facts, Incident, IncidentEvent, Kind},
    ledger::{Counts, MemberVerdicts, Reason},
    slo::Slo,
    time::Timestamp,
    units::{EventCount, EventUnit},
    window::{Interval, Window},
};

pub use people::{PersonPages, TeamWeek, Times};
pub use spend::{Spans, Spend};
pub use verdict::{CAREFUL_BELOW, Judged, SEEN_ENOUGH, Verdict};

/// How many of the biggest burns are listed.
const BIGGEST: usize = 10;

/// The report of a week.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorBudgetReport {
    /// The week.
    pub week: Interval,
    /// Every budget, worst first.
    pub rows: Vec<Row>,
    /// The biggest burns of all budgets, by failures, at most ten.
    pub burns: Vec<Burn>,
    /// When burnward could not see.
    pub blind: Vec<Blind>,
    /// What the week cost each team, by name.
    pub teams: Vec<TeamWeek>,
}

/// What a budget is reported from.
#[derive(Debug, Clone)]
pub struct BudgetWeek<'a> {
    /// Its SLO.
    pub slo: &'a Slo,
    /// How it stood at the end of the week.
    pub then: BudgetStatus,
    /// How it stood at the beginning.
    pub before: BudgetStatus,
    /// From when on its events are held; `None`: none are.
    pub held_from: Option<Timestamp>,
    /// What was counted in the week; of a calendar window, in its period alone.
    pub counted: Counts,
    /// The slices that this is the sum of, oldest first. None are needed where nothing failed.
    pub slices: &'a [(Interval, Counts)],
    /// What the members of a journey did in the week; none for any other SLI.
    pub members: Vec<MemberVerdicts>,
    /// What corrected its figures.
    pub corrections: Corrections,
}

/// What corrected a budget's figures, as far as they hold it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corrections {
    /// The exclusions that take time out of its window; how much stands in its status.
    pub exclusions: Vec<ExclusionId>,
    /// What samples that came late changed in what was counted in the week: events more, and less time unseen.
    pub late: Counts,
}

/// An incident with its events.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// Its events, in order.
    pub events: &'a [IncidentEvent],
}

/// What a member did to a journey in the week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberWeek {
    /// Which SLO.
    pub slo: SloId,
    /// Slices that it cost the journey, by its weight. Where all members are needed, one that is bad for several counts for each.
    pub bad: EventCount,
    /// All slices of the week that were bad for the journey.
    pub journey_bad: EventCount,
    /// Time of slices in which it was not seen.
    pub unseen: Duration,
}

/// One budget's week.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Who is responsible.
    pub team: TeamName,
    /// What is promised.
    pub title: String,
    /// The objective's name, where another one of the SLO reads the same without it.
    pub told_by_name: Option<ObjectiveName>,
    /// The budget at the end of the week.
    pub then: BudgetStatus,
    /// What became of it in the week.
    pub change: Change,
    /// What was counted in the week.
    pub counted: Counts,
    /// Share of the budget that the failures of the week are; `None` without traffic, and where nothing of the week was seen.
    pub spent: Option<f64>,
    /// Which incidents spent it, the largest part first.
    pub burns: Vec<Spend>,
    /// Failures of the week outside of every incident.
    pub unattributed: f64,
    /// Of a journey: its members, the one that cost most first.
    pub members: Vec<MemberWeek>,
    /// Share of the week that was seen.
    pub seen: f64,
    /// What corrected its figures.
    pub corrections: Corrections,
    /// Whether it is safe to change things.
    pub judged: Judged,
}

/// What became of a budget in a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// It can be compared.
    By {
        /// Left at the end minus left at the beginning, as a share of the budget.
        ratio: f64,
        /// The same as time of total outage, in seconds.
        seconds: f64,
    },
    /// It cannot.
    None(NoChange),
}

/// Why a budget cannot be compared with itself a week before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoChange {
    /// Its events were not counted then.
    NotCounted,
    /// One of both windows was without traffic.
    NoTraffic,
    /// One of both windows cannot be seen.
    CannotSee,
    /// A new calendar period has begun since.
    NewPeriod,
}

impl NoChange {
    /// Why, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotCounted => "not counted a week before",
            Self::NoTraffic => "no traffic to compare",
            Self::CannotSee => "cannot see",
            Self::NewPeriod => "a new period began",
        }
    }
}

/// Why a figure is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// Nobody saw anything of the week.
    NotSeen,
    /// The week was seen, and what it is a share of cannot be.
    CannotSee,
    /// What was counted contradicts itself.
    Contradicted,
    /// Nothing happened.
    NoTraffic,
}

impl Missing {
    /// What stands in the place of the figure.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotSeen => "not seen",
            Self::CannotSee => "cannot see",
            Self::Contradicted => "counts contradict each other",
            Self::NoTraffic => "no traffic",
        }
    }
}

/// Failures of one group of one SLO in one incident, or outside of any.
#[derive(Debug, Clone, PartialEq)]
pub struct Burn {
    /// Which budget: the objective of which the largest share was spent.
    pub budget: BudgetId,
    /// The incident; `None`: no incident explains it.
    pub incident: Option<IncidentId>,
    /// What failed: events, of which a tolerated one is half failed, or seconds.
    pub failed: f64,
    /// Whether these are events or seconds.
    pub unit: EventUnit,
    /// Share of the budget.
    pub share: Option<f64>,
}

impl Burn {
    const fn is_time(&self) -> bool {
        matches!(self.unit, EventUnit::Second)
    }
}

/// A stretch in which burnward could not see.
#[derive(Debug, Clone, PartialEq)]
pub struct Blind {
    /// The incident that told it.
    pub incident: IncidentId,
    /// What could not be seen: a source or a service.
    pub subject: String,
    /// Since when.
    pub from: Timestamp,
    /// Until when; `None`: it still cannot.
    pub to: Option<Timestamp>,
    /// The reported SLOs that were hidden.
    pub hid: Vec<SloId>,
}

impl Row {
    /// The row of a budget.
    pub fn of(budget: BudgetWeek<'_>, week: Interval, spans: &Spans) -> Self {
        let BudgetWeek { slo, then, before, held_from, counted, slices, members, corrections } = budget;
        let burns = spans.attribute(&then, slices);
        let failed = failed(counted, then.unit);
        let unattributed = (failed - burns.iter().map(|burn| burn.failed).sum::<f64>()).max(0.0);
        let seen = seen(week, held_from, counted);
        let spent = if is_unseen(seen, counted) { None } else { spend::share(&then, failed) };
        Self {
            team: slo.team.clone(),
            title: slo.title.clone(),
            told_by_name: slo.told_by_name(&then.budget.objective).cloned(),
            change: change(&then, &before),
            judged: verdict::judge(&then, spent, seen),
            counted,
            spent,
            burns,
            unattributed,
            members: members_of(members, counted, then.unit),
            seen,
            corrections,
            then,
        }
    }

    /// Why nothing is said to be left.
    pub fn missing_left(&self) -> Option<Missing> {
        self.then.left.is_none().then(|| self.missing())
    }

    /// Why nothing is said to be spent.
    pub fn missing_spent(&self) -> Option<Missing> {
        self.spent.is_none().then(|| self.missing())
    }

    fn missing(&self) -> Missing {
        match &self.then.unknown {
            Some(unknown) if unknown.reason == Reason::GoodAboveTotal => Missing::Contradicted,
            _ if is_unseen(self.seen, self.counted) => Missing::NotSeen,
            Some(_) => Missing::CannotSee,
            None if self.then.coverage <= 0.0 => Missing::NotSeen,
            None => Missing::NoTraffic,
        }
    }

    /// Events that failed in the week.
    pub fn failed(&self) -> f64 {
        failed(self.counted, self.then.unit)
    }

    /// Failed events more that came late; negative where fewer had failed than was counted before.
    pub fn late_failed(&self) -> f64 {
        let Counts { bad, tolerated, .. } = self.corrections.late;
        (bad as f64 + tolerated as f64 / 2.0) / self.then.unit.per_event() as f64
    }

    /// True where time was taken out of its window, or samples of the week came late.
    pub fn is_corrected(&self) -> bool {
        !self.then.excluded.time.is_zero() || self.corrections.late != Counts::default()
    }

    /// All events of the week.
    pub fn total(&self) -> EventCount {
        self.then.unit.count(self.counted.total())
    }

    /// Share of the budget that the failures outside of every incident are; `None` without traffic.
    pub fn unattributed_share(&self) -> Option<f64> {
        spend::share(&self.then, self.unattributed)
    }

    /// How many more events failed in the window than were allowed; negative where fewer did. 0 where the window is unknown.
    pub fn beyond(&self) -> f64 {
        let BudgetStatus { counts, target, left, unit, .. } = &self.then;
        if left.is_none() { 0.0 } else { failed(*counts, *unit) - spend::window_events(&self.then) * target.allowed().as_f64() }
    }

    /// Worst first: by verdict; what is spent by how many more failed than were allowed, what cannot be judged by what failed, the rest by what is left.
    fn compare(&self, other: &Self) -> Ordering {
        let left = |row: &Self| row.then.left.map_or(f64::INFINITY, |left| left.ratio);
        let spent = |row: &Self| row.spent.unwrap_or(0.0);
        let verdict = self.judged.verdict;
        let worse = || match verdict {
            Verdict::Freeze => other.beyond().total_cmp(&self.beyond()),
            Verdict::CannotSay => other.failed().total_cmp(&self.failed()),
            Verdict::Careful | Verdict::Ship => left(self).total_cmp(&left(other)),
        };
        let first = verdict.cmp(&other.judged.verdict).then_with(worse);
        first.then_with(|| spent(other).total_cmp(&spent(self))).then_with(|| self.then.budget.cmp(&other.then.budget))
    }
}

impl ErrorBudgetReport {
    /// The report from the rows of all budgets and the incidents of the week. `nights` are the stretches in which a page takes somebody's sleep; `team`
    /// leaves out what is not that team's.
    pub fn of(week: Interval, mut rows: Vec<Row>, incidents: &[Told<'_>], nights: &[Interval], team: Option<&TeamName>) -> Self {
        rows.sort_by(Row::compare);
        let own = |told: &&Told<'_>| told.incident.fault.kind != Kind::Test && team.is_none_or(|team| told.incident.team == *team);
        let of_teams: Vec<Told<'_>> = incidents.iter().filter(own).copied().collect();
        Self {
            week,
            burns: biggest(&rows),
            blind: incidents.iter().filter_map(|told| blind(told.incident, &rows)).collect(),
            teams: people::teams(&rows, &of_teams, week, nights, team),
            rows,
        }
    }
}

fn members_of(members: Vec<MemberVerdicts>, counted: Counts, unit: EventUnit) -> Vec<MemberWeek> {
    let mut members = members;
    members.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.slo.cmp(&b.slo)));
    let of = |member: MemberVerdicts| MemberWeek {
        slo: member.slo,
        bad: unit.count(member.cost.max(0)),
        journey_bad: unit.count(counted.bad.max(0)),
        unseen: Duration::from_millis(u64::try_from(member.verdicts.unseen_millis).unwrap_or(0)),
    };
    members.into_iter().map(of).collect()
}

/// Failed events: a tolerated one is half failed. Negative counts, of two exporters that tell one event in different slices, count as none.
fn failed(counts: Counts, unit: EventUnit) -> f64 {
    (counts.bad as f64 + counts.tolerated as f64 / 2.0).max(0.0) / unit.per_event() as f64
}

fn seen(week: Interval, held_from: Option<Timestamp>, counted: Counts) -> f64 {
    let Some(held_from) = held_from else { return 0.0 };
    let unseen = Duration::from_millis(u64::try_from(counted.unseen_millis).unwrap_or(0));
    let held = week.to.since(held_from.max(week.from));
    if week.length().is_zero() { 0.0 } else { held.saturating_sub(unseen).div_duration_f64(week.length()) }
}

/// Nothing of a week was seen: what is not counted is not zero.
fn is_unseen(seen: f64, counted: Counts) -> bool {
    seen <= 0.0 && counted.total() == 0
}

/// The ledger held nothing of its window.
fn is_not_counted(status: &BudgetStatus) -> bool {
    let held_nothing = status.unknown.as_ref().is_none_or(|unknown| unknown.reason == Reason::NotYet);
    status.left.is_none() && status.coverage <= 0.0 && held_nothing
}

fn change(then: &BudgetStatus, before: &BudgetStatus) -> Change {
    let new_period = match then.window {
        Window::Calendar { .. } => then.over.from != before.over.from,
        Window::Rolling(_) => false,
    };
    match (then.left, before.left) {
        _ if new_period => Change::None(NoChange::NewPeriod),
        (Some(now), Some(past)) => Change::By { ratio: now.ratio - past.ratio, seconds: now.seconds - past.seconds },
        _ if is_not_counted(before) => Change::None(NoChange::NotCounted),
        _ if then.unknown.is_some() || before.unknown.is_some() => Change::None(NoChange::CannotSee),
        (_, _) => Change::None(NoChange::NoTraffic),
    }
}

/// The largest parts of all rows, events before time. Objectives of one SLO count the same failures: the one of which most was spent stands for all, one
/// in events before one in time.
fn biggest(rows: &[Row]) -> Vec<Burn> {
    let mut burns: BTreeMap<(&SloId, &Group, Option<&IncidentId>), Burn> = BTreeMap::new();
    for row in rows {
        let BudgetId { slo, group, .. } = &row.then.budget;
        let rest = (None, row.unattributed, row.unattributed_share());
        let parts = row.burns.iter().map(|burn| (Some(&burn.incident), burn.failed, burn.share)).chain([rest]);
        for (incident, failed, share) in parts.filter(|(_, failed, _)| *failed > 0.0) {
            let burn = Burn { budget: row.then.budget.clone(), incident: incident.cloned(), failed, unit: row.then.unit, share };
            let known = burns.entry((slo, group, incident)).or_insert_with(|| burn.clone());
            if (!burn.is_time(), burn.share) > (!known.is_time(), known.share) {
                *known = burn;
            }
        }
    }
    let mut burns: Vec<Burn> = burns.into_values().collect();
    let order =
        |a: &Burn, b: &Burn| a.is_time().cmp(&b.is_time()).then(b.failed.total_cmp(&a.failed)).then_with(|| a.budget.cmp(&b.budget));
    burns.sort_by(order);
    burns.truncate(BIGGEST);
    burns
}

fn blind(incident: &Incident, rows: &[Row]) -> Option<Blind> {
    if incident.fault.kind != Kind::CannotSee {
        return None;
    }
    // Where nothing happened, everything was seen.
    let hides = incident.members.values().flat_map(|member| match &member.facts {
        Facts::Blind(blind) if blind.unknown.reason != Reason::NoTraffic => blind.hides.as_slice(),
        Facts::Blind(_) | Facts::Burn(_) | Facts::Test(_) => &[],
    });
    let mut hid: Vec<SloId> = hides.filter(|slo| rows.iter().any(|row| row.then.budget.slo == **slo)).cloned().collect();
    hid.sort();
    hid.dedup();
    let to = incident.ended();
    let from = incident.began.min(incident.opened_at);
    (!hid.is_empty()).then(|| Blind { incident: incident.id.clone(), subject: incident.fault.subject.to_string(), from, to, hid })
}
