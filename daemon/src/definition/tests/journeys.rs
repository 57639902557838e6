//! Composites: every mistake as a person sees it, within a file and between the files of a tenant.

use std::{collections::BTreeSet, fs};

use burnward_core::{
    sli::composite::{Members, WhenUnseen},
    time::minutes,
};

use super::{context, diagnostics, kinds, rendered};
use crate::definition::{Loaded, load_stored, read_paths};

const MEMBERS: &str = r"version: burnward/v1
service: checkout
team: payments
slos:
  - name: availability
    sli: { events: { bad: 'errors_total', total: 'requests_total' } }
    objectives: [{ target: 99.9%, window: 30d, alerting: none }]
  - name: split
    sli: { events: { bad: 'errors_total', total: 'requests_total' } }
    per: [tenant]
    objectives: [{ target: 99.9%, window: 30d, alerting: none }]
  - name: queue
    sli: { window: { expr: 'max(queue_seconds)', is: '<=', threshold: 60, slice: 5m } }
    objectives: [{ target: 99.9%, window: 30d, alerting: none }]
";

/// A document of one composite, `journey/buy`, that is made of this.
fn journey(composite: &str) -> String {
    format!(
        "version: burnward/v1\nservice: journey\nteam: payments\nslos:\n  - name: buy\n    sli:\n      composite: {composite}\n    \
         objectives: [{{ target: 99.5%, window: 30d, alerting: none }}]\n"
    )
}

/// What a directory with these files holds.
fn loaded(files: &[(&str, &str)]) -> Loaded {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    read_paths(&[directory.path().to_owned()], &context())
}

/// The mistakes without the directory's name.
fn shown(loaded: &Loaded) -> String {
    let text = rendered(&loaded.diagnostics().cloned().collect::<Vec<_>>());
    text.lines().map(without_directory).collect::<Vec<_>>().join("\n")
}

fn without_directory(line: &str) -> String {
    match (line.find("/tmp"), line.rfind('/')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &line[..from], &line[to + 1..]),
        (Some(_) | None, Some(_) | None) => line.to_owned(),
    }
}

const WITHIN: &[&str] = &[
    "{ composite: {} }",
    "{ composite: { all-of: [{ slo: a/b, good-if-at-least: 99% }] } }",
    "{ composite: { all-of: [{ slo: a/b, good-if-at-least: 99% }, { slo: a/b, good-if-at-least: 95% }] } }",
    "{ composite: { all-of: [{ slo: a/b }, { slo: other:a/c, good-if-at-least: 95% }, { slo: c, good-if-at-least: 95 }] } }",
    "{ composite: { all-of: [{ slo: a/b, good-if-at-least: 99%, weight: 50% }, { slo: a/c, good-if-at-least: 99%, no-data: ignore }] } }",
    "{ composite: { weighted: [{ slo: a/b, good-if-at-least: 99%, weight: 50% }, { slo: a/c, good-if-at-least: 99%, weight: 49.9% }] } }",
    "{ composite: { weighted: [{ slo: a/b, good-if-at-least: 99%, weight: 0% }, { slo: a/c, good-if-at-least: 99%, weight: 33.33% }] } }",
    "{ composite: { all-of: [{ slo: a/b, good-if-at-least: 99% }, { slo: a/c, good-if-at-least: 99% }], weighted: [], slice: 90s } }",
    "{ composite: { all-of: [{ slo: a/b, good-if-at-least: 99% }, { slo: a/c, good-if-at-least: 99% }], slice: 10m } }",
];

const BETWEEN: &[&str] = &[
    "{ all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/availabilty, good-if-at-least: 99% }] }",
    "{ all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/split, good-if-at-least: 99% }] }",
    "{ all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/queue, good-if-at-least: 99% }] }",
    "{ all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: journey/buy, good-if-at-least: 99% }] }",
];

#[test]
fn every_mistake_of_a_composite_as_it_is_shown() {
    let within = WITHIN.iter().map(|sli| {
        let faults: Vec<_> = diagnostics(&kinds::document(sli)).into_iter().filter(|fault| fault.code.id != "W2010").collect();
        assert!(!faults.is_empty(), "{sli}");
        rendered(&faults)
    });
    let between = BETWEEN.iter().map(|composite| {
        let loaded = loaded(&[("members.yaml", MEMBERS), ("journey.yaml", &journey(composite))]);
        assert_eq!(loaded.slos.len(), 3, "{composite}");
        shown(&loaded)
    });
    let all = within.chain(between).collect::<Vec<_>>().join("\n\n\n");
    let codes: BTreeSet<&str> = ["E1090", "E1091", "E1092", "E1093", "E1094", "E1095", "E1096"].into();
    assert!(codes.iter().all(|code| all.contains(code)), "{all}");
    insta::assert_snapshot!("journeys", all);
}

