//! SLIs that are expressions against real servers: what `query` adds up stays within its documented bound of the exact count of the same counters, and
//! `window` judges what the values say. `prometheus`, `promtool` and `victoria-metrics` must be on the path.

mod counted;

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use burnward::definition::{Source, document};
use burnward_core::{
    ledger::Counts,
    slo::Slo,
    time::{Timestamp, hours, minutes},
};
use burnward_stand_ins::prometheus::{Real, Victoria, backfill};
use counted::{Counted, client, context};

/// A whole number of hours since the epoch: counting begins here.
const BEGIN: i64 = 1_699_999_200;
const HOURS: u64 = 6;
const SCRAPE: i64 = 15;

const SLOS: &str = r#"version: burnward/v1
service: shop
team: operators
slos:
  - name: exact
    sli: { events: { bad: 'requests_total{code="500"}', total: 'requests_total' } }
    per: [tenant]
    objectives: &o [{ target: 99.9%, window: 30d, alerting: none }]
  - name: one-minute
    sli:
      query:
        bad: 'sum by (tenant) (increase(requests_total{code="500"}[1m]))'
        total: 'sum by (tenant) (increase(requests_total[1m]))'
    per: [tenant]
    objectives: *o
  - name: five-minutes
    sli:
      query:
        bad: 'sum by (tenant) (increase(requests_total{code="500"}[5m]))'
        total: 'sum by (tenant) (increase(requests_total[5m]))'
        step: 5m
    per: [tenant]
    objectives: *o
  - name: exact-of-a
    sli: { events: { bad: 'requests_total{code="500", instance="a"}', total: 'requests_total{instance="a"}' } }
    per: [tenant]
    objectives: *o
  - name: differences-of-a
    sli:
      query:
        bad: 'sum by (tenant) (requests_total{code="500", instance="a"}) - sum by (tenant) (requests_total{code="500", instance="a"} offset 1m)'
        total: 'sum by (tenant) (requests_total{instance="a"}) - sum by (tenant) (requests_total{instance="a"} offset 1m)'
    per: [tenant]
    objectives: *o
  - name: depth
    sli: { window: { expr: 'max by (tenant) (depth)', is: '<=', threshold: 7 } }
    per: [tenant]
    objectives: *o
"#;

fn slos() -> Vec<Arc<Slo>> {
    let (slos, _) = document::read(&Source::new("slo.yaml", SLOS), "0", &context()).expect("they load");
    slos
}

/// One counter as it was scraped: whole seconds and values.
struct Counter {
    tenant: &'static str,
    code: &'static str,
    samples: Vec<(i64, u64)>,
}

/// What a shop with two instances and two tenants counted. Instance b restarts and misses scrapes; no scrape falls on an edge of a minute.
struct Shop {
    counters: Vec<(&'static str, Counter)>,
    /// By tenant: a gauge as it was scraped.
    depth: BTreeMap<&'static str, Vec<(i64, u64)>>,
}

impl Shop {
    fn open() -> Self {
        Self::scraped_at([("a", 3), ("b", 8)], true)
    }

    /// The same where every scrape of every instance falls on a whole quarter of a minute and none is missed; instance b restarts as well.
    fn on_the_minute() -> Self {
        Self::scraped_at([("a", 0), ("b", 0)], false)
    }

