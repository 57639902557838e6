//! Sloth.

use super::{codes, loaded, shown};

pub(super) const FILE: &str = r#"version: "prometheus/v1"
service: "basket"
labels:
  owner: shop
  tier: "1"
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "Requests to the basket are answered."
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="basket",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="basket"}[{{.window}}]))
    alerting:
      name: BasketErrors
      labels:
        category: availability
      page_alert:
        labels:
          severity: pageteam
      ticket_alert:
        disable: true
  - name: latency_300ms
    objective: 95
    sli:
      events:
        error_query: |
          sum(rate(http_request_duration_seconds_count{job="basket"}[{{.window}}]))
          -
          sum(rate(http_request_duration_seconds_bucket{job="basket",le="0.3"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count{job="basket"}[{{.window}}]))
    alerting:
      page_alert: { disable: true }
      ticket_alert: { disable: true }
  - name: reachable
    objective: 99.5
    sli:
      raw:
        error_ratio_query: 1 - avg_over_time(probe_success{job="basket"}[{{.window}}])
    alerting: {}
  - name: slow-sums
    objective: 99
    sli:
      events:
        error_query: max(rate(a_total[{{.window}}])) OR on() vector(0)
        total_query: max(rate(b_total[{{ .window }}]))
    alerting: {}
  - name: wifi
    objective: 99
    sli:
      raw:
        error_ratio_query: avg(satisfaction{a="1"}) < 0.5
    alerting: {}
"#;

pub(super) const OBJECT: &str = r"apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata:
  name: search
  namespace: monitoring
spec:
  service: search
  slos:
    - name: availability
      objective: 99.9
      labels: { team: find }
      sli:
        events:
          errorQuery: sum by (tenant) (rate(grpc_errors_total[{{.window}}]))
          totalQuery: sum by (tenant) (rate(grpc_total[{{.window}}]))
      alerting:
        pageAlert: { disable: false }
        ticketAlert: { disable: false }
";

pub(super) const WINDOWS: &str = "apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: { errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h }
    slow: { errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h }
  ticket:
    quick: { errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d }
    slow: { errorBudgetPercent: 42, shortWindow: 6h, longWindow: 3d }
";

#[test]
fn a_file_becomes_a_document_with_exact_counters_where_they_are_found() {
    insta::assert_snapshot!(shown(&[("sloth.yaml", FILE)]));
}

#[test]
fn an_object_of_kubernetes_and_windows_of_its_own() {
    insta::assert_snapshot!(shown(&[("search.yaml", OBJECT), ("windows.yaml", WINDOWS)]));
}

#[test]
fn without_alerts_of_its_own_the_rows_are_the_default_ones() {
    let slos = loaded(&super::convert(&[("search.yaml", OBJECT)]));
    let rows: Vec<String> = slos[0].objectives[0].rows.iter().map(crate::definition::row_words).collect();
    assert_eq!(rows, ["page 14.4x 1h/5m", "page 6x 6h/30m", "ticket 3x 1d/2h", "ticket 1x 3d/6h"]);
    assert_eq!(slos[0].per, ["tenant"]);
}

#[test]
fn what_cannot_be_counted_is_refused_and_the_rest_is_converted() {
    let plugin = "    sli: { plugin: { id: sloth-common/kubernetes/apiserver/availability } }\n";
    let text = format!("{FILE}  - name: other\n    objective: 99\n{plugin}");
    assert!(codes(&text).contains(&"E1502"));
    assert_eq!(loaded(&super::convert(&[("a.yaml", &text)])).len(), 5);
    assert!(codes(&FILE.replace("objective: 99.9", "objective: 100")).contains(&"E1042"));
    assert!(codes(&FILE.replace("{{.window}}", "{{.span}}")).contains(&"E1502"));
    assert!(codes(&FILE.replace("error_query: sum", "error_query: sum(")).contains(&"E1502"));
}

#[test]
fn a_gauge_of_fractions_keeps_its_fractions() {
    let text = FILE.replace(
        "1 - avg_over_time(probe_success{job=\"basket\"}[{{.window}}])",
        "1 - sum(sum_over_time(satisfaction[{{.window}}])) / sum(count_over_time(satisfaction[{{.window}}]))",
    );
    let slos = loaded(&super::convert(&[("a.yaml", &text)]));
    let asked: Vec<String> = slos[2].sli.expressions().iter().map(ToString::to_string).collect();
    assert_eq!(asked, ["sum(sum_over_time(satisfaction[1m]))", "sum(count_over_time(satisfaction[1m]))"]);
}

#[test]
fn one_slo_twice_is_told_of() {
    assert!(codes(&FILE.replace("name: reachable", "name: wifi")).contains(&"E1022"));
}
