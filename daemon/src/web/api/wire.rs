//! The shapes of the API: what goes over the wire, read back by the command line. Times are RFC 3339 in UTC, ratios between 0 and 1, spans in seconds; the
//! unit ends the name where a number could be misread.

use burnward_core::{
    evaluate::BudgetStatus,
    id::{BudgetId, PageId},
    incident::{AlertKey, Incident, PageOutcome, PageState, Phase},
    ledger::Unknown,
    postmortem::PostmortemDraft,
    slo::Urgency,
    time::Timestamp,
    timeline::{self, Entry},
    words,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use crate::{
    definition::document::version_of,
    render::PageContext,
    view::{DefinitionFault, QueryView, SourceView, View},
};

/// A core instant as text: RFC 3339 in UTC with milliseconds.
pub fn instant(at: Timestamp) -> Instant {
    Instant::from_millisecond(at.millis()).unwrap_or(Instant::UNIX_EPOCH)
}

/// `GET /api/v1/status`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// `burnward/v1/status`.
    pub schema: String,
    /// When it was put together.
    pub as_of: Instant,
    /// Every budget, worst first.
    pub budgets: Vec<Budget>,
    /// The sources.
    pub sources: Vec<SourceState>,
    /// The incidents that are not resolved, oldest first.
    pub open_incidents: Vec<IncidentState>,
    /// What waits for delivery.
    pub outbox: Outbox,
    /// Definitions that do not load; the last good ones run.
    pub definition_faults: Vec<Fault>,
    /// Texts of the operator that cannot be used; the built-in ones are.
    pub text_faults: Vec<String>,
}

/// A budget.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Budget {
    /// `tenant:service/name{group}#objective`.
    pub id: String,
    /// A short name for it in addresses, whatever its labels hold: `?budget=`.
    pub key: String,
    /// Whose.
    pub tenant: String,
    /// Of which service.
    pub service: String,
    /// Of which SLO.
    pub slo: String,
    /// Which objective.
    pub objective: String,
    /// Label and value, sorted; empty where the SLO is not split.
    pub group: Vec<(String, String)>,
    /// What is promised.
    pub title: String,
    /// Who is paged.
    pub team: String,
    /// `BURNING`, `CANNOT SEE`, `SPENT`, `BACK-FILLING`, `NO TRAFFIC`, `OK`.
    pub state: String,
    /// The icon before the word.
    pub icon: String,
    /// Since when it burns or cannot be seen.
    pub since: Option<Instant>,
    /// Target in percent, as written.
    pub target_percent: String,
    /// The window.
    pub window_seconds: u64,
    /// Good events of the window.
    pub good: i64,
    /// Bad events of the window.
    pub bad: i64,
    /// Share of good events.
    pub sli_ratio: Option<f64>,
    /// Share of the budget that is left; negative when overspent.
    pub left_ratio: Option<f64>,
    /// The same as time of total outage.
    pub left_seconds: Option<f64>,
    /// The whole budget as such time.
    pub budget_seconds: Option<u64>,
    /// How long the rest lasts at the present rate.
    pub runs_out_seconds: Option<u64>,
    /// Share of the window that was seen.
    pub coverage_ratio: f64,
    /// Timestamp of the newest sample.
    pub newest_sample: Option<Instant>,
    /// When it was evaluated.
    pub as_of: Instant,
    /// Why it cannot be seen.
    pub unknown: Option<Why>,
    /// Every alert row with its arithmetic.
    pub rows: Vec<Row>,
}

/// An alert row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// `page` or `ticket`.
    pub urgency: String,
    /// The threshold.
    pub factor: f64,
    /// The long lookback.
    pub long_seconds: u64,
    /// The short lookback.
    pub short_seconds: u64,
    /// Bad events over the long lookback.
    pub long_bad: i64,
    /// All events over the long lookback.
    pub long_total: i64,
    /// Bad events over the short lookback.
    pub short_bad: i64,
    /// All events over the short lookback.
    pub short_total: i64,
    /// Burn rate over the long lookback.
    pub long_burn: f64,
    /// Burn rate over the short lookback.
    pub short_burn: f64,
    /// Both are above the threshold.
    pub holds: bool,
}

