//! What the alert rows of an SLO see of a steady burn.

use std::time::Duration;

use burnward_core::{
    alert_rows::{Provenance, provenance},
    detection::{Band, Detection, Point, Seen},
    few_events::{FewEvents, Step, Waits},
    slo::{AlertRow, Objective, Slo, Urgency},
    units::{Factor, Ratio},
    words,
};
use serde::{Deserialize, Serialize};

use super::{budget, urgency};
use crate::definition::{row_words, why_left_out};

/// What the alert rows of an SLO see: `GET /api/v1/slos/{service}/{name}/detection`.
///
/// Of steady burns from a clean start, with constant traffic. A burn that comes and goes can spend more before a row sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SloDetection {
    /// Of which service.
    pub service: String,
    /// Its name there.
    pub name: String,
    /// What is promised.
    pub title: String,
    /// By objective.
    pub objectives: Vec<ObjectiveDetection>,
}

/// What the alert rows of an objective see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObjectiveDetection {
    /// Which objective.
    pub objective: String,
    /// Target in percent, as written.
    pub target_percent: String,
    /// The window as the definition writes it: `30d`, `calendar month`.
    #[serde(default)]
    pub window: String,
    /// The time zone of a calendar window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How long its window is now.
    pub window_seconds: u64,
    /// Where its rows come from, and which they are.
    pub rows: RowTable,
    /// Burn rates that the same rows see, slowest first, from the allowed rate to a total outage.
    pub bands: Vec<DetectionBand>,
    /// Steady burns, fastest first.
    pub curve: Vec<DetectionPoint>,
    /// Burns above the allowed rate and up to this one drain the whole budget without any alert.
    pub unseen_up_to: Option<f64>,
    /// Burns above the allowed rate and up to this one drain the whole budget and page nobody.
    pub unpaged_up_to: Option<f64>,
    /// The most that is spent when somebody is paged, as a share of the budget; with few events more: see `low_traffic`.
    pub worst_page_spent_ratio: Option<f64>,
    /// Of page rows that wait for more failures where few events come (`low-traffic: exact`): then times and shares are larger. Absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_traffic: Option<LowTraffic>,
    /// The same in sentences.
    pub says: Vec<String>,
}

/// The rows of an objective.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RowTable {
    /// Where they come from, in words.
    pub from: String,
    /// Each row: `page 14.4x 1h/5m`.
    pub rows: Vec<String>,
    /// Rows of the default table that make no sense here, with the reason.
    pub left_out: Vec<String>,
}

/// What few events change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LowTraffic {
    /// What is counted: `events`, `slices of 1 min`.
    pub counted: String,
    /// How many failures page, of the fewest events on.
    pub failures_that_page: Vec<FailuresThatPage>,
    /// The page rows that may wait.
    pub rows: Vec<RowThatWaits>,
}

/// How many failures page, of so many events in a row's long lookback.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailuresThatPage {
    /// Of so many events on.
    pub events_from: u64,
    /// Up to and with so many.
    pub events_to: u64,
    /// The fewest failures that are not chance; absent where even all of them may be.
    pub failures: Option<u64>,
}

/// A page row that may wait.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RowThatWaits {
    /// Which: `page 14.4x 1h/5m`.
    pub row: String,
    /// With more events than this in its long lookback it never waits; absent: it may with any number of them.
    pub events_to: Option<u64>,
    /// Where slices of time are counted: how many its long lookback has, and how many of them page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub always: Option<FailuresThatPage>,
}

impl LowTraffic {
    fn of(few: &FewEvents, counted: &str) -> Self {
        Self {
            counted: counted.to_owned(),
            failures_that_page: few.steps.iter().map(FailuresThatPage::from).collect(),
            rows: few.rows.iter().map(RowThatWaits::from).collect(),
        }
    }
}

impl From<&Step> for FailuresThatPage {
    fn from(step: &Step) -> Self {
        Self { events_from: step.from, events_to: step.up_to, failures: step.failures }
    }
}

impl From<&Waits> for RowThatWaits {
    fn from(waits: &Waits) -> Self {
        Self { row: row_words(&waits.row), events_to: waits.up_to, always: waits.always.as_ref().map(FailuresThatPage::from) }
    }
}

/// Burn rates that the same rows see.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DetectionBand {
    /// Faster than this.
    pub above: f64,
    /// Up to and with this.
    pub up_to: f64,
    /// The first row that pages.
    pub page: Option<SeenBy>,
    /// The first row that opens a ticket.
    pub ticket: Option<SeenBy>,
}

