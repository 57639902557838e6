//! Tests of SLOs as they stand in documents: what is wrong with them, said at its place.

use std::sync::Arc;

use super::{GOOD, context, read, rendered};
use crate::definition::{
    Source,
    case::{SloRef, Slos},
    document,
};

fn with_tests(tests: &str) -> String {
    let per = GOOD
        .replace("    objectives:", "    per: [tenant]\n    objectives:")
        .replace("        window: 30d\n", "        window: 30d\n        alerting: page\n");
    format!("{per}tests:\n{tests}")
}

const MALFORMED: &str = "  - name: times and rates
    lasts: 2h
    begins: yesterday
    scraped: 1500ms
    traffic:
      - { constant: 20, labels: { le: a } }
      - { constant: 20/s, trickle: 1/h }
      - { trickle: 2/s, failing: [{ share: 20 }, { share: 120%, from: 3h }] }
      - { diurnal: { low: 1/s, high: 2/s, high-at: 25:00 }, bad-series: never }
      - { burst: { usual: 1/s, peak: 2/s, from: 1h, to: 30m }, failing: [{ share: 1% }, { share: 2%, from: 1h }] }
    happens:
      - { deploi: { at: 1h } }
      - { deploy: { takes: 30s } }
    expect:
      - { page: soon }
      - { page: none, ticket: none }
      - { blind: { from: 1h, group: { tenant: acme } } }
      - { clear: { of: budget } }
      - { budget: { at: 1h } }
  - name: times and rates
    lasts: 33d
    traffic: []
    expect: [{ page: none }]
";

#[test]
fn every_mistake_of_a_test_is_shown_at_its_place() {
    let faults = read(&with_tests(MALFORMED)).expect_err("mistakes");
    insta::assert_snapshot!("tests_malformed", rendered(&faults));
}

const NEVER: &str = "  - name: what cannot be
    lasts: 2h
    traffic:
      - { constant: 20/s }
      - { labels: { tenant: acme } }
      - { labels: { tenant: acme, code: '200', job: other }, constant: 20/s }
      - { slo: search/latency, constant: 20/s }
    expect:
      - { ticket: { from: 1h } }
      - { page: { from: 1h, burn-rate: 3 } }
      - { page: { from: 1h, group: { region: eu } } }
      - { budget: { above: 1%, objective: 7d } }
  - name: of another SLO
    slo: latency
    lasts: 2h
    traffic: [{ constant: 20/s }]
    expect: [{ page: none }]
";

#[test]
fn what_can_never_be_is_said_before_a_test_is_run() {
    let text = with_tests(NEVER);
    let document = document::read_whole(&Source::new("slo.yaml", &text), "v", &context()).expect("it is well-formed");
    let slos: Slos = document.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
    let faults: Vec<_> = document.tests.iter().filter_map(|case| case.ready(&slos).err()).flatten().collect();
    insta::assert_snapshot!("tests_never", rendered(&faults));
}
