//! Incidents: in a list, with their timeline and pages, and what people send to them.

use std::{collections::BTreeMap, sync::Arc};

use burnward_core::{
    id::{Group, PageId, SloId},
    incident::{Incident, PageOutcome, PageState, Phase},
    slo::Slo,
    timeline::{self, Entry},
    words,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{IncidentNow, ReportedFalsePositive, budget_key, instant, urgency};

/// Groups that are named of what goes on.
const GROUPS: usize = 3;

/// An incident, short: `GET /api/v1/incidents`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IncidentState {
    /// Its identity.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// What it is, in user words and as it stands now: who burns, or that nobody does any more. What it was when it opened is its postmortem's title.
    pub title: String,
    /// `page` or `ticket`.
    pub urgency: String,
    /// `open`, `acknowledged`, `resolved`.
    pub phase: String,
    /// A person resolved it while an alert still holds; absent where it is open or over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goes_on: Option<GoesOn>,
    /// What of it was marked as a false positive: `false positive`, or until when; absent where nothing was, and where it is read from the store without
    /// a daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marked: Option<String>,
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

impl IncidentState {
    /// True where nobody has it. Whoever resolved one that goes on has it until it opens again.
    pub fn waits(&self) -> bool {
        self.phase == "open"
    }
}

/// What goes on although a person resolved it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GoesOn {
    /// In two words: `STILL FAILING`.
    pub what: String,
    /// The groups of which an alert holds, in a few words: `acme, globex and 3 more`; empty where the SLOs are not split.
    pub whom: String,
    /// When it opens again, unless its alerts clear.
    pub opens_again_at: Instant,
}

impl GoesOn {
    fn of(incident: &Incident) -> Option<Self> {
        let groups: Vec<String> = incident.groups_hit().into_iter().map(Group::values).collect();
        incident.opens_again().map(|again| Self {
            what: words::goes_on(incident.fault.kind).to_owned(),
            whom: words::list(&groups, GROUPS),
            opens_again_at: instant(again),
        })
    }

    /// What goes on, and for whom: `STILL FAILING for acme`.
    pub fn what_for_whom(&self) -> String {
        if self.whom.is_empty() { self.what.clone() } else { format!("{} for {}", self.what, self.whom) }
    }
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
    /// The name of its objective, where its SLO has several; absent where it is read from the store without a daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<String>,
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
    /// That it was a false positive, where somebody said so; absent where it is read from the store without a daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_positive: Option<ReportedFalsePositive>,
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
    /// Why it cannot arrive; of what is owed, why it cannot as long as the configuration stays as it is.
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

/// `POST /api/v1/incidents/{id}/false-positive`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FalsePositiveBody {
    /// Why it was none.
    pub reason: String,
    /// Who approved it.
    pub approver: String,
}

/// `POST /api/v1/pages/test`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPageBody {
    /// To whom; without it the operators' first step.
    pub person: Option<String>,
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
            title: incident.one_line(),
            urgency: urgency(incident.fault.urgency).to_owned(),
            phase: incident.phase_word().to_owned(),
            goes_on: GoesOn::of(incident),
            marked: None,
            began: instant(incident.began),
            opened_at: instant(incident.opened_at),
            phase_by,
            phase_at,
            team: incident.team.to_string(),
            escalates_at: match incident.phase {
                Phase::Open => incident.escalation.due.or_else(|| incident.told_later()).map(instant),
                Phase::Acknowledged { .. } | Phase::Resolved { .. } => None,
            },
            alerts: incident
                .members
                .iter()
                .map(|(key, member)| Alert {
                    id: key.to_string(),
                    subject: timeline::subject(key),
                    slo: key.slo().map(|slo| format!("{}/{}", slo.service, slo.name)),
                    budget: key.budget().map(budget_key),
                    objective: None,
                    joined_at: instant(member.joined_at),
                    recovered_at: member.recovered_at.map(instant),
                })
                .collect(),
        }
    }
}

impl IncidentState {
    /// Names the objectives of its alerts whose SLOs have several.
    pub fn name_objectives(&mut self, incident: &Incident, slos: &BTreeMap<SloId, Arc<Slo>>) {
        let has_several = |slo: &SloId| slos.get(slo).is_some_and(|slo| slo.objectives.len() > 1);
        for (alert, (key, _)) in self.alerts.iter_mut().zip(incident.members.iter()) {
            alert.objective = key.budget().filter(|budget| has_several(&budget.slo)).map(|budget| budget.objective.to_string());
        }
    }
}

impl PageDelivery {
    /// The pages of an incident, oldest first; what is still owed has this as its reason, where nothing can ever take it.
    pub fn of(incident: &Incident, no_way: Option<&str>) -> Vec<Self> {
        let mut pages: Vec<Self> = incident.pages.iter().map(|(id, page)| Self::one(id, page)).collect();
        for page in pages.iter_mut().filter(|page| page.outcome == "owed") {
            page.reason = no_way.map(ToOwned::to_owned);
        }
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use burnward_core::{
        id::{SourceName, TenantId},
        incident::AlertKey,
    };

    use super::*;
    use crate::{
        definition::{self, Context},
        render::tests::burning,
    };

    #[test]
    fn an_alert_names_its_objective_where_its_slo_has_several() {
        let objectives = |more: &str| {
            let text = format!(
                "version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n  - name: availability\n    sli: {{ events: {{ bad: 'failed_total', total: 'all_total' }} }}\n    per: [tenant]\n    objectives: [{{ name: default, target: 99.9%, window: 30d }}{more}]\n"
            );
            let context = Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"));
            let loaded = definition::read_texts([(PathBuf::from("checkout.yaml"), text)], &context);
            assert_eq!(loaded.slos.len(), 1, "{:?}", loaded.faults);
            let slos = loaded.slos.into_iter().map(|slo| (slo.id.clone(), slo)).collect();
            let incident = burning(&["acme", "globex"]);
            assert!(incident.members.iter().all(|(key, _)| matches!(key, AlertKey::Budget(_))));
            let mut state = IncidentState::from(&incident);
            state.name_objectives(&incident, &slos);
            state.alerts.iter().map(|alert| alert.objective.clone().unwrap_or_default()).collect::<Vec<_>>()
        };
        assert_eq!(objectives(", { name: loose, target: 99%, window: 30d }"), ["default", "default"]);
        assert_eq!(objectives(""), ["", ""]);
    }
}
