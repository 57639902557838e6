//! What a walk found that is not booked, or is booked and should not be.

use std::time::Duration;

use super::{log::Logs, walk::Walk};
use crate::{
    ledger::{
        slice::{Entry, LevelSpec, MINUTE},
        source_ledger::{Slices, SourceLedger},
    },
    time::Timestamp,
};

impl SourceLedger {
    /// What a walk found of an SLO that is not booked, or is booked and should not be; `None` where it cannot be compared.
    pub(super) fn late(&self, walk: &Walk, lane: usize, (logged, logged_again): &(Logs, Logs)) -> Option<Vec<Entry>> {
        let (memory, since) = (&walk.memory, walk.since[lane]);
        let arrived = walk.is_followed(lane) && memory.lanes[lane].watermark == self.lanes[lane].watermark;
        let cells = self.cells(lane, since).filter(|_| arrived)?;
        let mut late = Vec::new();
        for stream in memory.streams_of(lane) {
            let nothing = Slices::new(&self.level_specs[lane]);
            let booked = self.streams.get(stream as usize).map_or(&nothing, |held| &held.slices);
            let again = &memory.streams[stream as usize].slices;
            let differ =
                |(step, from, to): &(Duration, Timestamp, Timestamp)| (*to, again.sum(*step, *from, *to) - booked.sum(*step, *from, *to));
            let mut before = logged_again.get(&stream).map(|log| log.before(since)).unwrap_or_default();
            for (end, counts) in logged.get(&stream).map(|log| log.before(since)).unwrap_or_default() {
                let known = before.entry(end).or_default();
                *known = *known - counts;
            }
            let differing: Vec<_> = before.into_iter().chain(cells.iter().map(differ)).filter(|(_, counts)| !counts.is_zero()).collect();
            // What cannot be read now takes nothing back that could be read then.
            if walk.unreadable[lane] && differing.iter().map(|(_, counts)| counts.total()).sum::<i64>() < 0 {
                return None;
            }
            late.extend(differing.into_iter().map(|(end, counts)| Entry { stream, end, counts }));
        }
        Some(late)
    }

    /// The slices in which what is booked of an SLO from there on is compared, the finest that are kept; `None` where they do not begin there.
    pub(super) fn cells(&self, lane: usize, since: Timestamp) -> Option<Vec<(Duration, Timestamp, Timestamp)>> {
        let to = self.lanes[lane].watermark;
        let levels = self.level_specs[lane].iter().filter(|level| level.step <= MINUTE);
        let kept: Vec<(Duration, Timestamp)> = levels.map(|level| (level.step, reach(level, to))).collect();
        let (mut cells, mut from) = (Vec::new(), since);
        while from < to {
            let (step, _) = *kept.iter().find(|(_, begin)| *begin <= from)?;
            let end = from.plus(step);
            if from.floor(step) != from || end > to {
                return None;
            }
            cells.push((step, from, end));
            from = end;
        }
        Some(cells)
    }
}

/// From when on slices of a level are kept, whatever of them were booked up to `to`.
pub(super) fn reach(level: &LevelSpec, to: Timestamp) -> Timestamp {
    to.ceil(level.step).minus(level.keep)
}
