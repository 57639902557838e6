//! CSV as RFC 4180 has it, safe to open in a spreadsheet: a text that a spreadsheet would take for a formula begins with an apostrophe, a number stays one.

use super::sink::visible;

/// What makes a spreadsheet read a cell as a formula, full-width forms too (OWASP, "CSV Injection"). Tabs and line ends are shown before this is asked.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvCell(String);

impl CsvCell {
    /// An untrusted text, with what cannot be seen in it made visible.
    pub fn text(text: &str) -> Self {
        let shown = visible(text);
        let guarded = if shown.trim_start().starts_with(FORMULA) { format!("'{shown}") } else { shown };
        Self(quoted(&guarded))
    }

    /// A whole number.
    pub fn whole(number: i64) -> Self {
        Self(number.to_string())
    }

    /// A number with at most six decimals; nothing where there is none.
    pub fn number(number: Option<f64>) -> Self {
        Self(number.filter(|number| number.is_finite()).map(decimal).unwrap_or_default())
    }
}

fn decimal(number: f64) -> String {
    let fixed = format!("{number:.6}");
    match fixed.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".to_owned(),
        shortened => shortened.to_owned(),
    }
}

fn quoted(text: &str) -> String {
    let plain = !text.contains([',', '"', '\r', '\n']) && text.trim() == text;
    if plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// A table: a line of names, then lines of as many cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Csv(String);

impl Csv {
    /// An empty table with these columns.
    pub fn new(columns: &[&str]) -> Self {
        Self(columns.join(",") + "\r\n")
    }

    /// One more line.
    pub fn line<const N: usize>(&mut self, cells: [CsvCell; N]) {
        self.0.push_str(&cells.map(|cell| cell.0).join(","));
        self.0.push_str("\r\n");
    }

    /// The whole text.
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_compute_stays_text() {
        for (text, cell) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(1)", "'@SUM(1)"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("  =1", "'  =1"),
            ("\t=1", "␉=1"),
            ("\r=1", "␍=1"),
            ("a=b", "a=b"),
            ("checkout/availability", "checkout/availability"),
        ] {
            assert_eq!(CsvCell::text(text).0, cell, "{text:?}");
        }
    }

    #[test]
    fn quotes_commas_and_line_ends_keep_to_their_cell() {
        for (text, cell) in
            [("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("two\nlines", "two␊lines"), (" space", "\" space\"")]
        {
            assert_eq!(CsvCell::text(text).0, cell, "{text:?}");
        }
    }

    #[test]
    fn numbers_stay_numbers() {
        let cells = [Some(-0.24), Some(1.0), Some(0.0), Some(-1e-9), Some(12_345.678_901_2), None, Some(f64::NAN)].map(CsvCell::number);
        assert_eq!(cells.map(|cell| cell.0), ["-0.24", "1", "0", "0", "12345.678901", "", ""]);
        assert_eq!(CsvCell::whole(-1).0, "-1");
    }

    #[test]
    fn lines_end_as_rfc_4180_says() {
        let mut csv = Csv::new(&["a", "b"]);
        csv.line([CsvCell::text("x"), CsvCell::whole(2)]);
        assert_eq!(csv.into_text(), "a,b\r\nx,2\r\n");
    }
}
