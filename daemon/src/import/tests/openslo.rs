//! OpenSLO, with the traps of its own examples.

use burnward_core::sli::Sli;

use super::{codes, convert, loaded, shown};

pub(super) const SLO: &str = include_str!("../../../fixtures/foreign/openslo-v1.yaml");

pub(super) const THRESHOLD: &str = include_str!("../../../fixtures/foreign/openslo-threshold.yaml");

pub(super) const ALPHA: &str = include_str!("../../../fixtures/foreign/openslo-v1alpha.yaml");

#[test]
fn an_slo_with_its_policy_becomes_a_document() {
    insta::assert_snapshot!(shown(&[("slo.yaml", SLO)]));
}

#[test]
fn thresholds_slices_and_calendar_windows() {
    insta::assert_snapshot!(shown(&[("queue.yaml", THRESHOLD)]));
}

#[test]
fn the_alpha_version() {
    insta::assert_snapshot!(shown(&[("alpha.yaml", ALPHA)]));
}

#[test]
fn objects_of_other_files_are_found_and_blamed_where_they_are_named() {
    let (slo, policy) = SLO.split_once("---\n").expect("two documents");
    let whole = convert(&[("slo.yaml", slo), ("policy.yaml", &policy.replace("14.4", "none"))]);
    let of_condition: Vec<String> = whole.faults.iter().filter(|fault| fault.code.id == "E1050").map(ToString::to_string).collect();
    assert_eq!(of_condition, ["slo.yaml:42:23: `none` is not a positive burn rate (E1050)"]);
    assert_eq!(loaded(&convert(&[("slo.yaml", slo), ("policy.yaml", policy)])).len(), 1);
    assert!(codes(slo).contains(&"E1504"));
}

#[test]
fn a_minute_is_no_month() {
    for (text, trap) in [(SLO.replace("28d", "1m"), true), (SLO.replace("28d", "4w"), false), (THRESHOLD.replace("1M", "1m"), true)] {
        assert_eq!(codes(&text).contains(&"E1503"), trap, "{text}");
    }
    for window in ["1Y", "2w", "13d"] {
        assert!(codes(&THRESHOLD.replace("1M", window)).contains(&"E1503"), "{window}");
    }
}

#[test]
fn a_latency_that_is_good_above_its_threshold_is_told_of_and_taken_as_it_is_written() {
    let told = |query: &str, op: &str| {
        let text = THRESHOLD.replace("max(queue_oldest_seconds)", query).replace("op: lte", &format!("op: {op}"));
        let imported = convert(&[("queue.yaml", &text)]);
        let slos = loaded(&imported);
        assert!(matches!(&slos[0].sli, Sli::Window { .. }));
        imported.faults.iter().filter(|fault| fault.code.id == "W2103").map(ToString::to_string).collect::<Vec<_>>()
    };
    let p99 = "histogram_quantile(0.99, sum by (le) (rate(request_seconds_bucket[5m])))";
    for query in [
        p99,
        "request_seconds{quantile=\"0.99\"}",
        "avg(request_latency_ms) / 1000",
        "quantile_over_time(0.9, lag[5m])",
        "quantile(0.5, lag)",
    ] {
        assert_eq!(told(query, "gt").len(), 1, "{query}");
        assert_eq!(told(query, "lte"), Vec::<String>::new(), "{query}");
    }
    for query in [
        "min(free_bytes)",
        "histogram_quantile(0.01, sum by (le) (rate(throughput_bucket[5m])))",
        "max(certificate_left_seconds)",
        "1 - max(latency)",
    ] {
        assert_eq!(told(query, "gte"), Vec::<String>::new(), "{query}");
    }
    let said = "queue.yaml:17:36: `op: gte` calls this value good above the threshold, and it is a latency or a high quantile, which is good below it; it is taken as it is written (W2103)";
    assert_eq!(told(p99, "gte"), [said]);
}

#[test]
fn rolling_months_are_told_of() {
    for (window, days) in [("1M", 30), ("1Q", 90), ("1Y", 365)] {
        let imported = convert(&[("a.yaml", &SLO.replace("28d", window))]);
        assert!(imported.faults.iter().any(|fault| fault.code.id == "W2102" && fault.message.contains(&format!("{days}d"))), "{window}");
    }
}

