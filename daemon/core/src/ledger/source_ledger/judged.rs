//! Streams of verdicts: what objectives that are counted in slices of time are decided and shown by.
//!
//! A slice is judged for good when nothing of it can change any more but by samples that come late: when a sample behind its end is settled, for only
//! that tells whether the time before was seen. So the verdicts follow from the settled slices of events alone, however those were read; where a late
//! sample adds events to a slice that was judged, the difference of the verdicts is booked. What is newer is judged provisionally, by every read.
//!
//! Only what was counted from raw samples is judged: history that was filled in at steps of minutes and hours does not tell one minute from the next.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Counted, Held, SourceLedger,
    parts::{Newer, Provisional},
};
use crate::{
    ledger::{
        Counts,
        cache::Slices,
        marks::Marks,
        slice::{Entry, MINUTE, Span, verdict_levels},
        verdict::{VERDICTS, judge},
    },
    slo::{CountedIn, SliceRule},
    time::Timestamp,
    window::Interval,
};

/// The verdicts on the slices of one stream by one rule.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Judged {
    /// The stream whose events are judged.
    pub of: u32,
    /// By which rule.
    pub rule: SliceRule,
    /// True where an objective of the plan asks for them.
    pub asked: bool,
    /// Where the first slice begins that was judged for good: before it events may be held, and no verdicts.
    pub first: Option<Timestamp>,
    /// The verdicts.
    pub slices: Slices,
    /// On slices that are not settled.
    pub newer: Newer,
}

impl Judged {
    /// Up to where there are verdicts, those included that are not settled.
    pub(super) fn shown_to(&self) -> Option<Timestamp> {
        let Provisional { entries, spans } = &*self.newer;
        let newer = entries.last().map(|entry| entry.end).into_iter().chain(spans.iter().map(|span| span.to));
        self.slices.newest_end().into_iter().chain(newer).max()
    }
}

/// What one stream counted in a round, before and with it.
struct Recent<'a> {
    held: Option<&'a Held>,
    entries: &'a [Entry],
    spans: &'a [Span],
}

impl Recent<'_> {
    /// What the slice from `start` held before the round.
    fn before(&self, start: Timestamp, end: Timestamp) -> Counts {
        self.held.map_or_else(Counts::default, |held| held.slices.sum(MINUTE, start, end))
    }

    /// What the round added to it.
    fn added(&self, start: Timestamp, end: Timestamp) -> Counts {
        let first = self.entries.partition_point(|entry| entry.end <= start);
        let entries = self.entries[first..].iter().take_while(|entry| entry.end <= end).map(|entry| entry.counts);
        entries.chain(self.spans.iter().map(|span| span.within(start, end))).sum()
    }

    /// The slices of this length up to `to` that the round added to.
    fn touched(&self, length: Duration, from: Timestamp, to: Timestamp) -> BTreeSet<Timestamp> {
        let by_entries = self.entries.iter().map(|entry| entry.end.ceil(length)).filter(|end| *end > from && *end <= to);
        let by_spans = self.spans.iter().flat_map(|span| ends(length, span.from.max(from).floor(length), span.to.ceil(length).min(to)));
        by_entries.chain(by_spans).collect()
    }

    /// From when on minutes are kept.
    fn reach(&self) -> Timestamp {
        self.held.and_then(|held| held.slices.begin_of(MINUTE)).unwrap_or(Timestamp::EPOCH)
    }
}

/// The ends of the slices of `(from, to]`, which lies on their edges.
pub(super) fn ends(length: Duration, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(Some(from.plus(length)), move |end| Some(end.plus(length))).take_while(move |end| *end <= to)
}

impl SourceLedger {
    /// The stream that an objective over the events of `stream` is counted in: that stream itself, or the one of its verdicts. Where nothing was judged
    /// yet, it is one of which nothing is known.
    pub fn counted_in(&self, stream: u32, counted_in: CountedIn) -> u32 {
        match counted_in {
            CountedIn::Events => stream,
            CountedIn::Slices(rule) => self.judged(stream, rule).unwrap_or(u32::MAX),
        }
    }

    pub(super) fn judged(&self, stream: u32, rule: SliceRule) -> Option<u32> {
        self.judged_of.get(&(stream, rule)).copied()
    }

