//! Few events: what the exact test of [`crate::chance`] changes of what [`crate::detection`] says, of page rows of SLOs with `low-traffic: exact`.
//!
//! With `n` events in its long lookback a row is above its factor `f` from more than `f x allowed x n` failures on. While so many may yet be chance, it
//! waits for more. From some number of events on they never are: at 99.9 % the row 14.4x never waits with more than 277 of them, the row 6x with more
//! than 1,166.
//! ```
//! use burnward_core::{alert_rows::default_rows, few_events::FewEvents, slo::LowTraffic, time::days, units::Target};
//! let target = Target::percent("99.9%").unwrap();
//! let few = FewEvents::of(LowTraffic::Exact, &default_rows(target, days(30)).rows, target, None).unwrap();
//! assert_eq!(few.rows.iter().map(|waits| waits.up_to).collect::<Vec<_>>(), [Some(277), Some(1166)]);
//! assert_eq!(few.steps[1].up_to, 14);
//! ```

use std::time::Duration;

use crate::{
    chance::{failures_beyond, most_events_within, waits_up_to},
    slo::{AlertRow, LowTraffic, Urgency},
    units::Target,
    words,
};

/// How many steps are told.
const STEPS: u64 = 4;

/// How few events make page rows wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FewEvents {
    /// How many failures page, of the fewest events on; as many steps as a person reads.
    pub steps: Vec<Step>,
    /// The page rows that may wait.
    pub rows: Vec<Waits>,
}

/// So many events, and how many of them must fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Of so many events on.
    pub from: u64,
    /// Up to and with so many.
    pub up_to: u64,
    /// The fewest failures that are not chance; `None`: even all of them may be.
    pub failures: Option<u64>,
}

/// A page row that may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// Which.
    pub row: AlertRow,
    /// With more events than this in its long lookback it never does; `None`: it may with any number of them.
    pub up_to: Option<u64>,
    /// Where slices of time are counted, so that its long lookback always has as many: how many it has, and how many of them page.
    pub always: Option<Step>,
}

impl FewEvents {
    /// Of these rows, which count slices of this length, or events; `None` where none of them ever waits.
    pub fn of(low_traffic: LowTraffic, rows: &[AlertRow], target: Target, slice: Option<Duration>) -> Option<Self> {
        match low_traffic {
            LowTraffic::Off => return None,
            LowTraffic::Exact => {}
        }
        let pages = rows.iter().filter(|row| row.urgency == Urgency::Page);
        let rows: Vec<Waits> = pages.filter_map(|row| Waits::of(*row, target, slice)).collect();
        (!rows.is_empty()).then(|| Self { steps: steps(target), rows })
    }

    /// The same in sentences, of what is counted: `events`, `slices of 1 min`.
    pub fn says(&self, counted: &str) -> Vec<String> {
        let rows: Vec<String> = self.rows.iter().map(|waits| waits.said(counted)).collect();
        let enough: Vec<String> = self.steps.iter().filter_map(Step::said).collect();
        let never = self.steps.iter().rfind(|step| step.failures.is_none());
        let never = never.map_or_else(String::new, |step| format!("; fewer than {} page nobody", whole(step.up_to + 1)));
        vec![
            format!(
                "low-traffic: exact: a page row waits for failures that are not chance, in its long lookback at least {} {counted}, and so on{never}",
                enough.join(", ")
            ),
            format!(
                "with few {counted} a page comes later than this says, with more of the budget spent, or not at all: {}",
                rows.join(", ")
            ),
        ]
    }
}

impl Step {
    /// `2 of 2 to 14`.
    fn said(&self) -> Option<String> {
        let failures = whole(self.failures?);
        let from = whole(self.from);
        Some(if self.from == self.up_to {
            format!("{failures} of {from}")
        } else {
            format!("{failures} of {from} to {}", whole(self.up_to))
        })
    }
}

impl Waits {
    fn of(row: AlertRow, target: Target, slice: Option<Duration>) -> Option<Self> {
        let up_to = waits_up_to(row.factor, target);
        let held = slice.map(|slice| u64::try_from(row.long.as_millis() / slice.as_millis().max(1)).unwrap_or(u64::MAX));
        let may = |events: u64| up_to.is_none_or(|up_to| events <= up_to);
        let always = held.map(|events| Step { from: events, up_to: events, failures: failures_beyond(events, target) });
        may(held.unwrap_or(1)).then_some(Self { row, up_to, always })
    }

    /// `14.4x 1h/5m with up to 277 events in 1h`, `14.4x 1h/5m, which pages at 3 of its 60 slices of 1 min`.
    fn said(&self, counted: &str) -> String {
        let AlertRow { factor, long, short, .. } = self.row;
        let row = format!("{factor}x {}/{}", words::lookback(long), words::lookback(short));
        match (self.always, self.up_to) {
            (Some(Step { from, failures: Some(failures), .. }), _) => {
                format!("{row}, which pages at {} of its {} {counted}", whole(failures), whole(from))
            }
            (Some(Step { from, failures: None, .. }), _) => format!("{row}, which never pages with its {} {counted}", whole(from)),
            (None, Some(up_to)) => format!("{row} with up to {} {counted} in {}", whole(up_to), words::lookback(long)),
            (None, None) => format!("{row} with any number of {counted}"),
        }
    }
}

fn whole(number: u64) -> String {
    words::grouped(i64::try_from(number).unwrap_or(i64::MAX))
}

/// The first steps, from one event on.
fn steps(target: Target) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut from = 1;
    for _ in 0..STEPS {
        let failures = failures_beyond(from, target);
        let up_to = most_events_within(failures, from, target);
        steps.push(Step { from, up_to, failures });
        from = up_to + 1;
    }
    steps
}
