//! The service: routes, tenants, delays and failures.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    middleware,
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde::Deserialize;

use super::{
    metrics::Metrics,
    page,
    trouble::{Ailment, Trouble},
};
use crate::{html::asset, origin};

/// The header that names the tenant.
pub(super) const TENANT: &str = "x-tenant";

/// The routes that customers use.
pub(super) const ROUTES: [&str; 3] = ["/browse", "/cart", "/pay"];

/// How long a request takes where all is well: a base in milliseconds and what chance adds at most.
const fn usual_time(route: &str) -> (u64, u64) {
    match route.len() {
        5 => (4, 12),
        4 => (20, 60),
        _ => (8, 25),
    }
}

/// The shop behind its routes.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) metrics: Metrics,
    pub(super) trouble: Trouble,
    dice: Mutex<StdRng>,
}

impl Service {
    pub(super) fn new(tenants: Vec<String>, seed: u64) -> anyhow::Result<Self> {
        let metrics = Metrics::new();
        for tenant in &tenants {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            anyhow::ensure!(!tenant.is_empty() && tenant.len() <= 63 && tenant.chars().all(fits), "{tenant:?} is no tenant's name");
            for route in ROUTES {
                metrics.prepare(tenant, route);
            }
        }
        Ok(Self { metrics, trouble: Trouble::none(tenants), dice: Mutex::new(StdRng::seed_from_u64(seed)) })
    }

    pub(super) fn tenants(&self) -> Vec<String> {
        self.trouble.all().into_keys().collect()
    }

    fn draw(&self, route: &str, ailment: Ailment) -> (Duration, StatusCode) {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let (base, spread) = usual_time(route);
        let time = Duration::from_millis(base + dice.random_range(0..=spread)) + ailment.slower_by;
        let code = if dice.random_bool(ailment.fail_share) { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        (time, code)
    }
}

pub(super) fn router(service: Arc<Service>) -> Router {
    let people = Router::new()
        .route("/", get(page::status))
        .route("/_control/fail", post(fail))
        .route("/_control/slow", post(slow))
        .route("/_control/recover", post(recover))
        .layer(middleware::from_fn(origin::only_own));
    Router::new()
        .route("/browse", get(browse))
        .route("/cart", get(cart))
        .route("/pay", post(pay))
        .route("/metrics", get(metrics))
        .route("/style.css", get(|| async { asset("text/css; charset=utf-8", include_str!("style.css")) }))
        .merge(people)
        .with_state(service)
}

async fn browse(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    handle(&service, "/browse", &headers, "shoes, hats, umbrellas\n").await
}

async fn cart(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    handle(&service, "/cart", &headers, "one hat\n").await
}

async fn pay(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    handle(&service, "/pay", &headers, "thank you\n").await
}

/// Serves a customer. Only known tenants are counted under their names, so that callers cannot make series.
async fn handle(service: &Service, route: &'static str, headers: &HeaderMap, goods: &'static str) -> Response {
    let began = Instant::now();
    let tenant = headers.get(TENANT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(ailment) = service.trouble.of(tenant) else {
        service.metrics.count("(unknown)", route, 404, began.elapsed());
        return (StatusCode::NOT_FOUND, "no such tenant\n").into_response();
    };
    let (time, code) = service.draw(route, ailment);
    tokio::time::sleep(time).await;
    service.metrics.count(tenant, route, code.as_u16(), began.elapsed());
    let body = if code.is_success() { goods } else { "the till is broken\n" };
    (code, body).into_response()
}

async fn metrics(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    service.metrics.exposition(&headers)
}

/// The query of a switch: comma-separated tenants, and how bad it gets.
#[derive(Debug, Deserialize)]
struct Switch {
    tenants: String,
    share: Option<f64>,
    by_ms: Option<u64>,
}

impl Switch {
    /// The error is what to tell the caller.
    fn tenants<'a>(&'a self, service: &Service) -> Result<Vec<&'a str>, String> {
        let named: Vec<&str> = self.tenants.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let unknown: Vec<&str> = named.iter().copied().filter(|name| service.trouble.of(name).is_none()).collect();
        if named.is_empty() || !unknown.is_empty() {
            return Err(format!("no such tenant: {}; there are {}\n", unknown.join(", "), service.tenants().join(", ")));
        }
        Ok(named)
    }
}

/// The usual failure: more than half of the requests.
const USUAL_SHARE: f64 = 0.6;
/// The usual delay: well over the limit of the shop's latency SLO.
const USUAL_DELAY_MS: u64 = 400;

async fn fail(State(service): State<Arc<Service>>, Query(switch): Query<Switch>) -> Response {
    let share = switch.share.unwrap_or(USUAL_SHARE);
    if !(0.0..=1.0).contains(&share) {
        return (StatusCode::UNPROCESSABLE_ENTITY, "share lies between 0 and 1\n").into_response();
    }
    switched(switch.tenants(&service), |tenants| service.trouble.fail(tenants, share))
}

async fn slow(State(service): State<Arc<Service>>, Query(switch): Query<Switch>) -> Response {
    let by = Duration::from_millis(switch.by_ms.unwrap_or(USUAL_DELAY_MS));
    switched(switch.tenants(&service), |tenants| service.trouble.slow(tenants, by))
}

async fn recover(State(service): State<Arc<Service>>) -> Response {
    service.trouble.recover();
    Redirect::to("/").into_response()
}

/// Back to the page, which a browser follows and a program need not.
fn switched(tenants: Result<Vec<&str>, String>, act: impl FnOnce(Vec<&str>)) -> Response {
    match tenants {
        Err(told) => (StatusCode::UNPROCESSABLE_ENTITY, told).into_response(),
        Ok(tenants) => {
            act(tenants);
            Redirect::to("/").into_response()
        }
    }
}
