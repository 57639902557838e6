//! What came of each alert row, in a sentence, and which rule or policy decided that: why it paged, or why not.

use super::{enough, failures, urgency_word};
use crate::{
    burn_rate::{HeldBack, RowBurn, Verdict, compare},
    chance,
    evaluate::{BudgetStatus, State},
    slo::Urgency,
    words,
};

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOutcome {
    /// What decided it.
    pub by: DecidedBy,
    /// The outcome: `does not page: over 1h the burn is 0.3x and over 5m 0.2x, neither above 14.4x`.
    pub sentence: String,
}

/// What decided the outcome of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecidedBy {
    /// The burn rates over its lookbacks.
    BurnRate,
    /// `low-traffic`: so few events may fail by chance.
    LowTraffic,
    /// Less than its long lookback is counted so far.
    YoungHistory,
    /// Nothing happened.
    NoTraffic,
    /// Nobody sees; `no-data` says who is told of that, and when.
    NoData,
    /// What happened since the last read is being caught up with.
    BackFilling,
    /// It does not hold any more, and its alert is open until recovery is seen.
    Clearing,
}

impl DecidedBy {
    /// As a stable word, for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BurnRate => "burn-rate",
            Self::LowTraffic => "low-traffic",
            Self::YoungHistory => "young-history",
            Self::NoTraffic => "no-traffic",
            Self::NoData => "no-data",
            Self::BackFilling => "back-filling",
            Self::Clearing => "clearing",
        }
    }
}

const FILLING: &str = "decides nothing: what happened since the last read is being caught up with";

/// The outcomes of all rows, in their order.
pub(super) fn outcomes(status: &BudgetStatus) -> Vec<RowOutcome> {
    status.rows.iter().map(|burn| outcome(status, burn)).collect()
}

/// The outcome of a row of a budget that has no figures: it could not be seen.
pub fn unseen(status: &BudgetStatus, urgency: Urgency) -> RowOutcome {
    if decides_nothing(status) {
        return RowOutcome { by: DecidedBy::BackFilling, sentence: FILLING.to_owned() };
    }
    let why = status.unknown.as_ref().map_or_else(|| "nothing is known of it".to_owned(), ToString::to_string);
    let still = match status.alerts.since(urgency) {
        Some(_) => format!("; the {} that is open stays open", urgency_word(urgency)),
        None => String::new(),
    };
    RowOutcome { by: DecidedBy::NoData, sentence: format!("decides nothing, because nobody sees ({why}){still}") }
}

/// While what happened since the last read is being caught up with; older history is filled in beside decisions.
fn decides_nothing(status: &BudgetStatus) -> bool {
    status.state == State::BackFilling && status.to_fill.is_zero()
}

fn outcome(status: &BudgetStatus, burn: &RowBurn) -> RowOutcome {
    let urgency = burn.row.urgency;
    let of = |by, sentence: String| RowOutcome { by, sentence };
    let not = |why: &str| format!("{}: {why}", does_not(urgency));
    match (decides_nothing(status), burn.verdict) {
        (true, _) => of(DecidedBy::BackFilling, FILLING.to_owned()),
        (false, Verdict::Holds) => of(DecidedBy::BurnRate, holds(status, burn)),
        (false, Verdict::HeldBack(HeldBack::Chance { probability })) => {
            of(DecidedBy::LowTraffic, not(&chance_test(status, burn, probability)))
        }
        (false, Verdict::HeldBack(HeldBack::Young { counted })) => {
            let (counted, long) = (words::duration(counted), words::lookback(burn.row.long));
            let why = format!(
                "only {counted} of {long} are counted so far; had the rest no failure, {long} would not be above {}x",
                burn.row.factor
            );
            of(DecidedBy::YoungHistory, not(&why))
        }
        (false, Verdict::Quiet) => {
            let still_open = status.alerts.since(urgency).is_some() && !some_holds(status, urgency);
            let (by, why) = quiet(status, burn);
            if still_open {
                of(DecidedBy::Clearing, format!("holds no more: {why}; its {} is open until it clears", urgency_word(urgency)))
            } else {
                of(by, not(&why))
            }
        }
    }
}

fn some_holds(status: &BudgetStatus, urgency: Urgency) -> bool {
    status.rows.iter().any(|burn| burn.row.urgency == urgency && burn.holds())
}

