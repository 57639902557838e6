//! A proposal as a document: laid out as `burnward fmt` lays out, with what a reader should know as comments beside what it is about. What a source
//! says of itself comes in as text alone: a name can break neither a line nor a quote.

use std::fmt::Write as _;

use burnward_core::id::{ServiceName, TeamName};

use super::{
    candidate::{Candidate, Indicator},
    measure::Evidence,
};
use crate::definition::{Diagnostic, discover, document::VERSION, duration, format};

/// What is written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Where the schema lies as seen from the document.
    pub schema: &'a str,
    /// What stands above it: where it comes from, a sentence each.
    pub about: &'a [String],
    /// Of which service, where that is known.
    pub service: Option<&'a ServiceName>,
    /// Who is told, where somebody said so.
    pub team: Option<&'a TeamName>,
    /// Its runbook, where somebody said so.
    pub runbook: Option<&'a str>,
    /// Its SLOs.
    pub slos: &'a [Proposed],
}

/// An SLO with its objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposed {
    /// What it counts.
    pub candidate: Candidate,
    /// In percent: `99.9`.
    pub target: String,
    /// Why this target, a sentence each.
    pub why: Vec<String>,
    /// What its alerts do, where that is not the usual.
    pub alerting: Option<&'static str>,
    /// What the target follows from, where it was measured.
    pub evidence: Option<Evidence>,
}

/// What nobody has read yet wakes nobody (ADR 0037).
const SHADOW: &str = "In shadow each counts and tells nobody: `burnward shadow` lists what it would have told. Promote: `status: active`.";

/// Comments are broken beyond so many columns.
const WIDTH: usize = 120;

/// The text of the document.
///
/// # Errors
/// Why it cannot be laid out; a text of ours always can.
pub fn text(draft: &Draft<'_>) -> Result<String, Vec<Diagnostic>> {
    format::format(&discover::source("proposal", &written(draft)), Some(draft.schema))
}

fn written(draft: &Draft<'_>) -> String {
    let mut out = String::new();
    comments(&mut out, 0, draft.about);
    comments(&mut out, 0, &[SHADOW.to_owned()]);
    line(&mut out, 0, format_args!("version: {VERSION}"));
    match draft.service {
        Some(service) => line(&mut out, 0, format_args!("service: {service}")),
        None => comments(&mut out, 0, &["Of which service? A name of a-z, 0-9 and -: service: checkout".to_owned()]),
    }
    match draft.team {
        Some(team) => line(&mut out, 0, format_args!("team: {team}")),
        None => comments(&mut out, 0, &["Who is told? Name one of `teams:` in burnward.yaml: team: payments".to_owned()]),
    }
    line(&mut out, 0, format_args!("slos:"));
    for (place, slo) in draft.slos.iter().enumerate() {
        if place > 0 {
            out.push('\n');
        }
        self::slo(&mut out, slo, draft);
    }
    out
}

fn slo(out: &mut String, slo: &Proposed, draft: &Draft<'_>) {
    let Proposed { candidate, target, why, alerting, evidence: _ } = slo;
    line(out, 1, format_args!("- name: {}", candidate.name));
    line(out, 2, format_args!("title: {}", quoted(&one_line(&candidate.title))));
    match draft.runbook {
        Some(runbook) => line(out, 2, format_args!("runbook: {}", quoted(&one_line(runbook)))),
        None if *alerting == Some("ticket") => {}
        None => {
            let service = draft.service.map_or("checkout", ServiceName::as_str);
            let advice = format!(
                "What to do first when it pages? Name a file of the directory of runbooks: runbook: {service}-{}.md",
                candidate.name
            );
            comments(out, 2, &[advice]);
        }
    }
    comments(out, 2, &candidate.remarks);
    line(out, 2, format_args!("sli:"));
    indicator(out, &candidate.indicator);
    if let Some((label, values)) = &candidate.per {
        comments(out, 2, &[format!("For a budget of each of the {values} values of `{}`: per: [{}]", one_line(label), one_line(label))]);
    }
    line(out, 2, format_args!("objectives:"));
    comments(out, 3, why);
    line(out, 3, format_args!("- target: {target}%"));
    line(out, 4, format_args!("window: 30d"));
    if let Some(alerting) = alerting {
        line(out, 4, format_args!("alerting: {alerting}"));
    }
    line(out, 2, format_args!("status: shadow"));
}

fn indicator(out: &mut String, indicator: &Indicator) {
    match indicator {
        Indicator::Events { bad, total, failed: _ } => {
            line(out, 3, format_args!("events:"));
            line(out, 4, format_args!("bad: {}", quoted(&bad.to_string())));
            line(out, 4, format_args!("total: {}", quoted(&total.to_string())));
        }
        Indicator::Latency { histogram, within, by_observation: _, native } => {
            line(out, 3, format_args!("latency:"));
            line(out, 4, format_args!("histogram: {}", quoted(&histogram.to_string())));
            line(out, 4, format_args!("within: {}", duration::format(*within)));
            if *native {
                line(out, 4, format_args!("buckets: native"));
            }
        }
        Indicator::Probe { series } => line(out, 3, format_args!("probe: {}", quoted(&series.to_string()))),
    }
}

fn line(out: &mut String, depth: usize, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "{:1$}{text}", "", depth * 2);
}

fn comments(out: &mut String, depth: usize, sentences: &[String]) {
    for sentence in sentences {
        let mut row = String::new();
        // A number and its sign stay on one line.
        for word in one_line(sentence).replace(" %", "\u{a0}%").split(' ') {
            let word = word.replace('\u{a0}', " ");
            if !row.is_empty() && row.chars().count() + word.chars().count() >= WIDTH {
                line(out, depth, format_args!("# {row}"));
                row.clear();
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(&word);
        }
        line(out, depth, format_args!("# {row}"));
    }
}

/// A scalar that means this text whatever it holds.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text without anything that ends a line or changes how one looks.
pub fn one_line(text: &str) -> String {
    let shown = |c: char| {
        let hidden =
            c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if hidden { c.escape_unicode().to_string() } else { c.to_string() }
    };
    text.chars().map(shown).collect()
}
