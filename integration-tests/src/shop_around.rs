//! Half a day of what stands around the sample shop, as exporters would have shown it: a prober from outside, a worker with a queue, jobs and mails, a data
//! base, and accounts of two tenants; and SLOs of every kind over them.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range, time::Duration};

use burnward_core::time::{hours, minutes};

use crate::shop_week::{MONDAY, SCRAPE};

/// How long it is.
pub const LONG: Duration = Duration::from_mins(690);

/// At this time of the day.
fn at(hour: u64, minute: u64) -> Duration {
    hours(hour) + minutes(minute)
}

/// When the shop did not answer whoever asked from outside.
pub fn unreachable() -> Range<Duration> {
    at(0, 40)..at(0, 50)
}

/// When an order waited for ten minutes, although none shall for longer than one.
pub fn waiting() -> Range<Duration> {
    at(7, 40)..at(7, 55)
}

/// When 3 % of the transactions were rolled back.
pub fn rolled_back() -> Range<Duration> {
    at(2, 15)..at(3, 5)
}

/// When no janitor ran in the region `us`.
pub fn without_janitor() -> Range<Duration> {
    at(4, 30)..at(5, 30)
}

/// When a mail was not handed over: first one alone, then two within an hour.
pub fn lost_mails() -> [Duration; 3] {
    [at(5, 30), at(7, 0), at(7, 12)]
}

/// When nothing was exported.
pub fn silent() -> Range<Duration> {
    at(6, 0)..at(8, 30)
}

