//! Taking foreign mappings apart, so that no key is passed over without a word.

use std::ops::Range;

use super::expression;
use crate::definition::{
    build,
    codes::{self, Code},
    promql::mistake_of,
    reader::{Asked, RESERVED, Reader, name_proposal, nearest, shortened, suggest},
    yaml::{Entry, Node, Value},
};

/// Something could not be read, and was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told;

/// Keys by which Kubernetes and OpenSLO know an object, and what Kubernetes writes of it: they say nothing of an SLO.
const OF_THE_OBJECT: [&str; 3] = ["apiVersion", "kind", "status"];
const OF_ITS_METADATA: [&str; 7] = ["name", "namespace", "uid", "generation", "resourceVersion", "creationTimestamp", "managedFields"];

/// A mapping of another tool. Each key that is asked for is noted in the reader; [`tell_of_unread`] tells of all others.
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    place: Range<usize>,
    whole: (usize, usize),
}

impl<'n> Fields<'n> {
    /// The mapping, or a diagnostic where something else stands there.
    pub(super) fn of(reader: &mut Reader, node: &'n Node, of: &str) -> Option<Self> {
        let fields = reader.any_map(node, of)?;
        let whole = (node.range.start, node.range.end);
        reader.asked_mut().begun.insert(whole);
        Some(Self { entries: fields.entries(), place: fields.place(), whole })
    }

    /// An object of Kubernetes, or one that looks like it.
    pub(super) fn of_object(reader: &mut Reader, node: &'n Node, of: &str) -> Option<Self> {
        let fields = Self::of(reader, node, of)?;
        fields.pass_over(reader, &OF_THE_OBJECT);
        Some(fields)
    }

    /// The `metadata:` of an object: what else stands in it than what it is called by. Where there is none, nothing is said.
    pub(super) fn metadata(&self, reader: &mut Reader) -> Option<Self> {
        let node = self.get(reader, "metadata")?;
        let metadata = Self::of(reader, node, "`metadata`")?;
        metadata.pass_over(reader, &OF_ITS_METADATA);
        Some(metadata)
    }

    /// Where it begins.
    pub(super) fn place(&self) -> Range<usize> {
        self.place.clone()
    }

    /// A key with its value; `None` where it is absent or holds nothing.
    pub(super) fn entry(&self, reader: &mut Reader, key: &str) -> Option<&'n Entry> {
        let Some(entry) = self.entries.iter().find(|entry| entry.key == key) else {
            reader.asked_mut().absent.entry(self.whole).or_default().insert(key.to_owned());
            return None;
        };
        reader.asked_mut().keys.insert(entry.key_range.start);
        (!entry.value.is_null()).then_some(entry)
    }

    /// The value of a key.
    pub(super) fn get(&self, reader: &mut Reader, key: &str) -> Option<&'n Node> {
        self.entry(reader, key).map(|entry| &entry.value)
    }

    /// The value of a key that has two spellings.
    pub(super) fn either(&self, reader: &mut Reader, key: &str, other: &str) -> Option<&'n Node> {
        let (first, second) = (self.get(reader, key), self.get(reader, other));
        first.or(second)
    }

    /// The value of a key that must be there.
    pub(super) fn required(&self, reader: &mut Reader, key: &str) -> Option<&'n Node> {
        let value = self.get(reader, key);
        if value.is_none() && self.misspelt(reader, key).is_none() {
            let diagnostic = reader.diagnostic(&codes::MISSING_KEY, self.place(), format!("the key `{key}` is missing"));
            reader.report(diagnostic.label("in the mapping that starts here"));
        }
        value
    }

    /// The key that is nearly spelt so, in the place of one that must be there; it is told of.
    fn misspelt(&self, reader: &mut Reader, key: &str) -> Option<()> {
        if self.entries.iter().any(|entry| entry.key == key) {
            return None;
        }
        let near = |entry: &&Entry| !reader.asked().keys.contains(&entry.key_range.start) && nearest(&entry.key, &[key]).is_some();
        let entry = self.entries.iter().find(near)?;
        pass_over(reader, &entry.value);
        reader.asked_mut().keys.insert(entry.key_range.start);
        let diagnostic =
            reader.diagnostic(&codes::UNKNOWN_KEY, entry.key_range.clone(), format!("unknown key `{}`", shortened(&entry.key)));
        reader.report(suggest(diagnostic, &entry.key, &[key]));
        Some(())
    }

    /// A text or number; `None` where the key is absent, with a diagnostic where it is something else.
    pub(super) fn text(&self, reader: &mut Reader, key: &str) -> Option<(&'n Node, &'n str)> {
        let node = self.get(reader, key)?;
        Some((node, reader.text(node, &format!("`{key}`"))?))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, reader: &mut Reader, key: &str) -> Option<bool> {
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

    /// Keys that need no word, with all that is in them.
    pub(super) fn pass_over(&self, reader: &mut Reader, keys: &[&str]) {
        for key in keys {
            if let Some(entry) = self.entry(reader, key) {
                pass_over(reader, &entry.value);
            }
        }
    }

    /// A key that is not carried over, with what to do instead.
    pub(super) fn left(&self, reader: &mut Reader, key: &str, instead: &str) {
        if let Some(entry) = self.entry(reader, key) {
            not_carried(reader, entry, instead);
        }
    }

    /// All of it that is needed was asked for.
    pub(super) fn finish(self, reader: &mut Reader) {
        reader.asked_mut().done.insert(self.whole);
    }
}

