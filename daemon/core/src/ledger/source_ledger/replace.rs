//! Another plan: SLOs that stay keep everything, those that leave are put aside, those that return go on where they were. A restart is the same:
//! every stored SLO returns.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    HOUR, SourceLedger, TEN_SECONDS,
    few::Few,
    levels, lookbacks,
    parts::{Lane, Meta, Newer, Retired, Route, Split, Stream},
    slice_rules,
};
use crate::{
    id::Group,
    ledger::{Plan, Replica, segment::state::Quiet, slice::JUDGED_AGAIN},
    time::{Timestamp, hours},
};

/// How far raw samples are read back on the first start.
const RAW_HISTORY: Duration = hours(6);

/// Where the SLOs of the new plan come from.
#[derive(Default)]
struct Moves {
    /// New places of SLOs that stay as they were, by their old ones.
    stays: BTreeMap<u32, u32>,
    /// New places of SLOs that come back, with what was put aside.
    returns: Vec<(usize, Retired)>,
    /// Those of the places whose SLO counts the same as before.
    unchanged: BTreeSet<usize>,
}

impl SourceLedger {
    /// Takes a new plan. SLOs that stay keep everything, those that return go on where they were; where one counts something else now, its history
    /// stays and its counters start anew at its watermark. One that is split otherwise is read like a new one, and its streams of before have ended until
    /// it is split so again.
    pub fn replace_plan(&mut self, plan: Plan, now: Timestamp) {
        self.generation += 1;
        let before = self.retire_all();
        self.lane_ids = plan.slos().map(|slo| Arc::new(slo.id.clone())).collect();
        self.lane_places = self.lane_ids.iter().cloned().zip(0..).collect();
        self.splits = self.lane_ids.iter().zip(plan.slos()).map(|(id, slo)| Split::new(Arc::clone(id), &slo.per)).collect();
        self.lookbacks = plan.slos().map(|slo| lookbacks(slo).into()).collect();
        self.slice_rules = plan.slos().map(|slo| slice_rules(slo)).collect();
        self.plan = plan;
        self.composites = self.find_composites();
        for (lane, rule) in self.rules_of_composites().collect::<Vec<_>>() {
            self.slice_rules[lane].insert(rule);
        }
        self.level_specs = self.plan.slos().zip(&self.slice_rules).map(|(slo, rules)| levels(slo, rules)).collect();
        self.looks.clear();
        let moves = self.place_lanes(&before, now);
        self.move_series(&before, &moves.stays);
        for (lane, retired) in moves.returns {
            self.take_back(lane, retired);
        }
        self.attach_streams(&moves.unchanged);
        self.attach_judged();
        self.replan_second(&moves.unchanged);
    }

    /// Goes on with another replica: each SLO begins anew at its watermark, behind a wider read that finds every series' baseline.
    pub fn read_from(&mut self, replica: Option<Replica>) {
        if self.plan.replica() == replica {
            return;
        }
        self.generation += 1;
        self.plan = self.plan.clone().read_from(replica);
        if self.series.iter().next().is_none() && self.state.is_empty() {
            return; // Nothing was counted yet.
        }
        for lane in &mut self.lanes {
            *lane = lane.clone().anew().behind_another();
        }
        for held in &mut self.streams {
            held.troubles.clear();
        }
        self.looks.clear();
        self.timeline_holds = None;
        self.drop_seal();
    }

    /// Puts all SLOs aside; gives back which was where.
    fn retire_all(&mut self) -> Vec<Split> {
        let before = std::mem::take(&mut self.splits);
        for (index, lane) in self.lanes.drain(..).enumerate() {
            let meaning = self.plan.lanes()[index].meaning_hash();
            self.retired.insert(before[index].clone(), Retired { meaning, lane, quiet: Vec::new() });
        }
        before
    }

    fn place_lanes(&mut self, before: &[Split], now: Timestamp) -> Moves {
        let old: BTreeMap<&Split, u32> = before.iter().zip(0..).collect();
        let counted = self.streams.iter().filter(|held| held.meta.counted_from.is_some());
        let counted: BTreeSet<Split> = counted.map(|held| Split::of(&held.stream)).collect();
        let mut moves = Moves::default();
        for (index, split) in self.splits.iter().enumerate() {
            let meaning = self.plan.lanes()[index].meaning_hash();
            let lane = match (self.retired.remove(split), old.get(split)) {
                (Some(retired), Some(old)) if retired.meaning == meaning => {
                    moves.unchanged.insert(index);
                    moves.stays.insert(*old, u32::try_from(index).expect("fewer SLOs than 2^32"));
                    retired.lane
                }
                (Some(retired), None) if retired.meaning == meaning => {
                    let lane = retired.lane.clone().anew();
                    moves.unchanged.insert(index);
                    moves.returns.push((index, retired));
                    lane
                }
                // What a composite was before is not composed again by what it is now.
                (Some(retired), _) if !self.plan.lanes()[index].is_read() => Lane { begin: retired.lane.watermark, ..retired.lane.anew() },
                // What was never seen, as where a selector was misspelt, has no history to keep: it is read as if it were new.
                (Some(_), _) if !counted.contains(split) => self.new_lane(now),
                (Some(retired), _) => retired.lane.anew(),
                (None, _) if !self.plan.lanes()[index].is_read() => Lane::starting_at(now.minus(JUDGED_AGAIN).floor(HOUR)),
                (None, _) => self.new_lane(now),
            };
            self.lanes.push(lane);
        }
        moves
    }

