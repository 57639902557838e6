//! A service that is watched slice by slice: traffic in, sums over lookbacks and alert steps out.

use std::time::Duration;

use burnward_core::{
    alert::{AlertState, Step, step},
    burn_rate::RowBurn,
    ledger::{Counts, Sums},
    slo::{AlertRow, Urgency},
    time::Timestamp,
    units::{Factor, Target},
};

/// `bad` of `total` events.
pub(crate) fn counts(total: i64, bad: i64) -> Counts {
    Counts { good: total - bad, bad, ..Counts::default() }
}

pub(crate) fn target(text: &str) -> Target {
    Target::percent(text).expect("a target")
}

pub(crate) fn page_row(factor: &str, long: Duration, short: Duration) -> AlertRow {
    AlertRow { urgency: Urgency::Page, factor: Factor::parse(factor).expect("a factor"), long, short }
}

/// Slices of one width that end now. Before the first one every slice was like `background`.
pub(crate) struct Slices {
    width: Duration,
    background: Counts,
    sums: Vec<Counts>,
}

impl Slices {
    pub(crate) fn new(width: Duration, background: Counts) -> Self {
        Self { width, background, sums: vec![Counts::default()] }
    }

    pub(crate) fn push(&mut self, slice: Counts) {
        let last = *self.sums.last().expect("there is always the sum of nothing");
        self.sums.push(last + slice);
    }

    pub(crate) fn extend(&mut self, slices: usize, slice: Counts) {
        (0..slices).for_each(|_| self.push(slice));
    }

    pub(crate) fn now(&self) -> Timestamp {
        let slices = u32::try_from(self.sums.len() - 1).expect("few slices");
        Timestamp::EPOCH.plus(self.width * slices)
    }
}

impl Sums for Slices {
    fn over(&self, lookback: Duration) -> Counts {
        let wanted = usize::try_from(lookback.as_millis().div_ceil(self.width.as_millis())).expect("few slices");
        let now = self.sums.len() - 1;
        let before = i64::try_from(wanted.saturating_sub(now)).expect("few slices");
        let background = Counts { good: self.background.good * before, bad: self.background.bad * before, ..Counts::default() };
        self.sums[now] - self.sums[now.saturating_sub(wanted)] + background
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.over(self.now().since(from))
    }
}

/// The alerts of a service with 10,000 events a second at 99.9 %, evaluated at every second.
pub(crate) struct Watched {
    rows: Vec<AlertRow>,
    slices: Slices,
    state: AlertState,
}

pub(crate) const EVENTS_A_SECOND: i64 = 10_000;

impl Watched {
    /// A service without a failure so far.
    pub(crate) fn clean(rows: Vec<AlertRow>) -> Self {
        Self { rows, slices: Slices::new(Duration::from_secs(1), counts(EVENTS_A_SECOND, 0)), state: AlertState::default() }
    }

    /// One more second with `bad` failures.
    pub(crate) fn second(&mut self, bad: i64) -> Vec<Step> {
        self.slices.push(counts(EVENTS_A_SECOND, bad));
        let burns = self.burns();
        let (state, steps) = step(self.state, &burns, target("99.9%"), self.slices.now());
        self.state = state;
        steps
    }

    /// Seconds of `bad` failures each until an alert changes, at most `limit`.
    pub(crate) fn seconds_until_a_change(&mut self, bad: i64, limit: u64) -> Option<u64> {
        (1..=limit).find(|_| !self.second(bad).is_empty())
    }

    pub(crate) fn burns(&self) -> Vec<RowBurn> {
        self.rows.iter().map(|row| RowBurn::of(*row, target("99.9%"), &self.slices)).collect()
    }
}