/// Tells of every key of a document that nobody asked for. What could not be read to its end is told of as a mistake already.
pub(super) fn tell_of_unread(reader: &mut Reader, node: &Node) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| tell_of_unread(reader, item)),
        Value::Map(entries) => {
            let whole = (node.range.start, node.range.end);
            let given_up = reader.asked().begun.contains(&whole) && !reader.asked().done.contains(&whole);
            let absent = reader.asked().absent.get(&whole).cloned().unwrap_or_default();
            let absent: Vec<&str> = absent.iter().map(String::as_str).collect();
            for entry in entries {
                if reader.asked().keys.contains(&entry.key_range.start) {
                    tell_of_unread(reader, &entry.value);
                } else if !given_up {
                    match nearest(&entry.key, &absent) {
                        Some(meant) => not_carried(reader, entry, &format!("did you mean `{meant}`?")),
                        None => not_carried(reader, entry, "nothing here stands for it; remove it where that is right"),
                    }
                }
            }
        }
    }
}

/// Takes all keys of a tree for asked for: something was said of it as a whole, or nothing needs to be.
pub(super) fn pass_over(reader: &mut Reader, node: &Node) {
    match &node.value {
        Value::Scalar { .. } => {}
        Value::List(items) => items.iter().for_each(|item| pass_over(reader, item)),
        Value::Map(entries) => {
            for entry in entries {
                reader.asked_mut().keys.insert(entry.key_range.start);
                pass_over(reader, &entry.value);
            }
        }
    }
}

/// Reads an object for which others ask: what nobody can ask for in it is told of where it stands, its mistakes where it is named.
pub(super) fn read_for_others(reader: &mut Reader, read: impl FnOnce(&mut Reader)) {
    let mut aside = Reader::new(reader.source());
    read(&mut aside);
    let Asked { keys, begun, done, absent } = std::mem::take(aside.asked_mut());
    let asked = reader.asked_mut();
    asked.keys.extend(keys);
    asked.begun.extend(begun);
    asked.done.extend(done);
    asked.absent.extend(absent);
}

fn not_carried(reader: &mut Reader, entry: &Entry, instead: &str) {
    pass_over(reader, &entry.value);
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
    name_by(reader, text, text, place, of)
}

/// The same of a name whose words are to be kept apart: `BurnsFast` as `Burns-Fast`. It is quoted as it is written.
pub(super) fn name_by(reader: &mut Reader, text: &str, apart: &str, place: &Range<usize>, of: &str) -> Option<Node> {
    let mut proposal = name_proposal(apart);
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

/// The value of a key of a mapping that is read for it alone, as a label is.
pub(super) fn read_key<'n>(reader: &mut Reader, node: &'n Node, key: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    let entry = entries.iter().find(|entry| entry.key == key)?;
    reader.asked_mut().keys.insert(entry.key_range.start);
    Some(&entry.value)
}

/// What is wrong with a query that is no PromQL, and where that stands; `None` where it may be what the parser lacks. `{{.window}}` may stand in it.
pub(super) fn mistake_in(reader: &Reader, node: &Node, text: &str) -> Option<(String, Range<usize>)> {
    let (why, at) = mistake_of(&expression::filled_alike(text))?;
    let written = reader.source().text().get(node.range.clone()).and_then(|written| written.find(text));
    let exact = written.zip(at).map(|(offset, at)| node.range.start + offset + at.start..node.range.start + offset + at.end);
    Some((why, exact.unwrap_or_else(|| node.range.clone())))
}

/// Labels that are not carried over but for these, with what stands in their place.
pub(super) fn labels_left(reader: &mut Reader, labels: Option<&Node>, but: &[&str], instead: &str) {
    let Some(Value::Map(labels)) = labels.map(|labels| &labels.value) else { return };
    for label in labels.iter().filter(|label| !but.contains(&label.key.as_str())) {
        reader.asked_mut().keys.insert(label.key_range.start);
        let message = format!("the label `{}` is not carried over", shortened(&label.key));
        tell(reader, &codes::NOT_CARRIED, &label.key_range, message, instead);
    }
}
