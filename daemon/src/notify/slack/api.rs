//! Calls of Slack's Web API: one connection pool, a timeout around every call, tokens from files, and failures that say whether the call can
//! have been applied.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper_util::client::legacy::{Error as HyperError, connect::HttpConnector};
use serde_json::Value;
use slack_morphism::{errors::SlackClientError, prelude::*};

use super::classify::CallError;

/// Slack's own API.
const PRODUCTION: &str = "https://slack.com/api";
/// How an app-level token begins.
const APP_TOKEN: &str = "xapp-";
/// Bound of a connection attempt.
const CONNECT: Duration = Duration::from_secs(3);

/// The Web API as one of our apps sees it.
#[derive(Clone)]
pub(super) struct Api {
    client: Arc<SlackHyperClient>,
    base: url::Url,
    token: Arc<TokenFile>,
    /// Bound of a whole call.
    bound: Duration,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The base is not a URL.
    #[error("`{0}` is not the URL of a Slack API")]
    Base(String),
    /// The machine's root certificates cannot be read.
    #[error("the root certificates cannot be read, so that Slack cannot be verified: {0}")]
    Roots(#[source] io::Error),
}

/// Why there is no connection of Socket Mode.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The token is one of another kind.
    #[error("{0} holds no app-level token: that begins with `{APP_TOKEN}`")]
    NotAppToken(String),
    /// The token cannot be read, or Slack gives no connection for it.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Api {
    /// A client for the API at `base`, or Slack's own.
    pub(super) fn new(base: Option<&str>, bot_token_file: PathBuf, bound: Duration) -> Result<Self, ConnectError> {
        let text = base.unwrap_or(PRODUCTION).trim_end_matches('/');
        let url: url::Url = text.parse().map_err(|_| ConnectError::Base(text.to_owned()))?;
        let connector = connector(&url)?.with_slack_api_url(text);
        Ok(Self { client: Arc::new(SlackClient::new(connector)), base: url, token: Arc::new(TokenFile::new(bot_token_file)), bound })
    }

    /// The client itself, for the socket.
    pub(super) fn client(&self) -> Arc<SlackHyperClient> {
        self.client.clone()
    }

    /// Where the API is.
    pub(super) fn base(&self) -> &url::Url {
        &self.base
    }

    /// A call that writes: JSON in the body.
    pub(super) async fn post(&self, method: &str, body: &Value) -> Result<Value, CallError> {
        self.with_token(&Call::Post { method, body }).await
    }

