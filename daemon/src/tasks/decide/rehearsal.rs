//! A rehearsal: what the task that decides would do for one tenant, over answers of the past. The same functions decide; nothing is stored, sent or
//! acknowledged, so nobody comes.

use std::{collections::BTreeMap, sync::Arc};

use burnward_core::{
    evaluate::BudgetStatus,
    id::{SloId, SourceName, TenantId},
    ledger::{Plan, Series, SourceLedger, Unknown},
    slo::Slo,
    time::Timestamp,
};

use super::{
    Behind, BehindPlan, ReadPlan, RoundAnswers,
    book::{Book, settings},
    commit::Committed,
};
use crate::{config::Config, store::Commit};

/// What would be decided for one tenant.
#[derive(Debug)]
pub struct Rehearsal {
    book: Book,
    config: Arc<Config>,
}

impl Rehearsal {
    /// As after the first start of a daemon at `now`, with these SLOs of a source.
    pub fn new(config: Arc<Config>, tenant: TenantId, source: SourceName, slos: Vec<Arc<Slo>>, now: Timestamp) -> Self {
        let ledger = SourceLedger::new(Plan::new(&slos), settings(&config, &source), now);
        let slos: BTreeMap<SloId, Arc<Slo>> = slos.into_iter().map(|slo| (slo.id.clone(), slo)).collect();
        Self { book: Book::new(tenant, source, slos, ledger), config }
    }

    /// Whose.
    pub fn tenant(&self) -> &TenantId {
        &self.book.tenant
    }

    /// Takes SLOs in that there were not yet, as a reload does.
    pub fn enter(&mut self, slos: impl Iterator<Item = Arc<Slo>>, now: Timestamp) {
        self.book.keep_standing();
        let all = self.book.slos.values().cloned().chain(slos).collect();
        self.book.replace_slos(all, Vec::new(), now);
    }

    /// What to read now.
    pub fn plan(&mut self, now: Timestamp) -> ReadPlan {
        self.book.plan(now, None)
    }

    /// What to read behind it, if anything.
    pub fn plan_behind(&mut self, now: Timestamp) -> Option<BehindPlan> {
        self.book.plan_behind(now, None)
    }

    /// Decides a round: what a daemon would commit.
    pub fn take_answers(&mut self, answers: &RoundAnswers) -> Commit {
        let decided = self.book.decide(&self.config, answers);
        self.book.take(decided.after, &Committed::default());
        self.book.forget_old(answers.now);
        decided.commit
    }

    /// Takes what was read behind the live reading.
    pub fn take_behind(&mut self, asked: &Behind, results: &[Result<Vec<Series>, Unknown>]) {
        self.book.keep_standing();
        let ledger = &mut self.book.ledger;
        let counted = match asked {
            Behind::Second(asked) => ledger.take_second_reading(asked, results),
            Behind::Fill(backfill) => Some(ledger.count_backfill(backfill, results)),
        };
        if let Some(counted) = counted {
            ledger.apply(counted);
        }
    }

    /// Runs the timers that are due: what a daemon would commit.
    pub fn timers(&mut self, now: Timestamp) -> Option<Commit> {
        let (commit, touched) = self.book.decide_timers(&self.config, now)?;
        touched.into_book(&mut self.book);
        Some(commit)
    }

    /// Every budget as it stood in the last round, worst first.
    pub fn statuses(&mut self) -> Arc<Vec<BudgetStatus>> {
        self.book.standing()
    }
}
