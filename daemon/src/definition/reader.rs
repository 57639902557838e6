//! Takes a tree apart and collects mistakes: unknown, missing and unsupported keys, values of the wrong kind. What is found is read on, so that one
//! mistake does not hide the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use burnward_core::id::NameError;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

use super::{
    codes::{self, Code},
    diagnostic::{Diagnostic, Place, Severity, Source, visible},
    duration::{self, DurationError},
    elsewhere,
    yaml::{Entry, Node, Value},
};

/// Reads one file.
#[derive(Debug)]
pub struct Reader {
    source: Arc<Source>,
    faults: Vec<Diagnostic>,
    errors: Kept,
    advice: Kept,
    asked: Asked,
}

/// What was asked for of mappings whose keys are not all known, as those of other tools: each key by where it stands.
#[derive(Debug, Default)]
pub struct Asked {
    /// Keys that were read.
    pub keys: BTreeSet<usize>,
    /// Mappings that were begun, by where they start and end.
    pub begun: BTreeSet<(usize, usize)>,
    /// Those of them that were read to the end.
    pub done: BTreeSet<(usize, usize)>,
    /// Keys that were looked for in each and are not in it.
    pub absent: BTreeMap<(usize, usize), BTreeSet<String>>,
}

/// How many diagnostics of a severity are kept, and how many are only counted: a file of mistakes alone is told by the first of them.
#[derive(Debug, Default)]
struct Kept {
    kept: usize,
    beyond: usize,
}

impl Kept {
    /// Whether one more is kept.
    const fn takes(&mut self, most: usize) -> bool {
        let takes = self.kept < most;
        if takes {
            self.kept += 1;
        } else {
            self.beyond += 1;
        }
        takes
    }
}

/// Most mistakes of a file that are shown.
const MOST_ERRORS: usize = 200;
/// Most advice of a file that is shown: one for each of the SLOs that it may hold.
const MOST_ADVICE: usize = 1000;

/// The keys that a mapping may have.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// What the mapping is, for messages: `an SLO`.
    pub of: &'static str,
    /// Keys that are read.
    pub known: &'static [&'static str],
    /// Keys of the format that this version does not act on, each with what is supported instead.
    pub later: &'static [(&'static str, &'static str)],
}

/// A mapping whose keys were checked.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'n> {
    entries: &'n [Entry],
    place: &'n Range<usize>,
    of: &'static str,
    known: &'static [&'static str],
}

impl<'n> Fields<'n> {
    /// The value of a key; `None` where it is absent.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A key with its value; `None` where it is absent.
    pub fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// All entries, in the author's order.
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    /// True where an unknown key is nearly `key`, or what other tools call it: it was collected with that advice, and `key` is not reported as missing, too.
    pub fn misspelt(&self, key: &str) -> bool {
        let unknown = self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str()));
        let meant = |entry: &Entry| elsewhere::meant(self.of, &entry.key).or_else(|| nearest(&entry.key, self.known));
        unknown.filter_map(meant).any(|meant| meant == key)
    }

    /// Where the mapping is blamed for what it lacks: its first key.
    pub fn place(&self) -> Range<usize> {
        self.entries.first().map_or_else(|| self.place.clone(), |entry| entry.key_range.clone())
    }
}

impl Reader {
    /// A reader of `source`.
    pub fn new(source: &Arc<Source>) -> Self {
        Self { source: source.clone(), faults: Vec::new(), errors: Kept::default(), advice: Kept::default(), asked: Asked::default() }
    }

    /// The file that is read.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// A place in the file.
    pub fn place(&self, range: Range<usize>) -> Place {
        Place::new(&self.source, range)
    }

    /// A new diagnostic, not yet collected.
    pub fn diagnostic(&self, code: &'static Code, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        let place = self.place(range);
        Diagnostic { code, message: message.into(), place, related: Vec::new(), help: Vec::new() }
    }

