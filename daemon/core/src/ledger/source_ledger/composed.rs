//! Streams of composites: what the verdicts of the members on each slice make of a journey. Nothing is asked of the source for them.
//!
//! A slice is composed for good when every member has judged it. One that falls behind is waited for, for a day at most; then its slices count as unseen.
//! Where a verdict comes or changes later, the difference to what was booked is booked, as long as the verdicts of all members on that slice are held. So
//! what is booked of a slice is what its members' verdicts make of it, however those came about. What is newer is composed provisionally, by every round.
//! A composite that comes back into the plan looks at all slices again of which that is held; one that means something else now leaves its history alone.
//!
//! A journey begins where each of its members does, but for those that are left out while they are not seen. Its slices are never rolled up beyond their
//! length, so that each bad one can be named.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    Counted, SourceLedger, Stream,
    judged::{Judged, ends, judged_from},
    parts::{Lane, Meta, Provisional},
};
use crate::{
    id::{Group, SloId},
    ledger::{
        Counts, Reason, Unknown,
        cache::Slices,
        compose::compose,
        slice::{Entry, MINUTE, Reach},
        verdict::VERDICTS,
    },
    sli::composite::{Composite, Member, WhenUnseen},
    slo::SliceRule,
    time::{Timestamp, hours},
    window::Interval,
};

/// A member that falls behind is waited for so long: as long as the verdicts of the others are held, less an hour.
const WAITS: Duration = hours(24);

/// A composite of the plan.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Composed {
    /// Its own place among the SLOs.
    pub lane: usize,
    /// The members' places; `None` for one that does not run.
    pub members: Vec<Option<usize>>,
    /// True until the first round after a change of the plan: verdicts may have changed while it was not looked.
    pub afresh: bool,
}

/// What one member says of a composite's budget.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberVerdicts {
    /// Which SLO.
    pub slo: SloId,
    /// Its verdicts on the slices, in seconds.
    pub verdicts: Counts,
    /// What it cost the journey, in the unit of the composite: slices of which it is bad, by its weight. Slices that are bad for several members of `all-of`
    /// count for each.
    pub cost: i64,
    /// What is made of its unseen slices.
    pub unseen: WhenUnseen,
    /// Why it cannot be seen now.
    pub unknown: Option<Unknown>,
    /// Timestamp of its newest sample.
    pub newest_sample: Option<Timestamp>,
}

impl MemberVerdicts {
    /// Why the journey cannot be seen as a whole for this member: it is not seen, and nothing is made of that.
    pub fn hides(&self) -> Option<Unknown> {
        match self.unseen {
            WhenUnseen::Unknown => self.unknown.as_ref().map(|unknown| of_member(&self.slo, unknown)),
            WhenUnseen::Exclude | WhenUnseen::CountAsBad => None,
        }
    }
}

/// Verdicts that a round adds, by stream of verdicts and end.
type Fresh = BTreeMap<u32, BTreeMap<Timestamp, Counts>>;

/// The verdicts of one member on one group, before and with a round.
struct Verdicts<'a> {
    held: Option<&'a Judged>,
    fresh: Option<&'a BTreeMap<Timestamp, Counts>>,
}

impl Verdicts<'_> {
    /// With what the round adds.
    fn on(&self, length: Duration, end: Timestamp) -> Counts {
        let held = self.held.map_or_else(Counts::default, |held| held.slices.sum(length, end.minus(length), end));
        held + self.fresh.and_then(|fresh| fresh.get(&end)).copied().unwrap_or_default()
    }

    /// Up to where it has judged for good.
    fn done(&self) -> Option<Timestamp> {
        let held = self.held.and_then(|held| held.slices.newest_end());
        held.max(self.fresh.and_then(|fresh| fresh.keys().next_back()).copied())
    }

    /// From where on its verdicts are held.
    fn reach(&self, length: Duration) -> Timestamp {
        self.held.and_then(|held| held.slices.begin_of(length)).unwrap_or(Timestamp::EPOCH)
    }

    fn changed(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.fresh.into_iter().flat_map(BTreeMap::keys).copied()
    }
}

/// One group of a composite in a round.
struct Part<'a> {
    composite: &'a Composite,
    stream: u32,
    /// The members' streams of events.
    streams: Vec<Option<u32>>,
    verdicts: Vec<Verdicts<'a>>,
    /// Up to where each member is read; `None` for one that does not run.
    read_to: Vec<Option<Timestamp>>,
}

