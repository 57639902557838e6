//! How a budget was spent over its window: the ledger's slices, summed so that the last point is what is left now.

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
    Ok(Some(BurnDown { period: Some(period), ..draw(status, from, false, &found) }))
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
    Ok(Some(draw(status, from, from > begin, &found)))
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

fn draw(status: &BudgetStatus, from: Timestamp, nothing_before: bool, slices: &[Slice]) -> BurnDown {
    let judged = |slice: &Slice| status.excluded.treated.apply(slice.counts, slice.excluded.counts);
    let sum: Counts = slices.iter().map(judged).sum();
    // Where the window is unknown, what was counted in it before is drawn all the same.
    let part = Part { passed: status.over.passed(status.as_of), length: status.over.length() };
    let (total, left) = match status.left {
        Some(left) => (status.window_total, left.ratio),
        None => (part.window_total(sum.total()), BudgetLeft::so_far(status.target, part, sum).map_or(1.0, |left| left.ratio)),
    };
    let mut later = 0.0;
    let mut points: Vec<BurnDownPoint> = Vec::with_capacity(slices.len());
    for slice in slices.iter().rev() {
        let counts = judged(slice);
        let unseen = not_read(status, slices, slice.end).unwrap_or(counts.unseen_millis as f64 / 1000.0);
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
        period: None,
        left_ratio_at_start: left + later,
        points,
    }
}

/// The length of a slice that lies after the newest sample of a budget that cannot be seen: nobody saw it either.
fn not_read(status: &BudgetStatus, slices: &[Slice], end: Timestamp) -> Option<f64> {
    let newest = status.newest_sample.filter(|_| status.unknown.is_some())?;
    let [first, second, ..] = slices else { return None };
    let step = second.end.since(first.end);
    (end.minus(step) >= newest).then_some(step.as_secs_f64())
}

/// The share of the window's budget that the failures of a slice are. A slice may be negative, where two exporters report an event in different ones.
fn spent(target: Target, counts: Counts, total: f64) -> f64 {
    let allowed = target.allowed().as_f64() * total;
    let failed = counts.bad as f64 + counts.tolerated as f64 / 2.0;
    if allowed > 0.0 { failed / allowed } else { 0.0 }
}
