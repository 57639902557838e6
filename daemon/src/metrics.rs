//! Our own metrics, as `/metrics` shows them: what an operator needs to know whether burnward itself is well. Tenant names are no labels.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use burnward_core::{
    id::SourceName,
    ledger::{Reason, Unknown},
    time::Timestamp,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

use crate::{
    source::Answer,
    view::{Circuit, SourceView},
};

/// The metrics of one daemon. Cheap to clone; clones share the numbers.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    evaluations: Family<OutcomeLabel, Counter>,
    lateness: Histogram,
    deciding: Histogram,
    unknown_slos: Gauge,
    page_delivery: Histogram,
    pages: Family<ResultLabel, Counter>,
    alerts_held_back: Counter,
    outbox_oldest: Gauge<f64, AtomicU64>,
    outbox_pages: Gauge,
    reload_ok: Gauge,
    reloads: Counter,
    blind_sources: Gauge,
    commit: Histogram,
    sources: Sources,
}

/// What is known of the asking of each source.
#[derive(Debug, Clone, Default)]
struct Sources {
    asks: Family<SourceLabel, Counter>,
    failures: Family<SourceLabel, Counter>,
    foreign: Family<SourceLabel, Counter>,
    seconds: Family<SourceLabel, Counter<f64, AtomicU64>>,
    bytes: Family<SourceLabel, Counter>,
    samples: Family<SourceLabel, Counter>,
    circuit_open: Family<SourceLabel, Gauge>,
    replica: Family<SourceLabel, Gauge>,
}

