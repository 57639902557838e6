//! The context of a page: what an incident is about, for whom, how bad, since when, who has it, and what to do first.

mod burning;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use burnward_core::{
    escalation::{self, Outlook},
    evaluate::BudgetStatus,
    id::{BudgetId, Group, SloId},
    incident::{AlertKey, BlindFacts, Facts, Incident, JoinReason, Kind, Message, PageReason, Phase, Resolution, Subject},
    ledger::Reason,
    oncall::{Recipient, Team},
    postmortem::BudgetImpact,
    slo::Urgency,
    time::{Timestamp, minutes},
    timeline, words,
};
use serde::Serialize;

use super::{Moment, figures::Figures};
use crate::{config::Config, view::View};
use burning::{burn, is_like};

/// Longest value in a headline, in characters, where one group or several are named: a headline must say all within its first 90.
const HEADLINE_VALUE: usize = 24;
const HEADLINE_VALUES: usize = 12;
/// Most SLOs and groups that are listed.
const LISTED: usize = 10;

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct PageInput<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// The message; `None` where the incident is shown without one.
    pub message: Option<&'a Message>,
    /// When the message was decided.
    pub decided_at: Timestamp,
    /// What is known now.
    pub view: &'a View,
    /// The budgets of the incident, among others, as they stood in the last round.
    pub budgets: &'a BTreeMap<BudgetId, BudgetStatus>,
    /// Teams and people.
    pub config: &'a Config,
    /// What it cost so far; empty where that is not known.
    pub impacts: &'a [BudgetImpact],
    /// The runbook's first steps.
    pub steps: &'a [String],
    /// When it is read.
    pub now: Timestamp,
}

/// A page as its templates see it. Exactly one of `burn`, `blind` and `test` is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageContext {
    /// The service, or the source that is blind.
    pub subject: String,
    /// The groups of the SLO that the headline is about, in a few words: `acme, globex and 8 more`; absent where the SLOs are not split.
    pub whom: Option<String>,
    /// A budget burns.
    pub burn: Option<BurnContext>,
    /// We cannot see.
    pub blind: Option<BlindContext>,
    /// Nothing is at fault: who tries the way of a page.
    pub test: Option<String>,
    /// Nobody is paged: a ticket.
    pub ticket: bool,
    /// When what the headline is about began.
    pub since: Moment,
    /// How long it lasts or lasted: `6 min`.
    pub lasts: String,
    /// Who has it.
    pub acknowledged: Option<AcknowledgedContext>,
    /// How it ended; absent, too, where a person resolved it while it goes on.
    pub resolved: Option<ResolvedContext>,
    /// A person resolved it, and it goes on.
    pub goes_on: Option<GoesOnContext>,
    /// The runbook's first steps, at most three.
    pub steps: Vec<String>,
    /// Why this message was decided, where it is not the first.
    pub why: Option<String>,
    /// Which alert flaps, and how often it came back: `FLAPPING: checkout/availability for acme came back 4 times`; absent where none does.
    pub flaps: Option<String>,
    /// Who is paged now.
    pub paged: Vec<String>,
    /// Who is paged next.
    pub next: Option<NextContext>,
    /// The incident's identity.
    pub incident: String,
    /// The message's identity.
    pub page: Option<String>,
    /// When it was decided.
    pub decided: Moment,
}

/// Budgets that burn.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BurnContext {
    /// Share that fails now: `15.2 %`.
    pub failing: String,
    /// What that is a share of, and over how long where it is long: `of requests failing`.
    pub of: String,
    /// What is allowed: `0.10 %`.
    pub limit: String,
    /// The worst budget.
    pub budget: BudgetContext,
    /// The SLOs, at most ten, worst first.
    pub slos: Vec<SloContext>,
    /// How many more SLOs there are.
    pub more_slos: usize,
}

