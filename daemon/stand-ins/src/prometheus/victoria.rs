//! The real VictoriaMetrics as a child process on a private port, over a directory of its own: another server that speaks Prometheus's API.
//!
//! Nothing is installed here: `victoria-metrics` must be on the path.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use super::{
    process::{Process, Started, free_port},
    raw,
};

/// A running VictoriaMetrics; killed on drop.
#[derive(Debug)]
pub struct Victoria {
    process: Process,
}

impl Victoria {
    /// Starts it over `dir`, empty, and waits until it is ready. It scrapes nothing.
    pub async fn start(dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(dir, &[]).await
    }

    /// The same with more of its flags.
    pub async fn start_with(dir: &Path, flags: &[&str]) -> anyhow::Result<Self> {
        fs::create_dir_all(dir)?;
        let port = free_port()?;
        let mut command = Command::new("victoria-metrics");
        command
            .arg(format!("-storageDataPath={}", dir.join("data").display()))
            .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
            // History of any age is taken.
            .arg("-retentionPeriod=100y")
            .args(flags);
        let process = Process::start(command, port, &dir.join("victoria-metrics.log"), Started::Answers("/health")).await?;
        Ok(Self { process })
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        self.process.url()
    }

    /// Takes history in, given as the `OpenMetrics` text that `backfill` takes too, with timestamps of whole seconds.
    pub async fn import(&self, openmetrics: &str) -> anyhow::Result<()> {
        let mut body = String::with_capacity(openmetrics.len() + openmetrics.len() / 16);
        for line in openmetrics.lines().filter(|line| !line.starts_with('#')) {
            let (sample, seconds) = line.rsplit_once(' ').with_context(|| format!("no timestamp: {line}"))?;
            writeln!(body, "{sample} {seconds}000")?;
        }
        let head = format!("POST /api/v1/import/prometheus HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
        let answer = raw::exchange(self.process.port, &format!("{head}{body}")).await?;
        ensure!(answer.starts_with("HTTP/1.0 204"), "the history was refused: {answer}");
        // What was taken in can be read after a flush.
        let flushed = raw::exchange(self.process.port, "GET /internal/force_flush HTTP/1.0\r\n\r\n").await?;
        ensure!(flushed.starts_with("HTTP/1.0 200"), "no flush: {flushed}");
        Ok(())
    }
}
