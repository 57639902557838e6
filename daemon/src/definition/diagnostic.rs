//! Diagnostics: a mistake with its place, and what to write instead, shown as a compiler shows it or as data.

use std::{
    fmt,
    ops::Range,
    sync::{Arc, OnceLock},
};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::codes::Code;
use crate::config::secrets::redacted;

/// A file's name and its text, without a byte order mark.
pub struct Source {
    name: String,
    text: String,
    /// The text as it may be shown, byte for byte in the same places; `None`: as it is.
    masked: Option<String>,
    /// Where each line starts, once it was asked for.
    lines: OnceLock<Vec<usize>>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

impl Eq for Source {}

/// The name alone: a text may hold secrets.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.name)
    }
}

/// Whether a diagnostic is a mistake or advice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not load.
    Error,
    /// It loads, and somebody should look.
    Warning,
}

/// Whether escape sequences for colour are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// As for a terminal.
    Always,
    /// Plain text.
    Never,
}

/// A stretch of a file, with what there is to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which file.
    pub source: Arc<Source>,
    /// Bytes of its text; `None` for the file as a whole.
    pub range: Option<Range<usize>>,
    /// What stands beside the carets; may be empty.
    pub label: String,
}

/// A mistake or an advice, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which kind of mistake.
    pub code: &'static Code,
    /// What is wrong, in one line.
    pub message: String,
    /// Where.
    pub place: Place,
    /// Further places that belong to it, such as the first of two equal names.
    pub related: Vec<Place>,
    /// What to write instead.
    pub help: Vec<String>,
}

/// Line and column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Source {
    /// The text of the file `name`, shown from now on under that name.
    pub fn new(name: &str, text: &str) -> Arc<Self> {
        Arc::new(Self { name: visible(name), text: without_mark(text).to_owned(), masked: None, lines: OnceLock::new() })
    }

    /// The same, where only what `mask` leaves of the text may be shown. It must keep every byte in its place.
    pub fn masked(name: &str, text: &str, mask: impl Fn(&str) -> String) -> Arc<Self> {
        let text = without_mark(text);
        Arc::new(Self { name: visible(name), text: text.to_owned(), masked: Some(mask(text)), lines: OnceLock::new() })
    }

    /// What may be shown of the text.
    fn shown(&self) -> &str {
        self.masked.as_deref().unwrap_or(&self.text)
    }

    /// Name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a line starts, counted from 0; the end of the text where it has fewer.
    pub(super) fn line_start(&self, line: usize) -> usize {
        self.lines.get_or_init(|| line_starts(&self.text)).get(line).copied().unwrap_or(self.text.len())
    }

    /// Line and column of a byte.
    pub fn position(&self, byte: usize) -> Position {
        let (lines, at) = (self.lines.get_or_init(|| line_starts(&self.text)), self.floor(byte));
        let line = lines.partition_point(|start| *start <= at);
        Position { line, column: self.text[lines[line - 1]..at].chars().count() + 1 }
    }

    /// The byte, or the nearest one before it at which a character starts.
    fn floor(&self, byte: usize) -> usize {
        let mut at = byte.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The whole lines that hold a range, and where they start.
    fn lines(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = self.text[range.end..].find('\n').map_or(self.text.len(), |at| range.end + at);
        start..end
    }
}

impl Place {
    /// A stretch of `source`.
    pub fn new(source: &Arc<Source>, range: Range<usize>) -> Self {
        let start = source.floor(range.start);
        let end = source.floor(range.end).max(start);
        Self { source: source.clone(), range: Some(start..end), label: String::new() }
    }

    /// A file as a whole.
    pub fn file(source: &Arc<Source>) -> Self {
        Self { source: source.clone(), range: None, label: String::new() }
    }

