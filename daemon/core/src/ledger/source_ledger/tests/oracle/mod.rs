//! An oracle: what random histories must come to, worked out apart from the ledger, from the samples alone and in whole fractions.
//!
//! The rules that it knows are those that users are told (`rules`): an increase counts at its later sample; a counter that falls counts from zero; what
//! happened in a gap counts right behind the sample before it; a first value counts where its target was seen just before, or before a standstill; a counter
//! goes on under labels that are changed; a bucket holds those below it; a minute is good, bad or unseen. Lookbacks begin at an edge of slices of 10 s (up to 1 h), 1 min (6 h), 5 min (3 d), 1 h. Samples may show themselves
//! late (`history`): within the time in which they settle, or so late that only a second reading finds them. `PROPTEST_CASES` sets how many histories
//! are tried.

mod history;
mod rules;

use super::*;
use crate::{
    alert::AlertState,
    alert_rows::default_rows,
    budget::BudgetLeft,
    burn_rate::RowBurn,
    evaluate::{Input, evaluate},
    exclusion::Excluded,
    id::{BudgetId, Group},
    ledger::Stream,
    slo::{AlertRow, LowTraffic},
    units::Target,
    window::Interval,
};
use history::{Minute, Shown, Turn, What, beside, minute, record, turn, values};
use rules::{Told, latency, millis, presence, query, requests, window};

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

/// The burn rate of counts at a target that lets so many of a million fail, where what is tolerated fails by half; `None` without events.
fn burn(counts: Counts, allowed: i128) -> Option<Fraction> {
    let total = i128::from(counts.total());
    let failed = Fraction::new(2 * i128::from(counts.bad) + i128::from(counts.tolerated), 2 * total);
    (total > 0).then(|| failed.times(Fraction::new(1_000_000, allowed)))
}

/// The kinds of SLIs, by the name of the SLO.
const KINDS: [&str; 5] = ["a", "l", "p", "w", "q"];

/// What the samples come to for the SLO of a kind.
fn told(kind: &str, shown: &[Shown], now: Timestamp) -> Told {
    match kind {
        "a" => requests(shown, now),
        "l" => latency(shown, now),
        "p" => presence(shown, now),
        "w" => window(shown, now),
        _ => query(shown, now),
    }
}

/// A history, and what happened to the daemon that read it.
#[derive(Debug, Clone)]
struct Case {
    a: Vec<(Turn, i64)>,
    b: Vec<(Turn, i64)>,
    minutes: Vec<Minute>,
    /// Another target is scraped all along.
    beside: bool,
    events: Vec<(i64, Event)>,
    percent: &'static str,
    allowed: i128,
}

/// Histories in which a sample shows itself so late, and nobody scrapes a target for so long, at most.
fn case(latest: i64, longest: i64) -> impl Strategy<Value = Case> {
    let turns = move |most| prop::collection::vec((turn(longest), prop_oneof![6 => Just(0_i64), 1 => 0_i64..latest]), 1..most);
    let targets = prop::sample::select(vec![("99.9%", 1_000), ("99%", 10_000), ("99.95%", 500), ("50%", 500_000), ("99.9999%", 1)]);
    let events = prop::collection::vec((1_i64..900, event(&["up", "m", "h_bucket", "p", "v", "t", "b"])), 1..40);
    let minutes = prop::collection::vec(minute(latest), 1..40);
    (turns(120), turns(60), minutes, any::<bool>(), events, targets).prop_map(|(a, b, minutes, beside, events, (percent, allowed))| Case {
        a,
        b,
        minutes,
        beside,
        events,
        percent,
        allowed,
    })
}

impl Case {
    /// One of each kind.
    fn slos(&self) -> Vec<Arc<Slo>> {
        let target = Target::percent(self.percent).expect("a target");
        let slos = [
            availability()[0].clone(),
            fixture::latency("l", 0.1, Some(1.0)),
            fixture::presence("p", minutes(1), &[]),
            stepped::window_of("w"),
            stepped::query_of("q"),
        ];
        let judged = |slo: &Arc<Slo>| {
            let mut slo = (**slo).clone();
            slo.objectives[0].target = target;
            slo.objectives[0].rows = default_rows(target, days(30)).rows;
            slo.low_traffic = LowTraffic::Off;
            Arc::new(slo)
        };
        slos.iter().map(judged).collect()
    }

