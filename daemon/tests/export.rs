//! `burnward export` as a user runs it: Prometheus's own tool takes the rules, and they fire when they should. `promtool` must be on the path.

use std::{fs, path::Path, process::Command};

const SLOS: &str = r#"version: burnward/v1
service: shop
team: payments
slos:
  - name: availability
    title: "Customers can pay, say {{ templates }} and 'quotes'"
    runbook: shop.md
    sli: { events: { bad: 'http_requests_total{code=~"5.."}', total: 'http_requests_total' } }
    per: [tenant]
    objectives:
      - { target: 99.9%, window: 30d }
      - { name: fast, target: 99%, window: 90m, alerting: page }
    no-data: { after: 10m, then: page }
  - name: good
    sli: { events: { good: ['a_total', 'b_total{x="\\d"}'], total: ['a_total', 'b_total', 'c_total'] } }
    objectives: [{ target: 99%, window: 28d }]
  - name: latency
    sli: { latency: { histogram: 'http_seconds{job="a"}', within: 300ms, tolerated: 2s } }
    objectives: [{ target: 99%, window: 28d }]
  - name: native
    sli: { latency: { histogram: 'h', within: 300ms, buckets: native } }
    per: [tenant]
    objectives: [{ target: 99%, window: 7d }]
  - name: probe
    sli: { probe: ['up{job="a"}', 'probe_success'] }
    objectives: [{ target: 99.5%, window: calendar month, timezone: Europe/Berlin }]
  - name: there
    sli: { presence: { series: 'up' } }
    objectives: [{ target: 99%, window: 30d, alerting: ticket }]
  - name: queue
    sli: { window: { expr: 'max(queue_seconds) or vector(0)', is: '<=', threshold: -0.5, slice: 30s } }
    objectives: [{ target: 99%, window: 30d, alerting: page }]
  - name: sums
    sli: { query: { good: 'sum(increase(a[1m])) - 1', total: 'sum(increase(b[1m]))' } }
    objectives: [{ target: 99%, window: 30d }]
"#;

fn burnward(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_burnward")).args(args).current_dir(dir).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn promtool(dir: &Path, args: &[&str]) {
    let output = Command::new("promtool").args(args).current_dir(dir).output().expect("promtool is installed");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

fn exported() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("shop.yaml"), SLOS).expect("a file");
    let (code, rules, said) = burnward(dir.path(), &["export", "shop.yaml", "--format", "prometheus-rules"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("shop.yaml:5: shop/availability: `low-traffic: exact` is not in the rules"), "{said}");
    fs::write(dir.path().join("rules.yaml"), rules).expect("a file");
    dir
}

#[test]
fn promtool_accepts_the_rules_of_every_kind() {
    let dir = exported();
    promtool(dir.path(), &["check", "rules", "rules.yaml"]);
}

/// Names in which the dashes stand elsewhere, and one that ends as the group of a window might.
#[test]
fn promtool_accepts_the_rules_of_slos_whose_names_are_alike() {
    let dir = tempfile::tempdir().expect("a directory");
    for (service, slos) in [("a", vec!["b-c", "b", "b-window", "window"]), ("a-b", vec!["c", "window"]), ("a-b-c", vec!["window"])] {
        let slo = |name: &&str| {
            format!(
                "  - {{ name: {name}, sli: {{ events: {{ bad: 'e{{code=\"500\"}}', total: 'e' }} }}, objectives: [{{ target: 99.9%, window: 30d }}] }}\n"
            )
        };
        let slos: String = slos.iter().map(slo).collect();
        let text = format!("version: burnward/v1\nservice: {service}\nteam: payments\nslos:\n{slos}");
        fs::write(dir.path().join(format!("{service}.yaml")), text).expect("a file");
    }
    let (code, rules, said) = burnward(dir.path(), &["export", "a.yaml", "a-b.yaml", "a-b-c.yaml", "--format", "prometheus-rules"]);
    assert_eq!((code, rules.matches("  - name: ").count()), (Some(0), 14), "{said}");
    fs::write(dir.path().join("rules.yaml"), rules).expect("a file");
    promtool(dir.path(), &["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"]);
}

/// One failure in fifty of one tenant for two hours, after half a day without; the other tenant has none.
const TEST: &str = r#"rule_files: [rules.yaml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - { series: 'http_requests_total{tenant="a",code="200"}', values: '0+98x840' }
      - { series: 'http_requests_total{tenant="a",code="500"}', values: '0+0x720 2+2x120' }
      - { series: 'http_requests_total{tenant="b",code="200"}', values: '0+98x840' }
    promql_expr_test:
      - expr: burnward:bad:ratio_rate1h{burnward_slo="availability"}
        eval_time: 12h
        exp_samples:
          - { labels: 'burnward:bad:ratio_rate1h{burnward_service="shop",burnward_slo="availability",team="payments",tenant="a"}', value: 0 }
          - { labels: 'burnward:bad:ratio_rate1h{burnward_service="shop",burnward_slo="availability",team="payments",tenant="b"}', value: 0 }
      - expr: count(ALERTS{alertname="ErrorBudgetBurn",alertstate="firing",burnward_slo="availability",severity="page"}) or vector(0)
        eval_time: 12h
        exp_samples: [{ labels: '{}', value: 0 }]
      - expr: count by (tenant, burnward_objective, burn_rate) (ALERTS{alertname="ErrorBudgetBurn",alertstate="firing",burnward_slo="availability",burnward_objective="30d",severity="page"})
        eval_time: 13h30m
        exp_samples: [{ labels: '{tenant="a",burnward_objective="30d",burn_rate="14.4"}', value: 1 }]
