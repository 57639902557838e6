//! Alerts: the condition of one budget, per urgency, and the step from one state to the next.
//!
//! A page opens when a page row holds. It resolves when no page row holds and the short lookback of the fastest page row is no longer above the
//! lowest factor of all page rows, so that it does not flap between rows. A ticket opens when a ticket row holds and clears when none does.
//! Nothing clears on time that nobody saw, nor on counts that contradict themselves.

use std::time::Duration;

use crate::{
    burn_rate::{RowBurn, compare, contradicts},
    incident::Facts,
    ledger::Counts,
    slo::{AlertRow, Urgency},
    time::Timestamp,
    units::{Factor, Target},
};

/// The alert states of one budget. A page and a ticket are separate: ticket rows never hold a page open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertState {
    /// Since when a page holds.
    pub page: Option<Timestamp>,
    /// Since when a ticket holds.
    pub ticket: Option<Timestamp>,
}

impl AlertState {
    /// True while a page or a ticket holds.
    pub const fn holds(self) -> bool {
        self.page.is_some() || self.ticket.is_some()
    }

    /// Since when an alert of this urgency holds.
    pub const fn since(self, urgency: Urgency) -> Option<Timestamp> {
        match urgency {
            Urgency::Page => self.page,
            Urgency::Ticket => self.ticket,
        }
    }
}

/// A change of one alert, with its reason and the inputs it was decided from.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertChange {
    /// Page or ticket.
    pub urgency: Urgency,
    /// What changed.
    pub change: Change,
    /// The arithmetic in one line, for `explain` and the audit.
    pub why: String,
}

/// What changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// It fires.
    Fired(Facts),
    /// It is over.
    Cleared,
}

/// A step of one alert.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Page or ticket.
    pub urgency: Urgency,
    /// Which way it went.
    pub edge: Edge,
}

/// Which way an alert went, with the row that decided it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edge {
    /// It opens: of the rows that hold, the one with the highest factor.
    Opens(RowBurn),
    /// It clears: the fastest of its rows, and the factor that its short lookback had to leave.
    Clears {
        /// The row with the shortest short lookback.
        fastest: RowBurn,
        /// The lowest factor of all rows of the alert.
        lowest: Factor,
    },
}

/// The step of a budget's alerts, page first. `rows` are those that the alerts were opened under, both urgencies; an alert without a row of its
/// urgency stays as it is, for no edit of a definition silences it.
pub fn step(before: AlertState, rows: &[RowBurn], target: Target, now: Timestamp) -> (AlertState, Vec<Step>) {
    let edge = |urgency| edge(before.since(urgency), rows, urgency, target);
    let (page, ticket) = (edge(Urgency::Page), edge(Urgency::Ticket));
    let turn_of = |edge: &Option<Edge>| edge.as_ref().map(Edge::turn);
    let after = AlertState { page: after(before.page, turn_of(&page), now), ticket: after(before.ticket, turn_of(&ticket), now) };
    let steps = [(Urgency::Page, page), (Urgency::Ticket, ticket)];
    (after, steps.into_iter().filter_map(|(urgency, edge)| Some(Step { urgency, edge: edge? })).collect())
}

/// The row with the shortest short lookback: what shows the present best. `None` without rows.
pub fn fastest<'a>(rows: impl IntoIterator<Item = &'a RowBurn>) -> Option<&'a RowBurn> {
    rows.into_iter().min_by_key(|burn| burn.row.short)
}

fn of_urgency(rows: &[RowBurn], urgency: Urgency) -> impl Iterator<Item = &RowBurn> {
    rows.iter().filter(move |burn| burn.row.urgency == urgency)
}

fn edge(since: Option<Timestamp>, rows: &[RowBurn], urgency: Urgency, target: Target) -> Option<Edge> {
    let holding = of_urgency(rows, urgency).filter(|burn| burn.holds()).max_by_key(|burn| burn.row.factor);
    let ending = || Some((*fastest(of_urgency(rows, urgency))?, Ending::of(rows.iter().map(|burn| &burn.row), urgency)?));
    let is_over = || ending().is_some_and(|(fastest, ending)| ending.is_reached(fastest.short, target));
    match turn(since, holding.is_some(), is_over)? {
        Turn::Opens => holding.copied().map(Edge::Opens),
        Turn::Clears => ending().map(|(fastest, Ending { lowest, .. })| Edge::Clears { fastest, lowest }),
    }
}

/// Which way an alert goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It opens.
    Opens,
    /// It clears.
    Clears,
}

