//! HTTP by hand to a port of this machine: no client, no TLS provider.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends a request and reads until the connection ends.
pub(super) async fn exchange(port: u16, request: &str) -> std::io::Result<String> {
    exchange_bytes(port, request.as_bytes()).await
}

/// The same with a body that is no text.
pub(super) async fn exchange_bytes(port: u16, request: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
