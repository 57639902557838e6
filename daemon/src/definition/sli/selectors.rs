//! Selectors as documents write them: one or a list, quoted or eaten by YAML.

use std::ops::Range;

use burnward_core::sli::{CompiledSelector, Dialect, Labels, MatchOp, Matcher, Selector};

use crate::definition::{
    codes,
    matchers::{self, Doubt},
    promql,
    reader::Reader,
    selector::{self, Fault},
    yaml::{Node, Value},
};

/// Most selectors that are summed.
const MAX_SELECTORS: usize = 32;

/// What a selector is to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Counters,
    Probes,
}

/// One selector, or a list that is summed.
pub(super) fn selectors(reader: &mut Reader, node: &Node) -> Option<Vec<Selector>> {
    one_or_more(reader, node, Taken::Counters)
}

/// One selector of a gauge of 0 and 1, or a list of them.
pub(super) fn probes(reader: &mut Reader, node: &Node) -> Option<Vec<Selector>> {
    one_or_more(reader, node, Taken::Probes)
}

fn one_or_more(reader: &mut Reader, node: &Node, taken: Taken) -> Option<Vec<Selector>> {
    let Value::List(items) = &node.value else {
        return read_as(reader, node, taken).map(|selector| vec![selector]);
    };
    if items.is_empty() || items.len() > MAX_SELECTORS {
        reader.error(&codes::WRONG_TYPE, node.range.clone(), format!("a list of selectors has 1 to {MAX_SELECTORS} entries"));
        return None;
    }
    let read: Vec<Option<Selector>> = items.iter().map(|item| read_as(reader, item, taken)).collect();
    let all: Vec<Selector> = read.into_iter().collect::<Option<_>>()?;
    for (at, selector) in all.iter().enumerate() {
        if all[..at].contains(selector) {
            let message = "this selector is in the list twice, and would be counted twice";
            let diagnostic = reader.diagnostic(&codes::SELECTOR, items[at].range.clone(), message);
            reader.report(diagnostic.help("remove it"));
            return None;
        }
    }
    advise_on_overlap(reader, items, &all);
    Some(all)
}

/// Tells of a selector all of whose series another one of the list takes, too.
fn advise_on_overlap(reader: &mut Reader, items: &[Node], list: &[Selector]) {
    for (item, narrow) in items.iter().zip(list) {
        if let Some(wide) = list.iter().find(|wide| *wide != narrow && takes_all_of(wide, narrow)) {
            let message = format!("{wide} takes what {narrow} takes, too, and a list is added up: those events count twice");
            let diagnostic = reader.diagnostic(&codes::DOUBLED, item.range.clone(), message);
            reader.report(diagnostic.help("leave one of both out; a list is of selectors that have no series in common"));
            return;
        }
    }
}

/// Whether every series of `narrow` is one of `wide`: each matcher of that stands there, too, or takes the one value that is asked for there.
fn takes_all_of(wide: &Selector, narrow: &Selector) -> bool {
    let value_of = |label: &str| narrow.matchers().iter().find(|own| own.label == label && own.op == MatchOp::Equal).map(|own| &own.value);
    let takes = |matcher: &Matcher| {
        narrow.matchers().contains(matcher)
            || value_of(&matcher.label).is_some_and(|value| {
                let compiled = CompiledSelector::new(&Selector::new("", vec![matcher.clone()]), Dialect::default());
                compiled.local() && compiled.matches(&Labels::new([(matcher.label.clone(), value.clone())]))
            })
    };
    wide.metric() == narrow.metric() && wide.matchers().iter().all(takes)
}

/// A selector, with the doubts about what it takes.
pub(super) fn read_selector(reader: &mut Reader, node: &Node) -> Option<Selector> {
    read_as(reader, node, Taken::Counters)
}

