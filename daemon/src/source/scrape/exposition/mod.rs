//! The text in which targets expose their metrics: Prometheus's text format 0.0.4 and OpenMetrics 1.0, as far as samples need it.
//!
//! Strict, because a sample that is lost silently is a wrong error budget: the whole text is read or none of it, and the error names the line,
//! the column and what was expected. HELP, TYPE and UNIT lines are checked for their form and not kept; exemplars are read and dropped.
//!
//! Formats: <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

mod cursor;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use burnward_core::{sli::Labels, time::Timestamp};

use self::cursor::Cursor;

/// Which of the two formats a text is in; its content type says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text format: timestamps in milliseconds, free comments, blanks where one likes.
    Text,
    /// OpenMetrics: timestamps in seconds, exemplars, a last line `# EOF`, single spaces.
    OpenMetrics,
}

/// A sample as a target exposes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposed {
    /// All labels with `__name__`.
    pub labels: Labels,
    /// The value.
    pub value: f64,
    /// The target's own timestamp, where it gives one.
    pub at: Option<Timestamp>,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// Where a text is not in the format, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ParseError {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// What was expected and what was found.
    pub problem: String,
}

/// All samples of a text in their order.
///
/// # Errors
/// The first thing that the format does not allow; a series that is there twice; a text that does not end as the format says, because then it
/// was cut off.
pub fn parse(text: &str, format: Format) -> Result<Vec<Exposed>, ParseError> {
    let mut samples = Vec::new();
    let mut ended = false;
    for (number, line) in lines(text).enumerate() {
        let mut cursor = Cursor::new(line, number + 1, format);
        if ended {
            return Err(cursor.problem("there is text after `# EOF`"));
        }
        match read_line(&mut cursor)? {
            Line::Sample(sample) => samples.push(sample),
            Line::Nothing => {}
            Line::Eof => ended = true,
        }
    }
    check_end(text, format, ended)?;
    check_distinct(&samples)?;
    Ok(samples)
}

/// Lines without their line feeds, and no last empty one. Only a line feed ends a line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line))
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// A sample.
    Sample(Exposed),
    /// Nothing about samples.
    Nothing,
    /// The end of OpenMetrics.
    Eof,
}

/// One line of OpenMetrics, without its line feed; `number` counts from 1.
///
/// # Errors
/// The first thing in it that the format does not allow.
pub fn openmetrics_line(line: &str, number: usize) -> Result<Line, ParseError> {
    read_line(&mut Cursor::new(line, number, Format::OpenMetrics))
}

fn read_line(cursor: &mut Cursor<'_>) -> Result<Line, ParseError> {
    cursor.blanks();
    match (cursor.peek(), cursor.format()) {
        (None, Format::Text) => Ok(Line::Nothing),
        (None, Format::OpenMetrics) => Err(cursor.expected("a sample, a comment or `# EOF`")),
        (Some('#'), Format::Text) => text_comment(cursor),
        (Some('#'), Format::OpenMetrics) => openmetrics_comment(cursor),
        (Some(_), _) => sample(cursor).map(Line::Sample),
    }
}

fn text_comment(cursor: &mut Cursor<'_>) -> Result<Line, ParseError> {
    cursor.literal("#")?;
    cursor.blanks();
    match cursor.word() {
        "HELP" => help(cursor)?,
        "TYPE" => kind(cursor, &["counter", "gauge", "histogram", "summary", "untyped"])?,
        _ => {}
    }
    Ok(Line::Nothing)
}

fn openmetrics_comment(cursor: &mut Cursor<'_>) -> Result<Line, ParseError> {
    cursor.literal("# ")?;
    match cursor.word() {
        "EOF" => {
            cursor.end()?;
            return Ok(Line::Eof);
        }
        "HELP" => help(cursor)?,
        "TYPE" => {
            kind(cursor, &["unknown", "gauge", "counter", "stateset", "info", "histogram", "gaugehistogram", "summary"])?;
        }
        "UNIT" => {
            cursor.separator()?;
            cursor.metric_name()?;
            cursor.separator()?;
        }
        _ => return Err(cursor.problem("expected HELP, TYPE, UNIT or EOF: OpenMetrics has no other comments")),
    }
    Ok(Line::Nothing)
}

/// A name and any text.
fn help(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    cursor.separator()?;
    cursor.metric_name().map(drop)
}

fn kind(cursor: &mut Cursor<'_>, known: &[&str]) -> Result<(), ParseError> {
    cursor.separator()?;
    cursor.metric_name()?;
    cursor.separator()?;
    let before = cursor.clone();
    if !known.contains(&cursor.word()) {
        return Err(before.expected(&format!("one of {}", known.join(", "))));
    }
    cursor.end()
}