impl Edge {
    const fn turn(&self) -> Turn {
        match self {
            Self::Opens(_) => Turn::Opens,
            Self::Clears { .. } => Turn::Clears,
        }
    }
}

/// Which way an alert goes that is open since a moment, or is not, where a row of it holds, or none; `is_over`: what it takes to end is reached.
pub(crate) fn turn(since: Option<Timestamp>, holds: bool, is_over: impl FnOnce() -> bool) -> Option<Turn> {
    match (since, holds) {
        (None, true) => Some(Turn::Opens),
        (Some(_), false) => is_over().then_some(Turn::Clears),
        (None, false) | (Some(_), true) => None,
    }
}

/// What it takes for the alert of one urgency to end once no row of it holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    urgency: Urgency,
    /// The shortest of its rows' short lookbacks, which is asked.
    pub(crate) short: Duration,
    /// The lowest of their factors.
    lowest: Factor,
}

impl Ending {
    /// `None` without rows of the urgency: the alert stays.
    pub(crate) fn of<'a>(rows: impl Iterator<Item = &'a AlertRow> + Clone, urgency: Urgency) -> Option<Self> {
        let own = rows.filter(|row| row.urgency == urgency);
        Some(Self { urgency, short: own.clone().map(|row| row.short).min()?, lowest: own.map(|row| row.factor).min()? })
    }

    /// Whether it is reached by what was counted over the lookback that is asked.
    pub(crate) fn is_reached(&self, short: Counts, target: Target) -> bool {
        let calm = match self.urgency {
            Urgency::Page => compare(short, self.lowest, target).is_le(),
            Urgency::Ticket => true,
        };
        calm && was_seen(short, self.short) && !contradicts(short, target)
    }
}

/// Whether at least half of a short lookback was seen: recovery must be seen to be believed.
pub(crate) fn was_seen(counts: Counts, lookback: Duration) -> bool {
    let unseen = u128::try_from(counts.unseen_millis).unwrap_or(0);
    2 * unseen <= lookback.as_millis()
}

