//! Recent samples in memory, scrape by scrape, bounded in time and in number.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use burnward_core::{
    ledger::{Reason, Sample, Series, Unknown},
    sli::{CompiledSelector, Dialect, Labels, Selector},
    time::{Timestamp, hours},
};

use crate::source::http::unknown;

/// How long samples are kept.
const KEEP: Duration = hours(2);
/// How many samples are kept, about 50 MB.
const MAX_SAMPLES: usize = 2_000_000;

/// The samples of recent scrapes.
#[derive(Debug)]
pub(super) struct Buffer {
    rounds: VecDeque<Round>,
    /// Every label set that a round uses, once.
    known: BTreeSet<Arc<Labels>>,
    samples: usize,
    max_samples: usize,
    dropped_until: Option<Timestamp>,
}

/// One scrape of all targets. Samples carry the instant of the scrape; the targets' own timestamps are not used, because a clock that is
/// wrong there would move events out of the slices that they belong to.
#[derive(Debug)]
struct Round {
    at: Timestamp,
    values: Vec<(Arc<Labels>, f64)>,
}

/// What keeping a scrape meant for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It was kept.
    Kept,
    /// There is a scrape of that instant: this one was not kept.
    AlreadyThere,
    /// It was kept; scrapes from after it were dropped.
    ClockWentBack { dropped: usize },
    /// It was kept; the oldest samples were dropped to make room.
    Full { dropped: usize },
}

impl Default for Buffer {
    fn default() -> Self {
        Self::with_room_for(MAX_SAMPLES)
    }
}

impl Buffer {
    pub(super) const fn with_room_for(max_samples: usize) -> Self {
        Self { rounds: VecDeque::new(), known: BTreeSet::new(), samples: 0, max_samples, dropped_until: None }
    }

    /// The instant of the oldest scrape.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.rounds.front().map(|round| round.at)
    }

    /// Up to when samples that are young enough were dropped for want of room.
    pub(super) const fn dropped_until(&self) -> Option<Timestamp> {
        self.dropped_until
    }

    pub(super) fn push(&mut self, at: Timestamp, samples: Vec<(Labels, f64)>) -> Pushed {
        if self.rounds.back().is_some_and(|last| last.at == at) {
            return Pushed::AlreadyThere;
        }
        let ahead = self.drop_ahead_of(at);
        let values: Vec<_> = samples.into_iter().map(|(labels, value)| (self.intern(labels), value)).collect();
        self.samples += values.len();
        self.rounds.push_back(Round { at, values });
        self.drop_older_than(at.minus(KEEP));
        let dropped = self.make_room();
        self.known.retain(|labels| Arc::strong_count(labels) > 1);
        match (ahead, dropped) {
            (0, 0) => Pushed::Kept,
            (0, dropped) => Pushed::Full { dropped },
            (dropped, _) => Pushed::ClockWentBack { dropped },
        }
    }

    pub(super) fn read(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Vec<Series>, Unknown> {
        if self.rounds.is_empty() {
            return Err(not_yet());
        }
        if self.dropped_until.is_some_and(|until| from < until) {
            return Err(unknown(Reason::Partial, full()));
        }
        let compiled = CompiledSelector::new(selector, Dialect::default());
        if !compiled.local() {
            return Err(unknown(Reason::BadQuery, format!("a scrape source cannot evaluate the regular expressions of {selector}")));
        }
        let mut found = Found { compiled, series: BTreeMap::new() };
        for round in self.rounds.iter().filter(|round| from < round.at && round.at <= to) {
            found.add(round);
        }
        Ok(found.into_series())
    }

    fn intern(&mut self, labels: Labels) -> Arc<Labels> {
        if let Some(known) = self.known.get(&labels) {
            return Arc::clone(known);
        }
        let labels = Arc::new(labels);
        self.known.insert(Arc::clone(&labels));
        labels
    }

    fn drop_ahead_of(&mut self, at: Timestamp) -> usize {
        let mut dropped = 0;
        while self.rounds.back().is_some_and(|last| last.at >= at) {
            dropped += self.rounds.pop_back().map_or(0, |round| round.values.len());
        }
        self.samples -= dropped;
        dropped
    }

    fn drop_older_than(&mut self, limit: Timestamp) {
        while self.rounds.front().is_some_and(|first| first.at <= limit) {
            self.drop_oldest();
        }
        self.dropped_until = self.dropped_until.filter(|until| *until > limit);
    }

    /// Drops the oldest scrapes until the rest fits; the newest stays whatever its size.
    fn make_room(&mut self) -> usize {
        let before = self.samples;
        while self.samples > self.max_samples && self.rounds.len() > 1 {
            self.dropped_until = self.drop_oldest();
        }
        before - self.samples
    }

    fn drop_oldest(&mut self) -> Option<Timestamp> {
        let round = self.rounds.pop_front()?;
        self.samples -= round.values.len();
        Some(round.at)
    }
}

/// The series that match so far; a label set is matched once.
struct Found<'a> {
    compiled: CompiledSelector,
    series: BTreeMap<&'a Labels, Option<Vec<Sample>>>,
}

impl<'a> Found<'a> {
    fn add(&mut self, round: &'a Round) {
        for (labels, value) in &round.values {
            let compiled = &self.compiled;
            let samples = self.series.entry(labels).or_insert_with(|| compiled.matches(labels).then(Vec::new));
            if let Some(samples) = samples {
                samples.push(Sample { at: round.at, value: *value });
            }
        }
    }

    fn into_series(self) -> Vec<Series> {
        let found = self.series.into_iter().filter_map(|(labels, samples)| samples.map(|samples| (labels, samples)));
        found.map(|(labels, samples)| Series::new(labels.clone(), samples)).collect()
    }
}

pub(super) fn not_yet() -> Unknown {
    unknown(Reason::NotYet, "nothing was scraped since the start")
}

pub(super) fn full() -> String {
    format!(
        "more than {MAX_SAMPLES} samples within {} hours: the oldest were dropped; scrape less often, or let a Prometheus do it",
        KEEP.as_secs() / 3600
    )
}