/// A budget and the row that fired.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BudgetContext {
    /// Whose, where there are several.
    pub whose: Option<String>,
    /// What is left: `71 % left (30 m 40 s of 43 m 12 s)`.
    pub left: String,
    /// Between what that lies where not all was seen: `60 % to 71 % left`.
    pub left_between: Option<String>,
    /// How much of the window was seen, where that is not all: `62 % of the window seen`.
    pub seen: Option<String>,
    /// How much of the window's beginning is not in that, because it is still to be read: `27 d 4 h`.
    pub still_to_read: Option<String>,
    /// What of the burn people took out of it: `5 min of this burn are excluded by X-1; alerts count them`.
    pub excluded: Option<String>,
    /// Its window: `30 d`, `the calendar month in Europe/Berlin`.
    pub window: String,
    /// When it is gone at this rate: `3 h 22 m`.
    pub runs_out: Option<String>,
    /// The long lookback: `1 h`.
    pub long: String,
    /// Share that failed over it: `1.46 %`.
    pub long_failing: String,
    /// Burn rate over it: `14.6x`.
    pub long_burn: String,
    /// The short lookback.
    pub short: String,
    /// Share that failed over it.
    pub short_failing: String,
    /// Burn rate over it.
    pub short_burn: String,
    /// The threshold: `14.4x`.
    pub threshold: String,
    /// Timestamp of the newest sample.
    pub as_of: Moment,
}

/// An SLO of the incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SloContext {
    /// Its name within the service.
    pub name: String,
    /// What it promises.
    pub title: String,
    /// Its target: `99.9 %`; where it has several objectives those that burn, by name: `99.9 %, objective strict`.
    pub target: String,
    /// The groups that burn, at most ten, worst first; empty where it is not split.
    pub groups: Vec<GroupContext>,
    /// How many more groups burn.
    pub more: usize,
    /// How many groups have recovered.
    pub recovered: usize,
    /// Of a journey: the members that made it burn, each with the share of its bad slices that it cost, the worst first: `checkout/availability (100 %)`.
    pub members: Vec<String>,
}

/// A group of an SLO.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupContext {
    /// Its label values.
    pub name: String,
    /// Share that fails now.
    pub failing: String,
}

/// What we cannot see.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlindContext {
    /// The source as a whole is blind, not only an SLO.
    pub is_source: bool,
    /// Its data comes, and nothing happens in it.
    pub silent: bool,
    /// Why, in a sentence.
    pub why: String,
    /// The SLOs that are hidden, at most ten.
    pub hides: Vec<String>,
    /// All of them, for what is no message.
    #[serde(skip)]
    pub all: Vec<String>,
    /// How many there are.
    pub count: usize,
    /// How many objectives they have, where they run.
    pub objectives: usize,
    /// How many more there are than listed.
    pub more: usize,
}

/// Who took it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AcknowledgedContext {
    /// Who.
    pub by: String,
    /// When.
    pub at: Moment,
    /// How long after the first page arrived that called for somebody since it opened, last: `57 s`; absent where none had.
    pub after: Option<String>,
}

/// What goes on although a person resolved it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoesOnContext {
    /// In two words: `STILL FAILING`.
    pub what: &'static str,
    /// Who resolved it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// When it opens again, unless its alerts clear.
    pub opens_again: Moment,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResolvedContext {
    /// When.
    pub at: Moment,
    /// Who said so; absent where it recovered by itself.
    pub by: Option<String>,
    /// Share of the budget that it cost, the worst budget: `13.4 %`.
    pub spent: Option<String>,
    /// How many events failed: `1.26 M`.
    pub failed: Option<String>,
    /// Several budgets were hit.
    pub several: bool,
}

/// Who is next.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextContext {
    /// Who.
    pub who: Vec<String>,
    /// When.
    pub at: Moment,
}

