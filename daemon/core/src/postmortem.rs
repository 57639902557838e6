//! The postmortem draft: what can be computed from an incident's events; everything else is marked unknown, never invented.
//!
//! | figure | formula |
//! |---|---|
//! | time to detect | detected - began: from the first bad slice to the alert |
//! | time to acknowledge | acknowledged - paged: from the first page that arrived to the first acknowledgement |
//! | time to resolve | resolved - began: from the first bad slice to the last end |
//!
//! Time to mitigate is not among them: when users stopped feeling it is for people to say.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    id::{BudgetId, Group, IncidentId},
    incident::{Incident, IncidentEvent, Kind, PageOutcome, What},
    ledger::Counts,
    time::Timestamp,
    timeline::{self, Entry},
    units::EventUnit,
    words,
};

/// Groups named in the title.
const NAMES: usize = 3;

/// The facts of a postmortem draft.
#[derive(Debug, Clone, PartialEq)]
pub struct PostmortemDraft {
    /// Of which incident.
    pub incident: IncidentId,
    /// Title in user words.
    pub title: String,
    /// Milestones, in order; unknown ones are `None`.
    pub milestones: Milestones,
    /// When it was opened again after it was resolved, oldest first.
    pub reopened: Vec<Timestamp>,
    /// The groups that were hit, as people read them; empty where no SLO of it is split.
    pub groups: Vec<String>,
    /// What each budget lost.
    pub impact: Vec<BudgetImpact>,
    /// How many pages were sent, and to whom.
    pub pages: Vec<PageSent>,
    /// The timeline.
    pub timeline: Vec<Entry>,
}

/// When what happened, never one before another that stands above it: `None` is also what did not happen in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Milestones {
    /// First bad slice.
    pub began: Timestamp,
    /// The alert fired.
    pub detected: Timestamp,
    /// The first page was delivered, before anybody acknowledged and before the end.
    pub paged: Option<Timestamp>,
    /// Somebody acknowledged for the first time.
    pub acknowledged: Option<Timestamp>,
    /// It was resolved for the last time; `None` while it is open.
    pub resolved: Option<Timestamp>,
}

impl Milestones {
    /// Time to detect: detected - began.
    pub fn to_detect(&self) -> Duration {
        self.detected.since(self.began)
    }

    /// Time to acknowledge: acknowledged - paged.
    pub fn to_acknowledge(&self) -> Option<Duration> {
        Some(self.acknowledged?.since(self.paged?))
    }

    /// Time to resolve: resolved - began.
    pub fn to_resolve(&self) -> Option<Duration> {
        Some(self.resolved?.since(self.began))
    }
}

/// What one budget lost in an incident.
#[derive(Debug, Clone, PartialEq)]
pub struct BudgetImpact {
    /// Which budget.
    pub budget: BudgetId,
    /// What was counted from `began` to `resolved` (or until now).
    pub counts: Counts,
    /// What these are numbers of.
    pub unit: EventUnit,
    /// Share of the window's budget that the bad events of that time are; `None` without traffic.
    pub spent: Option<f64>,
    /// The same if all that may have happened unseen in that time failed.
    pub at_most: Option<f64>,
}

/// A page that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSent {
    /// To whom.
    pub to: String,
    /// When it was decided.
    pub decided: Timestamp,
    /// When it arrived; `None`: it did not.
    pub delivered: Option<Timestamp>,
}

/// The draft from an incident, its events and the ledger's counts per budget.
pub fn draft(incident: &Incident, events: &[IncidentEvent], impact: Vec<BudgetImpact>) -> PostmortemDraft {
    PostmortemDraft {
        incident: incident.id.clone(),
        title: title(incident),
        milestones: milestones(incident, events),
        reopened: events.iter().filter(|event| matches!(event.what, What::Reopened { .. })).map(|event| event.at).collect(),
        groups: incident.group_names(),
        impact,
        pages: events.iter().filter_map(|event| page_sent(incident, event)).collect(),
        timeline: timeline::entries(incident, events),
    }
}

/// What happened in a user's words, as it was when the incident opened: `checkout: 15.2 % of requests failing for acme, globex when it fired`.
pub fn title(incident: &Incident) -> String {
    let subject = &incident.fault.subject;
    match (incident.fault.kind, incident.harm_at_opening()) {
        (Kind::Burn, Some(harm)) => {
            format!("{subject}: {} {}{} when it fired", words::percent(harm.bad), words::symptom(harm.symptom), whom(&harm.groups))
        }
        (Kind::Burn, None) => format!("{subject}: the error budget burns too fast"),
        (Kind::CannotSee, _) if incident.is_silent() => format!("{subject}: no traffic"),
        (Kind::CannotSee, _) => format!("{subject}: cannot see"),
        (Kind::Test, _) => "TEST: the way of a page is tried, nothing is at fault".to_owned(),
    }
}

