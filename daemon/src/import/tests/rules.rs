//! Rule files of Prometheus: of Sloth, of Pyrra, and by hand.

use super::{convert, loaded, shown};

/// As Sloth generates them, shortened to two lookbacks of one SLO.
pub(super) const SLOTH: &str = r#"groups:
  - name: sloth-slo-sli-recordings-basket-availability
    rules:
      - record: slo:sli_error:ratio_rate5m
        expr: |
          (sum(rate(http_requests_total{job="basket",code=~"5.."}[5m])))
          /
          (sum(rate(http_requests_total{job="basket"}[5m])))
        labels: &labels { sloth_id: basket-availability, sloth_service: basket, sloth_slo: availability, owner: shop }
      - record: slo:sli_error:ratio_rate1h
        expr: |
          (sum(rate(http_requests_total{job="basket",code=~"5.."}[1h])))
          /
          (sum(rate(http_requests_total{job="basket"}[1h])))
        labels: *labels
      - record: slo:sli_error:ratio_rate28d
        expr: sum_over_time(slo:sli_error:ratio_rate5m{sloth_service="basket", sloth_slo="availability"}[28d]) / ignoring (sloth_window) count_over_time(slo:sli_error:ratio_rate5m{sloth_service="basket", sloth_slo="availability"}[28d])
        labels: { sloth_window: 28d }
  - name: sloth-slo-meta-recordings-basket-availability
    rules:
      - { record: 'slo:objective:ratio', expr: vector(0.9990000000000001), labels: *labels }
      - { record: 'slo:time_period:days', expr: vector(28), labels: *labels }
      - { record: sloth_slo_info, expr: vector(1), labels: *labels }
  - name: sloth-slo-alerts-basket-availability
    rules:
      - alert: BasketErrors
        expr: |
          (
              (slo:sli_error:ratio_rate5m{sloth_id="basket-availability", sloth_service="basket", sloth_slo="availability"} > (13.44 * 0.0009999999999999432))
              and ignoring (sloth_window)
              (slo:sli_error:ratio_rate1h{sloth_id="basket-availability", sloth_service="basket", sloth_slo="availability"} > (13.44 * 0.0009999999999999432))
          )
        labels: { severity: home, sloth_severity: page }
        annotations: { title: x }
"#;

/// As Pyrra generates them, shortened.
pub(super) const PYRRA: &str = r#"apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: { name: api-errors }
spec:
  groups:
    - name: api-errors-increase
      rules:
        - record: http_requests:increase4w
          expr: sum by (code) (increase(http_requests_total{job="api"}[4w]))
          labels: { job: api, slo: api-errors }
        - alert: SLOMetricAbsent
          expr: absent(http_requests_total{job="api"}) == 1
          for: 7m
          labels: { job: api, slo: api-errors, severity: critical }
    - name: api-errors
      rules:
        - record: http_requests:burnrate5m
          expr: sum(rate(http_requests_total{code=~"5..",job="api"}[5m])) / sum(rate(http_requests_total{job="api"}[5m]))
          labels: { job: api, slo: api-errors }
        - record: http_requests:burnrate1h
          expr: sum(rate(http_requests_total{code=~"5..",job="api"}[1h])) / sum(rate(http_requests_total{job="api"}[1h]))
          labels: { job: api, slo: api-errors }
        - alert: ErrorBudgetBurn
          expr: http_requests:burnrate5m{job="api",slo="api-errors"} > (14 * (1-0.99)) and http_requests:burnrate1h{job="api",slo="api-errors"} > (14 * (1-0.99))
          for: 2m
          labels: { exhaustion: 2d, job: api, long: 1h, severity: critical, short: 5m, slo: api-errors }
"#;

pub(super) const BY_HAND: &str = r#"groups:
  - name: checkout
    rules:
      - record: job:errors:ratio1h
        expr: sum by (job) (rate(e_total[1h])) / sum by (job) (rate(r_total[1h]))
      - record: job:errors:ratio5m
        expr: sum by (job) (rate(e_total[5m])) / sum by (job) (rate(r_total[5m]))
      - alert: BurnsFast
        expr: job:errors:ratio1h > 14.4 * 0.001 and job:errors:ratio5m > 14.4 * 0.001
        labels: { severity: page, team: payments }
      - alert: BurnsSlowly
        expr: job:errors:ratio1h > 2 * 0.001 and job:errors:ratio5m > 2 * 0.001
        labels: { severity: ticket }
      - alert: TooManyErrors
        expr: sum(rate(x_total{code="500"}[10m])) / sum(rate(x_total[10m])) > 0.01
        for: 10m
        labels: { severity: critical, service: pay, team: payments }
      - alert: DiskFull
        expr: disk_free < 10
"#;

#[test]
fn rules_of_sloth_become_the_slo_that_they_came_from() {
    insta::assert_snapshot!(shown(&[("sloth-rules.yaml", SLOTH)]));
}

#[test]
fn rules_of_pyrra_become_the_slo_that_they_came_from() {
    insta::assert_snapshot!(shown(&[("pyrra-rules.yaml", PYRRA)]));
}

#[test]
fn alerts_by_hand_become_slos_and_what_is_none_is_told_of() {
    insta::assert_snapshot!(shown(&[("rules.yaml", BY_HAND)]));
}

#[test]
fn an_slo_of_sloth_without_alerts_tells_nobody() {
    let (recordings, _) = SLOTH.split_once("  - name: sloth-slo-alerts").expect("alerts");
    let slos = loaded(&convert(&[("rules.yaml", recordings)]));
    assert!(slos[0].objectives[0].rows.is_empty());
    assert_eq!(slos[0].objectives[0].target.as_percent(), "99.9");
}

#[test]
fn a_ratio_that_is_no_share_is_no_slo() {
    let text = "groups: [{ name: a, rules: [{ alert: X, expr: 'sum(rate(a[5m])) / sum(rate(b[5m])) > 5' }] }]";
    let said: Vec<&str> = convert(&[("rules.yaml", text)]).faults.iter().map(|fault| fault.code.id).collect();
    assert_eq!(said, ["W2101"]);
}

#[test]
fn recording_rules_that_name_themselves_do_not_turn_in_circles() {
    let text = "groups: [{ name: a, rules: [{ record: a, expr: b }, { record: b, expr: a }, { alert: X, expr: a > 2 * 0.01 }] }]";
    assert!(convert(&[("rules.yaml", text)]).documents.is_empty());
}