impl PageContext {
    /// The context of a page.
    pub fn new(input: &PageInput<'_>) -> Self {
        let incident = input.incident;
        let figures = Figures::of(incident, input.budgets);
        let headline = headline(&figures, input);
        let began = began(&headline, incident);
        let outlook = escalation::outlook(incident, &team(input));
        Self {
            subject: incident.fault.subject.to_string(),
            whom: whom(&headline),
            burn: burn(&figures, &headline, input),
            blind: blind(incident, input.view),
            test: test(incident),
            ticket: incident.fault.urgency == Urgency::Ticket,
            since: Moment::at(began, input.now),
            lasts: lasts(input, began),
            acknowledged: acknowledged(incident, input.now),
            resolved: resolved(input),
            goes_on: goes_on(incident, input.now),
            steps: if incident.is_at_rest() { Vec::new() } else { input.steps.iter().take(3).cloned().collect() },
            why: why(input),
            flaps: incident.flaps(input.now).map(|(alert, times)| words::flaps(&timeline::subject(alert), times)),
            paged: paged(incident, &outlook),
            next: next(&outlook, input.now),
            incident: incident.id.to_string(),
            page: input.message.map(|message| message.id.to_string()),
            decided: Moment::at(input.decided_at, input.now),
        }
    }

    /// One plain line that says it without any template.
    pub fn plain(&self) -> String {
        let whom = self.whom.as_ref().map_or_else(String::new, |whom| format!(" · {whom}"));
        if let Some(by) = &self.test {
            return format!("TEST: {by} tries the way of a page, nothing is at fault · {}", self.incident);
        }
        let what = match (&self.burn, &self.resolved) {
            (_, Some(_)) => format!("over after {}", self.lasts),
            (Some(burn), None) => format!("{} {} (limit {}) for {}", burn.failing, burn.of, burn.limit, self.lasts),
            (None, None) => format!("cannot see for {}; this is not proof of an outage", self.lasts),
        };
        format!("{}{whom}: {what} · {}", self.subject, self.incident)
    }
}

/// What a headline is about: while it burns, the worst objective of one SLO, with all its groups that burn, of what the post calls for; when all is over,
/// everything that burned.
fn headline<'a>(figures: &'a [Figures<'a>], input: &PageInput<'_>) -> Vec<&'a Figures<'a>> {
    if input.incident.is_at_rest() {
        return figures.iter().collect();
    }
    let called = called_for(figures, input);
    let subject = if called.is_empty() { figures.iter().collect() } else { called };
    match subject.first() {
        Some(worst) => subject.iter().copied().filter(|one| is_like(one, worst)).collect(),
        None => subject,
    }
}

/// What a post calls for and still burns; empty where it is about the incident as a whole.
fn called_for<'a>(figures: &'a [Figures<'a>], input: &PageInput<'_>) -> Vec<&'a Figures<'a>> {
    let alerts = input.message.map(|message| input.incident.called_for(&message.id)).unwrap_or_default();
    let budgets: BTreeSet<&BudgetId> = alerts.into_iter().filter_map(AlertKey::budget).collect();
    figures.iter().filter(|one| !one.recovered && budgets.contains(one.budget)).collect()
}

