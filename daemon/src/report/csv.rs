//! A report as CSV: one line per budget, worst first, numbers as numbers.

use burnward_core::{
    report::{Change, Missing, Row},
    words::window,
};

use super::{Weekly, words};
use crate::render::csv::{Csv, CsvCell};

const COLUMNS: [&str; 40] = [
    "week",
    "from",
    "to",
    "timezone",
    "tenant",
    "team",
    "service",
    "slo",
    "group",
    "objective",
    "title",
    "verdict",
    "because",
    "state",
    "target_percent",
    "window",
    "left_percent",
    "left_minutes",
    "least_left_percent",
    "most_left_percent",
    "budget_minutes",
    "no_left",
    "change_percent",
    "change_minutes",
    "no_change",
    "failed_in_week",
    "total_in_week",
    "spent_percent",
    "no_spent",
    "spent_by",
    "members",
    "false_positives",
    "excluded_minutes",
    "exclusions",
    "late_failed",
    "late_total",
    "late_unseen_minutes",
    "unattributed_percent",
    "seen_percent",
    "coverage_percent",
];

/// The report as CSV.
pub fn csv(weekly: &Weekly) -> String {
    let mut csv = Csv::new(&COLUMNS);
    for row in &weekly.report.rows {
        csv.line(cells(weekly, row));
    }
    csv.into_text()
}

fn cells(weekly: &Weekly, row: &Row) -> [CsvCell; COLUMNS.len()] {
    let (week, then, late) = (&weekly.week, &row.then, row.corrections.late);
    let percent = |share: Option<f64>| CsvCell::number(share.map(|share| share * 100.0));
    let why = |missing: Option<Missing>| CsvCell::text(missing.map_or("", Missing::words));
    let minutes = |seconds: Option<f64>| CsvCell::number(seconds.map(|seconds| seconds / 60.0));
    let (change, change_seconds, no_change) = match row.change {
        Change::By { ratio, seconds } => (Some(ratio), Some(seconds), ""),
        Change::None(why) => (None, None, why.words()),
    };
    let burns = row.burns.iter().map(|burn| (burn.incident.as_str(), burn.share));
    [
        CsvCell::text(&week.name),
        CsvCell::text(&words::utc(week.over.from)),
        CsvCell::text(&words::utc(week.over.to)),
        CsvCell::text(week.zone.as_str()),
        CsvCell::text(weekly.tenant.as_str()),
        CsvCell::text(row.team.as_str()),
        CsvCell::text(then.budget.slo.service.as_str()),
        CsvCell::text(then.budget.slo.name.as_str()),
        CsvCell::text(&then.budget.group.values()),
        CsvCell::text(then.budget.objective.as_str()),
        CsvCell::text(&row.title),
        CsvCell::text(row.judged.verdict.word()),
        CsvCell::text(&row.judged.because),
        CsvCell::text(then.word()),
        CsvCell::text(&then.target.as_percent()),
        CsvCell::text(&window(&then.window)),
        percent(then.left.map(|left| left.ratio)),
        minutes(then.left.map(|left| left.seconds)),
        percent(then.unseen.map_or(then.left, |unseen| Some(unseen.least)).map(|left| left.ratio)),
        percent(then.unseen.map_or(then.left, |unseen| Some(unseen.most)).map(|left| left.ratio)),
        minutes(then.left.map(|left| left.whole.as_secs_f64())),
        why(row.missing_left()),
        percent(change),
        minutes(change_seconds),
        CsvCell::text(no_change),
        CsvCell::number(Some(row.failed())),
        row.total().whole().map_or_else(|| CsvCell::number(Some(row.total().as_f64())), CsvCell::whole),
        percent(row.spent),
        why(row.missing_spent()),
        CsvCell::text(&words::ate(burns, None, row.missing_spent().map(Missing::words))),
        CsvCell::text(&words::members(row.members.iter())),
        CsvCell::text(&words::incidents(weekly.false_positives_of(&then.budget))),
        minutes(Some(then.excluded.time.as_secs_f64())),
        CsvCell::text(&row.corrections.exclusions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        CsvCell::number(Some(row.late_failed())),
        CsvCell::number(Some(then.unit.count(late.total()).as_f64())),
        minutes(Some(late.unseen_millis as f64 / 1000.0)),
        percent(row.unattributed_share()),
        percent(Some(row.seen)),
        percent(Some(then.coverage)),
    ]
}
