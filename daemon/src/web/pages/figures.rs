//! A budget in words, as the pages show it. What is missing is said, never shown as nothing.

use std::time::Duration;

use burnward_core::{budget::BudgetLeft, words};
use jiff::Timestamp as Instant;

use super::{
    frame::Links,
    when::{When, ago},
};
use crate::{
    render::visible,
    web::api::wire::{Budget, ExcludedShare, IncidentState, Row},
};

/// Longest value of a label in a table, in characters.
const IN_TABLE: usize = 80;

/// A state as sign and word, with the class of its colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) class: String,
    pub(super) icon: String,
    pub(super) word: String,
}

impl Mark {
    pub(super) fn of(icon: &str, word: &str) -> Self {
        Self { class: format!("state-{}", slug(word)), icon: icon.to_owned(), word: word.to_owned() }
    }

    /// Of an incident's phase.
    pub(super) fn of_phase(incident: &IncidentState) -> Self {
        if let Some(goes_on) = &incident.goes_on {
            return Self { class: "state-burning".to_owned(), ..Self::of("▲", &goes_on.what) };
        }
        match (incident.phase.as_str(), incident.urgency.as_str()) {
            ("acknowledged", _) => Self::of("◆", "ACKNOWLEDGED"),
            ("resolved", _) => Self::of("●", "RESOLVED"),
            (_, "ticket") => Self::of("△", "TICKET OPEN"),
            (_, _) => Self::of("▲", "OPEN"),
        }
    }

    /// Of an alert row.
    fn of_row(row: &Row) -> Self {
        match (row.holds, row.long_total.any()) {
            (false, _) if row.is_held_back() => Self { class: "state-held-back".to_owned(), ..Self::of("◇", "HELD BACK") },
            (true, _) => Self { class: "state-burning".to_owned(), ..Self::of("▲", "HOLDS") },
            (false, false) => Self { class: "state-no-traffic".to_owned(), ..Self::of("–", "NO TRAFFIC") },
            (false, true) => Self { class: "state-ok".to_owned(), ..Self::of("●", "QUIET") },
        }
    }
}

/// A state's word as it stands in addresses and class names: `cannot-see`.
pub(super) fn slug(word: &str) -> String {
    word.to_lowercase().replace(' ', "-")
}

/// An untrusted value: what is hidden in it made visible, cut to fit.
pub(super) fn shown(value: &str) -> String {
    words::cut(&visible(value), IN_TABLE)
}

/// A figure that no line may break.
fn together(figure: &str) -> String {
    figure.replace(' ', "\u{a0}")
}

/// A budget in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) mark: Mark,
    pub(super) href: String,
    /// `checkout/availability`.
    pub(super) name: String,
    /// The values of its group, shortened; empty where the SLO is not split.
    pub(super) group: String,
    pub(super) title: String,
    /// `99.9 % over 30d`.
    pub(super) objective: String,
    /// `99.971 %`.
    pub(super) sli: String,
    /// `71 % left`.
    pub(super) left: String,
    /// `30 m 40 s of 43 m 12 s`.
    pub(super) left_time: Option<String>,
    /// The bar's length in percent; `None`: there is none to draw.
    pub(super) bar: Option<u32>,
    /// `152x / 14.6x`.
    pub(super) burn: String,
    /// `5m / 1h`.
    pub(super) burn_over: Option<String>,
    pub(super) runs_out: String,
    /// How much of a calendar window is to come, and what it comes to.
    pub(super) to_go: Option<String>,
    /// Why it cannot be seen.
    pub(super) why: Option<String>,
    /// Why rows above their burn rates tell nobody, in short.
    pub(super) held_back: Option<String>,
    pub(super) since: Option<When>,
    /// Said where the window was not wholly seen: `97 % of the window seen: 60 % to 71 % left`.
    pub(super) seen: Option<String>,
    /// How much time people took out of the budget: `2 h 30 m`.
    pub(super) excluded: Option<String>,
    /// The newest sample, and how old it is.
    pub(super) newest: Option<When>,
    pub(super) team: String,
}

