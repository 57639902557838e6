//! A sample shop: a small HTTP service with tenants, real counters and histograms, traffic of its own, and switches to make it fail.
//!
//! Its traffic is real: the generator sends HTTP requests to the service over loopback, and the numbers on `/metrics` are what the service
//! counted. Tenants are named by the header `x-tenant`; the routes are `/browse`, `/cart` and `/pay`.
//!
//! ```no_run
//! # async fn shown() -> anyhow::Result<()> {
//! use burnward_stand_ins::shop::{Options, Shop};
//!
//! let shop = Shop::start(Options::default()).await?;
//! shop.fail(&["acme", "globex"], 0.6);
//! println!("scrape {}, watch {}", shop.metrics_url(), shop.web_url());
//! shop.recover();
//! shop.shutdown().await;
//! # Ok(())
//! # }
//! ```

use std::{
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

mod metrics;
mod page;
mod service;
mod traffic;
mod trouble;

use service::Service;
use traffic::Traffic;

/// How the shop is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Its tenants: lower-case letters, digits and `-`.
    pub tenants: Vec<String>,
    /// Requests a second in all, spread over tenants and routes; `None`: no traffic of its own.
    pub requests_per_second: Option<NonZeroU32>,
    /// What traffic, delays and failures are drawn from.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tenants: ["acme", "globex", "initech", "umbrella"].map(str::to_owned).to_vec(),
            requests_per_second: NonZeroU32::new(40),
            seed: 1,
        }
    }
}

/// A running shop; it ends when dropped.
#[derive(Debug)]
pub struct Shop {
    service: Arc<Service>,
    address: SocketAddr,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Shop {
    /// Starts the service and its traffic. Fails where the port is taken or a tenant's name cannot be a label.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let service = Arc::new(Service::new(options.tenants, options.seed)?);
        let listening = TcpListener::bind(options.listen).await;
        let listener = listening.with_context(|| format!("the shop cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let mut tasks = vec![tokio::spawn(serve(listener, Arc::clone(&service), stop.clone()))];
        if let Some(rate) = options.requests_per_second {
            let traffic = Traffic::new(address, service.tenants(), rate, options.seed)?;
            tasks.push(tokio::spawn(traffic.run(stop.clone())));
        }
        Ok(Self { service, address, stop, tasks })
    }

    /// Where its metrics are scraped.
    pub fn metrics_url(&self) -> String {
        format!("http://{}/metrics", self.address)
    }

    /// The page with its state and its switches.
    pub fn web_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on this share (0 to 1) of these tenants' requests fails with status 500. Names that are not tenants are ignored.
    pub fn fail(&self, tenants: &[&str], share: f64) {
        self.service.trouble.fail(tenants.iter().copied(), share);
    }

    /// From now on these tenants' requests take this much longer. Names that are not tenants are ignored.
    pub fn slow(&self, tenants: &[&str], by: Duration) {
        self.service.trouble.slow(tenants.iter().copied(), by);
    }

    /// Every tenant is served well again.
    pub fn recover(&self) {
        self.service.trouble.recover();
    }

    /// Ends it.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::warn!(%error, "a part of the shop did not end well");
            }
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener, service: Arc<Service>, stop: CancellationToken) {
    let serving = axum::serve(listener, service::router(service));
    tokio::select! {
        result = async { serving.await } => {
            if let Err(error) = result {
                tracing::error!(%error, "the shop stopped");
            }
        }
        () = stop.cancelled() => {}
    }
}