/// When what the headline is about began: the burn of its SLO, or what is not seen; of what is over, all of it.
fn began(headline: &[&Figures<'_>], incident: &Incident) -> Timestamp {
    if incident.is_at_rest() {
        return incident.began;
    }
    let burn = headline.iter().map(|one| one.began).min();
    burn.or_else(|| incident.open_members().map(|(_, member)| member.facts.began()).min()).unwrap_or(incident.began)
}

/// How long what the headline is about lasts; of what is over and came back in between, how long in all, and in how many spells.
fn lasts(input: &PageInput<'_>, began: Timestamp) -> String {
    let (incident, until) = (input.incident, until(input));
    match incident.spells.len() {
        spells @ 2.. if incident.is_at_rest() => format!("{} in {spells} spells", lasting(incident.lasted(until))),
        _ => lasting(until.since(began)),
    }
}

/// The groups of a headline, worst first, in a few words.
fn whom(headline: &[&Figures<'_>]) -> Option<String> {
    let mut groups: Vec<&Group> = Vec::new();
    for group in headline.iter().map(|one| &one.budget.group).filter(|group| !group.is_whole()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let name = |group: &Group| group_name(group, HEADLINE_VALUES);
    match groups.as_slice() {
        [] => None,
        [one] => Some(group_name(one, HEADLINE_VALUE)),
        [one, two] => Some(format!("{}, {}", name(one), name(two))),
        [one, two, rest @ ..] => Some(format!("{}, {} and {} more", name(one), name(two), rest.len())),
    }
}

/// A group's values, each at most `max` characters.
fn group_name(group: &Group, max: usize) -> String {
    group.labels().iter().map(|(_, value)| shortened(value, max)).collect::<Vec<_>>().join(", ")
}

fn shortened(value: &str, max: usize) -> String {
    if value.is_empty() { "(none)".to_owned() } else { words::cut(value, max) }
}

/// How long something lasts, as a sentence says it: no seconds from a minute on.
fn lasting(span: Duration) -> String {
    let shown = if span < minutes(1) { span } else { minutes(span.as_secs() / 60) };
    words::duration(shown)
}

/// Until when an incident lasted: now, while it is not over.
fn until(input: &PageInput<'_>) -> Timestamp {
    match &input.incident.phase {
        Phase::Resolved { at, .. } if input.incident.is_at_rest() => *at,
        Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. } => input.now,
    }
}

fn blind(incident: &Incident, view: &View) -> Option<BlindContext> {
    match incident.fault.kind {
        Kind::Burn | Kind::Test => None,
        Kind::CannotSee => Some(blind_context(incident, view)),
    }
}

fn test(incident: &Incident) -> Option<String> {
    incident.members.values().find_map(|member| match &member.facts {
        Facts::Test(test) => Some(test.by.clone()),
        Facts::Burn(_) | Facts::Blind(_) => None,
    })
}

fn blind_context(incident: &Incident, view: &View) -> BlindContext {
    let mut hidden: Vec<&SloId> = Vec::new();
    let (mut why, mut silent) = (None, true);
    for (key, member) in &incident.members {
        if let Facts::Blind(BlindFacts { unknown, hides, .. }) = &member.facts {
            if member.recovered_at.is_none() || why.is_none() {
                why = Some(unknown.detail.clone());
            }
            silent &= unknown.reason == Reason::NoTraffic;
            hidden.extend(hides);
        }
        if let AlertKey::Slo(id) = key {
            hidden.push(id);
        }
    }
    hidden.sort();
    hidden.dedup();
    let is_source = match incident.fault.subject {
        Subject::Source(_) => true,
        Subject::Service(_) => false,
    };
    let name = |id: &&SloId| if is_source { format!("{}/{}", id.service, id.name) } else { id.name.to_string() };
    BlindContext {
        is_source,
        why: why.unwrap_or_else(|| "no reason is known".to_owned()),
        hides: hidden.iter().take(LISTED).map(name).collect(),
        all: hidden.iter().map(name).collect(),
        count: hidden.len(),
        objectives: hidden.iter().filter_map(|id| view.slos.get(*id)).map(|slo| slo.objectives.len()).sum(),
        silent,
        more: hidden.len().saturating_sub(LISTED),
    }
}

fn acknowledged(incident: &Incident, now: Timestamp) -> Option<AcknowledgedContext> {
    match &incident.phase {
        Phase::Acknowledged { at, by } => Some(AcknowledgedContext {
            by: by.to_string(),
            at: Moment::at(*at, now),
            after: incident.first_arrival(*at).map(|arrival| words::duration(at.since(arrival))),
        }),
        Phase::Open | Phase::Resolved { .. } => None,
    }
}

fn resolved(input: &PageInput<'_>) -> Option<ResolvedContext> {
    match &input.incident.phase {
        Phase::Resolved { at, by, how } if input.incident.is_at_rest() => {
            let spent = input.impacts.iter().filter_map(|impact| impact.spent).max_by(f64::total_cmp);
            Some(ResolvedContext {
                at: Moment::at(*at, input.now),
                by: match how {
                    Resolution::ByPerson => Some(by.to_string()),
                    Resolution::Recovered => None,
                },
                spent: spent.map(words::percent),
                failed: failed(input.impacts),
                several: input.impacts.len() > 1,
            })
        }
        Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. } => None,
    }
}

fn goes_on(incident: &Incident, now: Timestamp) -> Option<GoesOnContext> {
    match (&incident.phase, incident.opens_again()) {
        (Phase::Resolved { at, by, .. }, Some(again)) => Some(GoesOnContext {
            what: words::goes_on(incident.fault.kind),
            by: by.to_string(),
            at: Moment::at(*at, now),
            opens_again: Moment::at(again, now),
        }),
        (Phase::Open | Phase::Acknowledged { .. } | Phase::Resolved { .. }, Some(_) | None) => None,
    }
}

/// How many events failed; `None` where several budgets may count the same ones.
fn failed(impacts: &[BudgetImpact]) -> Option<String> {
    let mut slos: Vec<_> = impacts.iter().map(|impact| (&impact.budget.slo, &impact.budget.objective)).collect();
    slos.sort();
    slos.dedup();
    let bad: i64 = impacts.iter().map(|impact| impact.counts.bad).sum();
    let unit = impacts.first().map(|impact| impact.unit).unwrap_or_default();
    (slos.len() == 1).then(|| words::event_count(unit.count(bad)))
}

/// The incident's team; the operators where it is not configured any more.
fn team<'a>(input: &PageInput<'a>) -> Cow<'a, Team> {
    input.config.teams.get(&input.incident.team).map_or_else(|| Cow::Owned(input.config.operators.team()), Cow::Borrowed)
}

