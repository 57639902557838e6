//! An SLO, why it stands as it does, and how its budget was spent.

use std::time::Duration;

use burnward_core::{
    exclusion::ExcludedTime,
    id::{SloId, TenantId},
    slo::{LowTraffic, NewSeries, NoDataThen, NoTraffic, Slo},
    status::{Status, Suspension},
    time::Timestamp,
    words,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{Budget, Definition, Events, ExclusionState, IncidentState, Query, Reading, RowTable, SourcePlace, TakenOut, Told, instant};
use crate::{report::words::utc, store::RunVersion, tasks::decide::Reach, view::View};

/// An SLO: `GET /api/v1/slos/{service}/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SloDetail {
    /// At which moment of the past its budgets stood so; absent of now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Instant>,
    /// Of a moment of the past: `as-corrected` or `as-known-then`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<String>,
    /// Of which service.
    pub service: String,
    /// Its name there.
    pub name: String,
    /// What is promised.
    pub title: String,
    /// Who is paged.
    pub team: String,
    /// The runbook's file.
    pub runbook: Option<String>,
    /// Where it is written.
    pub file: String,
    /// On which line.
    pub line: u32,
    /// Which version of the file runs.
    pub version: String,
    /// That it runs on in an earlier version, because its alert holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldVersion>,
    /// What it does where nothing comes, where nothing happens, and where little does.
    pub policies: Vec<Policy>,
    /// Its budgets, worst first.
    pub budgets: Vec<Budget>,
    /// What was asked for it in the last round, and what came.
    pub queries: Vec<Query>,
}

/// A version of an SLO that ran at a moment of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VersionRan {
    /// The file.
    pub file: String,
    /// Which version of it.
    pub version: String,
    /// Since when it ran.
    pub since: Instant,
}

impl From<&RunVersion> for VersionRan {
    fn from(run: &RunVersion) -> Self {
        Self { file: run.path.clone(), version: run.version.clone(), since: instant(run.since) }
    }
}

/// An SLO that runs on in an earlier version than its file holds, because its alert holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldVersion {
    /// Of which service.
    pub service: String,
    /// Its name there.
    pub slo: String,
    /// The file that it was in.
    pub file: String,
    /// Which version of the file runs.
    pub version: String,
    /// What becomes of it once its alert clears: `changed`, `renamed` or `removed`.
    pub then: String,
    /// The name that it gets then.
    pub renamed_to: Option<String>,
}

impl HeldVersion {
    /// The versions of a tenant that are held.
    pub fn all(view: &View, tenant: &TenantId) -> Vec<Self> {
        view.held.keys().filter(|slo| slo.tenant == *tenant).filter_map(|slo| Self::of(view, slo)).collect()
    }

    /// Of one SLO; `None` where the version of its file runs.
    pub fn of(view: &View, id: &SloId) -> Option<Self> {
        let (next, slo) = (view.held.get(id)?, view.slos.get(id)?);
        let renamed_to = next.as_ref().map(|next| &next.id.name).filter(|name| **name != id.name).map(ToString::to_string);
        Some(Self {
            service: id.service.to_string(),
            slo: id.name.to_string(),
            file: slo.origin.file.clone(),
            version: slo.origin.version.clone(),
            then: match (next, &renamed_to) {
                (None, _) => "removed",
                (Some(_), Some(_)) => "renamed",
                (Some(_), None) => "changed",
            }
            .to_owned(),
            renamed_to,
        })
    }

    /// What that means, in a sentence.
    pub fn sentence(&self) -> String {
        let Self { service, slo, file, version, renamed_to, .. } = self;
        let then = match (self.then.as_str(), renamed_to) {
            (_, Some(name)) => format!("it is called {service}/{name} by now, and goes on by that name once the alert clears"),
            ("removed", None) => "it was removed by now, and ends once the alert clears".to_owned(),
            (_, None) => "its file was changed by now, and the change counts once the alert clears".to_owned(),
        };
        format!("{service}/{slo} runs on in version {version} of {file}, because its alert holds; {then}")
    }
}

