//! Every way in which an answer can be wrong, against a Prometheus that does it.

use burnward_core::{
    ledger::{Reason, Sample},
    sli::{MatchOp, Matcher},
};
use burnward_stand_ins::prometheus::{Class, FakePrometheus, Fault};

use super::*;
use crate::config::{Credentials, EnforcedLabel, ReplicaLabel};

/// The instant up to which tests read.
const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const MINUTE: Duration = Duration::from_mins(1);

fn config(fake: &FakePrometheus) -> PrometheusConfig {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    PrometheusConfig { timeout: Duration::from_secs(20), max_bytes: 4 << 20, max_series: 100, ..PrometheusConfig::at(fake.url()) }
}

/// Two series of a counter, scraped each 15 s up to `NOW`, and their target.
async fn fake() -> FakePrometheus {
    let fake = FakePrometheus::start().await.unwrap();
    for n in 0..40_i32 {
        let at = NOW.millis() - i64::from(n) * 15_000;
        for code in ["200", "500"] {
            fake.push(&[("__name__", "hits_total"), ("job", "shop"), ("code", code)], at, f64::from(40 - n));
        }
        fake.push(&[("__name__", "up"), ("job", "shop"), ("instance", "a:1")], at, 1.0);
    }
    fake
}

fn hits() -> Selector {
    Selector::new("hits_total", Vec::new())
}

/// Why nothing is seen under a fault; `None` where there is an answer.
async fn unknown_under(fake: &FakePrometheus, fault: Fault, config: &PrometheusConfig) -> Option<Unknown> {
    fake.fail(Class::Query, fault).await;
    let answer = Prometheus::new(config).unwrap().read(&hits(), NOW.minus(MINUTE), NOW).await;
    fake.heal().await;
    answer.err()
}

fn status(code: u16, error_type: &str) -> Fault {
    Fault::Status { code, error_type: error_type.to_owned(), message: "because\n\u{202e}".repeat(100), retry_after: None }
}