fn names(recipients: &[Recipient]) -> Vec<String> {
    recipients.iter().map(ToString::to_string).collect()
}

/// Why the message is owed; nothing where it is because the incident opened.
fn why(input: &PageInput<'_>) -> Option<String> {
    let page = input.incident.pages.get(&input.message?.id)?;
    match page.why {
        PageReason::Opened => None,
        PageReason::Joined(JoinReason::CameBack) => Some(came_back(input.incident, page.decided_at)),
        PageReason::NotAcknowledged
        | PageReason::HelpAsked
        | PageReason::Unreachable
        | PageReason::Reopened
        | PageReason::Joined(JoinReason::NewSlo | JoinReason::Doubled | JoinReason::OldAcknowledgement) => {
            Some(words::page_reason(page.why).to_owned())
        }
    }
}

/// What came back, by name, as far as the post is the last that told of it: the headline is about the worst, which may be another.
fn came_back(incident: &Incident, told_at: Timestamp) -> String {
    let told = || incident.open_members().filter(|(_, member)| member.back.is_some_and(|back| back.told_at == Some(told_at)));
    let names: Vec<String> = told().map(|(alert, _)| timeline::subject(alert)).collect();
    let again = if told().all(|(_, member)| member.back.is_some_and(|back| back.itself)) { "again" } else { "after a recovery" };
    match names.len() {
        0 => words::join_reason(JoinReason::CameBack).to_owned(),
        1 => format!("{} fires {again}", names[0]),
        _ => format!("{} fire {again}", words::list(&names, 3)),
    }
}

/// Who is paged now; nobody any more where somebody has it or it is over.
fn paged(incident: &Incident, outlook: &Outlook) -> Vec<String> {
    match incident.phase {
        Phase::Open => names(&outlook.paged),
        Phase::Acknowledged { .. } | Phase::Resolved { .. } => Vec::new(),
    }
}

fn next(outlook: &Outlook, now: Timestamp) -> Option<NextContext> {
    let next = outlook.next.as_ref()?;
    let (_, to) = next.to.as_ref()?;
    Some(NextContext { who: names(to), at: Moment::at(next.due, now) })
}
