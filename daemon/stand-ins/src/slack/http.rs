//! The HTTP side of the Web API: reading a call, drawing its fault, and answering as Slack would, or as Slack would not.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Path, Request, State},
    http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use super::{
    answer::{self, Answer, ApiError},
    args::Args,
    fault::{CallSite, FaultKind, RateLimitBody},
    interact::{self, ResponseBody},
    methods::{self, Access, Call, Method, Outcome},
    office::Shared,
    wire::Scissors,
};

/// Bytes of a request's body that are read.
const MOST_BODY: usize = 1 << 20;

/// `/api/{method}`.
pub(super) async fn api(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some(method) = Method::named(&name) else {
        return json_response(&shared, None, &answer::body(Err(ApiError::new("unknown_method").with("req_method", name))));
    };
    let request = match Incoming::read(method, request).await {
        Ok(request) => request,
        Err(status) => return status.into_response(),
    };
    let fault = draw(&shared, &name, &request);
    let line = Line { shared, scissors };
    match fault {
        None => line.served(&request),
        Some(kind) => line.misbehave(kind, request).await,
    }
}

fn draw(shared: &Shared, method: &str, request: &Incoming) -> Option<FaultKind> {
    let named = request.call.as_ref().ok().and_then(|call| call.args.text("channel"));
    shared.quietly(|office, _| {
        let id = named.as_deref().and_then(|name| office.world.channel_named(name)).map(|channel| channel.id.clone());
        office.faults.draw(&CallSite { method, channels: [named.as_deref(), id.as_deref()] })
    })
}

/// A request as far as it could be read.
struct Incoming {
    method: Method,
    call: Result<Call, ApiError>,
    /// A JSON body came without its charset; Slack answers with a warning.
    missing_charset: bool,
}

impl Incoming {
    async fn read(method: Method, request: Request) -> Result<Self, StatusCode> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MOST_BODY).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
        let query = Args::from_form(parts.uri.query().unwrap_or_default().as_bytes());
        let kind = content_type(&parts.headers);
        let posted = if parts.method == Verb::POST { posted(method, &kind, &body) } else { Ok(Args::default()) };
        let missing_charset = method.access() == Access::Write && kind == "application/json";
        let call = posted.map(|posted| {
            let token = bearer(&parts.headers).or_else(|| posted.text("token"));
            Call { method, token, args: posted.or(query), lag_seconds: 0 }
        });
        Ok(Self { method, call, missing_charset })
    }
}

fn content_type(headers: &HeaderMap) -> String {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.trim().to_ascii_lowercase()
}

