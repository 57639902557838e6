//! The context of a week's report as a channel reads it: the worst budgets, and how many more there are.

use burnward_core::{
    report::{Change, Missing, Row, TeamWeek, Verdict},
    time::{Timestamp, minutes},
    words,
};
use serde::Serialize;

use super::{super::MAX_LIST, Moment, report::group};
use crate::report::{Weekly, words as told};

/// Budgets that a post shows.
const SHOWN: usize = 5;

/// Members of a journey that a post names.
const MEMBERS: usize = 3;

/// A report that is posted longer than this after it was due says so.
const LATE: std::time::Duration = minutes(10);

/// A report that is posted: the head and the foot of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportPostContext {
    /// Whose budgets: `payments`, `all teams`.
    pub whose: String,
    /// The week's name: `2026-W47`.
    pub name: String,
    /// The week with its days and zone.
    pub week: String,
    /// How many budgets have each verdict: `1 FREEZE, 14 SHIP`.
    pub verdicts: String,
    /// The worst budgets, at most five.
    pub rows: Vec<ReportPostRow>,
    /// How many budgets more.
    pub more: usize,
    /// How many of these have each verdict.
    pub more_verdicts: String,
    /// `5 pages (2 at night), 3 incidents, 1 ticket`; absent where no team had any.
    pub load: Option<String>,
    /// `2 budgets with excluded time (X-1, X-2)`; absent where none was corrected.
    pub corrected: Option<String>,
    /// The incidents that were false positives, at most fifty.
    pub false_positives: Vec<String>,
    /// When it was due, where that is a while ago.
    pub late: Option<Moment>,
    /// How many earlier reports were not sent, because burnward did not run.
    pub missed: usize,
}

/// A budget in a post.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportPostRow {
    /// The icon before the verdict.
    pub icon: String,
    /// `FREEZE`, `CANNOT SAY`, `CAREFUL`, `SHIP`.
    pub verdict: String,
    /// The SLO: `checkout/availability`.
    pub slo: String,
    /// The group, where it is split.
    pub group: Option<String>,
    /// `99.9 % over 30d`.
    pub objective: String,
    /// `71 % left (30 m 40 s of 43 m 12 s)`, `not seen`.
    pub left: String,
    /// `-18.0 %, -7 m 46 s`; absent where nothing changed or nobody can tell.
    pub change: Option<String>,
    /// Which incidents spent it; absent where nothing failed.
    pub ate: Option<String>,
    /// Of a journey: the members that cost it slices, the worst first; absent where none did: `checkout/availability: 5 of 7 bad slices`.
    pub members: Option<String>,
    /// How much was seen; absent where all or nothing was.
    pub seen: Option<String>,
    /// Why; absent where the figures say it.
    pub because: Option<String>,
}

impl ReportPostContext {
    /// The context of a report that was due at `fired_at`, after so many that were missed, as it is posted at `now`.
    pub fn new(weekly: &Weekly, fired_at: Timestamp, missed: usize, now: Timestamp) -> Self {
        let rows = &weekly.report.rows;
        let (shown, rest) = rows.split_at(rows.len().min(SHOWN));
        Self {
            whose: weekly.whose.clone(),
            name: weekly.week.name.clone(),
            week: weekly.week.to_string(),
            verdicts: verdicts(rows),
            rows: shown.iter().map(ReportPostRow::of).collect(),
            more: rest.len(),
            more_verdicts: verdicts(rest),
            load: load(&weekly.report.teams),
            corrected: told::corrected(rows),
            false_positives: weekly.false_positives.iter().take(MAX_LIST).map(|marked| marked.incident.to_string()).collect(),
            late: (now.since(fired_at) > LATE).then(|| Moment::at(fired_at, now)),
            missed,
        }
    }

    /// One plain line that says it without any template.
    pub fn plain(&self) -> String {
        format!("Error budgets of {}, {}: {}", self.whose, self.name, self.verdicts)
    }
}

impl ReportPostRow {
    fn of(row: &Row) -> Self {
        let then = &row.then;
        let burns = row.burns.iter().map(|burn| (burn.incident.as_str(), burn.share));
        let between = then.unseen.as_ref().and_then(words::unseen_left);
        let seen = (row.seen > 0.0 || then.coverage > 0.0).then(|| told::seen(row.seen, then.coverage, between.as_deref()));
        Self {
            icon: row.judged.verdict.icon().to_owned(),
            verdict: row.judged.verdict.word().to_owned(),
            slo: told::named(then),
            group: group(&then.budget.group),
            objective: told::objective(row),
            left: then
                .left
                .map(|left| words::budget_left(&left))
                .or_else(|| row.missing_left().map(|why| Missing::words(why).to_owned()))
                .unwrap_or_default(),
            change: match row.change {
                Change::By { ratio, seconds } if ratio != 0.0 => Some(told::change(ratio, seconds)),
                Change::By { .. } | Change::None(_) => None,
            },
            ate: (row.failed() > 0.0).then(|| told::ate(burns, row.unattributed_share(), None)),
            members: Some(told::members(row.members.iter().filter(|member| member.bad.rounded() > 0).take(MEMBERS)))
                .filter(|told| !told.is_empty()),
            seen: seen.filter(|seen| seen != told::ALL),
            because: match row.judged.verdict {
                Verdict::CannotSay | Verdict::Careful => Some(row.judged.because.clone()),
                Verdict::Freeze | Verdict::Ship => None,
            },
        }
    }

    /// One plain line that says it without any template.
    pub fn plain(&self) -> String {
        format!("{} {} {}: {}", self.icon, self.verdict, self.slo, self.left)
    }
}

fn verdicts(rows: &[Row]) -> String {
    told::verdicts(told::count_verdicts(rows.iter().map(|row| row.judged.verdict.word())))
}

/// What the week cost all these teams together.
fn load(teams: &[TeamWeek]) -> Option<String> {
    let any = teams.iter().any(|team| team.pages() + team.incidents + team.tickets > 0);
    any.then(|| told::load(teams))
}
