//! Coverage: for which time nobody could see, from `up` of the same source.
//!
//! - A target whose scrape failed (`up` is 0) was not seen since the scrape before. It weighs as its share of the stream's targets.
//! - A target that is gone (no samples any more) is removed, not unseen, while other targets of the same stream are scraped.
//! - All targets of a stream gone: nobody can say what happens there, and it is unseen. Where all targets of the source are gone, the scraper stood still.
//!
//! Without `up`, a stream is unseen where all of its series are silent for more than 2.5 times their usual spacing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    FirstValueRule, Series,
    count::{Rule, Spacings, TargetKey, is_gap},
};
use crate::{sli::Labels, time::Timestamp};

/// A moment at which something was seen, with the usual spacing there.
pub(super) type Beat = (Timestamp, Duration);

/// How far the clock of a target may be behind the scraper's where a restart is looked for.
const START_SKEW: Duration = Duration::from_secs(30);

/// A stretch `(from, to]`.
pub(super) type Stretch = (Timestamp, Timestamp);

/// What is known of the targets of a source, over a recent stretch.
#[derive(Debug, Clone, Default)]
pub(super) struct Timeline {
    targets: BTreeMap<TargetKey, Target>,
}

#[derive(Debug, Clone, Default)]
struct Target {
    /// Scrapes with their outcome, sorted.
    scrapes: Vec<(Timestamp, Outcome)>,
    /// When its process started, as it said at this instant.
    starts: Vec<(Timestamp, Timestamp)>,
    /// The labels of its `up`, each set from the first of some scrapes in a row that had it. Shared, because they hardly ever change.
    faces: Arc<Vec<(Timestamp, Labels)>>,
}

/// Of two contradicting samples the failure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Failed,
    Seen,
}

/// A failed scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// When.
    pub at: Timestamp,
    /// How long nobody saw because of it.
    pub unseen: Duration,
}

/// The failed scrapes of each target.
pub(super) type Failures = BTreeMap<TargetKey, Vec<Failure>>;

impl Timeline {
    /// Replaces what lies after `after` by the answers to `up` and `process_start_time_seconds`.
    pub(super) fn replace(&mut self, after: Timestamp, up: &[Series], starts: &[Series]) {
        for target in self.targets.values_mut() {
            target.scrapes.truncate(target.scrapes.partition_point(|(at, _)| *at <= after));
            target.starts.truncate(target.starts.partition_point(|(at, _)| *at <= after));
            if target.faces.last().is_some_and(|(from, _)| *from > after) {
                Arc::make_mut(&mut target.faces).retain(|(from, _)| *from <= after);
            }
        }
        let mut changed = BTreeSet::new();
        for (key, series) in of_targets(up) {
            let fresh = series.samples.iter().filter(|sample| sample.at > after);
            let outcome = |value: f64| if value > 0.5 { Outcome::Seen } else { Outcome::Failed };
            let target = self.targets.entry(key).or_default();
            let before = target.scrapes.len();
            target.scrapes.extend(fresh.map(|sample| (sample.at, outcome(sample.value))));
            if target.scrapes.len() > before && target.faces.last().is_none_or(|(_, face)| face.identity() != series.labels.identity()) {
                changed.insert(key);
            }
        }
        if !changed.is_empty() {
            self.change_faces(after, up, &changed);
        }
        for (target, series) in of_targets(starts) {
            let fresh = series.samples.iter().filter(|sample| sample.at > after);
            self.targets.entry(target).or_default().starts.extend(fresh.filter_map(|sample| Some((sample.at, instant(sample.value)?))));
        }
        for target in self.targets.values_mut() {
            target.scrapes.sort_unstable();
            target.scrapes.dedup_by_key(|(at, _)| *at);
            target.starts.sort_unstable();
        }
    }

    /// Of two at one moment the one counts that the scrape before had not.
    fn change_faces(&mut self, after: Timestamp, up: &[Series], changed: &BTreeSet<TargetKey>) {
        let mut scrapes: BTreeMap<TargetKey, BTreeMap<Timestamp, Vec<&Labels>>> = BTreeMap::new();
        for (key, series) in of_targets(up).filter(|(key, _)| changed.contains(key)) {
            for sample in series.samples.iter().filter(|sample| sample.at > after) {
                scrapes.entry(key).or_default().entry(sample.at).or_default().push(&series.labels);
            }
        }
        for (key, scrapes) in scrapes {
            let faces = Arc::make_mut(&mut self.targets.entry(key).or_default().faces);
            for (at, mut labels) in scrapes {
                labels.sort_unstable();
                let last = faces.last().map(|(_, face)| face.identity());
                if let Some(new) = labels.into_iter().find(|labels| Some(labels.identity()) != last) {
                    faces.push((at, new.clone()));
                }
            }
        }
    }

