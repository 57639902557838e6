use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included},
};

use proptest::prelude::*;

mod composed;
mod counting;
mod coverage;
mod exclusions;
mod first_values;
mod images;
mod judged;
mod latency;
mod laws;
mod native;
mod oracle;
mod own;
mod past;
mod plans;
mod presence;
mod probes;
mod reading;
mod relabelled;
mod replicas;
mod second;
mod splits;
mod stepped;
mod suspects;

use super::*;
use crate::{
    ledger::{Counts, Histogram, Image, Query, Sample, Segment, SegmentKey, Stored, Sums, fixture, segment},
    sli::{CompiledSelector, Counted::Bad, Dialect, Labels, MatchOp, Selector, Sli},
    slo::Slo,
    time::{hours, minutes},
};

/// A whole number of hours since the epoch.
const T0: i64 = 1_699_999_200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(T0 + seconds)
}

/// The marker that a source puts where a scrape did not hold a series any more.
const ENDED: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

fn is_ended(value: f64) -> bool {
    value.to_bits() == ENDED.to_bits()
}

/// The samples that a source holds.
#[derive(Debug, Clone, Default)]
struct Source {
    series: BTreeMap<Labels, BTreeMap<Timestamp, f64>>,
    histograms: BTreeMap<Labels, BTreeMap<Timestamp, Arc<Histogram>>>,
}

impl Source {
    fn put(&mut self, labels: &[(&str, &str)], at: Timestamp, value: f64) {
        self.series.entry(fixture::labels(labels)).or_default().insert(at, value);
    }

    /// A sample of a native histogram: all observations, and the buckets as lower bound, upper bound and count.
    fn observe(&mut self, labels: &[(&str, &str)], at: Timestamp, count: u64, buckets: &[(f64, f64, u64)]) {
        let histogram = Histogram::new(count, buckets.iter().copied()).expect("in order");
        self.histograms.entry(fixture::labels(labels)).or_default().insert(at, Arc::new(histogram));
        self.put(labels, at, count as f64);
    }

    fn histograms(&self, labels: &Labels, samples: &[Sample]) -> BTreeMap<Timestamp, Arc<Histogram>> {
        let Some(held) = self.histograms.get(labels) else { return BTreeMap::new() };
        // At a step of history stands the newest one before.
        samples.iter().filter_map(|sample| Some((sample.at, Arc::clone(held.range(..=sample.at).next_back()?.1)))).collect()
    }

    /// A scrape of the instance `a`: `up`, requests by code.
    fn scrape(&mut self, at: Timestamp, codes: &[(&str, u64)]) {
        self.scrape_of("a", at, codes);
    }

    fn scrape_of(&mut self, instance: &str, at: Timestamp, codes: &[(&str, u64)]) {
        self.up(instance, at, 1.0);
        self.requests(instance, at, codes);
    }

    fn up(&mut self, instance: &str, at: Timestamp, value: f64) {
        self.put(&[("__name__", "up"), ("job", "x"), ("instance", instance)], at, value);
    }

    fn requests(&mut self, instance: &str, at: Timestamp, codes: &[(&str, u64)]) {
        for (code, value) in codes {
            self.put(&[("__name__", "m"), ("job", "x"), ("instance", instance), ("code", code)], at, *value as f64);
        }
    }

    fn started(&mut self, instance: &str, at: Timestamp, start: Timestamp) {
        self.put(&[("__name__", "process_start_time_seconds"), ("job", "x"), ("instance", instance)], at, start.seconds());
    }

    /// What it answers to a question of the plan.
    fn ask(&self, query: &Query, from: Timestamp, to: Timestamp) -> Vec<Series> {
        match query {
            Query::Raw(selector) | Query::Histograms(selector) => self.read(selector, from, to),
            Query::Stepped { expression, step } => self.evaluate(expression.as_str(), from, to, *step),
        }
    }

    /// The same for a step of history.
    fn ask_history(&self, query: &Query, from: Timestamp, to: Timestamp, step: Duration) -> Vec<Series> {
        match query {
            Query::Raw(selector) | Query::Histograms(selector) => self.read_steps(selector, from, to, step),
            Query::Stepped { .. } => self.ask(query, from, to),
        }
    }

    /// Expressions are names here: their values were put at the instants.
    fn evaluate(&self, name: &str, from: Timestamp, to: Timestamp, step: Duration) -> Vec<Series> {
        let mut series = self.read(&fixture::selector(name), from, to);
        for series in &mut series {
            series.samples.retain(|sample| sample.at.floor(step) == sample.at);
        }
        series
    }

