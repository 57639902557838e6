//! One target: its address, one scrape of it, and the samples that come of it.

use std::time::{Duration, Instant};

use burnward_core::{
    ledger::{Reason, Unknown},
    sli::Labels,
};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderValue},
};

use super::exposition::{self, Exposed, Format};
use crate::{
    config::Credentials,
    source::http::{self, credentials, unknown},
};

/// Cap on the text of one target.
const MAX_BODY: usize = 16 * 1024 * 1024;
/// Cap on the samples of one target.
const MAX_SAMPLES: usize = 100_000;
/// What we read, OpenMetrics first because its end is marked.
const ACCEPTED: &str = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";
/// What we add ourselves.
const OURS: [&str; 2] = ["up", "scrape_duration_seconds"];

/// A target.
#[derive(Debug)]
pub(super) struct Target {
    url: Url,
    job: String,
    instance: String,
}

/// What one scrape brought.
#[derive(Debug)]
pub(super) struct Scraped {
    pub(super) samples: Result<Vec<Exposed>, Unknown>,
    seconds: f64,
}

impl Target {
    pub(super) fn new(url: &str, job: &str) -> anyhow::Result<Self> {
        let url = http::source_url(url)?;
        let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        let instance = format!("{}{port}", url.host_str().unwrap_or_default());
        Ok(Self { url, job: job.to_owned(), instance })
    }

    /// Host and port.
    pub(super) fn instance(&self) -> &str {
        &self.instance
    }

    pub(super) async fn scrape(&self, client: &Client) -> Scraped {
        let started = Instant::now();
        let samples = self.fetch(client).await;
        Scraped { samples, seconds: started.elapsed().as_secs_f64() }
    }

    /// What is kept of a scrape: the target's samples under our labels, whether it is up, and how long it took.
    pub(super) fn samples(&self, scraped: Scraped) -> Vec<(Labels, f64)> {
        let up = if scraped.samples.is_ok() { 1.0 } else { 0.0 };
        let exposed = scraped.samples.unwrap_or_default().into_iter().map(|sample| (self.labelled(&sample.labels), sample.value));
        exposed.chain(OURS.into_iter().zip([up, scraped.seconds]).map(|(name, value)| (self.ours(name), value))).collect()
    }

    async fn fetch(&self, client: &Client) -> Result<Vec<Exposed>, Unknown> {
        let (body, format) = body_of(client.get(self.url.clone())).await?;
        // Large texts take milliseconds of CPU: they are read where waiting is allowed.
        let parsed = tokio::task::spawn_blocking(move || read(body, format)).await;
        parsed.unwrap_or_else(|error| Err(unknown(Reason::SourceError, format!("the parser stopped: {error}"))))
    }

    /// The target's labels with ours; where both have one, theirs is renamed as Prometheus does.
    fn labelled(&self, theirs: &Labels) -> Labels {
        let pairs = theirs.pairs().map(|(name, value)| match name {
            "job" | "instance" => (renamed(name, theirs), value.to_owned()),
            _ => (name.to_owned(), value.to_owned()),
        });
        Labels::new(pairs.chain(self.identity()))
    }

    fn ours(&self, name: &str) -> Labels {
        Labels::new(self.identity().into_iter().chain([("__name__".to_owned(), name.to_owned())]))
    }

    fn identity(&self) -> [(String, String); 2] {
        [("job".to_owned(), self.job.clone()), ("instance".to_owned(), self.instance.clone())]
    }
}

/// What a target answers, under the cap, and what it says to be.
async fn body_of(request: RequestBuilder) -> Result<(Vec<u8>, Format), Unknown> {
    let response = request.header(ACCEPT, ACCEPTED).send().await.map_err(|error| http::failed(&error))?;
    if response.status() != StatusCode::OK {
        return Err(unknown(Reason::SourceError, format!("HTTP {}", response.status().as_u16())));
    }
    let format = format_of(&response)?;
    Ok((http::body(response, MAX_BODY).await?, format))
}

/// The text of a metrics endpoint, asked for once within `timeout` with these credentials, and its place as it may be shown.
///
/// # Errors
/// A URL that is not http(s) or holds a user or a password; credentials that cannot be read; what does not answer, answers with something else than exposition text, or with more than
/// 16 MiB of it.
pub async fn text_of(url: &str, credentials: &Credentials, timeout: Duration) -> anyhow::Result<(String, Format, String)> {
    let url = http::source_url(url)?;
    let place = http::Redacted(&url).to_string();
    let at = |why: &Unknown| anyhow::anyhow!("{place}: {why}");
    let (request, secrets) = credentials::sign(http::client(timeout)?.get(url.clone()), credentials).await.map_err(|why| at(&why))?;
    let (body, format) = body_of(request).await.map_err(|why| at(&credentials::without_secrets(&why, &secrets)))?;
    Ok((String::from_utf8(body).map_err(|error| anyhow::anyhow!("{place}: the text is not UTF-8: {error}"))?, format, place))
}

/// The name that a label of theirs gets where ours takes its place.
fn renamed(name: &str, theirs: &Labels) -> String {
    let mut new = format!("exported_{name}");
    while !theirs.get(&new).is_empty() {
        new.insert_str(0, "exported_");
    }
    new
}

/// By the content type; a target that gives none, or any plain text, means the text format.
fn format_of(response: &Response) -> Result<Format, Unknown> {
    let given = response.headers().get(CONTENT_TYPE).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or("text/plain");
    match given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/openmetrics-text" => Ok(Format::OpenMetrics),
        "text/plain" => Ok(Format::Text),
        _ => Err(unknown(Reason::BadType, format!("the answer is not exposition text but {given}"))),
    }
}

fn read(body: Vec<u8>, format: Format) -> Result<Vec<Exposed>, Unknown> {
    let text = String::from_utf8(body).map_err(|error| unknown(Reason::BadJson, format!("the text is not UTF-8: {error}")))?;
    let samples = exposition::parse(&text, format).map_err(|error| unknown(Reason::BadJson, error.to_string()))?;
    if samples.len() > MAX_SAMPLES {
        return Err(unknown(Reason::TooMany, format!("the target has {} samples, {MAX_SAMPLES} are allowed", samples.len())));
    }
    match samples.iter().find(|sample| OURS.contains(&sample.labels.get("__name__"))) {
        Some(ours) => {
            Err(unknown(Reason::Duplicate, format!("line {}: `{}` is added by the scrape itself", ours.line, ours.labels.get("__name__"))))
        }
        None => Ok(samples),
    }
}