#[tokio::test]
async fn each_wrong_answer_is_not_seeing_and_says_why() {
    let busy =
        |code, wait: &str| Fault::Status { code, error_type: String::new(), message: String::new(), retry_after: Some(wait.to_owned()) };
    let text = str::to_owned;
    let cases = [
        // R2
        (Fault::Value(text("abc")), Reason::BadJson, "`abc` is no number"),
        (Fault::Value(text("")), Reason::BadJson, "`` is no number"),
        (Fault::NumberValue, Reason::BadJson, "invalid type"),
        // R4
        (Fault::Html, Reason::BadType, "text/html; charset=utf-8"),
        (Fault::ContentType(Some(text("text/plain"))), Reason::BadType, "text/plain"),
        (Fault::ContentType(None), Reason::BadType, "no content type"),
        (Fault::Redirect(text("https://u:p@sso.example/login?token=x")), Reason::BadType, "sends us to https://sso.example/login,"),
        (Fault::Redirect(text("/login")), Reason::BadType, "sends us to elsewhere"),
        // R5
        (Fault::Truncated, Reason::BadJson, "EOF while parsing"),
        (Fault::TwoObjects, Reason::BadJson, "trailing characters"),
        (Fault::TrailingGarbage, Reason::BadJson, "trailing characters"),
        (Fault::Nested, Reason::BadJson, "not the JSON of the API"),
        (Fault::DuplicateKey, Reason::BadJson, "duplicate field `values`"),
        // R6
        (Fault::GzipBomb { mebibytes: 10_000 }, Reason::TooBig, "larger than 1048576 bytes"),
        (Fault::Endless, Reason::TooBig, "larger than"),
        (Fault::LongContentLength, Reason::Cut, "broke off"),
        (Fault::ShortContentLength, Reason::BadJson, "EOF while parsing"),
        // R7
        (Fault::SlowBody, Reason::Timeout, "in time"),
        (Fault::SlowHead, Reason::Timeout, "in time"),
        (Fault::Hang, Reason::Timeout, "in time"),
        (Fault::Reset, Reason::Cut, "reset"),
        (Fault::Refuse, Reason::Unreachable, "refused"),
        // R8
        (status(400, "bad_data"), Reason::BadQuery, "HTTP 400: because\\u{a}\\u{202e}because"),
        (status(422, "execution"), Reason::BadQuery, "HTTP 422"),
        (status(401, ""), Reason::Denied, "HTTP 401"),
        (status(403, ""), Reason::Denied, "HTTP 403"),
        (busy(429, "0"), Reason::Busy, "HTTP 429, Retry-After 0"),
        (busy(503, "Wed, 21 Oct 2026 07:28:00 GMT"), Reason::Busy, "Retry-After Wed, 21 Oct 2026"),
        (status(503, "timeout"), Reason::Timeout, "HTTP 503"),
        (status(500, "internal"), Reason::SourceError, "HTTP 500"),
        (status(404, "not_found"), Reason::SourceError, "HTTP 404"),
        (status(204, ""), Reason::SourceError, "HTTP 204"),
        (status(504, ""), Reason::Timeout, "HTTP 504"),
        // R9
        (Fault::Warning(text("store gateway missing")), Reason::Partial, "store gateway missing"),
        (Fault::IsPartial, Reason::Partial, "missing"),
        // R10
        (Fault::ErrorWith200(text("bad_data")), Reason::BadQuery, "an error under status 200"),
        (Fault::ErrorWith200(text("timeout")), Reason::Timeout, "error timeout"),
        (Fault::ErrorWith200(text("internal")), Reason::SourceError, "error internal"),
        (Fault::NoData, Reason::BadJson, "a success without data"),
        // R11
        (Fault::DuplicateSeries, Reason::Duplicate, "came twice"),
        (Fault::ConflictingSamples, Reason::Duplicate, "is both"),
        // R12
        (Fault::SampleAfter(3_600_000), Reason::ClockSkew, "3600 s after"),
        (Fault::SampleAfter(1), Reason::ClockSkew, "0.001 s after"),
        (Fault::SampleAfter(-600_000), Reason::ClockSkew, "before the range"),
        (Fault::SampleAfter(-NOW.millis()), Reason::ClockSkew, "before the range"),
        (Fault::SampleAfter(-2 * NOW.millis()), Reason::ClockSkew, "before the range"),
        // R14
        (Fault::ManySeries(99), Reason::TooMany, "at least 101 series, 100 are allowed"),
        (Fault::LongLabel(2 << 20), Reason::TooBig, "larger than"),
    ];
    let fake = fake().await;
    for (fault, reason, told) in cases {
        let shown = format!("{fault:?}").chars().take(80).collect::<String>();
        // Short only where the end of the time is what is awaited: a loaded machine must not turn another case into that.
        let timeout = if reason == Reason::Timeout { Duration::from_millis(300) } else { Duration::from_secs(20) };
        let config = PrometheusConfig { timeout, max_bytes: 1 << 20, ..config(&fake) };
        let unknown = unknown_under(&fake, fault, &config).await.unwrap_or_else(|| panic!("{shown} was taken for an answer"));
        assert_eq!(unknown.reason, reason, "{shown}: {unknown}");
        assert!(unknown.detail.contains(told) && unknown.detail.starts_with(fake.url()), "{shown}: {unknown}");
        let fits = unknown.detail.chars().count() <= 300 && !unknown.detail.chars().any(char::is_control);
        assert!(fits, "{shown}: {unknown}");
    }
}

#[tokio::test]
async fn what_is_odd_but_whole_is_an_answer() {
    let fake = fake().await;
    let fine = [
        Fault::Info("metric might not be a counter".to_owned()),
        Fault::RepeatedSample,
        Fault::OutOfOrder,
        Fault::LongLabel(1 << 20),
        Fault::ManySeries(98),
    ];
    for fault in fine {
        let unknown = unknown_under(&fake, fault.clone(), &config(&fake)).await;
        assert_eq!(unknown, None, "{fault:?}");
    }
}

/// The values of the first series under a fault.
async fn values_under(fake: &FakePrometheus, fault: Fault) -> Vec<Sample> {
    fake.fail(Class::Query, fault).await;
    let answer = Prometheus::new(&config(fake)).unwrap().read(&hits(), NOW.minus(MINUTE), NOW).await.unwrap();
    answer.series.into_iter().next().map(|series| series.samples).unwrap_or_default()
}

