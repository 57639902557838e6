//! What the ledger of a source is made of.

use std::{ops::Deref, sync::Arc, time::Duration};

use super::few::Few;
use crate::{
    id::{Group, SloId},
    ledger::{
        Counts, Unknown,
        count::{Rule, SeriesKey, TargetKey},
        coverage::{Beat, Stretch, open_silence},
        segment::state::Quiet,
        slice::{Entry, Span},
    },
    sli::Labels,
    time::{Timestamp, days, hours, minutes},
};

/// A restart reads this much before the watermark to find each series' last sample and spacing: twice the memory of `Rule::RAW`.
pub(in crate::ledger) const MARGIN: Duration = minutes(10);

/// A series whose last sample is older than this cannot be found within the margin with all that is remembered of it: the state holds it.
pub(in crate::ledger) const QUIET_AFTER: Duration = minutes(5);

/// A series that is missing for so long, while its target's source is scraped, is forgotten.
const FORGET_AFTER: Duration = hours(1);

/// The same where there is no `up` to tell that the source is scraped.
const FORGET_UNSEEN_AFTER: Duration = days(1);

/// So long every counter is remembered.
pub(in crate::ledger) const REMEMBERED: Duration = FORGET_AFTER;
const _: () = assert!(FORGET_AFTER.as_secs() <= FORGET_UNSEEN_AFTER.as_secs());

/// A fall that is suspect for so long is taken for a new beginning, of which nothing before is counted.
pub(in crate::ledger) const SUSPECT_FOR: Duration = minutes(30);

/// A series is not forgotten while it is suspect: its next value would count whole.
const _: () = assert!(SUSPECT_FOR.as_secs() < FORGET_AFTER.as_secs());

/// One SLO's reading. It is counted as a whole: all its answers, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct Lane {
    /// From here on raw samples are counted.
    pub begin: Timestamp,
    /// Up to here samples are settled.
    pub watermark: Timestamp,
    /// Down to here history is filled in.
    pub filled_to: Timestamp,
    /// What was filled in, newest first.
    pub fills: Vec<Fill>,
    /// The newest scrape of any target up to the watermark.
    pub beat: Option<Beat>,
    /// When the scraper stood still, of the last week.
    pub stood_still: Vec<Stretch>,
    /// True where the counters' last samples are known, and whose they are.
    pub primed: bool,
    /// So far before the watermark is read where they are not.
    pub margin: Duration,
    /// Why it cannot be seen.
    pub unknown: Option<Unknown>,
    /// True where its samples are not read up to now.
    pub catching_up: bool,
    /// When it was last tried.
    pub tried: Timestamp,
    /// Another replica was read up to here: no difference that begins by then is counted.
    pub other_until: Option<Timestamp>,
}

/// A stretch of history that was filled in at a coarse step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Its start, not part of it.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The spacing of the values that it was counted from.
    pub step: Duration,
}

/// An SLO as it is split: what its reading, its counters and its streams hang on. Split by other labels it is read anew, beside what was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::ledger) struct Split {
    /// Which SLO.
    pub slo: Arc<SloId>,
    /// The labels of its groups, sorted; none where it is not split.
    pub per: Arc<[String]>,
}

impl Split {
    pub(in crate::ledger) fn new(slo: Arc<SloId>, per: &[String]) -> Self {
        let mut per = per.to_vec();
        per.sort();
        Self { slo, per: per.into() }
    }

    /// That which a stream is of.
    pub(in crate::ledger) fn of(stream: &Stream) -> Self {
        let per = stream.group.labels().iter().map(|(label, _)| label.clone()).collect();
        Self { slo: Arc::clone(&stream.slo), per }
    }

    /// Whether a group is one of those that it is split into.
    pub(in crate::ledger) fn has(&self, group: &Group) -> bool {
        group.has_labels(&self.per)
    }
}

/// An SLO outside the plan, or one of the plan as it was split before.
#[derive(Debug)]
pub(in crate::ledger) struct Retired {
    /// A hash of what its counters mean; with another meaning they are not taken over.
    pub meaning: u64,
    /// What it has read.
    pub lane: Lane,
    /// Its counters that a wider read would not find.
    pub quiet: Vec<Quiet>,
}

/// A target that was seen before a standstill is known behind it, if that was no longer: each read of the targets reaches back to there.
const LONGEST_BRIDGED: Duration = days(1);

