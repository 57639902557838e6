//! Evaluation of one budget at one moment: budget, burn rates, alert step, and the why of it.

use std::time::Duration;

use crate::{
    alert::{AlertChange, AlertState},
    budget::BudgetLeft,
    burn_rate::RowBurn,
    id::BudgetId,
    ledger::{Counts, Sums, Unknown},
    slo::{Objective, Slo},
    time::Timestamp,
    units::Target,
};

/// What a budget is evaluated from.
pub struct Input<'a> {
    /// Sums over lookbacks that end now, or why there are none.
    pub sums: Result<&'a dyn Sums, Unknown>,
    /// Timestamp of the newest sample that the sums hold.
    pub newest_sample: Option<Timestamp>,
    /// From when on the ledger holds this budget's events; later than `now - window`: the window is not yet full.
    pub counted_from: Option<Timestamp>,
    /// True while older history is being filled in: nothing is decided.
    pub catching_up: bool,
}

/// A budget as it stands: what every surface shows.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetStatus {
    /// Which budget.
    pub budget: BudgetId,
    /// Its state in one word.
    pub state: State,
    /// Since when the page, ticket or blindness holds.
    pub since: Option<Timestamp>,
    /// The target.
    pub target: Target,
    /// The window.
    pub window: Duration,
    /// Counted over the window.
    pub counts: Counts,
    /// Share of good events over the window; `None` without traffic.
    pub sli: Option<f64>,
    /// What is left of the budget; `None` without traffic.
    pub left: Option<BudgetLeft>,
    /// How long the rest lasts at the rate of the fastest row's short lookback; `None` when spent or not burning.
    pub runs_out: Option<Duration>,
    /// Every row with its arithmetic.
    pub rows: Vec<RowBurn>,
    /// Share of the window that was seen: counted, and not unseen.
    pub coverage: f64,
    /// Timestamp of the newest sample.
    pub newest_sample: Option<Timestamp>,
    /// When this was evaluated.
    pub as_of: Timestamp,
    /// Why we cannot see, where the state is `CannotSee`.
    pub unknown: Option<Unknown>,
    /// The alert states after the step.
    pub alerts: AlertState,
}

/// The state of a budget, as a word with an icon on every surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// A page or ticket row holds.
    Burning,
    /// No data.
    CannotSee,
    /// Nothing is left.
    Spent,
    /// History is being filled in.
    BackFilling,
    /// Nothing happened, so nothing failed.
    NoTraffic,
    /// All is well.
    Ok,
}

impl State {
    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Burning => "BURNING",
            Self::CannotSee => "CANNOT SEE",
            Self::Spent => "SPENT",
            Self::BackFilling => "BACK-FILLING",
            Self::NoTraffic => "NO TRAFFIC",
            Self::Ok => "OK",
        }
    }

    /// The icon that stands before the word.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Burning => "▲",
            Self::CannotSee => "?",
            Self::Spent => "■",
            Self::BackFilling => "…",
            Self::NoTraffic => "–",
            Self::Ok => "●",
        }
    }
}

/// The outcome of one evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The budget as it stands.
    pub status: BudgetStatus,
    /// The alerts that changed; at most one per urgency.
    pub changes: Vec<AlertChange>,
}

/// Evaluates one objective for one group. Unknown sums change no alert.
pub fn evaluate(
    _slo: &Slo,
    _objective: &Objective,
    _budget: BudgetId,
    _input: &Input<'_>,
    _before: AlertState,
    _now: Timestamp,
) -> Evaluation {
    unimplemented!()
}
