//! What keeps a text from being one document hides no other mistake of it, and makes none.

use super::{GOOD, codes, diagnostics};

/// A document with two mistakes of its own.
fn broken() -> String {
    let text = GOOD.replace("99.9%", "100%").replace("version: burnward/v1", "version: burnward/v1\nownr: a");
    assert_eq!(codes(&text), ["E1006", "E1042"]);
    text
}

#[test]
fn a_second_document_hides_no_mistake_of_the_first() {
    assert_eq!(codes(&format!("{}---\n", broken())), ["E1006", "E1042", "E1005"]);
    assert_eq!(codes(&format!("{}---\nversion: burnward/v1\nx: 1\n", broken())), ["E1006", "E1042", "E1005"]);
    assert_eq!(codes(&format!("{GOOD}---\n{GOOD}")), ["E1005"]);
    assert_eq!(codes(&format!("{GOOD}---\n{}", broken())), ["E1005", "E1006", "E1042"]);
    assert_eq!(codes(&format!("{}---\n{}---\nx: 1\n---\n{}", broken(), broken(), broken())).len(), 7);
    // Nothing can be said where the text cannot be read up to there.
    assert_eq!(codes(&format!("{}  - [\n---\n", broken())), ["E1001"]);
}

#[test]
fn what_yaml_has_and_is_not_used_here_hides_nothing() {
    let with = |from: &str, to: &str| broken().replacen(from, to, 1);
    assert_eq!(codes(&with("service:", "service: a\nservice:")), ["E1006", "E1004", "E1042"]);
    assert_eq!(codes(&with("service: ", "service: !!str ")), ["E1006", "E1009", "E1042"]);
    assert_eq!(codes(&with("ownr: a", "ownr: a\nx-more: &more { per: [a] }\n<<: *more")), ["E1006", "E1006", "E1009", "E1042"]);
}

#[test]
fn what_stands_in_a_value_with_a_tag_is_no_mistake_of_its_own() {
    let text = GOOD.replacen("service: ", "service: !include ", 1);
    assert_eq!(codes(&text.replacen("!include ", "!include services/", 1)), ["E1009"]);
    // What a merge key would have brought is not missing.
    assert_eq!(codes(&GOOD.replacen("version: burnward/v1", "<<: { version: burnward/v1 }", 1)), ["E1009"]);
}

#[test]
fn a_character_that_is_not_allowed_hides_nothing() {
    assert_eq!(codes(&broken().replacen("service: ", "service:\t", 1)), ["E1006", "E1003", "E1042"]);
    assert_eq!(codes(&broken().replacen("ownr: a", "ownr: a # \u{202e}", 1)), ["E1006", "E1003", "E1042"]);
    // A name that holds one is no second mistake; an indent of tabs says nothing of what stands behind it.
    assert_eq!(codes(&GOOD.replacen("service: ", "service: a\u{200b}", 1)), ["E1003"]);
    assert_eq!(codes(&GOOD.replacen("service: ", "service: \"a\\u200b\" # ", 1)), ["E1003"]);
    assert_eq!(codes(&broken().replacen("  - name", "\t- name", 1)), ["E1003"]);
}

#[test]
fn a_template_and_what_is_made_of_one_are_not_read_as_documents() {
    for text in ["template: a\nslos: []\n", "from: a\nwith: {}\n"] {
        assert_eq!(codes(&format!("{text}---\n")), ["E1005"]);
    }
    let places: Vec<usize> = diagnostics(&format!("{}---\n", broken())).iter().map(|fault| fault.place.positions().0.line).collect();
    assert!(places.is_sorted(), "{places:?}");
}
