//! How a budget was spent over its window: the ledger's slices, summed so that the last point is what is left now.

use std::time::Duration;

use burnward_core::{
    budget::{BudgetLeft, Part},
    evaluate::BudgetStatus,
    exclusion::Known,
    ledger::{Counts, Slice},
    time::Timestamp,
    units::Target,
    window::{Interval, Window, Zone},
};

use super::{
    explain::When,
    wire::{BurnDown, BurnDownPeriod, BurnDownPoint, Events, instant},
};
use crate::{app::Handle, store::StoreError, tasks::decide::SlicesAsked};

/// Slices of a burn-down at most.
const SLICES: usize = 240;

/// From slices of a day to slices of seconds.
const CLOSER_LOOKS: usize = 4;

/// The burn-down of the window that ends at `at`, or when the budget was last evaluated, or of the calendar period up to there; `None` where nothing was
/// counted in it.
pub async fn of(handle: &Handle, status: &BudgetStatus, when: When) -> Result<Option<BurnDown>, StoreError> {
    let to = when.at.unwrap_or(status.as_of);
    let known = when.figures.known(to);
    match &status.window {
        Window::Rolling(length) => rolling(handle, status, Interval::ending(to, *length), known).await,
        Window::Calendar { zone, .. } => calendar(handle, status, zone, to, known).await,
    }
}

async fn calendar(
    handle: &Handle,
    status: &BudgetStatus,
    zone: &Zone,
    to: Timestamp,
    known: Known,
) -> Result<Option<BurnDown>, StoreError> {
    let Interval { from, to: end } = status.over;
    let found = slices(handle, status, Interval { from, to }, known).await?;
    if first_counted(&found).is_none() {
        return Ok(None);
    }
    // Slices that are joined for the drawing would reach beyond what has passed.
    let found: Vec<_> = found.into_iter().map(|slice| Slice { end: slice.end.min(to), ..slice }).collect();
    let forecast_ratio = status.forecast.map(|left| left.ratio);
    let period = BurnDownPeriod { from: instant(from), to: instant(end), timezone: zone.to_string(), forecast_ratio };
    let begin = status.counted_from.filter(|begin| from < *begin).map(|begin| begin.min(to));
    let mut drawn =
        BurnDown { period: Some(period), counted_from: begin.map(instant), ..draw(status, Interval { from, to }, false, &found) };
    if let Some(begin) = begin {
        not_counted(&mut drawn, from, begin, &found);
    }
    Ok(Some(drawn))
}

async fn rolling(handle: &Handle, status: &BudgetStatus, over: Interval, known: Known) -> Result<Option<BurnDown>, StoreError> {
    let Interval { from: begin, to } = over;
    let mut from = begin;
    let mut found = slices(handle, status, Interval { from, to }, known).await?;
    // What was counted lately only is asked for again, in the finer slices that then fit.
    for _ in 0..CLOSER_LOOKS {
        let Some(first) = first_counted(&found) else { return Ok(None) };
        if first <= from {
            break;
        }
        from = first;
        found = slices(handle, status, Interval { from, to }, known).await?;
    }
    Ok(Some(draw(status, Interval { from, to }, from > begin, &found)))
}

async fn slices(handle: &Handle, status: &BudgetStatus, over: Interval, known: Known) -> Result<Vec<Slice>, StoreError> {
    let asked = SlicesAsked { budget: status.budget.clone(), counted_in: status.counted_in, over, at_most: SLICES };
    handle.slices(asked, known).await
}

/// The start of the first slice that holds anything.
fn first_counted(slices: &[Slice]) -> Option<Timestamp> {
    let at = slices.iter().position(|slice| !slice.counts.is_zero())?;
    match at.checked_sub(1) {
        Some(before) => Some(slices[before].end),
        None => Some(start_of_first(slices)),
    }
}

/// Slices are of one length, so that the first begins as far before its end as the second does.
fn start_of_first(slices: &[Slice]) -> Timestamp {
    match slices {
        [first, second, ..] => first.end.minus(second.end.since(first.end)),
        [only] => only.end,
        [] => Timestamp::EPOCH,
    }
}

