//! History, replayed: the rounds that a daemon would have lived through, over samples of the past, by the functions that decide live. `test` replays
//! traffic that was written down, `backtest` what was recorded.
//!
//! A replay begins as a daemon does that is started for the first time: it reads six hours back, fills in older history, and goes on tick by tick.
//! Nobody acknowledges in it.

mod alarms;
mod drawing;
mod past;
mod run;
mod samples;
mod written;

use std::{sync::Arc, time::Duration};

use burnward_core::{evaluate::BudgetStatus, ledger::Query, time::Timestamp};

pub use alarms::{Alarm, Alarms, Calls};
pub use drawing::draw;
pub use past::{Fetched, Past};
pub use run::{Failure, Happened, Outcome, run};
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
    past: Past,
    alarms: Alarms,
}

impl Replay {
    /// A replay of this past, by a rehearsal that has not begun.
    pub const fn new(rehearsal: Rehearsal, past: Past) -> Self {
        Self { rehearsal, past, alarms: Alarms::new() }
    }

    /// What a daemon does in one tick: it reads what is new, some of what is older, and runs timers.
    pub async fn tick(&mut self, now: Timestamp) {
        for _ in 0..STEPS_A_TICK {
            if !self.round(now).await {
                break;
            }
        }
        if let Some(commit) = self.rehearsal.timers(now) {
            self.alarms.take(&commit.events);
        }
    }

    /// Every budget as it stood in the last round, worst first.
    pub fn statuses(&mut self) -> Arc<Vec<BudgetStatus>> {
        self.rehearsal.statuses()
    }

    /// The alerts that fired so far.
    pub const fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// One reading; true where more is to be read at once.
    async fn round(&mut self, now: Timestamp) -> bool {
        let ReadPlan { queries, reads } = self.rehearsal.plan(now);
        let mut results = Vec::with_capacity(reads.reads.len());
        for read in &reads.reads {
            let asked = Asked { query: &queries[read.query], from: read.from, to: read.to, step: None, now };
            results.push(self.past.answer(&asked).await);
        }
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
            self.read_behind(now).await;
        }
        more
    }

    async fn read_behind(&mut self, now: Timestamp) {
        for _ in 0..FILLS_A_TICK {
            let Some(BehindPlan { queries, step: behind }) = self.rehearsal.plan_behind(now) else { return };
            let (reads, step) = match &behind {
                Behind::Second(asked) => (&asked.reads.reads, None),
                Behind::Fill(backfill) => (&backfill.reads, Some(backfill.step)),
            };
            let mut results = Vec::with_capacity(reads.len());
            for read in reads {
                let asked = Asked { query: &queries[read.query], from: read.from, to: read.to, step, now };
                results.push(self.past.answer(&asked).await);
            }
            self.rehearsal.take_behind(&behind, &results);
            if matches!(behind, Behind::Second(_)) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests;
