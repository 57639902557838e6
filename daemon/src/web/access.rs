//! Who may ask, and for which tenant. Without a token file the daemon is reachable from loopback only, and answers only to its own names, so that a web
//! page elsewhere cannot reach it through a name of its own. With one, every request carries a token, as `Bearer` or as the password of `Basic`. A
//! change also carries its `Origin`, except where its token came as `Bearer`.

use std::{path::Path, sync::Arc};

use axum::{
    extract::{FromRequestParts, Query, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use burnward_core::{
    id::TenantId,
    incident::{Actor, Via},
};
use sha2::{Digest, Sha256};

use super::{Site, api::problem::Problem};
use crate::config::Config;

/// What a token stands behind in the header.
const BEARER: &str = "Bearer ";

/// Who asks, as the record will name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(Arc<str>);

impl Caller {
    /// The actor of what this caller does.
    pub fn actor(&self, via: Via) -> Actor {
        Actor::Person { name: self.0.to_string(), via }
    }
}

/// Whose data is asked for: `?tenant=`, checked against the configuration; without it the only tenant, or `main`, or the first.
#[derive(Debug, Clone)]
pub struct Tenant(pub TenantId);

#[derive(serde::Deserialize)]
struct TenantQuery {
    tenant: Option<String>,
}

impl FromRequestParts<Site> for Tenant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Problem> {
        let query = Query::<TenantQuery>::try_from_uri(&parts.uri).map_err(|error| Problem::bad_request(&error.to_string()))?;
        tenant(&site.handle.config, query.0.tenant.as_deref()).map(Self)
    }
}

fn tenant(config: &Config, asked: Option<&str>) -> Result<TenantId, Problem> {
    let known = |id: &TenantId| config.tenants.contains_key(id);
    if let Some(text) = asked {
        TenantId::parse(text).ok().filter(known).ok_or_else(|| Problem::not_found("no such tenant"))
    } else {
        let main = TenantId::parse("main").expect("`main` keeps to the alphabet of names");
        let first = || config.tenants.keys().next().cloned();
        Some(main).filter(known).or_else(first).ok_or_else(|| Problem::not_found("no tenant is configured"))
    }
}

impl FromRequestParts<Site> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _site: &Site) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// Lets a request pass, or answers with what is missing.
pub async fn guard(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    match check(&site.handle.config, request.method(), request.uri(), request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let mut response = next.run(request).await;
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
            response
        }
        Err(problem) => problem.into_response(),
    }
}

fn check(config: &Config, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Caller, Problem> {
    let caller = if let Some(file) = &config.token_file {
        by_token(file, headers)?
    } else {
        own_name(config, uri, headers)?;
        Caller("local".into())
    };
    let changes = method != Method::GET && method != Method::HEAD;
    if changes && !(config.token_file.is_some() && is_bearer(headers)) {
        same_origin(config, headers)?;
    }
    Ok(caller)
}

/// The caller whose token it is. The file is read anew, so that tokens can be changed without a restart.
fn by_token(file: &Path, headers: &HeaderMap) -> Result<Caller, Problem> {
    if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
        return Err(Problem::bad_request("more than one Authorization header"));
    }
    let presented =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(token).ok_or_else(Problem::unauthorized)?;
    let text = std::fs::read_to_string(file).map_err(|error| {
        tracing::error!(file = %file.display(), %error, "the token file cannot be read; nobody can be let in");
        Problem::of(StatusCode::SERVICE_UNAVAILABLE, "the token file cannot be read; the daemon's log says why")
    })?;
    let digest = Sha256::digest(presented.as_bytes());
    let lines = text.lines().filter_map(|line| named_token(line)?.ok());
    // Digests of equal length are compared whole, so that the time does not tell how much of a token was right.
    let found =
        lines.fold(None, |found, (name, token)| if Sha256::digest(token.as_bytes()) == digest { Some(name.to_owned()) } else { found });
    found.map(|name| Caller(name.into())).ok_or_else(Problem::unauthorized)
}

/// Fewer characters could be guessed.
const MIN_TOKEN: usize = 16;

/// A line `NAME:TOKEN`, or what is wrong with it; `None` for an empty one and a comment.
fn named_token(line: &str) -> Option<Result<(&str, &str), String>> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    Some(match line.split_once(':') {
        Some((name, token)) if token.len() < MIN_TOKEN => Err(format!("the token of {name} has fewer than {MIN_TOKEN} characters")),
        Some(named) => Ok(named),
        None => Err("no NAME:TOKEN".to_owned()),
    })
}

/// What a token file holds, without the tokens.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenFile {
    /// How many can be let in.
    pub callers: usize,
    /// Which lines are of no use, and why.
    pub unusable: Vec<String>,
}

impl TokenFile {
    /// Reads its text.
    pub fn read(text: &str) -> Self {
        let lines = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, named_token(line)?)));
        let (mut callers, mut unusable) = (0, Vec::new());
        for (number, line) in lines {
            match line {
                Ok(_) => callers += 1,
                Err(why) => unusable.push(format!("line {number}: {why}")),
            }
        }
        Self { callers, unusable }
    }

    /// Says at the start what is wrong with it.
    pub fn warn_of(file: &Path) {
        match std::fs::read_to_string(file).map(|text| Self::read(&text)) {
            Err(error) => tracing::error!(file = %file.display(), %error, "the token file cannot be read; nobody can be let in"),
            Ok(Self { callers: 0, .. }) => {
                tracing::error!(file = %file.display(), "the token file has no line NAME:TOKEN that can be used");
            }
            Ok(Self { unusable, .. }) => {
                for why in unusable {
                    tracing::warn!(file = %file.display(), why, "a line of the token file lets nobody in");
                }
            }
        }
    }
}

