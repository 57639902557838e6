//! The parser against examples, against the encoder of prometheus-client, and against another parser where that one can read.

use std::collections::BTreeMap;

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        exemplar::CounterWithExemplar,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use proptest::prelude::*;

use super::*;

/// What is read, one sample a line: `{labels} value @millis`.
fn read(text: &str, format: Format) -> String {
    match parse(text, format) {
        Ok(samples) => samples.iter().map(line).collect::<Vec<_>>().join("\n"),
        Err(error) => format!("error: {error}"),
    }
}

fn line(sample: &Exposed) -> String {
    let labels: Vec<_> = sample.labels.pairs().map(|(name, value)| format!("{name}={value:?}")).collect();
    let at = sample.at.map(|at| format!(" @{}", at.millis())).unwrap_or_default();
    format!("{} {}{at}", labels.join(","), sample.value)
}

fn check(format: Format, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text, format), *expected, "{text:?}");
    }
}

#[test]
fn the_text_format_is_read_with_all_its_freedoms() {
    check(
        Format::Text,
        &[
            ("", ""),
            ("\n# any comment {\n \t\na 1\n", "__name__=\"a\" 1"),
            ("# HELP a text \\n with anything } \"\n# TYPE a counter\na 1\n", "__name__=\"a\" 1"),
            ("job:slo:ratio 1e-3\n", "__name__=\"job:slo:ratio\" 0.001"),
            ("a{}1 1700000000123\n", "__name__=\"a\" 1 @1700000000123"),
            ("a { x = \"1\" , y=\"2\", } \t 3 -5 \n", "__name__=\"a\",x=\"1\",y=\"2\" 3 @-5"),
            ("a{x=\"a=b,{}\",path=\"/u/{id}\"} 2\n", "__name__=\"a\",path=\"/u/{id}\",x=\"a=b,{}\" 2"),
            (
                r#"a{x="say \"hi\" \\ \n"} 1"#,
                "error: line 1, column 26: expected a line feed at the end of the last line: the text was cut off",
            ),
            ("a{x=\"say \\\"hi\\\" \\\\ \\n é\"} NaN\n", "__name__=\"a\",x=\"say \\\"hi\\\" \\\\ \\n é\" NaN"),
            (
                "{\"http.requests\",\"service.name\"=\"x\"} +Inf\n{\"utf8 é\"} -Inf\n",
                "__name__=\"http.requests\",service.name=\"x\" inf\n__name__=\"utf8 é\" -inf",
            ),
            ("a{x=\"\"} 1\n", "__name__=\"a\" 1"),
        ],
    );
}

#[test]
fn open_metrics_is_read_with_exemplars_and_its_end() {
    let histogram = "# TYPE h histogram\n# UNIT h seconds\n# HELP h of it\nh_bucket{le=\"0.1\"} 8 # {} 0.054\nh_bucket{le=\"1\"} 11 1.5 # {id=\"K#\"} 0.67 1520879607.789\n# EOF\n";
    check(
        Format::OpenMetrics,
        &[
            ("# EOF\n", ""),
            ("# EOF", ""),
            (histogram, "__name__=\"h_bucket\",le=\"0.1\" 8\n__name__=\"h_bucket\",le=\"1\" 11 @1500"),
            ("a_total 1 1700000000.123\n# EOF\n", "__name__=\"a_total\" 1 @1700000000123"),
            ("{\"a.b\",x=\"1\"} 2\n# EOF\n", "__name__=\"a.b\",x=\"1\" 2"),
        ],
    );
}

#[test]
fn an_error_names_line_column_and_what_was_expected() {
    check(
        Format::Text,
        &[
            ("a 1\nb\n", "error: line 2, column 2: expected a blank or `{` after the metric's name, found the end of the line"),
            ("a \n", "error: line 1, column 3: expected a value, found the end of the line"),
            ("a one\n", "error: line 1, column 3: expected a value, found `one`"),
            ("a 1 2 3\n", "error: line 1, column 7: expected the end of the line, found `3`"),
            ("a 1 1.5\n", "error: line 1, column 5: expected a timestamp or the end of the line, found `1.5`"),
            ("a{x=1} 1\n", "error: line 1, column 5: expected `\"`, found `1} 1`"),
            ("a{x=\"1\" y=\"2\"} 1\n", "error: line 1, column 9: expected `,` or `}`, found `y=\"2\"} 1`".replace('"', "\\\"").as_str()),
            ("a{x=\"1\n\"} 1\n", "error: line 1, column 6: expected a closing `\"` in this line"),
            ("a{x=\"\\t\"} 1\n", "error: line 1, column 6: expected one of the escapes `\\\\`, `\\\"`, `\\n`, found `\\\\t\\\"} 1`"),
            ("a{x=\"1\",x=\"2\"} 1\n", "error: line 1, column 9: the label `x` is there twice"),
            ("a{__name__=\"b\"} 1\n", "error: line 1, column 3: `__name__` is no label here: the name stands before the braces"),
            (
                "{x=\"1\"} 1\n",
                "error: line 1, column 2: expected the metric's name, before the braces or in quotes as the first in them, found `x=\\\"1\\\"} 1`",
            ),
            ("{\"\"} 1\n", "error: line 1, column 4: the metric's name is empty"),
            ("é 1\n", "error: line 1, column 1: expected a metric's name, found `é 1`"),
            ("a 1\r\n", "error: line 1, column 3: expected a value, found `1\\r`"),
            ("a{x=\"1\"} 1\nb 1\na{x=\"1\"} 2\n", "error: line 3, column 1: the same series of `a` stands in line 1 already"),
            ("# TYPE a count\n", "error: line 1, column 10: expected one of counter, gauge, histogram, summary, untyped, found `count`"),
            ("# TYPE a counter x\n", "error: line 1, column 18: expected the end of the line, found `x`"),
            ("a 1", "error: line 1, column 4: expected a line feed at the end of the last line: the text was cut off"),
            ("<html>\n", "error: line 1, column 1: expected a metric's name, found `<html>`"),
        ],
    );
    check(
        Format::OpenMetrics,
        &[
            ("a 1\n", "error: line 1, column 4: expected a last line `# EOF`: the text was cut off"),
            ("", "error: line 1, column 1: expected a last line `# EOF`: the text was cut off"),
            ("# EOF\na 1\n", "error: line 2, column 1: there is text after `# EOF`"),
            ("a  1\n# EOF\n", "error: line 1, column 3: expected a value, found ` 1`"),
            ("a{x=\"1\",} 1\n# EOF\n", "error: line 1, column 9: expected a label after the comma, found `} 1`"),
            ("# a comment\n# EOF\n", "error: line 1, column 4: expected HELP, TYPE, UNIT or EOF: OpenMetrics has no other comments"),
            ("\n# EOF\n", "error: line 1, column 1: expected a sample, a comment or `# EOF`, found the end of the line"),
            ("a 1 # {x=\"1\"}\n# EOF\n", "error: line 1, column 14: expected ` `, found the end of the line"),
        ],
    );
}

