//! How long 30 days of history take to be filled in for one SLO from a real Prometheus that was scraped every 15 s, and what a person who looks on sees:
//! `integration-tests/measure-backfill`.
//!
//! The binary runs on a terminal (`script` of util-linux gives it one). The time is from its start to the last of the bar; shown are some of the bar's states,
//! and what both processes took. Ends with 1 where no bar was seen.

use std::{
    fs,
    io::Read,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use burnward::clock::Clock;
use burnward_integration_tests::{
    binary::burnward,
    cost,
    fleet::{self, Fleet, Recorded},
    world::install_tls,
};
use burnward_stand_ins::prometheus::Real;

const DAY: i64 = 86_400;

/// The bar's words.
const BAR: &str = "reading older history";

/// A bar that says nothing for so long has ended.
const QUIET: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    install_tls();
    let directory = tempfile::tempdir()?;
    let root = directory.path();
    let now = Clock::Wall.now().millis() / 1000;
    let fleet = Fleet { services: 1, customers: 0, origin: now - 31 * DAY, scrape: 15 };
    let live = fleet::serve(fleet).await?;
    let data = root.join("prometheus/data");
    fs::create_dir_all(&data)?;
    let samples = fleet::write_blocks(&fleet, Recorded::Nothing, &live.target(), &data, (now - 30 * DAY) / 15 * 15, now / 15 * 15)?;
    fleet::write_slos(root, &fleet)?;
    let prometheus = Real::start(&root.join("prometheus"), &fleet::prometheus_config(&live.target(), &fleet, None)).await?;
    fleet::write_config(root, &prometheus.url())?;
    println!("{} series, {samples} samples of 30 days", fleet.series());

    let before = cost::cpu(prometheus.pid())?;
    let looked = tokio::task::block_in_place(|| look_on(&root.join("burnward.yaml")))?;
    let of_prometheus = cost::cpu(prometheus.pid())?.saturating_sub(before);
    for frame in looked.some() {
        println!("  {frame}");
    }
    println!(
        "filled in {:.1?} after the start; the bar stood for {:.1?}; CPU {:.2?}, {:.0} MiB at most; of Prometheus {of_prometheus:.2?}",
        looked.ended,
        looked.ended.saturating_sub(looked.began),
        looked.cpu,
        looked.peak as f64 / f64::from(1 << 20),
    );
    Ok(if looked.frames.is_empty() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// What a person saw, and what it took.
struct Looked {
    /// The states of the bar.
    frames: Vec<String>,
    began: Duration,
    ended: Duration,
    cpu: Duration,
    peak: u64,
}

impl Looked {
    /// A few of the states, the first and the last among them.
    fn some(&self) -> impl Iterator<Item = &String> {
        let step = (self.frames.len() / 6).max(1);
        let last = self.frames.last().filter(|_| !(self.frames.len() - 1).is_multiple_of(step));
        self.frames.iter().step_by(step).chain(last)
    }
}

/// Runs the daemon on a terminal until its bar has ended.
fn look_on(config: &Path) -> anyhow::Result<Looked> {
    let command = format!("exec {} run --config.file {}", burnward()?.display(), config.display());
    let mut script = Command::new("script")
        .args(["-qfec", &command, "/dev/null"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("script of util-linux is needed")?;
    let (start, pieces) = (Instant::now(), pieces_of(&mut script));
    let mut looked = Looked { frames: Vec::new(), began: Duration::ZERO, ended: Duration::ZERO, cpu: Duration::ZERO, peak: 0 };
    let mut quiet_since = start;
    while quiet_since.elapsed() < QUIET {
        match pieces.recv_timeout(Duration::from_millis(200)) {
            Ok(piece) => {
                if let Some(frame) = frame(&piece) {
                    looked.ended = start.elapsed();
                    if looked.frames.is_empty() {
                        looked.began = looked.ended;
                    }
                    looked.frames.push(frame);
                    quiet_since = Instant::now();
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let daemon = child_of(script.id())?;
    (looked.cpu, looked.peak) = (cost::cpu(daemon)?, cost::peak(daemon)?);
    ensure!(Command::new("kill").arg(daemon.to_string()).status()?.success(), "the daemon ended by itself");
    script.wait()?;
    Ok(looked)
}

/// What is drawn, as it comes.
fn pieces_of(script: &mut Child) -> mpsc::Receiver<String> {
    let (sender, pieces) = mpsc::channel();
    let mut terminal = script.stdout.take().expect("it is piped");
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = terminal.read(&mut buffer) {
            if sender.send(String::from_utf8_lossy(&buffer[..read]).into_owned()).is_err() {
                return;
            }
        }
    });
    pieces
}

/// The bar in what was drawn, without the terminal's control sequences.
fn frame(piece: &str) -> Option<String> {
    let bar = &piece[piece.rfind(BAR)?..];
    let end = bar.find(['\u{1b}', '\r', '\n']).unwrap_or(bar.len());
    Some(bar[..end].trim_end().to_owned())
}

fn child_of(pid: u32) -> anyhow::Result<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    Ok(children.split_whitespace().next().context("the daemon ended by itself")?.parse()?)
}