    fn read(&self, selector: &Selector, from: Timestamp, to: Timestamp) -> Vec<Series> {
        let compiled = CompiledSelector::new(selector, Dialect::default());
        let matching = self.series.iter().filter(|(labels, _)| compiled.matches(labels));
        let within = |samples: &BTreeMap<Timestamp, f64>| -> Vec<Sample> {
            let within = samples.range((Excluded(from), Included(to))).filter(|(_, value)| !is_ended(**value));
            within.map(|(at, value)| Sample { at: *at, value: *value }).collect()
        };
        let series = matching.map(|(labels, samples)| self.series_of(labels, within(samples)));
        series.filter(|series| !series.samples.is_empty()).collect()
    }

    /// As `query_range` answers: at every step the newest sample of the last five minutes, if the series has not ended behind it.
    fn read_steps(&self, selector: &Selector, from: Timestamp, to: Timestamp, step: Duration) -> Vec<Series> {
        let compiled = CompiledSelector::new(selector, Dialect::default());
        let steps = || (1..).map(|n| from.plus(step * n)).take_while(|at| *at <= to);
        let newest = |samples: &BTreeMap<Timestamp, f64>, at: Timestamp| {
            samples
                .range(at.minus(minutes(5)).plus(Duration::from_millis(1))..=at)
                .next_back()
                .filter(|(_, value)| !is_ended(**value))
                .map(|(_, value)| Sample { at, value: *value })
        };
        let matching = self.series.iter().filter(|(labels, _)| compiled.matches(labels));
        matching.map(|(labels, samples)| self.series_of(labels, steps().filter_map(|at| newest(samples, at)).collect())).collect()
    }

    fn series_of(&self, labels: &Labels, samples: Vec<Sample>) -> Series {
        Series { labels: labels.clone(), histograms: self.histograms(labels, &samples), samples }
    }
}

/// What may happen to a daemon.
#[derive(Debug, Clone, Copy)]
enum Event {
    Tick,
    Restart,
    Compact,
    /// The image of one part is kept anew, by its place among all.
    Image(usize),
    NoAnswer,
    NoAnswerOf(&'static str),
    /// Some SLOs are removed, and return with the next one of these or at the end.
    Remove,
    /// Each SLO is split otherwise, until the same.
    Split,
    Return,
}

/// Events of a daemon that asks for these names.
fn event(names: &'static [&'static str]) -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => Just(Event::Tick),
        2 => Just(Event::Restart),
        1 => Just(Event::Compact),
        2 => (0_usize..4).prop_map(Event::Image),
        1 => Just(Event::NoAnswer),
        1 => prop::sample::select(names).prop_map(Event::NoAnswerOf),
        1 => Just(Event::Remove),
        1 => Just(Event::Split),
        1 => Just(Event::Return),
    ]
}

/// The SLOs of a daemon, those that it keeps when some are removed, and all of them as they are split otherwise.
struct Fleet {
    all: Vec<Arc<Slo>>,
    kept: Vec<Arc<Slo>>,
    split: Vec<Arc<Slo>>,
}

/// By instance what is not split, and what is as a whole.
fn split_otherwise(slos: &[Arc<Slo>]) -> Vec<Arc<Slo>> {
    let split = |slo: &Arc<Slo>| {
        let per = if slo.per.is_empty() { vec!["instance".to_owned()] } else { Vec::new() };
        Arc::new(Slo { per, ..(**slo).clone() })
    };
    slos.iter().map(split).collect()
}

/// `PROPTEST_CASES` sets how many cases are tried.
fn cases(few: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: asked.unwrap_or(few), max_shrink_iters: 20_000, ..ProptestConfig::default() }
}

type SlicesByName = BTreeMap<(String, Timestamp), Counts>;
type SpansByName = Vec<(String, Timestamp, Timestamp)>;

/// The settled slices of every stream, by every lookback, and where they end.
fn assert_hold_the_same(one: &SourceLedger, other: &SourceLedger, now: Timestamp) {
    let streams = (0..).zip(&one.streams).map(|(stream, _)| stream).chain((VERDICTS..).zip(&one.judged).map(|(stream, _)| stream));
    assert!(one.judged.iter().map(|judged| judged.first).eq(other.judged.iter().map(|judged| judged.first)));
    for stream in streams.filter(|stream| one.streams[one.events_of(*stream) as usize].lane.is_some()) {
        let [one, other] = [one, other].map(|ledger| ledger.kept(stream).expect("both restored it").slices);
        // The store keeps whole minutes of what is older than three hours, and an image of the memory what was there.
        let in_store = |end: Timestamp| if now.since(end) >= hours(3) { end.ceil(minutes(1)) } else { end };
        assert_eq!(one.newest_end().map(in_store), other.newest_end().map(in_store), "stream {stream}");
        for lookback in [minutes(5), minutes(30), hours(1), hours(6), hours(24), hours(72), hours(720)] {
            assert_eq!(one.over(lookback, now), other.over(lookback, now), "stream {stream} over {lookback:?}");
        }
    }
}

