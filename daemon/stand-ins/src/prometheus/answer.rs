//! An answer as text, with what a fault does to it: first to the samples, then to the text, then to the response.

use std::io::Write;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use flate2::{Compression, write::GzEncoder};
use futures_util::{Stream, StreamExt, stream};

use super::{
    fault::Fault,
    tsdb::{Found, LabelSet},
};

/// The pace of a body that comes byte by byte.
const DRIP: std::time::Duration = std::time::Duration::from_millis(50);

/// The size of one piece of blanks.
const BLANKS: usize = 64 * 1024;

/// A series as it is printed.
struct Row {
    labels: LabelSet,
    points: Vec<(i64, String)>,
}

/// The shape of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Matrix,
    Vector,
}

/// The body of a success with these series; `asked` is the instant asked for.
pub(super) fn series(found: Vec<Found>, shape: Shape, asked: i64, fault: Option<&Fault>) -> String {
    let mut rows: Vec<Row> = found.into_iter().map(row).collect();
    if let Some(fault) = fault {
        spoil_rows(&mut rows, asked, fault);
    }
    let number = matches!(fault, Some(Fault::NumberValue));
    let twice = matches!(fault, Some(Fault::DuplicateKey));
    let rows: Vec<String> = rows.iter().map(|row| print_row(row, shape, number, twice)).collect();
    let kind = match shape {
        Shape::Matrix => "matrix",
        Shape::Vector => "vector",
    };
    success(&format!(r#"{{"resultType":"{kind}","result":[{}]}}"#, rows.join(",")))
}

/// The body of a success with this data.
pub(super) fn success(data: &str) -> String {
    format!(r#"{{"status":"success","data":{data}}}"#)
}

/// The body of an error.
pub(super) fn error(kind: &str, message: &str) -> String {
    serde_json::json!({ "status": "error", "errorType": kind, "error": message }).to_string()
}

fn row(found: Found) -> Row {
    Row { labels: found.labels, points: found.samples.into_iter().map(|(at, value)| (at, go_number(value))).collect() }
}

fn go_number(value: f64) -> String {
    match value {
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        value => value.to_string(),
    }
}

fn spoil_rows(rows: &mut Vec<Row>, asked: i64, fault: &Fault) {
    match fault {
        Fault::NoSeries => rows.clear(),
        Fault::DuplicateSeries => {
            *rows = rows.drain(..).flat_map(|row| [Row { labels: row.labels.clone(), points: row.points.clone() }, row]).collect();
        }
        Fault::ManySeries(more) => {
            let like = rows.first().map(|row| row.labels.clone()).unwrap_or_default();
            rows.extend((0..*more).map(|n| numbered(&like, n, asked)));
        }
        other => rows.iter_mut().for_each(|row| spoil_row(row, asked, other)),
    }
}

fn numbered(like: &LabelSet, n: usize, asked: i64) -> Row {
    let mut labels = like.clone();
    labels.insert("n".to_owned(), format!("{n:09}"));
    Row { labels, points: vec![(asked, "1".to_owned())] }
}

fn spoil_row(row: &mut Row, asked: i64, fault: &Fault) {
    match fault {
        Fault::Value(text) => row.points.iter_mut().for_each(|(_, value)| value.clone_from(text)),
        Fault::RepeatedSample => row.points.extend(row.points.first().cloned()),
        Fault::OutOfOrder => row.points.reverse(),
        Fault::ConflictingSamples => row.points.extend(row.points.first().map(|(at, value)| (*at, format!("{value}1")))),
        Fault::SampleAfter(millis) => row.points.push((asked + millis, "1".to_owned())),
        Fault::LongLabel(bytes) => drop(row.labels.insert("long".to_owned(), "x".repeat(*bytes))),
        Fault::Label(name, value) => drop(row.labels.insert(name.clone(), value.clone())),
        _ => {}
    }
}

fn print_row(row: &Row, shape: Shape, number: bool, twice: bool) -> String {
    let labels = serde_json::to_string(&row.labels).expect("text keys and text values are JSON");
    let points: Vec<String> = row.points.iter().map(|(at, value)| print_point(*at, value, number)).collect();
    let values = match shape {
        Shape::Matrix => format!(r#""values":[{}]"#, points.join(",")),
        Shape::Vector => format!(r#""value":{}"#, points.last().map_or("null", String::as_str)),
    };
    let again = if twice { format!(",{values}") } else { String::new() };
    format!(r#"{{"metric":{labels},{values}{again}}}"#)
}

/// `[seconds, "value"]`, the seconds as Prometheus prints them.
fn print_point(at: i64, value: &str, number: bool) -> String {
    let (sign, at) = (if at < 0 { "-" } else { "" }, at.unsigned_abs());
    let fraction = if at % 1000 == 0 { String::new() } else { format!(".{:03}", at % 1000) };
    let quote = if number { "" } else { "\"" };
    format!("[{sign}{}{fraction},{quote}{value}{quote}]", at / 1000)
}

/// What a fault makes of a body that is otherwise right.
pub(super) fn spoil_text(body: String, fault: Option<&Fault>) -> String {
    let with = |field: &str| format!("{},{field}}}", &body[..body.len() - 1]);
    match fault {
        Some(Fault::Truncated) => cut(&body, body.len() / 2),
        Some(Fault::TwoObjects) => body.repeat(2),
        Some(Fault::TrailingGarbage) => body + "garbage",
        Some(Fault::Nested) => success(&format!(r#"{{"resultType":"matrix","result":{}{}}}"#, "[".repeat(200), "]".repeat(200))),
        Some(Fault::NoData) => r#"{"status":"success"}"#.to_owned(),
        Some(Fault::ErrorWith200(kind)) => error(kind, "an error under status 200"),
        Some(Fault::Warning(text)) => with(&format!(r#""warnings":[{}]"#, serde_json::json!(text))),
        Some(Fault::Info(text)) => with(&format!(r#""infos":[{}]"#, serde_json::json!(text))),
        Some(Fault::IsPartial) => with(r#""isPartial":true"#),
        Some(_) | None => body,
    }
}

fn cut(body: &str, at: usize) -> String {
    body.char_indices().take_while(|(index, _)| *index < at).map(|(_, c)| c).collect()
}

/// The response of a body, as a fault sends it.
pub(super) fn respond(body: String, fault: Option<&Fault>) -> Response<Body> {
    let length = body.len();
    match fault {
        Some(Fault::Html) => page(StatusCode::OK, "text/html; charset=utf-8", Body::from("<!doctype html><title>Sign in</title>")),
        Some(Fault::ContentType(kind)) => {
            let mut response = page(StatusCode::OK, "application/json", Body::from(body));
            response.headers_mut().remove(header::CONTENT_TYPE);
            if let Some(kind) = kind {
                set(&mut response, header::CONTENT_TYPE, kind);
            }
            response
        }
        Some(Fault::Redirect(to)) => {
            let mut response = page(StatusCode::FOUND, "text/html", Body::empty());
            set(&mut response, header::LOCATION, to);
            response
        }
        Some(Fault::Status { code, error_type, message, retry_after }) => {
            let status = StatusCode::from_u16(*code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = json(status, Body::from(error(error_type, message)));
            if let Some(wait) = retry_after {
                set(&mut response, header::RETRY_AFTER, wait);
            }
            response
        }
        Some(Fault::GzipBomb { mebibytes }) => bomb(&body, *mebibytes),
        Some(Fault::Endless) => {
            let mut response = json(StatusCode::OK, streamed(pieces(&body, 1 << 20).chain(blanks())));
            set(&mut response, header::CONTENT_ENCODING, "identity");
            response
        }
        Some(Fault::SlowBody) => json(
            StatusCode::OK,
            streamed(pieces(&body, 1).then(|piece| async {
                tokio::time::sleep(DRIP).await;
                piece
            })),
        ),
        Some(Fault::LongContentLength) => of_length(&body, length + 100),
        Some(Fault::ShortContentLength) => of_length(&body, length.saturating_sub(10)),
        Some(_) | None => json(StatusCode::OK, Body::from(body)),
    }
}

fn json(status: StatusCode, body: Body) -> Response<Body> {
    page(status, "application/json", body)
}

fn page(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn set(response: &mut Response<Body>, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A body whose head promises another length. It goes out as it is: compression would drop the promise.
fn of_length(body: &str, length: usize) -> Response<Body> {
    let mut response = json(StatusCode::OK, streamed(pieces(body, 1 << 20)));
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    set(&mut response, header::CONTENT_ENCODING, "identity");
    response
}

type Piece = Result<Bytes, std::io::Error>;

fn pieces(body: &str, size: usize) -> impl Stream<Item = Piece> + Send + use<> {
    let pieces: Vec<Piece> = body.as_bytes().chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    stream::iter(pieces)
}

/// Blanks without end. Between pieces others get their turn: a stream that is always ready would hold a thread for itself.
fn blanks() -> impl Stream<Item = Piece> + Send {
    in_turn(Bytes::from(vec![b' '; BLANKS]))
}

fn in_turn(piece: Bytes) -> impl Stream<Item = Piece> + Send {
    stream::repeat_with(move || Ok(piece.clone())).then(|piece| async {
        tokio::task::yield_now().await;
        piece
    })
}

/// A gzip stream that is compressed once and then repeats itself: the body, then blanks of a thousandth of their size. Its end never comes,
/// because nobody should read that far.
fn bomb(body: &str, mebibytes: usize) -> Response<Body> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let mut flushed = |bytes: &[u8]| -> std::io::Result<Bytes> {
        gzip.write_all(bytes)?;
        gzip.flush()?;
        Ok(std::mem::take(gzip.get_mut()).into())
    };
    let blanks = vec![b' '; BLANKS];
    // The second piece of blanks refers to blanks before it, as do all that follow.
    let start = [body.as_bytes(), &blanks].map(&mut flushed);
    let Ok(again) = flushed(&blanks) else { return Response::new(Body::empty()) };
    let repeats = mebibytes * (1 << 20) / BLANKS;
    let mut response = json(StatusCode::OK, streamed(stream::iter(start).chain(in_turn(again).take(repeats))));
    set(&mut response, header::CONTENT_ENCODING, "gzip");
    response
}

fn streamed(pieces: impl Stream<Item = Piece> + Send + 'static) -> Body {
    Body::from_stream(pieces)
}
