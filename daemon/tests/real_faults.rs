//! What real servers answer wrongly, as far as Debian's Prometheus and VictoriaMetrics can be made to: each must be not seeing, with the reason that
//! `docs/wrong-answers.md` names, and never an answer. `prometheus`, `promtool` and `victoria-metrics` must be on the path.

use std::{fmt::Write as _, path::Path, time::Duration};

use burnward::{
    config::{ClientCertificate, Credentials, PrometheusConfig, TlsFiles},
    source::prometheus::Prometheus,
};
use burnward_core::{
    ledger::{Reason, Unknown},
    sli::Selector,
    time::Timestamp,
};
use burnward_stand_ins::prometheus::{Real, Value, Victoria, Written, backfill};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Where histories begin, in seconds.
const START: i64 = 1_700_000_000;
/// Series, and samples of each, 15 s apart.
const SERIES: i64 = 8;
const SAMPLES: i64 = 20;

fn history() -> String {
    let mut text = "# TYPE hits counter\n".to_owned();
    for series in 0..SERIES {
        for sample in 0..SAMPLES {
            writeln!(text, "hits_total{{job=\"shop\",instance=\"{series}\"}} {sample} {}", START + sample * 15).expect("a string");
        }
    }
    text + "# EOF\n"
}

fn at(url: &str) -> PrometheusConfig {
    // Fails where another test has installed it already.
    drop(rustls::crypto::ring::default_provider().install_default());
    PrometheusConfig::at(url)
}

/// How many samples there are of the whole history.
async fn read(config: &PrometheusConfig) -> Result<usize, Unknown> {
    let source = Prometheus::new(config).expect("the configuration is fine");
    let (from, to) = (Timestamp::from_seconds(START - 1), Timestamp::from_seconds(START + SAMPLES * 15));
    let answer = source.read(&Selector::new("hits_total", Vec::new()), from, to).await?;
    Ok(answer.series.iter().map(|series| series.samples.len()).sum())
}

#[track_caller]
fn check(answer: &Result<usize, Unknown>, reason: Reason, told: &str) {
    let unknown = answer.as_ref().expect_err("this is no answer");
    assert!(unknown.reason == reason && unknown.detail.contains(told), "{unknown}");
}

/// A Prometheus with these flags that holds the history.
async fn holding(dir: &Path, flags: &[&str]) -> Real {
    backfill(dir, &history()).await.expect("promtool takes it");
    Real::start_with(dir, "global: {}\n", flags).await.expect("it starts")
}

#[tokio::test]
async fn more_samples_than_a_server_gives_at_once_are_too_big_and_no_mistake_of_the_question() {
    let dir = tempfile::tempdir().unwrap();
    let real = holding(&dir.path().join("prometheus"), &["--query.max-samples=100"]).await;
    check(&read(&at(&real.url())).await, Reason::TooBig, "HTTP 422: query processing would load too many samples");

    let victoria = Victoria::start_with(&dir.path().join("victoria"), &["-search.maxSamplesPerQuery=100"]).await.unwrap();
    victoria.import(&history()).await.unwrap();
    check(&read(&at(&victoria.url())).await, Reason::TooBig, "HTTP 422: error when exporting data");
}

#[tokio::test]
async fn a_cap_of_ours_holds_for_what_a_server_gives() {
    let dir = tempfile::tempdir().unwrap();
    let real = holding(dir.path(), &[]).await;
    let whole = at(&real.url());
    assert_eq!(read(&whole).await, Ok(160));
    check(&read(&PrometheusConfig { max_series: 7, ..whole.clone() }).await, Reason::TooMany, "at least 8 series, 7 are allowed");
    check(&read(&PrometheusConfig { max_bytes: 1000, ..whole.clone() }).await, Reason::TooBig, "larger than 1000 bytes");
    // Not a loopback, and so asked for compressed.
    let far = PrometheusConfig { url: whole.url.replace("127.0.0.1", "0.0.0.0"), ..whole };
    assert_eq!(read(&far).await, Ok(160));
    check(&read(&PrometheusConfig { max_bytes: 1000, ..far }).await, Reason::TooBig, "larger than 1000 bytes");
}

#[tokio::test]
async fn a_server_whose_turns_are_all_taken_does_not_answer_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let real = holding(dir.path(), &["--query.max-concurrency=0"]).await;
    check(&read(&PrometheusConfig { timeout: Duration::from_millis(500), ..at(&real.url()) }).await, Reason::Timeout, "");
    real.pause().unwrap();
    check(&read(&PrometheusConfig { timeout: Duration::from_millis(500), ..at(&real.url()) }).await, Reason::Timeout, "in time");
}

