//! Pyrra.

use super::{codes, convert, loaded, shown};

pub(super) const RATIO: &str = include_str!("../../../fixtures/foreign/pyrra.yaml");

fn indicator(text: &str) -> String {
    let (head, _) = RATIO.split_once("  indicator:").expect("an indicator");
    format!("{head}  indicator:\n    {text}\n")
}

#[test]
fn a_ratio_becomes_events_with_pyrras_own_rows() {
    insta::assert_snapshot!(shown(&[("api.yaml", RATIO)]));
}

#[test]
fn each_indicator_has_its_kind() {
    for (text, sli) in [
        (
            "latency: { success: { metric: 'h_bucket{a=\"1\",le=\"1\"}' }, total: { metric: 'h_count{a=\"1\"}' } }",
            "latency:\n        histogram: 'h{a=\"1\"}'\n        within: 1s\n",
        ),
        (
            "latency: { success: { metric: 'h_bucket{a=\"1\",le=\"1\"}' }, total: { metric: 'other_count{a=\"1\"}' } }",
            "events:\n        good: 'h_bucket{a=\"1\",le=\"1\"}'\n        total: 'other_count{a=\"1\"}'\n",
        ),
        (
            "latencyNative: { latency: 200ms, total: { metric: 'h{a=\"1\"}' } }",
            "latency:\n        histogram: 'h{a=\"1\"}'\n        within: 200ms\n        buckets: native\n",
        ),
        ("bool_gauge: { metric: 'up{job=\"api\"}', grouping: [instance] }", "probe: 'up{job=\"api\"}'\n    per: [instance]\n"),
    ] {
        let imported = convert(&[("a.yaml", &indicator(text))]);
        assert_eq!(loaded(&imported).len(), 1);
        assert!(imported.documents[0].text.contains(sli), "{}", imported.documents[0].text);
    }
}

#[test]
fn alerts_may_be_off() {
    let text = format!("{RATIO}  alerting: {{ burnrates: false, absent: false }}\n");
    let slos = loaded(&convert(&[("a.yaml", &text)]));
    assert!(slos[0].objectives[0].rows.is_empty());
    assert_eq!(slos[0].no_data.then.word(), "tell-owner");
}

#[test]
fn what_has_no_counterpart_is_told_of() {
    let moving = format!("{RATIO}  alerting: {{ burnRateType: dynamic }}\n");
    assert!(codes(&moving).contains(&"W2102"));
    let offset = RATIO.replace("code=~\"5..\"}", "code=~\"5..\"} offset 1m");
    assert!(codes(&offset).contains(&"W2101"));
    assert!(codes(&RATIO.replace("metric: http_requests_total{job=\"api\"}", "metric: sum(http_requests_total)")).contains(&"E1502"));
}

#[test]
fn a_window_for_which_pyrra_rounds_lookbacks_to_nothing() {
    let imported = convert(&[("a.yaml", &RATIO.replace("4w", "1d"))]);
    assert!(imported.faults.iter().any(|fault| fault.message.contains("is not carried over: a lookback must be at least a second long")));
}
