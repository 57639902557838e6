//! `burnward init` as people meet it: what it proposes from metrics of common client libraries, what it lays out in an empty directory, and what it says
//! of endpoints that are none. What it writes passes `check --strict` and stays as `fmt` lays out, once a person said who is told and by which runbook.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use burnward_stand_ins::prometheus::{Real, Value, Written};

fn burnward(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
    command.args(args).current_dir(directory).env_clear().stdin(Stdio::null()).output().expect("it runs")
}

/// Its output and what it says beside it, without where the test runs.
fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    format!("{}--- stderr, exit code {:?}\n{}", text(&output.stdout), output.status.code(), text(&output.stderr))
}

/// `(0.31 s)` as `(0.01 s)`.
fn without_duration(printed: &str) -> String {
    let Some((before, rest)) = printed.split_once(" in 1 file (") else { return printed.to_owned() };
    let (_, after) = rest.split_once(" s)").expect("a duration in seconds");
    format!("{before} in 1 file (0.01 s){after}")
}

fn fixture(name: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/init").join(name)).expect("a fixture")
}

/// What is proposed from the text of a fixture.
fn proposed(name: &str, args: &[&str]) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join(name), fixture(name)).expect("written");
    shown(&burnward(directory.path(), &[&["init", "--metrics", name], args].concat()))
}

#[test]
fn metrics_of_common_libraries_become_slos() {
    insta::assert_snapshot!("go", proposed("go.prom", &["--job", "shop", "--team", "payments"]));
    insta::assert_snapshot!("spring", proposed("spring.prom", &["--job", "orders", "--team", "payments"]));
    insta::assert_snapshot!("grpc", proposed("grpc.prom", &["--job", "search", "--team", "search"]));
    insta::assert_snapshot!("prometheus", proposed("prometheus.prom", &["--job", "prometheus", "--team", "platform"]));
    insta::assert_snapshot!("worker", proposed("worker.om", &["--job", "mail-worker", "--team", "mail"]));
    insta::assert_snapshot!("node", proposed("node.prom", &["--job", "node", "--team", "platform"]));
}

#[test]
fn what_nobody_said_is_left_to_be_filled_in_and_told() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("go.prom"), fixture("go.prom")).expect("written");
    let output = burnward(directory.path(), &["init", "--metrics", "go.prom", "--match", "{tenant=\"acme\"}", "--out", "slos/shop.yaml"]);
    assert!(output.status.success(), "{}", shown(&output));
    let text = fs::read_to_string(directory.path().join("slos/shop.yaml")).expect("written");
    insta::assert_snapshot!("unnamed", format!("{text}{}", shown(&output)));
    insta::assert_snapshot!("unnamed_checked", without_duration(&shown(&burnward(directory.path(), &["check", "slos/shop.yaml"]))));
}

#[test]
fn a_proposal_passes_every_check_once_team_and_runbook_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(burnward(directory.path(), &["init", "--team", "payments"]).status.success());
    fs::write(directory.path().join("runbooks/pages.md"), "# Pages\n\n1. Look.\n").expect("written");
    for (place, name) in ["go.prom", "spring.prom", "grpc.prom", "prometheus.prom", "worker.om", "node.prom"].into_iter().enumerate() {
        fs::write(directory.path().join(name), fixture(name)).expect("written");
        let (job, out) = (format!("job-{place}"), format!("slo-definitions/{place}.yaml"));
        let output = burnward(directory.path(), &["init", "--metrics", name, "--job", &job, "--runbook", "pages.md", "--out", &out]);
        assert!(output.status.success(), "{}", shown(&output));
        let text = fs::read_to_string(directory.path().join(&out)).expect("written");
        assert!(text.starts_with("# yaml-language-server: $schema=../slo.schema.json\n") && text.contains("team: payments\n"), "{text}");
    }
    for command in [&["check", "--strict"][..], &["fmt", "--check", "slo-definitions"]] {
        let output = burnward(directory.path(), command);
        assert!(output.status.success(), "{command:?}: {}", shown(&output));
    }
}

#[test]
fn a_metric_that_is_named_is_proposed_whatever_it_is() {
    insta::assert_snapshot!(
        "named",
        proposed("prometheus.prom", &["--match", "prometheus_tsdb_compaction_duration_seconds", "--team", "platform"])
    );
    insta::assert_snapshot!(
        "json",
        proposed("grpc.prom", &["--match", "grpc_server_handled_total", "--job", "search", "--team", "search", "-o", "json"])
    );
}

