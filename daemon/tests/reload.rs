//! A reload takes what may change while the daemon runs, and says what of burnward.yaml waits for a restart.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

const CONFIGURATION: &str = r##"version: burnward/v1
listen: 127.0.0.1:0
sources:
  prom: { prometheus: { url: "http://127.0.0.1:1" } }
tenants:
  main: { slo-definitions: slo-definitions, source: prom }
people:
  ada: { email: ada@example.com }
teams:
  shop: { channel: "#shop", escalation: [{ page: [ada] }] }
"##;

const SLO: &str = r#"version: burnward/v1
service: shop
team: shop
slos:
  - name: availability
    sli: { events: { bad: 'requests_total{code="500"}', total: 'requests_total' } }
    objectives: [{ target: 99%, window: 30d }]
"#;

/// A daemon as its operators run it; killed on drop.
struct Daemon {
    child: Child,
    log: BufReader<ChildStderr>,
    url: String,
}

impl Daemon {
    fn start(directory: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
        command.args(["run", "--web.listen-address", "127.0.0.1:0", "--config.file", "burnward.yaml"]).current_dir(directory);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut daemon = Self { child, log, url: String::new() };
        let said = daemon.says("burnward listens on ");
        said.split_whitespace().last().expect("an address").clone_into(&mut daemon.url);
        daemon
    }

    /// The next line of its log that says this.
    fn says(&mut self, what: &str) -> String {
        let mut lines = self.log.by_ref().lines().map(|line| line.expect("UTF-8"));
        lines.find(|line| line.contains(what)).unwrap_or_else(|| panic!("it never says `{what}`"))
    }

    /// What a signal makes it log.
    fn hang_up(&mut self) -> String {
        let told = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().expect("kill is there");
        assert!(told.success());
        self.says(" 1 SLO runs")
    }

    /// What a request is answered, and what it makes it log.
    async fn ask(&mut self) -> (String, String) {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let asked = client.post(format!("{}/-/reload", self.url)).header("Origin", &self.url).send().await.expect("an answer");
        (asked.text().await.expect("text"), self.says(" 1 SLO runs"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_reload_says_which_keys_wait_for_a_restart_and_nothing_where_none_does() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("written");
    fs::create_dir(directory.path().join("slo-definitions")).expect("made");
    write("slo-definitions/shop.yaml", SLO);
    write("burnward.yaml", CONFIGURATION);
    let mut daemon = Daemon::start(directory.path());
    let (answer, logged) = daemon.ask().await;
    assert_eq!(answer, "1 SLO runs\n");
    assert!(logged.ends_with("loaded again, as asked over HTTP: 1 SLO runs"), "{logged}");
    assert!(daemon.hang_up().ends_with(" 1 SLO runs"), "flags of the command line are no change");

    write(
        "burnward.yaml",
        &CONFIGURATION.replace(":1\"", ":2\"").replace("\"#shop\"", "\"#others\"").replace("version", "tick: 20s\nversion"),
    );
    let waits = "1 SLO runs; of burnward.yaml these changed and are in force after a restart only: `tick`, `sources.prom`, `teams.shop`";
    let (answer, logged) = daemon.ask().await;
    assert_eq!(answer, format!("{waits}\n"));
    assert!(logged.ends_with(waits), "{logged}");
    let logged = daemon.hang_up();
    assert!(logged.ends_with(waits), "{logged}");

    write("burnward.yaml", "tick: [");
    let (answer, _) = daemon.ask().await;
    assert!(answer.starts_with("1 SLO runs; burnward.yaml does not load any more, and a restart would fail: "), "{answer}");
    write("burnward.yaml", CONFIGURATION);
    assert_eq!(daemon.ask().await.0, "1 SLO runs\n");
}