    /// Collects a diagnostic.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        let takes = match diagnostic.severity() {
            Severity::Error => self.errors.takes(MOST_ERRORS),
            Severity::Warning => self.advice.takes(MOST_ADVICE),
        };
        if takes {
            self.faults.push(diagnostic);
        }
    }

    /// Collects a diagnostic without a label or help.
    pub fn error(&mut self, code: &'static Code, range: Range<usize>, message: impl Into<String>) {
        let diagnostic = self.diagnostic(code, range, message);
        self.report(diagnostic);
    }

    /// What was asked for so far.
    pub const fn asked(&self) -> &Asked {
        &self.asked
    }

    /// The same, to be added to.
    pub const fn asked_mut(&mut self) -> &mut Asked {
        &mut self.asked
    }

    /// True where an error was collected.
    pub fn failed(&self) -> bool {
        self.errors.kept > 0
    }

    /// How many errors there are so far, those that are only counted among them.
    pub const fn errors(&self) -> usize {
        self.errors.kept + self.errors.beyond
    }

    /// How many diagnostics are kept so far.
    pub fn collected(&self) -> usize {
        self.faults.len()
    }

    /// Adds a further place to the diagnostics that are kept since there were so many.
    pub fn relate_since(&mut self, before: usize, place: &Place) {
        for fault in self.faults.iter_mut().skip(before) {
            fault.related.push(place.clone());
        }
    }

    /// What was collected, in the order of the file.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.faults.sort_by_key(|fault| fault.place.range.clone().map_or((0, 0), |range| (range.start, range.end)));
        let beyond = [
            (Severity::Error, self.errors.beyond, "more mistake", "more mistakes"),
            (Severity::Warning, self.advice.beyond, "more piece of advice", "more pieces of advice"),
        ];
        for (severity, beyond, one, many) in beyond {
            if let Some(last) = self.faults.iter_mut().rfind(|fault| beyond > 0 && fault.severity() == severity) {
                let are = if beyond == 1 { "is" } else { "are" };
                last.help.push(format!("{beyond} {what} of this file {are} not shown", what = if beyond == 1 { one } else { many }));
            }
        }
        self.faults
    }

    /// A mapping with these keys. Keys beside them are collected as mistakes.
    pub fn map<'n>(&mut self, node: &'n Node, keys: &Keys) -> Option<Fields<'n>> {
        self.map_beside(node, keys, |_| false)
    }

    /// The same, where `reported` tells of keys that were collected as mistakes already.
    pub fn map_beside<'n>(&mut self, node: &'n Node, keys: &Keys, reported: fn(&str) -> bool) -> Option<Fields<'n>> {
        let fields = self.entries_of(node, keys.of, &format!("its keys are: {}", keys.known.join(", ")))?;
        let fields = Fields { of: keys.of, known: keys.known, ..fields };
        for entry in fields.entries.iter().filter(|entry| !reported(&entry.key)) {
            self.check_key(entry, keys);
        }
        Some(fields)
    }

    /// A mapping whose keys are names that the author chose.
    pub fn any_map<'n>(&mut self, node: &'n Node, of: &str) -> Option<Fields<'n>> {
        self.entries_of(node, of, "write each entry as `name:`, with its keys indented below")
    }

    fn entries_of<'n>(&mut self, node: &'n Node, of: &str, help: &str) -> Option<Fields<'n>> {
        if let Value::Map(entries) = &node.value {
            return Some(Fields { entries, place: &node.range, of: "", known: &[] });
        }
        self.wrong_kind(node, &format!("{of} is a mapping"), help);
        None
    }

    fn wrong_kind(&mut self, node: &Node, wanted: &str, help: &str) {
        let message = format!("{wanted}, and {} stands here", kind(node));
        let diagnostic = self.diagnostic(&codes::WRONG_TYPE, node.range.clone(), message);
        self.report(diagnostic.help(help));
    }

    fn check_key(&mut self, entry: &Entry, keys: &Keys) {
        if keys.known.contains(&entry.key.as_str()) {
            return;
        }
        if let Some((key, instead)) = keys.later.iter().find(|(key, _)| *key == entry.key) {
            let message = format!("`{key}` is not supported in this version");
            let diagnostic = self.diagnostic(&codes::NOT_SUPPORTED, entry.key_range.clone(), message);
            self.report(diagnostic.help(*instead));
            return;
        }
        let message = format!("unknown key `{}`", shortened(&entry.key));
        let diagnostic = self.diagnostic(&codes::UNKNOWN_KEY, entry.key_range.clone(), message);
        let diagnostic = diagnostic.label(format!("not a key of {}", keys.of));
        self.report(match elsewhere::help(keys.of, &entry.key) {
            Some(help) => diagnostic.help(help),
            None => suggest(diagnostic, &entry.key, keys.known),
        });
    }

    /// The value of a key that must be there and not be empty.
    pub fn required<'n>(&mut self, fields: &Fields<'n>, key: &str, example: &str) -> Option<&'n Node> {
        match fields.entry(key) {
            Some(entry) if !entry.value.is_null() => Some(&entry.value),
            Some(entry) => {
                self.empty_value(entry, &format!("write `{key}: {example}`"));
                None
            }
            None if fields.misspelt(key) => None,
            None => {
                let diagnostic = self.diagnostic(&codes::MISSING_KEY, fields.place(), format!("the key `{key}` is missing"));
                self.report(diagnostic.label("in the mapping that starts here").help(format!("add `{key}: {example}`")));
                None
            }
        }
    }

    /// The value of a key that may be left out, but not be empty.
    pub fn optional<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Option<&'n Node> {
        let entry = fields.entry(key)?;
        if entry.value.is_null() {
            self.empty_value(entry, "give it one, or remove the key for the default");
            return None;
        }
        Some(&entry.value)
    }

    fn empty_value(&mut self, entry: &Entry, help: &str) {
        let message = format!("the key `{}` has no value", shortened(&entry.key));
        let diagnostic = self.diagnostic(&codes::WRONG_TYPE, entry.key_range.clone(), message);
        let rest = self.source.text()[entry.key_range.end..].lines().next().unwrap_or_default();
        let written = rest.trim_start_matches(['"', '\'']).trim_start_matches(':').trim_start();
        let help = match written.chars().next() {
            Some('#') => "put a value that starts with # into quotes: YAML takes it for a comment",
            Some('&') => "put a value that starts with & into quotes: YAML takes it for the name of an anchor",
            Some(_) | None => help,
        };
        self.report(diagnostic.help(help));
    }

    /// A list.
    pub fn list<'n>(&mut self, node: &'n Node, of: &str) -> Option<&'n [Node]> {
        if let Value::List(items) = &node.value {
            return Some(items);
        }
        self.wrong_kind(node, &format!("{of} is a list"), "write each entry on a line of its own after `- `, or all of them within [ ]");
        None
    }

    /// A text or a number, as it was written.
    pub fn text<'n>(&mut self, node: &'n Node, of: &str) -> Option<&'n str> {
        match &node.value {
            Value::Scalar { text, .. } if !node.is_null() => Some(text),
            Value::Scalar { .. } | Value::List(_) | Value::Map(_) => {
                self.wrong_kind(node, &format!("{of} is a text"), "write one value; a text that starts with [ or { needs quotes");
                None
            }
        }
    }

    /// A text of one line, with at most `longest` characters.
    pub fn line<'n>(&mut self, node: &'n Node, of: &str, longest: usize) -> Option<&'n str> {
        let text = self.text(node, of)?;
        if text.contains('\n') || text.chars().count() > longest || text.trim().is_empty() {
            self.error(&codes::WRONG_TYPE, node.range.clone(), format!("{of} is one line of 1 to {longest} characters"));
            return None;
        }
        Some(text)
    }

    /// A name of the alphabet that `parse` checks, and not a reserved one.
    pub fn name<T>(&mut self, node: &Node, of: &str, parse: impl Fn(&str) -> Result<T, NameError>) -> Option<T> {
        let text = self.text(node, of)?.to_owned();
        self.name_at(&text, node.range.clone(), of, parse)
    }

    /// The same for a text at a place of its own, such as a key.
    pub fn name_at<T>(&mut self, text: &str, range: Range<usize>, of: &str, parse: impl Fn(&str) -> Result<T, NameError>) -> Option<T> {
        if RESERVED.contains(&text) {
            let diagnostic = self.diagnostic(&codes::NAME, range, format!("`{text}` is a reserved name"));
            self.report(diagnostic.help(format!("choose another one, such as `{text}-1`")));
            return None;
        }
        if let Ok(name) = parse(text) {
            return Some(name);
        }
        let diagnostic = self.diagnostic(&codes::NAME, range, format!("`{}` is not {of}", shortened(text)));
        let diagnostic = diagnostic.label("use 1 to 63 characters of a-z, 0-9 and -, starting with a letter or digit");
        let proposal = name_proposal(text);
        self.report(if proposal.is_empty() { diagnostic } else { diagnostic.help(format!("for example `{proposal}`")) });
        None
    }

    /// A duration.
    pub fn duration(&mut self, node: &Node, of: &str) -> Option<std::time::Duration> {
        let text = self.text(node, of)?;
        match duration::parse(text) {
            Ok(span) => Some(span),
            Err(error) => {
                let diagnostic = self.diagnostic(&codes::DURATION, node.range.clone(), format!("{of}: {error}"));
                self.report(diagnostic.help(duration_help(error)));
                None
            }
        }
    }

    /// A duration within bounds.
    pub fn duration_within(
        &mut self,
        node: &Node,
        of: &str,
        bounds: std::ops::RangeInclusive<std::time::Duration>,
    ) -> Option<std::time::Duration> {
        let span = self.duration(node, of)?;
        if bounds.contains(&span) {
            return Some(span);
        }
        let (least, most) = (duration::format(*bounds.start()), duration::format(*bounds.end()));
        self.error(&codes::INTERVAL, node.range.clone(), format!("{of} lies between {least} and {most}"));
        None
    }
}

