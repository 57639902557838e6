//! Histories: traffic as a real exporter would have shown it, as OpenMetrics text that promtool writes into a Prometheus.

use std::{fmt::Write as _, ops::Range, time::Duration};

use burnward_core::time::Timestamp;

/// The scrape interval of every history.
pub const SCRAPE: Duration = Duration::from_secs(15);

/// Traffic of one service for some tenants, scraped every 15 s from one target.
#[derive(Debug, Clone)]
pub struct History {
    service: String,
    from: Timestamp,
    to: Timestamp,
    tenants: Vec<Tenant>,
    gaps: Vec<Range<Timestamp>>,
}

#[derive(Debug, Clone)]
struct Tenant {
    name: String,
    per_second: u64,
    failing: Vec<(Range<Timestamp>, u64)>,
    silent: Vec<Range<Timestamp>>,
}

impl History {
    /// An empty history of `service` over `[from, to]`.
    pub fn of(service: &str, from: Timestamp, to: Timestamp) -> Self {
        Self { service: service.to_owned(), from, to, tenants: Vec::new(), gaps: Vec::new() }
    }

    /// A tenant with steady, healthy traffic.
    #[must_use]
    pub fn tenant(mut self, name: &str, per_second: u64) -> Self {
        self.tenants.push(Tenant { name: name.to_owned(), per_second, failing: Vec::new(), silent: Vec::new() });
        self
    }

    /// The last tenant fails `per_mille` of its requests in a stretch of time.
    #[must_use]
    pub fn failing(mut self, when: Range<Timestamp>, per_mille: u64) -> Self {
        self.tenants.last_mut().expect("a tenant first").failing.push((when, per_mille));
        self
    }

    /// The last tenant sends no request in a stretch of time, in which it does not fail either.
    #[must_use]
    pub fn silent(mut self, when: Range<Timestamp>) -> Self {
        self.tenants.last_mut().expect("a tenant first").silent.push(when);
        self
    }

    /// Nobody scrapes in this stretch; traffic goes on and no counter is reset.
    #[must_use]
    pub fn not_scraped(mut self, when: Range<Timestamp>) -> Self {
        self.gaps.push(when);
        self
    }

    /// Bad and all events up to an instant, over all tenants.
    pub fn sums(&self, from: Timestamp, to: Timestamp) -> (i64, i64) {
        let at = |at: Timestamp| {
            self.tenants.iter().fold((0, 0), |(bad, all), tenant| {
                let (b, a) = tenant.counted(self.from, at);
                (bad + b, all + a)
            })
        };
        let (before, after) = (at(from), at(to));
        (after.0 - before.0, after.1 - before.1)
    }

    /// The history as OpenMetrics text, without its last line.
    pub fn openmetrics(&self) -> String {
        let job = &self.service;
        let mut text = format!("# TYPE {job}_http_requests counter\n");
        for tenant in &self.tenants {
            for code in ["200", "500"] {
                self.each_scrape(|at| {
                    let (bad, all) = tenant.counted(self.from, at);
                    let value = if code == "500" { bad } else { all - bad };
                    let labels = format!("job=\"{job}\",instance=\"{job}-1:80\",tenant=\"{}\",code=\"{code}\"", tenant.name);
                    writeln!(text, "{job}_http_requests_total{{{labels}}} {value} {}", at.seconds()).expect("a String");
                });
            }
        }
        text
    }

    /// `up` of its target, without the type line, so that several histories can share one family.
    pub fn up(&self) -> String {
        let mut text = String::new();
        let job = &self.service;
        self.each_scrape(|at| writeln!(text, "up{{job=\"{job}\",instance=\"{job}-1:80\"}} 1 {}", at.seconds()).expect("a String"));
        text
    }

    fn each_scrape(&self, mut scrape: impl FnMut(Timestamp)) {
        let mut at = self.from;
        while at <= self.to {
            if !self.gaps.iter().any(|gap| gap.contains(&at)) {
                scrape(at);
            }
            at = at.plus(SCRAPE);
        }
    }
}

impl Tenant {
    /// Bad and all events from the beginning up to an instant: whole numbers that only grow. An event in second `s` is counted at its end.
    fn counted(&self, from: Timestamp, at: Timestamp) -> (i64, i64) {
        let seconds = |range: &Range<Timestamp>| {
            let (start, end) = (range.start.max(from), range.end.min(at));
            if end > start { end.since(start).as_secs() } else { 0 }
        };
        let silent: u64 = self.silent.iter().map(seconds).sum();
        let all = self.per_second * (at.since(from).as_secs() - silent);
        let bad: u64 = self.failing.iter().map(|(range, per_mille)| seconds(range) * self.per_second * per_mille / 1000).sum();
        (i64::try_from(bad).expect("small"), i64::try_from(all).expect("small"))
    }
}

/// One OpenMetrics document of several histories.
pub fn document(histories: &[History]) -> String {
    let families: String = histories.iter().map(History::openmetrics).collect();
    let up: String = histories.iter().map(History::up).collect();
    format!("{families}# TYPE up gauge\n{up}# EOF\n")
}
