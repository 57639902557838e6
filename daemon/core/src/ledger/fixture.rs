//! What the ledger's tests are made of.

use std::{sync::Arc, time::Duration};

use super::{Sample, Series};
use crate::{
    exclusion::ExcludedTime,
    id::{ObjectiveName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    sli::{Counted, HistogramKind, Labels, MatchOp, Matcher, Selector, Sli},
    slo::{AlertRow, CountedIn, LowTraffic, NewSeries, NoData, NoDataThen, NoTraffic, Objective, Origin, Slo, Urgency},
    status::Status,
    time::{Timestamp, days, hours, minutes},
    units::{Factor, Target},
    window::Window,
};

pub(crate) fn labels(pairs: &[(&str, &str)]) -> Labels {
    Labels::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// `m{job="x"}`, or a bare name.
pub(crate) fn selector(text: &str) -> Selector {
    let (metric, rest) = text.split_once('{').unwrap_or((text, "}"));
    let pairs = rest.trim_end_matches('}').split(',').filter_map(|pair| pair.split_once('='));
    let matcher = |(label, value): (&str, &str)| Matcher { label: label.into(), op: MatchOp::Equal, value: value.trim_matches('"').into() };
    Selector::new(metric, pairs.map(matcher).collect())
}

pub(crate) fn slo_id(name: &str) -> SloId {
    SloId {
        tenant: TenantId::parse("main").expect("a name"),
        service: ServiceName::parse("checkout").expect("a name"),
        name: SloName::parse(name).expect("a name"),
    }
}

pub(crate) fn slo(name: &str, sli: Sli, per: &[&str]) -> Slo {
    Slo {
        id: slo_id(name),
        was: None,
        title: "Customers can pay".into(),
        team: TeamName::parse("payments").expect("a name"),
        runbook: None,
        source: SourceName::parse("prom").expect("a name"),
        sli,
        per: per.iter().map(|label| (*label).to_owned()).collect(),
        objectives: vec![Objective {
            name: ObjectiveName::parse("main").expect("a name"),
            target: Target::percent("99.9%").expect("a target"),
            window: Window::Rolling(days(30)),
            counted_in: CountedIn::Events,
            rows: vec![AlertRow {
                urgency: Urgency::Page,
                factor: Factor::parse("14.4").expect("a factor"),
                long: hours(1),
                short: minutes(5),
            }],
        }],
        no_data: NoData { after: minutes(5), then: NoDataThen::TellOwner },
        no_traffic: NoTraffic::Fine,
        new_series: NewSeries::Auto,
        low_traffic: LowTraffic::Exact,
        excluded_time: ExcludedTime::Removed,
        status: Status::Active,
        origin: Origin { file: "a.yaml".into(), line: 1, version: "0".repeat(12) },
    }
}

/// Bad: the total with these matchers added.
pub(crate) fn availability(name: &str, total: &str, bad: &[(&str, MatchOp, &str)]) -> Arc<Slo> {
    availability_per(name, total, bad, &[])
}

pub(crate) fn availability_per(name: &str, total: &str, bad: &[(&str, MatchOp, &str)], per: &[&str]) -> Arc<Slo> {
    let total = selector(total);
    let bad = bad.iter().fold(total.clone(), |selector, (label, op, value)| {
        selector.with(Matcher { label: (*label).into(), op: *op, value: (*value).into() })
    });
    Arc::new(slo(name, Sli::Events { counted: Counted::Bad(vec![bad]), total: vec![total] }, per))
}

pub(crate) fn latency(name: &str, within: f64, tolerated: Option<f64>) -> Arc<Slo> {
    let (buckets, kind) = (selector(r#"h_bucket{job="x"}"#), HistogramKind::Classic);
    Arc::new(slo(name, Sli::Latency { buckets, kind, within, tolerated }, &[]))
}

/// The native histogram `h{job="x"}`.
pub(crate) fn native_latency(name: &str, within: f64) -> Arc<Slo> {
    let (buckets, kind) = (selector(r#"h{job="x"}"#), HistogramKind::Native);
    Arc::new(slo(name, Sli::Latency { buckets, kind, within, tolerated: None }, &[]))
}

/// The gauges of these names.
pub(crate) fn probe(name: &str, metrics: &[&str], per: &[&str]) -> Arc<Slo> {
    Arc::new(slo(name, Sli::Probe { probes: metrics.iter().map(|metric| selector(&format!("{metric}{{job=\"x\"}}"))).collect() }, per))
}

/// `p{job="x"}` in slices of this length.
pub(crate) fn presence(name: &str, slice: Duration, per: &[&str]) -> Arc<Slo> {
    Arc::new(slo(name, Sli::Presence { series: selector(r#"p{job="x"}"#), slice, expected: Vec::new() }, per))
}

pub(crate) fn series(pairs: &[(&str, &str)], samples: &[(i64, f64)]) -> Series {
    let samples = samples.iter().map(|(at, value)| Sample { at: Timestamp::from_millis(*at), value: *value }).collect();
    Series::new(labels(pairs), samples)
}