    /// Judges the slices that are settled now, and those again that were added to.
    pub(super) fn judge(&self, counted: &mut Counted) {
        let mut verdicts = Vec::new();
        for lane in (0..self.lanes.len()).filter(|lane| !self.slice_rules[*lane].is_empty()) {
            let opened = counted.opened.iter().filter(|(of, _)| *of == lane).map(|(_, stream)| stream.index);
            for stream in self.streams_of(lane).chain(opened).collect::<Vec<_>>() {
                for rule in &self.slice_rules[lane] {
                    self.judge_stream(counted, lane, stream, rule, &mut verdicts);
                }
            }
        }
        // A stream may be judged first after those that were opened behind it.
        verdicts.sort_unstable_by_key(|entry| (entry.stream, entry.end));
        counted.slices.entries.extend(verdicts);
    }

    fn judge_stream(&self, counted: &mut Counted, lane: usize, stream: u32, rule: &SliceRule, verdicts: &mut Vec<Entry>) {
        let (recent, known) = (self.recent(counted, stream), self.judged_of.get(&(stream, *rule)));
        let Some((begin, seen_to)) =
            judged_from(counted, lane, stream, rule.length).zip(seen_to(counted, lane, stream, self.plan.lanes()[lane].presence()))
        else {
            return;
        };
        let reach = recent.reach().ceil(rule.length);
        let done = known.and_then(|index| self.judged_at(*index)).and_then(|judged| judged.slices.newest_end());
        let (from, to) = (done.unwrap_or(begin).max(reach), seen_to.floor(rule.length));
        let mut booked: Vec<(Timestamp, Counts)> = Vec::new();
        let verdict = |end: Timestamp| {
            let start = end.minus(rule.length);
            (end, judge(rule, recent.before(start, end) + recent.added(start, end)))
        };
        if let Some(done) = done {
            // What came late can begin before all that was judged.
            let first = counted.begun_earlier.get(&stream).map_or(begin, |from| counted.judged_after(lane, *from, rule.length));
            booked.extend(ends(rule.length, begin.max(reach), first.min(done)).map(verdict));
            for end in recent.touched(rule.length, first.max(reach), done) {
                let (end, now) = verdict(end);
                booked.push((end, now - judge(rule, recent.before(end.minus(rule.length), end))));
            }
        }
        booked.extend(ends(rule.length, from, to).map(verdict));
        booked.retain(|(_, counts)| !counts.is_zero());
        if booked.is_empty() {
            return;
        }
        let index = known.copied().unwrap_or_else(|| {
            counted.judged.push((stream, *rule));
            VERDICTS + u32::try_from(self.judged.len() + counted.judged.len() - 1).expect("fewer streams than 2^31")
        });
        verdicts.extend(booked.into_iter().map(|(end, counts)| Entry { stream: index, end, counts }));
    }

    fn recent<'a>(&'a self, counted: &'a Counted, stream: u32) -> Recent<'a> {
        let (entries, spans) = (&counted.slices.entries, &counted.slices.spans);
        let of_entries = entries.partition_point(|entry| entry.stream < stream)..entries.partition_point(|entry| entry.stream <= stream);
        let of_spans = spans.partition_point(|span| span.stream < stream)..spans.partition_point(|span| span.stream <= stream);
        Recent { held: self.streams.get(stream as usize), entries: &entries[of_entries], spans: &spans[of_spans] }
    }

    pub(super) fn judged_at(&self, index: u32) -> Option<&Judged> {
        self.judged.get(index.checked_sub(VERDICTS)? as usize)
    }

    /// From when on a stream is counted: its events, or where it is one of verdicts, those.
    pub fn counted_from(&self, stream: u32) -> Option<Timestamp> {
        match self.judged_at(stream) {
            Some(judged) => judged.first,
            None => self.streams.get(stream as usize)?.meta.counted_from,
        }
    }

    /// How much of a stretch lies before the first verdict of a stream although its events are held there: history tells no minute from the next.
    pub fn unjudged(&self, stream: u32, over: Interval) -> Option<Interval> {
        let judged = self.judged_at(stream)?;
        let from = self.streams.get(judged.of as usize)?.meta.counted_from?.max(over.from);
        let unjudged = Interval { from, to: judged.first?.min(over.to) };
        (unjudged.from < unjudged.to).then_some(unjudged)
    }

    /// Notes a verdict of a stream of verdicts.
    pub(super) fn note_verdict(&mut self, stream: u32, end: Timestamp) {
        if let Some(judged) = stream.checked_sub(VERDICTS).and_then(|index| self.judged.get_mut(index as usize)) {
            let begin = end.minus(judged.rule.length);
            judged.first = Some(judged.first.map_or(begin, |first| first.min(begin)));
        }
    }

