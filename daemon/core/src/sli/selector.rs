//! Selectors: what is asked of a source, and the same matching done here, in the RE2 dialect as Prometheus uses it.

use std::fmt;

use regex::Regex;

use super::{
    Labels,
    dialect::{Dialect, Outside, compile},
};

/// How a matcher compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`
    Regex,
    /// `!~`
    NotRegex,
}

/// One matcher of a selector.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// How it compares.
    pub op: MatchOp,
    /// With what.
    pub value: String,
}

/// A metric name with matchers, sorted and without repeats. Prints as PromQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    metric: String,
    matchers: Vec<Matcher>,
}

impl Selector {
    /// The selector of `metric` with these matchers, in any order.
    pub fn new(metric: &str, mut matchers: Vec<Matcher>) -> Self {
        matchers.sort();
        matchers.dedup();
        Self { metric: metric.to_owned(), matchers }
    }

    /// The metric's name.
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// The matchers beside the name, sorted.
    pub fn matchers(&self) -> &[Matcher] {
        &self.matchers
    }

    /// True where every series of `other` is one of ours, so that one question serves both: same metric, our matchers among theirs.
    pub fn covers(&self, other: &Self) -> bool {
        self.metric == other.metric && self.matchers.iter().all(|matcher| other.matchers.binary_search(matcher).is_ok())
    }

    /// The same selector with one more matcher.
    #[must_use]
    pub fn with(&self, matcher: Matcher) -> Self {
        let matchers = self.matchers.iter().cloned().chain([matcher]).collect();
        Self::new(&self.metric, matchers)
    }
}

/// Words of PromQL that a parser may not take for a metric where one stands.
const KEYWORDS: [&str; 38] = [
    "and",
    "or",
    "unless",
    "atan2",
    "sum",
    "avg",
    "count",
    "min",
    "max",
    "group",
    "stddev",
    "stdvar",
    "topk",
    "bottomk",
    "count_values",
    "quantile",
    "limitk",
    "limit_ratio",
    "offset",
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
    "bool",
    "start",
    "end",
    "step",
    "range",
    "anchored",
    "smoothed",
    "inf",
    "nan",
    "fill",
    "fill_left",
    "fill_right",
    "infinity",
];

impl fmt::Display for Selector {
    /// PromQL with double quotes. A metric's name beyond the classic alphabet is printed as the label that it is, which every server reads; that of a label
    /// in quotes, as Prometheus 3 reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = KEYWORDS.contains(&self.metric.to_ascii_lowercase().as_str());
        let mut parts: Vec<String> = match (self.metric.as_str(), keyword) {
            ("", _) => Vec::new(),
            (name, false) if is_classic(name, ":") => {
                f.write_str(name)?;
                Vec::new()
            }
            (name, _) => vec![format!("__name__={}", quoted(name))],
        };
        parts.extend(self.matchers.iter().map(ToString::to_string));
        if parts.is_empty() && !self.metric.is_empty() { Ok(()) } else { write!(f, "{{{}}}", parts.join(",")) }
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = if is_classic(&self.label, "") { self.label.clone() } else { quoted(&self.label) };
        write!(f, "{label}{}{}", self.op, quoted(&self.value))
    }
}

impl fmt::Display for MatchOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        })
    }
}

