//! The real Prometheus as a child process on a private port, over a directory of its own that tests fill with history.
//!
//! Nothing is installed here: `prometheus` and `promtool` must be on the path.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use super::{
    process::{Process, Started, free_port},
    raw,
    remote_write::{self, Written},
};

/// A running Prometheus; killed on drop.
#[derive(Debug)]
pub struct Real {
    dir: PathBuf,
    process: Process,
    flags: Vec<String>,
}

/// What takes native histograms, which are not scraped from text.
const HISTOGRAMS: &[&str] = &["--enable-feature=native-histograms", "--web.enable-remote-write-receiver"];

/// What it logs once it answers, whoever may ask and under whatever path.
const READY: &str = "Server is ready to receive web requests";

impl Real {
    /// Starts Prometheus over `dir` (its data lies in `dir/data`) with this text as its configuration, and waits until it is ready.
    /// A configuration without scrapes is `global: {}`. The error holds the end of its log.
    pub async fn start(dir: &Path, config: &str) -> anyhow::Result<Self> {
        Self::start_with(dir, config, &[]).await
    }

    /// The same without scrapes, ready to `take` native histograms.
    pub async fn start_for_histograms(dir: &Path) -> anyhow::Result<Self> {
        Self::start_with(dir, "global: {}\n", HISTOGRAMS).await
    }

    /// The same with more of its flags.
    pub async fn start_with(dir: &Path, config: &str, flags: &[&str]) -> anyhow::Result<Self> {
        prepare(dir, config)?;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self::start_on(dir, free_port()?, flags, Started::Says(READY)).await
    }

    /// The same with this text as the configuration of its web server: who may ask, and by which certificates.
    pub async fn start_guarded(dir: &Path, web_config: &str) -> anyhow::Result<Self> {
        prepare(dir, "global: {}\n")?;
        let file = dir.join("web.yml");
        fs::write(&file, web_config)?;
        let flags = vec![format!("--web.config.file={}", file.display())];
        Self::start_on(dir, free_port()?, flags, Started::Says(READY)).await
    }

    /// One that replays its log and comes to no end: a segment of that is a pipe that nobody writes to.
    pub async fn start_replaying(dir: &Path) -> anyhow::Result<Self> {
        let log = data_dir(dir).join("wal");
        fs::create_dir_all(&log)?;
        let made = Command::new("mkfifo").arg(log.join("00000000")).status().context("mkfifo could not be run")?;
        ensure!(made.success(), "no pipe could be made in {}", log.display());
        prepare(dir, "global: {}\n")?;
        Self::start_on(dir, free_port()?, Vec::new(), Started::Says("Listening on")).await
    }

    /// Takes samples in by remote write, those of all series in the order of time.
    pub async fn take(&self, written: &[Written]) -> anyhow::Result<()> {
        for body in remote_write::requests(written) {
            let head = format!(
                "POST /api/v1/write HTTP/1.0\r\nContent-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let answer = raw::exchange_bytes(self.process.port, &[head.as_bytes(), &body].concat()).await?;
            ensure!(answer.starts_with("HTTP/1.0 204"), "the samples were refused: {answer}");
        }
        Ok(())
    }

    /// Takes another configuration, as a reload does.
    pub async fn reconfigure(&self, config: &str) -> anyhow::Result<()> {
        fs::write(self.dir.join("prometheus.yml"), config)?;
        let answer = raw::exchange(self.process.port, "POST /-/reload HTTP/1.0\r\n\r\n").await?;
        ensure!(answer.starts_with("HTTP/1.0 200"), "prometheus refused the configuration: {answer}");
        Ok(())
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        self.process.url()
    }

    /// Stops it in order, as `systemctl stop` does: what it scraped stays in the directory.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.process.stop().await
    }

    /// Starts it again over the same directory on the same port; it is stopped first if it still runs.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        *self = Self::start_on(&self.dir, self.process.port, self.flags.clone(), Started::Says(READY)).await?;
        Ok(())
    }

    /// Loses all that it holds, and holds this `OpenMetrics` text instead when it runs again on the same port.
    pub async fn wipe(&mut self, openmetrics: &str) -> anyhow::Result<()> {
        self.stop().await?;
        fs::remove_dir_all(data_dir(&self.dir))?;
        backfill(&self.dir, openmetrics).await?;
        self.restart().await
    }

    /// Freezes the process: it neither scrapes nor answers, and its connections stay open.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.process.signal("STOP")
    }

    /// Ends a pause.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.process.signal("CONT")
    }

    /// Its own process id, for the measurement of what a load costs it.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    async fn start_on(dir: &Path, port: u16, flags: Vec<String>, started: Started<'_>) -> anyhow::Result<Self> {
        let mut command = command(dir, port);
        command.args(&flags);
        let process = Process::start(command, port, &dir.join("prometheus.log"), started).await?;
        Ok(Self { dir: dir.to_owned(), process, flags })
    }
}

/// Writes history, given as `OpenMetrics` text with timestamps and a last line `# EOF`, into the data of `dir`. Call it before the start:
/// a running Prometheus looks for new blocks only once a minute.
pub async fn backfill(dir: &Path, openmetrics: &str) -> anyhow::Result<()> {
    fs::create_dir_all(data_dir(dir))?;
    let input = dir.join("backfill.om");
    fs::write(&input, openmetrics)?;
    let output = tokio::process::Command::new("promtool")
        // One block of up to 30 days instead of one for every two hours: a month is written in a second.
        .args(["tsdb", "create-blocks-from", "--max-block-duration=720h", "openmetrics"])
        .args([&input, &data_dir(dir)])
        .output()
        .await
        .context("promtool could not be run: install the package `prometheus`")?;
    ensure!(output.status.success(), "promtool refused the history: {}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(input)?;
    Ok(())
}

fn prepare(dir: &Path, config: &str) -> anyhow::Result<()> {
    fs::create_dir_all(data_dir(dir))?;
    Ok(fs::write(dir.join("prometheus.yml"), config)?)
}

fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn command(dir: &Path, port: u16) -> Command {
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", data_dir(dir).display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        // History of any age stays, and stays as it was written: no block is merged in the background.
        .args(["--storage.tsdb.retention.time=100y", "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"])
        .arg("--web.enable-lifecycle");
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::raw;

    #[tokio::test]
    async fn backfilled_history_is_there_after_the_start_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        backfill(dir.path(), "# TYPE hits counter\nhits_total{job=\"a\"} 1 1700000000\nhits_total{job=\"a\"} 7 1700000030\n# EOF\n")
            .await
            .unwrap();
        let mut real = Real::start(dir.path(), "global: {}\n").await.unwrap();
        for _ in 0..2 {
            let request = "GET /api/v1/query?query=hits_total%5B1m%5D&time=1700000030 HTTP/1.0\r\n\r\n";
            let found = raw::exchange(real.process.port, request).await.unwrap();
            assert!(found.contains(r#"[1700000000,"1"],[1700000030,"7"]"#), "{found}");
            real.restart().await.unwrap();
        }
    }
}
