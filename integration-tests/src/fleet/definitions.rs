//! The files around a fleet: SLO definitions, the daemon's and Prometheus's configuration.

use std::{fs, path::Path};

use super::Fleet;

/// One SLO document for each service.
pub fn write_slos(root: &Path, fleet: &Fleet) -> anyhow::Result<()> {
    let folder = root.join("slo-definitions");
    fs::create_dir_all(&folder)?;
    let per = if fleet.customers == 0 { "" } else { "    per: [customer]\n" };
    for service in (0..fleet.services).map(Fleet::service) {
        let text = format!(
            r#"version: burnward/v1
service: {service}
team: fleet
slos:
  - name: availability
    title: It answers
    sli:
      events:
        bad: 'http_requests_total{{service="{service}",code=~"5.."}}'
        total: 'http_requests_total{{service="{service}"}}'
{per}    objectives:
      - target: 99.9%
        window: 30d
"#
        );
        fs::write(folder.join(format!("{service}.yaml")), text)?;
    }
    Ok(())
}

/// burnward.yaml, without Slack: nothing burns here.
pub fn write_config(root: &Path, prometheus: &str) -> anyhow::Result<()> {
    let root_path = root.display();
    let text = format!(
        r##"version: burnward/v1
listen: 127.0.0.1:0
tick: 10s
storage: {{ path: "{root_path}/store" }}
sources:
  prom: {{ prometheus: {{ url: "{prometheus}" }} }}
tenants:
  main: {{ slo-definitions: ["{root_path}/slo-definitions"], source: prom }}
teams:
  fleet: {{ channel: "#fleet" }}
"##
    );
    Ok(fs::write(root.join("burnward.yaml"), text)?)
}

/// Scrapes the fleet every 15 s; with rules, evaluates them every 30 s.
pub fn prometheus_config(target: &str, fleet: &Fleet, rules: Option<&Path>) -> String {
    let rules = rules.map(|file| format!("rule_files: [ \"{}\" ]\n", file.display())).unwrap_or_default();
    let scrape = fleet.scrape;
    format!(
        "global: {{ scrape_interval: {scrape}s, evaluation_interval: 30s }}\n{rules}scrape_configs:\n  - job_name: fleet\n    static_configs: [ {{ targets: [ \"{target}\" ] }} ]\n"
    )
}
