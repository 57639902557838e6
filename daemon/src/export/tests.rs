//! What is exported comes back with its meaning, as far as the other format holds it; what it does not hold is told of.

use std::sync::Arc;

use burnward_core::{
    id::{SourceName, TenantId},
    slo::Slo,
};
use serde_json::Value;

use super::{Format, export};
use crate::{
    definition::{
        Context, Source,
        document::{self, version_of},
    },
    import::{self, Options},
};

const SLOS: &str = r#"version: burnward/v1
service: shop
team: payments
slos:
  - name: availability
    title: 'Customers can pay'
    runbook: shop.md
    sli: { events: { bad: 'http_requests_total{code=~"5.."}', total: 'http_requests_total' } }
    per: [tenant]
    objectives:
      - { target: 99.95%, window: 30d }
      - { name: fast, target: 99%, window: 7d, alerting: { rows: [{ urgency: page, burn-rate: 3.36, long: 1h, short: 5m }] } }
    no-data: { after: 10m, then: page }
  - name: latency
    sli: { latency: { histogram: 'http_seconds{job="a"}', within: 300ms } }
    objectives: [{ target: 99%, window: 28d, alerting: page }]
  - name: whole-second
    sli: { latency: { histogram: 'http_seconds', within: 1s } }
    objectives: [{ target: 99%, window: 30d, alerting: none }]
  - name: probe
    sli: { probe: 'up{job="a"}' }
    objectives: [{ target: 99.5%, window: 30d, alerting: ticket }]
  - name: good-of-two
    sli: { events: { good: ['a_total', 'b_total'], total: ['a_total', 'b_total', 'c_total'] } }
    objectives: [{ target: 90%, window: 30d, alerting: { rows: [{ urgency: ticket, burn-rate: 2, long: 1d, short: 2h }] } }]
"#;

const REST: &str = r"version: burnward/v1
service: rest
team: operators
slos:
  - name: queue
    sli: { window: { expr: 'max(queue_seconds)', is: '<=', threshold: 60 } }
    objectives: [{ target: 99%, window: calendar month, timezone: Europe/Berlin, counted-in: { slices: 5m, good-if-at-least: 95% } }]
  - name: age
    sli: { window: { expr: 'max(age_seconds)', is: '<', threshold: 0.5 } }
    objectives: [{ target: 99%, window: 30d, alerting: page }]
  - name: sums
    sli: { query: { bad: 'sum(increase(a[1m]))', total: 'sum(increase(b[1m]))' } }
    objectives: [{ target: 99%, window: 30d }]
  - name: native
    sli: { latency: { histogram: 'h', within: 300ms, buckets: native } }
    objectives: [{ target: 99%, window: 30d }]
  - name: half
    sli: { latency: { histogram: 'h', within: 300ms, tolerated: 1s } }
    objectives: [{ target: 99%, window: 30d, alerting: page }]
    low-traffic: off
  - name: there
    sli: { presence: { series: 'up' } }
    objectives: [{ target: 99%, window: 30d, alerting: ticket }]
    no-data: { then: count-as-bad }
  - name: regions
    sli: { presence: { series: 'up', expected: [eu] } }
    per: [region]
    objectives: [{ target: 99%, window: 30d, alerting: ticket }]
  - name: journey
    sli: { composite: { all-of: [{ slo: shop/availability, good-if-at-least: 99% }, { slo: shop/latency, good-if-at-least: 99% }] } }
    objectives: [{ target: 99%, window: 30d, alerting: ticket }]
  - name: tried
    sli: { events: { bad: 'a', total: 'b' } }
    objectives: [{ target: 99%, window: 30d, alerting: page }]
    status: shadow
";

fn context() -> Context {
    Context::unchecked(TenantId::parse("main").expect("a name"), SourceName::parse("prom").expect("a name"))
}

fn slos(text: &str) -> Vec<Arc<Slo>> {
    let (slos, _) = document::read(&Source::new("slo.yaml", text), &version_of(text), &context()).expect("it loads");
    slos
}

