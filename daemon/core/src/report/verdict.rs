//! Ship or freeze: what a budget says about changing things, with the rule that says so. People may decide otherwise; this is where they start.

use crate::{
    evaluate::BudgetStatus,
    window::Window,
    words::{lookback, whole_percent},
};

/// Below this share of the budget, care is asked for.
pub const CAREFUL_BELOW: f64 = 0.25;

/// At least this share of the week must have been seen to say that things are fine.
pub const SEEN_ENOUGH: f64 = 0.5;

/// What a budget says about changing things, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The budget is spent: only what makes it more reliable.
    Freeze,
    /// Too little was seen.
    CannotSay,
    /// There is little left, or it goes fast.
    Careful,
    /// There is budget for risk.
    Ship,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const ALL: [Self; 4] = [Self::Freeze, Self::CannotSay, Self::Careful, Self::Ship];

    /// The word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Freeze => "FREEZE",
            Self::CannotSay => "CANNOT SAY",
            Self::Careful => "CAREFUL",
            Self::Ship => "SHIP",
        }
    }

    /// The icon that stands before the word.
    pub const fn icon(self) -> &'static str {
        match self {
            Self::Freeze => "■",
            Self::CannotSay => "?",
            Self::Careful => "▲",
            Self::Ship => "●",
        }
    }
}

/// A verdict with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule that says so, with its figures, as a clause.
    pub because: String,
}

fn little_seen(seen: f64) -> String {
    match seen {
        nothing if nothing <= 0.0 => "nothing of the week was seen".to_owned(),
        little if little < 0.01 => "less than 1 % of the week was seen".to_owned(),
        part => format!("{} of the week was seen, under {}", whole_percent(part), whole_percent(SEEN_ENOUGH)),
    }
}

/// Judges a budget by what is left of it, what the week spent of it, and how much of the week was seen.
pub(super) fn judge(then: &BudgetStatus, spent: Option<f64>, seen: f64) -> Judged {
    let judged = |verdict, because: String| Judged { verdict, because };
    if let Some(suspension) = then.status.suspension() {
        return judged(Verdict::CannotSay, format!("it is suspended: {}", suspension.reason));
    }
    match (then.left, &then.unknown) {
        (Some(left), _) if left.is_spent() && has_ended(then) => {
            judged(Verdict::Careful, "the period ended with its budget spent; a new one has begun, whole".to_owned())
        }
        (Some(left), _) if left.is_spent() => judged(Verdict::Freeze, "the budget is spent".to_owned()),
        (_, Some(unknown)) => judged(Verdict::CannotSay, unknown.detail.clone()),
        (_, None) if seen < SEEN_ENOUGH => judged(Verdict::CannotSay, little_seen(seen)),
        (Some(_), None) if is_hardly_seen(then) => {
            let seen = whole_percent(then.coverage);
            judged(Verdict::CannotSay, format!("{seen} of the window was seen, and what was not may have spent the budget"))
        }
        (Some(left), None) if has_ended(then) => {
            judged(Verdict::Ship, format!("the period ended with {} left; a new one has begun, whole", whole_percent(left.ratio)))
        }
        (None, None) => judged(Verdict::Ship, format!("no traffic in {}, so nothing failed", lookback(then.over.length()))),
        (Some(left), None) if left.ratio < CAREFUL_BELOW => {
            judged(Verdict::Careful, format!("{} is left, under {}", whole_percent(left.ratio), whole_percent(CAREFUL_BELOW)))
        }
        (Some(left), None) if spent.is_some_and(|spent| spent >= left.ratio) => {
            judged(Verdict::Careful, "another week like this one spends what is left".to_owned())
        }
        (Some(left), None) => judged(Verdict::Ship, format!("{} is left", whole_percent(left.ratio))),
    }
}

/// Whether its calendar period ended with the week, so that nobody can spend it any more.
fn has_ended(then: &BudgetStatus) -> bool {
    match then.window {
        Window::Calendar { .. } => then.over.to <= then.as_of,
        Window::Rolling(_) => false,
    }
}

/// Whether most of what has passed of the window was not seen although something happened there, and may have spent all.
fn is_hardly_seen(then: &BudgetStatus) -> bool {
    then.unseen.as_ref().is_some_and(|unseen| unseen.time * 2 > then.over.passed(then.as_of) && unseen.least.is_spent())
}
