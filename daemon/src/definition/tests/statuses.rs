//! `status`: what loads, and what is said of suspensions.

use std::fs;

use burnward_core::{
    status::{Status, Suspension},
    time::Timestamp,
};

use super::{GOOD, context, diagnostics};
use crate::definition::{Colour, Loaded, Source, document, read_paths};

/// 2026-12-01T00:00:00Z.
const DECEMBER: Timestamp = Timestamp::from_seconds(1_796_083_200);

fn with_status(status: &str) -> String {
    GOOD.replacen("    objectives:", &format!("    status: {status}\n    objectives:"), 1)
}

fn status_of(status: &str) -> Status {
    let (slos, _) = document::read(&Source::new("checkout.yaml", &with_status(status)), "0", &context()).expect("it loads");
    slos[0].status.clone()
}

#[test]
fn a_status_is_one_word_or_says_why_and_until_when() {
    let suspended = |until| Status::Suspended(Suspension { reason: "the exporter is rebuilt".to_owned(), until });
    let until = |text: &str| status_of(&format!("{{ suspended: {{ reason: the exporter is rebuilt, until: {text} }} }}"));
    assert_eq!([status_of("active"), status_of("shadow")], [Status::Active, Status::Shadow]);
    assert_eq!(until("2026-12-01"), suspended(DECEMBER));
    assert_eq!(until("2026-12-01T01:00:00+01:00"), suspended(DECEMBER));
    assert_eq!(until("2026-12-01T00:00:00Z"), suspended(DECEMBER));
}

#[test]
fn a_suspension_without_its_why_or_its_end_is_refused_where_it_stands() {
    for (status, code, place) in [
        ("suspended", "E1008", "suspended"),
        ("{ suspended: { until: 2026-12-01 } }", "E1008", "until"),
        ("{ suspended: { reason: a } }", "E1008", "reason"),
        ("{ suspended: { reason: \" \", until: 2026-12-01 } }", "E1007", "\" \""),
        ("{ suspended: { reason: a, until: 2026-13-01 } }", "E1111", "2026-13-01"),
        ("{ suspended: { reason: a, until: 2026-12-01T09:00 } }", "E1111", "2026-12-01T09:00"),
        ("{ suspended: { reason: a, until: 20261201 } }", "E1111", "20261201"),
        ("on", "E1007", "on"),
        ("[shadow]", "E1007", "["),
    ] {
        let text = with_status(status);
        let faults = diagnostics(&text);
        let shown: Vec<_> = faults.iter().filter(|fault| fault.code.id.starts_with('E')).collect();
        assert_eq!(shown.iter().map(|fault| fault.code.id).collect::<Vec<_>>(), [code], "{status}");
        let range = shown[0].place.range.clone().expect("a place");
        assert!(text[range.clone()].starts_with(place), "{status}: {}", &text[range]);
        assert!(!shown[0].help.is_empty() || shown[0].message.ends_with("is one line of 1 to 200 characters"), "{status}");
    }
}

const JOURNEY: &str = "version: burnward/v1
service: shop
team: payments
slos:
  - name: buying
    sli: { composite: { all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/other, good-if-at-least: 99% }] } }
    objectives: [{ target: 99%, window: 30d }]
";

fn notes(journey: &str, now: Timestamp) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let suspended = with_status("{ suspended: { reason: the exporter is rebuilt, until: 2026-12-01 } }");
    let other = "  - name: other\n    sli: { events: { bad: 'a', total: 'b' } }\n    objectives: [{ target: 99%, window: 30d }]\n";
    fs::write(directory.path().join("checkout.yaml"), suspended + other).expect("a file");
    fs::write(directory.path().join("shop.yaml"), journey).expect("a file");
    let loaded: Loaded = read_paths(&[directory.path().to_owned()], &context());
    assert_eq!(loaded.slos.len(), 3, "{:?}", loaded.faults);
    let shown: Vec<String> = loaded.notes_on_suspensions(now).iter().map(|note| note.render(Colour::Never)).collect();
    shown.join("\n\n").replace(&format!("{}/", directory.path().display()), "")
}

#[test]
fn what_the_author_of_a_suspension_may_have_forgotten_is_said() {
    let before = DECEMBER.minus(std::time::Duration::from_secs(1));
    insta::assert_snapshot!("suspensions", format!("{}\n\n\n{}", notes(JOURNEY, before), notes(JOURNEY, DECEMBER)));
    let silent = JOURNEY.replace("    sli:", "    status: shadow\n    sli:");
    assert_eq!(notes(&silent, before), "", "a composite in shadow pages nobody");
}
