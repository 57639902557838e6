//! An oracle: what random histories must come to, worked out apart from the ledger, from the samples alone and in whole fractions.
//!
//! The rules that it knows are those that users are told: an increase counts at its later sample; a counter that falls counts from zero; what happened in
//! a gap counts right behind the sample before it; a first value counts where its target was seen just before. Lookbacks begin at an edge of slices of
//! 10 s (up to 1 h), 1 min (6 h), 5 min (3 d), 1 h. `PROPTEST_CASES` sets how many histories are tried.

use super::*;
use crate::{
    alert::AlertState,
    alert_rows::default_rows,
    budget::BudgetLeft,
    burn_rate::RowBurn,
    evaluate::{Input, evaluate},
    exclusion::Excluded,
    id::{BudgetId, Group},
    slo::{AlertRow, LowTraffic},
    units::Target,
    window::Interval,
};

/// A fraction in lowest terms, with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction {
    num: i128,
    den: i128,
}

impl Fraction {
    fn new(num: i128, den: i128) -> Self {
        let (mut a, mut b) = (num.abs(), den.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let sign = if den < 0 { -1 } else { 1 };
        Self { num: sign * num / a.max(1), den: sign * den / a.max(1) }
    }

    fn times(self, other: Self) -> Self {
        Self::new(self.num * other.num, self.den * other.den)
    }

    fn exceeds(self, other: Self) -> bool {
        self.num * other.den > other.num * self.den
    }

    fn nearest(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

/// What a service did between two scrapes.
#[derive(Debug, Clone, Copy)]
enum Turn {
    Served {
        good: u64,
        bad: u64,
    },
    Restarted {
        good: u64,
        bad: u64,
    },
    MissedOne {
        good: u64,
    },
    /// Nobody scraped for so many seconds, in which so much was served.
    Gap {
        seconds: i64,
        good: u64,
        bad: u64,
        restarted: bool,
    },
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        16 => (0_u64..400, 0_u64..3).prop_map(|(good, bad)| Turn::Served { good, bad }),
        2 => (0_u64..60, 0_u64..60).prop_map(|(good, bad)| Turn::Served { good, bad }),
        1 => (0_u64..50, 0_u64..9).prop_map(|(good, bad)| Turn::Restarted { good, bad }),
        2 => (0_u64..400).prop_map(|good| Turn::MissedOne { good }),
        1 => (120_i64..20_000, 0_u64..90, 0_u64..9, any::<bool>())
            .prop_map(|(seconds, good, bad, restarted)| Turn::Gap { seconds, good, bad, restarted }),
    ]
}

/// A sample of a series, and when it can first be read.
#[derive(Debug, Clone)]
struct Shown {
    readable: i64,
    at: Timestamp,
    instance: &'static str,
    /// The code, or nothing for `up`.
    code: Option<&'static str>,
    value: u64,
}

/// A target with two counters, scraped every 15 s.
struct Scraped {
    instance: &'static str,
    now: i64,
    good: u64,
    bad: Option<u64>,
    /// How many scrapes in a row came in time: a first value is only shown behind a few of them.
    in_time: u32,
    shown: Vec<Shown>,
}

impl Scraped {
    fn record(instance: &'static str, offset: i64, turns: &[(Turn, i64)]) -> Vec<Shown> {
        let mut target = Self { instance, now: offset - 60, good: 0, bad: None, in_time: 0, shown: Vec::new() };
        for _ in 0..4 {
            target.scraped(0);
        }
        for (turn, late) in turns {
            target.turn(*turn, *late);
        }
        target.scraped(0);
        target.shown
    }

    fn turn(&mut self, turn: Turn, late: i64) {
        match turn {
            Turn::Served { good, bad } => self.serve(good, bad),
            Turn::Restarted { good, bad } => self.restart(good, bad),
            Turn::MissedOne { good } => {
                self.serve(good, 0);
                self.now += 15;
                self.in_time = 0;
            }
            Turn::Gap { seconds, good, bad, restarted } => {
                self.in_time = 0;
                if restarted {
                    self.restart(good, bad);
                } else {
                    self.serve(good, bad);
                }
                self.now += seconds;
                for _ in 0..3 {
                    self.scraped(0);
                }
            }
        }
        self.scraped(late);
    }

    fn serve(&mut self, good: u64, bad: u64) {
        self.good += good;
        self.bad = match self.bad {
            Some(before) => Some(before + bad),
            None if bad > 0 && self.in_time >= 4 => Some(bad),
            None => None,
        };
    }

    fn restart(&mut self, good: u64, bad: u64) {
        self.good = good;
        self.bad = self.bad.map(|_| bad);
    }

    fn scraped(&mut self, late: i64) {
        let (at, readable) = (at(self.now), self.now + late);
        let mut show = |code, value| self.shown.push(Shown { readable, at, instance: self.instance, code, value });
        show(None, 1);
        show(Some("200"), self.good);
        if let Some(bad) = self.bad {
            show(Some("500"), bad);
        }
        self.in_time += 1;
        self.now += 15;
    }
}

impl Source {
    fn show(&mut self, shown: &Shown) {
        match shown.code {
            None => self.up(shown.instance, shown.at, 1.0),
            Some(code) => self.requests(shown.instance, shown.at, &[(code, shown.value)]),
        }
    }
}

/// So many events, good or bad, at a moment.
type Told = (Timestamp, i64, i64);

/// What the samples tell: every increase of every counter.
fn told(shown: &[Shown]) -> Vec<Told> {
    let mut told = Vec::new();
    for instance in ["a", "b"] {
        for code in ["200", "500"] {
            let mut samples: Vec<&Shown> = shown.iter().filter(|one| one.instance == instance && one.code == Some(code)).collect();
            samples.sort_by_key(|one| one.at);
            // Failures are shown from the first one on, behind scrapes of the same target: all of that value happened.
            if let Some(first) = samples.first().filter(|_| code == "500") {
                told.push((first.at, 0, whole(first.value)));
            }
            for pair in samples.windows(2) {
                let (before, after) = (pair[0], pair[1]);
                let (gap, fell) = (after.at.since(before.at) > Duration::from_secs(100), after.value < before.value);
                let events = whole(if fell { after.value } else { after.value - before.value });
                let moment = if gap && !fell { before.at.plus(Duration::from_millis(1)) } else { after.at };
                told.push(if code == "200" { (moment, events, 0) } else { (moment, 0, events) });
            }
        }
    }
    told
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).expect("few")
}

/// How long no target was scraped by now, beyond the minute within which the next sample is due, where that is more than 2.5 times what is usual for the
/// last one: time that says nothing of the budget.
fn silence(shown: &[Shown], now: Timestamp) -> Duration {
    let scrapes = |instance: &'static str| shown.iter().filter(move |one| one.instance == instance && one.code.is_none()).map(|one| one.at);
    let last = |instance: &'static str| {
        let mut moments: Vec<Timestamp> = scrapes(instance).collect();
        moments.sort();
        let mut spacings: Vec<Duration> = moments.windows(2).rev().take(3).map(|pair| pair[1].since(pair[0])).collect();
        spacings.sort();
        (moments[moments.len() - 1], spacings[1])
    };
    let (newest, usual) = last("a").max(last("b"));
    let silence = now.since(newest);
    if silence * 2 > usual * 5 { silence.saturating_sub(minutes(1)) } else { Duration::ZERO }
}

