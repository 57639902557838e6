//! SLIs that are counted from raw samples: what is read of them, and every mistake as a person sees it.

use burnward_core::{
    sli::{HistogramKind, Sli},
    slo::{NewSeries, NoDataThen, NoTraffic},
    time::minutes,
};

use super::{Context, GOOD, Promql, context, diagnostics, read, rendered};
use crate::definition::{Severity, Source, document};

/// A document with one SLO, of this SLI.
pub(super) fn document(sli: &str) -> String {
    let (before, rest) = GOOD.split_once("    sli:").expect("an SLI");
    let (_, after) = rest.split_once("    objectives:").expect("objectives");
    format!("{before}    sli: {sli}\n    objectives:{after}")
}

/// The SLI that is read.
#[track_caller]
pub(super) fn sli(text: &str) -> Sli {
    let (slos, _) = read(&document(text)).unwrap_or_else(|faults| panic!("{text}\n{}", rendered(&faults)));
    slos[0].sli.clone()
}

const MISTAKES: &[&str] = &[
    "{ latency: { histogram: 'http_seconds', within: 1s, tolerated: 300ms } }",
    "{ latency: { histogram: 'http_seconds', within: 300ms, tolerated: 1 } }",
    "{ latency: { histogram: 'http_seconds', within: 300ms, buckets: sparse } }",
    "{ latency: { histogram: 'http_seconds', within: 300ms, tolerated: 1s, buckets: native } }",
    "{ latency: { histogram: 'http_seconds', within: 300ms }, events: { bad: 'a', total: 'b' } }",
    "{ probe: 'probe_success > 0' }",
    "{ probe: [] }",
    "{ presence: { series: 'up', slice: 70s } }",
    "{ presence: { series: 'up', slice: 25s } }",
    "{ presence: { series: 'up', slice: 10m } }",
    "{ presence: { series: 'up', expected: [eu] } }",
    "{ presence: { slice: 1m } }",
    "{ presence: 'up' }",
    "{ presence: { series: 'absent(up)' } }",
    "{ presence: { series: 'up', expected: [] } }\n    per: [region]",
    "{ presence: { series: 'up', expected: [eu, us, eu] } }\n    per: [region]",
    "{ presence: { series: 'up', expected: [eu] } }\n    per: [region, zone]",
    "{ presence: { series: 'up', expected: [{ region: eu, cell: a }] } }\n    per: [region, zone]",
    "{ probe: 'redis_up' }\n    new-series: baseline",
    "{ events: { bad: 'a', total: 'b' } }\n    new-series: first",
    "{ probe: 'redis_up' }\n    no-traffic: tell-owner",
    "{ events: { bad: 'a', total: 'b' } }\n    no-traffic: { after: 1s, then: page }",
    "{}",
];

#[test]
fn every_mistake_as_it_is_shown() {
    let faults = MISTAKES.iter().map(|sli| {
        let faults: Vec<_> = diagnostics(&document(sli)).into_iter().filter(|fault| fault.code.id != "W2010").collect();
        assert!(!faults.is_empty(), "{sli}");
        rendered(&faults)
    });
    insta::assert_snapshot!("raw_kinds", faults.collect::<Vec<_>>().join("\n\n\n"));
}