/// Since when the alert is open after a turn.
pub(crate) fn after(since: Option<Timestamp>, turn: Option<Turn>, now: Timestamp) -> Option<Timestamp> {
    match turn {
        Some(Turn::Opens) => Some(now),
        Some(Turn::Clears) => None,
        None => since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::Sums,
        time::{days, hours, minutes},
    };

    /// Bad events of 10,000 in each lookback that is named; none elsewhere.
    struct Bad(Vec<(Duration, i64)>);

    impl Sums for Bad {
        fn over(&self, lookback: Duration) -> Counts {
            let bad = self.0.iter().find(|(of, _)| *of == lookback).map_or(0, |(_, bad)| *bad);
            Counts { good: 10_000 - bad, bad, ..Counts::default() }
        }

        fn since(&self, from: Timestamp) -> Counts {
            self.over(NOW.since(from))
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
    const EARLIER: Timestamp = Timestamp::from_seconds(999_000);
    const CALM: AlertState = AlertState { page: None, ticket: None };
    const PAGED: AlertState = AlertState { page: Some(EARLIER), ticket: None };
    const BOTH: AlertState = AlertState { page: Some(EARLIER), ticket: Some(EARLIER) };

    fn target() -> Target {
        Target::percent("99.9%").expect("a target")
    }

    fn rows(bad: &[(Duration, i64)]) -> Vec<RowBurn> {
        let sums = Bad(bad.to_vec());
        crate::alert_rows::default_rows(target(), days(30)).rows.into_iter().map(|row| RowBurn::of(row, target(), &sums)).collect()
    }

    /// Steps from `before` and expects the factors of what opened and the urgencies of what cleared.
    fn check(before: AlertState, bad: &[(Duration, i64)], after: AlertState, opened: &[(Urgency, &str)], cleared: &[Urgency]) {
        let (state, steps) = step(before, &rows(bad), target(), NOW);
        let opens: Vec<_> = steps
            .iter()
            .filter_map(|step| match step.edge {
                Edge::Opens(burn) => Some((step.urgency, burn.row.factor.to_string())),
                Edge::Clears { .. } => None,
            })
            .collect();
        let clears: Vec<_> = steps.iter().filter(|step| matches!(step.edge, Edge::Clears { .. })).map(|step| step.urgency).collect();
        assert_eq!(state, after, "{bad:?}");
        assert_eq!(opens.iter().map(|(urgency, factor)| (*urgency, factor.as_str())).collect::<Vec<_>>(), opened, "{bad:?}");
        assert_eq!(clears, cleared, "{bad:?}");
    }

    const PAGE: Urgency = Urgency::Page;
    const TICKET: Urgency = Urgency::Ticket;

    #[test]
    fn a_page_opens_when_a_page_row_holds_over_both_lookbacks() {
        check(CALM, &[(hours(1), 145), (minutes(5), 145)], AlertState { page: Some(NOW), ticket: None }, &[(PAGE, "14.4")], &[]);
        check(CALM, &[(hours(1), 145)], CALM, &[], &[]);
        check(CALM, &[(minutes(5), 5000)], CALM, &[], &[]);
        check(CALM, &[(hours(1), 144), (minutes(5), 144)], CALM, &[], &[]);
    }

    #[test]
    fn of_several_rows_that_hold_the_highest_factor_is_named() {
        let bad = [(hours(1), 200), (minutes(5), 200), (hours(6), 200), (minutes(30), 200)];
        check(CALM, &bad, AlertState { page: Some(NOW), ticket: None }, &[(PAGE, "14.4")], &[]);
    }

    #[test]
    fn a_ticket_row_opens_a_ticket_and_no_page() {
        check(CALM, &[(days(3), 11), (hours(6), 11)], AlertState { page: None, ticket: Some(NOW) }, &[(TICKET, "1")], &[]);
    }

    #[test]
    fn one_step_can_open_both() {
        let bad = [(hours(1), 200), (minutes(5), 200), (days(1), 40), (hours(2), 40)];
        check(CALM, &bad, AlertState { page: Some(NOW), ticket: Some(NOW) }, &[(PAGE, "14.4"), (TICKET, "3")], &[]);
    }

    #[test]
    fn short_window_recovery_resolves_the_page_while_ticket_rows_still_hold() {
        let bad = [(hours(1), 200), (hours(6), 100), (days(3), 11), (hours(6), 11)];
        check(BOTH, &bad, AlertState { page: None, ticket: Some(EARLIER) }, &[], &[PAGE]);
    }

    #[test]
    fn a_page_stays_while_the_fastest_short_lookback_is_above_the_lowest_page_factor() {
        check(PAGED, &[(minutes(5), 61)], PAGED, &[], &[]);
        check(PAGED, &[(minutes(5), 60)], CALM, &[], &[PAGE]);
    }

    #[test]
    fn a_page_stays_while_a_slower_page_row_holds() {
        check(PAGED, &[(hours(6), 61), (minutes(30), 61)], PAGED, &[], &[]);
    }

    #[test]
    fn a_ticket_clears_when_no_ticket_row_holds() {
        let ticket = AlertState { page: None, ticket: Some(EARLIER) };
        check(ticket, &[(days(3), 11)], CALM, &[], &[TICKET]);
        check(ticket, &[(days(3), 11), (hours(6), 11)], ticket, &[], &[]);
    }

    #[test]
    fn nothing_clears_on_time_that_nobody_saw() {
        let half = i64::try_from(minutes(5).as_millis() / 2).expect("small");
        for (unseen, after) in [(half, CALM), (half + 1, PAGED)] {
            let mut burns = rows(&[]);
            for burn in &mut burns {
                burn.short.unseen_millis = unseen;
            }
            assert_eq!(step(PAGED, &burns, target(), NOW).0, after, "{unseen} ms unseen");
        }
    }

    #[test]
    fn nothing_clears_on_counts_that_contradict_themselves() {
        check(PAGED, &[(minutes(5), -11)], PAGED, &[], &[]);
        check(PAGED, &[(minutes(5), -10)], CALM, &[], &[PAGE]);
    }

    #[test]
    fn an_alert_without_rows_of_its_urgency_stays() {
        assert_eq!(step(BOTH, &[], target(), NOW), (BOTH, vec![]));
        let pages: Vec<RowBurn> = rows(&[]).into_iter().filter(|burn| burn.row.urgency == PAGE).collect();
        assert_eq!(step(BOTH, &pages, target(), NOW).0, AlertState { page: None, ticket: Some(EARLIER) });
    }

    #[test]
    fn the_same_rates_again_change_nothing() {
        let burns = rows(&[(hours(1), 200), (minutes(5), 200), (days(3), 11), (hours(6), 11)]);
        let (state, first) = step(CALM, &burns, target(), NOW);
        assert_eq!(first.len(), 2);
        assert_eq!(step(state, &burns, target(), NOW.plus(minutes(1))), (state, vec![]));
    }

    #[test]
    fn the_fastest_row_has_the_shortest_short_lookback() {
        let rows: Vec<RowBurn> = rows(&[]).into_iter().rev().collect();
        assert_eq!(fastest(&rows).map(|burn| burn.row.short), Some(minutes(5)));
        assert_eq!(fastest(&[]), None);
    }
}
