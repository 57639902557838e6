//! What became of an alert that is open: which incident it is in, whom that called, or why nobody. Told from the events that the store keeps.

use burnward_core::{
    alert::AlertState,
    id::BudgetId,
    incident::{AlertKey, Incident, JoinReason, Kind, PageOutcome, PageState, Phase, What},
    slo::Urgency,
    time::Timestamp,
    words,
};

use crate::{
    store::StoredIncident,
    web::api::wire::{Told, instant, urgency as urgency_word},
};

/// Recipients that are named.
const NAMED: usize = 5;

/// What became of each alert of a budget that was open at a moment, page first.
pub(super) fn of(budget: &BudgetId, alerts: AlertState, incidents: &[StoredIncident], until: Timestamp) -> Vec<Told> {
    let open = [Urgency::Page, Urgency::Ticket].into_iter().filter_map(|urgency| Some((urgency, alerts.since(urgency)?)));
    open.map(|(urgency, since)| of_alert(budget, urgency, since, incidents, until)).collect()
}

fn of_alert(budget: &BudgetId, urgency: Urgency, since: Timestamp, incidents: &[StoredIncident], until: Timestamp) -> Told {
    let alert = AlertKey::Budget(budget.clone());
    let of_fault = |stored: &&StoredIncident| stored.incident.fault.urgency == urgency && stored.incident.fault.kind == Kind::Burn;
    let lived = incidents.iter().filter(of_fault).find_map(|stored| Lived::until(stored, &alert, until));
    let told = |decided_by: &str, incident: Option<String>, sentence: String| Told {
        urgency: urgency_word(urgency).to_owned(),
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
        let to: Vec<String> = self.pages().map(|page| page.to.to_string()).collect();
        (!to.is_empty()).then(|| words::list(&to, NAMED))
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
        let owed: Vec<String> = self.pages().filter(|page| page.outcome == PageOutcome::Owed).map(|page| page.to.to_string()).collect();
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