#[test]
fn other_systems_are_refused() {
    for text in [
        SLO.replace("type: Prometheus\n            spec", "type: Datadog\n            spec"),
        SLO.replace("openslo/v1\n", "openslo.com/v2alpha\n"),
    ] {
        let codes = codes(&text);
        assert!(codes.contains(&"E1502") || codes.contains(&"E1501"), "{codes:?}");
    }
}

#[test]
fn secrets_in_a_foreign_file_are_not_shown() {
    let text = SLO.replace("query: sum(checkout_total)\n", "query: sum(checkout_total)\n              secretAccessKey: hush\n");
    let shown: String = convert(&[("a.yaml", &text)]).faults.iter().map(|fault| fault.render(crate::definition::Colour::Never)).collect();
    assert!(shown.contains("`secretAccessKey` is not carried over") && !shown.contains("hush"), "{shown}");
}

#[test]
fn a_gauge_of_each_interval_is_asked_for_as_it_is() {
    let imported = convert(&[("a.yaml", &SLO.replace("counter: true", "counter: false"))]);
    assert!(imported.faults.iter().any(|fault| fault.message.contains("`checkout_total` is called like a counter")));
    let slos = loaded(&imported);
    let asked: Vec<String> = slos[0].sli.expressions().iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["sum(checkout_total{result=\"error\"})", "sum(checkout_total)"]);
    let raw =
        "ratioMetric:\n        rawType: success\n        raw: { metricSource: { spec: { query: 'availability:ratio' } } }\n        x:";
    let imported = convert(&[("a.yaml", &SLO.replace("ratioMetric:\n", &format!("{raw}\n")).replace("        counter: true\n", ""))]);
    assert!(imported.faults.iter().any(|fault| fault.code.id == "W2104"));
}

#[test]
fn objectives_with_indicators_of_their_own_become_slos() {
    let own = |query: &str| {
        format!(
            "indicator: {{ spec: {{ ratioMetric: {{ good: {{ metricSource: {{ spec: {{ query: '{query}' }} }} }}, total: {{ metricSource: {{ spec: {{ query: 't' }} }} }} }} }} }}"
        )
    };
    let text = SLO.replace("displayName: Strict", &own("a")).replace("displayName: Promised", &own("b"));
    let imported = convert(&[("a.yaml", &text)]);
    let names: Vec<String> = loaded(&imported).iter().map(|slo| slo.id.name.to_string()).collect();
    assert_eq!(names, ["checkout-availability-1", "checkout-availability-2"]);
    assert!(imported.faults.iter().any(|fault| fault.code.id == "W2101" && fault.message.contains("indicators of their own")));
}

#[test]
fn of_ratios_of_slices_each_key_that_is_lost_is_told_of() {
    let imported = convert(&[("queue.yaml", &THRESHOLD.replace("Timeslices", "RatioTimeslices"))]);
    let told = |key: &str| -> Vec<String> {
        let faults = imported.faults.iter().filter(|fault| fault.message.contains(key));
        faults.map(|fault| format!("{} {}", fault.place.positions().0.line, fault.message)).collect()
    };
    let window = "is not carried over: events are counted as they are, and the value of a thresholdMetric is judged each minute";
    assert_eq!(told("timeSliceWindow:"), [format!("17 `timeSliceWindow: 5` {window}"), format!("18 `timeSliceWindow: 5m` {window}")]);
    let share = "is not carried over: with RatioTimeslices no slice is good or bad as a whole, so nothing is compared with it";
    assert_eq!(told("timeSliceTarget:"), [format!("17 `timeSliceTarget: 0.95` {share}"), format!("18 `timeSliceTarget: 1.0` {share}")]);
    assert_eq!(loaded(&imported).len(), 2);
}

#[test]
fn a_calendar_beside_a_window_that_rolls_is_told_of() {
    let text = SLO.replace("isRolling: true", "isRolling: true\n      calendar: { timeZone: Europe/Berlin }");
    let told: Vec<String> =
        convert(&[("a.yaml", &text)]).faults.iter().map(ToString::to_string).filter(|said| said.contains("calendar")).collect();
    assert_eq!(told, ["a.yaml:35:7: `calendar` is not carried over (W2101)"]);
}

