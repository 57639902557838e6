//! A server as a child process on a private port: waited for until it is ready, stopped in order, killed on drop.

use std::{
    fs,
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

/// When a server counts as started.
#[derive(Debug, Clone, Copy)]
pub(super) enum Started<'s> {
    /// This page answers 200.
    Answers(&'s str),
    /// Its log holds these words: of a server that answers not everybody, or nobody yet.
    Says(&'s str),
}

/// A running server.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) port: u16,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, which listens on `port` and writes its log to `log`, and waits until it is started. The error holds the end of its log.
    pub(super) async fn start(mut command: Command, port: u16, log: &Path, started_when: Started<'_>) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let file = fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().with_context(|| format!("{name} could not be run: install the package `{name}`"))?;
        let mut started = Self { port, child, log: log.to_owned() };
        started.until(&name, started_when).await.with_context(|| format!("the end of its log:\n{}", started.log_end()))?;
        Ok(started)
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it in order, as `systemctl stop` does.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
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

    pub(super) fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).stderr(Stdio::null()).status().context("kill could not be run")?;
        ensure!(status.success(), "process {pid} took no signal {name}: it has ended");
        Ok(())
    }

    async fn until(&mut self, name: &str, started: Started<'_>) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_WITHIN;
        while !self.is(started).await {
            if let Some(status) = self.child.try_wait()? {
                bail!("{name} ended during its start: {status}");
            }
            ensure!(Instant::now() < deadline, "{name} was not ready after {START_WITHIN:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn is(&self, started: Started<'_>) -> bool {
        match started {
            Started::Answers(page) => answers(self.port, page).await,
            Started::Says(words) => fs::read_to_string(&self.log).is_ok_and(|log| log.contains(words)),
        }
    }

    fn log_end(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn kill(&mut self) {
        // Fails only where the process has already ended, which is what is wanted.
        drop(self.child.kill());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        drop(self.child.wait());
    }
}

/// A port that is free now. Not every server tells which port it took when asked for port 0.
pub(super) fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

async fn answers(port: u16, page: &str) -> bool {
    let request = format!("GET {page} HTTP/1.0\r\n\r\n");
    let asked = raw::exchange(port, &request);
    matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(answer)) if answer.starts_with("HTTP/1.0 200"))
}