fn read_as(reader: &mut Reader, node: &Node, taken: Taken) -> Option<Selector> {
    let selector = parse_as(reader, node, taken)?;
    if let Value::Scalar { text, .. } = &node.value {
        for doubt in matchers::doubts(&selector) {
            tell(reader, node, text, doubt);
        }
    }
    Some(selector)
}

/// A selector as it is written; what it takes is told where it is used.
pub(in crate::definition) fn parse_selector(reader: &mut Reader, node: &Node) -> Option<Selector> {
    parse_as(reader, node, Taken::Counters)
}

fn parse_as(reader: &mut Reader, node: &Node, taken: Taken) -> Option<Selector> {
    let text = query_text(reader, node, "a selector")?;
    match selector::parse(text) {
        Ok(selector) => Some(selector),
        Err(fault) => {
            let fault = if taken == Taken::Probes { fault.of_probe() } else { fault };
            report(reader, node, text, &fault);
            None
        }
    }
}

fn tell(reader: &mut Reader, node: &Node, text: &str, doubt: Doubt) {
    let written = doubt.matcher.to_string();
    let at = text.find(&written).and_then(|at| within(reader, node, text, &(at..at + written.len())));
    let diagnostic = reader.diagnostic(doubt.code, at.unwrap_or_else(|| node.range.clone()), doubt.message);
    reader.report(diagnostic.help(doubt.help));
}

/// The text of a query, as far as YAML left it whole.
pub(super) fn query_text<'n>(reader: &mut Reader, node: &'n Node, of: &str) -> Option<&'n str> {
    const QUOTES: &str = "put the query into single quotes";
    let Value::Scalar { text, quoted } = &node.value else {
        let message = "YAML read the query as a mapping or a list, because it starts with { or [";
        let ate = reader.source().text()[node.range.start..].starts_with(['{', '[']);
        if ate {
            let diagnostic = reader.diagnostic(&codes::YAML_ATE_QUERY, node.range.clone(), message);
            reader.report(diagnostic.help(QUOTES));
            return None;
        }
        return reader.text(node, of);
    };
    if *quoted || !cut_by_comment(reader, node, text) {
        return reader.text(node, of);
    }
    let diagnostic = reader.diagnostic(&codes::YAML_ATE_QUERY, node.range.clone(), "YAML cut the query at ` #`");
    reader.report(diagnostic.label("this is all that is left of it").help(QUOTES));
    None
}

/// True where braces and double quotes come in pairs.
fn balanced(text: &str) -> bool {
    text.matches('{').count() == text.matches('}').count() && text.matches('"').count().is_multiple_of(2)
}

/// True where a comment follows that is more likely the rest of the query: what stands before it is half a query, or it looks like matchers itself.
fn cut_by_comment(reader: &Reader, node: &Node, text: &str) -> bool {
    let rest = reader.source().text()[node.range.end..].lines().next().unwrap_or_default();
    let matchers = ["{", "=\"", "=~", "!~", "!="];
    rest.trim_start().strip_prefix('#').is_some_and(|comment| !balanced(text) || matchers.iter().any(|part| comment.contains(part)))
}

fn report(reader: &mut Reader, node: &Node, text: &str, fault: &Fault) {
    let range = fault.at.clone().and_then(|at| within(reader, node, text, &at)).unwrap_or_else(|| node.range.clone());
    let diagnostic = reader.diagnostic(fault.code, range, fault.message.clone()).help(fault.help);
    reader.report(match promql::hidden_gap(text) {
        Some(advice) => diagnostic.help(advice),
        None => diagnostic,
    });
}

/// The place of a stretch of a query in the file, where the file holds the query letter by letter.
pub(super) fn within(reader: &Reader, node: &Node, text: &str, at: &Range<usize>) -> Option<Range<usize>> {
    let written = reader.source().text().get(node.range.clone())?;
    let offset = written.find(text).filter(|offset| *offset <= 1)?;
    let start = node.range.start + offset;
    Some(start + at.start..start + at.end)
}
