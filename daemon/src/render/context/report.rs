//! The context of a week's report, for Markdown.

use std::time::Duration;

use burnward_core::{
    report::{Blind, Burn, Change, Missing, Row, TeamWeek},
    words,
};
use serde::Serialize;

use super::super::MAX_LIST;
use crate::report::{Marked, OPENED_AGAIN, Weekly, words as told};

/// Rows of the document at most, in parts of a list's length; the rest is counted, and in the CSV.
const PARTS: usize = 10;
/// Longest value of a label, in characters.
const VALUE: usize = 40;

/// A week's report as its templates see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportContext {
    /// Whose budgets: `payments`, `all teams`.
    pub whose: String,
    /// The week with its days and zone.
    pub week: String,
    /// The week is not over.
    pub goes_on: bool,
    /// That it holds only what was known at the end of the week.
    pub note: Option<String>,
    /// How many budgets have each verdict: `1 FREEZE, 14 SHIP`.
    pub verdicts: String,
    /// How many budgets there are.
    pub count: usize,
    /// All rows, worst first, in parts of fifty, at most ten parts.
    pub parts: Vec<Vec<RowContext>>,
    /// How many rows more.
    pub more: usize,
    /// The biggest burns, at most ten.
    pub burns: Vec<BurnContext>,
    /// The members of journeys, in parts of fifty, at most ten parts.
    pub journeys: Vec<Vec<MemberContext>>,
    /// The budgets whose figures were corrected, in parts of fifty, at most ten parts.
    pub corrected: Vec<Vec<CorrectedContext>>,
    /// What could not be seen, at most fifty.
    pub blind: Vec<BlindContext>,
    /// The incidents that were false positives, at most fifty.
    pub false_positives: Vec<FalsePositiveContext>,
    /// What the week cost each team, at most fifty.
    pub teams: Vec<TeamContext>,
}

/// An incident that was a false positive.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FalsePositiveContext {
    /// Which.
    pub incident: String,
    /// Why it was none.
    pub reason: String,
    /// Who said so.
    pub author: String,
    /// Who approved it.
    pub approver: String,
}

/// One budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowContext {
    /// `FREEZE`, `CANNOT SAY`, `CAREFUL`, `SHIP`.
    pub verdict: String,
    /// The icon before the word.
    pub icon: String,
    /// Why.
    pub because: String,
    /// The SLO: `checkout/availability`.
    pub slo: String,
    /// The group, where it is split.
    pub group: Option<String>,
    /// `99.9 % over 30d`.
    pub objective: String,
    /// `71 % left (30 m 40 s of 43 m 12 s)`; why there is none.
    pub left: String,
    /// Against the beginning of the week: `-18.0 %, -7 m 46 s`.
    pub change: String,
    /// What the week spent: `13.4 %`.
    pub spent: String,
    /// Which incidents spent it.
    pub ate: String,
    /// How much was seen: `all`, `61 % of the week`.
    pub seen: String,
    /// Who is responsible.
    pub team: String,
}

/// A member of a journey, with what it did to it in the week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MemberContext {
    /// The journey: `shop/buy`.
    pub journey: String,
    /// Its group, where it is split.
    pub group: Option<String>,
    /// `99.9 % over 30d`.
    pub objective: String,
    /// The member.
    pub member: String,
    /// `5 of 7 bad slices`.
    pub costs: String,
    /// For how long it was not seen.
    pub unseen: String,
}

/// A budget whose figures were corrected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CorrectedContext {
    /// The SLO.
    pub slo: String,
    /// The group, where it is split.
    pub group: Option<String>,
    /// `99.9 % over 30d`.
    pub objective: String,
    /// `2 h by X-1`; absent where nothing is excluded.
    pub excluded: Option<String>,
    /// `all +1,240, failed +3`; absent where nothing came late in the week.
    pub late: Option<String>,
}

/// One of the biggest burns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BurnContext {
    /// The SLO.
    pub slo: String,
    /// The group, where it is split.
    pub group: Option<String>,
    /// Its incident; absent: none explains it.
    pub incident: Option<String>,
    /// Failed events.
    pub failed: String,
    /// Share of the budget.
    pub spent: String,
}

/// A stretch in which burnward could not see.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlindContext {
    /// The source or service.
    pub subject: String,
    /// The incident that told it.
    pub incident: String,
    /// How long; absent: it still cannot.
    pub lasted: Option<String>,
    /// How many reported SLOs it hid.
    pub hid: usize,
}

/// What a week cost a team.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TeamContext {
    /// Which.
    pub team: String,
    /// `5 pages (2 at night), 3 incidents, 1 ticket`.
    pub load: String,
    /// How many of the incidents and tickets are not over, and how many of these a person resolved: `2, 1 of them resolved and goes on`.
    pub open: String,
    /// Pages per person, at most fifty.
    pub people: Vec<PersonContext>,
    /// How long acknowledgements took: the middle, and the longest.
    pub to_acknowledge: Option<String>,
    /// How many incidents nobody acknowledged.
    pub not_acknowledged: usize,
    /// How long incidents lasted.
    pub to_resolve: Option<String>,
}

/// The pages of a person.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonContext {
    /// Who.
    pub person: String,
    /// How many pages.
    pub pages: usize,
    /// How many at night.
    pub at_night: usize,
    /// How many did not arrive.
    pub undelivered: usize,
}