#[tokio::test]
async fn an_answer_that_holds_what_is_somebody_elses_is_none_however_often_it_comes() {
    let fake = fake().await;
    let matcher = Matcher { label: "job".to_owned(), op: MatchOp::Equal, value: "shop".to_owned() };
    let (own, source) = (Selector::new("hits_total", vec![matcher]), Prometheus::new(&config(&fake)).unwrap());
    let read = async || source.read(&own, NOW.minus(MINUTE), NOW).await.map(|answer| answer.series.len());
    assert_eq!(read().await, Ok(2));
    for (label, value) in [("job", "another tenant's"), ("__name__", "other_total")] {
        fake.fail(Class::Query, Fault::Label(label.to_owned(), value.to_owned())).await;
        fake.fail(Class::QueryRange, Fault::Label(label.to_owned(), value.to_owned())).await;
        for _ in 0..2 {
            let unknown = read().await.unwrap_err();
            let told = format!("a series that was not asked for: its {label} is not `");
            assert!(unknown.reason == Reason::Foreign && unknown.detail.contains(&told), "{unknown}");
            let steps = source.read_history(&own, NOW.minus(MINUTE), NOW, Duration::from_secs(15)).await;
            assert_eq!(steps.map_err(|unknown| unknown.reason).map(|answer| answer.bytes), Err(Reason::Foreign));
        }
        fake.heal().await;
        assert_eq!(read().await, Ok(2));
    }
}

#[tokio::test]
async fn numbers_that_no_counter_has_are_left_to_the_core_as_they_are() {
    let fake = fake().await;
    for (text, value) in [("+Inf", f64::INFINITY), ("-Inf", f64::NEG_INFINITY), ("1e999", f64::INFINITY), ("-5", -5.0), ("0.5", 0.5)] {
        let samples = values_under(&fake, Fault::Value(text.to_owned())).await;
        assert!(samples.iter().all(|sample| sample.value.to_bits() == value.to_bits()), "{text}: {samples:?}");
    }
    assert!(values_under(&fake, Fault::Value("NaN".to_owned())).await.iter().all(|sample| sample.value.is_nan()));
    assert_eq!(values_under(&fake, Fault::NoSeries).await, [], "no series is an answer here and no_series in the core");
}

#[tokio::test]
async fn repeated_and_disordered_samples_are_merged_and_sorted() {
    let fake = fake().await;
    let right = values_under(&fake, Fault::Info(String::new())).await;
    assert_eq!(right.len(), 4);
    for fault in [Fault::RepeatedSample, Fault::OutOfOrder] {
        assert_eq!(values_under(&fake, fault.clone()).await, right, "{fault:?}");
    }
}

#[tokio::test]
async fn a_read_holds_its_end_and_not_its_start_whatever_the_server_thinks_of_ranges() {
    let fake = fake().await;
    let source = Prometheus::new(&config(&fake)).unwrap();
    for left_open in [false, true] {
        fake.set_left_open(left_open);
        for (back, count) in [(0, 0), (1, 1), (14_999, 1), (15_000, 1), (15_001, 2), (30_000, 2), (600_001, 40)] {
            let answer = source.read(&hits(), NOW.minus(Duration::from_millis(back)), NOW).await.unwrap();
            let counts: Vec<usize> = answer.series.iter().map(|series| series.samples.len()).collect();
            let expected = if count == 0 { vec![] } else { vec![count; 2] };
            assert_eq!(counts, expected, "{back} ms back, left open: {left_open}");
        }
    }
}

