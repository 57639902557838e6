//! What docs/ says of documents and of burnward.yaml is true: its examples load, its tables name every key, its default rows are computed.

use std::path::{Path, PathBuf};

use burnward_core::{alert_rows::default_rows, chance::failures_beyond, units::Target};

use super::{GOOD, context, diagnostics, diagnostics::of_a_source};
use crate::{
    config::{self, ConfigError},
    definition::{
        Colour, Diagnostic, Severity, Source,
        codes::{ALL, Code},
        document::{self, Context, Teams, version_of},
        duration,
        objective::row_list,
        read_texts,
    },
};

pub(super) const DOCUMENTS: &str = include_str!("../../../../docs/slo-documents.md");
pub(super) const TESTS: &str = include_str!("../../../../docs/slo-tests.md");
const CONFIGURATION: &str = include_str!("../../../../docs/configuration.md");
const WRONG_ANSWERS: &str = include_str!("../../../../docs/wrong-answers.md");

/// The texts of the fenced blocks that are marked as YAML.
pub(super) fn yaml_blocks(markdown: &str) -> impl Iterator<Item = &str> {
    markdown.split("```yaml\n").skip(1).filter_map(|rest| rest.split("\n```").next())
}

/// Whether a text is a template, or a document that is made of one.
fn is_templated(text: &str) -> bool {
    text.contains("\ntemplate: ") || text.contains("\nfrom: ")
}

fn is_of_tests_alone(text: &str) -> bool {
    text.contains("\ntests:") && !text.contains("\nslos:")
}

/// What there is to say of a template, or of a document that is made of one that the documentation shows.
fn with_templates(text: &str, context: &Context) -> Vec<Diagnostic> {
    let shown = yaml_blocks(DOCUMENTS).filter(|block| block.contains("\ntemplate: ") && !text.contains("\ntemplate: "));
    let texts = shown.chain([text]).enumerate().map(|(at, text)| (PathBuf::from(format!("{at}.yaml")), text.to_owned()));
    read_texts(texts, context).diagnostics().cloned().collect()
}

/// The diagnostics of a document of any kind.
pub(super) fn diagnostics_of(text: &str) -> Vec<Diagnostic> {
    match () {
        () if is_templated(text) => with_templates(text, &context()),
        () if is_of_tests_alone(text) => {
            let read = document::read_tests(&Source::new("a.slotest.yaml", text));
            read.map_or_else(|faults| faults, |document| [document.advice, document.of_tests].concat())
        }
        () => diagnostics(text),
    }
}

/// A whole document, or one with an SLO that has the keys of the block and what they lack.
pub(super) fn whole_document(block: &str) -> String {
    if block.starts_with("version:") {
        return block.to_owned();
    }
    let lacks = |key: &str| !block.lines().any(|line| line.starts_with(key));
    let sli = if lacks("sli:") { "sli: { events: { bad: 'a', total: 'b' } }\n" } else { "" };
    let objectives = if lacks("objectives:") { "objectives: [{ target: 99.9%, window: 30d }]\n" } else { "" };
    let keys = format!("name: example\n{sli}{objectives}{block}").replace('\n', "\n    ");
    format!("version: burnward/v1\nservice: search\nteam: payments\nslos:\n  - {keys}\n")
}

fn errors(text: &str) -> Vec<String> {
    let context = Context { teams: Teams::Unchecked, runbooks: document::Runbooks::Unchecked, ..context() };
    if is_templated(text) {
        let faults = with_templates(text, &context).into_iter().filter(|fault| fault.severity() == Severity::Error);
        return faults.map(|fault| fault.render(Colour::Never)).collect();
    }
    let read = document::read(&Source::new("docs", text), &version_of(text), &context);
    let faults = read.map_or_else(|faults| faults, |(_, advice)| advice);
    faults.iter().filter(|fault| fault.severity() == Severity::Error).map(|fault| fault.render(Colour::Never)).collect()
}

#[test]
fn every_example_of_the_documents_loads() {
    let blocks: Vec<&str> = yaml_blocks(DOCUMENTS).collect();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    for block in blocks {
        let errors = errors(&whole_document(block));
        assert!(errors.is_empty(), "{block}\n{}", errors.join("\n"));
    }
}

