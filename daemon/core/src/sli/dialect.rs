//! The regular expressions of Prometheus (RE2 as Go has it, Perl flags) written for our engine. Only what means the same on both sides is
//! translated; anything else is `Outside` and must be asked of the server. Nothing here backtracks.
//!
//! Sources: Go `regexp/syntax` (flags `Perl`), Prometheus `model/labels/matcher.go` and `regexp.go`: `^(?:re)$` in 2.x, `^(?s:re)$` from 3.0.

use std::{
    collections::BTreeMap,
    iter::Peekable,
    str::Chars,
    sync::{Mutex, PoisonError},
};

use regex::{Regex, RegexBuilder};

/// Memory that one compiled expression may take.
const SIZE_LIMIT: usize = 512 * 1024;

/// The most repetitions that Go allows in `{n,m}`.
const MAX_REPEAT: u32 = 1000;

/// What `.` does with a newline: the one point where the versions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Dialect {
    /// Prometheus 2: `.` matches everything but a newline.
    #[default]
    Prometheus2,
    /// Prometheus 3: `.` matches a newline too.
    Prometheus3,
}

/// The expression is wrong, too large, or not known to mean the same here as in Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression lies outside of what can be matched locally")]
pub struct Outside;

/// So many compiled expressions are remembered, of this length at most.
const REMEMBERED: (usize, usize) = (64, 256);

/// Expressions that were compiled lately: documents are full of the same few, each of which takes half a millisecond.
static COMPILED: Mutex<BTreeMap<(String, Dialect), Result<Regex, Outside>>> = Mutex::new(BTreeMap::new());

/// The expression as Prometheus matches it: anchored on both sides.
pub fn compile(pattern: &str, dialect: Dialect) -> Result<Regex, Outside> {
    let (most, longest) = REMEMBERED;
    if pattern.len() > longest {
        return compile_anew(pattern, dialect);
    }
    let known = || COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (pattern.to_owned(), dialect);
    if let Some(compiled) = known().get(&key).cloned() {
        return compiled;
    }
    let compiled = compile_anew(pattern, dialect);
    let mut known = known();
    if known.len() >= most {
        known.clear();
    }
    known.insert(key, compiled.clone());
    compiled
}

fn compile_anew(pattern: &str, dialect: Dialect) -> Result<Regex, Outside> {
    let translated = Translator { rest: pattern.chars().peekable(), out: String::with_capacity(pattern.len() + 8), copies: 1 }.run()?;
    let anchored = match dialect {
        Dialect::Prometheus2 => format!("^(?:{translated})$"),
        Dialect::Prometheus3 => format!("^(?s:{translated})$"),
    };
    RegexBuilder::new(&anchored).size_limit(SIZE_LIMIT).nest_limit(100).build().map_err(|_| Outside)
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    /// All counted repetitions multiplied. Go refuses nested ones whose product is too large; side by side they would be fine there, and are
    /// left to the server all the same.
    copies: u32,
}

