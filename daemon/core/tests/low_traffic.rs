//! What the exact test of page rows does at low traffic, simulated over the real rows and the real alert step: how often a service that fails at half
//! of what is allowed pages somebody, how soon a total outage does, and that busy services are decided as by their burn rates alone.
//!
//! Requests arrive at random (a Poisson process) and fail independently. `cargo test --release -p burnward-core --test low_traffic -- --ignored
//! --nocapture` prints the figures of docs/performance.md.

use std::time::Duration;

use burnward_core::{
    alert::{AlertState, Edge, step},
    alert_rows::default_rows,
    burn_rate::RowBurn,
    condition::Condition,
    ledger::{Counts, Sums},
    slo::{AlertRow, LowTraffic, Urgency},
    time::{Timestamp, days, hours, minutes},
    units::{EventUnit, Target},
};
use proptest::prelude::*;

const TICK: Duration = Duration::from_secs(10);
const QUARTER: Duration = days(90);
/// No page row looks back further.
const LONGEST: Duration = hours(6);
/// No page row of the default table holds for longer than this after the last failure.
const LONGEST_SHORT: Duration = minutes(30);

/// Sebastiano Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Above 0, up to and with 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// The times of a Poisson process with so many an hour, in `(from, to]`.
    fn arrivals(&mut self, an_hour: f64, from: Timestamp, to: Timestamp) -> Vec<Timestamp> {
        let mut times = Vec::new();
        let mut at = from;
        loop {
            at = at.plus(Duration::from_secs_f64(-self.unit().ln() * 3600.0 / an_hour));
            if at > to {
                return times;
            }
            times.push(at);
        }
    }
}

/// A service's requests, those that failed apart; both sorted.
struct Requests {
    good: Vec<Timestamp>,
    bad: Vec<Timestamp>,
    now: Timestamp,
}

impl Sums for Requests {
    fn over(&self, lookback: Duration) -> Counts {
        self.since(self.now.minus(lookback))
    }

    fn since(&self, from: Timestamp) -> Counts {
        let within = |times: &[Timestamp]| {
            let until = times.partition_point(|at| *at <= self.now);
            i64::try_from(until.saturating_sub(times.partition_point(|at| *at <= from))).expect("few")
        };
        Counts { good: within(&self.good), bad: within(&self.bad), ..Counts::default() }
    }
}

/// One budget, its page rows only.
struct Watched {
    target: Target,
    rows: Vec<AlertRow>,
    low_traffic: LowTraffic,
    /// Since counting began.
    counted: Duration,
    state: AlertState,
}

impl Watched {
    fn new(percent: &str, low_traffic: LowTraffic) -> Self {
        Self::over(days(30), percent, low_traffic)
    }

    fn over(window: Duration, percent: &str, low_traffic: LowTraffic) -> Self {
        let target = Target::percent(percent).expect("a target");
        let rows = default_rows(target, window).rows.into_iter().filter(|row| row.urgency == Urgency::Page).collect();
        Self { target, rows, low_traffic, counted: Duration::MAX, state: AlertState::default() }
    }

    /// One tick; true where it pages.
    fn tick(&mut self, sums: &dyn Sums, now: Timestamp) -> bool {
        let condition = |row: &AlertRow| Condition::of(*row, self.target, self.low_traffic, EventUnit::Event);
        let burns: Vec<RowBurn> = self.rows.iter().map(|row| RowBurn::judged(&condition(row), sums, self.counted)).collect();
        let (state, steps) = step(self.state, &burns, self.target, now);
        self.state = state;
        steps.iter().any(|step| matches!(step.edge, Edge::Opens(_)))
    }
}