impl Part<'_> {
    fn composed(&self, end: Timestamp) -> Counts {
        let verdicts: Vec<Counts> = self.verdicts.iter().map(|verdicts| verdicts.on(self.composite.slice, end)).collect();
        compose(self.composite, &verdicts)
    }

    /// Up to where every member has judged, or none is waited for any more. One that has nothing to judge yet has said so as far as it is read.
    fn done(&self) -> Option<Timestamp> {
        let done = self.verdicts.iter().map(Verdicts::done);
        let newest = done.clone().flatten().max()?;
        let reached = done.zip(&self.read_to).filter_map(|(done, read_to)| done.or(*read_to)).min()?;
        Some(reached.max(newest.minus(WAITS)).floor(self.composite.slice))
    }
}

impl SourceLedger {
    /// The composites of the plan, with the places of their members.
    pub(super) fn find_composites(&self) -> Vec<Composed> {
        let places: BTreeMap<&SloId, usize> = self.lane_ids.iter().enumerate().map(|(place, id)| (&**id, place)).collect();
        let found = |(lane, composite): (usize, &Composite)| {
            let members =
                composite.members().map(|member| places.get(&member.slo).copied().filter(|place| self.plan.lanes()[*place].is_read()));
            Composed { lane, members: members.collect(), afresh: true }
        };
        let lanes = self.plan.lanes().iter().enumerate();
        lanes.filter_map(|(lane, plan)| Some((lane, plan.slo.sli.composite()?))).map(found).collect()
    }

