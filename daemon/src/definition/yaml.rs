//! YAML text to a tree in which everything knows its place.
//!
//! The tree is built from the parser's events and not by serde, because serde ends at the first wrong key or type, forgets whether a value stood in
//! quotes, and loses `99.9` on the way to a float; here all mistakes of a file are found at once and a value is the text that its author wrote.
//! Sizes are bounded before and while parsing; no step recurses deeper than the declared depth.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use burnward_core::words::plural;
use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, options};

use super::{
    codes::{self, Code},
    diagnostic::{Diagnostic, Place, Severity, Source, is_hidden},
    reader::shortened,
};

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Deepest nesting of lists and mappings.
pub const MAX_DEPTH: usize = 64;
/// Most values in a file, those that aliases repeat included.
pub const MAX_NODES: usize = 50_000;
/// Most aliases in a file.
pub const MAX_ALIASES: usize = 100;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it stands: a scalar whole, a list or mapping at its first line.
    pub range: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, a number, nothing: whatever the author wrote, after YAML's escapes.
    Scalar {
        /// The text.
        text: String,
        /// True where it stood in quotes or in a block, so that it is a text whatever it looks like.
        quoted: bool,
    },
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the author's order, without repeated keys.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_range: Range<usize>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// True for an empty value, `~` and `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, quoted: false } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

/// The tree of one document.
///
/// # Errors
/// Every mistake that keeps the text from being one well-formed YAML document within the limits.
pub fn parse(source: &Arc<Source>) -> Result<Node, Vec<Diagnostic>> {
    read(source, Documents::One).map(|mut roots| roots.swap_remove(0))
}

/// The trees of all documents of the text, at least one, without those that hold nothing: other tools put several into a file.
///
/// # Errors
/// Every mistake that keeps the text from being well-formed YAML within the limits, which are those of one document.
pub fn parse_all(source: &Arc<Source>) -> Result<Vec<Node>, Vec<Diagnostic>> {
    read(source, Documents::Several)
}

/// The document that a text begins with, where the text is not one as it should be: for the mistakes that it has beside those that were told.
pub(super) struct ReadOn {
    /// The document.
    pub(super) root: Node,
    /// Places at which something else was read than what stands there.
    doubtful: Vec<Range<usize>>,
}

impl ReadOn {
    /// Whether a mistake is one of the document, and does not follow from what was told already. Advice weighs values against each other, so none is
    /// kept where one of them may be another.
    pub(super) fn is_of_its_own(&self, fault: &Diagnostic) -> bool {
        if fault.severity() == Severity::Warning && !self.doubtful.is_empty() {
            return false;
        }
        let Some(range) = &fault.place.range else { return true };
        !self.doubtful.iter().any(|doubtful| doubtful.start <= range.end && range.start <= doubtful.end)
    }
}

/// Reads on behind a second document, keys that are given twice, tags, merge keys and characters that are not allowed; `None` where nothing can be
/// said of what follows.
pub(super) fn read_on(source: &Arc<Source>) -> Option<ReadOn> {
    if too_large(source).is_some() || refuse_conflict(source).is_some() {
        return None;
    }
    let (plain, mut doubtful) = without_hidden(source.text())?;
    let plain = Source::new(source.name(), &plain);
    let mut builder = Builder::new(&plain, Documents::One);
    let read = builder.run();
    if read.is_err_and(|fault| fault.code != &codes::SEVERAL_DOCUMENTS) {
        return None;
    }
    doubtful.append(&mut builder.doubtful);
    let root = builder.roots.into_iter().next().filter(|root| !root.is_null())?;
    Some(ReadOn { root, doubtful })
}

/// The text with spaces in the place of characters that are not allowed, byte for byte, and where those stand; `None` where one of them may be meant as
/// an indent or as the end of a line.
fn without_hidden(text: &str) -> Option<(String, Vec<Range<usize>>)> {
    let (mut plain, mut places, mut indents) = (String::with_capacity(text.len()), Vec::new(), true);
    for (at, c) in text.char_indices() {
        if c == '\n' || text[at..].starts_with("\r\n") || !is_hidden(c) {
            indents = c == '\n' || (indents && c == ' ');
            plain.push(c);
            continue;
        }
        if indents || c == '\r' {
            return None;
        }
        places.push(at..at + c.len_utf8());
        plain.extend(std::iter::repeat_n(' ', c.len_utf8()));
    }
    Some((plain, places))
}

