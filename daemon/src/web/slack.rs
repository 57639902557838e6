//! What Slack sends over HTTP: signed requests. Verified over the raw body, put into the inbox, answered within the 3 s that Slack waits; the work
//! is done afterwards. 401 says that a signature does not fit, and nothing else says 401.

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRef, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::Value;
use slack_morphism::{SlackSigningSecret, signature_verifier::SlackEventSignatureVerifier};

use crate::notify::slack::{Interaction, Slack, Unread};

/// Longest body.
const MAX_BODY: usize = 256 * 1024;

/// The routes below /slack; without Slack, or without a signing secret, they are not found.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S>
where
    Option<Slack>: FromRef<S>,
{
    Router::new()
        .route("/slack/interactions", post(interactions))
        .route("/slack/events", post(events))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// A click: a form with one field `payload`.
async fn interactions(State(slack): State<Option<Slack>>, headers: HeaderMap, body: Bytes) -> Response {
    match verified(slack.as_ref(), &headers, &body) {
        Ok((slack, body)) => take(slack, body).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// Events; only Slack's question whether the address is ours has an answer, as no event is subscribed to.
async fn events(State(slack): State<Option<Slack>>, headers: HeaderMap, body: Bytes) -> Response {
    match verified(slack.as_ref(), &headers, &body) {
        Ok((_, body)) => answer_event(body).into_response(),
        Err(refused) => refused.into_response(),
    }
}

/// The body as text, where its signature fits.
fn verified<'a>(slack: Option<&'a Slack>, headers: &HeaderMap, body: &'a [u8]) -> Result<(&'a Slack, &'a str), StatusCode> {
    let slack = slack.ok_or(StatusCode::NOT_FOUND)?;
    let secret = slack.signing_secret().ok_or(StatusCode::NOT_FOUND)?.map_err(|error| {
        tracing::error!(%error, "a request of Slack cannot be verified");
        StatusCode::SERVICE_UNAVAILABLE
    })?;
    let body = std::str::from_utf8(body).map_err(|_| StatusCode::UNAUTHORIZED)?;
    let signature = only(headers, SlackEventSignatureVerifier::SLACK_SIGNED_HASH_HEADER)?;
    let timestamp = only(headers, SlackEventSignatureVerifier::SLACK_SIGNED_TIMESTAMP)?;
    SlackEventSignatureVerifier::new(&SlackSigningSecret::new(secret))
        .verify(signature, body, timestamp)
        .map_err(|_| StatusCode::UNAUTHORIZED)?;
    Ok((slack, body))
}

/// The header's value, where there is exactly one.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, StatusCode> {
    let mut values = headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

fn take(slack: &Slack, body: &str) -> StatusCode {
    let payload = match payload(body) {
        Some(Payload::Json(payload)) => payload,
        Some(Payload::CertificateCheck) => return StatusCode::OK,
        None => return StatusCode::BAD_REQUEST,
    };
    match Interaction::read(&payload) {
        Ok(click) => {
            if slack.take(click) {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
        Err(Unread::OtherKind) => StatusCode::OK,
        Err(Unread::Lacks(_)) => StatusCode::BAD_REQUEST,
    }
}

/// What a form holds.
enum Payload {
    Json(Value),
    /// Slack looks at our certificate.
    CertificateCheck,
}

/// The one `payload` of a form; the JSON reader bounds its own depth.
fn payload(body: &str) -> Option<Payload> {
    let mut found = None;
    for (name, value) in url::form_urlencoded::parse(body.as_bytes()) {
        match name.as_ref() {
            "ssl_check" => return Some(Payload::CertificateCheck),
            "payload" if found.is_some() => return None,
            "payload" => found = Some(serde_json::from_str(&value).ok()?),
            _ => {}
        }
    }
    found.map(Payload::Json)
}

fn answer_event(body: &str) -> (StatusCode, String) {
    let Ok(event) = serde_json::from_str::<Value>(body) else { return (StatusCode::BAD_REQUEST, String::new()) };
    match (event["type"].as_str(), event["challenge"].as_str()) {
        (Some("url_verification"), Some(challenge)) if challenge.len() <= 1_000 => (StatusCode::OK, challenge.to_owned()),
        (Some("url_verification"), _) => (StatusCode::BAD_REQUEST, String::new()),
        _ => (StatusCode::OK, String::new()),
    }
}