/// Of several rows that hold, the one with the highest factor is the alert's.
fn holds(status: &BudgetStatus, burn: &RowBurn) -> String {
    let urgency = burn.row.urgency;
    let holding = status.rows.iter().filter(|other| other.row.urgency == urgency && other.holds()).map(|other| other.row.factor);
    let highest = holding.max().filter(|highest| *highest > burn.row.factor);
    let both = format!(
        "over {} and over {} the burn is above {}x",
        words::lookback(burn.row.long),
        words::lookback(burn.row.short),
        burn.row.factor
    );
    let alert = urgency_word(urgency);
    match (status.alerts.since(urgency), highest) {
        (None, _) => format!("holds by these figures, and no {alert} was open at that moment: {both}"),
        (Some(_), Some(highest)) => format!("holds, too: {both}; the {alert} is that of the row above {highest}x"),
        (Some(_), None) => format!("{}: {both}", does(urgency)),
    }
}

/// The exact test: events, failures, how likely they are, the limit.
fn chance_test(status: &BudgetStatus, burn: &RowBurn, probability: f64) -> String {
    let (likely, limit) = (words::percent(probability), words::percent(chance::LIMIT));
    let (failed, long) = (failures(burn.long, status.unit), words::lookback(burn.row.long));
    let (percent, enough) = (status.target.as_percent(), enough(burn.long, status.target, status.unit));
    format!(
        "`low-traffic: exact` holds it back: {failed} in {long} has a chance of {likely} while {percent} % is met, and from {limit} on nobody is woken; {enough}"
    )
}

/// Why a row is quiet, and by what.
fn quiet(status: &BudgetStatus, burn: &RowBurn) -> (DecidedBy, String) {
    let factor = burn.row.factor;
    let (long, short) = (words::lookback(burn.row.long), words::lookback(burn.row.short));
    if burn.long.total() == 0 {
        return (DecidedBy::NoTraffic, format!("there was no event in {long}"));
    }
    let above = |counts| compare(counts, factor, status.target).is_gt();
    let over = |lookback: &str, burn: f64| format!("over {lookback} the burn is {}", words::times_beside(burn, factor));
    let why = match (above(burn.long), above(burn.short)) {
        (false, false) => format!(
            "{} and over {short} {}, neither above {factor}x",
            over(&long, burn.long_burn),
            words::times_beside(burn.short_burn, factor)
        ),
        (true, _) => format!("over {long} it is above {factor}x, but {}: the burn has ebbed away", over(&short, burn.short_burn)),
        (false, true) => format!("over {short} it is above {factor}x, but {}: not enough has failed yet", over(&long, burn.long_burn)),
    };
    (DecidedBy::BurnRate, why)
}

const fn does(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Page => "pages",
        Urgency::Ticket => "opens a ticket",
    }
}

