//! Diagnostics of `window` and `query`, as a person sees them: one snapshot to proofread.

use std::collections::BTreeSet;

use super::{Promql, Source, context, diagnostics, rendered, version_of};
use crate::definition::{
    Context, Severity, codes,
    document::{self, read},
};

/// What stands below `sli:`.
const SLIS: &[&str] = &[
    "window: { expr: 'sum(rate(x[5m])', is: '<=', threshold: 1 }",
    "window: { expr: 'up up', is: '<=', threshold: 1 }",
    "window: { expr: 'sum(rate(x))', is: '<=', threshold: 1 }",
    "window: { expr: 'frobnicate(x[5m])', is: '<=', threshold: 1 }",
    "window: { expr: 'x[5m]', is: '<=', threshold: 1 }",
    "window: { expr: 'up{a=\"\\xff\"}', is: '<=', threshold: 1 }",
    "window: { expr: 'x offset -5m', is: '<=', threshold: 1 }",
    "window: { expr: 'rate(x[$__rate_interval])', is: '<=', threshold: 1 }",
    "window: { expr: 'x', is: '=<', threshold: 1s }",
    "window: { expr: 'x', is: '<=', threshold: 1, slice: 7m }",
    "window: { expr: 'x', is: '<=', threshold: 1, slice: 10m }",
    "window: { expr: 'x', is: '<=', threshold: 1, slice: 1s }",
    "window: { expr: x #y, is: '<=', threshold: 1 }",
    "window: { is: '<=', threshold: 1, step: 1m }",
    "window: { expr: 'redis_up < 1', is: '==', threshold: 1 }",
    "window: { expr: 'sum(errors{kind=\"hard\"}) / sum(errors)', is: '<', threshold: 2 }",
    "window: { expr: 'histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))', is: '<', threshold: 2 }",
    "query: { bad: 'sum(increase(x{code=~\"5..\"}[5m]))', total: 'sum(increase(x[1m])) or vector(0)' }",
    "query: { bad: 'sum(x)', total: 'sum( x )' }",
    "query: { total: 'x', promql-check: of }",
    "query: { bad: 'x', good: 'y', total: 'z' }",
    "query: { bad: 'sum by (tenant, code) (increase(x{code=~\"5..\"}[1m]))', total: 'sum(increase(x[1m]))' }\n    per: [tenant]",
    "window: { expr: 'sum without (instance) (x)', is: '<', threshold: 2 }",
    "query: { bad: 'sum(x_total{code=\"5..\"})', total: 'sum(x_total{code=\"200\"})' }",
    "window: { expr: 'histogram_quantile(99, sum by (le) (rate(x_bucket[5m])))', is: '<', threshold: 2 }",
    "window: { expr: 'histogram_quantile(0.99, sum(rate(x_bucket[5m])))', is: '<', threshold: 2 }",
    "window: { expr: 'max(rate(x[5m + 1m]) default 0)', is: '<', threshold: 2 }",
    "window: { expr: 'sum(rate(err_total[5m])) / sum(rate(req_total[5m]))', is: '<', threshold: 2 }",
    "window: { expr: 'vector(0) or count(up)', is: '>=', threshold: 1 }",
    "query: { bad: 'sum(increase(x_total[1m])) or 0 * sum(up)', total: 'sum(increase(y_total[1m]))' }",
    "query: { bad: '100 * sum(increase(x_total[1m]))', total: 'sum(increase(y_total[1m]))' }",
    "query: { bad: 'sum(increase(x_total{code=~\".*\"}[1m]))', total: 'sum(increase(x_total[1m]))' }",
    "query: { bad: 'x', total: 'y' }\n      window: { expr: 'x', is: '<=', threshold: 1 }",
];

fn document(sli: &str) -> String {
    format!(
        "version: burnward/v1\nservice: shop\nteam: payments\nslos:\n  - name: a\n    sli:\n      {sli}\n    objectives: [{{ target: 99%, window: 30d }}]\n"
    )
}

/// Whether a code is shown here.
pub(super) fn shows(code: &str) -> bool {
    (code.starts_with("E108") || code.starts_with("W208")) && !super::diagnostics::of_a_source(code)
}