type Tags = Vec<(String, String)>;

/// Label sets with any values, as prometheus-client encodes them.
fn tags() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[a-z_]{1,6}", any::<String>(), 0..4)
}

proptest! {
    #[test]
    fn what_prometheus_client_encodes_is_read_back(counts in prop::collection::btree_map(tags(), any::<u32>(), 0..6), level in -1e300..1e300) {
        let mut registry = Registry::default();
        let family = Family::<Tags, Counter>::default();
        registry.register("hits", "of it", family.clone());
        for (tags, count) in &counts {
            family.get_or_create(&tags.clone().into_iter().collect()).inc_by(u64::from(*count));
        }
        let gauge = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        registry.register("level", "of it", gauge.clone());
        gauge.set(level);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();

        let mut expected = BTreeMap::new();
        for (tags, count) in counts {
            let name = ("__name__".to_owned(), "hits_total".to_owned());
            expected.insert(Labels::new(tags.into_iter().chain([name])), f64::from(count));
        }
        // Label sets that differ in empty labels alone are one series to Prometheus, and so an error.
        let Ok(samples) = parse(&text, Format::OpenMetrics) else { return Ok(()) };
        let (levels, hits): (Vec<_>, Vec<_>) = samples.into_iter().partition(|sample| sample.labels.get("__name__") == "level");
        prop_assert_eq!(levels[0].value.to_bits(), level.to_bits());
        prop_assert_eq!(hits.into_iter().map(|sample| (sample.labels, sample.value)).collect::<BTreeMap<_, _>>(), expected);
    }

    #[test]
    fn another_parser_reads_the_same_from_what_it_can_read(samples in prop::collection::btree_map(("[a-zA-Z_][a-zA-Z0-9_]{0,8}", "[a-zA-Z0-9 /_.-]{1,9}"), any::<i32>(), 0..20)) {
        let text: String = samples.iter().map(|((name, path), value)| format!("{name}{{path=\"{path}\"}} {value}\n")).collect::<Vec<_>>().concat();
        let ours: BTreeMap<_, _> = parse(&text, Format::Text).unwrap().into_iter().map(|sample| {
            ((sample.labels.get("__name__").to_owned(), sample.labels.get("path").to_owned()), sample.value.to_string())
        }).collect();
        let theirs = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
        let theirs: BTreeMap<_, _> = theirs.samples.into_iter().map(|sample| {
            let prometheus_parse::Value::Untyped(value) = sample.value else { panic!("{sample:?}") };
            ((sample.metric, sample.labels.get("path").unwrap_or_default().to_owned()), value.to_string())
        }).collect();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn nothing_makes_it_panic(text in any::<String>(), shaped in "([a-z{}\"\\\\=,# \t\n0-9.+-]|# EOF|# TYPE ){0,60}") {
        for format in [Format::Text, Format::OpenMetrics] {
            let _ = parse(&text, format);
            let _ = parse(&shaped, format);
        }
    }

    #[test]
    fn a_text_that_was_cut_anywhere_is_never_taken_for_whole(cut in 0_usize..200) {
        let text = "# TYPE a counter\na_total{x=\"1\"} 10 1.5\na_total{x=\"2\"} 20 1.5\n# EOF\n";
        let cut = cut % (text.len() - 1);
        prop_assert!(parse(&text[..cut], Format::OpenMetrics).is_err());
    }
}

#[test]
fn histograms_and_exemplars_of_prometheus_client_are_read() {
    let mut registry = Registry::default();
    let histogram = Histogram::new(exponential_buckets(0.1, 2.0, 3));
    histogram.observe(0.15);
    registry.register("seconds", "of it", histogram);
    let counter = CounterWithExemplar::<Tags>::default();
    counter.inc_by(2, Some(vec![("trace".to_owned(), "a\"b # {".to_owned())]), None);
    registry.register("hits", "of it", counter);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    assert_eq!(
        read(&text, Format::OpenMetrics),
        "__name__=\"seconds_sum\" 0.15\n__name__=\"seconds_count\" 1\n__name__=\"seconds_bucket\",le=\"0.1\" 0\n__name__=\"seconds_bucket\",le=\"0.2\" 1\n\
         __name__=\"seconds_bucket\",le=\"0.4\" 1\n__name__=\"seconds_bucket\",le=\"+Inf\" 1\n__name__=\"hits_total\" 2"
    );
}
