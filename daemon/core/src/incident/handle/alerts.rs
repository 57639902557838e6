//! Alerts that fire and clear: an incident opens, grows, ends, and opens again.

use std::time::Duration;

use crate::{
    oncall::Recipient,
    slo::Urgency,
    time::{Timestamp, minutes},
};

use super::super::{AlertKey, Facts, FaultKey, Incident, JoinReason, PageReason, Phase, ReopenReason, Resolution, What, members::group};
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
            if incident.needs_post(alert, now) && incident.return_due(alert) > now {
                // Its return is told once ten minutes have passed since the last one was, if it still holds (ADR 0027).
                return vec![What::Reopened { why: ReopenReason::FiredAgain }, joined];
            }
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
    } else if incident.needs_post(alert, now) && incident.return_due(alert) <= now {
        Some(JoinReason::CameBack)
    } else {
        doubles(incident, alert, now).then_some(JoinReason::Doubled)
    }
}

/// A return that was kept quiet, because a post had told one of the alert shortly before, is told once that time is over and it still holds.
pub(super) fn tell_return(incident: &Incident, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let due = incident.quiet_return().filter(|(due, _)| *due <= now);
    let Some((alert, member)) = due.and_then(|(_, alert)| incident.members.get_key_value(alert)) else { return Vec::new() };
    let joined = What::Joined { alert: alert.clone(), facts: member.facts.clone(), notify: Some(JoinReason::CameBack) };
    [joined].into_iter().chain(tell_of_join(incident, JoinReason::CameBack, scope, now)).collect()
}

fn acknowledged_long_ago(incident: &Incident, now: Timestamp) -> bool {
    match &incident.phase {
        Phase::Acknowledged { at, .. } => now.since(*at) > OLD_ACKNOWLEDGEMENT,
        Phase::Open | Phase::Resolved { .. } => false,
    }
}

fn doubles(incident: &Incident, alert: &AlertKey, now: Timestamp) -> bool {
    if incident.gathers(now) {
        return false;
    }
    let joins = group(alert).is_some_and(|group| !incident.members.is_hit(group));
    incident.count_groups_hit() + usize::from(joins) >= 2 * incident.last_told.groups
}

