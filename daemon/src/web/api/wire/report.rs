//! The error budget report of a week.

use std::time::Duration;

use burnward_core::{
    id::SloId,
    report::{Blind, Burn, Change, MemberWeek, Missing, Row, Spend, TeamWeek, Times},
    words,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{Budget, Events, ExcludedShare, UnseenShare, Why, budget_key, instant};
use crate::report::{Asof, Marked, OPENED_AGAIN, Weekly, words as told};

/// The report of a week: `GET /api/v1/reports/week`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WeekReport {
    /// `burnward/v1/report-week`.
    pub schema: String,
    /// Whose budgets.
    pub tenant: String,
    /// Of which team; absent: of all.
    pub team: Option<String>,
    /// The same as people read it: `payments`, `all teams`.
    pub whose: String,
    /// The week: `2026-W47`.
    pub week: String,
    /// Its name with its days and its zone, as people read it.
    pub title: String,
    /// Its beginning.
    pub from: Instant,
    /// Its end; of a week that goes on, until when it is told.
    pub to: Instant,
    /// The zone in which it begins and ends.
    pub timezone: String,
    /// True where it is over.
    pub whole: bool,
    /// When the report was put together.
    pub as_of: Instant,
    /// `as-corrected`: with everything that is recorded by now; `as-known-then`: with what was recorded at the end of the week.
    #[serde(default)]
    pub figures: String,
    /// What is told of that, with the SLOs that no daemon ran then; absent where it holds all that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// As known then: the SLOs (`service/name`) that no daemon ran at the end of the week; what is shown of them was read later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_run_then: Vec<String>,
    /// Every budget, worst first.
    pub budgets: Vec<ReportedBudget>,
    /// The biggest burns, by failures.
    pub burns: Vec<ReportedBurn>,
    /// When burnward could not see.
    pub blind: Vec<BlindStretch>,
    /// What the week cost each team.
    pub teams: Vec<ReportedTeam>,
    /// The incidents of the week that people marked as false positives; their budgets got back what was spent.
    #[serde(default)]
    pub false_positives: Vec<ReportedFalsePositive>,
}

/// An incident that was a false positive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedFalsePositive {
    /// Which.
    pub incident: String,
    /// Why it was none.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// Who approved it.
    pub approver: String,
    /// The exclusions by which its budgets got back what was spent.
    pub exclusions: Vec<String>,
    /// It has opened again since: what happened then is not marked.
    #[serde(default)]
    pub opened_again: bool,
    /// Until when it was marked: the end of what was taken out.
    #[serde(default)]
    pub until: Option<Instant>,
}

impl WeekReport {
    /// True where it holds only what was known at the end of the week.
    pub fn is_known_then(&self) -> bool {
        self.figures == Asof::KnownThen.word()
    }
}

impl ReportedFalsePositive {
    /// Who said so and why, in a sentence.
    pub fn sentence(&self) -> String {
        let Self { incident: _, reason, author, approver, exclusions, opened_again, until: _ } = self;
        let again = if *opened_again { OPENED_AGAIN } else { "" };
        let what = self.what();
        format!("{what} by {author}, approved by {approver}: {reason} (given back by {}){again}", words::list(exclusions, 3))
    }

    /// What was marked, in a few words: `false positive`, or of what has opened again `false positive until 2026-11-26 18:57 UTC`.
    pub fn what(&self) -> String {
        match self.until.filter(|_| self.opened_again) {
            Some(until) => format!("false positive until {}", until.strftime("%Y-%m-%d %H:%M UTC")),
            None => "false positive".to_owned(),
        }
    }

    /// Why it was none, and whether it has opened again since.
    pub fn reason_told(&self) -> String {
        format!("{}{}", self.reason, if self.opened_again { OPENED_AGAIN } else { "" })
    }
}

impl From<&Marked> for ReportedFalsePositive {
    fn from(marked: &Marked) -> Self {
        Self {
            incident: marked.incident.to_string(),
            reason: marked.reason.clone(),
            author: marked.author.clone(),
            approver: marked.approver.clone(),
            exclusions: marked.exclusions.iter().map(ToString::to_string).collect(),
            opened_again: marked.opened_again,
            until: marked.until.map(instant),
        }
    }
}

/// A member of a journey, with what it did to it in the week.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedMember {
    /// `service/name`.
    pub slo: String,
    /// Slices that it cost the journey, by its weight. Where all members are needed, one that is bad for several counts for each.
    pub bad: Events,
    /// All slices of the week that were bad for the journey.
    pub journey_bad: Events,
    /// Time of slices in which it was not seen.
    pub unseen_seconds: f64,
}

