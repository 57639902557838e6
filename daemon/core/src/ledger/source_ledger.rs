//! The ledger of one source: what to read, what was counted, sums over any lookback.

use std::{sync::Arc, time::Duration};

use super::{Counts, Damaged, Plan, Series, Stored, Sums, Unknown};
use crate::{
    id::{Group, SloId},
    time::Timestamp,
};

/// How a source is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// After this long a sample is expected to have arrived; 60 s by default.
    pub settle: Duration,
    /// More groups than these are counted as `(other)`.
    pub max_groups_per_slo: usize,
    /// Whether the source holds history from before we looked.
    pub history: bool,
}

/// One question to the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Index into `Plan::queries`.
    pub query: usize,
    /// Samples after this.
    pub from: Timestamp,
    /// Samples up to this.
    pub to: Timestamp,
}

/// The questions of one round, live ones first. Answers are given back in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reads {
    /// The questions.
    pub reads: Vec<Read>,
    /// True where some SLO's samples are not yet read up to now: ask the next round at once.
    pub catching_up: bool,
}

/// One step of filling in history from before the first start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// The resolution to ask for.
    pub step: Duration,
    /// The questions; each is asked at every `step` with `from < t <= to`.
    pub reads: Vec<Read>,
}

/// What a round counted; nothing is changed until it is applied.
#[derive(Debug, Clone)]
pub struct Counted {}

impl Counted {
    /// Up to where samples are settled after this round: what the store keeps as the watermark.
    pub fn settled(&self) -> Timestamp {
        unimplemented!()
    }

    /// The settled slices, packed; `None` where there are none.
    pub fn blob(&self) -> Option<Vec<u8>> {
        unimplemented!()
    }

    /// The packed state that a restart needs beside the slices; `None` where it did not change.
    pub fn state_blob(&self) -> Option<Vec<u8>> {
        unimplemented!()
    }
}

/// One SLO's group: all objectives of the SLO share it.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its index in this ledger, stable for ever.
    pub index: u32,
    /// The SLO.
    pub slo: Arc<SloId>,
    /// The group.
    pub group: Group,
    /// Timestamp of the newest sample of the total.
    pub newest_sample: Option<Timestamp>,
    /// From when on its events are held.
    pub counted_from: Option<Timestamp>,
    /// True while its samples are not yet read up to now: nothing is to be decided.
    pub catching_up: bool,
}

/// Sums of one stream over lookbacks that end now.
#[derive(Debug)]
pub struct StreamSums<'a> {
    _stream: &'a Stream,
}

impl Sums for StreamSums<'_> {
    fn over(&self, _lookback: Duration) -> Counts {
        unimplemented!()
    }
}

/// The ledger of one source.
#[derive(Debug)]
pub struct SourceLedger {}

impl SourceLedger {
    /// A ledger that holds nothing yet and starts to read at `now` (with history: 6 h before).
    pub fn new(_plan: Plan, _settings: Settings, _now: Timestamp) -> Self {
        unimplemented!()
    }

    /// The ledger as the store holds it.
    pub fn restore(_plan: Plan, _settings: Settings, _stored: &Stored, _now: Timestamp) -> Result<Self, Damaged> {
        unimplemented!()
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        unimplemented!()
    }

    /// Takes a new plan; what stays keeps everything.
    pub fn replace_plan(&mut self, _plan: Plan, _now: Timestamp) {
        unimplemented!()
    }

    /// What to ask the source in this round.
    pub fn reads(&self, _now: Timestamp) -> Reads {
        unimplemented!()
    }

    /// Counts the answers, in the order of `reads.reads`. An unanswered question advances nothing of the SLOs that need it.
    pub fn count(&self, _reads: &Reads, _answers: &[Result<Vec<Series>, Unknown>]) -> Counted {
        unimplemented!()
    }

    /// The next step of filling in history; `None` when it is filled in, or where there is none.
    pub fn backfill(&self, _now: Timestamp) -> Option<Backfill> {
        unimplemented!()
    }

    /// Counts the answers to a step of history.
    pub fn count_backfill(&self, _backfill: &Backfill, _answers: &[Result<Vec<Series>, Unknown>]) -> Counted {
        unimplemented!()
    }

    /// Takes over what was counted, after the store committed it.
    pub fn apply(&mut self, _counted: Counted) {
        unimplemented!()
    }

    /// The streams of the plan's SLOs. An SLO that is split has none before its first series.
    pub fn streams(&self) -> impl Iterator<Item = &Stream> {
        [].iter()
    }

    /// Why an SLO as a whole cannot be seen: an unanswered question, or no series at all.
    pub fn unknown(&self, _slo: &SloId) -> Option<Unknown> {
        unimplemented!()
    }

    /// Sums of a stream that end now, or why there are none.
    pub fn sums(&self, _stream: u32, _now: Timestamp) -> Result<StreamSums<'_>, Unknown> {
        unimplemented!()
    }

    /// At most `at_most` slices that cover `(from, to]`, each with its end, oldest first.
    pub fn slices(&self, _stream: u32, _from: Timestamp, _to: Timestamp, _at_most: usize) -> Vec<(Timestamp, Counts)> {
        unimplemented!()
    }

    /// What was counted over `(from, to]`, both moved outwards to slice edges.
    pub fn between(&self, _stream: u32, _from: Timestamp, _to: Timestamp) -> Counts {
        unimplemented!()
    }
}
