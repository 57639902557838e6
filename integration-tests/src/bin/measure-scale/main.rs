//! What burnward costs itself and a real Prometheus at scale: `integration-tests/measure-scale` (it builds, and finds slokit). Two set-ups, each over a
//! synthetic fleet that is scraped every 15 s:
//!
//! - `fleet`: 1,000 SLO definitions, 10,000 budgets, 60,000 series; at the end all of them begin to burn at once.
//! - `rules`: 1,000 SLOs over 6,000 series with 30 days of history, first by burnward, then as Sloth-style rules, in one Prometheus.
//!
//! CPU is the time that the kernel counts for each process, less what the same process took before burnward (or the rules) came. Prints a table and ends
//! with 1 where a bound is missed.

mod rules;
mod setup;

use std::{process::ExitCode, time::Duration};

use burnward_integration_tests::{cost, world::install_tls};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

use setup::Setup;

/// Looks at all budgets that are measured together.
const LOOKS: u32 = 40;

/// What is measured in all, by default.
const MINUTES: u64 = 10;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    install_tls();
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    // Whoever stops this program stops what it started with it: dropping the set-up does.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        all_hold = parts(&arguments) => Ok(if all_hold? { ExitCode::SUCCESS } else { ExitCode::from(1) }),
        _ = interrupt.recv() => anyhow::bail!("interrupted"),
        _ = terminate.recv() => anyhow::bail!("terminated"),
    }
}

/// Measures part after part and prints each as soon as it is known; whether all bounds hold.
async fn parts(arguments: &Arguments) -> anyhow::Result<bool> {
    let measured = Duration::from_secs(arguments.minutes * 60);
    let mut all_hold = true;
    println!("{:<72} {:>14} {:>14}", "", "measured", "bound");
    if arguments.only != Some(Part::Rules) {
        all_hold &= print(&of_fleet(measured * 6 / 10).await?);
    }
    if arguments.only != Some(Part::Fleet) {
        all_hold &= print(&rules(measured * 4 / 10).await?);
    }
    Ok(all_hold)
}

/// Prints rows of the table; whether their bounds hold.
fn print(rows: &[Row]) -> bool {
    for row in rows {
        println!(
            "{:<72} {:>14} {:>14}{}",
            row.what,
            row.shown(row.measured),
            row.bound.map_or_else(String::new, |bound| row.shown(bound)),
            row.verdict()
        );
    }
    rows.iter().all(Row::holds)
}

/// 10,000 budgets over 60,000 series.
async fn of_fleet(measured: Duration) -> anyhow::Result<Vec<Row>> {
    let mut setup = Setup::fleet().await?;
    let before = setup.watch(measured / 6).await?;
    setup.start_daemon()?;
    setup.until_caught_up().await?;
    let with = setup.watch(measured * 5 / 6).await?;
    let (daemon, memory, peak) = (with.daemon.unwrap_or_default(), setup.daemon_memory()?, setup.daemon_peak()?);
    let look = setup.look().await?;
    setup.begin_to_fail();
    let slowest = setup.slowest_round(Duration::from_mins(3)).await?;
    let burning = setup.burning().await?;
    Ok(vec![
        Row::new("1,000 SLOs, 10,000 budgets, 60,000 series: burnward's CPU", daemon, Unit::Core, Some(0.01)),
        Row::new("    the same a tick of 10 s", daemon * 10_000.0, Unit::Millis, Some(100.0)),
        Row::new("    burnward's memory", memory, Unit::Mebibytes, Some(450.0)),
        Row::new("    the most it ever held, catching up included", peak, Unit::Mebibytes, Some(450.0)),
        Row::new("    Prometheus's CPU caused by burnward", with.prometheus - before.prometheus, Unit::Core, Some(0.05)),
        Row::new("    Prometheus's CPU without", before.prometheus, Unit::Core, None),
        Row::new("    a look at /api/v1/status of all budgets: burnward's CPU", look.as_secs_f64() * 1000.0, Unit::Millis, None),
        Row::new("all begin to fail: budgets that burn three minutes later", burning as f64, Unit::Number, None),
        Row::new("    the slowest round, from its answers to the last decision stored", slowest.deciding, Unit::Seconds, None),
        Row::new("    the same from when it was due", slowest.late, Unit::Seconds, Some(10.0)),
    ])
}

