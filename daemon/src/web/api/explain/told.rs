//! What became of an alert that is open: which incident it is in, whom that called, or why nobody. Told from the events that the store keeps.

use burnward_core::{
    alert::AlertState,
    id::{BudgetId, SloId},
    incident::{AlertKey, Facts, Incident, JoinReason, Kind, PageOutcome, PageState, Phase, What},
    ledger::Reason,
    oncall::Recipient,
    slo::{Slo, Urgency},
    time::Timestamp,
    words,
};

use crate::{
    store::StoredIncident,
    web::api::wire::{Told, instant, urgency as urgency_word},
};

/// What an alert of a budget is about.
const BURN: &str = "burn";

/// Recipients that are named.
const NAMED: usize = 5;

/// What became of each alert of a budget that was open at a moment, page first.
pub(super) fn of(budget: &BudgetId, alerts: AlertState, incidents: &[StoredIncident], until: Timestamp) -> Vec<Told> {
    let open = [Urgency::Page, Urgency::Ticket].into_iter().filter_map(|urgency| Some((urgency, alerts.since(urgency)?)));
    open.map(|(urgency, since)| of_alert(budget, urgency, since, incidents, until)).collect()
}

/// Who was told that nobody sees an SLO or its source, or that nothing happens in it, as it was at a moment.
pub(super) fn of_silence(slo: &Slo, incidents: &[StoredIncident], until: Timestamp) -> Vec<Told> {
    let alerts = [AlertKey::Slo(slo.id.clone()), AlertKey::Source(slo.source.clone())];
    let lived = |alert: &AlertKey| {
        let lived = incidents.iter().filter(|stored| stored.incident.fault.kind == Kind::CannotSee).find_map(|stored| {
            let lived = Lived::until(stored, alert, until)?;
            Some((lived.hides(alert, &slo.id)?, lived))
        })?;
        Some(lived)
    };
    let told = |(about, lived): (&str, Lived)| {
        let (by, sentence) = lived.tells();
        Told {
            urgency: urgency_word(lived.state.fault.urgency).to_owned(),
            about: about.to_owned(),
            since: instant(lived.at),
            incident: Some(lived.state.id.to_string()),
            decided_by: by.to_owned(),
            sentence: format!("{sentence}{}", lived.then()),
        }
    };
    alerts.iter().filter_map(lived).map(told).collect()
}

/// Of the alerts of an SLO in shadow nobody was told.
pub(super) fn in_shadow(alerts: AlertState) -> Vec<Told> {
    let open = [Urgency::Page, Urgency::Ticket].into_iter().filter_map(|urgency| Some((urgency, alerts.since(urgency)?)));
    let told = |(urgency, since)| Told {
        urgency: urgency_word(urgency).to_owned(),
        about: BURN.to_owned(),
        since: instant(since),
        incident: None,
        decided_by: "shadow".to_owned(),
        sentence: "nobody: its SLO is in shadow, and `burnward shadow` lists it".to_owned(),
    };
    open.map(told).collect()
}

fn of_alert(budget: &BudgetId, urgency: Urgency, since: Timestamp, incidents: &[StoredIncident], until: Timestamp) -> Told {
    let alert = AlertKey::Budget(budget.clone());
    let of_fault = |stored: &&StoredIncident| stored.incident.fault.urgency == urgency && stored.incident.fault.kind == Kind::Burn;
    let lived = incidents.iter().filter(of_fault).find_map(|stored| Lived::until(stored, &alert, until));
    let told = |decided_by: &str, incident: Option<String>, sentence: String| Told {
        urgency: urgency_word(urgency).to_owned(),
        about: BURN.to_owned(),
        since: instant(since),
        incident,
        decided_by: decided_by.to_owned(),
        sentence,
    };
    match lived {
        Some(lived) => {
            let (by, sentence) = lived.tells();
            told(by, Some(lived.state.id.to_string()), format!("{sentence}{}", lived.then()))
        }
        None => told("unknown", None, "its incident is not among the newest that were looked into".to_owned()),
    }
}

/// How an alert came into its incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    /// It opened it.
    First,
    /// It joined it, or came back into it; told by a post where there was a reason for one.
    Later(Option<JoinReason>),
}

impl Came {
    /// `None`: the event is about something else.
    fn of(what: &What, alert: &AlertKey) -> Option<Self> {
        match what {
            What::Opened { alert: of, .. } => (of == alert).then_some(Self::First),
            What::Joined { alert: of, notify, .. } => (of == alert).then_some(Self::Later(*notify)),
            What::Recovered { .. }
            | What::PageOwed { .. }
            | What::Delivered { .. }
            | What::Undeliverable { .. }
            | What::Acknowledged
            | What::Escalated { .. }
            | What::EscalationDue { .. }
            | What::EscalationEnded
            | What::Noted { .. }
            | What::Resolved { .. }
            | What::Reopened { .. } => None,
        }
    }
}

