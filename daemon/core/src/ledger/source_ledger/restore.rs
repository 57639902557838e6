//! From what the store keeps of a ledger back to the ledger.

use std::{cmp::Reverse, sync::Arc};

use super::{
    HOUR, Held, Settings, Slices, SourceLedger,
    first_values::FirstValues,
    parts::{Lane, Meta, Retired, Stream},
    standard_levels,
};
use crate::{
    ledger::{
        Damaged, Plan, Segment, Stored,
        count::Rule,
        coverage::Beat,
        segment::{
            RoundSlices,
            state::{State, StoredLane},
            unpack_segment,
        },
        slice::Entry,
    },
    time::{Timestamp, days},
};

/// So many entries of rounds are put into the order of their streams at once.
const ENTRIES_AT_ONCE: usize = 1 << 20;

fn unknown_stream(what: &'static str) -> Damaged {
    Damaged { what, why: "it holds slices of a stream that the state does not name" }
}

impl SourceLedger {
    /// The ledger as the store holds it, read from the replica that was read last. The next read goes a little wider, to find each series' last sample before the watermark.
    pub fn restore(plan: Plan, settings: Settings, stored: &Stored, now: Timestamp) -> Result<Self, Damaged> {
        let mut ledger = Self::begun(plan, settings, stored, now)?;
        ledger.take_segments(stored)?;
        ledger.take_rounds(stored, |_| i64::MIN)?;
        ledger.lacks_history = false;
        ledger.show();
        Ok(ledger)
    }

    /// The same from images and the rounds behind them: the ledger as `restore` makes it from all that is stored, at a fraction of the work. `None` where
    /// the images do not suffice: there are none of some streams, or an SLO needs older or finer slices now.
    ///
    /// # Errors
    /// A blob cannot be read.
    pub fn restore_from_images(plan: Plan, settings: Settings, stored: &Stored, now: Timestamp) -> Result<Option<Self>, Damaged> {
        let mut ledger = Self::begun(plan, settings, stored, now)?;
        ledger.lacks_history = false;
        let Some(through) = ledger.take_images(&stored.images)? else { return Ok(None) };
        ledger.take_rounds(stored, through)?;
        ledger.show();
        Ok(Some(ledger))
    }

    /// All but the slices.
    fn begun(plan: Plan, settings: Settings, stored: &Stored, now: Timestamp) -> Result<Self, Damaged> {
        let mut ledger = Self::new(Plan::new(&[]), settings, now);
        if let Some(blob) = &stored.state {
            let state = State::unpack(blob)?;
            ledger.created = stored.settled.unwrap_or(ledger.created);
            ledger.first_values = FirstValues::since(ledger.created);
            ledger.take_lanes(&state);
            ledger.take_streams(&state);
            for (of, rule) in &state.judged {
                ledger.add_judged(*of, *rule);
            }
            ledger.plan = Plan::new(&[]).read_from(state.replica);
            ledger.state.clone_from(blob);
        }
        ledger.take_second(stored, now)?;
        ledger.replace_plan(plan.read_from(ledger.plan.replica()), now);
        Ok(ledger)
    }

    pub(super) fn take_lanes(&mut self, state: &State) {
        for stored in &state.lanes {
            let retired = Retired { meaning: stored.meaning, lane: self.lane_from(stored), quiet: Vec::new() };
            self.retired.insert(stored.split(), retired);
        }
        for quiet in &state.quiet {
            let split = state.lanes[state.streams[quiet.stream as usize].lane as usize].split();
            self.retired.entry(split).and_modify(|retired| retired.quiet.push(quiet.clone()));
        }
    }

    /// A source without history cannot be asked for what happened since: that time is unseen.
    fn lane_from(&self, stored: &StoredLane) -> Lane {
        let watermark = self.watermark_of(stored);
        let blind_since = self.blind_since(watermark);
        Lane {
            begin: stored.begin,
            watermark,
            filled_to: stored.filled_to,
            fills: stored.fills.clone(),
            beat: blind_since.or(stored.beat),
            stood_still: stored.stood_still.clone(),
            other_until: stored.other_until,
            ..Lane::starting_at(watermark)
        }
    }

    fn watermark_of(&self, stored: &StoredLane) -> Timestamp {
        stored.watermark.unwrap_or(self.created.floor(stored.grid))
    }

    /// A beat behind which everything is a silence, where a source has no history.
    fn blind_since(&self, watermark: Timestamp) -> Option<Beat> {
        (!self.settings.history).then_some((watermark, Rule::RAW.default_spacing / 10))
    }

    pub(super) fn take_streams(&mut self, state: &State) {
        for (index, stored) in state.streams.iter().enumerate() {
            let lane = &state.lanes[stored.lane as usize];
            let stream = Stream {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                slo: Arc::new(lane.slo.clone()),
                group: stored.group.clone(),
                newest_sample: None,
                counted_from: stored.counted_from,
                catching_up: true,
            };
            let meta = Meta {
                counted_from: stored.counted_from,
                has_up: stored.has_up,
                newest: stored.newest,
                buckets: stored.buckets,
                beat: self.blind_since(self.watermark_of(lane)).filter(|_| stored.has_up).or(stored.beat),
            };
            let slices = Slices::new(&standard_levels(days(30), HOUR));
            let targets = stored.targets.clone();
            self.streams.push(Held { targets, grain: stored.grain, ..Held::new(stream, None, meta, slices) });
        }
    }

    /// One stream after another, so that what is written lies close together, and the newest first: what is too old for the fine levels is then not
    /// written there.
    fn take_segments(&mut self, stored: &Stored) -> Result<(), Damaged> {
        let mut segments: Vec<&Segment> = stored.segments.iter().collect();
        segments.sort_unstable_by_key(|segment| (segment.key.stream, Reverse(segment.key.day)));
        for segment in segments {
            let slices = self.slices_mut(segment.key.stream).ok_or(unknown_stream("segment"))?;
            let held = unpack_segment(segment.key.step(), &segment.blob)?;
            for (end, counts) in held.iter().rev() {
                slices.add(*end, *counts);
            }
            if let Some((first, _)) = held.first() {
                self.note_verdict(segment.key.stream, *first);
            }
        }
        Ok(())
    }

    /// Books of each stream the rounds behind that up to which its slices are held.
    fn take_rounds(&mut self, stored: &Stored, held_through: impl Fn(u32) -> i64) -> Result<(), Damaged> {
        let mut entries = Vec::new();
        for (id, blob) in &stored.rounds {
            let round = RoundSlices::unpack(blob)?;
            entries.extend(round.entries.into_iter().filter(|entry| held_through(entry.stream) < *id));
            if entries.len() >= ENTRIES_AT_ONCE {
                self.take_entries(&mut entries)?;
            }
            for span in round.spans.iter().filter(|span| held_through(span.stream) < *id) {
                self.slices_mut(span.stream).ok_or(unknown_stream("round"))?.add_span(span);
            }
        }
        self.take_entries(&mut entries)
    }

    /// One stream after another, as with segments.
    fn take_entries(&mut self, entries: &mut Vec<Entry>) -> Result<(), Damaged> {
        entries.sort_by_key(|entry| entry.stream);
        for entry in entries.drain(..).rev() {
            self.slices_mut(entry.stream).ok_or(unknown_stream("round"))?.add(entry.end, entry.counts);
            self.note_verdict(entry.stream, entry.end);
        }
        Ok(())
    }
}
