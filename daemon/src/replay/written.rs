//! The samples of traffic that was written down, as an exporter and its scraper would have left them.
//!
//! Events happen second by second, in whole numbers; of those that fail, each share is spread evenly. The same text makes the same samples.

use std::{collections::BTreeMap, time::Duration};

use burnward_core::{
    ledger::Sample,
    sli::{Counted, Labels},
    time::Timestamp,
    window::Interval,
};
use jiff::tz::TimeZone;

use super::Samples;
use crate::definition::case::{BadSeries, Case, Happening, Rate, Recipe, Shape, Span, Traffic};

const SECOND: Duration = Duration::from_secs(1);
const DAY_SECONDS: f64 = 86_400.0;
/// A whole in millionths.
const WHOLE: i64 = 1_000_000;

/// The samples of a test, whose traffic shows in its series by these recipes.
pub(super) fn samples(case: &Case, recipes: &[(&Traffic, Recipe)]) -> Samples {
    let mut writer = Writer::new(case, recipes);
    let seconds = case.lasts.as_secs();
    for second in 0..=seconds {
        writer.second(Duration::from_secs(second));
    }
    writer.samples
}

/// A counter: how often it was raised since its process began, and whether it is shown.
#[derive(Debug, Clone, Copy, Default)]
struct Raised {
    value: i64,
    shown: bool,
}

/// One traffic, on its way.
struct Stream<'a> {
    traffic: &'a Traffic,
    recipe: &'a Recipe,
    /// Millionths of the next event.
    begun: i64,
    /// Millionths of the next event that fails, and of which share.
    failed: (u32, i64),
    /// Since the last step of an expression: good and bad.
    step: (i64, i64),
}

struct Writer<'a> {
    case: &'a Case,
    zone: TimeZone,
    streams: Vec<Stream<'a>>,
    counters: BTreeMap<Labels, Raised>,
    /// Each target, with when its process began.
    targets: BTreeMap<(String, String), Timestamp>,
    samples: Samples,
}

