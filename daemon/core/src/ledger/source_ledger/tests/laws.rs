//! Laws: however rounds are cut, missed, restarted or rolled up, the ledger is the same; and it equals the differences of all neighbouring samples.
//!
//! `PROPTEST_CASES` sets how many cases are tried.

use super::*;
use super::{composed::journey, judged::in_slices};
use crate::{
    ledger::verdict::judge,
    sli::composite::WhenUnseen,
    slo::{NewSeries, SliceRule},
    units::GoodShare,
    window::{Grain, Period, Window, Zone},
};

/// What may happen between two scrapes of an instance.
#[derive(Debug, Clone, Copy)]
pub(super) enum Turn {
    Requests {
        good: u64,
        bad: u64,
    },
    Restart {
        good: u64,
    },
    Failed,
    Missed,
    /// Scraped without the bucket of a threshold; nothing happened.
    WithoutBucket,
    StoodStill {
        scrapes: u8,
    },
    /// A label is put in the place of another one, by which `up` of the target is told, too, or its series alone.
    Relabelled {
        up: bool,
    },
}

pub(super) fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        12 => (0_u64..50, 0_u64..4).prop_map(|(good, bad)| Turn::Requests { good, bad }),
        1 => (0_u64..9).prop_map(|good| Turn::Restart { good }),
        1 => Just(Turn::Failed),
        1 => Just(Turn::Missed),
        1 => Just(Turn::WithoutBucket),
        1 => (1_u8..60).prop_map(|scrapes| Turn::StoodStill { scrapes }),
        1 => any::<bool>().prop_map(|up| Turn::Relabelled { up }),
    ]
}

/// The labels that relabelling gave a target, and in how many scrapes it showed them.
#[derive(Debug, Clone, Default)]
struct Worn {
    up: String,
    series: String,
    changes: usize,
    scrapes: usize,
}

impl Worn {
    /// A change of all of a target changes a value; one of its series alone puts a name in the place of another.
    fn change(&mut self, up: bool) {
        self.changes += 1;
        self.scrapes = 0;
        *(if up { &mut self.up } else { &mut self.series }) = format!("l{}", self.changes);
    }

    fn up(&self) -> Vec<(&str, &str)> {
        if self.up.is_empty() { vec![] } else { vec![("env", &self.up)] }
    }

    fn series(&self) -> Vec<(&str, &str)> {
        let of_series = Some((self.series.as_str(), "x")).filter(|(name, _)| !name.is_empty());
        self.up().into_iter().chain(of_series).collect()
    }
}

/// An instance, scraped every 15 s from 15 minutes before the start, with the histories of its counters.
pub(super) struct Instance {
    name: &'static str,
    up: bool,
    proven: bool,
    worn: Worn,
    pub(super) now: i64,
    start: Timestamp,
    good: u64,
    bad: Option<u64>,
    last_bad: u64,
    /// What must be counted of the requests, by the difference of each pair of neighbours.
    expected: Counts,
    /// The same of the histogram.
    observed: Counts,
    /// The same of the native histogram.
    native: Counts,
    /// Every sample of the probe.
    probed: Counts,
}

impl Instance {
    /// Failures begin at any moment.
    pub(super) fn record(source: &mut Source, name: &'static str, offset: i64, up: bool, turns: &[Turn]) -> Self {
        Self::record_from(source, name, offset, (up, false), turns)
    }

    /// Where that must be `proven`, failures begin only one scrape after another.
    fn record_from(source: &mut Source, name: &'static str, offset: i64, (up, proven): (bool, bool), turns: &[Turn]) -> Self {
        let mut instance = Self {
            name,
            up,
            proven,
            worn: Worn::default(),
            now: offset - 900,
            start: at(-100_000),
            good: 0,
            bad: None,
            last_bad: 0,
            expected: Counts::default(),
            observed: Counts::default(),
            native: Counts::default(),
            probed: Counts::default(),
        };
        for _ in 0..50 {
            instance.scraped(source);
        }
        let mut seen = true;
        for turn in turns {
            seen = instance.turn(source, *turn, seen);
        }
        instance
    }

