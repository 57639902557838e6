//! What the shop counts, and its exposition in both of the formats that scrapers ask for.

use std::time::Duration;

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Upper bounds in seconds; 0.3 is there because an SLO's limit must be a bucket's.
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0];

/// The families of counters, whose type lines the older format spells in full.
const COUNTERS: [&str; 1] = ["shop_requests"];

type Labels<const N: usize> = [(&'static str, String); N];

/// The shop's metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Labels<3>, Counter>,
    durations: Family<Labels<2>, Histogram, fn() -> Histogram>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let requests = Family::<Labels<3>, Counter>::default();
        let durations = Family::<Labels<2>, Histogram, fn() -> Histogram>::new_with_constructor(histogram as fn() -> Histogram);
        let started = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        started.set(Timestamp::now().as_millisecond() as f64 / 1_000.0);
        let mut registry = Registry::default();
        registry.register("shop_requests", "Requests that were answered, by tenant, route and status code", requests.clone());
        registry.register("shop_request_duration_seconds", "How long requests took", durations.clone());
        registry.register("process_start_time_seconds", "When the shop started, in seconds since 1970", started);
        Self { registry, requests, durations }
    }

    /// Makes a tenant's series appear with zero, so that their first failure is an increase and not a beginning
    /// (prometheus.io, "Avoid missing metrics").
    pub(super) fn prepare(&self, tenant: &str, route: &'static str) {
        for code in [200, 500] {
            drop(self.requests.get_or_create(&request_labels(tenant, route, code)));
        }
        drop(self.durations.get_or_create(&duration_labels(tenant, route)));
    }

    pub(super) fn count(&self, tenant: &str, route: &'static str, code: u16, took: Duration) {
        self.requests.get_or_create(&request_labels(tenant, route, code)).inc();
        self.durations.get_or_create(&duration_labels(tenant, route)).observe(took.as_secs_f64());
    }

    /// Requests of a tenant that were answered with this code, over all routes.
    pub(super) fn answered(&self, tenant: &str, routes: &[&'static str], code: u16) -> u64 {
        routes.iter().filter_map(|route| self.requests.get(&request_labels(tenant, route, code)).map(|counter| counter.get())).sum()
    }

    /// OpenMetrics for those who ask for it, the text format 0.0.4 for the others.
    pub(super) fn exposition(&self, headers: &HeaderMap) -> Response {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::error!(%error, "the metrics cannot be written");
            return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if accepts.contains("application/openmetrics-text") {
            ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
        } else {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], as_text_format(&text)).into_response()
        }
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn request_labels(tenant: &str, route: &'static str, code: u16) -> Labels<3> {
    [("tenant", tenant.to_owned()), ("route", route.to_owned()), ("code", code.to_string())]
}

fn duration_labels(tenant: &str, route: &'static str) -> Labels<2> {
    [("tenant", tenant.to_owned()), ("route", route.to_owned())]
}

/// OpenMetrics in the words of the older format: counters are described under their full name, and nothing marks the end.
fn as_text_format(open_metrics: &str) -> String {
    let lines = open_metrics.lines().filter(|line| *line != "# EOF");
    lines.map(|line| described_in_full(line) + "\n").collect()
}

fn described_in_full(line: &str) -> String {
    let mut words = line.splitn(4, ' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("#"), Some(what @ ("HELP" | "TYPE")), Some(name), Some(rest)) if COUNTERS.contains(&name) => {
            format!("# {what} {name}_total {rest}")
        }
        _ => line.to_owned(),
    }
}
