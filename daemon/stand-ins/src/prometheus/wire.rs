//! Connections that misbehave: a door that can be shut, and a wire that drips or is torn.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Sleep, sleep},
};

/// The pace of a wire that drips.
const DRIP: Duration = Duration::from_millis(50);
/// How long to wait before a port is tried again that somebody else holds.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// A listener that can close its port and open it again.
pub(super) struct Door {
    address: SocketAddr,
    listener: Option<TcpListener>,
    /// What it should be.
    shut: watch::Receiver<bool>,
    /// What it is.
    is_shut: watch::Sender<bool>,
}

impl Door {
    pub(super) async fn open(shut: watch::Receiver<bool>, is_shut: watch::Sender<bool>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self { address: listener.local_addr()?, listener: Some(listener), shut, is_shut })
    }

    /// Opens or closes as it should be. A closed port refuses.
    async fn obey(&mut self) {
        let shut = *self.shut.borrow_and_update();
        if shut {
            self.listener = None;
        } else if self.listener.is_none() {
            match TcpListener::bind(self.address).await {
                Ok(listener) => self.listener = Some(listener),
                Err(_) => return sleep(TRY_AGAIN).await,
            }
        }
        self.is_shut.send_replace(self.listener.is_none());
    }

    async fn wait_for_change(&mut self) {
        if self.shut.changed().await.is_err() {
            // Nobody is left who could open it.
            std::future::pending::<()>().await;
        }
    }
}

impl Listener for Door {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            self.obey().await;
            let Some(listener) = &self.listener else {
                if *self.shut.borrow() {
                    self.wait_for_change().await;
                }
                continue;
            };
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, from)) => return (Wire::new(stream), from),
                    Err(_) => sleep(TRY_AGAIN).await,
                },
                changed = self.shut.changed() => if changed.is_err() {
                    self.wait_for_change().await;
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// What a handler can do to the connection of its request.
#[derive(Debug, Clone, Default)]
pub(super) struct Tap(Arc<Mode>);

#[derive(Debug, Default)]
struct Mode {
    dripping: AtomicBool,
    torn: AtomicBool,
}

impl Tap {
    /// From now on one byte at a time goes out.
    pub(super) fn drip(&self) {
        self.0.dripping.store(true, Ordering::SeqCst);
    }

    /// The next byte that should go out resets the connection instead.
    pub(super) fn tear(&self) {
        self.0.torn.store(true, Ordering::SeqCst);
    }
}

impl Connected<IncomingStream<'_, Door>> for Tap {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().tap.clone()
    }
}

/// A connection.
pub(super) struct Wire {
    stream: TcpStream,
    tap: Tap,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    fn new(stream: TcpStream) -> Self {
        Self { stream, tap: Tap::default(), pause: None }
    }

    fn poll_drip(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
        }
        self.pause = Some(Box::pin(sleep(DRIP)));
        Pin::new(&mut self.stream).poll_write(cx, &bytes[..bytes.len().min(1)])
    }

    fn tear(&self) -> io::Error {
        // Without this the connection would end in order.
        drop(self.stream.set_zero_linger());
        io::ErrorKind::ConnectionReset.into()
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.tap.0.torn.load(Ordering::SeqCst) {
            return Poll::Ready(Err(self.tear()));
        }
        if self.tap.0.dripping.load(Ordering::SeqCst) {
            return self.poll_drip(cx, bytes);
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
