//! The fleet as a target that is scraped.

use axum::{Router, extract::State, routing::get};
use burnward::clock::Clock;
use tokio::net::TcpListener;

use super::Fleet;

/// Serves `/metrics` on this address until the program ends.
pub async fn serve(fleet: Fleet, address: &str) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let router = Router::new().route("/metrics", get(metrics)).with_state(fleet);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn metrics(State(fleet): State<Fleet>) -> String {
    fleet.exposition(Clock::Wall.now().millis())
}
