//! Puts values where a template names its parameters as `$(name)`: into texts, as whole values, and into queries.
//!
//! Nothing is pasted into a query. Within the quotes of a matcher stands the value of a label, escaped for the quotes that it is in and, where the matcher is
//! a regular expression, so that it matches itself alone; outside of quotes stands a selector that was parsed and is printed anew, a duration, or a number,
//! and none of them beside a word that it would be joined to. A value is never looked at for parameters of its own. `$$(` stands for `$(`.

use std::ops::Range;

use super::parameter::{Given, Type, is_name, joins};
use crate::definition::{
    codes::{self, Code},
    reader::shortened,
};

/// What a value of a template is, by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text or a word: any part of it may be a parameter.
    Words,
    /// A selector or an expression.
    Query,
    /// One value: where it is a parameter, the whole of it is, and of one of these types.
    Whole(&'static [Type]),
}

/// Keys of queries, within `sli:`.
const QUERIES: [&str; 7] = ["bad", "good", "total", "histogram", "series", "expr", "probe"];

impl Kind {
    /// Of the value of a key.
    pub(super) fn of(key: &str, within_sli: bool) -> Self {
        match key {
            _ if within_sli && QUERIES.contains(&key) => Self::Query,
            "target" | "good-if-at-least" | "weight" => Self::Whole(&[Type::Percent]),
            "window" => Self::Whole(&[Type::Duration, Type::Text]),
            "within" | "tolerated" | "slice" | "slices" | "step" | "after" | "long" | "short" => Self::Whole(&[Type::Duration]),
            "threshold" | "burn-rate" => Self::Whole(&[Type::Number]),
            _ => Self::Words,
        }
    }
}

/// What keeps a parameter from standing somewhere.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static Code,
    pub(super) message: String,
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    pub(super) help: String,
    /// The parameter, where there is one of the name.
    pub(super) parameter: Option<String>,
    /// The name, where there is none.
    pub(super) unknown: Option<String>,
}

/// A text with its parameters put in.
#[derive(Debug, PartialEq)]
pub(super) struct Filled<'v> {
    pub(super) text: String,
    /// The values that it holds, each once, in order.
    pub(super) values: Vec<&'v Given>,
    /// The names of their parameters.
    pub(super) names: Vec<String>,
}

/// Puts values into a text.
///
/// # Errors
/// The first parameter that cannot stand where it does.
pub(super) fn fill<'v>(text: &str, kind: Kind, value: &dyn Fn(&str) -> Option<&'v Given>) -> Result<Filled<'v>, Fault> {
    let mut filled = Filled { text: String::with_capacity(text.len()), values: Vec::new(), names: Vec::new() };
    let mut scan = Scan { text, at: 0, quote: None };
    while let Some(part) = scan.next(kind == Kind::Query)? {
        match part {
            Part::Literal(literal) => filled.text.push_str(literal),
            Part::Parameter { name, range, within } => {
                let given = value(name).ok_or_else(|| unknown(name, &range))?;
                let use_of = Use { text, name, range, within, given };
                let taken = use_of.put(kind, &mut filled.text)?;
                scan.at = taken;
                if !filled.values.contains(&given) {
                    filled.values.push(given);
                }
                filled.names.push(name.to_owned());
            }
        }
    }
    Ok(filled)
}

fn unknown(name: &str, at: &Range<usize>) -> Fault {
    let message = format!("the template has no parameter `{}`", shortened(name));
    Fault { code: &codes::UNKNOWN_PARAMETER, message, at: at.clone(), help: String::new(), parameter: None, unknown: Some(name.to_owned()) }
}

/// The quotes of PromQL that a place is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quotes {
    mark: u8,
    /// What the text in them is: the value of a matcher that is equal or a regular expression, or something else.
    of: Quoted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Value,
    Regex,
    Other,
}

enum Part<'t> {
    Literal(&'t str),
    Parameter { name: &'t str, range: Range<usize>, within: Option<Quotes> },
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    quote: Option<Quotes>,
}

impl<'t> Scan<'t> {
    /// The next stretch: up to the next parameter, or that itself.
    fn next(&mut self, is_query: bool) -> Result<Option<Part<'t>>, Fault> {
        let (text, start) = (self.text, self.at);
        let bytes = text.as_bytes();
        while self.at < bytes.len() {
            // Bytes, for a query is looked at byte by byte: what is looked for begins where a character does.
            let rest = &bytes[self.at..];
            if rest.starts_with(b"$$(") && self.at > start {
                return Ok(Some(Part::Literal(&text[start..self.at])));
            }
            if rest.starts_with(b"$$(") {
                self.at += "$$(".len();
                return Ok(Some(Part::Literal("$(")));
            }
            if rest.starts_with(b"$(") {
                if self.at > start {
                    return Ok(Some(Part::Literal(&text[start..self.at])));
                }
                return self.parameter().map(Some);
            }
            let step = if is_query { self.query_step(bytes) } else { 1 };
            self.at = (self.at + step).min(bytes.len());
        }
        Ok((self.at > start).then(|| Part::Literal(&text[start..])))
    }

    /// Looks at one byte of a query; how many are passed.
    fn query_step(&mut self, bytes: &[u8]) -> usize {
        let byte = bytes[self.at];
        match self.quote {
            Some(Quotes { mark, .. }) if byte == mark => self.quote = None,
            Some(Quotes { mark, .. }) if byte == b'\\' && mark != b'`' => return 2,
            None if matches!(byte, b'"' | b'\'' | b'`') => self.quote = Some(Quotes { mark: byte, of: before(&self.text[..self.at]) }),
            None if byte == b'#' => return self.text[self.at..].find('\n').unwrap_or(bytes.len() - self.at),
            Some(_) | None => {}
        }
        1
    }

    fn parameter(&mut self) -> Result<Part<'t>, Fault> {
        let (text, start) = (self.text, self.at);
        let inner = &text[start + "$(".len()..];
        let name = inner.find(')').map(|end| &inner[..end]).filter(|name| is_name(name));
        let Some(name) = name else {
            let message = "`$(` begins the name of a parameter, and none follows".to_owned();
            let help = "write `$(name)`, or `$$(` for the two characters themselves".to_owned();
            return Err(Fault { code: &codes::UNKNOWN_PARAMETER, message, at: start..start + 2, help, parameter: None, unknown: None });
        };
        self.at = start + "$()".len() + name.len();
        Ok(Part::Parameter { name, range: start..self.at, within: self.quote })
    }
}

