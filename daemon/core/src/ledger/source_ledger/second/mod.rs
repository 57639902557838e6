//! The second reading: what is settled is read again, later and only once more or so, to find samples that came late.
//!
//! It begins at a seal: the whole memory as it was there, packed. From there on a ledger of its own reads up to where the live one is, in stretches, as
//! a daemon would that was down since: counting is the same whatever the batches are, so what it counts is what would have been counted had all samples
//! come in time. What differs from what is booked becomes entries of their own, which correct; the live ledger takes over that memory, so that no event
//! is counted twice later on; and the seal moves up to `SETTLING` before. What lies behind the seal is not read again.
//!
//! Events are compared in slices. Some are booked before the slice of their sample: those of a gap right behind the sample before it, and an unseen
//! stretch when the sample comes that ends it. Of both the ledger keeps a log (`Log`), by which they are compared where they lie before the seal.

mod compare;
mod log;
mod seal;
mod walk;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{Counted, Lane, Reads, SourceLedger, stored::Keep};
use crate::{
    ledger::{
        Damaged, Series, Stored, Unknown,
        segment::{
            behind::{Log, Seal},
            state::State,
        },
        slice::{Entry, HOUR, MINUTE},
    },
    time::{Timestamp, minutes},
};
use walk::{Leg, Walk};

/// Samples that come no later than this are always found.
const SETTLING: Duration = minutes(30);

/// How often a second reading begins: each sample is read again two or three times.
const EVERY: Duration = minutes(20);

/// So soon after a start the first one begins.
const FIRST_AFTER: Duration = minutes(5);

/// An SLO that could not be compared is read again from the same point until that is so long ago.
const READ_ONCE_MORE: Duration = minutes(150);

/// The log of a source that is not read again goes back so far at most.
const LOGGED: Duration = HOUR.saturating_mul(7);

/// The next stretch of a second reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondReading {
    /// The questions.
    pub reads: Reads,
    walk: u64,
}

/// What a walk came to for an SLO.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It was compared: what differs.
    Arrived(Vec<Entry>),
    /// It is read again by the next walk, from the same point: there was no answer, what cannot be read would take back what could be, or the source
    /// seems to have lost samples where some may yet come late.
    OnceMore,
    /// It begins anew where it is.
    Anew,
    /// The source has lost samples that were counted: what was counted stays, and it begins anew where it is.
    Lost,
}

/// Where a second reading begins, and the one that is under way.
#[derive(Debug)]
pub(super) struct Second {
    seal: Option<Seal>,
    /// True where the store does not have the seal yet.
    moved: bool,
    /// True where the store does not have the log yet.
    relogged: bool,
    walk: Option<Walk>,
    began: Timestamp,
    walks: u64,
}

impl Second {
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { seal: None, moved: false, relogged: false, walk: None, began: now, walks: 0 }
    }
}

impl SourceLedger {
    /// Up to where samples are not looked for again: what comes later than that stays out; `None` before it is read again.
    pub fn sealed(&self) -> Option<Timestamp> {
        Some(self.second.as_ref()?.seal.as_ref()?.settled)
    }

    /// What to ask the source again, behind the live reading; `None` while nothing is due, or where a source has no history.
    pub fn second_reading(&self, now: Timestamp) -> Option<SecondReading> {
        let second = self.second.as_ref()?;
        let walk = second.walk.as_ref()?;
        let generation = walk.memory.generation;
        let mut reads = Reads { reads: Vec::new(), catching_up: true, cohorts: Vec::new(), targets: None, generation };
        for Leg { lanes, to } in self.next_stretches(walk) {
            let from = walk.memory.targets_needed_from(&lanes);
            walk.memory.ask(&mut reads, lanes, from, to, now);
        }
        (!reads.cohorts.is_empty()).then_some(SecondReading { reads, walk: second.walks })
    }

    /// Takes the answers to a stretch of a second reading. Where it is the last one, what is to be committed: the entries by which what was booked
    /// is corrected, and the memory after it. If that cannot be committed, the ledger must be restored.
    pub fn take_second_reading(&mut self, asked: &SecondReading, answers: &[Result<Vec<Series>, Unknown>]) -> Option<Counted> {
        let mut second = self.second.take()?;
        let walks = second.walks;
        let walk = second.walk.as_mut().filter(|walk| walks == asked.walk && walk.memory.generation == asked.reads.generation);
        let on = walk.is_none_or(|walk| self.share_streams(walk) && walk.read(asked, answers));
        if !on {
            second.walk = None;
        }
        self.second = Some(second);
        self.finish_walk()
    }

    /// Begins a second reading where one is due.
    pub(super) fn tend_second(&mut self, now: Timestamp) {
        let Some(mut second) = self.second.take() else { return };
        let any_live = (0..self.lanes.len()).any(|lane| self.lanes[lane].is_live());
        if second.walk.is_none() && any_live && now.since(second.began) >= EVERY {
            second.began = now;
            match second.seal.as_ref().map(|seal| self.walk_from(seal, now)) {
                Some(Ok(walk)) if (0..self.lanes.len()).any(|lane| walk.is_followed(lane)) => {
                    second.walks += 1;
                    second.walk = Some(walk);
                }
                // Nobody means what the seal knows: all begin anew here, where they are.
                Some(Ok(Walk { sealed, .. })) => {
                    let anew = vec![Outcome::Anew; self.lanes.len()];
                    second.seal = second.seal.zip(sealed).map(|(before, (settled, state))| self.merged(settled, state, &before, &anew));
                    second.moved = true;
                }
                Some(Err(Damaged { .. })) | None => second.seal = None,
            }
        }
        self.second = Some(second);
    }