    /// Gives back whether it was seen.
    fn turn(&mut self, source: &mut Source, turn: Turn, seen_before: bool) -> bool {
        match turn {
            Turn::Requests { good, bad } => {
                self.serve(self.good + good);
                // A first value needs the proof of a scrape before.
                if self.bad.is_some() || (bad > 0 && (seen_before || !self.proven)) {
                    let value = self.bad.unwrap_or(0) + bad;
                    self.expected.bad += difference(self.last_bad, value);
                    (self.bad, self.last_bad) = (Some(value), value);
                }
                self.scraped(source);
                return true;
            }
            Turn::Restart { good } => {
                self.serve(good);
                (self.bad, self.start) = (None, at(self.now - 5));
                self.scraped(source);
                return true;
            }
            Turn::WithoutBucket => {
                self.scraped_with(source, |le| le != "0.1");
                self.worn.scrapes = 0;
                return true;
            }
            Turn::Relabelled { up } => {
                // What of it was born in the very scrape would have no past.
                if seen_before && self.worn.scrapes > 3 {
                    self.worn.change(up && self.up);
                    // A counter that is not there has none under its new labels either.
                    self.last_bad = self.bad.unwrap_or(0);
                }
                self.scraped(source);
                return true;
            }
            Turn::Failed if self.up => self.put(source, &[("__name__", "up")], &self.worn.up(), 0.0),
            Turn::Failed | Turn::Missed => {}
            Turn::StoodStill { scrapes } => self.now += i64::from(scrapes) * 15,
        }
        self.now += 15;
        false
    }

    fn labelled<'l>(&self, labels: &[(&'l str, &'l str)], worn: &[(&'l str, &'l str)]) -> Vec<(&'l str, &'l str)> {
        [&[("job", "x"), ("instance", self.name)], labels, worn].concat()
    }

    fn put(&self, source: &mut Source, labels: &[(&str, &str)], worn: &[(&str, &str)], value: f64) {
        source.put(&self.labelled(labels, worn), at(self.now), value);
    }

    /// The counter of good requests goes on to `good`.
    fn serve(&mut self, good: u64) {
        self.expected.good += difference(self.good, good);
        let (before, after) = (observations(self.good), observations(good));
        let [within, tolerated, all] = [0, 1, 2].map(|bucket: usize| difference(before[bucket].1, after[bucket].1));
        self.observed += Counts { good: within, tolerated: tolerated - within, bad: all - tolerated, unseen_millis: 0 };
        let (fast, before) = (i64::try_from(good / 2).expect("few"), if good < self.good { 0 } else { self.good });
        let new = i64::try_from(good - before).expect("few");
        let fast = fast - i64::try_from(before / 2).expect("few");
        self.native += Counts { tolerated: fast, bad: new - fast, ..Counts::default() };
        self.good = good;
    }

    /// Requests by code, a histogram of them, and every seventh good one as a failure of its own kind.
    fn scraped(&mut self, source: &mut Source) {
        self.scraped_with(source, |_| true);
    }

    fn scraped_with(&mut self, source: &mut Source, has_bucket: impl Fn(&str) -> bool) {
        let (at, worn) = (at(self.now), self.worn.clone());
        if self.up {
            self.put(source, &[("__name__", "up")], &worn.up(), 1.0);
            self.put(source, &[("__name__", "process_start_time_seconds")], &worn.series(), self.start.seconds());
        }
        self.put(source, &[("__name__", "m"), ("code", "200")], &worn.series(), self.good as f64);
        if let Some(bad) = self.bad {
            self.put(source, &[("__name__", "m"), ("code", "500")], &worn.series(), bad as f64);
        }
        if self.good >= 7 {
            self.put(source, &[("__name__", "n")], &worn.series(), (self.good / 7) as f64);
        }
        for (le, count) in observations(self.good).into_iter().filter(|(le, _)| has_bucket(le)) {
            self.put(source, &[("__name__", "h_bucket"), ("le", le)], &worn.series(), count as f64);
        }
        let native = [(0.05, 0.1, self.good / 2), (0.5, 1.0, self.good - self.good / 2)];
        source.observe(&self.labelled(&[("__name__", "h")], &worn.series()), at, self.good, &native);
        self.put(source, &[("__name__", "p")], &worn.series(), f64::from(u8::from(!self.good.is_multiple_of(5))));
        self.worn.scrapes += 1;
        self.probed += if self.good.is_multiple_of(5) { events(0, 1) } else { events(1, 0) };
        self.now += 15;
    }
}