#[test]
fn an_empty_directory_gets_a_start_that_passes_and_nothing_is_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    insta::assert_snapshot!("start", shown(&burnward(directory.path(), &["init"])));
    for command in [&["check", "--strict"][..], &["fmt", "--check", "slo-definitions"]] {
        let output = burnward(directory.path(), command);
        assert!(output.status.success(), "{command:?}: {}", shown(&output));
    }
    let again = burnward(directory.path(), &["init"]);
    assert_eq!(again.status.code(), Some(2));
    insta::assert_snapshot!("start_again", shown(&again));
    let other = tempfile::tempdir().expect("a directory");
    fs::create_dir(other.path().join("slo-definitions")).expect("a directory");
    fs::write(other.path().join("slo-definitions/own.yaml"), "mine").expect("written");
    fs::write(other.path().join("slo.schema.json"), "{}").expect("written");
    insta::assert_snapshot!("start_beside", shown(&burnward(other.path(), &["init"])));
    assert_eq!(fs::read_to_string(other.path().join("slo.schema.json")).expect("there"), "{}");
    assert!(!other.path().join("runbooks").exists());
}

#[test]
fn a_file_that_is_there_is_replaced_only_with_force() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("go.prom"), fixture("go.prom")).expect("written");
    fs::write(directory.path().join("out.yaml"), "mine").expect("written");
    let command = ["init", "--metrics", "go.prom", "--service", "shop", "--out", "out.yaml"];
    let refused = burnward(directory.path(), &command);
    assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
    assert_eq!(fs::read_to_string(directory.path().join("out.yaml")).expect("there"), "mine");
    let forced = burnward(directory.path(), &[&command[..], &["--force"]].concat());
    assert!(forced.status.success(), "{}", shown(&forced));
    assert!(fs::read_to_string(directory.path().join("out.yaml")).expect("there").contains("service: shop"));
    assert_eq!(fs::read_dir(directory.path()).expect("there").count(), 3, "nothing is left behind but the schema");
}

/// Answers every request with this, and says where.
fn answering(head: &'static str, body: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            drop(stream.read(&mut request));
            drop(write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n\r\n").and_then(|()| stream.write_all(&body)));
        }
    });
    format!("127.0.0.1:{port}")
}

/// What is said of this endpoint, without its port.
fn refused(address: &str, rest: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    let output = burnward(directory.path(), &["init", "--metrics", &format!("http://{rest}{address}/metrics"), "--job", "x"]);
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    shown(&output).replace(address, "HOST")
}

#[test]
fn what_is_no_endpoint_is_told_as_that_and_nothing_secret_is_shown() {
    let html = answering("Content-Type: text/html; charset=utf-8", b"<html>log in</html>".to_vec());
    insta::assert_snapshot!("html", refused(&html, ""));
    let plain = answering("Content-Type: text/plain", b"<html>log in</html>\n".to_vec());
    insta::assert_snapshot!("plain_html", refused(&plain, ""));
    let secret = refused(&plain, "ada:hunter2@");
    assert!(!secret.contains("hunter2"), "{secret}");
    insta::assert_snapshot!("secret", secret);
    // Nobody listens there.
    insta::assert_snapshot!("nobody", refused("127.0.0.1:1", ""));
}

#[test]
fn a_pipe_into_which_nobody_writes_is_refused_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    assert!(Command::new("mkfifo").arg(directory.path().join("pipe")).status().expect("mkfifo is there").success());
    let output = burnward(directory.path(), &["init", "--metrics", "pipe", "--job", "x"]);
    let why = "burnward: cannot read pipe, which is neither a file nor a URL with http://; what comes through a pipe is read by --metrics=-: not a regular file\n";
    assert_eq!(shown(&output), format!("--- stderr, exit code Some(2)\n{why}"));
}

#[test]
fn a_small_answer_that_swells_without_end_is_dropped_at_the_cap() {
    let mut packed = Vec::new();
    let bomb = Command::new("sh").args(["-c", "head -c 200000000 /dev/zero | gzip -9"]).output().expect("gzip is there");
    packed.extend(bomb.stdout);
    let swelling = answering("Content-Type: text/plain\r\nContent-Encoding: gzip", packed);
    insta::assert_snapshot!("bomb", refused(&swelling, ""));
}

