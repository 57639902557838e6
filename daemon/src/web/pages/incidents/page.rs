//! `/incidents/{id}`: what happened, who has it, what to do first, and everything that was done; for a phone at night first.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use burnward_core::words;
use jiff::Timestamp as Instant;
use serde::Deserialize;

use super::super::{
    figures::{Mark, shown, who},
    frame::{self, Frame, Links, Place},
    markdown::Rendered,
    page,
    when::When,
};
use crate::{
    render::visible,
    web::{
        Site,
        access::Tenant,
        api::{
            incidents::live_detail,
            problem::Problem,
            wire::{Alert, BurnNow, IncidentDetail, IncidentState, PageDelivery, TimelineEntry},
        },
    },
};

/// Alerts that are listed.
const ALERTS: usize = 50;
/// Hidden SLOs that are shown at once.
const HIDES: usize = 10;

/// What the address asks for besides the incident.
#[derive(Debug, Default, Deserialize)]
pub(in super::super) struct Asked {
    /// `people` or `machine`: only these entries of the timeline.
    show: Option<String>,
    /// What was just done here, for a word about it.
    done: Option<String>,
    /// What was just asked for, and was so already.
    already: Option<String>,
}

#[derive(Template)]
#[template(path = "incidents/page.html")]
struct IncidentPage {
    frame: Frame,
    mark: Mark,
    id: String,
    urgency: String,
    title: String,
    sentence: String,
    who: String,
    team: String,
    began: When,
    said: Option<String>,
    /// That it was a false positive.
    marked: Option<String>,
    /// Which alert flaps.
    flaps: Option<String>,
    actions: Actions,
    burn: Option<BurnNow>,
    blind: Option<String>,
    hides: Vec<String>,
    /// How many SLOs with how many objectives are hidden in all.
    hides_all: String,
    /// Those behind the first ten, which are shown when somebody asks.
    hides_more: Vec<String>,
    /// The way to everything that cannot be seen.
    all_hidden: String,
    spent: Option<String>,
    steps: Vec<Rendered>,
    runbook: Option<String>,
    paged: String,
    next: String,
    escalates: Option<When>,
    milestones: Vec<(&'static str, Option<When>, &'static str)>,
    alerts: Vec<AlertRow>,
    more_alerts: usize,
    pages: Vec<Delivery>,
    shows: Vec<Show>,
    timeline: Vec<Entry>,
    postmortem: String,
}

/// Where its buttons lead; `None`: there is no such button now.
struct Actions {
    acknowledge: Option<String>,
    escalate: Option<String>,
    resolve: Option<String>,
    note: String,
    false_positive: Option<String>,
}

struct AlertRow {
    mark: Mark,
    name: String,
    href: Option<String>,
    joined: When,
    recovered: Option<When>,
}

struct Delivery {
    mark: Mark,
    to: String,
    page: String,
    why: String,
    step: u32,
    decided: When,
    outcome: String,
}

/// A part of the timeline that can be chosen.
struct Show {
    name: &'static str,
    href: String,
    chosen: bool,
}

struct Entry {
    seq: u32,
    at: When,
    by: String,
    people: bool,
    text: String,
}

/// `GET /incidents/{id}`.
pub(in super::super) async fn get(
    State(site): State<Site>,
    Tenant(tenant): Tenant,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let detail = live_detail(&site.handle, &tenant, &id).await?;
    let title = format!("{}: {}", detail.incident.id, words::cut(&visible(&detail.incident.title), 80));
    let path = format!("/api/v1/incidents/{}", detail.incident.id);
    let frame = Frame::new(&site.handle, &tenant, Place::Incidents, &title).json(&path, &[]);
    Ok(page(&incident_page(frame, detail, &asked, frame::now(&site.handle))))
}