#[tokio::test]
async fn a_server_that_replays_its_log_is_busy() {
    let dir = tempfile::tempdir().unwrap();
    let real = Real::start_replaying(dir.path()).await.unwrap();
    check(&read(&at(&real.url())).await, Reason::Busy, "HTTP 503");
}

#[tokio::test]
async fn a_server_that_cannot_reach_a_part_of_its_data_gives_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    backfill(dir.path(), &history()).await.unwrap();
    let remote = "remote_read: [ { url: 'http://127.0.0.1:1/read', read_recent: true } ]\n";
    let real = Real::start_with(dir.path(), remote, &[]).await.unwrap();
    check(&read(&at(&real.url())).await, Reason::Partial, "the answer warns: remote_read");
}

#[tokio::test]
async fn a_question_that_is_refused_is_a_bad_query_and_a_page_that_is_not_there_asks_for_the_right_address() {
    let dir = tempfile::tempdir().unwrap();
    let real = holding(dir.path(), &["--web.route-prefix=/prom/"]).await;
    let right = at(&format!("{}/prom", real.url()));
    assert_eq!(read(&right).await, Ok(160));
    check(&read(&at(&real.url())).await, Reason::SourceError, "HTTP 404; does its URL lead to a Prometheus");

    let source = Prometheus::new(&right).unwrap();
    let (from, to) = (Timestamp::from_seconds(START), Timestamp::from_seconds(START + 60));
    let ambiguous = source.read_steps("hits_total * on(job) hits_total", from, to, Duration::from_secs(15)).await;
    check(&ambiguous.map(|answer| answer.bytes), Reason::BadQuery, "HTTP 422: found duplicate series");
}

#[tokio::test]
async fn a_probe_tells_that_a_clock_is_behind() {
    let dir = tempfile::tempdir().unwrap();
    let real = holding(dir.path(), &[]).await;
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond()).minus(Duration::from_secs(90));
    let probe = Prometheus::new(&at(&real.url())).unwrap().probe(now).await.unwrap();
    assert!(probe.skew_millis.is_some_and(|skew| (90_000..95_000).contains(&skew)), "{probe:?}");
    assert!(
        probe.warnings.iter().any(|warning| warning.starts_with("its clock is 9") && warning.ends_with("s ahead of ours")),
        "{probe:?}"
    );
}

#[tokio::test]
async fn samples_that_arrive_out_of_order_are_read_in_order_and_those_that_are_refused_leave_no_trace() {
    let written = |seconds: &[i32]| {
        let samples = seconds.iter().map(|second| ((START + i64::from(*second)) * 1000, Value::Number(f64::from(*second)))).collect();
        vec![Written {
            labels: [("__name__", "hits_total"), ("job", "shop")].map(|(name, value)| (name.into(), value.into())).into(),
            samples,
        }]
    };
    for (window, expected) in [("30m", vec![0, 15, 30, 45]), ("0s", vec![0, 45])] {
        let dir = tempfile::tempdir().unwrap();
        let config = format!("storage: {{ tsdb: {{ out_of_order_time_window: {window} }} }}\n");
        let real = Real::start_with(dir.path(), &config, &["--web.enable-remote-write-receiver"]).await.unwrap();
        real.take(&written(&[0, 45])).await.unwrap();
        assert_eq!(real.take(&written(&[15, 30])).await.is_ok(), expected.len() == 4, "{window}");
        let source = Prometheus::new(&at(&real.url())).unwrap();
        let (from, to) = (Timestamp::from_seconds(START - 1), Timestamp::from_seconds(START + 60));
        let answer = source.read(&Selector::new("hits_total", Vec::new()), from, to).await.unwrap();
        let stored: Vec<i64> = answer.series[0].samples.iter().map(|sample| sample.at.millis() / 1000 - START).collect();
        assert_eq!(stored, expected, "{window}");
    }
}

