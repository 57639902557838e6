//! A second reading under way: a ledger of its own that goes on from the seal.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{SETTLING, SecondReading, compare::reach};
use crate::{
    ledger::{
        Damaged, Plan, Reason, Series, Unknown,
        count::{Rule, longest_without_gap},
        segment::{behind::Seal, state::State},
        slice::{HOUR, LevelSpec, MINUTE, TEN_SECONDS},
        source_ledger::{Held, MARGIN, Meta, Retired, Slices, SourceLedger, standard_levels},
    },
    time::{Timestamp, minutes},
};

/// How much one question asks for.
const STRETCH: Duration = minutes(30);

/// The same of a source with more series than `MANY_SERIES`: its answers would become too large.
const STRETCH_OF_MANY: Duration = minutes(5);
const MANY_SERIES: usize = 10_000;

/// So often an SLO's question may stay without an answer in one walk.
const PATIENCE: u8 = 3;

/// A walk that takes longer than this finds only minutes of what it began with: where it holds none, it is walked once more.
const WALKED_WITHIN: Duration = minutes(8);

/// What SLOs that stand at the same point read next.
pub(super) struct Leg {
    pub(super) lanes: Vec<usize>,
    pub(super) to: Timestamp,
}

/// A second reading under way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) memory: Box<SourceLedger>,
    /// From where on each SLO is read again.
    pub(super) since: Vec<Timestamp>,
    /// Where the seal moves to.
    pub(super) seal_at: Timestamp,
    /// The seal there, once it is reached.
    pub(super) sealed: Option<(Timestamp, State)>,
    /// The SLOs that mean what they meant at the seal.
    pub(super) known: Vec<bool>,
    /// How often each SLO's question stayed without an answer; those that cannot be compared have no patience left.
    pub(super) failed: Vec<u8>,
    /// Whether something of an SLO was read again that cannot be counted.
    pub(super) unreadable: Vec<bool>,
    /// The streams that the live ledger and the walk had in common when they were last compared.
    pub(super) streams: usize,
}

impl SourceLedger {
    /// Whether this is the memory of a second reading.
    pub(in crate::ledger::source_ledger) const fn is_second(&self) -> bool {
        self.settings.history && self.second.is_none()
    }

    /// A walk that begins at a seal.
    pub(super) fn walk_from(&self, seal: &Seal, now: Timestamp) -> Result<Walk, Damaged> {
        let state = State::unpack(&seal.state)?;
        let mut memory = Self::new(Plan::new(&[]), self.settings, seal.settled);
        (memory.second, memory.created) = (None, seal.settled);
        memory.take_lanes(&state);
        // What the seal does not know of what is outside the plan begins anew when it returns; until then its streams have whose they are.
        for (split, Retired { meaning, lane, .. }) in &self.retired {
            let unknown = || Retired { meaning: !meaning, lane: lane.clone(), quiet: Vec::new() };
            memory.retired.entry(split.clone()).or_insert_with(unknown);
        }
        memory.take_streams(&state);
        memory.streams.extend(self.streams.iter().skip(state.streams.len()).map(|held| self.unread(held)));
        memory.replace_plan(self.plan.clone(), now);
        memory.forget_what_begins_later();
        let meanings: BTreeMap<_, _> = state.lanes.iter().map(|lane| (lane.split(), lane.meaning)).collect();
        let is_known = |lane: &usize| meanings.get(&self.splits[*lane]) == Some(&self.plan.lanes()[*lane].meaning_hash());
        // A composite is not read: it follows from what its members are corrected by.
        let is_read = |lane: usize| self.plan.lanes()[lane].is_read();
        let known: Vec<bool> = (0..self.lanes.len()).map(|lane| is_known(&lane) && is_read(lane)).collect();
        let since: Vec<Timestamp> = memory.lanes.iter().map(|lane| lane.watermark).collect();
        let can_be = |lane: usize| known[lane] && self.lanes[lane].is_live() && self.cells(lane, since[lane]).is_some();
        let compared: Vec<bool> = (0..self.lanes.len()).map(can_be).collect();
        let reaches_finest = |lane: usize| {
            let level = self.level_specs[lane].iter().find(|level| level.step == TEN_SECONDS);
            level.is_some_and(|level| reach(level, self.lanes[lane].watermark.plus(WALKED_WITHIN)) <= since[lane])
        };
        let finest_alone = (0..self.lanes.len()).filter(|lane| compared[*lane]).all(reaches_finest);
        for (of, lane) in memory.lanes.iter_mut().zip(&self.lanes) {
            of.other_until = lane.other_until;
        }
        memory.hold_little(if finest_alone { TEN_SECONDS } else { MINUTE });
        let settled = self.common_watermark(&self.lanes);
        let failed = compared.iter().map(|compared| if *compared { 0 } else { PATIENCE }).collect();
        let mut walk = Walk {
            unreadable: vec![false; memory.lanes.len()],
            memory: Box::new(memory),
            since,
            seal_at: settled.minus(SETTLING).floor(MINUTE),
            sealed: None,
            known,
            failed,
            streams: self.streams.len(),
        };
        walk.seal();
        Ok(walk)
    }