/// Good and bad over a lookback that ends at `now`.
fn over(told: &[Told], lookback: Duration, now: Timestamp) -> (i64, i64) {
    let slice = match lookback.as_secs() {
        0..=3_600 => 10,
        3_601..=21_600 => 60,
        21_601..=259_200 => 300,
        _ => 3_600,
    };
    let start = (now.millis() - i64::try_from(lookback.as_millis()).expect("short")).div_euclid(slice * 1000) * slice * 1000;
    let after = |one: &&Told| one.0.millis() > start;
    told.iter().filter(after).fold((0, 0), |(good, bad), one| (good + one.1, bad + one.2))
}

/// The burn rate of counts at a target that lets so many of a million fail; `None` without events.
fn burn((good, bad): (i64, i64), allowed: i128) -> Option<Fraction> {
    let total = i128::from(good + bad);
    (total > 0).then(|| Fraction::new(i128::from(bad), total).times(Fraction::new(1_000_000, allowed)))
}

/// A history, and what happened to the daemon that read it.
#[derive(Debug, Clone)]
struct Case {
    a: Vec<(Turn, i64)>,
    b: Vec<(Turn, i64)>,
    events: Vec<(i64, Event)>,
    percent: &'static str,
    allowed: i128,
}

fn case() -> impl Strategy<Value = Case> {
    // Scrapes that take long to show themselves are late, but not later than samples settle.
    let turns = |most| prop::collection::vec((turn(), prop_oneof![6 => Just(0_i64), 1 => 0_i64..50]), 1..most);
    let targets = prop::sample::select(vec![("99.9%", 1_000), ("99%", 10_000), ("99.95%", 500), ("50%", 500_000), ("99.9999%", 1)]);
    let events = prop::collection::vec((1_i64..900, event(&["up", "m"])), 1..40);
    (turns(120), turns(60), events, targets).prop_map(|(a, b, events, (percent, allowed))| Case { a, b, events, percent, allowed })
}

