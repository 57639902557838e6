//! A fleet of services with steady traffic, for measuring at scale: its counters as blocks of a Prometheus written at once, and live on `/metrics`, where
//! they go on as if there had been no break; and the files that a daemon and a Prometheus over it need.

mod block;
mod chunk;
mod definitions;
mod index;
mod live;

use std::fmt::Write as _;

pub use block::{Recorded, write_blocks};
pub use definitions::{prometheus_config, write_config, write_slos};
pub use live::{Live, serve};

/// Status codes with how many of 10,000 requests end so.
const CODES: [(&str, u64); 3] = [("200", 9_895), ("404", 100), ("500", 5)];

/// Instances of a service.
const PODS: [&str; 2] = ["a", "b"];

/// The target that all series come from.
const JOB: &str = "fleet";

/// Series of one service and customer.
pub const SERIES: usize = CODES.len() * PODS.len();

/// So many services, each for so many customers: six series for each pair.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// Services; each has an SLO of its own.
    pub services: usize,
    /// Customers of each service; 0: its series name no customer.
    pub customers: usize,
    /// When its counters were zero, in seconds since the epoch.
    pub origin: i64,
    /// Seconds between two scrapes.
    pub scrape: i64,
}

/// One counter of the fleet.
#[derive(Debug, Clone, Copy)]
pub struct Counter {
    service: usize,
    customer: Option<usize>,
    code: usize,
    pod: usize,
}

impl Fleet {
    /// The name of a service.
    pub fn service(number: usize) -> String {
        format!("svc{number:05}")
    }

    /// How many series it has.
    pub const fn series(&self) -> usize {
        self.services * if self.customers == 0 { 1 } else { self.customers } * SERIES
    }

    /// All counters, sorted as their labels are.
    pub fn counters(self) -> impl Iterator<Item = Counter> {
        let customers: Vec<Option<usize>> = if self.customers == 0 { vec![None] } else { (0..self.customers).map(Some).collect() };
        let services = self.services;
        (0..CODES.len()).flat_map(move |code| {
            let customers = customers.clone();
            customers.into_iter().flat_map(move |customer| {
                (0..PODS.len()).flat_map(move |pod| (0..services).map(move |service| Counter { service, customer, code, pod }))
            })
        })
    }

    /// The counters of one service.
    fn counters_of(self, service: usize) -> impl Iterator<Item = Counter> {
        let one = Self { services: 1, ..self };
        one.counters().map(move |counter| Counter { service, ..counter })
    }

    /// What a counter shows at a moment, in milliseconds since the epoch. It only grows.
    fn value(&self, counter: Counter, at_millis: i64) -> u64 {
        let elapsed = u64::try_from((at_millis - self.origin * 1000).max(0)).unwrap_or(0);
        let jitter = scatter(counter.number() ^ elapsed) % (400 * u64::try_from(self.scrape).unwrap_or(1));
        counter.per_day() * (elapsed + jitter) / 86_400_000
    }

    /// All counters as a target shows them at a moment; from `fails_from` on every service answers 10,000 requests a second more with an error.
    fn exposition(&self, at_millis: i64, fails_from: i64) -> String {
        let mut text = String::with_capacity(100 * self.series());
        text.push_str("# TYPE http_requests_total counter\n");
        for counter in self.counters() {
            let (code, pod, service) = (CODES[counter.code].0, PODS[counter.pod], Self::service(counter.service));
            let customer = counter.customer.map(|customer| format!("customer=\"{}\",", name_of_customer(customer))).unwrap_or_default();
            let failed = if counter.is_error() { (at_millis - fails_from).max(0) * 10 } else { 0 };
            let value = self.value(counter, at_millis) + failed.unsigned_abs();
            writeln!(text, "http_requests_total{{code=\"{code}\",{customer}pod=\"{pod}\",service=\"{service}\"}} {value}")
                .expect("a String");
        }
        text
    }
}

impl Counter {
    /// A number that no other counter has.
    fn number(self) -> u64 {
        let place = self.service * 1000 + self.customer.map_or(0, |customer| customer + 1);
        ((place * CODES.len() + self.code) * PODS.len() + self.pod) as u64
    }

    /// Requests a day: between one and a few hundred a second for its service and customer.
    fn per_day(self) -> u64 {
        let place = (self.service * 1000 + self.customer.unwrap_or(0)) as u64;
        let per_second = 1 + (1 << (scatter(place) % 9)) + scatter(place + 1) % 64;
        per_second * 86_400 * CODES[self.code].1 / 10_000 / PODS.len() as u64
    }

    fn is_error(self) -> bool {
        CODES[self.code].0.starts_with('5')
    }

    /// Its labels as Prometheus stores them, sorted.
    fn labels(self, instance: &str) -> Vec<(&'static str, String)> {
        let mut labels = vec![("__name__", "http_requests_total".to_owned()), ("code", CODES[self.code].0.to_owned())];
        labels.extend(self.customer.map(|customer| ("customer", name_of_customer(customer))));
        labels.extend([
            ("instance", instance.to_owned()),
            ("job", JOB.to_owned()),
            ("pod", PODS[self.pod].to_owned()),
            ("service", Fleet::service(self.service)),
        ]);
        labels
    }
}

fn name_of_customer(number: usize) -> String {
    format!("customer-{number:02}")
}

/// A number that looks random, the same for ever (the finaliser of `MurmurHash3`).
const fn scatter(number: u64) -> u64 {
    let number = (number ^ (number >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let number = (number ^ (number >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ (number >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: Fleet = Fleet { services: 3, customers: 2, origin: 1_700_000_000, scrape: 15 };

    #[test]
    fn counters_only_grow_and_are_sorted_by_their_labels() {
        let counters: Vec<Counter> = FLEET.counters().collect();
        assert_eq!(counters.len(), FLEET.series());
        let labels: Vec<_> = counters.iter().map(|counter| counter.labels("127.0.0.1:1")).collect();
        assert!(labels.is_sorted_by(|one, next| one < next));
        for counter in counters {
            let values: Vec<u64> = (0..2000).map(|scrape| FLEET.value(counter, 1_700_000_000_000 + scrape * 15_000)).collect();
            assert!(values.is_sorted() && values[1999] > 0, "{counter:?}");
        }
    }
}