impl ReportedMember {
    /// What it cost: `5 of 7 bad slices`.
    pub fn costs(&self) -> String {
        told::member_cost(self.bad.0, self.journey_bad.0)
    }

    /// For how long it was not seen.
    pub fn unseen(&self) -> String {
        words::duration(Duration::try_from_secs_f64(self.unseen_seconds.round()).unwrap_or_default())
    }
}

impl From<&MemberWeek> for ReportedMember {
    fn from(member: &MemberWeek) -> Self {
        Self {
            slo: path(&member.slo),
            bad: Events(member.bad),
            journey_bad: Events(member.journey_bad),
            unseen_seconds: member.unseen.as_secs_f64(),
        }
    }
}

/// A budget's week. Figures of the budget are of the window that ends where the week ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedBudget {
    /// `FREEZE`, `CANNOT SAY`, `CAREFUL`, `SHIP`.
    pub verdict: String,
    /// The icon before the word.
    pub icon: String,
    /// The rule that says so, with its figures.
    pub because: String,
    /// `tenant:service/name{group}#objective`.
    pub id: String,
    /// A short name for it in addresses: `?budget=`.
    pub key: String,
    /// Of which service.
    pub service: String,
    /// Of which SLO.
    pub slo: String,
    /// Which objective.
    pub objective: String,
    /// True where another objective of the SLO has the same target over the same window: this one is told by its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told_by_name: bool,
    /// Label and value, sorted; empty where the SLO is not split.
    pub group: Vec<(String, String)>,
    /// What is promised.
    pub title: String,
    /// Who is responsible.
    pub team: String,
    /// The state at the end of the week: `BURNING`, `CANNOT SEE`, `SPENT`, `BACK-FILLING`, `NO TRAFFIC`, `OK`, `SHADOW`, `SUSPENDED`.
    pub state: String,
    /// Of an SLO that told nobody then: `○ SHADOW`, `· SUSPENDED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells_nobody: Option<String>,
    /// Target in percent, as written.
    pub target_percent: String,
    /// The window as a table names it: `30d`, `calendar month, Europe/Berlin`.
    pub window: String,
    /// Good events of the window.
    pub good: Events,
    /// Bad events of the window.
    pub bad: Events,
    /// Share of good events.
    pub sli_ratio: Option<f64>,
    /// Share of the budget that is left; negative when overspent.
    pub left_ratio: Option<f64>,
    /// The same as time of total outage.
    pub left_seconds: Option<f64>,
    /// The whole budget as such time.
    pub budget_seconds: Option<u64>,
    /// Why nothing is said to be left: `not seen`, `no traffic`.
    pub no_left: Option<String>,
    /// How many more failed in the window than were allowed; negative where fewer did.
    pub beyond: f64,
    /// What is left now minus what was left at the beginning of the week, as a share of the budget.
    pub change_ratio: Option<f64>,
    /// The same as time of total outage.
    pub change_seconds: Option<f64>,
    /// Why it cannot be compared.
    pub no_change: Option<String>,
    /// Failed events of the week; a tolerated one is half failed.
    pub failed_in_week: f64,
    /// All events of the week.
    pub total_in_week: Events,
    /// Share of the budget that the week's failures are.
    pub spent_ratio: Option<f64>,
    /// Why nothing is said to be spent: `not seen`, `no traffic`.
    pub no_spent: Option<String>,
    /// Which incidents spent it, the largest part first.
    pub burns: Vec<IncidentSpend>,
    /// Failed events outside of every incident.
    pub unattributed: f64,
    /// Of a journey: its members, the one that cost most first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<ReportedMember>,
    /// What corrected its figures; absent where nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrected: Option<ReportedCorrections>,
    /// Share of the week that was seen.
    pub seen_ratio: f64,
    /// Share of the window that was seen.
    pub coverage_ratio: f64,
    /// What the rest may hide.
    #[serde(default)]
    pub unseen: Option<UnseenShare>,
    /// Why it cannot be seen.
    pub unknown: Option<Why>,
}

/// What corrected a budget's figures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedCorrections {
    /// What of its window is excluded, as in its status.
    pub excluded: Option<ExcludedShare>,
    /// By which exclusions: `X-1`.
    pub exclusions: Vec<String>,
    /// The same as people read it: `2 h by X-1`; empty where nothing is.
    pub excluded_words: String,
    /// Failed events of the week more, from samples that came late.
    pub late_failed: f64,
    /// Events of the week more.
    pub late_total: Events,
    /// Time of the week that is unseen, more; negative where they fill it.
    pub late_unseen_seconds: f64,
    /// The same as people read it: `all +1,240, failed +3`; empty where none came.
    pub late_words: String,
}

