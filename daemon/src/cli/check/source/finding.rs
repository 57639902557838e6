//! A finding, and where it stands.

use burnward_core::{sli::Selector, slo::Slo};

use crate::definition::{Diagnostic, Loaded, codes::Code, duration};

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
    /// An expression.
    Expression(String),
}

impl Finding {
    pub(super) fn at(self, loaded: &Loaded, slo: &Slo) -> Diagnostic {
        let is_in = |keys: &[&str], key: &str| keys.first() == Some(&key);
        let place = match &self.about {
            About::Slo => None,
            About::Selector(selector) => {
                let texts = texts_of(selector);
                loaded
                    .value_of(slo, |keys, text| is_in(keys, "sli") && texts.iter().all(|part| text.contains(part)))
                    .or_else(|| Some(loaded.line_with(slo, &texts)))
            }
            About::Threshold(seconds) => {
                let is_it = |text: &str| duration::parse(text).is_ok_and(|span| span.as_secs_f64().total_cmp(seconds).is_eq());
                loaded.value_of(slo, |keys, text| matches!(keys.last(), Some(&("within" | "tolerated"))) && is_it(text))
            }
            About::Label(label) => loaded.value_of(slo, |keys, text| is_in(keys, "per") && text == label),
            About::Per => loaded.value_of(slo, |keys, _| is_in(keys, "per")),
            About::Expression(written) => loaded.value_of(slo, |keys, text| is_in(keys, "sli") && text.trim() == written),
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
