//! How long the ledger takes at 60,000 series and 10,000 budgets: `cargo bench -p burnward-core --bench ledger`. Prints figures and asserts none.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use burnward_core::{
    alert::AlertState,
    evaluate::{Input, evaluate},
    exclusion::{Excluded, ExcludedTime},
    id::{BudgetId, ObjectiveName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    ledger::{Plan, Query, Read, Sample, Series, Settings, SourceLedger, Stored, Sums},
    sli::{Counted, Labels, MatchOp, Matcher, Selector, Sli},
    slo::{AlertRow, CountedIn, LowTraffic, NewSeries, NoData, NoDataThen, NoTraffic, Objective, Origin, Slo, Urgency},
    time::{Timestamp, days, hours, minutes},
    units::{Factor, Target},
    window::{Interval, Window},
};

const JOBS: usize = 10;
const GROUPS: usize = 1_000;
const INSTANCES: usize = 20;
const CODES: [&str; 6] = ["200", "201", "204", "404", "500", "503"];
const LOOKBACKS: [Duration; 8] = [minutes(5), minutes(30), hours(1), hours(2), hours(6), hours(24), hours(72), days(30)];
const SCRAPE: Duration = Duration::from_secs(15);
const TICK: Duration = Duration::from_secs(10);
const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn main() {
    let source = Source::new();
    let slos: Vec<Arc<Slo>> = (0..JOBS).map(|job| Arc::new(slo(job))).collect();
    let settings = Settings { settle: minutes(1), max_groups_per_slo: GROUPS, history: false };
    let mut bench = Bench { ledger: SourceLedger::new(Plan::new(&slos), settings, START), source, now: START, stored: Stored::default() };
    println!("{} series, {} SLOs in {} groups", JOBS * GROUPS * CODES.len(), JOBS, JOBS * GROUPS);
    for _ in 0..70 {
        bench.round(minutes(1));
    }
    count(&mut bench);
    sums(&bench);
    decide(&bench, &slos);
    restore(&bench, &slos, settings);
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

fn sums(bench: &Bench) {
    let all = || {
        for stream in bench.ledger.streams() {
            let sums = bench.ledger.sums(stream.index, bench.now).expect("it is seen");
            for lookback in LOOKBACKS {
                black_box(sums.over(lookback));
            }
        }
    };
    show("sum 10,000 budgets x 8 lookbacks", (0..20).map(|_| timed(all).1));
}

fn decide(bench: &Bench, slos: &[Arc<Slo>]) {
    let all = || {
        for stream in bench.ledger.streams() {
            let slo = slos.iter().find(|slo| slo.id == *stream.slo).expect("planned");
            let objective = &slo.objectives[0];
            let budget = BudgetId { slo: slo.id.clone(), objective: objective.name.clone(), group: stream.group.clone() };
            let sums = bench.ledger.sums(stream.index, bench.now).expect("it is seen");
            let input = Input {
                sums: Ok(&sums),
                held: None,
                over: Interval::ending(bench.now, days(30)),
                newest_sample: stream.newest_sample,
                counted_from: stream.counted_from,
                excluded: Excluded::default(),
                began: None,
                catching_up: stream.catching_up,
            };
            black_box(evaluate(slo, objective, budget, &input, AlertState::default(), bench.now));
        }
    };
    show("evaluate 10,000 budgets of 4 rows", (0..20).map(|_| timed(all).1));
}

fn restore(bench: &Bench, slos: &[Arc<Slo>], settings: Settings) {
    let again = || black_box(SourceLedger::restore(Plan::new(slos), settings, &bench.stored, bench.now).expect("own blobs"));
    show("restore from state and rounds", (0..5).map(|_| timed(again).1));
}

/// A ledger that is read from a source.
struct Bench {
    ledger: SourceLedger,
    source: Source,
    now: Timestamp,
    stored: Stored,
}

/// What one round took and made.
struct Round {
    count: Duration,
    pack: Duration,
    apply: Duration,
    samples: usize,
    blob: usize,
    state: usize,
}

impl Bench {
    fn round(&mut self, later: Duration) -> Round {
        self.now = self.now.plus(later);
        let reads = self.ledger.reads(self.now);
        let answers: Vec<_> =
            reads.reads.iter().map(|read| Ok(self.source.answer(&self.ledger.plan().queries()[read.query], *read))).collect();
        let samples = answers.iter().flatten().flatten().map(|series| series.samples.len()).sum();
        let (counted, count) = timed(|| self.ledger.count(&reads, &answers));
        let ((blob, state), pack) = timed(|| (counted.blob(), counted.state_blob()));
        self.stored.settled = Some(counted.settled());
        let ((), apply) = timed(|| self.ledger.apply(counted));
        let sizes = (blob.as_ref().map_or(0, Vec::len), state.as_ref().map_or(0, Vec::len));
        let id = i64::try_from(self.stored.rounds.len()).expect("few");
        self.stored.rounds.extend(blob.map(|blob| (id, blob)));
        self.stored.state = state.or(self.stored.state.take());
        Round { count, pack, apply, samples, blob: sizes.0, state: sizes.1 }
    }
}

/// Counters that grow evenly, each at its own pace, scraped every 15 s.
struct Source {
    /// By job.
    requests: Vec<Vec<Labels>>,
    up: Vec<Labels>,
}

impl Source {
    fn new() -> Self {
        let requests = (0..JOBS).map(|job| (0..GROUPS).flat_map(|group| CODES.map(|code| requests(job, group, code))).collect());
        let up = (0..JOBS).flat_map(|job| (0..INSTANCES).map(move |at| target("up", job, at, &[])));
        Self { requests: requests.collect(), up: up.collect() }
    }

    fn answer(&self, query: &Query, read: Read) -> Vec<Series> {
        let Query::Raw(query) = query else { return Vec::new() };
        let job = query.matchers().first().map(|matcher| matcher.value.as_str());
        match (query.metric(), job) {
            ("up", _) => self.up.iter().map(|labels| series(labels, 0, read)).collect(),
            ("requests_total", Some(job)) => {
                let all = &self.requests[job[1..].parse::<usize>().expect("a number")];
                all.iter().zip(1..).map(|(labels, pace)| series(labels, pace % 50, read)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// One more at each scrape, times `pace`; 1 where that is 0.
fn series(labels: &Labels, pace: i64, read: Read) -> Series {
    let scrapes = (1..).map(|n| read.from.floor(SCRAPE).plus(SCRAPE * n)).take_while(|at| *at <= read.to);
    let value = |at: Timestamp| if pace == 0 { 1 } else { pace * (at.millis() - START.millis() + 3_600_000) / 15_000 };
    Series::new(labels.clone(), scrapes.map(|at| Sample { at, value: value(at) as f64 }).collect())
}

fn requests(job: usize, group: usize, code: &str) -> Labels {
    let group_name = format!("customer-{group}");
    target("requests_total", job, group % INSTANCES, &[("tenant", &group_name), ("code", code)])
}

fn target(metric: &str, job: usize, instance: usize, more: &[(&str, &str)]) -> Labels {
    let (job, instance) = (format!("s{job}"), format!("10.0.0.{instance}:8080"));
    let pairs = [("__name__", metric), ("job", &job), ("instance", &instance)].into_iter().chain(more.iter().copied());
    Labels::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

fn slo(job: usize) -> Slo {
    let matcher = |label: &str, op, value: String| Matcher { label: label.to_owned(), op, value };
    let total = Selector::new("requests_total", vec![matcher("job", MatchOp::Equal, format!("s{job}"))]);
    let bad = total.with(matcher("code", MatchOp::Regex, "5..".to_owned()));
    Slo {
        id: SloId {
            tenant: TenantId::parse("main").expect("a name"),
            service: ServiceName::parse("shop").expect("a name"),
            name: SloName::parse(&format!("availability-{job}")).expect("a name"),
        },
        title: "Customers can buy".into(),
        team: TeamName::parse("shop").expect("a name"),
        runbook: None,
        source: SourceName::parse("prometheus").expect("a name"),
        sli: Sli::Events { counted: Counted::Bad(vec![bad]), total: vec![total] },
        per: vec!["tenant".to_owned()],
        objectives: vec![Objective {
            name: ObjectiveName::parse("month").expect("a name"),
            target: Target::percent("99.9%").expect("a target"),
            window: Window::Rolling(days(30)),
            counted_in: CountedIn::Events,
            rows: [("14.4", hours(1), minutes(5)), ("6", hours(6), minutes(30)), ("3", hours(24), hours(2)), ("1", hours(72), hours(6))]
                .map(row)
                .to_vec(),
        }],
        no_data: NoData { after: minutes(5), then: NoDataThen::TellOwner },
        no_traffic: NoTraffic::Fine,
        new_series: NewSeries::Auto,
        low_traffic: LowTraffic::Exact,
        excluded_time: ExcludedTime::Removed,
        origin: Origin { file: "shop.yaml".into(), line: 1, version: "0".repeat(12) },
    }
}

fn row((factor, long, short): (&str, Duration, Duration)) -> AlertRow {
    let urgency = if long > hours(6) { Urgency::Ticket } else { Urgency::Page };
    AlertRow { urgency, factor: Factor::parse(factor).expect("a factor"), long, short }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}

fn show(what: &str, took: impl Iterator<Item = Duration>) {
    let mut took: Vec<Duration> = took.collect();
    took.sort();
    println!("{what}: p50 {:.2?}, max {:.2?}", took[took.len() / 2], took[took.len() - 1]);
}
