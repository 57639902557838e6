//! Alert rows: the default table of an objective, and the checks of a row that an author wrote.
//!
//! The defaults are table 5-8 of the SRE Workbook with the 3x row of its printed rule. A row stands for a share of the budget that may be spent
//! before it fires: factor = share x window / long lookback. At 30 days 2 % in 1 h is 14.4x:
//! ```
//! use burnward_core::{alert_rows::default_rows, time::days, units::Target};
//! let table = default_rows(Target::percent("99.9%").unwrap(), days(30));
//! let factors: Vec<String> = table.rows.iter().map(|row| row.factor.to_string()).collect();
//! assert_eq!(factors, ["14.4", "6", "3", "1"]);
//! ```

use std::time::Duration;

use thiserror::Error;

use crate::{
    slo::{AlertRow, Urgency},
    time::{days, hours},
    units::{Factor, Ratio, Target},
    words,
};

/// The rows that guard an objective when its author wrote none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultRows {
    /// The rows, fastest first.
    pub rows: Vec<AlertRow>,
    /// The rows of the table that make no sense for this target and window, each with the reason.
    pub left_out: Vec<(AlertRow, RowError)>,
}

/// Where the rows of an objective come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// The default table, or what of it has one urgency.
    Default {
        /// `None`: all of it.
        only: Option<Urgency>,
        /// The rows of it that make no sense for this target and window, each with the reason.
        left_out: Vec<(AlertRow, RowError)>,
    },
    /// Its author wrote them.
    Own,
    /// There are none, and nobody is told.
    None,
}

/// Where these rows come from, by comparing them with the default table.
pub fn provenance(rows: &[AlertRow], target: Target, window: Duration) -> Provenance {
    let DefaultRows { rows: all, left_out } = default_rows(target, window);
    let wanted = |only: Option<Urgency>, row: &AlertRow| only.is_none_or(|urgency| row.urgency == urgency);
    let same = |only: &Option<Urgency>| all.iter().filter(|row| wanted(*only, row)).eq(rows);
    match [None, Some(Urgency::Page), Some(Urgency::Ticket)].into_iter().find(same) {
        Some(_) | None if rows.is_empty() => Provenance::None,
        Some(only) => Provenance::Default { only, left_out: left_out.into_iter().filter(|(row, _)| wanted(only, row)).collect() },
        None => Provenance::Own,
    }
}

/// Why a row is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// A lookback of no length.
    #[error("a lookback must be at least a second long")]
    Empty,
    /// The short lookback does not end the alert sooner than the long one.
    #[error("the short lookback ({}) must be shorter than the long one ({})", words::lookback(*.short), words::lookback(*.long))]
    ShortNotShorter {
        /// The long lookback.
        long: Duration,
        /// The short lookback.
        short: Duration,
    },
    /// The long lookback reaches further back than the budget.
    #[error("the long lookback ({}) must not exceed the window ({})", words::lookback(*.long), words::lookback(*.window))]
    BeyondWindow {
        /// The long lookback.
        long: Duration,
        /// The objective's window.
        window: Duration,
    },
    /// It would fire although the objective is met.
    #[error("a burn rate of {0} is below the allowed rate: it would alert while the objective is met; use 1 or more")]
    BelowAllowed(Factor),
    /// A total outage does not reach it.
    #[error("a burn rate of {factor} can never be exceeded at a target of {}%: a total outage burns at {most}; use less than {most}", .target.as_percent())]
    NeverFires {
        /// The factor.
        factor: Factor,
        /// The target.
        target: Target,
        /// The burn rate of a total outage, `1 / (1 - target)`.
        most: Factor,
    },
}

/// A line of the table: the share of the budget, in percent, that is spent over `long` when it fires.
struct Line {
    urgency: Urgency,
    percent: u32,
    long: Duration,
}

const TABLE: [Line; 4] = [
    Line { urgency: Urgency::Page, percent: 2, long: hours(1) },
    Line { urgency: Urgency::Page, percent: 5, long: hours(6) },
    Line { urgency: Urgency::Ticket, percent: 10, long: days(1) },
    Line { urgency: Urgency::Ticket, percent: 10, long: days(3) },
];

/// How many times shorter the short lookback is.
const SHORT: u32 = 12;

/// The default rows of an objective: the table scaled to its window, rows that coincide merged, rows that cannot work left out.
pub fn default_rows(target: Target, window: Duration) -> DefaultRows {
    let mut table = DefaultRows { rows: Vec::new(), left_out: Vec::new() };
    for row in TABLE.iter().map(|line| scaled(line, window)) {
        match check_row(row, target, window) {
            Ok(()) if table.rows.contains(&row) => {}
            Ok(()) => table.rows.push(row),
            Err(error) if table.left_out.contains(&(row, error.clone())) => {}
            Err(error) => table.left_out.push((row, error)),
        }
    }
    table
}