#[test]
fn every_example_of_the_configuration_loads() {
    let (documents, configurations): (Vec<&str>, Vec<&str>) = yaml_blocks(CONFIGURATION).partition(|block| block.contains("\nslos:"));
    assert_eq!((documents.len(), configurations.len()), (1, 7));
    for block in configurations {
        let text = if block.starts_with("version:") { block.to_owned() } else { format!("version: burnward/v1\n{block}") };
        config::parse(Path::new("burnward.yaml"), &text).unwrap_or_else(|error| panic!("{block}\n{error}"));
    }
    let errors = errors(documents[0]);
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

/// The rows of codes in the part of the documentation between two texts.
fn rows_of_codes(from: &str, to: &str) -> Vec<&'static str> {
    let (_, rest) = DOCUMENTS.split_once(from).expect("a beginning");
    let part = rest.split_once(to).map_or(rest, |(part, _)| part);
    part.lines().filter(|line| line.starts_with("| E") || line.starts_with("| W")).collect()
}

#[test]
fn the_tables_of_codes_are_those_of_the_catalogue() {
    let row = |code: &&Code| format!("| {} | {} |", code.id, code.title);
    let all: Vec<String> = ALL.iter().map(row).collect();
    assert_eq!(rows_of_codes("## All codes", "\n## "), all);
    let of_a_source: Vec<String> = ALL.iter().filter(|code| of_a_source(code.id)).map(row).collect();
    assert_eq!(rows_of_codes("| what the source shows |", "\n\n"), of_a_source);
}

#[test]
fn the_table_of_default_rows_is_computed() {
    let target = Target::percent("99.9%").expect("a target");
    // The rows of calendar windows are those of 30 days.
    for window in ["90d", "30d", "28d", "7d", "1d"] {
        let rows = default_rows(target, duration::parse(window).expect("a window")).rows;
        let line = format!("| `{window}` | {} |", row_list(&rows));
        assert!(DOCUMENTS.contains(&line), "the table lacks {line}");
    }
}

#[test]
fn the_table_of_failures_that_page_is_computed() {
    let target = Target::percent("99.9%").expect("a target");
    assert!(DOCUMENTS.contains("\n| 1 | none"));
    assert_eq!(failures_beyond(1, target), None);
    for (from, to, failed) in [(2, 14, 2), (15, 87, 3), (88, 233, 4)] {
        assert!(DOCUMENTS.contains(&format!("\n| {from} to {to} | {failed} |")), "{from} to {to}");
        assert!((from..=to).all(|events| failures_beyond(events, target) == Some(failed)), "{from} to {to}");
        assert_eq!(failures_beyond(to + 1, target), Some(failed + 1), "{to}");
    }
}

/// The keys that a mapping may have, as the advice for an unknown one names them.
pub(super) fn known_keys(faults: &[Diagnostic]) -> Vec<String> {
    let help = faults.iter().filter(|fault| fault.message == "unknown key `zzzzzzzz`").flat_map(|fault| &fault.help);
    help.filter_map(|help| help.strip_prefix("known are: ")).flat_map(|keys| keys.split(", ")).map(ToOwned::to_owned).collect()
}

/// Each key begins a row of a table, or is told of as a table or an example of its own.
fn check_named(markdown: &str, faults: &[Diagnostic], place: &str) {
    const TOLD_OTHERWISE: [&str; 10] =
        ["events", "latency", "probe", "presence", "window", "query", "composite", "rows", "prometheus", "scrape"];
    let keys = known_keys(faults);
    assert!(!keys.is_empty(), "no unknown key is found in {place}");
    for key in keys.iter().filter(|key| !TOLD_OTHERWISE.contains(&key.as_str())) {
        assert!(markdown.contains(&format!("\n| `{key}` |")), "`{key}` is not documented; it is a key of {place}");
    }
}