/// How many documents a text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Documents {
    One,
    Several,
}

fn read(source: &Arc<Source>, documents: Documents) -> Result<Vec<Node>, Vec<Diagnostic>> {
    if let Some(fault) = too_large(source) {
        return Err(vec![fault]);
    }
    if let Some(fault) = refuse_conflict(source) {
        return Err(vec![fault]);
    }
    let hidden = refuse_characters(source);
    if !hidden.is_empty() {
        return Err(hidden);
    }
    let mut builder = Builder::new(source, documents);
    match builder.run() {
        Err(fault) => Err(vec![*fault]),
        Ok(()) if !builder.faults.is_empty() => Err(builder.faults),
        Ok(()) => {
            let roots: Vec<Node> = builder.roots.into_iter().filter(|root| !root.is_null()).collect();
            let nothing = || fault(source, &codes::EMPTY, 0..0, "the file holds nothing".into()).help(EMPTY_HELP);
            if roots.is_empty() { Err(vec![nothing()]) } else { Ok(roots) }
        }
    }
}

/// The comments of a text, in order, without the spaces around them.
///
/// # Errors
/// The place where the text stops being well-formed YAML.
pub fn comments(source: &Arc<Source>) -> Result<Vec<String>, Box<Diagnostic>> {
    Ok(marks(source)?.comments.into_iter().map(|(_, text)| text).collect())
}

/// Where comments and scalars begin.
#[derive(Debug)]
pub(super) struct Marks {
    /// The comments with their texts, without the spaces around them.
    pub(super) comments: Vec<(usize, String)>,
    pub(super) scalars: Vec<usize>,
}

/// The marks of a text, each in order.
///
/// # Errors
/// The place where the text stops being well-formed YAML.
pub(super) fn marks(source: &Arc<Source>) -> Result<Marks, Box<Diagnostic>> {
    let mut options = limits();
    options.emit_comments = true;
    options.max_buffered_comment_events = MAX_BYTES;
    let mut marks = Marks { comments: Vec::new(), scalars: Vec::new() };
    for next in Parser::new_from_str_with_options(source.text(), options) {
        let (event, span) = next.map_err(|error| Box::new(syntax(source, &error)))?;
        let start = span.byte_range().map_or(0, |range| range.start);
        match event {
            Event::Comment(text, _) => marks.comments.push((start, text.trim().to_owned())),
            Event::Scalar(..) => marks.scalars.push(start),
            _ => {}
        }
    }
    Ok(marks)
}

const EMPTY_HELP: &str = "remove the file, or write a document that starts with `version: burnward/v1`";

fn fault(source: &Arc<Source>, code: &'static Code, range: Range<usize>, message: String) -> Diagnostic {
    Diagnostic { code, message, place: Place::new(source, range), related: Vec::new(), help: Vec::new() }
}

fn too_large(source: &Arc<Source>) -> Option<Diagnostic> {
    if source.text().len() <= MAX_BYTES {
        return None;
    }
    let message = format!("the file has {} bytes; at most {MAX_BYTES} (1 MiB) are read", source.text().len());
    let place = Place::file(source);
    Some(Diagnostic { code: &codes::LIMIT, message, place, related: Vec::new(), help: vec!["split it into several files".into()] })
}

/// The lines with which version control shows the two sides of a conflict.
fn refuse_conflict(source: &Arc<Source>) -> Option<Diagnostic> {
    let mut from = 0;
    let mut lines = source.text().split_inclusive('\n').map(|line| {
        let start = from;
        from += line.len();
        (start, line.trim_end())
    });
    let is_mark = |line: &str, mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    let mut marks = Vec::new();
    let mut find = |mark: &str| {
        let (start, line) = lines.find(|(_, line)| is_mark(line, mark))?;
        marks.push(start..start + line.len());
        Some(())
    };
    find("<<<<<<<").and_then(|()| find("=======")).and_then(|()| find(">>>>>>>"))?;
    let more = lines.filter(|(_, line)| is_mark(line, "<<<<<<<")).count();
    let [first, middle, last] = marks.try_into().ok()?;
    let and_more = if more == 0 { String::new() } else { format!(", and {more} more below") };
    let message = format!("a merge conflict stands here that nobody resolved (<<<<<<<, =======, >>>>>>>){and_more}");
    let diagnostic = fault(source, &codes::SYNTAX, first, message).label("one side begins");
    let diagnostic = diagnostic.related(Place::new(source, middle), "the other side begins").related(Place::new(source, last), "it ends");
    Some(diagnostic.help("keep what is right of both sides, and remove the lines with the marks"))
}

