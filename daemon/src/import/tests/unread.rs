//! No key of a foreign file is passed over without a word: an unknown one is put into every mapping of each format, one after another.

use super::{convert, openslo, pyrra, rules, sloth};
use crate::definition::{
    Diagnostic, Source,
    yaml::{self, Node, Value},
};

/// A key that no tool has.
const STRAY: &str = "x-nobody-knows";

/// The places in a text where a mapping begins, each with what leads there; labels of recording rules name their series alone.
fn mappings(node: &Node, path: &str, found: &mut Vec<(usize, String)>) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| mappings(item, &format!("{path}[]"), found)),
        Value::Map(entries) => {
            let names_a_series = |key: &str| key == "labels" && entries.iter().any(|entry| entry.key == "record");
            found.extend(entries.first().map(|first| (first.key_range.start, path.to_owned())));
            for entry in entries.iter().filter(|entry| !names_a_series(&entry.key)) {
                mappings(&entry.value, &format!("{path}.{}", entry.key), found);
            }
        }
    }
}

/// The same text with the stray key as the first of the mapping that begins there.
fn with_stray(text: &str, at: usize) -> String {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[line..at];
    let separator = if before.contains('{') || before.contains('[') { ", ".to_owned() } else { format!("\n{}", before.replace('-', " ")) };
    format!("{}{STRAY}: 1{separator}{}", &text[..at], &text[at..])
}

#[test]
fn a_key_that_nobody_reads_is_told_of_wherever_it_stands() {
    let (openslo, _) = openslo::SLO.rsplit_once("---\n").expect("a data source, which is told of as a whole");
    let files = [
        ("sloth", sloth::FILE),
        ("sloth object", sloth::OBJECT),
        ("sloth windows", sloth::WINDOWS),
        ("openslo", openslo),
        ("openslo threshold", openslo::THRESHOLD),
        ("openslo alpha", openslo::ALPHA),
        ("openslo service", SERVICE),
        ("pyrra", pyrra::RATIO),
        ("rules of sloth", rules::SLOTH),
        ("rules of pyrra", rules::PYRRA),
        ("rules by hand", rules::BY_HAND),
        ("list", LIST),
    ];
    let (mut tried, mut passed_over) = (0, Vec::new());
    for (name, text) in files {
        let roots = yaml::parse_all(&Source::new("a.yaml", text)).expect("it is YAML");
        let mut places = Vec::new();
        for root in &roots {
            mappings(root, "", &mut places);
        }
        for (at, path) in places {
            let stray = with_stray(text, at);
            let item = stray[..at].rfind("      - ").unwrap_or(at)..at + stray[at..].find("\n      - ").unwrap_or(stray.len() - at);
            let is_told = |fault: &Diagnostic| {
                let of_the_rule = fault.message.ends_with("no SLO is found in it")
                    && fault.place.range.as_ref().is_some_and(|range| item.contains(&range.start));
                let of_the_whole = AS_PARTS.iter().any(|(whole, said)| path == *whole && fault.message == *said);
                fault.code.id == "W2101" && (fault.message.contains(STRAY) || of_the_rule || of_the_whole)
            };
            let faults = convert(&[("a.yaml", &stray)]).faults;
            if !faults.iter().any(is_told) {
                let said: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
                passed_over.push(format!("{name}: `{path}`: {said:?}"));
            }
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    assert!(passed_over.is_empty(), "{}", passed_over.join("\n"));
}

/// Mappings that are told of as a whole.
const AS_PARTS: [(&str, &str); 6] = [
    (".slos[].alerting.labels", "`labels` is not carried over"),
    (".slos[].alerting.page_alert.labels", "`labels` is not carried over"),
    (".spec.notificationTargets[]", "`notificationTargets` is not carried over"),
    (".groups[].rules[].annotations", "`annotations` is not carried over"),
    // Of a service of OpenSLO, and of a list of Kubernetes.
    (".metadata.labels", "`labels` is not carried over"),
    (".metadata", "`metadata` is not carried over"),
];

const SERVICE: &str = "apiVersion: openslo/v1
kind: Service
metadata: { name: shop, displayName: Shop, labels: { team: web } }
spec: { description: all of it }
";

const LIST: &str = "apiVersion: v1
kind: List
metadata: { resourceVersion: '' }
items:
  - apiVersion: openslo/v1
    kind: Service
    metadata: { name: shop }
    spec: { description: all of it }
";

#[test]
fn what_a_service_of_openslo_says_is_told_of() {
    let said: Vec<String> = convert(&[("a.yaml", SERVICE)]).faults.iter().map(|fault| fault.message.clone()).collect();
    assert_eq!(said, ["`displayName`", "`labels`", "`description`"].map(|key| format!("{key} is not carried over")));
}

#[test]
fn the_label_of_an_object_names_the_team_and_one_cause_is_told_once() {
    let labelled = sloth::OBJECT
        .replace("      labels: { team: find }\n", "")
        .replace("metadata:\n", "metadata:\n  labels: { team: search, tier: gold }\n");
    let imported = convert(&[("a.yaml", &labelled)]);
    assert_eq!(imported.documents[0].team, "search");
    assert!(imported.faults.iter().any(|fault| fault.message == "the label `tier` is not carried over"));
    let listed = convert(&[("a.yaml", &openslo::SLO.replace("team: payments", "team: [payments, others]"))]);
    assert_eq!(listed.documents[0].team, "payments");
    let nobody = sloth::FILE.replace("owner: shop", "colour: red");
    let told: Vec<_> = convert(&[("a.yaml", &nobody)]).faults.into_iter().filter(|fault| fault.code.id == "W2107").collect();
    assert_eq!(told.len(), 1);
}

#[test]
fn a_rule_is_quoted_as_it_is_written_and_each_thing_is_said_once() {
    let text = "groups: [{ name: api, rules: [{ alert: ApiErrorBudgetBurn, for: 2m, labels: { severity: page }, expr: '(sum(rate(e{code=\"5\"}[5m])) / sum(rate(e[5m])) > 14.4 * 0.001 and sum(rate(e{code=\"5\"}[1h])) / sum(rate(e[1h])) > 14.4 * 0.001) or (sum(rate(e{code=\"5\"}[30m])) / sum(rate(e[30m])) > 6 * 0.001 and sum(rate(e{code=\"5\"}[6h])) / sum(rate(e[6h])) > 6 * 0.001)' }] }]";
    let said: Vec<String> = convert(&[("rules.yaml", text)]).faults.iter().map(|fault| fault.message.clone()).collect();
    let count = |part: &str| said.iter().filter(|message| message.contains(part)).count();
    assert_eq!(count("`ApiErrorBudgetBurn` becomes `api-error-budget-burn`"), 1, "{said:?}");
    assert_eq!(count("`for: 2m` is not carried over"), 1, "{said:?}");
    assert_eq!(count("the name of the group is taken for it: `api`"), 1, "{said:?}");
}