#[test]
fn a_probe_is_a_gauge_or_several() {
    for (text, expected) in [
        ("{ probe: 'probe_success{job=\"blackbox\"}' }", vec!["probe_success{job=\"blackbox\"}"]),
        ("{ probe: ['redis_up', 'up{job=\"redis\"}'] }", vec!["redis_up", "up{job=\"redis\"}"]),
    ] {
        let Sli::Probe { probes } = sli(text) else { panic!("another kind") };
        assert_eq!(probes.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn presence_names_its_series_its_slices_and_its_groups() {
    let Sli::Presence { series, slice, expected } = sli("{ presence: { series: 'jobs{job=\"worker\"}' } }") else { panic!("another kind") };
    assert_eq!((series.to_string().as_str(), slice, expected), ("jobs{job=\"worker\"}", minutes(1), vec![]));
    let groups = |text: &str| {
        let Sli::Presence { expected, slice, .. } = sli(text) else { panic!("another kind") };
        assert_eq!(slice, minutes(2));
        expected.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let one = groups("{ presence: { series: 'up', slice: 2m, expected: [eu, us] } }\n    per: [region]");
    assert_eq!(one, [r#"{region="eu"}"#, r#"{region="us"}"#]);
    let two = groups("{ presence: { series: 'up', slice: 2m, expected: [{ zone: a, region: eu }] } }\n    per: [region, zone]");
    assert_eq!(two, [r#"{region="eu",zone="a"}"#]);
}

#[test]
fn what_a_first_value_is_taken_for_is_chosen() {
    for (text, expected) in [
        ("", NewSeries::Auto),
        ("\n    new-series: auto", NewSeries::Auto),
        ("\n    new-series: count-first", NewSeries::CountFirst),
        ("\n    new-series: baseline", NewSeries::Baseline),
    ] {
        let text = document(&format!("{{ events: {{ bad: 'a', total: 'b' }} }}{text}"));
        let (slos, _) = read(&text).unwrap_or_else(|faults| panic!("{}", rendered(&faults)));
        assert_eq!(slos[0].new_series, expected);
    }
}

#[test]
fn what_happens_without_data_and_without_traffic_is_chosen() {
    let tell_owner = |after| NoTraffic::TellOwner { after };
    for (text, no_data, no_traffic) in [
        ("", (minutes(5), NoDataThen::TellOwner), NoTraffic::Fine),
        ("no-data: { then: page }", (minutes(5), NoDataThen::Page), NoTraffic::Fine),
        ("no-data: { after: 10m, then: count-as-bad }", (minutes(10), NoDataThen::CountAsBad), NoTraffic::Fine),
        ("no-traffic: fine", (minutes(5), NoDataThen::TellOwner), NoTraffic::Fine),
        ("no-traffic: tell-owner", (minutes(5), NoDataThen::TellOwner), tell_owner(minutes(60))),
        ("no-traffic: { after: 30m, then: tell-owner }", (minutes(5), NoDataThen::TellOwner), tell_owner(minutes(30))),
    ] {
        let text = document(&format!("{{ events: {{ bad: 'a', total: 'b' }} }}\n    {text}"));
        let (slos, _) = read(&text).unwrap_or_else(|faults| panic!("{}", rendered(&faults)));
        assert_eq!(((slos[0].no_data.after, slos[0].no_data.then), slos[0].no_traffic), (no_data, no_traffic), "{text}");
    }
}

#[test]
fn a_latency_has_one_threshold_or_two() {
    let Sli::Latency { within, tolerated, buckets, .. } = sli("{ latency: { histogram: 'http_seconds', within: 250ms, tolerated: 1s } }")
    else {
        panic!("another kind")
    };
    assert_eq!((within, tolerated, buckets.to_string().as_str()), (0.25, Some(1.0), "http_seconds_bucket"));
    let Sli::Latency { tolerated, .. } = sli("{ latency: { histogram: 'http_seconds', within: 250ms } }") else { panic!("another kind") };
    assert_eq!(tolerated, None);
}

#[test]
fn a_native_histogram_is_one_series_and_needs_a_prometheus() {
    let text = "{ latency: { histogram: 'http_seconds_bucket{job=\"x\"}', within: 300ms, buckets: native } }";
    let Sli::Latency { kind, buckets, .. } = sli(text) else { panic!("another kind") };
    assert_eq!((kind, buckets.to_string().as_str()), (HistogramKind::Native, "http_seconds{job=\"x\"}"));
    let context = Context { promql: Promql::Absent, ..context() };
    let faults = document::read(&Source::new("slo.yaml", &document(text)), "0", &context).expect_err("no native histograms in text");
    assert_eq!(faults.iter().filter(|fault| fault.severity() == Severity::Error).map(|fault| fault.code.id).collect::<Vec<_>>(), ["E1088"]);
}