/// Checks a row that an author wrote against the objective that it guards.
pub fn check_row(row: AlertRow, target: Target, window: Duration) -> Result<(), RowError> {
    let AlertRow { factor, long, short, urgency: _ } = row;
    let parts = Parts { factor: Some(factor), long: Some(long), short: Some(short), target: Some(target), window: Some(window) };
    parts.mistakes().into_iter().next().map_or(Ok(()), Err)
}

/// What is known of a row and of the objective that it guards, where some of it could not be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts {
    /// How many times faster than allowed.
    pub factor: Option<Factor>,
    /// Over this long lookback.
    pub long: Option<Duration>,
    /// And over this short one.
    pub short: Option<Duration>,
    /// The target of the objective.
    pub target: Option<Target>,
    /// Its window, the shortest one where it differs.
    pub window: Option<Duration>,
}

impl Parts {
    /// Every mistake that shows in what is known: at most one of the lookbacks and one of the burn rate.
    pub fn mistakes(self) -> Vec<RowError> {
        [self.mistake_of_lookbacks(), self.mistake_of_factor()].into_iter().flatten().collect()
    }

    fn mistake_of_lookbacks(self) -> Option<RowError> {
        let Self { long, short, window, .. } = self;
        if [long, short].into_iter().flatten().any(|lookback| lookback < SECOND) {
            return Some(RowError::Empty);
        }
        let not_shorter =
            long.zip(short).filter(|(long, short)| short >= long).map(|(long, short)| RowError::ShortNotShorter { long, short });
        let beyond =
            || long.zip(window).filter(|(long, window)| long > window).map(|(long, window)| RowError::BeyondWindow { long, window });
        not_shorter.or_else(beyond)
    }

