//! The replicas of one Prometheus. Each scrapes the same targets for itself, at other moments and since another time, so they are never mixed: one is
//! read, as long as it answers and is scraped into; a switch begins anew, which is the ledger's part (`burnward_core::ledger::Replica`).

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use burnward_core::{
    ledger::{Replica, Unknown},
    sli::Selector,
    time::{Timestamp, minutes},
};
use futures_util::future::join_all;
use tracing::warn;

use super::{Answer, Probe, prometheus::Prometheus};
use crate::{config::PrometheusConfig, metrics::SourceMeter, view::ReplicaView};

/// How far back a replica is looked for samples of its targets.
const RECENT: Duration = minutes(5);

/// After a switch the next one waits for so long: the wider read of a switch must not come at every tick where all replicas are in trouble.
const STAYS: Duration = minutes(1);

/// One Prometheus, of one or several replicas.
#[derive(Debug)]
pub struct Replicas {
    all: Vec<Prometheus>,
    reading: Mutex<Reading>,
    meter: SourceMeter,
}

/// Which one is read.
#[derive(Debug, Clone, Default)]
struct Reading {
    index: usize,
    /// Since when, and what was wrong with the one before; `None` since the start.
    switched: Option<(Timestamp, String)>,
}

/// How a replica stands, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It does not answer.
    Blind,
    /// It answers, and none of its answers can be used, such as all partial ones.
    Useless,
    /// It answers, and nothing was scraped into it of late.
    Silent,
    /// It answers and is scraped into.
    Well,
}

/// What came of looking at the other replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// Another one is read from now on.
    Switched,
    /// No other stands better: a sentence about them, where they were asked.
    Stays(Option<String>),
}

impl Replicas {
    /// Clients of all replicas as configured; the first one is read. Asks nothing yet.
    ///
    /// # Errors
    /// As `Prometheus::new`.
    pub fn new(config: &PrometheusConfig, meter: SourceMeter) -> anyhow::Result<Self> {
        let all = config.replicas().map(|one| Prometheus::new(&one)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self { all, reading: Mutex::default(), meter })
    }

    /// All of them.
    pub fn all(&self) -> &[Prometheus] {
        &self.all
    }

    /// The one that is read, where there are several.
    pub fn replica(&self) -> Option<Replica> {
        (self.all.len() > 1).then(|| Replica::named(&self.read_one().place()))
    }

    /// The same for people.
    pub fn view(&self) -> Option<ReplicaView> {
        let Reading { index, switched } = self.reading().clone();
        let view = || ReplicaView { place: self.all[index].place(), number: index + 1, of: self.all.len(), switched };
        (self.all.len() > 1).then(view)
    }

    /// As `Source::read`.
    pub async fn read(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        self.metered(self.read_one().read(selector, from, to)).await
    }

    /// As `Source::read_steps`.
    pub async fn read_steps(&self, query: &str, from: Timestamp, to: Timestamp, step: Duration) -> Result<Answer, Unknown> {
        self.metered(self.read_one().read_steps(query, from, to, step)).await
    }

    /// As `Source::read_history`.
    pub async fn read_history(&self, selector: &Selector, from: Timestamp, to: Timestamp, step: Duration) -> Result<Answer, Unknown> {
        self.metered(self.read_one().read_history(selector, from, to, step)).await
    }

    /// As `Source::read_histograms`.
    pub async fn read_histograms(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        self.metered(self.read_one().read_histograms(selector, from, to)).await
    }

    /// As `Source::read_histogram_steps`.
    pub async fn read_histogram_steps(
        &self,
        selector: &Selector,
        from: Timestamp,
        to: Timestamp,
        step: Duration,
    ) -> Result<Answer, Unknown> {
        self.metered(self.read_one().read_histogram_steps(selector, from, to, step)).await
    }

    /// As `Source::probe`.
    pub async fn probe(&self, now: Timestamp) -> Result<Probe, Unknown> {
        self.read_one().probe(now).await
    }

    /// As `Source::is_near_a_cap`.
    pub fn is_near_a_cap(&self, answer: &Answer) -> bool {
        self.read_one().is_near_a_cap(answer)
    }

    /// Looks at the other replicas, where the one that is read stands like this, and goes on with the best that stands better.
    pub async fn look_around(&self, standing: Standing, why: &str, now: Timestamp) -> Looked {
        let before = self.reading().clone();
        if before.switched.as_ref().is_some_and(|(since, _)| now.since(*since) < STAYS) {
            return Looked::Stays(None);
        }
        // A read spans about a minute: a slow scraper is not silent for that. Where it answers for its targets, what cannot be used is a matter of the
        // questions, which another would answer likewise.
        let is_in_doubt = matches!(standing, Standing::Silent | Standing::Useless);
        if is_in_doubt && stands(&self.all[before.index], now).await.0 == Standing::Well {
            return Looked::Stays(None);
        }
        let others: Vec<usize> = (0..self.all.len()).filter(|index| *index != before.index).collect();
        let found = join_all(others.iter().map(|index| stands(&self.all[*index], now))).await;
        let better = others.iter().zip(&found).filter(|(_, (found, _))| *found > standing).max_by_key(|(_, (found, _))| *found);
        match better {
            Some((index, _)) => {
                self.switch(&before, *index, why, now);
                Looked::Switched
            }
            None => Looked::Stays(found.into_iter().map(|(_, told)| told).reduce(|all, told| format!("{all}; {told}"))),
        }
    }

    /// Where another reader of the source was faster, its choice stays.
    fn switch(&self, before: &Reading, index: usize, why: &str, now: Timestamp) {
        let mut reading = self.reading();
        if reading.index == before.index {
            warn!(from = self.all[before.index].place(), to = self.all[index].place(), why, "another replica is read from now on");
            *reading = Reading { index, switched: Some((now, why.to_owned())) };
        }
    }

    fn read_one(&self) -> &Prometheus {
        &self.all[self.reading().index]
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn metered(&self, asking: impl Future<Output = Result<Answer, Unknown>>) -> Result<Answer, Unknown> {
        let began = std::time::Instant::now();
        let answer = asking.await;
        self.meter.asked(&answer, began.elapsed());
        answer
    }
}

/// How a replica stands, with a sentence. One whose answer cannot be used is no better than one that gives none.
async fn stands(replica: &Prometheus, now: Timestamp) -> (Standing, String) {
    match replica.read(&Selector::new("up", Vec::new()), now.minus(RECENT), now).await {
        Ok(answer) if answer.series.is_empty() => {
            (Standing::Silent, format!("{}: nothing was scraped into it for 5 minutes", replica.place()))
        }
        Ok(_) => (Standing::Well, format!("{}: it answers", replica.place())),
        Err(unknown) => (Standing::Blind, unknown.detail),
    }
}