"#;

#[test]
fn the_rules_fire_for_the_group_that_burns_and_for_no_other() {
    let dir = exported();
    let (_, rules, _) = burnward(dir.path(), &["export", "shop.yaml", "--format", "prometheus-rules", "--slo", "shop/availability"]);
    fs::write(dir.path().join("rules.yaml"), rules).expect("a file");
    fs::write(dir.path().join("test.yaml"), TEST).expect("a file");
    promtool(dir.path(), &["test", "rules", "test.yaml"]);
}

#[test]
fn one_slo_or_one_service_may_be_chosen() {
    let dir = exported();
    let (code, text, _) = burnward(dir.path(), &["export", "shop.yaml", "--format", "openslo", "--slo", "shop/good"]);
    assert_eq!((code, text.matches("kind: SLO").count()), (Some(0), 1));
    let (code, _, said) = burnward(dir.path(), &["export", "shop.yaml", "--format", "grafana", "--slo", "shop/none"]);
    assert_eq!((code, said.trim_end()), (Some(2), "burnward: there is no SLO shop/none"));
}

#[test]
fn files_of_other_tools_are_imported_into_a_directory_once() {
    let dir = exported();
    let sloth = "version: prometheus/v1\nservice: basket\nslos: [{ name: a, objective: 99, sli: { events: { error_query: 'sum(rate(e[{{.window}}]))', total_query: 'sum(rate(t[{{.window}}]))' } } }]\n";
    fs::write(dir.path().join("sloth.yml"), sloth).expect("a file");
    let import = ["import", "sloth.yml", "--team", "shop", "--to", "out"];
    let (code, written, said) = burnward(dir.path(), &import);
    assert_eq!((code, written.as_str()), (Some(0), "out/basket.yaml\n"), "{said}");
    let note = "note: a team is to be declared in burnward.yaml: shop. Add, for example, `teams: { shop: { channel: '#shop' } }`\n";
    assert!(said.ends_with(&format!("{note}Converted 1 SLO into 1 document: 0 errors, 0 warnings.\n")), "{said}");
    let (code, _, said) = burnward(dir.path(), &["check", "out", "sloth.yml"]);
    assert_eq!(code, Some(1), "one SLO in two files: {said}");
    assert_eq!(burnward(dir.path(), &["check", "out"]).0, Some(0));
    assert_eq!(burnward(dir.path(), &["fmt", "--check", "out", "sloth.yml"]).0, Some(0));
    let (code, _, said) = burnward(dir.path(), &import);
    assert_eq!((code, said.contains("nothing is written: there already: out/basket.yaml")), (Some(2), true), "{said}");
    assert_eq!(burnward(dir.path(), &["import", "shop.yaml"]).0, Some(1));
    assert_eq!(burnward(dir.path(), &["import", "nothing.yaml"]).0, Some(2));
}

#[test]
fn without_a_path_the_directories_of_the_configuration_are_exported_of_one_tenant() {
    let dir = exported();
    let path = |below: &str| dir.path().join(below);
    for (place, service) in [("acme/slos", "acme-shop"), ("globex/slos", "globex-shop"), ("slo-definitions", "plain")] {
        fs::create_dir_all(path(place)).expect("a directory");
        fs::write(path(place).join("a.yaml"), SLOS.replace("service: shop", &format!("service: {service}"))).expect("a file");
    }
    let rules = |args: &[&str]| burnward(dir.path(), &[&["export", "--format", "prometheus-rules"], args].concat());
    let (code, text, said) = rules(&[]);
    assert_eq!((code, text.contains("plain")), (Some(0), true), "no configuration: {said}");
    let tenant = |name: &str| format!("  {name}: {{ slo-definitions: [{name}/slos], source: prom }}\n");
    let rest = "version: burnward/v1\noperators: { channel: \"#ops\", escalation: [{ page: [\"#ops\"] }] }\nsources: { prom: { prometheus: { url: \"http://127.0.0.1:9\" } } }\n";
    let one = format!("{rest}tenants:\n{}", tenant("acme"));
    fs::write(path("burnward.yaml"), &one).expect("a file");
    let (code, text, said) = rules(&[]);
    assert_eq!((code, text.contains("acme-shop"), text.contains("plain")), (Some(0), true, false), "{said}");
    fs::write(path("burnward.yaml"), one + &tenant("globex")).expect("a file");
    let (code, _, said) = rules(&[]);
    assert_eq!((code, said.trim_end()), (Some(2), "burnward: the configuration has several tenants: name one as --tenant=NAME"));
    let (code, text, _) = rules(&["--tenant", "globex"]);
    assert_eq!((code, text.contains("globex-shop"), text.contains("acme-shop")), (Some(0), true, false));
}
