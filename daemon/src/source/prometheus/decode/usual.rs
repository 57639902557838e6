//! The answer of a Prometheus that has nothing to add: read from left to right in one go, byte by byte as Prometheus writes it. Whatever has another form
//! is read by the general reader, which also finds the words for what is wrong.

use std::sync::Arc;

use burnward_core::{
    ledger::{Sample, Series},
    time::Timestamp,
};
use serde_json::value::RawValue;

use super::{
    Bounds, Points, finish,
    row::{general, series_of},
    seen::{Seen, Walk},
};

const HEAD: &[u8] = br#"{"status":"success","data":{"resultType":"matrix","result":["#;
const TAIL: &[u8] = b"]}}";

/// The series of a matrix as `super::matrix` reads them; `None` where it has another form, or where something is wrong with it.
pub(super) fn matrix<'b>(body: &'b [u8], bounds: Bounds, seen: &'b Arc<Seen>) -> Option<(Vec<Series>, Arc<Seen>)> {
    if bounds.points != Points::Numbers {
        return None;
    }
    let mut rest = body.strip_prefix(HEAD)?;
    let mut walk = Seen::walk(seen);
    let mut series = Vec::with_capacity(walk.expected());
    let mut texts = Vec::with_capacity(walk.expected());
    while let Some(row) = rest.strip_prefix(br#"{"metric":"#) {
        if series.len() == bounds.max_series {
            return None;
        }
        let (one, text, after) = row_of(row, &mut walk, bounds)?;
        series.push(one);
        texts.push(text);
        rest = match after.split_first()? {
            (b',', more) if more.first() == Some(&b'{') => more,
            (b']', _) => after,
            _ => return None,
        };
    }
    if rest.strip_prefix(TAIL)?.iter().any(|byte| !byte.is_ascii_whitespace()) {
        return None;
    }
    finish(walk, &texts, series).ok()
}

/// A row behind its first key: the series, the text of its labels, and what follows.
fn row_of<'b>(row: &'b [u8], walk: &mut Walk<'b>, bounds: Bounds) -> Option<(Series, &'b str, &'b [u8])> {
    let (labels, text) = if let Some(known) = walk.known(row) {
        known
    } else {
        let text = first_value(row)?;
        (walk.labels(text).ok()?, text)
    };
    let values = row[text.len()..].strip_prefix(br#","values":"#)?;
    let (samples, rest) = if let Some(read) = samples(values) {
        read
    } else {
        let text = first_value(values)?;
        (general(text).ok()?, &values[text.len()..])
    };
    let series = series_of(samples, labels, bounds.range).ok()?;
    Some((series, text, rest.strip_prefix(b"}")?))
}

/// The text of the JSON value that this begins with.
fn first_value(text: &[u8]) -> Option<&str> {
    let value: &RawValue = serde_json::Deserializer::from_slice(text).into_iter().next()?.ok()?;
    // A value that begins with white space is none that Prometheus writes.
    text.starts_with(value.get().as_bytes()).then(|| value.get())
}

/// Samples of whole, not negative values at instants with at most three decimals, without spaces, and what follows; `None` for anything else.
pub(super) fn samples(text: &[u8]) -> Option<(Vec<Sample>, &[u8])> {
    let mut rest = text.strip_prefix(b"[")?;
    // A live read has this many.
    let mut samples = Vec::with_capacity(6);
    if let Some(rest) = rest.strip_prefix(b"]") {
        return Some((samples, rest));
    }
    loop {
        let (at, after) = millis(rest.strip_prefix(b"[")?)?;
        let (value, after) = digits(after.strip_prefix(b",\"")?, 15)?;
        samples.push(Sample { at: Timestamp::from_millis(at), value: value as f64 });
        rest = after.strip_prefix(b"\"]")?;
        match rest.split_first()? {
            (b',', more) => rest = more,
            (b']', more) => return Some((samples, more)),
            _ => return None,
        }
    }
}

/// Seconds with up to three decimals, in milliseconds.
fn millis(text: &[u8]) -> Option<(i64, &[u8])> {
    let (seconds, rest) = digits(text, 12).filter(|(_, rest)| text[0] != b'0' || text.len() == rest.len() + 1)?;
    let Some(decimals) = rest.strip_prefix(b".") else { return Some((seconds * 1000, rest)) };
    let (thousandths, rest) = digits(decimals, 3)?;
    let scale = [100, 10, 1][decimals.len() - rest.len() - 1];
    Some((seconds * 1000 + thousandths * scale, rest))
}

