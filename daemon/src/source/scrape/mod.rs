//! Targets that we read ourselves, for the demo and for small installations without a Prometheus.
//!
//! As Prometheus does, each sample gets `job` and `instance`, and each scrape of a target adds `up` (1 or 0) and `scrape_duration_seconds`. What
//! was scraped is kept in memory for two hours; there is no older history, and none survives a restart.

mod buffer;
pub mod exposition;
mod target;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::ensure;
use burnward_core::{ledger::Unknown, sli::Selector, time::Timestamp};
use futures_util::{StreamExt, stream};
use reqwest::Client;

pub use self::target::text_of;
use self::{
    buffer::{Buffer, Pushed},
    target::{Scraped, Target},
};
use super::{Answer, Probe, http};
use crate::config::ScrapeConfig;

/// The longest time for one target, unless the interval is shorter.
const MAX_TIMEOUT: Duration = Duration::from_secs(10);
/// How many targets are read at the same time.
const AT_ONCE: usize = 8;

/// The scraper and its recent samples.
#[derive(Debug)]
pub struct Scrape {
    client: Client,
    targets: Vec<Target>,
    state: Mutex<State>,
}

/// What is known; the lock is never held over an await.
#[derive(Debug, Default)]
struct State {
    buffer: Buffer,
    /// Why targets could not be read, by instance.
    failing: BTreeMap<String, Unknown>,
}

impl Scrape {
    /// A scraper as configured. Reads nothing yet. A rustls provider must be installed.
    ///
    /// # Errors
    /// No target; a URL that is not http(s) or that holds a user or a password; two targets with the same host and port, whose series
    /// could not be told apart.
    pub fn new(config: &ScrapeConfig) -> anyhow::Result<Self> {
        ensure!(!config.targets.is_empty(), "a scrape source needs at least one target");
        let targets = config.targets.iter().map(|url| Target::new(url, &config.job)).collect::<anyhow::Result<Vec<_>>>()?;
        check_distinct(&targets)?;
        Ok(Self { client: http::client(config.every.min(MAX_TIMEOUT))?, targets, state: Mutex::default() })
    }

    /// Scrapes every target once, at most eight at a time, and keeps the samples as of `now`; called at the configured interval. A target that
    /// cannot be read, or of whose text anything cannot be read, has `up` 0 and nothing else.
    pub async fn scrape(&self, now: Timestamp) {
        let scrapes: Vec<_> = self.targets.iter().map(|target| target.scrape(&self.client)).collect();
        let scrapes = stream::iter(scrapes).buffered(AT_ONCE);
        let scraped: Vec<Scraped> = scrapes.collect().await;
        let mut state = self.state();
        for (target, scraped) in self.targets.iter().zip(&scraped) {
            note_health(&mut state.failing, target, scraped);
        }
        let samples = self.targets.iter().zip(scraped).flat_map(|(target, scraped)| target.samples(scraped)).collect();
        tell(state.buffer.push(now, samples));
    }

    /// Kept samples with `from < timestamp <= to`, sorted by labels and time. A target that is down shows as `up` 0, not as an error.
    ///
    /// # Errors
    /// Nothing was scraped yet; samples of that time were dropped to stay within memory; a matcher that only a server can evaluate.
    pub fn read(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Result<Answer, Unknown> {
        let started = Instant::now();
        let series = self.state().buffer.read(selector, from, to)?;
        let bytes = series.iter().map(|series| series.samples.len() * size_of::<burnward_core::ledger::Sample>()).sum();
        Ok(Answer { series, bytes, took: started.elapsed() })
    }

    /// What it is like: how many targets, how far back it reaches, which targets cannot be read and why.
    pub fn probe(&self, _now: Timestamp) -> Result<Probe, Unknown> {
        let state = self.state();
        let oldest = state.buffer.oldest().ok_or_else(buffer::not_yet)?;
        let mut warnings: Vec<String> = state.failing.iter().map(|(instance, why)| format!("{instance} cannot be read: {why}")).collect();
        warnings.extend(state.buffer.dropped_until().map(|_| buffer::full()));
        Ok(Probe {
            product: format!("scrape of {} target{}", self.targets.len(), if self.targets.len() == 1 { "" } else { "s" }),
            skew_millis: Some(0),
            oldest: Some(oldest),
            retention: None,
            left_closed: Some(false),
            limited: None,
            warnings,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_distinct(targets: &[Target]) -> anyhow::Result<()> {
    let mut instances: Vec<&str> = targets.iter().map(Target::instance).collect();
    instances.sort_unstable();
    let twice = instances.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "two targets have the instance `{}`: their series could not be told apart", twice.map_or("", |pair| pair[0]));
    Ok(())
}

/// Keeps why a target fails; logs when that begins and when it ends.
fn note_health(failing: &mut BTreeMap<String, Unknown>, target: &Target, scraped: &Scraped) {
    let instance = target.instance();
    match &scraped.samples {
        Ok(_) => {
            if failing.remove(instance).is_some() {
                tracing::info!(instance, "the target can be read again");
            }
        }
        Err(why) => {
            if failing.insert(instance.to_owned(), why.clone()).is_none() {
                tracing::warn!(instance, %why, "the target cannot be read");
            }
        }
    }
}

fn tell(pushed: Pushed) {
    match pushed {
        Pushed::Kept => {}
        Pushed::AlreadyThere => tracing::warn!("two scrapes at the same instant: the second one was dropped"),
        Pushed::ClockWentBack { dropped } => tracing::warn!(dropped, "the clock went back: samples from the time ahead of it were dropped"),
        Pushed::Full { dropped } => tracing::warn!(dropped, "{}", buffer::full()),
    }
}
