//! How the first values of counters were taken, and by which rule: for whoever asks why. Nothing is decided by it, and it is remembered, not stored: a
//! restart begins anew, and says since when it knows.

use std::collections::{BTreeMap, VecDeque};

use super::SourceLedger;
use crate::{
    id::{Group, SloId},
    ledger::{Counts, count::SeriesKey},
    time::Timestamp,
};

/// So many notes are kept of a source: each is of the series of one budget that began in one scrape and were taken alike.
const KEPT: usize = 8_192;

/// By which rule of `new-series` a first value was taken for events, or for where counting begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirstValueRule {
    /// Events: its target was seen without it one scrape before.
    TargetSeen,
    /// Events: the process of its target started since that was last seen.
    TargetStarted,
    /// Events, by `count-first` alone: the source was scraped just before.
    SourceSeen,
    /// Events, since it went on from a series with other labels: only what was added.
    WentOn,
    /// Not events: `baseline` says so.
    Policy,
    /// Not events: nothing tells that it happened since somebody saw.
    NotSeen,
    /// Not events: the labels of its target changed, and nothing tells from which series it went on.
    OriginUnclear,
    /// Not events: a bucket of a histogram that was there before with others.
    OtherBuckets,
    /// Not events: the buckets that judge them are not there yet.
    NoBuckets,
}

impl FirstValueRule {
    /// Whether it takes first values for events.
    pub const fn takes_for_events(self) -> bool {
        match self {
            Self::TargetSeen | Self::TargetStarted | Self::SourceSeen | Self::WentOn => true,
            Self::Policy | Self::NotSeen | Self::OriginUnclear | Self::OtherBuckets | Self::NoBuckets => false,
        }
    }
}

/// First values that one rule decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstValuesTaken {
    /// Which.
    pub rule: FirstValueRule,
    /// Of how many counters.
    pub counters: usize,
    /// What they were booked as.
    pub counts: Counts,
}

/// The first values of one budget's counters within a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstValuesWithin {
    /// By rule, in its order.
    pub taken: Vec<FirstValuesTaken>,
    /// Where the stretch begins before what is remembered: since when it is.
    pub known_since: Option<Timestamp>,
}

/// The first value of one series.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstValue {
    pub at: Timestamp,
    pub rule: FirstValueRule,
    pub counts: Counts,
    pub is_settled: bool,
}

impl FirstValue {
    /// One series can be of two sides of an SLO, bad and in the total: what it is booked as is the sum of both.
    pub(super) fn join(&mut self, other: &Self) {
        self.counts += other.counts;
        self.rule = self.rule.min(other.rule);
    }
}

/// Those of one stream that came in one scrape and were taken alike.
#[derive(Debug, Clone, Copy)]
struct Note {
    stream: u32,
    at: Timestamp,
    taken: FirstValuesTaken,
}

/// What is remembered of a source.
#[derive(Debug, Default)]
pub(super) struct FirstValues {
    /// What was taken before is not known; `None` where nothing was.
    pub(super) since: Option<Timestamp>,
    settled: VecDeque<Note>,
    provisional: Vec<Note>,
}

impl FirstValues {
    /// Nothing is known of what was taken before.
    pub(super) fn since(since: Timestamp) -> Self {
        Self { since: Some(since), ..Self::default() }
    }

    /// Takes over what a round decided; what was provisional of the streams that it read is decided anew.
    pub(super) fn take(&mut self, decided: BTreeMap<(u32, Timestamp, SeriesKey), FirstValue>, is_read: impl Fn(u32) -> bool) {
        self.provisional.retain(|note| !is_read(note.stream));
        let mut notes: BTreeMap<(Timestamp, u32, FirstValueRule, bool), FirstValuesTaken> = BTreeMap::new();
        for ((stream, at, _), FirstValue { rule, counts, is_settled, .. }) in decided {
            let nothing = FirstValuesTaken { rule, counters: 0, counts: Counts::default() };
            let taken = notes.entry((at, stream, rule, is_settled)).or_insert(nothing);
            taken.counters += 1;
            taken.counts += counts;
        }
        for ((at, stream, _, is_settled), taken) in notes {
            let note = Note { stream, at, taken };
            if is_settled { self.settled.push_back(note) } else { self.provisional.push(note) }
        }
        while self.settled.len() > KEPT {
            self.since = self.settled.pop_front().map(|note| note.at).max(self.since);
        }
    }

    fn within(&self, stream: u32, from: Timestamp, to: Timestamp) -> Vec<FirstValuesTaken> {
        let is_within = |note: &&Note| note.stream == stream && note.at > from && note.at <= to;
        let mut by_rule: BTreeMap<FirstValueRule, FirstValuesTaken> = BTreeMap::new();
        for Note { taken, .. } in self.settled.iter().chain(&self.provisional).filter(is_within) {
            let sum = by_rule.entry(taken.rule).or_insert(FirstValuesTaken { counters: 0, counts: Counts::default(), ..*taken });
            sum.counters += taken.counters;
            sum.counts += taken.counts;
        }
        by_rule.into_values().collect()
    }
}

impl SourceLedger {
    /// How the first values of a group's counters were taken that came with `from < at <= to`; `None` where nothing is counted of it.
    pub fn first_values(&self, slo: &SloId, group: &Group, from: Timestamp, to: Timestamp) -> Option<FirstValuesWithin> {
        let stream = self.stream(slo, group)?;
        let lane = self.streams[stream.index as usize].lane.map(|lane| &self.lanes[lane]);
        // What was filled in of history is counted for itself.
        let filled_until = lane.map(|lane| lane.begin).filter(|begin| stream.counted_from.is_some_and(|from| from < *begin));
        let known_since = self.first_values.since.max(filled_until).filter(|since| *since > from);
        Some(FirstValuesWithin { taken: self.first_values.within(stream.index, from, to), known_since })
    }
}