/// `name{labels} value [timestamp] [# exemplar]`
fn sample(cursor: &mut Cursor<'_>) -> Result<Exposed, ParseError> {
    let line = cursor.line();
    let mut pairs = Vec::new();
    let named = cursor.peek() != Some('{');
    if named {
        pairs.push(("__name__".to_owned(), cursor.bare_metric_name()?));
        cursor.blanks();
    }
    let braced = cursor.peek() == Some('{');
    if braced {
        labels(cursor, &mut pairs)?;
    }
    cursor.separator_after(braced)?;
    let value = cursor.number("a value")?;
    let at = timestamp(cursor)?;
    exemplar(cursor)?;
    cursor.end()?;
    Ok(Exposed { labels: Labels::new(pairs), value, at, line })
}

/// `{name="value", ...}`; where the name of the metric does not stand before it, it is the first item, in quotes.
fn labels(cursor: &mut Cursor<'_>, pairs: &mut Vec<(String, String)>) -> Result<(), ParseError> {
    cursor.literal("{")?;
    cursor.blanks();
    if pairs.is_empty() {
        let name =
            cursor.quoted().map_err(|_| cursor.expected("the metric's name, before the braces or in quotes as the first in them"))?;
        pairs.push(("__name__".to_owned(), checked_name(cursor, name)?));
        cursor.blanks();
        if cursor.peek() != Some('}') {
            cursor.literal(",")?;
            cursor.blanks();
        }
    }
    while cursor.peek() != Some('}') {
        let pair = label(cursor, pairs)?;
        pairs.push(pair);
        cursor.blanks();
        if cursor.peek() == Some('}') {
            break;
        }
        cursor.comma_or_brace()?;
        cursor.blanks();
        cursor.no_brace_after_comma()?;
    }
    cursor.literal("}")
}

fn label(cursor: &mut Cursor<'_>, before: &[(String, String)]) -> Result<(String, String), ParseError> {
    let start = cursor.clone();
    let name = cursor.label_name()?;
    if name == "__name__" {
        return Err(start.problem("`__name__` is no label here: the name stands before the braces"));
    }
    if before.iter().any(|(have, _)| *have == name) {
        return Err(start.problem(&format!("the label `{name}` is there twice")));
    }
    cursor.blanks();
    cursor.literal("=")?;
    cursor.blanks();
    Ok((name, cursor.quoted()?))
}

fn checked_name(cursor: &Cursor<'_>, name: String) -> Result<String, ParseError> {
    if name.is_empty() { Err(cursor.problem("the metric's name is empty")) } else { Ok(name) }
}

fn timestamp(cursor: &mut Cursor<'_>) -> Result<Option<Timestamp>, ParseError> {
    if !cursor.more_after_separator() {
        return Ok(None);
    }
    cursor.separator()?;
    let before = cursor.clone();
    let at = match cursor.format() {
        Format::Text => cursor.word().parse().ok().map(Timestamp::from_millis),
        Format::OpenMetrics => cursor.word().parse().ok().and_then(instant),
    };
    at.map(Some).ok_or_else(|| before.expected("a timestamp or the end of the line"))
}

/// Whole milliseconds; sub-millisecond digits are rounded.
fn instant(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "below 2^53 by the check")]
    (seconds.abs() < 4.4e12).then_some(Timestamp::from_millis((seconds * 1000.0).round() as i64))
}

/// ` # {labels} value [timestamp]`, read and dropped: exemplars are pointers to traces, not samples.
fn exemplar(cursor: &mut Cursor<'_>) -> Result<(), ParseError> {
    if cursor.format() == Format::Text || cursor.peek().is_none() {
        return Ok(());
    }
    cursor.literal(" # ")?;
    // A name stands in front so that the braces hold labels alone.
    labels(cursor, &mut vec![(String::new(), String::new())])?;
    cursor.separator()?;
    cursor.number("the exemplar's value")?;
    timestamp(cursor).map(drop)
}

fn check_end(text: &str, format: Format, ended: bool) -> Result<(), ParseError> {
    let problem = match format {
        Format::Text if text.is_empty() || text.ends_with('\n') => return Ok(()),
        Format::Text => "expected a line feed at the end of the last line: the text was cut off",
        Format::OpenMetrics if ended => return Ok(()),
        Format::OpenMetrics => "expected a last line `# EOF`: the text was cut off",
    };
    let last = lines(text).last().unwrap_or_default();
    let number = lines(text).count().max(1);
    Err(ParseError { line: number, column: last.chars().count() + 1, problem: problem.to_owned() })
}

/// A series that is there twice has two values, and nobody can say which one counts.
fn check_distinct(samples: &[Exposed]) -> Result<(), ParseError> {
    let mut first_lines = HashMap::with_capacity(samples.len());
    for sample in samples {
        if let Some(first) = first_lines.insert(&sample.labels, sample.line) {
            let problem = format!("the same series of `{}` stands in line {first} already", sample.labels.get("__name__"));
            return Err(ParseError { line: sample.line, column: 1, problem });
        }
    }
    Ok(())
}