    /// Takes in the streams of verdicts that a round opened.
    pub(super) fn open_judged(&mut self, opened: Vec<(u32, SliceRule)>) {
        for (of, rule) in opened {
            self.add_judged(of, rule);
        }
    }

    /// A stream of verdicts of which nothing is held yet.
    pub(super) fn add_judged(&mut self, of: u32, rule: SliceRule) {
        let index = VERDICTS + u32::try_from(self.judged.len()).expect("fewer streams than 2^31");
        self.judged_of.insert((of, rule), index);
        let place = self.streams[of as usize].place;
        let asked = place.is_some_and(|place| self.slice_rules[place].contains(&rule));
        let levels = verdict_levels(self.reach_of(place, rule), rule.length);
        let mut slices = Slices::new(&levels);
        slices.set_marks(Marks::at(&self.verdict_edges(of, rule.length)));
        self.judged.push(Judged { of, rule, asked, first: None, slices, newer: Newer::default() });
    }

    /// Follows a change of the plan.
    pub(super) fn attach_judged(&mut self) {
        for index in 0..self.judged.len() {
            let Held { place, lane, .. } = self.streams[self.judged[index].of as usize];
            let rule = self.judged[index].rule;
            let levels = verdict_levels(self.reach_of(place, rule), rule.length);
            let judged = &mut self.judged[index];
            judged.asked = place.is_some_and(|place| self.slice_rules[place].contains(&judged.rule));
            if !judged.asked || lane.is_none() {
                judged.newer = Newer::default();
            }
            if !judged.asked {
                continue;
            }
            if !judged.slices.has_levels(&levels) {
                self.lacks_history |= !judged.slices.suffice_for(&levels);
                judged.slices = judged.slices.with_levels(&levels);
            }
        }
    }

    /// Judges what is not settled of the streams that were read anew.
    pub(super) fn judge_provisionally(&mut self, read: &[bool]) {
        for index in 0..self.judged.len() {
            let judged = &self.judged[index];
            if judged.asked && read.get(judged.of as usize).copied().unwrap_or_default() {
                let stream = VERDICTS + u32::try_from(index).expect("fewer streams than 2^31");
                self.judged[index].newer = self.provisional_verdicts(stream, judged).into();
            }
        }
    }

    fn provisional_verdicts(&self, stream: u32, judged: &Judged) -> Provisional {
        let held = &self.streams[judged.of as usize];
        let live = held.lane.is_some_and(|lane| !self.lanes[lane].catching_up);
        let Some((done, (newest, _))) = judged.slices.newest_end().zip(held.meta.newest).filter(|_| live) else {
            return Provisional::default();
        };
        let length = judged.rule.length;
        let newest = newest.floor(length).max(done);
        let verdict = |end: Timestamp| judge(&judged.rule, held.kept().within(MINUTE, end.minus(length), end));
        let entries = ends(length, done, newest).map(|end| Entry { stream, end, counts: verdict(end) }).collect();
        let whole = |span: &Span| Span { stream, from: span.from.max(newest).ceil(length), to: span.to.floor(length) };
        let spans = held.newer.spans.iter().map(whole).filter(|span| span.from < span.to).collect();
        Provisional { entries, spans }
    }
}

/// From when on a stream's slices are judged: from its first raw sample on.
pub(super) fn judged_from(counted: &Counted, lane: usize, stream: u32, length: Duration) -> Option<Timestamp> {
    Some(counted.judged_after(lane, counted.metas[stream as usize].counted_from?, length))
}

impl Counted {
    fn judged_after(&self, lane: usize, counted_from: Timestamp, length: Duration) -> Timestamp {
        counted_from.max(self.lanes[lane].begin).floor(length)
    }
}

/// Up to where it is known for good what was seen of a stream: behind a settled sample nothing changes. Of presence a sample tells of slices to come.
fn seen_to(counted: &Counted, lane: usize, stream: u32, presence: Option<Duration>) -> Option<Timestamp> {
    let meta = &counted.metas[stream as usize];
    if meta.has_up {
        return counted.lanes[lane].beat.map(|(at, _)| at);
    }
    let present = meta.newest.filter(|_| presence.is_some()).map(|(end, _)| end.min(counted.lanes[lane].watermark));
    meta.beat.map(|(at, _)| at).into_iter().chain(present).max()
}
