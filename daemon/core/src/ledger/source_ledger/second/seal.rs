//! The seal: the packed memory that a second reading begins with, and how the live ledger takes over what one remembers.

use std::collections::{BTreeMap, BTreeSet};

use super::{LOGGED, walk::Walk};
use crate::{
    ledger::{
        segment::{
            behind::Seal,
            state::{State, StoredStream},
        },
        slice::HOUR,
        source_ledger::{Counted, Lane, Meta, SourceLedger, restore::Keep},
    },
    time::Timestamp,
};

impl SourceLedger {
    /// The memory as it is now, packed.
    pub(super) fn seal_here(&self) -> Seal {
        Seal { settled: self.common_watermark(&self.lanes), state: self.full_state().pack() }
    }

    pub(super) fn full_state(&self) -> State {
        self.state_after(&Counted::unchanged(self), Keep::All).0
    }

    /// Takes these SLOs' memory from a walk.
    pub(super) fn adopt(&mut self, walk: &Self, lanes: &[bool]) {
        self.generation += 1;
        for (lane, _) in lanes.iter().enumerate().filter(|(_, adopted)| **adopted) {
            let of = &walk.lanes[lane];
            let own = &mut self.lanes[lane];
            *own = Lane { beat: of.beat, stood_still: of.stood_still.clone(), ..own.clone() };
            for stream in self.lane_streams[lane].values() {
                let (own, of) = (&mut self.streams[*stream as usize], &walk.streams[*stream as usize]);
                let before = std::mem::replace(&mut own.meta, of.meta);
                // Of the same sample the walk knows the spacing as it is now.
                let newer = before.newest.filter(|(at, _)| own.meta.newest.is_none_or(|(known, _)| known < *at));
                own.meta.newest = newer.or(own.meta.newest);
                for (bucket, before) in own.meta.buckets.iter_mut().zip(before.buckets) {
                    bucket.newest = bucket.newest.max(before.newest);
                }
                own.meta.counted_from = own.meta.counted_from.into_iter().chain(before.counted_from).min();
                own.targets.clone_from(&of.targets);
            }
        }
        self.series.adopt(&walk.series, lanes);
        self.timeline_holds = None;
        self.show();
    }

    /// The new seal: of the SLOs that arrived as the walk passed it, of the others as they are here.
    pub(super) fn merged(&self, settled: Timestamp, mut state: State, arrived: &[bool]) -> Seal {
        if arrived.contains(&false) || state.streams.len() < self.streams.len() {
            let here = self.full_state();
            let here_settled = self.common_watermark(&self.lanes);
            // What is outside the plan is read again when it returns.
            let left: BTreeSet<_> = arrived.iter().zip(&self.lane_ids).filter(|(arrived, _)| !**arrived).map(|(_, id)| &**id).collect();
            let passed = state.lanes.iter().filter(|lane| !left.contains(&lane.slo)).map(|lane| (lane.slo.clone(), lane.clone()));
            let passed: BTreeMap<_, _> = passed.collect();
            let lanes = here.lanes.into_iter().map(|mut lane| {
                lane.watermark = lane.watermark.or(Some(here_settled.floor(lane.grid)));
                if !left.contains(&lane.slo) {
                    lane.meaning = !lane.meaning;
                }
                passed.get(&lane.slo).cloned().unwrap_or(lane)
            });
            let lanes: Vec<_> = lanes.collect();
            let stays = |lane: u32| passed.contains_key(&lanes[lane as usize].slo);
            let mut quiet: Vec<_> = here.quiet.into_iter().filter(|quiet| !stays(here.streams[quiet.stream as usize].lane)).collect();
            let streams = here.streams.into_iter().enumerate().map(|(index, stream)| {
                if !stays(stream.lane) {
                    return stream;
                }
                let of = state.streams.get(index).cloned();
                of.map_or_else(|| self.unread_stream(index, &stream), |of| StoredStream { lane: stream.lane, ..of })
            });
            let streams: Vec<StoredStream> = streams.collect();
            quiet.extend(state.quiet.iter().filter(|quiet| stays(streams[quiet.stream as usize].lane)).cloned());
            quiet.sort_by_key(|quiet| (quiet.key, quiet.stream, quiet.side));
            state = State { lanes, streams, quiet, judged: Vec::new(), replica: here.replica };
        }
        state.judged.clear();
        Seal { settled, state: state.pack() }
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
