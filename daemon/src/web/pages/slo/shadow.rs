//! What an SLO in shadow would have told, newest first.

use burnward_core::words;
use jiff::Timestamp as Instant;

use super::super::{
    figures::{Mark, group_values},
    frame::Links,
    when::When,
};
use crate::{
    render::visible,
    web::api::wire::{ShadowAlert, ShadowSlo},
};

/// Alerts on the page.
const ROWS: usize = 50;

/// The record of one SLO.
pub(super) struct ShadowFigures {
    /// Since when it is in shadow, or until when it was.
    pub(super) since: String,
    /// How it did, in a sentence.
    pub(super) says: String,
    /// The newest alerts.
    pub(super) rows: Vec<ShadowRow>,
    /// How many older ones there are.
    pub(super) more: usize,
    /// All of them.
    pub(super) json: String,
}

/// One alert that nobody was told of.
pub(super) struct ShadowRow {
    pub(super) mark: Mark,
    /// How long it held, where it is over.
    pub(super) lasted: Option<String>,
    /// `page`, `ticket`.
    pub(super) what: String,
    pub(super) group: String,
    pub(super) opened: When,
    /// `14.4x 1h/5m: 20x / 152x`.
    pub(super) row: String,
    /// `12 %`.
    pub(super) spent: Option<String>,
    /// How much of the window was seen, where that was not all.
    pub(super) seen: Option<String>,
    pub(super) would_call: String,
    /// The real incident that it belongs to, with its address.
    pub(super) incident: Option<(String, String)>,
}

impl ShadowFigures {
    /// `None` of an SLO that is not in shadow and told nothing while it was.
    pub(super) fn of(shadow: &ShadowSlo, links: &Links, now: Instant) -> Option<Self> {
        if shadow.status != "shadow" && shadow.alerts.is_empty() {
            return None;
        }
        let slo = format!("{}/{}", shadow.service, shadow.slo);
        Some(Self {
            since: since(shadow),
            says: shadow.sentence(),
            rows: shadow.alerts.iter().rev().take(ROWS).map(|alert| ShadowRow::of(alert, links, now)).collect(),
            more: shadow.alerts.len().saturating_sub(ROWS),
            json: links.with("/api/v1/shadow", &[("slo", &slo)]),
        })
    }
}

fn since(shadow: &ShadowSlo) -> String {
    let time = |at: Instant| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    match shadow.in_shadow.last() {
        Some(last) if shadow.status == "shadow" => format!("In shadow since {}: nobody was told of what stands here.", time(last.from)),
        Some(last) => format!("In shadow until {}: nobody was told of what stands here.", time(last.to)),
        None => "Nobody was told of what stands here.".to_owned(),
    }
}

impl ShadowRow {
    fn of(alert: &ShadowAlert, links: &Links, now: Instant) -> Self {
        let burn = alert.burn.map(|(long, short)| format!(": {} / {}", words::times(long), words::times(short)));
        let lasted = |ended: Instant| words::duration(ended.duration_since(alert.opened).unsigned_abs());
        Self {
            mark: match alert.ended {
                None => Mark { class: "state-shadow".to_owned(), ..Mark::of("▲", "WOULD HOLD") },
                Some(_) => Mark { class: "state-shadow".to_owned(), ..Mark::of("●", "OVER") },
            },
            lasted: alert.ended.map(lasted),
            what: alert.what.clone(),
            group: group_values(&alert.group),
            opened: When::of(alert.opened, now),
            row: alert.row.clone().unwrap_or_else(|| "-".to_owned()) + &burn.unwrap_or_default(),
            spent: alert.spent_ratio.map(words::whole_percent),
            seen: alert.coverage_ratio.and_then(words::window_seen),
            would_call: if alert.would_call.is_empty() { "nobody anew".to_owned() } else { visible(&alert.would_call.join(", ")) },
            incident: alert.incident.as_ref().map(|id| (id.clone(), links.to(&format!("/incidents/{id}")))),
        }
    }
}
