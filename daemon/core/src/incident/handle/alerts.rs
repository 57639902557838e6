//! Alerts that fire and clear: an incident opens, grows, ends, and opens again.

use std::time::Duration;

use crate::{
    oncall::Recipient,
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::super::{AlertKey, Facts, FaultKey, Incident, JoinReason, PageReason, Phase, ReopenReason, Resolution, What, fold::GATHER};
use super::{
    Scope,
    paging::{FIRST, Wave, place},
};

/// An acknowledgement counts as old after this time: an alert that joins then is told to somebody anew.
const OLD_ACKNOWLEDGEMENT: Duration = minutes(30);

pub(super) fn open(fault: &FaultKey, alert: &AlertKey, facts: &Facts, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let opened = What::Opened { fault: fault.clone(), team: scope.team.name.clone(), alert: alert.clone(), facts: facts.clone() };
    let wave = Wave { id: &fault.incident(scope.ordinal), calls: 0, place: FIRST, why: PageReason::Opened };
    let told = match fault.urgency {
        Urgency::Page => wave.pages_and_timer(scope, now),
        Urgency::Ticket => vec![wave.page(Recipient::Channel(scope.team.channel.clone()), scope)],
    };
    [opened].into_iter().chain(told).collect()
}

pub(super) fn fire(incident: &Incident, alert: &AlertKey, facts: &Facts, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    if incident.holds(alert) {
        return Vec::new();
    }
    match incident.phase {
        Phase::Open | Phase::Acknowledged { .. } => join(incident, alert, facts, scope, now),
        Phase::Resolved { .. } => {
            let joined = What::Joined { alert: alert.clone(), facts: facts.clone(), notify: None };
            reopen(incident, ReopenReason::FiredAgain, Some(joined), scope, now)
        }
    }
}

fn join(incident: &Incident, alert: &AlertKey, facts: &Facts, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let notify = join_reason(incident, alert, now);
    let joined = What::Joined { alert: alert.clone(), facts: facts.clone(), notify };
    let told = notify.map_or_else(Vec::new, |reason| tell_of_join(incident, reason, scope, now));
    [joined].into_iter().chain(told).collect()
}

/// Why an alert that joins needs a person again; `None`: an edit is enough, as always in a ticket. What joins in the same moment as the last post
/// is told by it.
fn join_reason(incident: &Incident, alert: &AlertKey, now: Timestamp) -> Option<JoinReason> {
    if incident.fault.urgency == Urgency::Ticket || incident.last_told.at == now {
        None
    } else if acknowledged_long_ago(incident, now) {
        Some(JoinReason::OldAcknowledgement)
    } else if alert.slo().is_some_and(|slo| !incident.slos().contains(slo)) {
        Some(JoinReason::NewSlo)
    } else {
        doubles(incident, alert, now).then_some(JoinReason::Doubled)
    }
}

fn acknowledged_long_ago(incident: &Incident, now: Timestamp) -> bool {
    match &incident.phase {
        Phase::Acknowledged { at, .. } => now.since(*at) > OLD_ACKNOWLEDGEMENT,
        Phase::Open | Phase::Resolved { .. } => false,
    }
}

fn doubles(incident: &Incident, alert: &AlertKey, now: Timestamp) -> bool {
    let mut hit = incident.groups_hit();
    hit.extend(alert.group().filter(|group| !group.is_whole()));
    now.since(incident.last_told.at) > GATHER && hit.len() >= 2 * incident.last_told.groups
}

/// The step that was paged last hears of it. An old acknowledgement ends with it, and escalation begins anew; otherwise its timer runs on.
fn tell_of_join(incident: &Incident, reason: JoinReason, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let why = PageReason::Joined(reason);
    let calls = incident.escalation.calls + 1;
    match reason {
        JoinReason::OldAcknowledgement => Wave { id: &incident.id, calls, place: FIRST, why }.pages_and_timer(scope, now),
        JoinReason::NewSlo | JoinReason::Doubled => Wave { id: &incident.id, calls, place: place(incident), why }.pages(scope),
    }
}

/// Opens it again and pages the first step, with a new timer. A ticket pages nobody: its thread says that it is back.
pub(super) fn reopen(incident: &Incident, why: ReopenReason, joined: Option<What>, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let wave = Wave { id: &incident.id, calls: incident.escalation.calls + 1, place: FIRST, why: PageReason::Reopened };
    let told = match incident.fault.urgency {
        Urgency::Page => wave.pages_and_timer(scope, now),
        Urgency::Ticket => Vec::new(),
    };
    [What::Reopened { why }].into_iter().chain(joined).chain(told).collect()
}

pub(super) fn clear(incident: &Incident, alert: &AlertKey) -> Vec<What> {
    if !incident.holds(alert) {
        return Vec::new();
    }
    let last = incident.open_members().count() == 1;
    let resolved = (last && incident.is_open()).then_some(What::Resolved { how: Resolution::Recovered });
    [What::Recovered { alert: alert.clone() }].into_iter().chain(resolved).collect()
}
