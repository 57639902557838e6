//! Errors as pages: a browser that asked for a page gets one that says what, where, and what to do. Programs keep the problem that they asked for.

use std::any::Any;

use askama::Template;
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use burnward_core::words;

use super::frame::Frame;
use crate::{
    render::visible,
    web::api::problem::{Problem, Said},
};

/// Longest address that is shown, in characters.
const ADDRESS: usize = 120;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    status: u16,
    what: &'static str,
    detail: String,
    address: String,
    advice: &'static str,
}

/// Turns the errors of what lies below into pages, for who asked for a page.
pub async fn as_page(request: Request, next: Next) -> Response {
    let address = request.uri().path().to_owned();
    let asked = wants_page(&address, request.headers());
    let response = next.run(request).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    if failed && asked { error_page(response, &address) } else { response }
}

/// The answer where a handler panicked.
pub fn panicked(_cause: Box<dyn Any + Send>) -> Response {
    Problem::of(StatusCode::INTERNAL_SERVER_ERROR, "burnward met a fault of its own; the daemon's log says which").into_response()
}

fn wants_page(address: &str, headers: &HeaderMap) -> bool {
    let for_programs = ["/api/", "/-/", "/slack/", "/assets/"].iter().any(|prefix| address.starts_with(prefix)) || address == "/metrics";
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    !for_programs && accepts.contains("text/html")
}

fn error_page(response: Response, address: &str) -> Response {
    let (mut parts, _) = response.into_parts();
    let (what, advice) = words_of(parts.status);
    let detail = parts.extensions.get::<Said>().map_or_else(String::new, |said| sentence(&said.0));
    let address = words::cut(&visible(address), ADDRESS);
    let page = ErrorPage { frame: Frame::bare(what), status: parts.status.as_u16(), what, detail, address, advice };
    let Ok(text) = page.render() else { return parts.status.into_response() };
    for replaced in [header::CONTENT_TYPE, header::CONTENT_LENGTH] {
        parts.headers.remove(replaced);
    }
    let mut page = Html(text).into_response();
    parts.headers.extend(page.headers_mut().drain());
    Response::from_parts(parts, page.into_body())
}

/// What a status means here, and what to do about it.
fn words_of(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::UNAUTHORIZED => (
            "Who are you?",
            "Load the page anew: your browser asks for a name and a password. The password is your token; the name does not matter.",
        ),
        StatusCode::FORBIDDEN => ("Not from there", "Open the incident here and press the button again."),
        StatusCode::NOT_FOUND => ("Not found", "Look for it in the lists, or check the address for a typing error."),
        StatusCode::METHOD_NOT_ALLOWED => ("Not like that", "Addresses that change something are reached by their buttons only."),
        StatusCode::MISDIRECTED_REQUEST => ("Wrong name", "Use the address that the operator gave you."),
        StatusCode::PAYLOAD_TOO_LARGE => ("Too much", "Shorten it and send it again."),
        StatusCode::CONFLICT => ("Not done", "Read what stands there now, then decide again."),
        StatusCode::SERVICE_UNAVAILABLE => ("Not now", "Wait a moment and load the page anew. Pages that are owed still go out."),
        status if status.is_server_error() => ("A fault of ours", "Load the page anew. If it comes again, tell the operator what you did."),
        _ => ("Not understood", "Go back and look at what was asked for."),
    }
}

/// A detail as a sentence of its own.
fn sentence(detail: &str) -> String {
    let mut letters = detail.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let end = if detail.ends_with(['.', '!', '?']) || detail.is_empty() { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        middleware,
        routing::get,
    };
    use tower::Service;
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    /// What a browser gets at an address: status, the header that asks for a name, and the page.
    async fn seen(path: &str, accept: &str) -> (u16, String, String) {
        let mut router = Router::new()
            .route("/boom", get(async || -> &'static str { panic!("at the disco") }))
            .route("/api/boom", get(async || -> &'static str { panic!("at the disco") }))
            .route("/who", get(async || Problem::unauthorized()))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(middleware::from_fn(as_page));
        let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).expect("a request");
        let response = router.call(request).await.expect("a router always answers");
        let asks = response.headers().get(header::WWW_AUTHENTICATE).map_or("", |value| value.to_str().expect("text")).to_owned();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, asks, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    #[tokio::test]
    async fn a_panic_is_a_page_that_tells_nothing_of_it() {
        let (status, _, page) = seen("/boom", "text/html").await;
        assert!(status == 500 && page.contains("A fault of ours") && !page.contains("disco"), "{page}");
        let (status, _, problem) = seen("/api/boom", "text/html").await;
        assert!(status == 500 && problem.starts_with('{') && !problem.contains("disco"), "{problem}");
    }

    #[tokio::test]
    async fn who_is_not_known_is_asked_for_a_name_by_the_browser() {
        let (status, asks, page) = seen("/who", "text/html").await;
        assert_eq!((status, asks.as_str()), (401, "Basic realm=\"burnward\""));
        assert!(page.contains("Who are you?"), "{page}");
        let (_, _, problem) = seen("/who", "application/json").await;
        assert!(problem.starts_with('{'), "{problem}");
    }
}