impl Figures {
    pub(super) fn of(budget: &Budget, links: &Links, now: Instant) -> Self {
        let missing = || missing(budget, now);
        let left = budget_left(budget);
        Self {
            mark: Mark::of(&budget.icon, &budget.state),
            href: links.with(&format!("/slos/{}/{}", budget.service, budget.slo), &[("budget", &budget.key)]),
            name: format!("{}/{}", budget.service, budget.slo),
            group: group_values(&budget.group),
            title: budget.title.clone(),
            objective: budget.promise(&format!("{} % over {}", budget.target_percent, window(budget))),
            sli: budget.sli_ratio.map_or_else(missing, |ratio| together(&format!("{:.3} %", ratio * 100.0))),
            left: left.map_or_else(missing, |left| share_left(&left)),
            left_time: left.map(|left| time_left(&left)),
            bar: left.map(|left| bar(left.ratio)),
            burn: burn(budget).unwrap_or_else(|| no_burn(budget, now)),
            burn_over: budget.fastest().filter(|row| row.long_total.any()).map(lookbacks),
            runs_out: budget.runs_out(),
            to_go: to_go(budget),
            why: budget.unknown.as_ref().map(|why| format!("{} ({})", visible(&why.detail), why.reason)),
            held_back: budget.held_back.clone(),
            since: budget.since.map(|since| When::of(since, now)),
            seen: seen(budget),
            excluded: budget.excluded.as_ref().map(excluded),
            newest: budget.newest_sample.map(|newest| When::of(newest, now)),
            team: budget.team.clone(),
        }
    }
}

fn seen(budget: &Budget) -> Option<String> {
    let between = match (budget.still_to_read(), budget.left_between()) {
        (Some(rest), _) => format!("; {rest}"),
        (None, Some(between)) => format!(": {between}"),
        (None, None) => String::new(),
    };
    (budget.coverage_ratio < 0.9995 || !between.is_empty())
        .then(|| format!("{} of the window seen{between}", words::whole_percent(budget.coverage_ratio)))
}

fn excluded(share: &ExcludedShare) -> String {
    words::duration(Duration::from_secs(share.seconds))
}

/// The values of a group, shortened.
pub(super) fn group_values(group: &[(String, String)]) -> String {
    group.iter().map(|(_, value)| group_value(value)).collect::<Vec<_>>().join(", ")
}

fn group_value(value: &str) -> String {
    if value.is_empty() { "(none)".to_owned() } else { shown(value) }
}

/// Why a figure is not there.
fn missing(budget: &Budget, now: Instant) -> String {
    let unseen_since = budget.since.filter(|_| budget.state == "CANNOT SEE").or(budget.newest_sample);
    match (&budget.unknown, unseen_since) {
        (Some(_), Some(since)) => format!("cannot see since {}", When::of(since, now).text),
        (Some(_), None) => "never seen".to_owned(),
        (None, _) if budget.state == "BACK-FILLING" => "still being read".to_owned(),
        (None, _) => match budget.timezone {
            None => format!("no traffic in {}", window(budget)),
            Some(_) => format!("no traffic in this {}", window(budget)),
        },
    }
}

pub(super) fn window(budget: &Budget) -> String {
    budget.window_named()
}

/// What is left, as the core words it.
fn budget_left(budget: &Budget) -> Option<BudgetLeft> {
    budget_of(budget.left_ratio, budget.left_seconds, budget.budget_seconds)
}

/// What is left of a budget, from the figures of the wire.
pub(super) fn budget_of(ratio: Option<f64>, seconds: Option<f64>, whole_seconds: Option<u64>) -> Option<BudgetLeft> {
    Some(BudgetLeft { ratio: ratio?, seconds: seconds?, whole: Duration::from_secs(whole_seconds?) })
}

/// `71 % left`, `24 % overspent`.
pub(super) fn share_left(left: &BudgetLeft) -> String {
    parted(left).0
}

/// `30 m 40 s of 43 m 12 s`, `10 m 22 s beyond 43 m 12 s`.
pub(super) fn time_left(left: &BudgetLeft) -> String {
    parted(left).1
}

/// The core's words for what is left, the share and the time apart.
fn parted(left: &BudgetLeft) -> (String, String) {
    let words = words::budget_left(left);
    match words.split_once(" (") {
        Some((share, time)) => (share.to_owned(), time.trim_end_matches(')').to_owned()),
        None => (words, String::new()),
    }
}

/// A bar between 0 and 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100 before")]
pub(super) fn bar(ratio: f64) -> u32 {
    (ratio.clamp(0.0, 1.0) * 100.0).round() as u32
}

