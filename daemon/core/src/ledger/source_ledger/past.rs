//! Sums that end at a moment of the past: the same slices, read up to there, with or without what was found late.

use std::time::Duration;

use super::{
    Held, SourceLedger,
    view::{Kept, late_after},
};
use crate::{
    exclusion::{Excluded, Known},
    ledger::{Counts, Damaged, Sums, count::is_gap, segment::RoundSlices, slice::Entry},
    time::{Timestamp, days},
    window::Interval,
};

/// How far back from a moment it is looked for since when nobody saw anything.
const BLIND_FOR_MOST: Duration = days(35);

/// Sums of one stream over lookbacks that end at a moment of the past. Both ends are moved outwards to edges of the slices that are kept there.
#[derive(Debug)]
pub struct PastSums<'a> {
    ledger: &'a SourceLedger,
    stream: u32,
    at: Timestamp,
    /// What was not known yet.
    unknown: Vec<&'a Late>,
}

/// What one second reading found that had come late, of each minute one entry. It is in all sums; whoever asks what was known before takes it out.
#[derive(Debug, Clone, PartialEq)]
pub struct Late {
    recorded: Timestamp,
    entries: Vec<Entry>,
}

impl Late {
    /// Those that were not recorded yet, as far as is known.
    pub fn unknown(late: &[Self], known: Known) -> Vec<&Self> {
        match known {
            Known::Now => Vec::new(),
            Known::By(then) => late.iter().filter(|late| late.recorded > then).collect(),
        }
    }

    /// What came late of a stream in a stretch, outside of these stretches of exclusions: of what was recorded, as far as is known.
    pub fn corrected(late: &[Self], known: Known, stream: u32, over: Interval, excluded: &[Interval]) -> Counts {
        let is_known = |late: &&Self| match known {
            Known::Now => true,
            Known::By(then) => late.recorded <= then,
        };
        let within =
            |stretch: Interval| late.iter().filter(is_known).map(|late| late.within(stream, stretch.from, stretch.to)).sum::<Counts>();
        let out = excluded.iter().map(|stretch| Interval { from: stretch.from.max(over.from), to: stretch.to.min(over.to) });
        within(over) - out.filter(|stretch| stretch.from < stretch.to).map(within).sum::<Counts>()
    }

    /// What it brought of a stream, by the ends of its minutes.
    pub(in crate::ledger) fn of(&self, stream: u32) -> impl Iterator<Item = (Timestamp, Counts)> {
        let first = self.entries.partition_point(|entry| entry.stream < stream);
        self.entries[first..].iter().take_while(move |entry| entry.stream == stream).map(|entry| (entry.end, entry.counts))
    }

    /// What was recorded at a moment, as [`super::Counted::late_blob`] packed it.
    ///
    /// # Errors
    /// The blob cannot be read.
    pub fn unpack(recorded: Timestamp, blob: &[u8]) -> Result<Self, Damaged> {
        Ok(Self { recorded, entries: RoundSlices::unpack(blob)?.entries })
    }

    /// What of a stream is in the sum of the slices that end after `from` and not after `to`.
    pub(super) fn within(&self, stream: u32, from: Timestamp, to: Timestamp) -> Counts {
        let first = self.entries.partition_point(|entry| (entry.stream, entry.end) <= (stream, from));
        let found = self.entries[first..].iter().take_while(|entry| entry.stream == stream && entry.end <= to);
        found.map(|entry| entry.counts).sum()
    }
}

impl Sums for PastSums<'_> {
    fn over(&self, lookback: Duration) -> Counts {
        self.since(self.at.minus(lookback))
    }

    /// What nobody has read up to the moment counts as unseen.
    fn since(&self, from: Timestamp) -> Counts {
        self.ledger.between(self.stream, from, self.at) + self.unread(from) - self.unknown_within(from, self.at)
    }
}