fn incident_page(frame: Frame, detail: IncidentDetail, asked: &Asked, now: Instant) -> IncidentPage {
    let IncidentDetail { incident, false_positive: marked, delivered_at, acknowledged_at, now: live, pages, timeline } = detail;
    let mut live = live.expect("a daemon that serves pages knows how its incidents stand");
    let links = frame.links.clone();
    IncidentPage {
        mark: Mark::of_phase(&incident),
        sentence: visible(&live.sentence),
        who: who(&incident, now),
        began: When::of(incident.began, now),
        said: said(asked, &incident, now),
        marked: marked.as_ref().map(|marked| visible(&marked.sentence())),
        flaps: live.flaps.as_deref().map(visible),
        actions: actions(&incident, &links),
        burn: live.burn,
        blind: live.blind.as_deref().map(visible),
        hides_all: format!("{} with {}", words::plural(live.hides_slos, "SLO"), words::plural(live.hides_objectives, "objective")),
        hides_more: live.hides.split_off(live.hides.len().min(HIDES)),
        hides: live.hides,
        all_hidden: links.with("/", &[("state", "cannot-see")]),
        spent: live.spent,
        steps: live.steps.iter().map(|step| Rendered::inline(step, &links)).collect(),
        runbook: live.runbook.map(|name| links.to(&format!("/runbooks/{name}"))),
        paged: words::list(&live.paged, 10),
        next: words::list(&live.next, 10),
        escalates: incident.escalates_at.map(|at| When::of(at, now)),
        milestones: milestones(&incident, delivered_at, acknowledged_at, now),
        alerts: incident.alerts.iter().take(ALERTS).map(|alert| alert_row(alert, &links, now)).collect(),
        more_alerts: incident.alerts.len().saturating_sub(ALERTS),
        pages: pages.iter().map(|page| delivery(page, now)).collect(),
        shows: shows(&incident.id, asked, &links),
        timeline: timeline.iter().filter(|entry| asked.takes(entry)).map(|entry| timeline_entry(entry, now)).collect(),
        postmortem: links.to(&format!("/incidents/{}/postmortem", incident.id)),
        title: visible(&incident.title),
        urgency: incident.urgency,
        team: incident.team,
        id: incident.id,
        frame,
    }
}

impl Asked {
    fn takes(&self, entry: &TimelineEntry) -> bool {
        match self.show.as_deref() {
            Some(source @ ("people" | "machine")) => entry.source == source,
            Some(_) | None => true,
        }
    }
}

/// A word about what was just done, from how the incident stands now.
fn said(asked: &Asked, incident: &IncidentState, now: Instant) -> Option<String> {
    let by = incident.phase_by.as_deref().map(visible).unwrap_or_default();
    let phase = &incident.phase;
    match (asked.done.as_deref(), asked.already.as_deref()) {
        (Some("acknowledge"), _) => Some(format!("Done: it is {phase}. Escalation stops.")),
        (Some("escalate"), _) => Some("Done: the next step is paged now.".to_owned()),
        (Some("resolve"), _) if incident.goes_on.is_some() => Some(format!("Done: {}.", who(incident, now))),
        (Some("resolve"), _) => Some(format!("Done: it is {phase}. If an alert still holds in 10 min, it is open again and says so.")),
        (Some("note"), _) => Some("Done: your note stands in the timeline.".to_owned()),
        (Some("false-positive"), _) => {
            Some("Done: it is a false positive. Its timeline says what was taken out of the budgets.".to_owned())
        }
        (_, Some("escalate")) => Some("Nothing changed: the next step was paged a moment ago, or it is over.".to_owned()),
        (_, Some("note")) => Some("Nothing changed: the same note stands in the timeline already.".to_owned()),
        (_, Some(_)) => Some(format!("Nothing changed: it was {phase} by {by} already.")),
        (Some(_) | None, None) => None,
    }
}

fn actions(incident: &IncidentState, links: &Links) -> Actions {
    let to = |action: &str| links.to(&format!("/incidents/{}/{action}", incident.id));
    let open = incident.phase != "resolved";
    Actions {
        acknowledge: (incident.phase == "open").then(|| to("acknowledge")),
        escalate: open.then(|| to("escalate")),
        resolve: open.then(|| to("resolve")),
        note: to("note"),
        false_positive: (!open).then(|| to("false-positive")),
    }
}

