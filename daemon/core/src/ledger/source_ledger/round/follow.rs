//! Following series through a read: who takes them, new groups, and every counter through the settled and then through the newer samples.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    Course, Memory, Round, Sight, Sights, Stage, add, index,
    origin::{Birth, Origin},
};
use crate::{
    id::Group,
    ledger::{
        Counts, FirstValueRule, Histogram, Reason, Sample, Unknown,
        count::{Counter, SeriesKey, TargetKey, is_gap},
        coverage::Beat,
        histogram::Parts,
        plan::{Role, Side},
        segment::behind::Displaced,
        slice::Entry,
        source_ledger::{
            first_values::FirstValue,
            parts::{Meta, Route, SUSPECT_FOR, Stream, Tracked, Trouble},
        },
    },
    slo::NewSeries,
    time::Timestamp,
};

/// Without `up`, a target was seen one scrape before if any of its series has a sample this shortly before.
const COMPANION: Duration = Duration::from_secs(150);

/// The label values of the group that holds all groups beyond the cap.
pub(in crate::ledger::source_ledger) const OTHER: &str = "(other)";

/// At most this many series in trouble are named per stream.
const MAX_TROUBLE: usize = 4;

/// What a sample adds.
struct Taken {
    counts: Counts,
    /// The instant within the slice that it is booked in.
    booked: Timestamp,
    /// What is remembered of the series from here on.
    next: Counter,
}

/// How far a series was followed for one side.
pub(super) struct Followed {
    /// At the last sample that was counted.
    pub counter: Option<Counter>,
    /// At the last settled one.
    pub kept: Option<Counter>,
    /// When the first sample was counted, and the counter at the last one, where these alone tell anything.
    pub heard: Option<(Timestamp, Counter)>,
    /// Why the newest sample cannot be counted.
    pub fault: Option<(Timestamp, Unknown)>,
}

impl Followed {
    /// Notes one more sample that was counted.
    fn hear(&mut self, at: Timestamp, counter: Counter) {
        self.heard = Some((self.heard.map_or(at, |(first, _)| first), counter));
    }
}

/// By lane and target.
pub(super) type Companions = BTreeMap<(u32, TargetKey), Vec<Timestamp>>;

