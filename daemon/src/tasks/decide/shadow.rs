//! SLOs that tell nobody. They are decided by the same code as any other; here is what differs: what an SLO in shadow would tell goes into incidents of
//! which nobody hears, and a suspended one tells nothing. What was told while an SLO was active stays told until it ends.

use std::collections::BTreeMap;

use burnward_core::{
    alert::{AlertState, Change},
    evaluate::{BudgetStatus, evaluate},
    id::{BudgetId, IncidentId, TenantId},
    incident::{Actor, AlertKey, Command, Facts, FaultKey, Incident, is_over},
    oncall::Team,
    slo::{Slo, Urgency},
    status::Status,
    time::Timestamp,
};

use super::{
    book::{Book, LOOK_BACK, team_of},
    draft::Draft,
    round::{Evaluated, burn, complete},
    standing::{At, Seen},
};
use crate::{
    config::Config,
    store::{Store, StoreError, StoredAlert},
};

/// The incidents that SLOs in shadow would have had.
#[derive(Debug, Default)]
pub(super) struct ShadowIncidents {
    /// Open ones, and those within their grace time.
    pub(super) incidents: BTreeMap<IncidentId, Incident>,
    pub(super) ordinals: BTreeMap<FaultKey, u64>,
}

impl ShadowIncidents {
    pub(super) async fn load(store: &Store, tenant: &TenantId, now: Timestamp) -> Result<Self, StoreError> {
        let stored = store.live_shadow_incidents(tenant, now.minus(LOOK_BACK)).await?;
        let live = stored.into_iter().filter(|incident| !is_over(incident, now));
        Ok(Self {
            incidents: live.map(|incident| (incident.id.clone(), incident)).collect(),
            ordinals: store.last_shadow_ordinals(tenant).await?,
        })
    }
}

/// Tells that an alert of an SLO fires or clears: its team, or in shadow nobody. What is open already clears where it is open.
pub(super) fn tell(draft: &mut Draft<'_>, slo: &Slo, fault: &FaultKey, team: &Team, command: &Command) {
    match (slo.status.at(draft.now()), command) {
        (Status::Active, _) => {
            draft.command_to_fault(fault, team, command, &Actor::Daemon);
        }
        (Status::Shadow, Command::Fire { alert, .. }) if draft.is_open(fault, alert) => {}
        (Status::Shadow, Command::Fire { .. }) => draft.command_in_shadow(fault, team, command),
        (Status::Suspended(_), Command::Fire { .. }) => {}
        (Status::Shadow | Status::Suspended(_), _) => {
            draft.command_to_fault(fault, team, command, &Actor::Daemon);
            draft.command_in_shadow(fault, team, command);
        }
    }
}

/// An SLO that left the shadow while an alert of it holds tells its team now.
pub(super) fn step_out(book: &Book, config: &Config, draft: &mut Draft<'_>, seen: &Seen<'_>, status: &BudgetStatus, at: At) {
    if seen.slo.status.at(at.now) != &Status::Active {
        return;
    }
    let alert = AlertKey::Budget(status.budget.clone());
    for urgency in [Urgency::Page, Urgency::Ticket].into_iter().filter(|urgency| is_decided(seen.slo, &status.budget, *urgency)) {
        let fault = burn(seen.slo, urgency);
        let Some(held) = draft.facts_in_shadow(&fault, &alert).filter(|_| status.alerts.since(urgency).is_some()) else { continue };
        let facts = as_it_fires_now(book, seen, &status.budget, urgency, at).unwrap_or(held);
        let command = Command::Fire { fault: fault.clone(), alert: alert.clone(), facts };
        draft.command_to_fault(&fault, &team_of(config, &seen.slo.team), &command, &Actor::Daemon);
        draft.audit(&Actor::Daemon, "shadow.end", status.budget.to_string(), "its SLO is active now, and its alert holds".to_owned());
    }
}

/// What an alert would fire with if it were not open; `None` where no row of it holds at this moment.
fn as_it_fires_now(book: &Book, seen: &Seen<'_>, budget: &BudgetId, urgency: Urgency, at: At) -> Option<Facts> {
    let anew = evaluate(seen.slo, seen.objective, budget.clone(), &seen.input, AlertState::default(), at.now);
    let mut change = anew.changes.into_iter().find(|change| change.urgency == urgency)?;
    complete(book, seen, &mut change, at.asked_at);
    match change.change {
        Change::Fired(facts) => Some(facts),
        Change::Cleared => None,
    }
}

/// Whether an SLO has rows of an urgency for a budget.
fn is_decided(slo: &Slo, budget: &BudgetId, urgency: Urgency) -> bool {
    let objective = slo.objectives.iter().find(|objective| objective.name == budget.objective);
    objective.is_some_and(|objective| objective.rows.iter().any(|row| row.urgency == urgency))
}

/// Ends in shadow what is no shadow any more: of SLOs that are active, suspended or gone, and of rows that no longer exist. An alert that nobody decides
/// any more does not hold either.
pub(super) fn end_what_is_none(book: &Book, config: &Config, draft: &mut Draft<'_>, evaluated: &mut Evaluated) {
    let now = draft.now();
    for incident in book.shadow.incidents.values() {
        for (alert, _) in incident.open_members() {
            let status = alert.slo().and_then(|id| book.slos.get(id)).map(|slo| (slo, slo.status.at(now)));
            let decided = |slo: &Slo| match alert {
                AlertKey::Budget(budget) => is_decided(slo, budget, incident.fault.urgency),
                AlertKey::Source(_) | AlertKey::Slo(_) | AlertKey::Test => true,
            };
            let (stays, holds_on) = match status {
                Some((slo, Status::Shadow)) => (decided(slo), decided(slo)),
                Some((slo, Status::Active)) => (false, decided(slo)),
                Some((_, Status::Suspended(_))) | None => (false, false),
            };
            if !stays {
                draft.command_in_shadow(&incident.fault, &team_of(config, &incident.team), &Command::Clear { alert: alert.clone() });
            }
            if let (AlertKey::Budget(budget), false) = (alert, holds_on) {
                let_go(book, draft, evaluated, budget, incident.fault.urgency);
            }
        }
    }
}

/// The alert of a budget holds no more.
fn let_go(book: &Book, draft: &mut Draft<'_>, evaluated: &mut Evaluated, budget: &BudgetId, urgency: Urgency) {
    let newest = evaluated.alerts.iter().rev().find(|(of, _)| of == budget).map(|(_, state)| *state);
    let before = newest.or_else(|| book.alerts.get(budget).copied()).unwrap_or_default();
    let state = match urgency {
        Urgency::Page => AlertState { page: None, ..before },
        Urgency::Ticket => AlertState { ticket: None, ..before },
    };
    if state != before {
        let why = "its SLO left the shadow, or has no such alert any more".to_owned();
        draft.audit(&Actor::Daemon, "alert.change", budget.to_string(), why.clone());
        draft.commit.alerts.push(StoredAlert { budget: budget.clone(), state, why });
        evaluated.alerts.push((budget.clone(), state));
    }
}
