//! How a Prometheus lets us in: token or password, headers, certificates. All files are looked at for every request, so that what rotates is used at
//! once and nobody restarts a daemon for it. Nothing secret appears in an error.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use burnward_core::ledger::{Reason, Unknown};
use reqwest::{
    Certificate, Client, Identity, RequestBuilder, Url,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue},
};

use crate::{
    config::{Credentials, PrometheusConfig, TlsFiles},
    source::http::{self, credentials, unknown},
};

/// Cap on a file of certificates: a machine's whole store is a third of it.
const MAX_PEM: u64 = 1024 * 1024;

/// Who we are to a Prometheus, and whom we take for it.
#[derive(Debug)]
pub(super) struct Access {
    credentials: Credentials,
    headers: HeaderMap,
    tls: TlsFiles,
    timeout: Duration,
    client: Mutex<Built>,
}

/// A client, or why there is none, and when the files that it was built from were written.
#[derive(Debug)]
struct Built {
    client: Result<Client, Unknown>,
    written: Vec<Option<SystemTime>>,
}

impl Built {
    /// With the times from before the files are read: what changes meanwhile is seen next time.
    fn from(tls: &TlsFiles, timeout: Duration) -> Self {
        let written = written(tls);
        let client = client(tls, timeout).map_err(|error| unknown(Reason::Denied, format!("{error:#}")));
        Self { client, written }
    }

    /// Whether it may be used as it is. What failed is tried again each time: a file that may be read now has not changed.
    fn is_current(&self, tls: &TlsFiles) -> bool {
        self.client.is_ok() && self.written == written(tls)
    }
}

impl Access {
    /// Files that cannot be used are no error here: they may come later, and until then the source is blind. Over a loopback nothing is asked for
    /// compressed: there it costs both sides more CPU than all the rest of an answer, and spares nothing.
    ///
    /// # Errors
    /// What no file can mend: a header that cannot be sent, a timeout of zero.
    pub(super) fn new(config: &PrometheusConfig, base: &Url) -> anyhow::Result<Self> {
        drop(http::builder(config.timeout)?);
        let mut headers = headers(config)?;
        if http::is_loopback(base) {
            headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        }
        Ok(Self {
            credentials: config.credentials.clone(),
            headers,
            tls: config.tls.clone(),
            timeout: config.timeout,
            client: Mutex::new(Built::from(&config.tls, config.timeout)),
        })
    }

    /// True where a secret travels with each request.
    pub(super) const fn sends_a_secret(&self) -> bool {
        match self.credentials {
            Credentials::None => false,
            Credentials::Bearer(_) | Credentials::Basic { .. } => true,
        }
    }

    /// The client, built anew where a file of its certificates changed.
    ///
    /// # Errors
    /// A file that cannot be read or holds no certificate or key.
    pub(super) fn client(&self) -> Result<Client, Unknown> {
        let mut built = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if !built.is_current(&self.tls) {
            *built = Built::from(&self.tls, self.timeout);
        }
        built.client.clone()
    }

    /// The request with headers and credentials, and what of these must not come back in an error, longest first.
    ///
    /// # Errors
    /// The file of the token or password cannot be read or holds none.
    pub(super) async fn sign(&self, request: RequestBuilder) -> Result<(RequestBuilder, Vec<String>), Unknown> {
        let request = request.headers(self.headers.clone());
        credentials::sign(request, &self.credentials).await
    }
}

fn headers(config: &PrometheusConfig) -> anyhow::Result<HeaderMap> {
    let header = |(name, value): (&String, &String)| {
        let parsed = (HeaderName::try_from(name.as_str())?, HeaderValue::try_from(value.as_str())?);
        anyhow::Ok(parsed)
    };
    config.headers.iter().map(|pair| header(pair).with_context(|| format!("the header `{}` cannot be sent", pair.0))).collect()
}

/// When each file of TLS was last written; `None` where it cannot be seen.
fn written(tls: &TlsFiles) -> Vec<Option<SystemTime>> {
    let client = tls.client.iter().flat_map(|client| [&client.certificate, &client.key]);
    let modified = |path: &PathBuf| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    tls.ca.iter().chain(client).map(modified).collect()
}

/// A client that trusts and shows what these files hold.
fn client(tls: &TlsFiles, timeout: Duration) -> anyhow::Result<Client> {
    let mut builder = http::builder(timeout)?;
    if let Some(path) = &tls.ca {
        let certificates = Certificate::from_pem_bundle(&read_pem(path)?).ok().filter(|certificates| !certificates.is_empty());
        builder = builder.tls_certs_only(certificates.with_context(|| format!("{} holds no certificate in PEM form", path.display()))?);
    }
    if let Some(own) = &tls.client {
        let mut pem = read_pem(&own.certificate)?;
        pem.push(b'\n');
        pem.extend(read_pem(&own.key)?);
        let identity = Identity::from_pem(&pem).ok().with_context(|| {
            format!("{} and {} hold no certificate and private key in PEM form", own.certificate.display(), own.key.display())
        })?;
        builder = builder.identity(identity);
    }
    builder.build().ok().context("the certificate and the key for TLS do not fit each other")
}

fn read_pem(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read as _;
    let cannot = || format!("the file {} of TLS cannot be read", path.display());
    let mut pem = Vec::new();
    std::fs::File::open(path).with_context(cannot)?.take(MAX_PEM).read_to_end(&mut pem).with_context(cannot)?;
    Ok(pem)
}
