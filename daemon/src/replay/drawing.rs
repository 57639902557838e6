//! A test on a time line: what failed in it, what was expected, and what burnward did.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    time::Duration,
};

use super::run::{Happened, Outcome};
use crate::definition::{
    case::{Case, Expected, Happening, Span, Told},
    duration,
};

/// How many characters a test is long.
const WIDTH: usize = 60;
/// How wide the names of the lines are at least.
const NAMES: usize = 12;

/// The lines of a test that failed.
pub fn draw(case: &Case, outcome: &Outcome<'_>) -> String {
    let mut lines = Vec::new();
    let failing: Vec<Span> = case.traffic.iter().flat_map(|traffic| &traffic.failing).map(|failing| failing.when).collect();
    lines.push(Line::new("failing", failing, '!'));
    lines.extend(happenings(case).into_iter().map(|(name, spans)| Line::new(name, spans, 'x')));
    let failed: Vec<&Expected> = outcome.failures.iter().filter_map(|failure| Some(&failure.expectation?.what)).collect();
    for told in Told::ALL {
        lines.extend(of_kind(case, outcome, &failed, told));
    }
    let budgets = failed.iter().filter_map(|what| match what {
        Expected::Budget { at, .. } => Some(Span { from: *at, to: *at }),
        Expected::Begins { .. } | Expected::Ends { .. } | Expected::Never(_) => None,
    });
    lines.push(Line::new("budget", budgets.collect(), '?'));
    lines.retain(|line| line.mark != '?' || !line.spans.is_empty());

    let names = lines.iter().map(|line| line.name.chars().count() + 1).chain([NAMES]).max().unwrap_or(NAMES);
    let axis = Axis { lasts: case.lasts, names };
    lines.iter().fold(axis.marks(), |text, line| text + &axis.line(line))
}

/// The lines of what somebody is told, each group apart where there are several: what was to begin, what happened, what was to be over.
fn of_kind(case: &Case, outcome: &Outcome<'_>, failed: &[&Expected], kind: Told) -> Vec<Line> {
    let expected = |of: fn(&Expected, Told) -> Option<(Span, String)>| -> Vec<(Span, String)> {
        failed.iter().filter_map(|what| of(what, kind)).collect()
    };
    let (to_begin, to_end) = (expected(to_begin), expected(to_end));
    let happened = outcome.told.iter().filter(|happened| happened.told == kind);
    let happened: Vec<(Span, String)> = happened.map(|happened| (span(happened, case.lasts), happened.group.values())).collect();
    let never = failed.iter().any(|what| matches!(what, Expected::Never(told) if *told == kind));
    let all = to_begin.iter().chain(&happened).chain(&to_end);
    let groups: BTreeSet<&str> = all.map(|(_, group)| group.as_str()).collect();
    let is_apart = groups.iter().filter(|group| !group.is_empty()).count() > 1;
    let rows = if is_apart || groups.is_empty() { groups } else { BTreeSet::from([""]) };
    let each = rows.iter().flat_map(|group| {
        let line = |name: &str, spans: &[(Span, String)], mark: char| {
            let spans: Vec<Span> = spans.iter().filter(|(_, of)| of == group || !is_apart).map(|(span, _)| *span).collect();
            let name = if is_apart && !group.is_empty() { format!("{name} {group}") } else { name.to_owned() };
            Line { name, spans, mark }
        };
        let told = line(kind.word(), &happened, '#');
        // What any group was to do has no line of its own of what happened.
        let told = (!told.spans.is_empty() || !is_apart || !group.is_empty()).then_some(told);
        [Some(line("expected", &to_begin, '?')), told, Some(line("clear", &to_end, '?'))].into_iter().flatten()
    });
    let at_no_time = never.then(|| Line::new("expected", vec![Span { from: Duration::ZERO, to: case.lasts }], '-'));
    at_no_time.into_iter().chain(each).collect()
}

/// One line, with where its mark stands.
struct Line {
    name: String,
    spans: Vec<Span>,
    mark: char,
}

impl Line {
    fn new(name: &str, spans: Vec<Span>, mark: char) -> Self {
        Self { name: name.to_owned(), spans, mark }
    }
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

/// When something of this kind was to begin, and of which groups.
fn to_begin(what: &Expected, kind: Told) -> Option<(Span, String)> {
    match what {
        Expected::Begins { told, within, group, .. } => (*told == kind).then(|| (*within, values(group))),
        Expected::Ends { .. } | Expected::Never(_) | Expected::Budget { .. } => None,
    }
}

/// When something of this kind was to be over, and of which groups.
fn to_end(what: &Expected, kind: Told) -> Option<(Span, String)> {
    match what {
        Expected::Ends { told, within, group } => (*told == kind).then(|| (*within, values(group))),
        Expected::Begins { .. } | Expected::Never(_) | Expected::Budget { .. } => None,
    }
}

fn values(group: &BTreeMap<String, String>) -> String {
    group.values().cloned().collect::<Vec<_>>().join(", ")
}

fn span(happened: &Happened, lasts: Duration) -> Span {
    Span { from: happened.from, to: happened.to.unwrap_or(lasts) }
}

struct Axis {
    lasts: Duration,
    /// How wide names are.
    names: usize,
}

impl Axis {
    /// The column in which a moment lies.
    fn column(&self, moment: Duration) -> usize {
        let width = u128::try_from(WIDTH).unwrap_or_default();
        let column = moment.as_millis() * width / self.lasts.as_millis().max(1);
        usize::try_from(column).unwrap_or(WIDTH).min(WIDTH - 1)
    }

    fn marks(&self) -> String {
        let mut line = " ".repeat(self.names);
        for quarter in 0..4_u32 {
            let at = duration::format(Duration::from_secs(self.lasts.as_secs() * u64::from(quarter) / 4));
            let _ = write!(line, "{at:<15}");
        }
        let _ = writeln!(line, "{}", duration::format(self.lasts));
        let _ = writeln!(line, "{}{}|", " ".repeat(self.names), "|--------------".repeat(4));
        line
    }

    fn line(&self, Line { name, spans, mark }: &Line) -> String {
        let marked = |column: usize| spans.iter().any(|span| (self.column(span.from)..=self.column(span.to)).contains(&column));
        let drawn: String = (0..WIDTH).map(|column| if marked(column) { *mark } else { '.' }).collect();
        format!("{name:<width$}{drawn}\n", width = self.names)
    }
}