/// A target of which no SLO takes anything, scraped every 15 s.
pub(super) fn scraped_beside(source: &mut Source, from: i64, to: i64) {
    for second in (from..to).step_by(15) {
        source.up("beside", at(second + 4), 1.0);
    }
}

/// A histogram of the good requests: half are fast, three quarters at least tolerable.
fn observations(good: u64) -> [(&'static str, u64); 3] {
    [("0.1", good / 2), ("1", good / 4 * 3), ("+Inf", good)]
}

/// What a counter that goes from one value to another counts: a reset is seen where it falls.
fn difference(before: u64, after: u64) -> i64 {
    i64::try_from(if after < before { after } else { after - before }).expect("few")
}

/// What a source held, and when the daemon did what, each so many seconds after the one before.
#[derive(Debug, Clone)]
struct Case {
    a: Vec<Turn>,
    b: Vec<Turn>,
    up: bool,
    /// Another target is scraped all along.
    beside: bool,
    fine: bool,
    events: Vec<(i64, Event)>,
}

fn case() -> impl Strategy<Value = Case> {
    let turns = |most| prop::collection::vec(turn(), 1..most);
    let events = prop::collection::vec((1_i64..400, event(&["up", "n", "m", "h_bucket", "p"])), 1..60);
    let ways = (prop::bool::weighted(0.7), any::<bool>(), any::<bool>());
    (turns(200), turns(100), ways, events).prop_map(|(a, b, (up, beside, fine), events)| Case { a, b, up, beside, fine, events })
}

/// An SLO of every kind of raw samples, with objectives in events and in slices, and two journeys over them.
pub(super) fn every_kind(fine: bool) -> Vec<Arc<Slo>> {
    let mut brief = (*availability()[0]).clone();
    if fine {
        brief.objectives[0].rows[0].short = minutes(1);
    }
    let mut split = (*two_slos()[1]).clone();
    split.new_series = if fine { NewSeries::CountFirst } else { NewSeries::Baseline };
    let zone = Zone::parse("Asia/Kathmandu", Grain::QuarterHour).expect("a name");
    split.objectives[0].window = Window::Calendar { period: Period::Month, zone };
    brief.objectives.push(in_slices(&brief.objectives[0], 1));
    split.objectives.push(in_slices(&split.objectives[0], 5));
    vec![
        Arc::new(brief),
        Arc::new(split),
        fixture::latency("c", 0.1, Some(1.0)),
        fixture::probe("d", &["p", "up"], &["instance"]),
        fixture::presence("e", minutes(1), &["instance"]),
        fixture::native_latency("f", 0.07),
        journey("y", &[("c", "60%", WhenUnseen::Exclude), ("a", "99%", WhenUnseen::Unknown)], None, &[]),
        journey("z", &[("d", "75%", WhenUnseen::Unknown), ("e", "100%", WhenUnseen::CountAsBad)], Some(["66.7%", "33.3%"]), &["instance"]),
    ]
}

impl Case {
    fn slos(&self) -> Vec<Arc<Slo>> {
        every_kind(self.fine)
    }

    /// A daemon that never missed a tick, and one that these events happened to, agree in every settled slice and every sum.
    fn check(&self) -> Result<(), TestCaseError> {
        let mut source = Source::default();
        let ends = [("a", 0, &self.a), ("b", 7, &self.b)]
            .map(|(name, offset, turns)| Instance::record(&mut source, name, offset, self.up, turns).now);
        let end = (ends.into_iter().max().expect("two") + 300) / 10 * 10;
        if self.beside {
            scraped_beside(&mut source, -900, end);
        }
        let mut calm = Daemon::start(self.slos(), at(0));
        calm.tick_every(&source, 30, 0, end);
        calm.tick(&source, at(end));
        let mut rough = self.rough(&source, end);
        rough.replace_slos(self.slos(), at(end));
        rough.tick(&source, at(end));
        prop_assert_eq!(rough.decoded(), calm.decoded());
        let known = without_neighbours(sums(&calm, at(end)));
        prop_assert_eq!(without_neighbours(sums(&rough, at(end))), known.clone());
        assert_verdicts_follow_from_events(&rough)?;
        assert_journeys_follow_from_verdicts(&rough)?;
        // The memory equals what the store holds.
        rough.compact(at(end));
        rough.restart(at(end));
        rough.tick(&source, at(end));
        prop_assert_eq!(without_neighbours(sums(&rough, at(end))), known);
        Ok(())
    }

    fn rough(&self, source: &Source, end: i64) -> Daemon {
        let slos = self.slos();
        let fleet = Fleet { kept: slos[..1].to_vec(), split: split_otherwise(&slos), all: slos };
        let mut rough = Daemon::start(fleet.all.clone(), at(0));
        let mut now = 0;
        for (later, event) in &self.events {
            now = (now + later).min(end - 1);
            rough.undergo(*event, source, &fleet, at(now));
        }
        rough
    }
}

/// The same without the neighbours of a bucket that is missing: they are what the source had when it was asked for them, and that is asked when one is missed.
fn without_neighbours(mut sums: AllSums) -> AllSums {
    let unknown = sums.values_mut().flatten().filter_map(|sum| sum.as_mut().err());
    for Unknown { detail, .. } in unknown.filter(|unknown| unknown.reason == Reason::NoBucket) {
        let known = detail.split(';').next().unwrap_or_default().to_owned();
        *detail = known;
    }
    sums
}

/// Every settled verdict is that of the settled events of its slice, and no slice that can be judged lacks one.
pub(super) fn assert_verdicts_follow_from_events(daemon: &Daemon) -> Result<(), TestCaseError> {
    for (judged, stream) in daemon.ledger.judged.iter().zip(VERDICTS..) {
        let length = judged.rule.length;
        let verdicts: Vec<_> = daemon.history.entries.iter().filter(|entry| entry.stream == stream).collect();
        let first = verdicts.iter().map(|entry| entry.end).min().expect("it was opened by a verdict");
        let last = judged.slices.newest_end().expect("a verdict");
        let mut end = first;
        while end <= last {
            let start = end.minus(length);
            let events = daemon.history.entries.iter().filter(|entry| entry.stream == judged.of && entry.end > start && entry.end <= end);
            let unseen = daemon.history.spans.iter().filter(|span| span.stream == judged.of).map(|span| span.within(start, end));
            let counts: Counts = events.map(|entry| entry.counts).chain(unseen).sum();
            let verdict: Counts = verdicts.iter().filter(|entry| entry.end == end).map(|entry| entry.counts).sum();
            prop_assert_eq!(verdict, judge(&judged.rule, counts), "slice of {:?} that ends at {:?}: {:?}", length, end, counts);
            end = end.plus(length);
        }
    }
    Ok(())
}

/// Every slice of a journey is what the verdicts of its members make of it, by a rule that is written down anew here, and none is left out.
fn assert_journeys_follow_from_verdicts(daemon: &Daemon) -> Result<(), TestCaseError> {
    let ledger = &daemon.ledger;
    let verdicts = |slo: &str, group: &str, rule: SliceRule, end: Timestamp| -> Option<(i64, i64)> {
        let streams = ledger.streams.iter().map(|held| &held.stream);
        let events = streams.into_iter().find(|stream| stream.slo.name.as_str() == slo && stream.group.values() == group)?.index;
        let stream = ledger.judged(events, rule)?;
        let counts: Counts =
            daemon.history.entries.iter().filter(|entry| entry.stream == stream && entry.end == end).map(|entry| entry.counts).sum();
        Some((counts.good, counts.bad))
    };
    for held in ledger.streams.iter().filter(|held| ["y", "z"].contains(&held.stream.slo.name.as_str())) {
        let (stream, group) = (held.stream.index, held.stream.group.values());
        let booked: Vec<_> = daemon.history.entries.iter().filter(|entry| entry.stream == stream).collect();
        let Some(mut end) = booked.iter().map(|entry| entry.end).min() else { continue };
        let last = held.slices.newest_end().expect("a slice");
        while end <= last {
            let counts: Counts = booked.iter().filter(|entry| entry.end == end).map(|entry| entry.counts).sum();
            let share = |text: &str| SliceRule { length: minutes(1), good_from: GoodShare::percent(text).expect("a share") };
            let of = |slo: &str, text: &str| verdicts(slo, &group, share(text), end).unwrap_or_default();
            let expected = if held.stream.slo.name.as_str() == "y" {
                match (of("c", "60%"), of("a", "99%")) {
                    ((_, 1..), _) | (_, (_, 1..)) => (0, 1, 0),
                    (_, (0, _)) => (0, 0, 60_000),
                    _ => (1, 0, 0),
                }
            } else {
                let of_d = match of("d", "75%") {
                    (_, 1..) => (0, 667_000, 0),
                    (0, _) => (0, 0, 40_020),
                    _ => (667_000, 0, 0),
                };
                let of_e = if of("e", "100%").0 > 0 { (333_000, 0) } else { (0, 333_000) };
                (of_d.0 + of_e.0, of_d.1 + of_e.1, of_d.2)
            };
            prop_assert_eq!((counts.good, counts.bad, counts.unseen_millis), expected, "{} {} at {:?}", held.stream.slo, group, end);
            end = end.plus(minutes(1));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn counts_equal_the_differences_of_all_neighbours(turns in prop::collection::vec(turn(), 1..150)) {
        let mut source = Source::default();
        let instance = Instance::record_from(&mut source, "a", 0, (true, true), &turns);
        let end = at(instance.now + 60);
        let slos = vec![availability()[0].clone(), fixture::latency("b", 0.1, Some(1.0)), fixture::probe("c", &["p"], &[]), fixture::native_latency("d", 0.07)];
        let mut daemon = Daemon::start(slos, at(0));
        daemon.tick(&source, end);
        for (slo, expected) in [("a", instance.expected), ("b", instance.observed), ("c", instance.probed), ("d", instance.native)] {
            let counted = daemon.ledger.between(daemon.index(slo, ""), at(-7200), end);
            prop_assert_eq!(Counts { unseen_millis: 0, ..counted }, expected);
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn neither_batches_nor_restarts_nor_outages_nor_roll_up_change_anything(case in case()) {
        case.check()?;
    }
}

#[test]
fn what_a_source_that_is_gone_lacks_is_told_alike_after_a_restart() {
    let still = Turn::Requests { good: 0, bad: 0 };
    let case = |b: Vec<Turn>, events: Vec<(i64, Event)>| Case { a: vec![still], b, up: false, beside: false, fine: false, events };
    let bucketless = case(vec![Turn::WithoutBucket, Turn::StoodStill { scrapes: 2 }], vec![(1, Event::Tick)]);
    bucketless.check().expect("the last scrape of all lacks a bucket");
    let split = [(184, Event::Tick), (26, Event::Tick), (1, Event::Split), (1, Event::NoAnswer), (1, Event::Restart)];
    case(vec![Turn::StoodStill { scrapes: 4 }], split.to_vec()).check().expect("split otherwise meanwhile");
}

/// Two targets that stood still for long, one of which is scraped once behind it: how often is not known, so that it is awaited for a minute's spacings.
#[test]
fn a_target_whose_pace_is_not_known_is_awaited_alike_however_much_is_read_at_once() {
    let quiet = |scrapes: usize| vec![Turn::Requests { good: 0, bad: 0 }; scrapes];
    let behind = |before: usize, scrapes, after: &[Turn]| [quiet(before), vec![Turn::StoodStill { scrapes }], after.to_vec()].concat();
    let one = Turn::Requests { good: 0, bad: 0 };
    let a = behind(45, 30, &[one, one, Turn::Missed, Turn::Missed, one]);
    let b = behind(33, 40, &[one, Turn::Missed]);
    let case = Case { a, b, up: true, beside: false, fine: false, events: vec![(1, Event::Tick)] };
    case.check().expect("what was missed is as if it had been read in time");
}