/// How many pages a quarter with errors at half the budget brings. Nothing can page before a failure nor long after it: only the time around
/// failures is played, with the traffic that its lookbacks hold.
fn pages_of_a_quarter(random: &mut Random, an_hour: f64, percent: &str, low_traffic: LowTraffic) -> u64 {
    let mut watched = Watched::new(percent, low_traffic);
    let failing = watched.target.allowed().as_f64() / 2.0;
    let begin = Timestamp::EPOCH.plus(days(1));
    let failures = random.arrivals(an_hour * failing, begin, begin.plus(QUARTER));
    let calm_after = |at: Timestamp| at.plus(LONGEST_SHORT + TICK).ceil(TICK);
    let mut pages = 0;
    let mut at = 0;
    while at < failures.len() {
        let apart = |pair: &[Timestamp]| pair[1].minus(LONGEST) > calm_after(pair[0]);
        let until = failures[at..].windows(2).position(apart).map_or(failures.len(), |last| at + last + 1);
        let bad = &failures[at..until];
        let (first, last) = (bad[0], bad[bad.len() - 1]);
        let good = random.arrivals(an_hour * (1.0 - failing), first.minus(LONGEST + TICK), calm_after(last));
        let mut requests = Requests { good, bad: bad.to_vec(), now: first.ceil(TICK) };
        while requests.now <= calm_after(last) {
            pages += u64::from(watched.tick(&requests, requests.now));
            requests.now = requests.now.plus(TICK);
        }
        assert_eq!(watched.state, AlertState::default(), "what paged is over long after the last failure");
        at = until;
    }
    pages
}

fn false_pages(an_hour: f64, percent: &str, low_traffic: LowTraffic, quarters: u64, seed: u64) -> f64 {
    let mut random = Random(seed);
    let pages: u64 = (0..quarters).map(|_| pages_of_a_quarter(&mut random, an_hour, percent, low_traffic)).sum();
    pages as f64 / quarters as f64
}

/// How many requests fail in a total outage before somebody is paged, after a day without a failure.
fn failures_until_the_page(random: &mut Random, an_hour: f64, percent: &str) -> usize {
    let mut watched = Watched::new(percent, LowTraffic::Exact);
    let begin = Timestamp::EPOCH.plus(days(1));
    let good = random.arrivals(an_hour, begin.minus(days(1)), begin);
    let bad = random.arrivals(an_hour, begin, begin.plus(days(10)));
    let mut requests = Requests { good, bad, now: begin };
    loop {
        requests.now = requests.now.plus(TICK);
        if watched.tick(&requests, requests.now) {
            return requests.bad.partition_point(|at| *at <= requests.now);
        }
        let newest = requests.bad.partition_point(|at| *at <= requests.now);
        let quiet = newest.checked_sub(1).is_none_or(|newest| requests.bad[newest].plus(LONGEST_SHORT + TICK) < requests.now);
        if let (true, Some(next)) = (quiet, requests.bad.get(newest)) {
            requests.now = requests.now.max(next.floor(TICK));
        }
    }
}

/// The number of failures that the given share of outages needs at most before the page.
fn percentile(an_hour: f64, percent: &str, outages: usize, share: f64, seed: u64) -> usize {
    let mut random = Random(seed);
    let mut failures: Vec<usize> = (0..outages).map(|_| failures_until_the_page(&mut random, an_hour, percent)).collect();
    failures.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let rank = (share * outages as f64).ceil() as usize;
    failures[rank - 1]
}

#[test]
fn ten_requests_an_hour_at_half_the_budget_wake_nobody_for_years() {
    assert!(false_pages(10.0, "99.9%", LowTraffic::Exact, 400, 1) <= 0.1);
    assert!(false_pages(10.0, "99.9%", LowTraffic::Off, 40, 1) > 5.0, "every failure pages where burn rates alone decide");
}

#[test]
fn a_total_outage_pages_by_the_third_failed_request() {
    assert!(percentile(10.0, "99.9%", 400, 0.99, 2) <= 3);
}

#[test]
#[ignore = "minutes, even where optimised: the figures of docs/performance.md"]
fn figures() {
    println!(
        "| requests an hour | target | false pages per 90 days | without the test | failures until the page in an outage, p50 / p99 |"
    );
    println!("|---|---|---|---|---|");
    for (an_hour, percent, quarters) in [
        (1.0, "99.9%", 10_000),
        (3.0, "99.9%", 10_000),
        (10.0, "99.9%", 10_000),
        (30.0, "99.9%", 3_000),
        (100.0, "99.9%", 500),
        (1000.0, "99.9%", 20),
        (10.0, "99%", 1_000),
        (100.0, "99%", 20),
        (100.0, "99.99%", 3_000),
        (1000.0, "99.99%", 500),
    ] {
        let exact = false_pages(an_hour, percent, LowTraffic::Exact, quarters, 1);
        let off = false_pages(an_hour, percent, LowTraffic::Off, quarters / 10, 1);
        let (p50, p99) = (percentile(an_hour, percent, 10_000, 0.5, 2), percentile(an_hour, percent, 10_000, 0.99, 2));
        println!("| {an_hour} | {percent} | {exact:.3} ({quarters} quarters) | {off:.1} | {p50} / {p99} |");
        if (an_hour, percent) == (10.0, "99.9%") {
            assert!(exact <= 0.1 && p99 <= 3, "{exact} false pages, {p99} failures");
        }
    }
}