    fn scraped_at(instances: [(&'static str, i64); 2], misses: bool) -> Self {
        let mut dice = Dice(7);
        let mut counters = Vec::new();
        for (instance, offset) in instances {
            for (tenant, good, bad) in [("busy", 40, 3), ("rare", 1, 1)] {
                for (code, most) in [("200", good), ("500", bad)] {
                    let rare = if tenant == "rare" { 12 } else { 1 };
                    let events = |dice: &mut Dice| if dice.under(rare) == 0 { dice.under(most + 1) } else { 0 };
                    let samples = count(&mut dice, (instance == "b", misses), offset, events);
                    counters.push((instance, Counter { tenant, code, samples }));
                }
            }
        }
        let mut gauge = |offset| scrapes(offset).map(|at| (at, dice.under(10))).collect();
        let depth = BTreeMap::from([("busy", gauge(2)), ("rare", gauge(11))]);
        Self { counters, depth }
    }

    fn openmetrics(&self) -> String {
        let mut text = "# TYPE requests counter\n".to_owned();
        for (instance, Counter { tenant, code, samples }) in &self.counters {
            for (at, value) in samples {
                writeln!(text, "requests_total{{job=\"shop\",instance=\"{instance}\",tenant=\"{tenant}\",code=\"{code}\"}} {value} {at}")
                    .expect("a string grows");
            }
        }
        text += "# TYPE depth gauge\n";
        for (tenant, samples) in &self.depth {
            for (at, value) in samples {
                writeln!(text, "depth{{job=\"shop\",instance=\"a\",tenant=\"{tenant}\"}} {value} {at}").expect("a string grows");
            }
        }
        text + "# EOF\n"
    }

    /// Between which numbers the sum of `increase()` over the steps up to `to` must lie.
    fn bounds(&self, tenant: &str, codes: &[&str], step: i64, to: i64) -> (f64, f64) {
        let of_tenant = self.counters.iter().filter(|(_, counter)| counter.tenant == tenant && codes.contains(&counter.code));
        let of_steps = |counter: &Counter| {
            let edges = (1..).map(|n| BEGIN + n * step).take_while(|edge| *edge <= to);
            edges.map(|edge| seen(&counter.samples, edge - step, edge)).fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
        };
        of_tenant.map(|(_, counter)| of_steps(counter)).fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
    }

    /// Good and bad minutes of the gauge, by its newest sample at the end of each.
    fn minutes(&self, tenant: &str, to: i64) -> Counts {
        let samples = &self.depth[tenant];
        let newest = |edge: i64| samples.iter().rfind(|(at, _)| *at <= edge).expect("it is scraped from before").1;
        let edges = (1..).map(|n| BEGIN + n * 60).take_while(|edge| *edge <= to);
        edges
            .map(|edge| if newest(edge) <= 7 { Counts { good: 1, ..Counts::default() } } else { Counts { bad: 1, ..Counts::default() } })
            .sum()
    }
}

/// What lies between the first and the last sample of a step, and that scaled up to the whole step.
fn seen(samples: &[(i64, u64)], from: i64, to: i64) -> (f64, f64) {
    let within: Vec<_> = samples.iter().filter(|(at, _)| *at >= from && *at <= to).collect();
    let [(first, _), .., (last, _)] = within[..] else { return (0.0, 0.0) };
    let events: u64 = within.windows(2).map(|pair| if pair[1].1 < pair[0].1 { pair[1].1 } else { pair[1].1 - pair[0].1 }).sum();
    let events = events as f64;
    (events, events * (to - from) as f64 / (last - first) as f64)
}

fn scrapes(offset: i64) -> impl Iterator<Item = i64> {
    let end = BEGIN + i64::try_from(HOURS).expect("few") * 3600;
    (BEGIN - 1200 + offset..end).step_by(usize::try_from(SCRAPE).expect("positive"))
}

fn count(dice: &mut Dice, (restarts, misses): (bool, bool), offset: i64, mut events: impl FnMut(&mut Dice) -> u64) -> Vec<(i64, u64)> {
    let (mut value, mut missed, mut samples) = (1000, false, Vec::new());
    for at in scrapes(offset) {
        value += events(dice);
        if restarts && dice.under(160) == 0 {
            value = events(dice);
        }
        missed = restarts && misses && !missed && dice.under(50) == 0;
        if !missed {
            samples.push((at, value));
        }
    }
    samples
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn under(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// What all SLOs counted in the six hours from the beginning, and up to where that is compared.
struct SixHours {
    counted: Counted,
    to: Timestamp,
}

impl SixHours {
    async fn from(url: &str) -> Self {
        let now = Timestamp::from_seconds(BEGIN).plus(hours(HOURS));
        Self { counted: Counted::from(&client(url), &slos(), now).await, to: now.minus(minutes(10)) }
    }

    fn of(&self, slo: &str, tenant: &str) -> Counts {
        self.counted.of(slo, tenant, Timestamp::from_seconds(BEGIN), self.to)
    }
}

/// Millionths as events.
fn events(millionths: i64) -> f64 {
    millionths as f64 / 1e6
}

#[tokio::test]
async fn what_prometheus_extrapolates_stays_within_the_documented_bound_of_the_exact_count() {
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    backfill(dir.path(), &shop.openmetrics()).await.unwrap();
    let real = Real::start(dir.path(), "global: {}\n").await.unwrap();
    let counted = SixHours::from(&real.url()).await;
    let to = counted.to.millis() / 1000;
    for tenant in ["busy", "rare"] {
        let exact = counted.of("exact", tenant);
        for (slo, step, most) in [("one-minute", 60, 4.0 / 3.0), ("five-minutes", 300, 20.0 / 19.0)] {
            let estimated = counted.of(slo, tenant);
            for (what, codes, exact, estimated) in
                [("bad", &["500"][..], exact.bad, estimated.bad), ("all", &["200", "500"], exact.total(), estimated.total())]
            {
                let (least, scaled) = shop.bounds(tenant, codes, step, to);
                let (exact, estimated) = (exact as f64, events(estimated));
                println!("{tenant} {slo} {what}: exact {exact}, estimated {estimated:.2}, between {least} and {scaled:.2}");
                assert!((least - 0.01..=scaled + 0.01).contains(&estimated), "{tenant} {slo} {what}: {least} {estimated} {scaled}");
                assert!(least <= exact, "what is seen of steps is part of the whole");
                assert!(scaled <= least * most * 1.1, "{tenant} {slo} {what}: scrapes that were missed widen it a little");
            }
        }
        let (exact, estimated) = (counted.of("exact-of-a", tenant), counted.of("differences-of-a", tenant));
        assert_eq!(
            (exact.good * 1_000_000, exact.bad * 1_000_000),
            (estimated.good, estimated.bad),
            "differences of an unreset counter are exact"
        );
        assert_eq!(counted.of("depth", tenant), shop.minutes(tenant, to));
    }
}

#[tokio::test]
async fn where_increase_has_nothing_to_extrapolate_it_agrees_with_the_ledger_event_by_event() {
    let shop = Shop::on_the_minute();
    let dir = tempfile::tempdir().unwrap();
    backfill(dir.path(), &shop.openmetrics()).await.unwrap();
    let real = Real::start(dir.path(), "global: {}\n").await.unwrap();
    let counted = SixHours::from(&real.url()).await;
    for tenant in ["busy", "rare"] {
        let exact = counted.of("exact", tenant);
        assert!(exact.bad > 0 && exact.good > exact.bad, "{exact:?}");
        // A range of Prometheus 2 holds the samples at both of its ends: a step's increase is the difference of the two, and resets are counted from zero.
        for slo in ["one-minute", "five-minutes"] {
            let computed = counted.of(slo, tenant);
            assert_eq!((exact.good * 1_000_000, exact.bad * 1_000_000), (computed.good, computed.bad), "{tenant} {slo}");
        }
    }
}

#[tokio::test]
async fn what_victoria_metrics_counts_is_exact() {
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    let victoria = Victoria::start(dir.path()).await.unwrap();
    victoria.import(&shop.openmetrics()).await.unwrap();
    let counted = SixHours::from(&victoria.url()).await;
    let to = counted.to.millis() / 1000;
    for tenant in ["busy", "rare"] {
        let exact = counted.of("exact", tenant);
        for slo in ["one-minute", "five-minutes"] {
            let computed = counted.of(slo, tenant);
            println!("{tenant} {slo}: exact {exact:?}, computed {computed:?}");
            assert_eq!((exact.good * 1_000_000, exact.bad * 1_000_000), (computed.good, computed.bad), "{tenant} {slo}");
        }
        assert_eq!(counted.of("depth", tenant), shop.minutes(tenant, to));
    }
}

/// VictoriaMetrics takes any name.
#[tokio::test]
async fn names_beyond_the_classic_alphabet_are_asked_for_and_counted() {
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    let victoria = Victoria::start(dir.path()).await.unwrap();
    victoria.import(&shop.openmetrics()).await.unwrap();
    victoria.import(&shop.openmetrics().replace("requests_total", "http.requests.total")).await.unwrap();
    let text = SLOS
        .replace(r#"requests_total{code="500"}'"#, r#"{"http.requests.total", code="500"}'"#)
        .replace("total: 'requests_total'", r#"total: '{"http.requests.total"}'"#);
    let (dotted, _) = document::read(&Source::new("slo.yaml", &text), "0", &context()).expect("they load");
    let (now, from) = (Timestamp::from_seconds(BEGIN).plus(hours(HOURS)), Timestamp::from_seconds(BEGIN).plus(minutes(1)));
    let count = async |slos: &[Arc<Slo>]| Counted::from(&client(&victoria.url()), slos, now).await;
    let (plain, dotted) = (count(&slos()).await, count(&dotted).await);
    let to = now.minus(minutes(5));
    let counts = dotted.of("exact", "busy", from, to);
    assert!(counts.bad > 0, "{counts:?}");
    assert_eq!(counts, plain.of("exact", "busy", from, to));
}