    /// The rules by which composites have the slices of their members judged, by place.
    pub(super) fn rules_of_composites(&self) -> impl Iterator<Item = (usize, SliceRule)> + '_ {
        self.composites.iter().flat_map(|composed| {
            let composite = self.composite(composed);
            composite.members().zip(&composed.members).filter_map(|(member, place)| Some(((*place)?, composite.rule(member))))
        })
    }

    /// How long the verdicts of an SLO by a rule are needed: for its own windows, and for those of the composites that it is a member of.
    pub(super) fn reach_of(&self, lane: Option<usize>, rule: SliceRule) -> Reach {
        let Some(lane) = lane else { return Reach::default() };
        let used = self.composites.iter().filter(|composed| {
            let composite = self.composite(composed);
            composite.members().zip(&composed.members).any(|(member, place)| *place == Some(lane) && composite.rule(member) == rule)
        });
        used.fold(Reach::of(&self.plan.lanes()[lane].slo), |reach, composed| reach.beside(&self.plan.lanes()[composed.lane].slo))
    }

    fn composite(&self, composed: &Composed) -> &Composite {
        self.plan.lanes()[composed.lane].slo.sli.composite().expect("it was found by being one")
    }

    /// Composes the slices that all members have judged now, and those again whose verdicts changed.
    pub(super) fn compose(&self, counted: &mut Counted) {
        if self.composites.is_empty() {
            return;
        }
        let mut fresh = Fresh::new();
        for entry in counted.slices.entries.iter().filter(|entry| entry.stream >= VERDICTS) {
            *fresh.entry(entry.stream).or_default().entry(entry.end).or_default() += entry.counts;
        }
        for composed in &self.composites {
            self.open_groups(composed, counted);
            let (mut booked, mut watermark) = (Vec::new(), None::<Timestamp>);
            for (group, stream) in self.groups_now(composed.lane, counted) {
                let part = self.part(composed, &group, stream, &fresh, counted);
                let done = self.compose_part(&part, composed, counted, &mut booked);
                watermark = watermark.into_iter().chain(done).min();
            }
            counted.slices.entries.extend(booked);
            follow_members(composed, watermark, counted);
        }
        counted.slices.entries.sort_by_key(|entry| (entry.stream, entry.end));
    }

    /// A group that is new begins where each member has it that is not left out while it is unseen.
    fn open_groups(&self, composed: &Composed, counted: &mut Counted) {
        let composite = self.composite(composed);
        let members = || composed.members.iter().copied().zip(composite.members());
        let groups: BTreeSet<Group> =
            members().filter_map(|(place, _)| place).flat_map(|place| self.groups_now(place, counted)).map(|(group, _)| group).collect();
        let complete = |group: &Group| {
            members()
                .filter(|(_, member)| is_awaited(member))
                .all(|(place, _)| place.is_some_and(|place| self.stream_now(place, group, counted).is_some()))
        };
        let new: Vec<Group> =
            groups.into_iter().filter(|group| self.stream_of(composed.lane, group).is_none() && complete(group)).collect();
        for group in new {
            let index = u32::try_from(self.streams.len() + counted.opened.len()).expect("fewer streams than 2^31");
            let slo = Arc::clone(&self.lane_ids[composed.lane]);
            counted.opened.push((composed.lane, Stream { index, slo, group, newest_sample: None, counted_from: None, catching_up: true }));
            counted.metas.push(Meta::default());
            counted.provisional.push(None);
        }
    }

    /// The groups of an SLO with their streams, those included that the round opened.
    fn groups_now(&self, lane: usize, counted: &Counted) -> Vec<(Group, u32)> {
        let known = self.lane_streams[lane].iter().map(|(group, stream)| (group.clone(), *stream));
        let opened = counted.opened.iter().filter(|(of, _)| *of == lane).map(|(_, stream)| (stream.group.clone(), stream.index));
        known.chain(opened).collect()
    }

    fn stream_now(&self, lane: usize, group: &Group, counted: &Counted) -> Option<u32> {
        let opened = || counted.opened.iter().find(|(of, stream)| *of == lane && stream.group == *group).map(|(_, stream)| stream.index);
        self.stream_of(lane, group).or_else(opened)
    }

    fn part<'a>(&'a self, composed: &Composed, group: &Group, stream: u32, fresh: &'a Fresh, counted: &Counted) -> Part<'a> {
        let composite = self.composite(composed);
        let streams: Vec<Option<u32>> = composed.members.iter().map(|place| self.stream_now((*place)?, group, counted)).collect();
        let verdicts = streams.iter().zip(composite.members()).map(|(events, member)| {
            let rule = composite.rule(member);
            let index = events.and_then(|events| self.verdicts_now(events, rule, counted));
            Verdicts { held: index.and_then(|index| self.judged_at(index)), fresh: index.and_then(|index| fresh.get(&index)) }
        });
        let verdicts = verdicts.collect();
        let read_to = composed.members.iter().map(|place| Some(counted.lanes[(*place)?].watermark)).collect();
        Part { composite, stream, streams, verdicts, read_to }
    }

    /// The stream of verdicts on a stream, that included which the round opened.
    fn verdicts_now(&self, events: u32, rule: SliceRule, counted: &Counted) -> Option<u32> {
        let opened = || {
            let at = counted.judged.iter().position(|judged| *judged == (events, rule))?;
            Some(VERDICTS + u32::try_from(self.judged.len() + at).expect("fewer streams than 2^31"))
        };
        self.judged(events, rule).or_else(opened)
    }

    /// Books what is new of one group; up to where it is composed now.
    fn compose_part(&self, part: &Part<'_>, composed: &Composed, counted: &mut Counted, booked: &mut Vec<Entry>) -> Option<Timestamp> {
        let (length, stream) = (part.composite.slice, part.stream);
        let known = counted.metas[stream as usize].counted_from;
        // What came late of the members can begin before all that was composed.
        let begin = known.into_iter().chain(begin_of(part, composed, counted)).min()?;
        let slices = self.streams.get(stream as usize).map(|held| &held.slices);
        let done = slices.and_then(Slices::newest_end);
        let reach = part.verdicts.iter().map(|verdicts| verdicts.reach(length)).max().unwrap_or(begin).ceil(length).max(begin);
        let mut book = |end: Timestamp, counts: Counts| {
            if !counts.is_zero() {
                booked.push(Entry { stream, end, counts });
            }
        };
        if let Some((slices, done)) = slices.zip(done).filter(|_| composed.members.iter().all(Option::is_some)) {
            let held_from = slices.begin_of(MINUTE).unwrap_or(done).ceil(length).max(reach).max(counted.lanes[composed.lane].begin);
            let looked_at = |end: &Timestamp| *end <= done && end.minus(length) >= held_from;
            let again: BTreeSet<Timestamp> = if composed.afresh {
                ends(length, held_from, done).collect()
            } else {
                part.verdicts.iter().flat_map(Verdicts::changed).filter(looked_at).collect()
            };
            for end in again {
                book(end, part.composed(end) - slices.sum(MINUTE, end.minus(length), end));
            }
        }
        let from = done.unwrap_or(begin).max(reach);
        let to = part.done()?.max(from);
        for end in ends(length, from, to) {
            book(end, part.composed(end));
        }
        let newest = part.streams.iter().flatten().filter_map(|events| counted.metas[*events as usize].newest).max();
        counted.metas[stream as usize] = Meta { counted_from: Some(begin), newest, ..Meta::default() };
        Some(to)
    }

    /// The first round after a change of the plan was taken in.
    pub(super) fn composed_afresh(&mut self) {
        for composed in &mut self.composites {
            composed.afresh = false;
        }
    }

    /// Composes what is not settled. A member that cannot be seen holds nobody up: its newest slices are unseen. Where none can be seen, what was seen
    /// last stays: blindness gives no bad slice back.
    pub(super) fn compose_provisionally(&mut self, now: Timestamp) {
        let mut composed_now = Vec::new();
        for composed in &self.composites {
            for (group, stream) in &self.lane_streams[composed.lane] {
                composed_now.push((*stream, self.provisional_part(composed, group, *stream, now)));
            }
        }
        for (stream, provisional) in composed_now {
            self.streams[stream as usize].newer = provisional.into();
        }
    }

    fn provisional_part(&self, composed: &Composed, group: &Group, stream: u32, now: Timestamp) -> Provisional {
        let composite = self.composite(composed);
        let members: Vec<(Option<&Judged>, bool)> = composed
            .members
            .iter()
            .zip(composite.members())
            .map(|(place, member)| {
                let events = place.and_then(|place| self.stream_of(place, group));
                let seen = events.is_some_and(|events| self.sums(events, now).is_ok());
                (events.and_then(|events| self.judged(events, composite.rule(member))).and_then(|index| self.judged_at(index)), seen)
            })
            .collect();
        let shown_to = |(judged, _): &(Option<&Judged>, bool)| judged.and_then(Judged::shown_to);
        let seen = members.iter().filter(|(_, seen)| *seen).filter_map(shown_to).min();
        let newest = seen.or_else(|| members.iter().filter_map(shown_to).min());
        let Some((done, newest)) = self.streams[stream as usize].slices.newest_end().zip(newest) else { return Provisional::default() };
        let length = composite.slice;
        let verdict = |judged: Option<&Judged>, end: Timestamp| {
            judged.map_or_else(Counts::default, |judged| judged.kept().within(length, end.minus(length), end))
        };
        let slice = |end: Timestamp| {
            let verdicts: Vec<Counts> = members.iter().map(|(judged, _)| verdict(*judged, end)).collect();
            Entry { stream, end, counts: compose(composite, &verdicts) }
        };
        Provisional { entries: ends(length, done, newest.floor(length)).map(slice).collect(), spans: Vec::new() }
    }

    /// The length of the slices of a composite.
    pub(super) fn composite_slice(&self, lane: Option<usize>) -> Option<Duration> {
        self.plan.lanes()[lane?].slo.sli.composite().map(|composite| composite.slice)
    }

    pub(super) fn composed_at(&self, lane: usize) -> Option<&Composed> {
        self.composites.iter().find(|composed| composed.lane == lane)
    }

    /// Why nothing can be said of a composite: it has not begun, or none of its members is seen.
    pub(super) fn composite_unknown(&self, composed: &Composed, stream: u32, now: Timestamp) -> Option<Unknown> {
        let held = &self.streams[stream as usize];
        let members = self.member_sights(composed, &held.stream.group, now);
        let first = || members.iter().find_map(|(member, unknown)| unknown.as_ref().map(|unknown| of_member(&member.slo, unknown)));
        let all = members.iter().all(|(_, unknown)| unknown.is_some());
        let begun = held.slices.newest_end().is_some();
        let nothing = || Unknown::new(Reason::NotYet, "no slice of it was judged by all of its members yet");
        (all || !begun).then(|| first().unwrap_or_else(nothing))
    }

    /// Each member with why it cannot be seen.
    fn member_sights<'a>(&'a self, composed: &'a Composed, group: &Group, now: Timestamp) -> Vec<(&'a Member, Option<Unknown>)> {
        let sights = composed.members.iter().zip(self.composite(composed).members()).map(|(place, member)| {
            let Some(place) = *place else { return (member, Some(Unknown::new(Reason::NoSeries, "there is no such SLO any more"))) };
            let unknown = match self.stream_of(place, group) {
                Some(events) => self.sums(events, now).err(),
                None => self.unknown(&member.slo).or_else(|| Some(Unknown::new(Reason::NoSeries, format!("it has no group {group}")))),
            };
            (member, unknown)
        });
        sights.collect()
    }

    /// What each member of a composite says of a stretch, in the order of the definition; nothing for any other stream.
    pub fn members(&self, stream: u32, over: Interval, now: Timestamp) -> Vec<MemberVerdicts> {
        let held = self.streams.get(stream as usize);
        let Some((held, composed)) = held.and_then(|held| Some((held, self.composed_at(held.place?)?))) else { return Vec::new() };
        let (composite, group) = (self.composite(composed), &held.stream.group);
        let sights = self.member_sights(composed, group, now).into_iter().enumerate().zip(&composed.members);
        // A member costs only what was composed, and stood in the journey's definition then: it may be judged further than the journey is.
        let begin = held.meta.counted_from.unwrap_or(now).max(over.from);
        let composed_to = held.newer.entries.last().map(|entry| entry.end).or_else(|| held.slices.newest_end());
        let composed_to = composed_to.unwrap_or(begin).min(over.to);
        let journey_bad = self.between(stream, begin, over.to).bad;
        let verdicts = sights.map(|((at, (member, unknown)), place)| {
            let events = place.and_then(|place| self.any_stream_of(place, group));
            let judged = events.and_then(|events| self.judged(events, composite.rule(member)));
            let within = |to: Timestamp| judged.map_or_else(Counts::default, |judged| self.between(judged, begin, to));
            let composed = within(composed_to);
            let seconds = composed.bad + if member.unseen == WhenUnseen::CountAsBad { composed.unseen_millis / 1000 } else { 0 };
            let slices = seconds / i64::try_from(composite.slice.as_secs().max(1)).unwrap_or(i64::MAX);
            MemberVerdicts {
                slo: member.slo.clone(),
                verdicts: within(over.to),
                cost: (slices * composite.cost(at)).min(journey_bad),
                unseen: member.unseen,
                unknown,
                newest_sample: events.and_then(|events| self.streams[events as usize].stream.newest_sample),
            }
        });
        verdicts.collect()
    }
}

