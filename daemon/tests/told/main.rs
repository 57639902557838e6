//! What a daemon and the commands that ask it tell, over a history that a Prometheus has.

mod alike;
mod filled_in;

use std::{path::Path, process::Command};

use burnward::{
    app::{Daemon, Options, Pace},
    clock::Clock,
    config,
};
use burnward_core::time::{Timestamp, minutes};
use burnward_stand_ins::prometheus::FakePrometheus;

/// 2025-11-24 16:00:00 UTC, in week 48.
const NOW: Timestamp = Timestamp::from_seconds(1_764_000_000);

/// A shop, five minutes after its daemon was started for the first time.
struct Shop {
    daemon: Daemon,
    _prometheus: FakePrometheus,
    directory: tempfile::TempDir,
}

impl Shop {
    /// With these objectives, one request a second for so many minutes, of which those fail that `fails` says of: by their moment.
    async fn of(objectives: &str, for_minutes: u64, fails: impl Fn(Timestamp) -> bool) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let (directory, prometheus) = (tempfile::tempdir().expect("a directory"), FakePrometheus::start().await.expect("a free port"));
        write_history(&prometheus, for_minutes, fails);
        let config = write_files(directory.path(), objectives, prometheus.url());
        let clock = Clock::by_hand(NOW.minus(minutes(5)));
        let config = config::read(Some(&config)).unwrap_or_else(|error| panic!("{error}"));
        let daemon = Daemon::start(config, Options { clock, pace: Pace::ByHand, ..Options::default() }).await.expect("started");
        daemon.fast_forward(minutes(5)).await;
        Self { daemon, _prometheus: prometheus, directory }
    }

    fn url(&self) -> String {
        format!("http://{}", self.daemon.address)
    }

    /// What the program prints.
    fn printed(&self, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_burnward"));
        command.args(args).current_dir(self.directory.path()).env("BURNWARD_SERVER", self.url()).env("TZ", "UTC");
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// A page as a browser shows it.
    async fn page(&self, path: &str) -> String {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let asked = client.get(format!("{}{path}", self.url())).header("Accept", "text/html").send().await.expect("an answer");
        asked.text().await.expect("text")
    }
}

fn write_history(prometheus: &FakePrometheus, for_minutes: u64, fails: impl Fn(Timestamp) -> bool) {
    let (mut at, mut good, mut bad) = (NOW.minus(minutes(for_minutes)), 0_u32, 0_u32);
    while at <= NOW {
        let target = [("job", "shop"), ("instance", "one:80")];
        for (code, value) in [("200", good), ("500", bad)] {
            let labels = [&[("__name__", "requests_total"), ("code", code)], &target[..]].concat();
            prometheus.push(&labels, at.millis(), f64::from(value));
        }
        prometheus.push(&[&[("__name__", "up")], &target[..]].concat(), at.millis(), 1.0);
        at = at.plus(std::time::Duration::from_secs(15));
        *(if fails(at) { &mut bad } else { &mut good }) += 15;
    }
}

/// The SLO and the configuration, whose file this is.
fn write_files(root: &Path, objectives: &str, prometheus: &str) -> std::path::PathBuf {
    let slo = format!(
        "version: burnward/v1\nservice: shop\nteam: shop\nslos:\n  - name: availability\n    \
         sli: {{ events: {{ bad: 'requests_total{{code=\"500\"}}', total: 'requests_total' }} }}\n    objectives:\n{objectives}"
    );
    let config = format!(
        "version: burnward/v1\nlisten: 127.0.0.1:0\nstorage: {{ path: store }}\n\
         operators: {{ channel: '#operators', escalation: [{{ page: [ada] }}] }}\n\
         sources: {{ prom: {{ prometheus: {{ url: '{prometheus}' }} }} }}\n\
         tenants: {{ main: {{ slo-definitions: slo-definitions, source: prom }} }}\n\
         people: {{ ada: {{ email: ada@example.com }} }}\nteams: {{ shop: {{ channel: '#shop', escalation: [{{ page: [ada] }}] }} }}\n"
    );
    std::fs::create_dir(root.join("slo-definitions")).expect("created");
    std::fs::write(root.join("slo-definitions/shop.yaml"), slo).expect("written");
    std::fs::write(root.join("burnward.yaml"), config).expect("written");
    root.join("burnward.yaml")
}