/// Slices of ten seconds that end now; `before` of each were clean before the first.
struct Slices {
    sums: Vec<Counts>,
    before: i64,
}

impl Sums for Slices {
    fn over(&self, lookback: Duration) -> Counts {
        let wanted = usize::try_from(lookback.as_secs() / TICK.as_secs()).expect("few slices");
        let now = self.sums.len() - 1;
        let clean = i64::try_from(wanted.saturating_sub(now)).expect("few slices") * self.before;
        self.sums[now] - self.sums[now.saturating_sub(wanted)] + Counts { good: clean, ..Counts::default() }
    }

    fn since(&self, from: Timestamp) -> Counts {
        self.over(Timestamp::EPOCH.plus(TICK * u32::try_from(self.sums.len()).expect("few slices")).since(from))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_young_history_pages_first_when_an_old_one_without_a_failure_does_to_the_tick(
        phases in prop::collection::vec((1_usize..400, prop_oneof![Just(0_i64), 0_i64..4, 4_i64..30, 0_i64..1000]), 1..12),
        percent in prop::sample::select(vec!["99%", "99.5%", "99.9%", "99.95%"]),
        noise in any::<u64>(),
    ) {
        let (mut young, mut old) = (Watched::new(percent, LowTraffic::Exact), Watched::new(percent, LowTraffic::Exact));
        let (mut of_young, mut of_old) = (Slices { sums: vec![Counts::default()], before: 0 }, Slices { sums: vec![Counts::default()], before: 1000 });
        let mut random = Random(noise);
        for bad in phases.iter().flat_map(|(ticks, bad)| std::iter::repeat_n(*bad, *ticks)) {
            let bad = i64::try_from(random.next() % (2 * bad.unsigned_abs() + 1)).expect("small").min(1000);
            for slices in [&mut of_young, &mut of_old] {
                let sum = *slices.sums.last().expect("never empty") + Counts { good: 1000 - bad, bad, ..Counts::default() };
                slices.sums.push(sum);
            }
            let now = Timestamp::EPOCH.plus(TICK * u32::try_from(of_old.sums.len()).expect("few slices"));
            young.counted = TICK * u32::try_from(of_young.sums.len() - 1).expect("few slices");
            let pages = (young.tick(&of_young, now), old.tick(&of_old, now));
            prop_assert_eq!(pages.0, pages.1);
            if pages.0 {
                break;
            }
        }
    }

    #[test]
    fn at_100_requests_a_second_it_decides_as_burn_rates_alone_to_the_tick(
        phases in prop::collection::vec((1_usize..400, prop_oneof![Just(0_i64), 0_i64..4, 4_i64..30, 0_i64..1000]), 1..12),
        percent in prop::sample::select(vec!["99%", "99.5%", "99.9%", "99.95%", "99.99%"]),
        // The rows of a calendar month are those of 28 days, of a week those of 7 and of a quarter those of 90.
        window in prop::sample::select(vec![7_u64, 28, 30, 90]).prop_map(days),
        noise in any::<u64>(),
    ) {
        let (mut exact, mut plain) = (Watched::over(window, percent, LowTraffic::Exact), Watched::over(window, percent, LowTraffic::Off));
        let mut slices = Slices { sums: vec![Counts::default()], before: 1000 };
        let mut random = Random(noise);
        for bad in phases.iter().flat_map(|(ticks, bad)| std::iter::repeat_n(*bad, *ticks)) {
            let bad = i64::try_from(random.next() % (2 * bad.unsigned_abs() + 1)).expect("small").min(1000);
            let sum = *slices.sums.last().expect("never empty") + Counts { good: 1000 - bad, bad, ..Counts::default() };
            slices.sums.push(sum);
            let now = Timestamp::EPOCH.plus(TICK * u32::try_from(slices.sums.len()).expect("few slices"));
            exact.tick(&slices, now);
            plain.tick(&slices, now);
            prop_assert_eq!(exact.state, plain.state);
        }
    }
}