    /// Forgets what lies before `before`, but for each target's last scrape, and targets that were last scraped before `gone`.
    pub(super) fn prune(&mut self, before: Timestamp, gone: Timestamp) {
        self.targets.retain(|_, target| {
            let old = target.scrapes.partition_point(|(at, _)| *at < before);
            target.scrapes.drain(..old.min(target.scrapes.len().saturating_sub(1)));
            let old = target.starts.partition_point(|(at, _)| *at < before);
            target.starts.drain(..old.min(target.starts.len().saturating_sub(1)));
            let old = target.faces.partition_point(|(from, _)| *from < before).saturating_sub(1);
            if old > 0 {
                Arc::make_mut(&mut target.faces).drain(..old);
            }
            target.scrapes.last().is_some_and(|(at, _)| *at >= gone)
        });
    }

    /// True where `up` knows the target.
    pub(super) fn knows(&self, target: TargetKey) -> bool {
        self.targets.get(&target).is_some_and(|target| !target.scrapes.is_empty())
    }

    /// True where `up` knew it at `at` or before.
    pub(super) fn knows_by(&self, target: TargetKey, at: Timestamp) -> bool {
        self.targets.get(&target).and_then(|target| target.scrapes.first()).is_some_and(|(scrape, _)| *scrape <= at)
    }

    /// Whether the first value of a series at `at` happened since the target was last seen, and the moment within the slice that it is booked in, with the rule that says so: it was
    /// seen one scrape before, without the series, or its process started after it was last seen. The time of a standstill shortly before does not
    /// count for how long ago that was; what happened in it is booked right behind the last scrape, or behind the start of a process that is new. A process
    /// that started before the `first` scrape of all that is known of tells of a time that the source did not see.
    pub(super) fn new_value(
        &self,
        target: TargetKey,
        at: Timestamp,
        standstill: Option<Stretch>,
        first: Option<Timestamp>,
        rule: &Rule,
    ) -> Option<(Timestamp, FirstValueRule)> {
        let target = self.targets.get(&target)?;
        let still = standstill.map_or(Duration::ZERO, |(from, to)| to.since(from));
        let spacing = |scrape: Timestamp| {
            let within = standstill.is_some_and(|(from, _)| scrape <= from);
            at.since(scrape).saturating_sub(if within { still } else { Duration::ZERO })
        };
        let before = target.scrapes.partition_point(|(scrape, _)| *scrape < at);
        let seen = target.scrapes[..before].iter().rposition(|(_, outcome)| *outcome == Outcome::Seen);
        let seen = seen.map(|scrape| (target.scrapes[scrape].0, target.usual(scrape, rule)));
        let seen = seen.filter(|(scrape, _)| spacing(*scrape) <= rule.memory);
        let since = seen.map_or_else(|| at.minus(rule.memory + still), |(scrape, _)| scrape);
        let started = target.started_by(at).filter(|start| *start > since && first.is_some_and(|first| first <= *start));
        let behind = |moment: Timestamp| moment.plus(Duration::from_millis(1));
        match (seen.filter(|(scrape, usual)| !is_gap(spacing(*scrape), *usual)), started, standstill) {
            (Some((scrape, _)), None, Some((from, _))) if scrape <= from => Some((behind(scrape), FirstValueRule::TargetSeen)),
            (Some(_), _, _) => Some((at, FirstValueRule::TargetSeen)),
            (None, Some(start), Some((_, to))) if start < to => Some((behind(start), FirstValueRule::TargetStarted)),
            (None, started, _) => started.map(|_| (at, FirstValueRule::TargetStarted)),
        }
    }

    /// When the target was last seen before `at`.
    pub(super) fn seen_before(&self, target: TargetKey, at: Timestamp) -> Option<Timestamp> {
        let scrapes = &self.targets.get(&target)?.scrapes;
        let before = &scrapes[..scrapes.partition_point(|(scrape, _)| *scrape < at)];
        before.iter().rfind(|(_, outcome)| *outcome == Outcome::Seen).map(|(scrape, _)| *scrape)
    }