/// An incident as it stood at a moment, with how an alert came into it for the last time.
struct Lived {
    came: Came,
    at: Timestamp,
    /// True where that opened the incident again.
    reopened: bool,
    /// True where the alert had been in it before.
    came_back: bool,
    /// Who had it by then.
    taken_by: Option<String>,
    /// At the moment that is asked for.
    state: Incident,
}

impl Lived {
    /// `None` where the alert was not in the incident at that moment, or was over.
    fn until(stored: &StoredIncident, alert: &AlertKey, until: Timestamp) -> Option<Self> {
        let StoredIncident { incident, events } = stored;
        let (mut state, mut found): (Option<Incident>, _) = (None, None);
        let mut reopened_at = None;
        for event in events.iter().take_while(|event| event.at <= until) {
            if matches!(event.what, What::Reopened { .. }) {
                reopened_at = Some(event.at);
            }
            if let Some(came) = Came::of(&event.what, alert) {
                let came_back = state.as_ref().is_some_and(|state| state.members.get(alert).is_some());
                found = Some((came, event.at, reopened_at == Some(event.at), came_back, state.as_ref().and_then(taken_by)));
            }
            match &mut state {
                Some(state) => state.apply(event),
                None => state = Incident::opened(&incident.tenant, incident.ordinal, event),
            }
        }
        let (came, at, reopened, came_back, taken_by) = found?;
        let state = state.filter(|state| state.holds(alert))?;
        Some(Self { came, at, reopened, came_back, taken_by, state })
    }

    /// What is told of an SLO by an alert that nobody sees it, or its source; `None` where the SLO is not concerned.
    fn hides(&self, alert: &AlertKey, slo: &SloId) -> Option<&'static str> {
        let Facts::Blind(blind) = &self.state.members.get(alert)?.facts else { return None };
        match alert {
            AlertKey::Source(_) => blind.hides.contains(slo).then_some("blind-source"),
            AlertKey::Slo(_) if blind.unknown.reason == Reason::NoTraffic => Some("no-traffic"),
            AlertKey::Slo(_) => Some("no-data"),
            AlertKey::Budget(_) | AlertKey::Test => None,
        }
    }

    /// What decided whether somebody was called, and what came of it.
    fn tells(&self) -> (&'static str, String) {
        let id = &self.state.id;
        match (self.came, self.state.fault.urgency, self.called()) {
            (Came::First, Urgency::Ticket, Some(to)) => ("opened", format!("it opened {id}: a post to {to}; a ticket wakes nobody")),
            (Came::First, Urgency::Page, Some(to)) => ("opened", format!("it opened {id} and paged {to}")),
            (Came::First, Urgency::Page | Urgency::Ticket, None) => {
                ("opened", format!("it opened {id}, and its team has nobody to be told"))
            }
            (Came::Later(_), Urgency::Ticket, _) => {
                ("ticket", format!("it joined {id}, whose post and thread say so: a ticket wakes nobody"))
            }
            (Came::Later(_), Urgency::Page, Some(to)) if self.reopened => ("reopened", format!("it opened {id} again and paged {to}")),
            (Came::Later(Some(why)), Urgency::Page, Some(to)) => {
                ("joined", format!("it is in {id} and paged {to}: {}", words::join_reason(why)))
            }
            (Came::Later(None), Urgency::Page, Some(to)) => {
                ("joined", format!("it fired in the same moment as others of {id}, which paged {to} for all of them"))
            }
            (Came::Later(_), Urgency::Page, None) => self.kept_quiet(),
        }
    }

    /// Why nobody was called although it pages.
    fn kept_quiet(&self) -> (&'static str, String) {
        let id = &self.state.id;
        if self.came_back || self.reopened {
            let why = "it came back so soon after it was last told that its thread alone says so; if it goes on, a page follows";
            return ("flapping", format!("it is in {id}, and nobody was paged anew: {why}"));
        }
        match &self.taken_by {
            Some(by) => {
                ("acknowledged", format!("it joined {id}, which {by} had acknowledged: its post was edited, nobody was paged anew"))
            }
            None => (
                "grouping",
                format!("it joined {id}, for which people were being paged already: what fails of one service is one incident"),
            ),
        }
    }

    /// Who was called in the moment that the alert came in; `None`: nobody.
    fn called(&self) -> Option<String> {
        let to = self.recipients(|_| true);
        (!to.is_empty()).then(|| words::list(&to, NAMED))
    }

    /// Whom some of these pages are to: people first.
    fn recipients(&self, some: impl Fn(&PageState) -> bool) -> Vec<String> {
        let mut to: Vec<&Recipient> = self.pages().filter(|page| some(page)).map(|page| &page.to).collect();
        to.sort_unstable();
        to.into_iter().map(ToString::to_string).collect()
    }

    fn pages(&self) -> impl Iterator<Item = &PageState> {
        self.state.pages.values().filter(|page| page.decided_at == self.at)
    }

    /// What came after: who has it, and whom a page did not reach.
    fn then(&self) -> String {
        let phase = match &self.state.phase {
            Phase::Acknowledged { by, .. } if self.taken_by.as_ref() != Some(&by.to_string()) => format!("; {by} has acknowledged it"),
            Phase::Open | Phase::Acknowledged { .. } => String::new(),
            Phase::Resolved { by, .. } => format!("; {by} resolved it while it goes on"),
        };
        let owed = self.recipients(|page| page.outcome == PageOutcome::Owed);
        let owed = if owed.is_empty() { String::new() } else { format!("; not delivered yet to {}", words::list(&owed, NAMED)) };
        let lost = self.pages().filter_map(|page| match &page.outcome {
            PageOutcome::Undeliverable { reason, .. } => Some(format!("; the page to {} cannot arrive: {reason}", page.to)),
            PageOutcome::Owed | PageOutcome::Delivered { .. } => None,
        });
        format!("{phase}{owed}{}", lost.collect::<String>())
    }
}

