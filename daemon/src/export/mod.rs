//! SLOs of burnward in the words of other tools: rules of Prometheus, OpenSLO, a dashboard of Grafana. So nobody is locked in.
//!
//! What the other format cannot hold is told of, SLO by SLO: an export is never less than it seems without a word.

mod grafana;
mod openslo;
mod ratio;
mod rules;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use burnward_core::{
    slo::{CountedIn, Objective, Slo},
    units::{Ratio, Target},
    window::Window,
};

use crate::definition::yaml::Node;

/// A text of another tool, and what is not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The text.
    pub text: String,
    /// How many SLOs are in it, whole or in part.
    pub slos: usize,
    /// What it cannot hold, in the order of the SLOs.
    pub losses: Vec<Loss>,
}

/// Something that the other format cannot hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Of which SLO, and where that is written; `None`: of all of them.
    of: Option<(String, String)>,
    what: String,
}

impl Loss {
    fn of(slo: &Slo, what: impl Into<String>) -> Self {
        let of = (format!("{}:{}", slo.origin.file, slo.origin.line), id(slo));
        Self { of: Some(of), what: what.into() }
    }

    fn of_all(what: &str) -> Self {
        Self { of: None, what: what.to_owned() }
    }
}

/// One line: `slo.yaml:5: checkout/latency: ...`.
impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Some((place, id)) => write!(f, "{place}: {id}: {}", self.what),
            None => write!(f, "{}", self.what),
        }
    }
}

/// What SLOs can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Recording and alerting rules.
    PrometheusRules,
    /// Documents of `openslo/v1`.
    OpenSlo,
    /// A dashboard over the recording rules.
    Grafana,
}

/// Writes SLOs in another format.
pub fn export(slos: &[Arc<Slo>], format: Format) -> Exported {
    match format {
        Format::PrometheusRules => rules::export(slos),
        Format::OpenSlo => openslo::export(slos),
        Format::Grafana => grafana::export(slos),
    }
}

/// `service/name`
fn id(slo: &Slo) -> String {
    format!("{}/{}", slo.id.service, slo.id.name)
}

/// The length of a rolling window.
fn rolling(objective: &Objective) -> Option<Duration> {
    match &objective.window {
        Window::Rolling(length) => Some(*length),
        Window::Calendar { .. } => None,
    }
}

/// Whether its budget is of events.
fn counts_events(objective: &Objective) -> bool {
    objective.counted_in == CountedIn::Events
}

/// A fraction as an exact decimal number, where it is one; else to twelve digits behind the point.
fn decimal(ratio: Ratio) -> String {
    const DIGITS: usize = 12;
    let (num, den) = (u128::from(ratio.num()), u128::from(ratio.den()));
    let mut text = (num / den).to_string();
    let mut rest = num % den;
    if rest > 0 {
        text.push('.');
    }
    for _ in 0..DIGITS {
        if rest == 0 {
            break;
        }
        text += &(rest * 10 / den).to_string();
        rest = rest * 10 % den;
    }
    text
}

/// The share of good events that a target asks for, as an exact decimal: `0.999`.
fn share(target: Target) -> Option<String> {
    let allowed = target.allowed();
    Ratio::new(allowed.den() - allowed.num(), allowed.den()).map(decimal)
}

/// A place for nodes that stand in no file.
const NOWHERE: std::ops::Range<usize> = 0..0;

fn word(text: impl Into<String>) -> Node {
    crate::definition::build::word(&NOWHERE, text)
}

fn quoted(text: impl Into<String>) -> Node {
    crate::definition::build::quoted(&NOWHERE, text)
}

fn list(items: Vec<Node>) -> Node {
    crate::definition::build::list(&NOWHERE, items)
}

fn map<const N: usize>(entries: [(&str, Option<Node>); N]) -> Node {
    crate::definition::build::map(&NOWHERE, entries)
}