    fn new_lane(&self, now: Timestamp) -> Lane {
        Lane::starting_at(if self.settings.history { now.minus(RAW_HISTORY).floor(HOUR) } else { now.floor(TEN_SECONDS) })
    }

    /// Counters follow their SLO to its new place. Of those of an SLO that is gone the quiet ones are put aside with it; those of one that counts
    /// something else now are dropped.
    fn move_series(&mut self, before: &[Split], stays: &BTreeMap<u32, u32>) {
        let retired = &mut self.retired;
        self.series.retain(|tracked, counters, histograms| {
            tracked.matched = Few::None;
            let key = tracked.key;
            tracked.routes.retain_mut(|route| {
                if let Some(place) = stays.get(&route.lane) {
                    route.lane = *place;
                    return true;
                }
                if let Some(retired) = retired.get_mut(&before[route.lane as usize]) {
                    let watermark = retired.lane.watermark;
                    let quiet = counters[route.counter as usize].filter(|counter| Self::is_quiet(counter.at, watermark));
                    let histogram = histograms.get(&route.counter).cloned();
                    retired.quiet.extend(quiet.map(|counter| Quiet { key, stream: route.stream, side: route.side, counter, histogram }));
                }
                false
            });
        });
    }

    /// Gives an SLO that returns its quiet counters back.
    fn take_back(&mut self, lane: usize, retired: Retired) {
        let sides = self.plan.lanes()[lane].sides.len();
        let lane = u32::try_from(lane).expect("fewer SLOs than 2^32");
        for Quiet { key, stream, side, counter, histogram } in retired.quiet.into_iter().filter(|quiet| (quiet.side as usize) < sides) {
            self.series.add(key, Route { lane, side, stream, counter: 0 }, counter, histogram);
        }
    }

    /// Streams belong to the SLO of their name, and have ended where it is split by other labels; an SLO that is not split has its one stream from the
    /// start, and one that names its groups has theirs.
    fn attach_streams(&mut self, unchanged: &BTreeSet<usize>) {
        self.lane_streams = vec![BTreeMap::new(); self.lanes.len()];
        self.ended_streams = vec![BTreeMap::new(); self.lanes.len()];
        let grains: Vec<Duration> = (0..self.lanes.len()).map(|lane| self.grain_of(lane)).collect();
        for held in &mut self.streams {
            held.place = self.lane_places.get(&held.stream.slo).copied();
            held.lane = held.place.filter(|place| self.splits[*place].has(&held.stream.group));
            let Some(place) = held.place else {
                held.newer = Newer::default();
                continue;
            };
            held.grain = grains[place];
            let levels = &self.level_specs[place];
            if !held.slices.has_levels(levels) {
                self.lacks_history |= !held.slices.suffice_for(levels);
                held.slices = held.slices.with_levels(levels);
            }
            let Some(lane) = held.lane else {
                held.end(self.retired.get(&Split::of(&held.stream)).map(|retired| retired.lane.watermark));
                self.ended_streams[place].insert(held.stream.group.clone(), held.stream.index);
                continue;
            };
            if !unchanged.contains(&lane) {
                held.meta = Meta { counted_from: held.meta.counted_from, has_up: held.meta.has_up, ..Meta::default() };
                held.troubles.clear();
                held.newer = Newer::default();
            }
            if let Some(slice) = self.plan.lanes()[lane].presence() {
                // Where the state holds none, it is the last slice before the watermark: see `keeps_newest`.
                let last = self.lanes[lane].watermark.floor(slice);
                let judged = held.meta.counted_from.is_some_and(|from| from < last).then_some((last, slice));
                held.meta.newest = held.meta.newest.or(judged);
            }
            self.lane_streams[lane].insert(held.stream.group.clone(), held.stream.index);
        }
        for lane in 0..self.lanes.len() {
            if self.plan.lanes()[lane].slo.per.is_empty() {
                self.ensure_stream(lane, Group::whole());
            }
            for group in self.plan.lanes()[lane].expected().to_vec() {
                self.ensure_stream(lane, group);
            }
        }
    }

    fn ensure_stream(&mut self, lane: usize, group: Group) {
        if !self.lane_streams[lane].contains_key(&group) {
            let index = u32::try_from(self.streams.len()).expect("fewer streams than 2^32");
            let slo = Arc::clone(&self.lane_ids[lane]);
            self.hold(lane, Stream { index, slo, group, newest_sample: None, counted_from: None, catching_up: true });
        }
    }
}