/// At most this many hidden characters are listed.
const HIDDEN_SHOWN: usize = 5;

fn refuse_characters(source: &Arc<Source>) -> Vec<Diagnostic> {
    let text = source.text();
    let line_end = |at: usize| text[at..].starts_with("\r\n");
    let (mut returns, mut tabs) = (0, 0);
    text.char_indices()
        .filter(|&(at, c)| is_hidden(c) && c != '\n' && !(c == '\r' && line_end(at)))
        .filter(|(_, c)| {
            returns += usize::from(*c == '\r');
            tabs += usize::from(*c == '\t');
            (*c != '\r' || returns == 1) && (*c != '\t' || tabs == 1)
        })
        .take(HIDDEN_SHOWN)
        .map(|(at, c)| {
            let (what, label) = refused(c);
            let diagnostic = fault(source, &codes::CHARACTER, at..at + c.len_utf8(), format!("{what} is not allowed here")).label(label);
            let more = if c == '\t' { text.lines().filter(|line| line.contains('\t')).count() - 1 } else { 0 };
            if more == 0 {
                diagnostic
            } else {
                diagnostic.help(format!("{} of this file {} one", plural(more, "more line"), if more == 1 { "holds" } else { "hold" }))
            }
        })
        .collect()
}

/// What a character is, and what to do about it.
fn refused(c: char) -> (String, &'static str) {
    match c {
        '\t' => ("a tab".to_owned(), "use spaces"),
        '\r' => ("a carriage return without a line feed".to_owned(), "save the file with the line ends LF or CRLF"),
        c => (format!("the character U+{:04X}", u32::from(c)), "remove it"),
    }
}

/// What is being read: a list or mapping that is not yet closed.
struct Open {
    range: Range<usize>,
    anchor: usize,
    nodes_before: usize,
    inner: Inner,
}

enum Inner {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, keys: BTreeMap<String, usize>, key: Option<(String, Range<usize>)> },
}

/// Most mistakes of a file that are shown where it is well-formed.
const MOST_FAULTS: usize = 200;

struct Builder<'a> {
    source: &'a Arc<Source>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, usize)>,
    nodes: usize,
    aliases: usize,
    allowed: Documents,
    documents: usize,
    roots: Vec<Node>,
    faults: Vec<Diagnostic>,
    /// Places at which something else is read than what was meant: values with a tag or an escaped character, mappings that lack the keys of `<<`.
    doubtful: Vec<Range<usize>>,
}

type Step = Result<(), Box<Diagnostic>>;

