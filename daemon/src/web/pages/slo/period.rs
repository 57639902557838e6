//! Which period of the calendar is shown, and the ways to its neighbours.

use super::super::frame::Links;
use crate::web::api::wire::CalendarPeriod;

/// A period, and the ways from it.
pub(super) struct PeriodFigures {
    /// `October 2026, Europe/Berlin`.
    pub(super) name: String,
    /// Its figures are those of the whole of it.
    pub(super) ended: bool,
    pub(super) earlier: String,
    /// Of a period that has ended: to the next, or to the present one.
    pub(super) later: Option<String>,
}

impl PeriodFigures {
    pub(super) fn of(period: &CalendarPeriod, path: &str, key: &str, links: &Links) -> Self {
        let at = |moment: jiff::Timestamp| links.with(path, &[("budget", key), ("at", &moment.to_string())]);
        let present = || links.with(path, &[("budget", key)]);
        Self {
            name: format!("{}, {}", period.name, period.timezone),
            ended: period.ended,
            earlier: at(period.earlier),
            later: period.ended.then(|| period.later.map_or_else(present, at)),
        }
    }
}
