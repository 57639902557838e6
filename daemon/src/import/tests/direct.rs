//! Foreign files that are loaded directly are what they convert to, and what is found in them points into them.

use std::path::Path;

use super::{context, convert, loaded, openslo, pyrra, rules, sloth};
use crate::definition::{
    Colour, Context, Severity, Source,
    document::{self, Teams, Wakes, version_of},
    read_paths,
};

#[test]
fn a_file_that_is_loaded_is_what_it_converts_to() {
    for text in [sloth::FILE, openslo::SLO, pyrra::RATIO] {
        let (slos, _) = document::read(&Source::new("slo.yaml", text), &version_of(text), &context()).expect("it loads");
        let mut direct: Vec<_> = slos.iter().map(|slo| (**slo).clone()).collect();
        let mut converted = loaded(&convert(&[("slo.yaml", text)]));
        assert_eq!(direct.len(), converted.len());
        for (direct, converted) in direct.iter_mut().zip(&mut converted) {
            assert_eq!(
                text.lines()
                    .nth(usize::try_from(direct.origin.line).expect("a line") - 1)
                    .map(|line| line.contains(direct.id.name.as_str()) || line.contains("latency_300ms")),
                Some(true)
            );
            converted.origin = direct.origin.clone();
            assert_eq!(direct, converted);
        }
    }
}

#[test]
fn mistakes_point_into_the_foreign_file() {
    let text = sloth::FILE.replace("objective: 99.9\n", "objective: 100\n").replace("code=~\"5..\"", "code=~\"5(..\"");
    let teams = Teams::Known([(burnward_core::id::TeamName::parse("payments").expect("a name"), Wakes::Somebody)].into());
    let context = Context { teams, ..context() };
    let faults = document::read(&Source::new("sloth.yaml", &text), &version_of(&text), &context).expect_err("it does not load");
    let errors: Vec<String> =
        faults.iter().filter(|fault| fault.severity() == Severity::Error).map(|fault| fault.render(Colour::Never)).collect();
    insta::assert_snapshot!(errors.join("\n\n"));
}

#[test]
fn a_team_that_nobody_declared_is_told_once() {
    let teams = Teams::Known([(burnward_core::id::TeamName::parse("payments").expect("a name"), Wakes::Somebody)].into());
    let context = Context { teams, ..context() };
    let text = format!("{}---\n{}", sloth::FILE, sloth::FILE.replace("service: \"basket\"", "service: other"));
    let faults = document::read(&Source::new("sloth.yaml", &text), "", &context).expect_err("it does not load");
    let of_teams: Vec<_> = faults.iter().filter(|fault| fault.code.id == "E1023").collect();
    assert_eq!(of_teams.len(), 1, "{faults:?}");
    assert!(of_teams[0].help.iter().any(|help| help.contains("declare it under `teams:`")), "{:?}", of_teams[0].help);
}

#[test]
fn a_directory_may_hold_files_of_all_tools() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in [("a.yaml", sloth::FILE), ("b.yaml", openslo::SLO), ("c.yaml", pyrra::RATIO)] {
        std::fs::write(directory.path().join(name), text).expect("a file");
    }
    let loaded = read_paths(&[directory.path().to_owned()], &context());
    assert_eq!((loaded.slos.len(), loaded.count().0), (7, 0));
    assert!(loaded.slos.iter().all(|slo| Path::new(&slo.origin.file).exists()));
}

#[test]
fn windows_in_the_file_itself_hold_for_it() {
    let text = format!("{}---\n{}", sloth::OBJECT, sloth::WINDOWS);
    let (slos, _) = document::read(&Source::new("a.yaml", &text), "", &context()).expect("it loads");
    assert_eq!(slos[0].objectives[0].name.as_str(), "7d");
}

#[test]
fn a_file_without_an_slo_says_so() {
    let (_, policy) = openslo::SLO.split_once("---\n").expect("several documents");
    let (policy, _) = policy.split_once("---\n").expect("several documents");
    let (slos, advice) = document::read(&Source::new("a.yaml", policy), "", &context()).expect("it loads");
    let said: Vec<&str> = advice.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!((slos.len(), said), (0, vec!["no SLO is in this file, so nothing of it is loaded", "`description` is not carried over"]));
}

