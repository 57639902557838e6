//! History, replayed: the rounds that a daemon would have lived through, over samples of the past, by the functions that decide live. `test` replays
//! traffic that was written down, `backtest` what was recorded.
//!
//! A replay begins as a daemon does that is started for the first time: it reads six hours back, fills in older history, and goes on tick by tick.
//! Nobody acknowledges in it.

mod alarms;
mod backtest;
mod beginning;
mod drawing;
pub mod kept;
mod past;
pub mod recorded;
mod run;
mod samples;
mod score;
mod text;
mod written;

use std::{sync::Arc, time::Duration};

use burnward_core::{
    evaluate::BudgetStatus,
    ledger::{Query, Unknown},
    time::Timestamp,
};

pub use alarms::{Alarm, Alarms, Calls};
pub use backtest::{Backtest, Change, Lived, Set, bounded, live};
pub use beginning::{Entrant, Seen};
pub use drawing::draw;
pub use past::{Fetched, Past};
pub use run::{Failure, Happened, Outcome, run};
pub use samples::Samples;
pub use score::{Found, Score, is_page, mark};
pub use text::{OfText, as_sentence};

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

/// Rounds over history, of one tenant, by its SLOs as they are and as they might be.
#[derive(Debug)]
pub struct Replay {
    lives: Vec<Life>,
    past: Past,
}

impl Replay {
    /// A replay of this past, by a rehearsal that has not begun.
    pub fn new(rehearsal: Rehearsal, past: Past) -> Self {
        Self::side_by_side(vec![rehearsal], past)
    }

    /// The same by several at once, which know nothing of one another.
    pub fn side_by_side(rehearsals: Vec<Rehearsal>, past: Past) -> Self {
        let lives = rehearsals.into_iter().map(|rehearsal| Life { rehearsal, alarms: Alarms::new(), awaited: Vec::new() });
        Self { lives: lives.collect(), past }
    }

    /// The same, where SLOs come to each of them later.
    #[must_use]
    pub(super) fn awaiting(mut self, awaited: Vec<Vec<Entrant>>) -> Self {
        for (life, awaited) in self.lives.iter_mut().zip(awaited) {
            life.awaited = awaited;
        }
        self
    }

    /// What a daemon does in one tick: it reads what is new, some of what is older, and runs timers.
    pub async fn tick(&mut self, now: Timestamp) {
        for life in &mut self.lives {
            life.tick(&mut self.past, now).await;
        }
    }

    /// Why the past could not be read to the end.
    pub fn broken(&self) -> Option<&Unknown> {
        self.past.broken()
    }

    /// What each of them lived through, in their order.
    pub fn lives(&mut self) -> &mut [Life] {
        &mut self.lives
    }

    /// Every budget of the first as it stood in the last round, worst first.
    pub fn statuses(&mut self) -> Arc<Vec<BudgetStatus>> {
        self.lives.first_mut().map(Life::statuses).unwrap_or_default()
    }

    /// The alerts of the first that fired so far.
    pub fn alarms(&self) -> &[Alarm] {
        self.lives.first().map_or(&[], Life::alarms)
    }
}

/// One rehearsal, with what came of it.
#[derive(Debug)]
pub struct Life {
    rehearsal: Rehearsal,
    alarms: Alarms,
    /// The SLOs that there is nothing to see of yet.
    awaited: Vec<Entrant>,
}

impl Life {
    /// Every budget as it stood in the last round, worst first.
    pub fn statuses(&mut self) -> Arc<Vec<BudgetStatus>> {
        self.rehearsal.statuses()
    }

    /// The alerts that fired so far, oldest first.
    pub fn alarms(&self) -> &[Alarm] {
        self.alarms.all()
    }

    async fn tick(&mut self, past: &mut Past, now: Timestamp) {
        let entering: Vec<Entrant> = self.awaited.extract_if(.., |entrant| entrant.from <= now).collect();
        if !entering.is_empty() {
            self.rehearsal.enter(entering.into_iter().map(|entrant| entrant.slo), now);
        }
        for _ in 0..STEPS_A_TICK {
            if !self.round(past, now).await {
                break;
            }
        }
        if let Some(commit) = self.rehearsal.timers(now) {
            self.alarms.take(&commit.events);
        }
    }

    /// One reading; true where more is to be read at once.
    async fn round(&mut self, past: &mut Past, now: Timestamp) -> bool {
        let ReadPlan { queries, reads } = self.rehearsal.plan(now);
        let mut results = Vec::with_capacity(reads.reads.len());
        for read in &reads.reads {
            let asked = Asked { query: &queries[read.query], from: read.from, to: read.to, step: None, now };
            results.push(past.answer(&asked).await);
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
            self.read_behind(past, now).await;
        }
        more
    }

    async fn read_behind(&mut self, past: &mut Past, now: Timestamp) {
        for _ in 0..FILLS_A_TICK {
            let Some(BehindPlan { queries, step: behind }) = self.rehearsal.plan_behind(now) else { return };
            let (reads, step) = match &behind {
                Behind::Second(asked) => (&asked.reads.reads, None),
                Behind::Fill(backfill) => (&backfill.reads, Some(backfill.step)),
            };
            let mut results = Vec::with_capacity(reads.len());
            for read in reads {
                let asked = Asked { query: &queries[read.query], from: read.from, to: read.to, step, now };
                results.push(past.answer(&asked).await);
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