#[test]
fn ten_thousand_metrics_with_odd_names_and_endless_labels_are_read_in_bounds() {
    use std::fmt::Write as _;
    let mut text = String::new();
    for number in 0..10_000 {
        writeln!(text, "odd_{number}_total{{code=\"x{number}\",path=\"\u{202e}/{number}\\n# evil: yes\"}} 1").expect("a String");
    }
    for number in 0..2_000 {
        writeln!(text, "http_requests_total{{code=\"200\",user=\"{number}\"}} 1").expect("a String");
    }
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("odd.prom"), text).expect("written");
    let output = burnward(directory.path(), &["init", "--metrics", "odd.prom", "--job", "o'dd # name: evil", "--team", "payments"]);
    insta::assert_snapshot!("odd", shown(&output));
}

/// An endpoint that answers with these metrics whoever shows this, and repeats to others what they showed.
fn guarded(authorization: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            let shown = text.lines().filter_map(|line| line.split_once(": ")).find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            let shown = shown.map_or("nothing", |(_, value)| value).to_owned();
            let (kind, body) = if shown == authorization { ("text/plain", fixture("go.prom")) } else { (shown.as_str(), String::new()) };
            drop(write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {kind}\r\n\r\n{body}"));
        }
    });
    format!("http://127.0.0.1:{port}/metrics")
}

#[test]
fn an_endpoint_is_shown_a_token_or_a_password_from_a_file_and_nobody_else_is() {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, secret) in [("right", "hush"), ("wrong", "psst"), ("empty", "")] {
        fs::write(directory.path().join(name), secret).expect("written");
    }
    let asked = |url: &str, args: &[&str]| {
        let output = burnward(directory.path(), &[&["init", "--metrics", url, "--job", "shop", "--team", "payments"], args].concat());
        let text = shown(&output);
        assert!(!text.contains("hush") && !text.contains("psst"), "{text}");
        (output.status.code(), text)
    };
    let bearer = guarded("Bearer hush");
    let (code, text) = asked(&bearer, &["--bearer-token-file", "right"]);
    assert!(code == Some(0) && text.contains("name: availability"), "{text}");
    let (code, text) = asked(&bearer, &["--bearer-token-file", "wrong"]);
    assert!(code == Some(2) && text.contains("[secret]"), "{text}");
    let (code, text) = asked(&bearer, &["--bearer-token-file", "empty"]);
    assert!(code == Some(2) && text.contains("holds no bearer token"), "{text}");
    // `ada:hush` in base64.
    let (code, text) = asked(&guarded("Basic YWRhOmh1c2g="), &["--user", "ada", "--password-file", "right"]);
    assert!(code == Some(0), "{text}");
    fs::write(directory.path().join("go.prom"), fixture("go.prom")).expect("written");
    let (code, text) = asked("go.prom", &["--bearer-token-file", "right"]);
    assert!(code == Some(2) && text.contains("is no URL"), "{text}");
}

/// A Prometheus that holds ten thousand metrics, one of them with an odd name, and thousands of jobs whose names are meant for a terminal.
fn swollen() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let data = |path: &str| {
        let texts: Vec<String> = match path.split('?').next().unwrap_or_default() {
            "/api/v1/label/__name__/values" => {
                let many = (0..10_000).map(|number| format!("work_{number}_total"));
                many.chain(["http_requests_total".to_owned(), "odd \"name\"\n_total".to_owned()]).collect()
            }
            "/api/v1/labels" => vec!["__name__".to_owned(), "job".to_owned(), "code".to_owned(), "user\n".to_owned()],
            "/api/v1/label/job/values" => (0..3_000).map(|number| format!("{number:04}\u{1b}[31m\n{}", "x".repeat(100))).collect(),
            "/api/v1/label/code/values" => vec!["200".to_owned(), "500".to_owned()],
            _ => return r#"{"resultType":"matrix","result":[]}"#.to_owned(),
        };
        serde_json::to_string(&texts).expect("JSON")
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap_or_default();
            let text = String::from_utf8_lossy(&request[..read]).into_owned();
            let body = format!("{{\"status\":\"success\",\"data\":{}}}", data(text.split(' ').nth(1).unwrap_or_default()));
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n";
            drop(write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()));
        }
    });
    format!("127.0.0.1:{port}")
}