/// What an SLO does in a case that its figures alone do not decide.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    /// The key of its definition: `no-data`.
    pub key: String,
    /// What stands there, or would: `tell-owner after 5m`.
    pub value: String,
    /// What that means.
    pub meaning: String,
}

impl Policy {
    /// The policies of an SLO, those that it can have, as they are at a moment.
    pub fn of(slo: &Slo, now: Timestamp) -> Vec<Self> {
        let of = |(key, value, meaning): (&str, String, &str)| Self { key: key.to_owned(), value, meaning: meaning.to_owned() };
        status(slo, now).into_iter().chain(policies(slo)).map(of).collect()
    }
}

/// What its `no-data` says: `tell-owner after 5m`.
pub fn no_data_words(slo: &Slo) -> String {
    format!("{} after {}", slo.no_data.then.word(), words::lookback(slo.no_data.after))
}

/// The status of an SLO whose document gives it one.
fn status(slo: &Slo, now: Timestamp) -> Option<(&'static str, String, &'static str)> {
    let value = match &slo.status {
        Status::Active => return None,
        Status::Shadow => slo.status.word().to_owned(),
        Status::Suspended(Suspension { reason, until }) => format!("{} until {}: {reason}", slo.status.word(), utc(*until)),
    };
    let meaning = match slo.status.at(now) {
        Status::Active => "that moment has passed: it is active again, and the key can go",
        Status::Shadow => "decided as any other, and nobody is told; `burnward shadow` lists what it would have told",
        Status::Suspended(_) => "nothing is decided and nobody is told until then; counting goes on",
    };
    Some(("status", value, meaning))
}

fn policies(slo: &Slo) -> Vec<(&'static str, String, &'static str)> {
    let no_data = match slo.no_data.then {
        NoDataThen::TellOwner => "a ticket to the team when no data comes for so long",
        NoDataThen::Page => "a page to the team when no data comes for so long",
        NoDataThen::CountAsBad => {
            "a ticket to the team when no data comes for so long; what may have happened unseen is counted as bad in the budgets"
        }
    };
    let no_traffic = match slo.no_traffic {
        NoTraffic::Fine => ("fine".to_owned(), "without events nothing failed, and nobody is told"),
        NoTraffic::TellOwner { after } => (
            format!("tell-owner after {}", words::lookback(after)),
            "a ticket to the team when none of its groups had an event for so long",
        ),
    };
    let new_series = match slo.new_series {
        NewSeries::Auto => "a first value counts where its target was seen without it one scrape before, or has started since",
        NewSeries::CountFirst => "a first value counts wherever the source was scraped just before",
        NewSeries::Baseline => "a first value is where counting starts",
    };
    let low_traffic = match slo.low_traffic {
        LowTraffic::Exact => ("exact", "a page is held back while so few events may fail by chance"),
        LowTraffic::Off => ("off", "the burn rates alone decide"),
    };
    let excluded_time = match slo.excluded_time {
        ExcludedTime::Removed => "events of excluded time are taken out",
        ExcludedTime::CountsAsGood => "events of excluded time count as good",
    };
    let mut all = vec![("no-data", no_data_words(slo), no_data)];
    if slo.sli.can_be_silent() {
        all.push(("no-traffic", no_traffic.0, no_traffic.1));
    }
    if slo.sli.counts_counters() {
        all.push(("new-series", slo.new_series.word().to_owned(), new_series));
    }
    all.push(("low-traffic", low_traffic.0.to_owned(), low_traffic.1));
    all.push(("excluded-time", slo.excluded_time.word().to_owned(), excluded_time));
    all
}

/// Why an SLO stands as it does: `GET /api/v1/slos/{service}/{name}/explain`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SloExplanation {
    /// At which moment.
    pub at: Instant,
    /// True where the moment lies in the past and the figures are the ledger's of today for it.
    pub replayed: bool,
    /// `as-corrected`: with everything that is recorded by now; `as-known-then`: with what was recorded at that moment.
    pub figures: String,
    /// The version that ran at that moment, where the figures are judged by another: as corrected, by the one that runs now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_then: Option<VersionRan>,
    /// The definition that ran at that moment, and what the one before it said; absent where no version is noted, as before the first start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Definition>,
    /// Of a moment of the past: what is still known of it, and what is not, in sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// The SLO.
    pub slo: SloDetail,
    /// Who was told that nobody sees it or that nothing happens in it, where that was so at that moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// What people took out of its budgets, or took back, newest first.
    pub exclusions: Vec<ExclusionState>,
    /// Its budgets.
    pub budgets: Vec<ExplainedBudget>,
    /// The incidents of which its alerts are or were members, newest first, of the last 200 incidents.
    pub incidents: Vec<IncidentState>,
}