/// The burn rates of the fastest row, short and long.
fn burn(budget: &Budget) -> Option<String> {
    budget.fastest().filter(|row| row.long_total.any()).map(|row| together(&row.burns()))
}

fn no_burn(budget: &Budget, now: Instant) -> String {
    match budget.fastest() {
        Some(row) if budget.unknown.is_none() => format!("no traffic in {}", words::lookback(Duration::from_secs(row.long_seconds))),
        Some(_) => missing(budget, now),
        None if budget.unknown.is_some() => missing(budget, now),
        None => "no alert rows".to_owned(),
    }
}

fn lookbacks(row: &Row) -> String {
    let lookback = |seconds| words::lookback(Duration::from_secs(seconds));
    format!("{} / {}", lookback(row.short_seconds), lookback(row.long_seconds))
}

/// What a calendar window comes to: `12 d 4 h to go, 38 % left then at the rate so far`.
fn to_go(budget: &Budget) -> Option<String> {
    let (left, forecast) = (budget_left(budget)?, budget.forecast_ratio?);
    let rest = Duration::from_millis(u64::try_from(budget.window_to.as_millisecond() - budget.as_of.as_millisecond()).unwrap_or(0));
    let then = share_left(&BudgetLeft { ratio: forecast, ..left });
    Some(if rest.is_zero() {
        "it has ended".to_owned()
    } else {
        format!("{} to go, {then} then at the rate so far", words::duration(rest))
    })
}

/// An alert row in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RowFigures {
    pub(super) mark: Mark,
    pub(super) urgency: String,
    pub(super) lookbacks: String,
    pub(super) burn: String,
    pub(super) threshold: String,
}

impl RowFigures {
    pub(super) fn of(row: &Row) -> Self {
        Self {
            mark: Mark::of_row(row),
            urgency: row.urgency.clone(),
            lookbacks: lookbacks(row),
            burn: row.burns(),
            threshold: format!("{}x", row.factor),
        }
    }
}

/// An incident as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IncidentFigures {
    pub(super) mark: Mark,
    pub(super) id: String,
    pub(super) href: String,
    pub(super) title: String,
    pub(super) team: String,
    pub(super) began: When,
    /// Who has it, or who is told next and when.
    pub(super) who: String,
    /// How many of its alerts hold.
    pub(super) alerts: String,
    /// What of it was marked as a false positive.
    pub(super) marked: Option<String>,
}

impl IncidentFigures {
    pub(super) fn of(incident: &IncidentState, links: &Links, now: Instant) -> Self {
        let holding = incident.alerts.iter().filter(|alert| alert.recovered_at.is_none()).count();
        let all = words::plural(incident.alerts.len(), "alert");
        Self {
            mark: Mark::of_phase(incident),
            id: incident.id.clone(),
            href: links.to(&format!("/incidents/{}", incident.id)),
            title: visible(&incident.title),
            team: incident.team.clone(),
            began: When::of(incident.began, now),
            who: who(incident, now),
            marked: incident.marked.clone(),
            alerts: if holding == incident.alerts.len() { format!("{all} holding") } else { format!("{holding} of {all} holding") },
        }
    }
}

/// Who has an incident, or what happens if nobody takes it.
pub(super) fn who(incident: &IncidentState, now: Instant) -> String {
    let by = incident.phase_by.as_deref().map(visible).unwrap_or_default();
    let at = incident.phase_at.map_or_else(String::new, |at| format!(" {}", ago(at, now)));
    if let Some(goes_on) = &incident.goes_on {
        let (what, again) = (visible(&goes_on.what_for_whom()), ago(goes_on.opens_again_at, now));
        return format!("Resolved by {by}{at}, {what}; it is open again {again} unless it clears");
    }
    match (incident.phase.as_str(), incident.urgency.as_str(), incident.escalates_at) {
        ("acknowledged", _, _) => format!("{by} has it, acknowledged{at}"),
        ("resolved", _, _) => format!("Resolved by {by}{at}"),
        (_, "ticket", _) => format!("Team {} was told, nobody is paged", incident.team),
        (_, _, Some(due)) => format!("Nobody has it; the next step is paged {}", ago(due, now)),
        (_, _, None) => "Nobody has it; every step was paged".to_owned(),
    }
}