#[test]
fn a_source_that_is_none_or_is_swollen_is_told_in_bounds_and_nothing_secret_is_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    let said = |address: &str, rest: &str, args: &[&str]| {
        let source = format!("http://{rest}{address}");
        let output = burnward(directory.path(), &[&["init", "--source", &source], args].concat());
        assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
        shown(&output).replace(address, "HOST")
    };
    let html = answering("Content-Type: text/html", b"<html>log in</html>".to_vec());
    insta::assert_snapshot!("source_html", said(&html, "", &[]));
    let secret = said(&html, "ada:hunter2@", &[]);
    assert!(!secret.contains("hunter2"), "{secret}");
    insta::assert_snapshot!("source_swollen", said(&swollen(), "", &[]));
    let unknown = burnward(directory.path(), &["init", "--source", "prom-eu"]);
    insta::assert_snapshot!("source_unknown", shown(&unknown));
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A series with a sample every 15 s of the last minutes.
fn series(labels: &[(&str, &str)], minutes: i64, value: impl Fn(i64) -> Value) -> Written {
    let samples = (0..=minutes * 4).map(|n| (now() - 1000 - (minutes * 4 - n) * 15_000, value(n))).collect();
    Written { labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(), samples }
}

/// What is proposed from a real Prometheus that holds these series.
async fn proposed_from(written: &[Written], args: &[&str]) -> (Option<i32>, String) {
    let data = tempfile::tempdir().expect("a directory");
    let real = Real::start_for_histograms(data.path()).await.expect("it starts");
    real.take(written).await.expect("it takes them");
    let (directory, url) = (tempfile::tempdir().expect("a directory"), real.url());
    let output = burnward(directory.path(), &[&["init", "--source", &url, "--team", "payments"], args].concat());
    (output.status.code(), shown(&output).replace(&url, "URL"))
}

/// The comments and lines one after another, so that a sentence is found wherever it is broken.
fn flat(text: &str) -> String {
    text.lines().map(|line| line.trim().trim_start_matches("# ")).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::cast_precision_loss, reason = "small")]
fn counter(rate: i64) -> impl Fn(i64) -> Value {
    move |n| Value::Number((n * rate) as f64)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_younger_than_an_hour_was_seen() {
    let of = |code: &'static str| [("__name__", "http_requests_total"), ("job", "shop"), ("instance", "a"), ("code", code)];
    let up = [("__name__", "up"), ("job", "shop"), ("instance", "a")];
    let written = [series(&of("200"), 12, counter(100)), series(&of("500"), 12, counter(1)), series(&up, 12, |_| Value::Number(1.0))];
    let (code, text) = proposed_from(&written, &[]).await;
    assert_eq!(code, Some(0), "{text}");
    let words = flat(&text);
    // Twelve minutes of samples; where the first whole one begins hangs on the second at which this runs.
    let measured = ["11", "12"].iter().any(|minutes| words.contains(&format!("99.0 % measured over {minutes} minutes (")));
    assert!(measured && !words.contains("nothing of it was seen"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_scrapes_all_failed_is_named_as_dead() {
    let dead = |name: &'static str| series(&[("__name__", name), ("job", "gone"), ("instance", "b")], 90, |_| Value::Number(0.0));
    let alive = series(&[("__name__", "up"), ("job", "alive"), ("instance", "a")], 90, |_| Value::Number(1.0));
    let written = [dead("up"), dead("scrape_samples_scraped"), alive];
    let (code, text) = proposed_from(&written, &["--job", "gone"]).await;
    assert_eq!(code, Some(2), "{text}");
    let expected =
        "burnward: URL: each scrape of `gone` failed in the last 30d, so there are no metrics of it: its page of targets says why";
    assert!(text.contains(expected), "{text}");
    let (code, text) = proposed_from(&written, &["--job", "alive"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("probe: 'up{job=\"alive\"}'"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn native_histograms_and_probes_of_a_source_become_slos() {
    let histogram = |n: i64| Value::Histogram {
        schema: 3,
        buckets: vec![(-13, u64::try_from(n * 40).expect("small")), (20, u64::try_from(n).expect("small"))],
    };
    let native = series(&[("__name__", "http_request_duration_seconds"), ("job", "api"), ("instance", "a")], 180, histogram);
    let (code, text) = proposed_from(&[native], &["--job", "api"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("histogram: 'http_request_duration_seconds{job=\"api\"}'") && text.contains("buckets: native"), "{text}");
    assert!(flat(&text).contains("measured over 3 hours"), "{text}");

    let target = |instance: &'static str| [("__name__", "probe_success"), ("job", "blackbox"), ("instance", instance)];
    let fails = |n: i64| Value::Number(if n % 100 == 7 { 0.0 } else { 1.0 });
    let probes = [series(&target("https://a"), 180, |_| Value::Number(1.0)), series(&target("https://b"), 180, fails)];
    let (code, text) = proposed_from(&probes, &["--job", "blackbox"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("probe: 'probe_success{job=\"blackbox\"}'"), "{text}");
    assert!(flat(&text).contains("99.4 % measured over 3 hours"), "{text}");
}
