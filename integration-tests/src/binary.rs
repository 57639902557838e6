//! The `burnward` binary as its users run it, started and killed by tests and scripts.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::Context as _;

/// Where the binary lies: `BURNWARD_BINARY`, or beside this program in the target directory.
pub fn burnward() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("BURNWARD_BINARY") {
        return Ok(path.into());
    }
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|folder| folder.join("burnward")).find(|path| path.is_file());
    beside.context("the binary burnward is not built: `cargo build --workspace` first")
}

/// A running daemon; killed on drop.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Runs `burnward run` with this configuration; its log is appended to `log`.
    pub fn run(config: &Path, log: &Path) -> anyhow::Result<Self> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child = Command::new(burnward()?)
            .args(["run", "--config.file"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self(child))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it with SIGKILL, in whatever it is doing.
    pub fn kill_9(&mut self) -> anyhow::Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// True while it runs.
    pub fn runs(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.runs() {
            drop(self.kill_9());
        }
    }
}
