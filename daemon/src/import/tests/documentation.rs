//! What docs/guide.md shows of an import is what comes out.

use super::convert;
use crate::definition::{Colour, codes};

const GUIDE: &str = include_str!("../../../../docs/guide.md");
const OTHER_TOOLS: &str = include_str!("../../../../docs/other-tools.md");

/// The fenced blocks of a section.
fn blocks(section: &str) -> Vec<(&str, &str)> {
    let (_, section) = GUIDE.split_once(section).expect("the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    section.split("\n```").collect::<Vec<_>>().chunks(2).filter_map(|pair| pair.get(1)?.split_once('\n')).collect()
}

#[test]
fn the_example_of_the_guide_is_converted_as_it_says() {
    let [(_, _), (_, from), (_, to), (_, said), ..] = blocks("## SLOs of other tools\n")[..] else { panic!("four blocks at least") };
    let imported = convert(&[("sloth.yaml", from)]);
    let texts: String = imported.documents.iter().map(|document| document.text.as_str()).collect();
    assert_eq!(texts.trim_end(), to);
    let words: Vec<String> = imported.faults.iter().map(|fault| fault.render(Colour::Never)).collect();
    assert_eq!(words.join("\n\n"), said);
}

#[test]
fn codes_that_are_named_exist() {
    let named =
        OTHER_TOOLS.match_indices('(').map(|(at, _)| &OTHER_TOOLS[at + 1..]).filter_map(|rest| rest.split_once(')')).map(|(code, _)| code);
    let named: Vec<&str> = named.filter(|code| code.len() == 5 && code.starts_with(['E', 'W'])).collect();
    assert!(named.len() > 8, "{named:?}");
    for code in named {
        assert!(codes::ALL.iter().any(|known| known.id == code), "{code}");
    }
}
