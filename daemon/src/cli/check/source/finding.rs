//! A finding, and where it stands.

use burnward_core::{sli::Selector, slo::Slo};

use crate::definition::{
    Diagnostic,
    codes::{self, Code},
    diagnostic::Place,
    duration,
    places::Values,
    promql, selector,
};

/// One thing that a source shows to be wrong with an SLO.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) code: &'static Code,
    pub(super) message: String,
    pub(super) help: String,
    pub(super) about: About,
}

/// What of an SLO a finding is about.
#[derive(Debug, Clone)]
pub(super) enum About {
    /// All of it.
    Slo,
    /// A selector, as its author wrote it.
    Selector(Selector),
    /// A threshold, in seconds.
    Threshold(f64),
    /// A label of `per`.
    Label(String),
    /// All labels of `per`.
    Per,
    /// An expression, as it is sent.
    Expression(String),
    /// A selector within it.
    Part(String, Selector),
    /// The value of a key of the SLI.
    Key(&'static str),
}

/// Whether there is nothing of a selector that everything rests on.
pub(super) fn is_nothing(finding: &Finding) -> bool {
    finding.code == &codes::SOURCE_NOTHING || (finding.code == &codes::SOURCE_BUCKET && matches!(finding.about, About::Selector(_)))
}

impl Finding {
    /// Whether the author of an SLO switched such findings off: what the values of an expression look like, its author may know better.
    pub(super) fn is_silenced<'l>(&self, values: &mut Values<'l>, slo: &'l Slo) -> bool {
        let is_of_values = match &self.about {
            About::Key(_) => true,
            About::Part(..) => self.code == &codes::SOURCE_GAUGE,
            About::Slo | About::Selector(_) | About::Threshold(_) | About::Label(_) | About::Per | About::Expression(_) => false,
        };
        is_of_values && values.find(slo, |keys, text| keys.last() == Some(&"promql-check") && text == "off").is_some()
    }

    pub(super) fn at<'l>(self, values: &mut Values<'l>, slo: &'l Slo) -> Diagnostic {
        let loaded = values.loaded();
        let is_in = |keys: &[&str], key: &str| keys.first() == Some(&key);
        let place = match &self.about {
            About::Slo => None,
            About::Selector(written) => {
                let texts = texts_of(written);
                let reads_so = |text: &str| selector::parse_any(text).is_ok_and(|read| read == *written);
                values
                    .find(slo, |keys, text| is_in(keys, "sli") && reads_so(text))
                    .or_else(|| values.find(slo, |keys, text| is_in(keys, "sli") && texts.iter().all(|part| text.contains(part))))
                    .or_else(|| Some(loaded.line_with(slo, &texts)))
            }
            About::Threshold(seconds) => {
                let is_it = |text: &str| duration::parse(text).is_ok_and(|span| span.as_secs_f64().total_cmp(seconds).is_eq());
                values.find(slo, |keys, text| matches!(keys.last(), Some(&("within" | "tolerated"))) && is_it(text))
            }
            About::Label(label) => values.find(slo, |keys, text| is_in(keys, "per") && text == label),
            About::Per => values.find(slo, |keys, _| is_in(keys, "per")),
            About::Part(sent, selector) => values
                .find(slo, |keys, text| is_in(keys, "sli") && promql::is_sent_as(text, sent))
                .map(|place| part_of(&place, selector).unwrap_or(place)),
            About::Key(key) => values.find(slo, |keys, _| is_in(keys, "sli") && keys.last() == Some(key)),
            About::Expression(written) => values.find(slo, |keys, text| is_in(keys, "sli") && promql::is_sent_as(text, written)),
        };
        let place = place.unwrap_or_else(|| loaded.line_with(slo, &[]));
        Diagnostic { code: self.code, message: self.message, place, related: Vec::new(), help: vec![self.help] }
    }
}

/// What the text of a selector holds, however it is spaced.
fn texts_of(selector: &Selector) -> Vec<&str> {
    let matchers = selector.matchers().iter().flat_map(|matcher| [matcher.label.as_str(), matcher.value.as_str()]);
    [selector.metric()].into_iter().chain(matchers).collect()
}

/// Where a selector stands in the text of an expression.
fn part_of(place: &Place, selector: &Selector) -> Option<Place> {
    let range = place.range.clone()?;
    let text = &place.source.text()[range.clone()];
    let (metric, texts) = (selector.metric(), texts_of(selector));
    let of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let is_whole = |at: &usize| !text[..*at].ends_with(of_name) && !text[*at + metric.len()..].starts_with(of_name);
    let starts = text.match_indices(metric).map(|(at, _)| at).filter(is_whole);
    let ends = starts.map(|at| (at, at + metric.len() + braces(&text[at + metric.len()..])));
    let (start, end) = ends.into_iter().find(|(start, end)| texts.iter().all(|part| text[*start..*end].contains(part)))?;
    Some(Place::new(&place.source, range.start + start..range.start + end))
}

/// How long the braces are that a text begins with.
fn braces(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '{') if at == 0 => {}
            (None, _) if at == 0 => return 0,
            (None, '}') => return at + 1,
            (None, '"' | '\'' | '`') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some(_), _) => {}
        }
    }
    0
}
