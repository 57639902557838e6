//! Samples from a file of OpenMetrics text with timestamps, as `promtool tsdb create-blocks-from openmetrics` reads it and
//! `promtool tsdb dump-openmetrics` writes it.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read},
    path::Path,
};

use anyhow::Context as _;
use burnward_core::{
    ledger::Sample,
    sli::Labels,
    time::{Timestamp, days},
};

use super::Samples;
use crate::{
    regular,
    report::words::utc,
    source::scrape::exposition::{Exposed, Line, openmetrics_line},
};

/// The longest line.
const LONGEST_LINE: u64 = 1 << 20;
/// Samples of a file at most: 1.6 GB of memory.
const MOST_SAMPLES: usize = 100_000_000;
/// The beginning of the year 2000: nobody has samples of before. What is meant as seconds and is older was counted from something else than 1970.
const EARLIEST: Timestamp = Timestamp::from_millis(946_684_800_000);

/// Reads a file whole.
///
/// # Errors
/// It cannot be read; the first line that is not of the format, has no timestamp, or one of before 2000 or of more than a year after `now`; a counter below zero or without bound; a
/// series with two values at one moment.
pub fn read(path: &Path, now: Timestamp) -> anyhow::Result<Samples> {
    let file = regular::open(path).with_context(|| path.display().to_string())?;
    read_from(file, now).with_context(|| path.display().to_string())
}

/// The same of what is read from anything.
///
/// # Errors
/// As [`read`].
pub fn read_from(reader: impl Read, now: Timestamp) -> anyhow::Result<Samples> {
    let (mut reader, times) = (BufReader::new(reader), EARLIEST..=now.plus(days(366)));
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
                anyhow::ensure!(
                    times.contains(&at),
                    "line {number}: the timestamp {} is not between {} and {}: write seconds since 1970, as OpenMetrics wants them, not milliseconds",
                    at.seconds(),
                    utc(*times.start()),
                    utc(*times.end())
                );
                if let Some(why) = impossible(&labels, value) {
                    anyhow::bail!("line {number}: {why}");
                }
                let before = series.get(&labels).and_then(|samples| samples.last());
                if value.is_nan() && before.is_some_and(|before| before.value.is_nan()) && is_counter(&labels) {
                    let name = labels.get("__name__");
                    anyhow::bail!(
                        "line {number}: `{name}` is called like a counter, and is NaN twice in a row: one NaN says that a series ended, and a counter has numbers"
                    );
                }
                count += 1;
                anyhow::ensure!(count <= MOST_SAMPLES, "line {number}: more than {MOST_SAMPLES} samples");
                series.entry(labels).or_default().push(Sample { at, value });
            }
        }
    }
    anyhow::ensure!(ended, "line {}: expected a last line `# EOF`: the text was cut off", number + 1);
    Samples::of(series)
}

/// Why a counter cannot have a value. NaN is what `promtool` writes where a series ended.
fn impossible(labels: &Labels, value: f64) -> Option<String> {
    let name = labels.get("__name__");
    (is_counter(labels) && (value < 0.0 || value.is_infinite()))
        .then(|| format!("`{name}` is called like a counter, and none is ever {value}: it counts from 0 up, and begins again at 0"))
}

fn is_counter(labels: &Labels) -> bool {
    ["_total", "_bucket"].iter().any(|suffix| labels.get("__name__").ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<usize, String> {
        let samples = read_from(text.as_bytes(), Timestamp::from_millis(1_800_000_000_000)).map_err(|error| error.to_string())?;
        Ok(samples.count())
    }

    #[test]
    fn samples_are_read_in_any_order_of_time() {
        assert_eq!(check("# TYPE hits counter\nhits_total{job=\"a\"} 7 1700000030\nhits_total{job=\"a\"} 1 1700000000.5\n# EOF\n"), Ok(2));
        assert_eq!(check("# EOF"), Ok(0));
        assert_eq!(check("hits_total 7 1700000000\nhits_total NaN 1700000030\ndegrees -5 1700000030\n# EOF\n"), Ok(3));
    }

    #[test]
    fn timestamps_that_are_no_seconds_are_refused_before_years_are_lived_through() {
        for timestamp in ["1700000000000", "0", "5", "946684799.999", "1831622400.001", "-1700000000", "4e12"] {
            let why = check(&format!("hits_total 1 1700000000\nhits_total 2 {timestamp}\n# EOF\n")).expect_err(timestamp);
            assert!(why.starts_with("line 2: ") && why.ends_with("as OpenMetrics wants them, not milliseconds"), "{timestamp}: {why}");
        }
        assert_eq!(check("hits_total 1 946684800\nhits_total 2 1831622400\n# EOF\n"), Ok(2));
        assert_eq!(
            check("hits_total 1 1700000000000\n# EOF\n").expect_err("milliseconds"),
            "line 1: the timestamp 1700000000000 is not between 2000-01-01T00:00:00Z and 2028-01-16T08:00:00Z: write seconds since 1970, as OpenMetrics wants them, not milliseconds"
        );
    }

    #[test]
    fn a_pipe_into_which_nobody_writes_is_refused_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there").success());
        for path in [pipe.as_path(), Path::new("/dev/zero"), directory.path()] {
            let why = format!("{:#}", read(path, Timestamp::from_millis(0)).expect_err("no file"));
            assert_eq!(why, format!("{}: not a regular file", path.display()));
        }
    }

    #[test]
    fn what_is_cut_off_or_doubtful_is_refused_with_its_line() {
        for (text, why) in [
            ("hits_total 1 1700000000\n", "line 2: expected a last line `# EOF`: the text was cut off"),
            ("hits_total 1 1700000000", "line 1: the text was cut off, or the line is longer than 1048576 bytes"),
            ("hits_total 1\n# EOF\n", "line 1: the sample has no timestamp, so nobody knows when it was"),
            ("# EOF\nhits_total 1 1700000000\n", "line 2: there is text after `# EOF`"),
            ("hits_total 1 1700000000\nhits_total 2 1700000000\n# EOF\n", "hits_total has two values at 2023-11-14T22:13:20Z"),
            (
                "hits_total 1 1700000000\nhits_total -5 1700000030\n# EOF\n",
                "line 2: `hits_total` is called like a counter, and none is ever -5: it counts from 0 up, and begins again at 0",
            ),
            (
                "hits_bucket{le=\"1\"} 1e400 1700000000\n# EOF\n",
                "line 1: `hits_bucket` is called like a counter, and none is ever inf: it counts from 0 up, and begins again at 0",
            ),
            (
                "hits_total NaN 1700000000\nhits_total NaN 1700000030\n# EOF\n",
                "line 2: `hits_total` is called like a counter, and is NaN twice in a row: one NaN says that a series ended, and a counter has numbers",
            ),
            ("hits_total one 5\n# EOF\n", "line 1, column 12: expected a value, found `one 5`"),
        ] {
            assert_eq!(check(text).expect_err(text), why);
        }
    }
}
