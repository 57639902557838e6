//! PromQL text to a plain counter selector, or what to write instead.
//!
//! The text is scanned before it is parsed: only `name{matchers}` gets as far as the parser. Anything that nests or computes ends in the scan, so that
//! the parser, whose stack grows with the depth of an expression, is never given any depth; and the advice can point at the character.

use std::{fmt, ops::Range};

use burnward_core::sli::{MatchOp, Matcher, Selector};
use promql_parser::{
    label::{MatchOp as ParsedOp, Matcher as ParsedMatcher},
    parser::{self, Expr, VectorSelector},
};

use super::{
    codes::{self, Code},
    reader::shortened,
};

/// Longest selector, in bytes.
const MAX_BYTES: usize = 8 << 10;
const METRIC_LABEL: &str = "__name__";

/// Why a text is not a plain selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: &'static Code,
    pub(super) message: String,
    /// Bytes of the text; `None`: all of it.
    pub(super) at: Option<Range<usize>>,
    pub(super) help: &'static str,
}

const PLAIN: &str = "write a plain counter selector, such as 'http_requests_total{job=\"checkout\"}'";
const NO_FUNCTION: &str = "write the plain counter selector alone: rate(), increase() and sum() are not needed";
const PLAIN_PROBE: &str = "write the gauge of 0 and 1 alone, such as 'probe_success{job=\"blackbox\"}'";
const NO_FUNCTION_OF_PROBE: &str =
    "write the gauge of 0 and 1 alone, such as 'probe_success{job=\"blackbox\"}': avg_over_time() and sum() are not needed";
const NO_RATIO: &str = "the ratio is computed here: name the two counters, `bad` (or `good`) and `total`";
const ESCAPES: &str = "within a quoted text of PromQL a backslash is written twice, as in code=~\"5\\\\d\\\\d\", or once between backticks; put the whole query into single quotes";
const NO_RANGE: &str = "remove it: what is read follows from the window and the alert rows";
const SUM_BY_LIST: &str = "use a regular expression such as code=~\"500|503\", or a YAML list of selectors, which are added";
const ALTERNATIVES: &str = "the series are read one by one and counted here, so which ones they are must be known: use a regular expression such as code=~\"500|503\", or a YAML list of selectors, which are added; what the source alone understands stands in an SLI of kind `query`";
const TEMPLATES: &str = "the series are read one by one and counted here, so which ones they are must be known: write the selector out; what the source alone understands stands in an SLI of kind `query`";
const FAITHFUL: &str = "use printable characters";
const CLASSIC: &str =
    "names beyond a-z, A-Z, 0-9 and _ stand within the braces in double quotes: {\"http.requests\", \"service.name\"=\"shop\"}";

impl Fault {
    fn new(code: &'static Code, message: impl Into<String>, help: &'static str) -> Self {
        Self { code, message: message.into(), at: None, help }
    }

    /// The same where a probe is to stand, and no counter.
    pub(super) fn of_probe(mut self) -> Self {
        self.help = match self.help {
            PLAIN => PLAIN_PROBE,
            NO_FUNCTION => NO_FUNCTION_OF_PROBE,
            other => other,
        };
        self
    }

    fn at(mut self, range: Range<usize>) -> Self {
        self.at = Some(range);
        self
    }
}

/// Reads `name{matchers}`.
pub(super) fn parse(text: &str) -> Result<Selector, Fault> {
    if text.len() > MAX_BYTES {
        let message = format!("the selector has {} bytes; at most {MAX_BYTES} are allowed", text.len());
        return Err(Fault::new(&codes::SELECTOR_SIZE, message, "use a regular expression or a YAML list of selectors"));
    }
    let selector = parse_scanned(&scan(text)?)?;
    faithful(&selector)?;
    Ok(selector)
}

/// Reads `name{matchers}` whose name may be left out: `{job="checkout"}`.
///
/// # Errors
/// What is wrong with it, and what to write instead.
pub(crate) fn parse_any(text: &str) -> Result<Selector, String> {
    let text = text.trim();
    let nameless = text.starts_with('{') && !text.contains(METRIC_LABEL);
    let named = if nameless { format!("any{text}") } else { text.to_owned() };
    let selector = parse(&named).map_err(|fault| format!("{}: {}", fault.message, fault.help))?;
    Ok(if nameless { Selector::new("", selector.matchers().to_vec()) } else { selector })
}

