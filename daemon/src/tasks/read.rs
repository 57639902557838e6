//! Readers: one per tenant's source. A tick asks the decider what to read, asks the source, and hands the answers over to be decided.

use std::sync::Arc;

use burnward_core::{
    id::TenantId,
    ledger::{Backfill, Query, Read, Reads, Series, Unknown},
    time::Timestamp,
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

/// Reads one source for one tenant.
#[derive(Debug, Clone)]
pub struct Reader {
    tenant: TenantId,
    source: Arc<Source>,
    handle: Handle,
}

impl Reader {
    /// A reader of `source` for `tenant`.
    pub const fn new(tenant: TenantId, source: Arc<Source>, handle: Handle) -> Self {
        Self { tenant, source, handle }
    }

    /// One tick: live samples first, then a bounded piece of what is missing behind them.
    pub async fn tick(&self, due: Timestamp) {
        for _ in 0..STEPS_A_TICK {
            if !self.round(due).await {
                return;
            }
        }
    }

    /// Asks the source what it is like and tells the decider; true once it answered. That it cannot be seen is for the readings to say.
    pub async fn probe(&self) -> bool {
        match self.source.probe(self.handle.clock.now()).await {
            Ok(probe) => {
                for warning in &probe.warnings {
                    warn!(tenant = %self.tenant, "{warning}");
                }
                self.handle.probed(&self.tenant, probe.product, probe.skew_millis).await;
                true
            }
            Err(unknown) => {
                debug!(tenant = %self.tenant, %unknown, "the source did not answer its probe yet");
                false
            }
        }
    }

    /// One reading; true where more is to be read at once.
    async fn round(&self, due: Timestamp) -> bool {
        let asked_at = self.handle.clock.now();
        let Some(ReadPlan { queries, reads, backfill }) = self.handle.plan(&self.tenant, asked_at).await else { return false };
        if let Some(backfill) = backfill {
            self.fill_in(&queries, backfill).await;
        }
        let (results, took_millis) = self.ask(&queries, &reads).await;
        let now = self.handle.clock.now();
        self.handle.answers(RoundAnswers { tenant: self.tenant.clone(), queries, reads, results, took_millis, asked_at, due, now }).await
    }

    async fn ask(&self, queries: &[Query], reads: &Reads) -> (Vec<Result<Vec<Series>, Unknown>>, Vec<u64>) {
        let reads: Vec<_> = reads.reads.iter().map(|read| self.ask_one(&queries[read.query], *read)).collect();
        stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().unzip()
    }

    async fn ask_one(&self, query: &Query, read: Read) -> (Result<Vec<Series>, Unknown>, u64) {
        let began = Instant::now();
        let answer = match query {
            Query::Raw(selector) => self.source.read(selector, read.from, read.to).await,
            Query::Stepped { expression, step } => self.source.read_steps(expression.as_str(), read.from, read.to, *step).await,
        };
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        debug!(tenant = %self.tenant, %query, took, ok = answer.is_ok(), "asked the source");
        (answer.map(|answer| answer.series), took)
    }

    async fn fill_in(&self, queries: &[Query], backfill: Backfill) {
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
        self.handle.backfill(BackfillAnswers { tenant: self.tenant.clone(), queries: queries.to_vec(), backfill, results, now }).await;
    }
}