/// `[a-zA-Z_][a-zA-Z0-9_]*`, with more characters allowed everywhere.
fn is_classic(name: &str, more: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || more.contains(c);
    name.chars().all(legal) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

/// A string literal of PromQL, which follows Go.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_ascii_control() => out.extend(['\\', 'x', hex_digit(control, 4), hex_digit(control, 0)]),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// The hexadecimal digit of an ASCII character's code that begins at this bit.
fn hex_digit(c: char, bit: u32) -> char {
    char::from_digit((u32::from(c) >> bit) & 15, 16).unwrap_or('0')
}

/// A selector made ready to match labels here.
#[derive(Debug, Clone)]
pub struct CompiledSelector {
    metric: String,
    tests: Vec<(String, Test)>,
    local: bool,
}

#[derive(Debug, Clone)]
enum Test {
    Equal(String),
    NotEqual(String),
    Regex(Regex),
    NotRegex(Regex),
}

impl CompiledSelector {
    /// Compiles for a version of Prometheus.
    pub fn new(selector: &Selector, dialect: Dialect) -> Self {
        let mut local = true;
        let mut tests = Vec::with_capacity(selector.matchers.len());
        for matcher in &selector.matchers {
            match Test::new(matcher, dialect) {
                Ok(test) => tests.push((matcher.label.clone(), test)),
                Err(Outside) => local = false,
            }
        }
        Self { metric: selector.metric.clone(), tests, local }
    }

    /// False where a matcher cannot be evaluated here: then `matches` leaves it out and holds only for series that the server chose by this very
    /// selector.
    pub const fn local(&self) -> bool {
        self.local
    }

    /// Whether a series with these labels is selected.
    pub fn matches(&self, labels: &Labels) -> bool {
        (self.metric.is_empty() || labels.get("__name__") == self.metric)
            && self.tests.iter().all(|(label, test)| test.holds(labels.get(label)))
    }
}

impl Test {
    fn new(matcher: &Matcher, dialect: Dialect) -> Result<Self, Outside> {
        let value = matcher.value.as_str();
        match matcher.op {
            MatchOp::Equal => Ok(Self::Equal(value.to_owned())),
            MatchOp::NotEqual => Ok(Self::NotEqual(value.to_owned())),
            MatchOp::Regex => compile(value, dialect).map(Self::Regex),
            MatchOp::NotRegex => compile(value, dialect).map(Self::NotRegex),
        }
    }

    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equal(wanted) => value == wanted,
            Self::NotEqual(unwanted) => value != unwanted,
            Self::Regex(regex) => regex.is_match(value),
            Self::NotRegex(regex) => !regex.is_match(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        Labels::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn selector(metric: &str, matchers: &[(&str, MatchOp, &str)]) -> Selector {
        let matcher = |(label, op, value): &(&str, MatchOp, &str)| Matcher { label: (*label).into(), op: *op, value: (*value).into() };
        Selector::new(metric, matchers.iter().map(matcher).collect())
    }

    #[test]
    fn selectors_print_as_promql_that_stays_one_literal() {
        for (selector, printed) in [
            (selector("up", &[]), "up"),
            (selector("a:b", &[("job", MatchOp::Equal, "x"), ("code", MatchOp::Regex, "5..")]), r#"a:b{code=~"5..",job="x"}"#),
            (selector("m", &[("a", MatchOp::NotEqual, "\"} or up{\\\n")]), r#"m{a!="\"} or up{\\\n"}"#),
            (selector("m", &[("a", MatchOp::NotRegex, "\u{1}é")]), r#"m{a!~"\x01é"}"#),
            (selector("http.requests", &[("k.v", MatchOp::Equal, "x")]), r#"{__name__="http.requests","k.v"="x"}"#),
            (selector("sum", &[]), r#"{__name__="sum"}"#),
            (selector("", &[("a", MatchOp::Equal, "b")]), r#"{a="b"}"#),
        ] {
            assert_eq!(selector.to_string(), printed);
        }
    }

    #[test]
    fn an_absent_label_equals_an_empty_one() {
        let series = labels(&[("__name__", "m"), ("code", "500")]);
        for (matchers, expected) in [
            (vec![("code", MatchOp::Equal, "500")], true),
            (vec![("code", MatchOp::Regex, "5..")], true),
            (vec![("code", MatchOp::NotRegex, "5..")], false),
            (vec![("env", MatchOp::Equal, "")], true),
            (vec![("env", MatchOp::Regex, ".*")], true),
            (vec![("env", MatchOp::Regex, ".+")], false),
            (vec![("env", MatchOp::NotEqual, "prod")], true),
            (vec![("code", MatchOp::NotEqual, "")], true),
        ] {
            let compiled = CompiledSelector::new(&selector("m", &matchers), Dialect::Prometheus2);
            assert_eq!(compiled.matches(&series), expected, "{matchers:?}");
        }
        assert!(!CompiledSelector::new(&selector("other", &[]), Dialect::Prometheus2).matches(&series));
    }

    #[test]
    fn a_matcher_outside_the_common_dialect_is_told() {
        let compiled = CompiledSelector::new(&selector("m", &[("a", MatchOp::Regex, r"\pL")]), Dialect::Prometheus2);
        assert!(!compiled.local());
    }

    #[test]
    fn fewer_matchers_cover_more() {
        let wide = selector("m", &[("job", MatchOp::Equal, "x")]);
        let narrow = selector("m", &[("job", MatchOp::Equal, "x"), ("code", MatchOp::Regex, "5..")]);
        assert!(wide.covers(&narrow) && wide.covers(&wide) && !narrow.covers(&wide));
        assert!(!selector("n", &[]).covers(&narrow));
    }
}