/// Whether a selector reads back as it is written.
pub(crate) fn is_faithful(selector: &Selector) -> bool {
    faithful(selector).is_ok()
}

/// The selector that a part of an expression is; `None` where it has an offset, alternatives or no name, or does not read back.
pub(crate) fn of_expression(vector: &VectorSelector) -> Option<Selector> {
    convert(vector).ok().filter(|selector| faithful(selector).is_ok())
}

fn parse_scanned(text: &str) -> Result<Selector, Fault> {
    match parser::parse(text) {
        Ok(Expr::VectorSelector(vector)) => convert(&vector),
        Ok(_) => Err(Fault::new(&codes::SELECTOR, "this is not a selector", PLAIN)),
        Err(error) if error.contains("illegal regex") => {
            let message = format!("a regular expression does not compile: {}", shortened(&error));
            Err(Fault::new(&codes::REGEX, message, "use RE2 syntax; there is no look-around, and the size is limited"))
        }
        Err(error) if error.contains("escape") => Err(Fault::new(&codes::SELECTOR, format!("not PromQL: {}", shortened(&error)), ESCAPES)),
        Err(error) => Err(Fault::new(&codes::SELECTOR, format!("not PromQL: {}", shortened(&error)), PLAIN)),
    }
}

fn convert(vector: &VectorSelector) -> Result<Selector, Fault> {
    if !vector.matchers.or_matchers.is_empty() {
        return Err(Fault::new(&codes::SELECTOR_OR, "alternatives within braces are MetricsQL, and no selector here", ALTERNATIVES));
    }
    if vector.offset.is_some() || vector.at.is_some() {
        return Err(Fault::new(&codes::SELECTOR_RANGE, "offset and @ are not allowed here", NO_RANGE));
    }
    let is_name = |matcher: &&ParsedMatcher| matcher.name == METRIC_LABEL;
    let mut names = vector.name.iter().chain(
        vector
            .matchers
            .matchers
            .iter()
            .filter(is_name)
            .filter(|matcher| matches!(matcher.op, ParsedOp::Equal))
            .map(|matcher| &matcher.value),
    );
    let all_equal = vector.matchers.matchers.iter().filter(is_name).all(|matcher| matches!(matcher.op, ParsedOp::Equal));
    match (names.next(), names.next()) {
        (Some(name), None) if all_equal => {
            Ok(Selector::new(name, vector.matchers.matchers.iter().filter(|matcher| !is_name(matcher)).map(matcher).collect()))
        }
        _ => Err(Fault::new(&codes::SELECTOR_NAME, "the selector does not name one metric", "put the metric's name before the braces")),
    }
}

fn matcher(parsed: &ParsedMatcher) -> Matcher {
    let op = match &parsed.op {
        ParsedOp::Equal => MatchOp::Equal,
        ParsedOp::NotEqual => MatchOp::NotEqual,
        ParsedOp::Re(_) => MatchOp::Regex,
        ParsedOp::NotRe(_) => MatchOp::NotRegex,
    };
    Matcher { label: parsed.name.clone(), op, value: parsed.value.clone() }
}