impl ReportedCorrections {
    fn of(row: &Row) -> Option<Self> {
        let (then, late) = (&row.then, row.corrections.late);
        row.is_corrected().then(|| Self {
            excluded: ExcludedShare::of(then.excluded, then.unit),
            exclusions: row.corrections.exclusions.iter().map(ToString::to_string).collect(),
            excluded_words: told::excluded(&then.excluded, &row.corrections.exclusions).unwrap_or_default(),
            late_failed: row.late_failed(),
            late_total: Events(then.unit.count(late.total())),
            late_unseen_seconds: late.unseen_millis as f64 / 1000.0,
            late_words: told::late(late, row.late_failed(), then.unit).unwrap_or_default(),
        })
    }
}

/// What an incident spent of a budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncidentSpend {
    /// Which incident.
    pub incident: String,
    /// Failed events.
    pub failed: f64,
    /// Share of the budget.
    pub spent_ratio: Option<f64>,
}

/// One of the biggest burns.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedBurn {
    /// Of which budget.
    pub budget: String,
    /// Its `key`.
    pub key: String,
    /// The same as people name it: `checkout/availability for acme`.
    pub subject: String,
    /// `service/name` of its SLO.
    pub slo: String,
    /// In which incident; absent: no incident explains it.
    pub incident: Option<String>,
    /// What failed: events, or seconds of slices of time.
    pub failed: f64,
    /// The same as people read it: `545`, `16 min`.
    #[serde(default)]
    pub failed_words: String,
    /// Share of the budget.
    pub spent_ratio: Option<f64>,
}

/// A stretch in which burnward could not see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BlindStretch {
    /// The incident that told it.
    pub incident: String,
    /// The source or service.
    pub subject: String,
    /// Since when.
    pub from: Instant,
    /// Until when; absent: it still cannot.
    pub to: Option<Instant>,
    /// `service/name` of each reported SLO that was hidden.
    pub hid: Vec<String>,
}

/// What a week cost a team.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedTeam {
    /// Which team.
    pub team: String,
    /// Incidents that paged.
    pub incidents: usize,
    /// Tickets.
    pub tickets: usize,
    /// How many of both are not over.
    pub open: usize,
    /// How many of these a person resolved while they go on.
    #[serde(default)]
    pub goes_on: usize,
    /// Pages to people.
    pub pages: usize,
    /// Pages to each person, the most first.
    pub people: Vec<ReportedPerson>,
    /// How long acknowledgements took.
    pub to_acknowledge: Option<ReportedTimes>,
    /// How many incidents nobody acknowledged.
    pub not_acknowledged: usize,
    /// How long incidents lasted.
    pub to_resolve: Option<ReportedTimes>,
}

/// The pages of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportedPerson {
    /// Who.
    pub person: String,
    /// How many.
    pub pages: usize,
    /// How many from 22:00 to 07:00 in the report's zone.
    pub at_night: usize,
    /// How many did not arrive.
    pub undelivered: usize,
}

/// How long something took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ReportedTimes {
    /// Half of them took no longer.
    pub median_seconds: f64,
    /// The longest.
    pub longest_seconds: f64,
    /// How many there are.
    pub count: usize,
}

impl WeekReport {
    /// A report for the wire.
    pub fn of(weekly: &Weekly) -> Self {
        let Weekly { tenant, team, whose, week, as_of, asof, report, false_positives, not_run_then } = weekly;
        Self {
            schema: "burnward/v1/report-week".to_owned(),
            tenant: tenant.to_string(),
            team: team.as_ref().map(ToString::to_string),
            whose: whose.clone(),
            week: week.name.clone(),
            title: week.to_string(),
            from: instant(week.over.from),
            to: instant(week.over.to),
            timezone: week.zone.to_string(),
            whole: week.whole,
            as_of: instant(*as_of),
            figures: asof.word().to_owned(),
            note: weekly.note(),
            not_run_then: not_run_then.iter().map(path).collect(),
            budgets: report.rows.iter().map(ReportedBudget::from).collect(),
            burns: report.burns.iter().map(ReportedBurn::from).collect(),
            blind: report.blind.iter().map(BlindStretch::from).collect(),
            teams: report.teams.iter().map(ReportedTeam::from).collect(),
            false_positives: false_positives.iter().map(ReportedFalsePositive::from).collect(),
        }
    }
}

impl ReportedBudget {
    /// The SLO as a report names it: `checkout/availability`, `checkout/latency ○ SHADOW`.
    pub fn named(&self) -> String {
        let silent = self.tells_nobody.as_ref().map_or_else(String::new, |silent| format!(" {silent}"));
        format!("{}/{}{silent}", self.service, self.slo)
    }