    /// The first seal, where a round is the one that it lies behind. It is committed with that round: what comes late from then on is found.
    pub(super) fn first_seal(&self, counted: &Counted) -> Option<Seal> {
        let second = self.second.as_ref().filter(|second| second.seal.is_none())?;
        let now = counted.asked_at.filter(|_| counted.lanes.iter().any(Lane::is_live))?;
        // Of what is old only minutes are kept, so it lies at the end of one where it can.
        let due = counted.settled.floor(MINUTE) == counted.settled || now.since(second.began) >= FIRST_AFTER;
        due.then(|| Seal { settled: counted.settled, state: self.state_after(counted, Keep::All).0.pack() })
    }

    /// Takes what a round booked before where it was sampled.
    pub(super) fn take_log(&mut self, log: Log, seal_is_stored: bool, log_is_stored: bool) {
        self.log.extend(log);
        if let Some(second) = &mut self.second {
            second.moved &= !seal_is_stored;
            second.relogged &= !log_is_stored;
        } else if !self.log.is_empty() {
            let since = self.common_watermark(&self.lanes).minus(LOGGED);
            self.log.retain(|_, at| at > since);
        }
    }

    /// Takes the first seal, which was committed.
    pub(super) fn take_first_seal(&mut self, seal: Seal, now: Timestamp) {
        if let Some(second) = &mut self.second {
            (second.seal, second.began) = (Some(seal), now);
        }
    }

    /// The packed seal and log after a round, where the store does not have them.
    pub(super) fn behind_after(&self, counted: &Counted) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let Some(second) = &self.second else { return (None, None) };
        let moved = || second.moved.then(|| second.seal.as_ref().map_or_else(|| Seal::void(counted.settled).pack(), Seal::pack));
        let seal = counted.first_seal.as_ref().map(Seal::pack).or_else(moved);
        let log = (second.relogged || !counted.log.is_empty()).then(|| {
            let mut log = self.log.clone();
            log.extend(counted.log.clone());
            log.pack()
        });
        (seal, log)
    }

    /// Takes the seal and the log as the store has them.
    pub(super) fn take_second(&mut self, stored: &Stored, now: Timestamp) -> Result<(), Damaged> {
        let Some(second) = &mut self.second else { return Ok(()) };
        second.seal = stored.seal.as_deref().map(Seal::unpack).transpose()?.filter(|seal| !seal.is_void());
        second.began = now.minus(EVERY.saturating_sub(FIRST_AFTER));
        self.log = stored.log.as_deref().map(Log::unpack).transpose()?.unwrap_or_default();
        Ok(())
    }

    /// Follows a change of the plan: what an SLO that counts something else now, or is new, had at the seal is void.
    pub(super) fn replan_second(&mut self, unchanged: &BTreeSet<usize>) {
        let Some(second) = &mut self.second else { return };
        second.walk = None;
        let Some(seal) = &mut second.seal else { return };
        let Ok(mut state) = State::unpack(&seal.state) else {
            second.seal = None;
            return;
        };
        let kept: BTreeSet<_> = unchanged.iter().map(|lane| &self.splits[*lane]).collect();
        let planned: BTreeSet<_> = self.splits.iter().collect();
        let void = state.lanes.iter_mut().filter(|lane| planned.contains(&lane.split()) && !kept.contains(&lane.split()));
        let mut any = false;
        for lane in void {
            lane.meaning = !lane.meaning;
            any = true;
        }
        if any {
            seal.state = state.pack();
            second.moved = true;
        }
    }

    /// What was known of another replica cannot be compared with what is read of this one.
    pub(super) fn drop_seal(&mut self) {
        if let Some(second) = &mut self.second {
            // What the store has is of the other one, too.
            (second.seal, second.walk, second.moved) = (None, None, true);
        }
    }

    /// Ends a walk that has nothing left to read: corrects what is booked, and takes over what the walk remembers.
    fn finish_walk(&mut self) -> Option<Counted> {
        let mut second = self.second.take()?;
        let done = |walk: &mut Walk| walk.sealed.is_some() && self.next_stretches(walk).is_empty();
        let Some(mut walk) = second.walk.take_if(done) else {
            self.second = Some(second);
            return None;
        };
        let logs = (self.log.by_stream(), walk.memory.log.by_stream());
        let outcomes: Vec<Outcome> = (0..self.lanes.len()).map(|lane| self.outcome(&walk, lane, &logs)).collect();
        let arrived: Vec<bool> = outcomes.iter().map(|outcome| matches!(outcome, Outcome::Arrived(_))).collect();
        for held in walk.memory.streams.iter().skip(self.streams.len()).map(|held| (held.lane, held.stream.clone())).collect::<Vec<_>>() {
            if let (Some(lane), stream) = held {
                self.hold(lane, stream);
            }
        }
        let begun_earlier = self.adopt(&walk.memory, &arrived);
        let (settled, state) = walk.sealed.take()?;
        second.seal = second.seal.map(|before| self.merged(settled, state, &before, &outcomes));
        (second.moved, second.relogged) = (true, true);
        self.relog(&walk, &arrived);
        self.second = Some(second);
        let mut counted = Counted { begun_earlier, ..Counted::unchanged(self) };
        for (id, outcome) in self.lane_ids.iter().zip(outcomes) {
            match outcome {
                Outcome::Arrived(late) => counted.slices.entries.extend(late),
                Outcome::Lost => counted.lost.push(Arc::clone(id)),
                Outcome::OnceMore | Outcome::Anew => {}
            }
        }
        counted.slices.entries.sort_by_key(|entry| (entry.stream, entry.end));
        counted.late = !counted.slices.entries.is_empty();
        Some(self.seal(counted))
    }
}
