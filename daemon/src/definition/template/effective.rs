//! The effective document: what a template and those who use it say together, as the text of a plain document, and where each part of it is written.

use std::{fmt::Write as _, ops::Range, sync::Arc};

use crate::definition::{
    build, codes,
    diagnostic::{Diagnostic, Place, Source},
    discover, print,
    yaml::{self, Entry, Node, Value},
};

/// A value with the file that it stands in.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) at: Place,
    pub(super) content: Content,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Scalar {
        text: String,
        quoted: bool,
        /// Where the values stand that were put in.
        filled: Vec<Place>,
    },
    List(Vec<Piece>),
    Map(Vec<Field>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) key: String,
    pub(super) key_at: Place,
    pub(super) value: Piece,
}

impl Piece {
    /// What stands in a file, as it is.
    pub(super) fn of(source: &Arc<Source>, node: &Node) -> Self {
        let content = match &node.value {
            Value::Scalar { text, quoted } => Content::Scalar { text: text.clone(), quoted: *quoted, filled: Vec::new() },
            Value::List(items) => Content::List(items.iter().map(|item| Self::of(source, item)).collect()),
            Value::Map(entries) => Content::Map(entries.iter().map(|entry| Field::of(source, entry)).collect()),
        };
        Self { at: Place::new(source, node.range.clone()), content }
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(fields) => fields.iter().find(|field| field.key == key).map(|field| &field.value),
            Content::Scalar { .. } | Content::List(_) => None,
        }
    }

    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The entries of a list; none of anything else.
    pub(super) fn items_mut(&mut self) -> &mut [Self] {
        match &mut self.content {
            Content::List(items) => items,
            Content::Scalar { .. } | Content::Map(_) => &mut [],
        }
    }

    fn node(&self) -> Node {
        let nowhere = 0..0;
        match &self.content {
            Content::Scalar { text, quoted: true, .. } => build::quoted(&nowhere, text),
            Content::Scalar { text, quoted: false, .. } => build::word(&nowhere, text),
            Content::List(items) => build::list(&nowhere, items.iter().map(Self::node).collect()),
            Content::Map(fields) => {
                let entry = |field: &Field| Entry { key: field.key.clone(), key_range: nowhere.clone(), value: field.value.node() };
                Node { range: nowhere.clone(), value: Value::Map(fields.iter().map(entry).collect()) }
            }
        }
    }
}

impl Field {
    /// An entry as it stands in a file.
    pub(super) fn of(source: &Arc<Source>, entry: &Entry) -> Self {
        Self { key: entry.key.clone(), key_at: Place::new(source, entry.key_range.clone()), value: Piece::of(source, &entry.value) }
    }
}

/// Where a part of the effective document is written.
#[derive(Debug)]
struct Origin {
    /// In the effective document.
    range: Range<usize>,
    part: Part,
    /// Where it comes from.
    at: Place,
    /// Where the values stand that were put in.
    filled: Vec<Place>,
}

/// What a part of a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Key,
    Scalar,
    Collection,
}

/// An effective document.
#[derive(Debug)]
pub struct Effective {
    source: Arc<Source>,
    root: Node,
    origins: Vec<Origin>,
}

impl Effective {
    /// The document of a tree; it is called as the file that asks for it.
    pub(super) fn of(piece: &Piece, name: &str) -> Result<Self, Vec<Diagnostic>> {
        let text = print::text(&piece.node());
        let source = discover::source(name, &text);
        // What cannot be read here is too large, or too deep.
        let at = |fault: Diagnostic| Diagnostic { place: piece.at.clone(), related: Vec::new(), ..fault };
        let root = yaml::parse(&source).map_err(|faults| faults.into_iter().map(at).collect::<Vec<_>>())?;
        let mut origins = Vec::new();
        match follow(&root, piece, &mut origins) {
            Ok(()) => {
                origins.sort_by_key(|origin| (origin.range.start, std::cmp::Reverse(origin.range.end)));
                Ok(Self { source, root, origins })
            }
            Err(place) => {
                let message = "this value cannot be written into the document that is made of the template".to_owned();
                let help = vec!["write it in a plainer way, in quotes on one line".to_owned()];
                Err(vec![Diagnostic { code: &codes::TEMPLATE, message, place: *place, related: Vec::new(), help }])
            }
        }
    }

    /// The text as it is read.
    pub(in crate::definition) const fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The same as a tree.
    pub(in crate::definition) const fn root(&self) -> &Node {
        &self.root
    }

