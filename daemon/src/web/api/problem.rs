//! Problems: every error of the API in the form of RFC 9457.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{app::RequestError, store::StoreError};

/// An error with its status and one sentence that says what, and what to do.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: &'a str,
}

impl Problem {
    /// A problem with any status.
    pub fn of(status: StatusCode, detail: &str) -> Self {
        Self { status, detail: detail.to_owned() }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: &str) -> Self {
        Self::of(StatusCode::BAD_REQUEST, detail)
    }

    /// 404: there is no such thing, or none that the caller may see.
    pub fn not_found(detail: &str) -> Self {
        Self::of(StatusCode::NOT_FOUND, detail)
    }

    /// 401: no token, or a wrong one.
    pub fn unauthorized() -> Self {
        Self::of(StatusCode::UNAUTHORIZED, "a token is needed: `Authorization: Bearer ...`, or as the password of a browser's dialog")
    }

    /// The sentence.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

/// The sentence of a problem, kept beside its response for the page that a browser gets instead.
#[derive(Debug, Clone)]
pub struct Said(pub String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("error");
        let body = Body { r#type: "about:blank", title, status: self.status.as_u16(), detail: &self.detail };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(Said(self.detail));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"burnward\""));
        }
        response
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let status = match &error {
            RequestError::NotFound(_) | RequestError::NoExclusion(_) => StatusCode::NOT_FOUND,
            RequestError::Store(_) | RequestError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            RequestError::Refused(_) => StatusCode::CONFLICT,
        };
        Self::of(status, &error.to_string())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store could not be read");
        Self::of(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read now; evaluation and pages that are decided go on")
    }
}
