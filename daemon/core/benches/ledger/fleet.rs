//! A ledger that is read from a source of counters that grow evenly.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use burnward_core::{
    exclusion::ExcludedTime,
    id::{ObjectiveName, ServiceName, SloId, SloName, SourceName, TeamName, TenantId},
    ledger::{Plan, Query, Read, Reads, Sample, Series, Settings, SourceLedger, Stored, Unknown},
    sli::{
        Counted, Labels, MatchOp, Matcher, Selector, Sli,
        composite::{Composite, Member, Members, WhenUnseen},
    },
    slo::{AlertRow, CountedIn, LowTraffic, NewSeries, NoData, NoDataThen, NoTraffic, Objective, Origin, Slo, Urgency},
    status::Status,
    time::{Timestamp, days, hours, minutes},
    units::{Factor, GoodShare, Target},
    window::Window,
};

pub(crate) const JOBS: usize = 10;
const INSTANCES: usize = 20;
pub(crate) const CODES: [&str; 6] = ["200", "201", "204", "404", "500", "503"];
const START: Timestamp = Timestamp::from_seconds(1_700_000_000);

pub(crate) const SETTINGS: Settings = Settings { settle: minutes(1), max_groups_per_slo: 1_000, history: false };

pub(crate) type Answers = Vec<Result<Vec<Series>, Unknown>>;

/// A ledger that is read from a source.
pub(crate) struct Bench {
    pub(crate) ledger: SourceLedger,
    source: Source,
    pub(crate) now: Timestamp,
    pub(crate) stored: Stored,
    pub(crate) slos: Vec<Arc<Slo>>,
}

/// What one round took and made.
pub(crate) struct Round {
    pub(crate) count: Duration,
    pub(crate) pack: Duration,
    pub(crate) apply: Duration,
    pub(crate) samples: usize,
    pub(crate) blob: usize,
    pub(crate) state: usize,
}

impl Bench {
    /// A ledger of `groups` budgets in each of ten SLOs, six series a budget, after an hour and ten minutes of reading.
    pub(crate) fn new(groups: usize) -> Self {
        Self::reading(Source::new(groups))
    }

    /// The same, with a journey over the first two SLOs beside them.
    pub(crate) fn with_journey(groups: usize) -> Self {
        let journey = Arc::new(journey([slo(0).id, slo(1).id]));
        Self::of(Source::new(groups), (0..JOBS).map(|job| Arc::new(slo(job))).chain([journey]).collect())
    }

    /// The same where each job has one target, of which every series gets one more label from now on.
    pub(crate) fn relabelled(groups: usize) -> Self {
        let mut bench = Self::reading(Source::on(groups, 1));
        bench.source.relabelled = Some(bench.now);
        bench
    }

    /// The same of a source that was made before.
    pub(crate) fn reading(source: Source) -> Self {
        Self::of(source, (0..JOBS).map(|job| Arc::new(slo(job))).collect())
    }

    fn of(source: Source, slos: Vec<Arc<Slo>>) -> Self {
        let ledger = SourceLedger::new(Plan::new(&slos), SETTINGS, START);
        let mut bench = Self { ledger, source, now: START, stored: Stored::default(), slos };
        for _ in 0..70 {
            bench.round(minutes(1));
        }
        bench
    }

    pub(crate) fn budgets(&self) -> usize {
        self.ledger.streams().count()
    }

    /// Fills the slices of every level: 30 days in which all is scraped every five minutes. Nothing of it is stored.
    pub(crate) fn fill(&mut self) {
        self.source.scrape = minutes(5);
        for _ in 0..30 * 24 {
            self.round(hours(1));
            self.stored.rounds.clear();
        }
    }

    pub(crate) fn round(&mut self, later: Duration) -> Round {
        let (reads, answers) = self.ask(later);
        self.take(&reads, &answers)
    }

    /// What the source answers so much later.
    pub(crate) fn ask(&mut self, later: Duration) -> (Reads, Answers) {
        self.now = self.now.plus(later);
        let reads = self.ledger.reads(self.now);
        let answers = reads.reads.iter().map(|read| Ok(self.source.answer(&self.ledger.plan().queries()[read.query], *read))).collect();
        (reads, answers)
    }

