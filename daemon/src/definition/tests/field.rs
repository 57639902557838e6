//! Indicators as organisations really run them: they load, and what makes each hard is told or counted rightly.

use std::{collections::BTreeSet, fs, path::Path};

use super::{Promql, context, rendered};
use crate::definition::{
    Context, Severity,
    document::{Runbooks, Teams},
    read_paths,
};

fn field() -> crate::definition::Loaded {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/field");
    read_paths(&[tree], &Context { teams: Teams::Unchecked, runbooks: Runbooks::Unchecked, ..context() })
}

#[test]
fn every_indicator_loads_without_advice() {
    let loaded = field();
    let faults: Vec<_> = loaded.diagnostics().cloned().collect();
    assert!(faults.is_empty(), "{}", rendered(&faults));
    let expressions = loaded.slos.iter().filter(|slo| !slo.sli.expressions().is_empty()).count();
    assert_eq!((expressions, loaded.slos.len() - expressions), (12, 42));
}

/// The first word of the line above each SLO names the indicator that it stands for.
#[test]
fn all_forty_nine_indicators_are_there() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/field");
    let texts = fs::read_dir(tree).expect("fixtures").map(|file| fs::read_to_string(file.expect("a file").path()).expect("text"));
    let texts: Vec<String> = texts.collect();
    let headings = texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.strip_prefix("  # "));
    let told: BTreeSet<&str> = headings.filter_map(|heading| heading.split([',', ':']).next()).collect();
    let numbered = |prefix: &str, most: usize| (1..=most).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
    let wanted: Vec<String> = numbered("S", 24).into_iter().chain(numbered("G", 25)).collect();
    let missing: Vec<_> = wanted.iter().filter(|name| !told.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn none_of_the_expressions_loads_where_there_is_no_promql() {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/field/search-windows.yaml");
    let context = Context { teams: Teams::Unchecked, promql: Promql::Absent, runbooks: Runbooks::Unchecked, ..context() };
    let loaded = read_paths(&[tree], &context);
    let errors: Vec<_> = loaded.diagnostics().filter(|fault| fault.severity() == Severity::Error).map(|fault| fault.code.id).collect();
    assert_eq!(errors, ["E1088"; 8]);
}

/// The codes that a document with this `sli` gets.
#[track_caller]
fn check(sli: &str, expected: &[&str]) {
    assert_eq!(super::codes(&super::kinds::document(sli)), expected, "{sli}");
}

#[test]
fn r_regular_expressions_and_several_matchers_on_one_label_are_taken() {
    check(
        r#"{ query: { bad: 'sum(increase(x{route!="/-/health", route!~"^/api/v[0-9]+\\z.*", code=~"5.."}[1m]))', total: 'sum(increase(x[1m]))' } }"#,
        &[],
    );
}

#[test]
fn h_a_bucket_is_chosen_by_every_spelling_of_its_boundary() {
    check(r#"{ query: { good: 'sum(increase(h_bucket{le=~"30|30\\.0"}[1m]))', total: 'sum(increase(h_bucket{le="+Inf"}[1m]))' } }"#, &[]);
}

#[test]
fn q_a_quantile_is_advised_to_be_counted() {
    let quantile = "histogram_quantile(0.99, sum by (le) (rate(src_search_streaming_latency_seconds_bucket{source=\"browser\"}[5m])))";
    check(&format!("{{ window: {{ expr: '{quantile}', is: '<', threshold: 20 }} }}"), &["W2085"]);
}

#[test]
fn c_recorded_names_are_taken() {
    check("{ query: { bad: 'sum(job:errors:increase1m)', total: 'sum(job:requests:increase1m)' } }", &[]);
}

#[test]
fn m_several_metrics_are_added_by_the_expression() {
    check("{ query: { bad: 'sum(increase(a[1m])) + sum(increase(b[1m]))', total: 'sum(increase(c[1m]))' } }", &[]);
}

#[test]
fn v_vector_matching_is_left_to_the_source() {
    let join = "{ window: { expr: 'sum by (a) (x) / ignoring (a) group_left () sum(x)', is: '<', threshold: 0.05 } }";
    check(&format!("{join}\n    per: [a]"), &[]);
    check(join, &["W2086"]);
}

#[test]
fn g_a_gauge_is_judged_slice_by_slice_and_a_gauge_of_each_interval_is_added() {
    check("{ window: { expr: 'max(queue_age_seconds)', is: '<', threshold: 3600 } }", &[]);
    check("{ query: { bad: 'sum(transactions{type=\"rollback\"})', total: 'sum(transactions)' } }", &[]);
}

#[test]
fn a_absence_that_is_hidden_or_turned_around_is_told() {
    check("{ window: { expr: 'max(x) or on() vector(0)', is: '<', threshold: 1800 } }", &["W2081"]);
    check("{ window: { expr: 'absent(sum(x))', is: '==', threshold: 1 } }", &["W2082"]);
    check("{ window: { expr: 'min(sum(x) < 1) or absent(x) == 1', is: '==', threshold: 1 } }", &[]);
}

#[test]
fn z_a_ratio_without_traffic_loads_and_a_ratio_against_a_percentage_is_told() {
    let ratio = "sum(increase(r{status=\"error\"}[5m])) / sum(increase(r[5m]))";
    check(&format!("{{ window: {{ expr: '{ratio}', is: '<', threshold: 0.02 }} }}"), &[]);
    check(&format!("{{ window: {{ expr: '{ratio}', is: '<', threshold: 2 }} }}"), &["W2084"]);
    check(&format!("{{ window: {{ expr: '{}', is: '<', threshold: 5 }} }}", ratio.replace("{status=\"error\"}", "")), &["W2084"]);
}

#[test]
fn g12_a_page_that_can_never_be_reached_is_told() {
    let text = "{ events: { bad: 'errors', total: 'jobs' } }\n    runbook: a.md";
    let document = super::kinds::document(text).replace("99.9%", "70%");
    assert!(super::codes(&document).contains(&"W2011"), "{:?}", super::codes(&document));
}

#[test]
fn u_what_is_no_ratio_is_judged_as_it_is() {
    check("{ window: { expr: 'sum(increase(seconds[5m])) / sum(increase(waits[5m]))', is: '<=', threshold: 0.1 } }", &[]);
    check("{ window: { expr: 'max(deriv(queue_size[30m]))', is: '<=', threshold: 1 } }", &[]);
}

/// Definitions that two organisations shipped and that can never, or must always, fire; each as an SLO, with the advice that mends it.
#[test]
fn what_shipped_broken_is_found_with_the_right_advice() {
    let window = |expr: &str, threshold: u32| {
        super::kinds::document(&format!("{{ window: {{ expr: '{expr}', is: '<', threshold: {threshold} }} }}"))
    };
    let responses = |matchers: &str, by: &str| format!("sum{by}(increase(src_graphql_search_response{{{matchers}}}[5m]))");
    let codeintel = "status=\"partial_timeout\", source=\"browser\", request_name=\"CodeIntelSearch\"";
    let (all, by_status) = (responses("source=\"other\"", ""), " by (status) ");
    let join = "/ ignoring (status) group_left ()";
    let shown = [
        window(&format!("{} {join} {} * 100", responses(codeintel, by_status), responses(codeintel, "")), 5),
        window(&format!("{} {join} {all}", responses("status=~\"error\", source=\"other\"", by_status)), 2),
        window(&format!("{} / {all}", responses("status=\"partial_timeout\", source=\"other\"", "")), 5),
        window(
            &format!(
                "{} / ignoring (alert_type) group_left () {}",
                responses("status=\"alert\", alert_type!~\"timed_out|no_results__suggest_quotes\", source=\"other\"", " by (alert_type) "),
                responses("status=\"alert\", source=\"other\"", "")
            ),
            5,
        ),
        super::kinds::document("{ events: { bad: 'email_receiver_errors_total', total: 'sidekiq_jobs_total{worker=\"EmailReceiverWorker\"}' } }")
            .replace("target: 99.9%", "target: 70%")
            .replace(
                "window: 30d",
                "window: 30d\n        alerting:\n          rows:\n            - { urgency: page, burn-rate: 14.4, long: 1h, short: 5m }\n            - { urgency: page, burn-rate: 6, long: 6h, short: 30m }",
            ),
    ]
    .map(|document| rendered(&super::diagnostics(&document).into_iter().filter(|fault| fault.code.id != "W2010").collect::<Vec<_>>()));
    insta::assert_snapshot!("shipped_broken", shown.join("\n\n\n"));
}