/// A ledger with the store behind it.
struct Daemon {
    slos: Vec<Arc<Slo>>,
    settings: Settings,
    ledger: SourceLedger,
    settled: Option<Timestamp>,
    state: Option<Vec<u8>>,
    seal: Option<Vec<u8>>,
    log: Option<Vec<u8>>,
    /// What was found late, and when.
    late: Vec<(Timestamp, RoundSlices)>,
    /// Of how many SLOs a second reading did not find what was counted.
    lost: usize,
    rounds: Vec<(i64, Vec<u8>)>,
    /// The id of the last round that there was.
    last_round: i64,
    segments: BTreeMap<SegmentKey, Segment>,
    images: BTreeMap<u32, Image>,
    /// Everything that was ever settled.
    history: RoundSlices,
}

impl Daemon {
    fn start(slos: Vec<Arc<Slo>>, now: Timestamp) -> Self {
        Self::start_with(slos, Settings { settle: minutes(1), max_groups_per_slo: 1000, history: true }, now)
    }

    fn start_with(slos: Vec<Arc<Slo>>, settings: Settings, now: Timestamp) -> Self {
        let ledger = SourceLedger::new(Plan::new(&slos), settings, now);
        Self {
            slos,
            settings,
            ledger,
            settled: None,
            state: None,
            seal: None,
            log: None,
            late: vec![],
            lost: 0,
            rounds: vec![],
            last_round: 0,
            segments: BTreeMap::new(),
            images: BTreeMap::new(),
            history: RoundSlices::default(),
        }
    }

    fn commit(&mut self, counted: Counted) {
        self.settled = Some(counted.settled());
        self.state = counted.state_blob().or(self.state.take());
        self.seal = counted.seal_blob().or(self.seal.take());
        self.log = counted.log_blob().or(self.log.take());
        if let Some(blob) = counted.blob() {
            let round = RoundSlices::unpack(&blob).expect("own blob");
            self.history.entries.extend(round.entries);
            self.history.spans.extend(round.spans);
            self.last_round += 1;
            self.rounds.push((self.last_round, blob));
        }
        self.ledger.apply(counted);
    }

    /// One round; some queries may stay without an answer.
    fn round_without(&mut self, source: &Source, now: Timestamp, failing: impl Fn(&Query) -> bool) -> bool {
        let reads = self.ledger.reads(now);
        let answer = |read: &Read| {
            let query = &self.ledger.plan().queries()[read.query];
            if failing(query) { Err(Unknown::new(Reason::Timeout, "no answer")) } else { Ok(source.ask(query, read.from, read.to)) }
        };
        let answers: Vec<_> = reads.reads.iter().map(answer).collect();
        let counted = self.ledger.count(&reads, &answers);
        self.commit(counted);
        reads.catching_up
    }

    /// One round in which the question for one name stays without an answer.
    fn round_without_name(&mut self, source: &Source, now: Timestamp, name: &str) -> bool {
        self.round_without(source, now, |query| query.to_string().split(['{', ' ']).next() == Some(name))
    }

    /// Rounds until nothing is behind.
    fn tick(&mut self, source: &Source, now: Timestamp) {
        for _ in 0..500 {
            if !self.round_without(source, now, |_| false) {
                return;
            }
        }
        panic!("never catches up");
    }

    /// One stretch of a second reading, where one is due.
    fn read_again(&mut self, source: &Source, now: Timestamp) -> bool {
        let Some(asked) = self.ledger.second_reading(now) else { return false };
        let queries = self.ledger.plan().queries();
        let answers: Vec<_> = asked.reads.reads.iter().map(|read| Ok(source.ask(&queries[read.query], read.from, read.to))).collect();
        if let Some(counted) = self.ledger.take_second_reading(&asked, &answers) {
            self.lost += counted.lost().len();
            if let Some(blob) = counted.late_blob() {
                self.late.push((now, RoundSlices::unpack(&blob).expect("own blob")));
            }
            self.commit(counted);
        }
        true
    }

