//! What every source needs of HTTP: a client that goes only where it is told, bodies under a cap, errors as `Unknown`.

use std::{fmt, time::Duration};

use anyhow::{Context, bail, ensure};
use burnward_core::ledger::{Reason, Unknown};
use reqwest::{Client, ClientBuilder, Response, Url, redirect};

pub(super) mod credentials;
mod failure;

pub(super) use failure::failed;

/// The longest detail, in characters.
const MAX_DETAIL: usize = 300;
/// How long a connection may take to open, unless the whole request has less.
const MAX_CONNECT: Duration = Duration::from_secs(5);

/// A client bound to `timeout` for a whole request. It follows no redirect and takes no proxy from the environment: we connect only where
/// the operator said.
pub(super) fn client(timeout: Duration) -> anyhow::Result<Client> {
    builder(timeout)?.build().context("cannot build an HTTP client")
}

/// The same before it is built, for what has TLS of its own.
pub(super) fn builder(timeout: Duration) -> anyhow::Result<ClientBuilder> {
    ensure!(rustls::crypto::CryptoProvider::get_default().is_some(), "no TLS provider was installed before the first HTTP client");
    ensure!(!timeout.is_zero(), "a timeout of zero would refuse every answer");
    Ok(Client::builder()
        .user_agent(concat!("burnward/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        // Over HTTP/2 a server that wants a certificate of ours only seems to hang up: its alert is lost.
        .http1_only()
        .connect_timeout(timeout.min(MAX_CONNECT))
        .read_timeout(timeout)
        .timeout(timeout)
        .pool_idle_timeout(Duration::from_secs(30)))
}

/// The URL of a source: http or https, with a host, without user, password or fragment.
pub(super) fn source_url(text: &str) -> anyhow::Result<Url> {
    // The text itself may hold a password, so an error never repeats it.
    let url = Url::parse(text).map_err(|error| anyhow::anyhow!("the URL of a source cannot be read: {error}"))?;
    ensure!(matches!(url.scheme(), "http" | "https"), "`{}` must begin with http:// or https://", Redacted(&url));
    ensure!(url.host_str().is_some(), "`{}` names no host", Redacted(&url));
    if !url.username().is_empty() || url.password().is_some() {
        bail!("`{}` holds a user or a password: put the password into a file and name both under basic-auth", Redacted(&url));
    }
    ensure!(url.fragment().is_none(), "`{}` has a fragment (#...), which is never sent", Redacted(&url));
    Ok(url)
}

/// True where nothing that is sent leaves the machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A URL as it may be shown: without user, password, query and fragment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Redacted<'a>(pub(super) &'a Url);

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str(self.0.path().trim_end_matches('/'))
    }
}

/// Not seeing, with a detail that is safe to show anywhere: control and direction characters visible, at most 300 characters.
pub(super) fn unknown(reason: Reason, text: impl AsRef<str>) -> Unknown {
    Unknown { reason, detail: shown(text.as_ref()) }
}

fn shown(text: &str) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for c in text.chars() {
        let piece = if is_invisible(c) { c.escape_unicode().to_string() } else { c.to_string() };
        length += piece.chars().count();
        if length >= MAX_DETAIL {
            shown.push('…');
            break;
        }
        shown.push_str(&piece);
    }
    shown
}

/// Characters that change how a line looks without being seen: control, zero width, direction.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The decoded body, as long as it stays within `cap` bytes. A compressed body is decoded piece by piece, so that a small one which
/// would grow without end is dropped at the cap.
pub(super) async fn body(response: Response, cap: usize) -> Result<Vec<u8>, Unknown> {
    body_into(Vec::new(), response, cap).await
}

/// The same into an empty buffer, whose memory is used.
pub(super) async fn body_into(mut body: Vec<u8>, mut response: Response, cap: usize) -> Result<Vec<u8>, Unknown> {
    let promised = response.content_length().unwrap_or(0);
    if usize::try_from(promised).is_ok_and(|promised| promised <= cap) {
        while let Some(piece) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len() + piece.len() > cap {
                return Err(too_big(cap));
            }
            body.extend_from_slice(&piece);
        }
        return Ok(body);
    }
    Err(too_big(cap))
}

fn too_big(cap: usize) -> Unknown {
    unknown(Reason::TooBig, format!("the answer is larger than {cap} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_short_and_shows_what_would_be_invisible() {
        assert_eq!(unknown(Reason::Cut, "a\n\u{202e}b").detail, "a\\u{a}\\u{202e}b");
        let long = unknown(Reason::Cut, "\u{7}".repeat(1000)).detail;
        assert!(long.chars().count() <= MAX_DETAIL && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_url_with_a_password_is_refused_and_never_repeated() {
        for url in [
            "http://ada:hunter2@prom:9090",
            "http://hunter2@prom/x?y=1",
            "http://:hunter2@prom",
            "ftp://ada:hunter2@prom",
            "http://ada:hunter2@",
        ] {
            let error = format!("{:#}", source_url(url).unwrap_err());
            assert!(!error.contains("hunter2"), "{error}");
        }
        for url in ["prom:9090", "file:///etc/passwd", "http://", "", "http://prom/#x", "http://[::1"] {
            assert!(source_url(url).is_err(), "{url}");
        }
        assert_eq!(
            Redacted(&source_url("https://prom.example/mimir/prometheus/").unwrap()).to_string(),
            "https://prom.example/mimir/prometheus"
        );
    }
}