#[tokio::test]
async fn series_come_sorted_with_their_labels_and_a_selector_goes_out_as_it_is() {
    let fake = fake().await;
    let odd = "a\"b\\c\nd}é";
    fake.push(&[("__name__", "odd_total"), ("path", odd)], NOW.millis() - 7, 3.0);
    let source = Prometheus::new(&config(&fake)).unwrap();
    let matcher = Matcher { label: "path".to_owned(), op: MatchOp::Equal, value: odd.to_owned() };
    let answer = source.read(&Selector::new("odd_total", vec![matcher]), NOW.minus(MINUTE), NOW).await.unwrap();
    assert_eq!(answer.series.len(), 1);
    assert_eq!(answer.series[0].labels.get("path"), odd);
    assert_eq!(answer.series[0].samples, [Sample { at: Timestamp::from_millis(NOW.millis() - 7), value: 3.0 }]);
    assert!(answer.bytes > 0);

    let answer = source.read(&hits(), NOW.minus(MINUTE), NOW).await.unwrap();
    let codes: Vec<&str> = answer.series.iter().map(|series| series.labels.get("code")).collect();
    assert_eq!(codes, ["200", "500"]);
    let asked = fake.asked().pop().unwrap();
    assert_eq!((asked.form["query"].as_str(), asked.form["time"].as_str()), ("hits_total[60001ms]", "2023-11-14T22:13:20Z"));
    assert_eq!(asked.form["timeout"], "20s");
    assert_eq!(asked.path, "/api/v1/query", "the query goes as a form, not in the URL");
    assert!(asked.headers["user-agent"].starts_with("burnward/"), "{:?}", asked.headers);
}

#[tokio::test]
async fn an_answer_is_asked_for_compressed_except_over_a_loopback() {
    let fake = fake().await;
    for (host, encoding) in [("127.0.0.1", "identity"), ("0.0.0.0", "gzip")] {
        let near = config(&fake);
        let source = Prometheus::new(&PrometheusConfig { url: near.url.replace("127.0.0.1", host), ..near }).unwrap();
        source.read(&hits(), NOW.minus(MINUTE), NOW).await.unwrap();
        assert_eq!(fake.asked().pop().unwrap().headers["accept-encoding"], encoding, "{host}");
    }
}

