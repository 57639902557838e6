//! How long the ledger takes at 60,000 series and 10,000 budgets: `cargo bench -p burnward-core --bench ledger`. Prints figures and asserts none.
//!
//! With the word `memory` it measures that alone, the same in any build. With another word it does one thing alone, on 1,000 budgets or as many as a second
//! word says, so that a tool can count its instructions (`integration-tests/count-instructions`).

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod fleet;

use std::{fs, hint::black_box, time::Duration};

use burnward_core::{
    alert::AlertState,
    evaluate::{BudgetStatus, Decision, Input, Rules, evaluate, standing},
    exclusion::Excluded,
    id::BudgetId,
    ledger::{Plan, SourceLedger, Stream, Sums},
    slo::Slo,
    time::{days, hours, minutes},
    window::Interval,
};
use fleet::{Bench, CODES, JOBS, Round, SETTINGS, Source, timed};

/// The daemon's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GROUPS: usize = 1_000;
const LOOKBACKS: [Duration; 8] = [minutes(5), minutes(30), hours(1), hours(2), hours(6), hours(24), hours(72), days(30)];
const TICK: Duration = Duration::from_secs(10);

fn main() {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("--bench") | None => all(),
        Some(one) => {
            let budgets = words.next().map_or(1_000, |budgets| budgets.parse().expect("a number of budgets"));
            if one == "memory" { memory(budgets) } else { alone(one, budgets) }
        }
    }
}

fn alone(what: &str, budgets: usize) {
    let mut bench = Bench::new(budgets / JOBS);
    let (reads, answers) = bench.ask(TICK);
    // The sums that alerts are decided by are ready after a round.
    if what != "nothing" {
        black_box(bench.take(&reads, &answers));
    }
    match what {
        "sum" => sum(&bench),
        // What is decided twice, less what is decided once, is a round in which nothing changes.
        "decide-once" => drop(black_box(states_after(&bench))),
        "decide-twice" => drop(black_box(decide(&bench, &states_after(&bench)))),
        "alert" => drop(black_box(decide(&bench, &calm(&bench)))),
        "show" => drop(black_box(statuses(&bench))),
        _ => {}
    }
}

fn all() {
    memory(3_000);
    let mut bench = Bench::new(GROUPS);
    let budgets = bench.budgets();
    println!("{} series, {budgets} budgets", budgets * CODES.len());
    count(&mut bench);
    show("sum 8 lookbacks of every budget", (0..50).map(|_| timed(|| sum(&bench)).1));
    let (burning, calm) = (states_after(&bench), calm(&bench));
    show("decide of every budget with 4 rows, which burn as before", (0..50).map(|_| timed(|| decide(&bench, &burning)).1));
    show("the same where all begin to burn", (0..50).map(|_| timed(|| decide(&bench, &calm)).1));
    show("all figures of every budget, as somebody sees them", (0..50).map(|_| timed(|| statuses(&bench)).1));
    restore(&bench);
    drop(bench);
    relabelling();
    journeys();
    let (small, large) = (of_size(GROUPS / 10), of_size(GROUPS));
    println!(
        "from {} to {budgets} budgets: counting takes {:.1} times as long, evaluating {:.1} times",
        budgets / 10,
        large.0 / small.0,
        large.1 / small.1
    );
}

/// What a budget with 30 days of slices takes.
fn memory(budgets: usize) {
    let source = Source::new(budgets / JOBS);
    let before = resident();
    let mut bench = Bench::reading(source);
    bench.fill();
    let bytes = (resident() - before) / bench.budgets();
    println!(
        "memory with 30 days of slices: {:.1} KiB a budget, with its six series and without what the made source holds of them",
        bytes as f64 / 1024.0
    );
}

/// Live rounds of ten seconds.
fn count(bench: &mut Bench) {
    let rounds: Vec<Round> = (0..40).map(|_| bench.round(TICK)).collect();
    show("count one tick", rounds.iter().map(|round| round.count));
    show("pack what it settled", rounds.iter().map(|round| round.pack));
    show("apply it", rounds.iter().map(|round| round.apply));
    let largest = |size: fn(&Round) -> usize| rounds.iter().map(size).max().unwrap_or_default() / 1000;
    println!("  at most {} k samples, {} kB of slices, {} kB of state", largest(|r| r.samples), largest(|r| r.blob), largest(|r| r.state));
}

/// The minute behind a relabelling, until what it began is settled.
fn relabelling() {
    let mut bench = Bench::relabelled(GROUPS);
    let rounds: Vec<Round> = (0..6).map(|_| bench.round(TICK)).collect();
    show(
        &format!("count a tick behind a relabelling of all series, {} a target", GROUPS * CODES.len()),
        rounds.iter().map(|round| round.count),
    );
}

