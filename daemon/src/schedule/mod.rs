//! Schedules: when a line of a crontab fires in a time zone.
//!
//! The line is civil time and the zone maps it to instants. A line with fixed hours fires once for each civil time that it names: where clocks are set
//! forward over it, at the first instant after the gap; where they are set back over it, at its first occurrence. A line whose hours are a wildcard runs by
//! elapsed time: it fires at every instant at which a clock on the wall shows a time that it names, so twice in a fold and not at all in a gap.
//! Times that meet at one instant fire once. Why the crate `cron` alone does neither: `docs/adr/0003-cron-and-prometheus-parse.md`.

mod crontab;
#[cfg(test)]
mod tests;

use burnward_core::time::Timestamp;
use jiff::{
    ToSpan as _,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};

pub use crontab::{Crontab, CrontabError};
use crontab::{HORIZON_DAYS, Hours};

/// A line of a crontab in a time zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    crontab: Crontab,
    zone: TimeZone,
}

impl Schedule {
    /// The line in the zone.
    pub const fn new(crontab: Crontab, zone: TimeZone) -> Self {
        Self { crontab, zone }
    }

    /// The line as it was written.
    pub fn line(&self) -> &str {
        self.crontab.text()
    }

    /// The zone.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first firing after an instant; `None` only near the end of the calendar, in the year 9999.
    pub fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_millisecond(instant.millis()).ok()?;
        // A day earlier: clocks that are set back may show the day before once more.
        let first = self.zone.to_datetime(after).date().checked_sub(1.day()).ok()?;
        let days = first.series(1.day()).take(HORIZON_DAYS).filter(|date| self.crontab.fires_on(*date));
        let mut found: Option<(Date, jiff::Timestamp)> = None;
        for date in days {
            // What fires first on a day may come before what fires last on the day before it, and before nothing older.
            if found.is_some_and(|(day, _)| days_apart(day, date) > 1) {
                break;
            }
            if let Some(at) = self.on(date).filter(|at| *at > after).min() {
                found = Some(found.map_or((date, at), |(day, best)| (day, best.min(at))));
            }
        }
        found.map(|(_, at)| Timestamp::from_millis(at.as_millisecond()))
    }

    /// The firings after an instant, in order.
    pub fn upcoming(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        std::iter::successors(self.after(after), |last| self.after(*last))
    }

    /// The firings of a civil day, in no order.
    fn on(&self, date: Date) -> impl Iterator<Item = jiff::Timestamp> + '_ {
        self.crontab.times().flat_map(move |time| self.instants(date.to_datetime(time)))
    }

    /// The instants at which a civil time fires.
    fn instants(&self, civil: DateTime) -> impl Iterator<Item = jiff::Timestamp> + use<> {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok();
        let pair = match (self.zone.to_ambiguous_timestamp(civil).offset(), self.crontab.hours()) {
            (_, Hours::Fixed) => [once(&self.zone, civil), None],
            (AmbiguousOffset::Unambiguous { offset }, Hours::Wildcard) => [at(offset), None],
            (AmbiguousOffset::Gap { .. }, Hours::Wildcard) => [None, None],
            (AmbiguousOffset::Fold { before, after }, Hours::Wildcard) => [at(before), at(after)],
        };
        pair.into_iter().flatten()
    }
}

/// The one instant of a civil time: where clocks are set forward over it, the first after the gap; where they are set back over it, its first occurrence.
pub fn once(zone: &TimeZone, civil: DateTime) -> Option<jiff::Timestamp> {
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => offset.to_timestamp(civil).ok(),
        AmbiguousOffset::Gap { after, .. } => end_of_gap(zone, after.to_timestamp(civil).ok()?, after),
    }
}

/// The instants at which clocks show a civil time: none where they are set forward over it, two where they are set back over it.
pub fn shown_at(zone: &TimeZone, civil: DateTime) -> Vec<jiff::Timestamp> {
    let at = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok();
    let instants = match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => [at(offset), None],
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Fold { before, after } => [at(before), at(after)],
    };
    instants.into_iter().flatten().collect()
}

/// The transition that a civil time fell into, as an instant: the next one to `after`. A time within a gap, read with the offset after it, lies
/// before the transition.
fn end_of_gap(zone: &TimeZone, shown: jiff::Timestamp, after: jiff::tz::Offset) -> Option<jiff::Timestamp> {
    zone.following(shown).find(|transition| transition.offset() == after).map(|transition| transition.timestamp())
}

fn days_apart(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}
