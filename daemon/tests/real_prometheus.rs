//! The sources against the real Prometheus of the machine: range ends, values, matchers, exposition text. `prometheus` and `promtool` must be
//! on the path.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, time::Duration};

use axum::{Router, http::header, routing::get};
use burnward::{
    config::{EnforcedLabel, PrometheusConfig, ScrapeConfig},
    source::{prometheus::Prometheus, scrape::Scrape},
};
use burnward_core::{
    ledger::{Reason, Series},
    sli::{CompiledSelector, Dialect, Labels, MatchOp, Matcher, Selector},
    time::Timestamp,
};
use burnward_stand_ins::prometheus::{Real, backfill};

/// Where histories begin.
const START: i64 = 1_700_000_000;

fn client(url: &str) -> Prometheus {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    Prometheus::new(&PrometheusConfig { settle: Duration::from_secs(1), ..PrometheusConfig::at(url) }).expect("the configuration is fine")
}

/// A Prometheus that holds this history and scrapes nothing.
async fn holding(dir: &Path, openmetrics: &str) -> anyhow::Result<(Real, Prometheus)> {
    backfill(dir, openmetrics).await?;
    let real = Real::start(dir, "global: {}\n").await?;
    let source = client(&real.url());
    Ok((real, source))
}

fn metric(name: &str) -> Selector {
    Selector::new(name, Vec::new())
}

fn millis(series: &[Series]) -> Vec<i64> {
    series.iter().flat_map(|series| &series.samples).map(|sample| sample.at.millis()).collect()
}

