//! The accept loop: axum's own has no bound on slow headers, so connections are served here, bounded in number and patience.

use std::{sync::Arc, time::Duration};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

use super::{Site, router};

/// How long the headers of a request may take.
const HEADERS: Duration = Duration::from_secs(10);

/// Connections at once; further ones wait to be accepted.
const CONNECTIONS: usize = 512;

/// How long connections may go on after the stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Serves until `stop`.
pub async fn serve(listener: TcpListener, site: Site, stop: CancellationToken) {
    let service = TowerToHyperService::new(router(site));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let connections = TaskTracker::new();
    while let Some((stream, place)) = accept(&listener, &places, &stop).await {
        let service = service.clone();
        let stop = stop.clone();
        connections.spawn(async move {
            let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
            builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            let outcome = tokio::select! {
                outcome = connection.as_mut() => outcome,
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                debug!(error, "a connection ended early");
            }
            drop(place);
        });
    }
    connections.close();
    if timeout(DRAIN, connections.wait()).await.is_err() {
        debug!("connections were cut at the stop");
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    loop {
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place.ok()?,
            () = stop.cancelled() => return None,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return None,
        };
        match accepted {
            Ok((stream, _)) => return Some((stream, place)),
            Err(error) => {
                warn!(%error, "a connection could not be accepted; trying again in a moment");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