    /// All samples in the order in which they become readable, and a moment behind the last. Of each target so many at the end come in time, and so do
    /// values meanwhile.
    fn shown(&self, behind: u32) -> (Vec<Shown>, i64) {
        let mut shown = record("a", 0, &self.a, behind);
        shown.extend(record("b", 7, &self.b, behind));
        let end = (shown.iter().map(|one| one.readable).max().expect("scrapes") + 10) / 10 * 10;
        if self.beside {
            shown.extend(beside(end));
        }
        shown.extend(values(&self.minutes, end - 15 * i64::from(behind), end));
        shown.retain(|one| one.readable <= end);
        shown.sort_by_key(|one| one.readable);
        (shown, end)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let (shown, end) = self.shown(0);
        let mut step_by_step = self.live(&shown, end);
        let mut source = Source::default();
        for one in &shown {
            source.show(one);
        }
        let mut at_once = Daemon::start(self.slos(), at(0));
        at_once.tick(&source, at(end));
        prop_assert_eq!(sums(&step_by_step, at(end)), sums(&at_once, at(end)), "step by step equals at once");
        for daemon in [&mut step_by_step, &mut at_once] {
            self.check_all(daemon, &shown, at(end))?;
            daemon.tick(&source, at(end + 120));
        }
        prop_assert_eq!(step_by_step.decoded(), at_once.decoded(), "once all is settled, slice by slice");
        Ok(())
    }

