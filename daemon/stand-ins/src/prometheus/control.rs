//! The switches over HTTP, for people and for tests in other processes.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    fake::{Asked, Switch},
    fault::{Class, Fault},
    tsdb::LabelSet,
};

/// `POST /_control/fault` switches one on, `DELETE` all off; `POST /_control/push` adds samples; `GET /_control/asked` lists the requests.
pub(super) fn router(switch: Switch) -> Router {
    Router::new()
        .route("/_control/fault", post(fail).delete(heal))
        .route("/_control/push", post(push))
        .route("/_control/asked", get(asked))
        .with_state(switch)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    class: Class,
    fault: Fault,
}

async fn fail(State(switch): State<Switch>, Json(order): Json<Order>) -> StatusCode {
    switch.fail(order.class, order.fault).await;
    StatusCode::NO_CONTENT
}

async fn heal(State(switch): State<Switch>) -> StatusCode {
    switch.heal().await;
    StatusCode::NO_CONTENT
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    labels: LabelSet,
    at_millis: i64,
    value: f64,
}

async fn push(State(switch): State<Switch>, Json(samples): Json<Vec<Pushed>>) -> StatusCode {
    let mut state = switch.state();
    for Pushed { labels, at_millis, value } in samples {
        state.push(labels, at_millis, value);
    }
    StatusCode::NO_CONTENT
}

async fn asked(State(switch): State<Switch>) -> Json<Vec<Asked>> {
    Json(switch.state().asked().cloned().collect())
}
