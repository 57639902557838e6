//! Tests of SLOs as they stand in documents: what is wrong with them, said at its place.

use std::sync::Arc;

use super::{GOOD, context, read, rendered};
use crate::definition::{
    Source,
    case::{Form, SloRef, Slos},
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
    let text = with_tests(MALFORMED);
    let document = document::read_whole(&Source::new("slo.yaml", &text), "v", &context()).expect("a mistake in a test is none of the SLO");
    insta::assert_snapshot!("tests_malformed", rendered(&[document.advice, document.of_tests].concat()));
    let broken = document.tests.iter().all(|case| case.form == Form::Broken);
    assert!(broken && document.tests.len() == 2, "they are known and not run");
}

#[test]
fn a_mistake_of_the_document_hides_none_of_its_tests() {
    let text = with_tests(MALFORMED).replace("service: checkout", "service: Checkout").replace("slos:", "slozs:");
    let codes: Vec<&str> = read(&text).expect_err("mistakes").iter().map(|fault| fault.code.id).collect();
    assert_eq!(codes[..4], ["E1020", "E1006", "E1101", "E1211"]);
}

/// A month of a hundred groups, scraped every so often.
fn large(groups: usize, scraped: &str, lasts: &str) -> Vec<(String, Vec<String>)> {
    let traffic = |group| format!("      - {{ labels: {{ tenant: a{group} }}, constant: 1000000/s }}\n");
    let traffic: String = (0..groups).map(traffic).collect();
    let tests =
        format!("  - name: large\n    lasts: {lasts}\n    scraped: {scraped}\n    traffic:\n{traffic}    expect: [{{ page: none }}]\n");
    let document = document::read_whole(&Source::new("slo.yaml", &with_tests(&tests)), "v", &context()).expect("it is well-formed");
    let slos: Slos = document.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
    let faults = document.tests[0].ready(&slos).err().unwrap_or_default();
    assert!(faults.iter().all(|fault| fault.code.id == "E1105"), "{faults:?}");
    faults.into_iter().map(|fault| (fault.message, fault.help)).collect()
}

#[test]
fn a_test_that_would_swell_without_end_is_refused_with_its_number_and_what_fits() {
    let less = "shorten `lasts`, or leave groups of `traffic` out";
    let samples = |message: &str, help: String| (message.to_owned(), vec![help]);
    let samples_of_a_second = samples(
        "the test would leave 558,489,802 samples: 2,764,801 scrapes of 202 series; at most 5,000,000 are written",
        format!("write `scraped: 2m`, or {less}"),
    );
    let seconds = samples(
        "the test would live through 276,480,000 seconds of traffic, 2,764,800 of each of 100 entries; at most 30,000,000 are lived through",
        "write `lasts: 3d11h20m` or less, or at most 10 entries of `traffic`".to_owned(),
    );
    assert_eq!(large(100, "1s", "32d"), [samples_of_a_second, seconds.clone()]);
    assert_eq!(large(100, "2m", "32d"), [seconds]);
    assert!(large(10, "15s", "32d").is_empty());
    let one = samples(
        "the test would leave 11,059,204 samples: 2,764,801 scrapes of 4 series; at most 5,000,000 are written",
        format!("write `scraped: 5s`, or {less}"),
    );
    assert_eq!(large(1, "1s", "32d"), [one]);
    assert!(large(100, "1s", "1h").is_empty());
}

const NEVER: &str = "  - name: what cannot be
    lasts: 2h
    traffic:
      - { constant: 20/s }
      - { labels: { tenant: acme } }
      - { labels: { tenannt: acme }, constant: 20/s }
      - { labels: { tenant: acme, code: '200', job: other }, constant: 20/s }
      - { slo: search/latency, constant: 20/s }
    expect:
      - { ticket: { from: 1h } }
      - { page: { from: 1h, burn-rate: 3 } }
      - { page: { from: 1h, group: { region: eu } } }
      - { page: { from: 1h, burn-rate: 3, group: { tennant: acme } } }
      - { page: { from: 1h, group: { tenant: acm } } }
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

#[test]
fn a_test_with_a_mistake_is_not_blamed_for_what_follows_from_it() {
    let text = with_tests(
        "  - name: no unit\n    lasts: 2h\n    traffic: [{ constant: 20, labels: { tenant: acme } }]\n    expect: [{ page: { from: 1h, group: { tenant: acme } } }]\n",
    );
    let document = document::read_whole(&Source::new("slo.yaml", &text), "v", &context()).expect("it is well-formed");
    let codes: Vec<&str> = document.of_tests.iter().map(|fault| fault.code.id).collect();
    assert_eq!(codes, ["E1102"]);
    let slos: Slos = document.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
    assert!(document.tests.iter().all(|case| case.form == Form::Broken && case.ready(&slos).is_ok()));
}
