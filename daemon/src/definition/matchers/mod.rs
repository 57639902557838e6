//! Matchers that load and take something else than was meant, as far as their text alone tells.
//!
//! What is said here must be sure: a label that holds routes may hold a regular expression as its text, and some exporters do write `5xx`.

mod turned;
mod wider;

use burnward_core::sli::{CompiledSelector, Counted, Dialect, Labels, MatchOp, Matcher, Selector, Sli};
use regex_syntax::hir::literal::{Extractor, Literal};

use super::codes::{self, Code};
pub(super) use turned::{Turned, turned};
pub(super) use wider::{Wider, wider};

/// Why a selector may not take what was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) code: &'static Code,
    pub(super) message: String,
    pub(super) help: String,
    /// The matcher that it is about.
    pub(super) matcher: Matcher,
}

/// All doubts about a selector.
pub(super) fn doubts(selector: &Selector) -> Vec<Doubt> {
    let of_matcher = |matcher: &Matcher| {
        let (message, help) = match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => compared_as_text(selector, matcher),
            MatchOp::Regex | MatchOp::NotRegex => compared_as_pattern(selector, matcher),
        }?;
        Some(Doubt { code: &codes::MATCHER, message, help, matcher: matcher.clone() })
    };
    selector.matchers().iter().filter_map(of_matcher).chain(contradiction(selector)).collect()
}

/// What the first doubt about an SLI's series is about.
pub(super) fn doubt_about(sli: &Sli) -> Option<&'static Code> {
    let of_selector = sli.selectors().into_iter().flat_map(doubts).next().map(|doubt| doubt.code);
    of_selector.or_else(|| {
        let Sli::Events { counted: Counted::Bad(side) | Counted::Good(side), total } = sli else { return None };
        (outside(side, total).is_some() || wider(side, total).is_some()).then_some(&codes::NO_PART)
    })
}

/// Two matchers of a selector that no series meets.
fn contradiction(selector: &Selector) -> Option<Doubt> {
    let (one, other) = excluding(selector, selector)?;
    let wanted = |matcher: &Matcher| matches!(matcher.op, MatchOp::Equal | MatchOp::Regex);
    let help = if wanted(&one) && wanted(&other) {
        let either = Matcher { op: MatchOp::Regex, value: format!("{}|{}", one.value, other.value), ..one.clone() };
        format!("matchers hold all at once; write {either} for either of them")
    } else {
        "matchers hold all at once; remove one of them".to_owned()
    };
    let message = format!("the selector takes nothing: no series is both {one} and {other}");
    Some(Doubt { code: &codes::NO_SERIES, message, help, matcher: other })
}

/// So many matchers on one label are compared with each other.
const MOST_OF_A_LABEL: usize = 4;

/// A matcher of each selector that no series meets both of.
pub(super) fn excluding(one: &Selector, other: &Selector) -> Option<(Matcher, Matcher)> {
    one.matchers().chunk_by(|left, right| left.label == right.label).find_map(|of_a_label| {
        let label = of_a_label.first().map(|matcher| matcher.label.as_str())?;
        let others = || other.matchers().iter().filter(|matcher| matcher.label == label).take(MOST_OF_A_LABEL);
        let mut pairs = of_a_label.iter().take(MOST_OF_A_LABEL).flat_map(|left| others().map(move |right| (left, right)));
        pairs.find(|(left, right)| exclude(left, right)).map(|(left, right)| (left.clone(), right.clone()))
    })
}

/// So many pairs of selectors are compared.
const MOST_PAIRS: usize = 64;

/// A selector without the matchers that take everything.
pub(super) fn needed(selector: &Selector) -> Selector {
    let takes_all =
        |matcher: &Matcher| matcher.op == MatchOp::Regex && matches!(matcher.value.as_str(), ".*" | "^.*" | ".*$" | "^.*$" | "(.*)");
    Selector::new(selector.metric(), selector.matchers().iter().filter(|matcher| !takes_all(matcher)).cloned().collect())
}

