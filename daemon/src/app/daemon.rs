//! The running daemon: built in one straight function, moved by its loops or by hand, and stopped.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use burnward_core::id::SourceName;
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use super::Handle;
use crate::{
    clock::Clock,
    config::{Config, OnDisk, SourceConfig},
    definition::{Removals, looks::Looks},
    metrics::Metrics,
    notify::{
        self,
        slack::{Limits, Slack},
    },
    render::{self, Renderer},
    source::{Source, replicas::Replicas, scrape::Scrape},
    store::Store,
    tasks::{
        self,
        decide::{self, Decider},
        deliver::Deliver,
        read::Reader,
        report::Reports,
    },
    web,
};

/// How many requests wait for the deciding task before askers wait themselves.
const MAILBOX: usize = 256;

/// What is decided at the start beside the configuration.
#[derive(Debug, Clone)]
pub struct Options {
    /// The clock.
    pub clock: Clock,
    /// Whether definitions are taken that remove more than half of the last good SLOs.
    pub removals: Removals,
    /// Who moves time on.
    pub pace: Pace,
    /// Where the configuration lies; `None` where it lies in no file.
    pub on_disk: Option<OnDisk>,
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Clock::Wall, removals: Removals::Guarded, pace: Pace::Live, on_disk: None }
    }
}

/// Who moves time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// Tasks run by themselves.
    #[default]
    Live,
    /// Nothing happens but by `Daemon::step`; for stories and replays.
    ByHand,
}

impl Pace {
    /// Slack's limits; where time is moved by hand nothing waits for the real one.
    fn limits(self) -> Limits {
        match self {
            Self::Live => Limits::default(),
            Self::ByHand => Limits { channel: Duration::ZERO, edit: Duration::ZERO, ..Limits::default() },
        }
    }
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The way in.
    pub handle: Handle,
    /// Where the pages and the API are.
    pub address: SocketAddr,
    readers: Vec<Reader>,
    scrapers: Vec<(Arc<Source>, Duration)>,
    reports: Reports,
    deliver: Deliver,
    stop: CancellationToken,
    tracker: TaskTracker,
    /// What the check of the whole store found.
    damage: watch::Sender<Option<String>>,
}

/// How long a stopping daemon waits for what is under way.
const DRAIN: Duration = Duration::from_secs(10);

impl Daemon {
    /// Builds everything and starts it.
    pub async fn start(config: Config, options: Options) -> anyhow::Result<Self> {
        let now = options.clock.now();
        let config = Arc::new(config);
        if let Some(file) = &config.token_file {
            web::access::TokenFile::warn_of(file);
        }
        let store = Store::open(&config.storage).await?;
        let metrics = Metrics::default();
        let faults = render::Faults::default();
        let wake_delivery = Arc::new(Notify::new());

        let files = Looks::of_definitions(&config);
        let loaded = decide::open_definitions(&store, &config, options.removals, now).await?;
        let parts = decide::Parts {
            config: config.clone(),
            store: store.clone(),
            metrics: metrics.clone(),
            faults: faults.clone(),
            wake_delivery: wake_delivery.clone(),
        };
        let (decider, view) = Decider::load(parts, loaded, now).await?;
        let (requests, mailbox) = mpsc::channel(MAILBOX);
        let mut scrapers = Vec::new();
        // Tenants that read one source share it: its connections, its turns, what it scraped.
        let mut by_name: BTreeMap<&SourceName, Arc<Source>> = BTreeMap::new();
        let mut sources = BTreeMap::new();
        for (tenant, tenant_config) in &config.tenants {
            if !by_name.contains_key(&tenant_config.source) {
                let source = Arc::new(source(&config, tenant_config, &metrics).with_context(|| format!("tenant {tenant}"))?);
                if let Some(SourceConfig::Scrape(scrape)) = config.sources.get(&tenant_config.source) {
                    scrapers.push((source.clone(), scrape.every));
                }
                by_name.insert(&tenant_config.source, source);
            }
            sources.insert(tenant.clone(), by_name[&tenant_config.source].clone());
        }
        let sources = Arc::new(sources);
        let handle = Handle {
            view,
            store,
            clock: options.clock.clone(),
            config: config.clone(),
            on_disk: options.on_disk.map(Arc::new),
            metrics,
            requests,
            wake_delivery,
            sources: sources.clone(),
            loaded: Arc::new(watch::Sender::new(files)),
        };
        let readers =
            sources.iter().map(|(tenant, source)| Reader::new(tenant.clone(), source.clone(), handle.clone())).collect::<Vec<_>>();
        let renderer = Renderer::load(config.templates.as_deref(), faults);
        let slack = config.slack.as_ref().map(|slack| Slack::connect_with(slack, options.pace.limits())).transpose().context("slack")?;
        let deliver = Deliver::new(handle.clone(), renderer.clone(), slack.clone());
        let reports = Reports::new(handle.clone());

        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        tracker.spawn(decider.run(mailbox));
        let listener = tokio::net::TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let site = web::Site { handle: handle.clone(), renderer, slack: slack.clone() };
        tracker.spawn(web::serve(listener, site.clone(), stop.clone()));
        if let Some(slack) = slack {
            tracker.spawn(notify::slack::listen(slack, site.handle.clone(), stop.clone()));
        }
        let (damage, _) = watch::channel(None);
        let daemon = Self { handle, address, readers, scrapers, reports, deliver, stop, tracker, damage };
        match options.pace {
            Pace::Live => daemon.spawn_loops(),
            Pace::ByHand => {}
        }
        info!(address = %daemon.address, version = env!("CARGO_PKG_VERSION"), "burnward runs");
        Ok(daemon)
    }