impl<'a> Builder<'a> {
    fn new(source: &'a Arc<Source>, allowed: Documents) -> Self {
        let (open, anchors, roots, faults, doubtful) = (Vec::new(), BTreeMap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { source, open, anchors, nodes: 0, aliases: 0, allowed, documents: 0, roots, faults, doubtful }
    }

    fn run(&mut self) -> Step {
        for next in Parser::new_from_str_with_options(self.source.text(), limits()) {
            let (event, span) = next.map_err(|error| Box::new(syntax(self.source, &error)))?;
            self.event(event, span.byte_range().unwrap_or(0..0), &span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>, span: &Span) -> Step {
        match event {
            Event::DocumentStart(..) => self.document(range),
            Event::Scalar(text, style, anchor, tag) => {
                self.tag(tag.is_some(), span, &range);
                self.scalar(text.into_owned(), style, anchor, range)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.is_some(), span, &range);
                self.start(range, anchor, Inner::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.is_some(), span, &range);
                self.start(range, anchor, Inner::Map { entries: Vec::new(), keys: BTreeMap::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => self.alias(id, range),
            // Stream and document marks, and what only other options of the parser emit, hold no values.
            _ => Ok(()),
        }
    }

    /// A second document would otherwise be dropped without a word.
    fn document(&mut self, range: Range<usize>) -> Step {
        self.documents += 1;
        if self.documents < 2 || self.allowed == Documents::Several {
            return Ok(());
        }
        let message = "a second document begins here; a file holds one".to_owned();
        let diagnostic = fault(self.source, &codes::SEVERAL_DOCUMENTS, range, message);
        Err(Box::new(diagnostic.help("put each document into a file of its own, or join their `slos:` lists")))
    }

    fn tell(&mut self, fault: Diagnostic) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    fn tag(&mut self, present: bool, span: &Span, range: &Range<usize>) {
        if present {
            self.doubtful.push(range.clone());
            // A value that is all tag leaves its key without one.
            if let Some(Open { inner: Inner::Map { key: Some((_, key)), .. }, .. }) = self.open.last() {
                self.doubtful.push(key.clone());
            }
            let place = span.tag_span().and_then(|tag| tag.byte_range()).unwrap_or_else(|| range.clone());
            let message = "tags such as `!!str` are not used here".to_owned();
            self.tell(
                fault(self.source, &codes::YAML_FEATURE, place, message).help("remove the tag; put a text that starts with ! into quotes"),
            );
        }
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, anchor: usize, range: Range<usize>) -> Step {
        self.count(&range, 1)?;
        if let Some(c) = text.chars().find(|c| is_hidden(*c) && *c != '\n') {
            self.doubtful.push(range.clone());
            let message = format!("the text holds the character U+{:04X}, which is not allowed", u32::from(c));
            self.tell(fault(self.source, &codes::CHARACTER, range.clone(), message).label("written as an escape"));
        }
        let quoted = style != ScalarStyle::Plain;
        let node = Node { range, value: Value::Scalar { text, quoted } };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), 1));
        }
        self.place(node)
    }

    fn start(&mut self, range: Range<usize>, anchor: usize, inner: Inner) -> Step {
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(too_deep(self.source, range)));
        }
        let nodes_before = self.nodes;
        self.count(&range, 1)?;
        self.open.push(Open { range, anchor, nodes_before, inner });
        Ok(())
    }

    fn end(&mut self) -> Step {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.inner {
            Inner::List(items) => Value::List(items),
            Inner::Map { entries, keys, .. } => {
                if keys.contains_key(MERGE) {
                    self.doubtful.push(open.range.clone());
                    self.doubtful.extend(entries.first().map(|first| first.key_range.clone()));
                }
                Value::Map(entries)
            }
        };
        let node = Node { range: open.range, value };
        if open.anchor > 0 {
            self.anchors.insert(open.anchor, (node.clone(), self.nodes - open.nodes_before));
        }
        self.place(node)
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Step {
        self.aliases += 1;
        if self.aliases > MAX_ALIASES {
            let diagnostic = fault(self.source, &codes::LIMIT, range, format!("more than {MAX_ALIASES} aliases"));
            return Err(Box::new(diagnostic.help("write the values out, or split the file")));
        }
        let Some((node, weight)) = self.anchors.get(&id).cloned() else {
            let message = "this alias repeats a value that holds it".to_owned();
            return Err(Box::new(fault(self.source, &codes::SYNTAX, range, message).help("write the value out")));
        };
        self.count(&range, weight)?;
        self.place(node)
    }

    fn count(&mut self, range: &Range<usize>, nodes: usize) -> Step {
        self.nodes += nodes;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("more than {MAX_NODES} values, those that aliases repeat included");
        Err(Box::new(fault(self.source, &codes::LIMIT, range.clone(), message).help("split the file")))
    }

    /// Puts a finished node where it belongs: as an item, a key, a value or the document.
    fn place(&mut self, node: Node) -> Step {
        match self.open.last_mut().map(|open| &mut open.inner) {
            None => self.roots.push(node),
            Some(Inner::List(items)) => items.push(node),
            Some(Inner::Map { entries, keys, key }) => match key.take() {
                Some((key, key_range)) => {
                    let fault = insert(self.source, entries, keys, Entry { key, key_range, value: node });
                    if let Some(fault) = fault {
                        self.tell(fault);
                    }
                }
                None => *key = Some(key_text(self.source, node)?),
            },
        }
        Ok(())
    }
}

/// The key by which YAML 1.1 takes in the keys of another mapping.
const MERGE: &str = "<<";

/// Adds an entry; of a repeated key the first stays and both places are named.
fn insert(source: &Arc<Source>, entries: &mut Vec<Entry>, keys: &mut BTreeMap<String, usize>, entry: Entry) -> Option<Diagnostic> {
    if entry.key == MERGE {
        keys.insert(entry.key, entries.len());
        let message = "merge keys (`<<`) are not supported".to_owned();
        return Some(fault(source, &codes::YAML_FEATURE, entry.key_range, message).help("write the keys out"));
    }
    if let Some(first) = keys.get(&entry.key) {
        let message = format!("the key `{}` is given twice", shortened(&entry.key));
        let diagnostic = fault(source, &codes::DUPLICATE_KEY, entry.key_range, message).label("here again");
        let first = Place::new(source, entries[*first].key_range.clone());
        return Some(diagnostic.related(first, "first given here").help("remove one of them"));
    }
    keys.insert(entry.key.clone(), entries.len());
    entries.push(entry);
    None
}

