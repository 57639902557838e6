//! What a month of ledger takes on disk, and how long a start takes with it: `integration-tests/measure-store`.
//!
//! Made traffic is counted, committed and compacted by the code of the daemon into a real SQLite file: `--days 30` (by default) of `--budgets 10000`. What
//! is rolled up to five minutes by the end is scraped every five minutes, what is rolled up to one every minute, and the last three hours every 15 s in
//! rounds of 10 s: so what is stored is what a daemon would have stored that scraped every 15 s all the time. The images are an hour old at the end, as old as
//! they become. Then the store is opened by a process of its own, which measures itself up to the first evaluation of every budget. `--keep DIR` leaves the
//! store there, and measures only where one is there already.
//!
//! Ends with 1 where the start takes longer than a second of CPU time on one core.

mod reload;
mod traffic;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use burnward::{
    store::{Commit, Round, Store},
    tasks::tidy,
};
use burnward_core::{
    id::{SourceName, TenantId},
    ledger::{Image, Plan, Settings, SourceLedger, segment},
    time::{Timestamp, days, hours, minutes},
};
use burnward_integration_tests::cost;

use traffic::{CUSTOMERS, Traffic};

/// The daemon's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the made time begins: a whole day.
const START: Timestamp = Timestamp::from_seconds(1_699_920_000);

/// How a source is read that holds no history from before.
const SETTINGS: Settings = Settings { settle: minutes(1), max_groups_per_slo: 1_000, history: false };

const TICK: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    if let Some(dir) = &arguments.reload {
        return reload::measure(dir, &arguments).await;
    }
    let own = tempfile::tempdir()?;
    let dir = arguments.keep.clone().unwrap_or(own.path().to_owned());
    if !dir.join("burnward.db").exists() {
        write_store(&dir, &arguments).await?;
    }
    let bytes = std::fs::metadata(dir.join("burnward.db"))?.len();
    let budget_days = arguments.budgets as u64 * arguments.days;
    println!("the file: {:.1} MB, {:.0} bytes a budget and day", bytes as f64 / 1e6, bytes as f64 / budget_days as f64);
    let status = Command::new(std::env::current_exe()?)
        .arg("--reload")
        .arg(&dir)
        .args(["--budgets", &arguments.budgets.to_string(), "--days", &arguments.days.to_string()])
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

struct Arguments {
    budgets: usize,
    days: u64,
    keep: Option<PathBuf>,
    /// The store that this process opens, and nothing else.
    reload: Option<PathBuf>,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut arguments = Self { budgets: 10_000, days: 30, keep: None, reload: None };
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--budgets" => arguments.budgets = value.parse()?,
                "--days" => arguments.days = value.parse()?,
                "--keep" => arguments.keep = Some(value.into()),
                "--reload" => arguments.reload = Some(value.into()),
                _ => bail!("unknown argument {word}: --budgets N, --days N, --keep DIR"),
            }
        }
        ensure!(arguments.budgets.is_multiple_of(CUSTOMERS) && arguments.days > 0, "budgets come in hundreds, for a day or more");
        Ok(arguments)
    }

    fn services(&self) -> usize {
        self.budgets / CUSTOMERS
    }

    /// When the made time ends.
    fn end(&self) -> Timestamp {
        START.plus(days(self.days))
    }
}

/// A daemon's counting and committing, without its decisions.
struct Writer {
    tenant: TenantId,
    source: SourceName,
    store: Store,
    ledger: SourceLedger,
    traffic: Traffic,
    now: Timestamp,
    /// Readings that were committed, and the CPU time that committing took.
    committed: (u32, Duration),
}

async fn write_store(dir: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let slos = traffic::slos(arguments.services())?;
    let mut writer = Writer {
        tenant: TenantId::parse("main")?,
        source: SourceName::parse("prom")?,
        store: Store::open(dir).await?,
        ledger: SourceLedger::new(Plan::new(&slos), SETTINGS, START),
        traffic: Traffic::new(arguments.services(), START),
        now: START,
        committed: (0, Duration::ZERO),
    };
    let end = arguments.end();
    for (scrape, until, tick) in [
        (minutes(5), end.minus(days(8) + hours(1)), hours(1)),
        (minutes(1), end.minus(hours(3)), hours(1)),
        (Duration::from_secs(15), end.minus(hours(1)), TICK),
        (Duration::from_secs(15), end, TICK),
    ] {
        writer.traffic.scrape = scrape;
        writer.committed = (0, Duration::ZERO);
        while writer.now < until {
            writer.round(tick).await?;
        }
        eprintln!("{} days are written", writer.now.since(START).as_secs() / 86_400);
        if until < end {
            writer.keep_images().await?;
        }
    }
    let (readings, took) = writer.committed;
    println!("to commit a reading of the last hour takes {:.2?} of CPU (of {readings})", took / readings.max(1));
    writer.store.close().await;
    Ok(())
}

impl Writer {
    async fn round(&mut self, later: Duration) -> anyhow::Result<()> {
        self.now = self.now.plus(later);
        while self.read().await? {}
        if self.now.floor(hours(1)) == self.now {
            self.compact().await?;
        }
        Ok(())
    }

    /// One reading; true where more is behind it.
    async fn read(&mut self) -> anyhow::Result<bool> {
        let reads = self.ledger.reads(self.now);
        let queries = self.ledger.plan().queries();
        let answers: Vec<_> = reads.reads.iter().map(|read| Ok(self.traffic.answer(&queries[read.query], *read))).collect();
        let counted = self.ledger.count(&reads, &answers);
        let round = Round::of(self.source.clone(), &counted);
        let before = cost::cpu(std::process::id())?;
        self.store.commit(&Commit { round: Some(round), ..Commit::empty(self.tenant.clone(), self.now) }).await?;
        self.committed = (self.committed.0 + 1, self.committed.1 + cost::cpu(std::process::id())?.saturating_sub(before));
        self.ledger.apply(counted);
        Ok(reads.catching_up)
    }

    async fn compact(&self) -> anyhow::Result<()> {
        let kept = self.store.rounds_kept(&self.tenant, &self.source).await?;
        let sizes: Vec<(Timestamp, usize)> = kept.iter().map(|(_, settled, bytes)| (*settled, *bytes)).collect();
        if let Some(last) = segment::due(&sizes, self.now).checked_sub(1) {
            tidy::compact(&self.store, &self.tenant, &self.source, self.ledger.edges(), kept[last].0, self.now).await?;
        }
        Ok(())
    }

    async fn keep_images(&self) -> anyhow::Result<()> {
        let through = self.store.last_round().await?;
        for part in self.ledger.image_parts() {
            let blob = self.ledger.image(part).context("the memory lacks nothing")?;
            self.store.save_image(&self.tenant, &self.source, Image { part, through, blob }, self.now).await?;
        }
        Ok(())
    }
}
