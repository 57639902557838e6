//! A budget with its rows, and why it cannot be seen.

use std::{sync::Arc, time::Duration};

use burnward_core::{
    budget::{BudgetLeft, Unseen},
    burn_rate::{HeldBack, RowBurn, Verdict},
    evaluate::BudgetStatus,
    explain,
    id::BudgetId,
    ledger::Unknown,
    sli::Sli,
    slo::{CountedIn, NoDataThen, Slo},
    units::EventUnit,
    window::Window,
    words,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize, Serializer};

use super::{Events, ExcludedShare, FiguresReach, JourneyMember, instant, urgency};
use crate::{definition::document::version_of, view::View};

/// A budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Budget {
    /// `tenant:service/name{group}#objective`.
    pub id: String,
    /// A short name for it in addresses, whatever its labels hold: `?budget=`.
    pub key: String,
    /// Whose.
    pub tenant: String,
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
    /// Who is paged.
    pub team: String,
    /// `BURNING`, `CANNOT SEE`, `SPENT`, `BACK-FILLING`, `NO TRAFFIC`, `OK`; of an SLO that tells nobody, `SHADOW` or `SUSPENDED`.
    pub state: String,
    /// Of an SLO that tells nobody: why, and the state that its budget would have otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells_nobody: Option<TellsNobody>,
    /// The icon before the word.
    pub icon: String,
    /// Rows are above their burn rates and tell nobody, and no alert is open: why, in a few words that stand beside the state. `held back: few events` (their
    /// failures may be chance), `held back: young history` (too little of their lookbacks is counted); `rows` and the explanation hold the arithmetic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<String>,
    /// Since when it burns or cannot be seen.
    pub since: Option<Instant>,
    /// Target in percent, as written.
    pub target_percent: String,
    /// The window as the definition writes it: `30d`, `calendar month`.
    pub window: String,
    /// The time zone of a calendar window.
    pub timezone: Option<String>,
    /// When the window begins: of a calendar window the present period.
    pub window_from: Instant,
    /// When it ends: of a rolling window, now.
    pub window_to: Instant,
    /// How long it is.
    pub window_seconds: u64,
    /// What is counted: `events`, `slices of 1 min` of a kind that judges them; of an objective that is counted in time, `in slices of 1 min`.
    #[serde(default)]
    pub counted: String,
    /// What `good` and `bad`, here and in `rows`, are numbers of: `events` (of a kind that judges slices of time: `slices`), or `seconds` of slices where the objective is counted in time.
    #[serde(default)]
    pub unit: String,
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
    /// Share of the budget that will be left when a calendar window ends, at the rate so far.
    pub forecast_ratio: Option<f64>,
    /// How long the rest lasts at the present rate; absent where that is beyond the window: its length, or the end of a calendar window.
    pub runs_out_seconds: Option<u64>,
    /// What of the window people took out of the budget.
    pub excluded: Option<ExcludedShare>,
    /// Share of the window that was seen.
    pub coverage_ratio: f64,
    /// How much of the window's beginning is still to be read: until then the figures are of the rest, while alerts are decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_fill_seconds: Option<u64>,
    /// What the rest may hide; absent where all was seen since counting began, where nothing is known of what is left, and while a part is still to be read.
    #[serde(default)]
    pub unseen: Option<UnseenShare>,
    /// Timestamp of the newest sample.
    pub newest_sample: Option<Instant>,
    /// When it was evaluated.
    pub as_of: Instant,
    /// Why it cannot be seen.
    pub unknown: Option<Why>,
    /// Every alert row with its arithmetic.
    pub rows: Vec<Row>,
    /// The members of a journey, in the order of its definition; empty for any other SLO.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<JourneyMember>,
    /// Of a moment of the past: how far the figures reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<FiguresReach>,
}

/// Budgets that are written one after another: of thousands there is never more than one in this shape.
#[derive(Debug, Clone)]
pub struct Budgets {
    /// Which SLOs they are of.
    pub view: Arc<View>,
    /// How they stand.
    pub statuses: Arc<Vec<BudgetStatus>>,
}

impl Budgets {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Budget> {
        self.statuses.iter().map(|status| Budget::of(&self.view, status))
    }
}

impl Serialize for Budgets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// That nobody is told of a budget, whatever becomes of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TellsNobody {
    /// `shadow` or `suspended`.
    pub status: String,
    /// The state that it would have as a budget of an active SLO: `BURNING`.
    pub state_if_active: String,
    /// Of a suspended one: why, in the words of its document.
    pub reason: Option<String>,
    /// Of a suspended one: when it is active again by itself.
    pub until: Option<Instant>,
}