    /// What is promised, as this text tells it, with the objective's name where another one reads the same: `99.9 % over 30d (objective minutes)`.
    pub fn promise(&self, told: &str) -> String {
        words::promise(told, self.told_by_name.then_some(self.objective.as_str()))
    }

    /// Between what is left, where the two differ as they are shown: `60 % to 71 % left`.
    pub fn left_between(&self) -> Option<String> {
        self.unseen.as_ref()?.left_between(self.left_seconds?, self.budget_seconds?)
    }
}

impl From<&Row> for ReportedBudget {
    fn from(row: &Row) -> Self {
        let then = &row.then;
        let why = |missing: Missing| missing.words().to_owned();
        let (change_ratio, change_seconds, no_change) = match row.change {
            Change::By { ratio, seconds } => (Some(ratio), Some(seconds), None),
            Change::None(why) => (None, None, Some(why.words().to_owned())),
        };
        // The figures are those of every other surface.
        let figures = Budget::described(None, then);
        Self {
            verdict: row.judged.verdict.word().to_owned(),
            icon: row.judged.verdict.icon().to_owned(),
            because: row.judged.because.clone(),
            id: figures.id,
            key: figures.key,
            service: figures.service,
            slo: figures.slo,
            objective: figures.objective,
            told_by_name: row.told_by_name.is_some(),
            group: figures.group,
            title: row.title.clone(),
            team: row.team.to_string(),
            tells_nobody: figures.tells_nobody.map(|_| format!("{} {}", figures.icon, figures.state)),
            state: figures.state,
            target_percent: figures.target_percent,
            window: words::window(&then.window),
            good: figures.good,
            bad: figures.bad,
            sli_ratio: figures.sli_ratio,
            left_ratio: figures.left_ratio,
            left_seconds: figures.left_seconds,
            budget_seconds: figures.budget_seconds,
            no_left: row.missing_left().map(why),
            beyond: row.beyond(),
            change_ratio,
            change_seconds,
            no_change,
            failed_in_week: row.failed(),
            total_in_week: Events(row.total()),
            spent_ratio: row.spent,
            no_spent: row.missing_spent().map(why),
            burns: row.burns.iter().map(IncidentSpend::from).collect(),
            unattributed: row.unattributed,
            members: row.members.iter().map(ReportedMember::from).collect(),
            corrected: ReportedCorrections::of(row),
            seen_ratio: row.seen,
            coverage_ratio: figures.coverage_ratio,
            unseen: figures.unseen,
            unknown: figures.unknown,
        }
    }
}

impl From<&Spend> for IncidentSpend {
    fn from(spend: &Spend) -> Self {
        Self { incident: spend.incident.to_string(), failed: spend.failed, spent_ratio: spend.share }
    }
}

impl From<&Burn> for ReportedBurn {
    fn from(burn: &Burn) -> Self {
        let slo = path(&burn.budget.slo);
        let group = &burn.budget.group;
        Self {
            budget: burn.budget.to_string(),
            key: budget_key(&burn.budget),
            subject: if group.is_whole() { slo.clone() } else { format!("{slo} for {}", group.values()) },
            slo,
            incident: burn.incident.as_ref().map(ToString::to_string),
            failed: burn.failed,
            failed_words: told::failures(burn.failed, burn.unit),
            spent_ratio: burn.share,
        }
    }
}

impl From<&Blind> for BlindStretch {
    fn from(blind: &Blind) -> Self {
        Self {
            incident: blind.incident.to_string(),
            subject: blind.subject.clone(),
            from: instant(blind.from),
            to: blind.to.map(instant),
            hid: blind.hid.iter().map(path).collect(),
        }
    }
}

impl From<&TeamWeek> for ReportedTeam {
    fn from(team: &TeamWeek) -> Self {
        let people = team.people.iter().map(|person| ReportedPerson {
            person: person.person.to_string(),
            pages: person.pages,
            at_night: person.at_night,
            undelivered: person.undelivered,
        });
        Self {
            team: team.team.to_string(),
            incidents: team.incidents,
            tickets: team.tickets,
            open: team.open,
            goes_on: team.goes_on,
            pages: team.pages(),
            people: people.collect(),
            to_acknowledge: team.to_acknowledge.map(ReportedTimes::from),
            not_acknowledged: team.not_acknowledged,
            to_resolve: team.to_resolve.map(ReportedTimes::from),
        }
    }
}

impl From<Times> for ReportedTimes {
    fn from(times: Times) -> Self {
        let seconds = |span: Duration| span.as_secs_f64();
        Self { median_seconds: seconds(times.median), longest_seconds: seconds(times.longest), count: times.count }
    }
}

fn path(slo: &SloId) -> String {
    format!("{}/{}", slo.service, slo.name)
}
