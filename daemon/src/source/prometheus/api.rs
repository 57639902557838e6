//! One request to the API and whether its answer may be read: address, turns, timeouts, caps, status, content type.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::ensure;
use burnward_core::ledger::{Reason, Unknown};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER},
};
use tokio::{sync::Semaphore, time::Instant};

use super::{
    access::Access,
    decode::{self, Refusal},
    duration_text,
};
use crate::{
    config::PrometheusConfig,
    source::http::{self, Redacted, credentials, unknown},
};

/// Cap on the body of a refusal, of which only a sentence is shown.
const MAX_REFUSAL: usize = 64 * 1024;
/// So many buffers are kept for the next answers, of so many bytes each at most: what comes again and again needs no new memory.
const KEPT_BUFFERS: usize = 4;
const KEPT_BYTES: usize = 8 << 20;
/// The longest wait that a Retry-After can ask of us: a page must not wait for a number in a header.
const MAX_QUIET: Duration = Duration::from_mins(1);

/// The API of one Prometheus.
#[derive(Debug)]
pub(super) struct Api {
    access: Box<Access>,
    base: Url,
    timeout: Duration,
    max_bytes: usize,
    /// Requests that may be under way at once.
    at_once: Semaphore,
    /// Empty ones for the next answers.
    buffers: Mutex<Vec<Vec<u8>>>,
    /// Until when it asked not to be asked.
    quiet_until: Mutex<Option<Instant>>,
}

impl Api {
    pub(super) fn new(config: &PrometheusConfig) -> anyhow::Result<Self> {
        let mut base = http::source_url(&config.url)?;
        ensure!(base.query().is_none(), "`{}` has a query (?...), which a base URL cannot have", Redacted(&base));
        let path = format!("{}/api/v1/", base.path().trim_end_matches('/'));
        base.set_path(&path);
        Ok(Self {
            access: Box::new(Access::new(config, &base)?),
            base,
            at_once: Semaphore::new(config.at_once),
            timeout: config.timeout,
            max_bytes: config.max_bytes,
            buffers: Mutex::default(),
            quiet_until: Mutex::new(None),
        })
    }

    pub(super) const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// True where a token or a password would travel in the clear over a network.
    pub(super) fn shows_its_secret(&self) -> bool {
        self.access.sends_a_secret() && self.base.scheme() == "http" && !http::is_loopback(&self.base)
    }

    /// The body of a query, sent as a form so that no length of a query meets a limit on URLs.
    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Vec<u8>, Unknown> {
        let timeout = duration_text(self.timeout);
        let mut form = form.to_vec();
        // Prometheus stops to compute what we would no longer read.
        form.push(("timeout", &timeout));
        self.ask(|client| client.post(self.url(path)).form(&form)).await
    }

    /// The body of a status page.
    pub(super) async fn get(&self, path: &str) -> Result<Vec<u8>, Unknown> {
        self.ask(|client| client.get(self.url(path))).await
    }

    /// The body of what is asked for in an address.
    pub(super) async fn get_with(&self, path: &str, asked: &[(&str, &str)]) -> Result<Vec<u8>, Unknown> {
        let mut url = self.url(path);
        url.query_pairs_mut().extend_pairs(asked);
        self.ask(|client| client.get(url)).await
    }

    /// Takes the memory of an answer that was read, for the next one.
    pub(super) fn give_back(&self, mut body: Vec<u8>) {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if body.capacity() <= KEPT_BYTES && buffers.len() < KEPT_BUFFERS {
            body.clear();
            buffers.push(body);
        }
    }

    /// The same with the place in front, where the detail says only what.
    pub(super) fn at(&self, what: &Unknown) -> Unknown {
        unknown(what.reason, format!("{}: {}", self.place(), what.detail))
    }