/// The SLOs that a text of another tool is imported as, by name.
fn again(text: &str) -> Vec<Slo> {
    let imported = import::import(&[Source::new("exported.yaml", text)], &Options::default(), &context());
    let errors: Vec<String> = imported.faults.iter().filter(|fault| fault.code.id.starts_with('E')).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}\n{text}", errors.join("\n"));
    let mut slos: Vec<Slo> = imported.documents.iter().flat_map(|document| slos(&document.text)).map(|slo| (*slo).clone()).collect();
    slos.sort_by(|a, b| a.id.cmp(&b.id));
    slos
}

fn sorted(slos: &[Arc<Slo>]) -> Vec<Slo> {
    let mut slos: Vec<Slo> = slos.iter().map(|slo| (**slo).clone()).collect();
    slos.sort_by(|a, b| a.id.cmp(&b.id));
    slos
}

#[test]
fn rules_that_are_imported_again_mean_the_same() {
    let before = slos(SLOS);
    let exported = export(&before, Format::PrometheusRules);
    assert_eq!(exported.slos, 5);
    let after = again(&exported.text);
    assert_eq!(after.len(), before.len(), "{}", exported.text);
    for (mut before, after) in sorted(&before).into_iter().zip(after) {
        before.objectives.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(before.id, after.id);
        assert_eq!((&before.sli, &before.per), (&after.sli, &after.per), "{}", before.id);
        assert_eq!((&before.objectives, &before.team), (&after.objectives, &after.team), "{}", before.id);
        assert_eq!(before.no_data, after.no_data, "{}", before.id);
    }
}

/// What the source adds up comes back as it is asked for, with its step.
#[test]
fn expressions_come_back_from_rules() {
    let text = r"version: burnward/v1
service: shop
team: operators
slos:
  - name: bad
    sli: { query: { bad: 'sum by (tenant) (increase(a[5m]))', total: 'sum by (tenant) (increase(b[5m]))', step: 5m } }
    per: [tenant]
    objectives: [{ target: 99%, window: 30d }]
  - name: good
    sli: { query: { good: 'sum(increase(a[1m]))', total: 'sum(increase(b[1m]))', step: 1m } }
    objectives: [{ target: 99%, window: 30d, alerting: ticket }]
";
    let before = slos(text);
    let exported = export(&before, Format::PrometheusRules).text;
    for (before, after) in before.iter().zip(again(&exported)) {
        assert_eq!((&before.id, &before.sli, &before.per), (&after.id, &after.sli, &after.per), "{exported}");
        assert_eq!(before.objectives, after.objectives);
    }
}

#[test]
fn windows_come_back_from_rules() {
    let text = r"version: burnward/v1
service: shop
team: operators
slos:
  - name: works
    sli: { events: { bad: 'a', total: 'b' } }
    objectives:
      - { name: hour, target: 99%, window: 1h, alerting: none }
      - { name: odd, target: 99%, window: 100m, alerting: none }
      - { name: month, target: 99.5%, window: calendar month, timezone: Europe/Berlin }
      - { name: quarter, target: 99.5%, window: calendar quarter, timezone: America/New_York, alerting: ticket }
      - { name: week, target: 99.5%, window: calendar week, timezone: UTC, alerting: none }
";
    let mut before = slos(text)[0].objectives.clone();
    before.sort_by(|a, b| a.name.cmp(&b.name));
    let exported = export(&slos(text), Format::PrometheusRules).text;
    assert_eq!(again(&exported)[0].objectives, before, "{exported}");
}

