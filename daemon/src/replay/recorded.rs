//! Samples from a file of OpenMetrics text with timestamps, as `promtool tsdb create-blocks-from openmetrics` reads it and
//! `promtool tsdb dump-openmetrics` writes it.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use anyhow::Context as _;
use burnward_core::{ledger::Sample, sli::Labels};

use super::Samples;
use crate::source::scrape::exposition::{Exposed, Line, openmetrics_line};

/// The longest line.
const LONGEST_LINE: u64 = 1 << 20;
/// Samples of a file at most: 1.6 GB of memory.
const MOST_SAMPLES: usize = 100_000_000;

/// Reads a file whole.
///
/// # Errors
/// It cannot be read; the first line that is not of the format, or has no timestamp; a series with two values at one moment.
pub fn read(path: &Path) -> anyhow::Result<Samples> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    anyhow::ensure!(file.metadata().is_ok_and(|about| about.is_file()), "{}: not a regular file", path.display());
    read_from(BufReader::new(file)).with_context(|| path.display().to_string())
}

fn read_from(mut reader: BufReader<impl std::io::Read>) -> anyhow::Result<Samples> {
    let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    let (mut line, mut number, mut count, mut ended) = (String::new(), 0, 0, false);
    loop {
        line.clear();
        if reader.by_ref().take(LONGEST_LINE).read_line(&mut line)? == 0 {
            break;
        }
        number += 1;
        anyhow::ensure!(!ended, "line {number}: there is text after `# EOF`");
        let Some(text) = line.strip_suffix('\n').or_else(|| (line.starts_with("# EOF")).then_some(line.as_str())) else {
            anyhow::bail!("line {number}: the text was cut off, or the line is longer than {LONGEST_LINE} bytes");
        };
        match openmetrics_line(text, number)? {
            Line::Eof => ended = true,
            Line::Nothing => {}
            Line::Sample(Exposed { labels, value, at, .. }) => {
                let at = at.with_context(|| format!("line {number}: the sample has no timestamp, so nobody knows when it was"))?;
                count += 1;
                anyhow::ensure!(count <= MOST_SAMPLES, "line {number}: more than {MOST_SAMPLES} samples");
                series.entry(labels).or_default().push(Sample { at, value });
            }
        }
    }
    anyhow::ensure!(ended, "line {}: expected a last line `# EOF`: the text was cut off", number + 1);
    Samples::of(series)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<usize, String> {
        let samples = read_from(BufReader::new(text.as_bytes())).map_err(|error| error.to_string())?;
        Ok(samples.count())
    }

    #[test]
    fn samples_are_read_in_any_order_of_time() {
        assert_eq!(check("# TYPE hits counter\nhits_total{job=\"a\"} 7 1700000030\nhits_total{job=\"a\"} 1 1700000000.5\n# EOF\n"), Ok(2));
        assert_eq!(check("# EOF"), Ok(0));
    }

    #[test]
    fn what_is_cut_off_or_doubtful_is_refused_with_its_line() {
        for (text, why) in [
            ("hits_total 1 1700000000\n", "line 2: expected a last line `# EOF`: the text was cut off"),
            ("hits_total 1 1700000000", "line 1: the text was cut off, or the line is longer than 1048576 bytes"),
            ("hits_total 1\n# EOF\n", "line 1: the sample has no timestamp, so nobody knows when it was"),
            ("# EOF\nhits_total 1 1\n", "line 2: there is text after `# EOF`"),
            ("hits_total 1 5\nhits_total 2 5\n# EOF\n", "hits_total has two values at 1970-01-01T00:00:05Z"),
            ("hits_total one 5\n# EOF\n", "line 1, column 12: expected a value, found `one 5`"),
        ] {
            assert_eq!(check(text).expect_err(text), why);
        }
    }
}
