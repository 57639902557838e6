//! The fleet as a target that is scraped.

use std::sync::atomic::{AtomicI64, Ordering};

use axum::{Router, extract::State, routing::get};
use burnward::clock::Clock;
use tokio::net::TcpListener;

use super::Fleet;

/// From when on all services fail, in milliseconds since the epoch.
static FAILS_FROM: AtomicI64 = AtomicI64::new(i64::MAX);

/// Serves `/metrics` on this address until the program ends.
pub async fn serve(fleet: Fleet, address: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let router = Router::new().route("/metrics", get(metrics)).with_state(fleet);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

/// From now on every service of every fleet that is served fails.
pub fn begin_to_fail() {
    FAILS_FROM.store(Clock::Wall.now().millis(), Ordering::Relaxed);
}

async fn metrics(State(fleet): State<Fleet>) -> String {
    fleet.exposition(Clock::Wall.now().millis(), FAILS_FROM.load(Ordering::Relaxed))
}