/// A composite is read as far as its members are.
fn follow_members(composed: &Composed, watermark: Option<Timestamp>, counted: &mut Counted) {
    let catching_up = composed.members.iter().flatten().any(|place| counted.lanes[*place].catching_up);
    let tried = composed.members.iter().flatten().map(|place| counted.lanes[*place].tried).max();
    let before = &counted.lanes[composed.lane];
    counted.lanes[composed.lane] = Lane {
        watermark: watermark.unwrap_or(before.watermark).max(before.watermark),
        tried: tried.unwrap_or(before.tried),
        primed: true,
        unknown: None,
        catching_up,
        ..before.clone()
    };
}

/// Why a journey cannot be seen for a member.
fn of_member(slo: &SloId, unknown: &Unknown) -> Unknown {
    Unknown::new(unknown.reason, format!("{}/{}: {}", slo.service, slo.name, unknown.detail))
}

fn is_awaited(member: &Member) -> bool {
    match member.unseen {
        WhenUnseen::Unknown | WhenUnseen::CountAsBad => true,
        WhenUnseen::Exclude => false,
    }
}

/// Where a group of a composite begins: when all that are awaited are judged; where nobody is, when one is.
fn begin_of(part: &Part<'_>, composed: &Composed, counted: &Counted) -> Option<Timestamp> {
    let (length, earliest) = (part.composite.slice, counted.lanes[composed.lane].begin.ceil(part.composite.slice));
    let begins = |at: usize| {
        let (events, lane) = part.streams[at].zip(composed.members[at])?;
        part.verdicts[at].done()?;
        judged_from(counted, lane, events, length)
    };
    let members = || part.composite.members().enumerate();
    let awaited: Vec<Option<Timestamp>> = members().filter(|(_, member)| is_awaited(member)).map(|(at, _)| begins(at)).collect();
    if awaited.is_empty() {
        return members().filter_map(|(at, _)| begins(at)).min().map(|begin| begin.max(earliest));
    }
    awaited.into_iter().collect::<Option<Vec<Timestamp>>>()?.into_iter().max().map(|begin| begin.max(earliest))
}