/// Why something cannot be seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Why {
    /// The stable code.
    pub reason: String,
    /// The sentence.
    pub detail: String,
}

/// A source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SourceState {
    /// For whom it is read.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Product and version.
    pub product: Option<String>,
    /// The last time that every query was answered.
    pub last_good: Option<Instant>,
    /// Since when it is blind.
    pub blind_since: Option<Instant>,
    /// Why.
    pub blind: Option<Why>,
    /// Up to where its samples are settled.
    pub settled: Option<Instant>,
    /// Its clock minus ours.
    pub skew_millis: Option<i64>,
    /// True while older samples are being read.
    pub catching_up: bool,
    /// What was asked in the last round, and what came.
    pub queries: Vec<Query>,
}

/// A query of a round.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Query {
    /// The selector as it was sent.
    pub asked: String,
    /// From, exclusive.
    pub from: Instant,
    /// To, inclusive.
    pub to: Instant,
    /// How many series came.
    pub series: Option<usize>,
    /// How long it took.
    pub took_millis: Option<u64>,
    /// Why nothing came.
    pub unknown: Option<Why>,
}

/// What waits for delivery.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outbox {
    /// Pages that wait.
    pub pages_owed: u64,
    /// When the oldest was decided.
    pub oldest_page: Option<Instant>,
    /// Pages that cannot arrive.
    pub pages_undeliverable: u64,
    /// Thread posts and edits that wait.
    pub informs_owed: u64,
    /// The pages that wait or cannot arrive.
    pub undelivered: Vec<Undelivered>,
}

/// A page that has not arrived.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Undelivered {
    /// Which.
    pub page: String,
    /// Of which incident.
    pub incident: String,
    /// To whom.
    pub to: String,
    /// When it was decided.
    pub decided_at: Instant,
    /// How often it was tried.
    pub attempts: u32,
    /// What came of the last attempt.
    pub last_error: Option<String>,
    /// True where it is not tried again.
    pub given_up: bool,
}

/// A file that does not load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Which.
    pub file: String,
    /// The diagnostics, as `burnward check` prints them.
    pub text: String,
}

/// An incident, short: `GET /api/v1/incidents`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncidentState {
    /// Its identity.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// What happened, in user words.
    pub title: String,
    /// `page` or `ticket`.
    pub urgency: String,
    /// `open`, `acknowledged`, `resolved`.
    pub phase: String,
    /// When it began.
    pub began: Instant,
    /// When it was opened.
    pub opened_at: Instant,
    /// Who brought it into its phase, and when.
    pub phase_by: Option<String>,
    /// When it came into its phase.
    pub phase_at: Option<Instant>,
    /// Who is responsible.
    pub team: String,
    /// When the next step is paged, if nobody acknowledges.
    pub escalates_at: Option<Instant>,
    /// Its alerts: which, and when they cleared.
    pub alerts: Vec<Alert>,
}

/// An alert of an incident.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Alert {
    /// Which.
    pub id: String,
    /// The same as people name it: `checkout/availability for acme`.
    pub subject: String,
    /// `service/name` of its SLO; a source has none.
    pub slo: Option<String>,
    /// The `key` of its budget, where it is one's.
    pub budget: Option<String>,
    /// When it joined.
    pub joined_at: Instant,
    /// When it cleared.
    pub recovered_at: Option<Instant>,
}

/// An incident with its timeline: `GET /api/v1/incidents/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncidentDetail {
    /// The incident.
    #[serde(flatten)]
    pub incident: IncidentState,
    /// When its first page arrived.
    pub delivered_at: Option<Instant>,
    /// When somebody acknowledged first.
    pub acknowledged_at: Option<Instant>,
    /// How it stands now; absent where it is read from the store without a daemon.
    pub now: Option<IncidentNow>,
    /// The pages that were owed for it, oldest first, and what became of each.
    pub pages: Vec<PageDelivery>,
    /// Its timeline.
    pub timeline: Vec<TimelineEntry>,
}

