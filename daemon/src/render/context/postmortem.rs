//! The context of a postmortem draft. What is not known is absent, and the template says "unknown". Its instants are always shown with their day,
//! so that the same draft is the same text whenever it is read.

use std::time::Duration;

use burnward_core::{
    postmortem::{BudgetImpact, Milestones, PageSent, PostmortemDraft},
    time::Timestamp,
    words,
};
use serde::Serialize;

use super::{super::MAX_LIST, Moment, TimelineContext};

/// A postmortem draft as its template sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PostmortemContext {
    /// Of which incident.
    pub incident: String,
    /// Its title in user words.
    pub title: String,
    /// It is not resolved yet.
    pub ongoing: bool,
    /// When the burn or blindness began.
    pub began: Moment,
    /// When the alert fired.
    pub detected: Moment,
    /// When the first page arrived.
    pub paged: Option<Moment>,
    /// When somebody took it.
    pub acknowledged: Option<Moment>,
    /// When it was over.
    pub resolved: Option<Moment>,
    /// When it was opened again after it was resolved, oldest first, at most fifty.
    pub reopened: Vec<Moment>,
    /// `detected - began`.
    pub to_detect: String,
    /// `acknowledged - paged`.
    pub to_acknowledge: Option<String>,
    /// `resolved - began`.
    pub to_resolve: Option<String>,
    /// What each budget lost, at most fifty.
    pub impact: Vec<ImpactContext>,
    /// How many budgets more.
    pub more_impact: usize,
    /// The pages, at most fifty.
    pub pages: Vec<PageSentContext>,
    /// How many pages were decided.
    pub page_count: usize,
    /// The timeline in parts of fifty entries, at most fifty parts.
    pub timeline: Vec<Vec<TimelineContext>>,
}

/// What a budget lost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImpactContext {
    /// The SLO: `checkout/availability`.
    pub slo: String,
    /// The group, where it is split.
    pub group: Option<String>,
    /// The objective's name.
    pub objective: String,
    /// Bad events.
    pub bad: String,
    /// All events.
    pub total: String,
    /// Share of the window's budget: `13.4 %`, `13.4 % to 15 %` where not all was seen.
    pub spent: Option<String>,
    /// For how long nobody could see, where that is not nothing.
    pub unseen: Option<String>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PageSentContext {
    /// To whom.
    pub to: String,
    /// When it was decided.
    pub decided: Moment,
    /// How long it took to arrive; absent: it did not.
    pub took: Option<String>,
}

impl PostmortemContext {
    /// The context of a draft.
    pub fn new(draft: &PostmortemDraft) -> Self {
        let Milestones { began, detected, paged, acknowledged, resolved } = draft.milestones;
        let moment = |at: Timestamp| Moment::at(at, at);
        let entries: Vec<TimelineContext> = draft.timeline.iter().map(|entry| TimelineContext::new(entry, entry.at)).collect();
        Self {
            incident: draft.incident.to_string(),
            title: draft.title.clone(),
            ongoing: resolved.is_none(),
            began: moment(began),
            detected: moment(detected),
            paged: paged.map(moment),
            acknowledged: acknowledged.map(moment),
            resolved: resolved.map(moment),
            reopened: draft.reopened.iter().take(MAX_LIST).copied().map(moment).collect(),
            to_detect: words::duration(draft.milestones.to_detect()),
            to_acknowledge: draft.milestones.to_acknowledge().map(words::duration),
            to_resolve: draft.milestones.to_resolve().map(words::duration),
            impact: draft.impact.iter().take(MAX_LIST).map(impact).collect(),
            more_impact: draft.impact.len().saturating_sub(MAX_LIST),
            pages: draft.pages.iter().take(MAX_LIST).map(page_sent).collect(),
            page_count: draft.pages.len(),
            timeline: entries.chunks(MAX_LIST).take(MAX_LIST).map(<[TimelineContext]>::to_vec).collect(),
        }
    }
}

fn impact(impact: &BudgetImpact) -> ImpactContext {
    let unseen = Duration::from_millis(u64::try_from(impact.counts.unseen_millis).unwrap_or(0));
    ImpactContext {
        slo: format!("{}/{}", impact.budget.slo.service, impact.budget.slo.name),
        group: (!impact.budget.group.is_whole()).then(|| impact.budget.group.values()),
        objective: impact.budget.objective.to_string(),
        bad: impact.unit.count(impact.counts.bad).to_string(),
        total: impact.unit.count(impact.counts.total()).to_string(),
        spent: impact.spent.map(|spent| match impact.at_most.map(words::percent) {
            Some(most) if most != words::percent(spent) => format!("{} to {most}", words::percent(spent)),
            Some(_) | None => words::percent(spent),
        }),
        unseen: (unseen >= Duration::from_secs(1)).then(|| words::duration(unseen)),
    }
}

fn page_sent(page: &PageSent) -> PageSentContext {
    PageSentContext {
        to: page.to.clone(),
        decided: Moment::at(page.decided, page.decided),
        took: page.delivered.map(|at| format!("{:.1} s", at.since(page.decided).as_secs_f64())),
    }
}