    /// The loops that move a live daemon.
    fn spawn_loops(&self) {
        for (source, every) in &self.scrapers {
            self.tracker.spawn(tasks::driver::scrape_loop(source.clone(), *every, self.handle.clone(), self.stop.clone()));
        }
        for reader in &self.readers {
            self.tracker.spawn(tasks::driver::read_loop(reader.clone(), self.handle.clone(), self.stop.clone()));
        }
        self.tracker.spawn(tasks::driver::timer_loop(self.handle.clone(), self.stop.clone()));
        if !self.handle.config.reports.is_empty() {
            self.tracker.spawn(tasks::driver::report_loop(self.reports.clone(), self.handle.clone(), self.stop.clone()));
        }
        self.tracker.spawn(tasks::driver::deliver_loop(self.deliver.clone(), self.handle.clone(), self.stop.clone()));
        self.tracker.spawn(tasks::driver::follow_loop(self.handle.clone(), self.stop.clone()));
        self.tracker.spawn(tasks::driver::tidy_loop(self.handle.clone(), self.stop.clone()));
        self.tracker.spawn(tasks::driver::check_store(self.handle.clone(), self.damage.clone(), self.stop.clone()));
    }

    /// One step of a daemon that is moved by hand: read, decide, run timers, deliver, all at the clock's now.
    pub async fn step(&self) {
        for (source, _) in &self.scrapers {
            tasks::driver::scrape_once(source, &self.handle).await;
        }
        for reader in &self.readers {
            reader.tick(self.handle.clock.now()).await;
        }
        self.handle.timers().await;
        self.reports.tick(self.handle.clock.now()).await;
        self.deliver.tick(self.handle.clock.now()).await;
    }

    /// Moves a clock that is moved by hand by whole ticks, with a step after each.
    pub async fn fast_forward(&self, by: Duration) {
        let tick = self.handle.config.tick;
        let ticks = by.as_millis() / tick.as_millis().max(1);
        for _ in 0..ticks {
            self.handle.clock.advance(tick);
            self.step().await;
        }
    }

    /// Resolves with the reason when this daemon must not go on: the task that decides has ended although nobody told it to, so that nothing is read,
    /// decided or paged any more; or the store was found damaged.
    pub async fn broken(&self) -> String {
        let mut damage = self.damage.subscribe();
        tokio::select! {
            () = self.handle.requests.closed() => "the task that decides has ended; its supervisor is to start burnward anew".to_owned(),
            Ok(found) = damage.wait_for(Option::is_some) => found.clone().unwrap_or_default(),
        }
    }

    /// Resolves when the daemon is told to stop.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Stops everything, within ten seconds. What is not delivered stays owed in the store.
    pub async fn stop(self) {
        let Self { handle, readers, reports, deliver, stop, tracker, .. } = self;
        stop.cancel();
        tracker.close();
        drop((readers, reports, deliver));
        let store = handle.store.clone();
        drop(handle);
        if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
            tracing::warn!("some tasks did not stop in time; what they had under way is taken up again at the next start");
        }
        store.close().await;
        info!("burnward stopped");
    }
}

fn source(config: &Config, tenant: &crate::config::TenantConfig, metrics: &Metrics) -> anyhow::Result<Source> {
    let source = config.sources.get(&tenant.source).with_context(|| format!("there is no source `{}`", tenant.source))?;
    Ok(match source {
        SourceConfig::Prometheus(prometheus) => Source::Prometheus(Replicas::new(prometheus, metrics.source(&tenant.source))?),
        SourceConfig::Scrape(scrape) => Source::Scrape(Scrape::new(scrape)?),
    })
}
