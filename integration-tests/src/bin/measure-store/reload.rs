//! A start: the store is opened, the ledger rebuilt, the source read for the first time, and every budget evaluated.

use std::{
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use burnward::store::Store;
use burnward_core::{
    alert::AlertState,
    evaluate::{Input, evaluate},
    exclusion::Excluded,
    id::{BudgetId, SourceName, TenantId},
    ledger::{Plan, SourceLedger, StoredStream, Sums},
    time::{Timestamp, days},
    window::Interval,
};
use burnward_integration_tests::cost;

use super::{
    Arguments, SETTINGS, TICK,
    traffic::{self, Traffic},
};

/// What a start may take, of one core.
const BOUND: Duration = Duration::from_secs(1);

pub(crate) async fn measure(dir: &Path, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let (tenant, source) = (TenantId::parse("main")?, SourceName::parse("prom")?);
    let slos = traffic::slos(arguments.services())?;
    let now = arguments.end().plus(TICK);
    let traffic = Traffic::new(arguments.services(), super::START);

    let mut steps = Steps::begin()?;
    let store = Store::open(dir).await?;
    steps.done("open the file")?;
    let stored = store.ledger_images(&tenant, &source).await?;
    steps.done("read images and rounds")?;
    let restored = SourceLedger::restore_from_images(Plan::new(&slos), SETTINGS, &stored, now)?;
    let mut ledger = restored.context("the images do not suffice")?;
    drop(stored);
    steps.done("rebuild the ledger")?;
    let restored = steps.total;
    let reads = ledger.reads(now);
    let queries = ledger.plan().queries();
    let answers: Vec<_> = reads.reads.iter().map(|read| Ok(traffic.answer(&queries[read.query], *read))).collect();
    steps.done("(the made source answers: not counted)")?;
    steps.total = restored;
    let counted = ledger.count(&reads, &answers);
    ledger.apply(counted);
    steps.done("count the first answers, of the last 11 minutes")?;
    let mut evaluated = 0;
    for slo in &slos {
        for stream in ledger.streams_of_slo(&slo.id) {
            let objective = &slo.objectives[0];
            let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: stream.group.clone() };
            let sums = ledger.sums(stream.index, now).map_err(|unknown| anyhow::anyhow!("{budget}: {unknown}"))?;
            let held = ledger.past(stream.index, now);
            let input = Input {
                sums: Ok(&sums as &dyn Sums),
                held: Some(&held),
                over: Interval::ending(now, days(30)),
                newest_sample: stream.newest_sample,
                counted_from: stream.counted_from,
                unjudged: Duration::ZERO,
                excluded: Excluded::default(),
                began: None,
                catching_up: stream.catching_up,
                to_fill: Duration::ZERO,
                members: Vec::new(),
            };
            evaluated += usize::from(evaluate(slo, objective, budget, &input, AlertState::default(), now).status.left.is_some());
        }
    }
    steps.done("evaluate every budget")?;
    let (wall, cpu) = steps.total;
    let peak = cost::peak(std::process::id())? as f64 / f64::from(1 << 20);
    println!(
        "{evaluated} budgets are evaluated after {wall:.2?} ({cpu:.2?} of CPU; bound {BOUND:?}); {peak:.0} MiB at most, the made source's too"
    );
    look_up(&store, (&tenant, &source), ledger.streams().count(), now).await?;
    store.close().await;
    Ok(if cpu <= BOUND { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// How long it takes to read what is kept of one stream, beside the rounds of three hours in which all streams are: for `explain` and downtime by name.
async fn look_up(store: &Store, (tenant, source): (&TenantId, &SourceName), streams: usize, now: Timestamp) -> anyhow::Result<()> {
    const TIMES: u32 = 20;
    let over = Interval::ending(now, days(1));
    let (wall, cpu) = (Instant::now(), cost::cpu(std::process::id())?);
    for n in 0..TIMES {
        let stream = u32::try_from(streams)?.saturating_sub(1) * n / (TIMES - 1);
        let stored = store.stream(tenant, source, stream, over).await?;
        ensure!(StoredStream::of(&stored, stream)?.slices(over).next().is_some(), "stream {stream} has no slices");
    }
    let (wall, cpu) = (wall.elapsed() / TIMES, cost::cpu(std::process::id())?.saturating_sub(cpu) / TIMES);
    println!("one stream is looked up in {wall:.2?} ({cpu:.2?} of CPU)");
    Ok(())
}

/// What the steps of a start take: wall time, and CPU of all threads.
struct Steps {
    wall: Instant,
    cpu: Duration,
    total: (Duration, Duration),
}

impl Steps {
    fn begin() -> anyhow::Result<Self> {
        Ok(Self { wall: Instant::now(), cpu: cost::cpu(std::process::id())?, total: (Duration::ZERO, Duration::ZERO) })
    }

    fn done(&mut self, what: &str) -> anyhow::Result<()> {
        let (wall, cpu) = (Instant::now(), cost::cpu(std::process::id())?);
        let took = (wall - self.wall, cpu.saturating_sub(self.cpu));
        println!("  {what}: {:.2?} ({:.2?} of CPU)", took.0, took.1);
        self.total = (self.total.0 + took.0, self.total.1 + took.1);
        (self.wall, self.cpu) = (wall, cpu);
        Ok(())
    }
}
