//! A place within one line, and the words of the formats from there on.

use super::{Format, ParseError};

/// How much of what was found is shown in an error.
const SHOWN: usize = 20;

/// What is left of a line.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    whole: &'a str,
    rest: &'a str,
    line: usize,
    format: Format,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(whole: &'a str, line: usize, format: Format) -> Self {
        Self { whole, rest: whole, line, format }
    }

    pub(super) const fn line(&self) -> usize {
        self.line
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// An error here.
    pub(super) fn problem(&self, problem: &str) -> ParseError {
        let column = self.whole[..self.whole.len() - self.rest.len()].chars().count() + 1;
        ParseError { line: self.line, column, problem: problem.to_owned() }
    }

    /// The error that something else was expected here.
    pub(super) fn expected(&self, what: &str) -> ParseError {
        let found: String = self.rest.chars().take(SHOWN).collect();
        let found = if found.is_empty() { "the end of the line".to_owned() } else { format!("`{}`", found.escape_debug()) };
        self.problem(&format!("expected {what}, found {found}"))
    }

    /// Skips blanks and tabs where the format is free with them.
    pub(super) fn blanks(&mut self) {
        if self.format == Format::Text {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
        }
    }

    pub(super) fn literal(&mut self, text: &str) -> Result<(), ParseError> {
        self.rest = self.rest.strip_prefix(text).ok_or_else(|| self.expected(&format!("`{text}`")))?;
        Ok(())
    }

    /// What stands between two words.
    pub(super) fn separator(&mut self) -> Result<(), ParseError> {
        match self.format {
            Format::OpenMetrics => self.literal(" "),
            Format::Text if self.rest.starts_with([' ', '\t']) => {
                self.blanks();
                Ok(())
            }
            Format::Text => Err(self.expected("a blank")),
        }
    }

    /// What stands before the value: the text format needs no blank after a closing brace. After a bare name the name's own rule has
    /// already skipped it.
    pub(super) fn separator_after(&mut self, braced: bool) -> Result<(), ParseError> {
        match (self.format, braced) {
            (Format::OpenMetrics, _) => self.separator(),
            (Format::Text, true) => {
                self.blanks();
                Ok(())
            }
            (Format::Text, false) if self.whole[..self.whole.len() - self.rest.len()].ends_with([' ', '\t']) => Ok(()),
            (Format::Text, false) => Err(self.expected("a blank or `{` after the metric's name")),
        }
    }

    /// Whether a word follows after a separator, as against the end of the line or an exemplar.
    pub(super) fn more_after_separator(&self) -> bool {
        match self.format {
            Format::Text => !self.rest.trim_start_matches([' ', '\t']).is_empty(),
            Format::OpenMetrics => !self.rest.is_empty() && !self.rest.starts_with(" # "),
        }
    }

    /// Everything up to the next blank; empty at the end.
    pub(super) fn word(&mut self) -> &'a str {
        let end = self.rest.find([' ', '\t']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// The end of the line; the text format allows blanks before it.
    pub(super) fn end(&mut self) -> Result<(), ParseError> {
        self.blanks();
        if self.rest.is_empty() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }

    /// A decimal number, `NaN`, `+Inf` or `-Inf`.
    pub(super) fn number(&mut self, what: &str) -> Result<f64, ParseError> {
        let before = self.clone();
        self.word().parse().map_err(|_| before.expected(what))
    }

    /// The name of a metric, bare or in quotes.
    pub(super) fn metric_name(&mut self) -> Result<String, ParseError> {
        if self.peek() == Some('"') { self.quoted() } else { self.bare_metric_name() }
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    pub(super) fn bare_metric_name(&mut self) -> Result<String, ParseError> {
        self.name("a metric's name", |c| c.is_ascii_alphabetic() || c == '_' || c == ':')
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, or any text in quotes.
    pub(super) fn label_name(&mut self) -> Result<String, ParseError> {
        if self.peek() != Some('"') {
            return self.name("a label's name", |c| c.is_ascii_alphabetic() || c == '_');
        }
        let before = self.clone();
        match self.quoted()? {
            name if name.is_empty() => Err(before.expected("a label's name that is not empty")),
            name => Ok(name),
        }
    }

    fn name(&mut self, what: &str, begins: impl Fn(char) -> bool) -> Result<String, ParseError> {
        if !self.peek().is_some_and(&begins) {
            return Err(self.expected(what));
        }
        let end = self.rest.find(|c: char| !begins(c) && !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(name.to_owned())
    }

    /// Text in double quotes with the escapes `\\`, `\"` and `\n`.
    pub(super) fn quoted(&mut self) -> Result<String, ParseError> {
        self.literal("\"")?;
        let mut text = String::new();
        loop {
            let end = self.rest.find(['"', '\\']).ok_or_else(|| self.problem("expected a closing `\"` in this line"))?;
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end..];
            if self.rest.starts_with('"') {
                self.literal("\"")?;
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        let meaning = match self.rest.as_bytes().get(1) {
            Some(b'\\') => '\\',
            Some(b'"') => '"',
            Some(b'n') => '\n',
            Some(_) | None => return Err(self.expected("one of the escapes `\\\\`, `\\\"`, `\\n`")),
        };
        self.rest = &self.rest[2..];
        Ok(meaning)
    }

    /// The comma between labels.
    pub(super) fn comma_or_brace(&mut self) -> Result<(), ParseError> {
        self.rest = self.rest.strip_prefix(',').ok_or_else(|| self.expected("`,` or `}`"))?;
        Ok(())
    }

    /// Only the text format allows a comma after the last label.
    pub(super) fn no_brace_after_comma(&self) -> Result<(), ParseError> {
        match (self.format, self.peek()) {
            (Format::OpenMetrics, Some('}')) => Err(self.expected("a label after the comma")),
            (Format::OpenMetrics | Format::Text, _) => Ok(()),
        }
    }
}
