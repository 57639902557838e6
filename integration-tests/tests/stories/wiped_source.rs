//! A Prometheus loses its storage soon after it and the daemon began together: whatever was counted stays, of every kind of SLO, whether the daemon is killed
//! then or not, and the status and the page of now say what the source has lost.

use std::{fmt::Write as _, ops::Range, time::Duration};

use burnward_core::{
    ledger::Counts,
    time::{Timestamp, minutes},
};
use burnward_integration_tests::world::World;

use super::beginning;

/// How often the target is scraped and the source is read.
const PACE: Duration = Duration::from_secs(5);

/// The kinds that read samples, and those that ask for expressions.
const SAMPLED: [&str; 5] = ["pay", "fast", "home", "here", "workers"];
const ASKED: [&str; 2] = ["queue", "sum"];

const SLOS: &str = r#"version: burnward/v1
service: shop
team: payments
slos:
  - name: pay
    sli: { events: { bad: 'hits_total{code="500"}', total: 'hits_total' } }
    per: &per [tenant]
    objectives: &objectives [ { target: 99%, window: 30d, alerting: none } ]
  - name: fast
    sli: { latency: { histogram: took_seconds, within: 300ms } }
    per: *per
    objectives: *objectives
  - name: home
    sli: { probe: probe_success }
    per: *per
    objectives: *objectives
  - name: here
    sli: { presence: { series: here_info, slice: 10s } }
    per: *per
    objectives: *objectives
  - name: workers
    sli: { presence: { series: here_info, slice: 10s, expected: [acme] } }
    per: *per
    objectives: *objectives
  - name: queue
    sli: { window: { expr: 'max by (tenant) (age_seconds)', is: '<=', threshold: 60, slice: 10s } }
    per: *per
    objectives: *objectives
  - name: sum
    sli: { query: { bad: 'sum by (tenant) (increase(hits_total{code="500"}[1m]))', total: 'sum by (tenant) (increase(hits_total[1m]))', step: 1m } }
    per: *per
    objectives: *objectives
"#;

/// A target that began at some time before the history, and fails for a while: it is neither there nor in time then.
struct Target {
    began: Timestamp,
    fails: Range<Timestamp>,
}

impl Target {
    /// Requests of a second, and those among them that fail from the beginning of the failure to its end.
    const EACH_SECOND: u64 = 20;

    /// All events and the bad ones up to a moment.
    fn events(&self, at: Timestamp) -> (u64, u64) {
        let failing = at.min(self.fails.end).since(self.fails.start.min(at)).as_secs();
        (at.since(self.began).as_secs() * Self::EACH_SECOND, failing * Self::EACH_SECOND)
    }

