//! Every diagnostic, as a person sees it: one snapshot to proofread.

use std::{collections::BTreeSet, path::Path};

use super::{GOOD, diagnostics, rendered};
use crate::{
    config::{self, ConfigError},
    definition::codes,
};

/// What is replaced in the good document, by what.
const DOCUMENTS: &[(&str, &str)] = &[
    ("- name: availability", "- name: availability\n   title: x"),
    ("checkout", "check\u{202e}out"),
    ("30d\n", "30d\n        window: 28d\n"),
    ("30d\n", "30d\n---\nversion: burnward/v1\n"),
    ("window: 30d", "windw: 30d"),
    ("window: 30d", "span: 30d"),
    ("window: 30d", "window: [30d]"),
    ("service: checkout", "service:"),
    ("team: payments", "team: !!str payments"),
    ("window: 30d", "window: 30d\n        timezone: Europe/Berlin"),
    ("window: 30d", "window: 30d\n        counted-in: { slices: 7m, good-if-at-least: 99 }"),
    ("window: 30d", "window: 30d\n    status: shadw"),
    ("window: 30d", "window: 30d\n    status: suspended"),
    ("window: 30d", "window: 30d\n    status: { suspended: { until: next week } }"),
    ("window: 30d", "window: 30d\n    status: { suspended: { reason: the exporter is rebuilt } }"),
    ("window: 30d", "window: 30d\n    depends-on: [database/availability]"),
    ("window: 30d", "window: 30d\n    no-data: { then: count-bad }\n    no-traffic: warn"),
    ("burnward/v1", "v2"),
    ("'http_requests_total{job=\"checkout\"}'", "http_requests_total{job=\"check #out\"}"),
    ("'http_requests_total{job=\"checkout\"}'", "{__name__=\"http_requests_total\", job=\"checkout\"}"),
    ("'http_requests_total{job=\"checkout\"}'", "http_requests_total #{job=\"checkout\"}"),
    ("'http_requests_total{job=\"checkout\"}'", "http_requests_total{job=\"check: out\"}"),
    ("'http_requests_total{job=\"checkout\"}'", "'http_requests_total{job='checkout'}'"),
    ("'http_requests_total{job=\"checkout\"}'", "'http_requests_total{code=~\"5\\d\\d\"}'"),
    ("'http_requests_total{job=\"checkout\"}'", "&http_requests_total"),
    ("'http_requests_total{job=\"checkout\"}'", "*http_requests_total"),
    ("'http_requests_total{job=\"checkout\"}'", "!http_requests_total"),
    ("'http_requests_total{job=\"checkout\"}'", "|http_requests_total"),
    ("'http_requests_total{job=\"checkout\"}'", "%http_requests_total"),
    ("'http_requests_total{job=\"checkout\"}'", "@http_requests_total"),
    ("'http_requests_total{job=\"checkout\"}'", "`http_requests_total`"),
    ("'http_requests_total{job=\"checkout\"}'", "\"http_requests_total{job=\"checkout\"}\""),
    ("name: availability", "name: Availability of Checkout"),
    ("name: availability", "name: con"),
    ("team: payments", "team: payment"),
    ("'http_requests_total{job=\"checkout\"}'", "'a / b'"),
    ("'http_requests_total{job=\"checkout\"}'", "'sum(rate(http_requests_total{job=\"checkout\"}[5m]))'"),
    ("'http_requests_total{job=\"checkout\"}'", "'http_requests_total{job=\"checkout\"}[5m]'"),
    ("'http_requests_total{job=\"checkout\"}'", "'http_requests_total{job=\"a\" or job=\"b\"}'"),
    ("'http_requests_total{job=\"checkout\"}'", "'http_requests_total{job=\"\\xff\"}'"),
    ("'http_requests_total{job=\"checkout\"}'", "'{job=\"checkout\"}'"),
    ("'http_requests_total{job=\"checkout\"}'", "'http_requests_total{code=~\"(?!5)..\"}'"),
    ("'http_requests_total{job=\"checkout\"}'", "['a', 'a']"),
    ("bad:", "good: 'a'\n        bad:"),
    ("bad:", "badd:"),
    ("    objectives:", "    per: [le, tenant, tenant]\n    objectives:"),
    (", code=~\"5..\"", ""),
    (", code=~\"5..\"", ", code=~\".*\""),
    (
        "'http_requests_total{job=\"checkout\", code=~\"5..\"}'\n        total: 'http_requests_total{job=\"checkout\"}'",
        "'http_requests_total{job=\"checkout\"}'\n        total: 'http_requests_total{job=\"checkout\", code=~\"5..\"}'",
    ),
    (
        "'http_requests_total{job=\"checkout\", code=~\"5..\"}'\n        total: 'http_requests_total{job=\"checkout\"}'",
        "'http_requests_total{job=\"checkout\", code=~\"5..|4..\"}'\n        total: 'http_requests_total{job=\"checkout\", code=~\"[25]..\"}'",
    ),
    ("'http_requests_total{job=\"checkout\"}'", "'WITH (x = {job=\"checkout\"}) http_requests_total{x}'"),
    (", code=~\"5..\"", ", code=\"5..\""),
    (", code=~\"5..\"", ", code=~\"^5\", method=\"GET|POST\""),
    (", code=~\"5..\"", ", code=~\"5..\", code=~\"4..\""),
    ("job=\"checkout\"", "job=\"chekout\""),
    (
        "'http_requests_total{job=\"checkout\", code=~\"5..\"}'\n        total: 'http_requests_total{job=\"checkout\"}'",
        "http_failed_total\n        total: http_success_total",
    ),
    (", code=~\"5..\"", ", code=~\"2..\""),
    ("bad: 'http_requests_total{job=\"checkout\", code=~\"5..\"}'", "good: 'http_requests_total{job=\"checkout\", code!~\"2..\"}'"),
    (
        "total: 'http_requests_total{job=\"checkout\"}'",
        "total: ['http_requests_total{job=\"checkout\"}', 'http_requests_total{job=\"checkout\", code=~\"2..\"}']",
    ),
    (
        "bad: 'http_requests_total{job=\"checkout\", code=~\"5..\"}'",
        "bad: ['http_requests_total{job=\"checkout\", code=~\"5..\"}', 'http_requests_total{job=\"checkout\", code=\"503\"}']",
    ),
    ("    objectives:", "    per: [job]\n    objectives:"),
    ("    objectives:", "    per: [tenant, code]\n    objectives:"),
    ("99.9%", "99.9"),
    ("99.9%", "0.999"),
    ("99.9%", "99,9%"),
    ("99.9%", "100%"),
    ("99.9%", "0%"),
    ("99.9%", "99.99999999%"),
    ("99.9%", "50%"),
    ("99.9%", "10%\n        alerting: page"),
    ("30d", "5m"),
    ("30d", "1M"),
    ("30d", "5"),
    ("30d", "calendar month"),
    ("30d", "calendar year\n        timezone: Europe/Berln"),
    ("30d", "calendar month\n        timezone: US/Pacific"),
    ("30d", "99999d"),
    ("30d", "30d\n        alerting: { rows: [{ urgency: page, burn-rate: 1e3, long: 1h, short: 5x }] }"),
    ("30d", "30d\n        alerting: { rows: [{ urgency: page, burn-rate: 14.4, long: 5m, short: 1h }] }"),
    ("30d", "30d\n        alerting: { rows: [{ urgency: page, burn-rate: 1000, long: 1h, short: 5m }] }"),
    ("30d", "30d\n        alerting: { rows: [{ urgency: page, burn-rate: 0.5, long: 1h, short: 5m }] }"),
    ("30d", "30d\n        alerting: pages"),
    ("30d", "30d\n        alerting: [{ urgency: page }]"),
    ("    objectives:", "    title: Customers: can pay\n    objectives:"),
    ("    objectives:", "   objectives:"),
    ("version", "%YAML 1.2\n---\nversion"),
    ("window: 30d", "window: [30d"),
    ("30d", "30d\n      - { target: 99%, window: 30d }"),
    ("30d", "30d\n    no-data: { after: 1s }"),
    ("30d", "30d\n    runbook: gone.md"),
    ("30d", "30d\n    runbook: ../gone.md"),
    ("30d\n", "30d\n  - name: availability\n"),
];