/// A number of 1 to `most` (at most 15) digits, as JSON writes it, and what follows.
fn digits(text: &[u8], most: usize) -> Option<(i64, &[u8])> {
    let mut number = 0;
    for (length, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' if length < most => number = number * 10 + i64::from(byte - b'0'),
            b'0'..=b'9' => return None,
            _ if length == 0 => return None,
            _ => return Some((number, &text[length..])),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use burnward_core::ledger::Unknown;
    use proptest::prelude::*;

    use super::{super::Range, *};

    fn read(text: &str) -> Option<Vec<Sample>> {
        samples(text.as_bytes()).filter(|(_, rest)| rest.is_empty()).map(|(samples, _)| samples)
    }

    #[test]
    fn only_the_usual_form_is_read_fast() {
        for text in [
            "[[1700000000,\"1\"] ]",
            "[[1700000000,\"1\"],]",
            "[,]",
            "[[1700000000,\"1\"][1,\"2\"]]",
            "[[1700000000,\"\"]]",
            "[[1.2345,\"1\"]]",
            "[[1.,\"1\"]]",
            "[[-1,\"1\"]]",
            "[[1,\"-1\"]]",
            "[[1,\"1.5\"]]",
            "[[1,\"NaN\"]]",
            "[[1,1]]",
            "[[1,\"1\",2]]",
            "[[1e3,\"1\"]]",
            "[[1,\"1234567890123456\"]]",
            "[[1,\"1\"",
            "[",
            "",
            "{}",
            "[[1234567890123,\"1\"]]",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("[]"), Some(Vec::new()));
    }

    fn bounds() -> Bounds {
        let range = Range { earliest: Timestamp::EPOCH, after: Timestamp::from_seconds(10), to: Timestamp::from_seconds(1_000) };
        Bounds { range, max_series: 3, points: Points::Numbers }
    }

    #[test]
    fn an_answer_that_says_more_is_left_to_the_general_reader() {
        let row = r#"{"metric":{"a":"1"},"values":[[20,"1"]]}"#;
        let body = |rows: &str, tail: &str| format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{rows}]{tail}"#);
        let read = |text: &str| matrix(text.as_bytes(), bounds(), &Arc::default());
        assert!(read(&body(row, "}}")).is_some() && read(&body("", "}}\n")).is_some());
        for (rows, tail) in [
            (row, r#"},"warnings":["half of it is missing"]}"#),
            (row, "}} x"),
            (row, "}"),
            (row, ""),
            (&format!("{row},"), "}}"),
            (&format!("{row},{row}"), "}}"),
            (&format!("{row} ,{row}"), "}}"),
            (r#"{"metric": {"a":"1"},"values":[[20,"1"]]}"#, "}}"),
            (r#"{"metric":{"a":"1"},"values":[[20,"1"]],"histograms":[]}"#, "}}"),
            (r#"{"metric":{"a":"1","a":"2"},"values":[[20,"1"]]}"#, "}}"),
            (r#"{"metric":{"a":"1"},"values":[[2000,"1"]]}"#, "}}"),
            (r#"{"metric":{"a":"1"},"values":[[20,"1"],[20,"2"]]}"#, "}}"),
            (r#"{"metric":{"a":"1"}}"#, "}}"),
        ] {
            assert_eq!(read(&body(rows, tail)).map(|(series, _)| series), None, "{rows}{tail}");
        }
        let many = ["1", "2", "3", "4"].map(|value| row.replace('1', value)).join(",");
        assert!(read(&body(&many, "}}")).is_none());
    }

    prop_compose! {
        /// A row, and now and then one of another form.
        fn any_row()(
            label in "[ab]{1,2}|\\\\n|é",
            values in prop::collection::vec((0_i64..60, 0_usize..4, prop_oneof![9 => "[0-9]{1,17}", 1 => "[0-9]\\.5|NaN|-1|\\+Inf|x"]), 0..4),
        ) -> String {
            let point = |(seconds, decimals, value): (i64, usize, String)| match decimals {
                0 => format!("[{seconds},\"{value}\"]"),
                decimals => format!("[{seconds}.{},\"{value}\"]", &"502"[..decimals]),
            };
            format!(r#"{{"metric":{{"l":"{label}"}},"values":[{}]}}"#, values.into_iter().map(point).collect::<Vec<_>>().join(","))
        }
    }

    proptest! {
        #[test]
        fn what_is_read_fast_is_what_the_general_reader_reads(answers in prop::collection::vec(prop::collection::vec(any_row(), 0..4), 1..4)) {
            let (mut fast, mut slow): (Arc<Seen>, Arc<Seen>) = Default::default();
            for rows in answers {
                let body = format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#, rows.join(","));
                let expected = super::super::general_matrix(body.as_bytes(), bounds(), &slow);
                if let Some((series, seen)) = matrix(body.as_bytes(), bounds(), &fast) {
                    // As text: NaN is not equal to itself.
                    prop_assert_eq!(format!("{:?}", Ok::<_, Unknown>(&series)), format!("{:?}", expected.as_ref().map(|(series, _)| series)));
                    fast = seen;
                }
                slow = expected.map_or(slow, |(_, seen)| seen);
            }
        }

        #[test]
        fn both_readers_read_the_same_samples(points in prop::collection::vec((0_i64..9_999_999_999, 0_usize..4, 0_i64..999, 0_u64..9_999_999_999), 0..8)) {
            let point = |(seconds, decimals, fraction, value): (i64, usize, i64, u64)| match decimals {
                0 => format!("[{seconds},\"{value}\"]"),
                decimals => format!("[{seconds}.{},\"{value}\"]", &format!("{fraction:03}")[..decimals]),
            };
            let text = format!("[{}]", points.into_iter().map(point).collect::<Vec<_>>().join(","));
            prop_assert_eq!(read(&text), general(&text).ok());
        }

        #[test]
        fn samples_that_are_read_fast_are_what_the_general_reader_reads(text in r#"\[(\[[0-9]{1,3}(\.[0-9]{0,4})?,"[0-9.eE+-]{0,17}"\],?){0,3}\]"#) {
            if let Some(samples) = read(&text) {
                prop_assert_eq!(Some(samples), general(&text).ok());
            }
        }
    }
}
