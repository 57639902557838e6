//! Pages.
use super::Site;
use axum::{Router, response::IntoResponse};
/// x
pub fn routes() -> Router<Site> {
    Router::new()
}
/// x
pub async fn not_found() -> impl IntoResponse {
    axum::http::StatusCode::NOT_FOUND
}
