//! The log of what was booked before where it was sampled.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    ledger::{
        Counts,
        segment::behind::{Displaced, Log},
        slice::{HOUR, MINUTE, TEN_SECONDS},
    },
    time::Timestamp,
};

/// By stream.
pub(super) type Logs = BTreeMap<u32, Log>;

impl Log {
    pub(super) fn extend(&mut self, more: Self) {
        self.displaced.extend(more.displaced);
        self.hidden.extend(more.hidden);
    }

    /// Keeps what was sampled in a stream at a moment that `keeps` says.
    pub(super) fn retain(&mut self, keeps: impl Fn(u32, Timestamp) -> bool) {
        self.displaced.retain(|displaced| keeps(displaced.entry.stream, displaced.at));
        self.hidden.retain(|hidden| keeps(hidden.span.stream, hidden.at));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.displaced.is_empty() && self.hidden.is_empty()
    }

    pub(super) fn by_stream(&self) -> Logs {
        let mut logs = Logs::new();
        for displaced in &self.displaced {
            logs.entry(displaced.entry.stream).or_default().displaced.push(*displaced);
        }
        for hidden in &self.hidden {
            logs.entry(hidden.span.stream).or_default().hidden.push(*hidden);
        }
        logs
    }

    /// By how many events what was sampled in `(from, to]` differs from what was booked there.
    pub(super) fn moved(&self, from: Timestamp, to: Timestamp) -> i64 {
        let within = |at: Timestamp| i64::from(at > from && at <= to);
        let moved = |displaced: &Displaced| (within(displaced.at) - within(displaced.entry.end)) * displaced.entry.counts.total();
        self.displaced.iter().map(moved).sum()
    }

    /// What was sampled after an instant and booked up to there.
    pub(super) fn before(&self, instant: Timestamp) -> BTreeMap<Timestamp, Counts> {
        let mut booked: BTreeMap<Timestamp, Counts> = BTreeMap::new();
        let displaced = self.displaced.iter().filter(|displaced| displaced.at > instant && displaced.entry.end <= instant);
        for entry in displaced.map(|displaced| displaced.entry) {
            *booked.entry(entry.end).or_default() += entry.counts;
        }
        for span in self.hidden.iter().filter(|hidden| hidden.at > instant).map(|hidden| hidden.span) {
            let mut from = span.from;
            while from < span.to.min(instant) {
                // Of what is old, minutes are exact enough: no finer slices are kept of it.
                let step = if instant.since(from) > HOUR { MINUTE } else { TEN_SECONDS };
                let end = from.plus(Duration::from_millis(1)).ceil(step);
                *booked.entry(end).or_default() += span.within(from, end.min(instant));
                from = end;
            }
        }
        booked
    }
}
