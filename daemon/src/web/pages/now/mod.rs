//! `/`: every budget, worst first; above it the open incidents and what cannot be seen or delivered.

use std::{cmp::Reverse, collections::BTreeSet};

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use burnward_core::words;
use serde::Deserialize;

use super::{
    figures::{Figures, IncidentFigures, slug},
    frame::{self, Choice, Frame, Place},
    page, skip,
};
use crate::web::{
    Site,
    access::Tenant,
    api::{
        problem::Problem,
        status::status,
        wire::{Budget, IncidentState, Status},
    },
};

mod notices;

use notices::{Notice, notices};

/// Budgets on one page.
const ROWS: usize = 200;

/// The words of a budget's state, worst first.
const STATES: [&str; 8] = ["BURNING", "CANNOT SEE", "SPENT", "BACK-FILLING", "NO TRAFFIC", "OK", "SHADOW", "SUSPENDED"];

/// What is shown of all budgets; an empty value is as none.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    team: Option<String>,
    service: Option<String>,
    state: Option<String>,
    /// How many rows are skipped.
    skip: Option<String>,
    /// A moment of the past, of which this page is not.
    at: Option<String>,
}

#[derive(Template)]
#[template(path = "now/now.html")]
struct NowPage {
    frame: Frame,
    notices: Vec<Notice>,
    tiles: Vec<Tile>,
    incidents: Vec<IncidentFigures>,
    filter: Filter,
    rows: Vec<Figures>,
    count: String,
    more: Option<String>,
}

/// A number that leads to what it counts.
struct Tile {
    name: &'static str,
    number: usize,
    href: String,
    class: &'static str,
}

struct Filter {
    tenant: Option<String>,
    teams: Vec<Choice>,
    services: Vec<Choice>,
    states: Vec<Choice>,
    clear: Option<String>,
}

/// `GET /`.
pub(super) async fn get(State(site): State<Site>, Tenant(tenant): Tenant, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let skip = skip(asked.skip.as_deref())?;
    asked.check()?;
    let status = status(&site.handle, &tenant).await?;
    let frame = Frame::new(&site.handle, &tenant, Place::Now, "Now").json("/api/v1/status", &[]);
    let now = frame::now(&site.handle);
    let matching: Vec<&Budget> = status.budgets.iter().filter(|budget| asked.takes(budget)).collect();
    let rows: Vec<Figures> = matching.iter().skip(skip).take(ROWS).map(|budget| Figures::of(budget, &frame.links, now)).collect();
    let next = skip + ROWS;
    Ok(page(&NowPage {
        notices: notices(&status, &frame.links, now),
        tiles: tiles(&status, &frame),
        incidents: most_urgent_first(&status).map(|incident| IncidentFigures::of(incident, &frame.links, now)).collect(),
        filter: Filter::of(&asked, &status, &frame),
        count: count(rows.len(), skip, matching.len(), status.budgets.len()),
        more: (next < matching.len()).then(|| frame.links.with("/", &asked.parameters(&next.to_string()))),
        rows,
        frame,
    }))
}

impl Asked {
    /// Refuses a state that there is not: it would match nothing, which reads like good news. And a moment of the past, for which this would be taken.
    fn check(&self) -> Result<(), Problem> {
        if self.at.as_deref().is_some_and(|at| !at.is_empty()) {
            let told = "this page shows now; a moment of the past is at an SLO's page, `burnward status --at` and /api/v1/status?at=";
            return Err(Problem::bad_request(told));
        }
        let asked = self.state.as_deref().filter(|asked| !asked.is_empty());
        if asked.is_none_or(|asked| STATES.iter().any(|word| slug(word) == asked)) {
            return Ok(());
        }
        let states: Vec<String> = STATES.iter().map(|word| format!("`{}`", slug(word))).collect();
        Err(Problem::bad_request(&format!("`state` is one of {}", states.join(", "))))
    }

