//! What SLOs in shadow would have told.

use burnward_core::{
    incident::{AlertKey, Facts},
    words,
};
use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::instant;
use crate::{
    definition::marked::Marked,
    replay::{Alarm, Calls, Found},
    shadow::ShadowRecord,
};

/// What SLOs in shadow would have told over a span: `GET /api/v1/shadow`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowList {
    /// `burnward/v1/shadow`.
    pub schema: String,
    /// Whose.
    pub tenant: String,
    /// Where the span begins.
    pub from: Instant,
    /// Where it ends.
    pub to: Instant,
    /// A page later than this after an incident's beginning is late.
    pub late_after_seconds: f64,
    /// Each SLO that is in shadow, or would have told something.
    pub slos: Vec<ShadowSlo>,
}

/// What one SLO would have told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowSlo {
    /// Of which service.
    pub service: String,
    /// Its name there.
    pub slo: String,
    /// What is promised.
    pub title: String,
    /// Who would be paged.
    pub team: String,
    /// Its status now: `active`, `shadow`, `suspended`.
    pub status: String,
    /// When it was in shadow within the span, oldest first.
    pub in_shadow: Vec<ShadowSpan>,
    /// How many pages would have called somebody.
    pub pages: usize,
    /// How many tickets would have been written.
    pub tickets: usize,
    /// Every alert that fired, oldest first.
    pub alerts: Vec<ShadowAlert>,
    /// What its pages are worth beside the real incidents of its service.
    pub score: ShadowScore,
}

/// A stretch in shadow.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ShadowSpan {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
}

/// An alert that nobody was told of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowAlert {
    /// `page`, `ticket`, `ticket: cannot see`; `page, joins` where people would have been at it already.
    pub what: String,
    /// `tenant:service/name{group}#objective`, or the SLO.
    pub alert: String,
    /// Label and value of the group.
    pub group: Vec<(String, String)>,
    /// The row that fired: `14.4x 1h/5m`.
    pub row: Option<String>,
    /// The burn rates when it fired, over the long and the short lookback.
    pub burn: Option<(f64, f64)>,
    /// When the burn began, as far as the samples show it.
    pub began: Instant,
    /// When it fired.
    pub opened: Instant,
    /// When it ended; absent: it holds.
    pub ended: Option<Instant>,
    /// Share of the budget that was spent when it fired.
    pub spent_ratio: Option<f64>,
    /// Share of the budget's window that was seen by then; absent of what was recorded without it.
    pub coverage_ratio: Option<f64>,
    /// Whom it would have called; empty where people would have been at it already.
    pub would_call: Vec<String>,
    /// The real incident that it belongs to.
    pub incident: Option<String>,
}

/// What the pages are worth.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowScore {
    /// The real incidents, and what became of each.
    pub incidents: Vec<ShadowIncident>,
    /// How many would have been found in time.
    pub found: usize,
    /// How many late.
    pub late: usize,
    /// How many not at all.
    pub missed: usize,
    /// Pages that belong to no incident.
    pub false_pages: usize,
    /// Share of the pages that belong to an incident; absent without a page.
    pub precision_ratio: Option<f64>,
    /// Share of the incidents that would have paged; absent without an incident.
    pub recall_ratio: Option<f64>,
}

/// A real incident of the service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShadowIncident {
    /// Its identity.
    pub incident: String,
    /// When it began.
    pub from: Instant,
    /// `found`, `late`, `missed`.
    pub became: String,
    /// How long after its beginning it would have paged.
    pub after_seconds: Option<f64>,
}

impl ShadowSlo {
    /// A record for the wire.
    pub fn of(record: &ShadowRecord, now: burnward_core::time::Timestamp) -> Self {
        let ShadowRecord { slo, in_shadow, alarms, incidents, score } = record;
        let alert = |(alarm, of): (&Alarm, &Option<usize>)| ShadowAlert::of(alarm, of.and_then(|place| incidents.get(place)));
        let alerts: Vec<ShadowAlert> = alarms.iter().zip(&score.of).map(alert).collect();
        let told = |what: &str| alerts.iter().filter(|alert| alert.what == what).count();
        let (found, late, missed) = score.counts();
        Self {
            service: slo.id.service.to_string(),
            slo: slo.id.name.to_string(),
            title: slo.title.clone(),
            team: slo.team.to_string(),
            status: slo.status.at(now).word().to_owned(),
            in_shadow: in_shadow.iter().map(|span| ShadowSpan { from: instant(span.from), to: instant(span.to) }).collect(),
            pages: told("page"),
            tickets: told("ticket"),
            score: ShadowScore {
                incidents: incidents.iter().zip(&score.found).map(ShadowIncident::of).collect(),
                found,
                late,
                missed,
                false_pages: score.pages - score.right,
                precision_ratio: score.precision(),
                recall_ratio: score.recall(),
            },
            alerts,
        }
    }

    /// What it would have told, in a sentence: `3 pages and 1 ticket; 2 incidents of the service: 1 found in time, 0 late, 1 missed; 2 pages for none of them. Precision 33 %, recall 50 %`.
    pub fn sentence(&self) -> String {
        let told = format!("{} and {}", words::plural(self.pages, "page"), words::plural(self.tickets, "ticket"));
        let ShadowScore { incidents, found, late, missed, false_pages, precision_ratio, recall_ratio } = &self.score;
        if incidents.is_empty() {
            return format!("{told}; no incident of the service meanwhile to compare with");
        }
        let share = |share: &Option<f64>| share.map_or_else(|| "none".to_owned(), words::whole_percent);
        format!(
            "{told}; of {} of the service {found} found in time, {late} late, {missed} missed; {} for none of them; precision {}, recall {}",
            words::plural(incidents.len(), "incident"),
            words::plural(*false_pages, "page"),
            share(precision_ratio),
            share(recall_ratio)
        )
    }
}

impl ShadowAlert {
    fn of(alarm: &Alarm, incident: Option<&Marked>) -> Self {
        Self {
            what: alarm.told(),
            alert: alarm.alert.to_string(),
            group: match &alarm.alert {
                AlertKey::Budget(budget) => budget.group.labels().to_vec(),
                AlertKey::Slo(_) | AlertKey::Source(_) | AlertKey::Test => Vec::new(),
            },
            row: alarm.row(),
            burn: match &alarm.facts {
                Facts::Burn(burn) => Some((burn.fired.long_burn, burn.fired.short_burn)),
                Facts::Blind(_) | Facts::Test(_) => None,
            },
            began: instant(alarm.began()),
            opened: instant(alarm.at),
            ended: alarm.cleared.map(instant),
            spent_ratio: alarm.spent(),
            coverage_ratio: alarm.coverage(),
            would_call: match &alarm.calls {
                Calls::People { to, .. } => to.iter().map(ToString::to_string).collect(),
                Calls::Nobody => Vec::new(),
            },
            incident: incident.map(|marked| marked.name.clone()),
        }
    }
}

impl ShadowIncident {
    fn of((marked, found): (&Marked, &Found)) -> Self {
        Self {
            incident: marked.name.clone(),
            from: instant(marked.when.from),
            became: found.word().to_owned(),
            after_seconds: found.after().map(|after| after.as_secs_f64()),
        }
    }
}
