//! A test on a time line: what failed in it, what was expected, and what burnward did.

use std::{fmt::Write as _, time::Duration};

use super::run::{Happened, Outcome};
use crate::definition::{
    case::{Case, Expected, Happening, Span, Told},
    duration,
};

/// How many characters a test is long.
const WIDTH: usize = 60;
/// How wide the names of the lines are.
const NAMES: usize = 12;

/// The lines of a test that failed.
pub fn draw(case: &Case, outcome: &Outcome<'_>) -> String {
    let axis = Axis { lasts: case.lasts };
    let mut text = axis.marks();
    let failing: Vec<Span> = case.traffic.iter().flat_map(|traffic| &traffic.failing).map(|failing| failing.when).collect();
    axis.line(&mut text, "failing", &failing, '!');
    for (name, spans) in happenings(case) {
        axis.line(&mut text, name, &spans, 'x');
    }
    for told in Told::ALL {
        let missed = |of: fn(&Expected, Told) -> Option<Span>| -> Vec<Span> {
            outcome.failures.iter().filter_map(|failure| of(&failure.expectation?.what, told)).collect()
        };
        let (to_begin, to_end) = (missed(to_begin), missed(to_end));
        let happened: Vec<Span> =
            outcome.told.iter().filter(|happened| happened.told == told).map(|happened| span(happened, case.lasts)).collect();
        if !to_begin.is_empty() {
            axis.line(&mut text, "expected", &to_begin, '?');
        }
        if !to_begin.is_empty() || !to_end.is_empty() || !happened.is_empty() {
            axis.line(&mut text, told.word(), &happened, '#');
        }
        if !to_end.is_empty() {
            axis.line(&mut text, "clear", &to_end, '?');
        }
    }
    text
}

fn happenings(case: &Case) -> Vec<(&'static str, Vec<Span>)> {
    let mut lines: Vec<(&'static str, Vec<Span>)> = Vec::new();
    for happening in &case.happens {
        let (name, span) = match happening {
            Happening::Deploy { at, takes } => ("deploy", Span { from: *at, to: *at + *takes }),
            Happening::ScrapeGap(span) => ("scrape-gap", *span),
            Happening::Down(span) => ("down", *span),
            Happening::SourceAway(span) => ("source-away", *span),
        };
        match lines.iter_mut().find(|(have, _)| *have == name) {
            Some((_, spans)) => spans.push(span),
            None => lines.push((name, vec![span])),
        }
    }
    lines
}

/// When something of this kind was to begin.
fn to_begin(what: &Expected, kind: Told) -> Option<Span> {
    match what {
        Expected::Begins { told, within, .. } => (*told == kind).then_some(*within),
        Expected::Ends { .. } | Expected::Never(_) | Expected::Budget { .. } => None,
    }
}

/// When something of this kind was to be over.
fn to_end(what: &Expected, kind: Told) -> Option<Span> {
    match what {
        Expected::Ends { told, within, .. } => (*told == kind).then_some(*within),
        Expected::Begins { .. } | Expected::Never(_) | Expected::Budget { .. } => None,
    }
}

fn span(happened: &Happened, lasts: Duration) -> Span {
    Span { from: happened.from, to: happened.to.unwrap_or(lasts) }
}

struct Axis {
    lasts: Duration,
}

impl Axis {
    /// The column in which a moment lies.
    fn column(&self, moment: Duration) -> usize {
        let width = u128::try_from(WIDTH).unwrap_or_default();
        let column = moment.as_millis() * width / self.lasts.as_millis().max(1);
        usize::try_from(column).unwrap_or(WIDTH).min(WIDTH - 1)
    }

    fn marks(&self) -> String {
        let mut line = " ".repeat(NAMES);
        for quarter in 0..4_u32 {
            let at = duration::format(Duration::from_secs(self.lasts.as_secs() * u64::from(quarter) / 4));
            let _ = write!(line, "{at:<15}");
        }
        let _ = writeln!(line, "{}", duration::format(self.lasts));
        let _ = writeln!(line, "{}{}|", " ".repeat(NAMES), "|--------------".repeat(4));
        line
    }

    fn line(&self, text: &mut String, name: &str, spans: &[Span], mark: char) {
        let marked = |column: usize| spans.iter().any(|span| (self.column(span.from)..=self.column(span.to)).contains(&column));
        let drawn: String = (0..WIDTH).map(|column| if marked(column) { mark } else { '.' }).collect();
        let _ = writeln!(text, "{name:<NAMES$}{drawn}");
    }
}