    /// Whether the target's process, as it says at `at` or before, started after `since`.
    pub(super) fn started(&self, target: TargetKey, since: Timestamp, at: Timestamp) -> bool {
        self.targets.get(&target).and_then(|target| target.started_by(at)).is_some_and(|start| start > since)
    }

    /// The names of the labels in which `up` itself changed from the scrape at `since` to that at `at`; none where it did not. Labels that change to and fro
    /// with each scrape are of several scrapers, and tell of no change.
    pub(super) fn relabelled(&self, target: TargetKey, since: Timestamp, at: Timestamp) -> Vec<String> {
        let Some((before, after)) = self.targets.get(&target).and_then(|target| target.faces_around(since, at)) else { return Vec::new() };
        let [before, after] = [before, after].map(|labels| labels.pairs().collect::<BTreeSet<_>>());
        let names: BTreeSet<&str> = before.symmetric_difference(&after).map(|(name, _)| *name).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Whether the target's process, as it says at `at` or before, started after `since`. Its clock may be `START_SKEW` behind that of the scraper.
    pub(super) fn restarted(&self, target: TargetKey, since: Timestamp, at: Timestamp) -> bool {
        self.targets.get(&target).and_then(|target| target.started_by(at)).is_some_and(|start| start > since.minus(START_SKEW))
    }

    /// How often the target is scraped, as known at `at`; where no scrape before is known, by the next one, if that is no longer off than `soon`.
    pub(super) fn usual_at(&self, target: TargetKey, at: Timestamp, soon: Duration, rule: &Rule) -> Option<Duration> {
        let target = self.targets.get(&target)?;
        let next = target.scrapes.partition_point(|(scrape, _)| *scrape <= at);
        let last = next.checked_sub(1)?;
        let following =
            || target.scrapes.get(next).map(|(scrape, _)| scrape.since(target.scrapes[last].0)).filter(|spacing| *spacing <= soon);
        target.known_usual(last, rule).or_else(following)
    }

    /// Failed scrapes with `from < at <= to`.
    pub(super) fn failures(&self, from: Timestamp, to: Timestamp, rule: &Rule) -> Failures {
        let failed = |target: &Target| -> Vec<Failure> {
            let range = target.scrapes.partition_point(|(at, _)| *at <= from)..target.scrapes.partition_point(|(at, _)| *at <= to);
            range.filter(|scrape| target.scrapes[*scrape].1 == Outcome::Failed).map(|scrape| target.failure(scrape, rule)).collect()
        };
        self.targets.iter().map(|(key, target)| (*key, failed(target))).filter(|(_, failed)| !failed.is_empty()).collect()
    }

    /// How long nobody saw of a target because a scrape, at `at`, did not tell what it should.
    pub(super) fn hidden_by(&self, target: TargetKey, at: Timestamp, rule: &Rule) -> Option<Failure> {
        let target = self.targets.get(&target)?;
        let scrape = target.scrapes.binary_search_by_key(&at, |(scrape, _)| *scrape).ok()?;
        Some(target.failure(scrape, rule))
    }

    /// Whether the target is still scraped at `at`, successfully or not.
    pub(super) fn present(&self, target: TargetKey, at: Timestamp, rule: &Rule) -> bool {
        self.targets.get(&target).is_some_and(|target| {
            let until = target.scrapes.partition_point(|(scrape, _)| *scrape <= at);
            until.checked_sub(1).is_some_and(|last| !is_gap(at.since(target.scrapes[last].0), target.usual(last, rule)))
        })
    }

    /// The scrapes of any target up to `to`: those after `after` and the last one not after it.
    pub(super) fn beats(&self, after: Timestamp, to: Timestamp, rule: &Rule) -> Vec<Beat> {
        let mut beats = Self::beats_among(self.targets.values().map(|target| (target, None)), after, to, rule);
        from_last_before(&mut beats, after)
    }

    /// The same of these targets, of each from a moment on. A target that is scraped rarely is awaited for longer than the others, so each beat lasts as long
    /// as any before it does, the remembered one among them.
    pub(super) fn beats_of(
        &self,
        targets: &[(TargetKey, Option<Timestamp>)],
        remembered: Option<Beat>,
        (after, to): Stretch,
        rule: &Rule,
    ) -> Vec<Beat> {
        let targets = targets.iter().filter_map(|(target, from)| Some((self.targets.get(target)?, *from)));
        // No beat lasts for longer than is remembered.
        let mut beats = Self::beats_among(targets, after.minus(rule.memory), to, rule);
        beats.extend(remembered);
        one_per_moment(&mut beats);
        outlast(&mut beats);
        from_last_before(&mut beats, after)
    }

    fn beats_among<'t>(
        targets: impl Iterator<Item = (&'t Target, Option<Timestamp>)>,
        after: Timestamp,
        to: Timestamp,
        rule: &Rule,
    ) -> Vec<Beat> {
        let mut beats: Vec<Beat> = Vec::new();
        for (target, from) in targets {
            let scrapes = &target.scrapes;
            let begin = from.map_or(0, |from| scrapes.partition_point(|(at, _)| *at < from));
            let first = scrapes.partition_point(|(at, _)| *at <= after).saturating_sub(1).max(begin);
            let until = scrapes.partition_point(|(at, _)| *at <= to);
            beats.extend((first..until).map(|scrape| (scrapes[scrape].0, target.usual(scrape, rule))));
        }
        one_per_moment(&mut beats);
        beats
    }

    /// The targets that were scraped without a gap from `after` to `to`.
    pub(super) fn steady(&self, after: Timestamp, to: Timestamp, rule: &Rule) -> BTreeSet<TargetKey> {
        let is_steady = |target: &Target| {
            let first = target.scrapes.partition_point(|(at, _)| *at <= after).checked_sub(1);
            let until = target.scrapes.partition_point(|(at, _)| *at <= to);
            let next = |scrape: usize| if scrape + 1 < until { target.scrapes[scrape + 1].0 } else { to };
            first.is_some_and(|first| {
                (first..until).all(|scrape| !is_gap(next(scrape).since(target.scrapes[scrape].0), target.usual(scrape, rule)))
            })
        };
        self.targets.iter().filter(|(_, target)| is_steady(target)).map(|(key, _)| *key).collect()
    }
}

impl Target {
    fn usual(&self, scrape: usize, rule: &Rule) -> Duration {
        self.known_usual(scrape, rule).unwrap_or(rule.default_spacing)
    }