/// A row that sees a burn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SeenBy {
    /// `page` or `ticket`.
    pub urgency: String,
    /// Its factor.
    pub factor: f64,
    /// Its long lookback.
    pub long_seconds: u64,
    /// Its short lookback.
    pub short_seconds: u64,
    /// What is spent by then, as a share of the budget; above 1 where the budget is gone before.
    pub spent_ratio: f64,
    /// After how long; of a single burn rate.
    pub after_seconds: Option<f64>,
}

/// A steady burn.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DetectionPoint {
    /// How fast.
    pub burn: f64,
    /// The share of events that fails.
    pub failing_ratio: f64,
    /// When the whole budget is gone.
    pub gone_after_seconds: f64,
    /// The first row that pages.
    pub page: Option<SeenBy>,
    /// The first row that opens a ticket.
    pub ticket: Option<SeenBy>,
}

impl SloDetection {
    /// Of an SLO whose windows have these lengths now, in the order of its objectives.
    pub fn of(slo: &Slo, lengths: &[Duration]) -> Self {
        Self {
            service: slo.id.service.to_string(),
            name: slo.id.name.to_string(),
            title: slo.title.clone(),
            objectives: slo
                .objectives
                .iter()
                .zip(lengths)
                .map(|(objective, length)| ObjectiveDetection::of(slo, objective, *length))
                .collect(),
        }
    }
}

impl ObjectiveDetection {
    /// Of an objective of an SLO, whose window has this length now.
    pub fn of(slo: &Slo, objective: &Objective, length: Duration) -> Self {
        let detection = Detection::of(&objective.rows, objective.target, length);
        let slice = objective.counted_in.length().or_else(|| slo.sli.slice());
        let counted = slice.map_or_else(|| words::counted(&slo.sli), |slice| format!("slices of {}", words::duration(slice)));
        let few = FewEvents::of(slo.low_traffic, &objective.rows, objective.target, slice);
        Self {
            objective: objective.name.to_string(),
            target_percent: objective.target.as_percent(),
            window: budget::window(&objective.window),
            timezone: budget::timezone(&objective.window),
            window_seconds: length.as_secs(),
            rows: RowTable::of(objective),
            bands: detection.bands.iter().map(DetectionBand::from).collect(),
            curve: detection.curve().iter().map(DetectionPoint::from).collect(),
            unseen_up_to: detection.unseen_up_to().map(Factor::as_f64),
            unpaged_up_to: detection.unpaged_up_to().map(Factor::as_f64),
            worst_page_spent_ratio: detection.worst_page().map(Ratio::as_f64),
            says: detection.says(few.as_ref().map(|few| (few, counted.as_str()))),
            low_traffic: few.as_ref().map(|few| LowTraffic::of(few, &counted)),
        }
    }
}

impl RowTable {
    /// The rows of an objective, and where they come from.
    pub fn of(objective: &Objective) -> Self {
        let (from, left_out) = match provenance(&objective.rows, objective.target, objective.window.pace()) {
            Provenance::Own => ("rows of its own", Vec::new()),
            Provenance::None => ("none: nobody is told", Vec::new()),
            Provenance::Default { only: None, left_out } => ("the default rows", left_out),
            Provenance::Default { only: Some(Urgency::Page), left_out } => ("the default rows that page", left_out),
            Provenance::Default { only: Some(Urgency::Ticket), left_out } => ("the default rows that open a ticket", left_out),
        };
        let left_out = left_out.iter().map(|(row, error)| format!("{} {}", row_words(row), why_left_out(error))).collect();
        Self { from: from.to_owned(), rows: objective.rows.iter().map(row_words).collect(), left_out }
    }
}

impl From<&Band> for DetectionBand {
    fn from(band: &Band) -> Self {
        let seen = |seen: Option<Seen>| seen.map(|seen| SeenBy::of(seen, None));
        Self { above: band.above.as_f64(), up_to: band.up_to.as_f64(), page: seen(band.page), ticket: seen(band.ticket) }
    }
}

impl From<&Point> for DetectionPoint {
    fn from(point: &Point) -> Self {
        let seen = |seen: Option<(Seen, Duration)>| seen.map(|(seen, after)| SeenBy::of(seen, Some(after)));
        Self {
            burn: point.burn.as_f64(),
            failing_ratio: point.failing,
            gone_after_seconds: point.gone_after.as_secs_f64(),
            page: seen(point.page),
            ticket: seen(point.ticket),
        }
    }
}

impl SeenBy {
    fn of(seen: Seen, after: Option<Duration>) -> Self {
        let AlertRow { urgency: leads_to, factor, long, short } = seen.row;
        Self {
            urgency: urgency(leads_to).to_owned(),
            factor: factor.as_f64(),
            long_seconds: long.as_secs(),
            short_seconds: short.as_secs(),
            spent_ratio: seen.spent.as_f64(),
            after_seconds: after.map(|after| after.as_secs_f64()),
        }
    }
}