/// Whether the token came as `Bearer`: no browser adds it by itself, so no page of another site can have asked.
fn is_bearer(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(BEARER.as_bytes()))
}

fn token(value: &str) -> Option<String> {
    if let Some(token) = value.strip_prefix(BEARER) {
        return Some(token.to_owned());
    }
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    Some(String::from_utf8(decoded).ok()?.split_once(':')?.1.to_owned())
}

/// Refuses a request that reached loopback under a foreign name.
fn own_name(config: &Config, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).or_else(|| uri.host()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(name, _)| name);
    let external = url::Url::parse(&config.external_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    if ["localhost", "127.0.0.1", "[::1]", ""].contains(&name) || external.as_deref() == Some(name) {
        Ok(())
    } else {
        Err(Problem::of(StatusCode::MISDIRECTED_REQUEST, "this daemon does not answer to that host name; set external-url to it"))
    }
}

/// Refuses a change that a page of another site asked for.
fn same_origin(config: &Config, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = || Problem::of(StatusCode::FORBIDDEN, "a change is taken from burnward's own pages and from the command line only");
    if text("sec-fetch-site").is_some_and(|site| !["same-origin", "none"].contains(&site)) {
        return Err(foreign());
    }
    let host = text("host").unwrap_or_default();
    let Some(origin) = text("origin") else {
        return Err(Problem::of(
            StatusCode::FORBIDDEN,
            &format!("a change says where it comes from: add the header `Origin: http://{host}`"),
        ));
    };
    let external = url::Url::parse(&config.external_url).ok().map(|url| url.origin().ascii_serialization());
    let own = [Some(format!("http://{host}")), Some(format!("https://{host}")), external];
    if own.iter().flatten().any(|own| own == origin) { Ok(()) } else { Err(foreign()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value")))
            .collect()
    }

    fn status(config: &Config, method: &Method, pairs: &[(&'static str, &str)]) -> u16 {
        match check(config, method, &Uri::from_static("/"), &headers(pairs)) {
            Ok(_) => 200,
            Err(problem) => problem.into_response().status().as_u16(),
        }
    }

    #[test]
    fn without_tokens_only_its_own_names_are_answered_and_only_its_own_pages_change_anything() {
        let config = Config::default();
        for (method, pairs, expected) in [
            (Method::GET, vec![("host", "127.0.0.1:9095")], 200),
            (Method::GET, vec![("host", "[::1]:9095")], 200),
            (Method::GET, vec![("host", "evil.example")], 421),
            (Method::POST, vec![("host", "127.0.0.1:9095")], 403),
            (Method::POST, vec![("host", "127.0.0.1:9095"), ("origin", "http://127.0.0.1:9095")], 200),
            (Method::POST, vec![("host", "127.0.0.1:9095"), ("origin", "https://evil.example")], 403),
            (Method::POST, vec![("host", "127.0.0.1:9095"), ("origin", "http://127.0.0.1:9095"), ("sec-fetch-site", "cross-site")], 403),
        ] {
            assert_eq!(status(&config, &method, &pairs), expected, "{method} {pairs:?}");
        }
    }

    #[test]
    fn behind_a_proxy_that_adds_a_path_our_own_pages_are_still_our_own() {
        let config = Config { external_url: "https://ops.example/burnward".into(), ..Config::default() };
        for (origin, expected) in
            [("https://ops.example", 200), ("http://ops.example", 403), ("https://ops.example.evil", 403), ("null", 403)]
        {
            assert_eq!(status(&config, &Method::POST, &[("host", "127.0.0.1:9095"), ("origin", origin)]), expected, "{origin}");
        }
    }

    #[test]
    fn with_tokens_nobody_passes_without_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("tokens");
        std::fs::write(&file, "# people\nana:0123456789abcdef0123\nshort:tiny\n").expect("written");
        let config = Config { token_file: Some(file), ..Config::default() };
        let basic = format!("Basic {}", STANDARD.encode("anybody:0123456789abcdef0123"));
        for (pairs, expected) in [
            (vec![], 401),
            (vec![("authorization", "Bearer wrong")], 401),
            (vec![("authorization", "Bearer tiny")], 401),
            (vec![("authorization", "Bearer ")], 401),
            (vec![("authorization", "Bearer 0123456789abcdef0123")], 200),
            (vec![("authorization", basic.as_str())], 200),
        ] {
            assert_eq!(status(&config, &Method::GET, &pairs), expected, "{pairs:?}");
        }
        let bearer = ("authorization", "Bearer 0123456789abcdef0123");
        for (pairs, expected) in [
            (vec![bearer], 200),
            (vec![("authorization", "Bearer wrong")], 401),
            (vec![("authorization", basic.as_str())], 403),
            (vec![("authorization", basic.as_str()), ("host", "ops.example"), ("origin", "https://ops.example")], 200),
        ] {
            assert_eq!(status(&config, &Method::POST, &pairs), expected, "a change with {pairs:?}");
        }
    }
}