    fn known_usual(&self, scrape: usize, rule: &Rule) -> Option<Duration> {
        let mut spacings = Spacings::default();
        for pair in self.scrapes[scrape.saturating_sub(3)..=scrape].windows(2) {
            spacings.push(pair[1].0.since(pair[0].0));
        }
        spacings.usual(rule)
    }

    /// A failure behind a gap hides no more than the gap does; a first scrape that failed hides nothing that was seen before.
    fn failure(&self, scrape: usize, rule: &Rule) -> Failure {
        let at = self.scrapes[scrape].0;
        let spacing = scrape.checked_sub(1).map(|before| (at.since(self.scrapes[before].0), self.usual(before, rule)));
        let unseen = spacing.filter(|(spacing, usual)| !is_gap(*spacing, *usual)).map(|(spacing, _)| spacing);
        Failure { at, unseen: unseen.unwrap_or_default() }
    }

    /// The labels of `up` up to the scrape at `since` and from that at `at` on, where these are other ones, each in more than one scrape as far as is known.
    fn faces_around(&self, since: Timestamp, at: Timestamp) -> Option<(&Labels, &Labels)> {
        let new = self.faces.partition_point(|(from, _)| *from <= at).checked_sub(1)?;
        let old = self.faces.partition_point(|(from, _)| *from <= since).checked_sub(1)?;
        let next_scrape = self.scrapes.get(self.scrapes.partition_point(|(scrape, _)| *scrape <= at)).map(|(scrape, _)| *scrape);
        let lasted = old == 0 || self.faces[old].0 < since;
        let lasts = self.faces.get(new + 1).is_none_or(|(from, _)| Some(*from) != next_scrape);
        (new == old + 1 && lasted && lasts).then(|| (&self.faces[old].1, &self.faces[new].1))
    }

