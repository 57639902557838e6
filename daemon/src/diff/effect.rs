//! What a difference would have done over a span of history: whom each set of SLOs would have paged, how often, and when.

use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use burnward_core::{
    evaluate::BudgetStatus,
    id::{SloId, TeamName, TenantId},
    incident::{AlertKey, Facts, Kind},
    oncall::Recipient,
    slo::{Slo, Urgency},
    time::Timestamp,
    window::{Interval, Zone},
    words,
};
use jiff::{civil::Time, tz::TimeZone};

use super::Difference;
use crate::{
    config::Config,
    definition::row_words,
    replay::{Alarm, Calls},
    report::words::utc,
};

/// Pages that are listed of one SLO.
const LISTED: usize = 5;

/// When people sleep, by their clocks: from, to.
const NIGHT: (Time, Time) = (Time::constant(22, 0, 0, 0), Time::constant(7, 0, 0, 0));

/// What one set of SLOs would have done.
#[derive(Debug, Clone, Copy)]
pub struct Life<'a> {
    /// The alerts that would have fired.
    pub alarms: &'a [Alarm],
    /// Every budget at the end.
    pub budgets: &'a [BudgetStatus],
}

/// Two sets of SLOs that lived through the same history.
#[derive(Debug, Clone, Copy)]
pub struct Lives<'a> {
    /// The older set.
    pub before: Life<'a>,
    /// The newer set.
    pub after: Life<'a>,
    /// From the first tick to the last.
    pub span: Interval,
    /// What of the history cannot be looked at, in sentences.
    pub unseen: &'a [String],
}

/// What a change does to one SLO, or all changes do together.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// By the older set.
    pub before: Told,
    /// By the newer set.
    pub after: Told,
}

/// What would have been told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Told {
    /// The pages of burning budgets that would have called somebody, oldest first.
    pub pages: Vec<Page>,
    /// How many tickets of burning budgets would have been opened.
    pub tickets: usize,
    /// How many messages there would have been that something cannot be seen or does not happen; they are neither of the two above.
    pub no_data: usize,
    /// How many of those would have paged.
    pub no_data_pages: usize,
    /// The least that would be left of a budget at the end; `None`: nothing is known.
    pub least: Option<Least>,
}

/// What would be left of the budget of which the least is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Least {
    /// As a share of the budget.
    pub left: f64,
    /// The share of its window that was seen.
    pub seen: f64,
}

/// A page that would have called somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// When.
    pub at: Timestamp,
    /// How long its alert would have held; `None`: to the end.
    pub lasted: Option<Duration>,
    /// By which row.
    pub why: String,
    /// Of which group; empty where the SLO is not split.
    pub group: String,
    /// Whom it would have called: people and channels.
    pub to: Vec<String>,
    /// The people among them.
    pub people: Vec<String>,
    /// True where that is night for the team.
    pub at_night: bool,
}

/// The span that was lived through, with what all changes do together.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtested {
    /// From the first tick to the last, of the tenant whose history is the longest.
    pub span: Interval,
    /// What of the history cannot be looked at, in sentences.
    pub unseen: Vec<String>,
    /// Of all SLOs of the services that hold a change, because what fails of one service is one incident.
    pub sum: Effect,
    /// The zones by whose clocks night is told.
    pub zones: Vec<String>,
    /// Teams of which no report says the zone: their nights are those of UTC.
    pub without_zone: Vec<String>,
}

impl Difference {
    /// Adds what the changes of a tenant would have done.
    pub fn add_effects(&mut self, tenant: &TenantId, lives: Lives<'_>, slos: &[&Slo], config: &Config) {
        let nights = Nights::of(tenant, slos, config);
        for change in self.changes.iter_mut().filter(|change| change.id.tenant == *tenant) {
            let before = change.former().unwrap_or(&change.id).clone();
            let told = |life: Life<'_>, id: &SloId| nights.told(life, |of| of == id);
            change.effect = Some(Effect { before: told(lives.before, &before), after: told(lives.after, &change.id) });
        }
        let all = |life| nights.told(life, |_| true);
        let sum = Effect { before: all(lives.before), after: all(lives.after) };
        let nothing =
            || Backtested { span: lives.span, unseen: Vec::new(), sum: Effect::nothing(), zones: Vec::new(), without_zone: Vec::new() };
        self.backtested.get_or_insert_with(nothing).join(lives, sum, &nights);
    }
}

impl Backtested {
    fn join(&mut self, lives: Lives<'_>, sum: Effect, nights: &Nights) {
        self.span.from = self.span.from.min(lives.span.from);
        self.unseen.extend_from_slice(lives.unseen);
        self.sum.before.join(sum.before);
        self.sum.after.join(sum.after);
        self.zones.extend(nights.zones.values().flatten().map(ToString::to_string));
        self.without_zone.extend(nights.zones.iter().filter(|(_, zone)| zone.is_none()).map(|(team, _)| team.to_string()));
        for names in [&mut self.zones, &mut self.without_zone] {
            names.sort_unstable();
            names.dedup();
        }
    }