/// How a budget was spent over its window: `GET /api/v1/slos/{service}/{name}/burn-down`.
///
/// The budget is that of the window that ends at `to`, or of the calendar period that holds it. Before a point, what failed after it is not yet spent; so
/// the last point is what is left, to the digit that every other surface shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnDown {
    /// Which budget.
    pub budget: String,
    /// Where the first slice begins.
    pub from: Instant,
    /// Where the last slice ends.
    pub to: Instant,
    /// True where nothing was counted in the window before `from`.
    pub nothing_before: bool,
    /// Of a calendar window: since when anything was counted, where that is later than `from`; up to there the points are unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_from: Option<Instant>,
    /// The whole period of a calendar window.
    pub period: Option<BurnDownPeriod>,
    /// Share of the budget that was left at `from`.
    pub left_ratio_at_start: f64,
    /// The slices, oldest first.
    pub points: Vec<BurnDownPoint>,
}

/// The period of a calendar window.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnDownPeriod {
    /// When it begins; the period before it ends there.
    pub from: Instant,
    /// When it ends.
    pub to: Instant,
    /// Its time zone.
    pub timezone: String,
    /// Share of the budget that will be left at its end, at the rate so far; `None` without traffic.
    pub forecast_ratio: Option<f64>,
}

/// A slice of a burn-down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnDownPoint {
    /// The end of the slice; it begins where the one before ends.
    pub at: Instant,
    /// Bad events in it; what people took out of the budget is treated as the SLO says.
    pub bad: Events,
    /// All events in it; the same.
    pub total: Events,
    /// Time of it that nobody saw, or counted.
    pub unseen_seconds: f64,
    /// Time of it that people took out of the budget.
    pub excluded_seconds: f64,
    /// Share of the budget that is left at its end.
    pub left_ratio: f64,
}

/// Why a budget stands as it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainedBudget {
    /// Which.
    pub id: String,
    /// Its figures at that moment.
    pub figures: Budget,
    /// The period of a calendar window that they are of.
    #[serde(default)]
    pub period: Option<CalendarPeriod>,
    /// Its state.
    pub state: String,
    /// The icon before the word.
    pub icon: String,
    /// What is left, in a line.
    pub budget: String,
    /// What people took out of it, in a line.
    pub excluded: Option<String>,
    /// Which exclusions do that, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<TakenOut>,
    /// How much of the window was seen, and what the rest may hide, in a line.
    pub seen: String,
    /// What the target allows.
    pub allowed: String,
    /// Where the objective is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<SourcePlace>,
    /// What is read for it; absent of a moment of the past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// Where its rows come from, and what of the default table was left out.
    pub row_table: RowTable,
    /// The rows with their arithmetic.
    pub rows: Vec<ExplainedRow>,
    /// Which rule decided.
    pub decided: String,
    /// What would make its alerts clear.
    pub clears: Vec<String>,
    /// What became of each alert that is open: whom it called, or why nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// Its alert changes of the last 30 days, with the arithmetic of their moment.
    pub changes: Vec<AlertChange>,
    /// How far the figures of a moment of the past reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<FiguresReach>,
}

/// How far the figures of a moment of the past reach, where that is not the moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FiguresReach {
    /// Up to where events are counted: the moment, or the end of the slice that it lies in.
    pub counted_to: Instant,
    /// How much lies behind the moment: of old times only longer slices are kept.
    pub beyond_seconds: f64,
    /// True where no sample up to there is awaited any more, so that the figures stand.
    pub settled: bool,
    /// Over how long at once events are held there, where that is longer than the shortest lookback of an alert row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_over_seconds: Option<u64>,
}