    pub(crate) fn take(&mut self, reads: &Reads, answers: &[Result<Vec<Series>, Unknown>]) -> Round {
        let samples = answers.iter().flatten().flatten().map(|series| series.samples.len()).sum();
        let (counted, count) = timed(|| self.ledger.count(reads, answers));
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
pub(crate) struct Source {
    /// By job.
    requests: Vec<Vec<Labels>>,
    up: Vec<Labels>,
    scrape: Duration,
    /// From when on its counters have one more label.
    relabelled: Option<Timestamp>,
}

impl Source {
    pub(crate) fn new(groups: usize) -> Self {
        Self::on(groups, INSTANCES)
    }

    /// Of jobs with so many targets.
    fn on(groups: usize, instances: usize) -> Self {
        let of_group = |job, group| CODES.map(|code| requests(job, group, group % instances, code));
        let requests = (0..JOBS).map(|job| (0..groups).flat_map(|group| of_group(job, group)).collect());
        let up = (0..JOBS).flat_map(|job| (0..instances).map(move |at| target("up", job, at, &[])));
        Self { requests: requests.collect(), up: up.collect(), scrape: Duration::from_secs(15), relabelled: None }
    }

    /// One more every 15 s, times `pace`; 1 where that is 0.
    fn series(&self, labels: &Labels, pace: i64, read: Read) -> Series {
        let scrapes = (1..).map(|n| read.from.floor(self.scrape).plus(self.scrape * n)).take_while(|at| *at <= read.to);
        let value = |at: Timestamp| if pace == 0 { 1 } else { pace * (at.millis() - START.millis() + 3_600_000) / 15_000 };
        Series::new(labels.clone(), scrapes.map(|at| Sample { at, value: value(at) as f64 }).collect())
    }

    fn answer(&self, query: &Query, read: Read) -> Vec<Series> {
        let Query::Raw(query) = query else { return Vec::new() };
        let job = query.matchers().first().map(|matcher| matcher.value.as_str());
        match (query.metric(), job) {
            ("up", _) => self.up.iter().map(|labels| self.series(labels, 0, read)).collect(),
            ("requests_total", Some(job)) => {
                let all = &self.requests[job[1..].parse::<usize>().expect("a number")];
                let series = all.iter().zip(1..).map(|(labels, pace)| self.series(labels, pace % 50, read));
                series.flat_map(|series| self.as_labelled(series)).filter(|series| !series.samples.is_empty()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A series under the labels that it has, and had.
    fn as_labelled(&self, mut series: Series) -> Vec<Series> {
        let Some(from) = self.relabelled else { return vec![series] };
        let newer = series.samples.split_off(series.samples.partition_point(|sample| sample.at <= from));
        let labels = Labels::new(series.labels.pairs().chain([("env", "prod")]));
        vec![series, Series::new(labels, newer)]
    }
}

fn requests(job: usize, group: usize, instance: usize, code: &str) -> Labels {
    let group_name = format!("customer-{group}");
    target("requests_total", job, instance, &[("tenant", &group_name), ("code", code)])
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
        was: None,
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
        status: Status::Active,
        origin: Origin { file: "shop.yaml".into(), line: 1, version: "0".repeat(12) },
    }
}

/// Minutes in which both worked.
fn journey(members: [SloId; 2]) -> Slo {
    let good_from = GoodShare::percent("99%").expect("a share");
    let members = members.map(|slo| Member { slo, good_from, unseen: WhenUnseen::Unknown }).to_vec();
    let like = slo(0);
    Slo {
        id: SloId { name: SloName::parse("buy").expect("a name"), ..like.id.clone() },
        sli: Sli::Composite(Composite { members: Members::AllOf(members), slice: minutes(1) }),
        ..like
    }
}

fn row((factor, long, short): (&str, Duration, Duration)) -> AlertRow {
    let urgency = if long > hours(6) { Urgency::Ticket } else { Urgency::Page };
    AlertRow { urgency, factor: Factor::parse(factor).expect("a factor"), long, short }
}

pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = work();
    (made, start.elapsed())
}
