//! The postmortem draft.

use burnward_core::postmortem::PostmortemDraft;
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{Events, instant};

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
    /// When it was opened again after it was resolved, oldest first.
    pub reopened: Vec<Instant>,
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
    pub bad: Events,
    /// All events.
    pub total: Events,
    /// Share of the window's budget.
    pub spent_ratio: Option<f64>,
    /// The same if all that may have happened unseen in that time failed.
    pub spent_at_most_ratio: Option<f64>,
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
            reopened: draft.reopened.iter().copied().map(instant).collect(),
            to_detect_seconds: milestones.to_detect().as_secs_f64(),
            to_acknowledge_seconds: milestones.to_acknowledge().map(|span| span.as_secs_f64()),
            to_resolve_seconds: milestones.to_resolve().map(|span| span.as_secs_f64()),
            groups: draft.groups.clone(),
            impact: draft
                .impact
                .iter()
                .map(|impact| Impact {
                    budget: impact.budget.to_string(),
                    bad: Events(impact.unit.count(impact.counts.bad)),
                    total: Events(impact.unit.count(impact.counts.total())),
                    spent_ratio: impact.spent,
                    spent_at_most_ratio: impact.at_most,
                })
                .collect(),
            markdown,
        }
    }
}
