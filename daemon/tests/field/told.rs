//! What targets told, and what an SLO of `fixtures/field` counts of it.

use std::{collections::BTreeMap, fmt::Write as _, path::Path, sync::Arc};

use burnward::definition::read_paths;
use burnward_core::{
    ledger::Counts,
    slo::Slo,
    time::{Timestamp, hours},
};
use burnward_stand_ins::prometheus::{FakePrometheus, Real, backfill};

use crate::counted::{Counted, client, context};

/// A whole number of hours since the epoch: what is compared begins here and ends half an hour later.
const BEGIN: i64 = 1_699_999_200;
const SCRAPE: i64 = 15;
/// Scrapes in what is compared.
pub(crate) const COMPARED: i64 = 120;
pub(crate) const FIRST: i64 = -80;
pub(crate) const LAST: i64 = 240;

/// The moment of a scrape, the first of which is in what is compared.
fn scrape(n: i64) -> i64 {
    BEGIN + 5 + n * SCRAPE
}

fn slo(service: &str, name: &str) -> Arc<Slo> {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/field");
    let slos = read_paths(&[tree], &context()).slos;
    let found = slos.into_iter().find(|slo| slo.id.service.as_str() == service && slo.id.name.as_str() == name);
    found.unwrap_or_else(|| panic!("no {service}/{name}"))
}

/// What targets told: series by their labels, as `name{label="value"}`; each has `job` and `instance`.
pub(crate) struct Told(BTreeMap<String, Vec<(i64, f64)>>);

impl Told {
    /// One target that is scraped every 15 s.
    pub(crate) fn new() -> Self {
        Self(BTreeMap::new()).gauge("up", |_| 1.0)
    }

    /// A counter that was there long before, with so many events between two scrapes.
    pub(crate) fn counter(self, series: &str, each: u32) -> Self {
        self.gauge(series, |n| f64::from(each) * f64::from(i32::try_from(n - FIRST).expect("few")) + 1000.0)
    }

    /// A counter that appears with its first event.
    pub(crate) fn born(mut self, series: &str, at: i64, each: u32) -> Self {
        let samples = (at..LAST).map(|n| (scrape(n), f64::from(each) * f64::from(i32::try_from(n - at + 1).expect("few"))));
        self.0.insert(series.to_owned(), samples.collect());
        self
    }

    pub(crate) fn gauge(mut self, series: &str, value: impl Fn(i64) -> f64) -> Self {
        self.0.insert(series.to_owned(), (FIRST..LAST).map(|n| (scrape(n), value(n))).collect());
        self
    }

    /// A series that is gone from this scrape on.
    pub(crate) fn until(mut self, series: &str, n: i64) -> Self {
        let samples = self.0.get_mut(series).expect("a series of that name");
        samples.retain(|(at, _)| *at < scrape(n));
        self
    }

    /// The buckets of a histogram: `le` as it is spelt, and how many observations up to there between two scrapes.
    pub(crate) fn histogram(self, series: &str, buckets: &[(&str, u32)]) -> Self {
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let comma = if labels == "}" { "" } else { "," };
        buckets.iter().fold(self, |told, (le, each)| told.counter(&format!("{name}_bucket{{le=\"{le}\"{comma}{labels}"), *each))
    }

    /// What an SLO counts of it, read from the stand-in, by group.
    pub(crate) async fn counts(&self, service: &str, name: &str, groups: &[&str]) -> Vec<Counts> {
        let fake = FakePrometheus::start().await.expect("a free port");
        for (series, samples) in &self.0 {
            let labels = labels_of(series);
            let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            for (at, value) in samples {
                fake.push(&labels, at * 1000, *value);
            }
        }
        counts(fake.url(), service, name, groups).await
    }

    /// The same from a real Prometheus, in millionths where it is asked for events.
    pub(crate) async fn computed(&self, service: &str, name: &str, groups: &[&str]) -> Vec<Counts> {
        let mut text = String::new();
        for (series, samples) in &self.0 {
            let labels = labels_of(series);
            let name = labels.iter().find(|(name, _)| name == "__name__").map_or("", |(_, value)| value);
            let rest = labels.iter().filter(|(name, _)| name != "__name__").map(|(name, value)| format!("{name}={value:?}"));
            let rest = rest.collect::<Vec<_>>().join(",");
            for (at, value) in samples {
                writeln!(text, "{name}{{{rest}}} {value} {at}").expect("a string grows");
            }
        }
        let dir = tempfile::tempdir().expect("a directory");
        backfill(dir.path(), &(text + "# EOF\n")).await.expect("a database");
        let real = Real::start(dir.path(), "global: {}\n").await.expect("it starts");
        counts(&real.url(), service, name, groups).await
    }

    /// One group, which is the whole.
    pub(crate) async fn whole(&self, service: &str, name: &str) -> Counts {
        self.counts(service, name, &[""]).await[0]
    }
}

async fn counts(url: &str, service: &str, name: &str, groups: &[&str]) -> Vec<Counts> {
    let (from, to) = (Timestamp::from_seconds(BEGIN), Timestamp::from_seconds(BEGIN + COMPARED * SCRAPE));
    let counted = Counted::from(&client(url), &[slo(service, name)], Timestamp::from_seconds(BEGIN).plus(hours(1))).await;
    groups.iter().map(|group| counted.of(name, group, from, to)).collect()
}

fn labels_of(series: &str) -> Vec<(String, String)> {
    let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
    let pairs = rest.trim_end_matches('}').split("\",").filter_map(|pair| pair.split_once("=\""));
    let mut labels: Vec<(String, String)> =
        pairs.map(|(name, value)| (name.trim().to_owned(), value.trim_end_matches('"').to_owned())).collect();
    for (label, value) in [("__name__", name), ("job", "x"), ("instance", "a")] {
        if labels.iter().all(|(have, _)| have != label) {
            labels.push((label.to_owned(), value.to_owned()));
        }
    }
    labels
}

/// So many events in each scrape of what is compared.
pub(crate) fn each(good: i64, tolerated: i64, bad: i64) -> Counts {
    Counts { good: good * COMPARED, tolerated: tolerated * COMPARED, bad: bad * COMPARED, unseen_millis: 0 }
}
