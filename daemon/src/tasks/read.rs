//! Readers: one per tenant's source. A tick asks the decider what to read, asks the source, and hands the answers over to be decided.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use burnward_core::{
    id::TenantId,
    ledger::{Blinds, Query, Read, Reads, Series, Unknown},
    time::{Timestamp, minutes},
};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::decide::{BackfillAnswers, ReadPlan, RoundAnswers};
use crate::{app::Handle, source::Source};

/// Queries of one source that are under way at once.
const AT_ONCE: usize = 4;

/// Steps of catching up in one tick, so that other work comes in between.
const STEPS_A_TICK: usize = 6;

/// After so many rounds in which the source as a whole was blind, one question goes ahead of all others, so that a source in trouble is not
/// loaded with what it cannot answer, nor the reader held up by it.
const ROUNDS_OF_PATIENCE: u32 = 3;

/// A source that gives no raw samples is probed again after this long.
const PROBED_AGAIN: Duration = minutes(5);

/// An answer, and the milliseconds that it took.
type Asked = (Result<Vec<Series>, Unknown>, u64);

/// Why a source gives no raw samples, and when that was found out.
#[derive(Debug, Clone)]
struct Limit {
    why: Unknown,
    since: Timestamp,
}

/// Reads one source for one tenant.
#[derive(Debug, Clone)]
pub struct Reader {
    tenant: TenantId,
    source: Arc<Source>,
    handle: Handle,
    /// Rounds in a row in which the source as a whole was blind.
    blind_rounds: Arc<AtomicU32>,
    limit: Arc<Mutex<Option<Limit>>>,
}

impl Reader {
    /// A reader of `source` for `tenant`.
    pub fn new(tenant: TenantId, source: Arc<Source>, handle: Handle) -> Self {
        Self { tenant, source, handle, blind_rounds: Arc::default(), limit: Arc::default() }
    }

    /// One tick: live samples first, then a bounded piece of what is missing behind them.
    pub async fn tick(&self, due: Timestamp) {
        for _ in 0..STEPS_A_TICK {
            if !self.round(due).await {
                return;
            }
        }
    }

    /// Asks the source what it is like and tells the decider; true once it answered for good. One that gives no raw samples is asked again some time
    /// later. That it cannot be seen is for the readings to say.
    pub async fn probe(&self) -> bool {
        let now = self.handle.clock.now();
        if self.limit().is_some_and(|limit| now.since(limit.since) < PROBED_AGAIN) {
            return false;
        }
        match self.source.probe(now).await {
            Ok(probe) => {
                let limited = probe.limited.is_some();
                *self.limit.lock().unwrap_or_else(PoisonError::into_inner) = probe.limited.map(|why| Limit { why, since: now });
                for warning in &probe.warnings {
                    warn!(tenant = %self.tenant, "{warning}");
                }
                self.handle.probed(&self.tenant, probe.product, probe.skew_millis).await;
                !limited
            }
            Err(unknown) => {
                debug!(tenant = %self.tenant, %unknown, "the source did not answer its probe yet");
                false
            }
        }
    }

    fn limit(&self) -> Option<Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One reading; true where more is to be read at once.
    async fn round(&self, due: Timestamp) -> bool {
        let asked_at = self.handle.clock.now();
        let Some(ReadPlan { queries, reads, backfill: _ }) = self.handle.plan(&self.tenant, asked_at).await else { return false };
        let (results, took_millis) = self.ask(&queries, &reads).await;
        let now = self.handle.clock.now();
        let answers = RoundAnswers { tenant: self.tenant.clone(), queries, reads, results, took_millis, asked_at, due, now };
        let more = self.handle.answers(answers).await;
        if !more && !self.is_impatient() {
            self.fill_in().await;
        }
        more
    }

    fn is_impatient(&self) -> bool {
        self.blind_rounds.load(Ordering::Relaxed) >= ROUNDS_OF_PATIENCE
    }

    async fn ask(&self, queries: &[Query], reads: &Reads) -> (Vec<Result<Vec<Series>, Unknown>>, Vec<u64>) {
        let asked = match reads.reads.split_last() {
            Some((last, others)) if self.is_impatient() => self.ask_one_first(queries, *last, others).await,
            Some(_) | None => self.ask_all(queries, &reads.reads).await,
        };
        if asked.iter().any(|(answer, _)| answer.as_ref().is_err_and(blinds_the_source)) {
            self.blind_rounds.fetch_add(1, Ordering::Relaxed);
        } else {
            self.blind_rounds.store(0, Ordering::Relaxed);
        }
        asked.into_iter().unzip()
    }

    /// Asks the last question, of targets and so a small one; the others only where it was answered, else they share its answer.
    async fn ask_one_first(&self, queries: &[Query], last: Read, others: &[Read]) -> Vec<Asked> {
        let first = self.ask_one(&queries[last.query], last).await;
        let mut asked = match &first.0 {
            Err(unknown) if blinds_the_source(unknown) => others.iter().map(|_| (Err(unknown.clone()), 0)).collect(),
            Ok(_) | Err(_) => self.ask_all(queries, others).await,
        };
        asked.push(first);
        asked
    }

    async fn ask_all(&self, queries: &[Query], reads: &[Read]) -> Vec<Asked> {
        let reads: Vec<_> = reads.iter().map(|read| self.ask_one(&queries[read.query], *read)).collect();
        stream::iter(reads).buffered(AT_ONCE).collect().await
    }

    async fn ask_one(&self, query: &Query, read: Read) -> Asked {
        let began = Instant::now();
        let answer = match query {
            Query::Raw(selector) => match self.limit() {
                Some(Limit { why, .. }) => Err(why),
                None => self.source.read(selector, read.from, read.to).await,
            },
            Query::Stepped { expression, step } => self.source.read_steps(expression.as_str(), read.from, read.to, *step).await,
        };
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        debug!(tenant = %self.tenant, %query, took, ok = answer.is_ok(), "asked the source");
        (answer.map(|answer| answer.series), took)
    }

    /// One step of older history, planned behind the live reading: a step that is taken in makes what was planned before it void.
    async fn fill_in(&self) {
        let plan = self.handle.plan(&self.tenant, self.handle.clock.now()).await;
        let Some(ReadPlan { queries, reads: _, backfill: Some(backfill) }) = plan else { return };
        let mut results = Vec::with_capacity(backfill.reads.len());
        for read in &backfill.reads {
            let (text, step) = match &queries[read.query] {
                Query::Raw(selector) => (selector.to_string(), backfill.step),
                Query::Stepped { expression, step } => (expression.to_string(), *step),
            };
            let answer = self.source.read_steps(&text, read.from, read.to, step).await;
            results.push(answer.map(|answer| answer.series));
        }
        let now = self.handle.clock.now();
        self.handle.backfill(BackfillAnswers { tenant: self.tenant.clone(), queries, backfill, results, now }).await;
    }
}

fn blinds_the_source(unknown: &Unknown) -> bool {
    unknown.reason.blinds() == Blinds::Source
}
