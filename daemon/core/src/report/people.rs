//! What a week cost the people: how many incidents, how many pages each, how many of them at night, how long things took.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Row, Told};
use crate::{
    id::{PageId, PersonName, TeamName},
    incident::{Incident, IncidentEvent, PageOutcome, What},
    oncall::Recipient,
    postmortem::{Milestones, milestones},
    slo::Urgency,
    time::Timestamp,
    window::Interval,
};

/// What a week cost a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamWeek {
    /// Which team.
    pub team: TeamName,
    /// Incidents that paged, opened in the week.
    pub incidents: usize,
    /// Tickets, opened in the week.
    pub tickets: usize,
    /// How many of both are not over.
    pub open: usize,
    /// How many of these a person resolved while they go on.
    pub goes_on: usize,
    /// Pages to each person that were decided in the week, the most first.
    pub people: Vec<PersonPages>,
    /// How long the first acknowledgement took after the first page arrived, of the incidents of the week that paged.
    pub to_acknowledge: Option<Times>,
    /// How many incidents of the week that paged nobody has acknowledged.
    pub not_acknowledged: usize,
    /// How long incidents of the week that paged lasted, from the first bad slice to their end.
    pub to_resolve: Option<Times>,
}

/// The pages of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonPages {
    /// Who.
    pub person: PersonName,
    /// How many.
    pub pages: usize,
    /// How many of them at night.
    pub at_night: usize,
    /// How many of them did not arrive.
    pub undelivered: usize,
}

/// How long something took, several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Half of them took no longer: the middle one, or the shorter of the two in the middle.
    pub median: Duration,
    /// The longest.
    pub longest: Duration,
    /// How many there are.
    pub count: usize,
}

impl TeamWeek {
    /// How many pages there were.
    pub fn pages(&self) -> usize {
        self.people.iter().map(|person| person.pages).sum()
    }
}

impl Times {
    fn of(mut spans: Vec<Duration>) -> Option<Self> {
        spans.sort();
        let median = *spans.get(spans.len().checked_sub(1)? / 2)?;
        Some(Self { median, longest: *spans.last()?, count: spans.len() })
    }
}

/// The teams that are responsible for a budget or had an incident, by name; or the one that was asked for, whatever it had.
pub(super) fn teams(rows: &[Row], incidents: &[Told<'_>], week: Interval, nights: &[Interval], asked: Option<&TeamName>) -> Vec<TeamWeek> {
    let mut names: BTreeSet<&TeamName> = rows.iter().map(|row| &row.team).chain(asked).collect();
    names.extend(incidents.iter().filter(|told| touches(told, week)).map(|told| &told.incident.team));
    names.into_iter().map(|name| team(name, incidents, week, nights)).collect()
}

/// True for an incident that was opened in the week or paged somebody in it.
fn touches(told: &Told<'_>, week: Interval) -> bool {
    within(told.incident.opened_at, week) || told.events.iter().any(|event| paged(event, week).is_some())
}

fn team(name: &TeamName, incidents: &[Told<'_>], week: Interval, nights: &[Interval]) -> TeamWeek {
    let own = || incidents.iter().filter(|told| told.incident.team == *name);
    let opened = |urgency| own().filter(move |told| within(told.incident.opened_at, week) && told.incident.fault.urgency == urgency);
    let open = || opened(Urgency::Page).chain(opened(Urgency::Ticket)).filter(|told| !told.incident.is_at_rest());
    let milestones: Vec<Milestones> = opened(Urgency::Page).map(|told| milestones(told.incident, told.events)).collect();
    TeamWeek {
        team: name.clone(),
        incidents: milestones.len(),
        tickets: opened(Urgency::Ticket).count(),
        open: open().count(),
        goes_on: open().filter(|told| told.incident.opens_again().is_some()).count(),
        people: people(own(), week, nights),
        to_acknowledge: Times::of(milestones.iter().filter_map(Milestones::to_acknowledge).collect()),
        not_acknowledged: milestones.iter().filter(|milestones| milestones.acknowledged.is_none()).count(),
        to_resolve: Times::of(milestones.iter().filter_map(Milestones::to_resolve).collect()),
    }
}

fn people<'a>(incidents: impl Iterator<Item = &'a Told<'a>>, week: Interval, nights: &[Interval]) -> Vec<PersonPages> {
    let mut pages: BTreeMap<&PersonName, PersonPages> = BTreeMap::new();
    for told in incidents {
        for (person, delivered, at) in told.events.iter().filter_map(|event| page_to_person(told.incident, event, week)) {
            let none = || PersonPages { person: person.clone(), pages: 0, at_night: 0, undelivered: 0 };
            let of_person = pages.entry(person).or_insert_with(none);
            of_person.pages += 1;
            of_person.at_night += usize::from(nights.iter().any(|night| within(at, *night)));
            of_person.undelivered += usize::from(!delivered);
        }
    }
    let mut pages: Vec<PersonPages> = pages.into_values().collect();
    pages.sort_by_key(|person| std::cmp::Reverse(person.pages));
    pages
}

/// The person whom an event of the week pages, whether it arrived, and when it was decided.
fn page_to_person<'a>(incident: &Incident, event: &'a IncidentEvent, week: Interval) -> Option<(&'a PersonName, bool, Timestamp)> {
    let (page, to) = paged(event, week)?;
    let Recipient::Person(person) = to else { return None };
    let delivered = match incident.pages.get(page).map(|page| &page.outcome) {
        Some(PageOutcome::Delivered { .. }) => true,
        Some(PageOutcome::Owed | PageOutcome::Undeliverable { .. }) | None => false,
    };
    Some((person, delivered, event.at))
}

fn paged(event: &IncidentEvent, week: Interval) -> Option<(&PageId, &Recipient)> {
    let What::PageOwed { page, to, .. } = &event.what else { return None };
    within(event.at, week).then_some((page, to))
}

/// As slices are: after the start, up to and with the end.
fn within(at: Timestamp, over: Interval) -> bool {
    at > over.from && at <= over.to
}