/// An incident as it stands now: the figures of its worst budget, or what is hidden, and who has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncidentNow {
    /// What, how bad, how long: one sentence.
    pub sentence: String,
    /// The groups that are hit, in a few words.
    pub whom: Option<String>,
    /// The worst budget, where budgets burn.
    pub burn: Option<BurnNow>,
    /// Why it cannot be seen, where that is the fault.
    pub blind: Option<String>,
    /// The SLOs that are hidden, at most ten.
    pub hides: Vec<String>,
    /// Who is paged now.
    pub paged: Vec<String>,
    /// Who is paged next, if nobody acknowledges.
    pub next: Vec<String>,
    /// The runbook's file.
    pub runbook: Option<String>,
    /// Its first steps, at most three; Markdown.
    pub steps: Vec<String>,
    /// The share of the window's budget that it cost, the worst budget.
    pub spent: Option<String>,
}

/// The worst budget of an incident, in the words of its page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnNow {
    /// Share that fails now: `15.2 %`.
    pub failing: String,
    /// What that is a share of: `of requests failing`.
    pub of: String,
    /// What is allowed: `0.10 %`.
    pub limit: String,
    /// Whose budget it is, where there are several.
    pub whose: Option<String>,
    /// What is left: `71 % left (30 m 40 s of 43 m 12 s)`.
    pub left: String,
    /// Its window: `30 d`.
    pub window: String,
    /// When it is gone at this rate: `3 h 22 m`.
    pub runs_out: Option<String>,
    /// The row that fired, with what its lookbacks show now: `1 h: 1.46 % = 14.6x, 5 min: 15.2 % = 152x, threshold 14.4x`.
    pub row: String,
}

/// A page and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PageDelivery {
    /// Which.
    pub page: String,
    /// To whom.
    pub to: String,
    /// When it was decided.
    pub decided_at: Instant,
    /// Escalation step, from 1.
    pub step: u32,
    /// Why, as a clause.
    pub why: String,
    /// `owed`, `delivered`, `undeliverable`.
    pub outcome: String,
    /// When it arrived, or when it was known that it cannot.
    pub ended_at: Option<Instant>,
    /// Why it cannot arrive.
    pub reason: Option<String>,
}

/// A row of a timeline.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Position.
    pub seq: u32,
    /// When.
    pub at: Instant,
    /// Who.
    pub by: String,
    /// `people` or `machine`.
    pub source: String,
    /// The sentence.
    pub text: String,
}

/// A postmortem draft: `GET /api/v1/incidents/{id}/postmortem`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Postmortem {
    /// Of which incident.
    pub incident: String,
    /// What happened.
    pub title: String,
    /// First bad slice.
    pub began: Instant,
    /// The alert fired.
    pub detected: Instant,
    /// The first page arrived.
    pub paged: Option<Instant>,
    /// Somebody acknowledged.
    pub acknowledged: Option<Instant>,
    /// It was over.
    pub resolved: Option<Instant>,
    /// detected - began.
    pub to_detect_seconds: f64,
    /// acknowledged - paged.
    pub to_acknowledge_seconds: Option<f64>,
    /// resolved - began.
    pub to_resolve_seconds: Option<f64>,
    /// The groups that were hit.
    pub groups: Vec<String>,
    /// What each budget lost.
    pub impact: Vec<Impact>,
    /// The document as Markdown.
    pub markdown: String,
}

/// What a budget lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Impact {
    /// Which budget.
    pub budget: String,
    /// Bad events.
    pub bad: i64,
    /// All events.
    pub total: i64,
    /// Share of the window's budget.
    pub spent_ratio: Option<f64>,
}

/// What came of a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CommandOutcome {
    /// `done`, or `already`.
    pub outcome: String,
    /// One sentence.
    pub sentence: String,
    /// The incident after it.
    pub incident: IncidentState,
}

/// `POST /api/v1/incidents/{id}/note`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoteBody {
    /// The words.
    pub text: String,
}

/// `POST /api/v1/pages/test`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPageBody {
    /// To whom; without it the operators' first step.
    pub person: Option<String>,
}

impl From<&Unknown> for Why {
    fn from(unknown: &Unknown) -> Self {
        Self { reason: unknown.reason.code().to_owned(), detail: unknown.detail.clone() }
    }
}

/// The hash of a budget's identity: an address of one length, whatever the source sent as labels.
pub fn budget_key(budget: &BudgetId) -> String {
    version_of(&budget.to_string())
}