    /// The text, a plain document.
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// The text with the file and line of each of its lines behind it.
    pub fn with_origins(&self) -> String {
        let mut start = 0;
        let lines: Vec<(&str, String)> = self
            .text()
            .lines()
            .map(|line| {
                let range = start..start + line.len();
                start = range.end + 1;
                (line, self.origin_of_line(&range))
            })
            .collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width <= WIDEST).max().unwrap_or(0);
        lines.into_iter().fold(String::new(), |mut text, (line, origin)| {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{line:width$}  # {origin}");
            text
        })
    }

    /// Where a line is written, and where what was put into it.
    fn origin_of_line(&self, line: &Range<usize>) -> String {
        let first = self.origins.partition_point(|origin| origin.range.start < line.start);
        let on_line = || self.origins[first..].iter().take_while(|origin| origin.range.start < line.end);
        let of = |part: Part| {
            on_line().filter(move |origin| origin.part == part).flat_map(|origin| std::iter::once(&origin.at).chain(&origin.filled))
        };
        let mut places: Vec<String> = Vec::new();
        for place in of(Part::Scalar).map(at_line) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if places.is_empty() {
            places.extend(of(Part::Key).map(at_line).next());
        }
        places.join(", ")
    }

    /// A diagnostic of the effective document, where its author wrote what it is about.
    pub(in crate::definition) fn at_origin(&self, diagnostic: Diagnostic) -> Diagnostic {
        let Diagnostic { code, message, place, related, help } = diagnostic;
        let (place, with) = self.origin(&place);
        let related = with.into_iter().chain(related.iter().map(|place| self.origin(place).0)).collect();
        Diagnostic { code, message, place, related, help }
    }

    /// Where a place of the effective document is written; and beside it what else made it.
    pub(in crate::definition) fn origin(&self, place: &Place) -> (Place, Vec<Place>) {
        let Some(range) = place.range.as_ref().filter(|_| *place.source == *self.source) else { return (place.clone(), Vec::new()) };
        let Some(origin) = self.nearest(range) else { return (place.clone(), Vec::new()) };
        match origin.filled.as_slice() {
            [] => (self.within(origin, range).labelled(&place.label), Vec::new()),
            [value] => (value.clone().labelled(&place.label), vec![origin.at.clone().labelled("the template puts it here")]),
            values => (origin.at.clone().labelled(&place.label), values.iter().map(|value| value.clone().labelled("with this")).collect()),
        }
    }

    /// What holds a range most closely, else what begins nearest before it.
    fn nearest(&self, range: &Range<usize>) -> Option<&Origin> {
        let upto = self.origins.partition_point(|origin| origin.range.start <= range.start);
        let before = &self.origins[..upto];
        let exact = before.iter().rev().take_while(|origin| origin.range.start == range.start).find(|origin| origin.range == *range);
        exact.or_else(|| before.last()).or_else(|| self.origins.first())
    }

    /// A part of a scalar, where that stands letter by letter in its file; else all of it.
    fn within(&self, origin: &Origin, range: &Range<usize>) -> Place {
        let whole = || origin.at.clone();
        let (Some(ours), Some(theirs)) = (self.text().get(origin.range.clone()), origin.at.range.clone()) else { return whole() };
        let theirs_text = origin.at.source.text().get(theirs.clone()).unwrap_or_default();
        let marks = ['"', '\''];
        let (bare, their_bare) = (ours.trim_matches(marks), theirs_text.trim_matches(marks));
        if *range == origin.range || bare != their_bare || range.start < origin.range.start || range.end > origin.range.end {
            return whole();
        }
        let lead = |text: &str| text.len() - text.trim_start_matches(marks).len();
        let shifted = |byte: usize| (byte + theirs.start + lead(theirs_text)).saturating_sub(origin.range.start + lead(ours));
        Place::new(&origin.at.source, shifted(range.start)..shifted(range.end))
    }
}

/// Lines longer than this do not push the origins of the others to the right.
const WIDEST: usize = 100;

/// `templates/http.yaml:12`
pub(super) fn at_line(place: &Place) -> String {
    let (start, _) = place.positions();
    format!("{}:{}", place.source.name(), start.line)
}

/// Walks through what was read and what it was made of; the place of what does not read back.
fn follow(node: &Node, piece: &Piece, origins: &mut Vec<Origin>) -> Result<(), Box<Place>> {
    let wrong = || Err(Box::new(piece.at.clone()));
    let (mut part, mut filled) = (Part::Collection, Vec::new());
    match (&node.value, &piece.content) {
        (Value::Scalar { text, .. }, Content::Scalar { text: made, quoted, filled: places }) => {
            let is_null = build::word(&(0..0), made).is_null() && !quoted;
            if node.is_null() != is_null || (text != made && !is_null) {
                return wrong();
            }
            (part, filled) = (Part::Scalar, places.clone());
        }
        (Value::List(items), Content::List(pieces)) if items.len() == pieces.len() => {
            items.iter().zip(pieces).try_for_each(|(node, piece)| follow(node, piece, origins))?;
        }
        (Value::Map(entries), Content::Map(fields)) if entries.len() == fields.len() => {
            for (entry, field) in entries.iter().zip(fields) {
                if entry.key != field.key {
                    return Err(Box::new(field.key_at.clone()));
                }
                origins.push(Origin { range: entry.key_range.clone(), part: Part::Key, at: field.key_at.clone(), filled: Vec::new() });
                follow(&entry.value, &field.value, origins)?;
            }
        }
        (Value::Scalar { .. } | Value::List(_) | Value::Map(_), _) => return wrong(),
    }
    origins.push(Origin { range: node.range.clone(), part, at: piece.at.clone(), filled });
    Ok(())
}
