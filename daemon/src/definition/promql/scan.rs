//! The words and signs of an expression with their places; what is too large, not closed, or of another language.

use std::ops::Range;

use super::Finding;
use crate::definition::{codes, reader::shortened, selector::is_byte_escape};

/// Longest expression, in bytes.
const MAX_BYTES: usize = 8 << 10;
/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 64;
/// Most operators: what a source takes to read them grows with their square.
const MAX_OPERATORS: usize = 256;

/// What a stretch of the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number or a duration.
    Number,
    /// A quoted text.
    Text,
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    /// `,`
    Comma,
    /// An operator, or a sign within braces.
    Operator,
    /// A character that PromQL does not have.
    Other,
}

/// A stretch of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// An expression as far as it can be read without its grammar.
#[derive(Debug)]
pub(super) struct Scanned<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<Token>,
    /// The text without comments, and with quoted texts as the parser reads them rightly.
    pub(super) plain: String,
}

/// Functions and operators that only VictoriaMetrics has.
const METRICSQL: &str = "alias any ascent_over_time bitmap_and bottomk_avg bottomk_last bottomk_max bottomk_median bottomk_min buckets_limit \
    count_eq_over_time count_gt_over_time count_le_over_time count_ne_over_time decreases_over_time default descent_over_time distinct \
    distinct_over_time drop_common_labels geomean geomean_over_time histogram_over_time histogram_share if ifnot increase_prometheus \
    increase_pure increases_over_time integrate interpolate keep_last_value keep_next_value label_copy label_del label_keep \
    label_lowercase label_map label_match label_mismatch label_move label_set label_transform label_uppercase label_value lag lifetime \
    limit_offset median median_over_time mode mode_over_time now outliersk prometheus_buckets rand rand_normal range_avg range_max \
    range_median range_min range_quantile range_sum range_trim_spikes rate_over_sum rate_prometheus remove_resets rollup rollup_delta \
    rollup_increase rollup_rate rollup_scrape_interval running_avg running_max running_min running_sum scrape_interval \
    share_gt_over_time share_le_over_time smooth_exponential sum2 sum2_over_time tfirst_over_time tlast_over_time tmax_over_time \
    tmin_over_time topk_avg topk_last topk_max topk_median topk_min union vmrange_buckets with zscore zscore_over_time";

/// Words that stand between two operands.
pub(super) const JOINING: [&str; 4] = ["and", "or", "unless", "atan2"];

/// Scans a text.
pub(super) fn scan(text: &str) -> Result<Scanned<'_>, Finding> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression has {} bytes; at most {MAX_BYTES} are allowed", text.len());
        return Err(Finding::new(&codes::PROMQL_SIZE, message, "let a recording rule compute parts of it"));
    }
    let mut scan = Scan { scanned: Scanned { text, tokens: Vec::new(), plain: String::new() }, at: 0, open: Vec::new(), operators: 0 };
    while scan.next()? {}
    scan.finish()
}

struct Scan<'t> {
    scanned: Scanned<'t>,
    at: usize,
    /// Where brackets were opened that are not closed.
    open: Vec<(char, Range<usize>)>,
    operators: usize,
}

impl<'t> Scan<'t> {
    /// Reads the next token, blank or comment; false at the end.
    fn next(&mut self) -> Result<bool, Finding> {
        let text = self.scanned.text;
        let Some(c) = text[self.at..].chars().next() else { return Ok(false) };
        let start = self.at;
        match c {
            '#' => self.at = text[start..].find('\n').map_or(text.len(), |newline| start + newline),
            c if c.is_ascii_whitespace() => self.at += 1,
            '"' | '\'' | '`' => self.quoted(c)?,
            c if c.is_ascii_digit() => self.run(Kind::Number, |c| c.is_ascii_alphanumeric() || c == '.' || c == '_'),
            '.' => self.run(Kind::Number, |c| c.is_ascii_alphanumeric() || c == '.'),
            c if c == '_' || c == ':' || c.is_alphabetic() => self.word()?,
            '(' | '[' | '{' => self.open(c)?,
            ')' | ']' | '}' => self.close(c)?,
            ',' => self.push(Kind::Comma, 1),
            '+' | '-' | '*' | '/' | '%' | '^' | '=' | '!' | '<' | '>' | '~' | '@' => self.operator()?,
            other => self.push(Kind::Other, other.len_utf8()),
        }
        self.keep(start, c);
        Ok(true)
    }