#[test]
fn rules_of_ones_own_are_told_of_once() {
    let said = |text: &str| -> Vec<String> {
        let rules = export(&slos(text), Format::PrometheusRules).text;
        let imported = import::import(&[Source::new("exported.yaml", &rules)], &Options::default(), &context());
        let lost = imported.faults.iter().filter(|fault| fault.code.id == "W2101");
        lost.map(|fault| fault.message.clone()).collect()
    };
    let head = "`burnward export` wrote these rules, which hold less than the documents that they come from";
    assert_eq!(said(SLOS), [format!("{head}: title, runbook and policies of 5 SLOs are not in them")]);
    let rest = said(REST);
    let lost = "37 rules of `rest/age`, `rest/native`, `rest/there` do not tell what is counted, so nothing is carried over of that";
    assert_eq!(rest, [format!("{head}: title, runbook and policies of 3 SLOs are not in them; {lost}")]);
}

/// Two rows of a short window have the same burn rate, and rules with the same name and labels are duplicates to `promtool`.
#[test]
fn each_row_is_an_alert_of_its_own_and_says_the_window_that_burns() {
    let short = r"version: burnward/v1
service: shop
team: payments
slos:
  - name: probe
    sli: { probe: 'up' }
    objectives: [{ name: everyday, target: 99.5%, window: 1d }]
";
    let text = export(&slos(short), Format::PrometheusRules).text;
    let labels: Vec<&str> = text.split("- alert: ").filter_map(|rule| rule.split_once("labels:")?.1.split("annotations:").next()).collect();
    assert!(labels.len() > 2, "{text}");
    for (at, own) in labels.iter().enumerate() {
        assert!(!labels[at + 1..].contains(own), "{text}");
    }
    assert!(text.contains("99.5% over 1d burns") && !text.contains("over everyday"), "{text}");
}

#[test]
fn openslo_that_is_imported_again_means_the_same() {
    let before: Vec<Arc<Slo>> = slos(SLOS).into_iter().chain(slos(REST).into_iter().take(3)).collect();
    let exported = export(&before, Format::OpenSlo);
    let after = again(&exported.text);
    let of = |name: &str| after.iter().find(|slo| slo.id.name.as_str() == name).unwrap_or_else(|| panic!("{name}"));
    for before in before.iter().filter(|slo| !["availability", "good-of-two", "sums"].contains(&slo.id.name.as_str())) {
        let after = of(before.id.name.as_str());
        assert_eq!((&before.sli, &before.per, &before.objectives), (&after.sli, &after.per, &after.objectives), "{}", before.id);
        assert_eq!((&before.title, &before.runbook, &before.team), (&after.title, &after.runbook, &after.team), "{}", before.id);
    }
    // Objectives of two windows are two SLOs there; sums of several counters and of the source come back as what they are.
    assert_eq!(of("availability-30d").objectives[0].target, before[0].objectives[0].target);
    assert_eq!(of("availability-fast").sli, before[0].sli);
    assert_eq!(of("good-of-two").sli, before[4].sli);
    assert!(of("availability-fast").no_data.then.word() == "page");
}

#[test]
fn windows_of_the_calendar_come_back_from_openslo_with_the_rows_that_follow_from_them() {
    let slo = |window: &str, target: &str| {
        format!(
            "version: burnward/v1\nservice: shop\nteam: operators\nslos:\n  - name: works\n    sli: {{ events: {{ bad: 'a', total: 'b' }} }}\n    objectives: [{{ name: promise, target: {target}, window: {window}, timezone: UTC }}]\n"
        )
    };
    for (window, target) in
        [("calendar week", "99.5%"), ("calendar month", "99.5%"), ("calendar quarter", "99.5%"), ("calendar week", "90%")]
    {
        let text = slo(window, target);
        let before = slos(&text);
        let exported = export(&before, Format::OpenSlo).text;
        assert_eq!(again(&exported)[0].objectives[0].rows, before[0].objectives[0].rows, "{window}\n{exported}");
        let imported = import::import(&[Source::new("exported.yaml", exported.as_str())], &Options::default(), &context());
        assert!(imported.faults.iter().all(|fault| !fault.to_string().contains("alert ")), "{window}: {:?}", imported.faults);
        assert!(
            !imported.documents[0].text.contains("rows:"),
            "{window}: default rows are none of its own\n{}",
            imported.documents[0].text
        );
    }
}