fn whom(groups: &BTreeSet<&Group>) -> String {
    let names: Vec<String> = groups.iter().map(|group| group.values()).collect();
    if names.is_empty() { String::new() } else { format!(" for {}", words::list(&names, NAMES)) }
}

/// The milestones of an incident, in order.
pub fn milestones(incident: &Incident, events: &[IncidentEvent]) -> Milestones {
    let acknowledged = first(events, |what| matches!(what, What::Acknowledged));
    let delivered = first(events, |what| matches!(what, What::Delivered { .. }));
    let resolved = incident.ended();
    let paged = delivered.filter(|paged| acknowledged.or(resolved).is_none_or(|next| *paged <= next));
    Milestones { began: incident.began.min(incident.opened_at), detected: incident.opened_at, paged, acknowledged, resolved }
}

fn first(events: &[IncidentEvent], wanted: impl Fn(&What) -> bool) -> Option<Timestamp> {
    events.iter().find(|event| wanted(&event.what)).map(|event| event.at)
}

fn page_sent(incident: &Incident, event: &IncidentEvent) -> Option<PageSent> {
    let What::PageOwed { page, to, .. } = &event.what else { return None };
    let delivered = match incident.pages.get(page).map(|page| &page.outcome) {
        Some(PageOutcome::Delivered { at, .. }) => Some(*at),
        Some(PageOutcome::Owed | PageOutcome::Undeliverable { .. }) | None => None,
    };
    Some(PageSent { to: to.to_string(), decided: event.at, delivered })
}

#[cfg(test)]
mod tests {
    use crate::{
        incident::story::{Story, story},
        time::minutes,
    };

    use super::*;

    fn drafted(story: &Story) -> PostmortemDraft {
        draft(story.state(), &story.events, Vec::new())
    }

    fn night() -> Story {
        let opened = story().together().fires("acme").fires("globex");
        opened.after(Duration::from_secs(4)).delivers("ada").after(Duration::from_secs(57)).acknowledged_by("ana")
    }

    #[test]
    fn times_to_detect_acknowledge_and_resolve_follow_their_formulas() {
        let over = night().after(minutes(20)).clears("acme").clears("globex");
        let milestones = drafted(&over).milestones;
        assert_eq!(milestones.to_detect(), minutes(6));
        assert_eq!(milestones.to_acknowledge(), Some(Duration::from_secs(57)));
        assert_eq!(milestones.to_resolve(), Some(Duration::from_secs(1621)));
    }

    #[test]
    fn what_has_not_happened_is_unknown() {
        let milestones = drafted(&story().fires("acme")).milestones;
        assert_eq!((milestones.paged, milestones.acknowledged, milestones.resolved), (None, None, None));
        assert_eq!((milestones.to_acknowledge(), milestones.to_resolve()), (None, None));
    }

    #[test]
    fn a_page_that_arrives_after_the_acknowledgement_is_not_what_was_acknowledged() {
        let milestones = drafted(&story().fires("acme").acknowledged_by("ana").after(minutes(9)).delivers("ada")).milestones;
        assert_eq!((milestones.paged, milestones.to_acknowledge()), (None, None));
    }

    #[test]
    fn an_incident_that_is_open_again_is_not_resolved_and_says_when() {
        let once = story().fires("acme").clears("acme");
        assert_eq!(drafted(&once).reopened, []);
        let again = once.after(minutes(2)).fires("acme");
        assert_eq!((drafted(&again).milestones.resolved, drafted(&again).reopened), (None, vec![again.now]));
    }

    #[test]
    fn the_title_says_what_users_felt() {
        let unsplit = story().fires("export/");
        let over = night().clears("acme").clears("globex");
        let many = ["a", "b", "c", "d", "e"].iter().fold(story(), |story, name| story.fires(name));
        for (story, text) in [
            (night(), "checkout: 15.2 % of requests failing for acme, globex when it fired"),
            (over, "checkout: 15.2 % of requests failing for acme, globex when it fired"),
            (many, "checkout: 15.2 % of requests failing for a, b, c and 2 more when it fired"),
            (
                story().fires("acme").after(minutes(5)).fires("globex").clears("acme"),
                "checkout: 15.2 % of requests failing for acme when it fired",
            ),
            (unsplit, "checkout: 15.2 % of requests failing when it fired"),
            (story().goes_blind(), "prom-eu: cannot see"),
        ] {
            assert_eq!(drafted(&story).title, text);
        }
    }

    #[test]
    fn pages_are_listed_with_what_became_of_them() {
        let draft = drafted(&night());
        let pages: Vec<(&str, bool)> = draft.pages.iter().map(|page| (page.to.as_str(), page.delivered.is_some())).collect();
        assert_eq!(pages, [("#pay", false), ("ada", true)]);
        assert_eq!(draft.groups, ["acme", "globex"]);
    }
}
