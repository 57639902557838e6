//! Which exclusions take time out of a budget's window, and that alert rows do not look at them (ADR 0011).

use burnward_core::{
    evaluate::BudgetStatus,
    exclusion::{Case, Exclusion, Known, time_within},
    window::Interval,
    words,
};

use crate::{
    view::{ExclusionsView, View},
    web::api::wire::{ExplainedRow, TakenOut},
};

/// Exclusions that are named for a row.
const NAMED: usize = 5;

/// The exclusions that take time out of the budget's window, up to the moment that it stands at, oldest first.
pub(super) fn of_window(view: &View, status: &BudgetStatus, known: Known) -> Vec<TakenOut> {
    // One that was recorded since the budget was evaluated is in none of its figures yet.
    let record = view.exclusions.get(&status.budget.slo.tenant).filter(|_| !status.excluded.time.is_zero());
    let Some(record) = record else { return Vec::new() };
    let over = Interval { from: status.over.from, to: status.as_of };
    let taken_out = |exclusion: &Exclusion| {
        let time = time_within(&exclusion.stretches, over);
        let case = case(record, exclusion).filter(|_| !time.is_zero())?;
        let (reason, approver) = (case.entry.reason.clone(), case.entry.approver.clone());
        Some(TakenOut { id: exclusion.id.to_string(), seconds: time.as_secs_f64(), reason, approver })
    };
    record.exclusions.of(&status.budget, known).filter_map(taken_out).collect()
}

fn case<'r>(record: &'r ExclusionsView, exclusion: &Exclusion) -> Option<&'r Case> {
    record.cases.iter().find(|case| case.entry.id == exclusion.id)
}

/// Says of each row what of its long lookback is excluded, and that it counts that nevertheless.
pub(super) fn note_in_rows(rows: &mut [ExplainedRow], view: &View, status: &BudgetStatus, known: Known) {
    let Some(record) = view.exclusions.get(&status.budget.slo.tenant) else { return };
    let stretches = record.exclusions.stretches(&status.budget, known);
    for (row, burn) in rows.iter_mut().zip(&status.rows) {
        let over = Interval { from: status.as_of.minus(burn.row.long), to: status.as_of };
        let time = time_within(&stretches, over);
        let touching = record.exclusions.of(&status.budget, known).filter(|exclusion| !time_within(&exclusion.stretches, over).is_zero());
        let by: Vec<String> = touching.map(|exclusion| exclusion.id.to_string()).collect();
        let told = || {
            let (time, long) = (words::duration(time), words::lookback(burn.row.long));
            format!("{time} of {long} are excluded by {}; alerts count them", words::list(&by, NAMED))
        };
        row.excluded = (!time.is_zero()).then(told);
    }
}
