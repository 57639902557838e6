//! `fmt` changes no meaning, loses no comment, and has nothing to do a second time: over everything that is shipped and shown, and whatever it is made of.

use std::{fs, path::Path};

use super::{
    GOOD,
    documentation::{DOCUMENTS, whole_document, with_an_unknown_key, yaml_blocks},
};
use crate::definition::{
    Context, Source,
    document::{self, Runbooks, Teams},
    format::format,
    yaml::{comments, parse},
};

/// Every document that is shipped, shown, or refused by a test.
fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directories = [
        "slo-definitions/burnward",
        "slo-definitions/demo",
        "slo-definitions/shop",
        "daemon/fixtures/field",
        "daemon/fixtures/guide",
        "docs",
    ];
    let files = directories.iter().flat_map(|directory| fs::read_dir(root.join(directory)).expect("a directory"));
    let files = files.map(|entry| entry.expect("an entry").path()).filter(|path| path.extension().is_some_and(|kind| kind == "yaml"));
    let mut corpus: Vec<String> = files.map(|path| fs::read_to_string(path).expect("text")).collect();
    corpus.extend(yaml_blocks(DOCUMENTS).map(whole_document));
    corpus.extend(with_an_unknown_key().into_iter().map(|(_, document)| document));
    corpus
}

/// What the reader makes of a text, wherever it stands in it.
fn meaning(text: &str) -> Result<Vec<burnward_core::slo::Slo>, Vec<String>> {
    let context = Context { teams: Teams::Unchecked, runbooks: Runbooks::Unchecked, ..super::context() };
    let nowhere = |slo: &std::sync::Arc<burnward_core::slo::Slo>| {
        let mut slo = burnward_core::slo::Slo::clone(slo);
        slo.origin.line = 0;
        slo
    };
    match document::read(&Source::new("slo.yaml", text), "version", &context) {
        Ok((slos, _)) => Ok(slos.iter().map(nowhere).collect()),
        Err(faults) => Err(faults.iter().map(|fault| format!("{} {}", fault.code.id, fault.message)).collect()),
    }
}

fn laid_out(text: &str) -> Option<String> {
    format(&Source::new("slo.yaml", text), None).ok()
}

fn check(text: &str) {
    let once = laid_out(text).unwrap_or_else(|| panic!("it is not laid out:\n{text}"));
    assert_eq!(meaning(&once), meaning(text), "{text}\n{once}");
    assert_eq!(laid_out(&once).as_deref(), Some(once.as_str()), "a second time it is laid out otherwise:\n{once}");
}

#[test]
fn whatever_is_shipped_and_shown_means_the_same_and_is_laid_out_once() {
    let corpus = corpus();
    assert!(corpus.len() > 40, "{}", corpus.len());
    for text in &corpus {
        check(text);
    }
}

#[test]
fn what_is_shipped_is_laid_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../slo-definitions");
    for directory in ["burnward", "demo", "shop"] {
        for entry in fs::read_dir(root.join(directory)).expect("a directory") {
            let path = entry.expect("an entry").path();
            let text = fs::read_to_string(&path).expect("text");
            assert_eq!(laid_out(&text).as_deref(), Some(text.as_str()), "{}", path.display());
        }
    }
}

#[test]
fn anchors_blocks_comments_and_empty_lines_stay() {
    for text in [
        "# a\n\n# b\na: &x [1, 2] # c\nb: *x\n",
        "a: |\n  one\n    two\n\nb: >-\n  three\n  four\n",
        "a:\n  - 1 # one\n  # two\n  - 2\n# end\n",
        "a: 'it''s'\nb: \"tab\\\\t\"\nc: \"\\\"\"\n",
        "a: { b: 1, # why\n  c: 2 }\n",
        "a:\n- b: 1\n  c: 2\n- d\n",
        "? a\n: b\n",
    ] {
        check(text);
        let of = |text: &str| comments(&Source::new("a", text)).expect("YAML");
        assert_eq!(of(&laid_out(text).expect("laid out")), of(text));
    }
}

#[test]
fn what_cannot_be_laid_out_without_changing_it_is_left_alone_and_told() {
    let faults = format(&Source::new("slo.yaml", "a: >+\n x\n\n\nb: 1\n"), None).expect_err("empty lines at the end of a block");
    insta::assert_snapshot!(super::rendered(&faults), @r"
        error[E1016]: the file is left as it is: the layout would change what it means
        --> slo.yaml
         = help: lay it out by hand where it is unusual, and format it again
        ");
}

#[test]
fn what_begins_far_to_the_right_is_left_alone() {
    for text in [format!("a:\n{}b: 1\n", " ".repeat(70)), format!("{}a\n", "- ".repeat(40))] {
        let faults = format(&Source::new("slo.yaml", &text), None).expect_err("it is too far");
        assert_eq!(faults[0].message, "the file is left as it is: a line begins behind more than 60 columns of indentation");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_laid_out_is_laid_out_once_and_means_the_same(at in 0..GOOD.len(), insert in "[a-z:\\-\\[\\]{}&*!#|>'\"%@` \n0-9]{0,12}", cut in 0_usize..20) {
        let text = format!("{}{insert}{}", &GOOD[..at], &GOOD[(at + cut).min(GOOD.len())..]);
        if let Some(once) = laid_out(&text) {
            proptest::prop_assert_eq!(meaning(&once), meaning(&text));
            proptest::prop_assert_eq!(laid_out(&once), Some(once));
        } else {
            let parsed = parse(&Source::new("a", &text));
            // What is well-formed and left alone is rare, and said.
            proptest::prop_assert!(parsed.is_err() || format(&Source::new("a", &text), None).is_err_and(|faults| faults[0].code.id == "E1016"));
        }
    }
}