fn is_bridged((from, to): &Stretch) -> bool {
    to.since(*from) <= LONGEST_BRIDGED
}

impl Lane {
    pub(in crate::ledger) fn starting_at(begin: Timestamp) -> Self {
        Self {
            begin,
            watermark: begin,
            filled_to: begin,
            fills: Vec::new(),
            beat: None,
            stood_still: Vec::new(),
            primed: false,
            margin: MARGIN,
            unknown: Some(not_yet()),
            catching_up: true,
            tried: begin,
            other_until: None,
        }
    }

    /// The same without its counters: the next read goes wider to find them, and until then nothing is seen.
    pub(in crate::ledger) fn anew(self) -> Self {
        Self { primed: false, unknown: Some(not_yet()), catching_up: true, ..self }
    }

    /// The same, where up to its watermark another replica may have been read.
    pub(in crate::ledger) fn behind_another(self) -> Self {
        Self { other_until: Some(self.watermark), ..self }
    }

    /// True where its samples are read up to now.
    pub(in crate::ledger) const fn is_live(&self) -> bool {
        self.primed && !self.catching_up
    }

    /// The last time that the scraper stood still, where that ended shortly before `at` and was not too long: a target is known from before it.
    pub(in crate::ledger) fn standstill_before(&self, at: Timestamp) -> Option<Stretch> {
        self.stood_still.iter().rfind(|(_, to)| *to <= at).copied().filter(|(_, to)| at.since(*to) <= Rule::RAW.memory).filter(is_bridged)
    }

    /// From where on the targets' samples tell all that is needed of what comes behind the watermark: from a little before it, or before a standstill
    /// that ended shortly before it or goes on.
    pub(in crate::ledger) fn targets_needed_from(&self) -> Timestamp {
        let open = open_silence(self.beat, self.watermark).filter(is_bridged);
        let standstill = open.or_else(|| self.standstill_before(self.watermark));
        standstill.map_or(self.watermark, |(from, _)| from).minus(MARGIN)
    }

    /// Remembers one more filled stretch, joined with its newer neighbour where the step is the same.
    pub(in crate::ledger) fn fill(&mut self, fill: Fill) {
        self.filled_to = fill.from;
        match self.fills.last_mut() {
            Some(last) if last.from == fill.to && last.step == fill.step => last.from = fill.from,
            Some(_) | None => self.fills.push(fill),
        }
    }

    /// Whether a counter that was last seen at `last` is forgotten at its next sample, at `at`. Time in which the scraper stood still does not count.
    pub(in crate::ledger) fn forgets(&self, has_up: bool, last: Timestamp, at: Timestamp) -> bool {
        self.forgets_with(has_up, last, at, None)
    }

    /// Whether a counter that was last seen at `last` is forgotten at the watermark: the scraper may stand still there since the last scrape of all.
    pub(in crate::ledger) fn forgets_by_now(&self, has_up: bool, last: Timestamp) -> bool {
        self.forgets_with(has_up, last, self.watermark, open_silence(self.beat, self.watermark))
    }

    fn forgets_with(&self, has_up: bool, last: Timestamp, at: Timestamp, open: Option<Stretch>) -> bool {
        let age = at.since(last);
        if !has_up {
            return age > FORGET_UNSEEN_AFTER;
        }
        let stretches = || self.stood_still.iter().chain(&open);
        let still = || stretches().map(|(from, to)| (*to).min(at).since((*from).max(last))).sum::<Duration>();
        age > FORGET_AFTER && age.saturating_sub(still()) > FORGET_AFTER
    }
}

fn not_yet() -> Unknown {
    Unknown::new(super::Reason::NotYet, "nothing was read yet since the start")
}

/// One SLO's group: all objectives of the SLO share it.
#[derive(Debug, Clone)]
pub struct Stream {
    /// Its index in this ledger, stable for ever.
    pub index: u32,
    /// The SLO.
    pub slo: Arc<SloId>,
    /// The group. Of an SLO with too many groups the last one holds all others: every label is `(other)`.
    pub group: Group,
    /// Timestamp of the newest sample of the total.
    pub newest_sample: Option<Timestamp>,
    /// From when on its events are held.
    pub counted_from: Option<Timestamp>,
    /// True while its samples are not yet read up to now: nothing is to be decided.
    pub catching_up: bool,
}

