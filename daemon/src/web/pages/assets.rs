//! The style, the icon and the script of times, from the binary. Their names hold their hash, so that a browser keeps them for good and never keeps an old one.

use std::sync::LazyLock;

use crate::{definition::document::version_of, web::api::problem::Problem};
use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("burnward", "css", "text/css; charset=utf-8", include_str!("style.css")));
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("icon.svg")));
/// Times in the viewer's zone, which a server does not know; everything else works without a script.
pub(super) static TIMES: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("times", "js", "text/javascript; charset=utf-8", include_str!("times.js")));

/// A file of the binary.
pub(super) struct Asset {
    /// Its address.
    pub(super) path: String,
    media: &'static str,
    body: &'static str,
}

impl Asset {
    fn new(name: &str, extension: &str, media: &'static str, body: &'static str) -> Self {
        Self { path: format!("/assets/{name}-{}.{extension}", version_of(body)), media, body }
    }
}

/// `GET /assets/{file}`.
pub(super) async fn get(Path(file): Path<String>) -> Result<Response, Problem> {
    let named = |asset: &&Asset| asset.path.strip_prefix("/assets/") == Some(file.as_str());
    let asset = [&*STYLE, &*ICON, &*TIMES]
        .into_iter()
        .find(named)
        .ok_or_else(|| Problem::not_found("there is no such file; load the page anew"))?;
    let headers = [(header::CONTENT_TYPE, asset.media), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.body).into_response())
}
