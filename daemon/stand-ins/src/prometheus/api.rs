//! The paths of Prometheus's API that the stand-in knows.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Response, StatusCode, header},
    middleware::map_response,
    response::IntoResponse,
    routing::{any, get},
};
use tower_http::compression::CompressionLayer;

use super::{
    answer::{self, Shape},
    fake::{Asked, Switch},
    fault::{Class, Fault},
    tsdb::Query,
    wire::Tap,
};

/// Cap on a form.
const MAX_FORM: usize = 1 << 20;
/// Prometheus's own cap on the points of a range query.
const MAX_POINTS: usize = 11_000;

/// The API. Each connection serves one request, so that a fault of a connection hits the request it is meant for.
pub(super) fn router(switch: Switch) -> Router {
    Router::new()
        .route("/api/v1/query", any(query))
        .route("/api/v1/query_range", any(query_range))
        .route("/api/v1/status/buildinfo", any(build_info))
        .route("/api/v1/status/runtimeinfo", any(runtime_info))
        .route("/-/ready", get(async || "Prometheus is ready."))
        .layer(CompressionLayer::new())
        .layer(map_response(close_after))
        .with_state(switch)
}

async fn close_after(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

type Form = BTreeMap<String, String>;
/// A body, or the message of a `bad_data`.
type Answered = Result<String, String>;

async fn query(State(switch): State<Switch>, ConnectInfo(tap): ConnectInfo<Tap>, request: Request) -> Response<Body> {
    serve(&switch, &tap, request, Class::Query, |form, fault| instant(&switch, form, fault)).await
}

async fn query_range(State(switch): State<Switch>, ConnectInfo(tap): ConnectInfo<Tap>, request: Request) -> Response<Body> {
    serve(&switch, &tap, request, Class::QueryRange, |form, fault| steps(&switch, form, fault)).await
}

async fn build_info(State(switch): State<Switch>, ConnectInfo(tap): ConnectInfo<Tap>, request: Request) -> Response<Body> {
    let data = r#"{"version":"2.42.0","revision":"stand-in","branch":"","buildUser":"","buildDate":"","goVersion":""}"#;
    serve(&switch, &tap, request, Class::Status, |_, _| Ok(answer::success(data))).await
}

async fn runtime_info(State(switch): State<Switch>, ConnectInfo(tap): ConnectInfo<Tap>, request: Request) -> Response<Body> {
    serve(&switch, &tap, request, Class::Status, |_, _| Ok(answer::success(r#"{"storageRetention":"15d"}"#))).await
}

/// Notes the request, lets the fault of its class act, answers.
async fn serve(
    switch: &Switch,
    tap: &Tap,
    request: Request,
    class: Class,
    answered: impl FnOnce(&Form, Option<&Fault>) -> Answered,
) -> Response<Body> {
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(why) => return (StatusCode::BAD_REQUEST, why).into_response(),
    };
    let form = asked.form.clone();
    let fault = {
        let mut state = switch.state();
        state.remember(asked);
        state.fault_of(class, form.get("query").map_or("", String::as_str))
    };
    match &fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::SlowHead) => tap.drip(),
        Some(Fault::Reset) => tap.tear(),
        Some(_) | None => {}
    }
    match answered(&form, fault.as_ref()) {
        Ok(body) => answer::respond(answer::spoil_text(body, fault.as_ref()), fault.as_ref()),
        Err(message) => bad_data(&message),
    }
}

fn bad_data(message: &str) -> Response<Body> {
    let kind = (header::CONTENT_TYPE, "application/json");
    (StatusCode::BAD_REQUEST, [kind], answer::error("bad_data", message)).into_response()
}

async fn read(request: Request) -> Result<Asked, String> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_FORM).await.map_err(|error| error.to_string())?;
    let fields = [parts.uri.query().unwrap_or_default().as_bytes(), &body];
    let form = fields
        .iter()
        .flat_map(|fields| url::form_urlencoded::parse(fields))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let headers =
        parts.headers.iter().map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())).collect();
    Ok(Asked { path: parts.uri.to_string(), form, headers })
}

fn instant(switch: &Switch, form: &Form, fault: Option<&Fault>) -> Answered {
    let query = Query::parse(field(form, "query")?)?;
    let state = switch.state();
    let now = jiff::Timestamp::now().as_millisecond() + state.skew_millis;
    let at = form.get("time").map_or(Ok(now), |text| instant_of(text))?;
    Ok(match query {
        Query::Range(selector, range) => answer::series(state.tsdb.range(&selector, range, at), Shape::Matrix, at, fault),
        Query::Instant(selector) => answer::series(state.tsdb.at(&selector, &[at]), Shape::Vector, at, fault),
        Query::Count(selector, by) => answer::series(state.tsdb.count(&selector, &by, &[at]), Shape::Vector, at, fault),
        Query::CountOver(selector, range) => answer::series(state.tsdb.count_over(&selector, range, &[at]), Shape::Vector, at, fault),
        Query::Time => answer::success(&format!(r#"{{"resultType":"scalar","result":[{0},"{0}"]}}"#, jiff_seconds(at))),
    })
}

fn steps(switch: &Switch, form: &Form, fault: Option<&Fault>) -> Answered {
    let query = Query::parse(field(form, "query")?)?;
    let (start, end) = (instant_of(field(form, "start")?)?, instant_of(field(form, "end")?)?);
    let step = span_of(field(form, "step")?)?;
    if end < start {
        return Err("end timestamp must not be before start time".to_owned());
    }
    let instants: Vec<i64> = (start..=end).step_by(step).take(MAX_POINTS + 1).collect();
    if instants.len() > MAX_POINTS {
        return Err("exceeded maximum resolution of 11,000 points per timeseries".to_owned());
    }
    let state = switch.state();
    let found = match query {
        Query::Instant(selector) => state.tsdb.at(&selector, &instants),
        Query::Count(selector, by) => state.tsdb.count(&selector, &by, &instants),
        Query::CountOver(selector, range) => state.tsdb.count_over(&selector, range, &instants),
        Query::Range(..) | Query::Time => {
            return Err("invalid expression type for range query, must be Scalar or instant Vector".to_owned());
        }
    };
    Ok(answer::series(found, Shape::Matrix, end, fault))
}

fn field<'a>(form: &'a Form, name: &str) -> Result<&'a str, String> {
    form.get(name).map(String::as_str).ok_or_else(|| format!("invalid parameter \"{name}\""))
}

/// Seconds or RFC 3339, in milliseconds.
fn instant_of(text: &str) -> Result<i64, String> {
    match (text.parse::<f64>(), text.parse::<jiff::Timestamp>()) {
        (Ok(seconds), _) => Ok(millis(seconds)),
        (Err(_), Ok(at)) => Ok(at.as_millisecond()),
        (Err(_), Err(_)) => Err(format!("cannot parse \"{text}\" to a valid timestamp")),
    }
}

/// Seconds or a duration of PromQL, in milliseconds, at least one.
fn span_of(text: &str) -> Result<usize, String> {
    let seconds = text.parse::<f64>().ok().map(millis);
    let duration = || promql_parser::util::parse_duration(text).ok().and_then(|span| i64::try_from(span.as_millis()).ok());
    let span = seconds.or_else(duration).and_then(|millis| usize::try_from(millis).ok()).filter(|millis| *millis > 0);
    span.ok_or_else(|| format!("cannot parse \"{text}\" to a valid duration"))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and the years that tests use are far from there")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

fn jiff_seconds(at: i64) -> String {
    format!("{}.{:03}", at.div_euclid(1000), at.rem_euclid(1000))
}