#[test]
fn a_document_of_something_else_says_so() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\n";
    let faults = document::read(&Source::new("a.yaml", text), "", &context()).expect_err("it does not load");
    assert_eq!(faults.iter().map(|fault| fault.code.id).collect::<Vec<_>>(), ["E1501"]);
}

/// What is said of a text that is loaded directly, as it is shown.
fn said_of(name: &str, text: &str) -> String {
    let faults = match document::read(&Source::new(name, text), "", &context()) {
        Ok((_, advice)) => advice,
        Err(faults) => faults,
    };
    faults.iter().map(|fault| fault.render(Colour::Never)).collect::<Vec<_>>().join("\n\n")
}

const RULES: &str = "groups:
  - name: node
    rules:
      - { alert: InstanceDown, expr: up == 0, for: 5m, labels: { severity: page } }
      - { alert: DiskFull, expr: 'free_bytes < 1e9' }
      - { record: 'job:up:sum', expr: sum by (job) (up) }
";

#[test]
fn rules_that_are_no_slo_are_told_once_what_they_are() {
    insta::assert_snapshot!(said_of("alerts.yaml", RULES));
    let indented = RULES.replace('\n', "\n  ");
    let object = format!("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{ name: node }}\nspec:\n  {indented}\n");
    insta::assert_snapshot!(said_of("object.yaml", &object));
}

#[test]
fn alerts_that_never_fire_are_told_of_where_no_rule_is_an_slo() {
    let never = "      - { alert: Never, expr: 'sum(rate(e_total[5m])) / sum(rate(a_total[5m])) > 2 and vector(1) > 2' }\n";
    let dead = "      - { alert: Same, expr: 'sum(rate(a_total[5m])) / sum(rate(a_total[5m])) > 5' }\n";
    let said = said_of("alerts.yaml", &format!("{RULES}{never}{dead}"));
    let import = convert(&[("alerts.yaml", &format!("{RULES}{never}{dead}"))]).faults;
    let of_import = import.iter().filter(|fault| fault.code.id == "W2084").count();
    assert!(of_import > 0 && said.matches("W2084").count() == of_import, "{of_import}: {said}");
    assert_eq!(said.matches("none of them stands for an SLO").count(), 1, "{said}");
}

#[test]
fn of_an_slo_with_a_mistake_no_advice_is_given_by_what_stands_in_for_it() {
    let without_runbook = openslo::SLO.replace("burnward.dev/runbook", "example.org/runbook");
    assert!(codes_of(&without_runbook).contains(&"W2010"), "{:?}", codes_of(&without_runbook));
    let of_minutes = codes_of(&without_runbook.replace("28d", "1m"));
    assert!(of_minutes.contains(&"E1503") && !of_minutes.contains(&"W2010"), "{of_minutes:?}");
}

/// The codes of all that is said of a text that is loaded directly.
fn codes_of(text: &str) -> Vec<&'static str> {
    let faults = match document::read(&Source::new("a.yaml", text), "", &context()) {
        Ok((_, advice)) => advice,
        Err(faults) => faults,
    };
    faults.iter().map(|fault| fault.code.id).collect()
}

#[test]
fn what_is_no_part_of_an_slo_is_told_of_beside_one() {
    let both = RULES.replace("groups:\n", rules::BY_HAND);
    let said = said_of("rules.yaml", &both);
    assert!(said.contains("the rule `InstanceDown` is not carried over") && !said.contains("these are rules"), "{said}");
}

#[test]
fn more_slos_than_a_document_holds_become_several_documents() {
    let rule = |n: usize| {
        format!(
            "      - {{ alert: A{n}, expr: 'rate(e_total{{n=\"{n}\"}}[5m]) / rate(a_total{{n=\"{n}\"}}[5m]) > 0.0{n:04}1', labels: {{ team: shop, service: shop }} }}\n"
        )
    };
    let text = format!("groups:\n  - name: shop\n    rules:\n{}", (0..1_001).map(rule).collect::<String>());
    let converted = convert(&[("rules.yaml", &text)]);
    assert_eq!(converted.documents.iter().map(|document| document.slos).collect::<Vec<_>>(), [1_000, 1]);
    assert_eq!(loaded(&converted).len(), 1_001);
    let direct = document::read(&Source::new("rules.yaml", &text), "", &context()).expect("it loads").0;
    assert_eq!(direct.len(), 1_001);
}