impl PastSums<'_> {
    /// What is not booked as unseen already of the time that nobody has read: as a silence, or as scrapes that failed.
    fn unread(&self, from: Timestamp) -> Counts {
        let events = self.ledger.events_of(self.stream);
        let Some(held) = self.ledger.streams.get(events as usize) else { return Counts::default() };
        let unread = held.unread(self.ledger.settled_of(self.stream), from, self.at);
        let since = self.at.minus(Duration::from_millis(u64::try_from(unread.unseen_millis).unwrap_or(0)));
        let booked = self.ledger.between(self.stream, since, self.at).unseen_millis;
        Counts { unseen_millis: (unread.unseen_millis - booked).max(0), ..Counts::default() }
    }

    /// What was not known yet of a stretch; its ends move outwards to edges of the slices that are kept there, but not beyond the moment.
    fn unknown_within(&self, from: Timestamp, to: Timestamp) -> Counts {
        let Some(kept) = self.ledger.kept(self.stream).filter(|_| !self.unknown.is_empty()) else { return Counts::default() };
        let from = from.floor(kept.slices.step_reaching(from));
        self.unknown.iter().map(|late| late.within(self.stream, from, to)).sum()
    }

    /// Up to where a sum since `from` counts: the moment, moved outwards to an edge of the slices that are kept there.
    pub fn counted_to(&self, from: Timestamp) -> Timestamp {
        self.slice_of(from).map_or(self.at, |slice| self.at.ceil(slice))
    }

    /// How long the slice is that the moment lies in, in a sum since `from`; `None` where none are kept.
    pub fn slice_of(&self, from: Timestamp) -> Option<Duration> {
        let kept = self.ledger.kept(self.stream)?;
        let coarse = kept.slices.step_reaching(from);
        Some(kept.slices.step_reaching(self.at.floor(coarse).max(from.floor(coarse))))
    }

    /// For how long nobody had seen anything when the moment came, in whole slices; `None` where somebody had, and where only a part of the slice that it lies in
    /// is unseen: of that nobody knows which.
    pub fn blind_for(&self) -> Option<Duration> {
        let held = self.ledger.streams.get(self.ledger.events_of(self.stream) as usize)?;
        let (_, usual) = held.newest(self.ledger.settled_of(self.stream))?;
        let step = self.ledger.kept(self.stream)?.slices.step_reaching(self.at.minus(Duration::from_millis(1)));
        let most = u32::try_from(BLIND_FOR_MOST.as_millis() / step.as_millis().max(1)).unwrap_or(u32::MAX);
        let (mut unseen, mut seen) = (0, 1);
        while seen < most && self.is_unseen(seen, step) {
            (unseen, seen) = (seen, seen * 2);
        }
        while unseen + 1 < seen {
            let middle = unseen + (seen - unseen) / 2;
            *(if self.is_unseen(middle, step) { &mut unseen } else { &mut seen }) = middle;
        }
        let blind = self.at.since(self.at.ceil(step).minus(step * unseen));
        (unseen > 0 && blind > late_after(usual)).then_some(blind)
    }

    /// Whether nothing was seen of the last so many slices up to the one that the moment lies in.
    fn is_unseen(&self, slices: u32, step: Duration) -> bool {
        let Some(kept) = self.ledger.kept(self.stream) else { return false };
        let from = self.at.ceil(step).minus(step * slices);
        let from = from.floor(kept.slices.step_reaching(from));
        let to = if self.unread(from).unseen_millis > 0 { self.at } else { self.counted_to(from) };
        u128::try_from(self.since(from).unseen_millis).is_ok_and(|unseen| unseen >= to.since(from).as_millis())
    }

    /// What of the sum since `from` lies in these stretches of exclusions, which neither overlap nor touch.
    pub fn excluded(&self, from: Timestamp, stretches: &[Interval]) -> Excluded {
        let mut excluded = Excluded::default();
        let Some(kept) = self.ledger.kept(self.stream) else { return excluded };
        let step = kept.slices.step_reaching(from);
        let start = from.floor(step);
        for stretch in stretches.iter().filter(|stretch| stretch.to > start && stretch.from < self.at) {
            let stretch = kept.whole(Interval { from: stretch.from.max(start), to: stretch.to });
            excluded.counts += kept.up_to(step, stretch, self.at) - self.unknown_within(stretch.from, stretch.to.min(self.at));
            excluded.time += stretch.passed(self.at);
        }
        excluded
    }
}

impl SourceLedger {
    /// Sums of a stream that end at a moment of the past.
    pub const fn past(&self, stream: u32, at: Timestamp) -> PastSums<'_> {
        PastSums { ledger: self, stream, at, unknown: Vec::new() }
    }

    /// The same with what was known by then; `late` holds what was recorded since.
    pub fn past_as_known<'a>(&'a self, stream: u32, at: Timestamp, known: Known, late: &'a [Late]) -> PastSums<'a> {
        PastSums { unknown: Late::unknown(late, known), ..self.past(stream, at) }
    }

    /// From when on the memory holds each of a stream's finest slices; `None`: it holds none.
    pub fn each_from(&self, stream: u32) -> Option<Timestamp> {
        let slices = self.kept(stream)?.slices;
        slices.steps().next().and_then(|finest| slices.begin_of(finest))
    }

    /// From when on the memory holds a stream's events or verdicts: later than they are counted from where they are older than its slices are kept.
    pub fn held_from(&self, stream: u32) -> Option<Timestamp> {
        let counted = self.counted_from(stream)?;
        Some(self.kept(stream)?.slices.kept_from().map_or(counted, |kept| kept.max(counted)))
    }
}

impl Kept<'_> {
    /// The sum over the part of a stretch that has passed at a moment. Where the moment cuts it, that end moves outwards, as the whole sum's does.
    pub(super) fn up_to(&self, step: Duration, stretch: Interval, at: Timestamp) -> Counts {
        if stretch.to <= at {
            return self.between_edges(step, stretch);
        }
        let last_edge = at.floor(step).max(stretch.from);
        let fine = self.slices.step_reaching(last_edge);
        let tail = self.between_edges(fine, Interval { from: last_edge, to: at.ceil(fine) });
        if stretch.from < last_edge { self.between_edges(step, Interval { from: stretch.from, to: last_edge }) + tail } else { tail }
    }
}

impl Held {
    /// The part of `(from, to]` behind the newest sample, where samples are missing there: nobody saw it.
    fn unread(&self, settled: Option<Timestamp>, from: Timestamp, to: Timestamp) -> Counts {
        let unseen = match self.newest(settled) {
            Some((newest, usual)) if is_gap(to.since(newest), usual) => to.since(newest.max(from)),
            Some(_) => Duration::ZERO,
            None => to.since(from),
        };
        Counts { unseen_millis: i64::try_from(unseen.as_millis()).unwrap_or(i64::MAX), ..Counts::default() }
    }
}
