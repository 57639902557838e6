//! A week of the sample shop, as its exporter would have shown it: its metrics, tenants and routes, days and nights, and what went wrong in it.

use std::{collections::BTreeMap, fmt::Write as _, ops::Range, time::Duration};

use burnward_core::time::{Timestamp, days, hours, minutes};

/// How often the shop is scraped.
pub const SCRAPE: Duration = Duration::from_secs(30);

/// A Monday, at midnight in UTC.
pub const MONDAY: Timestamp = Timestamp::from_seconds(1_762_128_000);

/// What went wrong, as somebody would have marked it.
pub const INCIDENTS: &str = "version: burnward/v1
incidents:
  - { name: payments down, service: shop, from: 2025-11-04T03:00:00Z, to: 2025-11-04T03:20:00Z }
  - { name: a bad release, service: shop, from: 2025-11-05T10:00:00Z, to: 2025-11-05T12:00:00Z }
  - { name: slow search, service: shop, from: 2025-11-06T20:00:00Z, to: 2025-11-06T20:30:00Z }
  - { name: flapping, service: shop, from: 2025-11-08T09:00:00Z, to: 2025-11-08T09:50:00Z }
  - { name: a complaint of one customer, service: shop, from: 2025-11-09T12:00:00Z, to: 2025-11-09T12:10:00Z }
";

const TENANTS: [(&str, u64); 2] = [("acme", 20), ("globex", 1)];
const ROUTES: [(&str, u64); 2] = [("/browse", 3), ("/pay", 1)];

/// A part of a tenant's requests that fails or is slow, in thousandths.
struct Trouble {
    tenant: &'static str,
    when: Range<Duration>,
    failing: u64,
    slow: u64,
}

fn at(day: u64, hour: u64, minute: u64) -> Duration {
    days(day) + hours(hour) + minutes(minute)
}

fn troubles() -> Vec<Trouble> {
    let failing = |tenant, from: Duration, long, failing| Trouble { tenant, when: from..from + long, failing, slow: 0 };
    vec![
        failing("acme", at(1, 3, 0), minutes(20), 300),
        failing("acme", at(2, 10, 0), hours(2), 12),
        Trouble { tenant: "acme", when: at(3, 20, 0)..at(3, 20, 30), failing: 0, slow: 400 },
        failing("globex", at(4, 2, 0), minutes(1), 400),
        failing("acme", at(5, 9, 0), minutes(8), 200),
        failing("acme", at(5, 9, 20), minutes(8), 200),
        failing("acme", at(5, 9, 40), minutes(8), 200),
        failing("globex", at(6, 0, 0), hours(24), 2),
    ]
}

/// When the shop was deployed anew: its counters begin again.
fn deploys() -> [Duration; 2] {
    [at(2, 9, 58), at(4, 15, 0)]
}

/// When nobody scraped.
fn gaps() -> [Range<Duration>; 1] {
    [at(4, 12, 0)..at(4, 12, 10)]
}

/// Counters of one tenant's route since the shop's last start.
#[derive(Default)]
struct Counted {
    good: u64,
    bad: u64,
    slow: u64,
    /// Thousandths of a failure, of a slow request.
    rest: (u64, u64),
}

/// The week as OpenMetrics text, as promtool reads it.
pub fn openmetrics() -> String {
    let (troubles, deploys, gaps) = (troubles(), deploys(), gaps());
    let mut counted: BTreeMap<(&str, &str), Counted> = BTreeMap::new();
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    let mut started = MONDAY;
    let mut passed = Duration::ZERO;
    while passed <= days(7) {
        if deploys.contains(&passed) {
            counted.clear();
            started = MONDAY.plus(passed);
        }
        for (tenant, busy) in TENANTS {
            let ill = troubles.iter().find(|trouble| trouble.tenant == tenant && trouble.when.contains(&passed));
            for (route, share) in ROUTES {
                counted.entry((tenant, route)).or_default().pass(busy * share * of_day(passed), ill);
            }
        }
        if !gaps.iter().any(|gap| gap.contains(&passed)) {
            scrape(&mut lines, &counted, MONDAY.plus(passed), started);
        }
        passed += SCRAPE;
    }
    families(&lines)
}

/// How much of its usual traffic the shop has at this time of day, in quarters.
fn of_day(passed: Duration) -> u64 {
    match passed.as_secs() / 3600 % 24 {
        0..6 => 1,
        6..9 | 21..24 => 3,
        _ => 5,
    }
}

impl Counted {
    /// The requests of one scrape interval, given in quarters of one for each four seconds.
    fn pass(&mut self, quarters: u64, ill: Option<&Trouble>) {
        let requests = quarters * SCRAPE.as_secs() / 4;
        let (failing, slow) = ill.map_or((0, 0), |ill| (ill.failing, ill.slow));
        let (failed, slowed) = (self.rest.0 + requests * failing, self.rest.1 + requests * slow);
        self.rest = (failed % 1000, slowed % 1000);
        self.bad += failed / 1000;
        self.good += requests - failed / 1000;
        self.slow += slowed / 1000;
    }
}

fn scrape(lines: &mut BTreeMap<String, String>, counted: &BTreeMap<(&str, &str), Counted>, now: Timestamp, started: Timestamp) {
    let target = "job=\"shop\",instance=\"shop-1:80\"";
    let mut put = |series: String, value: f64| {
        writeln!(lines.entry(series.clone()).or_default(), "{series} {value} {}", now.seconds()).expect("a String");
    };
    put(format!("up{{{target}}}"), 1.0);
    put(format!("process_start_time_seconds{{{target}}}"), started.seconds());
    for ((tenant, route), Counted { good, bad, slow, .. }) in counted {
        let of = format!("{target},tenant=\"{tenant}\",route=\"{route}\"");
        put(format!("shop_requests_total{{{of},code=\"200\"}}"), *good as f64);
        put(format!("shop_requests_total{{{of},code=\"500\"}}"), *bad as f64);
        let all = good + bad;
        put(format!("shop_request_duration_seconds_bucket{{{of},le=\"0.3\"}}"), (all - slow) as f64);
        put(format!("shop_request_duration_seconds_bucket{{{of},le=\"+Inf\"}}"), all as f64);
    }
}

/// Each family with its type, series by series.
fn families(lines: &BTreeMap<String, String>) -> String {
    let kinds = [
        ("up", "up gauge"),
        ("process_start_time_seconds", "process_start_time_seconds gauge"),
        ("shop_requests_total", "shop_requests counter"),
        ("shop_request_duration_seconds_bucket", "shop_request_duration_seconds histogram"),
    ];
    let mut text = String::new();
    for (name, kind) in kinds {
        writeln!(text, "# TYPE {kind}").expect("a String");
        text.extend(lines.iter().filter(|(series, _)| series.split('{').next() == Some(name)).map(|(_, lines)| lines.as_str()));
    }
    text + "# EOF\n"
}
