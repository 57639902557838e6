//! Metrics from the text of a metrics endpoint. Read by the strict parser that scrapes; `prometheus-parse` reads the same as a second opinion, and where
//! the two differ, that is told. One scrape has no history: how good a service was cannot be known from it.

use burnward_core::sli::{CompiledSelector, Dialect, Selector};

use super::{cross_check, family::Family, pair};
use crate::source::scrape::exposition::{self, Exposed, Format, ParseError};

/// What a text shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition {
    /// Its metrics, by name.
    pub families: Vec<Family>,
    /// How many samples it has.
    pub samples: usize,
    /// What the second opinion reads otherwise.
    pub differences: Option<String>,
}

/// Metrics that are looked at, of those that are there.
const MOST_FAMILIES: usize = 20_000;

/// The format of a text that came without a content type: OpenMetrics says where it ends.
pub fn format_of(text: &str) -> Format {
    if text.trim_end().ends_with("# EOF") { Format::OpenMetrics } else { Format::Text }
}

/// Reads a text; of its samples those that `only` matches, whose metric may be left empty: else what may belong to that metric comes with it.
///
/// # Errors
/// The first thing that the format does not allow.
pub fn read(text: &str, format: Format, only: &Selector) -> Result<Exposition, ParseError> {
    let samples = exposition::parse(text, format)?;
    let differences = cross_check::differences(text, &samples);
    let compiled = CompiledSelector::new(&Selector::new("", only.matchers().to_vec()), Dialect::default());
    let asked = pair::beside(only.metric());
    let named = |sample: &&Exposed| only.metric().is_empty() || asked.contains(sample.labels.get("__name__"));
    let mut by_name = std::collections::BTreeMap::<&str, Family>::new();
    for sample in samples.iter().filter(named).filter(|sample| compiled.matches(&sample.labels)) {
        let name = sample.labels.get("__name__");
        if by_name.len() >= MOST_FAMILIES && !by_name.contains_key(name) {
            continue;
        }
        take(by_name.entry(name).or_insert_with(|| Family::named(name)), sample);
    }
    Ok(Exposition { families: by_name.into_values().collect(), samples: samples.len(), differences })
}

fn take(family: &mut Family, sample: &Exposed) {
    for (label, value) in sample.labels.pairs().filter(|(label, _)| *label != "__name__") {
        if label == "le" && family.name.ends_with("_bucket") {
            if let Ok(seconds) = value.parse::<f64>() {
                family.observe(seconds, if sample.value.is_finite() { sample.value } else { 0.0 });
            }
        } else {
            family.add(label, value);
        }
    }
}