    /// Its base as it may be shown.
    pub(super) fn place(&self) -> String {
        let mut place = self.base.clone();
        place.set_path(self.base.path().trim_end_matches("/api/v1/"));
        Redacted(&place).to_string()
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    async fn ask(&self, request: impl FnOnce(&Client) -> RequestBuilder) -> Result<Vec<u8>, Unknown> {
        let _turn = self.at_once.acquire().await.map_err(|_| unknown(Reason::SourceError, "the source is closed"))?;
        self.not_in_its_quiet_time()?;
        let client = self.access.client().map_err(|what| self.at(&what))?;
        let (request, secrets) = self.access.sign(request(&client)).await.map_err(|what| self.at(&what))?;
        self.answer(request).await.map_err(|what| self.at(&credentials::without_secrets(&what, &secrets)))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, Unknown> {
        let response = request.send().await.map_err(|error| http::failed(&error))?;
        match response.status() {
            StatusCode::OK => {
                is_json(response.headers())?;
                let buffer = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
                http::body_into(buffer, response, self.max_bytes).await
            }
            status => {
                self.keep_quiet(response.headers(), status);
                Err(refused(response).await)
            }
        }
    }

    fn not_in_its_quiet_time(&self) -> Result<(), Unknown> {
        let until = *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        match until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(left) if !left.is_zero() => {
                Err(self.at(&unknown(Reason::Busy, format!("it asked us to wait; {} s are left of that", left.as_secs() + 1))))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn keep_quiet(&self, headers: &HeaderMap, status: StatusCode) {
        if let (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(wait)) = (status, retry_after(headers)) {
            *self.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait.min(MAX_QUIET));
        }
    }
}

/// How long the server asks us to wait: in seconds, or as the date until when, by its own clock where it tells that.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = header(headers, &RETRY_AFTER)?.trim();
    let until = match text.parse() {
        Ok(seconds) => return Some(Duration::from_secs(seconds)),
        Err(_) => http_date(text)?,
    };
    let now = header(headers, &DATE).and_then(http_date).unwrap_or_else(jiff::Timestamp::now);
    Duration::try_from(until.duration_since(now)).ok()
}

fn http_date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

fn is_json(headers: &HeaderMap) -> Result<(), Unknown> {
    let given = header(headers, &CONTENT_TYPE).unwrap_or("no content type");
    let media = given.split(';').next().unwrap_or_default().trim();
    // VictoriaMetrics gives raw samples as a stream.
    if ["application/json", "application/stream+json"].iter().any(|json| media.eq_ignore_ascii_case(json)) {
        return Ok(());
    }
    Err(unknown(Reason::BadType, format!("the answer is not JSON but {given}; is there a login page in front of it?")))
}

/// What a status other than 200 means.
async fn refused(response: Response) -> Unknown {
    let status = response.status();
    let headers = response.headers().clone();
    if status.is_redirection() {
        let target = header(&headers, &LOCATION).and_then(|to| Url::parse(to).ok());
        let target = target.map_or_else(|| "elsewhere".to_owned(), |url| Redacted(&url).to_string());
        return unknown(Reason::BadType, format!("HTTP {}: it sends us to {target}, where we do not go", status.as_u16()));
    }
    let refusal = refusal(response, &headers).await;
    let said = refusal.as_ref().map_or("", |refusal| refusal.message.as_str());
    let reason = reason_of(status, refusal.as_ref());
    let wait = header(&headers, &RETRY_AFTER).map(|wait| format!(", Retry-After {wait}")).unwrap_or_default();
    let separator = if said.is_empty() { "" } else { ": " };
    let place = if status == StatusCode::NOT_FOUND { "; does its URL lead to a Prometheus, without /api/v1?" } else { "" };
    unknown(reason, format!("HTTP {}{wait}{separator}{said}{place}", status.as_u16()))
}

/// The API's own words in a refusal, where it has any.
async fn refusal(response: Response, headers: &HeaderMap) -> Option<Refusal> {
    is_json(headers).ok()?;
    let body = http::body(response, MAX_REFUSAL).await.ok()?;
    decode::refusal(&body)
}

/// The status decides where it is plain; 5xx and the rest are as the API's error type says.
fn reason_of(status: StatusCode, refusal: Option<&Refusal>) -> Reason {
    match (status.as_u16(), refusal) {
        (400 | 422, Some(refusal)) if refusal.is_of_samples() => Reason::TooBig,
        (400 | 422, _) => Reason::BadQuery,
        (401 | 403, _) => Reason::Denied,
        (503, Some(refusal)) if refusal.reason() == Reason::Timeout => Reason::Timeout,
        (429 | 503, _) => Reason::Busy,
        (408 | 504, _) => Reason::Timeout,
        (_, Some(refusal)) => refusal.reason(),
        (_, None) => Reason::SourceError,
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'a str> {
    headers.get(name).map(HeaderValue::to_str)?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_as_a_date_by_the_clock_of_the_server() {
        let headers = |wait: &str| {
            let date = (DATE, HeaderValue::from_static("Wed, 21 Oct 2015 07:27:30 GMT"));
            HeaderMap::from_iter([date, (RETRY_AFTER, HeaderValue::try_from(wait).expect("a header"))])
        };
        for (wait, seconds) in [
            ("30", Some(30)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", None),
            ("-1", None),
            ("soon", None),
            ("86400", Some(86_400)),
        ] {
            assert_eq!(retry_after(&headers(wait)).map(|wait| wait.as_secs()), seconds, "{wait}");
        }
    }
}