impl TellsNobody {
    fn of(status: &BudgetStatus) -> Option<Self> {
        let suspension = status.status.suspension();
        status.tells_nobody().then(|| Self {
            status: status.status.word().to_owned(),
            state_if_active: status.state.word().to_owned(),
            reason: suspension.map(|suspension| suspension.reason.clone()),
            until: suspension.map(|suspension| instant(suspension.until)),
        })
    }

    /// What it means, in a sentence; `time` writes a moment.
    pub fn sentence(&self, time: impl Fn(Instant) -> String) -> String {
        match (&self.reason, self.until) {
            (Some(reason), Some(until)) => format!("suspended until {}: {reason}; nothing is decided, and counting goes on", time(until)),
            (_, _) => format!("in shadow: decided as any other, and nobody is told; as an active SLO it would be {}", self.state_if_active),
        }
    }
}

/// What unseen time may hide of a budget. For showing: alerts are decided on measured events alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnseenShare {
    /// How much of the window nobody saw since counting began.
    pub seconds: f64,
    /// How many events may have happened in it: its length at the rate of what was seen, or one for each slice of time.
    pub events: Events,
    /// Share of the budget that is left if all of them failed.
    pub least_left_ratio: f64,
    /// Share of the budget that is left if none did.
    pub most_left_ratio: f64,
    /// True where the SLO counts them as bad.
    pub counts_as_bad: bool,
}

impl UnseenShare {
    /// Between what a budget of so many seconds is left, where the two differ as they are shown: `60 % to 71 % left`.
    pub(super) fn left_between(&self, seconds: f64, whole_seconds: u64) -> Option<String> {
        let left = |ratio| BudgetLeft { ratio, seconds, whole: Duration::from_secs(whole_seconds) };
        let (least, most) = (left(self.least_left_ratio), left(self.most_left_ratio));
        words::unseen_left(&Unseen { time: Duration::ZERO, events: 0, least, most })
    }

    fn of(unseen: &Unseen, no_data: NoDataThen, unit: EventUnit) -> Self {
        Self {
            seconds: unseen.time.as_secs_f64(),
            events: Events(unit.count(unseen.events)),
            least_left_ratio: unseen.least.ratio,
            most_left_ratio: unseen.most.ratio,
            counts_as_bad: no_data == NoDataThen::CountAsBad,
        }
    }
}

/// An alert row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// `page` or `ticket`.
    pub urgency: String,
    /// The threshold.
    pub factor: f64,
    /// The long lookback.
    pub long_seconds: u64,
    /// The short lookback.
    pub short_seconds: u64,
    /// Bad events over the long lookback.
    pub long_bad: Events,
    /// All events over the long lookback.
    pub long_total: Events,
    /// Bad events over the short lookback.
    pub short_bad: Events,
    /// All events over the short lookback.
    pub short_total: Events,
    /// Burn rate over the long lookback.
    pub long_burn: f64,
    /// Burn rate over the short lookback.
    pub short_burn: f64,
    /// Both are above the threshold, and it is not held back.
    pub holds: bool,
    /// Both are above the threshold, and so few events may yet fail by chance: how likely at least so many failures are while the target is met.
    pub held_back_chance: Option<f64>,
    /// Both are above the threshold, and of the long lookback only so much is counted: had the rest no failure, it would not be.
    pub held_back_counted_seconds: Option<u64>,
}

impl Row {
    /// Its burn rates, short and long: `152x / 14.6x`; `no burn`, `no traffic` where that is true of both.
    pub fn burns(&self) -> String {
        let one = |burn: f64, total: Events| if total.any() { words::burn(burn) } else { "no traffic".to_owned() };
        match (self.short_total.any(), self.long_total.any()) {
            (false, false) => "no traffic".to_owned(),
            (_, true) if self.short_burn <= 0.0 && self.long_burn <= 0.0 => "no burn".to_owned(),
            (_, _) => format!("{} / {}", one(self.short_burn, self.short_total), one(self.long_burn, self.long_total)),
        }
    }
}

/// Why something cannot be seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Why {
    /// The stable code.
    pub reason: String,
    /// The sentence.
    pub detail: String,
}

impl From<&Unknown> for Why {
    fn from(unknown: &Unknown) -> Self {
        Self { reason: unknown.reason.code().to_owned(), detail: unknown.detail.clone() }
    }
}