impl Translator<'_> {
    fn run(mut self) -> Result<String, Outside> {
        let mut depth = 0_i32;
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => {
                    depth += 1;
                    if self.group()? == Opened::FlagsOnly {
                        depth -= 1;
                    }
                }
                ')' => {
                    depth -= 1;
                    if depth < 0 {
                        return Err(Outside);
                    }
                    self.out.push(')');
                }
                '*' | '+' | '?' => self.repeat(&c.to_string())?,
                '{' => self.brace()?,
                '^' | '$' | '|' | '.' => self.out.push(c),
                literal => self.literal(literal),
            }
        }
        if depth == 0 { Ok(self.out) } else { Err(Outside) }
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&hex(c));
    }

    /// A repetition, perhaps lazy. Go refuses one that follows another.
    fn repeat(&mut self, operator: &str) -> Result<(), Outside> {
        self.out.push_str(operator);
        if self.rest.next_if_eq(&'?').is_some() {
            self.out.push('?');
        }
        match self.rest.peek().copied() {
            Some('*' | '+' | '?') => Err(Outside),
            Some('{') if self.bounds().is_some() => Err(Outside),
            Some(_) | None => Ok(()),
        }
    }

    /// `{n}`, `{n,}`, `{n,m}`; anything else is a literal brace.
    fn brace(&mut self) -> Result<(), Outside> {
        let mut ahead = self.rest.clone();
        let Some((bounds, len)) = bounds(&mut ahead) else {
            self.literal('{');
            return Ok(());
        };
        if bounds.0 > MAX_REPEAT || bounds.1.is_some_and(|most| most > MAX_REPEAT || most < bounds.0) {
            return Err(Outside);
        }
        self.copies = self.copies.saturating_mul(bounds.1.unwrap_or(bounds.0).max(1));
        if self.copies > MAX_REPEAT {
            return Err(Outside);
        }
        let text: String = self.rest.by_ref().take(len).collect();
        self.repeat(&format!("{{{text}"))
    }

    fn bounds(&self) -> Option<((u32, Option<u32>), usize)> {
        let mut ahead = self.rest.clone();
        ahead.next();
        bounds(&mut ahead)
    }

    /// What follows `(`: a plain group, `(?:`, `(?P<name>`, or flags of both engines.
    fn group(&mut self) -> Result<Opened, Outside> {
        if self.rest.next_if_eq(&'?').is_none() {
            self.out.push('(');
            return Ok(Opened::Group);
        }
        if self.rest.next_if_eq(&'P').is_some() {
            return self.named_group();
        }
        let mut flags = String::new();
        loop {
            match self.rest.next() {
                Some(c @ ('i' | 'm' | 's' | 'U' | '-')) => flags.push(c),
                Some(end @ (':' | ')')) => {
                    if flags.ends_with('-') || (flags.is_empty() && end == ')') {
                        return Err(Outside);
                    }
                    self.out.push_str("(?");
                    self.out.push_str(&flags);
                    self.out.push(end);
                    return Ok(if end == ':' { Opened::Group } else { Opened::FlagsOnly });
                }
                Some(_) | None => return Err(Outside),
            }
        }
    }

    /// The name changes nothing for a match, so the group becomes a plain one.
    fn named_group(&mut self) -> Result<Opened, Outside> {
        let name: String = self.rest.by_ref().take_while(|c| *c != '>').collect();
        let word = name.strip_prefix('<').ok_or(Outside)?;
        if word.is_empty() || !word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Outside);
        }
        self.out.push('(');
        Ok(Opened::Group)
    }

    fn escape(&mut self) -> Result<(), Outside> {
        let c = self.rest.next().ok_or(Outside)?;
        if let Some(class) = perl_class(c) {
            self.out.push_str(class);
            return Ok(());
        }
        match c {
            'A' => self.out.push_str("\\A"),
            'z' => self.out.push_str("\\z"),
            'b' => self.out.push_str("(?-u:\\b)"),
            'Q' => self.quoted()?,
            _ => {
                let literal = self.escaped_char(c)?;
                self.literal(literal);
            }
        }
        Ok(())
    }

    /// `\Q...\E`: all of it literal. Without its end it would swallow the bracket that Prometheus puts around the expression.
    fn quoted(&mut self) -> Result<(), Outside> {
        while let Some(c) = self.rest.next() {
            if c == '\\' && self.rest.next_if_eq(&'E').is_some() {
                return Ok(());
            }
            self.literal(c);
        }
        Err(Outside)
    }

    /// The character that `\c` stands for, inside and outside of a class.
    fn escaped_char(&mut self, c: char) -> Result<char, Outside> {
        match c {
            'a' => Ok('\x07'),
            'f' => Ok('\x0c'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\x0b'),
            'x' => self.hex_char(),
            punctuation if punctuation.is_ascii() && !punctuation.is_ascii_alphanumeric() => Ok(punctuation),
            _ => Err(Outside),
        }
    }

    fn hex_char(&mut self) -> Result<char, Outside> {
        let digits: String = if self.rest.next_if_eq(&'{').is_some() {
            self.rest.by_ref().take_while(|c| *c != '}').collect()
        } else {
            self.rest.by_ref().take(2).collect()
        };
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(Outside);
        }
        u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).ok_or(Outside)
    }

    fn class(&mut self) -> Result<(), Outside> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let c = self.rest.next().ok_or(Outside)?;
            match c {
                ']' if !first => break,
                '[' if self.rest.peek() == Some(&':') => self.posix_class()?,
                '\\' => self.class_escape()?,
                literal => self.class_range(literal)?,
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn class_escape(&mut self) -> Result<(), Outside> {
        let c = self.rest.next().ok_or(Outside)?;
        if let Some(class) = perl_class(c) {
            self.out.push_str(class);
            return Ok(());
        }
        let low = self.escaped_char(c)?;
        self.class_range(low)
    }

    /// A single character or `low-high`.
    fn class_range(&mut self, low: char) -> Result<(), Outside> {
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|c| c != ']');
        self.literal(low);
        if !is_range {
            return Ok(());
        }
        self.rest.next();
        let high = match self.rest.next().ok_or(Outside)? {
            '\\' => {
                let c = self.rest.next().ok_or(Outside)?;
                self.escaped_char(c)?
            }
            c => c,
        };
        if high < low {
            return Err(Outside);
        }
        self.out.push('-');
        self.literal(high);
        Ok(())
    }

    /// `[:alpha:]` within a class; ASCII on both sides.
    fn posix_class(&mut self) -> Result<(), Outside> {
        const NAMES: [&str; 14] =
            ["alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word", "xdigit"];
        self.rest.next();
        let body: String = self.rest.by_ref().take_while(|c| *c != ':').collect();
        let known = NAMES.contains(&body.strip_prefix('^').unwrap_or(&body));
        if !known || self.rest.next() != Some(']') {
            return Err(Outside);
        }
        self.out.push_str("[:");
        self.out.push_str(&body);
        self.out.push_str(":]");
        Ok(())
    }
}