    fn finish(self) -> Result<Scanned<'t>, Finding> {
        if let Some((bracket, range)) = self.open.last() {
            let message = format!("`{bracket}` is not closed");
            return Err(
                Finding::new(&codes::PROMQL, message, "close it; a value with # or { needs single quotes in YAML").at(range.clone())
            );
        }
        if self.scanned.tokens.is_empty() {
            return Err(Finding::new(&codes::PROMQL, "the expression is empty", "write a PromQL expression"));
        }
        let plain = self.scanned.plain.trim().to_owned();
        Ok(Scanned { plain, ..self.scanned })
    }

    /// Hands on what was read since `start`: a blank for a comment, a raw text in backticks as a quoted one, which the parser would take escapes from.
    fn keep(&mut self, start: usize, first: char) {
        let read = &self.scanned.text[start..self.at];
        match first {
            '#' => self.scanned.plain.push(' '),
            '`' => {
                let raw = &read[1..read.len() - 1];
                let quoted = raw.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
                self.scanned.plain.extend(["\"", &quoted, "\""]);
            }
            _ => self.scanned.plain.push_str(read),
        }
    }

    fn push(&mut self, kind: Kind, len: usize) {
        self.scanned.tokens.push(Token { kind, range: self.at..self.at + len });
        self.at += len;
    }

    fn run(&mut self, kind: Kind, goes_on: impl Fn(char) -> bool) {
        let rest = &self.scanned.text[self.at..];
        let len = rest.chars().take_while(|c| goes_on(*c)).map(char::len_utf8).sum();
        self.push(kind, len);
    }

    fn word(&mut self) -> Result<(), Finding> {
        let start = self.at;
        self.run(Kind::Word, |c| c == '_' || c == ':' || c.is_alphanumeric());
        if JOINING.contains(&&self.scanned.text[start..self.at]) { self.count_operator(start) } else { Ok(()) }
    }

    fn open(&mut self, bracket: char) -> Result<(), Finding> {
        self.open.push((bracket, self.at..self.at + 1));
        if self.open.len() > MAX_DEPTH {
            let message = format!("brackets are nested more than {MAX_DEPTH} deep");
            return Err(Finding::new(&codes::PROMQL_SIZE, message, "let a recording rule compute parts of it").at(self.at..self.at + 1));
        }
        self.push(Kind::Open(bracket), 1);
        Ok(())
    }

    fn close(&mut self, bracket: char) -> Result<(), Finding> {
        let here = self.at..self.at + 1;
        let wanted = match bracket {
            ')' => '(',
            ']' => '[',
            _ => '{',
        };
        match self.open.pop() {
            Some((opened, _)) if opened == wanted => {
                self.push(Kind::Close(bracket), 1);
                Ok(())
            }
            Some((opened, _)) => {
                let message = format!("`{bracket}` closes a `{opened}`");
                Err(Finding::new(&codes::PROMQL, message, "close the inner bracket first").at(here))
            }
            None => Err(Finding::new(&codes::PROMQL, format!("`{bracket}` closes nothing"), "remove it, or open it before").at(here)),
        }
    }

    fn operator(&mut self) -> Result<(), Finding> {
        self.count_operator(self.at)?;
        let two = matches!(self.scanned.text.get(self.at..self.at + 2), Some("==" | "!=" | "<=" | ">=" | "=~" | "!~"));
        self.push(Kind::Operator, if two { 2 } else { 1 });
        Ok(())
    }

    fn count_operator(&mut self, at: usize) -> Result<(), Finding> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            let message = format!("the expression has more than {MAX_OPERATORS} operators");
            let help = "a regular expression such as code=~\"500|503\" serves for many alternatives; let a recording rule compute the rest";
            return Err(Finding::new(&codes::PROMQL_SIZE, message, help).at(at..at + 1));
        }
        Ok(())
    }

    /// A quoted text. A byte escape above \x7f would not be the character that the parser makes of it, and control characters do not print.
    fn quoted(&mut self, quote: char) -> Result<(), Finding> {
        let start = self.at;
        let text = self.scanned.text;
        let mut rest = text[start + 1..].char_indices();
        while let Some((offset, c)) = rest.next() {
            let at = start + 1 + offset;
            match c {
                c if c == quote => {
                    self.push(Kind::Text, at + 1 - start);
                    return Ok(());
                }
                '\\' if quote != '`' => {
                    if is_byte_escape(&text[at..]) {
                        return Err(unfaithful("a byte escape above \\x7f is not a character").at(at..at + 2));
                    }
                    rest.next();
                }
                c if c.is_control() => return Err(unfaithful("a quoted text holds a control character").at(at..at + c.len_utf8())),
                _ => {}
            }
        }
        let help = "close it; inside of single quotes YAML keeps double quotes as they are";
        Err(Finding::new(&codes::PROMQL, "a quoted text is not closed", help).at(start..start + 1))
    }
}

fn unfaithful(message: &str) -> Finding {
    Finding::new(&codes::PROMQL_UNFAITHFUL, message, "use printable characters")
}