impl FiguresReach {
    /// The reach of the figures of a moment.
    pub fn of(reach: &Reach, at: Timestamp) -> Self {
        Self {
            counted_to: instant(reach.to),
            beyond_seconds: reach.to.since(at).as_secs_f64(),
            settled: reach.settled,
            held_over_seconds: reach.coarse.map(|coarse| coarse.as_secs()),
        }
    }

    /// What somebody should know of it.
    pub fn sentences(&self) -> Vec<String> {
        /// As long as the finest slices.
        const FINEST_SECONDS: f64 = 10.0;
        let beyond = (self.beyond_seconds >= FINEST_SECONDS).then(|| {
            let beyond = words::duration(Duration::from_secs_f64(self.beyond_seconds));
            format!("the figures reach {beyond} beyond the moment, to the end of its slice: of that time no shorter ones are kept")
        });
        let moves =
            (!self.settled).then(|| "samples up to this moment are still awaited: the figures may move until they are settled".to_owned());
        let coarse = self.held_over_seconds.map(|seconds| {
            let grain = words::duration(Duration::from_secs(seconds));
            format!("of that time only sums over {grain} are held: a row with a shorter lookback shows those, and whether it held within them cannot be told")
        });
        beyond.into_iter().chain(coarse).chain(moves).collect()
    }
}

/// A period of the calendar, and the ways to its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarPeriod {
    /// Its name: `October 2026`, `2026-W47`, `Q4 2026`.
    pub name: String,
    /// When it begins.
    pub from: Instant,
    /// When it ends.
    pub to: Instant,
    /// Its time zone.
    pub timezone: String,
    /// True where it has ended, so that its figures are those of the whole period.
    pub ended: bool,
    /// The end of the period before it: `?at=`.
    pub earlier: Instant,
    /// The end of the period after it, where that has ended, too.
    pub later: Option<Instant>,
}

/// The arithmetic of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainedRow {
    /// The condition.
    pub rule: String,
    /// The long lookback.
    pub long: String,
    /// The short lookback.
    pub short: String,
    /// Whether it holds.
    pub holds: bool,
    /// Why it does not although both are above.
    pub held_back: Option<String>,
    /// What decided its outcome: `burn-rate`, `low-traffic`, `young-history`, `no-traffic`, `no-data`, `blind-source`, `back-filling`, `clearing`.
    #[serde(default)]
    pub decided_by: String,
    /// Its outcome in a sentence: why it pages, or why not.
    #[serde(default)]
    pub because: String,
    /// What of its long lookback people took out of the budget, which no row looks at: `5 min of 1h are excluded by X-1; alerts count them`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excluded: Option<String>,
    /// How many series began within its long lookback, and how `new-series` took their first values, as far as the daemon remembers; of those from before
    /// that only how many, where the source was asked for series by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_values: Option<String>,
    /// The same as figures, by rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_values_taken: Vec<FirstValuesTaken>,
    /// Since when that is remembered, where the lookback begins before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_values_known_since: Option<Instant>,
    /// Where it is written; absent of a default row, which follows from the target and the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<SourcePlace>,
}

impl ExplainedRow {
    /// Where it comes from: its place in a file, or the default rows.
    pub fn from(&self) -> String {
        self.place.as_ref().map_or_else(|| "default row".to_owned(), ToString::to_string)
    }
}

/// First values of counters that one rule of `new-series` decided about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstValuesTaken {
    /// Which: `target-seen`, `target-started`, `source-seen`, `went-on`, `policy`, `not-seen`, `origin-unclear`, `other-buckets`, `no-buckets`.
    pub rule: String,
    /// What they were taken for: `events`, or `baseline`.
    pub taken_for: String,
    /// Of how many counters.
    pub counters: usize,
    /// Good events.
    pub good: i64,
    /// Tolerated events.
    pub tolerated: i64,
    /// Bad events.
    pub bad: i64,
}

/// An alert change of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertChange {
    /// When.
    pub at: Instant,
    /// The arithmetic.
    pub why: String,
}
