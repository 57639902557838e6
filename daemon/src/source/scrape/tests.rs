//! The scraper against small servers, and its memory against its bounds.

use std::sync::Arc;

use axum::{Router, http::header, response::IntoResponse, routing::get};
use burnward_core::{
    ledger::{Reason, Series},
    sli::{Labels, MatchOp, Matcher},
};

use super::*;

/// A target whose answer can be changed.
struct Shown {
    url: String,
    answer: Arc<Mutex<(&'static str, String)>>,
}

impl Shown {
    async fn start(text: &str) -> Self {
        let answer = Arc::new(Mutex::new(("text/plain; version=0.0.4", text.to_owned())));
        let shared = Arc::clone(&answer);
        let page = move || async move {
            let (kind, text) = shared.lock().unwrap().clone();
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, Router::new().route("/metrics", get(page))).await });
        Self { url, answer }
    }

    fn show(&self, kind: &'static str, text: &str) {
        *self.answer.lock().unwrap() = (kind, text.to_owned());
    }

    fn instance(&self) -> &str {
        self.url.trim_start_matches("http://").trim_end_matches("/metrics")
    }
}

fn scraper(targets: &[&str]) -> anyhow::Result<Scrape> {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    let targets = targets.iter().map(|&url| url.to_owned()).collect();
    Scrape::new(&ScrapeConfig { targets, every: Duration::from_secs(5), job: "shop".to_owned() })
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn metric(name: &str) -> Selector {
    Selector::new(name, Vec::new())
}

fn values(series: &Series) -> Vec<(i64, f64)> {
    series.samples.iter().map(|sample| (sample.at.millis() / 1000, sample.value)).collect()
}

fn read(scrape: &Scrape, name: &str) -> Vec<Vec<(i64, f64)>> {
    scrape.read(&metric(name), at(0), at(1000)).unwrap().series.iter().map(values).collect()
}

#[tokio::test]
async fn samples_get_job_and_instance_and_the_instant_of_the_scrape() {
    let target = Shown::start("hits_total{code=\"200\",job=\"theirs\",exported_job=\"x\"} 5 99\n").await;
    let scrape = scraper(&[&target.url]).unwrap();
    scrape.scrape(at(10)).await;
    target.show(
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "hits_total{code=\"200\",job=\"theirs\",exported_job=\"x\"} 7\n# EOF\n",
    );
    scrape.scrape(at(15)).await;

    let matcher = Matcher { label: "job".to_owned(), op: MatchOp::Regex, value: "sh.p".to_owned() };
    let answer = scrape.read(&Selector::new("hits_total", vec![matcher]), at(0), at(15)).unwrap();
    let labels = [
        ("__name__", "hits_total"),
        ("code", "200"),
        ("job", "shop"),
        ("instance", target.instance()),
        ("exported_exported_job", "theirs"),
        ("exported_job", "x"),
    ];
    assert_eq!(answer.series[0].labels, Labels::new(labels.map(|(name, value)| (name.to_owned(), value.to_owned()))));
    assert_eq!(values(&answer.series[0]), [(10, 5.0), (15, 7.0)]);
    assert_eq!(read(&scrape, "up"), [[(10, 1.0), (15, 1.0)]]);
    assert_eq!(read(&scrape, "scrape_duration_seconds")[0].len(), 2);
}

#[tokio::test]
async fn a_read_leaves_out_its_start_and_holds_its_end() {
    let target = Shown::start("a 1\n").await;
    let scrape = scraper(&[&target.url]).unwrap();
    for second in [10, 20, 30] {
        scrape.scrape(at(second)).await;
    }
    let answer = scrape.read(&metric("a"), at(10), at(20)).unwrap();
    assert_eq!(values(&answer.series[0]), [(20, 1.0)]);
    assert!(scrape.read(&metric("a"), at(30), at(40)).unwrap().series.is_empty());
}

#[tokio::test]
async fn a_target_that_cannot_be_read_whole_is_down_and_gives_no_sample() {
    let fine = Shown::start("a 1\n").await;
    let target = Shown::start("a 1\n").await;
    let scrape = scraper(&[&target.url, &fine.url, "http://127.0.0.1:1/metrics"]).unwrap();
    let wrong = [
        ("text/plain", "a 1\nb one\n", "line 2, column 3"),
        ("text/plain", "a 1\nb 2", "cut off"),
        ("text/plain", "a 1\nup 1\n", "added by the scrape itself"),
        ("text/html", "a 1\n", "not exposition text but text/html"),
        ("application/openmetrics-text", "a 1\n", "# EOF"),
    ];
    for (round, (kind, text, told)) in (1..).zip(wrong) {
        target.show(kind, text);
        scrape.scrape(at(round)).await;
        let before = Timestamp::from_millis(round * 1000 - 1);
        let down = scrape.read(&metric("up"), before, at(round)).unwrap().series;
        assert_eq!(down.iter().filter(|series| series.samples[0].value == 0.0).count(), 2, "{text:?}");
        assert_eq!(scrape.read(&metric("a"), before, at(round)).unwrap().series.len(), 1, "{text:?}");
        let probe = scrape.probe(at(round)).unwrap();
        assert!(probe.warnings.iter().any(|warning| warning.contains(told)), "{:?}", probe.warnings);
        target.show("text/plain", "a 1\n");
        scrape.scrape(Timestamp::from_millis(round * 1000 + 500)).await;
    }
    assert_eq!(scrape.probe(at(9)).unwrap().warnings.len(), 1, "only the refused connection is left");
}

#[tokio::test]
async fn before_the_first_scrape_nothing_is_known() {
    let scrape = scraper(&["http://127.0.0.1:1/metrics"]).unwrap();
    assert_eq!(scrape.read(&metric("up"), at(0), at(1)).unwrap_err().reason, Reason::NotYet);
    assert_eq!(scrape.probe(at(1)).unwrap_err().reason, Reason::NotYet);
    scrape.scrape(at(1)).await;
    assert_eq!(read(&scrape, "up"), [[(1, 0.0)]]);
}

#[test]
fn targets_that_cannot_be_told_apart_or_hold_a_password_are_refused() {
    for targets in [&["http://a:1/metrics", "http://a:1/other"][..], &["http://a/", "http://a:80/x"], &["http://u:p@a/"], &["a:1"], &[]] {
        assert!(scraper(targets).is_err(), "{targets:?}");
    }
}

fn series(name: &str) -> (Labels, f64) {
    (Labels::new([("__name__".to_owned(), name.to_owned())]), 1.0)
}

fn kept(buffer: &Buffer, from: i64) -> Result<Vec<i64>, Reason> {
    let found = buffer.read(&metric("a"), at(from), at(100_000)).map_err(|unknown| unknown.reason)?;
    Ok(found.iter().flat_map(|series| &series.samples).map(|sample| sample.at.millis() / 1000).collect())
}

#[test]
fn memory_drops_the_oldest_beyond_its_bound_and_says_so() {
    let mut buffer = Buffer::with_room_for(3);
    for second in 1..=3 {
        assert_eq!(buffer.push(at(second), vec![series("a")]), Pushed::Kept);
    }
    assert_eq!(buffer.push(at(4), vec![series("a")]), Pushed::Full { dropped: 1 });
    assert_eq!(kept(&buffer, 0), Err(Reason::Partial));
    assert_eq!(kept(&buffer, 1), Ok(vec![2, 3, 4]));
    assert_eq!(buffer.push(at(7203), vec![series("a")]), Pushed::Kept, "two hours later there is room again");
    assert_eq!(kept(&buffer, 0), Ok(vec![4, 7203]));
    assert_eq!(buffer.dropped_until(), None);
}

#[test]
fn a_clock_that_goes_back_drops_what_lies_ahead_of_it() {
    let mut buffer = Buffer::with_room_for(100);
    for second in [10, 20, 30] {
        buffer.push(at(second), vec![series("a")]);
    }
    assert_eq!(buffer.push(at(30), vec![series("a")]), Pushed::AlreadyThere);
    assert_eq!(buffer.push(at(15), vec![series("a"), series("b")]), Pushed::ClockWentBack { dropped: 2 });
    assert_eq!(kept(&buffer, 0), Ok(vec![10, 15]));
}