/// The hash of a budget's identity: an address of one length, whatever the source sent as labels.
pub fn budget_key(budget: &BudgetId) -> String {
    version_of(&budget.to_string())
}

/// A window as definitions write it.
pub(super) fn window(window: &Window) -> String {
    match window {
        Window::Rolling(length) => words::lookback(*length),
        Window::Calendar { period, .. } => format!("calendar {}", period.word()),
    }
}

pub(super) fn timezone(window: &Window) -> Option<String> {
    match window {
        Window::Rolling(_) => None,
        Window::Calendar { zone, .. } => Some(zone.to_string()),
    }
}

impl Budget {
    /// Between what is left, where the two differ as they are shown: `60 % to 71 % left`.
    pub fn left_between(&self) -> Option<String> {
        self.unseen.as_ref()?.left_between(self.left_seconds?, self.budget_seconds?)
    }

    /// That a part of the window is still to be read, and how much: `27 d 4 h of 30d still to be read`.
    pub fn still_to_read(&self) -> Option<String> {
        self.to_fill_seconds.map(|seconds| format!("{} of {} still to be read", words::duration(Duration::from_secs(seconds)), self.window))
    }

    /// The window as a table names it: `30d`, `calendar month, Europe/Berlin`.
    pub fn window_named(&self) -> String {
        self.timezone.as_ref().map_or_else(|| self.window.clone(), |zone| format!("{}, {zone}", self.window))
    }

    /// What is promised, as this text tells it, with the objective's name where another one reads the same: `99.9 % over 30d (objective minutes)`.
    pub fn promise(&self, told: &str) -> String {
        words::promise(told, self.told_by_name.then_some(self.objective.as_str()))
    }

    /// When it runs out at the present rate: `in 3 h 22 m`, `gone`, `nothing burns`, `not within 30d`.
    pub fn runs_out(&self) -> String {
        let window = || if self.timezone.is_some() { "the period".to_owned() } else { self.window.clone() };
        match (self.left_ratio, self.runs_out_seconds) {
            (None, _) if self.unknown.is_some() => "cannot say".to_owned(),
            (None, _) => "nothing burns".to_owned(),
            (Some(ratio), _) if ratio <= 0.0 => "gone".to_owned(),
            (Some(_), Some(seconds)) => format!("in {}", words::duration(Duration::from_secs(seconds))),
            (Some(_), None) if self.unknown.is_some() => "cannot say".to_owned(),
            (Some(_), None) => match self.fastest() {
                None => "not computed, no alert row gives a rate".to_owned(),
                Some(row) if row.short_burn > 0.0 => format!("not within {}", window()),
                Some(_) => "nothing burns".to_owned(),
            },
        }
    }

    /// The alert row with the shortest short lookback.
    pub fn fastest(&self) -> Option<&Row> {
        self.rows.iter().min_by_key(|row| row.short_seconds)
    }

    /// A budget of a view.
    pub fn of(view: &View, status: &BudgetStatus) -> Self {
        Self::described(view.slos.get(&status.budget.slo).map(AsRef::as_ref), status)
    }

    /// A budget of an SLO, where that is known.
    pub(super) fn described(definition: Option<&Slo>, status: &BudgetStatus) -> Self {
        let BudgetId { slo, objective, group } = &status.budget;
        Self {
            id: status.budget.to_string(),
            key: budget_key(&status.budget),
            tenant: slo.tenant.to_string(),
            service: slo.service.to_string(),
            slo: slo.name.to_string(),
            objective: objective.to_string(),
            told_by_name: definition.is_some_and(|slo| slo.told_by_name(objective).is_some()),
            group: group.labels().to_vec(),
            title: definition.map(|slo| slo.title.clone()).unwrap_or_default(),
            team: definition.map(|slo| slo.team.to_string()).unwrap_or_default(),
            state: status.word().to_owned(),
            icon: status.icon().to_owned(),
            held_back: explain::held_back_in_short(status),
            tells_nobody: TellsNobody::of(status),
            since: status.since.map(instant),
            target_percent: status.target.as_percent(),
            window: window(&status.window),
            timezone: timezone(&status.window),
            window_from: instant(status.over.from),
            window_to: instant(status.over.to),
            window_seconds: status.over.length().as_secs(),
            counted: match status.counted_in {
                CountedIn::Events => definition.map_or_else(|| "events".to_owned(), |slo| words::counted(&slo.sli)),
                CountedIn::Slices(rule) => format!("in slices of {}", words::duration(rule.length)),
            },
            unit: unit(status, definition).to_owned(),
            good: Events(status.unit.count(status.counts.good)),
            bad: Events(status.unit.count(status.counts.bad)),
            sli_ratio: status.sli,
            left_ratio: status.left.map(|left| left.ratio),
            left_seconds: status.left.map(|left| left.seconds),
            budget_seconds: status.left.map(|left| whole_seconds(left.whole)),
            forecast_ratio: status.forecast.map(|left| left.ratio),
            runs_out_seconds: status.runs_out.map(|rest| rest.as_secs()),
            excluded: ExcludedShare::of(status.excluded, status.unit),
            coverage_ratio: status.coverage,
            to_fill_seconds: Some(status.to_fill.as_secs()).filter(|seconds| *seconds > 0),
            unseen: status.unseen.as_ref().map(|unseen| UnseenShare::of(unseen, status.no_data, status.unit)),
            newest_sample: status.newest_sample.map(instant),
            as_of: instant(status.as_of),
            unknown: status.unknown.as_ref().map(Why::from),
            rows: status.rows.iter().map(|burn| Row::of(burn, status.unit)).collect(),
            members: JourneyMember::all(definition, status),
            reach: None,
        }
    }
}