impl Round<'_> {
    /// Routes for series that are new here, and streams for groups that are new, in the order of their first sample.
    pub(super) fn open_streams(&mut self, stage: &Stage<'_>, sights: &Sights<'_>) {
        let new = || sights.fresh.iter().map(|at| &sights.all[*at]);
        let mut fresh: Vec<(Timestamp, usize, Group)> = Vec::new();
        for sight in new() {
            for (lane, _) in sight.fresh.iter().filter(|(lane, _)| stage.going.contains(*lane)) {
                if let Some(group) = self.plan.lanes()[*lane].group_of(sight.labels) {
                    fresh.push((sight.samples[0].at, *lane, group));
                }
            }
        }
        fresh.sort();
        for (_, lane, group) in fresh {
            self.stream_for(lane, group);
        }
        for sight in new() {
            self.route(stage, sight);
        }
    }

    /// The stream of a group; beyond the cap the one that holds all others.
    pub(super) fn stream_for(&mut self, lane: usize, group: Group) -> u32 {
        if let Some(known) = self.stream_of(lane, &group) {
            return known;
        }
        let plan = &self.plan.lanes()[lane];
        let opened = self.groups.get(&lane).map_or(0, BTreeMap::len);
        let full = self.ledger.groups_of(lane) + opened >= self.ledger.settings.max_groups_per_slo;
        if full && !group.is_whole() {
            let other = Group::new(plan.slo.per.iter().map(|label| (label.clone(), OTHER.to_owned())).collect());
            return self.stream_of(lane, &other).unwrap_or_else(|| self.open(lane, other));
        }
        self.open(lane, group)
    }

    fn stream_of(&self, lane: usize, group: &Group) -> Option<u32> {
        self.ledger.stream_of(lane, group).or_else(|| self.groups.get(&lane)?.get(group).copied())
    }

    fn open(&mut self, lane: usize, group: Group) -> u32 {
        let index = u32::try_from(self.ledger.streams.len() + self.counted.opened.len()).expect("fewer streams than 2^32");
        let slo = Arc::clone(&self.ledger.lane_ids[lane]);
        self.groups.entry(lane).or_default().insert(group.clone(), index);
        let stream = Stream { index, slo, group, newest_sample: None, counted_from: None, catching_up: true };
        self.counted.opened.push((lane, stream));
        self.counted.metas.push(Meta::default());
        self.counted.provisional.push(None);
        self.settled.push(Vec::new());
        index
    }

    /// Enters a new series with those who take it. It is looked at again while one of them does not read this stretch.
    fn route(&mut self, stage: &Stage<'_>, sight: &Sight<'_>) {
        let mut tracked = self.tracked(sight);
        (tracked.target, tracked.labels) = (TargetKey::of(sight.labels), Some(sight.labels.clone()));
        for (lane, side) in &sight.fresh {
            let (lane_index, side_index) = (index(*lane), index(*side));
            let known = tracked.routes.iter().any(|route| (route.lane, route.side) == (lane_index, side_index));
            if known || !stage.going.contains(*lane) {
                continue;
            }
            let Some(group) = self.plan.lanes()[*lane].group_of(sight.labels) else { continue };
            let stream = self.stream_for(*lane, group);
            tracked.routes.push(Route { lane: lane_index, side: side_index, stream, counter: index(self.counted.counters.len()) });
            self.counted.counters.push(None);
            self.meet(stage, sight, *lane, *side, stream);
        }
        if sight.fresh.iter().all(|(lane, _)| stage.going.contains(*lane)) {
            tracked.matched.push(index(sight.query));
        }
        self.find(tracked);
    }

    /// What is known of a series: from this round, from before, or nothing.
    fn tracked(&self, sight: &Sight<'_>) -> Tracked {
        self.known(sight).cloned().unwrap_or(Tracked::new(sight.key))
    }

    /// What is known of a series, from this round or from before.
    pub(super) fn known(&self, sight: &Sight<'_>) -> Option<&Tracked> {
        let found = self.found.get(&sight.key).map(|at| &self.counted.found[*at]);
        found.or_else(|| sight.place.map(|place| self.series.at(place)))
    }

    fn find(&mut self, tracked: Tracked) {
        let at = *self.found.entry(tracked.key).or_insert(self.counted.found.len());
        match self.counted.found.get_mut(at) {
            Some(found) => *found = tracked,
            None => self.counted.found.push(tracked),
        }
    }

    /// What a new series tells of its stream.
    fn meet(&mut self, stage: &Stage<'_>, sight: &Sight<'_>, lane: usize, side: usize, stream: u32) {
        let (from, watermark) = (sight.samples[0].at, self.counted.lanes[lane].watermark);
        let plan = &self.plan.lanes()[lane].sides[side];
        let target = TargetKey::of(sight.labels);
        let meta = self.meta(stream);
        if plan.is_threshold() {
            meta.see_bucket(side, from);
        }
        if plan.role.is_total() {
            if !stage.courses[lane].has_thresholds {
                meta.count_from(from.max(watermark));
            }
            if let Some(target) = target {
                meta.has_up |= stage.timeline.knows_by(target, sight.samples[0].at);
                self.meet_target(stream, target, sight.samples[0].at);
            }
        }
    }

    /// A target that brings its first sample to the total of a stream.
    fn meet_target(&mut self, stream: u32, target: TargetKey, at: Timestamp) {
        if self.targets_of(stream).binary_search(&target).is_ok() {
            return;
        }
        let mut newer = self.newer_targets_of(stream).to_vec();
        match newer.iter_mut().find(|(known, _)| *known == target) {
            Some((_, from)) => *from = at.min(*from),
            None => newer.push((target, at)),
        }
        self.counted.newer_targets.insert(stream, newer);
    }

    /// Follows one series for everybody who takes it.
    pub(super) fn follow_series(&mut self, stage: &mut Stage<'_>, sights: &[Sight<'_>], sight: &Sight<'_>) {
        match self.found.get(&sight.key).map(|at| self.counted.found[*at].routes.clone()) {
            Some(routes) => self.follow_routes(stage, sights, sight, &routes),
            None => {
                if let Some(place) = sight.place {
                    self.follow_routes(stage, sights, sight, &self.series.at(place).routes);
                }
            }
        }
    }

    fn follow_routes(&mut self, stage: &mut Stage<'_>, sights: &[Sight<'_>], sight: &Sight<'_>, routes: &[Route]) {
        for route in routes {
            let side = &self.plan.lanes()[route.lane as usize].sides[route.side as usize];
            if side.query == sight.query && stage.going.contains(route.lane as usize) {
                self.follow(stage, sights, sight, side, *route);
            }
        }
    }

    /// Follows one series for one side of one SLO: first the settled samples, then, without remembering them, the newer ones.
    fn follow(&mut self, stage: &mut Stage<'_>, sights: &[Sight<'_>], sight: &Sight<'_>, side: &Side, route: Route) {
        let course = stage.courses[route.lane as usize];
        let before = self.counted.counters[route.counter as usize];
        let mut followed = Followed { counter: before, kept: before, heard: None, fault: None };
        // What lies behind the watermark and was not counted came late: that is for a second reading.
        let mut samples = before.map_or(&sight.samples[..], |counter| behind(&sight.samples, counter.at.max(course.watermark)));
        let unjudged = if course.has_thresholds { stage.unjudged.of(route.lane as usize, sight.key) } else { None };
        if let (Some(counter), Some(moments)) = (before, &unjudged) {
            // A restart that remembers the counter does not remember the scrapes behind it that could not be judged.
            if let Some(at) = moments.iter().rfind(|at| **at > counter.at && **at <= course.watermark) {
                self.hear_unjudged(stage, sight, (side, route), *at);
            }
        }
        let is_plain = course.one_replica && side.role.is_counter() && !sight.is_odd() && unjudged.is_none();
        if let Some(counter) = before.filter(|_| is_plain && self.hears_ends(side, &route)) {
            let (rest, settled, last) = self.go_on(&course, side, &route, samples, counter);
            followed.heard = (rest.len() < samples.len()).then(|| (samples[0].at, last));
            (followed.counter, followed.kept) = (Some(last), Some(settled));
            samples = rest;
        }
        if !samples.is_empty() {
            self.follow_each(stage, sights, sight, (side, route), samples, &mut followed);
        }
        if let Some((first, newest)) = followed.heard {
            if side.is_threshold() {
                self.meta(route.stream).see_bucket(route.side as usize, first);
            }
            self.hear(stage, side, &route, (newest.at, newest.usual(&self.rule)));
        }
        self.counted.counters[route.counter as usize] = followed.kept;
        self.note_fault(route.stream, sight.key, followed.counter, followed.fault);
    }

    /// Of a total whose targets are scraped the newest sample alone tells anything, of a threshold the first one and the newest.
    fn hears_ends(&self, side: &Side, route: &Route) -> bool {
        (self.counted.metas[route.stream as usize].has_up || !side.role.is_total()) && side.role != Role::Present
    }

    /// Follows a series sample by sample.
    fn follow_each(
        &mut self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        (side, route): (&Side, Route),
        samples: &[Sample],
        followed: &mut Followed,
    ) {
        let lane = route.lane as usize;
        let Course { watermark, settled, one_replica, .. } = stage.courses[lane];
        let is_known = self.counted.counters[route.counter as usize].is_some();
        let count_after = if is_known { Timestamp::from_millis(i64::MIN) } else { watermark };
        let counts_from = self.counts_from(lane, route.stream);
        let (has_up, hears_ends, finest) = (self.meta(route.stream).has_up, self.hears_ends(side, &route), self.finest(lane));
        let mut histogram = self.counted.histograms.get(&route.counter).cloned();
        let has_thresholds = stage.courses[lane].has_thresholds;
        let unjudged = stage.unjudged.of(lane, sight.key).filter(|_| has_thresholds).unwrap_or_default();
        let counts_up = side.role.is_counter() || side.role == Role::Observed;
        for sample in samples {
            if unjudged.binary_search(&sample.at).is_ok() {
                followed.counter = self.pass_over(stage, sight, (side, route), sample.at, followed.counter);
                if sample.at <= settled {
                    followed.kept = followed.counter;
                }
                continue;
            }
            let known = followed.counter.filter(|known| !self.counted.lanes[lane].forgets(has_up, known.at, sample.at));
            // One that comes back under labels that it had before went on under others meanwhile.
            let returned = known.is_some_and(|known| counts_up && self.went_on_elsewhere(stage, sights, sight, &route, known, sample));
            let known = known.filter(|_| !returned);
            let mut first_value = None;
            let taken = match side.role {
                Role::Probe => self.observe(sight, &route, known, sample),
                Role::Present => Ok(Taken { counts: Counts::default(), booked: sample.at, next: seen_at(known, sample.at) }),
                Role::Observed => self.not_counted(stage, sight, lane, known, sample).unwrap_or_else(|| {
                    let new = |at, value| {
                        let decided = (at > count_after).then(|| self.new_value(stage, sights, sight, &route, (at, value)));
                        first_value = decided.as_ref().map(rule_of);
                        decided.and_then(Result::ok)
                    };
                    self.observations(sight, lane, (known, histogram.as_deref()), sample, new)
                }),
                Role::Bad | Role::Good | Role::Within | Role::Tolerated | Role::TotalBesideBad | Role::TotalBesideGood => {
                    let went_on = if one_replica { self.went_on(sight, side.role, known, sample) } else { None };
                    went_on.map(Ok).or_else(|| self.not_counted(stage, sight, lane, known, sample)).unwrap_or_else(|| {
                        let new = |at, value| {
                            let has_others = |stage: &mut Stage<'_>| {
                                !returned && side.is_threshold() && self.had_other_buckets(stage, sights, sight, &route, at)
                            };
                            let decided = (at > count_after).then(|| {
                                if has_others(stage) {
                                    return Err(FirstValueRule::OtherBuckets);
                                }
                                self.new_value(stage, sights, sight, &route, (at, value))
                            });
                            first_value = decided.as_ref().map(rule_of);
                            decided.and_then(Result::ok)
                        };
                        self.increase(sight, side.role, known, sample, new)
                    })
                }
            };
            let Taken { counts, booked, next } = match taken {
                Ok(taken) => taken,
                Err(unknown) => {
                    followed.fault = Some((sample.at, unknown));
                    continue;
                }
            };
            if known.is_none() && self.ledger.is_second() {
                self.counted.met.push((route.stream, sample.at));
            }
            // A fall that the counter comes back from within one read is of two processes under one series, whichever was scraped last.
            followed.fault = followed
                .fault
                .take()
                .filter(|(_, unknown)| unknown.reason == Reason::SuspectReset && known.is_some_and(|known| next.value >= known.value));
            followed.counter = Some(next);
            if has_thresholds && side.role.is_total() {
                if known.is_some_and(|known| known.is_unjudged()) {
                    stage.miss(route.stream, sight, sample.at);
                }
                self.meta(route.stream).count_from(sample.at.max(watermark));
            }
            if side.role == Role::Observed {
                histogram = sight.histogram(sample).ok().cloned();
            }
            if sample.at <= settled {
                followed.kept = followed.counter;
                self.keep_histogram(route, histogram.as_ref());
            }
            let is_judged = counts_from.is_some_and(|from| sample.at >= from);
            if let Some(rule) = first_value {
                let (rule, counts) = if is_judged { (rule, counts) } else { (FirstValueRule::NoBuckets, Counts::default()) };
                self.note_first_value(
                    route.stream,
                    sight.key,
                    FirstValue { at: sample.at, rule, counts, is_settled: sample.at <= settled },
                );
            }
            if sample.at > count_after && !counts.is_zero() && is_judged {
                let end = booked.ceil(finest);
                let entry = Entry { stream: route.stream, end, counts };
                if booked < sample.at && sample.at <= settled && end < sample.at.ceil(finest) {
                    self.counted.log.displaced.push(Displaced { at: sample.at, entry });
                }
                self.book(entry, sample.at <= settled);
            }
            if hears_ends {
                followed.hear(sample.at, next);
                continue;
            }
            let own = next.usual(&self.rule);
            let usual = if side.role == Role::Present { self.scraped_every(stage, sight, sample.at).unwrap_or(own) } else { own };
            self.hear(stage, side, &route, (sample.at, usual));
        }
    }

    /// A sample of a counter that went on and did not fall, as nearly every one did: the same as what `not_counted` and `increase` make of it where no
    /// other replica was read.
    fn went_on(&self, sight: &Sight<'_>, role: Role, known: Option<Counter>, sample: &Sample) -> Option<Taken> {
        let mut next = known?;
        let value = sight.exact_value(sample).filter(|value| *value >= next.value)?;
        let increment = next.next(sample.at, value, &self.rule);
        Some(Taken { counts: role.book(increment.events), booked: increment.booked, next })
    }

    /// A sample of a counter: the events since the one before. The first one counts where `new` says that it does: since when, and in which slice.
    fn increase(
        &self,
        sight: &Sight<'_>,
        role: Role,
        known: Option<Counter>,
        sample: &Sample,
        new: impl FnOnce(Timestamp, u64) -> Option<Birth>,
    ) -> Result<Taken, Unknown> {
        let value = sight.value(sample)?;
        let (events, booked, next) = match known {
            Some(mut known) => {
                let increment = known.next(sample.at, value, &self.rule);
                (increment.events, increment.booked, known)
            }
            None => match new(sample.at, value) {
                Some(Birth { booked, origin, rule: _ }) => (value - origin.value(), booked, Counter::first(sample.at, value)),
                None => (0, sample.at, Counter::first(sample.at, value)),
            },
        };
        Ok(Taken { counts: role.book(events), booked, next })
    }

    /// A sample of a native histogram: the observations since the one before, by where they lie. Where that is not known any more, any of them may be
    /// good.
    fn observations(
        &self,
        sight: &Sight<'_>,
        lane: usize,
        (known, before): (Option<Counter>, Option<&Histogram>),
        sample: &Sample,
        new: impl FnOnce(Timestamp, u64) -> Option<Birth>,
    ) -> Result<Taken, Unknown> {
        let (count, histogram) = (sight.value(sample)?, sight.histogram(sample)?);
        let threshold = self.plan.lanes()[lane].slo.sli.native_threshold().expect("only native histograms are observed");
        let since_birth = || histogram.parts(threshold);
        let (parts, booked, next) = match known {
            Some(known) => {
                let mut next = known;
                let increment = next.next(sample.at, count, &self.rule);
                let (parts, booked) = match before.map(|before| histogram.since(before, threshold)) {
                    Some(Some(parts)) => (parts, increment.booked),
                    None if count >= known.value => (Parts { around: increment.events, ..Parts::default() }, increment.booked),
                    Some(None) | None => (since_birth(), sample.at),
                };
                (parts, booked, next)
            }
            None => match new(sample.at, count) {
                Some(Birth { booked, origin: Origin::Zero, rule: _ }) => (since_birth(), booked, Counter::first(sample.at, count)),
                Some(Birth { booked, origin: Origin::Last { value, histogram: before }, rule: _ }) => {
                    let parts = before.and_then(|before| histogram.since(&before, threshold));
                    (parts.unwrap_or(Parts { around: count - value, ..Parts::default() }), booked, Counter::first(sample.at, count))
                }
                None => (Parts::default(), sample.at, Counter::first(sample.at, count)),
            },
        };
        Ok(Taken { counts: judged(parts), booked, next })
    }

    /// How often the target of a series is scraped: what is there now and then comes no less often than that. After the first scrape the next one tells,
    /// which is known before that is settled: whatever the reads were, the same follows.
    pub(super) fn scraped_every(&self, stage: &Stage<'_>, sight: &Sight<'_>, at: Timestamp) -> Option<Duration> {
        stage.timeline.usual_at(TargetKey::of(sight.labels)?, at, self.ledger.soon(), &self.rule)
    }

    fn keep_histogram(&mut self, route: Route, histogram: Option<&Arc<Histogram>>) {
        if let Some(histogram) = histogram {
            self.counted.histograms.insert(route.counter, Arc::clone(histogram));
        }
    }

    /// A sample of a counter that is a new beginning, or cannot be counted; `None` for any other.
    fn not_counted(
        &self,
        stage: &Stage<'_>,
        sight: &Sight<'_>,
        lane: usize,
        known: Option<Counter>,
        sample: &Sample,
    ) -> Option<Result<Taken, Unknown>> {
        let begun = || Self::begun(sight, known, sample);
        self.across(sight, lane, known, sample).or_else(begun).or_else(|| self.fallen(stage, sight, known, sample))
    }

    /// The first sample of a histogram with the buckets that judge it, behind some without.
    fn begun(sight: &Sight<'_>, known: Option<Counter>, sample: &Sample) -> Option<Result<Taken, Unknown>> {
        known.filter(Counter::is_unjudged)?;
        Some(sight.value(sample).map(|value| Taken {
            counts: Counts::default(),
            booked: sample.at,
            next: Counter::first(sample.at, value),
        }))
    }

    /// A sample behind one from when another replica was read, and so a new beginning.
    fn across(&self, sight: &Sight<'_>, lane: usize, known: Option<Counter>, sample: &Sample) -> Option<Result<Taken, Unknown>> {
        let until = self.counted.lanes[lane].other_until?;
        let mut next = known.filter(|known| known.at <= until)?;
        Some(sight.value(sample).map(|value| {
            next.next(sample.at, value, &self.rule);
            Taken { counts: Counts::default(), booked: sample.at, next }
        }))
    }

    /// A sample of a counter that fell in a way that is no restart: not seen, and after a while a new beginning. Steps of history are too wide to tell.
    fn fallen(&self, stage: &Stage<'_>, sight: &Sight<'_>, known: Option<Counter>, sample: &Sample) -> Option<Result<Taken, Unknown>> {
        let known = known.filter(|_| self.memory == Memory::Ledger)?;
        let value = sight.value(sample).ok().filter(|value| known.is_suspect(*value))?;
        let target = TargetKey::of(sight.labels);
        if target.is_some_and(|target| stage.timeline.restarted(target, known.at, sample.at)) {
            return None;
        }
        if sample.at.since(known.at) > SUSPECT_FOR {
            let next = Counter::first(sample.at, value);
            return Some(Ok(Taken { counts: Counts::default(), booked: sample.at, next }));
        }
        Some(Err(sight.fell(known.value, value)))
    }

    /// A sample of a probe, which is an event; of history as many as there are samples in a step.
    fn observe(&self, sight: &Sight<'_>, route: &Route, known: Option<Counter>, sample: &Sample) -> Result<Taken, Unknown> {
        let good = sight.holds(sample)?;
        let next = seen_at(known, sample.at);
        let events = self.samples_in_step(route.stream);
        let counts = if good { Counts { good: events, ..Counts::default() } } else { Counts { bad: events, ..Counts::default() } };
        Ok(Taken { counts, booked: sample.at, next })
    }

    /// How many samples of a stream one value of history stands for: as many as came in a step when raw samples were read last.
    fn samples_in_step(&self, stream: u32) -> i64 {
        match self.memory {
            Memory::Ledger => 1,
            Memory::Nothing => {
                let usual = self.ledger.streams.get(stream as usize).and_then(|held| held.meta.newest).map(|(_, usual)| usual.as_millis());
                let usual = usual.filter(|usual| *usual > 0).unwrap_or(self.rule.default_spacing.as_millis());
                let samples = (self.rule.default_spacing.as_millis() + usual / 2) / usual;
                i64::try_from(samples).unwrap_or(i64::MAX).max(1)
            }
        }
    }

    /// From when on events count: observations cannot be judged before the buckets of all thresholds are there.
    pub(super) fn counts_from(&mut self, lane: usize, stream: u32) -> Option<Timestamp> {
        let plan = &self.plan.lanes()[lane];
        let meta = self.meta(stream);
        plan.thresholds().try_fold(Timestamp::from_millis(i64::MIN), |from, (side, _)| Some(from.max(meta.buckets[side].first?)))
    }

    /// Where the first value of a series is booked, and since when it counts, if it is taken for events; or why it is not.
    fn new_value(
        &self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        route: &Route,
        (at, value): (Timestamp, u64),
    ) -> Result<Birth, FirstValueRule> {
        let lane = route.lane;
        let policy = self.plan.lanes()[lane as usize].slo.new_series;
        if policy == NewSeries::Baseline {
            return Err(FirstValueRule::Policy);
        }
        let of_target = self.new_value_of_target(stage, sights, sight, lane, at);
        let count_first = |stage: &mut Stage<'_>| policy == NewSeries::CountFirst && self.source_was_seen(stage, sights, lane, at);
        let of_source = |stage: &mut Stage<'_>| count_first(stage).then_some((at, FirstValueRule::SourceSeen));
        let (booked, rule) = of_target.or_else(|| of_source(stage)).ok_or(FirstValueRule::NotSeen)?;
        match self.origin(stage, sights, sight, route, (at, value)) {
            Some(origin @ Origin::Zero) => Ok(Birth { booked, origin, rule }),
            Some(origin @ Origin::Last { .. }) => Ok(Birth { booked, origin, rule: FirstValueRule::WentOn }),
            None => Err(FirstValueRule::OriginUnclear),
        }
    }

    /// Notes how the first value of a series was taken; of history, and in a second reading, nobody asks.
    fn note_first_value(&mut self, stream: u32, key: SeriesKey, value: FirstValue) {
        if self.memory == Memory::Ledger && !self.ledger.is_second() {
            self.counted.first_values.entry((stream, value.at, key)).and_modify(|known| known.join(&value)).or_insert(value);
        }
    }

    /// The first scrape of any target, as far as a restart right before `at` would read back, beyond a standstill of that length: whatever was read at once.
    fn first_scrape(&self, stage: &mut Stage<'_>, at: Timestamp, still: Duration) -> Option<Timestamp> {
        // Of raw samples that is `MARGIN`.
        let after = stage.holds.0.max(at.minus(self.rule.memory * 2 + still));
        stage.scrapes(&self.rule).iter().map(|(at, _)| *at).find(|at| *at > after)
    }

    /// Whether the source was scraped just before, and not only since a moment; where it has no `up`, whether any series of the SLO was sampled.
    fn source_was_seen(&self, stage: &mut Stage<'_>, sights: &[Sight<'_>], lane: u32, at: Timestamp) -> bool {
        let scrapes = stage.scrapes(&self.rule);
        if !scrapes.is_empty() {
            if self.first_scrape(stage, at, Duration::ZERO).is_none_or(|first| first > at.minus(self.rule.memory)) {
                return false;
            }
            let before = scrapes.partition_point(|(scrape, _)| *scrape < at);
            return before.checked_sub(1).is_some_and(|last| !is_gap(at.since(scrapes[last].0), scrapes[last].1));
        }
        let companions = stage.companions.get_or_insert_with(|| self.companions(sights));
        let of_lane = companions.range((lane, TargetKey::FIRST)..=(lane, TargetKey::LAST));
        of_lane.into_iter().any(|(_, times)| seen_just_before(times, at))
    }

    /// The same, if it happened since its target was last seen.
    fn new_value_of_target(
        &self,
        stage: &mut Stage<'_>,
        sights: &[Sight<'_>],
        sight: &Sight<'_>,
        lane: u32,
        at: Timestamp,
    ) -> Option<(Timestamp, FirstValueRule)> {
        let target = TargetKey::of(sight.labels)?;
        if stage.timeline.knows(target) {
            let standstill = self.counted.lanes[lane as usize].standstill_before(at);
            let still = standstill.map_or(Duration::ZERO, |(from, to)| to.since(from));
            let first = self.first_scrape(stage, at, still);
            return stage.timeline.new_value(target, at, standstill, first, &self.rule);
        }
        let companions = stage.companions.get_or_insert_with(|| self.companions(sights));
        companions.get(&(lane, target)).is_some_and(|times| seen_just_before(times, at)).then_some((at, FirstValueRule::TargetSeen))
    }

    /// Of each series the last settled sample and those of this read: the same whatever the reads before were. Series of other SLOs tell nothing,
    /// because those may read another stretch.
    pub(super) fn companions(&self, sights: &[Sight<'_>]) -> Companions {
        let mut times = Companions::new();
        for tracked in self.series.iter() {
            let Some(target) = tracked.target else { continue };
            for route in tracked.routes.iter() {
                times.entry((route.lane, target)).or_default().extend(self.series.counter(route).map(|counter| counter.at));
            }
        }
        for sight in sights {
            let Some(target) = TargetKey::of(sight.labels) else { continue };
            let countable = || sight.samples.iter().filter(|sample| sight.value(sample).is_ok()).map(|sample| sample.at);
            for route in self.tracked(sight).routes.iter() {
                times.entry((route.lane, target)).or_default().extend(countable());
            }
        }
        for moments in times.values_mut() {
            moments.sort_unstable();
            moments.dedup();
        }
        times
    }

    pub(super) fn book(&mut self, entry: Entry, settled: bool) {
        let stream = entry.stream as usize;
        let entries =
            if settled { &mut self.settled[stream] } else { &mut self.counted.provisional[stream].get_or_insert_default().entries };
        add(entries, entry);
    }

    /// Notes that a sample was seen.
    fn hear(&mut self, stage: &mut Stage<'_>, side: &Side, route: &Route, beat: Beat) {
        let meta = self.meta(route.stream);
        if side.is_threshold() {
            meta.see_bucket(route.side as usize, beat.0);
        }
        if side.role == Role::Present {
            stage.heard.entry(route.stream).or_default().push(beat);
        } else if side.role.is_total() {
            meta.newest = meta.newest.max(Some(beat));
            if !meta.has_up {
                stage.heard.entry(route.stream).or_default().push(beat);
            }
        }
    }

    /// Keeps or clears why a series' newest sample cannot be counted.
    fn note_fault(&mut self, stream: u32, key: SeriesKey, counter: Option<Counter>, fault: Option<(Timestamp, Unknown)>) {
        let any_known = self.ledger.troubled || !self.counted.troubles.is_empty();
        if fault.is_none() && (!any_known || self.troubles_of(stream).is_empty()) {
            return;
        }
        let mut troubles = self.troubles_of(stream).to_vec();
        match fault {
            Some((at, unknown)) => {
                troubles.retain(|trouble| trouble.key != key);
                if troubles.len() < MAX_TROUBLE {
                    troubles.push(Trouble { key, at, unknown });
                }
            }
            None => troubles.retain(|trouble| trouble.key != key || counter.is_none_or(|counter| counter.at < trouble.at)),
        }
        self.counted.troubles.insert(stream, troubles);
    }
}

/// Observations as events: what lies around the threshold is taken for half good.
fn judged(Parts { within, around, above }: Parts) -> Counts {
    let [good, tolerated, bad] = [within, around, above].map(|events| i64::try_from(events).unwrap_or(i64::MAX));
    Counts { good, tolerated, bad, ..Counts::default() }
}

/// By which rule a first value was taken for events, or not.
const fn rule_of(decided: &Result<Birth, FirstValueRule>) -> FirstValueRule {
    match decided {
        Ok(birth) => birth.rule,
        Err(rule) => *rule,
    }
}

/// Those of a series' samples that are newer.
fn behind(samples: &[Sample], at: Timestamp) -> &[Sample] {
    if samples.first().is_none_or(|first| first.at > at) { samples } else { &samples[samples.partition_point(|sample| sample.at <= at)..] }
}

fn seen_just_before(times: &[Timestamp], at: Timestamp) -> bool {
    let before = times.partition_point(|time| *time < at);
    before.checked_sub(1).is_some_and(|last| at.since(times[last]) <= COMPANION)
}

/// What is remembered of a series of which only the moments of its samples count.
fn seen_at(known: Option<Counter>, at: Timestamp) -> Counter {
    known.map_or_else(|| Counter::first(at, 0), |known| known.seen(at))
}
