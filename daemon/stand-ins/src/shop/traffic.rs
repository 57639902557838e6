//! The shop's own customers: a steady stream of real HTTP requests over loopback.

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use anyhow::Context as _;
use rand::{SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use tokio::{sync::Semaphore, task::JoinSet, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::service::TENANT;

/// Requests under way at most; a shop that hangs does not pile up customers.
const MOST_AT_ONCE: usize = 64;
const TIMEOUT: Duration = Duration::from_secs(10);

/// What customers do, by how often.
const HABITS: [(&str, u32); 3] = [("/browse", 6), ("/cart", 3), ("/pay", 1)];

/// The stream of requests.
#[derive(Debug)]
pub(super) struct Traffic {
    client: reqwest::Client,
    base: String,
    tenants: Vec<String>,
    every: Duration,
    dice: StdRng,
    places: Arc<Semaphore>,
}

impl Traffic {
    pub(super) fn new(shop: SocketAddr, tenants: Vec<String>, per_second: NonZeroU32, seed: u64) -> anyhow::Result<Self> {
        // One provider for the process; whoever installed one first has done it for us.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(TIMEOUT).build().context("the shop's customers cannot be set up")?;
        Ok(Self {
            client,
            base: format!("http://{shop}"),
            tenants,
            every: Duration::from_secs(1) / per_second.get(),
            dice: StdRng::seed_from_u64(seed),
            places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        })
    }

    /// One request at each tick, whatever became of the earlier ones, until the shop ends.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut clock = tokio::time::interval(self.every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut under_way = JoinSet::new();
        loop {
            tokio::select! {
                _ = clock.tick() => {}
                () = stop.cancelled() => return,
            }
            while under_way.try_join_next().is_some() {}
            self.send(&mut under_way);
        }
    }

    fn send(&mut self, under_way: &mut JoinSet<()>) {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let Some(request) = self.next_request() else { return };
        under_way.spawn(async move {
            if let Err(error) = request.send().await {
                tracing::debug!(%error, "a customer was not served");
            }
            drop(place);
        });
    }

    fn next_request(&mut self) -> Option<reqwest::RequestBuilder> {
        let (route, _) = HABITS.choose_weighted(&mut self.dice, |(_, often)| *often).ok()?;
        let tenant = self.tenants.choose(&mut self.dice)?;
        let url = format!("{}{route}", self.base);
        let request = if *route == "/pay" { self.client.post(url) } else { self.client.get(url) };
        Some(request.header(TENANT, tenant))
    }
}