    fn started_by(&self, at: Timestamp) -> Option<Timestamp> {
        let until = self.starts.partition_point(|(said, _)| *said <= at);
        until.checked_sub(1).map(|last| self.starts[last].1)
    }
}

fn of_targets(series: &[Series]) -> impl Iterator<Item = (TargetKey, &Series)> {
    series.iter().filter_map(|series| Some((TargetKey::of(&series.labels)?, series)))
}

/// Seconds since the epoch as an instant; `None` for what cannot be one.
fn instant(seconds: f64) -> Option<Timestamp> {
    let sane = seconds.is_finite() && (0.0..1e11).contains(&seconds);
    #[expect(clippy::cast_possible_truncation, reason = "checked to lie within the range")]
    sane.then(|| Timestamp::from_millis((seconds * 1000.0) as i64))
}

/// Sorts, and keeps of several at one moment the one with the longest usual spacing.
pub(super) fn one_per_moment(beats: &mut Vec<Beat>) {
    beats.sort_unstable();
    beats.reverse();
    beats.dedup_by_key(|(at, _)| *at);
    beats.reverse();
}

/// Those after a moment, and the last one not after it.
fn from_last_before(beats: &mut Vec<Beat>, after: Timestamp) -> Vec<Beat> {
    let before = beats.partition_point(|(at, _)| *at <= after).saturating_sub(1);
    beats.split_off(before)
}

/// Has each beat last as long as any before it does.
fn outlast(beats: &mut [Beat]) {
    let mut until: Option<Timestamp> = None;
    for (at, usual) in beats {
        let own = at.plus(*usual * 5 / 2);
        let last = until.map_or(own, |until| until.max(own));
        (*usual, until) = (last.since(*at) * 2 / 5, Some(last));
    }
}

/// The stretches between two beats that are longer than 2.5 times the usual spacing, in order.
pub(super) fn silences<'a>(before: Option<Beat>, beats: impl IntoIterator<Item = &'a Beat>) -> Vec<Stretch> {
    let mut silences = Vec::new();
    let mut last = before;
    for (at, usual) in beats {
        match last {
            Some((earlier, _)) if earlier >= *at => continue,
            Some((earlier, spacing)) if is_gap(at.since(earlier), spacing) => silences.push((earlier, *at)),
            Some(_) | None => {}
        }
        last = Some((*at, *usual));
    }
    silences
}

