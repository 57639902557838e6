//! Former names: every mistake as a person sees it, and what a rename removes.

use std::{collections::BTreeSet, fs};

use burnward_core::id::SloId;

use super::{codes, context, rendered};
use crate::definition::{Acceptance, Loaded, Removals, accept, read_paths};

/// A document with these SLOs, each with what it was called before, if anything.
fn document(slos: &[(&str, &str)]) -> String {
    let slo = |(name, was): &(&str, &str)| {
        let was = if was.is_empty() { String::new() } else { format!("    was: {was}\n") };
        format!(
            "  - name: {name}\n{was}    sli: {{ events: {{ bad: 'errors_total', total: 'requests_total' }} }}\n    \
             objectives: [{{ target: 99.9%, window: 30d, alerting: none }}]\n"
        )
    };
    let slos: String = slos.iter().map(slo).collect();
    format!("version: burnward/v1\nservice: checkout\nteam: payments\nslos:\n{slos}")
}

fn loaded(slos: &[(&str, &str)]) -> Loaded {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("a.yaml"), document(slos)).expect("a file");
    read_paths(&[directory.path().to_owned()], &context())
}

/// The mistakes without the directory's name.
fn shown(loaded: &Loaded) -> String {
    let text = rendered(&loaded.diagnostics().cloned().collect::<Vec<_>>());
    let line = |line: &str| match (line.find("/tmp"), line.rfind('/')) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &line[..from], &line[to + 1..]),
        (Some(_) | None, Some(_) | None) => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_wrong_former_name_as_it_is_shown() {
    let wrong: [&[(&str, &str)]; 5] = [
        &[("pay", "pay")],
        &[("pay", "availability"), ("availability", "")],
        &[("pay", "availability"), ("availability", "pay")],
        &[("pay", "availability"), ("orders", "availability")],
        &[("pay", "cart/availability")],
    ];
    let mut all: Vec<String> = wrong.iter().map(|slos| shown(&loaded(slos))).collect();
    let journey = "  - name: buy\n    sli: { composite: { all-of: [checkout/availability] } }\n    objectives: [{ target: 99.5%, window: 30d, alerting: none }]\n";
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("a.yaml"), document(&[("pay", "availability")]) + journey).expect("a file");
    all.push(shown(&read_paths(&[directory.path().to_owned()], &context())));
    let mut both = loaded(&[("pay", "availability")]);
    let counted: BTreeSet<SloId> = both.slos.iter().flat_map(|slo| [Some(slo.id.clone()), slo.former()]).flatten().collect();
    both.refuse_second_histories(&counted);
    assert!(both.slos.is_empty());
    all.push(shown(&both));
    insta::assert_snapshot!("former_names", all.join("\n\n\n"));
}

#[test]
fn a_former_name_is_free_once_its_slo_is_gone() {
    let renamed = loaded(&[("pay", "availability")]);
    assert_eq!(codes(&document(&[("pay", "availability")])), [""; 0]);
    assert_eq!(renamed.slos[0].former().map(|slo| slo.to_string()), Some("main:checkout/availability".to_owned()));
    let mut once = renamed.clone();
    once.refuse_second_histories(&BTreeSet::from([renamed.slos[0].id.clone()]));
    assert_eq!(once.slos.len(), 1, "the key stays after the rename was carried out");
}

/// A rename removes nothing, so the guard against an empty mount lets it pass.
#[test]
fn a_rename_of_the_only_slo_is_no_removal() {
    let before = loaded(&[("availability", "")]);
    let after = accept(&before, &loaded(&[("pay", "availability")]), Removals::Guarded);
    assert!(matches!(&after, Acceptance::Accepted { removed, .. } if removed.is_empty()), "{after:?}");
    let gone = accept(&before, &loaded(&[("pay", "")]), Removals::Guarded);
    assert!(matches!(gone, Acceptance::Refused { .. }), "without `was:` it is one");
}