/// The arguments of a body. Reading methods ignore JSON (docs.slack.dev, apis/web-api: "POST bodies").
fn posted(method: Method, kind: &str, body: &Bytes) -> Result<Args, ApiError> {
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let charset = parameters.trim().strip_prefix("charset=").map(|charset| charset.trim_matches('"'));
    match essence.trim() {
        _ if charset.is_some_and(|charset| charset != "utf-8" && charset != "utf8") => Err(ApiError::new("invalid_charset")),
        "application/x-www-form-urlencoded" => Ok(Args::from_form(body)),
        "application/json" if method.access() == Access::Read || body.is_empty() => Ok(Args::default()),
        "application/json" => Args::from_json(body),
        "" if body.is_empty() => Ok(Args::default()),
        "" => Err(ApiError::new("missing_post_type")),
        _ => Err(ApiError::new("invalid_post_type")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::to_owned)
}

/// One call's connection and the office behind it.
struct Line {
    shared: Arc<Shared>,
    scissors: Scissors,
}

impl Line {
    fn served(&self, request: &Incoming) -> Response {
        match self.apply(request) {
            Applied::Body { method, body } => json_response(&self.shared, Some(method), &body),
            Applied::Limited(seconds) => rate_limited(Some(&seconds.to_string()), RateLimitBody::Json),
        }
    }

    /// Does what the call asks.
    fn apply(&self, request: &Incoming) -> Applied {
        let outcome = match &request.call {
            Err(error) => Outcome::Answered(Err(error.clone())),
            Ok(call) => self.run(call),
        };
        match outcome {
            Outcome::Limited(seconds) => Applied::Limited(seconds),
            Outcome::Answered(answer) => Applied::Body { method: request.method, body: body(answer, request.missing_charset) },
        }
    }

    fn run(&self, call: &Call) -> Outcome {
        let shared = &self.shared;
        match call.method.access() {
            Access::Read => shared.quietly(|office, now| methods::run(office, &shared.settings, call, now)),
            Access::Write => shared.change(|office, now| methods::run(office, &shared.settings, call, now)),
        }
    }

    async fn misbehave(&self, kind: FaultKind, mut request: Incoming) -> Response {
        match kind {
            FaultKind::Refuse { millis } => {
                self.shared.gate.refuse_for(Duration::from_millis(millis));
                self.cut()
            }
            FaultKind::ResetBefore => self.cut(),
            FaultKind::ApplyThenReset => {
                self.apply(&request);
                self.cut()
            }
            FaultKind::ApplyThenHang => {
                self.apply(&request);
                self.hang().await
            }
            FaultKind::Hang => self.hang().await,
            FaultKind::ApplyThenStatus { status } => {
                self.apply(&request);
                html(status)
            }
            FaultKind::Status { status } => html(status),
            FaultKind::CaptivePortal => html(200),
            FaultKind::TruncatedJson => truncated(&self.applied_text(&request)),
            FaultKind::CutBody => cut_in_the_body(self.applied_text(&request), self.scissors.clone()),
            FaultKind::Slow { millis } => {
                let answer = self.served(&request);
                tokio::time::sleep(Duration::from_millis(millis)).await;
                answer
            }
            FaultKind::RateLimit { retry_after, body } => rate_limited(retry_after.as_deref(), body),
            FaultKind::Error { code } => self.error(request.method, code),
            FaultKind::ErrorApplied { code } => {
                let method = request.method;
                self.apply(&request);
                self.error(method, code)
            }
            FaultKind::StaleHistory { lag_seconds } => {
                if let Ok(call) = &mut request.call {
                    call.lag_seconds = lag_seconds;
                }
                self.served(&request)
            }
            FaultKind::DuplicateEnvelope
            | FaultKind::LoseAck
            | FaultKind::BadSignature
            | FaultKind::SkewTimestamp { .. }
            | FaultKind::DropSocket
            | FaultKind::Disconnect { .. } => self.served(&request),
        }
    }

    fn cut(&self) -> Response {
        self.scissors.cut();
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }

    async fn hang(&self) -> Response {
        tokio::select! {
            () = self.scissors.cut_by_someone() => {}
            () = self.shared.stop.cancelled() => {}
        }
        self.cut()
    }

    fn error(&self, method: Method, code: String) -> Response {
        json_response(&self.shared, Some(method), &answer::body(Err(ApiError::new(code))))
    }

    fn applied_text(&self, request: &Incoming) -> String {
        match self.apply(request) {
            Applied::Body { body, .. } => body.to_string(),
            Applied::Limited(_) => rate_limit_json().to_string(),
        }
    }
}

/// What applying a call gave.
enum Applied {
    Body { method: Method, body: Value },
    Limited(u64),
}

fn body(answer: Answer, missing_charset: bool) -> Value {
    let mut body = answer::body(answer);
    if missing_charset && body.get("warning").is_none() {
        body["warning"] = json!("missing_charset");
        let mut details = body["response_metadata"].take();
        details["warnings"] = json!(["missing_charset"]);
        body["response_metadata"] = details;
    }
    body
}

fn json_response(shared: &Shared, method: Option<Method>, body: &Value) -> Response {
    let mut response = (StatusCode::OK, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    if let Ok(scopes) = HeaderValue::from_str(&shared.settings.scopes.join(",")) {
        headers.insert("x-oauth-scopes", scopes);
    }
    if let Some(scope) = method.and_then(Method::scope) {
        headers.insert("x-accepted-oauth-scopes", HeaderValue::from_static(scope));
    }
    response
}

fn rate_limit_json() -> Value {
    answer::body(Err(ApiError::new("ratelimited")))
}

fn rate_limited(retry_after: Option<&str>, body: RateLimitBody) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut response = match body {
        RateLimitBody::Json => {
            (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], rate_limit_json().to_string()).into_response()
        }
        RateLimitBody::Bare => status.into_response(),
        RateLimitBody::Text => (status, "You are sending too many requests. Please relax.").into_response(),
    };
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(text).ok()) {
        response.headers_mut().insert(header::RETRY_AFTER, value);
    }
    response
}

fn html(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = format!("<!DOCTYPE html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn truncated(text: &str) -> Response {
    let half = text.chars().take(text.chars().count() / 2).collect::<String>();
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], half).into_response()
}

/// Announces the whole body, sends half of it, and resets.
fn cut_in_the_body(text: String, scissors: Scissors) -> Response {
    let length = text.len();
    let mut bytes = Bytes::from(text);
    let half = bytes.split_to(length / 2);
    let chunks = stream::unfold(Some(half), move |next| {
        let scissors = scissors.clone();
        async move {
            if let Some(chunk) = next {
                return Some((Ok::<Bytes, std::io::Error>(chunk), None));
            }
            // A moment for the first half to leave before the reset overtakes it.
            tokio::time::sleep(Duration::from_millis(20)).await;
            scissors.cut();
            Some((Err(std::io::ErrorKind::ConnectionReset.into()), None))
        }
    });
    let mut response = Body::from_stream(chunks).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

/// `POST /actions/{team}/{trigger}/{secret}`: a `response_url`.
pub(super) async fn respond(
    State(shared): State<Arc<Shared>>,
    Path((_team, _trigger, secret)): Path<(String, String, String)>,
    body: Bytes,
) -> Response {
    let Ok(body) = serde_json::from_slice::<ResponseBody>(&body) else {
        return (StatusCode::BAD_REQUEST, "invalid_payload").into_response();
    };
    match shared.change(|office, now| interact::respond(office, &secret, body, now)) {
        interact::Response::Applied => (StatusCode::OK, "ok").into_response(),
        interact::Response::Refused(code) => {
            (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/json")], json!({ "ok": false, "error": code }).to_string())
                .into_response()
        }
    }
}