#[test]
fn why_an_slo_has_no_rules_is_told() {
    let text = r"version: burnward/v1
service: shop
team: operators
slos:
  - name: contract
    sli: { events: { bad: 'a', total: 'b' } }
    objectives: [{ target: 99%, window: calendar month, timezone: Europe/Berlin, alerting: none }]
";
    let exported = export(&slos(text), Format::PrometheusRules);
    let told: Vec<String> = exported.losses.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|loss| loss.ends_with("no rules: no objective has an alert or a window of fixed length")), "{told:?}");
}

#[test]
fn what_another_format_cannot_hold_is_told_of() {
    let all: Vec<Arc<Slo>> = slos(SLOS).into_iter().chain(slos(REST)).collect();
    let lost = |format: Format| export(&all, format).losses.iter().map(|loss| loss.to_string() + "\n").collect::<String>();
    insta::assert_snapshot!("lost_rules", lost(Format::PrometheusRules));
    insta::assert_snapshot!("lost_openslo", lost(Format::OpenSlo));
    insta::assert_snapshot!("lost_grafana", lost(Format::Grafana));
}

#[test]
fn the_texts_are_readable() {
    let one = &slos(SLOS)[1..2];
    insta::assert_snapshot!("rules", export(one, Format::PrometheusRules).text);
    insta::assert_snapshot!("openslo", export(one, Format::OpenSlo).text);
    insta::assert_snapshot!("grafana", export(one, Format::Grafana).text);
}

#[test]
fn every_series_of_the_dashboard_is_recorded_by_the_rules() {
    let all: Vec<Arc<Slo>> = slos(SLOS).into_iter().chain(slos(REST)).collect();
    let rules = export(&all, Format::PrometheusRules).text;
    let dashboard: Value = serde_json::from_str(&export(&all, Format::Grafana).text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let numbers: std::collections::BTreeSet<i64> = panels.iter().filter_map(|panel| panel["id"].as_i64()).collect();
    assert_eq!(numbers.len(), panels.len());
    let exprs: Vec<&str> =
        panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten().filter_map(|target| target["expr"].as_str()).collect();
    assert!(exprs.len() > 20, "{exprs:?}");
    for expr in exprs {
        let name = expr.trim_start_matches("1 - ").split('{').next().expect("a name");
        assert!(rules.contains(&format!("record: {name}\n")), "{name}");
    }
}

#[test]
fn an_slo_that_tells_nobody_tells_nobody_when_it_is_imported_again() {
    let document = |status: &str| {
        format!(
            "version: burnward/v1\nservice: shop\nteam: a\nslos:\n  - name: tried\n    sli: {{ events: {{ bad: 'a', total: 'b' }} }}\n    objectives: [{{ target: 99%, window: 30d, alerting: page }}]\n    status: {status}\n"
        )
    };
    let suspended = "{ suspended: { reason: 'the exporter is rebuilt: no data', until: 2026-12-01 } }";
    for (status, format, same_rows) in [
        ("active", Format::OpenSlo, true),
        ("shadow", Format::OpenSlo, true),
        (suspended, Format::OpenSlo, true),
        ("active", Format::PrometheusRules, true),
        // Of these no alert is written, so that there are the default rows.
        ("shadow", Format::PrometheusRules, false),
    ] {
        let before = slos(&document(status));
        let after = again(&export(&before, format).text);
        assert_eq!(after[0].status, before[0].status, "{status} {format:?}");
        assert_eq!(after[0].objectives[0].rows == before[0].objectives[0].rows, same_rows, "{status} {format:?}");
        assert!(!after[0].objectives[0].rows.is_empty(), "{status} {format:?}");
    }
    let told = |format| export(&slos(&document("shadow")), format).losses.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(told(Format::PrometheusRules).contains("is in shadow, by the label `burnward_status`, with the default alert rows"));
    assert!(told(Format::OpenSlo).contains("another tool that loads it tells people by its alert policies"));
}