#[tokio::test]
async fn a_source_that_asks_us_to_wait_is_left_alone() {
    let fake = fake().await;
    let source = Prometheus::new(&config(&fake)).unwrap();
    fake.fail(
        Class::Query,
        Fault::Status { code: 503, error_type: String::new(), message: String::new(), retry_after: Some("30".to_owned()) },
    )
    .await;
    for told in ["HTTP 503, Retry-After 30", "it asked us to wait; 30 s are left", "it asked us to wait"] {
        let unknown = source.read(&hits(), NOW.minus(MINUTE), NOW).await.unwrap_err();
        assert!(unknown.reason == Reason::Busy && unknown.detail.contains(told), "{unknown}");
        fake.heal().await;
    }
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_token_is_read_anew_and_never_shown() {
    let fake = fake().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let source = Prometheus::new(&PrometheusConfig { credentials: Credentials::Bearer(file.clone()), ..config(&fake) }).unwrap();
    let read = async || source.read(&hits(), NOW.minus(MINUTE), NOW).await;

    assert_eq!(read().await.unwrap_err().reason, Reason::Denied, "no file");
    for token in ["first-s3cret", "second-s3cret"] {
        std::fs::write(&file, format!("{token}\n")).unwrap();
        read().await.unwrap();
        assert_eq!(fake.asked().pop().unwrap().headers["authorization"], format!("Bearer {token}"));
    }
    fake.fail(
        Class::Query,
        Fault::Status { code: 403, error_type: "x".to_owned(), message: "not second-s3cret".to_owned(), retry_after: None },
    )
    .await;
    let unknown = read().await.unwrap_err();
    assert!(unknown.detail.ends_with("not [secret]"), "{unknown}");
    for bad in ["", "two words", "a\nb"] {
        std::fs::write(&file, bad).unwrap();
        assert_eq!(read().await.unwrap_err().reason, Reason::Denied, "{bad:?}");
    }
    assert!(!format!("{source:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_password_and_headers_are_sent_and_the_password_is_never_shown() {
    let fake = fake().await;
    let dir = tempfile::tempdir().unwrap();
    let password_file = dir.path().join("password");
    std::fs::write(&password_file, "correct horse\n").unwrap();
    let credentials = Credentials::Basic { user: "burnward".to_owned(), password_file };
    let headers = [("x-scope-orgid".to_owned(), "acme".to_owned())].into();
    let source = Prometheus::new(&PrometheusConfig { credentials, headers, ..config(&fake) }).unwrap();
    source.read(&hits(), NOW.minus(MINUTE), NOW).await.unwrap();
    let asked = fake.asked().pop().unwrap().headers;
    assert_eq!((asked["authorization"].as_str(), asked["x-scope-orgid"].as_str()), ("Basic YnVybndhcmQ6Y29ycmVjdCBob3JzZQ==", "acme"));

    for said in ["not correct horse", "not YnVybndhcmQ6Y29ycmVjdCBob3JzZQ=="] {
        let said = Fault::Status { code: 401, error_type: "x".to_owned(), message: said.to_owned(), retry_after: None };
        fake.fail(Class::Query, said).await;
        let unknown = source.read(&hits(), NOW.minus(MINUTE), NOW).await.unwrap_err();
        assert!(unknown.reason == Reason::Denied && unknown.detail.ends_with("not [secret]"), "{unknown}");
    }
    assert!(!format!("{source:?}").contains("horse"));
}

#[tokio::test]
async fn no_more_requests_are_under_way_at_once_than_configured() {
    let fake = fake().await;
    let config = PrometheusConfig { at_once: 2, timeout: Duration::from_millis(700), ..config(&fake) };
    let source = Prometheus::new(&config).unwrap();
    fake.fail(Class::Query, Fault::Hang).await;
    let (selector, from) = (hits(), NOW.minus(MINUTE));
    let reads = (0..6).map(|_| source.read(&selector, from, NOW));
    let all = futures_util::future::join_all(reads);
    // In the time of one answer that never comes only the first turns were taken.
    drop(tokio::time::timeout(Duration::from_millis(350), all).await);
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn history_comes_in_pieces_on_multiples_of_the_step() {
    let fake = fake().await;
    let source = Prometheus::new(&config(&fake)).unwrap();
    let steps = |answer: &Answer| answer.series.iter().map(|series| series.samples.len()).collect::<Vec<_>>();

    let answer = source.read_history(&hits(), NOW.minus(MINUTE), NOW, Duration::from_secs(15)).await.unwrap();
    assert_eq!(steps(&answer), [4, 4]);
    assert!(answer.series[0].samples.iter().all(|sample| sample.at.millis() % 15_000 == 0));

    // 600 s of samples and 300 s of lookback before their end, at 20 ms: in three pieces.
    let answer = source.read_history(&hits(), NOW.minus(MINUTE * 10), NOW, Duration::from_millis(20)).await.unwrap();
    assert_eq!(steps(&answer), [29_251, 29_251]);
    assert!(answer.series[0].samples.windows(2).all(|pair| pair[1].at.since(pair[0].at) == Duration::from_millis(20)));
    assert_eq!(fake.asked().len(), 1 + 3);

    let small = Prometheus::new(&PrometheusConfig { max_bytes: 1_000_000, ..config(&fake) }).unwrap();
    let answer = small.read_history(&hits(), NOW.minus(MINUTE * 10), NOW, Duration::from_millis(20)).await;
    let unknown = answer.map(|answer| answer.bytes).unwrap_err();
    assert_eq!(unknown.reason, Reason::TooBig, "the cap holds for the pieces together: {unknown}");
    assert!(source.read_history(&hits(), NOW, NOW, MINUTE).await.unwrap().series.is_empty());
    assert_eq!(source.read_history(&hits(), NOW, NOW, Duration::ZERO).await.unwrap_err().reason, Reason::BadQuery);
}

#[tokio::test]
async fn a_probe_tells_product_clock_and_ends_of_ranges() {
    let fake = fake().await;
    fake.set_skew_millis(90_000);
    let source = Prometheus::new(&config(&fake)).unwrap();
    let machine = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    for left_open in [false, true] {
        fake.set_left_open(left_open);
        let probe = source.probe(NOW).await.unwrap();
        assert_eq!((probe.product.as_str(), probe.left_closed, probe.oldest), ("prometheus 2.42.0", Some(!left_open), None));
        let skew = probe.skew_millis.unwrap() - machine.millis() + NOW.millis();
        assert!((90_000..95_000).contains(&skew), "{skew} ms");
        assert_eq!(probe.retention.as_deref(), Some("15d"));
    }
    fake.push(&[("__name__", "prometheus_tsdb_lowest_timestamp_seconds")], NOW.millis(), 1_690_000_000.0);
    assert_eq!(source.probe(NOW).await.unwrap().oldest, Some(Timestamp::from_seconds(1_690_000_000)));
}

#[tokio::test]
async fn a_source_that_refuses_raw_samples_is_limited_to_expressions_and_one_that_refuses_all_is_blind() {
    let fake = fake().await;
    let probe = async |faults: &[(Class, Fault)]| {
        fake.heal().await;
        for (class, fault) in faults {
            fake.fail(*class, fault.clone()).await;
        }
        Prometheus::new(&config(&fake)).unwrap().probe(NOW).await
    };
    for fault in [status(422, "execution"), status(400, "bad_data"), status(403, ""), Fault::Html] {
        let probed = probe(&[(Class::Query, fault.clone())]).await.unwrap();
        assert_eq!(probed.limited.as_ref().map(|why| why.reason), Some(Reason::NoRaw), "{fault:?}");
        assert!(
            probed.warnings.iter().any(|warning| warning.starts_with("it is limited to `window` and `query`")),
            "{:?}",
            probed.warnings
        );
    }
    assert_eq!(probe(&[(Class::Query, status(503, "unavailable"))]).await.unwrap_err().reason, Reason::Busy);
    let denied = [(Class::Query, status(403, "")), (Class::QueryRange, status(403, ""))];
    assert_eq!(probe(&denied).await.unwrap_err().reason, Reason::Denied);
    assert_eq!(probe(&[]).await.unwrap().limited, None);
}

#[tokio::test]
async fn a_probe_says_what_it_could_not_know_and_fails_where_nothing_can_be_read() {
    let fake = FakePrometheus::start().await.unwrap();
    fake.fail(Class::Status, Fault::Html).await;
    let source = Prometheus::new(&config(&fake)).unwrap();
    let probe = source.probe(NOW).await.unwrap();
    assert_eq!((probe.product.as_str(), probe.left_closed, probe.oldest), ("unknown", None, None));
    for told in ["product and version are not known", "no sample of `up`"] {
        assert!(probe.warnings.iter().any(|warning| warning.contains(told)), "{told}: {:?}", probe.warnings);
    }
    fake.fail(Class::Query, Fault::Refuse).await;
    assert_eq!(source.probe(NOW).await.unwrap_err().reason, Reason::Unreachable);
}

#[tokio::test]
async fn an_address_that_cannot_be_right_is_refused_at_once() {
    let fake = FakePrometheus::start().await.unwrap();
    for url in ["http://u:p@prom", "prom:9090", "http://prom/?x=1", "http://prom/#x", ""] {
        let config = PrometheusConfig { url: url.to_owned(), ..config(&fake) };
        assert!(Prometheus::new(&config).is_err(), "{url}");
    }
    let config = PrometheusConfig { timeout: Duration::ZERO, ..config(&fake) };
    assert!(Prometheus::new(&config).is_err());
}

#[tokio::test]
async fn a_thanos_is_read_by_the_label_of_one_replica_and_a_series_is_the_same_in_all() {
    let fake = fake().await;
    for (replica, value) in [("eu-0", 7.0), ("eu-1", 5.0)] {
        for second in [0, 15] {
            let labels = [("__name__", "calls_total"), ("job", "shop"), ("prometheus_replica", replica)];
            fake.push(&labels, NOW.millis() - second * 1000, value);
        }
        fake.push(&[("__name__", "up"), ("job", "shop"), ("prometheus_replica", replica)], NOW.millis(), 1.0);
    }
    let replica_label = ReplicaLabel { name: "prometheus_replica".to_owned(), values: vec!["eu-0".to_owned(), "eu-1".to_owned()] };
    let replica_label = Some(Box::new(replica_label));
    let config = PrometheusConfig { replica_label, ..config(&fake) };
    let calls = Selector::new("calls_total", Vec::new());
    let mut places = Vec::new();
    for (replica, value) in config.replicas().zip([7.0, 5.0]) {
        let source = Prometheus::new(&replica).unwrap();
        places.push(source.place());
        let raw = source.read(&calls, NOW.minus(MINUTE), NOW).await.unwrap();
        let asked = fake.asked().pop().unwrap().form;
        assert_eq!(asked["dedup"], "false");
        assert!(asked["query"].starts_with("calls_total{prometheus_replica=\"eu-"), "{}", asked["query"]);
        let history = source.read_history(&calls, NOW.minus(MINUTE), NOW, Duration::from_secs(15)).await.unwrap();
        assert_eq!(fake.asked().pop().unwrap().form["dedup"], "false");
        for answer in [raw, history] {
            let labels: Vec<(&str, &str)> = answer.series[0].labels.pairs().collect();
            assert_eq!((answer.series.len(), labels), (1, vec![("__name__", "calls_total"), ("job", "shop")]));
            assert!(answer.series[0].samples.iter().all(|sample| sample.value.to_bits() == f64::to_bits(value)));
        }
        assert_eq!(source.probe(NOW).await.unwrap().left_closed, Some(true));
        source.read_steps("sum(calls_total)", NOW.minus(MINUTE), NOW, MINUTE).await.unwrap_err();
        assert!(!fake.asked().pop().unwrap().form.contains_key("dedup"), "expressions are the querier's own matter");
    }
    let shown = |replica: &str| format!("{} {{prometheus_replica=\"{replica}\"}}", fake.url());
    assert_eq!(places, [shown("eu-0"), shown("eu-1")]);
}

#[tokio::test]
async fn every_question_of_a_source_with_an_enforced_label_names_it() {
    let fake = fake().await;
    for (tenant, value) in [("acme", 7.0), ("globex", 1e9)] {
        for second in [0, 15] {
            fake.push(&[("__name__", "calls_total"), ("job", "shop"), ("tenant", tenant)], NOW.millis() - second * 1000, value);
        }
    }
    let enforced_label = Some(Box::new(EnforcedLabel { name: "tenant".to_owned(), value: "acme".to_owned() }));
    let source = Prometheus::new(&PrometheusConfig { enforced_label, ..config(&fake) }).unwrap();
    assert_eq!(source.place(), format!("{} {{tenant=\"acme\"}}", fake.url()));
    let (from, step) = (NOW.minus(MINUTE), Duration::from_secs(15));
    let of = |value: &str| {
        let matcher = Matcher { label: "tenant".to_owned(), op: MatchOp::Equal, value: value.to_owned() };
        Selector::new("calls_total", vec![matcher])
    };
    for (selector, expected) in [(Selector::new("calls_total", Vec::new()), 1), (of("acme"), 1), (of("globex"), 0)] {
        for answer in [source.read(&selector, from, NOW).await.unwrap(), source.read_history(&selector, from, NOW, step).await.unwrap()] {
            assert_eq!(answer.series.len(), expected, "{selector}");
            assert!(answer.series.iter().all(|series| series.labels.get("tenant") == "acme"), "the label stays: {:?}", answer.series);
        }
    }
    drop(source.read_histograms(&of("globex"), from, NOW).await);
    drop(source.read_steps("sum(calls_total) / sum(up)", from, NOW, MINUTE).await);
    source.probe(NOW).await.unwrap();
    let refused = source.read_steps("info(calls_total)", from, NOW, MINUTE).await.unwrap_err();
    assert_eq!(refused.reason, Reason::BadQuery, "{refused:?}");

    let asked: Vec<String> = fake.asked().into_iter().filter_map(|asked| asked.form.get("query").cloned()).collect();
    assert!(asked.len() >= 10, "{asked:?}");
    for query in asked.iter().filter(|query| *query != "time()") {
        assert_eq!(query.matches('{').count(), query.matches(r#"tenant="acme""#).count(), "{query}");
        assert!(query.contains(r#"tenant="acme""#) && !query.contains("info("), "{query}");
    }
}
