//! Made traffic: services that serve customers, each at its own pace with some jitter, as a source answers when it is read.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use burnward::definition::{
    Context, Promql, Source as Text,
    document::{self, Runbooks, Teams, Templates},
};
use burnward_core::{
    id::{SourceName, TenantId},
    ledger::{Query, Read, Sample, Series},
    sli::Labels,
    slo::Slo,
    time::Timestamp,
};

/// Customers of a service: so many budgets has its SLO.
pub(crate) const CUSTOMERS: usize = 100;

/// Status codes with how many of 10,000 requests end so.
const CODES: [(&str, u64); 2] = [("200", 9_995), ("500", 5)];

/// Counters of many services.
pub(crate) struct Traffic {
    /// By service.
    counters: Vec<Vec<(Labels, u64)>>,
    up: Vec<Labels>,
    origin: Timestamp,
    /// Time between two scrapes.
    pub(crate) scrape: Duration,
}

impl Traffic {
    /// So many services, whose counters were zero at `origin`.
    pub(crate) fn new(services: usize, origin: Timestamp) -> Self {
        let counter = |service, customer: usize, (code, share): (&str, u64)| {
            let labels = [("__name__", "requests_total"), ("code", code), ("customer", &format!("customer-{customer:03}"))];
            let place = (service * CUSTOMERS + customer) as u64;
            let per_second = 1 + (1 << (scatter(place) % 9)) + scatter(place + 1) % 64;
            (of_target(service, &labels), per_second * 86_400 * share / 10_000)
        };
        let of_service =
            |service| (0..CUSTOMERS).flat_map(move |customer| CODES.map(|code| counter(service, customer, code))).collect::<Vec<_>>();
        Self {
            counters: (0..services).map(of_service).collect(),
            up: (0..services).map(|service| of_target(service, &[("__name__", "up")])).collect(),
            origin,
            scrape: Duration::from_secs(15),
        }
    }

    /// What is answered to a question.
    pub(crate) fn answer(&self, query: &Query, read: Read) -> Vec<Series> {
        let Query::Raw(selector) = query else { return Vec::new() };
        if selector.metric() == "up" {
            return self.up.iter().map(|labels| self.series(labels, read, |_| 1)).collect();
        }
        let job = selector.matchers().iter().find(|matcher| matcher.label == "job").map(|matcher| matcher.value.as_str());
        let service = job.and_then(|job| job.strip_prefix('s')?.parse::<usize>().ok());
        let counters = service.and_then(|service| self.counters.get(service)).map_or(&[][..], Vec::as_slice);
        let value = |per_day: u64, at: Timestamp| {
            let elapsed = u64::try_from(at.since(self.origin).as_millis()).unwrap_or(0);
            per_day * (elapsed + scatter(per_day ^ elapsed) % 6_000) / 86_400_000
        };
        counters.iter().map(|(labels, per_day)| self.series(labels, read, |at| value(*per_day, at))).collect()
    }

    fn series(&self, labels: &Labels, read: Read, value: impl Fn(Timestamp) -> u64) -> Series {
        let first = read.from.floor(self.scrape).plus(self.scrape);
        let scrapes = std::iter::successors(Some(first), |at| Some(at.plus(self.scrape))).take_while(|at| *at <= read.to);
        Series::new(labels.clone(), scrapes.map(|at| Sample { at, value: value(at) as f64 }).collect())
    }
}

fn of_target(service: usize, more: &[(&str, &str)]) -> Labels {
    let (job, instance) = (format!("s{service}"), format!("10.0.0.{service}:8080"));
    let target = [("instance", instance.as_str()), ("job", job.as_str())];
    Labels::new(more.iter().chain(&target).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// A number that looks random and is the same for ever (the finalizer of splitmix64).
fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// An SLO of each service, with a budget for each customer.
pub(crate) fn slos(services: usize) -> anyhow::Result<Vec<Arc<Slo>>> {
    let context = Context {
        tenant: TenantId::parse("main")?,
        source: SourceName::parse("prom")?,
        promql: Promql::Spoken,
        runbooks: Runbooks::Unchecked,
        teams: Teams::Unchecked,
        templates: Templates::default(),
    };
    let mut slos = Vec::new();
    for service in 0..services {
        let mut text = String::new();
        write!(
            text,
            r#"version: burnward/v1
service: s{service}
team: fleet
slos:
  - name: availability
    title: It answers
    sli:
      events:
        bad: 'requests_total{{job="s{service}",code="500"}}'
        total: 'requests_total{{job="s{service}"}}'
    per: [customer]
    objectives:
      - target: 99.9%
        window: 30d
"#
        )?;
        let read = document::read(&Text::new("slo.yaml", &text), "0", &context);
        slos.extend(read.map_err(|faults| anyhow::anyhow!("the made SLO does not load: {faults:?}"))?.0);
    }
    Ok(slos)
}