impl Budget {
    /// A budget of a view.
    pub fn of(view: &View, status: &BudgetStatus) -> Self {
        let BudgetId { slo, objective, group } = &status.budget;
        let definition = view.slos.get(slo);
        Self {
            id: status.budget.to_string(),
            key: budget_key(&status.budget),
            tenant: slo.tenant.to_string(),
            service: slo.service.to_string(),
            slo: slo.name.to_string(),
            objective: objective.to_string(),
            group: group.labels().to_vec(),
            title: definition.map(|slo| slo.title.clone()).unwrap_or_default(),
            team: definition.map(|slo| slo.team.to_string()).unwrap_or_default(),
            state: status.state.word().to_owned(),
            icon: status.state.icon().to_owned(),
            since: status.since.map(instant),
            target_percent: status.target.as_percent(),
            window_seconds: status.window.as_secs(),
            good: status.counts.good,
            bad: status.counts.bad,
            sli_ratio: status.sli,
            left_ratio: status.left.map(|left| left.ratio),
            left_seconds: status.left.map(|left| left.seconds),
            budget_seconds: status.left.map(|left| left.whole.as_secs()),
            runs_out_seconds: status.runs_out.map(|rest| rest.as_secs()),
            coverage_ratio: status.coverage,
            newest_sample: status.newest_sample.map(instant),
            as_of: instant(status.as_of),
            unknown: status.unknown.as_ref().map(Why::from),
            rows: status.rows.iter().map(Row::from).collect(),
        }
    }
}

impl From<&burnward_core::burn_rate::RowBurn> for Row {
    fn from(burn: &burnward_core::burn_rate::RowBurn) -> Self {
        Self {
            urgency: urgency(burn.row.urgency).to_owned(),
            factor: burn.row.factor.as_f64(),
            long_seconds: burn.row.long.as_secs(),
            short_seconds: burn.row.short.as_secs(),
            long_bad: burn.long.bad,
            long_total: burn.long.total(),
            short_bad: burn.short.bad,
            short_total: burn.short.total(),
            long_burn: burn.long_burn,
            short_burn: burn.short_burn,
            holds: burn.holds,
        }
    }
}

/// The urgency as a stable word.
pub const fn urgency(urgency: Urgency) -> &'static str {
    match urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    }
}

impl SourceState {
    /// A source of a view.
    pub fn of(tenant: &str, name: &str, source: &SourceView) -> Self {
        Self {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            product: source.product.clone(),
            last_good: source.last_good.map(instant),
            blind_since: source.blind.as_ref().map(|(since, _)| instant(*since)),
            blind: source.blind.as_ref().map(|(_, unknown)| Why::from(unknown)),
            settled: source.settled.map(instant),
            skew_millis: source.skew_millis,
            catching_up: source.catching_up,
            queries: source.queries.iter().map(Query::from).collect(),
        }
    }
}

impl From<&QueryView> for Query {
    fn from(query: &QueryView) -> Self {
        Self {
            asked: query.asked.clone(),
            from: instant(query.from),
            to: instant(query.to),
            series: query.got.as_ref().ok().map(|(series, _)| *series),
            took_millis: query.got.as_ref().ok().map(|(_, took)| *took),
            unknown: query.got.as_ref().err().map(Why::from),
        }
    }
}

impl From<&DefinitionFault> for Fault {
    fn from(fault: &DefinitionFault) -> Self {
        Self { file: fault.file.clone(), text: fault.text.clone() }
    }
}

