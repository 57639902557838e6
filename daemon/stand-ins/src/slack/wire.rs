//! The connection level: a listener that can truly refuse, and connections that can be cut with a reset at any moment.
//! Clients treat "refused" (surely not sent) and "reset" (perhaps applied) differently, so both must be real here.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

const BACKLOG: u32 = 1024;

/// The switch of the front door: shut it for a while, or cut everyone who is inside.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    shut_until: watch::Sender<Option<Instant>>,
    inside: Arc<Mutex<CancellationToken>>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { shut_until: watch::Sender::new(None), inside: Arc::new(Mutex::new(CancellationToken::new())) }
    }

    /// Resets every open connection and refuses new ones for `span`.
    pub(super) fn refuse_for(&self, span: Duration) {
        self.shut_until.send_replace(Instant::now().checked_add(span));
        self.cut_everyone();
    }

    /// Takes connections again.
    pub(super) fn open(&self) {
        self.shut_until.send_replace(None);
    }

    /// Resets every open connection.
    pub(super) fn cut_everyone(&self) {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *inside, CancellationToken::new()).cancel();
    }

    fn admit(&self) -> CancellationToken {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).child_token()
    }
}

/// The listening end. While the gate is shut its port stays bound but does not listen, so that the kernel refuses and nobody else takes it.
pub(super) struct Door {
    address: SocketAddr,
    post: Post,
    gate: Gate,
    shut_until: watch::Receiver<Option<Instant>>,
}

enum Post {
    Open(TcpListener),
    Parked(TcpSocket),
    Lost,
}

impl Door {
    pub(super) fn bind(address: SocketAddr, gate: &Gate) -> io::Result<Self> {
        let listener = bound(address)?.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok(Self { address, post: Post::Open(listener), gate: gate.clone(), shut_until: gate.shut_until.subscribe() })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    fn park(&mut self) {
        if matches!(self.post, Post::Parked(_)) {
            return;
        }
        self.post = Post::Lost;
        match bound(self.address) {
            Ok(socket) => self.post = Post::Parked(socket),
            Err(error) => tracing::warn!(%error, "the port cannot be kept while it refuses"),
        }
    }

    fn listener(&mut self) -> io::Result<&TcpListener> {
        let listener = match std::mem::replace(&mut self.post, Post::Lost) {
            Post::Open(listener) => listener,
            Post::Parked(socket) => socket.listen(BACKLOG)?,
            Post::Lost => bound(self.address)?.listen(BACKLOG)?,
        };
        self.post = Post::Open(listener);
        match &self.post {
            Post::Open(listener) => Ok(listener),
            Post::Parked(_) | Post::Lost => Err(io::Error::other("the listener was just opened")),
        }
    }

    async fn wait_shut(&mut self, until: Instant) {
        self.park();
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            _ = self.shut_until.changed() => {}
        }
    }

    /// One attempt; `None` when the gate moved meanwhile.
    async fn next(&mut self) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        let mut moved = self.shut_until.clone();
        let listener = self.listener()?;
        tokio::select! {
            accepted = listener.accept() => accepted.map(Some),
            _ = moved.changed() => Ok(None),
        }
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        loop {
            let shut_until = *self.shut_until.borrow_and_update();
            if let Some(until) = shut_until.filter(|until| *until > Instant::now()) {
                self.wait_shut(until).await;
                continue;
            }
            match self.next().await {
                Ok(Some((stream, peer))) => return (Wire::new(stream, self.gate.admit()), peer),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// What a request handler holds of its connection: the scissors.
#[derive(Debug, Clone)]
pub(super) struct Scissors(CancellationToken);

impl Scissors {
    /// Ends the connection with a reset; the peer reads no further byte.
    pub(super) fn cut(&self) {
        self.0.cancel();
    }

    /// Waits until somebody cuts the connection.
    pub(super) async fn cut_by_someone(&self) {
        self.0.cancelled().await;
    }
}

impl Connected<IncomingStream<'_, Door>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        Self(stream.io().cut.clone())
    }
}

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    cut: CancellationToken,
    woken_by_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Wire {
    fn new(stream: TcpStream, cut: CancellationToken) -> Self {
        Self { stream, woken_by_cut: Box::pin(cut.clone().cancelled_owned()), cut }
    }

    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.cut.is_cancelled() && self.woken_by_cut.as_mut().poll(context).is_pending() {
            return Ok(());
        }
        self.stream.set_zero_linger()?;
        Err(io::ErrorKind::ConnectionReset.into())
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