fn milestones(
    incident: &IncidentState,
    delivered: Option<Instant>,
    acknowledged: Option<Instant>,
    now: Instant,
) -> Vec<(&'static str, Option<When>, &'static str)> {
    let when = |at: Option<Instant>| at.map(|at| When::of(at, now));
    let resolved = incident.phase_at.filter(|_| incident.phase == "resolved" && incident.goes_on.is_none());
    vec![
        ("Began", when(Some(incident.began)), ""),
        ("Detected", when(Some(incident.opened_at)), ""),
        (
            "First page arrived",
            when(delivered),
            if incident.urgency == "ticket" { "nobody is paged for a ticket" } else { "none has arrived" },
        ),
        ("Acknowledged", when(acknowledged), "by nobody yet"),
        ("Resolved", when(resolved), if incident.goes_on.is_some() { "a person said so, and it goes on" } else { "not yet" }),
    ]
}

fn alert_row(alert: &Alert, links: &Links, now: Instant) -> AlertRow {
    AlertRow {
        mark: match alert.recovered_at {
            None => Mark { class: "state-burning".to_owned(), ..Mark::of("▲", "HOLDS") },
            Some(_) => Mark { class: "state-ok".to_owned(), ..Mark::of("●", "RECOVERED") },
        },
        name: alert_name(alert),
        href: alert.slo.as_ref().map(|slo| {
            let path = format!("/slos/{slo}");
            match &alert.budget {
                Some(key) => links.with(&path, &[("budget", key)]),
                None => links.to(&path),
            }
        }),
        joined: When::of(alert.joined_at, now),
        recovered: alert.recovered_at.map(|at| When::of(at, now)),
    }
}

/// `checkout/availability for acme`, with the objective where its SLO has several.
fn alert_name(alert: &Alert) -> String {
    match &alert.objective {
        Some(objective) => format!("{}, objective {}", shown(&alert.subject), shown(objective)),
        None => shown(&alert.subject),
    }
}

fn delivery(page: &PageDelivery, now: Instant) -> Delivery {
    let mark = match page.outcome.as_str() {
        "delivered" => Mark { class: "state-ok".to_owned(), ..Mark::of("●", "ARRIVED") },
        "undeliverable" => Mark { class: "state-spent".to_owned(), ..Mark::of("■", "CANNOT ARRIVE") },
        _ if page.reason.is_some() => Mark { class: "state-spent".to_owned(), ..Mark::of("■", "NOBODY IS TOLD") },
        _ => Mark { class: "state-cannot-see".to_owned(), ..Mark::of("…", "ON ITS WAY") },
    };
    let outcome = match (&page.reason, page.ended_at) {
        (Some(reason), _) => visible(reason),
        (None, Some(at)) => {
            let took = at.as_millisecond().saturating_sub(page.decided_at.as_millisecond());
            format!("{} after it was decided", words::duration(std::time::Duration::from_millis(took.unsigned_abs())))
        }
        (None, None) => "not yet; it is tried again until it arrives".to_owned(),
    };
    Delivery {
        mark,
        to: visible(&page.to),
        page: page.page.clone(),
        why: page.why.clone(),
        step: page.step,
        decided: When::of(page.decided_at, now),
        outcome,
    }
}

fn shows(id: &str, asked: &Asked, links: &Links) -> Vec<Show> {
    let path = format!("/incidents/{id}");
    let show = |name, key: &str| {
        let chosen = asked.show.as_deref().unwrap_or_default() == key;
        let href = if key.is_empty() { links.to(&path) } else { links.with(&path, &[("show", key)]) };
        Show { name, href: href + "#timeline", chosen }
    };
    vec![show("All", ""), show("People", "people"), show("Machine", "machine")]
}

fn timeline_entry(entry: &TimelineEntry, now: Instant) -> Entry {
    Entry {
        seq: entry.seq,
        at: When::of(entry.at, now),
        by: visible(&entry.by),
        people: entry.source == "people",
        text: with_lines(&entry.text),
    }
}

/// A text whose own line breaks are kept, with what is hidden made visible.
fn with_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_called_by_its_objective_where_its_slo_has_several() {
        let alert = Alert {
            id: "main/checkout/availability/strict".to_owned(),
            subject: "checkout/availability for acme".to_owned(),
            slo: Some("checkout/availability".to_owned()),
            budget: None,
            objective: Some("strict".to_owned()),
            joined_at: Instant::UNIX_EPOCH,
            recovered_at: None,
        };
        assert_eq!(alert_name(&alert), "checkout/availability for acme, objective strict");
        assert_eq!(alert_name(&Alert { objective: None, ..alert }), "checkout/availability for acme");
    }
}