/// Documents with one unknown key each, by where its mapping stands in the schema.
pub(super) fn with_an_unknown_key() -> Vec<(String, String)> {
    let (before, rest) = GOOD.split_once("events:").expect("an SLI");
    let (_, after) = rest.split_once("    objectives:").expect("objectives");
    let of_sli = |sli: &str| format!("{before}{sli}\n    objectives:{after}");
    let kinds = ["latency", "presence", "window", "query", "composite"];
    let mut documents: Vec<(String, String)> = kinds
        .map(|kind| (format!("/definitions/sli/properties/{kind}/properties"), of_sli(&format!("{kind}: {{ zzzzzzzz: 1 }}"))))
        .to_vec();
    documents.extend([("all-of", "member"), ("weighted", "weighted-member")].map(|(list, member)| {
        let members = format!("composite: {{ {list}: [{{ zzzzzzzz: 1 }}, {{ slo: a/b, good-if-at-least: 99% }}] }}");
        (format!("/definitions/{member}/properties"), of_sli(&members))
    }));
    documents.extend(
        [
            ("/definitions/document/properties", "version:", "zzzzzzzz: 1\nversion:"),
            ("/definitions/slo/properties", "- name:", "- zzzzzzzz: 1\n    name:"),
            ("/definitions/sli/properties", "events:", "zzzzzzzz: 1\n      events:"),
            ("/definitions/sli/properties/events/properties", "bad:", "zzzzzzzz: 1\n        bad:"),
            ("/definitions/objective/properties", "window:", "zzzzzzzz: 1\n        window:"),
            ("/definitions/objective/properties/alerting/anyOf/1/properties", "window:", "alerting: { zzzzzzzz: 1 }\n        window:"),
            (
                "/definitions/objective/properties/alerting/anyOf/1/properties/rows/items/properties",
                "window:",
                "alerting: { rows: [{ zzzzzzzz: 1 }] }\n        window:",
            ),
            ("/definitions/objective/properties/counted-in/properties", "window:", "counted-in: { zzzzzzzz: 1 }\n        window:"),
            ("/definitions/slo/properties/no-data/properties", "    objectives:", "    no-data: { zzzzzzzz: 1 }\n    objectives:"),
            (
                "/definitions/slo/properties/no-traffic/anyOf/1/properties",
                "    objectives:",
                "    no-traffic: { zzzzzzzz: 1 }\n    objectives:",
            ),
            ("/definitions/slo/properties/status/anyOf/1/properties", "    objectives:", "    status: { zzzzzzzz: 1 }\n    objectives:"),
            (
                "/definitions/slo/properties/status/anyOf/1/properties/suspended/properties",
                "    objectives:",
                "    status: { suspended: { zzzzzzzz: 1 } }\n    objectives:",
            ),
        ]
        .map(|(place, from, to)| (place.to_owned(), GOOD.replacen(from, to, 1))),
    );
    documents
}

/// Templates, and documents that are made of the one that the documentation shows, with an unknown key in each of their mappings, by its place in the schema.
pub(super) fn templated_with_an_unknown_key() -> Vec<(String, String)> {
    let template = |text: &str| {
        let slo = GOOD.split_once("slos:").expect("SLOs").1;
        format!("version: burnward/v1\ntemplate: other@1\nteam: payments\n{text}\nslos:{slo}")
    };
    let instance = |text: &str| format!("version: burnward/v1\nfrom: http-service\nservice: checkout\nwith: {{ job: checkout }}\n{text}\n");
    let of = |place: &str, document: String| (format!("/definitions/{place}/properties"), document);
    vec![
        of("template", template("zzzzzzzz: 1")),
        of("declaration", template("parameters: { a: { type: string, zzzzzzzz: 1 } }")),
        of("instance", instance("zzzzzzzz: 1")),
        of("override", instance("overrides: { availability: { zzzzzzzz: 1 } }")),
        of("objective-override", instance("overrides: { availability: { objectives: { 30d: { zzzzzzzz: 1 } } } }")),
    ]
}

#[test]
fn every_key_of_a_document_is_named() {
    for (place, document) in with_an_unknown_key().into_iter().chain(templated_with_an_unknown_key()) {
        check_named(DOCUMENTS, &diagnostics_of(&document), &place);
    }
}