#[derive(PartialEq, Eq)]
enum Opened {
    Group,
    FlagsOnly,
}

/// The bounds of a repetition and how many characters they take with the closing brace.
fn bounds(rest: &mut Peekable<Chars<'_>>) -> Option<((u32, Option<u32>), usize)> {
    let mut text = String::new();
    loop {
        match rest.next()? {
            '}' => break,
            c if c.is_ascii_digit() || c == ',' => text.push(c),
            _ => return None,
        }
    }
    let number = |digits: &str| if digits.len() > 1 && digits.starts_with('0') { None } else { digits.parse::<u32>().ok() };
    let parsed = match text.split_once(',') {
        None => (number(&text)?, Some(number(&text)?)),
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
    };
    Some((parsed, text.len() + 1))
}

/// The ASCII meaning of `\d` and its kin, as a class that may also stand within a class.
fn perl_class(c: char) -> Option<&'static str> {
    match c {
        'd' => Some("[0-9]"),
        'D' => Some("[^0-9]"),
        'w' => Some("[0-9A-Za-z_]"),
        'W' => Some("[^0-9A-Za-z_]"),
        's' => Some("[\\t\\n\\f\\r ]"),
        'S' => Some("[^\\t\\n\\f\\r ]"),
        _ => None,
    }
}

/// A literal character in a spelling without special meaning anywhere.
fn hex(c: char) -> String {
    if c.is_ascii_alphanumeric() || c == '_' { c.to_string() } else { format!("\\x{{{:X}}}", u32::from(c)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let regex = compile(pattern, Dialect::Prometheus2).expect(pattern);
        for text in matching {
            assert!(regex.is_match(text), "{pattern} must match {text:?}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{pattern} must not match {text:?}");
        }
    }

    #[test]
    fn expressions_are_anchored_on_both_sides() {
        check("5..", &["500", "5ab"], &["1500", "5000", "5\n0", ""]);
        check("a|b", &["a", "b"], &["ab", "xa"]);
        check("", &[""], &["a"]);
        check("^a$", &["a"], &["a\n"]);
    }

    #[test]
    fn perl_classes_are_ascii() {
        check(r"\d+", &["42"], &["٤٢"]);
        check(r"\w", &["a", "_"], &["é"]);
        check(r"[^\W\d]", &["a"], &["1", "-"]);
        check(r"\s", &[" ", "\n"], &["\u{a0}", "\u{b}"]);
        check(r"x\b.*", &["x-", "xé"], &["xy"]);
    }

    #[test]
    fn what_is_special_only_in_our_engine_stays_literal() {
        check("[[]", &["["], &["]"]);
        check("[a&&b]", &["&", "a", "b"], &["c"]);
        check("[a~~b]", &["~"], &["c"]);
        check("[]a]", &["]", "a"], &["["]);
        check("[a-]", &["-", "a"], &["b"]);
        check("a{,2}", &["a{,2}"], &["aa", ""]);
        check("a{x}", &["a{x}"], &["a"]);
        check("{}", &["{}"], &[]);
        check("a#b c", &["a#b c"], &[]);
        check(r"\_\-\/\@", &["_-/@"], &[]);
        check(r"\Qa.b*\E+", &["a.b*", "a.b**"], &["axb"]);
        check("[[:digit:]a]{2}", &["1a"], &["b1"]);
        check("(?i)GET|(?P<x>put)", &["get", "PUT"], &["post"]);
    }

    #[test]
    fn what_may_differ_is_outside() {
        for pattern in [
            r"\Qa.b",
            "(a{1000}){2}",
            "(?:a{100}){11}",
            r"\pL",
            r"\p{Greek}",
            r"\B",
            r"\1",
            r"\C",
            "a**",
            "a{2}{3}",
            "a{1001}",
            "(?x)a",
            "(?u)a",
            "(?<n>a)",
            "(a",
            "a)",
            "[a",
            r"\",
            "*",
            "[z-a]",
            "(?=a)",
        ] {
            assert_eq!(compile(pattern, Dialect::Prometheus2).map(|_| ()), Err(Outside), "{pattern}");
        }
        assert!(compile(&"(?:a{1000}){1000}".repeat(2), Dialect::Prometheus2).is_err());
    }

    #[test]
    fn dot_and_newline_follow_the_version() {
        assert!(!compile("a.b", Dialect::Prometheus2).expect("legal").is_match("a\nb"));
        assert!(compile("a.b", Dialect::Prometheus3).expect("legal").is_match("a\nb"));
    }
}