    fn tick_every(&mut self, source: &Source, step: i64, from: i64, to: i64) {
        for now in (from..=to).step_by(usize::try_from(step).expect("positive")) {
            self.tick(source, at(now));
        }
    }

    fn backfill(&mut self, source: &Source, now: Timestamp) {
        while let Some(step) = self.ledger.backfill(now) {
            let queries = self.ledger.plan().queries();
            let answers: Vec<_> =
                step.reads.iter().map(|read| Ok(source.ask_history(&queries[read.query], read.from, read.to, step.step))).collect();
            let counted = self.ledger.count_backfill(&step, &answers);
            self.commit(counted);
        }
    }

    fn undergo(&mut self, event: Event, source: &Source, fleet: &Fleet, now: Timestamp) {
        match event {
            Event::Tick => self.tick(source, now),
            Event::Restart => self.restart(now),
            Event::Compact => self.compact(now),
            Event::Image(place) => self.keep_image(place),
            Event::NoAnswer => drop(self.round_without(source, now, |_| true)),
            Event::NoAnswerOf(metric) => drop(self.round_without_name(source, now, metric)),
            Event::Remove => self.replace_slos(fleet.kept.clone(), now),
            Event::Split => self.replace_slos(fleet.split.clone(), now),
            Event::Return => self.replace_slos(fleet.all.clone(), now),
        }
    }

    fn compact(&mut self, now: Timestamp) {
        let segments: Vec<Segment> = self.segments.values().cloned().collect();
        let compaction = segment::compact(&self.rounds, &segments, &self.ledger.edges(), now).expect("own blobs");
        self.rounds.retain(|(id, _)| compaction.drop_rounds_through.is_none_or(|through| *id > through));
        for key in compaction.drop_segments {
            self.segments.remove(&key);
        }
        self.segments.extend(compaction.segments.into_iter().map(|segment| (segment.key, segment)));
        self.images.retain(|_, image| compaction.drop_rounds_through.is_none_or(|dropped| image.through >= dropped));
    }

    /// Keeps the image of one part, as of the last round.
    fn keep_image(&mut self, place: usize) {
        let parts: Vec<u32> = self.ledger.image_parts().collect();
        let Some(part) = parts.get(place % parts.len().max(1)).copied() else { return };
        if let Some(blob) = self.ledger.image(part) {
            self.images.insert(part, Image { part, through: self.last_round, blob });
        }
    }

    fn stored(&self) -> Stored {
        Stored {
            settled: self.settled,
            state: self.state.clone(),
            seal: self.seal.clone(),
            log: self.log.clone(),
            segments: self.segments.values().cloned().collect(),
            rounds: self.rounds.clone(),
            images: vec![],
        }
    }

    /// Goes on from images, where there are, and else from the segments.
    fn restart(&mut self, now: Timestamp) {
        let whole = SourceLedger::restore(Plan::new(&self.slos), self.settings, &self.stored(), now).expect("own blobs");
        let from_images = self.restored_from_images(now);
        if let Some(from_images) = &from_images {
            assert_hold_the_same(from_images, &whole, now);
        }
        self.ledger = from_images.unwrap_or(whole);
    }

    fn restored_from_images(&self, now: Timestamp) -> Option<SourceLedger> {
        let oldest = self.images.values().map(|image| image.through).min()?;
        let rounds = self.rounds.iter().filter(|(id, _)| *id > oldest).cloned().collect();
        let stored = Stored { segments: vec![], rounds, images: self.images.values().cloned().collect(), ..self.stored() };
        SourceLedger::restore_from_images(Plan::new(&self.slos), self.settings, &stored, now).expect("own blobs")
    }

    fn replace_slos(&mut self, slos: Vec<Arc<Slo>>, now: Timestamp) {
        self.ledger.replace_plan(Plan::new(&slos), now);
        self.slos = slos;
    }

    fn index(&self, slo: &str, group: &str) -> u32 {
        let found = self.ledger.streams().find(|stream| stream.slo.name.as_str() == slo && stream.group.values() == group);
        found.unwrap_or_else(|| panic!("no stream {slo} {group}")).index
    }

    fn over(&self, lookback: Duration, now: Timestamp) -> Counts {
        self.ledger.sums(self.index("a", ""), now).expect("seen").over(lookback)
    }

    fn reason(&self, now: Timestamp) -> Option<Reason> {
        self.ledger.sums(self.index("a", ""), now).err().map(|unknown| unknown.reason)
    }