/// What stands in quotes that open behind this text.
fn before(text: &str) -> Quoted {
    match text.trim_end() {
        text if text.ends_with("=~") || text.ends_with("!~") => Quoted::Regex,
        text if text.ends_with('=') && !text.ends_with("==") => Quoted::Value,
        _ => Quoted::Other,
    }
}

/// A parameter where it stands.
struct Use<'t, 'v> {
    text: &'t str,
    name: &'t str,
    range: Range<usize>,
    within: Option<Quotes>,
    given: &'v Given,
}

impl Use<'_, '_> {
    /// Puts the value in; where the text goes on behind it.
    fn put(&self, kind: Kind, out: &mut String) -> Result<usize, Fault> {
        match (kind, self.within) {
            (Kind::Words, _) if self.given.kind == Type::Selector => Err(self.misplaced()),
            (Kind::Whole(types), _) if !types.contains(&self.given.kind) => {
                let wanted: Vec<&str> = types.iter().map(|kind| kind.word()).collect();
                Err(self.fault(format!("here stands a {}, and `{}` is a {}", wanted.join(" or a "), self.name, self.given.kind.word()), ""))
            }
            (Kind::Whole(_), _) if self.range != (0..self.text.len()) => Err(self.fault(
                format!("`{}` is a part of a value that is one parameter or none", self.name),
                "make the whole value the parameter",
            )),
            (Kind::Words | Kind::Whole(_), _) => Ok(self.push(out, &self.given.text)),
            (Kind::Query, Some(quotes)) => self.put_in_quotes(quotes, out),
            (Kind::Query, None) => self.put_in_query(out),
        }
    }

    fn push(&self, out: &mut String, text: &str) -> usize {
        out.push_str(text);
        self.range.end
    }

    fn put_in_quotes(&self, quotes: Quotes, out: &mut String) -> Result<usize, Fault> {
        if self.given.kind != Type::LabelValue {
            return Err(self.misplaced());
        }
        let text = match quotes.of {
            Quoted::Value => self.given.text.clone(),
            Quoted::Regex => as_regex(&self.given.text),
            Quoted::Other => {
                return Err(
                    self.fault(format!("`{}` stands in quotes that are not those of a matcher", self.name), self.given.kind.places())
                );
            }
        };
        match quotes.mark {
            b'`' => Err(self.fault(format!("`{}` stands between backticks, where nothing can be escaped", self.name), "use double quotes")),
            mark => Ok(self.push(out, &escaped(&text, char::from(mark)))),
        }
    }

    fn put_in_query(&self, out: &mut String) -> Result<usize, Fault> {
        let bytes = self.text.as_bytes();
        let (before, behind) = (self.range.start.checked_sub(1).map(|at| bytes[at]), bytes.get(self.range.end).copied());
        let joined = |byte: u8| joins(byte) && !(self.given.kind == Type::Duration && byte == b':');
        if before.into_iter().chain(behind).any(joined) || self.text[self.range.end..].starts_with("$(") {
            return Err(
                self.fault(format!("`{}` would be joined to what is beside it", self.name), "put a space or a bracket between them")
            );
        }
        match self.given.kind {
            Type::Number if self.given.text.starts_with('-') => Ok(self.push(out, &format!("({})", self.given.text))),
            Type::Duration | Type::Number => Ok(self.push(out, &self.given.text)),
            Type::Selector => Ok(self.put_selector(out)),
            Type::Text | Type::LabelValue | Type::Percent => Err(self.misplaced()),
        }
    }

    /// A selector, with the matchers that follow it joined to its own.
    fn put_selector(&self, out: &mut String) -> usize {
        let rest = &self.text[self.range.end..];
        let more = rest.trim_start();
        let braces = rest.len() - more.len() + self.range.end;
        let selector = self.given.text.as_str();
        match (more.strip_prefix('{'), selector.strip_suffix('}')) {
            (Some(inner), Some(own)) if !inner.trim_start().starts_with('}') => {
                out.push_str(own);
                out.push_str(", ");
                braces + 1
            }
            (Some(inner), Some(_)) => {
                out.push_str(selector);
                braces + 1 + inner.find('}').map_or(0, |end| end + 1)
            }
            (Some(_), None) => {
                out.push_str(selector);
                braces
            }
            (None, _) => self.push(out, selector),
        }
    }

    fn misplaced(&self) -> Fault {
        self.fault(format!("`{}` cannot stand here", self.name), self.given.kind.places())
    }

    fn fault(&self, message: String, help: &str) -> Fault {
        let parameter = Some(self.name.to_owned());
        Fault { code: &codes::PARAMETER_PLACE, message, at: self.range.clone(), help: help.to_owned(), parameter, unknown: None }
    }
}

/// A regular expression that matches this text alone.
fn as_regex(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// A text as it stands between quotes of PromQL.
fn escaped(text: &str, mark: char) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c == '\\' || c == mark {
            out.push('\\');
        }
        out.push(c);
        out
    })
}
