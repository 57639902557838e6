//! Trees that no parser read: documents that are made of something else, whose parts stand where that is written.

use std::ops::Range;

use super::yaml::{Entry, Node, Value};

/// A text that needs no quotes: a name, a number, a duration.
pub(crate) fn word(place: &Range<usize>, text: impl Into<String>) -> Node {
    Node { range: place.clone(), value: Value::Scalar { text: text.into(), quoted: false } }
}

/// A text in quotes, such as a query.
pub(crate) fn quoted(place: &Range<usize>, text: impl Into<String>) -> Node {
    Node { range: place.clone(), value: Value::Scalar { text: text.into(), quoted: true } }
}

/// A list.
pub(crate) fn list(place: &Range<usize>, items: Vec<Node>) -> Node {
    Node { range: place.clone(), value: Value::List(items) }
}

/// A mapping; what is `None` is left out. A key stands where its value does.
pub(crate) fn map<const N: usize>(place: &Range<usize>, entries: [(&str, Option<Node>); N]) -> Node {
    let entry =
        |(key, value): (&str, Option<Node>)| value.map(|value| Entry { key: key.to_owned(), key_range: value.range.clone(), value });
    Node { range: place.clone(), value: Value::Map(entries.into_iter().filter_map(entry).collect()) }
}