/// Tests with an unknown key in each of their mappings, by its place in the schema.
pub(super) fn tests_with_an_unknown_key() -> Vec<(String, String)> {
    let places = [
        ("test", "zzzzzzzz: 1"),
        ("traffic", "traffic: [{ zzzzzzzz: 1 }]"),
        ("traffic/properties/diurnal", "traffic: [{ diurnal: { zzzzzzzz: 1 } }]"),
        ("traffic/properties/burst", "traffic: [{ burst: { zzzzzzzz: 1 } }]"),
        ("traffic/properties/failing/items", "traffic: [{ failing: [{ zzzzzzzz: 1 }] }]"),
        ("happening", "happens: [{ zzzzzzzz: 1 }]"),
        ("happening/properties/deploy", "happens: [{ deploy: { zzzzzzzz: 1 } }]"),
        ("span", "happens: [{ down: { zzzzzzzz: 1 } }]"),
        ("expectation", "expect: [{ zzzzzzzz: 1 }]"),
        ("beginning", "expect: [{ page: { zzzzzzzz: 1 } }]"),
        ("expectation/properties/clear", "expect: [{ clear: { zzzzzzzz: 1 } }]"),
        ("expectation/properties/budget", "expect: [{ budget: { zzzzzzzz: 1 } }]"),
    ];
    let beside = |(place, text)| (format!("/definitions/{place}/properties"), format!("{GOOD}tests:\n  - {{ {text} }}\n"));
    let alone = ("/definitions/tests-alone/properties".to_owned(), "version: burnward/v1\ntests: []\nzzzzzzzz: 1\n".to_owned());
    places.map(beside).into_iter().chain([alone]).collect()
}

#[test]
fn every_key_of_a_test_is_named() {
    let words: Vec<&str> = TESTS.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    for (place, document) in tests_with_an_unknown_key() {
        let keys = known_keys(&diagnostics_of(&document));
        assert!(!keys.is_empty(), "no unknown key is found in {place}");
        for key in keys {
            assert!(words.contains(&key.as_str()), "`{key}` is not documented; it is a key of {place}");
        }
    }
}

#[test]
fn every_key_of_the_configuration_is_named() {
    for text in [
        "zzzzzzzz: 1",
        "tenants: { main: { zzzzzzzz: 1 } }",
        "tenant-classes: { standard: { zzzzzzzz: 1 } }",
        "tenant-classes: { standard: { templates: [{ zzzzzzzz: 1 }] } }",
        "sources: { s: { zzzzzzzz: 1 } }",
        "sources: { s: { prometheus: { zzzzzzzz: 1 } } }",
        "sources: { s: { scrape: { zzzzzzzz: 1 } } }",
        "people: { ada: { zzzzzzzz: 1 } }",
        "teams: { shop: { zzzzzzzz: 1 } }",
        "teams: { shop: { channel: \"#a\", escalation: [{ zzzzzzzz: 1 }] } }",
        "slack: { zzzzzzzz: 1 }",
        "reports: [{ zzzzzzzz: 1 }]",
    ] {
        let ConfigError(faults) = config::parse(Path::new("burnward.yaml"), &format!("version: burnward/v1\n{text}\n")).expect_err(text);
        check_named(CONFIGURATION, &faults, text);
    }
}

/// All Rust text below a directory.
fn code_below(directory: &Path) -> String {
    let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| match path.extension() {
        _ if path.is_dir() => code_below(&path),
        Some(kind) if kind == "rs" => std::fs::read_to_string(&path).expect("text"),
        Some(_) | None => String::new(),
    };
    entries.map(read).collect()
}

#[test]
fn each_proof_that_the_table_of_wrong_answers_names_is_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let code: String =
        ["src", "core/src", "core/tests", "tests", "../integration-tests/tests"].map(|place| code_below(&root.join(place))).concat();
    let rows = WRONG_ANSWERS.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what comes"));
    let mut proved = 0;
    for row in rows {
        let proofs = row.trim_end_matches(" |").rsplit(" | ").next().expect("a cell");
        for proof in proofs.split(", ") {
            let name = proof.trim_start_matches("real: ").trim_matches('`');
            assert!(code.contains(&format!("fn {name}(")), "no test is called {name}, which stands in\n{row}");
            proved += 1;
        }
    }
    assert!(proved > 30, "{proved}");
}