impl Sources {
    fn register(&self, registry: &mut Registry) {
        registry.register("source_asks", "Questions to a source", self.asks.clone());
        registry.register("source_failures", "Questions to a source without a whole answer", self.failures.clone());
        registry.register(
            "source_foreign_answers",
            "Answers that held series which were not asked for, such as another tenant's; nothing of them was used",
            self.foreign.clone(),
        );
        registry.register(
            "source_ask_seconds",
            "Time that the questions to a source took, waiting for a turn included",
            self.seconds.clone(),
        );
        registry.register("source_bytes", "Decoded bytes of a source's answers", self.bytes.clone());
        registry.register("source_samples", "Samples in a source's answers", self.samples.clone());
        registry.register(
            "source_circuit_open",
            "1 while a source that stays blind is asked one small question a tick",
            self.circuit_open.clone(),
        );
        registry.register("source_replica", "Which replica of a source is read, from 1", self.replica.clone());
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

/// Counts the questions to one source.
#[derive(Debug, Clone)]
pub struct SourceMeter {
    asks: Counter,
    failures: Counter,
    foreign: Counter,
    seconds: Counter<f64, AtomicU64>,
    bytes: Counter,
    samples: Counter,
}

impl SourceMeter {
    /// A question was answered, or not.
    pub fn asked(&self, answer: &Result<Answer, Unknown>, took: Duration) {
        self.asks.inc();
        self.seconds.inc_by(took.as_secs_f64());
        match answer {
            Ok(answer) => {
                self.bytes.inc_by(answer.bytes as u64);
                self.samples.inc_by(answer.series.iter().map(|series| series.samples.len() as u64).sum());
            }
            Err(unknown) => {
                self.failures.inc();
                self.foreign.inc_by(u64::from(unknown.reason == Reason::Foreign));
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: Outcome,
}

/// Whether a round of a source was evaluated in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the variant is the label's value")]
pub enum Outcome {
    /// Within one tick of when it was due.
    on_time,
    /// Later than that.
    late,
    /// The source did not answer.
    blind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: PageResult,
}

/// What became of an attempt to deliver a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the variant is the label's value")]
pub enum PageResult {
    /// It arrived.
    delivered,
    /// It is tried again.
    retried,
    /// It may have arrived.
    ambiguous,
    /// It cannot arrive.
    undeliverable,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("burnward");
        let latency = || Histogram::new([0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0]);
        let metrics = Self {
            registry: Arc::default(),
            evaluations: Family::default(),
            lateness: latency(),
            deciding: latency(),
            unknown_slos: Gauge::default(),
            page_delivery: latency(),
            pages: Family::default(),
            alerts_held_back: Counter::default(),
            outbox_oldest: Gauge::default(),
            outbox_pages: Gauge::default(),
            reload_ok: Gauge::default(),
            reloads: Counter::default(),
            blind_sources: Gauge::default(),
            commit: Histogram::new([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0]),
            sources: Sources::default(),
        };
        for outcome in [Outcome::on_time, Outcome::late, Outcome::blind] {
            drop(metrics.evaluations.get_or_create(&OutcomeLabel { outcome }));
        }
        for result in [PageResult::delivered, PageResult::retried, PageResult::ambiguous, PageResult::undeliverable] {
            drop(metrics.pages.get_or_create(&ResultLabel { result }));
        }
        registry.register("build", "The version that runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register("evaluations", "Rounds of a source, by whether they were evaluated in time", metrics.evaluations.clone());
        registry.register("evaluation_lateness_seconds", "How long after it was due a round was decided", metrics.lateness.clone());
        registry.register("decision_seconds", "From the answers of a round to its last decision in the store", metrics.deciding.clone());
        registry.register("slo_unknown", "Budgets that cannot be seen now", metrics.unknown_slos.clone());
        registry.register("page_delivery_seconds", "From the decision of a page to its delivery", metrics.page_delivery.clone());
        registry.register("pages", "Attempts to deliver pages, by what became of them", metrics.pages.clone());
        registry.register(
            "alerts_held_back",
            "Times that an alert row was above its burn rate and was held back",
            metrics.alerts_held_back.clone(),
        );
        registry.register("outbox_oldest_age_seconds", "Age of the oldest page that waits for delivery", metrics.outbox_oldest.clone());
        registry.register("outbox_pages", "Pages that wait for delivery", metrics.outbox_pages.clone());
        registry.register("config_last_reload_successful", "1 if the last load of the definitions had no fault", metrics.reload_ok.clone());
        registry.register("config_reloads", "Loads of the definitions, the one at the start too", metrics.reloads.clone());
        registry.register("sources_blind", "Sources that do not answer now", metrics.blind_sources.clone());
        registry.register("store_commit_seconds", "How long commits take", metrics.commit.clone());
        metrics.sources.register(&mut registry);
        Self { registry: Arc::new(registry), ..metrics }
    }
}

impl Metrics {
    /// A round was decided `late` after it was due, of which deciding and storing took `took`.
    pub fn evaluated(&self, outcome: Outcome, late: Duration, took: Duration) {
        self.evaluations.get_or_create(&OutcomeLabel { outcome }).inc();
        self.lateness.observe(late.as_secs_f64());
        self.deciding.observe(took.as_secs_f64());
    }

    /// How many budgets and sources cannot be seen.
    pub fn blindness(&self, budgets: usize, sources: usize) {
        self.unknown_slos.set(i64::try_from(budgets).unwrap_or(i64::MAX));
        self.blind_sources.set(i64::try_from(sources).unwrap_or(i64::MAX));
    }

    /// What counts the questions to a source.
    pub fn source(&self, name: &SourceName) -> SourceMeter {
        let label = SourceLabel { source: name.to_string() };
        SourceMeter {
            asks: self.sources.asks.get_or_create(&label).clone(),
            failures: self.sources.failures.get_or_create(&label).clone(),
            foreign: self.sources.foreign.get_or_create(&label).clone(),
            seconds: self.sources.seconds.get_or_create(&label).clone(),
            bytes: self.sources.bytes.get_or_create(&label).clone(),
            samples: self.sources.samples.get_or_create(&label).clone(),
        }
    }

    /// How a source is asked: everything, or one question a tick; and which replica, where there are several.
    pub fn source_state(&self, name: &SourceName, source: &SourceView) {
        let label = SourceLabel { source: name.to_string() };
        self.sources.circuit_open.get_or_create(&label).set(i64::from(source.circuit == Circuit::Open));
        if let Some(replica) = &source.replica {
            self.sources.replica.get_or_create(&label).set(i64::try_from(replica.number).unwrap_or(i64::MAX));
        }
    }

    /// An attempt to deliver a page ended.
    pub fn page_attempt(&self, result: PageResult) {
        self.pages.get_or_create(&ResultLabel { result }).inc();
    }

    /// A page arrived that was decided at `decided`.
    pub fn page_delivered(&self, decided: Timestamp, now: Timestamp) {
        self.page_attempt(PageResult::delivered);
        self.page_delivery.observe(now.since(decided).as_secs_f64());
    }

    /// So many budgets began to hold an alert back.
    pub fn held_back(&self, budgets: usize) {
        self.alerts_held_back.inc_by(u64::try_from(budgets).unwrap_or(u64::MAX));
    }

    /// How full the outbox is.
    pub fn outbox(&self, pages: u64, oldest_age: Duration) {
        self.outbox_pages.set(i64::try_from(pages).unwrap_or(i64::MAX));
        self.outbox_oldest.set(oldest_age.as_secs_f64());
    }

    /// The definitions were loaded, with faults or without.
    pub fn reloaded(&self, without_fault: bool) {
        self.reload_ok.set(i64::from(without_fault));
        self.reloads.inc();
    }

    /// A commit took this long.
    pub fn committed(&self, took: Duration) {
        self.commit.observe(took.as_secs_f64());
    }

    /// The exposition text, OpenMetrics 1.0.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use burnward_core::ledger::Reason;

    use super::*;

    #[test]
    fn every_metric_is_there_before_anything_happened_and_reads_back() {
        let text = Metrics::default().text();
        for name in [
            "burnward_evaluations_total",
            "burnward_page_delivery_seconds_bucket",
            "burnward_outbox_oldest_age_seconds",
            "burnward_build_info",
        ] {
            assert!(text.contains(name), "{name} is missing in\n{text}");
        }
        let read = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).expect("readable");
        assert!(read.samples.iter().any(|sample| sample.metric == "burnward_pages_total"));
    }

    #[test]
    fn what_a_source_costs_is_counted_by_its_name() {
        let metrics = Metrics::default();
        let meter = metrics.source(&SourceName::parse("prom-eu").expect("a name"));
        meter.asked(&Ok(Answer { series: Vec::new(), bytes: 7, took: Duration::ZERO }), Duration::from_millis(1500));
        meter.asked(&Err(Unknown::new(Reason::Timeout, "no answer")), Duration::from_millis(500));
        let text = metrics.text();
        for (name, value) in
            [("asks_total", "2"), ("failures_total", "1"), ("ask_seconds_total", "2.0"), ("bytes_total", "7"), ("samples_total", "0")]
        {
            let line = format!("burnward_source_{name}{{source=\"prom-eu\"}} {value}\n");
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }
}