/// Matchers that show a selector of one side to be no part of the total, which is of the same metric alone.
pub(super) fn outside(side: &[Selector], total: &[Selector]) -> Option<(Matcher, Matcher)> {
    if side.len() * total.len() > MOST_PAIRS {
        return None;
    }
    let comparable = |one: &&Selector| total.iter().all(|all| all.metric() == one.metric()) && excluding(one, one).is_none();
    side.iter().filter(comparable).map(without_boundary).find_map(|one| {
        let pairs: Vec<(Matcher, Matcher)> = total.iter().map(|all| excluding(&one, all)).collect::<Option<_>>()?;
        pairs.into_iter().next()
    })
}

/// Each bucket of a histogram holds those below it, whatever their boundaries are.
fn without_boundary(selector: &Selector) -> Selector {
    Selector::new(selector.metric(), selector.matchers().iter().filter(|matcher| matcher.label != "le").cloned().collect())
}

/// Whether no value meets both.
fn exclude(one: &Matcher, other: &Matcher) -> bool {
    use MatchOp::{Equal, NotEqual, NotRegex, Regex};
    match (one.op, other.op) {
        (Equal, _) => !may_hold(other, &one.value),
        (_, Equal) => !may_hold(one, &other.value),
        (Regex, Regex) => begin_otherwise(&one.value, &other.value),
        (Regex, NotEqual | NotRegex) => is_all_of(&one.value, other),
        (NotEqual | NotRegex, Regex) => is_all_of(&other.value, one),
        (NotEqual | NotRegex, NotEqual | NotRegex) => false,
    }
}

/// Longest regular expression that is judged, in bytes.
const LONGEST: usize = 128;

/// Whether an expression is one that people write and that takes no time: short, without counted repetitions, flags, or classes of all alphabets.
fn is_plain(pattern: &str) -> bool {
    const COSTLY: [&str; 9] = ["{", "(?", r"\p", r"\P", r"\w", r"\W", r"\s", r"\S", r"\b"];
    pattern.len() <= LONGEST && !COSTLY.iter().any(|part| pattern.contains(part))
}

/// Whether a value meets a matcher; true where that cannot be told here.
fn may_hold(matcher: &Matcher, value: &str) -> bool {
    if matches!(matcher.op, MatchOp::Regex | MatchOp::NotRegex) && !is_plain(&matcher.value) {
        return true;
    }
    let compiled = CompiledSelector::new(&Selector::new("", vec![matcher.clone()]), Dialect::default());
    compiled.matches(&Labels::new([(matcher.label.as_str(), value)]))
}

/// What each match of an expression begins with; `None` where that may be anything.
fn beginnings(pattern: &str) -> Option<Vec<Literal>> {
    let tree = regex_syntax::parse(pattern).ok().filter(|_| is_plain(pattern))?;
    Extractor::new().extract(&tree).literals().map(<[Literal]>::to_vec)
}

/// Whether no text begins as a match of each expression must.
fn begin_otherwise(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (beginnings(one), beginnings(other)) else { return false };
    let apart = |left: &Literal, right: &Literal| {
        let (left, right) = (left.as_bytes(), right.as_bytes());
        !left.starts_with(right) && !right.starts_with(left)
    };
    one.iter().all(|left| other.iter().all(|right| apart(left, right)))
}

/// Whether an expression has few matches, none of which meets a matcher.
fn is_all_of(pattern: &str, unmet: &Matcher) -> bool {
    let Some(all) = beginnings(pattern).filter(|all| all.iter().all(Literal::is_exact)) else { return false };
    all.iter().all(|literal| std::str::from_utf8(literal.as_bytes()).is_ok_and(|text| !may_hold(unmet, text)))
}

