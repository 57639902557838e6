//! Tables and times for people on a terminal.

use std::{fmt, io::stdout, time::Duration};

use comfy_table::{ContentArrangement, presets};
use jiff::{Timestamp, tz::TimeZone};
use terminal_size::{Width, terminal_size_of};

use burnward_core::words;

use crate::render::{VALUE_CHARS, visible_whole};

/// A table without lines. Where it is wider than the terminal that it is printed to, each row is told in lines of its own; what reads a pipe or a file has a
/// row in each line.
#[derive(Debug)]
pub(super) struct Table {
    headings: Vec<String>,
    /// The cells that say what a row is of, which stand without their headings where it is told in lines.
    titles: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table under these headings.
    pub(super) fn new(headings: &[&str]) -> Self {
        Self { headings: headings.iter().map(|heading| (*heading).to_owned()).collect(), titles: 1, rows: Vec::new() }
    }

    /// An empty table whose rows are known by their first two cells.
    pub(super) fn titled_by_two(headings: &[&str]) -> Self {
        Self { titles: 2, ..Self::new(headings) }
    }

    /// One more row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| visible_whole(&cell)).collect());
    }

    /// As text of lines that are at most so many characters long, as far as its words allow it.
    fn within(&self, width: Option<usize>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(&self.headings);
        table.add_rows(&self.rows);
        let lines: Vec<String> = table.lines().map(|line| line.trim().to_owned()).collect();
        match width {
            Some(width) if lines.iter().any(|line| line.chars().count() > width) => {
                self.rows.iter().map(|row| self.told(row, width)).collect()
            }
            Some(_) | None => lines.join("\n") + "\n",
        }
    }

    /// One row: the cells that it is known by, and below them the others that say something, each behind its heading.
    fn told(&self, row: &[String], width: usize) -> String {
        let (first, others) = row.split_at(row.len().min(self.titles));
        let headings = self.headings.iter().skip(self.titles);
        let named = headings.zip(others).filter(|(_, cell)| *cell != "-").map(|(heading, cell)| format!("{heading} {cell}"));
        let mut lines = vec![first.join("  ")];
        for part in named {
            match lines.last_mut() {
                Some(line) if line.starts_with("  ") && line.chars().count() + part.chars().count() + 3 <= width => {
                    line.extend([" · ", &part]);
                }
                _ => lines.push(format!("  {part}")),
            }
        }
        lines.join("\n") + "\n"
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.within(terminal_size_of(stdout()).map(|(Width(width), _)| usize::from(width))))
    }
}

/// A group behind the name of its SLO: `{acme, eu}`, each value cut where it is long; nothing where the SLO is not split.
pub(super) fn group(labels: &[(String, String)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let values: Vec<String> = labels.iter().map(|(_, value)| words::cut(value, VALUE_CHARS)).collect();
    format!("{{{}}}", values.join(", "))
}

/// The name of an alert, with its group, cut where that is long.
pub(super) fn alert_name(name: &str) -> String {
    words::cut(name, 2 * VALUE_CHARS)
}

/// Words of people for a terminal: nothing of them acts on it, and lines after the first are indented.
pub(super) fn words_of_people(text: &str) -> String {
    text.lines().map(visible_whole).collect::<Vec<_>>().join("\n    ")
}

/// An instant in the terminal's own zone, with the zone.
pub(super) fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// How long ago an instant is, for the last day; its date and time before that.
pub(super) fn ago(at: Timestamp) -> String {
    let seconds = u64::try_from(Timestamp::now().as_second() - at.as_second()).unwrap_or(0);
    if seconds < 86_400 { format!("{} ago", words::duration(Duration::from_secs(seconds))) } else { local(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_people_wrote_acts_on_the_terminal() {
        assert_eq!(
            words_of_people("rolled\u{1b}[2J back\r\n2026-11-26 burnward: Resolved"),
            "rolled␛[2J back\n    2026-11-26 burnward: Resolved"
        );
        let mut table = Table::new(&["WHO"]);
        table.row(vec!["a\u{1b}]0;b\u{7}\u{202e}c".to_owned()]);
        assert_eq!(table.to_string(), "WHO\na␛]0;b␇⟨U+202E⟩c\n");
    }

    #[test]
    fn a_row_that_is_wider_than_the_terminal_is_told_in_lines() {
        let mut table = Table::titled_by_two(&["STATE", "SLO", "TARGET", "BUDGET LEFT", "RUNS OUT", "SEEN"]);
        table.row(["● OK", "checkout/availability", "99.9 % 30d", "71 % (30 m 40 s)", "-", "100 %"].map(ToOwned::to_owned).into());
        table.row(["▲ BURNING", "search/latency", "99 % 7d", "4 % (4 m)", "in 12 m", "98 %"].map(ToOwned::to_owned).into());
        let wide = "STATE      SLO                    TARGET      BUDGET LEFT       RUNS OUT  SEEN\n● OK       checkout/availability  99.9 % 30d  71 % (30 m 40 s)  -         100 %\n▲ BURNING  search/latency         99 % 7d     4 % (4 m)         in 12 m   98 %\n";
        assert_eq!(table.within(None), wide);
        assert_eq!(table.within(Some(80)), wide);
        let narrow = "● OK  checkout/availability\n  TARGET 99.9 % 30d\n  BUDGET LEFT 71 % (30 m 40 s)\n  SEEN 100 %\n▲ BURNING  search/latency\n  TARGET 99 % 7d\n  BUDGET LEFT 4 % (4 m)\n  RUNS OUT in 12 m · SEEN 98 %\n";
        assert_eq!(table.within(Some(36)), narrow);
    }

    #[test]
    fn a_value_of_a_megabyte_fills_no_screen() {
        let label = |value: &str| ("who".to_owned(), value.to_owned());
        let long = "x".repeat(1 << 20);
        assert_eq!(group(&[label("acme"), label("eu")]), "{acme, eu}");
        assert_eq!(group(&[]), "");
        assert_eq!(group(&[label(&long)]).chars().count(), VALUE_CHARS + 2);
        assert_eq!(alert_name(&format!("main:checkout/availability{{who={long}}}#30d")).chars().count(), 2 * VALUE_CHARS);
    }
}
