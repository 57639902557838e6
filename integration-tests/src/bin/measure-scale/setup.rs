//! A fleet, a Prometheus that holds its history and scrapes it, and a daemon over it.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, ensure};
use burnward::clock::Clock;
use burnward_integration_tests::{
    binary::Process,
    fleet::{self, Fleet, Live, Recorded},
};
use burnward_stand_ins::prometheus::Real;
use tokio::time::{Instant, sleep};

use crate::rules::write_rules;

const DAY: i64 = 86_400;

/// How long the daemon may take to read what was before it.
const CATCH_UP: Duration = Duration::from_mins(10);

pub(crate) struct Setup {
    directory: tempfile::TempDir,
    fleet: Fleet,
    live: Live,
    prometheus: Real,
    daemon: Option<Process>,
}

/// Seconds of rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounds {
    /// From when they were due until they were decided and stored.
    pub(crate) late: f64,
    /// From the answers on.
    pub(crate) deciding: f64,
}

impl Setup {
    /// 1,000 services with ten customers each, and two hours of history.
    pub(crate) async fn fleet() -> anyhow::Result<Self> {
        Self::open(1_000, 10, 2 * 3600, Recorded::Nothing).await
    }

    /// 1,000 services, and 30 days of history with the series that Sloth's rule for 30 days reads.
    pub(crate) async fn rules() -> anyhow::Result<Self> {
        Self::open(1_000, 0, 30 * DAY, Recorded::SlothRatio).await
    }

    async fn open(services: usize, customers: usize, history: i64, recorded: Recorded) -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new().prefix("measure-scale-").tempdir()?;
        let now = Clock::Wall.now().millis() / 1000;
        let fleet = Fleet { services, customers, origin: now - 31 * DAY, scrape: 15 };
        let live = fleet::serve(fleet).await?;
        let target = live.target();
        let (root, data) = (directory.path(), directory.path().join("prometheus/data"));
        fs::create_dir_all(&data)?;
        let began = Instant::now();
        let samples = fleet::write_blocks(&fleet, recorded, &target, &data, (now - history) / 15 * 15, now / 15 * 15)?;
        eprintln!("{} series: wrote {samples} samples in {:.0?}", fleet.series(), began.elapsed());
        fleet::write_slos(root, &fleet)?;
        let prometheus = Real::start(&root.join("prometheus"), &fleet::prometheus_config(&target, &fleet, None)).await?;
        fleet::write_config(root, &prometheus.url())?;
        let setup = Self { directory, fleet, live, prometheus, daemon: None };
        setup.settle().await;
        Ok(setup)
    }

    /// Lets Prometheus take in its blocks and a first few scrapes.
    async fn settle(&self) {
        sleep(Duration::from_secs(45)).await;
    }

    pub(crate) fn start_daemon(&mut self) -> anyhow::Result<()> {
        let daemon = Process::run(&self.directory.path().join("burnward.yaml"), &self.log())?;
        self.daemon = Some(daemon);
        Ok(())
    }

    pub(crate) fn stop_daemon(&mut self) {
        self.daemon = None;
    }

    /// Waits until nothing older is left to be read: no raw samples, and no history for a while.
    pub(crate) async fn until_caught_up(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + CATCH_UP;
        let (mut quiet, mut asked) = (0, -1.0);
        while quiet < 4 {
            ensure!(Instant::now() < deadline, "the daemon did not catch up within {CATCH_UP:?}; its log: {}", self.log().display());
            ensure!(self.daemon.as_mut().is_some_and(Process::runs), "the daemon ended: {}", fs::read_to_string(self.log())?);
            sleep(Duration::from_secs(10)).await;
            let before = std::mem::replace(&mut asked, self.questions_for_history().await?);
            let still = self.catching_up().await.unwrap_or(true) || asked > before;
            quiet = if still { 0 } else { quiet + 1 };
        }
        eprintln!("the daemon has caught up");
        Ok(())
    }

    async fn catching_up(&self) -> anyhow::Result<bool> {
        Ok(self.status().await?["sources"][0]["catching_up"] != false)
    }

    fn address(&self) -> anyhow::Result<String> {
        let log = fs::read_to_string(self.log())?;
        let address = log.lines().find_map(|line| line.split_once("burnward listens on "));
        Ok(address.context("it does not listen yet")?.1.to_owned())
    }

    pub(crate) async fn status(&self) -> anyhow::Result<serde_json::Value> {
        Ok(reqwest::get(format!("{}/api/v1/status", self.address()?)).await?.json().await?)
    }

    /// How many budgets burn.
    pub(crate) async fn burning(&self) -> anyhow::Result<usize> {
        let status = self.status().await?;
        Ok(status["budgets"].as_array().into_iter().flatten().filter(|budget| budget["state"] == "BURNING").count())
    }

    /// How long all rounds so far were late, and how long their decisions took, in seconds.
    pub(crate) async fn rounds(&self) -> anyhow::Result<Rounds> {
        let text = reqwest::get(format!("{}/metrics", self.address()?)).await?.text().await?;
        let number = |name: &str| -> anyhow::Result<f64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            Ok(line.with_context(|| format!("no metric {name}"))?.parse()?)
        };
        Ok(Rounds { late: number("burnward_evaluation_lateness_seconds_sum")?, deciding: number("burnward_decision_seconds_sum")? })
    }

    /// The longest that one round was late and that its decisions took, over a stretch of real time. Rounds are further apart than the questions here.
    pub(crate) async fn slowest_round(&self, stretch: Duration) -> anyhow::Result<Rounds> {
        let (until, mut before) = (Instant::now() + stretch, self.rounds().await?);
        let mut slowest = Rounds { late: 0.0, deciding: 0.0 };
        while Instant::now() < until {
            sleep(Duration::from_secs(1)).await;
            let now = self.rounds().await?;
            slowest.late = slowest.late.max(now.late - before.late);
            slowest.deciding = slowest.deciding.max(now.deciding - before.deciding);
            before = now;
        }
        Ok(slowest)
    }

    /// From now on every service fails.
    pub(crate) fn begin_to_fail(&self) {
        self.live.begin_to_fail();
    }

    /// How many questions for history Prometheus has answered so far.
    async fn questions_for_history(&self) -> anyhow::Result<f64> {
        let metrics = reqwest::get(format!("{}/metrics", self.prometheus.url())).await?.text().await?;
        let of_handler = |line: &str| line.starts_with("prometheus_http_requests_total") && line.contains("/api/v1/query_range");
        Ok(metrics.lines().filter(|line| of_handler(line)).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }

    pub(crate) async fn load_rules(&self) -> anyhow::Result<()> {
        let rules = write_rules(self.directory.path(), &self.fleet)?;
        self.prometheus.reconfigure(&fleet::prometheus_config(&self.live.target(), &self.fleet, Some(&rules))).await
    }

    pub(crate) fn prometheus_pid(&self) -> u32 {
        self.prometheus.pid()
    }

    pub(crate) fn daemon_pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Process::pid)
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("burnward.log")
    }
}