    /// What a seal knows of streams that begin behind it was told by samples behind it, which are yet to be read again. What is expected begins with the first
    /// scrape.
    fn forget_what_begins_later(&mut self) {
        for held in &mut self.streams {
            let Some(lane) = held.lane else { continue };
            let expected = self.plan.lanes()[lane].expected().contains(&held.stream.group);
            let begun = |from: Timestamp| if expected { self.lanes[lane].beat.is_some() } else { from <= self.lanes[lane].watermark };
            held.meta.counted_from = held.meta.counted_from.filter(|from| begun(*from));
        }
    }

    /// A stream of which nothing was read yet.
    pub(super) fn unread(&self, held: &Held) -> Held {
        let expected = held.lane.is_some_and(|lane| self.plan.lanes()[lane].expected().contains(&held.stream.group));
        let counted_from = held.meta.counted_from.filter(|_| expected);
        let meta = Meta { counted_from, ..Meta::default() };
        Held { grain: held.grain, ..Held::new(held.stream.clone(), held.lane, meta, Slices::new(&no_slices())) }
    }

    /// Makes this the memory of a walk: it needs only every counter, and the finest slices.
    pub(super) fn hold_little(&mut self, coarsest: Duration) {
        self.composites.clear();
        for lane in 0..self.lanes.len() {
            self.level_specs[lane].retain(|level| level.step <= coarsest);
            self.lookbacks[lane] = Arc::default();
            self.slice_rules[lane].clear();
            // Every counter is known, and not its labels: what a new series was before is looked for in the scrape before. Whether it is new can depend on
            // its companions, where no `up` tells of their target.
            let metas = || self.streams_of(lane).map(|stream| &self.streams[stream as usize].meta);
            let spacing = metas().map(|meta| meta.newest.map_or(Rule::RAW.default_spacing, |(_, usual)| usual)).max().unwrap_or_default();
            let margin = if metas().all(|meta| meta.has_up) { longest_without_gap(spacing).min(MARGIN) } else { MARGIN };
            (self.lanes[lane].primed, self.lanes[lane].margin) = (false, margin);
        }
        for held in &mut self.streams {
            held.slices = held.lane.map_or_else(|| Slices::new(&no_slices()), |lane| Slices::new(&self.level_specs[lane]));
        }
    }

    /// Has the live ledger and a walk know the same streams; false where both found some that the other does not know.
    pub(super) fn share_streams(&self, walk: &mut Walk) -> bool {
        if walk.memory.streams.len() > walk.streams && self.streams.len() > walk.streams {
            return false;
        }
        for held in &self.streams[walk.streams.min(self.streams.len())..] {
            if let Some(lane) = held.lane {
                walk.memory.hold(lane, self.unread(held).stream);
            }
        }
        walk.streams = self.streams.len();
        true
    }

