//! History, replayed: the rounds that a daemon would have lived through, over samples of the past, by the functions that decide live. `test` replays
//! traffic that was written down, `backtest` what was recorded.
//!
//! A replay begins as a daemon does that is started for the first time: it reads six hours back, fills in older history, and goes on tick by tick.
//! Nobody acknowledges in it.

mod alarms;
mod samples;

use std::time::Duration;

use burnward_core::{
    evaluate::BudgetStatus,
    ledger::{Query, Series, Unknown},
    time::Timestamp,
};

pub use alarms::{Alarm, Alarms, Calls};
pub use samples::Samples;

use crate::{
    tasks::{
        decide::{Behind, BehindPlan, ReadPlan, Rehearsal, RoundAnswers},
        read::{FILLS_A_TICK, STEPS_A_TICK},
    },
    view::Circuit,
};

/// A question to the past.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'q> {
    /// What is asked for.
    pub query: &'q Query,
    /// Samples after this.
    pub from: Timestamp,
    /// Samples up to this.
    pub to: Timestamp,
    /// The spacing of values of older history; `None`: every sample.
    pub step: Option<Duration>,
    /// When it is asked.
    pub now: Timestamp,
}

/// Rounds over history.
#[derive(Debug)]
pub struct Replay {
    rehearsal: Rehearsal,
    samples: Samples,
    alarms: Alarms,
}

impl Replay {
    /// A replay of these samples, by a rehearsal that has not begun.
    pub const fn new(rehearsal: Rehearsal, samples: Samples) -> Self {
        Self { rehearsal, samples, alarms: Alarms::new() }
    }

    /// What a daemon does in one tick: it reads what is new, some of what is older, and runs timers.
    pub fn tick(&mut self, now: Timestamp) {
        for _ in 0..STEPS_A_TICK {
            if !self.round(now) {
                break;
            }
        }
        if let Some(commit) = self.rehearsal.timers(now) {
            self.alarms.take(&commit.events);
        }
    }

    /// Every budget as it stood in the last round, worst first.
    pub fn statuses(&self) -> &[BudgetStatus] {
        self.rehearsal.statuses()
    }

    /// The alerts that fired so far.
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// One reading; true where more is to be read at once.
    fn round(&mut self, now: Timestamp) -> bool {
        let ReadPlan { queries, reads } = self.rehearsal.plan(now);
        let asked = reads.reads.iter().map(|read| Asked { query: &queries[read.query], from: read.from, to: read.to, step: None, now });
        let results: Vec<_> = asked.map(|asked| self.samples.answer(&asked)).collect();
        let more = reads.catching_up;
        let answers = RoundAnswers {
            tenant: self.rehearsal.tenant().clone(),
            queries,
            reads,
            took_millis: vec![0; results.len()],
            results,
            replica: None,
            circuit: Circuit::Closed,
            asked_at: now,
            due: now,
            now,
        };
        let commit = self.rehearsal.take_answers(&answers);
        self.alarms.take(&commit.events);
        if !more {
            self.read_behind(now);
        }
        more
    }

    fn read_behind(&mut self, now: Timestamp) {
        for _ in 0..FILLS_A_TICK {
            let Some(BehindPlan { queries, step }) = self.rehearsal.plan_behind(now) else { return };
            let (reads, steps) = match &step {
                Behind::Second(asked) => (&asked.reads.reads, None),
                Behind::Fill(backfill) => (&backfill.reads, Some(backfill.step)),
            };
            let asked = reads.iter().map(|read| Asked { query: &queries[read.query], from: read.from, to: read.to, step: steps, now });
            let results: Vec<Result<Vec<Series>, Unknown>> = asked.map(|asked| self.samples.answer(&asked)).collect();
            self.rehearsal.take_behind(&step, &results);
            if matches!(step, Behind::Second(_)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