/// When accounts failed: of which tenant, how many of a thousand.
pub fn failing_accounts() -> [(&'static str, Range<Duration>, u64); 4] {
    [
        ("globex", at(3, 40)..at(3, 52), 500),
        ("acme", at(5, 0)..at(5, 20), 300),
        ("globex", at(5, 0)..at(5, 20), 300),
        ("acme", at(10, 20)..at(11, 10), 8),
    ]
}

/// When the worker was deployed anew: its counters begin again.
pub fn deploy() -> Duration {
    at(8, 45)
}

/// When nobody scraped anything.
pub fn gap() -> Range<Duration> {
    at(9, 0)..at(9, 10)
}

/// When the prober was away, and everything else was scraped.
pub fn prober_away() -> Range<Duration> {
    at(9, 40)..at(10, 10)
}

/// The SLOs, one document for each service, by the names of their files.
pub fn definitions() -> Vec<(&'static str, String)> {
    let document = |service: &str, slos: &str| format!("version: burnward/v1\nservice: {service}\nteam: payments\nslos:\n{slos}");
    vec![
        ("front.yaml", document("front", FRONT)),
        ("trial.yaml", document("trial", TRIAL)),
        ("orders.yaml", document("orders", ORDERS)),
        ("jobs.yaml", document("jobs", JOBS)),
        ("mail.yaml", document("mail", MAIL)),
        ("export.yaml", document("export", EXPORT)),
        ("accounts.yaml", document("accounts", ACCOUNTS)),
        ("journey.yaml", document("journey", JOURNEY)),
        ("quality.yaml", document("quality", QUALITY)),
    ]
}

const FRONT: &str = r#"  - name: reachable
    title: The shop answers whoever asks from outside
    sli: { probe: 'probe_success{job="blackbox"}' }
    objectives: [{ target: 99.9%, window: 30d }]
"#;

const TRIAL: &str = r#"  - name: reachable
    title: The same, tried without waking anybody
    status: shadow
    sli: { probe: 'probe_success{job="blackbox"}' }
    objectives: [{ target: 99.95%, window: 30d, alerting: page }]
"#;

const ORDERS: &str = r#"  - name: fresh
    title: No order waits for more than a minute
    sli: { window: { expr: 'max(shop_queue_oldest_seconds{queue="orders"})', is: '<=', threshold: 60 } }
    objectives: [{ target: 99.5%, window: 30d }]
  - name: committed
    title: Transactions of orders are committed
    sli:
      query:
        bad: 'sum(shop_transactions{outcome="rollback"})'
        total: 'sum(shop_transactions)'
    objectives: [{ target: 99.9%, window: 30d }]
"#;

const JOBS: &str = r#"  - name: janitor
    title: One janitor runs in each region
    sli: { presence: { series: 'shop_job_runs{job_name="janitor"}' } }
    per: [region]
    objectives: [{ target: 99.5%, window: 30d }]
"#;

const MAIL: &str = r#"  - name: delivery
    title: Mails to customers are handed over
    sli: { events: { bad: 'shop_mails_total{outcome="lost"}', total: 'shop_mails_total' } }
    objectives: [{ target: 99.9%, window: 30d, alerting: page }]
"#;

const EXPORT: &str = r#"  - name: export
    title: Orders are exported
    sli: { events: { bad: 'shop_exports_total{outcome="failed"}', total: 'shop_exports_total' } }
    objectives: [{ target: 99%, window: 30d }]
    no-traffic: { after: 2h, then: tell-owner }
"#;

const ACCOUNTS: &str = r#"  - name: requests
    title: Requests of accounts are answered
    sli: { events: { bad: 'shop_account_requests_total{code="500"}', total: 'shop_account_requests_total' } }
    per: [tenant]
    objectives:
      - { target: 99.9%, window: 30d }
      - { target: 99.5%, window: calendar week, timezone: America/Halifax, counted-in: { slices: 1m, good-if-at-least: 99% } }
"#;

const JOURNEY: &str = r"  - name: order
    title: Somebody orders
    sli:
      composite:
        all-of:
          - { slo: front/reachable, good-if-at-least: 99% }
          - { slo: orders/committed, good-if-at-least: 98% }
    objectives: [{ target: 99.5%, window: 30d }]
";

const QUALITY: &str = r"  - name: ordering
    title: How good ordering is
    sli:
      composite:
        weighted:
          - { slo: front/reachable, weight: 20%, good-if-at-least: 99% }
          - { slo: export/export, weight: 80%, good-if-at-least: 99% }
    objectives: [{ target: 99%, window: 30d }]
";

/// Counters of the worker, of mails and accounts since their last start.
#[derive(Default)]
struct Counted {
    mails: [u64; 2],
    exports: u64,
    accounts: BTreeMap<&'static str, Requests>,
}

#[derive(Default)]
struct Requests {
    good: u64,
    bad: u64,
    /// Thousandths of a failure.
    rest: u64,
}

const ACCOUNT_REQUESTS: [(&str, u64); 2] = [("acme", 600), ("globex", 60)];

/// All of it as OpenMetrics text, as promtool reads it.
pub fn openmetrics() -> String {
    let mut counted = Counted::default();
    let mut lines = Lines::default();
    let mut started = Duration::ZERO;
    let mut passed = Duration::ZERO;
    while passed <= LONG {
        if passed == deploy() {
            (counted, started) = (Counted::default(), passed);
        }
        counted.pass(passed);
        if !gap().contains(&passed) {
            lines.scrape(&counted, passed, started);
        }
        passed += SCRAPE;
    }
    lines.document()
}

impl Counted {
    /// What happened in the scrape interval that ends now.
    fn pass(&mut self, now: Duration) {
        // Ten mails an hour.
        self.mails[0] += u64::from(now.as_secs().is_multiple_of(minutes(6).as_secs()) && !lost_mails().contains(&now));
        self.mails[1] += u64::from(lost_mails().contains(&now));
        self.exports += if silent().contains(&now) { 0 } else { 3 };
        for (tenant, requests) in ACCOUNT_REQUESTS {
            let failing = failing_accounts().into_iter().find(|(of, when, _)| *of == tenant && when.contains(&now));
            let Requests { good, bad, rest } = self.accounts.entry(tenant).or_default();
            *rest += requests * failing.map_or(0, |(_, _, failing)| failing);
            *bad += *rest / 1000;
            *good += requests - *rest / 1000;
            *rest %= 1000;
        }
    }
}

/// Lines of text by family and series.
#[derive(Default)]
struct Lines(BTreeMap<(&'static str, &'static str), BTreeMap<String, String>>);

impl Lines {
    fn put(&mut self, (name, kind): (&'static str, &'static str), labels: &str, value: f64, now: Duration) {
        let series = format!("{name}{{{labels}}}");
        let lines = self.0.entry((name, kind)).or_default().entry(series.clone()).or_default();
        writeln!(lines, "{series} {value} {}", MONDAY.plus(now).seconds()).expect("a String");
    }

    fn scrape(&mut self, counted: &Counted, now: Duration, started: Duration) {
        const PROBER: &str = r#"job="blackbox",instance="https://shop.example""#;
        const WORKER: &str = r#"job="worker",instance="worker-1:80""#;
        let (gauge, counter) = (|name| (name, "gauge"), |name| (name, "counter"));
        let seen = !prober_away().contains(&now);
        self.put(gauge("up"), PROBER, f64::from(u8::from(seen)), now);
        if seen {
            self.put(gauge("probe_success"), PROBER, f64::from(u8::from(!unreachable().contains(&now))), now);
        }
        self.put(gauge("up"), WORKER, 1.0, now);
        self.put(gauge("process_start_time_seconds"), WORKER, MONDAY.plus(started).seconds(), now);
        let oldest = if waiting().contains(&now) { 600.0 } else { 12.0 };
        self.put(gauge("shop_queue_oldest_seconds"), &format!("{WORKER},queue=\"orders\""), oldest, now);
        let rollbacks = if rolled_back().contains(&now) { 30.0 } else { 0.0 };
        for (outcome, transactions) in [("commit", 1000.0 - rollbacks), ("rollback", rollbacks)] {
            self.put(gauge("shop_transactions"), &format!("{WORKER},outcome=\"{outcome}\""), transactions, now);
        }
        for region in ["eu", "us"] {
            if region == "eu" || !without_janitor().contains(&now) {
                self.put(gauge("shop_job_runs"), &format!("{WORKER},job_name=\"janitor\",region=\"{region}\""), 1.0, now);
            }
        }
        for (outcome, mails) in ["sent", "lost"].into_iter().zip(counted.mails) {
            self.put(counter("shop_mails_total"), &format!("{WORKER},outcome=\"{outcome}\""), mails as f64, now);
        }
        self.put(counter("shop_exports_total"), &format!("{WORKER},outcome=\"done\""), counted.exports as f64, now);
        for (tenant, Requests { good, bad, .. }) in &counted.accounts {
            for (code, requests) in [("200", good), ("500", bad)] {
                let labels = format!("{WORKER},tenant=\"{tenant}\",code=\"{code}\"");
                self.put(counter("shop_account_requests_total"), &labels, *requests as f64, now);
            }
        }
    }

    /// Each family with its type, series by series.
    fn document(&self) -> String {
        let mut text = String::new();
        for ((name, kind), series) in &self.0 {
            writeln!(text, "# TYPE {} {kind}", name.trim_end_matches("_total")).expect("a String");
            text.extend(series.values().map(String::as_str));
        }
        text + "# EOF\n"
    }
}