/// Passes on what the server there says up to so many bytes, and then ends the connection.
async fn cutting(to: &str, after: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, to) = (listener.local_addr().expect("it is bound"), to.trim_start_matches("http://").to_owned());
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&to).await.expect("the server runs");
            let (mut asked, mut answer) = (vec![0; 4096], Vec::new());
            let count = near.read(&mut asked).await.expect("a question");
            far.write_all(&asked[..count]).await.expect("it is passed on");
            while answer.len() < after {
                let count = far.read_buf(&mut answer).await.expect("an answer");
                assert!(count > 0, "the answer is shorter than what is cut: {}", String::from_utf8_lossy(&answer));
            }
            near.write_all(&answer[..after]).await.expect("it is passed on");
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn an_answer_that_a_proxy_cuts_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let real = holding(dir.path(), &[]).await;
    for after in [20, 150, 1000] {
        check(&read(&at(&cutting(&real.url(), after).await)).await, Reason::Cut, "the answer broke off");
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// Writes a certificate of the authority for a name as `NAME.pem`, and its key as `NAME.key`.
fn certify(dir: &Path, authority: &Authority, name: &str, last_year: i32) -> ClientCertificate {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(last_year, 1, 1));
    let key = KeyPair::generate().expect("a key");
    let signed = params.signed_by(&key, authority).expect("a certificate");
    let own = ClientCertificate { certificate: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) };
    std::fs::write(&own.certificate, signed.pem()).expect("it can be written");
    std::fs::write(&own.key, key.serialize_pem()).expect("it can be written");
    own
}

/// The part of a web configuration that names a certificate.
fn shows(own: &ClientCertificate) -> String {
    format!("cert_file: '{}', key_file: '{}'", own.certificate.display(), own.key.display())
}

fn over_tls(real: &Real) -> PrometheusConfig {
    at(&real.url().replace("http://127.0.0.1", "https://localhost"))
}

#[tokio::test]
async fn a_password_is_asked_for_and_one_that_is_wrong_is_denied() {
    let dir = tempfile::tempdir().unwrap();
    // bcrypt of `s3cret-of-the-test`, as cheap as it may be.
    let users = "basic_auth_users: { burnward: '$2b$04$eLnZz8fQTop3InKfe24diOpnFoN4Ft1i.30uaXOwqP2mEIKdibww2' }\n";
    backfill(dir.path(), &history()).await.unwrap();
    let real = Real::start_guarded(dir.path(), users).await.unwrap();
    check(&read(&at(&real.url())).await, Reason::Denied, "HTTP 401");
    let password_file = dir.path().join("password");
    let credentials = Credentials::Basic { user: "burnward".to_owned(), password_file: password_file.clone() };
    let config = PrometheusConfig { credentials, ..at(&real.url()) };
    std::fs::write(&password_file, "another\n").unwrap();
    check(&read(&config).await, Reason::Denied, "HTTP 401");
    std::fs::write(&password_file, "s3cret-of-the-test\n").unwrap();
    assert_eq!(read(&config).await, Ok(160), "it is read anew");
}

#[tokio::test]
async fn a_server_with_an_expired_certificate_is_not_read_and_one_that_wants_ours_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let (authority, dir) = (authority(), dir.path());
    let ca_file = dir.join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).unwrap();
    let tls = TlsFiles { ca: Some(ca_file.clone()), ..TlsFiles::default() };

    backfill(&dir.join("expired"), &history()).await.unwrap();
    let expired = format!("tls_server_config: {{ {} }}\n", shows(&certify(dir, &authority, "localhost", 2021)));
    let real = Real::start_guarded(&dir.join("expired"), &expired).await.unwrap();
    let config = PrometheusConfig { tls: tls.clone(), ..over_tls(&real) };
    check(&read(&config).await, Reason::Unreachable, "the certificate of localhost expired at 2021-01-01");

    backfill(&dir.join("mutual"), &history()).await.unwrap();
    let wants = format!("client_auth_type: RequireAndVerifyClientCert, client_ca_file: '{}'", ca_file.display());
    let mutual = format!("tls_server_config: {{ {}, {wants} }}\n", shows(&certify(dir, &authority, "localhost", 2035)));
    let real = Real::start_guarded(&dir.join("mutual"), &mutual).await.unwrap();
    let config = PrometheusConfig { tls: tls.clone(), ..over_tls(&real) };
    check(&read(&config).await, Reason::Denied, "client certificate");
    let client = Some(certify(dir, &authority, "burnward", 2035));
    let config = PrometheusConfig { tls: TlsFiles { client, ..tls.clone() }, ..config };
    assert_eq!(read(&config).await, Ok(160));
    let unknown = PrometheusConfig { tls: TlsFiles { ca: None, ..tls }, ..over_tls(&real) };
    check(&read(&unknown).await, Reason::Unreachable, "no authority trusted here signed the certificate of localhost");
    check(&read(&at(&over_tls(&real).url.replace("https", "http"))).await, Reason::BadQuery, "HTTP 400");
}