    fn mistake_of_factor(self) -> Option<RowError> {
        let factor = self.factor?;
        if factor < Factor::ONE {
            return Some(RowError::BelowAllowed(factor));
        }
        let target = self.target?;
        let most = burn_of_total_outage(target);
        (factor >= most).then_some(RowError::NeverFires { factor, target, most })
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// The burn rate of a total outage: nothing burns faster.
pub(crate) fn burn_of_total_outage(target: Target) -> Factor {
    let allowed = target.allowed();
    Ratio::new(allowed.den(), allowed.num()).and_then(Factor::from_ratio).expect("a target allows more than nothing")
}

/// A line scaled to a window. Where its factor would fall below the allowed rate, the factor stays 1 and the lookback shrinks to the share itself.
fn scaled(line: &Line, window: Duration) -> AlertRow {
    let factor = factor(line, window);
    let (factor, long) = if factor < Factor::ONE { (Factor::ONE, share(line, window)) } else { (factor, line.long) };
    AlertRow { urgency: line.urgency, factor, long, short: whole_seconds(long / SHORT) }
}

/// `share x window / long`; the smallest factor for a window of no length, the largest for one of ages.
fn factor(line: &Line, window: Duration) -> Factor {
    let spent = u64::from(line.percent).saturating_mul(window.as_secs());
    Ratio::new(spent.max(1), 100 * line.long.as_secs()).and_then(Factor::from_ratio).expect("neither part is zero")
}

fn share(line: &Line, window: Duration) -> Duration {
    whole_seconds(window / 100 * line.percent)
}

/// Slices are at least a second long: a lookback is a whole number of them.
fn whole_seconds(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::minutes;

    fn target(text: &str) -> Target {
        Target::percent(text).expect("a target")
    }

    fn row(factor: &str, long: Duration, short: Duration) -> AlertRow {
        AlertRow { urgency: Urgency::Page, factor: Factor::parse(factor).expect("a factor"), long, short }
    }

    fn shown(rows: &[AlertRow]) -> Vec<String> {
        let words = |row: &AlertRow| {
            let urgency = match row.urgency {
                Urgency::Page => "page",
                Urgency::Ticket => "ticket",
            };
            format!("{urgency} {}x {}/{}", row.factor, words::lookback(row.long), words::lookback(row.short))
        };
        rows.iter().map(words).collect()
    }

    fn check(percent: &str, window: Duration, rows: &[&str], left_out: &[&str]) {
        let table = default_rows(target(percent), window);
        assert_eq!(shown(&table.rows), rows, "{percent} over {window:?}");
        let out: Vec<AlertRow> = table.left_out.into_iter().map(|(row, _)| row).collect();
        assert_eq!(shown(&out), left_out, "left out at {percent} over {window:?}");
    }

    #[test]
    fn the_table_scales_with_the_window() {
        check("99.9%", days(30), &["page 14.4x 1h/5m", "page 6x 6h/30m", "ticket 3x 1d/2h", "ticket 1x 3d/6h"], &[]);
        check("99.9%", days(28), &["page 13.44x 1h/5m", "page 5.6x 6h/30m", "ticket 2.8x 1d/2h", "ticket 1x 2d19h12m/5h36m"], &[]);
        check("99.9%", days(90), &["page 43.2x 1h/5m", "page 18x 6h/30m", "ticket 9x 1d/2h", "ticket 3x 3d/6h"], &[]);
    }

    #[test]
    fn rows_that_coincide_merge() {
        check("99.9%", days(7), &["page 3.36x 1h/5m", "page 1.4x 6h/30m", "ticket 1x 16h48m/1h24m"], &[]);
        check("99.9%", days(10), &["page 4.8x 1h/5m", "page 2x 6h/30m", "ticket 1x 1d/2h"], &[]);
        check("99.9%", days(1), &["page 1x 28m48s/2m24s", "page 1x 1h12m/6m", "ticket 1x 2h24m/12m"], &[]);
    }

    #[test]
    fn rows_that_a_total_outage_does_not_reach_are_left_out() {
        check("90%", days(30), &["page 6x 6h/30m", "ticket 3x 1d/2h", "ticket 1x 3d/6h"], &["page 14.4x 1h/5m"]);
        check("70%", days(30), &["ticket 3x 1d/2h", "ticket 1x 3d/6h"], &["page 14.4x 1h/5m", "page 6x 6h/30m"]);
        check("50%", days(30), &["ticket 1x 3d/6h"], &["page 14.4x 1h/5m", "page 6x 6h/30m", "ticket 3x 1d/2h"]);
    }

    #[test]
    fn rows_are_known_by_the_default_table() {
        let (month, low) = (target("99.9%"), target("90%"));
        let all = default_rows(month, days(30)).rows;
        let pages: Vec<AlertRow> = all.iter().filter(|row| row.urgency == Urgency::Page).copied().collect();
        let default = |only| Provenance::Default { only, left_out: vec![] };
        assert_eq!(provenance(&all, month, days(30)), default(None));
        assert_eq!(provenance(&pages, month, days(30)), default(Some(Urgency::Page)));
        assert_eq!(provenance(&pages[..1], month, days(30)), Provenance::Own);
        assert_eq!(provenance(&[], month, days(30)), Provenance::None);
        let Provenance::Default { only: None, left_out } = provenance(&default_rows(low, days(30)).rows, low, days(30)) else {
            panic!("the default rows")
        };
        assert_eq!(left_out.len(), 1);
    }

    #[test]
    fn a_factor_is_reachable_strictly_above_its_target_limit() {
        for (factor, unreachable, reachable) in [("14.4", "93.0555%", "93.056%"), ("6", "83.333%", "83.334%"), ("3", "66.666%", "66.667%")]
        {
            let own = row(factor, hours(1), minutes(5));
            assert!(matches!(check_row(own, target(unreachable), days(30)), Err(RowError::NeverFires { .. })), "{factor} at {unreachable}");
            assert_eq!(check_row(own, target(reachable), days(30)), Ok(()), "{factor} at {reachable}");
        }
        assert!(matches!(check_row(row("10", hours(1), minutes(5)), target("90%"), days(30)), Err(RowError::NeverFires { .. })));
    }

    #[test]
    fn rows_that_make_no_sense_are_refused_with_the_reason() {
        let refused = |row, error: &str| {
            assert_eq!(check_row(row, target("99.9%"), days(30)).map_err(|e| e.to_string()), Err(error.to_owned()));
        };
        refused(row("14.4", hours(1), Duration::ZERO), "a lookback must be at least a second long");
        refused(row("14.4", minutes(5), hours(1)), "the short lookback (1h) must be shorter than the long one (5m)");
        refused(row("14.4", hours(1), hours(1)), "the short lookback (1h) must be shorter than the long one (1h)");
        refused(row("2", days(31), hours(1)), "the long lookback (31d) must not exceed the window (30d)");
        refused(
            row("0.5", hours(1), minutes(5)),
            "a burn rate of 0.5 is below the allowed rate: it would alert while the objective is met; use 1 or more",
        );
        refused(
            row("1000", hours(1), minutes(5)),
            "a burn rate of 1000 can never be exceeded at a target of 99.9%: a total outage burns at 1000; use less than 1000",
        );
    }

    #[test]
    fn every_default_row_of_every_window_passes_the_check_of_own_rows() {
        for seconds in [0, 1, 59, 61, 3600, 5401, 86_400, 604_801, 31_536_000, u64::MAX] {
            let window = Duration::from_secs(seconds);
            for row in default_rows(target("99.9%"), window).rows {
                assert_eq!(check_row(row, target("99.9%"), window), Ok(()), "{seconds} s: {row:?}");
            }
        }
    }
}