    fn takes(&self, budget: &Budget) -> bool {
        let is = |asked: &Option<String>, value: &str| asked.as_deref().is_none_or(|asked| asked.is_empty() || asked == value);
        let state = self.state.as_deref().filter(|state| !state.is_empty());
        is(&self.team, &budget.team) && is(&self.service, &budget.service) && state.is_none_or(|state| is_in(budget, state))
    }

    fn parameters<'a>(&'a self, skip: &'a str) -> Vec<(&'a str, &'a str)> {
        let asked = [("team", &self.team), ("service", &self.service), ("state", &self.state)];
        let given = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_deref().filter(|value| !value.is_empty())?)));
        given.chain([("skip", skip)]).collect()
    }

    fn is_any(&self) -> bool {
        [&self.team, &self.service, &self.state].into_iter().flatten().any(|value| !value.is_empty())
    }
}

/// Whether a budget is in a state; a spent one is, whatever else is true of it.
fn is_in(budget: &Budget, state: &str) -> bool {
    slug(&budget.state) == state || (state == "spent" && budget.tells_nobody.is_none() && budget.left_ratio.is_some_and(|left| left <= 0.0))
}

impl Filter {
    fn of(asked: &Asked, status: &Status, frame: &Frame) -> Self {
        let budgets = &status.budgets;
        Self {
            tenant: frame.links.tenant().map(str::to_owned),
            teams: choices(budgets.iter().map(|budget| budget.team.as_str()).collect(), asked.team.as_deref()),
            services: choices(budgets.iter().map(|budget| budget.service.as_str()).collect(), asked.service.as_deref()),
            states: STATES.into_iter().map(|word| choice(&slug(word), word, asked.state.as_deref())).collect(),
            clear: asked.is_any().then(|| frame.links.to("/")),
        }
    }
}

fn choices(values: BTreeSet<&str>, asked: Option<&str>) -> Vec<Choice> {
    values.into_iter().map(|value| choice(value, value, asked)).collect()
}

fn choice(value: &str, text: &str, asked: Option<&str>) -> Choice {
    Choice { value: value.to_owned(), text: text.to_owned(), chosen: asked == Some(value) }
}

/// Pages before tickets, what nobody has before what somebody has, what was resolved and goes on between them, then the newest.
fn most_urgent_first(status: &Status) -> impl Iterator<Item = &IncidentState> {
    let mut incidents: Vec<&IncidentState> = status.open_incidents.iter().collect();
    incidents
        .sort_by_key(|incident| (incident.urgency != "page", !incident.waits(), incident.goes_on.is_none(), Reverse(incident.opened_at)));
    incidents.into_iter()
}

fn tiles(status: &Status, frame: &Frame) -> Vec<Tile> {
    let of_state = |name, word: &str, class| Tile {
        name,
        number: status.budgets.iter().filter(|budget| is_in(budget, &slug(word))).count(),
        href: frame.links.with("/", &[("state", &slug(word))]) + "#budgets",
        class,
    };
    let waiting = status.open_incidents.iter().filter(|incident| incident.waits() && incident.urgency == "page").count();
    vec![
        Tile { name: "Open incidents", number: status.open_incidents.len(), href: frame.links.to("/incidents"), class: "state-burning" },
        Tile { name: "Nobody has it", number: waiting, href: frame.links.to("/incidents"), class: "state-burning" },
        of_state("Burning", "BURNING", "state-burning"),
        of_state("Cannot see", "CANNOT SEE", "state-cannot-see"),
        of_state("Spent", "SPENT", "state-spent"),
    ]
}

/// How many budgets are shown, of how many.
fn count(shown: usize, skip: usize, matching: usize, all: usize) -> String {
    let of =
        if matching == all { words::plural(all, "budget") } else { format!("{matching} that match, of {}", words::plural(all, "budget")) };
    if shown == matching { of } else { format!("{} to {} of {of}", skip + 1, skip + shown) }
}