impl Scanned<'_> {
    /// The text of a token.
    pub(super) fn of(&self, token: &Token) -> &str {
        &self.text[token.range.clone()]
    }

    /// The place of a word; the first where there are several.
    pub(super) fn word(&self, word: &str) -> Option<Range<usize>> {
        let is = |token: &&Token| token.kind == Kind::Word && self.of(token).eq_ignore_ascii_case(word);
        self.tokens.iter().find(is).map(|token| token.range.clone())
    }

    /// Refuses what is not of this language but of a related one, by its name.
    pub(super) fn in_dialect(&self) -> Result<(), Finding> {
        for (at, token) in self.tokens.iter().enumerate() {
            if let Some((message, help)) = self.foreign(at, token) {
                return Err(Finding::new(&codes::PROMQL_DIALECT, message, help).at(token.range.clone()));
            }
        }
        Ok(())
    }

    fn foreign(&self, at: usize, token: &Token) -> Option<(String, &'static str)> {
        let next = self.tokens.get(at + 1);
        let doubled = next.is_some_and(|next| next.kind == token.kind && next.range.start == token.range.end);
        match (token.kind, self.of(token)) {
            (Kind::Other, "$") => Some(("`$` begins a variable of Grafana".to_owned(), "write the duration itself, such as 5m")),
            (Kind::Other, "|") => {
                Some(("`|` is LogQL, the language of Loki".to_owned(), "write PromQL; logs are counted by a metric made of them"))
            }
            (Kind::Open('{'), _) if doubled => Some(("`{{` is a template, which nobody fills here".to_owned(), "write the value itself")),
            (Kind::Other, other) => Some((format!("`{}` is no character of PromQL", shortened(other)), "remove it")),
            _ => None,
        }
    }

    /// Advice where a function or an operator is one that VictoriaMetrics has and Prometheus does not.
    pub(super) fn metricsql(&self) -> Option<Finding> {
        let is_called = |at: usize| self.is_open(at + 1, '(');
        // Names of functions and keywords are known there in any case.
        let known = |word: &str| METRICSQL.split(' ').any(|known| word.eq_ignore_ascii_case(known));
        let (at, token) = self.tokens.iter().enumerate().find(|(at, token)| match token.kind {
            Kind::Word => {
                let word = self.of(token);
                known(word) && (is_called(*at) || self.joins(*at))
                    || word == "keep_metric_names" && self.follows(*at)
                    || word.eq_ignore_ascii_case("limit") && self.limits(*at)
                    || word.eq_ignore_ascii_case("or") && self.joins_matchers(*at)
            }
            Kind::Open('[') => self.tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Close(']')),
            Kind::Open(_) | Kind::Number | Kind::Text | Kind::Close(_) | Kind::Comma | Kind::Operator | Kind::Other => false,
        })?;
        let written = match token.kind {
            Kind::Open(_) => "[]",
            _ => self.of(token),
        };
        let place = if self.joins_matchers(at) { " within braces" } else { "" };
        let what = format!("`{written}`{place} is MetricsQL, which VictoriaMetrics has and Prometheus does not");
        Some(super::unchecked_advice(&what).at(token.range.clone()))
    }

    fn is_open(&self, at: usize, bracket: char) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Open(bracket))
    }

    /// Whether a word stands behind an aggregation and before a number, as `limit` does.
    fn limits(&self, at: usize) -> bool {
        self.follows(at) && self.tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Number)
    }

    /// Whether a word stands between two matchers.
    fn joins_matchers(&self, at: usize) -> bool {
        let beside = |token: Option<&Token>, kinds: [Kind; 2]| token.is_some_and(|token| kinds.contains(&token.kind));
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let is_matcher = |at: usize| {
            self.tokens.get(at).is_some_and(|sign| sign.kind == Kind::Operator && matches!(self.of(sign), "=" | "!=" | "=~" | "!~"))
        };
        beside(before, [Kind::Text, Kind::Comma]) && is_matcher(at + 2)
    }

    /// Whether a word stands right behind an operand.
    fn follows(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|before| self.tokens.get(before)).is_some_and(|before| matches!(before.kind, Kind::Close(_)))
    }

    /// Whether a word stands between two operands, as `default` does.
    fn joins(&self, at: usize) -> bool {
        let ends = |kind| matches!(kind, Kind::Close(_) | Kind::Word | Kind::Number);
        let begins = |kind| matches!(kind, Kind::Open('(') | Kind::Word | Kind::Number);
        let before = at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let after = self.tokens.get(at + 1);
        let within_labels = before.is_some_and(|token| token.kind == Kind::Comma);
        !within_labels && before.is_some_and(|token| ends(token.kind)) && after.is_some_and(|token| begins(token.kind))
    }
}
