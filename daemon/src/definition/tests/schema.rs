//! The schema says what the reader does: the same keys in each mapping, no word against what loads, and the mistakes that it can see.

use std::{collections::BTreeSet, fs, path::Path};

use jsonschema::Validator;
use serde_json::Value;

use super::{
    GOOD, diagnostics,
    documentation::{
        DOCUMENTS, TESTS, diagnostics_of, known_keys, templated_with_an_unknown_key, tests_with_an_unknown_key, whole_document,
        with_an_unknown_key, yaml_blocks,
    },
};
use crate::definition::SCHEMA;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).expect("it is JSON")
}

fn validator() -> Validator {
    jsonschema::draft7::new(&schema()).expect("it is a schema")
}

fn all_with_an_unknown_key() -> Vec<(String, String)> {
    [with_an_unknown_key(), tests_with_an_unknown_key(), templated_with_an_unknown_key()].concat()
}

fn faults(validator: &Validator, document: &str) -> Vec<String> {
    let document: Value = serde_saphyr::from_str(document).expect("it is YAML");
    validator.iter_errors(&document).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

fn documents_in(directory: &Path) -> Vec<String> {
    let files = fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|kind| kind == "yaml")).map(|path| fs::read_to_string(path).expect("a file")).collect()
}

#[test]
fn each_mapping_has_the_keys_that_the_reader_knows() {
    let schema = schema();
    for (place, document) in all_with_an_unknown_key() {
        let known: BTreeSet<String> = known_keys(&diagnostics_of(&document)).into_iter().collect();
        let keys = schema.pointer(&place).and_then(Value::as_object).unwrap_or_else(|| panic!("the schema has no {place}"));
        assert_eq!(keys.keys().cloned().collect::<BTreeSet<_>>(), known, "{place}");
    }
}

#[test]
fn whatever_the_documentation_and_the_shipped_files_show_is_valid() {
    let validator = validator();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut documents: Vec<String> = yaml_blocks(DOCUMENTS).chain(yaml_blocks(TESTS)).map(whole_document).collect();
    for directory in ["slo-definitions/burnward", "slo-definitions/demo", "slo-definitions/shop", "daemon/fixtures/field"] {
        let found = documents_in(&root.join(directory));
        let modeline = "# yaml-language-server: $schema=../../slo.schema.json\n";
        let shipped = directory.starts_with("slo-definitions");
        assert!(
            !found.is_empty() && (!shipped || found.iter().all(|text| text.starts_with(modeline))),
            "editors find the schema of {directory}"
        );
        documents.extend(found);
    }
    for document in documents {
        let faults = faults(&validator, &document);
        assert!(faults.is_empty(), "{document}\n{}", faults.join("\n"));
    }
}

#[test]
fn what_a_schema_can_see_is_refused_as_the_reader_refuses_it() {
    let validator = validator();
    assert_eq!(faults(&validator, GOOD), Vec::<String>::new());
    for (_, document) in all_with_an_unknown_key() {
        assert!(!faults(&validator, &document).is_empty(), "{document}");
    }
    for (from, to) in [
        ("v1", "v2"),
        ("service: checkout", "service: Checkout"),
        ("team: payments\n", ""),
        ("99.9%", "99.9"),
        ("30d", "a month"),
        ("30d", "calendar year"),
        ("        total: 'http_requests_total{job=\"checkout\"}'\n", ""),
        ("        bad:", "        good: 'a'\n        bad:"),
        ("      events:", "      probe: 'up'\n      events:"),
        ("window: 30d", "window: 30d\n        alerting: both"),
        ("window: 30d", "window: 30d\n        alerting: { rows: [] }"),
        ("window: 30d", "window: 30d\n        alerting: { rows: [{ urgency: page, burn-rate: 0.5, long: 1h, short: 5m }] }"),
    ] {
        let document = GOOD.replacen(from, to, 1);
        assert_ne!(document, GOOD, "{from}");
        assert!(!faults(&validator, &document).is_empty(), "the schema takes {to}");
        assert!(diagnostics(&document).iter().any(|fault| fault.code.id.starts_with('E')), "the reader takes {to}");
    }
}

#[test]
fn a_file_of_tests_alone_has_a_schema_of_its_own() {
    let validator = validator();
    let (_, beside) = yaml_blocks(TESTS).find_map(|block| block.split_once("\ntests:\n")).expect("tests are shown");
    let alone = format!("version: burnward/v1\ntests:\n{}\n", beside.replace("  - name: ", "  - slo: checkout/availability\n    name: "));
    assert_eq!(faults(&validator, &alone), Vec::<String>::new(), "{alone}");
    assert!(diagnostics_of(&alone).is_empty());
    for broken in
        [alone.replace("slo: checkout/availability\n    name: ", "name: "), alone.replace("lasts", "last"), format!("{alone}title: a\n")]
    {
        assert!(!faults(&validator, &broken).is_empty() && !diagnostics_of(&broken).is_empty(), "{broken}");
    }
}

/// Each mapping of keys in the schema, with where it stands.
fn mappings<'s>(schema: &'s Value, place: &str, found: &mut Vec<(String, &'s serde_json::Map<String, Value>)>) {
    if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
        found.push((place.to_owned(), keys));
    }
    let inner: Vec<(String, &Value)> = match schema {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, value) in inner {
        mappings(value, &format!("{place}/{key}"), found);
    }
}

#[test]
fn every_key_says_what_it_is_and_shows_what_may_stand_there() {
    let schema = schema();
    let mut found = Vec::new();
    mappings(&schema, "", &mut found);
    assert_eq!(found.len(), all_with_an_unknown_key().len(), "each mapping of the schema is compared with the reader");
    for (place, keys) in found {
        for (key, about) in keys {
            let described =
                about.get("description").or_else(|| schema.pointer(about["$ref"].as_str()?.strip_prefix('#')?)?.get("description"));
            assert!(described.is_some_and(Value::is_string), "{place}/{key} has no description");
            let told = ["examples", "enum", "const", "properties", "$ref", "items", "anyOf"];
            assert!(told.iter().any(|way| about.get(way).is_some()), "{place}/{key} shows nothing that may stand there");
            let scalar = about["type"] == "string" || about["type"] == "number";
            assert!(!scalar || about.get("examples").is_some(), "{place}/{key} has no example");
        }
    }
}
