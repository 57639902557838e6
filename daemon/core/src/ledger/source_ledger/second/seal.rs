//! The seal: the packed memory that a second reading begins with, and how the live ledger takes over what one remembers.

use std::collections::{BTreeMap, BTreeSet};

use super::{LOGGED, Outcome, walk::Walk};
use crate::{
    ledger::{
        segment::{
            behind::Seal,
            state::{Quiet, State, StoredLane, StoredStream},
        },
        slice::HOUR,
        source_ledger::{Counted, Lane, Meta, SourceLedger, Split, stored::Keep},
    },
    time::Timestamp,
};

impl SourceLedger {
    /// The memory as it is now.
    pub(super) fn full_state(&self) -> State {
        self.state_after(&Counted::unchanged(self), Keep::All).0
    }

    /// Takes these SLOs' memory from a walk. Gives back from when on events of a stream were held before, where they begin earlier now.
    pub(super) fn adopt(&mut self, walk: &Self, lanes: &[bool]) -> BTreeMap<u32, Timestamp> {
        self.generation += 1;
        let mut begun_earlier = BTreeMap::new();
        for (lane, _) in lanes.iter().enumerate().filter(|(_, adopted)| **adopted) {
            let of_lane = &walk.lanes[lane];
            let own = &mut self.lanes[lane];
            *own = Lane { beat: of_lane.beat, stood_still: of_lane.stood_still.clone(), ..own.clone() };
            for stream in self.lane_streams[lane].values() {
                let (own, of) = (&mut self.streams[*stream as usize], &walk.streams[*stream as usize]);
                let before = std::mem::replace(&mut own.meta, of.meta);
                // What is settled the walk knows better: the spacing there, and whether it can be judged.
                let newer = before.newest.filter(|(at, _)| *at > of_lane.watermark && own.meta.newest.is_none_or(|(known, _)| known < *at));
                own.meta.newest = newer.or(own.meta.newest);
                for (bucket, before) in own.meta.buckets.iter_mut().zip(before.buckets) {
                    bucket.newest = bucket.newest.max(before.newest);
                }
                if let Some(known) = before.counted_from.filter(|known| own.meta.counted_from.is_some_and(|from| from < *known)) {
                    begun_earlier.insert(*stream, known);
                }
                own.meta.counted_from = own.meta.counted_from.into_iter().chain(before.counted_from).min();
                own.targets.clone_from(&of.targets);
                own.newer_targets.retain(|(target, _)| own.targets.binary_search(target).is_err());
            }
        }
        self.series.adopt(&walk.series, lanes);
        self.timeline_holds = None;
        self.show();
        begun_earlier
    }

    /// The new seal: of the SLOs that arrived as the walk passed it, of those that are read once more as it was before, of the others as they are here.
    pub(super) fn merged(&self, settled: Timestamp, mut state: State, before: &Seal, outcomes: &[Outcome]) -> Seal {
        let arrived = |outcome: &Outcome| matches!(outcome, Outcome::Arrived(_));
        if !outcomes.iter().all(arrived) || state.streams.len() < self.streams.len() {
            let by_split: BTreeMap<&Split, &Outcome> = self.splits.iter().zip(outcomes).collect();
            let known: BTreeSet<Split> = state.lanes.iter().map(StoredLane::split).collect();
            let mut here = self.full_state();
            let here_settled = self.common_watermark(&self.lanes);
            for lane in &mut here.lanes {
                lane.watermark = lane.watermark.or(Some(here_settled.floor(lane.grid)));
                // What left the plan and is not known there begins anew when it returns.
                let split = lane.split();
                if by_split.get(&split).copied().is_none_or(arrived) && !known.contains(&split) {
                    lane.meaning = !lane.meaning;
                }
            }
            // What is outside the plan is read again when it returns.
            state = self.overlaid(here, &state, |split| by_split.get(split).copied().is_none_or(arrived));
            if outcomes.contains(&Outcome::OnceMore)
                && let Ok(mut as_before) = State::unpack(&before.state)
            {
                for lane in &mut as_before.lanes {
                    lane.watermark = lane.watermark.or(Some(before.settled.floor(lane.grid)));
                }
                state = self.overlaid(state, &as_before, |split| by_split.get(split).is_some_and(|outcome| **outcome == Outcome::OnceMore));
            }
        }
        state.judged.clear();
        Seal { settled, state: state.pack() }
    }

    /// A state, in which these SLOs are as another one of the same ledger has them.
    fn overlaid(&self, state: State, over: &State, takes: impl Fn(&Split) -> bool) -> State {
        let taken: BTreeMap<Split, &StoredLane> =
            over.lanes.iter().map(|lane| (lane.split(), lane)).filter(|(split, _)| takes(split)).collect();
        let overlaid = state.lanes.into_iter().map(|lane| taken.get(&lane.split()).map_or((lane, false), |taken| ((*taken).clone(), true)));
        let (lanes, is_taken): (Vec<_>, Vec<_>) = overlaid.unzip();
        let is_taken = |lane: u32| is_taken[lane as usize];
        let stays = |quiet: &Quiet| !is_taken(state.streams[quiet.stream as usize].lane);
        let mut quiet: Vec<_> = state.quiet.into_iter().filter(stays).collect();
        let streams = state.streams.iter().enumerate().map(|(index, stream)| match over.streams.get(index) {
            Some(of) if is_taken(stream.lane) => StoredStream { lane: stream.lane, ..of.clone() },
            None if is_taken(stream.lane) => self.unread_stream(index, stream),
            Some(_) | None => stream.clone(),
        });
        let streams: Vec<StoredStream> = streams.collect();
        quiet.extend(over.quiet.iter().filter(|quiet| is_taken(streams[quiet.stream as usize].lane)).cloned());
        quiet.sort_by_key(|quiet| (quiet.key, quiet.stream, quiet.side));
        State { lanes, streams, quiet, judged: Vec::new(), replica: state.replica }
    }

    fn unread_stream(&self, index: usize, here: &StoredStream) -> StoredStream {
        let Meta { counted_from, has_up, newest, buckets, beat } = self.unread(&self.streams[index]).meta;
        StoredStream { counted_from, has_up, newest, buckets, beat, targets: Vec::new(), ..here.clone() }
    }

    /// Of the SLOs that arrived, what the walk logged behind the new seal; of the others what was logged here.
    pub(super) fn relog(&mut self, walk: &Walk, arrived: &[bool]) {
        let lanes: Vec<Option<usize>> = self.streams.iter().map(|held| held.lane).collect();
        let is_arrived = |stream: u32| lanes.get(stream as usize).copied().flatten().is_some_and(|lane| arrived[lane]);
        let mut again = walk.memory.log.clone();
        again.retain(|stream, at| is_arrived(stream) && at > walk.seal_at.minus(HOUR));
        let since = walk.seal_at.minus(LOGGED);
        self.log.retain(|stream, at| !is_arrived(stream) && at > since);
        self.log.extend(again);
    }
}