impl Case {
    fn slo(&self) -> Slo {
        let target = Target::percent(self.percent).expect("a target");
        let mut slo = (*availability()[0]).clone();
        slo.objectives[0].target = target;
        slo.objectives[0].rows = default_rows(target, days(30)).rows;
        slo.low_traffic = LowTraffic::Off;
        slo
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let mut shown = Scraped::record("a", 0, &self.a);
        shown.extend(Scraped::record("b", 7, &self.b));
        shown.sort_by_key(|one| one.readable);
        let end = (shown.last().expect("scrapes").readable + 10) / 10 * 10;
        let mut step_by_step = self.live(&shown, end);
        let mut source = Source::default();
        for one in &shown {
            source.show(one);
        }
        let mut at_once = Daemon::start(vec![Arc::new(self.slo())], at(0));
        at_once.tick(&source, at(end));
        prop_assert_eq!(sums(&step_by_step, at(end)), sums(&at_once, at(end)), "step by step equals at once");
        let told = told(&shown);
        for daemon in [&mut step_by_step, &mut at_once] {
            check_sums(daemon, &told, at(end))?;
            self.check_decision(daemon, &told, silence(&shown, at(end)), at(end))?;
            daemon.tick(&source, at(end + 120));
        }
        prop_assert_eq!(step_by_step.decoded(), at_once.decoded(), "once all is settled, slice by slice");
        Ok(())
    }

    /// A daemon that lived through the events while samples became readable.
    fn live(&self, shown: &[Shown], end: i64) -> Daemon {
        let mut source = Source::default();
        let mut unread = shown.iter().peekable();
        let slos = vec![Arc::new(self.slo())];
        let fleet = Fleet { kept: slos.clone(), all: slos };
        let mut daemon = Daemon::start(fleet.all.clone(), at(0));
        let mut now = 0;
        for (later, event) in self.events.iter().copied().chain([(0, Event::Tick)]) {
            now = (now + later).min(end - 1);
            while let Some(one) = unread.next_if(|one| one.readable <= now) {
                source.show(one);
            }
            daemon.undergo(event, &source, &fleet, at(now));
        }
        for one in unread {
            source.show(one);
        }
        daemon.tick(&source, at(end));
        daemon
    }

    /// Every burn rate, every row and what is left of the budget.
    fn check_decision(&self, daemon: &Daemon, told: &[Told], silence: Duration, now: Timestamp) -> Result<(), TestCaseError> {
        let slo = self.slo();
        let stream = daemon.ledger.streams().next().expect("a stream");
        let sums = daemon.ledger.sums(stream.index, now).expect("seen");
        let input = Input {
            sums: Ok(&sums),
            held: None,
            over: Interval::ending(now, days(30)),
            newest_sample: stream.newest_sample,
            counted_from: stream.counted_from,
            unjudged: Duration::ZERO,
            excluded: Excluded::default(),
            began: None,
            catching_up: false,
            members: Vec::new(),
        };
        let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
        let status = evaluate(&slo, &slo.objectives[0], budget, &input, AlertState::default(), now).status;
        let counted = stream.counted_from.map_or(Duration::ZERO, |from| now.since(from));
        for row in &status.rows {
            prop_assert_eq!(row.holds(), self.holds(told, row, counted, now), "{:?}", row);
        }
        let spent =
            burn(over(told, days(30), now), self.allowed).map(|burn| burn.times(part_of(counted.saturating_sub(silence), days(30))));
        let left = spent.map(|spent| Fraction::new(spent.den - spent.num, spent.den));
        prop_assert_eq!(left.is_some(), status.left.is_some());
        if let (Some(exact), Some(BudgetLeft { ratio, .. })) = (left, status.left) {
            prop_assert!((ratio - exact.nearest()).abs() <= 1e-12 * exact.nearest().abs().max(1.0), "{} where {:?} is right", ratio, exact);
            prop_assert_eq!(status.left.is_some_and(|left| left.is_spent()), exact.num <= 0);
        }
        Ok(())
    }

    /// Both lookbacks are strictly above the factor; where not all of the long one is counted, with the rest taken as without a failure.
    fn holds(&self, told: &[Told], row: &RowBurn, counted: Duration, now: Timestamp) -> bool {
        let AlertRow { factor, long, short, urgency: _ } = row.row;
        let factor = Fraction::new(factor.ratio().num().into(), factor.ratio().den().into());
        let part =
            Fraction::new(i128::try_from(counted.min(long).as_millis()).expect("short"), i128::try_from(long.as_millis()).expect("short"));
        let burn_over = |lookback| burn(over(told, lookback, now), self.allowed);
        let above = |burn: Option<Fraction>| burn.is_some_and(|burn| burn.exceeds(factor));
        above(burn_over(long).map(|burn| burn.times(part))) && above(burn_over(short))
    }
}

/// The part of a lookback that is counted.
fn part_of(counted: Duration, whole: Duration) -> Fraction {
    let millis = |span: Duration| i128::try_from(span.as_millis()).expect("short");
    Fraction::new(millis(counted.min(whole)), millis(whole))
}

/// Every lookback holds what the samples tell.
fn check_sums(daemon: &Daemon, told: &[Told], now: Timestamp) -> Result<(), TestCaseError> {
    let sums = daemon.ledger.sums(daemon.index("a", ""), now).expect("the newest sample is a minute old");
    for lookback in LOOKBACKS {
        let counts = sums.over(lookback);
        prop_assert_eq!((counts.good, counts.bad), over(told, lookback, now), "over {:?}", lookback);
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn every_sum_burn_rate_row_and_budget_is_what_the_samples_come_to(case in case()) {
        case.check()?;
    }
}