impl<'a> Writer<'a> {
    fn new(case: &'a Case, recipes: &'a [(&'a Traffic, Recipe)]) -> Self {
        let mut samples = Samples::default();
        for happening in &case.happens {
            if let Happening::SourceAway(Span { from, to }) = happening {
                samples.go_away(Interval { from: case.begins.plus(*from), to: case.begins.plus(*to) });
            }
        }
        let stream = |(traffic, recipe): &'a (&'a Traffic, Recipe)| Stream { traffic, recipe, begun: 0, failed: (0, 0), step: (0, 0) };
        let target = |series: &Labels| (series.get("job").to_owned(), series.get("instance").to_owned());
        let targets = recipes.iter().flat_map(|(_, recipe)| recipe.series()).map(|series| (target(series), case.begins));
        Self {
            case,
            zone: TimeZone::get(case.zone.as_str()).unwrap_or(TimeZone::UTC),
            streams: recipes.iter().map(stream).collect(),
            counters: BTreeMap::new(),
            targets: targets.collect(),
            samples,
        }
    }

    /// What happens in the second that ends at `at`, and the scrape at its end.
    fn second(&mut self, at: Duration) {
        let now = self.case.begins.plus(at);
        if self.case.happens.iter().any(|happening| matches!(happening, Happening::Deploy { at: begins, takes } if *begins + *takes == at))
        {
            self.counters.values_mut().for_each(|counter| counter.value = 0);
            self.targets.values_mut().for_each(|began| *began = now);
        }
        for index in 0..self.streams.len() {
            if !at.is_zero() {
                self.happen(index, at, now);
            }
            self.step(index, at, now);
        }
        if at.as_secs().is_multiple_of(self.case.scraped.as_secs()) && !self.in_gap(at) {
            self.scrape(at, now);
        }
    }

    fn in_gap(&self, at: Duration) -> bool {
        self.case.happens.iter().any(|happening| matches!(happening, Happening::ScrapeGap(span) if span.covers(at)))
    }

    /// Whether the targets answer.
    fn is_up(&self, at: Duration) -> bool {
        !self.case.happens.iter().any(|happening| match happening {
            Happening::Down(span) => span.covers(at),
            Happening::Deploy { at: begins, takes } => Span { from: *begins, to: *begins + *takes }.covers(at),
            Happening::ScrapeGap(_) | Happening::SourceAway(_) => false,
        })
    }

    /// The events of one second.
    fn happen(&mut self, index: usize, at: Duration, now: Timestamp) {
        let before = at.saturating_sub(SECOND);
        if self.deploys(before) || before < self.streams[index].traffic.born {
            return;
        }
        let micros = self.micros(self.streams[index].traffic, before, now);
        let stream = &mut self.streams[index];
        let (events, begun) = ((stream.begun + micros) / WHOLE, (stream.begun + micros) % WHOLE);
        stream.begun = begun;
        let bad = stream.fail(events, before);
        let good = events - bad;
        stream.step = (stream.step.0 + good, stream.step.1 + bad);
        if let Recipe::Counters { good: of_good, bad: of_bad } = stream.recipe {
            for series in of_good {
                self.counters.entry(series.clone()).or_default().value += good;
            }
            for series in of_bad {
                self.counters.entry(series.clone()).or_default().value += bad;
            }
        }
    }

    /// Whether nobody serves because the targets start anew.
    fn deploys(&self, at: Duration) -> bool {
        self.case.happens.iter().any(|happening| match happening {
            Happening::Deploy { at: begins, takes } => Span { from: *begins, to: *begins + *takes }.covers(at),
            Happening::Down(_) | Happening::ScrapeGap(_) | Happening::SourceAway(_) => false,
        })
    }

    /// Millionths of events in the second that begins at `at` and ends at `now`.
    fn micros(&self, traffic: &Traffic, at: Duration, now: Timestamp) -> i64 {
        let steady = |rate: Rate| rate.micros_a_second();
        let micros = match traffic.shape {
            None => 0.0,
            Some(Shape::Constant(rate)) => steady(rate),
            Some(Shape::Trickle(rate)) => {
                let drawn = draw(now) % WHOLE as u64;
                if (drawn as f64) < steady(rate) { WHOLE as f64 } else { 0.0 }
            }
            Some(Shape::Burst { usual, peak, when }) => steady(if when.covers(at) { peak } else { usual }),
            Some(Shape::Diurnal { low, high, high_at }) => {
                let (low, high) = (steady(low), steady(high));
                let turn = (self.of_day(now) - high_at.as_secs_f64()) / DAY_SECONDS * std::f64::consts::TAU;
                low + (high - low) * f64::midpoint(1.0, turn.cos())
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "a rate is at most a million events a second")]
        let micros = micros.round() as i64;
        micros
    }

    /// Seconds since midnight, by the clocks of the zone.
    fn of_day(&self, now: Timestamp) -> f64 {
        let instant = jiff::Timestamp::from_millisecond(now.millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let time = self.zone.to_datetime(instant).time();
        f64::from(time.hour()) * 3_600.0 + f64::from(time.minute()) * 60.0 + f64::from(time.second())
    }

    /// The values of expressions at the end of a step.
    fn step(&mut self, index: usize, at: Duration, now: Timestamp) {
        let hidden = self.in_gap(at) || !self.is_up(at);
        let stream = &mut self.streams[index];
        let seen = !hidden && at >= stream.traffic.born;
        match stream.recipe {
            Recipe::Counters { .. } | Recipe::Gauge(_) | Recipe::Presence(_) => {}
            Recipe::Value { expression, labels, step, good, bad } => {
                if now.floor(*step) == now && seen {
                    let failed = stream.fail(1, at.saturating_sub(SECOND)) > 0;
                    self.samples.push_value(expression, labels, Sample { at: now, value: if failed { *bad } else { *good } });
                }
            }
            Recipe::Numbers { total, counted, labels, step } => {
                if now.floor(*step) == now {
                    let (good, bad) = std::mem::take(&mut stream.step);
                    if seen {
                        let (side, value) = match counted {
                            Counted::Bad(side) => (side, bad),
                            Counted::Good(side) => (side, good),
                        };
                        self.samples.push_value(total, labels, Sample { at: now, value: (good + bad) as f64 });
                        self.samples.push_value(side, labels, Sample { at: now, value: value as f64 });
                    }
                }
            }
        }
    }

    fn scrape(&mut self, at: Duration, now: Timestamp) {
        let up = self.is_up(at);
        for ((job, instance), began) in &self.targets {
            let of_target = |name: &'static str| Labels::new([("__name__", name), ("job", job.as_str()), ("instance", instance.as_str())]);
            self.samples.push(&of_target("up"), Sample { at: now, value: f64::from(u8::from(up)) });
            if up {
                self.samples.push(&of_target("process_start_time_seconds"), Sample { at: now, value: began.seconds() });
            }
        }
        if !up {
            return;
        }
        for stream in &mut self.streams {
            if at < stream.traffic.born {
                continue;
            }
            match stream.recipe {
                Recipe::Counters { good, bad } => {
                    let prepared = stream.traffic.bad_series == BadSeries::FromTheStart;
                    for series in good {
                        self.counters.entry(series.clone()).or_default().shown = true;
                    }
                    for series in bad {
                        let counter = self.counters.entry(series.clone()).or_default();
                        counter.shown |= prepared || counter.value > 0;
                    }
                }
                Recipe::Gauge(series) => {
                    let failed = stream.fail(1, at) > 0;
                    self.samples.push(series, Sample { at: now, value: if failed { 0.0 } else { 1.0 } });
                }
                Recipe::Presence(series) => {
                    if stream.fail(1, at) == 0 {
                        self.samples.push(series, Sample { at: now, value: 1.0 });
                    }
                }
                Recipe::Value { .. } | Recipe::Numbers { .. } => {}
            }
        }
        for (series, counter) in self.counters.iter().filter(|(_, counter)| counter.shown) {
            self.samples.push(series, Sample { at: now, value: counter.value as f64 });
        }
    }
}

impl Stream<'_> {
    /// How many of these events fail.
    fn fail(&mut self, events: i64, at: Duration) -> i64 {
        let share = self.traffic.failing.iter().find(|failing| failing.when.covers(at)).map_or(0, |failing| failing.share);
        if self.failed.0 != share {
            self.failed = (share, 0);
        }
        let micros = self.failed.1 + events * i64::from(share);
        self.failed.1 = micros % WHOLE;
        micros / WHOLE
    }
}

/// A number for a second, which looks like one that was drawn.
fn draw(now: Timestamp) -> u64 {
    let mut mixed = now.millis().cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use burnward_core::{
        id::{SourceName, TenantId},
        ledger::{Query, Series},
        sli::Selector,
        time::{hours, minutes},
    };

    use super::*;
    use crate::{
        definition::{
            Context, Source,
            case::{SloRef, Slos},
            document::{self},
        },
        replay::Asked,
    };

    /// The series of a metric that a test writes.
    fn written(test: &str, metric: &str) -> (Timestamp, Vec<Series>) {
        let text = format!(
            "version: burnward/v1
service: a
team: b
slos:
  - name: c
    sli: {{ events: {{ bad: 'm_total{{code=~\"5..\"}}', total: 'm_total' }} }}
    objectives: [{{ target: 99%, window: 30d }}]
tests:
  - {{ name: d, {test}, expect: [{{ page: none }}] }}
"
        );
        let (tenant, source) = (TenantId::parse("main").expect("a name"), SourceName::parse("prometheus").expect("a name"));
        let context = Context::unchecked(tenant, source);
        let document = document::read_whole(&Source::new("a.yaml", &text), "v", &context).expect("it reads");
        let slos: Slos = document.slos.iter().map(|slo| (SloRef::of(slo), Arc::clone(slo))).collect();
        let case = &document.tests[0];
        let ready = case.ready(&slos).expect("it can be run");
        let query = Query::Raw(Selector::new(metric, vec![]));
        let (from, to) = (case.begins.minus(hours(1)), case.begins.plus(case.lasts));
        let series = samples(case, &ready.traffic).answer(&Asked { query: &query, from, to, step: None, now: to }).expect("an answer");
        (case.begins, series)
    }

    fn value_at(series: &Series, at: Timestamp) -> Option<f64> {
        series.samples.iter().find(|sample| sample.at == at).map(|sample| sample.value)
    }

    #[test]
    fn a_wave_follows_the_clocks_of_its_zone() {
        let (begins, series) = written(
            "lasts: 2d, begins: 2026-03-28T00:00:00+01:00, timezone: Europe/Berlin, traffic: [{ diurnal: { low: 1/s, high: 9/s, high-at: '14:00' } }]",
            "m_total",
        );
        let good = series.iter().find(|series| series.labels.get("code") == "200").expect("good events");
        let of_hour = |hour: u64| {
            let at = |hour| value_at(good, begins.plus(hours(hour))).expect("a sample");
            at(hour + 1) - at(hour)
        };
        let highest = |from: u64| (from..from + 23).max_by(|a, b| of_hour(*a).total_cmp(&of_hour(*b)));
        // From 13:00 to 14:00 and from 14:00 to 15:00 are as high; on the second day the clocks went forward at two.
        assert!([Some(13), Some(14)].contains(&highest(0)), "{:?}", highest(0));
        assert!([Some(36), Some(37)].contains(&highest(24)), "{:?}", highest(24));
    }

    #[test]
    fn a_deploy_begins_every_counter_anew_and_a_gap_does_not() {
        let (begins, series) = written(
            "lasts: 1h, traffic: [{ constant: 2/s }], happens: [{ deploy: { at: 20m, takes: 1m } }, { scrape-gap: { from: 40m, to: 45m } }]",
            "m_total",
        );
        let good = series.iter().find(|series| series.labels.get("code") == "200").expect("good events");
        let at = |minute: u64| value_at(good, begins.plus(minutes(minute)));
        assert_eq!([at(19), at(20), at(22), at(40), at(45)], [Some(2_280.0), None, Some(120.0), None, Some(2_880.0)]);
        let (begins, up) = written("lasts: 1h, traffic: [{ constant: 2/s }], happens: [{ down: { from: 10m, to: 11m } }]", "up");
        assert_eq!([9, 10, 11].map(|minute| value_at(&up[0], begins.plus(minutes(minute)))), [Some(1.0), Some(0.0), Some(1.0)]);
    }

    #[test]
    fn series_appear_when_they_are_born_and_those_of_failures_with_the_first() {
        let (begins, series) = written(
            "lasts: 1h, traffic: [{ constant: 10/s, born: 10m, bad-series: with-the-first, failing: [{ share: 25%, from: 30m }] }]",
            "m_total",
        );
        let first =
            |code: &str| series.iter().find(|series| series.labels.get("code") == code).and_then(|series| series.samples.first().copied());
        assert_eq!(first("200"), Some(Sample { at: begins.plus(minutes(10)), value: 0.0 }));
        // 2.5 of ten a second.
        assert_eq!(first("500"), Some(Sample { at: begins.plus(minutes(30)).plus(Duration::from_secs(15)), value: 37.0 }));
    }

    #[test]
    fn a_trickle_is_irregular_and_the_same_each_time() {
        let trickle = || written("lasts: 10d, scraped: 1h, traffic: [{ trickle: 6/h }]", "m_total").1;
        assert_eq!(trickle(), trickle());
        let all = trickle()[0].samples.last().map(|sample| sample.value).expect("samples");
        // 1,440 are expected of ten days; of as many drawn ones 95 in 100 lie within 75.
        assert!((all - 1_440.0).abs() < 150.0, "{all}");
    }
}