/// What a journey of 1,000 groups over two SLOs adds to a tick of them all.
fn journeys() {
    let least = |mut bench: Bench| {
        let rounds: Vec<Round> = (0..40).map(|_| bench.round(TICK)).collect();
        let least = |of: fn(&Round) -> Duration| rounds.iter().map(of).min().unwrap_or_default();
        least(|round| round.count) + least(|round| round.pack) + least(|round| round.apply)
    };
    let (without, with) = (least(Bench::new(GROUPS)), least(Bench::with_journey(GROUPS)));
    println!("a journey over two SLOs, {GROUPS} groups: count, pack and apply one tick least {with:.2?}, without it {without:.2?}");
}

/// Least seconds to count a tick and to evaluate, with so many groups in each SLO.
fn of_size(groups: usize) -> (f64, f64) {
    let mut bench = Bench::new(groups);
    let counted = (0..30).map(|_| bench.round(TICK).count).min().unwrap_or_default();
    let burning = states_after(&bench);
    let evaluated = (0..30).map(|_| timed(|| decide(&bench, &burning)).1).min().unwrap_or_default();
    (counted.as_secs_f64(), evaluated.as_secs_f64())
}

fn sum(bench: &Bench) {
    for stream in bench.ledger.streams() {
        let sums = bench.ledger.sums(stream.index, bench.now).expect("it is seen");
        for lookback in LOOKBACKS {
            black_box(sums.over(lookback));
        }
    }
}

/// Decides of every budget, and looks closer where an alert changes.
fn decide(bench: &Bench, before: &[AlertState]) -> Vec<BudgetStatus> {
    let (mut changed, mut states) = (Vec::new(), before.iter());
    for slo in &bench.slos {
        let rules = Rules::of(slo, &slo.objectives[0]);
        each(bench, slo, |stream, input| {
            let before = states.next().expect("one of each budget");
            let Decision { changes, holds_back, .. } = rules.decide(input, *before, bench.now);
            if changes || holds_back {
                changed.push(evaluate(slo, &slo.objectives[0], budget(slo, stream), input, *before, bench.now).status);
            }
        });
    }
    changed
}

/// Nothing holds.
fn calm(bench: &Bench) -> Vec<AlertState> {
    vec![AlertState::default(); bench.budgets()]
}

/// The alert states after a first round.
fn states_after(bench: &Bench) -> Vec<AlertState> {
    let mut states = Vec::with_capacity(bench.budgets());
    for slo in &bench.slos {
        let rules = Rules::of(slo, &slo.objectives[0]);
        each(bench, slo, |_, input| states.push(rules.decide(input, AlertState::default(), bench.now).alerts));
    }
    states
}

fn statuses(bench: &Bench) -> Vec<BudgetStatus> {
    let mut statuses = Vec::with_capacity(bench.budgets());
    for slo in &bench.slos {
        each(bench, slo, |stream, input| {
            statuses.push(standing(slo, &slo.objectives[0], budget(slo, stream), input, AlertState::default(), bench.now));
        });
    }
    statuses
}

fn budget(slo: &Slo, stream: &Stream) -> BudgetId {
    BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: stream.group.clone() }
}

fn each(bench: &Bench, slo: &Slo, mut with: impl FnMut(&Stream, &Input<'_>)) {
    for stream in bench.ledger.streams_of_slo(&slo.id) {
        let sums = bench.ledger.sums(stream.index, bench.now).expect("it is seen");
        let input = Input {
            sums: Ok(&sums),
            held: None,
            over: Interval::ending(bench.now, days(30)),
            newest_sample: stream.newest_sample,
            counted_from: stream.counted_from,
            unjudged: Duration::ZERO,
            excluded: Excluded::default(),
            began: None,
            catching_up: stream.catching_up,
            to_fill: Duration::ZERO,
            members: Vec::new(),
        };
        with(stream, &input);
    }
}

fn restore(bench: &Bench) {
    let again = || black_box(SourceLedger::restore(Plan::new(&bench.slos), SETTINGS, &bench.stored, bench.now).expect("own blobs"));
    show("restore from state and rounds", (0..3).map(|_| timed(again).1));
}

/// Bytes that this process holds.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("a Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

/// The least is what other work of the machine disturbed least.
fn show(what: &str, took: impl Iterator<Item = Duration>) {
    let mut took: Vec<Duration> = took.collect();
    took.sort();
    println!("{what}: least {:.2?}, p50 {:.2?}, max {:.2?}", took[0], took[took.len() / 2], took[took.len() - 1]);
}