impl From<&Incident> for IncidentState {
    fn from(incident: &Incident) -> Self {
        let (phase_at, phase_by) = match &incident.phase {
            Phase::Open => (None, None),
            Phase::Acknowledged { at, by } | Phase::Resolved { at, by, .. } => (Some(instant(*at)), Some(by.to_string())),
        };
        Self {
            id: incident.id.to_string(),
            tenant: incident.tenant.to_string(),
            title: burnward_core::postmortem::title(incident),
            urgency: urgency(incident.fault.urgency).to_owned(),
            phase: incident.phase_word().to_owned(),
            began: instant(incident.began),
            opened_at: instant(incident.opened_at),
            phase_by,
            phase_at,
            team: incident.team.to_string(),
            escalates_at: match incident.phase {
                Phase::Open => incident.escalation.due.map(instant),
                Phase::Acknowledged { .. } | Phase::Resolved { .. } => None,
            },
            alerts: incident
                .members
                .iter()
                .map(|(key, member)| Alert {
                    id: key.to_string(),
                    subject: timeline::subject(key),
                    slo: key.slo().map(|slo| format!("{}/{}", slo.service, slo.name)),
                    budget: match key {
                        AlertKey::Budget(budget) => Some(budget_key(budget)),
                        AlertKey::Source(_) | AlertKey::Slo(_) | AlertKey::Test => None,
                    },
                    joined_at: instant(member.joined_at),
                    recovered_at: member.recovered_at.map(instant),
                })
                .collect(),
        }
    }
}

impl IncidentNow {
    /// What a page that is sent now would say.
    pub fn of(page: PageContext, runbook: Option<String>) -> Self {
        Self {
            sentence: sentence(&page),
            whom: page.whom,
            blind: page.blind.as_ref().map(|blind| blind.why.clone()),
            hides: page.blind.map(|blind| blind.hides).unwrap_or_default(),
            burn: page.burn.map(|burn| BurnNow {
                failing: burn.failing,
                of: burn.of,
                limit: burn.limit,
                whose: burn.budget.whose,
                left: burn.budget.left,
                window: burn.budget.window,
                runs_out: burn.budget.runs_out,
                row: format!(
                    "{}: {} = {}, {}: {} = {}, threshold {}",
                    burn.budget.long,
                    burn.budget.long_failing,
                    burn.budget.long_burn,
                    burn.budget.short,
                    burn.budget.short_failing,
                    burn.budget.short_burn,
                    burn.budget.threshold
                ),
            }),
            paged: page.paged,
            next: page.next.map(|next| next.who).unwrap_or_default(),
            runbook,
            steps: page.steps,
            spent: page.resolved.and_then(|resolved| resolved.spent),
        }
    }
}

/// What, how bad, how long.
fn sentence(page: &PageContext) -> String {
    match (&page.burn, &page.resolved, &page.test) {
        (_, _, Some(by)) => format!("TEST: {by} tries the way of a page. Nothing is at fault."),
        (_, Some(_), None) => format!("It is over. It lasted {}.", page.lasts),
        (Some(burn), None, None) => format!("Now {} {} (allowed {}), for {} so far.", burn.failing, burn.of, burn.limit, page.lasts),
        (None, None, None) => format!("We cannot see for {}. This is not proof of an outage.", page.lasts),
    }
}

impl PageDelivery {
    /// The pages of an incident, oldest first.
    pub fn of(incident: &Incident) -> Vec<Self> {
        let mut pages: Vec<Self> = incident.pages.iter().map(|(id, page)| Self::one(id, page)).collect();
        pages.sort_by(|a, b| (a.decided_at, &a.page).cmp(&(b.decided_at, &b.page)));
        pages
    }

    fn one(id: &PageId, page: &PageState) -> Self {
        let (outcome, ended_at, reason) = match &page.outcome {
            PageOutcome::Owed => ("owed", None, None),
            PageOutcome::Delivered { at, .. } => ("delivered", Some(instant(*at)), None),
            PageOutcome::Undeliverable { at, reason } => ("undeliverable", Some(instant(*at)), Some(reason.clone())),
        };
        Self {
            page: id.to_string(),
            to: page.to.to_string(),
            decided_at: instant(page.decided_at),
            step: page.step + 1,
            why: words::page_reason(page.why).to_owned(),
            outcome: outcome.to_owned(),
            ended_at,
            reason,
        }
    }
}

impl From<&Entry> for TimelineEntry {
    fn from(entry: &Entry) -> Self {
        Self {
            seq: entry.seq,
            at: instant(entry.at),
            by: entry.by.clone(),
            source: entry.source.word().to_owned(),
            text: entry.text.clone(),
        }
    }
}