/// The step that was paged last hears of it. Where an old acknowledgement ends with it, or it is open again and nobody was told, escalation begins anew;
/// otherwise its timer runs on.
fn tell_of_join(incident: &Incident, reason: JoinReason, scope: &Scope<'_>, now: Timestamp) -> Vec<What> {
    let why = PageReason::Joined(reason);
    let calls = incident.escalation.calls + 1;
    let begins_anew = match reason {
        JoinReason::OldAcknowledgement => true,
        JoinReason::NewSlo | JoinReason::Doubled | JoinReason::CameBack => incident.is_open_untold(),
    };
    if begins_anew {
        Wave { id: &incident.id, calls, place: FIRST, why }.pages_and_timer(scope, now)
    } else {
        Wave { id: &incident.id, calls, place: place(incident), why }.pages(scope)
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
    let last = incident.members.open_count() == 1;
    let resolved = (last && incident.is_open()).then_some(What::Resolved { how: Resolution::Recovered });
    [What::Recovered { alert: alert.clone() }].into_iter().chain(resolved).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        incident::story::{story, ticket_story},
        time::minutes,
    };

    const TICK: Duration = Duration::from_secs(10);

    #[test]
    fn the_first_alert_opens_an_incident_and_pages_the_first_step() {
        story().fires("acme").expect_facts(["opened", "page", "page", "timer"]).expect_pages(["#pay", "ada"]).expect_phase("open");
    }

    #[test]
    fn ten_groups_that_fail_at_once_are_one_incident_with_one_root_page() {
        let tenants = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let told = tenants.iter().fold(story().together(), |story, name| story.fires(name));
        assert_eq!(told.state().open_members().count(), 10);
        told.expect_pages(["#pay", "ada"]).expect_messages(["root #pay", "direct ada"]);
    }

    #[test]
    fn groups_that_join_within_two_minutes_count_as_told() {
        story()
            .fires("a")
            .after(TICK)
            .fires("b")
            .expect_facts(["joined"])
            .after(minutes(1))
            .fires("c")
            .expect_facts(["joined"])
            .after(minutes(2))
            .fires("d")
            .expect_facts(["joined"])
            .fires("e")
            .expect_facts(["joined"])
            .fires("f")
            .expect_facts(["joined: doubled", "page", "page"]);
    }

    #[test]
    fn what_joins_after_an_acknowledgement_is_told_however_new_the_post_is() {
        let taken = story().fires("a").after(TICK).acknowledged_by("ana").after(TICK);
        let doubled = taken.fires("b").expect_facts(["joined: doubled", "page", "page"]).expect_phase("acknowledged");
        doubled.after(TICK).fires("c").expect_facts(["joined"]).fires("d").expect_facts(["joined"]);
        let over =
            ["a", "b", "c"].iter().fold(story().fires("a").fires("b").fires("c").after(minutes(1)), |story, name| story.clears(name));
        let again = over.after(minutes(18)).fires("a").expect_facts(["open again: fired", "joined", "page", "page", "timer"]);
        let taken = again.after(TICK).acknowledged_by("ana").after(TICK);
        taken.fires("b").expect_facts(["joined: came back", "page", "page"]).expect_messages(["again #pay", "direct ada", "edit"]);
    }

    #[test]
    fn an_alert_that_holds_already_changes_nothing() {
        story().fires("acme").after(TICK).fires("acme").expect_nothing();
    }

    #[test]
    fn an_slo_that_is_not_yet_in_it_is_told_anew_and_the_timer_runs_on() {
        story()
            .fires("acme")
            .after(minutes(3))
            .fires("latency/acme")
            .expect_facts(["joined: new SLO", "page", "page"])
            .expect_pages(["#pay", "ada"])
            .expect_due_in(Some(minutes(2)));
    }

    #[test]
    fn two_slos_that_fail_in_the_same_moment_page_once() {
        story().together().fires("acme").fires("latency/acme").expect_facts(["opened", "page", "page", "timer", "joined"]);
    }

    #[test]
    fn a_doubling_while_somebody_works_on_it_pages_but_keeps_the_acknowledgement() {
        story()
            .fires("a")
            .after(minutes(1))
            .acknowledged_by("ana")
            .after(minutes(5))
            .fires("b")
            .expect_facts(["joined: doubled", "page", "page"])
            .expect_phase("acknowledged")
            .expect_due_in(None);
    }

    #[test]
    fn an_alert_that_joins_after_an_old_acknowledgement_ends_it_and_escalation_begins_anew() {
        let acknowledged = story().fires("a").after(minutes(6)).ticks().expect_pages(["#pay", "sam", "#leads"]).acknowledged_by("sam");
        acknowledged.clone().after(minutes(30)).fires("b").expect_facts(["joined: doubled", "page", "page", "page"]);
        acknowledged
            .after(minutes(31))
            .fires("b")
            .expect_facts(["joined: old acknowledgement", "page", "page", "timer"])
            .expect_pages(["#pay", "ada"])
            .expect_phase("open")
            .expect_due_in(Some(minutes(5)))
            .after(TICK)
            .fires("c")
            .expect_facts(["joined"]);
    }

    #[test]
    fn it_resolves_when_its_last_alert_clears_and_not_before() {
        story()
            .fires("a")
            .fires("b")
            .after(minutes(5))
            .clears("a")
            .expect_facts(["recovered"])
            .clears("a")
            .expect_nothing()
            .clears("stranger")
            .expect_nothing()
            .clears("b")
            .expect_facts(["recovered", "resolved: recovered"])
            .expect_phase("resolved");
    }

    #[test]
    fn an_alert_within_the_grace_time_opens_it_again_and_pages_with_new_ids() {
        let over = story().fires("acme").after(minutes(5)).clears("acme");
        let first = over.page_to("ada");
        let again = over.clone().after(minutes(30)).fires("globex");
        assert_ne!(again.page_to("ada"), first);
        assert_eq!(again.state().ordinal, 1);
        again.expect_facts(["open again: fired", "joined", "page", "page", "timer"]);
    }

    #[test]
    fn an_alert_after_the_grace_time_begins_a_new_incident() {
        let new = story().fires("acme").after(minutes(5)).clears("acme").after(minutes(31)).fires("acme");
        assert_eq!(new.state().id.as_str(), "checkout-burn-2");
        assert_eq!(new.events.first().map(|event| event.seq), Some(1));
    }

    #[test]
    fn flapping_stays_one_incident() {
        let flap = |story: super::super::super::story::Story| story.after(minutes(2)).clears("acme").after(minutes(2)).fires("acme");
        let flapped = (0..20).fold(story().fires("acme"), |story, _| flap(story));
        assert_eq!((flapped.state().ordinal, flapped.state().escalation.calls), (1, 20));
    }

    #[test]
    fn a_ticket_is_one_post_without_escalation_whatever_joins() {
        let ticket = ticket_story().fires("acme").expect_facts(["opened", "page"]).expect_pages(["#pay"]).expect_due_in(None);
        assert_eq!(ticket.state().id.as_str(), "checkout-ticket-1");
        ticket
            .after(minutes(60))
            .fires("latency/globex")
            .expect_facts(["joined"])
            .clears("acme")
            .clears("latency/globex")
            .expect_phase("resolved")
            .after(minutes(5))
            .fires("acme")
            .expect_facts(["open again: fired", "joined"]);
    }

    #[test]
    fn a_page_does_not_join_a_ticket() {
        let mut story = ticket_story().fires("acme");
        story.urgency = crate::slo::Urgency::Page;
        story.fires("acme").expect_facts(["opened", "page", "page", "timer"]);
    }

    #[test]
    fn a_source_that_cannot_be_seen_pages_by_itself() {
        let blind = story().goes_blind().expect_pages(["#pay", "ada"]);
        assert_eq!(blind.state().id.as_str(), "prom-eu-cannot-see-1");
    }
}