#[tokio::test]
async fn a_read_holds_exactly_what_lies_after_its_start_and_up_to_its_end() {
    let mut text = "# TYPE m gauge\n".to_owned();
    let offsets: Vec<i64> = (0..100).map(|n| n * 1013 + n * n % 7).collect();
    for at in &offsets {
        writeln!(text, "m 1 {}.{:03}", START + at / 1000, at % 1000).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let (_real, source) = holding(dir.path(), &(text + "# EOF\n")).await.unwrap();
    let at = Timestamp::from_millis;
    // The instants as they are stored: promtool cuts some of them by a millisecond.
    let stored = millis(&source.read(&metric("m"), at(START * 1000 - 5), at((START + 200) * 1000)).await.unwrap().series);
    assert_eq!(stored.len(), offsets.len());

    for sample in &stored {
        for (from, to, expected) in [(sample - 1, *sample, vec![*sample]), (*sample, sample + 1, vec![]), (sample - 2, sample - 1, vec![])]
        {
            let found = millis(&source.read(&metric("m"), at(from), at(to)).await.unwrap().series);
            assert_eq!(found, expected, "({from}, {to}]");
        }
    }
    for pair in stored.windows(4) {
        assert_eq!(millis(&source.read(&metric("m"), at(pair[0]), at(pair[3])).await.unwrap().series), pair[1..]);
    }
}

#[tokio::test]
async fn values_and_labels_come_as_they_were_stored() {
    let values = [
        ("0", 0.0),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("0.1", 0.1),
        ("-3", -3.0),
        ("+Inf", f64::INFINITY),
        ("1e-300", 1e-300),
        ("1e300", 1e300),
    ];
    let mut text = "# TYPE m gauge\n".to_owned();
    for (n, (value, _)) in values.iter().enumerate() {
        writeln!(text, "m{{n=\"{n}\",odd=\"\\\"\\\\\\n}}é\"}} {value} {START}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let (_real, source) = holding(dir.path(), &format!("{text}m{{n=\"nan\"}} NaN {START}\n# EOF\n")).await.unwrap();
    let read = source.read(&metric("m"), Timestamp::from_seconds(START - 1), Timestamp::from_seconds(START)).await.unwrap();
    assert_eq!(read.series.len(), values.len() + 1);
    for (series, (text, value)) in read.series.iter().zip(values) {
        assert_eq!((series.labels.get("odd"), series.samples[0].value.to_bits()), ("\"\\\n}é", value.to_bits()), "{text}");
    }
    assert!(read.series.last().unwrap().samples[0].value.is_nan());
}

#[tokio::test]
async fn history_by_steps_is_each_instants_newest_value_of_five_minutes() {
    let mut text = "# TYPE m gauge\n".to_owned();
    for minute in 0..600 {
        writeln!(text, "m {minute} {}", START + minute * 60).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let (_real, source) = holding(dir.path(), &(text + "# EOF\n")).await.unwrap();
    let (from, to) = (Timestamp::from_seconds(START), Timestamp::from_seconds(START + 36_000));
    let read = source.read_steps("m", from, to, Duration::from_mins(5)).await.unwrap();
    let samples = &read.series[0].samples;
    assert!(samples.len() == 120 && samples.iter().all(|sample| sample.at.millis() % 300_000 == 0), "{}", samples.len());
    let second = |sample: &burnward_core::ledger::Sample| sample.at.millis() / 1000 - START;
    assert!(samples.iter().all(|sample| (sample.value - (second(sample) / 60).min(599) as f64).abs() < f64::EPSILON));
    // 2 s apart: 18,000 points, which Prometheus gives only in two answers.
    let read = source.read_steps("m", from, to, Duration::from_secs(2)).await.unwrap();
    assert_eq!(read.series[0].samples.len(), 18_000);
}

#[tokio::test]
async fn a_probe_knows_debians_prometheus() {
    let dir = tempfile::tempdir().unwrap();
    let text = format!("# TYPE up gauge\nup{{job=\"a\\\"b\",instance=\"x\"}} 1 {}\nup{{job=\"c\"}} 0 {START}\n# EOF\n", START - 30);
    let (_real, source) = holding(dir.path(), &text).await.unwrap();
    let probe = source.probe(Timestamp::from_seconds(START)).await.unwrap();
    assert!(probe.product.starts_with("prometheus 2."), "{}", probe.product);
    assert_eq!(probe.left_closed, Some(true));
    assert!(probe.skew_millis.unwrap() > 0, "the real clock is ahead of this history");
    assert_eq!(probe.retention.as_deref(), Some("100y"));
}

#[tokio::test]
async fn a_query_that_prometheus_refuses_is_a_bad_query() {
    let dir = tempfile::tempdir().unwrap();
    let (_real, source) = holding(dir.path(), &format!("# TYPE m gauge\nm 1 {START}\n# EOF\n")).await.unwrap();
    let matcher = Matcher { label: "a".to_owned(), op: MatchOp::Regex, value: "(".to_owned() };
    let to = Timestamp::from_seconds(START);
    let unknown = source.read(&Selector::new("m", vec![matcher]), to.minus(Duration::from_mins(1)), to).await.unwrap_err();
    assert!(unknown.reason == Reason::BadQuery && unknown.detail.contains("missing closing"), "{unknown}");
}

/// Label values that take expressions apart.
const VALUES: &[&str] = &[
    "a",
    "b",
    "ab",
    "abc",
    "aab",
    "aaaa",
    "A",
    "ABC",
    "Abc",
    "a.b",
    "a+b",
    "a|b",
    "foo",
    "foo bar",
    "foobar",
    "barfoo",
    "foo-bar",
    "foo_bar",
    "200",
    "404",
    "500",
    "503",
    "5xx",
    "0",
    "1.5",
    "-1",
    " ",
    "\t",
    "a\nb",
    "\n",
    "a\n",
    "\na",
    "é",
    "É",
    "ä",
    "日本",
    "٣",
    "ſ",
    "K",
    "k",
    "s",
    "S",
    "ß",
    "\u{a0}",
    "\u{2028}",
    "/api/v1/users/42",
    "/api/v1/users",
    "/api/v2/users/42",
    "/healthz",
    "GET",
    "POST",
    "get",
    "a-z",
    "]",
    "[",
    "^",
    "$",
    "^a$",
    "\\",
    "\\d",
    "\"",
    "'",
    "`",
    "{}",
    "x{2}",
    "xx",
    "xxx",
    "__name__",
    "(?i)a",
    "\u{1f600}",
    "e\u{301}",
    "_",
    "a_b",
    "0x41",
    "\u{b}",
    "\u{c}",
    "\r",
];

/// Expressions of every kind that Go's RE2 knows, and some that it does not, one a line.
const PATTERNS: &str = include_str!("re2_patterns.txt");

#[tokio::test]
async fn our_matchers_select_what_prometheus_selects() {
    let mut text = "# TYPE m gauge\nm{other=\"1\"} 1 1700000000\n".to_owned();
    for value in VALUES {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        writeln!(text, "m{{v=\"{escaped}\"}} 1 {START}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let (_real, source) = holding(dir.path(), &(text + "# EOF\n")).await.unwrap();
    let (from, to) = (Timestamp::from_seconds(START - 1), Timestamp::from_seconds(START));
    let all = source.read(&metric("m"), from, to).await.unwrap().series;
    assert_eq!(all.len(), VALUES.len() + 1);

    let mut differences = Vec::new();
    let mut local = 0;
    for pattern in PATTERNS.lines().chain(VALUES.iter().copied()) {
        for op in [MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex] {
            let selector = Selector::new("m", vec![Matcher { label: "v".to_owned(), op, value: pattern.to_owned() }]);
            let compiled = CompiledSelector::new(&selector, Dialect::Prometheus2);
            if !compiled.local() {
                continue;
            }
            local += 1;
            let ours: BTreeSet<&str> =
                all.iter().map(|series| &series.labels).filter(|labels| compiled.matches(labels)).map(value).collect();
            match source.read(&selector, from, to).await {
                Ok(answer) => {
                    let theirs: BTreeSet<&str> = answer.series.iter().map(|series| value(&series.labels)).collect();
                    if ours != theirs {
                        differences.push(format!("{selector}: only here {:?}, only there {:?}", &ours - &theirs, &theirs - &ours));
                    }
                }
                Err(unknown) => differences.push(format!("{selector}: refused there, matched here: {unknown}")),
            }
        }
    }
    assert!(differences.is_empty(), "{} of {local}:\n{}", differences.len(), differences.join("\n"));
    assert!(local > 800, "only {local} matchers of the corpus are evaluated here");
}

fn value(labels: &Labels) -> &str {
    labels.get("v")
}

/// What a target may show: every kind of line.
const SHOWN: [(&str, &str); 2] = [
    (
        "text/plain; version=0.0.4",
        "# HELP http_requests_total all \\n of them \"\n# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\",path=\"/a,b={}\"} 1.5e3\n\
         http_requests_total { code = \"500\" , path=\"\\\"\\\\\\n é\", } 2\n\n  # free comment\njob:slo:ratio 0.25\nlevel{job=\"theirs\",exported_job=\"x\",instance=\"i\"} +Inf\nempty{a=\"\"} 7\n\
         # TYPE seconds histogram\nseconds_bucket{le=\"0.1\"} 3\nseconds_bucket{le=\"+Inf\"} 4\nseconds_sum 0.75\nseconds_count 4\n",
    ),
    (
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "# HELP hits of it\n# TYPE hits counter\nhits_total{code=\"200\"} 5 # {trace_id=\"a } # b\"} 0.5 1700000000.1\nhits_created{code=\"200\"} 1.7e9\n\
         # TYPE took_seconds histogram\n# UNIT took_seconds seconds\ntook_seconds_bucket{le=\"0.1\"} 3 # {} 0.05\ntook_seconds_bucket{le=\"+Inf\"} 4\ntook_seconds_sum 0.75\ntook_seconds_count 4\n# TYPE level gauge\nlevel -2.5e-3\n# EOF\n",
    ),
];

#[tokio::test]
async fn our_scrape_brings_the_series_that_prometheus_scrapes() {
    let mut targets = Vec::new();
    for (kind, text) in SHOWN {
        let page = move || async move { ([(header::CONTENT_TYPE, kind)], text) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        targets.push(listener.local_addr().unwrap().to_string());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/metrics", get(page))).await });
    }
    let dir = tempfile::tempdir().unwrap();
    let config = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ job_name: shop, static_configs: [{{ targets: {targets:?} }}] }}]\n"
    );
    let real = Real::start(dir.path(), &config).await.unwrap();
    let source = client(&real.url());

    let urls = targets.iter().map(|target| format!("http://{target}/metrics")).collect();
    let scrape = Scrape::new(&ScrapeConfig { targets: urls, every: Duration::from_secs(1), job: "shop".to_owned() }).unwrap();
    scrape.scrape(Timestamp::from_seconds(1)).await;
    let ours = shown(&scrape.read(&everything(), Timestamp::EPOCH, Timestamp::from_seconds(1)).unwrap().series);
    let theirs = until_scraped(&source, ours.len()).await;
    assert_eq!(ours, theirs);
}

/// All series of the targets.
fn everything() -> Selector {
    Selector::new("", vec![Matcher { label: "job".to_owned(), op: MatchOp::Equal, value: "shop".to_owned() }])
}

/// Labels and newest value, without what only Prometheus adds and without how long it took.
fn shown(series: &[Series]) -> BTreeSet<String> {
    let kept = series.iter().filter(|series| !series.labels.get("__name__").starts_with("scrape_"));
    kept.map(|series| format!("{:?} {:?}", series.labels, series.samples.last().map(|sample| sample.value))).collect()
}

/// What Prometheus has scraped, as soon as it has at least so many series; it finds its targets within five seconds.
async fn until_scraped(source: &Prometheus, enough: usize) -> BTreeSet<String> {
    let mut theirs = BTreeSet::new();
    for _ in 0..200 {
        let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
        let read = source.read(&everything(), now.minus(Duration::from_mins(1)), now).await;
        theirs = shown(&read.expect("a running Prometheus answers").series);
        if theirs.len() >= enough {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    theirs
}

/// What one tenant may see of a Prometheus that two share, whatever is asked: values of the other are a thousand times as large.
#[tokio::test]
async fn an_enforced_label_hides_what_is_another_tenants_whatever_is_asked() -> anyhow::Result<()> {
    let mut text = "# TYPE calls counter\n".to_owned();
    for (tenant, each) in [("acme", 1), ("globex", 1_000)] {
        for n in 0..40 {
            writeln!(text, "calls_total{{tenant=\"{tenant}\",job=\"shop\",path=\"/\"}} {} {}", n * each, START + n * 15)?;
        }
    }
    text.push_str("# TYPE up gauge\n");
    for tenant in ["acme", "globex"] {
        for n in 0..40 {
            writeln!(text, "up{{tenant=\"{tenant}\",job=\"shop\"}} 1 {}", START + n * 15)?;
        }
    }
    let dir = tempfile::tempdir()?;
    let (real, open) = holding(dir.path(), &(text + "# EOF\n")).await?;
    let enforced_label = Some(Box::new(EnforcedLabel { name: "tenant".to_owned(), value: "acme".to_owned() }));
    let source = Prometheus::new(&PrometheusConfig { enforced_label, ..PrometheusConfig::at(&real.url()) })?;
    let (from, to, step) = (Timestamp::from_seconds(START), Timestamp::from_seconds(START + 585), Duration::from_mins(1));

    let matcher = |op, value: &str| Matcher { label: "tenant".to_owned(), op, value: value.to_owned() };
    for (matchers, series) in [
        (vec![], 1),
        (vec![matcher(MatchOp::Regex, ".*")], 1),
        (vec![matcher(MatchOp::Equal, "globex")], 0),
        (vec![matcher(MatchOp::NotEqual, "acme")], 0),
        (vec![matcher(MatchOp::Equal, "")], 0),
    ] {
        let selector = Selector::new("calls_total", matchers);
        let raw = source.read(&selector, from, to).await.map_err(|why| anyhow::anyhow!("{why:?}"))?;
        let history = source.read_history(&selector, from, to, step).await.map_err(|why| anyhow::anyhow!("{why:?}"))?;
        for found in [raw, history] {
            assert_eq!(found.series.len(), series, "{selector}");
            assert!(found.series.iter().all(|one| one.labels.get("tenant") == "acme"), "{selector}");
        }
    }

    let mut answered = 0;
    for expression in [
        "sum(calls_total)",
        r#"sum(calls_total{tenant="globex"}) or vector(0)"#,
        r#"sum({__name__=~"calls_.*",tenant=~".+"})"#,
        r#"sum({__name__="calls_total"} or calls_total{tenant="globex"})"#,
        r#"sum(calls_total{tenant="acme" or tenant="globex"})"#,
        r"max_over_time(sum(calls_total)[5m:30s])",
        r#"sum(increase(calls_total{tenant!="acme"}[5m] offset 1m)) or vector(0)"#,
        r#"sum(label_replace(calls_total, "tenant", "globex", "", ""))"#,
        r#"sum(calls_total * on (job) group_left () calls_total{tenant="globex"}) or vector(1)"#,
        r#"scalar(calls_total{tenant="globex"})"#,
        r#"sum(calls_total{path='"} or calls_total{tenant="globex"} or calls_total{path="'}) or vector(0)"#,
        "sum(calls_total{path=`/\"} or calls_total{job!=\"`}) or vector(0)",
        r#"sum({"calls_total"})"#,
        r#"sum({"calls_total or calls_total"})"#,
        "sum(calls_total) # } or calls_total",
        "topk(9, calls_total)",
        "info(calls_total)",
        "absent(calls_total{tenant=\"globex\"})",
    ] {
        let Ok(found) = source.read_steps(expression, from, to, step).await else { continue };
        answered += 1;
        let samples: Vec<f64> = found.series.iter().flat_map(|series| &series.samples).map(|sample| sample.value).collect();
        assert!(samples.iter().all(|value| value.is_nan() || *value <= 40.0), "{expression}: {samples:?}");
    }
    assert!(answered >= 12, "only {answered} were answered");
    let both = open.read_steps("sum(calls_total)", from, to, step).await.map_err(|why| anyhow::anyhow!("{why:?}"))?;
    assert!(both.series[0].samples.iter().any(|sample| sample.value > 1_000.0), "without it both are seen");
    Ok(())
}