/// 1,000 SLOs over 6,000 series, both ways.
async fn rules(measured: Duration) -> anyhow::Result<Vec<Row>> {
    let mut setup = Setup::rules().await?;
    let before = setup.watch(measured / 4).await?;
    setup.start_daemon()?;
    setup.until_caught_up().await?;
    let with = setup.watch(measured * 3 / 8).await?;
    let memory = setup.daemon_memory()?;
    setup.stop_daemon();
    setup.load_rules().await?;
    sleep(Duration::from_mins(1)).await;
    let ruled = setup.watch(measured * 3 / 8).await?;
    let (ours, theirs) = (with.prometheus - before.prometheus, ruled.prometheus - before.prometheus);
    let daemon = with.daemon.unwrap_or_default();
    Ok(vec![
        Row::new("1,000 SLOs, 1,000 budgets, 6,000 series: burnward's CPU", daemon, Unit::Core, None),
        Row::new("    burnward's memory", memory, Unit::Mebibytes, None),
        Row::new("    Prometheus's CPU caused by burnward", ours, Unit::Core, None),
        Row::new("    Prometheus's CPU caused by Sloth-style rules", theirs, Unit::Core, None),
        Row::new("    burnward's share of that", ours / theirs, Unit::Share, Some(0.01)),
    ])
}

/// A line of the table.
struct Row {
    what: &'static str,
    measured: f64,
    unit: Unit,
    bound: Option<f64>,
}

#[derive(Clone, Copy)]
enum Unit {
    /// Of one core.
    Core,
    Millis,
    Mebibytes,
    /// Of another figure.
    Share,
    Seconds,
    Number,
}

impl Row {
    const fn new(what: &'static str, measured: f64, unit: Unit, bound: Option<f64>) -> Self {
        Self { what, measured, unit, bound }
    }

    fn holds(&self) -> bool {
        self.bound.is_none_or(|bound| self.measured <= bound)
    }

    fn verdict(&self) -> &'static str {
        if self.holds() { "" } else { "  missed" }
    }

    fn shown(&self, value: f64) -> String {
        match self.unit {
            Unit::Core => format!("{:.2} % core", value * 100.0),
            Unit::Millis => format!("{value:.0} ms"),
            Unit::Mebibytes => format!("{value:.0} MiB"),
            Unit::Share => format!("{:.2} %", value * 100.0),
            Unit::Seconds => format!("{value:.1} s"),
            Unit::Number => format!("{value:.0}"),
        }
    }
}

/// What one of the two set-ups is called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Fleet,
    Rules,
}

struct Arguments {
    minutes: u64,
    only: Option<Part>,
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = Self { minutes: MINUTES, only: None };
        while let Some(name) = given.next() {
            let value = given.next().unwrap_or_default();
            match (name.as_str(), value.as_str()) {
                ("--minutes", minutes) => arguments.minutes = minutes.parse()?,
                ("--only", "fleet") => arguments.only = Some(Part::Fleet),
                ("--only", "rules") => arguments.only = Some(Part::Rules),
                (name, value) => anyhow::bail!("no argument `{name} {value}`; there are --minutes N and --only fleet|rules"),
            }
        }
        Ok(arguments)
    }
}

/// Shares of one core over a stretch of time.
#[derive(Debug, Clone, Copy)]
struct Watched {
    prometheus: f64,
    daemon: Option<f64>,
}

impl Setup {
    /// What the processes take over a stretch of real time.
    async fn watch(&self, stretch: Duration) -> anyhow::Result<Watched> {
        eprintln!("measuring for {} s", stretch.as_secs());
        let read = || -> anyhow::Result<(Duration, Option<Duration>)> {
            Ok((cost::cpu(self.prometheus_pid())?, self.daemon_pid().map(cost::cpu).transpose()?))
        };
        let (prometheus, daemon) = read()?;
        sleep(stretch).await;
        let (prometheus_after, daemon_after) = read()?;
        let share = |took: Duration| took.as_secs_f64() / stretch.as_secs_f64();
        let daemon = daemon.zip(daemon_after).map(|(before, after)| share(after.saturating_sub(before)));
        Ok(Watched { prometheus: share(prometheus_after.saturating_sub(prometheus)), daemon })
    }

    /// What one of many looks at all budgets takes.
    async fn look(&self) -> anyhow::Result<Duration> {
        let cpu = || self.daemon_pid().map(cost::cpu).transpose().map(Option::unwrap_or_default);
        let before = cpu()?;
        for _ in 0..LOOKS {
            self.status().await?;
        }
        Ok(cpu()?.saturating_sub(before) / LOOKS)
    }

    fn daemon_memory(&self) -> anyhow::Result<f64> {
        let held = self.daemon_pid().map(cost::resident).transpose()?;
        Ok(held.unwrap_or_default() as f64 / f64::from(1 << 20))
    }

    fn daemon_peak(&self) -> anyhow::Result<f64> {
        let held = self.daemon_pid().map(cost::peak).transpose()?;
        Ok(held.unwrap_or_default() as f64 / f64::from(1 << 20))
    }
}