    /// A daemon that lived through the events while samples became readable.
    fn live(&self, shown: &[Shown], end: i64) -> Daemon {
        let mut source = Source::default();
        let mut unread = shown.iter().peekable();
        let fleet = Fleet { kept: self.slos(), split: self.slos(), all: self.slos() };
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

    /// Once second readings have found what came late, nothing is different from what the samples come to.
    fn check_late(&self) -> Result<(), TestCaseError> {
        let (shown, end) = self.shown(SCRAPES_IN_TIME);
        let mut source = Source::default();
        let mut unread = shown.iter().peekable();
        let fleet = Fleet { kept: self.slos(), split: self.slos(), all: self.slos() };
        let mut daemon = Daemon::start(fleet.all.clone(), at(0));
        // What is older than the first start is not read again.
        daemon.tick(&source, at(0));
        let mut now = 0;
        let calm = std::iter::repeat((60, Event::Tick));
        for (later, event) in self.events.iter().copied().chain(calm) {
            if now == end {
                break;
            }
            now = (now + later).min(end);
            while let Some(one) = unread.next_if(|one| one.readable <= now) {
                source.show(one);
            }
            // All that is late is there by then: it is found if nothing more happens.
            daemon.undergo(if now < end - UNDISTURBED { event } else { Event::Tick }, &source, &fleet, at(now));
            daemon.tick(&source, at(now));
            while daemon.read_again(&source, at(now)) {}
        }
        self.check_all(&daemon, &shown, at(end))?;
        daemon.compact(at(end));
        daemon.restart(at(end));
        daemon.tick(&source, at(end));
        self.check_all(&daemon, &shown, at(end))
    }

    fn check_all(&self, daemon: &Daemon, shown: &[Shown], now: Timestamp) -> Result<(), TestCaseError> {
        for (kind, slo) in KINDS.into_iter().zip(self.slos()) {
            let told = told(kind, shown, now);
            let stream = daemon.ledger.streams().find(|stream| *stream.slo == slo.id).expect("a stream");
            prop_assert_eq!(stream.counted_from, told.from, "{} is counted from there", kind);
            match daemon.ledger.sums(stream.index, now) {
                Ok(sums) => {
                    for lookback in LOOKBACKS {
                        prop_assert_eq!(sums.over(lookback), told.over(lookback, now), "{} over {:?}", kind, lookback);
                    }
                    self.check_decision(&slo, stream, &sums, &told, now)?;
                }
                Err(unknown) => {
                    let is_old = told.newest.is_none_or(|newest| now.since(newest) > minutes(1) * 7 / 2);
                    prop_assert!(is_old && !["a", "l"].contains(&kind), "{}: {}", kind, unknown);
                }
            }
        }
        Ok(())
    }

    /// Every burn rate, every row, and what is left of a budget of events.
    fn check_decision(&self, slo: &Slo, stream: &Stream, sums: &dyn Sums, told: &Told, now: Timestamp) -> Result<(), TestCaseError> {
        let input = Input {
            sums: Ok(sums),
            held: None,
            over: Interval::ending(now, days(30)),
            newest_sample: stream.newest_sample,
            counted_from: stream.counted_from,
            unjudged: Duration::ZERO,
            excluded: Excluded::default(),
            began: None,
            catching_up: false,
            to_fill: Duration::ZERO,
            members: Vec::new(),
        };
        let budget = BudgetId { slo: slo.id.clone(), objective: slo.objectives[0].name.clone(), group: Group::whole() };
        let status = evaluate(slo, &slo.objectives[0], budget, &input, AlertState::default(), now).status;
        let counted = told.from.map_or(Duration::ZERO, |from| now.since(from));
        for row in &status.rows {
            prop_assert_eq!(row.holds(), self.holds(told, row, counted, now), "{:?}", row);
        }
        if !["a", "l"].contains(&slo.id.name.as_str()) {
            return Ok(());
        }
        // Time in which nothing was scraped by now, beyond the minute within which the next sample was due, says nothing of the budget.
        let silence = told.silent_since.map_or(Duration::ZERO, |since| now.since(since).saturating_sub(minutes(1)));
        let spent = burn(told.over(days(30), now), self.allowed).map(|burn| burn.times(part_of(counted.saturating_sub(silence), days(30))));
        let left = spent.map(|spent| Fraction::new(spent.den - spent.num, spent.den));
        prop_assert_eq!(left.is_some(), status.left.is_some());
        if let (Some(exact), Some(BudgetLeft { ratio, .. })) = (left, status.left) {
            prop_assert!((ratio - exact.nearest()).abs() <= 1e-12 * exact.nearest().abs().max(1.0), "{} where {:?} is right", ratio, exact);
            prop_assert_eq!(status.left.is_some_and(|left| left.is_spent()), exact.num <= 0);
        }
        Ok(())
    }

    /// Both lookbacks are strictly above the factor; where not all of the long one is counted, with the rest taken as without a failure.
    fn holds(&self, told: &Told, row: &RowBurn, counted: Duration, now: Timestamp) -> bool {
        let AlertRow { factor, long, short, urgency: _ } = row.row;
        let factor = Fraction::new(factor.ratio().num().into(), factor.ratio().den().into());
        let burn_over = |lookback| burn(told.over(lookback, now), self.allowed);
        let above = |burn: Option<Fraction>| burn.is_some_and(|burn| burn.exceeds(factor));
        above(burn_over(long).map(|burn| burn.times(part_of(counted, long)))) && above(burn_over(short))
    }
}

/// The part of a lookback that is counted.
fn part_of(counted: Duration, whole: Duration) -> Fraction {
    Fraction::new(millis(counted.min(whole)).into(), millis(whole).into())
}

/// So many seconds at the end nothing but ticks happens, and nothing late comes any more.
const UNDISTURBED: i64 = 3_000;

/// So late at most a sample shows itself that is found for certain.
const LATEST: i64 = 1_790;

/// That often both targets are scraped in time at the end: as long as the latest sample may be late, and for as long as nothing happens.
const SCRAPES_IN_TIME: u32 = 320;
const _: () = assert!(SCRAPES_IN_TIME as i64 * 15 >= UNDISTURBED + LATEST);

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    // Scrapes take long to show themselves, but not longer than samples settle.
    fn every_sum_burn_rate_row_and_budget_is_what_the_samples_come_to(case in case(50, 20_000)) {
        case.check()?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..cases(12) })]

    #[test]
    // A counter that is gone for an hour while another target is scraped would be forgotten.
    fn so_is_each_once_late_samples_are_found(case in case(LATEST, 3_400)) {
        case.check_late()?;
    }
}