/// What is sent must read back as what was understood.
fn faithful(selector: &Selector) -> Result<(), Fault> {
    let refuse = |message: String| Err(Fault::new(&codes::SELECTOR_UNFAITHFUL, message, FAITHFUL));
    let names = selector.matchers().iter().map(|matcher| matcher.label.as_str()).chain([selector.metric()]);
    if let Some(name) = names.into_iter().find(|name| name.is_empty() || name.chars().any(char::is_control)) {
        return refuse(format!("the name `{}` holds a control character, or nothing", shortened(name)));
    }
    if let Some(matcher) = selector.matchers().iter().find(|matcher| matcher.value.chars().any(char::is_control)) {
        return refuse(format!("the value of `{}` holds a control character", shortened(&matcher.label)));
    }
    match scan(&selector.to_string()).and_then(|plain| parse_scanned(&plain)) {
        Ok(again) if again == *selector => Ok(()),
        Ok(_) | Err(_) => refuse("the selector does not read back as it was written".into()),
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`
pub(crate) fn is_label_name(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, b)| b == b'_' || b.is_ascii_alphabetic() || (at > 0 && b.is_ascii_digit())) && !text.is_empty()
}

/// Where the scan is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Matchers,
    End,
}

/// What was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Word,
    Operator,
    Text,
    Comma,
}

/// Lets `name{label="value", ...}` pass, and says of anything else what it is. What passes is handed on without comments, and with raw texts in backticks
/// as quoted ones, which the parser would take escapes from.
fn scan(text: &str) -> Result<String, Fault> {
    let mut scan = Scan { text, plain: String::with_capacity(text.len()), at: 0, part: Part::Name, before: Before::Nothing };
    scan.run()?;
    Ok(scan.plain)
}

struct Scan<'a> {
    text: &'a str,
    plain: String,
    at: usize,
    part: Part,
    before: Before,
}

impl Scan<'_> {
    fn run(&mut self) -> Result<(), Fault> {
        while let Some(c) = self.text[self.at..].chars().next() {
            let start = self.at;
            self.at += c.len_utf8();
            self.character(c, start..self.at)?;
            self.keep(start);
        }
        match (self.part, self.before) {
            (Part::Name, Before::Nothing) => Err(Fault::new(&codes::SELECTOR, "the selector is empty", PLAIN)),
            (Part::Matchers, _) => {
                Err(Fault::new(&codes::SELECTOR, "the brace { is not closed", "a value with # or { needs single quotes in YAML"))
            }
            (Part::Name | Part::End, _) => Ok(()),
        }
    }

    /// Hands on what was read since `start`.
    fn keep(&mut self, start: usize) {
        let read = &self.text[start..self.at];
        match read.strip_prefix('`').and_then(|raw| raw.strip_suffix('`')) {
            Some(raw) => self.plain.push_str(&Quoted(raw).to_string()),
            None if read.starts_with('#') => self.plain.push(' '),
            None => self.plain.push_str(read),
        }
    }

    fn character(&mut self, c: char, range: Range<usize>) -> Result<(), Fault> {
        match c {
            c if c.is_ascii_whitespace() => Ok(()),
            '#' => {
                self.at = self.text[self.at..].find('\n').map_or(self.text.len(), |newline| self.at + newline);
                Ok(())
            }
            '"' | '\'' | '`' => self.literal(c, range),
            '{' if self.part == Part::Name => self.go(Part::Matchers, Before::Nothing),
            '}' if self.part == Part::Matchers => self.go(Part::End, Before::Nothing),
            '[' | '@' => Err(Fault::new(&codes::SELECTOR_RANGE, "a range or @ is not allowed here", NO_RANGE).at(range)),
            '(' if self.before == Before::Word && self.text[..range.start].trim().eq_ignore_ascii_case("with") => {
                let message = "`WITH` is MetricsQL, and no selector here";
                Err(Fault::new(&codes::SELECTOR_FUNCTION, message, TEMPLATES).at(0..range.start))
            }
            '(' if self.before == Before::Word => {
                Err(Fault::new(&codes::SELECTOR_FUNCTION, "a function is not a selector", NO_FUNCTION).at(0..range.start))
            }
            c if c == '_' || c == ':' || c == '.' || c.is_alphanumeric() => self.word(range.start),
            ',' if self.part == Part::Matchers => self.go(Part::Matchers, Before::Comma),
            '=' | '!' | '~' if self.part == Part::Matchers => self.go(Part::Matchers, Before::Operator),
            _ => Err(Fault::new(&codes::SELECTOR, format!("`{c}` does not belong in a selector"), self.operator_help(c)).at(range)),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "an arm of `character`")]
    fn go(&mut self, part: Part, before: Before) -> Result<(), Fault> {
        (self.part, self.before) = (part, before);
        Ok(())
    }

    fn word(&mut self, start: usize) -> Result<(), Fault> {
        let length = |c: &char| *c == '_' || *c == ':' || *c == '.' || c.is_alphanumeric();
        self.at = start + self.text[start..].chars().take_while(length).map(char::len_utf8).sum::<usize>();
        let word = &self.text[start..self.at];
        match (self.part, self.before) {
            (Part::Name, Before::Nothing) | (Part::Matchers, Before::Nothing | Before::Comma) => self.go(self.part, Before::Word),
            (Part::Name | Part::End, _) if word == "offset" => {
                Err(Fault::new(&codes::SELECTOR_RANGE, "an offset is not allowed here", NO_RANGE).at(start..self.at))
            }
            (Part::Name | Part::End, _) if word == "or" && self.text[self.at..].contains('(') => {
                let message = "`or` and what stands behind it are no part of a selector";
                Err(Fault::new(&codes::SELECTOR_FUNCTION, message, NO_FUNCTION).at(start..self.text.trim_end().len()))
            }
            (Part::Name | Part::End, _) if self.text[self.at..].contains('(') => {
                Err(Fault::new(&codes::SELECTOR_FUNCTION, "an aggregation is not a selector", NO_FUNCTION).at(0..self.at))
            }
            (Part::Matchers, Before::Text) if word == "or" => {
                Err(Fault::new(&codes::SELECTOR_OR, "alternatives within braces are MetricsQL, and no selector here", ALTERNATIVES)
                    .at(start..self.at))
            }
            _ => {
                let message = format!("`{}` does not belong here", shortened(word));
                Err(Fault::new(&codes::SELECTOR, message, self.expression_help()).at(start..self.at))
            }
        }
    }

    /// Passes over a quoted text: a value, which follows an operator, or a name. A byte escape above \x7f would not be the character that the parser makes of
    /// it.
    fn literal(&mut self, quote: char, range: Range<usize>) -> Result<(), Fault> {
        let after = match (self.part, self.before) {
            (Part::Matchers, Before::Operator) => Before::Text,
            (Part::Matchers, Before::Nothing | Before::Comma) => Before::Word,
            (Part::Matchers, Before::Word | Before::Text) | (Part::Name | Part::End, _) => {
                let message = "a quoted name or text does not belong here";
                return Err(Fault::new(&codes::SELECTOR_UNFAITHFUL, message, CLASSIC).at(range));
            }
        };
        let mut rest = self.text[self.at..].char_indices();
        while let Some((offset, c)) = rest.next() {
            let at = self.at + offset;
            if c == quote {
                self.at = at + 1;
                return self.go(Part::Matchers, after);
            }
            if c == '\\' && quote != '`' {
                let escape = &self.text[at..];
                if is_byte_escape(escape) {
                    return Err(
                        Fault::new(&codes::SELECTOR_UNFAITHFUL, "a byte escape above \\x7f is not a character", FAITHFUL).at(at..at + 2)
                    );
                }
                rest.next();
            }
        }
        Err(Fault::new(
            &codes::SELECTOR,
            "a quoted text is not closed",
            "close it; inside of single quotes YAML keeps double quotes as they are",
        )
        .at(range))
    }

    fn operator_help(&self, c: char) -> &'static str {
        match c {
            '/' => NO_RATIO,
            '+' if !self.text.contains('(') => SUM_BY_LIST,
            _ => self.expression_help(),
        }
    }

    fn expression_help(&self) -> &'static str {
        if self.text.contains('(') { NO_FUNCTION } else { PLAIN }
    }
}