/// Labels that hold codes of HTTP.
const CODES: [&str; 12] = [
    "code",
    "status",
    "status_code",
    "statuscode",
    "http_code",
    "http_status",
    "http_status_code",
    "http_response_status_code",
    "response_code",
    "response_status",
    "response_status_code",
    "edge_response_status",
];

/// Whether a label may be one of HTTP's codes.
pub(super) fn is_of_http(label: &str) -> bool {
    CODES.contains(&label.to_ascii_lowercase().as_str())
}

/// Parts of a label's name of which the text may be a regular expression, a glob or a sentence.
const FREE: [&str; 16] = [
    "route",
    "path",
    "uri",
    "url",
    "endpoint",
    "handler",
    "pattern",
    "regex",
    "rule",
    "query",
    "sql",
    "statement",
    "expression",
    "command",
    "message",
    "title",
];

fn is_free(label: &str) -> bool {
    label.to_ascii_lowercase().split('_').any(|part| FREE.contains(&part))
}

/// `=` and `!=` compare letter by letter.
fn compared_as_text(selector: &Selector, matcher: &Matcher) -> Option<(String, String)> {
    let value = matcher.value.as_str();
    if is_of_http(&matcher.label) && is_class(value) {
        return class_of_codes(selector, matcher);
    }
    let pattern = (is_of_http(&matcher.label) && is_digit_and_dots(value)) || (!is_free(&matcher.label) && is_pattern(value));
    pattern.then(|| {
        let (takes, op, other) = match matcher.op {
            MatchOp::Equal | MatchOp::Regex => ("takes", "=", MatchOp::Regex),
            MatchOp::NotEqual | MatchOp::NotRegex => ("leaves out", "!=", MatchOp::NotRegex),
        };
        let message = format!("{matcher} {takes} the text `{value}` alone: `{op}` compares letter by letter");
        (message, format!("write {} for a regular expression", Matcher { op: other, ..matcher.clone() }))
    })
}

/// `5..`: a code of which only the first digit is said.
fn is_digit_and_dots(value: &str) -> bool {
    value.strip_prefix(|c: char| c.is_ascii_digit()).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c == '.'))
}

fn is_pattern(value: &str) -> bool {
    const PARTS: [&str; 7] = [".*", ".+", r"\d", r"\w", "[0-9]", "[a-z]", "[^"];
    let several = value.contains('|') && value.split('|').all(|part| !part.is_empty()) && !value.contains(char::is_whitespace);
    value.starts_with('^') || several || PARTS.iter().any(|part| value.contains(part))
}

/// `5xx`
fn is_class(value: &str) -> bool {
    matches!(value.as_bytes(), [b'1'..=b'5', b'x' | b'X', b'x' | b'X'])
}

/// Exporters that count by classes of codes and not by codes.
const COUNT_CLASSES: [&str; 6] = ["haproxy_", "nginx_vts_", "nginx_server_", "nginx_upstream_", "nginxplus_", "fastly_"];

fn class_of_codes(selector: &Selector, matcher: &Matcher) -> Option<(String, String)> {
    if COUNT_CLASSES.iter().any(|exporter| selector.metric().starts_with(exporter)) {
        return None;
    }
    let op = match matcher.op {
        MatchOp::Equal | MatchOp::Regex => MatchOp::Regex,
        MatchOp::NotEqual | MatchOp::NotRegex => MatchOp::NotRegex,
    };
    let value = matcher.value.to_ascii_lowercase().replace('x', ".");
    let first = matcher.value.chars().next().unwrap_or('5');
    let message = format!("{matcher} is about the text `{}`, and most exporters write codes out, such as {first}00", matcher.value);
    let either = Matcher { op, value, ..matcher.clone() };
    Some((message, format!("write {either}: that is about {first}00, {first}03 and {first}xx alike")))
}