#[test]
fn composites_of_composites_are_refused_and_a_cycle_is_told() {
    let both = |first: &str, second: &str| {
        let other = journey(&format!(
            "{{ all-of: [{{ slo: {second}, good-if-at-least: 99% }}, {{ slo: checkout/availability, good-if-at-least: 99% }}] }}"
        ));
        let own = journey(&format!(
            "{{ all-of: [{{ slo: {first}, good-if-at-least: 99% }}, {{ slo: checkout/availability, good-if-at-least: 99% }}] }}"
        ));
        shown(&loaded(&[("members.yaml", MEMBERS), ("buy.yaml", &own), ("sell.yaml", &other.replace("name: buy", "name: sell"))]))
    };
    assert!(both("journey/sell", "checkout/gone").contains("journey/sell is a composite itself"));
    assert!(both("journey/sell", "journey/buy").contains("the composite is made of itself: journey/buy -> journey/sell -> journey/buy"));
}

#[test]
fn a_member_in_a_file_that_does_not_load_is_not_called_missing() {
    let composite = journey(BETWEEN[0]);
    let loaded = loaded(&[("members.yaml", MEMBERS), ("journey.yaml", &composite), ("broken.yaml", "version: [")]);
    assert_eq!(loaded.slos.len(), 4);
    assert_eq!(loaded.faulty.len(), 1);
}

#[test]
fn a_composite_that_loaded_before_is_not_checked_against_what_is_gone() {
    let good = journey(
        "{ all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/queue, good-if-at-least: 99% }], slice: 10m }",
    );
    let loaded = loaded(&[("members.yaml", MEMBERS), ("journey.yaml", &good)]);
    assert_eq!((loaded.slos.len(), loaded.count().0), (4, 0), "{}", shown(&loaded));
    let stored = super::directories::stored(&loaded, 0);
    let alone: Vec<_> = stored.into_iter().filter(|definition| definition.path.ends_with("journey.yaml")).collect();
    let again = load_stored(&super::directories::tenant(), &super::directories::place(std::path::Path::new("x")), &alone);
    assert_eq!(again.slos.len(), 1);
}

#[test]
fn a_composite_names_its_members_with_their_rules() {
    let sli = kinds::sli(
        "{ composite: { weighted: [{ slo: a/b, weight: 66.7%, good-if-at-least: 99% }, { slo: a/c, weight: 33.3%, good-if-at-least: 95%, no-data: exclude }], slice: 5m } }",
    );
    let composite = sli.composite().expect("a composite");
    let Members::Weighted(members) = &composite.members else { panic!("another join") };
    let words: Vec<String> = members
        .iter()
        .map(|(member, weight)| format!("{}/{} {} {}", member.slo.service, member.slo.name, weight.words(), member.good_from.as_percent()))
        .collect();
    assert_eq!(words, ["a/b 66.7% 99", "a/c 33.3% 95"]);
    assert_eq!(members.iter().map(|(member, _)| member.unseen).collect::<Vec<_>>(), [WhenUnseen::Unknown, WhenUnseen::Exclude]);
    assert_eq!((composite.slice, composite.cost(1)), (minutes(5), 333_000));
}

#[test]
fn a_file_that_is_read_alone_may_name_members_of_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("journey.yaml");
    let all_of = "{ all-of: [{ slo: checkout/availability, good-if-at-least: 99% }, { slo: checkout/queue, good-if-at-least: 99% }] }";
    fs::write(&file, journey(all_of)).expect("a file");
    let alone = read_paths(&[file], &context());
    assert_eq!((alone.slos.len(), shown(&alone)), (1, String::new()));
    assert_eq!(alone.members_elsewhere().into_iter().collect::<Vec<_>>(), ["checkout/availability", "checkout/queue"]);
    let whole = read_paths(&[directory.path().to_owned()], &context());
    assert!(whole.slos.is_empty() && shown(&whole).contains("E1091"), "{}", shown(&whole));
}