/// A text as a double-quoted literal.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
    }
}

/// `\xff` and `\377`: bytes, where the parser would make characters of them.
pub(super) fn is_byte_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.get(1) {
        Some(b'x') => bytes.get(2).is_some_and(|high| !high.is_ascii_digit() || *high >= b'8'),
        Some(digit @ b'0'..=b'7') => *digit >= b'2',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found = parse(text).map(|selector| selector.to_string()).map_err(|fault| fault.code.id);
        assert_eq!(found.as_deref().map_err(|code| *code), expected, "{}", shortened(text));
    }

    #[test]
    fn plain_selectors_are_read_and_print_the_same_again() {
        check("up", Ok("up"));
        check(" up # a comment }", Ok("up"));
        check("up{}", Ok("up"));
        check(r#"http_requests_total{job="checkout", code=~"5..",}"#, Ok(r#"http_requests_total{code=~"5..",job="checkout"}"#));
        check(r#"{__name__="up", job!="x"}"#, Ok(r#"up{job!="x"}"#));
        check("job:slo:ratio{a='b\"c'}", Ok(r#"job:slo:ratio{a="b\"c"}"#));
        check(r#"up{a="} or up{tenant='B'"}"#, Ok(r#"up{a="} or up{tenant='B'"}"#));
        check(r"up{a=~`x\.y`}", Ok(r#"up{a=~"x\\.y"}"#));
        check(r#"up{a="ä#€"}"#, Ok(r#"up{a="ä#€"}"#));
        check("up{\n  job=\"x\"\n}", Ok(r#"up{job="x"}"#));
        check(r#"up{or="x"}"#, Ok(r#"up{or="x"}"#));
        check(r#"up{a=~`"\d`}"#, Ok(r#"up{a=~"\"\\d"}"#));
    }

    #[test]
    fn names_beyond_the_classic_alphabet_are_quoted() {
        check(r#"{"up", tenant="B"}"#, Ok(r#"up{tenant="B"}"#));
        check(r#"up{"tenant"="B"}"#, Ok(r#"up{tenant="B"}"#));
        check(r#"{"http.requests.total", job="x",}"#, Ok(r#"{__name__="http.requests.total",job="x"}"#));
        check(r#"{ job = "x" , "http.requests" }"#, Ok(r#"{__name__="http.requests",job="x"}"#));
        check(
            r#"up{"service.name"=~"a|b", 'deployment.environment'!="dev"}"#,
            Ok(r#"up{"deployment.environment"!="dev","service.name"=~"a|b"}"#),
        );
        check(r#"{"größe in €", "a b"="c"}"#, Ok(r#"{__name__="größe in €","a b"="c"}"#));
        check(r#"{__name__="http.requests"}"#, Ok(r#"{__name__="http.requests"}"#));
        check(r#"{"a\"b"}"#, Ok(r#"{__name__="a\"b"}"#));
    }

    #[test]
    fn everything_else_is_refused_with_its_own_code() {
        for (text, code) in [
            ("", "E1030"),
            ("# only a comment", "E1030"),
            ("up # }\n}", "E1030"),
            ("1", "E1030"),
            ("up + up", "E1030"),
            ("up and up", "E1030"),
            ("up{job=\"x\"", "E1030"),
            ("up{job=\"x}", "E1030"),
            ("up{job}", "E1030"),
            ("-up", "E1030"),
            ("foo-bar", "E1030"),
            ("rate(up[5m])", "E1031"),
            ("sum by (job) (up)", "E1031"),
            ("info(up)", "E1031"),
            ("up[5m]", "E1032"),
            ("up offset 5m", "E1032"),
            ("up{job=\"x\"} offset -1000y", "E1032"),
            ("up @ 1e300", "E1032"),
            (r#"up{job="x" or tenant="B"}"#, "E1033"),
            (r#"up{a="\xff"}"#, "E1035"),
            (r#"up{a="\377"}"#, "E1035"),
            (r#"up{a="\x00"}"#, "E1035"),
            (r#"up{a="\u0000"}"#, "E1035"),
            (r#""up"{tenant="B"}"#, "E1035"),
            (r#"up{a="b" "c"}"#, "E1035"),
            (r#"{"up", "down"}"#, "E1036"),
            (r#"up{"down"}"#, "E1030"),
            (r#"up{"__name__"="down"}"#, "E1030"),
            (r#"up{""="c"}"#, "E1035"),
            (r#"{"", a="c"}"#, "E1035"),
            ("up{\"a\u{7}\"=\"c\"}", "E1035"),
            (r#"{__name__=~".+"}"#, "E1036"),
            (r#"{job="x"}"#, "E1036"),
            (r#"up{__name__!="x"}"#, "E1030"),
            (r#"{__name__="a", __name__!="b"}"#, "E1036"),
            (r#"up{a=~"("}"#, "E1038"),
            (r#"up{a=~"(?:a{1000}){1000}"}"#, "E1038"),
            (r#"up{a=~"(?!x)"}"#, "E1038"),
        ] {
            check(text, Err(code));
        }
    }

    #[test]
    fn deep_and_long_texts_are_refused_before_they_are_parsed() {
        for (part, code) in [("(", "E1034"), ("abs(", "E1034"), ("-", "E1034"), ("1+", "E1034"), ("{", "E1034")] {
            check(&part.repeat(100_000), Err(code));
        }
        for (part, code) in [("(", "E1030"), ("abs(", "E1031"), ("-", "E1030"), ("1+", "E1030"), ("{", "E1030"), ("a and ", "E1030")] {
            check(&part.repeat(1300), Err(code));
        }
    }

    #[test]
    fn patterns_that_would_take_for_ever_elsewhere_are_read() {
        check(r#"up{a=~"(a+)+$"}"#, Ok(r#"up{a=~"(a+)+$"}"#));
        let branches = format!("up{{a=~\"{}\"}}", (0..1600).map(|n| n.to_string()).collect::<Vec<_>>().join("|"));
        assert!(parse(&branches).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,80}", quoted in "[a-z{}()\\[\\]@#,=~!\"'`\\\\x0-9 \n]{0,60}") {
            drop(parse(&text));
            drop(parse(&quoted));
            if let Ok(selector) = parse(&format!("up{{a={text:?}}}")) {
                proptest::prop_assert_eq!(parse(&selector.to_string()), Ok(selector));
            }
        }
    }
}
