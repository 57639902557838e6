//! The real Prometheus as a child process on a private port, over a directory of its own that tests fill with history.
//!
//! Nothing is installed here: `prometheus` and `promtool` must be on the path.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use super::raw;

/// How long a start may take: a full replay of a small directory is done within a second, a loaded machine needs more.
const START_WITHIN: Duration = Duration::from_secs(30);
/// How long a clean stop may take before the process is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// A running Prometheus; killed on drop.
#[derive(Debug)]
pub struct Real {
    dir: PathBuf,
    port: u16,
    child: Child,
}

impl Real {
    /// Starts Prometheus over `dir` (its data lies in `dir/data`) with this text as its configuration, and waits until it is ready.
    /// A configuration without scrapes is `global: {}`. The error holds the end of its log.
    pub async fn start(dir: &Path, config: &str) -> anyhow::Result<Self> {
        fs::create_dir_all(data_dir(dir))?;
        fs::write(dir.join("prometheus.yml"), config)?;
        Self::start_on(dir, free_port()?).await
    }

    /// The base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Stops it in order, as `systemctl stop` does: what it scraped stays in the directory.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        self.signal("TERM")?;
        let deadline = Instant::now() + STOP_WITHIN;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.kill();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Starts it again over the same directory on the same port; it is stopped first if it still runs.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.stop().await?;
        *self = Self::start_on(&self.dir, self.port).await?;
        Ok(())
    }

    /// Freezes the process: it neither scrapes nor answers, and its connections stay open.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal("STOP")
    }

    /// Ends a pause.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal("CONT")
    }

    /// Its own process id, for the measurement of what a load costs it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn start_on(dir: &Path, port: u16) -> anyhow::Result<Self> {
        let child = spawn(dir, port)?;
        let mut started = Self { dir: dir.to_owned(), port, child };
        started.until_ready().await.with_context(|| format!("the end of its log:\n{}", log_end(dir)))?;
        Ok(started)
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        while !ready(self.port).await {
            if let Some(status) = self.child.try_wait()? {
                bail!("prometheus ended during its start: {status}");
            }
            ensure!(Instant::now() < deadline, "prometheus was not ready after {START_WITHIN:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).stderr(Stdio::null()).status().context("kill could not be run")?;
        ensure!(status.success(), "prometheus {pid} took no signal {name}: it has ended");
        Ok(())
    }

    fn kill(&mut self) {
        // Fails only where the process has already ended, which is what is wanted.
        drop(self.child.kill());
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        self.kill();
        drop(self.child.wait());
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

fn data_dir(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn spawn(dir: &Path, port: u16) -> anyhow::Result<Child> {
    let log = File::create(dir.join("prometheus.log"))?;
    Command::new("prometheus")
        .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", data_dir(dir).display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        // History of any age stays.
        .arg("--storage.tsdb.retention.time=100y")
        .arg("--web.enable-lifecycle")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .context("prometheus could not be run: install the package `prometheus`")
}

/// A port that is free now. Prometheus does not tell which port it took when asked for port 0.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

async fn ready(port: u16) -> bool {
    let asked = raw::exchange(port, "GET /-/ready HTTP/1.0\r\n\r\n");
    matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(answer)) if answer.starts_with("HTTP/1.0 200"))
}

fn log_end(dir: &Path) -> String {
    let log = fs::read_to_string(dir.join("prometheus.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn backfilled_history_is_there_after_the_start_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        backfill(dir.path(), "# TYPE hits counter\nhits_total{job=\"a\"} 1 1700000000\nhits_total{job=\"a\"} 7 1700000030\n# EOF\n")
            .await
            .unwrap();
        let mut real = Real::start(dir.path(), "global: {}\n").await.unwrap();
        for _ in 0..2 {
            let request = "GET /api/v1/query?query=hits_total%5B1m%5D&time=1700000030 HTTP/1.0\r\n\r\n";
            let found = raw::exchange(real.port, request).await.unwrap();
            assert!(found.contains(r#"[1700000000,"1"],[1700000030,"7"]"#), "{found}");
            real.restart().await.unwrap();
        }
    }
}