    /// What is scraped of it from one moment to the next, as `OpenMetrics` text.
    fn scraped(&self, from: Timestamp, to: Timestamp) -> String {
        let target = r#"job="shop",instance="a:80",tenant="acme""#;
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, value: &dyn Fn(Timestamp) -> Vec<(String, u64)>| {
            writeln!(text, "# TYPE {} {kind}", name.trim_end_matches("_total")).expect("a String");
            let scrapes = std::iter::successors(Some(from), |at| Some(at.plus(PACE))).take_while(|at| *at <= to);
            for (at, (more, value)) in scrapes.flat_map(|at| value(at).into_iter().map(move |value| (at, value))) {
                let name = if kind == "histogram" { format!("{name}_bucket") } else { name.to_owned() };
                writeln!(text, "{name}{{{target}{more}}} {value} {}", at.seconds()).expect("a String");
            }
        };
        let fails = |at: Timestamp| self.fails.contains(&at);
        let gauge = |value: u64| vec![(String::new(), value)];
        family("hits_total", "counter", &|at| {
            let (all, bad) = self.events(at);
            vec![(r#",code="200""#.to_owned(), all - bad), (r#",code="500""#.to_owned(), bad)]
        });
        family("took_seconds", "histogram", &|at| {
            let (all, bad) = self.events(at);
            vec![(r#",le="0.3""#.to_owned(), all - bad), (r#",le="+Inf""#.to_owned(), all)]
        });
        family("probe_success", "gauge", &|at| gauge(u64::from(!fails(at))));
        family("here_info", "gauge", &|at| if fails(at) { Vec::new() } else { gauge(1) });
        family("age_seconds", "gauge", &|at| gauge(if fails(at) { 600 } else { 1 }));
        family("up", "gauge", &|_| gauge(1));
        text + "# EOF\n"
    }
}

/// When what happens, in seconds from the start of the daemon.
struct Course {
    source_begins: i64,
    wiped: u64,
    killed: Option<u64>,
}

/// What is held of each SLO.
async fn held(world: &World, slos: &[&'static str], over: Range<Timestamp>) -> Vec<(&'static str, Timestamp, Counts)> {
    let mut held = Vec::new();
    for slo in slos {
        let slices = world.slices("shop", slo, "acme", over.start, over.end).await;
        held.extend(slices.into_iter().map(|(end, counts)| (*slo, end, counts)));
    }
    held
}

async fn nothing_is_taken_back(course: Course) -> anyhow::Result<()> {
    let start = beginning().plus(minutes(30));
    let after = |seconds: u64| start.plus(Duration::from_secs(seconds));
    let begins = Timestamp::from_millis(start.millis() + course.source_begins * 1000);
    // It fails early, so that this is settled when the storage is lost: nobody can count what is not.
    let fails = start.max(begins).plus(PACE * 3);
    let target = Target { began: begins.minus(minutes(1)), fails: fails..fails.plus(PACE * 6) };
    let end = start.plus(minutes(90));
    let wiped = after(course.wiped);
    let mut world = World::open_text(&target.scraped(begins, end), start, PACE, &[("shop.yaml", SLOS)]).await?;
    world.fast_forward(wiped.since(start)).await;
    world.wipe(&target.scraped(wiped.plus(PACE), end)).await?;
    if let Some(killed) = course.killed {
        world.fast_forward(after(killed).since(wiped)).await;
        world.kill().await?;
    }
    // All from before the wipe is settled; the next second reading is five minutes after a start, or 20 after the one before.
    world.fast_forward(minutes(3)).await;
    let over = start.minus(minutes(1))..wiped;
    let known = held(&world, &[&SAMPLED[..], &ASKED].concat(), over.clone()).await;
    world.fast_forward(minutes(20)).await;
    let now = held(&world, &[&SAMPLED[..], &ASKED].concat(), over.clone()).await;
    let changed: Vec<_> = known.iter().filter(|slice| !now.contains(slice)).collect();
    assert!(changed.is_empty() && now.len() == known.len(), "{changed:#?}");

    // What is known is what happened: all failures lie between the first sample and the last before the wipe.
    let (_, failed) = target.events(wiped);
    let scrapes_failed = i64::try_from(target.fails.end.since(target.fails.start).as_secs() / PACE.as_secs())?;
    for (slo, bad) in [("pay", i64::try_from(failed)?), ("fast", i64::try_from(failed)?), ("home", scrapes_failed)] {
        assert_eq!(world.counted("shop", slo, "acme", over.start, over.end).await.bad, bad, "{slo}");
    }
    for slo in ["here", "workers", "queue", "sum"] {
        assert!(world.counted("shop", slo, "acme", over.start, over.end).await.bad > 0, "{slo}");
    }

    let status = world.get("/api/v1/status").await?;
    let lost = &status["sources"][0]["lost"]["slos"];
    let page = reqwest::get(world.web()).await?.text().await?;
    for slo in SAMPLED {
        let name = format!("shop/{slo}");
        assert!(lost.as_array().is_some_and(|slos| slos.iter().any(|one| *one == name.as_str())), "{slo} is not named: {lost}");
    }
    assert!(page.contains("SAMPLES LOST") && page.contains("Source prom has lost samples that were counted"), "{page}");
    Ok(())
}

#[tokio::test]
async fn source_and_ledger_began_together_and_the_daemon_is_killed_behind_the_wipe() -> anyhow::Result<()> {
    nothing_is_taken_back(Course { source_begins: -5, wiped: 120, killed: Some(155) }).await
}

#[tokio::test]
async fn the_source_began_behind_the_ledger_and_the_daemon_is_killed_minutes_after_the_wipe() -> anyhow::Result<()> {
    nothing_is_taken_back(Course { source_begins: 10, wiped: 600, killed: Some(1_020) }).await
}

#[tokio::test]
async fn nobody_is_killed_and_the_second_reading_comes_by_itself() -> anyhow::Result<()> {
    nothing_is_taken_back(Course { source_begins: -5, wiped: 120, killed: None }).await
}

#[tokio::test]
async fn the_ledger_is_older_than_its_first_second_reading() -> anyhow::Result<()> {
    nothing_is_taken_back(Course { source_begins: -5, wiped: 1_260, killed: Some(1_275) }).await
}

/// Of what must be there a sample may stand for ten minutes: a shorter hole of it tells nothing.
#[tokio::test]
async fn the_source_had_history_before_the_ledger_began() -> anyhow::Result<()> {
    nothing_is_taken_back(Course { source_begins: -360, wiped: 660, killed: Some(675) }).await
}