    /// What all changes do together, in a line.
    pub fn sentence(&self) -> String {
        format!("Over {}: {}.", self.length(), self.sum.words())
    }

    /// `30 d from 2026-10-27T00:00:00Z to 2026-11-26T00:00:00Z`.
    fn length(&self) -> String {
        let Interval { from, to } = self.span;
        format!("{} from {} to {}", words::duration(self.span.length()), utc(from), utc(to))
    }

    /// By whose clocks night is told; `None` where no page would have come by night or day.
    pub fn night(&self) -> Option<String> {
        let pages = [&self.sum.before, &self.sum.after].iter().map(|told| told.pages.len()).sum::<usize>();
        let hours = format!("Night is {} to {}", NIGHT.0.strftime("%H:%M"), NIGHT.1.strftime("%H:%M"));
        let utc = format!("UTC for {}, whose time zone no report in burnward.yaml says", words::list(&self.without_zone, LISTED));
        (pages > 0).then(|| match (self.zones.is_empty(), self.without_zone.is_empty()) {
            (_, true) => format!("{hours} in {}.", words::list(&self.zones, LISTED)),
            (true, false) => format!("{hours} {utc}."),
            (false, false) => format!("{hours} in {}, and {utc}.", words::list(&self.zones, LISTED)),
        })
    }
}

impl Effect {
    fn nothing() -> Self {
        Self { before: Told::default(), after: Told::default() }
    }

    /// `pages 0 -> 3, 2 of them at night, all for ana; tickets 1 -> 1; budget left 82 % -> 10 %`.
    pub fn words(&self) -> String {
        let Self { before, after } = self;
        let pages = format!("pages {} -> {}{}", before.pages.len(), after.pages.len(), after.told_of_pages());
        let tickets = format!("tickets {} -> {}", before.tickets, after.tickets);
        let no_data = (before.no_data + after.no_data > 0).then(|| {
            let paging = before.no_data_pages + after.no_data_pages > 0;
            let pages =
                if paging { format!(", pages among them {} -> {}", before.no_data_pages, after.no_data_pages) } else { String::new() };
            format!("messages of missing data or traffic {} -> {}{pages}", before.no_data, after.no_data)
        });
        let budget = (before.least.is_some() || after.least.is_some()).then(|| self.least());
        [pages, tickets].into_iter().chain(no_data).chain(budget).collect::<Vec<_>>().join("; ")
    }
}

impl Effect {
    /// `least budget left 82 % -> 10 %`, and how much was seen of the windows where that is not all.
    fn least(&self) -> String {
        let seen = |told: &Told| told.least.and_then(|least| words::window_seen(least.seen));
        let (before, after) = (seen(&self.before), seen(&self.after));
        let of_window = |seen: Option<String>| seen.map_or_else(String::new, |seen| format!(" ({seen})"));
        let own = if before == after { None } else { before };
        let left = |told: &Told| told.least.map_or_else(|| "unknown".to_owned(), |least| words::whole_percent(least.left));
        format!("least budget left {}{} -> {}{}", left(&self.before), of_window(own), left(&self.after), of_window(after))
    }

    /// `page 14.4x 1h/5m of acme holds at the end: applied then, it would page at once`; `None` where no alert would begin with the change itself. One that held
    /// of the same group before goes on, whichever row it is of.
    pub fn at_once(&self) -> Option<String> {
        let holds = |page: &&Page| page.lasted.is_none();
        let held = |of: &Page| self.before.pages.iter().filter(holds).any(|page| page.group == of.group);
        let new: Vec<String> = self.after.pages.iter().filter(holds).filter(|page| !held(page)).map(Page::row).collect();
        let verb = if new.len() == 1 { "holds" } else { "hold" };
        (!new.is_empty()).then(|| format!("{} {verb} at the end: applied then, it would page at once", words::list(&new, LISTED)))
    }
}

impl Least {
    fn lower(&self, other: &Self) -> Ordering {
        self.left.total_cmp(&other.left)
    }
}

impl Told {
    fn join(&mut self, other: Self) {
        self.pages.extend(other.pages);
        self.pages.sort_by_key(|page| page.at);
        self.tickets += other.tickets;
        self.no_data += other.no_data;
        self.no_data_pages += other.no_data_pages;
        self.least = self.least.into_iter().chain(other.least).min_by(Least::lower);
    }

    /// How many pages would have come at night.
    pub fn at_night(&self) -> usize {
        self.pages.iter().filter(|page| page.at_night).count()
    }

    /// How often each person would have been called, most often first.
    pub fn people(&self) -> Vec<(String, usize)> {
        let mut calls: BTreeMap<&String, usize> = BTreeMap::new();
        for person in self.pages.iter().flat_map(|page| &page.people) {
            *calls.entry(person).or_default() += 1;
        }
        let mut calls: Vec<(String, usize)> = calls.into_iter().map(|(person, times)| (person.clone(), times)).collect();
        calls.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        calls
    }