/// Names that other systems give a meaning of their own.
pub(crate) const RESERVED: [&str; 5] = ["con", "prn", "aux", "nul", "metrics"];

fn duration_help(error: DurationError) -> &'static str {
    match error {
        DurationError::Ambiguous => "write 30d for thirty days, or 1m for a minute",
        DurationError::Fraction(_)
        | DurationError::NoUnit
        | DurationError::Malformed
        | DurationError::TooLong
        | DurationError::Negative
        | DurationError::Zero => "write a whole number with a unit: ms, s, m, h, d or w, such as 5m or 30d",
    }
}

/// What a value is, for messages.
fn kind(node: &Node) -> &'static str {
    match &node.value {
        Value::Scalar { .. } if node.is_null() => "nothing",
        Value::Scalar { .. } => "a text",
        Value::List(_) => "a list",
        Value::Map(_) => "a mapping",
    }
}

/// Untrusted text in a message: visible, and not longer than a line.
pub fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    let shown: String = visible(text).chars().take(LONGEST).collect();
    if text.chars().count() > LONGEST { format!("{shown}…") } else { shown }
}

/// Adds the nearest known word, or all of them.
pub fn suggest(diagnostic: Diagnostic, word: &str, known: &[&str]) -> Diagnostic {
    match nearest(word, known) {
        Some(candidate) => diagnostic.help(format!("did you mean `{candidate}`?")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("known are: {}", known.join(", "))),
    }
}

/// The known word that is spelt nearly the same; case and underscores do not count.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase().replace('_', "-");
    let (length, most) = (word.chars().count(), |candidate: &str| 2.max(candidate.len() / 3));
    // Words whose lengths differ by more are not near, however long a word a file has.
    let comparable = known.iter().filter(|candidate| candidate.chars().count().abs_diff(length) <= most(candidate));
    let distances = comparable.map(|candidate| (strsim::osa_distance(candidate, &word), *candidate));
    let close = |&(distance, candidate): &(usize, &str)| distance <= most(candidate) && distance < word.len().min(candidate.len());
    distances.filter(close).min().map(|(_, candidate)| candidate)
}

/// The nearest legal name, letters without their marks; empty where nothing is left.
pub(crate) fn name_proposal(text: &str) -> String {
    let lower = text.to_lowercase().replace('ß', "ss");
    let letters = lower.nfd().filter(|c| !is_combining_mark(*c));
    let mapped: String = letters.map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).collect();
    let words: Vec<&str> = mapped.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(63).collect()
}