/// The stretch since the last beat, where it is already too long at `now`.
pub(super) fn open_silence(last: Option<Beat>, now: Timestamp) -> Option<Stretch> {
    last.filter(|(at, usual)| is_gap(now.since(*at), *usual)).map(|(at, _)| (at, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture::{labels, series};

    fn target(instance: &str) -> TargetKey {
        TargetKey::of(&labels(&[("job", "x"), ("instance", instance)])).expect("named")
    }

    fn up(instance: &str, samples: &[(i64, f64)]) -> Series {
        let millis: Vec<_> = samples.iter().map(|(at, value)| (at * 1000, *value)).collect();
        series(&[("__name__", "up"), ("job", "x"), ("instance", instance)], &millis)
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn timeline(ups: &[Series], starts: &[Series]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.replace(at(-1), ups, starts);
        timeline
    }

    fn beating(from: i64, to: i64) -> Vec<(i64, f64)> {
        (from..to).step_by(15).map(|at| (at, 1.0)).collect()
    }

    #[test]
    fn a_failed_scrape_hides_the_time_since_the_one_before() {
        let mut samples = beating(0, 60);
        samples.extend([(60, 0.0), (75, 1.0)]);
        let failures = timeline(&[up("a", &samples)], &[]).failures(at(0), at(100), &Rule::RAW);
        assert_eq!(failures[&target("a")], [Failure { at: at(60), unseen: Duration::from_secs(15) }]);
    }

    #[test]
    fn a_target_that_is_gone_is_no_silence_while_others_are_scraped() {
        let timeline = timeline(&[up("a", &beating(0, 60)), up("b", &beating(5, 600))], &[]);
        assert_eq!(silences(None, &timeline.beats(at(0), at(600), &Rule::RAW)), []);
        assert!(timeline.present(target("a"), at(60), &Rule::RAW) && !timeline.present(target("a"), at(120), &Rule::RAW));
    }

    #[test]
    fn a_target_that_is_scraped_rarely_is_awaited_for_longer_than_the_others() {
        let rare: Vec<_> = (0..600).step_by(60).map(|at| (at, 1.0)).collect();
        let timeline = timeline(&[up("a", &beating(5, 200)), up("b", &rare)], &[]);
        let of = |targets: &[&str], remembered, after| {
            let targets: Vec<_> = targets.iter().map(|instance| (target(instance), None)).collect();
            silences(None, &timeline.beats_of(&targets, remembered, (at(after), at(600)), &Rule::RAW))
        };
        assert_eq!(silences(None, &timeline.beats(at(0), at(600), &Rule::RAW)), [(at(185), at(240))]);
        assert_eq!(of(&["a", "b"], None, 0), []);
        assert_eq!(of(&["a", "b"], None, 210), []);
        assert_eq!(of(&["a"], Some((at(185), Duration::from_secs(15))), 210), []);
    }

    #[test]
    fn all_gone_means_that_the_scraper_stood_still() {
        let mut samples = beating(0, 61);
        samples.extend(beating(300, 400));
        let timeline = timeline(&[up("a", &samples)], &[]);
        let beats = timeline.beats(at(0), at(400), &Rule::RAW);
        assert_eq!(silences(None, &beats), [(at(60), at(300))]);
        assert_eq!(open_silence(beats.last().copied(), at(425)), None);
        assert_eq!(open_silence(beats.last().copied(), at(450)), Some((at(390), at(450))));
    }

    #[test]
    fn a_standstill_does_not_count_for_how_long_a_target_was_not_seen() {
        let start = |seconds: f64| series(&[("__name__", "s"), ("job", "x"), ("instance", "a")], &[(4_000_000, seconds)]);
        let before = |from| (from - 60..=from).step_by(15).map(|at| (at, 1.0)).collect::<Vec<_>>();
        for (name, mut ups, starts, expected) in [
            ("seen just before", before(100), vec![], Some(100_001)),
            ("the same process", before(100), vec![start(5.0)], Some(100_001)),
            ("restarted in it, as what falls counts", before(100), vec![start(2_000.0)], Some(4_000_000)),
            ("gone before", before(0), vec![], None),
            ("gone before, and started in it", before(0), vec![start(2_000.0)], Some(2_000_001)),
            ("new", vec![], vec![], None),
            ("new and started in it", vec![], vec![start(2_000.0)], Some(2_000_001)),
            ("new and started behind it", vec![], vec![start(3_995.0)], Some(4_000_000)),
            ("new and old", vec![], vec![start(-900.0)], None),
        ] {
            ups.push((4_000, 1.0));
            let mut timeline = Timeline::default();
            timeline.replace(at(-1000), &[up("a", &ups)], &starts);
            let moment = timeline.new_value(target("a"), at(4_000), Some((at(105), at(3_990))), Some(at(-900)), &Rule::RAW);
            assert_eq!(moment.map(|(booked, _)| booked.millis()), expected, "{name}");
        }
    }

    #[test]
    fn a_first_value_is_new_only_with_proof() {
        use FirstValueRule::{TargetSeen, TargetStarted};
        let start = |seconds: f64| series(&[("__name__", "s"), ("job", "x"), ("instance", "a")], &[(100_000, seconds)]);
        for (name, ups, starts, expected) in [
            ("seen one scrape before", vec![(85, 1.0), (100, 1.0)], vec![], Some(TargetSeen)),
            ("first scrape of all", vec![(100, 1.0)], vec![], None),
            ("scrape before failed", vec![(55, 1.0), (70, 1.0), (85, 0.0), (100, 1.0)], vec![], Some(TargetSeen)),
            ("long unseen", vec![(-20, 1.0), (-5, 1.0), (10, 1.0), (25, 0.0), (40, 0.0), (100, 1.0)], vec![], None),
            ("restarted since", vec![(-20, 1.0), (-5, 1.0), (10, 1.0), (25, 0.0), (100, 1.0)], vec![start(50.0)], Some(TargetStarted)),
            ("started before it was seen", vec![(-20, 1.0), (-5, 1.0), (10, 1.0), (100, 1.0)], vec![start(5.0)], None),
            ("new and young", vec![(100, 1.0)], vec![start(90.0)], Some(TargetStarted)),
            ("new and old", vec![(100, 1.0)], vec![start(-900.0)], None),
        ] {
            let mut timeline = Timeline::default();
            timeline.replace(at(-1000), &[up("a", &ups)], &starts);
            let moment = timeline.new_value(target("a"), at(100), None, Some(at(-900)), &Rule::RAW);
            assert_eq!(moment, expected.map(|rule| (at(100), rule)), "{name}");
        }
    }

    #[test]
    fn a_process_that_is_older_than_the_scrapes_of_its_source_proves_nothing() {
        let started = series(&[("__name__", "s"), ("job", "x"), ("instance", "a")], &[(100_000, 90.0)]);
        let mut timeline = Timeline::default();
        timeline.replace(at(-1000), &[up("a", &[(100, 1.0)])], &[started]);
        for (first, expected) in [(Some(at(89)), Some(at(100))), (Some(at(90)), Some(at(100))), (Some(at(91)), None), (None, None)] {
            let moment = timeline.new_value(target("a"), at(100), None, first, &Rule::RAW);
            assert_eq!(moment.map(|(booked, _)| booked), expected, "{first:?}");
        }
    }
}