/// What is known of a stream beside its slices, its targets and its troubles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(in crate::ledger) struct Meta {
    /// The newest sample of the total, settled or not, with the usual spacing there.
    pub newest: Option<Beat>,
    /// From when on its events are held.
    pub counted_from: Option<Timestamp>,
    /// For a latency SLO: the buckets of its thresholds, which are its first sides.
    pub buckets: [BucketSeen; MAX_THRESHOLDS],
    /// True once `up` knew one of its targets.
    pub has_up: bool,
    /// Without `up`: the newest settled sample of the total. With it, while none of its targets is scraped steadily: the newest settled scrape of one.
    pub beat: Option<Beat>,
}

/// A latency SLO has at most these many thresholds: good up to the first, tolerated up to the second.
pub(in crate::ledger) const MAX_THRESHOLDS: usize = 2;

/// When the bucket of a threshold was sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::ledger) struct BucketSeen {
    /// First: before that nothing can be judged.
    pub first: Option<Timestamp>,
    /// Last, settled or not.
    pub newest: Option<Timestamp>,
}

impl Meta {
    /// Notes a moment from which on events are counted.
    pub(in crate::ledger) fn count_from(&mut self, from: Timestamp) {
        self.counted_from = Some(self.counted_from.map_or(from, |first| first.min(from)));
    }

    /// Notes a sample of the bucket of the threshold on a side.
    pub(in crate::ledger) fn see_bucket(&mut self, side: usize, at: Timestamp) {
        let seen = &mut self.buckets[side];
        seen.first = seen.first.into_iter().chain([at]).min();
        seen.newest = seen.newest.max(Some(at));
    }
}

/// A series whose newest sample cannot be counted.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct Trouble {
    /// Which.
    pub key: SeriesKey,
    /// When it was sampled.
    pub at: Timestamp,
    /// Why.
    pub unknown: Unknown,
}

/// One series and what it counts for.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ledger) struct Tracked {
    /// Which.
    pub key: SeriesKey,
    /// Whose series it is; none also where it was not met since the start.
    pub target: Option<TargetKey>,
    /// Its labels, where it was met since the start.
    pub labels: Option<Labels>,
    /// The queries for whose answers its takers are known.
    pub matched: Few<u32>,
    /// Who takes it.
    pub routes: Few<Route>,
}

impl Tracked {
    /// A series that nobody takes yet.
    pub(in crate::ledger) const fn new(key: SeriesKey) -> Self {
        Self { key, target: None, labels: None, matched: Few::None, routes: Few::None }
    }
}

/// One side of one SLO that takes a series. Each has a counter of its own, because SLOs advance for themselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ledger) struct Route {
    /// The SLO.
    pub lane: u32,
    /// Its side.
    pub side: u32,
    /// The stream of its group.
    pub stream: u32,
    /// Where its last settled sample is among all counters.
    pub counter: u32,
}

impl Route {
    /// Whether it is of the same side of the same SLO.
    pub(in crate::ledger) const fn is_of(&self, other: &Self) -> bool {
        self.lane == other.lane && self.side == other.side
    }
}

/// What is counted but not settled: recomputed by every read.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::ledger) struct Provisional {
    /// Slices, sorted.
    pub entries: Vec<Entry>,
    /// Unseen stretches.
    pub spans: Vec<Span>,
}

/// What is provisional of a stream, as it is until the next read, with the sum of all of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::ledger) struct Newer {
    provisional: Provisional,
    all: Counts,
    from: Option<Timestamp>,
}

impl Newer {
    /// The sum.
    pub(super) const fn all(&self) -> Counts {
        self.all
    }

    /// From when on it is; `None` where there is nothing.
    pub(super) const fn from(&self) -> Option<Timestamp> {
        self.from
    }
}

impl From<Provisional> for Newer {
    fn from(provisional: Provisional) -> Self {
        let Provisional { entries, spans } = &provisional;
        let before = |entry: &Entry| entry.end.minus(Duration::from_millis(1));
        let from = entries.first().map(before).into_iter().chain(spans.iter().map(|span| span.from)).min();
        let of_spans = spans.iter().map(|span| span.within(span.from, span.to));
        let all = entries.iter().map(|entry| entry.counts).chain(of_spans).sum();
        Self { provisional, all, from }
    }
}

impl Deref for Newer {
    type Target = Provisional;

    fn deref(&self) -> &Provisional {
        &self.provisional
    }
}
