//! Findings as SARIF 2.1.0 (OASIS): one run, the codes that occur as its rules, a result for each finding.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Report, tree::Tree};
use crate::definition::{Diagnostic, Severity, diagnostic::Place};

impl Report {
    pub(super) fn as_sarif(&self) -> String {
        let rules: BTreeMap<&str, &Diagnostic> = self.diagnostics.iter().map(|fault| (fault.code.id, fault)).collect();
        let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, id)| (*id, at)).collect();
        let tree = Tree::here();
        let notifications = self.failures.iter().map(|failure| json!({ "level": "error", "message": { "text": failure } }));
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "burnward",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": rules.values().map(|fault| rule(fault)).collect::<Vec<_>>(),
                } },
                "columnKind": "unicodeCodePoints",
                "invocations": [{
                    "executionSuccessful": self.failures.is_empty(),
                    "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
                }],
                "results": self.diagnostics.iter().map(|fault| result(fault, &index, &tree)).collect::<Vec<_>>(),
            }],
        });
        format!("{log:#}\n")
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(fault: &Diagnostic) -> Value {
    json!({
        "id": fault.code.id,
        "shortDescription": { "text": fault.code.title },
        "fullDescription": { "text": fault.code.text },
        "help": { "text": format!("burnward explain {}", fault.code.id) },
        "defaultConfiguration": { "level": level(fault.severity()) },
    })
}

fn result(fault: &Diagnostic, index: &BTreeMap<&str, usize>, tree: &Tree) -> Value {
    let fault = fault.redacted();
    let label = Some(fault.place.label.as_str()).filter(|label| !label.is_empty());
    let text: Vec<&str> =
        [Some(fault.message.as_str()), label].into_iter().flatten().chain(fault.help.iter().map(String::as_str)).collect();
    let related = fault.related.iter().map(|place| {
        let mut location = location(place, tree);
        location["message"] = json!({ "text": place.label });
        location
    });
    json!({
        "ruleId": fault.code.id,
        "ruleIndex": index[fault.code.id],
        "level": level(fault.severity()),
        "message": { "text": text.join("\n") },
        "locations": [location(&fault.place, tree)],
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn location(place: &Place, tree: &Tree) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&tree.path(place.source.name())) } });
    if place.range.is_some() {
        let (start, end) = place.positions();
        physical["region"] =
            json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column.max(1) });
        if let Some(text) = place.text() {
            physical["region"]["snippet"] = json!({ "text": text });
        }
        if let Some(lines) = place.lines() {
            let last = start.line + lines.matches('\n').count();
            physical["contextRegion"] = json!({ "startLine": start.line, "endLine": last, "snippet": { "text": lines } });
        }
    }
    json!({ "physicalLocation": physical })
}

/// A path as a reference relative to the root of the working tree; what a URI reserves is percent-encoded.
fn uri(path: &str) -> String {
    if path.starts_with('/') {
        return url::Url::from_file_path(path).map_or_else(|()| path.to_owned(), String::from);
    }
    let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encode = |byte: u8| if keeps(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.strip_prefix("./").unwrap_or(path).bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GOOD, report};
    use super::*;

    #[test]
    fn each_finding_is_a_result_of_a_rule_with_its_place() {
        let (directory, report) = report(&[("a.yaml", &GOOD.replace("99.9%", "100%")), ("b.yaml", GOOD), ("c.yaml", GOOD)]);
        let text = report.as_sarif().replace(&directory.path().display().to_string(), "/slos");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_region_shows_its_text_and_its_lines() {
        let source = crate::definition::Source::new("a.yaml", "a: 1\nb: übel\nc: 3\n");
        let tree = Tree::here();
        let of = |place: Place| location(&place, &tree)["physicalLocation"].take();
        let one = of(Place::new(&source, 8..13));
        assert_eq!(one["region"]["snippet"]["text"], "übel");
        assert_eq!(one["contextRegion"], json!({ "startLine": 2, "endLine": 2, "snippet": { "text": "b: übel" } }));
        let two = of(Place::new(&source, 3..6));
        assert_eq!(two["region"]["snippet"]["text"], "1\nb");
        assert_eq!(two["contextRegion"]["snippet"]["text"], "a: 1\nb: übel");
        assert_eq!(of(Place::file(&source)).get("region"), None);
    }

    #[test]
    fn a_path_becomes_a_reference() {
        let cases = [("./a b/ö.yaml", "a%20b/%C3%B6.yaml"), ("/x/a b.yaml", "file:///x/a%20b.yaml"), ("../a:b.yaml", "../a%3Ab.yaml")];
        for (path, expected) in cases {
            assert_eq!(uri(path), expected);
        }
    }
}