impl ReportContext {
    /// The context of a report.
    pub fn new(weekly: &Weekly) -> Self {
        let report = &weekly.report;
        let shown = &report.rows[..report.rows.len().min(PARTS * MAX_LIST)];
        Self {
            whose: weekly.whose.clone(),
            week: weekly.week.to_string(),
            goes_on: !weekly.week.whole,
            note: weekly.note(),
            verdicts: verdicts(&report.rows),
            count: report.rows.len(),
            parts: shown.chunks(MAX_LIST).map(|part| part.iter().map(row).collect()).collect(),
            more: report.rows.len() - shown.len(),
            burns: report.burns.iter().map(burn).collect(),
            journeys: members(shown).chunks(MAX_LIST).take(PARTS).map(<[_]>::to_vec).collect(),
            corrected: corrected(shown).chunks(MAX_LIST).take(PARTS).map(<[_]>::to_vec).collect(),
            blind: report.blind.iter().take(MAX_LIST).map(blind).collect(),
            false_positives: weekly.false_positives.iter().take(MAX_LIST).map(false_positive).collect(),
            teams: report.teams.iter().take(MAX_LIST).map(team).collect(),
        }
    }

    /// One plain line that says it without any template.
    pub fn plain(&self) -> String {
        format!("Error budgets of {}, {}: {}", self.whose, self.week, self.verdicts)
    }
}

fn verdicts(rows: &[Row]) -> String {
    told::verdicts(told::count_verdicts(rows.iter().map(|row| row.judged.verdict.word())))
}

fn row(row: &Row) -> RowContext {
    let then = &row.then;
    let (missing_left, missing_spent) = (row.missing_left().map(Missing::words), row.missing_spent().map(Missing::words));
    let burns = row.burns.iter().map(|burn| (burn.incident.as_str(), burn.share));
    RowContext {
        verdict: row.judged.verdict.word().to_owned(),
        icon: row.judged.verdict.icon().to_owned(),
        because: row.judged.because.clone(),
        slo: told::named(then),
        group: group(&then.budget.group),
        objective: told::objective(row),
        left: then.left.map(|left| words::budget_left(&left)).or_else(|| missing_left.map(str::to_owned)).unwrap_or_default(),
        change: match row.change {
            Change::By { ratio, seconds } => told::change(ratio, seconds),
            Change::None(why) => why.words().to_owned(),
        },
        spent: told::spent(row.spent, missing_spent),
        ate: told::ate(burns, row.unattributed_share(), missing_spent),
        seen: told::seen(row.seen, then.coverage, then.unseen.as_ref().and_then(words::unseen_left).as_deref()),
        team: row.team.to_string(),
    }
}

/// The members of the journeys among these rows.
fn members(rows: &[Row]) -> Vec<MemberContext> {
    let of_row = |row: &Row| {
        let (context, members) = (self::row(row), row.members.clone());
        members.into_iter().map(move |member| MemberContext {
            journey: context.slo.clone(),
            group: context.group.clone(),
            objective: context.objective.clone(),
            member: format!("{}/{}", member.slo.service, member.slo.name),
            costs: told::member_cost(member.bad, member.journey_bad),
            unseen: words::duration(Duration::from_secs(member.unseen.as_secs())),
        })
    };
    rows.iter().filter(|row| !row.members.is_empty()).flat_map(of_row).collect()
}

/// Those of these rows that were corrected.
fn corrected(rows: &[Row]) -> Vec<CorrectedContext> {
    let of_row = |row: &Row| {
        let then = &row.then;
        CorrectedContext {
            slo: told::named(then),
            group: group(&then.budget.group),
            objective: told::objective(row),
            excluded: told::excluded(&then.excluded, &row.corrections.exclusions),
            late: told::late(row.corrections.late, row.late_failed(), then.unit),
        }
    };
    rows.iter().filter(|row| row.is_corrected()).map(of_row).collect()
}

pub(super) fn group(group: &burnward_core::id::Group) -> Option<String> {
    (!group.is_whole()).then(|| words::cut(&group.values(), VALUE))
}

fn burn(burn: &Burn) -> BurnContext {
    BurnContext {
        slo: format!("{}/{}", burn.budget.slo.service, burn.budget.slo.name),
        group: group(&burn.budget.group),
        incident: burn.incident.as_ref().map(ToString::to_string),
        failed: told::failures(burn.failed, burn.unit),
        spent: told::share(burn.share),
    }
}

fn blind(blind: &Blind) -> BlindContext {
    BlindContext {
        subject: blind.subject.clone(),
        incident: blind.incident.to_string(),
        lasted: blind.to.map(|to| words::duration(Duration::from_secs(to.since(blind.from).as_secs()))),
        hid: blind.hid.len(),
    }
}

fn false_positive(marked: &Marked) -> FalsePositiveContext {
    FalsePositiveContext {
        incident: marked.incident.to_string(),
        reason: format!("{}{}", marked.reason, if marked.opened_again { OPENED_AGAIN } else { "" }),
        author: marked.author.clone(),
        approver: marked.approver.clone(),
    }
}

fn team(team: &TeamWeek) -> TeamContext {
    let people = team.people.iter().take(MAX_LIST).map(|person| PersonContext {
        person: person.person.to_string(),
        pages: person.pages,
        at_night: person.at_night,
        undelivered: person.undelivered,
    });
    TeamContext {
        team: team.team.to_string(),
        load: told::load(std::slice::from_ref(team)),
        open: told::open(team.open, team.goes_on),
        people: people.collect(),
        to_acknowledge: team.to_acknowledge.map(told::times),
        not_acknowledged: team.not_acknowledged,
        to_resolve: team.to_resolve.map(told::times),
    }
}
