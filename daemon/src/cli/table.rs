//! Tables and times for people on a terminal.

use std::{fmt, time::Duration};

use comfy_table::{ContentArrangement, presets};
use jiff::{Timestamp, tz::TimeZone};

use burnward_core::words;

use crate::render::{VALUE_CHARS, visible_whole};

/// A table without lines, as wide as the terminal.
#[derive(Debug)]
pub(super) struct Table(comfy_table::Table);

impl Table {
    /// An empty table under these headings.
    pub(super) fn new(headings: &[&str]) -> Self {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(headings.iter().copied());
        Self(table)
    }

    /// One more row.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.0.add_row(cells.into_iter().map(|cell| visible_whole(&cell)));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.lines() {
            writeln!(f, "{}", line.trim())?;
        }
        Ok(())
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
    fn a_value_of_a_megabyte_fills_no_screen() {
        let label = |value: &str| ("who".to_owned(), value.to_owned());
        let long = "x".repeat(1 << 20);
        assert_eq!(group(&[label("acme"), label("eu")]), "{acme, eu}");
        assert_eq!(group(&[]), "");
        assert_eq!(group(&[label(&long)]).chars().count(), VALUE_CHARS + 2);
        assert_eq!(alert_name(&format!("main:checkout/availability{{who={long}}}#30d")).chars().count(), 2 * VALUE_CHARS);
    }
}