const fn does_not(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Page => "does not page",
        Urgency::Ticket => "opens no ticket",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alert::AlertState,
        explain::tests::{Hour, PAGED, counts, status},
        ledger::{Reason, Unknown},
        time::minutes,
    };

    fn check(status: &BudgetStatus, row: usize, by: DecidedBy, sentence: &str) {
        assert_eq!(outcomes(status)[row], RowOutcome { by, sentence: sentence.to_owned() });
    }

    const CALM: AlertState = AlertState { page: None, ticket: None };

    #[test]
    fn a_row_that_holds_pages_and_a_slower_one_that_holds_too_leaves_it_the_alert() {
        let burn = Hour { long: counts(13_093_200, 191_160), short: counts(1_091_100, 165_847) };
        let paged = status(&burn, State::Burning, PAGED);
        check(&paged, 0, DecidedBy::BurnRate, "pages: over 1h and over 5m the burn is above 14.4x");
        let mut both = paged.clone();
        both.rows[1].verdict = Verdict::Holds;
        let sentence = "holds, too: over 6h and over 30m the burn is above 6x; the page is that of the row above 14.4x";
        check(&both, 1, DecidedBy::BurnRate, sentence);
    }

    #[test]
    fn a_quiet_row_says_which_lookback_keeps_it_quiet() {
        for (long, short, by, sentence) in [
            (
                counts(10_000, 3),
                counts(1_000, 1),
                DecidedBy::BurnRate,
                "does not page: over 1h the burn is 0.3x and over 5m 1.0x, neither above 14.4x",
            ),
            (
                counts(10_000, 200),
                counts(1_000, 1),
                DecidedBy::BurnRate,
                "does not page: over 1h it is above 14.4x, but over 5m the burn is 1.0x: the burn has ebbed away",
            ),
            (
                counts(10_000, 30),
                counts(1_000, 30),
                DecidedBy::BurnRate,
                "does not page: over 5m it is above 14.4x, but over 1h the burn is 3.0x: not enough has failed yet",
            ),
            (counts(0, 0), counts(0, 0), DecidedBy::NoTraffic, "does not page: there was no event in 1h"),
        ] {
            check(&status(&Hour { long, short }, State::Ok, CALM), 0, by, sentence);
        }
    }

    #[test]
    fn a_page_whose_rows_hold_no_more_is_clearing() {
        let ebbed = Hour { long: counts(10_000, 200), short: counts(1_000, 1) };
        let sentence = "holds no more: over 1h it is above 14.4x, but over 5m the burn is 1.0x: the burn has ebbed away; its page is open until it clears";
        check(&status(&ebbed, State::Burning, PAGED), 0, DecidedBy::Clearing, sentence);
    }

    #[test]
    fn what_is_held_back_says_by_which_test() {
        let few = Hour { long: counts(10, 1), short: counts(10, 1) };
        let held = |why| {
            let mut status = status(&few, State::Ok, CALM);
            status.rows[0].verdict = Verdict::HeldBack(why);
            status
        };
        let chance = HeldBack::Chance { probability: 0.01 };
        let sentence = "does not page: `low-traffic: exact` holds it back: 1 failure of 10 in 1h has a chance of 1.00 % while 99.9 % is met, and from 0.010 % on nobody is woken; 2 of 10 page";
        check(&held(chance), 0, DecidedBy::LowTraffic, sentence);
        let young = HeldBack::Young { counted: minutes(20) };
        let sentence = "does not page: only 20 min of 1h are counted so far; had the rest no failure, 1h would not be above 14.4x";
        check(&held(young), 0, DecidedBy::YoungHistory, sentence);
        let in_short = |status: &BudgetStatus| crate::explain::held_back_in_short(status);
        assert_eq!(in_short(&held(chance)).as_deref(), Some("held back: few events"));
        assert_eq!(in_short(&held(young)).as_deref(), Some("held back: young history"));
        assert_eq!(in_short(&BudgetStatus { state: State::Burning, ..held(chance) }), None);
        assert_eq!(in_short(&status(&few, State::Ok, CALM)), None);
    }

    #[test]
    fn corrected_figures_that_hold_without_a_page_say_so_and_history_decides_nothing() {
        let burn = Hour { long: counts(10_000, 200), short: counts(1_000, 200) };
        let sentence = "holds by these figures, and no page was open at that moment: over 1h and over 5m the burn is above 14.4x";
        check(&status(&burn, State::Ok, CALM), 0, DecidedBy::BurnRate, sentence);
        check(
            &status(&burn, State::BackFilling, CALM),
            0,
            DecidedBy::BackFilling,
            "decides nothing: what happened since the last read is being caught up with",
        );
    }

    #[test]
    fn a_row_that_nobody_sees_decides_nothing_and_leaves_its_page_open() {
        let calm = Hour { long: counts(0, 0), short: counts(0, 0) };
        let unknown = Some(Unknown { reason: Reason::Timeout, detail: "no answer within 15 s".into() });
        let blind = BudgetStatus { unknown, rows: Vec::new(), ..status(&calm, State::Burning, PAGED) };
        assert_eq!(
            unseen(&blind, Urgency::Page).sentence,
            "decides nothing, because nobody sees (timeout: no answer within 15 s); the page that is open stays open"
        );
        let filling = BudgetStatus { state: State::BackFilling, ..blind.clone() };
        assert_eq!(unseen(&filling, Urgency::Page).by, DecidedBy::BackFilling);
        assert_eq!(unseen(&blind, Urgency::Ticket).sentence, "decides nothing, because nobody sees (timeout: no answer within 15 s)");
    }
}
