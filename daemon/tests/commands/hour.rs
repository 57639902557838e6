//! The first hour of docs/guide.md: a shop that a Prometheus has seen for three days, a Slack, and the program that is left running, at the machine's own time.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use burnward_stand_ins::{
    prometheus::FakePrometheus,
    slack::{Options, SlackStandIn},
};
use serde_json::Value;

use super::run;

/// How the chapter is called.
pub(super) const TITLE: &str = "The first hour";

/// How the chapter calls what its service shows of itself.
const METRICS: &str = "http://checkout:8080/metrics";

/// The moment that stands for every one that is printed.
const MOMENT: &str = "2026-11-25T09:40:00Z";

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_mins(2);

/// Whom the chapter is about, and where it has come to.
pub(super) struct Hour {
    prometheus: FakePrometheus,
    metrics: String,
    slack: SlackStandIn,
    daemon: Option<Child>,
    address: String,
    here: PathBuf,
}

impl Hour {
    pub(super) async fn begin(directory: &Path) -> Self {
        let slack = SlackStandIn::start(Options::default()).await.expect("a free port");
        slack.add_user("ada", "ada@example.com");
        for channel in ["#burnward", "#payments"] {
            slack.add_channel(channel);
        }
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a free port");
        Self { prometheus: shop().await, metrics: metrics(), slack, daemon: None, address: free.to_string(), here: directory.to_owned() }
    }

    /// Where the shell stands.
    pub(super) fn here(&self) -> &Path {
        &self.here
    }

    /// What a line prints. `burnward run &` and `kill %1` are of the shell that stays open through the chapter.
    pub(super) fn run(&mut self, line: &str) -> String {
        self.stand_in();
        let printed = match line {
            "burnward run &" => self.start(),
            "kill %1" => {
                self.stop();
                String::new()
            }
            _ => {
                let line = line.replace(METRICS, &self.metrics);
                run(&format!("export BURNWARD_SERVER=http://{}; {line}", self.address), &self.here).1
            }
        };
        if let Some((_, into)) = line.rsplit_once("cd ") {
            self.here.push(into);
        }
        if line.contains("status: active") {
            self.wait("what was saved runs", |status| budgets(status).any(|budget| budget["state"] == "OK"));
        }
        self.as_in_the_book(&printed)
    }

    /// The configuration names those who stand in for whom the book names, with the tokens that a person would have written.
    fn stand_in(&self) {
        let file = self.here.join("burnward.yaml");
        let Ok(text) = fs::read_to_string(&file) else { return };
        let text = text.replace(super::books::PROMETHEUS, self.prometheus.url());
        let api = format!("slack: {{ api-url: '{}', bot-token-file", self.slack.api_url());
        fs::write(&file, text.replace("slack: { bot-token-file", &api)).expect("written");
        let secrets = self.here.join("secrets");
        if secrets.is_dir() {
            for (name, token) in [("bot", self.slack.bot_token()), ("app", self.slack.app_token())] {
                fs::write(secrets.join(name), token).expect("written");
            }
        }
    }

    fn as_in_the_book(&self, printed: &str) -> String {
        let printed = printed.replace(self.prometheus.url(), super::books::PROMETHEUS).replace(&self.metrics, METRICS);
        let printed = printed.replace(&self.address, "127.0.0.1:9095");
        let word = |word: &str| if word.parse::<jiff::Timestamp>().is_ok() { MOMENT.to_owned() } else { word.to_owned() };
        let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ") + "\n";
        printed.lines().map(line).collect()
    }

    /// Starts the program and waits until it has read what there is; what it says first.
    fn start(&mut self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
        command.args(["run", "--web.listen-address", &self.address]).current_dir(&self.here).stdin(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut said = BufReader::new(child.stderr.take().expect("a pipe")).lines().map_while(Result::ok);
        self.daemon = Some(child);
        let listens = said.find(|line| line.starts_with("burnward listens on ")).expect("it says where it listens");
        thread::spawn(move || said.for_each(drop));
        self.wait("all is read", |status| {
            let mut seen = budgets(status).peekable();
            seen.peek().is_some() && seen.all(|budget| !budget["newest_sample"].is_null() && budget["to_fill_seconds"].is_null())
        });
        listens
    }

    /// Asks for the status until it is as `wanted`.
    fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let line = format!("BURNWARD_SERVER=http://{} burnward status -o json", self.address);
        loop {
            let (_, printed) = run(&line, &self.here);
            if serde_json::from_str(&printed).is_ok_and(|status| wanted(&status)) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}: {printed}");
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill().and_then(|()| daemon.wait()).expect("it ends");
        }
    }
}

impl Drop for Hour {
    fn drop(&mut self) {
        self.stop();
    }
}

fn budgets(status: &Value) -> impl Iterator<Item = &Value> {
    status["budgets"].as_array().into_iter().flatten()
}

/// What the service shows of itself, to whoever asks; where.
fn metrics() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}/metrics", listener.local_addr().expect("an address"));
    let counters = "# TYPE http_requests_total counter\nhttp_requests_total{code=\"200\"} 5398\nhttp_requests_total{code=\"500\"} 2\n";
    let buckets = [("0.1", 4860), ("0.25", 5400), ("0.5", 5400), ("+Inf", 5400)];
    let bucket = |(le, count)| format!("http_request_duration_seconds_bucket{{le=\"{le}\"}} {count}\n");
    let buckets: String = buckets.map(bucket).concat();
    let sums = "http_request_duration_seconds_sum 360\nhttp_request_duration_seconds_count 5400\n";
    let text = format!("{counters}# TYPE http_request_duration_seconds histogram\n{buckets}{sums}");
    thread::spawn(move || {
        for mut caller in listener.incoming().map_while(Result::ok) {
            let asked = BufReader::new(caller.try_clone().expect("a second end")).lines().map_while(Result::ok);
            asked.take_while(|line| !line.is_empty()).for_each(drop);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n\r\n", text.len());
            // Whoever hangs up early misses it.
            drop(caller.write_all(format!("{head}{text}").as_bytes()));
        }
    });
    url
}

/// Ten requests a second, of which one in 5,000 fails, all answered within 250 ms, for three days and half an hour to come.
async fn shop() -> FakePrometheus {
    let fake = FakePrometheus::start().await.expect("a free port");
    let now = jiff::Timestamp::now().as_second() / 30 * 30;
    let begin = now - 3 * 86_400;
    for at in (begin..now + 1_800).step_by(30) {
        let (all, at) = (10 * (at - begin), at * 1000);
        let bad = all / 5_000;
        #[expect(clippy::cast_precision_loss, reason = "they are small")]
        let push = |labels: &[(&str, &str)], value: i64| {
            let labels: Vec<(&str, &str)> = [("job", "checkout"), ("instance", "a")].into_iter().chain(labels.iter().copied()).collect();
            fake.push(&labels, at, value as f64);
        };
        push(&[("__name__", "up")], 1);
        push(&[("__name__", "http_requests_total"), ("code", "200")], all - bad);
        push(&[("__name__", "http_requests_total"), ("code", "500")], bad);
        for (le, within) in [("0.1", all / 10 * 9), ("0.25", all), ("0.5", all), ("+Inf", all)] {
            push(&[("__name__", "http_request_duration_seconds_bucket"), ("le", le)], within);
        }
    }
    fake
}