#[test]
fn every_diagnostic_of_expressions_as_it_is_shown() {
    let mut shown = Vec::new();
    let mut seen = BTreeSet::new();
    let long = format!("window: {{ expr: '{}', is: '<=', threshold: 1 }}", ["a"; 300].join("+"));
    for sli in SLIS.iter().copied().chain([long.as_str()]) {
        let faults: Vec<_> = diagnostics(&document(sli)).into_iter().filter(|fault| fault.code.id != "W2010").collect();
        assert!(!faults.is_empty(), "{sli}");
        seen.extend(faults.iter().map(|fault| fault.code.id));
        shown.push(rendered(&faults));
    }
    let scraped = Context { promql: Promql::Absent, ..context() };
    let text = document(SLIS[0]);
    let faults = read(&Source::new("slo.yaml", &text), &version_of(&text), &scraped).expect_err("there is no PromQL");
    seen.extend(faults.iter().map(|fault| fault.code.id));
    shown.push(rendered(&faults));
    insta::assert_snapshot!(shown.join("\n\n\n"));
    let unseen: Vec<&str> = codes::ALL.iter().map(|code| code.id).filter(|id| shows(id) && !seen.contains(id)).collect();
    assert!(unseen.is_empty(), "codes without an example here: {unseen:?}");
}

#[test]
fn expressions_load_and_keep_what_was_written() {
    for sli in [
        "window: { expr: 'max(queue_age_seconds)', is: '<=', threshold: 3600 }",
        "window: { expr: 'max(x)', is: '!=', threshold: -1.5e3, slice: 30s }",
        "query: { bad: 'errors:increase1m', total: 'requests:increase1m' }",
        "query: { bad: '100 * (1 - sum(a) / sum(b))', total: 'vector(100)' }",
        "query: { bad: '100 * sum(increase(a_total[1m]))', total: '100 * sum(increase(b_total[1m]))' }",
        "query: { good: 'sum by (tenant) (increase(x{code=\"200\"}[5m]))', total: 'sum by (tenant) (increase(x[5m]))', step: 5m }\n    per: [tenant]",
        "window: { expr: 'rollup(x[5m]) keep_metric_names', is: '<=', threshold: 1, promql-check: off }",
    ] {
        let text = document(sli);
        let faults = diagnostics(&text);
        assert!(faults.iter().all(|fault| fault.code.id == "W2010"), "{}", rendered(&faults));
    }
}

#[test]
fn where_a_label_is_enforced_what_cannot_be_confined_is_refused_whatever_is_checked() {
    let confined = Context { promql: Promql::Confined, ..context() };
    let codes_of = |sli: &str| -> Vec<&str> {
        let text = document(sli);
        let read = read(&Source::new("slo.yaml", &text), &version_of(&text), &confined);
        let faults = read.map_or_else(|faults| faults, |(_, advice)| advice);
        faults.iter().map(|fault| fault.code.id).filter(|id| id.starts_with('E')).collect()
    };
    for (sli, expected) in [
        ("window: { expr: 'max(queue_age_seconds{tenant=\"other\"})', is: '<=', threshold: 3600 }", &[][..]),
        ("window: { expr: 'rollup(x[5m]) keep_metric_names', is: '<=', threshold: 1, promql-check: off }", &["E1130"]),
        ("window: { expr: 'unheard_of(x)', is: '<=', threshold: 1 }", &["E1130"]),
        ("window: { expr: 'max(info(x))', is: '<=', threshold: 1, promql-check: off }", &["E1130"]),
        ("query: { bad: 'sum(x{a=\"1\" or b=\"2\"})', total: 'sum(x)', promql-check: off }", &["E1130"]),
    ] {
        assert_eq!(codes_of(sli), expected, "{sli}");
    }
}

#[test]
fn what_loaded_before_loads_again_whatever_the_source_is_now() {
    let text = document("window: { expr: 'max(queue_age_seconds)', is: '<=', threshold: 3600 }");
    let read: document::Read = read(&Source::new("slo.yaml", &text), &version_of(&text), &context());
    let (slos, advice) = read.expect("it loads");
    assert_eq!(slos.len(), 1);
    assert!(advice.iter().all(|fault| fault.severity() == Severity::Warning));
}
