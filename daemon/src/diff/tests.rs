use std::path::PathBuf;

use burnward_core::{
    id::{PersonName, SourceName, TenantId},
    oncall::{Recipient, Step},
    time::minutes,
};

use super::*;
use crate::definition::{self, Context};

const OLD: &str = "version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli:
      events: { bad: 'e{code=\"500\"}', total: 'e' }
    objectives: [{ target: 99.5%, window: 30d, alerting: ticket }]
  - name: exports
    sli:
      events: { bad: 'x{code=\"500\"}', total: 'x' }
    objectives: [{ target: 99%, window: 7d }]
";

fn slos(text: &str) -> Vec<Arc<Slo>> {
    let context = Context::unchecked(TenantId::parse("main").unwrap(), SourceName::parse("prom").unwrap());
    let loaded = definition::read_texts([(PathBuf::from("checkout.yaml"), text.to_owned())], &context);
    assert_eq!(loaded.count().0, 0, "{:?}", loaded.faults);
    loaded.slos
}

fn teams() -> BTreeMap<TeamName, Team> {
    let team = |name: &str, person: &str| {
        let page = vec![Recipient::Person(PersonName::parse(person).unwrap())];
        let name = TeamName::parse(name).unwrap();
        (name.clone(), Team { name, channel: "#c".to_owned(), escalation: vec![Step { page, acknowledge_within: minutes(5) }] })
    };
    BTreeMap::from([team("payments", "ada"), team("search", "sam")])
}

#[test]
fn a_set_does_not_differ_from_itself_whatever_its_layout() {
    let laid_out = OLD.replace("[{ target: 99%, window: 7d }]", "\n      - window: 7d\n        # of a week\n        target: 99.0%\n");
    let difference = compare(&slos(OLD), &slos(&laid_out), &teams());
    assert_eq!(difference.changes, []);
    assert_eq!(words::text(&difference, false), "No SLO differs.\n");
}

#[test]
fn what_is_new_gone_renamed_and_changed_is_told_with_who_is_paged() {
    let new = OLD
        .replace("99.5%, window: 30d, alerting: ticket", "99.9%, window: 30d")
        .replace("  - name: exports\n", "  - name: exports-v2\n    was: exports\n")
        + "  - name: search\n    sli:\n      probe: 'up{job=\"search\"}'\n    objectives: [{ target: 99%, window: 7d, alerting: none }]\n";
    let mut older = slos(OLD);
    older.extend(slos(&OLD.replace("service: checkout", "service: old").replace("team: payments", "team: search")));
    let difference = compare(&older, &slos(&new), &teams());
    insta::assert_snapshot!("text", words::text(&difference, false));
    insta::assert_snapshot!("markdown", words::markdown(&difference, true));
    insta::assert_json_snapshot!("json", words::json(&difference));
}

#[test]
fn who_is_paged_that_was_not_before_is_named() {
    let new = OLD.replace("team: payments", "team: search");
    let difference = compare(&slos(OLD), &slos(&new), &teams());
    assert_eq!(difference.newly_paged, ["sam"]);
    let unknown = compare(&slos(OLD), &slos(&OLD.replace("team: payments", "team: nobody-knows")), &teams());
    assert_eq!(unknown.newly_paged, ["team nobody-knows"]);
}

#[test]
fn an_slo_that_leaves_the_shadow_pages_whoever_it_did_not_page_before() {
    let tried = OLD.replace("window: 7d }]", "window: 7d }]\n    status: shadow");
    let difference = compare(&slos(&tried), &slos(OLD), &teams());
    assert_eq!(difference.newly_paged, ["ada"]);
    assert_eq!(
        words::text(&difference, false),
        "~ checkout/exports   checkout.yaml:9
    status    shadow -> active
    pages     nobody -> ada
    tickets   nobody -> #c
Paged that were not before: ada.
1 SLO: 1 changed, 0 added, 0 removed.
"
    );
    assert_eq!(compare(&slos(OLD), &slos(&tried), &teams()).newly_paged, Vec::<String>::new());
}

#[test]
fn thresholds_of_latency_are_told_as_documents_write_them() {
    let latency =
        OLD.replace("events: { bad: 'x{code=\"500\"}', total: 'x' }", "latency: { histogram: 'h', within: 500ms, tolerated: 2s }");
    let difference = compare(&slos(&latency), &slos(&latency.replace("500ms", "250ms").replace("2s", "1m30s")), &teams());
    let told = words::text(&difference, false);
    assert!(told.contains("    sli.latency.within      500ms -> 250ms\n    sli.latency.tolerated   2s -> 1m30s\n"), "{told}");
}

/// Every word of a document that the facts are silent about is one that decides nothing, or a difference would go unseen.
#[test]
fn every_change_of_what_decides_is_seen() {
    let base = OLD
        .replace("    objectives: [{ target: 99%, window: 7d }]\n", "    objectives: [{ target: 99%, window: 7d }]\n    runbook: a.md\n");
    for (from, to) in [
        ("team: payments", "team: search"),
        ("code=\"500\"}', total: 'x'", "code=~\"5..\"}', total: 'x'"),
        ("events: { bad: 'x", "events: { good: 'x"),
        ("99%, window: 7d", "99%, window: 28d"),
        ("99%, window: 7d }", "99%, window: 7d, alerting: none }"),
        ("99%, window: 7d }", "99%, window: 7d, counted-in: { slices: 1m, good-if-at-least: 99% } }"),
        ("99%, window: 7d }", "99%, window: calendar month, timezone: Europe/Berlin }"),
        ("runbook: a.md", "runbook: b.md"),
        ("runbook: a.md", "runbook: a.md\n    title: Exports arrive"),
        ("runbook: a.md", "runbook: a.md\n    per: [tenant]"),
        ("runbook: a.md", "runbook: a.md\n    no-data: { after: 7m, then: page }"),
        ("runbook: a.md", "runbook: a.md\n    no-traffic: { after: 1h, then: tell-owner }"),
        ("runbook: a.md", "runbook: a.md\n    new-series: baseline"),
        ("runbook: a.md", "runbook: a.md\n    low-traffic: off"),
        ("runbook: a.md", "runbook: a.md\n    excluded-time: counts-as-good"),
        ("runbook: a.md", "runbook: a.md\n    status: shadow"),
        ("runbook: a.md", "runbook: a.md\n    status: { suspended: { reason: a, until: 2026-12-01 } }"),
    ] {
        let changed = base.replace(from, to);
        assert_ne!(changed, base, "{from}");
        let (before, after) = (slos(&base), slos(&changed));
        assert!(!compare(&before, &after, &teams()).changes.is_empty(), "{to}");
    }
}
