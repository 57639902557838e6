//! Taking foreign mappings apart, so that no key is passed over without a word.

use std::{collections::BTreeSet, ops::Range};

use crate::definition::{
    build,
    codes::{self, Code},
    reader::{RESERVED, Reader, name_proposal, shortened},
    yaml::{Entry, Node, Value},
};

/// Something could not be read, and was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told;

/// A mapping of another tool. A key that is never asked for is told of as not carried over.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    place: Range<usize>,
    asked: BTreeSet<&'n str>,
}

impl<'n> Fields<'n> {
    /// The mapping, or a diagnostic where something else stands there.
    pub(super) fn of(reader: &mut Reader, node: &'n Node, of: &str) -> Option<Self> {
        let fields = reader.any_map(node, of)?;
        Some(Self { entries: fields.entries(), place: fields.place(), asked: BTreeSet::new() })
    }

    /// Where it begins.
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// A key with its value; `None` where it is absent or holds nothing.
    pub(super) fn entry(&mut self, key: &str) -> Option<&'n Entry> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        self.asked.insert(&entry.key);
        (!entry.value.is_null()).then_some(entry)
    }

    /// The value of a key.
    pub(super) fn get(&mut self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a key that has two spellings.
    pub(super) fn either(&mut self, key: &str, other: &str) -> Option<&'n Node> {
        let (first, second) = (self.get(key), self.get(other));
        first.or(second)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&mut self, reader: &mut Reader, key: &str) -> Option<&'n Node> {
        let value = self.get(key);
        if value.is_none() {
            let diagnostic = reader.diagnostic(&codes::MISSING_KEY, self.place(), format!("the key `{key}` is missing"));
            reader.report(diagnostic.label("in the mapping that starts here"));
        }
        value
    }

    /// A text or number; `None` where the key is absent, with a diagnostic where it is something else.
    pub(super) fn text(&mut self, reader: &mut Reader, key: &str) -> Option<(&'n Node, &'n str)> {
        let node = self.get(key)?;
        Some((node, reader.text(node, &format!("`{key}`"))?))
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, reader: &mut Reader, key: &str) -> Option<bool> {
        let (node, text) = self.text(reader, key)?;
        let flag = match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        if flag.is_none() {
            reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("`{key}` is true or false"));
        }
        flag
    }

    /// Keys that say nothing which a document here would need: what they hold is for people, or for the other tool alone.
    pub(super) fn without_meaning(&mut self, keys: &[&str]) {
        for key in keys {
            self.entry(key);
        }
    }

    /// A key that is not carried over, with what to do instead.
    pub(super) fn left(&mut self, reader: &mut Reader, key: &str, instead: &str) {
        if let Some(entry) = self.entry(key) {
            not_carried(reader, entry, instead);
        }
    }

    /// Tells of every key that nobody asked for.
    pub(super) fn finish(self, reader: &mut Reader) {
        for entry in self.entries.iter().filter(|entry| !self.asked.contains(entry.key.as_str())) {
            not_carried(reader, entry, "nothing here stands for it; remove it where that is right");
        }
    }
}

fn not_carried(reader: &mut Reader, entry: &Entry, instead: &str) {
    let message = format!("`{}` is not carried over", shortened(&entry.key));
    let diagnostic = reader.diagnostic(&codes::NOT_CARRIED, entry.key_range.clone(), message);
    reader.report(diagnostic.help(instead));
}

/// Collects a diagnostic with its advice.
pub(super) fn tell(reader: &mut Reader, code: &'static Code, place: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
    let diagnostic = reader.diagnostic(code, place.clone(), message);
    reader.report(diagnostic.help(help));
}

/// A name of the alphabet here, made of a foreign one.
pub(super) fn name(reader: &mut Reader, text: &str, place: &Range<usize>, of: &str) -> Option<Node> {
    let mut proposal = name_proposal(text);
    if RESERVED.contains(&proposal.as_str()) {
        proposal += "-1";
    }
    if proposal.is_empty() {
        let message = format!("`{}` holds nothing that {of} could be called", shortened(text));
        tell(reader, &codes::NAME, place, message, "use letters, digits and dashes");
        return None;
    }
    if proposal != text {
        let message = format!("`{}` becomes `{proposal}`", shortened(text));
        let help = format!("{of} has 1 to 63 characters of a-z, 0-9 and -; links and history hang on it");
        tell(reader, &codes::RENAMED, place, message, help);
    }
    Some(build::word(place, proposal))
}

/// The same tree with every part at one place: what stands in another file is blamed where it is referred to.
pub(super) fn moved(node: &Node, place: &Range<usize>) -> Node {
    let value = match &node.value {
        Value::Scalar { text, quoted } => Value::Scalar { text: text.clone(), quoted: *quoted },
        Value::List(items) => Value::List(items.iter().map(|item| moved(item, place)).collect()),
        Value::Map(entries) => {
            let entry = |entry: &Entry| Entry { key: entry.key.clone(), key_range: place.clone(), value: moved(&entry.value, place) };
            Value::Map(entries.iter().map(entry).collect())
        }
    };
    Node { range: place.clone(), value }
}

/// The value of a key of a mapping, whatever else it holds.
pub(super) fn peek<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
        Value::Scalar { .. } | Value::List(_) => None,
    }
}

/// The text of a key of a mapping.
pub(super) fn peek_text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    match peek(node, key).map(|node| &node.value) {
        Some(Value::Scalar { text, .. }) => Some(text),
        Some(Value::List(_) | Value::Map(_)) | None => None,
    }
}