const QUERIES: &str = "good: { metricSource: { spec: { query: 'a_total' } } }, total: { metricSource: { spec: { query: 'b_total' } } }";

/// An SLO of this ratio and this objective.
fn one(ratio: &str, objective: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{ name: up, labels: {{ team: shop }} }}\nspec:\n  service: web\n  indicator: {{ spec: {{ ratioMetric: {{ {ratio} }} }} }}\n  timeWindow: [{{ duration: 28d, isRolling: true }}]\n  budgetingMethod: Occurrences\n  objectives: [{objective}]\n"
    )
}

/// The expressions of an SLO whose good and all events are asked for by these, or its selectors; and what is told of them.
fn taken(good: &str, total: &str, counter: &str) -> (Vec<String>, Vec<String>) {
    let metric = |query: &str| format!("{{ metricSource: {{ spec: {{ query: '{query}' }} }} }}");
    let text = one(&format!("{counter}good: {}, total: {}", metric(good), metric(total)), "{ target: 0.99 }");
    let imported = convert(&[("a.yaml", &text)]);
    let sli = loaded(&imported)[0].sli.clone();
    let asked = match sli.expressions().as_slice() {
        [] => sli.selectors().iter().map(ToString::to_string).collect(),
        expressions => expressions.iter().map(ToString::to_string).collect(),
    };
    let told =
        imported.faults.iter().filter(|fault| ["W2102", "W2105"].contains(&fault.code.id) && !fault.message.contains("alert policy"));
    (asked, told.map(|fault| format!("{} {}", fault.code.id, fault.message)).collect())
}

#[test]
fn without_a_range_a_number_of_series_and_a_gauge_are_values_of_each_minute() {
    let (up, all) = ("count(up == 1)", "count(up)");
    let as_they_are = [up.to_owned(), all.to_owned()];
    let unsaid = "W2102 `count(up == 1)` looks back over no range and is no counter by its name: its value of each minute is taken as that minute's events";
    assert_eq!(taken(up, all, ""), (as_they_are.to_vec(), vec![unsaid.to_owned()]));
    let said = "W2102 `count(up == 1)` is said to be a counter, and how many series there are rises and falls: its value of each minute is taken as it is";
    assert_eq!(taken(up, all, "counter: true, "), (as_they_are.to_vec(), vec![said.to_owned()]));
    let (asked, told) = taken("sum(kube_deployment_status_replicas_available)", "sum(kube_deployment_spec_replicas)", "");
    assert_eq!(asked, ["sum(kube_deployment_status_replicas_available)", "sum(kube_deployment_spec_replicas)"]);
    assert_eq!(told.len(), 1, "{told:?}");
    let counters = ["a_total{code=\"200\"}".to_owned(), "a_total".to_owned()].to_vec();
    assert_eq!(taken("sum(a_total{code=\"200\"})", "sum(a_total)", ""), (counters, Vec::new()));
}

#[test]
fn what_the_only_objective_is_called_is_told_of() {
    let text = one(QUERIES, "{ displayName: Strict, target: 0.99 }");
    let told: Vec<String> = convert(&[("a.yaml", &text)]).faults.iter().map(|fault| fault.message.clone()).collect();
    let said = "`displayName: Strict` is not carried over: the only objective of an SLO needs no name";
    assert!(told.iter().any(|told| told == said), "{told:?}");
    assert!(!convert(&[("a.yaml", SLO)]).faults.iter().any(|fault| fault.message.contains("needs no name")));
}

#[test]
fn slices_of_which_no_length_is_said_are_minutes() {
    let text = ALPHA.replace("budgetingMethod: Occurrences", "budgetingMethod: Timeslices");
    assert!(text.contains("Timeslices"));
    let text = text.replace("target: ", "timeSliceTarget: 0.95\n      target: ");
    let imported = convert(&[("alpha.yaml", &text)]);
    let told = "it is not said how long a slice of time is: a minute is taken";
    assert!(imported.faults.iter().any(|fault| fault.code.id == "W2102" && fault.message == told), "{:?}", imported.faults);
}