    /// The same place with a label.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// Where it is, without its text.
    fn origin(&self) -> annotate_snippets::Origin<'_> {
        let origin = annotate_snippets::Origin::path(self.source.name.as_str());
        let (start, _) = self.positions();
        if self.range.is_some() { origin.line(start.line).char_column(start.column) } else { origin }
    }

    /// First and last position; the first line for a whole file.
    pub fn positions(&self) -> (Position, Position) {
        let range = self.range.clone().unwrap_or(0..0);
        (self.source.position(range.start), self.source.position(range.end))
    }

    /// At most this many lines of a stretch are shown.
    const SHOWN_LINES: usize = 6;

    /// Lines that are longer in bytes are not shown: only where in them.
    const LONGEST_SHOWN: usize = 8 << 10;

    /// As much of the stretch as is shown, and the whole lines that hold that; `None` for a file as a whole, and where they are too long.
    fn shown(&self) -> Option<(Range<usize>, Range<usize>)> {
        let range = self.range.clone()?;
        let text = self.source.shown();
        let cut = text[range.clone()].match_indices('\n').nth(Self::SHOWN_LINES - 1).map_or(range.end, |(at, _)| range.start + at);
        let shown = range.start..cut;
        let lines = self.source.lines(&shown);
        (lines.len() <= Self::LONGEST_SHOWN).then_some((shown, lines))
    }

    /// The whole lines that hold the stretch, as they may be shown.
    pub fn lines(&self) -> Option<&str> {
        self.shown().map(|(_, lines)| self.source.shown()[lines].trim_end_matches('\r'))
    }

    /// The stretch itself, as it may be shown; `None` where it is not shown to its end.
    pub fn text(&self) -> Option<&str> {
        self.shown().filter(|(shown, _)| Some(shown) == self.range.as_ref()).map(|(shown, _)| &self.source.shown()[shown])
    }

    /// The lines to show and the stretch within them.
    fn snippet(&self, primary: bool) -> Option<Snippet<'_, annotate_snippets::Annotation<'_>>> {
        let (shown, lines) = self.shown()?;
        let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let within = shown.start - lines.start..shown.end - lines.start;
        let annotation = kind.span(within).label((!self.label.is_empty()).then_some(self.label.as_str()));
        let snippet = Snippet::source(self.source.shown()[lines].trim_end_matches('\r'));
        Some(snippet.path(self.source.name.as_str()).line_start(self.source.position(shown.start).line).annotation(annotation))
    }
}

impl Diagnostic {
    /// Says beside the carets what the place is.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.place.label = label.into();
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a further place.
    #[must_use]
    pub fn related(mut self, place: Place, label: &str) -> Self {
        self.related.push(place.labelled(label));
        self
    }

    /// Error or warning.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    /// As it may be shown: its words quote files and name addresses, and hold no secret of theirs afterwards.
    #[must_use]
    pub fn redacted(&self) -> Self {
        let place = |place: &Place| Place { label: redacted(&place.label), ..place.clone() };
        Self {
            code: self.code,
            message: redacted(&self.message),
            place: place(&self.place),
            related: self.related.iter().map(place).collect(),
            help: self.help.iter().map(|help| redacted(help)).collect(),
        }
    }

    /// As a compiler shows it: title, place, snippet, help.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Always => Renderer::styled(),
            Colour::Never => Renderer::plain(),
        };
        renderer.render(&[self.redacted().report()])
    }

    fn report(&self) -> Group<'_> {
        let level = match self.severity() {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()).id(self.code.id));
        group = match self.place.snippet(true) {
            Some(snippet) => group.element(snippet),
            None => group.element(self.place.origin()),
        };
        for place in &self.related {
            if let Some(snippet) = place.snippet(false) {
                group = group.element(snippet);
            }
        }
        self.help.iter().fold(group, |group, help| group.element(Level::HELP.message(help.as_str())))
    }

    /// As data, for `-o json`.
    pub fn to_json(&self) -> serde_json::Value {
        let shown = self.redacted();
        serde_json::json!({
            "code": shown.code.id,
            "severity": shown.severity(),
            "message": shown.message,
            "place": place_json(&shown.place),
            "related": shown.related.iter().map(place_json).collect::<Vec<_>>(),
            "help": shown.help,
        })
    }

    /// As an annotation of GitHub's workflow commands, in one line, of a file that the repository calls so.
    pub fn to_github(&self, file: &str) -> String {
        let shown = self.redacted();
        let (start, end) = shown.place.positions();
        let kind = match shown.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let text: Vec<&str> = std::iter::once(shown.message.as_str())
            .chain(Some(shown.place.label.as_str()).filter(|label| !label.is_empty()))
            .chain(shown.help.iter().map(String::as_str))
            .collect();
        format!(
            "::{kind} file={},line={},endLine={},col={},endColumn={},title={}::{}",
            github_property(file),
            start.line,
            end.line,
            start.column,
            end.column,
            shown.code.id,
            github_data(&text.join("\n"))
        )
    }
}

/// One line: code, message, place.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, _) = self.place.positions();
        write!(f, "{}:{}:{}: {} ({})", self.place.source.name, at.line, at.column, redacted(&self.message), self.code.id)
    }
}

/// The first line starts at 0, each other behind a line feed.
fn line_starts(text: &str) -> Vec<usize> {
    std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn place_json(place: &Place) -> serde_json::Value {
    let (start, end) = place.positions();
    serde_json::json!({
        "file": place.source.name,
        "start": { "line": start.line, "column": start.column },
        "end": { "line": end.line, "column": end.column },
        "bytes": place.range.as_ref().map(|range| [range.start, range.end]),
        "label": place.label,
        "text": place.lines(),
    })
}

/// What GitHub's runner unescapes in the text of a workflow command.
fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What GitHub's runner unescapes in a property of a workflow command.
fn github_property(text: &str) -> String {
    github_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The text with control characters and text direction overrides written out, so that it can be shown.
pub fn visible(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if is_hidden(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    })
}

/// Control characters, and the marks that reorder or hide what a person reads.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{061c}' | '\u{fff9}'..='\u{fffb}')
}
