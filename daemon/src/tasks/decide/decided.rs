//! A round, decided: counted, booked and evaluated over the book, without a store. The task that decides commits what came of it; a rehearsal over
//! history does not.

use std::sync::Arc;

use burnward_core::{
    incident::{Actor, Command, next_due},
    ledger::Replica,
    time::Timestamp,
};

use super::{
    Behind, BehindPlan, ReadPlan,
    book::Book,
    commit::Committed,
    draft::{Draft, Touched},
    numbers::{self, Shown},
    round::{self, Evaluated, RoundAnswers},
};
use crate::{
    config::Config,
    store::{Commit, Round},
    view::SourceView,
};

/// What a round decided.
pub(super) struct Decided {
    /// What is to be committed.
    pub(super) commit: Commit,
    /// What the book takes over after it.
    pub(super) after: After,
}

/// What a book takes over once a round is committed.
pub(super) struct After {
    touched: Touched,
    pub(super) evaluated: Evaluated,
    source_view: SourceView,
    shown: Shown,
}

impl Book {
    /// What to read now.
    pub(super) fn plan(&mut self, now: Timestamp, replica: Option<Replica>) -> ReadPlan {
        self.read_from(replica);
        ReadPlan { queries: Arc::clone(self.ledger.plan().queries()), reads: self.ledger.reads(now) }
    }

    /// What to read behind it, if anything.
    pub(super) fn plan_behind(&mut self, now: Timestamp, replica: Option<Replica>) -> Option<BehindPlan> {
        self.read_from(replica);
        let second = self.ledger.second_reading(now).map(Behind::Second);
        let step = second.or_else(|| self.ledger.backfill(now).map(Behind::Fill))?;
        Some(BehindPlan { queries: Arc::clone(self.ledger.plan().queries()), step })
    }

    fn read_from(&mut self, replica: Option<Replica>) {
        if self.ledger.plan().replica() != replica {
            self.keep_standing();
        }
        self.ledger.read_from(replica);
    }

    /// Counts and books the answers, which were asked by the present plan, and decides what they mean.
    pub(super) fn decide(&mut self, config: &Config, answers: &RoundAnswers) -> Decided {
        let counted = self.ledger.count(&answers.reads, &answers.results);
        let settled = counted.settled();
        let round = Round::of(self.source.clone(), &counted);
        self.ledger.apply(counted);
        self.refresh_exclusions(answers.now);
        let mut draft = Draft::new(self, config, answers.now);
        // A round that followed one which the store lacks would leave a hole: it waits until the ledger is read back.
        draft.commit.round = (!self.in_doubt).then_some(round);
        let evaluated = round::evaluate_book(self, config, &mut draft, answers);
        let shown = numbers::refresh_moved(self, &evaluated.shown, &mut draft, answers.now);
        let source_view = round::source_view(self, &evaluated, settled, answers);
        let (commit, touched) = draft.finish();
        Decided { commit, after: After { touched, evaluated, source_view, shown } }
    }

    /// Takes over what a round decided, as far as the store has it.
    pub(super) fn take(&mut self, after: After, committed: &Committed) {
        self.take_round(after.touched, after.evaluated, after.source_view, committed);
        self.shown = after.shown;
    }

    /// Runs the timers of incidents that are due; `None` where none is.
    pub(super) fn decide_timers(&self, config: &Config, now: Timestamp) -> Option<(Commit, Touched)> {
        let due = self.incidents.values().filter(|incident| next_due(incident).is_some_and(|at| at <= now));
        let ids: Vec<_> = due.map(|incident| incident.id.clone()).collect();
        if ids.is_empty() {
            return None;
        }
        let mut draft = Draft::new(self, config, now);
        for id in &ids {
            draft.command_to_incident(id, &Command::Tick, &Actor::Daemon);
        }
        (!draft.is_empty()).then(|| draft.finish())
    }
}