const LATENCY: &str = "version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n  - name: latency\n    sli:\n      latency:\n        histogram: 'http_seconds_bucket{le=\"0.3\"}'\n        within: 300\n    objectives: [{ target: 99%, window: 30d }]\n";

const CONFIGURATIONS: &[&str] = &[
    "version: burnward/v1\ntenant-classes:\n  standard: { templates: [{ from: http }, { from: http, service: b, team: x, wiht: {} }, { from: http }] }\ntenants:\n  acme: { class: standart }\n  globex: { class: standard, pinned: { htp: 1, http: newest } }\n  other: { slo-definitions: x, with: { job: a } }\n",
    "version: burnward/v1\nslack:\n  bot-token: xoxb-1-hush\n  bot-token-file: /run/x\n",
    "version: burnward/v1\nslack:\n  bot-token-file: xoxb-1-hush\npeople:\n  ada: { slack: xoxb-1-hush }\n",
    "version: burnward/v1\nsources: []\n",
    "version: burnward/v1\nsources: {}\n",
    "version: burnward/v1\nlisten: 0.0.0.0:9095\n",
    "version: burnward/v1\nlisten: localhost\nemail: {}\n",
    "version: burnward/v1\npeople: { ada: { email: ada@example.com } }\nteams:\n  shop: { channel: \"#shop\", escalation: [{ page: [adda] }] }\n",
    "version: burnward/v1\nteams:\n  shop: { channel: shop, escalation: [] }\n  web:\n    channel: #web\n",
    "version: burnward/v1\npeople: { ada: { slack: ada } }\n",
    "version: burnward/v1\nteams: { shop: { channel: \"#shop\" } }\nreports:\n  - { error-budget: month, team: shp, tenant: mian, cron: \"0 9 * * MOON\", timezone: Europe/Berln, to: shop }\n  - { error-budget: week, cron: \"*/5 9 * * *\", to: \"#shop\" }\n  - { error-budget: week, cron: \"0 9 * * MON\", to: \"#shop\" }\n  - { error-budget: week, cron: \"0  9 * * MON\", timezone: UTC, to: \"#shop\" }\n",
    "version: burnward/v1\nsources:\n  edge: { scrape: { targets: [\"http://h/a\", \"http://h:80/b\"] } }\n",
    "version: burnward/v1\nsources:\n  prom: { prometheus: { url: \"https://ada:pw@prom.example\", max-series: many } }\ntenants: { main: { slo-definitions: [x], source: prm, groups-are-tenants: { tenant: tenant } } }\ntick: 1h\n",
    "version: burnward/v1\nsources:\n  a: { prometheus: { url: \"http://a:9090\", replicas: [\"http://b:9090\"] } }\n  b: { prometheus: { replicas: [\"http://b:9090\"] } }\n  c: { prometheus: { replicas: [\"http://c:9090\", \"http://c:9090/\"] } }\n",
    "version: burnward/v1\nsources:\n  a: { prometheus: { url: \"http://a:9090\", enforced-label: { tenant: acme, team: b } } }\n  b: { prometheus: { url: \"http://a:9090\", enforced-label: { 0x: acme } } }\n  c: { prometheus: { url: \"http://a:9090\", enforced-label: { tenant: \"\" } } }\n  d: { prometheus: { url: \"http://a:9090\", replica-label: { tenant: [a, b] }, enforced-label: { tenant: a } } }\n",
];