impl Postmortem {
    /// A draft with its Markdown.
    pub fn of(draft: &PostmortemDraft, markdown: String) -> Self {
        let milestones = &draft.milestones;
        Self {
            incident: draft.incident.to_string(),
            title: draft.title.clone(),
            began: instant(milestones.began),
            detected: instant(milestones.detected),
            paged: milestones.paged.map(instant),
            acknowledged: milestones.acknowledged.map(instant),
            resolved: milestones.resolved.map(instant),
            to_detect_seconds: milestones.to_detect().as_secs_f64(),
            to_acknowledge_seconds: milestones.to_acknowledge().map(|span| span.as_secs_f64()),
            to_resolve_seconds: milestones.to_resolve().map(|span| span.as_secs_f64()),
            groups: draft.groups.clone(),
            impact: draft
                .impact
                .iter()
                .map(|impact| Impact {
                    budget: impact.budget.to_string(),
                    bad: impact.counts.bad,
                    total: impact.counts.total(),
                    spent_ratio: impact.spent,
                })
                .collect(),
            markdown,
        }
    }
}

/// An SLO: `GET /api/v1/slos/{service}/{name}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SloDetail {
    /// Of which service.
    pub service: String,
    /// Its name there.
    pub name: String,
    /// What is promised.
    pub title: String,
    /// Who is paged.
    pub team: String,
    /// The runbook's file.
    pub runbook: Option<String>,
    /// Where it is written.
    pub file: String,
    /// On which line.
    pub line: u32,
    /// Which version of the file runs.
    pub version: String,
    /// Its budgets, worst first.
    pub budgets: Vec<Budget>,
    /// What was asked for it in the last round, and what came.
    pub queries: Vec<Query>,
}

/// Why an SLO stands as it does: `GET /api/v1/slos/{service}/{name}/explain`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SloExplanation {
    /// At which moment.
    pub at: Instant,
    /// True where the moment lies in the past and the figures are the ledger's of today for it.
    pub replayed: bool,
    /// The SLO.
    pub slo: SloDetail,
    /// Its budgets.
    pub budgets: Vec<ExplainedBudget>,
    /// The incidents of which its alerts are or were members, newest first, of the last 200 incidents.
    pub incidents: Vec<IncidentState>,
}

/// How a budget was spent over its window: `GET /api/v1/slos/{service}/{name}/burn-down`.
///
/// The budget is that of the window that ends at `to`. Before a point, what failed after it is not yet spent; so the last point is what is left, to the
/// digit that every other surface shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnDown {
    /// Which budget.
    pub budget: String,
    /// Where the first slice begins.
    pub from: Instant,
    /// Where the last slice ends.
    pub to: Instant,
    /// True where nothing was counted in the window before `from`.
    pub nothing_before: bool,
    /// Share of the budget that was left at `from`.
    pub left_ratio_at_start: f64,
    /// The slices, oldest first.
    pub points: Vec<BurnDownPoint>,
}

/// A slice of a burn-down.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BurnDownPoint {
    /// The end of the slice; it begins where the one before ends.
    pub at: Instant,
    /// Bad events in it.
    pub bad: i64,
    /// All events in it.
    pub total: i64,
    /// Time of it that nobody saw.
    pub unseen_seconds: f64,
    /// Share of the budget that is left at its end.
    pub left_ratio: f64,
}

/// Why a budget stands as it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainedBudget {
    /// Which.
    pub id: String,
    /// Its figures at that moment.
    pub figures: Budget,
    /// Its state.
    pub state: String,
    /// The icon before the word.
    pub icon: String,
    /// What is left, in a line.
    pub budget: String,
    /// What the target allows.
    pub allowed: String,
    /// The rows with their arithmetic.
    pub rows: Vec<ExplainedRow>,
    /// Which rule decided.
    pub decided: String,
    /// What would make its alerts clear.
    pub clears: Vec<String>,
    /// Its alert changes of the last 30 days, with the arithmetic of their moment.
    pub changes: Vec<AlertChange>,
}

/// The arithmetic of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainedRow {
    /// The condition.
    pub rule: String,
    /// The long lookback.
    pub long: String,
    /// The short lookback.
    pub short: String,
    /// Whether both are above.
    pub holds: bool,
}

/// An alert change of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlertChange {
    /// When.
    pub at: Instant,
    /// The arithmetic.
    pub why: String,
}