    /// The name of a stream, of events or of verdicts.
    fn name(&self, stream: u32) -> String {
        let of = &self.ledger.streams[self.ledger.events_of(stream) as usize].stream;
        let rule = self.ledger.judged_at(stream).map(|judged| format!(" in {:?}", judged.rule.length)).unwrap_or_default();
        format!("{}{}{rule}", of.slo, of.group)
    }

    /// Whether a stream of events or of verdicts is of the plan, and has not ended.
    fn is_read(&self, stream: u32) -> bool {
        self.ledger.streams[self.ledger.events_of(stream) as usize].lane.is_some()
    }

    /// The streams of the plan, of events and of verdicts.
    fn all_streams(&self) -> Vec<u32> {
        let judged = (VERDICTS..).zip(&self.ledger.judged).filter(|(_, judged)| judged.asked).map(|(stream, _)| stream);
        let judged = judged.filter(|stream| self.is_read(*stream));
        self.ledger.streams().map(|stream| stream.index).chain(judged).collect()
    }

    /// The settled slices of the plan's streams by name: what two daemons must agree on.
    fn decoded(&self) -> (SlicesByName, SpansByName) {
        let name = |stream: u32| self.name(stream);
        let mut slices: BTreeMap<_, Counts> = BTreeMap::new();
        for entry in self.history.entries.iter().filter(|entry| self.is_read(entry.stream)) {
            *slices.entry((name(entry.stream), entry.end)).or_default() += entry.counts;
        }
        slices.retain(|_, counts| !counts.is_zero());
        let spans = self.history.spans.iter().filter(|span| self.is_read(span.stream));
        let mut spans: Vec<_> = spans.map(|span| (name(span.stream), span.from, span.to)).collect();
        spans.sort();
        (slices, spans)
    }
}

const LOOKBACKS: [Duration; 7] = [minutes(5), minutes(30), hours(1), hours(2), hours(6), hours(72), days(30)];

/// What each stream came to over each lookback, by its name.
type AllSums = BTreeMap<String, Vec<Result<Counts, Unknown>>>;

fn sums(daemon: &Daemon, now: Timestamp) -> AllSums {
    let of = |stream: u32| {
        let over: Vec<_> = LOOKBACKS.iter().map(|lookback| daemon.ledger.sums(stream, now).map(|sums| sums.over(*lookback))).collect();
        let mut at_hand = [Counts::default(); LOOKBACKS.len()];
        if daemon.ledger.sums(stream, now).is_ok_and(|sums| sums.at_hand(&LOOKBACKS, &mut at_hand)) {
            assert_eq!(over.iter().flatten().copied().collect::<Vec<_>>(), at_hand);
        }
        over
    };
    daemon.all_streams().into_iter().map(|stream| (daemon.name(stream), of(stream))).collect()
}

/// Every settled slice and every sum of both is the same.
#[track_caller]
fn assert_agree(one: &Daemon, other: &Daemon, now: Timestamp) {
    assert_eq!(one.decoded(), other.decoded());
    assert_eq!(sums(one, now), sums(other, now));
}

fn availability() -> Vec<Arc<Slo>> {
    vec![fixture::availability("a", r#"m{job="x"}"#, &[("code", MatchOp::Regex, "5..")])]
}

/// `availability`, and one for each instance whose failures are a counter of their own.
fn two_slos() -> Vec<Arc<Slo>> {
    let sli = Sli::Events { counted: Bad(vec![fixture::selector(r#"n{job="x"}"#)]), total: vec![fixture::selector(r#"m{job="x"}"#)] };
    vec![availability()[0].clone(), Arc::new(fixture::slo("b", sli, &["instance"]))]
}

fn events(good: i64, bad: i64) -> Counts {
    Counts { good, bad, ..Counts::default() }
}

/// Scrapes every 15 s over `from..to` with one request a second, of which all after `bad_from` fail.
fn steady(source: &mut Source, from: i64, to: i64, bad_from: i64) {
    for second in (from..to).step_by(15) {
        let (good, bad) = (second.min(bad_from) - from, (second - bad_from).max(0));
        let mut codes = vec![("200", u64::try_from(good).expect("positive") + 1000)];
        if bad > 0 {
            codes.push(("500", u64::try_from(bad).expect("positive")));
        }
        source.scrape(at(second), &codes);
    }
}

const NEVER: i64 = i64::MAX / 4;

/// Scrapes at these moments, with one request a second.
fn scraped_at(source: &mut Source, moments: impl IntoIterator<Item = i64>) {
    for second in moments {
        source.scrape(at(second), &[("200", u64::try_from(second + 3600).expect("after the start"))]);
    }
}