/// Codes that belong to files as wholes, to expressions, or to what is beside the documents; `directories`, `attacks`, `expressions`, `kinds`, `names`,
/// `layout`, `journeys`, `owners`, `statuses` and `cases` test them, `links` and `cli/check` those of runbooks and Slack. Those that a source shows (E14xx, W2025, W2088 to W209x) are tested against sources.
const ELSEWHERE: [&str; 36] = [
    "E1016", "E1214", "E1215", "W2017", "W2018", "W2021", "E1002", "E1010", "E1013", "E1014", "E1022", "E1024", "E1025", "E1034", "E1062",
    "E1063", "E1064", "E1090", "E1091", "E1092", "E1093", "E1094", "E1095", "E1096", "E1100", "E1101", "E1102", "E1103", "E1104", "E1105",
    "E1110", "E1130", "E1301", "W2013", "W2019", "W2020",
];

#[test]
fn every_diagnostic_as_it_is_shown() {
    let mut shown = Vec::new();
    let mut seen = BTreeSet::from(ELSEWHERE);
    let replaced: Vec<String> = DOCUMENTS.iter().map(|(good, bad)| replace_last(GOOD, good, bad)).chain([LATENCY.to_owned()]).collect();
    for text in &replaced {
        let faults: Vec<_> = diagnostics(text).into_iter().filter(|fault| fault.code.id != "W2010" || text == LATENCY).collect();
        assert!(!faults.is_empty(), "{text}");
        seen.extend(faults.iter().map(|fault| fault.code.id));
        shown.push(rendered(&faults));
    }
    for text in CONFIGURATIONS {
        let ConfigError(faults) = config::parse(Path::new("burnward.yaml"), text).expect_err(text);
        seen.extend(faults.iter().map(|fault| fault.code.id));
        shown.push(rendered(&faults));
    }
    seen.extend(diagnostics(GOOD).iter().map(|fault| fault.code.id));
    let all = shown.join("\n\n\n");
    assert!(!all.contains("hush") && !all.contains(":pw@"), "a secret is shown");
    insta::assert_snapshot!("all", all);
    let unseen: Vec<&str> = codes::ALL
        .iter()
        .map(|code| code.id)
        .filter(|id| !seen.contains(id) && !super::expressions::shows(id) && !of_a_source(id) && !of_another_tool(id) && !of_a_template(id))
        .collect();
    assert!(unseen.is_empty(), "codes without an example here: {unseen:?}");
}