/// `=~` and `!~` compare with the whole value.
fn compared_as_pattern(selector: &Selector, matcher: &Matcher) -> Option<(String, String)> {
    const WHOLE: &str = "a regular expression is compared with the whole value";
    let value = matcher.value.as_str();
    let instead = |value: String| Matcher { value, ..matcher.clone() };
    if value.is_empty() {
        let message = format!("{matcher} is about series that have no label `{}`", matcher.label);
        let same = Matcher { op: if matcher.op == MatchOp::Regex { MatchOp::Equal } else { MatchOp::NotEqual }, ..matcher.clone() };
        let help = format!("write what the label is to be, such as {}; where those are meant, {same} says so", instead("5..".to_owned()));
        return (matcher.op == MatchOp::Regex).then_some((message, help));
    }
    if is_of_http(&matcher.label) && value.split('|').all(is_class) {
        return class_of_codes(selector, matcher);
    }
    let is_whole_code = |text: &str| is_of_http(&matcher.label) && text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((end, text)) = one_anchor(value).filter(|(_, text)| !is_whole_code(text)) {
        let short_code = is_of_http(&matcher.label) && text.len() < 3 && text.starts_with(|c: char| c.is_ascii_digit());
        let longer = match end {
            End::Beginning if short_code => format!("{text}{}", ".".repeat(3 - text.len())),
            End::Beginning => format!("{text}.*"),
            End::Ending => format!(".*{text}"),
        };
        let (begin, end) = match end {
            End::Beginning => ("^", "begins with it"),
            End::Ending => ("$", "ends with it"),
        };
        let message = format!("{matcher} is about `{text}` and nothing longer: {WHOLE}, with or without `{begin}`");
        return Some((message, format!("write {} for what {end}", instead(longer))));
    }
    (is_of_http(&matcher.label) && is_of_requests(selector.metric()) && is_of_numbers(value) && meets_no_code(matcher)).then(|| {
        let message = format!("{matcher} is about no code of HTTP: {WHOLE}");
        (message, format!("codes have three digits: write for example {}", instead("5..".to_owned())))
    })
}

/// At which end of a value an anchor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Beginning,
    Ending,
}

/// What is anchored at one end alone, where it is of a fixed length: it cannot be about what begins (or ends) with it.
fn one_anchor(pattern: &str) -> Option<(End, &str)> {
    let fixed = |text: &str| !text.is_empty() && text.chars().all(|c| !"*+?()[]{}|^$\\".contains(c));
    // Who writes `^5..` counts the characters, and means the whole value.
    let begins = pattern.strip_prefix('^').filter(|text| !text.ends_with('.')).map(|text| (End::Beginning, text));
    let ends = || pattern.strip_suffix('$').filter(|text| !text.contains("..")).map(|text| (End::Ending, text));
    begins.or_else(ends).filter(|(_, text)| fixed(text))
}

fn is_of_requests(metric: &str) -> bool {
    ["http", "request", "response"].iter().any(|word| metric.contains(word)) && !metric.contains("grpc") && !metric.contains("rpc_")
}

/// Digits and signs of regular expressions, and nothing that stands for a word.
fn is_of_numbers(pattern: &str) -> bool {
    let plain = |c: char| c.is_ascii_digit() || "^$.*+?()[]{}|-,".contains(c);
    pattern.contains(|c: char| c.is_ascii_digit()) && pattern.replace(r"\d", "0").chars().all(plain)
}

/// Whether no code of HTTP matches the expression, nor one of gRPC that has two digits.
fn meets_no_code(matcher: &Matcher) -> bool {
    let pattern = Matcher { op: MatchOp::Regex, ..matcher.clone() };
    let compiled = CompiledSelector::new(&Selector::new("", vec![pattern]), Dialect::default());
    let meets = |code: u16| compiled.matches(&Labels::new([(matcher.label.clone(), code.to_string())]));
    is_plain(&matcher.value) && compiled.local() && !(10..=16).chain(100..600).any(meets)
}

#[cfg(test)]
mod tests;