    /// A call that reads: parameters in the query, as reading methods ignore JSON.
    pub(super) async fn get(&self, method: &str, params: &[(&'static str, String)]) -> Result<Value, CallError> {
        self.with_token(&Call::Get { method, params }).await
    }

    /// Calls with the token as it was last read; where it is refused and the file holds a new one, once more.
    async fn with_token(&self, call: &Call<'_>) -> Result<Value, CallError> {
        let (token, text) = self.token.last_read()?;
        match self.once(&token, call).await {
            Err(error) if error.is_token() => match self.token.read_again()? {
                (_, again) if again == text => Err(error),
                (token, _) => self.once(&token, call).await,
            },
            outcome => outcome,
        }
    }

    /// Asks for the address of a connection of Socket Mode with the app-level token that the file holds.
    pub(super) async fn open_connection(&self, app_token_file: PathBuf) -> Result<(), SocketError> {
        let named = app_token_file.display().to_string();
        let (token, text) = TokenFile::new(app_token_file).read_again()?;
        if !text.starts_with(APP_TOKEN) {
            return Err(SocketError::NotAppToken(named));
        }
        self.once(&token, &Call::Post { method: "apps.connections.open", body: &serde_json::json!({}) }).await?;
        Ok(())
    }

    async fn once(&self, token: &SlackApiToken, call: &Call<'_>) -> Result<Value, CallError> {
        let session = self.client.open_session(token);
        match call {
            Call::Post { method, body } => bounded(session.http_session_api.http_post::<_, Value>(method, body, None), self.bound).await,
            Call::Get { method, params } => {
                let params: Vec<(&str, Option<&str>)> = params.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
                bounded(session.http_session_api.http_get::<Value, _, _>(method, &params, None), self.bound).await
            }
        }
    }
}

/// A call of a method.
enum Call<'a> {
    Post { method: &'a str, body: &'a Value },
    Get { method: &'a str, params: &'a [(&'static str, String)] },
}

/// The connector; always our own, because the library's refuses plain HTTP. Without TLS no certificates are needed.
fn connector(base: &url::Url) -> Result<SlackClientHyperHttpsConnector, ConnectError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(CONNECT));
    let builder = hyper_rustls::HttpsConnectorBuilder::new();
    let tls = if base.scheme() == "http" {
        let no_roots = rustls::ClientConfig::builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        builder.with_tls_config(no_roots).https_or_http()
    } else {
        builder.with_native_roots().map_err(ConnectError::Roots)?.https_only()
    };
    Ok(SlackClientHyperConnector::with_connector(tls.enable_http1().enable_http2().wrap_connector(http)))
}

/// The outcome of a call, at most as late as its bound.
async fn bounded(call: impl Future<Output = Result<Value, SlackClientError>>, bound: Duration) -> Result<Value, CallError> {
    match tokio::time::timeout(bound, call).await {
        Err(_) => Err(CallError::Unclear(format!("no answer within {} s", bound.as_secs()))),
        Ok(Ok(answer)) if answer.get("ok").and_then(Value::as_bool) == Some(true) => Ok(answer),
        Ok(Ok(_)) => Err(CallError::Unclear("HTTP 200 without Slack's JSON".to_owned())),
        Ok(Err(error)) => Err(call_error(error)),
    }
}

/// The library's error without the bodies that its own text would show.
fn call_error(error: SlackClientError) -> CallError {
    match error {
        SlackClientError::RateLimitError(limit) => CallError::RateLimited(limit.retry_after),
        SlackClientError::ApiError(api) => CallError::Refused { detail: api_detail(&api), code: shortened(&api.code) },
        SlackClientError::HttpProtocolError(protocol) => {
            match protocol.cause.as_ref().and_then(|cause| cause.downcast_ref::<HyperError>()) {
                Some(error) if error.is_connect() => CallError::NotReached(chain(error)),
                Some(error) => CallError::Unclear(chain(error)),
                None => CallError::Unclear("the connection broke".to_owned()),
            }
        }
        SlackClientError::HttpError(http) => http_error(http.status_code.as_u16()),
        SlackClientError::ProtocolError(_) => CallError::Unclear("the answer is not Slack's JSON".to_owned()),
        SlackClientError::SystemError(_) => CallError::Unclear("the call failed".to_owned()),
        SlackClientError::EndOfStream(_) | SlackClientError::SocketModeProtocolError(_) => {
            CallError::Unclear("the connection ended".to_owned())
        }
    }
}

/// Slack answers 200 or 429 itself; everything else is something in between. Only a server's failure can hide that the call was applied.
fn http_error(status: u16) -> CallError {
    match status {
        408 | 500.. => CallError::Unclear(format!("HTTP {status}")),
        _ => CallError::NotReached(format!("something between answers HTTP {status}")),
    }
}

/// Hints of Slack about a refusal, such as the pointer to the block that is wrong.
fn api_detail(error: &slack_morphism::errors::SlackClientApiError) -> String {
    shortened(&error.errors.iter().flatten().cloned().collect::<Vec<_>>().join("; "))
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// The error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    shortened(&text)
}

/// A token that lives in a file.
pub(super) struct TokenFile {
    path: PathBuf,
    read: Mutex<Option<String>>,
}

impl TokenFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::new(None) }
    }

    /// The token as it was last read, with its text for comparison.
    fn last_read(&self) -> Result<(SlackApiToken, String), CallError> {
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.map_or_else(|| self.read_again(), |text| Ok((token(&text), text)))
    }

    /// The token as it now stands in the file.
    pub(super) fn read_again(&self) -> Result<(SlackApiToken, String), CallError> {
        let text = read_secret(&self.path).map_err(|error| CallError::NoToken(error.to_string()))?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.clone());
        Ok((token(&text), text))
    }
}

fn token(text: &str) -> SlackApiToken {
    SlackApiToken::new(text.to_owned().into())
}

/// A secret's text from its file, without the newline that editors leave.
pub(super) fn read_secret(path: &std::path::Path) -> io::Result<String> {
    let named = |error: &str| io::Error::other(format!("{}: {error}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| named(&error.to_string()))?;
    match text.trim() {
        "" => Err(named("it is empty")),
        secret => Ok(secret.to_owned()),
    }
}
