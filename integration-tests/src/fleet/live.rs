//! The fleet as a target that is scraped.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{Router, extract::State, routing::get};
use burnward::clock::Clock;
use tokio::net::TcpListener;

use super::Fleet;

/// A fleet that is served until the program ends.
#[derive(Debug, Clone)]
pub struct Live {
    fleet: Fleet,
    address: SocketAddr,
    /// From when on all services fail, in milliseconds since the epoch.
    fails_from: Arc<AtomicI64>,
}

/// Serves `/metrics` on a free port.
pub async fn serve(fleet: Fleet) -> anyhow::Result<Live> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let live = Live { fleet, address: listener.local_addr()?, fails_from: Arc::new(AtomicI64::new(i64::MAX)) };
    let router = Router::new().route("/metrics", get(metrics)).with_state(live.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(live)
}

impl Live {
    /// Where it is scraped: host and port.
    pub fn target(&self) -> String {
        self.address.to_string()
    }

    /// From now on every service fails.
    pub fn begin_to_fail(&self) {
        self.fails_from.store(Clock::Wall.now().millis(), Ordering::Relaxed);
    }
}

async fn metrics(State(live): State<Live>) -> String {
    live.fleet.exposition(Clock::Wall.now().millis(), live.fails_from.load(Ordering::Relaxed))
}