fn key_text(source: &Arc<Source>, node: Node) -> Result<(String, Range<usize>), Box<Diagnostic>> {
    match node.value {
        Value::Scalar { text, .. } => Ok((text, node.range)),
        Value::List(_) | Value::Map(_) => {
            let message = "a list or a mapping cannot be a key".to_owned();
            let diagnostic = fault(source, &codes::SYNTAX, node.range, message);
            Err(Box::new(diagnostic.help("put a text that starts with `{` or `[` into quotes")))
        }
    }
}

fn limits() -> Options {
    options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    }
}

fn too_deep(source: &Arc<Source>, range: Range<usize>) -> Diagnostic {
    let diagnostic = fault(source, &codes::LIMIT, range, format!("lists and mappings are nested more than {MAX_DEPTH} deep"));
    diagnostic.help("an SLO needs fewer than ten levels: is a bracket or a brace not closed?")
}

/// A scan error at its byte; the parser gives a line and a column where it has no offset.
fn syntax(source: &Arc<Source>, error: &ScanError) -> Diagnostic {
    let text = source.text();
    let by_line = || {
        let line: usize = text.split_inclusive('\n').take(error.marker().line().saturating_sub(1)).map(str::len).sum();
        text[line..].char_indices().nth(error.marker().col()).map_or(text.len(), |(at, _)| line + at)
    };
    let at = error.marker().byte_offset().unwrap_or_else(by_line).min(text.len());
    let range = at..text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
    if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        return too_deep(source, range);
    }
    let diagnostic = fault(source, &codes::SYNTAX, range, format!("not well-formed YAML: {}", error.info()));
    advice(source, at, error.kind()).into_iter().fold(diagnostic, Diagnostic::help)
}

const QUOTES: &str = "put the whole value into single quotes: YAML gives a meaning of its own to { } [ ] # & * ! | > % @ ` and to `: `";
const INDENTATION: &str = "look at the indentation: keys of one mapping, and dashes of one list, start in one column";

/// What usually led to such an error: a query without quotes, a quote within quotes, a line that is indented differently.
fn advice(source: &Arc<Source>, at: usize, kind: &ErrorKind) -> Option<&'static str> {
    let line = source.text()[..at].rsplit('\n').next().unwrap_or_default();
    let rest = source.text()[at..].lines().next().unwrap_or_default();
    let whole = format!("{line}{rest}");
    let value = whole.split_once(": ").map(|(_, value)| value.trim_start()).unwrap_or_default();
    let query = value.starts_with(['%', '@', '`', '!', '&', '*', '|', '>']) || ["=~", "!~", "=\""].iter().any(|part| value.contains(part));
    match kind {
        ErrorKind::InvalidTrailingSingleQuotedScalar => {
            Some("use double quotes within single quotes, as in 'up{job=\"x\"}'; a single quote itself is written twice there: 'can''t'")
        }
        ErrorKind::UnknownAnchor => Some("a value that starts with * repeats one that is marked with &: put a text into single quotes"),
        ErrorKind::UnknownQuotedScalarEscape => {
            Some("put the whole value into single quotes, which keep a backslash as it is; within double quotes it is written twice")
        }
        _ if query => Some(QUOTES),
        ErrorKind::DirectiveDisallowed | ErrorKind::MissingDocumentEndBeforeDirective => Some("remove the line"),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence => Some("each { and [ needs its } or ]; a text that holds one of them needs quotes"),
        ErrorKind::UnclosedQuotedScalar | ErrorKind::InvalidQuotedScalarIndent => Some("a quote that was opened is not closed"),
        _ if value.starts_with(['{', '[']) || value.contains(": ") => Some(QUOTES),
        ErrorKind::InvalidIndentation
        | ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::BlockSequenceEntryNotAllowed
        | ErrorKind::MappingValueNotAllowed
        | ErrorKind::SimpleKeyExpected => Some(INDENTATION),
        _ => None,
    }
}