/// What the numbers of good and bad are numbers of.
fn unit(status: &BudgetStatus, definition: Option<&Slo>) -> &'static str {
    match (status.counted_in, definition.map(|slo| &slo.sli)) {
        (CountedIn::Slices(_), _) => "seconds",
        (CountedIn::Events, Some(Sli::Presence { .. } | Sli::Window { .. } | Sli::Composite(_))) => "slices",
        (CountedIn::Events, Some(Sli::Events { .. } | Sli::Latency { .. } | Sli::Query { .. } | Sli::Probe { .. }) | None) => "events",
    }
}

/// A budget in seconds, rounded as what is left of it is.
const fn whole_seconds(whole: Duration) -> u64 {
    whole.as_secs() + if whole.subsec_millis() >= 500 { 1 } else { 0 }
}

impl Row {
    /// True where it does not hold although both are above the threshold.
    pub const fn is_held_back(&self) -> bool {
        self.held_back_chance.is_some() || self.held_back_counted_seconds.is_some()
    }

    /// A row of a budget whose counts are in this unit.
    fn of(burn: &RowBurn, unit: EventUnit) -> Self {
        Self {
            urgency: urgency(burn.row.urgency).to_owned(),
            factor: burn.row.factor.as_f64(),
            long_seconds: burn.row.long.as_secs(),
            short_seconds: burn.row.short.as_secs(),
            long_bad: Events(unit.count(burn.long.bad)),
            long_total: Events(unit.count(burn.long.total())),
            short_bad: Events(unit.count(burn.short.bad)),
            short_total: Events(unit.count(burn.short.total())),
            long_burn: burn.long_burn,
            short_burn: burn.short_burn,
            holds: burn.holds(),
            held_back_chance: match burn.verdict {
                Verdict::HeldBack(HeldBack::Chance { probability }) => Some(probability),
                Verdict::HeldBack(HeldBack::Young { .. }) | Verdict::Holds | Verdict::Quiet => None,
            },
            held_back_counted_seconds: match burn.verdict {
                Verdict::HeldBack(HeldBack::Young { counted }) => Some(counted.as_secs()),
                Verdict::HeldBack(HeldBack::Chance { .. }) | Verdict::Holds | Verdict::Quiet => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(short: f64, long: f64, totals: [i64; 2]) -> Row {
        let events = |total| serde_json::from_value(serde_json::json!(total)).expect("a number");
        Row {
            urgency: "page".to_owned(),
            factor: 14.4,
            long_seconds: 3600,
            short_seconds: 300,
            long_bad: events(0),
            long_total: events(totals[1]),
            short_bad: events(0),
            short_total: events(totals[0]),
            long_burn: long,
            short_burn: short,
            holds: false,
            held_back_chance: None,
            held_back_counted_seconds: None,
        }
    }

    #[test]
    fn burn_rates_are_told_as_people_say_them() {
        for (short, long, totals, told) in [
            (152.0, 14.58, [10, 100], "152x / 14.6x"),
            (0.0, 0.0, [10, 100], "no burn"),
            (0.0, 0.3, [10, 100], "0x / 0.3x"),
            (0.02, 0.004, [10, 100], "under 0.1x / under 0.1x"),
            (0.0, 0.3, [0, 100], "no traffic / 0.3x"),
            (0.0, 0.0, [0, 0], "no traffic"),
        ] {
            assert_eq!(row(short, long, totals).burns(), told);
        }
    }
}
