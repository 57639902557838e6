//! The HTTP server: pages for people, the JSON API, Slack's signed requests, and what operators expect of a daemon. It decides nothing: commands go to
//! the deciding task, everything else is read from the view and the store.

pub mod access;
pub mod api;
mod operator;
pub mod pages;
mod server;
pub mod slack;

use axum::{
    Router,
    extract::FromRef,
    http::{HeaderName, HeaderValue, header},
    middleware,
};
use tower_http::{
    catch_panic::CatchPanicLayer, compression::CompressionLayer, limit::RequestBodyLimitLayer, set_header::SetResponseHeaderLayer,
};

use crate::{app::Handle, notify, render::Renderer};

pub use server::serve;

/// The largest body that is read, in bytes.
const BODY: usize = 1024 * 1024;

/// What every handler has.
#[derive(Debug, Clone)]
pub struct Site {
    /// The running daemon.
    pub handle: Handle,
    /// The texts.
    pub renderer: Renderer,
    /// Slack; `None` where it is not configured.
    pub slack: Option<notify::slack::Slack>,
}

impl FromRef<Site> for Option<notify::slack::Slack> {
    fn from_ref(site: &Site) -> Self {
        site.slack.clone()
    }
}

/// All routes.
pub fn router(site: Site) -> Router {
    let open = operator::open_routes().merge(slack::routes()).merge(pages::open_routes());
    let guarded = api::routes()
        .merge(operator::guarded_routes())
        .merge(pages::routes())
        .fallback(pages::not_found)
        .layer(middleware::from_fn_with_state(site.clone(), access::guard));
    open.merge(guarded)
        .with_state(site)
        .layer(RequestBodyLimitLayer::new(BODY))
        .layer(CatchPanicLayer::custom(pages::panicked))
        .layer(middleware::from_fn(pages::as_page))
        .layer(CompressionLayer::new())
        .layer(fixed(header::CONTENT_SECURITY_POLICY, "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"))
        .layer(fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(fixed(header::X_FRAME_OPTIONS, "DENY"))
        .layer(fixed(header::REFERRER_POLICY, "same-origin"))
}

fn fixed(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