pub(super) fn of_a_source(id: &str) -> bool {
    id.starts_with("E14") || id.starts_with("W209") || ["W2025", "W2088", "W2089"].contains(&id)
}

/// Shown where documents of other tools are converted.
fn of_another_tool(id: &str) -> bool {
    id.starts_with("E15") || id.starts_with("W21")
}

/// Shown where documents are made of templates.
fn of_a_template(id: &str) -> bool {
    id.starts_with("E112")
}

fn replace_last(text: &str, from: &str, to: &str) -> String {
    let at = text.rfind(from).expect(from);
    format!("{}{to}{}", &text[..at], &text[at + from.len()..])
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once_in_the_order_of_the_file() {
    let text = GOOD.replace("payments", "Payments").replace("99.9%", "99.9").replace("30d", "1M").replace("name: ", "nam: ");
    assert_eq!(super::codes(&text), ["E1020", "E1006", "E1040", "E1045"]);
}

#[test]
fn a_mistake_of_an_objective_hides_none_of_its_rows() {
    let rows = "30d\n        counted-in: { slices: 7m, good-if-at-least: 0% }\n        alerting: { rows: [{ urgency: pages, burn-rate: 2000, long: 5m, short: 1h }, { urgency: page, burn-rate: 0.5, long: 60d }] }";
    let wrong = GOOD.replace("99.9%", "150%").replace("30d", rows);
    assert_eq!(super::codes(&wrong), ["E1043", "E1048", "E1048", "E1054", "E1051", "E1008", "E1053", "E1051"]);
    let right = GOOD.replace("30d", rows);
    let both = super::codes(&right);
    assert!(both.contains(&"E1051") && both.contains(&"E1052"), "{both:?}");
    let twice = GOOD.replace("30d\n", "30d\n      - { target: 0%, window: 30d }\n");
    assert_eq!(super::codes(&twice), ["E1021", "E1043"]);
}

#[test]
fn a_slice_is_no_longer_than_the_shortest_lookback() {
    let counted = |slices: &str, alerting: &str| {
        GOOD.replace(
            "30d",
            &format!("30d\n        counted-in: {{ slices: {slices}, good-if-at-least: 99% }}\n        alerting: {alerting}"),
        )
    };
    let rows = "{ rows: [{ urgency: page, burn-rate: 10, long: 6h, short: 15m }] }";
    for (slices, alerting, expected) in [
        ("5m", "page", vec![]),
        ("15m", "page", vec!["E1087"]),
        ("15m", rows, vec![]),
        ("20m", rows, vec!["E1087"]),
        ("1h", "none", vec![]),
    ] {
        assert_eq!(super::codes(&counted(slices, alerting)), expected, "{slices} {alerting}");
    }
    let faults = super::diagnostics(&counted("15m", "page"));
    let fault = faults.iter().find(|fault| fault.code.id == "E1087").expect("it is told");
    assert_eq!(fault.message, "a slice of 15m is longer than the shortest lookback of the alert rows, 5m");
}

#[test]
fn what_has_a_mistake_is_known_to_what_names_it() {
    let text = "version: burnward/v1
people: { ada: { email: ada } }
teams:
  shop: { channel: shop, escalation: [{ page: [ada] }, { page: [] }] }
  web: { chanel: '#web' }
tenants:
  acme: { slo-definitions: x, source: prm }
reports:
  - { error-budget: week, team: shop, tenant: acme, cron: '0 9 * * MON', to: '#shop' }
  - { error-budget: week, team: web, tenant: acmee, cron: '0 9 * * MON', to: '#web' }
";
    let ConfigError(faults) = config::parse(Path::new("burnward.yaml"), text).expect_err("mistakes");
    insta::assert_snapshot!("named_mistakes", rendered(&faults));
}
