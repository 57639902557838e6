//! Names, and which metrics are taken for what.

use std::collections::BTreeSet;

use burnward_core::sli::Selector;

use super::{
    Indicator,
    candidate::{Wanted, find, service_name},
    endpoint,
};

/// What is proposed of a text, and what else would do.
fn check(text: &str, metric: &str) -> (Vec<String>, Vec<String>) {
    let only = Selector::new(metric, Vec::new());
    let families = endpoint::read(text, endpoint::format_of(text), &only).expect("exposition text").families;
    let found = find(&families, Wanted { service: "checkout", matchers: &[], metric, native: &BTreeSet::new() });
    let told = |indicator: &Indicator| match indicator {
        Indicator::Events { bad, total, .. } => format!("{bad} of {total}"),
        Indicator::Latency { histogram, within, .. } => format!("{histogram} within {within:?}"),
        Indicator::Probe { series } => format!("probe {series}"),
    };
    (found.proposed.iter().map(|candidate| format!("{}: {}", candidate.name, told(&candidate.indicator))).collect(), found.others)
}

#[test]
fn a_counter_of_failures_finds_the_counter_of_everything_by_its_name_and_labels() {
    for (bad, total) in [
        ("exports_failed_total", "exports_total"),
        ("rule_evaluation_failures_total", "rule_evaluations_total"),
        ("notifications_errors_total", "notifications_sent_total"),
        ("dials_failed_total", "dials_attempted_total"),
        ("backup_errors_total", "backup_runs_total"),
    ] {
        let (proposed, _) = check(&format!("{bad}{{a=\"1\"}} 1\n{total}{{a=\"1\"}} 5\n"), "");
        assert_eq!(proposed.len(), 1, "{bad}");
        assert!(proposed[0].ends_with(&format!("{bad} of {total}")), "{proposed:?}");
        let (proposed, _) = check(&format!("{bad}{{a=\"1\"}} 1\n{total}{{b=\"1\"}} 5\n"), "");
        assert_eq!(proposed, Vec::<String>::new(), "of other labels they are not one thing: {bad}");
    }
}

#[test]
fn what_people_feel_comes_before_work_and_before_what_is_asked_of_others() {
    let (proposed, others) = check(
        "http_client_requests_total{code=\"500\"} 1\nexports_total 1\nexports_failed_total 0\nhttp_requests_total{code=\"200\"} 1\n\
         api_http_requests_total{code=\"200\"} 1\ngo_gc_total{code=\"200\"} 1\n",
        "",
    );
    assert_eq!(proposed, ["availability: api_http_requests_total{code=~\"5..\"} of api_http_requests_total"]);
    assert_eq!(others, ["http_requests_total", "exports_total", "http_client_requests_total"]);
}

#[test]
fn a_threshold_is_the_smallest_boundary_that_nearly_all_observations_keep() {
    let text = |counts: [u64; 3]| {
        let [fast, usual, all] = counts;
        format!(
            "http_request_duration_seconds_bucket{{le=\"0.1\"}} {fast}\nhttp_request_duration_seconds_bucket{{le=\"0.30000000000000004\"}} {usual}\n\
             http_request_duration_seconds_bucket{{le=\"2.5\"}} {usual}\nhttp_request_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n"
        )
    };
    let latency = |counts| check(&text(counts), "").0.join(" ");
    assert_eq!(latency([993, 999, 1_000]), "latency: http_request_duration_seconds within 100ms");
    assert_eq!(
        latency([992, 999, 1_000]),
        "latency: http_request_duration_seconds within 2.5s",
        "0.3 is not that boundary to the last digit"
    );
    assert_eq!(latency([10, 20, 1_000]), "latency: http_request_duration_seconds within 2.5s");
    assert_eq!(latency([1, 2, 2]), "latency: http_request_duration_seconds within 100ms", "too little was observed");
}

#[test]
fn what_a_process_says_of_itself_is_proposed_only_by_name() {
    let text = "promhttp_metric_handler_requests_total{code=\"200\"} 1\n";
    assert_eq!(check(text, "").0, Vec::<String>::new());
    assert_eq!(check(text, "promhttp_metric_handler_requests_total").0.len(), 1);
}

#[test]
fn one_of_a_pair_finds_the_other_and_nothing_else_is_proposed() {
    let text = "http_requests_total{code=\"200\"} 5\njob_failures_total{a=\"1\"} 1\njobs_total{a=\"1\"} 5\n";
    for named in ["jobs_total", "job_failures_total"] {
        assert_eq!(check(text, named).0, ["job-availability: job_failures_total of jobs_total"], "{named}");
    }
    assert_eq!(check(text, "http_requests_total").0.len(), 1);
}

#[test]
fn a_second_opinion_that_differs_is_told_with_its_first_line() {
    let read =
        |text: &str| endpoint::read(text, endpoint::format_of(text), &Selector::new("", Vec::new())).expect("exposition text").differences;
    assert_eq!(read("a_total{x=\"1\",y=\"\"} 1\nb NaN\nc{z=\"a b\"} +Inf 1700000000000\n"), None);
    let told = read("fine 1\njob:slo:ratio 1\nc{path=\"/u/{id}\"} 1\n").expect("two lines differ");
    assert!(told.contains("reads 2 of 3 samples otherwise, first line 2 (job:slo:ratio)"), "{told}");
}

#[test]
fn a_job_becomes_a_name() {
    for (job, name) in [
        ("checkout", Some("checkout")),
        ("prod/Checkout_API", Some("prod-checkout-api")),
        ("--x--", Some("x")),
        ("", None),
        ("%%", None),
        (&"long-".repeat(20), Some("long-long-long-long-long-long-long-long-long-long-long-long-lon")),
    ] {
        assert_eq!(service_name(job).as_deref(), name, "{job}");
    }
}