    /// The SLOs that read the next stretch, and where it ends; nothing where all arrived at the live ledger. SLOs that stand at different points read one
    /// after the other until the live ledger is near for all: then all at once, because it goes on while they are read.
    pub(super) fn next_stretches(&self, walk: &Walk) -> Vec<Leg> {
        let behind = |lane: &usize| walk.is_followed(*lane) && walk.memory.lanes[*lane].watermark < self.lanes[*lane].watermark;
        let limit = |lane: usize| {
            let seal = walk.seal_at.floor(self.plan.lanes()[lane].grid()).min(self.lanes[lane].watermark);
            if walk.memory.lanes[lane].watermark < seal { seal } else { self.lanes[lane].watermark }
        };
        let stretch = if self.series.iter().count() > MANY_SERIES { STRETCH_OF_MANY } else { STRETCH };
        let mut legs: BTreeMap<(Timestamp, Timestamp), Vec<usize>> = BTreeMap::new();
        for lane in (0..self.lanes.len()).filter(behind) {
            let from = walk.memory.lanes[lane].watermark;
            let to = from.plus(stretch.max(self.plan.lanes()[lane].grid())).min(limit(lane));
            legs.entry((from, to)).or_default().push(lane);
        }
        let near = legs.iter().all(|((_, to), lanes)| lanes.iter().all(|lane| *to == self.lanes[*lane].watermark));
        let legs = legs.into_iter().map(|((_, to), lanes)| Leg { lanes, to });
        legs.take(if near { usize::MAX } else { 1 }).collect()
    }
}

impl Walk {
    /// Whether an SLO is still read again.
    pub(super) fn is_followed(&self, lane: usize) -> bool {
        self.failed[lane] < PATIENCE
    }

    /// Reads a stretch; false where it is not one of this walk.
    pub(super) fn read(&mut self, asked: &SecondReading, answers: &[Result<Vec<Series>, Unknown>]) -> bool {
        let before: Vec<Timestamp> = self.memory.lanes.iter().map(|lane| lane.watermark).collect();
        let counted = self.memory.count(&asked.reads, answers);
        self.memory.apply(counted);
        for lane in asked.reads.cohorts.iter().flat_map(|cohort| &cohort.lanes) {
            if self.memory.lanes[*lane].watermark == before[*lane] {
                self.failed[*lane] = self.failed[*lane].saturating_add(1);
            }
            self.unreadable[*lane] |= self.is_unreadable(*lane);
        }
        self.seal();
        true
    }

    /// Whether the newest of what was read again of an SLO cannot be read. A suspect fall can: the samples say the same whenever they are read.
    fn is_unreadable(&self, lane: usize) -> bool {
        let is_unreadable = |unknown: &Unknown| unknown.reason != Reason::SuspectReset;
        let mut troubles = self.memory.streams_of(lane).flat_map(|stream| &self.memory.streams[stream as usize].troubles);
        self.memory.lanes[lane].unknown.as_ref().is_some_and(is_unreadable) || troubles.any(|trouble| is_unreadable(&trouble.unknown))
    }

    /// Keeps the memory where the seal moves to, once every SLO is there.
    pub(super) fn seal(&mut self) {
        let grid = |lane: usize| self.memory.plan.lanes()[lane].grid();
        let there = |lane: usize| self.memory.lanes[lane].watermark >= self.seal_at.floor(grid(lane));
        if self.sealed.is_none() && (0..self.failed.len()).all(|lane| !self.is_followed(lane) || there(lane)) {
            self.sealed = Some((self.memory.common_watermark(&self.memory.lanes), self.memory.full_state()));
        }
    }
}

/// What a stream holds of which nothing is read.
fn no_slices() -> Vec<LevelSpec> {
    standard_levels(HOUR, HOUR).to_vec()
}