/// Nobody saw what lies before the beginning of counting.
fn not_counted(drawn: &mut BurnDown, from: Timestamp, begin: Timestamp, slices: &[Slice]) {
    let starts = std::iter::once(from).chain(slices.iter().map(|slice| slice.end));
    for ((point, slice), start) in drawn.points.iter_mut().zip(slices).zip(starts) {
        let length = slice.end.since(start).as_secs_f64();
        point.unseen_seconds = (point.unseen_seconds + begin.min(slice.end).since(start).as_secs_f64()).min(length);
    }
}

fn draw(status: &BudgetStatus, over: Interval, nothing_before: bool, slices: &[Slice]) -> BurnDown {
    let from = over.from;
    let judged = |slice: &Slice| status.excluded.treated.apply(slice.counts, slice.excluded.counts);
    let sum: Counts = slices.iter().map(judged).sum();
    // Where the window is unknown, what was counted in it before is drawn all the same.
    let part = Part { passed: status.over.passed(status.as_of), length: status.over.length() };
    let (total, left) = match status.left {
        Some(left) => (status.window_total, left.ratio),
        None => (part.window_total(sum.total()), BudgetLeft::so_far(status.target, part, sum).map_or(1.0, |left| left.ratio)),
    };
    let mut silence = Silence::of(status, sum, over.to);
    let mut later = 0.0;
    let mut points: Vec<BurnDownPoint> = Vec::with_capacity(slices.len());
    for (at, slice) in slices.iter().enumerate().rev() {
        let counts = judged(slice);
        let start = at.checked_sub(1).map_or(from, |before| slices[before].end);
        let unseen = counts.unseen_millis as f64 / 1000.0 + silence.take(start, slice.end).as_secs_f64();
        points.push(BurnDownPoint {
            at: instant(slice.end),
            bad: Events(status.unit.count(counts.bad)),
            total: Events(status.unit.count(counts.total())),
            unseen_seconds: unseen,
            excluded_seconds: slice.excluded.time.as_secs_f64(),
            left_ratio: left + later,
        });
        later += spent(status.target, counts, total);
    }
    points.reverse();
    let to = slices.last().map_or(from, |slice| slice.end);
    BurnDown {
        budget: status.budget.to_string(),
        from: instant(from),
        to: instant(to),
        nothing_before,
        counted_from: None,
        period: None,
        left_ratio_at_start: left + later,
        points,
    }
}

/// The time behind the newest sample of a budget that cannot be seen, as far as no slice holds it as unseen: nobody saw it either.
struct Silence {
    since: Timestamp,
    to: Timestamp,
    rest: Duration,
}

impl Silence {
    fn of(status: &BudgetStatus, held: Counts, to: Timestamp) -> Self {
        let since = status.newest_sample.filter(|_| status.unknown.is_some()).unwrap_or(to);
        let booked = |counts: Counts| Duration::from_millis(u64::try_from(counts.unseen_millis).unwrap_or(0));
        // A budget without any sums says nothing of what was unseen.
        let rest = match status.counts {
            counts if counts.is_zero() => to.since(since),
            counts => booked(counts).saturating_sub(booked(held)),
        };
        Self { since, to, rest }
    }

    /// What of it lies in a slice, newest first.
    fn take(&mut self, from: Timestamp, to: Timestamp) -> Duration {
        let taken = to.min(self.to).since(from.max(self.since)).min(self.rest);
        self.rest = self.rest.saturating_sub(taken);
        taken
    }
}

/// The share of the window's budget that the failures of a slice are. A slice may be negative, where two exporters report an event in different ones.
fn spent(target: Target, counts: Counts, total: f64) -> f64 {
    let allowed = target.allowed().as_f64() * total;
    let failed = counts.bad as f64 + counts.tolerated as f64 / 2.0;
    if allowed > 0.0 { failed / allowed } else { 0.0 }
}
