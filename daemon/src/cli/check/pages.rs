//! `burnward check --links`: asks for the pages of the web that runbooks link to. Only a person who checks asks for this, from where that person sits; the
//! daemon fetches nothing that a document names.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt as _, stream};
use reqwest::{Client, Method, StatusCode, redirect::Policy};
use tokio::time::{Instant, timeout_at};
use url::Url;

use burnward_core::words::plural;

use crate::definition::{Diagnostic, codes, duration, links::Page};

/// One page takes no longer.
const PAGE_WITHIN: Duration = Duration::from_secs(10);
/// All of them take no longer.
const WITHIN: Duration = Duration::from_mins(1);
/// Pages that are asked for at once.
const AT_ONCE: usize = 8;
/// Most pages that are asked for.
const MOST: usize = 500;
/// Redirections that are followed.
const REDIRECTIONS: usize = 5;

/// What came of asking.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The links whose page does not answer.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What was not asked, and why.
    pub(super) failures: Vec<String>,
}

/// Asks for each page once, however often it is linked.
pub(super) async fn ask(pages: Vec<Page>) -> Asked {
    let mut by_url: BTreeMap<Url, Vec<Page>> = BTreeMap::new();
    for page in pages {
        let mut url = page.url.clone();
        url.set_fragment(None);
        by_url.entry(url).or_default().push(page);
    }
    let mut asked = Asked::default();
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            asked.failures.push(format!("pages cannot be asked for: {error}"));
            return asked;
        }
    };
    let (deadline, all) = (Instant::now() + WITHIN, by_url.len());
    let questions = by_url.into_iter().take(MOST).map(|(url, pages)| {
        let client = &client;
        async move { (timeout_at(deadline, why_not(client, &url)).await, url, pages) }
    });
    let mut answers = stream::iter(questions).buffered(AT_ONCE);
    let mut unasked = all.saturating_sub(MOST);
    while let Some((answer, url, pages)) = answers.next().await {
        match answer {
            Ok(None) => {}
            Ok(Some(why)) => asked.diagnostics.extend(pages.into_iter().map(|page| dead(page, &url, &why))),
            Err(_) => unasked += 1,
        }
    }
    if unasked > 0 {
        let within = duration::format(WITHIN);
        asked.failures.push(format!("{} not asked for: at most {MOST} within {within}", plural(unasked, "page")));
    }
    asked
}

fn client() -> reqwest::Result<Client> {
    Client::builder()
        .redirect(Policy::limited(REDIRECTIONS))
        .timeout(PAGE_WITHIN)
        .user_agent(concat!("burnward-check/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn dead(page: Page, url: &Url, why: &str) -> Diagnostic {
    let message = format!("the page on {} {why}", url.host_str().unwrap_or_default());
    let help = vec!["has it moved? whoever is woken will follow this link".to_owned()];
    Diagnostic { code: &codes::RUNBOOK_PAGE, message, place: page.place, related: Vec::new(), help }
}

/// Why a page is not there; `None` where it is.
async fn why_not(client: &Client, url: &Url) -> Option<String> {
    let status = match status(client, Method::HEAD, url).await {
        // Some servers answer only whole questions.
        Ok(status) if status.is_client_error() || status == StatusCode::NOT_IMPLEMENTED => status_of_get(client, url, status).await,
        other => other,
    };
    match status {
        Ok(status) if is_there(status) => None,
        Ok(status) => Some(format!("answers with {status}")),
        Err(error) => Some(format!("does not answer: {}", cause(&error))),
    }
}

async fn status_of_get(client: &Client, url: &Url, of_head: StatusCode) -> reqwest::Result<StatusCode> {
    if is_there(of_head) { Ok(of_head) } else { status(client, Method::GET, url).await }
}

/// The head of the answer; its body is not read.
async fn status(client: &Client, method: Method, url: &Url) -> reqwest::Result<StatusCode> {
    client.request(method, url.clone()).send().await.map(|answer| answer.status())
}

/// A page that asks its reader to sign in, or to come less often, is there.
fn is_there(status: StatusCode) -> bool {
    status.is_success()
        || status.is_redirection()
        || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS)
}

/// The innermost reason, without the address, which stands in the line that is shown.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("nothing came within {}", duration::format(PAGE_WITHIN));
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use axum::{Router, http::header, routing::get};

    use super::*;
    use crate::definition::{Source, diagnostic::Place};

    async fn server() -> String {
        let router = Router::new()
            .route("/there", get(|| async { "a page" }))
            .route("/moved", get(|| async { (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, "/there")]) }))
            .route("/circle", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/circle")]) }))
            .route("/wiki", get(|| async { StatusCode::UNAUTHORIZED }))
            .route("/broken", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
            .route(
                "/whole",
                axum::routing::any(|method: Method| async move {
                    if method == Method::GET { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED }
                }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    fn page(url: &str) -> Page {
        let source = Source::new("runbooks/a.md", url);
        Page { url: Url::parse(url).expect("a URL"), place: Place::new(&source, 0..url.len()) }
    }

    #[tokio::test]
    async fn a_page_is_there_or_the_link_is_told_with_what_its_server_says() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let server = server().await;
        for path in ["/there", "/there#part", "/moved", "/wiki", "/whole"] {
            let asked = ask(vec![page(&format!("{server}{path}"))]).await;
            assert!(asked.diagnostics.is_empty() && asked.failures.is_empty(), "{path}: {asked:?}");
        }
        for (url, expected) in [
            (format!("{server}/gone"), "the page on 127.0.0.1 answers with 404 Not Found"),
            (format!("{server}/broken"), "the page on 127.0.0.1 answers with 503 Service Unavailable"),
            (format!("{server}/circle"), "the page on 127.0.0.1 does not answer: too many redirects"),
            ("http://127.0.0.1:1/".to_owned(), "the page on 127.0.0.1 does not answer: Connection refused (os error 111)"),
        ] {
            let asked = ask(vec![page(&url), page(&format!("{url}#again"))]).await;
            let told: Vec<(&str, &str)> = asked.diagnostics.iter().map(|fault| (fault.code.id, fault.message.as_str())).collect();
            assert_eq!(told, [("W2018", expected); 2], "each place that links to it");
        }
    }
}
