//! `alerting:` of an objective, made of the alerts of another tool.

use std::{ops::Range, time::Duration};

use burnward_core::{
    alert_rows::{self, Provenance},
    slo::{AlertRow, Urgency},
    units::{Factor, Target},
};

use super::tree::tell;
use crate::definition::{
    build::{list, map, word},
    codes, duration,
    reader::Reader,
    row_words,
    yaml::Node,
};

/// The rows of an objective of this target and window.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) all: Vec<AlertRow>,
    pub(super) target: Target,
    pub(super) window: Duration,
}

/// The value of `alerting:`; `None` where the rows are the default ones. Rows that could not be are told of, and left out.
pub(super) fn alerting(reader: &mut Reader, place: &Range<usize>, of: Rows) -> Option<Node> {
    let Rows { all, target, window } = of;
    let mut kept: Vec<AlertRow> = Vec::new();
    for row in all {
        match writable(row).and_then(|row| alert_rows::check_row(row, target, window).map(|()| row).map_err(|error| error.to_string())) {
            Ok(row) if kept.contains(&row) => {}
            Ok(row) => kept.push(row),
            Err(why) => {
                let message = format!("the alert {} is not carried over: {why}", row_words(&row));
                tell(
                    reader,
                    &codes::NOT_CARRIED,
                    place,
                    message,
                    "write a row with another `burn-rate` below `alerting:` where one is needed",
                );
            }
        }
    }
    match alert_rows::provenance(&kept, target, window) {
        Provenance::Default { only: None, .. } => None,
        Provenance::Default { only: Some(Urgency::Page), .. } => Some(word(place, "page")),
        Provenance::Default { only: Some(Urgency::Ticket), .. } => Some(word(place, "ticket")),
        Provenance::None => Some(word(place, "none")),
        Provenance::Own => Some(map(place, [("rows", Some(list(place, kept.into_iter().map(|row| row_node(place, row)).collect())))])),
    }
}

/// The row as it can be written: a factor has a decimal form.
fn writable(row: AlertRow) -> Result<AlertRow, String> {
    Factor::parse(&row.factor.to_string()).map(|factor| AlertRow { factor, ..row }).map_err(|error| error.to_string())
}

fn row_node(place: &Range<usize>, row: AlertRow) -> Node {
    let urgency = match row.urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    };
    let span = |span: Duration| Some(word(place, duration::format(span)));
    map(
        place,
        [
            ("urgency", Some(word(place, urgency))),
            ("burn-rate", Some(word(place, row.factor.to_string()))),
            ("long", span(row.long)),
            ("short", span(row.short)),
        ],
    )
}

/// How loudly an alert of another tool with this severity speaks.
pub(super) fn urgency_of(severity: &str) -> Urgency {
    const PAGES: [&str; 11] = ["page", "critical", "crit", "emergency", "high", "p1", "p2", "sev1", "sev2", "fatal", "urgent"];
    if PAGES.contains(&severity.trim().to_ascii_lowercase().as_str()) { Urgency::Page } else { Urgency::Ticket }
}