    /// `, 2 of them at night, all for ana`; empty without a page.
    fn told_of_pages(&self) -> String {
        let night = match (self.at_night(), self.pages.len()) {
            (0, _) => String::new(),
            (1, 1) => ", at night".to_owned(),
            (night, all) if night == all => ", all at night".to_owned(),
            (night, _) => format!(", {night} of them at night"),
        };
        let people = match self.people().as_slice() {
            [] => String::new(),
            [(person, _)] if self.pages.len() == 1 => format!(", for {person}"),
            [(person, times)] if *times == self.pages.len() => format!(", all for {person}"),
            several => {
                let each: Vec<String> = several.iter().map(|(person, times)| format!("{person} ({times})")).collect();
                format!(", for {}", words::list(&each, LISTED))
            }
        };
        format!("{night}{people}")
    }

    /// The first pages, one in a line, and how many more there would have been.
    pub fn lines(&self) -> Vec<String> {
        let more = self.pages.len().saturating_sub(LISTED);
        let rest = (more > 0).then(|| format!("and {more} more"));
        self.pages.iter().take(LISTED).map(Page::words).chain(rest).collect()
    }
}

impl Page {
    /// `2026-11-04T02:10:00Z for 14 min at night, page 14.4x 1h/5m of acme, to #pay and ana`.
    fn words(&self) -> String {
        let Self { at, lasted, to, at_night, .. } = self;
        let lasted = lasted.map_or_else(|| "to the end".to_owned(), |lasted| format!("for {}", words::duration(lasted)));
        let night = if *at_night { " at night" } else { "" };
        format!("{} {lasted}{night}, {}, to {}", utc(*at), self.row(), words::list(to, LISTED))
    }

    /// `page 14.4x 1h/5m of acme`.
    fn row(&self) -> String {
        let Self { why, group, .. } = self;
        if group.is_empty() { why.clone() } else { format!("{why} of {group}") }
    }
}

/// Which zone each team sleeps in.
struct Nights {
    zones: BTreeMap<TeamName, Option<Zone>>,
    teams: BTreeMap<SloId, TeamName>,
}

impl Nights {
    fn of(tenant: &TenantId, slos: &[&Slo], config: &Config) -> Self {
        let zone = |team: &TeamName| config.report_zone(tenant, Some(team)).cloned();
        Self {
            zones: slos.iter().map(|slo| (slo.team.clone(), zone(&slo.team))).collect(),
            teams: slos.iter().map(|slo| (slo.id.clone(), slo.team.clone())).collect(),
        }
    }

    fn is_night(&self, slo: &SloId, at: Timestamp) -> bool {
        let zone = self.teams.get(slo).and_then(|team| self.zones.get(team)?.as_ref());
        let zone = zone.and_then(|zone| TimeZone::get(zone.as_str()).ok()).unwrap_or(TimeZone::UTC);
        let Ok(instant) = jiff::Timestamp::from_millisecond(at.millis()) else { return false };
        let clock = zone.to_datetime(instant).time();
        clock >= NIGHT.0 || clock < NIGHT.1
    }

    /// What a life told of some SLOs.
    fn told(&self, life: Life<'_>, of: impl Fn(&SloId) -> bool) -> Told {
        let mut told = Told::default();
        for alarm in life.alarms {
            let Some((slo, group)) = subject(&alarm.alert).filter(|(slo, _)| of(slo)) else { continue };
            let Calls::People { to, .. } = &alarm.calls else { continue };
            match (alarm.fault.kind, alarm.fault.urgency) {
                (Kind::CannotSee, urgency) => {
                    told.no_data += 1;
                    told.no_data_pages += usize::from(urgency == Urgency::Page);
                }
                (Kind::Burn | Kind::Test, Urgency::Ticket) => told.tickets += 1,
                (Kind::Burn | Kind::Test, Urgency::Page) => told.pages.push(Page {
                    at: alarm.at,
                    lasted: alarm.cleared.map(|cleared| cleared.since(alarm.at)),
                    why: why(alarm),
                    group,
                    to: to.iter().map(ToString::to_string).collect(),
                    people: to.iter().filter_map(person).collect(),
                    at_night: self.is_night(slo, alarm.at),
                }),
            }
        }
        let own = life.budgets.iter().filter(|status| of(&status.budget.slo));
        told.least = own.filter_map(|status| Some(Least { left: status.left?.ratio, seen: status.coverage })).min_by(Least::lower);
        told
    }
}

fn subject(alert: &AlertKey) -> Option<(&SloId, String)> {
    match alert {
        AlertKey::Budget(budget) => Some((&budget.slo, budget.group.values())),
        AlertKey::Slo(slo) => Some((slo, String::new())),
        AlertKey::Source(_) | AlertKey::Test => None,
    }
}

fn why(alarm: &Alarm) -> String {
    match &alarm.facts {
        Facts::Burn(burn) => row_words(&burn.fired.row),
        Facts::Blind(_) if alarm.is_silence() => "no traffic".to_owned(),
        Facts::Blind(_) => "cannot see".to_owned(),
        Facts::Test(_) => "test".to_owned(),
    }
}

fn person(recipient: &Recipient) -> Option<String> {
    match recipient {
        Recipient::Person(name) => Some(name.to_string()),
        Recipient::Channel(_) => None,
    }
}