fn taken_by(incident: &Incident) -> Option<String> {
    match &incident.phase {
        Phase::Acknowledged { by, .. } => Some(by.to_string()),
        Phase::Open | Phase::Resolved { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use burnward_core::{
        id::{PageId, PersonName, TeamName},
        incident::{Actor, Facts, FaultKey, IncidentEvent, MessageRef, PageReason, ReopenReason, Resolution, Subject, Via},
    };

    use super::*;
    use crate::render::tests::{DECIDED, budget_id, burn_facts, tenant};

    fn alert(group: &str) -> AlertKey {
        AlertKey::Budget(budget_id("availability", group))
    }

    fn facts() -> Facts {
        Facts::Burn(Box::new(burn_facts(Urgency::Page, 165_847)))
    }

    fn fault(urgency: Urgency) -> FaultKey {
        FaultKey { subject: Subject::Service(budget_id("availability", "").slo.service), kind: Kind::Burn, urgency }
    }

    fn opened(urgency: Urgency, group: &str) -> What {
        What::Opened { fault: fault(urgency), team: TeamName::parse("payments").expect("a name"), alert: alert(group), facts: facts() }
    }

    fn joined(group: &str, notify: Option<JoinReason>) -> What {
        What::Joined { alert: alert(group), facts: facts(), notify }
    }

    fn paged(seconds: u64, why: PageReason) -> [What; 2] {
        let owed =
            |to: Recipient| What::PageOwed { page: PageId::of(&[&to.to_string(), &seconds.to_string()]), to, step: 0, round: 0, why };
        [Recipient::Channel("#pay".to_owned()), Recipient::Person(PersonName::parse("ada").expect("a name"))].map(owed)
    }

    fn delivered(seconds: u64, to: &str) -> What {
        let at = MessageRef { channel: "C1".to_owned(), ts: "1.0".to_owned() };
        What::Delivered { page: PageId::of(&[to, &seconds.to_string()]), at, maybe_repeat: false }
    }

    /// An incident to which this happened, each so many seconds after its opening.
    fn lived(what: Vec<(u64, What)>) -> StoredIncident {
        let event = |(seq, (seconds, what)): (u32, (u64, What))| IncidentEvent {
            seq,
            at: DECIDED.plus(Duration::from_secs(seconds)),
            by: Actor::Person { name: "ana".to_owned(), via: Via::Web },
            what,
        };
        let events: Vec<IncidentEvent> = (1..).zip(what).map(event).collect();
        StoredIncident { incident: Incident::replay(&tenant(), 1, &events).expect("it opens"), events }
    }

    /// An incident whose first page was delivered, and what happened to it then.
    fn after_the_page(then: Vec<(u64, What)>) -> StoredIncident {
        let first = [opened(Urgency::Page, "acme")].into_iter().chain(paged(0, PageReason::Opened));
        let first = first.chain([delivered(0, "#pay"), delivered(0, "ada")]).map(|what| (0, what));
        lived(first.chain(then).collect())
    }

    fn check(incident: StoredIncident, group: &str, after_seconds: u64, by: &str, sentence: &str) {
        let until = DECIDED.plus(Duration::from_secs(after_seconds));
        let alerts = match incident.incident.fault.urgency {
            Urgency::Page => AlertState { page: Some(DECIDED), ticket: None },
            Urgency::Ticket => AlertState { page: None, ticket: Some(DECIDED) },
        };
        let told = of(&budget_id("availability", group), alerts, &[incident], until);
        assert_eq!(told.iter().map(|told| (told.decided_by.as_str(), told.sentence.as_str())).collect::<Vec<_>>(), [(by, sentence)]);
    }

    #[test]
    fn the_first_alert_opens_pages_and_says_who_took_it_and_whom_it_did_not_reach() {
        let taken = || after_the_page(vec![(60, What::Acknowledged)]);
        check(taken(), "acme", 30, "opened", "it opened checkout-burn-1 and paged ada, #pay");
        check(taken(), "acme", 90, "opened", "it opened checkout-burn-1 and paged ada, #pay; ana has acknowledged it");
        let first = [opened(Urgency::Page, "acme")].into_iter().chain(paged(0, PageReason::Opened));
        let lost = What::Undeliverable { page: PageId::of(&["ada", "0"]), reason: "no such user".to_owned() };
        let lost = lived(first.chain([lost]).map(|what| (0, what)).collect());
        let sentence =
            "it opened checkout-burn-1 and paged ada, #pay; not delivered yet to #pay; the page to ada cannot arrive: no such user";
        check(lost, "acme", 90, "opened", sentence);
        let none = lived(vec![(0, opened(Urgency::Page, "acme"))]);
        check(none, "acme", 0, "opened", "it opened checkout-burn-1, and its team has nobody to be told");
    }

    #[test]
    fn what_joins_is_grouped_or_taken_already_or_told_with_its_reason() {
        let grouped = after_the_page(vec![(300, joined("globex", None))]);
        let sentence = "it joined checkout-burn-1, for which people were being paged already: what fails of one service is one incident";
        check(grouped, "globex", 400, "grouping", sentence);
        let taken = after_the_page(vec![(60, What::Acknowledged), (300, joined("globex", None))]);
        let sentence = "it joined checkout-burn-1, which ana had acknowledged: its post was edited, nobody was paged anew";
        check(taken, "globex", 400, "acknowledged", sentence);
        let why = JoinReason::Doubled;
        let told = [joined("globex", Some(why))].into_iter().chain(paged(300, PageReason::Joined(why))).map(|what| (300, what));
        let told = after_the_page(told.chain([(301, delivered(300, "#pay")), (301, delivered(300, "ada"))]).collect());
        check(told, "globex", 400, "joined", "it is in checkout-burn-1 and paged ada, #pay: at least twice as many groups are hit");
        let at_once = after_the_page(vec![(0, joined("globex", None))]);
        let sentence = "it fired in the same moment as others of checkout-burn-1, which paged ada, #pay for all of them";
        check(at_once, "globex", 10, "joined", sentence);
    }

    #[test]
    fn what_comes_back_opens_again_and_pages_or_flaps() {
        let over = || vec![(120, What::Recovered { alert: alert("acme") }), (120, What::Resolved { how: Resolution::Recovered })];
        let again = [What::Reopened { why: ReopenReason::FiredAgain }, joined("acme", None)];
        let quiet = over().into_iter().chain(again.clone().map(|what| (180, what))).collect();
        let sentence = "it is in checkout-burn-1, and nobody was paged anew: it came back so soon after it was last told that its thread alone says so; \
                        if it goes on, a page follows";
        check(after_the_page(quiet), "acme", 200, "flapping", sentence);
        let told = again.into_iter().chain(paged(900, PageReason::Reopened)).map(|what| (900, what));
        let told = after_the_page(over().into_iter().chain(told).collect());
        check(told, "acme", 900, "reopened", "it opened checkout-burn-1 again and paged ada, #pay; not delivered yet to ada, #pay");
    }

    #[test]
    fn a_ticket_wakes_nobody_and_what_is_not_found_is_said() {
        let [post, _] = paged(0, PageReason::Opened);
        let ticket = || {
            lived(vec![(0, opened(Urgency::Ticket, "acme")), (0, post.clone()), (1, delivered(0, "#pay")), (60, joined("globex", None))])
        };
        check(ticket(), "acme", 90, "opened", "it opened checkout-ticket-1: a post to #pay; a ticket wakes nobody");
        check(ticket(), "globex", 90, "ticket", "it joined checkout-ticket-1, whose post and thread say so: a ticket wakes nobody");
        check(ticket(), "initech", 90, "unknown", "its incident is not among the newest that were looked into");
    }
}
