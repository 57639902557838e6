//! A TCP proxy on loopback that can be cut: connections are reset while it is, as when a network between two machines is gone.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// A proxy to one address; it ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    connections: CancellationToken,
    server: JoinHandle<()>,
}

impl Proxy {
    /// A proxy to `to`, given as `host:port`.
    pub async fn start(to: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let cut = Arc::new(AtomicBool::new(false));
        let connections = CancellationToken::new();
        let server = tokio::spawn(serve(listener, to.to_owned(), cut.clone(), connections.clone()));
        Ok(Self { address, cut, connections, server })
    }

    /// The base URL of what lies behind it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts it, or mends it.
    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.connections.cancel();
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, to: String, cut: Arc<AtomicBool>, end: CancellationToken) {
    while let Ok((mut near, _)) = listener.accept().await {
        if cut.load(Ordering::SeqCst) {
            continue;
        }
        let (to, cut, end) = (to.clone(), cut.clone(), end.clone());
        tokio::spawn(async move {
            let Ok(mut far) = TcpStream::connect(to).await else { return };
            tokio::select! {
                _ = copy_bidirectional(&mut near, &mut far) => {}
                () = until_cut(&cut) => {}
                () = end.cancelled() => {}
            }
        });
    }
}

/// Resolves soon after the proxy is cut, so that kept-alive connections do not outlive the cut.
async fn until_cut(cut: &AtomicBool) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(5));
    loop {
        ticks.tick().await;
        if cut.load(Ordering::SeqCst) {
            return;
        }
    }
}
